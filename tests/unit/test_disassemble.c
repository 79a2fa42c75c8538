#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cli/disassemble.h"

#define RAM_SIZE (8u << 20)

static struct mem *mem;
static struct ctx ctx;
static char *text;

static void setup(void)
{
	mem = mem_new();
	struct mem_store *ram = mem_store_new(mem, "ram", RAM_SIZE);
	struct mem_region *region =
		mem_region_new(mem, "ram", MEM_PRIORITY_RAM, MEM_REGION_READS | MEM_REGION_WRITES, ram, 0, RAM_SIZE);
	ck_assert_int_eq(mem_region_enable(region, 0), 0);
	ctx_reset(&ctx, 0);
	ctx.seg[CTX_CS].selector = 0;
	ctx.seg[CTX_CS].base = 0;
	ctx.rip = 0x7c00;
	text = NULL;
}

static void teardown(void)
{
	free(text);
	mem_free(mem);
}

static void list(unsigned count)
{
	size_t size;
	free(text);
	FILE *out = open_memstream(&text, &size);
	disassemble_print(&ctx, mem, count, out);
	fclose(out);
}

static unsigned lines(void)
{
	unsigned count = 0;
	for (const char *c = text; *c; c++)
		count += *c == '\n';
	return count;
}

#define HAS(part) ck_assert_msg(strstr(text, part) != NULL, "no '%s' in %s", part, text)

START_TEST(widths)
{
	mem_write_bytes(mem, 0x7c00, "\xb8\x34\x12\x90\x90\xf4", 6); /* mov ax, 1234h; or mov eax, 90901234h */
	list(3);
	ck_assert_uint_eq(lines(), 3);
	HAS("0000:00007c00  b83412 ");
	HAS("mov ax, 0x1234");
	HAS("0000:00007c03  90 ");
	ctx.cr0 |= CTX_CR0_PE;
	ctx.seg[CTX_CS].access |= CTX_SEG_DB;
	list(2);
	HAS("mov eax, 0x90901234");
	HAS("0000:00007c05  f4 ");
}
END_TEST

START_TEST(what_is_no_instruction)
{
	mem_write_bytes(mem, 0x7c00, "\xff\xff\xf4", 3);
	list(1);
	HAS("(bad)");
}
END_TEST

START_TEST(end_of_memory)
{
	ctx.seg[CTX_CS].base = RAM_SIZE - 2;
	ctx.rip = 0;
	mem_write_bytes(mem, RAM_SIZE - 2, "\x90\xb8", 2);
	list(10);
	ck_assert_uint_eq(lines(), 2); /* nop, and what is left of a mov */
	ctx.rip = 0x100000;
	list(10);
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(real_mode_wraps)
{
	ctx.rip = 0xffff;
	mem_write_bytes(mem, 0xffff, "\x90", 1);
	mem_write_bytes(mem, 0, "\xf4", 1);
	list(2);
	HAS("0000:0000ffff  90 ");
	HAS("0000:00000000  f4 ");
}
END_TEST

START_TEST(paging)
{
	mem_write_bytes(mem, 0x5c00, "\xf4", 1);
	mem_write(mem, 0x1000, 4, 0x2001);         /* 00000000: a table */
	mem_write(mem, 0x2000 + 4 * 7, 4, 0x5001); /* 00007000 -> 5000 */
	ctx.cr0 |= CTX_CR0_PE | CTX_CR0_PG;
	ctx.cr3 = 0x1000;
	list(1);
	HAS("hlt");
}
END_TEST

Suite *suite_disassemble(void)
{
	Suite *suite = suite_create("disassemble");
	TCase *tcase = tcase_create("disassemble");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, widths);
	tcase_add_test(tcase, what_is_no_instruction);
	tcase_add_test(tcase, end_of_memory);
	tcase_add_test(tcase, real_mode_wraps);
	tcase_add_test(tcase, paging);
	suite_add_tcase(suite, tcase);
	return suite;
}
