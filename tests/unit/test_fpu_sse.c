/* MMX, SSE and SSE2 on the emulator against this host, encoding by encoding. */
#include <string.h>

#include "tests/unit/fpu_native.h"

#ifdef V2E_NATIVE

static struct rig *rig;

static void start(void) { rig = fpu_rig_new(EMU_CPU_P6); }
static void stop(void) { rig_free(rig); }

enum { ROUNDS = 6 };

static const uint8_t prefixes[4] = { 0, 0x66, 0xf3, 0xf2 };

static bool in_range(unsigned opcode)
{
	return (opcode >= 0x10 && opcode < 0x18) || (opcode >= 0x28 && opcode < 0x30) || (opcode >= 0x50 && opcode < 0x78) ||
	       opcode == 0x7e || opcode == 0x7f || opcode == 0xc2 || opcode == 0xc3 || (opcode >= 0xc4 && opcode < 0xc7) ||
	       opcode >= 0xd0;
}

/* What came after SSE2, which the host has and the guest must not: SSE3, and MOVNTSS and
 * MOVNTSD of AMD's SSE4A. */
static bool later(unsigned prefix, unsigned opcode)
{
	return opcode == 0xd0 || opcode == 0xf0 || (prefix >= 2 && (opcode == 0x12 || opcode == 0x16 || opcode == 0x2b));
}

static bool has_imm(unsigned opcode)
{
	return (opcode >= 0x70 && opcode < 0x74) || opcode == 0xc2 || (opcode >= 0xc4 && opcode < 0xc7);
}

/* ModRM.reg is a general register: ESP and EBP are the host's. */
static bool has_general(unsigned prefix, unsigned opcode)
{
	return opcode == 0x50 || opcode == 0xc3 || opcode == 0xc5 || opcode == 0xd7 ||
	       (prefix >= 2 && (opcode == 0x2c || opcode == 0x2d));
}

static void compare(unsigned prefix, unsigned opcode, unsigned modrm, bool unmasked)
{
	struct fpu_case state;
	uint8_t code[5];
	size_t size = 0;
	if (prefix)
		code[size++] = prefixes[prefix];
	code[size++] = 0x0f;
	code[size++] = (uint8_t)opcode;
	if (opcode != 0x77)
		code[size++] = (uint8_t)modrm;
	fpu_random_case(&state, unmasked);
	if (has_imm(opcode))
		code[size++] = (uint8_t)fpu_random();
	if (modrm < 0xc0 && !(fpu_random() & 3))
		state.offset = 4;
	fpu_compare(rig, &state, code, size);
}

static void compare_prefix(unsigned prefix, bool unmasked)
{
	for (unsigned opcode = 0x10; opcode < 0x100; opcode++) {
		if (!in_range(opcode) || later(prefix, opcode))
			continue;
		for (unsigned reg = 0; reg < 8; reg++) {
			if (reg >= 4 && has_general(prefix, opcode))
				continue;
			for (unsigned round = 0; round < ROUNDS; round++) {
				compare(prefix, opcode, reg << 3 | 6, unmasked);
				compare(prefix, opcode, 0xc0 | reg << 3 | (fpu_random() & 3), unmasked);
			}
		}
	}
}

START_TEST(masked_as_on_the_host)
{
	compare_prefix((unsigned)_i, false);
}
END_TEST

START_TEST(unmasked_as_on_the_host)
{
	compare_prefix((unsigned)_i, true);
}
END_TEST

/* MMX leaves the x87 with TOP = 0 and no empty register; EMMS empties all. */
START_TEST(mmx_and_the_x87_share_registers)
{
	struct fpu_case state;
	static const uint8_t code[] = { 0x0f, 0x6f, 0x0e }; /* movq mm1,[esi] */
	static const uint8_t emms[] = { 0x0f, 0x6f, 0x0e, 0x0f, 0x77 };
	fpu_random_case(&state, false);
	image_set(state.image, IMAGE_FSW, 2, 5 << 11);
	state.image[IMAGE_FTW] = 0;
	struct fpu_case other = state;
	fpu_run_emulator(rig, &state, code, sizeof code);
	ck_assert_uint_eq(image16(state.image, IMAGE_FSW), 0);
	ck_assert_uint_eq(state.image[IMAGE_FTW], 0xff);
	ck_assert_mem_eq(state.image + IMAGE_ST + 16, state.operand, 8);
	ck_assert_uint_eq(image16(state.image, IMAGE_ST + 16 + 8), 0xffff);
	fpu_run_emulator(rig, &other, emms, sizeof emms);
	ck_assert_uint_eq(other.image[IMAGE_FTW], 0);
}
END_TEST

/* MOVD and MOVMSKPS reach all eight general registers. */
START_TEST(general_registers_by_number)
{
	for (unsigned number = 0; number < 8; number++) {
		struct ctx *ctx = rig->ctx, before = *ctx;
		for (unsigned i = 0; i < 16; i++)
			ctx->fxsave[IMAGE_XMM + i] = (uint8_t)(0x81 + i);
		CODE_AT(rig, RIG_CODE, 0x66, 0x0f, 0x7e, (uint8_t)(0xc0 | number), 0xf4); /* movd r32,xmm0 */
		ctx->rip = RIG_CODE;
		ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
		ck_assert_uint_eq(ctx->gpr[number].e, 0x84838281);
		*ctx = before;
		ctx->gpr[number].e = 0x12345678;
		CODE_AT(rig, RIG_CODE, 0x66, 0x0f, 0x6e, (uint8_t)(0xc8 | number), 0xf4); /* movd xmm1,r32 */
		ctx->rip = RIG_CODE;
		ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
		ck_assert_uint_eq(image32(ctx->fxsave, IMAGE_XMM + 16), 0x12345678);
		*ctx = before;
	}
}
END_TEST

/* --- no host state comes through ----------------------------------------------------------- */

START_TEST(the_host_keeps_its_control_words)
{
	struct fpu_case state;
	uint16_t fcw, fcw_after;
	uint32_t mxcsr, mxcsr_after;
	static const uint8_t x87[] = { 0xd9, 0xfa }, sse[] = { 0x0f, 0x51, 0xc1 };
	fpu_random_case(&state, true);
	__asm__ volatile("fnstcw %0\n\tstmxcsr %1" : "=m"(fcw), "=m"(mxcsr));
	mxcsr &= ~0x3fu;
	__asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
	fpu_run_emulator(rig, &state, x87, sizeof x87);
	fpu_run_emulator(rig, &state, sse, sizeof sse);
	__asm__ volatile("fnstcw %0\n\tstmxcsr %1" : "=m"(fcw_after), "=m"(mxcsr_after));
	ck_assert_uint_eq(fcw_after, fcw);
	ck_assert_uint_eq(mxcsr_after, mxcsr);
	long double third = 1.0L;
	volatile long double three = 3.0L;
	third /= three;
	ck_assert(third > 0.333L && third < 0.334L);
}
END_TEST

START_TEST(only_the_guests_part_of_the_image_changes)
{
	struct fpu_case state;
	static const uint8_t code[] = { 0x0f, 0x58, 0xc1 }; /* addps xmm0,xmm1 */
	fpu_random_case(&state, false);
	memset(state.image + IMAGE_END, 0xa5, sizeof state.image - IMAGE_END);
	fpu_run_emulator(rig, &state, code, sizeof code);
	for (unsigned i = IMAGE_END; i < sizeof state.image; i++)
		ck_assert_uint_eq(state.image[i], 0xa5);
}
END_TEST

Suite *suite_fpu_sse(void)
{
	Suite *suite = suite_create("fpu_sse");
	TCase *tcase = tcase_create("sse");
	tcase_add_checked_fixture(tcase, start, stop);
	tcase_add_loop_test(tcase, masked_as_on_the_host, 0, 4);
	tcase_add_loop_test(tcase, unmasked_as_on_the_host, 0, 4);
	tcase_add_test(tcase, mmx_and_the_x87_share_registers);
	tcase_add_test(tcase, general_registers_by_number);
	tcase_add_test(tcase, the_host_keeps_its_control_words);
	tcase_add_test(tcase, only_the_guests_part_of_the_image_changes);
	suite_add_tcase(suite, tcase);
	return suite;
}

#else

Suite *suite_fpu_sse(void) { return suite_create("fpu_sse"); }

#endif
