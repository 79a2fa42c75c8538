/* Self-modifying code: what was written runs, at once, wherever the block ends. */
#include <string.h>

#include "emu/block.h"
#include "tests/unit/emu_rig.h"

static struct rig *rig;

/* DS = CS, so that code can write to itself. */
static void start(void)
{
	rig = rig_new_real(EMU_CPU_P6);
	machine_set_real(rig->machine, CTX_DS, RIG_CODE >> 4);
	machine_set_real(rig->machine, CTX_ES, RIG_CODE >> 4);
}

static void stop(void) { rig_free(rig); }

static uint16_t ax(void) { return rig->ctx->gpr[CTX_RAX].x; }

static struct block_stats stats(void)
{
	return ((struct emu *)rig->machine->engine)->cache->stats;
}

START_TEST(next_instruction_is_patched)
{
	CODE(rig, 0xc6, 0x06, W(5), 0x48, /* mov byte [5],48 */
	     0x40, 0xf4);                 /* inc ax -> dec ax */
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(ax(), 0xffff);
}
END_TEST

START_TEST(later_instruction_of_the_block_is_patched)
{
	CODE(rig, 0xc6, 0x06, W(7), 0x48, 0x40, 0x90, 0x40, 0xf4);
	rig->ctx->gpr[CTX_RAX].e = 5;
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(ax(), 5);
}
END_TEST

START_TEST(earlier_instruction_runs_changed_the_next_time)
{
	/* 0: inc ax; 1: mov byte [0],48; 6: loop 0; 8: hlt */
	CODE(rig, 0x40, 0xc6, 0x06, W(0), 0x48, 0xe2, 0xf8, 0xf4);
	rig->ctx->gpr[CTX_RCX].e = 3;
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(ax(), 0xffff); /* +1 -1 -1 */
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RCX].x, 0);
}
END_TEST

START_TEST(immediate_of_the_running_loop_changes_each_time)
{
	/* 0: add ax,1; 3: inc byte [2]; 7: loop 0; hlt (81-form to have the byte at 2) */
	CODE(rig, 0x83, 0xc0, 0x01, 0xfe, 0x06, W(2), 0xe2, 0xf7, 0xf4);
	rig->ctx->gpr[CTX_RCX].e = 10;
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(ax(), 55);
}
END_TEST

START_TEST(an_instruction_may_overwrite_itself)
{
	/* mov word [0],F4F4 where it stands: the copy that runs is the old one. */
	CODE(rig, 0xc7, 0x06, W(0), W(0xf4f4), 0x40, 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(ax(), 1);
	ck_assert_uint_eq(rig->ctx->rip, 8);
}
END_TEST

START_TEST(patch_by_the_stack)
{
	/* push bx over the code behind it: SS = CS, SP = 3 behind the two bytes. */
	CODE(rig, 0x53, 0x40, 0x40, 0xf4);
	machine_set_real(rig->machine, CTX_SS, RIG_CODE >> 4);
	rig->ctx->gpr[CTX_RSP].e = 3;
	rig->ctx->gpr[CTX_RBX].e = 0x4848;
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(ax(), 0xfffe);
}
END_TEST

START_TEST(patch_by_a_far_call_in_protected_mode)
{
	enum { FUNCTION = RIG_DATA + 0x100, BACK = RIG_CODE + 28 };
	stop();
	rig = rig_new_protected(EMU_CPU_P6);
	/* mov edx,imm; what a selector makes of itself, or [eax],al; add [eax],al; ret */
	CODE_AT(rig, FUNCTION, 0xba, D(0x1111), D(SEL_CODE0), 0xc3);
	CODE_AT(rig, RIG_CODE, 0xb8, D(RIG_DATA), 0xbe, D(FUNCTION), 0xff, 0xd6, /* call esi */
	        0x89, 0xd3, 0x89, 0xe5, 0xbc, D(FUNCTION + 9),            /* the frame is the immediate, and behind it */
	        0x9a, D(BACK), W(SEL_CODE0), 0x89, 0xec, 0xff, 0xd6, 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RBX].e, 0x1111);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RDX].e, BACK);
}
END_TEST

START_TEST(patch_by_read_modify_write)
{
	CODE(rig, 0x80, 0x36, W(5), 0x08, 0x40, 0xf4); /* xor byte [5],8: inc -> dec */
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(ax(), 0xffff);
}
END_TEST

START_TEST(target_of_a_jump_was_just_patched)
{
	CODE_AT(rig, RIG_CODE + 0x300, 0x40, 0xeb, 0x02);        /* 300: inc ax; jmp 305 */
	CODE_AT(rig, RIG_CODE + 0x305, 0xf4);
	CODE_AT(rig, RIG_CODE, 0xe8, W(0x2fd), 0xf4);            /* call 300 */
	CODE_AT(rig, RIG_CODE + 0x305, 0xc3);
	CODE_AT(rig, RIG_CODE + 3, 0xc6, 0x06, W(0x300), 0x48, 0xe8, W(0x2f5), 0xf4); /* patch, call again */
	rig->ctx->gpr[CTX_RAX].e = 7;
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(ax(), 7);
}
END_TEST

START_TEST(patch_across_a_page)
{
	/* mov ax,imm16 with its last byte in the next page, called twice. */
	CODE_AT(rig, RIG_CODE + 0xffe, 0xb8, 0x11, 0x22, 0xc3);
	CODE_AT(rig, RIG_CODE, 0xe8, W(0xffb), 0x89, 0xc3,            /* call ffe; mov bx,ax */
	        0xc6, 0x06, W(0x1000), 0x77, 0xe8, W(0xff1), 0xf4);   /* mov byte [1000],77; call ffe */
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RBX].x, 0x2211);
	ck_assert_uint_eq(ax(), 0x7711);
}
END_TEST

START_TEST(write_that_crosses_into_a_code_page)
{
	CODE_AT(rig, RIG_CODE + 0x1000, 0x40, 0xc3);
	CODE_AT(rig, RIG_CODE, 0xe8, W(0xffd), 0xc7, 0x06, W(0xfff), 0x90, 0x48, /* mov word [fff],4890 */
	        0xe8, W(0xff4), 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(ax(), 0);
}
END_TEST

START_TEST(rep_movs_over_itself)
{
	/* Copies a page of INC AX; HLT over the instruction and what follows; the
	 * string goes on to its end, then the new code runs. */
	CODE_AT(rig, RIG_CODE + 0x100, 0xf3, 0xa4, 0x48, 0x48, 0xf4);
	memset(rig->ram + RIG_CODE + 0x2000, 0x40, 0x200);
	CODE_AT(rig, RIG_CODE + 0x2000 + 0x108, 0xf4);
	rig->ctx->rip = 0x100;
	rig->ctx->gpr[CTX_RSI].e = 0x2000;
	rig->ctx->gpr[CTX_RDI].e = 0;
	rig->ctx->gpr[CTX_RCX].e = 0x200;
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RCX].x, 0);
	ck_assert_uint_eq(ax(), 6);
}
END_TEST

START_TEST(rep_stos_fills_the_path_ahead)
{
	CODE(rig, 0xf3, 0xaa, 0x48, 0x48, 0x48, 0xf4);
	rig->ctx->gpr[CTX_RDI].e = 2;
	rig->ctx->gpr[CTX_RCX].e = 3;
	rig->ctx->gpr[CTX_RAX].e = 0x90;
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(ax(), 0x90);
}
END_TEST

START_TEST(dma_replaces_code_between_two_runs)
{
	CODE(rig, 0x40, 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	rig->ctx->rip = 0;
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(ax(), 2);
	mem_write_bytes(rig->machine->mem, RIG_CODE, "\x48", 1);
	rig->ctx->rip = 0;
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(ax(), 1);
}
END_TEST

START_TEST(new_epoch_sees_what_native_code_wrote)
{
	CODE(rig, 0x40, 0xf4);
	rig_run(rig);
	rig->ram[RIG_CODE] = 0x48; /* nobody reports it */
	rig->machine->engine->ops->new_epoch(rig->machine->engine);
	rig->ctx->rip = 0;
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(ax(), 0);
}
END_TEST

START_TEST(new_epoch_keeps_blocks_that_are_the_same)
{
	CODE(rig, 0x40, 0xf4);
	rig_run(rig);
	uint64_t built = stats().built;
	rig->machine->engine->ops->new_epoch(rig->machine->engine);
	rig->ctx->rip = 0;
	rig_run(rig);
	ck_assert_uint_eq(stats().built, built);
}
END_TEST

START_TEST(data_beside_code_keeps_the_block)
{
	/* 0: inc word [100]; 4: loop 0 */
	CODE(rig, 0xff, 0x06, W(0x100), 0xe2, 0xfa, 0xf4);
	rig->ctx->gpr[CTX_RCX].e = 100;
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig_get(rig, RIG_CODE + 0x100, 2), 100);
	ck_assert_uint_eq(stats().killed, 0);
	ck_assert_uint_le(stats().built, 3);
}
END_TEST

START_TEST(patched_block_goes_alone)
{
	CODE_AT(rig, RIG_CODE + 0x20, 0x40, 0xc3);
	CODE_AT(rig, RIG_CODE + 0x40, 0x43, 0xc3);
	/* call 20; call 40; mov byte [20],48; call 20; call 40 */
	CODE_AT(rig, RIG_CODE, 0xe8, W(0x1d), 0xe8, W(0x3a), 0xc6, 0x06, W(0x20), 0x48, 0xe8, W(0x12), 0xe8, W(0x2f), 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(ax(), 0);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RBX].x, 2);
	ck_assert_uint_eq(stats().killed, 1);
}
END_TEST

START_TEST(rom_shadowing_changes_what_runs)
{
	struct mem *mem = rig->machine->mem;
	struct mem_store *rom = mem_store_new(mem, "rom", 0x1000);
	struct mem_region *region = mem_region_new(mem, "rom", MEM_PRIORITY_ROM,
	                                           MEM_REGION_READS | MEM_REGION_WRITES | MEM_REGION_ROM, rom, 0, 0x1000);
	CODE(rig, 0x40, 0xf4);
	memcpy(mem_store_data(rom), "\x48\xf4", 2);
	rig_run(rig);
	mem_region_enable(region, RIG_CODE);
	rig->ctx->rip = 0;
	rig_run(rig);
	ck_assert_uint_eq(ax(), 0);
	mem_region_disable(region);
	rig->ctx->rip = 0;
	rig_run(rig);
	ck_assert_uint_eq(ax(), 1);
}
END_TEST

START_TEST(code_at_two_addresses_by_a20)
{
	/* The page at 100000 is that at 0 with A20 masked: a write there patches here. */
	mem_set_a20(rig->machine->mem, false);
	CODE_AT(rig, 0x700, 0xc6, 0x06, W(0x0716), 0x48, 0x40, 0xf4); /* mov byte [ffff:716],48 -> 100706 */
	machine_set_real(rig->machine, CTX_CS, 0);
	machine_set_real(rig->machine, CTX_DS, 0xffff);
	rig_set(rig, 0x706, 1, 0xf4);
	rig->ctx->seg[CTX_DS].base = 0xfffef; /* 705 of it is byte 5 of the code */
	rig->ctx->rip = 0x700;
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(ax(), 0xffff);
}
END_TEST

/* Memory that is no RAM is run from a block that is used once, and whose place the next
 * one takes, here one of a single instruction: that may not be taken for the whole block.
 * 800868 and the handler share their slot. */
START_TEST(block_that_is_used_once_is_not_found_again)
{
	stop();
	rig = rig_new_protected(EMU_CPU_P6);
	rig_put(rig, rig_handler(6), "\x40\x40\xf4", 3);
	rig->ctx->rip = RIG_RAM + 0x868; /* FF FF: #UD */
	ck_assert_uint_eq(rig_step(rig, 1), STOP_BUDGET);
	ck_assert_uint_eq(rig->ctx->rip, rig_handler(6));
	ck_assert_uint_eq(machine_step(rig->machine), STOP_BUDGET); /* by a block of one */
	ck_assert_uint_eq(rig->ctx->rip, rig_handler(6) + 1);
	rig->ctx->rip = rig_handler(6);
	uint64_t before = rig->ctx->blocks_run;
	rig_run(rig);
	ck_assert_uint_eq(rig->ctx->rip, rig_handler(6) + 3);
	ck_assert_uint_eq(rig->ctx->blocks_run, before + 1);
}
END_TEST

#ifdef V2E_NATIVE /* there is an FPU */
/* Only what is behind the opcode may change under a block: D9 E2 is none, though it is
 * an x87 instruction with the ModRM of DC E2 and DE E2. */
START_TEST(patched_opcode_is_judged_anew)
{
	static const uint8_t opcodes[] = { 0xdc, 0xde, 0xdc, 0xde, 0xdc, 0xde, 0xd9 };
	CODE(rig, 0xa2, W(8), 0xdb, 0xe3, 0xd9, 0xe8, 0x90, 0xdc, 0xe2, 0xf4); /* mov [8],al; fninit; fld1; nop; fsub */
	for (size_t i = 0; i < sizeof opcodes; i++) {
		rig->ctx->rip = 0;
		rig->ctx->halted = 0;
		rig->ctx->gpr[CTX_RAX].l = opcodes[i];
		ck_assert_uint_eq(rig_run(rig), opcodes[i] == 0xd9 ? 6 : RIG_HALTED);
	}
}
END_TEST
#define WITH_FPU , patched_opcode_is_judged_anew
#else
#define WITH_FPU
#endif

Suite *suite_emu_smc(void);
Suite *suite_emu_smc(void)
{
	return RIG_SUITE("emu_smc", start, stop, next_instruction_is_patched, later_instruction_of_the_block_is_patched,
	                 earlier_instruction_runs_changed_the_next_time, immediate_of_the_running_loop_changes_each_time,
	                 an_instruction_may_overwrite_itself, patch_by_the_stack, patch_by_a_far_call_in_protected_mode,
	                 patch_by_read_modify_write,
	                 target_of_a_jump_was_just_patched, patch_across_a_page, write_that_crosses_into_a_code_page,
	                 rep_movs_over_itself, rep_stos_fills_the_path_ahead, dma_replaces_code_between_two_runs,
	                 new_epoch_sees_what_native_code_wrote, new_epoch_keeps_blocks_that_are_the_same,
	                 data_beside_code_keeps_the_block, patched_block_goes_alone, rom_shadowing_changes_what_runs,
	                 code_at_two_addresses_by_a20,
	                 block_that_is_used_once_is_not_found_again WITH_FPU);
}
