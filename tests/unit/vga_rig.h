/* A VGA on a bus and map of its own, driven as a guest would: by ports and by
 * guest-physical memory. */
#ifndef V2E_TESTS_UNIT_VGA_RIG_H
#define V2E_TESTS_UNIT_VGA_RIG_H

#include <check.h>

#include "devmodel/vga.h"

#define RIG_A0000 0xa0000u
#define RIG_B0000 0xb0000u
#define RIG_B8000 0xb8000u
#define RIG_LFB   0xe0000000u
#define RIG_MMIO  0xfebf0000u

enum { RIG_SEQ = 0x3c4, RIG_GC = 0x3ce, RIG_CRTC = 0x3d4, RIG_MONO_CRTC = 0x3b4 };

struct vga_rig {
	struct bus *bus;
	struct mem *mem;
	struct clock *clock;
	struct vga *vga;
	struct surface *screen;
};

/* Both BARs are mapped. */
void vga_rig_open(struct vga_rig *rig);
void vga_rig_close(struct vga_rig *rig);

void rig_out(struct vga_rig *rig, uint16_t port, unsigned value);
uint8_t rig_in(struct vga_rig *rig, uint16_t port);
/* Index, then data, as one word. */
void vga_rig_set(struct vga_rig *rig, uint16_t port, unsigned index, unsigned value);
uint8_t vga_rig_get(struct vga_rig *rig, uint16_t port, unsigned index);
void rig_set_attr(struct vga_rig *rig, unsigned index, unsigned value);
void rig_set_dispi(struct vga_rig *rig, unsigned index, unsigned value);
uint16_t rig_get_dispi(struct vga_rig *rig, unsigned index);
void rig_poke(struct vga_rig *rig, uint64_t address, unsigned value);
uint8_t rig_peek(struct vga_rig *rig, uint64_t address);

/* What a video BIOS writes for a mode: Miscellaneous Output, sequencer 1-4, all
 * of CRTC, attribute 0-13h, graphics controller. */
struct rig_mode {
	uint8_t misc, seq[4], crtc[25], attr[20], gc[9];
};
enum rig_mode_number {
	RIG_MODE_1, RIG_MODE_3, RIG_MODE_4, RIG_MODE_6, RIG_MODE_7, RIG_MODE_D, RIG_MODE_E,
	RIG_MODE_F, RIG_MODE_10, RIG_MODE_11, RIG_MODE_12, RIG_MODE_13, RIG_MODE_X, RIG_MODES,
};
extern const struct rig_mode rig_modes[RIG_MODES];

/* Programs the mode, and the DAC so that its colour i is rig_color(i). */
void rig_set_mode(struct vga_rig *rig, enum rig_mode_number number);
uint32_t rig_color(unsigned index);
/* Colour of attribute index `i` in the mode. */
uint32_t rig_attr_color(enum rig_mode_number number, unsigned i);

/* 8 x 32 glyphs at a font slot of plane 2, all different: rig_glyph(). Leaves
 * the mode as it was. */
void rig_load_font(struct vga_rig *rig, enum rig_mode_number number, unsigned address, unsigned seed);
uint8_t rig_glyph(unsigned seed, unsigned code, unsigned row);

/* Renders, steady, into rig->screen. */
void rig_render(struct vga_rig *rig);
void rig_expect_size(const struct vga_rig *rig, unsigned width, unsigned height);
void rig_expect_pixel(const struct vga_rig *rig, unsigned x, unsigned y, uint32_t color);

#endif
