/* How a test went. The process that ran it leaves it in a file for the one that
 * started it. */
#ifndef V2E_CLI_TEST_RESULT_H
#define V2E_CLI_TEST_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

/* In a test's folder. */
#define TEST_RESULT_FILE "result.ini"

enum test_outcome {
	TEST_NOT_RUN, /* interrupted before */
	TEST_PASSED,
	TEST_FAILED,  /* the guest did not do what was expected */
	TEST_BROKEN,  /* it could not start, crashed, or passed a limit of the host */
	TEST_OUTCOMES,
};

struct test_result {
	enum test_outcome outcome;
	GPtrArray *messages; /* char *: why not passed; the first is the cause */
	GPtrArray *updated;  /* char *: pictures that were written */
	int status;          /* the run's exit status */
	uint64_t guest_ns, insns, handovers, transitions;
	double host_seconds;
};

/* TEST_NOT_RUN and nothing else. */
struct test_result *test_result_new(void);
void test_result_free(void *result); /* NULL is fine */

/* Makes it at least FAILED or BROKEN, and says why. Takes over `message`. */
void test_result_fail(struct test_result *result, enum test_outcome outcome, char *message);

/* Returns false when it cannot be written. */
bool test_result_save(const struct test_result *result, const char *path);
/* NULL: there is none, or none that makes sense. */
struct test_result *test_result_load(const char *path);

/* "passed", ... */
const char *test_outcome_name(enum test_outcome outcome);

#endif
