/* How fast a mode runs, by loops of two instructions whose time somebody else takes. */
#ifndef V2E_HV_KVM_SPEED_H
#define V2E_HV_KVM_SPEED_H

#include "hv/hv.h"

struct kvm_speed {
	enum hv_runs runs;
	uint64_t insns_per_second;
};

/* `measure` tells how many ns a run of so many turns took, with the exit that ends it;
 * 0: it does not end, and the mode is HV_REFUSED. `host`: instructions a second of the
 * same loop on the host. */
struct kvm_speed kvm_speed_of(uint64_t (*measure)(void *owner, uint32_t turns), void *owner, uint64_t host);

/* 0 ns count as one. */
uint64_t kvm_speed_insns_per_second(uint32_t turns, uint64_t ns);

#endif
