#include <check.h>
#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "devmodel/fw_cfg.h"
#include "shared/bus.h"
#include "shared/mem.h"
#include "shared/snap.h"

#define RAM_SIZE (1u << 20)
#define ROM_BASE 0x200000u
#define ACCESS   0x8000u /* where the DMA descriptor goes */

static struct bus *bus;
static struct mem *mem;
static uint8_t *ram;
static struct fw_cfg *fw;

static void setup(void)
{
	bus = bus_new();
	mem = mem_new();
	struct mem_store *store = mem_store_new(mem, "ram", RAM_SIZE);
	ram = mem_store_data(store);
	mem_region_enable(mem_region_new(mem, "ram", MEM_PRIORITY_RAM, MEM_REGION_READS | MEM_REGION_WRITES, store, 0,
	                                 RAM_SIZE), 0);
	struct mem_store *rom = mem_store_new(mem, "rom", 4096);
	mem_region_enable(mem_region_new(mem, "rom", MEM_PRIORITY_ROM, MEM_REGION_READS | MEM_REGION_ROM, rom, 0, 4096),
	                  ROM_BASE);
	fw = fw_cfg_new(bus, mem);
}

static void teardown(void)
{
	fw_cfg_free(fw);
	mem_free(mem);
	bus_free(bus);
}

static void select_key(uint16_t key)
{
	bus_write(bus, 0x510, 2, key);
}

static uint8_t next(void)
{
	return (uint8_t)bus_read(bus, 0x511, 1);
}

static uint64_t next_be(unsigned size)
{
	uint64_t value = 0;
	while (size--)
		value = value << 8 | next();
	return value;
}

/* Key of a file by way of the directory, 0 if it is not there. */
static uint16_t find_file(const char *name, uint32_t *size)
{
	select_key(FW_CFG_FILE_DIR);
	uint32_t count = (uint32_t)next_be(4);
	for (uint32_t n = 0; n < count; n++) {
		char found[FW_CFG_NAME_SIZE];
		*size = (uint32_t)next_be(4);
		uint16_t key = (uint16_t)next_be(2);
		ck_assert_uint_eq(next_be(2), 0);
		for (unsigned i = 0; i < sizeof found; i++)
			found[i] = (char)next();
		if (!strcmp(found, name))
			return key;
	}
	return 0;
}

static uint32_t dma(uint32_t control, uint32_t length, uint64_t address)
{
	mem_write(mem, ACCESS, 4, GUINT32_TO_BE(control));
	mem_write(mem, ACCESS + 4, 4, GUINT32_TO_BE(length));
	mem_write(mem, ACCESS + 8, 8, GUINT64_TO_BE(address));
	bus_write(bus, 0x514, 4, 0);
	bus_write(bus, 0x518, 4, GUINT32_TO_BE(ACCESS));
	return GUINT32_FROM_BE((uint32_t)mem_read(mem, ACCESS, 4));
}

START_TEST(signature_and_id)
{
	select_key(FW_CFG_SIGNATURE);
	ck_assert_uint_eq(next_be(4), 0x51454d55);
	ck_assert_uint_eq(next(), 0);
	select_key(FW_CFG_ID);
	ck_assert_uint_eq(next(), 3);
	ck_assert_uint_eq(next_be(3), 0);
}
END_TEST

START_TEST(numbers_are_little_endian)
{
	fw_cfg_add_u16(fw, FW_CFG_NB_CPUS, 0x1234);
	fw_cfg_add_u32(fw, FW_CFG_IRQ0_OVERRIDE, 0x12345678);
	fw_cfg_add_u64(fw, FW_CFG_RAM_SIZE, 0x123456789abcdef0);
	select_key(FW_CFG_NB_CPUS);
	ck_assert_uint_eq(next_be(2), 0x3412);
	select_key(FW_CFG_IRQ0_OVERRIDE);
	ck_assert_uint_eq(next_be(4), 0x78563412);
	select_key(FW_CFG_RAM_SIZE);
	ck_assert_uint_eq(next_be(8), 0xf0debc9a78563412);
	/* the same number without the high bit is another item */
	select_key(0x0002);
	ck_assert_uint_eq(next(), 0);
}
END_TEST

START_TEST(later_value_wins)
{
	fw_cfg_add_u64(fw, FW_CFG_RAM_SIZE, 0xffffffffffffffff);
	fw_cfg_add_u16(fw, FW_CFG_RAM_SIZE, 1);
	select_key(FW_CFG_RAM_SIZE);
	ck_assert_uint_eq(next_be(4), 0x01000000);
}
END_TEST

START_TEST(unknown_keys_are_zeros)
{
	static const uint16_t keys[] = { 0x07, 0x1f, 0x20, 0x5f, 0x60, 0x3fff, 0x4000, 0x7fff, 0x8055, 0xbfff, 0xffff };
	for (unsigned n = 0; n < G_N_ELEMENTS(keys); n++) {
		select_key(keys[n]);
		ck_assert_uint_eq(next_be(8), 0);
	}
}
END_TEST

START_TEST(selector_wants_two_bytes)
{
	select_key(FW_CFG_SIGNATURE);
	bus_write(bus, 0x510, 1, FW_CFG_ID);
	bus_write(bus, 0x511, 1, 0);
	ck_assert_uint_eq(next(), 'Q');
	ck_assert_uint_eq(bus_read(bus, 0x510, 1), 0xff);
	ck_assert_uint_eq(next(), 'E');
}
END_TEST

START_TEST(string_input)
{
	char text[8] = "xxxxxxx";
	select_key(FW_CFG_SIGNATURE);
	ck_assert_uint_eq(bus_read_many(bus, 0x511, 1, text, 3), 3);
	ck_assert_str_eq(text, "QEMxxxx");
	bus_read_many(bus, 0x511, 1, text, 3);
	ck_assert_mem_eq(text, "U\0\0xxxx", 8);
}
END_TEST

START_TEST(directory)
{
	uint32_t size;
	ck_assert_uint_eq(find_file("etc/a", &size), 0);
	ck_assert_int_eq(fw_cfg_add_file(fw, "etc/a", "alpha", 5), 0);
	ck_assert_int_eq(fw_cfg_add_file(fw, "etc/b", NULL, 0), 0);
	ck_assert_int_eq(fw_cfg_add_file(fw, "etc/c", "gamma ray", 9), 0);
	ck_assert_uint_eq(find_file("etc/b", &size), 0x21);
	ck_assert_uint_eq(size, 0);
	select_key(0x21);
	ck_assert_uint_eq(next(), 0);
	select_key(find_file("etc/c", &size));
	ck_assert_uint_eq(size, 9);
	ck_assert_uint_eq(next(), 'g');
	ck_assert_int_eq(fw_cfg_add_file(fw, "etc/a", "omega!", 6), 0);
	ck_assert_uint_eq(find_file("etc/a", &size), 0x20);
	ck_assert_uint_eq(size, 6);
	select_key(0x20);
	ck_assert_uint_eq(next(), 'o');
}
END_TEST

START_TEST(directory_limits)
{
	char name[64];
	memset(name, 'n', sizeof name);
	name[56] = 0;
	ck_assert_int_eq(fw_cfg_add_file(fw, name, "", 1), -ENAMETOOLONG);
	name[55] = 0;
	ck_assert_int_eq(fw_cfg_add_file(fw, name, "", 1), 0);
	ck_assert_int_eq(fw_cfg_add_file(fw, "huge", "", (size_t)1 << 32), -EFBIG);
	for (unsigned n = 1; n < FW_CFG_FILES; n++) {
		snprintf(name, sizeof name, "file%u", n);
		ck_assert_int_eq(fw_cfg_add_file(fw, name, &n, 1), 0);
	}
	ck_assert_int_eq(fw_cfg_add_file(fw, "more", "", 1), -ENOSPC);
	ck_assert_int_eq(fw_cfg_add_file(fw, "file63", "!", 1), 0);
	uint32_t size;
	ck_assert_uint_eq(find_file("file63", &size), 0x20 + 63);
}
END_TEST

START_TEST(dma_signature)
{
	ck_assert_uint_eq(bus_read(bus, 0x514, 4), GUINT32_TO_BE(0x51454d55));
	ck_assert_uint_eq(bus_read(bus, 0x518, 4), GUINT32_TO_BE(0x20434647));
	ck_assert_uint_eq(bus_read(bus, 0x514, 1), 'Q');
	ck_assert_uint_eq(bus_read(bus, 0x51a, 2), 'F' | 'G' << 8);
}
END_TEST

START_TEST(dma_reads_items)
{
	memset(ram + 0x1000, 0xee, 16);
	ck_assert_uint_eq(dma(FW_CFG_SIGNATURE << 16 | 0x0a, 6, 0x1000), 0);
	ck_assert_mem_eq(ram + 0x1000, "QEMU\0\0\xee", 7);
}
END_TEST

START_TEST(dma_goes_on_where_it_was)
{
	fw_cfg_add_file(fw, "digits", "0123456789", 10);
	select_key(0x20);
	ck_assert_uint_eq(next(), '0');
	ck_assert_uint_eq(dma(0x04, 2, 0), 0);
	ck_assert_uint_eq(dma(0x02, 3, 0x1000), 0);
	ck_assert_mem_eq(ram + 0x1000, "345", 3);
	ck_assert_uint_eq(next(), '6');
	ck_assert_uint_eq(dma(0x04, 0xffffffff, 0), 0);
	ck_assert_uint_eq(dma(0x04, 0xffffffff, 0), 0);
	ck_assert_uint_eq(next(), 0);
}
END_TEST

START_TEST(dma_select_alone)
{
	ck_assert_uint_eq(dma(FW_CFG_SIGNATURE << 16 | 0x08, 0, 0), 0);
	ck_assert_uint_eq(next(), 'Q');
}
END_TEST

START_TEST(dma_writes_are_refused)
{
	ck_assert_uint_eq(dma(FW_CFG_SIGNATURE << 16 | 0x18, 4, 0x1000), 1);
	select_key(FW_CFG_SIGNATURE);
	ck_assert_uint_eq(next(), 'Q');
}
END_TEST

START_TEST(dma_outside_of_ram)
{
	ck_assert_uint_eq(dma(0x0a, 4, RAM_SIZE), 1);
	ck_assert_uint_eq(dma(0x0a, 4, RAM_SIZE - 2), 1);
	ck_assert_uint_eq(dma(0x0a, 4, ROM_BASE), 1);
	ck_assert_uint_eq(mem_read(mem, ROM_BASE, 4), 0);
	ck_assert_uint_eq(dma(0x0a, 4, 0x100001000), 1);
	ck_assert_uint_eq(dma(0x0a, 4, UINT64_MAX - 1), 1);
	ck_assert_uint_eq(dma(0x0a, 0xffffffff, 0x10000), 1);
}
END_TEST

START_TEST(dma_descriptor_outside_of_ram)
{
	static const uint64_t at[] = { RAM_SIZE, RAM_SIZE - 8, ROM_BASE, 0xffffffff, 0x100008000, UINT64_MAX };
	select_key(FW_CFG_SIGNATURE);
	for (unsigned n = 0; n < G_N_ELEMENTS(at); n++) {
		bus_write(bus, 0x514, 4, GUINT32_TO_BE((uint32_t)(at[n] >> 32)));
		bus_write(bus, 0x518, 4, GUINT32_TO_BE((uint32_t)at[n]));
	}
	ck_assert_uint_eq(next(), 'Q');
	/* the high half was used up */
	ck_assert_uint_eq(dma(0x02, 1, 0x1000), 0);
	ck_assert_uint_eq(ram[0x1000], 'E');
}
END_TEST

START_TEST(dma_wants_four_bytes)
{
	select_key(FW_CFG_SIGNATURE);
	bus_write(bus, 0x518, 2, 0);
	bus_write(bus, 0x51a, 2, 0x0080);
	ck_assert_uint_eq(next(), 'Q');
}
END_TEST

START_TEST(state_and_reset)
{
	select_key(FW_CFG_SIGNATURE);
	next();
	struct snap *save = snap_new_save();
	fw_cfg_state(fw, save);
	select_key(FW_CFG_ID);
	size_t size;
	const void *data = snap_data(save, &size);
	struct snap *load = snap_new_load(data, size);
	fw_cfg_state(fw, load);
	ck_assert_ptr_null(snap_error(load));
	ck_assert_uint_eq(next(), 'E');
	fw_cfg_reset(fw);
	ck_assert_uint_eq(next(), 'Q');
	snap_free(load);
	snap_free(save);
}
END_TEST

Suite *suite_fw_cfg(void)
{
	Suite *suite = suite_create("fw_cfg");
	TCase *tc = tcase_create("fw_cfg");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, signature_and_id);
	tcase_add_test(tc, numbers_are_little_endian);
	tcase_add_test(tc, later_value_wins);
	tcase_add_test(tc, unknown_keys_are_zeros);
	tcase_add_test(tc, selector_wants_two_bytes);
	tcase_add_test(tc, string_input);
	tcase_add_test(tc, directory);
	tcase_add_test(tc, directory_limits);
	tcase_add_test(tc, dma_signature);
	tcase_add_test(tc, dma_reads_items);
	tcase_add_test(tc, dma_goes_on_where_it_was);
	tcase_add_test(tc, dma_select_alone);
	tcase_add_test(tc, dma_writes_are_refused);
	tcase_add_test(tc, dma_outside_of_ram);
	tcase_add_test(tc, dma_descriptor_outside_of_ram);
	tcase_add_test(tc, dma_wants_four_bytes);
	tcase_add_test(tc, state_and_reset);
	suite_add_tcase(suite, tc);
	return suite;
}
