/* What the files of hv/ share; nobody else includes this. */
#ifndef V2E_HV_KVM_PRIVATE_H
#define V2E_HV_KVM_PRIVATE_H

#include <linux/kvm.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "hv/hv.h"
#include "hv/kvm_bell.h"
#include "hv/kvm_mem.h"
#include "hv/kvm_shadow.h"
#include "hv/kvm_smm.h"
#include "hv/kvm_step.h"
#include "hv/kvm_vm.h"
#include "hv/kvm_watch.h"
#include "hv/kvm_window.h"
#include "hv/kvm_witness.h"

#define KVM_MSRS 64u

/* Places where KVM failed, and for how long it is not asked again. */
#define KVM_FAILURES 64u

struct kvm_failure {
	uint64_t linear;
	unsigned times;
};

struct kvm_stats {
	uint64_t runs, exits;          /* requests; KVM_RUN that came back */
	uint64_t io, mmio, interrupts, signals;
	uint64_t left_interrupts;      /* to the other engine */
	uint64_t smis;                 /* given to KVM */
	uint64_t boundaries;           /* stops because protected mode was left */
	uint64_t failures[HV_DETAILS];
	uint64_t msr_ioctls, fpu_ioctls, debug_ioctls, tlb_flushes;
	uint64_t traps;                /* MOV DR and #DB that went to the other engine */
	uint64_t late_boundaries;      /* found by an exit that was about something else */
};

struct kvm {
	struct engine engine;
	struct hv_config config;
	struct kvm_vm vm;
	struct kvm_run *run; /* vm.run */
	struct kvm_mem *mem;
	struct kvm_smm smm;
	struct kvm_shadow *shadow; /* NULL: KVM keeps no copies of page tables */
	struct kvm_bell *bell;   /* NULL: doorbells are as other registers */
	struct kvm_watch *watch; /* NULL: alone */
	bool wants_window;   /* KVM does not see by itself where interrupts may come */
	struct kvm_window *window; /* NULL: not wanted, or no interrupt had to wait yet */
	struct kvm_step *step;   /* NULL: nobody looks */
	struct kvm_witness *witness; /* of MOV DR; NULL: none, or none is wanted */
	enum hv_runs runs[HV_MODES];
	bool tr_not_busy;    /* QEMU's SVM wants it so */
	bool broken;         /* an ioctl failed: can_run() is false for good */
	unsigned refuse;     /* can_run() is false so many times more */
	struct kvm_failure failure[KVM_FAILURES];

	/* While run() is active. */
	struct ctx *ctx;
	bool io_pending;     /* the instruction of the last exit is not complete */
	bool entered;        /* KVM_RUN came back at least once */
	unsigned again;      /* KVM_RUN said EAGAIN so many times in a row */
	uint64_t exited;     /* host ns at which KVM_RUN came back last, where that is measured */
	bool holds_interrupts; /* a single step is not to end in the handler of some interrupt */
	bool left;           /* the boundary was seen */
	bool traced_long;    /* the mode that --trace switch knows */
	bool failed;         /* KVM gave up */
	bool tables_lost;    /* by a shutdown, since which it was not entered */
	uint32_t trap;       /* DR6 bits of a #DB that came here instead of to the guest */
	bool interprets;     /* the mode in which the request began is interpreted */

	/* The vCPU thread and its timer. */
	_Atomic pid_t thread; /* 0: none yet */
	timer_t timer;
	bool has_timer;
	uint64_t armed;      /* guest ns for which the timer was set last */

	/* What KVM holds, so that only what changed is moved. */
	struct kvm_msr_entry msr[KVM_MSRS];
	bool msr_valid, msr_exits; /* msr_exits: writes come to us */
	bool tsc_offset_known; /* KVM tells and takes the offset of the TSC */
	uint64_t tsc_offset; /* the vCPU's TSC less the host's */
	struct kvm_xsave *xsave;
	bool xsave_valid;
	struct kvm_debugregs debugregs;
	bool debugregs_valid;
	bool guardable;      /* MOV DR and #DB can be made to exit */
	bool guarded;        /* they do: the page's debug registers stay true, but for DR6 */
	bool witnessed;      /* so they do where the witness saw nothing */
	struct kvm_sregs held_sregs; /* at the end of the last run() */

	struct kvm_stats stats;
};

/* --- kvm_ctx.c: the page <-> what lies in struct kvm_run ------------------------- */

struct kvm_ctx_quirks {
	bool tr_not_busy;
};

void kvm_ctx_to_regs(const struct ctx *ctx, struct kvm_regs *regs);
void kvm_ctx_from_regs(struct ctx *ctx, const struct kvm_regs *regs);
/* `sregs` holds what KVM last gave: what the page does not know stays. */
void kvm_ctx_to_sregs(const struct ctx *ctx, struct kvm_sregs *sregs, const struct kvm_ctx_quirks *quirks);
/* Real-mode segments of a state that left protected mode under KVM are guessed:
 * where the base is 16 times the selector. */
void kvm_ctx_from_sregs(struct ctx *ctx, const struct kvm_sregs *sregs);
void kvm_ctx_to_events(const struct ctx *ctx, struct kvm_vcpu_events *events);
void kvm_ctx_from_events(struct ctx *ctx, const struct kvm_vcpu_events *events);

/* The mode for which the host was probed. `ctx` is in none of them while a
 * protected-mode segment is missing; PE decides then. */
enum hv_mode kvm_ctx_mode(const struct ctx *ctx);

/* --- kvm_state.c: what crosses only when it changed -------------------------------- */

/* Sets CPUID and MSR exits; reads what KVM holds. Returns 0 or -errno. */
int kvm_state_init(struct kvm *kvm, char **error);
/* Page -> KVM, before the first KVM_RUN of a request, and back behind the last. */
int kvm_state_load(struct kvm *kvm);
int kvm_state_store(struct kvm *kvm);
/* cpu_pins.fetch: what store() left in the vCPU. */
void kvm_state_fetch(void *kvm, struct ctx *ctx, enum ctx_part part);
/* KVM_WATCH_TRAPPED. MOV DR and INT1 did not happen, and happen in the other engine; so
 * does the trap of a single step. */
enum stop_reason kvm_state_trapped(struct kvm *kvm);
/* One MSR, by KVM_GET_MSRS or KVM_SET_MSRS; 0 or -errno. */
int kvm_state_move_msr(struct kvm *kvm, unsigned long request, uint32_t index, uint64_t *value);
/* KVM_EXIT_X86_WRMSR. */
void kvm_state_wrmsr(struct kvm *kvm);

/* --- kvm_deliver.c -------------------------------------------------------------------- */

static inline bool kvm_pin_is_set(const bool *pin)
{
	return __atomic_load_n(pin, __ATOMIC_ACQUIRE);
}

static inline void kvm_mark_dirty(struct kvm *kvm, uint64_t fields)
{
	kvm->run->kvm_dirty_regs |= fields;
}

/* What the pins ask for, before KVM_RUN. STOP_HELD, or STOP_MODE: another engine's. */
enum stop_reason kvm_deliver(struct kvm *kvm);

/* --- kvm_run.c ------------------------------------------------------------------------ */

bool kvm_run_is_ours_alone(const struct kvm *kvm, const struct ctx *ctx);
bool kvm_run_can_run(struct engine *engine, const struct ctx *ctx);
/* A call failed: it is said, and KVM is not used any more. */
enum stop_reason kvm_run_fail_call(struct kvm *kvm, const char *call, int error);
/* Nothing failed, but what comes next is the other engine's: STOP_MODE. */
enum stop_reason kvm_run_leave(struct kvm *kvm, enum hv_detail detail);
enum stop_reason kvm_run_run(struct engine *engine, struct ctx *ctx);
void kvm_run_kick(struct engine *engine);
void kvm_run_forget_thread(struct kvm *kvm);
/* For kvm_bell_new(). */
void kvm_run_served(void *kvm);

/* --- kvm_io.c ------------------------------------------------------------------------- */

/* KVM_EXIT_IO and KVM_EXIT_MMIO. */
void kvm_io_ports(struct kvm *kvm);
void kvm_io_memory(struct kvm *kvm);

#endif
