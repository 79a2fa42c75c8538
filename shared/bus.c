#include "shared/bus.h"

#include <errno.h>
#include <string.h>

#include <glib.h>

#include "shared/trace.h"

#define BUS_PORTS  65536u
#define BUS_CLAIMS 255u

struct claim {
	const struct bus_ops *ops;
	void *owner;
	uint16_t first, last;
};

struct bus {
	struct claim claim[BUS_CLAIMS + 1]; /* oldest first; [0] is the rest */
	unsigned claims;                    /* [0] not counted */
	uint8_t port[BUS_PORTS];            /* index into claim */
	struct bus_tap tap;
};

static const struct bus_ops open_bus = { .name = "open bus", .max_size = 4 };

struct bus *bus_new(void)
{
	struct bus *bus = g_new0(struct bus, 1);
	bus->claim[0].ops = &open_bus;
	return bus;
}

void bus_free(struct bus *bus)
{
	g_free(bus);
}

static void show_claim(struct bus *bus, unsigned n)
{
	const struct claim *claim = &bus->claim[n];
	memset(bus->port + claim->first, (int)n, claim->last - claim->first + 1u);
}

int bus_claim(struct bus *bus, uint16_t first, uint16_t last, const struct bus_ops *ops, void *owner)
{
	if (bus->claims == BUS_CLAIMS)
		return -ENOSPC;
	if (last < first)
		return -EINVAL;
	bus->claim[++bus->claims] = (struct claim){ ops, owner, first, last };
	show_claim(bus, bus->claims);
	return 0;
}

void bus_release(struct bus *bus, const struct bus_ops *ops, void *owner)
{
	unsigned kept = 0;
	for (unsigned n = 1; n <= bus->claims; n++)
		if (bus->claim[n].ops != ops || bus->claim[n].owner != owner)
			bus->claim[++kept] = bus->claim[n];
	if (kept == bus->claims)
		return;
	bus->claims = kept;
	memset(bus->port, 0, sizeof bus->port);
	for (unsigned n = 1; n <= kept; n++)
		show_claim(bus, n);
}

void bus_claim_rest(struct bus *bus, const struct bus_ops *ops, void *owner)
{
	bus->claim[0].ops = ops;
	bus->claim[0].owner = owner;
}

void bus_set_tap(struct bus *bus, struct bus_tap tap)
{
	bus->tap = tap;
}

static void tell_tap(const struct bus *bus, uint16_t port, unsigned size, bool is_write, const void *data, size_t count)
{
	if (bus->tap.heard)
		bus->tap.heard(bus->tap.owner, port, size, is_write, data, count);
}

static const struct claim *claim_of(const struct bus *bus, uint16_t port)
{
	return &bus->claim[bus->port[port]];
}

static uint32_t size_mask(unsigned size)
{
	return 0xffffffffu >> (32 - 8 * size);
}

static unsigned part_size(const struct claim *claim, unsigned left)
{
	unsigned size = left == 3 ? 2 : left;
	return size < claim->ops->max_size ? size : claim->ops->max_size;
}

static void begin_port_event(struct trace_event *event, const struct bus_ops *ops, bool is_write, uint16_t port, unsigned size)
{
	trace_begin(event, "io");
	trace_string(event, "op", is_write ? "out" : "in");
	trace_string(event, "device", ops->name);
	trace_number(event, "port", port);
	trace_number(event, "size", size);
	trace_text(event, "io %s %04x.%u", is_write ? "out" : "in ", port, size);
}

static void trace_port(const struct bus_ops *ops, bool is_write, uint16_t port, unsigned size, uint32_t value)
{
	struct trace_event event;
	if (!(log_trace_mask & LOG_TRACE_IO) || ops->is_proxy)
		return;
	begin_port_event(&event, ops, is_write, port, size);
	trace_number(&event, "value", value);
	trace_text(&event, " = %0*x %s", (int)size * 2, value, ops->name);
	trace_emit(&event);
}

/* INS and OUTS by the device's own loop: how many, not what. */
static void trace_stream(const struct bus_ops *ops, bool is_write, uint16_t port, unsigned size, size_t count)
{
	struct trace_event event;
	if (!(log_trace_mask & LOG_TRACE_IO) || ops->is_proxy || !count)
		return;
	begin_port_event(&event, ops, is_write, port, size);
	trace_number(&event, "count", count);
	trace_text(&event, " * %zu %s", count, ops->name);
	trace_emit(&event);
}

static uint32_t read_part(const struct claim *claim, uint16_t port, unsigned size)
{
	const struct bus_ops *ops = claim->ops;
	uint32_t value = ops->read ? ops->read(claim->owner, port, size) : 0xffffffffu;
	value &= size_mask(size);
	trace_port(ops, false, port, size, value);
	return value;
}

static void write_part(const struct claim *claim, uint16_t port, unsigned size, uint32_t value)
{
	const struct bus_ops *ops = claim->ops;
	value &= size_mask(size);
	trace_port(ops, true, port, size, value);
	if (ops->write)
		ops->write(claim->owner, port, size, value);
}

static uint32_t read_item(const struct bus *bus, uint16_t port, unsigned size)
{
	uint32_t value = 0;
	for (unsigned done = 0, part; done < size; done += part) {
		uint16_t at = (uint16_t)(port + done);
		const struct claim *claim = claim_of(bus, at);
		part = part_size(claim, size - done);
		value |= read_part(claim, at, part) << (8 * done);
	}
	return value;
}

static void write_item(const struct bus *bus, uint16_t port, unsigned size, uint32_t value)
{
	for (unsigned done = 0, part; done < size; done += part) {
		uint16_t at = (uint16_t)(port + done);
		const struct claim *claim = claim_of(bus, at);
		part = part_size(claim, size - done);
		write_part(claim, at, part, value >> (8 * done));
	}
}

uint32_t bus_read(struct bus *bus, uint16_t port, unsigned size)
{
	uint32_t value = read_item(bus, port, size);
	tell_tap(bus, port, size, false, &value, 1);
	return value;
}

void bus_write(struct bus *bus, uint16_t port, unsigned size, uint32_t value)
{
	write_item(bus, port, size, value);
	tell_tap(bus, port, size, true, &value, 1);
}

size_t bus_read_many(struct bus *bus, uint16_t port, unsigned size, void *to, size_t count)
{
	const struct claim *claim = claim_of(bus, port);
	size_t done = 0;
	if (claim->ops->read_many && size <= claim->ops->max_size)
		done = claim->ops->read_many(claim->owner, port, size, to, count);
	done = MIN(done, count);
	trace_stream(claim->ops, false, port, size, done);
	for (uint8_t *at = (uint8_t *)to + done * size; done < count; done++, at += size) {
		uint32_t value = read_item(bus, port, size);
		memcpy(at, &value, size);
	}
	tell_tap(bus, port, size, false, to, count);
	return count;
}

size_t bus_write_many(struct bus *bus, uint16_t port, unsigned size, const void *from, size_t count)
{
	const struct claim *claim = claim_of(bus, port);
	size_t done = 0;
	if (claim->ops->write_many && size <= claim->ops->max_size)
		done = claim->ops->write_many(claim->owner, port, size, from, count);
	done = MIN(done, count);
	trace_stream(claim->ops, true, port, size, done);
	for (const uint8_t *at = (const uint8_t *)from + done * size; done < count; done++, at += size) {
		uint32_t value = 0;
		memcpy(&value, at, size);
		write_item(bus, port, size, value);
	}
	tell_tap(bus, port, size, true, from, count);
	return count;
}
