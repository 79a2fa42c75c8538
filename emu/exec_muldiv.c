/* Multiplication and division. The undefined flags: SF, ZF and PF follow the low
 * half of a product, as on the P6; division leaves all flags alone. */
#include "emu/access.h"
#include "emu/bodies.h"
#include "emu/flags.h"

/* The accumulator pair: AX, DX:AX, EDX:EAX. */
static uint64_t pair_read(const struct emu *emu, unsigned size)
{
	const union ctx_reg *gpr = emu->ctx->gpr;
	if (size == 1)
		return gpr[CTX_RAX].x;
	if (size == 2)
		return (uint32_t)gpr[CTX_RDX].x << 16 | gpr[CTX_RAX].x;
	return (uint64_t)gpr[CTX_RDX].e << 32 | gpr[CTX_RAX].e;
}

static void pair_write(struct emu *emu, unsigned size, uint32_t low, uint32_t high)
{
	union ctx_reg *gpr = emu->ctx->gpr;
	if (size == 1) {
		gpr[CTX_RAX].l = (uint8_t)low;
		gpr[CTX_RAX].h = (uint8_t)high;
	} else {
		reg_write(emu, CTX_RAX, size, low);
		reg_write(emu, CTX_RDX, size, high);
	}
}

enum exec exec_mul(struct emu *emu, const struct insn *insn)
{
	unsigned size = insn->size;
	uint32_t b;
	if (!rm_load(emu, insn, size, &b))
		return EXEC_FAULT;
	uint64_t product = (uint64_t)reg_read(emu, CTX_RAX, size) * b;
	uint32_t low = (uint32_t)product & width_mask(size);
	uint32_t high = (uint32_t)(product >> (8 * size)) & width_mask(size);
	pair_write(emu, size, low, high);
	flags_logic(emu, low, size);
	flags_set_cf_of(emu, high, high);
	return EXEC_NEXT;
}

static int64_t signed_value(uint32_t value, unsigned size)
{
	return (int32_t)width_sign_extend(value, size);
}

/* Flags of a signed product: CF and OF when it does not fit `size`. */
static uint32_t signed_product(struct emu *emu, int64_t product, unsigned size)
{
	uint32_t low = (uint32_t)product & width_mask(size);
	bool overflow = product != signed_value(low, size);
	flags_logic(emu, low, size);
	flags_set_cf_of(emu, overflow, overflow);
	return low;
}

enum exec exec_imul1(struct emu *emu, const struct insn *insn)
{
	unsigned size = insn->size;
	uint32_t b;
	if (!rm_load(emu, insn, size, &b))
		return EXEC_FAULT;
	int64_t product = signed_value(reg_read(emu, CTX_RAX, size), size) * signed_value(b, size);
	uint32_t low = signed_product(emu, product, size);
	pair_write(emu, size, low, (uint32_t)(product >> (8 * size)));
	return EXEC_NEXT;
}

/* Two and three operands. */
enum exec exec_imul(struct emu *emu, const struct insn *insn)
{
	unsigned size = insn->size;
	uint32_t a;
	if (!rm_load(emu, insn, size, &a))
		return EXEC_FAULT;
	uint32_t b = insn->operands == OPERANDS_REG_RM_IMM ? insn->imm : reg_read(emu, insn->reg, size);
	int64_t product = signed_value(a, size) * signed_value(b, size);
	reg_write(emu, insn->reg, size, signed_product(emu, product, size));
	return EXEC_NEXT;
}

enum exec exec_div(struct emu *emu, const struct insn *insn)
{
	unsigned size = insn->size;
	uint32_t divisor;
	if (!rm_load(emu, insn, size, &divisor))
		return EXEC_FAULT;
	uint64_t dividend = pair_read(emu, size);
	if (!divisor || dividend / divisor > width_mask(size))
		return emu_raise(emu, VEC_DE);
	pair_write(emu, size, (uint32_t)(dividend / divisor), (uint32_t)(dividend % divisor));
	return EXEC_NEXT;
}

static int64_t signed_pair(uint64_t pair, unsigned size)
{
	if (size == 4)
		return (int64_t)pair;
	return signed_value((uint32_t)pair, 2 * size);
}

enum exec exec_idiv(struct emu *emu, const struct insn *insn)
{
	unsigned size = insn->size;
	uint32_t b;
	if (!rm_load(emu, insn, size, &b))
		return EXEC_FAULT;
	int64_t dividend = signed_pair(pair_read(emu, size), size), divisor = signed_value(b, size);
	/* The one quotient that the host cannot hold either. */
	if (!divisor || (divisor == -1 && dividend == INT64_MIN))
		return emu_raise(emu, VEC_DE);
	int64_t quotient = dividend / divisor;
	if (quotient != signed_value((uint32_t)quotient & width_mask(size), size))
		return emu_raise(emu, VEC_DE);
	pair_write(emu, size, (uint32_t)quotient, (uint32_t)(dividend % divisor));
	return EXEC_NEXT;
}
