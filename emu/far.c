/* Far JMP, CALL and RET: real mode, protected mode, call gates
 * (SDM vol. 2, CALL, JMP, RET; vol. 3, 5.8). */
#include "emu/access.h"

enum far_kind { FAR_JUMP, FAR_CALL };

static unsigned dpl_of(const struct descriptor *descriptor) { return descriptor->high >> 13 & 3; }
static bool is_present(const struct descriptor *descriptor) { return descriptor->high & 0x8000; }
static bool is_code(const struct descriptor *descriptor) { return (descriptor->high & 0x1800) == 0x1800; }
static bool is_conforming(const struct descriptor *descriptor) { return descriptor->high & 0x400; }
static unsigned system_type(const struct descriptor *descriptor) { return descriptor->high >> 8 & 15; }

/* --- stacks ------------------------------------------------------------------------ */

struct stack stack_current(const struct emu *emu)
{
	return (struct stack){
		.ss = emu->ctx->seg[CTX_SS],
		.esp = emu->ctx->gpr[CTX_RSP].e,
		.mask = emu->stack_mask,
		.cpl = emu->cpl,
	};
}

static bool inner_stack_fits(const struct descriptor *descriptor, uint16_t selector, unsigned cpl)
{
	bool writable_data = (descriptor->high & 0x1a00) == 0x1200;
	return writable_data && (selector & 3) == cpl && dpl_of(descriptor) == cpl;
}

/* Completes the error code of a #TS; that of a #PF has other bits. */
static bool with_ext(struct emu *emu, uint32_t ext)
{
	if (emu->fault.vector == VEC_TS)
		emu->fault.error |= ext;
	return false;
}

bool stack_inner(struct emu *emu, unsigned cpl, uint32_t ext, struct stack *stack)
{
	struct descriptor descriptor;
	uint16_t selector;
	uint32_t esp;
	if (!task_stack(emu, cpl, &selector, &esp))
		return with_ext(emu, ext);
	uint32_t error = (selector & 0xfffc) | ext;
	if (!(selector & 0xfffc))
		return emu_fail(emu, VEC_TS, ext);
	if (!seg_read_descriptor(emu, selector, &descriptor, VEC_TS))
		return with_ext(emu, ext);
	if (!inner_stack_fits(&descriptor, selector, cpl))
		return emu_fail(emu, VEC_TS, error);
	if (!is_present(&descriptor))
		return emu_fail(emu, VEC_SS, error);
	if (!seg_set_accessed(emu, selector, &descriptor))
		return false;
	seg_unpack(&stack->ss, selector, &descriptor);
	stack->esp = esp;
	stack->mask = stack->ss.access & CTX_SEG_DB ? 0xffffffffu : 0xffffu;
	stack->cpl = cpl;
	stack->error = error;
	return true;
}

static bool stack_limit(struct emu *emu, const struct stack *stack, uint32_t offset, unsigned size)
{
	uint64_t last = (uint64_t)offset + size - 1;
	bool down = stack->ss.access & CTX_SEG_DOWN, fits;
	if (emu->protected_mode && (stack->ss.access & CTX_SEG_UNUSABLE))
		fits = false;
	else if (down)
		fits = offset > stack->ss.limit && last <= stack->mask;
	else
		fits = last <= stack->ss.limit;
	return fits || emu_fail(emu, VEC_SS, stack->error);
}

bool stack_put(struct emu *emu, struct stack *stack, unsigned size, uint32_t value)
{
	uint32_t offset = (stack->esp - size) & stack->mask;
	if (!stack_limit(emu, stack, offset, size) ||
	    !emu_stack_write(emu, (uint32_t)stack->ss.base + offset, size, value, stack->cpl))
		return false;
	stack->esp = (stack->esp & ~stack->mask) | offset;
	return true;
}

bool stack_get(struct emu *emu, struct stack *stack, unsigned size, uint32_t *value)
{
	uint32_t offset = stack->esp & stack->mask;
	if (!stack_limit(emu, stack, offset, size) ||
	    !emu_stack_read(emu, (uint32_t)stack->ss.base + offset, size, value, stack->cpl))
		return false;
	stack->esp = (stack->esp & ~stack->mask) | ((offset + size) & stack->mask);
	return true;
}

void stack_commit(struct emu *emu, const struct stack *stack)
{
	emu->ctx->seg[CTX_SS] = stack->ss;
	emu->ctx->gpr[CTX_RSP].e = stack->esp;
	seg_changed(emu, CTX_SS);
}

/* --- code ---------------------------------------------------------------------------- */

bool code_load(struct emu *emu, uint16_t selector, struct descriptor *descriptor, unsigned cpl)
{
	if (!seg_set_accessed(emu, selector, descriptor))
		return false;
	seg_unpack(&emu->ctx->seg[CTX_CS], (uint16_t)((selector & 0xfffc) | cpl), descriptor);
	if (cpl != emu->cpl) {
		emu->cpl = (uint8_t)cpl;
		for (unsigned sreg = 0; sreg < CTX_LDTR; sreg++)
			seg_changed(emu, sreg);
	}
	seg_changed(emu, CTX_CS);
	seg_note(emu, CTX_CS, selector, descriptor);
	return true;
}

static uint32_t far_mask(unsigned size) { return size == 2 ? 0xffff : 0xffffffffu; }

/* Real mode and vm86: the offset must lie in the limit that CS has. */
static enum exec real_jump(struct emu *emu, uint16_t selector, uint32_t offset)
{
	uint32_t limit = emu->vm86 ? 0xffff : emu->ctx->seg[CTX_CS].limit;
	if (offset > limit)
		return emu_raise_error(emu, VEC_GP, 0);
	seg_load_real(emu, CTX_CS, selector);
	emu->ctx->rip = offset;
	return EXEC_BRANCH;
}

static enum exec real_call(struct emu *emu, const struct insn *insn, uint16_t selector, uint32_t offset)
{
	struct stack stack = stack_current(emu);
	uint32_t limit = emu->vm86 ? 0xffff : emu->ctx->seg[CTX_CS].limit;
	if (offset > limit)
		return emu_raise_error(emu, VEC_GP, 0);
	if (!stack_put(emu, &stack, insn->size, emu->ctx->seg[CTX_CS].selector) ||
	    !stack_put(emu, &stack, insn->size, insn_next_ip(emu, insn)))
		return EXEC_FAULT;
	stack_commit(emu, &stack);
	return real_jump(emu, selector, offset);
}

/* A code segment as the direct target: rights, presence. */
static bool check_code(struct emu *emu, uint16_t selector, const struct descriptor *descriptor)
{
	unsigned dpl = dpl_of(descriptor), rpl = selector & 3;
	bool allowed = is_conforming(descriptor) ? dpl <= emu->cpl : rpl <= emu->cpl && dpl == emu->cpl;
	if (!allowed)
		return emu_fail(emu, VEC_GP, selector & 0xfffc);
	return is_present(descriptor) || emu_fail(emu, VEC_NP, selector & 0xfffc);
}

static bool check_offset(struct emu *emu, const struct descriptor *descriptor, uint32_t offset)
{
	return offset <= descriptor_limit(descriptor) || emu_fail(emu, VEC_GP, 0);
}

/* To a code segment without a change of privilege. */
static enum exec code_transfer(struct emu *emu, const struct insn *insn, enum far_kind kind, unsigned size,
                               uint16_t selector, struct descriptor *descriptor, uint32_t offset)
{
	struct stack stack = stack_current(emu);
	if (!check_offset(emu, descriptor, offset))
		return EXEC_FAULT;
	if (kind == FAR_CALL && (!stack_put(emu, &stack, size, emu->ctx->seg[CTX_CS].selector) ||
	                         !stack_put(emu, &stack, size, insn_next_ip(emu, insn))))
		return EXEC_FAULT;
	if (!code_load(emu, selector, descriptor, emu->cpl))
		return EXEC_FAULT;
	if (kind == FAR_CALL)
		stack_commit(emu, &stack);
	emu->ctx->rip = offset;
	return EXEC_BRANCH;
}

/* --- call gates ------------------------------------------------------------------------- */

struct gate {
	uint16_t selector;
	uint32_t offset;
	unsigned size;       /* 2 or 4 */
	unsigned parameters;
};

static struct gate gate_of(const struct descriptor *descriptor)
{
	bool wide = system_type(descriptor) & 8;
	return (struct gate){
		.selector = (uint16_t)(descriptor->low >> 16),
		.offset = (descriptor->low & 0xffff) | (wide ? descriptor->high & 0xffff0000u : 0),
		.size = wide ? 4 : 2,
		.parameters = descriptor->high & 31,
	};
}

static bool copy_parameters(struct emu *emu, const struct gate *gate, struct stack *inner)
{
	uint32_t values[31];
	struct stack outer = stack_current(emu);
	for (unsigned i = 0; i < gate->parameters; i++)
		if (!stack_get(emu, &outer, gate->size, &values[i]))
			return false;
	for (unsigned i = gate->parameters; i-- > 0;)
		if (!stack_put(emu, inner, gate->size, values[i]))
			return false;
	return true;
}

static enum exec gate_inward(struct emu *emu, const struct insn *insn, const struct gate *gate, struct descriptor *code)
{
	struct stack inner;
	unsigned cpl = dpl_of(code);
	const struct ctx *ctx = emu->ctx;
	if (!stack_inner(emu, cpl, 0, &inner) || !check_offset(emu, code, gate->offset))
		return EXEC_FAULT;
	if (!stack_put(emu, &inner, gate->size, ctx->seg[CTX_SS].selector) ||
	    !stack_put(emu, &inner, gate->size, ctx->gpr[CTX_RSP].e) ||
	    !copy_parameters(emu, gate, &inner) ||
	    !stack_put(emu, &inner, gate->size, ctx->seg[CTX_CS].selector) ||
	    !stack_put(emu, &inner, gate->size, insn_next_ip(emu, insn)))
		return EXEC_FAULT;
	if (!code_load(emu, gate->selector, code, cpl))
		return EXEC_FAULT;
	stack_commit(emu, &inner);
	emu->ctx->rip = gate->offset;
	return EXEC_BRANCH;
}

static enum exec gate_transfer(struct emu *emu, const struct insn *insn, enum far_kind kind, const struct descriptor *descriptor)
{
	struct gate gate = gate_of(descriptor);
	struct descriptor code;
	if (!(gate.selector & 0xfffc))
		return emu_raise_error(emu, VEC_GP, 0);
	if (!seg_read_descriptor(emu, gate.selector, &code, VEC_GP))
		return EXEC_FAULT;
	uint32_t error = gate.selector & 0xfffc;
	if (!is_code(&code) || dpl_of(&code) > emu->cpl)
		return emu_raise_error(emu, VEC_GP, error);
	bool inward = !is_conforming(&code) && dpl_of(&code) < emu->cpl;
	if (inward && kind == FAR_JUMP)
		return emu_raise_error(emu, VEC_GP, error);
	if (!is_present(&code))
		return emu_raise_error(emu, VEC_NP, error);
	if (inward)
		return gate_inward(emu, insn, &gate, &code);
	return code_transfer(emu, insn, kind, gate.size, gate.selector, &code, gate.offset);
}

/* --- transfers ------------------------------------------------------------------------------ */

static enum exec task_transfer(struct emu *emu, const struct insn *insn, enum far_kind kind, uint16_t selector)
{
	enum task_cause cause = kind == FAR_CALL ? TASK_CALL : TASK_JUMP;
	return task_switch(emu, cause, selector, insn_next_ip(emu, insn), false, 0) ? EXEC_BRANCH : EXEC_FAULT;
}

static enum exec system_transfer(struct emu *emu, const struct insn *insn, enum far_kind kind,
                                 uint16_t selector, const struct descriptor *descriptor)
{
	unsigned type = system_type(descriptor), dpl = dpl_of(descriptor);
	uint32_t error = selector & 0xfffc;
	bool gate = type == 4 || type == 12, task_gate = type == 5, tss = type == 1 || type == 9;
	if ((!gate && !task_gate && !tss) || (descriptor->high & 0x1000))
		return emu_raise_error(emu, VEC_GP, error);
	if (dpl < emu->cpl || dpl < (selector & 3u))
		return emu_raise_error(emu, VEC_GP, error);
	if (!is_present(descriptor))
		return emu_raise_error(emu, VEC_NP, error);
	if (gate)
		return gate_transfer(emu, insn, kind, descriptor);
	return task_transfer(emu, insn, kind, task_gate ? (uint16_t)(descriptor->low >> 16) : selector);
}

static enum exec protected_transfer(struct emu *emu, const struct insn *insn, enum far_kind kind, uint16_t selector, uint32_t offset)
{
	struct descriptor descriptor;
	if (!(selector & 0xfffc))
		return emu_raise_error(emu, VEC_GP, 0);
	if (!seg_read_descriptor(emu, selector, &descriptor, VEC_GP))
		return EXEC_FAULT;
	if (!(descriptor.high & 0x1000))
		return system_transfer(emu, insn, kind, selector, &descriptor);
	if (!is_code(&descriptor))
		return emu_raise_error(emu, VEC_GP, selector & 0xfffc);
	if (!check_code(emu, selector, &descriptor))
		return EXEC_FAULT;
	return code_transfer(emu, insn, kind, insn->size, selector, &descriptor, offset);
}

enum exec far_jump(struct emu *emu, const struct insn *insn, uint16_t selector, uint32_t offset)
{
	offset &= far_mask(insn->size);
	return emu->protected_mode ? protected_transfer(emu, insn, FAR_JUMP, selector, offset)
	                           : real_jump(emu, selector, offset);
}

enum exec far_call(struct emu *emu, const struct insn *insn, uint16_t selector, uint32_t offset)
{
	offset &= far_mask(insn->size);
	return emu->protected_mode ? protected_transfer(emu, insn, FAR_CALL, selector, offset)
	                           : real_call(emu, insn, selector, offset);
}

/* --- returns ------------------------------------------------------------------------------------ */

/* SS:ESP of the outer ring from the inner stack. */
static bool outer_stack(struct emu *emu, struct stack *stack, unsigned size, unsigned cpl, struct stack *outer)
{
	uint32_t esp, selector;
	struct descriptor descriptor;
	if (!stack_get(emu, stack, size, &esp) || !stack_get(emu, stack, size, &selector))
		return false;
	uint16_t ss = (uint16_t)selector;
	if (!(ss & 0xfffc))
		return emu_fail(emu, VEC_GP, 0);
	if (!seg_read_descriptor(emu, ss, &descriptor, VEC_GP))
		return false;
	if (!inner_stack_fits(&descriptor, ss, cpl))
		return emu_fail(emu, VEC_GP, ss & 0xfffc);
	if (!is_present(&descriptor))
		return emu_fail(emu, VEC_SS, ss & 0xfffc);
	if (!seg_set_accessed(emu, ss, &descriptor))
		return false;
	seg_unpack(&outer->ss, ss, &descriptor);
	outer->mask = outer->ss.access & CTX_SEG_DB ? 0xffffffffu : 0xffffu;
	/* A 16-bit stack gets SP alone: the high half of ESP stays the inner ring's. */
	outer->esp = (emu->ctx->gpr[CTX_RSP].e & ~outer->mask) | (esp & outer->mask);
	outer->cpl = cpl;
	return true;
}

/* Data segments that the outer ring may not use become null. */
static void drop_inner_segments(struct emu *emu, unsigned cpl)
{
	static const uint8_t sregs[] = { CTX_ES, CTX_DS, CTX_FS, CTX_GS };
	for (unsigned i = 0; i < sizeof sregs; i++) {
		struct ctx_seg *seg = &emu->ctx->seg[sregs[i]];
		bool conforming = (seg->access & (CTX_SEG_CODE | CTX_SEG_CONFORM)) == (CTX_SEG_CODE | CTX_SEG_CONFORM);
		if ((seg->access & CTX_SEG_UNUSABLE) || conforming || (seg->access >> CTX_SEG_DPL_SHIFT & 3) >= cpl)
			continue;
		seg->selector = 0;
		seg->base = 0;
		seg->access |= CTX_SEG_UNUSABLE;
		seg_changed(emu, sregs[i]);
	}
}

static bool check_return_code(struct emu *emu, uint16_t selector, struct descriptor *descriptor)
{
	uint32_t error = selector & 0xfffc;
	unsigned rpl = selector & 3;
	if (!error)
		return emu_fail(emu, VEC_GP, 0);
	if (!seg_read_descriptor(emu, selector, descriptor, VEC_GP))
		return false;
	bool fits = is_code(descriptor) &&
	            (is_conforming(descriptor) ? dpl_of(descriptor) <= rpl : dpl_of(descriptor) == rpl);
	if (!fits || rpl < emu->cpl)
		return emu_fail(emu, VEC_GP, error);
	return is_present(descriptor) || emu_fail(emu, VEC_NP, error);
}

bool far_return_to(struct emu *emu, struct stack *stack, unsigned size, uint16_t selector, uint32_t ip, uint16_t release)
{
	struct descriptor code;
	struct stack outer;
	unsigned cpl = selector & 3;
	if (!check_return_code(emu, selector, &code))
		return false;
	bool outward = cpl > emu->cpl;
	stack->esp = (stack->esp & ~stack->mask) | ((stack->esp + release) & stack->mask);
	if (outward && !outer_stack(emu, stack, size, cpl, &outer))
		return false;
	if (!check_offset(emu, &code, ip) || !code_load(emu, selector, &code, cpl))
		return false;
	if (outward) {
		outer.esp = (outer.esp & ~outer.mask) | ((outer.esp + release) & outer.mask);
		stack_commit(emu, &outer);
		drop_inner_segments(emu, cpl);
	} else {
		stack_commit(emu, stack);
	}
	emu->ctx->rip = ip;
	return true;
}

enum exec far_return(struct emu *emu, const struct insn *insn, uint16_t release)
{
	struct stack stack = stack_current(emu);
	uint32_t ip, selector;
	if (!stack_get(emu, &stack, insn->size, &ip) || !stack_get(emu, &stack, insn->size, &selector))
		return EXEC_FAULT;
	if (emu->protected_mode)
		return far_return_to(emu, &stack, insn->size, (uint16_t)selector, ip, release) ? EXEC_BRANCH : EXEC_FAULT;
	enum exec result = real_jump(emu, (uint16_t)selector, ip);
	if (result == EXEC_BRANCH) {
		stack.esp = (stack.esp & ~stack.mask) | ((stack.esp + release) & stack.mask);
		stack_commit(emu, &stack);
	}
	return result;
}
