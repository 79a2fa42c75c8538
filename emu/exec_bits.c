/* Bit test and bit scan. */
#include "emu/access.h"
#include "emu/bodies.h"
#include "emu/flags.h"

static uint32_t bit_change(enum op op, uint32_t value, uint32_t bit)
{
	switch (op) {
	case OP_bts: return value | bit;
	case OP_btr: return value & ~bit;
	case OP_btc: return value ^ bit;
	default: return value;
	}
}

/* With a register index a memory operand is a bit string (SDM vol. 2, BT). */
static enum exec bit_test(struct emu *emu, const struct insn *insn)
{
	unsigned size = insn->size, mask = 8 * size - 1;
	bool by_register = insn->operands == OPERANDS_RM_REG;
	uint32_t index = by_register ? reg_read(emu, insn->reg, size) : insn->imm, value;
	if (!insn->is_memory) {
		value = reg_read(emu, insn->rm, size);
	} else {
		uint32_t offset = insn_address(emu, insn);
		if (by_register)
			offset = (offset + (uint32_t)((int32_t)width_sign_extend(index, size) >> (size == 4 ? 5 : 4)) * size) & insn->addr_mask;
		bool loaded = insn->op == OP_bt ? mem_load(emu, insn->seg, offset, size, &value)
		                                : emu_rmw_load(emu, insn->seg, offset, size, &value);
		if (!loaded)
			return EXEC_FAULT;
	}
	uint32_t bit = 1u << (index & mask);
	flags_set_cf(emu, value & bit);
	if (insn->op != OP_bt)
		rm_rmw_store(emu, insn, size, bit_change(insn->op, value, bit));
	return EXEC_NEXT;
}

enum exec exec_bt(struct emu *emu, const struct insn *insn) { return bit_test(emu, insn); }
enum exec exec_bts(struct emu *emu, const struct insn *insn) { return bit_test(emu, insn); }
enum exec exec_btr(struct emu *emu, const struct insn *insn) { return bit_test(emu, insn); }
enum exec exec_btc(struct emu *emu, const struct insn *insn) { return bit_test(emu, insn); }

/* A zero source leaves the destination alone, as the chips do. */
static enum exec bit_scan(struct emu *emu, const struct insn *insn, bool reverse)
{
	uint32_t value;
	if (!rm_load(emu, insn, insn->size, &value))
		return EXEC_FAULT;
	flags_set_zf(emu, !value);
	if (value)
		reg_write(emu, insn->reg, insn->size,
		          (uint32_t)(reverse ? 31 - __builtin_clz(value) : __builtin_ctz(value)));
	return EXEC_NEXT;
}

enum exec exec_bsf(struct emu *emu, const struct insn *insn) { return bit_scan(emu, insn, false); }
enum exec exec_bsr(struct emu *emu, const struct insn *insn) { return bit_scan(emu, insn, true); }
