#include "tests/insn/generate.h"

#include <string.h>

#include "emu/bodies.h"
#include "emu/fpu_image.h"
#include "emu/opcode_map.h"

#define CODE_SPAN 0xf00u /* instructions begin below */
#define ARITHMETIC (CTX_EFLAGS_OF | CTX_EFLAGS_SF | CTX_EFLAGS_ZF | CTX_EFLAGS_AF | CTX_EFLAGS_PF | CTX_EFLAGS_CF)

/* --- which instructions ----------------------------------------------------------------- */

/* Rows that the host's kernel answers in its own way, or that tell of the host. */
static bool runs_in_user_mode(const struct insn *insn)
{
	switch (insn->op) {
	case OP_int: return insn->imm != 0x80;
	case OP_int1: case OP_sysenter: case OP_cpuid: case OP_rdtsc: case OP_rdpmc: case OP_rsm:
	case OP_sgdt: case OP_sidt: case OP_sldt: case OP_str: case OP_smsw:
		return false;
	case OP_rdmsr: case OP_wrmsr: case OP_sysexit: case OP_mov_from_dr: case OP_mov_to_dr:
	case OP_mov_from_cr: case OP_mov_to_cr: case OP_hlt: case OP_invd: case OP_invlpg:
	default:
		return true;
	}
}

static bool loads_selector(const struct insn *insn)
{
	switch (insn->op) {
	case OP_mov_to_sreg: case OP_pop_sreg: case OP_load_far: case OP_retf: case OP_iret:
	case OP_jmp_far: case OP_call_far: case OP_jmp_far_mem: case OP_call_far_mem:
	case OP_lar: case OP_lsl: case OP_verr: case OP_verw:
		return true;
	default:
		return false;
	}
}

/* System calls and the like must not even appear by accident. */
static bool bytes_are_safe(const struct generated *generated)
{
	for (size_t i = 0; i + 1 < generated->length; i++) {
		unsigned pair = generated->bytes[i] << 8 | generated->bytes[i + 1];
		if (pair == 0xcd80 || pair == 0x0f34 || pair == 0x0f05 || pair == 0x0f07)
			return false;
	}
	return true;
}

/* Encodings that later processors have given a meaning of their own. */
static bool later_meaning(const struct generated *generated, size_t prefixes)
{
	const struct insn *insn = &generated->insn;
	const uint8_t *code = generated->bytes + prefixes;
	if (insn->op == OP_x87 || insn->op == OP_sse)
		return fpu_pick(insn) == exec_undefined; /* FISTTP, SSE3 and on, SSE4A */
	bool repeat = insn->flags & (INSN_REP | INSN_REPNE);
	if (code[0] == 0x62 || code[0] == 0xc4 || code[0] == 0xc5)
		return code[1] >= 0xc0; /* EVEX, VEX */
	if (code[0] == 0x8f)
		return code[1] & 0x38; /* XOP */
	if (code[0] == 0xc6 || code[0] == 0xc7)
		return code[1] & 0x38; /* XABORT, XBEGIN */
	if (code[0] != 0x0f)
		return code[0] == 0x90 && repeat;
	/* What the P6 has in the second map. */
	if (insn->op == OP_ud)
		return code[1] != 0x0b && code[1] != 0xb9 && code[1] != 0xff;
	if (code[1] == 0x01)
		return code[2] >= 0xc0;
	return repeat || code[1] == 0x1a || code[1] == 0x1b;
}

static bool has_undefined_result(const struct insn *insn, const struct native_state *state)
{
	unsigned count = insn->operands == OPERANDS_REG_RM_IMM ? insn->imm & 31 : state->gpr[CTX_RCX] & 31;
	if (insn->op == OP_bswap)
		return insn->size == 2;
	return (insn->op == OP_shld || insn->op == OP_shrd) && insn->size == 2 && count > 16;
}

/* --- bytes ------------------------------------------------------------------------------- */

static size_t add_prefixes(uint8_t *bytes, struct random *random)
{
	static const uint8_t segments[6] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65 };
	size_t n = 0;
	if (random_chance(random, 3))
		bytes[n++] = 0x66;
	if (random_chance(random, 4))
		bytes[n++] = 0x67;
	if (random_chance(random, 8))
		bytes[n++] = segments[random_below(random, sizeof segments)];
	if (random_chance(random, 24))
		bytes[n++] = 0xf0;
	if (random_chance(random, 12))
		bytes[n++] = 0xf2 | (uint8_t)random_below(random, 2);
	return n;
}

static bool is_string(uint8_t opcode)
{
	return (opcode >= 0xa4 && opcode <= 0xaf && opcode != 0xa8 && opcode != 0xa9) || (opcode >= 0x6c && opcode <= 0x6f);
}

static bool is_prefix(uint8_t opcode)
{
	return (opcode & 0xe7) == 0x26 || (opcode >= 0x64 && opcode <= 0x67) || opcode == 0xf0 || (opcode & 0xfe) == 0xf2;
}

/* Displacements and immediates: small, or at an end, or anything. */
static void add_tail(uint8_t *bytes, size_t from, struct random *random)
{
	bool small = random_chance(random, 2);
	for (size_t i = from; i < DECODE_MAX_LENGTH; i += 4) {
		uint32_t value = small ? random_next(random) & 0xfff : random_value(random);
		memcpy(bytes + i, &value, DECODE_MAX_LENGTH - i < 4 ? DECODE_MAX_LENGTH - i : 4);
	}
}

/* Opcodes of the second map that the SSE has by all four of its prefixes. */
static uint8_t sse_opcode(struct random *random)
{
	static const uint8_t first[] = { 0x10, 0x28, 0x50, 0x60, 0x70, 0xc0, 0xd0, 0xe0, 0xf0, 0xae };
	uint8_t opcode = first[random_below(random, sizeof first)];
	return opcode == 0xae ? opcode : (uint8_t)(opcode + random_below(random, opcode == 0x10 || opcode == 0x28 ? 8 : 16));
}

/* Groups whose rows would be rare. */
static uint8_t rare_group(struct random *random)
{
	static const uint8_t groups[] = { 0x00, 0x01, 0xba, 0xc7 };
	return groups[random_below(random, sizeof groups)];
}

static size_t make_bytes(uint8_t *bytes, struct random *random)
{
	size_t prefixes = add_prefixes(bytes, random), n = prefixes;
	bool two_byte = random_chance(random, 3);
	uint8_t opcode;
	do
		opcode = (uint8_t)random_next(random);
	while (!two_byte && is_prefix(opcode));
	if (!two_byte && is_string(opcode) && random_chance(random, 2))
		bytes[n++] = 0xf2 | (uint8_t)random_below(random, 2);
	bool sse = two_byte && random_chance(random, 4);
	if (sse && random_chance(random, 2))
		bytes[n++] = 0xf2 | (uint8_t)random_below(random, 2);
	prefixes = n;
	if (two_byte)
		bytes[n++] = 0x0f;
	else if (random_chance(random, 20))
		opcode = 0xd8 | (uint8_t)random_below(random, 8);
	bytes[n++] = sse ? sse_opcode(random) : two_byte && random_chance(random, 12) ? rare_group(random) : opcode;
	bytes[n++] = (uint8_t)random_next(random);
	if (random_chance(random, 2))
		bytes[n - 1] |= 0xc0; /* register forms as often as memory */
	bytes[n++] = (uint8_t)random_next(random);
	add_tail(bytes, n, random);
	return prefixes;
}

/* --- states ------------------------------------------------------------------------------ */

/* Of a segment that ES, DS, FS and GS can hold. */
static uint16_t data_selector(struct random *random)
{
	static const uint16_t selectors[] = {
		0, NATIVE_SELECTOR(NATIVE_DATA16), NATIVE_SELECTOR(NATIVE_DATA32), NATIVE_SELECTOR(NATIVE_UPPER),
		NATIVE_SELECTOR(NATIVE_UPPER), NATIVE_SELECTOR(NATIVE_DOWN), NATIVE_SELECTOR(NATIVE_CONST), NATIVE_SELECTOR(NATIVE_CODE16),
	};
	return selectors[random_below(random, sizeof selectors / sizeof selectors[0])];
}

static void make_state(struct native_state *state, struct random *random)
{
	bool wide = random_chance(random, 2), near_addresses = !random_chance(random, 4);
	for (unsigned i = 0; i < 8; i++)
		state->gpr[i] = near_addresses && !random_chance(random, 3) ? random_below(random, NATIVE_DATA_SIZE / 2) : random_value(random);
	if (!random_chance(random, 16))
		state->gpr[CTX_RSP] = random_below(random, NATIVE_DATA_SIZE) & ~(random_chance(random, 4) ? 0u : 3u);
	state->eip = random_below(random, CODE_SPAN);
	state->eflags = (random_next(random) & (ARITHMETIC | CTX_EFLAGS_DF)) | CTX_EFLAGS_R1 | CTX_EFLAGS_IF;
	if (random_chance(random, 8))
		state->eflags |= CTX_EFLAGS_AC;
	if (random_chance(random, 12))
		state->eflags |= CTX_EFLAGS_TF;
	state->sreg[CTX_CS] = NATIVE_SELECTOR(wide ? NATIVE_CODE32 : NATIVE_CODE16);
	state->sreg[CTX_SS] = NATIVE_SELECTOR(random_chance(random, 4) != wide ? NATIVE_DATA32 : NATIVE_DATA16);
	state->sreg[CTX_DS] = random_chance(random, 12) ? data_selector(random) : NATIVE_SELECTOR(NATIVE_DATA32);
	state->sreg[CTX_ES] = random_chance(random, 8) ? data_selector(random) : NATIVE_SELECTOR(NATIVE_DATA16);
	state->sreg[CTX_FS] = data_selector(random);
	state->sreg[CTX_GS] = data_selector(random);
	fpu_state_random(random, state->fpu, random_chance(random, 2));
	if (random_chance(random, 16))
		fpu_state_pend(random, state->fpu);
}

static uint16_t make_selector(struct random *random)
{
	static const uint16_t selectors[] = {
		0, 3, NATIVE_SELECTOR(NATIVE_CODE16), NATIVE_SELECTOR(NATIVE_CODE32), NATIVE_SELECTOR(NATIVE_DATA16),
		NATIVE_SELECTOR(NATIVE_DATA32), NATIVE_SELECTOR(NATIVE_ABSENT), NATIVE_SELECTOR(NATIVE_ENTRIES) + 0x7f8,
		NATIVE_SELECTOR(NATIVE_DATA32) - 2, NATIVE_SELECTOR(NATIVE_CODE16) - 1, NATIVE_SELECTOR(NATIVE_CODE32),
		NATIVE_SELECTOR(NATIVE_UPPER), NATIVE_SELECTOR(NATIVE_DOWN), NATIVE_SELECTOR(NATIVE_CONST), NATIVE_SELECTOR(NATIVE_DATA16),
	};
	return selectors[random_below(random, sizeof selectors / sizeof selectors[0])];
}

static uint32_t address_register(const struct native_state *state, uint16_t offset)
{
	if (offset == INSN_NO_REG)
		return 0;
	return state->gpr[(offset - offsetof(struct ctx, gpr)) / sizeof(union ctx_reg)];
}

static uint32_t operand_address(const struct generated *generated)
{
	const struct insn *insn = &generated->insn;
	uint32_t base = address_register(&generated->state, insn->base);
	uint32_t index = address_register(&generated->state, insn->index);
	return (base + (index << insn->scale) + insn->disp) & insn->addr_mask;
}

/* Bytes at an offset of a segment that holds data. */
static void set_poke(struct generated *generated, unsigned sreg, uint32_t offset, const void *bytes, unsigned size)
{
	uint16_t selector = generated->state.sreg[sreg];
	if (!(selector & 0xfffc) || sreg == CTX_CS)
		return;
	const struct native_segment *segment = &native_segments[selector >> 3];
	uint32_t at = offset + (uint32_t)segment->start;
	if ((segment->access & CTX_SEG_CODE) || at > NATIVE_DATA_SIZE - size)
		return;
	generated->poke_at = at;
	generated->poke_size = size;
	memcpy(generated->poke, bytes, size);
}

/* A selector where the instruction will look for one, or false. */
static bool place_selector(struct generated *generated, struct random *random)
{
	struct insn *insn = &generated->insn;
	unsigned size = insn->size;
	uint16_t selector = make_selector(random);
	uint32_t at = operand_address(generated), sp = generated->state.gpr[CTX_RSP];
	uint8_t far[8] = { 0 };
	if (generated->state.sreg[CTX_SS] == NATIVE_SELECTOR(NATIVE_DATA16))
		sp &= 0xffff;
	uint32_t offset = random_below(random, NATIVE_CODE_SIZE + 64);
	memcpy(far, &offset, 4);
	memcpy(far + size, &selector, 2);
	switch (insn->op) {
	case OP_jmp_far: case OP_call_far:
		memcpy(generated->bytes + generated->length - 2, &selector, 2);
		insn->imm2 = selector;
		return true;
	case OP_retf:
		set_poke(generated, CTX_SS, sp, far, size + 2);
		return generated->poke_size;
	case OP_pop_sreg:
		set_poke(generated, CTX_SS, sp, &selector, 2);
		return generated->poke_size;
	case OP_iret:
		return false; /* its frame is longer: see the guests of tests/diff */
	default:
		break;
	}
	if (!insn->is_memory) {
		uint32_t *reg = &generated->state.gpr[insn->rm & 7];
		*reg = (*reg & 0xffff0000u) | selector;
		return true;
	}
	bool far_pointer = insn->op == OP_load_far || insn->op == OP_jmp_far_mem || insn->op == OP_call_far_mem;
	if (far_pointer)
		set_poke(generated, insn->seg, at, far, size + 2);
	else
		set_poke(generated, insn->seg, at, &selector, 2);
	return generated->poke_size;
}

/* Moves the base register, and with it the operand, to a boundary of 16 bytes. */
static void align_operand(struct generated *generated)
{
	const struct insn *insn = &generated->insn;
	uint32_t past = operand_address(generated) & 15;
	if (insn->base == INSN_NO_REG || insn->base == insn->index)
		return;
	generated->state.gpr[(insn->base - offsetof(struct ctx, gpr)) / sizeof(union ctx_reg)] -= past;
}

/* FXRSTOR and LDMXCSR take few of all MXCSRs. */
static bool loads_mxcsr(const struct insn *insn, uint32_t *offset)
{
	unsigned reg = insn->modrm >> 3 & 7;
	*offset = reg == 1 ? IMAGE_MXCSR : 0;
	return insn->op == OP_sse && *fpu_sse_opcode(insn) == 0xae && (reg == 1 || reg == 2);
}

static void place_operand(struct generated *generated, struct random *random)
{
	const struct insn *insn = &generated->insn;
	bool fpu = insn->op == OP_x87 || insn->op == OP_sse;
	uint8_t bytes[16];
	uint32_t value = random_value(random), offset;
	if (!insn->is_memory)
		return;
	if (insn->op == OP_sse && !random_chance(random, 4))
		align_operand(generated);
	if (random_chance(random, 8))
		return;
	if (loads_mxcsr(insn, &offset)) {
		value &= random_chance(random, 8) ? 0x1ffff : 0xffff;
		set_poke(generated, insn->seg, operand_address(generated) + offset, &value, 4);
	} else if (fpu) {
		fpu_state_operand(random, bytes, insn->op == OP_x87);
		set_poke(generated, insn->seg, operand_address(generated), bytes, sizeof bytes);
	} else {
		set_poke(generated, insn->seg, operand_address(generated), &value, 4);
	}
}

/* A branch to itself never ends. */
static bool hangs(const struct generated *generated)
{
	uint32_t from = generated->state.eip, to = from + (uint32_t)generated->length + generated->insn.imm;
	switch (generated->insn.op) {
	case OP_jmp: case OP_jcc: case OP_loop: case OP_loope: case OP_loopne: case OP_jcxz: case OP_call:
		return ((to ^ from) & 0xffff) < 0x20 || (to - from + 0x10) % 0x10000 < 0x20;
	default:
		return false;
	}
}

bool generate(struct generated *generated, struct random *random, struct decoder *decoder)
{
	struct insn *insn = &generated->insn;
	memset(generated, 0, sizeof *generated);
	make_state(&generated->state, random);
	size_t prefixes = make_bytes(generated->bytes, random);
	bool code32 = generated->state.sreg[CTX_CS] == NATIVE_SELECTOR(NATIVE_CODE32);
	if (decode_insn(decoder, generated->bytes, DECODE_MAX_LENGTH, code32, insn) != DECODE_OK)
		return false;
	generated->length = insn->length;
	if (!runs_in_user_mode(insn) || later_meaning(generated, prefixes) || hangs(generated))
		return false;
	if (loads_selector(insn)) {
		if (!place_selector(generated, random))
			return false;
	} else {
		place_operand(generated, random);
	}
	generated->operand = operand_address(generated);
	memset(generated->bytes + generated->length, 0xf4, GENERATE_MAX - generated->length);
	return bytes_are_safe(generated) && !has_undefined_result(insn, &generated->state);
}
