/* The run loop. */
/* gettid(), SIGEV_THREAD_ID */
#define _GNU_SOURCE

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <glib.h>

#include "hv/kvm_private.h"
#include "shared/channel.h"
#include "shared/log.h"
#include "shared/trace_cpu.h"

#define NS_PER_SECOND 1000000000u
#define KICK_SIGNAL   (SIGRTMIN + 1)
#define VECTOR_DB     1u
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

/* --- may it run ---------------------------------------------------------------------- */

/* A KVM that interprets does not deliver the trap of a single step as it should. */
static bool mode_is_ours(const struct kvm *kvm, const struct ctx *ctx)
{
	enum hv_runs runs = kvm->runs[kvm_ctx_mode(ctx)];
	return runs == HV_NATIVE || (runs == HV_INTERPRETED && kvm->config.interpreted && !(ctx->rflags & CTX_EFLAGS_TF));
}

/* Nobody else runs this, whatever comes. */
bool kvm_run_is_ours_alone(const struct kvm *kvm, const struct ctx *ctx)
{
	return kvm->config.alone || (ctx->efer & CTX_EFER_LMA);
}

/* SMM, INIT and the trap of a single step in between are the emulator's. */
static bool needs_other(const struct kvm *kvm, const struct ctx *ctx)
{
	const struct cpu_pins *pins = kvm->config.pins;
	return ctx->smm || ctx->pending_db || kvm_pin_is_set(&pins->smi) || kvm_pin_is_set(&pins->init) || ctx_is_real(ctx);
}

bool kvm_run_can_run(struct engine *engine, const struct ctx *ctx)
{
	struct kvm *kvm = (struct kvm *)engine;
	if (kvm->broken)
		return false;
	if (kvm->config.alone)
		return true;
	if (ctx->efer & CTX_EFER_LMA)
		return mode_is_ours(kvm, ctx);
	if (needs_other(kvm, ctx) || !mode_is_ours(kvm, ctx))
		return false;
	if (!kvm->refuse)
		return true;
	kvm->refuse--;
	return false;
}

/* --- failures -------------------------------------------------------------------------- */

#define FAILURE_SHIFT_MAX 6u

/* How often the other engine is to be asked before KVM gets another try: once, and
 * twice as often each time that it fails at the same place. */
static unsigned patience(struct kvm *kvm)
{
	const struct kvm_sync_regs *sync = &kvm->run->s.regs;
	const struct ctx *ctx = kvm->ctx;
	uint64_t linear = kvm->entered ? sync->sregs.cs.base + sync->regs.rip : ctx->seg[CTX_CS].base + ctx->rip;
	struct kvm_failure *failure = &kvm->failure[linear % KVM_FAILURES];
	if (failure->linear != linear)
		*failure = (struct kvm_failure){ .linear = linear };
	return 1u << MIN(failure->times++, FAILURE_SHIFT_MAX);
}

static enum stop_reason fail(struct kvm *kvm, enum hv_detail detail)
{
	static const char *const what[] = {
		[HV_DETAIL_EMULATION] = "cannot interpret the instruction that comes next",
		[HV_DETAIL_SHUTDOWN] = "gave up",
		[HV_DETAIL_ENTRY] = "does not take this state",
		[HV_DETAIL_EXIT] = "came back for a reason that is not known",
	};
	const struct kvm_sync_regs *sync = &kvm->run->s.regs;
	kvm->stats.failures[detail]++;
	kvm->ctx->stop_detail = detail;
	kvm->failed = true;
	log_trace(LOG_TRACE_SWITCH, "kvm failed (%d) at %04x:%08llx", detail, sync->sregs.cs.selector, sync->regs.rip);
	if (kvm->config.alone || (sync->sregs.efer & CTX_EFER_LMA)) {
		log_error("KVM %s%s", what[detail], kvm->config.alone ? "; give --engine hybrid, where the emulator takes it" : "");
		return STOP_ERROR;
	}
	kvm->refuse = patience(kvm);
	return STOP_MODE;
}

enum stop_reason kvm_run_leave(struct kvm *kvm, enum hv_detail detail)
{
	kvm->ctx->stop_detail = detail;
	kvm->refuse = 1;
	return STOP_MODE;
}

/* KVM itself is out of order: the other engine has to see to the end. */
enum stop_reason kvm_run_fail_call(struct kvm *kvm, const char *call, int error)
{
	log_error("%s: %s; KVM is not used any more", call, g_strerror(-error));
	kvm->stats.failures[HV_DETAIL_IOCTL]++;
	if (kvm->ctx)
		kvm->ctx->stop_detail = HV_DETAIL_IOCTL;
	kvm->broken = true;
	return kvm->config.alone ? STOP_ERROR : STOP_MODE;
}

static enum stop_reason fail_smi(struct kvm *kvm)
{
	if (kvm->config.alone)
		log_error("a system management interrupt, which the KVM of this host does not take: it lacks %s; give --engine hybrid, "
		          "where the emulator does", kvm_smm_missing(&kvm->vm));
	else
		log_error("a system management interrupt in 64-bit mode, where only --engine kvm takes it; give that, or --cpu p6");
	kvm->stats.failures[HV_DETAIL_SMI]++;
	kvm->ctx->stop_detail = HV_DETAIL_SMI;
	return STOP_ERROR;
}

/* --- the thread and its timer -------------------------------------------------------------- */

void kvm_run_forget_thread(struct kvm *kvm)
{
	if (kvm->has_timer)
		timer_delete(kvm->timer);
	kvm->has_timer = false;
	atomic_store(&kvm->thread, 0);
}

/* gettid() is a system call, which each hand-over would pay. */
static _Thread_local struct {
	const struct kvm *kvm;
	pid_t thread;
} attached;

static int attach_thread(struct kvm *kvm)
{
	if (kvm->has_timer && attached.kvm == kvm && atomic_load(&kvm->thread) == attached.thread)
		return 0;
	pid_t self = gettid();
	kvm_run_forget_thread(kvm);
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = KICK_SIGNAL };
	event.sigev_notify_thread_id = self;
	int result = kvm_watch_catch_signal(KICK_SIGNAL);
	if (!result && timer_create(CLOCK_MONOTONIC, &event, &kvm->timer))
		result = -errno;
	if (result)
		return result;
	kvm->has_timer = true;
	kvm->armed = 0;
	atomic_store(&kvm->thread, self);
	attached.kvm = kvm;
	attached.thread = self;
	result = kvm->watch ? kvm_watch_attach(kvm->watch) : 0;
	return result || !kvm->window ? result : kvm_window_attach(kvm->window);
}

/* An early signal only costs an exit, so the timer is not put off. One that came
 * while the guest did not run is spent. */
static bool timer_is_early_enough(const struct kvm *kvm, uint64_t deadline, uint64_t now)
{
	return deadline == CLOCK_NEVER || (deadline >= kvm->armed && kvm->armed > now);
}

static void arm_timer(struct kvm *kvm)
{
	uint64_t deadline = clock_next_deadline(kvm->config.clock);
	uint64_t now = clock_now(kvm->config.clock);
	if (timer_is_early_enough(kvm, deadline, now))
		return;
	uint64_t ns = deadline > now ? deadline - now : 1;
	struct itimerspec time = {
		.it_value = { (time_t)(ns / NS_PER_SECOND), (long)(ns % NS_PER_SECOND) },
	};
	timer_settime(kvm->timer, 0, &time, NULL);
	kvm->armed = deadline;
}

void kvm_run_kick(struct engine *engine)
{
	struct kvm *kvm = (struct kvm *)engine;
	pid_t thread = atomic_load(&kvm->thread);
	int saved = errno;
	cpu_pins_attend(kvm->config.pins);
	if (thread)
		syscall(SYS_tgkill, getpid(), thread, KICK_SIGNAL);
	errno = saved;
}

/* A doorbell was answered while the guest ran: it is to hear of an interrupt, and the
 * timer of an earlier deadline. */
void kvm_run_served(void *owner)
{
	struct kvm *kvm = owner;
	struct clock *clock = kvm->config.clock;
	if (atomic_load(&kvm->config.pins->attention) || !timer_is_early_enough(kvm, clock_next_deadline(clock), clock_now(clock)))
		kvm_run_kick(&kvm->engine);
}

/* --- exits ----------------------------------------------------------------------------------- */

/* AMD's CPUs reset on shutdown, so there is no state that another engine could go
 * on from; but there it is a real one. */
static enum stop_reason exit_shutdown(struct kvm *kvm)
{
	kvm->tables_lost = true;
	if (kvm->config.alone || kvm_watch_is_left(kvm->run) || (kvm->run->s.regs.sregs.efer & CTX_EFER_LMA))
		return STOP_SHUTDOWN;
	return fail(kvm, HV_DETAIL_SHUTDOWN);
}

static enum stop_reason exit_halt(struct kvm *kvm)
{
	kvm->ctx->halted = 1;
	return STOP_HALT;
}

static enum stop_reason exit_strange(struct kvm *kvm)
{
	guest_error("kvm", "exit %u", kvm->run->exit_reason);
	return fail(kvm, HV_DETAIL_EXIT);
}

static enum stop_reason see_to_exit(struct kvm *kvm)
{
	switch (kvm->run->exit_reason) {
	case KVM_EXIT_IO:
		kvm_io_ports(kvm);
		kvm->io_pending = true;
		return STOP_NONE;
	case KVM_EXIT_MMIO:
		kvm_io_memory(kvm);
		kvm->io_pending = true;
		return STOP_NONE;
	case KVM_EXIT_X86_WRMSR:
		kvm_state_wrmsr(kvm);
		kvm->io_pending = true;
		return STOP_NONE;
	case KVM_EXIT_IRQ_WINDOW_OPEN:
	case KVM_EXIT_INTR:
	case KVM_EXIT_SET_TPR: /* CR8: there is no local APIC that would look at it */
	case KVM_EXIT_DEBUG: /* kvm_watch_look() */
		return STOP_NONE;
	case KVM_EXIT_HLT:
		return exit_halt(kvm);
	case KVM_EXIT_SHUTDOWN:
		return exit_shutdown(kvm);
	case KVM_EXIT_INTERNAL_ERROR:
		return fail(kvm, HV_DETAIL_EMULATION);
	case KVM_EXIT_FAIL_ENTRY:
		return fail(kvm, HV_DETAIL_ENTRY);
	default:
		return exit_strange(kvm);
	}
}

/* --- one KVM_RUN -------------------------------------------------------------------------------- */

/* So often in a row it may be asked to come again, to no avail. */
#define AGAIN_MAX 1000u

/* EINVAL: the page's registers do not pass KVM's checks. */
static enum stop_reason see_to_errno(struct kvm *kvm, int error)
{
	kvm->again = error == EAGAIN ? kvm->again + 1 : 0;
	if (error == EINTR || (error == EAGAIN && kvm->again < AGAIN_MAX)) {
		kvm->stats.signals++;
		return STOP_NONE;
	}
	if (error == EINVAL && !kvm->entered)
		return fail(kvm, HV_DETAIL_ENTRY);
	return kvm_run_fail_call(kvm, "KVM_RUN", -error);
}

/* A stop of the stepper's is none of the watch's breakpoints. */
static enum stop_reason look(struct kvm *kvm, bool interrupted)
{
	if (kvm->step)
		kvm_step_look(kvm->step, interrupted);
	if (kvm_step_hit(kvm->step))
		return STOP_DEBUG;
	if (!kvm->watch)
		return STOP_NONE;
	enum kvm_watch_verdict verdict = kvm_watch_look(kvm->watch, interrupted || kvm->step);
	if (verdict == KVM_WATCH_GO_ON)
		return STOP_NONE;
	if (verdict == KVM_WATCH_TRAPPED || verdict == KVM_WATCH_REFUSED)
		return verdict == KVM_WATCH_TRAPPED ? kvm_state_trapped(kvm) : fail(kvm, HV_DETAIL_EMULATION);
	if (!kvm->left) {
		kvm->stats.boundaries++;
		kvm->stats.late_boundaries += verdict == KVM_WATCH_LEFT && !interrupted;
	}
	kvm->left = true;
	/* It is PE that tells can_run(), and it is still set. */
	return verdict == KVM_WATCH_LEAVES ? kvm_run_leave(kvm, HV_DETAIL_LEAVES) : STOP_MODE;
}

/* The host's time now, or nothing where nobody wants to know. */
static uint64_t host_ns(const struct kvm *kvm)
{
	return kvm->ctx->timed ? channel_host_ns() : 0;
}

/* No exit tells of it, so that the next one does. */
static void trace_long(struct kvm *kvm)
{
	const struct kvm_sync_regs *sync = &kvm->run->s.regs;
	bool is_long = sync->sregs.efer & CTX_EFER_LMA;
	if (is_long == kvm->traced_long)
		return;
	kvm->traced_long = is_long;
	struct ctx ctx = *kvm->ctx;
	struct trace_event event;
	kvm_ctx_from_regs(&ctx, &sync->regs);
	kvm_ctx_from_sregs(&ctx, &sync->sregs);
	trace_cpu_mode(&event, &ctx, ctx.rip, is_long ? "protected" : "long", is_long ? "long" : "protected");
	trace_emit(&event);
}

static enum stop_reason run_once(struct kvm *kvm)
{
	int result = kvm->step && !kvm->io_pending ? kvm_step_arm(kvm->step) : 0;
	if (result)
		return kvm_run_fail_call(kvm, "KVM_SET_GUEST_DEBUG", result);
	if (kvm_step_hit(kvm->step) && !kvm->io_pending)
		return STOP_DEBUG;
	kvm->io_pending = false;
	kvm_bell_give(kvm->bell);
	int error = ioctl(kvm->vm.vcpu, KVM_RUN, 0) < 0 ? errno : 0;
	kvm_bell_take(kvm->bell);
	kvm_smm_look(kvm);
	kvm->exited = host_ns(kvm);
	kvm->stats.exits++;
	if (!error)
		kvm->again = 0;
	enum stop_reason stop = error ? see_to_errno(kvm, error) : see_to_exit(kvm);
	if (error != EINVAL)
		kvm->entered = true;
	kvm_shadow_look(kvm->shadow, kvm->run->s.regs.sregs.cr0 & CTX_CR0_PG);
	if (log_trace_mask & LOG_TRACE_SWITCH)
		trace_long(kvm);
	if (stop != STOP_NONE && !(stop == STOP_HALT && kvm->step))
		return stop;
	enum stop_reason seen = look(kvm, error == EINTR);
	return seen != STOP_NONE ? seen : stop;
}

/* --- the loop ------------------------------------------------------------------------------------- */

static bool pins_want_control(struct kvm *kvm)
{
	struct cpu_pins *pins = kvm->config.pins;
	if (!atomic_load_explicit(&pins->attention, memory_order_relaxed))
		return false;
	/* An exchange: a pin that another thread drives from now on is not read before. */
	atomic_exchange(&pins->attention, false);
	bool is_event = (kvm_pin_is_set(&pins->init) && !kvm_smm_holds_init(kvm)) ||
	                (kvm_pin_is_set(&pins->smi) && !kvm_smm_takes(&kvm->smm));
	if (is_event)
		kvm->ctx->stop_detail = HV_DETAIL_EVENT;
	return is_event || kvm_pin_is_set(&pins->stop) || kvm_pin_is_set(&pins->reset);
}

/* INIT: as RESET, but caches, FPU and most MSRs stay (SDM vol. 3, table 9-1). */
static void init_cpu(struct kvm *kvm)
{
	struct ctx *ctx = kvm->ctx, old = *ctx;
	ctx_reset(ctx, kvm->config.cpu_signature);
	memcpy(&ctx->magic, &old.magic, offsetof(struct ctx, gpr));
	memcpy(&ctx->tsc_offset, &old.tsc_offset, sizeof *ctx - offsetof(struct ctx, tsc_offset));
	ctx->dr6_kept = ctx->tlb_kept = 0;
	ctx->smbase = old.smbase;
	ctx->cr0 = (ctx->cr0 & ~(uint64_t)(CTX_CR0_CD | CTX_CR0_NW)) | (old.cr0 & (CTX_CR0_CD | CTX_CR0_NW));
}

/* What has to be done before the guest goes on. Clears immediate_exit first: who
 * sets it behind our back has also set what is looked at then. */
static enum stop_reason prepare(struct kvm *kvm)
{
	struct kvm_run *run = kvm->run;
	__atomic_store_n(&run->immediate_exit, 0, __ATOMIC_SEQ_CST);
	clock_run_due(kvm->config.clock);
	if (kvm_bell_is_late(kvm->bell))
		kvm_bell_answer(kvm->bell);
	if (pins_want_control(kvm))
		return STOP_KICK;
	int result = kvm_smm_raise(kvm);
	if (result)
		return kvm_run_fail_call(kvm, "KVM_SMI", result);
	if ((result = kvm_smm_update_memory(kvm)))
		return kvm_run_fail_call(kvm, "KVM_SET_USER_MEMORY_REGION", result);
	if ((result = kvm_bell_update(kvm->bell)))
		return kvm_run_fail_call(kvm, "KVM_IOEVENTFD", result);
	arm_timer(kvm);
	return kvm_deliver(kvm);
}

#define EVENT_TRIES 1000u

/* An interrupt was acknowledged, but KVM_RUN came back before the guest saw it. */
static bool event_pending(const struct kvm *kvm)
{
	const struct kvm_vcpu_events *events = &kvm->run->s.regs.events;
	return kvm->entered && (events->interrupt.injected || events->nmi.injected);
}

/* An exit for I/O leaves its instruction half done: KVM completes it at the next
 * KVM_RUN, which is told to come back before the guest goes on. */
static enum stop_reason run_loop(struct kvm *kvm)
{
	enum stop_reason stop = STOP_NONE;
	unsigned tries = 0;
	for (;;) {
		if (stop == STOP_NONE)
			stop = prepare(kvm);
		bool deliver_first = stop != STOP_NONE && event_pending(kvm) && ++tries < EVENT_TRIES;
		if (stop != STOP_NONE && !kvm->io_pending && !deliver_first)
			return stop;
		if (stop != STOP_NONE)
			__atomic_store_n(&kvm->run->immediate_exit, kvm->io_pending, __ATOMIC_RELAXED);
		enum stop_reason next = run_once(kvm);
		/* The boundary is worth more than a kick. */
		if (next != STOP_NONE)
			stop = next;
	}
}

/* --- in and out --------------------------------------------------------------------------------------- */

/* With the same page tables the CPU keeps what it has cached of them, which is as it should
 * be until the guest invalidates it (ctx.tlb_kept); what KVM keeps copies of has been seen
 * to. Behind a shutdown kvm_amd has an empty
 * VMCB, and nobody tells it where its own tables are unless paging was on. Any change of
 * CR4 makes it forget and tell. */
static int flush_translations(struct kvm *kvm)
{
	const struct kvm_sregs *held = &kvm->held_sregs;
	struct kvm_sregs other = kvm->run->s.regs.sregs;
	bool forgets = other.cr0 != held->cr0 || other.cr3 != held->cr3 || other.cr4 != held->cr4 || other.efer != held->efer;
	if (!kvm->tables_lost && (!(other.cr0 & CTX_CR0_PG) || forgets || kvm->shadow || kvm->ctx->tlb_kept))
		return 0;
	kvm->tables_lost = false;
	other.cr4 ^= CTX_CR4_PGE;
	kvm->stats.tlb_flushes++;
	return kvm_vm_ioctl(kvm->vm.vcpu, KVM_SET_SREGS, &other);
}

/* A trap of the instruction by which the guest came here. */
static void deliver_pending_db(struct ctx *ctx)
{
	ctx->event_type = CTX_EVENT_FAULT;
	ctx->event_vector = VECTOR_DB;
	ctx->event_has_error = 0;
	ctx->dr6 |= ctx->pending_db;
	ctx->pending_db = 0;
}

static int load(struct kvm *kvm)
{
	struct kvm_sync_regs *sync = &kvm->run->s.regs;
	struct kvm_ctx_quirks quirks = { .tr_not_busy = kvm->tr_not_busy };
	if (kvm->ctx->pending_db)
		deliver_pending_db(kvm->ctx);
	kvm_ctx_to_regs(kvm->ctx, &sync->regs);
	sync->sregs = kvm->held_sregs;
	kvm_ctx_to_sregs(kvm->ctx, &sync->sregs, &quirks);
	kvm_ctx_to_events(kvm->ctx, &sync->events);
	kvm->run->cr8 = kvm->ctx->cr8;
	kvm_mark_dirty(kvm, KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS | KVM_SYNC_X86_EVENTS);
	kvm->entered = kvm->io_pending = kvm->left = kvm->failed = false;
	kvm->trap = 0;
	kvm->traced_long = kvm->ctx->efer & CTX_EFER_LMA;
	int result = kvm_smm_load(kvm);
	if (!result)
		result = kvm_state_load(kvm);
	if (!result)
		result = kvm_shadow_load(kvm->shadow, kvm->ctx->cr0 & CTX_CR0_PG);
	return result ? result : flush_translations(kvm);
}

/* An NMI that KVM did not come to deliver goes back to its pin. */
static int store(struct kvm *kvm)
{
	const struct kvm_sync_regs *sync = &kvm->run->s.regs;
	struct ctx *ctx = kvm->ctx;
	kvm_ctx_from_regs(ctx, &sync->regs);
	kvm_ctx_from_sregs(ctx, &sync->sregs);
	kvm_ctx_from_events(ctx, &sync->events);
	/* Whether that was one is the other engine's to judge: it comes again by itself. */
	if (kvm->failed && ctx->event_type == CTX_EVENT_FAULT)
		ctx->event_type = CTX_EVENT_NONE;
	ctx->pending_db |= kvm->trap;
	if (sync->events.nmi.pending)
		__atomic_store_n(&kvm->config.pins->nmi, true, __ATOMIC_RELEASE);
	kvm->held_sregs = sync->sregs;
	ctx->tlb_kept = 1;
	int result = kvm_smm_store(kvm);
	return result ? result : kvm_state_store(kvm);
}

/* A HLT that an event ends; else it goes on. */
static bool stays_halted(struct kvm *kvm)
{
	const struct cpu_pins *pins = kvm->config.pins;
	struct ctx *ctx = kvm->ctx;
	bool intr = kvm_pin_is_set(&pins->intr) && (ctx->rflags & CTX_EFLAGS_IF);
	bool nmi = kvm_pin_is_set(&pins->nmi) && !ctx->nmi_masked;
	bool smi = kvm_pin_is_set(&pins->smi) && !ctx->smm;
	if (ctx->halted && !intr && !nmi && !smi)
		return true;
	ctx->halted = 0;
	return false;
}

static int enter(struct kvm *kvm)
{
	int result = attach_thread(kvm);
	kvm_step_load(kvm->step, kvm->ctx);
	if (!result)
		result = load(kvm);
	return result || !kvm->watch || kvm->step ? result : kvm_watch_arm(kvm->watch);
}

static enum stop_reason run_guest(struct kvm *kvm)
{
	struct ctx *ctx = kvm->ctx;
	uint64_t start = host_ns(kvm);
	int result = enter(kvm);
	if (result)
		return kvm_run_fail_call(kvm, "loading the processor", result);
	uint64_t loaded = host_ns(kvm);
	enum stop_reason stop = run_loop(kvm);
	kvm_bell_answer(kvm->bell);
	uint64_t stopped = host_ns(kvm);
	result = kvm->entered ? store(kvm) : 0;
	ctx->ns_load = loaded - start;
	ctx->ns_exit = kvm->entered ? stopped - kvm->exited : 0;
	ctx->ns_run = stopped - loaded - ctx->ns_exit;
	ctx->ns_save = host_ns(kvm) - stopped;
	return result ? kvm_run_fail_call(kvm, "saving the processor", result) : stop;
}

enum stop_reason kvm_run_run(struct engine *engine, struct ctx *ctx)
{
	struct kvm *kvm = (struct kvm *)engine;
	struct cpu_pins *pins = kvm->config.pins;
	kvm->ctx = ctx;
	kvm->interprets = kvm->runs[kvm_ctx_mode(ctx)] != HV_NATIVE;
	kvm->stats.runs++;
	if (kvm_pin_is_set(&pins->smi) && !kvm_smm_takes(&kvm->smm))
		return fail_smi(kvm);
	if (kvm_pin_is_set(&pins->init) && !kvm_smm_comes_first(kvm)) {
		__atomic_store_n(&pins->init, false, __ATOMIC_RELEASE);
		init_cpu(kvm);
		if (!kvm->config.alone)
			return STOP_MODE;
	}
	kvm->holds_interrupts = kvm->config.alone && ctx->debug.armed && ctx->debug.step && !ctx->halted;
	if (stays_halted(kvm))
		return STOP_HALT;
	kvm_watch_set_thread_run(kvm->run);
	kvm_bell_take(kvm->bell);
	enum stop_reason stop = run_guest(kvm);
	kvm_bell_give(kvm->bell);
	kvm_watch_set_thread_run(NULL);
	return stop;
}
