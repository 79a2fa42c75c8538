/* Interrupts and exceptions in protected mode, and IRET. */
#include "tests/unit/emu_rig.h"

static struct rig *rig;

static void start(void) { rig = rig_new_protected(EMU_CPU_P6); }
static void stop(void) { rig_free(rig); }
static void again(void) { stop(); start(); }

static uint32_t esp(void) { return rig->ctx->gpr[CTX_RSP].e; }

/* --- gates ------------------------------------------------------------------------- */

START_TEST(interrupt_gate_clears_if_trap_gate_does_not)
{
	rig->ctx->rflags |= CTX_EFLAGS_IF | CTX_EFLAGS_NT | CTX_EFLAGS_CF;
	CODE(rig, 0xcd, 0x80);
	ck_event(rig, 0x80, RIG_CODE + 2);
	ck_assert_uint_eq(rig_frame32(rig, 1), SEL_CODE0);
	ck_assert_uint_eq(rig_frame32(rig, 2), 0x4203);
	ck_assert_uint_eq(esp(), RIG_STACK0 - 12);
	ck_assert_uint_eq(rig->ctx->rflags & (CTX_EFLAGS_IF | CTX_EFLAGS_NT), 0);
	again();
	rig->ctx->rflags |= CTX_EFLAGS_IF;
	rig_idt(rig, 0x80, GATE_TRAP32, SEL_CODE0, rig_handler(0x80));
	CODE(rig, 0xcd, 0x80);
	ck_event(rig, 0x80, RIG_CODE + 2);
	ck_assert(rig->ctx->rflags & CTX_EFLAGS_IF);
}
END_TEST

START_TEST(sixteen_bit_gates)
{
	static const uint8_t gates[] = { GATE_INT16, GATE_TRAP16 };
	for (unsigned i = 0; i < 2; i++) {
		again();
		rig->ctx->rflags |= CTX_EFLAGS_IF;
		rig_idt(rig, 0x80, gates[i], SEL_CODE0, rig_handler(0x80) | 0x50000);
		CODE(rig, 0xcd, 0x80);
		ck_assert_uint_eq(rig_run(rig), 0x80);
		ck_assert_uint_eq(esp(), RIG_STACK0 - 6);
		ck_assert_uint_eq(rig_frame16(rig, 0), (RIG_CODE + 2) & 0xffff);
		ck_assert_uint_eq(rig_frame16(rig, 1), SEL_CODE0);
		ck_assert_uint_eq(rig_frame16(rig, 2), 0x202);
		ck_assert(!(rig->ctx->rflags & CTX_EFLAGS_IF) == !i);
	}
}
END_TEST

START_TEST(ring_3_to_ring_0)
{
	rig_ring3(rig);
	rig->ctx->rflags |= CTX_EFLAGS_IF;
	CODE(rig, 0xcd, 0x80);
	ck_event(rig, 0x80, RIG_CODE + 2);
	ck_assert_uint_eq(esp(), RIG_STACK0 - 20);
	ck_assert_uint_eq(rig_frame32(rig, 1), SEL_CODE3);
	ck_assert_uint_eq(rig_frame32(rig, 2), 0x202);
	ck_assert_uint_eq(rig_frame32(rig, 3), RIG_STACK3);
	ck_assert_uint_eq(rig_frame32(rig, 4), SEL_DATA3);
	ck_assert_uint_eq(rig->ctx->seg[CTX_CS].selector, SEL_CODE0);
	ck_assert_uint_eq(rig->ctx->seg[CTX_DS].selector, SEL_DATA3); /* data segments stay */
}
END_TEST

START_TEST(conforming_handler_stays_in_ring_3)
{
	rig_descriptor(rig, SEL_A, 0, 0xfffff, 0xc09f);
	rig_idt(rig, 0x80, GATE_INT32 | ACC_DPL3, SEL_A, RIG_CODE + 0x100);
	rig_ring3(rig);
	CODE(rig, 0xcd, 0x80);
	CODE_AT(rig, RIG_CODE + 0x100, 0xcd, 0x81);
	ck_event(rig, 0x81, RIG_CODE + 0x102);
	ck_assert_uint_eq(rig_frame32(rig, 1), SEL_A | 3);
	ck_assert_uint_eq(rig_frame32(rig, 3), RIG_STACK3 - 12);
}
END_TEST

START_TEST(dpl_counts_for_int_only)
{
	rig_ring3(rig);
	CODE(rig, 0xcd, 0x03);
	ck_fault(rig, 13, 3 * 8 + 2, RIG_CODE);
	again();
	rig_ring3(rig);
	CODE(rig, 0xcc);
	ck_fault(rig, 13, 3 * 8 + 2, RIG_CODE);
	again();
	rig_ring3(rig);
	rig->ctx->rflags |= CTX_EFLAGS_OF;
	CODE(rig, 0xce);
	ck_fault(rig, 13, 4 * 8 + 2, RIG_CODE);
	again();
	rig_ring3(rig);
	CODE(rig, 0xf1); /* ICEBP: no check */
	ck_event(rig, 1, RIG_CODE + 1);
	again();
	rig_ring3(rig);
	CODE(rig, 0xf7, 0xf1); /* #DE neither */
	ck_event(rig, 0, RIG_CODE);
}
END_TEST

START_TEST(gate_faults_name_the_vector)
{
	static const struct {
		uint8_t gate, vector;
	} cases[] = {
		{ 0x0e, 11 }, { 0x05, 11 }, { 0x8c, 13 }, { 0x80, 13 }, { 0x92, 13 }, { 0x89, 13 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		again();
		rig_idt(rig, 0x40, cases[i].gate, SEL_CODE0, 0);
		CODE(rig, 0xcd, 0x40);
		ck_fault(rig, cases[i].vector, 0x40 * 8 + 2, RIG_CODE);
	}
	again();
	rig->ctx->idtr.limit = 0x40 * 8 + 6;
	CODE(rig, 0xcd, 0x40);
	ck_fault(rig, 13, 0x40 * 8 + 2, RIG_CODE);
}
END_TEST

START_TEST(handler_faults_name_the_selector)
{
	static const struct {
		uint16_t selector, access, error;
		uint8_t vector;
	} cases[] = {
		{ 0, ACC_CODE32, 0, 13 }, { 0xff8, ACC_CODE32, 0xff8, 13 }, { SEL_A, ACC_DATA32, SEL_A, 13 },
		{ SEL_A, ACC_TSS32, SEL_A, 13 }, { SEL_A, ACC_CODE32 | ACC_DPL3, SEL_A, 13 },
		{ SEL_A, ACC_CODE32 & ~0x80, SEL_A, 11 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		again();
		rig_descriptor(rig, SEL_A, 0, 0xfffff, cases[i].access);
		rig_idt(rig, 0x40, GATE_INT32, cases[i].selector, 0);
		CODE(rig, 0xcd, 0x40);
		ck_fault(rig, cases[i].vector, cases[i].error, RIG_CODE);
	}
	again();
	rig_descriptor(rig, SEL_A, 0, 0xff, 0x409b);
	rig_idt(rig, 0x40, GATE_INT32, SEL_A, 0x100);
	CODE(rig, 0xcd, 0x40);
	ck_fault(rig, 13, 0, RIG_CODE);
}
END_TEST

START_TEST(external_events_set_ext)
{
	rig_idt(rig, 0x40, 0x0e, SEL_CODE0, 0);
	rig->ctx->rflags |= CTX_EFLAGS_IF;
	CODE(rig, 0x90, 0xf4);
	rig_interrupt(rig, 0x40);
	ck_fault(rig, 11, 0x40 * 8 + 3, RIG_CODE);
	again();
	rig_idt(rig, 6, GATE_INT32, SEL_A, 0); /* an exception counts as external to what it delivers */
	CODE(rig, 0x0f, 0x0b);
	ck_fault(rig, 13, SEL_A | 1, RIG_CODE);
	again();
	rig_ring3(rig);
	rig->ctx->seg[CTX_TR].limit = 8;
	rig_idt(rig, 10, GATE_TASK, SEL_TSS2, 0);
	rig_tss32(rig, RIG_TSS2, rig_handler(10), 0);
	CODE(rig, 0x0f, 0x0b);
	ck_assert_uint_eq(rig_run(rig), 10);
	ck_assert_uint_eq(rig_frame32(rig, 0), SEL_TSS | 1);
}
END_TEST

START_TEST(error_codes_are_there_where_the_manual_says)
{
	/* #DE #UD #NM have none; #GP has. */
	CODE(rig, 0x0f, 0x0b);
	ck_assert_uint_eq(rig_run(rig), 6);
	ck_assert_uint_eq(esp(), RIG_STACK0 - 12);
	again();
	CODE(rig, 0x2e, 0xa3, D(RIG_DATA));
	ck_assert_uint_eq(rig_run(rig), 13);
	ck_assert_uint_eq(esp(), RIG_STACK0 - 16);
	again();
	CODE(rig, 0xcd, 0x0d); /* INT 13 pushes none */
	ck_event(rig, 13, RIG_CODE + 2);
	ck_assert_uint_eq(esp(), RIG_STACK0 - 12);
}
END_TEST

/* --- what the instructions do ------------------------------------------------------------- */

START_TEST(int3_into_bound)
{
	CODE(rig, 0xcc);
	ck_event(rig, 3, RIG_CODE + 1);
	again();
	CODE(rig, 0xce, 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	again();
	rig->ctx->rflags |= CTX_EFLAGS_OF;
	CODE(rig, 0xce);
	ck_event(rig, 4, RIG_CODE + 1);
	again();
	rig_set(rig, RIG_DATA, 4, 0xfffffffe); /* -2..5 */
	rig_set(rig, RIG_DATA + 4, 4, 5);
	rig->ctx->gpr[CTX_RAX].e = 0xfffffffe;
	rig->ctx->gpr[CTX_RCX].e = 6;
	CODE(rig, 0x62, 0x05, D(RIG_DATA), 0x62, 0x0d, D(RIG_DATA));
	ck_event(rig, 5, RIG_CODE + 6); /* a fault */
	again();
	rig_set(rig, RIG_DATA, 4, 0x00058000); /* 16-bit: -8000h..5 */
	rig->ctx->gpr[CTX_RAX].e = 0x12348000;
	rig->ctx->gpr[CTX_RCX].e = 6;
	CODE(rig, 0x66, 0x62, 0x05, D(RIG_DATA), 0x66, 0x62, 0x0d, D(RIG_DATA));
	ck_event(rig, 5, RIG_CODE + 7);
}
END_TEST

START_TEST(rf_in_the_pushed_flags)
{
	CODE(rig, 0x0f, 0x0b); /* a fault: set */
	ck_event(rig, 6, RIG_CODE);
	ck_assert_uint_eq(rig_frame32(rig, 2) & CTX_EFLAGS_RF, CTX_EFLAGS_RF);
	ck_assert_uint_eq(rig->ctx->rflags & CTX_EFLAGS_RF, 0);
	again();
	CODE(rig, 0xcc); /* a trap: clear */
	ck_event(rig, 3, RIG_CODE + 1);
	ck_assert_uint_eq(rig_frame32(rig, 2) & CTX_EFLAGS_RF, 0);
	again();
	rig->ctx->rflags |= CTX_EFLAGS_IF;
	rig->ctx->gpr[CTX_RCX].e = 0x4000;
	rig->ctx->gpr[CTX_RDI].e = RIG_DATA;
	CODE(rig, 0xf3, 0xaa); /* between two rounds of a string: set */
	rig_step(rig, 1);
	rig_interrupt(rig, 0x40);
	ck_event(rig, 0x40, RIG_CODE);
	ck_assert_uint_eq(rig_frame32(rig, 2) & CTX_EFLAGS_RF, CTX_EFLAGS_RF);
}
END_TEST

START_TEST(pushf_shows_no_rf_and_no_vm)
{
	rig->ctx->rflags |= CTX_EFLAGS_RF;
	CODE(rig, 0x9c, 0x58, 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].e, 2);
}
END_TEST

START_TEST(popf_by_privilege)
{
	static const struct {
		uint32_t flags, popped, want;
		uint8_t cpl;
	} cases[] = {
		{ 0x0002, 0x3203, 0x3203, 0 },
		{ 0x0002, 0x3203, 0x0003, 3 },          /* neither IOPL nor IF */
		{ 0x3002, 0x0202, 0x3202, 3 },          /* IF where IOPL allows */
		{ 0x0202, 0x0002, 0x0202, 3 },
		{ 0x0002, 0xffffffff & ~0x100, 0x247ed7, 0 }, /* VM, RF, VIF, VIP and reserved bits not */
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		again();
		if (cases[i].cpl)
			rig_ring3(rig);
		rig->ctx->rflags = cases[i].flags;
		CODE(rig, 0x68, D(cases[i].popped), 0x9d, 0xcd, 0x80);
		ck_assert_uint_eq(rig_run(rig), 0x80);
		ck_assert_msg(rig_frame32(rig, 2) == cases[i].want, "case %zu: %x", i, rig_frame32(rig, 2));
	}
}
END_TEST

/* --- double and triple faults --------------------------------------------------------------- */

START_TEST(double_fault)
{
	rig_idt(rig, 13, 0x0e, SEL_CODE0, 0); /* #GP, then #NP */
	CODE(rig, 0x2e, 0xa3, D(RIG_DATA));
	ck_fault(rig, 8, 0, RIG_CODE);
}
END_TEST

/* SDM vol. 3, table 6-5: first and second, and what becomes of them. */
START_TEST(benign_and_contributory)
{
	rig_idt(rig, 6, 0x0e, SEL_CODE0, 0); /* benign, then contributory: the second alone */
	CODE(rig, 0x0f, 0x0b);
	ck_fault(rig, 11, 6 * 8 + 3, RIG_CODE);
	again();
	rig_idt(rig, 0, 0x0e, SEL_CODE0, 0); /* #DE is contributory */
	CODE(rig, 0xf7, 0xf1);
	ck_fault(rig, 8, 0, RIG_CODE);
	again();
	rig_paging(rig);
	rig_map(rig, RIG_DATA, 0);
	rig_idt(rig, 14, 0x0e, SEL_CODE0, 0); /* #PF, then contributory */
	CODE(rig, 0xa1, D(RIG_DATA));
	ck_fault(rig, 8, 0, RIG_CODE);
	again();
	rig_paging(rig);
	rig_map(rig, RIG_DATA, 0);
	rig_descriptor(rig, SEL_A, 0, 0xfffff, ACC_CODE32);
	rig_idt(rig, 13, GATE_INT32, SEL_A, rig_handler(13)); /* contributory, then #PF: one after the other */
	rig->ctx->gdtr.limit = 0xffff;
	rig_idt(rig, 13, GATE_INT32, 0xf000, 0);
	rig_map(rig, (RIG_GDT + 0xf000) & ~0xfffu, 0);
	CODE(rig, 0x2e, 0xa3, D(RIG_DATA));
	ck_assert_uint_eq(rig_run(rig), 14);
	ck_assert_uint_eq(rig->ctx->cr2, RIG_GDT + 0xf000);
}
END_TEST

START_TEST(triple_fault_shuts_down)
{
	rig->ctx->idtr.limit = 0;
	CODE(rig, 0x90, 0x0f, 0x0b);
	ck_assert_uint_eq(rig_run(rig), RIG_SHUTDOWN);
	ck_assert_uint_eq(rig->ctx->rip, RIG_CODE + 1);
	ck_assert_uint_eq(esp(), RIG_STACK0);
	again();
	rig_idt(rig, 13, 0x0e, SEL_CODE0, 0);
	rig_idt(rig, 8, 0x0e, SEL_CODE0, 0);
	CODE(rig, 0x2e, 0xa3, D(RIG_DATA));
	ck_assert_uint_eq(rig_run(rig), RIG_SHUTDOWN);
}
END_TEST

START_TEST(accessed_bit_that_cannot_be_written_changes_nothing)
{
	/* The GDT is read-only and CR0.WP set: delivery faults before EFLAGS move. */
	rig_paging(rig);
	rig->ctx->cr0 |= CTX_CR0_WP;
	rig_descriptor(rig, SEL_A, 0, 0xfffff, ACC_CODE32 & ~1);
	rig_map(rig, RIG_GDT, RIG_GDT | PTE_P);
	rig_idt(rig, 0x40, GATE_INT32, SEL_A, 0);
	rig->ctx->rflags |= CTX_EFLAGS_IF | CTX_EFLAGS_NT;
	CODE(rig, 0xcd, 0x40);
	ck_fault(rig, 14, 3, RIG_CODE);
	ck_assert_uint_eq(rig_frame32(rig, 3) & 0x4200, 0x4200);
	ck_assert_uint_eq(rig->ctx->cr2, RIG_GDT + SEL_A + 5);
}
END_TEST

/* --- IRET ------------------------------------------------------------------------------------- */

static void frame(uint32_t eip, uint16_t cs, uint32_t flags, uint32_t sp, uint16_t ss)
{
	uint32_t values[] = { eip, cs, flags, sp, ss };
	rig->ctx->gpr[CTX_RSP].e -= 20;
	for (unsigned i = 0; i < 5; i++)
		rig_set(rig, esp() + 4 * i, 4, values[i]);
}

START_TEST(iret_in_the_same_ring)
{
	frame(RIG_CODE + 0x10, SEL_CODE0, 0x10002 | CTX_EFLAGS_IF | CTX_EFLAGS_AC | CTX_EFLAGS_ID | CTX_EFLAGS_CF, 0, 0);
	CODE(rig, 0xcf);
	CODE_AT(rig, RIG_CODE + 0x10, 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->rflags, 0x240203);
	ck_assert_uint_eq(esp(), RIG_STACK0 - 8);
}
END_TEST

START_TEST(iret_to_ring_3)
{
	frame(RIG_CODE + 0x10, SEL_CODE3, 0x3202, RIG_STACK3, SEL_DATA3);
	CODE(rig, 0xcf);
	CODE_AT(rig, RIG_CODE + 0x10, 0xcd, 0x80);
	ck_event(rig, 0x80, RIG_CODE + 0x12);
	ck_assert_uint_eq(rig_frame32(rig, 1), SEL_CODE3);
	ck_assert_uint_eq(rig_frame32(rig, 2), 0x3202);
	ck_assert_uint_eq(rig_frame32(rig, 3), RIG_STACK3);
	ck_assert_uint_eq(rig->ctx->seg[CTX_DS].selector, 0);
}
END_TEST

START_TEST(iret_in_ring_3_leaves_iopl_and_if)
{
	rig_ring3(rig);
	frame(RIG_CODE + 0x10, SEL_CODE3, 0x23202, 0, 0);
	CODE(rig, 0xcf);
	CODE_AT(rig, RIG_CODE + 0x10, 0xcd, 0x80);
	ck_event(rig, 0x80, RIG_CODE + 0x12);
	ck_assert_uint_eq(rig_frame32(rig, 2), 2); /* and VM is not for ring 3 */
}
END_TEST

START_TEST(iret_of_16_bits_keeps_the_high_flags)
{
	rig->ctx->rflags |= CTX_EFLAGS_AC | CTX_EFLAGS_ID;
	rig->ctx->gpr[CTX_RSP].e -= 6;
	rig_set(rig, esp(), 2, 0x7800);
	rig_set(rig, esp() + 2, 2, SEL_CODE16);
	rig_set(rig, esp() + 4, 2, 0x0203);
	CODE(rig, 0x66, 0xcf);
	CODE_AT(rig, 0x7800, 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->rflags, 0x240203);
	ck_assert_uint_eq(rig->ctx->seg[CTX_CS].selector, SEL_CODE16);
}
END_TEST

START_TEST(iret_faults_leave_everything)
{
	frame(RIG_CODE, SEL_DATA0, 0x202, 0, 0);
	CODE(rig, 0xcf);
	ck_fault(rig, 13, SEL_DATA0, RIG_CODE);
	ck_assert_uint_eq(rig_frame32(rig, 3), 0x10002);
	ck_assert_uint_eq(esp(), RIG_STACK0 - 20 - 16);
	again();
	rig_descriptor(rig, SEL_A, 0, 0xff, 0x409b);
	frame(0x100, SEL_A, 0x202, 0, 0);
	CODE(rig, 0xcf);
	ck_fault(rig, 13, 0, RIG_CODE);
}
END_TEST

START_TEST(nmi_stays_masked_until_iret)
{
	CODE(rig, 0x40, 0xeb, 0x00, 0x40, 0xf4);
	rig_nmi(rig);
	ck_assert_uint_eq(rig_run(rig), 2);
	ck_assert_uint_eq(rig->ctx->nmi_masked, 1);
	rig_nmi(rig);
	CODE_AT(rig, rig_handler(2) + 1, 0xcf);
	ck_assert_uint_eq(rig_run(rig), 2); /* the second one, behind the IRET */
	ck_assert_uint_eq(rig_frame32(rig, 0), RIG_CODE);
}
END_TEST

Suite *suite_emu_interrupts(void);
Suite *suite_emu_interrupts(void)
{
	return RIG_SUITE("emu_interrupts", start, stop, interrupt_gate_clears_if_trap_gate_does_not, sixteen_bit_gates,
	                 ring_3_to_ring_0, conforming_handler_stays_in_ring_3, dpl_counts_for_int_only,
	                 gate_faults_name_the_vector, handler_faults_name_the_selector, external_events_set_ext,
	                 error_codes_are_there_where_the_manual_says, int3_into_bound, rf_in_the_pushed_flags,
	                 pushf_shows_no_rf_and_no_vm, popf_by_privilege, double_fault, benign_and_contributory,
	                 triple_fault_shuts_down, accessed_bit_that_cannot_be_written_changes_nothing, iret_in_the_same_ring,
	                 iret_to_ring_3, iret_in_ring_3_leaves_iopl_and_if, iret_of_16_bits_keeps_the_high_flags,
	                 iret_faults_leave_everything, nmi_stays_masked_until_iret);
}
