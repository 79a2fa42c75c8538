#include "devmodel/surface.h"

#include <check.h>
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <png.h>
#include <string.h>
#include <sys/stat.h>

#include "devmodel/display_png.h"

static char *folder, *file;

static void setup(void)
{
	folder = g_dir_make_tmp("v2e-surface-XXXXXX", NULL);
	ck_assert_ptr_nonnull(folder);
	file = g_build_filename(folder, "screen.png", NULL);
}

static void teardown(void)
{
	g_unlink(file);
	ck_assert_msg(!g_rmdir(folder), "something was left beside the picture");
	g_free(file);
	g_free(folder);
}

static struct surface *gradient(unsigned width, unsigned height)
{
	struct surface *surface = surface_new(width, height);
	for (unsigned y = 0; y < height; y++)
		for (unsigned x = 0; x < width; x++)
			surface_row(surface, y)[x] = (x & 0xff) << 16 | (y & 0xff) << 8 | ((x * y) & 0xff);
	return surface;
}

START_TEST(new_is_black)
{
	struct surface *surface = surface_new(7, 5);
	ck_assert_uint_eq(surface->width, 7);
	ck_assert_uint_eq(surface->height, 5);
	for (unsigned i = 0; i < 35; i++)
		ck_assert_uint_eq(surface->pixels[i], 0);
	surface_free(surface);
	surface_free(NULL);
	ck_assert_ptr_null(surface_new(SURFACE_MAX_SIDE + 1, 1));
	ck_assert_ptr_null(surface_new(1, SURFACE_MAX_SIDE + 1));
}
END_TEST

START_TEST(resize)
{
	struct surface *surface = surface_new(4, 4);
	surface_fill(surface, 0x123456);
	ck_assert(surface_resize(surface, 4, 4));
	ck_assert_uint_eq(surface->pixels[15], 0x123456);
	ck_assert(!surface_resize(surface, 4, SURFACE_MAX_SIDE + 1));
	ck_assert_uint_eq(surface->height, 4);
	ck_assert_uint_eq(surface->pixels[15], 0x123456);
	ck_assert(surface_resize(surface, 8, 2));
	ck_assert_uint_eq(surface->width, 8);
	for (unsigned i = 0; i < 16; i++)
		ck_assert_uint_eq(surface->pixels[i], 0);
	ck_assert(surface_resize(surface, 0, 9));
	surface_fill(surface, 1);
	surface_free(surface);
}
END_TEST

START_TEST(hash_and_equality)
{
	struct surface *a = gradient(64, 48), *b = gradient(64, 48);
	ck_assert(surface_equal(a, b));
	ck_assert_uint_eq(surface_hash(a), surface_hash(b));
	for (unsigned bit = 0; bit < 24; bit++) {
		b->pixels[1000] ^= 1u << bit;
		ck_assert(!surface_equal(a, b));
		ck_assert_uint_ne(surface_hash(a), surface_hash(b));
		b->pixels[1000] ^= 1u << bit;
	}
	surface_free(b);
	/* The same bytes in another shape are another picture. */
	b = surface_new(48, 64);
	memcpy(b->pixels, a->pixels, 64 * 48 * sizeof *a->pixels);
	ck_assert(!surface_equal(a, b));
	ck_assert_uint_ne(surface_hash(a), surface_hash(b));
	surface_free(b);
	surface_free(a);
	a = surface_new(0, 0);
	b = surface_new(0, 0);
	ck_assert(surface_equal(a, b));
	surface_free(b);
	surface_free(a);
}
END_TEST

START_TEST(png_round_trip)
{
	static const unsigned sizes[][2] = { { 1, 1 }, { 320, 200 }, { 721, 3 }, { 1024, 768 } };
	for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
		struct surface *written = gradient(sizes[i][0], sizes[i][1]), *read = surface_new(3, 3);
		char *error = NULL;
		ck_assert_msg(!display_png_write(written, file, &error), "%s", error);
		ck_assert_msg(!display_png_read(read, file, &error), "%s", error);
		ck_assert(surface_equal(written, read));
		surface_free(read);
		surface_free(written);
	}
}
END_TEST

START_TEST(png_is_readable_by_others)
{
	struct surface *surface = gradient(8, 8);
	mode_t old = umask(022);
	ck_assert_int_eq(display_png_write(surface, file, NULL), 0);
	umask(old);
	GStatBuf info;
	ck_assert_int_eq(g_stat(file, &info), 0);
	ck_assert_uint_eq(info.st_mode & 0777, 0644);
	surface_free(surface);
}
END_TEST

static void expect_error(int result, int code, char *error)
{
	ck_assert_int_eq(result, code);
	ck_assert_ptr_nonnull(error);
	g_free(error);
}

START_TEST(png_write_errors)
{
	struct surface *surface = gradient(8, 8), *empty = surface_new(0, 0);
	char *error = NULL;
	char *nowhere = g_build_filename(folder, "no", "such.png", NULL);
	int result = display_png_write(surface, nowhere, &error);
	expect_error(result, -ENOENT, error);
	error = NULL;
	result = display_png_write(empty, file, &error);
	expect_error(result, -EINVAL, error);
	error = NULL;
	result = display_png_write(surface, folder, &error); /* a folder is there */
	ck_assert_int_lt(result, 0);
	ck_assert_ptr_nonnull(error);
	g_free(error);
	ck_assert_int_eq(display_png_write(surface, nowhere, NULL), -ENOENT);
	g_free(nowhere);
	surface_free(empty);
	surface_free(surface);
}
END_TEST

START_TEST(png_read_errors)
{
	struct surface *surface = gradient(8, 8), *kept = gradient(8, 8);
	char *error = NULL, *data;
	gsize size;
	int result = display_png_read(surface, file, &error);
	expect_error(result, -ENOENT, error);
	ck_assert(g_file_set_contents(file, "GIF89a, not a PNG", -1, NULL));
	error = NULL;
	result = display_png_read(surface, file, &error);
	expect_error(result, -EINVAL, error);
	ck_assert_int_eq(display_png_write(surface, file, NULL), 0);
	ck_assert(g_file_get_contents(file, &data, &size, NULL));
	ck_assert(g_file_set_contents(file, data, (gssize)(size / 2), NULL));
	error = NULL;
	result = display_png_read(surface, file, &error);
	expect_error(result, -EINVAL, error);
	ck_assert(surface_equal(surface, kept));
	g_free(data);
	surface_free(kept);
	surface_free(surface);
}
END_TEST

START_TEST(png_too_large)
{
	png_image image = {
		.version = PNG_IMAGE_VERSION, .width = SURFACE_MAX_SIDE + 1, .height = 1, .format = PNG_FORMAT_GRAY,
	};
	uint8_t *row = g_malloc0(SURFACE_MAX_SIDE + 1);
	struct surface *surface = surface_new(1, 1);
	char *error = NULL;
	ck_assert(png_image_write_to_file(&image, file, 0, row, 0, NULL));
	int result = display_png_read(surface, file, &error);
	expect_error(result, -EINVAL, error);
	ck_assert_uint_eq(surface->width, 1);
	surface_free(surface);
	g_free(row);
}
END_TEST

START_TEST(png_transparency_on_black)
{
	static const uint8_t rgba[] = { 255, 255, 255, 0, 10, 20, 30, 255 };
	png_image image = { .version = PNG_IMAGE_VERSION, .width = 2, .height = 1, .format = PNG_FORMAT_RGBA };
	struct surface *surface = surface_new(0, 0);
	ck_assert(png_image_write_to_file(&image, file, 0, rgba, 0, NULL));
	ck_assert_int_eq(display_png_read(surface, file, NULL), 0);
	ck_assert_uint_eq(surface->pixels[0], 0);
	ck_assert_uint_eq(surface->pixels[1], 0x0a141e);
	surface_free(surface);
}
END_TEST

START_TEST(counts_colors)
{
	struct surface *surface = surface_new(10, 5);
	struct surface_area all = { 0, 0, 10, 5 }, last = { 9, 4, 1, 1 }, upper = { 0, 0, 10, 4 };
	ck_assert_uint_eq(surface_count_colors(surface, &all, 9), 1);
	surface_row(surface, 4)[9] = 0xffffff;
	surface_row(surface, 4)[7] = 0xffffff;
	surface_row(surface, 0)[0] = 0x000001;
	ck_assert_uint_eq(surface_count_colors(surface, &all, 9), 3);
	ck_assert_uint_eq(surface_count_colors(surface, &all, 2), 2);
	ck_assert_uint_eq(surface_count_colors(surface, &last, 9), 1);
	ck_assert_uint_eq(surface_count_colors(surface, &upper, 9), 2);
	surface_free(surface);
}
END_TEST

START_TEST(counts_no_colors_outside)
{
	static const struct surface_area outside[] = {
		{ 0, 0, 11, 5 }, { 0, 0, 10, 6 }, { 10, 0, 1, 1 }, { 0, 5, 1, 1 }, { 11, 0, 1, 1 }, { 5, 0, UINT32_MAX, 1 }, { 0, 3, 1, UINT32_MAX },
	};
	struct surface *surface = surface_new(10, 5), *none = surface_new(0, 0);
	for (size_t i = 0; i < G_N_ELEMENTS(outside); i++)
		ck_assert_uint_eq(surface_count_colors(surface, &outside[i], 9), 0);
	ck_assert_uint_eq(surface_count_colors(none, &(struct surface_area){ 0, 0, 1, 1 }, 9), 0);
	ck_assert_uint_eq(surface_count_colors(none, &(struct surface_area){ 0 }, 9), 0);
	surface_free(surface);
	surface_free(none);
}
END_TEST

Suite *suite_surface(void)
{
	Suite *suite = suite_create("surface");
	TCase *tcase = tcase_create("surface");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, new_is_black);
	tcase_add_test(tcase, resize);
	tcase_add_test(tcase, hash_and_equality);
	tcase_add_test(tcase, counts_colors);
	tcase_add_test(tcase, counts_no_colors_outside);
	tcase_add_test(tcase, png_round_trip);
	tcase_add_test(tcase, png_is_readable_by_others);
	tcase_add_test(tcase, png_write_errors);
	tcase_add_test(tcase, png_read_errors);
	tcase_add_test(tcase, png_too_large);
	tcase_add_test(tcase, png_transparency_on_black);
	suite_add_tcase(suite, tcase);
	return suite;
}
