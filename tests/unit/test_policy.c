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

enum mode { REAL, VM86, PROTECTED };

/* A stretch of protected mode and what comes behind it, by instructions. */
struct stretch {
	uint32_t at;
	uint64_t insns, native_ns, real;
	enum mode mode; /* there: VM86, where native code does not stop, or REAL */
};

static struct policy *policy;
static uint64_t time_ns, native_exits;
static struct ctx page;
static unsigned handovers;
static uint64_t cold; /* instructions, until which the emulator is ten times slower */
static uint64_t crossing_ns, asked_ns; /* of the channel, for each request */
/* What policy_before() said of stays, and CR0.PE has been set since. */
static bool stays;

static uint64_t read_time(void *owner)
{
	(void)owner;
	return time_ns;
}

static uint64_t read_exits(void *owner)
{
	(void)owner;
	return native_exits;
}

/* `trip` is what the probe says of a hand-over. */
static void start_policy_guessing(enum policy_kind kind, uint64_t threshold, uint64_t native, uint64_t trip)
{
	const struct policy_config config = {
		.kind = kind, .threshold = threshold, .handover_ns = trip, .native_insns_per_second = native, .now_ns = read_time,
		.exits = read_exits, .exit_ns = 4000,
	};
	ctx_reset(&page, 0);
	time_ns = 1000;
	handovers = 0;
	native_exits = cold = crossing_ns = 0;
	policy = policy_new(&config);
}

static void start_policy(enum policy_kind kind, uint64_t threshold, uint64_t native)
{
	start_policy_guessing(kind, threshold, native, TRIP_NS);
}

static void stop_policy(void)
{
	policy_free(policy);
}

static void before(void)
{
	page.limit_insns = BUDGET;
	page.insns_run = 0;
	asked_ns = time_ns;
	policy_before(policy, &page);
	stays = page.stays;
}

static void set_mode(enum mode mode, uint32_t at)
{
	page.cr0 = mode == REAL ? CTX_CR0_ET : CTX_CR0_ET | CTX_CR0_PE;
	page.rflags = mode == VM86 ? CTX_EFLAGS_VM : 0;
	for (unsigned n = CTX_ES; n <= CTX_GS; n++)
		page.seg[n].access = mode == PROTECTED ? 0x93 : 0x93 | CTX_SEG_REAL;
	page.seg[CTX_CS].base = 0;
	page.rip = at;
	stays &= mode != REAL;
}

static void pass(uint64_t insns)
{
	uint64_t slow = MIN(insns, cold);
	cold -= slow;
	time_ns += (insns + 9 * slow) * PS / 1000;
	page.insns_run += insns;
}

static bool stop(enum stop_reason reason)
{
	time_ns += STOP_NS;
	page.ns_run = crossing_ns ? time_ns - asked_ns : 0;
	time_ns += crossing_ns;
	return policy_after(policy, &page, reason);
}

/* The emulator in one mode: budget after budget. True: handed over; *left is what has
 * not been run then. */
static bool emulate(uint64_t insns, uint64_t *left)
{
	for (*left = insns; *left >= page.limit_insns;) {
		uint64_t part = page.limit_insns;
		*left -= part;
		pass(part);
		if (stop(STOP_BUDGET))
			return true;
		before();
	}
	page.limit_insns -= *left;
	pass(*left);
	*left = 0;
	return false;
}

/* Whether the emulator stops where real mode is left is what policy_before() said. */
static bool leave_real(void)
{
	if (page.limit_blocks || stays)
		return false;
	bool handed = stop(STOP_MODE);
	if (!handed)
		before();
	return handed;
}

/* True: it goes on there. */
static bool run_native(const struct stretch *stretch, uint64_t left)
{
	time_ns += stretch->insns ? stretch->native_ns * left / stretch->insns : 0;
	if (stretch->mode == VM86)
		time_ns += stretch->real;
	return stretch->mode == VM86;
}

/* One stretch; `native`: it begins with the other engine. The same for the next one. */
static bool run_stretch(const struct stretch *stretch, bool native)
{
	uint64_t left = stretch->insns;
	set_mode(PROTECTED, stretch->at);
	if (!native) {
		bool handed = leave_real() || emulate(stretch->insns, &left);
		if (handed) {
			time_ns += TRIP_NS;
			handovers++;
		}
		native = handed;
	}
	if (native && run_native(stretch, left))
		return true;
	set_mode(stretch->mode, 0);
	if (native)
		before();
	emulate(stretch->real, &left);
	return false;
}

/* Runs `stretches` `times` over, from real mode; gives how long that takes. */
static uint64_t run(const struct stretch *stretches, size_t count, unsigned times)
{
	uint64_t begin = time_ns;
	bool native = false;
	set_mode(REAL, 0);
	before();
	for (unsigned n = 0; n < times * count; n++)
		native = run_stretch(&stretches[n % count], native);
	return time_ns - begin;
}

static uint64_t measure(enum policy_kind kind, uint64_t threshold, uint64_t native, const struct stretch *stretches, size_t count, unsigned times)
{
	uint64_t crossing = crossing_ns;
	start_policy(kind, threshold, native);
	crossing_ns = crossing;
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
	static const struct stretch stretches[] = { { 0x1000, 20, 2, 20, REAL } };
	COMPARE(stretches, 200000, NATIVE);
	start_policy(POLICY_ADAPTIVE, 0, NATIVE);
	run(stretches, 1, 200000);
	ck_assert_uint_lt(handovers, 10);
	stop_policy();
}
END_TEST

START_TEST(long_stretches_go)
{
	static const struct stretch stretches[] = { { 0x1000, 1000000, 1000000, 1000, REAL } };
	COMPARE(stretches, 200, NATIVE);
	static const struct stretch once[] = { { 0x1000, 100000000, 100000000, 100000, REAL } };
	COMPARE(once, 1, NATIVE);
}
END_TEST

START_TEST(mixed_ones)
{
	static const struct stretch stretches[] = {
		{ 0x1000, 20, 2, 200, REAL }, { 0x2000, 50000, 50000, 200, REAL }, { 0x3000, 30, 3, 200, REAL }, { 0x4000, 200, 20, 200, REAL },
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
	static const struct stretch stretches[] = { { 0x1000, 10000, 400000, 200, REAL } };
	COMPARE(stretches, 10000, NATIVE);
}
END_TEST

/* A KVM that interprets. */
START_TEST(nothing_goes_to_what_is_slower)
{
	static const struct stretch stretches[] = { { 0x1000, 1000000, 500000000, 1000, REAL } };
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
	static const struct stretch before[] = { { 0x1000, 20, 2, 20, REAL } }, after[] = { { 0x1000, 1000000, 100000, 1000, REAL } };
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

/* A virtual-8086 monitor, each turn of which is short, stays with native code. */
START_TEST(vm86_is_not_real_mode)
{
	static const struct stretch turn[] = { { 0x1000, 20, 20, 20, VM86 } };
	start_policy(POLICY_ADAPTIVE, 0, NATIVE);
	uint64_t adaptive = run(turn, 1, 200000);
	ck_assert_uint_eq(handovers, 1);
	stop_policy();
	start_policy(POLICY_V2E, 0, NATIVE);
	ck_assert_uint_le(adaptive * 100, run(turn, 1, 200000) * 105);
	stop_policy();
	/* Budgets that end in virtual-8086 mode each time. */
	static const struct stretch most[] = { { 0x1000, 2, 2, 19998, VM86 } };
	COMPARE(most, 200, NATIVE);
}
END_TEST

/* What is always long does not make a hand-over seem dear, so that staying would seem
 * cheap. The probe's guess may be too small. */
START_TEST(long_ones_teach_no_price)
{
	static const struct stretch stretches[] = { { 0x1000, 30000, 30000, 100, REAL } };
	start_policy_guessing(POLICY_ADAPTIVE, 0, NATIVE, TRIP_NS / 3);
	uint64_t adaptive = run(stretches, 1, 2000);
	stop_policy();
	uint64_t always = measure(POLICY_V2E, 0, NATIVE, stretches, 1, 2000);
	ck_assert_uint_le(adaptive * 1000, always * 1030);
	COMPARE(stretches, 100, NATIVE);
}
END_TEST

/* Code that runs for the first time is slow, which is no reason to hand it over for
 * long. */
START_TEST(a_cold_emulator_is_no_reason)
{
	static const struct stretch stretches[] = { { 0x1000, 2000, 2000, 5000, REAL } };
	start_policy_guessing(POLICY_ADAPTIVE, 0, NATIVE, TRIP_NS / 3);
	cold = 30000;
	run(stretches, 1, 100);
	ck_assert_uint_lt(handovers, 30);
	handovers = 0;
	run(stretches, 1, 1000);
	ck_assert_uint_lt(handovers, 20);
	stop_policy();
}
END_TEST

/* What the first hand-over met cold does not make the next ones look dear. */
START_TEST(a_cold_start_is_forgotten)
{
	static const struct stretch stretches[] = { { 0x1000, 8000, 8000, 5000, REAL } };
	start_policy(POLICY_ADAPTIVE, 0, NATIVE);
	cold = 5500;
	run(stretches, 1, 100);
	ck_assert_uint_gt(handovers, 90);
	stop_policy();
}
END_TEST

/* One measurement that took long says little of the next one. */
START_TEST(one_long_one_is_forgotten)
{
	static const struct stretch once[] = { { 0x1000, 10000000, 10000000, 100, REAL } }, often[] = { { 0x1000, 10000, 10000, 100, REAL } };
	start_policy(POLICY_ADAPTIVE, 0, NATIVE);
	run(once, 1, 1);
	run(often, 1, 40);
	handovers = 0;
	run(often, 1, 1000);
	ck_assert_uint_gt(handovers, 950);
	stop_policy();
}
END_TEST

/* As many hand-back addresses as there are places, and more. */
START_TEST(more_addresses_than_places)
{
	enum { ADDRESSES = 600 };
	struct stretch stretches[ADDRESSES];
	for (unsigned n = 0; n < ADDRESSES; n++)
		stretches[n] = (struct stretch){ 0x1000 + 0x35 * n, 20, 2, 20, REAL };
	COMPARE(stretches, 1000, NATIVE);
	for (unsigned n = 0; n < ADDRESSES; n++)
		stretches[n] = (struct stretch){ 0x1000 + 0x35 * n, 1000000, 1000000, 20, REAL };
	COMPARE(stretches, 10, NATIVE);
}
END_TEST

/* From phase to phase it follows, and each costs little. */
START_TEST(phases)
{
	static const struct stretch brief[] = { { 0x1000, 20, 2, 20, REAL } }, lasting[] = { { 0x1000, 1000000, 1000000, 1000, REAL } };
	start_policy(POLICY_ADAPTIVE, 0, NATIVE);
	uint64_t ns = 0;
	for (unsigned phase = 0; phase < 10; phase++) {
		ns += run(brief, 1, 50000);
		ns += run(lasting, 1, 50);
	}
	stop_policy();
	uint64_t best = 10 * (measure(POLICY_V2E, UINT64_MAX, NATIVE, brief, 1, 50000) + measure(POLICY_V2E, 0, NATIVE, lasting, 1, 50));
	ck_assert_uint_le(ns * 100, best * 105);
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

/* A stop that is made to look costs a way through the channel, which a guest that stays
 * without being looked at does not pay. */
START_TEST(looking_is_not_staying)
{
	static const unsigned insns[] = { 250, 1000, 4000, 20000, 100000 };
	for (unsigned n = 0; n < G_N_ELEMENTS(insns); n++) {
		const struct stretch stretches[] = { { 0x1000, insns[n], insns[n], 20, REAL } };
		crossing_ns = 16000;
		COMPARE(stretches, 10000, NATIVE);
		crossing_ns = 2 * TRIP_NS;
		COMPARE(stretches, 20000, NATIVE);
	}
	crossing_ns = 0;
}
END_TEST

/* What is new may stay for as long as the hand-over takes with the channel. */
START_TEST(new_addresses_and_a_channel)
{
	enum { ADDRESSES = 600 };
	struct stretch stretches[ADDRESSES];
	for (unsigned n = 0; n < ADDRESSES; n++)
		stretches[n] = (struct stretch){ 0x1000 + 0x35 * n, 4000, 4000, 20, REAL };
	crossing_ns = 16000;
	COMPARE(stretches, 10, NATIVE);
	crossing_ns = 0;
}
END_TEST

static uint64_t printed(const char *name)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	policy_print_stats(policy, out);
	fclose(out);
	const char *at = strstr(text, name);
	ck_assert_ptr_nonnull(at);
	uint64_t value = g_ascii_strtoull(at + strlen(name), NULL, 10);
	free(text);
	return value;
}

/* Neither speed nor hand-over are what the channel takes. */
START_TEST(the_channel_is_measured_apart)
{
	static const struct stretch stretches[] = { { 0x1000, 1000, 1000, 1000, REAL }, { 0x2000, 100000, 100000, 1000, REAL } };
	start_policy(POLICY_ADAPTIVE, 0, NATIVE);
	crossing_ns = 2 * TRIP_NS;
	run(stretches, 2, 1000);
	ck_assert_uint_ge(printed("emulator_ps_per_insn "), PS);
	ck_assert_uint_lt(printed("emulator_ps_per_insn "), 2 * PS);
	ck_assert_uint_lt(printed("handover_ns "), 2 * TRIP_NS);
	stop_policy();
}
END_TEST

/* A request that was full of something else is all that is known of the emulator. */
START_TEST(a_wrong_speed_is_no_verdict)
{
	static const struct stretch stretches[] = { { 0x1000, 2000, 2000, 20, REAL } };
	start_policy_guessing(POLICY_ADAPTIVE, 0, NATIVE, TRIP_NS / 3);
	set_mode(REAL, 0);
	before();
	page.insns_run = 600;
	time_ns += 2000000;
	ck_assert(!policy_after(policy, &page, STOP_BUDGET));
	run(stretches, 1, 100);
	handovers = 0;
	run(stretches, 1, 1000);
	ck_assert_uint_lt(handovers, 20);
	stop_policy();
}
END_TEST

/* Whoever sleeps in each stretch is learned like anybody else. */
START_TEST(what_sleeps_is_learned)
{
	enum { TIMES = 200, RUN_NS = 200000, SLEEP_NS = 1000000000 };
	uint64_t left;
	unsigned late = 0;
	start_policy(POLICY_ADAPTIVE, 0, NATIVE);
	uint64_t begin = time_ns;
	set_mode(REAL, 0);
	before();
	for (unsigned n = 0; n < TIMES; n++) {
		set_mode(PROTECTED, 0x1000);
		bool at_once = leave_real();
		ck_assert(at_once || emulate(10 * RUN_NS, &left));
		late += !at_once;
		time_ns += TRIP_NS + RUN_NS;
		policy_pause(policy);
		policy_pause(policy);
		time_ns += SLEEP_NS;
		policy_resume(policy);
		policy_resume(policy);
		set_mode(REAL, 0);
		before();
		emulate(20, &left);
	}
	ck_assert_uint_lt(late, 8);
	uint64_t ran = time_ns - begin - (uint64_t)TIMES * SLEEP_NS, best = (uint64_t)TIMES * (TRIP_NS + RUN_NS + STOP_NS + 20 * PS / 1000);
	ck_assert_msg(ran * 100 <= best * 105, "%lu ns, %lu at best", (unsigned long)ran, (unsigned long)best);
	stop_policy();
}
END_TEST

/* In the emulator neither. */
START_TEST(sleep_is_no_cost)
{
	static const struct stretch stretches[] = { { 0x1000, 20, 2, 20, REAL } };
	start_policy(POLICY_ADAPTIVE, 0, NATIVE);
	run(stretches, 1, 10);
	for (unsigned n = 0; n < 100; n++) {
		set_mode(PROTECTED, 0x1000);
		policy_after(policy, &page, STOP_MODE);
		before();
		pass(20);
		ck_assert(!stop(STOP_HALT));
		policy_pause(policy);
		time_ns += 1000000000;
		policy_resume(policy);
		before();
		ck_assert(!stop(STOP_BUDGET));
		before();
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
	tcase_add_test(tcase, vm86_is_not_real_mode);
	tcase_add_test(tcase, long_ones_teach_no_price);
	tcase_add_test(tcase, a_cold_emulator_is_no_reason);
	tcase_add_test(tcase, a_cold_start_is_forgotten);
	tcase_add_test(tcase, one_long_one_is_forgotten);
	tcase_add_test(tcase, more_addresses_than_places);
	tcase_add_test(tcase, phases);
	tcase_add_test(tcase, long_mode_goes_at_once);
	tcase_add_test(tcase, looking_is_not_staying);
	tcase_add_test(tcase, new_addresses_and_a_channel);
	tcase_add_test(tcase, the_channel_is_measured_apart);
	tcase_add_test(tcase, a_wrong_speed_is_no_verdict);
	tcase_add_test(tcase, what_sleeps_is_learned);
	tcase_add_test(tcase, sleep_is_no_cost);
	suite_add_tcase(suite, tcase);
	return suite;
}
