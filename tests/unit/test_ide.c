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

START_TEST(registers_hold)
{
	ide_rig_out(&rig, RIG_COUNT, 0x55);
	ide_rig_out(&rig, RIG_LOW, 0xaa);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_COUNT), 0x55);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_LOW), 0xaa);
	ide_rig_out(&rig, RIG_COUNT, 0xaa);
	ide_rig_out(&rig, RIG_CONTROL, 0x80); /* HOB */
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_COUNT), 0x55);
	ide_rig_out(&rig, RIG_MID, 1); /* clears HOB */
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_COUNT), 0xaa);
	bus_write(rig.bus, RIG_COUNT, 2, 0x1234);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_LOW), 0x12);
	ck_assert_uint_eq(bus_read(rig.bus, RIG_COUNT, 2), 0x1234);
}
END_TEST

START_TEST(absent_drives)
{
	/* An empty channel floats. */
	ck_assert_uint_eq(ide_rig_in(&rig, 0x177), 0x7f);
	ck_assert_uint_eq(ide_rig_in(&rig, 0x376), 0x7f);
	ide_rig_out(&rig, 0x172, 0x55);
	ck_assert_uint_eq(ide_rig_in(&rig, 0x172), 0x7f);
	ide_rig_out(&rig, 0x177, 0xec);
	ide_rig_wait(&rig);
	ck_assert_uint_eq(rig.edges[1], 0);
	ck_assert_uint_eq(bus_read(rig.bus, 0x170, 2), 0xff7f);
	/* Drive 0 answers for an absent drive 1, whose status is 0. */
	ide_attach_disk(rig.ide, 1, 0, blk_memory_new(512 * 100, false));
	ide_rig_out(&rig, 0x176, 0xb0);
	ck_assert_uint_eq(ide_rig_in(&rig, 0x177), 0);
	ck_assert_uint_eq(ide_rig_in(&rig, 0x376), 0);
	ide_rig_out(&rig, 0x177, 0xec);
	ck_assert_uint_eq(ide_rig_in(&rig, 0x177), 0);
	ide_rig_wait(&rig);
	ck_assert_uint_eq(rig.edges[1], 0);
	ide_rig_out(&rig, 0x176, 0xa0);
	ck_assert_uint_eq(ide_rig_in(&rig, 0x177), READY);
}
END_TEST

START_TEST(second_channel)
{
	ide_attach_disk(rig.ide, 1, 0, blk_memory_new(512 * 100, false));
	ide_rig_out(&rig, 0x176, 0xe0);
	ide_rig_out(&rig, 0x177, 0xec);
	ide_rig_wait(&rig);
	ck_assert_uint_eq(rig.edges[1], 1);
	ck_assert_uint_eq(rig.edges[0], 0);
	ck_assert_uint_eq(ide_rig_in(&rig, 0x376), DRQ);
	ck_assert_uint_eq(rig.level[1], 1); /* the alternate status leaves it */
	ck_assert_uint_eq(ide_rig_in(&rig, 0x177), DRQ);
	ck_assert_uint_eq(rig.level[1], 0);
}
END_TEST

START_TEST(channel_disabled)
{
	ide_set_channel_enabled(rig.ide, 0, false);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_COMMAND), 0xff);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_CONTROL), 0xff);
	ide_set_channel_enabled(rig.ide, 0, true);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_COMMAND), READY);
}
END_TEST

START_TEST(soft_reset)
{
	ide_rig_command(&rig, 0x20, 5, 3);
	ide_rig_out(&rig, RIG_CONTROL, 0x04);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_CONTROL), 0x80);
	ide_rig_out(&rig, RIG_COMMAND, 0xec); /* is ignored */
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_COMMAND), 0x80);
	ide_rig_out(&rig, RIG_CONTROL, 0x00);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_COMMAND), READY);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_ERROR), 0x01);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_COUNT), 1);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_LOW), 1);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_MID), 0);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_HIGH), 0);
	ide_rig_no_irq(&rig);
	ide_rig_out(&rig, RIG_DEVICE, 0xb0);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_COMMAND), 0);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_MID), 0x14);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_HIGH), 0xeb);
}
END_TEST

START_TEST(execute_diagnostic)
{
	ide_rig_out(&rig, RIG_DEVICE, 0xf0); /* whoever is selected */
	ide_rig_out(&rig, RIG_COMMAND, 0x90);
	ck_assert_uint_eq(ide_rig_irq(&rig), READY);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_ERROR), 0x01);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_DEVICE) & 0x1f, 0);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_MID), 0);
}
END_TEST

/* Words, double words and a byte may mix; a double word may span two sectors. */
START_TEST(data_port_sizes)
{
	uint8_t expected[1024];
	for (unsigned i = 0; i < 1024; i++)
		expected[i] = ide_rig_byte(i / 512, i % 512);
	ide_rig_command(&rig, 0x20, 0, 2);
	ck_assert_uint_eq(bus_read(rig.bus, RIG_DATA, 1), expected[0]);
	for (unsigned at = 2; at < 1022; at += 4) {
		uint32_t value = bus_read(rig.bus, RIG_DATA, 4);
		ck_assert_mem_eq(&value, expected + at, 4);
	}
	ck_assert_uint_eq(bus_read(rig.bus, RIG_DATA, 2), (unsigned)(expected[1022] | expected[1023] << 8));
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_COMMAND), READY);
}
END_TEST

START_TEST(odd_multiple_reads)
{
	uint8_t bytes[1024];
	ide_rig_command(&rig, 0x20, 0, 2);
	ide_rig_read_words(&rig, bytes, 1);
	bus_read_many(rig.bus, RIG_DATA, 4, bytes + 2, 255);
	ide_rig_read_words(&rig, bytes + 1022, 1);
	for (unsigned i = 0; i < 1024; i++)
		ck_assert_uint_eq(bytes[i], ide_rig_byte(i / 512, i % 512));
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_COMMAND), READY);
}
END_TEST

START_TEST(interrupts)
{
	ide_rig_out(&rig, RIG_CONTROL, 0x02); /* nIEN */
	ide_rig_command(&rig, 0x40, 0, 1);
	ide_rig_no_irq(&rig);
	ide_rig_out(&rig, RIG_CONTROL, 0x00); /* it was pending */
	ck_assert_uint_eq(ide_rig_irq(&rig), READY);
	/* Shows only while its drive is selected. */
	ide_rig_command(&rig, 0x40, 0, 1);
	ide_rig_wait(&rig);
	ck_assert_uint_eq(rig.level[0], 1);
	ide_rig_out(&rig, RIG_DEVICE, 0xf0);
	ck_assert_uint_eq(rig.level[0], 0);
	ide_rig_out(&rig, RIG_DEVICE, 0xe0);
	rig.edges[0] = 0;
	ck_assert_uint_eq(ide_rig_irq(&rig), READY);
	/* Status read before the line rose, and a new command, take it away. */
	ide_rig_command(&rig, 0x40, 0, 1);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_COMMAND), READY);
	ide_rig_no_irq(&rig);
	ide_rig_command(&rig, 0x40, 0, 1);
	ide_rig_command(&rig, 0x30, 0, 1);
	ide_rig_no_irq(&rig);
	/* A host that polls the alternate status still gets the last block's. */
	ide_rig_command(&rig, 0x20, 0, 1);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_CONTROL), DRQ);
	ide_rig_expect_sector(&rig, 0);
	ck_assert_uint_eq(ide_rig_irq(&rig), READY);
}
END_TEST

START_TEST(state_in_mid_transfer)
{
	ide_rig_command(&rig, 0x20, 10, 3);
	ide_rig_irq(&rig);
	ide_rig_expect_sector(&rig, 10);
	uint16_t first = (uint16_t)bus_read(rig.bus, RIG_DATA, 2);
	ck_assert_uint_eq(first & 0xff, ide_rig_byte(11, 0));
	ide_rig_move(&rig);
	uint8_t rest[510];
	ide_rig_read_words(&rig, rest, 255);
	ck_assert_uint_eq(rest[0], ide_rig_byte(11, 2));
	ck_assert_uint_eq(ide_rig_irq(&rig), DRQ);
	ide_rig_expect_sector(&rig, 12);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_COMMAND), READY);
	ide_rig_command(&rig, 0x30, 10, 1);
	ide_rig_move(&rig);
	uint8_t bytes[512];
	memset(bytes, 0x77, sizeof bytes);
	ide_rig_write_words(&rig, bytes, 256);
	ck_assert_uint_eq(ide_rig_irq(&rig), READY);
	ck_assert_mem_eq(blk_memory_data(rig.disk) + 10 * 512, bytes, 512);
}
END_TEST

/* Each byte of a saved state broken in turn: it loads or is refused, and then the
 * controller works on without touching what it should not (sanitizers look). */
START_TEST(state_damaged)
{
	size_t size;
	uint8_t bytes[1024];
	ide_attach_disk(rig.ide, 0, 0, blk_memory_new(8 * 512, false));
	ide_attach_cdrom(rig.ide, 0, 1, NULL);
	ide_rig_command(&rig, 0x30, 1, 3);
	struct snap *save = snap_new_save();
	ide_state(rig.ide, save);
	uint8_t *copy = g_memdup2(snap_data(save, &size), 1400);
	ck_assert_uint_gt(size, 1400);
	for (size_t i = 0; i < 1400; i++) {
		uint8_t old = copy[i];
		copy[i] = (uint8_t)(i % 2 ? 0xff : old + 1);
		struct snap *load = snap_new_load(copy, 1400);
		ide_state(rig.ide, load);
		ck_assert_ptr_nonnull(snap_error(load)); /* at the latest at its cut end */
		snap_free(load);
		ide_set_channel_enabled(rig.ide, 0, true);
		memset(bytes, 1, sizeof bytes);
		ide_rig_write_words(&rig, bytes, 512);
		ide_rig_read_words(&rig, bytes, 512);
		copy[i] = old;
	}
	g_free(copy);
	snap_free(save);
}
END_TEST

START_TEST(other_drives_refuse_the_state)
{
	size_t size;
	struct snap *save = snap_new_save();
	ide_state(rig.ide, save);
	const void *data = snap_data(save, &size);
	ide_change_cdrom(rig.ide, 0, 1, NULL, true);
	struct snap *load = snap_new_load(data, size);
	ide_state(rig.ide, load);
	ck_assert_ptr_nonnull(snap_error(load));
	snap_free(load);
	snap_free(save);
}
END_TEST

Suite *suite_ide(void)
{
	const TTest *const tests[] = {
		registers_hold, absent_drives, second_channel, channel_disabled, soft_reset, execute_diagnostic,
		data_port_sizes, odd_multiple_reads, interrupts, state_in_mid_transfer, state_damaged,
		other_drives_refuse_the_state,
	};
	Suite *suite = suite_create("ide");
	TCase *tcase = tcase_create("ide");
	tcase_add_checked_fixture(tcase, setup, teardown);
	for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	return suite;
}
