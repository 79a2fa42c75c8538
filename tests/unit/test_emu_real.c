/* Real mode: reset, INIT, vectors, limits, IP. */
#include <string.h>

#include "tests/unit/emu_rig.h"

static struct rig *rig;

static void start(void) { rig = rig_new_real(EMU_CPU_P6); }
static void stop(void) { rig_free(rig); }

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
	rig_ck_frame16(rig, 2, 0xffff, 0x0203);
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
	rig_ck_real_fault(rig, 13, 0);
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
	rig_ck_real_fault(rig, 13, 1);
}
END_TEST

START_TEST(word_at_ffff_in_ss_is_ss)
{
	CODE(rig, 0x36, 0xa1, W(0xffff)); /* mov ax,[ss:ffff] */
	rig_ck_real_fault(rig, 12, 0);
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
	rig_ck_real_fault(rig, 13, 0);
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
	rig_ck_real_fault(rig, 13, 0xffff);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].x, 0);
}
END_TEST

START_TEST(near_jump_of_32_bits_beyond_the_limit_is_gp)
{
	CODE(rig, 0x66, 0xe9, D(0x20000));
	rig_ck_real_fault(rig, 13, 0);
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

Suite *suite_emu_real(void);
Suite *suite_emu_real(void)
{
	Suite *suite = suite_create("emu_real");
	TCase *reset = tcase_create("reset"), *limits = tcase_create("limits");
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
	return suite;
}
