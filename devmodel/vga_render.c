#include "devmodel/vga_internal.h"

/* One character more than the screen shows, for panning; paint() in vga_text.c
 * always sets nine dots. */
#define LINE_DOTS ((VGA_MAX_COLUMNS + 1) * 9 + 1)

/* What a mode makes of the four bytes of a character. */
struct serializer {
	unsigned dots; /* a character: 4, 8 or 9 */
	void (*serialize)(const uint8_t *planes, uint8_t *dots); /* NULL: text */
};

/* Bit 7 to byte 0, ..., bit 0 to byte 7, as memory has them. */
static uint64_t bits_to_bytes(uint8_t bits)
{
	return bits * 0x8040201008040201ull >> 7 & 0x0101010101010101ull;
}

static void serialize_planar(const uint8_t *planes, uint8_t *dots)
{
	uint64_t eight = bits_to_bytes(planes[0]) | bits_to_bytes(planes[1]) << 1 |
	                 bits_to_bytes(planes[2]) << 2 | bits_to_bytes(planes[3]) << 3;
	memcpy(dots, &eight, sizeof eight);
}

/* CGA: pairs of bits, the even planes first; planes 2 and 3 above 0 and 1. */
static void serialize_interleaved(const uint8_t *planes, uint8_t *dots)
{
	for (unsigned i = 0; i < 8; i++) {
		const uint8_t *pair = planes + i / 4;
		unsigned shift = 6 - 2 * (i % 4);
		dots[i] = (uint8_t)((pair[0] >> shift & 3) | (pair[2] >> shift & 3) << 2);
	}
}

static void serialize_nibbles(const uint8_t *planes, uint8_t *dots)
{
	for (unsigned i = 0; i < 8; i++)
		dots[i] = planes[i / 2] >> (i & 1 ? 0 : 4) & 15;
}

static void serialize_bytes(const uint8_t *planes, uint8_t *dots)
{
	memcpy(dots, planes, 4);
}

static bool has_256_colors(const struct vga *vga)
{
	return !vga_dispi_enabled(vga) && !vga_scan_is_text(vga) &&
	       vga->regs.gc[GC_MODE] & GC_MODE_SHIFT_256 && vga->regs.attr[ATTR_MODE] & ATTR_MODE_256;
}

static struct serializer choose_serializer(const struct vga *vga)
{
	uint8_t mode = vga->regs.gc[GC_MODE];
	if (vga_scan_is_text(vga))
		return (struct serializer){ vga->regs.seq[SEQ_CLOCKING] & SEQ_CLOCKING_8_DOTS ? 8 : 9, NULL };
	if (vga_dispi_enabled(vga))
		return (struct serializer){ 8, serialize_planar };
	if (has_256_colors(vga))
		return (struct serializer){ 4, serialize_bytes };
	if (mode & GC_MODE_SHIFT_256)
		return (struct serializer){ 8, serialize_nibbles };
	return (struct serializer){ 8, mode & GC_MODE_SHIFT_INTERLEAVE ? serialize_interleaved : serialize_planar };
}

static uint32_t palette_color(const struct vga *vga, unsigned index)
{
	const uint8_t *attr = vga->regs.attr;
	unsigned color = attr[index & 15];
	if (attr[ATTR_MODE] & ATTR_MODE_P54_SELECT)
		color = (color & 0x0f) | (attr[ATTR_COLOR_SELECT] & 3u) << 4;
	color |= (attr[ATTR_COLOR_SELECT] & 0x0cu) << 4;
	return vga_dac_color(vga, (uint8_t)color);
}

/* Blinking in graphics inverts bit 3: the palette of mode 0Fh is made for it. */
static void fill_colors(const struct vga *vga, const struct vga_blinking *blinking, uint32_t *colors)
{
	const uint8_t *attr = vga->regs.attr;
	bool inverts = !vga_scan_is_text(vga) && attr[ATTR_MODE] & ATTR_MODE_BLINK && !blinking->text;
	if (has_256_colors(vga)) {
		for (unsigned i = 0; i < 256; i++)
			colors[i] = vga_dac_color(vga, (uint8_t)i);
	} else {
		for (unsigned i = 0; i < 16; i++)
			colors[i] = palette_color(vga, (i & attr[ATTR_PLANES]) ^ (inverts ? 8 : 0));
	}
}

/* Dots that have left the screen on the left. */
static unsigned panned(const struct vga *vga, const struct vga_scan *scan, unsigned dots)
{
	unsigned pan = vga->regs.attr[ATTR_PAN];
	if (vga_dispi_enabled(vga))
		return vga->dispi.reg[DISPI_X_OFFSET] & 7;
	if (scan->split && vga->regs.attr[ATTR_MODE] & ATTR_MODE_PAN_SPLIT)
		pan = dots == 9 ? 8 : 0;
	if (dots == 9)
		return pan >= 8 ? 0 : pan + 1;
	if (dots == 4)
		return (pan & 7) / 2;
	return pan & 7;
}

static void draw_line(const struct vga *vga, const struct vga_scan *scan,
                      const struct serializer *serializer, const struct vga_blinking *blinking, uint8_t *dots)
{
	if (!serializer->serialize) {
		vga_text_line(vga, scan, blinking, dots);
		return;
	}
	for (unsigned i = 0; i <= scan->columns; i++)
		serializer->serialize(vga_scan_fetch(vga, scan, i), dots + i * serializer->dots);
}

static void render_scanned(const struct vga *vga, const struct vga_blinking *blinking, struct surface *surface)
{
	struct serializer serializer = choose_serializer(vga);
	struct vga_scan scan;
	uint8_t dots[LINE_DOTS];
	uint32_t colors[256];
	fill_colors(vga, blinking, colors);
	vga_scan_start(vga, &scan);
	for (unsigned y = 0; y < surface->height; y++) {
		const uint8_t *from = dots + panned(vga, &scan, serializer.dots);
		uint32_t *to = surface_row(surface, y);
		draw_line(vga, &scan, &serializer, blinking, dots);
		for (unsigned x = 0; x < surface->width; x++)
			to[x] = colors[from[x]];
		for (unsigned i = 0; i < scan.repeat; i++)
			vga_scan_next(vga, &scan);
	}
}

static uint32_t load(const uint8_t *from, unsigned bytes, bool big_endian)
{
	uint32_t value = 0;
	for (unsigned i = 0; i < bytes; i++)
		value |= (uint32_t)from[i] << 8 * (big_endian ? bytes - 1 - i : i);
	return value;
}

/* `bits` bits of a component at `shift`, widened to 8. */
static uint32_t component(uint32_t pixel, unsigned shift, unsigned bits)
{
	uint32_t value = pixel >> shift & ((1u << bits) - 1);
	return value << (8 - bits) | value >> (2 * bits - 8);
}

static uint32_t pixel_color(uint32_t pixel, unsigned bpp)
{
	if (bpp == 15)
		return component(pixel, 10, 5) << 16 | component(pixel, 5, 5) << 8 | component(pixel, 0, 5);
	if (bpp == 16)
		return component(pixel, 11, 5) << 16 | component(pixel, 5, 6) << 8 | component(pixel, 0, 5);
	return pixel & 0xffffff;
}

static void render_packed(const struct vga *vga, struct surface *surface)
{
	const uint16_t *reg = vga->dispi.reg;
	unsigned bpp = reg[DISPI_BPP], bytes = (bpp + 7) / 8;
	uint32_t colors[256];
	for (unsigned i = 0; i < 256; i++)
		colors[i] = vga_dac_color(vga, (uint8_t)i);
	for (unsigned y = 0; y < surface->height; y++) {
		const uint8_t *from = vga->vram + (size_t)(reg[DISPI_Y_OFFSET] + y) * vga_dispi_pitch(vga) +
		                      reg[DISPI_X_OFFSET] * bytes;
		uint32_t *to = surface_row(surface, y);
		for (unsigned x = 0; x < surface->width; x++, from += bytes)
			to[x] = bpp == 8 ? colors[*from] : pixel_color(load(from, bytes, vga->dispi.big_endian), bpp);
	}
}

static void resize(const struct vga *vga, struct surface *surface)
{
	struct vga_scan scan;
	if (vga_dispi_enabled(vga)) {
		surface_resize(surface, vga->dispi.reg[DISPI_XRES], vga->dispi.reg[DISPI_YRES]);
		return;
	}
	vga_scan_start(vga, &scan);
	unsigned height = MAX(scan.lines / scan.repeat, 1);
	surface_resize(surface, scan.columns * choose_serializer(vga).dots, height);
}

/* A DISPI driver leaves CRTC and sequencer as it finds them. */
bool vga_is_dark(const struct vga *vga)
{
	const struct vga_registers *regs = &vga->regs;
	if (regs->seq[SEQ_CLOCKING] & SEQ_CLOCKING_SCREEN_OFF || !regs->enable)
		return true;
	return !vga_dispi_enabled(vga) &&
	       (regs->seq[SEQ_RESET] != 3 || !(regs->crtc[CRTC_MODE] & CRTC_MODE_RUN));
}

static struct vga_blinking phase(struct vga *vga, enum vga_blink blink)
{
	uint64_t frames = blink == VGA_BLINK_CLOCK ? vga_timing_frames(vga) : 0;
	return (struct vga_blinking){ .text = !(frames & 16), .cursor = !(frames & 8) };
}

void vga_render(struct vga *vga, struct surface *surface, enum vga_blink blink)
{
	struct vga_blinking blinking = phase(vga, blink);
	resize(vga, surface);
	if (vga_is_dark(vga))
		surface_fill(surface, 0);
	else if (!(vga->regs.attr_index & ATTR_INDEX_PAS))
		surface_fill(surface, vga_dac_color(vga, vga->regs.attr[ATTR_OVERSCAN]));
	else if (vga_dispi_is_packed(vga))
		render_packed(vga, surface);
	else
		render_scanned(vga, &blinking, surface);
}
