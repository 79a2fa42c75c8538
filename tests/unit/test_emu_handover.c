/* What the emulator takes from another engine and leaves to it: events under
 * delivery, long mode. */
#include <glib.h>

#include "tests/unit/emu_rig.h"

static struct rig *rig;

static void start(void) { rig = rig_new_protected(EMU_CPU_X86_64); }
static void stop(void) { rig_free(rig); }
static void again(enum emu_cpu cpu) { stop(); rig = rig_new_protected(cpu); }

static void pend(enum ctx_event type, uint32_t vector, bool has_error, uint32_t error)
{
	rig->ctx->event_type = type;
	rig->ctx->event_vector = vector;
	rig->ctx->event_has_error = has_error;
	rig->ctx->event_error = error;
}

/* --- events ------------------------------------------------------------------------- */

START_TEST(interrupt_under_delivery)
{
	rig->ctx->rflags |= CTX_EFLAGS_CF;
	rig->ctx->halted = 1;
	pend(CTX_EVENT_INTR, 0x31, false, 0);
	CODE(rig, 0x90);
	ck_event(rig, 0x31, RIG_CODE);
	ck_assert_uint_eq(rig_frame32(rig, 2), 3); /* IF = 0 is no obstacle, and no RF */
	ck_assert_uint_eq(rig->ctx->event_type, CTX_EVENT_NONE);
	ck_assert_uint_eq(rig->ctx->nmi_masked, 0);
}
END_TEST

START_TEST(nmi_under_delivery)
{
	pend(CTX_EVENT_NMI, 2, false, 0);
	CODE(rig, 0x90);
	ck_event(rig, 2, RIG_CODE);
	ck_assert_uint_eq(rig->ctx->nmi_masked, 1);
}
END_TEST

START_TEST(exception_under_delivery)
{
	pend(CTX_EVENT_FAULT, 13, true, 0x1234);
	CODE(rig, 0x90);
	ck_fault(rig, 13, 0x1234, RIG_CODE);
	ck_assert_uint_eq(rig_frame32(rig, 3), 0x10002); /* RF */
	ck_assert_uint_eq(rig->ctx->event_type, CTX_EVENT_NONE);
	again(EMU_CPU_P6);
	pend(CTX_EVENT_FAULT, 6, false, 0);
	CODE(rig, 0x90);
	ck_event(rig, 6, RIG_CODE);
	again(EMU_CPU_P6);
	rig->ctx->cr2 = 0xabcd0;
	pend(CTX_EVENT_FAULT, 14, true, 2);
	CODE(rig, 0x90);
	ck_fault(rig, 14, 2, RIG_CODE);
	ck_assert_uint_eq(rig->ctx->cr2, 0xabcd0);
	again(EMU_CPU_P6);
	pend(CTX_EVENT_FAULT, 1, false, 0);
	CODE(rig, 0x90);
	ck_event(rig, 1, RIG_CODE);
	ck_assert_uint_eq(rig_frame32(rig, 2), 2); /* a trap has no RF */
}
END_TEST

/* INT n is at RIP still. */
START_TEST(software_interrupt_comes_by_itself)
{
	pend(CTX_EVENT_SOFT, 0x77, false, 0);
	CODE(rig, 0xcd, 0x80, 0xf4);
	ck_event(rig, 0x80, RIG_CODE + 2);
	ck_assert_uint_eq(rig_frame32(rig, 3), 0); /* the stack holds one frame */
}
END_TEST

/* One that cannot be delivered is a double fault, and then the end. */
START_TEST(event_that_cannot_be_delivered)
{
	rig_idt(rig, 13, 0, 0, 0);
	pend(CTX_EVENT_FAULT, 13, true, 0);
	CODE(rig, 0x90);
	ck_fault(rig, 8, 0, RIG_CODE);
	again(EMU_CPU_P6);
	rig->ctx->idtr.limit = 0;
	pend(CTX_EVENT_INTR, 0x31, false, 0);
	CODE(rig, 0x90);
	ck_assert_uint_eq(rig_run(rig), RIG_SHUTDOWN);
}
END_TEST

/* --- MSRs and CPUID of long mode -------------------------------------------------------- */

#define MOV_ECX(value) 0xb9, D(value)
#define MOV_EAX(value) 0xb8, D(value)
#define MOV_EDX(value) 0xba, D(value)
#define WRMSR 0x0f, 0x30
#define RDMSR 0x0f, 0x32

START_TEST(cpuid_of_long_mode)
{
	struct cpuid_leaf leaf[CPUID_LEAVES];
	ck_assert_uint_eq(emu_cpuid(EMU_CPU_386, false, leaf), 0);
	ck_assert_uint_eq(emu_cpuid(EMU_CPU_486, false, leaf), 2);
	ck_assert_uint_eq(emu_cpuid(EMU_CPU_P6, true, leaf), 3);
	ck_assert_uint_eq(leaf[1].eax, emu_cpu_signature(EMU_CPU_P6));
	for (int shown = 0; shown < 2; shown++) {
		unsigned count = emu_cpuid(EMU_CPU_X86_64, shown, leaf);
		ck_assert_uint_eq(count, 12);
		ck_assert_uint_eq(leaf[3].leaf, 0x80000000);
		ck_assert_uint_eq(leaf[3].eax, 0x80000008);
		ck_assert_uint_eq(leaf[4].edx, shown ? 1u << 29 | 1 << 11 : 0);
		ck_assert_uint_eq(leaf[11].eax, shown ? 0x3024 : 0x2024);
	}
	/* The instruction says the same, here with nothing that could run 64-bit code. */
	CODE(rig, MOV_EAX(0x80000001), 0x0f, 0xa2, 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RDX].e, 0);
}
END_TEST

START_TEST(msrs_hold_what_is_written)
{
	static const uint32_t msrs[] = { 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000100, 0xc0000101, 0xc0000102 };
	for (size_t i = 0; i < G_N_ELEMENTS(msrs); i++) {
		again(EMU_CPU_X86_64);
		CODE(rig, MOV_ECX(msrs[i]), MOV_EAX(0x11223344), MOV_EDX(0x5566), WRMSR, 0x31, 0xc0, 0x31, 0xd2, RDMSR, 0xf4);
		ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
		ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].e, 0x11223344);
		ck_assert_uint_eq(rig->ctx->gpr[CTX_RDX].e, 0x5566);
		again(EMU_CPU_P6);
		CODE(rig, MOV_ECX(msrs[i]), RDMSR, 0xf4);
		ck_assert_uint_eq(rig_run(rig), 13);
	}
	ck_assert_uint_eq(rig->ctx->star, 0);
}
END_TEST

/* The base is that of the segment. */
START_TEST(fs_base_counts_at_once)
{
	rig_set(rig, RIG_DATA, 4, 0xcafe);
	CODE(rig, MOV_ECX(0xc0000100), MOV_EAX(RIG_DATA), MOV_EDX(0), WRMSR, 0x64, 0xa1, D(0), 0xf4); /* mov eax,[fs:0] */
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].e, 0xcafe);
}
END_TEST

START_TEST(msrs_refuse)
{
	static const struct { uint32_t msr, low, high; } rows[] = {
		{ 0xc0000082, 0, 0x8000 },     /* not canonical */
		{ 0xc0000102, 0, 0x7fff8000 },
		{ 0xc0000084, 0, 1 },
		{ 0xc0000080, 0x800, 0 },      /* NXE: CPUID shows none */
		{ 0xc0000080, 2, 0 },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		again(EMU_CPU_X86_64);
		CODE(rig, MOV_ECX(rows[i].msr), MOV_EAX(rows[i].low), MOV_EDX(rows[i].high), WRMSR, 0xf4);
		ck_assert_msg(rig_run(rig) == 13, "row %zu", i);
	}
}
END_TEST

START_TEST(efer)
{
	/* LMA cannot be written. */
	CODE(rig, MOV_ECX(0xc0000080), MOV_EAX(0x501), MOV_EDX(0), WRMSR, 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->efer, CTX_EFER_LME | CTX_EFER_SCE);
	again(EMU_CPU_X86_64);
	rig_paging(rig);
	CODE(rig, MOV_ECX(0xc0000080), MOV_EAX(0x100), MOV_EDX(0), WRMSR, 0xf4);
	ck_assert_uint_eq(rig_run(rig), 13); /* not while paging is on */
}
END_TEST

/* --- into long mode ------------------------------------------------------------------------ */

#define CR0_ON (CTX_CR0_PG | CTX_CR0_PE)

static void activate(uint32_t cr4)
{
	rig->ctx->efer = CTX_EFER_LME;
	rig->ctx->cr4 = cr4;
	rig->ctx->cr3 = RIG_PAGES;
	CODE(rig, MOV_EAX(CR0_ON), 0x0f, 0x22, 0xc0, 0x40, 0xf4); /* mov cr0,eax; inc eax, a prefix there */
	rig->ctx->limit_blocks = UINT64_MAX;
}

START_TEST(stops_behind_mov_cr0)
{
	struct engine *engine = rig->machine->engine;
	activate(CTX_CR4_PAE);
	ck_assert_int_eq(rig_step(rig, 1000), STOP_MODE);
	ck_assert_uint_eq(rig->ctx->efer, CTX_EFER_LME | CTX_EFER_LMA);
	ck_assert_uint_eq(rig->ctx->rip, RIG_CODE + 8);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].e, CR0_ON);
	ck_assert_uint_eq(rig->ctx->cr0, CR0_ON | CTX_CR0_ET);
	ck_assert(!engine->ops->can_run(engine, rig->ctx));
	/* Asked all the same, it does nothing. */
	rig_interrupt(rig, 0x31);
	rig->ctx->rflags |= CTX_EFLAGS_IF;
	ck_assert_int_eq(rig_step(rig, 1000), STOP_MODE);
	ck_assert_uint_eq(rig->ctx->rip, RIG_CODE + 8);
}
END_TEST

/* All at once, as boot loaders may: CS is still one of real mode. */
START_TEST(from_real_mode)
{
	stop();
	rig = rig_new_real(EMU_CPU_X86_64);
	rig->ctx->efer = CTX_EFER_LME;
	rig->ctx->cr4 = CTX_CR4_PAE;
	CODE(rig, 0x66, MOV_EAX(CR0_ON), 0x0f, 0x22, 0xc0, 0x40);
	rig->ctx->limit_blocks = UINT64_MAX;
	ck_assert_int_eq(rig_step(rig, 1000), STOP_MODE);
	ck_assert_uint_eq(rig->ctx->rip, 9);
	ck_assert(rig->ctx->efer & CTX_EFER_LMA);
	ck_assert(ctx_is_real(rig->ctx));
}
END_TEST

START_TEST(refused)
{
	activate(0);
	ck_fault(rig, 13, 0, RIG_CODE + 5);
	ck_assert_uint_eq(rig->ctx->efer, CTX_EFER_LME);
	ck_assert_uint_eq(rig->ctx->cr0, CTX_CR0_PE | CTX_CR0_ET);
	again(EMU_CPU_X86_64);
	activate(CTX_CR4_PAE);
	rig->ctx->seg[CTX_TR].access = CTX_SEG_P | 3; /* of a 286 */
	ck_fault(rig, 13, 0, RIG_CODE + 5);
	again(EMU_CPU_X86_64);
	activate(CTX_CR4_PAE);
	rig->ctx->seg[CTX_CS].access |= CTX_SEG_L;
	ck_fault(rig, 13, 0, RIG_CODE + 5);
	/* Without LME it is PAE paging. */
	again(EMU_CPU_X86_64);
	activate(CTX_CR4_PAE);
	rig->ctx->efer = 0;
	for (unsigned n = 0; n < 4; n++)
		rig_set(rig, RIG_PAGES + 8 * n, 8, RIG_PAGES + 0x1000 + 1);
	rig_set(rig, RIG_PAGES + 0x1000, 8, 0xe3);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->efer, 0);
}
END_TEST

Suite *suite_emu_handover(void);
Suite *suite_emu_handover(void)
{
	return RIG_SUITE("emu_handover", start, stop, interrupt_under_delivery, nmi_under_delivery, exception_under_delivery,
	                 software_interrupt_comes_by_itself, event_that_cannot_be_delivered, cpuid_of_long_mode,
	                 msrs_hold_what_is_written, fs_base_counts_at_once, msrs_refuse, efer, stops_behind_mov_cr0,
	                 from_real_mode, refused);
}
