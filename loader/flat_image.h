/* A file of nothing but code, for a given address. Below 1 MiB it starts in real mode
 * behind the firmware, whose services it may use; from 1 MiB on in flat 32-bit
 * protected mode without firmware, as an ELF kernel does (start_info.h). */
#ifndef V2E_LOADER_FLAT_IMAGE_H
#define V2E_LOADER_FLAT_IMAGE_H

#include "loader/start_info.h"

enum boot_mode flat_image_mode(uint64_t address);

/* Makes the plan (initialized for flat_image_mode()). Returns false with *error
 * (g_free): file, address, limit. */
bool flat_image_plan(const struct loader_file *file, uint64_t address, const struct start_info_board *board,
                     struct boot_plan *plan, char **error);

#endif
