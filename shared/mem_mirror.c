#include "shared/mem_mirror.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "shared/mem_map.h"

/* The ops and the owner of one region that is answered elsewhere. */
struct proxy {
	struct mem_mmio_ops ops;
	struct mem_mirror *mirror;
	const struct mem_region *region;
};

struct mem_mirror {
	struct mem *mem;
	struct mem_mirror_proxy answer;
	struct mem_store *store[MEM_MIRROR_STORES];
	unsigned stores;
	struct proxy proxy[MEM_MIRROR_REGIONS];
};

/* --- describing ------------------------------------------------------------------ */

/* Stores are linked newest first. */
static unsigned count_stores(const struct mem_store *from)
{
	unsigned count = 0;
	for (; from; from = from->next)
		count++;
	return count;
}

static uint32_t store_number(const struct mem_store *store)
{
	return store ? count_stores(store) - 1 : MEM_MIRROR_MMIO;
}

unsigned mem_mirror_describe(const struct mem *mem, struct mem_mirror_region to[static MEM_MIRROR_REGIONS])
{
	const struct mem_map *map = mem->map;
	for (unsigned n = 1; n <= map->regions; n++) {
		const struct mem_region *region = map->region[n];
		to[n - 1] = (struct mem_mirror_region){
			.address = region->address, .size = region->size, .store_offset = region->store_offset,
			.priority = region->priority, .flags = region->flags, .store = store_number(region->store),
			.max_size = region->ops ? region->ops->max_size : 8, .enabled = region->enabled,
		};
	}
	return map->regions;
}

int mem_mirror_store_fds(const struct mem *mem, int to[static MEM_MIRROR_STORES])
{
	unsigned count = count_stores(mem->map->stores), n = count;
	if (count > MEM_MIRROR_STORES)
		return -ENOSPC;
	for (const struct mem_store *store = mem->map->stores; store; store = store->next)
		to[--n] = store->fd;
	return (int)count;
}

/* --- building ---------------------------------------------------------------------- */

static struct mem_store *share_store(struct mem *mem, const struct mem_store *original)
{
	struct mem_store *store = calloc(1, sizeof *store);
	if (!store)
		return NULL;
	*store = (struct mem_store){ .mem = mem, .size = original->size, .fd = original->fd };
	void *data = mmap(NULL, store->size, PROT_READ | PROT_WRITE, MAP_SHARED, store->fd, 0);
	store->data = data == MAP_FAILED ? NULL : data;
	store->shown = calloc(store->size >> MEM_PAGE_SHIFT, 1);
	store->next = mem->map->stores;
	mem->map->stores = store;
	return store->data && store->shown ? store : NULL;
}

static bool share_stores(struct mem_mirror *mirror, const struct mem *original)
{
	const struct mem_store *store = original->map->stores, *in_order[MEM_MIRROR_STORES];
	unsigned count = count_stores(store);
	if (count > MEM_MIRROR_STORES) {
		errno = ENOSPC;
		return false;
	}
	for (unsigned n = count; store; store = store->next)
		in_order[--n] = store;
	for (unsigned n = 0; n < count; n++, mirror->stores++)
		if (!(mirror->store[n] = share_store(mirror->mem, in_order[n])))
			return false;
	return true;
}

struct mem_mirror *mem_mirror_new(const struct mem *original, const struct mem_mirror_proxy *proxy)
{
	struct mem_mirror *mirror = calloc(1, sizeof *mirror);
	if (!mirror)
		return NULL;
	mirror->answer = *proxy;
	mirror->mem = mem_new();
	if (mirror->mem && share_stores(mirror, original))
		return mirror;
	int error = errno;
	mem_mirror_free(mirror);
	errno = error;
	return NULL;
}

void mem_mirror_free(struct mem_mirror *mirror)
{
	if (!mirror)
		return;
	if (mirror->mem)
		for (struct mem_store *store = mirror->mem->map->stores; store; store = store->next)
			store->fd = -1;
	mem_free(mirror->mem);
	free(mirror);
}

struct mem *mem_mirror_mem(struct mem_mirror *mirror)
{
	return mirror->mem;
}

/* --- following ----------------------------------------------------------------------- */

static uint64_t proxy_read(void *owner, uint64_t offset, unsigned size)
{
	const struct proxy *proxy = owner;
	const struct mem_mirror_proxy *answer = &proxy->mirror->answer;
	return answer->read(answer->owner, proxy->region->address + offset, size);
}

static void proxy_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	const struct proxy *proxy = owner;
	const struct mem_mirror_proxy *answer = &proxy->mirror->answer;
	answer->write(answer->owner, proxy->region->address + offset, size, value);
}

static struct mem_region *add_proxy(struct mem_mirror *mirror, const struct mem_mirror_region *like, unsigned n)
{
	struct proxy *proxy = &mirror->proxy[n];
	proxy->ops = (struct mem_mmio_ops){ "elsewhere", like->max_size, proxy_read, proxy_write };
	proxy->mirror = mirror;
	struct mem_region *region = mem_region_new_mmio(mirror->mem, like->priority, like->size, &proxy->ops, proxy);
	proxy->region = region;
	return region;
}

static int add_region(struct mem_mirror *mirror, const struct mem_mirror_region *like, unsigned n)
{
	if (n >= MEM_MIRROR_REGIONS)
		return -ENOSPC;
	struct mem_region *region =
		like->store < mirror->stores
			? mem_region_new(mirror->mem, "mirror", like->priority, like->flags, mirror->store[like->store],
	                                 like->store_offset, like->size)
			: add_proxy(mirror, like, n);
	return region ? 0 : -errno;
}

/* Whoever goes, goes first, so that at no time more is shown than before or after. */
int mem_mirror_update(struct mem_mirror *mirror, const struct mem_mirror_region *regions, unsigned count)
{
	struct mem_map *map = mirror->mem->map;
	int error = 0;
	while (!error && map->regions < count)
		error = add_region(mirror, &regions[map->regions], map->regions);
	for (unsigned n = 0; n < map->regions && n < count; n++) {
		struct mem_region *region = map->region[n + 1];
		if (region->enabled && (!regions[n].enabled || region->address != regions[n].address))
			mem_region_disable(region);
		mem_region_set_flags(region, regions[n].flags);
	}
	for (unsigned n = 0; n < map->regions && n < count; n++)
		if (regions[n].enabled)
			mem_region_enable(map->region[n + 1], regions[n].address);
	return error;
}

static void tell_written(struct mem *mem, uint32_t address, uint32_t size)
{
	for (unsigned n = 0; n < MEM_LISTENERS; n++)
		if (mem->listener[n].code_written)
			mem->listener[n].code_written(mem->listener[n].owner, address, size);
}

void mem_mirror_written(struct mem_mirror *mirror, uint64_t address, uint64_t size)
{
	struct mem *mem = mirror->mem;
	uint64_t end = address > MEM_SPACE || size > MEM_SPACE - address ? MEM_SPACE : address + size;
	while (address < end) {
		uint64_t next = (address & ~(uint64_t)MEM_OFFSET_MASK) + MEM_PAGE_SIZE;
		uint64_t until = next < end ? next : end;
		if (mem->page[address >> MEM_PAGE_SHIFT] & MEM_CODE)
			tell_written(mem, (uint32_t)address, (uint32_t)(until - address));
		address = until;
	}
}

void mem_mirror_forget(struct mem_mirror *mirror)
{
	struct mem *mem = mirror->mem;
	mem->epoch++;
	for (unsigned n = 0; n < MEM_LISTENERS; n++)
		if (mem->listener[n].map_changed)
			mem->listener[n].map_changed(mem->listener[n].owner, 0, MEM_SPACE);
}
