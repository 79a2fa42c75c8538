/* Virtual-8086 mode: entry, IOPL rules, INT, I/O bitmap, VME, and PVI. */
#include "tests/unit/emu_rig.h"

static struct rig *rig;

static void start(void) { rig = rig_new_protected(EMU_CPU_P6); }
static void stop(void) { rig_free(rig); }
static void again(void) { stop(); start(); }

static uint32_t esp(void) { return rig->ctx->gpr[CTX_RSP].e; }

/* What the ring 0 handler finds from vm86: EIP, CS, EFLAGS, ESP, SS, ES, DS, FS, GS. */
static void ck_vm86_frame(unsigned first, uint32_t eip)
{
	ck_assert_uint_eq(rig_frame32(rig, first), eip);
	ck_assert_uint_eq(rig_frame32(rig, first + 1), RIG_CODE >> 4);
	ck_assert_uint_eq(rig_frame32(rig, first + 2) & CTX_EFLAGS_VM, CTX_EFLAGS_VM);
	ck_assert_uint_eq(rig_frame32(rig, first + 4), RIG_DATA >> 4);
	ck_assert_uint_eq(rig_frame32(rig, first + 5), RIG_DATA >> 4);
	ck_assert_uint_eq(rig_frame32(rig, first + 6), RIG_DATA >> 4);
}

/* --- in and out -------------------------------------------------------------------- */

START_TEST(entry_by_iret)
{
	static const uint32_t frame[] = { 0x10, 0x1000, 0x23202, 0xf000, 0x2000, 0x2100, 0x2200, 0x2300, 0x2400 };
	rig->ctx->gpr[CTX_RSP].e -= (uint32_t)sizeof frame;
	for (unsigned i = 0; i < 9; i++)
		rig_set(rig, esp() + 4 * i, 4, frame[i]);
	CODE(rig, 0xcf);
	CODE_AT(rig, RIG_CODE + 0x10, 0xa1, W(0x123), 0xcd, 0x80); /* mov ax,[123] */
	rig_set(rig, 0x22000 + 0x123, 2, 0x4711);
	ck_assert_uint_eq(rig_run(rig), 0x80);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].x, 0x4711);
	ck_assert_uint_eq(rig_frame32(rig, 0), 0x15);
	ck_assert_uint_eq(rig_frame32(rig, 2), 0x23202);
	ck_assert_uint_eq(rig_frame32(rig, 3), 0xf000);
	for (unsigned i = 4; i < 9; i++)
		ck_assert_uint_eq(rig_frame32(rig, i), frame[i]);
	ck_assert_uint_eq(esp(), RIG_STACK0 - 36);
	/* The handler starts with null data segments. */
	for (unsigned i = 0; i < 4; i++) {
		static const enum ctx_sreg sregs[] = { CTX_ES, CTX_DS, CTX_FS, CTX_GS };
		ck_assert_uint_eq(rig->ctx->seg[sregs[i]].selector, 0);
	}
	ck_assert(!(rig->ctx->rflags & CTX_EFLAGS_VM));
}
END_TEST

static enum stop_reason run_staying(void)
{
	struct engine *engine = rig->machine->engine;
	rig->ctx->limit_insns = 1000;
	rig->ctx->limit_blocks = 0;
	rig->ctx->stays = 1;
	return engine->ops->run(engine, rig->ctx);
}

/* ctx.stays is for all that comes before CR0.PE is cleared. */
START_TEST(it_does_not_end_a_stay)
{
	static const uint32_t frame[] = { 0x10, RIG_CODE >> 4, 0x23202, 0xf000, 0x2000, 0x2100, 0x2200, 0x2300, 0x2400 };
	rig->ctx->gpr[CTX_RSP].e -= (uint32_t)sizeof frame;
	for (unsigned i = 0; i < 9; i++)
		rig_set(rig, esp() + 4 * i, 4, frame[i]);
	CODE(rig, 0xcf);
	CODE_AT(rig, RIG_CODE + 0x10, 0xcd, 0x80);
	ck_assert_int_eq(run_staying(), STOP_HALT); /* in the handler of 80h */
	ck_assert(!(rig->ctx->rflags & CTX_EFLAGS_VM));
	again();
	CODE(rig, 0x0f, 0x20, 0xc0, 0x24, 0xfe, 0x0f, 0x22, 0xc0, 0x0c, 1, 0x0f, 0x22, 0xc0, 0xeb, 0, 0xf4); /* and al,~1; mov cr0,eax; or al,1 */
	ck_assert_int_eq(run_staying(), STOP_MODE);
	ck_assert_uint_eq(rig->ctx->cr0 & CTX_CR0_PE, CTX_CR0_PE);
}
END_TEST

START_TEST(entry_by_task_switch)
{
	rig_tss32(rig, RIG_TSS2, 0x10, CTX_EFLAGS_VM | 0x3000);
	rig_set(rig, RIG_TSS2 + 0x4c, 2, RIG_CODE >> 4);
	rig_set(rig, RIG_TSS2 + 0x50, 2, RIG_DATA >> 4);
	rig_set(rig, RIG_TSS2 + 0x54, 2, 0x2345);
	rig_set(rig, RIG_TSS2 + 0x38, 4, 0x8000);
	CODE(rig, 0xea, D(0), W(SEL_TSS2));
	CODE_AT(rig, RIG_CODE + 0x10, 0x8c, 0xd8, 0xcd, 0x80); /* mov ax,ds */
	ck_assert_uint_eq(rig_run(rig), 0x80);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].x, 0x2345);
	ck_assert_uint_eq(rig_frame32(rig, 6), 0x2345);
	ck_assert_uint_eq(rig_frame32(rig, 3), 0x8000);
}
END_TEST

START_TEST(iret_to_vm86_beyond_ffff_is_gp)
{
	static const uint32_t frame[] = { 0x10010, 0x1000, 0x20002, 0xf000, 0x2000, 0x2000, 0x2000, 0, 0 };
	rig->ctx->gpr[CTX_RSP].e -= (uint32_t)sizeof frame;
	for (unsigned i = 0; i < 9; i++)
		rig_set(rig, esp() + 4 * i, 4, frame[i]);
	CODE(rig, 0xcf);
	ck_fault(rig, 13, 0, RIG_CODE);
	ck_assert(!(rig_frame32(rig, 3) & CTX_EFLAGS_VM));
}
END_TEST

START_TEST(exceptions_leave_and_iret_returns)
{
	rig_vm86(rig, 0);
	CODE(rig, 0x40, 0xf4, 0x43, 0xcc);             /* inc ax; hlt (#GP); inc bx */
	CODE_AT(rig, rig_handler(13), 0x83, 0xc4, 0x04, 0xff, 0x04, 0x24, 0xcf); /* add esp,4; inc [esp]; iret */
	rig_idt(rig, 3, GATE_INT32 | ACC_DPL3, SEL_CODE0, rig_handler(3));
	ck_assert_uint_eq(rig_run(rig), 3);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].x, 1);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RBX].x, 1);
	ck_vm86_frame(0, 4);
}
END_TEST

START_TEST(handler_must_be_ring_0_and_not_conforming)
{
	static const uint16_t access[] = { ACC_CODE32 | ACC_DPL1, 0xc09f, ACC_CODE32 | ACC_DPL3 };
	for (unsigned i = 0; i < 3; i++) {
		again();
		rig_descriptor(rig, SEL_A, 0, 0xfffff, access[i]);
		rig_idt(rig, 6, GATE_INT32, SEL_A, 0);
		rig_vm86(rig, 3);
		CODE(rig, 0x0f, 0x0b);
		ck_assert_uint_eq(rig_run(rig), 13);
		ck_assert_uint_eq(rig_frame32(rig, 0), SEL_A | 1);
		ck_vm86_frame(1, 0);
	}
}
END_TEST

START_TEST(sixteen_bit_gate_from_vm86)
{
	rig_idt(rig, 0x80, GATE_INT16 | ACC_DPL3, SEL_CODE0, rig_handler(0x80));
	rig_vm86(rig, 3);
	CODE(rig, 0xcd, 0x80);
	ck_assert_uint_eq(rig_run(rig), 0x80);
	ck_assert_uint_eq(esp(), RIG_STACK0 - 18);
	ck_assert_uint_eq(rig_frame16(rig, 0), 2);
	ck_assert_uint_eq(rig_frame16(rig, 8), 0);
	ck_assert_uint_eq(rig_frame16(rig, 5), RIG_DATA >> 4);
}
END_TEST

/* --- rights --------------------------------------------------------------------------- */

START_TEST(sensitive_instructions_by_iopl)
{
	static const uint8_t code[][2] = { { 0xfa }, { 0xfb }, { 0x9c }, { 0x9d }, { 0xcd, 0x80 }, { 0xcf }, { 0x66, 0x9c }, { 0x66, 0x9d } };
	for (unsigned i = 0; i < sizeof code / 2; i++) {
		again();
		rig_vm86(rig, 2);
		rig_put(rig, RIG_CODE, code[i], 2);
		ck_assert_msg(rig_run(rig) == 13, "case %u", i);
		ck_assert_uint_eq(rig_frame32(rig, 0), 0);
		ck_vm86_frame(1, 0);
		ck_assert_uint_eq(rig_frame32(rig, 4), 0xf000);
	}
}
END_TEST

START_TEST(sensitive_instructions_with_iopl_3)
{
	rig_vm86(rig, 3);
	CODE(rig, 0xfb, 0x9c, 0x58, 0xfa, 0x68, W(0x0003), 0x9d, 0xcd, 0x80); /* sti; pushf; pop ax; cli; push; popf */
	ck_assert_uint_eq(rig_run(rig), 0x80);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].x, 0x3202);
	ck_assert_uint_eq(rig_frame32(rig, 2), 0x23003); /* POPF leaves IOPL */
}
END_TEST

START_TEST(iret_inside_vm86)
{
	rig_vm86(rig, 3);
	rig_set(rig, RIG_DATA + 0xf000, 2, 0x40);
	rig_set(rig, RIG_DATA + 0xf002, 2, 0x1001);
	rig_set(rig, RIG_DATA + 0xf004, 2, 0x0203);
	CODE(rig, 0xcf);
	CODE_AT(rig, RIG_CODE + 0x50, 0xcd, 0x80);
	ck_assert_uint_eq(rig_run(rig), 0x80);
	ck_assert_uint_eq(rig_frame32(rig, 0), 0x42);
	ck_assert_uint_eq(rig_frame32(rig, 1), 0x1001);
	ck_assert_uint_eq(rig_frame32(rig, 2), 0x23203);
}
END_TEST

START_TEST(privileged_instructions_are_gp_even_with_iopl_3)
{
	static const uint8_t code[][3] = {
		{ 0xf4 }, { 0x0f, 0x06 }, { 0x0f, 0x20, 0xc0 }, { 0x0f, 0x22, 0xc0 }, { 0x0f, 0x01, 0x16 }, { 0x0f, 0x01, 0xf0 },
		{ 0x0f, 0x30 }, { 0x0f, 0x09 },
	};
	for (unsigned i = 0; i < sizeof code / 3; i++) {
		again();
		rig_vm86(rig, 3);
		rig_put(rig, RIG_CODE, code[i], 3);
		ck_assert_msg(rig_run(rig) == 13, "case %u", i);
	}
	again();
	rig_vm86(rig, 3);
	CODE(rig, 0x0f, 0x00, 0xd8); /* LTR is #UD, as in real mode */
	ck_assert_uint_eq(rig_run(rig), 6);
}
END_TEST

START_TEST(segment_limit_is_64k)
{
	rig_vm86(rig, 3);
	CODE(rig, 0x67, 0xa1, D(0x10000));
	ck_assert_uint_eq(rig_run(rig), 13);
	again();
	rig_load(rig, CTX_DS, SEL_DATA0);
	rig_vm86(rig, 3);
	rig->ctx->seg[CTX_DS].limit = 0xffffffff; /* a load takes that back */
	CODE(rig, 0x1e, 0x1f, 0x67, 0xa1, D(0x10000));
	ck_assert_uint_eq(rig_run(rig), 13);
}
END_TEST

START_TEST(int3_and_into_go_by_dpl_not_iopl)
{
	rig_idt(rig, 3, GATE_INT32 | ACC_DPL3, SEL_CODE0, rig_handler(3));
	rig_vm86(rig, 0);
	CODE(rig, 0xcc);
	ck_assert_uint_eq(rig_run(rig), 3);
	ck_vm86_frame(0, 1);
	again();
	rig_vm86(rig, 0);
	CODE(rig, 0xcc); /* DPL 0 */
	ck_assert_uint_eq(rig_run(rig), 13);
	ck_assert_uint_eq(rig_frame32(rig, 0), 3 * 8 + 2);
	again();
	rig_vm86(rig, 3);
	CODE(rig, 0xcd, 0x03); /* IOPL is fine, DPL is not */
	ck_assert_uint_eq(rig_run(rig), 13);
	ck_assert_uint_eq(rig_frame32(rig, 0), 3 * 8 + 2);
}
END_TEST

/* --- ports ------------------------------------------------------------------------------ */

/* IN of `size` bytes from `port` with the bitmap at 68h up to `limit`. */
static bool port_open(uint16_t port, unsigned size, uint32_t limit, bool vm86)
{
	again();
	rig->ctx->seg[CTX_TR].limit = limit;
	rig_set(rig, RIG_TSS + 0x68 + 0x300 / 8, 2, 0xff0f); /* 304-307 open */
	if (vm86) {
		rig_vm86(rig, 3);
		CODE(rig, 0xba, W(port), size == 4 ? 0x66 : 0x90, size == 1 ? 0xec : 0xed, 0xcd, 0x80);
	} else {
		rig_ring3(rig);
		CODE(rig, 0xba, D(port), size == 2 ? 0x66 : 0x90, size == 1 ? 0xec : 0xed, 0xcd, 0x80);
	}
	unsigned vector = rig_run(rig);
	ck_assert(vector == 0x80 || (vector == 13 && rig_frame32(rig, 0) == 0));
	return vector == 0x80;
}

START_TEST(io_bitmap)
{
	for (unsigned vm86 = 0; vm86 < 2; vm86++) {
		ck_assert(port_open(0x304, 1, 0x1068, vm86) && port_open(0x307, 1, 0x1068, vm86));
		ck_assert(!port_open(0x303, 1, 0x1068, vm86) && !port_open(0x308, 1, 0x1068, vm86));
		ck_assert(port_open(0x306, 2, 0x1068, vm86) && !port_open(0x307, 2, 0x1068, vm86));
		ck_assert(port_open(0x304, 4, 0x1068, vm86) && !port_open(0x305, 4, 0x1068, vm86) && !port_open(0x301, 4, 0x1068, vm86));
		/* Two bytes of the map are read: both must lie in the TSS. */
		ck_assert(!port_open(0x304, 1, 0x68 + 0x60, vm86) && port_open(0x304, 1, 0x68 + 0x61, vm86));
		ck_assert(!port_open(0x304, 1, 0x66, vm86));
	}
}
END_TEST

START_TEST(iopl_opens_ports_in_protected_mode_only)
{
	rig_ring3(rig);
	rig->ctx->rflags |= 0x3000;
	CODE(rig, 0xec, 0xcd, 0x80);
	ck_assert_uint_eq(rig_run(rig), 0x80);
	again();
	rig_vm86(rig, 3);
	CODE(rig, 0xec, 0xcd, 0x80);
	ck_assert_uint_eq(rig_run(rig), 13);
}
END_TEST

START_TEST(sixteen_bit_tss_has_no_bitmap)
{
	again();
	rig->ctx->seg[CTX_TR].access = 0x83;
	rig->ctx->seg[CTX_TR].limit = 0x1068;
	rig_tss16(rig, RIG_TSS, 0, 0);
	rig_ring3(rig);
	rig_set(rig, RIG_TSS + 2, 4, (uint32_t)SEL_DATA16 << 16 | 0xe000);
	CODE(rig, 0xec);
	ck_assert_uint_eq(rig_run(rig), 13);
}
END_TEST

/* --- VME ------------------------------------------------------------------------------------ */

/* CR4.VME, redirection bitmap clear but for vector 80h, at 68h; I/O map behind it. */
static void vme(unsigned iopl)
{
	rig->ctx->cr4 = CTX_CR4_VME;
	rig->ctx->seg[CTX_TR].limit = 0x2000;
	rig_set(rig, RIG_TSS + 0x66, 2, 0x88);
	rig_set(rig, RIG_TSS + 0x68 + 0x80 / 8, 1, 1);
	rig_vm86(rig, iopl);
	rig_set(rig, RIG_IVT + 4 * 0x21, 4, 0x10000040u); /* INT 21h goes to 1000:0040 */
}

START_TEST(vme_redirects_int)
{
	vme(3);
	rig->ctx->rflags |= CTX_EFLAGS_IF | CTX_EFLAGS_NT;
	CODE(rig, 0xcd, 0x21);
	CODE_AT(rig, RIG_CODE + 0x40, 0x58, 0x5b, 0x59, 0x0f, 0x0b); /* pop ax, bx, cx; ud2 */
	ck_assert_uint_eq(rig_run(rig), 6);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].x, 2);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RBX].x, RIG_CODE >> 4);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RCX].x, 0x7202);
	ck_assert_uint_eq(rig_frame32(rig, 2) & 0x7300, 0x3000); /* IF, TF, NT are clear */
}
END_TEST

START_TEST(vme_redirects_with_virtual_if)
{
	vme(0);
	rig->ctx->rflags |= CTX_EFLAGS_IF | CTX_EFLAGS_VIF;
	CODE(rig, 0xcd, 0x21);
	CODE_AT(rig, RIG_CODE + 0x40, 0x58, 0x5b, 0x59, 0x0f, 0x0b);
	ck_assert_uint_eq(rig_run(rig), 6);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RCX].x, 0x3202); /* IOPL 3, IF = VIF */
	ck_assert_uint_eq(rig_frame32(rig, 2) & (CTX_EFLAGS_VIF | CTX_EFLAGS_IF), CTX_EFLAGS_IF);
}
END_TEST

START_TEST(vme_bit_set_is_by_iopl)
{
	vme(3);
	CODE(rig, 0xcd, 0x80);
	ck_assert_uint_eq(rig_run(rig), 0x80);
	again();
	vme(2);
	CODE(rig, 0xcd, 0x80);
	ck_assert_uint_eq(rig_run(rig), 13);
	ck_assert_uint_eq(rig_frame32(rig, 0), 0);
}
END_TEST

START_TEST(vme_cli_sti_pushf_popf)
{
	vme(0);
	/* sti; pushf; pop ax; cli; pushf; pop bx; push 202; popf; pushf; pop cx */
	CODE(rig, 0xfb, 0x9c, 0x58, 0xfa, 0x9c, 0x5b, 0x68, W(0x202), 0x9d, 0x9c, 0x59, 0x0f, 0x0b);
	ck_assert_uint_eq(rig_run(rig), 6);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].x, 0x3202);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RBX].x, 0x3002);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RCX].x, 0x3202);
	ck_assert_uint_eq(rig_frame32(rig, 2) & (CTX_EFLAGS_IF | CTX_EFLAGS_VIF | CTX_EFLAGS_IOPL), CTX_EFLAGS_VIF);
}
END_TEST

START_TEST(vip_faults_what_would_enable)
{
	static const uint8_t code[][5] = { { 0xfb }, { 0x68, W(0x202), 0x9d } };
	for (unsigned i = 0; i < 2; i++) {
		again();
		vme(0);
		rig->ctx->rflags |= CTX_EFLAGS_VIP;
		rig_put(rig, RIG_CODE, code[i], 5);
		ck_assert_uint_eq(rig_run(rig), 13);
		ck_assert_uint_eq(rig_frame32(rig, 3) & CTX_EFLAGS_VIF, 0);
	}
	again();
	vme(0);
	rig->ctx->rflags |= CTX_EFLAGS_VIP | CTX_EFLAGS_VIF;
	CODE(rig, 0xfa, 0x0f, 0x0b); /* CLI is fine */
	ck_assert_uint_eq(rig_run(rig), 6);
	ck_assert_uint_eq(rig_frame32(rig, 2) & (CTX_EFLAGS_VIF | CTX_EFLAGS_VIP), CTX_EFLAGS_VIP);
}
END_TEST

START_TEST(vme_popf_with_tf_and_32_bit_forms_fault)
{
	static const uint8_t code[][6] = { { 0x68, W(0x102), 0x9d }, { 0x66, 0x9c }, { 0x66, 0x9d }, { 0x66, 0xcf } };
	for (unsigned i = 0; i < 4; i++) {
		again();
		vme(0);
		rig_put(rig, RIG_CODE, code[i], 6);
		ck_assert_msg(rig_run(rig) == 13, "case %u", i);
	}
}
END_TEST

START_TEST(vme_iret_sets_vif)
{
	vme(0);
	rig_set(rig, RIG_DATA + 0xf000, 4, 0x10000040);
	rig_set(rig, RIG_DATA + 0xf004, 2, 0x0203);
	CODE(rig, 0xcf);
	CODE_AT(rig, RIG_CODE + 0x40, 0x0f, 0x0b);
	ck_assert_uint_eq(rig_run(rig), 6);
	ck_assert_uint_eq(rig_frame32(rig, 0), 0x40);
	ck_assert_uint_eq(rig_frame32(rig, 2) & (CTX_EFLAGS_VIF | CTX_EFLAGS_IF | CTX_EFLAGS_CF), CTX_EFLAGS_VIF | CTX_EFLAGS_CF);
}
END_TEST

/* --- PVI --------------------------------------------------------------------------------------- */

START_TEST(pvi_gives_ring_3_a_virtual_if)
{
	rig->ctx->cr4 = CTX_CR4_PVI;
	rig_ring3(rig);
	rig->ctx->rflags |= CTX_EFLAGS_IF;
	CODE(rig, 0xfb, 0xcd, 0x80);
	ck_assert_uint_eq(rig_run(rig), 0x80);
	ck_assert_uint_eq(rig_frame32(rig, 2), 0x80202);
	again();
	rig->ctx->cr4 = CTX_CR4_PVI;
	rig_ring3(rig);
	rig->ctx->rflags |= CTX_EFLAGS_IF | CTX_EFLAGS_VIF;
	CODE(rig, 0xfa, 0xcd, 0x80);
	ck_assert_uint_eq(rig_run(rig), 0x80);
	ck_assert_uint_eq(rig_frame32(rig, 2), 0x202);
	again();
	rig->ctx->cr4 = CTX_CR4_PVI;
	rig_ring3(rig);
	rig->ctx->rflags |= CTX_EFLAGS_VIP;
	CODE(rig, 0xfb);
	ck_fault(rig, 13, 0, RIG_CODE);
}
END_TEST

Suite *suite_emu_vm86(void);
Suite *suite_emu_vm86(void)
{
	return RIG_SUITE("emu_vm86", start, stop, entry_by_iret, it_does_not_end_a_stay, entry_by_task_switch, iret_to_vm86_beyond_ffff_is_gp,
	                 exceptions_leave_and_iret_returns, handler_must_be_ring_0_and_not_conforming,
	                 sixteen_bit_gate_from_vm86, sensitive_instructions_by_iopl, sensitive_instructions_with_iopl_3,
	                 iret_inside_vm86, privileged_instructions_are_gp_even_with_iopl_3, segment_limit_is_64k,
	                 int3_and_into_go_by_dpl_not_iopl, io_bitmap, iopl_opens_ports_in_protected_mode_only,
	                 sixteen_bit_tss_has_no_bitmap, vme_redirects_int, vme_redirects_with_virtual_if,
	                 vme_bit_set_is_by_iopl, vme_cli_sti_pushf_popf, vip_faults_what_would_enable,
	                 vme_popf_with_tf_and_32_bit_forms_fault, vme_iret_sets_vif, pvi_gives_ring_3_a_virtual_if);
}
