#include "hv/kvm_step.h"

#include <glib.h>

#include "hv/kvm_private.h"
#include "shared/handler.h"

#define DR7_FIXED  0x400u
#define DR7_GLOBAL 2u
#define VECTOR_NMI 2u
#define NOWHERE    UINT64_MAX

struct kvm_step {
	const struct kvm_vm *vm;
	struct mem *mem;
	struct stepper stepper;
	struct ctx ctx;
	bool looks;      /* in this request */
	bool debugged;   /* KVM was told to stop somewhere */
	bool hit;        /* the stepper wants it to stop here */
	bool planned;    /* an instruction, or a stretch, is under way */
	bool one;        /* it is one instruction */
	unsigned stood;  /* how often it stopped without having run */
	uint64_t linear; /* where it began */
	uint64_t held;   /* planned, but an event came first */
};

struct kvm_step *kvm_step_new(const struct kvm_vm *vm, struct mem *mem, const struct stepper *stepper)
{
	struct kvm_step *step = g_new0(struct kvm_step, 1);
	step->vm = vm;
	step->mem = mem;
	step->stepper = *stepper;
	step->held = NOWHERE;
	ctx_reset(&step->ctx, 0);
	return step;
}

void kvm_step_free(struct kvm_step *step)
{
	if (!step)
		return;
	step->stepper.free(step->stepper.owner);
	g_free(step);
}

void kvm_step_load(struct kvm_step *step, struct ctx *ctx)
{
	if (!step)
		return;
	step->looks = !step->stepper.begin || step->stepper.begin(step->stepper.owner, ctx);
	step->hit = false;
	if (step->planned && ctx->seg[CTX_CS].base + ctx->rip == step->linear)
		step->held = step->linear;
	step->planned = false;
}

void kvm_step_forget(struct kvm_step *step)
{
	if (!step)
		return;
	step->planned = false;
	step->held = NOWHERE;
}

static uint64_t linear_now(const struct kvm_step *step)
{
	const struct kvm_sync_regs *sync = &step->vm->run->s.regs;
	return sync->sregs.cs.base + sync->regs.rip;
}

static void take_registers(struct kvm_step *step)
{
	const struct kvm_sync_regs *sync = &step->vm->run->s.regs;
	kvm_ctx_from_regs(&step->ctx, &sync->regs);
	kvm_ctx_from_sregs(&step->ctx, &sync->sregs);
}

/* --- where to stop --------------------------------------------------------------------------- */

static int set_debug(struct kvm_step *step, bool one, const uint64_t *stop, unsigned stops)
{
	struct kvm_guest_debug debug = { .control = one ? KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP : 0 };
	if (stops)
		debug.control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP;
	debug.arch.debugreg[7] = DR7_FIXED;
	for (unsigned n = 0; n < stops; n++) {
		debug.arch.debugreg[n] = stop[n];
		debug.arch.debugreg[7] |= DR7_GLOBAL << 2 * n;
	}
	step->debugged = debug.control;
	return kvm_vm_ioctl(step->vm->vcpu, KVM_SET_GUEST_DEBUG, &debug);
}

/* KVM steps from where the processor stands when it is told to: registers that it is to
 * take over with KVM_RUN would come too late. */
static int give_registers(const struct kvm_step *step)
{
	struct kvm_run *run = step->vm->run;
	const uint64_t both = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
	if (!(run->kvm_dirty_regs & both))
		return 0;
	int result = kvm_vm_ioctl(step->vm->vcpu, KVM_SET_SREGS, &run->s.regs.sregs);
	if (!result)
		result = kvm_vm_ioctl(step->vm->vcpu, KVM_SET_REGS, &run->s.regs.regs);
	run->kvm_dirty_regs &= ~both;
	return result;
}

/* The processor clears the trace flag when it faults, so that handlers are stopped at:
 * those that were asked for, and of #DE, #UD, #GP and #PF, the likely ones. */
static int set_one(struct kvm_step *step, uint64_t stop[STEPPER_STOPS], unsigned stops)
{
	static const uint8_t vectors[STEPPER_STOPS] = { 0, 6, 13, 14 };
	for (unsigned n = 0; n < STEPPER_STOPS && stops < STEPPER_STOPS; n++)
		if (handler_address(&step->ctx, step->mem, vectors[n], &stop[stops]) && stop[stops] != step->linear)
			stops++;
	int result = give_registers(step);
	return result ? result : set_debug(step, true, stop, stops);
}

/* An event that KVM is to deliver before the next instruction, or -1. */
static int event_vector(const struct kvm_step *step)
{
	const struct kvm_vcpu_events *events = &step->vm->run->s.regs.events;
	if (events->exception.injected || events->exception.pending)
		return events->exception.nr;
	if (events->nmi.injected || (events->nmi.pending && !events->nmi.masked))
		return VECTOR_NMI;
	return events->interrupt.injected ? events->interrupt.nr : -1;
}

/* A trace flag would be pushed with the flags; so it stops at the handler. What was
 * planned is planned again when that returns. */
static int enter_handler(struct kvm_step *step, uint8_t vector)
{
	uint64_t stop[1];
	bool known = handler_address(&step->ctx, step->mem, vector, stop);
	if (step->planned && linear_now(step) == step->linear)
		step->held = step->linear;
	step->planned = false;
	if (step->stepper.event)
		step->stepper.event(step->stepper.owner, vector);
	return set_debug(step, false, stop, known);
}

int kvm_step_arm(struct kvm_step *step)
{
	uint64_t stop[STEPPER_STOPS] = { 0 };
	unsigned stops = 0;
	if (!step->looks)
		return step->debugged ? set_debug(step, false, stop, 0) : 0;
	int vector = event_vector(step);
	take_registers(step);
	if (vector >= 0)
		return enter_handler(step, (uint8_t)vector);
	if (step->planned)
		return 0;
	/* linear.h knows no tables of long mode. */
	if (step->ctx.efer & CTX_EFER_LMA)
		return set_debug(step, false, stop, 0);
	step->linear = linear_now(step);
	step->planned = true;
	step->stood = 0;
	bool again = step->held == step->linear;
	if (again)
		step->held = NOWHERE;
	enum stepper_plan plan = step->stepper.plan(step->stepper.owner, &step->ctx, step->mem, again, stop, &stops);
	step->one = plan == STEPPER_ONE;
	step->hit = plan == STEPPER_HIT;
	if (step->hit)
		return 0;
	return step->one ? set_one(step, stop, stops) : set_debug(step, false, stop, stops);
}

#define STANDS_MOST 8u

/* Bochs's VMX traps before the instruction as well, where it was entered for it more than
 * once: for its page. What stays where it is for good, a jump to itself, does not mind
 * another round. */
static bool stands_still(struct kvm_step *step)
{
	const struct kvm_regs *regs = &step->vm->run->s.regs.regs;
	bool still = step->one && step->stood < STANDS_MOST && linear_now(step) == step->linear && regs->rcx == step->ctx.gpr[CTX_RCX].r &&
	             regs->rsp == step->ctx.gpr[CTX_RSP].r;
	step->stood += still;
	return still;
}

/* HLT and what KVM completes after an exit may end an instruction without a stop. */
void kvm_step_look(struct kvm_step *step, bool interrupted)
{
	bool stopped = !interrupted && step->vm->run->exit_reason == KVM_EXIT_DEBUG;
	if (!step->planned || !(stopped || (step->one && linear_now(step) != step->linear)))
		return;
	if (stopped && stands_still(step))
		return;
	step->planned = false;
	take_registers(step);
	step->hit = step->stepper.done(step->stepper.owner, &step->ctx, step->mem);
}

bool kvm_step_hit(const struct kvm_step *step)
{
	return step && step->hit;
}

void kvm_step_mmio(struct kvm_step *step, uint64_t address, unsigned size, uint64_t value, bool write)
{
	if (step && step->looks && step->stepper.mmio)
		step->stepper.mmio(step->stepper.owner, address, size, value, write);
}
