#include "devmodel/virtio_rng.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/random.h>

#include "shared/log.h"

#define DEVICE_ID 4u
#define PIECE     256u /* getrandom() gives so much at once */

struct virtio_rng {
	struct virtio virtio;
	uint64_t seed; /* of the generator */
};

/* SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators"):
 * good numbers, and no secret. */
static uint64_t next_number(struct virtio_rng *rng)
{
	uint64_t z = rng->seed += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static void generate(struct virtio_rng *rng, uint8_t *to)
{
	for (unsigned n = 0; n < PIECE; n += 8) {
		uint64_t number = GUINT64_TO_LE(next_number(rng));
		memcpy(to + n, &number, sizeof number);
	}
}

static bool fill(struct virtio_rng *rng, uint8_t *to)
{
	if (clock_kind(rng->virtio.clock) == CLOCK_KIND_VIRTUAL) {
		generate(rng, to);
		return true;
	}
	ssize_t got;
	do
		got = getrandom(to, PIECE, 0);
	while (got < 0 && errno == EINTR);
	if (got == PIECE)
		return true;
	log_error("getrandom: %s; the guest's request for random numbers gets none", g_strerror(errno));
	return false;
}

static uint32_t serve(struct virtio *virtio, unsigned n)
{
	struct virtio_rng *rng = (struct virtio_rng *)virtio;
	struct virtqueue *queue = &virtio->queue[n];
	struct virtqueue_chain chain;
	uint8_t piece[PIECE];
	if (!virtqueue_pop(queue, &chain))
		return 0;
	uint32_t wanted = (uint32_t)MIN(chain.writable_size, VIRTIO_RNG_MAX), done = 0;
	while (done < wanted && fill(rng, piece)) {
		uint32_t part = MIN(PIECE, wanted - done);
		if (!virtqueue_write(queue, &chain, done, piece, part))
			return 0;
		done += part;
	}
	virtqueue_push(queue, &chain, done);
	return VIRTIO_CHAIN_COST + done;
}

static void state(struct virtio *virtio, struct snap *snap)
{
	snap_u64(snap, "seed", &((struct virtio_rng *)virtio)->seed);
}

static const struct virtio_ops ops = { .name = "virtio-rng", .id = DEVICE_ID, .queues = 1, .serve = serve, .state = state };

struct virtio *virtio_rng_new(const struct virtio_board *board)
{
	struct virtio_rng *rng = g_new0(struct virtio_rng, 1);
	virtio_init(&rng->virtio, &ops, board, 0);
	return &rng->virtio;
}
