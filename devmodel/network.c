#include "devmodel/network.h"

#include <glib.h>

#include "shared/log.h"

struct network_queue {
	GQueue frames; /* of GBytes */
};

static void arrive(void *owner)
{
	struct network *network = owner;
	GQueue *frames = &network->queue->frames;
	GBytes *frame = g_queue_peek_head(frames);
	gsize size;
	if (!frame)
		return;
	const uint8_t *data = g_bytes_get_data(frame, &size);
	if (!network->card.has_room || !network->card.has_room(network->card.owner, size))
		return; /* until network_resume() */
	g_queue_pop_head(frames);
	if (!g_queue_is_empty(frames))
		clock_timer_set(network->arrival, clock_now(network->clock) + NETWORK_FRAME_NS);
	network->card.receive(network->card.owner, data, size);
	g_bytes_unref(frame);
}

void network_init(struct network *network, const struct network_ops *ops, struct clock *clock)
{
	network->ops = ops;
	network->clock = clock;
	network->arrival = clock_timer_new(clock, arrive, network);
	network->queue = g_new0(struct network_queue, 1);
	g_queue_init(&network->queue->frames);
}

void network_fini(struct network *network)
{
	network_forget(network);
	clock_timer_free(network->arrival);
	g_free(network->queue);
}

void network_deliver(struct network *network, const uint8_t *frame, size_t size)
{
	GQueue *frames = &network->queue->frames;
	if (size < NETWORK_FRAME_MIN || size > NETWORK_FRAME_MAX)
		return;
	if (g_queue_get_length(frames) >= NETWORK_QUEUE) {
		guest_error("network", "the card takes no frames: one of %zu bytes is lost", size);
		return;
	}
	g_queue_push_tail(frames, g_bytes_new(frame, size));
	network_resume(network);
}

void network_connect(struct network *network, const struct network_card *card)
{
	network->card = *card;
}

void network_send(struct network *network, const uint8_t *frame, size_t size)
{
	if (size >= NETWORK_FRAME_MIN && size <= NETWORK_FRAME_MAX)
		network->ops->send(network, frame, size);
}

void network_resume(struct network *network)
{
	if (!g_queue_is_empty(&network->queue->frames) && clock_timer_deadline(network->arrival) == CLOCK_NEVER)
		clock_timer_set(network->arrival, clock_now(network->clock) + NETWORK_FRAME_NS);
}

void network_forget(struct network *network)
{
	GBytes *frame;
	while ((frame = g_queue_pop_head(&network->queue->frames)))
		g_bytes_unref(frame);
	clock_timer_stop(network->arrival);
}

void network_poll(struct network *network)
{
	if (network->ops->poll)
		network->ops->poll(network);
}

void network_free(struct network *network)
{
	if (network)
		network->ops->free(network);
}
