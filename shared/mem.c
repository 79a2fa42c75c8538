/* memfd_create() */
#define _GNU_SOURCE

#include "shared/mem_map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct mem *mem_new(void)
{
	struct mem *mem = calloc(1, sizeof *mem);
	struct mem_map *map = calloc(1, sizeof *map);
	if (!mem || !map) {
		free(mem);
		free(map);
		return NULL;
	}
	mem->map = map;
	mem->a20_mask = 0xffffffff;
	mem->flat = mmap(NULL, MEM_SPACE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem->flat == MAP_FAILED)
		mem->flat = NULL;
	mem->page = calloc(MEM_PAGES, 1);
	map->reads = calloc(MEM_PAGES, 1);
	map->writes = calloc(MEM_PAGES, 1);
	if (!mem->flat || !mem->page || !map->reads || !map->writes) {
		mem_free(mem);
		errno = ENOMEM;
		return NULL;
	}
	return mem;
}

static void free_store(struct mem_store *store)
{
	if (store->data)
		munmap(store->data, store->size);
	if (store->fd >= 0)
		close(store->fd);
	free(store->shown);
	free(store);
}

void mem_free(struct mem *mem)
{
	if (!mem)
		return;
	struct mem_map *map = mem->map;
	for (struct mem_store *next, *store = map->stores; store; store = next) {
		next = store->next;
		free_store(store);
	}
	for (struct mem_bell *next, *bell = map->bells; bell; bell = next) {
		next = bell->next;
		free(bell);
	}
	for (unsigned n = 1; n <= map->regions; n++)
		free(map->region[n]);
	if (mem->flat)
		munmap(mem->flat, MEM_SPACE);
	free(mem->page);
	free(map->reads);
	free(map->writes);
	free(map);
	free(mem);
}

int mem_listen(struct mem *mem, const struct mem_listener *listener)
{
	for (unsigned n = 0; n < MEM_LISTENERS; n++) {
		struct mem_listener *slot = &mem->listener[n];
		if (slot->map_changed || slot->code_written)
			continue;
		*slot = *listener;
		return 0;
	}
	return -ENOSPC;
}

void mem_unlisten(struct mem *mem, const void *owner)
{
	for (unsigned n = 0; n < MEM_LISTENERS; n++)
		if (mem->listener[n].owner == owner)
			mem->listener[n] = (struct mem_listener){ 0 };
}

/* --- stores ------------------------------------------------------------------ */

/* Another process may map the file, but cannot cut it short under our feet. */
static int open_store(const char *name, size_t size)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -1;
	if (ftruncate(fd, (off_t)size) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0) {
		int error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

static bool fill_store(struct mem_store *store, const char *name)
{
	store->fd = open_store(name, store->size);
	if (store->fd < 0)
		return false;
	void *data = mmap(NULL, store->size, PROT_READ | PROT_WRITE, MAP_SHARED, store->fd, 0);
	if (data == MAP_FAILED)
		return false;
	store->data = data;
	store->shown = calloc(store->size >> MEM_PAGE_SHIFT, 1);
	return store->shown;
}

struct mem_store *mem_store_new(struct mem *mem, const char *name, size_t size)
{
	if (!size || size > MEM_SPACE) {
		errno = EINVAL;
		return NULL;
	}
	struct mem_store *store = calloc(1, sizeof *store);
	if (!store)
		return NULL;
	store->mem = mem;
	store->size = (size + MEM_OFFSET_MASK) & ~(size_t)MEM_OFFSET_MASK;
	if (!fill_store(store, name)) {
		int error = errno;
		free_store(store);
		errno = error;
		return NULL;
	}
	store->next = mem->map->stores;
	mem->map->stores = store;
	return store;
}

uint8_t *mem_store_data(struct mem_store *store)
{
	return store->data;
}

size_t mem_store_size(const struct mem_store *store)
{
	return store->size;
}

int mem_store_fd(const struct mem_store *store)
{
	return store->fd;
}

/* --- regions ------------------------------------------------------------------ */

static struct mem_region *add_region(struct mem *mem, const char *name, int priority, unsigned flags, uint64_t size)
{
	struct mem_map *map = mem->map;
	if (map->regions == MEM_REGIONS) {
		errno = ENOSPC;
		return NULL;
	}
	struct mem_region *region = calloc(1, sizeof *region);
	if (!region)
		return NULL;
	region->mem = mem;
	region->name = name;
	region->priority = priority;
	region->flags = flags;
	region->size = (size + MEM_OFFSET_MASK) & ~(uint64_t)MEM_OFFSET_MASK;
	region->number = ++map->regions;
	map->region[region->number] = region;
	return region;
}

struct mem_region *mem_region_new(struct mem *mem, const char *name, int priority, unsigned flags,
                                  struct mem_store *store, uint64_t store_offset, uint64_t size)
{
	if (!size || store->mem != mem || (store_offset & MEM_OFFSET_MASK) || store_offset > store->size ||
	    size > store->size - store_offset) {
		errno = EINVAL;
		return NULL;
	}
	struct mem_region *region = add_region(mem, name, priority, flags, size);
	if (region) {
		region->store = store;
		region->store_offset = store_offset;
	}
	return region;
}

struct mem_region *mem_region_new_mmio(struct mem *mem, int priority, uint64_t size,
                                       const struct mem_mmio_ops *ops, void *owner)
{
	if (!size || size > MEM_SPACE) {
		errno = EINVAL;
		return NULL;
	}
	unsigned flags = MEM_REGION_READS | MEM_REGION_WRITES;
	struct mem_region *region = add_region(mem, ops->name, priority, flags, size);
	if (region) {
		region->ops = ops;
		region->owner = owner;
	}
	return region;
}

int mem_region_enable(struct mem_region *region, uint64_t address)
{
	if (address & MEM_OFFSET_MASK)
		return -EINVAL;
	if (region->enabled && region->address == address)
		return 0;
	mem_region_disable(region);
	region->address = address;
	region->enabled = true;
	mem_map_update(region->mem, region, false);
	return 0;
}

void mem_region_disable(struct mem_region *region)
{
	if (!region->enabled)
		return;
	region->enabled = false;
	mem_map_update(region->mem, region, false);
}

void mem_region_set_flags(struct mem_region *region, unsigned flags)
{
	bool rights = (region->flags ^ flags) & MEM_REGION_ROM;
	if (region->flags == flags)
		return;
	region->flags = flags;
	if (region->enabled)
		mem_map_update(region->mem, region, rights);
}
