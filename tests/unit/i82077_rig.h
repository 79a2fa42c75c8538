/* A floppy controller with its DMA controller and RAM, driven through the ports as
 * a guest would. Drive A holds a 1.44M disk; the reset is over. */
#ifndef V2E_TESTS_UNIT_I82077_RIG_H
#define V2E_TESTS_UNIT_I82077_RIG_H

#include <check.h>
#include <glib.h>
#include <string.h>

#include "devmodel/i82077.h"
#include "devmodel/i8237.h"

#define RAM    (1u << 20)
#define BUFFER 0x30000u
#define SECTORS_144 2880u

enum { DOR = 0x3f2, TDR = 0x3f3, MSR = 0x3f4, DSR = 0x3f4, FIFO = 0x3f5, RIG_DIR = 0x3f7, CCR = 0x3f7 };

static struct bus *bus;
static struct mem *mem;
static struct clock *clk;
static struct i8237 *dma;
static struct i82077 *fdc;
static struct blk *disk;
static bool line;
static unsigned edges;
static uint8_t result[10];

static inline void set_line(void *owner, unsigned n, bool level)
{
	(void)owner, (void)n;
	edges += level && !line;
	line = level;
}

static inline void out(uint16_t port, unsigned value)
{
	bus_write(bus, port, 1, value);
}

static inline uint8_t in(uint16_t port)
{
	return (uint8_t)bus_read(bus, port, 1);
}

static inline void pass_time(void)
{
	clock_wait_until(clk, clock_now(clk) + 1000000);
	clock_run_due(clk);
}

static inline void expect_irq(void)
{
	pass_time();
	ck_assert_uint_eq(edges, 1);
	ck_assert(line);
	edges = 0;
}

static inline void expect_no_irq(void)
{
	pass_time();
	ck_assert_uint_eq(edges, 0);
}

static inline void send(const uint8_t *bytes, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		ck_assert_uint_eq(in(MSR) & 0xc0, 0x80);
		ck_assert_uint_eq(in(MSR) & 0x10, i ? 0x10 : 0);
		out(FIFO, bytes[i]);
	}
}

#define SEND(...) send((const uint8_t[]){ __VA_ARGS__ }, sizeof (const uint8_t[]){ __VA_ARGS__ })

static inline void receive(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		ck_assert_uint_eq(in(MSR) & 0xd0, 0xd0);
		result[i] = in(FIFO);
	}
	ck_assert_uint_eq(in(MSR) & 0xd0, 0x80);
}

static inline void expect_result(unsigned st0, unsigned st1, unsigned st2, unsigned c, unsigned h, unsigned r)
{
	const uint8_t expected[7] = { (uint8_t)st0, (uint8_t)st1, (uint8_t)st2, (uint8_t)c, (uint8_t)h, (uint8_t)r, 2 };
	expect_irq();
	receive(7);
	ck_assert(!line);
	for (unsigned i = 0; i < 7; i++)
		ck_assert_msg(result[i] == expected[i], "result %u is %02x, not %02x", i, result[i], expected[i]);
}

static inline void sense(unsigned st0, unsigned pcn)
{
	SEND(0x08);
	receive(2);
	ck_assert_uint_eq(result[0], st0);
	ck_assert_uint_eq(result[1], pcn);
}

static inline void seek_to(unsigned cylinder)
{
	SEND(0x0f, 0, (uint8_t)cylinder);
	expect_irq();
	sense(0x20, cylinder);
}

/* Channel 2, single mode: `mode` 46h to memory, 4Ah from memory. */
static inline void program_dma(unsigned mode, unsigned size)
{
	out(0xd6, 0xc0);
	out(0xd4, 0x00);
	out(0x0a, 0x06);
	out(0x0c, 0);
	out(0x0b, mode);
	out(0x04, BUFFER & 0xff);
	out(0x04, BUFFER >> 8 & 0xff);
	out(0x81, BUFFER >> 16);
	out(0x05, (size - 1) & 0xff);
	out(0x05, (size - 1) >> 8);
	out(0x0a, 0x02);
}

static inline uint8_t pattern(uint32_t sector, unsigned i)
{
	return (uint8_t)(sector * 5 + i / 3);
}

static inline struct blk *make_disk(uint32_t sectors, bool read_only)
{
	struct blk *blk = blk_memory_new(sectors * 512, read_only);
	for (uint32_t i = 0; i < sectors * 512; i++)
		blk_memory_data(blk)[i] = pattern(i / 512, i % 512);
	return blk;
}

static inline void put_disk(uint32_t sectors, bool read_only)
{
	disk = make_disk(sectors, read_only);
	ck_assert_ptr_null(i82077_insert(fdc, 0, disk));
}

static inline void leave_reset(void)
{
	out(DOR, 0x00);
	out(DOR, 0x1c);
	expect_irq();
	for (unsigned unit = 0; unit < 4; unit++)
		sense(0xc0 | unit, 0);
	SEND(0x03, 0xaf, 0x02);
	out(CCR, 0);
}

static inline void setup(void)
{
	bus = bus_new();
	mem = mem_new();
	clk = clock_new(CLOCK_KIND_VIRTUAL);
	struct mem_store *ram = mem_store_new(mem, "ram", RAM);
	mem_region_enable(mem_region_new(mem, "ram", MEM_PRIORITY_RAM, MEM_REGION_READS | MEM_REGION_WRITES, ram, 0, RAM), 0);
	dma = i8237_new(bus, mem);
	line = false;
	edges = 0;
	fdc = i82077_new(bus, dma, (struct irq_line){ set_line, NULL, 6 }, clk);
	put_disk(SECTORS_144, false);
	leave_reset();
}

static inline void teardown(void)
{
	i82077_free(fdc);
	i8237_free(dma);
	clock_free(clk);
	mem_free(mem);
	bus_free(bus);
}

static inline void expect_memory(uint32_t first, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		ck_assert_uint_eq(mem_read(mem, BUFFER + i, 1), pattern(first + i / 512, i % 512));
}

static inline void fill_memory(unsigned size, uint8_t value)
{
	for (unsigned i = 0; i < size; i++)
		mem_write(mem, BUFFER + i, 1, value);
}

#endif
