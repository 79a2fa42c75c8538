/* The JIT against the interpreter where it makes one piece of code of several blocks:
 * random programs of blocks that lead to each other in loops, whose flags wait from one
 * to the next, and which are written to while they run. */
/* open_memstream() */
#define _GNU_SOURCE
#include <check.h>
#include <stdlib.h>

#include "tests/unit/jit_rig.h"

#define PIECES_MAX 6u
#define STEPS 500u

/* Blocks have to run for a while before they are compiled together. */
static void open_pair(void) { rig_open(EMU_JIT_ON, NULL); }
static void close_pair(void) { rig_close(); }

static void add(struct rig_program *program, const uint8_t *bytes, size_t size)
{
	memcpy(program->bytes + program->size, bytes, size);
	program->size += size;
}

/* --- what blocks are made of ------------------------------------------------------ */

static void add_body(struct rig_program *piece)
{
	static const uint8_t ops[] = {
		OP_add, OP_sub, OP_adc, OP_sbb, OP_inc, OP_dec, OP_inc, OP_dec, OP_cmp, OP_test, OP_and, OP_xor, OP_or,
		OP_shl, OP_shr, OP_sar, OP_rol, OP_rcr, OP_rcl, OP_neg, OP_mov, OP_lea, OP_setcc, OP_cmov, OP_push, OP_pop, OP_movzx_b,
		OP_not, OP_xchg, OP_imul, OP_lahf, OP_cmc, OP_stos, OP_cbw,
	};
	for (unsigned count = rig_chance() % 4; count > 0; count--)
		rig_add_op(piece, ops[rig_chance() % sizeof ops]);
}

/* Short forms, which random bytes seldom are: DEC, shifts and rotates by one,
 * CMP AL. */
static void add_short(struct rig_program *piece)
{
	uint8_t reg = (uint8_t)(rig_chance() % 8);
	switch (rig_chance() % 7) {
	case 0: add(piece, (const uint8_t[]){ (uint8_t)(0x48 | reg) }, 1); break;
	case 1: add(piece, (const uint8_t[]){ 0xd1, (uint8_t)(0xe8 | reg) }, 2); break;
	case 2: add(piece, (const uint8_t[]){ 0xfe, (uint8_t)(0xc8 | reg) }, 2); break;
	case 3: add(piece, (const uint8_t[]){ 0x3c, (uint8_t)rig_value() }, 2); break;
	case 4: add(piece, (const uint8_t[]){ 0xd1, (uint8_t)(0xd0 | reg | (rig_chance() & 8)) }, 2); break;
	case 5: add(piece, (const uint8_t[]){ 0xd1, (uint8_t)(0xe8 | reg), 0xd1, (uint8_t)(0xd8 | rig_chance() % 8) }, 4); break;
	default: add(piece, (const uint8_t[]){ 0xd1, (uint8_t)(0xe0 | reg) }, 2); break;
	}
}

/* Counts a byte of the program up, by DS. */
static void add_patch(struct rig_program *piece, unsigned at)
{
	uint32_t address = piece->code32 ? RIG_CODE + at : at;
	add(piece, (const uint8_t[]){ 0xfe, (uint8_t)(piece->code32 ? 0x05 : 0x06) }, 2);
	add(piece, (const uint8_t *)&address, piece->code32 ? 4 : 2);
}

/* --- whole programs ---------------------------------------------------------------- */

static unsigned branch_size(unsigned kind, bool code32)
{
	static const uint8_t narrow[] = { 4, 3, 2, 0 }, wide[] = { 6, 5, 2, 0 };
	return code32 ? wide[kind] : narrow[kind];
}

/* Jcc, JMP, LOOP, nothing. */
static void add_branch(struct rig_program *program, unsigned kind, size_t target)
{
	size_t size = branch_size(kind, program->code32);
	int32_t distance = (int32_t)target - (int32_t)(program->size + size);
	size_t width = program->code32 ? 4 : 2;
	switch (kind) {
	case 0:
		add(program, (const uint8_t[]){ 0x0f, (uint8_t)(0x80 | rig_chance() % 16) }, 2);
		add(program, (const uint8_t *)&distance, width);
		break;
	case 1:
		add(program, (const uint8_t[]){ 0xe9 }, 1);
		add(program, (const uint8_t *)&distance, width);
		break;
	case 2:
		if (distance < -128 || distance > 127)
			distance = 0;
		add(program, (const uint8_t[]){ (uint8_t)(0xe0 | rig_chance() % 4), (uint8_t)distance }, 2);
		break;
	default:
		break;
	}
}

static void make_program(struct rig_program *program, bool patches)
{
	struct rig_program piece[PIECES_MAX];
	size_t start[PIECES_MAX + 1] = { 0 };
	unsigned kind[PIECES_MAX], pieces = 2 + rig_chance() % (PIECES_MAX - 1);
	for (unsigned i = 0; i < pieces; i++) {
		kind[i] = rig_chance() % 8 < 5 ? 0 : 1 + rig_chance() % 3;
		piece[i] = (struct rig_program){ .code32 = program->code32 };
		add_body(&piece[i]);
		if (rig_chance() % 2)
			add_short(&piece[i]);
		if (patches && rig_chance() % 4 == 0)
			add_patch(&piece[i], rig_chance() % 60);
		start[i + 1] = start[i] + piece[i].size + branch_size(kind[i], program->code32);
	}
	memset(program->bytes, 0xf4, sizeof program->bytes);
	program->size = 0;
	for (unsigned i = 0; i < pieces; i++) {
		add(program, piece[i].bytes, piece[i].size);
		add_branch(program, kind[i], start[rig_chance() % (pieces + 1)]);
	}
	program->size += 4; /* HLTs */
}

static void try_chains(unsigned programs, bool patches)
{
	for (unsigned n = 0; n < programs; n++) {
		struct rig_program program = { .code32 = n & 1 };
		struct ctx state;
		make_program(&program, patches);
		rig_fill(&program);
		for (unsigned again = 0; again < 20; again++) {
			rig_state(&state, program.code32);
			if (!program.code32 && (patches || rig_chance() % 2))
				state.seg[CTX_DS] = state.seg[CTX_ES] = state.seg[CTX_SS] = state.seg[CTX_CS];
			jit_rig.interrupt = rig_chance() % 4 == 0;
			rig_compare(&program, &state, 1 + rig_chance() % STEPS, "chain");
		}
	}
}

/* Was what is tested here done at all? */
static void expect_joined(unsigned least)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	jit_rig.jitted.engine->ops->print_stats(jit_rig.jitted.engine, out);
	fclose(out);
	const char *joined = strstr(text, "jit.joined ");
	ck_assert_ptr_nonnull(joined);
	ck_assert_uint_ge(strtoul(joined + strlen("jit.joined "), NULL, 10), least);
	free(text);
}

/* --- tests --------------------------------------------------------------------------- */

START_TEST(blocks_that_lead_to_each_other)
{
	jit_rig.seed = (uint64_t)_i + 1;
	try_chains(50, false);
	expect_joined(20);
}
END_TEST

START_TEST(blocks_that_write_to_each_other)
{
	jit_rig.seed = (uint64_t)_i + 1001;
	try_chains(50, true);
	expect_joined(5);
}
END_TEST

/* A block that was built and compiled at CS 1000h lies across the limit of CS 2, where
 * it is the one that the head leads to: it runs to the limit, and faults there. */
#define HEAD      0x00u /* 0002:FFE0 */
#define ACROSS    0x18u /* 0002:FFF8 */
#define FAULT     0x40u
#define FAR_HEAD  0xea, 0xe0, 0xff, 0x02, 0x00

static void put(struct rig_program *program, size_t at, const uint8_t *bytes, size_t size)
{
	memcpy(program->bytes + at, bytes, size);
}

START_TEST(block_across_the_limit_is_no_part)
{
	/* inc cx; jmp ACROSS */
	static const uint8_t head[] = { 0x41, 0xeb, ACROSS - 3 };
	/* nine times inc dx; dec bx; jnz ACROSS; jmp 0002:FFE0 */
	static const uint8_t across[] = { 0x42, 0x42, 0x42, 0x42, 0x42, 0x42, 0x42, 0x42, 0x42, 0x4b, 0x75, 0xf4, FAR_HEAD };
	/* add sp, 6; dec si; jz past; jmp 0002:FFE0; past: hlt */
	static const uint8_t fault[] = { 0x83, 0xc4, 0x06, 0x4e, 0x74, 0x05, FAR_HEAD, 0xf4 };
	static const uint16_t vector[] = { FAULT, RIG_CODE >> 4 };
	struct rig_program program = { .size = FAULT + sizeof fault };
	memset(program.bytes, 0xf4, sizeof program.bytes);
	put(&program, HEAD, head, sizeof head);
	put(&program, ACROSS, across, sizeof across);
	put(&program, FAULT, fault, sizeof fault);
	rig_fill(&program);
	memcpy(jit_rig.before + 4 * 13, vector, sizeof vector); /* #GP */
	struct ctx state;
	rig_state(&state, false);
	state.rip = ACROSS;
	state.rflags = 2;
	state.idtr.limit = 0x3ff;
	state.seg[CTX_SS].selector = 0;
	state.seg[CTX_SS].base = 0;
	state.gpr[CTX_RSP].e = 0x8000;
	state.gpr[CTX_RBX].e = state.gpr[CTX_RSI].e = 200;
	rig_compare(&program, &state, 20000, "across the limit");
	ck_assert(jit_rig.jitted.ctx.halted);
}
END_TEST

Suite *suite_jit_chains(void)
{
	Suite *suite = suite_create("jit_chains");
	TCase *chains = tcase_create("chains");
	tcase_add_checked_fixture(chains, open_pair, close_pair);
	tcase_add_loop_test(chains, blocks_that_lead_to_each_other, 0, 10);
	tcase_add_loop_test(chains, blocks_that_write_to_each_other, 0, 10);
	tcase_add_test(chains, block_across_the_limit_is_no_part);
	suite_add_tcase(suite, chains);
	return suite;
}
