/* Single flags. IF goes by IOPL, and by VIF under VME or PVI (SDM vol. 2, CLI, STI). */
#include "emu/access.h"
#include "emu/bodies.h"
#include "emu/flags.h"

enum exec exec_clc(struct emu *emu, const struct insn *insn)
{
	(void)insn;
	flags_set_cf(emu, false);
	return EXEC_NEXT;
}

enum exec exec_stc(struct emu *emu, const struct insn *insn)
{
	(void)insn;
	flags_set_cf(emu, true);
	return EXEC_NEXT;
}

enum exec exec_cmc(struct emu *emu, const struct insn *insn)
{
	(void)insn;
	flags_set_cf(emu, !flag_cf(emu));
	return EXEC_NEXT;
}

enum exec exec_cld(struct emu *emu, const struct insn *insn)
{
	(void)insn;
	emu->ctx->rflags &= ~(uint64_t)CTX_EFLAGS_DF;
	return EXEC_NEXT;
}

enum exec exec_std(struct emu *emu, const struct insn *insn)
{
	(void)insn;
	emu->ctx->rflags |= CTX_EFLAGS_DF;
	return EXEC_NEXT;
}

/* Which bit CLI and STI act on: IF, VIF, or 0 for #GP. */
static uint32_t interrupt_bit(const struct emu *emu)
{
	const struct ctx *ctx = emu->ctx;
	if (emu->cpl <= (ctx->rflags >> 12 & 3))
		return CTX_EFLAGS_IF;
	if (emu->vm86)
		return ctx->cr4 & CTX_CR4_VME ? CTX_EFLAGS_VIF : 0;
	return emu->cpl == 3 && (ctx->cr4 & CTX_CR4_PVI) ? CTX_EFLAGS_VIF : 0;
}

enum exec exec_cli(struct emu *emu, const struct insn *insn)
{
	(void)insn;
	uint32_t bit = interrupt_bit(emu);
	if (!bit)
		return emu_raise_error(emu, VEC_GP, 0);
	emu->ctx->rflags &= ~(uint64_t)bit;
	return EXEC_NEXT;
}

enum exec exec_sti(struct emu *emu, const struct insn *insn)
{
	uint32_t bit = interrupt_bit(emu);
	if (!bit || (bit == CTX_EFLAGS_VIF && (emu->ctx->rflags & CTX_EFLAGS_VIP)))
		return emu_raise_error(emu, VEC_GP, 0);
	bool was_set = emu->ctx->rflags & CTX_EFLAGS_IF;
	emu->ctx->rflags |= bit;
	if (bit == CTX_EFLAGS_IF && !was_set)
		emu_shadow(emu, CTX_SHADOW_STI);
	emu->ctx->rip = insn_next_ip(emu, insn);
	return EXEC_BRANCH;
}
