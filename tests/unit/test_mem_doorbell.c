/* Registers that need not be waited for: when a write reaches them, and that one which
 * comes late does so wherever they are by then. */
#include <check.h>
#include <errno.h>

#include "shared/mem.h"

#define AT    0xfef00000u /* an odd MiB, as the virtio devices' */
#define SIZE  (2 * MEM_PAGE_SIZE)
#define VALUE 7u

static struct mem *mem;
static struct mem_region *region;
static struct {
	unsigned times, size;
	uint64_t offset, value;
} written;

static void note_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	(void)owner;
	written.times++;
	written.offset = offset;
	written.size = size;
	written.value = value;
}

static const struct mem_mmio_ops ops = { .name = "bell", .max_size = 4, .write = note_write };

static int add(uint64_t offset, unsigned size)
{
	const struct mem_doorbell doorbell = { .region = region, .offset = offset, .size = size, .value = VALUE };
	return mem_add_doorbell(&doorbell);
}

static void setup(void)
{
	mem = mem_new();
	region = mem_region_new_mmio(mem, MEM_PRIORITY_BAR, SIZE, &ops, NULL);
	written.times = 0;
	ck_assert_int_eq(add(0x1050, 4), 0);
}

static void teardown(void) { mem_free(mem); }

static struct {
	unsigned count;
	struct mem_doorbell last;
} seen;

static void note(void *owner, const struct mem_doorbell *doorbell)
{
	(void)owner;
	seen.count++;
	seen.last = *doorbell;
}

static unsigned look(void)
{
	seen.count = 0;
	mem_for_each_doorbell(mem, note, NULL);
	return seen.count;
}

START_TEST(where_the_region_is)
{
	ck_assert_uint_eq(look(), 0);
	mem_region_enable(region, AT);
	ck_assert_uint_eq(look(), 1);
	ck_assert_uint_eq(seen.last.address, AT + 0x1050);
	ck_assert_uint_eq(seen.last.size, 4);
	ck_assert_uint_eq(seen.last.value, VALUE);
	mem_region_enable(region, 0x10000);
	ck_assert_uint_eq(look(), 1);
	ck_assert_uint_eq(seen.last.address, 0x11050);
	/* Cut where the address space ends. */
	mem_region_enable(region, 0xfffff000);
	ck_assert_uint_eq(look(), 0);
	mem_region_disable(region);
	ck_assert_uint_eq(look(), 0);
}
END_TEST

START_TEST(only_what_a_write_reaches)
{
	mem_region_enable(region, AT);
	struct mem_store *store = mem_store_new(mem, "store", MEM_PAGE_SIZE);
	struct mem_region *above = mem_region_new(mem, "above", MEM_PRIORITY_RAM, MEM_REGION_READS, store, 0, MEM_PAGE_SIZE);
	mem_region_enable(above, AT + MEM_PAGE_SIZE);
	ck_assert_uint_eq(look(), 1);
	mem_region_set_flags(above, MEM_REGION_READS | MEM_REGION_WRITES);
	ck_assert_uint_eq(look(), 0);
	mem_region_enable(above, AT);
	ck_assert_uint_eq(look(), 1);
}
END_TEST

START_TEST(none_with_a20_masked)
{
	mem_region_enable(region, AT);
	uint32_t epoch = mem->epoch;
	mem_set_a20(mem, false);
	ck_assert_uint_eq(look(), 0);
	ck_assert_uint_ne(mem->epoch, epoch);
	mem_set_a20(mem, true);
	ck_assert_uint_eq(look(), 1);
}
END_TEST

START_TEST(late_ones_arrive)
{
	mem_region_enable(region, AT);
	look();
	mem_region_disable(region);
	mem_ring(&seen.last);
	ck_assert_uint_eq(written.times, 1);
	ck_assert_uint_eq(written.offset, 0x1050);
	ck_assert_uint_eq(written.size, 4);
	ck_assert_uint_eq(written.value, VALUE);
}
END_TEST

START_TEST(what_is_none)
{
	struct mem_store *store = mem_store_new(mem, "store", MEM_PAGE_SIZE);
	const struct mem_doorbell in_ram = {
		.region = mem_region_new(mem, "ram", 0, MEM_REGION_READS | MEM_REGION_WRITES, store, 0, MEM_PAGE_SIZE), .size = 4,
	};
	ck_assert_int_eq(mem_add_doorbell(&in_ram), -EINVAL);
	ck_assert_int_eq(add(SIZE, 4), -EINVAL);
	ck_assert_int_eq(add(MEM_PAGE_SIZE - 2, 4), -EINVAL);
	ck_assert_int_eq(add(0, 0), -EINVAL);
	ck_assert_int_eq(add(0, 8), -EINVAL);
	ck_assert_int_eq(add(SIZE - 4, 4), 0);
}
END_TEST

Suite *suite_mem_doorbell(void)
{
	Suite *suite = suite_create("mem_doorbell");
	TCase *tcase = tcase_create("mem_doorbell");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, where_the_region_is);
	tcase_add_test(tcase, only_what_a_write_reaches);
	tcase_add_test(tcase, none_with_a20_masked);
	tcase_add_test(tcase, late_ones_arrive);
	tcase_add_test(tcase, what_is_none);
	suite_add_tcase(suite, tcase);
	return suite;
}
