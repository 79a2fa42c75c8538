#include "devmodel/exit_port.h"

#include <check.h>

static struct bus *bus;
static struct cpu_pins pins;
static struct exit_port *exit_port;

static void setup(void)
{
	bus = bus_new();
	pins = (struct cpu_pins){ 0 };
	exit_port = exit_port_new(bus, 0xf4, &pins);
}

static void teardown(void)
{
	exit_port_free(exit_port);
	bus_free(bus);
}

START_TEST(nothing_asked)
{
	int status = 77;
	ck_assert_uint_eq(bus_read(bus, 0xf4, 1), 0);
	ck_assert(!exit_port_status(exit_port, &status));
	ck_assert_int_eq(status, 77);
	ck_assert(!pins.stop);
}
END_TEST

START_TEST(first_write_counts)
{
	int status;
	bus_write(bus, 0xf4, 1, 0x10);
	ck_assert(pins.stop && atomic_load(&pins.attention));
	bus_write(bus, 0xf4, 1, 0x11);
	ck_assert(exit_port_status(exit_port, &status));
	ck_assert_int_eq(status, 0x21);
}
END_TEST

START_TEST(zero_and_wide_writes)
{
	int status;
	bus_write(bus, 0xf4, 4, 0xffffff00);
	ck_assert(exit_port_status(exit_port, &status));
	ck_assert_int_eq(status, 1);
}
END_TEST

Suite *suite_exit_port(void)
{
	Suite *suite = suite_create("exit_port");
	TCase *tcase = tcase_create("exit_port");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, nothing_asked);
	tcase_add_test(tcase, first_write_counts);
	tcase_add_test(tcase, zero_and_wide_writes);
	suite_add_tcase(suite, tcase);
	return suite;
}
