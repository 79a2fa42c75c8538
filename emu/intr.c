/* Delivery of interrupts and exceptions, and IRET (SDM vol. 3, chapters 6 and 20). */
#include "emu/access.h"
#include "emu/debugger.h"
#include "emu/flags.h"
#include "emu/tracer.h"
#include "shared/log.h"

enum exec emu_raise(struct emu *emu, enum vector vector)
{
	memset(&emu->fault, 0, sizeof emu->fault);
	emu->fault.vector = (uint8_t)vector;
	return EXEC_FAULT;
}

enum exec emu_raise_error(struct emu *emu, enum vector vector, uint32_t error)
{
	emu_raise(emu, vector);
	emu->fault.has_error = true;
	emu->fault.error = error;
	return EXEC_FAULT;
}

/* An event on its way. */
struct event {
	uint8_t vector;
	enum intr_kind kind;
	bool has_error;
	uint32_t error;
	uint32_t ext;    /* EXT bit of error codes */
	uint32_t flags;  /* EFLAGS to push */
};

static unsigned iopl(const struct emu *emu) { return emu->ctx->rflags >> 12 & 3; }

/* --- 8086 style ------------------------------------------------------------------------- */

/* FLAGS, CS and IP as one piece of plain memory. False: nothing is done yet. */
static bool push_8086(struct emu *emu, uint32_t flags)
{
	uint32_t sp = (stack_pointer(emu) - 6) & emu->stack_mask;
	uint8_t *frame = emu_plain(emu, CTX_SS, sp, 6, true);
	if (!frame)
		return false;
	bytes_store(frame, 2, (uint32_t)emu->ctx->rip);
	bytes_store(frame + 2, 2, emu->ctx->seg[CTX_CS].selector);
	bytes_store(frame + 4, 2, flags);
	stack_set_pointer(emu, sp);
	return true;
}

static void enter_8086(struct emu *emu, uint32_t vector)
{
	seg_load_real(emu, CTX_CS, (uint16_t)(vector >> 16));
	emu->ctx->rip = vector & 0xffff;
}

/* Through the interrupt vector table at `base`; `flags` is pushed. */
static bool deliver_8086(struct emu *emu, const struct event *event, uint32_t base, uint32_t flags)
{
	uint32_t vector;
	if (!emu_system_read(emu, base + 4u * event->vector, 4, &vector))
		return false;
	if (likely(push_8086(emu, flags))) {
		enter_8086(emu, vector);
		return true;
	}
	struct stack stack = stack_current(emu);
	if (!stack_put(emu, &stack, 2, flags) ||
	    !stack_put(emu, &stack, 2, emu->ctx->seg[CTX_CS].selector) ||
	    !stack_put(emu, &stack, 2, (uint32_t)emu->ctx->rip))
		return false;
	stack_commit(emu, &stack);
	enter_8086(emu, vector);
	return true;
}

static bool deliver_real(struct emu *emu, const struct event *event)
{
	struct ctx *ctx = emu->ctx;
	if (4u * event->vector + 3 > ctx->idtr.limit)
		return emu_fail(emu, VEC_GP, event->vector * 8u + 2 + event->ext);
	if (!deliver_8086(emu, event, (uint32_t)ctx->idtr.base, event->flags))
		return false;
	ctx->rflags &= ~(uint64_t)(CTX_EFLAGS_IF | CTX_EFLAGS_TF | CTX_EFLAGS_AC | CTX_EFLAGS_RF);
	emu_flags_changed(emu);
	return true;
}

/* INT n in vm86 that the redirection bitmap sends to the task's own table (VME). */
static bool deliver_redirected(struct emu *emu, const struct event *event)
{
	struct ctx *ctx = emu->ctx;
	uint32_t flags = event->flags, bit = CTX_EFLAGS_IF;
	if (iopl(emu) < 3) {
		bit = CTX_EFLAGS_VIF;
		flags = (flags & ~CTX_EFLAGS_IF) | CTX_EFLAGS_IOPL;
		if (flags & CTX_EFLAGS_VIF)
			flags |= CTX_EFLAGS_IF;
	}
	if (!deliver_8086(emu, event, 0, flags))
		return false;
	ctx->rflags &= ~(uint64_t)(bit | CTX_EFLAGS_TF | CTX_EFLAGS_NT | CTX_EFLAGS_RF);
	emu_flags_changed(emu);
	return true;
}

/* --- protected mode ----------------------------------------------------------------------- */

static bool read_gate(struct emu *emu, const struct event *event, struct descriptor *gate)
{
	const struct ctx *ctx = emu->ctx;
	uint32_t error = event->vector * 8u + 2 + event->ext, at = (uint32_t)ctx->idtr.base + 8u * event->vector;
	if (8u * event->vector + 7 > ctx->idtr.limit)
		return emu_fail(emu, VEC_GP, error);
	if (!emu_system_read(emu, at, 4, &gate->low) || !emu_system_read(emu, at + 4, 4, &gate->high))
		return false;
	unsigned type = gate->high >> 8 & 0x1f;
	bool known = type == 5 || type == 6 || type == 7 || type == 14 || type == 15;
	bool checked = event->kind == INTR_SOFT || event->kind == INTR_INT3;
	if (!known || (checked && (gate->high >> 13 & 3) < emu->cpl))
		return emu_fail(emu, VEC_GP, error);
	return gate->high & 0x8000 || emu_fail(emu, VEC_NP, error);
}

/* The handler's code segment: #GP, #NP with its selector. */
static bool read_handler(struct emu *emu, const struct event *event, uint16_t selector, struct descriptor *code)
{
	uint32_t error = (selector & 0xfffc) | event->ext;
	if (!(selector & 0xfffc))
		return emu_fail(emu, VEC_GP, event->ext);
	if (!seg_read_descriptor(emu, selector, code, VEC_GP)) {
		if (emu->fault.vector == VEC_GP)
			emu->fault.error |= event->ext;
		return false;
	}
	unsigned dpl = code->high >> 13 & 3;
	bool fits = (code->high & 0x1800) == 0x1800 && dpl <= emu->cpl;
	/* From vm86 only ring 0, and no conforming segment. */
	if (fits && emu->vm86)
		fits = dpl == 0 && !(code->high & 0x400);
	if (!fits)
		return emu_fail(emu, VEC_GP, error);
	return code->high & 0x8000 || emu_fail(emu, VEC_NP, error);
}

static bool push_vm86_segments(struct emu *emu, struct stack *stack, unsigned size)
{
	static const uint8_t order[] = { CTX_GS, CTX_FS, CTX_DS, CTX_ES };
	for (unsigned i = 0; i < sizeof order; i++)
		if (!stack_put(emu, stack, size, emu->ctx->seg[order[i]].selector))
			return false;
	return true;
}

static bool push_frame(struct emu *emu, const struct event *event, struct stack *stack, unsigned size, bool inward)
{
	const struct ctx *ctx = emu->ctx;
	if (inward && emu->vm86 && !push_vm86_segments(emu, stack, size))
		return false;
	if (inward && (!stack_put(emu, stack, size, ctx->seg[CTX_SS].selector) ||
	               !stack_put(emu, stack, size, ctx->gpr[CTX_RSP].e)))
		return false;
	return stack_put(emu, stack, size, event->flags) &&
	       stack_put(emu, stack, size, ctx->seg[CTX_CS].selector) &&
	       stack_put(emu, stack, size, (uint32_t)ctx->rip) &&
	       (!event->has_error || stack_put(emu, stack, size, event->error));
}

static void clear_vm86_segments(struct emu *emu)
{
	static const uint8_t sregs[] = { CTX_GS, CTX_FS, CTX_DS, CTX_ES };
	for (unsigned i = 0; i < sizeof sregs; i++) {
		struct ctx_seg *seg = &emu->ctx->seg[sregs[i]];
		memset(seg, 0, sizeof *seg);
		seg->access = CTX_SEG_UNUSABLE;
	}
}

static bool enter_handler(struct emu *emu, const struct event *event, const struct descriptor *gate)
{
	struct ctx *ctx = emu->ctx;
	struct descriptor code;
	struct stack stack = stack_current(emu);
	uint16_t selector = (uint16_t)(gate->low >> 16);
	bool wide = gate->high & 0x800, trap = gate->high & 0x100, was_vm86 = emu->vm86;
	uint32_t offset = (gate->low & 0xffff) | (wide ? gate->high & 0xffff0000u : 0);
	if (!read_handler(emu, event, selector, &code))
		return false;
	unsigned dpl = code.high >> 13 & 3;
	bool inward = was_vm86 || (!(code.high & 0x400) && dpl < emu->cpl);
	unsigned cpl = inward ? dpl : emu->cpl;
	stack.error = event->ext;
	if (inward && !stack_inner(emu, cpl, event->ext, &stack))
		return false;
	if (!push_frame(emu, event, &stack, wide ? 4 : 2, inward))
		return false;
	if (offset > descriptor_limit(&code))
		return emu_fail(emu, VEC_GP, event->ext);
	if (!seg_set_accessed(emu, selector, &code))
		return false;
	ctx->rflags &= ~(uint64_t)(CTX_EFLAGS_TF | CTX_EFLAGS_NT | CTX_EFLAGS_RF | CTX_EFLAGS_VM | (trap ? 0 : CTX_EFLAGS_IF));
	if (was_vm86)
		clear_vm86_segments(emu);
	seg_unpack(&ctx->seg[CTX_CS], (uint16_t)((selector & 0xfffc) | cpl), &code);
	ctx->seg[CTX_SS] = stack.ss;
	ctx->gpr[CTX_RSP].e = stack.esp;
	ctx->rip = offset;
	emu_mode_changed(emu);
	seg_note(emu, CTX_CS, selector, &code);
	emu_flags_changed(emu);
	return true;
}

static bool deliver_protected(struct emu *emu, const struct event *event)
{
	struct descriptor gate;
	if (!read_gate(emu, event, &gate))
		return false;
	if ((gate.high >> 8 & 0x1f) != 5)
		return enter_handler(emu, event, &gate);
	/* The EFLAGS image of a fault carries RF, in the TSS as on a stack. */
	emu->ctx->rflags |= event->flags & CTX_EFLAGS_RF;
	enum task_cause cause = event->ext ? TASK_INTERRUPT : TASK_SOFT_INTERRUPT;
	return task_switch(emu, cause, (uint16_t)(gate.low >> 16), (uint32_t)emu->ctx->rip,
	                   event->has_error, event->error);
}

/* INT n in vm86: IOPL, or the redirection bitmap (SDM vol. 3, table 20-2). */
static bool deliver_vm86_soft(struct emu *emu, const struct event *event)
{
	bool protected_handler = true;
	if ((emu->ctx->cr4 & CTX_CR4_VME) && !task_redirect_bit(emu, event->vector, &protected_handler))
		return false;
	if (!protected_handler)
		return deliver_redirected(emu, event);
	if (iopl(emu) < 3)
		return emu_fail(emu, VEC_GP, 0);
	return deliver_protected(emu, event);
}

static bool deliver(struct emu *emu, const struct event *event)
{
	if (!(emu->ctx->cr0 & CTX_CR0_PE))
		return deliver_real(emu, event);
	if (emu->vm86 && event->kind == INTR_SOFT)
		return deliver_vm86_soft(emu, event);
	return deliver_protected(emu, event);
}

bool intr_deliver(struct emu *emu, uint8_t vector, enum intr_kind kind, bool has_error, uint32_t error)
{
	struct event event = {
		.vector = vector,
		.kind = kind,
		.has_error = has_error,
		.error = error,
		.ext = kind != INTR_SOFT && kind != INTR_INT3,
		.flags = eflags_get(emu),
	};
	if (kind == INTR_FAULT && !emu->fault.is_trap)
		event.flags |= CTX_EFLAGS_RF;
	uint32_t due = emu->ctx->pending_db;
	bool delivered = deliver(emu, &event);
	if (!delivered && emu->ctx->pending_db != due) {
		/* What an incomplete frame has hit did not happen. */
		emu->ctx->pending_db = due;
		emu_special_changed(emu);
	}
	if (unlikely(emu->special & SPECIAL_DEBUGGER) && delivered)
		debugger_vector(emu, vector);
	return delivered;
}

/* --- faults ----------------------------------------------------------------------------------- */

static bool contributory(uint8_t vector)
{
	return vector == VEC_DE || (vector >= VEC_TS && vector <= VEC_GP);
}

/* SDM vol. 3, table 6-5. */
static bool is_double(uint8_t first, uint8_t second)
{
	if (contributory(first))
		return contributory(second);
	return first == VEC_PF && (contributory(second) || second == VEC_PF);
}

static void note_fault(struct emu *emu, const struct fault *fault)
{
	struct ctx *ctx = emu->ctx;
	if (fault->vector == VEC_PF)
		ctx->cr2 = fault->address;
	if (fault->vector == VEC_DB) {
		ctx->dr6 |= fault->dr6;
		ctx->dr7 &= ~0x2000ull;
		emu_mode_changed(emu);
	}
}

void intr_deliver_fault(struct emu *emu)
{
	struct fault fault = emu->fault;
	if (unlikely(log_trace_mask & LOG_TRACE_IRQ))
		tracer_vector(emu, "exception", fault.vector, fault.error);
	for (;;) {
		emu->fault = fault;
		note_fault(emu, &fault);
		/* The error code is there in protected mode only. */
		bool has_error = fault.has_error && (emu->ctx->cr0 & CTX_CR0_PE);
		if (intr_deliver(emu, fault.vector, INTR_FAULT, has_error, fault.error))
			return;
		if (fault.vector == VEC_DF) {
			emu->shutdown = true;
			return;
		}
		if (is_double(fault.vector, emu->fault.vector)) {
			note_fault(emu, &emu->fault);
			fault = (struct fault){ .vector = VEC_DF, .has_error = true };
		} else {
			fault = emu->fault;
		}
	}
}

/* --- IRET --------------------------------------------------------------------------------------- */

#define IRET_BASE (FLAGS_ARITH | CTX_EFLAGS_TF | CTX_EFLAGS_DF | CTX_EFLAGS_NT)

static uint32_t wide_flags(const struct emu *emu, unsigned size)
{
	if (size == 2)
		return 0;
	uint32_t mask = CTX_EFLAGS_RF;
	return emu->cpu >= EMU_CPU_486 ? mask | CTX_EFLAGS_AC | CTX_EFLAGS_ID : mask;
}

static void return_flags(struct emu *emu, uint32_t flags, uint32_t mask)
{
	eflags_set(emu, (eflags_get(emu) & ~mask) | (flags & mask));
	if (emu->ctx->nmi_masked) {
		emu->ctx->nmi_masked = 0;
		cpu_pins_attend(emu->pins);
	}
	emu_flags_changed(emu);
}

/* IRET in real mode off plain memory; EXEC_NEXT: nothing is done yet. */
static enum exec return_plain(struct emu *emu, unsigned size)
{
	uint32_t sp = stack_pointer(emu);
	const uint8_t *frame = emu_plain(emu, CTX_SS, sp, 3 * size, false);
	if (!frame)
		return EXEC_NEXT;
	uint32_t ip = bytes_load(frame, size), mask = IRET_BASE | wide_flags(emu, size) | CTX_EFLAGS_IOPL | CTX_EFLAGS_IF;
	if (ip > emu->ctx->seg[CTX_CS].limit)
		return EXEC_NEXT;
	stack_set_pointer(emu, sp + 3 * size);
	seg_load_real(emu, CTX_CS, (uint16_t)bytes_load(frame + size, 2));
	emu->ctx->rip = ip;
	return_flags(emu, bytes_load(frame + 2 * size, size), mask);
	return EXEC_BRANCH;
}

static enum exec return_real(struct emu *emu, struct stack *stack, unsigned size, uint32_t ip, uint32_t selector, uint32_t flags)
{
	uint32_t mask = IRET_BASE | wide_flags(emu, size);
	if (ip > (emu->vm86 ? 0xffff : emu->ctx->seg[CTX_CS].limit))
		return emu_raise_error(emu, VEC_GP, 0);
	if (!emu->vm86)
		mask |= CTX_EFLAGS_IOPL | CTX_EFLAGS_IF;
	else if (iopl(emu) == 3)
		mask |= CTX_EFLAGS_IF;
	stack_commit(emu, stack);
	seg_load_real(emu, CTX_CS, (uint16_t)selector);
	emu->ctx->rip = ip;
	return_flags(emu, flags, mask);
	return EXEC_BRANCH;
}

/* vm86 with IOPL < 3: #GP, or with VME the 16-bit form by VIF. */
static bool vm86_return_allowed(struct emu *emu, unsigned size, uint32_t flags)
{
	struct ctx *ctx = emu->ctx;
	if (iopl(emu) == 3)
		return true;
	if (!(ctx->cr4 & CTX_CR4_VME) || size == 4)
		return emu_fail(emu, VEC_GP, 0);
	if ((flags & CTX_EFLAGS_TF) || ((flags & CTX_EFLAGS_IF) && (ctx->rflags & CTX_EFLAGS_VIP)))
		return emu_fail(emu, VEC_GP, 0);
	ctx->rflags &= ~(uint64_t)CTX_EFLAGS_VIF;
	if (flags & CTX_EFLAGS_IF)
		ctx->rflags |= CTX_EFLAGS_VIF;
	return true;
}

/* From ring 0 to vm86: six more values on the stack. */
static enum exec return_to_vm86(struct emu *emu, struct stack *stack, uint32_t ip, uint32_t selector, uint32_t flags)
{
	static const uint8_t order[] = { CTX_SS, CTX_ES, CTX_DS, CTX_FS, CTX_GS };
	uint32_t esp, values[sizeof order];
	struct ctx *ctx = emu->ctx;
	if (!stack_get(emu, stack, 4, &esp))
		return EXEC_FAULT;
	for (unsigned i = 0; i < sizeof order; i++)
		if (!stack_get(emu, stack, 4, &values[i]))
			return EXEC_FAULT;
	if (ip > 0xffff)
		return emu_raise_error(emu, VEC_GP, 0);
	eflags_set(emu, flags & (IRET_BASE | CTX_EFLAGS_IF | CTX_EFLAGS_IOPL | CTX_EFLAGS_VM | CTX_EFLAGS_VIF |
	                         CTX_EFLAGS_VIP | wide_flags(emu, 4)));
	seg_set_vm86(&ctx->seg[CTX_CS], (uint16_t)selector);
	for (unsigned i = 0; i < sizeof order; i++)
		seg_set_vm86(&ctx->seg[order[i]], (uint16_t)values[i]);
	ctx->gpr[CTX_RSP].e = esp;
	ctx->rip = ip;
	emu_mode_changed(emu);
	return_flags(emu, 0, 0);
	return EXEC_BRANCH;
}

static enum exec return_protected(struct emu *emu, struct stack *stack, unsigned size, uint32_t ip, uint32_t selector, uint32_t flags)
{
	unsigned cpl = emu->cpl;
	uint32_t mask = IRET_BASE | wide_flags(emu, size);
	if (cpl <= iopl(emu))
		mask |= CTX_EFLAGS_IF;
	if (cpl == 0)
		mask |= CTX_EFLAGS_IOPL | (size == 4 ? CTX_EFLAGS_VIF | CTX_EFLAGS_VIP : 0);
	if (!far_return_to(emu, stack, size, (uint16_t)selector, ip, 0))
		return EXEC_FAULT;
	return_flags(emu, flags, mask);
	return EXEC_BRANCH;
}

static enum exec return_from_task(struct emu *emu, const struct insn *insn)
{
	uint32_t link;
	if (!emu_system_read(emu, (uint32_t)emu->ctx->seg[CTX_TR].base, 2, &link))
		return EXEC_FAULT;
	return task_switch(emu, TASK_IRET, (uint16_t)link, insn_next_ip(emu, insn), false, 0) ? EXEC_BRANCH : EXEC_FAULT;
}

enum exec intr_return(struct emu *emu, const struct insn *insn)
{
	unsigned size = insn->size;
	if (likely(!(emu->ctx->cr0 & CTX_CR0_PE)) && return_plain(emu, size) == EXEC_BRANCH)
		return EXEC_BRANCH;
	struct stack stack = stack_current(emu);
	uint32_t ip, selector, flags;
	if (emu->protected_mode && (emu->ctx->rflags & CTX_EFLAGS_NT))
		return return_from_task(emu, insn);
	if (emu->vm86 && iopl(emu) < 3 && (!(emu->ctx->cr4 & CTX_CR4_VME) || size == 4))
		return emu_raise_error(emu, VEC_GP, 0);
	if (!stack_get(emu, &stack, size, &ip) || !stack_get(emu, &stack, size, &selector) ||
	    !stack_get(emu, &stack, size, &flags))
		return EXEC_FAULT;
	if (emu->vm86 && !vm86_return_allowed(emu, size, flags))
		return EXEC_FAULT;
	if (!emu->protected_mode)
		return return_real(emu, &stack, size, ip, selector, flags);
	if (size == 4 && (flags & CTX_EFLAGS_VM) && emu->cpl == 0)
		return return_to_vm86(emu, &stack, ip, selector, flags);
	return return_protected(emu, &stack, size, ip, selector, flags);
}
