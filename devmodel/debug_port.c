#include "devmodel/debug_port.h"

#include <errno.h>
#include <glib.h>

#define IS_THERE 0xe9u

struct debug_port {
	struct bus *bus;
	struct chardev *chardev;
};

static uint32_t read_port(void *owner, uint16_t port, unsigned size)
{
	(void)owner, (void)port, (void)size;
	return IS_THERE;
}

static void write_port(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	(void)port, (void)size;
	uint8_t byte = (uint8_t)value;
	chardev_write(((struct debug_port *)owner)->chardev, &byte, 1);
}

static size_t write_many(void *owner, uint16_t port, unsigned size, const void *from, size_t count)
{
	(void)port, (void)size;
	chardev_write(((struct debug_port *)owner)->chardev, from, count);
	return count;
}

static const struct bus_ops ops = {
	.name = "debug_port",
	.max_size = 1,
	.read = read_port,
	.write = write_port,
	.write_many = write_many,
};

struct debug_port *debug_port_new(struct bus *bus, uint16_t port, struct chardev *chardev)
{
	struct debug_port *debug_port = g_new0(struct debug_port, 1);
	debug_port->bus = bus;
	debug_port->chardev = chardev;
	int error = bus_claim(bus, port, port, &ops, debug_port);
	if (error) {
		debug_port_free(debug_port);
		errno = -error;
		return NULL;
	}
	return debug_port;
}

void debug_port_free(struct debug_port *debug_port)
{
	if (!debug_port)
		return;
	bus_release(debug_port->bus, &ops, debug_port);
	g_free(debug_port);
}
