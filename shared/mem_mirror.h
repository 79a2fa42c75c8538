/* A guest-physical map that follows another one, over the same stores: the map of
 * an engine in another process. */
#ifndef V2E_SHARED_MEM_MIRROR_H
#define V2E_SHARED_MEM_MIRROR_H

#include "shared/mem.h"

#define MEM_MIRROR_REGIONS 254u
#define MEM_MIRROR_STORES  16u
#define MEM_MIRROR_MMIO    UINT32_MAX

/* A region as it crosses to the other process. */
struct mem_mirror_region {
	uint64_t address, size, store_offset;
	int32_t priority;
	uint32_t flags;    /* enum mem_region_flag */
	uint32_t store;    /* number of the store, in the order of creation, or MEM_MIRROR_MMIO */
	uint32_t max_size; /* MMIO: as in struct mem_mmio_ops */
	uint32_t enabled;
	uint32_t reserved;
};

/* Who answers for MMIO regions, and for stores that the mirror does not know. */
struct mem_mirror_proxy {
	uint64_t (*read)(void *owner, uint64_t address, unsigned size);
	void (*write)(void *owner, uint64_t address, unsigned size, uint64_t value);
	void *owner;
};

/* All regions of a map, in the order of creation. Returns how many. */
unsigned mem_mirror_describe(const struct mem *mem, struct mem_mirror_region to[static MEM_MIRROR_REGIONS]);

/* The file descriptors of the map's stores, in the order of creation; they stay
 * its own. Returns how many, or -ENOSPC. */
int mem_mirror_store_fds(const struct mem *mem, int to[static MEM_MIRROR_STORES]);

struct mem_mirror;

/* Builds a map over the same stores as `original`, which the caller sees as it
 * was when it forked, and which it does not touch; without regions. NULL with
 * errno set. */
struct mem_mirror *mem_mirror_new(const struct mem *original, const struct mem_mirror_proxy *proxy);
void mem_mirror_free(struct mem_mirror *mirror);
/* Owned by the mirror; the stores' file descriptors are not closed with it. */
struct mem *mem_mirror_mem(struct mem_mirror *mirror);

/* Brings the map to what mem_mirror_describe() said of the original. Listeners
 * hear of what changed. Returns 0 or -errno. */
int mem_mirror_update(struct mem_mirror *mirror, const struct mem_mirror_region *regions, unsigned count);

/* Somebody else wrote there: listeners hear of it where they took code. The
 * original's side reports each address at which the bytes are seen. */
void mem_mirror_written(struct mem_mirror *mirror, uint64_t address, uint64_t size);
/* Nothing that was learnt of the map is to be trusted. */
void mem_mirror_forget(struct mem_mirror *mirror);

#endif
