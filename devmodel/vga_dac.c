#include "devmodel/vga_internal.h"

enum { PORT_PEL_MASK = 0x3c6, PORT_READ_INDEX = 0x3c7, PORT_WRITE_INDEX = 0x3c8 };

static bool is_8_bit(const struct vga *vga)
{
	return vga->dispi.reg[DISPI_ENABLE] & DISPI_8BIT_DAC;
}

void vga_dac_reset(struct vga *vga)
{
	vga->dac = (struct vga_dac){ .mask = 0xff };
}

void vga_dac_state(struct vga *vga, struct snap *snap)
{
	struct vga_dac *dac = &vga->dac;
	uint8_t component = dac->component;
	snap_u8(snap, "dac_mask", &dac->mask);
	snap_u8(snap, "dac_index", &dac->index);
	snap_u8(snap, "dac_component", &component);
	snap_bool(snap, "dac_reading", &dac->reading);
	snap_bytes(snap, "dac_pending", dac->pending, sizeof dac->pending);
	snap_bytes(snap, "dac_color", dac->color, sizeof dac->color);
	if (component > 2)
		snap_fail(snap, "DAC component %u", component);
	else
		dac->component = component;
}

/* The DAC takes the whole colour when the read index is written, and then with
 * each third read. */
static void fetch_color(struct vga_dac *dac)
{
	memcpy(dac->pending, dac->color[dac->index++], sizeof dac->pending);
	dac->component = 0;
}

static uint8_t read_data(struct vga *vga)
{
	struct vga_dac *dac = &vga->dac;
	uint8_t value = dac->pending[dac->component];
	if (dac->component++ == 2)
		fetch_color(dac);
	return is_8_bit(vga) ? value : value & 0x3f;
}

static void write_data(struct vga *vga, uint8_t value)
{
	struct vga_dac *dac = &vga->dac;
	dac->pending[dac->component] = is_8_bit(vga) ? value : value & 0x3f;
	if (dac->component++ < 2)
		return;
	memcpy(dac->color[dac->index++], dac->pending, sizeof dac->pending);
	dac->component = 0;
}

uint8_t vga_dac_read(struct vga *vga, uint16_t port)
{
	switch (port) {
	case PORT_PEL_MASK:
		return vga->dac.mask;
	case PORT_READ_INDEX:
		return vga->dac.reading ? 3 : 0;
	case PORT_WRITE_INDEX:
		return vga->dac.index;
	default:
		return read_data(vga);
	}
}

static void set_index(struct vga_dac *dac, uint8_t index, bool reading)
{
	dac->index = index;
	dac->component = 0;
	dac->reading = reading;
	if (reading)
		fetch_color(dac);
}

void vga_dac_write(struct vga *vga, uint16_t port, uint8_t value)
{
	switch (port) {
	case PORT_PEL_MASK:
		vga->dac.mask = value;
		break;
	case PORT_READ_INDEX:
	case PORT_WRITE_INDEX:
		set_index(&vga->dac, value, port == PORT_READ_INDEX);
		break;
	default:
		write_data(vga, value);
	}
}

static uint32_t widen(uint8_t value)
{
	value &= 0x3f;
	return (uint32_t)(value << 2 | value >> 4);
}

uint32_t vga_dac_color(const struct vga *vga, uint8_t index)
{
	const uint8_t *color = vga->dac.color[index & vga->dac.mask];
	if (is_8_bit(vga))
		return (uint32_t)(color[0] << 16 | color[1] << 8 | color[2]);
	return widen(color[0]) << 16 | widen(color[1]) << 8 | widen(color[2]);
}
