/* Both 8237A on a bus of their own with 1 MiB of RAM, the cascade set up as a
 * BIOS does. Each file that includes this has its own. */
#ifndef V2E_TESTS_UNIT_I8237_RIG_H
#define V2E_TESTS_UNIT_I8237_RIG_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "devmodel/i8237.h"

#define RAM_SIZE 0x100000u
#define PATTERN(i) ((uint8_t)((i) * 7 + 3))

static struct bus *bus;
static struct mem *mem;
static uint8_t *ram;
static struct i8237 *dma;
static bool tc;
static uint8_t buffer[0x20000];

static inline void out(uint16_t port, unsigned value)
{
	bus_write(bus, port, 1, value);
}

static inline unsigned in(uint16_t port)
{
	return bus_read(bus, port, 1);
}

/* Port of a register (0-15) of the controller of a channel. */
static inline uint16_t port_of(unsigned channel, unsigned reg)
{
	return (uint16_t)(channel < 4 ? reg : 0xc0 + 2 * reg);
}

static inline void out_word(unsigned channel, unsigned reg, unsigned value)
{
	out(port_of(channel, 12), 0);
	out(port_of(channel, reg), value & 0xff);
	out(port_of(channel, reg), value >> 8);
}

static inline unsigned in_word(unsigned channel, unsigned reg)
{
	out(port_of(channel, 12), 0);
	unsigned low = in(port_of(channel, reg));
	return low | in(port_of(channel, reg)) << 8;
}

static inline unsigned address_of(unsigned channel)
{
	return in_word(channel, (channel & 3) * 2);
}

static inline unsigned count_of(unsigned channel)
{
	return in_word(channel, (channel & 3) * 2 + 1);
}

static inline void mask(unsigned channel, bool set)
{
	out(port_of(channel, 10), (channel & 3) | (set ? 4 : 0));
}

static inline void mode(unsigned channel, unsigned bits)
{
	out(port_of(channel, 11), bits | (channel & 3));
}

/* `address` and `count` as the registers have them: in words for 5-7. */
static inline void program(unsigned channel, unsigned bits, unsigned page, unsigned address, unsigned count)
{
	static const uint16_t pages[] = { 0x87, 0x83, 0x81, 0x82, 0x8f, 0x8b, 0x89, 0x8a };
	mask(channel, true);
	mode(channel, bits);
	out(pages[channel], page);
	out_word(channel, (channel & 3) * 2, address);
	out_word(channel, (channel & 3) * 2 + 1, count);
	mask(channel, false);
}

static inline size_t to_memory(unsigned channel, size_t size)
{
	for (size_t i = 0; i < size; i++)
		buffer[i] = PATTERN(i);
	return i8237_transfer(dma, channel, buffer, size, true, &tc);
}

static inline size_t from_memory(unsigned channel, size_t size)
{
	memset(buffer, 0, sizeof buffer);
	return i8237_transfer(dma, channel, buffer, size, false, &tc);
}

static inline void setup(void)
{
	bus = bus_new();
	mem = mem_new();
	ck_assert_ptr_nonnull(mem);
	struct mem_store *store = mem_store_new(mem, "ram", RAM_SIZE);
	ram = mem_store_data(store);
	struct mem_region *region = mem_region_new(mem, "ram", MEM_PRIORITY_RAM, MEM_REGION_READS | MEM_REGION_WRITES,
	                                           store, 0, RAM_SIZE);
	mem_region_enable(region, 0);
	dma = i8237_new(bus, mem);
	ck_assert_ptr_nonnull(dma);
	out(0xd6, 0xc0);
	out(0xd4, 0x00);
}

static inline void teardown(void)
{
	i8237_free(dma);
	mem_free(mem);
	bus_free(bus);
}

/* Loop index -> a channel that a device can have. */
static inline unsigned channel_of(int i)
{
	return (unsigned)(i < 4 ? i : i + 1);
}

#endif
