#include "tests/unit/i8237_rig.h"
#include "tests/unit/snap_rig.h"

START_TEST(each_channel_writes_memory)
{
	unsigned n = channel_of(_i), unit = n < 4 ? 1 : 2;
	program(n, 0x44, 0x0a, 0x100, 199);
	ck_assert_uint_eq(to_memory(n, 100 * unit), 100 * unit);
	ck_assert(!tc);
	ck_assert_uint_eq(address_of(n), 0x100 + 100);
	ck_assert_uint_eq(count_of(n), 99);
	ck_assert_mem_eq(ram + 0xa0000 + 0x100 * unit, buffer, 100 * unit);
	ck_assert_uint_eq(to_memory(n, 1000), 100 * unit);
	ck_assert(tc);
	ck_assert_mem_eq(ram + 0xa0000 + (0x100 + 100) * unit, buffer, 100 * unit);
	ck_assert_uint_eq(ram[0xa0000 + (0x100 + 200) * unit], 0);
	ck_assert_uint_eq(count_of(n), 0xffff);
	ck_assert_uint_eq(in(port_of(n, 8)), 1u << (n & 3));
	ck_assert_uint_eq(in(port_of(n, 8)), 0); /* TC clears on read */
	ck_assert_uint_eq(in(port_of(n, 15)) & (1u << (n & 3)), 1u << (n & 3)); /* and masks */
	ck_assert_uint_eq(to_memory(n, 2), 0);
	ck_assert(!tc);
}
END_TEST

START_TEST(each_channel_reads_memory)
{
	unsigned n = channel_of(_i), unit = n < 4 ? 1 : 2;
	uint8_t *page = ram + (n < 4 ? 0x50000 : 0x40000); /* bit 0 of a word page is not used */
	for (unsigned i = 0; i < 64 * unit; i++)
		page[0x20 * unit + i] = PATTERN(i);
	program(n, 0x48, 0x05, 0x20, 63);
	ck_assert_uint_eq(from_memory(n, 64 * unit), 64 * unit);
	ck_assert(tc);
	for (unsigned i = 0; i < 64 * unit; i++)
		ck_assert_uint_eq(buffer[i], PATTERN(i));
}
END_TEST

START_TEST(address_wraps_in_its_page)
{
	unsigned n = channel_of(_i), unit = n < 4 ? 1 : 2;
	unsigned page = 0x20000;
	program(n, 0x44, 0x02, 0xfffc, 0xffff);
	ck_assert_uint_eq(to_memory(n, 0x10000 * unit), 0x10000 * unit);
	ck_assert(tc);
	ck_assert_mem_eq(ram + page + 0xfffc * unit, buffer, 4 * unit);
	ck_assert_mem_eq(ram + page, buffer + 4 * unit, 0xfffc * unit);
	ck_assert_uint_eq(ram[page + 0x10000 * unit], 0);
	ck_assert_uint_eq(address_of(n), 0xfffc);
}
END_TEST

START_TEST(decrement)
{
	unsigned n = channel_of(_i), unit = n < 4 ? 1 : 2;
	program(n, 0x64, 0x02, 2, 4);
	ck_assert_uint_eq(to_memory(n, 5 * unit), 5 * unit);
	ck_assert(tc);
	static const unsigned where[] = { 2, 1, 0, 0xffff, 0xfffe };
	for (unsigned i = 0; i < 5; i++)
		ck_assert_mem_eq(ram + 0x20000 + where[i] * unit, buffer + i * unit, unit);
	ck_assert_uint_eq(address_of(n), 0xfffd);
}
END_TEST

START_TEST(auto_initialize)
{
	unsigned n = channel_of(_i), unit = n < 4 ? 1 : 2;
	program(n, 0x54, 0x01, 0x1000, 9);
	for (unsigned round = 0; round < 3; round++) {
		ck_assert_uint_eq(to_memory(n, 100), 10 * unit);
		ck_assert(tc);
		ck_assert_uint_eq(address_of(n), 0x1000);
		ck_assert_uint_eq(count_of(n), 9);
		ck_assert_uint_eq(in(port_of(n, 8)), 1u << (n & 3));
	}
	ck_assert_uint_eq(in(port_of(n, 15)) >> (n & 3) & 1, 0);
}
END_TEST

START_TEST(service_modes_all_transfer)
{
	static const unsigned modes[] = { 0x04, 0x44, 0x84 };
	for (unsigned i = 0; i < 3; i++) {
		program(3, modes[i], 0x01, 0, 9);
		ck_assert_uint_eq(to_memory(3, 4), 4);
		ck_assert_uint_eq(count_of(3), 5);
	}
	program(3, 0xc4, 0x01, 0, 9); /* cascade: somebody else's cycles */
	ck_assert_uint_eq(to_memory(3, 4), 0);
	ck_assert_uint_eq(count_of(3), 9);
}
END_TEST

START_TEST(verify_moves_nothing)
{
	ram[0x10000] = 0x55;
	program(2, 0x40, 0x01, 0, 3);
	ck_assert_uint_eq(to_memory(2, 2), 2);
	ck_assert_uint_eq(from_memory(2, 2), 2);
	ck_assert(tc);
	ck_assert_uint_eq(buffer[0], 0xff);
	ck_assert_uint_eq(ram[0x10000], 0x55);
}
END_TEST

START_TEST(wrong_direction_moves_nothing)
{
	ram[0x10000] = 0x55;
	program(2, 0x48, 0x01, 0, 9);
	ck_assert_uint_eq(to_memory(2, 2), 2);
	ck_assert_uint_eq(ram[0x10000], 0x55);
	program(2, 0x44, 0x01, 0, 9);
	ck_assert_uint_eq(from_memory(2, 2), 2);
	ck_assert_uint_eq(buffer[1], 0xff);
	program(2, 0x4c, 0x01, 0, 9);
	ck_assert_uint_eq(from_memory(2, 2), 2);
	ck_assert_uint_eq(count_of(2), 7);
}
END_TEST

START_TEST(odd_size_on_a_word_channel)
{
	program(5, 0x44, 0x02, 0, 9);
	ck_assert_uint_eq(to_memory(5, 3), 2);
	ck_assert_uint_eq(count_of(5), 8);
	ck_assert_uint_eq(to_memory(5, 1), 0);
	ck_assert_uint_eq(in(0xd0), 0);
}
END_TEST

START_TEST(memory_that_is_none)
{
	program(1, 0x48, 0xff, 0, 9);
	ck_assert_uint_eq(from_memory(1, 10), 10);
	ck_assert_uint_eq(buffer[9], 0xff);
	program(1, 0x44, 0xff, 0, 9);
	ck_assert_uint_eq(to_memory(1, 10), 10);
	ck_assert(tc);
}
END_TEST

START_TEST(master_clear)
{
	program(2, 0x44, 0x02, 0x1234, 9);
	out(0x08, 0x10);
	out(0x09, 0x05);
	out(0x04, 0xff); /* the flip-flop is at the high byte */
	out(0x0d, 0);
	ck_assert_uint_eq(in(0x0f), 0xff);
	ck_assert_uint_eq(in(0x08), 0);
	ck_assert_uint_eq(in(0x0d), 0);
	ck_assert_uint_eq(in(0x04), 0xff);
	ck_assert_uint_eq(in(0x04), 0x12);
	mask(2, false);
	ck_assert_uint_eq(to_memory(2, 4), 4); /* modes stay */
}
END_TEST

START_TEST(flip_flop_serves_all_channels)
{
	out(0x0c, 0);
	out(0x00, 0x11);
	out(0x02, 0x22); /* high byte of channel 1 */
	out(0x00, 0x33);
	out(0x00, 0x44);
	ck_assert_uint_eq(address_of(0), 0x4433);
	ck_assert_uint_eq(address_of(1), 0x2200);
	out(0xd8, 0);
	out(0xc4, 0x78);
	out(0xc5, 0x56); /* the second controller does not see A0 */
	ck_assert_uint_eq(address_of(5), 0x5678);
}
END_TEST

START_TEST(write_only_registers_read_as_open_bus)
{
	for (uint16_t port = 0x09; port <= 0x0e; port++)
		if (port != 0x0d)
			ck_assert_uint_eq(in(port), 0xff);
}
END_TEST

START_TEST(page_registers_all_hold_a_byte)
{
	for (uint16_t port = 0x80; port <= 0x8f; port++)
		out(port, port ^ 0x5a);
	for (uint16_t port = 0x80; port <= 0x8f; port++)
		ck_assert_uint_eq(in(port), port ^ 0x5a);
}
END_TEST

START_TEST(reset_masks_and_clears_pages)
{
	out(0x81, 0x12);
	out(0x0e, 0);
	i8237_reset(dma);
	ck_assert_uint_eq(in(0x81), 0);
	ck_assert_uint_eq(in(0x0f), 0xff);
	ck_assert_uint_eq(in(0xde), 0xff);
}
END_TEST

START_TEST(state_survives)
{
	program(2, 0x54, 0x02, 0x1234, 99);
	to_memory(2, 10);
	out(0x04, 0x34);
	struct snap *save = snap_new_save();
	i8237_state(dma, save);
	size_t size;
	const void *data = snap_data(save, &size);
	i8237_reset(dma);
	mode(2, 0x48);
	out_word(2, 4, 0);
	struct snap *load = snap_new_load(data, size);
	i8237_state(dma, load);
	ck_assert_ptr_null(snap_error(load));
	ck_assert_uint_eq(in(0x04), 0x12); /* the flip-flop too */
	ck_assert_uint_eq(in(0x81), 0x02);
	ck_assert_uint_eq(to_memory(2, 100), 90);
	ck_assert(tc);
	ck_assert_uint_eq(count_of(2), 99);
	snap_free(load);
	snap_free(save);
}
END_TEST

static void state_of_dma(struct snap *snap)
{
	i8237_state(dma, snap);
}

static void use_dma(void)
{
	to_memory(2, 4);
	out(0x0e, 0);
}

START_TEST(broken_state_is_refused_or_harmless)
{
	program(2, 0x54, 0x02, 0x1234, 99);
	ck_assert_uint_gt(snap_rig_damage(state_of_dma, use_dma), 16);
}
END_TEST

Suite *suite_i8237(void)
{
	Suite *suite = suite_create("i8237");
	TCase *transfers = tcase_create("transfers");
	tcase_add_checked_fixture(transfers, setup, teardown);
	tcase_add_loop_test(transfers, each_channel_writes_memory, 0, 7);
	tcase_add_loop_test(transfers, each_channel_reads_memory, 0, 7);
	tcase_add_loop_test(transfers, address_wraps_in_its_page, 0, 7);
	tcase_add_loop_test(transfers, decrement, 0, 7);
	tcase_add_loop_test(transfers, auto_initialize, 0, 7);
	tcase_add_test(transfers, service_modes_all_transfer);
	tcase_add_test(transfers, verify_moves_nothing);
	tcase_add_test(transfers, wrong_direction_moves_nothing);
	tcase_add_test(transfers, odd_size_on_a_word_channel);
	tcase_add_test(transfers, memory_that_is_none);
	suite_add_tcase(suite, transfers);
	TCase *registers = tcase_create("registers");
	tcase_add_checked_fixture(registers, setup, teardown);
	tcase_add_test(registers, master_clear);
	tcase_add_test(registers, flip_flop_serves_all_channels);
	tcase_add_test(registers, write_only_registers_read_as_open_bus);
	tcase_add_test(registers, page_registers_all_hold_a_byte);
	tcase_add_test(registers, reset_masks_and_clears_pages);
	tcase_add_test(registers, state_survives);
	tcase_add_test(registers, broken_state_is_refused_or_harmless);
	suite_add_tcase(suite, registers);
	return suite;
}
