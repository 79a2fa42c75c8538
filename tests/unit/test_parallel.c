#include "devmodel/parallel.h"

#include <check.h>

#define PORT 0x378
enum { DATA, STATUS, CONTROL };

static struct bus *bus;
static struct clock *clk;
static struct chardev *chardev;
static struct parallel *parallel;
static bool irq;

static void set_irq(void *owner, unsigned n, bool level)
{
	(void)owner, (void)n;
	irq = level;
}

static uint8_t in(unsigned reg)
{
	return (uint8_t)bus_read(bus, (uint16_t)(PORT + reg), 1);
}

static void out(unsigned reg, uint8_t value)
{
	bus_write(bus, (uint16_t)(PORT + reg), 1, value);
}

static void wait_ns(uint64_t ns)
{
	clock_wait_until(clk, clock_now(clk) + ns);
	clock_run_due(clk);
}

static void setup(void)
{
	char *error = NULL;
	bus = bus_new();
	clk = clock_new(CLOCK_KIND_VIRTUAL);
	chardev = chardev_new("memory", &error);
	irq = false;
	parallel = parallel_new(bus, PORT, (struct irq_line){ .set = set_irq }, clk, chardev);
}

static void teardown(void)
{
	parallel_free(parallel);
	chardev_free(chardev);
	clock_free(clk);
	bus_free(bus);
}

static void strobe(uint8_t byte, uint8_t control)
{
	out(DATA, byte);
	out(CONTROL, control | 1);
	out(CONTROL, control);
}

START_TEST(registers)
{
	out(DATA, 0xaa); /* how a BIOS looks for the port */
	ck_assert_uint_eq(in(DATA), 0xaa);
	ck_assert_uint_eq(in(STATUS), 0xdf);
	ck_assert_uint_eq(in(CONTROL), 0xec);
	out(CONTROL, 0x1e);
	ck_assert_uint_eq(in(CONTROL), 0xfe);
	out(STATUS, 0);
	ck_assert_uint_eq(in(STATUS), 0xdf);
}
END_TEST

START_TEST(strobe_prints)
{
	out(DATA, 'A');
	ck_assert_uint_eq(chardev_captured(chardev)->len, 0);
	out(CONTROL, 0x0d);
	ck_assert_str_eq(chardev_captured(chardev)->str, "A");
	out(CONTROL, 0x0d); /* no new edge */
	out(CONTROL, 0x0c);
	ck_assert_str_eq(chardev_captured(chardev)->str, "A");
	strobe('B', 0x0c);
	ck_assert_str_eq(chardev_captured(chardev)->str, "AB");
	strobe('C', 0x08); /* printer held in reset */
	ck_assert_str_eq(chardev_captured(chardev)->str, "AB");
}
END_TEST

START_TEST(busy_and_ack)
{
	strobe('A', 0x0c);
	ck_assert_uint_eq(in(STATUS) & 0xc0, 0x40);
	wait_ns(PARALLEL_BUSY_NS);
	ck_assert_uint_eq(in(STATUS) & 0xc0, 0x00);
	wait_ns(PARALLEL_ACK_NS);
	ck_assert_uint_eq(in(STATUS) & 0xc0, 0xc0);
	ck_assert(!irq);
}
END_TEST

static void print(uint8_t byte, uint8_t control)
{
	strobe(byte, control);
	wait_ns(PARALLEL_BUSY_NS);
	wait_ns(PARALLEL_ACK_NS);
}

START_TEST(interrupt)
{
	print('A', 0x1c);
	ck_assert(irq);
	ck_assert_uint_eq(in(STATUS), 0xdb); /* -IRQ */
	ck_assert(!irq);
	ck_assert_uint_eq(in(STATUS), 0xdf);
	print('B', 0x1c);
	out(CONTROL, 0x0c);
	ck_assert(!irq);
}
END_TEST

START_TEST(state_survives)
{
	out(DATA, 'A');
	out(CONTROL, 0x1d);
	struct snap *save = snap_new_save();
	parallel_state(parallel, save);
	size_t size;
	const void *data = snap_data(save, &size);
	parallel_reset(parallel);
	ck_assert_uint_eq(in(CONTROL), 0xec);
	struct snap *load = snap_new_load(data, size);
	parallel_state(parallel, load);
	ck_assert_ptr_null(snap_error(load));
	ck_assert_uint_eq(in(CONTROL), 0xfd);
	ck_assert_uint_eq(in(STATUS) & 0x80, 0);
	wait_ns(PARALLEL_BUSY_NS);
	wait_ns(PARALLEL_ACK_NS);
	ck_assert(irq);
	snap_free(load);
	snap_free(save);
}
END_TEST

Suite *suite_parallel(void)
{
	Suite *suite = suite_create("parallel");
	TCase *tcase = tcase_create("parallel");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, registers);
	tcase_add_test(tcase, strobe_prints);
	tcase_add_test(tcase, busy_and_ack);
	tcase_add_test(tcase, interrupt);
	tcase_add_test(tcase, state_survives);
	suite_add_tcase(suite, tcase);
	return suite;
}
