/* System management mode: SMI, the save map, RSM, relocation (SDM vol. 3, chapter 31). */
#include "tests/unit/emu_rig.h"

static struct rig *rig;
static unsigned smiact_changes;
static bool smiact;

#define SMBASE 0x30000u
#define ENTRY  (SMBASE + 0x8000)
#define MAP(offset) (SMBASE + 0x8000 + (offset))

static void start(void)
{
	rig = rig_new_protected(EMU_CPU_P6);
	rig->ctx->gpr[CTX_RSP].e = RIG_STACK3 - 0x2000;
	CODE(rig, 0x40, 0x40, 0xf4); /* inc eax; inc eax; hlt */
	CODE_AT(rig, ENTRY, 0x43, 0x0f, 0xaa); /* inc bx; rsm */
	rig->at = ENTRY;
}

static void stop(void) { rig_free(rig); }

/* Into SMM before the first instruction. */
static void enter(void)
{
	rig_smi(rig);
	rig_step(rig, 0);
	ck_assert_uint_eq(rig->ctx->smm, 1);
}

static void on_smiact(void *owner, bool in_smm)
{
	(void)owner;
	smiact = in_smm;
	smiact_changes++;
}

START_TEST(state_in_smm)
{
	rig->ctx->rflags |= 0x3000 | CTX_EFLAGS_IF | CTX_EFLAGS_TF | CTX_EFLAGS_CF;
	rig->ctx->cr0 |= CTX_CR0_TS | CTX_CR0_EM | CTX_CR0_WP | CTX_CR0_NE;
	rig->ctx->cr4 = CTX_CR4_DE;
	rig->ctx->dr7 = 0x401;
	enter();
	const struct ctx *ctx = rig->ctx;
	ck_assert_uint_eq(ctx->rip, 0x8000);
	ck_assert_uint_eq(ctx->seg[CTX_CS].selector, SMBASE >> 4);
	ck_assert_uint_eq(ctx->seg[CTX_CS].base, SMBASE);
	ck_assert_uint_eq(ctx->rflags, 2);
	ck_assert_uint_eq(ctx->cr0, CTX_CR0_ET | CTX_CR0_WP | CTX_CR0_NE);
	ck_assert_uint_eq(ctx->cr4, 0);
	ck_assert_uint_eq(ctx->dr7, 0x400);
	for (unsigned sreg = 0; sreg < CTX_LDTR; sreg++)
		ck_assert_uint_eq(ctx->seg[sreg].limit, 0xffffffff);
	ck_assert_uint_eq(ctx->seg[CTX_DS].base, 0);
	ck_assert_uint_eq(ctx->seg[CTX_DS].selector, 0);
	ck_assert(ctx_is_real(ctx));
	ck_assert(!rig->machine->pins.smi);
}
END_TEST

START_TEST(save_map)
{
	for (unsigned i = 0; i < 8; i++)
		rig->ctx->gpr[i].e = 0x10101010 * (i + 1);
	rig->ctx->cr3 = 0x123000;
	rig->ctx->dr6 = 0xffff4ff1;
	rig->ctx->rflags |= CTX_EFLAGS_ZF;
	enter();
	static const struct {
		uint16_t offset;
		uint32_t value;
	} words[] = {
		{ 0x7ffc, CTX_CR0_PE | CTX_CR0_ET }, { 0x7ff8, 0x123000 }, { 0x7ff4, 0x42 }, { 0x7ff0, RIG_CODE },
		{ 0x7fec, 0x80808080 }, { 0x7fe8, 0x70707070 }, { 0x7fe4, 0x60606060 }, { 0x7fe0, 0x50505050 }, /* EDI ESI EBP ESP */
		{ 0x7fdc, 0x40404040 }, { 0x7fd8, 0x30303030 }, { 0x7fd4, 0x20202020 }, { 0x7fd0, 0x10101010 }, /* EBX EDX ECX EAX */
		{ 0x7fcc, 0xffff4ff1 }, { 0x7fc8, 0x400 }, { 0x7fc4, SEL_TSS }, { 0x7fc0, SEL_LDT },
		{ 0x7fbc, SEL_DATA0 }, { 0x7fb8, SEL_DATA0 }, { 0x7fb4, SEL_DATA0 }, { 0x7fb0, SEL_DATA0 }, /* GS FS DS SS */
		{ 0x7fac, SEL_CODE0 }, { 0x7fa8, SEL_DATA0 },                                               /* CS ES */
		{ 0x7ef8, SMBASE },
	};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		ck_assert_msg(rig_get(rig, MAP(words[i].offset), 4) == words[i].value, "%x: %x", words[i].offset,
		              rig_get(rig, MAP(words[i].offset), 4));
	ck_assert(rig_get(rig, MAP(0x7efc), 4) & 1 << 17); /* SMBASE can be moved */
	ck_assert_uint_eq(rig_get(rig, MAP(0x7f02), 2) & 1, 0);
}
END_TEST

START_TEST(rsm_restores_everything)
{
	rig->ctx->rflags |= 0x3000 | CTX_EFLAGS_CF | CTX_EFLAGS_NT;
	rig->ctx->cr4 = CTX_CR4_DE;
	rig->ctx->gpr[CTX_RBX].e = 5;
	struct ctx before = *rig->ctx;
	enter();
	CODE(rig, 0x66, 0xbb, D(0xdeadbeef), 0xb0, 0x00, 0x8e, 0xd8, 0xf9, 0x0f, 0xaa); /* mov ebx; mov al,0; mov ds,ax; stc; rsm */
	rig_step(rig, 5);
	ck_assert_uint_eq(rig->ctx->smm, 0);
	ck_assert_uint_eq(ctx_diff(&before, rig->ctx, stdout), 0);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].e, 2);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RBX].e, 5);
}
END_TEST

START_TEST(handler_changes_what_it_wrote_into_the_map)
{
	enter();
	CODE(rig, 0x67, 0x66, 0xc7, 0x05, D(MAP(0x7fdc)), D(0x1234), 0x0f, 0xaa); /* saved EBX */
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RBX].e, 0x1234);
}
END_TEST

START_TEST(smiact_shows_smram)
{
	struct emu_config config = {
		.mem = rig->machine->mem, .bus = rig->machine->bus, .clock = rig->machine->clock,
		.pins = &rig->machine->pins, .cpu = EMU_CPU_P6, .set_smm = on_smiact,
	};
	char *error = NULL;
	rig->machine->engine->ops->free(rig->machine->engine);
	rig->machine->engine = emu_new(&config, &error);
	smiact_changes = 0;
	enter();
	ck_assert(smiact && smiact_changes == 1);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert(!smiact && smiact_changes == 2);
}
END_TEST

START_TEST(halt_is_entered_again)
{
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	rig_smi(rig);
	ck_assert_uint_eq(rig_step(rig, 100), STOP_HALT); /* the handler ran, then the HLT goes on */
	ck_assert_uint_eq(rig->ctx->smm, 0);
	ck_assert_uint_eq(rig->ctx->halted, 1);
	ck_assert_uint_eq(rig->ctx->rip, RIG_CODE + 3);
	ck_assert_uint_eq(rig_get(rig, MAP(0x7f02), 2), 1);
}
END_TEST

START_TEST(halt_ends_when_the_handler_says_so)
{
	CODE_AT(rig, RIG_CODE + 3, 0x41, 0xf4); /* inc ecx; hlt */
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	CODE_AT(rig, ENTRY, 0x67, 0xc7, 0x05, D(MAP(0x7f02)), W(0), 0x0f, 0xaa);
	rig_smi(rig);
	ck_assert_uint_eq(rig_step(rig, 100), STOP_HALT);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RCX].e, 1);
	ck_assert_uint_eq(rig->ctx->rip, RIG_CODE + 5);
}
END_TEST

START_TEST(smbase_moves)
{
	enter();
	CODE(rig, 0x67, 0x66, 0xc7, 0x05, D(MAP(0x7ef8)), D(0x50000), 0x0f, 0xaa);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->smbase, 0x50000);
	CODE_AT(rig, 0x58000, 0x0f, 0xaa);
	rig->ctx->rip = RIG_CODE;
	rig->ctx->halted = 0;
	enter();
	ck_assert_uint_eq(rig->ctx->seg[CTX_CS].base, 0x50000);
	ck_assert_uint_eq(rig_get(rig, 0x50000 + 0xfff0, 4), RIG_CODE);
}
END_TEST

START_TEST(nmi_and_smi_wait_for_rsm)
{
	enter();
	CODE(rig, 0x43, 0x43, 0xeb, 0x00, 0x0f, 0xaa);
	rig_nmi(rig);
	rig_smi(rig);
	rig_step(rig, 1);
	ck_assert_uint_eq(rig->ctx->smm, 1);
	ck_assert(rig->machine->pins.nmi && rig->machine->pins.smi);
	CODE_AT(rig, ENTRY, 0x0f, 0xaa);
	CODE_AT(rig, ENTRY + 4, 0x0f, 0xaa);
	ck_assert_uint_eq(rig_run(rig), 2); /* SMI first, then NMI, before the guest went on */
	ck_assert_uint_eq(rig_frame32(rig, 0), RIG_CODE);
	ck_assert(!rig->machine->pins.smi);
}
END_TEST

START_TEST(nmi_mask_comes_back)
{
	rig->ctx->nmi_masked = 1;
	enter();
	rig_step(rig, 2);
	ck_assert_uint_eq(rig->ctx->smm, 0);
	ck_assert_uint_eq(rig->ctx->nmi_masked, 1);
	rig->ctx->nmi_masked = 0;
	rig->ctx->rip = RIG_CODE;
	enter();
	ck_assert_uint_eq(rig->ctx->nmi_masked, 1);
	rig_step(rig, 2);
	ck_assert_uint_eq(rig->ctx->nmi_masked, 0);
}
END_TEST

START_TEST(init_waits_for_rsm)
{
	enter();
	rig->machine->pins.init = true;
	cpu_pins_attend(&rig->machine->pins);
	rig_step(rig, 0);
	ck_assert_uint_eq(rig->ctx->smm, 1);
	rig_step(rig, 2);
	rig_step(rig, 0);
	ck_assert_uint_eq(rig->ctx->rip, 0xfff0);
}
END_TEST

START_TEST(sti_shadow_and_pending_trap_survive)
{
	rig->ctx->rflags |= CTX_EFLAGS_IF;
	rig->ctx->interrupt_shadow = CTX_SHADOW_STI;
	rig_interrupt(rig, 0x40);
	rig_smi(rig);
	ck_assert_uint_eq(rig_run(rig), 0x40);
	ck_assert_uint_eq(rig_frame32(rig, 0), RIG_CODE + 1); /* one instruction, as without the SMI */
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RBX].e, 0);
	stop();
	start();
	rig->ctx->pending_db = 0x4000;
	rig_smi(rig);
	ck_assert_uint_eq(rig_run(rig), 1);
	ck_assert_uint_eq(rig->ctx->smm, 0);
	ck_assert_uint_eq(rig_frame32(rig, 0), RIG_CODE);
}
END_TEST

START_TEST(breakpoints_and_tf_work_behind_rsm)
{
	rig->ctx->dr0 = RIG_CODE + 1;
	rig->ctx->dr7 = 0x401;
	rig_smi(rig);
	ck_event(rig, 1, RIG_CODE + 1);
	stop();
	start();
	rig->ctx->rflags |= CTX_EFLAGS_TF;
	rig_smi(rig);
	ck_event(rig, 1, RIG_CODE + 1);
}
END_TEST

START_TEST(smi_in_paging_and_vm86)
{
	rig_paging(rig);
	rig_map(rig, ENTRY, 0); /* SMRAM is physical */
	rig_vm86(rig, 3);
	CODE_AT(rig, RIG_CODE, 0x40, 0xcd, 0x80);
	rig_smi(rig);
	ck_assert_uint_eq(rig_run(rig), 0x80);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].x, 1);
	ck_assert_uint_eq(rig_frame32(rig, 2), 0x23002);
}
END_TEST

/* The handler stores `value` at MAP(`offset`), then RSM. */
static unsigned resume_with(enum emu_cpu cpu, uint16_t offset, uint32_t value)
{
	stop();
	rig = rig_new_protected(cpu);
	CODE(rig, 0xf4);
	CODE_AT(rig, ENTRY, 0x67, 0x66, 0xc7, 0x05, D(MAP(offset)), D(value), 0x0f, 0xaa);
	rig_smi(rig);
	return rig_run(rig);
}

START_TEST(bad_images_shut_down)
{
	ck_assert_uint_eq(resume_with(EMU_CPU_P6, 0x7ffc, 0x80000010), RIG_SHUTDOWN);      /* PG without PE */
	ck_assert_uint_eq(resume_with(EMU_CPU_P6, 0x7ffc, 0x20000011), RIG_SHUTDOWN);      /* NW without CD */
	ck_assert_uint_eq(resume_with(EMU_CPU_P6, 0x7f14, 0x80000000), RIG_SHUTDOWN);      /* CR4 */
	ck_assert_uint_eq(resume_with(EMU_CPU_PENTIUM, 0x7f14, CTX_CR4_PAE), RIG_SHUTDOWN);
	ck_assert_uint_eq(resume_with(EMU_CPU_PENTIUM, 0x7ef8, 0x31000), RIG_SHUTDOWN);    /* SMBASE by 32 KiB */
	ck_assert_uint_eq(resume_with(EMU_CPU_P6, 0x7ef8, 0x31000), RIG_HALTED);           /* not so the P6 */
	ck_assert_uint_eq(rig->ctx->smbase, 0x31000);
}
END_TEST

START_TEST(nonsense_in_the_image_is_masked)
{
	ck_assert_uint_eq(resume_with(EMU_CPU_P6, 0x7ff4, 0xffdc8028), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->rflags & ~0x3f7fd7ull, 0);
	ck_assert_uint_eq(resume_with(EMU_CPU_P6, 0x7ffc, 0x1ffc0011), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->cr0, 0x00040011);
	ck_assert_ptr_null(ctx_check(rig->ctx));
}
END_TEST

START_TEST(models_without_smm_ignore_the_pin)
{
	stop();
	rig = rig_new_protected(EMU_CPU_386);
	CODE(rig, 0x40, 0xf4);
	rig_smi(rig);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->rip, RIG_CODE + 2);
}
END_TEST

Suite *suite_emu_smm(void);
Suite *suite_emu_smm(void)
{
	return RIG_SUITE("emu_smm", start, stop, state_in_smm, save_map, rsm_restores_everything,
	                 handler_changes_what_it_wrote_into_the_map, smiact_shows_smram, halt_is_entered_again,
	                 halt_ends_when_the_handler_says_so, smbase_moves, nmi_and_smi_wait_for_rsm, nmi_mask_comes_back,
	                 init_waits_for_rsm, sti_shadow_and_pending_trap_survive, breakpoints_and_tf_work_behind_rsm,
	                 smi_in_paging_and_vm86, bad_images_shut_down, nonsense_in_the_image_is_masked,
	                 models_without_smm_ignore_the_pin);
}
