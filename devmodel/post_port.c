#include "devmodel/post_port.h"

#include <errno.h>

#include <glib.h>

#define POST_PORT 0x80u

struct post_port {
	struct bus *bus;
	uint8_t value;
};

static uint32_t read_port(void *owner, uint16_t port, unsigned size)
{
	(void)port;
	(void)size;
	return post_port_value(owner);
}

static void write_port(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	(void)port;
	(void)size;
	((struct post_port *)owner)->value = (uint8_t)value;
}

static const struct bus_ops ops = { .name = "post", .max_size = 1, .read = read_port, .write = write_port };

struct post_port *post_port_new(struct bus *bus)
{
	struct post_port *post = g_new0(struct post_port, 1);
	int error = bus_claim(bus, POST_PORT, POST_PORT, &ops, post);
	if (error) {
		g_free(post);
		errno = -error;
		return NULL;
	}
	post->bus = bus;
	return post;
}

void post_port_reset(struct post_port *post)
{
	post->value = 0;
}

void post_port_state(struct post_port *post, struct snap *snap)
{
	snap_section(snap, "post", 1);
	snap_u8(snap, "value", &post->value);
}

void post_port_free(struct post_port *post)
{
	if (!post)
		return;
	bus_release(post->bus, &ops, post);
	g_free(post);
}

uint8_t post_port_value(const struct post_port *post)
{
	return post->value;
}
