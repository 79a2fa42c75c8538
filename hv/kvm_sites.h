/* Finds the instructions by which a guest may leave protected mode. */
#ifndef V2E_HV_KVM_SITES_H
#define V2E_HV_KVM_SITES_H

#include <stdint.h>

#include "shared/mem.h"

#define KVM_SITES 4u

/* `mov cr0, reg` behind something that clears bit 0 of a register (AND, BTR, DEC),
 * in the first MiB and in the MiB around `near`. The up to KVM_SITES closest to
 * `near` go into `site`; returns how many. Addresses are physical: what is looked
 * for is code that runs where linear is physical. */
unsigned kvm_sites_find(struct mem *mem, uint64_t near, uint64_t site[KVM_SITES]);

/* Which register the `mov cr0` at `address` takes, 0-7. */
unsigned kvm_sites_register(struct mem *mem, uint64_t address);

#endif
