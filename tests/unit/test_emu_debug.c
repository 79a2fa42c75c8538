/* Debug registers: breakpoints on code, data and ports, DR6, general detect. */
#include "tests/unit/emu_rig.h"

static struct rig *rig;

static void start(void) { rig = rig_new_protected(EMU_CPU_P6); }
static void stop(void) { rig_free(rig); }
static void again(void) { stop(); start(); }

enum { CODE_BREAK, WRITE_BREAK, PORT_BREAK, ACCESS_BREAK };

/* Breakpoint `n` by its local enable bit; size 1, 2, 4. */
static void set_break(unsigned n, uint32_t address, unsigned kind, unsigned size)
{
	uint64_t *const regs[] = { &rig->ctx->dr0, &rig->ctx->dr1, &rig->ctx->dr2, &rig->ctx->dr3 };
	*regs[n] = address;
	rig->ctx->dr7 |= 1u << 2 * n | (kind | (size - 1) << 2) << (16 + 4 * n);
}

static uint32_t hits(void) { return rig->ctx->dr6 & 0xf; }

/* Does MOV of `size` bytes at `address` hit breakpoint 1? */
static bool access_hits(uint32_t address, unsigned size, bool write)
{
	uint8_t opcode = (uint8_t)((write ? 0xa2 : 0xa0) + (size > 1));
	rig->ctx->rip = RIG_CODE;
	rig->ctx->dr6 = 0xffff0ff0;
	rig->ctx->gpr[CTX_RSP].e = RIG_STACK0;
	CODE_AT(rig, RIG_CODE, size == 2 ? 0x66 : 0x3e, opcode, D(address), 0x90, 0xf4);
	unsigned vector = rig_run(rig);
	ck_assert(vector == 1 || vector == RIG_HALTED);
	if (vector == 1) {
		ck_assert_uint_eq(rig_frame32(rig, 0), RIG_CODE + 6); /* a trap */
		ck_assert_uint_eq(rig_frame32(rig, 2) & CTX_EFLAGS_RF, 0);
		ck_assert_uint_eq(hits(), 2);
	}
	return vector == 1;
}

START_TEST(data_breakpoints_by_size)
{
	set_break(1, RIG_DATA + 4, ACCESS_BREAK, 4);
	ck_assert(access_hits(RIG_DATA + 4, 1, false) && access_hits(RIG_DATA + 7, 1, true));
	ck_assert(!access_hits(RIG_DATA + 3, 1, false) && !access_hits(RIG_DATA + 8, 1, true));
	ck_assert(access_hits(RIG_DATA + 3, 2, true) && access_hits(RIG_DATA + 7, 4, false) && access_hits(RIG_DATA + 1, 4, true));
	ck_assert(!access_hits(RIG_DATA, 4, true) && !access_hits(RIG_DATA + 8, 4, false));
	again();
	set_break(1, RIG_DATA + 2, ACCESS_BREAK, 2);
	ck_assert(access_hits(RIG_DATA + 3, 1, false) && !access_hits(RIG_DATA + 1, 1, false) && !access_hits(RIG_DATA + 4, 1, false));
	again();
	set_break(1, RIG_DATA + 3, ACCESS_BREAK, 1);
	ck_assert(access_hits(RIG_DATA + 3, 1, true) && !access_hits(RIG_DATA + 2, 1, true) && access_hits(RIG_DATA, 4, true));
	again();
	set_break(1, RIG_DATA + 3, ACCESS_BREAK, 4); /* the low bits of the address do not count */
	ck_assert(access_hits(RIG_DATA, 1, true) && !access_hits(RIG_DATA + 4, 1, true));
}
END_TEST

START_TEST(write_breakpoint_lets_reads_pass)
{
	set_break(1, RIG_DATA, WRITE_BREAK, 4);
	ck_assert(access_hits(RIG_DATA, 4, true));
	ck_assert(!access_hits(RIG_DATA, 4, false));
}
END_TEST

START_TEST(read_modify_write_hits)
{
	set_break(0, RIG_DATA, WRITE_BREAK, 4);
	CODE(rig, 0xff, 0x05, D(RIG_DATA), 0xf4); /* inc [] */
	ck_event(rig, 1, RIG_CODE + 6);
	ck_assert_uint_eq(rig_get(rig, RIG_DATA, 4), 1); /* it was done */
	ck_assert_uint_eq(hits(), 1);
}
END_TEST

START_TEST(stack_accesses_hit)
{
	set_break(2, RIG_STACK0 - 4, WRITE_BREAK, 4);
	CODE(rig, 0x50, 0x90, 0xf4);
	ck_event(rig, 1, RIG_CODE + 1);
	ck_assert_uint_eq(hits(), 4);
}
END_TEST

START_TEST(each_round_of_a_string)
{
	set_break(0, RIG_DATA + 2, WRITE_BREAK, 1);
	rig->ctx->gpr[CTX_RDI].e = RIG_DATA;
	rig->ctx->gpr[CTX_RCX].e = 6;
	CODE(rig, 0xf3, 0xaa, 0xf4); /* rep stosb */
	ck_event(rig, 1, RIG_CODE);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RCX].e, 3);
	ck_assert_uint_eq(rig_frame32(rig, 2) & CTX_EFLAGS_RF, CTX_EFLAGS_RF);
}
END_TEST

START_TEST(two_breakpoints_at_once)
{
	set_break(0, RIG_DATA, ACCESS_BREAK, 1);
	set_break(3, RIG_DATA, WRITE_BREAK, 4);
	CODE(rig, 0xa3, D(RIG_DATA), 0xf4);
	ck_event(rig, 1, RIG_CODE + 5);
	ck_assert_uint_eq(hits(), 9);
}
END_TEST

START_TEST(faulting_instruction_hits_nothing)
{
	/* MOVS reads a watched place and cannot write. */
	set_break(0, RIG_DATA, ACCESS_BREAK, 4);
	rig_paging(rig);
	rig_map(rig, RIG_DATA + 0x1000, 0);
	rig->ctx->gpr[CTX_RSI].e = RIG_DATA;
	rig->ctx->gpr[CTX_RDI].e = RIG_DATA + 0x1000;
	CODE(rig, 0xa5);
	ck_assert_uint_eq(rig_run(rig), 14);
	ck_assert_uint_eq(hits(), 0);
	ck_assert_uint_eq(rig->ctx->pending_db, 0);
}
END_TEST

START_TEST(mov_ss_holds_data_breakpoints)
{
	set_break(0, RIG_DATA, ACCESS_BREAK, 2);
	rig_set(rig, RIG_DATA, 2, SEL_DATA0);
	CODE(rig, 0x8e, 0x15, D(RIG_DATA), 0x40, 0x40, 0xf4); /* mov ss,[]; inc eax; inc eax */
	ck_event(rig, 1, RIG_CODE + 7);
	ck_assert_uint_eq(hits(), 1);
}
END_TEST

/* --- code ------------------------------------------------------------------------- */

START_TEST(code_breakpoint_is_a_fault)
{
	set_break(1, RIG_CODE + 1, CODE_BREAK, 1);
	CODE(rig, 0x40, 0x40, 0xf4);
	ck_event(rig, 1, RIG_CODE + 1);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].e, 1);
	ck_assert_uint_eq(hits(), 2);
	ck_assert_uint_eq(rig_frame32(rig, 2) & CTX_EFLAGS_RF, 0);
}
END_TEST

START_TEST(rf_lets_it_pass_once)
{
	set_break(0, RIG_CODE, CODE_BREAK, 1);
	CODE(rig, 0x40, 0xeb, 0xfd); /* inc eax; jmp back */
	rig->ctx->rflags |= CTX_EFLAGS_RF;
	ck_event(rig, 1, RIG_CODE);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].e, 1);
	ck_assert_uint_eq(rig->ctx->rflags & CTX_EFLAGS_RF, 0);
}
END_TEST

START_TEST(iret_with_rf_goes_on)
{
	set_break(0, RIG_CODE + 0x10, CODE_BREAK, 1);
	rig->ctx->gpr[CTX_RSP].e -= 12;
	rig_set(rig, RIG_STACK0 - 12, 4, RIG_CODE + 0x10);
	rig_set(rig, RIG_STACK0 - 8, 4, SEL_CODE0);
	rig_set(rig, RIG_STACK0 - 4, 4, 2 | CTX_EFLAGS_RF);
	CODE(rig, 0xcf);
	CODE_AT(rig, RIG_CODE + 0x10, 0x40, 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].e, 1);
}
END_TEST

START_TEST(code_breakpoint_behind_mov_ss_is_not_seen)
{
	set_break(0, RIG_CODE + 2, CODE_BREAK, 1);
	rig->ctx->gpr[CTX_RAX].e = SEL_DATA0;
	CODE(rig, 0x8e, 0xd0, 0x43, 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
}
END_TEST

START_TEST(code_breakpoint_amid_an_instruction_is_none)
{
	set_break(0, RIG_CODE + 1, CODE_BREAK, 1);
	CODE(rig, 0xb8, D(1), 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
}
END_TEST

START_TEST(breakpoint_uses_linear_addresses)
{
	rig_descriptor(rig, SEL_A, RIG_CODE, 0xfff, 0x409b);
	rig_load(rig, CTX_CS, SEL_A);
	rig->ctx->rip = 0;
	set_break(0, RIG_CODE + 1, CODE_BREAK, 1);
	CODE(rig, 0x40, 0x40);
	ck_event(rig, 1, 1);
}
END_TEST

/* --- ports ---------------------------------------------------------------------------- */

START_TEST(port_breakpoints_want_de)
{
	for (unsigned de = 0; de < 2; de++) {
		again();
		rig->ctx->cr4 = de ? CTX_CR4_DE : 0;
		set_break(1, 0x300, PORT_BREAK, 2);
		CODE(rig, 0xba, D(0x301), 0xee, 0x90, 0xf4); /* out dx,al */
		ck_assert_uint_eq(rig_run(rig), de ? 1 : RIG_HALTED);
		if (de) {
			ck_assert_uint_eq(rig_frame32(rig, 0), RIG_CODE + 6);
			ck_assert_uint_eq(hits(), 2);
		}
	}
}
END_TEST

START_TEST(port_breakpoints_by_in_and_ins)
{
	static const uint8_t code[][3] = { { 0xec }, { 0x6c }, { 0xf3, 0x6c }, { 0xf3, 0x6e } };
	for (unsigned i = 0; i < 4; i++) {
		again();
		rig->ctx->cr4 = CTX_CR4_DE;
		set_break(0, 0x300, PORT_BREAK, 1);
		rig->ctx->gpr[CTX_RDX].e = 0x300;
		rig->ctx->gpr[CTX_RCX].e = 2;
		rig->ctx->gpr[CTX_RSI].e = rig->ctx->gpr[CTX_RDI].e = RIG_DATA;
		rig_put(rig, RIG_CODE, code[i], 3);
		ck_assert_msg(rig_run(rig) == 1, "case %u", i);
		ck_assert_uint_eq(hits(), 1);
	}
}
END_TEST

/* --- the registers -------------------------------------------------------------------------- */

START_TEST(registers_hold_what_is_defined)
{
	CODE(rig, 0xb8, D(0xffffffff), 0x0f, 0x23, 0xc0, 0x0f, 0x23, 0xf0, /* mov dr0,eax; mov dr6,eax */
	     0x0f, 0x21, 0xc1, 0x0f, 0x21, 0xf2,                          /* mov ecx,dr0; mov edx,dr6 */
	     0x31, 0xc0, 0x0f, 0x23, 0xf8, 0x0f, 0x21, 0xeb, 0xf4);       /* mov dr7,0; mov ebx,dr5 (= dr7) */
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RCX].e, 0xffffffff);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RDX].e, 0xffffeff0 | 0xf);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RBX].e, 0x400);
}
END_TEST

START_TEST(dr4_and_dr5_are_undefined_with_de)
{
	rig->ctx->cr4 = CTX_CR4_DE;
	CODE(rig, 0x0f, 0x21, 0xe0);
	ck_event(rig, 6, RIG_CODE);
}
END_TEST

START_TEST(general_detect)
{
	rig->ctx->dr7 |= 0x2000;
	CODE(rig, 0x0f, 0x21, 0xc0);
	ck_event(rig, 1, RIG_CODE); /* a fault */
	ck_assert_uint_eq(rig->ctx->dr6 & 0xe00f, 0x2000);
	ck_assert_uint_eq(rig->ctx->dr7 & 0x2000, 0); /* so that the handler can use them */
}
END_TEST

START_TEST(breakpoint_set_by_the_guest_works_at_once)
{
	CODE(rig, 0xb8, D(RIG_DATA), 0x0f, 0x23, 0xd8,        /* mov dr3,eax */
	     0xb8, D(0xd0000080), 0x0f, 0x23, 0xf8,           /* mov dr7: G3, write, 4 bytes */
	     0xa3, D(RIG_DATA), 0x90, 0xf4);
	ck_event(rig, 1, RIG_CODE + 21);
	ck_assert_uint_eq(hits(), 8);
}
END_TEST

START_TEST(breakpoint_removed_by_the_guest_is_gone)
{
	set_break(0, RIG_DATA, ACCESS_BREAK, 4);
	CODE(rig, 0x31, 0xc0, 0x0f, 0x23, 0xf8, 0xa3, D(RIG_DATA), 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
}
END_TEST

static unsigned fetched;

static void fetch(void *keeper, struct ctx *ctx, enum ctx_part part)
{
	ck_assert_ptr_eq(keeper, rig);
	ck_assert_int_eq(part, CTX_PART_DR6);
	ctx->dr6 |= 0x2000;
	fetched++;
}

/* Bits of DR6 that another engine has kept come to those of the page when it is looked at,
 * and go when it is written. */
START_TEST(kept_dr6_is_fetched_once)
{
	rig->machine->pins.fetch = fetch;
	rig->machine->pins.keeper = rig;
	rig->ctx->dr6_kept = 1;
	fetched = 0;
	CODE(rig, 0x0f, 0x21, 0xc0, 0xf4); /* mov eax, dr0 */
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(fetched, 0);
	rig->ctx->rip = RIG_CODE;
	CODE_AT(rig, RIG_CODE, 0xf1); /* int1 leaves DR6 alone */
	ck_event(rig, 1, RIG_CODE + 1);
	ck_assert_uint_eq(fetched, 0);
	rig->ctx->dr6 |= 0x4000;
	rig->ctx->rip = RIG_CODE;
	CODE_AT(rig, RIG_CODE, 0x0f, 0x21, 0xf0, 0x0f, 0x21, 0xf1, 0x31, 0xd2, 0x0f, 0x23, 0xf2, 0x0f, 0x21, 0xf2, 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(fetched, 1);
	ck_assert_uint_eq(rig->ctx->dr6_kept, 0);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].e, 0xffff6ff0);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RCX].e, 0xffff6ff0);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RDX].e, 0xffff0ff0);
}
END_TEST

START_TEST(dr6_bits_are_sticky)
{
	rig->ctx->dr6 |= 0x4008;
	set_break(0, RIG_DATA, ACCESS_BREAK, 4);
	CODE(rig, 0xa3, D(RIG_DATA));
	ck_event(rig, 1, RIG_CODE + 5);
	ck_assert_uint_eq(rig->ctx->dr6 & 0xf00f, 0x4009);
}
END_TEST

START_TEST(step_and_breakpoint_come_together)
{
	set_break(0, RIG_DATA, ACCESS_BREAK, 4);
	rig->ctx->rflags |= CTX_EFLAGS_TF;
	CODE(rig, 0xa3, D(RIG_DATA));
	ck_event(rig, 1, RIG_CODE + 5);
	ck_assert_uint_eq(rig->ctx->dr6 & 0xf00f, 0x4001);
}
END_TEST

START_TEST(icebp_leaves_dr6)
{
	CODE(rig, 0xf1);
	ck_event(rig, 1, RIG_CODE + 1);
	ck_assert_uint_eq(rig->ctx->dr6, 0xffff0ff0);
}
END_TEST

START_TEST(far_transfers_and_interrupts_hit)
{
	set_break(0, RIG_STACK0 - 8, WRITE_BREAK, 4);
	CODE(rig, 0x9a, D(RIG_CODE + 0x100), W(SEL_CODE0)); /* EIP is pushed there */
	CODE_AT(rig, RIG_CODE + 0x100, 0xf4);
	ck_event(rig, 1, RIG_CODE + 0x100);
	ck_assert_uint_eq(hits(), 1);
	again();
	set_break(0, RIG_STACK0, ACCESS_BREAK, 4);
	rig_set(rig, RIG_STACK0, 4, RIG_CODE + 0x100);
	rig_set(rig, RIG_STACK0 + 4, 4, SEL_CODE0);
	CODE(rig, 0xca, W(0x20)); /* retf 20: the frame of #DB lies above */
	CODE_AT(rig, RIG_CODE + 0x100, 0xf4);
	ck_event(rig, 1, RIG_CODE + 0x100);
	again();
	set_break(0, RIG_STACK0 - 4, WRITE_BREAK, 4); /* EFLAGS of the interrupt */
	CODE(rig, 0xcd, 0x80);
	ck_event(rig, 1, rig_handler(0x80));
	/* A frame that does not come to its end has hit nothing. */
	again();
	set_break(0, RIG_STACK0 - 4, WRITE_BREAK, 4);
	rig_descriptor(rig, SEL_A, 0, 0xff, 0x409b);
	rig_idt(rig, 0x40, GATE_INT32 | ACC_DPL3, SEL_A, 0x1000); /* beyond the limit */
	rig_idt(rig, 13, GATE_TASK, SEL_TSS2, 0);
	rig_tss32(rig, RIG_TSS2, rig_handler(13), 0);
	CODE(rig, 0xcd, 0x40);
	ck_assert_uint_eq(rig_run(rig), 13);
}
END_TEST

START_TEST(no_single_step_behind_mov_ss)
{
	rig->ctx->rflags |= CTX_EFLAGS_TF;
	rig->ctx->gpr[CTX_RAX].e = SEL_DATA0;
	CODE(rig, 0x8e, 0xd0, 0x43, 0xf4); /* mov ss,ax; inc ebx */
	ck_event(rig, 1, RIG_CODE + 3);
	again();
	rig->ctx->rflags |= CTX_EFLAGS_TF;
	rig_set(rig, RIG_STACK0, 4, SEL_DATA0);
	CODE(rig, 0x17, 0x0f, 0x0b); /* pop ss; ud2 */
	ck_event(rig, 6, RIG_CODE + 1);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RSP].e, RIG_STACK0 + 4 - 12);
}
END_TEST

Suite *suite_emu_debug(void);
Suite *suite_emu_debug(void)
{
	return RIG_SUITE("emu_debug", start, stop, data_breakpoints_by_size, write_breakpoint_lets_reads_pass,
	                 read_modify_write_hits, stack_accesses_hit, each_round_of_a_string, two_breakpoints_at_once,
	                 faulting_instruction_hits_nothing, mov_ss_holds_data_breakpoints, code_breakpoint_is_a_fault,
	                 rf_lets_it_pass_once, iret_with_rf_goes_on, code_breakpoint_behind_mov_ss_is_not_seen,
	                 code_breakpoint_amid_an_instruction_is_none, breakpoint_uses_linear_addresses,
	                 port_breakpoints_want_de, port_breakpoints_by_in_and_ins, registers_hold_what_is_defined,
	                 dr4_and_dr5_are_undefined_with_de, general_detect, breakpoint_set_by_the_guest_works_at_once,
	                 breakpoint_removed_by_the_guest_is_gone, kept_dr6_is_fetched_once, dr6_bits_are_sticky, step_and_breakpoint_come_together,
	                 icebp_leaves_dr6,
	                 far_transfers_and_interrupts_hit, no_single_step_behind_mov_ss);
}
