/* The commands, against a guest that the test plays. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <glib/gstdio.h>

#include "cli/script_internal.h"

#define MS UINT64_C(1000000)
#define STEP (10 * MS)

/* The guest: what it shows, and what was done to it. */
static struct guest {
	const char *text; /* NULL: graphics */
	uint64_t hash;
	unsigned colours;
	struct surface_area area; /* of the last look at them */
	bool room, fails_to_save;
	GString *keys;   /* "+key" and "-key" */
	GString *saved;  /* paths */
} guest;

static struct script *script;
static struct script_run *run;
static uint64_t now;

static bool read_text(void *owner, GString *text)
{
	struct guest *it = owner;
	g_string_assign(text, it->text ? it->text : "");
	return it->text;
}

static uint64_t hash_picture(void *owner)
{
	return ((struct guest *)owner)->hash;
}

static unsigned count_colours(void *owner, const struct surface_area *area, unsigned limit)
{
	struct guest *it = owner;
	it->area = *area;
	return MIN(it->colours, limit);
}

static bool save_picture(void *owner, const char *path, char **error)
{
	struct guest *it = owner;
	if (it->fails_to_save) {
		*error = g_strdup("no room");
		return false;
	}
	g_string_append_printf(it->saved, "%s ", path);
	return true;
}

static bool key_room(void *owner)
{
	return ((struct guest *)owner)->room;
}

static void key(void *owner, enum key which, bool down)
{
	struct guest *it = owner;
	g_string_append_printf(it->keys, "%c%s ", down ? '+' : '-', keys_name(which));
}

static void nmi(void *owner)
{
	g_string_append(((struct guest *)owner)->keys, "NMI");
}

static void flush(void *owner)
{
	g_string_append(((struct guest *)owner)->keys, "flush");
}

static void setup(void)
{
	guest = (struct guest){ .text = "", .room = true, .keys = g_string_new(NULL), .saved = g_string_new(NULL) };
	script = script_new();
	run = NULL;
	now = 0;
}

static void teardown(void)
{
	script_run_free(run);
	script_free(script);
	g_string_free(guest.keys, TRUE);
	g_string_free(guest.saved, TRUE);
}

static const char *picture = "failure.png";

static void start(const char *commands)
{
	g_auto(GStrv) lines = g_strsplit(commands, "\n", -1);
	for (unsigned i = 0; lines[i]; i++) {
		char *error = NULL;
		ck_assert_msg(script_parse_line(script, "test", i + 1, lines[i], &error), "%s", error);
	}
	struct script_guest it = {
		.read_text = read_text, .hash_picture = hash_picture, .count_colours = count_colours, .save_picture = save_picture, .failure_picture = picture,
		.key_room = key_room, .key = key, .nmi = nmi, .flush = flush, .owner = &guest,
	};
	run = script_run_new(script, &it);
}

/* Polls every 10 ms up to and with `until`. */
static enum script_state go(uint64_t until)
{
	enum script_state state = script_poll(run, now);
	while (now < until) {
		now += STEP;
		state = script_poll(run, now);
	}
	return state;
}

static void send_serial(const char *text)
{
	for (; *text; text++)
		script_serial_byte(run, (uint8_t)*text);
}

static void assert_failed(const char *const *words)
{
	ck_assert_int_eq(script_run_status(run), 1);
	ck_assert_ptr_nonnull(script_run_message(run));
	for (; *words; words++)
		ck_assert_msg(strstr(script_run_message(run), *words) != NULL, "'%s' is not in: %s", *words, script_run_message(run));
}
#define ASSERT_FAILED(...) assert_failed((const char *const[]){ __VA_ARGS__, NULL })

START_TEST(empty)
{
	start("# nothing");
	ck_assert_int_eq(script_poll(run, 0), SCRIPT_DONE);
	ck_assert_int_eq(script_run_status(run), 0);
	ck_assert_ptr_null(script_run_message(run));
}
END_TEST

START_TEST(wait_text)
{
	start("wait-text Ready 1s");
	ck_assert_int_eq(go(500 * MS), SCRIPT_RUNNING);
	guest.text = "hello\nnot Ready yet\n";
	ck_assert_int_eq(go(510 * MS), SCRIPT_DONE);
	ck_assert_int_eq(script_run_status(run), 0);
}
END_TEST

START_TEST(wait_text_times_out)
{
	start("sleep 100ms\nwait-text Ready 1s");
	guest.text = "Insert disk\n\n\n";
	ck_assert_int_eq(go(1090 * MS), SCRIPT_RUNNING);
	ck_assert_int_eq(go(1100 * MS), SCRIPT_FAILED);
	ASSERT_FAILED("test:2: wait-text Ready 1s: not within 1s", "Insert disk");
	guest.text = "Ready";
	ck_assert_int_eq(go(1200 * MS), SCRIPT_FAILED);
}
END_TEST

START_TEST(wait_text_in_graphics)
{
	start("wait-text Ready 100ms");
	guest.text = NULL;
	ck_assert_int_eq(go(200 * MS), SCRIPT_FAILED);
	ASSERT_FAILED("graphics, saved in failure.png");
	ck_assert_str_eq(guest.saved->str, "failure.png ");
}
END_TEST

START_TEST(graphics_and_no_place_for_pictures)
{
	picture = NULL;
	start("wait-text Ready 100ms");
	guest.text = NULL;
	ck_assert_int_eq(go(200 * MS), SCRIPT_FAILED);
	ASSERT_FAILED("the screen shows graphics");
	ck_assert_str_eq(guest.saved->str, "");
}
END_TEST

START_TEST(picture_cannot_be_saved)
{
	start("wait-text Ready 100ms");
	guest.text = NULL;
	guest.fails_to_save = true;
	ck_assert_int_eq(go(200 * MS), SCRIPT_FAILED);
	ASSERT_FAILED("graphics", "no room");
}
END_TEST

START_TEST(blank_screen)
{
	start("wait-text Ready 100ms");
	guest.text = "\n\n\n";
	ck_assert_int_eq(go(200 * MS), SCRIPT_FAILED);
	ASSERT_FAILED("empty");
}
END_TEST

START_TEST(wait_serial)
{
	start("wait-serial two 1s\nwait-serial two 1s\nwait-serial three 1s");
	send_serial("one two th");
	ck_assert_int_eq(go(100 * MS), SCRIPT_RUNNING);
	send_serial("ree two");
	ck_assert_int_eq(go(200 * MS), SCRIPT_RUNNING);
	send_serial(" three");
	ck_assert_int_eq(go(210 * MS), SCRIPT_DONE);
}
END_TEST

START_TEST(wait_serial_binary)
{
	start("wait-serial end 1s");
	script_serial_byte(run, 0);
	send_serial("end");
	ck_assert_int_eq(go(10 * MS), SCRIPT_DONE);
}
END_TEST

START_TEST(wait_serial_times_out)
{
	start("wait-serial x 100ms");
	ck_assert_int_eq(go(100 * MS), SCRIPT_FAILED);
	ASSERT_FAILED("not within 100ms", "the serial port sent nothing");
}
END_TEST

START_TEST(wait_serial_shows_the_end)
{
	start("wait-serial x 100ms");
	send_serial("a\nb\1");
	ck_assert_int_eq(go(100 * MS), SCRIPT_FAILED);
	ASSERT_FAILED("sent 4 bytes", "\"a\\nb\\x01\"");
}
END_TEST

START_TEST(serial_is_bounded)
{
	start("wait-serial first 10ms\nwait-serial last 1s");
	send_serial("first");
	ck_assert_int_eq(go(0), SCRIPT_RUNNING);
	for (unsigned i = 0; i < 3 * SCRIPT_SERIAL_MAX; i++)
		script_serial_byte(run, '.');
	ck_assert_int_eq(go(20 * MS), SCRIPT_RUNNING);
	send_serial("last");
	ck_assert_int_eq(go(30 * MS), SCRIPT_DONE);
}
END_TEST

START_TEST(wait_stable)
{
	start("wait-stable 1s 10s");
	for (uint64_t t = 0; t < 3000 * MS; t += 100 * MS) {
		guest.hash++;
		ck_assert_int_eq(go(t), SCRIPT_RUNNING);
	}
	/* Last changed before the sample at 2,850 ms. */
	ck_assert_int_eq(go(3840 * MS), SCRIPT_RUNNING);
	ck_assert_int_eq(go(3850 * MS), SCRIPT_DONE);
}
END_TEST

START_TEST(wait_stable_times_out)
{
	start("wait-stable 1s 2s");
	for (uint64_t t = 0; t < 2000 * MS; t += 100 * MS) {
		guest.hash++;
		ck_assert_int_eq(go(t), SCRIPT_RUNNING);
	}
	ck_assert_int_eq(go(2000 * MS), SCRIPT_FAILED);
	ASSERT_FAILED("wait-stable", "not within 2s");
}
END_TEST

START_TEST(wait_change)
{
	guest.hash = 1;
	start("keys a\nwait-change 1s\nwait-change 1s\nkeys b\nwait-change 1s");
	ck_assert_int_eq(go(500 * MS), SCRIPT_RUNNING);
	ck_assert_uint_eq(script_run_done(run), 1);
	guest.hash = 2;
	/* The second one finds the same change; the third is to see one of its own. */
	ck_assert_int_eq(go(1000 * MS), SCRIPT_RUNNING);
	ck_assert_uint_eq(script_run_done(run), 4);
	guest.hash = 3;
	ck_assert_int_eq(go(1100 * MS), SCRIPT_DONE);
}
END_TEST

/* The guest may be quicker than the keys are pressed. */
START_TEST(wait_change_while_keys_are_pressed)
{
	guest.hash = 1;
	start("keys aaaa\nwait-change 1s");
	go(30 * MS);
	guest.hash = 2;
	ck_assert_int_eq(go(300 * MS), SCRIPT_DONE);
}
END_TEST

START_TEST(wait_change_without_keys)
{
	guest.hash = 1;
	start("sleep 100ms\nwait-change 200ms");
	go(50 * MS);
	guest.hash = 2;
	ck_assert_int_eq(go(300 * MS), SCRIPT_FAILED);
	ASSERT_FAILED("wait-change", "not within 200ms");
}
END_TEST

/* As the monitor does it: each command is a run of its own. */
START_TEST(wait_change_in_a_later_run)
{
	uint64_t before = 0;
	guest.hash = 1;
	start("keys a");
	run->guest.picture_before_keys = &before;
	ck_assert_int_eq(go(100 * MS), SCRIPT_DONE);
	ck_assert_uint_eq(before, 1);
	guest.hash = 2;
	script_run_free(run);
	script_free(script);
	script = script_new();
	start("wait-change 1s");
	run->guest.picture_before_keys = &before;
	ck_assert_int_eq(go(200 * MS), SCRIPT_DONE);
}
END_TEST

START_TEST(wait_colours)
{
	guest.colours = 2;
	start("wait-colours 3 1,2,3,4 1s\nwait-colours 3");
	ck_assert_int_eq(go(500 * MS), SCRIPT_RUNNING);
	ck_assert_uint_eq(guest.area.y, 2);
	ck_assert_uint_eq(guest.area.height, 4);
	guest.colours = 3;
	ck_assert_int_eq(go(600 * MS), SCRIPT_DONE);
	ck_assert_uint_eq(guest.area.width, 0);
}
END_TEST

START_TEST(wait_colours_times_out)
{
	guest.colours = 7;
	start("wait-colours 8 1s");
	ck_assert_int_eq(go(1000 * MS), SCRIPT_FAILED);
	ASSERT_FAILED("wait-colours 8 1s: not within 1s of guest time; there are 7");
}
END_TEST

START_TEST(keys)
{
	start("keys a<down>\ntype B");
	ck_assert_int_eq(go(0), SCRIPT_RUNNING);
	ck_assert_str_eq(guest.keys->str, "+a ");
	go(10 * MS);
	ck_assert_str_eq(guest.keys->str, "+a ");
	go(20 * MS);
	ck_assert_str_eq(guest.keys->str, "+a -a ");
	ck_assert_int_eq(go(1000 * MS), SCRIPT_DONE);
	g_autofree char *shift = g_strdup(keys_name(KEY_LEFT_SHIFT));
	g_autofree char *all = g_strdup_printf("+a -a +down -down +%s +b -b -%s ", shift, shift);
	ck_assert_str_eq(guest.keys->str, all);
}
END_TEST

START_TEST(keys_wait_for_room)
{
	start("keys ab");
	guest.room = false;
	ck_assert_int_eq(go(5000 * MS), SCRIPT_RUNNING);
	ck_assert_str_eq(guest.keys->str, "");
	guest.room = true;
	ck_assert_int_eq(go(6000 * MS), SCRIPT_DONE);
	ck_assert_str_eq(guest.keys->str, "+a -a +b -b ");
}
END_TEST

START_TEST(keys_give_up)
{
	start("keys ab");
	go(0);
	guest.room = false;
	ck_assert_int_eq(go(29990 * MS), SCRIPT_RUNNING);
	ck_assert_int_eq(go(30000 * MS), SCRIPT_FAILED);
	ASSERT_FAILED("did not read the keyboard", "1 of 4");
}
END_TEST

START_TEST(presses_the_nmi_button)
{
	start("nmi");
	go(STEP);
	ck_assert_str_eq(guest.keys->str, "NMI");
}
END_TEST

START_TEST(flushes_the_code)
{
	start("flush");
	go(STEP);
	ck_assert_str_eq(guest.keys->str, "flush");
}
END_TEST

START_TEST(screenshot)
{
	start("screenshot a.png\nscreenshot b.png");
	ck_assert_int_eq(go(0), SCRIPT_DONE);
	ck_assert_str_eq(guest.saved->str, "a.png b.png ");
}
END_TEST

START_TEST(screenshot_fails)
{
	start("screenshot a.png\nquit");
	guest.fails_to_save = true;
	ck_assert_int_eq(go(0), SCRIPT_FAILED);
	ASSERT_FAILED("screenshot a.png", "no room");
}
END_TEST

START_TEST(screen_text)
{
	g_autofree char *path = NULL, *contents = NULL;
	g_close(g_file_open_tmp("v2e-text-XXXXXX", &path, NULL), NULL);
	g_autofree char *command = g_strdup_printf("screen-text %s", path);
	start(command);
	guest.text = "one\n\xe2\x96\x88\n";
	ck_assert_int_eq(go(0), SCRIPT_DONE);
	ck_assert(g_file_get_contents(path, &contents, NULL, NULL));
	ck_assert_str_eq(contents, "one\n\xe2\x96\x88\n");
	remove(path);
}
END_TEST

START_TEST(screen_text_fails)
{
	start("screen-text /nonexistent/file");
	ck_assert_int_eq(go(0), SCRIPT_FAILED);
	ASSERT_FAILED("/nonexistent/file", "No such file");
}
END_TEST

START_TEST(screen_text_in_graphics)
{
	start("screen-text x");
	guest.text = NULL;
	guest.fails_to_save = true;
	ck_assert_int_eq(go(0), SCRIPT_FAILED);
	ASSERT_FAILED("no text in a graphics mode");
}
END_TEST

START_TEST(sleeps_add_up)
{
	start("sleep 100ms\nsleep 200ms");
	ck_assert_int_eq(go(290 * MS), SCRIPT_RUNNING);
	ck_assert_int_eq(go(300 * MS), SCRIPT_DONE);
}
END_TEST

START_TEST(quit)
{
	start("quit 9\nscreenshot never.png");
	ck_assert_int_eq(go(0), SCRIPT_QUIT);
	ck_assert_int_eq(script_run_status(run), 9);
	ck_assert_int_eq(go(100 * MS), SCRIPT_QUIT);
	ck_assert_str_eq(guest.saved->str, "");
}
END_TEST

START_TEST(guest_ends_early)
{
	start("sleep 1s");
	go(100 * MS);
	script_run_abort(run, "the guest is gone");
	ASSERT_FAILED("test:1: sleep 1s: the guest is gone");
}
END_TEST

START_TEST(guest_ends_after_all)
{
	start("sleep 1s");
	ck_assert_int_eq(go(1000 * MS), SCRIPT_DONE);
	script_run_abort(run, "the guest is gone");
	ck_assert_int_eq(script_run_status(run), 0);
	ck_assert_ptr_null(script_run_message(run));
}
END_TEST

Suite *suite_script(void)
{
	Suite *suite = suite_create("script");
	TCase *tcase = tcase_create("script");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, empty);
	tcase_add_test(tcase, wait_text);
	tcase_add_test(tcase, wait_text_times_out);
	tcase_add_test(tcase, wait_text_in_graphics);
	tcase_add_test(tcase, graphics_and_no_place_for_pictures);
	tcase_add_test(tcase, picture_cannot_be_saved);
	tcase_add_test(tcase, blank_screen);
	tcase_add_test(tcase, wait_serial);
	tcase_add_test(tcase, wait_serial_binary);
	tcase_add_test(tcase, wait_serial_times_out);
	tcase_add_test(tcase, wait_serial_shows_the_end);
	tcase_add_test(tcase, serial_is_bounded);
	tcase_add_test(tcase, wait_stable);
	tcase_add_test(tcase, wait_stable_times_out);
	tcase_add_test(tcase, wait_change);
	tcase_add_test(tcase, wait_change_while_keys_are_pressed);
	tcase_add_test(tcase, wait_change_without_keys);
	tcase_add_test(tcase, wait_change_in_a_later_run);
	tcase_add_test(tcase, wait_colours);
	tcase_add_test(tcase, wait_colours_times_out);
	tcase_add_test(tcase, keys);
	tcase_add_test(tcase, keys_wait_for_room);
	tcase_add_test(tcase, keys_give_up);
	tcase_add_test(tcase, presses_the_nmi_button);
	tcase_add_test(tcase, flushes_the_code);
	tcase_add_test(tcase, screenshot);
	tcase_add_test(tcase, screenshot_fails);
	tcase_add_test(tcase, screen_text);
	tcase_add_test(tcase, screen_text_fails);
	tcase_add_test(tcase, screen_text_in_graphics);
	tcase_add_test(tcase, sleeps_add_up);
	tcase_add_test(tcase, quit);
	tcase_add_test(tcase, guest_ends_early);
	tcase_add_test(tcase, guest_ends_after_all);
	suite_add_tcase(suite, tcase);
	return suite;
}
