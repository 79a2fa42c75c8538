/* Linux kernels: the set-up header's fields, the plan, what is refused how. */
#include "loader/linux_image.h"
#include "tests/unit/kernel_rig.h"

enum {
	SECTS = 0x1f1, SYSSIZE = 0x1f4, VIDEO = 0x1fa, SIGNATURE = 0x1fe, JUMP = 0x200, MAGIC = 0x202, PROTOCOL_AT = 0x206, LOADER = 0x210,
	LOADFLAGS = 0x211, RAMDISK = 0x218, RAMDISK_SIZE = 0x21c, HEAP_END = 0x224, LINE = 0x228, INITRD_MAX = 0x22c,
	LINE_MAX_AT = 0x238, PREFERRED = 0x258, RUN_SIZE = 0x260,
};
enum { SETUP = 0x10000, LOW_SETUP = 0x90000, MAIN_SIZE = 80 };

static struct kernel_rig rig;
static const uint8_t initrd_bytes[5000];
static const struct loader_file initrd = { .path = "INITRD", .data = initrd_bytes, .size = sizeof initrd_bytes };

static void setup(void)
{
	kernel_rig_setup(&rig, BOOT_REAL);
	kernel_rig_put(&rig, 1024 + MAIN_SIZE - 1, 0x90, 1);
	kernel_rig_put(&rig, SECTS, 1, 1);
	kernel_rig_put(&rig, SYSSIZE, MAIN_SIZE / 16, 4);
	kernel_rig_put(&rig, SIGNATURE, 0xaa55, 2);
	kernel_rig_put(&rig, JUMP, 0x66eb, 2);
	kernel_rig_put(&rig, MAGIC, 0x53726448, 4);
	kernel_rig_put(&rig, PROTOCOL_AT, 0x020c, 2);
	kernel_rig_put(&rig, LOADFLAGS, 1, 1);
	kernel_rig_put(&rig, INITRD_MAX, 0x7fffffff, 4);
	kernel_rig_put(&rig, LINE_MAX_AT, 100, 4);
	kernel_rig_put(&rig, PREFERRED, 0x1000000, 8);
	kernel_rig_put(&rig, RUN_SIZE, 0x200000, 4);
}

static void teardown(void) { kernel_rig_teardown(&rig); }

static bool plan(const char *append) { return linux_image_plan(kernel_rig_file(&rig), &initrd, append, &rig.plan, &rig.error); }

#define REFUSE(offset, size, value, ...) do { \
		uint64_t old_ = 0; \
		memcpy(&old_, rig.bytes->data + (offset), size); \
		kernel_rig_put(&rig, offset, value, size); \
		KERNEL_RIG_REFUSED(&rig, plan("quiet"), __VA_ARGS__); \
		kernel_rig_put(&rig, offset, old_, size); \
	} while (0)

START_TEST(bzimage)
{
	ck_assert_msg(plan("quiet vga=791"), "%s", rig.error);
	ck_assert_uint_eq(rig.plan.cs, 0x1020);
	ck_assert_uint_eq(rig.plan.ip, 0);
	ck_assert_uint_eq(rig.plan.ds, 0x1000);
	ck_assert_uint_eq(rig.plan.ss, 0x1000);
	ck_assert_uint_eq(rig.plan.sp, 0xe000);
	ck_assert(!rig.plan.interrupts);
	ck_assert_uint_eq(kernel_rig_piece(&rig, 0)->address, SETUP);
	ck_assert_uint_eq(kernel_rig_piece(&rig, 0)->size, 0xe000);
	ck_assert_uint_eq(kernel_rig_piece(&rig, 1)->address, 0x100000);
	ck_assert_uint_eq(kernel_rig_piece(&rig, 1)->data_size, MAIN_SIZE);
	ck_assert_uint_eq(kernel_rig_word(&rig, SETUP + LOADER) & 0xffff, 0x81ff);
	ck_assert_uint_eq(kernel_rig_word(&rig, SETUP + HEAP_END) & 0xffff, 0xde00);
	ck_assert_uint_eq(kernel_rig_word(&rig, SETUP + VIDEO) & 0xffff, 791);
	uint32_t line = kernel_rig_word(&rig, SETUP + LINE);
	ck_assert_uint_eq(kernel_rig_word(&rig, line), 0x65697571);
}
END_TEST

START_TEST(initial_ram_disk)
{
	ck_assert_msg(plan(NULL), "%s", rig.error);
	/* On a page, below what the firmware may keep. */
	uint32_t top = (uint32_t)(KERNEL_RIG_RAM - BOOT_FIRMWARE_TOP);
	ck_assert_uint_eq(kernel_rig_word(&rig, SETUP + RAMDISK), top - 0x2000);
	ck_assert_uint_eq(kernel_rig_word(&rig, SETUP + RAMDISK_SIZE), sizeof initrd_bytes);
	kernel_rig_again(&rig);
	kernel_rig_put(&rig, INITRD_MAX, 0x1ffffff, 4);
	ck_assert_msg(plan(NULL), "%s", rig.error);
	ck_assert_uint_eq(kernel_rig_word(&rig, SETUP + RAMDISK), 0x2000000 - 0x2000);
	kernel_rig_again(&rig);
	/* Not into what the kernel needs for itself. */
	kernel_rig_put(&rig, INITRD_MAX, 0x1200fff, 4);
	KERNEL_RIG_REFUSED(&rig, plan(NULL), "INITRD: ", "5000 bytes", "01200000h", "01201000h", "-m");
}
END_TEST

START_TEST(video_modes)
{
	static const struct { const char *line; uint32_t mode; } cases[] = {
		{ "vga=ask", 0xfffd }, { "a vga=ext b", 0xfffe }, { "vga=normal", 0xffff }, { "vga=0x317", 0x317 },
		{ "nvga=5", 0 }, { "vga=", 0 }, { "vga=5x", 0 }, { "vga=70000", 0 }, { "vga=1 vga=2", 2 },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(cases); n++) {
		ck_assert_msg(plan(cases[n].line), "%s", rig.error);
		ck_assert_msg((kernel_rig_word(&rig, SETUP + VIDEO) & 0xffff) == cases[n].mode, "%s", cases[n].line);
		kernel_rig_again(&rig);
	}
}
END_TEST

START_TEST(zimage)
{
	kernel_rig_put(&rig, PROTOCOL_AT, 0x0201, 2);
	kernel_rig_put(&rig, LOADFLAGS, 0, 1);
	ck_assert_msg(plan("quiet"), "%s", rig.error);
	ck_assert_uint_eq(rig.plan.cs, 0x9020);
	ck_assert_uint_eq(kernel_rig_piece(&rig, 1)->address, 0x10000);
	ck_assert_uint_eq(kernel_rig_word(&rig, LOW_SETUP + 0x20), 0x9000a33f);
	ck_assert_uint_eq(kernel_rig_word(&rig, LOW_SETUP + 0x9000), 0x65697571);
	kernel_rig_again(&rig);
	kernel_rig_put(&rig, 1024 + 0x80000, 0, 1);
	KERNEL_RIG_REFUSED(&rig, plan(NULL), "zImage", "524289 bytes", "524288");
}
END_TEST

START_TEST(refused)
{
	REFUSE(MAGIC, 1, 0, "no Linux kernel", "HdrS");
	REFUSE(SIGNATURE, 1, 0, "no Linux kernel");
	REFUSE(PROTOCOL_AT, 2, 0x0105, "protocol is 1.05", "2.00");
	REFUSE(SECTS, 1, 64, "setup_sects is 64", "63");
	REFUSE(SECTS, 1, 2, "truncated", "1536", "1104");
	REFUSE(SECTS, 1, 0, "truncated", "2560"); /* as if 4 */
	REFUSE(SYSSIZE, 4, 0x10000, "truncated", "syssize", "1048576", "80 behind");
	REFUSE(RUN_SIZE, 4, 0x3000000, "too big for memory", "50331648", "01000000h", "03F00000h", "-m");
	REFUSE(PREFERRED, 8, UINT64_C(1) << 32, "pref_address is 100000000h");
	REFUSE(PREFERRED, 8, UINT64_MAX, "pref_address", "4 GiB");
	REFUSE(LINE_MAX_AT, 4, 4, "command line has 5 bytes", "takes 4", "--append");
}
END_TEST

START_TEST(old_limits)
{
	struct linux_image image;
	/* A header that ends early has no such fields, whatever its version says. */
	kernel_rig_put(&rig, JUMP, 0x2aeb, 2);
	ck_assert_msg(linux_image_parse(kernel_rig_file(&rig), &image, &rig.error), "%s", rig.error);
	ck_assert_uint_eq(image.command_line_max, 255);
	ck_assert_uint_eq(image.initrd_max, 0x37ffffff);
	ck_assert_uint_eq(image.run_address, 0x100000);
	ck_assert_uint_eq(image.run_size, MAIN_SIZE);
}
END_TEST

START_TEST(truncated)
{
	struct linux_image image;
	for (guint size = 1; size < 1024 + MAIN_SIZE - 15; size++) {
		struct loader_file file = *kernel_rig_file(&rig);
		file.size = size;
		KERNEL_RIG_REFUSED(&rig, linux_image_parse(&file, &image, &rig.error), size < 0x208 ? "no Linux" : "truncated");
	}
}
END_TEST

Suite *suite_linux_image(void)
{
	Suite *suite = suite_create("linux image");
	TCase *tcase = tcase_create("linux image");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, bzimage);
	tcase_add_test(tcase, initial_ram_disk);
	tcase_add_test(tcase, video_modes);
	tcase_add_test(tcase, zimage);
	tcase_add_test(tcase, refused);
	tcase_add_test(tcase, old_limits);
	tcase_add_test(tcase, truncated);
	suite_add_tcase(suite, tcase);
	return suite;
}
