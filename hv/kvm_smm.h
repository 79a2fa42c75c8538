/* System management mode by KVM, where there is no other engine to take it: KVM writes
 * the save map and does RSM. Memory as SMM sees it is the second of KVM's two address
 * spaces; what leaves SMM is seen at the next exit only. */
#ifndef V2E_HV_KVM_SMM_H
#define V2E_HV_KVM_SMM_H

#include <stdbool.h>
#include <stdint.h>

struct kvm;
struct kvm_mem;
struct kvm_vm;

struct kvm_smm {
	struct kvm_mem *mem;  /* the second address space; NULL: no SMI is taken */
	bool used;            /* that space is shown: not before the first SMI */
	bool active;          /* SMIACT#, as the board was told */
	bool init_waits;      /* for the end of SMM */
	bool smbase_known;
	uint64_t smbase;      /* KVM's */
};

/* The capability for want of which KVM takes no SMI; NULL: it does. */
const char *kvm_smm_missing(const struct kvm_vm *vm);

/* Where KVM is alone and can. */
void kvm_smm_open(struct kvm *kvm, unsigned slots);
void kvm_smm_close(struct kvm *kvm);
static inline bool kvm_smm_takes(const struct kvm_smm *smm)
{
	return smm->mem;
}

/* CTX_SMM_MAP_* that KVM writes and reads, for ctx.smm_map. */
uint32_t kvm_smm_map(const struct kvm *kvm);

/* Page -> KVM, behind kvm_ctx_to_events(), and back. Return 0 or -errno. */
int kvm_smm_load(struct kvm *kvm);
int kvm_smm_store(struct kvm *kvm);

/* Before KVM_RUN: an SMI, if the pin asks for one. */
int kvm_smm_raise(struct kvm *kvm);
/* kvm_mem_update() of both address spaces. */
int kvm_smm_update_memory(struct kvm *kvm);
/* Behind KVM_RUN, before anyone sees to the exit: SMIACT#. */
void kvm_smm_look(struct kvm *kvm);

/* An INIT has to wait: the page is in SMM, or goes there first. */
bool kvm_smm_comes_first(const struct kvm *kvm);
/* The same of the guest that runs; kvm_smm_look() calls attention to the pin when it may. */
bool kvm_smm_holds_init(struct kvm *kvm);

#endif
