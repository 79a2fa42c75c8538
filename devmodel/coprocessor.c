#include "devmodel/coprocessor.h"

#include <errno.h>

#include <glib.h>

#define FIRST_PORT 0xf0u
#define LAST_PORT  0xf1u

struct coprocessor {
	struct bus *bus;
	struct cpu_pins *pins;
	struct irq_line irq13;
	bool error; /* the flip-flop behind FERR# */
};

static void set_error(struct coprocessor *coprocessor, bool error)
{
	coprocessor->error = error;
	irq_set(&coprocessor->irq13, error);
}

static void set_ferr(void *owner, unsigned n, bool level)
{
	(void)n;
	if (level)
		set_error(owner, true);
}

static void write_port(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	(void)port;
	(void)size;
	(void)value;
	set_error(owner, false);
}

static const struct bus_ops ops = { .name = "coprocessor", .max_size = 1, .write = write_port };

struct coprocessor *coprocessor_new(struct bus *bus, struct cpu_pins *pins, struct irq_line irq13)
{
	struct coprocessor *coprocessor = g_new0(struct coprocessor, 1);
	int error = bus_claim(bus, FIRST_PORT, LAST_PORT, &ops, coprocessor);
	if (error) {
		g_free(coprocessor);
		errno = -error;
		return NULL;
	}
	coprocessor->bus = bus;
	coprocessor->pins = pins;
	coprocessor->irq13 = irq13;
	pins->ferr = (struct irq_line){ set_ferr, coprocessor, 0 };
	return coprocessor;
}

void coprocessor_reset(struct coprocessor *coprocessor)
{
	set_error(coprocessor, false);
}

void coprocessor_state(struct coprocessor *coprocessor, struct snap *snap)
{
	bool error = coprocessor->error;
	snap_section(snap, "coprocessor", 1);
	snap_bool(snap, "error", &error);
	if (snap_is_loading(snap))
		set_error(coprocessor, error);
}

void coprocessor_free(struct coprocessor *coprocessor)
{
	if (!coprocessor)
		return;
	coprocessor->pins->ferr = (struct irq_line){ 0 };
	bus_release(coprocessor->bus, &ops, coprocessor);
	g_free(coprocessor);
}
