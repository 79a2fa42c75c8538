/* Without a second dimension of paging (EPT, NPT) the CPU walks copies that KVM keeps of
 * the guest's page tables. KVM write-protects what it copied, so that it sees each write
 * of the guest's, and takes a copy for good until then: neither INVLPG nor a load of CR3
 * makes it look again (Linux, Documentation/virt/kvm/x86/mmu.rst). What another engine
 * writes it does not see. So copies are thrown away where another engine has run since
 * they may have been made. NULL: there are none. */
#ifndef V2E_HV_KVM_SHADOW_H
#define V2E_HV_KVM_SHADOW_H

#include <stdint.h>

#include "hv/kvm_vm.h"

struct kvm_shadow;

/* `slot` is a number of a memory slot that nobody else uses. `sees`: KVM_RUN comes back
 * where the guest switches paging on. */
struct kvm_shadow *kvm_shadow_new(const struct kvm_vm *vm, unsigned slot, bool sees);
void kvm_shadow_free(struct kvm_shadow *shadow);

/* Another engine ran. */
void kvm_shadow_distrust(struct kvm_shadow *shadow);
/* Before the first KVM_RUN of a request; whether the guest has paging on. Returns 0 or -errno. */
int kvm_shadow_load(struct kvm_shadow *shadow, bool paging);
/* Behind each KVM_RUN. */
void kvm_shadow_look(struct kvm_shadow *shadow, bool paging);

/* How often copies were thrown away. */
uint64_t kvm_shadow_times(const struct kvm_shadow *shadow);

#endif
