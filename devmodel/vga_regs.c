#include "devmodel/vga_internal.h"

enum {
	PORT_ATTR = 0x3c0, PORT_ATTR_READ = 0x3c1, PORT_STATUS_0 = 0x3c2, PORT_ENABLE = 0x3c3,
	PORT_SEQ_INDEX = 0x3c4, PORT_SEQ = 0x3c5, PORT_DAC_FIRST = 0x3c6, PORT_DAC_LAST = 0x3c9,
	PORT_FEATURE_READ = 0x3ca, PORT_MISC_READ = 0x3cc, PORT_GC_INDEX = 0x3ce, PORT_GC = 0x3cf,
	/* The colour block; the mono one lies 20h below. */
	PORT_CRTC_INDEX = 0x3d4, PORT_CRTC = 0x3d5, PORT_STATUS_1 = 0x3da,
	COLOR_BLOCK = 0x3d0, MONO_BLOCK = 0x3b0,
	OPEN_BUS = 0xff,
	STATUS_0_SENSE = 0x10, STATUS_0_INTERRUPT = 0x80,
};

/* The bits that exist. */
static const uint8_t seq_bits[VGA_SEQ_REGISTERS] = { 0x03, 0x3d, 0x0f, 0x3f, 0x0e };
static const uint8_t gc_bits[VGA_GC_REGISTERS] = {
	0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff,
};
static const uint8_t crtc_bits[VGA_CRTC_REGISTERS] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff, 0x3f, 0x7f, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xef, 0xff,
};

static uint8_t attr_bits(unsigned index)
{
	static const uint8_t bits[] = { 0xef, 0xff, 0x3f, 0x0f, 0x0f };
	return index < ATTR_MODE ? 0x3f : bits[index - ATTR_MODE];
}

/* The colour/mono pair under its colour name; 0 when Miscellaneous Output has
 * the other one decoded. */
static uint16_t decode(const struct vga *vga, uint16_t port)
{
	bool is_color = vga->regs.misc & MISC_COLOR;
	switch (port & 0xfff0) {
	case COLOR_BLOCK:
		return is_color ? port : 0;
	case MONO_BLOCK:
		return is_color ? 0 : port + (COLOR_BLOCK - MONO_BLOCK);
	default:
		return port;
	}
}

static bool answers(const struct vga *vga, uint16_t port)
{
	return vga->regs.enable || port == PORT_ENABLE;
}

static uint8_t read_status_0(struct vga *vga)
{
	const struct vga_registers *regs = &vga->regs;
	bool armed = regs->crtc[CRTC_V_RETRACE_END] & CRTC_V_RETRACE_CLEAR_N;
	bool pending = armed && vga_timing_retraced(vga, regs->retrace_cleared);
	return STATUS_0_SENSE | (pending ? STATUS_0_INTERRUPT : 0);
}

/* Bits 4 and 5: the two colour lines that Color Plane Enable selects. Outside
 * the picture they carry the overscan colour; inside they are taken as black. */
static uint8_t color_lines(const struct vga *vga)
{
	static const uint8_t lines[4][2] = { { 0, 2 }, { 4, 5 }, { 1, 3 }, { 6, 7 } };
	const uint8_t *line = lines[vga->regs.attr[ATTR_PLANES] >> 4 & 3];
	unsigned color = vga->regs.attr[ATTR_OVERSCAN];
	return (uint8_t)((color >> line[0] & 1) << 4 | (color >> line[1] & 1) << 5);
}

static uint8_t read_status_1(struct vga *vga)
{
	vga->regs.attr_is_data = false;
	uint8_t status = vga_timing_status(vga);
	return status & 1 ? status | color_lines(vga) : status;
}

static uint8_t read_indexed(const uint8_t *registers, unsigned count, unsigned index)
{
	return index < count ? registers[index] : 0;
}

static uint8_t read_block(struct vga *vga, uint16_t port)
{
	struct vga_registers *regs = &vga->regs;
	switch (port) {
	case PORT_ATTR:
		return regs->attr_index;
	case PORT_ATTR_READ:
		return read_indexed(regs->attr, VGA_ATTR_REGISTERS, regs->attr_index & 0x1f);
	case PORT_STATUS_0:
		return read_status_0(vga);
	case PORT_ENABLE:
		return regs->enable;
	case PORT_SEQ_INDEX:
		return regs->seq_index;
	case PORT_SEQ:
		return read_indexed(regs->seq, VGA_SEQ_REGISTERS, regs->seq_index);
	case PORT_DAC_FIRST ... PORT_DAC_LAST:
		return vga_dac_read(vga, port);
	case PORT_FEATURE_READ:
		return regs->feature;
	case PORT_MISC_READ:
		return regs->misc;
	case PORT_GC_INDEX:
		return regs->gc_index;
	case PORT_GC:
		return read_indexed(regs->gc, VGA_GC_REGISTERS, regs->gc_index);
	case PORT_CRTC_INDEX:
		return regs->crtc_index;
	case PORT_CRTC:
		return read_indexed(regs->crtc, VGA_CRTC_REGISTERS, regs->crtc_index);
	case PORT_STATUS_1:
		return read_status_1(vga);
	default:
		return OPEN_BUS;
	}
}

uint8_t vga_regs_read(struct vga *vga, uint16_t port)
{
	return answers(vga, port) ? read_block(vga, decode(vga, port)) : OPEN_BUS;
}

static void write_attr(struct vga *vga, uint8_t value)
{
	struct vga_registers *regs = &vga->regs;
	unsigned index = regs->attr_index & 0x1f;
	if (!regs->attr_is_data)
		regs->attr_index = value & 0x3f;
	else if (index < VGA_ATTR_REGISTERS)
		regs->attr[index] = value & attr_bits(index);
	regs->attr_is_data = !regs->attr_is_data;
}

static void write_seq(struct vga *vga, uint8_t value)
{
	struct vga_registers *regs = &vga->regs;
	if (regs->seq_index >= VGA_SEQ_REGISTERS)
		return;
	regs->seq[regs->seq_index] = value & seq_bits[regs->seq_index];
	if (regs->seq_index == SEQ_CLOCKING)
		vga_timing_update(vga);
	else
		vga_mem_update(vga);
}

static void write_gc(struct vga *vga, uint8_t value)
{
	struct vga_registers *regs = &vga->regs;
	if (regs->gc_index >= VGA_GC_REGISTERS)
		return;
	regs->gc[regs->gc_index] = value & gc_bits[regs->gc_index];
	vga_mem_update(vga);
}

/* Bit 4 of Overflow belongs to the line compare, which is never protected. */
static uint8_t protect(const struct vga_registers *regs, unsigned index, uint8_t value)
{
	if (index > CRTC_OVERFLOW || !(regs->crtc[CRTC_V_RETRACE_END] & CRTC_V_RETRACE_PROTECT))
		return value;
	uint8_t open = index == CRTC_OVERFLOW ? 0x10 : 0;
	return (uint8_t)((regs->crtc[index] & ~open) | (value & open));
}

static bool has_timing(unsigned index)
{
	return index <= CRTC_OVERFLOW ||
	       (index >= CRTC_V_RETRACE_START && index <= CRTC_V_DISPLAY_END);
}

static void write_crtc(struct vga *vga, uint8_t value)
{
	struct vga_registers *regs = &vga->regs;
	unsigned index = regs->crtc_index;
	if (index >= VGA_CRTC_REGISTERS)
		return;
	regs->crtc[index] = protect(regs, index, value & crtc_bits[index]);
	if (index == CRTC_V_RETRACE_END && !(value & CRTC_V_RETRACE_CLEAR_N))
		regs->retrace_cleared = clock_now(vga->clock);
	if (has_timing(index))
		vga_timing_update(vga);
}

static void write_misc(struct vga *vga, uint8_t value)
{
	vga->regs.misc = value & 0xef;
	vga_mem_update(vga);
	vga_timing_update(vga);
}

static void write_block(struct vga *vga, uint16_t port, uint8_t value)
{
	struct vga_registers *regs = &vga->regs;
	switch (port) {
	case PORT_ATTR:
		write_attr(vga, value);
		break;
	case PORT_STATUS_0:
		write_misc(vga, value);
		break;
	case PORT_ENABLE:
		regs->enable = value & 1;
		vga_mem_update(vga);
		break;
	case PORT_SEQ_INDEX:
		regs->seq_index = value & 0x07;
		break;
	case PORT_SEQ:
		write_seq(vga, value);
		break;
	case PORT_DAC_FIRST ... PORT_DAC_LAST:
		vga_dac_write(vga, port, value);
		break;
	case PORT_GC_INDEX:
		regs->gc_index = value & 0x0f;
		break;
	case PORT_GC:
		write_gc(vga, value);
		break;
	case PORT_CRTC_INDEX:
		regs->crtc_index = value & 0x3f;
		break;
	case PORT_CRTC:
		write_crtc(vga, value);
		break;
	case PORT_STATUS_1:
		regs->feature = value & 0x03;
		break;
	}
}

void vga_regs_write(struct vga *vga, uint16_t port, uint8_t value)
{
	if (answers(vga, port))
		write_block(vga, decode(vga, port), value);
}

static uint32_t port_read(void *owner, uint16_t port, unsigned size)
{
	(void)size;
	return vga_regs_read(owner, port);
}

static void port_write(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	(void)size;
	vga_regs_write(owner, port, (uint8_t)value);
}

/* Bytes only: a word to an index register is index, then data. */
static const struct bus_ops port_ops = {
	.name = "vga", .max_size = 1, .read = port_read, .write = port_write,
};

int vga_regs_claim(struct vga *vga)
{
	/* Not the whole mono block: a parallel port may sit at 3BC. */
	static const uint16_t ranges[][2] = {
		{ 0x3b4, 0x3b5 }, { 0x3ba, 0x3ba }, { 0x3c0, 0x3cf }, { 0x3d4, 0x3d5 }, { 0x3da, 0x3da },
	};
	int error = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(ranges) && !error; i++)
		error = bus_claim(vga->bus, ranges[i][0], ranges[i][1], &port_ops, vga);
	return error;
}

void vga_regs_release(struct vga *vga)
{
	bus_release(vga->bus, &port_ops, vga);
}

void vga_regs_reset(struct vga *vga)
{
	vga->regs = (struct vga_registers){ .enable = 1 };
}

void vga_regs_state(struct vga *vga, struct snap *snap)
{
	struct vga_registers *regs = &vga->regs;
	snap_u8(snap, "misc", &regs->misc);
	snap_u8(snap, "feature", &regs->feature);
	snap_u8(snap, "enable", &regs->enable);
	snap_u8(snap, "seq_index", &regs->seq_index);
	snap_u8(snap, "gc_index", &regs->gc_index);
	snap_u8(snap, "crtc_index", &regs->crtc_index);
	snap_u8(snap, "attr_index", &regs->attr_index);
	snap_bool(snap, "attr_is_data", &regs->attr_is_data);
	snap_bytes(snap, "seq", regs->seq, sizeof regs->seq);
	snap_bytes(snap, "gc", regs->gc, sizeof regs->gc);
	snap_bytes(snap, "crtc", regs->crtc, sizeof regs->crtc);
	snap_bytes(snap, "attr", regs->attr, sizeof regs->attr);
	snap_u64(snap, "retrace_cleared", &regs->retrace_cleared);
	for (unsigned i = 0; i < VGA_SEQ_REGISTERS; i++)
		regs->seq[i] &= seq_bits[i];
	for (unsigned i = 0; i < VGA_GC_REGISTERS; i++)
		regs->gc[i] &= gc_bits[i];
	for (unsigned i = 0; i < VGA_ATTR_REGISTERS; i++)
		regs->attr[i] &= attr_bits(i);
}
