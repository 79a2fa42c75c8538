#include "devmodel/vga_internal.h"
#include "shared/log.h"

enum {
	PORTS = 0x400, PORTS_END = 0x420, PORTS_FIRST = 0x3c0,
	DISPI = 0x500, DISPI_END = DISPI + 2 * DISPI_REGISTERS,
	EXTENDED = 0x600, EXTENDED_END = 0x608, EXTENDED_SIZE = 0x600, EXTENDED_ORDER = 0x604,
};

#define ORDER_LITTLE 0x1e1e1e1eu
#define ORDER_BIG    0xbebebebeu

static uint32_t read_extended(const struct vga *vga, uint32_t offset)
{
	if ((offset & ~3u) == EXTENDED_SIZE)
		return EXTENDED_END - EXTENDED;
	return vga->dispi.big_endian ? ORDER_BIG : ORDER_LITTLE;
}

static uint8_t read_byte(struct vga *vga, uint32_t offset)
{
	if (offset < VGA_EDID_SIZE)
		return vga_edid[offset];
	if (offset < PORTS)
		return 0; /* room for more EDID blocks */
	if (offset < PORTS_END)
		return vga_regs_read(vga, (uint16_t)(PORTS_FIRST + offset - PORTS));
	if (offset >= DISPI && offset < DISPI_END)
		return (uint8_t)(vga_dispi_read(vga, (offset - DISPI) / 2) >> 8 * (offset & 1));
	if (offset >= EXTENDED && offset < EXTENDED_END)
		return (uint8_t)(read_extended(vga, offset) >> 8 * (offset & 3));
	return 0xff;
}

static uint64_t mmio_read(void *owner, uint64_t offset, unsigned size)
{
	uint64_t value = 0;
	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)read_byte(owner, (uint32_t)offset + i) << 8 * i;
	return value;
}

static void write_ports(struct vga *vga, uint32_t offset, unsigned size, uint32_t value)
{
	for (unsigned i = 0; i < size && offset + i < PORTS_END; i++)
		vga_regs_write(vga, (uint16_t)(PORTS_FIRST + offset + i - PORTS), (uint8_t)(value >> 8 * i));
}

static void write_dispi(struct vga *vga, uint32_t offset, unsigned size, uint32_t value)
{
	if (size == 1 || offset & 1) {
		guest_error("vga", "DISPI memory register %03x written by bytes", offset);
		return;
	}
	for (unsigned i = 0; i < size && offset + i < DISPI_END; i += 2)
		vga_dispi_write(vga, (offset + i - DISPI) / 2, (uint16_t)(value >> 8 * i));
}

static void write_extended(struct vga *vga, uint32_t offset, unsigned size, uint32_t value)
{
	if (offset != EXTENDED_ORDER || size != 4 || (value != ORDER_BIG && value != ORDER_LITTLE))
		guest_error("vga", "extended register %03x written with %x", offset, value);
	else
		vga->dispi.big_endian = value == ORDER_BIG;
}

static void mmio_write(void *owner, uint64_t at, unsigned size, uint64_t value)
{
	uint32_t offset = (uint32_t)at;
	if (offset >= PORTS && offset < PORTS_END)
		write_ports(owner, offset, size, (uint32_t)value);
	else if (offset >= DISPI && offset < DISPI_END)
		write_dispi(owner, offset, size, (uint32_t)value);
	else if (offset >= EXTENDED && offset < EXTENDED_END)
		write_extended(owner, offset, size, (uint32_t)value);
	else
		guest_error("vga", "register %03x written", offset);
}

const struct mem_mmio_ops vga_mmio_ops = {
	.name = "vga-registers", .max_size = 4, .read = mmio_read, .write = mmio_write,
};
