#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "devmodel/blk.h"
#include "shared/log.h"
#include "shared/snap.h"

static char *dir, *path;

static void setup(void)
{
	dir = g_dir_make_tmp("v2e-blk-XXXXXX", NULL);
	path = g_build_filename(dir, "image", NULL);
}

static void teardown(void)
{
	g_unlink(path);
	g_rmdir(path);
	g_rmdir(dir);
	g_free(path);
	g_free(dir);
}

static void make_image(size_t size)
{
	char *bytes = g_malloc(size + 1);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(i / BLK_SECTOR_SIZE + i);
	ck_assert(g_file_set_contents(path, bytes, (gssize)size, NULL));
	g_free(bytes);
}

static void expect_refusal(bool read_only, const char *reason)
{
	char *error = NULL;
	ck_assert_ptr_null(blk_file_open(path, read_only, &error));
	ck_assert_ptr_nonnull(error);
	ck_assert_msg(strstr(error, reason) && strstr(error, path), "%s", error);
	g_free(error);
	ck_assert_ptr_null(blk_file_open(path, read_only, NULL));
}

START_TEST(file_missing)
{
	expect_refusal(true, "does not exist");
	expect_refusal(false, "does not exist");
}
END_TEST

START_TEST(file_directory)
{
	ck_assert_int_eq(g_mkdir(path, 0700), 0);
	expect_refusal(true, "is a directory");
	expect_refusal(false, "is a directory");
}
END_TEST

START_TEST(file_empty)
{
	make_image(0);
	expect_refusal(true, "is empty");
}
END_TEST

START_TEST(file_fifo)
{
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	expect_refusal(true, "neither a file nor a block device");
}
END_TEST

START_TEST(file_not_allowed)
{
	bool root = geteuid() == 0;
	make_image(512);
	ck_assert_int_eq(g_chmod(path, 0), 0);
	ck_assert_int_eq(g_chmod(dir, 0755), 0);
	ck_assert(!root || !seteuid(65534));
	expect_refusal(true, "may not be read");
	expect_refusal(false, "may not be read and written");
	ck_assert(!root || !seteuid(0));
}
END_TEST

START_TEST(file_locks)
{
	make_image(512);
	struct blk *reader = blk_file_open(path, true, NULL), *second = blk_file_open(path, true, NULL);
	ck_assert_ptr_nonnull(reader);
	ck_assert_ptr_nonnull(second);
	expect_refusal(false, "in use by another v2e");
	blk_free(reader);
	blk_free(second);
	struct blk *writer = blk_file_open(path, false, NULL);
	ck_assert_ptr_nonnull(writer);
	expect_refusal(true, "in use by another v2e");
	expect_refusal(false, "in use by another v2e");
	blk_free(writer);
}
END_TEST

START_TEST(file_reads_and_writes)
{
	uint8_t bytes[3 * 512];
	gchar *contents;
	gsize size;
	make_image(8 * 512);
	struct blk *blk = blk_file_open(path, false, NULL);
	ck_assert_uint_eq(blk->sectors, 8);
	ck_assert(!blk->read_only);
	ck_assert_int_eq(blk_read(blk, 5, 3, bytes), 0);
	ck_assert_uint_eq(bytes[0], 5);
	ck_assert_uint_eq(bytes[1024 + 9], 16);
	memset(bytes, 0xab, sizeof bytes);
	ck_assert_int_eq(blk_write(blk, 2, 2, bytes), 0);
	ck_assert_int_eq(blk_flush(blk), 0);
	blk_free(blk);
	ck_assert(g_file_get_contents(path, &contents, &size, NULL));
	ck_assert_uint_eq(size, 8 * 512);
	ck_assert_mem_eq(contents + 1024, bytes, 1024);
	ck_assert_uint_eq((uint8_t)contents[1023], (uint8_t)(1 + 1023));
	ck_assert_uint_eq((uint8_t)contents[2048], 4);
	g_free(contents);
}
END_TEST

START_TEST(range_and_read_only)
{
	uint8_t bytes[1024] = { 0 };
	make_image(4 * 512);
	struct blk *blk = blk_file_open(path, true, NULL);
	ck_assert_int_eq(blk_write(blk, 0, 1, bytes), -EROFS);
	ck_assert_int_eq(blk_read(blk, 3, 2, bytes), -ERANGE);
	ck_assert_int_eq(blk_read(blk, 4, 1, bytes), -ERANGE);
	ck_assert_int_eq(blk_read(blk, UINT64_MAX, 2, bytes), -ERANGE);
	ck_assert_int_eq(blk_read(blk, 4, 0, bytes), 0);
	blk_free(blk);
}
END_TEST

START_TEST(file_tail)
{
	uint8_t bytes[512];
	gchar *contents;
	gsize size;
	FILE *sink = fopen("/dev/null", "w");
	log_set_output(sink);
	make_image(512 + 100);
	struct blk *blk = blk_file_open(path, false, NULL);
	log_set_output(stderr);
	fclose(sink);
	ck_assert_uint_eq(blk->sectors, 2);
	memset(bytes, 0xff, sizeof bytes);
	ck_assert_int_eq(blk_read(blk, 1, 1, bytes), 0);
	ck_assert_uint_eq(bytes[99], (uint8_t)(1 + 512 + 99));
	ck_assert_uint_eq(bytes[100], 0);
	ck_assert_uint_eq(bytes[511], 0);
	bytes[511] = 0x77;
	ck_assert_int_eq(blk_write(blk, 1, 1, bytes), 0);
	blk_free(blk);
	ck_assert(g_file_get_contents(path, &contents, &size, NULL));
	ck_assert_uint_eq(size, 1024);
	ck_assert_uint_eq((uint8_t)contents[1023], 0x77);
	g_free(contents);
}
END_TEST

START_TEST(file_cut_while_open)
{
	uint8_t bytes[1024];
	make_image(4 * 512);
	struct blk *blk = blk_file_open(path, true, NULL);
	ck_assert_int_eq(truncate(path, 700), 0);
	ck_assert_int_eq(blk_read(blk, 0, 1, bytes), 0);
	ck_assert_int_eq(blk_read(blk, 1, 1, bytes), -EIO);
	ck_assert_int_eq(blk_read(blk, 2, 2, bytes), -EIO);
	blk_free(blk);
}
END_TEST

START_TEST(snapshot_hides_the_image)
{
	uint8_t bytes[512], big[300 * 512];
	make_image(1024 * 512);
	struct blk *blk = blk_snapshot_new(blk_file_open(path, true, NULL));
	ck_assert(!blk->read_only);
	ck_assert_uint_eq(blk->sectors, 1024);
	memset(bytes, 0xee, sizeof bytes);
	ck_assert_int_eq(blk_write(blk, 128, 1, bytes), 0);
	ck_assert_uint_eq(blk_snapshot_used(blk), 65536);
	ck_assert_int_eq(blk_read(blk, 100, 300, big), 0);
	for (unsigned i = 0; i < 300; i++)
		ck_assert_uint_eq(big[i * 512], i == 28 ? 0xee : (uint8_t)(100 + i));
	ck_assert_int_eq(blk_write(blk, 120, 300, big), 0);
	ck_assert_int_eq(blk_read(blk, 148, 1, bytes), 0);
	ck_assert_uint_eq(bytes[5], 0xee);
	blk_free(blk);
	blk = blk_file_open(path, true, NULL);
	ck_assert_int_eq(blk_read(blk, 128, 1, bytes), 0);
	ck_assert_uint_eq(bytes[0], 128);
	blk_free(blk);
}
END_TEST

START_TEST(snapshot_passes_errors_on)
{
	uint8_t bytes[1024] = { 1 };
	struct blk *below = blk_memory_new(64 * 512, true);
	struct blk *blk = blk_snapshot_new(below);
	blk_memory_fail(below, 7, 7, -EIO);
	ck_assert_int_eq(blk_read(blk, 6, 2, bytes), -EIO);
	ck_assert_int_eq(blk_write(blk, 7, 1, bytes), 0);
	ck_assert_int_eq(blk_read(blk, 6, 2, bytes), 0);
	blk_memory_fail(below, 0, 0, 0);
	blk_free(blk);
}
END_TEST

START_TEST(snapshot_state)
{
	uint8_t bytes[512];
	size_t size;
	struct blk *a = blk_snapshot_new(blk_memory_new(512 * 512, true));
	struct blk *b = blk_snapshot_new(blk_memory_new(512 * 512, true));
	struct blk *other = blk_snapshot_new(blk_memory_new(511 * 512, true));
	memset(bytes, 0x5a, sizeof bytes);
	blk_write(a, 3, 1, bytes);
	blk_write(a, 300, 1, bytes);
	blk_write(b, 400, 1, bytes);
	struct snap *save = snap_new_save();
	blk_state(a, save);
	const void *data = snap_data(save, &size);
	struct snap *load = snap_new_load(data, size);
	blk_state(b, load);
	ck_assert_ptr_null(snap_error(load));
	for (unsigned sector = 0; sector < 512; sector++) {
		ck_assert_int_eq(blk_read(b, sector, 1, bytes), 0);
		ck_assert_uint_eq(bytes[511], sector == 3 || sector == 300 ? 0x5a : 0);
	}
	snap_free(load);
	load = snap_new_load(data, size);
	blk_state(other, load);
	ck_assert_ptr_nonnull(snap_error(load));
	snap_free(load);
	snap_free(save);
	blk_free(a);
	blk_free(b);
	blk_free(other);
}
END_TEST

/* Whatever a truncated or damaged file says: an error, or another content. */
START_TEST(snapshot_state_damaged)
{
	uint8_t bytes[512] = { 1 };
	size_t size;
	struct blk *blk = blk_snapshot_new(blk_memory_new(512 * 512, true));
	blk_write(blk, 3, 1, bytes);
	struct snap *save = snap_new_save();
	blk_state(blk, save);
	uint8_t *copy = g_memdup2(snap_data(save, &size), 120);
	ck_assert_uint_gt(size, 120);
	for (size_t i = 0; i < 120; i++) {
		copy[i] ^= 0xff;
		struct snap *load = snap_new_load(copy, i + 1);
		blk_state(blk, load);
		ck_assert_ptr_nonnull(snap_error(load));
		snap_free(load);
		copy[i] ^= 0xff;
	}
	g_free(copy);
	snap_free(save);
	blk_free(blk);
}
END_TEST

START_TEST(memory_rounds_up)
{
	struct blk *blk = blk_memory_new(513, false);
	ck_assert_uint_eq(blk->sectors, 2);
	ck_assert_int_eq(blk_flush(blk), 0);
	ck_assert_uint_eq(blk_memory_flushes(blk), 1);
	blk_free(blk);
	blk = blk_memory_new(0, false);
	ck_assert_uint_eq(blk->sectors, 1);
	blk_free(blk);
	blk_free(NULL);
}
END_TEST

Suite *suite_blk(void)
{
	Suite *suite = suite_create("blk");
	TCase *tests = tcase_create("blk");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, file_missing);
	tcase_add_test(tests, file_directory);
	tcase_add_test(tests, file_empty);
	tcase_add_test(tests, file_fifo);
	tcase_add_test(tests, file_not_allowed);
	tcase_add_test(tests, file_locks);
	tcase_add_test(tests, file_reads_and_writes);
	tcase_add_test(tests, range_and_read_only);
	tcase_add_test(tests, file_tail);
	tcase_add_test(tests, file_cut_while_open);
	tcase_add_test(tests, snapshot_hides_the_image);
	tcase_add_test(tests, snapshot_passes_errors_on);
	tcase_add_test(tests, snapshot_state);
	tcase_add_test(tests, snapshot_state_damaged);
	tcase_add_test(tests, memory_rounds_up);
	suite_add_tcase(suite, tests);
	return suite;
}
