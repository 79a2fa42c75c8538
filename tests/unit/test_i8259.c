/* The 8259A: lines, vectors, reset and state. */
#include "tests/unit/i8259_rig.h"
#include "tests/unit/snap_rig.h"

START_TEST(each_line_interrupts_with_its_vector)
{
	unsigned irq = (unsigned)_i;
	if (irq == 2)
		return;
	set(irq, true);
	ck_assert(pins.intr);
	ck_assert(atomic_load(&pins.attention));
	ck_assert_uint_eq(irr(irq < 8 ? 0 : SLAVE), 1u << (irq & 7));
	ck_assert_uint_eq(inta(), vector_of(irq));
	ck_assert(!pins.intr);
	ck_assert_uint_eq(isr(0), irq < 8 ? 1u << irq : 4);
	ck_assert_uint_eq(isr(SLAVE), irq < 8 ? 0 : 1u << (irq - 8));
	ck_assert_uint_eq(irr(irq < 8 ? 0 : SLAVE), 0);
	if (irq >= 8)
		out(0xa0, 0x20);
	out(0x20, 0x20);
	ck_assert_uint_eq(isr(0) | isr(SLAVE), 0);
	/* An edge interrupts once. */
	ck_assert(!pins.intr);
	pulse(irq);
	ck_assert_uint_eq(inta(), vector_of(irq));
}
END_TEST

START_TEST(each_line_can_be_masked)
{
	unsigned irq = (unsigned)_i;
	if (irq == 2)
		return;
	uint16_t port = irq < 8 ? 0x21 : 0xa1;
	out(port, 1u << (irq & 7));
	set(irq, true);
	ck_assert(!pins.intr);
	ck_assert_uint_eq(in(port), 1u << (irq & 7));
	ck_assert_uint_eq(irr(irq < 8 ? 0 : SLAVE), 1u << (irq & 7));
	out(port, 0);
	ck_assert(pins.intr);
	out(port, 0xff & ~(1u << (irq & 7)));
	ck_assert(pins.intr);
	ck_assert_uint_eq(inta(), vector_of(irq));
}
END_TEST

START_TEST(each_line_can_be_level_triggered)
{
	static const unsigned fixed_edge = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 8 | 1 << 13;
	unsigned irq = (unsigned)_i;
	if (irq == 2)
		return;
	out(0x4d0, 0xff);
	out(0x4d1, 0xff);
	ck_assert_uint_eq(in(0x4d0), 0xf8);
	ck_assert_uint_eq(in(0x4d1), 0xde);
	bool level = !(fixed_edge >> irq & 1);
	set(irq, true);
	ck_assert_uint_eq(inta(), vector_of(irq));
	if (irq >= 8)
		out(0xa0, 0x20);
	out(0x20, 0x20);
	ck_assert_int_eq(pins.intr, level);
	set(irq, false);
	ck_assert(!pins.intr);
}
END_TEST

START_TEST(no_line_past_the_inputs)
{
	ck_assert(!i8259_line(pic, 2).set);
	ck_assert(!i8259_line(pic, 16).set);
}
END_TEST

START_TEST(request_lasts_as_long_as_the_line)
{
	set(5, true);
	set(5, false);
	ck_assert(!pins.intr);
	ck_assert_uint_eq(irr(0), 0);
	set(12, true);
	set(12, false);
	ck_assert(!pins.intr);
	ck_assert_uint_eq(irr(0), 0);
}
END_TEST

START_TEST(spurious_interrupt_is_level_7_and_not_in_service)
{
	ck_assert_uint_eq(inta(), 0x0f);
	ck_assert_uint_eq(isr(0), 0);
}
END_TEST

START_TEST(spurious_interrupt_of_the_slave_is_level_15)
{
	/* The master claims a slave on IR5, and the slave answers to 5. */
	init_chip(0, 0x11, 0x08, 0x20, 0x01);
	init_chip(SLAVE, 0x11, 0x70, 0x05, 0x01);
	set(5, true);
	ck_assert_uint_eq(inta(), 0x77);
	ck_assert_uint_eq(isr(0), 0x20);
	ck_assert_uint_eq(isr(SLAVE), 0);
}
END_TEST

START_TEST(nobody_answers_for_a_slave_with_another_id)
{
	init_chip(SLAVE, 0x11, 0x70, 0x03, 0x01);
	set(9, true);
	ck_assert(pins.intr);
	ck_assert_uint_eq(inta(), 0xff);
	ck_assert_uint_eq(isr(SLAVE), 0);
}
END_TEST

START_TEST(master_alone_serves_level_2_itself)
{
	init_chip(0, 0x13, 0x08, 0, 0x01);
	set(9, true);
	ck_assert_uint_eq(inta(), 0x0a);
	ck_assert_uint_eq(isr(SLAVE), 0);
}
END_TEST

START_TEST(mcs80_mode_gives_the_low_half_of_the_call)
{
	init_chip(0, 0x16, 0x12, 0, 0); /* interval 4, A7-A5 = 0 */
	set(3, true);
	ck_assert_uint_eq(inta(), 0x0c);
	init_chip(0, 0x92, 0x12, 0, 0); /* interval 8, A7 = 1, A6 = 0 */
	pulse(3);
	ck_assert_uint_eq(inta(), 0x98);
}
END_TEST

START_TEST(ltim_makes_all_inputs_level_triggered)
{
	init_chip(0, 0x19, 0x08, 0x04, 0x01);
	set(1, true);
	inta();
	out(0x20, 0x20);
	ck_assert(pins.intr);
	inta();
	set(1, false);
	out(0x20, 0x20);
	ck_assert(!pins.intr);
}
END_TEST

START_TEST(elcr_takes_effect_on_a_high_line)
{
	set(11, true);
	inta();
	out(0xa0, 0x20);
	out(0x20, 0x20);
	ck_assert(!pins.intr);
	out(0x4d1, 0x08);
	ck_assert(pins.intr);
	out(0x4d1, 0x00);
	ck_assert(!pins.intr);
}
END_TEST

START_TEST(reset_keeps_the_inputs)
{
	out(0x4d1, 0x08);
	set(11, true);
	i8259_reset(pic);
	ck_assert(!pins.intr);
	ck_assert_uint_eq(in(0x4d1), 0);
	out(0x4d1, 0x08);
	init(0);
	ck_assert_uint_eq(inta(), 0x73);
}
END_TEST

START_TEST(state_survives)
{
	out(0x4d0, 0x20);
	out(0x20, 0xc4);
	set(5, true);
	inta();
	set(4, true);
	set(9, true);
	struct snap *save = snap_new_save();
	i8259_state(pic, save);
	size_t size;
	const void *data = snap_data(save, &size);

	struct bus *other_bus = bus_new();
	struct cpu_pins other_pins = { 0 };
	struct i8259 *other = i8259_new(other_bus, &other_pins);
	struct snap *load = snap_new_load(data, size);
	i8259_state(other, load);
	ck_assert_ptr_null(snap_error(load));
	ck_assert(!other_pins.intr);
	bus_write(other_bus, 0x20, 1, 0x65);
	ck_assert(other_pins.intr); /* IR5 by level */
	ck_assert_uint_eq(other_pins.acknowledge(other_pins.owner), 0x0d);
	snap_free(load);
	snap_free(save);
	i8259_free(other);
	bus_free(other_bus);
}
END_TEST

static void state_of_pic(struct snap *snap)
{
	i8259_state(pic, snap);
}

static void use_pic(void)
{
	inta();
	in(0x20);
}

START_TEST(broken_state_is_refused)
{
	ck_assert_uint_gt(snap_rig_damage(state_of_pic, use_pic), 4);
}
END_TEST

Suite *suite_i8259(void);

Suite *suite_i8259(void)
{
	Suite *suite = suite_create("i8259");
	TCase *lines = tcase_create("lines");
	tcase_add_checked_fixture(lines, setup, teardown);
	tcase_add_loop_test(lines, each_line_interrupts_with_its_vector, 0, 16);
	tcase_add_loop_test(lines, each_line_can_be_masked, 0, 16);
	tcase_add_loop_test(lines, each_line_can_be_level_triggered, 0, 16);
	tcase_add_test(lines, no_line_past_the_inputs);
	tcase_add_test(lines, request_lasts_as_long_as_the_line);
	tcase_add_test(lines, ltim_makes_all_inputs_level_triggered);
	tcase_add_test(lines, elcr_takes_effect_on_a_high_line);
	suite_add_tcase(suite, lines);

	TCase *vectors = tcase_create("vectors");
	tcase_add_checked_fixture(vectors, setup, teardown);
	tcase_add_test(vectors, spurious_interrupt_is_level_7_and_not_in_service);
	tcase_add_test(vectors, spurious_interrupt_of_the_slave_is_level_15);
	tcase_add_test(vectors, nobody_answers_for_a_slave_with_another_id);
	tcase_add_test(vectors, master_alone_serves_level_2_itself);
	tcase_add_test(vectors, mcs80_mode_gives_the_low_half_of_the_call);
	suite_add_tcase(suite, vectors);

	TCase *life = tcase_create("life");
	tcase_add_checked_fixture(life, setup, teardown);
	tcase_add_test(life, reset_keeps_the_inputs);
	tcase_add_test(life, state_survives);
	tcase_add_test(life, broken_state_is_refused);
	suite_add_tcase(suite, life);
	return suite;
}
