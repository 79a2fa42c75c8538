#include <check.h>
#include <string.h>

#include <glib/gstdio.h>

#include "cli/test_picture.h"
#include "cli/units.h"
#include "devmodel/display_png.h"

static struct surface *seen, *wanted, *difference;
static struct test_picture how;
static char *why;

static void setup(void)
{
	seen = surface_new(8, 4);
	wanted = surface_new(8, 4);
	difference = surface_new(0, 0);
	how = (struct test_picture){ 0 };
	why = NULL;
}

static void teardown(void)
{
	surface_free(seen);
	surface_free(wanted);
	surface_free(difference);
	test_picture_clear(&how);
	g_free(why);
}

static bool equal(void)
{
	g_clear_pointer(&why, g_free);
	return test_picture_equal(&how, seen, wanted, difference, &why);
}

static void ignore(const char *text)
{
	struct surface_area rectangle;
	ck_assert(units_parse_area(text, &rectangle, &why));
	if (!how.ignore)
		how.ignore = g_array_new(FALSE, FALSE, sizeof rectangle);
	g_array_append_val(how.ignore, rectangle);
}

START_TEST(exact)
{
	ck_assert(equal());
	surface_row(seen, 2)[5] = 0x000001;
	ck_assert(!equal());
	ck_assert_str_eq(why, "1 pixels differ, by up to 1, between 5,2 and 5,2");
	ck_assert_uint_eq(surface_row(difference, 2)[5], 0xff0000);
	ck_assert_uint_ne(surface_row(difference, 2)[4], 0xff0000);
}
END_TEST

START_TEST(extent)
{
	surface_row(seen, 1)[6] = 0x100000;
	surface_row(seen, 3)[2] = 0x002000;
	surface_row(seen, 2)[3] = 0x000030;
	ck_assert(!equal());
	ck_assert_str_eq(why, "3 pixels differ, by up to 48, between 2,1 and 6,3");
}
END_TEST

START_TEST(tolerance)
{
	surface_row(seen, 0)[0] = 0x030201;
	how.tolerance = 3;
	ck_assert(equal());
	how.tolerance = 2;
	ck_assert(!equal());
	/* Off in the other direction. */
	surface_row(wanted, 0)[0] = 0x060504;
	how.tolerance = 3;
	ck_assert(equal());
}
END_TEST

START_TEST(pixels)
{
	surface_row(seen, 0)[0] = surface_row(seen, 3)[7] = 0xffffff;
	how.pixels = 2;
	ck_assert(equal());
	how.pixels = 1;
	ck_assert(!equal());
}
END_TEST

START_TEST(rectangles)
{
	surface_row(seen, 1)[2] = surface_row(seen, 3)[7] = 0xffffff;
	ignore("2,1,1,1");
	ck_assert(!equal());
	ck_assert_ptr_nonnull(strstr(why, "1 pixels"));
	ignore("7,3,8192,8192");
	ck_assert(equal());
}
END_TEST

START_TEST(masks)
{
	struct surface *mask = surface_new(8, 4);
	g_autofree char *path = NULL;
	g_close(g_file_open_tmp("v2e-mask-XXXXXX.png", &path, NULL), NULL);
	surface_fill(mask, 0xffffff);
	surface_row(mask, 2)[2] = 0;
	ck_assert_int_eq(display_png_write(mask, path, NULL), 0);
	how.mask = g_strdup(path);
	surface_row(seen, 2)[2] = 0xff;
	ck_assert(equal());
	surface_row(seen, 2)[3] = 0xff;
	ck_assert(!equal());
	surface_resize(mask, 4, 4);
	ck_assert_int_eq(display_png_write(mask, path, NULL), 0);
	ck_assert(!equal());
	ck_assert_ptr_nonnull(strstr(why, "is 4x4, the screen 8x4"));
	g_remove(path);
	ck_assert(!equal());
	ck_assert_ptr_nonnull(strstr(why, "cannot be read"));
	surface_free(mask);
}
END_TEST

START_TEST(sizes)
{
	surface_resize(wanted, 9, 4);
	ck_assert(!equal());
	ck_assert_str_eq(why, "the screen is 8x4, not 9x4");
	ck_assert_uint_eq(difference->width, 0);
	surface_resize(wanted, 0, 0);
	surface_resize(seen, 0, 0);
	ck_assert(equal());
}
END_TEST

START_TEST(bad_rectangles)
{
	static const char *const all[] = { "", "1,2,3", "1,2,3,4,5", "1,2,0,4", "1,2,3,x", "9000,0,1,1" };
	for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
		struct surface_area rectangle;
		g_clear_pointer(&why, g_free);
		ck_assert_msg(!units_parse_area(all[i], &rectangle, &why), "%s", all[i]);
		ck_assert_ptr_nonnull(why);
	}
}
END_TEST

Suite *suite_test_picture(void)
{
	Suite *suite = suite_create("test_picture");
	TCase *tcase = tcase_create("test_picture");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, exact);
	tcase_add_test(tcase, extent);
	tcase_add_test(tcase, tolerance);
	tcase_add_test(tcase, pixels);
	tcase_add_test(tcase, rectangles);
	tcase_add_test(tcase, masks);
	tcase_add_test(tcase, sizes);
	tcase_add_test(tcase, bad_rectangles);
	suite_add_tcase(suite, tcase);
	return suite;
}
