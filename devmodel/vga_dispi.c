#include "devmodel/vga_internal.h"
#include "shared/log.h"

#define ID_OLDEST 0xb0c0u
#define ID_NEWEST 0xb0c5u

enum {
	PORT_INDEX = 0x1ce, PORT_DATA = 0x1cf, PORT_DATA_ALIGNED = 0x1d0,
	BANK_SIZE = 0x10000,
	/* GETCAPS is a switch of its own; the rest means something only with it. */
	ENABLE_BITS = DISPI_ENABLED | DISPI_GETCAPS | DISPI_8BIT_DAC | DISPI_LFB_ENABLED | DISPI_NOCLEARMEM,
};

static uint32_t pitch_of(unsigned width, unsigned bpp)
{
	return bpp == 4 ? width / 2 : width * ((bpp + 7) / 8);
}

uint32_t vga_dispi_pitch(const struct vga *vga)
{
	return pitch_of(vga->dispi.reg[DISPI_VIRT_WIDTH], vga->dispi.reg[DISPI_BPP]);
}

static uint16_t read_caps(unsigned index)
{
	return index == DISPI_XRES ? VGA_MAX_XRES : index == DISPI_YRES ? VGA_MAX_YRES : 32;
}

uint16_t vga_dispi_read(struct vga *vga, unsigned index)
{
	const uint16_t *reg = vga->dispi.reg;
	if (index >= DISPI_REGISTERS)
		return 0xffff;
	if (reg[DISPI_ENABLE] & DISPI_GETCAPS && index >= DISPI_XRES && index <= DISPI_BPP)
		return read_caps(index);
	return reg[index];
}

static bool is_bpp(unsigned bpp)
{
	return bpp == 4 || bpp == 8 || bpp == 15 || bpp == 16 || bpp == 24 || bpp == 32;
}

static bool is_resolution(unsigned index, unsigned value)
{
	switch (index) {
	case DISPI_XRES:
		return value >= 8 && value <= VGA_MAX_XRES && value % 8 == 0;
	case DISPI_YRES:
		return value >= 1 && value <= VGA_MAX_YRES;
	default:
		return is_bpp(value);
	}
}

static void write_resolution(struct vga *vga, unsigned index, uint16_t value)
{
	if (index == DISPI_BPP && value == 0)
		value = 8; /* the first version of DISPI knew no other depth */
	if (vga_dispi_enabled(vga))
		guest_error("vga", "DISPI register %u written while enabled", index);
	else if (!is_resolution(index, value))
		guest_error("vga", "DISPI register %u: no resolution %u", index, value);
	else
		vga->dispi.reg[index] = value;
}

/* VIRT_HEIGHT is what VRAM has room for; it has 16 bits. */
static uint16_t virtual_height(unsigned width, unsigned bpp)
{
	uint32_t height = VGA_VRAM_SIZE / pitch_of(width, bpp);
	return (uint16_t)MIN(height, 0xffffu);
}

/* The picture must stay within the virtual screen. */
static void keep_offsets_inside(uint16_t *reg)
{
	reg[DISPI_X_OFFSET] = MIN(reg[DISPI_X_OFFSET], (uint16_t)(reg[DISPI_VIRT_WIDTH] - reg[DISPI_XRES]));
	reg[DISPI_Y_OFFSET] = MIN(reg[DISPI_Y_OFFSET], (uint16_t)(reg[DISPI_VIRT_HEIGHT] - reg[DISPI_YRES]));
}

static void set_virtual_width(struct vga *vga, uint16_t width)
{
	uint16_t *reg = vga->dispi.reg;
	if (reg[DISPI_BPP] == 4)
		width &= 0xfff8; /* whole bytes of a plane */
	width = MAX(width, reg[DISPI_XRES]);
	uint16_t height = virtual_height(width, reg[DISPI_BPP]);
	if (height < reg[DISPI_YRES]) {
		guest_error("vga", "DISPI virtual width %u: not enough VRAM", width);
		return;
	}
	reg[DISPI_VIRT_WIDTH] = width;
	reg[DISPI_VIRT_HEIGHT] = height;
	keep_offsets_inside(reg);
}

static void enable(struct vga *vga, uint16_t value)
{
	uint16_t *reg = vga->dispi.reg;
	bool was_enabled = vga_dispi_enabled(vga);
	reg[DISPI_ENABLE] = value & ENABLE_BITS;
	if (!was_enabled && value & DISPI_ENABLED) {
		reg[DISPI_X_OFFSET] = 0;
		reg[DISPI_Y_OFFSET] = 0;
		set_virtual_width(vga, reg[DISPI_XRES]);
		if (!(value & DISPI_NOCLEARMEM))
			memset(vga->vram, 0, VGA_VRAM_SIZE);
	}
	vga_timing_update(vga);
}

static void write_id(struct vga *vga, uint16_t value)
{
	if (value >= ID_OLDEST && value <= ID_NEWEST)
		vga->dispi.reg[DISPI_ID] = value;
	else
		guest_error("vga", "DISPI id %04x", value);
}

void vga_dispi_write(struct vga *vga, unsigned index, uint16_t value)
{
	uint16_t *reg = vga->dispi.reg;
	switch (index) {
	case DISPI_ID:
		write_id(vga, value);
		break;
	case DISPI_XRES:
	case DISPI_YRES:
	case DISPI_BPP:
		write_resolution(vga, index, value);
		break;
	case DISPI_ENABLE:
		enable(vga, value);
		break;
	case DISPI_BANK:
		reg[DISPI_BANK] = value % (VGA_VRAM_SIZE / BANK_SIZE);
		break;
	case DISPI_VIRT_WIDTH:
		/* Drivers set it before they enable, too: enabling starts afresh. */
		if (vga_dispi_enabled(vga))
			set_virtual_width(vga, value);
		break;
	case DISPI_VIRT_HEIGHT:
		break; /* follows from the width */
	case DISPI_X_OFFSET:
	case DISPI_Y_OFFSET:
		if (vga_dispi_enabled(vga)) {
			reg[index] = value;
			keep_offsets_inside(reg);
		}
		break;
	default:
		guest_error("vga", "DISPI register %u written", index);
	}
	vga_mem_update(vga);
}

static uint32_t port_read(void *owner, uint16_t port, unsigned size)
{
	struct vga *vga = owner;
	uint16_t value = port == PORT_INDEX ? vga->dispi.index : vga_dispi_read(vga, vga->dispi.index);
	return size == 1 ? value & 0xff : value;
}

/* The registers are words on byte-wide neighbours; a byte replaces the low half. */
static void port_write(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	struct vga *vga = owner;
	uint16_t index = vga->dispi.index;
	if (port == PORT_INDEX)
		vga->dispi.index = (uint16_t)value;
	else if (size == 1)
		vga_dispi_write(vga, index, (uint16_t)((vga_dispi_read(vga, index) & 0xff00) | value));
	else
		vga_dispi_write(vga, index, (uint16_t)value);
}

static const struct bus_ops port_ops = {
	.name = "vga-dispi", .max_size = 2, .read = port_read, .write = port_write,
};

int vga_dispi_claim(struct vga *vga)
{
	return bus_claim(vga->bus, PORT_INDEX, PORT_DATA_ALIGNED, &port_ops, vga);
}

void vga_dispi_release(struct vga *vga)
{
	bus_release(vga->bus, &port_ops, vga);
}

void vga_dispi_reset(struct vga *vga)
{
	vga->dispi = (struct vga_dispi){ .reg = {
		[DISPI_ID] = ID_NEWEST,
		[DISPI_XRES] = 640, [DISPI_YRES] = 480, [DISPI_BPP] = 8,
		[DISPI_VIRT_WIDTH] = 640,
		[DISPI_VIRT_HEIGHT] = VGA_VRAM_SIZE / 640,
		[DISPI_VIDEO_MEMORY_64K] = VGA_VRAM_SIZE / BANK_SIZE,
	} };
}

/* All that the window and the renderer rely on. Resolution and bank may be
 * written before the rest is worked out. */
static bool is_sound(const uint16_t *reg)
{
	for (unsigned i = DISPI_XRES; i <= DISPI_BPP; i++)
		if (!is_resolution(i, reg[i]))
			return false;
	if (reg[DISPI_BANK] >= VGA_VRAM_SIZE / BANK_SIZE)
		return false;
	if (!(reg[DISPI_ENABLE] & DISPI_ENABLED))
		return true;
	return reg[DISPI_VIRT_WIDTH] >= reg[DISPI_XRES] &&
	       reg[DISPI_VIRT_HEIGHT] == virtual_height(reg[DISPI_VIRT_WIDTH], reg[DISPI_BPP]) &&
	       reg[DISPI_X_OFFSET] + reg[DISPI_XRES] <= reg[DISPI_VIRT_WIDTH] &&
	       reg[DISPI_Y_OFFSET] + reg[DISPI_YRES] <= reg[DISPI_VIRT_HEIGHT];
}

void vga_dispi_state(struct vga *vga, struct snap *snap)
{
	static const char *const names[DISPI_REGISTERS] = {
		"dispi_id", "dispi_xres", "dispi_yres", "dispi_bpp", "dispi_enable", "dispi_bank",
		"dispi_virt_width", "dispi_virt_height", "dispi_x_offset", "dispi_y_offset",
		"dispi_video_memory_64k",
	};
	struct vga_dispi dispi = vga->dispi;
	snap_u16(snap, "dispi_index", &dispi.index);
	snap_bool(snap, "dispi_big_endian", &dispi.big_endian);
	for (unsigned i = 0; i < DISPI_REGISTERS; i++)
		snap_u16(snap, names[i], &dispi.reg[i]);
	if (!is_sound(dispi.reg))
		snap_fail(snap, "unsound DISPI mode");
	else
		vga->dispi = dispi;
}
