#include <errno.h>
#include <glib.h>
#include <string.h>

#include "tests/unit/ide_rig.h"

#define TABLE   0x1000u
#define BUFFER  0x20000u
#define EOT     0x80000000u

#define COMMAND (RIG_BMDMA + 0)
#define STATUS  (RIG_BMDMA + 2)
#define POINTER (RIG_BMDMA + 4)

#define START_READ  0x09
#define START_WRITE 0x01

static struct ide_rig rig;

static void setup(void)
{
	ide_rig_open(&rig);
	ide_rig_out(&rig, RIG_DEVICE, 0xe0);
	bus_write(rig.bus, POINTER, 4, TABLE);
}

static void teardown(void)
{
	ide_rig_close(&rig);
}

static void describe(unsigned n, uint32_t address, uint32_t size_and_eot)
{
	mem_write(rig.mem, TABLE + 8 * n, 4, address);
	mem_write(rig.mem, TABLE + 8 * n + 4, 4, size_and_eot);
}

static void expect_memory(uint32_t address, uint64_t sector, unsigned from, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		ck_assert_uint_eq(mem_read(rig.mem, address + i, 1), ide_rig_byte(sector + (from + i) / 512, (from + i) % 512));
}

static uint8_t status(void)
{
	return ide_rig_in(&rig, STATUS);
}

START_TEST(registers)
{
	ck_assert_uint_eq(bus_read(rig.bus, POINTER, 4), TABLE);
	bus_write(rig.bus, POINTER, 4, 0x12345677);
	ck_assert_uint_eq(bus_read(rig.bus, POINTER, 4), 0x12345674);
	bus_write(rig.bus, POINTER + 10, 2, 0xabcd); /* the other channel's */
	ck_assert_uint_eq(bus_read(rig.bus, POINTER + 8, 4), 0xabcd0000);
	ck_assert_uint_eq(bus_read(rig.bus, POINTER, 4), 0x12345674);
	ide_rig_out(&rig, STATUS, 0xff);
	ck_assert_uint_eq(status(), 0x60);
	ide_rig_out(&rig, COMMAND, 0xf6);
	ck_assert_uint_eq(ide_rig_in(&rig, COMMAND), 0x00);
	ck_assert_uint_eq(ide_rig_in(&rig, COMMAND + 1), 0);
	ck_assert_uint_eq(ide_rig_in(&rig, STATUS + 1), 0);
	ide_set_bmdma_base(rig.ide, 0xd000);
	ck_assert_uint_eq(status(), 0xff);
	ck_assert_uint_eq(ide_rig_in(&rig, 0xd002), 0x60);
	ide_set_bmdma_base(rig.ide, 0);
	ck_assert_uint_eq(ide_rig_in(&rig, 0xd002), 0xff);
}
END_TEST

START_TEST(read_dma)
{
	describe(0, BUFFER, 512);
	describe(1, BUFFER + 0x1000, 1024 | EOT);
	ide_rig_command(&rig, 0xc8, 77, 3);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_CONTROL), 0x58);
	ide_rig_no_irq(&rig);
	ide_rig_out(&rig, COMMAND, START_READ);
	ck_assert_uint_eq(ide_rig_irq(&rig), 0x50);
	ck_assert_uint_eq(status(), 0x04);
	expect_memory(BUFFER, 77, 0, 512);
	expect_memory(BUFFER + 0x1000, 78, 0, 1024);
	ck_assert_uint_eq(mem_read(rig.mem, BUFFER + 512, 1), 0);
	ide_rig_out(&rig, COMMAND, 0);
	ide_rig_out(&rig, STATUS, 0x04);
	ck_assert_uint_eq(status(), 0);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_LOW), 79);
}
END_TEST

START_TEST(bus_master_first)
{
	describe(0, BUFFER, 512 | EOT);
	ide_rig_out(&rig, COMMAND, START_READ);
	ck_assert_uint_eq(status(), 0x01);
	ide_rig_command(&rig, 0xc9, 5, 1);
	ck_assert_uint_eq(ide_rig_irq(&rig), 0x50);
	ck_assert_uint_eq(status(), 0x04);
	expect_memory(BUFFER, 5, 0, 512);
}
END_TEST

START_TEST(write_dma)
{
	uint8_t bytes[1024];
	memset(bytes, 0xc3, sizeof bytes);
	mem_write_bytes(rig.mem, BUFFER, bytes, sizeof bytes);
	describe(0, BUFFER, 1022);
	describe(1, BUFFER + 1022, 2 | EOT);
	ide_rig_command(&rig, 0xca, 200, 2);
	ide_rig_out(&rig, COMMAND, START_WRITE);
	ck_assert_uint_eq(ide_rig_irq(&rig), 0x50);
	ck_assert_uint_eq(status(), 0x04);
	ck_assert_mem_eq(blk_memory_data(rig.disk) + 200 * 512, bytes, 1024);
	ck_assert_uint_eq(blk_memory_data(rig.disk)[202 * 512], ide_rig_byte(202, 0));
}
END_TEST

START_TEST(lba48_beyond_the_drive_s_buffer)
{
	for (unsigned i = 0; i < 3; i++)
		describe(i, BUFFER + i * 0x10000, i == 2 ? EOT : 0); /* 0: 64 KiB */
	ide_rig_command_ext(&rig, 0x25, 1000, 384);
	ide_rig_out(&rig, COMMAND, START_READ);
	ck_assert_uint_eq(ide_rig_irq(&rig), 0x50);
	ck_assert_uint_eq(status(), 0x04);
	expect_memory(BUFFER, 1000, 0, 384 * 512);
	ide_rig_out(&rig, COMMAND, 0);
	for (unsigned fua = 0; fua < 2; fua++) {
		unsigned flushes = blk_memory_flushes(rig.disk);
		ide_rig_command_ext(&rig, fua ? 0x3d : 0x35, 100, 384);
		ide_rig_out(&rig, COMMAND, START_WRITE);
		ck_assert_uint_eq(ide_rig_irq(&rig), 0x50);
		ide_rig_out(&rig, COMMAND, 0);
		for (unsigned i = 0; i < 384 * 512; i++)
			ck_assert_uint_eq(blk_memory_data(rig.disk)[100 * 512 + i], ide_rig_byte(1000 + i / 512, i % 512));
		ck_assert_uint_eq(blk_memory_flushes(rig.disk), flushes + fua);
	}
}
END_TEST

START_TEST(table_longer_than_the_transfer)
{
	describe(0, BUFFER, 4096 | EOT);
	ide_rig_command(&rig, 0xc8, 1, 1);
	ide_rig_out(&rig, COMMAND, START_READ);
	ck_assert_uint_eq(ide_rig_irq(&rig), 0x50);
	ck_assert_uint_eq(status(), 0x05); /* still active */
	ide_rig_out(&rig, COMMAND, 0);
	ck_assert_uint_eq(status(), 0x04);
}
END_TEST

START_TEST(table_shorter_than_the_transfer)
{
	describe(0, BUFFER, 512 | EOT);
	ide_rig_command(&rig, 0xc8, 1, 2);
	ide_rig_out(&rig, COMMAND, START_READ);
	ide_rig_no_irq(&rig);
	ck_assert_uint_eq(status(), 0x00); /* not active, no interrupt, no error */
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_CONTROL), 0x58);
	ide_rig_out(&rig, COMMAND, 0); /* another table takes the rest */
	ide_rig_out(&rig, COMMAND, START_READ);
	ck_assert_uint_eq(ide_rig_irq(&rig), 0x50);
	expect_memory(BUFFER, 2, 0, 512);
	ide_rig_out(&rig, COMMAND, 0);
	ide_rig_command(&rig, 0xc8, 1, 2); /* or a reset ends it */
	ide_rig_out(&rig, COMMAND, START_READ);
	ide_rig_out(&rig, RIG_CONTROL, 4);
	ide_rig_out(&rig, RIG_CONTROL, 0);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_COMMAND), 0x50);
}
END_TEST

START_TEST(direction_must_fit)
{
	describe(0, BUFFER, 512 | EOT);
	ide_rig_command(&rig, 0xc8, 1, 1);
	ide_rig_out(&rig, COMMAND, START_WRITE);
	ide_rig_no_irq(&rig);
	ck_assert_uint_eq(status(), 0x02);
	ide_rig_out(&rig, STATUS, 0x02);
	ide_rig_out(&rig, COMMAND, 0);
	ide_rig_out(&rig, COMMAND, START_READ);
	ck_assert_uint_eq(ide_rig_irq(&rig), 0x50);
	ck_assert_uint_eq(status(), 0x04);
}
END_TEST

START_TEST(hostile_tables)
{
	/* Not in memory, at the end of it, at the end of the address space. */
	static const uint32_t tables[] = { 0xd0000000, RIG_RAM - 4, 0xfffffffc };
	for (unsigned i = 0; i < G_N_ELEMENTS(tables); i++) {
		bus_write(rig.bus, POINTER, 4, tables[i]);
		ide_rig_command(&rig, 0xc8, 1, 1);
		ide_rig_out(&rig, COMMAND, START_READ);
		ide_rig_no_irq(&rig);
		ck_assert_uint_eq(status(), 0x02);
		ide_rig_out(&rig, COMMAND, 0);
		ide_rig_out(&rig, STATUS, 0x02);
	}
	/* Regions outside of memory swallow writes and read as ones. */
	bus_write(rig.bus, POINTER, 4, TABLE);
	describe(0, RIG_RAM - 256, 256);
	describe(1, 0xfffffffe, 256 | EOT);
	ide_rig_command(&rig, 0xc8, 9, 1);
	ide_rig_out(&rig, COMMAND, START_READ);
	ck_assert_uint_eq(ide_rig_irq(&rig), 0x50);
	expect_memory(RIG_RAM - 256, 9, 0, 256);
	ide_rig_out(&rig, COMMAND, 0);
	ide_rig_command(&rig, 0xca, 9, 1);
	ide_rig_out(&rig, COMMAND, START_WRITE);
	ck_assert_uint_eq(ide_rig_irq(&rig), 0x50);
	ck_assert_uint_eq(blk_memory_data(rig.disk)[9 * 512 + 255], ide_rig_byte(9, 255));
	ck_assert_uint_eq(blk_memory_data(rig.disk)[9 * 512 + 256], 0xff);
}
END_TEST

/* A table that the transfer overwrites, odd addresses and sizes, no end mark: it
 * must come to an end by itself. */
START_TEST(table_without_an_end)
{
	for (unsigned i = 0; i < 1024; i++)
		describe(i, BUFFER + 1, 3);
	describe(1024, TABLE, 0xffff);
	ide_rig_command(&rig, 0xc8, 0, 0);
	ide_rig_out(&rig, COMMAND, START_READ);
	ide_rig_wait(&rig);
	ide_rig_out(&rig, COMMAND, 0);
	ck_assert_uint_eq(status() & 1, 0);
	ck_assert_uint_eq(mem_read(rig.mem, BUFFER, 1), ide_rig_byte(2047 / 512, 2046 % 512));
}
END_TEST

START_TEST(drive_errors)
{
	describe(0, BUFFER, 0x2000 | EOT);
	blk_memory_fail(rig.disk, 13, 13, -EIO);
	ide_rig_command(&rig, 0xc8, 10, 8);
	ide_rig_out(&rig, COMMAND, START_READ);
	ck_assert_uint_eq(ide_rig_irq(&rig), 0x51);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_ERROR), 0x40);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_LOW), 13);
	ck_assert_uint_eq(status(), 0x05);
	expect_memory(BUFFER, 10, 0, 3 * 512);
	ide_rig_out(&rig, COMMAND, 0);
	ide_rig_command(&rig, 0xca, 10, 8);
	ide_rig_out(&rig, COMMAND, START_WRITE);
	ck_assert_uint_eq(ide_rig_irq(&rig), 0x71);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_LOW), 13);
	blk_memory_fail(rig.disk, 0, 0, 0);
}
END_TEST

START_TEST(interrupt_bit_follows_the_line)
{
	ide_rig_out(&rig, RIG_CONTROL, 0x02);
	ide_rig_command(&rig, 0x40, 0, 1);
	ide_rig_wait(&rig);
	ck_assert_uint_eq(status(), 0);
	ide_rig_out(&rig, RIG_CONTROL, 0x00);
	ide_rig_wait(&rig);
	ck_assert_uint_eq(status(), 0x04); /* for PIO as well */
	ide_rig_in(&rig, RIG_COMMAND);
	ck_assert_uint_eq(status(), 0x04); /* latched */
}
END_TEST

static void packet(const uint8_t *bytes)
{
	ide_rig_out(&rig, RIG_DEVICE, 0xb0);
	ide_rig_out(&rig, RIG_ERROR, 0x01); /* DMA */
	ide_rig_out(&rig, RIG_MID, 0);
	ide_rig_out(&rig, RIG_HIGH, 0);
	ide_rig_out(&rig, RIG_COMMAND, 0xa0);
	ide_rig_write_words(&rig, bytes, 6);
}

START_TEST(packet_dma)
{
	static const uint8_t ready[12], read[12] = { 0x28, [5] = 20, [8] = 40 }, sense[12] = { 0x03, [4] = 17 };
	packet(ready);
	ck_assert_uint_eq(ide_rig_irq(&rig), 0x51); /* power-on attention */
	describe(0, BUFFER, 18 | EOT);
	ide_rig_out(&rig, COMMAND, START_READ);
	packet(sense); /* an odd size */
	ck_assert_uint_eq(ide_rig_irq(&rig), 0x50);
	ck_assert_uint_eq(mem_read(rig.mem, BUFFER + 2, 1), 6);
	ck_assert_uint_eq(mem_read(rig.mem, BUFFER + 12, 1), 0x29);
	ide_rig_out(&rig, COMMAND, 0);
	describe(0, BUFFER, 0x8000);
	describe(1, BUFFER + 0x8000, 0xc000 | EOT);
	packet(read); /* 80 KiB */
	ide_rig_no_irq(&rig);
	ide_rig_out(&rig, COMMAND, START_READ);
	ck_assert_uint_eq(ide_rig_irq(&rig), 0x50);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_COUNT), 3);
	ck_assert_uint_eq(status(), 0x04);
	expect_memory(BUFFER, 80, 0, 40 * 2048);
}
END_TEST

START_TEST(state_between_tables)
{
	describe(0, BUFFER, 512 | EOT);
	ide_rig_command(&rig, 0xc8, 30, 2);
	ide_rig_out(&rig, COMMAND, START_READ);
	ide_rig_move(&rig);
	ide_rig_out(&rig, COMMAND, 0);
	ide_rig_out(&rig, COMMAND, START_READ);
	ck_assert_uint_eq(ide_rig_irq(&rig), 0x50);
	expect_memory(BUFFER, 31, 0, 512);
}
END_TEST

Suite *suite_bmdma(void)
{
	const TTest *const tests[] = {
		registers, read_dma, bus_master_first, write_dma, lba48_beyond_the_drive_s_buffer,
		table_longer_than_the_transfer, table_shorter_than_the_transfer, direction_must_fit, hostile_tables,
		table_without_an_end, drive_errors, interrupt_bit_follows_the_line, packet_dma, state_between_tables,
	};
	Suite *suite = suite_create("bmdma");
	TCase *tcase = tcase_create("bmdma");
	tcase_add_checked_fixture(tcase, setup, teardown);
	for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	return suite;
}
