/* The x87 on the emulator against the x87 of this host, encoding by encoding. */
#include <string.h>

#include "tests/unit/fpu_native.h"

#ifdef V2E_NATIVE

static struct rig *rig;

static void start(void) { rig = fpu_rig_new(EMU_CPU_P6); }
static void stop(void) { rig_free(rig); }

enum { ROUNDS = 12 };

/* The environment has the host's own addresses; FISTTP came after the P6. */
static bool differs_by_design(unsigned opcode, unsigned reg)
{
	return (opcode == 0xd9 && (reg == 4 || reg == 6)) || (opcode == 0xdd && (reg == 4 || reg == 6)) ||
	       (reg == 1 && (opcode == 0xdb || opcode == 0xdd || opcode == 0xdf));
}

static void compare_opcode(unsigned opcode, bool unmasked)
{
	struct fpu_case state;
	for (unsigned modrm = 0; modrm < 0x100; modrm++) {
		if (modrm < 0xc0 && ((modrm & 0xc7) != 6 || differs_by_design(opcode, modrm >> 3)))
			continue;
		const uint8_t code[] = { (uint8_t)opcode, (uint8_t)modrm };
		for (unsigned round = 0; round < ROUNDS; round++) {
			fpu_random_case(&state, unmasked);
			state.offset = round & 1 ? 3 : 0;
			fpu_compare(rig, &state, code, sizeof code);
		}
	}
}

START_TEST(masked_as_on_the_host)
{
	compare_opcode(0xd8 + (unsigned)_i, false);
}
END_TEST

START_TEST(unmasked_as_on_the_host)
{
	compare_opcode(0xd8 + (unsigned)_i, true);
}
END_TEST

/* FLD1; FLDPI; FPATAN; FLD ST(0); FMULP; FSQRT; FYL2X with FLDL2T; FSTP m64 */
START_TEST(sequence_as_on_the_host)
{
	static const uint8_t code[] = {
		0xdb, 0xe3, 0xd9, 0xe8, 0xd9, 0xeb, 0xd9, 0xf3, 0xd9, 0xc0, 0xde, 0xc9, 0xd9, 0xfa,
		0xd9, 0xe9, 0xd9, 0xc9, 0xd9, 0xf1, 0xd9, 0xfe, 0xd9, 0xc0, 0xd8, 0xc1, 0xdd, 0x1e, 0x9b, 0xdf, 0xe0,
	};
	struct fpu_case state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		fpu_random_case(&state, false);
		fpu_compare(rig, &state, code, sizeof code);
	}
}
END_TEST

/* Each byte behind D8 to DF, on each model: defined or #UD, and the process lives. */
START_TEST(every_encoding_on_every_model)
{
	static const enum emu_cpu models[] = { EMU_CPU_386, EMU_CPU_486, EMU_CPU_PENTIUM, EMU_CPU_P6 };
	struct rig *other = fpu_rig_new(models[_i]);
	other->ctx->cr4 &= ~(uint64_t)(CTX_CR4_OSFXSR | CTX_CR4_OSXMMEXCPT);
	struct fpu_case state;
	for (unsigned opcode = 0xd8; opcode < 0xe0; opcode++)
		for (unsigned modrm = 0; modrm < 0x100; modrm++) {
			if ((modrm & 0xc7) == 4 || (modrm & 0xc7) == 0x44 || (modrm & 0xc7) == 0x84)
				continue; /* a SIB byte */
			const uint8_t code[] = { (uint8_t)opcode, (uint8_t)modrm, 0x00, 0x00, 0x02, 0x00 };
			size_t size = modrm >= 0xc0 ? 2 : modrm >= 0x80 || (modrm & 0xc7) == 5 ? 6 : modrm >= 0x40 ? 3 : 2;
			fpu_random_case(&state, true);
			fpu_run_emulator(other, &state, code, size);
			bool p6 = modrm >= 0xc0 && (((opcode == 0xda || opcode == 0xdb) && modrm < 0xe0) ||
			          ((opcode == 0xdb || opcode == 0xdf) && modrm >= 0xe8 && modrm < 0xf8));
			if (p6)
				ck_assert_uint_eq(state.vector, models[_i] == EMU_CPU_P6 ? RIG_HALTED : 6);
			else if (modrm >= 0xc0)
				ck_assert(state.vector == RIG_HALTED || state.vector == 6);
		}
	rig_free(other);
}
END_TEST

START_TEST(lock_and_later_instructions_are_undefined)
{
	static const uint8_t codes[][4] = {
		{ 0xf0, 0xd8, 0x06 }, { 0xdb, 0x0e, 0x90 }, { 0xdd, 0x0e, 0x90 }, { 0xdf, 0x0e, 0x90 }, /* LOCK, FISTTP */
		{ 0x0f, 0x0f, 0xc1, 0x9e }, { 0x0f, 0x38, 0x00, 0xc1 }, { 0xf2, 0x0f, 0x7c, 0xc1 }, { 0xf3, 0x0f, 0x16, 0xc1 },
		{ 0xf2, 0x0f, 0xf0, 0x06 }, { 0xf0, 0x0f, 0x58, 0xc1 }, { 0x0f, 0x79, 0xc1 },
	};
	struct fpu_case state;
	for (unsigned i = 0; i < sizeof codes / sizeof *codes; i++) {
		fpu_random_case(&state, false);
		fpu_run_emulator(rig, &state, codes[i], 4);
		ck_assert_msg(state.vector == 6, "code %u gave %x", i, state.vector);
	}
}
END_TEST

/* --- pointers -------------------------------------------------------------------------- */

START_TEST(pointers_name_the_last_instruction)
{
	struct fpu_case state;
	/* ds fadd dword [esi]; fnstcw [edi]; wait */
	static const uint8_t code[] = { 0x90, 0x3e, 0xd8, 0x06, 0xd9, 0x3f, 0x9b };
	fpu_random_case(&state, false);
	state.offset = 4;
	fpu_run_emulator(rig, &state, code, sizeof code);
	ck_assert_uint_eq(image16(state.image, IMAGE_FOP), 0x006);
	ck_assert_uint_eq(image32(state.image, IMAGE_FIP), RIG_CODE + 1);
	ck_assert_uint_eq(image16(state.image, IMAGE_FCS), SEL_CODE0);
	ck_assert_uint_eq(image32(state.image, IMAGE_FDP), RIG_DATA + 4);
	ck_assert_uint_eq(image16(state.image, IMAGE_FDS), SEL_DATA0);
}
END_TEST

START_TEST(mmx_keeps_the_pointers)
{
	struct fpu_case state;
	static const uint8_t code[] = { 0x0f, 0xfc, 0xc1 }; /* paddb mm0,mm1 */
	fpu_random_case(&state, false);
	image_set(state.image, IMAGE_FOP, 2, 0x123);
	image_set(state.image, IMAGE_FIP, 4, 0x89abcdef);
	fpu_run_emulator(rig, &state, code, sizeof code);
	ck_assert_uint_eq(image16(state.image, IMAGE_FOP), 0x123);
	ck_assert_uint_eq(image32(state.image, IMAGE_FIP), 0x89abcdef);
}
END_TEST

Suite *suite_fpu(void)
{
	Suite *suite = suite_create("fpu");
	TCase *tcase = tcase_create("x87");
	tcase_add_checked_fixture(tcase, start, stop);
	tcase_add_loop_test(tcase, masked_as_on_the_host, 0, 8);
	tcase_add_loop_test(tcase, unmasked_as_on_the_host, 0, 8);
	tcase_add_test(tcase, sequence_as_on_the_host);
	tcase_add_loop_test(tcase, every_encoding_on_every_model, 0, 4);
	tcase_add_test(tcase, lock_and_later_instructions_are_undefined);
	tcase_add_test(tcase, pointers_name_the_last_instruction);
	tcase_add_test(tcase, mmx_keeps_the_pointers);
	suite_add_tcase(suite, tcase);
	return suite;
}

#else

/* A machine without the unit, as a 486SX is. */
static struct rig *rig;

static void start(void) { rig = rig_new_protected(EMU_CPU_P6); }
static void stop(void) { rig_free(rig); }

START_TEST(cpuid_knows_of_none)
{
	CODE(rig, 0xb8, D(1), 0x0f, 0xa2, 0xf4); /* mov eax,1; cpuid; hlt */
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RDX].e & (1u << 0 | 1u << 23 | 1u << 24 | 1u << 25 | 1u << 26), 0);
}
END_TEST

/* fninit; fnstsw ax; fnstcw [ebx]; fnstsw [ebx + 2]; hlt */
START_TEST(a_program_that_looks_finds_none)
{
	CODE(rig, 0xdb, 0xe3, 0xdf, 0xe0, 0xd9, 0x3b, 0xdd, 0x7b, 0x02, 0xf4);
	rig->ctx->gpr[CTX_RAX].e = 0x5a5a;
	rig->ctx->gpr[CTX_RBX].e = RIG_DATA;
	rig_put(rig, RIG_DATA, (const uint8_t[]){ D(0x5a5a5a5a) }, 4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].e, 0x5a5a);
	ck_assert_uint_eq(rig_get(rig, RIG_DATA, 4), 0x5a5a5a5a);
}
END_TEST

START_TEST(the_system_may_emulate_it)
{
	CODE(rig, 0xd9, 0xe8, 0xf4); /* fld1 */
	ck_assert_uint_eq(rig_run(rig), 7);
}
END_TEST

START_TEST(its_switches_are_heeded)
{
	static const uint32_t bits[] = { CTX_CR0_EM, CTX_CR0_TS };
	CODE(rig, 0xdb, 0xe3, 0xf4); /* fninit */
	rig->ctx->cr0 |= bits[_i];
	ck_assert_uint_eq(rig_run(rig), 7);
}
END_TEST

START_TEST(what_came_later_is_undefined)
{
	static const uint8_t code[][4] = {
		{ 0x0f, 0x77, 0xf4 },       /* emms */
		{ 0x0f, 0xae, 0x03, 0xf4 }, /* fxsave [ebx] */
		{ 0x0f, 0x58, 0xc1, 0xf4 }, /* addps */
	};
	rig_put(rig, RIG_CODE, code[_i], 4);
	rig->ctx->gpr[CTX_RBX].e = RIG_DATA;
	ck_assert_uint_eq(rig_run(rig), 6);
}
END_TEST

START_TEST(cr4_has_no_bits_for_it)
{
	CODE(rig, 0xb8, D(CTX_CR4_OSFXSR), 0x0f, 0x22, 0xe0, 0xf4);
	ck_assert_uint_eq(rig_run(rig), 13);
}
END_TEST

Suite *suite_fpu(void)
{
	Suite *suite = suite_create("fpu");
	TCase *tcase = tcase_create("absent");
	tcase_add_checked_fixture(tcase, start, stop);
	tcase_add_test(tcase, cpuid_knows_of_none);
	tcase_add_test(tcase, a_program_that_looks_finds_none);
	tcase_add_test(tcase, the_system_may_emulate_it);
	tcase_add_loop_test(tcase, its_switches_are_heeded, 0, 2);
	tcase_add_loop_test(tcase, what_came_later_is_undefined, 0, 3);
	tcase_add_test(tcase, cr4_has_no_bits_for_it);
	suite_add_tcase(suite, tcase);
	return suite;
}

#endif
