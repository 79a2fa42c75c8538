#include "devmodel/port92.h"

#include <check.h>

#include "devmodel/a20.h"

static struct mem *mem;
static struct a20 *gate;
static struct bus *bus;
static struct cpu_pins pins;
static struct port92 *port92;
static struct irq_line keyboard;

static void setup(void)
{
	mem = mem_new();
	ck_assert_ptr_nonnull(mem);
	gate = a20_new(mem);
	bus = bus_new();
	pins = (struct cpu_pins){ 0 };
	keyboard = a20_line(gate, A20_KEYBOARD);
	port92 = port92_new(bus, &pins, a20_line(gate, A20_PORT92));
}

static void teardown(void)
{
	port92_free(port92);
	bus_free(bus);
	a20_free(gate);
	mem_free(mem);
}

static bool is_open(void)
{
	return mem->a20_mask == 0xffffffff;
}

static void out(uint8_t value)
{
	bus_write(bus, 0x92, 1, value);
}

START_TEST(gate_is_the_or_of_both)
{
	irq_set(&keyboard, true);
	ck_assert(is_open());
	irq_set(&keyboard, false);
	ck_assert(!is_open());
	out(0x02);
	ck_assert(is_open());
	irq_set(&keyboard, true);
	out(0x00);
	ck_assert(is_open());
	irq_set(&keyboard, false);
	ck_assert(!is_open());
}
END_TEST

START_TEST(memory_is_not_told_twice)
{
	irq_set(&keyboard, true);
	uint32_t epoch = mem->epoch;
	out(0x02); /* as the firmware does with each change of mode */
	out(0x00);
	irq_set(&keyboard, true);
	ck_assert_uint_eq(mem->epoch, epoch);
}
END_TEST

START_TEST(reads_back)
{
	out(0xfe);
	ck_assert_uint_eq(bus_read(bus, 0x92, 1), 0x02);
	out(0x00);
	ck_assert_uint_eq(bus_read(bus, 0x92, 1), 0x00);
}
END_TEST

START_TEST(fast_reset_is_an_edge)
{
	out(0x01);
	ck_assert(pins.init && !pins.reset && atomic_load(&pins.attention));
	pins.init = false;
	out(0x03);
	ck_assert(!pins.init);
	out(0x02);
	ck_assert(!pins.init);
	out(0x03);
	ck_assert(pins.init);
}
END_TEST

START_TEST(reset_lets_go)
{
	out(0x03);
	pins.init = false;
	port92_reset(port92);
	ck_assert(!is_open());
	ck_assert_uint_eq(bus_read(bus, 0x92, 1), 0);
	out(0x01);
	ck_assert(pins.init);
}
END_TEST

START_TEST(state_survives)
{
	out(0x02);
	struct snap *save = snap_new_save();
	port92_state(port92, save);
	a20_state(gate, save);
	port92_reset(port92);
	irq_set(&keyboard, true);
	size_t size;
	const void *data = snap_data(save, &size);
	struct snap *load = snap_new_load(data, size);
	port92_state(port92, load);
	a20_state(gate, load);
	ck_assert_ptr_null(snap_error(load));
	ck_assert(is_open());
	ck_assert_uint_eq(bus_read(bus, 0x92, 1), 2);
	out(0x00); /* the keyboard's input was low when it was saved */
	ck_assert(!is_open());
	snap_free(load);
	snap_free(save);
}
END_TEST

Suite *suite_port92(void)
{
	Suite *suite = suite_create("port92");
	TCase *tcase = tcase_create("port92");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, gate_is_the_or_of_both);
	tcase_add_test(tcase, memory_is_not_told_twice);
	tcase_add_test(tcase, reads_back);
	tcase_add_test(tcase, fast_reset_is_an_edge);
	tcase_add_test(tcase, reset_lets_go);
	tcase_add_test(tcase, state_survives);
	suite_add_tcase(suite, tcase);
	return suite;
}
