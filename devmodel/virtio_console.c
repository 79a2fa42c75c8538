#include "devmodel/virtio_console.h"

#include <glib.h>
#include <string.h>

#define DEVICE_ID 3u
#define PIECE     4096u

/* 5.3.2 */
enum { QUEUE_RECEIVE, QUEUE_TRANSMIT, QUEUES };

/* Input comes byte by byte; what came shortly one after the other shares a buffer. */
struct virtio_console {
	struct virtio virtio;
	struct chardev *chardev;
	uint8_t input[VIRTIO_CONSOLE_INPUT];
	uint16_t waiting; /* bytes in `input` */
};

/* --- input -------------------------------------------------------------------------------- */

/* Without buffers the host keeps what it has. */
static size_t room(void *owner)
{
	struct virtio_console *console = owner;
	struct virtio *virtio = &console->virtio;
	if (!virtio_is_running(virtio, QUEUE_RECEIVE))
		return 0;
	bool has_chain = virtqueue_has_chain(&virtio->queue[QUEUE_RECEIVE]);
	virtio_signal(virtio, QUEUE_RECEIVE); /* if that broke the queue */
	return has_chain ? VIRTIO_CONSOLE_INPUT - console->waiting : 0;
}

static void receive(void *owner, uint8_t byte)
{
	struct virtio_console *console = owner;
	console->input[console->waiting++] = byte;
	virtio_wake(&console->virtio, QUEUE_RECEIVE);
}

static uint32_t serve_receive(struct virtio_console *console)
{
	struct virtqueue *queue = &console->virtio.queue[QUEUE_RECEIVE];
	struct virtqueue_chain chain;
	if (!console->waiting || !virtqueue_pop(queue, &chain))
		return 0;
	uint16_t part = (uint16_t)MIN(console->waiting, chain.writable_size);
	if (!virtqueue_write(queue, &chain, 0, console->input, part))
		return 0;
	console->waiting -= part;
	memmove(console->input, console->input + part, console->waiting);
	virtqueue_push(queue, &chain, part);
	return VIRTIO_CHAIN_COST;
}

/* --- output ------------------------------------------------------------------------------- */

static uint32_t serve_transmit(struct virtio_console *console)
{
	struct virtqueue *queue = &console->virtio.queue[QUEUE_TRANSMIT];
	struct virtqueue_chain chain;
	uint8_t piece[PIECE];
	if (!virtqueue_pop(queue, &chain))
		return 0;
	if (chain.readable_size > VIRTIO_CONSOLE_WRITE_MAX)
		virtqueue_break(queue, "%llu bytes for the console at once", (unsigned long long)chain.readable_size);
	for (uint32_t done = 0, part; !queue->broken && done < chain.readable_size; done += part) {
		part = (uint32_t)MIN(PIECE, chain.readable_size - done);
		if (virtqueue_read(queue, &chain, done, piece, part))
			chardev_write(console->chardev, piece, part);
	}
	if (queue->broken)
		return 0;
	virtqueue_push(queue, &chain, 0);
	return VIRTIO_CHAIN_COST + (uint32_t)chain.readable_size;
}

static uint32_t serve(struct virtio *virtio, unsigned n)
{
	struct virtio_console *console = (struct virtio_console *)virtio;
	return n == QUEUE_RECEIVE ? serve_receive(console) : serve_transmit(console);
}

/* --- all of it ------------------------------------------------------------------------------ */

static void reset(struct virtio *virtio)
{
	((struct virtio_console *)virtio)->waiting = 0;
}

static void state(struct virtio *virtio, struct snap *snap)
{
	struct virtio_console *console = (struct virtio_console *)virtio;
	snap_u16(snap, "waiting", &console->waiting);
	snap_bytes(snap, "input", console->input, sizeof console->input);
	if (console->waiting <= VIRTIO_CONSOLE_INPUT)
		return;
	snap_fail(snap, "virtio-console: %u bytes wait", console->waiting);
	console->waiting = 0;
}

static void free_console(struct virtio *virtio)
{
	chardev_set_receiver(((struct virtio_console *)virtio)->chardev, NULL);
}

static const struct virtio_ops ops = {
	.name = "virtio-console", .id = DEVICE_ID, .queues = QUEUES, .serve = serve, .reset = reset, .state = state, .free = free_console,
};

struct virtio *virtio_console_new(const struct virtio_board *board, struct chardev *chardev)
{
	struct virtio_console *console = g_new0(struct virtio_console, 1);
	const struct chardev_receiver receiver = { room, receive, console };
	console->chardev = chardev;
	virtio_init(&console->virtio, &ops, board, 0);
	chardev_set_receiver(chardev, &receiver);
	return &console->virtio;
}
