/* Arithmetic and logic. */
#include "emu/jit_internal.h"

static enum host_alu host_operation(unsigned op)
{
	switch (op) {
	case OP_add: return ALU_ADD;
	case OP_or: return ALU_OR;
	case OP_adc: return ALU_ADC;
	case OP_sbb: return ALU_SBB;
	case OP_and: return ALU_AND;
	case OP_sub: return ALU_SUB;
	case OP_xor: return ALU_XOR;
	default: return ALU_CMP;
	}
}

/* The second operand: a register, or an immediate with NOREG. */
struct source {
	unsigned reg;
	uint32_t imm;
};

static void operate(struct jit_compiler *c, unsigned size, enum host_alu op, unsigned to, struct source from)
{
	if (from.reg == NOREG)
		asm_alu_imm(&c->a, size, op, to, from.imm);
	else
		asm_alu(&c->a, size, op, to, from.reg);
}

static void test(struct jit_compiler *c, unsigned size, unsigned x, struct source from)
{
	if (from.reg == NOREG)
		asm_test_imm(&c->a, size, x, from.imm);
	else
		asm_test(&c->a, size, x, from.reg);
}

/* CMP and TEST: both operands are kept, no result is needed. */
static void compare(struct jit_compiler *c, unsigned size, unsigned x, struct source from)
{
	bool is_test = c->insn->op == OP_test, same = from.reg == x;
	if (c->ir->live) {
		if (!(is_test && same))
			jit_flags_operand(c, NOREG, from.reg, from.imm);
		jit_flags_result(c, is_test ? same ? KIND_LOGIC : KIND_TEST : KIND_CMP, size, x);
	}
	if (is_test)
		test(c, size, x, from);
	else
		operate(c, size, ALU_CMP, x, from);
}

/* CF is in the word already, or the host's. */
static void with_carry(struct jit_compiler *c, unsigned size, enum host_alu op, unsigned to, struct source from)
{
	struct jit_asm *a = &c->a;
	if (c->ir->live) {
		asm_store(a, 4, emu_field(offsetof(struct emu, lazy.a) - !!(to & HIGH)), to & ~(unsigned)HIGH);
		jit_flags_operand(c, to, from.reg, from.imm);
	}
	if (!jit_carry_at_hand(c)) {
		asm_mem(a, 4, 0x0fba, 4, EMU_FIELD(flag_carry)); /* bt */
		asm_byte(a, 31);
	}
	operate(c, size, op, to, from);
	if (c->ir->live)
		jit_flags_result(c, op == ALU_ADC ? KIND_ADC : KIND_SBB, size, to);
	else
		jit_flags_forget(c);
}

static void plain(struct jit_compiler *c, unsigned size, enum host_alu op, unsigned to, struct source from)
{
	bool logic = op == ALU_AND || op == ALU_OR || op == ALU_XOR;
	if (c->ir->live && !logic)
		jit_flags_operand(c, to, from.reg, from.imm);
	operate(c, size, op, to, from);
	if (c->ir->live)
		jit_flags_result(c, logic ? KIND_LOGIC : op == ALU_ADD ? KIND_ADD : KIND_SUB, size, to);
	else
		jit_flags_forget(c);
}

static void binary(struct jit_compiler *c, unsigned size, unsigned to, struct source from)
{
	enum host_alu op = host_operation(c->insn->op);
	if (c->insn->op == OP_cmp || c->insn->op == OP_test)
		compare(c, size, to, from);
	else if (op == ALU_ADC || op == ALU_SBB)
		with_carry(c, size, op, to, from);
	else
		plain(c, size, op, to, from);
}

static bool uses_carry(const struct jit_compiler *c)
{
	return c->insn->op == OP_adc || c->insn->op == OP_sbb;
}

static struct source source_of(const struct jit_compiler *c)
{
	const struct insn *insn = c->insn;
	uint32_t mask = 0xffffffffu >> (32 - 8 * insn->size);
	if (insn->operands == OPERANDS_RM_REG)
		return (struct source){ host_reg(insn->reg, insn->size), 0 };
	return (struct source){ NOREG, insn->imm & mask };
}

/* A byte from AH..BH cannot be joined with R10: it goes to R9. */
static struct source beside_r10(struct jit_compiler *c, struct source from)
{
	if (from.reg == NOREG || !(from.reg & HIGH))
		return from;
	asm_mov(&c->a, 4, R9, from.reg & ~(unsigned)HIGH);
	asm_shift_imm(&c->a, 4, SHIFT_SHR, R9, 8);
	return (struct source){ R9, 0 };
}

static void compute_memory(struct jit_compiler *c)
{
	binary(c, c->insn->size, R10, beside_r10(c, source_of(c)));
}

/* reg OP [memory] with AH..BH: rotated, so that the byte is the low one. */
static void binary_high(struct jit_compiler *c, unsigned high)
{
	unsigned reg = high & ~(unsigned)HIGH;
	asm_shift_imm(&c->a, 4, SHIFT_ROR, reg, 8);
	binary(c, 1, reg, (struct source){ R10, 0 });
	asm_shift_imm(&c->a, 4, SHIFT_ROL, reg, 8);
	if (c->flags.op.r == reg)
		c->flags.op.r = (uint8_t)high;
	c->host_flags = false;
}

static void emit_binary(struct jit_compiler *c)
{
	const struct insn *insn = c->insn;
	unsigned size = insn->size;
	if (uses_carry(c) && (insn->is_memory || !jit_carry_at_hand(c)))
		jit_carry_to_word(c);
	if (insn->operands == OPERANDS_REG_RM) {
		unsigned to = host_reg(insn->reg, size), from = jit_operand(c, size);
		if (insn->is_memory && (to & HIGH))
			binary_high(c, to);
		else
			binary(c, size, to, (struct source){ from, 0 });
	} else if (!insn->is_memory) {
		binary(c, size, host_reg(insn->rm, size), source_of(c));
	} else if (insn->op == OP_cmp || insn->op == OP_test) {
		jit_load(c, jit_address, insn->seg, size, R10);
		compute_memory(c);
	} else {
		jit_rmw(c, size, compute_memory);
	}
}

/* --- one operand -------------------------------------------------------------------- */

static void unary(struct jit_compiler *c, unsigned size, unsigned to)
{
	struct jit_asm *a = &c->a;
	bool live = c->ir->live, carry = c->ir->live & CTX_EFLAGS_CF;
	switch (c->insn->op) {
	case OP_inc:
		asm_inc(a, size, to);
		if (live)
			jit_flags_step(c, KIND_INC, size, to, carry);
		break;
	case OP_dec:
		asm_dec(a, size, to);
		if (live)
			jit_flags_step(c, KIND_DEC, size, to, carry);
		break;
	case OP_neg:
		if (live)
			jit_flags_operand(c, to, to, 0);
		asm_unary(a, size, UNARY_NEG, to);
		if (live)
			jit_flags_result(c, KIND_SUB, size, to);
		break;
	default:
		asm_unary(a, size, UNARY_NOT, to);
		return;
	}
	if (!live)
		jit_flags_forget(c);
}

static void compute_unary(struct jit_compiler *c) { unary(c, c->insn->size, R10); }

static void emit_unary(struct jit_compiler *c)
{
	bool keeps_carry = c->insn->op == OP_inc || c->insn->op == OP_dec;
	if (keeps_carry && (c->ir->live & CTX_EFLAGS_CF))
		jit_carry_before_step(c, c->insn->is_memory ? R10 : host_reg(c->insn->rm, c->insn->size));
	if (c->insn->is_memory)
		jit_rmw(c, c->insn->size, compute_unary);
	else
		unary(c, c->insn->size, host_reg(c->insn->rm, c->insn->size));
}

jit_emit_fn *jit_alu_emitter(const struct insn *insn)
{
	switch (insn->op) {
	case OP_add: case OP_or: case OP_adc: case OP_sbb: case OP_and: case OP_sub: case OP_xor:
	case OP_cmp: case OP_test:
		return emit_binary;
	case OP_inc: case OP_dec: case OP_neg: case OP_not:
		return emit_unary;
	default:
		return NULL;
	}
}
