/* Executables in the ELF format: System V gABI, chapters 4 and 5, for the 386 and,
 * where a caller takes them, for x86-64. */
#ifndef V2E_LOADER_ELF_IMAGE_H
#define V2E_LOADER_ELF_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "loader/boot_plan.h"
#include "loader/loader_file.h"

#define ELF_SEGMENTS_MAX 64u

enum elf_classes { ELF_32, ELF_32_AND_64 };

struct elf_segment {
	unsigned index;           /* in the file's table, for messages */
	uint64_t offset, file_size;
	uint64_t linked, address; /* virtual, physical */
	uint64_t memory_size;
	bool writable;
};

struct elf_image {
	uint64_t entry;           /* physical */
	struct elf_segment segment[ELF_SEGMENTS_MAX]; /* those to load, with a size */
	unsigned segments;
};

/* Is there ELF's magic number? */
bool elf_is(const struct loader_file *file);

/* Checks class, machine, type, tables, and that the entry lies in a segment; all
 * offsets are in the file. Returns false with *error (g_free): file, field, value,
 * limit. */
bool elf_parse(const struct loader_file *file, enum elf_classes classes, struct elf_image *image, char **error);

/* Adds the segments to the plan. */
bool elf_add(const struct loader_file *file, const struct elf_image *image, struct boot_plan *plan, char **error);

#endif
