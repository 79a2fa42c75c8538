/* Far JMP, CALL and RET in protected mode: code segments, call gates, rings. */
#include "tests/unit/emu_rig.h"

static struct rig *rig;

static void start(void) { rig = rig_new_protected(EMU_CPU_P6); }
static void stop(void) { rig_free(rig); }
static void again(void) { stop(); start(); }

static uint32_t esp(void) { return rig->ctx->gpr[CTX_RSP].e; }

#define JMP_FAR  0xea
#define CALL_FAR 0x9a
#define TARGET   (RIG_CODE + 0x1000)

/* Far JMP or CALL to selector:offset from ring `cpl`; INT 80h waits at the target. */
static unsigned transfer(uint8_t opcode, uint16_t selector, uint32_t offset, unsigned cpl)
{
	if (cpl == 3)
		rig_ring3(rig);
	rig->ctx->rip = RIG_CODE;
	CODE_AT(rig, TARGET, 0xcd, 0x80);
	CODE_AT(rig, RIG_CODE, opcode, D(offset), W(selector));
	return rig_run(rig);
}

START_TEST(direct_jump_and_call_by_rights)
{
	static const struct {
		uint16_t access;
		uint8_t rpl, cpl, vector;
	} cases[] = {
		{ ACC_CODE32, 0, 0, 0x80 }, { ACC_CODE32, 1, 0, 13 }, /* RPL above CPL */
		{ ACC_CODE32, 0, 3, 13 }, { ACC_CODE32 | ACC_DPL3, 3, 0, 13 }, { ACC_CODE32 | ACC_DPL3, 0, 0, 13 },
		{ ACC_CODE32 | ACC_DPL3, 3, 3, 0x80 }, { ACC_CODE32 | ACC_DPL3, 0, 3, 0x80 },
		{ 0xc09f, 0, 0, 0x80 }, { 0xc09f, 3, 3, 0x80 }, { 0xc09f, 3, 0, 0x80 }, /* conforming: RPL is not looked at */
		{ 0xc0ff, 0, 0, 13 },                    /* conforming, of an outer ring */
		{ ACC_DATA32, 0, 0, 13 }, { ACC_LDT, 0, 0, 13 }, { GATE_INT32, 0, 0, 13 }, { ACC_TSS32 | 2, 0, 0, 13 },
		{ ACC_CODE32 & ~0x80, 0, 0, 11 },
	};
	static const uint8_t opcodes[] = { JMP_FAR, CALL_FAR };
	for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
		again();
		rig_descriptor(rig, SEL_A, 0, 0xfffff, cases[i / 2].access);
		unsigned vector = transfer(opcodes[i & 1], SEL_A | cases[i / 2].rpl, TARGET, cases[i / 2].cpl);
		ck_assert_msg(vector == cases[i / 2].vector, "case %zu gave %x", i / 2, vector);
		if (vector == 0x80) {
			/* RPL of CS becomes CPL. */
			ck_assert_uint_eq(rig_frame32(rig, 1), SEL_A | cases[i / 2].cpl);
		} else {
			ck_assert_uint_eq(rig_frame32(rig, 0), SEL_A);
			ck_assert_uint_eq(rig_frame32(rig, 1), RIG_CODE);
		}
	}
}
END_TEST

START_TEST(null_outside_and_offset_faults)
{
	ck_assert_uint_eq(transfer(JMP_FAR, 3, 0, 0), 13);
	ck_assert_uint_eq(rig_frame32(rig, 0), 0);
	again();
	ck_assert_uint_eq(transfer(CALL_FAR, 0xff8, 0, 0), 13);
	ck_assert_uint_eq(rig_frame32(rig, 0), 0xff8);
	again();
	rig_descriptor(rig, SEL_A, 0, 0xff, 0x409b);
	ck_assert_uint_eq(transfer(CALL_FAR, SEL_A, 0x100, 0), 13);
	ck_assert_uint_eq(rig_frame32(rig, 0), 0);
	ck_assert_uint_eq(rig_frame32(rig, 1), RIG_CODE);
	ck_assert_uint_eq(esp(), RIG_STACK0 - 16); /* only the fault's frame */
}
END_TEST

START_TEST(call_pushes_and_marks_accessed)
{
	rig_descriptor(rig, SEL_A, 0, 0xfffff, 0xc09a);
	ck_assert_uint_eq(transfer(CALL_FAR, SEL_A, TARGET, 0), 0x80);
	ck_assert_uint_eq(rig_access(rig, SEL_A), 0x9b);
	ck_assert_uint_eq(rig_frame32(rig, 3), RIG_CODE + 7);
	ck_assert_uint_eq(rig_frame32(rig, 4), SEL_CODE0);
}
END_TEST

START_TEST(far_pointer_in_memory)
{
	rig_set(rig, RIG_DATA, 4, TARGET);
	rig_set(rig, RIG_DATA + 4, 2, SEL_CODE0);
	CODE(rig, 0xff, 0x1d, D(RIG_DATA), 0xf4); /* call far [] */
	CODE_AT(rig, TARGET, 0x40, 0xcb);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].e, 1);
	ck_assert_uint_eq(esp(), RIG_STACK0);
}
END_TEST

START_TEST(to_16_bit_code_and_back)
{
	CODE(rig, CALL_FAR, D(0x7000), W(SEL_CODE16), 0x89, 0xc3, 0xf4);
	CODE_AT(rig, 0x7000, 0x8c, 0xc8, 0x66, 0xcb); /* mov ax,cs; retfd */
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RBX].e, SEL_CODE16);
	ck_assert_uint_eq(rig->ctx->seg[CTX_CS].selector, SEL_CODE0);
}
END_TEST

/* --- call gates -------------------------------------------------------------------------- */

START_TEST(gate_without_change_of_ring)
{
	rig_gate(rig, SEL_B, GATE_CALL32, SEL_CODE0, TARGET, 5);
	ck_assert_uint_eq(transfer(CALL_FAR, SEL_B, 0xdead, 0), 0x80);
	ck_assert_uint_eq(rig_frame32(rig, 0), TARGET + 2);
	ck_assert_uint_eq(rig_frame32(rig, 3), RIG_CODE + 7);
	ck_assert_uint_eq(esp(), RIG_STACK0 - 20); /* no parameters are copied */
	again();
	rig_gate(rig, SEL_B, GATE_CALL32, SEL_CODE0, TARGET, 0);
	ck_assert_uint_eq(transfer(JMP_FAR, SEL_B, 0, 0), 0x80);
	ck_assert_uint_eq(esp(), RIG_STACK0 - 12);
}
END_TEST

START_TEST(gate_to_ring_0_with_parameters)
{
	rig_gate(rig, SEL_B, GATE_CALL32 | ACC_DPL3, SEL_CODE0 | 3, TARGET, 3);
	rig_ring3(rig);
	rig->ctx->gpr[CTX_RSP].e -= 12;
	for (unsigned i = 0; i < 3; i++)
		rig_set(rig, RIG_STACK3 - 12 + 4 * i, 4, 0xa0 + i);
	CODE(rig, CALL_FAR, D(0), W(SEL_B | 3));
	CODE_AT(rig, TARGET, 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->seg[CTX_CS].selector, SEL_CODE0);
	ck_assert_uint_eq(rig->ctx->seg[CTX_SS].selector, SEL_DATA0);
	ck_assert_uint_eq(esp(), RIG_STACK0 - 28);
	ck_assert_uint_eq(rig_frame32(rig, 0), RIG_CODE + 7);
	ck_assert_uint_eq(rig_frame32(rig, 1), SEL_CODE3);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_uint_eq(rig_frame32(rig, 2 + i), 0xa0 + i);
	ck_assert_uint_eq(rig_frame32(rig, 5), RIG_STACK3 - 12);
	ck_assert_uint_eq(rig_frame32(rig, 6), SEL_DATA3);
}
END_TEST

START_TEST(gate_and_back_with_release_on_both_stacks)
{
	rig_gate(rig, SEL_B, GATE_CALL32 | ACC_DPL3, SEL_CODE0, TARGET, 2);
	rig_ring3(rig);
	CODE(rig, 0x6a, 0x11, 0x6a, 0x22, CALL_FAR, D(0), W(SEL_B), 0xcd, 0x80); /* push, push, call, int */
	CODE_AT(rig, TARGET, 0x8b, 0x44, 0x24, 0x08, 0xca, W(8)); /* mov eax,[esp+8]; retf 8 */
	ck_event(rig, 0x80, RIG_CODE + 13);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].e, 0x22);
	ck_assert_uint_eq(rig_frame32(rig, 1), SEL_CODE3);
	ck_assert_uint_eq(rig_frame32(rig, 3), RIG_STACK3);
	ck_assert_uint_eq(rig_frame32(rig, 4), SEL_DATA3);
}
END_TEST

START_TEST(sixteen_bit_gate)
{
	rig_descriptor(rig, SEL_A, RIG_CODE, 0xffff, ACC_CODE16);
	rig_gate(rig, SEL_B, GATE_CALL16 | ACC_DPL3, SEL_A, 0x00041000, 2);
	rig_ring3(rig);
	rig->ctx->gpr[CTX_RSP].e -= 4;
	rig_set(rig, RIG_STACK3 - 4, 4, 0xbbbbaaaa);
	CODE(rig, CALL_FAR, D(0), W(SEL_B));
	CODE_AT(rig, TARGET, 0xf4); /* the offset's high half does not count */
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(esp(), RIG_STACK0 - 12);
	ck_assert_uint_eq(rig_frame16(rig, 0), (RIG_CODE + 7) & 0xffff);
	ck_assert_uint_eq(rig_frame16(rig, 1), SEL_CODE3);
	ck_assert_uint_eq(rig_frame16(rig, 2), 0xaaaa);
	ck_assert_uint_eq(rig_frame16(rig, 3), 0xbbbb);
	ck_assert_uint_eq(rig_frame16(rig, 4), (RIG_STACK3 - 4) & 0xffff);
	ck_assert_uint_eq(rig_frame16(rig, 5), SEL_DATA3);
}
END_TEST

START_TEST(gate_to_conforming_code_keeps_the_ring)
{
	rig_descriptor(rig, SEL_A, 0, 0xfffff, 0xc09f);
	rig_gate(rig, SEL_B, GATE_CALL32 | ACC_DPL3, SEL_A, TARGET, 0);
	ck_assert_uint_eq(transfer(CALL_FAR, SEL_B, 0, 3), 0x80);
	ck_assert_uint_eq(rig_frame32(rig, 1), SEL_A | 3);
	again();
	rig_descriptor(rig, SEL_A, 0, 0xfffff, 0xc09f);
	rig_gate(rig, SEL_B, GATE_CALL32 | ACC_DPL3, SEL_A, TARGET, 0);
	ck_assert_uint_eq(transfer(JMP_FAR, SEL_B, 0, 3), 0x80);
}
END_TEST

START_TEST(gate_faults)
{
	static const struct {
		uint8_t gate, opcode, rpl, cpl, vector;
		uint16_t target, code_access;
		uint16_t error;
	} cases[] = {
		{ GATE_CALL32, CALL_FAR, 3, 3, 13, SEL_A, ACC_CODE32, SEL_B },               /* gate DPL < CPL */
		{ GATE_CALL32 | ACC_DPL2, CALL_FAR, 3, 0, 13, SEL_A, ACC_CODE32, SEL_B },    /* gate DPL < RPL */
		{ (GATE_CALL32 | ACC_DPL3) & ~0x80, CALL_FAR, 3, 3, 11, SEL_A, ACC_CODE32, SEL_B },
		{ GATE_CALL32 | ACC_DPL3, CALL_FAR, 3, 3, 13, 0, ACC_CODE32, 0 },            /* null code */
		{ GATE_CALL32 | ACC_DPL3, CALL_FAR, 3, 3, 13, 0xff8, ACC_CODE32, 0xff8 },
		{ GATE_CALL32 | ACC_DPL3, CALL_FAR, 3, 3, 13, SEL_DATA0, ACC_CODE32, SEL_DATA0 },
		{ GATE_CALL32, CALL_FAR, 0, 0, 13, SEL_A, ACC_CODE32 | ACC_DPL3, SEL_A },    /* outward */
		{ GATE_CALL32 | ACC_DPL3, CALL_FAR, 3, 3, 11, SEL_A, ACC_CODE32 & ~0x80, SEL_A },
		{ GATE_CALL32 | ACC_DPL3, JMP_FAR, 3, 3, 13, SEL_A, ACC_CODE32, SEL_A },     /* JMP stays in its ring */
		{ GATE_INT32 | ACC_DPL3, CALL_FAR, 3, 3, 13, SEL_A, ACC_CODE32, SEL_B },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		again();
		rig_descriptor(rig, SEL_A, 0, 0xfffff, cases[i].code_access);
		rig_gate(rig, SEL_B, cases[i].gate, cases[i].target, TARGET, 0);
		unsigned vector = transfer(cases[i].opcode, SEL_B | cases[i].rpl, 0, cases[i].cpl);
		ck_assert_msg(vector == cases[i].vector, "case %zu gave %x", i, vector);
		ck_assert_msg(rig_frame32(rig, 0) == cases[i].error, "case %zu: error %x", i, rig_frame32(rig, 0));
		ck_assert_uint_eq(rig_frame32(rig, 1), RIG_CODE);
	}
}
END_TEST

/* The stack of the inner ring: #TS with its selector, #SS when not there. The gate
 * leads to ring 1, so that the fault itself finds the good stack of ring 0. */
static unsigned call_with_ring1_stack(uint16_t ss, uint16_t access, uint32_t limit)
{
	again();
	rig_descriptor(rig, SEL_A, 0, 0xfffff, ACC_CODE32 | ACC_DPL1);
	rig_descriptor(rig, SEL_C, 0, limit, access);
	rig_gate(rig, SEL_B, GATE_CALL32 | ACC_DPL3, SEL_A, TARGET, 0);
	rig_set(rig, RIG_TSS + 0x10, 4, ss);
	return transfer(CALL_FAR, SEL_B | 3, 0, 3);
}

START_TEST(inner_stack_faults)
{
	ck_assert_uint_eq(call_with_ring1_stack(SEL_C | 1, ACC_DATA32 | ACC_DPL1, 0xfffff), 0x80);
	ck_assert_uint_eq(rig_frame32(rig, 1), SEL_A | 1);
	ck_assert_uint_eq(call_with_ring1_stack(0, ACC_DATA32 | ACC_DPL1, 0xfffff), 10);
	ck_assert_uint_eq(rig_frame32(rig, 0), 0);
	ck_assert_uint_eq(call_with_ring1_stack(SEL_C, ACC_DATA32 | ACC_DPL1, 0xfffff), 10); /* RPL */
	ck_assert_uint_eq(rig_frame32(rig, 0), SEL_C);
	ck_assert_uint_eq(call_with_ring1_stack(SEL_C | 1, ACC_DATA32, 0xfffff), 10); /* DPL */
	ck_assert_uint_eq(call_with_ring1_stack(SEL_C | 1, 0xc0b1, 0xfffff), 10); /* read-only */
	ck_assert_uint_eq(call_with_ring1_stack(0xff9, ACC_DATA32, 0xfffff), 10);
	ck_assert_uint_eq(rig_frame32(rig, 0), 0xff8);
	ck_assert_uint_eq(call_with_ring1_stack(SEL_C | 1, (ACC_DATA32 | ACC_DPL1) & ~0x80, 0xfffff), 12);
	ck_assert_uint_eq(rig_frame32(rig, 0), SEL_C);
	ck_assert_uint_eq(call_with_ring1_stack(SEL_C | 1, 0x40b3, 0xff), 12); /* no room */
	ck_assert_uint_eq(rig_frame32(rig, 0), SEL_C);
	ck_assert_uint_eq(rig_frame32(rig, 1), RIG_CODE);
	ck_assert_uint_eq(rig_frame32(rig, 4), RIG_STACK3); /* nothing was pushed on the outer one */
}
END_TEST

START_TEST(tss_too_short_for_the_inner_stack)
{
	again();
	rig_descriptor(rig, SEL_A, 0, 0xfffff, ACC_CODE32 | ACC_DPL1);
	rig_gate(rig, SEL_B, GATE_CALL32 | ACC_DPL3, SEL_A, TARGET, 0);
	rig->ctx->seg[CTX_TR].limit = 0x10;
	ck_assert_uint_eq(transfer(CALL_FAR, SEL_B | 3, 0, 3), 10);
	ck_assert_uint_eq(rig_frame32(rig, 0), SEL_TSS);
}
END_TEST

/* --- returns ------------------------------------------------------------------------------------ */

static void push_return(uint32_t at, uint32_t ip, uint16_t cs, uint32_t sp, uint16_t ss)
{
	rig_set(rig, at, 4, ip);
	rig_set(rig, at + 4, 4, cs);
	rig_set(rig, at + 8, 4, sp);
	rig_set(rig, at + 12, 4, ss);
}

START_TEST(return_outward_drops_inner_segments)
{
	rig_descriptor(rig, SEL_A, 0, 0xfffff, 0xc09f); /* conforming */
	rig_load(rig, CTX_FS, SEL_A);
	rig_load(rig, CTX_GS, SEL_DATA3);
	rig->ctx->gpr[CTX_RSP].e -= 16;
	push_return(RIG_STACK0 - 16, RIG_CODE + 0x100, SEL_CODE3, RIG_STACK3, SEL_DATA3);
	CODE(rig, 0xcb);
	CODE_AT(rig, RIG_CODE + 0x100, 0xcd, 0x80);
	ck_event(rig, 0x80, RIG_CODE + 0x102);
	ck_assert_uint_eq(rig_frame32(rig, 3), RIG_STACK3);
	ck_assert_uint_eq(rig->ctx->seg[CTX_DS].selector, 0); /* DPL 0 data */
	ck_assert_uint_eq(rig->ctx->seg[CTX_ES].selector, 0);
	ck_assert_uint_eq(rig->ctx->seg[CTX_FS].selector, SEL_A);
	ck_assert_uint_eq(rig->ctx->seg[CTX_GS].selector, SEL_DATA3);
}
END_TEST

START_TEST(return_faults)
{
	static const struct {
		uint16_t cs, ss, code_access, stack_access;
		uint8_t cpl, vector;
		uint16_t error;
	} cases[] = {
		{ 0, 0, ACC_CODE32, ACC_DATA32, 0, 13, 0 },
		{ 0xff8, 0, ACC_CODE32, ACC_DATA32, 0, 13, 0xff8 },
		{ SEL_A, 0, ACC_DATA32, ACC_DATA32, 0, 13, SEL_A },
		{ SEL_A, 0, ACC_CODE32, ACC_DATA32, 3, 13, SEL_A },                  /* inward */
		{ SEL_A | 3, 0, ACC_CODE32, ACC_DATA32, 0, 13, SEL_A },              /* DPL != RPL */
		{ SEL_A, 0, 0xc0ff, ACC_DATA32, 0, 13, SEL_A },                      /* conforming, DPL > RPL */
		{ SEL_A, 0, ACC_CODE32 & ~0x80, ACC_DATA32, 0, 11, SEL_A },
		{ SEL_CODE3, 0, ACC_CODE32, ACC_DATA32, 0, 13, 0 },                  /* null SS */
		{ SEL_CODE3, SEL_C, ACC_CODE32, ACC_DATA32 | ACC_DPL3, 0, 13, SEL_C }, /* RPL of SS */
		{ SEL_CODE3, SEL_C | 3, ACC_CODE32, ACC_DATA32, 0, 13, SEL_C },
		{ SEL_CODE3, SEL_C | 3, ACC_CODE32, 0xc0f1, 0, 13, SEL_C },
		{ SEL_CODE3, SEL_C | 3, ACC_CODE32, 0xc073, 0, 12, SEL_C },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		again();
		rig_descriptor(rig, SEL_A, 0, 0xfffff, cases[i].code_access);
		rig_descriptor(rig, SEL_C, 0, 0xfffff, cases[i].stack_access);
		if (cases[i].cpl)
			rig_ring3(rig);
		uint32_t sp = rig->ctx->gpr[CTX_RSP].e -= 16;
		push_return(sp, TARGET, cases[i].cs, RIG_STACK3, cases[i].ss);
		CODE(rig, 0xcb);
		unsigned vector = rig_run(rig);
		ck_assert_msg(vector == cases[i].vector, "case %zu gave %x", i, vector);
		ck_assert_msg(rig_frame32(rig, 0) == cases[i].error, "case %zu: error %x", i, rig_frame32(rig, 0));
		ck_assert_uint_eq(rig_frame32(rig, 1), RIG_CODE);
		if (!cases[i].cpl)
			ck_assert_uint_eq(esp(), sp - 16);
	}
}
END_TEST

START_TEST(return_offset_beyond_the_limit)
{
	rig_descriptor(rig, SEL_A, 0, 0xff, 0x409b);
	rig->ctx->gpr[CTX_RSP].e -= 16;
	push_return(RIG_STACK0 - 16, 0x100, SEL_A, 0, 0);
	CODE(rig, 0xcb);
	ck_fault(rig, 13, 0, RIG_CODE);
}
END_TEST

START_TEST(sixteen_bit_stack_of_the_outer_ring_gets_sp_only)
{
	/* The high half of ESP stays the inner one's, as on every chip. */
	rig_descriptor(rig, SEL_C, RIG_STACK3 - 0x8000, 0xffff, ACC_DATA16 | ACC_DPL3);
	rig->ctx->gpr[CTX_RSP].e -= 16;
	push_return(RIG_STACK0 - 16, RIG_CODE + 0x100, SEL_CODE3, 0x12348000, SEL_C | 3);
	CODE(rig, 0xcb);
	CODE_AT(rig, RIG_CODE + 0x100, 0x89, 0xe0, 0xcd, 0x80); /* mov eax,esp */
	ck_assert_uint_eq(rig_run(rig), 0x80);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].e, ((RIG_STACK0 - 16) & 0xffff0000u) | 0x8000);
}
END_TEST

START_TEST(alignment_of_what_ring_3_pushes_and_pops)
{
	static const struct {
		uint8_t code[7];
		int offset;
		unsigned vector;
	} cases[] = {
		{ { CALL_FAR, D(RIG_CODE + 0x100), W(SEL_CODE3) }, 0, 0x80 },
		{ { CALL_FAR, D(RIG_CODE + 0x100), W(SEL_CODE3) }, -2, 17 },
		{ { 0x66, 0xcb }, -1, 17 },  /* retf */
		{ { 0xcf }, -2, 17 },        /* iret */
		{ { 0xcd, 0x80 }, -2, 0x80 },/* on the stack of ring 0 */
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		again();
		rig_ring3(rig);
		rig->ctx->cr0 |= CTX_CR0_AM;
		rig->ctx->rflags |= CTX_EFLAGS_AC;
		rig->ctx->gpr[CTX_RSP].e += (uint32_t)cases[i].offset;
		rig_put(rig, RIG_CODE, cases[i].code, sizeof cases[i].code);
		CODE_AT(rig, RIG_CODE + 0x100, 0xcd, 0x80);
		unsigned vector = rig_run(rig);
		ck_assert_msg(vector == cases[i].vector, "case %zu gave %u", i, vector);
	}
}
END_TEST

Suite *suite_emu_far(void);
Suite *suite_emu_far(void)
{
	return RIG_SUITE("emu_far", start, stop, direct_jump_and_call_by_rights, null_outside_and_offset_faults,
	                 call_pushes_and_marks_accessed, far_pointer_in_memory, to_16_bit_code_and_back,
	                 gate_without_change_of_ring, gate_to_ring_0_with_parameters,
	                 gate_and_back_with_release_on_both_stacks, sixteen_bit_gate, gate_to_conforming_code_keeps_the_ring,
	                 gate_faults, inner_stack_faults, tss_too_short_for_the_inner_stack,
	                 return_outward_drops_inner_segments, return_faults, return_offset_beyond_the_limit,
	                 sixteen_bit_stack_of_the_outer_ring_gets_sp_only,
	                 alignment_of_what_ring_3_pushes_and_pops);
}
