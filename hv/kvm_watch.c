/* gettid(), F_SETSIG, F_SETOWN_EX */
#define _GNU_SOURCE

#include "hv/kvm_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <glib.h>

#include "hv/kvm_sites.h"
#include "hv/kvm_trace.h"
#include "shared/ctx.h"
#include "shared/mem.h"

#define MAX_EVENTS 3

struct kvm_watch {
	enum hv_watch kind;
	struct kvm_vm vm;
	struct mem *mem;
	bool interprets; /* neither kvm_intel nor kvm_amd */
	bool shadows;    /* see kvm_shadow.h */
	/* trace */
	pid_t thread; /* whose events are open; 0: none */
	struct kvm_trace_event event[MAX_EVENTS];
	unsigned events;
	/* breakpoint */
	uint64_t site[KVM_SITES];
	unsigned sites;
	bool guarded;
	bool debug_changed; /* sites or guard, since arm() */
};

/* --- signals -------------------------------------------------------------------------- */

/* Signals come to threads, so what their handlers need is the thread's. */
static _Thread_local struct kvm_run *thread_run;

void kvm_watch_set_thread_run(struct kvm_run *run)
{
	thread_run = run;
}

static void leave_guest(void)
{
	struct kvm_run *run = thread_run;
	if (run)
		__atomic_store_n(&run->immediate_exit, 1, __ATOMIC_RELAXED);
}

static void on_signal(int number)
{
	(void)number;
	leave_guest();
}

#define CODE_PERF 6 /* TRAP_PERF */

/* Not ours: a debugger's, which wants to see it die. */
static void on_trap(int number, siginfo_t *info, void *context)
{
	(void)context;
	if (info->si_code == CODE_PERF) {
		leave_guest();
		return;
	}
	signal(number, SIG_DFL);
	raise(number);
}

int kvm_watch_catch_signal(int number)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	return sigaction(number, &action, NULL) ? -errno : 0;
}

static int catch_trap(void)
{
	struct sigaction action = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_RESTART };
	return sigaction(SIGTRAP, &action, NULL) ? -errno : 0;
}

/* --- trace: perf tracepoints of kvm ------------------------------------------------------- */

/* KVM looks for signals before each entry of the guest. These fire where CR0 was
 * written, so KVM_RUN comes back right behind `mov cr0`. The last ones are for code
 * that KVM interprets: the boundary comes one instruction late; and #GP, which stands
 * for paging that it refuses, before the guest sees anything of it. */
#define NO_CPU    "" /* neither kvm_intel nor kvm_amd; NULL: any */
#define VECTOR_GP 13u

static const struct watch_point {
	struct kvm_trace_point point;
	bool for_shadow; /* to see that paging is switched on */
} points[] = {
	{ { "kvm_intel", "kvm_cr", "rw == 1 && cr == 0 && !(val & 1)" }, false },
	{ { "kvm_intel", "kvm_cr", "rw == 1 && cr == 0 && (val & 0x80000000)" }, true },
	{ { "kvm_amd", "kvm_cr", "rw == 1 && cr == 0 && !(val & 1)" }, false },
	/* Each MOV to CR0, with paging or without. */
	{ { "kvm_amd", "kvm_exit", "isa == 2 && (exit_reason == 0x10 || exit_reason == 0x65)" }, false },
	{ { NULL, "kvm_emulate_insn", "!(flags & 1)" }, false },
	{ { NO_CPU, "kvm_inj_exception", "exception == 13" }, false },
};

static bool is_for_this_host(const struct kvm_watch *watch, const struct watch_point *point)
{
	const char *module = point->point.module;
	if (point->for_shadow && !watch->shadows)
		return false;
	if (!module)
		return true;
	return *module ? kvm_vm_has_module(module) : watch->interprets;
}

/* For kernels before 5.13. The ring is not read, but there has to be one. */
static int send_signal(struct kvm_trace_event *event)
{
	struct f_owner_ex owner = { F_OWNER_TID, gettid() };
	int result = kvm_trace_map(event, 1);
	if (result)
		return result;
	if (fcntl(event->fd, F_SETSIG, KVM_TRACE_SIGNAL) || fcntl(event->fd, F_SETOWN_EX, &owner) ||
	    fcntl(event->fd, F_SETFL, O_ASYNC))
		return -errno;
	return kvm_watch_catch_signal(KVM_TRACE_SIGNAL);
}

static int start_event(struct kvm_trace_event *event, const struct kvm_trace_point *point, bool trap)
{
	struct perf_event_attr attr = { .wakeup_events = 1 };
	attr.sigtrap = trap;
	attr.remove_on_exec = trap; /* sigtrap demands it */
	int result = kvm_trace_open(event, point, attr);
	if (result)
		return result;
	result = trap ? catch_trap() : send_signal(event);
	if (!result)
		result = kvm_trace_enable(event, true);
	if (result)
		kvm_trace_close(event);
	return result;
}

static int open_event(struct kvm_trace_event *event, const struct kvm_trace_point *point)
{
	int result = start_event(event, point, true);
	return result == -EINVAL || result == -E2BIG ? start_event(event, point, false) : result;
}

static void close_events(struct kvm_watch *watch)
{
	while (watch->events)
		kvm_trace_close(&watch->event[--watch->events]);
	watch->thread = 0;
}

static int open_events(struct kvm_watch *watch)
{
	for (size_t i = 0; i < G_N_ELEMENTS(points); i++) {
		if (!is_for_this_host(watch, &points[i]))
			continue;
		int result = open_event(&watch->event[watch->events], &points[i].point);
		if (result) {
			close_events(watch);
			return result;
		}
		watch->events++;
	}
	watch->thread = gettid();
	return 0;
}

/* --- guest debug: breakpoints and the guard --------------------------------------------------- */

#define DR7_FIXED  0x400u
#define DR7_GLOBAL 2u
#define DR7_GD     0x2000u

static int set_debug(struct kvm_watch *watch)
{
	struct kvm_guest_debug debug = { .control = 0 };
	if (watch->sites || watch->guarded)
		debug.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP;
	debug.arch.debugreg[7] = DR7_FIXED | (watch->guarded ? DR7_GD : 0);
	for (unsigned n = 0; n < watch->sites; n++) {
		debug.arch.debugreg[n] = watch->site[n];
		debug.arch.debugreg[7] |= DR7_GLOBAL << 2 * n;
	}
	return kvm_vm_ioctl(watch->vm.vcpu, KVM_SET_GUEST_DEBUG, &debug);
}

/* The boundary was crossed unseen: the `mov cr0` that did it cannot be far. */
static void learn(struct kvm_watch *watch)
{
	const struct kvm_sync_regs *sync = &watch->vm.run->s.regs;
	if (!watch->mem)
		return;
	unsigned sites = kvm_sites_find(watch->mem, sync->sregs.cs.base + sync->regs.rip, watch->site);
	watch->debug_changed = true;
	watch->sites = sites;
}

static bool is_site(const struct kvm_watch *watch)
{
	const struct kvm_sync_regs *sync = &watch->vm.run->s.regs;
	for (unsigned n = 0; n < watch->sites; n++)
		if (watch->site[n] == sync->sregs.cs.base + sync->regs.rip)
			return true;
	return false;
}

#define EFLAGS_RF 0x10000u

/* Stopped before a `mov cr0`: does it clear PE? */
static enum kvm_watch_verdict look_at_site(struct kvm_watch *watch)
{
	struct kvm_run *run = watch->vm.run;
	struct kvm_regs *regs = &run->s.regs.regs;
	uint64_t linear = run->s.regs.sregs.cs.base + regs->rip;
	unsigned reg = watch->mem ? kvm_sites_register(watch->mem, linear) : 0;
	const uint64_t value[] = { regs->rax, regs->rcx, regs->rdx, regs->rbx, regs->rsp, regs->rbp, regs->rsi, regs->rdi };
	if (!(value[reg & 7] & CTX_CR0_PE))
		return KVM_WATCH_LEAVES;
	regs->rflags |= EFLAGS_RF;
	run->kvm_dirty_regs |= KVM_SYNC_X86_REGS;
	return KVM_WATCH_GO_ON;
}

void kvm_watch_add_site(struct kvm_watch *watch, uint64_t linear)
{
	if (watch->kind != HV_WATCH_BREAKPOINT)
		return;
	watch->sites %= KVM_SITES;
	watch->site[watch->sites++] = linear;
	watch->debug_changed = true;
}

void kvm_watch_guard(struct kvm_watch *watch, bool on)
{
	watch->debug_changed |= watch->guarded != on;
	watch->guarded = on;
}

/* --- the interface ------------------------------------------------------------------------------ */

bool kvm_watch_is_left(const struct kvm_run *run)
{
	return !(run->s.regs.sregs.cr0 & CTX_CR0_PE) || (run->s.regs.regs.rflags & CTX_EFLAGS_VM);
}

static int open_kind(struct kvm_watch *watch, char **error)
{
	int result = 0;
	if (watch->kind == HV_WATCH_TRACE) {
		result = open_events(watch);
		if (result)
			*error = kvm_trace_remedy(result);
	} else if (watch->kind == HV_WATCH_BREAKPOINT) {
		result = set_debug(watch);
		if (result)
			*error = g_strdup_printf("this KVM sets no breakpoints: %s; take another kernel", g_strerror(-result));
	}
	return result;
}

struct kvm_watch *kvm_watch_new(const struct kvm_vm *vm, enum hv_watch kind, struct mem *mem, char **error)
{
	struct kvm_watch *watch = g_new0(struct kvm_watch, 1);
	watch->kind = kind;
	watch->vm = *vm;
	watch->mem = mem;
	watch->interprets = !kvm_vm_has_module("kvm_intel") && !kvm_vm_has_module("kvm_amd");
	watch->shadows = kvm_vm_shadows();
	if (!open_kind(watch, error))
		return watch;
	kvm_watch_free(watch);
	return NULL;
}

void kvm_watch_free(struct kvm_watch *watch)
{
	if (!watch)
		return;
	close_events(watch);
	g_free(watch);
}

enum hv_watch kvm_watch_kind(const struct kvm_watch *watch)
{
	return watch->kind;
}

bool kvm_watch_sees_paging(const struct kvm_watch *watch)
{
	return watch->kind == HV_WATCH_TRACE && !watch->interprets;
}

int kvm_watch_attach(struct kvm_watch *watch)
{
	if (watch->kind != HV_WATCH_TRACE || watch->thread == gettid())
		return 0;
	close_events(watch);
	return open_events(watch);
}

int kvm_watch_arm(struct kvm_watch *watch)
{
	if (!watch->debug_changed)
		return 0;
	watch->debug_changed = false;
	return set_debug(watch);
}

/* A #GP under delivery. In long mode there is nobody else to judge it. */
static bool is_refused(const struct kvm_watch *watch)
{
	const struct kvm_sync_regs *sync = &watch->vm.run->s.regs;
	return watch->interprets && !(sync->sregs.efer & CTX_EFER_LMA) && sync->events.exception.nr == VECTOR_GP &&
	       (sync->events.exception.injected || sync->events.exception.pending);
}

enum kvm_watch_verdict kvm_watch_look(struct kvm_watch *watch, bool interrupted)
{
	const struct kvm_run *run = watch->vm.run;
	bool debug = !interrupted && run->exit_reason == KVM_EXIT_DEBUG;
	if (debug && !is_site(watch))
		return KVM_WATCH_TRAPPED;
	if (kvm_watch_is_left(run)) {
		if (watch->kind == HV_WATCH_BREAKPOINT)
			learn(watch);
		return KVM_WATCH_LEFT;
	}
	if (debug)
		return look_at_site(watch);
	return is_refused(watch) ? KVM_WATCH_REFUSED : KVM_WATCH_GO_ON;
}
