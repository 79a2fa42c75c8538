/* Events into the guest. */
#include <glib.h>

#include "hv/kvm_private.h"
#include "shared/log.h"

static void inject(struct kvm *kvm, uint8_t vector)
{
	struct kvm_vcpu_events *events = &kvm->run->s.regs.events;
	events->interrupt.injected = 1;
	events->interrupt.nr = vector;
	events->interrupt.soft = 0;
	events->flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW;
	kvm_mark_dirty(kvm, KVM_SYNC_X86_EVENTS);
	kvm->stats.interrupts++;
	log_trace(LOG_TRACE_IRQ, "irq vector %02x at %04x:%08llx", vector, kvm->run->s.regs.sregs.cs.selector, kvm->run->s.regs.regs.rip);
}

/* By the registers, not by ready_for_interrupt_injection: that is not yet true of a
 * state that was just loaded. */
static bool interrupts_open(const struct kvm *kvm)
{
	const struct kvm_sync_regs *sync = &kvm->run->s.regs;
	const struct kvm_vcpu_events *events = &sync->events;
	return (sync->regs.rflags & CTX_EFLAGS_IF) && !events->smi.pending && !events->interrupt.shadow && !events->interrupt.injected &&
	       !events->exception.injected && !events->exception.pending && !events->nmi.injected && !kvm->io_pending;
}

/* An interpreting KVM cannot walk an IDT, and an interrupt that was acknowledged
 * does not go back: so the other engine takes it. */
static bool leaves_interrupts(const struct kvm *kvm)
{
	return kvm->interprets && !kvm_run_is_ours_alone(kvm, kvm->ctx);
}

/* Its program runs at each instruction that any KVM of the host interprets, and there
 * may be 64 of them: so it is loaded when the first interrupt has to wait. */
static void open_window(struct kvm *kvm)
{
	g_autofree char *why = NULL;
	kvm->window = kvm_window_new(&why);
	if (kvm->window)
		return;
	kvm->wants_window = false;
	log_error("where KVM lets interrupts in is not seen: %s", why);
}

/* Where IF is set, what is in the way is over behind the next instruction, or at once:
 * one that an exit left half done is completed, and the guest goes no further. */
static void find_window(struct kvm *kvm)
{
	enum kvm_window_stop stop = KVM_WINDOW_NONE;
	if (kvm_pin_is_set(&kvm->config.pins->intr) && !kvm->holds_interrupts)
		stop = kvm->run->s.regs.regs.rflags & CTX_EFLAGS_IF ? KVM_WINDOW_NEXT : KVM_WINDOW_OPENER;
	if (stop == KVM_WINDOW_NEXT && kvm->io_pending)
		__atomic_store_n(&kvm->run->immediate_exit, 1, __ATOMIC_RELAXED);
	if (!kvm->window && stop != KVM_WINDOW_NONE)
		open_window(kvm);
	if (kvm->window)
		kvm_window_stop(kvm->window, stop);
}

enum stop_reason kvm_deliver(struct kvm *kvm)
{
	struct cpu_pins *pins = kvm->config.pins;
	struct kvm_vcpu_events *events = &kvm->run->s.regs.events;
	if (kvm_pin_is_set(&pins->nmi) && !events->nmi.masked && !events->nmi.pending) {
		__atomic_store_n(&pins->nmi, false, __ATOMIC_RELEASE);
		events->nmi.pending = 1;
		events->flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW;
		kvm_mark_dirty(kvm, KVM_SYNC_X86_EVENTS);
	}
	if (kvm_pin_is_set(&pins->intr) && interrupts_open(kvm) && pins->acknowledge && !kvm->holds_interrupts) {
		if (pins->hold_intr)
			return STOP_HELD;
		if (leaves_interrupts(kvm)) {
			kvm->stats.left_interrupts++;
			return kvm_run_leave(kvm, HV_DETAIL_INTERRUPT);
		}
		inject(kvm, pins->acknowledge(pins->owner));
	}
	/* The instruction of an exit is completed first; then there is a window. */
	kvm->run->request_interrupt_window = kvm_pin_is_set(&pins->intr) && !kvm->holds_interrupts;
	if (kvm->wants_window)
		find_window(kvm);
	return STOP_NONE;
}
