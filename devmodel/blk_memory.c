#include "devmodel/blk.h"

#include <glib.h>
#include <string.h>

#include "shared/snap.h"

struct blk_memory {
	struct blk blk;
	uint8_t *data;
	uint64_t fail_first, fail_last;
	int fail_error;
	unsigned flushes;
};

static int failure(const struct blk_memory *memory, uint64_t sector, uint32_t count)
{
	bool hit = sector <= memory->fail_last && sector + count > memory->fail_first;
	return hit ? memory->fail_error : 0;
}

static int memory_read(struct blk *blk, uint64_t sector, uint32_t count, void *to)
{
	struct blk_memory *memory = (struct blk_memory *)blk;
	int error = failure(memory, sector, count);

	if (!error)
		memcpy(to, memory->data + sector * BLK_SECTOR_SIZE, (size_t)count * BLK_SECTOR_SIZE);
	return error;
}

static int memory_write(struct blk *blk, uint64_t sector, uint32_t count, const void *from)
{
	struct blk_memory *memory = (struct blk_memory *)blk;
	int error = failure(memory, sector, count);

	if (!error)
		memcpy(memory->data + sector * BLK_SECTOR_SIZE, from, (size_t)count * BLK_SECTOR_SIZE);
	return error;
}

static int memory_flush(struct blk *blk)
{
	struct blk_memory *memory = (struct blk_memory *)blk;

	memory->flushes++;
	return memory->fail_error;
}

static void memory_state(struct blk *blk, struct snap *snap)
{
	struct blk_memory *memory = (struct blk_memory *)blk;

	snap_bytes(snap, "data", memory->data, (size_t)blk->sectors * BLK_SECTOR_SIZE);
}

static void memory_free(struct blk *blk)
{
	struct blk_memory *memory = (struct blk_memory *)blk;

	g_free(memory->data);
	g_free(memory);
}

static const struct blk_ops memory_ops = {
	.name = "memory disk",
	.read = memory_read,
	.write = memory_write,
	.flush = memory_flush,
	.state = memory_state,
	.free = memory_free,
};

struct blk *blk_memory_new(size_t size, bool read_only)
{
	struct blk_memory *memory = g_new0(struct blk_memory, 1);
	size_t sectors = size / BLK_SECTOR_SIZE + (size % BLK_SECTOR_SIZE != 0);

	memory->blk.ops = &memory_ops;
	memory->blk.sectors = MAX(sectors, 1);
	memory->blk.read_only = read_only;
	memory->data = g_malloc0((size_t)memory->blk.sectors * BLK_SECTOR_SIZE);
	return &memory->blk;
}

uint8_t *blk_memory_data(struct blk *blk)
{
	return ((struct blk_memory *)blk)->data;
}

void blk_memory_fail(struct blk *blk, uint64_t first, uint64_t last, int error)
{
	struct blk_memory *memory = (struct blk_memory *)blk;

	memory->fail_first = first;
	memory->fail_last = last;
	memory->fail_error = error;
}

unsigned blk_memory_flushes(const struct blk *blk)
{
	return ((const struct blk_memory *)blk)->flushes;
}
