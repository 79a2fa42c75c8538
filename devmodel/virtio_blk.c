#include "devmodel/virtio_blk.h"

#include <glib.h>
#include <string.h>

#define DEVICE_ID 2u

/* 5.2.3 */
#define F_SIZE_MAX (UINT64_C(1) << 1)
#define F_SEG_MAX  (UINT64_C(1) << 2)
#define F_RO       (UINT64_C(1) << 5)
#define F_BLK_SIZE (UINT64_C(1) << 6)
#define F_FLUSH    (UINT64_C(1) << 9)

/* 5.2.4: offsets of the configuration */
enum { CONFIG_CAPACITY = 0, CONFIG_SIZE_MAX = 8, CONFIG_SEG_MAX = 12, CONFIG_BLK_SIZE = 20 };

/* 5.2.6 */
enum { TYPE_IN = 0, TYPE_OUT = 1, TYPE_FLUSH = 4, TYPE_GET_ID = 8 };
enum { STATUS_OK = 0, STATUS_IOERR = 1, STATUS_UNSUPP = 2 };

#define ID_SIZE     20u
#define PIECE       65536u
#define REQUEST_MAX ((uint64_t)VIRTIO_BLK_SEGMENT_MAX * VIRTIO_BLK_SEGMENTS_MAX)

struct request_header {
	uint32_t type, reserved;
	uint64_t sector;
};
_Static_assert(sizeof(struct request_header) == 16, "5.2.6");

struct virtio_blk {
	struct virtio virtio;
	struct blk *blk;
	char id[ID_SIZE + 1];
	uint8_t piece[PIECE];
};

/* A request under way: `size` bytes of data at `sector`. */
struct request {
	const struct virtqueue_chain *chain;
	uint32_t type;
	uint64_t sector;
	uint32_t size;
};

/* Each returns a status; with an unusable chain the queue is broken as well. */

static uint8_t read_piece(struct virtio_blk *disk, struct virtqueue *queue, const struct request *request, uint32_t offset, uint32_t part)
{
	uint64_t sector = request->sector + offset / BLK_SECTOR_SIZE;
	bool fine = !blk_read(disk->blk, sector, part / BLK_SECTOR_SIZE, disk->piece) &&
	            virtqueue_write(queue, request->chain, offset, disk->piece, part);
	return fine ? STATUS_OK : STATUS_IOERR;
}

static uint8_t write_piece(struct virtio_blk *disk, struct virtqueue *queue, const struct request *request, uint32_t offset, uint32_t part)
{
	uint64_t sector = request->sector + offset / BLK_SECTOR_SIZE;
	bool fine = virtqueue_read(queue, request->chain, sizeof(struct request_header) + offset, disk->piece, part) &&
	            !blk_write(disk->blk, sector, part / BLK_SECTOR_SIZE, disk->piece);
	return fine ? STATUS_OK : STATUS_IOERR;
}

static bool fits(const struct virtio_blk *disk, const struct request *request)
{
	uint64_t count = request->size / BLK_SECTOR_SIZE;
	return request->size % BLK_SECTOR_SIZE == 0 && request->sector <= disk->blk->sectors && count <= disk->blk->sectors - request->sector;
}

/* Nothing of a request that does not fit is done. */
static uint8_t move(struct virtio_blk *disk, struct virtqueue *queue, const struct request *request)
{
	uint8_t status = fits(disk, request) ? STATUS_OK : STATUS_IOERR;
	for (uint32_t done = 0, part; status == STATUS_OK && done < request->size; done += part) {
		part = MIN(PIECE, request->size - done);
		status = request->type == TYPE_IN ? read_piece(disk, queue, request, done, part)
		                                  : write_piece(disk, queue, request, done, part);
	}
	return status;
}

static uint8_t give_id(struct virtio_blk *disk, struct virtqueue *queue, const struct request *request)
{
	uint32_t size = MIN(request->size, ID_SIZE);
	return virtqueue_write(queue, request->chain, 0, disk->id, size) ? STATUS_OK : STATUS_IOERR;
}

static uint8_t carry_out(struct virtio_blk *disk, struct virtqueue *queue, const struct request *request)
{
	switch (request->type) {
	case TYPE_IN:
	case TYPE_OUT:
		return move(disk, queue, request);
	case TYPE_FLUSH:
		return blk_flush(disk->blk) ? STATUS_IOERR : STATUS_OK;
	case TYPE_GET_ID:
		return give_id(disk, queue, request);
	default:
		return STATUS_UNSUPP;
	}
}

static bool parse(struct virtqueue *queue, const struct virtqueue_chain *chain, struct request *request)
{
	struct request_header header;
	if (chain->readable_size < sizeof header || !chain->writable_size)
		virtqueue_break(queue, "a request without header or status");
	else if (chain->readable_size + chain->writable_size > REQUEST_MAX + sizeof header + 1)
		virtqueue_break(queue, "a request of more than %llu bytes", (unsigned long long)REQUEST_MAX);
	else
		virtqueue_read(queue, chain, 0, &header, sizeof header);
	if (queue->broken)
		return false;
	*request = (struct request){ .chain = chain, .type = GUINT32_FROM_LE(header.type), .sector = GUINT64_FROM_LE(header.sector) };
	request->size = (uint32_t)(request->type == TYPE_OUT ? chain->readable_size - sizeof header : chain->writable_size - 1);
	return true;
}

/* Bytes without a gap from the first on, of which the last is the status. */
static uint32_t count_written(const struct request *request, uint8_t status)
{
	bool is_filled = request->type == TYPE_IN || (request->type == TYPE_GET_ID && request->size <= ID_SIZE);
	uint32_t before = (uint32_t)request->chain->writable_size - 1;
	return !before || (status == STATUS_OK && is_filled) ? before + 1 : 0;
}

static uint32_t serve(struct virtio *virtio, unsigned n)
{
	struct virtio_blk *disk = (struct virtio_blk *)virtio;
	struct virtqueue *queue = &virtio->queue[n];
	struct virtqueue_chain chain;
	struct request request;
	if (!virtqueue_pop(queue, &chain) || !parse(queue, &chain, &request))
		return 0;
	uint8_t status = carry_out(disk, queue, &request);
	if (!virtqueue_write(queue, &chain, chain.writable_size - 1, &status, 1))
		return 0;
	virtqueue_push(queue, &chain, count_written(&request, status));
	/* The host takes its time for a flush: one, and the host has its turn. */
	return request.type == TYPE_FLUSH ? VIRTIO_BUDGET : VIRTIO_CHAIN_COST + request.size;
}

static void state(struct virtio *virtio, struct snap *snap)
{
	blk_state(((struct virtio_blk *)virtio)->blk, snap);
}

static void free_disk(struct virtio *virtio)
{
	blk_free(((struct virtio_blk *)virtio)->blk);
}

static const struct virtio_ops ops = {
	.name = "virtio-blk", .id = DEVICE_ID, .queues = 1, .serve = serve, .state = state, .free = free_disk,
};

struct virtio *virtio_blk_new(const struct virtio_board *board, struct blk *blk, unsigned number)
{
	struct virtio_blk *disk = g_new0(struct virtio_blk, 1);
	uint64_t features = F_SIZE_MAX | F_SEG_MAX | F_BLK_SIZE | F_FLUSH | (blk->read_only ? F_RO : 0);
	disk->blk = blk;
	g_snprintf(disk->id, sizeof disk->id, "v2e-virtio-%u", number);
	virtio_init(&disk->virtio, &ops, board, features);
	virtio_set_config(&disk->virtio, CONFIG_CAPACITY, blk->sectors, 8);
	virtio_set_config(&disk->virtio, CONFIG_SIZE_MAX, VIRTIO_BLK_SEGMENT_MAX, 4);
	virtio_set_config(&disk->virtio, CONFIG_SEG_MAX, VIRTIO_BLK_SEGMENTS_MAX, 4);
	virtio_set_config(&disk->virtio, CONFIG_BLK_SIZE, BLK_SECTOR_SIZE, 4);
	return &disk->virtio;
}
