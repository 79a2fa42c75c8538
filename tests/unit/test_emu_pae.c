/* Paging by PAE's tables: walks, reserved bits, and the four entries that CR3 loads. */
#include "tests/unit/emu_rig.h"

static struct rig *rig;

/* A page for experiments and the one behind it. */
#define PAGE (RIG_DATA + 0x4000u)
#define NEXT (PAGE + 0x1000u)

enum { PF_P = 1, PF_R = 8 };

static void start(void)
{
	rig = rig_new_protected(EMU_CPU_P6);
	rig_paging(rig);
}

static void stop(void) { rig_free(rig); }
static void again(void) { stop(); start(); }

static uint32_t reg(enum ctx_gpr n) { return rig->ctx->gpr[n].e; }

static void ck_page_fault(uint32_t error, uint32_t address, uint32_t eip)
{
	ck_fault(rig, 14, error, eip);
	ck_assert_uint_eq(rig->ctx->cr2, address);
}

enum { PDPT = 0x110020, PAE_PD = 0x112000, PAE_PT = 0x113000 };

static void set64(uint32_t at, uint64_t value)
{
	rig_set(rig, at, 4, (uint32_t)value);
	rig_set(rig, at + 4, 4, (uint32_t)(value >> 32));
}

/* 0-2 MiB by 4 KiB pages, 2-4 MiB as a large page, the rest is missing. */
static void pae(void)
{
	rig->ctx->cr0 &= ~(uint64_t)CTX_CR0_PG;
	set64(PDPT, PAE_PD | PTE_P);
	for (unsigned i = 1; i < 4; i++)
		set64(PDPT + 8 * i, 0);
	set64(PAE_PD, PAE_PT | PTE_P | PTE_W | PTE_U);
	set64(PAE_PD + 8, 0x200000 | PTE_P | PTE_W | PTE_U | PTE_PS);
	for (uint32_t i = 0; i < 512; i++)
		set64(PAE_PT + 8 * i, i << 12 | PTE_P | PTE_W | PTE_U);
	/* mov cr4,20; mov cr3,PDPT; mov cr0,PG|PE */
	CODE_AT(rig, RIG_CODE, 0xb8, D(CTX_CR4_PAE), 0x0f, 0x22, 0xe0, 0xb8, D(PDPT), 0x0f, 0x22, 0xd8,
	        0xb8, D(0x80000011), 0x0f, 0x22, 0xc0);
}

START_TEST(pae_walks)
{
	pae();
	set64(PAE_PT + 8 * (PAGE >> 12), NEXT | PTE_P | PTE_W);
	rig_set(rig, NEXT, 4, 0x600d);
	rig_set(rig, 0x345678, 4, 0x2222);
	CODE(rig, 0xa1, D(PAGE), 0x8b, 0x1d, D(0x345678), 0xa3, D(0x345670), 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(reg(CTX_RAX), 0x600d);
	ck_assert_uint_eq(reg(CTX_RBX), 0x2222);
	ck_assert_uint_eq(rig_get(rig, PAE_PD + 8, 4) & (PTE_A | PTE_D), PTE_A | PTE_D);
	ck_assert_uint_eq(rig_get(rig, PAE_PT + 8 * (PAGE >> 12), 4) & (PTE_A | PTE_D), PTE_A);
}
END_TEST

START_TEST(pae_reserved_bits)
{
	static const struct {
		uint32_t at;
		uint64_t bit;
	} cases[] = { { PAE_PT + 8 * (PAGE >> 12), 1ull << 63 }, { PAE_PT + 8 * (PAGE >> 12), 1ull << 36 },
		      { PAE_PD + 16, 1ull << 50 | PTE_P }, { PAE_PD + 8, 1ull << 13 } };
	for (unsigned i = 0; i < 4; i++) {
		again();
		pae();
		uint32_t address = i == 3 ? 0x200000 : i == 2 ? 0x400000 : PAGE;
		set64(cases[i].at, rig_get(rig, cases[i].at, 4) | cases[i].bit);
		uint32_t eip = rig->at;
		CODE(rig, 0xa1, D(address));
		ck_page_fault(PF_P | PF_R, address, eip);
	}
}
END_TEST

START_TEST(pdptes_are_checked_and_cached)
{
	pae();
	set64(PDPT + 24, 1ull << 6 | PTE_P); /* reserved */
	uint32_t eip = rig->at - 3;
	ck_assert_uint_eq(rig_run(rig), 13);
	ck_assert_uint_eq(rig_frame32(rig, 1), eip);
	ck_assert(!(rig->ctx->cr0 & CTX_CR0_PG));
	again();
	pae();
	set64(PDPT + 8, 0);
	/* Writing the PDPT has no effect until CR3 is loaded. */
	CODE(rig, 0xb8, D(PAE_PD | PTE_P), 0xa3, D(PDPT + 8), 0x0f, 0x01, 0x3d, D(0x40000000), 0xa1, D(0x40000000 + PAGE));
	ck_page_fault(0, 0x40000000 + PAGE, rig->at - 5);
	again();
	pae();
	rig_set(rig, PAGE, 4, 99);
	CODE(rig, 0xb8, D(PAE_PD | PTE_P), 0xa3, D(PDPT + 8), 0x0f, 0x20, 0xd8, 0x0f, 0x22, 0xd8,
	     0xa1, D(0x40000000 + PAGE), 0xf4);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(reg(CTX_RAX), 99);
}
END_TEST

START_TEST(pae_entered_from_another_engine)
{
	pae();
	rig->ctx->cr4 = CTX_CR4_PAE;
	rig->ctx->cr3 = PDPT;
	rig->ctx->cr0 |= CTX_CR0_PG;
	CODE_AT(rig, RIG_CODE, 0xa1, D(0x201000), 0xf4);
	rig_set(rig, 0x201000, 4, 31);
	ck_assert_uint_eq(rig_run(rig), RIG_HALTED);
	ck_assert_uint_eq(reg(CTX_RAX), 31);
}
END_TEST

Suite *suite_emu_pae(void);
Suite *suite_emu_pae(void)
{
	return RIG_SUITE("emu_pae", start, stop, pae_walks, pae_reserved_bits, pdptes_are_checked_and_cached,
	                 pae_entered_from_another_engine);
}
