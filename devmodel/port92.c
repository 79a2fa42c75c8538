#include "devmodel/port92.h"

#include <errno.h>
#include <glib.h>

#define PORT 0x92u

#define FAST_RESET 0x01u
#define FAST_A20   0x02u

struct port92 {
	struct bus *bus;
	struct cpu_pins *pins;
	struct irq_line a20;
	uint8_t value;
};

static uint32_t read_port(void *owner, uint16_t port, unsigned size)
{
	(void)port, (void)size;
	return ((struct port92 *)owner)->value;
}

static void write_port(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	struct port92 *port92 = owner;
	(void)port, (void)size;
	uint8_t rises = (uint8_t)(value & ~port92->value);
	port92->value = value & (FAST_RESET | FAST_A20);
	irq_set(&port92->a20, value & FAST_A20);
	if (rises & FAST_RESET) {
		port92->pins->init = true;
		cpu_pins_attend(port92->pins);
	}
}

static const struct bus_ops ops = {
	.name = "port92",
	.max_size = 1,
	.read = read_port,
	.write = write_port,
};

struct port92 *port92_new(struct bus *bus, struct cpu_pins *pins, struct irq_line a20)
{
	struct port92 *port92 = g_new0(struct port92, 1);
	port92->bus = bus;
	port92->pins = pins;
	port92->a20 = a20;
	int error = bus_claim(bus, PORT, PORT, &ops, port92);
	if (error) {
		port92_free(port92);
		errno = -error;
		return NULL;
	}
	port92_reset(port92);
	return port92;
}

void port92_free(struct port92 *port92)
{
	if (!port92)
		return;
	bus_release(port92->bus, &ops, port92);
	g_free(port92);
}

void port92_reset(struct port92 *port92)
{
	port92->value = 0;
	irq_set(&port92->a20, false);
}

void port92_state(struct port92 *port92, struct snap *snap)
{
	snap_section(snap, "port92", 1);
	snap_u8(snap, "value", &port92->value);
	port92->value &= FAST_RESET | FAST_A20;
}
