/* Kernels by the Multiboot2 Specification, version 2.0, for the 386. */
#ifndef V2E_LOADER_MULTIBOOT2_H
#define V2E_LOADER_MULTIBOOT2_H

#include "loader/multiboot_common.h"

struct multiboot2_header {
	uint64_t offset, size;    /* in the file */
	struct multiboot_addresses addresses;
	bool has_entry;           /* an entry address tag */
	uint32_t entry;
};

/* Is there a header with a fitting checksum in the first 32,768 bytes? */
bool multiboot2_is(const struct loader_file *file);

/* Returns false with *error (g_free): file, field, value, limit. */
bool multiboot2_parse(const struct loader_file *file, struct multiboot2_header *header, char **error);

/* Makes the plan (initialized): kernel, modules, information tags. */
bool multiboot2_plan(const struct loader_file *file, struct multiboot_module *modules, unsigned count, const char *append,
                     struct boot_plan *plan, char **error);

#endif
