#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <glib/gstdio.h>

#include "cli/script_parse.h"
#include "cli/units.h"
#include "devmodel/keys.h"

static struct script *script;
static char *error;

static void setup(void)
{
	script = script_new();
	error = NULL;
}

static void teardown(void)
{
	script_free(script);
	g_free(error);
}

static const struct script_step *parse(const char *text)
{
	ck_assert_msg(script_parse_line(script, "--do", 7, text, &error), "%s: %s", text, error);
	ck_assert_ptr_null(error);
	return script_step(script, script_count(script) - 1);
}

/* Each of `words`, up to NULL, must be in the message. */
static void refuse(const char *text, const char *const *words)
{
	unsigned before = script_count(script);
	ck_assert_msg(!script_parse_line(script, "some.v2e", 3, text, &error), "accepted: %s", text);
	ck_assert_ptr_nonnull(error);
	ck_assert_msg(g_str_has_prefix(error, "some.v2e:3: "), "%s", error);
	ck_assert_msg(!strchr(error, '\n'), "%s", error);
	for (; *words; words++)
		ck_assert_msg(strstr(error, *words) != NULL, "'%s' is not in: %s", *words, error);
	ck_assert_uint_eq(script_count(script), before);
	g_clear_pointer(&error, g_free);
}
#define REFUSE(text, ...) refuse(text, (const char *const[]){ __VA_ARGS__, NULL })

#define MS UINT64_C(1000000)

START_TEST(every_command)
{
	const struct script_step *step = parse("wait-text Boot: 500ms");
	ck_assert_int_eq(step->verb, SCRIPT_wait_text);
	ck_assert_str_eq(step->text, "Boot:");
	ck_assert_uint_eq(step->time[0], 500 * MS);
	step = parse("wait-serial login");
	ck_assert_int_eq(step->verb, SCRIPT_wait_serial);
	ck_assert_uint_eq(step->time[0], 30000 * MS);
	step = parse("wait-stable 2s 1m");
	ck_assert_int_eq(step->verb, SCRIPT_wait_stable);
	ck_assert_uint_eq(step->time[0], 2000 * MS);
	ck_assert_uint_eq(step->time[1], 60000 * MS);
	step = parse("wait-stable 2s");
	ck_assert_uint_eq(step->time[1], 30000 * MS);
	ck_assert_int_eq(parse("wait-change")->verb, SCRIPT_wait_change);
	step = parse("wait-colours 300 0,10,640,16 5s");
	ck_assert_int_eq(step->verb, SCRIPT_wait_colours);
	ck_assert_uint_eq(step->count, 300);
	ck_assert_uint_eq(step->area.y, 10);
	ck_assert_uint_eq(step->area.width, 640);
	ck_assert_uint_eq(step->time[0], 5000 * MS);
	step = parse("wait-colours 2 5s");
	ck_assert_uint_eq(step->area.width, 0);
	ck_assert_uint_eq(step->time[0], 5000 * MS);
	step = parse("wait-colours 2 0,0,1,1");
	ck_assert_uint_eq(step->area.height, 1);
	ck_assert_uint_eq(step->time[0], 30000 * MS);
	step = parse("screenshot out.png");
	ck_assert_int_eq(step->verb, SCRIPT_screenshot);
	ck_assert_str_eq(step->text, "out.png");
	step = parse("screen-text -");
	ck_assert_int_eq(step->verb, SCRIPT_screen_text);
	ck_assert_str_eq(step->text, "-");
	step = parse("sleep 1.5s");
	ck_assert_int_eq(step->verb, SCRIPT_sleep);
	ck_assert_uint_eq(step->time[0], 1500 * MS);
	step = parse("quit 7");
	ck_assert_int_eq(step->verb, SCRIPT_quit);
	ck_assert_uint_eq(step->status, 7);
	ck_assert_uint_eq(parse("quit")->status, 0);
}
END_TEST

START_TEST(strokes)
{
	const struct script_step *step = parse("keys <down>a");
	ck_assert_int_eq(step->verb, SCRIPT_keys);
	ck_assert_uint_eq(step->strokes->len, 2);
	ck_assert_int_eq(g_array_index(step->strokes, struct key_stroke, 0).key, KEY_DOWN);
	ck_assert_int_eq(g_array_index(step->strokes, struct key_stroke, 1).key, KEY_A);
	step = parse("type \"<b\\n\"");
	ck_assert_int_eq(step->verb, SCRIPT_type);
	ck_assert_uint_eq(step->strokes->len, 3);
	ck_assert_int_eq(g_array_index(step->strokes, struct key_stroke, 0).key, KEY_COMMA);
	ck_assert_uint_eq(g_array_index(step->strokes, struct key_stroke, 0).modifiers, KEY_MODIFIER_SHIFT);
	ck_assert_int_eq(g_array_index(step->strokes, struct key_stroke, 2).key, KEY_ENTER);
	ck_assert_ptr_null(parse("sleep 1s")->strokes);
}
END_TEST

START_TEST(place_and_source)
{
	const struct script_step *step = parse("  sleep\t1s  # a nap");
	ck_assert_str_eq(step->file, "--do");
	ck_assert_uint_eq(step->line, 7);
	ck_assert_str_eq(step->source, "sleep\t1s  # a nap");
	ck_assert_str_eq(script_verb_name(step->verb), "sleep");
}
END_TEST

START_TEST(quoting)
{
	ck_assert_str_eq(parse("wait-text \"two words\"")->text, "two words");
	ck_assert_str_eq(parse("wait-text two\\ words")->text, "two words");
	ck_assert_str_eq(parse("wait-text \"a\\\"b\\\\c\"")->text, "a\"b\\c");
	ck_assert_str_eq(parse("wait-text a\\\"b\\\\c")->text, "a\"b\\c");
	ck_assert_str_eq(parse("wait-text x\"y z\"w")->text, "xy zw");
	ck_assert_str_eq(parse("wait-text \"\\n\\r\\t\\e\\x41\\xfF\"")->text, "\n\r\t\033A\xff");
	ck_assert_str_eq(parse("wait-text \"# no comment\"")->text, "# no comment");
	ck_assert_str_eq(parse("wait-text a#b")->text, "a#b");
	ck_assert_str_eq(parse("wait-text \\#b")->text, "#b");
	ck_assert_str_eq(parse("wait-text \\n")->text, "n");
}
END_TEST

START_TEST(nothing)
{
	static const char *const lines[] = { "", "   ", "\t", "# quit", "  # quit", "\r", "#" };
	for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
		ck_assert(script_parse_line(script, "f", 1, lines[i], &error));
	ck_assert_uint_eq(script_count(script), 0);
	ck_assert_str_eq(parse("wait-text abc # quit\r")->text, "abc");
}
END_TEST

START_TEST(wrong)
{
	REFUSE("wait-txt abc", "unknown command", "wait-txt", "did you mean wait-text");
	REFUSE("frobnicate", "unknown command", "wait-text, wait-serial");
	REFUSE("\"\" x", "unknown command");
	REFUSE("wait-text", "wait-text", "missing 'STRING'", "wait-text STRING [T]");
	REFUSE("wait-text a 1s 2s", "too much", "2s");
	REFUSE("wait-text hello world", "'world' is not a time");
	REFUSE("wait-text \"\"", "empty");
	REFUSE("type hello world", "too much", "'world'", "quote");
	REFUSE("wait-text \"abc", "quote is not closed");
	REFUSE("wait-text \"abc\\", "quote is not closed");
	REFUSE("wait-text abc\\", "nothing follows");
	REFUSE("wait-text \"\\x4\"", "hexadecimal");
	REFUSE("wait-text \"\\x00\"", "hexadecimal");
	REFUSE("wait-text a\nquit", "'quit' is not a time");
	REFUSE("wait-stable", "missing 'T1'");
	REFUSE("wait-stable 5s 1s", "T1 (5s) is longer than T2 (1s)");
	REFUSE("wait-stable 31s", "longer");
	REFUSE("wait-change 1,2,3,4", "'1,2,3,4' is not a time");
	REFUSE("wait-colors 2", "did you mean wait-colours");
	REFUSE("wait-colours", "missing 'N'", "wait-colours N [X,Y,WIDTH,HEIGHT] [T]");
	REFUSE("wait-colours 0", "out of range");
	REFUSE("wait-colours 16777217", "out of range");
	REFUSE("wait-colours 2 1,2,3", "'1,2,3' is no rectangle");
	REFUSE("wait-colours 2 1,2,0,4", "out of range");
	REFUSE("wait-colours 2 5s 0,0,1,1", "too much: '0,0,1,1'");
	REFUSE("keys <nosuchkey>", "keys", "nosuchkey");
	REFUSE("keys", "missing 'KEYS'");
	REFUSE("type \xc3\xa9", "type");
	REFUSE("screenshot out.jpg", ".png");
	REFUSE("screenshot", "missing 'FILE.png'");
	REFUSE("screen-text", "missing 'FILE'");
	REFUSE("sleep", "missing 'T'");
	REFUSE("sleep 5", "'5' is not a time", "500ms");
	REFUSE("sleep 0s", "out of range");
	REFUSE("sleep 99999999999999999999s", "not a time");
	REFUSE("sleep 20000h", "out of range");
	REFUSE("quit 256", "out of range");
	REFUSE("quit -1", "not a number");
	REFUSE("quit 1 2", "too much");
}
END_TEST

static char *write_file(const char *contents, gssize size)
{
	char *path;
	int fd = g_file_open_tmp("v2e-script-XXXXXX", &path, NULL);
	ck_assert_int_ge(fd, 0);
	g_close(fd, NULL);
	ck_assert(g_file_set_contents(path, contents, size, NULL));
	return path;
}

START_TEST(file)
{
	g_autofree char *path = write_file("# boots\n\nwait-text a\r\n  quit 3", -1);
	ck_assert(script_parse_file(script, path, &error));
	remove(path);
	ck_assert_uint_eq(script_count(script), 2);
	ck_assert_uint_eq(script_step(script, 0)->line, 3);
	ck_assert_str_eq(script_step(script, 0)->text, "a");
	ck_assert_uint_eq(script_step(script, 1)->line, 4);
	ck_assert_uint_eq(script_step(script, 1)->status, 3);
	ck_assert_str_eq(script_step(script, 1)->file, path);
}
END_TEST

static void refuse_file(const char *path, const char *word)
{
	ck_assert(!script_parse_file(script, path, &error));
	ck_assert_msg(g_str_has_prefix(error, path) && strstr(error, word), "%s", error);
	g_clear_pointer(&error, g_free);
}

START_TEST(wrong_files)
{
	refuse_file("/nonexistent/x.v2e", "No such file");
	refuse_file("/tmp", "directory");
	g_autofree char *binary = write_file("quit \xff\xfe", -1);
	refuse_file(binary, "UTF-8");
	remove(binary);
	g_autofree char *nul = write_file("quit\0", 5);
	refuse_file(nul, "UTF-8");
	remove(nul);
	g_autofree char *big_text = g_strnfill(SCRIPT_FILE_MAX + 1, '\n');
	g_autofree char *big = write_file(big_text, -1);
	refuse_file(big, "1 MiB");
	remove(big);
	g_autofree char *second = write_file("quit\nquit now\n", -1);
	ck_assert(!script_parse_file(script, second, &error));
	g_autofree char *place = g_strdup_printf("%s:2: quit: 'now'", second);
	ck_assert_msg(g_str_has_prefix(error, place), "%s", error);
	remove(second);
}
END_TEST

START_TEST(units)
{
	uint64_t value;
	ck_assert(units_parse_time("3h", &value, &error) && value == UINT64_C(10800) * 1000 * MS);
	ck_assert(units_parse_time("0.25ms", &value, &error) && value == 250000);
	ck_assert(units_parse_time("7us", &value, &error) && value == 7000);
	ck_assert(units_parse_time("1ns", &value, &error) && value == 1);
	ck_assert(units_parse_time("2M", &value, &error) && value == 120000 * MS);
	static const char *const bad[] = { "", "s", "1", "1 s", "-1s", "1.s", ".5s", "1sec", "0x1s", "0.1ns", "10001h" };
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		ck_assert_msg(!units_parse_time(bad[i], &value, &error), "%s", bad[i]);
		g_clear_pointer(&error, g_free);
	}
	static const struct { uint64_t ns; const char *text; } times[] = {
		{ 0, "0s" }, { 1, "1ns" }, { 1500, "1500ns" }, { 500 * MS, "500ms" }, { 90000 * MS, "90s" },
		{ 120000 * MS, "2m" }, { UINT64_C(3600000) * MS, "1h" },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(times); i++) {
		g_autofree char *text = units_format_time(times[i].ns);
		ck_assert_str_eq(text, times[i].text);
	}
}
END_TEST

Suite *suite_script_parse(void)
{
	Suite *suite = suite_create("script_parse");
	TCase *tcase = tcase_create("script_parse");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, every_command);
	tcase_add_test(tcase, strokes);
	tcase_add_test(tcase, place_and_source);
	tcase_add_test(tcase, quoting);
	tcase_add_test(tcase, nothing);
	tcase_add_test(tcase, wrong);
	tcase_add_test(tcase, file);
	tcase_add_test(tcase, wrong_files);
	tcase_add_test(tcase, units);
	suite_add_tcase(suite, tcase);
	return suite;
}
