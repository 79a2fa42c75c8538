#include "devmodel/virtio_net.h"

#include <glib.h>
#include <string.h>

#include "shared/log.h"

#define DEVICE_ID 1u

/* 5.1.3 */
#define F_MAC    (UINT64_C(1) << 5)
#define F_STATUS (UINT64_C(1) << 16)

/* 5.1.4: offsets of the configuration */
enum { CONFIG_MAC = 0, CONFIG_STATUS = 6 };
#define MAC_SIZE       6u
#define STATUS_LINK_UP 1u

/* 5.1.2 */
enum { QUEUE_RECEIVE, QUEUE_TRANSMIT, QUEUES };

/* 5.1.6: nothing in front of a frame means anything without offloads, but the number of
 * buffers that it takes; before 1.0 that was not there. */
#define HEADER_SIZE        12u
#define HEADER_SIZE_LEGACY 10u
#define HEADER_BUFFERS     10u

struct virtio_net {
	struct virtio virtio;
	struct network *network;
	uint8_t frame[NETWORK_FRAME_MAX];
};

static uint32_t header_size(const struct virtio_net *card)
{
	return card->virtio.legacy ? HEADER_SIZE_LEGACY : HEADER_SIZE;
}

/* --- receiving ------------------------------------------------------------------------------ */

/* A card that nobody uses takes all frames, to drop them. */
static bool has_room(void *owner, size_t size)
{
	struct virtio_net *card = owner;
	(void)size;
	if (!virtio_is_running(&card->virtio, QUEUE_RECEIVE))
		return true;
	bool has_chain = virtqueue_has_chain(&card->virtio.queue[QUEUE_RECEIVE]);
	virtio_signal(&card->virtio, QUEUE_RECEIVE); /* if that broke the queue */
	return has_chain;
}

static void fill(struct virtio_net *card, struct virtqueue *queue, const struct virtqueue_chain *chain, const uint8_t *frame, size_t size)
{
	uint8_t header[HEADER_SIZE] = { [HEADER_BUFFERS] = 1 };
	uint32_t before = header_size(card), written = before + (uint32_t)size;
	if (chain->writable_size < written) {
		guest_error("virtio-net", "a buffer of %llu bytes for a frame of %zu: it is lost", (unsigned long long)chain->writable_size, size);
		written = 0;
	} else if (!virtqueue_write(queue, chain, 0, header, before) || !virtqueue_write(queue, chain, before, frame, size)) {
		return;
	}
	virtqueue_push(queue, chain, written);
}

static void receive(void *owner, const uint8_t *frame, size_t size)
{
	struct virtio_net *card = owner;
	struct virtqueue *queue = &card->virtio.queue[QUEUE_RECEIVE];
	struct virtqueue_chain chain;
	if (!virtio_is_running(&card->virtio, QUEUE_RECEIVE))
		return;
	if (virtqueue_pop(queue, &chain))
		fill(card, queue, &chain, frame, size);
	virtio_signal(&card->virtio, QUEUE_RECEIVE);
}

/* --- sending -------------------------------------------------------------------------------- */

static uint32_t serve_transmit(struct virtio_net *card)
{
	struct virtqueue *queue = &card->virtio.queue[QUEUE_TRANSMIT];
	struct virtqueue_chain chain;
	uint32_t before = header_size(card), size = 0;
	if (!virtqueue_pop(queue, &chain))
		return 0;
	if (chain.readable_size < before + NETWORK_FRAME_MIN || chain.readable_size > before + NETWORK_FRAME_MAX)
		guest_error("virtio-net", "a frame of %llu bytes with its header: it is not sent", (unsigned long long)chain.readable_size);
	else if (!virtqueue_read(queue, &chain, before, card->frame, size = (uint32_t)chain.readable_size - before))
		return 0;
	else if (card->network)
		network_send(card->network, card->frame, size);
	virtqueue_push(queue, &chain, 0);
	return VIRTIO_CHAIN_COST + size;
}

/* There are new buffers. */
static uint32_t serve_receive(struct virtio_net *card)
{
	if (card->network && virtqueue_has_chain(&card->virtio.queue[QUEUE_RECEIVE]))
		network_resume(card->network);
	return 0;
}

static uint32_t serve(struct virtio *virtio, unsigned n)
{
	struct virtio_net *card = (struct virtio_net *)virtio;
	return n == QUEUE_RECEIVE ? serve_receive(card) : serve_transmit(card);
}

/* --- all of it ------------------------------------------------------------------------------ */

static void reset(struct virtio *virtio)
{
	struct virtio_net *card = (struct virtio_net *)virtio;
	if (card->network)
		network_forget(card->network);
}

static void state(struct virtio *virtio, struct snap *snap)
{
	if (snap_is_loading(snap))
		reset(virtio);
}

static void free_card(struct virtio *virtio)
{
	struct virtio_net *card = (struct virtio_net *)virtio;
	if (card->network)
		network_connect(card->network, &(struct network_card){ 0 });
}

static const struct virtio_ops ops = {
	.name = "virtio-net", .id = DEVICE_ID, .queues = QUEUES, .serve = serve, .reset = reset, .state = state, .free = free_card,
};

struct virtio *virtio_net_new(const struct virtio_board *board, struct network *network, const uint8_t mac[6])
{
	struct virtio_net *card = g_new0(struct virtio_net, 1);
	card->network = network;
	virtio_init(&card->virtio, &ops, board, F_MAC | F_STATUS);
	for (unsigned n = 0; n < MAC_SIZE; n++)
		virtio_set_config(&card->virtio, CONFIG_MAC + n, mac[n], 1);
	virtio_set_config(&card->virtio, CONFIG_STATUS, network ? STATUS_LINK_UP : 0, 2);
	card->virtio.config_writable = board->legacy ? MAC_SIZE : 0;
	if (network)
		network_connect(network, &(struct network_card){ has_room, receive, card });
	return &card->virtio;
}
