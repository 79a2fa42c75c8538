#include "devmodel/blk.h"

#include <errno.h>
#include <string.h>

#include "shared/log.h"
#include "shared/snap.h"

static bool in_range(const struct blk *blk, uint64_t sector, uint32_t count)
{
	return sector <= blk->sectors && count <= blk->sectors - sector;
}

int blk_read(struct blk *blk, uint64_t sector, uint32_t count, void *to)
{
	if (!in_range(blk, sector, count))
		return -ERANGE;
	return count ? blk->ops->read(blk, sector, count, to) : 0;
}

int blk_write(struct blk *blk, uint64_t sector, uint32_t count, const void *from)
{
	if (blk->read_only)
		return -EROFS;
	if (!in_range(blk, sector, count))
		return -ERANGE;
	return count ? blk->ops->write(blk, sector, count, from) : 0;
}

int blk_flush(struct blk *blk)
{
	return blk->ops->flush ? blk->ops->flush(blk) : 0;
}

void blk_state(struct blk *blk, struct snap *snap)
{
	uint64_t sectors = blk->sectors;

	snap_u64(snap, "sectors", &sectors);
	if (sectors != blk->sectors) {
		snap_fail(snap, "the medium has %llu sectors, saved were %llu",
		          (unsigned long long)blk->sectors, (unsigned long long)sectors);
		return;
	}
	if (blk->ops->state)
		blk->ops->state(blk, snap);
}

void blk_free(struct blk *blk)
{
	if (!blk)
		return;
	int error = blk_flush(blk);
	if (error)
		log_error("%s: flush failed: %s", blk->ops->name, strerror(-error));
	blk->ops->free(blk);
}
