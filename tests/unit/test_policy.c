/* Both rules, with an emulator that only counts and a host whose time is made up. */
#include <check.h>
#include <string.h>

#include <glib.h>

#include "shared/policy.h"

#define STOP_NS  300u  /* to stop the emulator and to ask it again */
#define TRIP_NS  30000u
#define BUDGET   20000u
#define PS       10000u /* of the emulator, an instruction */
#define NATIVE   1000000000u

/* A stretch of protected mode and the real mode behind it, by instructions. */
struct stretch {
	uint32_t at;
	uint64_t insns, native_ns, real;
};

static struct policy *policy;
static uint64_t time_ns;
static struct ctx page;
static unsigned handovers;

static uint64_t read_time(void *owner)
{
	(void)owner;
	return time_ns;
}

static void start_policy(enum policy_kind kind, uint64_t threshold, uint64_t native)
{
	const struct policy_config config = {
		.kind = kind, .threshold = threshold, .handover_ns = TRIP_NS, .native_insns_per_second = native, .now_ns = read_time,
	};
	ctx_reset(&page, 0);
	time_ns = 1000;
	handovers = 0;
	policy = policy_new(&config);
}

static void stop_policy(void)
{
	policy_free(policy);
}

static void set_mode(bool real, uint32_t at)
{
	page.cr0 = real ? CTX_CR0_ET : CTX_CR0_ET | CTX_CR0_PE;
	for (unsigned n = CTX_ES; n <= CTX_GS; n++)
		page.seg[n].access = real ? 0x93 | CTX_SEG_REAL : 0x93;
	page.seg[CTX_CS].base = 0;
	page.rip = at;
}

static bool ask(enum stop_reason reason, uint64_t insns)
{
	page.insns_run = insns;
	time_ns += insns * PS / 1000;
	return policy_after(policy, &page, reason);
}

/* The emulator in real or protected mode: BUDGET after BUDGET. True: handed over. */
static bool emulate(uint64_t insns, uint64_t *left)
{
	uint64_t total = *left += insns;
	while (total) {
		uint64_t part = MIN(total, page.limit_insns);
		page.limit_insns -= part;
		total -= part;
		*left = total;
		if (page.limit_insns) {
			time_ns += part * PS / 1000;
			page.insns_run += part;
			break;
		}
		uint64_t ran = page.insns_run + part;
		time_ns += STOP_NS;
		page.insns_run = 0;
		if (ask(STOP_BUDGET, part))
			return true;
		(void)ran;
		page.limit_insns = BUDGET;
		policy_before(policy, &page);
	}
	return false;
}

/* Runs `stretches` `times` over; gives how long that takes. */
static uint64_t run(const struct stretch *stretches, size_t count, unsigned times)
{
	uint64_t begin = time_ns;
	page.limit_insns = BUDGET;
	page.insns_run = 0;
	set_mode(true, 0);
	policy_before(policy, &page);
	for (unsigned n = 0; n < times * count; n++) {
		const struct stretch *stretch = &stretches[n % count];
		uint64_t left = 0;
		set_mode(true, 0);
		emulate(stretch->real, &left);
		set_mode(false, stretch->at);
		bool handed = false;
		left = stretch->insns;
		/* Whether the emulator stops here is what policy_before() said. */
		if (page.limit_blocks == 0) {
			time_ns += STOP_NS;
			handed = policy_after(policy, &page, STOP_MODE);
			page.limit_insns = BUDGET;
			page.insns_run = 0;
			if (!handed)
				policy_before(policy, &page);
		}
		if (!handed) {
			left = 0;
			handed = emulate(stretch->insns, &left);
		}
		if (handed) {
			time_ns += TRIP_NS + stretch->native_ns * left / stretch->insns;
			handovers++;
			set_mode(true, 0);
			page.limit_insns = BUDGET;
			page.insns_run = 0;
			policy_before(policy, &page);
		}
	}
	return time_ns - begin;
}

static uint64_t measure(enum policy_kind kind, uint64_t threshold, uint64_t native, const struct stretch *stretches, size_t count, unsigned times)
{
	start_policy(kind, threshold, native);
	uint64_t ns = run(stretches, count, times);
	stop_policy();
	return ns;
}

static void compare(const struct stretch *stretches, size_t count, unsigned times, uint64_t native)
{
	uint64_t always = measure(POLICY_V2E, 0, native, stretches, count, times);
	uint64_t never = measure(POLICY_V2E, UINT64_MAX, native, stretches, count, times);
	uint64_t adaptive = measure(POLICY_ADAPTIVE, 0, native, stretches, count, times);
	ck_assert_msg(adaptive * 100 <= MIN(always, never) * 105, "always %lu, never %lu, adaptive %lu, %u hand-overs",
	              (unsigned long)always, (unsigned long)never, (unsigned long)adaptive, handovers);
}
#define COMPARE(stretches, times, native) compare(stretches, G_N_ELEMENTS(stretches), times, native)

/* --- the rule of V2E --------------------------------------------------------------------- */

START_TEST(v2e_counts_blocks)
{
	start_policy(POLICY_V2E, 1000, NATIVE);
	page.limit_insns = 7;
	policy_before(policy, &page);
	ck_assert_uint_eq(page.limit_blocks, 1000);
	ck_assert_uint_eq(page.limit_insns, 7);
	ck_assert_uint_eq(page.stays, 0);
	ck_assert(policy_after(policy, &page, STOP_MODE));
	ck_assert(!policy_after(policy, &page, STOP_BUDGET));
	ck_assert(!policy_after(policy, &page, STOP_HALT));
	stop_policy();
}
END_TEST

START_TEST(names)
{
	enum policy_kind kind;
	for (int n = POLICY_V2E; n <= POLICY_ADAPTIVE; n++) {
		ck_assert(policy_parse(policy_name((enum policy_kind)n), &kind));
		ck_assert_int_eq(kind, n);
	}
	ck_assert(!policy_parse("", &kind));
}
END_TEST

/* --- what is best --------------------------------------------------------------------------- */

START_TEST(short_stretches_stay)
{
	static const struct stretch stretches[] = { { 0x1000, 20, 2, 20 } };
	COMPARE(stretches, 200000, NATIVE);
	start_policy(POLICY_ADAPTIVE, 0, NATIVE);
	run(stretches, 1, 200000);
	ck_assert_uint_lt(handovers, 10);
	stop_policy();
}
END_TEST

START_TEST(long_stretches_go)
{
	static const struct stretch stretches[] = { { 0x1000, 1000000, 1000000, 1000 } };
	COMPARE(stretches, 200, NATIVE);
	static const struct stretch once[] = { { 0x1000, 100000000, 100000000, 100000 } };
	COMPARE(once, 1, NATIVE);
}
END_TEST

START_TEST(mixed_ones)
{
	static const struct stretch stretches[] = {
		{ 0x1000, 20, 2, 200 }, { 0x2000, 50000, 50000, 200 }, { 0x3000, 30, 3, 200 }, { 0x4000, 200, 20, 200 },
	};
	COMPARE(stretches, 4000, NATIVE);
	uint64_t never = measure(POLICY_V2E, UINT64_MAX, NATIVE, stretches, 4, 4000);
	uint64_t always = measure(POLICY_V2E, 0, NATIVE, stretches, 4, 4000);
	uint64_t adaptive = measure(POLICY_ADAPTIVE, 0, NATIVE, stretches, 4, 4000);
	ck_assert_uint_lt(adaptive, always * 8 / 10);
	ck_assert_uint_lt(adaptive, never * 8 / 10);
}
END_TEST

/* Exits for ports make native code dear. */
START_TEST(ports_make_it_dear)
{
	static const struct stretch stretches[] = { { 0x1000, 10000, 400000, 200 } };
	COMPARE(stretches, 10000, NATIVE);
}
END_TEST

/* A KVM that interprets. */
START_TEST(nothing_goes_to_what_is_slower)
{
	static const struct stretch stretches[] = { { 0x1000, 1000000, 500000000, 1000 } };
	start_policy(POLICY_ADAPTIVE, 0, 2000000);
	run(stretches, 1, 100);
	ck_assert_uint_eq(handovers, 0);
	stop_policy();
	COMPARE(stretches, 100, 2000000);
	start_policy(POLICY_ADAPTIVE, 0, 0);
	run(stretches, 1, 100);
	ck_assert_uint_eq(handovers, 0);
	stop_policy();
}
END_TEST

/* What was short becomes long, and the other way round. */
START_TEST(it_learns_anew)
{
	static const struct stretch before[] = { { 0x1000, 20, 2, 20 } }, after[] = { { 0x1000, 1000000, 100000, 1000 } };
	start_policy(POLICY_ADAPTIVE, 0, NATIVE);
	run(before, 1, 100000);
	handovers = 0;
	run(after, 1, 200);
	ck_assert_uint_gt(handovers, 150);
	run(before, 1, 20000);
	handovers = 0;
	run(before, 1, 20000);
	ck_assert_uint_lt(handovers, 10);
	stop_policy();
}
END_TEST

START_TEST(long_mode_goes_at_once)
{
	start_policy(POLICY_ADAPTIVE, 0, 0);
	policy_before(policy, &page);
	page.efer = CTX_EFER_LMA;
	ck_assert(policy_after(policy, &page, STOP_MODE));
	stop_policy();
}
END_TEST

/* A guest's sleep is not measured. */
START_TEST(sleep_is_no_cost)
{
	static const struct stretch stretches[] = { { 0x1000, 20, 2, 20 } };
	start_policy(POLICY_ADAPTIVE, 0, NATIVE);
	run(stretches, 1, 10);
	for (unsigned n = 0; n < 100; n++) {
		set_mode(false, 0x1000);
		policy_after(policy, &page, STOP_MODE);
		policy_before(policy, &page);
		ck_assert(!ask(STOP_HALT, 20));
		time_ns += 1000000000;
		policy_forget(policy);
	}
	handovers = 0;
	run(stretches, 1, 1000);
	ck_assert_uint_eq(handovers, 0);
	stop_policy();
}
END_TEST

Suite *suite_policy(void);
Suite *suite_policy(void)
{
	Suite *suite = suite_create("policy");
	TCase *tcase = tcase_create("policy");
	tcase_add_test(tcase, v2e_counts_blocks);
	tcase_add_test(tcase, names);
	tcase_add_test(tcase, short_stretches_stay);
	tcase_add_test(tcase, long_stretches_go);
	tcase_add_test(tcase, mixed_ones);
	tcase_add_test(tcase, ports_make_it_dear);
	tcase_add_test(tcase, nothing_goes_to_what_is_slower);
	tcase_add_test(tcase, it_learns_anew);
	tcase_add_test(tcase, long_mode_goes_at_once);
	tcase_add_test(tcase, sleep_is_no_cost);
	suite_add_tcase(suite, tcase);
	return suite;
}
