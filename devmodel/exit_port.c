#include "devmodel/exit_port.h"

#include <errno.h>
#include <glib.h>

struct exit_port {
	struct bus *bus;
	struct cpu_pins *pins;
	bool asked;
	uint8_t value;
};

static uint32_t read_port(void *owner, uint16_t port, unsigned size)
{
	(void)owner, (void)port, (void)size;
	return 0;
}

static void write_port(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	struct exit_port *exit_port = owner;
	(void)port, (void)size;
	if (!exit_port->asked) {
		exit_port->asked = true;
		exit_port->value = (uint8_t)value;
	}
	exit_port->pins->stop = true;
	cpu_pins_attend(exit_port->pins);
}

static const struct bus_ops ops = {
	.name = "exit_port",
	.max_size = 1,
	.read = read_port,
	.write = write_port,
};

struct exit_port *exit_port_new(struct bus *bus, uint16_t port, struct cpu_pins *pins)
{
	struct exit_port *exit_port = g_new0(struct exit_port, 1);
	exit_port->bus = bus;
	exit_port->pins = pins;
	int error = bus_claim(bus, port, port, &ops, exit_port);
	if (error) {
		exit_port_free(exit_port);
		errno = -error;
		return NULL;
	}
	return exit_port;
}

void exit_port_free(struct exit_port *exit_port)
{
	if (!exit_port)
		return;
	bus_release(exit_port->bus, &ops, exit_port);
	g_free(exit_port);
}

bool exit_port_status(const struct exit_port *exit_port, int *status)
{
	if (exit_port->asked)
		*status = exit_port->value << 1 | 1;
	return exit_port->asked;
}
