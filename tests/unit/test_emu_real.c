/* Real mode: reset, vectors, limits, shadows, single step, HLT, NMI, A20, INIT. */
#include <string.h>

#include "tests/unit/emu_rig.h"

static struct rig *rig;

static void start(void) { rig = rig_new_real(EMU_CPU_P6); }
static void stop(void) { rig_free(rig); }

/* The frame of a real-mode interrupt. */
static void ck_frame(uint16_t ip, uint16_t flags_mask, uint16_t flags)
{
	ck_assert_uint_eq(rig_frame16(rig, 0), ip);
	ck_assert_uint_eq(rig_frame16(rig, 1), RIG_CODE >> 4);
	ck_assert_uint_eq(rig_frame16(rig, 2) & flags_mask, flags);
}

/* No error code: the frame is three words. */
static void ck_real_fault(unsigned vector, uint16_t ip)
{
	uint16_t sp = rig->ctx->gpr[CTX_RSP].x;
	ck_assert_uint_eq(rig_run(rig), vector);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RSP].x, (uint16_t)(sp - 6));
	ck_frame(ip, 0, 0);
}

/* --- reset --------------------------------------------------------------------- */

START_TEST(reset_starts_16_bytes_below_4g)
{
	ctx_reset(rig->ctx, emu_cpu_signature(EMU_CPU_P6));
	struct mem_store *rom = mem_store_new(rig->machine->mem, "rom", 0x1000);
	struct mem_region *region = mem_region_new(rig->machine->mem, "rom", MEM_PRIORITY_ROM,
	                                           MEM_REGION_READS | MEM_REGION_WRITES | MEM_REGION_ROM, rom, 0, 0x1000);
	static const uint8_t jump[] = { 0x8c, 0xcb, 0xea, W(0x0000), W(RIG_CODE >> 4) }; /* mov bx,cs; jmp 1000:0 */
	memcpy(mem_store_data(rom) + 0xff0, jump, sizeof jump);
	mem_region_enable(region, 0xfffff000);
	CODE(rig, 0x89, 0xd6, 0xf4); /* mov si,dx; hlt */
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RBX].x, 0xf000);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RSI].x, emu_cpu_signature(EMU_CPU_P6) & 0xffff);
	/* The far jump loads the base that the selector says. */
	ck_assert_uint_eq(rig->ctx->seg[CTX_CS].base, RIG_CODE);
}
END_TEST

START_TEST(init_resets_but_keeps_caches_and_msrs)
{
	CODE(rig, 0xeb, 0xfe);
	rig->ctx->cr0 = CTX_CR0_ET | CTX_CR0_NE;
	rig->ctx->mtrr_def_type = 0xc06;
	rig->ctx->sysenter_cs = 8;
	rig->ctx->pat = 0x0606060606060606;
	rig->ctx->tsc_offset = 12345;
	rig->ctx->smbase = 0xa0000;
	rig->ctx->gpr[CTX_RAX].e = 77;
	memset(rig->ctx->fxsave, 0x5a, sizeof rig->ctx->fxsave);
	rig_step(rig, 5);
	rig->machine->pins.init = true;
	cpu_pins_attend(&rig->machine->pins);
	rig_step(rig, 0);
	ck_assert_uint_eq(rig->ctx->rip, 0xfff0);
	ck_assert_uint_eq(rig->ctx->seg[CTX_CS].base, 0xffff0000);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].e, 0);
	ck_assert_uint_eq(rig->ctx->cr0, CTX_CR0_ET); /* CD and NW keep what they were */
	ck_assert_uint_eq(rig->ctx->mtrr_def_type, 0xc06);
	ck_assert_uint_eq(rig->ctx->sysenter_cs, 8);
	ck_assert_uint_eq(rig->ctx->pat, 0x0606060606060606);
	ck_assert_uint_eq(rig->ctx->tsc_offset, 12345);
	ck_assert_uint_eq(rig->ctx->smbase, 0xa0000);
	ck_assert_uint_eq(rig->ctx->fxsave[100], 0x5a);
	ck_assert(!rig->machine->pins.init);
}
END_TEST

START_TEST(init_wakes_a_halted_cpu)
{
	CODE(rig, 0xfa, 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	rig->machine->pins.init = true;
	cpu_pins_attend(&rig->machine->pins);
	rig_step(rig, 0);
	ck_assert_uint_eq(rig->ctx->halted, 0);
	ck_assert_uint_eq(rig->ctx->rip, 0xfff0);
}
END_TEST

/* Another engine looked at the pins, and left this one. */
START_TEST(init_needs_no_attention)
{
	CODE(rig, 0xeb, 0xfe);
	rig->machine->pins.init = true;
	atomic_store(&rig->machine->pins.attention, false);
	rig_step(rig, 0);
	ck_assert_uint_eq(rig->ctx->rip, 0xfff0);
	ck_assert(!rig->machine->pins.init);
}
END_TEST

/* --- vectors and limits ----------------------------------------------------------- */

START_TEST(int_pushes_three_words_and_clears_if_tf_ac)
{
	CODE(rig, 0xcd, 0x21);
	rig->ctx->rflags = 0x40202 | CTX_EFLAGS_CF;
	ck_assert_uint_eq(rig_run(rig), 0x21);
	ck_frame(2, 0xffff, 0x0203);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RSP].x, 0xf000 - 6);
	ck_assert_uint_eq(rig->ctx->rflags & (CTX_EFLAGS_IF | CTX_EFLAGS_TF | CTX_EFLAGS_AC), 0);
}
END_TEST

START_TEST(idt_register_moves_the_vector_table)
{
	CODE(rig, 0xcd, 0x10);
	rig->ctx->idtr.base = 0x5000;
	rig_set(rig, 0x5000 + 4 * 0x10, 4, (RIG_HANDLERS >> 4) << 16 | 16 * 0x77);
	ck_assert_uint_eq(rig_run(rig), 0x77);
}
END_TEST

START_TEST(vector_outside_the_table_is_gp)
{
	CODE(rig, 0xcd, 0x21);
	rig->ctx->idtr.limit = 4 * 0x21 + 2;
	ck_real_fault(13, 0);
}
END_TEST

START_TEST(no_room_for_gp_in_the_table_shuts_down)
{
	CODE(rig, 0xcd, 0x21);
	rig->ctx->idtr.limit = 3;
	ck_assert_uint_eq(rig_run(rig), RIG_SHUTDOWN);
}
END_TEST

START_TEST(word_at_ffff_is_gp)
{
	CODE(rig, 0x90, 0xa1, W(0xffff)); /* mov ax,[ffff] */
	ck_real_fault(13, 1);
}
END_TEST

START_TEST(word_at_ffff_in_ss_is_ss)
{
	CODE(rig, 0x36, 0xa1, W(0xffff)); /* mov ax,[ss:ffff] */
	ck_real_fault(12, 0);
}
END_TEST

START_TEST(byte_at_ffff_is_fine)
{
	rig_set(rig, RIG_DATA + 0xffff, 1, 0x5a);
	CODE(rig, 0xa0, W(0xffff), 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].l, 0x5a);
}
END_TEST

START_TEST(address_above_ffff_is_gp)
{
	CODE(rig, 0x67, 0xa1, D(0x10000)); /* mov ax,[dword 10000] */
	ck_real_fault(13, 0);
}
END_TEST

START_TEST(push_at_sp_1_shuts_down)
{
	/* #SS, whose frame has no room either, and so on. */
	CODE(rig, 0x50);
	rig->ctx->gpr[CTX_RSP].e = 1;
	ck_assert_uint_eq(rig_run(rig), RIG_SHUTDOWN);
}
END_TEST

START_TEST(push_at_sp_0_wraps)
{
	CODE(rig, 0x50, 0xf4);
	rig->ctx->gpr[CTX_RSP].e = 0xabcd0000;
	rig->ctx->gpr[CTX_RAX].e = 0x1234;
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RSP].e, 0xabcdfffe);
	ck_assert_uint_eq(rig_get(rig, RIG_DATA + 0xfffe, 2), 0x1234);
}
END_TEST

START_TEST(big_real_mode_keeps_the_limit)
{
	CODE(rig, 0xb8, W(0x3000), 0x8e, 0xd8, 0x67, 0x8a, 0x1d, D(0x123456), 0xf4); /* mov ds,3000; mov bl,[123456] */
	rig->ctx->seg[CTX_DS].limit = 0xffffffff;
	rig_set(rig, 0x30000 + 0x123456, 1, 0x99);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RBX].l, 0x99);
	ck_assert_uint_eq(rig->ctx->seg[CTX_DS].limit, 0xffffffff);
}
END_TEST

START_TEST(big_real_mode_by_a_trip_through_protected_mode)
{
	rig_descriptor(rig, 0x08, 0, 0xfffff, ACC_DATA32);
	rig->ctx->gdtr.base = RIG_GDT;
	CODE(rig, 0x0f, 0x20, 0xc0, 0x40, 0x0f, 0x22, 0xc0,  /* cr0.pe = 1 */
	     0xbb, W(8), 0x8e, 0xdb,                         /* mov ds,8 */
	     0x48, 0x0f, 0x22, 0xc0,                         /* cr0.pe = 0 */
	     0x31, 0xdb, 0x8e, 0xdb,                         /* mov ds,0 */
	     0x67, 0x8a, 0x1d, D(0x654321), 0xf4);
	rig_set(rig, 0x654321, 1, 0x42);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RBX].l, 0x42);
	ck_assert(!(rig->ctx->cr0 & CTX_CR0_PE));
}
END_TEST

/* --- IP --------------------------------------------------------------------------- */

START_TEST(jump_wraps_ip_to_16_bits)
{
	CODE_AT(rig, RIG_CODE, 0xf4);
	CODE_AT(rig, RIG_CODE + 0xfff0, 0xeb, 0x0e); /* jmp to fff2 + e = 10000 */
	rig->ctx->rip = 0xfff0;
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->rip, 1);
}
END_TEST

START_TEST(running_past_ffff_is_gp)
{
	CODE_AT(rig, RIG_CODE + 0xfffe, 0x90, 0x40); /* nop; inc ax */
	rig->ctx->rip = 0xfffe;
	ck_assert_uint_eq(rig_run(rig), 13);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].x, 1);
}
END_TEST

START_TEST(instruction_across_ffff_is_gp)
{
	CODE_AT(rig, RIG_CODE + 0xffff, 0xb8, 0x11, 0x11); /* mov ax,1111 */
	rig->ctx->rip = 0xffff;
	ck_real_fault(13, 0xffff);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].x, 0);
}
END_TEST

START_TEST(near_jump_of_32_bits_beyond_the_limit_is_gp)
{
	CODE(rig, 0x66, 0xe9, D(0x20000));
	ck_real_fault(13, 0);
}
END_TEST

START_TEST(far_call_and_return)
{
	CODE(rig, 0x9a, W(0x0010), W(RIG_CODE >> 4), 0xf4);
	CODE_AT(rig, RIG_CODE + 0x10, 0x40, 0xca, W(4)); /* inc ax; retf 4 */
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].x, 1);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RSP].x, 0xf004);
}
END_TEST

START_TEST(iret_restores_flags_and_iopl)
{
	CODE(rig, 0xcf);
	CODE_AT(rig, RIG_CODE + 0x40, 0xf4);
	rig_set(rig, RIG_DATA + 0xf000, 2, 0x40);
	rig_set(rig, RIG_DATA + 0xf002, 2, RIG_CODE >> 4);
	rig_set(rig, RIG_DATA + 0xf004, 2, 0xfdd5);
	ck_assert_uint_eq(rig_run(rig), 1); /* TF steps the HLT */
	ck_assert_uint_eq(rig_frame16(rig, 2), 0x7dd7);
	ck_assert_uint_eq(rig_frame16(rig, 0), 0x41);
}
END_TEST

/* --- shadows ------------------------------------------------------------------------ */

START_TEST(sti_lets_one_instruction_run)
{
	CODE(rig, 0xfb, 0x40, 0x40, 0xf4); /* sti; inc ax; inc ax */
	rig_interrupt(rig, 0x20);
	ck_assert_uint_eq(rig_run(rig), 0x20);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].x, 1);
	ck_frame(2, CTX_EFLAGS_IF, CTX_EFLAGS_IF);
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
	ck_frame(2, CTX_EFLAGS_IF, CTX_EFLAGS_IF);
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
	ck_frame(2, 0, 0);
}
END_TEST

START_TEST(sti_hlt_sleeps_no_interrupt_away)
{
	CODE(rig, 0xfb, 0xf4, 0x40);
	rig_interrupt(rig, 0x20);
	ck_assert_uint_eq(rig_run(rig), 0x20);
	ck_frame(2, 0, 0);
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
	ck_frame(4, 0, 0);
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
	ck_frame(2, 0, 0);
}
END_TEST

/* --- single step ------------------------------------------------------------------------ */

START_TEST(tf_traps_behind_each_instruction)
{
	CODE(rig, 0x40, 0x40, 0xf4);
	rig->ctx->rflags |= CTX_EFLAGS_TF;
	ck_real_fault(1, 1);
	ck_assert_uint_eq(rig->ctx->dr6, 0xffff4ff0);
	ck_assert(!(rig->ctx->rflags & CTX_EFLAGS_TF));
	ck_frame(1, CTX_EFLAGS_TF, CTX_EFLAGS_TF);
}
END_TEST

START_TEST(popf_that_sets_tf_traps_behind_the_next)
{
	CODE(rig, 0x9d, 0x40, 0x40, 0xf4);
	rig_set(rig, RIG_DATA + 0xf000, 2, 0x0102);
	ck_assert_uint_eq(rig_run(rig), 1);
	ck_frame(2, 0, 0);
}
END_TEST

START_TEST(popf_that_clears_tf_still_traps)
{
	CODE(rig, 0x9d, 0x40, 0x40, 0xf4);
	rig_set(rig, RIG_DATA + 0xf000, 2, 0x0002);
	rig->ctx->rflags |= CTX_EFLAGS_TF;
	ck_assert_uint_eq(rig_run(rig), 1);
	ck_frame(1, CTX_EFLAGS_TF, 0);
}
END_TEST

START_TEST(tf_is_held_over_mov_ss)
{
	CODE(rig, 0x8e, 0xd3, 0x40, 0x40, 0xf4);
	rig->ctx->gpr[CTX_RBX].e = 0x3000;
	rig->ctx->rflags |= CTX_EFLAGS_TF;
	ck_assert_uint_eq(rig_run(rig), 1);
	ck_frame(3, 0, 0);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].x, 1);
}
END_TEST

START_TEST(int_with_tf_does_not_trap)
{
	CODE(rig, 0xcd, 0x30);
	rig->ctx->rflags |= CTX_EFLAGS_TF;
	ck_assert_uint_eq(rig_run(rig), 0x30);
	ck_frame(2, CTX_EFLAGS_TF, CTX_EFLAGS_TF);
}
END_TEST

START_TEST(into_that_does_nothing_traps)
{
	CODE(rig, 0xce, 0x40, 0xf4);
	rig->ctx->rflags |= CTX_EFLAGS_TF;
	ck_assert_uint_eq(rig_run(rig), 1);
	ck_frame(1, 0, 0);
}
END_TEST

START_TEST(rep_with_tf_traps_behind_each_round)
{
	CODE(rig, 0xf3, 0xa4, 0xf4); /* rep movsb */
	rig->ctx->gpr[CTX_RCX].e = 3;
	rig->ctx->gpr[CTX_RDI].e = 0x100;
	rig->ctx->rflags |= CTX_EFLAGS_TF;
	ck_assert_uint_eq(rig_run(rig), 1);
	ck_frame(0, 0, 0);
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
	ck_frame(2, 0, 0);
}
END_TEST

START_TEST(trap_wakes_a_hlt)
{
	CODE(rig, 0xf4, 0x40);
	rig->ctx->rflags |= CTX_EFLAGS_TF;
	ck_assert_uint_eq(rig_run(rig), 1);
	ck_frame(1, 0, 0);
}
END_TEST

START_TEST(fault_with_tf_traps_only_in_its_turn)
{
	CODE(rig, 0xf7, 0xf1); /* div cx, by zero */
	rig->ctx->rflags |= CTX_EFLAGS_TF;
	ck_assert_uint_eq(rig_run(rig), 0);
	ck_frame(0, CTX_EFLAGS_TF, CTX_EFLAGS_TF);
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
	ck_frame(1, 0, 0);
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

Suite *suite_emu_real(void);
Suite *suite_emu_real(void)
{
	Suite *suite = suite_create("emu_real");
	TCase *reset = tcase_create("reset"), *limits = tcase_create("limits"), *events = tcase_create("events");
	tcase_add_checked_fixture(reset, start, stop);
	tcase_add_test(reset, reset_starts_16_bytes_below_4g);
	tcase_add_test(reset, init_resets_but_keeps_caches_and_msrs);
	tcase_add_test(reset, init_wakes_a_halted_cpu);
	tcase_add_test(reset, init_needs_no_attention);
	suite_add_tcase(suite, reset);
	tcase_add_checked_fixture(limits, start, stop);
	tcase_add_test(limits, int_pushes_three_words_and_clears_if_tf_ac);
	tcase_add_test(limits, idt_register_moves_the_vector_table);
	tcase_add_test(limits, vector_outside_the_table_is_gp);
	tcase_add_test(limits, no_room_for_gp_in_the_table_shuts_down);
	tcase_add_test(limits, word_at_ffff_is_gp);
	tcase_add_test(limits, word_at_ffff_in_ss_is_ss);
	tcase_add_test(limits, byte_at_ffff_is_fine);
	tcase_add_test(limits, address_above_ffff_is_gp);
	tcase_add_test(limits, push_at_sp_1_shuts_down);
	tcase_add_test(limits, push_at_sp_0_wraps);
	tcase_add_test(limits, big_real_mode_keeps_the_limit);
	tcase_add_test(limits, big_real_mode_by_a_trip_through_protected_mode);
	tcase_add_test(limits, jump_wraps_ip_to_16_bits);
	tcase_add_test(limits, running_past_ffff_is_gp);
	tcase_add_test(limits, instruction_across_ffff_is_gp);
	tcase_add_test(limits, near_jump_of_32_bits_beyond_the_limit_is_gp);
	tcase_add_test(limits, far_call_and_return);
	tcase_add_test(limits, iret_restores_flags_and_iopl);
	suite_add_tcase(suite, limits);
	tcase_add_checked_fixture(events, start, stop);
	tcase_add_test(events, sti_lets_one_instruction_run);
	tcase_add_test(events, held_interrupt_stops);
	tcase_add_test(events, held_interrupt_ends_hlt);
	tcase_add_test(events, sti_cli_lets_no_interrupt_in);
	tcase_add_test(events, second_sti_casts_no_shadow);
	tcase_add_test(events, sti_hlt_sleeps_no_interrupt_away);
	tcase_add_test(events, mov_ss_holds_interrupts_and_nmi_for_one_instruction);
	tcase_add_test(events, pop_ss_is_like_mov_ss);
	tcase_add_test(events, tf_traps_behind_each_instruction);
	tcase_add_test(events, popf_that_sets_tf_traps_behind_the_next);
	tcase_add_test(events, popf_that_clears_tf_still_traps);
	tcase_add_test(events, tf_is_held_over_mov_ss);
	tcase_add_test(events, int_with_tf_does_not_trap);
	tcase_add_test(events, into_that_does_nothing_traps);
	tcase_add_test(events, rep_with_tf_traps_behind_each_round);
	tcase_add_test(events, last_round_of_rep_traps_behind_it);
	tcase_add_test(events, trap_wakes_a_hlt);
	tcase_add_test(events, fault_with_tf_traps_only_in_its_turn);
	tcase_add_test(events, trap_comes_before_an_interrupt);
	tcase_add_test(events, irq_ends_hlt);
	tcase_add_test(events, masked_irq_does_not_end_hlt);
	tcase_add_test(events, nmi_is_masked_until_iret);
	tcase_add_test(events, interrupt_between_rounds_of_rep_comes_back);
	tcase_add_test(events, a20_wraps_ffff_10);
	tcase_add_test(events, a20_wraps_code_as_well);
	suite_add_tcase(suite, events);
	return suite;
}
