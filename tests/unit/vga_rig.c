#include "tests/unit/vga_rig.h"

#define CRTC_40(p5, max, cursor, end, offset, underline, mode) \
	{ 0x2d, 0x27, 0x28, 0x90, 0x2b, p5, 0xbf, 0x1f, 0, max, cursor, end, 0, 0, 0, 0, \
	  0x9c, 0x8e, 0x8f, offset, underline, 0x96, 0xb9, mode, 0xff }
#define CRTC_80(p4, p5, max, cursor, end, offset, underline, mode) \
	{ 0x5f, 0x4f, 0x50, 0x82, p4, p5, 0xbf, 0x1f, 0, max, cursor, end, 0, 0, 0, 0, \
	  0x9c, 0x8e, 0x8f, offset, underline, 0x96, 0xb9, mode, 0xff }
#define CRTC_350 \
	{ 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0, 0x40, 0, 0, 0, 0, 0, 0, \
	  0x83, 0x85, 0x5d, 0x28, 0x0f, 0x63, 0xba, 0xe3, 0xff }
#define CRTC_480 \
	{ 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0b, 0x3e, 0, 0x40, 0, 0, 0, 0, 0, 0, \
	  0xea, 0x8c, 0xdf, 0x28, 0x00, 0xe7, 0x04, 0xe3, 0xff }
#define EGA_64(mode, planes, pan) \
	{ 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, \
	  mode, 0x00, planes, pan }
#define EGA_16(mode) \
	{ 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, \
	  mode, 0x00, 0x0f, 0x00 }
#define ONE_COLOR(color, planes) \
	{ 0x00, color, color, color, color, color, color, color, color, color, color, color, color, \
	  color, color, color, 0x01, 0x00, planes, 0x00 }
#define GC(mode, misc) { 0, 0, 0, 0, 0, mode, misc, 0x0f, 0xff }

/* IBM VGA Technical Reference, BIOS parameter table. Mode X after M. Abrash,
 * Graphics Programming Black Book, chapter 47. */
const struct rig_mode rig_modes[RIG_MODES] = {
	[RIG_MODE_1] = { 0x67, { 0x08, 0x03, 0x00, 0x02 },
		CRTC_40(0xa0, 0x4f, 0x0d, 0x0e, 0x14, 0x1f, 0xa3), EGA_64(0x0c, 0x0f, 0x08), GC(0x10, 0x0e) },
	[RIG_MODE_3] = { 0x67, { 0x00, 0x03, 0x00, 0x02 },
		CRTC_80(0x55, 0x81, 0x4f, 0x0d, 0x0e, 0x28, 0x1f, 0xa3), EGA_64(0x0c, 0x0f, 0x08), GC(0x10, 0x0e) },
	[RIG_MODE_4] = { 0x63, { 0x09, 0x03, 0x00, 0x02 },
		CRTC_40(0x80, 0xc1, 0x00, 0x00, 0x14, 0x00, 0xa2),
		{ 0x00, 0x13, 0x15, 0x17, 0x02, 0x04, 0x06, 0x07, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17,
		  0x01, 0x00, 0x03, 0x00 }, GC(0x30, 0x0f) },
	[RIG_MODE_6] = { 0x63, { 0x01, 0x01, 0x00, 0x06 },
		CRTC_80(0x54, 0x80, 0xc1, 0x00, 0x00, 0x28, 0x00, 0xc2), ONE_COLOR(0x17, 0x01), GC(0x00, 0x0d) },
	[RIG_MODE_7] = { 0x66, { 0x00, 0x03, 0x00, 0x02 },
		CRTC_80(0x55, 0x81, 0x4f, 0x0d, 0x0e, 0x28, 0x0f, 0xa3),
		{ 0x00, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x10, 0x18, 0x18, 0x18, 0x18, 0x18, 0x18, 0x18,
		  0x0e, 0x00, 0x0f, 0x08 }, GC(0x10, 0x0a) },
	[RIG_MODE_D] = { 0x63, { 0x09, 0x0f, 0x00, 0x06 },
		CRTC_40(0x80, 0xc0, 0x00, 0x00, 0x14, 0x00, 0xe3), EGA_16(0x01), GC(0x00, 0x05) },
	[RIG_MODE_E] = { 0x63, { 0x01, 0x0f, 0x00, 0x06 },
		CRTC_80(0x54, 0x80, 0xc0, 0x00, 0x00, 0x28, 0x00, 0xe3), EGA_16(0x01), GC(0x00, 0x05) },
	[RIG_MODE_F] = { 0xa3, { 0x01, 0x0f, 0x00, 0x06 }, CRTC_350,
		{ 0x00, 0x08, 0x00, 0x00, 0x18, 0x18, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x18, 0x00, 0x00,
		  0x0b, 0x00, 0x05, 0x00 }, GC(0x00, 0x05) },
	[RIG_MODE_10] = { 0xa3, { 0x01, 0x0f, 0x00, 0x06 }, CRTC_350, EGA_64(0x01, 0x0f, 0x00), GC(0x00, 0x05) },
	[RIG_MODE_11] = { 0xe3, { 0x01, 0x0f, 0x00, 0x06 }, CRTC_480, ONE_COLOR(0x3f, 0x0f), GC(0x00, 0x05) },
	[RIG_MODE_12] = { 0xe3, { 0x01, 0x0f, 0x00, 0x06 }, CRTC_480, EGA_64(0x01, 0x0f, 0x00), GC(0x00, 0x05) },
	[RIG_MODE_13] = { 0x63, { 0x01, 0x0f, 0x00, 0x0e },
		CRTC_80(0x54, 0x80, 0x41, 0x00, 0x00, 0x28, 0x40, 0xa3),
		{ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0x41, 0x00, 0x0f, 0x00 }, GC(0x40, 0x05) },
	[RIG_MODE_X] = { 0xe3, { 0x01, 0x0f, 0x00, 0x06 },
		{ 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0d, 0x3e, 0, 0x41, 0, 0, 0, 0, 0, 0,
		  0xea, 0xac, 0xdf, 0x28, 0x00, 0xe7, 0x06, 0xe3, 0xff },
		{ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0x41, 0x00, 0x0f, 0x00 }, GC(0x40, 0x05) },
};

void vga_rig_open(struct vga_rig *rig)
{
	rig->bus = bus_new();
	rig->mem = mem_new();
	rig->clock = clock_new(CLOCK_KIND_VIRTUAL);
	rig->vga = vga_new(rig->bus, rig->mem, rig->clock);
	ck_assert_ptr_nonnull(rig->vga);
	rig->screen = surface_new(0, 0);
	ck_assert_int_eq(mem_region_enable(vga_lfb(rig->vga), RIG_LFB), 0);
	ck_assert_int_eq(mem_region_enable(vga_mmio(rig->vga), RIG_MMIO), 0);
}

void vga_rig_close(struct vga_rig *rig)
{
	surface_free(rig->screen);
	vga_free(rig->vga);
	clock_free(rig->clock);
	mem_free(rig->mem);
	bus_free(rig->bus);
}

void rig_out(struct vga_rig *rig, uint16_t port, unsigned value)
{
	bus_write(rig->bus, port, 1, value);
}

uint8_t rig_in(struct vga_rig *rig, uint16_t port)
{
	return (uint8_t)bus_read(rig->bus, port, 1);
}

void vga_rig_set(struct vga_rig *rig, uint16_t port, unsigned index, unsigned value)
{
	bus_write(rig->bus, port, 2, value << 8 | index);
}

uint8_t vga_rig_get(struct vga_rig *rig, uint16_t port, unsigned index)
{
	rig_out(rig, port, index);
	return rig_in(rig, port + 1);
}

void rig_set_attr(struct vga_rig *rig, unsigned index, unsigned value)
{
	rig_in(rig, 0x3da);
	rig_in(rig, 0x3ba);
	rig_out(rig, 0x3c0, index);
	rig_out(rig, 0x3c0, value);
	rig_out(rig, 0x3c0, 0x20);
	rig_in(rig, 0x3da);
	rig_in(rig, 0x3ba);
}

void rig_set_dispi(struct vga_rig *rig, unsigned index, unsigned value)
{
	bus_write(rig->bus, 0x1ce, 2, index);
	bus_write(rig->bus, 0x1cf, 2, value);
}

uint16_t rig_get_dispi(struct vga_rig *rig, unsigned index)
{
	bus_write(rig->bus, 0x1ce, 2, index);
	return (uint16_t)bus_read(rig->bus, 0x1cf, 2);
}

void rig_poke(struct vga_rig *rig, uint64_t address, unsigned value)
{
	mem_write(rig->mem, address, 1, value);
}

uint8_t rig_peek(struct vga_rig *rig, uint64_t address)
{
	return (uint8_t)mem_read(rig->mem, address, 1);
}

static void dac_components(unsigned index, unsigned *components)
{
	components[0] = index & 63;
	components[1] = index / 64 * 21;
	components[2] = 63 - (index & 63);
}

uint32_t rig_color(unsigned index)
{
	unsigned c[3];
	dac_components(index, c);
	for (unsigned i = 0; i < 3; i++)
		c[i] = c[i] * 4 + c[i] / 16;
	return c[0] << 16 | c[1] << 8 | c[2];
}

uint32_t rig_attr_color(enum rig_mode_number number, unsigned i)
{
	return rig_color(rig_modes[number].attr[i]);
}

static void set_colors(struct vga_rig *rig)
{
	rig_out(rig, 0x3c6, 0xff);
	rig_out(rig, 0x3c8, 0);
	for (unsigned i = 0; i < 256; i++) {
		unsigned c[3];
		dac_components(i, c);
		for (unsigned k = 0; k < 3; k++)
			rig_out(rig, 0x3c9, c[k]);
	}
}

void rig_set_mode(struct vga_rig *rig, enum rig_mode_number number)
{
	const struct rig_mode *mode = &rig_modes[number];
	uint16_t crtc = mode->misc & 1 ? RIG_CRTC : RIG_MONO_CRTC;
	rig_out(rig, 0x3c2, mode->misc);
	vga_rig_set(rig, RIG_SEQ, 0, 1);
	for (unsigned i = 0; i < 4; i++)
		vga_rig_set(rig, RIG_SEQ, i + 1, mode->seq[i]);
	vga_rig_set(rig, RIG_SEQ, 0, 3);
	vga_rig_set(rig, crtc, 0x11, 0);
	for (unsigned i = 0; i < 25; i++)
		vga_rig_set(rig, crtc, i, mode->crtc[i]);
	for (unsigned i = 0; i < 9; i++)
		vga_rig_set(rig, RIG_GC, i, mode->gc[i]);
	for (unsigned i = 0; i < 20; i++)
		rig_set_attr(rig, i, mode->attr[i]);
	set_colors(rig);
}

uint8_t rig_glyph(unsigned seed, unsigned code, unsigned row)
{
	return (uint8_t)((code * 37 + row * 101 + seed * 59) ^ (code >> 3) ^ (row << 4));
}

void rig_load_font(struct vga_rig *rig, enum rig_mode_number number, unsigned address, unsigned seed)
{
	const struct rig_mode *mode = &rig_modes[number];
	vga_rig_set(rig, RIG_SEQ, 2, 0x04);
	vga_rig_set(rig, RIG_SEQ, 4, 0x07);
	vga_rig_set(rig, RIG_GC, 5, 0x00);
	vga_rig_set(rig, RIG_GC, 6, 0x04);
	for (unsigned code = 0; code < 256; code++)
		for (unsigned row = 0; row < 32; row++)
			rig_poke(rig, RIG_A0000 + address + code * 32 + row, rig_glyph(seed, code, row));
	vga_rig_set(rig, RIG_SEQ, 2, mode->seq[1]);
	vga_rig_set(rig, RIG_SEQ, 4, mode->seq[3]);
	vga_rig_set(rig, RIG_GC, 5, mode->gc[5]);
	vga_rig_set(rig, RIG_GC, 6, mode->gc[6]);
}

void rig_render(struct vga_rig *rig)
{
	vga_render(rig->vga, rig->screen, VGA_BLINK_STEADY);
}

void rig_expect_size(const struct vga_rig *rig, unsigned width, unsigned height)
{
	ck_assert_uint_eq(rig->screen->width, width);
	ck_assert_uint_eq(rig->screen->height, height);
}

void rig_expect_pixel(const struct vga_rig *rig, unsigned x, unsigned y, uint32_t color)
{
	uint32_t is = surface_row(rig->screen, y)[x];
	if (is != color)
		ck_abort_msg("pixel %u,%u is %06x, not %06x", x, y, is, color);
}
