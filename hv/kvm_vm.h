/* A VM with one vCPU, for the engine and for the tiny guests of the probe. */
#ifndef V2E_HV_KVM_VM_H
#define V2E_HV_KVM_VM_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kvm_vm {
	int device, vm, vcpu;
	struct kvm_run *run; /* the vCPU's shared page */
	size_t run_size;
};

/* Opens /dev/kvm, checks what hv/ needs of it, makes VM and vCPU. Returns 0, or
 * -errno with *error (g_free) naming what is missing and the remedy. */
int kvm_vm_open(struct kvm_vm *vm, char **error);
/* Closes what is open; also a struct kvm_vm of which open() failed. */
void kvm_vm_close(struct kvm_vm *vm);

/* Again when a signal came in between. 0, or -errno; _count: what it answered, or -errno. */
int kvm_vm_ioctl(int fd, unsigned long request, void *argument);
int kvm_vm_count_ioctl(int fd, unsigned long request, void *argument);

/* KVM's modules on this host, from /sys/module. */
bool kvm_vm_has_module(const char *name);

/* 0 or 1: a yes-or-no parameter of one of them; -1: not known. */
int kvm_vm_parameter(const char *module, const char *name);

/* The CPU does not walk the guest's page tables, but copies that KVM keeps of them (or
 * nobody knows). */
bool kvm_vm_shadows(void);

/* Is the CPU below an emulated one (QEMU's TCG) with SVM? Its TR must not be of a
 * busy type when it is set, or I/O in vm86 mode faults. */
bool kvm_vm_is_tcg_svm(void);

#endif
