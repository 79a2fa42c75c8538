/* Doorbells (shared/mem.h) without a stop: KVM signals them by ioeventfd and the guest
 * runs on, while a thread of ours carries the writes out.
 *
 * The devices are the vCPU thread's, which takes them at the start of a request and
 * gives them away only for as long as it is in KVM_RUN. At the end of a request nothing
 * is left to be answered. So nobody but the vCPU thread ever meets the other one. */
#ifndef V2E_HV_KVM_BELL_H
#define V2E_HV_KVM_BELL_H

#include <stdbool.h>
#include <stdint.h>

#include "hv/kvm_vm.h"
#include "shared/mem.h"

struct kvm_bell;

struct kvm_bell_stats {
	uint64_t rung;     /* writes that were carried out, several at once as one; */
	uint64_t stopped;  /* of these, by the vCPU thread */
};

/* 0, or -errno: KVM has no such thing. */
int kvm_bell_check(const struct kvm_vm *vm);

/* `served` is called after each turn of the other thread, which still has the devices:
 * who has to make KVM_RUN come back for what it did, does. `vm` may be opened later; no
 * thread starts before there is a doorbell. Returns NULL with errno set. */
struct kvm_bell *kvm_bell_new(const struct kvm_vm *vm, struct mem *mem, void (*served)(void *owner), void *owner);
void kvm_bell_free(struct kvm_bell *bell); /* NULL is fine, as for all that follow */

void kvm_bell_take(struct kvm_bell *bell);
void kvm_bell_give(struct kvm_bell *bell);

/* The rest is for who has taken them. */

/* Brings KVM's registrations to the map as it is; costs a comparison where nothing
 * changed. Returns 0 or -errno. */
int kvm_bell_update(struct kvm_bell *bell);
/* Carries out what rang and was not yet. */
void kvm_bell_answer(struct kvm_bell *bell);
/* Is the other thread kept from its work? Then that had better be done here. */
bool kvm_bell_is_late(const struct kvm_bell *bell);
/* Has this page a doorbell? */
bool kvm_bell_is_at(const struct kvm_bell *bell, uint64_t address);

struct kvm_bell_stats kvm_bell_stats(const struct kvm_bell *bell);

#endif
