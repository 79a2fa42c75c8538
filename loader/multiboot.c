#include "loader/multiboot.h"

#include <inttypes.h>

#define MAGIC        0x1badb002u
#define BOOT_MAGIC   0x2badb002u
#define SEARCH       8192u
#define HEADER_SIZE  12u
#define ADDRESS_END  32u /* with the address fields */

#define NEEDS_PAGES     0x00000001u
#define NEEDS_MEMORY    0x00000002u
#define NEEDS_VIDEO     0x00000004u
#define NEEDS_KNOWN     (NEEDS_PAGES | NEEDS_MEMORY | NEEDS_VIDEO)
#define NEEDS_MASK      0x0000ffffu
#define HAS_ADDRESSES   0x00010000u

/* The information structure, 3.3. */
enum {
	INFO_FLAGS = 0, INFO_MEM_LOWER = 4, INFO_CMDLINE = 16, INFO_MODS_COUNT = 20, INFO_MODS_ADDR = 24,
	INFO_MMAP_LENGTH = 44, INFO_MMAP_ADDR = 48, INFO_LOADER_NAME = 64, INFO_FB_ADDR = 88, INFO_FB_PITCH = 96,
	INFO_FB_WIDTH = 100, INFO_FB_HEIGHT = 104, INFO_FB_BPP = 108, INFO_FB_TYPE = 109, INFO_SIZE = 120,
};
enum { GIVES_MEMORY = 1 << 0, GIVES_CMDLINE = 1 << 2, GIVES_MODULES = 1 << 3, GIVES_MAP = 1 << 6, GIVES_NAME = 1 << 9, GIVES_SCREEN = 1 << 12 };

#define MODULE_SIZE 16u

#define TEXT_SCREEN 0xb8000u
#define TEXT_TYPE   2u

static bool find_header(const struct loader_file *file, uint64_t *offset)
{
	for (uint64_t at = 0; at + HEADER_SIZE <= SEARCH && loader_file_has(file, at, HEADER_SIZE); at += 4)
		if (loader_file_32(file, at) == MAGIC &&
		    !(uint32_t)(MAGIC + loader_file_32(file, at + 4) + loader_file_32(file, at + 8))) {
			*offset = at;
			return true;
		}
	return false;
}

bool multiboot_is(const struct loader_file *file)
{
	uint64_t offset;
	return find_header(file, &offset);
}

bool multiboot_parse(const struct loader_file *file, struct multiboot_header *header, char **error)
{
	*header = (struct multiboot_header){ .offset = 0 };
	if (!find_header(file, &header->offset))
		return loader_refuse(file->path, error, "is no multiboot kernel: no header %08Xh with its checksum in the first %u bytes", MAGIC, SEARCH);
	header->flags = loader_file_32(file, header->offset + 4);
	if (header->flags & NEEDS_MASK & ~NEEDS_KNOWN)
		return loader_refuse(file->path, error, "multiboot flags are %08" PRIX32 "h: bits of %04" PRIX32 "h ask for what the specification does not know",
		                     header->flags, header->flags & NEEDS_MASK & ~NEEDS_KNOWN);
	if (!(header->flags & HAS_ADDRESSES))
		return true;
	if (!loader_file_has(file, header->offset, ADDRESS_END))
		return loader_refuse(file->path, error, "is truncated: the multiboot header at offset %" PRIu64 " has %u bytes, the file %" PRIu64,
		                     header->offset, ADDRESS_END, file->size);
	const uint64_t at = header->offset;
	header->addresses = (struct multiboot_addresses){
		true, at, loader_file_32(file, at + 12), loader_file_32(file, at + 16), loader_file_32(file, at + 20),
		loader_file_32(file, at + 24), loader_file_32(file, at + 28),
	};
	return true;
}

/* --- the plan ------------------------------------------------------------------ */

/* Writes a string with its NUL; returns its address and moves on. */
static uint32_t put_string(uint8_t *info, uint32_t address, uint64_t *used, const char *text)
{
	uint32_t at = address + (uint32_t)*used;
	size_t size = strlen(text) + 1;
	memcpy(info + *used, text, size);
	*used += size;
	return at;
}

static void put_modules(uint8_t *info, uint32_t address, uint64_t *used, const struct multiboot_module *modules, unsigned count)
{
	uint8_t *table = info + INFO_SIZE;
	for (unsigned n = 0; n < count; n++, table += MODULE_SIZE) {
		multiboot_put32(table, modules[n].address);
		multiboot_put32(table + 4, modules[n].address + modules[n].file.size);
		multiboot_put32(table + 8, put_string(info, address, used, modules[n].words));
	}
	multiboot_put32(info + INFO_MODS_COUNT, count);
	multiboot_put32(info + INFO_MODS_ADDR, address + INFO_SIZE);
}

static void put_screen(uint8_t *info)
{
	multiboot_put64(info + INFO_FB_ADDR, TEXT_SCREEN);
	multiboot_put32(info + INFO_FB_PITCH, 160);
	multiboot_put32(info + INFO_FB_WIDTH, 80);
	multiboot_put32(info + INFO_FB_HEIGHT, 25);
	info[INFO_FB_BPP] = 16;
	info[INFO_FB_TYPE] = TEXT_TYPE;
}

bool multiboot_plan(const struct loader_file *file, struct multiboot_module *modules, unsigned count, const char *append,
                    struct boot_plan *plan, char **error)
{
	struct multiboot_header header;
	if (!multiboot_parse(file, &header, error) || !multiboot_add_kernel(file, &header.addresses, plan, error) ||
	    !multiboot_add_modules(plan, modules, count, error))
		return false;
	g_autofree char *line = multiboot_command_line(file->path, append);
	uint64_t used = INFO_SIZE + count * MODULE_SIZE, size = used + strlen(line) + 1 + sizeof MULTIBOOT_LOADER_NAME;
	for (unsigned n = 0; n < count; n++)
		size += strlen(modules[n].words) + 1;
	uint32_t address;
	uint8_t *info = multiboot_add_info(plan, size, &address, error);
	if (!info)
		return false;
	multiboot_put32(info + INFO_FLAGS, GIVES_MEMORY | GIVES_CMDLINE | GIVES_MODULES | GIVES_MAP | GIVES_NAME | GIVES_SCREEN);
	multiboot_put32(info + INFO_CMDLINE, put_string(info, address, &used, line));
	multiboot_put32(info + INFO_LOADER_NAME, put_string(info, address, &used, MULTIBOOT_LOADER_NAME));
	put_modules(info, address, &used, modules, count);
	put_screen(info);
	multiboot_put32(info + INFO_MMAP_ADDR, plan->map.entries);
	plan->map.sized = true;
	plan->map.add[0] = address + INFO_MMAP_LENGTH;
	plan->map.lower = address + INFO_MEM_LOWER;
	plan->eax = BOOT_MAGIC;
	plan->ebx = address;
	return true;
}
