/* Kernels by the Multiboot Specification, version 0.6.96. */
#ifndef V2E_LOADER_MULTIBOOT_H
#define V2E_LOADER_MULTIBOOT_H

#include "loader/multiboot_common.h"

struct multiboot_header {
	uint64_t offset;  /* in the file */
	uint32_t flags;
	struct multiboot_addresses addresses;
};

/* Is there a header with a fitting checksum in the first 8,192 bytes? */
bool multiboot_is(const struct loader_file *file);

/* Returns false with *error (g_free): file, field, value, limit. */
bool multiboot_parse(const struct loader_file *file, struct multiboot_header *header, char **error);

/* Makes the plan (initialized): kernel, modules, information structure. */
bool multiboot_plan(const struct loader_file *file, struct multiboot_module *modules, unsigned count, const char *append,
                    struct boot_plan *plan, char **error);

#endif
