#include "devmodel/vga_internal.h"

bool vga_scan_is_text(const struct vga *vga)
{
	return !vga_dispi_enabled(vga) && !(vga->regs.gc[GC_MISC] & GC_MISC_GRAPHICS);
}

static unsigned display_lines(const uint8_t *crtc)
{
	unsigned overflow = crtc[CRTC_OVERFLOW];
	return (crtc[CRTC_V_DISPLAY_END] | (overflow >> 1 & 1) << 8 | (overflow >> 6 & 1) << 9) + 1;
}

static unsigned line_compare(const uint8_t *crtc)
{
	return crtc[CRTC_LINE_COMPARE] | (crtc[CRTC_OVERFLOW] >> 4 & 1u) << 8 |
	       (crtc[CRTC_MAX_SCAN] >> 6 & 1u) << 9;
}

static unsigned max_scan(const uint8_t *crtc)
{
	return crtc[CRTC_MAX_SCAN] & 0x1f;
}

/* The rows of a graphics character look alike unless they reach the address. */
static unsigned repetition(const struct vga *vga)
{
	const uint8_t *crtc = vga->regs.crtc;
	unsigned no_rows = CRTC_MODE_NO_ROW_13 | CRTC_MODE_NO_ROW_14;
	unsigned repeat = crtc[CRTC_MAX_SCAN] & CRTC_MAX_SCAN_DOUBLE ? 2 : 1;
	if (!vga_scan_is_text(vga) && (crtc[CRTC_MODE] & no_rows) == no_rows)
		repeat *= max_scan(crtc) + 1;
	return repeat;
}

static void start_crtc(const struct vga *vga, struct vga_scan *scan)
{
	const uint8_t *crtc = vga->regs.crtc;
	unsigned byte_pan = crtc[CRTC_PRESET_ROW] >> 5 & 3;
	*scan = (struct vga_scan){
		.lines = display_lines(crtc),
		.repeat = repetition(vga),
		.columns = crtc[CRTC_H_DISPLAY_END] + 1u,
		.row = crtc[CRTC_PRESET_ROW] & 0x1f,
		.counter = (crtc[CRTC_START_HIGH] << 8 | crtc[CRTC_START_LOW]) + byte_pan,
		.shift = crtc[CRTC_UNDERLINE] & CRTC_UNDERLINE_BY_4 ? 2 :
		         crtc[CRTC_MODE] & CRTC_MODE_BY_2 ? 1 : 0,
	};
}

void vga_scan_start(const struct vga *vga, struct vga_scan *scan)
{
	const uint16_t *dispi = vga->dispi.reg;
	if (!vga_dispi_enabled(vga)) {
		start_crtc(vga, scan);
		return;
	}
	*scan = (struct vga_scan){
		.lines = dispi[DISPI_YRES],
		.repeat = 1,
		.columns = dispi[DISPI_XRES] / 8u,
		.counter = dispi[DISPI_Y_OFFSET] * (vga_dispi_pitch(vga) / 4) + dispi[DISPI_X_OFFSET] / 8u,
	};
}

static void next_row(const struct vga *vga, struct vga_scan *scan)
{
	const uint8_t *crtc = vga->regs.crtc;
	scan->doubled = !scan->doubled && crtc[CRTC_MAX_SCAN] & CRTC_MAX_SCAN_DOUBLE;
	if (scan->doubled)
		return;
	if (scan->row == max_scan(crtc)) {
		scan->row = 0;
		scan->counter += crtc[CRTC_OFFSET] * 2u;
	} else {
		scan->row = (scan->row + 1) & 0x1f;
	}
}

void vga_scan_next(const struct vga *vga, struct vga_scan *scan)
{
	scan->line++;
	if (vga_dispi_enabled(vga)) {
		scan->counter += vga_dispi_pitch(vga) / 4;
	} else if (scan->line == line_compare(vga->regs.crtc) + 1) {
		scan->row = 0;
		scan->counter = 0;
		scan->doubled = false;
		scan->split = true;
	} else {
		next_row(vga, scan);
	}
}

/* Counter to plane address. Doubleword addressing undoes what chain-4 does to
 * CPU addresses, and VRAM keeps chain-4 bytes without gaps. */
static uint32_t rewire(const struct vga *vga, uint32_t counter)
{
	const uint8_t *crtc = vga->regs.crtc;
	if (crtc[CRTC_UNDERLINE] & CRTC_UNDERLINE_DOUBLEWORD) {
		if (vga->regs.seq[SEQ_MEMORY] & SEQ_MEMORY_CHAIN_4)
			return counter;
		return counter << 2 | (counter >> 14 & 3);
	}
	if (crtc[CRTC_MODE] & CRTC_MODE_BYTE)
		return counter;
	unsigned top = crtc[CRTC_MODE] & CRTC_MODE_WRAP_15 ? 15 : 13;
	return counter << 1 | (counter >> top & 1);
}

static uint32_t plane_address(const struct vga *vga, uint32_t counter, unsigned row)
{
	uint8_t mode = vga->regs.crtc[CRTC_MODE];
	uint32_t address = rewire(vga, counter & 0xffff);
	if (!(mode & CRTC_MODE_NO_ROW_13))
		address = (address & ~0x2000u) | (row & 1) << 13;
	if (!(mode & CRTC_MODE_NO_ROW_14))
		address = (address & ~0x4000u) | (row >> 1 & 1) << 14;
	return address & 0xffff;
}

const uint8_t *vga_scan_fetch(const struct vga *vga, const struct vga_scan *scan, unsigned column)
{
	uint32_t counter = scan->counter + (column >> scan->shift);
	if (!vga_dispi_enabled(vga))
		counter = plane_address(vga, counter, scan->row);
	return vga_planes(vga, counter);
}
