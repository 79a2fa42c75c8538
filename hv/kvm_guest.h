/* A VM with a tiny guest, to find out what KVM does and what it costs: a page of code,
 * in any mode of the processor, that ends by OUT to a port. */
#ifndef V2E_HV_KVM_GUEST_H
#define V2E_HV_KVM_GUEST_H

#include "hv/hv.h"
#include "hv/kvm_vm.h"

#define KVM_GUEST_MEMORY 0x40000u
#define KVM_GUEST_CODE   0x1000u /* where code goes and begins */
#define KVM_GUEST_PORT   0x80

struct kvm_guest {
	struct kvm_vm vm;
	uint8_t *memory;
	bool tr_not_busy;
};

/* Returns 0, or -errno with *error (g_free); then nothing is open. */
int kvm_guest_open(struct kvm_guest *guest, char **error);
void kvm_guest_close(struct kvm_guest *guest);

/* At the first instruction of the code, in that mode. Returns 0 or -errno. */
int kvm_guest_set_mode(struct kvm_guest *guest, enum hv_mode mode, uint64_t rcx);
void kvm_guest_set_code(struct kvm_guest *guest, const uint8_t *code, size_t size);

/* KVM_RUN, once: 0 or -errno; until the OUT, which is false for any other exit. */
int kvm_guest_run(struct kvm_guest *guest);
bool kvm_guest_run_to_port(struct kvm_guest *guest);

#endif
