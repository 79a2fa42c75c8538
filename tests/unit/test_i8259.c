#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "devmodel/i8259.h"

#define SLAVE 0x80u /* added to a port of the master */

static struct bus *bus;
static struct cpu_pins pins;
static struct i8259 *pic;

static void out(uint16_t port, unsigned value)
{
	bus_write(bus, port, 1, value);
}

static unsigned in(uint16_t port)
{
	return bus_read(bus, port, 1);
}

static void set(unsigned irq, bool level)
{
	struct irq_line line = i8259_line(pic, irq);
	irq_set(&line, level);
}

static void pulse(unsigned irq)
{
	set(irq, false);
	set(irq, true);
}

static unsigned inta(void)
{
	return pins.acknowledge(pins.owner);
}

static void init_chip(unsigned add, unsigned icw1, unsigned icw2, unsigned icw3, unsigned icw4)
{
	uint16_t command = (uint16_t)(0x20 + add), data = (uint16_t)(0x21 + add);
	out(command, icw1);
	out(data, icw2);
	if (!(icw1 & 2))
		out(data, icw3);
	if (icw1 & 1)
		out(data, icw4);
}

/* As every BIOS does it, but for what `icw4` adds. */
static void init(unsigned icw4)
{
	init_chip(0, 0x11, 0x08, 0x04, 0x01 | icw4);
	init_chip(SLAVE, 0x11, 0x70, 0x02, 0x01 | (icw4 & 0x02));
}

static unsigned vector_of(unsigned irq)
{
	return irq < 8 ? 0x08 + irq : 0x70 + irq - 8;
}

static unsigned isr(unsigned add)
{
	out((uint16_t)(0x20 + add), 0x0b);
	return in((uint16_t)(0x20 + add));
}

static unsigned irr(unsigned add)
{
	out((uint16_t)(0x20 + add), 0x0a);
	return in((uint16_t)(0x20 + add));
}

static void setup(void)
{
	bus = bus_new();
	pins = (struct cpu_pins) { 0 };
	pic = i8259_new(bus, &pins);
	ck_assert_ptr_nonnull(pic);
	init(0);
	atomic_store(&pins.attention, false);
}

static void teardown(void)
{
	i8259_free(pic);
	bus_free(bus);
}

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

START_TEST(broken_state_is_refused)
{
	struct snap *save = snap_new_save();
	i8259_state(pic, save);
	size_t size;
	const uint8_t *data = snap_data(save, &size);
	uint8_t *broken = malloc(size);
	unsigned refused = 0;
	for (size_t i = 0; i < size; i++) {
		memcpy(broken, data, size);
		broken[i] ^= 0xff;
		struct snap *load = snap_new_load(broken, size);
		i8259_state(pic, load);
		refused += snap_error(load) != NULL;
		snap_free(load);
		inta();
		in(0x20);
	}
	ck_assert_uint_gt(refused, 4);
	free(broken);
	snap_free(save);
}
END_TEST

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

	TCase *life = tcase_create("life");
	tcase_add_checked_fixture(life, setup, teardown);
	tcase_add_test(life, reset_keeps_the_inputs);
	tcase_add_test(life, state_survives);
	tcase_add_test(life, broken_state_is_refused);
	suite_add_tcase(suite, life);
	return suite;
}
