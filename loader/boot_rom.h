/* A boot plan for a machine whose firmware runs first: an option ROM whose bootstrap
 * entry carries it out, and the bytes that it loads through the firmware
 * configuration device. */
#ifndef V2E_LOADER_BOOT_ROM_H
#define V2E_LOADER_BOOT_ROM_H

#include <stddef.h>

#include "loader/boot_plan.h"

/* Of the ROM, in the firmware's list of files. */
#define BOOT_ROM_NAME "v2e-boot.rom"

struct boot_rom {
	uint8_t *rom;       /* owned; boot_rom_clear() */
	size_t rom_size;
	uint8_t *data;      /* for FW_CFG_KERNEL_DATA; owned */
	size_t data_size;
};

/* Returns false with *error (g_free) where RAM below 1 MiB has no room to work in. */
bool boot_rom_make(const struct boot_plan *plan, struct boot_rom *rom, char **error);
void boot_rom_clear(struct boot_rom *rom); /* of zeros is fine */

#endif
