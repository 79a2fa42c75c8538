#include "devmodel/debug_port.h"

#include <check.h>

START_TEST(writes_and_answers)
{
	char *error = NULL;
	struct bus *bus = bus_new();
	struct chardev *chardev = chardev_new("memory", &error);
	struct debug_port *debug_port = debug_port_new(bus, 0x402, chardev);
	ck_assert_uint_eq(bus_read(bus, 0x402, 1), 0xe9);
	bus_write(bus, 0x402, 1, 'a');
	bus_write(bus, 0x402, 1, 0x100 | 'b');
	ck_assert_uint_eq(bus_write_many(bus, 0x402, 1, "cde", 3), 3);
	ck_assert_str_eq(chardev_captured(chardev)->str, "abcde");
	debug_port_free(debug_port);
	ck_assert_uint_eq(bus_read(bus, 0x402, 1), 0xff);
	bus_write(bus, 0x402, 1, 'x');
	ck_assert_str_eq(chardev_captured(chardev)->str, "abcde");
	chardev_free(chardev);
	bus_free(bus);
}
END_TEST

Suite *suite_debug_port(void)
{
	Suite *suite = suite_create("debug_port");
	TCase *tcase = tcase_create("debug_port");
	tcase_add_test(tcase, writes_and_answers);
	suite_add_tcase(suite, tcase);
	return suite;
}
