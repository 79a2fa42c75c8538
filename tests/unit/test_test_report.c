/* Results and reports. */
#define test_result check_test_result /* Check has an enum of that name */
#include <check.h>
#undef test_result
#include <stdlib.h>
#include <string.h>

#include <glib/gstdio.h>

#include "cli/test_report.h"

static struct test_suite suite;
static struct test_file file;
static char *text;

static struct test_entry *add(const char *title, enum test_outcome outcome, const char *message)
{
	struct test_entry *entry = g_new0(struct test_entry, 1);
	entry->file = &file;
	entry->title = g_strdup(title);
	entry->folder = g_strdup("/nonexistent/folder");
	entry->result = test_result_new();
	entry->result->outcome = outcome;
	if (message)
		g_ptr_array_add(entry->result->messages, g_strdup(message));
	g_ptr_array_add(suite.entries, entry);
	return entry;
}

static void free_entry(void *data)
{
	struct test_entry *entry = data;
	g_free(entry->title);
	g_free(entry->folder);
	test_result_free(entry->result);
	g_free(entry);
}

static void setup(void)
{
	file = (struct test_file){ .path = (char *)"a.v2etest", .name = (char *)"a" };
	suite.entries = g_ptr_array_new_with_free_func(free_entry);
	text = NULL;
}

static void teardown(void)
{
	g_ptr_array_unref(suite.entries);
	free(text);
}

static void report_tap(const struct test_entry *entry, unsigned n)
{
	size_t size;
	free(text);
	FILE *out = open_memstream(&text, &size);
	test_report_tap_entry(entry, n, out);
	fclose(out);
}

START_TEST(tap)
{
	report_tap(add("one", TEST_PASSED, NULL), 1);
	ck_assert_str_eq(text, "ok 1 - one\n");
	report_tap(add("two #3 \\ \n", TEST_FAILED, "first\nsecond"), 2);
	ck_assert_str_eq(text, "not ok 2 - two \\#3 \\\\ ?\n# first\n# second\n# artefacts: /nonexistent/folder\n");
	report_tap(add("three", TEST_BROKEN, "crashed"), 3);
	ck_assert_str_eq(text, "not ok 3 - three\n# crashed\n# artefacts: /nonexistent/folder\n");
	report_tap(add("four", TEST_NOT_RUN, NULL), 4);
	ck_assert_str_eq(text, "ok 4 - four # SKIP not run\n");
}
END_TEST

START_TEST(counts)
{
	add("a", TEST_PASSED, NULL);
	add("b", TEST_FAILED, NULL);
	add("c", TEST_BROKEN, NULL);
	test_result_free(add("d", TEST_PASSED, NULL)->result);
	((struct test_entry *)suite.entries->pdata[3])->result = NULL;
	struct test_counts sum = test_report_count(&suite);
	ck_assert_uint_eq(sum.passed, 1);
	ck_assert_uint_eq(sum.failed, 2);
	ck_assert_uint_eq(sum.not_run, 1);
}
END_TEST

static void report_junit(void)
{
	size_t size;
	free(text);
	FILE *out = open_memstream(&text, &size);
	ck_assert(test_report_junit(&suite, out));
	fclose(out);
}

#define HAS(part) ck_assert_msg(strstr(text, part) != NULL, "no '%s' in %s", part, text)

START_TEST(junit)
{
	add("a", TEST_PASSED, NULL);
	add("b <&\"'>", TEST_FAILED, "line 1 \001\x7f\xff\r\nline 2 ]]>");
	add("c", TEST_BROKEN, "crashed");
	add("d", TEST_NOT_RUN, NULL);
	report_junit();
	HAS("<testsuite name=\"v2e test\" tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"1\"");
	HAS("name=\"b &lt;&amp;&quot;&apos;&gt;\" file=\"a.v2etest\"");
	HAS("<failure type=\"failed\" message=\"line 1 \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd&#10;line 2 ]]&gt;\">");
	HAS("<error type=\"broken\" message=\"crashed\">");
	HAS("<skipped/>");
	for (const char *c = text; *c; c++)
		ck_assert_msg((unsigned char)*c >= 0x20 || *c == '\n', "control character %d", *c);
}
END_TEST

START_TEST(results)
{
	g_autofree char *path = NULL;
	g_close(g_file_open_tmp("v2e-result-XXXXXX", &path, NULL), NULL);
	ck_assert_ptr_null(test_result_load(path)); /* only the mark of a folder */
	struct test_result *result = test_result_new(), *back;
	ck_assert_int_eq(result->outcome, TEST_NOT_RUN);
	test_result_fail(result, TEST_BROKEN, g_strdup("first; with \\ and\nanother line \xff"));
	test_result_fail(result, TEST_FAILED, g_strdup("second"));
	ck_assert_int_eq(result->outcome, TEST_BROKEN);
	result->status = 67;
	result->guest_ns = UINT64_MAX;
	result->transitions = 12;
	ck_assert(test_result_save(result, path));
	back = test_result_load(path);
	ck_assert_ptr_nonnull(back);
	ck_assert_int_eq(back->outcome, TEST_BROKEN);
	ck_assert_uint_eq(back->messages->len, 2);
	ck_assert_str_eq(back->messages->pdata[0], "first; with \\ and\nanother line \xef\xbf\xbd");
	ck_assert_int_eq(back->status, 67);
	ck_assert_uint_eq(back->guest_ns, UINT64_MAX);
	ck_assert_uint_eq(back->transitions, 12);
	test_result_free(back);
	test_result_free(result);
	ck_assert(g_file_set_contents(path, "[result]\noutcome=marvellous\n", -1, NULL));
	ck_assert_ptr_null(test_result_load(path));
	g_remove(path);
	ck_assert_ptr_null(test_result_load(path));
}
END_TEST

Suite *suite_test_report(void)
{
	Suite *all = suite_create("test_report");
	TCase *tcase = tcase_create("test_report");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, tap);
	tcase_add_test(tcase, counts);
	tcase_add_test(tcase, junit);
	tcase_add_test(tcase, results);
	suite_add_tcase(all, tcase);
	return all;
}
