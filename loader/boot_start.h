/* A boot plan for a machine that starts without firmware (BOOT_DIRECT). */
#ifndef V2E_LOADER_BOOT_START_H
#define V2E_LOADER_BOOT_START_H

#include "devmodel/pc.h"
#include "loader/boot_plan.h"
#include "shared/snap.h"

/* To be called behind pc_new() and each pc_reset(): loads the pieces, opens A20, sets
 * the context page to flat 32-bit protected mode. */
void boot_start_direct(const struct boot_plan *plan, struct pc *pc);

/* Saves a plan of BOOT_DIRECT, or loads one into what boot_plan_init() made: checked as
 * a new one is. */
void boot_start_save(const struct boot_plan *plan, struct snap *snap);
void boot_start_load(struct boot_plan *plan, struct snap *snap);

#endif
