#include "tests/unit/i8237_rig.h"

static unsigned served;
static size_t wanted;

static void serve(void *owner)
{
	served++;
	wanted -= to_memory(*(unsigned *)owner, wanted);
}

START_TEST(masked_device_waits_and_is_served)
{
	unsigned n = channel_of(_i), bit = 1u << (n & 3);
	program(n, 0x44, 0x02, 0, 99);
	mask(n, true);
	i8237_attach(dma, n, serve, &n);
	served = 0;
	wanted = 20;
	ck_assert_uint_eq(to_memory(n, wanted), 0);
	ck_assert_uint_eq(in(port_of(n, 8)), bit << 4);
	mask(n, false);
	ck_assert_uint_eq(served, 1);
	ck_assert_uint_eq(wanted, 0);
	ck_assert_uint_eq(in(port_of(n, 8)), 0);
	mask(n, true);
	mask(n, false);
	ck_assert_uint_eq(served, 1);
}
END_TEST

START_TEST(withdrawn_request_is_not_served)
{
	unsigned n = 2;
	program(n, 0x44, 0x02, 0, 99);
	mask(n, true);
	i8237_attach(dma, n, serve, &n);
	served = 0;
	to_memory(n, 10);
	i8237_withdraw(dma, n);
	ck_assert_uint_eq(in(0x08), 0);
	mask(n, false);
	ck_assert_uint_eq(served, 0);
}
END_TEST

START_TEST(everything_that_unblocks)
{
	static const struct {
		uint16_t port;
		unsigned block, unblock;
	} rows[] = {
		{ 0x0a, 0x06, 0x02 }, /* single mask */
		{ 0x0f, 0x0f, 0x0b }, /* all masks */
		{ 0x08, 0x04, 0x00 }, /* controller off */
		{ 0xd0, 0x04, 0x00 }, /* the other controller off */
		{ 0xd4, 0x04, 0x00 }, /* cascade masked */
		{ 0xd6, 0x40, 0xc0 }, /* channel 4 not in cascade mode */
		{ 0x0b, 0xc6, 0x46 }, /* channel 2 in cascade mode */
	};
	unsigned n = 2;
	i8237_attach(dma, n, serve, &n);
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		program(n, 0x44, 0x02, 0, 99);
		served = 0;
		wanted = 10;
		out(rows[i].port, rows[i].block);
		ck_assert_uint_eq(to_memory(n, wanted), 0);
		out(rows[i].port, rows[i].unblock);
		ck_assert_uint_eq(served, 1);
		ck_assert_uint_eq(wanted, 0);
	}
	out(0x0a, 0x06);
	wanted = 10;
	to_memory(n, wanted);
	out(0x0e, 0); /* clear all masks */
	ck_assert_uint_eq(served, 2);
	ck_assert_uint_eq(in(0x0f), 0xf0);
}
END_TEST

static unsigned order[8], orders;

static void note(void *owner)
{
	unsigned n = *(unsigned *)owner;
	order[orders++] = n;
	to_memory(n, 2);
}

static void serve_together(const unsigned *channels)
{
	out(0x0f, 0x0f);
	for (unsigned n = 0; n < 4; n++) {
		i8237_attach(dma, n, note, (void *)(uintptr_t)&channels[n]);
		to_memory(n, 2);
	}
	orders = 0;
	out(0x0f, 0x00);
	ck_assert_uint_eq(orders, 4);
}

START_TEST(priority_fixed_and_rotating)
{
	static const unsigned channels[] = { 0, 1, 2, 3 };
	for (unsigned n = 0; n < 4; n++)
		program(n, 0x44, 0x02, 0, 9999);
	serve_together(channels);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_uint_eq(order[i], i);
	out(0x08, 0x10);
	to_memory(1, 2);
	serve_together(channels);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_uint_eq(order[i], (i + 2) & 3);
	out(0x08, 0x00);
	serve_together(channels);
	ck_assert_uint_eq(order[0], 0);
}
END_TEST

START_TEST(software_request_needs_block_mode)
{
	program(3, 0x44, 0x03, 0x10, 9);
	mask(3, true);
	out(0x09, 0x07);
	ck_assert_uint_eq(in(0x08), 0x80);
	ck_assert_uint_eq(count_of(3), 9);
	out(0x09, 0x03);
	ck_assert_uint_eq(in(0x08), 0);
	mode(3, 0x84);
	out(0x09, 0x07); /* heeds no mask */
	ck_assert_uint_eq(count_of(3), 0xffff);
	ck_assert_uint_eq(in(0x08), 0x08);
	for (unsigned i = 0; i < 10; i++)
		ck_assert_uint_eq(ram[0x30010 + i], 0xff);
	ck_assert_uint_eq(ram[0x3000f] | ram[0x3001a], 0);
}
END_TEST

START_TEST(software_request_of_the_largest_count)
{
	unsigned n = channel_of(_i);
	static const unsigned modes[] = { 0x80, 0x84, 0x88, 0x94, 0xa4 };
	for (unsigned i = 0; i < 5; i++) {
		program(n, modes[i], 0x03, 0x10, 0xffff);
		out(port_of(n, 9), 4 | (n & 3));
		ck_assert_uint_eq(in(port_of(n, 8)), 1u << (n & 3));
		ck_assert_uint_eq(address_of(n), 0x10);
	}
}
END_TEST

START_TEST(software_request_lets_a_masked_device_go)
{
	unsigned n = 1;
	i8237_attach(dma, n, serve, &n);
	program(n, 0x84, 0x02, 0, 19);
	mask(n, true);
	served = 0;
	wanted = 20;
	to_memory(n, wanted);
	out(0x09, 0x05);
	ck_assert_uint_eq(served, 1);
	ck_assert_uint_eq(in(0x08), 0x02);
}
END_TEST

START_TEST(memory_to_memory)
{
	for (unsigned i = 0; i < 64; i++)
		ram[0x10000 + i] = PATTERN(i);
	program(0, 0x98, 0x01, 0, 31);
	program(1, 0x84, 0x02, 0x100, 31);
	out(0x08, 0x01);
	out(0x09, 0x04);
	ck_assert_mem_eq(ram + 0x20100, ram + 0x10000, 32);
	ck_assert_uint_eq(ram[0x20120], 0);
	ck_assert_uint_eq(in(0x08), 0x02);
	ck_assert_uint_eq(in(0x0d), PATTERN(31)); /* the temporary register */
	ck_assert_uint_eq(address_of(0), 0); /* auto-initialized */
	ck_assert_uint_eq(address_of(1), 0x120);
}
END_TEST

START_TEST(memory_fill_with_address_hold)
{
	ram[0x10005] = 0x77;
	program(0, 0x88, 0x01, 5, 0xffff);
	program(1, 0xa4, 0x02, 0x10f, 15);
	out(0x08, 0x03);
	out(0x09, 0x04);
	for (unsigned i = 0; i < 16; i++)
		ck_assert_uint_eq(ram[0x20100 + i], 0x77);
	ck_assert_uint_eq(address_of(0), 5);
}
END_TEST

Suite *suite_i8237_grants(void)
{
	Suite *suite = suite_create("i8237_grants");
	TCase *grants = tcase_create("grants");
	tcase_add_checked_fixture(grants, setup, teardown);
	tcase_add_loop_test(grants, masked_device_waits_and_is_served, 0, 7);
	tcase_add_test(grants, withdrawn_request_is_not_served);
	tcase_add_test(grants, everything_that_unblocks);
	tcase_add_test(grants, priority_fixed_and_rotating);
	suite_add_tcase(suite, grants);
	TCase *requests = tcase_create("requests");
	tcase_add_checked_fixture(requests, setup, teardown);
	tcase_add_test(requests, software_request_needs_block_mode);
	tcase_add_loop_test(requests, software_request_of_the_largest_count, 0, 7);
	tcase_add_test(requests, software_request_lets_a_masked_device_go);
	tcase_add_test(requests, memory_to_memory);
	tcase_add_test(requests, memory_fill_with_address_hold);
	suite_add_tcase(suite, requests);
	return suite;
}
