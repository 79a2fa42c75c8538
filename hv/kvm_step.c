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
	bool planned;    /* an instruction, or a stretch, is under way */
	bool one;        /* it is one instruction */
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

void kvm_step_load(struct kvm_step *step, const struct ctx *ctx)
{
	if (!step)
		return;
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
	return kvm_vm_ioctl(step->vm->vcpu, KVM_SET_GUEST_DEBUG, &debug);
}

/* The processor clears the trace flag when it faults, so that handlers are stopped at:
 * of #DE, #UD, #GP and #PF, the likely ones. */
static int set_one(struct kvm_step *step)
{
	static const uint8_t vectors[STEPPER_STOPS] = { 0, 6, 13, 14 };
	uint64_t stop[STEPPER_STOPS];
	unsigned stops = 0;
	for (unsigned n = 0; n < STEPPER_STOPS; n++)
		if (handler_address(&step->ctx, step->mem, vectors[n], &stop[stops]) && stop[stops] != step->linear)
			stops++;
	return set_debug(step, true, stop, stops);
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
	return set_debug(step, false, stop, known);
}

int kvm_step_arm(struct kvm_step *step)
{
	uint64_t stop[STEPPER_STOPS];
	unsigned stops = 0;
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
	bool again = step->held == step->linear;
	if (again)
		step->held = NOWHERE;
	step->one = step->stepper.plan(step->stepper.owner, &step->ctx, step->mem, again, stop, &stops) == STEPPER_ONE;
	return step->one ? set_one(step) : set_debug(step, false, stop, stops);
}

/* HLT and what KVM completes after an exit may end an instruction without a stop. */
void kvm_step_look(struct kvm_step *step, bool interrupted)
{
	bool stopped = !interrupted && step->vm->run->exit_reason == KVM_EXIT_DEBUG;
	if (!step->planned || !(stopped || (step->one && linear_now(step) != step->linear)))
		return;
	step->planned = false;
	take_registers(step);
	step->stepper.done(step->stepper.owner, &step->ctx, step->mem);
}

void kvm_step_mmio(struct kvm_step *step, uint64_t address, unsigned size, uint64_t value, bool write)
{
	if (step)
		step->stepper.mmio(step->stepper.owner, address, size, value, write);
}
