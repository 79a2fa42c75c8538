/* The JIT against the interpreter, row by row of ops.def and in small programs. */
/* open_memstream() */
#define _GNU_SOURCE
#include <check.h>
#include <stdlib.h>

#include "tests/unit/jit_rig.h"

#define STEPS 96u

static void open_pair(void) { rig_open(EMU_JIT_ALWAYS, NULL); }

static void close_pair(void) { rig_close(); }

/* --- programs ------------------------------------------------------------------------- */

static void add(struct rig_program *program, const uint8_t *bytes, size_t size)
{
	memcpy(program->bytes + program->size, bytes, size);
	program->size += size;
}

static void add_filler(struct rig_program *program)
{
	static const uint8_t ops[] = { OP_add, OP_mov, OP_inc, OP_dec, OP_shl, OP_adc, OP_xor, OP_cmp, OP_setcc, OP_push, OP_pop, OP_lea };
	if (rig_chance() % 2)
		rig_add_op(program, ops[rig_chance() % sizeof ops]);
}

/* A loop around the operation, so that its block follows itself. */
static void make_program(struct rig_program *program, unsigned op)
{
	static const uint8_t end[] = { 0xf4, 0xf4, 0xf4, 0xf4 };
	memset(program->bytes, 0xf4, sizeof program->bytes);
	program->size = 0;
	for (unsigned i = 0; i < 3; i++) {
		add_filler(program);
		rig_add_op(program, op);
	}
	add_filler(program);
	uint8_t jump[] = { (uint8_t)(0x70 | rig_chance() % 16), (uint8_t)-(int)(program->size + 2) };
	if (program->size < 120)
		add(program, jump, sizeof jump);
	add(program, end, sizeof end);
}

/* --- each row ------------------------------------------------------------------------- */

/* Every fourth row with blocks counted. The count goes on from run to run where real
 * mode is not entered, so it has to be the same in all of them. */
static void try_op(unsigned op, unsigned programs)
{
	uint64_t blocks = op % 4 ? UINT64_MAX : 5;
	for (unsigned n = 0; n < programs; n++) {
		struct rig_program program = { .code32 = n & 1 };
		struct ctx state;
		make_program(&program, op);
		rig_fill(&program);
		for (unsigned again = 0; again < 3; again++) {
			rig_state(&state, program.code32);
			jit_rig.interrupt = rig_chance() % 4 == 0;
			jit_rig.limit_blocks = blocks;
			rig_compare(&program, &state, 1 + rig_chance() % STEPS, op_rows[op].name);
		}
	}
}

/* --- tests -------------------------------------------------------------------------------- */

START_TEST(each_row_is_as_the_interpreter_has_it)
{
	jit_rig.seed = (uint64_t)_i + 1;
	if (_i != OP_block_end)
		try_op((unsigned)_i, 10);
}
END_TEST

/* By its body alone: what an emitter that is switched off does. */
START_TEST(emitters_can_be_switched_off)
{
	close_pair();
	rig_open(EMU_JIT_ALWAYS, "add,mov,jcc,push,int,popf,mov_to_sreg,lods");
	try_op(OP_add, 8);
	try_op(OP_jcc, 8);
	try_op(OP_popf, 8);
	try_op(OP_mov_to_sreg, 8);
	try_op(OP_lods, 8);
}
END_TEST

static void try_code(const uint8_t *bytes, size_t size, uint64_t limit)
{
	struct rig_program program = { .size = size };
	struct ctx state;
	memset(program.bytes, 0xf4, sizeof program.bytes);
	memcpy(program.bytes, bytes, size);
	rig_fill(&program);
	rig_state(&state, false);
	state.seg[CTX_DS] = state.seg[CTX_ES] = state.seg[CTX_CS];
	state.gpr[CTX_RCX].e = 200;
	rig_compare(&program, &state, limit, "program");
}

#define CODE_IS(limit, ...) try_code((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }), limit)

START_TEST(immediate_that_is_patched_in_each_turn)
{
	/* mov [8],cx; jmp 7; (7:) mov bx,imm; add ax,bx; loop 0; hlt */
	for (unsigned limit = 1; limit < 1200; limit += 37)
		CODE_IS(limit, 0x89, 0x0e, 0x08, 0x00, 0xeb, 0x01, 0x90, 0xbb, 0x00, 0x00, 0x01, 0xd8, 0xe2, 0xf2, 0xf4);
}
END_TEST

START_TEST(block_that_writes_to_its_own_next_instruction)
{
	/* inc byte [5]; (4:) mov al,0; add bl,al; loop 0 */
	for (unsigned limit = 1; limit < 800; limit += 13)
		CODE_IS(limit, 0xfe, 0x06, 0x05, 0x00, 0xb0, 0x00, 0x00, 0xc3, 0xe2, 0xf6, 0xf4);
}
END_TEST

START_TEST(call_that_pushes_into_its_own_block)
{
	/* mov ax,cs; mov ss,ax; (4:) mov sp,6; call c; hlt; nop; (c:) inc ax; pop bx; hlt */
	for (unsigned limit = 1; limit < 10; limit++)
		CODE_IS(limit, 0x8c, 0xc8, 0x8e, 0xd0, 0xbc, 0x06, 0x00, 0xe8, 0x02, 0x00, 0xf4, 0x90, 0x40, 0x5b, 0xf4);
}
END_TEST

/* Elsewhere each time: what is patched again and again ends no block. */
START_TEST(block_that_ends_itself_keeps_the_carry)
{
	/* (n:) cmp al,56; inc byte [n+1]; jc n+9; inc bx; (n+9:) loop n; hlt */
	uint8_t bytes[40] = { 0x3c, 0x56, 0xfe, 0x06, 0x01, 0x00, 0x72, 0x01, 0x43, 0xe2, 0xf5, 0xf4 };
	for (uint8_t n = 0; n < 24; n++) {
		try_code(bytes, n + 12u, 2);
		try_code(bytes, n + 12u, 9);
		memmove(bytes + n + 1, bytes + n, 12);
		bytes[n] = 0x90;
		bytes[n + 5] = (uint8_t)(n + 2);
	}
}
END_TEST

START_TEST(opcode_that_is_patched)
{
	/* xor byte [9],8 (inc <-> dec); mov dx,dx; nop; nop; (9:) inc ax; loop 0 */
	CODE_IS(700, 0x80, 0x36, 0x09, 0x00, 0x08, 0x89, 0xd2, 0x90, 0x90, 0x40, 0xe2, 0xf4, 0xf4);
}
END_TEST

START_TEST(frame_that_ends_in_code)
{
	/* mov ax,cs; mov ss,ax; mov sp,50; jmp 40; ... (40:) pushad; inc ax; loop 40 */
	uint8_t bytes[0x46] = { 0x8c, 0xc8, 0x8e, 0xd0, 0xbc, 0x50, 0x00, 0xeb, 0x37 };
	static const uint8_t loop[] = { 0x66, 0x60, 0x40, 0xe2, 0xfb, 0xf4 };
	memcpy(bytes + 0x40, loop, sizeof loop);
	for (unsigned limit = 1; limit < 40; limit++)
		try_code(bytes, sizeof bytes, limit);
}
END_TEST

START_TEST(data_beside_code_is_written)
{
	/* inc word [0x40]; add [0x42],cx; loop 0 */
	CODE_IS(600, 0xff, 0x06, 0x40, 0x00, 0x01, 0x0e, 0x42, 0x00, 0xe2, 0xf6, 0xf4);
}
END_TEST

START_TEST(fault_in_the_middle_of_a_block)
{
	/* add ax,bx; mov [FFFF],ax: #GP beyond the limit; inc ax */
	for (unsigned limit = 1; limit < 6; limit++)
		CODE_IS(limit, 0x01, 0xd8, 0xa3, 0xff, 0xff, 0x40, 0xf4);
}
END_TEST

/* Loads in real mode, of segments as a visit to protected mode leaves them. */
START_TEST(loads_of_odd_segments)
{
	static const uint32_t kinds[] = { 0x93, 0x91, 0x97, 0x9b, 0x9f, 0x4093, 0x8093, 0x4097 };
	for (unsigned n = 0; n < CTX_LDTR * G_N_ELEMENTS(kinds); n++) {
		unsigned sreg = n % CTX_LDTR;
		if (sreg == CTX_CS)
			continue;
		/* mov sreg,ax; then a store at its offset 10h */
		const uint8_t code[] = { 0x8e, (uint8_t)(0xc0 | sreg << 3), (uint8_t[]){ 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65 }[sreg], 0x88, 0x0e, 0x10, 0x00, 0xf4 };
		struct rig_program program = { .size = sizeof code };
		struct ctx state;
		memcpy(program.bytes, code, sizeof code);
		rig_fill(&program);
		rig_state(&state, false);
		state.seg[sreg].access = kinds[n / CTX_LDTR];
		state.gpr[CTX_RAX].e = 0x2000;
		for (uint64_t limit = 1; limit < 5; limit++)
			rig_compare(&program, &state, limit, "odd segment");
	}
}
END_TEST

/* The fault is the jump's own, not its target's. */
START_TEST(near_targets_end_at_the_limit)
{
	/* jmp eax; call eax; push eax, ret */
	static const uint8_t jumps[][6] = { { 0x66, 0xff, 0xe0 }, { 0x66, 0xff, 0xd0 }, { 0x66, 0x50, 0x66, 0xc3 } };
	static const uint32_t targets[] = { 0xffff, 0x10000, 0x10001, 0x1ffff, 0x80000000u };
	for (unsigned n = 0; n < G_N_ELEMENTS(jumps) * G_N_ELEMENTS(targets); n++) {
		struct rig_program program = { .size = 6 };
		struct ctx state;
		memcpy(program.bytes, jumps[n % G_N_ELEMENTS(jumps)], 6);
		rig_fill(&program);
		rig_state(&state, false);
		state.idtr.limit = 0x3ff;
		state.gpr[CTX_RAX].e = targets[n / G_N_ELEMENTS(jumps)];
		state.gpr[CTX_RSP].e = 0x8000;
		for (uint64_t limit = 1; limit < 4; limit++)
			rig_compare(&program, &state, limit, "near target");
	}
}
END_TEST

START_TEST(calls_and_returns_chain)
{
	/* call 6; loop 0; hlt; (6:) inc ax; ret */
	for (unsigned limit = 1; limit < 900; limit += 29)
		CODE_IS(limit, 0xe8, 0x03, 0x00, 0xe2, 0xfb, 0xf4, 0x40, 0xc3);
}
END_TEST

/* 32,768 blocks of one jump to the next instruction, others in each turn: more than
 * the caches hold at once. */
START_TEST(code_memory_runs_out_and_over)
{
	struct rig_program program = { .size = 2 };
	struct ctx state;
	for (unsigned turn = 0; turn < 6; turn++) {
		rig_fill(&program);
		for (unsigned at = 0; at < 0x10000; at += 2) {
			jit_rig.before[RIG_CODE + at] = turn % 2 ? 0xeb : 0xe3;
			jit_rig.before[RIG_CODE + at + 1] = 0;
		}
		rig_state(&state, false);
		rig_compare(&program, &state, 32000 + turn, "jumps");
	}
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	jit_rig.jitted.engine->ops->print_stats(jit_rig.jitted.engine, out);
	fclose(out);
	ck_assert_ptr_null(strstr(text, "jit.flushes 0"));
	ck_assert_ptr_null(strstr(text, "jit.blocks 0"));
	free(text);
}
END_TEST

Suite *suite_jit(void)
{
	Suite *suite = suite_create("jit");
	TCase *rows = tcase_create("rows"), *whole = tcase_create("whole");
	tcase_add_checked_fixture(rows, open_pair, close_pair);
	tcase_add_checked_fixture(whole, open_pair, close_pair);
	tcase_add_loop_test(rows, each_row_is_as_the_interpreter_has_it, 0, OPS);
	tcase_add_test(whole, emitters_can_be_switched_off);
	tcase_add_test(whole, immediate_that_is_patched_in_each_turn);
	tcase_add_test(whole, block_that_writes_to_its_own_next_instruction);
	tcase_add_test(whole, call_that_pushes_into_its_own_block);
	tcase_add_test(whole, block_that_ends_itself_keeps_the_carry);
	tcase_add_test(whole, opcode_that_is_patched);
	tcase_add_test(whole, frame_that_ends_in_code);
	tcase_add_test(whole, data_beside_code_is_written);
	tcase_add_test(whole, fault_in_the_middle_of_a_block);
	tcase_add_test(whole, loads_of_odd_segments);
	tcase_add_test(whole, near_targets_end_at_the_limit);
	tcase_add_test(whole, calls_and_returns_chain);
	tcase_add_test(whole, code_memory_runs_out_and_over);
	suite_add_tcase(suite, rows);
	suite_add_tcase(suite, whole);
	return suite;
}
