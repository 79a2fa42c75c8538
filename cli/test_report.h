/* Reports: TAP 13 while tests run, JUnit XML at the end, a line at the bottom of a
 * terminal. */
#ifndef V2E_CLI_TEST_REPORT_H
#define V2E_CLI_TEST_REPORT_H

#include <stdio.h>

#include "cli/test_suite.h"

struct test_counts {
	unsigned passed, failed, not_run;
};

struct test_counts test_report_count(const struct test_suite *suite);

/* Version and plan; then one entry, number `n` from 1; then the sum. */
void test_report_tap_begin(const struct test_suite *suite, FILE *out);
void test_report_tap_entry(const struct test_entry *entry, unsigned n, FILE *out);
void test_report_tap_end(const struct test_suite *suite, FILE *out);

/* What entries that did not pass have left in their folders is quoted: do it while
 * that is there. Returns false when `out` takes no more. */
bool test_report_junit(const struct test_suite *suite, FILE *out);

/* "3 of 10 done, 1 failed, 2 running", on the line where the cursor is; clear
 * wipes it. */
void test_report_progress(const struct test_suite *suite, unsigned running, FILE *out);
void test_report_progress_clear(FILE *out);

#endif
