#include "devmodel/keys.h"

#include <check.h>
#include <string.h>

static GArray *strokes;

static void setup(void)
{
	strokes = g_array_new(FALSE, FALSE, sizeof(struct key_stroke));
}

static void teardown(void)
{
	g_array_free(strokes, TRUE);
}

static void expect_stroke(guint i, enum key key, unsigned modifiers)
{
	ck_assert_uint_lt(i, strokes->len);
	ck_assert_int_eq(g_array_index(strokes, struct key_stroke, i).key, key);
	ck_assert_uint_eq(g_array_index(strokes, struct key_stroke, i).modifiers, modifiers);
}

static void parse(const char *text, guint count)
{
	char *error = NULL;
	g_array_set_size(strokes, 0);
	ck_assert_msg(keys_parse(text, strokes, &error), "%s: %s", text, error);
	ck_assert_uint_eq(strokes->len, count);
}

static void refuse(const char *text, const char *because)
{
	char *error = NULL;
	struct key_stroke kept = { KEY_A, 0 };
	g_array_set_size(strokes, 0);
	g_array_append_val(strokes, kept);
	ck_assert_msg(!keys_parse(text, strokes, &error), "%s", text);
	ck_assert_ptr_nonnull(error);
	ck_assert_msg(strstr(error, because) != NULL, "%s: %s", text, error);
	ck_assert_uint_eq(strokes->len, 1);
	g_free(error);
}

START_TEST(characters)
{
	parse("aZ0)_ \n\t>", 9);
	expect_stroke(0, KEY_A, 0);
	expect_stroke(1, KEY_Z, KEY_MODIFIER_SHIFT);
	expect_stroke(2, KEY_0, 0);
	expect_stroke(3, KEY_0, KEY_MODIFIER_SHIFT);
	expect_stroke(4, KEY_MINUS, KEY_MODIFIER_SHIFT);
	expect_stroke(5, KEY_SPACE, 0);
	expect_stroke(6, KEY_ENTER, 0);
	expect_stroke(7, KEY_TAB, 0);
	expect_stroke(8, KEY_PERIOD, KEY_MODIFIER_SHIFT);
	parse("", 0);
}
END_TEST

START_TEST(every_printable_character)
{
	for (char c = ' '; c < 0x7f; c++) {
		struct key_stroke stroke;
		ck_assert_msg(keys_from_char(c, &stroke), "%c", c);
		ck_assert_uint_eq(stroke.modifiers & ~(unsigned)KEY_MODIFIER_SHIFT, 0);
	}
	struct key_stroke stroke;
	ck_assert(!keys_from_char('\0', &stroke));
	ck_assert(!keys_from_char('\001', &stroke));
	ck_assert(!keys_from_char((char)0xe4, &stroke));
}
END_TEST

START_TEST(names)
{
	parse("<down><enter>abc", 5);
	expect_stroke(0, KEY_DOWN, 0);
	expect_stroke(1, KEY_ENTER, 0);
	expect_stroke(4, KEY_C, 0);
	parse("<F1><Esc><PgUp><kp5><a>", 5);
	expect_stroke(0, KEY_F1, 0);
	expect_stroke(1, KEY_ESCAPE, 0);
	expect_stroke(2, KEY_PAGE_UP, 0);
	expect_stroke(3, KEY_PAD_5, 0);
	expect_stroke(4, KEY_A, 0);
}
END_TEST

START_TEST(modifiers)
{
	parse("<ctrl-alt-del><shift-a><ctrl-C><altgr-e><meta-f12>", 5);
	expect_stroke(0, KEY_DELETE, KEY_MODIFIER_CTRL | KEY_MODIFIER_ALT);
	expect_stroke(1, KEY_A, KEY_MODIFIER_SHIFT);
	expect_stroke(2, KEY_C, KEY_MODIFIER_CTRL | KEY_MODIFIER_SHIFT);
	expect_stroke(3, KEY_E, KEY_MODIFIER_ALTGR);
	expect_stroke(4, KEY_F12, KEY_MODIFIER_META);
	parse("<shift><ctrl-shift>", 2);
	expect_stroke(0, KEY_LEFT_SHIFT, 0);
	expect_stroke(1, KEY_LEFT_SHIFT, KEY_MODIFIER_CTRL);
}
END_TEST

START_TEST(awkward_characters)
{
	parse("<lt><gt><ctrl--><-><>>", 5);
	expect_stroke(0, KEY_COMMA, KEY_MODIFIER_SHIFT);
	expect_stroke(1, KEY_PERIOD, KEY_MODIFIER_SHIFT);
	expect_stroke(2, KEY_MINUS, KEY_MODIFIER_CTRL);
	expect_stroke(3, KEY_MINUS, 0);
	expect_stroke(4, KEY_PERIOD, KEY_MODIFIER_SHIFT);
}
END_TEST

START_TEST(mistakes)
{
	refuse("ab<down", "<lt>");
	refuse("<", "<lt>");
	refuse("<>", "<lt>");
	refuse("a<frobnicate>", "frobnicate");
	refuse("<ctrl-frob>", "frob");
	refuse("<ctrl->", "ctrl-");
	refuse("<none>", "none");
	refuse("\xc3\xa4", "C3h");
}
END_TEST

START_TEST(literal)
{
	char *error = NULL;
	ck_assert(keys_parse_literal("<f1>", strokes, &error));
	ck_assert_uint_eq(strokes->len, 4);
	expect_stroke(0, KEY_COMMA, KEY_MODIFIER_SHIFT);
	expect_stroke(1, KEY_F, 0);
	ck_assert(!keys_parse_literal("ok\x01", strokes, &error));
	ck_assert_uint_eq(strokes->len, 4);
	g_free(error);
}
END_TEST

START_TEST(names_lead_back_to_keys)
{
	for (unsigned key = 1; key < KEYS; key++) {
		ck_assert_str_ne(keys_name((enum key)key), "none");
		ck_assert_int_eq(keys_by_name(keys_name((enum key)key)), (int)key);
		char *text = g_strdup_printf("<%s>", keys_name((enum key)key));
		parse(text, 1);
		expect_stroke(0, (enum key)key, 0);
		g_free(text);
	}
	ck_assert_int_eq(keys_by_name("/"), KEY_SLASH);
	ck_assert_int_eq(keys_by_name("?"), KEY_NONE);
	ck_assert_int_eq(keys_by_name(""), KEY_NONE);
	ck_assert_str_eq(keys_name(KEYS), "none");
}
END_TEST

START_TEST(expansion)
{
	static const struct key_event expected[] = {
		{ KEY_LEFT_CTRL, true },  { KEY_LEFT_ALT, true },   { KEY_DELETE, true },
		{ KEY_DELETE, false },    { KEY_LEFT_ALT, false },  { KEY_LEFT_CTRL, false },
	};
	GArray *events = g_array_new(FALSE, FALSE, sizeof(struct key_event));
	keys_expand(&(struct key_stroke){ KEY_DELETE, KEY_MODIFIER_CTRL | KEY_MODIFIER_ALT }, events);
	ck_assert_uint_eq(events->len, G_N_ELEMENTS(expected));
	for (guint i = 0; i < events->len; i++) {
		ck_assert_int_eq(g_array_index(events, struct key_event, i).key, expected[i].key);
		ck_assert(g_array_index(events, struct key_event, i).down == expected[i].down);
	}
	g_array_free(events, TRUE);
}
END_TEST

Suite *suite_keys(void)
{
	Suite *suite = suite_create("keys");
	TCase *tcase = tcase_create("keys");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, characters);
	tcase_add_test(tcase, every_printable_character);
	tcase_add_test(tcase, names);
	tcase_add_test(tcase, modifiers);
	tcase_add_test(tcase, awkward_characters);
	tcase_add_test(tcase, mistakes);
	tcase_add_test(tcase, literal);
	tcase_add_test(tcase, names_lead_back_to_keys);
	tcase_add_test(tcase, expansion);
	suite_add_tcase(suite, tcase);
	return suite;
}
