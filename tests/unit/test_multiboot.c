/* Multiboot kernels of both versions: headers, information, what is refused how. */
#include "loader/kernel.h"
#include "loader/multiboot.h"
#include "loader/multiboot2.h"
#include "tests/unit/kernel_rig.h"

#define MAGIC1 0x1badb002u
#define MAGIC2 0xe85250d6u

static struct kernel_rig rig;
static const uint8_t module_bytes[5000] = { 1 };
static struct multiboot_module modules[] = {
	{ .file = { .path = "ONE", .data = module_bytes, .size = sizeof module_bytes }, .words = "one two" },
	{ .file = { .path = "TWO", .data = module_bytes, .size = 1 }, .words = "three" },
};

static void setup(void) { kernel_rig_setup(&rig, BOOT_PROTECTED); }
static void teardown(void) { kernel_rig_teardown(&rig); }

static bool plan1(void) { return multiboot_plan(kernel_rig_file(&rig), modules, 2, "words", &rig.plan, &rig.error); }
static bool plan2(void) { return multiboot2_plan(kernel_rig_file(&rig), modules, 2, "words", &rig.plan, &rig.error); }

/* --- version 1 ------------------------------------------------------------------- */

static void header1(guint offset, uint32_t flags)
{
	KERNEL_RIG_WORDS(&rig, offset, MAGIC1, flags, -(MAGIC1 + flags));
}

/* 64 bytes of which the header, at 16, is a part; entry at 48. */
static void flat1(uint32_t load, uint32_t load_end, uint32_t bss_end, uint32_t entry)
{
	header1(16, 0x10003);
	KERNEL_RIG_WORDS(&rig, 28, 0x100010, load, load_end, bss_end, entry);
	kernel_rig_put(&rig, 63, 0x90, 1);
}

START_TEST(flat)
{
	flat1(0x100000, 0x100040, 0x102000, 0x100030);
	ck_assert_msg(plan1(), "%s", rig.error);
	const struct boot_piece *kernel = kernel_rig_piece(&rig, 0);
	ck_assert_uint_eq(kernel->address, 0x100000);
	ck_assert_uint_eq(kernel->size, 0x2000);
	ck_assert_uint_eq(kernel->data_size, 64);
	ck_assert_uint_eq(rig.plan.eip, 0x100030);
	ck_assert_uint_eq(rig.plan.eax, 0x2badb002);
	ck_assert_int_eq(kernel_detect(&rig.file), KERNEL_MULTIBOOT);
}
END_TEST

START_TEST(flat_to_the_end)
{
	flat1(0x100010, 0, 0, 0x100010);
	ck_assert_msg(plan1(), "%s", rig.error);
	ck_assert_uint_eq(kernel_rig_piece(&rig, 0)->data_size, 48);
	ck_assert_uint_eq(kernel_rig_piece(&rig, 0)->size, 48);
}
END_TEST

START_TEST(information)
{
	flat1(0x100000, 0, 0, 0x100030);
	ck_assert_msg(plan1(), "%s", rig.error);
	uint32_t info = rig.plan.ebx, module = kernel_rig_word(&rig, info + 24);
	ck_assert_uint_eq(kernel_rig_word(&rig, info), 0x124d);
	ck_assert_uint_eq(kernel_rig_word(&rig, kernel_rig_word(&rig, info + 16)), 0x4e52454b); /* KERN */
	ck_assert_uint_eq(kernel_rig_word(&rig, info + 20), 2);
	ck_assert_uint_eq(kernel_rig_word(&rig, module), 0x101000);
	ck_assert_uint_eq(kernel_rig_word(&rig, module + 4), 0x101000 + sizeof module_bytes);
	ck_assert_uint_eq(kernel_rig_word(&rig, kernel_rig_word(&rig, module + 8)), 0x20656e6f); /* one_ */
	ck_assert_uint_eq(kernel_rig_word(&rig, module + 16), 0x103000);
	ck_assert_uint_eq(kernel_rig_word(&rig, info + 48), rig.plan.map.entries);
	ck_assert_uint_eq(rig.plan.map.add[0], info + 44);
	ck_assert_uint_eq(rig.plan.map.lower, info + 4);
	ck_assert(rig.plan.map.sized);
	ck_assert_uint_eq(rig.plan.map.entries % 16, 0);
}
END_TEST

START_TEST(elf)
{
	kernel_rig_elf(&rig, 0x100004, 0x100000, 0x100000, 0x1000);
	header1(128, 3);
	ck_assert_msg(plan1(), "%s", rig.error);
	ck_assert_uint_eq(rig.plan.eip, 0x100004);
	ck_assert_int_eq(kernel_detect(&rig.file), KERNEL_MULTIBOOT);
}
END_TEST

START_TEST(refused1)
{
	flat1(0x100000, 0x100041, 0, 0x100030);
	KERNEL_RIG_REFUSED(&rig, plan1(), "truncated", "load_end_addr 00100041h", "65 bytes", "has 64");
	flat1(0x100000, 0xfffff, 0, 0x100030);
	KERNEL_RIG_REFUSED(&rig, plan1(), "load_end_addr is 000FFFFFh", "below load_addr");
	flat1(0x100011, 0, 0, 0x100030);
	KERNEL_RIG_REFUSED(&rig, plan1(), "header_addr is 00100010h", "load_addr 00100011h");
	flat1(0xfffff, 0, 0, 0x100030);
	KERNEL_RIG_REFUSED(&rig, plan1(), "header_addr", "offset 16");
	flat1(0x100000, 0, 0x10003f, 0x100030);
	KERNEL_RIG_REFUSED(&rig, plan1(), "bss_end_addr is 0010003Fh");
	flat1(0x100000, 0, 0, 0x100040);
	KERNEL_RIG_REFUSED(&rig, plan1(), "entry_addr is 00100040h", "0010003Fh");
	flat1(0x100000, 0, 0x4000000, 0x100030);
	KERNEL_RIG_REFUSED(&rig, plan1(), "too big for memory", "-m");
	header1(16, 8);
	KERNEL_RIG_REFUSED(&rig, plan1(), "flags are 00000008h", "0008h");
	header1(16, 3);
	KERNEL_RIG_REFUSED(&rig, plan1(), "without load addresses", "no ELF");
	kernel_rig_put(&rig, 24, 0, 4);
	KERNEL_RIG_REFUSED(&rig, plan1(), "no multiboot kernel", "8192");
	header1(8192 - 8, 3);
	KERNEL_RIG_REFUSED(&rig, plan1(), "no multiboot kernel");
	g_byte_array_set_size(rig.bytes, 28);
	header1(16, 0x10003);
	KERNEL_RIG_REFUSED(&rig, plan1(), "truncated", "32 bytes");
}
END_TEST

START_TEST(cut)
{
	flat1(0x100000, 0x100040, 0x102000, 0x100030);
	ck_assert_uint_eq(kernel_rig_cut(&rig, plan1), 63);
	flat1(0x100000, 0, 0, 0x100030);
	ck_assert_uint_eq(kernel_rig_cut(&rig, plan1), 48);
}
END_TEST

START_TEST(module_too_big)
{
	struct multiboot_module big = { .file = { .path = "BIG", .data = module_bytes, .size = KERNEL_RIG_RAM }, .words = "big" };
	flat1(0x100000, 0, 0, 0x100030);
	KERNEL_RIG_REFUSED(&rig, multiboot_plan(kernel_rig_file(&rig), &big, 1, NULL, &rig.plan, &rig.error), "BIG: module 0", "67108864", "-m");
}
END_TEST

/* GRUB's core behind a boot sector has a header, and is no kernel. */
START_TEST(disk_with_a_header)
{
	flat1(0x100000, 0, 0, 0x100030);
	kernel_rig_put(&rig, 510, 0xaa55, 2);
	ck_assert_int_eq(kernel_detect(kernel_rig_file(&rig)), KERNEL_NONE);
	header1(16, 3);
	kernel_rig_put(&rig, 510, 0, 2);
	ck_assert_int_eq(kernel_detect(kernel_rig_file(&rig)), KERNEL_NONE);
}
END_TEST

/* --- version 2 ------------------------------------------------------------------- */

static void header2(guint offset, uint32_t length)
{
	KERNEL_RIG_WORDS(&rig, offset, MAGIC2, 0, length, -(MAGIC2 + length));
}

/* Header at 0 of 64 bytes: address tag, entry tag, end tag; 128 bytes in all. */
static void flat2(uint32_t load, uint32_t entry)
{
	header2(0, 64);
	KERNEL_RIG_WORDS(&rig, 16, 2, 24, 0x100000, load, 0, 0, 3, 12, entry, 0, 0, 8);
	kernel_rig_put(&rig, 127, 0x90, 1);
}

START_TEST(flat_2)
{
	flat2(0x100000, 0x100060);
	ck_assert_msg(plan2(), "%s", rig.error);
	ck_assert_uint_eq(rig.plan.eip, 0x100060);
	ck_assert_uint_eq(rig.plan.eax, 0x36d76289);
	ck_assert_uint_eq(kernel_rig_piece(&rig, 0)->data_size, 128);
	ck_assert_int_eq(kernel_detect(&rig.file), KERNEL_MULTIBOOT2);
	kernel_rig_again(&rig);
	flat2(0xffffffff, 0x100060);
	ck_assert_msg(plan2(), "%s", rig.error);
	ck_assert_uint_eq(kernel_rig_piece(&rig, 0)->address, 0x100000);
}
END_TEST

START_TEST(information_2)
{
	unsigned seen[9] = { 0 };
	flat2(0x100000, 0x100060);
	ck_assert_msg(plan2(), "%s", rig.error);
	uint32_t info = rig.plan.ebx, tag = info + 8;
	ck_assert_uint_eq(info % 8, 0);
	for (uint32_t type; (type = kernel_rig_word(&rig, tag)) != 6; tag += (kernel_rig_word(&rig, tag + 4) + 7) & ~7u)
		if (type < G_N_ELEMENTS(seen))
			seen[type]++;
	ck_assert_uint_eq(seen[1], 1);
	ck_assert_uint_eq(seen[2], 1);
	ck_assert_uint_eq(seen[3], 2);
	ck_assert_uint_eq(seen[4], 1);
	ck_assert_uint_eq(seen[8], 1);
	/* The map is the last; both sizes grow by what the guest finds. */
	ck_assert_uint_eq(kernel_rig_word(&rig, tag + 4), 16);
	ck_assert_uint_eq(kernel_rig_word(&rig, tag + 8), 24);
	ck_assert_uint_eq(rig.plan.map.entries, tag + 16);
	ck_assert_uint_eq(rig.plan.map.add[0], info);
	ck_assert_uint_eq(rig.plan.map.add[1], tag + 4);
	ck_assert_uint_eq(kernel_rig_word(&rig, info), tag + 16 + 8 - info);
	ck_assert_uint_eq(kernel_rig_word(&rig, rig.plan.map.lower - 8), 4);
}
END_TEST

START_TEST(cut_2)
{
	flat2(0x100000, 0x100060);
	ck_assert_uint_eq(kernel_rig_cut(&rig, plan2), 96);
}
END_TEST

START_TEST(refused_2)
{
	flat2(0x100000, 0x100080);
	KERNEL_RIG_REFUSED(&rig, plan2(), "entry_addr is 00100080h");
	flat2(0x100000, 0x100060);
	header2(0, 56); /* ends before the end tag */
	KERNEL_RIG_REFUSED(&rig, plan2(), "56 bytes", "no end tag");
	header2(0, 8);
	KERNEL_RIG_REFUSED(&rig, plan2(), "header_length is 8", "16");
	header2(0, 0x10000);
	KERNEL_RIG_REFUSED(&rig, plan2(), "header_length is 65536", "32768");
	header2(0, 1024);
	KERNEL_RIG_REFUSED(&rig, plan2(), "truncated", "1024 bytes", "128");
	flat2(0x100000, 0x100060);
	kernel_rig_put(&rig, 20, 7, 4);
	KERNEL_RIG_REFUSED(&rig, plan2(), "tag of type 2", "size is 7");
	kernel_rig_put(&rig, 20, 0xfffffff0, 4);
	KERNEL_RIG_REFUSED(&rig, plan2(), "tag of type 2", "size is 4294967280", "48");
	kernel_rig_put(&rig, 20, 16, 4);
	KERNEL_RIG_REFUSED(&rig, plan2(), "16 bytes", "24");
	flat2(0x100000, 0x100060);
	kernel_rig_put(&rig, 40, 11, 2);
	KERNEL_RIG_REFUSED(&rig, plan2(), "type 11", "unknown");
	kernel_rig_put(&rig, 42, 1, 2);
	KERNEL_RIG_REFUSED(&rig, plan2(), "no entry address tag");
	KERNEL_RIG_WORDS(&rig, 40, 7, 8, 0, 8);
	KERNEL_RIG_REFUSED(&rig, plan2(), "type 7", "EFI");
	KERNEL_RIG_WORDS(&rig, 40, 1, 12, 9, 0);
	KERNEL_RIG_REFUSED(&rig, plan2(), "information request: type 9");
	KERNEL_RIG_WORDS(&rig, 0, MAGIC2, 4, 64, -(MAGIC2 + 4 + 64));
	KERNEL_RIG_REFUSED(&rig, plan2(), "architecture is 4");
	kernel_rig_put(&rig, 0, 0, 4);
	KERNEL_RIG_REFUSED(&rig, plan2(), "no multiboot2 kernel", "32768");
}
END_TEST

Suite *suite_multiboot(void)
{
	Suite *suite = suite_create("multiboot");
	TCase *tcase = tcase_create("multiboot");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, flat);
	tcase_add_test(tcase, flat_to_the_end);
	tcase_add_test(tcase, information);
	tcase_add_test(tcase, elf);
	tcase_add_test(tcase, refused1);
	tcase_add_test(tcase, module_too_big);
	tcase_add_test(tcase, disk_with_a_header);
	tcase_add_test(tcase, flat_2);
	tcase_add_test(tcase, information_2);
	tcase_add_test(tcase, refused_2);
	tcase_add_test(tcase, cut);
	tcase_add_test(tcase, cut_2);
	suite_add_tcase(suite, tcase);
	return suite;
}
