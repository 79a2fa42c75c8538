#include <check.h>
#include <string.h>

#include <glib/gstdio.h>

#include "cli/test_file.h"
#include "cli/test_keys.h"
#include "cli/test_places.h"

static char *folder, *path, *error;
static GPtrArray *folders;
static struct test_file *file;

static void put(const char *name, const char *text)
{
	g_autofree char *to = g_build_filename(folder, name, NULL);
	ck_assert(g_file_set_contents(to, text, -1, NULL));
}

static void setup(void)
{
	folder = g_dir_make_tmp("v2e-test-file-XXXXXX", NULL);
	ck_assert_ptr_nonnull(folder);
	path = g_build_filename(folder, "some.v2etest", NULL);
	folders = g_ptr_array_new_with_free_func(g_free);
	file = NULL;
	error = NULL;
	put("boot.bin", "x");
}

static void forget(void)
{
	test_file_free(file);
	file = NULL;
	g_clear_pointer(&error, g_free);
}

static void teardown(void)
{
	static const char *const names[] = { "boot.bin", "some.v2etest", "images/far.bin", "images" };
	forget();
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *name = g_build_filename(folder, names[i], NULL);
		g_remove(name);
	}
	g_rmdir(folder);
	g_free(folder);
	g_free(path);
	g_ptr_array_unref(folders);
}

static void load(const char *text)
{
	forget();
	put("some.v2etest", text);
	file = test_file_load(path, "some", folders, &error);
	ck_assert_msg(file != NULL, "%s", error);
}

/* The message is PATH, `place` and something with `words` in it. */
static void refuse(const char *place, const char *words, const char *text)
{
	forget();
	put("some.v2etest", text);
	file = test_file_load(path, "some", folders, &error);
	ck_assert_msg(file == NULL, "accepted: %s", text);
	g_autofree char *start = g_strconcat(path, place, NULL);
	ck_assert_msg(g_str_has_prefix(error, start), "'%s' does not start with '%s'", error, start);
	ck_assert_msg(strstr(error, words) != NULL, "no '%s' in '%s'", words, error);
	ck_assert_ptr_null(strchr(error, '\n'));
}

static const struct test_expect *expectation(guint n)
{
	ck_assert_uint_lt(n, file->expects->len);
	return file->expects->pdata[n];
}

#define TEXT "[expect]\ntext=x\n"

START_TEST(smallest)
{
	load(TEXT);
	ck_assert_str_eq(file->name, "some");
	ck_assert_str_eq(file->path, path);
	ck_assert_ptr_null(file->description);
	ck_assert_uint_eq(file->engines->len, 0);
	ck_assert_uint_eq(script_count(file->steps), 0);
	ck_assert_uint_eq(file->limits.guest_ns | file->limits.host_ns | file->limits.memory, 0);
	const struct test_expect *expect = expectation(0);
	ck_assert_int_eq(expect->when, TEST_AT_END);
	ck_assert_int_eq(expect->status, -1);
	ck_assert_uint_eq(expect->min_transitions, 0);
	ck_assert_uint_eq(expect->max_transitions, UINT64_MAX);
	ck_assert_uint_eq(expect->protected_within, UINT64_MAX);
	ck_assert_ptr_null(expect->picture.file);
}
END_TEST

START_TEST(everything)
{
	load("# a comment\n[test]\nname=A name\ndescription=What it is\nengines=emu;auto\n"
	     "[limits]\nguest-time=10s\nhost-time=1m\nmemory=1G\n"
	     "[steps]\none=sleep 1s # nap\ntwo=wait-text \"a; b\\x41\"\n"
	     "[expect]\ntext=a;b\\;c\nno-text=d\nserial=e\\r\\n\nno-serial=f;g\nmode=pm32\nprotected-within=5ms\n"
	     "max-transitions=9\nmin-transitions=2\nstatus=67\nscreen=some.png\ntolerance=3\npixels=4\nmask=m.png\nignore=1,2,3,4;5,6,7,8\n"
	     "registers=ax=1; cx=2\nmemory=0x10: 00\n"
	     "[expect after two]\ntext=z\n[expect at 250ms]\ntext=y\n[expect at 07c0:0010]\ntext=x\n[expect at 0x7c10]\ntext=x\n[compare]\ntolerance=7\n");
	ck_assert_str_eq(file->name, "A name");
	ck_assert_str_eq(file->description, "What it is");
	ck_assert_uint_eq(file->engines->len, 2);
	ck_assert_str_eq(file->engines->pdata[1], "auto");
	ck_assert_uint_eq(file->limits.guest_ns, UINT64_C(10000000000));
	ck_assert_uint_eq(file->limits.host_ns, UINT64_C(60000000000));
	ck_assert_uint_eq(file->limits.memory, 1u << 30);
	ck_assert_uint_eq(script_count(file->steps), 2);
	ck_assert_str_eq(file->labels->pdata[1], "two");
	ck_assert_str_eq(script_step(file->steps, 1)->text, "a; bA");
	ck_assert_uint_eq(script_step(file->steps, 1)->line, 12);
	const struct test_expect *end = expectation(0);
	ck_assert_uint_eq(end->texts->len, 2);
	ck_assert_str_eq(end->texts->pdata[1], "b;c");
	ck_assert_str_eq(end->no_texts->pdata[0], "d");
	ck_assert_str_eq(end->serials->pdata[0], "e\r\n");
	ck_assert_uint_eq(end->no_serials->len, 2);
	ck_assert_str_eq(end->mode, "pm32");
	ck_assert_uint_eq(end->protected_within, 5000000);
	ck_assert_uint_eq(end->max_transitions, 9);
	ck_assert_uint_eq(end->min_transitions, 2);
	ck_assert_int_eq(end->status, 67);
	g_autofree char *png = g_build_filename(folder, "some.png", NULL);
	ck_assert_str_eq(end->picture.file, png);
	ck_assert_uint_eq(end->picture.tolerance, 3);
	ck_assert_uint_eq(end->picture.pixels, 4);
	ck_assert(g_str_has_suffix(end->picture.mask, "/m.png"));
	ck_assert_uint_eq(end->picture.ignore->len, 2);
	ck_assert_uint_eq(end->registers->len, 2);
	ck_assert_uint_eq(end->memories->len, 1);
	ck_assert_int_eq(expectation(1)->when, TEST_AFTER_STEP);
	ck_assert_uint_eq(expectation(1)->step, 1);
	ck_assert_int_eq(expectation(2)->when, TEST_AT_TIME);
	ck_assert_uint_eq(expectation(2)->time, 250000000);
	ck_assert_int_eq(expectation(3)->when, TEST_AT_ADDRESS);
	ck_assert_uint_eq(expectation(3)->address, 0x7c10);
	ck_assert_uint_eq(expectation(4)->address, 0x7c10);
	ck_assert_uint_eq(file->compare.tolerance, 7);
}
END_TEST

/* [machine] becomes options of v2e run. */
START_TEST(options)
{
	struct run_options run;
	g_autofree char *boot = g_build_filename(folder, "boot.bin", NULL);
	load("[machine]\nimage=boot.bin\ndisk=boot.bin;boot.bin\nmemory=32M\nboot=disk,cdrom\nsnapshot=false\nexit-port=0xf4\n" TEXT);
	ck_assert(test_file_options(file, NULL, &run, &error));
	ck_assert_str_eq(run.image, boot);
	ck_assert_uint_eq(run.disks->len, 2);
	ck_assert_str_eq(run.disks->pdata[1], boot);
	ck_assert_uint_eq(run.memory, 32u << 20);
	ck_assert_int_eq(run.boot[1], PC_BOOT_CDROM);
	ck_assert_uint_eq(run.exit_port, 0xf4);
	ck_assert_int_eq(run.clock, CLOCK_KIND_VIRTUAL);
	ck_assert_int_eq(run.engine, RUN_ENGINE_EMU);
	ck_assert_str_eq(run.serials->pdata[0], "file:serial.log");
	run_options_clear(&run);
}
END_TEST

START_TEST(engines)
{
	struct run_options run;
	load(TEXT);
	ck_assert(test_file_options(file, "hybrid", &run, &error));
	ck_assert_int_eq(run.engine, RUN_ENGINE_HYBRID);
	ck_assert_int_eq(run.clock, CLOCK_KIND_REAL); /* KVM has no other */
	run_options_clear(&run);
	ck_assert(!test_file_options(file, "fast", &run, &error));
	ck_assert_ptr_nonnull(strstr(error, "unknown engine 'fast'"));
	run_options_clear(&run);
	load("[machine]\nclock=real\n" TEXT);
	ck_assert(test_file_options(file, "emu", &run, &error));
	ck_assert_int_eq(run.clock, CLOCK_KIND_REAL);
	run_options_clear(&run);
}
END_TEST

START_TEST(images_elsewhere)
{
	g_autofree char *images = g_build_filename(folder, "images", NULL);
	ck_assert_int_eq(g_mkdir(images, 0777), 0);
	put("images/far.bin", "x");
	refuse(":machine:image:2: ", "far.bin: no such file", "[machine]\nimage=far.bin\n" TEXT);
	g_ptr_array_add(folders, g_strdup(images));
	load("[machine]\nimage=far.bin\n" TEXT);
	refuse(":machine:image:2: ", "--images", "[machine]\nimage=none.bin\n" TEXT);
}
END_TEST

START_TEST(wrong_structure)
{
	refuse(":1: ", "before the first group", "text=x\n");
	refuse(":2: ", "is no group", "\n[expect\n");
	refuse(":expect:2: ", "is no key", "[expect]\ntext\n");
	refuse(":expect:2: ", "is no key", "[expect]\n=x\n");
	refuse(":expect:text:3: ", "on line 2", "[expect]\ntext=x\ntext=y\n");
	refuse(":expect:3: ", "on line 1", "[expect]\ntext=x\n[expect]\n");
	refuse(":exect:1: ", "did you mean expect?", "[exect]\n");
	refuse(":xyzzyplugh:1: ", "there are test, machine", "[xyzzyplugh]\n");
	refuse(": ", "tests nothing", "");
	refuse(": ", "tests nothing", "[machine]\nimage=boot.bin\n");
	refuse(": ", "is not UTF-8", "\xff");
}
END_TEST

START_TEST(wrong_keys)
{
	refuse(":test:nmae:2: ", "did you mean name?", "[test]\nnmae=x\n" TEXT);
	refuse(":test:name:2: ", "is empty", "[test]\nname=\n" TEXT);
	refuse(":test:name:2: ", "#", "[test]\nname=a#b\n" TEXT);
	refuse(":limits:host-time:2: ", "not a time", "[limits]\nhost-time=soon\n" TEXT);
	refuse(":limits:memory:2: ", "out of range", "[limits]\nmemory=1K\n" TEXT);
	refuse(":expect:text:2: ", "has a \\", "[expect]\ntext=a\\q\n");
	refuse(":expect:status:2: ", "out of range", "[expect]\nstatus=512\n");
	refuse(":expect:tolerance:3: ", "0 to 255", "[expect]\nscreen=a.png\ntolerance=256\n");
	refuse(":expect:pixels:2: ", "no picture", "[expect]\npixels=3\n");
	refuse(":expect: screen: ", "needs a step", "[expect]\nscreen=a.png\n");
	refuse(":compare:screen:2: ", "unknown key", "[compare]\nscreen=a.png\n" TEXT);
	refuse(":expect at 1s:status:2: ", "move it to [expect]", "[expect at 1s]\nstatus=1\n");
	refuse(":expect at never:1: ", "not a time", "[expect at never]\ntext=x\n");
	refuse(":expect after x:1: ", "[steps] has none", "[expect after x]\ntext=x\n");
}
END_TEST

START_TEST(wrong_machine)
{
	refuse(":machine:cdorm:2: ", "did you mean cdrom?", "[machine]\ncdorm=boot.bin\n" TEXT);
	refuse(":machine:memory:2: ", "3584M", "[machine]\nmemory=64G\n" TEXT);
	refuse(":machine:do:2: ", "[steps]", "[machine]\ndo=sleep 1s\n" TEXT);
	refuse(":machine:serial:2: ", "recorded", "[machine]\nserial=stdio\n" TEXT);
	refuse(":machine:engine:2: ", "--engines", "[machine]\nengine=emu\n" TEXT);
	refuse(":machine:snapshot:2: ", "true or false", "[machine]\nsnapshot=perhaps\n" TEXT);
	refuse(": engines: ", "unknown engine", "[test]\nengines=fast\n" TEXT);
}
END_TEST

START_TEST(wrong_steps)
{
	refuse(":steps:a:2: ", "not a time", "[steps]\na=sleep x\n");
	refuse(":steps:b:3: ", "quote is not closed", "[steps]\na=sleep 1s\nb=wait-text \"x\n");
	refuse(":steps:a:2: ", "there is no command", "[steps]\na=# nothing\n");
}
END_TEST

START_TEST(places)
{
	struct test_places *found = test_places_new("f", "\n[a]\n # x\nk = v\n[b]\nk=w\n", &error);
	ck_assert_ptr_nonnull(found);
	ck_assert_uint_eq(test_places_line(found, "a", NULL), 2);
	ck_assert_uint_eq(test_places_line(found, "a", "k"), 4);
	ck_assert_uint_eq(test_places_line(found, "b", "k"), 6);
	ck_assert_uint_eq(test_places_line(found, "c", "k"), 0);
	g_autofree char *place = test_places_format(found, "b", "k");
	ck_assert_str_eq(place, "f:b:k:6");
	test_places_free(found);
}
END_TEST

/* Whatever the table offers can be found in it. */
START_TEST(keys)
{
	for (unsigned group = 0; group < TEST_GROUPS; group++) {
		g_autofree const char **names = test_keys_names((enum test_group)group);
		ck_assert_ptr_nonnull(names[0]);
		for (unsigned i = 0; names[i]; i++) {
			const struct test_key *key = test_keys_find((enum test_group)group, names[i]);
			ck_assert(key && key->set && key->help[strlen(key->help) - 1] == '.');
		}
	}
	ck_assert_ptr_null(test_keys_find(TEST_GROUP_TEST, "text"));
}
END_TEST

Suite *suite_test_file(void)
{
	const TTest *const tests[] = {
		smallest, everything, options, engines, images_elsewhere, wrong_structure, wrong_keys, wrong_machine, wrong_steps,
		places, keys,
	};
	Suite *suite = suite_create("test_file");
	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
		TCase *tcase = tcase_create("test_file");
		tcase_add_checked_fixture(tcase, setup, teardown);
		tcase_add_test(tcase, tests[i]);
		suite_add_tcase(suite, tcase);
	}
	return suite;
}
