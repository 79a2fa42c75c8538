/* Runs tests, each in a process of its own, several at a time, and ends those that
 * pass a limit. */
#ifndef V2E_CLI_TEST_RUN_H
#define V2E_CLI_TEST_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "cli/test_file.h"
#include "cli/test_result.h"

/* From the request to end until the process is killed, in ns of the host. */
#define TEST_RUN_GRACE_NS (INT64_C(5) * 1000000000)

struct test_job {
	const struct test_file *file;
	const char *engine; /* NULL: as the file has it */
	const char *folder; /* absolute; made anew */
	struct test_result *result; /* set when it is done; the caller's to free */
};

struct test_run_config {
	unsigned jobs;             /* at a time */
	bool update;
	struct test_limits limits; /* of tests that have none; guest_ns is not used */
	/* `running` processes are at work now. Called when that changes, and several
	 * times a second. */
	void (*progress)(void *owner, unsigned running);
	/* `job` has its result. In any order. */
	void (*done)(void *owner, struct test_job *job);
	void *owner;
};

/* Runs jobs[0] .. jobs[count - 1]. Takes SIGINT and SIGTERM while it does: then
 * what runs is ended and the rest is TEST_NOT_RUN. Returns false after such a
 * signal. */
bool test_run(struct test_job *jobs, unsigned count, const struct test_run_config *config);

#endif
