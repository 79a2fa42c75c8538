#include "devmodel/parallel.h"

#include <errno.h>
#include <glib.h>

#define PORTS 3u

enum reg { REG_DATA, REG_STATUS, REG_CONTROL };

/* Status port; BUSY, -ACK and -IRQ are active low here */
#define STATUS_NOT_BUSY 0x80u
#define STATUS_NOT_ACK  0x40u
#define STATUS_SELECT   0x10u
#define STATUS_NO_ERROR 0x08u
#define STATUS_NOT_IRQ  0x04u
#define STATUS_ONES     0x03u

/* Control port */
#define CONTROL_STROBE     0x01u
#define CONTROL_INIT       0x04u /* low resets the printer */
#define CONTROL_SELECT_IN  0x08u
#define CONTROL_IRQ_ENABLE 0x10u
#define CONTROL_WRITABLE   0x1fu
#define CONTROL_ONES       0xe0u

/* What the printer does with the last byte. */
enum phase { PHASE_READY, PHASE_BUSY, PHASE_ACK };

struct parallel {
	struct bus *bus;
	struct clock *clock;
	struct clock_timer *timer;
	struct irq_line irq;
	struct chardev *chardev;
	uint16_t port;
	uint8_t data, control;
	uint8_t phase; /* enum phase */
	bool interrupt;
};

static void update_irq(struct parallel *parallel)
{
	irq_set(&parallel->irq, parallel->interrupt && (parallel->control & CONTROL_IRQ_ENABLE));
}

static void enter(struct parallel *parallel, enum phase phase, uint32_t ns)
{
	parallel->phase = (uint8_t)phase;
	clock_timer_set(parallel->timer, clock_now(parallel->clock) + ns);
}

static void fire(void *owner)
{
	struct parallel *parallel = owner;
	if (parallel->phase == PHASE_BUSY) {
		enter(parallel, PHASE_ACK, PARALLEL_ACK_NS);
		return;
	}
	parallel->phase = PHASE_READY;
	parallel->interrupt = true;
	update_irq(parallel);
}

static uint8_t read_status(struct parallel *parallel)
{
	uint8_t value = STATUS_SELECT | STATUS_NO_ERROR | STATUS_ONES;
	if (parallel->phase == PHASE_READY)
		value |= STATUS_NOT_BUSY;
	if (parallel->phase != PHASE_ACK)
		value |= STATUS_NOT_ACK;
	if (!parallel->interrupt)
		value |= STATUS_NOT_IRQ;
	parallel->interrupt = false;
	update_irq(parallel);
	return value;
}

static void write_control(struct parallel *parallel, uint8_t value)
{
	bool strobed = value & ~parallel->control & CONTROL_STROBE;
	parallel->control = value & CONTROL_WRITABLE;
	update_irq(parallel);
	if (!strobed || !(value & CONTROL_INIT))
		return;
	chardev_write(parallel->chardev, &parallel->data, 1);
	enter(parallel, PHASE_BUSY, PARALLEL_BUSY_NS);
}

static uint32_t read_port(void *owner, uint16_t port, unsigned size)
{
	struct parallel *parallel = owner;
	(void)size;
	switch ((enum reg)(port - parallel->port)) {
	case REG_DATA:
		return parallel->data;
	case REG_STATUS:
		return read_status(parallel);
	default:
		return parallel->control | CONTROL_ONES;
	}
}

static void write_port(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	struct parallel *parallel = owner;
	(void)size;
	if (port - parallel->port == REG_DATA)
		parallel->data = (uint8_t)value;
	else if (port - parallel->port == REG_CONTROL)
		write_control(parallel, (uint8_t)value);
}

static const struct bus_ops ops = {
	.name = "parallel",
	.max_size = 1,
	.read = read_port,
	.write = write_port,
};

struct parallel *parallel_new(struct bus *bus, uint16_t port, struct irq_line irq, struct clock *clock,
                              struct chardev *chardev)
{
	struct parallel *parallel = g_new0(struct parallel, 1);
	parallel->bus = bus;
	parallel->port = port;
	parallel->irq = irq;
	parallel->clock = clock;
	parallel->chardev = chardev;
	parallel->timer = clock_timer_new(clock, fire, parallel);
	int error = bus_claim(bus, port, (uint16_t)(port + PORTS - 1), &ops, parallel);
	if (error) {
		parallel_free(parallel);
		errno = -error;
		return NULL;
	}
	parallel_reset(parallel);
	return parallel;
}

void parallel_free(struct parallel *parallel)
{
	if (!parallel)
		return;
	bus_release(parallel->bus, &ops, parallel);
	clock_timer_free(parallel->timer);
	g_free(parallel);
}

void parallel_reset(struct parallel *parallel)
{
	parallel->data = 0;
	parallel->control = CONTROL_INIT | CONTROL_SELECT_IN;
	parallel->phase = PHASE_READY;
	parallel->interrupt = false;
	clock_timer_stop(parallel->timer);
	update_irq(parallel);
}

void parallel_state(struct parallel *parallel, struct snap *snap)
{
	snap_section(snap, "parallel", 1);
	snap_u8(snap, "data", &parallel->data);
	snap_u8(snap, "control", &parallel->control);
	uint8_t phase = parallel->phase;
	snap_u8(snap, "phase", &phase);
	snap_bool(snap, "interrupt", &parallel->interrupt);
	snap_timer(snap, "timer", parallel->timer);
	parallel->control &= CONTROL_WRITABLE;
	if (phase > PHASE_ACK)
		snap_fail(snap, "parallel: phase %u", phase);
	else
		parallel->phase = phase;
}
