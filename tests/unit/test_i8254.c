#include "tests/unit/i8254_rig.h"
#include "tests/unit/snap_rig.h"

START_TEST(single_byte_access)
{
	out(CONTROL, 0x90); /* LSB */
	out(PORT + 2, 100);
	go(11);
	ck_assert_uint_eq(in(PORT + 2), 90);
	go(1);
	ck_assert_uint_eq(in(PORT + 2), 89);
	out(CONTROL, 0xa0); /* MSB */
	out(PORT + 2, 2);
	go(1);
	ck_assert_uint_eq(in(PORT + 2), 2);
	go(1);
	ck_assert_uint_eq(in(PORT + 2), 1);
	out(CONTROL, 0x80); /* latched, one read */
	go(0x100);
	ck_assert_uint_eq(in(PORT + 2), 1);
	ck_assert_uint_eq(in(PORT + 2), 0);
}
END_TEST

START_TEST(unlatched_reads_alternate_and_run_on)
{
	start(2, 0, 0x1234);
	go(1);
	ck_assert_uint_eq(in(PORT + 2), 0x34);
	go(0x100);
	ck_assert_uint_eq(in(PORT + 2), 0x11);
	ck_assert_uint_eq(in(PORT + 2), 0x34);
}
END_TEST

START_TEST(latch_holds_until_it_was_read)
{
	start(2, 0, 0x1234);
	go(1);
	out(CONTROL, 0x80);
	go(0x333);
	out(CONTROL, 0x80); /* no second latch over the first */
	ck_assert_uint_eq(in(PORT + 2), 0x34);
	go(1);
	ck_assert_uint_eq(in(PORT + 2), 0x12);
	ck_assert_uint_eq(in(PORT + 2), 0x00);
	ck_assert_uint_eq(in(PORT + 2), 0x0f);
	out(CONTROL, 0x80);
	out(CONTROL, 0xb0); /* programming frees the latch */
	out(PORT + 2, 0x78);
	out(PORT + 2, 0x56);
	go(1);
	ck_assert_uint_eq(in(PORT + 2), 0x78);
}
END_TEST

START_TEST(read_back_latches_any_set_of_counters)
{
	start(0, 2, 1000);
	start(1, 2, 2000);
	start(2, 2, 3000);
	go(1);
	out(CONTROL, 0xda); /* counts of 0 and 2 */
	go(7);
	ck_assert_uint_eq(in(PORT), 1000 & 0xff);
	ck_assert_uint_eq(in(PORT + 1), (2000 - 7) & 0xff);
	ck_assert_uint_eq(in(PORT + 2), 3000 & 0xff);
	ck_assert_uint_eq(in(PORT), 1000 >> 8);
	ck_assert_uint_eq(in(PORT + 1), 2000 >> 8);
	ck_assert_uint_eq(in(PORT + 2), 3000 >> 8);
}
END_TEST

START_TEST(read_back_gives_status_before_count)
{
	start(2, 2, 0x1234);
	out(CONTROL, 0xc8);
	go(5);
	out(CONTROL, 0xe8); /* a second status is not latched */
	ck_assert_uint_eq(in(PORT + 2), STATUS_OUT | STATUS_NULL | 0x34);
	unsigned low = in(PORT + 2);
	ck_assert_uint_eq(in(PORT + 2) << 8 | low, 0); /* nothing was loaded then */
	ck_assert_uint_eq(status_of(2), STATUS_OUT | 0x34);
	ck_assert_uint_eq(count_of(2), 0x1234 - 4);
}
END_TEST

START_TEST(control_port_is_write_only)
{
	ck_assert_uint_eq(in(CONTROL), 0xff);
}
END_TEST

START_TEST(channel_0_drives_the_line_without_drift)
{
	uint64_t begin = start(0, 2, 1193) + 1;
	for (unsigned i = 1; i <= 1000; i++) {
		go_to(begin + i * 1193ull);
		ck_assert_uint_eq(rises, i + 1); /* the control word raised it first */
		ck_assert_uint_eq(last_rise_ns, clock_ticks_to_ns(begin + i * 1193ull, I8254_HZ));
	}
	go_to(begin + 1001 * 1193ull - 1);
	ck_assert(!irq0);
	go(1);
	ck_assert(irq0);
}
END_TEST

START_TEST(channel_0_line_follows_each_mode)
{
	static const unsigned length[] = { 21, 0, 20, 20, 22 };
	for (unsigned mode = 0; mode <= 4; mode++) {
		uint64_t begin = start(0, mode, 20);
		rises = 0;
		for (unsigned i = 0; i < 100; i++) {
			go_to(begin + i);
			ck_assert_int_eq(irq0, i8254_out(pit, 0));
		}
		ck_assert_uint_eq(rises > 0, length[mode] > 0);
		if (mode == 2 || mode == 3)
			ck_assert_uint_eq(rises, 4);
		else if (length[mode])
			ck_assert_uint_eq(last_rise_ns, clock_ticks_to_ns(begin + length[mode], I8254_HZ));
	}
}
END_TEST

START_TEST(late_timers_merge_edges_but_keep_the_phase)
{
	uint64_t begin = start(0, 2, 100) + 1;
	go(2);
	rises = 0;
	clock_wait_until(clock, clock_ticks_to_ns(begin + 1050, I8254_HZ));
	clock_run_due(clock);
	ck_assert_uint_eq(rises, 1);
	ck_assert(irq0);
	go_to(begin + 1100);
	ck_assert_uint_eq(rises, 2);
	ck_assert_uint_eq(last_rise_ns, clock_ticks_to_ns(begin + 1100, I8254_HZ));
}
END_TEST

START_TEST(mode_4_pulse_shows_even_when_late)
{
	uint64_t begin = start(0, 4, 10);
	go(1);
	rises = 0;
	clock_wait_until(clock, clock_ticks_to_ns(begin + 1000, I8254_HZ));
	clock_run_due(clock);
	ck_assert_uint_eq(rises, 1);
	ck_assert_uint_eq(clock_next_deadline(clock), CLOCK_NEVER);
}
END_TEST

START_TEST(reload_of_channel_0_is_an_edge_on_time)
{
	uint64_t begin = start(0, 2, 100) + 1;
	go(50);
	out(PORT, 30);
	out(PORT, 0);
	rises = 0;
	go_to(begin + 99);
	ck_assert(!irq0);
	go_to(begin + 100);
	ck_assert_uint_eq(rises, 1);
	go_to(begin + 100 + 3 * 30);
	ck_assert_uint_eq(rises, 4);
	ck_assert_uint_eq(last_rise_ns, clock_ticks_to_ns(begin + 190, I8254_HZ));
}
END_TEST

START_TEST(shortest_periods_do_not_flood_the_host)
{
	for (unsigned mode = 2; mode <= 3; mode++)
		for (unsigned count = 1; count <= 3; count++) {
			start(0, mode, count);
			unsigned fired = 0;
			for (uint64_t end = tick() + 12000; tick() < end && clock_next_deadline(clock) != CLOCK_NEVER; fired++) {
				clock_wait_until(clock, clock_next_deadline(clock));
				clock_run_due(clock);
			}
			ck_assert_uint_le(fired, 1002);
		}
}
END_TEST

START_TEST(no_timer_without_an_edge_to_come)
{
	ck_assert_uint_eq(clock_next_deadline(clock), CLOCK_NEVER);
	start(2, 3, 100);
	start(1, 2, 18);
	go(1);
	ck_assert_uint_eq(clock_next_deadline(clock), CLOCK_NEVER);
	start(0, 0, 100);
	ck_assert_uint_ne(clock_next_deadline(clock), CLOCK_NEVER);
	go(200);
	ck_assert_uint_eq(clock_next_deadline(clock), CLOCK_NEVER);
}
END_TEST

START_TEST(reset_stops_all)
{
	start(0, 2, 100);
	start(2, 3, 100);
	go(10);
	i8254_reset(pit);
	ck_assert(!irq0);
	ck_assert(!out2());
	ck_assert(i8254_gate(pit, 2));
	ck_assert_uint_eq(count_of(0), 0);
	ck_assert_uint_eq(clock_next_deadline(clock), CLOCK_NEVER);
}
END_TEST

START_TEST(state_survives)
{
	start(0, 2, 100);
	start(2, 3, 1000);
	go(500);
	out(CONTROL, 0x80);
	in(PORT + 2);
	struct snap *save = snap_new_save();
	i8254_state(pit, save);
	size_t size;
	const void *data = snap_data(save, &size);
	go(333);
	unsigned count = count_of(0);
	bool level = out2();
	uint64_t deadline = clock_next_deadline(clock);
	uint64_t now = clock_now(clock);

	i8254_reset(pit);
	gate2(false);
	struct snap *load = snap_new_load(data, size);
	i8254_state(pit, load);
	ck_assert_ptr_null(snap_error(load));
	clock_run_due(clock);
	ck_assert_uint_eq(now, clock_now(clock));
	ck_assert_uint_eq(count_of(0), count);
	ck_assert_int_eq(out2(), level);
	ck_assert(i8254_gate(pit, 2));
	ck_assert_uint_eq(clock_next_deadline(clock), deadline);
	ck_assert_uint_eq(in(PORT + 2), (1000 - 499 % 500 * 2) >> 8);
	snap_free(load);
	snap_free(save);
}
END_TEST

static void state_of_pit(struct snap *snap)
{
	i8254_state(pit, snap);
}

static void use_pit(void)
{
	go(1);
	count_of(0);
	out2();
	clock_run_due(clock);
	i8254_reset(pit);
}

START_TEST(broken_state_is_refused_or_harmless)
{
	start(0, 2, 100);
	start(2, 3, 1000);
	ck_assert_uint_gt(snap_rig_damage(state_of_pit, use_pit), 8);
}
END_TEST

Suite *suite_i8254(void)
{
	Suite *suite = suite_create("i8254");
	TCase *access = tcase_create("access");
	tcase_add_checked_fixture(access, setup, teardown);
	tcase_add_test(access, single_byte_access);
	tcase_add_test(access, unlatched_reads_alternate_and_run_on);
	tcase_add_test(access, latch_holds_until_it_was_read);
	tcase_add_test(access, read_back_latches_any_set_of_counters);
	tcase_add_test(access, read_back_gives_status_before_count);
	tcase_add_test(access, control_port_is_write_only);
	suite_add_tcase(suite, access);
	TCase *line = tcase_create("line");
	tcase_add_checked_fixture(line, setup, teardown);
	tcase_add_test(line, channel_0_drives_the_line_without_drift);
	tcase_add_test(line, channel_0_line_follows_each_mode);
	tcase_add_test(line, late_timers_merge_edges_but_keep_the_phase);
	tcase_add_test(line, mode_4_pulse_shows_even_when_late);
	tcase_add_test(line, reload_of_channel_0_is_an_edge_on_time);
	tcase_add_test(line, shortest_periods_do_not_flood_the_host);
	tcase_add_test(line, no_timer_without_an_edge_to_come);
	tcase_add_test(line, reset_stops_all);
	tcase_add_test(line, state_survives);
	tcase_add_test(line, broken_state_is_refused_or_harmless);
	suite_add_tcase(suite, line);
	return suite;
}
