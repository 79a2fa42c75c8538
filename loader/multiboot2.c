#include "loader/multiboot2.h"

#include <inttypes.h>

#define MAGIC       0xe85250d6u
#define BOOT_MAGIC  0x36d76289u
#define SEARCH      32768u
#define HEADER_SIZE 16u
#define TAG_SIZE    8u
#define I386        0u

/* Header tags, 3.1. */
enum {
	WANT_END, WANT_INFORMATION, WANT_ADDRESSES, WANT_ENTRY, WANT_CONSOLE, WANT_SCREEN, WANT_PAGES, WANT_EFI,
	WANT_EFI_I386, WANT_EFI_AMD64, WANT_RELOCATION, WANTS,
};
#define OPTIONAL 1u

/* Information tags, 3.6. */
enum { GIVE_END, GIVE_CMDLINE, GIVE_NAME, GIVE_MODULE, GIVE_MEMORY, GIVE_MAP = 6, GIVE_SCREEN = 8 };
enum { MEMORY_SIZE = 16, SCREEN_SIZE = 31, MODULE_HEAD = 16, MAP_HEAD = 16, TEXT_TYPE = 2 };

#define TEXT_SCREEN 0xb8000u

static uint64_t aligned(uint64_t size)
{
	return (size + 7) & ~UINT64_C(7);
}

static bool find_header(const struct loader_file *file, uint64_t *offset)
{
	for (uint64_t at = 0; at + HEADER_SIZE <= SEARCH && loader_file_has(file, at, HEADER_SIZE); at += 8)
		if (loader_file_32(file, at) == MAGIC &&
		    !(uint32_t)(MAGIC + loader_file_32(file, at + 4) + loader_file_32(file, at + 8) + loader_file_32(file, at + 12))) {
			*offset = at;
			return true;
		}
	return false;
}

bool multiboot2_is(const struct loader_file *file)
{
	uint64_t offset;
	return find_header(file, &offset);
}

/* --- header tags --------------------------------------------------------------- */

static bool gives(uint32_t type)
{
	return type == GIVE_CMDLINE || type == GIVE_NAME || type == GIVE_MODULE || type == GIVE_MEMORY || type == GIVE_MAP || type == GIVE_SCREEN;
}

static bool check_information(const struct loader_file *file, uint64_t at, uint32_t size, char **error)
{
	for (uint64_t n = TAG_SIZE; n + 4 <= size; n += 4)
		if (!gives(loader_file_32(file, at + n)))
			return loader_refuse(file->path, error, "multiboot2 information request: type %" PRIu32 " is not given here; make the tag optional",
			                     loader_file_32(file, at + n));
	return true;
}

static bool too_short(const struct loader_file *file, uint16_t type, uint32_t size, uint32_t least, char **error)
{
	return size < least && !loader_refuse(file->path, error, "multiboot2 tag of type %u has %" PRIu32 " bytes, fewer than %" PRIu32, type, size, least);
}

static bool take_tag(const struct loader_file *file, uint64_t at, uint16_t type, uint32_t size, struct multiboot2_header *header, char **error)
{
	if (type == WANT_ADDRESSES) {
		if (too_short(file, type, size, 24, error))
			return false;
		header->addresses = (struct multiboot_addresses){ true, header->offset, loader_file_32(file, at + 8), loader_file_32(file, at + 12),
		                                                  loader_file_32(file, at + 16), loader_file_32(file, at + 20), 0 };
		/* All ones: the file is loaded from its start. */
		if (header->addresses.load == UINT32_MAX)
			header->addresses.load = header->addresses.header - (uint32_t)header->offset;
	}
	if (type == WANT_ENTRY) {
		if (too_short(file, type, size, 12, error))
			return false;
		header->has_entry = true;
		header->entry = loader_file_32(file, at + 8);
	}
	return true;
}

static bool check_tag(const struct loader_file *file, uint64_t at, uint16_t type, uint32_t size, char **error)
{
	if (loader_file_16(file, at + 2) & OPTIONAL)
		return true;
	if (type == WANT_INFORMATION)
		return check_information(file, at, size, error);
	if (type == WANT_EFI || type >= WANTS)
		return loader_refuse(file->path, error, "multiboot2 header tag of type %u is not optional and cannot be served here (%s)", type,
		                     type == WANT_EFI ? "there is no EFI" : "unknown");
	return true;
}

static bool parse_tags(const struct loader_file *file, struct multiboot2_header *header, char **error)
{
	uint64_t at = header->offset + HEADER_SIZE, end = header->offset + header->size;
	while (at + TAG_SIZE <= end) {
		uint16_t type = loader_file_16(file, at);
		uint32_t size = loader_file_32(file, at + 4);
		if (size < TAG_SIZE || size > end - at)
			return loader_refuse(file->path, error, "multiboot2 tag of type %u at offset %" PRIu64 ": size is %" PRIu32 ", not %u to %" PRIu64,
			                     type, at, size, TAG_SIZE, end - at);
		if (type == WANT_END)
			return true;
		if (!check_tag(file, at, type, size, error) || !take_tag(file, at, type, size, header, error))
			return false;
		at += aligned(size);
	}
	return loader_refuse(file->path, error, "multiboot2 header of %" PRIu64 " bytes at offset %" PRIu64 " has no end tag", header->size, header->offset);
}

bool multiboot2_parse(const struct loader_file *file, struct multiboot2_header *header, char **error)
{
	*header = (struct multiboot2_header){ .offset = 0 };
	if (!find_header(file, &header->offset))
		return loader_refuse(file->path, error, "is no multiboot2 kernel: no header %08Xh with its checksum in the first %u bytes", MAGIC, SEARCH);
	uint32_t architecture = loader_file_32(file, header->offset + 4);
	if (architecture != I386)
		return loader_refuse(file->path, error, "multiboot2 architecture is %" PRIu32 ", not 0 (386)", architecture);
	header->size = loader_file_32(file, header->offset + 8);
	if (header->size < HEADER_SIZE || header->offset + header->size > SEARCH)
		return loader_refuse(file->path, error, "multiboot2 header_length is %" PRIu64 ", not %u to %" PRIu64, header->size, HEADER_SIZE, SEARCH - header->offset);
	if (!loader_file_has(file, header->offset, header->size))
		return loader_refuse(file->path, error, "is truncated: the multiboot2 header at offset %" PRIu64 " has %" PRIu64 " bytes, the file %" PRIu64,
		                     header->offset, header->size, file->size);
	if (!parse_tags(file, header, error))
		return false;
	if (header->addresses.there && !header->has_entry)
		return loader_refuse(file->path, error, "has a multiboot2 address tag but no entry address tag");
	header->addresses.entry = header->entry;
	return true;
}

/* --- information tags ----------------------------------------------------------- */

static uint8_t *put_tag(uint8_t *at, uint32_t type, uint64_t size)
{
	multiboot_put32(at, type);
	multiboot_put32(at + 4, size);
	return at + aligned(size);
}

static uint8_t *put_string(uint8_t *at, uint32_t type, const char *text)
{
	size_t size = strlen(text) + 1;
	memcpy(at + TAG_SIZE, text, size);
	return put_tag(at, type, TAG_SIZE + size);
}

static uint8_t *put_module(uint8_t *at, const struct multiboot_module *module)
{
	size_t size = strlen(module->words) + 1;
	multiboot_put32(at + 8, module->address);
	multiboot_put32(at + 12, module->address + module->file.size);
	memcpy(at + MODULE_HEAD, module->words, size);
	return put_tag(at, GIVE_MODULE, MODULE_HEAD + size);
}

static uint8_t *put_screen(uint8_t *at)
{
	multiboot_put64(at + 8, TEXT_SCREEN);
	multiboot_put32(at + 16, 160);
	multiboot_put32(at + 20, 80);
	multiboot_put32(at + 24, 25);
	at[28] = 16;
	at[29] = TEXT_TYPE;
	return put_tag(at, GIVE_SCREEN, SCREEN_SIZE);
}

static uint64_t measure(const char *line, const struct multiboot_module *modules, unsigned count)
{
	uint64_t size = 8 + aligned(TAG_SIZE + strlen(line) + 1) + aligned(TAG_SIZE + sizeof MULTIBOOT_LOADER_NAME) + MEMORY_SIZE + aligned(SCREEN_SIZE);
	for (unsigned n = 0; n < count; n++)
		size += aligned(MODULE_HEAD + strlen(modules[n].words) + 1);
	/* The map begins where a paragraph does. */
	size += MAP_HEAD;
	return (size + 15) & ~UINT64_C(15);
}

/* The map comes last, as only the guest knows its length; the firmware's side adds
 * that to both sizes and puts the end tag, eight bytes, behind it. */
static void put_map(uint8_t *info, uint8_t *at, uint64_t size, uint32_t address, struct boot_plan *plan)
{
	uint8_t *head = info + size - MAP_HEAD;
	/* A tag of no type that is known fills the gap. */
	if (head > at)
		put_tag(at, UINT32_MAX, (uint64_t)(head - at));
	put_tag(head, GIVE_MAP, MAP_HEAD);
	multiboot_put32(head + 8, MULTIBOOT_MAP_ENTRY);
	multiboot_put32(info, size + TAG_SIZE);
	plan->map.sized = false;
	plan->map.add[0] = address;
	plan->map.add[1] = address + (uint32_t)(head + 4 - info);
}

bool multiboot2_plan(const struct loader_file *file, struct multiboot_module *modules, unsigned count, const char *append,
                     struct boot_plan *plan, char **error)
{
	struct multiboot2_header header;
	if (!multiboot2_parse(file, &header, error) || !multiboot_add_kernel(file, &header.addresses, plan, error) ||
	    !multiboot_add_modules(plan, modules, count, error))
		return false;
	if (header.has_entry)
		plan->eip = header.entry;
	if (!boot_plan_covers(plan, plan->eip))
		return loader_refuse(file->path, error, "multiboot2 entry_addr is %08" PRIX32 "h, outside of all that is loaded", plan->eip);
	g_autofree char *line = multiboot_command_line(file->path, append);
	uint64_t size = measure(line, modules, count);
	uint32_t address;
	uint8_t *info = multiboot_add_info(plan, size, &address, error);
	if (!info)
		return false;
	uint8_t *at = put_string(info + 8, GIVE_CMDLINE, line);
	at = put_string(at, GIVE_NAME, MULTIBOOT_LOADER_NAME);
	for (unsigned n = 0; n < count; n++)
		at = put_module(at, &modules[n]);
	plan->map.lower = address + (uint32_t)(at + 8 - info);
	at = put_tag(at, GIVE_MEMORY, MEMORY_SIZE);
	at = put_screen(at);
	put_map(info, at, size, address, plan);
	plan->eax = BOOT_MAGIC;
	plan->ebx = address;
	return true;
}
