/* Paging: walks, rights, A and D bits, error codes, and what a fault leaves alone. */
#include <string.h>

#include "tests/unit/emu_rig.h"

static struct rig *rig;

/* A page for experiments and the one behind it. */
#define PAGE (RIG_DATA + 0x4000u)
#define NEXT (PAGE + 0x1000u)

enum { PF_P = 1, PF_W = 2, PF_U = 4, PF_R = 8 };

static void start(void)
{
	rig = rig_new_protected(EMU_CPU_P6);
	rig_paging(rig);
}

static void stop(void) { rig_free(rig); }
static void again(void) { stop(); start(); }

static uint32_t reg(enum ctx_gpr n) { return rig->ctx->gpr[n].e; }
static void set_reg(enum ctx_gpr n, uint32_t value) { rig->ctx->gpr[n].e = value; }
static uint32_t pte(uint32_t linear) { return rig_get(rig, rig_pte(linear), 4); }
static uint32_t pde(uint32_t linear) { return rig_get(rig, RIG_PAGES + (linear >> 22) * 4, 4); }
static void set_pde(uint32_t linear, uint32_t entry) { rig_set(rig, RIG_PAGES + (linear >> 22) * 4, 4, entry); }

static void ck_page_fault(uint32_t error, uint32_t address, uint32_t eip)
{
	ck_fault(rig, 14, error, eip);
	ck_assert_uint_eq(rig->ctx->cr2, address);
}

/* --- rights ----------------------------------------------------------------------------- */

START_TEST(rights_by_ring_and_wp)
{
	static const struct {
		uint8_t pte, cpl, wp, write;
		int error; /* -1: none */
	} cases[] = {
		{ PTE_P | PTE_W | PTE_U, 3, 0, 1, -1 }, { PTE_P | PTE_U, 3, 0, 0, -1 },
		{ PTE_P | PTE_U, 3, 0, 1, PF_P | PF_W | PF_U }, { PTE_P | PTE_W, 3, 0, 0, PF_P | PF_U },
		{ PTE_P | PTE_W, 3, 0, 1, PF_P | PF_U | PF_W }, { PTE_W | PTE_U, 3, 0, 1, PF_U | PF_W },
		{ 0, 3, 0, 0, PF_U }, { 0, 0, 0, 0, 0 }, { 0, 0, 0, 1, PF_W },
		{ PTE_P, 0, 0, 1, -1 }, { PTE_P, 0, 1, 1, PF_P | PF_W }, { PTE_P, 0, 1, 0, -1 },
		{ PTE_P | PTE_U, 0, 1, 1, PF_P | PF_W }, { PTE_P | PTE_W, 0, 1, 1, -1 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		again();
		if (cases[i].cpl)
			rig_ring3(rig);
		if (cases[i].wp)
			rig->ctx->cr0 |= CTX_CR0_WP;
		rig_map(rig, PAGE, PAGE | cases[i].pte);
		CODE(rig, cases[i].write ? 0xa3 : 0xa1, D(PAGE + 0x123), 0xcd, 0x80);
		unsigned vector = rig_run(rig);
		ck_assert_msg(vector == (cases[i].error < 0 ? 0x80 : 14), "case %zu gave %x", i, vector);
		if (vector == 14) {
			ck_assert_uint_eq(rig_frame32(rig, 0), cases[i].error);
			ck_assert_uint_eq(rig->ctx->cr2, PAGE + 0x123);
		}
	}
}
END_TEST

START_TEST(both_levels_count)
{
	rig_ring3(rig);
	rig_set(rig, RIG_PAGES + 4, 4, (RIG_PAGES + 0x2000) | PTE_P | PTE_W); /* 400000: supervisor */
	CODE(rig, 0xa1, D(0x400000));
	ck_page_fault(PF_P | PF_U, 0x400000, RIG_CODE);
	again();
	rig_ring3(rig);
	rig_set(rig, RIG_PAGES + 4, 4, (RIG_PAGES + 0x2000) | PTE_P | PTE_U);
	CODE(rig, 0xa1, D(0x400000), 0xa3, D(0x400000));
	ck_page_fault(PF_P | PF_U | PF_W, 0x400000, RIG_CODE + 5);
	again();
	rig_set(rig, RIG_PAGES + 4, 4, 0);
	CODE(rig, 0xa1, D(0x400000));
	ck_page_fault(0, 0x400000, RIG_CODE);
}
END_TEST

START_TEST(the_386_has_no_wp)
{
	stop();
	rig = rig_new_protected(EMU_CPU_386);
	rig_paging(rig);
	rig->ctx->cr0 |= CTX_CR0_WP;
	rig_map(rig, PAGE, PAGE | PTE_P);
	CODE(rig, 0xa3, D(PAGE), 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
}
END_TEST

START_TEST(setting_wp_takes_a_right_away)
{
	rig_map(rig, PAGE, PAGE | PTE_P);
	CODE(rig, 0xa3, D(PAGE), 0x0f, 0x20, 0xc0, 0x0d, D(CTX_CR0_WP), 0x0f, 0x22, 0xc0, 0xa3, D(PAGE));
	ck_page_fault(PF_P | PF_W, PAGE, RIG_CODE + 16);
}
END_TEST

START_TEST(tables_are_read_with_supervisor_rights)
{
	rig_ring3(rig);
	rig_map(rig, RIG_GDT, RIG_GDT | PTE_P | PTE_W);
	CODE(rig, 0xb8, D(SEL_DATA3), 0x8e, 0xd8, 0xcd, 0x80); /* mov ds */
	ck_assert_uint_eq(rig_run(rig), 0x80);
	again();
	rig_ring3(rig);
	rig_load(rig, CTX_LDTR, SEL_LDT);
	rig->ctx->seg[CTX_LDTR].base = PAGE;
	rig_map(rig, PAGE, 0);
	CODE(rig, 0xb8, D(SEL_LOCAL_B | 3), 0x8e, 0xd8);
	ck_page_fault(0, PAGE + 8, RIG_CODE + 5); /* no U: the CPU's own access */
}
END_TEST

/* --- A and D --------------------------------------------------------------------------------- */

START_TEST(accessed_and_dirty)
{
	CODE(rig, 0xa1, D(PAGE), 0x90, 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(pte(PAGE) & (PTE_A | PTE_D), PTE_A);
	ck_assert_uint_eq(pde(PAGE) & (PTE_A | PTE_D), PTE_A);
	ck_assert_uint_eq(pte(NEXT) & (PTE_A | PTE_D), 0);
	ck_assert_uint_eq(pte(RIG_CODE) & (PTE_A | PTE_D), PTE_A);
	CODE_AT(rig, RIG_CODE, 0xa3, D(PAGE), 0xf4); /* now a write: D, although the page is known */
	rig->ctx->rip = RIG_CODE;
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(pte(PAGE) & (PTE_A | PTE_D), PTE_A | PTE_D);
	ck_assert_uint_eq(pde(PAGE) & PTE_D, 0);
}
END_TEST

START_TEST(refused_access_sets_no_bits)
{
	rig_ring3(rig);
	rig_map(rig, PAGE, PAGE | PTE_P);
	CODE(rig, 0xa1, D(PAGE));
	ck_page_fault(PF_P | PF_U, PAGE, RIG_CODE);
	ck_assert_uint_eq(pte(PAGE), PAGE | PTE_P);
}
END_TEST

START_TEST(only_the_first_page_of_a_refused_pair_is_accessed)
{
	rig_map(rig, NEXT, 0);
	CODE(rig, 0xa1, D(NEXT - 2));
	ck_page_fault(0, NEXT, RIG_CODE);
	ck_assert_uint_eq(pte(PAGE) & PTE_D, 0);
}
END_TEST

/* --- large pages -------------------------------------------------------------------------------- */

#define LARGE 0x40000000u

START_TEST(four_megabyte_pages)
{
	rig->ctx->cr4 = CTX_CR4_PSE;
	set_pde(LARGE, 0x400000 | PTE_P | PTE_W | PTE_PS);
	rig_set(rig, 0x523456, 4, 0xfeedface);
	CODE(rig, 0xa1, D(LARGE + 0x123456), 0xa3, D(LARGE + 0x3ffffc), 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig_get(rig, 0x7ffffc, 4), 0xfeedface);
	ck_assert_uint_eq(pde(LARGE) & (PTE_A | PTE_D), PTE_A | PTE_D);
}
END_TEST

START_TEST(ps_is_ignored_without_pse)
{
	set_pde(LARGE, (RIG_PAGES + 0x8000) | PTE_P | PTE_W | PTE_PS);
	rig_set(rig, RIG_PAGES + 0x8000, 4, PAGE | PTE_P);
	rig_set(rig, PAGE, 4, 4711);
	CODE(rig, 0xa1, D(LARGE), 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(reg(CTX_RAX), 4711);
}
END_TEST

START_TEST(pse36_reaches_past_4g)
{
	rig->ctx->cr4 = CTX_CR4_PSE;
	set_pde(LARGE, 0x400000 | 1 << 13 | PTE_P | PTE_W | PTE_PS);
	CODE(rig, 0xa1, D(LARGE), 0xa3, D(LARGE), 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(reg(CTX_RAX), 0xffffffff); /* nothing there */
	ck_assert_uint_eq(rig_get(rig, 0x400000, 4), 0);
}
END_TEST

START_TEST(reserved_bits_of_large_pages)
{
	rig->ctx->cr4 = CTX_CR4_PSE;
	set_pde(LARGE, 0x400000 | 1 << 21 | PTE_P | PTE_W | PTE_PS);
	CODE(rig, 0xa1, D(LARGE));
	ck_page_fault(PF_P | PF_R, LARGE, RIG_CODE);
	stop();
	rig = rig_new_protected(EMU_CPU_PENTIUM); /* no PSE-36 */
	rig_paging(rig);
	rig->ctx->cr4 = CTX_CR4_PSE;
	set_pde(LARGE, 0x400000 | 1 << 13 | PTE_P | PTE_W | PTE_PS);
	CODE(rig, 0xa3, D(LARGE));
	ck_page_fault(PF_P | PF_R | PF_W, LARGE, RIG_CODE);
}
END_TEST

/* --- the TLB ------------------------------------------------------------------------------------- */

/* Reads PAGE, points its entry at NEXT, does `flush`, reads again. */
static uint32_t remap_with(const uint8_t *flush, size_t size)
{
	rig_set(rig, PAGE, 4, 1);
	rig_set(rig, NEXT, 4, 2);
	CODE(rig, 0xa1, D(PAGE), 0xc7, 0x05, D(rig_pte(PAGE)), D(NEXT | PTE_P | PTE_W));
	rig_put(rig, rig->at, flush, size);
	CODE(rig, 0x8b, 0x1d, D(PAGE), 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(reg(CTX_RAX), 1);
	return reg(CTX_RBX);
}

START_TEST(invlpg_and_cr3_forget)
{
	static const uint8_t invlpg[] = { 0x0f, 0x01, 0x3d, D(PAGE + 0x555) };
	static const uint8_t cr3[] = { 0x0f, 0x20, 0xd9, 0x0f, 0x22, 0xd9 }; /* by ecx */
	ck_assert_uint_eq(remap_with(invlpg, sizeof invlpg), 2);
	again();
	ck_assert_uint_eq(remap_with(cr3, sizeof cr3), 2);
}
END_TEST

/* A handler may map the page elsewhere, without INVLPG, and go on behind the write. */
START_TEST(page_fault_forgets)
{
	rig_set(rig, PAGE, 4, 1);
	rig_set(rig, NEXT, 4, 2);
	rig_map(rig, PAGE, PAGE | PTE_P);
	rig->ctx->cr0 |= CTX_CR0_WP;
	CODE(rig, 0xa1, D(PAGE), 0xc7, 0x05, D(PAGE), D(9), 0x8b, 0x1d, D(PAGE), 0xf4);
	CODE_AT(rig, rig_handler(14), 0xc7, 0x05, D(rig_pte(PAGE)), D(NEXT | PTE_P), 0xeb, 0x14);
	CODE_AT(rig, rig_handler(14) + 0x20, 0x83, 0xc4, 0x04, 0x83, 0x04, 0x24, 0x0a, 0xcf); /* add esp,4; add [esp],10; iret */
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(reg(CTX_RAX), 1);
	ck_assert_uint_eq(reg(CTX_RBX), 2);
}
END_TEST

/* What another engine has cached stays valid as long as nothing is invalidated. */
START_TEST(invalidation_is_told)
{
	const struct {
		uint8_t code[16];
		unsigned size, kept;
	} cases[] = {
		{ { 0x90 }, 1, 1 },
		{ { 0xa1, D(PAGE), 0xa3, D(rig_pte(NEXT)) }, 10, 1 },
		{ { 0x0f, 0x01, 0x3d, D(NEXT) }, 7, 0 },
		{ { 0x0f, 0x20, 0xd8, 0x0f, 0x22, 0xd8 }, 6, 0 },                   /* mov eax,cr3; mov cr3,eax */
		{ { 0x0f, 0x20, 0xc0, 0x0f, 0x22, 0xc0 }, 6, 1 },                   /* CR0 as it was */
		{ { 0x0f, 0x20, 0xc0, 0x35, D(CTX_CR0_WP), 0x0f, 0x22, 0xc0 }, 11, 0 },
		{ { 0x0f, 0x20, 0xe0, 0x35, D(CTX_CR4_PGE), 0x0f, 0x22, 0xe0 }, 11, 0 },
		{ { 0x66, 0xb8, 0, 0, 0x8e, 0xd8 }, 6, 1 },                         /* ds = 0 */
	};
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		again();
		rig->ctx->tlb_kept = 1;
		rig_put(rig, rig->at, cases[i].code, cases[i].size);
		CODE(rig, 0xf4);
		ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
		ck_assert_msg(rig->ctx->tlb_kept == cases[i].kept, "case %u", i);
	}
	again();
	rig->ctx->tlb_kept = 1;
	rig_map(rig, NEXT, 0);
	CODE(rig, 0xa1, D(NEXT));
	ck_assert_uint_eq(rig_run(rig), 14);
	ck_assert_uint_eq(rig->ctx->tlb_kept, 0);
}
END_TEST

START_TEST(not_present_is_not_cached)
{
	/* Demand paging: the handler maps the page and returns. */
	rig_map(rig, PAGE, 0);
	rig_set(rig, PAGE, 4, 77);
	CODE(rig, 0xa1, D(PAGE), 0xf4);
	CODE_AT(rig, rig_handler(14), 0xc7, 0x05, D(rig_pte(PAGE)), D(PAGE | PTE_P), 0xeb, 0x14);
	CODE_AT(rig, rig_handler(14) + 0x20, 0x83, 0xc4, 0x04, 0xcf); /* add esp,4; iret */
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(reg(CTX_RAX), 77);
}
END_TEST

START_TEST(code_page_is_remapped)
{
	CODE_AT(rig, PAGE, 0x40, 0xc3);            /* inc eax */
	CODE_AT(rig, NEXT, 0x83, 0xc0, 0x10, 0xc3); /* add eax,10h */
	CODE_AT(rig, RIG_CODE, 0xba, D(PAGE), 0xff, 0xd2, 0xc7, 0x05, D(rig_pte(PAGE)), D(NEXT | PTE_P | PTE_W),
	        0x0f, 0x01, 0x3d, D(PAGE), 0xff, 0xd2, 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(reg(CTX_RAX), 0x11);
}
END_TEST

START_TEST(second_half_of_an_instruction_is_remapped)
{
	CODE_AT(rig, NEXT - 2, 0xb8, 0x11, 0x22, 0x33, 0x44, 0xc3); /* mov eax,44332211 */
	CODE_AT(rig, NEXT + 0x1000, 0x88, 0x77, 0x66, 0xc3);
	CODE_AT(rig, RIG_CODE, 0xba, D(NEXT - 2), 0xff, 0xd2, 0x89, 0xc3,
	        0xc7, 0x05, D(rig_pte(NEXT)), D((NEXT + 0x1000) | PTE_P | PTE_W), 0x0f, 0x01, 0x3d, D(NEXT), 0xff, 0xd2, 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(reg(CTX_RBX), 0x44332211);
	ck_assert_uint_eq(reg(CTX_RAX), 0x66778811);
}
END_TEST

START_TEST(code_written_through_an_alias)
{
	rig_map(rig, NEXT, PAGE | PTE_P | PTE_W);
	CODE_AT(rig, PAGE, 0x40, 0xc3);
	CODE_AT(rig, RIG_CODE, 0xba, D(PAGE), 0xff, 0xd2, 0xc6, 0x05, D(NEXT), 0x48, 0xff, 0xd2, 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(reg(CTX_RAX), 0);
}
END_TEST

START_TEST(ring_3_may_not_run_what_ring_0_has_run)
{
	static const uint32_t frame[] = { PAGE, SEL_CODE3, 2, RIG_STACK3, SEL_DATA3 };
	rig_map(rig, PAGE, PAGE | PTE_P | PTE_W);
	CODE_AT(rig, PAGE, 0x40, 0xc3);
	CODE_AT(rig, RIG_CODE, 0xba, D(PAGE), 0xff, 0xd2, 0xff, 0xd2, 0xbc, D(RIG_STACK3 - 0x100), 0xcf); /* call, call, mov esp; iret */
	for (unsigned i = 0; i < 5; i++)
		rig_set(rig, RIG_STACK3 - 0x100 + 4 * i, 4, frame[i]);
	ck_page_fault(PF_P | PF_U, PAGE, PAGE);
	ck_assert_uint_eq(reg(CTX_RAX), 2);
}
END_TEST

/* --- code and page ends ------------------------------------------------------------------------------ */

START_TEST(fetch_faults)
{
	rig_map(rig, NEXT, 0);
	CODE_AT(rig, NEXT - 3, 0x40, 0x40, 0x40); /* runs into the missing page */
	rig->ctx->rip = NEXT - 3;
	ck_page_fault(0, NEXT, NEXT);
	ck_assert_uint_eq(reg(CTX_RAX), 3);
	again();
	rig_ring3(rig);
	rig_map(rig, NEXT, 0);
	CODE_AT(rig, NEXT - 3, 0x40, 0xb8, 0x00); /* an instruction across the end */
	rig->ctx->rip = NEXT - 3;
	ck_page_fault(PF_U, NEXT, NEXT - 2);
	ck_assert_uint_eq(reg(CTX_RAX), 1);
	again();
	rig_ring3(rig);
	rig_map(rig, NEXT, 0);
	CODE_AT(rig, NEXT - 2, 0xcd, 0x80); /* ends at the page end: fine */
	rig->ctx->rip = NEXT - 2;
	ck_event(rig, 0x80, NEXT);
}
END_TEST

START_TEST(page_that_goes_away_after_it_ran)
{
	CODE_AT(rig, NEXT - 2, 0xb8, 0x11, 0x22, 0x33, 0x44, 0xc3);
	CODE_AT(rig, RIG_CODE, 0xba, D(NEXT - 2), 0xff, 0xd2, 0xc7, 0x05, D(rig_pte(NEXT)), D(0),
	        0x0f, 0x01, 0x3d, D(NEXT), 0xff, 0xd2);
	ck_page_fault(0, NEXT, NEXT - 2);
}
END_TEST

/* --- what a fault leaves alone ------------------------------------------------------------------------ */

/* Each runs in ring 3 with ESP 8 bytes above a page end whose lower page is missing, EBP and
 * the string registers set up; it must fault with everything as before. */
START_TEST(faults_leave_registers_alone)
{
	static const struct {
		uint8_t code[8];
		uint32_t error, address;
	} cases[] = {
		{ { 0x60 }, PF_U | PF_W, PAGE - 4 },                        /* pusha */
		{ { 0xc8, W(0x10), 0 }, PF_U | PF_W, PAGE - 0x0c },         /* enter 16,0: the new top is checked */
		{ { 0xc8, W(0), 3 }, PF_U | PF_W, PAGE - 4 },               /* enter 0,3 */
		{ { 0xff, 0x33 }, PF_U, PAGE - 0x800 },                     /* push [ebx] */
		{ { 0x8f, 0x03 }, PF_U | PF_W, PAGE - 0x800 },              /* pop [ebx] */
		{ { 0x0f, 0xc7, 0x0e }, PF_U | PF_W, PAGE - 4 },            /* cmpxchg8b [esi] */
		{ { 0x87, 0x0e }, PF_U | PF_W, PAGE - 4 },                  /* xchg [esi],ecx */
		{ { 0x0f, 0xc1, 0x0e }, PF_U | PF_W, PAGE - 4 },            /* xadd [esi],ecx */
		{ { 0xa5 }, PF_U, PAGE - 4 },                               /* movs */
		{ { 0xa7 }, PF_U, PAGE - 4 },                               /* cmps */
		{ { 0xc5, 0x06 }, PF_U, PAGE - 4 },                         /* lds eax,[esi] */
		{ { 0xff, 0x2e }, PF_U, PAGE - 4 },                         /* jmp far [esi] */
		{ { 0x62, 0x06 }, PF_U, PAGE - 4 },                         /* bound eax,[esi] */
		{ { 0xff, 0x06 }, PF_U | PF_W, PAGE - 4 },                  /* inc [esi] */
		{ { 0xd1, 0x26 }, PF_U | PF_W, PAGE - 4 },                  /* shl [esi],1 */
		{ { 0x0f, 0xa3, 0x16 }, PF_U, PAGE - 4 },                   /* bt [esi],edx */
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		again();
		rig_ring3(rig);
		rig_map(rig, PAGE - 0x1000, 0);
		set_reg(CTX_RSP, PAGE + 8);
		set_reg(CTX_RBP, NEXT - 0x10);
		set_reg(CTX_RBX, PAGE - 0x800);
		set_reg(CTX_RSI, PAGE - 4);
		set_reg(CTX_RDI, PAGE + 0x100);
		set_reg(CTX_RCX, 0x1234);
		set_reg(CTX_RDX, 0);
		union ctx_reg before[8];
		memcpy(before, rig->ctx->gpr, sizeof before);
		rig_put(rig, RIG_CODE, cases[i].code, sizeof cases[i].code);
		ck_assert_msg(rig_run(rig) == 14, "case %zu", i);
		ck_assert_msg(rig_frame32(rig, 0) == cases[i].error, "case %zu: error %x", i, rig_frame32(rig, 0));
		ck_assert_msg(rig->ctx->cr2 == cases[i].address, "case %zu: cr2 %x", i, (uint32_t)rig->ctx->cr2);
		ck_assert_uint_eq(rig_frame32(rig, 1), RIG_CODE);
		ck_assert_uint_eq(rig_frame32(rig, 4), PAGE + 8);
		ck_assert_uint_eq(rig_frame32(rig, 3), 0x10002);
		before[CTX_RSP].e = reg(CTX_RSP);
		ck_assert_msg(!memcmp(before, rig->ctx->gpr, sizeof before), "case %zu", i);
	}
}
END_TEST

START_TEST(far_call_that_cannot_push)
{
	rig_ring3(rig);
	rig_map(rig, PAGE - 0x1000, 0);
	set_reg(CTX_RSP, PAGE + 4);
	CODE(rig, 0x9a, D(RIG_CODE + 0x100), W(SEL_CODE3));
	ck_page_fault(PF_U | PF_W, PAGE - 4, RIG_CODE);
	ck_assert_uint_eq(rig_frame32(rig, 4), PAGE + 4);
	ck_assert_uint_eq(rig_frame32(rig, 2), SEL_CODE3);
}
END_TEST

START_TEST(access_across_pages_is_all_or_nothing)
{
	rig_map(rig, NEXT, NEXT | PTE_P); /* read-only */
	rig->ctx->cr0 |= CTX_CR0_WP;
	set_reg(CTX_RAX, 0x12345678);
	CODE(rig, 0xa3, D(NEXT - 2));
	ck_page_fault(PF_P | PF_W, NEXT, RIG_CODE);
	ck_assert_uint_eq(rig_get(rig, NEXT - 2, 2), 0);
	again();
	rig_map(rig, PAGE, 0);
	rig_map(rig, NEXT, 0);
	CODE(rig, 0xa1, D(NEXT - 2));
	ck_page_fault(0, NEXT - 2, RIG_CODE);
}
END_TEST

START_TEST(access_across_pages_that_lie_apart)
{
	rig_map(rig, NEXT, (NEXT + 0x3000) | PTE_P | PTE_W);
	set_reg(CTX_RAX, 0x12345678);
	CODE(rig, 0xa3, D(NEXT - 2), 0xff, 0x05, D(NEXT - 2), 0x8b, 0x1d, D(NEXT - 2), 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(rig_get(rig, NEXT - 2, 2), 0x5679);
	ck_assert_uint_eq(rig_get(rig, NEXT + 0x3000, 2), 0x1234);
	ck_assert_uint_eq(reg(CTX_RBX), 0x12345679);
}
END_TEST

START_TEST(strings_stop_where_the_page_is_missing)
{
	rig_map(rig, NEXT, 0);
	memset(rig->ram + RIG_DATA, 0x5a, 0x100);
	set_reg(CTX_RSI, RIG_DATA);
	set_reg(CTX_RDI, NEXT - 0x21);
	set_reg(CTX_RCX, 0x20);
	CODE(rig, 0xf3, 0xa5); /* rep movsd */
	ck_page_fault(PF_W, NEXT, RIG_CODE);
	ck_assert_uint_eq(reg(CTX_RCX), 0x18);
	ck_assert_uint_eq(reg(CTX_RSI), RIG_DATA + 0x20);
	ck_assert_uint_eq(reg(CTX_RDI), NEXT - 1);
	ck_assert_uint_eq(rig_get(rig, NEXT - 1, 1), 0);
	ck_assert_uint_eq(rig_get(rig, NEXT - 2, 1), 0x5a);
}
END_TEST

START_TEST(cmpxchg8b_writes_even_when_different)
{
	rig_map(rig, PAGE, PAGE | PTE_P);
	rig->ctx->cr0 |= CTX_CR0_WP;
	rig_set(rig, PAGE, 4, 5);
	CODE(rig, 0x0f, 0xc7, 0x0d, D(PAGE));
	ck_page_fault(PF_P | PF_W, PAGE, RIG_CODE);
}
END_TEST

Suite *suite_emu_paging(void);
Suite *suite_emu_paging(void)
{
	return RIG_SUITE("emu_paging", start, stop, rights_by_ring_and_wp, both_levels_count, the_386_has_no_wp,
	                 setting_wp_takes_a_right_away, tables_are_read_with_supervisor_rights, accessed_and_dirty,
	                 refused_access_sets_no_bits, only_the_first_page_of_a_refused_pair_is_accessed,
	                 four_megabyte_pages, ps_is_ignored_without_pse, pse36_reaches_past_4g, reserved_bits_of_large_pages,
	                 invlpg_and_cr3_forget, page_fault_forgets, invalidation_is_told, not_present_is_not_cached, code_page_is_remapped,
	                 second_half_of_an_instruction_is_remapped, code_written_through_an_alias,
	                 ring_3_may_not_run_what_ring_0_has_run, fetch_faults, page_that_goes_away_after_it_ran,
	                 faults_leave_registers_alone, far_call_that_cannot_push, access_across_pages_is_all_or_nothing,
	                 access_across_pages_that_lie_apart, strings_stop_where_the_page_is_missing,
	                 cmpxchg8b_writes_even_when_different);
}
