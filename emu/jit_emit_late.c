/* Flags that wait in the guest's registers. What made them is stored only where somebody
 * may look: in the rare parts, at ways out to other code, and before an instruction
 * that overwrites one of the operands. Mostly the next operation comes first. */
#include "emu/jit_internal.h"

static bool is_scratch(unsigned reg) { return reg >= R8 && reg <= R10; }

/* --- storing --------------------------------------------------------------------- */

static void store_word(struct jit_compiler *c, size_t offset, unsigned reg)
{
	if (reg & HIGH) /* the byte lands where the word begins */
		asm_store(&c->a, 4, emu_field(offset - 1), reg & ~(unsigned)HIGH);
	else
		asm_store(&c->a, 4, emu_field(offset), reg);
}

static void store_operand(struct jit_compiler *c, unsigned reg, uint32_t imm)
{
	if (reg == NOREG)
		asm_store_imm(&c->a, 4, EMU_FIELD(lazy.b), imm);
	else
		store_word(c, offsetof(struct emu, lazy.b), reg);
}

static void compare(struct jit_compiler *c, unsigned x, const struct jit_operation *op)
{
	unsigned size = jit_kind_size(op->kind);
	if (op->has_imm)
		asm_alu_imm(&c->a, size, ALU_CMP, x, op->imm);
	else
		asm_alu(&c->a, size, ALU_CMP, x, op->b);
}

/* CF of ADD, SUB or CMP, all of whose operands are in registers. */
static void carry_of_operation(struct jit_compiler *c, const struct jit_operation *op)
{
	struct jit_asm *a = &c->a;
	unsigned x = op->r;
	if (jit_is_kind(op->kind, KIND_SUB)) {
		asm_mov(a, 4, R10, op->r);
		if (op->has_imm)
			asm_alu_imm(a, 4, ALU_ADD, R10, op->imm);
		else
			asm_alu(a, 4, ALU_ADD, R10, op->b);
		x = R10;
	}
	compare(c, x, op);
	jit_save_carry(c);
}

void jit_flags_store_carry(struct jit_compiler *c)
{
	struct jit_flags *flags = &c->flags;
	switch (flags->carry_from) {
	case CARRY_CLEAR: asm_store_imm(&c->a, 4, EMU_FIELD(flag_carry), 0); break;
	case CARRY_SET: asm_store_imm(&c->a, 4, EMU_FIELD(flag_carry), 0x80000000u); break;
	case CARRY_HOST: jit_save_carry(c); break;
	case CARRY_OPERATION: carry_of_operation(c, &flags->carry); break;
	default: return;
	}
	flags->carry_from = CARRY_WORD;
	flags->carry = (struct jit_operation){ .kind = 0 };
}

void jit_flags_store(struct jit_compiler *c)
{
	struct jit_flags *flags = &c->flags;
	if (!flags->late)
		return;
	if (flags->op.r != NOREG)
		store_word(c, offsetof(struct emu, lazy.r), flags->op.r);
	if (flags->op.has_imm || flags->op.b != NOREG)
		store_operand(c, flags->op.has_imm ? NOREG : flags->op.b, flags->op.imm);
	asm_store_imm(&c->a, 1, EMU_FIELD(lazy.kind), flags->op.kind);
	jit_flags_store_carry(c);
	*flags = jit_flags_stored(flags->op.kind);
}

/* --- noting ---------------------------------------------------------------------- */

void jit_flags_operand(struct jit_compiler *c, unsigned to, unsigned reg, uint32_t imm)
{
	c->next.has_imm = reg == NOREG;
	c->next.b = NOREG;
	if (reg == NOREG)
		c->next.imm = imm;
	else if (is_scratch(reg) || reg == to)
		store_operand(c, reg, 0);
	else
		c->next.b = (uint8_t)reg;
}

void jit_flags_result(struct jit_compiler *c, enum jit_kind kind, unsigned size, unsigned reg)
{
	c->flags = jit_flags_stored(kind_sized(kind, size));
	c->flags.late = true;
	c->flags.op.b = c->next.b;
	c->flags.op.has_imm = c->next.has_imm;
	c->flags.op.imm = c->next.imm;
	if (is_scratch(reg))
		store_word(c, offsetof(struct emu, lazy.r), reg);
	else
		c->flags.op.r = (uint8_t)reg;
	c->next = jit_flags_stored(0).op;
	c->host_flags = true;
	c->doomed = false;
}

void jit_flags_forget(struct jit_compiler *c)
{
	c->flags = jit_flags_stored(KIND_UNKNOWN);
	c->host_flags = false;
	c->doomed = false;
}

/* The words were written by the code itself. */
void jit_flags_set_words(struct jit_compiler *c)
{
	asm_store_imm(&c->a, 1, EMU_FIELD(lazy.kind), KIND_WORDS);
	jit_flags_forget(c);
	c->flags.op.kind = KIND_WORDS;
}

void jit_flags_set_image(struct jit_compiler *c)
{
	asm_store(&c->a, 4, EMU_FIELD(lazy.r), R10);
	asm_store_imm(&c->a, 1, EMU_FIELD(lazy.kind), KIND_EFLAGS);
	jit_flags_forget(c);
	c->flags.op.kind = KIND_EFLAGS;
}

/* --- the carry that INC and DEC leave alone ------------------------------------------ */

static bool uses(const struct jit_operation *op, uint32_t registers)
{
	return (op->r != NOREG && registers >> (op->r & 15) & 1) || (op->b != NOREG && registers >> (op->b & 15) & 1);
}

/* Can its CF be had from registers later, `to` being overwritten? */
static bool carry_can_wait(const struct jit_flags *flags, unsigned to)
{
	const struct jit_operation *op = &flags->op;
	bool kind = jit_is_kind(op->kind, KIND_ADD) || jit_is_kind(op->kind, KIND_SUB) || jit_is_kind(op->kind, KIND_CMP);
	if (!flags->late || !kind || op->r == NOREG || (!op->has_imm && op->b == NOREG))
		return false;
	if ((op->r & HIGH) || (op->b & HIGH))
		return false;
	return !uses(op, 1u << (to & 15));
}

/* What CF comes from once the flags of INC or DEC of `to` are noted. */
static void keep(struct jit_compiler *c, enum jit_carry from, struct jit_operation operation)
{
	c->flags.carry_from = (uint8_t)from;
	c->flags.carry = operation;
}

void jit_flags_step(struct jit_compiler *c, enum jit_kind kind, unsigned size, unsigned reg, bool carry)
{
	struct jit_flags before = c->flags;
	jit_flags_result(c, kind, size, reg);
	if (!carry)
		return;
	if (jit_is_kind(before.op.kind, KIND_LOGIC) || jit_is_kind(before.op.kind, KIND_TEST))
		keep(c, CARRY_CLEAR, (struct jit_operation){ .kind = 0 });
	else if (before.late && before.op.kind <= KIND_CF_IN_WORD)
		keep(c, before.carry_from, before.carry);
	else if (carry_can_wait(&before, reg))
		keep(c, CARRY_OPERATION, before.op);
}

void jit_carry_before_step(struct jit_compiler *c, unsigned to)
{
	const struct jit_flags *flags = &c->flags;
	unsigned kind = flags->op.kind;
	if (jit_is_kind(kind, KIND_LOGIC) || jit_is_kind(kind, KIND_TEST) || carry_can_wait(flags, to))
		return;
	if (flags->late && kind <= KIND_CF_IN_WORD && flags->carry_from != CARRY_HOST &&
	    !(flags->carry_from == CARRY_OPERATION && uses(&flags->carry, 1u << (to & 15))))
		return;
	jit_carry_to_word(c);
}

/* --- instructions that overwrite operands ----------------------------------------------- */

static uint32_t bit_of(unsigned number, unsigned size) { return 1u << (host_reg(number, size) & 15); }

/* The host's registers that the code of an instruction gives new values, as a mask;
 * all, where nobody has looked. */
static uint32_t written(const struct insn *insn)
{
	bool to_reg = insn->operands == OPERANDS_REG_RM || insn->operands == OPERANDS_REG_RM_IMM;
	uint32_t rm = insn->is_memory ? 0 : bit_of(insn->rm, insn->size), stack = 1u << JIT_ESP;
	switch (insn->op) {
	case OP_add: case OP_or: case OP_and: case OP_sub: case OP_xor: case OP_adc: case OP_sbb: case OP_mov:
		return to_reg ? bit_of(insn->reg, insn->size) : rm;
	case OP_inc: case OP_dec: case OP_neg: case OP_not: case OP_setcc: case OP_bswap:
		return rm;
	case OP_shl: case OP_shr: case OP_sar: case OP_rol: case OP_ror: case OP_rcl: case OP_rcr:
		return insn->operands == OPERANDS_RM ? ~0u : rm;
	case OP_lea: case OP_movzx_b: case OP_movzx_w: case OP_movsx_b: case OP_movsx_w: case OP_cmov:
		return 1u << host_gpr(insn->reg);
	case OP_xchg: return rm | bit_of(insn->reg, insn->size);
	case OP_cbw: return 1u << RAX;
	case OP_cwd: return 1u << RDX;
	case OP_push: case OP_call: case OP_ret: return stack;
	case OP_pop: return stack | rm;
	case OP_cmp: case OP_test: case OP_nop: case OP_jcc: case OP_jmp: case OP_block_end: return 0;
	case OP_loop: case OP_loope: case OP_loopne: return 1u << RCX;
	case OP_jcxz: return 0;
	default: return ~0u;
	}
}

void jit_flags_before(struct jit_compiler *c)
{
	uint32_t registers = c->ir->native && !c->bodies_only ? written(c->insn) : ~0u;
	bool all = registers == ~0u;
	c->doomed = false;
	c->next = jit_flags_stored(0).op;
	if (!c->flags.late || (!all && !uses(&c->flags.op, registers) && !uses(&c->flags.carry, registers)))
		return;
	if (all ? c->ir->before : c->ir->through)
		jit_flags_store(c);
	else
		c->doomed = true;
}

void jit_flags_after(struct jit_compiler *c)
{
	if (c->doomed)
		jit_flags_forget(c);
}
