/* Images and firmware: what is taken for what, and what is refused how. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "loader/firmware.h"
#include "loader/image.h"

static char *folder, *path;
static char *error;

static void setup(void)
{
	folder = g_dir_make_tmp("v2e-image-XXXXXX", NULL);
	path = g_build_filename(folder, "image", NULL);
	error = NULL;
}

static void teardown(void)
{
	g_remove(path);
	g_remove(folder);
	g_free(folder);
	g_free(path);
	g_free(error);
}

/* A file of `size` zeros, sparse. */
static void make(uint64_t size)
{
	FILE *file = fopen(path, "wb");
	ck_assert_ptr_nonnull(file);
	fclose(file);
	ck_assert_int_eq(truncate(path, (off_t)size), 0);
}

static void poke(uint64_t offset, const void *bytes, size_t size)
{
	FILE *file = fopen(path, "r+b");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fseeko(file, (off_t)offset, SEEK_SET), 0);
	ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
	fclose(file);
}

static void sign(void)
{
	poke(510, "\x55\xaa", 2);
}

/* A primary volume descriptor for `blocks` of 2,048 bytes. */
static void make_iso(uint64_t size, uint32_t blocks)
{
	make(size);
	uint8_t blocks_le[4] = { (uint8_t)blocks, (uint8_t)(blocks >> 8), (uint8_t)(blocks >> 16), (uint8_t)(blocks >> 24) };
	poke(32768, "\1CD001\1", 7);
	poke(32768 + 80, blocks_le, 4);
	poke(32768 + 128, "\0\10", 2);
}

static void expect(enum image_kind kind)
{
	struct image image;
	struct stat status;
	ck_assert_msg(image_detect(path, &image, &error), "%s", error);
	ck_assert_int_eq(image.kind, kind);
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_uint_eq(image.size, (uint64_t)status.st_size);
}

static void assert_error(const char *const *words)
{
	ck_assert_ptr_nonnull(error);
	ck_assert_msg(!strchr(error, '\n'), "%s", error);
	for (; *words; words++)
		ck_assert_msg(strstr(error, *words) != NULL, "'%s' is not in: %s", *words, error);
	g_clear_pointer(&error, g_free);
}
#define ASSERT_ERROR(...) assert_error((const char *const[]){ __VA_ARGS__, NULL })

#define REFUSE(...) do { \
		struct image image_; \
		ck_assert(!image_detect(path, &image_, &error)); \
		ASSERT_ERROR(path, __VA_ARGS__); \
	} while (0)

#define REFUSE_AS(kind, ...) do { \
		struct image image_; \
		ck_assert(!image_check(path, kind, &image_, &error)); \
		ASSERT_ERROR(path, __VA_ARGS__); \
	} while (0)

START_TEST(iso)
{
	make_iso(40 * 2048, 40);
	expect(IMAGE_CDROM);
	make_iso(1 << 20, 40);
	sign(); /* hybrid */
	expect(IMAGE_CDROM);
	make_iso(1474560, 40); /* as large as a floppy */
	expect(IMAGE_CDROM);
	make(40 * 2048); /* an extended descriptor first: no size in it */
	poke(32768, "\0CD001\1", 7);
	expect(IMAGE_CDROM);
}
END_TEST

START_TEST(iso_truncated)
{
	make_iso(40 * 2048 - 1, 40);
	REFUSE("truncated", "81920", "81919", "again");
	make_iso(32768 + 200, 17);
	REFUSE("truncated");
}
END_TEST

START_TEST(floppies)
{
	static const unsigned sizes[] = { 160, 180, 320, 360, 720, 1200, 1440, 2880 };
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		make(sizes[i] * 1024);
		expect(IMAGE_FLOPPY);
		make(sizes[i] * 1024 + 512);
		sign();
		expect(IMAGE_DISK);
	}
}
END_TEST

START_TEST(disk)
{
	make(10 << 20);
	sign();
	expect(IMAGE_DISK);
	make(1024);
	sign();
	expect(IMAGE_DISK);
	make((10 << 20) + 100);
	sign();
	REFUSE("truncated", "512");
}
END_TEST

START_TEST(boot_sector)
{
	make(512);
	sign();
	expect(IMAGE_BOOT_SECTOR);
	make(3);
	expect(IMAGE_BOOT_SECTOR);
	make(510);
	expect(IMAGE_BOOT_SECTOR);
	make(511);
	REFUSE("signature", "55h AAh");
	make(512);
	REFUSE("signature", "55h AAh");
}
END_TEST

START_TEST(load_boot_sector)
{
	make(2);
	poke(0, "\xeb\xfe", 2);
	uint8_t *floppy = image_load_boot_sector(path, &error);
	ck_assert_ptr_nonnull(floppy);
	ck_assert_int_eq(memcmp(floppy, "\xeb\xfe\0", 3), 0);
	ck_assert_int_eq(memcmp(floppy + 510, "\x55\xaa\0", 3), 0);
	ck_assert_uint_eq(floppy[IMAGE_FLOPPY_144_SIZE - 1], 0);
	g_free(floppy);
	make(512);
	ck_assert_ptr_null(image_load_boot_sector(path, &error));
	ASSERT_ERROR("signature");
}
END_TEST

START_TEST(unusable)
{
	REFUSE("no such file");
	make(0);
	REFUSE("empty");
	g_remove(path);
	ck_assert_int_eq(g_mkdir(path, 0700), 0);
	REFUSE("directory");
	g_rmdir(path);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	REFUSE("neither");
	g_remove(path);
	ck_assert_int_eq(symlink(path, path), 0);
	REFUSE("give an image file");
}
END_TEST

START_TEST(unreadable)
{
	make(512);
	ck_assert_int_eq(g_chmod(path, 0), 0);
	if (access(path, R_OK) < 0) /* root may read everything */
		REFUSE("permission denied", "readable");
}
END_TEST

START_TEST(nothing_that_boots)
{
	make(5000);
	REFUSE("5000 bytes", "CD001", "--type");
	make(1 << 20);
	REFUSE("nothing that boots", "--type");
}
END_TEST

START_TEST(containers)
{
	static const struct { const char *magic; size_t size; const char *name, *remedy; } all[] = {
		{ "QFI\xfb", 4, "qcow2", "qemu-img convert" }, { "KDMV", 4, "VMDK", "qemu-img convert" },
		{ "# Disk DescriptorFile", 21, "VMDK", "qemu-img convert" }, { "<<< Oracle VM", 13, "VDI", "qemu-img" },
		{ "vhdxfile", 8, "VHDX", "qemu-img" }, { "conectix", 8, "VHD", "qemu-img" },
		{ "\xfd" "7zXZ\0", 6, "xz", "xz -d" }, { "\x1f\x8b\x08", 3, "gzip", "gzip -d" },
		{ "BZh9", 4, "bzip2", "bzip2 -d" }, { "\x28\xb5\x2f\xfd", 4, "zstd", "zstd -d" }, { "PK\3\4", 4, "zip", "unzip" },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
		make(196608);
		poke(0, all[i].magic, all[i].size);
		REFUSE(all[i].name, all[i].remedy);
		REFUSE_AS(IMAGE_DISK, all[i].name);
		REFUSE_AS(IMAGE_CDROM, all[i].name);
		REFUSE_AS(IMAGE_FLOPPY, all[i].name);
	}
}
END_TEST

START_TEST(said_what_it_is)
{
	struct image image;
	make(1 << 20); /* blank disk */
	ck_assert(image_check(path, IMAGE_DISK, &image, &error));
	ck_assert_int_eq(image.kind, IMAGE_DISK);
	REFUSE_AS(IMAGE_CDROM, "not an ISO", "CD001");
	REFUSE_AS(IMAGE_FLOPPY, "truncated or no floppy", "1440K");
	make(3 << 20);
	REFUSE_AS(IMAGE_FLOPPY, "oversized", "--disk");
	make(1474560);
	ck_assert(image_check(path, IMAGE_DISK, &image, &error));
	ck_assert(image_check(path, IMAGE_FLOPPY, &image, &error));
	ck_assert_int_eq(image.kind, IMAGE_FLOPPY);
	make_iso(1 << 20, 40);
	ck_assert(image_check(path, IMAGE_DISK, &image, &error)); /* as on a USB stick */
	ck_assert_int_eq(image.kind, IMAGE_DISK);
	make(100);
	ck_assert(image_check(path, IMAGE_FLOPPY, &image, &error));
	ck_assert_int_eq(image.kind, IMAGE_BOOT_SECTOR);
	REFUSE_AS(IMAGE_DISK, "truncated", "512");
}
END_TEST

START_TEST(bios_image)
{
	make(131072);
	poke(131056, "\xea\x5b\xe0\x00\xf0", 5);
	expect(IMAGE_BIOS);
	poke(131056, "\xea\x5b\xe0\x00\xe0", 5); /* not into the F segment */
	REFUSE("nothing that boots", "no BIOS");
	poke(131056, "\xe9", 1);
	expect(IMAGE_BIOS);
	sign();
	expect(IMAGE_DISK);
	make(131072 + 512);
	poke(131072 + 512 - 16, "\xe9", 1);
	REFUSE("nothing that boots");
	REFUSE_AS(IMAGE_BOOT_SECTOR, "oversized", "131584 bytes", "512");
}
END_TEST

START_TEST(kernel_image)
{
	struct image image;
	make(IMAGE_FLOPPY_144_SIZE);
	sign();
	expect(IMAGE_FLOPPY);
	poke(0x202, "HdrS", 4);
	expect(IMAGE_KERNEL);
	make(400);
	expect(IMAGE_BOOT_SECTOR);
	poke(0, "\x7f" "ELF", 4);
	ck_assert(image_detect(path, &image, &error));
	ck_assert_int_eq(image.kind, IMAGE_KERNEL);
	ck_assert_int_eq(image.kernel, KERNEL_ELF);
}
END_TEST

START_TEST(oversized)
{
	make(40 * 2048);
	if (truncate(path, (off_t)(IMAGE_CDROM_MAX + 2048)) < 0)
		return; /* the file system has no files that large */
	poke(32768, "\0CD001\1", 7);
	REFUSE("oversized", "--disk");
}
END_TEST

START_TEST(names)
{
	ck_assert_str_eq(image_kind_name(IMAGE_CDROM), "CD-ROM");
	ck_assert_str_eq(image_kind_name(IMAGE_BOOT_SECTOR), "boot sector");
}
END_TEST

static void refuse_bios(void)
{
	struct firmware firmware;
	ck_assert(!firmware_load_bios(path, &firmware, &error));
	ck_assert_ptr_null(firmware.data);
}

START_TEST(bios)
{
	struct firmware firmware;
	make(131072);
	poke(131056, "\xea", 1);
	ck_assert_msg(firmware_load_bios(path, &firmware, &error), "%s", error);
	ck_assert_uint_eq(firmware.size, 131072);
	ck_assert_uint_eq(firmware.data[131056], 0xea);
	firmware_clear(&firmware);
	ck_assert_ptr_null(firmware.data);
}
END_TEST

START_TEST(wrong_bios)
{
	refuse_bios();
	ASSERT_ERROR(path, "cannot be opened", "seabios", "--bios");
	make(0);
	refuse_bios();
	ASSERT_ERROR(path, "size is 0", "--bios");
	make(100000);
	refuse_bios();
	ASSERT_ERROR(path, "multiple of 64 KiB");
	make(FIRMWARE_BIOS_MAX + 65536);
	refuse_bios();
	ASSERT_ERROR(path, "size");
	make(65536);
	refuse_bios();
	ASSERT_ERROR(path, "reset vector is blank");
	g_remove(path);
	ck_assert_int_eq(g_mkdir(path, 0700), 0);
	refuse_bios();
	ASSERT_ERROR(path, "regular file");
}
END_TEST

static void refuse_vgabios(void)
{
	struct firmware firmware;
	ck_assert(!firmware_load_vgabios(path, &firmware, &error));
	ck_assert_ptr_null(firmware.data);
}

START_TEST(vgabios)
{
	struct firmware firmware;
	make(1024);
	poke(0, "\x55\xaa\2\xff", 4); /* 55 + AA + 02 + FF = 200 */
	ck_assert_msg(firmware_load_vgabios(path, &firmware, &error), "%s", error);
	ck_assert_uint_eq(firmware.size, 1024);
	firmware_clear(&firmware);
	poke(5, "\1", 1);
	refuse_vgabios();
	ASSERT_ERROR(path, "checksum is 01h", "--vgabios");
	poke(2, "\3", 1);
	refuse_vgabios();
	ASSERT_ERROR("1536", "1024");
	poke(2, "\0", 1);
	refuse_vgabios();
	ASSERT_ERROR("length");
	poke(0, "MZ", 2);
	refuse_vgabios();
	ASSERT_ERROR("signature");
	make(2);
	refuse_vgabios();
	ASSERT_ERROR("signature");
	make(FIRMWARE_VGABIOS_MAX + 1);
	refuse_vgabios();
	ASSERT_ERROR("size");
}
END_TEST

Suite *suite_image(void)
{
	Suite *suite = suite_create("image");
	TCase *tcase = tcase_create("image");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, iso);
	tcase_add_test(tcase, iso_truncated);
	tcase_add_test(tcase, floppies);
	tcase_add_test(tcase, disk);
	tcase_add_test(tcase, boot_sector);
	tcase_add_test(tcase, load_boot_sector);
	tcase_add_test(tcase, unusable);
	tcase_add_test(tcase, unreadable);
	tcase_add_test(tcase, nothing_that_boots);
	tcase_add_test(tcase, containers);
	tcase_add_test(tcase, said_what_it_is);
	tcase_add_test(tcase, bios_image);
	tcase_add_test(tcase, kernel_image);
	tcase_add_test(tcase, oversized);
	tcase_add_test(tcase, names);
	tcase_add_test(tcase, bios);
	tcase_add_test(tcase, wrong_bios);
	tcase_add_test(tcase, vgabios);
	suite_add_tcase(suite, tcase);
	return suite;
}
