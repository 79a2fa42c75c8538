/* ELF kernels: what is taken, where it goes, what is refused how; and start_info. */
#include "loader/elf_image.h"
#include "loader/start_info.h"
#include "tests/unit/kernel_rig.h"

enum { CLASS = 4, DATA = 5, TYPE = 16, MACHINE = 18, ENTRY = 24, TABLE = 28, ENTRY_SIZE = 42, ENTRIES = 44, SEGMENT = 52 };
enum { OFFSET = SEGMENT + 4, LINKED = SEGMENT + 8, ADDRESS = SEGMENT + 12, FILE_SIZE = SEGMENT + 16, MEMORY = SEGMENT + 20, FLAGS = SEGMENT + 24 };

static struct kernel_rig rig;
static struct elf_image image;

static void setup(void)
{
	kernel_rig_setup(&rig, BOOT_DIRECT);
	kernel_rig_elf(&rig, 0x100004, 0x100000, 0x100000, 0x1000);
}

static void teardown(void) { kernel_rig_teardown(&rig); }

static bool parse(void) { return elf_parse(kernel_rig_file(&rig), ELF_32, &image, &rig.error); }

static bool plan(void)
{
	static const struct device_map_entry devices[] = { { 0x3f8, 4 }, { 0xd0000000, 11 } };
	const struct start_info_board board = { .ioapic_base = 0xfec00000, .device = devices, .devices = 2 };
	return start_info_plan(kernel_rig_file(&rig), &board, &rig.plan, &rig.error);
}

/* One byte, half word or word changed, refused, and put back. */
#define REFUSE(offset, size, value, ...) do { \
		uint64_t old_ = 0; \
		memcpy(&old_, rig.bytes->data + (offset), size); \
		kernel_rig_put(&rig, offset, value, size); \
		KERNEL_RIG_REFUSED(&rig, plan(), "KERNEL: ", __VA_ARGS__); \
		kernel_rig_put(&rig, offset, old_, size); \
	} while (0)

START_TEST(taken)
{
	ck_assert_msg(parse(), "%s", rig.error);
	ck_assert_uint_eq(image.segments, 1);
	ck_assert_uint_eq(image.entry, 0x100004);
	ck_assert_uint_eq(image.segment[0].file_size, 16);
	ck_assert(!image.segment[0].writable);
}
END_TEST

START_TEST(upper_half)
{
	kernel_rig_put(&rig, LINKED, 0xc0100000, 4);
	kernel_rig_put(&rig, ENTRY, 0xc0100008, 4);
	ck_assert_msg(parse(), "%s", rig.error);
	ck_assert_uint_eq(image.entry, 0x100008);
	kernel_rig_put(&rig, ENTRY, 0x10000c, 4);
	ck_assert_msg(parse(), "%s", rig.error);
	ck_assert_uint_eq(image.entry, 0x10000c);
}
END_TEST

START_TEST(header_refused)
{
	REFUSE(0, 1, 0, "no ELF file");
	REFUSE(CLASS, 1, 2, "class is 2", "64 bits", "1 (32 bits)");
	REFUSE(CLASS, 1, 9, "class is 9");
	REFUSE(DATA, 1, 2, "encoding is 2");
	REFUSE(TYPE, 2, 3, "type is 3", "2 (executable)");
	REFUSE(MACHINE, 2, 40, "machine is 40", "3 (386)");
	REFUSE(20, 4, 7, "version is 7");
	REFUSE(ENTRY_SIZE, 2, 56, "program header is 56", "32");
	REFUSE(ENTRIES, 2, 0, "no segment to load");
	REFUSE(SEGMENT, 4, 2, "no segment to load");
	REFUSE(ENTRIES, 2, 0xffff, "truncated", "65535 program headers");
	REFUSE(TABLE, 4, 0xffffffff, "truncated", "4294967295");
}
END_TEST

START_TEST(segment_refused)
{
	REFUSE(FILE_SIZE, 4, 0x2000, "segment 0", "8192", "4096 in memory");
	REFUSE(OFFSET, 4, 4097, "truncated", "segment 0", "offset 4097");
	REFUSE(OFFSET, 4, 0xfffffff8, "truncated", "offset 4294967288");
	REFUSE(ADDRESS, 4, 0xfffffff8, "pass 4 GiB");
	REFUSE(ADDRESS, 4, 0xa0000, "not in RAM", "9FFFF");
	REFUSE(MEMORY, 4, 0x4000000, "too big for memory", "64 MiB", "-m");
	REFUSE(ENTRY, 4, 0x101000, "entry is 00101000h", "outside of all 1 segments");
	REFUSE(ENTRY, 4, 0xfffff, "entry is 000FFFFFh");
}
END_TEST

START_TEST(overlap)
{
	kernel_rig_put(&rig, ENTRIES, 2, 2);
	KERNEL_RIG_WORDS(&rig, SEGMENT + 32, 1, 4096, 0x100ff0, 0x100ff0, 0, 0x20, 6, 4096);
	KERNEL_RIG_REFUSED(&rig, plan(), "segment 1", "00100FF0h", "overlap segment 0");
	kernel_rig_put(&rig, SEGMENT + 32 + 12, 0x101000, 4);
	ck_assert_msg(plan(), "%s", rig.error);
}
END_TEST

START_TEST(truncated)
{
	for (guint size = 1; size < 4096 + 16; size += size < 100 ? 1 : 97) {
		struct loader_file file = *kernel_rig_file(&rig);
		file.size = size;
		KERNEL_RIG_REFUSED(&rig, elf_parse(&file, ELF_32, &image, &rig.error), size < 4 ? "no ELF" : "truncated");
	}
}
END_TEST

START_TEST(too_many_segments)
{
	kernel_rig_put(&rig, ENTRIES, ELF_SEGMENTS_MAX + 1, 2);
	for (unsigned n = 1; n <= ELF_SEGMENTS_MAX; n++)
		KERNEL_RIG_WORDS(&rig, SEGMENT + 32 * n, 1, 0, 0x200000 + n * 16, 0x200000 + n * 16, 0, 16, 6, 16);
	KERNEL_RIG_REFUSED(&rig, plan(), "more than 64 segments");
}
END_TEST

START_TEST(start_info)
{
	static const uint32_t map[] = {
		0, 0x1000, 0, MEMORY_USE_FREE, 0x1000, 0x2000, 0, MEMORY_USE_INIT, 0x3000, 0x9d000, 0, MEMORY_USE_FREE,
		0x100000, 0x1000, MEMORY_FLAG_READ_ONLY, MEMORY_USE_KERNEL, 0x101000, 0x3eff000, 0, MEMORY_USE_FREE,
	};
	ck_assert_msg(plan(), "%s", rig.error);
	ck_assert_uint_eq(rig.plan.eip, 0x100004);
	ck_assert_uint_eq(rig.plan.eax, START_INFO_MAGIC);
	uint32_t info = rig.plan.ebx;
	ck_assert_uint_eq(info, 0x1000);
	ck_assert_uint_eq(rig.plan.esp, 0x3000);
	ck_assert_uint_eq(kernel_rig_word(&rig, info), 0xfec00000);
	ck_assert_uint_eq(kernel_rig_word(&rig, info + 4), G_N_ELEMENTS(map) / 4);
	ck_assert_uint_eq(kernel_rig_word(&rig, info + 12), 2);
	uint32_t memory = kernel_rig_word(&rig, info + 8), devices = kernel_rig_word(&rig, info + 16);
	for (unsigned n = 0; n < G_N_ELEMENTS(map); n++)
		ck_assert_uint_eq(kernel_rig_word(&rig, memory + 4 * n), map[n]);
	ck_assert_uint_eq(kernel_rig_word(&rig, devices), 0x3f8);
	ck_assert_uint_eq(kernel_rig_word(&rig, devices + 4), 4);
	ck_assert_uint_eq(kernel_rig_word(&rig, devices + 8), 0xd0000000);
	ck_assert_uint_eq(kernel_rig_word(&rig, devices + 12), 11);
}
END_TEST

START_TEST(start_info_finds_room)
{
	kernel_rig_put(&rig, LINKED, 0, 4);
	kernel_rig_put(&rig, ADDRESS, 0, 4);
	kernel_rig_put(&rig, ENTRY, 0, 4);
	kernel_rig_put(&rig, MEMORY, 0xa0000, 4);
	kernel_rig_put(&rig, FLAGS, 7, 4);
	ck_assert_msg(plan(), "%s", rig.error);
	ck_assert_uint_eq(rig.plan.ebx, KERNEL_RIG_RAM - 0x2000);
}
END_TEST

Suite *suite_elf_image(void)
{
	Suite *suite = suite_create("elf image");
	TCase *tcase = tcase_create("elf image");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, taken);
	tcase_add_test(tcase, upper_half);
	tcase_add_test(tcase, header_refused);
	tcase_add_test(tcase, segment_refused);
	tcase_add_test(tcase, overlap);
	tcase_add_test(tcase, truncated);
	tcase_add_test(tcase, too_many_segments);
	tcase_add_test(tcase, start_info);
	tcase_add_test(tcase, start_info_finds_room);
	suite_add_tcase(suite, tcase);
	return suite;
}
