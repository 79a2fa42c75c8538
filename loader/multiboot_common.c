#include "loader/multiboot_common.h"

#include <inttypes.h>

#include "loader/elf_image.h"

#define PAGE      4096u
#define PARAGRAPH 16u
#define TAIL      8u /* what ends a list of tags */

void multiboot_put32(uint8_t *at, uint64_t value)
{
	uint32_t little = GUINT32_TO_LE((uint32_t)value);
	memcpy(at, &little, sizeof little);
}

void multiboot_put64(uint8_t *at, uint64_t value)
{
	multiboot_put32(at, value);
	multiboot_put32(at + 4, value >> 32);
}

char *multiboot_command_line(const char *path, const char *append)
{
	return append && *append ? g_strconcat(path, " ", append, NULL) : g_strdup(path);
}

/* The file begins at load address minus what stands before the header. */
static bool add_flat(const struct loader_file *file, const struct multiboot_addresses *at, struct boot_plan *plan, char **error)
{
	if (at->load > at->header || at->header - at->load > at->header_offset)
		return loader_refuse(file->path, error, "multiboot header_addr is %08" PRIX32 "h and load_addr %08" PRIX32 "h: the header at offset %" PRIu64 " of the file does not lie so far behind",
		                     at->header, at->load, at->header_offset);
	uint64_t offset = at->header_offset - (at->header - at->load);
	uint64_t size = at->load_end ? (uint64_t)at->load_end - at->load : file->size - offset;
	if (at->load_end && at->load_end < at->load)
		return loader_refuse(file->path, error, "multiboot load_end_addr is %08" PRIX32 "h, below load_addr %08" PRIX32 "h", at->load_end, at->load);
	if (!loader_file_has(file, offset, size))
		return loader_refuse(file->path, error, "is truncated: multiboot load_end_addr %08" PRIX32 "h asks for %" PRIu64 " bytes at offset %" PRIu64 ", the file has %" PRIu64,
		                     at->load_end, size, offset, file->size);
	uint64_t end = at->bss_end ? at->bss_end : at->load + size;
	if (end < at->load + size)
		return loader_refuse(file->path, error, "multiboot bss_end_addr is %08" PRIX32 "h, below the end of what is loaded, %08" PRIX64 "h", at->bss_end, at->load + size);
	if (at->entry - at->load >= size)
		return loader_refuse(file->path, error, "multiboot entry_addr is %08" PRIX32 "h, outside of what is loaded: %08" PRIX32 "h to %08" PRIX64 "h",
		                     at->entry, at->load, at->load + size - 1);
	struct boot_piece piece = { .address = at->load, .size = end - at->load, .data = file->data + offset, .data_size = size };
	plan->eip = at->entry;
	return boot_plan_add(plan, "kernel", &piece, error);
}

bool multiboot_add_kernel(const struct loader_file *file, const struct multiboot_addresses *addresses,
                          struct boot_plan *plan, char **error)
{
	if (addresses->there)
		return add_flat(file, addresses, plan, error);
	if (!elf_is(file))
		return loader_refuse(file->path, error, "has a multiboot header without load addresses and is no ELF file: nothing says where it belongs");
	struct elf_image image;
	if (!elf_parse(file, ELF_32_AND_64, &image, error) || !elf_add(file, &image, plan, error))
		return false;
	plan->eip = (uint32_t)image.entry;
	return true;
}

bool multiboot_add_modules(struct boot_plan *plan, struct multiboot_module *modules, unsigned count, char **error)
{
	for (unsigned n = 0; n < count; n++) {
		const struct loader_file *file = &modules[n].file;
		uint64_t from = boot_plan_end(plan, BOOT_HIGH), limit = boot_plan_limit(plan);
		modules[n].address = boot_plan_find(plan, file->size, PAGE, from, limit, false);
		if (!modules[n].address)
			return loader_refuse(file->path, error, "module %u: %" PRIu64 " bytes do not fit between %08" PRIX64 "h and the end of RAM that is free, %08" PRIX64 "h; give more memory with -m",
			                     n, file->size, from, limit);
		struct boot_piece piece = { .address = modules[n].address, .size = file->size, .data = file->data, .data_size = file->size, .use = BOOT_USE_INIT };
		g_autofree char *what = g_strdup_printf("module %u", n);
		if (!boot_plan_add(plan, what, &piece, error))
			return false;
	}
	return true;
}

uint8_t *multiboot_add_info(struct boot_plan *plan, uint64_t size, uint32_t *address, char **error)
{
	uint64_t map = (size + PARAGRAPH - 1) & -(uint64_t)PARAGRAPH;
	uint64_t whole = map + MULTIBOOT_MAP_ROOM * MULTIBOOT_MAP_ENTRY + TAIL;
	uint64_t at = boot_plan_find(plan, whole, PARAGRAPH, BOOT_FIRMWARE_LOW, BOOT_FIRMWARE_LOW_END, true);
	uint8_t *bytes = boot_plan_bytes(plan, whole);
	struct boot_piece piece = { .address = at, .size = whole, .data = bytes, .data_size = whole, .use = BOOT_USE_INIT };
	if (!at) {
		loader_refuse(plan->path, error, "leaves no %" PRIu64 " bytes below %Xh for what the boot loader has to tell; link it higher", whole, BOOT_FIRMWARE_LOW_END);
		return NULL;
	}
	if (!boot_plan_add(plan, "boot information", &piece, error))
		return NULL;
	*address = (uint32_t)at;
	plan->map.entries = (uint32_t)(at + map);
	plan->map.room = MULTIBOOT_MAP_ROOM;
	return bytes;
}
