/* Arithmetic and logic: one template, instantiated by operation, form and width. */
#include "emu/access.h"
#include "emu/bodies.h"
#include "emu/flags.h"

#define INLINE static inline __attribute__((always_inline))

/* Result of a binary operation with its flags. */
INLINE uint32_t alu_binary(struct emu *emu, enum op op, uint32_t a, uint32_t b, unsigned size)
{
	uint32_t result;
	switch (op) {
	case OP_add: result = a + b; flags_add(emu, a, b, result, size); break;
	case OP_adc: result = a + b + flag_cf(emu); flags_add(emu, a, b, result, size); break;
	case OP_sub:
	case OP_cmp: result = a - b; flags_sub(emu, a, b, result, size); break;
	case OP_sbb: result = a - b - flag_cf(emu); flags_sub(emu, a, b, result, size); break;
	case OP_or: result = a | b; flags_logic(emu, result, size); break;
	case OP_xor: result = a ^ b; flags_logic(emu, result, size); break;
	default: result = a & b; flags_logic(emu, result, size); break;
	}
	return result;
}

INLINE bool only_compares(enum op op) { return op == OP_cmp || op == OP_test; }

INLINE enum exec alu_register(struct emu *emu, const struct insn *insn, enum op op, unsigned size, unsigned number, uint32_t b)
{
	(void)insn;
	uint32_t result = alu_binary(emu, op, reg_read(emu, number, size), b, size);
	if (!only_compares(op))
		reg_write(emu, number, size, result);
	return EXEC_NEXT;
}

INLINE enum exec alu_memory(struct emu *emu, const struct insn *insn, enum op op, unsigned size, uint32_t b)
{
	uint32_t offset = insn_address(emu, insn), a;
	if (only_compares(op)) {
		if (!mem_load(emu, insn->seg, offset, size, &a))
			return EXEC_FAULT;
		alu_binary(emu, op, a, b, size);
		return EXEC_NEXT;
	}
	uint8_t *bytes = access_fast(emu, insn->seg, offset, size, true);
	if (likely(bytes)) {
		bytes_store(bytes, size, alu_binary(emu, op, bytes_load(bytes, size), b, size));
		return EXEC_NEXT;
	}
	if (!emu_rmw_load(emu, insn->seg, offset, size, &a))
		return EXEC_FAULT;
	emu_rmw_store(emu, alu_binary(emu, op, a, b, size));
	return EXEC_NEXT;
}

INLINE enum exec alu_from_memory(struct emu *emu, const struct insn *insn, enum op op, unsigned size)
{
	uint32_t b;
	if (!mem_load(emu, insn->seg, insn_address(emu, insn), size, &b))
		return EXEC_FAULT;
	return alu_register(emu, insn, op, size, insn->reg, b);
}

/* The five forms of one operation and width. */
#define ALU_BODIES(op, bits)                                                                       \
	static enum exec op##_rr##bits(struct emu *emu, const struct insn *insn)                   \
	{ return alu_register(emu, insn, OP_##op, bits / 8, insn->rm, reg_read(emu, insn->reg, bits / 8)); } \
	static enum exec op##_rR##bits(struct emu *emu, const struct insn *insn)                   \
	{ return alu_register(emu, insn, OP_##op, bits / 8, insn->reg, reg_read(emu, insn->rm, bits / 8)); } \
	static enum exec op##_ri##bits(struct emu *emu, const struct insn *insn)                   \
	{ return alu_register(emu, insn, OP_##op, bits / 8, insn->rm, insn->imm & width_mask(bits / 8)); } \
	static enum exec op##_mr##bits(struct emu *emu, const struct insn *insn)                   \
	{ return alu_memory(emu, insn, OP_##op, bits / 8, reg_read(emu, insn->reg, bits / 8)); }   \
	static enum exec op##_rm##bits(struct emu *emu, const struct insn *insn)                   \
	{ return alu_from_memory(emu, insn, OP_##op, bits / 8); }                                  \
	static enum exec op##_mi##bits(struct emu *emu, const struct insn *insn)                   \
	{ return alu_memory(emu, insn, OP_##op, bits / 8, insn->imm & width_mask(bits / 8)); }

#define ALU_OP(op) ALU_BODIES(op, 8) ALU_BODIES(op, 16) ALU_BODIES(op, 32)

ALU_OP(add) ALU_OP(or) ALU_OP(adc) ALU_OP(sbb) ALU_OP(and) ALU_OP(sub) ALU_OP(xor) ALU_OP(cmp) ALU_OP(test)

enum form { FORM_RR, FORM_RR_REVERSED, FORM_RI, FORM_MR, FORM_RM, FORM_MI, FORMS };

#define ALU_WIDTHS(op, form) { op##_##form##8, op##_##form##16, op##_##form##32 }
#define ALU_ROW(op) \
	[OP_##op] = { ALU_WIDTHS(op, rr), ALU_WIDTHS(op, rR), ALU_WIDTHS(op, ri), \
	              ALU_WIDTHS(op, mr), ALU_WIDTHS(op, rm), ALU_WIDTHS(op, mi) }

static exec_fn *const alu_bodies[][FORMS][3] = {
	ALU_ROW(add), ALU_ROW(or), ALU_ROW(adc), ALU_ROW(sbb), ALU_ROW(and),
	ALU_ROW(sub), ALU_ROW(xor), ALU_ROW(cmp), ALU_ROW(test),
};

static enum form alu_form(const struct insn *insn)
{
	switch (insn->operands) {
	case OPERANDS_RM_REG: return insn->is_memory ? FORM_MR : FORM_RR;
	case OPERANDS_REG_RM: return insn->is_memory ? FORM_RM : FORM_RR_REVERSED;
	case OPERANDS_RM_IMM: return insn->is_memory ? FORM_MI : FORM_RI;
	default: return FORM_RI;
	}
}

exec_fn *alu_pick(const struct insn *insn)
{
	return alu_bodies[insn->op][alu_form(insn)][insn->size >> 1];
}

/* --- one operand -------------------------------------------------------------- */

INLINE uint32_t alu_unary(struct emu *emu, enum op op, uint32_t a, unsigned size)
{
	uint32_t result, carry = emu->flag_carry & 0x80000000u;
	switch (op) {
	case OP_inc: result = a + 1; flags_add(emu, a, 1, result, size); break;
	case OP_dec: result = a - 1; flags_sub(emu, a, 1, result, size); break;
	case OP_neg: result = 0 - a; flags_sub(emu, 0, a, result, size); return result;
	default: return ~a;
	}
	/* CF stays, OF is bit 31 ^ bit 30: flip both where CF differs. */
	if ((emu->flag_carry & 0x80000000u) != carry)
		emu->flag_carry ^= 0xc0000000u;
	return result;
}

INLINE enum exec alu_unary_register(struct emu *emu, const struct insn *insn, enum op op, unsigned size)
{
	reg_write(emu, insn->rm, size, alu_unary(emu, op, reg_read(emu, insn->rm, size), size));
	return EXEC_NEXT;
}

INLINE enum exec alu_unary_memory(struct emu *emu, const struct insn *insn, enum op op, unsigned size)
{
	uint32_t a;
	if (!emu_rmw_load(emu, insn->seg, insn_address(emu, insn), size, &a))
		return EXEC_FAULT;
	emu_rmw_store(emu, alu_unary(emu, op, a, size));
	return EXEC_NEXT;
}

#define UNARY_BODIES(op, bits)                                                    \
	static enum exec op##_r##bits(struct emu *emu, const struct insn *insn)   \
	{ return alu_unary_register(emu, insn, OP_##op, bits / 8); }              \
	static enum exec op##_m##bits(struct emu *emu, const struct insn *insn)   \
	{ return alu_unary_memory(emu, insn, OP_##op, bits / 8); }

#define UNARY_OP(op) UNARY_BODIES(op, 8) UNARY_BODIES(op, 16) UNARY_BODIES(op, 32)

UNARY_OP(inc) UNARY_OP(dec) UNARY_OP(neg) UNARY_OP(not)

#define UNARY_ROW(op) { { op##_r8, op##_r16, op##_r32 }, { op##_m8, op##_m16, op##_m32 } }

static exec_fn *const unary_bodies[][2][3] = {
	UNARY_ROW(inc), UNARY_ROW(dec), UNARY_ROW(neg), UNARY_ROW(not),
};

exec_fn *alu_pick_unary(const struct insn *insn)
{
	return unary_bodies[insn->op - OP_inc][insn->is_memory][insn->size >> 1];
}
