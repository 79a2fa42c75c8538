/* Save and load of a store, without what was never written. */
#define _GNU_SOURCE /* fallocate(), SEEK_DATA */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "shared/mem_map.h"
#include "shared/snap.h"

/* Longest run of pages; a bound for what one item holds. */
#define RUN_PAGES 256u

struct run {
	uint32_t page, pages; /* pages 0: no more */
};

static bool is_blank(const uint8_t *page)
{
	return !page[0] && !memcmp(page, page + 1, MEM_PAGE_SIZE - 1);
}

/* Start of what the store has memory for, from `offset` on; its size if none. To
 * look at a page that has none would give it some. */
static uint64_t next_data(const struct mem_store *store, uint64_t offset)
{
	off_t found = lseek(store->fd, (off_t)offset, SEEK_DATA);
	if (found >= 0)
		return (uint64_t)found;
	return errno == ENXIO ? store->size : offset;
}

static uint32_t next_written(const struct mem_store *store, uint32_t page)
{
	uint64_t offset = (uint64_t)page * MEM_PAGE_SIZE;
	while (offset < store->size && (offset = next_data(store, offset)) < store->size && is_blank(store->data + offset))
		offset += MEM_PAGE_SIZE;
	return (uint32_t)(offset / MEM_PAGE_SIZE);
}

static struct run next_run(const struct mem_store *store, uint32_t page)
{
	struct run run = { .page = next_written(store, page) };
	while (run.pages < RUN_PAGES && run.page + run.pages < store->size / MEM_PAGE_SIZE &&
	       !is_blank(store->data + (uint64_t)(run.page + run.pages) * MEM_PAGE_SIZE))
		run.pages++;
	return run;
}

static void run_state(struct run *run, struct snap *snap)
{
	snap_u32(snap, "page", &run->page);
	snap_u32(snap, "pages", &run->pages);
}

static void save(struct mem_store *store, struct snap *snap)
{
	struct run run = { 0 };
	do {
		run = next_run(store, run.page + run.pages);
		run_state(&run, snap);
		if (run.pages)
			snap_bytes(snap, "bytes", store->data + (uint64_t)run.page * MEM_PAGE_SIZE, (size_t)run.pages * MEM_PAGE_SIZE);
	} while (run.pages);
}

static bool fits(const struct mem_store *store, const struct run *run)
{
	uint64_t pages = store->size / MEM_PAGE_SIZE;
	return run->pages <= RUN_PAGES && run->page <= pages && run->pages <= pages - run->page;
}

static void load(struct mem_store *store, struct snap *snap)
{
	struct run run = { 0 };
	if (snap_error(snap))
		return;
	if (fallocate(store->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)store->size))
		memset(store->data, 0, store->size);
	for (;;) {
		run_state(&run, snap);
		if (!fits(store, &run))
			snap_fail(snap, "%u pages from %u on are more than there are", run.pages, run.page);
		if (snap_error(snap) || !run.pages)
			return;
		snap_bytes(snap, "bytes", store->data + (uint64_t)run.page * MEM_PAGE_SIZE, (size_t)run.pages * MEM_PAGE_SIZE);
	}
}

void mem_store_state(struct mem_store *store, struct snap *snap)
{
	uint64_t size = store->size;
	snap_u64(snap, "size", &size);
	if (size != store->size)
		snap_fail(snap, "%llu bytes, not %zu", (unsigned long long)size, store->size);
	else if (snap_is_loading(snap))
		load(store, snap);
	else
		save(store, snap);
}
