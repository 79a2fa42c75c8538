/* Shifts and rotates. The count is masked to five bits (SDM vol. 2, SAL/SAR/SHL/SHR);
 * a masked count of 0 changes no flag. OF for counts above 1, which is undefined,
 * is what the last single step would give. */
#include "emu/access.h"
#include "emu/bodies.h"
#include "emu/flags.h"

static unsigned shift_count(const struct emu *emu, const struct insn *insn)
{
	uint32_t count = insn->operands == OPERANDS_RM ? emu->ctx->gpr[CTX_RCX].l : insn->imm;
	return count & 31;
}

static bool top_bit(uint32_t value, unsigned size) { return value >> (8 * size - 1) & 1; }

static uint32_t shift_left(struct emu *emu, uint32_t value, unsigned count, unsigned size)
{
	uint64_t wide = (uint64_t)value << count;
	uint32_t result = (uint32_t)wide & width_mask(size);
	bool cf = wide >> (8 * size) & 1;
	flags_logic(emu, result, size);
	flags_set_cf_of(emu, cf, top_bit(result, size) != cf);
	return result;
}

static uint32_t shift_right(struct emu *emu, uint32_t value, unsigned count, unsigned size)
{
	uint32_t result = value >> count;
	bool cf = value >> (count - 1) & 1;
	flags_logic(emu, result, size);
	flags_set_cf_of(emu, cf, top_bit(result << 1 ^ result, size));
	return result;
}

static uint32_t shift_arithmetic(struct emu *emu, uint32_t value, unsigned count, unsigned size)
{
	int64_t wide = (int32_t)width_sign_extend(value, size);
	uint32_t result = (uint32_t)(wide >> count) & width_mask(size);
	flags_logic(emu, result, size);
	flags_set_cf_of(emu, wide >> (count - 1) & 1, false);
	return result;
}

enum exec exec_shift(struct emu *emu, const struct insn *insn)
{
	unsigned size = insn->size, count = shift_count(emu, insn);
	uint32_t value;
	if (!rm_rmw_load(emu, insn, size, &value))
		return EXEC_FAULT;
	if (!count)
		return EXEC_NEXT;
	if (insn->op == OP_shl)
		value = shift_left(emu, value, count, size);
	else if (insn->op == OP_shr)
		value = shift_right(emu, value, count, size);
	else
		value = shift_arithmetic(emu, value, count, size);
	rm_rmw_store(emu, insn, size, value);
	return EXEC_NEXT;
}

static uint32_t rotate_left(struct emu *emu, uint32_t value, unsigned count, unsigned size)
{
	unsigned bits = 8 * size, by = count % bits;
	uint32_t result = by ? (value << by | value >> (bits - by)) & width_mask(size) : value;
	flags_set_cf_of(emu, result & 1, (result & 1) != top_bit(result, size));
	return result;
}

static uint32_t rotate_right(struct emu *emu, uint32_t value, unsigned count, unsigned size)
{
	unsigned bits = 8 * size, by = count % bits;
	uint32_t result = by ? (value >> by | value << (bits - by)) & width_mask(size) : value;
	flags_set_cf_of(emu, top_bit(result, size), top_bit(result ^ result << 1, size));
	return result;
}

static uint32_t rotate_carry_left(struct emu *emu, uint32_t value, unsigned count, unsigned size)
{
	unsigned bits = 8 * size + 1, by = count % bits;
	if (!by)
		return value;
	uint64_t wide = (uint64_t)flag_cf(emu) << (bits - 1) | value;
	wide = (wide << by | wide >> (bits - by));
	uint32_t result = (uint32_t)wide & width_mask(size);
	bool cf = wide >> (bits - 1) & 1;
	flags_set_cf_of(emu, cf, cf != top_bit(result, size));
	return result;
}

static uint32_t rotate_carry_right(struct emu *emu, uint32_t value, unsigned count, unsigned size)
{
	unsigned bits = 8 * size + 1, by = count % bits;
	if (!by)
		return value;
	uint64_t wide = (uint64_t)flag_cf(emu) << (bits - 1) | value;
	wide = (wide >> by | wide << (bits - by));
	uint32_t result = (uint32_t)wide & width_mask(size);
	flags_set_cf_of(emu, wide >> (bits - 1) & 1, top_bit(result ^ result << 1, size));
	return result;
}

enum exec exec_rotate(struct emu *emu, const struct insn *insn)
{
	unsigned size = insn->size, count = shift_count(emu, insn);
	uint32_t value;
	if (!rm_rmw_load(emu, insn, size, &value))
		return EXEC_FAULT;
	if (!count)
		return EXEC_NEXT;
	switch (insn->op) {
	case OP_rol: value = rotate_left(emu, value, count, size); break;
	case OP_ror: value = rotate_right(emu, value, count, size); break;
	case OP_rcl: value = rotate_carry_left(emu, value, count, size); break;
	default: value = rotate_carry_right(emu, value, count, size); break;
	}
	rm_rmw_store(emu, insn, size, value);
	return EXEC_NEXT;
}

/* With 16-bit operands a count above 16 is undefined; the chips shift through
 * destination, source and destination again, as here. */
static uint32_t double_left(struct emu *emu, uint32_t value, uint32_t source, unsigned count, unsigned size)
{
	bool cf;
	uint32_t result;
	if (size == 4) {
		result = (uint32_t)(((uint64_t)value << 32 | source) << count >> 32);
		cf = value >> (32 - count) & 1;
	} else {
		uint64_t wide = ((uint64_t)value << 32 | (uint64_t)source << 16 | value) << count;
		result = (uint32_t)(wide >> 32) & 0xffff;
		cf = wide >> 48 & 1;
	}
	flags_logic(emu, result, size);
	flags_set_cf_of(emu, cf, top_bit(result, size) != top_bit(value, size));
	return result;
}

static uint32_t double_right(struct emu *emu, uint32_t value, uint32_t source, unsigned count, unsigned size)
{
	uint64_t wide = size == 4 ? (uint64_t)source << 32 | value
	                          : (uint64_t)value << 32 | (uint64_t)source << 16 | value;
	uint32_t result = (uint32_t)(wide >> count) & width_mask(size);
	bool cf = wide >> (count - 1) & 1;
	flags_logic(emu, result, size);
	flags_set_cf_of(emu, cf, top_bit(result ^ value, size));
	return result;
}

/* By CL in the form RM, REG; by an immediate in the form RM, REG, IMM. */
enum exec exec_shift_double(struct emu *emu, const struct insn *insn)
{
	unsigned size = insn->size;
	uint32_t count = insn->operands == OPERANDS_RM_REG ? emu->ctx->gpr[CTX_RCX].l : insn->imm;
	uint32_t value, source = reg_read(emu, insn->reg, size);
	count &= 31;
	if (!rm_rmw_load(emu, insn, size, &value))
		return EXEC_FAULT;
	if (!count)
		return EXEC_NEXT;
	value = insn->op == OP_shld ? double_left(emu, value, source, count, size)
	                            : double_right(emu, value, source, count, size);
	rm_rmw_store(emu, insn, size, value);
	return EXEC_NEXT;
}
