/* What is known of an instruction before it runs: where it leads, and what it touches. */
#include <check.h>
#include <string.h>

#include "trace/step_decode.h"
#include "trace/step_plan.h"

#define RAM_SIZE 0x100000u
#define AT       0x1000u

static struct mem *mem;
static uint8_t *ram;
static struct ctx ctx;
static struct step_decoder *decoder;
static struct step_insn insn;

static void setup(void)
{
	mem = mem_new();
	struct mem_store *store = mem_store_new(mem, "ram", RAM_SIZE);
	mem_region_enable(mem_region_new(mem, "ram", MEM_PRIORITY_RAM, MEM_REGION_READS | MEM_REGION_WRITES, store, 0, RAM_SIZE), 0);
	ram = mem_store_data(store);
	decoder = step_decoder_new();
	ctx_reset(&ctx, 0);
	for (unsigned n = CTX_ES; n <= CTX_GS; n++) {
		ctx.seg[n].base = 0x1000u * n;
		ctx.seg[n].selector = (uint16_t)(0x100 * n);
	}
	ctx.seg[CTX_CS].base = 0;
	ctx.rip = AT;
	static const uint32_t values[] = { 0x10, 0x20, 0x30, 0x40, 0x2000, 0x60, 0x70, 0x80 };
	for (unsigned n = 0; n < 8; n++)
		ctx.gpr[n].e = values[n];
}

static void teardown(void)
{
	step_decoder_free(decoder);
	mem_free(mem);
}

static void code32(void)
{
	ctx.cr0 |= CTX_CR0_PE;
	ctx.seg[CTX_CS].access |= CTX_SEG_DB;
	ctx.seg[CTX_SS].access |= CTX_SEG_DB;
}

static void decode(const uint8_t *code)
{
	memcpy(ram + AT, code, 12);
	step_decode(decoder, &ctx, mem, AT, &insn);
}

/* --- flow ------------------------------------------------------------------------------- */

static const struct flow_row {
	bool wide;
	uint8_t code[12];
	unsigned length;
	enum step_flow flow;
	uint32_t target;
	bool far, sets_mode, pushes_flags, repeats;
	int vector;
} flows[] = {
	{ false, { 0x90 }, 1, STEP_NEXT, 0, false, false, false, false, -1 },
	{ false, { 0xeb, 0xfe }, 2, STEP_JUMP, AT, false, false, false, false, -1 },
	{ false, { 0xe9, 0x00, 0xf0 }, 3, STEP_JUMP, 3, false, false, false, false, -1 },
	{ false, { 0xe8, 0xfd, 0x0f }, 3, STEP_JUMP, 0x2000, false, false, false, false, -1 },
	{ false, { 0x74, 0x10 }, 2, STEP_BRANCH, AT + 0x12, false, false, false, false, -1 },
	{ false, { 0x0f, 0x84, 0xfc, 0xef }, 4, STEP_BRANCH, 0, false, false, false, false, -1 },
	{ false, { 0xe2, 0xfe }, 2, STEP_BRANCH, AT, false, false, false, false, -1 },
	{ false, { 0xe3, 0x02 }, 2, STEP_BRANCH, AT + 4, false, false, false, false, -1 },
	{ false, { 0xea, 0, 0x7c, 0, 0 }, 5, STEP_ELSE, 0, true, false, false, false, -1 },
	{ false, { 0x9a, 0, 0x7c, 0, 0 }, 5, STEP_ELSE, 0, true, false, false, false, -1 },
	{ false, { 0xff, 0x2e, 0, 0x20 }, 4, STEP_ELSE, 0, true, false, false, false, -1 },
	{ false, { 0xcb }, 1, STEP_ELSE, 0, true, false, false, false, -1 },
	{ false, { 0xcf }, 1, STEP_ELSE, 0, true, false, false, false, -1 },
	{ false, { 0xc3 }, 1, STEP_ELSE, 0, false, false, false, false, -1 },
	{ false, { 0xff, 0xe3 }, 2, STEP_ELSE, 0, false, false, false, false, -1 },
	{ false, { 0xf4 }, 1, STEP_ELSE, 0, false, false, false, false, -1 },
	{ false, { 0xcd, 0x13 }, 2, STEP_ELSE, 0, false, false, false, false, 0x13 },
	{ false, { 0xcc }, 1, STEP_ELSE, 0, false, false, false, false, 3 },
	{ false, { 0xce }, 1, STEP_ELSE, 0, false, false, false, false, 4 },
	{ false, { 0xf1 }, 1, STEP_ELSE, 0, false, false, false, false, 1 },
	{ false, { 0x0f, 0x22, 0xc0 }, 3, STEP_ELSE, 0, false, true, false, false, -1 },
	{ false, { 0x0f, 0x22, 0xd8 }, 3, STEP_NEXT, 0, false, false, false, false, -1 }, /* CR3 */
	{ false, { 0x0f, 0x20, 0xc0 }, 3, STEP_NEXT, 0, false, false, false, false, -1 }, /* from CR0 */
	{ false, { 0x0f, 0x01, 0xf0 }, 3, STEP_ELSE, 0, false, true, false, false, -1 },  /* LMSW */
	{ false, { 0x9c }, 1, STEP_NEXT, 0, false, false, true, false, -1 },
	{ false, { 0xf3, 0xa4 }, 2, STEP_NEXT, 0, false, false, false, true, -1 },
	{ false, { 0xa4 }, 1, STEP_NEXT, 0, false, false, false, false, -1 },
	{ false, { 0xf2, 0xae }, 2, STEP_NEXT, 0, false, false, false, true, -1 },
	{ false, { 0xf3, 0x90 }, 2, STEP_NEXT, 0, false, false, false, false, -1 },       /* PAUSE */
	{ false, { 0x66, 0xe9, 0, 0, 1, 0 }, 6, STEP_JUMP, 0x11006, false, false, false, false, -1 },
	{ true, { 0xe9, 0, 0, 1, 0 }, 5, STEP_JUMP, 0x11005, false, false, false, false, -1 },
	{ true, { 0x66, 0xea, 0, 0x7c, 0, 0 }, 6, STEP_ELSE, 0, true, false, false, false, -1 },
	{ true, { 0x9c }, 1, STEP_NEXT, 0, false, false, true, false, -1 },
};

START_TEST(it_is_known_where_it_leads)
{
	const struct flow_row *row = &flows[_i];
	if (row->wide)
		code32();
	decode(row->code);
	ck_assert_uint_eq(insn.length, row->length);
	ck_assert_int_eq(insn.flow, row->flow);
	ck_assert_uint_eq(insn.next, AT + row->length);
	if (row->flow == STEP_JUMP || row->flow == STEP_BRANCH)
		ck_assert_uint_eq(insn.target, row->target);
	ck_assert_int_eq(insn.far, row->far);
	ck_assert_int_eq(insn.sets_mode, row->sets_mode);
	ck_assert_int_eq(insn.pushes_flags, row->pushes_flags);
	ck_assert_int_eq(insn.repeats, row->repeats);
	ck_assert_int_eq(insn.vector, row->vector);
	ck_assert_int_eq(insn.is_int, row->code[0] == 0xcd);
}
END_TEST

START_TEST(what_is_none_leads_anywhere)
{
	decode((const uint8_t[12]){ 0xff, 0xff });
	ck_assert_int_eq(insn.flow, STEP_ELSE);
	struct step_access access[STEP_ACCESSES];
	ctx.seg[CTX_CS].base = 0xd0000000;
	step_decode(decoder, &ctx, mem, AT, &insn);
	ck_assert_uint_eq(insn.length, 0);
	ck_assert_int_eq(insn.flow, STEP_ELSE);
	ck_assert_uint_eq(step_accesses(decoder, &ctx, access), 0);
}
END_TEST

START_TEST(ip_wraps_in_16_bit_code)
{
	ram[0xffff] = 0x90;
	step_decode(decoder, &ctx, mem, 0xffff, &insn);
	ck_assert_uint_eq(insn.next, 0);
}
END_TEST

START_TEST(indirect_targets_are_read)
{
	uint32_t target;
	decode((const uint8_t[12]){ 0xff, 0xe3 }); /* jmp bx */
	ck_assert(step_indirect(decoder, &ctx, mem, &target));
	ck_assert_uint_eq(target, 0x40);
	memcpy(ram + 0x1000 * CTX_DS + 0x40, &(uint16_t){ 0x1234 }, 2);
	decode((const uint8_t[12]){ 0xff, 0x27 }); /* jmp [bx] */
	ck_assert(step_indirect(decoder, &ctx, mem, &target));
	ck_assert_uint_eq(target, 0x1234);
	memcpy(ram + 0x1000 * CTX_SS + 0x2000, &(uint16_t){ 0x4321 }, 2);
	decode((const uint8_t[12]){ 0xc3 });
	ck_assert(step_indirect(decoder, &ctx, mem, &target));
	ck_assert_uint_eq(target, 0x4321);
	decode((const uint8_t[12]){ 0xcb });
	ck_assert(!step_indirect(decoder, &ctx, mem, &target));
	decode((const uint8_t[12]){ 0xf4 });
	ck_assert(!step_indirect(decoder, &ctx, mem, &target));
}
END_TEST

/* --- accesses ------------------------------------------------------------------------------ */

#define DS_(at) (0x1000u * CTX_DS + (at))
#define ES_(at) (0x1000u * CTX_ES + (at))
#define SS_(at) (0x1000u * CTX_SS + (at))

static const struct access_row {
	bool wide;
	uint8_t code[12];
	struct step_access access[4]; /* ends with size 0 */
} accesses[] = {
	{ false, { 0x90 }, { { 0, 0, false } } },
	{ false, { 0xa1, 0x34, 0x12 }, { { DS_(0x1234), 2, false } } },
	{ false, { 0x66, 0xa1, 0x34, 0x12 }, { { DS_(0x1234), 4, false } } },
	{ false, { 0x88, 0x07 }, { { DS_(0x40), 1, true } } },                           /* mov [bx], al */
	{ false, { 0x26, 0x88, 0x07 }, { { ES_(0x40), 1, true } } },
	{ false, { 0x89, 0x42, 0x08 }, { { SS_(0x60 + 0x70 + 8), 2, true } } },           /* mov [bp + si + 8], ax */
	{ false, { 0xff, 0x07 }, { { DS_(0x40), 2, false }, { DS_(0x40), 2, true } } },   /* inc word [bx] */
	{ false, { 0x8d, 0x07 }, { { 0, 0, false } } },                                   /* lea */
	{ false, { 0x50 }, { { SS_(0x1ffe), 2, true } } },
	{ false, { 0x66, 0x50 }, { { SS_(0x1ffc), 4, true } } },
	{ false, { 0x58 }, { { SS_(0x2000), 2, false } } },
	{ false, { 0xe8, 0, 0 }, { { SS_(0x1ffe), 2, true } } },
	{ false, { 0xc3 }, { { SS_(0x2000), 2, false } } },
	{ false, { 0xcb }, { { SS_(0x2000), 2, false }, { SS_(0x2002), 2, false } } },
	{ false, { 0xcf }, { { SS_(0x2000), 2, false }, { SS_(0x2002), 2, false }, { SS_(0x2004), 2, false } } },
	{ false, { 0xcd, 0x10 }, { { SS_(0x1ffe), 2, true }, { SS_(0x1ffc), 2, true }, { SS_(0x1ffa), 2, true } } },
	{ false, { 0xa4 }, { { DS_(0x70), 1, false }, { ES_(0x80), 1, true } } },
	{ false, { 0xd7 }, { { DS_(0x40 + 0x10), 1, false } } },                          /* xlat */
	{ false, { 0x0f, 0x01, 0x16, 0, 0x20 }, { { DS_(0x2000), 2, false }, { DS_(0x2002), 4, false } } }, /* lgdt */
	{ true, { 0x8b, 0x04, 0x8b }, { { DS_(0x40 + 4 * 0x20), 4, false } } },           /* mov eax, [ebx + 4 * ecx] */
	{ true, { 0x8b, 0x44, 0x24, 0x04 }, { { SS_(0x2004), 4, false } } },              /* mov eax, [esp + 4] */
	{ true, { 0x50 }, { { SS_(0x1ffc), 4, true } } },
	{ true, { 0xcd, 0x10 }, { { 0, 0, false } } },                                    /* the gate decides */
};

START_TEST(it_is_known_what_it_touches)
{
	const struct access_row *row = &accesses[_i];
	struct step_access access[STEP_ACCESSES];
	if (row->wide)
		code32();
	decode(row->code);
	unsigned count = step_accesses(decoder, &ctx, access), wanted = 0;
	while (wanted < 4 && row->access[wanted].size)
		wanted++;
	ck_assert_uint_eq(count, wanted);
	for (unsigned n = 0; n < count; n++) {
		ck_assert_uint_eq(access[n].linear, row->access[n].linear);
		ck_assert_uint_eq(access[n].size, row->access[n].size);
		ck_assert_int_eq(access[n].write, row->access[n].write);
	}
}
END_TEST

START_TEST(a_stack_of_16_bits_wraps)
{
	struct step_access access[STEP_ACCESSES];
	ctx.gpr[CTX_RSP].e = 0xabcd0001;
	decode((const uint8_t[12]){ 0x50 });
	ck_assert_uint_eq(step_accesses(decoder, &ctx, access), 1);
	ck_assert_uint_eq(access[0].linear, SS_(0xffff));
}
END_TEST

/* --- how far ------------------------------------------------------------------------------ */

START_TEST(a_stretch_ends_where_it_may_leave)
{
	static const uint8_t code[] = { 0x40, 0x74, 0x02, 0xcd, 0x10, 0x43, 0x0f, 0x22, 0xc0 };
	uint64_t stop[STEPPER_STOPS];
	unsigned stops = 0;
	memcpy(ram + AT, code, sizeof code);
	ck_assert(step_plan_far(decoder, &ctx, mem, AT, NULL, stop, &stops));
	ck_assert_uint_eq(stops, 2);
	ck_assert_uint_eq(stop[0] + stop[1], 2 * AT + 3 + 6);
	ck_assert(stop[0] == AT + 3 || stop[1] == AT + 3);
}
END_TEST

START_TEST(and_at_points_of_a_debugger)
{
	static const uint8_t code[] = { 0x40, 0x43, 0x42, 0xeb, 0xfb };
	struct debug_request debug = { .points = 2, .point = { { AT + 2, 1, DEBUG_CODE_AT, 0 }, { AT + 1, 1, DEBUG_WRITE_TO, 0 } } };
	uint64_t stop[STEPPER_STOPS];
	unsigned stops = 0;
	memcpy(ram + AT, code, sizeof code);
	ck_assert(step_plan_far(decoder, &ctx, mem, AT, &debug, stop, &stops));
	ck_assert_uint_eq(stops, 1);
	ck_assert_uint_eq(stop[0], AT + 2);
	debug.points = 0;
	ck_assert(step_plan_far(decoder, &ctx, mem, AT, &debug, stop, &stops));
	ck_assert_uint_eq(stops, 0);
}
END_TEST

Suite *suite_step_decode(void)
{
	Suite *suite = suite_create("step_decode");
	TCase *tcase = tcase_create("step_decode");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, it_is_known_where_it_leads, 0, (int)(sizeof flows / sizeof *flows));
	tcase_add_test(tcase, what_is_none_leads_anywhere);
	tcase_add_test(tcase, ip_wraps_in_16_bit_code);
	tcase_add_test(tcase, indirect_targets_are_read);
	tcase_add_loop_test(tcase, it_is_known_what_it_touches, 0, (int)(sizeof accesses / sizeof *accesses));
	tcase_add_test(tcase, a_stack_of_16_bits_wraps);
	tcase_add_test(tcase, a_stretch_ends_where_it_may_leave);
	tcase_add_test(tcase, and_at_points_of_a_debugger);
	suite_add_tcase(suite, tcase);
	return suite;
}
