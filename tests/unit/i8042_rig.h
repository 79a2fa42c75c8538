/* An 8042 on a bus of its own, driven as a guest would: for the tests of the
 * controller and of what hangs on it. */
#ifndef V2E_TESTS_UNIT_I8042_RIG_H
#define V2E_TESTS_UNIT_I8042_RIG_H

#include <check.h>
#include <string.h>

#include "devmodel/i8042.h"
#include "shared/bus.h"
#include "shared/clock.h"
#include "shared/irq.h"

#define RIG_COMMAND 0x64
#define RIG_OBF     0x01u
#define RIG_AUX     0x20u

enum { RIG_IRQ1, RIG_IRQ12, RIG_A20, RIG_LINES };

struct rig {
	struct bus *bus;
	struct clock *clock;
	struct cpu_pins pins;
	struct i8042 *kbc;
	bool level[RIG_LINES];
	unsigned rises[RIG_LINES];
};

static inline void rig_set_line(void *owner, unsigned n, bool level)
{
	struct rig *rig = owner;
	rig->rises[n] += level && !rig->level[n];
	rig->level[n] = level;
}

static inline struct irq_line rig_line(struct rig *rig, unsigned n)
{
	return (struct irq_line){ .set = rig_set_line, .owner = rig, .n = n };
}

static inline void rig_start(struct rig *rig)
{
	memset(rig, 0, sizeof *rig);
	rig->bus = bus_new();
	rig->clock = clock_new(CLOCK_KIND_VIRTUAL);
	rig->kbc = i8042_new(rig->bus, rig->clock, rig_line(rig, RIG_IRQ1), rig_line(rig, RIG_IRQ12), &rig->pins,
	                     rig_line(rig, RIG_A20));
}

static inline void rig_stop(struct rig *rig)
{
	i8042_free(rig->kbc);
	clock_free(rig->clock);
	bus_free(rig->bus);
}

static inline void rig_wait(struct rig *rig, uint64_t ns)
{
	clock_wait_until(rig->clock, clock_now(rig->clock) + ns);
	clock_run_due(rig->clock);
}

static inline uint8_t rig_status(struct rig *rig)
{
	return (uint8_t)bus_read(rig->bus, I8042_STATUS, 1);
}

static inline uint8_t rig_data(struct rig *rig)
{
	return (uint8_t)bus_read(rig->bus, I8042_DATA, 1);
}

static inline void rig_command(struct rig *rig, uint8_t command)
{
	bus_write(rig->bus, RIG_COMMAND, 1, command);
}

static inline void rig_send(struct rig *rig, uint8_t byte)
{
	bus_write(rig->bus, I8042_DATA, 1, byte);
}

static inline void rig_command_with(struct rig *rig, uint8_t command, uint8_t byte)
{
	rig_command(rig, command);
	rig_send(rig, byte);
}

static inline void rig_send_aux(struct rig *rig, uint8_t byte)
{
	rig_command_with(rig, 0xd4, byte);
}

/* The next byte within the time that one takes, or -1; AUX bytes have bit 8. */
static inline int rig_next(struct rig *rig)
{
	if (!(rig_status(rig) & RIG_OBF))
		rig_wait(rig, I8042_BYTE_NS);
	uint8_t status = rig_status(rig);
	if (!(status & RIG_OBF))
		return -1;
	return rig_data(rig) | (status & RIG_AUX ? 0x100 : 0);
}

static inline void rig_expect_bytes(struct rig *rig, const int *bytes, size_t count, int line)
{
	for (size_t i = 0; i < count; i++) {
		int got = rig_next(rig);
		ck_assert_msg(got == bytes[i], "line %d: byte %zu is %x, not %x", line, i, got, bytes[i]);
	}
	int got = rig_next(rig);
	ck_assert_msg(got == -1, "line %d: %x follows", line, got);
}

/* Exactly these bytes and no more come. */
#define rig_expect(rig, ...)                                                              \
	rig_expect_bytes(rig, (const int[]){ __VA_ARGS__ },                               \
	                 sizeof (const int[]){ __VA_ARGS__ } / sizeof(int), __LINE__)

#endif
