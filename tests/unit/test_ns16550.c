#include "devmodel/ns16550.h"

#include <check.h>
#include <string.h>

#define PORT 0x3f8
enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR };

#define CHARACTER_NS 86806u /* 10 bits at 115,200 baud, rounded up */

static struct bus *bus;
static struct clock *clk;
static struct chardev *chardev;
static struct ns16550 *uart;
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

static void type(const char *text)
{
	chardev_feed(chardev, text, strlen(text));
}

static void setup(void)
{
	char *error = NULL;
	bus = bus_new();
	clk = clock_new(CLOCK_KIND_VIRTUAL);
	chardev = chardev_new("memory", &error);
	irq = false;
	uart = ns16550_new(bus, PORT, (struct irq_line){ .set = set_irq }, clk, chardev);
	out(LCR, 0x83);
	out(DATA, 1);
	out(IER, 0);
	out(LCR, 0x03);
	out(MCR, 0x0b); /* DTR, RTS, OUT2 */
}

static void teardown(void)
{
	ns16550_free(uart);
	chardev_free(chardev);
	clock_free(clk);
	bus_free(bus);
}

START_TEST(reset_values)
{
	out(IER, 0x0f);
	out(IIR, 0xc1);
	type("abc");
	ns16550_reset(uart);
	ck_assert(!irq);
	ck_assert_uint_eq(in(IER), 0);
	ck_assert_uint_eq(in(IIR), 0x01);
	ck_assert_uint_eq(in(LCR), 0);
	ck_assert_uint_eq(in(MCR), 0);
	ck_assert_uint_eq(in(LSR), 0x60);
	ck_assert_uint_eq(in(MSR), 0xb0);
}
END_TEST

START_TEST(registers_keep_their_bits)
{
	out(SCR, 0xa5);
	ck_assert_uint_eq(in(SCR), 0xa5);
	out(IER, 0xff);
	ck_assert_uint_eq(in(IER), 0x0f);
	out(MCR, 0xff);
	ck_assert_uint_eq(in(MCR), 0x1f);
	out(LCR, 0x9a);
	out(DATA, 0x34);
	out(IER, 0x12);
	ck_assert_uint_eq(in(DATA), 0x34);
	ck_assert_uint_eq(in(IER), 0x12);
	out(LCR, 0x1a);
	ck_assert_uint_eq(in(IER), 0x0f);
	ck_assert_uint_eq(in(LCR), 0x1a);
	out(LSR, 0);
	out(MSR, 0);
	ck_assert_uint_eq(in(LSR) & 0x60, 0x60);
}
END_TEST

START_TEST(transmits)
{
	static const char text[] = "Hello, \xff";
	for (unsigned i = 0; i < sizeof text; i++) {
		out(DATA, (uint8_t)text[i]);
		wait_ns(CHARACTER_NS);
	}
	ck_assert_uint_eq(chardev_captured(chardev)->len, sizeof text);
	ck_assert_mem_eq(chardev_captured(chardev)->str, text, sizeof text);
}
END_TEST

START_TEST(impatient_guest_loses_nothing)
{
	for (unsigned i = 0; i < 40; i++)
		out(DATA, (uint8_t)i);
	ck_assert_uint_eq(chardev_captured(chardev)->len, 40);
}
END_TEST

START_TEST(transmitter_status)
{
	ck_assert_uint_eq(in(LSR), 0x60);
	out(DATA, 'a'); /* goes on into the shift register */
	ck_assert_uint_eq(in(LSR), 0x20);
	out(DATA, 'b');
	ck_assert_uint_eq(in(LSR), 0x00);
	wait_ns(CHARACTER_NS - 10);
	ck_assert_uint_eq(in(LSR), 0x00);
	wait_ns(10);
	ck_assert_uint_eq(in(LSR), 0x20);
	wait_ns(CHARACTER_NS);
	ck_assert_uint_eq(in(LSR), 0x60);
}
END_TEST

START_TEST(character_time)
{
	static const struct {
		uint8_t lcr;
		unsigned bits;
	} formats[] = { { 0x00, 7 }, { 0x03, 10 }, { 0x1a, 10 }, { 0x1f, 12 } };
	for (unsigned i = 0; i < 4; i++) {
		out(LCR, 0x80);
		out(DATA, 0x80); /* 900 baud */
		out(IER, 0x00);
		out(LCR, formats[i].lcr);
		out(DATA, 0);
		uint64_t ns = formats[i].bits * 1000000000ull / 900;
		wait_ns(ns - 100);
		ck_assert_uint_eq(in(LSR), 0x20);
		wait_ns(200);
		ck_assert_uint_eq(in(LSR), 0x60);
	}
	out(LCR, 0x80);
	out(DATA, 0); /* no division by zero, and an end */
	out(LCR, 0x03);
	out(DATA, 0);
	wait_ns(CHARACTER_NS);
	ck_assert_uint_eq(in(LSR), 0x60);
}
END_TEST

START_TEST(thre_interrupt)
{
	out(IER, 0x02); /* THR is empty: at once */
	ck_assert(irq);
	ck_assert_uint_eq(in(IIR), 0x02);
	ck_assert(!irq); /* reading IIR clears it */
	ck_assert_uint_eq(in(IIR), 0x01);
	out(DATA, 'a');
	ck_assert(irq); /* moved on */
	out(DATA, 'b');
	ck_assert(!irq); /* writing THR clears it */
	wait_ns(CHARACTER_NS);
	ck_assert(irq);
	ck_assert_uint_eq(in(IIR), 0x02);
	wait_ns(CHARACTER_NS);
	ck_assert(!irq);
}
END_TEST

START_TEST(thre_interrupt_with_fifo)
{
	out(IIR, 0x01);
	out(IER, 0x02);
	in(IIR);
	for (unsigned i = 0; i < 17; i++) /* one is in the shift register */
		out(DATA, 'x');
	in(IIR);
	ck_assert_uint_eq(in(LSR), 0);
	wait_ns(CHARACTER_NS);
	for (unsigned i = 0; i < 15; i++) {
		ck_assert(!irq);
		ck_assert_uint_eq(in(LSR), 0);
		wait_ns(CHARACTER_NS);
	}
	ck_assert(irq);
	ck_assert_uint_eq(in(LSR), 0x20);
	ck_assert_uint_eq(in(IIR), 0xc2);
}
END_TEST

START_TEST(receives)
{
	out(IER, 0x01);
	ck_assert(!irq);
	type("ab");
	ck_assert(irq);
	ck_assert_uint_eq(in(LSR) & 1, 1);
	ck_assert_uint_eq(in(IIR), 0x04);
	ck_assert_uint_eq(in(DATA), 'a');
	ck_assert(!irq);
	ck_assert_uint_eq(in(LSR) & 1, 0);
	chardev_poll(chardev); /* 'b' waited, without FIFO there is room for one */
	ck_assert_uint_eq(in(DATA), 'b');
	ck_assert_uint_eq(in(LSR), 0x60); /* no overrun */
}
END_TEST

START_TEST(fifo_trigger_levels)
{
	static const uint8_t levels[] = { 1, 4, 8, 14 };
	out(IER, 0x01);
	for (unsigned i = 0; i < 4; i++) {
		out(IIR, (uint8_t)(i << 6 | 0x07));
		for (unsigned j = 1; j < levels[i]; j++) {
			type("x");
			ck_assert(!irq);
		}
		type("x");
		ck_assert(irq);
		ck_assert_uint_eq(in(IIR), 0xc4);
		in(DATA);
		ck_assert(!irq);
	}
}
END_TEST

START_TEST(fifo_takes_sixteen)
{
	out(IIR, 0x01);
	type("0123456789abcdefXYZ");
	for (unsigned i = 0; i < 16; i++)
		ck_assert_uint_eq(in(DATA), (uint8_t)"0123456789abcdef"[i]);
	ck_assert_uint_eq(in(LSR), 0x60);
	chardev_poll(chardev);
	ck_assert_uint_eq(in(DATA), 'X');
}
END_TEST

START_TEST(character_timeout)
{
	out(IIR, 0xc1);
	out(IER, 0x01);
	type("ab");
	wait_ns(4 * CHARACTER_NS - 100);
	ck_assert(!irq);
	wait_ns(100);
	ck_assert(irq);
	ck_assert_uint_eq(in(IIR), 0xcc);
	ck_assert_uint_eq(in(DATA), 'a');
	ck_assert(!irq);
	wait_ns(4 * CHARACTER_NS);
	ck_assert_uint_eq(in(IIR), 0xcc);
	in(DATA);
	wait_ns(10 * CHARACTER_NS);
	ck_assert(!irq);
}
END_TEST

START_TEST(fifo_resets)
{
	out(IIR, 0x01);
	type("abc");
	out(IIR, 0x03);
	ck_assert_uint_eq(in(LSR) & 1, 0);
	out(DATA, 1);
	out(DATA, 2);
	ck_assert_uint_eq(in(LSR) & 0x20, 0);
	out(IIR, 0x05);
	ck_assert_uint_eq(in(LSR) & 0x20, 0x20);
	type("abc");
	out(IIR, 0x00); /* switching FIFOs off clears them as well */
	ck_assert_uint_eq(in(LSR) & 1, 0);
	ck_assert_uint_eq(in(IIR), 0x01);
	out(IIR, 0xc0); /* without the enable bit nothing counts */
	ck_assert_uint_eq(in(IIR), 0x01);
}
END_TEST

static void loop(uint8_t byte)
{
	out(DATA, byte);
	wait_ns(CHARACTER_NS);
}

START_TEST(loopback_data)
{
	out(MCR, 0x1b);
	loop(0xa5);
	ck_assert_uint_eq(in(LSR), 0x61);
	ck_assert_uint_eq(in(DATA), 0xa5);
	ck_assert_uint_eq(chardev_captured(chardev)->len, 0);
	out(LCR, 0x00); /* five bits */
	loop(0xff);
	ck_assert_uint_eq(in(DATA), 0x1f);
	type("z"); /* the outside is cut off, and kept waiting */
	ck_assert_uint_eq(in(LSR) & 1, 0);
	out(MCR, 0x0b);
	chardev_poll(chardev);
	ck_assert_uint_eq(in(DATA), 'z');
}
END_TEST

START_TEST(overrun)
{
	out(MCR, 0x18);
	out(IER, 0x04);
	loop('a');
	loop('b');
	ck_assert(irq);
	ck_assert_uint_eq(in(IIR), 0x06);
	ck_assert_uint_eq(in(LSR), 0x63);
	ck_assert(!irq);
	ck_assert_uint_eq(in(LSR), 0x61);
	ck_assert_uint_eq(in(DATA), 'b'); /* the older one is overwritten */
	out(IIR, 0x01);
	for (unsigned i = 0; i < 17; i++)
		loop((uint8_t)i);
	ck_assert_uint_eq(in(LSR), 0x63);
	for (unsigned i = 0; i < 16; i++) /* the FIFO keeps the older ones */
		ck_assert_uint_eq(in(DATA), i);
}
END_TEST

START_TEST(break_character)
{
	out(MCR, 0x18);
	out(IIR, 0x01);
	loop('a');
	out(LCR, 0x43);
	out(LCR, 0x03);
	ck_assert_uint_eq(in(LSR), 0xe1); /* somewhere in the FIFO */
	ck_assert_uint_eq(in(DATA), 'a');
	ck_assert_uint_eq(in(LSR), 0xf1); /* and now it is next */
	ck_assert_uint_eq(in(LSR), 0x61);
	ck_assert_uint_eq(in(DATA), 0);
	out(MCR, 0x08);
	out(LCR, 0x43); /* the line is held: nothing gets out */
	out(DATA, 'x');
	ck_assert_uint_eq(chardev_captured(chardev)->len, 0);
}
END_TEST

START_TEST(modem_loopback)
{
	static const struct {
		uint8_t mcr, msr;
	} rows[] = { { 0x01, 0x20 }, { 0x02, 0x10 }, { 0x04, 0x40 }, { 0x08, 0x80 } };
	for (unsigned i = 0; i < 4; i++) {
		out(MCR, 0x10 | rows[i].mcr);
		ck_assert_uint_eq(in(MSR) & 0xf0, rows[i].msr);
	}
	out(MCR, 0x18);
	out(IER, 0x08);
	in(MSR);
	ck_assert(!irq);
	out(MCR, 0x1a); /* CTS rises */
	ck_assert(irq);
	ck_assert_uint_eq(in(IIR), 0x00);
	ck_assert_uint_eq(in(MSR), 0x91);
	ck_assert(!irq);
	ck_assert_uint_eq(in(MSR), 0x90);
	out(MCR, 0x1e); /* RI rises: not noted */
	ck_assert_uint_eq(in(MSR), 0xd0);
	out(MCR, 0x1a); /* RI ends */
	ck_assert_uint_eq(in(MSR), 0x94);
}
END_TEST

START_TEST(priorities)
{
	out(MCR, 0x18);
	loop('a');
	loop('b'); /* overrun */
	in(MSR);
	out(MCR, 0x19);
	out(IER, 0x0f);
	ck_assert_uint_eq(in(IIR), 0x06);
	in(LSR);
	ck_assert_uint_eq(in(IIR), 0x04);
	in(DATA);
	ck_assert_uint_eq(in(IIR), 0x02);
	ck_assert_uint_eq(in(IIR), 0x00);
	ck_assert(irq);
	in(MSR);
	ck_assert_uint_eq(in(IIR), 0x01);
	ck_assert(!irq);
}
END_TEST

START_TEST(out2_gates_the_interrupt)
{
	out(MCR, 0x03);
	out(IER, 0x01);
	type("a");
	ck_assert(!irq);
	ck_assert_uint_eq(in(IIR), 0x04);
	out(MCR, 0x0b);
	ck_assert(irq);
}
END_TEST

static const char *load(const void *data, size_t size)
{
	struct snap *snap = snap_new_load(data, size);
	ns16550_state(uart, snap);
	bool good = !snap_error(snap);
	snap_free(snap);
	return good ? NULL : "refused";
}

START_TEST(state_survives)
{
	out(IIR, 0x81);
	out(IER, 0x01);
	type("abc");
	out(DATA, 'x');
	out(SCR, 0x77);
	struct snap *save = snap_new_save();
	ns16550_state(uart, save);
	size_t size;
	const void *data = snap_data(save, &size);
	ns16550_reset(uart);
	ck_assert_ptr_null(load(data, size));
	ck_assert_uint_eq(in(SCR), 0x77);
	ck_assert_uint_eq(in(LSR), 0x21);
	wait_ns(4 * CHARACTER_NS);
	ck_assert_uint_eq(in(LSR), 0x61);
	ck_assert_uint_eq(in(IIR), 0xcc);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_uint_eq(in(DATA), (uint8_t)"abc"[i]);
	for (size_t i = 0; i < size; i++) { /* a damaged one does no harm */
		uint8_t *bad = g_memdup2(data, size);
		bad[i] ^= 0xff;
		load(bad, size);
		type("0123456789abcdef");
		for (unsigned j = 0; j < 20; j++) {
			out(DATA, 'x');
			in(DATA);
			in(LSR);
		}
		g_free(bad);
	}
	snap_free(save);
}
END_TEST

Suite *suite_ns16550(void)
{
	Suite *suite = suite_create("ns16550");
	TCase *tcase = tcase_create("ns16550");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, reset_values);
	tcase_add_test(tcase, registers_keep_their_bits);
	tcase_add_test(tcase, transmits);
	tcase_add_test(tcase, impatient_guest_loses_nothing);
	tcase_add_test(tcase, transmitter_status);
	tcase_add_test(tcase, character_time);
	tcase_add_test(tcase, thre_interrupt);
	tcase_add_test(tcase, thre_interrupt_with_fifo);
	tcase_add_test(tcase, receives);
	tcase_add_test(tcase, fifo_trigger_levels);
	tcase_add_test(tcase, fifo_takes_sixteen);
	tcase_add_test(tcase, character_timeout);
	tcase_add_test(tcase, fifo_resets);
	tcase_add_test(tcase, loopback_data);
	tcase_add_test(tcase, overrun);
	tcase_add_test(tcase, break_character);
	tcase_add_test(tcase, modem_loopback);
	tcase_add_test(tcase, priorities);
	tcase_add_test(tcase, out2_gates_the_interrupt);
	tcase_add_test(tcase, state_survives);
	suite_add_tcase(suite, tcase);
	return suite;
}
