#include <check.h>
#include <string.h>

#include "shared/clock.h"

struct shot {
	struct clock *clock;
	struct clock_timer *timer, *other;
	char name;
	uint64_t again;  /* sets itself so much later */
	unsigned times;
};

static struct clock *clock;
static char order[64];
static unsigned shots;

static void fire(void *owner)
{
	struct shot *shot = owner;
	order[shots++] = shot->name;
	shot->times++;
	if (shot->again)
		clock_timer_set(shot->timer, clock_now(shot->clock) + shot->again);
	if (shot->other)
		clock_timer_set(shot->other, clock_now(shot->clock));
}

static void shot_init(struct shot *shot, char name)
{
	*shot = (struct shot){ .clock = clock, .name = name };
	shot->timer = clock_timer_new(clock, fire, shot);
}

static void setup(void)
{
	clock = clock_new(CLOCK_KIND_VIRTUAL);
	memset(order, 0, sizeof order);
	shots = 0;
}

static void teardown(void)
{
	clock_free(clock);
}

START_TEST(virtual_time)
{
	ck_assert_int_eq(clock_kind(clock), CLOCK_KIND_VIRTUAL);
	ck_assert_uint_eq(clock_now(clock), 0);
	clock_add_insns(clock, 7);
	ck_assert_uint_eq(clock_now(clock), 7 * CLOCK_NS_PER_INSN);
	clock_wait_until(clock, 1000);
	ck_assert_uint_eq(clock_now(clock), 1000);
	clock_wait_until(clock, 999);
	ck_assert_uint_eq(clock_now(clock), 1000);
	clock_wait_until(clock, CLOCK_NEVER);
	ck_assert_uint_eq(clock_now(clock), 1000);
	clock_set_now(clock, 5);
	ck_assert_uint_eq(clock_now(clock), 5);
}
END_TEST

START_TEST(instructions_without_time)
{
	clock_add_insns(clock, 3);
	uint64_t before = clock_now(clock);
	clock_ignore_insns(clock);
	clock_add_insns(clock, 1000);
	ck_assert_uint_eq(clock_now(clock), before);
	clock_wait_until(clock, before + 5);
	ck_assert_uint_eq(clock_now(clock), before + 5);
}
END_TEST

START_TEST(deadlines)
{
	struct shot a, b;
	shot_init(&a, 'a');
	shot_init(&b, 'b');
	ck_assert_uint_eq(clock_next_deadline(clock), CLOCK_NEVER);
	ck_assert_uint_eq(clock_timer_deadline(a.timer), CLOCK_NEVER);
	clock_timer_set(a.timer, 50);
	clock_timer_set(b.timer, 40);
	ck_assert_uint_eq(clock_next_deadline(clock), 40);
	clock_timer_set(b.timer, 60);
	ck_assert_uint_eq(clock_next_deadline(clock), 50);
	ck_assert_uint_eq(clock_timer_deadline(b.timer), 60);
	clock_timer_stop(a.timer);
	clock_timer_stop(a.timer);
	ck_assert_uint_eq(clock_next_deadline(clock), 60);
	clock_timer_set(b.timer, CLOCK_NEVER);
	ck_assert_uint_eq(clock_next_deadline(clock), CLOCK_NEVER);
	clock_timer_set(a.timer, 1);
	clock_timer_free(a.timer);
	ck_assert_uint_eq(clock_next_deadline(clock), CLOCK_NEVER);
	clock_timer_free(b.timer);
	clock_timer_free(NULL);
}
END_TEST

START_TEST(due_means_reached)
{
	struct shot a;
	shot_init(&a, 'a');
	clock_timer_set(a.timer, 100);
	clock_wait_until(clock, 99);
	clock_run_due(clock);
	ck_assert_uint_eq(a.times, 0);
	clock_wait_until(clock, 100);
	clock_run_due(clock);
	clock_run_due(clock);
	ck_assert_uint_eq(a.times, 1);
	ck_assert_uint_eq(clock_timer_deadline(a.timer), CLOCK_NEVER);
	clock_timer_free(a.timer);
}
END_TEST

START_TEST(order_of_fire)
{
	struct shot shot[5];
	for (unsigned n = 0; n < 5; n++)
		shot_init(&shot[n], (char)('a' + n));
	clock_timer_set(shot[4].timer, 20);
	clock_timer_set(shot[2].timer, 30);
	clock_timer_set(shot[3].timer, 30);
	clock_timer_set(shot[0].timer, 30);
	clock_timer_set(shot[1].timer, 10);
	clock_wait_until(clock, 30);
	clock_run_due(clock);
	ck_assert_str_eq(order, "beacd");
	for (unsigned n = 0; n < 5; n++)
		clock_timer_free(shot[n].timer);
}
END_TEST

START_TEST(fire_sets_timers)
{
	struct shot a, b;
	shot_init(&a, 'a');
	shot_init(&b, 'b');
	a.again = 10;
	a.other = b.timer;
	clock_timer_set(a.timer, 10);
	for (uint64_t now = 10; now <= 30; now += 10) {
		clock_wait_until(clock, now);
		clock_run_due(clock);
	}
	ck_assert_str_eq(order, "ababab");
	ck_assert_uint_eq(clock_next_deadline(clock), 40);
	clock_timer_free(a.timer);
	clock_timer_free(b.timer);
}
END_TEST

START_TEST(ticks)
{
	const uint64_t pit = 1193182;
	ck_assert_uint_eq(clock_ns_to_ticks(1000000000, pit), pit);
	ck_assert_uint_eq(clock_ns_to_ticks(999999999, pit), pit - 1);
	ck_assert_uint_eq(clock_ticks_to_ns(pit, pit), 1000000000);
	ck_assert_uint_eq(clock_ticks_to_ns(0, pit), 0);
	for (uint64_t n = 1; n < 70000; n += 977) {
		uint64_t ns = clock_ticks_to_ns(n, pit);
		ck_assert_uint_eq(clock_ns_to_ticks(ns, pit), n);
		ck_assert_uint_eq(clock_ns_to_ticks(ns - 1, pit), n - 1);
	}
	/* A century, at 3 GHz. */
	uint64_t century = 100ull * 365 * 86400 * 1000000000;
	ck_assert_uint_eq(clock_ns_to_ticks(century, 3000000000u), century * 3);
	ck_assert_uint_eq(clock_ticks_to_ns(century * 3 + 1, 3000000000u), century + 1);
	ck_assert_uint_eq(clock_ns_to_ticks(UINT64_MAX, UINT64_MAX), UINT64_MAX);
	ck_assert_uint_eq(clock_ticks_to_ns(UINT64_MAX, 1), CLOCK_NEVER);
	ck_assert_uint_eq(clock_ticks_to_ns(1, 0), CLOCK_NEVER);
}
END_TEST

START_TEST(real_time)
{
	struct clock *real = clock_new(CLOCK_KIND_REAL);
	uint64_t first = clock_now(real);
	ck_assert_uint_lt(first, 60000000000ull);
	clock_add_insns(real, UINT32_MAX);
	ck_assert_uint_lt(clock_now(real), 60000000000ull);
	clock_wait_until(real, first + 1000);
	ck_assert_uint_ge(clock_now(real), first + 1000);
	clock_set_now(real, 1ull << 60);
	ck_assert_uint_ge(clock_now(real), 1ull << 60);
	clock_free(real);
}
END_TEST

/* Would hang, and Check would end it, were the sleep not ended. */
START_TEST(wake_ends_sleep)
{
	struct clock *real = clock_new(CLOCK_KIND_REAL);
	clock_wake(real);
	clock_wake(real);
	clock_wait_until(real, CLOCK_NEVER);
	clock_wake(real);
	clock_wait_until(real, clock_now(real) + 3600000000000ull);
	clock_free(real);
}
END_TEST

Suite *suite_clock(void)
{
	Suite *suite = suite_create("clock");
	TCase *tcase = tcase_create("clock");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, virtual_time);
	tcase_add_test(tcase, instructions_without_time);
	tcase_add_test(tcase, deadlines);
	tcase_add_test(tcase, due_means_reached);
	tcase_add_test(tcase, order_of_fire);
	tcase_add_test(tcase, fire_sets_timers);
	tcase_add_test(tcase, ticks);
	tcase_add_test(tcase, real_time);
	tcase_add_test(tcase, wake_ends_sleep);
	suite_add_tcase(suite, tcase);
	return suite;
}
