/* Segments in protected mode: loads and their checks, limits, inspection. */
#include "tests/unit/emu_rig.h"

static struct rig *rig;

static void start(void) { rig = rig_new_protected(EMU_CPU_P6); }
static void stop(void) { rig_free(rig); }
static void again(void) { stop(); start(); }

static uint32_t eax(void) { return rig->ctx->gpr[CTX_RAX].e; }
static bool zf(void) { return rig->ctx->rflags & CTX_EFLAGS_ZF; }

/* MOV sreg,AX of `selector` in ring `cpl`; the vector, RIG_HALTED or 80h when it went. */
static unsigned load(unsigned sreg, uint16_t selector, unsigned cpl)
{
	if (cpl == 3)
		rig_ring3(rig);
	rig->ctx->rip = RIG_CODE;
	rig->ctx->gpr[CTX_RAX].e = selector;
	CODE_AT(rig, RIG_CODE, 0x8e, (uint8_t)(0xc0 | sreg << 3), 0xcd, 0x80);
	return rig_run(rig);
}

/* --- loads ------------------------------------------------------------------------ */

START_TEST(data_load_by_type_dpl_rpl)
{
	static const struct {
		uint16_t access;
		uint8_t rpl, cpl, vector;
	} cases[] = {
		{ ACC_DATA32, 0, 0, 0x80 }, { ACC_DATA32, 3, 0, 13 }, { ACC_DATA32, 0, 3, 13 },
		{ ACC_DATA32 | ACC_DPL3, 3, 3, 0x80 }, { ACC_DATA32 | ACC_DPL3, 0, 3, 0x80 }, { ACC_DATA32 | ACC_DPL3, 3, 0, 0x80 },
		{ ACC_DATA32 | ACC_DPL2, 2, 0, 0x80 }, { ACC_DATA32 | ACC_DPL2, 3, 0, 13 },
		{ 0x91, 0, 0, 0x80 },                     /* read-only */
		{ ACC_CODE32, 0, 0, 0x80 },               /* readable code */
		{ 0x99, 0, 0, 13 },                       /* execute-only code */
		{ 0x9f, 3, 3, 0x80 },                     /* conforming, readable: whatever DPL */
		{ 0x9d, 0, 0, 13 },                       /* conforming, execute-only */
		{ ACC_LDT, 0, 0, 13 }, { ACC_TSS32, 0, 0, 13 }, { GATE_CALL32, 0, 0, 13 }, { 0x80, 0, 0, 13 },
		{ ACC_DATA32 & ~0x80, 0, 0, 11 },         /* not present */
		{ (ACC_DATA32 & ~0x80), 0, 3, 13 },       /* rights come first */
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		again();
		rig_descriptor(rig, SEL_A, 0, 0xfffff, cases[i].access);
		unsigned vector = load(CTX_DS, SEL_A | cases[i].rpl, cases[i].cpl);
		ck_assert_msg(vector == cases[i].vector, "case %zu gave %x", i, vector);
		if (vector != 0x80)
			ck_assert_uint_eq(rig_frame32(rig, 0), SEL_A);
	}
}
END_TEST

START_TEST(stack_load_wants_cpl_everywhere)
{
	static const struct {
		uint16_t access;
		uint8_t rpl, cpl, vector;
	} cases[] = {
		{ ACC_DATA32, 0, 0, 0x80 }, { ACC_DATA32, 1, 0, 13 }, { ACC_DATA32 | ACC_DPL3, 0, 0, 13 },
		{ ACC_DATA32 | ACC_DPL3, 3, 3, 0x80 }, { ACC_DATA32 | ACC_DPL3, 0, 3, 13 }, { ACC_DATA32, 3, 3, 13 },
		{ 0x91, 0, 0, 13 }, { ACC_CODE32, 0, 0, 13 }, { ACC_LDT, 0, 0, 13 },
		{ ACC_DATA32 & ~0x80, 0, 0, 12 },
		{ 0x97, 0, 0, 0x80 }, /* expand-down */
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		again();
		rig_descriptor(rig, SEL_A, 0, cases[i].access == 0x97 ? 0 : 0xfffff, cases[i].access);
		unsigned vector = load(CTX_SS, SEL_A | cases[i].rpl, cases[i].cpl);
		ck_assert_msg(vector == cases[i].vector, "case %zu gave %x", i, vector);
		if (vector != 0x80)
			ck_assert_uint_eq(rig_frame32(rig, 0), SEL_A);
	}
}
END_TEST

START_TEST(null_selectors)
{
	ck_assert_uint_eq(load(CTX_ES, 0, 0), 0x80);
	ck_assert_uint_eq(load(CTX_ES, 3, 0), 0x80);
	ck_assert_uint_eq(rig->ctx->seg[CTX_ES].selector, 3);
	CODE_AT(rig, RIG_CODE, 0x26, 0xa1, D(RIG_DATA)); /* mov eax,[es:] */
	rig->ctx->rip = RIG_CODE;
	ck_fault(rig, 13, 0, RIG_CODE);
	again();
	ck_assert_uint_eq(load(CTX_SS, 0, 0), 13);
	ck_assert_uint_eq(rig_frame32(rig, 0), 0);
}
END_TEST

START_TEST(selectors_outside_the_tables)
{
	rig->ctx->gdtr.limit = SEL_A + 6;
	ck_assert_uint_eq(load(CTX_DS, SEL_A, 0), 13);
	ck_assert_uint_eq(rig_frame32(rig, 0), SEL_A);
	again();
	ck_assert_uint_eq(load(CTX_DS, 0x24, 0), 13); /* LDT limit is 1F */
	ck_assert_uint_eq(rig_frame32(rig, 0), 0x24);
	again();
	rig->ctx->seg[CTX_LDTR].access |= CTX_SEG_UNUSABLE;
	ck_assert_uint_eq(load(CTX_DS, SEL_LOCAL_A, 0), 13);
	ck_assert_uint_eq(rig_frame32(rig, 0), SEL_LOCAL_A);
}
END_TEST

START_TEST(ldt_selectors)
{
	rig_descriptor(rig, SEL_LOCAL_B, RIG_DATA, 0xf, 0x92);
	ck_assert_uint_eq(load(CTX_FS, SEL_LOCAL_B, 0), 0x80);
	ck_assert_uint_eq(rig->ctx->seg[CTX_FS].base, RIG_DATA);
	ck_assert_uint_eq(rig->ctx->seg[CTX_FS].limit, 0xf);
	ck_assert_uint_eq(rig_access(rig, SEL_LOCAL_B), 0x93); /* accessed */
}
END_TEST

START_TEST(failed_load_sets_no_accessed_bit_and_keeps_the_register)
{
	rig_descriptor(rig, SEL_A, 0, 0xfffff, 0x12);
	ck_assert_uint_eq(load(CTX_DS, SEL_A, 0), 11);
	ck_assert_uint_eq(rig_access(rig, SEL_A), 0x12);
	ck_assert_uint_eq(rig->ctx->seg[CTX_DS].selector, SEL_DATA0);
}
END_TEST

START_TEST(pop_and_lds_fail_without_a_trace)
{
	CODE(rig, 0x1f); /* pop ds */
	rig_set(rig, RIG_STACK0, 4, 0xff8);
	ck_fault(rig, 13, 0xff8, RIG_CODE);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RSP].e, RIG_STACK0 - 16);
	again();
	CODE(rig, 0xc5, 0x05, D(RIG_DATA)); /* lds eax,[] */
	rig_set(rig, RIG_DATA, 4, 0x12345678);
	rig_set(rig, RIG_DATA + 4, 2, 0xff8);
	ck_fault(rig, 13, 0xff8, RIG_CODE);
	ck_assert_uint_eq(eax(), 0);
}
END_TEST

START_TEST(push_and_pop_of_segments_move_esp_by_the_operand)
{
	rig_set(rig, RIG_STACK0 - 4, 4, 0xaaaaaaaa);
	CODE(rig, 0x1e, 0x66, 0x1e, 0x66, 0x07, 0x0f, 0xa1, 0xf4); /* push ds; push ds(16); pop es(16); pop fs */
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RSP].e, RIG_STACK0);
	ck_assert_uint_eq(rig_get(rig, RIG_STACK0 - 4, 2), SEL_DATA0);
	ck_assert_uint_eq(rig->ctx->seg[CTX_FS].selector, SEL_DATA0);
}
END_TEST

/* --- limits ----------------------------------------------------------------------- */

/* Reads `size` bytes at `offset` of DS; true when no #GP(0). */
static bool reads(uint32_t offset, unsigned size)
{
	rig->ctx->rip = RIG_CODE;
	rig->ctx->gpr[CTX_RSP].e = RIG_STACK0;
	CODE_AT(rig, RIG_CODE, (uint8_t)(size == 1 ? 0x3e : size == 2 ? 0x66 : 0x3e), (uint8_t)(size == 1 ? 0xa0 : 0xa1),
	        D(offset), 0xcd, 0x80);
	unsigned vector = rig_run(rig);
	ck_assert(vector == 0x80 || (vector == 13 && rig_frame32(rig, 0) == 0));
	rig_load(rig, CTX_CS, SEL_CODE0);
	return vector == 0x80;
}

START_TEST(limit_in_bytes)
{
	rig_descriptor(rig, SEL_A, RIG_DATA, 0x104, 0x4093);
	rig_load(rig, CTX_DS, SEL_A);
	ck_assert(reads(0x104, 1) && !reads(0x105, 1));
	ck_assert(reads(0x103, 2) && !reads(0x104, 2));
	ck_assert(reads(0x101, 4) && !reads(0x102, 4));
	ck_assert(!reads(0xffffffff, 1) && !reads(0xfffffffe, 4));
}
END_TEST

START_TEST(limit_in_pages)
{
	rig_descriptor(rig, SEL_A, RIG_DATA, 1, 0xc093);
	rig_load(rig, CTX_DS, SEL_A);
	ck_assert(reads(0x1fff, 1) && !reads(0x2000, 1));
	ck_assert(reads(0x1ffc, 4) && !reads(0x1ffd, 4));
}
END_TEST

START_TEST(expand_down)
{
	rig_descriptor(rig, SEL_A, RIG_DATA, 0xfff, 0x0097);
	rig_load(rig, CTX_DS, SEL_A);
	ck_assert(!reads(0xfff, 1) && reads(0x1000, 1));
	ck_assert(!reads(0xffe, 4) && reads(0x1000, 4));
	ck_assert(reads(0xffff, 1) && !reads(0x10000, 1) && !reads(0xffff, 2)); /* B = 0: ends at FFFF */
	rig_descriptor(rig, SEL_A, RIG_DATA, 0xfff, 0x4097);
	rig_load(rig, CTX_DS, SEL_A);
	ck_assert(reads(0x10000, 1) && !reads(0xfff, 1));
	ck_assert(!reads(0xfffffffd, 4));
}
END_TEST

START_TEST(wrap_of_a_flat_segment_at_4g_is_gp)
{
	ck_assert(!reads(0xffffffff, 2) && !reads(0xfffffffd, 4));
}
END_TEST

START_TEST(stack_limit_is_ss_with_code_0)
{
	rig_descriptor(rig, SEL_A, 0, 0xff, ACC_DATA16 | CTX_SEG_DB);
	rig_idt(rig, 12, GATE_TASK, SEL_TSS2, 0); /* its stack cannot take the frame */
	rig_tss32(rig, RIG_TSS2, rig_handler(12), 0);
	rig_load(rig, CTX_SS, SEL_A);
	rig->ctx->gpr[CTX_RSP].e = 0x102;
	CODE(rig, 0x58); /* pop eax */
	ck_assert_uint_eq(rig_run(rig), 12);
	ck_assert_uint_eq(rig_frame32(rig, 0), 0);
	ck_assert_uint_eq(rig_get(rig, RIG_TSS + 0x20, 4), RIG_CODE);
}
END_TEST

START_TEST(writes_by_type)
{
	static const uint16_t read_only[] = { 0x91, ACC_CODE32 };
	for (unsigned i = 0; i < 2; i++) {
		again();
		rig_descriptor(rig, SEL_A, 0, 0xfffff, read_only[i] | 0xc000);
		rig_load(rig, CTX_ES, SEL_A);
		CODE(rig, 0x26, 0xa1, D(RIG_DATA), 0x26, 0xa3, D(RIG_DATA));
		ck_fault(rig, 13, 0, RIG_CODE + 6);
	}
	again();
	CODE(rig, 0x2e, 0x89, 0x05, D(RIG_DATA)); /* mov [cs:],eax */
	ck_fault(rig, 13, 0, RIG_CODE);
	again();
	rig_descriptor(rig, SEL_CODE0, 0, 0xfffff, 0xc099); /* execute-only */
	rig_load(rig, CTX_CS, SEL_CODE0);
	CODE(rig, 0x2e, 0xa1, D(RIG_DATA));
	ck_fault(rig, 13, 0, RIG_CODE);
}
END_TEST

START_TEST(read_modify_write_of_read_only_data_faults_before_it_reads)
{
	rig_descriptor(rig, SEL_A, 0, 0xfffff, 0xc091);
	rig_load(rig, CTX_ES, SEL_A);
	CODE(rig, 0x26, 0x01, 0x05, D(RIG_DATA)); /* add [es:],eax */
	rig->ctx->rflags |= CTX_EFLAGS_CF;
	ck_fault(rig, 13, 0, RIG_CODE);
	ck_assert(rig_frame32(rig, 3) & CTX_EFLAGS_CF);
}
END_TEST

START_TEST(code_limit)
{
	rig_descriptor(rig, SEL_A, RIG_CODE, 3, 0x409b);
	rig_load(rig, CTX_CS, SEL_A);
	rig->ctx->rip = 0;
	CODE(rig, 0x40, 0x40, 0xeb, 0x00); /* inc; inc; jmp to 4 */
	ck_fault(rig, 13, 0, 2);
	ck_assert_uint_eq(eax(), 2);
	again();
	rig_descriptor(rig, SEL_A, RIG_CODE, 3, 0x409b);
	rig_load(rig, CTX_CS, SEL_A);
	rig->ctx->rip = 0;
	CODE(rig, 0x40, 0xb8, D(7)); /* the mov goes past the limit */
	ck_fault(rig, 13, 0, 1);
	ck_assert_uint_eq(eax(), 1);
}
END_TEST

START_TEST(sixteen_bit_stack_in_32_bit_code)
{
	rig_load(rig, CTX_SS, SEL_DATA16);
	rig->ctx->gpr[CTX_RSP].e = 0xabcd0000;
	CODE(rig, 0x50, 0xf4);
	rig->ctx->gpr[CTX_RAX].e = 0x13579bdf;
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RSP].e, 0xabcdfffc);
	ck_assert_uint_eq(rig_get(rig, 0xfffc, 4), 0x13579bdf);
}
END_TEST

/* --- inspection ---------------------------------------------------------------------- */

/* 0F `op` with reg EAX, rm ECX = selector in ring `cpl`; gives ZF. */
static bool inspect(uint8_t op, uint8_t modrm, uint16_t selector, unsigned cpl)
{
	if (cpl == 3)
		rig_ring3(rig);
	rig->ctx->rip = RIG_CODE;
	rig->ctx->rflags ^= CTX_EFLAGS_ZF;
	rig->ctx->gpr[CTX_RAX].e = 0xdeadbeef;
	rig->ctx->gpr[CTX_RCX].e = selector;
	CODE_AT(rig, RIG_CODE, 0x0f, op, modrm, 0xcd, 0x80);
	ck_assert_uint_eq(rig_run(rig), 0x80);
	return zf();
}
#define LAR(selector, cpl)  inspect(0x02, 0xc1, selector, cpl)
#define LSL(selector, cpl)  inspect(0x03, 0xc1, selector, cpl)
#define VERR(selector, cpl) inspect(0x00, 0xe1, selector, cpl)
#define VERW(selector, cpl) inspect(0x00, 0xe9, selector, cpl)

START_TEST(lar_gives_rights)
{
	rig_descriptor(rig, SEL_A, 0x12345678, 0x9abcd, 0xd0f3);
	ck_assert(LAR(SEL_A, 0));
	ck_assert_uint_eq(eax() & 0xfff0ffff, 0x00d0f300);
	ck_assert(LAR(SEL_A | 3, 3));
	rig_descriptor(rig, SEL_A, 0, 0, 0xf0);
	ck_assert(!LAR(0, 0));
	ck_assert_uint_eq(eax(), 0xdeadbeef);
	ck_assert(!LAR(0xff8, 0));
	ck_assert(!LAR(SEL_DATA0, 3)); /* DPL */
}
END_TEST

START_TEST(lar_and_lsl_by_system_type)
{
	static const uint16_t lar = 0x1a3e, lsl = 0x0a0e; /* bit by type (SDM vol. 2, LAR, LSL) */
	for (unsigned type = 0; type < 16; type++) {
		again();
		rig_descriptor(rig, SEL_A, 0, 0x1234, 0x80 | type);
		ck_assert_msg(LAR(SEL_A, 0) == (lar >> type & 1), "lar %u", type);
		again();
		rig_descriptor(rig, SEL_A, 0, 0x1234, 0x80 | type);
		ck_assert_msg(LSL(SEL_A, 0) == (lsl >> type & 1), "lsl %u", type);
	}
}
END_TEST

START_TEST(lsl_gives_bytes)
{
	rig_descriptor(rig, SEL_A, 0, 0xfedcb, 0xc093);
	ck_assert(LSL(SEL_A, 0));
	ck_assert_uint_eq(eax(), 0xfedcbfff);
	rig_descriptor(rig, SEL_A, 0, 0xfedcb, 0x4093);
	again();
	rig_descriptor(rig, SEL_A, 0, 0xfedcb, 0x4093);
	ck_assert(LSL(SEL_A, 0));
	ck_assert_uint_eq(eax(), 0xfedcb);
}
END_TEST

START_TEST(verr_and_verw)
{
	static const struct {
		uint16_t access;
		uint8_t rpl, cpl, verr, verw;
	} cases[] = {
		{ 0x93, 0, 0, 1, 1 }, { 0x91, 0, 0, 1, 0 }, { 0x9b, 0, 0, 1, 0 }, { 0x99, 0, 0, 0, 0 },
		{ 0x93, 3, 0, 0, 0 }, { 0x93, 0, 3, 0, 0 }, { 0xf3, 3, 3, 1, 1 },
		{ 0x9f, 3, 3, 1, 0 }, { 0x9d, 3, 3, 0, 0 }, { ACC_TSS32, 0, 0, 0, 0 }, { ACC_LDT, 0, 0, 0, 0 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		again();
		rig_descriptor(rig, SEL_A, 0, 0xfffff, cases[i].access);
		ck_assert_msg(VERR(SEL_A | cases[i].rpl, cases[i].cpl) == cases[i].verr, "verr %zu", i);
		again();
		rig_descriptor(rig, SEL_A, 0, 0xfffff, cases[i].access);
		ck_assert_msg(VERW(SEL_A | cases[i].rpl, cases[i].cpl) == cases[i].verw, "verw %zu", i);
	}
	again();
	ck_assert(!VERR(0, 0) && !VERW(0xff8, 0));
}
END_TEST

START_TEST(arpl_raises_rpl)
{
	rig->ctx->gpr[CTX_RCX].e = 0x11;
	rig->ctx->gpr[CTX_RDX].e = 3;
	CODE(rig, 0x63, 0xd1, 0xf4); /* arpl cx,dx */
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert(zf());
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RCX].e, 0x13);
	rig->ctx->rip = RIG_CODE;
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert(!zf());
}
END_TEST

/* --- system registers -------------------------------------------------------------------- */

static unsigned system_load(uint8_t modrm, uint16_t selector)
{
	rig->ctx->rip = RIG_CODE;
	rig->ctx->gpr[CTX_RAX].e = selector;
	CODE_AT(rig, RIG_CODE, 0x0f, 0x00, modrm, 0xf4);
	return rig_run(rig);
}

START_TEST(lldt_checks)
{
	ck_assert_uint_eq(system_load(0xd0, 0), RIG_HALTED);
	ck_assert(rig->ctx->seg[CTX_LDTR].access & CTX_SEG_UNUSABLE);
	ck_assert_uint_eq(system_load(0xd0, SEL_LDT), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->seg[CTX_LDTR].base, RIG_LDT);
	ck_assert_uint_eq(system_load(0xd0, SEL_DATA0), 13);
	ck_assert_uint_eq(rig_frame32(rig, 0), SEL_DATA0);
	again();
	ck_assert_uint_eq(system_load(0xd0, SEL_LOCAL_A), 13);
	again();
	rig_descriptor(rig, SEL_A, 0, 0xff, 0x02);
	ck_assert_uint_eq(system_load(0xd0, SEL_A), 11);
	ck_assert_uint_eq(rig_frame32(rig, 0), SEL_A);
}
END_TEST

START_TEST(ltr_checks_and_sets_busy)
{
	ck_assert_uint_eq(system_load(0xd8, SEL_TSS2), RIG_HALTED);
	ck_assert_uint_eq(rig_access(rig, SEL_TSS2), 0x8b);
	ck_assert_uint_eq(rig->ctx->seg[CTX_TR].selector, SEL_TSS2);
	ck_assert_uint_eq(rig->ctx->seg[CTX_TR].access & 15, 11);
	ck_assert_uint_eq(system_load(0xd8, SEL_TSS2), 13); /* busy */
	ck_assert_uint_eq(rig_frame32(rig, 0), SEL_TSS2);
	again();
	ck_assert_uint_eq(system_load(0xd8, 0), 13);
	ck_assert_uint_eq(rig_frame32(rig, 0), 0);
	again();
	rig_descriptor(rig, SEL_A, 0, 0x67, 0x09);
	ck_assert_uint_eq(system_load(0xd8, SEL_A), 11);
	again();
	rig_descriptor(rig, SEL_A, RIG_TSS2, 0x2b, ACC_TSS16);
	ck_assert_uint_eq(system_load(0xd8, SEL_A), RIG_HALTED);
	ck_assert_uint_eq(rig_access(rig, SEL_A), 0x83);
}
END_TEST

START_TEST(str_and_sldt)
{
	rig->ctx->gpr[CTX_RCX].e = 0xffffffff;
	CODE(rig, 0x0f, 0x00, 0xc8, 0x0f, 0x00, 0xc1, 0x0f, 0x00, 0x0d, D(RIG_DATA), 0xf4); /* str eax; sldt ecx; str [] */
	rig_set(rig, RIG_DATA, 4, 0xffffffff);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(eax(), SEL_TSS);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RCX].e, SEL_LDT);
	ck_assert_uint_eq(rig_get(rig, RIG_DATA, 4), 0xffff0000 | SEL_TSS);
}
END_TEST

START_TEST(lgdt_and_sgdt_by_operand_size)
{
	rig_set(rig, RIG_DATA, 2, 0x1ff);
	rig_set(rig, RIG_DATA + 2, 4, 0x12345678);
	CODE(rig, 0x66, 0x0f, 0x01, 0x15, D(RIG_DATA),      /* lgdt, 24 bits of base */
	     0x0f, 0x01, 0x05, D(RIG_DATA + 0x10),          /* sgdt */
	     0x0f, 0x01, 0x15, D(RIG_DATA),                 /* lgdt, 32 bits */
	     0x0f, 0x01, 0x05, D(RIG_DATA + 0x20), 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig_get(rig, RIG_DATA + 0x10, 2), 0x1ff);
	ck_assert_uint_eq(rig_get(rig, RIG_DATA + 0x12, 4), 0x00345678);
	ck_assert_uint_eq(rig_get(rig, RIG_DATA + 0x22, 4), 0x12345678);
}
END_TEST

START_TEST(lmsw_sets_pe_but_never_clears_it)
{
	CODE(rig, 0x0f, 0x01, 0xf0, 0x0f, 0x01, 0xe1, 0xf4); /* lmsw ax; smsw ecx */
	rig->ctx->gpr[CTX_RAX].e = 0xfffe;
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->cr0, CTX_CR0_ET | 0xf);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RCX].e, CTX_CR0_ET | 0xf);
	rig->ctx->rip = RIG_CODE;
	rig->ctx->gpr[CTX_RAX].e = 0;
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->cr0, CTX_CR0_ET | CTX_CR0_PE);
}
END_TEST

START_TEST(smsw_works_in_ring_3)
{
	rig_ring3(rig);
	CODE(rig, 0x0f, 0x01, 0x25, D(RIG_DATA), 0xcd, 0x80);
	rig_set(rig, RIG_DATA, 4, 0xffffffff);
	ck_assert_uint_eq(rig_run(rig), 0x80);
	ck_assert_uint_eq(rig_get(rig, RIG_DATA, 4), 0xffff0011);
}
END_TEST

START_TEST(leaving_protected_mode_keeps_hidden_parts_until_loads)
{
	/* From 16-bit code: clear PE, far jump to 0000:, DS still reaches 4 GiB. */
	rig_load(rig, CTX_CS, SEL_CODE16);
	CODE_AT(rig, 0x7000, 0x0f, 0x20, 0xc0, 0x24, 0xfe, 0x0f, 0x22, 0xc0, 0xea, W(0x7100), W(0));
	CODE_AT(rig, 0x7100, 0x67, 0x8a, 0x1d, D(0x345678), 0xf4);
	rig_set(rig, 0x345678, 1, 0x3c);
	rig->ctx->rip = 0x7000;
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RBX].l, 0x3c);
	ck_assert_uint_eq(rig->ctx->seg[CTX_CS].selector, 0);
	ck_assert(ctx_is_real(rig->ctx));
}
END_TEST

Suite *suite_emu_segments(void);
Suite *suite_emu_segments(void)
{
	return RIG_SUITE("emu_segments", start, stop, data_load_by_type_dpl_rpl, stack_load_wants_cpl_everywhere,
	                 null_selectors, selectors_outside_the_tables, ldt_selectors,
	                 failed_load_sets_no_accessed_bit_and_keeps_the_register, pop_and_lds_fail_without_a_trace,
	                 push_and_pop_of_segments_move_esp_by_the_operand, limit_in_bytes, limit_in_pages, expand_down,
	                 wrap_of_a_flat_segment_at_4g_is_gp, stack_limit_is_ss_with_code_0, writes_by_type,
	                 read_modify_write_of_read_only_data_faults_before_it_reads, code_limit,
	                 sixteen_bit_stack_in_32_bit_code, lar_gives_rights, lar_and_lsl_by_system_type, lsl_gives_bytes,
	                 verr_and_verw, arpl_raises_rpl, lldt_checks, ltr_checks_and_sets_busy, str_and_sldt,
	                 lgdt_and_sgdt_by_operand_size, lmsw_sets_pe_but_never_clears_it, smsw_works_in_ring_3,
	                 leaving_protected_mode_keeps_hidden_parts_until_loads);
}
