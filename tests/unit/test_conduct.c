#include <stdio.h>
#include <stdlib.h>

#include "shared/channel_thread.h"
#include "shared/log.h"
#include "tests/unit/conduct_rig.h"

START_TEST(stop_ends_and_may_go_on)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "bk", "");
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(a.runs, 3);
	ck_assert(!pins.stop);
	ck_assert(atomic_load(&pins.attention));
	ck_assert_uint_eq(a.kicks, 1);
	ck_assert_uint_eq(b.kicks, 1);
	ck_assert_uint_eq(page.request_state, CTX_IDLE);
	a.script = "kk";
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(a.runs, 6);
	conduct_stop(conduct);
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(a.runs, 6);
}
END_TEST

/* Who looks at the page when nothing runs finds all of it there. */
static unsigned parts_fetched;

static void fetch(void *keeper, struct ctx *ctx, enum ctx_part part)
{
	(void)ctx;
	ck_assert_ptr_eq(keeper, &a);
	parts_fetched |= 1u << part;
}

static void stop_debugged(void *debugger, enum stop_reason reason)
{
	(void)reason;
	ck_assert_ptr_eq(debugger, &b);
	ck_assert_uint_eq(parts_fetched, 1u << CTX_PART_FPU | 1u << CTX_PART_DR6);
	fired++;
	conduct_stop(conduct);
}

START_TEST(kept_state_is_fetched)
{
	new_conduct(CLOCK_KIND_VIRTUAL, _i ? "d" : "f", "");
	pins.fetch = fetch;
	pins.keeper = &a;
	parts_fetched = 0;
	if (_i)
		conduct_set_debugger(conduct, stop_debugged, &b);
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(parts_fetched, 1u << CTX_PART_FPU | 1u << CTX_PART_DR6);
	ck_assert(page.fpu_present && !page.dr6_kept);
	ck_assert_uint_eq(fired, (unsigned)_i);
}
END_TEST

START_TEST(engines_by_mode)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "kpkp", "kr");
	b.script = "kr";
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	/* a: k p, b: k r, a: k p, b: end */
	ck_assert_uint_eq(a.runs, 4);
	ck_assert_uint_eq(b.runs, 3);
	ck_assert_uint_eq(stats()->handovers, 3);
	ck_assert_uint_eq(page.sequence, 3);
	ck_assert_uint_eq(a.epochs, 1);
	ck_assert_uint_eq(b.epochs, 2);
	ck_assert_uint_eq(stats()->runs[0], 4);
	ck_assert_uint_eq(stats()->runs[1], 3);
	ck_assert_uint_eq(stats()->stops[STOP_MODE], 3);
	ck_assert_uint_eq(stats()->stops[STOP_KICK], 4);
	ck_assert_uint_eq(stats()->insns, 7 * 3);
	ck_assert_uint_eq(stats()->blocks, 7);
}
END_TEST

START_TEST(stops_at_handovers)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "kpk", "r");
	conduct_stop_at_handovers(conduct);
	ck_assert(!conduct_is_at_handover(conduct));
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert(conduct_is_at_handover(conduct));
	ck_assert_uint_eq(a.runs, 2);
	ck_assert_uint_eq(b.runs, 0);
	ck_assert_uint_eq(stats()->handovers, 0);
	/* The answer of before counts, also when it would be another one now. */
	b.never = true;
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert(conduct_is_at_handover(conduct));
	ck_assert_uint_eq(b.runs, 1);
	ck_assert_uint_eq(stats()->handovers, 1);
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert(!conduct_is_at_handover(conduct));
	ck_assert_uint_eq(a.runs, 4);
	ck_assert_uint_eq(stats()->handovers, 2);
}
END_TEST

/* A reset in between: the hand-over is not due any more. */
START_TEST(reset_at_a_handover)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "pk", "k");
	conduct_stop_at_handovers(conduct);
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	pins.reset = true;
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(resets, 1);
	ck_assert_uint_eq(a.runs, 3);
	ck_assert_uint_eq(b.runs, 0);
}
END_TEST

START_TEST(held_ends)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "kHk", "");
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(a.runs, 2);
	ck_assert_uint_eq(page.stop_reason, STOP_HELD);
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(a.runs, 4);
}
END_TEST

/* `a` comes first, but what runs keeps the context until it gives it away. */
START_TEST(engines_keep_the_context)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "", "kr");
	a.real_only = false;
	a.never = true;
	new_timer(let_a_run, 1);
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(fired, 1);
	ck_assert_uint_eq(b.runs, 2);
	ck_assert_uint_eq(a.runs, 1);
	ck_assert_uint_eq(stats()->handovers, 1);
	ck_assert_uint_eq(stats()->handover[1][STOP_MODE], 1);
	ck_assert_uint_eq(stats()->handover[0][STOP_MODE], 0);
}
END_TEST

/* Gives the context away, and nobody takes it: it is not asked again before its
 * budget is used up. Then who could, does. */
START_TEST(nobody_wants_the_context)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "", "ppk");
	leave_real_mode(&page);
	a.real_only = false;
	a.never = true;
	new_timer(let_a_run, 9 * CLOCK_NS_PER_INSN);
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(b.runs, 3);
	ck_assert_uint_eq(b.blocks[0], 0);
	ck_assert_uint_eq(b.blocks[1], UINT64_MAX);
	ck_assert_uint_eq(b.blocks[2], UINT64_MAX);
	ck_assert_uint_eq(a.runs, 1);
	ck_assert_uint_eq(a.blocks[0], UINT64_MAX); /* which does not count them */
	ck_assert_uint_eq(stats()->handover[1][STOP_KICK], 1);
}
END_TEST

/* Real mode in between: the threshold counts anew. */
START_TEST(threshold_after_real_mode)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "", "prk");
	leave_real_mode(&page);
	a.never = true;
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(b.blocks[1], UINT64_MAX);
	ck_assert_uint_eq(b.blocks[2], 0);
}
END_TEST

START_TEST(nobody_can_run)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	new_conduct(CLOCK_KIND_VIRTUAL, "", "");
	a.never = b.never = true;
	log_set_output(out);
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_ERROR);
	log_set_output(NULL);
	fclose(out);
	ck_assert_msg(strstr(text, "real mode") && strstr(text, "f000:0000fff0"), "%s", text);
	free(text);
}
END_TEST

START_TEST(errors_end)
{
	FILE *sink = fopen("/dev/null", "w");
	log_set_output(sink);
	new_conduct(CLOCK_KIND_VIRTUAL, _i ? "k?" : "ke", "");
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_ERROR);
	ck_assert_uint_eq(stats()->stops[STOP_ERROR], 1);
	ck_assert_uint_eq(page.stop_reason, STOP_ERROR);
	log_set_output(NULL);
	fclose(sink);
}
END_TEST

START_TEST(limit_is_the_deadline)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "bbbbb", "");
	new_timer(fire, 12345);
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(a.limit[0], 1235);
	ck_assert_uint_eq(fired, 1);
	ck_assert_uint_eq(a.limit[1], 1000000);
	teardown();
	a.runs = 0;
	new_conduct(CLOCK_KIND_VIRTUAL, "bbb", "");
	new_timer(fire, 10000025);
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(a.limit[0], 1000000);
	ck_assert_uint_eq(a.limit[1], 3);
	teardown();
	a.runs = 0;
	new_conduct(CLOCK_KIND_VIRTUAL, "b", "");
	new_timer(fire, 0);
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(a.limit[0], 1);
}
END_TEST

START_TEST(limit_in_real_time)
{
	new_conduct(CLOCK_KIND_REAL, "b", "");
	new_timer(fire, 0);
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(a.limit[0], 20000);
	ck_assert_uint_eq(fired, 1);
}
END_TEST

/* --- reset -------------------------------------------------------------------------- */

START_TEST(reset_pin)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "kRk", "");
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(resets, 1);
	ck_assert(!reset_from_shutdown);
	ck_assert(!pins.reset);
	ck_assert_uint_eq(a.runs, 4);
	ck_assert_uint_eq(stats()->resets, 1);
	reset_goes_on = false;
	a.script = "Rk";
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_SHUTDOWN);
	ck_assert_uint_eq(stats()->resets, 1);
}
END_TEST

START_TEST(shutdown)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "sk", "");
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(resets, 1);
	ck_assert(reset_from_shutdown);
	reset_goes_on = false;
	a.script = "ksk";
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_SHUTDOWN);
	ck_assert_str_eq(a.script, "k");
}
END_TEST

/* --- channel, which has no suite of its own ------------------------------------------ */

START_TEST(inline_refuses_device_requests)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "", "");
	ck_assert_int_eq(channel_call(channels[0], &page, CTX_PIO), STOP_ERROR);
	ck_assert_uint_eq(page.request_state, CTX_IDLE);
	ck_assert_uint_eq(a.runs, 0);
}
END_TEST

/* --- what the adaptive policy hears --------------------------------------------------------- */

static uint64_t host_ns;

static uint64_t pass_time(void *owner)
{
	(void)owner;
	return host_ns += 20000;
}

static struct policy *new_adaptive(uint64_t handover_ns)
{
	const struct policy_config config = {
		.kind = POLICY_ADAPTIVE, .handover_ns = handover_ns, .native_insns_per_second = 1000000000, .now_ns = pass_time,
	};
	host_ns = 0;
	a.real_only = false;
	a.protected_only = true;
	return policy_new(&config);
}

/* What sleeps, or is stopped, after it was handed over is handed over at once next time. */
START_TEST(sleep_and_stop_are_no_end)
{
	struct policy *policy = new_adaptive(30000);
	new_conduct_with(CLOCK_KIND_VIRTUAL, _i ? "" : "hr", "pbp", channel_new_inline(&b.engine), policy);
	page.rflags |= CTX_EFLAGS_IF;
	new_timer(fire_intr, 5000000000);
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	if (_i) {
		a.script = "r";
		ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	}
	ck_assert_uint_eq(stats()->handover[1][STOP_BUDGET], 1);
	ck_assert_uint_eq(stats()->handover[1][STOP_MODE], 1);
	policy_free(policy);
}
END_TEST

static void wake_late(void *owner)
{
	fire_intr(owner);
	host_ns += 1000000000;
}

/* What the emulator ran before it slept counts, but not the sleep. */
START_TEST(sleep_in_the_emulator)
{
	struct policy *policy = new_adaptive(_i ? 30000 : 1000000);
	new_conduct_with(CLOCK_KIND_VIRTUAL, "", "phb", channel_new_inline(&b.engine), policy);
	page.rflags |= CTX_EFLAGS_IF;
	new_timer(wake_late, 5000000000);
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(stats()->handover[1][STOP_BUDGET], (unsigned)_i);
	policy_free(policy);
}
END_TEST

/* Only a way that takes time is measured. */
START_TEST(channel_is_timed)
{
	struct policy *policy = new_adaptive(30000);
	struct channel *channel = _i ? channel_new_thread(&b.engine, CHANNEL_FUTEX) : channel_new_inline(&b.engine);
	new_conduct_with(CLOCK_KIND_VIRTUAL, "", "p", channel, policy);
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_int_eq(b.timed, _i);
	policy_free(policy);
}
END_TEST

Suite *suite_conduct(void)
{
	Suite *suite = suite_create("conduct");
	TCase *tcase = tcase_create("conduct");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, stop_ends_and_may_go_on);
	tcase_add_loop_test(tcase, kept_state_is_fetched, 0, 2);
	tcase_add_test(tcase, engines_by_mode);
	tcase_add_test(tcase, stops_at_handovers);
	tcase_add_test(tcase, reset_at_a_handover);
	tcase_add_test(tcase, held_ends);
	tcase_add_test(tcase, engines_keep_the_context);
	tcase_add_test(tcase, nobody_wants_the_context);
	tcase_add_test(tcase, threshold_after_real_mode);
	tcase_add_test(tcase, nobody_can_run);
	tcase_add_loop_test(tcase, errors_end, 0, 2);
	tcase_add_test(tcase, limit_is_the_deadline);
	tcase_add_test(tcase, limit_in_real_time);
	tcase_add_test(tcase, reset_pin);
	tcase_add_test(tcase, shutdown);
	tcase_add_test(tcase, inline_refuses_device_requests);
	tcase_add_loop_test(tcase, sleep_and_stop_are_no_end, 0, 2);
	tcase_add_loop_test(tcase, sleep_in_the_emulator, 0, 2);
	tcase_add_loop_test(tcase, channel_is_timed, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}
