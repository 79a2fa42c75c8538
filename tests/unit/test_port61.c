#include <check.h>
#include <string.h>

#include "devmodel/port61.h"

static struct bus *bus;
static struct clock *clock;
static struct i8254 *pit;
static struct port61 *port;
static bool nmi;

static void nmi_set(void *owner, unsigned n, bool level)
{
	(void)owner;
	(void)n;
	nmi = level;
}

static void raise_input(enum port61_input input, bool level)
{
	struct irq_line line = port61_line(port, input);
	irq_set(&line, level);
}

static unsigned in(void)
{
	return bus_read(bus, 0x61, 1);
}

static void out(unsigned value)
{
	bus_write(bus, 0x61, 1, value);
}

static void go(uint64_t ns)
{
	clock_wait_until(clock, clock_now(clock) + ns);
	clock_run_due(clock);
}

static void setup(void)
{
	bus = bus_new();
	clock = clock_new(CLOCK_KIND_VIRTUAL);
	pit = i8254_new(bus, 0x40, (struct irq_line) { 0 }, clock);
	port = port61_new(bus, pit, clock);
	ck_assert_ptr_nonnull(port);
	nmi = false;
	port61_connect_nmi(port, (struct irq_line) { nmi_set, NULL, 0 });
}

static void teardown(void)
{
	port61_free(port);
	i8254_free(pit);
	clock_free(clock);
	bus_free(bus);
}

START_TEST(low_nibble_is_kept)
{
	for (unsigned value = 0; value < 256; value++) {
		out(value);
		ck_assert_uint_eq(in() & 0x0f, value & 0x0f);
	}
}
END_TEST

START_TEST(bit_0_is_gate_2)
{
	ck_assert(!i8254_gate(pit, 2));
	out(0x01);
	ck_assert(i8254_gate(pit, 2));
	out(0x02);
	ck_assert(!i8254_gate(pit, 2));
}
END_TEST

START_TEST(bit_5_is_out_2)
{
	bus_write(bus, 0x43, 1, 0xb0);
	ck_assert(!(in() & 0x20));
	out(0x01);
	bus_write(bus, 0x42, 1, 100);
	bus_write(bus, 0x42, 1, 0);
	go(clock_ticks_to_ns(100, I8254_HZ));
	ck_assert(!(in() & 0x20));
	go(2000);
	ck_assert(in() & 0x20);
}
END_TEST

START_TEST(bit_4_toggles_every_15_us)
{
	for (unsigned i = 0; i < 200; i++) {
		go(clock_ticks_to_ns(18 * i, I8254_HZ) - clock_now(clock));
		ck_assert_uint_eq(in() >> 4 & 1, i & 1);
		go(15000);
		ck_assert_uint_eq(in() >> 4 & 1, i & 1);
	}
}
END_TEST

START_TEST(nmi_sources_latch_and_are_cleared_by_their_bits)
{
	static const struct {
		enum port61_input input;
		unsigned seen, disable;
	} rows[] = { { PORT61_IOCHK, 0x40, 0x08 }, { PORT61_SERR, 0x80, 0x04 } };
	for (unsigned i = 0; i < 2; i++) {
		raise_input(rows[i].input, true);
		ck_assert(nmi);
		raise_input(rows[i].input, false);
		ck_assert(nmi);
		ck_assert_uint_eq(in() & 0xc0, rows[i].seen);
		out(0x0c & ~rows[i].disable);
		ck_assert_uint_eq(in() & 0xc0, rows[i].seen);
		out(rows[i].disable);
		ck_assert_uint_eq(in() & 0xc0, 0);
		ck_assert(!nmi);
		raise_input(rows[i].input, true);
		ck_assert(!nmi);
		out(0); /* still there */
		ck_assert(nmi);
		raise_input(rows[i].input, false);
		out(0x0c);
		out(0);
		ck_assert(!nmi);
	}
}
END_TEST

START_TEST(speaker_is_data_and_out_2)
{
	bus_write(bus, 0x43, 1, 0xb6);
	ck_assert(!port61_speaker(port));
	out(0x02);
	ck_assert(port61_speaker(port));
	bus_write(bus, 0x43, 1, 0xb0);
	ck_assert(!port61_speaker(port));
}
END_TEST

START_TEST(reset_clears_all)
{
	out(0x03);
	raise_input(PORT61_SERR, true);
	raise_input(PORT61_SERR, false);
	port61_reset(port);
	ck_assert_uint_eq(in() & ~0x30u, 0);
	ck_assert(!i8254_gate(pit, 2));
	ck_assert(!nmi);
}
END_TEST

static struct snap *saved(void)
{
	struct snap *save = snap_new_save();
	port61_state(port, save);
	return save;
}

START_TEST(state_survives)
{
	out(0x07);
	raise_input(PORT61_IOCHK, true);
	struct snap *save = saved();
	size_t size;
	const void *data = snap_data(save, &size);
	raise_input(PORT61_IOCHK, false);
	port61_reset(port);
	struct snap *load = snap_new_load(data, size);
	port61_state(port, load);
	ck_assert_ptr_null(snap_error(load));
	ck_assert_uint_eq(in() & ~0x30u, 0x47);
	ck_assert(nmi);
	snap_free(load);
	snap_free(save);
}
END_TEST

START_TEST(impossible_state_is_refused)
{
	struct snap *save = saved();
	size_t size;
	const uint8_t *data = snap_data(save, &size);
	uint8_t broken[1024];
	ck_assert_uint_le(size, sizeof broken);
	unsigned refused = 0;
	for (size_t i = 0; i < size; i++) {
		memcpy(broken, data, size);
		broken[i] ^= 0x30;
		struct snap *load = snap_new_load(broken, size);
		port61_state(port, load);
		refused += snap_error(load) != NULL;
		snap_free(load);
		ck_assert_uint_eq(in() & 0xc0, 0);
	}
	ck_assert_uint_ge(refused, 2);
	snap_free(save);
}
END_TEST

Suite *suite_port61(void)
{
	Suite *suite = suite_create("port61");
	TCase *bits = tcase_create("bits");
	tcase_add_checked_fixture(bits, setup, teardown);
	tcase_add_test(bits, low_nibble_is_kept);
	tcase_add_test(bits, bit_0_is_gate_2);
	tcase_add_test(bits, bit_5_is_out_2);
	tcase_add_test(bits, bit_4_toggles_every_15_us);
	tcase_add_test(bits, nmi_sources_latch_and_are_cleared_by_their_bits);
	tcase_add_test(bits, speaker_is_data_and_out_2);
	suite_add_tcase(suite, bits);
	TCase *life = tcase_create("life");
	tcase_add_checked_fixture(life, setup, teardown);
	tcase_add_test(life, reset_clears_all);
	tcase_add_test(life, state_survives);
	tcase_add_test(life, impossible_state_is_refused);
	suite_add_tcase(suite, life);
	return suite;
}
