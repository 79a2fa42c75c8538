#include "tests/unit/i8254_rig.h"

START_TEST(mode_0_interrupts_once_on_terminal_count)
{
	start(2, 0, 10);
	ck_assert(!out2());
	ck_assert_uint_eq(status_of(2), STATUS_NULL | 0x30);
	go(1);
	ck_assert_uint_eq(status_of(2), 0x30);
	ck_assert_uint_eq(count_of(2), 10);
	go(9);
	ck_assert_uint_eq(count_of(2), 1);
	ck_assert(!out2());
	go(1); /* N + 1 after the write */
	ck_assert_uint_eq(count_of(2), 0);
	ck_assert(out2());
	go(1);
	ck_assert_uint_eq(count_of(2), 0xffff);
	go(100000);
	ck_assert(out2());
}
END_TEST

START_TEST(mode_0_gate_holds_the_count)
{
	start(2, 0, 10);
	go(4);
	gate2(false);
	go(50);
	ck_assert_uint_eq(count_of(2), 7);
	gate2(true);
	go(6);
	ck_assert(!out2());
	go(1);
	ck_assert(out2());
}
END_TEST

START_TEST(mode_0_loads_with_gate_low)
{
	gate2(false);
	start(2, 0, 10);
	go(5);
	ck_assert_uint_eq(count_of(2), 10);
	ck_assert_uint_eq(status_of(2), 0x30);
	gate2(true);
	go(9);
	ck_assert(!out2());
	go(1); /* N after the gate */
	ck_assert(out2());
}
END_TEST

START_TEST(mode_0_first_byte_stops_it)
{
	start(2, 0, 10);
	go(20);
	ck_assert(out2());
	unsigned count = count_of(2);
	out(PORT + 2, 5);
	ck_assert(!out2());
	go(100);
	ck_assert(!out2());
	ck_assert_uint_eq(count_of(2), count);
	out(PORT + 2, 0);
	go(5);
	ck_assert(!out2());
	go(1);
	ck_assert(out2());
	out(CONTROL, 0x90); /* LSB only: a new count pulls OUT low as well */
	out(PORT + 2, 3);
	go(10);
	ck_assert(out2());
	out(PORT + 2, 3);
	ck_assert(!out2());
}
END_TEST

START_TEST(mode_1_is_a_retriggerable_one_shot)
{
	start(2, 1, 10);
	go(50);
	ck_assert(out2());
	ck_assert_uint_eq(status_of(2), STATUS_OUT | STATUS_NULL | 0x32);
	gate2(false);
	gate2(true);
	ck_assert(out2());
	go(1);
	ck_assert(!out2());
	ck_assert_uint_eq(count_of(2), 10);
	gate2(false); /* the gate's level does not matter */
	go(5);
	ck_assert_uint_eq(count_of(2), 5);
	gate2(true);
	go(10);
	ck_assert(!out2());
	go(1);
	ck_assert(out2());
}
END_TEST

START_TEST(mode_1_takes_a_new_count_at_the_next_trigger)
{
	start(2, 1, 10);
	gate2(false);
	gate2(true);
	go(2);
	out(PORT + 2, 4);
	out(PORT + 2, 0);
	go(8);
	ck_assert(!out2());
	go(1);
	ck_assert(out2());
	ck_assert_uint_eq(status_of(2) & STATUS_NULL, STATUS_NULL);
	gate2(false);
	gate2(true);
	go(4);
	ck_assert(!out2());
	go(1);
	ck_assert(out2());
}
END_TEST

START_TEST(mode_1_without_a_count_ignores_the_trigger)
{
	out(CONTROL, 0xb2);
	gate2(false);
	gate2(true);
	go(5);
	ck_assert(out2());
}
END_TEST

START_TEST(mode_2_divides)
{
	start(2, 2, 5);
	go(1);
	for (unsigned i = 0; i < 30; i++) {
		ck_assert_uint_eq(count_of(2), 5 - i % 5);
		ck_assert_int_eq(out2(), i % 5 != 4);
		go(1);
	}
}
END_TEST

START_TEST(mode_2_takes_a_new_count_at_the_end_of_the_cycle)
{
	start(2, 2, 10);
	go(4);
	out(PORT + 2, 3);
	out(PORT + 2, 0);
	ck_assert_uint_eq(status_of(2), STATUS_OUT | STATUS_NULL | 0x34);
	go(6);
	ck_assert_uint_eq(count_of(2), 1);
	ck_assert(!out2());
	go(1);
	ck_assert_uint_eq(count_of(2), 3);
	ck_assert_uint_eq(status_of(2), STATUS_OUT | 0x34);
	go(2);
	ck_assert(!out2());
	go(3);
	ck_assert(!out2());
}
END_TEST

START_TEST(mode_2_gate_raises_out_and_restarts)
{
	start(2, 2, 5);
	go(5);
	ck_assert(!out2());
	gate2(false);
	ck_assert(out2());
	go(20);
	ck_assert(out2());
	ck_assert_uint_eq(count_of(2), 1);
	gate2(true);
	go(1);
	ck_assert_uint_eq(count_of(2), 5);
	go(3);
	ck_assert(out2());
	go(1);
	ck_assert(!out2());
}
END_TEST

START_TEST(mode_2_gate_low_drops_a_load_at_the_cycle_end)
{
	start(2, 2, 10);
	go(4);
	out(PORT + 2, 3);
	out(PORT + 2, 0);
	gate2(false);
	go(100);
	ck_assert_uint_eq(count_of(2), 7);
	gate2(true);
	go(1);
	ck_assert_uint_eq(count_of(2), 3);
}
END_TEST

START_TEST(mode_3_even)
{
	start(2, 3, 6);
	go(1);
	for (unsigned i = 0; i < 30; i++) {
		ck_assert_int_eq(out2(), i % 6 < 3);
		ck_assert_uint_eq(count_of(2), 6 - i % 3 * 2);
		go(1);
	}
}
END_TEST

START_TEST(mode_3_odd)
{
	static const unsigned counts[] = { 4, 2, 0, 4, 2 };
	start(2, 3, 5);
	go(1);
	for (unsigned i = 0; i < 30; i++) {
		ck_assert_int_eq(out2(), i % 5 < 3);
		ck_assert_uint_eq(count_of(2), counts[i % 5]);
		go(1);
	}
}
END_TEST

START_TEST(mode_3_takes_a_new_count_at_the_half)
{
	start(2, 3, 10);
	go(3);
	out(PORT + 2, 4);
	out(PORT + 2, 0);
	go(2);
	ck_assert(out2());
	go(1); /* low half of 4 */
	ck_assert(!out2());
	go(1);
	ck_assert(!out2());
	go(1);
	ck_assert(out2());
	out(PORT + 2, 20);
	out(PORT + 2, 0);
	go(2); /* and in a low half: */
	ck_assert(!out2());
	out(PORT + 2, 8);
	out(PORT + 2, 0);
	go(9);
	ck_assert(!out2());
	go(1);
	ck_assert(out2());
	go(3);
	ck_assert(out2());
	go(1);
	ck_assert(!out2());
}
END_TEST

START_TEST(mode_3_gate_raises_out_and_restarts)
{
	start(2, 3, 6);
	go(5);
	ck_assert(!out2());
	gate2(false);
	ck_assert(out2());
	go(10);
	ck_assert(out2());
	gate2(true);
	go(3);
	ck_assert(out2());
	go(1);
	ck_assert(!out2());
}
END_TEST

START_TEST(mode_4_strobes_once)
{
	start(2, 4, 6);
	go(6);
	ck_assert(out2());
	go(1);
	ck_assert(!out2());
	ck_assert_uint_eq(count_of(2), 0);
	go(1);
	ck_assert(out2());
	ck_assert_uint_eq(count_of(2), 0xffff);
	go(0x10000 - 1);
	ck_assert(out2());
}
END_TEST

START_TEST(mode_4_gate_holds_and_a_new_count_restarts)
{
	start(2, 4, 6);
	go(3);
	gate2(false);
	go(10);
	ck_assert_uint_eq(count_of(2), 4);
	gate2(true);
	go(1);
	out(PORT + 2, 9); /* the first byte does not disturb */
	go(1);
	ck_assert_uint_eq(count_of(2), 2);
	out(PORT + 2, 0);
	go(9);
	ck_assert(out2());
	go(1);
	ck_assert(!out2());
}
END_TEST

START_TEST(mode_5_strobes_after_the_trigger)
{
	start(2, 5, 6);
	go(50);
	ck_assert(out2());
	gate2(false);
	go(3);
	gate2(true);
	go(3);
	gate2(false);
	gate2(true); /* retrigger */
	go(6);
	ck_assert(out2());
	go(1);
	ck_assert(!out2());
	go(1);
	ck_assert(out2());
}
END_TEST

START_TEST(mode_bits_above_5_mean_2_and_3)
{
	start(2, 6, 5);
	go(5);
	ck_assert(!out2());
	go(1);
	ck_assert(out2());
	ck_assert_uint_eq(status_of(2), STATUS_OUT | 0x3c);
	start(2, 7, 6);
	go(4);
	ck_assert(!out2());
	go(3);
	ck_assert(out2());
}
END_TEST

START_TEST(bcd_counts)
{
	out(CONTROL, 0xb1); /* mode 0, BCD */
	out(PORT + 2, 0x00);
	out(PORT + 2, 0x10);
	go(2);
	ck_assert_uint_eq(count_of(2), 0x0999);
	go(999);
	ck_assert(out2());
	ck_assert_uint_eq(count_of(2), 0);
	go(1);
	ck_assert_uint_eq(count_of(2), 0x9999);
	ck_assert_uint_eq(status_of(2), STATUS_OUT | 0x31);
}
END_TEST

START_TEST(zero_is_the_largest_count)
{
	start(2, 0, 0);
	go(1);
	ck_assert_uint_eq(count_of(2), 0);
	go(0xffff);
	ck_assert(!out2());
	go(1);
	ck_assert(out2());
	out(CONTROL, 0xb1);
	out(PORT + 2, 0);
	out(PORT + 2, 0);
	go(10000);
	ck_assert(!out2());
	go(1);
	ck_assert(out2());
}
END_TEST

Suite *suite_i8254_modes(void)
{
	Suite *suite = suite_create("i8254_modes");
	TCase *modes = tcase_create("modes");
	tcase_add_checked_fixture(modes, setup, teardown);
	tcase_add_test(modes, mode_0_interrupts_once_on_terminal_count);
	tcase_add_test(modes, mode_0_gate_holds_the_count);
	tcase_add_test(modes, mode_0_loads_with_gate_low);
	tcase_add_test(modes, mode_0_first_byte_stops_it);
	tcase_add_test(modes, mode_1_is_a_retriggerable_one_shot);
	tcase_add_test(modes, mode_1_takes_a_new_count_at_the_next_trigger);
	tcase_add_test(modes, mode_1_without_a_count_ignores_the_trigger);
	tcase_add_test(modes, mode_2_divides);
	tcase_add_test(modes, mode_2_takes_a_new_count_at_the_end_of_the_cycle);
	tcase_add_test(modes, mode_2_gate_raises_out_and_restarts);
	tcase_add_test(modes, mode_2_gate_low_drops_a_load_at_the_cycle_end);
	tcase_add_test(modes, mode_3_even);
	tcase_add_test(modes, mode_3_odd);
	tcase_add_test(modes, mode_3_takes_a_new_count_at_the_half);
	tcase_add_test(modes, mode_3_gate_raises_out_and_restarts);
	tcase_add_test(modes, mode_4_strobes_once);
	tcase_add_test(modes, mode_4_gate_holds_and_a_new_count_restarts);
	tcase_add_test(modes, mode_5_strobes_after_the_trigger);
	tcase_add_test(modes, mode_bits_above_5_mean_2_and_3);
	tcase_add_test(modes, bcd_counts);
	tcase_add_test(modes, zero_is_the_largest_count);
	suite_add_tcase(suite, modes);
	return suite;
}
