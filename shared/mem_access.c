#include "shared/mem_map.h"

/* Constant sizes, so that each is one host instruction. */
static uint64_t load_bytes(const uint8_t *from, unsigned size)
{
	uint16_t value2;
	uint32_t value4;
	uint64_t value = 0;
	switch (size) {
	case 1:
		return *from;
	case 2:
		memcpy(&value2, from, 2);
		return value2;
	case 4:
		memcpy(&value4, from, 4);
		return value4;
	case 8:
		memcpy(&value, from, 8);
		return value;
	default:
		memcpy(&value, from, size);
		return value;
	}
}

static void store_bytes(uint8_t *to, unsigned size, uint64_t value)
{
	switch (size) {
	case 1:
		*to = (uint8_t)value;
		break;
	case 2:
		memcpy(to, &(uint16_t){ (uint16_t)value }, 2);
		break;
	case 4:
		memcpy(to, &(uint32_t){ (uint32_t)value }, 4);
		break;
	case 8:
		memcpy(to, &value, 8);
		break;
	default:
		memcpy(to, &value, size);
	}
}

static uint64_t size_mask(unsigned size)
{
	return UINT64_MAX >> (64 - 8 * size);
}

static uint8_t *host_address(const struct mem_region *region, uint32_t address)
{
	return region->store->data + region->store_offset + (address - region->address);
}

/* --- code that is written ------------------------------------------------------- */

struct written {
	const struct mem_store *store;
	uint64_t store_page;
	uint32_t offset, size;
};

static void report_code(struct mem *mem, uint32_t page, void *data)
{
	const struct written *written = data;
	const struct mem_region *reader = mem_map_reader(mem, page);
	/* Code was read here, maybe from another store than was written to. */
	if (!(mem->page[page] & MEM_CODE) || !reader || reader->store != written->store ||
	    mem_map_store_page(reader, page) != written->store_page)
		return;
	uint32_t address = (page << MEM_PAGE_SHIFT) + written->offset;
	for (unsigned n = 0; n < MEM_LISTENERS; n++)
		if (mem->listener[n].code_written)
			mem->listener[n].code_written(mem->listener[n].owner, address, written->size);
}

/* Bytes of one page were written to the store of `region`. */
static void after_write(struct mem *mem, const struct mem_region *region, uint32_t address, uint32_t size)
{
	uint32_t page = address >> MEM_PAGE_SHIFT;
	struct mem_store *store = region->store;
	struct written written = { store, mem_map_store_page(region, page), address & MEM_OFFSET_MASK, size };
	if (store->shown[written.store_page] > 1)
		mem_map_for_each_alias(mem, store, written.store_page, report_code, &written);
	else
		report_code(mem, page, &written);
}

/* --- accesses within one page ---------------------------------------------------- */

static unsigned mmio_part(const struct mem_region *region, unsigned left)
{
	unsigned size = left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
	return size < region->ops->max_size ? size : region->ops->max_size;
}

static uint64_t read_mmio(const struct mem_region *region, uint32_t address, unsigned size)
{
	uint64_t offset = address - region->address, value = 0;
	if (!region->ops->read)
		return size_mask(size);
	for (unsigned done = 0, part; done < size; done += part) {
		part = mmio_part(region, size - done);
		uint64_t bytes = region->ops->read(region->owner, offset + done, part) & size_mask(part);
		value |= bytes << (8 * done);
	}
	return value;
}

static void write_mmio(const struct mem_region *region, uint32_t address, unsigned size, uint64_t value)
{
	uint64_t offset = address - region->address;
	if (!region->ops->write)
		return;
	for (unsigned done = 0, part; done < size; done += part) {
		part = mmio_part(region, size - done);
		region->ops->write(region->owner, offset + done, part, (value >> (8 * done)) & size_mask(part));
	}
}

static uint64_t read_in_page(struct mem *mem, uint32_t address, unsigned size)
{
	const struct mem_region *region = mem_map_reader(mem, address >> MEM_PAGE_SHIFT);
	if (!region)
		return size_mask(size);
	if (region->store)
		return load_bytes(host_address(region, address), size);
	return read_mmio(region, address, size);
}

static void write_in_page(struct mem *mem, uint32_t address, unsigned size, uint64_t value)
{
	const struct mem_region *region = mem_map_writer(mem, address >> MEM_PAGE_SHIFT);
	if (!region || (region->flags & MEM_REGION_ROM))
		return;
	if (!region->store) {
		write_mmio(region, address, size, value);
		return;
	}
	store_bytes(host_address(region, address), size, value);
	after_write(mem, region, address, size);
}

/* --- any access -------------------------------------------------------------------- */

/* How much of the access lies in the page of `address`. */
static unsigned in_page(uint64_t address, unsigned size)
{
	unsigned room = MEM_PAGE_SIZE - (unsigned)(address & MEM_OFFSET_MASK);
	return size < room ? size : room;
}

uint64_t mem_read(struct mem *mem, uint64_t address, unsigned size)
{
	unsigned first = in_page(address, size);
	if (address >= MEM_SPACE)
		return size_mask(size);
	if (first == size)
		return mem_can_read(mem, (uint32_t)address) ? load_bytes(mem->flat + address, size)
		                                            : read_in_page(mem, (uint32_t)address, size);
	uint64_t low = read_in_page(mem, (uint32_t)address, first);
	return low | mem_read(mem, address + first, size - first) << (8 * first);
}

void mem_write(struct mem *mem, uint64_t address, unsigned size, uint64_t value)
{
	unsigned first = in_page(address, size);
	if (address >= MEM_SPACE)
		return;
	if (first < size) {
		write_in_page(mem, (uint32_t)address, first, value);
		mem_write(mem, address + first, size - first, value >> (8 * first));
	} else if (mem_can_write(mem, (uint32_t)address)) {
		store_bytes(mem->flat + address, size, value);
	} else {
		write_in_page(mem, (uint32_t)address, size, value);
	}
}

/* --- DMA ----------------------------------------------------------------------------- */

static size_t page_part(uint64_t address, size_t size)
{
	size_t room = MEM_PAGE_SIZE - (size_t)(address & MEM_OFFSET_MASK);
	return size < room ? size : room;
}

size_t mem_read_bytes(struct mem *mem, uint64_t address, void *to, size_t size)
{
	size_t memory = 0;
	uint8_t *at = to;
	for (size_t part; size; address += part, at += part, size -= part) {
		part = page_part(address, size);
		const struct mem_region *region =
			address < MEM_SPACE ? mem_map_reader(mem, (uint32_t)(address >> MEM_PAGE_SHIFT)) : NULL;
		if (!region || !region->store) {
			memset(at, 0xff, part);
			continue;
		}
		memcpy(at, host_address(region, (uint32_t)address), part);
		memory += part;
	}
	return memory;
}

size_t mem_write_bytes(struct mem *mem, uint64_t address, const void *from, size_t size)
{
	size_t memory = 0;
	const uint8_t *at = from;
	for (size_t part; size; address += part, at += part, size -= part) {
		part = page_part(address, size);
		const struct mem_region *region =
			address < MEM_SPACE ? mem_map_writer(mem, (uint32_t)(address >> MEM_PAGE_SHIFT)) : NULL;
		if (!region || !region->store || (region->flags & MEM_REGION_ROM))
			continue;
		memcpy(host_address(region, (uint32_t)address), at, part);
		after_write(mem, region, (uint32_t)address, (uint32_t)part);
		memory += part;
	}
	return memory;
}
