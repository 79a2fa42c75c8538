/* Multiplication and division: the accumulator pair is the host's as well. */
#include "emu/jit_internal.h"

/* CF and OF are the host's, both alike; SF, ZF and PF follow `low`. */
static void product_words(struct jit_compiler *c, unsigned size, unsigned low)
{
	struct jit_asm *a = &c->a;
	if (!c->ir->live) {
		jit_flags_forget(c);
		return;
	}
	asm_alu(a, 4, ALU_SBB, R9, R9);
	asm_alu_imm(a, 4, ALU_AND, R9, 0x80000000u);
	asm_store(a, 4, EMU_FIELD(flag_carry), R9);
	if (size == 4) {
		asm_store(a, 4, EMU_FIELD(flag_zero), low);
		asm_store(a, 4, EMU_FIELD(flag_sign), low);
	} else {
		asm_extend(a, size, 0, R9, low);
		asm_store(a, 4, EMU_FIELD(flag_zero), R9);
		asm_extend(a, size, 1, R9, low);
		asm_store(a, 4, EMU_FIELD(flag_sign), R9);
	}
	jit_flags_set_words(c);
}

static void emit_mul(struct jit_compiler *c)
{
	unsigned size = c->insn->size, from = jit_operand(c, size);
	asm_unary(&c->a, size, c->insn->op == OP_mul ? UNARY_MUL : UNARY_IMUL, from);
	product_words(c, size, RAX);
}

static void emit_imul(struct jit_compiler *c)
{
	const struct insn *insn = c->insn;
	unsigned size = insn->size, to = host_gpr(insn->reg), from = jit_operand(c, size);
	if (insn->operands == OPERANDS_REG_RM_IMM) {
		asm_reg(&c->a, size, 0x69, to, from);
		asm_bytes(&c->a, &insn->imm, size);
	} else {
		asm_reg(&c->a, size, 0x0faf, to, from);
	}
	product_words(c, size, to);
}

/* A quotient that does not fit, zero divisors included: high half >= divisor. The
 * body raises the fault. */
static void emit_div(struct jit_compiler *c)
{
	struct jit_asm *a = &c->a;
	unsigned size = c->insn->size, from = jit_operand(c, size);
	struct jit_cold *cold = jit_cold_body(c);
	if (size > 1) {
		asm_alu(a, size, ALU_CMP, RDX, from);
	} else if (from == R10) {
		asm_mov(a, 4, R9, RAX);
		asm_shift_imm(a, 4, SHIFT_SHR, R9, 8);
		asm_alu(a, 1, ALU_CMP, R9, R10);
	} else {
		asm_alu(a, 1, ALU_CMP, RAX | HIGH, from);
	}
	asm_jcc_label(a, CC_AE, &cold->enter);
	asm_unary(a, size, UNARY_DIV, from);
	c->host_flags = false;
	cold->resume = a->at;
}

/* In twice the width, where only a divisor of 0 or -1 can fault on the host. */
static void emit_idiv(struct jit_compiler *c)
{
	struct jit_asm *a = &c->a;
	unsigned size = c->insn->size, from = jit_operand(c, size), wide = 2 * size;
	struct jit_cold *cold = jit_cold_body(c);
	struct asm_label fits = { .refs = 0 };
	if (size == 4)
		asm_reg(a, 8, 0x63, R10, from); /* movsxd */
	else
		asm_extend(a, 2, 1, R10, from);
	asm_lea(a, wide, R9, mem_at(R10, 1));
	asm_alu_imm(a, wide, ALU_CMP, R9, 1); /* 0 and -1 */
	asm_jcc_label(a, CC_BE, &cold->enter);
	asm_mov(a, 4, R8, RAX);
	asm_mov(a, 4, R9, RDX);
	asm_shift_imm(a, wide, SHIFT_SHL, RDX, 8 * size);
	if (size == 2)
		asm_extend(a, 2, 0, RAX, RAX);
	asm_alu(a, wide, ALU_OR, RAX, RDX);
	if (wide == 8)
		asm_byte(a, 0x48);
	asm_byte(a, 0x99); /* cdq, cqo */
	asm_unary(a, wide, UNARY_IDIV, R10);
	if (size == 4)
		asm_reg(a, 8, 0x63, R10, RAX);
	else
		asm_extend(a, 2, 1, R10, RAX);
	asm_alu(a, wide, ALU_CMP, R10, RAX);
	asm_jcc_label(a, CC_E, &fits);
	asm_mov(a, 4, RAX, R8);
	asm_mov(a, 4, RDX, R9);
	asm_jmp_label(a, &cold->enter);
	asm_bind(a, &fits);
	if (size == 2) {
		asm_mov(a, 2, R8, RAX);
		asm_mov(a, 2, R9, RDX);
		asm_mov(a, 4, RAX, R8);
		asm_mov(a, 4, RDX, R9);
	} else {
		asm_mov(a, 4, RAX, RAX);
		asm_mov(a, 4, RDX, RDX);
	}
	c->host_flags = false;
	cold->resume = a->at;
}

jit_emit_fn *jit_muldiv_emitter(const struct insn *insn)
{
	switch (insn->op) {
	case OP_mul: case OP_imul1: return emit_mul;
	case OP_imul: return emit_imul;
	case OP_div: return emit_div;
	case OP_idiv: return insn->size > 1 ? emit_idiv : NULL;
	default: return NULL;
	}
}
