/* When the x87, MMX and SSE must not run, their errors, and the state they save. */
#include <string.h>

#include "tests/unit/fpu_native.h"

#ifdef V2E_NATIVE

static struct rig *rig;

static void start(void) { rig = fpu_rig_new(EMU_CPU_P6); }
static void stop(void) { rig_free(rig); }

/* Runs from the start of RIG_CODE. */
#define RUN(...) (CODE_AT(rig, RIG_CODE, __VA_ARGS__), CODE(rig, 0xf4), rig->ctx->rip = RIG_CODE, rig_run(rig))

#define FSW() image16(rig->ctx->fxsave, IMAGE_FSW)
#define FCW() image16(rig->ctx->fxsave, IMAGE_FCW)

#define FADD   0xd8, 0xc1
#define FNINIT 0xdb, 0xe3
#define FNCLEX 0xdb, 0xe2
#define WAIT   0x9b
#define EMMS   0x0f, 0x77
#define MOVQ   0x0f, 0x6f, 0xc1
#define ADDPS  0x0f, 0x58, 0xc1
#define DIVPS  0x0f, 0x5e, 0xc1
#define FXSAVE 0x0f, 0xae, 0x05, D(RIG_DATA)
#define FXRSTOR 0x0f, 0xae, 0x0d, D(RIG_DATA)
#define LDMXCSR 0x0f, 0xae, 0x15, D(RIG_DATA)
#define STMXCSR 0x0f, 0xae, 0x1d, D(RIG_DATA)

/* --- CR0 and CR4 --------------------------------------------------------------------- */

START_TEST(ts_and_em)
{
	static const struct { uint32_t cr0; unsigned x87, wait, mmx, sse, state, fence; } rows[] = {
		{ 0, RIG_HALTED, RIG_HALTED, RIG_HALTED, RIG_HALTED, RIG_HALTED, RIG_HALTED },
		{ CTX_CR0_TS, 7, RIG_HALTED, 7, 7, 7, RIG_HALTED },
		{ CTX_CR0_TS | CTX_CR0_MP, 7, 7, 7, 7, 7, RIG_HALTED },
		{ CTX_CR0_MP, RIG_HALTED, RIG_HALTED, RIG_HALTED, RIG_HALTED, RIG_HALTED, RIG_HALTED },
		{ CTX_CR0_EM, 7, RIG_HALTED, 6, 6, 6, RIG_HALTED },
		{ CTX_CR0_EM | CTX_CR0_TS, 7, RIG_HALTED, 6, 6, 6, RIG_HALTED },
	};
	RUN(FNINIT);
	rig->ctx->cr0 = (rig->ctx->cr0 & ~(uint64_t)(CTX_CR0_TS | CTX_CR0_EM | CTX_CR0_MP)) | rows[_i].cr0;
	ck_assert_uint_eq(RUN(FADD), rows[_i].x87);
	ck_assert_uint_eq(RUN(FNINIT), rows[_i].x87);
	ck_assert_uint_eq(RUN(0xdf, 0xe0), rows[_i].x87); /* fnstsw ax */
	ck_assert_uint_eq(RUN(WAIT), rows[_i].wait);
	ck_assert_uint_eq(RUN(MOVQ), rows[_i].mmx);
	ck_assert_uint_eq(RUN(EMMS), rows[_i].mmx);
	ck_assert_uint_eq(RUN(ADDPS), rows[_i].sse);
	ck_assert_uint_eq(RUN(STMXCSR), rows[_i].sse);
	ck_assert_uint_eq(RUN(FXSAVE), rows[_i].state);
	ck_assert_uint_eq(RUN(FXRSTOR), rows[_i].state);
	ck_assert_uint_eq(RUN(0x0f, 0xae, 0xe8), rows[_i].fence);                       /* lfence */
	ck_assert_uint_eq(RUN(0x0f, 0xae, 0xf0), rows[_i].fence);                       /* mfence */
	ck_assert_uint_eq(RUN(0x0f, 0xae, 0xf8), rows[_i].fence);                       /* sfence */
	ck_assert_uint_eq(RUN(0x0f, 0xae, 0x3d, D(RIG_DATA)), rows[_i].fence);          /* clflush */
	ck_assert_uint_eq(RUN(0x0f, 0x18, 0x0d, D(RIG_DATA)), rows[_i].fence);          /* prefetcht0 */
	ck_assert_uint_eq(RUN(0x0f, 0xc3, 0x05, D(RIG_DATA)), rows[_i].fence);          /* movnti */
}
END_TEST

START_TEST(fault_names_the_instruction)
{
	rig->ctx->cr0 |= CTX_CR0_TS;
	CODE(rig, 0x90, FADD);
	ck_event(rig, 7, RIG_CODE + 1);
}
END_TEST

START_TEST(osfxsr_gates_xmm_alone)
{
	rig->ctx->cr4 &= ~(uint64_t)CTX_CR4_OSFXSR;
	ck_assert_uint_eq(RUN(ADDPS), 6);
	ck_assert_uint_eq(RUN(LDMXCSR), 6);
	ck_assert_uint_eq(RUN(0x0f, 0x2a, 0xc1), 6);  /* cvtpi2ps xmm0,mm1 */
	ck_assert_uint_eq(RUN(MOVQ), RIG_HALTED);
	ck_assert_uint_eq(RUN(0x0f, 0xe0, 0xc1), RIG_HALTED); /* pavgb mm0,mm1 */
	ck_assert_uint_eq(RUN(FXSAVE), RIG_HALTED);
}
END_TEST

START_TEST(older_models_have_the_x87_alone)
{
	static const enum emu_cpu models[] = { EMU_CPU_386, EMU_CPU_486, EMU_CPU_PENTIUM };
	rig_free(rig);
	rig = fpu_rig_new(models[_i]);
	ck_assert_uint_eq(RUN(FNINIT, 0xd9, 0xe8, FADD), RIG_HALTED);
	ck_assert_uint_eq(RUN(MOVQ), 6);
	ck_assert_uint_eq(RUN(EMMS), 6);
	ck_assert_uint_eq(RUN(ADDPS), 6);
	ck_assert_uint_eq(RUN(FXSAVE), 6);
	ck_assert_uint_eq(RUN(0x0f, 0xae, 0xf0), 6);
	ck_assert_uint_eq(RUN(0xda, 0xc1), 6); /* fcmovb */
	ck_assert_uint_eq(RUN(0xdb, 0xf1), 6); /* fcomi */
}
END_TEST

/* --- x87 errors ----------------------------------------------------------------------------- */

/* Unmasks zero-divide; 1 / 0 */
#define DIVIDE FNINIT, 0x66, 0xc7, 0x05, D(RIG_DATA), W(0x37b), 0xd9, 0x2d, D(RIG_DATA), \
               0xd9, 0xe8, 0xd9, 0xee, 0xde, 0xf9
#define DIVIDE_SIZE 23u

START_TEST(an_error_waits_for_a_waiting_instruction)
{
	ck_assert_uint_eq(RUN(DIVIDE), RIG_HALTED);
	ck_assert_uint_eq(FSW(), 0xb084); /* B, TOP 6, ES, ZE: nothing popped */
	static const uint8_t waits[][3] = { { WAIT }, { FADD }, { 0xd9, 0xd0 }, { 0xd9, 0xeb }, { MOVQ }, { EMMS } };
	for (unsigned i = 0; i < sizeof waits / sizeof *waits; i++) {
		rig_put(rig, RIG_CODE, waits[i], 3);
		rig->ctx->rip = RIG_CODE;
		ck_event(rig, 16, RIG_CODE);
	}
	ck_assert_uint_eq(RUN(ADDPS), RIG_HALTED);
	ck_assert_uint_eq(RUN(0xdf, 0xe0, 0xdb, 0xe0, 0xdb, 0xe1, 0xdb, 0xe4), RIG_HALTED); /* fnstsw, feni, ... */
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].x, 0xb084);
	ck_assert_uint_eq(RUN(0xd9, 0x3d, D(RIG_DATA), FNCLEX, WAIT), RIG_HALTED); /* fnstcw */
	ck_assert_uint_eq(FSW(), 0x3000);
}
END_TEST

START_TEST(fldcw_makes_an_old_flag_an_error)
{
	ck_assert_uint_eq(RUN(FNINIT, 0xd9, 0xe8, 0xd9, 0xee, 0xde, 0xf9), RIG_HALTED); /* masked 1 / 0 */
	ck_assert_uint_eq(FSW() & 0x80ff, 0x04);
	rig_set(rig, RIG_DATA, 2, 0x37b);
	ck_assert_uint_eq(RUN(0xd9, 0x2d, D(RIG_DATA)), RIG_HALTED);
	ck_assert_uint_eq(FSW() & 0x80ff, 0x8084);
	ck_assert_uint_eq(RUN(FADD), 16);
}
END_TEST

START_TEST(fnstenv_and_fnsave_end_an_error)
{
	ck_assert_uint_eq(RUN(DIVIDE, 0xd9, 0x35, D(RIG_DATA), WAIT), RIG_HALTED);
	ck_assert_uint_eq(rig_get(rig, RIG_DATA, 2), 0x37b);
	ck_assert_uint_eq(rig_get(rig, RIG_DATA + 4, 2), 0xb084);
	ck_assert_uint_eq(FCW(), 0x37f);
	ck_assert_uint_eq(FSW(), 0x3004);
	ck_assert_uint_eq(RUN(DIVIDE, 0xdd, 0x35, D(RIG_DATA), WAIT), RIG_HALTED);
	ck_assert_uint_eq(FCW(), 0x37f);
	ck_assert_uint_eq(FSW(), 0);
}
END_TEST

/* --- FERR# ------------------------------------------------------------------------------------ */

static unsigned ferr_rises, ferr_falls;

static void count_ferr(void *owner, unsigned n, bool level)
{
	(void)n;
	(void)(level ? ++ferr_rises : ++ferr_falls);
	struct cpu_pins *pins = owner;
	pins->intr |= level;
	cpu_pins_attend(pins);
}

static uint8_t acknowledge(void *owner)
{
	((struct cpu_pins *)owner)->intr = false;
	return 0x75;
}

static void connect_ferr(void)
{
	struct cpu_pins *pins = &rig->machine->pins;
	ferr_rises = ferr_falls = 0;
	pins->ferr = (struct irq_line){ count_ferr, pins, 0 };
	pins->acknowledge = acknowledge;
	pins->owner = pins;
	rig->ctx->cr0 &= ~(uint64_t)CTX_CR0_NE;
}

START_TEST(ferr_interrupts_before_the_next_waiting_instruction)
{
	connect_ferr();
	rig->ctx->rflags |= CTX_EFLAGS_IF;
	ck_assert_uint_eq(RUN(DIVIDE, 0x40, FADD), 0x75); /* inc eax */
	ck_assert_uint_eq(rig_frame32(rig, 0), RIG_CODE + DIVIDE_SIZE + 1);
	ck_assert_uint_eq(ferr_rises, 1);
	ck_assert_uint_eq(ferr_falls, 0);
	/* The handler: interrupts are off, and it goes on as with IGNNE#. */
	rig->ctx->rflags &= ~(uint64_t)CTX_EFLAGS_IF;
	ck_assert_uint_eq(RUN(WAIT, 0xd9, 0xe8, FNCLEX), RIG_HALTED);
	ck_assert_uint_eq(ferr_rises, 1);
	ck_assert_uint_eq(ferr_falls, 1);
	ck_assert_uint_eq(FSW(), 0x2800);
}
END_TEST

START_TEST(ne_leaves_ferr_alone)
{
	connect_ferr();
	rig->ctx->cr0 |= CTX_CR0_NE;
	rig->ctx->rflags |= CTX_EFLAGS_IF;
	ck_assert_uint_eq(RUN(DIVIDE, FADD), 16);
	ck_assert_uint_eq(ferr_rises, 0);
}
END_TEST

/* --- SIMD errors ---------------------------------------------------------------------------------- */

START_TEST(simd_error_by_osxmmexcpt)
{
	uint8_t *image = rig->ctx->fxsave;
	image_set(image, IMAGE_MXCSR, 4, 0x1d80); /* zero-divide unmasked */
	for (unsigned i = 0; i < 16; i += 4)
		image_set(image, IMAGE_XMM + i, 4, 0x3f800000);
	memset(image + IMAGE_XMM + 16, 0, 16);
	CODE(rig, DIVPS);
	ck_event(rig, 19, RIG_CODE);
	ck_assert_uint_eq(image32(image, IMAGE_MXCSR), 0x1d84);
	ck_assert_uint_eq(image32(image, IMAGE_XMM), 0x3f800000);
	rig->ctx->cr4 &= ~(uint64_t)CTX_CR4_OSXMMEXCPT;
	ck_assert_uint_eq(RUN(DIVPS), 6);
}
END_TEST

START_TEST(mxcsr_has_reserved_bits)
{
	rig_set(rig, RIG_DATA, 4, 0x10000);
	CODE(rig, LDMXCSR);
	ck_fault(rig, 13, 0, RIG_CODE);
	rig_set(rig, RIG_DATA, 4, 0xffbf);
	ck_assert_uint_eq(RUN(LDMXCSR, 0x0f, 0xae, 0x1d, D(RIG_DATA + 4)), RIG_HALTED);
	ck_assert_uint_eq(rig_get(rig, RIG_DATA + 4, 4), 0xffbf);
	rig_set(rig, RIG_DATA + 24, 4, 0x80000000);
	rig->ctx->rip = RIG_CODE;
	CODE_AT(rig, RIG_CODE, FXRSTOR);
	ck_fault(rig, 13, 0, RIG_CODE);
}
END_TEST

/* --- memory: all or nothing ------------------------------------------------------------------------- */

START_TEST(a_store_that_faults_pops_nothing)
{
	RUN(FNINIT, 0xd9, 0xe8);
	rig_paging(rig);
	rig_map(rig, RIG_DATA + 0x1000, 0);
	uint16_t before = FSW();
	static const uint32_t places[] = { 0xffc, 0xff9, 0x1000 };
	for (unsigned i = 0; i < 3; i++) {
		rig_set(rig, RIG_DATA + 0xff8, 4, 0x55555555);
		rig_set(rig, RIG_DATA + 0xffc, 4, 0x55555555);
		CODE_AT(rig, RIG_CODE, 0xdd, 0x1d, D(RIG_DATA + places[i])); /* fstp m64 */
		rig->ctx->rip = RIG_CODE;
		ck_fault(rig, 14, 2, RIG_CODE);
		ck_assert_uint_eq(rig->ctx->cr2, RIG_DATA + 0x1000);
		ck_assert_uint_eq(FSW(), before);
		ck_assert_uint_eq(rig_get(rig, RIG_DATA + 0xffc, 4), 0x55555555);
	}
	CODE_AT(rig, RIG_CODE, 0xdd, 0x35, D(RIG_DATA + 0xff0)); /* fnsave */
	rig->ctx->rip = RIG_CODE;
	ck_fault(rig, 14, 2, RIG_CODE);
	ck_assert_uint_eq(FSW(), before);
	CODE_AT(rig, RIG_CODE, 0xdb, 0x2d, D(RIG_DATA + 0xff8)); /* fld m80 */
	rig->ctx->rip = RIG_CODE;
	ck_fault(rig, 14, 0, RIG_CODE);
	ck_assert_uint_eq(FSW(), before);
	CODE_AT(rig, RIG_CODE, 0x0f, 0xae, 0x05, D(RIG_DATA + 0xf00)); /* fxsave */
	rig->ctx->rip = RIG_CODE;
	ck_fault(rig, 14, 2, RIG_CODE);
	ck_assert_uint_eq(rig_get(rig, RIG_DATA + 0xf00, 4), 0);
}
END_TEST

START_TEST(alignment)
{
	CODE_AT(rig, RIG_CODE, 0x0f, 0xae, 0x05, D(RIG_DATA + 8)); /* fxsave */
	ck_fault(rig, 13, 0, RIG_CODE);
	CODE_AT(rig, RIG_CODE, 0x0f, 0x28, 0x05, D(RIG_DATA + 4)); /* movaps */
	rig->ctx->rip = RIG_CODE;
	ck_fault(rig, 13, 0, RIG_CODE);
	CODE_AT(rig, RIG_CODE, 0x36, 0x0f, 0x28, 0x05, D(RIG_DATA + 4)); /* through SS as well */
	rig->ctx->rip = RIG_CODE;
	ck_fault(rig, 13, 0, RIG_CODE);
	/* #AC in ring 3 goes by the format's own alignment. */
	rig->ctx->cr0 |= CTX_CR0_AM;
	rig->ctx->rflags |= CTX_EFLAGS_AC;
	rig_ring3(rig);
	static const struct { uint8_t op, modrm, at; bool faults; } rows[] = {
		{ 0xdb, 0x2d, 8, false }, { 0xdb, 0x2d, 4, true },  /* fld m80 */
		{ 0xdd, 0x05, 8, false }, { 0xdd, 0x05, 4, true },  /* fld m64 */
		{ 0xd9, 0x25, 4, false }, { 0xd9, 0x25, 2, true },  /* fldenv, 28 bytes */
	};
	struct ctx before = *rig->ctx;
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		*rig->ctx = before;
		CODE_AT(rig, RIG_CODE, rows[i].op, rows[i].modrm, D(RIG_DATA + rows[i].at), 0x0f, 0x0b);
		rig->ctx->rip = RIG_CODE;
		ck_assert_uint_eq(rig_run(rig), rows[i].faults ? 17 : 6);
	}
}
END_TEST

/* --- saved state ---------------------------------------------------------------------------------------- */

/* ST(0) = 1, ST(1) = 0, ST(2) = infinity; pointers that all bits of the formats hold. */
static void known_state(void)
{
	uint8_t *image = rig->ctx->fxsave;
	memset(image, 0, CTX_FXSAVE_SIZE);
	image_set(image, IMAGE_FCW, 2, 0x27f);
	image_set(image, IMAGE_FSW, 2, 5 << 11 | 0x4100);
	image[IMAGE_FTW] = 0xe0;
	image_set(image, IMAGE_FOP, 2, 0x5a3);
	image_set(image, IMAGE_FIP, 4, 0x000a1234);
	image_set(image, IMAGE_FCS, 2, 0x5678);
	image_set(image, IMAGE_FDP, 4, 0x00023456);
	image_set(image, IMAGE_FDS, 2, 0x9abc);
	image_set(image, IMAGE_MXCSR, 4, 0x1f80);
	image_set(image, IMAGE_ST + 7, 1, 0x80);
	image_set(image, IMAGE_ST + 8, 2, 0x3fff);
	image_set(image, IMAGE_ST + 32 + 7, 1, 0x80);
	image_set(image, IMAGE_ST + 32 + 8, 2, 0x7fff);
}

enum { TAGS = 0x93ff }; /* 7: special, 6: zero, 5: valid, others empty */

START_TEST(environment_in_protected_mode)
{
	known_state();
	ck_assert_uint_eq(RUN(0xd9, 0x35, D(RIG_DATA), 0x66, 0xd9, 0x35, D(RIG_DATA + 0x40)), RIG_HALTED);
	static const uint32_t wide[7] = { 0xffff027f, 0xffff6900, 0xffff0000 | TAGS, 0x000a1234, 0x05a35678, 0x00023456, 0xffff9abc };
	static const uint16_t narrow[7] = { 0x27f, 0x6900, TAGS, 0x1234, 0x5678, 0x3456, 0x9abc };
	for (unsigned i = 0; i < 7; i++) {
		ck_assert_uint_eq(rig_get(rig, RIG_DATA + 4 * i, 4), wide[i]);
		ck_assert_uint_eq(rig_get(rig, RIG_DATA + 0x40 + 2 * i, 2), narrow[i]);
	}
	ck_assert_uint_eq(rig_get(rig, RIG_DATA + 28, 4), 0);
}
END_TEST

START_TEST(environment_in_real_mode)
{
	rig_free(rig);
	rig = rig_new_real(EMU_CPU_P6);
	known_state();
	/* fnstenv [0]; db 66h fnstenv [40h] */
	CODE(rig, 0xd9, 0x36, W(0), 0x66, 0xd9, 0x36, W(0x40), 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	/* 5678:A1234 is F79B4, 9ABC:23456 is BE016 */
	static const uint16_t narrow[7] = { 0x27f, 0x6900, TAGS, 0x79b4, 0xf5a3, 0xe016, 0xb000 };
	static const uint32_t wide[7] = { 0xffff027f, 0xffff6900, 0xffff0000 | TAGS, 0xffff79b4, 0x0000f5a3, 0xffffe016, 0x0000b000 };
	for (unsigned i = 0; i < 7; i++) {
		ck_assert_uint_eq(rig_get(rig, RIG_DATA + 2 * i, 2), narrow[i]);
		ck_assert_uint_eq(rig_get(rig, RIG_DATA + 0x40 + 4 * i, 4), wide[i]);
	}
	/* fldenv [0] reads them back as linear addresses */
	rig->ctx->rip = 0;
	CODE_AT(rig, RIG_CODE, 0xdb, 0xe3, 0xd9, 0x26, W(0), 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(image32(rig->ctx->fxsave, IMAGE_FIP), 0xf79b4);
	ck_assert_uint_eq(image32(rig->ctx->fxsave, IMAGE_FDP), 0xbe016);
	ck_assert_uint_eq(image16(rig->ctx->fxsave, IMAGE_FOP), 0x5a3);
	ck_assert_uint_eq(rig->ctx->fxsave[IMAGE_FTW], 0xe0);
}
END_TEST

START_TEST(saved_and_restored)
{
	for (unsigned narrow = 0; narrow < 2; narrow++) {
		struct fpu_case state;
		uint8_t before[CTX_FXSAVE_SIZE], prefix = narrow ? 0x66 : 0x90;
		fpu_random_case(&state, false);
		image_set(state.image, IMAGE_FIP, 4, 0x4321);
		image_set(state.image, IMAGE_FCS, 2, SEL_CODE0);
		image_set(state.image, IMAGE_FDP, 4, 0x1234);
		image_set(state.image, IMAGE_FDS, 2, SEL_DATA0);
		memcpy(rig->ctx->fxsave, state.image, sizeof before);
		memcpy(before, state.image, sizeof before);
		ck_assert_uint_eq(RUN(prefix, 0xdd, 0x35, D(RIG_DATA)), RIG_HALTED); /* fnsave */
		ck_assert_uint_eq(FCW(), 0x37f);
		ck_assert_uint_eq(FSW(), 0);
		ck_assert_uint_eq(rig->ctx->fxsave[IMAGE_FTW], 0);
		ck_assert_uint_eq(image32(rig->ctx->fxsave, IMAGE_FIP), 0);
		unsigned top = image16(before, IMAGE_FSW) >> 11 & 7;
		ck_assert_mem_eq(rig->ctx->fxsave + IMAGE_ST + 16 * top, before + IMAGE_ST, 10);
		ck_assert_uint_eq(RUN(prefix, 0xdd, 0x25, D(RIG_DATA)), RIG_HALTED); /* frstor */
		if (narrow)
			image_set(before, IMAGE_FOP, 2, 0); /* there is none in this format */
		ck_assert_mem_eq(rig->ctx->fxsave, before, IMAGE_MXCSR);
		ck_assert_mem_eq(rig->ctx->fxsave + IMAGE_ST, before + IMAGE_ST, 128);
	}
}
END_TEST

/* What the host's own FNSAVE writes, FRSTOR takes, and the other way round. */
START_TEST(registers_are_where_the_host_has_them)
{
	struct fpu_case state;
	_Alignas(16) uint8_t image[512];
	uint8_t saved[108];
	fpu_random_case(&state, false);
	memcpy(image, state.image, sizeof image);
	memcpy(rig->ctx->fxsave, state.image, sizeof state.image);
	__asm__ volatile("fxrstor64 %1\n\tfnsave %0" : "=m"(saved) : "m"(image));
	ck_assert_uint_eq(RUN(0xdd, 0x35, D(RIG_DATA)), RIG_HALTED);
	ck_assert_mem_eq(rig->ram + RIG_DATA, saved, 12);
	ck_assert_mem_eq(rig->ram + RIG_DATA + 28, saved + 28, 80);
	rig_put(rig, RIG_DATA, saved, sizeof saved);
	ck_assert_uint_eq(RUN(0xdd, 0x25, D(RIG_DATA)), RIG_HALTED);
	ck_assert_mem_eq(rig->ctx->fxsave, state.image, 5);
	ck_assert_mem_eq(rig->ctx->fxsave + IMAGE_ST, state.image + IMAGE_ST, 128);
}
END_TEST

START_TEST(fldenv_moves_top_under_the_registers)
{
	struct fpu_case state;
	fpu_random_case(&state, false);
	image_set(state.image, IMAGE_FSW, 2, 2 << 11);
	memcpy(rig->ctx->fxsave, state.image, sizeof state.image);
	memset(rig->ram + RIG_DATA, 0, 28);
	rig_set(rig, RIG_DATA, 2, 0x37f);
	rig_set(rig, RIG_DATA + 4, 2, 5 << 11);
	ck_assert_uint_eq(RUN(0xd9, 0x25, D(RIG_DATA)), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->fxsave[IMAGE_FTW], 0xff);
	for (unsigned i = 0; i < 8; i++) /* R(n) is ST(n - 2), then ST(n - 5) */
		ck_assert_mem_eq(rig->ctx->fxsave + IMAGE_ST + 16 * ((i - 5) & 7), state.image + IMAGE_ST + 16 * ((i - 2) & 7), 10);
}
END_TEST

START_TEST(fxsave_and_fxrstor)
{
	known_state();
	uint8_t *image = rig->ctx->fxsave;
	for (unsigned i = 0; i < 128; i++)
		image[IMAGE_XMM + i] = (uint8_t)(i + 1);
	memset(rig->ram + RIG_DATA, 0xcc, 512);
	uint8_t before[CTX_FXSAVE_SIZE];
	memcpy(before, image, sizeof before);
	image_set(before, IMAGE_MXCSR + 4, 4, 0xffff); /* MXCSR_MASK */
	ck_assert_uint_eq(RUN(FXSAVE), RIG_HALTED);
	ck_assert_mem_eq(rig->ram + RIG_DATA, before, IMAGE_END);
	for (unsigned i = IMAGE_END; i < 512; i++)
		ck_assert_uint_eq(rig->ram[RIG_DATA + i], 0xcc);
	ck_assert_uint_eq(RUN(FNINIT, 0x0f, 0x57, 0xc0, FXRSTOR), RIG_HALTED); /* xorps */
	ck_assert_mem_eq(image, before, IMAGE_MXCSR + 4);
	ck_assert_mem_eq(image + IMAGE_ST, before + IMAGE_ST, IMAGE_END - IMAGE_ST);
	/* Without OSFXSR the SSE part neither goes nor comes. */
	rig->ctx->cr4 &= ~(uint64_t)CTX_CR4_OSFXSR;
	memset(rig->ram + RIG_DATA, 0xcc, 512);
	ck_assert_uint_eq(RUN(FXSAVE), RIG_HALTED);
	ck_assert_mem_eq(rig->ram + RIG_DATA, before, IMAGE_MXCSR);
	ck_assert_uint_eq(rig->ram[RIG_DATA + IMAGE_XMM], 0xcc);
	ck_assert_uint_eq(RUN(FXRSTOR), RIG_HALTED);
	ck_assert_mem_eq(image + IMAGE_XMM, before + IMAGE_XMM, 128);
}
END_TEST

START_TEST(fxrstor_makes_a_flag_an_error)
{
	known_state();
	memcpy(rig->ram + RIG_DATA, rig->ctx->fxsave, 512);
	rig_set(rig, RIG_DATA + IMAGE_FCW, 2, 0xff3e); /* invalid unmasked, reserved bits set */
	rig_set(rig, RIG_DATA + IMAGE_FSW, 2, 1);
	ck_assert_uint_eq(RUN(FXRSTOR), RIG_HALTED);
	ck_assert_uint_eq(FCW(), 0x1f7e);
	ck_assert_uint_eq(FSW(), 0x8081);
	ck_assert_uint_eq(RUN(WAIT), 16);
}
END_TEST

/* --- masked moves --------------------------------------------------------------------------------------------- */

START_TEST(maskmov_writes_what_is_selected)
{
	uint8_t *image = rig->ctx->fxsave;
	RUN(FNINIT);
	for (unsigned i = 0; i < 16; i++) {
		image[IMAGE_XMM + i] = (uint8_t)(i + 1);
		image[IMAGE_XMM + 16 + i] = i & 1 ? 0x80 : 0x7f;
	}
	memset(rig->ram + RIG_DATA, 0xcc, 32);
	rig->ctx->gpr[CTX_RDI].e = RIG_DATA + 3;
	ck_assert_uint_eq(RUN(0x66, 0x0f, 0xf7, 0xc1), RIG_HALTED);
	for (unsigned i = 0; i < 16; i++)
		ck_assert_uint_eq(rig->ram[RIG_DATA + 3 + i], i & 1 ? i + 1 : 0xcc);
	/* Nothing selected: no access. Else the range has to be there. */
	rig_paging(rig);
	rig_map(rig, RIG_DATA + 0x1000, 0);
	rig->ctx->gpr[CTX_RDI].e = RIG_DATA + 0x1000;
	memset(image + IMAGE_XMM + 32, 0x7f, 16);
	ck_assert_uint_eq(RUN(0x66, 0x0f, 0xf7, 0xc2), RIG_HALTED);
	rig->ctx->rip = RIG_CODE;
	CODE_AT(rig, RIG_CODE, 0x66, 0x0f, 0xf7, 0xc1);
	ck_fault(rig, 14, 2, RIG_CODE);
}
END_TEST

/* --- hand-over -------------------------------------------------------------------------------------------------- */

static unsigned fetched;

static void fetch(void *keeper, struct ctx *ctx, enum ctx_part part)
{
	ck_assert_ptr_eq(keeper, rig);
	ck_assert_int_eq(part, CTX_PART_FPU);
	memset(ctx->fxsave, 0, sizeof ctx->fxsave);
	ctx->fxsave[0] = 0x7f;
	ctx->fxsave[1] = 0x3;
	ctx->fxsave[24] = 0x80;
	ctx->fxsave[25] = 0x1f;
	fetched++;
}

/* Another engine has kept the image: each that works on it asks, once and before. */
#define USE(...) { sizeof((const uint8_t[]){ __VA_ARGS__ }), { __VA_ARGS__ } }
static const struct { uint8_t size, bytes[7]; } uses[] = {
	USE(FADD), USE(0xdf, 0xe0), USE(0xd9, 0x3d, D(RIG_DATA)), USE(WAIT), USE(MOVQ), USE(EMMS), USE(ADDPS), USE(STMXCSR),
	USE(FXSAVE), USE(FNCLEX),
};
#define USES ((int)(sizeof uses / sizeof *uses))

START_TEST(first_use_fetches_the_image)
{
	rig->machine->pins.fetch = fetch;
	rig->machine->pins.keeper = rig;
	rig->ctx->fpu_present = 0;
	fetched = 0;
	ck_assert_uint_eq(RUN(0x90), RIG_HALTED);
	rig->ctx->cr0 |= CTX_CR0_TS;
	ck_assert_uint_eq(RUN(FADD), 7);
	rig->ctx->cr0 &= ~(uint64_t)CTX_CR0_TS;
	ck_assert_uint_eq(fetched + rig->ctx->fpu_present, 0);
	memset(rig->ctx->fxsave, 0xff, sizeof rig->ctx->fxsave);
	rig_put(rig, RIG_CODE, uses[_i].bytes, uses[_i].size);
	CODE(rig, 0xf4);
	rig->ctx->rip = RIG_CODE;
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(fetched, 1);
	ck_assert_uint_eq(rig->ctx->fpu_present, 1);
	ck_assert_uint_eq(FCW(), 0x37f);
	ck_assert_uint_eq(RUN(FNCLEX), RIG_HALTED);
	ck_assert_uint_eq(fetched, 1);
}
END_TEST

static TCase *checks(void)
{
	TCase *tcase = tcase_create("checks");
	tcase_add_checked_fixture(tcase, start, stop);
	tcase_add_loop_test(tcase, ts_and_em, 0, 6);
	tcase_add_test(tcase, fault_names_the_instruction);
	tcase_add_test(tcase, osfxsr_gates_xmm_alone);
	tcase_add_loop_test(tcase, older_models_have_the_x87_alone, 0, 3);
	tcase_add_test(tcase, an_error_waits_for_a_waiting_instruction);
	tcase_add_test(tcase, fldcw_makes_an_old_flag_an_error);
	tcase_add_test(tcase, fnstenv_and_fnsave_end_an_error);
	tcase_add_test(tcase, ferr_interrupts_before_the_next_waiting_instruction);
	tcase_add_test(tcase, ne_leaves_ferr_alone);
	tcase_add_test(tcase, simd_error_by_osxmmexcpt);
	tcase_add_test(tcase, mxcsr_has_reserved_bits);
	tcase_add_test(tcase, a_store_that_faults_pops_nothing);
	tcase_add_test(tcase, alignment);
	return tcase;
}

static TCase *saved(void)
{
	TCase *tcase = tcase_create("state");
	tcase_add_checked_fixture(tcase, start, stop);
	tcase_add_test(tcase, environment_in_protected_mode);
	tcase_add_test(tcase, environment_in_real_mode);
	tcase_add_test(tcase, saved_and_restored);
	tcase_add_test(tcase, registers_are_where_the_host_has_them);
	tcase_add_test(tcase, fldenv_moves_top_under_the_registers);
	tcase_add_test(tcase, fxsave_and_fxrstor);
	tcase_add_test(tcase, fxrstor_makes_a_flag_an_error);
	tcase_add_test(tcase, maskmov_writes_what_is_selected);
	tcase_add_loop_test(tcase, first_use_fetches_the_image, 0, USES);
	return tcase;
}

Suite *suite_fpu_faults(void)
{
	Suite *suite = suite_create("fpu_faults");
	suite_add_tcase(suite, checks());
	suite_add_tcase(suite, saved());
	return suite;
}

#else

Suite *suite_fpu_faults(void) { return suite_create("fpu_faults"); }

#endif
