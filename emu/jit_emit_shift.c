/* Shifts and rotates. Those whose flags would be hard to have are left to the body. */
#include "emu/jit_internal.h"

static enum host_shift host_operation(unsigned op)
{
	switch (op) {
	case OP_rol: return SHIFT_ROL;
	case OP_ror: return SHIFT_ROR;
	case OP_rcl: return SHIFT_RCL;
	case OP_rcr: return SHIFT_RCR;
	case OP_shl: return SHIFT_SHL;
	case OP_shr: return SHIFT_SHR;
	default: return SHIFT_SAR;
	}
}

/* The register sign-extended in R10, its zero and sign words stored; keeps CF. */
static void result_words(struct jit_compiler *c, unsigned size, unsigned reg)
{
	struct jit_asm *a = &c->a;
	if (size == 4) {
		asm_mov(a, 4, R10, reg);
		asm_store(a, 4, EMU_FIELD(flag_zero), R10);
	} else {
		asm_extend(a, size, 0, R10, reg);
		asm_store(a, 4, EMU_FIELD(flag_zero), R10);
		asm_extend(a, size, 1, R10, reg);
	}
	asm_store(a, 4, EMU_FIELD(flag_sign), R10);
}

/* Behind the host's shift: CF is the host's, OF what the last single step gives. */
static void shift_words(struct jit_compiler *c, unsigned size, unsigned reg)
{
	struct jit_asm *a = &c->a;
	if (!(c->ir->live & ~CTX_EFLAGS_CF)) {
		asm_alu(a, 4, ALU_SBB, R10, R10);
		asm_store(a, 4, EMU_FIELD(flag_carry), R10);
		jit_flags_set_words(c);
		return;
	}
	result_words(c, size, reg);
	switch (c->insn->op) {
	case OP_shl: /* OF: CF ^ sign */
		asm_shift_imm(a, 4, SHIFT_RCR, R10, 1);
		asm_alu_imm(a, 4, ALU_AND, R10, 0xc0000000u);
		break;
	case OP_shr: /* OF: the bit below the top */
		asm_alu(a, 4, ALU_SBB, R9, R9);
		asm_alu_imm(a, 4, ALU_AND, R9, 0xc0000000u);
		asm_shift_imm(a, 4, SHIFT_SHL, R10, 32 - 8 * size);
		asm_alu_imm(a, 4, ALU_AND, R10, 0x40000000);
		asm_alu(a, 4, ALU_XOR, R10, R9);
		break;
	default: /* OF: 0 */
		asm_alu(a, 4, ALU_SBB, R10, R10);
		asm_alu_imm(a, 4, ALU_AND, R10, 0xc0000000u);
		break;
	}
	asm_store(a, 4, EMU_FIELD(flag_carry), R10);
	jit_flags_set_words(c);
}

static enum jit_kind kind_of(unsigned op) { return op == OP_shl ? KIND_SHL : op == OP_shr ? KIND_SHR : KIND_SAR; }

/* Does the next instruction take CF from where the shift leaves it, and can it not
 * fault before? */
static bool carry_is_next(const struct jit_compiler *c)
{
	const struct insn *next = c->insn + 1;
	if (!c->ir[1].native || c->bodies_only)
		return false;
	if (next->op == OP_jcc)
		return (next->imm2 & 14) == CC_B;
	bool takes = next->op == OP_adc || next->op == OP_sbb || next->op == OP_rcl || next->op == OP_rcr;
	return takes && !next->is_memory;
}

/* Of a register: all but CF is the result's. */
static void shift_result(struct jit_compiler *c, unsigned size, unsigned reg)
{
	jit_flags_result(c, kind_of(c->insn->op), size, reg);
	if (carry_is_next(c))
		c->flags.carry_from = CARRY_HOST;
	else if (c->ir->live & (CTX_EFLAGS_CF | CTX_EFLAGS_OF))
		jit_save_carry(c);
}

/* --- rotates: CF and OF are new, the rest stays as it is in the words --------------- */

static bool through_carry(const struct insn *insn) { return insn->op == OP_rcl || insn->op == OP_rcr; }

/* The result in R9, its sign at the top. */
static void align_result(struct jit_compiler *c, unsigned size, unsigned reg)
{
	asm_mov(&c->a, 4, R9, reg);
	if (size < 4)
		asm_shift_imm(&c->a, 4, SHIFT_SHL, R9, 32 - 8 * size);
}

/* CF -> bit 31 of R10, CF ^ OF -> bit 30; the host's CF holds. */
static void rotated_carries(struct jit_compiler *c, unsigned size, unsigned reg)
{
	struct jit_asm *a = &c->a;
	if (through_carry(c->insn))
		asm_alu(a, 4, ALU_SBB, R10, R10);
	align_result(c, size, reg);
	switch (c->insn->op) {
	case OP_ror: /* CF is the top bit, OF it ^ the one below */
		asm_mov(a, 4, R10, R9);
		asm_alu_imm(a, 4, ALU_AND, R10, 0xc0000000u);
		return;
	case OP_rol: /* CF is the lowest bit */
		asm_mov(a, 4, R10, reg);
		asm_shift_imm(a, 4, SHIFT_SHL, R10, 31);
		break;
	case OP_rcl:
		asm_alu_imm(a, 4, ALU_AND, R10, 0x80000000u);
		break;
	default: /* OF is the top bit ^ the one below */
		asm_alu_imm(a, 4, ALU_AND, R10, 0xc0000000u);
		asm_lea(a, 4, R8, mem_sum(R9, R9));
		asm_alu(a, 4, ALU_XOR, R9, R8);
		break;
	}
	asm_shift_imm(a, 4, SHIFT_SHR, R9, 1);
	asm_alu_imm(a, 4, ALU_AND, R9, 0x40000000);
	asm_alu(a, 4, ALU_XOR, R10, R9);
}

/* ZF, SF and PF of a result that waits in a register -> the words, AF being 0; keeps the
 * host's flags. False: they are not to be had so. */
static bool result_to_words(struct jit_compiler *c)
{
	struct jit_asm *a = &c->a;
	unsigned kind = c->flags.op.kind, reg = c->flags.op.r, size = jit_kind_size(kind);
	if (!c->flags.late || reg == NOREG || (reg & HIGH) || !(jit_is_shift(kind) || jit_is_kind(kind, KIND_LOGIC)))
		return false;
	if (size < 4)
		asm_extend(a, size, 0, R9, reg);
	asm_store(a, 4, EMU_FIELD(flag_zero), size < 4 ? R9 : reg);
	if (size < 4)
		asm_extend(a, size, 1, R9, reg);
	asm_store(a, 4, EMU_FIELD(flag_sign), size < 4 ? R9 : reg);
	return true;
}

static void emit_rotate(struct jit_compiler *c)
{
	struct jit_asm *a = &c->a;
	const struct insn *insn = c->insn;
	unsigned size = insn->size, reg = host_reg(insn->rm, size), new_flags = CTX_EFLAGS_CF | CTX_EFLAGS_OF;
	bool takes = through_carry(insn), at_hand = jit_carry_at_hand(c), fresh = true;
	if (!(insn->imm & 31))
		return;
	if (takes && !at_hand)
		jit_carry_to_word(c);
	if ((c->ir->live & new_flags) && (c->ir->live & ~new_flags) && !result_to_words(c)) {
		jit_flags_words(c);
		fresh = at_hand = false;
	}
	if (takes && !at_hand) {
		asm_mem(a, 4, 0x0fba, 4, EMU_FIELD(flag_carry)); /* bt */
		asm_byte(a, 31);
	}
	asm_shift_imm(a, size, host_operation(insn->op), reg, insn->imm & 31);
	c->host_flags = false;
	if (!(c->ir->live & new_flags))
		return;
	rotated_carries(c, size, reg);
	if (!fresh)
		asm_alu_mem_imm(a, 4, ALU_AND, EMU_FIELD(flag_carry), 8);
	if (fresh)
		asm_store(a, 4, EMU_FIELD(flag_carry), R10);
	else
		asm_alu_store(a, 4, ALU_OR, EMU_FIELD(flag_carry), R10);
	jit_flags_set_words(c);
}

/* --- shifts ------------------------------------------------------------------------- */

static void emit_shift_imm(struct jit_compiler *c)
{
	const struct insn *insn = c->insn;
	unsigned size = insn->size, reg = host_reg(insn->rm, size), count = insn->imm & 31;
	if (!count)
		return;
	asm_shift_imm(&c->a, size, host_operation(insn->op), reg, count);
	if (c->ir->live)
		shift_result(c, size, reg);
	else
		jit_flags_forget(c);
}

/* The value stays in R10 while its flags are made there. */
static void compute_shift(struct jit_compiler *c)
{
	struct jit_asm *a = &c->a;
	asm_shift_imm(a, c->insn->size, host_operation(c->insn->op), R10, c->insn->imm & 31);
	asm_push(a, R10);
	shift_words(c, c->insn->size, R10);
	asm_pop(a, R10);
}

static void emit_shift_memory(struct jit_compiler *c) { jit_rmw(c, c->insn->size, compute_shift); }

/* By CL: a count of 0 leaves the flags. 16 and 8 bits take counts that the host's
 * CF does not stand for: the body sees to them. */
static void emit_shift_cl(struct jit_compiler *c)
{
	struct jit_asm *a = &c->a;
	const struct insn *insn = c->insn;
	unsigned size = insn->size, reg = host_reg(insn->rm, size);
	struct asm_label skip = { .refs = 0 };
	if (size < 4) {
		struct jit_cold *cold = jit_cold_body(c);
		asm_mov(a, 4, R8, RCX);
		asm_alu_imm(a, 4, ALU_AND, R8, 31);
		asm_alu_imm(a, 4, ALU_CMP, R8, 8 * size);
		asm_jcc_label(a, CC_AE, &cold->enter);
		asm_test(a, 4, R8, R8);
		asm_jcc_label(a, CC_E, &skip);
		asm_shift_cl(a, size, host_operation(insn->op), reg);
		shift_words(c, size, reg);
		asm_bind(a, &skip);
		cold->resume = a->at;
		jit_flags_forget(c);
		return;
	}
	asm_test_imm(a, 1, RCX, 31);
	asm_jcc_label(a, CC_E, &skip);
	asm_shift_cl(a, size, host_operation(insn->op), reg);
	shift_words(c, size, reg);
	asm_bind(a, &skip);
	jit_flags_forget(c);
}

/* --- of two registers -------------------------------------------------------------- */

/* The value before it is in R9, CF is the host's: OF where the sign has changed. */
static void double_words(struct jit_compiler *c, unsigned reg)
{
	struct jit_asm *a = &c->a;
	asm_alu(a, 4, ALU_SBB, R10, R10);
	asm_alu_imm(a, 4, ALU_AND, R10, 0xc0000000u);
	asm_alu(a, 4, ALU_XOR, R9, reg);
	asm_shift_imm(a, 4, SHIFT_SHR, R9, 1);
	asm_alu_imm(a, 4, ALU_AND, R9, 0x40000000);
	asm_alu(a, 4, ALU_XOR, R10, R9);
	asm_store(a, 4, EMU_FIELD(flag_carry), R10);
	asm_store(a, 4, EMU_FIELD(flag_zero), reg);
	asm_store(a, 4, EMU_FIELD(flag_sign), reg);
	jit_flags_set_words(c);
}

static void emit_double(struct jit_compiler *c)
{
	struct jit_asm *a = &c->a;
	const struct insn *insn = c->insn;
	unsigned reg = host_gpr(insn->rm), opcode = insn->op == OP_shld ? 0x0fa4 : 0x0fac;
	struct asm_label skip = { .refs = 0 };
	bool by_cl = insn->operands == OPERANDS_RM_REG;
	if (!by_cl && !(insn->imm & 31))
		return;
	if (by_cl) {
		asm_test_imm(a, 1, RCX, 31);
		asm_jcc_label(a, CC_E, &skip);
	}
	asm_mov(a, 4, R9, reg);
	asm_reg(a, 4, by_cl ? opcode + 1 : opcode, host_gpr(insn->reg), reg);
	if (!by_cl)
		asm_byte(a, insn->imm & 31);
	if (c->ir->live)
		double_words(c, reg);
	asm_bind(a, &skip);
	c->host_flags = false;
	if (by_cl || !c->ir->live)
		jit_flags_forget(c);
}

static bool shifts_memory(const struct insn *insn)
{
	bool shift = insn->op == OP_shl || insn->op == OP_shr || insn->op == OP_sar;
	return shift && insn->operands != OPERANDS_RM && (insn->imm & 31) && (insn->imm & 31) < 8u * insn->size;
}

jit_emit_fn *jit_shift_emitter(const struct insn *insn)
{
	bool high = insn->size == 1 && (insn->rm & 1);
	if (insn->is_memory)
		return shifts_memory(insn) ? emit_shift_memory : NULL;
	if (high)
		return NULL;
	switch (insn->op) {
	case OP_shld: case OP_shrd:
		return insn->size == 4 ? emit_double : NULL;
	case OP_shl: case OP_shr: case OP_sar:
		if (insn->operands == OPERANDS_RM)
			return emit_shift_cl;
		return (insn->imm & 31) < 8u * insn->size ? emit_shift_imm : NULL;
	case OP_rol: case OP_ror:
		return insn->operands == OPERANDS_RM ? NULL : emit_rotate;
	case OP_rcl: case OP_rcr:
		return insn->operands != OPERANDS_RM && (insn->imm & 31) == 1 ? emit_rotate : NULL;
	default:
		return NULL;
	}
}
