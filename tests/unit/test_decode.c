/* The decoder against Capstone: lengths, what is defined, operands; and the list of
 * places where Capstone 4.0.2 is not to be followed. */
#include <capstone/capstone.h>
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "emu/decode.h"
#include "emu/opcode_map.h"

static struct decoder *decoder;
static csh capstone[2];
static cs_insn *scratch;

static void start(void)
{
	char *error = NULL;
	decoder = decoder_new(EMU_CPU_P6, &error);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(cs_open(CS_ARCH_X86, i ? CS_MODE_32 : CS_MODE_16, &capstone[i]), CS_ERR_OK);
		cs_option(capstone[i], CS_OPT_DETAIL, CS_OPT_ON);
	}
	scratch = cs_malloc(capstone[0]);
}

static void stop(void)
{
	cs_free(scratch, 1);
	cs_close(&capstone[0]);
	cs_close(&capstone[1]);
	decoder_free(decoder);
}

/* --- where Capstone is not followed --------------------------------------------------- */

enum reason {
	NEWER,  /* it knows extensions that no P6 has, or another maker's */
	MISSES, /* it refuses what the SDM defines */
	LENGTH, /* it takes the wrong number of bytes */
};

static const struct exception {
	bool two_byte;
	uint8_t first, last;  /* opcodes */
	uint8_t modrm_first, modrm_last;
	enum reason reason;
	const char *source;   /* SDM vol. 2 where nothing else is said */
} exceptions[] = {
	{ false, 0xc4, 0xc5, 0xc0, 0xff, NEWER, "VEX (AVX): LES and LDS with a register are #UD" },
	{ false, 0xc6, 0xc7, 0xf8, 0xf8, NEWER, "XABORT, XBEGIN (RTM)" },
	{ true, 0x01, 0x01, 0xc0, 0xff, NEWER, "VMX, SVM, MONITOR, XGETBV, SWAPGS and others, table A-6 group 7" },
	{ true, 0x05, 0x05, 0x00, 0xff, NEWER, "SYSCALL: not in 32-bit code of Intel's" },
	{ true, 0x07, 0x07, 0x00, 0xff, NEWER, "SYSRET: likewise" },
	{ true, 0x0d, 0x0e, 0x00, 0xff, NEWER, "PREFETCHW; FEMMS (3DNow!)" },
	{ true, 0x37, 0x37, 0x00, 0xff, NEWER, "GETSEC (SMX)" },
	{ true, 0x38, 0x38, 0x00, 0xff, NEWER, "three-byte opcodes from SSSE3 on" },
	{ true, 0x3a, 0x3a, 0x00, 0xff, NEWER, "likewise" },
	{ true, 0x78, 0x79, 0x00, 0xff, NEWER, "VMREAD, VMWRITE" },
	{ true, 0x7c, 0x7d, 0x00, 0xff, NEWER, "HADDPD, HSUBPD (SSE3)" },
	{ true, 0xa6, 0xa7, 0x00, 0xff, NEWER, "PadLock (VIA)" },
	{ true, 0xb8, 0xb8, 0x00, 0xff, NEWER, "POPCNT" },
	{ true, 0xc7, 0xc7, 0x10, 0xff, NEWER, "XSAVEC, RDRAND, VMPTRLD and others, table A-6 group 9" },
	{ true, 0x18, 0x1f, 0x00, 0xff, MISSES, "table A-3: hint NOPs have register forms as well" },
	{ true, 0x24, 0x24, 0x00, 0xff, MISSES, "MOV from test registers (386 and i486 Programmer's Reference Manuals, MOV)" },
	{ true, 0x26, 0x26, 0x00, 0xff, MISSES, "MOV to test registers" },
	{ true, 0xb9, 0xb9, 0x00, 0xff, LENGTH, "UD1 has a ModRM byte" },
	{ true, 0xff, 0xff, 0x00, 0xff, LENGTH, "UD0 has a ModRM byte" },
};

static const struct exception *find_exception(bool two_byte, uint8_t opcode, uint8_t modrm)
{
	for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++) {
		const struct exception *e = &exceptions[i];
		if (e->two_byte == two_byte && opcode >= e->first && opcode <= e->last &&
		    modrm >= e->modrm_first && modrm <= e->modrm_last)
			return e;
	}
	return NULL;
}

/* --- every opcode with every ModRM -------------------------------------------------------- */

struct trial {
	bool code32, two_byte;
	uint8_t opcode, modrm;
	uint8_t bytes[DECODE_MAX_LENGTH];
	size_t prefixes;
	struct insn insn;
	size_t capstone; /* its length, 0: refused */
};

static bool is_prefix(uint8_t opcode)
{
	return memchr("\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3\x0f", opcode, 12);
}

/* x87 and SSE: what is defined there is for emu/fpu*.c to say. */
static bool is_float(const struct trial *trial)
{
	const struct opcode *row = opcode_find(trial->two_byte, trial->opcode, trial->modrm);
	return row && (row->op == OP_x87 || row->op == OP_sse);
}

static void run_trial(struct trial *trial, const uint8_t *prefixes, size_t count)
{
	static const uint8_t rest[] = { 0x64, 0x91, 0xa2, 0xb3, 0xc4, 0xd5, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc };
	size_t at = count;
	if (count)
		memcpy(trial->bytes, prefixes, count);
	trial->prefixes = count;
	if (trial->two_byte)
		trial->bytes[at++] = 0x0f;
	trial->bytes[at++] = trial->opcode;
	trial->bytes[at++] = trial->modrm;
	memcpy(trial->bytes + at, rest, sizeof trial->bytes - at);
	const uint8_t *code = trial->bytes;
	size_t size = sizeof trial->bytes;
	uint64_t address = 0x1000;
	trial->capstone = cs_disasm_iter(capstone[trial->code32], &code, &size, &address, scratch) ? scratch->size : 0;
	ck_assert_int_eq(decode_insn(decoder, trial->bytes, sizeof trial->bytes, trial->code32, &trial->insn), DECODE_OK);
}

static const struct {
	uint8_t bytes[2], count;
} prefix_sets[] = { { { 0 }, 0 }, { { 0x66 }, 1 }, { { 0x67 }, 1 }, { { 0x66, 0x67 }, 2 } };

/* Calls `check` for all of them in both code sizes, with each `step`th set of prefixes. */
static void for_all(void (*check)(const struct trial *trial), unsigned step)
{
	for (unsigned i = 0; i < 4 * 4 * 65536; i++) {
		if ((i >> 18) % step)
			continue;
		struct trial trial = {
			.modrm = (uint8_t)i, .opcode = (uint8_t)(i >> 8), .two_byte = i >> 16 & 1, .code32 = i >> 17 & 1,
		};
		unsigned set = i >> 18;
		if (!trial.two_byte && is_prefix(trial.opcode))
			continue;
		run_trial(&trial, prefix_sets[set].bytes, prefix_sets[set].count);
		check(&trial);
	}
}

static void ck_defined_alike(const struct trial *trial)
{
	bool defined = trial->insn.op != OP_ud;
	const struct exception *exception = find_exception(trial->two_byte, trial->opcode, trial->modrm);
	if (is_float(trial) || (trial->two_byte && trial->opcode == 0x0b))
		return;
	if (exception && (exception->reason == NEWER || exception->reason == LENGTH)) {
		/* It may be a part only that Capstone has too much of: it must not be ours alone. */
		ck_assert(!defined || trial->capstone);
		return;
	}
	if (exception)
		ck_assert(defined);
	else
		ck_assert_msg(defined == (trial->capstone != 0), "%s%02x %02x in %u-bit code: ours %u, Capstone %zu",
		              trial->two_byte ? "0f " : "", trial->opcode, trial->modrm, trial->code32 ? 32 : 16, defined,
		              trial->capstone);
}

START_TEST(defined_is_what_capstone_knows)
{
	for_all(ck_defined_alike, 1);
}
END_TEST

static void ck_length_alike(const struct trial *trial)
{
	const struct exception *exception = find_exception(trial->two_byte, trial->opcode, trial->modrm);
	if (!trial->capstone || trial->insn.op == OP_ud || (exception && exception->reason == LENGTH))
		return;
	ck_assert_msg(trial->insn.length == trial->capstone, "%s%02x %02x: ours %u, Capstone %zu",
	              trial->two_byte ? "0f " : "", trial->opcode, trial->modrm, trial->insn.length, trial->capstone);
	ck_assert(!memcmp(trial->insn.raw, trial->bytes, trial->insn.length));
}

START_TEST(lengths_are_capstones)
{
	for_all(ck_length_alike, 1);
}
END_TEST

/* Every row of the list is still needed: once Capstone agrees everywhere, it goes. */
START_TEST(each_exception_is_one)
{
	for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++) {
		const struct exception *e = &exceptions[i];
		unsigned found = 0;
		for (unsigned opcode = e->first; opcode <= e->last; opcode++)
			for (unsigned modrm = e->modrm_first; modrm <= e->modrm_last; modrm++) {
				static const uint8_t prefix_bytes[] = { 0x66, 0xf3 };
				for (unsigned set = 0; set < 3; set++) {
					struct trial trial = { .code32 = true, .two_byte = e->two_byte, .opcode = (uint8_t)opcode, .modrm = (uint8_t)modrm };
					run_trial(&trial, set ? prefix_bytes + set - 1 : prefix_bytes, set ? 1 : 0);
					bool defined = trial.insn.op != OP_ud;
					found += e->reason == LENGTH ? trial.capstone && trial.capstone != trial.insn.length
					                             : defined != (trial.capstone != 0);
				}
			}
		ck_assert_msg(found, "row %zu: %s", i, e->source);
	}
}
END_TEST

START_TEST(disagreements_are_counted)
{
	struct insn insn;
	decode_insn(decoder, (const uint8_t *)"\x90", 1, true, &insn);
	ck_assert_uint_eq(decoder_disagreements(decoder), 0);
	decode_insn(decoder, (const uint8_t *)"\x0f\x1f\xc0", 3, true, &insn);
	ck_assert_uint_eq(decoder_disagreements(decoder), 1);
	ck_assert_uint_eq(insn.op, OP_nop);
}
END_TEST

/* --- operands ---------------------------------------------------------------------------------- */

/* The number of a general register by Capstone's name, -1: none, -2: another kind. */
static int register_number(unsigned id, unsigned *size)
{
	static const char *const names[3][8] = {
		{ "al", "cl", "dl", "bl", "ah", "ch", "dh", "bh" },
		{ "ax", "cx", "dx", "bx", "sp", "bp", "si", "di" },
		{ "eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi" },
	};
	if (id == X86_REG_INVALID)
		return -1;
	const char *name = cs_reg_name(capstone[1], id);
	for (unsigned width = 0; width < 3; width++)
		for (int i = 0; i < 8; i++)
			if (!strcmp(name, names[width][i])) {
				*size = 1u << width;
				return i;
			}
	return -2;
}

static uint16_t address_register(unsigned id)
{
	unsigned size;
	int number = register_number(id, &size);
	return number < 0 ? INSN_NO_REG : (uint16_t)(offsetof(struct ctx, gpr) + (unsigned)number * sizeof(union ctx_reg));
}

static void ck_memory(const struct trial *trial, const x86_op_mem *mem)
{
	const struct insn *insn = &trial->insn;
	uint32_t disp = (uint32_t)mem->disp & insn->addr_mask;
	bool plain = insn->base == address_register(mem->base) && insn->index == address_register(mem->index);
	/* An index without scale may stand in either place. */
	bool swapped = insn->base == address_register(mem->index) && insn->index == address_register(mem->base) && !insn->scale;
	ck_assert_msg(plain || swapped, "%s%02x %02x: %s %s", trial->two_byte ? "0f " : "", trial->opcode, trial->modrm,
	              scratch->mnemonic, scratch->op_str);
	if (insn->index != INSN_NO_REG)
		ck_assert_int_eq(1 << insn->scale, mem->scale);
	ck_assert_msg((insn->disp & insn->addr_mask) == disp, "%02x %02x: disp %x, Capstone %s", trial->opcode, trial->modrm,
	              insn->disp, scratch->op_str);
	bool stack = insn->base == address_register(X86_REG_EBP) || insn->base == address_register(X86_REG_ESP);
	ck_assert_uint_eq(insn->seg, stack ? CTX_SS : CTX_DS);
	ck_assert(!(insn->flags & INSN_SEG_PREFIX));
}

/* Has the row its operands in ModRM and nothing implied that Capstone would list too? */
static const cs_x86_op *memory_operand(void)
{
	const cs_x86 *x86 = &scratch->detail->x86;
	for (unsigned i = 0; i < x86->op_count; i++)
		if (x86->operands[i].type == X86_OP_MEM)
			return &x86->operands[i];
	return NULL;
}

static void ck_memory_alike(const struct trial *trial)
{
	if (!trial->capstone || trial->insn.op == OP_ud || !trial->insn.is_memory)
		return;
	const cs_x86_op *operand = memory_operand();
	ck_assert_msg(operand, "%02x %02x: %s %s", trial->opcode, trial->modrm, scratch->mnemonic, scratch->op_str);
	ck_memory(trial, &operand->mem);
}

START_TEST(memory_operands_are_capstones)
{
	for_all(ck_memory_alike, 2);
}
END_TEST

static bool same_register(const struct trial *trial, const cs_x86_op *operand, unsigned number)
{
	unsigned size = 0;
	int id = operand->type == X86_OP_REG ? register_number(operand->reg, &size) : -2;
	if (id < 0)
		return false;
	return number == (size == 1 ? insn_reg8((unsigned)id) : (unsigned)id) && (size == 1) == (trial->insn.size == 1);
}

/* ALU and MOV rows, where the operands are two and plain. */
static void ck_registers_alike(const struct trial *trial)
{
	const struct insn *insn = &trial->insn;
	bool plain = insn->op == OP_mov || insn->op <= OP_test || insn->op == OP_xadd ||
	             insn->op == OP_cmpxchg || insn->op == OP_cmov;
	if (!trial->capstone || !plain)
		return;
	const cs_x86_op *operands = scratch->detail->x86.operands;
	unsigned reg_at = insn->operands == OPERANDS_RM_REG, rm_at = !reg_at;
	bool has_reg = insn->operands == OPERANDS_RM_REG || insn->operands == OPERANDS_REG_RM;
	if (!has_reg)
		rm_at = 0;
	if (insn->op == OP_test && has_reg)
		return; /* the order of TEST's operands says nothing */
	if (has_reg)
		ck_assert_msg(same_register(trial, &operands[reg_at], insn->reg), "%02x %02x: %s %s", trial->opcode, trial->modrm,
		              scratch->mnemonic, scratch->op_str);
	if (!insn->is_memory)
		ck_assert_msg(same_register(trial, &operands[rm_at], insn->rm), "%02x %02x: %s %s", trial->opcode, trial->modrm,
		              scratch->mnemonic, scratch->op_str);
	ck_assert_uint_eq(operands[0].size, insn->size);
}

START_TEST(registers_and_sizes_are_capstones)
{
	for_all(ck_registers_alike, 3);
}
END_TEST

static uint32_t cut(uint32_t value, unsigned size) { return size == 4 ? value : value & ((1u << 8 * size) - 1); }

static void ck_immediate_alike(const struct trial *trial)
{
	const struct insn *insn = &trial->insn;
	const cs_x86 *x86 = &scratch->detail->x86;
	bool alu = insn->op <= OP_test || insn->op == OP_mov || insn->op == OP_push || insn->op == OP_imul;
	bool has = insn->operands == OPERANDS_RM_IMM || insn->operands == OPERANDS_REG_IMM ||
	           insn->operands == OPERANDS_REG_RM_IMM || insn->operands == OPERANDS_IMM;
	if (!trial->capstone || !alu || !has || !x86->op_count || x86->operands[x86->op_count - 1].type != X86_OP_IMM)
		return;
	uint32_t theirs = (uint32_t)x86->operands[x86->op_count - 1].imm;
	ck_assert_msg(cut(insn->imm, insn->size) == cut(theirs, insn->size), "%02x %02x: %x, Capstone %s %s", trial->opcode,
	              trial->modrm, insn->imm, scratch->mnemonic, scratch->op_str);
}

START_TEST(immediates_are_capstones)
{
	for_all(ck_immediate_alike, 3);
}
END_TEST

/* Capstone gives the target; ours is relative to the end. */
static void ck_branch_alike(const struct trial *trial)
{
	const struct insn *insn = &trial->insn;
	bool branch = insn->op == OP_jcc || insn->op == OP_jmp || insn->op == OP_call || insn->op == OP_loop ||
	              insn->op == OP_loope || insn->op == OP_loopne || insn->op == OP_jcxz;
	if (!trial->capstone || !branch)
		return;
	uint32_t target = 0x1000 + insn->length + insn->imm;
	ck_assert_uint_eq(target & 0xffff, (uint32_t)scratch->detail->x86.operands[0].imm & 0xffff);
	if (insn->op == OP_jcc)
		ck_assert_uint_eq(insn->imm2, trial->opcode & 15);
}

START_TEST(branch_targets_are_capstones)
{
	for_all(ck_branch_alike, 3);
}
END_TEST

START_TEST(sib_bytes)
{
	for (unsigned mod = 0; mod < 3; mod++)
		for (unsigned sib = 0; sib < 256; sib++) {
			struct trial trial = { .code32 = true };
			uint8_t bytes[] = { 0x8b, (uint8_t)(mod << 6 | 4), (uint8_t)sib, 0x80, 0x22, 0x33, 0x84, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90 };
			const uint8_t *code = bytes;
			size_t size = sizeof bytes;
			uint64_t address = 0;
			memcpy(trial.bytes, bytes, sizeof bytes);
			ck_assert(cs_disasm_iter(capstone[1], &code, &size, &address, scratch));
			ck_assert_int_eq(decode_insn(decoder, bytes, sizeof bytes, true, &trial.insn), DECODE_OK);
			ck_assert_uint_eq(trial.insn.length, scratch->size);
			ck_memory(&trial, &memory_operand()->mem);
		}
}
END_TEST

/* --- prefixes ------------------------------------------------------------------------------------ */

#define DECODE(code32, insn, ...) \
	decode_insn(decoder, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }), code32, insn)

START_TEST(segment_prefixes_override_the_default)
{
	static const struct {
		uint8_t prefix, seg;
	} cases[] = { { 0x26, CTX_ES }, { 0x2e, CTX_CS }, { 0x36, CTX_SS }, { 0x3e, CTX_DS }, { 0x64, CTX_FS }, { 0x65, CTX_GS } };
	struct insn insn;
	for (unsigned i = 0; i < 6; i++) {
		ck_assert_int_eq(DECODE(true, &insn, cases[i].prefix, 0x8b, 0x45, 0x00), DECODE_OK); /* [ebp] */
		ck_assert_uint_eq(insn.seg, cases[i].seg);
		ck_assert(insn.flags & INSN_SEG_PREFIX);
		ck_assert_int_eq(DECODE(false, &insn, 0x65, cases[i].prefix, 0xa4), DECODE_OK); /* the last one counts */
		ck_assert_uint_eq(insn.seg, cases[i].seg);
	}
}
END_TEST

START_TEST(repeated_and_mixed_prefixes)
{
	struct insn insn;
	ck_assert_int_eq(DECODE(false, &insn, 0x66, 0x66, 0x40), DECODE_OK);
	ck_assert_uint_eq(insn.size, 4);
	ck_assert_uint_eq(insn.length, 3);
	ck_assert_int_eq(DECODE(true, &insn, 0xf2, 0xf3, 0xa6), DECODE_OK); /* the last repeat counts */
	ck_assert_uint_eq(insn.flags & (INSN_REP | INSN_REPNE), INSN_REP);
	ck_assert_int_eq(DECODE(true, &insn, 0xf3, 0xf2, 0xa6), DECODE_OK);
	ck_assert_uint_eq(insn.flags & (INSN_REP | INSN_REPNE), INSN_REPNE);
	ck_assert_int_eq(DECODE(true, &insn, 0xf0, 0x2e, 0x66, 0x67, 0x01, 0x00), DECODE_OK);
	ck_assert_uint_eq(insn.op, OP_add);
	ck_assert_uint_eq(insn.size, 2);
	ck_assert_uint_eq(insn.addr_mask, 0xffff);
	ck_assert_int_eq(DECODE(true, &insn, 0x67, 0xf2, 0xa0, 0x34, 0x12), DECODE_OK); /* F2 means nothing here */
	ck_assert_uint_eq(insn.op, OP_mov);
	ck_assert_uint_eq(insn.disp, 0x1234);
}
END_TEST

/* Any prefix that changes nothing leaves what is defined as it is. */
START_TEST(meaningless_prefixes_mean_nothing)
{
	static const uint8_t prefixes[] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0xf2, 0xf3 };
	for (unsigned i = 0; i < 2 * 65536; i++) {
		struct trial plain = { .modrm = (uint8_t)i, .opcode = (uint8_t)(i >> 8), .two_byte = i >> 16, .code32 = true };
		if ((!plain.two_byte && is_prefix(plain.opcode)) || is_float(&plain))
			continue;
		run_trial(&plain, NULL, 0);
		for (unsigned p = 0; p < 8; p++) {
			struct trial with = plain;
			uint8_t both[] = { 0x67, prefixes[p] };
			run_trial(&with, prefixes + p, 1);
			ck_assert_msg(with.insn.op == plain.insn.op && with.insn.length == plain.insn.length + 1, "%02x: %s%02x %02x",
			              prefixes[p], plain.two_byte ? "0f " : "", plain.opcode, plain.modrm);
			if (p < 6)
				continue;
			run_trial(&with, both, 2);
			ck_assert_uint_eq(with.insn.op == OP_ud, plain.insn.op == OP_ud);
		}
	}
}
END_TEST

/* --- ends ------------------------------------------------------------------------------------------ */

static void ck_truncation(const struct trial *trial)
{
	struct insn insn;
	for (size_t available = 1; available < trial->insn.length; available++)
		ck_assert_msg(decode_insn(decoder, trial->bytes, available, trial->code32, &insn) == DECODE_TRUNCATED,
		              "%02x %02x with %zu bytes", trial->opcode, trial->modrm, available);
	ck_assert_int_eq(decode_insn(decoder, trial->bytes, trial->insn.length, trial->code32, &insn), DECODE_OK);
	ck_assert_uint_eq(insn.length, trial->insn.length);
	ck_assert_uint_eq(insn.op, trial->insn.op);
}

START_TEST(each_instruction_needs_all_its_bytes)
{
	for (unsigned i = 0; i < 4 * 65536; i++) {
		struct trial trial = { .modrm = (uint8_t)i, .opcode = (uint8_t)(i >> 8), .two_byte = i >> 16 & 1, .code32 = i >> 17 };
		if (!trial.two_byte && is_prefix(trial.opcode))
			continue;
		run_trial(&trial, NULL, 0);
		ck_truncation(&trial);
	}
}
END_TEST

START_TEST(fifteen_bytes_at_most)
{
	uint8_t bytes[32];
	struct insn insn;
	memset(bytes, 0x66, sizeof bytes);
	bytes[14] = 0x90;
	ck_assert_int_eq(decode_insn(decoder, bytes, 15, true, &insn), DECODE_OK);
	ck_assert_uint_eq(insn.length, 15);
	bytes[14] = 0x66;
	bytes[15] = 0x90;
	ck_assert_int_eq(decode_insn(decoder, bytes, 15, true, &insn), DECODE_TOO_LONG);
	ck_assert_int_eq(decode_insn(decoder, bytes, 32, true, &insn), DECODE_TOO_LONG);
	ck_assert_int_eq(decode_insn(decoder, bytes, 14, true, &insn), DECODE_TRUNCATED);
	bytes[5] = 0x81; /* 5 + ModRM + SIB + disp32 + imm16: 14; with one more prefix 15, with two too long */
	bytes[6] = 0x84;
	ck_assert_int_eq(decode_insn(decoder, bytes, 32, true, &insn), DECODE_OK);
	ck_assert_uint_eq(insn.length, 14);
	memset(bytes, 0x3e, 7);
	memcpy(bytes + 6, "\x81\x84", 2); /* 6 + 1 + 1 + 1 + 4 + 4 = 17 */
	ck_assert_int_eq(decode_insn(decoder, bytes, 32, true, &insn), DECODE_TOO_LONG);
}
END_TEST

START_TEST(what_ends_a_block)
{
	static const struct {
		uint8_t bytes[3];
		bool ends;
	} cases[] = {
		{ { 0x90 }, false }, { { 0x74, 0 }, true }, { { 0xc3 }, true }, { { 0xfb }, true }, { { 0xfa }, false },
		{ { 0x8e, 0xd0 }, true }, { { 0x8e, 0xd8 }, false }, { { 0x17 }, true }, { { 0x1f }, false }, { { 0x9d }, true },
		{ { 0xa4 }, false }, { { 0xf3, 0xa4 }, true }, { { 0xf4 }, true }, { { 0xec }, true }, { { 0x0f, 0x0b }, true },
		{ { 0x0f, 0x22, 0xc0 }, true }, { { 0x0f, 0x20, 0xc0 }, false }, { { 0x0f, 0x23, 0xc0 }, true }, { { 0xcc }, true },
	};
	struct insn insn;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ck_assert_int_eq(decode_insn(decoder, cases[i].bytes, 3, true, &insn), DECODE_OK);
		ck_assert_msg(decode_ends_block(&insn) == cases[i].ends, "case %zu", i);
	}
}
END_TEST

START_TEST(printing)
{
	char text[64], little[8];
	ck_assert_uint_eq(decode_print(decoder, (const uint8_t *)"\x01\xd8", 2, true, 0, text, sizeof text), 2);
	ck_assert_str_eq(text, "add eax, ebx");
	ck_assert_uint_eq(decode_print(decoder, (const uint8_t *)"\x01\xd8", 2, false, 0, text, sizeof text), 2);
	ck_assert_str_eq(text, "add ax, bx");
	ck_assert_uint_eq(decode_print(decoder, (const uint8_t *)"\x0f\x04", 2, true, 0, text, sizeof text), 0);
	ck_assert_uint_gt(strlen(text), 0);
	ck_assert_uint_eq(decode_print(decoder, (const uint8_t *)"\x01\xd8", 2, true, 0, little, sizeof little), 2);
	ck_assert_str_eq(little, "add eax");
}
END_TEST

Suite *suite_decode(void);
Suite *suite_decode(void)
{
	Suite *suite = suite_create("decode");
	TCase *tcase = tcase_create("decode");
	tcase_add_checked_fixture(tcase, start, stop);
	tcase_add_test(tcase, defined_is_what_capstone_knows);
	tcase_add_test(tcase, lengths_are_capstones);
	tcase_add_test(tcase, each_exception_is_one);
	tcase_add_test(tcase, disagreements_are_counted);
	tcase_add_test(tcase, memory_operands_are_capstones);
	tcase_add_test(tcase, registers_and_sizes_are_capstones);
	tcase_add_test(tcase, immediates_are_capstones);
	tcase_add_test(tcase, branch_targets_are_capstones);
	tcase_add_test(tcase, sib_bytes);
	tcase_add_test(tcase, segment_prefixes_override_the_default);
	tcase_add_test(tcase, repeated_and_mixed_prefixes);
	tcase_add_test(tcase, meaningless_prefixes_mean_nothing);
	tcase_add_test(tcase, each_instruction_needs_all_its_bytes);
	tcase_add_test(tcase, fifteen_bytes_at_most);
	tcase_add_test(tcase, what_ends_a_block);
	tcase_add_test(tcase, printing);
	suite_add_tcase(suite, tcase);
	return suite;
}
