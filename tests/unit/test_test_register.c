#include <check.h>

#include "cli/test_expect.h"

static struct ctx ctx;
static char *error;

static void setup(void)
{
	ctx_reset(&ctx, 0x633);
	ctx.gpr[CTX_RAX].r = 0x1122334455667788;
	ctx.seg[CTX_DS].selector = 0xbeef;
	ctx.seg[CTX_DS].base = 0x12345;
	ctx.rflags = 0x40246;
	error = NULL;
}

static void teardown(void)
{
	g_free(error);
}

static uint64_t value(const char *name)
{
	uint64_t result = 0;
	ck_assert_msg(test_register_value(&ctx, name, &result), "%s", name);
	return result;
}

START_TEST(names)
{
	ck_assert_uint_eq(value("rax"), 0x1122334455667788);
	ck_assert_uint_eq(value("eax"), 0x55667788);
	ck_assert_uint_eq(value("ax"), 0x7788);
	ck_assert_uint_eq(value("ah"), 0x77);
	ck_assert_uint_eq(value("al"), 0x88);
	ck_assert_uint_eq(value("dx"), 0x633);
	ck_assert_uint_eq(value("ds"), 0xbeef);
	ck_assert_uint_eq(value("ds.base"), 0x12345);
	ck_assert_uint_eq(value("cs.base"), 0xffff0000);
	ck_assert_uint_eq(value("ip"), 0xfff0);
	ck_assert_uint_eq(value("eflags"), 0x40246);
	ck_assert_uint_eq(value("flags"), 0x246);
	ck_assert_uint_eq(value("gdtr.limit"), 0xffff);
	uint64_t none;
	ck_assert(!test_register_value(&ctx, "ra", &none));
	ck_assert(!test_register_value(&ctx, "fxsave.000", &none));
	ck_assert(!test_register_value(&ctx, "", &none));
}
END_TEST

static struct test_register parse(const char *text)
{
	struct test_register *reg = test_register_parse(text, &error), copy;
	ck_assert_msg(reg != NULL, "%s", error);
	copy = *reg;
	copy.name = copy.text = NULL;
	test_register_free(reg);
	return copy;
}

START_TEST(registers)
{
	struct test_register reg = parse("AX = 0x12");
	ck_assert(reg.low == 0x12 && reg.high == 0x12 && reg.mask == UINT64_MAX);
	reg = parse("eflags & 0x41 = 0x40");
	ck_assert(reg.low == 0x40 && reg.mask == 0x41);
	reg = parse("cx=1 .. 0xff");
	ck_assert(reg.low == 1 && reg.high == 0xff);
}
END_TEST

START_TEST(bad_registers)
{
	static const char *const all[] = { "", "ax", "=1", "ax=", "ax=x", "xx=1", "ax&0=1", "ax&x=1", "ax=2..1", "ax=1..", "ax=..1" };
	for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
		g_clear_pointer(&error, g_free);
		ck_assert_msg(!test_register_parse(all[i], &error), "%s", all[i]);
		ck_assert_ptr_nonnull(error);
	}
}
END_TEST

START_TEST(bytes)
{
	struct test_memory *memory = test_memory_parse("0x7dfe: 55aa ?? 0F", &error);
	ck_assert_uint_eq(memory->address, 0x7dfe);
	ck_assert_uint_eq(memory->bytes->len, 4);
	ck_assert_int_eq(g_array_index(memory->bytes, int, 1), 0xaa);
	ck_assert_int_eq(g_array_index(memory->bytes, int, 2), -1);
	ck_assert_int_eq(g_array_index(memory->bytes, int, 3), 0x0f);
	test_memory_free(memory);
	memory = test_memory_parse("f000:fff0: ea", &error);
	ck_assert_uint_eq(memory->address, 0xffff0);
	test_memory_free(memory);
	memory = test_memory_parse("ffff:ffff: 00", &error);
	ck_assert_uint_eq(memory->address, 0x10ffef);
	test_memory_free(memory);
	memory = test_memory_parse("0xffffffff: 00", &error);
	ck_assert_uint_eq(memory->address, 0xffffffff);
	test_memory_free(memory);
}
END_TEST

START_TEST(bad_memory)
{
	static const char *const all[] = {
		"", "0x7c00", "0x7c00:", "0x7c00: 5", "0x7c00: 5g", "10000:0: 00", "0:10000: 00", "x: 00", "0x100000000: 00",
		"0xffffffff: 00 00", "1:2:3: 00",
	};
	for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
		g_clear_pointer(&error, g_free);
		ck_assert_msg(!test_memory_parse(all[i], &error), "%s", all[i]);
		ck_assert_ptr_nonnull(error);
	}
}
END_TEST

Suite *suite_test_register(void)
{
	Suite *suite = suite_create("test_register");
	TCase *tcase = tcase_create("test_register");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, names);
	tcase_add_test(tcase, registers);
	tcase_add_test(tcase, bad_registers);
	tcase_add_test(tcase, bytes);
	tcase_add_test(tcase, bad_memory);
	suite_add_tcase(suite, tcase);
	return suite;
}
