#include "tests/insn/host_rules.h"

#include <stdio.h>
#include <string.h>

#include "emu/fpu_image.h"

#define ALL (NATIVE_INTEL | NATIVE_AMD | NATIVE_OTHER)
#define FLAGS_ARITH (CTX_EFLAGS_OF | CTX_EFLAGS_SF | CTX_EFLAGS_ZF | CTX_EFLAGS_AF | CTX_EFLAGS_PF | CTX_EFLAGS_CF)

enum { SS = 12, GP = 13, MF = 16, AC = 17 };

static enum op op_of(const struct host_case *compared) { return (enum op)compared->generated->insn.op; }

static bool faulted(const struct host_case *compared, const struct native_end *end)
{
	return end->state.eip == compared->generated->state.eip;
}

static bool is_repeated_compare(const struct host_case *compared)
{
	const struct insn *insn = &compared->generated->insn;
	return (insn->flags & (INSN_REP | INSN_REPNE)) && (insn->op == OP_cmps || insn->op == OP_scas);
}

/* --- pushes and pops ---------------------------------------------------------------------- */

static bool popa_faulted(struct host_case *compared)
{
	if (op_of(compared) != OP_popa || !faulted(compared, &compared->want))
		return false;
	memcpy(compared->got.state.gpr, compared->want.state.gpr, sizeof compared->got.state.gpr);
	return true;
}

/* What may have been pushed is taken over from the emulator. */
static void forget_pushed(struct host_case *compared, uint32_t sp, unsigned size)
{
	uint16_t ss = compared->generated->state.sreg[CTX_SS];
	uint32_t mask = native_segments[ss >> 3].access & CTX_SEG_DB ? 0xffffffff : 0xffff;
	for (uint32_t i = 1; i <= size; i++) {
		uint32_t at = (sp - i) & mask;
		if (at < NATIVE_DATA_SIZE)
			native_data()[at] = compared->memory[at];
	}
}

/* Its upper half is read, and met by the same checks. */
static bool pop_extended(struct host_case *compared)
{
	const struct insn *insn = &compared->generated->insn;
	const struct native_end *want = &compared->want;
	if (insn->op != OP_pop_sreg || insn->size != 4 || !faulted(compared, want) || (want->vector != SS && want->vector != AC))
		return false;
	compared->got = *want;
	return true;
}

static bool is_call(const struct host_case *compared)
{
	switch (op_of(compared)) {
	case OP_call: case OP_call_rm: case OP_call_far: case OP_call_far_mem: return true;
	default: return false;
	}
}

static bool call_faulted(struct host_case *compared)
{
	struct native_end *got = &compared->got, *want = &compared->want;
	if (!is_call(compared) || !faulted(compared, want) || !faulted(compared, got))
		return false;
	forget_pushed(compared, compared->generated->state.gpr[CTX_RSP], 8);
	if (got->vector == GP && (want->vector == SS || want->vector == AC)) {
		got->vector = want->vector;
		got->error = want->error;
	}
	return true;
}

static bool from_access(const struct native_end *end)
{
	return end->vector == SS || end->vector == GP || end->vector == AC;
}

static bool operand_before_pending(struct host_case *compared)
{
	const struct insn *insn = &compared->generated->insn;
	struct native_end *got = &compared->got, *want = &compared->want;
	if (insn->op != OP_sse || !insn->is_memory || got->vector != MF || !faulted(compared, want) || !from_access(want))
		return false;
	*got = *want;
	return true;
}

/* With an operand in memory it has nothing to do with the MMX registers. */
static bool converts_memory(struct host_case *compared)
{
	const struct insn *insn = &compared->generated->insn;
	if (insn->op != OP_sse || !insn->is_memory || *fpu_sse_opcode(insn) != 0x2a || compared->got.vector != MF)
		return false;
	compared->got = compared->want;
	return true;
}

/* (FXSAVE and FXRSTOR are #AC or #GP by choice: SDM vol. 2.) CMPS has two operands; RETF and images of the x87 have several pieces, of which one may
 * be off its boundary and another one outside the segment. */
static bool has_pieces(const struct insn *insn)
{
	switch (insn->op) {
	case OP_x87: return insn->is_memory && (insn->modrm & 0x20);
	case OP_sse: return insn->is_memory && *fpu_sse_opcode(insn) == 0xae;
	default: return insn->op == OP_cmps || insn->op == OP_retf;
	}
}

static bool pieces_faulted(struct host_case *compared)
{
	const struct insn *insn = &compared->generated->insn;
	struct native_end *got = &compared->got, *want = &compared->want;
	bool both = faulted(compared, got) && faulted(compared, want);
	if (!has_pieces(insn) || !both || got->vector == want->vector || !from_access(got) || !from_access(want))
		return false;
	if (insn->op != OP_cmps && got->vector != AC && want->vector != AC)
		return false;
	if (got->error != want->error)
		return false;
	got->vector = want->vector;
	return true;
}

/* The upper half of what a 32-bit push of a segment register writes is 0; it may meet
 * the limit, or be off its boundary, where two bytes are not. */
static bool push_extended(struct host_case *compared)
{
	const struct insn *insn = &compared->generated->insn;
	const struct native_end *want = &compared->want;
	uint32_t sp = compared->generated->state.gpr[CTX_RSP];
	if (insn->op != OP_push_sreg || insn->size != 4)
		return false;
	if (faulted(compared, want) && (want->vector == SS || want->vector == AC)) {
		forget_pushed(compared, sp, 4);
		compared->got = *want;
		return true;
	}
	uint16_t ss = compared->generated->state.sreg[CTX_SS];
	uint32_t mask = native_segments[ss >> 3].access & CTX_SEG_DB ? 0xffffffff : 0xffff;
	for (uint32_t i = 1; i <= 2; i++)
		if (((sp - i) & mask) >= NATIVE_DATA_SIZE || native_data()[(sp - i) & mask])
			return false;
	forget_pushed(compared, sp, 2);
	return true;
}

/* The word that the new stack pointer points to is written as a trial. */
static bool enter_probes(struct host_case *compared)
{
	if (op_of(compared) != OP_enter || compared->want.vector != AC || faulted(compared, &compared->got))
		return false;
	compared->got = compared->want;
	memcpy(native_data(), compared->memory, NATIVE_DATA_SIZE);
	return true;
}

/* --- order of checks ------------------------------------------------------------------------ */

/* RPL is not CPL: the outer stack pointer is read before RPL is found to be too low. */
static bool return_to_other_ring(struct host_case *compared)
{
	struct native_end *got = &compared->got, *want = &compared->want;
	if (op_of(compared) != OP_retf || got->vector != GP || (want->vector != SS && want->vector != AC))
		return false;
	got->vector = want->vector;
	got->error = want->error;
	return true;
}

/* --- repetitions -------------------------------------------------------------------------------- */

/* Rounds in a row after which the emulator lets interrupts in. */
#define ROUNDS 4096u

static uint32_t rounds(const struct host_case *compared)
{
	uint32_t before = compared->generated->state.gpr[CTX_RCX], after = compared->want.state.gpr[CTX_RCX];
	return (before - after) & compared->generated->insn.addr_mask;
}

static bool resumed(struct host_case *compared)
{
	if (!is_repeated_compare(compared) || !faulted(compared, &compared->want) || rounds(compared) < ROUNDS)
		return false;
	compared->flags_ignored |= FLAGS_ARITH;
	return true;
}

static bool flags_of_round(struct host_case *compared)
{
	if (!is_repeated_compare(compared) || !faulted(compared, &compared->want) || !rounds(compared))
		return false;
	compared->flags_ignored |= FLAGS_ARITH;
	return true;
}

/* F2 makes LOOPE a LOOPNE, F3 the other way round. */
static bool loop_repeated(struct host_case *compared)
{
	const struct insn *insn = &compared->generated->insn;
	bool turned = (insn->op == OP_loope && (insn->flags & INSN_REPNE)) || (insn->op == OP_loopne && (insn->flags & INSN_REP));
	if (!turned)
		return false;
	compared->got = compared->want;
	return true;
}

/* --- x87, SSE ------------------------------------------------------------------------------------- */

static bool is_group_15(const struct host_case *compared, unsigned reg)
{
	const struct insn *insn = &compared->generated->insn;
	return insn->op == OP_sse && insn->is_memory && *fpu_sse_opcode(insn) == 0xae && (insn->modrm >> 3 & 7) == reg;
}

/* Both save what they know of MXCSR. */
static bool saves_mask(struct host_case *compared)
{
	static const uint8_t defined[4] = { 0xff, 0xff, 0, 0 };
	const struct native_segment *segment = &native_segments[compared->generated->state.sreg[compared->generated->insn.seg] >> 3];
	if (!is_group_15(compared, 0) || faulted(compared, &compared->want))
		return false;
	uint32_t at = compared->generated->operand + (uint32_t)segment->start + IMAGE_MXCSR + 4;
	if (at > NATIVE_DATA_SIZE - 4 || memcmp(compared->memory + at, defined, 4))
		return false;
	memcpy(native_data() + at, defined, 4);
	return true;
}

/* No byte is selected. */
static bool masks_all(struct host_case *compared)
{
	const struct insn *insn = &compared->generated->insn;
	struct native_end *want = &compared->want;
	if (insn->op != OP_sse || *fpu_sse_opcode(insn) != 0xf7 || !faulted(compared, want) || faulted(compared, &compared->got))
		return false;
	if (!from_access(want) || memcmp(native_data(), compared->memory, NATIVE_DATA_SIZE))
		return false;
	compared->got = *want;
	return true;
}

/* Off its boundary and beyond the limit of SS. */
static bool misaligned_first(struct host_case *compared)
{
	const struct insn *insn = &compared->generated->insn;
	struct native_end *got = &compared->got, *want = &compared->want;
	uint16_t selector = compared->generated->state.sreg[insn->seg];
	uint32_t start = (uint32_t)native_segments[selector >> 3].start;
	if (insn->op != OP_sse || !insn->is_memory || insn->seg != CTX_SS || !((compared->generated->operand + start) & 15))
		return false;
	if (got->vector != SS || want->vector != GP)
		return false;
	got->vector = GP;
	return true;
}

/* What a fault leaves of an instruction that works on MMX registers: TOP is 0, and no
 * register is empty. */
static bool entered_mmx(struct host_case *compared)
{
	uint8_t *got = compared->got.state.fpu, old[8][16];
	const uint8_t *want = compared->want.state.fpu;
	unsigned top = got[IMAGE_FSW + 1] >> 3 & 7;
	if (op_of(compared) != OP_sse || !faulted(compared, &compared->want) || want[IMAGE_FTW] != 0xff || (want[IMAGE_FSW + 1] & 0x38))
		return false;
	memcpy(old, got + IMAGE_ST, sizeof old);
	for (unsigned i = 0; i < 8; i++)
		memcpy(got + IMAGE_ST + 16 * i, old[(i - top) & 7], 16);
	got[IMAGE_FSW + 1] &= 0xc7;
	got[IMAGE_FTW] = 0xff;
	return true;
}

/* MXCSR.MM, bit 17. */
static bool takes_misaligned(struct host_case *compared)
{
	bool loads = is_group_15(compared, 1) || is_group_15(compared, 2);
	if (!loads || compared->got.vector != GP || !(compared->want.state.fpu[IMAGE_MXCSR + 2] & 2))
		return false;
	compared->got = compared->want;
	return true;
}

struct rule {
	const char *name, *reference;
	unsigned vendors;
	bool (*apply)(struct host_case *compared);
};

static const struct rule rules[] = {
	{ "POPA keeps what it read before it met the limit", "SDM vol. 2, POPA", ALL, popa_faulted },
	{ "CALL pushes before it finds its target outside", "SDM vol. 2, CALL: checks first", ALL, call_faulted },
	{ "two pieces of memory that fault: which comes first", "SDM vol. 3, 6.9", ALL, pieces_faulted },
	{ "a repeated compare that was interrupted and faults: FLAGS", "SDM vol. 2, REP", ALL, resumed },
	{ "PUSH of a segment register writes four bytes", "SDM vol. 2, PUSH: both allowed; APM vol. 3, PUSH", NATIVE_AMD, push_extended },
	{ "POP of a segment register reads four bytes", "APM vol. 3, POP", NATIVE_AMD, pop_extended },
	{ "RETF reads an outer stack before it judges the RPL", "APM vol. 3, RET (Far)", NATIVE_AMD, return_to_other_ring },
	{ "a repeated compare that faults: FLAGS of the last round", "SDM vol. 2, REP: those from before", NATIVE_AMD, flags_of_round },
	{ "MASKMOVQ and MASKMOVDQU that select no byte: faults", "SDM vol. 2, MASKMOVDQU: by implementation", ALL, masks_all },
	{ "ENTER tries its new stack pointer", "SDM vol. 2, ENTER", NATIVE_AMD, enter_probes },
	{ "MMX operands in memory are checked before pending x87 errors", "SDM vol. 3, 6.9", NATIVE_AMD, operand_before_pending },
	{ "CVTPI2PS from memory does not look for x87 errors", "SDM vol. 2, CVTPI2PS: it does", NATIVE_AMD, converts_memory },
	{ "FXSAVE stores the host's own MXCSR_MASK", "SDM vol. 1, 11.6.6", ALL, saves_mask },
	{ "an SSE operand off its boundary and outside SS", "SDM vol. 3, 6.9; APM vol. 2, 8.5", NATIVE_AMD, misaligned_first },
	{ "MMX instructions that fault empty no register", "SDM vol. 2, CVTPS2PI: a transition; APM vol. 1, 5.8", NATIVE_AMD, entered_mmx },
	{ "MXCSR.MM exists", "APM vol. 1, 4.2.2", NATIVE_AMD, takes_misaligned },
	{ "LOOPE and LOOPNE with REP prefixes", "APM vol. 3, 1.2.6: not defined", NATIVE_AMD, loop_repeated },
};

#define RULES (sizeof rules / sizeof rules[0])

static unsigned long hits[RULES];

bool host_rules_apply(struct host_case *compared, enum native_vendor vendor)
{
	bool applied = false;
	for (unsigned i = 0; i < RULES; i++)
		if ((rules[i].vendors & vendor) && rules[i].apply(compared)) {
			hits[i]++;
			applied = true;
		}
	return applied;
}

void host_rules_print(void)
{
	for (unsigned i = 0; i < RULES; i++)
		if (hits[i])
			printf("%lu cases by rule: %s (%s)\n", hits[i], rules[i].name, rules[i].reference);
}
