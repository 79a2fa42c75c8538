#include <check.h>
#include <string.h>

#include "hv/kvm_sites.h"

#define RAM_SIZE 0x400000u

static struct mem *mem;
static uint8_t *ram;
static uint64_t site[KVM_SITES];

static void setup(void)
{
	mem = mem_new();
	struct mem_store *store = mem_store_new(mem, "ram", RAM_SIZE);
	struct mem_region *region =
		mem_region_new(mem, "ram", MEM_PRIORITY_RAM, MEM_REGION_READS | MEM_REGION_WRITES, store, 0, RAM_SIZE);
	mem_region_enable(region, 0);
	ram = mem_store_data(store);
}

static void teardown(void)
{
	mem_free(mem);
}

static const struct {
	uint8_t code[16];
	int move; /* offset of mov cr0, or -1: this does not clear PE */
	unsigned reg;
} rows[] = {
	{ { 0x0f, 0x20, 0xc0, 0x24, 0xfe, 0x0f, 0x22, 0xc0 }, 5, 0 },                   /* and al, FE */
	{ { 0x0f, 0x20, 0xc3, 0x83, 0xe3, 0xfe, 0x0f, 0x22, 0xc3 }, 6, 3 },             /* and ebx, FE */
	{ { 0x66, 0x83, 0xe1, 0xfe, 0x90, 0x90, 0x0f, 0x22, 0xc1 }, 6, 1 },
	{ { 0x25, 0xfe, 0xff, 0xff, 0x7f, 0x0f, 0x22, 0xc0 }, 5, 0 },                   /* PG as well */
	{ { 0x81, 0xe2, 0xfe, 0xff, 0xff, 0x7f, 0x0f, 0x22, 0xc2 }, 6, 2 },
	{ { 0x0f, 0xba, 0xf0, 0x00, 0x0f, 0x22, 0xc0 }, 4, 0 },                         /* btr eax, 0 */
	{ { 0x48, 0x0f, 0x22, 0xc0 }, 1, 0 },                                           /* dec */
	{ { 0x80, 0xe0, 0xfe, 0x0f, 0x22, 0xc0 }, 3, 0 },
	{ { 0x0c, 0x01, 0x0f, 0x22, 0xc0 }, -1, 0 },                                    /* or al, 1 */
	{ { 0x24, 0xfe, 0x0f, 0x22, 0xd8 }, -1, 0 },                                    /* mov cr3 */
	{ { 0x24, 0xff, 0x0f, 0x22, 0xc0 }, -1, 0 },                                    /* and al, FF */
	{ { 0x0f, 0xba, 0xf0, 0x1f, 0x0f, 0x22, 0xc0 }, -1, 0 },                        /* btr eax, 31 */
	{ { 0x48, 0x90, 0x0f, 0x22, 0xc0 }, -1, 0 },                                    /* dec, not right before */
};

START_TEST(idioms)
{
	const uint32_t at = _i % 2 ? 0x12345 : 0x12ffd; /* the second one crosses a page */
	memcpy(ram + at, rows[_i].code, sizeof rows[_i].code);
	unsigned found = kvm_sites_find(mem, 0x12000, site);
	ck_assert_uint_eq(found, rows[_i].move >= 0);
	if (!found)
		return;
	ck_assert_uint_eq(site[0], at + (unsigned)rows[_i].move);
	ck_assert_uint_eq(kvm_sites_register(mem, site[0]), rows[_i].reg);
}
END_TEST

static void put(uint32_t at)
{
	memcpy(ram + at - 2, "\x24\xfe\x0f\x22\xc0", 5);
}

START_TEST(the_closest)
{
	static const uint32_t at[] = { 0x10000, 0x20000, 0x30000, 0x40000, 0x50000, 0x60000 };
	for (unsigned n = 0; n < 6; n++)
		put(at[n]);
	ck_assert_uint_eq(kvm_sites_find(mem, 0x41000, site), KVM_SITES);
	ck_assert_uint_eq(site[0], 0x40000);
	ck_assert_uint_eq(site[1], 0x50000);
	ck_assert_uint_eq(site[2], 0x30000);
	ck_assert_uint_eq(site[3], 0x60000);
}
END_TEST

START_TEST(beyond_the_first_mib)
{
	put(0x200100);
	put(0x300100);
	ck_assert_uint_eq(kvm_sites_find(mem, 0x1000, site), 0);
	ck_assert_uint_eq(kvm_sites_find(mem, 0x220000, site), 1);
	ck_assert_uint_eq(site[0], 0x200100);
	ck_assert_uint_eq(kvm_sites_find(mem, 0xffffffff, site), 0);
}
END_TEST

Suite *suite_kvm_sites(void)
{
	Suite *suite = suite_create("kvm_sites");
	TCase *tcase = tcase_create("kvm_sites");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, idioms, 0, (int)(sizeof rows / sizeof *rows));
	tcase_add_test(tcase, the_closest);
	tcase_add_test(tcase, beyond_the_first_mib);
	suite_add_tcase(suite, tcase);
	return suite;
}
