/* CPUID, time stamp counter, model-specific registers, SYSENTER. */
#include "emu/access.h"
#include "emu/bodies.h"
#include "emu/flags.h"
#include "emu/fpu.h"
#include "shared/log.h"

/* --- CPUID ------------------------------------------------------------------------------- */

enum {
	CPUID_FPU = 1 << 0, CPUID_VME = 1 << 1, CPUID_DE = 1 << 2, CPUID_PSE = 1 << 3,
	CPUID_TSC = 1 << 4, CPUID_MSR = 1 << 5, CPUID_PAE = 1 << 6, CPUID_CX8 = 1 << 8,
	CPUID_SEP = 1 << 11, CPUID_MTRR = 1 << 12, CPUID_PGE = 1 << 13, CPUID_CMOV = 1 << 15,
	CPUID_PAT = 1 << 16, CPUID_PSE36 = 1 << 17, CPUID_MMX = 1 << 23, CPUID_FXSR = 1 << 24,
	CPUID_SSE = 1 << 25, CPUID_SSE2 = 1 << 26,
	CPUID_EXTENDED_SYSCALL = 1 << 11, CPUID_EXTENDED_LM = 1 << 29,
};

#define CPUID_EXTENDED     0x80000000u
#define CPUID_EXTENDED_MAX 0x80000008u

uint32_t cpuid_features(enum emu_cpu cpu)
{
	uint32_t x87 = FPU_PRESENT ? CPUID_FPU : 0;
	uint32_t simd = FPU_PRESENT ? CPUID_MMX | CPUID_FXSR | CPUID_SSE | CPUID_SSE2 : 0;
	uint32_t pentium = x87 | CPUID_VME | CPUID_DE | CPUID_PSE | CPUID_TSC | CPUID_MSR | CPUID_CX8;
	switch (cpu) {
	case EMU_CPU_X86_64:
	case EMU_CPU_P6:
		return pentium | CPUID_PAE | CPUID_SEP | CPUID_MTRR | CPUID_PGE | CPUID_CMOV | CPUID_PAT |
		       CPUID_PSE36 | simd;
	case EMU_CPU_PENTIUM:
		return pentium;
	default:
		return x87;
	}
}

/* SYSCALL belongs to 64-bit mode (SDM vol. 2, CPUID 80000001h). */
static void cpuid_extended(bool long_mode, uint32_t leaf, uint32_t out[4])
{
	if (leaf == CPUID_EXTENDED)
		out[0] = CPUID_EXTENDED_MAX;
	else if (leaf == CPUID_EXTENDED + 1 && long_mode)
		out[3] = CPUID_EXTENDED_SYSCALL | CPUID_EXTENDED_LM;
	else if (leaf == CPUID_EXTENDED_MAX)
		out[0] = long_mode ? 48 << 8 | 36 : 32 << 8 | 36; /* bits of linear and physical addresses */
}

struct cpuid_model {
	enum emu_cpu cpu;
	bool long_mode;
	uint32_t feature_ecx, feature_edx;
};

static void cpuid_answer(const struct cpuid_model *model, uint32_t leaf, uint32_t out[4])
{
	memset(out, 0, 4 * sizeof *out);
	switch (leaf) {
	case 0:
		out[0] = model->cpu >= EMU_CPU_P6 ? 2 : 1;
		memcpy(&out[1], "Genu", 4);
		memcpy(&out[2], "ntel", 4);
		memcpy(&out[3], "ineI", 4);
		break;
	case 1:
		out[0] = emu_cpu_signature(model->cpu);
		out[2] = model->feature_ecx;
		out[3] = model->feature_edx;
		break;
	case 2: /* one pass; no descriptors */
		out[0] = model->cpu >= EMU_CPU_P6;
		break;
	default:
		if (model->cpu >= EMU_CPU_X86_64)
			cpuid_extended(model->long_mode, leaf, out);
		break;
	}
}

/* The leaves from `first` on; its EAX is the highest. */
static unsigned list_leaves(const struct cpuid_model *model, uint32_t first, struct cpuid_leaf *leaf)
{
	uint32_t out[4];
	unsigned count = 0;
	cpuid_answer(model, first, out);
	for (uint32_t number = first, highest = out[0]; number <= highest; number++) {
		cpuid_answer(model, number, out);
		leaf[count++] = (struct cpuid_leaf){ number, out[0], out[1], out[2], out[3] };
	}
	return count;
}

unsigned emu_cpuid(enum emu_cpu cpu, bool long_mode, struct cpuid_leaf leaf[CPUID_LEAVES])
{
	if (cpu < EMU_CPU_486)
		return 0;
	const struct cpuid_model model = { cpu, long_mode, 0, cpuid_features(cpu) };
	unsigned count = list_leaves(&model, 0, leaf);
	if (cpu >= EMU_CPU_X86_64)
		count += list_leaves(&model, CPUID_EXTENDED, leaf + count);
	return count;
}

/* Above the highest leaf, also from 80000000h on: the data of the highest one (SDM
 * vol. 2, CPUID). */
enum exec exec_cpuid(struct emu *emu, const struct insn *insn)
{
	union ctx_reg *gpr = emu->ctx->gpr;
	const struct cpuid_model model = { emu->cpu, emu->long_mode, emu->feature_ecx, emu->feature_edx };
	uint32_t out[4], highest, leaf = gpr[CTX_RAX].e;
	(void)insn;
	cpuid_answer(&model, 0, out);
	highest = out[0];
	bool extended = emu->cpu >= EMU_CPU_X86_64 && leaf >= CPUID_EXTENDED && leaf <= CPUID_EXTENDED_MAX;
	if (leaf > highest && !extended)
		leaf = highest;
	cpuid_answer(&model, leaf, out);
	gpr[CTX_RAX].e = out[0];
	gpr[CTX_RBX].e = out[1];
	gpr[CTX_RCX].e = out[2];
	gpr[CTX_RDX].e = out[3];
	return EXEC_NEXT;
}

/* --- time ------------------------------------------------------------------------------------ */

/* The TSC runs at 1 GHz of guest time. */
static uint64_t tsc_read(struct emu *emu, const struct insn *insn)
{
	emu_clock_before(emu, insn);
	return clock_now(emu->clock) + emu->ctx->tsc_offset;
}

enum exec exec_rdtsc(struct emu *emu, const struct insn *insn)
{
	if ((emu->ctx->cr4 & CTX_CR4_TSD) && emu->cpl)
		return emu_raise_error(emu, VEC_GP, 0);
	uint64_t tsc = tsc_read(emu, insn);
	emu->ctx->gpr[CTX_RAX].e = (uint32_t)tsc;
	emu->ctx->gpr[CTX_RDX].e = (uint32_t)(tsc >> 32);
	return EXEC_NEXT;
}

/* Two counters, both at rest. */
enum exec exec_rdpmc(struct emu *emu, const struct insn *insn)
{
	(void)insn;
	if ((!(emu->ctx->cr4 & CTX_CR4_PCE) && emu->cpl) || emu->ctx->gpr[CTX_RCX].e > 1)
		return emu_raise_error(emu, VEC_GP, 0);
	emu->ctx->gpr[CTX_RAX].e = 0;
	emu->ctx->gpr[CTX_RDX].e = 0;
	return EXEC_NEXT;
}

/* --- MSRs -------------------------------------------------------------------------------------- */

enum {
	MSR_TSC = 0x10, MSR_PLATFORM_ID = 0x17, MSR_APIC_BASE = 0x1b, MSR_UCODE = 0x79, MSR_BIOS_SIGN = 0x8b, MSR_MTRR_CAP = 0xfe,
	MSR_SYSENTER_CS = 0x174, MSR_SYSENTER_ESP = 0x175, MSR_SYSENTER_EIP = 0x176,
	MSR_MCG_CAP = 0x179, MSR_MCG_STATUS = 0x17a, MSR_MISC_ENABLE = 0x1a0,
	MSR_MTRR_VARIABLE = 0x200, MSR_MTRR_64K = 0x250, MSR_MTRR_16K = 0x258, MSR_MTRR_4K = 0x268,
	MSR_PAT = 0x277, MSR_MTRR_DEF_TYPE = 0x2ff,
	MSR_EFER = 0xc0000080, MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SFMASK,
	MSR_FS_BASE = 0xc0000100, MSR_GS_BASE, MSR_KERNEL_GS_BASE,
};

static uint64_t *fixed_mtrr(struct ctx *ctx, uint32_t msr)
{
	if (msr == MSR_MTRR_64K)
		return &ctx->mtrr_fixed[0];
	if (msr >= MSR_MTRR_16K && msr < MSR_MTRR_16K + 2)
		return &ctx->mtrr_fixed[1 + msr - MSR_MTRR_16K];
	if (msr >= MSR_MTRR_4K && msr < MSR_MTRR_4K + 8)
		return &ctx->mtrr_fixed[3 + msr - MSR_MTRR_4K];
	return NULL;
}

/* Registers of the P6 that only hold what was written. */
static uint64_t *p6_msr(struct ctx *ctx, uint32_t msr)
{
	if (msr >= MSR_MTRR_VARIABLE && msr < MSR_MTRR_VARIABLE + 16)
		return &ctx->mtrr_variable[msr - MSR_MTRR_VARIABLE];
	switch (msr) {
	case MSR_APIC_BASE: return &ctx->apic_base;
	case MSR_SYSENTER_CS: return &ctx->sysenter_cs;
	case MSR_SYSENTER_ESP: return &ctx->sysenter_esp;
	case MSR_SYSENTER_EIP: return &ctx->sysenter_eip;
	case MSR_MISC_ENABLE: return &ctx->misc_enable;
	case MSR_PAT: return &ctx->pat;
	case MSR_MTRR_DEF_TYPE: return &ctx->mtrr_def_type;
	default: return fixed_mtrr(ctx, msr);
	}
}

/* Those of long mode (SDM vol. 4, table 2-2), which are there in the other modes too. */
static uint64_t *long_msr(struct ctx *ctx, uint32_t msr)
{
	switch (msr) {
	case MSR_EFER: return &ctx->efer;
	case MSR_STAR: return &ctx->star;
	case MSR_LSTAR: return &ctx->lstar;
	case MSR_CSTAR: return &ctx->cstar;
	case MSR_SFMASK: return &ctx->sfmask;
	case MSR_FS_BASE: return &ctx->seg[CTX_FS].base;
	case MSR_GS_BASE: return &ctx->seg[CTX_GS].base;
	case MSR_KERNEL_GS_BASE: return &ctx->kernel_gs_base;
	default: return NULL;
	}
}

static uint64_t *held_msr(struct emu *emu, uint32_t msr)
{
	uint64_t *held = emu->cpu >= EMU_CPU_P6 ? p6_msr(emu->ctx, msr) : NULL;
	return held || emu->cpu < EMU_CPU_X86_64 ? held : long_msr(emu->ctx, msr);
}

static bool is_canonical(uint64_t address)
{
	return (uint64_t)((int64_t)(address << 16) >> 16) == address;
}

/* False: #GP. LMA follows CR0.PG alone. */
static bool write_long_msr(struct emu *emu, uint32_t msr, uint64_t value)
{
	struct ctx *ctx = emu->ctx;
	bool paging = ctx->cr0 & CTX_CR0_PG;
	if (msr == MSR_EFER) {
		if ((value & ~(uint64_t)(CTX_EFER_SCE | CTX_EFER_LME | CTX_EFER_LMA)) || (paging && ((value ^ ctx->efer) & CTX_EFER_LME)))
			return false;
		ctx->efer = (value & ~(uint64_t)CTX_EFER_LMA) | (ctx->efer & CTX_EFER_LMA);
		return true;
	}
	if (msr == MSR_SFMASK && value >> 32)
		return false;
	if (msr != MSR_STAR && msr != MSR_SFMASK && !is_canonical(value))
		return false;
	*long_msr(ctx, msr) = value;
	if (msr == MSR_FS_BASE || msr == MSR_GS_BASE)
		seg_changed(emu, msr == MSR_FS_BASE ? CTX_FS : CTX_GS);
	return true;
}

static bool reads_zero(uint32_t msr)
{
	return msr <= 1 || msr == MSR_PLATFORM_ID || msr == MSR_UCODE || msr == MSR_BIOS_SIGN || msr == MSR_MCG_CAP || msr == MSR_MCG_STATUS;
}

static bool msr_read(struct emu *emu, const struct insn *insn, uint32_t msr, uint64_t *value)
{
	uint64_t *held = held_msr(emu, msr);
	*value = 0;
	if (msr == MSR_TSC)
		*value = tsc_read(emu, insn);
	else if (msr == MSR_MTRR_CAP && emu->cpu >= EMU_CPU_P6)
		*value = 0x508; /* 8 variable ranges, fixed ranges, write combining */
	else if (held)
		*value = *held;
	else
		return reads_zero(msr);
	return true;
}

/* --- what WRMSR takes (SDM vol. 3, 11.11.2, 11.12.2, 10.4.4): anything else is #GP -------------- */

#define PHYSICAL_BITS 36

static bool is_type(uint8_t type) { return type == 0 || type == 1 || (type >= 4 && type <= 6); }

static bool are_types(uint64_t value, bool pat)
{
	for (unsigned i = 0; i < 64; i += 8) {
		uint8_t type = (uint8_t)(value >> i);
		if (!is_type(type) && !(pat && type == 7))
			return false;
	}
	return true;
}

/* Base and mask by turns. */
static bool is_range(uint32_t msr, uint64_t value)
{
	if (value >> PHYSICAL_BITS)
		return false;
	return msr & 1 ? !(value & 0x7ff) : !(value & 0xf00) && is_type((uint8_t)value);
}

static bool msr_takes(struct ctx *ctx, uint32_t msr, uint64_t value)
{
	if (msr >= MSR_MTRR_VARIABLE && msr < MSR_MTRR_VARIABLE + 16)
		return is_range(msr, value);
	switch (msr) {
	case MSR_APIC_BASE: return !(value >> PHYSICAL_BITS) && !(value & 0x6ff);
	case MSR_PAT: return are_types(value, true);
	case MSR_MTRR_DEF_TYPE: return !(value & ~0xcffull) && is_type((uint8_t)value);
	case MSR_PLATFORM_ID:
	case MSR_MCG_CAP: return false; /* to be read only */
	default: return !fixed_mtrr(ctx, msr) || are_types(value, false);
	}
}

static bool msr_write(struct emu *emu, const struct insn *insn, uint32_t msr, uint64_t value)
{
	uint64_t *held = held_msr(emu, msr);
	if (!msr_takes(emu->ctx, msr, value))
		return false;
	if (msr == MSR_TSC)
		emu->ctx->tsc_offset += value - tsc_read(emu, insn);
	else if (held && msr >= MSR_EFER)
		return write_long_msr(emu, msr, value);
	else if (held)
		*held = value;
	else
		return reads_zero(msr);
	return true;
}

enum exec exec_rdmsr(struct emu *emu, const struct insn *insn)
{
	union ctx_reg *gpr = emu->ctx->gpr;
	uint64_t value;
	if (emu->cpl)
		return emu_raise_error(emu, VEC_GP, 0);
	if (!msr_read(emu, insn, gpr[CTX_RCX].e, &value)) {
		guest_error("cpu", "RDMSR of %x", gpr[CTX_RCX].e);
		return emu_raise_error(emu, VEC_GP, 0);
	}
	gpr[CTX_RAX].e = (uint32_t)value;
	gpr[CTX_RDX].e = (uint32_t)(value >> 32);
	return EXEC_NEXT;
}

enum exec exec_wrmsr(struct emu *emu, const struct insn *insn)
{
	union ctx_reg *gpr = emu->ctx->gpr;
	uint64_t value = (uint64_t)gpr[CTX_RDX].e << 32 | gpr[CTX_RAX].e;
	if (emu->cpl)
		return emu_raise_error(emu, VEC_GP, 0);
	if (!msr_write(emu, insn, gpr[CTX_RCX].e, value)) {
		guest_error("cpu", "WRMSR of %x: %08x%08x", gpr[CTX_RCX].e, gpr[CTX_RDX].e, gpr[CTX_RAX].e);
		return emu_raise_error(emu, VEC_GP, 0);
	}
	emu->ctx->rip = insn_next_ip(emu, insn);
	return EXEC_BRANCH;
}

/* --- SYSENTER, SYSEXIT -------------------------------------------------------------------------- */

static void flat_segment(struct emu *emu, unsigned sreg, uint32_t selector, unsigned dpl)
{
	struct ctx_seg *seg = &emu->ctx->seg[sreg];
	memset(seg, 0, sizeof *seg);
	seg->selector = (uint16_t)((selector & 0xfffc) | dpl);
	seg->limit = 0xffffffffu;
	seg->access = CTX_SEG_P | CTX_SEG_S | CTX_SEG_G | CTX_SEG_DB | dpl << CTX_SEG_DPL_SHIFT |
	              (sreg == CTX_CS ? 0xbu : 0x3u);
}

enum exec exec_sysenter(struct emu *emu, const struct insn *insn)
{
	struct ctx *ctx = emu->ctx;
	uint32_t cs = (uint32_t)ctx->sysenter_cs;
	(void)insn;
	if (!(ctx->cr0 & CTX_CR0_PE) || !(cs & 0xfffc))
		return emu_raise_error(emu, VEC_GP, 0);
	ctx->rflags &= ~(uint64_t)(CTX_EFLAGS_VM | CTX_EFLAGS_IF | CTX_EFLAGS_RF);
	flat_segment(emu, CTX_CS, cs, 0);
	flat_segment(emu, CTX_SS, cs + 8, 0);
	ctx->gpr[CTX_RSP].e = (uint32_t)ctx->sysenter_esp;
	ctx->rip = (uint32_t)ctx->sysenter_eip;
	emu_mode_changed(emu);
	return EXEC_BRANCH;
}

enum exec exec_sysexit(struct emu *emu, const struct insn *insn)
{
	struct ctx *ctx = emu->ctx;
	uint32_t cs = (uint32_t)ctx->sysenter_cs;
	(void)insn;
	if (!(ctx->cr0 & CTX_CR0_PE) || !(cs & 0xfffc) || emu->cpl)
		return emu_raise_error(emu, VEC_GP, 0);
	flat_segment(emu, CTX_CS, cs + 16, 3);
	flat_segment(emu, CTX_SS, cs + 24, 3);
	ctx->gpr[CTX_RSP].e = ctx->gpr[CTX_RCX].e;
	ctx->rip = ctx->gpr[CTX_RDX].e;
	emu_mode_changed(emu);
	return EXEC_BRANCH;
}
