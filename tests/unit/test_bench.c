#include <check.h>
#include <string.h>

#include "cli/bench_guest.h"
#include "cli/bench_plan.h"
#include "cli/bench_report.h"
#include "cli/bench_sample.h"

static struct bench_options options;
static char *error;

static void setup(void)
{
	bench_options_init(&options);
	error = NULL;
}

static void teardown(void)
{
	bench_options_clear(&options);
	g_free(error);
}

START_TEST(quantiles)
{
	static const double values[] = { 5, 1, 4, 2, 3 };
	ck_assert_double_eq(bench_quantile(values, 5, 0), 1);
	ck_assert_double_eq(bench_quantile(values, 5, 0.25), 2);
	ck_assert_double_eq(bench_quantile(values, 5, 0.5), 3);
	ck_assert_double_eq(bench_quantile(values, 5, 1), 5);
	ck_assert_double_eq(bench_quantile(values, 2, 0.5), 3);
	ck_assert_double_eq_tol(bench_quantile(values, 5, 0.99), 4.96, 1e-9);
	ck_assert_double_eq(bench_quantile(values, 1, 0.99), 5);
	ck_assert_double_eq(bench_quantile(values, 0, 0.5), 0);
}
END_TEST

START_TEST(orders_are_as_the_guest_reads_them)
{
	const struct bench_order order = { .guest = 4, .rounds = 0x01020304, .real_turns = 5, .protected_turns = 0x80000000 };
	static const uint8_t wanted[BENCH_GUEST_ORDER_SIZE] = { 4, 4, 3, 2, 1, 5, 0, 0, 0, 0, 0, 0, 0x80 };
	uint8_t bytes[BENCH_GUEST_ORDER_SIZE];
	bench_order_encode(&order, bytes);
	ck_assert_mem_eq(bytes, wanted, sizeof wanted);
}
END_TEST

/* The code is where it is copied to, and leaves room for the stacks above it. */
START_TEST(the_guest_fits)
{
	ck_assert_uint_lt(bench_guest_size, 0x2000);
	ck_assert_int_ge(bench_guest_entry - bench_guest_rom_entry, 1);
}
END_TEST

START_TEST(each_guest_does_its_rounds)
{
	const struct bench_subject subject = { .kind = BENCH_EMU };
	void *machine = bench_machine_ops.open(&subject, &error);
	ck_assert_ptr_nonnull(machine);
	/* Twice: it must be left as it was found. */
	for (unsigned n = 0; n < 2 * BENCH_GUESTS; n++) {
		const struct bench_order order = { .guest = n % BENCH_GUESTS, .rounds = 3, .real_turns = 2, .protected_turns = 2 };
		struct bench_answer answer = { .ns = 0 };
		bench_machine_ops.ask(machine, &order, &answer);
		ck_assert_str_eq(answer.error, "");
		ck_assert_uint_gt(answer.ns, 0);
#ifdef __x86_64__
		ck_assert_uint_gt(answer.cycles, 0);
#endif
	}
	bench_machine_ops.close(machine);
}
END_TEST

static unsigned count(const struct bench_plan *plan, enum bench_question question, enum bench_kind kind)
{
	unsigned n = 0;
	for (unsigned i = 0; i < plan->cases->len; i++) {
		const struct bench_case *one = bench_plan_case(plan, i);
		n += one->question == question && bench_plan_subject(plan, one)->kind == kind;
	}
	return n;
}

START_TEST(all_combinations_of_a_selection)
{
	char *const words[] = { "--guest", "grub,vm86", "--engine", "emu", "--channel", "inline,futex", "--real", "0,10,20" };
	ck_assert(bench_options_parse(&options, G_N_ELEMENTS(words), words, &error));
	struct bench_plan *plan = bench_plan_new(&options);
	ck_assert_uint_eq(count(plan, BENCH_Q_SELECTED, BENCH_EMU), 12);
	ck_assert_uint_eq(count(plan, BENCH_Q_FLOOR, BENCH_CALL), 1);
	ck_assert_uint_eq(count(plan, BENCH_Q_SWITCH, BENCH_EMU), 0);
	const struct bench_case *last = bench_plan_case(plan, plan->cases->len - 1);
	ck_assert_uint_eq(last->order.guest, BENCH_VM86);
	ck_assert_uint_eq(last->order.real_turns, 10);
	ck_assert_int_eq(bench_plan_subject(plan, last)->channel, RUN_CHANNEL_FUTEX);
	bench_plan_free(plan);
}
END_TEST

START_TEST(each_guest_on_each_engine)
{
	ck_assert(bench_options_parse(&options, 0, NULL, &error));
	ck_assert_uint_eq(options.samples, 31);
	struct bench_plan *plan = bench_plan_new(&options);
	ck_assert_uint_eq(count(plan, BENCH_Q_SWITCH, BENCH_EMU), BENCH_GUESTS);
	if (!plan->probe->error) {
		ck_assert_uint_eq(count(plan, BENCH_Q_SWITCH, BENCH_HYBRID), 3 * BENCH_GUESTS);
		ck_assert_uint_eq(count(plan, BENCH_Q_THRESHOLD, BENCH_HYBRID), 8);
		ck_assert_uint_eq(count(plan, BENCH_Q_CHANNEL, BENCH_HYBRID), 4);
	}
	bench_plan_free(plan);
}
END_TEST

/* One machine with the log and without, and the floor, in 200 turns. */
START_TEST(targets)
{
	char *const words[] = { "--targets" };
	ck_assert(bench_options_parse(&options, 1, words, &error));
	struct bench_plan *plan = bench_plan_new(&options);
	ck_assert_uint_eq(count(plan, BENCH_Q_SWITCH, BENCH_EMU), 0);
	if (plan->probe->error || plan->probe->best == HV_WATCH_LAZY) {
		ck_assert_uint_eq(count(plan, BENCH_Q_TARGET, BENCH_HYBRID), 0);
	} else {
		const struct bench_case *last = bench_plan_case(plan, plan->cases->len - 1);
		ck_assert_uint_eq(count(plan, BENCH_Q_TARGET, BENCH_HYBRID), 2);
		ck_assert_uint_eq(count(plan, BENCH_Q_TARGET, BENCH_TRIP), 1);
		ck_assert_uint_eq(last->subject, last[-1].subject);
		ck_assert(last->order.log && !last[-1].order.log);
		ck_assert_uint_eq(last->wanted, 200);
		ck_assert_uint_eq(bench_plan_case(plan, 0)->wanted, 31);
	}
	bench_plan_free(plan);
	char *const both[] = { "--targets", "--guest", "grub" };
	ck_assert(!bench_options_parse(&options, 3, both, &error));
}
END_TEST

START_TEST(ratio_of_pairs)
{
	double one[] = { 20, 33, 55 }, other[] = { 10, 11, 50 };
	const struct bench_case a = { .cpu_ns = one, .samples = 3 }, b = { .cpu_ns = other, .samples = 3 };
	ck_assert_double_eq_tol(bench_report_ratio(&a, &b), 2, 1e-9);
	ck_assert_double_eq(bench_report_ratio(NULL, &b), 0);
	ck_assert_double_eq(bench_report_ratio(&a, NULL), 0);
}
END_TEST

START_TEST(wrong_words)
{
	static const char *const wrong[][2] = {
		{ "--guest", "unknown guest 'dos'; join some of far-jump, lmsw" }, { "--threshold", "'dos' is not a number" },
		{ "--watch", "unknown way to watch 'dos'; join some of trace, breakpoint, lazy by commas" },
		{ "--samples", "'dos' is not a number" },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
		char *const words[] = { (char *)wrong[i][0], "dos" };
		ck_assert(!bench_options_parse(&options, 2, words, &error));
		ck_assert_msg(strstr(error, wrong[i][1]), "%s", error);
		g_clear_pointer(&error, g_free);
	}
	char *const both[] = { "--csv", "-", "--json", "-" };
	ck_assert(!bench_options_parse(&options, 4, both, &error));
}
END_TEST

Suite *suite_bench(void)
{
	Suite *suite = suite_create("bench");
	TCase *tcase = tcase_create("bench");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, quantiles);
	tcase_add_test(tcase, orders_are_as_the_guest_reads_them);
	tcase_add_test(tcase, the_guest_fits);
	tcase_add_test(tcase, each_guest_does_its_rounds);
	tcase_add_test(tcase, all_combinations_of_a_selection);
	tcase_add_test(tcase, each_guest_on_each_engine);
	tcase_add_test(tcase, targets);
	tcase_add_test(tcase, ratio_of_pairs);
	tcase_add_test(tcase, wrong_words);
	suite_add_tcase(suite, tcase);
	return suite;
}
