/* v2e: finds the command and hands over. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "cli/bench.h"
#include "cli/bench_options.h"
#include "cli/completion.h"
#include "cli/nearest.h"
#include "cli/options.h"
#include "cli/probe.h"
#include "cli/report.h"
#include "cli/run.h"
#include "cli/run_options.h"
#include "cli/test.h"
#include "cli/test_options.h"
#include "cli/trace.h"
#include "shared/mem.h"

#ifndef V2E_VERSION
#define V2E_VERSION "unknown"
#endif

static const struct command {
	const char *name, *help;
	int (*main)(int argc, char *const *argv);
	const struct option_table *table;
} commands[] = {
	{ "run", "start a PC and boot an image", run_main, &run_options_table },
	{ "test", "run boot tests and report", test_main, &test_options_table },
	{ "trace", "show what a boot image does: modes, BIOS calls", trace_main, &trace_options_table },
	{ "report", "make a page of HTML from a recorded trace", report_main, &report_options_table },
	{ "probe", "show what KVM can do on this host", probe_main, &probe_options_table },
	{ "bench", "measure what a switch of modes costs", bench_main, &bench_options_table },
};

struct choice {
	bool help, version, man, completion;
};

static bool set_help(void *target, const char *value, char **error)
{
	struct choice *choice = target;
	(void)value, (void)error;
	return choice->help = true;
}

static bool set_version(void *target, const char *value, char **error)
{
	struct choice *choice = target;
	(void)value, (void)error;
	return choice->version = true;
}

static bool set_man(void *target, const char *value, char **error)
{
	struct choice *choice = target;
	(void)value, (void)error;
	return choice->man = true;
}

static bool set_completion(void *target, const char *value, char **error)
{
	struct choice *choice = target;
	(void)value, (void)error;
	return choice->completion = true;
}

static bool refuse_operand(void *target, const char *value, char **error)
{
	(void)target;
	*error = g_strdup_printf("'%s' stands behind an option of v2e itself; write the command first", value);
	return false;
}

static const struct option_row rows[] = {
	{ .heading = "Help", .name = "help", .letter = 'h', .help = "show this help", .set = set_help },
	{ .name = "version", .help = "show the version", .set = set_version },
	{ .name = "man", .help = "print commands and options as man(7) source", .set = set_man },
	{ .name = "completion", .help = "print what bash needs to complete commands and options",
	  .manual = "make install puts it where bash-completion looks. For one shell: . <(v2e --completion).", .set = set_completion },
};

static const struct option_table table = {
	.command = "v2e",
	.arguments = "COMMAND",
	.summary = "A PC whose real-mode code runs in an emulator.",
	.rows = rows,
	.count = G_N_ELEMENTS(rows),
	.operand = refuse_operand,
};

static int print_help(void)
{
	options_print_help(&table, stdout);
	fputs("\nCommands:\n", stdout);
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
		printf("  %-23s %s\n", commands[i].name, commands[i].help);
	fputs("\nv2e COMMAND --help shows a command's options.\n", stdout);
	return RUN_DONE;
}

static int print_man(void)
{
	fputs(".SH COMMANDS\n", stdout);
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
		printf(".TP\n.B %s\n", commands[i].name);
		g_autofree char *sentence = g_strdup_printf("%c%s; see", g_ascii_toupper(commands[i].help[0]), commands[i].help + 1);
		options_print_man_text(sentence, stdout);
		printf(".BR v2e\\-%s (1).\n", commands[i].name);
	}
	fputs(".SH OPTIONS\n", stdout);
	options_print_man(&table, stdout);
	return RUN_DONE;
}

static int print_completion(void)
{
	struct completion_command all[G_N_ELEMENTS(commands) + 1] = { { NULL, &table } };
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
		all[i + 1] = (struct completion_command){ commands[i].name, commands[i].table };
	completion_print(all, G_N_ELEMENTS(all), stdout);
	return RUN_DONE;
}

static int fail(char *error)
{
	fprintf(stderr, "v2e: %s\n", error);
	g_free(error);
	return RUN_USAGE;
}

static int fail_unknown(const char *name)
{
	const char *names[G_N_ELEMENTS(commands) + 1] = { NULL };
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
		names[i] = commands[i].name;
	const char *near = nearest_match(name, names);
	if (near)
		return fail(g_strdup_printf("unknown command '%s'; did you mean %s?", name, near));
	if (strchr(name, '.') || strchr(name, '/'))
		return fail(g_strdup_printf("unknown command '%s'; to boot an image write: v2e run %s", name, name));
	return fail(g_strdup_printf("unknown command '%s'; see v2e --help", name));
}

static int main_options(int argc, char *const *argv)
{
	struct choice choice = { .help = false };
	char *error = NULL;
	if (!options_parse(&table, argc, argv, &choice, &error))
		return fail(error);
	if (choice.version) {
		puts("v2e " V2E_VERSION);
		return RUN_DONE;
	}
	if (choice.help)
		return print_help();
	if (choice.man)
		return print_man();
	if (choice.completion)
		return print_completion();
	return fail(g_strdup("no command; write v2e run IMAGE, or see v2e --help"));
}

/* Guest pages are shown one by one in a mapping of the host. */
static bool host_pages_fit(char **error)
{
	long size = sysconf(_SC_PAGESIZE);
	if (size != (long)MEM_PAGE_SIZE)
		*error = g_strdup_printf("this host's kernel has pages of %ld bytes, and guest memory is mapped by %u; "
		                         "boot a kernel with pages of that size", size, MEM_PAGE_SIZE);
	return !*error;
}

int main(int argc, char **argv)
{
	char *error = NULL;
	/* Who writes a file, or makes memory, that may not grow says so. */
	signal(SIGXFSZ, SIG_IGN);
	if (argc < 2 || argv[1][0] == '-')
		return main_options(argc > 0 ? argc - 1 : 0, argv + 1);
	if (!host_pages_fit(&error))
		return fail(error);
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].main(argc - 2, argv + 2);
	return fail_unknown(argv[1]);
}
