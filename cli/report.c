#include "cli/report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "cli/options.h"
#include "cli/run.h"
#include "trace/report.h"
#include "trace/symbols.h"

struct choice {
	GPtrArray *files, *symbols;
	char *output; /* NULL: standard output */
	bool help, man;
};

static bool add_word(GPtrArray *to, const char *value, char **error)
{
	if (!*value) {
		*error = g_strdup("the file name is empty; give one");
		return false;
	}
	g_ptr_array_add(to, g_strdup(value));
	return true;
}

static bool add_file(void *target, const char *value, char **error)
{
	struct choice *choice = target;
	return add_word(choice->files, value, error);
}

static bool add_symbols(void *target, const char *value, char **error)
{
	struct choice *choice = target;
	return add_word(choice->symbols, value, error);
}

static bool set_output(void *target, const char *value, char **error)
{
	struct choice *choice = target;
	if (!*value) {
		*error = g_strdup("the file name is empty; give one");
		return false;
	}
	g_free(choice->output);
	choice->output = g_strdup(value);
	return true;
}

static bool set_help(void *target, const char *value, char **error)
{
	struct choice *choice = target;
	(void)value, (void)error;
	return choice->help = true;
}

static bool set_man(void *target, const char *value, char **error)
{
	struct choice *choice = target;
	(void)value, (void)error;
	return choice->man = true;
}

static const struct option_row rows[] = {
	{ .heading = "Page", .name = "output", .letter = 'o', .argument = "FILE", .help = "write the page into FILE instead of standard output",
	  .set = set_output },
	{ .name = "symbols", .argument = "FILE[@BASE]", .help = "name addresses by an ELF file or a linker's map",
	  .manual = "As for v2e run. May be repeated.", .set = add_symbols, .repeats = true },
	{ .heading = "Help", .name = "help", .letter = 'h', .help = "show this help", .set = set_help },
	{ .name = "man", .help = "print the options as man(7) source", .set = set_man },
};

const struct option_table report_options_table = {
	.command = "v2e report",
	.arguments = "FILE...",
	.summary = "Make one HTML page of a recording: modes, switches and their cost, BIOS calls.",
	.rows = rows,
	.count = G_N_ELEMENTS(rows),
	.operand = add_file,
};

static int fail(char *error)
{
	fprintf(stderr, "v2e report: %s\n", error);
	g_free(error);
	return RUN_USAGE;
}

static bool load_symbols(const struct choice *choice, struct symbols *symbols, char **error)
{
	char *problem = NULL;
	for (unsigned i = 0; i < choice->symbols->len; i++)
		if (!symbols_add(symbols, choice->symbols->pdata[i], &problem)) {
			*error = g_strdup_printf("--symbols: %s", problem);
			g_free(problem);
			return false;
		}
	return true;
}

static bool read_file(struct report *report, const char *path, char **error)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "re") : stdin;
	if (!file) {
		*error = g_strdup_printf("%s: %s; give a recording of v2e trace -o FILE.jsonl, or a --transitions file", path, g_strerror(errno));
		return false;
	}
	bool fine = report_read(report, file, path, error);
	if (file != stdin)
		fclose(file);
	return fine;
}

static bool read_files(struct report *report, const struct choice *choice, char **error)
{
	for (unsigned i = 0; i < choice->files->len; i++)
		if (!read_file(report, choice->files->pdata[i], error))
			return false;
	return true;
}

static bool write_page(struct report *report, const char *path, char **error)
{
	FILE *out = path ? fopen(path, "we") : stdout;
	if (out)
		report_write(report, out);
	bool failed = !out || fflush(out) || ferror(out);
	if (out && out != stdout && fclose(out))
		failed = true;
	if (failed)
		*error = g_strdup_printf("%s: %s; give a file that can be written", path ? path : "standard output", g_strerror(errno));
	return !failed;
}

static int make_report(const struct choice *choice)
{
	char *error = NULL;
	if (!choice->files->len)
		return fail(g_strdup("no recording; give the file that v2e trace -o FILE.jsonl IMAGE wrote"));
	struct symbols *symbols = symbols_new();
	struct report *report = report_new(symbols);
	bool fine = load_symbols(choice, symbols, &error) && read_files(report, choice, &error) &&
	            write_page(report, choice->output, &error);
	report_free(report);
	symbols_free(symbols);
	return fine ? RUN_DONE : fail(error);
}

static int obey(const struct choice *choice)
{
	if (choice->help)
		options_print_help(&report_options_table, stdout);
	else if (choice->man)
		fputs(".SH OPTIONS\n", stdout), options_print_man(&report_options_table, stdout);
	else
		return make_report(choice);
	return RUN_DONE;
}

int report_main(int argc, char *const *argv)
{
	char *error = NULL;
	struct choice choice = {
		.files = g_ptr_array_new_with_free_func(g_free), .symbols = g_ptr_array_new_with_free_func(g_free),
	};
	int status = options_parse(&report_options_table, argc, argv, &choice, &error) ? obey(&choice) : fail(error);
	g_ptr_array_unref(choice.files);
	g_ptr_array_unref(choice.symbols);
	g_free(choice.output);
	return status;
}
