/* What keeps a report of a long run small: the timeline, calls on it, and numbers. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "trace/report_private.h"

#define MANY  1300000u
#define NS    700u    /* of the one state, */
#define OTHER 1300u   /* and of the other */

static struct report *report;

static void setup(void) { report = report_new(NULL); }
static void teardown(void) { report_free(report); }

/* "name":[ of what was put: what follows, until the next call. */
static const char *numbers_of(const char *text, const char *name)
{
	const char *at = strstr(text, name);
	ck_assert_ptr_nonnull(at);
	return at + strlen(name) + 3;
}

static uint64_t next_number(const char **text)
{
	char *end;
	uint64_t value = strtoull(*text, &end, 10);
	ck_assert_ptr_ne(end, *text);
	*text = *end == ',' ? end + 1 : end;
	return value;
}

static char *put(void (*what)(struct report *report, FILE *out))
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	what(report, out);
	fclose(out);
	return text;
}

/* How long each state lasts, up to `end`; returns how many changes there are. */
static unsigned sums(const char *text, uint64_t end, uint64_t ns[REPORT_STATES])
{
	const char *at = numbers_of(text, "changes");
	uint64_t now = 0;
	unsigned state = REPORT_STATES, count = 0;
	while (*at != ']') {
		uint64_t passed = next_number(&at);
		next_number(&at);
		if (state < REPORT_STATES)
			ns[state] += passed;
		now += passed;
		state = (unsigned)next_number(&at);
		ck_assert_uint_lt(state, REPORT_STATES);
		count++;
	}
	ns[state] += end - now;
	return count;
}

static uint64_t fill(unsigned count)
{
	uint64_t now = 0;
	for (unsigned n = 0; n < count; n++) {
		now += n % 2 ? NS : OTHER;
		report_changes_add(report, &(struct report_change){ .ns = now, .host_ns = 2 * now, .mode = n % 2 ? REPORT_PROTECTED : REPORT_REAL, .engine = -1 });
	}
	return now + OTHER;
}

START_TEST(a_short_run_is_whole)
{
	uint64_t ns[REPORT_STATES] = { 0 }, end = fill(1000);
	g_autofree char *text = put(report_changes_put);
	ck_assert_uint_eq(sums(text, end, ns), 1001);
	ck_assert_uint_eq(report->cell_ns, 0);
	ck_assert_uint_eq(ns[REPORT_PROTECTED * 3 + 2], 500 * OTHER);
	ck_assert_uint_eq(ns[REPORT_REAL * 3 + 2], 500 * NS);
}
END_TEST

START_TEST(a_long_run_is_there_to_its_end)
{
	uint64_t ns[REPORT_STATES] = { 0 }, end = fill(MANY);
	g_autofree char *text = put(report_changes_put);
	ck_assert_uint_le(sums(text, end, ns), REPORT_CHANGES + 1);
	ck_assert_uint_gt(report->cell_ns, 0);
	ck_assert_uint_lt(report->cell_ns, end / 1000);
	ck_assert_uint_eq(ns[REPORT_PROTECTED * 3 + 2], (uint64_t)MANY / 2 * OTHER);
	ck_assert_uint_eq(ns[REPORT_REAL * 3 + 2], (uint64_t)MANY / 2 * NS);
	const char *entered = numbers_of(text, "entered");
	uint64_t count[REPORT_STATES];
	for (unsigned n = 0; n < REPORT_STATES; n++)
		count[n] = next_number(&entered);
	ck_assert_uint_eq(count[REPORT_REAL * 3 + 2], MANY / 2);
	ck_assert_uint_eq(count[REPORT_PROTECTED * 3 + 2], MANY / 2);
}
END_TEST

/* Coarse as it is, each part of the run has its own share: the first and the last tenth
 * are of one state alone. */
START_TEST(each_part_keeps_its_share)
{
	uint64_t now = 0;
	for (unsigned n = 0; n < MANY; n++) {
		now += 1000;
		int8_t mode = n < MANY / 10 ? REPORT_REAL : n >= MANY / 10 * 9 ? REPORT_PROTECTED : n % 2 ? REPORT_VM86 : REPORT_REAL;
		report_changes_add(report, &(struct report_change){ .ns = now, .mode = mode, .engine = n % 3 ? REPORT_EMU : REPORT_KVM });
	}
	g_autofree char *text = put(report_changes_put);
	const char *at = numbers_of(text, "changes");
	uint64_t at_ns = 0;
	while (*at != ']') {
		at_ns += next_number(&at);
		next_number(&at);
		unsigned mode = (unsigned)next_number(&at) / 3;
		if (at_ns > 2000 && at_ns < UINT64_C(1000) * (MANY / 10))
			ck_assert_uint_eq(mode, REPORT_REAL);
		if (at_ns > UINT64_C(1000) * (MANY / 10 * 9) + report->cell_ns)
			ck_assert_uint_eq(mode, REPORT_PROTECTED);
	}
}
END_TEST

/* A long stay at the beginning or in the middle of many short ones. */
START_TEST(a_long_stay_stays_one)
{
	static const unsigned places[] = { 1, MANY / 2 };
	uint64_t ns[REPORT_STATES] = { 0 }, now = 0;
	for (unsigned n = 0; n < MANY; n++) {
		now += n == places[_i] ? UINT64_C(10000000000) : 100;
		report_changes_add(report, &(struct report_change){ .ns = now, .mode = n % 2 ? REPORT_PROTECTED : REPORT_REAL, .engine = -1 });
	}
	g_autofree char *text = put(report_changes_put);
	ck_assert_uint_le(sums(text, now, ns), REPORT_CHANGES + 1);
	uint64_t real = MANY / 2, other = MANY / 2 - 1, longer = UINT64_C(10000000000) - 100;
	ck_assert_uint_eq(ns[REPORT_REAL * 3 + 2], 100 * real + (_i == 0 ? longer : 0));
	ck_assert_uint_eq(ns[REPORT_PROTECTED * 3 + 2], 100 * other + (_i == 0 ? 0 : longer));
}
END_TEST

/* A hand-over is recorded when it is over, with the time at which it began. */
START_TEST(changes_come_out_of_order)
{
	uint64_t ns[REPORT_STATES] = { 0 };
	report_changes_add(report, &(struct report_change){ .ns = 100, .mode = REPORT_PROTECTED, .engine = -1 });
	report_changes_add(report, &(struct report_change){ .ns = 300, .mode = REPORT_REAL, .engine = -1 });
	report_changes_add(report, &(struct report_change){ .ns = 200, .mode = -1, .engine = REPORT_KVM });
	g_autofree char *text = put(report_changes_put);
	ck_assert_uint_eq(sums(text, 400, ns), 4);
	ck_assert_uint_eq(ns[REPORT_PROTECTED * 3 + REPORT_KVM], 100);
	ck_assert_uint_eq(ns[REPORT_REAL * 3 + REPORT_KVM], 100);
}
END_TEST

static void put_marks(struct report *of, FILE *out) { report_marks_put(of, out); }

START_TEST(calls_are_all_on_the_timeline)
{
	unsigned many = 3 * REPORT_MARKS + 1;
	for (unsigned n = 0; n < many; n++)
		report_marks_add(report, 10 * n, 20 * n, n % 7);
	g_autofree char *text = put(put_marks);
	const char *at = numbers_of(text, "calls");
	uint64_t now = 0, calls = 0, marks = 0;
	while (*at != ']') {
		now += next_number(&at);
		next_number(&at);
		calls += next_number(&at);
		ck_assert_uint_lt(next_number(&at), 7);
		marks++;
	}
	ck_assert_uint_eq(calls, many);
	ck_assert_uint_le(marks, REPORT_MARKS);
	ck_assert_uint_ge(now, 10 * (many - 8));
}
END_TEST

START_TEST(numbers_are_kept_evenly)
{
	struct report_values *values = report_values_new(1000);
	unsigned early = 0;
	for (unsigned n = 0; n < 100000; n++)
		report_values_add(values, n);
	ck_assert_uint_eq(values->count, 100000);
	ck_assert_uint_eq(values->sum, UINT64_C(100000) * 99999 / 2);
	ck_assert_uint_eq(values->kept->len, 1000);
	for (unsigned n = 0; n < values->kept->len; n++)
		early += g_array_index(values->kept, uint64_t, n) < 50000;
	ck_assert_uint_gt(early, 400);
	ck_assert_uint_lt(early, 600);
	report_values_free(values);
}
END_TEST

Suite *suite_report_changes(void)
{
	Suite *suite = suite_create("report changes");
	TCase *tcase = tcase_create("report changes");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, a_short_run_is_whole);
	tcase_add_test(tcase, a_long_run_is_there_to_its_end);
	tcase_add_test(tcase, each_part_keeps_its_share);
	tcase_add_loop_test(tcase, a_long_stay_stays_one, 0, 2);
	tcase_add_test(tcase, changes_come_out_of_order);
	tcase_add_test(tcase, calls_are_all_on_the_timeline);
	tcase_add_test(tcase, numbers_are_kept_evenly);
	suite_add_tcase(suite, tcase);
	return suite;
}
