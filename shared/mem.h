/* The guest-physical map: 4 GiB, layered regions over stores (RAM, ROM, video
 * memory) and MMIO. What is plain memory appears in one flat host mapping, so
 * that an access is an add and a move. */
#ifndef V2E_SHARED_MEM_H
#define V2E_SHARED_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MEM_PAGE_SHIFT 12
#define MEM_PAGE_SIZE  4096u
#define MEM_PAGES      (1u << 20)
#define MEM_SPACE      (1ull << 32)

/* Flags of a guest-physical page, mem.page[address >> 12]. */
enum mem_page_flag {
	MEM_READ  = 1, /* mem.flat may be read here */
	/* mem.flat may be written here, unless MEM_CODE is set. Not given to bytes
	 * that the map shows at two addresses: mem_write() looks for MEM_CODE at
	 * the other one. An alias that comes or goes changes it without
	 * map_changed, so look at it for each access. */
	MEM_WRITE = 2,
	MEM_CODE  = 4, /* decoded code was taken from here: writes are reported */
};

struct mem_store;
struct mem_region;

struct mem_mmio_ops {
	const char *name;
	unsigned max_size; /* 1, 2, 4 or 8: wider accesses arrive split, lowest first */
	/* `offset` from the region's start. NULL read: all ones. NULL write: dropped. */
	uint64_t (*read)(void *owner, uint64_t offset, unsigned size);
	void (*write)(void *owner, uint64_t offset, unsigned size, uint64_t value);
};

/* Who must know of changes; both calls may be NULL. */
struct mem_listener {
	/* The map of these pages is another now, and MEM_CODE is gone from them.
	 * Called when the whole change is done, once for each range. */
	void (*map_changed)(void *owner, uint64_t address, uint64_t size);
	/* Bytes in a MEM_CODE page were written through mem_write*(). Called after
	 * the write. */
	void (*code_written)(void *owner, uint32_t address, uint32_t size);
	void *owner;
};

#define MEM_LISTENERS 4

struct mem {
	uint8_t *flat;      /* 4 GiB window; only pages with MEM_READ may be touched */
	uint8_t *page;      /* MEM_PAGES flags */
	uint32_t a20_mask;  /* FFFFFFFF, or FFEFFFFF with A20 masked */
	uint32_t epoch;     /* counts map changes */
	struct mem_listener listener[MEM_LISTENERS];
	struct mem_map *map; /* the rest is mem.c's own */
};

/* Returns NULL with errno set when the host has no room for the window. */
struct mem *mem_new(void);
void mem_free(struct mem *mem);

/* Returns 0 or -ENOSPC. */
int mem_listen(struct mem *mem, const struct mem_listener *listener);
/* `owner` goes away: it hears no more. */
void mem_unlisten(struct mem *mem, const void *owner);

/* A piece of memory to show in the map, zeroed, owned by `mem`; `size` is
 * rounded up to pages. Returns NULL with errno set. What is written through
 * mem_store_data() is not reported as code_written. */
struct mem_store *mem_store_new(struct mem *mem, const char *name, size_t size);
uint8_t *mem_store_data(struct mem_store *store); /* always readable and writable */
size_t mem_store_size(const struct mem_store *store);
int mem_store_fd(const struct mem_store *store);  /* to map it in another process */

/* All its bytes. Loading tells no listener. */
struct snap;
void mem_store_state(struct mem_store *store, struct snap *snap);

enum mem_region_flag {
	MEM_REGION_READS  = 1, /* reads are answered here */
	MEM_REGION_WRITES = 2, /* writes end here... */
	MEM_REGION_ROM    = 4, /* ...and are dropped */
};

/* Regions are page-aligned. Reads of a page go to the enabled region of highest
 * priority that has MEM_REGION_READS, writes likewise, so a region without
 * MEM_REGION_WRITES lets writes through to what lies below it. At equal
 * priority the region made later wins. New regions are disabled. Owned by `mem`.
 * At most 254. Sizes are rounded up to pages. NULL with errno: ENOSPC, EINVAL
 * (offset not a page's, or past the store's end). `name` and `ops` must live as
 * long as `mem`. */
enum { MEM_PRIORITY_BAR = -1, MEM_PRIORITY_RAM = 0, MEM_PRIORITY_ROM = 1, MEM_PRIORITY_VGA = 2, MEM_PRIORITY_PAM = 3, MEM_PRIORITY_SMRAM = 4 };
struct mem_region *mem_region_new(struct mem *mem, const char *name, int priority, unsigned flags,
                                  struct mem_store *store, uint64_t store_offset, uint64_t size);
struct mem_region *mem_region_new_mmio(struct mem *mem, int priority, uint64_t size,
                                       const struct mem_mmio_ops *ops, void *owner);
/* Moves and enables, or disables. A region that would pass 4 GiB is cut there.
 * Returns 0, or -EINVAL for an unaligned address. */
int mem_region_enable(struct mem_region *region, uint64_t address);
void mem_region_disable(struct mem_region *region);
/* Changes enum mem_region_flag of a live region (PAM). */
void mem_region_set_flags(struct mem_region *region, unsigned flags);

/* A register of an MMIO region by which the guest asks for something that may take its
 * time: a write of `value` there may be carried out after the guest has gone on, and
 * several of them as one. All other accesses to the same page come behind those that the
 * guest made before. */
struct mem_doorbell {
	struct mem_region *region;
	uint64_t offset;  /* from the region's start */
	unsigned size;    /* bytes, as of mem_write() */
	uint64_t value;
	uint64_t address; /* guest-physical; only told by mem_for_each_doorbell() */
};
/* Returns 0, -ENOMEM, or -EINVAL where it is not within a page of an MMIO region. */
int mem_add_doorbell(const struct mem_doorbell *doorbell);
/* Those that a write reaches now, for engines that can let the guest run on. None while
 * A20 is masked: an address stands for two then. */
void mem_for_each_doorbell(struct mem *mem, void (*visit)(void *owner, const struct mem_doorbell *doorbell), void *owner);
/* The write arrives, wherever the region is by now. */
void mem_ring(const struct mem_doorbell *doorbell);

/* Board or KBC moved the A20 gate. Listeners hear map_changed for everything. */
void mem_set_a20(struct mem *mem, bool enabled);

/* Any guest-physical access, 1, 2, 4 or 8 bytes, may cross a page, MMIO included.
 * A20 is NOT applied here: the caller has done so. Addresses past 4 GiB: open bus. */
uint64_t mem_read(struct mem *mem, uint64_t address, unsigned size);
void mem_write(struct mem *mem, uint64_t address, unsigned size, uint64_t value);

/* For DMA and loaders: stores only; what is not plain memory reads as FF and
 * swallows writes. ROM is not written; where reads and writes part (PAM), a write
 * goes where the CPU's would. Any length. Returns bytes that were memory. */
size_t mem_read_bytes(struct mem *mem, uint64_t address, void *to, size_t size);
size_t mem_write_bytes(struct mem *mem, uint64_t address, const void *from, size_t size);

/* Is the whole range plain memory, for reading or for writing? */
bool mem_is_ram(const struct mem *mem, uint64_t address, uint64_t size, bool for_writing);

static inline bool mem_can_read(const struct mem *mem, uint32_t address)
{
	return mem->page[address >> MEM_PAGE_SHIFT] & MEM_READ;
}

static inline bool mem_can_write(const struct mem *mem, uint32_t address)
{
	return (mem->page[address >> MEM_PAGE_SHIFT] & (MEM_WRITE | MEM_CODE)) == MEM_WRITE;
}

/* For hv: walks the map as ranges that one region answers. `read`/`write` are
 * host pointers to the first byte or NULL for MMIO and nothing; `writable` is
 * false for ROM. */
struct mem_range {
	uint64_t address, size;
	uint8_t *host;      /* NULL: not plain memory */
	bool writable;      /* writes go to the same bytes */
};
void mem_for_each_range(struct mem *mem, void (*visit)(void *owner, const struct mem_range *range), void *owner);

#endif
