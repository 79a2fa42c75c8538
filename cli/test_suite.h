/* The tests of one `v2e test`: found, checked, and set out as entries of a report. */
#ifndef V2E_CLI_TEST_SUITE_H
#define V2E_CLI_TEST_SUITE_H

#include <stdbool.h>

#include <glib.h>

#include "cli/test_options.h"
#include "cli/test_run.h"

/* A test on an engine, or the comparison of two such. */
struct test_entry {
	const struct test_file *file;
	char *title;
	char *engine;        /* NULL: the test's own */
	char *folder;        /* absolute; with a comparison that of the second engine */
	struct test_result *result; /* NULL: not known yet */
	const struct test_entry *a, *b; /* a comparison of these; NULL: a run */
};

struct test_suite {
	GPtrArray *files;    /* struct test_file * */
	GPtrArray *entries;  /* struct test_entry *, in the order of the report: the
	                      * comparisons of a file come after its runs */
};

/* The paths of all tests that `paths` (char *) name, in order; folders are looked
 * through, sorted by name. NULL with *error (g_free). */
GPtrArray *test_suite_find(const GPtrArray *paths, char **error);

/* Reads the tests that are in this part and sets out the entries. Returns false
 * with *error (g_free): one line for each file that is wrong. To be cleared
 * whatever is returned. */
bool test_suite_load(struct test_suite *suite, const GPtrArray *paths, const struct test_options *options, char **error);
void test_suite_clear(struct test_suite *suite);

/* Compares as soon as both runs have their results; does nothing before. */
void test_suite_compare(struct test_entry *entry);

#endif
