#include "shared/mem_map.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <glib.h>

#include "shared/log.h"

/* Guest pages first..last - 1. */
struct span {
	uint32_t first, last;
};

/* Changed pages that one mmap() serves. */
struct run {
	uint32_t first, pages;
	struct mem_region *region; /* NULL: no access */
	int protection;
};

struct update {
	struct mem *mem;
	const struct mem_region *touched;
	struct run run;
	GArray *changed; /* struct span */
};

static struct span region_span(const struct mem_region *region)
{
	uint64_t end = region->address + region->size;
	if (region->address >= MEM_SPACE)
		return (struct span){ 0, 0 };
	return (struct span){
		(uint32_t)(region->address >> MEM_PAGE_SHIFT),
		(uint32_t)(MIN(end, MEM_SPACE) >> MEM_PAGE_SHIFT),
	};
}

static bool span_has(struct span span, uint32_t page)
{
	return page >= span.first && page < span.last;
}

/* --- who shows what ----------------------------------------------------------- */

void mem_map_for_each_alias(struct mem *mem, const struct mem_store *store, uint64_t store_page,
                            void (*visit)(struct mem *mem, uint32_t page, void *data), void *data)
{
	struct mem_map *map = mem->map;
	for (unsigned n = 1; n <= map->regions; n++) {
		const struct mem_region *region = map->region[n];
		uint64_t first = region->store_offset >> MEM_PAGE_SHIFT;
		if (!region->enabled || region->store != store || store_page < first)
			continue;
		uint64_t page = (region->address >> MEM_PAGE_SHIFT) + store_page - first;
		if (page >= MEM_PAGES || !span_has(region_span(region), (uint32_t)page))
			continue;
		if (map->reads[page] == n || map->writes[page] == n)
			visit(mem, (uint32_t)page, data);
	}
}

/* A page whose bytes are to be seen elsewhere too has no MEM_WRITE: a write
 * past the slow path would miss MEM_CODE over there. */
static uint8_t page_flags(const struct mem *mem, uint32_t page)
{
	const struct mem_region *reader = mem_map_reader(mem, page);
	const struct mem_region *writer = mem_map_writer(mem, page);
	if (!reader || !reader->store)
		return 0;
	if (!mem_map_same_bytes(reader, writer, page) || (writer->flags & MEM_REGION_ROM))
		return MEM_READ;
	if (reader->store->shown[mem_map_store_page(reader, page)] > 1)
		return MEM_READ;
	return MEM_READ | MEM_WRITE;
}

static void refresh_flags(struct mem *mem, uint32_t page, void *data)
{
	(void)data;
	mem->page[page] = (mem->page[page] & MEM_CODE) | page_flags(mem, page);
}

static void count_one(struct mem *mem, const struct mem_region *region, uint32_t page, int step)
{
	if (!region || !region->store)
		return;
	uint64_t store_page = mem_map_store_page(region, page);
	uint8_t *shown = &region->store->shown[store_page];
	uint8_t before = *shown;
	*shown = (uint8_t)(before + step);
	if ((before > 1) != (*shown > 1))
		mem_map_for_each_alias(mem, region->store, store_page, refresh_flags, NULL);
}

/* Counts the guest page for the store pages that it shows; step 1 or -1. */
static void count_page(struct mem *mem, uint32_t page, int step)
{
	const struct mem_region *reader = mem_map_reader(mem, page);
	const struct mem_region *writer = mem_map_writer(mem, page);
	count_one(mem, reader, page, step);
	if (!mem_map_same_bytes(reader, writer, page))
		count_one(mem, writer, page, step);
}

/* --- host mapping --------------------------------------------------------------- */

static int page_protection(const struct mem *mem, uint32_t page)
{
	const struct mem_region *reader = mem_map_reader(mem, page);
	const struct mem_region *writer = mem_map_writer(mem, page);
	if (!reader || !reader->store)
		return PROT_NONE;
	if (!mem_map_same_bytes(reader, writer, page) || (writer->flags & MEM_REGION_ROM))
		return PROT_READ;
	return PROT_READ | PROT_WRITE;
}

static void map_run(struct mem *mem, const struct run *run)
{
	uint8_t *at = mem->flat + ((uint64_t)run->first << MEM_PAGE_SHIFT);
	size_t size = (size_t)run->pages << MEM_PAGE_SHIFT;
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	int fd = -1;
	off_t offset = 0;
	if (run->region) {
		flags = MAP_SHARED;
		fd = run->region->store->fd;
		offset = (off_t)(mem_map_store_page(run->region, run->first) << MEM_PAGE_SHIFT);
	}
	if (mmap(at, size, run->protection, flags | MAP_FIXED, fd, offset) == MAP_FAILED) {
		/* The window must show what the tables say; the number of mappings is
		 * bounded by the regions, so this is a host without memory. */
		log_error("cannot map %s: %s", run->region ? run->region->name : "a hole", g_strerror(errno));
		abort();
	}
}

static void end_run(struct update *update)
{
	if (update->run.pages)
		map_run(update->mem, &update->run);
	update->run.pages = 0;
}

static void add_to_run(struct update *update, uint32_t page)
{
	struct run *run = &update->run;
	int protection = page_protection(update->mem, page);
	struct mem_region *region = protection == PROT_NONE ? NULL : mem_map_reader(update->mem, page);
	bool continues = run->pages && run->first + run->pages == page && run->region == region &&
	                 run->protection == protection;
	if (!continues) {
		end_run(update);
		*run = (struct run){ page, 0, region, protection };
	}
	run->pages++;
}

/* --- update ----------------------------------------------------------------------- */

static bool outranks(const struct mem_region *region, const struct mem_region *other)
{
	return !other || region->priority >= other->priority;
}

/* The regions that answer at `page`, and the page up to which they do. */
static uint32_t find_winners(const struct mem *mem, struct span span, uint8_t *reads, uint8_t *writes)
{
	const struct mem_map *map = mem->map;
	uint32_t page = span.first, until = span.last;
	*reads = *writes = 0;
	for (unsigned n = 1; n <= map->regions; n++) {
		const struct mem_region *region = map->region[n];
		if (!region->enabled)
			continue;
		struct span own = region_span(region);
		if (own.first > page && own.first < until)
			until = own.first;
		if (!span_has(own, page))
			continue;
		until = MIN(until, own.last);
		if ((region->flags & MEM_REGION_READS) && outranks(region, map->region[*reads]))
			*reads = (uint8_t)n;
		if ((region->flags & MEM_REGION_WRITES) && outranks(region, map->region[*writes]))
			*writes = (uint8_t)n;
	}
	return until;
}

static void note_changed(struct update *update, uint32_t page)
{
	GArray *changed = update->changed;
	struct span *last = changed->len ? &g_array_index(changed, struct span, changed->len - 1) : NULL;
	if (last && last->last == page) {
		last->last++;
		return;
	}
	struct span span = { page, page + 1 };
	g_array_append_val(changed, span);
}

static void set_winners(struct update *update, uint32_t page, uint8_t reads, uint8_t writes)
{
	struct mem *mem = update->mem;
	struct mem_map *map = mem->map;
	bool touched = update->touched && update->touched->number == writes;
	if (map->reads[page] == reads && map->writes[page] == writes && !touched)
		return;
	count_page(mem, page, -1);
	map->reads[page] = reads;
	map->writes[page] = writes;
	count_page(mem, page, 1);
	mem->page[page] = page_flags(mem, page);
	add_to_run(update, page);
	note_changed(update, page);
}

static void tell_listeners(struct mem *mem, uint64_t address, uint64_t size)
{
	for (unsigned n = 0; n < MEM_LISTENERS; n++)
		if (mem->listener[n].map_changed)
			mem->listener[n].map_changed(mem->listener[n].owner, address, size);
}

static void tell_changed(struct mem *mem, const GArray *changed)
{
	if (changed->len)
		mem->epoch++;
	for (guint n = 0; n < changed->len; n++) {
		const struct span *span = &g_array_index(changed, struct span, n);
		tell_listeners(mem, (uint64_t)span->first << MEM_PAGE_SHIFT,
		               (uint64_t)(span->last - span->first) << MEM_PAGE_SHIFT);
	}
}

void mem_map_update(struct mem *mem, const struct mem_region *region, bool rights_changed)
{
	struct update update = {
		.mem = mem,
		.touched = rights_changed ? region : NULL,
		.changed = g_array_new(FALSE, FALSE, sizeof(struct span)),
	};
	struct span span = region_span(region);
	while (span.first < span.last) {
		uint8_t reads, writes;
		uint32_t until = find_winners(mem, span, &reads, &writes);
		for (; span.first < until; span.first++)
			set_winners(&update, span.first, reads, writes);
	}
	end_run(&update);
	tell_changed(mem, update.changed);
	g_array_free(update.changed, TRUE);
}

void mem_set_a20(struct mem *mem, bool enabled)
{
	uint32_t mask = enabled ? 0xffffffffu : 0xffefffffu;
	if (mem->a20_mask == mask)
		return;
	mem->a20_mask = mask;
	mem->epoch++;
	tell_listeners(mem, 0, MEM_SPACE);
}

/* --- looking at the map ------------------------------------------------------------- */

static bool page_is_ram(const struct mem *mem, uint32_t page, bool for_writing)
{
	const struct mem_region *region = for_writing ? mem_map_writer(mem, page) : mem_map_reader(mem, page);
	return region && region->store && !(for_writing && (region->flags & MEM_REGION_ROM));
}

bool mem_is_ram(const struct mem *mem, uint64_t address, uint64_t size, bool for_writing)
{
	if (!size)
		return true;
	if (address >= MEM_SPACE || size > MEM_SPACE - address)
		return false;
	uint64_t last = (address + size - 1) >> MEM_PAGE_SHIFT;
	for (uint64_t page = address >> MEM_PAGE_SHIFT; page <= last; page++)
		if (!page_is_ram(mem, (uint32_t)page, for_writing))
			return false;
	return true;
}

static struct mem_range range_at(const struct mem *mem, uint32_t page)
{
	const struct mem_region *reader = mem_map_reader(mem, page);
	struct mem_range range = { .address = (uint64_t)page << MEM_PAGE_SHIFT, .size = MEM_PAGE_SIZE };
	if (!reader || !reader->store)
		return range;
	range.host = reader->store->data + (mem_map_store_page(reader, page) << MEM_PAGE_SHIFT);
	range.writable = page_protection(mem, page) & PROT_WRITE;
	return range;
}

/* The page from which on it may be another range: pages between two ends of regions are
 * all alike. */
static uint32_t next_border(const struct mem *mem, uint32_t page)
{
	uint8_t reads, writes;
	return find_winners(mem, (struct span){ page, MEM_PAGES }, &reads, &writes);
}

void mem_for_each_range(struct mem *mem, void (*visit)(void *owner, const struct mem_range *range), void *owner)
{
	struct mem_map *map = mem->map;
	struct mem_range range = range_at(mem, 0);
	for (uint32_t page = 0, next; page < MEM_PAGES; page = next) {
		next = next_border(mem, page);
		range.size = ((uint64_t)next << MEM_PAGE_SHIFT) - range.address;
		if (next < MEM_PAGES && map->reads[next] == map->reads[page] && map->writes[next] == map->writes[page])
			continue;
		visit(owner, &range);
		if (next < MEM_PAGES)
			range = range_at(mem, next);
	}
}
