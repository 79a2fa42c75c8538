/* Control and debug registers, HLT, cache and TLB control. */
#include "emu/access.h"
#include "emu/bodies.h"
#include "emu/debug.h"
#include "emu/flags.h"
#include "emu/fpu.h"

static bool privileged(struct emu *emu) { return emu->cpl == 0 || emu_fail(emu, VEC_GP, 0); }

static enum exec end_block(struct emu *emu, const struct insn *insn)
{
	emu->ctx->rip = insn_next_ip(emu, insn);
	return EXEC_BRANCH;
}

#define CR0_DEFINED (CTX_CR0_PE | CTX_CR0_MP | CTX_CR0_EM | CTX_CR0_TS | CTX_CR0_ET | CTX_CR0_NE | \
                     CTX_CR0_WP | CTX_CR0_AM | CTX_CR0_NW | CTX_CR0_CD | CTX_CR0_PG)
#define CR0_386 (CTX_CR0_PE | CTX_CR0_MP | CTX_CR0_EM | CTX_CR0_TS | CTX_CR0_ET | CTX_CR0_PG)

/* Paging comes on: what it is to be (SDM vol. 3, 9.8.5; vol. 2, MOV to CR). Long mode
 * is left to another engine before the next instruction. */
static bool turn_paging_on(struct emu *emu)
{
	struct ctx *ctx = emu->ctx;
	bool pae = ctx->cr4 & CTX_CR4_PAE, tss16 = !(ctx->seg[CTX_TR].access & 8);
	if (!(ctx->efer & CTX_EFER_LME))
		return !pae || paging_load_pdptes(emu);
	if (!pae || (ctx->seg[CTX_CS].access & CTX_SEG_L) || tss16)
		return emu_fail(emu, VEC_GP, 0);
	ctx->efer |= CTX_EFER_LMA;
	emu->special |= SPECIAL_LONG;
	return true;
}

static bool write_cr0(struct emu *emu, uint32_t value)
{
	struct ctx *ctx = emu->ctx;
	uint64_t old = ctx->cr0;
	value &= emu->cpu == EMU_CPU_386 ? CR0_386 : CR0_DEFINED;
	value |= CTX_CR0_ET;
	if ((value & CTX_CR0_PG) && !(value & CTX_CR0_PE))
		return emu_fail(emu, VEC_GP, 0);
	if ((value & CTX_CR0_NW) && !(value & CTX_CR0_CD))
		return emu_fail(emu, VEC_GP, 0);
	ctx->cr0 = value;
	bool turns_on = (value & CTX_CR0_PG) && !(old & CTX_CR0_PG);
	if (turns_on && !turn_paging_on(emu)) {
		ctx->cr0 = old;
		return false;
	}
	emu_mode_changed(emu);
	if ((value ^ old) & (CTX_CR0_PG | CTX_CR0_WP))
		paging_flush(emu);
	return true;
}

static bool write_cr3(struct emu *emu, uint32_t value)
{
	uint64_t old = emu->ctx->cr3;
	emu->ctx->cr3 = value;
	if (emu->paging && emu->pae && !paging_load_pdptes(emu)) {
		emu->ctx->cr3 = old;
		return false;
	}
	if (emu->paging)
		paging_flush(emu);
	return true;
}

uint32_t control_cr4_defined(const struct emu *emu)
{
	uint32_t pentium = CTX_CR4_VME | CTX_CR4_PVI | CTX_CR4_TSD | CTX_CR4_DE | CTX_CR4_PSE | CTX_CR4_MCE;
	if (emu->cpu < EMU_CPU_PENTIUM)
		return 0;
	if (emu->cpu == EMU_CPU_PENTIUM)
		return pentium;
	uint32_t sse = FPU_PRESENT ? CTX_CR4_OSFXSR | CTX_CR4_OSXMMEXCPT : 0;
	return pentium | CTX_CR4_PAE | CTX_CR4_PGE | CTX_CR4_PCE | sse;
}

static bool write_cr4(struct emu *emu, uint32_t value)
{
	uint64_t old = emu->ctx->cr4;
	if (value & ~control_cr4_defined(emu))
		return emu_fail(emu, VEC_GP, 0);
	emu->ctx->cr4 = value;
	if (emu->paging && (value & CTX_CR4_PAE) && !(old & CTX_CR4_PAE) && !paging_load_pdptes(emu)) {
		emu->ctx->cr4 = old;
		return false;
	}
	emu_mode_changed(emu);
	if ((value ^ old) & (CTX_CR4_PSE | CTX_CR4_PAE | CTX_CR4_PGE))
		paging_flush(emu);
	return true;
}

static bool has_cr(const struct emu *emu, unsigned number)
{
	return number == 0 || number == 2 || number == 3 || (number == 4 && emu->cpu >= EMU_CPU_PENTIUM);
}

/* Register number straight from ModRM: the map marks it OPCODE_REGISTER. */
static unsigned control_number(const struct insn *insn) { return insn->modrm >> 3 & 7; }

enum exec exec_mov_from_cr(struct emu *emu, const struct insn *insn)
{
	const struct ctx *ctx = emu->ctx;
	const uint64_t values[5] = { ctx->cr0, 0, ctx->cr2, ctx->cr3, ctx->cr4 };
	unsigned number = control_number(insn);
	if (!has_cr(emu, number))
		return emu_raise(emu, VEC_UD);
	if (!privileged(emu))
		return EXEC_FAULT;
	reg_write(emu, insn->rm, 4, (uint32_t)values[number]);
	return EXEC_NEXT;
}

enum exec exec_mov_to_cr(struct emu *emu, const struct insn *insn)
{
	unsigned number = control_number(insn);
	uint32_t value = reg_read(emu, insn->rm, 4);
	bool written = true;
	if (!has_cr(emu, number))
		return emu_raise(emu, VEC_UD);
	if (!privileged(emu))
		return EXEC_FAULT;
	switch (number) {
	case 0: written = write_cr0(emu, value); break;
	case 2: emu->ctx->cr2 = value; break;
	case 3: written = write_cr3(emu, value); break;
	default: written = write_cr4(emu, value); break;
	}
	return written ? end_block(emu, insn) : EXEC_FAULT;
}

/* LMSW can set PE, not clear it (SDM vol. 2, LMSW). */
enum exec exec_lmsw(struct emu *emu, const struct insn *insn)
{
	uint32_t value, cr0 = (uint32_t)emu->ctx->cr0;
	if (!privileged(emu) || !rm_load(emu, insn, 2, &value))
		return EXEC_FAULT;
	if (!write_cr0(emu, (cr0 & ~0xeu) | (value & 0xf)))
		return EXEC_FAULT;
	return end_block(emu, insn);
}

enum exec exec_smsw(struct emu *emu, const struct insn *insn)
{
	return rm_store(emu, insn, insn->is_memory ? 2 : insn->size, (uint32_t)emu->ctx->cr0) ? EXEC_NEXT : EXEC_FAULT;
}

enum exec exec_clts(struct emu *emu, const struct insn *insn)
{
	(void)insn;
	if (!privileged(emu))
		return EXEC_FAULT;
	emu->ctx->cr0 &= ~(uint64_t)CTX_CR0_TS;
	return EXEC_NEXT;
}

/* --- debug registers --------------------------------------------------------------- */

/* DR4 and DR5 are DR6 and DR7 unless CR4.DE is set; DR7.GD guards them all. */
static bool debug_register(struct emu *emu, const struct insn *insn, uint64_t **reg)
{
	struct ctx *ctx = emu->ctx;
	uint64_t *const regs[8] = { &ctx->dr0, &ctx->dr1, &ctx->dr2, &ctx->dr3, &ctx->dr6, &ctx->dr7, &ctx->dr6, &ctx->dr7 };
	unsigned number = control_number(insn);
	if ((number == 4 || number == 5) && (ctx->cr4 & CTX_CR4_DE)) {
		emu_raise(emu, VEC_UD);
		return false;
	}
	if (!privileged(emu))
		return false;
	if (ctx->dr7 & 0x2000) {
		emu_raise(emu, VEC_DB);
		emu->fault.dr6 = 0x2000;
		return false;
	}
	*reg = regs[number];
	if (*reg == &ctx->dr6)
		cpu_pins_fetch_dr6(emu->pins, ctx);
	return true;
}

enum exec exec_mov_from_dr(struct emu *emu, const struct insn *insn)
{
	uint64_t *reg;
	if (!debug_register(emu, insn, &reg))
		return EXEC_FAULT;
	reg_write(emu, insn->rm, 4, (uint32_t)*reg);
	return EXEC_NEXT;
}

enum exec exec_mov_to_dr(struct emu *emu, const struct insn *insn)
{
	uint64_t *reg;
	uint32_t value = reg_read(emu, insn->rm, 4);
	if (!debug_register(emu, insn, &reg))
		return EXEC_FAULT;
	if (reg == &emu->ctx->dr6)
		value = (value & 0xe00f) | 0xffff0ff0u;
	else if (reg == &emu->ctx->dr7)
		value = (value & 0xffff2fffu) | 0x400;
	*reg = value;
	if (debug_enabled(emu))
		emu->special |= SPECIAL_DR7;
	else
		emu->special &= ~(uint32_t)SPECIAL_DR7;
	emu_mode_changed(emu);
	return end_block(emu, insn);
}

/* --- test registers ------------------------------------------------------------------ */

/* TR6 and TR7 look into the TLB of a 386 or 486, TR3 to TR5 into the cache of a 486; the
 * Pentium has MSRs in their place. Here they hold what was written, and a look-up is done
 * at once and finds nothing: there is no cache, and no guest can rely on what a TLB holds.
 * (386 Programmer's Reference Manual, 10.6; i486 Programmer's Reference Manual, 10.6) */
static bool test_register(struct emu *emu, const struct insn *insn, uint32_t **reg)
{
	struct ctx *ctx = emu->ctx;
	uint32_t *const regs[8] = { NULL, NULL, NULL, &ctx->tr3, &ctx->tr4, &ctx->tr5, &ctx->tr6, &ctx->tr7 };
	unsigned number = control_number(insn), first = emu->cpu == EMU_CPU_386 ? 6 : 3;
	if (emu->cpu >= EMU_CPU_PENTIUM || number < first) {
		emu_raise(emu, VEC_UD);
		return false;
	}
	*reg = regs[number];
	return privileged(emu);
}

enum exec exec_mov_from_tr(struct emu *emu, const struct insn *insn)
{
	uint32_t *reg;
	if (!test_register(emu, insn, &reg))
		return EXEC_FAULT;
	reg_write(emu, insn->rm, 4, *reg);
	return EXEC_NEXT;
}

#define TR6_LOOKUP 1u
#define TR7_HIT    0x10u

enum exec exec_mov_to_tr(struct emu *emu, const struct insn *insn)
{
	uint32_t *reg;
	if (!test_register(emu, insn, &reg))
		return EXEC_FAULT;
	*reg = reg_read(emu, insn->rm, 4);
	if (reg == &emu->ctx->tr6 && (*reg & TR6_LOOKUP))
		emu->ctx->tr7 &= ~TR7_HIT;
	return EXEC_NEXT;
}

/* --- the rest ----------------------------------------------------------------------- */

enum exec exec_hlt(struct emu *emu, const struct insn *insn)
{
	if (!privileged(emu))
		return EXEC_FAULT;
	emu->ctx->halted = 1;
	emu->special |= SPECIAL_HALT;
	cpu_pins_attend(emu->pins);
	return end_block(emu, insn);
}

/* INVD and WBINVD: there is no cache to write back. */
enum exec exec_invd(struct emu *emu, const struct insn *insn)
{
	(void)insn;
	return privileged(emu) ? EXEC_NEXT : EXEC_FAULT;
}

enum exec exec_invlpg(struct emu *emu, const struct insn *insn)
{
	if (!privileged(emu))
		return EXEC_FAULT;
	paging_flush_page(emu, (uint32_t)emu->ctx->seg[insn->seg].base + insn_address(emu, insn));
	return end_block(emu, insn);
}

enum exec exec_rsm(struct emu *emu, const struct insn *insn)
{
	(void)insn;
	return emu->ctx->smm ? smm_return(emu) : emu_raise(emu, VEC_UD);
}

enum exec exec_undefined(struct emu *emu, const struct insn *insn)
{
	(void)insn;
	return emu_raise(emu, VEC_UD);
}
