/* Memory slots from the guest-physical map. */
#ifndef V2E_HV_KVM_MEM_H
#define V2E_HV_KVM_MEM_H

#include <glib.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#include "shared/mem.h"

struct kvm_slot {
	uint64_t address, size;
	uint8_t *host;
	bool read_only; /* ROM: writes exit */
};

/* What KVM is to show for the map as it is, by address; A20 off makes every odd
 * MiB show the one below. GArray of struct kvm_slot. */
GArray *kvm_mem_layout(struct mem *mem);

struct kvm_mem;

/* `set_slot` is KVM_SET_USER_MEMORY_REGION: returns 0 or -errno. At most `slots`
 * slots are used at a time. */
struct kvm_mem *kvm_mem_new(struct mem *mem, unsigned slots,
                            int (*set_slot)(void *owner, const struct kvm_userspace_memory_region *region), void *owner);
void kvm_mem_free(struct kvm_mem *mem); /* NULL is fine */

/* Brings the slots to the map as it is; costs a comparison where nothing changed.
 * Only slots that came, went or changed are touched. Returns 0, -ENOSPC or what
 * set_slot() returned. */
int kvm_mem_update(struct kvm_mem *mem);
/* Nothing changed since. */
bool kvm_mem_is_current(const struct kvm_mem *mem);
/* What changed since is nothing that these slots are to show. */
void kvm_mem_keep(struct kvm_mem *mem);

/* Slots in use. */
unsigned kvm_mem_slots(const struct kvm_mem *mem);

#endif
