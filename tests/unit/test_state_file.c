#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "cli/setup.h"
#include "cli/state_file.h"

static char *folder, *path;

static void setup_folder(void)
{
	folder = g_dir_make_tmp("v2e-unit-XXXXXX", NULL);
	path = g_build_filename(folder, "a.state", NULL);
}

static void remove_folder(void)
{
	g_remove(path);
	g_rmdir(folder);
	g_free(path);
	g_free(folder);
}

static void write_file(const void *data, size_t size)
{
	char *error = NULL;
	struct state_writer *writer = state_writer_new(path, &error);
	ck_assert_msg(writer != NULL, "%s", error);
	ck_assert(state_writer_put(writer, data, size / 2));
	ck_assert(state_writer_put(writer, (const char *)data + size / 2, size - size / 2));
	ck_assert_msg(state_writer_finish(writer, &error), "%s", error);
}

static void put_file(const void *data, size_t size)
{
	ck_assert(g_file_set_contents(path, data, (gssize)size, NULL));
}

/* Does a file of these bytes open? *why (g_free) if not. */
static bool opens(const void *data, size_t size, char **why)
{
	put_file(data, size);
	*why = NULL;
	struct state_reader *reader = state_reader_new(path, why);
	state_reader_free(reader);
	return reader;
}

START_TEST(what_was_written_is_read)
{
	size_t size = 3000000;
	uint8_t *data = g_malloc(size), *back = g_malloc(size);
	for (size_t n = 0; n < size; n++)
		data[n] = (uint8_t)(n * n >> 7);
	write_file(data, size);
	struct state_reader *reader = state_reader_new(path, NULL);
	ck_assert(state_reader_get(reader, back, 1));
	ck_assert(!state_reader_is_done(reader));
	state_reader_free(reader);
	reader = state_reader_new(path, NULL);
	ck_assert(state_reader_get(reader, back, 100));
	ck_assert(state_reader_get(reader, back + 100, size - 100));
	ck_assert_mem_eq(data, back, size);
	ck_assert(state_reader_is_done(reader));
	ck_assert(!state_reader_get(reader, back, 1));
	state_reader_free(reader);
	g_free(data);
	g_free(back);
}
END_TEST

START_TEST(any_bit_changed_is_refused)
{
	char *data, *why;
	gsize size;
	write_file("A machine, a machine, a machine", 31);
	ck_assert(g_file_get_contents(path, &data, &size, NULL));
	for (size_t bit = 0; bit < size * 8; bit++) {
		data[bit / 8] ^= (char)(1 << bit % 8);
		ck_assert_msg(!opens(data, size, &why), "bit %zu", bit);
		ck_assert(g_str_has_prefix(why, path) && !strchr(why, '\n'));
		g_free(why);
		data[bit / 8] ^= (char)(1 << bit % 8);
	}
	ck_assert(opens(data, size, &why));
	g_free(data);
}
END_TEST

START_TEST(any_other_length_is_refused)
{
	char *data, *why;
	gsize size;
	write_file("A machine, a machine, a machine", 31);
	ck_assert(g_file_get_contents(path, &data, &size, NULL));
	for (size_t n = 0; n < size; n++) {
		ck_assert_msg(!opens(data, n, &why), "%zu bytes", n);
		g_free(why);
	}
	/* g_file_get_contents() has a zero behind the data. */
	ck_assert(!opens(data, size + 1, &why));
	g_free(why);
	g_free(data);
}
END_TEST

/* With a checksum that fits, as who means harm would make it. */
START_TEST(what_zlib_refuses_ends_the_reading)
{
	char *data, *why;
	gsize size, length = 32;
	uint8_t bytes[4096], back[sizeof bytes];
	for (unsigned n = 0; n < sizeof bytes; n++)
		bytes[n] = (uint8_t)(n * 7 ^ n >> 3);
	write_file(bytes, sizeof bytes);
	ck_assert(g_file_get_contents(path, &data, &size, NULL));
	for (size_t n = 16; n < size - 32; n++) {
		GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
		data[n] ^= 0x15;
		g_checksum_update(sum, (const guchar *)data, (gssize)size - 32);
		g_checksum_get_digest(sum, (guint8 *)data + size - 32, &length);
		g_checksum_free(sum);
		ck_assert_msg(opens(data, size, &why), "%s", why);
		struct state_reader *reader = state_reader_new(path, NULL);
		bool fine = state_reader_get(reader, back, sizeof back) && state_reader_is_done(reader);
		ck_assert_msg(!fine, "byte %zu", n);
		state_reader_free(reader);
		data[n] ^= 0x15;
	}
	g_free(data);
}
END_TEST

START_TEST(places_that_are_none)
{
	char *error = NULL;
	ck_assert_ptr_null(state_writer_new("/dev/null", &error));
	ck_assert_str_eq(error, "/dev/null: is no regular file; give another name");
	g_clear_pointer(&error, g_free);
	ck_assert_ptr_null(state_writer_new("/nowhere/a.state", &error));
	ck_assert(g_str_has_prefix(error, "/nowhere/a.state: "));
	g_clear_pointer(&error, g_free);
	ck_assert_ptr_null(state_reader_new(folder, &error));
	g_clear_pointer(&error, g_free);
	g_autofree char *fifo = g_build_filename(folder, "fifo", NULL);
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	ck_assert_ptr_null(state_reader_new(fifo, &error));
	g_remove(fifo);
	g_free(error);
}
END_TEST

static struct setup example(void)
{
	struct setup setup = { .memory = 64 << 20, .cpu = EMU_CPU_X86_64, .serials = 2, .debug_port = 0x402 };
	setup.bios = (struct snap_blob){ g_memdup2("bios", 4), 4 };
	setup.vgabios = (struct snap_blob){ g_memdup2("vga", 3), 3 };
	setup.medium[0] = (struct setup_medium){ PC_DRIVE_DISK, SETUP_OVERLAY, 2048, g_strdup("/disk.img") };
	setup.medium[2] = (struct setup_medium){ PC_DRIVE_CDROM, SETUP_READ_ONLY, 99, g_strdup("/cd.iso") };
	setup.medium[PC_DISKS] = (struct setup_medium){ PC_DRIVE_NONE, SETUP_MEMORY, 2880, NULL };
	return setup;
}

static bool is_sane(const struct setup *setup)
{
	for (unsigned n = 0; n < SETUP_MEDIA; n++) {
		const struct setup_medium *medium = &setup->medium[n];
		bool is_file = medium->source != SETUP_NOTHING && medium->source != SETUP_MEMORY;
		if (medium->source >= SETUP_SOURCES || is_file != (medium->path && *medium->path == '/'))
			return false;
		if (medium->source == SETUP_MEMORY && medium->sectors > 32768)
			return false;
	}
	return setup->cpu <= EMU_CPU_X86_64 && setup->serials >= 1 && setup->serials <= PC_SERIAL;
}

START_TEST(any_byte_of_a_setup_changed)
{
	struct setup setup = example(), back = { 0 };
	struct snap *save = snap_new_save();
	size_t size;
	setup_state(&setup, save);
	const void *saved = snap_data(save, &size);
	uint8_t *data = g_memdup2(saved, size);
	for (size_t n = 0; n < size; n++)
		for (unsigned with = 1; with < 256; with = with * 2 + 1) {
			data[n] ^= (uint8_t)with;
			struct snap *load = snap_new_load(data, size);
			setup_state(&back, load);
			ck_assert_msg(snap_error(load) || is_sane(&back), "byte %zu", n);
			snap_free(load);
			setup_clear(&back);
			data[n] ^= (uint8_t)with;
		}
	struct snap *load = snap_new_load(data, size);
	setup_state(&back, load);
	ck_assert_ptr_null(snap_error(load));
	ck_assert_str_eq(back.medium[2].path, "/cd.iso");
	ck_assert_uint_eq(back.bios.size, 4);
	snap_free(load);
	snap_free(save);
	setup_clear(&back);
	setup_clear(&setup);
	g_free(data);
}
END_TEST

Suite *suite_state_file(void)
{
	Suite *suite = suite_create("state_file");
	TCase *tc = tcase_create("files");
	tcase_add_checked_fixture(tc, setup_folder, remove_folder);
	tcase_add_test(tc, what_was_written_is_read);
	tcase_add_test(tc, any_bit_changed_is_refused);
	tcase_add_test(tc, any_other_length_is_refused);
	tcase_add_test(tc, what_zlib_refuses_ends_the_reading);
	tcase_add_test(tc, places_that_are_none);
	tcase_add_test(tc, any_byte_of_a_setup_changed);
	suite_add_tcase(suite, tc);
	return suite;
}
