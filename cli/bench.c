#include "cli/bench.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/bench_options.h"
#include "cli/bench_plot.h"
#include "cli/bench_report.h"
#include "cli/bench_sample.h"

enum { BENCH_DONE = 0, BENCH_FAILED = 1, BENCH_USAGE = 2 };

/* How long a sample takes, about. */
#define SAMPLE_NS       5000000u
#define SAMPLE_QUICK_NS 500000u

/* A property of the process, as signals are. */
static volatile sig_atomic_t signal_came;

static void note_signal(int number)
{
	signal_came = number;
}

static bool stop(void *owner)
{
	(void)owner;
	return signal_came;
}

/* --- the line on a terminal ------------------------------------------------------------------ */

#define INTERVAL_US 250000

struct display {
	bool on;
	int64_t start_us, drawn_us;
};

static void show(void *owner, unsigned done, unsigned all)
{
	struct display *display = owner;
	int64_t now = g_get_monotonic_time();
	if (!display->on || now - display->drawn_us < INTERVAL_US)
		return;
	display->drawn_us = now;
	double left = done ? (double)(now - display->start_us) / 1e6 * (all - done) / done : 0;
	fprintf(stderr, "\r%u of %u samples, %.0f s left\033[K", done, all, left);
	fflush(stderr);
}

static void measure(struct bench_plan *plan, const struct bench_options *options)
{
	struct display display = { .on = isatty(STDERR_FILENO), .start_us = g_get_monotonic_time() };
	const struct bench_progress progress = { .show = show, .stop = stop, .owner = &display };
	struct sigaction action = { .sa_handler = note_signal };
	signal_came = 0;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	bench_sample_all(plan, options->quick ? SAMPLE_QUICK_NS : SAMPLE_NS, &progress);
	if (display.on)
		fputs("\r\033[K", stderr);
}

/* --- reports ------------------------------------------------------------------------------------- */

static int fail(const char *option, char *error, int status)
{
	fprintf(stderr, "v2e bench: %s%s%s\n", option, *option ? ": " : "", error);
	g_free(error);
	return status;
}

static bool is_stdout(const char *file)
{
	return file && !strcmp(file, "-");
}

/* NULL stays NULL. A file that cannot be written is found before the measurement. */
static bool open_report(const char *option, const char *path, FILE **out, int *status)
{
	*out = is_stdout(path) ? stdout : path ? fopen(path, "we") : NULL;
	if (*out || !path)
		return true;
	*status = fail(option, g_strdup_printf("%s: %s; give a file that can be written", path, g_strerror(errno)), BENCH_USAGE);
	return false;
}

static void close_report(FILE *out, const char *path, int *status)
{
	if (!out)
		return;
	bool good = !fflush(out) && !ferror(out);
	if (out != stdout)
		good = !fclose(out) && good;
	if (!good)
		*status = fail(path, g_strdup_printf("%s; is the disk full?", g_strerror(errno)), BENCH_FAILED);
}

static bool has_results(const struct bench_plan *plan)
{
	for (unsigned n = 0; n < plan->cases->len; n++)
		if (bench_plan_case(plan, n)->samples && bench_plan_case(plan, n)->question != BENCH_Q_FLOOR)
			return true;
	return false;
}

static int report(const struct bench_plan *plan, const struct bench_options *options, FILE *csv, FILE *json)
{
	char *error = NULL;
	if (csv)
		bench_report_csv(plan, csv);
	if (json)
		bench_report_json(plan, json);
	if (!is_stdout(options->csv) && !is_stdout(options->json))
		bench_report_table(plan, stdout);
	if (options->plot && !bench_plot_draw(plan, options->plot, &error))
		return fail("--plot", error, BENCH_FAILED);
	if (has_results(plan))
		return BENCH_DONE;
	return fail("", g_strdup("nothing could be measured; the table says why"), BENCH_FAILED);
}

static int run(const struct bench_options *options)
{
	FILE *csv = NULL, *json = NULL;
	char *error = NULL;
	int status = BENCH_DONE;
	if (options->plot && !bench_plot_check(options->plot, &error))
		return fail("--plot", error, BENCH_USAGE);
	if (open_report("--csv", options->csv, &csv, &status) && open_report("--json", options->json, &json, &status)) {
		struct bench_plan *plan = bench_plan_new(options);
		measure(plan, options);
		status = report(plan, options, csv, json);
		bench_plan_free(plan);
	}
	close_report(csv, options->csv, &status);
	close_report(json, options->json, &status);
	return status;
}

/* --- help ------------------------------------------------------------------------------------------ */

static int print_help(void)
{
	options_print_help(&bench_options_table, stdout);
	fputs("\nGuests:\n", stdout);
	for (unsigned guest = 0; guest < BENCH_GUESTS; guest++)
		printf("  %-23s %s\n", bench_guest_name((enum bench_guest_number)guest), bench_guest_help((enum bench_guest_number)guest));
	fputs("\nWithout a list each guest is measured on each engine, and one by channel, way to watch,\n"
	      "threshold and mixture; with lists all their combinations are. See v2e-bench(1).\n", stdout);
	return BENCH_DONE;
}

static int print_man(void)
{
	fputs(".SH OPTIONS\n", stdout);
	options_print_man(&bench_options_table, stdout);
	fputs(".SH GUESTS\n", stdout);
	for (unsigned guest = 0; guest < BENCH_GUESTS; guest++) {
		fputs(".TP\n.B ", stdout);
		options_print_man_text(bench_guest_name((enum bench_guest_number)guest), stdout);
		options_print_man_text(bench_guest_help((enum bench_guest_number)guest), stdout);
	}
	return BENCH_DONE;
}

int bench_main(int argc, char *const *argv)
{
	struct bench_options options;
	char *error = NULL;
	int status;
	bench_options_init(&options);
	if (!bench_options_parse(&options, argc, argv, &error))
		status = fail("", error, BENCH_USAGE);
	else if (options.help)
		status = print_help();
	else if (options.man)
		status = print_man();
	else
		status = run(&options);
	bench_options_clear(&options);
	return status;
}
