#include "loader/elf_image.h"

#include <elf.h>
#include <inttypes.h>

/* The fields that matter, of either class. */
struct header {
	bool wide;
	uint16_t type, machine, entry_size, entries;
	uint32_t version;
	uint64_t entry, table;
};

bool elf_is(const struct loader_file *file)
{
	return file->size >= SELFMAG && !memcmp(file->data, ELFMAG, SELFMAG);
}

static void read_header(const struct loader_file *file, struct header *header)
{
	if (header->wide) {
		Elf64_Ehdr raw;
		memcpy(&raw, file->data, sizeof raw);
		*header = (struct header){ true, raw.e_type, raw.e_machine, raw.e_phentsize, raw.e_phnum, raw.e_version, raw.e_entry, raw.e_phoff };
	} else {
		Elf32_Ehdr raw;
		memcpy(&raw, file->data, sizeof raw);
		*header = (struct header){ false, raw.e_type, raw.e_machine, raw.e_phentsize, raw.e_phnum, raw.e_version, raw.e_entry, raw.e_phoff };
	}
}

static bool check_ident(const struct loader_file *file, enum elf_classes classes, struct header *header, char **error)
{
	if (!elf_is(file))
		return loader_refuse(file->path, error, "is no ELF file: it does not begin with 7Fh ELF");
	if (file->size < EI_NIDENT)
		return loader_refuse(file->path, error, "is truncated: the ELF header has %zu bytes, the file %" PRIu64, sizeof(Elf32_Ehdr), file->size);
	uint8_t class = file->data[EI_CLASS];
	if (class != ELFCLASS32 && (class != ELFCLASS64 || classes != ELF_32_AND_64))
		return loader_refuse(file->path, error, "ELF class is %u%s, not 1 (32 bits); build it with gcc -m32 and ld -m elf_i386", class,
		                     class == ELFCLASS64 ? " (64 bits)" : "");
	if (file->data[EI_DATA] != ELFDATA2LSB)
		return loader_refuse(file->path, error, "ELF data encoding is %u, not 1 (little-endian); build it for the 386", file->data[EI_DATA]);
	header->wide = class == ELFCLASS64;
	size_t size = header->wide ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
	if (file->size < size)
		return loader_refuse(file->path, error, "is truncated: the ELF header has %zu bytes, the file %" PRIu64, size, file->size);
	return true;
}

static bool check_header(const struct loader_file *file, const struct header *header, char **error)
{
	uint16_t machine = header->wide ? EM_X86_64 : EM_386;
	size_t entry_size = header->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	if (header->machine != machine)
		return loader_refuse(file->path, error, "ELF machine is %u, not %u (%s); build it for this processor", header->machine, machine,
		                     header->wide ? "x86-64" : "386");
	if (header->version != EV_CURRENT)
		return loader_refuse(file->path, error, "ELF version is %" PRIu32 ", not 1", header->version);
	if (header->type != ET_EXEC)
		return loader_refuse(file->path, error, "ELF type is %u, not 2 (executable); link it to fixed addresses (ld -no-pie -Ttext 0x100000)",
		                     header->type);
	if (header->entries && header->entry_size != entry_size)
		return loader_refuse(file->path, error, "size of a program header is %u, not %zu", header->entry_size, entry_size);
	if (!loader_file_has(file, header->table, header->entries * entry_size))
		return loader_refuse(file->path, error, "is truncated: %u program headers at offset %" PRIu64 " end behind its %" PRIu64 " bytes",
		                     header->entries, header->table, file->size);
	return true;
}

static uint32_t read_segment(const struct loader_file *file, const struct header *header, unsigned index, struct elf_segment *segment)
{
	if (header->wide) {
		Elf64_Phdr raw;
		memcpy(&raw, file->data + header->table + index * sizeof raw, sizeof raw);
		*segment = (struct elf_segment){ index, raw.p_offset, raw.p_filesz, raw.p_vaddr, raw.p_paddr, raw.p_memsz, raw.p_flags & PF_W };
		return raw.p_type;
	}
	Elf32_Phdr raw;
	memcpy(&raw, file->data + header->table + index * sizeof raw, sizeof raw);
	*segment = (struct elf_segment){ index, raw.p_offset, raw.p_filesz, raw.p_vaddr, raw.p_paddr, raw.p_memsz, raw.p_flags & PF_W };
	return raw.p_type;
}

static bool check_segment(const struct loader_file *file, const struct elf_segment *segment, char **error)
{
	if (segment->file_size > segment->memory_size)
		return loader_refuse(file->path, error, "segment %u: size in the file is %" PRIu64 ", more than the %" PRIu64 " in memory",
		                     segment->index, segment->file_size, segment->memory_size);
	if (!loader_file_has(file, segment->offset, segment->file_size))
		return loader_refuse(file->path, error, "is truncated: segment %u has %" PRIu64 " bytes at offset %" PRIu64 ", the file %" PRIu64 " bytes",
		                     segment->index, segment->file_size, segment->offset, file->size);
	/* 32-bit numbers wrap at 4 GiB whatever the class: it is started in 32-bit mode. */
	uint64_t limit = UINT64_C(1) << 32;
	if (segment->address >= limit || segment->memory_size > limit - segment->address)
		return loader_refuse(file->path, error, "segment %u: %" PRIu64 " bytes at %08" PRIX64 "h pass 4 GiB; link it lower",
		                     segment->index, segment->memory_size, segment->address);
	return true;
}

static bool read_segments(const struct loader_file *file, const struct header *header, struct elf_image *image, char **error)
{
	for (unsigned index = 0; index < header->entries; index++) {
		struct elf_segment segment;
		if (read_segment(file, header, index, &segment) != PT_LOAD || !segment.memory_size)
			continue;
		if (!check_segment(file, &segment, error))
			return false;
		if (image->segments == ELF_SEGMENTS_MAX)
			return loader_refuse(file->path, error, "has more than %u segments to load", ELF_SEGMENTS_MAX);
		image->segment[image->segments++] = segment;
	}
	if (!image->segments)
		return loader_refuse(file->path, error, "has no segment to load (program headers: %u); link it as an executable", header->entries);
	return true;
}

/* The entry is a linked address, which for a kernel of the upper half is not where
 * it starts; some linker scripts give the physical one at once. */
static bool find_entry(const struct loader_file *file, uint64_t entry, struct elf_image *image, char **error)
{
	for (unsigned n = 0; n < image->segments; n++) {
		const struct elf_segment *segment = &image->segment[n];
		if (entry - segment->linked < segment->memory_size) {
			image->entry = entry - segment->linked + segment->address;
			return true;
		}
	}
	for (unsigned n = 0; n < image->segments; n++)
		if (entry - image->segment[n].address < image->segment[n].memory_size) {
			image->entry = entry;
			return true;
		}
	return loader_refuse(file->path, error, "entry is %08" PRIX64 "h, which is outside of all %u segments; see readelf -l", entry, image->segments);
}

bool elf_parse(const struct loader_file *file, enum elf_classes classes, struct elf_image *image, char **error)
{
	struct header header = { .wide = false };
	*image = (struct elf_image){ .segments = 0 };
	if (!check_ident(file, classes, &header, error))
		return false;
	read_header(file, &header);
	return check_header(file, &header, error) && read_segments(file, &header, image, error) &&
	       find_entry(file, header.entry, image, error);
}

bool elf_add(const struct loader_file *file, const struct elf_image *image, struct boot_plan *plan, char **error)
{
	for (unsigned n = 0; n < image->segments; n++) {
		const struct elf_segment *segment = &image->segment[n];
		struct boot_piece piece = {
			.address = segment->address, .size = segment->memory_size, .data = file->data + segment->offset,
			.data_size = segment->file_size, .read_only = !segment->writable, .use = BOOT_USE_KERNEL,
		};
		g_autofree char *what = g_strdup_printf("segment %u", segment->index);
		if (!boot_plan_add(plan, what, &piece, error))
			return false;
	}
	return true;
}
