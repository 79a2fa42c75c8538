/* ELF kernels for a machine without firmware: flat 32-bit protected mode from
 * power-on, and a page that tells about memory and devices (include/v2e/start_info.h,
 * the guest's side of it). */
#ifndef V2E_LOADER_START_INFO_H
#define V2E_LOADER_START_INFO_H

#include "include/v2e/start_info.h"
#include "loader/boot_plan.h"
#include "loader/loader_file.h"

#define START_INFO_DEVICES_MAX 64u

/* What the machine has. */
struct start_info_board {
	uint32_t ioapic_base;
	const struct device_map_entry *device; /* not owned */
	unsigned devices;                      /* at most START_INFO_DEVICES_MAX */
};

/* Makes the plan (initialized, BOOT_DIRECT): segments, the page, a stack. Returns
 * false with *error (g_free): file, field, value, limit. */
bool start_info_plan(const struct loader_file *file, const struct start_info_board *board, struct boot_plan *plan, char **error);

/* Adds page and stack to a plan whose kernel is in place. */
bool start_info_add(struct boot_plan *plan, const struct start_info_board *board, char **error);

#endif
