#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "shared/bus.h"

/* A device that keeps what was done to it as text; each byte reads as the number of
 * its port. */
struct probe {
	char log[512];
	size_t many; /* how many items *_many moves */
};

static void note(struct probe *probe, const char *what, unsigned port, unsigned size, uint32_t value)
{
	size_t used = strlen(probe->log);
	snprintf(probe->log + used, sizeof probe->log - used, "%s%x.%u=%x ", what, port, size, value);
}

static uint32_t probe_read(void *owner, uint16_t port, unsigned size)
{
	note(owner, "r", port, size, 0);
	uint32_t value = 0xeeeeeeee; /* bits past `size`, which the bus hides */
	for (unsigned n = 0; n < size; n++)
		((uint8_t *)&value)[n] = (uint8_t)(port + n);
	return value;
}

static void probe_write(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	note(owner, "w", port, size, value);
}

static size_t probe_read_many(void *owner, uint16_t port, unsigned size, void *to, size_t count)
{
	struct probe *probe = owner;
	size_t moved = probe->many < count ? probe->many : count;
	note(probe, "R", port, size, (uint32_t)count);
	memset(to, 0x77, moved * size);
	return moved;
}

static size_t probe_write_many(void *owner, uint16_t port, unsigned size, const void *from, size_t count)
{
	struct probe *probe = owner;
	(void)from;
	note(probe, "W", port, size, (uint32_t)count);
	return probe->many < count ? probe->many : count;
}

static const struct bus_ops byte_ops = { "byte", 1, probe_read, probe_write, NULL, NULL, false };
static const struct bus_ops word_ops = { "word", 2, probe_read, probe_write, NULL, NULL, false };
static const struct bus_ops long_ops = { "long", 4, probe_read, probe_write, NULL, NULL, false };
static const struct bus_ops many_ops = { "many", 2, probe_read, probe_write, probe_read_many, probe_write_many, false };
static const struct bus_ops deaf_ops = { "deaf", 4, NULL, NULL, NULL, NULL, false };

static struct bus *bus;
static struct probe a, b;

static void setup(void)
{
	bus = bus_new();
	memset(&a, 0, sizeof a);
	memset(&b, 0, sizeof b);
}

static void teardown(void)
{
	bus_free(bus);
}

START_TEST(open_bus)
{
	ck_assert_uint_eq(bus_read(bus, 0x1234, 1), 0xff);
	ck_assert_uint_eq(bus_read(bus, 0x1234, 2), 0xffff);
	ck_assert_uint_eq(bus_read(bus, 0xffff, 4), 0xffffffff);
	bus_write(bus, 0x1234, 4, 1);
	ck_assert_int_eq(bus_claim(bus, 0x10, 0x10, &deaf_ops, NULL), 0);
	ck_assert_uint_eq(bus_read(bus, 0x10, 2), 0xffff);
	bus_write(bus, 0x10, 2, 1);
}
END_TEST

START_TEST(limits_of_a_claim)
{
	bus_claim(bus, 0x20, 0x21, &byte_ops, &a);
	ck_assert_uint_eq(bus_read(bus, 0x1f, 1), 0xff);
	ck_assert_uint_eq(bus_read(bus, 0x20, 1), 0x20);
	ck_assert_uint_eq(bus_read(bus, 0x21, 1), 0x21);
	ck_assert_uint_eq(bus_read(bus, 0x22, 1), 0xff);
	bus_write(bus, 0x21, 1, 0xabcd);
	ck_assert_str_eq(a.log, "r20.1=0 r21.1=0 w21.1=cd ");
	ck_assert_int_eq(bus_claim(bus, 5, 4, &byte_ops, &a), -EINVAL);
}
END_TEST

START_TEST(wide_access_is_split)
{
	bus_claim(bus, 0x40, 0x43, &byte_ops, &a);
	ck_assert_uint_eq(bus_read(bus, 0x40, 4), 0x43424140);
	bus_write(bus, 0x41, 2, 0xbbaa);
	ck_assert_str_eq(a.log, "r40.1=0 r41.1=0 r42.1=0 r43.1=0 w41.1=aa w42.1=bb ");
	bus_claim(bus, 0x80, 0x83, &word_ops, &b);
	bus_write(bus, 0x80, 4, 0x44332211);
	ck_assert_uint_eq(bus_read(bus, 0x80, 4), 0x83828180);
	ck_assert_str_eq(b.log, "w80.2=2211 w82.2=4433 r80.2=0 r82.2=0 ");
}
END_TEST

START_TEST(first_port_decides)
{
	bus_claim(bus, 0xcf8, 0xcff, &long_ops, &a);
	bus_claim(bus, 0xcf9, 0xcf9, &byte_ops, &b);
	bus_write(bus, 0xcf8, 4, 0x80000000);
	ck_assert_str_eq(a.log, "wcf8.4=80000000 ");
	bus_write(bus, 0xcf9, 2, 0x0605);
	ck_assert_str_eq(b.log, "wcf9.1=5 ");
	ck_assert_str_eq(a.log, "wcf8.4=80000000 wcfa.1=6 ");
	bus_claim(bus, 0x1cf, 0x1cf, &word_ops, &b);
	bus_write(bus, 0x1cf, 2, 0x1234);
	ck_assert_str_eq(b.log, "wcf9.1=5 w1cf.2=1234 ");
}
END_TEST

START_TEST(mixed_owners_and_wrap)
{
	bus_claim(bus, 0xffff, 0xffff, &byte_ops, &a);
	bus_claim(bus, 0x0000, 0x0001, &word_ops, &b);
	bus_write(bus, 0xffff, 4, 0x44332211);
	ck_assert_str_eq(a.log, "wffff.1=11 ");
	ck_assert_str_eq(b.log, "w0.2=3322 ");
	ck_assert_uint_eq(bus_read(bus, 0xffff, 4), 0xff0100ff);
}
END_TEST

START_TEST(later_claim_hides_and_release_shows)
{
	bus_claim(bus, 0x100, 0x10f, &byte_ops, &a);
	bus_claim(bus, 0x108, 0x117, &word_ops, &b);
	bus_read(bus, 0x108, 1);
	ck_assert_str_eq(a.log, "");
	ck_assert_str_eq(b.log, "r108.1=0 ");
	bus_release(bus, &word_ops, &a); /* holds none by these */
	bus_read(bus, 0x108, 1);
	ck_assert_str_eq(b.log, "r108.1=0 r108.1=0 ");
	bus_release(bus, &word_ops, &b);
	bus_read(bus, 0x108, 1);
	ck_assert_str_eq(a.log, "r108.1=0 ");
	ck_assert_uint_eq(bus_read(bus, 0x110, 1), 0xff);
	bus_release(bus, &byte_ops, &a);
	ck_assert_uint_eq(bus_read(bus, 0x100, 1), 0xff);
}
END_TEST

START_TEST(order_survives_release)
{
	bus_claim(bus, 0, 9, &byte_ops, &a);
	bus_claim(bus, 0, 9, &word_ops, &a);
	bus_claim(bus, 0, 9, &byte_ops, &b);
	bus_release(bus, &word_ops, &a);
	bus_write(bus, 3, 1, 1);
	ck_assert_str_eq(b.log, "w3.1=1 ");
	bus_release(bus, &byte_ops, &b);
	bus_write(bus, 3, 1, 2);
	ck_assert_str_eq(a.log, "w3.1=2 ");
}
END_TEST

START_TEST(claims_run_out_and_come_back)
{
	for (uint16_t n = 0; n < 255; n++)
		ck_assert_int_eq(bus_claim(bus, n, n, &byte_ops, n == 7 ? &b : &a), 0);
	ck_assert_int_eq(bus_claim(bus, 300, 300, &byte_ops, &a), -ENOSPC);
	ck_assert_uint_eq(bus_read(bus, 254, 1), 254);
	bus_release(bus, &byte_ops, &b);
	ck_assert_int_eq(bus_claim(bus, 300, 300, &byte_ops, &a), 0);
	ck_assert_uint_eq(bus_read(bus, 254, 1), 254);
	ck_assert_uint_eq(bus_read(bus, 7, 1), 0xff);
}
END_TEST

START_TEST(rest_goes_to_its_owner)
{
	bus_claim(bus, 0x60, 0x60, &byte_ops, &a);
	bus_claim_rest(bus, &long_ops, &b);
	bus_write(bus, 0x60, 1, 1);
	bus_write(bus, 0x70, 4, 2);
	ck_assert_str_eq(a.log, "w60.1=1 ");
	ck_assert_str_eq(b.log, "w70.4=2 ");
}
END_TEST

START_TEST(many_items)
{
	uint8_t to[9] = { 0 };
	bus_claim(bus, 0x1f0, 0x1f0, &many_ops, &a);
	a.many = 2;
	ck_assert_uint_eq(bus_read_many(bus, 0x1f0, 2, to + 1, 4), 4);
	ck_assert_mem_eq(to, "\0\x77\x77\x77\x77\xf0\xf1\xf0\xf1", 9);
	ck_assert_str_eq(a.log, "R1f0.2=4 r1f0.2=0 r1f0.2=0 ");
	a.log[0] = '\0';
	a.many = 1;
	ck_assert_uint_eq(bus_write_many(bus, 0x1f0, 2, "\1\2\3\4", 2), 2);
	ck_assert_str_eq(a.log, "W1f0.2=2 w1f0.2=403 ");
}
END_TEST

START_TEST(many_one_by_one)
{
	uint8_t to[8];
	bus_claim(bus, 0x1f0, 0x1f1, &many_ops, &a); /* 1F2 is open */
	bus_claim(bus, 0x300, 0x300, &byte_ops, &b);
	a.many = 9;
	/* Wider than the device: its own *_many does not see it. */
	ck_assert_uint_eq(bus_read_many(bus, 0x1f0, 4, to, 2), 2);
	ck_assert_str_eq(a.log, "r1f0.2=0 r1f0.2=0 ");
	ck_assert_uint_eq(bus_write_many(bus, 0x300, 1, "xyz", 3), 3);
	ck_assert_str_eq(b.log, "w300.1=78 w300.1=79 w300.1=7a ");
	ck_assert_uint_eq(bus_read_many(bus, 0x300, 1, to, 0), 0);
}
END_TEST

static void hear(void *owner, uint16_t port, unsigned size, bool is_write, const void *data, size_t count)
{
	uint32_t last = 0;
	memcpy(&last, (const uint8_t *)data + (count - 1) * size, size);
	note(owner, is_write ? "o" : "i", port, size * 100 + (unsigned)count, last);
}

/* Once for each access of the guest's, however it was split. */
START_TEST(tap)
{
	uint16_t to[3];
	bus_claim(bus, 0x1f0, 0x1f7, &many_ops, &a);
	bus_claim(bus, 0x300, 0x307, &byte_ops, &a);
	bus_set_tap(bus, (struct bus_tap){ hear, &b });
	bus_read(bus, 0x300, 4);
	bus_write(bus, 0x301, 2, 0x12345678);
	a.many = 2;
	bus_read_many(bus, 0x1f0, 2, to, 3);
	bus_write_many(bus, 0x400, 1, "xyz", 3);
	ck_assert_str_eq(b.log, "i300.401=3020100 o301.201=5678 i1f0.203=f1f0 o400.103=7a ");
	bus_set_tap(bus, (struct bus_tap){ NULL, NULL });
	bus_read(bus, 0x300, 1);
	ck_assert_str_eq(b.log, "i300.401=3020100 o301.201=5678 i1f0.203=f1f0 o400.103=7a ");
}
END_TEST

Suite *suite_bus(void)
{
	Suite *suite = suite_create("bus");
	TCase *tcase = tcase_create("bus");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, open_bus);
	tcase_add_test(tcase, limits_of_a_claim);
	tcase_add_test(tcase, wide_access_is_split);
	tcase_add_test(tcase, first_port_decides);
	tcase_add_test(tcase, mixed_owners_and_wrap);
	tcase_add_test(tcase, later_claim_hides_and_release_shows);
	tcase_add_test(tcase, order_survives_release);
	tcase_add_test(tcase, claims_run_out_and_come_back);
	tcase_add_test(tcase, rest_goes_to_its_owner);
	tcase_add_test(tcase, many_items);
	tcase_add_test(tcase, many_one_by_one);
	tcase_add_test(tcase, tap);
	suite_add_tcase(suite, tcase);
	return suite;
}
