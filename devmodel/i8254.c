#include "devmodel/i8254.h"

#include <errno.h>
#include <glib.h>

#include "devmodel/i8254_counter.h"

#define READ_BACK 3u
#define READ_BACK_NO_COUNT  0x20u
#define READ_BACK_NO_STATUS 0x10u

/* A guest may ask for edges faster than any host can follow them; edges of OUT0
 * that are closer than this in a periodic mode are merged. */
#define TICKS_MERGED 12u

struct i8254 {
	struct i8254_counter counter[I8254_CHANNELS];
	struct clock *clock;
	struct irq_line out0;
	bool out0_level;       /* as last driven, at tick out0_at */
	uint64_t out0_at;
	struct clock_timer *timer; /* next edge of OUT0 */
	uint16_t port;
};

static uint64_t tick_now(const struct i8254 *pit)
{
	return clock_ns_to_ticks(clock_now(pit->clock), I8254_HZ);
}

/* Shows the line what OUT0 did since it was last driven. A low pulse that began
 * and ended in between becomes an edge of no length. */
static void drive_out0(struct i8254 *pit, uint64_t tick)
{
	const struct i8254_counter *counter = &pit->counter[0];
	bool level = i8254_counter_out(counter, tick);
	if (level && pit->out0_level && i8254_counter_last_rise(counter, tick) > pit->out0_at)
		irq_set(&pit->out0, false);
	pit->out0_level = level;
	pit->out0_at = tick;
	irq_set(&pit->out0, level);
}

static void schedule(struct i8254 *pit, uint64_t tick)
{
	const struct i8254_counter *counter = &pit->counter[0];
	uint64_t edge = i8254_counter_next_edge(counter, tick);
	if (edge == I8254_TICK_NEVER) {
		clock_timer_stop(pit->timer);
		return;
	}
	uint64_t period = i8254_counter_period(counter);
	if (period && period < TICKS_MERGED)
		edge = MAX(edge, tick + TICKS_MERGED);
	clock_timer_set(pit->timer, clock_ticks_to_ns(edge, I8254_HZ));
}

/* Brings all counters to the present and returns it. The timer may stay: it is
 * set for the next edge or has fallen due. */
static uint64_t catch_up(struct i8254 *pit)
{
	uint64_t tick = tick_now(pit);
	if (pit->counter[0].load_at <= tick)
		drive_out0(pit, pit->counter[0].load_at - 1);
	for (unsigned i = 0; i < I8254_CHANNELS; i++)
		i8254_counter_sync(&pit->counter[i], tick);
	drive_out0(pit, tick);
	return tick;
}

/* After a change: OUT0 may be another at once. */
static void settle(struct i8254 *pit, uint64_t tick)
{
	drive_out0(pit, tick);
	schedule(pit, tick);
}

static void edge_is_due(void *owner)
{
	struct i8254 *pit = owner;
	schedule(pit, catch_up(pit));
}

static void read_back(struct i8254 *pit, uint8_t command, uint64_t tick)
{
	for (unsigned i = 0; i < I8254_CHANNELS; i++) {
		if (!(command & 2u << i))
			continue;
		if (!(command & READ_BACK_NO_COUNT))
			i8254_counter_latch_count(&pit->counter[i], tick);
		if (!(command & READ_BACK_NO_STATUS))
			i8254_counter_latch_status(&pit->counter[i], tick);
	}
}

static void write_control(struct i8254 *pit, uint8_t value, uint64_t tick)
{
	unsigned select = value >> 6;
	if (select == READ_BACK)
		read_back(pit, value, tick);
	else if (!(value & 0x30u))
		i8254_counter_latch_count(&pit->counter[select], tick);
	else
		i8254_counter_program(&pit->counter[select], value, tick);
}

static void port_write(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	struct i8254 *pit = owner;
	unsigned n = (unsigned)(port - pit->port) & 3u;
	uint64_t tick = catch_up(pit);
	(void)size;
	if (n == I8254_CHANNELS)
		write_control(pit, (uint8_t)value, tick);
	else
		i8254_counter_write(&pit->counter[n], (uint8_t)value, tick);
	settle(pit, tick);
}

static uint32_t port_read(void *owner, uint16_t port, unsigned size)
{
	struct i8254 *pit = owner;
	unsigned n = (unsigned)(port - pit->port) & 3u;
	(void)size;
	if (n == I8254_CHANNELS)
		return 0xff;
	return i8254_counter_read(&pit->counter[n], catch_up(pit));
}

static const struct bus_ops port_ops = {
	.name = "i8254",
	.max_size = 1,
	.read = port_read,
	.write = port_write,
};

struct i8254 *i8254_new(struct bus *bus, uint16_t port, struct irq_line out0, struct clock *clock)
{
	struct i8254 *pit = g_new0(struct i8254, 1);
	pit->clock = clock;
	pit->out0 = out0;
	pit->port = port;
	if (bus_claim(bus, port, (uint16_t)(port + 3), &port_ops, pit)) {
		g_free(pit);
		errno = ENOSPC;
		return NULL;
	}
	pit->timer = clock_timer_new(clock, edge_is_due, pit);
	pit->counter[0].gate = pit->counter[1].gate = true;
	i8254_reset(pit);
	return pit;
}

void i8254_reset(struct i8254 *pit)
{
	for (unsigned i = 0; i < I8254_CHANNELS; i++)
		i8254_counter_reset(&pit->counter[i]);
	settle(pit, tick_now(pit));
}

void i8254_state(struct i8254 *pit, struct snap *snap)
{
	static const char *const section[I8254_CHANNELS] = { "i8254.0", "i8254.1", "i8254.2" };
	for (unsigned i = 0; i < I8254_CHANNELS; i++) {
		snap_section(snap, section[i], 1);
		i8254_counter_state(&pit->counter[i], snap);
	}
	snap_section(snap, "i8254.out0", 1);
	snap_bool(snap, "level", &pit->out0_level);
	snap_u64(snap, "at", &pit->out0_at);
	snap_timer(snap, "timer", pit->timer);
	if (snap_is_loading(snap))
		irq_set(&pit->out0, pit->out0_level);
}

void i8254_free(struct i8254 *pit)
{
	if (!pit)
		return;
	clock_timer_free(pit->timer);
	g_free(pit);
}

void i8254_set_gate(struct i8254 *pit, unsigned channel, bool level)
{
	uint64_t tick = catch_up(pit);
	i8254_counter_set_gate(&pit->counter[channel], level, tick);
	settle(pit, tick);
}

bool i8254_gate(const struct i8254 *pit, unsigned channel)
{
	return pit->counter[channel].gate;
}

bool i8254_out(struct i8254 *pit, unsigned channel)
{
	return i8254_counter_out(&pit->counter[channel], catch_up(pit));
}
