/* VGA with the Bochs DISPI extension, as QEMU's stdvga presents it to Debian's
 * vgabios-stdvga.bin. Sources: IBM VGA Technical Reference; Bochs "VBE DISPI"
 * interface description; QEMU docs/specs/standard-vga.
 *
 * Ports 3B4/3B5/3BA or 3D4/3D5/3DA (by bit 0 of Miscellaneous Output),
 * 3C0-3CF, 1CE (index) and 1CF/1D0 (data). Memory: the window A0000-BFFFF, the
 * linear framebuffer, the 4 KiB register block. Byte p of the plane address a is
 * at VRAM[a * 4 + p], so that chain-4 and the linear framebuffer see the same
 * bytes in the same order.
 *
 * Left out: the light pen, the interrupt line (Input Status 0 bit 7 works), the
 * dots of the ninth column and of the overscan in graphics, and the 64 KiB
 * addressing of Memory Mode bit 1 = 0. */
#ifndef V2E_DEVMODEL_VGA_H
#define V2E_DEVMODEL_VGA_H

#include <glib.h>
#include <stdbool.h>

#include "devmodel/surface.h"
#include "shared/bus.h"
#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/snap.h"

struct vga;

#define VGA_VRAM_SIZE (16u << 20)
#define VGA_MMIO_SIZE 4096u
#define VGA_MAX_XRES  1920u
#define VGA_MAX_YRES  1200u

/* Claims its ports, creates VRAM, shows A0000-BFFFF at MEM_PRIORITY_VGA. Returns
 * NULL with errno set. `bus`, `mem` and `clock` must outlive it. */
struct vga *vga_new(struct bus *bus, struct mem *mem, struct clock *clock);
void vga_free(struct vga *vga); /* NULL is fine */

/* Power-on: screen dark, window closed, mono addresses. VRAM is kept, and so is
 * where the BARs are. */
void vga_reset(struct vga *vga);
/* VRAM included. */
void vga_state(struct vga *vga, struct snap *snap);

/* For the PCI function 1234:1111, which enables, moves and disables them; the
 * VGA starts with both disabled. Linear framebuffer (BAR 0): VGA_VRAM_SIZE of
 * plain memory. */
struct mem_region *vga_lfb(struct vga *vga);
/* BAR 2: EDID at 000h, ports 3C0-3DF at 400h, DISPI at 500h as 16-bit registers,
 * at 600h the block's size, at 604h the byte order of the framebuffer. */
struct mem_region *vga_mmio(struct vga *vga);

/* What blinks: as guest time has it, or always shown, which makes two pictures
 * of an unchanged screen equal. */
enum vga_blink { VGA_BLINK_CLOCK, VGA_BLINK_STEADY };

/* The screen at the mode's own resolution: scan lines and dots that the mode
 * only repeats come once (13h is 320x200). Resizes `surface`. */
void vga_render(struct vga *vga, struct surface *surface, enum vga_blink blink);

/* What a text screen says, in UTF-8 from code page 437: `rows` lines, each cut
 * behind its last non-blank character and ended by a line feed. Replaces what
 * `text` held. `columns` and `rows` may be NULL. Returns false, with `text`
 * empty and the sizes 0, in a graphics mode. */
bool vga_text_read(struct vga *vga, GString *text, unsigned *columns, unsigned *rows);

/* The same with attributes, for who draws characters itself. */
struct vga_cell {
	uint8_t code;             /* code page 437, see vga_text_character() */
	uint8_t foreground, background; /* of the 16 attribute colours */
	bool blinks;
};

struct vga_text_screen {
	unsigned columns, rows;
	bool has_cursor;
	unsigned cursor_column, cursor_row;
	GArray *cells; /* struct vga_cell, row by row; the caller's */
};

/* False, with no cells, in a graphics mode or while the screen is dark. */
bool vga_text_cells(struct vga *vga, struct vga_text_screen *screen);
/* In UTF-8; static. */
const char *vga_text_character(uint8_t code);

#endif
