#include "tests/unit/i82077_rig.h"

START_TEST(reset_and_registers)
{
	out(DOR, 0x00);
	ck_assert_uint_eq(in(MSR), 0);
	out(FIFO, 0x08); /* is not taken */
	out(DOR, 0x0c);
	ck_assert_uint_eq(in(DOR), 0x0c);
	ck_assert_uint_eq(in(MSR), 0x80);
	expect_irq();
	sense(0xc0, 0);
	ck_assert(!line);
	SEND(0x03, 0, 2); /* the other three statuses are not waited for */
	SEND(0x08);
	receive(1);
	ck_assert_uint_eq(result[0], 0x80);
	out(DSR, 0x80);
	expect_irq();
	sense(0xc0, 0);
	out(TDR, 0xff);
	ck_assert_uint_eq(in(TDR), 0xff);
	out(TDR, 0);
	ck_assert_uint_eq(in(TDR), 0xfc);
	ck_assert_uint_eq(in(0x3f0), 0xff);
	ck_assert_uint_eq(in(0x3f6), 0xff);
	out(DOR, 0x08); /* DMA gate stays, reset again */
	out(DOR, 0x04); /* gate closed: no interrupt gets out */
	expect_no_irq();
	out(DOR, 0x0c);
	ck_assert(line);
}
END_TEST

START_TEST(invalid_commands)
{
	static const uint8_t codes[] = { 0x00, 0x01, 0x0b, 0x15, 0x17, 0x18, 0x1f, 0xff, 0x88, 0x43, 0xa5 };
	for (unsigned i = 0; i < sizeof codes; i++) {
		SEND(codes[i]);
		receive(1);
		ck_assert_uint_eq(result[0], 0x80);
	}
	SEND(0x08); /* nothing to sense */
	receive(1);
	ck_assert_uint_eq(result[0], 0x80);
	expect_no_irq();
}
END_TEST

START_TEST(seek_and_recalibrate)
{
	SEND(0x0f, 0x00, 40);
	ck_assert_uint_eq(in(MSR), 0x81); /* drive 0 is busy */
	expect_irq();
	ck_assert_uint_eq(in(MSR), 0x81);
	sense(0x20, 40);
	ck_assert_uint_eq(in(MSR), 0x80);
	SEND(0xcf, 0x00, 10); /* relative, inwards */
	expect_irq();
	sense(0x20, 50);
	SEND(0x8f, 0x00, 30); /* outwards */
	expect_irq();
	sense(0x20, 20);
	SEND(0x8f, 0x00, 30); /* against the stop */
	expect_irq();
	sense(0x20, 0);
	seek_to(79);
	SEND(0x07, 0x00);
	expect_irq();
	sense(0x20, 0);
	SEND(0x0f, 0x00, 82); /* more steps than RECALIBRATE makes */
	expect_irq();
	sense(0x20, 82);
	SEND(0x07, 0x00);
	expect_irq();
	sense(0x70, 3);
	SEND(0x07, 0x00);
	expect_irq();
	sense(0x20, 0);
	SEND(0x07, 0x01); /* no drive there */
	expect_irq();
	sense(0x71, 0);
	SEND(0x0f, 0x00, 255); /* stops at the end of the mechanics */
	expect_irq();
	sense(0x20, 85);
}
END_TEST

START_TEST(overlapping_seeks)
{
	struct blk *second = make_disk(1440, false);
	ck_assert_ptr_null(i82077_insert(fdc, 1, second));
	SEND(0x0f, 0x00, 3);
	SEND(0x0f, 0x05, 7);
	ck_assert_uint_eq(in(MSR), 0x83);
	expect_irq();
	sense(0x20, 3);
	ck_assert(!line);
	expect_irq(); /* for the other one */
	sense(0x25, 7);
	expect_no_irq();
}
END_TEST

START_TEST(sense_drive_status)
{
	SEND(0x04, 0x04);
	receive(1);
	ck_assert_uint_eq(result[0], 0x3c);
	seek_to(1);
	SEND(0x04, 0x00);
	receive(1);
	ck_assert_uint_eq(result[0], 0x28);
	put_disk(SECTORS_144, true);
	SEND(0x04, 0x00);
	receive(1);
	ck_assert_uint_eq(result[0], 0x68);
	SEND(0x04, 0x01);
	receive(1);
	ck_assert_uint_eq(result[0], 0x29);
	expect_no_irq();
}
END_TEST

START_TEST(settings)
{
	SEND(0x10); /* VERSION */
	receive(1);
	ck_assert_uint_eq(result[0], 0x90);
	SEND(0x13, 0, 0x57, 0x20); /* CONFIGURE */
	SEND(0x12, 0xbd);          /* PERPENDICULAR MODE */
	SEND(0x12, 0x02);          /* without OW only GAP and WGATE */
	SEND(0x94);                /* LOCK */
	receive(1);
	ck_assert_uint_eq(result[0], 0x10);
	seek_to(9);
	SEND(0x0e); /* DUMPREG */
	receive(10);
	static const uint8_t expected[10] = { 9, 0, 0, 0, 0xaf, 0x02, 0, 0xbe, 0x57, 0x20 };
	ck_assert_mem_eq(result, expected, 10);
	out(DSR, 0x80);
	expect_no_irq(); /* polling is off */
	SEND(0x0e);
	receive(10);
	ck_assert_uint_eq(result[4], 0xaf);
	ck_assert_uint_eq(result[7], 0xbc);
	ck_assert_uint_eq(result[8], 0x57);
	SEND(0x14);
	receive(1);
	ck_assert_uint_eq(result[0], 0);
	out(DSR, 0x80);
	expect_irq();
	SEND(0x0e);
	receive(10);
	ck_assert_uint_eq(result[8], 0x20);
	ck_assert_uint_eq(result[9], 0);
}
END_TEST

START_TEST(data_rates)
{
	static const struct {
		uint32_t sectors;
		uint8_t rates, type;
	} disks[] = { { 320, 6, 1 }, { 360, 6, 1 }, { 640, 6, 1 }, { 720, 6, 1 }, { 1440, 4, 3 }, { 2400, 1, 2 },
	              { 2880, 1, 4 }, { 3360, 1, 4 }, { 3444, 1, 4 }, { 5760, 8, 5 } };
	for (unsigned i = 0; i < G_N_ELEMENTS(disks); i++) {
		put_disk(disks[i].sectors, false);
		ck_assert_uint_eq(i82077_medium_type(fdc, 0), disks[i].type);
		for (unsigned rate = 0; rate < 4; rate++) {
			out(i % 2 ? CCR : DSR, rate);
			SEND(0x4a, 0);
			expect_irq();
			receive(7);
			ck_assert_uint_eq(result[0], disks[i].rates >> rate & 1 ? 0x00 : 0x40);
			ck_assert_uint_eq(result[1], disks[i].rates >> rate & 1 ? 0x00 : 0x01);
		}
	}
	struct blk *odd = blk_memory_new(2881 * 512, false);
	ck_assert_ptr_nonnull(i82077_insert(fdc, 0, odd));
	ck_assert_uint_eq(i82077_medium_type(fdc, 0), 5); /* the old one stays */
	blk_free(odd);
	ck_assert_uint_eq(i82077_medium_type(fdc, 1), 0);
}
END_TEST

START_TEST(read_id)
{
	seek_to(4);
	for (unsigned i = 0; i < 20; i++) {
		SEND(0x4a, 0x04);
		expect_result(0x04, 0, 0, 4, 1, i % 18 + 1);
	}
	SEND(0x0a, 0x04); /* FM */
	expect_irq();
	receive(7);
	ck_assert_uint_eq(result[1], 0x01);
}
END_TEST

START_TEST(implied_seek)
{
	SEND(0x13, 0, 0x60, 0);
	program_dma(0x46, 512);
	SEND(0x66, 0x00, 33, 0, 1, 2, 18, 0x1b, 0xff);
	expect_result(0x20, 0, 0, 33, 0, 2);
	expect_memory(33 * 36, 512);
}
END_TEST

START_TEST(disk_change)
{
	ck_assert_uint_eq(in(RIG_DIR) & 0x80, 0x80); /* since power-on */
	SEND(0x07, 0x00);
	expect_irq();
	sense(0x20, 0);
	ck_assert_uint_eq(in(RIG_DIR) & 0x80, 0x80); /* no step was needed */
	seek_to(1);
	ck_assert_uint_eq(in(RIG_DIR) & 0x80, 0x00);
	i82077_eject(fdc, 0);
	ck_assert_uint_eq(in(RIG_DIR) & 0x80, 0x80);
	seek_to(2);
	ck_assert_uint_eq(in(RIG_DIR) & 0x80, 0x80); /* there is no disk */
	put_disk(SECTORS_144, false);
	ck_assert_uint_eq(in(RIG_DIR) & 0x80, 0x80);
	seek_to(1);
	ck_assert_uint_eq(in(RIG_DIR) & 0x80, 0x00);
	out(DOR, 0x1d); /* no drive B: the line is not pulled */
	ck_assert_uint_eq(in(RIG_DIR) & 0x80, 0x00);
}
END_TEST

START_TEST(disk_taken_out_under_a_write)
{
	SEND(0x03, 0xaf, 0x03);
	SEND(0x45, 0x00, 0, 0, 1, 2, 18, 0x1b, 0xff);
	out(FIFO, 1);
	i82077_eject(fdc, 0);
	for (unsigned i = 1; i < 512; i++)
		out(FIFO, 1);
	edges = 0;
	pass_time();
	receive(7);
	ck_assert_uint_eq(result[0], 0x40);
	ck_assert_uint_eq(result[1], 0x01);
	edges = 0;
	/* And a smaller one instead. */
	put_disk(5760, false);
	out(CCR, 3);
	seek_to(79);
	SEND(0x45, 0x04, 79, 1, 36, 2, 36, 0x1b, 0xff);
	out(FIFO, 1);
	put_disk(320, false);
	for (unsigned i = 1; i < 512; i++)
		out(FIFO, 1);
	edges = 0;
	pass_time();
	receive(7);
	ck_assert_uint_eq(result[0] & 0xc0, 0x40);
}
END_TEST

START_TEST(state)
{
	size_t size;
	SEND(0x03, 0xaf, 0x03);
	SEND(0x66, 0x00, 0, 0, 18, 2, 18, 0x1b, 0xff);
	for (unsigned i = 0; i < 100; i++)
		in(FIFO);
	struct snap *save = snap_new_save();
	i82077_state(fdc, save);
	const void *data = snap_data(save, &size);
	i82077_free(fdc);
	line = false;
	edges = 0;
	fdc = i82077_new(bus, NULL, (struct irq_line){ set_line, NULL, 6 }, clk);
	struct snap *load = snap_new_load(data, size);
	i82077_state(fdc, load);
	ck_assert_ptr_nonnull(snap_error(load)); /* there is no disk */
	snap_free(load);
	put_disk(SECTORS_144, false);
	load = snap_new_load(data, size);
	i82077_state(fdc, load);
	ck_assert_msg(!snap_error(load), "%s", snap_error(load));
	snap_free(load);
	snap_free(save);
	for (unsigned i = 100; i < 512; i++)
		ck_assert_uint_eq(in(FIFO), pattern(17, i));
	expect_result(0x40, 0x80, 0, 1, 0, 1);
}
END_TEST

/* See test_ide.c: whatever a file says, no access goes astray. */
START_TEST(state_damaged)
{
	size_t size;
	SEND(0x03, 0xaf, 0x03);
	SEND(0x45, 0x00, 0, 0, 18, 2, 18, 0x1b, 0xff);
	struct snap *save = snap_new_save();
	i82077_state(fdc, save);
	uint8_t *copy = g_memdup2(snap_data(save, &size), 1800);
	ck_assert_uint_gt(size, 1800);
	for (size_t i = 0; i < 1800; i++) {
		uint8_t old = copy[i];
		copy[i] = (uint8_t)(i % 2 ? 0xff : old + 1);
		struct snap *load = snap_new_load(copy, 1800);
		i82077_state(fdc, load);
		ck_assert_ptr_nonnull(snap_error(load));
		snap_free(load);
		for (unsigned n = 0; n < 520; n++)
			out(FIFO, 0x11);
		for (unsigned n = 0; n < 520; n++)
			in(FIFO);
		copy[i] = old;
	}
	g_free(copy);
	snap_free(save);
}
END_TEST

Suite *suite_i82077(void)
{
	const TTest *const tests[] = {
		reset_and_registers, invalid_commands, seek_and_recalibrate, overlapping_seeks, sense_drive_status,
		settings, data_rates, read_id, implied_seek, disk_change, disk_taken_out_under_a_write, state,
		state_damaged,
	};
	Suite *suite = suite_create("i82077");
	TCase *tcase = tcase_create("i82077");
	tcase_add_checked_fixture(tcase, setup, teardown);
	for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	return suite;
}
