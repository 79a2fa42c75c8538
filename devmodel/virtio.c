#include "devmodel/virtio.h"

#include <glib.h>
#include <string.h>

#include "shared/log.h"

/* --- interrupts ------------------------------------------------------------------------ */

static void set_cause(struct virtio *virtio, uint8_t causes)
{
	virtio->interrupt |= causes;
	irq_set(&virtio->irq, true);
}

void virtio_acknowledge(struct virtio *virtio, uint8_t causes)
{
	virtio->interrupt &= (uint8_t)~causes;
	if (!virtio->interrupt)
		irq_set(&virtio->irq, false);
}

static bool is_broken(const struct virtio *virtio)
{
	for (unsigned n = 0; n < virtio->ops->queues; n++)
		if (virtio->queue[n].broken)
			return true;
	return false;
}

/* Before 1.0 there was no way to tell: the device just stands still. */
static void tell_broken(struct virtio *virtio)
{
	if (virtio->legacy || virtio->status & VIRTIO_NEEDS_RESET)
		return;
	virtio->status |= VIRTIO_NEEDS_RESET;
	if (virtio->status & VIRTIO_DRIVER_OK)
		set_cause(virtio, VIRTIO_CONFIGURATION);
}

void virtio_signal(struct virtio *virtio, unsigned n)
{
	if (virtqueue_wants_interrupt(&virtio->queue[n]))
		set_cause(virtio, VIRTIO_USED_BUFFER);
	if (is_broken(virtio))
		tell_broken(virtio);
}

/* --- serving ---------------------------------------------------------------------------- */

/* Drivers from before 1.0 may use a queue before they are done with their set-up. */
bool virtio_is_running(const struct virtio *virtio, unsigned n)
{
	uint8_t set_up = VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK;
	return (virtio->legacy || (virtio->status & set_up) == set_up) && virtio->queue[n].ready && !is_broken(virtio);
}

/* Returns what is left of the budget. */
static uint32_t serve(struct virtio *virtio, unsigned n, uint32_t budget)
{
	while (budget && virtio->pending >> n & 1) {
		uint32_t cost = virtio_is_running(virtio, n) ? virtio->ops->serve(virtio, n) : 0;
		if (!cost)
			virtio->pending &= (uint8_t)~(1u << n);
		budget -= MIN(budget, cost);
	}
	return budget;
}

static void run(void *owner)
{
	struct virtio *virtio = owner;
	uint32_t budget = VIRTIO_BUDGET;
	for (unsigned n = 0; n < virtio->ops->queues; n++) {
		if (!(virtio->pending >> n & 1))
			continue;
		budget = serve(virtio, n, budget);
		virtio_signal(virtio, n);
	}
	if (virtio->pending)
		clock_timer_set(virtio->timer, clock_now(virtio->clock) + VIRTIO_PAUSE_NS);
}

/* While the timer runs the budget is spent. */
void virtio_notify(struct virtio *virtio, uint32_t n)
{
	if (n >= virtio->ops->queues || !virtio_is_running(virtio, n)) {
		if (n >= virtio->ops->queues)
			guest_error(virtio->ops->name, "notification of queue %u", n);
		return;
	}
	virtio->pending |= (uint8_t)(1u << n);
	if (clock_timer_deadline(virtio->timer) == CLOCK_NEVER)
		run(virtio);
}

void virtio_wake(struct virtio *virtio, unsigned n)
{
	virtio->pending |= (uint8_t)(1u << n);
	if (clock_timer_deadline(virtio->timer) == CLOCK_NEVER)
		clock_timer_set(virtio->timer, clock_now(virtio->clock) + VIRTIO_PAUSE_NS);
}

/* --- set-up ----------------------------------------------------------------------------- */

static void apply_features(struct virtio *virtio)
{
	for (unsigned n = 0; n < virtio->ops->queues; n++) {
		virtio->queue[n].indirect = virtio->features & VIRTIO_F_INDIRECT;
		virtio->queue[n].event_index = virtio->features & VIRTIO_F_EVENT_INDEX;
	}
}

/* What was agreed on stays. Others than those offered are kept for the check. */
void virtio_set_driver_features(struct virtio *virtio, uint64_t features)
{
	if (virtio->status & (virtio->legacy ? VIRTIO_DRIVER_OK : VIRTIO_FEATURES_OK)) {
		guest_error(virtio->ops->name, "features after they were agreed on");
		return;
	}
	virtio->features = virtio->legacy ? features & virtio->offered : features;
	apply_features(virtio);
}

static bool features_fit(const struct virtio *virtio)
{
	return !(virtio->features & ~virtio->offered) && virtio->features & VIRTIO_F_VERSION_1;
}

void virtio_reset(struct virtio *virtio)
{
	for (unsigned n = 0; n < virtio->ops->queues; n++)
		virtqueue_reset(&virtio->queue[n]);
	virtio->features = 0;
	virtio->status = virtio->pending = 0;
	clock_timer_stop(virtio->timer);
	virtio_acknowledge(virtio, 0xff);
	if (virtio->ops->reset)
		virtio->ops->reset(virtio);
}

/* Bits are only ever added. */
void virtio_set_status(struct virtio *virtio, uint8_t status)
{
	if (!status) {
		virtio_reset(virtio);
		return;
	}
	uint8_t added = status & (uint8_t)~virtio->status & (uint8_t)~VIRTIO_NEEDS_RESET;
	if (virtio->legacy)
		added &= (uint8_t)~VIRTIO_FEATURES_OK;
	else if (added & VIRTIO_FEATURES_OK && !features_fit(virtio)) {
		guest_error(virtio->ops->name, "features %llXh of %llXh", (unsigned long long)virtio->features, (unsigned long long)virtio->offered);
		added &= (uint8_t)~VIRTIO_FEATURES_OK;
	}
	virtio->status |= added;
	if (!(added & VIRTIO_DRIVER_OK))
		return;
	virtio->pending = (uint8_t)((1u << virtio->ops->queues) - 1);
	run(virtio);
}

void virtio_init(struct virtio *virtio, const struct virtio_ops *ops, const struct virtio_board *board, uint64_t features)
{
	virtio->ops = ops;
	virtio->clock = board->clock;
	virtio->timer = clock_timer_new(board->clock, run, virtio);
	virtio->irq = board->irq;
	virtio->legacy = board->legacy;
	virtio->offered = features | VIRTIO_F_INDIRECT | VIRTIO_F_EVENT_INDEX | (board->legacy ? VIRTIO_F_ANY_LAYOUT : VIRTIO_F_VERSION_1);
	for (unsigned n = 0; n < ops->queues; n++)
		virtqueue_init(&virtio->queue[n], board->mem, ops->name);
}

void virtio_set_config(struct virtio *virtio, unsigned offset, uint64_t value, unsigned size)
{
	value = GUINT64_TO_LE(value);
	memcpy(virtio->config + offset, &value, size);
	virtio->config_size = MAX(virtio->config_size, offset + size);
}

void virtio_free(struct virtio *virtio)
{
	if (!virtio)
		return;
	clock_timer_free(virtio->timer);
	if (virtio->ops->free)
		virtio->ops->free(virtio);
	g_free(virtio);
}

/* --- state ------------------------------------------------------------------------------ */

void virtio_state(struct virtio *virtio, struct snap *snap)
{
	uint64_t features = virtio->features;
	snap_section(snap, virtio->ops->name, 1);
	snap_u64(snap, "features", &features);
	snap_u8(snap, "status", &virtio->status);
	snap_u8(snap, "interrupt", &virtio->interrupt);
	snap_u8(snap, "pending", &virtio->pending);
	snap_timer(snap, "timer", virtio->timer);
	snap_bytes(snap, "config", virtio->config, virtio->config_writable);
	for (unsigned n = 0; n < virtio->ops->queues; n++)
		virtqueue_state(&virtio->queue[n], snap);
	if (virtio->ops->state)
		virtio->ops->state(virtio, snap);
	if (!snap_is_loading(snap))
		return;
	virtio->features = features;
	virtio->pending &= (uint8_t)((1u << virtio->ops->queues) - 1);
	apply_features(virtio);
	irq_set(&virtio->irq, virtio->interrupt);
}
