/* Where interrupts lead, by the tables in memory: real mode, gates, and what is none. */
#include <check.h>
#include <string.h>

#include "shared/handler.h"

#define RAM_SIZE 0x100000u
#define AT_IDT   0x2000u
#define AT_GDT   0x3000u
#define AT_LDT   0x4000u

static struct mem *mem;
static uint8_t *ram;
static struct ctx ctx;

static void setup(void)
{
	mem = mem_new();
	struct mem_store *store = mem_store_new(mem, "ram", RAM_SIZE);
	mem_region_enable(mem_region_new(mem, "ram", MEM_PRIORITY_RAM, MEM_REGION_READS | MEM_REGION_WRITES, store, 0, RAM_SIZE), 0);
	ram = mem_store_data(store);
	ctx_reset(&ctx, 0);
}

static void teardown(void)
{
	mem_free(mem);
}

static void put64(uint32_t address, uint64_t value)
{
	memcpy(ram + address, &value, sizeof value);
}

/* Base 12345678h in the GDT, 00ab0000h in the LDT. */
static void protect(void)
{
	ctx.cr0 |= CTX_CR0_PE;
	ctx.idtr = (struct ctx_table){ .base = AT_IDT, .limit = 0x1ff };
	ctx.gdtr = (struct ctx_table){ .base = AT_GDT, .limit = 0x0f };
	ctx.seg[CTX_LDTR] = (struct ctx_seg){ .base = AT_LDT, .limit = 0x0f };
	put64(AT_GDT + 8, 0x12cf9b345678ffff);
	put64(AT_LDT + 8, 0x00cf9bab0000ffff);
}

START_TEST(real_mode_has_a_vector_table)
{
	uint64_t linear = 0;
	put64(0x13 * 4, 0xf0001234);
	ck_assert(handler_address(&ctx, mem, 0x13, &linear));
	ck_assert_uint_eq(linear, 0xf1234);
	ctx.idtr.base = AT_IDT;
	put64(AT_IDT + 0x13 * 4, 0xffffffff);
	ck_assert(handler_address(&ctx, mem, 0x13, &linear));
	ck_assert_uint_eq(linear, 0x10ffef);
}
END_TEST

START_TEST(a_table_that_is_not_there_has_none)
{
	uint64_t linear;
	ctx.idtr.base = 0xd0000000;
	ck_assert(!handler_address(&ctx, mem, 0x13, &linear));
	protect();
	ctx.idtr.base = 0xd0000000;
	ck_assert(!handler_address(&ctx, mem, 0x13, &linear));
}
END_TEST

/* Offset 0009abcdh; the selector is 8, or 0ch in the LDT. */
static const struct row {
	uint64_t gate;
	bool there;
	uint64_t linear;
} rows[] = {
	{ 0x00098e000008abcd, true, 0x123e0245 },  /* 32-bit interrupt gate */
	{ 0x00098f000008abcd, true, 0x123e0245 },  /* trap gate */
	{ 0x000986000008abcd, true, 0x12350245 },  /* 16-bit: the upper half is not looked at */
	{ 0x000987000008abcd, true, 0x12350245 },
	{ 0x00098e00000cabcd, true, 0x00b4abcd },  /* in the LDT */
	{ 0x00098e000010abcd, false, 0 },          /* past the GDT */
	{ 0x00098e000014abcd, false, 0 },          /* past the LDT */
	{ 0x000985000008abcd, false, 0 },          /* a task gate */
	{ 0x00098c000008abcd, false, 0 },          /* a call gate */
	{ 0x00099e000008abcd, false, 0 },          /* a segment */
};

START_TEST(gates_lead_through_their_segment)
{
	uint64_t linear = 0;
	protect();
	put64(AT_IDT + 8 * 0x20, rows[_i].gate);
	ck_assert_int_eq(handler_address(&ctx, mem, 0x20, &linear), rows[_i].there);
	if (rows[_i].there)
		ck_assert_uint_eq(linear, rows[_i].linear);
}
END_TEST

START_TEST(the_limit_of_the_table_counts)
{
	uint64_t linear;
	protect();
	put64(AT_IDT + 8 * 0x3f, rows[0].gate);
	put64(AT_IDT + 8 * 0x40, rows[0].gate);
	ck_assert(handler_address(&ctx, mem, 0x3f, &linear));
	ck_assert(!handler_address(&ctx, mem, 0x40, &linear));
}
END_TEST

START_TEST(an_address_wraps_at_4_gib)
{
	uint64_t linear = 0;
	protect();
	put64(AT_GDT + 8, 0xffcf9bff0000ffff);
	put64(AT_IDT + 8 * 0x20, 0x00028e0000080010);
	ck_assert(handler_address(&ctx, mem, 0x20, &linear));
	ck_assert_uint_eq(linear, 0x10010);
}
END_TEST

Suite *suite_handler(void)
{
	Suite *suite = suite_create("handler");
	TCase *tcase = tcase_create("handler");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, real_mode_has_a_vector_table);
	tcase_add_test(tcase, a_table_that_is_not_there_has_none);
	tcase_add_loop_test(tcase, gates_lead_through_their_segment, 0, (int)(sizeof rows / sizeof *rows));
	tcase_add_test(tcase, the_limit_of_the_table_counts);
	tcase_add_test(tcase, an_address_wraps_at_4_gib);
	suite_add_tcase(suite, tcase);
	return suite;
}
