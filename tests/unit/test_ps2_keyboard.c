#include "tests/unit/i8042_rig.h"

#include <glib.h>

#include "devmodel/ps2_keyboard.h"
#include "devmodel/ps2_scancodes.h"
#include "shared/snap.h"

static struct rig rig;
static struct ps2_keyboard *keyboard;

static void setup(void)
{
	rig_start(&rig);
	keyboard = ps2_keyboard_new(rig.kbc);
	rig_command_with(&rig, 0x60, 0x01); /* enabled, no translation */
}

static void teardown(void)
{
	ps2_keyboard_free(keyboard);
	rig_stop(&rig);
}

static void command(uint8_t byte)
{
	rig_send(&rig, byte);
	rig_expect(&rig, 0xfa);
}

static void command_with(uint8_t byte, uint8_t parameter)
{
	command(byte);
	command(parameter);
}

static void press(enum key key)
{
	ps2_keyboard_key(keyboard, key, true);
}

static void lift(enum key key)
{
	ps2_keyboard_key(keyboard, key, false);
}

START_TEST(reset_passes_its_test)
{
	rig_send(&rig, 0xff);
	rig_expect(&rig, 0xfa, 0xaa);
	press(KEY_A); /* and scans */
	rig_expect(&rig, 0x1c);
}
END_TEST

START_TEST(echo_and_identity)
{
	rig_send(&rig, 0xee);
	rig_expect(&rig, 0xee);
	rig_send(&rig, 0xf2);
	rig_expect(&rig, 0xfa, 0xab, 0x83);
	rig_command_with(&rig, 0x60, 0x41);
	rig_send(&rig, 0xf2);
	rig_expect(&rig, 0xfa, 0xab, 0x41);
}
END_TEST

START_TEST(unknown_commands_are_refused)
{
	static const uint8_t unknown[] = { 0xef, 0xf1, 0x00, 0x55, 0xec };
	for (unsigned i = 0; i < sizeof unknown; i++) {
		rig_send(&rig, unknown[i]);
		rig_expect(&rig, 0xfe);
	}
}
END_TEST

START_TEST(leds)
{
	command_with(0xed, 0x07);
	ck_assert_uint_eq(ps2_keyboard_leds(keyboard), 7);
	command_with(0xed, 0x02);
	ck_assert_uint_eq(ps2_keyboard_leds(keyboard), 2);
	command(0xed); /* a command in place of the parameter */
	rig_send(&rig, 0xee);
	rig_expect(&rig, 0xee);
	ck_assert_uint_eq(ps2_keyboard_leds(keyboard), 2);
	rig_send(&rig, 0x05); /* no parameter any more */
	rig_expect(&rig, 0xfe);
}
END_TEST

START_TEST(typematic_rate)
{
	command_with(0xf3, 0x7f);
	command(0xf3);
	rig_send(&rig, 0x80);
	rig_expect(&rig, 0xfe);
}
END_TEST

START_TEST(enable_and_disable)
{
	press(KEY_A);
	rig_send(&rig, 0xf5); /* forgets what it had */
	rig_expect(&rig, 0xfa);
	ck_assert(!ps2_keyboard_room(keyboard));
	press(KEY_B);
	ck_assert_int_eq(rig_next(&rig), -1);
	command(0xf4);
	ck_assert(ps2_keyboard_room(keyboard));
	lift(KEY_B);
	rig_expect(&rig, 0xf0, 0x32);
}
END_TEST

START_TEST(defaults)
{
	command_with(0xf0, 1);
	command(0xf6);
	press(KEY_A);
	rig_expect(&rig, 0x1c);
}
END_TEST

START_TEST(resend)
{
	rig_send(&rig, 0xf2);
	rig_expect(&rig, 0xfa, 0xab, 0x83);
	for (int i = 0; i < 2; i++) {
		rig_send(&rig, 0xfe);
		rig_expect(&rig, 0x83);
	}
	rig_send(&rig, 0x00); /* a refusal is not repeated */
	rig_expect(&rig, 0xfe);
	rig_send(&rig, 0xfe);
	rig_expect(&rig, 0x83);
}
END_TEST

START_TEST(select_set)
{
	for (int set = 1; set <= 3; set++) {
		command_with(0xf0, (uint8_t)set);
		command(0xf0);
		rig_send(&rig, 0);
		rig_expect(&rig, 0xfa, set);
	}
	command(0xf0);
	rig_send(&rig, 4);
	rig_expect(&rig, 0xfe);
}
END_TEST

START_TEST(codes_by_set)
{
	static const struct {
		uint8_t set;
		int down[2], up[3];
	} rows[] = {
		{ 1, { 0xe0, 0x50 }, { 0xe0, 0xd0 } },
		{ 2, { 0xe0, 0x72 }, { 0xe0, 0xf0, 0x72 } },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		command_with(0xf0, rows[i].set);
		press(KEY_DOWN);
		rig_expect_bytes(&rig, rows[i].down, 2, __LINE__);
		lift(KEY_DOWN);
		rig_expect_bytes(&rig, rows[i].up, 1 + rows[i].set, __LINE__);
	}
	command_with(0xf0, 3);
	press(KEY_DOWN);
	rig_expect(&rig, 0x60);
	lift(KEY_DOWN); /* typematic only: no break code */
	ck_assert_int_eq(rig_next(&rig), -1);
	press(KEY_LEFT_SHIFT);
	lift(KEY_LEFT_SHIFT);
	rig_expect(&rig, 0x12, 0xf0, 0x12);
}
END_TEST

START_TEST(set3_types)
{
	command_with(0xf0, 3);
	press(KEY_F1); /* make only: no repetition either */
	press(KEY_F1);
	lift(KEY_F1);
	rig_expect(&rig, 0x07);
	command(0xf8); /* all make/break */
	press(KEY_A);
	press(KEY_A);
	lift(KEY_A);
	rig_expect(&rig, 0x1c, 0xf0, 0x1c);
	command(0xf7); /* all typematic */
	press(KEY_A);
	press(KEY_A);
	lift(KEY_A);
	rig_expect(&rig, 0x1c, 0x1c);
	command(0xf9); /* all make only */
	press(KEY_A);
	press(KEY_A);
	lift(KEY_A);
	rig_expect(&rig, 0x1c);
	command(0xfa); /* all of it */
	press(KEY_A);
	press(KEY_A);
	lift(KEY_A);
	rig_expect(&rig, 0x1c, 0x1c, 0xf0, 0x1c);
}
END_TEST

START_TEST(set3_types_of_keys)
{
	command_with(0xf0, 3);
	command(0xfc); /* make/break for a list of keys */
	command(0x1c);
	command(0x07);
	rig_send(&rig, 0x02); /* no such key */
	rig_expect(&rig, 0xfe);
	command(0xf4);
	press(KEY_F1);
	lift(KEY_F1);
	rig_expect(&rig, 0x07, 0xf0, 0x07);
	command_with(0xfb, 0x07);
	press(KEY_F1);
	press(KEY_F1);
	lift(KEY_F1);
	rig_expect(&rig, 0x07, 0x07);
	command_with(0xfd, 0x07);
	press(KEY_F1);
	press(KEY_F1);
	lift(KEY_F1);
	rig_expect(&rig, 0x07);
	command(0xf6); /* back to the first types */
	command_with(0xf0, 3);
	press(KEY_A);
	lift(KEY_A);
	rig_expect(&rig, 0x1c);
}
END_TEST

START_TEST(room_waits_for_the_port)
{
	ck_assert(ps2_keyboard_room(keyboard));
	rig_command(&rig, 0xad);
	ck_assert(!ps2_keyboard_room(keyboard));
	rig_command(&rig, 0xae);
	ck_assert(ps2_keyboard_room(keyboard));
}
END_TEST

START_TEST(print_screen)
{
	press(KEY_PRINT_SCREEN);
	lift(KEY_PRINT_SCREEN);
	rig_expect(&rig, 0xe0, 0x12, 0xe0, 0x7c, 0xe0, 0xf0, 0x7c, 0xe0, 0xf0, 0x12);
	press(KEY_LEFT_CTRL);
	press(KEY_PRINT_SCREEN);
	rig_expect(&rig, 0x14, 0xe0, 0x7c);
	lift(KEY_LEFT_CTRL);
	lift(KEY_PRINT_SCREEN); /* as it was pressed */
	rig_expect(&rig, 0xf0, 0x14, 0xe0, 0xf0, 0x7c);
	press(KEY_LEFT_ALT);
	press(KEY_PRINT_SCREEN);
	lift(KEY_PRINT_SCREEN);
	rig_expect(&rig, 0x11, 0x84, 0xf0, 0x84);
}
END_TEST

START_TEST(pause_and_break)
{
	press(KEY_PAUSE);
	press(KEY_PAUSE);
	lift(KEY_PAUSE);
	rig_expect(&rig, 0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77);
	press(KEY_RIGHT_CTRL);
	press(KEY_PAUSE);
	lift(KEY_PAUSE);
	rig_expect(&rig, 0xe0, 0x14, 0xe0, 0x7e, 0xe0, 0xf0, 0x7e);
	lift(KEY_RIGHT_CTRL);
	rig_expect(&rig, 0xe0, 0xf0, 0x14);
	rig_command_with(&rig, 0x60, 0x41);
	press(KEY_PAUSE);
	rig_expect(&rig, 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5);
}
END_TEST

START_TEST(repetition_and_stray_release)
{
	press(KEY_A);
	press(KEY_A);
	lift(KEY_A);
	lift(KEY_A);
	rig_expect(&rig, 0x1c, 0x1c, 0xf0, 0x1c);
	ps2_keyboard_key(keyboard, KEY_NONE, true);
	ps2_keyboard_key(keyboard, KEYS, true);
	ps2_keyboard_key(keyboard, 100000, true);
	ck_assert_int_eq(rig_next(&rig), -1);
}
END_TEST

START_TEST(overrun)
{
	unsigned presses = 0;
	while (ps2_keyboard_room(keyboard)) {
		press(KEY_A);
		presses++;
	}
	ck_assert_uint_eq(presses, 9); /* 8 bytes stay free for the longest code */
	for (unsigned i = 0; i < 20; i++)
		press(KEY_A);
	for (unsigned i = 0; i < 16; i++)
		ck_assert_int_eq(rig_next(&rig), 0x1c);
	rig_expect(&rig, 0x00);
	ck_assert(ps2_keyboard_room(keyboard));
	press(KEY_B);
	rig_expect(&rig, 0x32);
}
END_TEST

START_TEST(overrun_code_of_set1)
{
	command_with(0xf0, 1);
	for (unsigned i = 0; i < 17; i++)
		press(KEY_A);
	for (unsigned i = 0; i < 16; i++)
		ck_assert_int_eq(rig_next(&rig), 0x1e);
	rig_expect(&rig, 0xff);
}
END_TEST

START_TEST(reply_goes_before_keys_but_not_into_a_code)
{
	press(KEY_A);
	press(KEY_DOWN);
	rig_send(&rig, 0xed);
	rig_expect(&rig, 0xfa, 0x1c, 0xe0, 0x72);
	rig_send(&rig, 0);
	rig_expect(&rig, 0xfa);
	lift(KEY_DOWN);
	ck_assert_int_eq(rig_next(&rig), 0xe0);
	rig_send(&rig, 0xed);
	rig_expect(&rig, 0xf0, 0x72, 0xfa);
}
END_TEST

START_TEST(every_key_has_codes_of_its_own)
{
	for (unsigned set = 1; set <= 3; set++) {
		for (unsigned one = 1; one < KEYS; one++) {
			uint8_t a[PS2_SCANCODES_MAX], b[PS2_SCANCODES_MAX];
			size_t size = ps2_scancodes_get(set, (enum key)one, PS2_KEY_PLAIN, true, a);
			ck_assert_uint_gt(size, 0);
			for (size_t i = 0; i < size; i++)
				ck_assert_uint_ne(a[i], 0);
			for (unsigned other = one + 1; other < KEYS; other++) {
				size_t other_size = ps2_scancodes_get(set, (enum key)other, PS2_KEY_PLAIN, true, b);
				ck_assert_msg(size != other_size || memcmp(a, b, size), "set %u: keys %u and %u",
				              set, one, other);
			}
		}
	}
	for (unsigned key = 1; key < KEYS; key++) {
		uint8_t code[PS2_SCANCODES_MAX];
		ps2_scancodes_get(3, (enum key)key, PS2_KEY_PLAIN, true, code);
		ck_assert_int_eq(ps2_scancodes_key_of_set3(code[0]), (int)key);
	}
}
END_TEST

/* The main block in the order of set 1, which is that of the keys of the XT. */
START_TEST(set1_is_the_xt_layout)
{
	static const enum key xt[] = {
		KEY_ESCAPE, KEY_1, KEY_2, KEY_3, KEY_4, KEY_5, KEY_6, KEY_7, KEY_8, KEY_9, KEY_0, KEY_MINUS,
		KEY_EQUAL, KEY_BACKSPACE, KEY_TAB, KEY_Q, KEY_W, KEY_E, KEY_R, KEY_T, KEY_Y, KEY_U, KEY_I, KEY_O,
		KEY_P, KEY_LEFT_BRACKET, KEY_RIGHT_BRACKET, KEY_ENTER, KEY_LEFT_CTRL, KEY_A, KEY_S, KEY_D, KEY_F,
		KEY_G, KEY_H, KEY_J, KEY_K, KEY_L, KEY_SEMICOLON, KEY_APOSTROPHE, KEY_GRAVE, KEY_LEFT_SHIFT,
		KEY_BACKSLASH, KEY_Z, KEY_X, KEY_C, KEY_V, KEY_B, KEY_N, KEY_M, KEY_COMMA, KEY_PERIOD, KEY_SLASH,
		KEY_RIGHT_SHIFT, KEY_PAD_ASTERISK, KEY_LEFT_ALT, KEY_SPACE, KEY_CAPS_LOCK, KEY_F1, KEY_F2, KEY_F3,
		KEY_F4, KEY_F5, KEY_F6, KEY_F7, KEY_F8, KEY_F9, KEY_F10, KEY_NUM_LOCK, KEY_SCROLL_LOCK, KEY_PAD_7,
		KEY_PAD_8, KEY_PAD_9, KEY_PAD_MINUS, KEY_PAD_4, KEY_PAD_5, KEY_PAD_6, KEY_PAD_PLUS, KEY_PAD_1,
		KEY_PAD_2, KEY_PAD_3, KEY_PAD_0, KEY_PAD_PERIOD,
	};
	uint8_t code[PS2_SCANCODES_MAX];
	for (unsigned i = 0; i < G_N_ELEMENTS(xt); i++) {
		ck_assert_uint_eq(ps2_scancodes_get(1, xt[i], PS2_KEY_PLAIN, true, code), 1);
		ck_assert_uint_eq(code[0], i + 1);
		ck_assert_uint_eq(ps2_scancodes_get(1, xt[i], PS2_KEY_PLAIN, false, code), 1);
		ck_assert_uint_eq(code[0], (i + 1) | 0x80);
	}
	static const struct {
		enum key key;
		uint8_t code;
	} extended[] = {
		{ KEY_PAD_ENTER, 0x1c }, { KEY_RIGHT_CTRL, 0x1d }, { KEY_PAD_SLASH, 0x35 }, { KEY_RIGHT_ALT, 0x38 },
		{ KEY_HOME, 0x47 }, { KEY_UP, 0x48 }, { KEY_PAGE_UP, 0x49 }, { KEY_LEFT, 0x4b }, { KEY_RIGHT, 0x4d },
		{ KEY_END, 0x4f }, { KEY_DOWN, 0x50 }, { KEY_PAGE_DOWN, 0x51 }, { KEY_INSERT, 0x52 },
		{ KEY_DELETE, 0x53 }, { KEY_LEFT_META, 0x5b }, { KEY_RIGHT_META, 0x5c }, { KEY_MENU, 0x5d },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(extended); i++) {
		ck_assert_uint_eq(ps2_scancodes_get(1, extended[i].key, PS2_KEY_PLAIN, true, code), 2);
		ck_assert_uint_eq(code[0], 0xe0);
		ck_assert_uint_eq(code[1], extended[i].code);
	}
	static const struct {
		enum key key;
		uint8_t code;
	} later[] = { { KEY_F11, 0x57 }, { KEY_F12, 0x58 }, { KEY_102ND, 0x56 } };
	for (unsigned i = 0; i < G_N_ELEMENTS(later); i++) {
		ck_assert_uint_eq(ps2_scancodes_get(1, later[i].key, PS2_KEY_PLAIN, true, code), 1);
		ck_assert_uint_eq(code[0], later[i].code);
	}
}
END_TEST

START_TEST(translation_is_one_to_one)
{
	bool seen[256] = { false };
	for (unsigned i = 0; i < 0x80; i++) {
		uint8_t byte = ps2_scancodes_translate((uint8_t)i);
		ck_assert_msg(!seen[byte], "%02x is the translation of two codes", byte);
		seen[byte] = true;
	}
	ck_assert_uint_eq(ps2_scancodes_translate(0xfa), 0xfa);
	ck_assert_uint_eq(ps2_scancodes_translate(0xaa), 0xaa);
}
END_TEST

START_TEST(state_survives)
{
	command_with(0xf0, 3);
	command(0xf8);
	press(KEY_A);
	press(KEY_LEFT_CTRL);
	rig_send(&rig, 0xed);
	struct snap *save = snap_new_save();
	i8042_state(rig.kbc, save);
	ps2_keyboard_state(keyboard, save);
	i8042_reset(rig.kbc);
	ps2_keyboard_reset(keyboard);
	size_t size;
	const void *data = snap_data(save, &size);
	struct snap *load = snap_new_load(data, size);
	i8042_state(rig.kbc, load);
	ps2_keyboard_state(keyboard, load);
	ck_assert_ptr_null(snap_error(load));
	rig_expect(&rig, 0xfa, 0x1c, 0x11);
	rig_send(&rig, 3); /* the parameter of ED */
	rig_expect(&rig, 0xfa);
	ck_assert_uint_eq(ps2_keyboard_leds(keyboard), 3);
	lift(KEY_LEFT_CTRL);
	rig_expect(&rig, 0xf0, 0x11);
	snap_free(load);
	snap_free(save);
}
END_TEST

START_TEST(bad_state_does_no_harm)
{
	struct snap *save = snap_new_save();
	ps2_keyboard_state(keyboard, save);
	size_t size;
	const void *data = snap_data(save, &size);
	for (size_t i = 0; i < size; i++) {
		uint8_t *bad = g_memdup2(data, size);
		bad[i] ^= 0xff;
		struct snap *load = snap_new_load(bad, size);
		ps2_keyboard_state(keyboard, load);
		rig_send(&rig, 0x01);
		for (unsigned key = 1; key < KEYS; key++)
			lift((enum key)key);
		press(KEY_PRINT_SCREEN);
		snap_free(load);
		g_free(bad);
		ps2_keyboard_reset(keyboard);
		while (rig_next(&rig) != -1)
			;
	}
	snap_free(save);
	rig_send(&rig, 0xee);
	rig_expect(&rig, 0xee);
}
END_TEST

Suite *suite_ps2_keyboard(void)
{
	Suite *suite = suite_create("ps2_keyboard");
	TCase *tcase = tcase_create("ps2_keyboard");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, reset_passes_its_test);
	tcase_add_test(tcase, echo_and_identity);
	tcase_add_test(tcase, unknown_commands_are_refused);
	tcase_add_test(tcase, leds);
	tcase_add_test(tcase, typematic_rate);
	tcase_add_test(tcase, enable_and_disable);
	tcase_add_test(tcase, defaults);
	tcase_add_test(tcase, resend);
	tcase_add_test(tcase, select_set);
	tcase_add_test(tcase, codes_by_set);
	tcase_add_test(tcase, set3_types);
	tcase_add_test(tcase, set3_types_of_keys);
	tcase_add_test(tcase, room_waits_for_the_port);
	tcase_add_test(tcase, print_screen);
	tcase_add_test(tcase, pause_and_break);
	tcase_add_test(tcase, repetition_and_stray_release);
	tcase_add_test(tcase, overrun);
	tcase_add_test(tcase, overrun_code_of_set1);
	tcase_add_test(tcase, reply_goes_before_keys_but_not_into_a_code);
	tcase_add_test(tcase, every_key_has_codes_of_its_own);
	tcase_add_test(tcase, set1_is_the_xt_layout);
	tcase_add_test(tcase, translation_is_one_to_one);
	tcase_add_test(tcase, state_survives);
	tcase_add_test(tcase, bad_state_does_no_harm);
	suite_add_tcase(suite, tcase);
	return suite;
}
