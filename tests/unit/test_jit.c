/* The JIT against the interpreter: the same random program from the same random
 * state on two machines, which must end equal in registers, flags, memory, and the
 * count of instructions and blocks. */
/* open_memstream() */
#define _GNU_SOURCE
#include <check.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "emu/decode.h"
#include "emu/emu.h"
#include "shared/mem.h"

#define RAM (256u << 10)
#define CODE 0x10000u
#define STEPS 96u

struct side {
	struct mem *mem;
	struct mem_store *ram;
	struct bus *bus;
	struct clock *clock;
	struct cpu_pins pins;
	struct engine *engine;
	struct ctx ctx;
};

static struct side plain, jitted;
static struct decoder *decoder;
static uint64_t seed;
static uint8_t before[RAM];

static void side_open(struct side *side, enum emu_jit jit, const char *off)
{
	char *error = NULL;
	memset(side, 0, sizeof *side);
	side->mem = mem_new();
	side->ram = mem_store_new(side->mem, "ram", RAM);
	struct mem_region *region = mem_region_new(side->mem, "ram", 0, MEM_REGION_READS | MEM_REGION_WRITES, side->ram, 0, RAM);
	mem_region_enable(region, 0);
	side->bus = bus_new();
	side->clock = clock_new(CLOCK_KIND_VIRTUAL);
	struct emu_config config = {
		.mem = side->mem, .bus = side->bus, .clock = side->clock, .pins = &side->pins,
		.cpu = EMU_CPU_P6, .jit = jit, .emitters_off = off,
	};
	side->engine = emu_new(&config, &error);
	ck_assert_ptr_nonnull(side->engine);
}

static void side_close(struct side *side)
{
	side->engine->ops->free(side->engine);
	clock_free(side->clock);
	bus_free(side->bus);
	mem_free(side->mem);
}

static void open_both(const char *off)
{
	char *error = NULL;
	side_open(&plain, EMU_JIT_OFF, NULL);
	side_open(&jitted, EMU_JIT_ALWAYS, off);
	decoder = decoder_new(EMU_CPU_P6, &error);
	seed = 1;
}

static void open_pair(void) { open_both(NULL); }

static void close_pair(void)
{
	side_close(&plain);
	side_close(&jitted);
	decoder_free(decoder);
}

/* --- chance ------------------------------------------------------------------------- */

static uint32_t chance(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) ^ (uint32_t)(seed >> 20);
}

static uint32_t value(void)
{
	static const uint32_t ends[] = { 0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000u, 0xffffffffu };
	switch (chance() % 4) {
	case 0: return ends[chance() % 11];
	case 1: return chance() & 0xffff;
	case 2: return chance() & 0xff;
	default: return chance();
	}
}

/* --- programs ------------------------------------------------------------------------- */

struct program {
	uint8_t bytes[512];
	size_t size;
	bool code32;
};

static void add(struct program *program, const uint8_t *bytes, size_t size)
{
	memcpy(program->bytes + program->size, bytes, size);
	program->size += size;
}

/* An instruction of one operation, out of random bytes; false: no luck. */
static bool add_op(struct program *program, unsigned op)
{
	for (unsigned tries = 0; tries < 40000; tries++) {
		uint8_t bytes[24];
		struct insn insn;
		unsigned at = 0;
		for (unsigned i = 0; i < sizeof bytes; i++)
			bytes[i] = (uint8_t)value();
		if (chance() % 3 == 0)
			bytes[at++] = 0x66;
		if (chance() % 4 == 0)
			bytes[at++] = 0x67;
		bytes[at] = (uint8_t)chance();
		if (chance() % 2) {
			bytes[at++] = 0x0f;
			bytes[at] = (uint8_t)chance();
		}
		if (decode_insn(decoder, bytes, sizeof bytes, program->code32, &insn) == DECODE_OK && insn.op == op) {
			add(program, bytes, insn.length);
			return true;
		}
	}
	return false;
}

static void add_filler(struct program *program)
{
	static const uint8_t ops[] = { OP_add, OP_mov, OP_inc, OP_dec, OP_shl, OP_adc, OP_xor, OP_cmp, OP_setcc, OP_push, OP_pop, OP_lea };
	if (chance() % 2)
		add_op(program, ops[chance() % sizeof ops]);
}

/* A loop around the operation, so that its block follows itself. */
static void make_program(struct program *program, unsigned op)
{
	static const uint8_t end[] = { 0xf4, 0xf4, 0xf4, 0xf4 };
	memset(program->bytes, 0xf4, sizeof program->bytes);
	program->size = 0;
	for (unsigned i = 0; i < 3; i++) {
		add_filler(program);
		add_op(program, op);
	}
	add_filler(program);
	uint8_t jump[] = { (uint8_t)(0x70 | chance() % 16), (uint8_t)-(int)(program->size + 2) };
	if (program->size < 120)
		add(program, jump, sizeof jump);
	add(program, end, sizeof end);
}

/* --- states --------------------------------------------------------------------------- */

static void flat(struct ctx_seg *seg, uint32_t access)
{
	*seg = (struct ctx_seg){ .selector = 8, .limit = 0xffffffffu, .access = access };
}

static void make_state(struct ctx *ctx, bool code32)
{
	ctx_reset(ctx, 0x633);
	for (unsigned i = 0; i < 8; i++)
		ctx->gpr[i].r = value();
	ctx->rflags = 2 | (chance() & 0xcd5);
	for (unsigned i = 0; i < CTX_LDTR; i++) {
		ctx->seg[i].selector = (uint16_t)(0x1000 + (chance() & 0xfff));
		ctx->seg[i].base = (uint32_t)ctx->seg[i].selector << 4;
	}
	ctx->seg[CTX_CS].selector = CODE >> 4;
	ctx->seg[CTX_CS].base = CODE;
	ctx->rip = 0;
	if (code32) {
		for (unsigned i = 0; i < CTX_LDTR; i++)
			flat(&ctx->seg[i], i == CTX_CS ? 0xc09b : 0xc093);
		ctx->cr0 |= CTX_CR0_PE;
		ctx->gdtr.base = 0x1000;
		ctx->gdtr.limit = 0xff;
		ctx->rip = CODE;
		for (unsigned i = 0; i < 8; i++)
			if (chance() % 4)
				ctx->gpr[i].r = chance() % (RAM + 0x1000);
	}
}

static void fill_memory(const struct program *program)
{
	for (unsigned i = 0; i < RAM; i += 4) {
		uint32_t word = i < 0x1000 ? 0x00000600 : chance() & 0x7fff7fff;
		memcpy(before + i, &word, 4);
	}
	memset(before + 0x600, 0xf4, 16);
	memcpy(before + CODE, program->bytes, sizeof program->bytes);
}

static enum stop_reason run(struct side *side, const struct ctx *state, uint64_t limit)
{
	memcpy(mem_store_data(side->ram), before, RAM);
	side->engine->ops->new_epoch(side->engine);
	clock_set_now(side->clock, 0);
	side->pins.attention = false;
	side->ctx = *state;
	side->ctx.limit_insns = limit;
	side->ctx.limit_blocks = UINT64_MAX;
	return side->engine->ops->run(side->engine, &side->ctx);
}

static void compare(const struct program *program, const struct ctx *state, uint64_t limit, unsigned op)
{
	enum stop_reason a = run(&plain, state, limit), b = run(&jitted, state, limit);
	bool same = a == b && !memcmp(mem_store_data(plain.ram), mem_store_data(jitted.ram), RAM) &&
	            plain.ctx.insns_run == jitted.ctx.insns_run && plain.ctx.blocks_run == jitted.ctx.blocks_run;
	same &= !ctx_diff(&plain.ctx, &jitted.ctx, stderr);
	if (same)
		return;
	GString *text = g_string_new(NULL);
	for (size_t i = 0; i < program->size; i++)
		g_string_append_printf(text, "%02x ", program->bytes[i]);
	ck_abort_msg("%s, %u bits, stops %d %d, insns %u %u, blocks %u %u: %s", op_rows[op].name, program->code32 ? 32 : 16,
	             a, b, (unsigned)plain.ctx.insns_run, (unsigned)jitted.ctx.insns_run,
	             (unsigned)plain.ctx.blocks_run, (unsigned)jitted.ctx.blocks_run, text->str);
}

static void try_op(unsigned op, unsigned programs)
{
	for (unsigned n = 0; n < programs; n++) {
		struct program program = { .code32 = n & 1 };
		struct ctx state;
		make_program(&program, op);
		fill_memory(&program);
		for (unsigned again = 0; again < 3; again++) {
			make_state(&state, program.code32);
			compare(&program, &state, 1 + chance() % STEPS, op);
		}
	}
}

/* --- tests -------------------------------------------------------------------------------- */

START_TEST(each_row_is_as_the_interpreter_has_it)
{
	seed = (uint64_t)_i + 1;
	if (_i != OP_block_end)
		try_op((unsigned)_i, 10);
}
END_TEST

/* By its body alone: what an emitter that is switched off does. */
START_TEST(emitters_can_be_switched_off)
{
	close_pair();
	open_both("add,mov,jcc,push");
	try_op(OP_add, 8);
	try_op(OP_jcc, 8);
}
END_TEST

static void try_code(const uint8_t *bytes, size_t size, uint64_t limit)
{
	struct program program = { .size = size };
	struct ctx state;
	memset(program.bytes, 0xf4, sizeof program.bytes);
	memcpy(program.bytes, bytes, size);
	fill_memory(&program);
	make_state(&state, false);
	state.seg[CTX_DS] = state.seg[CTX_ES] = state.seg[CTX_CS];
	state.gpr[CTX_RCX].e = 200;
	compare(&program, &state, limit, OP_nop);
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

START_TEST(opcode_that_is_patched)
{
	/* xor byte [9],8 (inc <-> dec); mov dx,dx; nop; nop; (9:) inc ax; loop 0 */
	CODE_IS(700, 0x80, 0x36, 0x09, 0x00, 0x08, 0x89, 0xd2, 0x90, 0x90, 0x40, 0xe2, 0xf4, 0xf4);
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
	struct program program = { .size = 2 };
	struct ctx state;
	for (unsigned turn = 0; turn < 6; turn++) {
		fill_memory(&program);
		for (unsigned at = 0; at < 0x10000; at += 2) {
			before[CODE + at] = turn % 2 ? 0xeb : 0xe3;
			before[CODE + at + 1] = 0;
		}
		make_state(&state, false);
		compare(&program, &state, 32000 + turn, OP_jmp);
	}
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	jitted.engine->ops->print_stats(jitted.engine, out);
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
	tcase_set_timeout(rows, 60);
	tcase_set_timeout(whole, 120);
	tcase_add_loop_test(rows, each_row_is_as_the_interpreter_has_it, 0, OPS);
	tcase_add_test(whole, emitters_can_be_switched_off);
	tcase_add_test(whole, immediate_that_is_patched_in_each_turn);
	tcase_add_test(whole, block_that_writes_to_its_own_next_instruction);
	tcase_add_test(whole, opcode_that_is_patched);
	tcase_add_test(whole, data_beside_code_is_written);
	tcase_add_test(whole, fault_in_the_middle_of_a_block);
	tcase_add_test(whole, calls_and_returns_chain);
	tcase_add_test(whole, code_memory_runs_out_and_over);
	suite_add_tcase(suite, rows);
	suite_add_tcase(suite, whole);
	return suite;
}
