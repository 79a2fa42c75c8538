#include "devmodel/vga_internal.h"

#define NS_PER_S 1000000000ull
#define FRAME_MIN_NS (NS_PER_S / 1000)
#define FRAME_MAX_NS (NS_PER_S / 5)

static unsigned overflow(const struct vga *vga, unsigned bit_8, unsigned bit_9)
{
	unsigned value = vga->regs.crtc[CRTC_OVERFLOW];
	return (value >> bit_8 & 1) << 8 | (value >> bit_9 & 1) << 9;
}

/* 640x480 at 60 Hz, for DISPI modes, whose timing nobody programs, and for
 * registers that make no picture. */
static const struct vga_timing usual = {
	.frame = 525 * 31778ull, .line = 31778, .line_display = 25422,
	.display = 480 * 31778ull, .retrace_start = 490 * 31778ull, .retrace_end = 492 * 31778ull,
};

static uint64_t character_ns(const struct vga *vga, unsigned characters)
{
	uint8_t clocking = vga->regs.seq[SEQ_CLOCKING];
	uint64_t dots = clocking & SEQ_CLOCKING_8_DOTS ? 8 : 9;
	uint64_t hz = (vga->regs.misc & MISC_CLOCK) == 0x04 ? 28322000 : 25175000;
	if (clocking & SEQ_CLOCKING_HALF)
		dots *= 2;
	return characters * dots * NS_PER_S / hz;
}

static struct vga_timing from_crtc(const struct vga *vga)
{
	const uint8_t *crtc = vga->regs.crtc;
	unsigned total = (crtc[CRTC_V_TOTAL] | overflow(vga, 0, 5)) + 2;
	unsigned display = (crtc[CRTC_V_DISPLAY_END] | overflow(vga, 1, 6)) + 1;
	unsigned start = crtc[CRTC_V_RETRACE_START] | overflow(vga, 2, 7);
	unsigned lines = (crtc[CRTC_V_RETRACE_END] - start) & 15;
	struct vga_timing timing = {
		.line = character_ns(vga, crtc[CRTC_H_TOTAL] + 5u),
		.line_display = character_ns(vga, crtc[CRTC_H_DISPLAY_END] + 1u),
	};
	timing.frame = total * timing.line;
	timing.display = display * timing.line;
	timing.retrace_start = start * timing.line;
	timing.retrace_end = (start + (lines ? lines : 16)) * timing.line;
	return timing;
}

/* Programs wait for each edge; a frame without one would hang them. */
static bool has_all_edges(const struct vga_timing *timing)
{
	return timing->frame >= FRAME_MIN_NS && timing->frame <= FRAME_MAX_NS &&
	       timing->line_display < timing->line && timing->display < timing->frame &&
	       timing->retrace_end <= timing->frame;
}

void vga_timing_update(struct vga *vga)
{
	vga->timing = from_crtc(vga);
	if (vga_dispi_enabled(vga) || !has_all_edges(&vga->timing))
		vga->timing = usual;
}

uint8_t vga_timing_status(struct vga *vga)
{
	const struct vga_timing *timing = &vga->timing;
	uint64_t in_frame = clock_now(vga->clock) % timing->frame;
	uint8_t status = 0;
	if (in_frame >= timing->display || in_frame % timing->line >= timing->line_display)
		status |= 0x01;
	if (in_frame >= timing->retrace_start && in_frame < timing->retrace_end)
		status |= 0x08;
	return status;
}

static uint64_t retraces_until(const struct vga *vga, uint64_t ns)
{
	const struct vga_timing *timing = &vga->timing;
	return (ns + timing->frame - timing->retrace_start) / timing->frame;
}

bool vga_timing_retraced(struct vga *vga, uint64_t since)
{
	return retraces_until(vga, clock_now(vga->clock)) != retraces_until(vga, since);
}

uint64_t vga_timing_frames(struct vga *vga)
{
	return clock_now(vga->clock) / vga->timing.frame;
}
