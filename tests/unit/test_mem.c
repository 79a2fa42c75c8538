#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "shared/mem.h"

#define PAGE MEM_PAGE_SIZE
#define RW (MEM_REGION_READS | MEM_REGION_WRITES)
#define ROM (MEM_REGION_READS | MEM_REGION_WRITES | MEM_REGION_ROM)

static struct mem *mem;
static struct mem_store *ram, *rom;
static struct mem_region *ram_region;
static char heard[1024]; /* by the listener and the devices */

static void note(const char *what, uint64_t address, uint64_t size)
{
	size_t used = strlen(heard);
	snprintf(heard + used, sizeof heard - used, "%s%llx+%llx ", what, (unsigned long long)address,
	         (unsigned long long)size);
}

static void map_changed(void *owner, uint64_t address, uint64_t size)
{
	(void)owner;
	note("map", address, size);
}

static void code_written(void *owner, uint32_t address, uint32_t size)
{
	(void)owner;
	note("code", address, size);
}

static bool heard_is(const char *expected)
{
	bool same = !strcmp(heard, expected);
	if (!same)
		printf("heard %s, not %s\n", heard, expected);
	heard[0] = '\0';
	return same;
}

static uint64_t device_read(void *owner, uint64_t offset, unsigned size)
{
	(void)owner;
	note("r", offset, size);
	return 0x1122334455667788;
}

static void device_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	(void)owner;
	note("w", offset, size);
	note("=", value, 0);
}

static const struct mem_mmio_ops byte_ops = { "byte", 1, device_read, device_write };
static const struct mem_mmio_ops long_ops = { "long", 4, device_read, device_write };
static const struct mem_mmio_ops deaf_ops = { "deaf", 4, NULL, NULL };

static void setup(void)
{
	static const struct mem_listener listener = { map_changed, code_written, NULL };
	mem = mem_new();
	ck_assert_ptr_nonnull(mem);
	ram = mem_store_new(mem, "ram", 16 * PAGE);
	rom = mem_store_new(mem, "rom", 2 * PAGE);
	memset(mem_store_data(rom), 0x5a, 2 * PAGE);
	ram_region = mem_region_new(mem, "ram", MEM_PRIORITY_RAM, RW, ram, 0, 16 * PAGE);
	mem_region_enable(ram_region, 0);
	mem_listen(mem, &listener);
	heard[0] = '\0';
}

static void teardown(void)
{
	mem_free(mem);
}

static struct mem_region *show(int priority, unsigned flags, struct mem_store *store, uint64_t offset,
                               uint64_t size, uint64_t address)
{
	struct mem_region *region = mem_region_new(mem, "test", priority, flags, store, offset, size);
	ck_assert_ptr_nonnull(region);
	ck_assert_int_eq(mem_region_enable(region, address), 0);
	return region;
}

static struct mem_region *show_mmio(const struct mem_mmio_ops *ops, uint64_t size, uint64_t address)
{
	struct mem_region *region = mem_region_new_mmio(mem, MEM_PRIORITY_VGA, size, ops, NULL);
	ck_assert_int_eq(mem_region_enable(region, address), 0);
	return region;
}

START_TEST(stores)
{
	struct mem_store *odd = mem_store_new(mem, "odd", PAGE + 1);
	struct stat info;
	ck_assert_uint_eq(mem_store_size(odd), 2 * PAGE);
	ck_assert_int_eq(fstat(mem_store_fd(odd), &info), 0);
	ck_assert_int_eq(info.st_size, 2 * PAGE);
	ck_assert_uint_eq(mem_store_data(odd)[2 * PAGE - 1], 0);
	ck_assert_ptr_null(mem_store_new(mem, "none", 0));
	ck_assert_int_eq(errno, EINVAL);
	mem_store_data(odd)[5] = 9;
	uint8_t *elsewhere = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, mem_store_fd(odd), 0);
	ck_assert_uint_eq(elsewhere[5], 9);
	munmap(elsewhere, PAGE);
}
END_TEST

START_TEST(sizes)
{
	mem_write(mem, 0x10, 8, 0x8877665544332211);
	ck_assert_uint_eq(mem_read(mem, 0x10, 1), 0x11);
	ck_assert_uint_eq(mem_read(mem, 0x11, 2), 0x3322);
	ck_assert_uint_eq(mem_read(mem, 0x12, 4), 0x66554433);
	ck_assert_uint_eq(mem_read(mem, 0x10, 8), 0x8877665544332211);
	mem_write(mem, 0x10, 1, 0xffa1);
	mem_write(mem, 0x12, 2, 0xffffb2b3);
	mem_write(mem, 0x14, 4, 0xffffffffc4c5c6c7);
	ck_assert_uint_eq(mem_read(mem, 0x10, 8), 0xc4c5c6c7b2b322a1);
	ck_assert_uint_eq(mem_store_data(ram)[0x10], 0xa1);
	ck_assert_uint_eq(mem->flat[0x10], 0xa1);
}
END_TEST

START_TEST(page_crossing)
{
	for (unsigned size = 2; size <= 8; size *= 2)
		for (unsigned before = 1; before < size; before++) {
			uint64_t at = PAGE - before, value = 0x8796a5b4c3d2e1f0 >> (64 - 8 * size);
			mem_write(mem, at, size, value);
			ck_assert_uint_eq(mem_read(mem, at, size), value);
			ck_assert_mem_eq(mem_store_data(ram) + at, &value, size);
		}
}
END_TEST

START_TEST(past_the_end)
{
	struct mem_store *top = mem_store_new(mem, "top", PAGE);
	show(MEM_PRIORITY_RAM, RW, top, 0, PAGE, MEM_SPACE - PAGE);
	mem_write(mem, MEM_SPACE - 2, 4, 0x44332211);
	ck_assert_uint_eq(mem_read(mem, MEM_SPACE - 2, 4), 0xffff2211);
	ck_assert_uint_eq(mem_read(mem, 0, 4), 0);
	ck_assert_uint_eq(mem_read(mem, MEM_SPACE, 8), UINT64_MAX);
	mem_write(mem, UINT64_MAX, 8, 0);
	ck_assert_uint_eq(mem_read(mem, UINT64_MAX, 8), UINT64_MAX);
	ck_assert_uint_eq(mem_read(mem, 0, 4), 0);
}
END_TEST

START_TEST(nothing_there)
{
	ck_assert_uint_eq(mem_read(mem, 0x20000000, 1), 0xff);
	ck_assert_uint_eq(mem_read(mem, 0x20000000, 4), 0xffffffff);
	mem_write(mem, 0x20000000, 4, 0);
	ck_assert_uint_eq(mem->page[0x20000], 0);
	ck_assert_uint_eq(mem_read(mem, 16 * PAGE - 2, 4), 0xffff0000);
	mem_region_disable(ram_region);
	ck_assert_uint_eq(mem_read(mem, 0, 1), 0xff);
	ck_assert(!mem_can_read(mem, 0));
}
END_TEST

/* --- layers ---------------------------------------------------------------------- */

START_TEST(region_limits)
{
	struct mem_region *region = mem_region_new(mem, "r", 0, RW, ram, 0, PAGE);
	ck_assert_int_eq(mem_region_enable(region, 0x100), -EINVAL);
	ck_assert_ptr_null(mem_region_new(mem, "r", 0, RW, ram, 0x10, PAGE));
	ck_assert_ptr_null(mem_region_new(mem, "r", 0, RW, ram, 0, 16 * PAGE + 1));
	ck_assert_ptr_null(mem_region_new(mem, "r", 0, RW, ram, 17 * PAGE, PAGE));
	ck_assert_ptr_null(mem_region_new(mem, "r", 0, RW, ram, UINT64_MAX & ~(uint64_t)0xfff, PAGE));
	ck_assert_ptr_null(mem_region_new_mmio(mem, 0, 0, &byte_ops, NULL));
	unsigned made = 2;
	while (mem_region_new_mmio(mem, 0, PAGE, &byte_ops, NULL))
		made++;
	ck_assert_int_eq(errno, ENOSPC);
	ck_assert_uint_eq(made, 254);
}
END_TEST

START_TEST(cut_at_the_end)
{
	struct mem_region *region = show(MEM_PRIORITY_RAM, RW, ram, 0, 16 * PAGE, MEM_SPACE - PAGE);
	ck_assert(mem_is_ram(mem, MEM_SPACE - PAGE, PAGE, true));
	ck_assert_int_eq(mem_region_enable(region, MEM_SPACE), 0);
	ck_assert(!mem_is_ram(mem, MEM_SPACE - PAGE, PAGE, true));
	ck_assert_int_eq(mem_region_enable(region, UINT64_MAX & ~(uint64_t)0xfff), 0);
	ck_assert_uint_eq(mem_read(mem, UINT64_MAX - 0xfff, 1), 0xff);
	mem_region_disable(region);
}
END_TEST

START_TEST(priorities)
{
	struct mem_store *other = mem_store_new(mem, "other", 4 * PAGE);
	memset(mem_store_data(other), 7, 4 * PAGE);
	struct mem_region *below = show(MEM_PRIORITY_BAR, RW, other, 0, PAGE, PAGE);
	ck_assert(heard_is(""));
	ck_assert_uint_eq(mem_read(mem, PAGE, 1), 0);
	struct mem_region *equal = show(MEM_PRIORITY_RAM, RW, other, 0, PAGE, PAGE);
	ck_assert_uint_eq(mem_read(mem, PAGE, 1), 7);
	ck_assert_uint_eq(mem_read(mem, 2 * PAGE, 1), 0);
	struct mem_region *above = show(MEM_PRIORITY_ROM, ROM, rom, 0, PAGE, PAGE);
	ck_assert_uint_eq(mem_read(mem, PAGE, 1), 0x5a);
	mem_region_disable(equal);
	ck_assert_uint_eq(mem_read(mem, PAGE, 1), 0x5a);
	mem_region_disable(above);
	ck_assert_uint_eq(mem_read(mem, PAGE, 1), 0);
	mem_region_disable(ram_region);
	ck_assert_uint_eq(mem_read(mem, PAGE, 1), 7);
	mem_region_disable(below);
	ck_assert_uint_eq(mem_read(mem, PAGE, 1), 0xff);
}
END_TEST

START_TEST(rom_swallows_writes)
{
	show(MEM_PRIORITY_ROM, ROM, rom, 0, 2 * PAGE, 4 * PAGE);
	ck_assert_uint_eq(mem->page[4], MEM_READ);
	mem_write(mem, 4 * PAGE, 4, 0);
	mem_write(mem, 5 * PAGE - 2, 4, 0);
	ck_assert_uint_eq(mem_write_bytes(mem, 4 * PAGE, "abcd", 4), 0);
	ck_assert_uint_eq(mem_read(mem, 4 * PAGE, 8), 0x5a5a5a5a5a5a5a5a);
	ck_assert_uint_eq(mem_read(mem, 5 * PAGE - 4, 8), 0x5a5a5a5a5a5a5a5a);
	ck_assert_uint_eq(mem_store_data(ram)[4 * PAGE], 0);
}
END_TEST

/* The four states of a PAM register (82441FX, 3.2.18). */
START_TEST(pam)
{
	uint64_t at = 4 * PAGE;
	show(MEM_PRIORITY_ROM, ROM, rom, 0, PAGE, at);
	mem_store_data(ram)[at] = 0x11;
	struct mem_region *region = show(MEM_PRIORITY_PAM, 0, ram, at, PAGE, at);
	ck_assert_uint_eq(mem_read(mem, at, 1), 0x5a);
	mem_region_set_flags(region, MEM_REGION_WRITES);
	ck_assert_uint_eq(mem_read(mem, at, 1), 0x5a);
	ck_assert_uint_eq(mem->page[4], MEM_READ);
	mem_write(mem, at, 1, 0x22);
	ck_assert_uint_eq(mem_read(mem, at, 1), 0x5a);
	ck_assert_uint_eq(mem_store_data(ram)[at], 0x22);
	ck_assert_uint_eq(mem_write_bytes(mem, at, "\x33", 1), 1);
	ck_assert_uint_eq(mem_store_data(ram)[at], 0x33);
	mem_region_set_flags(region, MEM_REGION_READS);
	ck_assert_uint_eq(mem_read(mem, at, 1), 0x33);
	mem_write(mem, at, 1, 0x44);
	ck_assert_uint_eq(mem_read(mem, at, 1), 0x33);
	mem_region_set_flags(region, RW);
	ck_assert_uint_eq(mem->page[4], MEM_READ | MEM_WRITE);
	mem_write(mem, at, 1, 0x44);
	ck_assert_uint_eq(mem->flat[at], 0x44);
	heard[0] = '\0';
	mem_region_set_flags(region, RW | MEM_REGION_ROM);
	ck_assert(heard_is("map4000+1000 "));
	mem_write(mem, at, 1, 0x55);
	ck_assert_uint_eq(mem_read(mem, at, 1), 0x44);
	ck_assert_uint_eq(mem->page[4], MEM_READ);
}
END_TEST

/* --- MMIO ------------------------------------------------------------------------- */

START_TEST(mmio_is_split)
{
	show_mmio(&byte_ops, 2 * PAGE, 0xa0000);
	ck_assert_uint_eq(mem_read(mem, 0xa0010, 2), 0x8888);
	mem_write(mem, 0xa0fff, 2, 0xb1b0);
	ck_assert(heard_is("mapa0000+2000 r10+1 r11+1 wfff+1 =b0+0 w1000+1 =b1+0 "));
	show_mmio(&long_ops, PAGE, 0xb0000);
	heard[0] = '\0';
	ck_assert_uint_eq(mem_read(mem, 0xb0000, 8), 0x5566778855667788);
	mem_write(mem, 0xb0002, 2, 0xff1234);
	ck_assert(heard_is("r0+4 r4+4 w2+2 =1234+0 "));
}
END_TEST

START_TEST(mmio_beside_memory)
{
	show_mmio(&long_ops, PAGE, 2 * PAGE);
	mem_write(mem, PAGE, 8, 0);
	heard[0] = '\0';
	/* Three bytes of RAM, five of the device: 4 + 1. */
	mem_write(mem, 2 * PAGE - 3, 8, 0x8877665544332211);
	ck_assert(heard_is("w0+4 =77665544+0 w4+1 =88+0 "));
	ck_assert_uint_eq(mem_read(mem, 2 * PAGE - 4, 4), 0x33221100);
	/* One byte of the device, then RAM. */
	mem_store_data(ram)[3 * PAGE] = 0x99;
	ck_assert_uint_eq(mem_read(mem, 3 * PAGE - 1, 2), 0x9988);
	ck_assert(heard_is("rfff+1 "));
}
END_TEST

START_TEST(mmio_without_calls)
{
	show_mmio(&deaf_ops, PAGE, 0);
	ck_assert_uint_eq(mem_read(mem, 0, 4), 0xffffffff);
	mem_write(mem, 0, 4, 1);
	ck_assert_uint_eq(mem_store_data(ram)[0], 0);
	ck_assert_uint_eq(mem->page[0], 0);
}
END_TEST

START_TEST(dma)
{
	static uint8_t from[3 * PAGE], to[3 * PAGE];
	for (unsigned n = 0; n < sizeof from; n++)
		from[n] = (uint8_t)(n * 7 + 1);
	ck_assert_uint_eq(mem_write_bytes(mem, 0x123, from, sizeof from), sizeof from);
	ck_assert_uint_eq(mem_read_bytes(mem, 0x123, to, sizeof to), sizeof to);
	ck_assert_mem_eq(to, from, sizeof to);
	show_mmio(&byte_ops, PAGE, PAGE);
	heard[0] = '\0';
	ck_assert_uint_eq(mem_write_bytes(mem, 0, from, 3 * PAGE), 2 * PAGE);
	ck_assert_uint_eq(mem_read_bytes(mem, 0, to, 3 * PAGE), 2 * PAGE);
	ck_assert(heard_is(""));
	ck_assert_mem_eq(to, from, PAGE);
	ck_assert_uint_eq(to[PAGE], 0xff);
	ck_assert_uint_eq(to[2 * PAGE - 1], 0xff);
	ck_assert_mem_eq(to + 2 * PAGE, from + 2 * PAGE, PAGE);
	ck_assert_uint_eq(mem_read_bytes(mem, MEM_SPACE - 2, to, 8), 0);
	ck_assert_uint_eq(to[0] & to[7], 0xff);
	ck_assert_uint_eq(mem_write_bytes(mem, UINT64_MAX - 2, from, 2), 0);
	ck_assert_uint_eq(mem_read_bytes(mem, 0, to, 0), 0);
}
END_TEST

START_TEST(what_is_ram)
{
	show(MEM_PRIORITY_ROM, ROM, rom, 0, PAGE, 4 * PAGE);
	show_mmio(&byte_ops, PAGE, 6 * PAGE);
	ck_assert(mem_is_ram(mem, 0, 4 * PAGE, true));
	ck_assert(!mem_is_ram(mem, 0, 4 * PAGE + 1, true));
	ck_assert(mem_is_ram(mem, 0, 6 * PAGE, false));
	ck_assert(!mem_is_ram(mem, 0, 6 * PAGE + 1, false));
	ck_assert(!mem_is_ram(mem, 7 * PAGE - 1, 2, false));
	ck_assert(mem_is_ram(mem, 7 * PAGE, 9 * PAGE, true));
	ck_assert(!mem_is_ram(mem, 15 * PAGE, 2 * PAGE, false));
	ck_assert(mem_is_ram(mem, 6 * PAGE, 0, false));
	ck_assert(!mem_is_ram(mem, MEM_SPACE, 1, false));
	ck_assert(!mem_is_ram(mem, 0, UINT64_MAX, false));
}
END_TEST

/* --- changes and code ------------------------------------------------------------------ */

START_TEST(only_changes_are_told)
{
	struct mem_region *region = mem_region_new(mem, "hole", MEM_PRIORITY_ROM, ROM, rom, 0, 2 * PAGE);
	struct mem_region *wall = mem_region_new_mmio(mem, MEM_PRIORITY_VGA, PAGE, &byte_ops, NULL);
	uint32_t epoch = mem->epoch;
	mem->page[3] |= MEM_CODE;
	mem->page[4] |= MEM_CODE;
	mem_region_enable(region, 4 * PAGE);
	ck_assert(heard_is("map4000+2000 "));
	ck_assert_uint_eq(mem->epoch, epoch + 1);
	ck_assert_uint_eq(mem->page[3], MEM_READ | MEM_WRITE | MEM_CODE);
	ck_assert_uint_eq(mem->page[4], MEM_READ);
	mem_region_enable(region, 4 * PAGE);
	ck_assert(heard_is(""));
	ck_assert_uint_eq(mem->epoch, epoch + 1);
	mem_region_enable(wall, 5 * PAGE);
	ck_assert(heard_is("map5000+1000 "));
	mem_region_disable(region);
	ck_assert(heard_is("map4000+1000 "));
	mem_region_disable(region);
	ck_assert(heard_is(""));
	mem_region_disable(wall);
	ck_assert(heard_is("map5000+1000 "));
	ck_assert_uint_eq(mem->page[5], MEM_READ | MEM_WRITE);
}
END_TEST

START_TEST(two_ranges_of_one_change)
{
	show_mmio(&byte_ops, PAGE, 5 * PAGE);
	heard[0] = '\0';
	struct mem_region *region = show(MEM_PRIORITY_ROM, RW, mem_store_new(mem, "s", 4 * PAGE), 0, 4 * PAGE, 3 * PAGE);
	ck_assert(heard_is("map3000+2000 map6000+1000 "));
	mem_region_enable(region, 8 * PAGE);
	ck_assert(heard_is("map3000+2000 map6000+1000 map8000+4000 "));
	mem_write(mem, 8 * PAGE, 1, 3);
	mem_region_enable(region, 9 * PAGE);
	ck_assert_uint_eq(mem_read(mem, 9 * PAGE, 1), 3);
	ck_assert_uint_eq(mem->flat[9 * PAGE], 3);
	ck_assert_uint_eq(mem->flat[8 * PAGE], 0);
}
END_TEST

START_TEST(a20)
{
	uint32_t epoch = mem->epoch;
	mem_set_a20(mem, true);
	ck_assert(heard_is(""));
	mem_set_a20(mem, false);
	ck_assert_uint_eq(mem->a20_mask, 0xffefffff);
	ck_assert(heard_is("map0+100000000 "));
	ck_assert_uint_eq(mem->epoch, epoch + 1);
	mem_set_a20(mem, true);
	ck_assert_uint_eq(mem->a20_mask, 0xffffffff);
	ck_assert(heard_is("map0+100000000 "));
}
END_TEST

START_TEST(written_code_is_told)
{
	mem->page[1] |= MEM_CODE;
	mem_write(mem, 0x800, 4, 1);
	ck_assert(heard_is(""));
	ck_assert(!mem_can_write(mem, 0x1800));
	mem_write(mem, 0x1800, 4, 1);
	ck_assert(heard_is("code1800+4 "));
	ck_assert_uint_eq(mem_read(mem, 0x1800, 4), 1);
	mem_write(mem, 0xffe, 8, 1);
	ck_assert(heard_is("code1000+6 "));
	mem_write_bytes(mem, 0xf00, mem_store_data(rom), 0x1200);
	ck_assert(heard_is("code1000+1000 "));
	mem->page[1] = (uint8_t)(mem->page[1] & ~MEM_CODE);
	mem_write(mem, 0x1800, 4, 2);
	ck_assert(heard_is(""));
}
END_TEST

START_TEST(rom_code_is_not_written)
{
	struct mem_region *region = show(MEM_PRIORITY_ROM, ROM, rom, 0, PAGE, 4 * PAGE);
	mem->page[4] |= MEM_CODE;
	heard[0] = '\0';
	mem_write(mem, 4 * PAGE, 4, 1);
	ck_assert(heard_is(""));
	/* Writes that go to the RAM below are none to the code that is seen. */
	mem_region_set_flags(region, MEM_REGION_READS);
	mem->page[4] |= MEM_CODE;
	heard[0] = '\0';
	mem_write(mem, 4 * PAGE, 4, 1);
	ck_assert(heard_is(""));
	ck_assert_uint_eq(mem_store_data(ram)[4 * PAGE], 1);
}
END_TEST

/* Neither another store's page of the same number nor another page of the same
 * store is the code that was read. */
START_TEST(code_from_elsewhere_is_not_written)
{
	show(MEM_PRIORITY_ROM, MEM_REGION_READS, rom, 0, PAGE, 0);
	show(MEM_PRIORITY_ROM, MEM_REGION_READS, ram, 12 * PAGE, PAGE, 4 * PAGE);
	mem->page[0] |= MEM_CODE;
	mem->page[4] |= MEM_CODE;
	heard[0] = '\0';
	mem_write(mem, 0, 4, 1);
	mem_write(mem, 4 * PAGE, 4, 1);
	ck_assert(heard_is(""));
	ck_assert_uint_eq(mem_store_data(ram)[0], 1);
	ck_assert_uint_eq(mem_store_data(ram)[4 * PAGE], 1);
	mem_write(mem, 12 * PAGE, 4, 1);
	ck_assert(heard_is("code4000+4 "));
}
END_TEST

START_TEST(aliases)
{
	mem->page[1] |= MEM_CODE;
	ck_assert(mem_can_write(mem, 2 * PAGE));
	struct mem_region *window = show(MEM_PRIORITY_BAR, RW, ram, PAGE, 2 * PAGE, 0xe0000000);
	heard[0] = '\0';
	/* No write gets around mem_write(). */
	ck_assert(!mem_can_write(mem, 0xe0000000));
	ck_assert(!mem_can_write(mem, 2 * PAGE));
	ck_assert(mem_can_read(mem, 2 * PAGE));
	ck_assert(mem_can_write(mem, 3 * PAGE));
	ck_assert(mem->page[1] & MEM_CODE);
	mem_write(mem, 0xe0000010, 4, 0x1234);
	ck_assert(heard_is("code1010+4 "));
	ck_assert_uint_eq(mem_read(mem, PAGE + 0x10, 4), 0x1234);
	mem_write(mem, 0xe0001010, 4, 0x1234);
	ck_assert(heard_is(""));
	mem->page[0xe0001] |= MEM_CODE;
	mem_write_bytes(mem, 2 * PAGE, "x", 1);
	ck_assert(heard_is("codee0001000+1 "));
	mem_write(mem, 2 * PAGE + 0xfff, 2, 0);
	ck_assert(heard_is("codee0001fff+1 "));
	mem_region_disable(window);
	ck_assert(heard_is("mape0000000+2000 "));
	ck_assert(mem_can_write(mem, 2 * PAGE));
	ck_assert_uint_eq(mem->page[1], MEM_READ | MEM_WRITE | MEM_CODE);
}
END_TEST

/* One store page at three addresses, one of which only writes. */
START_TEST(alias_that_only_writes)
{
	show(MEM_PRIORITY_ROM, ROM, rom, 0, PAGE, 4 * PAGE);
	show(MEM_PRIORITY_PAM, MEM_REGION_WRITES, ram, PAGE, PAGE, 4 * PAGE);
	show(MEM_PRIORITY_BAR, RW, ram, PAGE, PAGE, 0xe0000000);
	mem->page[1] |= MEM_CODE;
	mem->page[4] |= MEM_CODE;
	mem->page[0xe0000] |= MEM_CODE;
	heard[0] = '\0';
	mem_write(mem, 4 * PAGE + 8, 2, 0xabcd);
	ck_assert(heard_is("code1008+2 codee0000008+2 "));
	ck_assert_uint_eq(mem_read(mem, 0xe0000008, 2), 0xabcd);
	ck_assert_uint_eq(mem_read(mem, 4 * PAGE + 8, 2), 0x5a5a);
}
END_TEST

START_TEST(listeners_run_out)
{
	struct mem_listener listener = { NULL, code_written, NULL };
	for (unsigned n = 1; n < MEM_LISTENERS; n++)
		ck_assert_int_eq(mem_listen(mem, &listener), 0);
	ck_assert_int_eq(mem_listen(mem, &listener), -ENOSPC);
	mem->page[0] |= MEM_CODE;
	mem_write(mem, 0, 1, 0);
	ck_assert(heard_is("code0+1 code0+1 code0+1 code0+1 "));
	mem_region_disable(ram_region);
	ck_assert(heard_is("map0+10000 "));
}
END_TEST

struct seen {
	struct mem_range range[16];
	unsigned count;
};

static void see(void *owner, const struct mem_range *range)
{
	struct seen *seen = owner;
	ck_assert_uint_lt(seen->count, 16);
	seen->range[seen->count++] = *range;
}

START_TEST(ranges)
{
	struct seen seen = { .count = 0 };
	show(MEM_PRIORITY_ROM, ROM, rom, PAGE, PAGE, 4 * PAGE);
	show_mmio(&byte_ops, PAGE, 6 * PAGE);
	show(MEM_PRIORITY_BAR, RW, rom, 0, PAGE, 9 * PAGE); /* below RAM, so it makes no border */
	mem_for_each_range(mem, see, &seen);
	const struct mem_range expected[] = {
		{ 0, 4 * PAGE, mem_store_data(ram), true },
		{ 4 * PAGE, PAGE, mem_store_data(rom) + PAGE, false },
		{ 5 * PAGE, PAGE, mem_store_data(ram) + 5 * PAGE, true },
		{ 6 * PAGE, PAGE, NULL, false },
		{ 7 * PAGE, 9 * PAGE, mem_store_data(ram) + 7 * PAGE, true },
		{ 16 * PAGE, MEM_SPACE - 16 * PAGE, NULL, false },
	};
	ck_assert_uint_eq(seen.count, 6);
	for (unsigned n = 0; n < seen.count; n++) {
		ck_assert_uint_eq(seen.range[n].address, expected[n].address);
		ck_assert_uint_eq(seen.range[n].size, expected[n].size);
		ck_assert_ptr_eq(seen.range[n].host, expected[n].host);
		ck_assert_int_eq(seen.range[n].writable, expected[n].writable);
	}
}
END_TEST

Suite *suite_mem(void)
{
	Suite *suite = suite_create("mem");
	TCase *tcase = tcase_create("mem");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, stores);
	tcase_add_test(tcase, sizes);
	tcase_add_test(tcase, page_crossing);
	tcase_add_test(tcase, past_the_end);
	tcase_add_test(tcase, nothing_there);
	tcase_add_test(tcase, region_limits);
	tcase_add_test(tcase, cut_at_the_end);
	tcase_add_test(tcase, priorities);
	tcase_add_test(tcase, rom_swallows_writes);
	tcase_add_test(tcase, pam);
	tcase_add_test(tcase, mmio_is_split);
	tcase_add_test(tcase, mmio_beside_memory);
	tcase_add_test(tcase, mmio_without_calls);
	tcase_add_test(tcase, dma);
	tcase_add_test(tcase, what_is_ram);
	tcase_add_test(tcase, only_changes_are_told);
	tcase_add_test(tcase, two_ranges_of_one_change);
	tcase_add_test(tcase, a20);
	tcase_add_test(tcase, written_code_is_told);
	tcase_add_test(tcase, rom_code_is_not_written);
	tcase_add_test(tcase, code_from_elsewhere_is_not_written);
	tcase_add_test(tcase, aliases);
	tcase_add_test(tcase, alias_that_only_writes);
	tcase_add_test(tcase, listeners_run_out);
	tcase_add_test(tcase, ranges);
	suite_add_tcase(suite, tcase);
	return suite;
}
