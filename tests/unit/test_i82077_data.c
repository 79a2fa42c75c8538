#include <errno.h>

#include "tests/unit/i82077_rig.h"

START_TEST(read_by_dma)
{
	seek_to(2);
	program_dma(0x46, 3 * 512);
	SEND(0xe6, 0x04, 2, 1, 5, 2, 18, 0x1b, 0xff);
	expect_result(0x04, 0, 0, 2, 1, 8);
	expect_memory((2 * 2 + 1) * 18 + 4, 3 * 512);
	ck_assert_uint_eq(mem_read(mem, BUFFER + 3 * 512, 1), 0);
	expect_no_irq();
}
END_TEST

START_TEST(read_over_both_heads)
{
	program_dma(0x46, 36 * 512);
	SEND(0xe6, 0x00, 0, 0, 1, 2, 18, 0x1b, 0xff); /* MT */
	expect_result(0x00, 0, 0, 1, 0, 1);
	expect_memory(0, 36 * 512);
	program_dma(0x46, 18 * 512);
	SEND(0xe6, 0x00, 0, 0, 1, 2, 18, 0x1b, 0xff); /* ends at the end of head 0 */
	expect_result(0x04, 0, 0, 0, 1, 1);
	program_dma(0x46, 18 * 512);
	SEND(0x66, 0x00, 0, 0, 1, 2, 18, 0x1b, 0xff); /* without MT */
	expect_result(0x00, 0, 0, 1, 0, 1);
}
END_TEST

START_TEST(end_of_cylinder)
{
	program_dma(0x46, 4 * 512);
	SEND(0x66, 0x00, 0, 0, 17, 2, 18, 0x1b, 0xff);
	expect_result(0x40, 0x80, 0, 1, 0, 1);
	expect_memory(16, 2 * 512);
	program_dma(0x46, 4 * 512);
	SEND(0x66, 0x00, 0, 0, 17, 2, 19, 0x1b, 0xff); /* EOT past the last sector */
	expect_result(0x40, 0x04, 0, 0, 0, 19);
}
END_TEST

/* The terminal count may come within a sector. */
START_TEST(partial_sector)
{
	program_dma(0x46, 512 + 10);
	SEND(0x66, 0x00, 0, 0, 1, 2, 18, 0x1b, 0xff);
	expect_result(0x00, 0, 0, 0, 0, 3);
	expect_memory(0, 522);
	ck_assert_uint_eq(mem_read(mem, BUFFER + 522, 1), 0);
	fill_memory(600, 0x99);
	program_dma(0x4a, 512 + 10);
	SEND(0x45, 0x00, 0, 0, 1, 2, 18, 0x1b, 0xff);
	expect_result(0x00, 0, 0, 0, 0, 3);
	ck_assert_uint_eq(blk_memory_data(disk)[521], 0x99);
	ck_assert_uint_eq(blk_memory_data(disk)[522], 0);
	ck_assert_uint_eq(blk_memory_data(disk)[1023], 0);
	ck_assert_uint_eq(blk_memory_data(disk)[1024], pattern(2, 0));
}
END_TEST

START_TEST(dma_waits)
{
	program_dma(0x46, 512);
	out(0x0a, 0x06); /* channel 2 is masked */
	SEND(0x66, 0x00, 0, 0, 4, 2, 18, 0x1b, 0xff);
	expect_no_irq();
	ck_assert_uint_eq(in(MSR), 0x10);
	out(0x0a, 0x02);
	expect_result(0x00, 0, 0, 0, 0, 5);
	expect_memory(3, 512);
	out(DOR, 0x14); /* the gate in the DOR is closed */
	program_dma(0x46, 512);
	SEND(0x66, 0x00, 0, 0, 4, 2, 18, 0x1b, 0xff);
	ck_assert_uint_eq(in(MSR), 0x10);
	out(DOR, 0x1c);
	expect_result(0x00, 0, 0, 0, 0, 5);
	out(0x0a, 0x06); /* a reset ends a wait */
	SEND(0x66, 0x00, 0, 0, 4, 2, 18, 0x1b, 0xff);
	leave_reset();
	out(0x0a, 0x02);
	expect_no_irq();
}
END_TEST

START_TEST(write_by_dma)
{
	fill_memory(2 * 512, 0x42);
	seek_to(79);
	program_dma(0x4a, 2 * 512);
	SEND(0xc5, 0x04, 79, 1, 17, 2, 18, 0x1b, 0xff);
	expect_result(0x00, 0, 0, 80, 0, 1);
	ck_assert_uint_eq(blk_memory_data(disk)[2878 * 512], 0x42);
	ck_assert_uint_eq(blk_memory_data(disk)[2880 * 512 - 1], 0x42);
	ck_assert_uint_eq(blk_memory_data(disk)[2878 * 512 - 1], pattern(2877, 511));
}
END_TEST

START_TEST(write_protected)
{
	put_disk(SECTORS_144, true);
	static const uint8_t codes[] = { 0x45, 0x49 };
	for (unsigned i = 0; i < 2; i++) {
		program_dma(0x4a, 512);
		SEND(codes[i], 0x00, 0, 0, 1, 2, 18, 0x1b, 0xff);
		expect_result(0x40, 0x02, 0, 0, 0, 1);
	}
	SEND(0x4d, 0x00, 2, 18, 0x54, 0xf6);
	expect_result(0x40, 0x02, 0, 0, 0, 1);
}
END_TEST

START_TEST(not_found)
{
	static const struct {
		uint8_t command[9], st0, st1, st2;
	} cases[] = {
		{ { 0x66, 0, 0, 0, 19, 2, 18, 0x1b, 0xff }, 0x40, 0x04, 0x00 }, /* no such sector */
		{ { 0x66, 0, 0, 0, 0, 2, 18, 0x1b, 0xff }, 0x40, 0x04, 0x00 },
		{ { 0x66, 0, 5, 0, 1, 2, 18, 0x1b, 0xff }, 0x40, 0x04, 0x10 },  /* head is elsewhere */
		{ { 0x66, 0, 0, 1, 1, 2, 18, 0x1b, 0xff }, 0x40, 0x04, 0x00 },  /* H is not the head */
		{ { 0x26, 0, 0, 0, 1, 2, 18, 0x1b, 0xff }, 0x40, 0x01, 0x00 },  /* FM */
		{ { 0x66, 1, 0, 0, 1, 2, 18, 0x1b, 0xff }, 0x41, 0x01, 0x00 },  /* no drive */
		{ { 0x66, 3, 0, 0, 1, 2, 18, 0x1b, 0xff }, 0x43, 0x01, 0x00 },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		program_dma(0x46, 512);
		send(cases[i].command, 9);
		expect_result(cases[i].st0, cases[i].st1, cases[i].st2, cases[i].command[2], cases[i].command[3], cases[i].command[4]);
	}
	SEND(0x66, 0, 0, 0, 1, 3, 18, 0x1b, 0xff); /* sectors of 1,024 bytes */
	expect_irq();
	receive(7);
	ck_assert_uint_eq(result[1], 0x04);
	seek_to(80);
	SEND(0x66, 0, 80, 0, 1, 2, 18, 0x1b, 0xff); /* beyond the formatted tracks */
	expect_result(0x40, 0x01, 0, 80, 0, 1);
	i82077_eject(fdc, 0);
	SEND(0x4a, 0);
	expect_irq();
	receive(7);
	ck_assert_uint_eq(result[0], 0x40);
	ck_assert_uint_eq(result[1], 0x01);
}
END_TEST

START_TEST(single_sided)
{
	put_disk(360, false);
	out(CCR, 2);
	program_dma(0x46, 10 * 512);
	seek_to(3);
	SEND(0x66, 0x00, 3, 0, 1, 2, 9, 0x1b, 0xff);
	expect_result(0x40, 0x80, 0, 4, 0, 1);
	expect_memory(27, 9 * 512);
	SEND(0x66, 0x04, 3, 1, 1, 2, 9, 0x1b, 0xff);
	expect_result(0x44, 0x01, 0, 3, 1, 1);
}
END_TEST

START_TEST(read_track)
{
	program_dma(0x46, 18 * 512);
	SEND(0x42, 0x00, 0, 0, 1, 2, 18, 0x1b, 0xff);
	expect_irq();
	receive(7);
	ck_assert_uint_eq(result[0], 0x00);
	ck_assert_uint_eq(result[1], 0x00);
	expect_memory(0, 18 * 512);
	program_dma(0x46, 10 * 512);
	SEND(0x42, 0x00, 9, 0, 1, 2, 5, 0x1b, 0xff); /* other IDs: told, and read all the same */
	expect_irq();
	receive(7);
	ck_assert_uint_eq(result[0], 0x40);
	ck_assert_uint_eq(result[1], 0x84);
	expect_memory(0, 5 * 512);
}
END_TEST

START_TEST(deleted_data)
{
	fill_memory(512, 0xdd);
	program_dma(0x4a, 512);
	SEND(0x49, 0x00, 0, 0, 2, 2, 18, 0x1b, 0xff);
	expect_result(0x00, 0, 0, 0, 0, 3);
	program_dma(0x46, 3 * 512);
	SEND(0x46, 0x00, 0, 0, 1, 2, 18, 0x1b, 0xff); /* stops behind the deleted one */
	expect_result(0x00, 0, 0x40, 0, 0, 2);
	ck_assert_uint_eq(mem_read(mem, BUFFER + 512, 1), 0xdd);
	ck_assert_uint_eq(mem_read(mem, BUFFER + 1024, 1), 0);
	program_dma(0x46, 3 * 512);
	SEND(0xe6, 0x00, 0, 0, 1, 2, 18, 0x1b, 0xff); /* SK: leaves it out */
	expect_result(0x00, 0, 0x40, 0, 0, 5);
	ck_assert_uint_eq(mem_read(mem, BUFFER + 512, 1), pattern(2, 0));
	program_dma(0x46, 512);
	SEND(0x6c, 0x00, 0, 0, 1, 2, 18, 0x1b, 0xff); /* READ DELETED with SK finds it */
	expect_result(0x00, 0, 0x40, 0, 0, 3);
	ck_assert_uint_eq(mem_read(mem, BUFFER, 1), 0xdd);
	fill_memory(512, 0x11);
	program_dma(0x4a, 512);
	SEND(0x45, 0x00, 0, 0, 2, 2, 18, 0x1b, 0xff); /* a normal write takes the mark away */
	expect_result(0x00, 0, 0, 0, 0, 3);
	program_dma(0x46, 512);
	SEND(0x66, 0x00, 0, 0, 2, 2, 18, 0x1b, 0xff);
	expect_result(0x00, 0, 0, 0, 0, 3);
}
END_TEST

START_TEST(format_track)
{
	for (unsigned i = 0; i < 18; i++)
		mem_write(mem, BUFFER + 4 * i, 4, 5 | 1 << 8 | (i + 1) << 16 | 2u << 24);
	seek_to(5);
	program_dma(0x4a, 18 * 4);
	SEND(0x4d, 0x04, 2, 18, 0x54, 0xf6);
	expect_irq();
	receive(7);
	ck_assert_uint_eq(result[0], 0x04);
	ck_assert_uint_eq(result[1], 0);
	const uint8_t *data = blk_memory_data(disk);
	for (unsigned i = 0; i < 18 * 512; i++)
		ck_assert_uint_eq(data[(5 * 2 + 1) * 18 * 512 + i], 0xf6);
	ck_assert_uint_eq(data[(5 * 2 + 1) * 18 * 512 - 1], pattern(197, 511));
	ck_assert_uint_eq(data[(5 * 2 + 2) * 18 * 512], pattern(216, 0));
	/* IDs that no image can hold change nothing. */
	mem_write(mem, BUFFER, 4, 6 | 1 << 8 | 1 << 16 | 2u << 24);
	mem_write(mem, BUFFER + 4, 4, 5 | 0 << 8 | 1 << 16 | 2u << 24);
	mem_write(mem, BUFFER + 8, 4, 5 | 1 << 8 | 200 << 16 | 2u << 24);
	mem_write(mem, BUFFER + 12, 4, 5 | 1 << 8 | 1 << 16 | 3u << 24);
	uint8_t *before = g_memdup2(data, SECTORS_144 * 512);
	program_dma(0x4a, 16);
	SEND(0x4d, 0x04, 2, 4, 0x54, 0x00);
	expect_irq();
	receive(7);
	ck_assert_mem_eq(data, before, SECTORS_144 * 512);
	g_free(before);
}
END_TEST

START_TEST(scan)
{
	static const struct {
		uint8_t code, host, st2;
	} cases[] = {
		{ 0x51, 0x40, 0x08 }, { 0x51, 0x41, 0x04 }, { 0x51, 0xff, 0x08 }, /* equal */
		{ 0x59, 0x40, 0x08 }, { 0x59, 0x41, 0x00 }, { 0x59, 0x3f, 0x04 }, /* disk is lower */
		{ 0x5d, 0x40, 0x08 }, { 0x5d, 0x41, 0x04 }, { 0x5d, 0x3f, 0x00 }, /* disk is higher */
	};
	memset(blk_memory_data(disk), 0x40, 512);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		fill_memory(512, cases[i].host);
		program_dma(0x4a, 512);
		SEND(cases[i].code, 0x00, 0, 0, 1, 2, 1, 0x1b, 1);
		expect_irq();
		receive(7);
		ck_assert_uint_eq(result[0], 0x00);
		ck_assert_msg(result[2] == cases[i].st2, "case %u: ST2 %02x", i, result[2]);
	}
	/* Sector 3 matches; a step of 2 gets there, too. */
	memset(blk_memory_data(disk) + 2 * 512, 0x55, 512);
	for (unsigned step = 1; step <= 2; step++) {
		fill_memory(3 * 512, 0x55);
		program_dma(0x4a, 3 * 512);
		SEND(0x51, 0x00, 0, 0, 1, 2, 18, 0x1b, (uint8_t)step);
		expect_result(0x00, 0, 0x08, 0, 0, 3);
	}
}
END_TEST

START_TEST(verify)
{
	SEND(0x56, 0x00, 0, 0, 1, 2, 18, 0x1b, 0xff); /* to the end of the track */
	expect_result(0x00, 0, 0, 1, 0, 1);
	SEND(0x56, 0x80, 0, 0, 3, 2, 18, 0x1b, 4); /* EC: four sectors */
	expect_result(0x00, 0, 0, 0, 0, 7);
	SEND(0xd6, 0x80, 0, 0, 18, 2, 18, 0x1b, 2);
	expect_result(0x04, 0, 0, 0, 1, 2);
	SEND(0x56, 0x80, 0, 0, 17, 2, 18, 0x1b, 4);
	expect_result(0x40, 0x80, 0, 1, 0, 1);
	SEND(0x56, 0x00, 0, 0, 1, 2, 20, 0x1b, 0xff);
	expect_result(0x40, 0x04, 0, 0, 0, 19);
	blk_memory_fail(disk, 7, 7, -EIO);
	SEND(0x56, 0x00, 0, 0, 1, 2, 18, 0x1b, 0xff);
	expect_result(0x40, 0x20, 0x20, 0, 0, 8);
	blk_memory_fail(disk, 0, 0, 0);
}
END_TEST

START_TEST(host_errors)
{
	blk_memory_fail(disk, 1, 1, -EIO);
	program_dma(0x46, 3 * 512);
	SEND(0x66, 0x00, 0, 0, 1, 2, 18, 0x1b, 0xff);
	expect_result(0x40, 0x20, 0x20, 0, 0, 2);
	expect_memory(0, 512);
	program_dma(0x4a, 3 * 512);
	SEND(0x45, 0x00, 0, 0, 1, 2, 18, 0x1b, 0xff);
	expect_result(0x40, 0x20, 0x20, 0, 0, 2);
	blk_memory_fail(disk, 0, 0, 0);
}
END_TEST

START_TEST(programmed_io)
{
	SEND(0x03, 0xaf, 0x03); /* ND */
	SEND(0x66, 0x00, 0, 0, 18, 2, 18, 0x1b, 0xff);
	for (unsigned i = 0; i < 512; i++) {
		expect_irq(); /* for each byte */
		ck_assert_uint_eq(in(MSR), 0xf0);
		ck_assert_uint_eq(in(FIFO), pattern(17, i));
		ck_assert(!line);
	}
	expect_result(0x40, 0x80, 0, 1, 0, 1); /* there is no terminal count */
	SEND(0x45, 0x00, 0, 0, 18, 2, 18, 0x1b, 0xff);
	for (unsigned i = 0; i < 512; i++) { /* polled */
		ck_assert_uint_eq(in(MSR), 0xb0);
		out(FIFO, 0x5a);
	}
	expect_result(0x40, 0x80, 0, 1, 0, 1);
	ck_assert_uint_eq(blk_memory_data(disk)[17 * 512 + 511], 0x5a);
}
END_TEST

Suite *suite_i82077_data(void)
{
	const TTest *const tests[] = {
		read_by_dma, read_over_both_heads, end_of_cylinder, partial_sector, dma_waits, write_by_dma,
		write_protected, not_found, single_sided, read_track, deleted_data, format_track, scan, verify,
		host_errors, programmed_io,
	};
	Suite *suite = suite_create("i82077_data");
	TCase *tcase = tcase_create("i82077_data");
	tcase_add_checked_fixture(tcase, setup, teardown);
	for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	return suite;
}
