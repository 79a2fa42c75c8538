#include "loader/start_info.h"

#include "loader/elf_image.h"

#define PAGE 4096u

_Static_assert(sizeof(struct start_info) == 20, "five words");
_Static_assert(sizeof(struct memory_map_entry) == 16, "four words");
_Static_assert(sizeof(struct device_map_entry) == 8, "two words");

static void put32(uint8_t **at, uint64_t value)
{
	uint32_t little = GUINT32_TO_LE((uint32_t)value);
	memcpy(*at, &little, sizeof little);
	*at += sizeof little;
}

static void put_memory(GArray *map, uint64_t base, uint64_t end, uint32_t flags, uint32_t use)
{
	struct memory_map_entry entry = { (uint32_t)base, (uint32_t)(end - base), flags, use };
	if (base < end)
		g_array_append_val(map, entry);
}

static gint by_address(gconstpointer a, gconstpointer b)
{
	const struct boot_piece *first = a, *second = b;
	return first->address < second->address ? -1 : first->address > second->address;
}

/* RAM from `base` to `end`, with the pieces that lie in it. */
static void put_range(GArray *map, const GArray *pieces, uint64_t base, uint64_t end)
{
	static const uint32_t uses[] = { [BOOT_USE_KERNEL] = MEMORY_USE_KERNEL, [BOOT_USE_INIT] = MEMORY_USE_INIT };
	for (guint n = 0; n < pieces->len; n++) {
		const struct boot_piece *piece = &g_array_index(pieces, struct boot_piece, n);
		if (piece->address < base || piece->address >= end)
			continue;
		put_memory(map, base, piece->address, 0, MEMORY_USE_FREE);
		base = piece->address + piece->size;
		put_memory(map, piece->address, base, piece->read_only ? MEMORY_FLAG_READ_ONLY : 0, uses[piece->use]);
	}
	put_memory(map, base, end, 0, MEMORY_USE_FREE);
}

static GArray *make_map(const struct boot_plan *plan)
{
	GArray *map = g_array_new(FALSE, FALSE, sizeof(struct memory_map_entry));
	GArray *pieces = g_array_copy(plan->pieces);
	g_array_set_clear_func(pieces, NULL); /* the names are the plan's */
	g_array_sort(pieces, by_address);
	put_range(map, pieces, 0, BOOT_LOW_END);
	put_range(map, pieces, BOOT_HIGH, plan->ram_size);
	g_array_unref(pieces);
	return map;
}

static void fill_page(uint8_t *page, uint64_t address, const struct start_info_board *board, const GArray *map)
{
	uint64_t memory = address + sizeof(struct start_info), devices = memory + map->len * sizeof(struct memory_map_entry);
	put32(&page, board->ioapic_base);
	put32(&page, map->len);
	put32(&page, memory);
	put32(&page, board->devices);
	put32(&page, devices);
	for (guint n = 0; n < map->len; n++) {
		const struct memory_map_entry *entry = &g_array_index(map, struct memory_map_entry, n);
		put32(&page, entry->base);
		put32(&page, entry->size);
		put32(&page, entry->flags);
		put32(&page, entry->use);
	}
	for (unsigned n = 0; n < board->devices; n++) {
		put32(&page, board->device[n].base_addr);
		put32(&page, board->device[n].interrupt_num);
	}
}

/* Page 0 stays free, so that a null pointer points to nothing of use. */
bool start_info_add(struct boot_plan *plan, const struct start_info_board *board, char **error)
{
	/* A kernel's segments part the free RAM: at most two entries each and some more. */
	_Static_assert(sizeof(struct start_info) + START_INFO_DEVICES_MAX * sizeof(struct device_map_entry) +
	               (2 * ELF_SEGMENTS_MAX + 4) * sizeof(struct memory_map_entry) <= PAGE, "a page holds all");
	uint64_t size = PAGE + START_INFO_STACK;
	uint64_t address = boot_plan_find(plan, size, PAGE, PAGE, BOOT_LOW_END, false);
	if (!address)
		address = boot_plan_find(plan, size, PAGE, BOOT_HIGH, plan->ram_size, true);
	if (!address)
		return loader_refuse(plan->path, error, "leaves no %u bytes for start_info and a stack; give more memory with -m", PAGE + START_INFO_STACK);
	uint8_t *page = boot_plan_bytes(plan, PAGE);
	struct boot_piece piece = { .address = address, .size = size, .data = page, .data_size = PAGE, .use = BOOT_USE_INIT };
	if (!boot_plan_add(plan, "start_info", &piece, error))
		return false;
	g_autoptr(GArray) map = make_map(plan);
	fill_page(page, address, board, map);
	plan->eax = START_INFO_MAGIC;
	plan->ebx = (uint32_t)address;
	plan->esp = (uint32_t)(address + size);
	return true;
}

bool start_info_plan(const struct loader_file *file, const struct start_info_board *board, struct boot_plan *plan, char **error)
{
	struct elf_image image;
	if (!elf_parse(file, ELF_32, &image, error) || !elf_add(file, &image, plan, error) || !start_info_add(plan, board, error))
		return false;
	plan->eip = (uint32_t)image.entry;
	return true;
}
