/* Hardware task switches with 16- and 32-bit TSS. */
#include <string.h>

#include "tests/unit/emu_rig.h"

static struct rig *rig;

#define NEW_TASK (RIG_CODE + 0x2000)

static void start(void)
{
	rig = rig_new_protected(EMU_CPU_P6);
	rig_tss32(rig, RIG_TSS2, NEW_TASK, 0);
	CODE_AT(rig, NEW_TASK, 0xf4);
	rig->at = RIG_CODE;
}

static void stop(void) { rig_free(rig); }
static void again(void) { stop(); start(); }

static uint32_t tss(uint32_t base, uint32_t offset, unsigned size) { return rig_get(rig, base + offset, size); }

/* --- JMP, CALL, IRET, INT ---------------------------------------------------------------- */

START_TEST(jump_saves_and_loads_everything)
{
	for (unsigned i = 0; i < 8; i++)
		if (i != CTX_RSP)
			rig->ctx->gpr[i].e = 0xa0000000 + i;
	rig->ctx->rflags |= CTX_EFLAGS_CF | CTX_EFLAGS_NT;
	rig_set(rig, RIG_TSS2 + 0x24, 4, 0x42 | CTX_EFLAGS_DF);
	rig_set(rig, RIG_TSS2 + 0x5c, 2, SEL_DATA3);
	CODE(rig, 0xea, D(0xdeadbeef), W(SEL_TSS2));
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->rip, NEW_TASK + 1);
	for (unsigned i = 0; i < 8; i++) {
		ck_assert_uint_eq(rig->ctx->gpr[i].e, i == CTX_RSP ? RIG_STACK0 - 0x1000 : 0x11111111 * (i + 1));
		ck_assert_uint_eq(tss(RIG_TSS, 0x28 + 4 * i, 4), i == CTX_RSP ? RIG_STACK0 : 0xa0000000 + i);
	}
	ck_assert_uint_eq(rig->ctx->rflags, 0x442);
	ck_assert_uint_eq(tss(RIG_TSS, 0x24, 4), 0x4003); /* NT stays in a JMP */
	ck_assert_uint_eq(tss(RIG_TSS, 0x20, 4), RIG_CODE + 7);
	for (unsigned i = 0; i < 6; i++)
		ck_assert_uint_eq(tss(RIG_TSS, 0x48 + 4 * i, 2), i == CTX_CS ? SEL_CODE0 : SEL_DATA0);
	ck_assert_uint_eq(rig->ctx->seg[CTX_GS].selector, SEL_DATA3);
	ck_assert_uint_eq(rig->ctx->seg[CTX_TR].selector, SEL_TSS2);
	ck_assert_uint_eq(rig_access(rig, SEL_TSS), 0x89);  /* no longer busy */
	ck_assert_uint_eq(rig_access(rig, SEL_TSS2), 0x8b);
	ck_assert_uint_eq(tss(RIG_TSS2, 0, 2), 0);          /* no link */
	ck_assert(rig->ctx->cr0 & CTX_CR0_TS);
}
END_TEST

START_TEST(call_links_and_iret_goes_back)
{
	CODE(rig, 0x9a, D(0), W(SEL_TSS2), 0x43, 0xf4); /* call; inc ebx */
	CODE_AT(rig, NEW_TASK, 0x40, 0xcf, 0x40, 0xeb, 0xfb); /* inc eax; iret; inc eax; jmp iret */
	rig->ctx->gpr[CTX_RBX].e = 7;
	ck_assert_uint_eq(rig_step(rig, 1), STOP_BUDGET);
	ck_assert_uint_eq(rig->ctx->rflags & CTX_EFLAGS_NT, CTX_EFLAGS_NT);
	ck_assert_uint_eq(tss(RIG_TSS2, 0, 2), SEL_TSS);
	ck_assert_uint_eq(rig_access(rig, SEL_TSS), 0x8b); /* both busy */
	ck_assert_uint_eq(rig_access(rig, SEL_TSS2), 0x8b);
	ck_assert_uint_eq(tss(RIG_TSS, 0x24, 4) & CTX_EFLAGS_NT, 0);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RBX].e, 8);
	ck_assert_uint_eq(rig->ctx->seg[CTX_TR].selector, SEL_TSS);
	ck_assert_uint_eq(rig_access(rig, SEL_TSS), 0x8b);
	ck_assert_uint_eq(rig_access(rig, SEL_TSS2), 0x89);
	ck_assert_uint_eq(rig->ctx->rflags & CTX_EFLAGS_NT, 0);
	ck_assert_uint_eq(tss(RIG_TSS2, 0x20, 4), NEW_TASK + 2); /* the next call goes on there */
	ck_assert_uint_eq(tss(RIG_TSS2, 0x24, 4) & CTX_EFLAGS_NT, 0);
	ck_assert_uint_eq(tss(RIG_TSS2, 0x28, 4), 0x11111112);
}
END_TEST

START_TEST(task_gate_by_call_and_by_int)
{
	rig_gate(rig, SEL_A, GATE_TASK | ACC_DPL3, SEL_TSS2, 0, 0);
	rig_ring3(rig);
	CODE(rig, 0x9a, D(0), W(SEL_A | 3)); /* the DPL of the TSS does not count */
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->rip, NEW_TASK + 1);
	ck_assert_uint_eq(tss(RIG_TSS, 0x4c, 2), SEL_CODE3);
	again();
	rig_idt(rig, 0x40, GATE_TASK | ACC_DPL3, SEL_TSS2, 0);
	rig_ring3(rig);
	CODE(rig, 0xcd, 0x40);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(tss(RIG_TSS, 0x20, 4), RIG_CODE + 2);
	ck_assert_uint_eq(tss(RIG_TSS2, 0, 2), SEL_TSS);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RSP].e, RIG_STACK0 - 0x1000);
}
END_TEST

START_TEST(fault_through_a_task_gate)
{
	rig_idt(rig, 13, GATE_TASK, SEL_TSS2, 0);
	CODE(rig, 0x2e, 0xa3, D(RIG_DATA));
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RSP].e, RIG_STACK0 - 0x1004); /* the error code, in the new task */
	ck_assert_uint_eq(rig_frame32(rig, 0), 0);
	ck_assert_uint_eq(tss(RIG_TSS, 0x20, 4), RIG_CODE);
	ck_assert_uint_eq(tss(RIG_TSS, 0x24, 4), 0x10002); /* RF, as on a stack */
}
END_TEST

START_TEST(error_code_goes_by_the_size_of_the_tss)
{
	rig_descriptor(rig, SEL_A, RIG_TSS3, 0x2b, ACC_TSS16);
	rig_tss16(rig, RIG_TSS3, 0x7000, 0);
	CODE_AT(rig, 0x7000, 0xf4);
	rig_idt(rig, 13, GATE_TASK, SEL_A, 0);
	CODE_AT(rig, RIG_CODE, 0xb8, D(0xff8), 0x8e, 0xd8);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RSP].x, 0xcffe);
	ck_assert_uint_eq(rig_frame16(rig, 0), 0xff8);
}
END_TEST

/* --- 16 bits ----------------------------------------------------------------------------------- */

START_TEST(sixteen_bit_tss_and_back)
{
	rig_descriptor(rig, SEL_A, RIG_TSS3, 0x2b, ACC_TSS16);
	rig_tss16(rig, RIG_TSS3, 0x7000, 0x0400);
	CODE(rig, 0x9a, D(0), W(SEL_A), 0xf4);
	CODE_AT(rig, 0x7000, 0x66, 0x89, 0xc3, 0xcf); /* mov ebx,eax; iret */
	rig->ctx->gpr[CTX_RDX].e = 0x98765432;
	rig_step(rig, 1);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RCX].e, 0xffff2222); /* the high halves are ones */
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RSP].x, 0xd000);
	ck_assert_uint_eq(rig->ctx->rflags, 0x4402);
	ck_assert_uint_eq(rig->ctx->seg[CTX_FS].selector, 0);
	ck_assert_uint_eq(rig->ctx->seg[CTX_DS].selector, SEL_DATA16);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->rip, RIG_CODE + 8);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RDX].e, 0x98765432);
	ck_assert_uint_eq(tss(RIG_TSS3, 0x0e, 2), 0x7004);
	ck_assert_uint_eq(tss(RIG_TSS3, 0x12 + 2 * CTX_RBX, 2), 0x1111);
	ck_assert_uint_eq(rig_access(rig, SEL_A), 0x81);
}
END_TEST

/* --- what comes with the task ---------------------------------------------------------------------- */

START_TEST(ldt_of_the_task)
{
	rig_descriptor(rig, SEL_A, RIG_DATA, 0x1f, ACC_LDT);
	rig_set(rig, RIG_DATA, 4, 0x00001234);         /* LDT entry 0: base 0, limit 1234 */
	rig_set(rig, RIG_DATA + 4, 4, 0x00009300);
	rig_set(rig, RIG_TSS2 + 0x60, 2, SEL_A);
	rig_set(rig, RIG_TSS2 + 0x54, 2, SEL_LOCAL_A);
	CODE(rig, 0xea, D(0), W(SEL_TSS2));
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->seg[CTX_LDTR].selector, SEL_A);
	ck_assert_uint_eq(rig->ctx->seg[CTX_DS].limit, 0x1234);
	again();
	CODE(rig, 0xea, D(0), W(SEL_TSS2)); /* null LDT */
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert(rig->ctx->seg[CTX_LDTR].access & CTX_SEG_UNUSABLE);
}
END_TEST

START_TEST(cr3_of_the_task)
{
	enum { OTHER = 0x180000 };
	rig_paging(rig);
	memcpy(rig->ram + OTHER, rig->ram + RIG_PAGES, 0x1000);
	memcpy(rig->ram + OTHER + 0x1000, rig->ram + RIG_PAGES + 0x1000, 0x1000);
	rig_set(rig, OTHER, 4, (OTHER + 0x1000) | PTE_P | PTE_W);
	rig_set(rig, OTHER + 0x1000 + (RIG_DATA >> 12) * 4, 4, (RIG_DATA + 0x1000) | PTE_P);
	rig_set(rig, RIG_DATA, 4, 1);
	rig_set(rig, RIG_DATA + 0x1000, 4, 2);
	rig_set(rig, RIG_TSS2 + 0x1c, 4, OTHER);
	CODE(rig, 0xa1, D(RIG_DATA), 0xea, D(0), W(SEL_TSS2));
	CODE_AT(rig, NEW_TASK, 0xa1, D(RIG_DATA), 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->cr3, OTHER);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].e, 2);
	ck_assert_uint_eq(tss(RIG_TSS, 0x28, 4), 1);
	ck_assert_uint_eq(tss(RIG_TSS, 0x1c, 4), RIG_PAGES); /* not written by the switch */
}
END_TEST

START_TEST(to_ring_3_and_segments_by_its_rights)
{
	rig_set(rig, RIG_TSS2 + 0x4c, 2, SEL_CODE3);
	for (unsigned i = 0; i < 6; i++)
		if (i != CTX_CS)
			rig_set(rig, RIG_TSS2 + 0x48 + 4 * i, 2, SEL_DATA3);
	CODE(rig, 0xea, D(0), W(SEL_TSS2));
	CODE_AT(rig, NEW_TASK, 0xcd, 0x80);
	rig_set(rig, RIG_TSS2 + 4, 4, RIG_STACK0 - 0x500);
	ck_event(rig, 0x80, NEW_TASK + 2);
	ck_assert_uint_eq(rig_frame32(rig, 1), SEL_CODE3);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RSP].e, RIG_STACK0 - 0x500 - 20); /* by the new TSS */
}
END_TEST

START_TEST(debug_trap_of_the_task)
{
	rig_set(rig, RIG_TSS2 + 0x64, 2, 1);
	CODE(rig, 0xea, D(0), W(SEL_TSS2));
	ck_event(rig, 1, NEW_TASK);
	ck_assert_uint_eq(rig->ctx->dr6 & 0xe00f, 0x8000);
}
END_TEST

START_TEST(local_breakpoints_end_with_the_task)
{
	rig->ctx->dr7 = 0x400 | 0x3ff;
	CODE(rig, 0xea, D(0), W(SEL_TSS2));
	rig->ctx->dr0 = rig->ctx->dr1 = rig->ctx->dr2 = rig->ctx->dr3 = 0xfffff000;
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->dr7, 0x400 | 0x2aa);
}
END_TEST

/* --- faults before the switch: in the old task -------------------------------------------------------- */

/* JMP (EA) or CALL (9A) to `selector`; #vector(error) with everything as before. */
static void ck_refused(uint8_t opcode, uint16_t selector, unsigned vector, uint16_t error)
{
	rig->ctx->rip = RIG_CODE;
	CODE_AT(rig, RIG_CODE, opcode, D(0), W(selector));
	uint32_t esp = rig->ctx->gpr[CTX_RSP].e;
	ck_fault(rig, vector, error, RIG_CODE);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RSP].e, esp - 16);
	ck_assert_uint_eq(rig->ctx->seg[CTX_TR].selector, SEL_TSS);
	ck_assert_uint_eq(rig_access(rig, SEL_TSS), 0x8b);
	ck_assert_uint_eq(tss(RIG_TSS, 0x20, 4), 0);
}

START_TEST(tss_that_cannot_be_entered)
{
	static const uint8_t opcodes[] = { 0xea, 0x9a };
	for (unsigned i = 0; i < 2; i++) {
		again();
		rig_descriptor(rig, SEL_TSS2, RIG_TSS2, 0x67, ACC_TSS32 | 2);
		ck_refused(opcodes[i], SEL_TSS2, 13, SEL_TSS2); /* busy */
		again();
		rig_descriptor(rig, SEL_TSS2, RIG_TSS2, 0x67, ACC_TSS32 & ~0x80);
		ck_refused(opcodes[i], SEL_TSS2, 11, SEL_TSS2);
		again();
		rig_descriptor(rig, SEL_TSS2, RIG_TSS2, 0x66, ACC_TSS32);
		ck_refused(opcodes[i], SEL_TSS2, 10, SEL_TSS2); /* too short */
		again();
		rig_descriptor(rig, SEL_TSS2, RIG_TSS2, 0x2a, ACC_TSS16);
		ck_refused(opcodes[i], SEL_TSS2, 10, SEL_TSS2);
		again();
		rig_gate(rig, SEL_A, GATE_TASK, SEL_LOCAL_A, 0, 0);
		ck_refused(opcodes[i], SEL_A, 13, SEL_LOCAL_A); /* a TSS lives in the GDT */
		again();
		rig_gate(rig, SEL_A, GATE_TASK, SEL_DATA0, 0, 0);
		ck_refused(opcodes[i], SEL_A, 13, SEL_DATA0);
		again();
		rig_gate(rig, SEL_A, GATE_TASK & ~0x80, SEL_TSS2, 0, 0);
		ck_refused(opcodes[i], SEL_A, 11, SEL_A);
	}
}
END_TEST

START_TEST(direct_switch_goes_by_the_dpl_of_the_tss)
{
	rig_ring3(rig);
	CODE(rig, 0xea, D(0), W(SEL_TSS2 | 3));
	ck_fault(rig, 13, SEL_TSS2, RIG_CODE);
	again();
	CODE(rig, 0xea, D(0), W(SEL_TSS2 | 3)); /* RPL */
	ck_fault(rig, 13, SEL_TSS2, RIG_CODE);
}
END_TEST

START_TEST(iret_with_nt_checks_the_link)
{
	static const struct {
		uint16_t link, access;
		uint8_t vector;
		uint16_t error;
	} cases[] = {
		{ 0, ACC_TSS32, 10, 0 }, { SEL_LOCAL_A, ACC_TSS32, 10, SEL_LOCAL_A }, { 0xff8, ACC_TSS32, 10, 0xff8 },
		{ SEL_TSS2, ACC_TSS32, 10, SEL_TSS2 }, /* not busy */
		{ SEL_DATA0, ACC_TSS32, 10, SEL_DATA0 }, { SEL_TSS2, 0x0b, 11, SEL_TSS2 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		again();
		rig_descriptor(rig, SEL_TSS2, RIG_TSS2, 0x67, cases[i].access);
		rig_set(rig, RIG_TSS, 2, cases[i].link);
		rig->ctx->rflags |= CTX_EFLAGS_NT;
		CODE(rig, 0xcf);
		ck_fault(rig, cases[i].vector, cases[i].error, RIG_CODE);
		ck_assert_uint_eq(rig_frame32(rig, 3) & CTX_EFLAGS_NT, CTX_EFLAGS_NT);
	}
}
END_TEST

START_TEST(page_fault_on_a_tss_is_in_the_old_task)
{
	rig_paging(rig);
	rig_map(rig, RIG_TSS2, 0);
	ck_refused(0xea, SEL_TSS2, 14, 0);
	ck_assert_uint_eq(rig->ctx->cr2 & ~0xfffull, RIG_TSS2);
	again();
	rig_paging(rig);
	rig->ctx->cr0 |= CTX_CR0_WP;
	rig_map(rig, RIG_TSS, RIG_TSS | PTE_P); /* the old state cannot be saved */
	ck_refused(0x9a, SEL_TSS2, 14, 3);
	ck_assert_uint_eq(rig_access(rig, SEL_TSS2), 0x89);
	again();
	rig_paging(rig);
	rig->ctx->cr0 |= CTX_CR0_WP;
	rig_map(rig, RIG_GDT, RIG_GDT | PTE_P); /* nor can a busy bit */
	ck_refused(0x9a, SEL_TSS2, 14, 3);
	ck_assert_uint_eq(tss(RIG_TSS2, 0, 2), 0);
}
END_TEST

/* --- faults behind the switch: in the new task ------------------------------------------------------- */

START_TEST(faults_in_the_new_task)
{
	static const struct {
		uint16_t at, selector, access, error;
		uint8_t vector;
	} cases[] = {
		{ 0x60, SEL_DATA0, 0x93, SEL_DATA0, 10 },       /* LDT */
		{ 0x60, SEL_A, 0x02, SEL_A, 10 },
		{ 0x60, SEL_LOCAL_A, 0x93, SEL_LOCAL_A, 10 },
		{ 0x4c, 0, 0x93, 0, 10 },                       /* CS */
		{ 0x4c, SEL_A, ACC_DATA32, SEL_A, 10 },
		{ 0x4c, SEL_A | 3, ACC_CODE32, SEL_A, 10 },
		{ 0x4c, SEL_A, ACC_CODE32 & ~0x80, SEL_A, 11 },
		{ 0x4c, 0xff8, 0, 0xff8, 10 },
		{ 0x54, SEL_A, 0x99, SEL_A, 10 },               /* DS, execute-only */
		{ 0x54, SEL_A, ACC_DATA32 & ~0x80, SEL_A, 11 },
		{ 0x58, 0xff8, 0, 0xff8, 10 },                  /* FS */
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		again();
		rig_descriptor(rig, SEL_A, 0, 0xfffff, cases[i].access);
		rig_set(rig, RIG_TSS2 + cases[i].at, 2, cases[i].selector);
		CODE(rig, 0xea, D(0), W(SEL_TSS2));
		unsigned vector = rig_run(rig);
		ck_assert_msg(vector == cases[i].vector, "case %zu gave %x", i, vector);
		ck_assert_msg(rig_frame32(rig, 0) == cases[i].error, "case %zu: error %x", i, rig_frame32(rig, 0));
		ck_assert_uint_eq(rig_frame32(rig, 1), NEW_TASK);
		ck_assert_uint_eq(rig->ctx->seg[CTX_TR].selector, SEL_TSS2);
		ck_assert_uint_eq(rig_access(rig, SEL_TSS), 0x89);
		ck_assert_uint_eq(rig->ctx->gpr[CTX_RBP].e, 0x66666666);
	}
}
END_TEST

START_TEST(stack_faults_in_the_new_task)
{
	static const struct {
		uint16_t selector, access, error;
		uint8_t vector;
	} cases[] = {
		{ 0, 0, 0, 10 }, { SEL_A, ACC_CODE32, SEL_A, 10 }, { SEL_A | 1, ACC_DATA32, SEL_A, 10 },
		{ SEL_A, ACC_DATA32 & ~0x80, SEL_A, 12 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		again();
		rig_tss32(rig, RIG_TSS3, rig_handler(10), 0);
		rig_idt(rig, 10, GATE_TASK, SEL_TSS3, 0);
		rig_idt(rig, 12, GATE_TASK, SEL_TSS3, 0);
		rig_descriptor(rig, SEL_A, 0, 0xfffff, cases[i].access);
		rig_set(rig, RIG_TSS2 + 0x50, 2, cases[i].selector);
		CODE(rig, 0xea, D(0), W(SEL_TSS2));
		ck_assert_uint_eq(rig_run(rig), 10);
		ck_assert_msg(rig_frame32(rig, 0) == cases[i].error, "case %zu: error %x", i, rig_frame32(rig, 0));
		ck_assert_uint_eq(tss(RIG_TSS2, 0x20, 4), NEW_TASK);
		ck_assert_uint_eq(tss(RIG_TSS3, 0, 2), SEL_TSS2);
		ck_assert_uint_eq(tss(RIG_TSS2, 0x50, 2), cases[i].selector);
	}
}
END_TEST

START_TEST(entry_point_beyond_the_limit)
{
	rig_descriptor(rig, SEL_A, 0, 0xff, 0x409b);
	rig_set(rig, RIG_TSS2 + 0x4c, 2, SEL_A);
	CODE(rig, 0xea, D(0), W(SEL_TSS2));
	ck_fault(rig, 13, 0, NEW_TASK);
}
END_TEST

START_TEST(page_fault_on_a_descriptor_of_the_new_task)
{
	/* It stays a #PF; only what is wrong with a descriptor is #TS. */
	rig_paging(rig);
	rig_descriptor(rig, SEL_A, RIG_DATA, 0x1f, ACC_LDT);
	rig_set(rig, RIG_TSS2 + 0x1c, 4, RIG_PAGES);
	rig_set(rig, RIG_TSS2 + 0x60, 2, SEL_A);
	rig_set(rig, RIG_TSS2 + 0x4c, 2, SEL_LOCAL_B);
	rig_map(rig, RIG_DATA, 0);
	CODE(rig, 0xea, D(0), W(SEL_TSS2));
	ck_fault(rig, 14, 0, NEW_TASK);
	ck_assert_uint_eq(rig->ctx->cr2, RIG_DATA + 8);
}
END_TEST

/* Not on the stack that could not be loaded: the new TSS has one for ring 0. */
START_TEST(stack_faults_switch_stacks)
{
	rig_set(rig, RIG_TSS2 + 4, 4, RIG_STACK3);
	rig_descriptor(rig, SEL_A, 0, 0xfffff, ACC_DATA32 & ~0x80);
	rig_set(rig, RIG_TSS2 + 0x50, 2, SEL_A);
	CODE(rig, 0xea, D(0), W(SEL_TSS2));
	ck_fault(rig, 12, SEL_A, NEW_TASK);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RSP].e, RIG_STACK3 - 24);
	ck_assert_uint_eq(rig_frame32(rig, 2), SEL_CODE0);
	ck_assert_uint_eq(rig_frame32(rig, 4), RIG_STACK0 - 0x1000);
	ck_assert_uint_eq(rig_frame32(rig, 5), SEL_A);
	/* Once SS is there, it is what counts. */
	again();
	rig_set(rig, RIG_TSS2 + 4, 4, RIG_STACK3);
	rig_set(rig, RIG_TSS2 + 0x54, 2, 0xff8);
	CODE(rig, 0xea, D(0), W(SEL_TSS2));
	ck_fault(rig, 10, 0xff8, NEW_TASK);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RSP].e, RIG_STACK0 - 0x1000 - 16);
}
END_TEST

Suite *suite_emu_tasks(void);
Suite *suite_emu_tasks(void)
{
	return RIG_SUITE("emu_tasks", start, stop, jump_saves_and_loads_everything, call_links_and_iret_goes_back,
	                 task_gate_by_call_and_by_int, fault_through_a_task_gate, error_code_goes_by_the_size_of_the_tss,
	                 sixteen_bit_tss_and_back, ldt_of_the_task, cr3_of_the_task, to_ring_3_and_segments_by_its_rights,
	                 debug_trap_of_the_task, local_breakpoints_end_with_the_task, tss_that_cannot_be_entered,
	                 direct_switch_goes_by_the_dpl_of_the_tss, iret_with_nt_checks_the_link,
	                 page_fault_on_a_tss_is_in_the_old_task, faults_in_the_new_task, stack_faults_in_the_new_task,
	                 entry_point_beyond_the_limit, page_fault_on_a_descriptor_of_the_new_task,
	                 stack_faults_switch_stacks);
}
