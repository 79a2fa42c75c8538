/* The symbol table of an ELF file, 32 or 64 bits, little-endian. Each offset and size
 * is checked against the file before it is used. */
#include <elf.h>
#include <string.h>

#include <glib.h>

#include "trace/symbols.h"

/* What both widths have. */
struct section {
	uint32_t type, link;
	uint64_t address, offset, size, entry;
};

struct table {
	const struct symbols_source *source;
	bool wide, relocatable;
	uint64_t offset, entry; /* of the section headers */
	unsigned count;
};

struct entry {
	uint32_t name;
	uint8_t type;
	uint16_t section;
	uint64_t value, size;
};

static bool fits(const struct symbols_source *source, uint64_t offset, uint64_t size)
{
	return offset <= source->size && size <= source->size - offset;
}

static bool read_header(struct table *table)
{
	const struct symbols_source *source = table->source;
	Elf32_Ehdr narrow;
	Elf64_Ehdr wide;
	if (!fits(source, 0, EI_NIDENT) || source->data[EI_DATA] != ELFDATA2LSB)
		return false;
	table->wide = source->data[EI_CLASS] == ELFCLASS64;
	if (!fits(source, 0, table->wide ? sizeof wide : sizeof narrow))
		return false;
	if (table->wide) {
		memcpy(&wide, source->data, sizeof wide);
		table->offset = wide.e_shoff, table->entry = wide.e_shentsize, table->count = wide.e_shnum;
		table->relocatable = wide.e_type == ET_REL;
	} else {
		memcpy(&narrow, source->data, sizeof narrow);
		table->offset = narrow.e_shoff, table->entry = narrow.e_shentsize, table->count = narrow.e_shnum;
		table->relocatable = narrow.e_type == ET_REL;
	}
	return table->entry >= (table->wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr)) &&
	       fits(source, table->offset, table->entry * table->count);
}

static bool read_section(const struct table *table, unsigned n, struct section *section)
{
	Elf32_Shdr narrow;
	Elf64_Shdr wide;
	if (n >= table->count)
		return false;
	const uint8_t *at = table->source->data + table->offset + n * table->entry;
	if (table->wide) {
		memcpy(&wide, at, sizeof wide);
		*section = (struct section){ wide.sh_type, wide.sh_link, wide.sh_addr, wide.sh_offset, wide.sh_size, wide.sh_entsize };
	} else {
		memcpy(&narrow, at, sizeof narrow);
		*section = (struct section){ narrow.sh_type, narrow.sh_link, narrow.sh_addr, narrow.sh_offset, narrow.sh_size, narrow.sh_entsize };
	}
	return section->type == SHT_NOBITS || fits(table->source, section->offset, section->size);
}

static struct entry read_entry(const struct table *table, const uint8_t *at)
{
	Elf32_Sym narrow;
	Elf64_Sym wide;
	if (table->wide) {
		memcpy(&wide, at, sizeof wide);
		return (struct entry){ wide.st_name, ELF64_ST_TYPE(wide.st_info), wide.st_shndx, wide.st_value, wide.st_size };
	}
	memcpy(&narrow, at, sizeof narrow);
	return (struct entry){ narrow.st_name, ELF32_ST_TYPE(narrow.st_info), narrow.st_shndx, narrow.st_value, narrow.st_size };
}

/* Code and data at a place of their own; no files, sections or absolute values. */
static bool is_place(const struct entry *entry)
{
	bool kind = entry->type == STT_FUNC || entry->type == STT_NOTYPE || entry->type == STT_OBJECT;
	return kind && entry->section != SHN_UNDEF && entry->section < SHN_LORESERVE;
}

static void put_entry(struct symbols *symbols, const struct table *table, const struct entry *entry, const struct section *strings)
{
	struct section home = { 0 };
	if (!is_place(entry) || entry->name >= strings->size)
		return;
	const char *name = (const char *)table->source->data + strings->offset + entry->name;
	size_t length = strnlen(name, strings->size - entry->name);
	if (table->relocatable && !read_section(table, entry->section, &home))
		return;
	if (length)
		symbols_put(symbols, table->source->base + home.address + entry->value, entry->size, name, length);
}

static bool put_table(struct symbols *symbols, const struct table *table, const struct section *section)
{
	struct section strings;
	uint64_t least = table->wide ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
	if (section->entry < least || !read_section(table, section->link, &strings) || strings.type != SHT_STRTAB)
		return false;
	for (uint64_t at = 0; section->size - at >= section->entry; at += section->entry) {
		const struct entry entry = read_entry(table, table->source->data + section->offset + at);
		put_entry(symbols, table, &entry, &strings);
	}
	return true;
}

bool symbols_read_elf(struct symbols *symbols, const struct symbols_source *source, char **error)
{
	struct table table = { .source = source };
	struct section section;
	bool fine = read_header(&table);
	for (unsigned n = 0; fine && n < table.count; n++) {
		fine = read_section(&table, n, &section);
		if (fine && section.type == SHT_SYMTAB)
			fine = put_table(symbols, &table, &section);
	}
	if (!fine)
		*error = g_strdup("is a broken ELF file, or not little-endian; give the file that the linker wrote");
	return fine;
}
