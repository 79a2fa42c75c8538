/* What the conductor does with a CPU that has halted. */
#include "tests/unit/conduct_rig.h"

START_TEST(halt_waits_for_intr)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "hk", "");
	page.rflags |= CTX_EFLAGS_IF;
	new_timer(fire_intr, 5000000000);
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(fired, 1);
	ck_assert_uint_eq(a.runs, 3);
	ck_assert_uint_ge(clock_now(clock), 5000000000);
	ck_assert_uint_lt(clock_now(clock), 5000001000);
}
END_TEST

START_TEST(halt_without_timers)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "h", "");
	page.rflags |= _i ? CTX_EFLAGS_IF : 0;
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_HALTED);
	ck_assert_uint_eq(page.halted, 1);
	ck_assert_uint_eq(a.runs, 1);
}
END_TEST

START_TEST(halt_with_interrupts_off)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "h", "");
	new_timer(fire_every_ms, 1000000);
	pins.intr = true;
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_HALTED);
	ck_assert_uint_ge(fired, 999);
	ck_assert_uint_le(fired, 1001);
}
END_TEST

START_TEST(halt_and_nmi)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "h", "");
	page.nmi_masked = (uint32_t)_i;
	new_timer(fire_nmi, 1000);
	ck_assert_int_eq(conduct_run(conduct), _i ? CONDUCT_HALTED : CONDUCT_STOPPED);
	ck_assert_uint_eq(fired, 1);
}
END_TEST

START_TEST(halt_and_latched_pins)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "h", "");
	pins.init = _i == 0;
	pins.smi = _i == 1;
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(a.runs, 2);
}
END_TEST

START_TEST(halt_in_smm_with_smi)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "h", "");
	pins.smi = true;
	page.smm = 1;
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_HALTED);
}
END_TEST

/* It waits for the end of SMM as well, which does not come: not to be waited for. */
START_TEST(halt_in_smm_with_init)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "h", "");
	pins.init = true;
	page.smm = 1;
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_HALTED);
}
END_TEST

/* Would hang, and Check would end it, were the sleep not ended by the timer. */
START_TEST(halt_in_real_time)
{
	new_conduct(CLOCK_KIND_REAL, "h", "");
	page.rflags |= CTX_EFLAGS_IF;
	new_timer(fire_stop, 1000);
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(a.runs, 1);
	a.script = "h";
	page.rflags = 2;
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_HALTED);
}
END_TEST

#define TICK 100000000 /* ns, a tenth of what a halted CPU waits */

static void stop_each_tick(void *owner)
{
	fire_stop(owner);
	clock_timer_set(timer, clock_now(clock) + TICK);
}

/* Stops for a script's waiting, or whoever looks at the guest, put nothing off. */
START_TEST(halt_that_is_looked_at)
{
	unsigned stops = 0;
	new_conduct(CLOCK_KIND_VIRTUAL, "hhhhhhhhhhhhhhhhhhhh", "");
	new_timer(stop_each_tick, TICK);
	while (conduct_run(conduct) == CONDUCT_STOPPED && stops < 20)
		stops++;
	ck_assert_uint_ge(stops, 9);
	ck_assert_uint_le(stops, 10);
}
END_TEST

static void nmi_at_tick_9(void *owner)
{
	fire(owner);
	pins.nmi = fired == 9;
	clock_timer_set(timer, clock_now(clock) + TICK);
}

START_TEST(halt_again)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "hn", "");
	new_timer(nmi_at_tick_9, TICK);
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_HALTED);
	ck_assert_uint_ge(fired, 18);
	ck_assert_uint_le(fired, 20);
}
END_TEST

Suite *suite_conduct_halt(void)
{
	Suite *suite = suite_create("conduct halt");
	TCase *tcase = tcase_create("halt");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, halt_waits_for_intr);
	tcase_add_loop_test(tcase, halt_without_timers, 0, 2);
	tcase_add_test(tcase, halt_with_interrupts_off);
	tcase_add_loop_test(tcase, halt_and_nmi, 0, 2);
	tcase_add_loop_test(tcase, halt_and_latched_pins, 0, 2);
	tcase_add_test(tcase, halt_in_smm_with_smi);
	tcase_add_test(tcase, halt_in_smm_with_init);
	tcase_add_test(tcase, halt_in_real_time);
	tcase_add_test(tcase, halt_that_is_looked_at);
	tcase_add_test(tcase, halt_again);
	suite_add_tcase(suite, tcase);
	return suite;
}
