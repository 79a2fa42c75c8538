/* The 8259A: initialization, priorities and operation control words. */
#include "tests/unit/i8259_rig.h"

START_TEST(silent_until_initialized)
{
	i8259_reset(pic);
	set(1, true);
	ck_assert(!pins.intr);
	out(0x20, 0x11);
	pulse(1);
	out(0x21, 0x20);
	out(0x21, 0x04);
	ck_assert(!pins.intr);
	out(0x21, 0x01);
	ck_assert(pins.intr);
	ck_assert_uint_eq(inta(), 0x21);
}
END_TEST

START_TEST(icw1_forgets)
{
	out(0x21, 0xf0);
	out(0x20, 0x68); /* special mask mode */
	out(0x20, 0xc2); /* IR2 lowest */
	out(0x20, 0x0b);
	set(3, true);
	inta();
	set(4, true);
	init(0);
	ck_assert_uint_eq(in(0x21), 0);
	ck_assert_uint_eq(in(0x20), 0); /* IRR again, and IR4's edge is gone */
	ck_assert_uint_eq(isr(0), 0);
	ck_assert(!pins.intr);
	pulse(7);
	pulse(0);
	ck_assert_uint_eq(inta(), 0x08);
	out(0x21, 0x01); /* without special mask mode IR0 blocks still */
	ck_assert(!pins.intr);
}
END_TEST

START_TEST(priority_is_fixed_at_first)
{
	for (unsigned irq = 15; irq < 16; irq--)
		set(irq, true);
	static const unsigned order[] = { 0, 1, 8, 9, 10, 11, 12, 13, 14, 15, 3, 4, 5, 6, 7 };
	for (unsigned i = 0; i < 15; i++) {
		ck_assert(pins.intr);
		ck_assert_uint_eq(inta(), vector_of(order[i]));
		ck_assert(!pins.intr);
		if (order[i] >= 8)
			out(0xa0, 0x20);
		out(0x20, 0x20);
	}
	ck_assert(!pins.intr);
}
END_TEST

START_TEST(higher_priority_nests)
{
	set(4, true);
	inta();
	set(5, true);
	ck_assert(!pins.intr);
	set(3, true);
	ck_assert(pins.intr);
	ck_assert_uint_eq(inta(), 0x0b);
	ck_assert_uint_eq(isr(0), 0x18);
	out(0x20, 0x20); /* the highest in service */
	ck_assert_uint_eq(isr(0), 0x10);
	ck_assert(!pins.intr);
	out(0x20, 0x20);
	ck_assert(pins.intr);
}
END_TEST

START_TEST(specific_eoi_of_each_level)
{
	unsigned level = (unsigned)_i;
	out(0x20, 0x68); /* special mask mode, to bring all into service */
	for (unsigned i = 0; i < 8; i++) {
		set(i == 2 ? 9 : i, true);
		inta();
		out(0x21, in(0x21) | 1u << i);
	}
	ck_assert_uint_eq(isr(0), 0xff);
	out(0x20, 0x60 | level);
	ck_assert_uint_eq(isr(0), 0xff & ~(1u << level));
}
END_TEST

START_TEST(no_operation_and_idle_eoi_change_nothing)
{
	set(3, true);
	inta();
	out(0x20, 0x40);
	ck_assert_uint_eq(isr(0), 0x08);
	out(0x20, 0x20);
	out(0x20, 0x20);
	out(0x20, 0xa0);
	pulse(7);
	pulse(0);
	ck_assert_uint_eq(inta(), 0x08);
}
END_TEST

static void expect_lowest(unsigned level)
{
	out(0x21, 0xff);
	for (unsigned irq = 0; irq < 8; irq++)
		pulse(irq == 2 ? 9 : irq);
	out(0x21, 0);
	for (unsigned i = 1; i <= 8; i++) {
		unsigned next = (level + i) & 7;
		ck_assert_uint_eq(inta(), vector_of(next == 2 ? 9 : next));
		out(0x20, 0x20);
		if (next == 2)
			out(0xa0, 0x20);
	}
}

START_TEST(set_priority)
{
	out(0x20, 0xc0 | (unsigned)_i);
	expect_lowest((unsigned)_i);
}
END_TEST

START_TEST(rotate_on_non_specific_eoi)
{
	set(4, true);
	inta();
	out(0x20, 0xa0);
	ck_assert_uint_eq(isr(0), 0);
	expect_lowest(4);
}
END_TEST

START_TEST(rotate_on_specific_eoi)
{
	set(6, true);
	inta();
	out(0x20, 0xe6);
	ck_assert_uint_eq(isr(0), 0);
	expect_lowest(6);
}
END_TEST

START_TEST(automatic_eoi)
{
	init(0x02);
	set(3, true);
	ck_assert_uint_eq(inta(), 0x0b);
	ck_assert_uint_eq(isr(0), 0);
	set(7, true);
	ck_assert_uint_eq(inta(), 0x0f);
	/* The slave pulses its INT, so the master sees both of its requests. */
	set(9, true);
	set(14, true);
	ck_assert_uint_eq(inta(), 0x71);
	ck_assert(pins.intr);
	ck_assert_uint_eq(inta(), 0x76);
	ck_assert(!pins.intr);
}
END_TEST

START_TEST(rotation_in_automatic_eoi)
{
	init(0x02);
	out(0x20, 0x80);
	set(3, true);
	inta();
	pulse(3);
	set(4, true);
	ck_assert_uint_eq(inta(), 0x0c); /* 3 is the lowest now */
	ck_assert_uint_eq(inta(), 0x0b);
	out(0x20, 0x00);
	pulse(5);
	inta();
	pulse(5);
	pulse(6);
	ck_assert_uint_eq(inta(), 0x0d); /* 3 is the lowest still */
}
END_TEST

START_TEST(special_mask_mode)
{
	set(3, true);
	inta();
	out(0x21, 0x08);
	set(6, true);
	ck_assert(!pins.intr);
	out(0x20, 0x68);
	ck_assert(pins.intr);
	ck_assert_uint_eq(inta(), 0x0e);
	out(0x20, 0x20); /* does not see the masked level */
	ck_assert_uint_eq(isr(0), 0x08);
	out(0x20, 0x20);
	ck_assert_uint_eq(isr(0), 0x08);
	out(0x20, 0x48);
	out(0x20, 0x20);
	ck_assert_uint_eq(isr(0), 0);
}
END_TEST

START_TEST(ocw3_without_esmm_keeps_special_mask_mode)
{
	set(3, true);
	inta();
	out(0x21, 0x08);
	out(0x20, 0x68);
	out(0x20, 0x0b);
	set(6, true);
	ck_assert(pins.intr);
	out(0x20, 0x28);
	ck_assert(pins.intr);
	out(0x20, 0x48);
	ck_assert(!pins.intr);
}
END_TEST

START_TEST(slave_is_locked_out_without_special_nesting)
{
	set(12, true);
	ck_assert_uint_eq(inta(), 0x74);
	set(8, true);
	ck_assert(!pins.intr);
	out(0x20, 0x20);
	ck_assert(pins.intr);
	ck_assert_uint_eq(inta(), 0x70);
}
END_TEST

START_TEST(special_fully_nested_mode)
{
	init(0x10);
	set(12, true);
	ck_assert_uint_eq(inta(), 0x74);
	set(3, true);
	ck_assert(!pins.intr);
	set(14, true);
	ck_assert(!pins.intr);
	set(8, true);
	ck_assert(pins.intr);
	ck_assert_uint_eq(inta(), 0x70);
	ck_assert_uint_eq(isr(SLAVE), 0x11);
	ck_assert_uint_eq(isr(0), 0x04);
	set(1, true);
	ck_assert_uint_eq(inta(), 0x09);
	/* A level of the master's own does not nest in itself. */
	pulse(1);
	ck_assert(!pins.intr);
}
END_TEST

START_TEST(poll_mode)
{
	out(0x20, 0x0c);
	ck_assert_uint_eq(in(0x20), 0x00);
	ck_assert_uint_eq(in(0x20), 0x00);
	set(5, true);
	out(0x20, 0x0c);
	ck_assert_uint_eq(in(0x20), 0x85);
	ck_assert(!pins.intr);
	ck_assert_uint_eq(isr(0), 0x20);
	out(0x20, 0x20);
	set(11, true);
	out(0x20, 0x0c);
	ck_assert_uint_eq(in(0x21), 0x82); /* A0 does not matter */
	out(0xa0, 0x0c);
	ck_assert_uint_eq(in(0xa0), 0x83);
	ck_assert_uint_eq(isr(SLAVE), 0x08);
	ck_assert_uint_eq(isr(0), 0x04);
}
END_TEST

START_TEST(reads_keep_the_register_that_was_asked_for)
{
	set(3, true);
	inta();
	set(6, true);
	ck_assert_uint_eq(in(0x20), 0x40);
	out(0x20, 0x0b);
	ck_assert_uint_eq(in(0x20), 0x08);
	ck_assert_uint_eq(in(0x20), 0x08);
	out(0x20, 0x08); /* RR = 0 */
	ck_assert_uint_eq(in(0x20), 0x08);
	out(0x20, 0x0a);
	ck_assert_uint_eq(in(0x20), 0x40);
}
END_TEST

Suite *suite_i8259_commands(void);

Suite *suite_i8259_commands(void)
{
	Suite *suite = suite_create("i8259_commands");
	TCase *commands = tcase_create("commands");
	tcase_add_checked_fixture(commands, setup, teardown);
	tcase_add_test(commands, silent_until_initialized);
	tcase_add_test(commands, icw1_forgets);
	tcase_add_test(commands, priority_is_fixed_at_first);
	tcase_add_test(commands, higher_priority_nests);
	tcase_add_loop_test(commands, specific_eoi_of_each_level, 0, 8);
	tcase_add_test(commands, no_operation_and_idle_eoi_change_nothing);
	tcase_add_loop_test(commands, set_priority, 0, 8);
	tcase_add_test(commands, rotate_on_non_specific_eoi);
	tcase_add_test(commands, rotate_on_specific_eoi);
	tcase_add_test(commands, automatic_eoi);
	tcase_add_test(commands, rotation_in_automatic_eoi);
	tcase_add_test(commands, special_mask_mode);
	tcase_add_test(commands, ocw3_without_esmm_keeps_special_mask_mode);
	tcase_add_test(commands, slave_is_locked_out_without_special_nesting);
	tcase_add_test(commands, special_fully_nested_mode);
	tcase_add_test(commands, poll_mode);
	tcase_add_test(commands, reads_keep_the_register_that_was_asked_for);
	suite_add_tcase(suite, commands);

	return suite;
}
