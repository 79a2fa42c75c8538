#include <errno.h>
#include <glib.h>
#include <string.h>

#include "tests/unit/ide_rig.h"

#define READY 0x50
#define DRQ   0x58

static struct ide_rig rig;

static void setup(void)
{
	ide_rig_open(&rig);
	ide_rig_out(&rig, RIG_DEVICE, 0xe0);
}

static void teardown(void)
{
	ide_rig_close(&rig);
}

static void expect_error(uint8_t status, uint8_t error)
{
	ck_assert_uint_eq(ide_rig_irq(&rig), status);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_ERROR), error);
}

static void expect_abort(void)
{
	expect_error(0x51, 0x04);
}

static void identify(uint16_t *words)
{
	ide_rig_command(&rig, 0xec, 0, 0);
	ck_assert_uint_eq(ide_rig_irq(&rig), DRQ);
	ide_rig_read_words(&rig, words, 256);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_COMMAND), READY);
	ide_rig_no_irq(&rig);
}

static uint32_t lba_registers(void)
{
	return ide_rig_in(&rig, RIG_LOW) | ide_rig_in(&rig, RIG_MID) << 8 | ide_rig_in(&rig, RIG_HIGH) << 16 |
	       (uint32_t)(ide_rig_in(&rig, RIG_DEVICE) & 0xf) << 24;
}

START_TEST(identify_device)
{
	uint16_t words[256];
	uint8_t sum = 0;
	identify(words);
	for (unsigned i = 0; i < 512; i++)
		sum = (uint8_t)(sum + ((uint8_t *)words)[i]);
	ck_assert_uint_eq(sum, 0);
	ck_assert_uint_eq(words[0], 0x40);
	ck_assert_uint_eq(words[1], RIG_SECTORS / 1008);
	ck_assert_uint_eq(words[3], 16);
	ck_assert_uint_eq(words[6], 63);
	ck_assert_uint_eq(words[49] & 0x300, 0x300);
	ck_assert_uint_eq(words[60] | words[61] << 16, RIG_SECTORS);
	ck_assert_uint_eq(words[100], RIG_SECTORS);
	ck_assert_uint_eq(words[83] & 0xc400, 0x4400);
	ck_assert_mem_eq(&words[27], "2V EAHDRIDKS", 12);
	ck_assert_uint_eq(words[59], 0);
}
END_TEST

START_TEST(geometry_from_partition_table)
{
	struct blk *blk = blk_memory_new(20808 * 512, false); /* 306 x 4 x 17 */
	static const uint8_t entry[16] = { 0x80, 1, 1, 0, 1, 3, 17 | 0x40, 0x31, 17, 0, 0, 0, 0x37, 0x51, 0, 0 };
	struct ide_geometry geometry;
	memcpy(blk_memory_data(blk) + 446, entry, 16);
	blk_memory_data(blk)[510] = 0x55;
	blk_memory_data(blk)[511] = 0xaa;
	ide_attach_disk(rig.ide, 1, 1, blk);
	ck_assert(ide_disk_geometry(rig.ide, 1, 1, &geometry));
	ck_assert_uint_eq(geometry.cylinders, 306);
	ck_assert_uint_eq(geometry.heads, 4);
	ck_assert_uint_eq(geometry.sectors, 17);
	ck_assert_uint_eq(geometry.total_sectors, 20808);
	ck_assert(!ide_disk_geometry(rig.ide, 0, 1, &geometry));
}
END_TEST

START_TEST(read_sectors)
{
	ide_rig_command(&rig, 0x20, 1234, 3);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_uint_eq(ide_rig_irq(&rig), DRQ);
		ide_rig_expect_sector(&rig, 1234 + i);
	}
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_COMMAND), READY);
	ide_rig_no_irq(&rig);
	ck_assert_uint_eq(lba_registers(), 1236);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_COUNT), 0);
}
END_TEST

START_TEST(read_256_sectors_in_one_go)
{
	uint8_t *bytes = g_malloc(256 * 512);
	ide_rig_command(&rig, 0x21, 100, 0);
	bus_read_many(rig.bus, RIG_DATA, 4, bytes, 256 * 128);
	for (unsigned i = 0; i < 256 * 512; i++)
		ck_assert_uint_eq(bytes[i], ide_rig_byte(100 + i / 512, i % 512));
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_COMMAND), READY);
	g_free(bytes);
}
END_TEST

static void write_pattern(unsigned sectors, uint8_t seed)
{
	uint8_t bytes[512];
	for (unsigned i = 0; i < sectors; i++) {
		memset(bytes, seed + (int)i, sizeof bytes);
		ide_rig_write_words(&rig, bytes, 256);
	}
}

static void expect_pattern(uint32_t lba, unsigned sectors, uint8_t seed)
{
	for (unsigned i = 0; i < sectors * 512; i++)
		ck_assert_uint_eq(blk_memory_data(rig.disk)[lba * 512 + i], (uint8_t)(seed + i / 512));
}

START_TEST(write_sectors)
{
	ide_rig_command(&rig, 0x30, 700, 2);
	ide_rig_no_irq(&rig); /* not for the first block */
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_COMMAND), DRQ);
	write_pattern(1, 0x10);
	ck_assert_uint_eq(ide_rig_irq(&rig), DRQ);
	write_pattern(1, 0x11);
	ck_assert_uint_eq(ide_rig_irq(&rig), READY);
	expect_pattern(700, 2, 0x10);
	ck_assert_uint_eq(blk_memory_data(rig.disk)[702 * 512], ide_rig_byte(702, 0));
	ck_assert_uint_eq(lba_registers(), 701);
}
END_TEST

START_TEST(lba48)
{
	uint8_t *bytes = g_malloc(300 * 512);
	ide_rig_command_ext(&rig, 0x24, 4000, 300);
	ide_rig_read_words(&rig, bytes, 300 * 256);
	for (unsigned i = 0; i < 300 * 512; i++)
		ck_assert_uint_eq(bytes[i], ide_rig_byte(4000 + i / 512, i % 512));
	g_free(bytes);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_COMMAND), READY);
	ide_rig_command_ext(&rig, 0x34, 4990, 10);
	write_pattern(10, 0x40);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_COMMAND), READY);
	expect_pattern(4990, 10, 0x40);
	rig.edges[0] = 0;
	ide_rig_command_ext(&rig, 0x24, 0x1000000, 1); /* beyond 24 bits, in the HOB registers */
	expect_error(0x51, 0x10);
	ide_rig_command_ext(&rig, 0x24, 4000, 0); /* 65,536 sectors */
	expect_error(0x51, 0x10);
}
END_TEST

START_TEST(multiple)
{
	uint8_t bytes[8 * 512];
	uint16_t words[256];
	ide_rig_command(&rig, 0xc4, 0, 1);
	expect_abort(); /* not set up */
	for (unsigned bad = 3; bad < 64; bad += 29) { /* 3, 32 */
		ide_rig_command(&rig, 0xc6, 0, bad);
		expect_abort();
	}
	ide_rig_command(&rig, 0xc6, 0, 8);
	ck_assert_uint_eq(ide_rig_irq(&rig), READY);
	identify(words);
	ck_assert_uint_eq(words[59], 0x108);
	ide_rig_command(&rig, 0xc4, 50, 11); /* a block of 8, one of 3 */
	ck_assert_uint_eq(ide_rig_irq(&rig), DRQ);
	ide_rig_read_words(&rig, bytes, 8 * 256);
	ck_assert_uint_eq(bytes[7 * 512], ide_rig_byte(57, 0));
	ck_assert_uint_eq(ide_rig_irq(&rig), DRQ);
	ide_rig_read_words(&rig, bytes, 3 * 256);
	ck_assert_uint_eq(bytes[2 * 512], ide_rig_byte(60, 0));
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_COMMAND), READY);
	ide_rig_command(&rig, 0xc5, 50, 9);
	write_pattern(8, 0x80);
	ck_assert_uint_eq(ide_rig_irq(&rig), DRQ);
	write_pattern(1, 0x88);
	ck_assert_uint_eq(ide_rig_irq(&rig), READY);
	expect_pattern(50, 9, 0x80);
	ide_rig_command_ext(&rig, 0x29, 49, 1);
	ck_assert_uint_eq(ide_rig_irq(&rig), DRQ);
	ide_rig_expect_sector(&rig, 49);
	ide_rig_command_ext(&rig, 0x39, 60, 2);
	write_pattern(2, 1);
	ck_assert_uint_eq(ide_rig_irq(&rig), READY);
	expect_pattern(60, 2, 1);
	unsigned flushes = blk_memory_flushes(rig.disk);
	ide_rig_command_ext(&rig, 0xce, 60, 2); /* FUA */
	write_pattern(2, 9);
	ck_assert_uint_eq(ide_rig_irq(&rig), READY);
	ck_assert_uint_eq(blk_memory_flushes(rig.disk), flushes + 1);
	ide_rig_command(&rig, 0xc6, 0, 0); /* off */
	ck_assert_uint_eq(ide_rig_irq(&rig), READY);
	ide_rig_command(&rig, 0xc4, 0, 1);
	expect_abort();
}
END_TEST

static void chs(unsigned command, unsigned cylinder, unsigned head, unsigned sector, unsigned count)
{
	ide_rig_out(&rig, RIG_DEVICE, 0xa0 | head);
	ide_rig_out(&rig, RIG_COUNT, count);
	ide_rig_out(&rig, RIG_LOW, sector);
	ide_rig_out(&rig, RIG_MID, cylinder & 0xff);
	ide_rig_out(&rig, RIG_HIGH, cylinder >> 8);
	ide_rig_out(&rig, RIG_COMMAND, command);
}

START_TEST(cylinders_heads_sectors)
{
	chs(0x20, 1, 2, 63, 2); /* over the end of a track */
	ck_assert_uint_eq(ide_rig_irq(&rig), DRQ);
	ide_rig_expect_sector(&rig, 1008 + 126 + 62);
	ck_assert_uint_eq(ide_rig_irq(&rig), DRQ);
	ide_rig_expect_sector(&rig, 1008 + 126 + 63);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_LOW), 1);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_DEVICE), 0xa3);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_MID), 1);
	chs(0x20, 0, 0, 0, 1); /* sectors count from 1 */
	expect_error(0x51, 0x10);
	chs(0x20, 0, 0, 64, 1);
	expect_error(0x51, 0x10);
	chs(0x20, 4, 0, 1, 1); /* 5,000 sectors are 4 cylinders and a rest */
	expect_error(0x51, 0x10);
	chs(0x20, 3, 15, 63, 1);
	ck_assert_uint_eq(ide_rig_irq(&rig), DRQ);
	ide_rig_expect_sector(&rig, 4031);
}
END_TEST

START_TEST(initialize_device_parameters)
{
	uint16_t words[256];
	chs(0x91, 0, 3, 0, 17); /* 4 heads, 17 sectors */
	ck_assert_uint_eq(ide_rig_irq(&rig), READY);
	chs(0x20, 2, 1, 1, 1);
	ck_assert_uint_eq(ide_rig_irq(&rig), DRQ);
	ide_rig_expect_sector(&rig, (2 * 4 + 1) * 17);
	chs(0x20, 0, 4, 1, 1);
	expect_error(0x51, 0x10);
	identify(words);
	ck_assert_uint_eq(words[1], 4);
	ck_assert_uint_eq(words[54], RIG_SECTORS / 68);
	ck_assert_uint_eq(words[55], 4);
	ck_assert_uint_eq(words[56], 17);
	ck_assert_uint_eq(words[57], RIG_SECTORS / 68 * 68);
	chs(0x91, 0, 3, 0, 0);
	expect_abort();
}
END_TEST

START_TEST(addresses_out_of_range)
{
	static const uint8_t commands[] = { 0x20, 0x30, 0x40, 0xc8, 0xca };
	for (unsigned i = 0; i < sizeof commands; i++) {
		ide_rig_command(&rig, commands[i], RIG_SECTORS, 1);
		expect_error(0x51, 0x10);
		ide_rig_command(&rig, commands[i], RIG_SECTORS - 1, 2);
		expect_error(0x51, 0x10);
		ide_rig_command(&rig, commands[i], 0x0fffffff, 0);
		expect_error(0x51, 0x10);
	}
	ide_rig_command(&rig, 0x70, RIG_SECTORS, 0);
	expect_error(0x51, 0x10);
}
END_TEST

START_TEST(verify_seek_recalibrate_nop)
{
	ide_rig_command(&rig, 0x40, 0, 0);
	ck_assert_uint_eq(ide_rig_irq(&rig), READY);
	ck_assert_uint_eq(lba_registers(), 255);
	ide_rig_command_ext(&rig, 0x42, 0, 4000);
	ck_assert_uint_eq(ide_rig_irq(&rig), READY);
	blk_memory_fail(rig.disk, 210, 210, -EIO);
	ide_rig_command(&rig, 0x41, 0, 255);
	expect_error(0x51, 0x40);
	ck_assert_uint_eq(lba_registers(), 210);
	blk_memory_fail(rig.disk, 0, 0, 0);
	ide_rig_command(&rig, 0x7f, 10, 0);
	ck_assert_uint_eq(ide_rig_irq(&rig), READY);
	ide_rig_command(&rig, 0x1f, 0, 0);
	ck_assert_uint_eq(ide_rig_irq(&rig), READY);
	ide_rig_command(&rig, 0x00, 0, 0);
	expect_abort();
	ide_rig_command(&rig, 0xfe, 0, 0); /* unknown */
	expect_abort();
	ide_rig_command(&rig, 0xa0, 0, 0); /* PACKET to a disk */
	expect_abort();
	ide_rig_command(&rig, 0x08, 0, 0); /* DEVICE RESET to a disk */
	expect_abort();
}
END_TEST

START_TEST(read_native_max)
{
	ide_rig_command(&rig, 0xf8, 0, 0);
	ck_assert_uint_eq(ide_rig_irq(&rig), READY);
	ck_assert_uint_eq(lba_registers(), RIG_SECTORS - 1);
	ide_rig_command_ext(&rig, 0x27, 0, 0);
	ck_assert_uint_eq(ide_rig_irq(&rig), READY);
	ck_assert_uint_eq(lba_registers() & 0xffffff, RIG_SECTORS - 1);
	ide_rig_out(&rig, RIG_CONTROL, 0x80);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_LOW), 0);
}
END_TEST

static void feature(unsigned code, unsigned count)
{
	ide_rig_out(&rig, RIG_ERROR, code);
	ide_rig_command(&rig, 0xef, 0, count);
}

START_TEST(set_features)
{
	uint16_t words[256];
	static const uint8_t good[] = { 0x02, 0x82, 0x55, 0xaa, 0x66, 0xcc };
	for (unsigned i = 0; i < sizeof good; i++) {
		feature(good[i], 0);
		ck_assert_uint_eq(ide_rig_irq(&rig), READY);
	}
	identify(words);
	ck_assert_uint_eq(words[85] & 0x60, 0x40); /* look-ahead on, write cache off */
	feature(0x99, 0);
	expect_abort();
	feature(0x03, 0x44);
	ck_assert_uint_eq(ide_rig_irq(&rig), READY);
	identify(words);
	ck_assert_uint_eq(words[88], 0x103f);
	ck_assert_uint_eq(words[63] & 0xff00, 0);
	feature(0x03, 0x0c); /* a PIO mode leaves it */
	ck_assert_uint_eq(ide_rig_irq(&rig), READY);
	feature(0x03, 0x21);
	ck_assert_uint_eq(ide_rig_irq(&rig), READY);
	identify(words);
	ck_assert_uint_eq(words[63], 0x0207);
	feature(0x03, 0x47);
	expect_abort();
}
END_TEST

START_TEST(write_cache)
{
	unsigned flushes = blk_memory_flushes(rig.disk);
	ide_rig_command(&rig, 0x30, 0, 1);
	write_pattern(1, 1);
	ck_assert_uint_eq(ide_rig_irq(&rig), READY);
	ck_assert_uint_eq(blk_memory_flushes(rig.disk), flushes);
	ide_rig_command(&rig, 0xe7, 0, 0);
	ck_assert_uint_eq(ide_rig_irq(&rig), READY);
	ide_rig_command_ext(&rig, 0xea, 0, 0);
	ck_assert_uint_eq(ide_rig_irq(&rig), READY);
	ck_assert_uint_eq(blk_memory_flushes(rig.disk), flushes + 2);
	feature(0x82, 0);
	ck_assert_uint_eq(ide_rig_irq(&rig), READY);
	flushes = blk_memory_flushes(rig.disk);
	ide_rig_command(&rig, 0x30, 0, 1);
	write_pattern(1, 1);
	ck_assert_uint_eq(ide_rig_irq(&rig), READY);
	ck_assert_uint_eq(blk_memory_flushes(rig.disk), flushes + 1);
}
END_TEST

START_TEST(settings_over_soft_reset)
{
	uint16_t words[256];
	for (unsigned keep = 0; keep < 2; keep++) {
		feature(keep ? 0x66 : 0xcc, 0);
		ck_assert_uint_eq(ide_rig_irq(&rig), READY);
		ide_rig_command(&rig, 0xc6, 0, 4);
		ck_assert_uint_eq(ide_rig_irq(&rig), READY);
		ide_rig_out(&rig, RIG_CONTROL, 4);
		ide_rig_out(&rig, RIG_CONTROL, 0);
		identify(words);
		ck_assert_uint_eq(words[59], keep ? 0x104 : 0);
	}
	ide_reset(rig.ide);
	identify(words);
	ck_assert_uint_eq(words[59], 0);
}
END_TEST

START_TEST(power)
{
	static const struct {
		uint8_t command, check, count;
	} steps[] = { { 0xe0, 0xe5, 0x00 }, { 0xe1, 0x98, 0x80 }, { 0xe2, 0xe5, 0x00 }, { 0xe3, 0xe5, 0x80 },
	              { 0x94, 0xe5, 0x00 }, { 0x95, 0xe5, 0x80 }, { 0x96, 0xe5, 0x00 }, { 0x97, 0xe5, 0x80 } };
	for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++) {
		ide_rig_command(&rig, steps[i].command, 0, 0);
		ck_assert_uint_eq(ide_rig_irq(&rig), READY);
		ide_rig_command(&rig, steps[i].check, 0, 0x33);
		ck_assert_uint_eq(ide_rig_irq(&rig), READY);
		ck_assert_uint_eq(ide_rig_in(&rig, RIG_COUNT), steps[i].count);
	}
	ide_rig_command(&rig, 0x40, 0, 1);
	ck_assert_uint_eq(ide_rig_irq(&rig), READY);
	ide_rig_command(&rig, 0xe5, 0, 0);
	ck_assert_uint_eq(ide_rig_irq(&rig), READY);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_COUNT), 0xff);
	ide_rig_command(&rig, 0xe6, 0, 0); /* sleep: only a reset wakes it */
	ck_assert_uint_eq(ide_rig_irq(&rig), READY);
	ide_rig_command(&rig, 0xec, 0, 0);
	ide_rig_no_irq(&rig);
	ide_rig_out(&rig, RIG_CONTROL, 4);
	ide_rig_out(&rig, RIG_CONTROL, 0);
	ide_rig_command(&rig, 0xec, 0, 0);
	ck_assert_uint_eq(ide_rig_irq(&rig), DRQ);
}
END_TEST

START_TEST(sector_buffer)
{
	uint8_t bytes[512];
	ide_rig_command(&rig, 0xe8, 0, 0);
	ide_rig_no_irq(&rig);
	write_pattern(1, 0x66);
	ck_assert_uint_eq(ide_rig_irq(&rig), READY);
	ide_rig_command(&rig, 0xe4, 0, 0);
	ck_assert_uint_eq(ide_rig_irq(&rig), DRQ);
	ide_rig_read_words(&rig, bytes, 256);
	ck_assert_uint_eq(bytes[0], 0x66);
	ck_assert_uint_eq(bytes[511], 0x66);
}
END_TEST

START_TEST(host_errors)
{
	blk_memory_fail(rig.disk, 11, 11, -EIO);
	ide_rig_command(&rig, 0x20, 10, 3);
	ck_assert_uint_eq(ide_rig_irq(&rig), DRQ);
	ide_rig_expect_sector(&rig, 10);
	expect_error(0x51, 0x40);
	ck_assert_uint_eq(lba_registers(), 11);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_COUNT), 2);
	ide_rig_command(&rig, 0x30, 10, 3);
	write_pattern(1, 1);
	ck_assert_uint_eq(ide_rig_irq(&rig), DRQ);
	write_pattern(1, 2);
	expect_error(0x71, 0x04); /* device fault */
	ck_assert_uint_eq(lba_registers(), 11);
	expect_pattern(10, 1, 1);
	ck_assert_uint_eq(blk_memory_data(rig.disk)[11 * 512], ide_rig_byte(11, 0));
	ide_rig_command(&rig, 0xe7, 0, 0);
	expect_error(0x71, 0x04);
	blk_memory_fail(rig.disk, 0, 0, 0);
}
END_TEST

START_TEST(read_only_disk)
{
	struct blk *blk = blk_memory_new(100 * 512, true);
	ide_attach_disk(rig.ide, 0, 0, blk);
	ide_rig_command(&rig, 0x30, 0, 1);
	expect_abort();
	ide_rig_command(&rig, 0xca, 0, 1);
	expect_abort();
}
END_TEST

Suite *suite_ide_ata(void)
{
	const TTest *const tests[] = {
		identify_device, geometry_from_partition_table, read_sectors, read_256_sectors_in_one_go, write_sectors,
		lba48, multiple, cylinders_heads_sectors, initialize_device_parameters, addresses_out_of_range,
		verify_seek_recalibrate_nop, read_native_max, set_features, write_cache, settings_over_soft_reset,
		power, sector_buffer, host_errors, read_only_disk,
	};
	Suite *suite = suite_create("ide_ata");
	TCase *tcase = tcase_create("ide_ata");
	tcase_add_checked_fixture(tcase, setup, teardown);
	for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	return suite;
}
