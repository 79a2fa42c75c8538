/* Stops the guest for a stepper (shared/stepper.h) by KVM_SET_GUEST_DEBUG. */
#ifndef V2E_HV_KVM_STEP_H
#define V2E_HV_KVM_STEP_H

#include <linux/kvm.h>

#include "hv/kvm_vm.h"
#include "shared/stepper.h"

struct kvm_step;

/* `stepper` is copied, and freed with it; `vm` may be opened later. */
struct kvm_step *kvm_step_new(const struct kvm_vm *vm, struct mem *mem, const struct stepper *stepper);
void kvm_step_free(struct kvm_step *step); /* NULL is fine */

/* What was planned is void: the page is about to be loaded, and another engine may
 * have run it (forget). NULL is fine. */
void kvm_step_load(struct kvm_step *step, struct ctx *ctx);
void kvm_step_forget(struct kvm_step *step);

/* Before KVM_RUN, with the registers in the run structure and no I/O of an
 * instruction pending. Returns 0 or -errno. */
int kvm_step_arm(struct kvm_step *step);
/* Behind it. */
void kvm_step_look(struct kvm_step *step, bool interrupted);
/* One of these two came to STOP_DEBUG. NULL is fine. */
bool kvm_step_hit(const struct kvm_step *step);
void kvm_step_mmio(struct kvm_step *step, uint64_t address, unsigned size, uint64_t value, bool write);

#endif
