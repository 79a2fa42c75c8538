/* What each CPU model has and refuses; #UD forms, LOCK, instruction length. */
#include <string.h>

#include "emu/fpu.h"
#include "tests/unit/emu_rig.h"

static struct rig *rig;

static void start(void) { rig = NULL; }
static void stop(void)
{
	if (rig)
		rig_free(rig);
}

/* Runs one instruction in ring 0 of a model; gives the vector, RIG_HALTED if none. */
static unsigned try(enum emu_cpu cpu, const void *bytes, size_t size)
{
	if (rig)
		rig_free(rig);
	rig = rig_new_protected(cpu);
	rig_put(rig, RIG_CODE, bytes, size);
	CODE(rig, 0xf4);
	rig->ctx->gpr[CTX_RBX].e = RIG_DATA;
	return rig_run(rig);
}
#define TRY(cpu, ...) try(EMU_CPU_##cpu, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

/* Fine from `first` on, #UD before. */
static void ck_since(enum emu_cpu first, const void *bytes, size_t size)
{
	for (enum emu_cpu cpu = EMU_CPU_386; cpu <= EMU_CPU_P6; cpu++)
		ck_assert_msg(try(cpu, bytes, size) == (cpu >= first ? RIG_HALTED : 6), "model %u, bytes %02x %02x %02x",
		              cpu, ((const uint8_t *)bytes)[0], ((const uint8_t *)bytes)[1], ((const uint8_t *)bytes)[2]);
}
#define SINCE(cpu, ...) ck_since(EMU_CPU_##cpu, (const uint8_t[]){ __VA_ARGS__, 0x90, 0x90 }, \
                                 sizeof((const uint8_t[]){ __VA_ARGS__ }))

START_TEST(instructions_of_the_486)
{
	SINCE(486, 0x0f, 0xc8);       /* bswap eax */
	SINCE(486, 0x0f, 0xb1, 0x0b); /* cmpxchg [ebx],ecx */
	SINCE(486, 0x0f, 0xc1, 0x0b); /* xadd [ebx],ecx */
	SINCE(486, 0x0f, 0x01, 0x3b); /* invlpg [ebx] */
	SINCE(486, 0x0f, 0x08);       /* invd */
	SINCE(486, 0x0f, 0x09);       /* wbinvd */
	SINCE(486, 0x0f, 0xa2);       /* cpuid */
}
END_TEST

START_TEST(instructions_of_the_pentium)
{
	SINCE(PENTIUM, 0x0f, 0xc7, 0x0b);             /* cmpxchg8b [ebx] */
	SINCE(PENTIUM, 0x0f, 0x31);                   /* rdtsc */
	SINCE(PENTIUM, 0xb9, D(0x10), 0x0f, 0x32);    /* rdmsr */
	SINCE(PENTIUM, 0xb9, D(0x10), 0x0f, 0x30);    /* wrmsr */
	SINCE(PENTIUM, 0x0f, 0x20, 0xe0);             /* mov eax,cr4 */
}
END_TEST

START_TEST(instructions_of_the_p6)
{
	SINCE(P6, 0x0f, 0x44, 0xc1);       /* cmovz eax,ecx */
	SINCE(P6, 0x31, 0xc9, 0x0f, 0x33); /* rdpmc */
	SINCE(P6, 0x0f, 0x1f, 0xc0);       /* nop eax */
	ck_assert_uint_eq(TRY(PENTIUM, 0x0f, 0x34), 6);
	ck_assert_uint_eq(TRY(P6, 0x0f, 0x34), 13); /* sysenter: its CS is null */
	ck_assert_uint_eq(TRY(PENTIUM, 0x0f, 0xaa), 6); /* rsm outside SMM */
}
END_TEST

START_TEST(instructions_of_the_386)
{
	SINCE(386, 0x0f, 0xb6, 0xc1);       /* movzx */
	SINCE(386, 0x0f, 0xa4, 0xc1, 0x05); /* shld */
	SINCE(386, 0x0f, 0xba, 0xe0, 0x05); /* bt eax,5 */
	SINCE(386, 0xd6, 0x90);             /* salc */
	SINCE(386, 0x82, 0xc0, 0x01);       /* add al,1 */
}
END_TEST

/* ID can be toggled exactly where there is CPUID, AC from the 486 on. */
START_TEST(flags_tell_the_model)
{
	for (enum emu_cpu cpu = EMU_CPU_386; cpu <= EMU_CPU_P6; cpu++) {
		static const uint8_t code[] = { 0x68, D(0x240002), 0x9d, 0x9c, 0x58 }; /* push; popfd; pushfd; pop eax */
		ck_assert_uint_eq(try(cpu, code, sizeof code), RIG_HALTED);
		uint32_t want = cpu == EMU_CPU_386 ? 0 : 0x240000;
		ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].e & 0x240000, want);
	}
}
END_TEST

/* FPU; then VME, DE, PSE, TSC, MSR and CX8 as well. */
#define MODEL_FPU     (FPU_PRESENT ? 1u : 0)
#define MODEL_PENTIUM (MODEL_FPU | 0x13e)

START_TEST(cpuid_signature_and_features)
{
	static const uint32_t features[] = { [EMU_CPU_486] = MODEL_FPU, [EMU_CPU_PENTIUM] = MODEL_PENTIUM };
	static const uint8_t code[] = { 0xb8, D(1), 0x0f, 0xa2 };
	for (enum emu_cpu cpu = EMU_CPU_486; cpu <= EMU_CPU_P6; cpu++) {
		try(cpu, code, sizeof code);
		ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].e, emu_cpu_signature(cpu));
		if (cpu < EMU_CPU_P6)
			ck_assert_uint_eq(rig->ctx->gpr[CTX_RDX].e, features[cpu]);
		bool cmov = rig->ctx->gpr[CTX_RDX].e & 1 << 15;
		ck_assert(cmov == (cpu == EMU_CPU_P6));
	}
	ck_assert_uint_eq(TRY(P6, 0x31, 0xc0, 0x0f, 0xa2), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].e, 2);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RBX].e, 0x756e6547);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RDX].e, 0x49656e69);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RCX].e, 0x6c65746e);
}
END_TEST

/* Also where an extended leaf would be: the data of the highest leaf. */
START_TEST(cpuid_above_the_highest_leaf)
{
	static const uint32_t leaves[] = { 3, 0x7fffffff, 0x80000000, 0x80000001, 0xffffffff };
	for (unsigned n = 0; n < sizeof leaves / sizeof *leaves; n++) {
		const uint8_t code[] = { 0xb8, D(leaves[n]), 0x0f, 0xa2 };
		try(EMU_CPU_P6, code, sizeof code);
		ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].e, 1);
		ck_assert_uint_eq(rig->ctx->gpr[CTX_RDX].e, 0);
		try(EMU_CPU_PENTIUM, code, sizeof code);
		ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].e, emu_cpu_signature(EMU_CPU_PENTIUM));
		ck_assert_uint_eq(rig->ctx->gpr[CTX_RDX].e, MODEL_PENTIUM);
	}
}
END_TEST

START_TEST(cr4_takes_only_what_the_model_has)
{
	static const uint8_t pse[] = { 0xb8, D(0x10), 0x0f, 0x22, 0xe0 }, pae[] = { 0xb8, D(0x20), 0x0f, 0x22, 0xe0 };
	static const uint8_t none[] = { 0xb8, D(0x80000000), 0x0f, 0x22, 0xe0 };
	ck_assert_uint_eq(try(EMU_CPU_486, pse, sizeof pse), 6);
	ck_assert_uint_eq(try(EMU_CPU_PENTIUM, pse, sizeof pse), RIG_HALTED);
	ck_assert_uint_eq(try(EMU_CPU_PENTIUM, pae, sizeof pae), 13);
	ck_assert_uint_eq(try(EMU_CPU_P6, pae, sizeof pae), RIG_HALTED);
	ck_assert_uint_eq(try(EMU_CPU_P6, none, sizeof none), 13);
}
END_TEST

START_TEST(cr0_refuses_what_makes_no_sense)
{
	ck_assert_uint_eq(TRY(P6, 0xb8, D(0x80000000), 0x0f, 0x22, 0xc0), 13); /* PG without PE */
	ck_assert_uint_eq(TRY(P6, 0xb8, D(0x20000001), 0x0f, 0x22, 0xc0), 13); /* NW without CD */
	ck_assert_uint_eq(rig->ctx->cr0, CTX_CR0_PE | CTX_CR0_ET);
	ck_assert_uint_eq(TRY(386, 0xb8, D(0x00050021), 0x0f, 0x22, 0xc0), RIG_HALTED); /* no WP, AM, NE there */
	ck_assert_uint_eq(rig->ctx->cr0, CTX_CR0_PE | CTX_CR0_ET);
}
END_TEST

START_TEST(control_registers_that_are_none)
{
	ck_assert_uint_eq(TRY(P6, 0x0f, 0x20, 0xc8), 6); /* mov eax,cr1 */
	ck_assert_uint_eq(TRY(P6, 0x0f, 0x22, 0xe8), 6); /* mov cr5,eax */
	ck_assert_uint_eq(TRY(P6, 0x0f, 0x20, 0xf8), 6); /* mov eax,cr7 */
	ck_assert_uint_eq(TRY(P6, 0x0f, 0x20, 0x00), RIG_HALTED); /* mod is not looked at */
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].e, CTX_CR0_PE | CTX_CR0_ET);
}
END_TEST

START_TEST(undefined_forms)
{
	static const uint8_t forms[][4] = {
		{ 0x0f, 0x0b }, { 0x0f, 0xb9, 0xc0 }, { 0x0f, 0xff, 0xc0 }, /* UD2, UD1, UD0 */
		{ 0x8c, 0xf0 }, { 0x8c, 0xf8 },           /* mov ax, segment 6 and 7 */
		{ 0x8e, 0xc8 }, { 0x8e, 0xf0 },           /* mov cs,ax; segment 6 */
		{ 0x8d, 0xc0 },                           /* lea with a register */
		{ 0xc4, 0xc0 }, { 0xc5, 0xc0 },           /* les, lds */
		{ 0x0f, 0xb2, 0xc0 },                     /* lss */
		{ 0x62, 0xc0 },                           /* bound */
		{ 0xff, 0xd8 }, { 0xff, 0xe8 }, { 0xff, 0xf8 }, /* far call, far jmp, /7 */
		{ 0xfe, 0xd0 }, { 0x8f, 0xc8 }, { 0xc6, 0xc8 }, { 0xc7, 0xc8 },
		{ 0x0f, 0x00, 0xf0 }, { 0x0f, 0x01, 0xc0 }, { 0x0f, 0x01, 0xd0 }, { 0x0f, 0x01, 0xe8 }, { 0x0f, 0x01, 0xf8 },
		{ 0x0f, 0xba, 0xc0 }, { 0x0f, 0xc7, 0xc8 }, { 0x0f, 0xc7, 0x03 },
		{ 0x0f, 0x04 }, { 0x0f, 0x0a }, { 0x0f, 0x24, 0xc0 }, { 0x0f, 0xa6 }, { 0x0f, 0x36 },
	};
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		unsigned vector = try(EMU_CPU_P6, forms[i], 4);
		ck_assert_msg(vector == 6, "%02x %02x %02x gave %u", forms[i][0], forms[i][1], forms[i][2], vector);
		ck_assert_uint_eq(rig_frame32(rig, 0), RIG_CODE);
	}
}
END_TEST

START_TEST(outside_protected_mode_selectors_mean_nothing)
{
	static const uint8_t forms[][3] = {
		{ 0x0f, 0x00, 0xc0 }, { 0x0f, 0x00, 0xc8 }, { 0x0f, 0x00, 0xd0 }, { 0x0f, 0x00, 0xd8 }, /* SLDT STR LLDT LTR */
		{ 0x0f, 0x00, 0xe0 }, { 0x0f, 0x00, 0xe8 }, { 0x0f, 0x02, 0xc0 }, { 0x0f, 0x03, 0xc0 }, /* VERR VERW LAR LSL */
		{ 0x63, 0xc0, 0x90 }, /* ARPL */
	};
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		if (rig)
			rig_free(rig);
		rig = rig_new_real(EMU_CPU_P6);
		rig_put(rig, RIG_CODE, forms[i], 3);
		ck_assert_uint_eq(rig_run(rig), 6);
	}
}
END_TEST

START_TEST(lock_is_for_memory_that_is_changed)
{
	static const uint8_t good[][5] = {
		{ 0xf0, 0x00, 0x03 }, { 0xf0, 0x81 - 1, 0x03, 0x01 }, { 0xf0, 0xff, 0x03 }, { 0xf0, 0xfe, 0x0b },
		{ 0xf0, 0xf7, 0x13 }, { 0xf0, 0xf6, 0x1b }, { 0xf0, 0x87, 0x0b }, { 0xf0, 0x11, 0x0b }, { 0xf0, 0x29, 0x0b },
		{ 0xf0, 0x0f, 0xab, 0x0b }, { 0xf0, 0x0f, 0xba, 0x2b, 0x01 }, { 0xf0, 0x0f, 0xb1, 0x0b },
		{ 0xf0, 0x0f, 0xc1, 0x0b }, { 0xf0, 0x0f, 0xc7, 0x0b },
	};
	static const uint8_t bad[][5] = {
		{ 0xf0, 0x01, 0xc0 },       /* add with a register */
		{ 0xf0, 0x03, 0x03 },       /* add from memory */
		{ 0xf0, 0x39, 0x03 },       /* cmp */
		{ 0xf0, 0x85, 0x03 },       /* test */
		{ 0xf0, 0x89, 0x03 },       /* mov */
		{ 0xf0, 0x90 }, { 0xf0, 0x40 }, { 0xf0, 0x91 }, { 0xf0, 0x87, 0xc1 },
		{ 0xf0, 0x0f, 0xa3, 0x03 }, /* bt */
		{ 0xf0, 0x0f, 0xba, 0x23, 0x01 },
		{ 0xf0, 0xd1, 0x23 },       /* shl */
		{ 0xf0, 0x83, 0x3b, 0x01 }, /* cmp, immediate */
		{ 0xf0, 0xf7, 0x23 },       /* mul */
		{ 0xf0, 0xff, 0x33 },       /* push */
		{ 0xf0, 0xa4 },             /* movs */
	};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		ck_assert_msg(try(EMU_CPU_P6, good[i], 5) != 6, "good %zu", i);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(try(EMU_CPU_P6, bad[i], 5) == 6, "bad %zu", i);
}
END_TEST

START_TEST(fifteen_bytes_run_sixteen_are_gp)
{
	uint8_t code[17];
	memset(code, 0x3e, sizeof code);
	code[14] = 0x40; /* inc eax behind 14 prefixes */
	ck_assert_uint_eq(try(EMU_CPU_P6, code, 15), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].e, 1);
	code[14] = 0x3e;
	code[15] = 0x40;
	ck_assert_uint_eq(try(EMU_CPU_P6, code, 16), 13);
	ck_assert_uint_eq(rig_frame32(rig, 0), 0);
	ck_assert_uint_eq(rig_frame32(rig, 1), RIG_CODE);
	/* An immediate may push it over as well. */
	code[12] = 0xb8;
	ck_assert_uint_eq(try(EMU_CPU_P6, code, 17), 13);
}
END_TEST

START_TEST(privileged_instructions_in_ring_3)
{
	static const uint8_t forms[][3] = {
		{ 0xf4 }, { 0x0f, 0x06 }, { 0x0f, 0x08 }, { 0x0f, 0x09 }, { 0x0f, 0x01, 0x13 }, { 0x0f, 0x01, 0x1b },
		{ 0x0f, 0x00, 0xd0 }, { 0x0f, 0x00, 0xd8 }, { 0x0f, 0x01, 0xf0 }, { 0x0f, 0x01, 0x3b },
		{ 0x0f, 0x20, 0xc0 }, { 0x0f, 0x22, 0xc0 }, { 0x0f, 0x21, 0xc0 }, { 0x0f, 0x23, 0xc0 },
		{ 0x0f, 0x30 }, { 0x0f, 0x32 }, { 0x0f, 0x33 }, { 0xfa }, { 0xfb }, { 0xe4, 0x10 }, { 0xee }, { 0x6c }, { 0x6f },
		{ 0x0f, 0x35 },
	};
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		if (rig)
			rig_free(rig);
		rig = rig_new_protected(EMU_CPU_P6);
		rig_ring3(rig);
		rig->ctx->gpr[CTX_RBX].e = RIG_DATA;
		rig->ctx->sysenter_cs = 8;
		rig_put(rig, RIG_CODE, forms[i], 3);
		ck_fault(rig, 13, 0, RIG_CODE);
	}
}
END_TEST

START_TEST(time_stamps)
{
	ck_assert_uint_eq(TRY(P6, 0x0f, 0x31, 0x89, 0xc3, 0x0f, 0x31), RIG_HALTED);
	ck_assert_uint_gt(rig->ctx->gpr[CTX_RAX].e, rig->ctx->gpr[CTX_RBX].e);
	static const uint8_t code[] = { 0xb8, D(0x1234), 0xba, D(0x99), 0xb9, D(0x10), 0x0f, 0x30, 0x0f, 0x31 };
	try(EMU_CPU_P6, code, sizeof code);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RDX].e, 0x99);
	ck_assert_uint_lt(rig->ctx->gpr[CTX_RAX].e - 0x1234, 1000);
	rig_free(rig);
	rig = rig_new_protected(EMU_CPU_P6);
	rig_ring3(rig);
	rig->ctx->cr4 = CTX_CR4_TSD;
	CODE(rig, 0x0f, 0x31);
	ck_fault(rig, 13, 0, RIG_CODE);
}
END_TEST

START_TEST(sysenter_and_sysexit)
{
	rig = rig_new_protected(EMU_CPU_P6);
	rig_ring3(rig);
	rig->ctx->rflags |= CTX_EFLAGS_IF;
	rig->ctx->sysenter_cs = SEL_CODE0;
	rig->ctx->sysenter_esp = RIG_STACK0;
	rig->ctx->sysenter_eip = RIG_CODE + 0x100;
	CODE(rig, 0x0f, 0x34);
	CODE_AT(rig, RIG_CODE + 0x100, 0x8c, 0xc8, 0x8c, 0xd3, 0xb9, D(RIG_STACK3), 0xba, D(RIG_CODE + 0x200),
	        0x0f, 0x35); /* mov eax,cs; mov ebx,ss; mov ecx; mov edx; sysexit */
	CODE_AT(rig, RIG_CODE + 0x200, 0xcd, 0x80);
	ck_event(rig, 0x80, RIG_CODE + 0x202);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].e, SEL_CODE0);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RBX].e, SEL_CODE0 + 8);
	ck_assert_uint_eq(rig_frame32(rig, 1), SEL_CODE0 + 16 + 3);
	ck_assert_uint_eq(rig_frame32(rig, 2) & CTX_EFLAGS_IF, 0);
	ck_assert_uint_eq(rig_frame32(rig, 3), RIG_STACK3);
	ck_assert_uint_eq(rig_frame32(rig, 4), SEL_CODE0 + 24 + 3);
}
END_TEST

static unsigned wrmsr(uint32_t msr, uint32_t high, uint32_t low)
{
	unsigned vector = TRY(P6, 0xb9, D(msr), 0xba, D(high), 0xb8, D(low), 0x0f, 0x30, 0x31, 0xc0, 0x31, 0xd2, 0x0f, 0x32);
	bool held = rig->ctx->gpr[CTX_RAX].e == low && rig->ctx->gpr[CTX_RDX].e == high;
	return vector == RIG_HALTED && !held ? 0 : vector;
}

START_TEST(wrmsr_refuses_reserved_bits)
{
	static const struct {
		uint32_t msr, high, low;
		bool taken;
	} cases[] = {
		{ 0x1b, 0xf, 0xfee00900, true }, { 0x1b, 0x10, 0xfee00900, false }, { 0x1b, 0, 0xfee00901, false },
		{ 0x200, 0, 0xe0000001, true }, { 0x200, 0, 0xe0000002, false }, { 0x200, 0, 0xe0000100, false },
		{ 0x201, 0xf, 0xe0000800, true }, { 0x201, 0x10, 0xe0000800, false }, { 0x201, 0xf, 0xe0000801, false },
		{ 0x250, 0x06060606, 0x05040100, true }, { 0x250, 0x06060607, 0, false }, { 0x26f, 0, 0x02000000, false },
		{ 0x277, 0x00070406, 0x00070406, true }, { 0x277, 0, 2, false }, { 0x277, 0x08000000, 0, false },
		{ 0x2ff, 0, 0xc06, true }, { 0x2ff, 0, 0xc07, false }, { 0x2ff, 0, 0x1c06, false }, { 0x2ff, 1, 0xc06, false },
		{ 0x176, 0, 0xc0001234, true }, { 0xfe, 0, 0x508, false }, { 0x179, 0, 0, false }, { 0x17, 0, 0, false },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		ck_assert_msg(wrmsr(cases[i].msr, cases[i].high, cases[i].low) == (cases[i].taken ? RIG_HALTED : 13), "case %zu", i);
	/* IA32_PLATFORM_ID, which Linux reads without care: there, but read only. */
	ck_assert_uint_eq(TRY(P6, 0xb9, D(0x17), 0x0f, 0x32), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].e, 0);
}
END_TEST

START_TEST(test_registers_of_the_386_and_486)
{
	static const enum emu_cpu models[] = { EMU_CPU_386, EMU_CPU_486, EMU_CPU_PENTIUM, EMU_CPU_P6 };
	for (unsigned model = 0; model < 4; model++)
		for (unsigned number = 0; number < 8; number++) {
			const uint8_t code[] = { 0xb8, D(0x12345678), 0x0f, 0x26, (uint8_t)(0xc0 | number << 3), /* mov tr,eax */
			                         0x0f, 0x24, (uint8_t)(0xc3 | number << 3) };            /* mov ebx,tr */
			bool there = model < 2 && number >= (model ? 3u : 6u);
			ck_assert_msg(try(models[model], code, sizeof code) == (there ? RIG_HALTED : 6), "model %u, TR%u", model, number);
			ck_assert_uint_eq(rig->ctx->gpr[CTX_RBX].e, there ? 0x12345678 : RIG_DATA);
		}
	/* A look-up misses: the hit bit of TR7 goes. */
	ck_assert_uint_eq(TRY(386, 0xb8, D(0xffff0011), 0x0f, 0x26, 0xf8, 0xb8, D(0x1001), 0x0f, 0x26, 0xf0, 0x0f, 0x24, 0xf8), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].e, 0xffff0001);
	static const uint8_t forms[][3] = { { 0x0f, 0x24, 0xf0 }, { 0x0f, 0x26, 0xf0 } };
	for (unsigned i = 0; i < 2; i++) {
		rig_free(rig);
		rig = rig_new_protected(EMU_CPU_486);
		rig_ring3(rig);
		rig_put(rig, RIG_CODE, forms[i], 3);
		ck_fault(rig, 13, 0, RIG_CODE);
	}
}
END_TEST

Suite *suite_emu_models(void);
Suite *suite_emu_models(void)
{
	return RIG_SUITE("emu_models", start, stop, instructions_of_the_386, instructions_of_the_486,
	                 instructions_of_the_pentium, instructions_of_the_p6, flags_tell_the_model,
	                 cpuid_signature_and_features, cpuid_above_the_highest_leaf,
	                 cr4_takes_only_what_the_model_has, cr0_refuses_what_makes_no_sense,
	                 control_registers_that_are_none, undefined_forms, outside_protected_mode_selectors_mean_nothing,
	                 lock_is_for_memory_that_is_changed, fifteen_bytes_run_sixteen_are_gp,
	                 privileged_instructions_in_ring_3, time_stamps, sysenter_and_sysexit,
	                 wrmsr_refuses_reserved_bits, test_registers_of_the_386_and_486);
}
