/* What versions 1 and 2 of the Multiboot specification share. */
#ifndef V2E_LOADER_MULTIBOOT_COMMON_H
#define V2E_LOADER_MULTIBOOT_COMMON_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "loader/boot_plan.h"
#include "loader/loader_file.h"

#define MULTIBOOT_MODULES_MAX 64u
#define MULTIBOOT_LOADER_NAME "v2e"
/* Entries of the firmware's memory map that there is room for, and their size. */
#define MULTIBOOT_MAP_ROOM  64u
#define MULTIBOOT_MAP_ENTRY 24u

/* A file that goes to the kernel, with the words for it. */
struct multiboot_module {
	struct loader_file file;
	char *words; /* owned: the file's name and what the user wrote behind it */
	uint64_t address; /* set by multiboot_add_modules() */
};

/* A header's own load addresses, for files that are no ELF. */
struct multiboot_addresses {
	bool there;
	uint64_t header_offset; /* where the header is in the file */
	uint32_t header, load, load_end, bss_end, entry;
};

/* Loads the kernel by these addresses, or as ELF where they are not there; sets the
 * entry. Returns false with *error (g_free): file, field, value, limit. */
bool multiboot_add_kernel(const struct loader_file *file, const struct multiboot_addresses *addresses,
                          struct boot_plan *plan, char **error);

/* Places the modules above the kernel, on pages. */
bool multiboot_add_modules(struct boot_plan *plan, struct multiboot_module *modules, unsigned count, char **error);

/* Adds the information structure below 1 MiB: `size` bytes, then room for the memory
 * map with 8 bytes behind it. Returns the zeroed bytes, with *address set, or NULL. */
uint8_t *multiboot_add_info(struct boot_plan *plan, uint64_t size, uint32_t *address, char **error);

/* "PATH APPEND"; to be freed with g_free. */
char *multiboot_command_line(const char *path, const char *append);

void multiboot_put32(uint8_t *at, uint64_t value);
void multiboot_put64(uint8_t *at, uint64_t value);

#endif
