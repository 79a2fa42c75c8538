/* PUSH, POP and their kin. Nothing is changed before the last access that can fault. */
#include "emu/access.h"
#include "emu/bodies.h"
#include "emu/flags.h"

static enum exec push_register16(struct emu *emu, const struct insn *insn)
{
	return stack_push(emu, 2, emu->ctx->gpr[insn->rm].x) ? EXEC_NEXT : EXEC_FAULT;
}

static enum exec push_register32(struct emu *emu, const struct insn *insn)
{
	return stack_push(emu, 4, emu->ctx->gpr[insn->rm].e) ? EXEC_NEXT : EXEC_FAULT;
}

enum exec exec_push(struct emu *emu, const struct insn *insn)
{
	uint32_t value = insn->imm;
	if (insn->operands != OPERANDS_IMM && !rm_load(emu, insn, insn->size, &value))
		return EXEC_FAULT;
	return stack_push(emu, insn->size, value) ? EXEC_NEXT : EXEC_FAULT;
}

exec_fn *push_pick(const struct insn *insn)
{
	if (insn->operands != OPERANDS_REG)
		return exec_push;
	return insn->size == 2 ? push_register16 : push_register32;
}

static enum exec pop_register16(struct emu *emu, const struct insn *insn)
{
	uint32_t value;
	if (!stack_pop(emu, 2, &value))
		return EXEC_FAULT;
	emu->ctx->gpr[insn->rm].x = (uint16_t)value;
	return EXEC_NEXT;
}

static enum exec pop_register32(struct emu *emu, const struct insn *insn)
{
	uint32_t value;
	if (!stack_pop(emu, 4, &value))
		return EXEC_FAULT;
	emu->ctx->gpr[insn->rm].e = value;
	return EXEC_NEXT;
}

/* An address with ESP as base counts from the ESP behind the pop (SDM vol. 2, POP). */
enum exec exec_pop(struct emu *emu, const struct insn *insn)
{
	uint32_t value, old = emu->ctx->gpr[CTX_RSP].e;
	if (!stack_pop(emu, insn->size, &value))
		return EXEC_FAULT;
	if (rm_store(emu, insn, insn->size, value))
		return EXEC_NEXT;
	emu->ctx->gpr[CTX_RSP].e = old;
	return EXEC_FAULT;
}

exec_fn *pop_pick(const struct insn *insn)
{
	if (insn->is_memory)
		return exec_pop;
	return insn->size == 2 ? pop_register16 : pop_register32;
}

/* A 32-bit push of a segment register writes two bytes and moves ESP by four,
 * as the P6 does. */
enum exec exec_push_sreg(struct emu *emu, const struct insn *insn)
{
	uint32_t sp = (stack_pointer(emu) - insn->size) & emu->stack_mask;
	if (!mem_store(emu, CTX_SS, sp, 2, emu->ctx->seg[insn->reg].selector))
		return EXEC_FAULT;
	stack_set_pointer(emu, sp);
	return EXEC_NEXT;
}

enum exec exec_pop_sreg(struct emu *emu, const struct insn *insn)
{
	uint32_t selector, sp = stack_pointer(emu) + insn->size;
	if (!stack_peek(emu, 0, 2, &selector))
		return EXEC_FAULT;
	uint32_t old_mask = emu->stack_mask;
	if (!seg_load(emu, insn->reg, (uint16_t)selector))
		return EXEC_FAULT;
	uint32_t esp = emu->ctx->gpr[CTX_RSP].e;
	emu->ctx->gpr[CTX_RSP].e = (esp & ~old_mask) | (sp & old_mask);
	if (insn->reg != CTX_SS)
		return EXEC_NEXT;
	emu_shadow(emu, CTX_SHADOW_MOV_SS);
	emu->ctx->rip = insn_next_ip(emu, insn);
	return EXEC_BRANCH;
}

enum exec exec_pusha(struct emu *emu, const struct insn *insn)
{
	unsigned size = insn->size;
	uint32_t sp = stack_pointer(emu);
	/* Highest address first, so that a fault comes before any register moves. */
	for (unsigned i = 0; i < 8; i++)
		if (!mem_store(emu, CTX_SS, (sp - (i + 1) * size) & emu->stack_mask, size, reg_read(emu, i, size)))
			return EXEC_FAULT;
	stack_set_pointer(emu, sp - 8 * size);
	return EXEC_NEXT;
}

enum exec exec_popa(struct emu *emu, const struct insn *insn)
{
	unsigned size = insn->size;
	uint32_t value[8];
	for (unsigned i = 0; i < 8; i++)
		if (!stack_peek(emu, i * size, size, &value[7 - i]))
			return EXEC_FAULT;
	for (unsigned i = 0; i < 8; i++)
		if (i != CTX_RSP)
			reg_write(emu, i, size, value[i]);
	stack_set_pointer(emu, stack_pointer(emu) + 8 * size);
	return EXEC_NEXT;
}

static unsigned iopl(const struct emu *emu) { return emu->ctx->rflags >> 12 & 3; }

/* In vm86 with IOPL < 3: #GP, or with VME (16-bit form) VIF in place of IF and IOPL 3. */
enum exec exec_pushf(struct emu *emu, const struct insn *insn)
{
	uint32_t flags = eflags_get(emu) & ~(CTX_EFLAGS_VM | CTX_EFLAGS_RF);
	if (emu->vm86 && iopl(emu) < 3) {
		if (!(emu->ctx->cr4 & CTX_CR4_VME) || insn->size == 4)
			return emu_raise_error(emu, VEC_GP, 0);
		flags = (flags & ~CTX_EFLAGS_IF) | CTX_EFLAGS_IOPL;
		if (flags & CTX_EFLAGS_VIF)
			flags |= CTX_EFLAGS_IF;
	}
	return stack_push(emu, insn->size, flags) ? EXEC_NEXT : EXEC_FAULT;
}

/* Which bits POPF may change (SDM vol. 2, POPF, table 4-15). */
static uint32_t popf_mask(const struct emu *emu, unsigned size)
{
	uint32_t mask = FLAGS_ARITH | CTX_EFLAGS_TF | CTX_EFLAGS_DF | CTX_EFLAGS_NT;
	if (size == 4 && emu->cpu >= EMU_CPU_486)
		mask |= CTX_EFLAGS_AC | CTX_EFLAGS_ID;
	if (!emu->vm86 && emu->cpl == 0)
		mask |= CTX_EFLAGS_IOPL;
	if (emu->cpl <= iopl(emu))
		mask |= CTX_EFLAGS_IF;
	return mask;
}

/* vm86, VME, IOPL < 3, 16-bit: IF goes to VIF. False: #GP. */
static bool popf_vme(struct emu *emu, uint32_t *flags)
{
	if ((*flags & CTX_EFLAGS_TF) || ((*flags & CTX_EFLAGS_IF) && (emu->ctx->rflags & CTX_EFLAGS_VIP)))
		return emu_fail(emu, VEC_GP, 0);
	emu->ctx->rflags &= ~(uint64_t)CTX_EFLAGS_VIF;
	if (*flags & CTX_EFLAGS_IF)
		emu->ctx->rflags |= CTX_EFLAGS_VIF;
	return true;
}

enum exec exec_popf(struct emu *emu, const struct insn *insn)
{
	uint32_t flags, mask = popf_mask(emu, insn->size);
	bool restricted = emu->vm86 && iopl(emu) < 3;
	if (restricted && (!(emu->ctx->cr4 & CTX_CR4_VME) || insn->size == 4))
		return emu_raise_error(emu, VEC_GP, 0);
	if (!stack_peek(emu, 0, insn->size, &flags))
		return EXEC_FAULT;
	if (restricted && !popf_vme(emu, &flags))
		return EXEC_FAULT;
	stack_set_pointer(emu, stack_pointer(emu) + insn->size);
	/* RF is cleared by POPFD as by every instruction that completes. */
	eflags_set(emu, (eflags_get(emu) & ~(mask | CTX_EFLAGS_RF)) | (flags & mask));
	emu_flags_changed(emu);
	emu->ctx->rip = insn_next_ip(emu, insn);
	return EXEC_BRANCH;
}

/* Copies the enclosing frame pointers of ENTER to the new frame. */
static bool enter_nested(struct emu *emu, unsigned size, unsigned level, uint32_t *sp, uint32_t frame)
{
	uint32_t bp = emu->ctx->gpr[CTX_RBP].e, value;
	for (unsigned i = 1; i < level; i++) {
		bp -= size;
		*sp -= size;
		if (!mem_load(emu, CTX_SS, bp & emu->stack_mask, size, &value) ||
		    !mem_store(emu, CTX_SS, *sp & emu->stack_mask, size, value))
			return false;
	}
	*sp -= size;
	return mem_store(emu, CTX_SS, *sp & emu->stack_mask, size, frame);
}

enum exec exec_enter(struct emu *emu, const struct insn *insn)
{
	unsigned size = insn->size, level = insn->imm2 & 31;
	uint32_t sp = stack_pointer(emu) - size;
	uint32_t frame = (emu->ctx->gpr[CTX_RSP].e & ~emu->stack_mask) | (sp & emu->stack_mask);
	if (!mem_store(emu, CTX_SS, sp & emu->stack_mask, size, reg_read(emu, CTX_RBP, size)))
		return EXEC_FAULT;
	if (level && !enter_nested(emu, size, level, &sp, frame))
		return EXEC_FAULT;
	sp = (sp - insn->imm) & emu->stack_mask;
	/* The new top of stack must be writable (SDM vol. 2, ENTER). */
	if (!emu_probe_write(emu, CTX_SS, sp, size))
		return EXEC_FAULT;
	reg_write(emu, CTX_RBP, size, frame);
	stack_set_pointer(emu, sp);
	return EXEC_NEXT;
}

enum exec exec_leave(struct emu *emu, const struct insn *insn)
{
	uint32_t value, bp = emu->ctx->gpr[CTX_RBP].e & emu->stack_mask;
	if (!mem_load(emu, CTX_SS, bp, insn->size, &value))
		return EXEC_FAULT;
	stack_set_pointer(emu, bp + insn->size);
	reg_write(emu, CTX_RBP, insn->size, value);
	return EXEC_NEXT;
}
