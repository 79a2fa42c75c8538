#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <glib/gstdio.h>

#include "cli/bench_options.h"
#include "cli/nearest.h"
#include "cli/run_options.h"
#include "cli/test_options.h"
#include "shared/log.h"

static struct run_options options;
static char *error;

static void setup(void)
{
	run_options_init(&options);
	error = NULL;
}

static void teardown(void)
{
	run_options_clear(&options);
	g_free(error);
}

static bool parse_words(const char *const *words)
{
	int count = 0;
	while (words[count])
		count++;
	return run_options_parse(&options, count, (char *const *)words, &error);
}

#define PARSE(...) ck_assert_msg(parse_words((const char *const[]){ __VA_ARGS__, NULL }), "%s", error)

/* The message must contain each of the words in `expected`, parted by '|'. */
static void refuse(const char *expected, const char *const *words)
{
	teardown();
	setup();
	ck_assert_msg(!parse_words(words), "accepted: %s", words[0]);
	ck_assert_ptr_nonnull(error);
	ck_assert_msg(!strchr(error, '\n'), "%s", error);
	g_auto(GStrv) parts = g_strsplit(expected, "|", -1);
	for (unsigned i = 0; parts[i]; i++)
		ck_assert_msg(strstr(error, parts[i]) != NULL, "'%s' is not in: %s", parts[i], error);
}
#define REFUSE(expected, ...) refuse(expected, (const char *const[]){ __VA_ARGS__, NULL })

START_TEST(defaults)
{
	PARSE(NULL);
	ck_assert_ptr_null(options.image);
	ck_assert_uint_eq(options.memory, 64u << 20);
	ck_assert_int_eq(options.cpu, EMU_CPU_P6);
	ck_assert_int_eq(options.engine, RUN_ENGINE_AUTO);
	ck_assert_int_eq(options.clock, CLOCK_KIND_REAL);
	ck_assert_int_eq(options.boot[0], PC_BOOT_END);
	ck_assert_uint_eq(script_count(options.script), 0);
	ck_assert_uint_eq(options.timeout, 0);
	ck_assert_uint_eq(options.exit_port, 0);
	ck_assert(!options.snapshot && !options.stats && !options.help && !options.man && !options.boot_menu);
}
END_TEST

START_TEST(images)
{
	PARSE("a.iso", "--cdrom", "b", "--cdrom=c", "--disk", "d", "--floppy", "e", "--floppy", "f", "--snapshot");
	ck_assert_str_eq(options.image, "a.iso");
	ck_assert_uint_eq(options.cdroms->len, 2);
	ck_assert_str_eq(options.cdroms->pdata[1], "c");
	ck_assert_str_eq(options.disks->pdata[0], "d");
	ck_assert_uint_eq(options.floppies->len, 2);
	ck_assert_str_eq(options.floppies->pdata[1], "f");
	ck_assert(options.snapshot);
}
END_TEST

START_TEST(machine)
{
	PARSE("--bios", "b", "--vgabios", "v", "--boot", "cdrom,menu,floppy", "-m", "16", "--cpu", "486", "--engine", "emu");
	ck_assert_str_eq(options.bios, "b");
	ck_assert_str_eq(options.vgabios, "v");
	ck_assert_int_eq(options.boot[0], PC_BOOT_CDROM);
	ck_assert_int_eq(options.boot[1], PC_BOOT_FLOPPY);
	ck_assert_int_eq(options.boot[2], PC_BOOT_END);
	ck_assert(options.boot_menu);
	ck_assert_uint_eq(options.memory, 16u << 20);
	ck_assert_int_eq(options.cpu, EMU_CPU_486);
}
END_TEST

START_TEST(sizes)
{
	static const struct { const char *text; uint64_t size; } all[] = {
		{ "-m1M", 1u << 20 }, { "-m2g", UINT64_C(2) << 30 }, { "-m4096K", 4u << 20 }, { "--memory=3584M", UINT64_C(3584) << 20 },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
		teardown();
		setup();
		PARSE(all[i].text);
		ck_assert_uint_eq(options.memory, all[i].size);
	}
}
END_TEST

START_TEST(ports)
{
	PARSE("--serial", "stdio", "--serial", "file:x", "--debugcon", "0x402:-", "--exit-port", "244");
	ck_assert_uint_eq(options.serials->len, 2);
	ck_assert_str_eq(options.serials->pdata[0], "stdio");
	ck_assert_str_eq(options.serials->pdata[1], "file:x");
	ck_assert_uint_eq(options.debug_port, 0x402);
	ck_assert_str_eq(options.debug_file, "-");
	ck_assert_uint_eq(options.exit_port, 0xf4);
}
END_TEST

START_TEST(commands_in_order)
{
	g_autofree char *path = NULL;
	g_close(g_file_open_tmp("v2e-options-XXXXXX", &path, NULL), NULL);
	ck_assert(g_file_set_contents(path, "sleep 2s\nsleep 3s\n", -1, NULL));
	PARSE("--do", "sleep 1s", "--script", path, "--do", "# nothing", "--do", "sleep 4s");
	remove(path);
	ck_assert_uint_eq(script_count(options.script), 4);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_uint_eq(script_step(options.script, i)->time[0], (i + 1) * UINT64_C(1000000000));
	ck_assert_uint_eq(script_step(options.script, 3)->line, 3);
	ck_assert_str_eq(script_step(options.script, 3)->file, "--do");
}
END_TEST

START_TEST(run)
{
	PARSE("--timeout", "10s", "--clock", "virtual", "--trace", "io,guest-error", "--log", "l", "--stats", "--help", "--man");
	ck_assert_uint_eq(options.timeout, UINT64_C(10000000000));
	ck_assert_int_eq(options.clock, CLOCK_KIND_VIRTUAL);
	ck_assert_uint_eq(options.trace, LOG_TRACE_IO | LOG_TRACE_GUEST_ERROR);
	ck_assert_str_eq(options.log, "l");
	ck_assert(options.stats && options.help && options.man);
}
END_TEST

START_TEST(operands)
{
	PARSE("--", "--cdrom");
	ck_assert_str_eq(options.image, "--cdrom");
	REFUSE("two images|'a'|'b'|--disk", "a", "b");
	REFUSE("empty", "");
}
END_TEST

START_TEST(wrong_words)
{
	REFUSE("unknown option --cdorm|did you mean --cdrom?", "--cdorm", "x");
	REFUSE("unknown option --snapshto|--snapshot", "--snapshto");
	REFUSE("unknown option --xyzzyplugh|v2e run --help", "--xyzzyplugh");
	REFUSE("unknown option -q|--help", "-q");
	REFUSE("unknown option -hx", "-hx");
	REFUSE("--cdrom needs a value|--cdrom FILE", "--cdrom");
	REFUSE("--cdrom needs a value", "--cdrom", "--snapshot");
	REFUSE("--memory needs a value|SIZE", "-m");
	REFUSE("--snapshot takes no value", "--snapshot=yes");
	REFUSE("--cpu is given twice", "--cpu", "386", "--cpu", "486");
	REFUSE("--snapshot is given twice", "--snapshot", "--snapshot");
}
END_TEST

START_TEST(wrong_values)
{
	REFUSE("--memory|not a size|64M", "-m", "lots");
	REFUSE("--memory|out of range|1M|3584M", "-m", "4G");
	REFUSE("out of range", "-m", "0");
	REFUSE("out of range", "-m", "99999999999999G");
	REFUSE("whole number of MiB", "-m", "1025K");
	REFUSE("--cpu|unknown CPU '8086'|386", "--cpu", "8086");
	REFUSE("--engine|unknown engine|emu", "--engine", "kvn");
	REFUSE("--boot|'net'|floppy", "--boot", "net");
	REFUSE("--boot|twice", "--boot", "disk,disk");
	REFUSE("--boot|''", "--boot", "");
	REFUSE("--boot|''", "--boot", "disk,");
	REFUSE("--net|'tap'|user", "--net", "tap");
	REFUSE("--net-...|--net user", "--net-outbound");
	REFUSE("--net-bootfile|--net-tftp", "--net", "user", "--net-bootfile", "pxelinux.0");
	REFUSE("--net-bootfile|empty", "--net-bootfile", "");
	REFUSE("--net-mac|'52:54:00:12:34'|52:54:00", "--net-mac", "52:54:00:12:34");
	REFUSE("--net-mac|one card", "--net-mac", "01:00:5e:00:00:01");
	REFUSE("--net-mac", "--net-mac", "52:54:00:12:34:+6");
	REFUSE("--net-forward|'tcp:22'|tcp:2222:22", "--net-forward", "tcp:22");
	REFUSE("--net-forward", "--net-forward", "tcp:0:22");
	REFUSE("--net-forward", "--net-forward", "tcp:70000:22");
	REFUSE("--net-forward", "--net-forward", "sctp:1:2");
	REFUSE("--serial|'com1'|stdio", "--serial", "com1");
	REFUSE("--serial", "--serial", "file:");
	REFUSE("--serial", "--serial", "memory");
	REFUSE("only 2 serial ports", "--serial", "none", "--serial", "none", "--serial", "none");
	REFUSE("both ports go to stdio", "--serial", "stdio", "--serial", "stdio");
	REFUSE("--debugcon|PORT:FILE", "--debugcon", "0x402");
	REFUSE("--debugcon|PORT:FILE", "--debugcon", "0x402:");
	REFUSE("--debugcon|not a number", "--debugcon", "x:-");
	REFUSE("--exit-port|out of range", "--exit-port", "0x10000");
	REFUSE("--exit-port|out of range", "--exit-port", "0");
	REFUSE("--exit-port|not a number", "--exit-port", "0x");
	REFUSE("--exit-port|0x60|keyboard", "--exit-port", "0x60");
	REFUSE("--exit-port|0x3f8|serial", "--exit-port", "0x3f8");
	REFUSE("--debugcon|0x1f0|IDE", "--debugcon", "0x1f0:-");
	REFUSE("--exit-port and --debugcon|0x402", "--exit-port", "0x402", "--debugcon", "0x402:-");
	REFUSE("--do:1: unknown command|did you mean quit?", "--do", "qiut");
	REFUSE("--do:2: sleep|not a time", "--do", "quit", "--do", "sleep x");
	REFUSE("/nonexistent: No such file", "--script", "/nonexistent");
	REFUSE("--timeout|not a time", "--timeout", "10");
	REFUSE("--clock|real or virtual", "--clock", "fast");
	REFUSE("--trace|'oi'|guest-error", "--trace", "io,oi");
	REFUSE("--trace", "--trace", "");
	REFUSE("--log|empty", "--log=");
}
END_TEST

START_TEST(nearest)
{
	static const char *const names[] = { "cdrom", "disk", "snapshot", NULL };
	ck_assert_str_eq(nearest_match("cdrm", names), "cdrom");
	ck_assert_str_eq(nearest_match("dsik", names), "disk");
	ck_assert_str_eq(nearest_match("dis", names), "disk");
	ck_assert_ptr_null(nearest_match("ksid", names));
	ck_assert_str_eq(nearest_match("snapshots", names), "snapshot");
	ck_assert_ptr_null(nearest_match("bios", names));
	ck_assert_ptr_null(nearest_match("", names));
	g_autofree char *long_word = g_strnfill(1000, 'a');
	ck_assert_ptr_null(nearest_match(long_word, names));
}
END_TEST

static char *print(void (*to)(const struct option_table *, FILE *))
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	to(&run_options_table, out);
	fclose(out);
	return text;
}

START_TEST(help_has_every_option)
{
	char *help = print(options_print_help);
	for (unsigned i = 0; i < run_options_table.count; i++) {
		const struct option_row *row = &run_options_table.rows[i];
		g_autofree char *name = g_strdup_printf("--%s", row->name);
		ck_assert_msg(strstr(help, name) && strstr(help, row->help), "%s", name);
	}
	g_auto(GStrv) lines = g_strsplit(help, "\n", -1);
	for (unsigned i = 0; lines[i]; i++)
		ck_assert_msg(strlen(lines[i]) <= 100, "%s", lines[i]);
	free(help);
}
END_TEST

/* The manual page must contain `text` as it is. */
static void assert_in_man(char *text)
{
	const char *top = g_getenv("V2E_SRC");
	g_autofree char *path = g_build_filename(top ? top : ".", "man", "v2e-run.1", NULL), *page = NULL;
	ck_assert_msg(g_file_get_contents(path, &page, NULL, NULL), "%s is missing; set V2E_SRC", path);
	ck_assert_msg(strstr(page, text) != NULL, "%s differs from v2e run --man; run man/update.sh", path);
	free(text);
}

START_TEST(man_page_says_the_same)
{
	assert_in_man(print(options_print_man));
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	script_print_man(out);
	fclose(out);
	assert_in_man(text);
}
END_TEST

/* What completion offers is taken. */
static void check_values(const struct option_table *table, void *target, void (*init)(void *target), void (*clear)(void *target))
{
	for (unsigned n = 0; n < table->count; n++) {
		const struct option_row *row = &table->rows[n];
		g_auto(GStrv) words = g_strsplit(row->values ? row->values : "", " ", -1);
		for (unsigned i = 0; words[i]; i++) {
			init(target);
			ck_assert_msg(row->set(target, words[i], &error), "%s --%s: %s", table->command, row->name, error);
			clear(target);
		}
	}
}

static void init_run(void *target)
{
	run_options_init(target);
}

static void clear_run(void *target)
{
	run_options_clear(target);
}

static void init_test(void *target)
{
	test_options_init(target);
}

static void clear_test(void *target)
{
	test_options_clear(target);
}

static void init_bench(void *target)
{
	bench_options_init(target);
}

static void clear_bench(void *target)
{
	bench_options_clear(target);
}

START_TEST(values_to_complete_are_good)
{
	struct run_options of_run;
	struct test_options of_test;
	struct bench_options of_bench;
	check_values(&run_options_table, &of_run, init_run, clear_run);
	check_values(&test_options_table, &of_test, init_test, clear_test);
	check_values(&bench_options_table, &of_bench, init_bench, clear_bench);
}
END_TEST

START_TEST(man_source)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	options_print_man_text(".a-b\\\n'c", out);
	fclose(out);
	ck_assert_str_eq(text, "\\&.a\\-b\\e\n.IP\n\\&'c\n");
	free(text);
}
END_TEST

Suite *suite_options(void)
{
	Suite *suite = suite_create("options");
	TCase *tcase = tcase_create("options");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, defaults);
	tcase_add_test(tcase, images);
	tcase_add_test(tcase, machine);
	tcase_add_test(tcase, sizes);
	tcase_add_test(tcase, ports);
	tcase_add_test(tcase, commands_in_order);
	tcase_add_test(tcase, run);
	tcase_add_test(tcase, operands);
	tcase_add_test(tcase, wrong_words);
	tcase_add_test(tcase, wrong_values);
	tcase_add_test(tcase, nearest);
	tcase_add_test(tcase, help_has_every_option);
	tcase_add_test(tcase, man_page_says_the_same);
	tcase_add_test(tcase, values_to_complete_are_good);
	tcase_add_test(tcase, man_source);
	suite_add_tcase(suite, tcase);
	return suite;
}
