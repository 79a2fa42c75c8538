/* Makes KVM_RUN come back where the guest lets interrupts in, on a KVM that interprets
 * and would not see that: an instruction that may set IF is stopped behind, by a BPF
 * program on the tracepoint of each interpreted instruction. */
#ifndef V2E_HV_KVM_WINDOW_H
#define V2E_HV_KVM_WINDOW_H

enum kvm_window_stop {
	KVM_WINDOW_NONE,
	KVM_WINDOW_OPENER, /* behind the next STI, POPF, IRET or RSM */
	KVM_WINDOW_NEXT,   /* behind the next instruction */
};

struct kvm_window;

/* For the calling thread. Returns NULL with *error (g_free): why, and what helps. */
struct kvm_window *kvm_window_new(char **error);
void kvm_window_free(struct kvm_window *window); /* NULL is fine */
/* Another thread runs the vCPU from now on. Returns 0 or -errno. */
int kvm_window_attach(struct kvm_window *window);

/* From the next instruction on; a store to memory. KVM_RUN says EINTR then. */
void kvm_window_stop(struct kvm_window *window, enum kvm_window_stop stop);

#endif
