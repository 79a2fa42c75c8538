/* What mem.c, mem_map.c, mem_access.c, mem_doorbell.c and mem_mirror.c share of the
 * guest-physical map; nobody else includes this. */
#ifndef V2E_SHARED_MEM_MAP_H
#define V2E_SHARED_MEM_MAP_H

#include "shared/mem.h"

#define MEM_REGIONS 254u
#define MEM_OFFSET_MASK (MEM_PAGE_SIZE - 1)

struct mem_store {
	struct mem *mem;
	struct mem_store *next;
	uint8_t *data;
	size_t size;
	int fd;
	/* By page: at how many guest pages it is to be seen, for reading or writing. */
	uint8_t *shown;
};

struct mem_region {
	struct mem *mem;
	const char *name;
	int priority;
	unsigned flags;       /* enum mem_region_flag */
	unsigned number;      /* order of creation, from 1; index of the tables */
	bool enabled;
	uint64_t address, size;
	struct mem_store *store; /* NULL: MMIO */
	uint64_t store_offset;
	const struct mem_mmio_ops *ops;
	void *owner;
};

/* One of a region's. */
struct mem_bell {
	struct mem_bell *next;
	struct mem_doorbell doorbell;
};

struct mem_map {
	struct mem_store *stores;
	struct mem_bell *bells;
	struct mem_region *region[MEM_REGIONS + 1]; /* [0] stays NULL: nobody */
	unsigned regions;
	/* Number of the region that answers, by guest page. */
	uint8_t *reads, *writes;
};

/* Finds the winners of all pages of the region anew, after it came, went (its
 * address still says where it was) or changed its flags. Where they changed,
 * maps the pages, sets their flags and tells the listeners. `rights_changed`:
 * so did the pages that it keeps for writing, by MEM_REGION_ROM. */
void mem_map_update(struct mem *mem, const struct mem_region *region, bool rights_changed);

static inline struct mem_region *mem_map_reader(const struct mem *mem, uint32_t page)
{
	return mem->map->region[mem->map->reads[page]];
}

static inline struct mem_region *mem_map_writer(const struct mem *mem, uint32_t page)
{
	return mem->map->region[mem->map->writes[page]];
}

/* Index of the store's page that a region shows at a guest page. */
static inline uint64_t mem_map_store_page(const struct mem_region *region, uint32_t page)
{
	return page - (region->address >> MEM_PAGE_SHIFT) + (region->store_offset >> MEM_PAGE_SHIFT);
}

/* May bytes that are written to a guest page through `writer` be read back there? */
static inline bool mem_map_same_bytes(const struct mem_region *reader, const struct mem_region *writer, uint32_t page)
{
	return reader && writer && reader->store && reader->store == writer->store &&
	       mem_map_store_page(reader, page) == mem_map_store_page(writer, page);
}

/* Calls `visit` for each guest page that shows a page of a store, to be read or
 * to be written. */
void mem_map_for_each_alias(struct mem *mem, const struct mem_store *store, uint64_t store_page,
                            void (*visit)(struct mem *mem, uint32_t page, void *data), void *data);

#endif
