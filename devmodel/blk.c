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

static bool sectors_fit(struct blk *blk, struct snap *snap)
{
	uint64_t sectors = blk->sectors;

	snap_u64(snap, "sectors", &sectors);
	if (sectors == blk->sectors)
		return true;
	snap_fail(snap, "%s has %llu sectors of 512 bytes, the one that was saved had %llu; give the same image",
	          blk->name ? blk->name : "the medium", (unsigned long long)blk->sectors, (unsigned long long)sectors);
	return false;
}

void blk_state(struct blk *blk, struct snap *snap)
{
	struct blk *base = blk->ops->below ? blk->ops->below(blk) : blk;
	bool overlay = base != blk;

	if (!sectors_fit(blk, snap))
		return;
	snap_bool(snap, "overlay", &overlay);
	if (overlay && base == blk) {
		snap_fail(snap, "%s was saved with --snapshot; give --snapshot again", blk->name ? blk->name : "the medium");
		return;
	}
	if (base->ops->state)
		base->ops->state(base, snap);
	if (overlay)
		blk->ops->state(blk, snap);
	else if (base != blk)
		blk->ops->forget(blk);
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
