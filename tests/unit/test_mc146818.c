#include <check.h>

#include "devmodel/mc146818.h"
#include "tests/unit/snap_rig.h"

#define SECOND 1000000000ull
#define START 951782399 /* 2000-02-28 23:59:59 UTC, a Monday */

static struct bus *bus;
static struct clock *clock;
static struct mc146818 *rtc;
static bool irq8, nmi_masked;
static unsigned rises;

static void nmi_mask_set(void *owner, unsigned n, bool level)
{
	(void)owner, (void)n;
	nmi_masked = level;
}

static void irq8_set(void *owner, unsigned n, bool level)
{
	(void)owner;
	(void)n;
	rises += level && !irq8;
	irq8 = level;
}

static unsigned get(unsigned index)
{
	bus_write(bus, 0x70, 1, index);
	return bus_read(bus, 0x71, 1);
}

static void set(unsigned index, unsigned value)
{
	bus_write(bus, 0x70, 1, index);
	bus_write(bus, 0x71, 1, value);
}

static void go(uint64_t ns)
{
	uint64_t end = clock_now(clock) + ns;
	while (clock_next_deadline(clock) <= end) {
		clock_wait_until(clock, clock_next_deadline(clock));
		clock_run_due(clock);
	}
	clock_wait_until(clock, end);
}

static void expect_time(unsigned hours, unsigned minutes, unsigned seconds)
{
	ck_assert_uint_eq(get(4), hours);
	ck_assert_uint_eq(get(2), minutes);
	ck_assert_uint_eq(get(0), seconds);
}

static void expect_date(unsigned century, unsigned year, unsigned month, unsigned date, unsigned weekday)
{
	ck_assert_uint_eq(get(0x32), century);
	ck_assert_uint_eq(get(9), year);
	ck_assert_uint_eq(get(8), month);
	ck_assert_uint_eq(get(7), date);
	ck_assert_uint_eq(get(6), weekday);
}

static void set_time(unsigned hours, unsigned minutes, unsigned seconds)
{
	set(4, hours);
	set(2, minutes);
	set(0, seconds);
}

static void set_date(unsigned year, unsigned month, unsigned date, unsigned weekday)
{
	set(9, year);
	set(8, month);
	set(7, date);
	set(6, weekday);
}

static void set_alarm(unsigned hours, unsigned minutes, unsigned seconds)
{
	set(5, hours);
	set(3, minutes);
	set(1, seconds);
}

static void setup(void)
{
	bus = bus_new();
	clock = clock_new(CLOCK_KIND_VIRTUAL);
	clock_wait_until(clock, 123456789); /* no round start */
	irq8 = false;
	rises = 0;
	rtc = mc146818_new(bus, (struct irq_line) { irq8_set, NULL, 8 }, clock, START - 86400);
	ck_assert_ptr_nonnull(rtc);
	mc146818_connect_nmi_mask(rtc, (struct irq_line) { nmi_mask_set, NULL, 0 });
}

static void teardown(void)
{
	mc146818_free(rtc);
	clock_free(clock);
	bus_free(bus);
}

START_TEST(starts_at_the_given_time)
{
	ck_assert_uint_eq(get(0x0b), 0x02);
	expect_time(0x23, 0x59, 0x59);
	expect_date(0x20, 0x00, 0x02, 0x27, 1);
}
END_TEST

START_TEST(counts_by_the_guest_clock)
{
	go(SECOND - 1);
	expect_time(0x23, 0x59, 0x59);
	go(1);
	expect_time(0x00, 0x00, 0x00);
	expect_date(0x20, 0x00, 0x02, 0x28, 2);
	go(3661 * SECOND);
	expect_time(0x01, 0x01, 0x01);
}
END_TEST

START_TEST(calendar)
{
	static const struct {
		unsigned year, month, date, next_year, next_month, next_date;
	} rows[] = {
		{ 0x00, 0x02, 0x28, 0x00, 0x02, 0x29 }, { 0x00, 0x02, 0x29, 0x00, 0x03, 0x01 },
		{ 0x01, 0x02, 0x28, 0x01, 0x03, 0x01 }, { 0x01, 0x01, 0x31, 0x01, 0x02, 0x01 },
		{ 0x01, 0x03, 0x31, 0x01, 0x04, 0x01 }, { 0x01, 0x04, 0x30, 0x01, 0x05, 0x01 },
		{ 0x01, 0x05, 0x31, 0x01, 0x06, 0x01 }, { 0x01, 0x06, 0x30, 0x01, 0x07, 0x01 },
		{ 0x01, 0x07, 0x31, 0x01, 0x08, 0x01 }, { 0x01, 0x08, 0x31, 0x01, 0x09, 0x01 },
		{ 0x01, 0x09, 0x30, 0x01, 0x10, 0x01 }, { 0x01, 0x10, 0x31, 0x01, 0x11, 0x01 },
		{ 0x01, 0x11, 0x30, 0x01, 0x12, 0x01 }, { 0x01, 0x12, 0x31, 0x02, 0x01, 0x01 },
		{ 0x99, 0x12, 0x31, 0x00, 0x01, 0x01 }, { 0x24, 0x02, 0x09, 0x24, 0x02, 0x10 },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		set_date(rows[i].year, rows[i].month, rows[i].date, 7);
		set_time(0x23, 0x59, 0x59);
		go(SECOND);
		expect_time(0, 0, 0);
		expect_date(0x20, rows[i].next_year, rows[i].next_month, rows[i].next_date, 1);
	}
}
END_TEST

START_TEST(long_sleep)
{
	go((365 * 24 + 24) * 3600 * SECOND); /* 2000 is a leap year */
	expect_time(0x23, 0x59, 0x59);
	expect_date(0x20, 0x01, 0x02, 0x27, 3);
}
END_TEST

START_TEST(formats)
{
	static const struct {
		unsigned b, before, after;
	} rows[] = {
		{ 0x02, 0x11, 0x12 }, { 0x02, 0x12, 0x13 }, { 0x02, 0x23, 0x00 }, { 0x02, 0x09, 0x10 },
		{ 0x00, 0x11, 0x92 }, { 0x00, 0x92, 0x81 }, { 0x00, 0x91, 0x12 }, { 0x00, 0x12, 0x01 },
		{ 0x06, 11, 12 },     { 0x06, 12, 13 },     { 0x06, 23, 0 },      { 0x06, 9, 10 },
		{ 0x04, 11, 0x8c },   { 0x04, 0x8c, 0x81 }, { 0x04, 0x8b, 12 },   { 0x04, 12, 1 },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		unsigned last = rows[i].b & 4 ? 59 : 0x59;
		set(0x0b, 0x80 | rows[i].b);
		set_time(rows[i].before, last, last);
		set_date(rows[i].b & 4 ? 19 : 0x19, 1, 1, 1);
		set(0x0b, rows[i].b);
		go(SECOND);
		expect_time(rows[i].after, 0, 0);
		bool midnight = rows[i].after == 0 || (!(rows[i].b & 2) && (rows[i].after & 0x9f) == (rows[i].b & 4 ? 12 : 0x12));
		ck_assert_uint_eq(get(7), midnight ? 2 : 1);
	}
}
END_TEST

START_TEST(set_stops_the_updates)
{
	set(0x0b, 0x82);
	set_time(0x10, 0x20, 0x30);
	go(10 * SECOND + SECOND / 2);
	expect_time(0x10, 0x20, 0x30);
	ck_assert_uint_eq(get(0x0a) & 0x80, 0);
	set(0x0b, 0x02);
	go(SECOND / 2 - 1); /* the divider went on */
	expect_time(0x10, 0x20, 0x30);
	go(1);
	expect_time(0x10, 0x20, 0x31);
}
END_TEST

START_TEST(set_clears_uie)
{
	set(0x0b, 0x12);
	set(0x0b, 0x92);
	ck_assert_uint_eq(get(0x0b), 0x82);
}
END_TEST

START_TEST(divider_reset_gives_half_a_second)
{
	static const unsigned stopped[] = { 0x00, 0x10, 0x30, 0x40, 0x50, 0x60, 0x70 };
	for (unsigned i = 0; i < 7; i++) {
		set(0x0a, stopped[i]);
		set_time(0x10, 0x20, 0x30);
		go(5 * SECOND + 333);
		expect_time(0x10, 0x20, 0x30);
		set(0x0a, 0x26);
		go(SECOND / 2 - 1);
		expect_time(0x10, 0x20, 0x30);
		go(1);
		expect_time(0x10, 0x20, 0x31);
		go(SECOND);
		expect_time(0x10, 0x20, 0x32);
	}
}
END_TEST

START_TEST(uip_warns_of_the_update)
{
	ck_assert_uint_eq(get(0x0a), 0x26);
	go(SECOND - 2228001);
	ck_assert_uint_eq(get(0x0a), 0x26);
	go(1);
	ck_assert_uint_eq(get(0x0a), 0xa6);
	go(2227999);
	ck_assert_uint_eq(get(0x0a), 0xa6);
	go(1);
	ck_assert_uint_eq(get(0x0a), 0x26);
	set(0x0a, 0xff); /* UIP is read-only; stopped */
	ck_assert_uint_eq(get(0x0a), 0x7f);
}
END_TEST

START_TEST(update_ended_interrupt)
{
	set(0x0b, 0x12);
	go(SECOND - 1);
	ck_assert(!irq8);
	go(1);
	ck_assert(irq8);
	ck_assert_uint_eq(get(0x0c) & 0x90, 0x90);
	ck_assert(!irq8);
	ck_assert_uint_eq(get(0x0c), 0);
	for (unsigned i = 0; i < 10; i++) {
		go(SECOND);
		get(0x0c);
	}
	ck_assert_uint_eq(rises, 11);
}
END_TEST

START_TEST(periodic_interrupt_at_each_rate)
{
	static const unsigned hz[] = { 0, 256, 128, 8192, 4096, 2048, 1024, 512, 256, 128, 64, 32, 16, 8, 4, 2 };
	set(0x0a, 0x20 | (unsigned)_i);
	get(0x0c);
	set(0x0b, 0x42);
	uint64_t end = clock_now(clock) + SECOND;
	while (clock_next_deadline(clock) <= end) {
		clock_wait_until(clock, clock_next_deadline(clock));
		clock_run_due(clock);
		ck_assert(irq8);
		ck_assert_uint_eq(get(0x0c) & 0xc0, 0xc0);
		ck_assert(!irq8);
	}
	ck_assert_uint_eq(rises, hz[_i]);
}
END_TEST

START_TEST(periodic_flag_without_the_interrupt)
{
	go(976563);
	ck_assert(!irq8);
	ck_assert_uint_eq(get(0x0c), 0x40);
	go(900000);
	ck_assert_uint_eq(get(0x0c), 0);
	go(100000);
	set(0x0b, 0x42); /* the flag waits for its enable */
	ck_assert(irq8);
	ck_assert_uint_eq(get(0x0c), 0xc0);
}
END_TEST

START_TEST(no_timer_without_an_interrupt)
{
	ck_assert_uint_eq(clock_next_deadline(clock), CLOCK_NEVER);
	set(0x0b, 0x42);
	ck_assert_uint_ne(clock_next_deadline(clock), CLOCK_NEVER);
	go(SECOND);
	ck_assert_uint_eq(rises, 1); /* IRQ is up until C is read */
	ck_assert_uint_eq(clock_next_deadline(clock), CLOCK_NEVER);
	get(0x0c);
	ck_assert_uint_ne(clock_next_deadline(clock), CLOCK_NEVER);
	set(0x0a, 0x20);
	ck_assert_uint_eq(clock_next_deadline(clock), CLOCK_NEVER);
	set(0x0b, 0x22);
	set_alarm(0x25, 0x00, 0x00);
	ck_assert_uint_eq(clock_next_deadline(clock), CLOCK_NEVER);
	set_alarm(0x00, 0x00, 0x60);
	ck_assert_uint_eq(clock_next_deadline(clock), CLOCK_NEVER);
	set_alarm(0x00, 0x1f, 0x00);
	ck_assert_uint_eq(clock_next_deadline(clock), CLOCK_NEVER);
}
END_TEST

START_TEST(alarm_with_and_without_dont_care)
{
	static const struct {
		unsigned b, hours, minutes, seconds;
		uint64_t first, period; /* seconds after 10:20:30 */
	} rows[] = {
		{ 0x22, 0x10, 0x20, 0x31, 1, 86400 },
		{ 0x22, 0x10, 0x20, 0x30, 86400, 86400 },
		{ 0x22, 0x11, 0x00, 0x00, 2370, 86400 },
		{ 0x22, 0x09, 0x59, 0x59, 85169, 86400 },
		{ 0x22, 0xff, 0x21, 0x00, 30, 3600 },
		{ 0x22, 0xc0, 0xff, 0x05, 35, 60 },
		{ 0x22, 0xff, 0xff, 0xff, 1, 1 },
		{ 0x22, 0x10, 0xff, 0xff, 1, 1 },
		{ 0x26, 10, 20, 35, 5, 86400 },
		{ 0x20, 0x10, 0x20, 0x40, 10, 86400 },
		{ 0x20, 0x90, 0x20, 0x40, 43210, 86400 },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		set(0x0b, 0x80 | (rows[i].b & 6));
		if (rows[i].b & 4)
			set_time(10, 20, 30);
		else
			set_time(0x10, 0x20, 0x30);
		set_alarm(rows[i].hours, rows[i].minutes, rows[i].seconds);
		set(0x0b, rows[i].b);
		get(0x0c);
		rises = 0;
		go(rows[i].first * SECOND - 1);
		ck_assert_uint_eq(rises, 0);
		go(1);
		ck_assert_uint_eq(rises, 1);
		ck_assert_uint_eq(get(0x0c) & 0xa0, 0xa0);
		go(rows[i].period * SECOND - 1);
		ck_assert_uint_eq(rises, 1);
		go(1);
		ck_assert_uint_eq(rises, 2);
		get(0x0c);
	}
}
END_TEST

START_TEST(alarm_flag_without_the_interrupt)
{
	set_time(0x10, 0x20, 0x30);
	set_alarm(0x10, 0x20, 0x40);
	get(0x0c);
	go(9 * SECOND);
	ck_assert_uint_eq(get(0x0c) & 0xb0, 0x10);
	go(100 * SECOND);
	ck_assert_uint_eq(get(0x0c) & 0xb0, 0x30);
	ck_assert(!irq8);
}
END_TEST

START_TEST(ram_holds_all_values)
{
	for (unsigned index = 0x0e; index < 0x80; index++)
		set(index, index ^ 0xa5);
	for (unsigned index = 0x0e; index < 0x80; index++)
		ck_assert_uint_eq(get(index), index ^ 0xa5);
}
END_TEST

START_TEST(index_port_reads_back_with_the_nmi_mask)
{
	bus_write(bus, 0x70, 1, 0x8f);
	ck_assert_uint_eq(bus_read(bus, 0x70, 1), 0x8f);
	ck_assert(nmi_masked);
	bus_write(bus, 0x71, 1, 0x5a);
	ck_assert_uint_eq(get(0x0f), 0x5a);
	ck_assert(!nmi_masked);
}
END_TEST

START_TEST(c_and_d_are_read_only)
{
	set(0x0c, 0xff);
	set(0x0d, 0x00);
	ck_assert_uint_eq(get(0x0c), 0);
	ck_assert_uint_eq(get(0x0d), 0x80);
}
END_TEST

START_TEST(the_board_presets_and_looks)
{
	mc146818_set(rtc, MC146818_HOURS_ALARM, 0x12);
	mc146818_set(rtc, 0x38, 0x30);
	mc146818_set(rtc, 0x80 | 0x3d, 0x21);
	ck_assert_uint_eq(get(0x38), 0x30);
	ck_assert_uint_eq(mc146818_get(rtc, 0x3d), 0x21);
	go(2 * SECOND);
	ck_assert_uint_eq(mc146818_get(rtc, 0x0c), 0x50);
	ck_assert_uint_eq(mc146818_get(rtc, 0x0c), 0x50);
	ck_assert_uint_eq(get(0x0c), 0x50);
	ck_assert_uint_eq(mc146818_get(rtc, 0x0c), 0);
}
END_TEST

START_TEST(nonsense_in_the_time_registers_does_no_harm)
{
	for (unsigned b = 0; b < 8; b += 2)
		for (unsigned value = 0; value < 256; value++) {
			set(0x0b, b | 0x30);
			for (unsigned index = 0; index < 10; index++)
				set(index, value);
			go(2 * SECOND);
			get(0x0c);
		}
	set(0x0b, 0x02);
	set_time(0x01, 0x02, 0x03);
	set_date(0x24, 0x05, 0x06, 2);
	go(SECOND);
	expect_time(0x01, 0x02, 0x04);
}
END_TEST

START_TEST(reset_keeps_time_and_ram)
{
	set(0x40, 0x77);
	set(0x0b, 0x7a);
	go(SECOND);
	ck_assert(irq8);
	bus_write(bus, 0x70, 1, 0x80);
	mc146818_reset(rtc);
	ck_assert(!irq8);
	ck_assert_uint_eq(bus_read(bus, 0x70, 1), 0);
	ck_assert_uint_eq(get(0x0b), 0x02);
	ck_assert_uint_eq(get(0x0c), 0);
	ck_assert_uint_eq(get(0x40), 0x77);
	expect_time(0x00, 0x00, 0x00);
	ck_assert_uint_eq(clock_next_deadline(clock), CLOCK_NEVER);
}
END_TEST

START_TEST(state_survives)
{
	set(0x0b, 0x12);
	set(0x40, 0x77);
	go(SECOND / 2);
	struct snap *save = snap_new_save();
	mc146818_state(rtc, save);
	size_t size;
	const void *data = snap_data(save, &size);
	set(0x40, 0);
	set(0x0a, 0x60);
	set(0x0b, 0);
	struct snap *load = snap_new_load(data, size);
	mc146818_state(rtc, load);
	ck_assert_ptr_null(snap_error(load));
	ck_assert_uint_eq(get(0x40), 0x77);
	go(SECOND / 2);
	ck_assert(irq8);
	expect_time(0, 0, 0);
	snap_free(load);
	snap_free(save);
}
END_TEST

static void state_of_rtc(struct snap *snap)
{
	mc146818_state(rtc, snap);
}

static void use_rtc(void)
{
	clock_wait_until(clock, clock_now(clock) + 1000);
	clock_run_due(clock);
	get(0x0c);
}

START_TEST(broken_state_is_refused_or_harmless)
{
	set(0x0b, 0x72);
	ck_assert_uint_gt(snap_rig_damage(state_of_rtc, use_rtc), 8);
}
END_TEST

Suite *suite_mc146818(void)
{
	Suite *suite = suite_create("mc146818");
	TCase *time_case = tcase_create("time");
	tcase_add_checked_fixture(time_case, setup, teardown);
	tcase_add_test(time_case, starts_at_the_given_time);
	tcase_add_test(time_case, counts_by_the_guest_clock);
	tcase_add_test(time_case, calendar);
	tcase_add_test(time_case, long_sleep);
	tcase_add_test(time_case, formats);
	tcase_add_test(time_case, set_stops_the_updates);
	tcase_add_test(time_case, divider_reset_gives_half_a_second);
	tcase_add_test(time_case, uip_warns_of_the_update);
	tcase_add_test(time_case, nonsense_in_the_time_registers_does_no_harm);
	suite_add_tcase(suite, time_case);
	TCase *interrupts_case = tcase_create("interrupts");
	tcase_add_checked_fixture(interrupts_case, setup, teardown);
	tcase_add_test(interrupts_case, set_clears_uie);
	tcase_add_test(interrupts_case, update_ended_interrupt);
	tcase_add_loop_test(interrupts_case, periodic_interrupt_at_each_rate, 0, 16);
	tcase_add_test(interrupts_case, periodic_flag_without_the_interrupt);
	tcase_add_test(interrupts_case, no_timer_without_an_interrupt);
	tcase_add_test(interrupts_case, alarm_with_and_without_dont_care);
	tcase_add_test(interrupts_case, alarm_flag_without_the_interrupt);
	suite_add_tcase(suite, interrupts_case);
	TCase *ram_case = tcase_create("ram");
	tcase_add_checked_fixture(ram_case, setup, teardown);
	tcase_add_test(ram_case, ram_holds_all_values);
	tcase_add_test(ram_case, index_port_reads_back_with_the_nmi_mask);
	tcase_add_test(ram_case, c_and_d_are_read_only);
	tcase_add_test(ram_case, the_board_presets_and_looks);
	suite_add_tcase(suite, ram_case);
	TCase *life_case = tcase_create("life");
	tcase_add_checked_fixture(life_case, setup, teardown);
	tcase_add_test(life_case, reset_keeps_time_and_ram);
	tcase_add_test(life_case, state_survives);
	tcase_add_test(life_case, broken_state_is_refused_or_harmless);
	suite_add_tcase(suite, life_case);
	return suite;
}
