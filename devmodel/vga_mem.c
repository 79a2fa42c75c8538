#include "devmodel/vga_internal.h"

#define BANK_SIZE 0x10000u

/* A word with byte p all ones where bit p of `planes` is set. */
static uint32_t plane_word(unsigned planes)
{
	static const uint32_t words[16] = {
		0x00000000, 0x000000ff, 0x0000ff00, 0x0000ffff,
		0x00ff0000, 0x00ff00ff, 0x00ffff00, 0x00ffffff,
		0xff000000, 0xff0000ff, 0xff00ff00, 0xff00ffff,
		0xffff0000, 0xffff00ff, 0xffffff00, 0xffffffff,
	};
	return words[planes & 15];
}

static uint32_t spread(uint8_t value)
{
	return value * 0x01010101u;
}

static void place(struct vga *vga)
{
	static const struct {
		uint32_t base, size;
	} maps[4] = { { 0, 0x20000 }, { 0, 0x10000 }, { 0x10000, 0x8000 }, { 0x18000, 0x8000 } };
	struct vga_window *window = &vga->window;
	unsigned map = vga->regs.gc[GC_MISC] >> 2 & 3;
	if (vga_dispi_enabled(vga))
		map = 1; /* banks are 64 KiB */
	window->base = maps[map].base;
	window->size = vga->regs.misc & MISC_RAM && vga->regs.enable ? maps[map].size : 0;
}

/* Do chain-4 writes reach VRAM as they are? */
static bool writes_are_plain(const struct vga_window *window)
{
	return window->write_mode == 0 && window->rotate == 0 && window->function == 0 &&
	       !window->enable_set_reset && window->bit_mask == ~0u && window->map_mask == ~0u;
}

static void choose_paths(struct vga *vga)
{
	struct vga_window *window = &vga->window;
	const struct vga_registers *regs = &vga->regs;
	uint8_t memory = regs->seq[SEQ_MEMORY];
	bool chain_odd_even = regs->gc[GC_MISC] & GC_MISC_CHAIN_ODD_EVEN;
	window->read_a0 = window->write_a0 = !chain_odd_even;
	if (vga_dispi_is_packed(vga)) {
		window->read_path = window->write_path = VGA_PATH_LINEAR;
	} else if (memory & SEQ_MEMORY_CHAIN_4) {
		bool plain = writes_are_plain(window) && !vga_dispi_enabled(vga);
		window->read_path = VGA_PATH_CHAIN_4;
		window->write_path = plain ? VGA_PATH_LINEAR : VGA_PATH_CHAIN_4;
	} else {
		bool odd_even_read = regs->gc[GC_MODE] & GC_MODE_ODD_EVEN;
		bool odd_even_write = !(memory & SEQ_MEMORY_SEQUENTIAL);
		window->read_path = odd_even_read ? VGA_PATH_ODD_EVEN : VGA_PATH_PLANAR;
		window->write_path = odd_even_write ? VGA_PATH_ODD_EVEN : VGA_PATH_PLANAR;
	}
}

void vga_mem_update(struct vga *vga)
{
	struct vga_window *window = &vga->window;
	const uint8_t *gc = vga->regs.gc;
	bool banked = vga_dispi_enabled(vga);
	place(vga);
	window->bank = banked ? vga->dispi.reg[DISPI_BANK] * BANK_SIZE : 0;
	window->wrap = (banked ? VGA_VRAM_SIZE / 4 : VGA_PLANE_SIZE) - 1;
	window->map_mask = plane_word(vga->regs.seq[SEQ_MAP_MASK]);
	window->enable_set_reset = plane_word(gc[GC_ENABLE_SET_RESET]);
	window->set_reset = plane_word(gc[GC_SET_RESET]);
	window->color_compare = plane_word(gc[GC_COLOR_COMPARE]);
	window->color_care = plane_word(gc[GC_COLOR_CARE]);
	window->bit_mask = spread(gc[GC_BIT_MASK]);
	window->rotate = gc[GC_ROTATE] & 7;
	window->function = gc[GC_ROTATE] >> 3 & 3;
	window->read_map = gc[GC_READ_MAP] & 3;
	window->write_mode = gc[GC_MODE] & GC_MODE_WRITE;
	window->compare = gc[GC_MODE] & GC_MODE_READ_COMPARE;
	choose_paths(vga);
}

static uint8_t *cell(struct vga *vga, uint32_t plane_address)
{
	return vga->vram + (size_t)((plane_address + vga->window.bank) & vga->window.wrap) * 4;
}

/* With A0 choosing the plane, A16 takes its place in the 128 KiB map. */
static uint32_t odd_even_address(uint32_t offset, bool keeps_a0)
{
	return keeps_a0 ? offset : (offset & ~1u) | (offset >> 16 & 1);
}

static uint8_t compare(const struct vga_window *window)
{
	uint32_t differs = (window->latch ^ window->color_compare) & window->color_care;
	return (uint8_t)~(differs | differs >> 8 | differs >> 16 | differs >> 24);
}

static uint8_t read_planes(struct vga *vga, uint32_t address, unsigned plane)
{
	struct vga_window *window = &vga->window;
	memcpy(&window->latch, cell(vga, address), sizeof window->latch);
	return (uint8_t)(window->compare ? compare(window) : window->latch >> 8 * plane);
}

/* Linear offsets stay within VRAM: banks are whole, and without banks the window
 * is smaller than VRAM. */
static uint8_t read_byte(struct vga *vga, uint32_t offset)
{
	const struct vga_window *window = &vga->window;
	switch (window->read_path) {
	case VGA_PATH_LINEAR:
		return vga->vram[window->bank + offset];
	case VGA_PATH_CHAIN_4:
		return read_planes(vga, offset >> 2, offset & 3);
	case VGA_PATH_ODD_EVEN:
		return read_planes(vga, odd_even_address(offset, window->read_a0),
		                   (window->read_map & 2u) | (offset & 1));
	default:
		return read_planes(vga, offset, window->read_map);
	}
}

static uint32_t combine(const struct vga_window *window, uint32_t data)
{
	switch (window->function) {
	case 1:
		return data & window->latch;
	case 2:
		return data | window->latch;
	case 3:
		return data ^ window->latch;
	default:
		return data;
	}
}

static uint8_t rotate(const struct vga_window *window, uint8_t value)
{
	return (uint8_t)(value >> window->rotate | value << (8 - window->rotate));
}

/* What the graphics controller makes of a CPU byte, for all four planes. */
static uint32_t write_data(const struct vga_window *window, uint8_t value)
{
	uint32_t data, bits = window->bit_mask;
	switch (window->write_mode) {
	case 0:
		data = spread(rotate(window, value)) & ~window->enable_set_reset;
		data |= window->set_reset & window->enable_set_reset;
		break;
	case 1:
		return window->latch;
	case 2:
		data = plane_word(value);
		break;
	default:
		data = window->set_reset;
		bits &= spread(rotate(window, value));
	}
	return (combine(window, data) & bits) | (window->latch & ~bits);
}

static void write_planes(struct vga *vga, uint32_t address, uint32_t planes, uint8_t value)
{
	uint8_t *to = cell(vga, address);
	uint32_t mask = planes & vga->window.map_mask, word;
	memcpy(&word, to, sizeof word);
	word = (word & ~mask) | (write_data(&vga->window, value) & mask);
	memcpy(to, &word, sizeof word);
}

static void write_byte(struct vga *vga, uint32_t offset, uint8_t value)
{
	const struct vga_window *window = &vga->window;
	switch (window->write_path) {
	case VGA_PATH_LINEAR:
		vga->vram[window->bank + offset] = value;
		break;
	case VGA_PATH_CHAIN_4:
		write_planes(vga, offset >> 2, 0xffu << 8 * (offset & 3), value);
		break;
	case VGA_PATH_ODD_EVEN:
		write_planes(vga, odd_even_address(offset, window->write_a0),
		             offset & 1 ? 0xff00ff00 : 0x00ff00ff, value);
		break;
	default:
		write_planes(vga, offset, ~0u, value);
	}
}

/* Open bus outside the map; an access may have one end in it. */
static uint64_t window_read(void *owner, uint64_t offset, unsigned size)
{
	struct vga *vga = owner;
	const struct vga_window *window = &vga->window;
	uint32_t at = (uint32_t)offset - window->base;
	uint64_t value = 0;
	for (unsigned i = 0; i < size; i++) {
		uint8_t byte = at + i < window->size ? read_byte(vga, at + i) : 0xff;
		value |= (uint64_t)byte << 8 * i;
	}
	return value;
}

static void window_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	struct vga *vga = owner;
	const struct vga_window *window = &vga->window;
	uint32_t at = (uint32_t)offset - window->base;
	if (window->write_path == VGA_PATH_LINEAR && at < window->size && window->size - at >= size) {
		memcpy(vga->vram + window->bank + at, &value, size);
		return;
	}
	for (unsigned i = 0; i < size; i++)
		if (at + i < window->size)
			write_byte(vga, at + i, (uint8_t)(value >> 8 * i));
}

const struct mem_mmio_ops vga_mem_ops = {
	.name = "vga", .max_size = 8, .read = window_read, .write = window_write,
};
