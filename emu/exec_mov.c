/* Moves, exchanges, conversions. */
#include "emu/access.h"
#include "emu/bodies.h"
#include "emu/flags.h"

#define MOV_BODIES(bits)                                                               \
	static enum exec mov_rr##bits(struct emu *emu, const struct insn *insn)        \
	{ reg_write(emu, insn->rm, bits / 8, reg_read(emu, insn->reg, bits / 8)); return EXEC_NEXT; } \
	static enum exec mov_rR##bits(struct emu *emu, const struct insn *insn)        \
	{ reg_write(emu, insn->reg, bits / 8, reg_read(emu, insn->rm, bits / 8)); return EXEC_NEXT; } \
	static enum exec mov_ri##bits(struct emu *emu, const struct insn *insn)        \
	{ reg_write(emu, insn->rm, bits / 8, insn->imm); return EXEC_NEXT; }           \
	static enum exec mov_mr##bits(struct emu *emu, const struct insn *insn)        \
	{ return mem_store(emu, insn->seg, insn_address(emu, insn), bits / 8,          \
	                   reg_read(emu, insn->reg, bits / 8)) ? EXEC_NEXT : EXEC_FAULT; } \
	static enum exec mov_mi##bits(struct emu *emu, const struct insn *insn)        \
	{ return mem_store(emu, insn->seg, insn_address(emu, insn), bits / 8,          \
	                   insn->imm) ? EXEC_NEXT : EXEC_FAULT; }                      \
	static enum exec mov_rm##bits(struct emu *emu, const struct insn *insn)        \
	{ uint32_t value;                                                              \
	  if (!mem_load(emu, insn->seg, insn_address(emu, insn), bits / 8, &value))    \
		return EXEC_FAULT;                                                     \
	  reg_write(emu, insn->reg, bits / 8, value); return EXEC_NEXT; }

MOV_BODIES(8) MOV_BODIES(16) MOV_BODIES(32)

#define MOV_WIDTHS(form) { mov_##form##8, mov_##form##16, mov_##form##32 }

exec_fn *mov_pick(const struct insn *insn)
{
	static exec_fn *const to_rm[2][3] = { MOV_WIDTHS(rr), MOV_WIDTHS(mr) };
	static exec_fn *const to_reg[2][3] = { MOV_WIDTHS(rR), MOV_WIDTHS(rm) };
	static exec_fn *const immediate[2][3] = { MOV_WIDTHS(ri), MOV_WIDTHS(mi) };
	unsigned width = insn->size >> 1;
	if (insn->operands == OPERANDS_RM_REG)
		return to_rm[insn->is_memory][width];
	if (insn->operands == OPERANDS_REG_RM)
		return to_reg[insn->is_memory][width];
	return immediate[insn->is_memory][width];
}

/* The source of MOVZX/MOVSX, `size` 1 or 2, while insn.size is the destination's. */
static bool narrow_load(struct emu *emu, const struct insn *insn, unsigned size, uint32_t *value)
{
	if (insn->is_memory)
		return mem_load(emu, insn->seg, insn_address(emu, insn), size, value);
	unsigned number = insn->modrm & 7;
	*value = reg_read(emu, size == 1 ? insn_reg8(number) : number, size);
	return true;
}

static enum exec move_extend(struct emu *emu, const struct insn *insn, unsigned size, bool sign)
{
	uint32_t value;
	if (!narrow_load(emu, insn, size, &value))
		return EXEC_FAULT;
	reg_write(emu, insn->reg, insn->size, sign ? width_sign_extend(value, size) : value);
	return EXEC_NEXT;
}

enum exec exec_movzx_b(struct emu *emu, const struct insn *insn) { return move_extend(emu, insn, 1, false); }
enum exec exec_movzx_w(struct emu *emu, const struct insn *insn) { return move_extend(emu, insn, 2, false); }
enum exec exec_movsx_b(struct emu *emu, const struct insn *insn) { return move_extend(emu, insn, 1, true); }
enum exec exec_movsx_w(struct emu *emu, const struct insn *insn) { return move_extend(emu, insn, 2, true); }

enum exec exec_lea(struct emu *emu, const struct insn *insn)
{
	reg_write(emu, insn->reg, insn->size, insn_address(emu, insn));
	return EXEC_NEXT;
}

enum exec exec_xchg(struct emu *emu, const struct insn *insn)
{
	uint32_t value;
	if (!rm_rmw_load(emu, insn, insn->size, &value))
		return EXEC_FAULT;
	uint32_t other = reg_read(emu, insn->reg, insn->size);
	reg_write(emu, insn->reg, insn->size, value);
	rm_rmw_store(emu, insn, insn->size, other);
	return EXEC_NEXT;
}

/* With a 16-bit register the result is undefined; the chips give zero. */
enum exec exec_bswap(struct emu *emu, const struct insn *insn)
{
	uint32_t value = reg_read(emu, insn->rm, 4);
	reg_write(emu, insn->rm, insn->size, insn->size == 4 ? __builtin_bswap32(value) : 0);
	return EXEC_NEXT;
}

/* The destination is written in either case (SDM vol. 2, CMPXCHG). */
enum exec exec_cmpxchg(struct emu *emu, const struct insn *insn)
{
	unsigned size = insn->size;
	uint32_t value, accumulator = reg_read(emu, CTX_RAX, size);
	if (!rm_rmw_load(emu, insn, size, &value))
		return EXEC_FAULT;
	bool equal = value == accumulator;
	rm_rmw_store(emu, insn, size, equal ? reg_read(emu, insn->reg, size) : value);
	if (!equal)
		reg_write(emu, CTX_RAX, size, value);
	flags_sub(emu, accumulator, value, accumulator - value, size);
	return EXEC_NEXT;
}

enum exec exec_cmpxchg8b(struct emu *emu, const struct insn *insn)
{
	union ctx_reg *gpr = emu->ctx->gpr;
	uint32_t offset = insn_address(emu, insn), value[2];
	if (!emu_probe_write(emu, insn->seg, offset, 8) ||
	    !emu_read_bytes(emu, insn->seg, offset, value, 8))
		return EXEC_FAULT;
	bool equal = value[0] == gpr[CTX_RAX].e && value[1] == gpr[CTX_RDX].e;
	uint32_t stored[2] = { equal ? gpr[CTX_RBX].e : value[0], equal ? gpr[CTX_RCX].e : value[1] };
	if (!emu_write_bytes(emu, insn->seg, offset, stored, 8))
		return EXEC_FAULT;
	if (!equal) {
		gpr[CTX_RAX].e = value[0];
		gpr[CTX_RDX].e = value[1];
	}
	flags_set_zf(emu, equal);
	return EXEC_NEXT;
}

enum exec exec_xadd(struct emu *emu, const struct insn *insn)
{
	unsigned size = insn->size;
	uint32_t value, addend = reg_read(emu, insn->reg, size);
	if (!rm_rmw_load(emu, insn, size, &value))
		return EXEC_FAULT;
	flags_add(emu, value, addend, value + addend, size);
	reg_write(emu, insn->reg, size, value);
	rm_rmw_store(emu, insn, size, value + addend);
	return EXEC_NEXT;
}

/* The source is read, and may fault, whatever the condition. */
enum exec exec_cmov(struct emu *emu, const struct insn *insn)
{
	uint32_t value;
	if (!rm_load(emu, insn, insn->size, &value))
		return EXEC_FAULT;
	if (flags_condition(emu, insn->imm2))
		reg_write(emu, insn->reg, insn->size, value);
	return EXEC_NEXT;
}

enum exec exec_setcc(struct emu *emu, const struct insn *insn)
{
	return rm_store(emu, insn, 1, flags_condition(emu, insn->imm2)) ? EXEC_NEXT : EXEC_FAULT;
}

enum exec exec_cbw(struct emu *emu, const struct insn *insn)
{
	unsigned half = insn->size / 2;
	uint32_t value = half == 1 ? emu->ctx->gpr[CTX_RAX].l : emu->ctx->gpr[CTX_RAX].x;
	reg_write(emu, CTX_RAX, insn->size, width_sign_extend(value, half));
	return EXEC_NEXT;
}

enum exec exec_cwd(struct emu *emu, const struct insn *insn)
{
	uint32_t value = width_sign_extend(reg_read(emu, CTX_RAX, insn->size), insn->size);
	reg_write(emu, CTX_RDX, insn->size, (uint32_t)((int32_t)value >> 31));
	return EXEC_NEXT;
}

enum exec exec_xlat(struct emu *emu, const struct insn *insn)
{
	uint32_t value, offset = (emu->ctx->gpr[CTX_RBX].e + emu->ctx->gpr[CTX_RAX].l) & insn->addr_mask;
	if (!mem_load(emu, insn->seg, offset, 1, &value))
		return EXEC_FAULT;
	emu->ctx->gpr[CTX_RAX].l = (uint8_t)value;
	return EXEC_NEXT;
}

enum exec exec_lahf(struct emu *emu, const struct insn *insn)
{
	(void)insn;
	emu->ctx->gpr[CTX_RAX].h = (uint8_t)(flags_get(emu) | CTX_EFLAGS_R1);
	return EXEC_NEXT;
}

enum exec exec_sahf(struct emu *emu, const struct insn *insn)
{
	(void)insn;
	flags_set(emu, (flags_get(emu) & CTX_EFLAGS_OF) | emu->ctx->gpr[CTX_RAX].h);
	return EXEC_NEXT;
}

enum exec exec_salc(struct emu *emu, const struct insn *insn)
{
	(void)insn;
	emu->ctx->gpr[CTX_RAX].l = flag_cf(emu) ? 0xff : 0;
	return EXEC_NEXT;
}

enum exec exec_nop(struct emu *emu, const struct insn *insn)
{
	(void)emu;
	(void)insn;
	return EXEC_NEXT;
}

enum exec exec_mov_to_sreg(struct emu *emu, const struct insn *insn)
{
	uint32_t selector;
	if (insn->reg == CTX_CS || insn->reg > CTX_GS)
		return emu_raise(emu, VEC_UD);
	if (!rm_load(emu, insn, 2, &selector) || !seg_load(emu, insn->reg, (uint16_t)selector))
		return EXEC_FAULT;
	if (insn->reg != CTX_SS)
		return EXEC_NEXT;
	emu_shadow(emu, CTX_SHADOW_MOV_SS);
	emu->ctx->rip = insn_next_ip(emu, insn);
	return EXEC_BRANCH;
}

/* To memory always a word; to a 32-bit register zero-extended (P6). */
enum exec exec_mov_from_sreg(struct emu *emu, const struct insn *insn)
{
	unsigned sreg = insn->modrm >> 3 & 7;
	if (sreg > CTX_GS)
		return emu_raise(emu, VEC_UD);
	return rm_store(emu, insn, insn->is_memory ? 2 : insn->size, emu->ctx->seg[sreg].selector) ? EXEC_NEXT : EXEC_FAULT;
}

/* LDS, LES, LFS, LGS, LSS: insn.imm2 is the segment register. */
enum exec exec_load_far(struct emu *emu, const struct insn *insn)
{
	uint32_t offset = insn_address(emu, insn), selector, value;
	if (!mem_load(emu, insn->seg, offset, insn->size, &value) ||
	    !mem_load(emu, insn->seg, (offset + insn->size) & insn->addr_mask, 2, &selector) ||
	    !seg_load(emu, insn->imm2, (uint16_t)selector))
		return EXEC_FAULT;
	reg_write(emu, insn->reg, insn->size, value);
	return EXEC_NEXT;
}
