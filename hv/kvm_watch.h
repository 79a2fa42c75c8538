/* How a mode boundary is caught; kvm_watch.c is the only file that knows. */
#ifndef V2E_HV_KVM_WATCH_H
#define V2E_HV_KVM_WATCH_H

#include <linux/kvm.h>
#include <stdbool.h>

#include "hv/hv.h"
#include "hv/kvm_vm.h"

struct kvm_watch;

/* What to do after KVM_RUN came back. */
enum kvm_watch_verdict {
	KVM_WATCH_GO_ON,
	KVM_WATCH_LEFT,      /* protected mode was left, or vm86 entered */
	KVM_WATCH_LEAVES,    /* the next instruction leaves it: another engine's */
	KVM_WATCH_TRAPPED,   /* MOV DR or #DB, by the guard; run->debug */
	KVM_WATCH_REFUSED,   /* #GP by a KVM that interprets, which may only mean that it refuses */
};

/* `mem` is searched for `mov cr0` by HV_WATCH_BREAKPOINT; NULL: it learns nothing.
 * Not HV_WATCH_AUTO. Returns NULL with *error (g_free): what would make it work. */
struct kvm_watch *kvm_watch_new(const struct kvm_vm *vm, enum hv_watch kind, struct mem *mem, char **error);
void kvm_watch_free(struct kvm_watch *watch); /* NULL is fine */
enum hv_watch kvm_watch_kind(const struct kvm_watch *watch);

/* Before each stretch of KVM_RUN calls. Return 0 or -errno. attach() finds out
 * whether the thread is another one: events belong to threads. */
int kvm_watch_attach(struct kvm_watch *watch);
int kvm_watch_arm(struct kvm_watch *watch);

/* From the next arm() on, MOV DR and #DB end KVM_RUN instead of reaching the guest,
 * whose own debug registers are without effect. */
void kvm_watch_guard(struct kvm_watch *watch, bool on);

/* Looks at run->s.regs and run->exit_reason. `interrupted`: KVM_RUN said EINTR. May
 * change run->s.regs (and mark it dirty) to get past a breakpoint. */
enum kvm_watch_verdict kvm_watch_look(struct kvm_watch *watch, bool interrupted);

/* KVM_RUN comes back where paging is switched on, too, where KVM keeps copies of the
 * page tables. */
bool kvm_watch_sees_paging(const struct kvm_watch *watch);

/* A `mov cr0` at a linear address is known; only HV_WATCH_BREAKPOINT cares. */
void kvm_watch_add_site(struct kvm_watch *watch, uint64_t linear);

/* Whether protected mode was left, by the registers. */
bool kvm_watch_is_left(const struct kvm_run *run);

/* immediate_exit of the vCPU that runs on this thread, for signal handlers; the
 * thread's, as signals are. */
void kvm_watch_set_thread_run(struct kvm_run *run);
/* A handler that does nothing but set it. Returns 0 or -errno. */
int kvm_watch_catch_signal(int number);

#endif
