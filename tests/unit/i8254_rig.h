/* An 8254 on a bus of its own with a virtual clock; GATE 2 is high. Each file
 * that includes this has its own. */
#ifndef V2E_TESTS_UNIT_I8254_RIG_H
#define V2E_TESTS_UNIT_I8254_RIG_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "devmodel/i8254.h"

#define PORT 0x40
#define CONTROL (PORT + 3)
#define STATUS_OUT 0x80u
#define STATUS_NULL 0x40u

static struct bus *bus;
static struct clock *clock;
static struct i8254 *pit;
static bool irq0;
static unsigned rises;
static uint64_t last_rise_ns;

static inline void irq0_set(void *owner, unsigned n, bool level)
{
	(void)owner;
	(void)n;
	if (level && !irq0) {
		rises++;
		last_rise_ns = clock_now(clock);
	}
	irq0 = level;
}

static inline void out(uint16_t port, unsigned value)
{
	bus_write(bus, port, 1, value);
}

static inline unsigned in(uint16_t port)
{
	return bus_read(bus, port, 1);
}

static inline uint64_t tick(void)
{
	return clock_ns_to_ticks(clock_now(clock), I8254_HZ);
}

/* Time goes to that tick; all timers fire on their way, each in time. */
static inline void go_to(uint64_t target)
{
	uint64_t ns = clock_ticks_to_ns(target, I8254_HZ);
	while (clock_next_deadline(clock) <= ns) {
		clock_wait_until(clock, clock_next_deadline(clock));
		clock_run_due(clock);
	}
	clock_wait_until(clock, ns);
}

static inline void go(uint64_t ticks)
{
	go_to(tick() + ticks);
}

/* Mode with RW both, binary, and a count. Returns the tick. */
static inline uint64_t start(unsigned channel, unsigned mode, unsigned count)
{
	out(CONTROL, channel << 6 | 0x30 | mode << 1);
	out((uint16_t)(PORT + channel), count & 0xff);
	out((uint16_t)(PORT + channel), count >> 8);
	return tick();
}

static inline unsigned count_of(unsigned channel)
{
	out(CONTROL, channel << 6);
	unsigned low = in((uint16_t)(PORT + channel));
	return low | in((uint16_t)(PORT + channel)) << 8;
}

static inline unsigned status_of(unsigned channel)
{
	out(CONTROL, 0xe0 | 2u << channel);
	return in((uint16_t)(PORT + channel));
}

static inline bool out2(void)
{
	return i8254_out(pit, 2);
}

static inline void gate2(bool level)
{
	i8254_set_gate(pit, 2, level);
}

static inline void setup(void)
{
	bus = bus_new();
	clock = clock_new(CLOCK_KIND_VIRTUAL);
	irq0 = false;
	rises = 0;
	pit = i8254_new(bus, PORT, (struct irq_line) { irq0_set, NULL, 0 }, clock);
	ck_assert_ptr_nonnull(pit);
	gate2(true);
	go(1000);
}

static inline void teardown(void)
{
	i8254_free(pit);
	clock_free(clock);
	bus_free(bus);
}

#endif
