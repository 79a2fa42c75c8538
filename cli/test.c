#include "cli/test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/run.h"
#include "cli/test_folder.h"
#include "cli/test_keys.h"
#include "cli/test_options.h"
#include "cli/test_report.h"
#include "cli/test_run.h"
#include "cli/test_suite.h"

struct session {
	const struct test_options *options;
	struct test_suite suite;
	struct test_job *jobs;
	struct test_entry **entries; /* of the jobs */
	unsigned job_count;
	FILE *tap, *junit;           /* junit: NULL: none */
	guint reported;              /* entries */
	bool progress;               /* standard error is a terminal */
};

/* Takes over `error`, which may have several lines. */
static int fail_usage(char *error)
{
	g_auto(GStrv) lines = g_strsplit(error, "\n", -1);
	for (unsigned i = 0; lines[i]; i++)
		fprintf(stderr, "v2e test: %s\n", lines[i]);
	g_free(error);
	return RUN_USAGE;
}

/* Running */

static void report_progress(void *owner, unsigned running)
{
	struct session *session = owner;
	if (session->progress)
		test_report_progress(&session->suite, running, stderr);
}

/* In the order of the entries, whatever the order in which they are done. */
static void report_what_is_known(struct session *session)
{
	const GPtrArray *entries = session->suite.entries;
	for (; session->reported < entries->len; session->reported++) {
		struct test_entry *entry = entries->pdata[session->reported];
		test_suite_compare(entry);
		if (!entry->result)
			break;
		if (session->progress)
			test_report_progress_clear(stderr);
		test_report_tap_entry(entry, session->reported + 1, session->tap);
	}
}

static void note_done(void *owner, struct test_job *job)
{
	struct session *session = owner;
	session->entries[job - session->jobs]->result = job->result;
	report_what_is_known(session);
}

static void make_jobs(struct session *session)
{
	const GPtrArray *entries = session->suite.entries;
	session->jobs = g_new0(struct test_job, entries->len + 1);
	session->entries = g_new0(struct test_entry *, entries->len + 1);
	for (guint i = 0; i < entries->len; i++) {
		struct test_entry *entry = entries->pdata[i];
		if (entry->a)
			continue;
		session->entries[session->job_count] = entry;
		session->jobs[session->job_count++] =
			(struct test_job){ .file = entry->file, .engine = entry->engine, .folder = entry->folder };
	}
}

/* The folders of what passed go, unless a comparison with them failed. */
static bool is_needed(const struct test_suite *suite, const struct test_entry *entry)
{
	for (guint i = 0; i < suite->entries->len; i++) {
		const struct test_entry *other = suite->entries->pdata[i];
		bool concerned = other == entry || other->a == entry || other->b == entry;
		if (concerned && other->result->outcome > TEST_PASSED)
			return true;
	}
	return false;
}

static void clean_up(const struct session *session, bool made_top)
{
	for (unsigned i = 0; i < session->job_count && !session->options->keep; i++)
		if (session->entries[i]->result->outcome == TEST_PASSED && !is_needed(&session->suite, session->entries[i]))
			test_folder_remove(session->entries[i]->folder);
	/* Only if it is empty. */
	if (made_top)
		rmdir(session->options->artefacts);
}

static int run_session(struct session *session)
{
	const struct test_options *options = session->options;
	struct test_run_config config = {
		.jobs = options->jobs, .update = options->update, .limits = options->limits,
		.progress = report_progress, .done = note_done, .owner = session,
	};
	bool made_top = !g_file_test(options->artefacts, G_FILE_TEST_EXISTS);
	make_jobs(session);
	test_report_tap_begin(&session->suite, session->tap);
	bool finished = test_run(session->jobs, session->job_count, &config);
	if (session->progress)
		test_report_progress_clear(stderr);
	test_report_tap_end(&session->suite, session->tap);
	bool fine = finished && !test_report_count(&session->suite).failed;
	if (session->junit && !test_report_junit(&session->suite, session->junit)) {
		fprintf(stderr, "v2e test: --junit: %s: could not be written\n", options->junit);
		fine = false;
	}
	clean_up(session, made_top);
	g_free(session->jobs);
	g_free(session->entries);
	return fine ? RUN_DONE : RUN_FAILED;
}

/* Before anything runs */

static FILE *open_report(const char *option, const char *path, char **error)
{
	FILE *out = fopen(path, "we");
	if (!out)
		*error = g_strdup_printf("--%s: %s: %s; give a file that can be written", option, path, g_strerror(errno));
	return out;
}

static int run_with_reports(struct session *session)
{
	const struct test_options *options = session->options;
	bool to_stdout = !strcmp(options->tap, "-");
	char *error = NULL;
	int status = RUN_USAGE;
	session->tap = to_stdout ? stdout : open_report("tap", options->tap, &error);
	if (session->tap && options->junit)
		session->junit = open_report("junit", options->junit, &error);
	if (error)
		fail_usage(error);
	else
		status = run_session(session);
	if (session->tap && !to_stdout)
		fclose(session->tap);
	if (session->junit)
		fclose(session->junit);
	return status;
}

static int print_list(const GPtrArray *paths, const struct test_options *options)
{
	for (guint i = 0; i < paths->len; i++)
		if (i % options->shards == options->shard - 1)
			puts(paths->pdata[i]);
	return RUN_DONE;
}

static int run_paths(const GPtrArray *paths, const struct test_options *options)
{
	struct session session = { .options = options, .progress = isatty(STDERR_FILENO) };
	char *error = NULL;
	if (options->list)
		return print_list(paths, options);
	int status = test_suite_load(&session.suite, paths, options, &error) ? run_with_reports(&session) : fail_usage(error);
	test_suite_clear(&session.suite);
	return status;
}

static int run_with_options(const struct test_options *options)
{
	char *error = NULL;
	if (!options->paths->len)
		return fail_usage(g_strdup("no test is named; give files that end with " TEST_FILE_SUFFIX ", or folders with such"));
	g_autoptr(GPtrArray) paths = test_suite_find(options->paths, &error);
	return paths ? run_paths(paths, options) : fail_usage(error);
}

static int print_help(void)
{
	options_print_help(&test_options_table, stdout);
	fputs("\nA test file has groups of keys. [machine] has options of v2e run, such as image=FILE\n"
	      "and memory=16M; [steps] has commands of v2e run --do, one a key, each with a label.\n", stdout);
	test_keys_print_help(stdout);
	fputs("\nSee v2e-test(1).\n", stdout);
	return RUN_DONE;
}

static int print_man(void)
{
	fputs(".SH OPTIONS\n", stdout);
	options_print_man(&test_options_table, stdout);
	fputs(".SH KEYS\n", stdout);
	test_keys_print_man(stdout);
	return RUN_DONE;
}

int test_main(int argc, char *const *argv)
{
	struct test_options options;
	char *error = NULL;
	int status;
	test_options_init(&options);
	if (!options_parse(&test_options_table, argc, argv, &options, &error))
		status = fail_usage(error);
	else if (options.help)
		status = print_help();
	else if (options.man)
		status = print_man();
	else
		status = run_with_options(&options);
	test_options_clear(&options);
	return status;
}
