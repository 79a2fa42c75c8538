/* Decimal adjustment (SDM vol. 2: AAA, AAD, AAM, AAS, DAA, DAS). */
#include "emu/access.h"
#include "emu/bodies.h"
#include "emu/flags.h"

/* SF, ZF, PF by AL; CF and AF as given; OF cleared (undefined). */
static void decimal_flags(struct emu *emu, bool cf, bool af)
{
	flags_logic(emu, emu->ctx->gpr[CTX_RAX].l, 1);
	emu->flag_carry = (uint32_t)cf << 31 | (uint32_t)cf << 30 | (uint32_t)af << 3;
}

enum exec exec_daa(struct emu *emu, const struct insn *insn)
{
	uint8_t *al = &emu->ctx->gpr[CTX_RAX].l, old = *al;
	bool cf = flag_cf(emu), af = flag_af(emu);
	(void)insn;
	if ((old & 15) > 9 || af) {
		*al = (uint8_t)(*al + 6);
		af = true;
	}
	if (old > 0x99 || cf) {
		*al = (uint8_t)(*al + 0x60);
		cf = true;
	}
	decimal_flags(emu, cf, af);
	return EXEC_NEXT;
}

enum exec exec_das(struct emu *emu, const struct insn *insn)
{
	uint8_t *al = &emu->ctx->gpr[CTX_RAX].l, old = *al;
	bool old_cf = flag_cf(emu), cf = false, af = flag_af(emu);
	(void)insn;
	if ((old & 15) > 9 || af) {
		cf = old_cf || old < 6;
		*al = (uint8_t)(*al - 6);
		af = true;
	}
	if (old > 0x99 || old_cf) {
		*al = (uint8_t)(*al - 0x60);
		cf = true;
	}
	decimal_flags(emu, cf, af);
	return EXEC_NEXT;
}

static enum exec adjust_ascii(struct emu *emu, int direction)
{
	union ctx_reg *rax = &emu->ctx->gpr[CTX_RAX];
	bool adjust = (rax->l & 15) > 9 || flag_af(emu);
	if (adjust)
		rax->x = (uint16_t)(rax->x + direction * 0x106);
	rax->l &= 15;
	decimal_flags(emu, adjust, adjust);
	return EXEC_NEXT;
}

enum exec exec_aaa(struct emu *emu, const struct insn *insn)
{
	(void)insn;
	return adjust_ascii(emu, 1);
}

enum exec exec_aas(struct emu *emu, const struct insn *insn)
{
	(void)insn;
	return adjust_ascii(emu, -1);
}

enum exec exec_aam(struct emu *emu, const struct insn *insn)
{
	union ctx_reg *rax = &emu->ctx->gpr[CTX_RAX];
	if (!insn->imm)
		return emu_raise(emu, VEC_DE);
	uint8_t al = rax->l;
	rax->h = (uint8_t)(al / insn->imm);
	rax->l = (uint8_t)(al % insn->imm);
	decimal_flags(emu, false, false);
	return EXEC_NEXT;
}

enum exec exec_aad(struct emu *emu, const struct insn *insn)
{
	union ctx_reg *rax = &emu->ctx->gpr[CTX_RAX];
	rax->x = (uint8_t)(rax->l + rax->h * insn->imm);
	decimal_flags(emu, false, false);
	return EXEC_NEXT;
}
