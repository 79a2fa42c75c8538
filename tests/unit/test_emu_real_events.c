/* Real mode: shadows, single step, HLT, NMI, A20. */
#include <string.h>

#include "tests/unit/emu_rig.h"

static struct rig *rig;

static void start(void) { rig = rig_new_real(EMU_CPU_P6); }
static void stop(void) { rig_free(rig); }

/* --- shadows ------------------------------------------------------------------------ */

START_TEST(sti_lets_one_instruction_run)
{
	CODE(rig, 0xfb, 0x40, 0x40, 0xf4); /* sti; inc ax; inc ax */
	rig_interrupt(rig, 0x20);
	ck_assert_uint_eq(rig_run(rig), 0x20);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].x, 1);
	rig_ck_frame16(rig, 2, CTX_EFLAGS_IF, CTX_EFLAGS_IF);
}
END_TEST

/* It stops exactly where the interrupt would come, as often as it is asked. */
START_TEST(held_interrupt_stops)
{
	CODE(rig, 0xfb, 0x40, 0xf4, 0x40, 0xf4); /* sti; inc ax; hlt; inc ax; hlt */
	rig->machine->pins.hold_intr = true;
	rig_interrupt(rig, 0x20);
	for (unsigned n = 0; n < 2; n++) {
		ck_assert_uint_eq(rig_run(rig), RIG_OTHER);
		ck_assert_uint_eq(rig->ctx->rip, 2);
		ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].x, 1);
		ck_assert(rig->machine->pins.intr);
	}
	rig->machine->pins.hold_intr = false;
	ck_assert_uint_eq(rig_run(rig), 0x20);
	rig_ck_frame16(rig, 2, CTX_EFLAGS_IF, CTX_EFLAGS_IF);
}
END_TEST

START_TEST(held_interrupt_ends_hlt)
{
	CODE(rig, 0xfb, 0xf4, 0x40, 0xf4); /* sti; hlt; inc ax; hlt */
	rig->machine->pins.hold_intr = true;
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	rig_interrupt(rig, 0x20);
	ck_assert_uint_eq(rig_run(rig), RIG_OTHER);
	ck_assert_uint_eq(rig->ctx->rip, 2);
	ck_assert(!rig->ctx->halted);
}
END_TEST

START_TEST(sti_cli_lets_no_interrupt_in)
{
	CODE(rig, 0xfb, 0xfa, 0x40, 0xf4);
	rig_interrupt(rig, 0x20);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].x, 1);
}
END_TEST

START_TEST(second_sti_casts_no_shadow)
{
	CODE(rig, 0xfb, 0xfb, 0x40, 0xf4);
	rig_interrupt(rig, 0x20);
	ck_assert_uint_eq(rig_run(rig), 0x20);
	rig_ck_frame16(rig, 2, 0, 0);
}
END_TEST

START_TEST(sti_hlt_sleeps_no_interrupt_away)
{
	CODE(rig, 0xfb, 0xf4, 0x40);
	rig_interrupt(rig, 0x20);
	ck_assert_uint_eq(rig_run(rig), 0x20);
	rig_ck_frame16(rig, 2, 0, 0);
}
END_TEST

START_TEST(mov_ss_holds_interrupts_and_nmi_for_one_instruction)
{
	CODE(rig, 0x8e, 0xd3, 0x89, 0xcc, 0x40, 0xf4); /* mov ss,bx; mov sp,cx; inc ax */
	rig->ctx->gpr[CTX_RBX].e = 0x3000;
	rig->ctx->gpr[CTX_RCX].e = 0x8000;
	rig->ctx->rflags |= CTX_EFLAGS_IF;
	rig_step(rig, 0);
	ck_assert_uint_eq(rig_step(rig, 1), STOP_BUDGET);
	rig_interrupt(rig, 0x20);
	rig_nmi(rig);
	ck_assert_uint_eq(rig_run(rig), 2);
	ck_assert_uint_eq(rig->ctx->seg[CTX_SS].base, 0x30000);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RSP].x, 0x8000 - 6);
	rig_ck_frame16(rig, 4, 0, 0);
}
END_TEST

START_TEST(pop_ss_is_like_mov_ss)
{
	CODE(rig, 0x17, 0x40, 0x40, 0xf4); /* pop ss; inc ax; inc ax */
	rig_set(rig, RIG_DATA + 0xf000, 2, 0x3000);
	rig->ctx->rflags |= CTX_EFLAGS_IF;
	rig_step(rig, 1);
	rig_interrupt(rig, 0x20);
	ck_assert_uint_eq(rig_run(rig), 0x20);
	rig_ck_frame16(rig, 2, 0, 0);
}
END_TEST

/* --- single step ------------------------------------------------------------------------ */

START_TEST(tf_traps_behind_each_instruction)
{
	CODE(rig, 0x40, 0x40, 0xf4);
	rig->ctx->rflags |= CTX_EFLAGS_TF;
	rig_ck_real_fault(rig, 1, 1);
	ck_assert_uint_eq(rig->ctx->dr6, 0xffff4ff0);
	ck_assert(!(rig->ctx->rflags & CTX_EFLAGS_TF));
	rig_ck_frame16(rig, 1, CTX_EFLAGS_TF, CTX_EFLAGS_TF);
}
END_TEST

START_TEST(popf_that_sets_tf_traps_behind_the_next)
{
	CODE(rig, 0x9d, 0x40, 0x40, 0xf4);
	rig_set(rig, RIG_DATA + 0xf000, 2, 0x0102);
	ck_assert_uint_eq(rig_run(rig), 1);
	rig_ck_frame16(rig, 2, 0, 0);
}
END_TEST

START_TEST(popf_that_clears_tf_still_traps)
{
	CODE(rig, 0x9d, 0x40, 0x40, 0xf4);
	rig_set(rig, RIG_DATA + 0xf000, 2, 0x0002);
	rig->ctx->rflags |= CTX_EFLAGS_TF;
	ck_assert_uint_eq(rig_run(rig), 1);
	rig_ck_frame16(rig, 1, CTX_EFLAGS_TF, 0);
}
END_TEST

START_TEST(tf_is_held_over_mov_ss)
{
	CODE(rig, 0x8e, 0xd3, 0x40, 0x40, 0xf4);
	rig->ctx->gpr[CTX_RBX].e = 0x3000;
	rig->ctx->rflags |= CTX_EFLAGS_TF;
	ck_assert_uint_eq(rig_run(rig), 1);
	rig_ck_frame16(rig, 3, 0, 0);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].x, 1);
}
END_TEST

START_TEST(int_with_tf_does_not_trap)
{
	CODE(rig, 0xcd, 0x30);
	rig->ctx->rflags |= CTX_EFLAGS_TF;
	ck_assert_uint_eq(rig_run(rig), 0x30);
	rig_ck_frame16(rig, 2, CTX_EFLAGS_TF, CTX_EFLAGS_TF);
}
END_TEST

START_TEST(into_that_does_nothing_traps)
{
	CODE(rig, 0xce, 0x40, 0xf4);
	rig->ctx->rflags |= CTX_EFLAGS_TF;
	ck_assert_uint_eq(rig_run(rig), 1);
	rig_ck_frame16(rig, 1, 0, 0);
}
END_TEST

START_TEST(rep_with_tf_traps_behind_each_round)
{
	CODE(rig, 0xf3, 0xa4, 0xf4); /* rep movsb */
	rig->ctx->gpr[CTX_RCX].e = 3;
	rig->ctx->gpr[CTX_RDI].e = 0x100;
	rig->ctx->rflags |= CTX_EFLAGS_TF;
	ck_assert_uint_eq(rig_run(rig), 1);
	rig_ck_frame16(rig, 0, 0, 0);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RCX].x, 2);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RSI].x, 1);
}
END_TEST

START_TEST(last_round_of_rep_traps_behind_it)
{
	CODE(rig, 0xf3, 0xa4, 0xf4);
	rig->ctx->gpr[CTX_RCX].e = 1;
	rig->ctx->rflags |= CTX_EFLAGS_TF;
	ck_assert_uint_eq(rig_run(rig), 1);
	rig_ck_frame16(rig, 2, 0, 0);
}
END_TEST

START_TEST(trap_wakes_a_hlt)
{
	CODE(rig, 0xf4, 0x40);
	rig->ctx->rflags |= CTX_EFLAGS_TF;
	ck_assert_uint_eq(rig_run(rig), 1);
	rig_ck_frame16(rig, 1, 0, 0);
}
END_TEST

START_TEST(fault_with_tf_traps_only_in_its_turn)
{
	CODE(rig, 0xf7, 0xf1); /* div cx, by zero */
	rig->ctx->rflags |= CTX_EFLAGS_TF;
	ck_assert_uint_eq(rig_run(rig), 0);
	rig_ck_frame16(rig, 0, CTX_EFLAGS_TF, CTX_EFLAGS_TF);
}
END_TEST

START_TEST(trap_comes_before_an_interrupt)
{
	CODE(rig, 0x40, 0xf4);
	rig->ctx->rflags |= CTX_EFLAGS_TF | CTX_EFLAGS_IF;
	rig->ctx->pending_db = 0x4000;
	rig_interrupt(rig, 0x20);
	ck_assert_uint_eq(rig_run(rig), 1);
	ck_assert(rig->machine->pins.intr);
}
END_TEST

/* --- HLT, NMI, A20 ------------------------------------------------------------------------- */

START_TEST(irq_ends_hlt)
{
	CODE(rig, 0xf4, 0x40);
	rig->ctx->rflags |= CTX_EFLAGS_IF;
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->halted, 1);
	ck_assert_uint_eq(rig_step(rig, 10), STOP_HALT); /* stays so */
	rig_interrupt(rig, 0x55);
	ck_assert_uint_eq(rig_step(rig, 10), STOP_HALT);
	rig_ck_frame16(rig, 1, 0, 0);
	ck_assert_uint_eq(rig->ctx->rip, 16 * 0x55 + 1);
}
END_TEST

START_TEST(masked_irq_does_not_end_hlt)
{
	CODE(rig, 0xf4);
	rig_run(rig);
	rig_interrupt(rig, 0x55);
	ck_assert_uint_eq(rig_step(rig, 10), STOP_HALT);
	ck_assert_uint_eq(rig->ctx->rip, 1);
}
END_TEST

START_TEST(nmi_is_masked_until_iret)
{
	CODE(rig, 0x40, 0x40, 0xf4);
	CODE_AT(rig, rig_handler(2), 0x43, 0xeb, 0x00, 0xcf); /* inc bx; jmp $+2; iret */
	rig_nmi(rig);
	rig_step(rig, 1);
	ck_assert_uint_eq(rig->ctx->nmi_masked, 1);
	rig_nmi(rig);
	rig_step(rig, 0);
	ck_assert(rig->machine->pins.nmi); /* waits */
	rig_step(rig, 1);
	ck_assert(!rig->machine->pins.nmi); /* taken behind the IRET */
	ck_assert_uint_eq(rig->ctx->rip, 16 * 2);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->nmi_masked, 0);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RBX].x, 2);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].x, 2);
}
END_TEST

START_TEST(interrupt_between_rounds_of_rep_comes_back)
{
	CODE(rig, 0xf3, 0xaa, 0xf4); /* rep stosb */
	CODE_AT(rig, rig_handler(2), 0xcf);
	rig->ctx->gpr[CTX_RCX].e = 0x4000;
	rig->ctx->gpr[CTX_RAX].e = 0x77;
	rig_step(rig, 1);
	rig_nmi(rig);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RCX].x, 0);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RDI].x, 0x4000);
	ck_assert_uint_eq(rig_get(rig, RIG_DATA + 0x3fff, 1), 0x77);
}
END_TEST

START_TEST(a20_wraps_ffff_10)
{
	CODE(rig, 0xa0, W(0x0010), 0xf4); /* mov al,[ffff:0010] */
	machine_set_real(rig->machine, CTX_DS, 0xffff);
	rig_set(rig, 0, 1, 0x11);
	rig_set(rig, 0x100000, 1, 0x22);
	mem_set_a20(rig->machine->mem, false);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].l, 0x11);
	mem_set_a20(rig->machine->mem, true);
	rig->ctx->rip = 0;
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].l, 0x22);
}
END_TEST

START_TEST(a20_wraps_code_as_well)
{
	CODE_AT(rig, 0x0400, 0x40, 0xf4);                /* inc ax */
	CODE_AT(rig, 0x100400, 0x48, 0xf4);              /* dec ax */
	machine_set_real(rig->machine, CTX_CS, 0xffff);
	for (unsigned on = 0; on < 2; on++) {
		mem_set_a20(rig->machine->mem, on);
		rig->ctx->rip = 0x410;
		rig->ctx->gpr[CTX_RAX].e = 10;
		rig_run(rig);
		ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].x, on ? 9 : 11);
	}
}
END_TEST

Suite *suite_emu_real_events(void);
Suite *suite_emu_real_events(void)
{
	return RIG_SUITE("emu_real_events", start, stop, sti_lets_one_instruction_run, held_interrupt_stops, held_interrupt_ends_hlt,
	                 sti_cli_lets_no_interrupt_in, second_sti_casts_no_shadow, sti_hlt_sleeps_no_interrupt_away,
	                 mov_ss_holds_interrupts_and_nmi_for_one_instruction, pop_ss_is_like_mov_ss,
	                 tf_traps_behind_each_instruction, popf_that_sets_tf_traps_behind_the_next,
	                 popf_that_clears_tf_still_traps, tf_is_held_over_mov_ss, int_with_tf_does_not_trap,
	                 into_that_does_nothing_traps, rep_with_tf_traps_behind_each_round,
	                 last_round_of_rep_traps_behind_it, trap_wakes_a_hlt, fault_with_tf_traps_only_in_its_turn,
	                 trap_comes_before_an_interrupt, irq_ends_hlt, masked_irq_does_not_end_hlt,
	                 nmi_is_masked_until_iret, interrupt_between_rounds_of_rep_comes_back, a20_wraps_ffff_10,
	                 a20_wraps_code_as_well);
}
