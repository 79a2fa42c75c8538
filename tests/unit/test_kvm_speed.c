/* What the probe makes of times; the host's loop runs at a billion instructions a second. */
#include <check.h>

#include "hv/kvm_speed.h"

#define HOST UINT64_C(1000000000)

/* A guest at so many instructions a second, whose exit costs so much. */
struct guest {
	uint64_t exit_ns, speed;
	uint32_t stops_at; /* turns that do not end; 0: all do */
	uint32_t most;     /* turns that were asked for */
	unsigned times;
};

static uint64_t measure(void *owner, uint32_t turns)
{
	struct guest *guest = owner;
	guest->most = turns > guest->most ? turns : guest->most;
	guest->times++;
	if (guest->stops_at && turns >= guest->stops_at)
		return 0;
	return guest->exit_ns + turns * UINT64_C(2000000000) / guest->speed;
}

static const struct row {
	struct guest guest;
	enum hv_runs runs;
} rows[] = {
	{ { .exit_ns = 1000, .speed = HOST }, HV_NATIVE },
	{ { .exit_ns = 1000, .speed = HOST / 100 }, HV_NATIVE },       /* a busy host */
	{ { .exit_ns = 1000, .speed = HOST / 400 }, HV_INTERPRETED },
	{ { .exit_ns = 10000, .speed = 3500000 }, HV_INTERPRETED },
	{ { .exit_ns = 1000000, .speed = HOST / 10 }, HV_NATIVE },     /* exits of an emulated host */
	{ { .exit_ns = 5000000, .speed = HOST / 10 }, HV_NATIVE },
	{ { .exit_ns = 1000000, .speed = HOST / 400 }, HV_INTERPRETED },
};

START_TEST(a_guest_is_judged_without_its_exits)
{
	struct guest guest = rows[_i].guest;
	struct kvm_speed speed = kvm_speed_of(measure, &guest, HOST);
	ck_assert_int_eq(speed.runs, rows[_i].runs);
	/* One more turn was in the bare run. */
	ck_assert_uint_ge(speed.insns_per_second, guest.speed - guest.speed / 100);
	ck_assert_uint_le(speed.insns_per_second, guest.speed + guest.speed / 50);
}
END_TEST

START_TEST(it_runs_until_exits_do_not_matter)
{
	struct guest guest = { .exit_ns = 200000, .speed = HOST };
	kvm_speed_of(measure, &guest, HOST);
	ck_assert_uint_ge(2 * (uint64_t)guest.most, 15 * guest.exit_ns);
	struct guest slow = { .exit_ns = 1000, .speed = 3500000 };
	kvm_speed_of(measure, &slow, HOST);
	ck_assert_uint_le(slow.most, 16000);
}
END_TEST

START_TEST(a_guest_that_does_not_end_is_refused)
{
	struct guest never = { .exit_ns = 1000, .speed = HOST, .stops_at = 1 };
	struct kvm_speed speed = kvm_speed_of(measure, &never, HOST);
	ck_assert_int_eq(speed.runs, HV_REFUSED);
	ck_assert_uint_eq(speed.insns_per_second, 0);
	ck_assert_uint_eq(never.times, 1);
	struct guest later = { .exit_ns = 1000, .speed = HOST, .stops_at = 4000 };
	ck_assert_int_eq(kvm_speed_of(measure, &later, HOST).runs, HV_REFUSED);
}
END_TEST

START_TEST(a_guest_of_no_time_ends)
{
	struct guest guest = { .exit_ns = 1, .speed = UINT64_MAX };
	struct kvm_speed speed = kvm_speed_of(measure, &guest, HOST);
	ck_assert_int_eq(speed.runs, HV_NATIVE);
	ck_assert_uint_le(guest.most, 10000000);
	ck_assert_uint_eq(kvm_speed_insns_per_second(1, 0), 2000000000);
}
END_TEST

Suite *suite_kvm_speed(void)
{
	Suite *suite = suite_create("kvm_speed");
	TCase *tcase = tcase_create("kvm_speed");
	tcase_add_loop_test(tcase, a_guest_is_judged_without_its_exits, 0, (int)(sizeof rows / sizeof *rows));
	tcase_add_test(tcase, it_runs_until_exits_do_not_matter);
	tcase_add_test(tcase, a_guest_that_does_not_end_is_refused);
	tcase_add_test(tcase, a_guest_of_no_time_ends);
	suite_add_tcase(suite, tcase);
	return suite;
}
