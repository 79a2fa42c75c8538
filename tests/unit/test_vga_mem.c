#include "tests/unit/vga_rig.h"

static struct vga_rig rig;

static void setup(void)
{
	vga_rig_open(&rig);
	rig_set_mode(&rig, RIG_MODE_12);
}

static void teardown(void)
{
	vga_rig_close(&rig);
}

/* All four planes of an address, plane 0 lowest, by the linear framebuffer. */
static uint32_t planes(unsigned address)
{
	return (uint32_t)mem_read(rig.mem, RIG_LFB + address * 4ull, 4);
}

static void set_planes(unsigned address, uint32_t value)
{
	mem_write(rig.mem, RIG_LFB + address * 4ull, 4, value);
}

static void gc(unsigned index, unsigned value)
{
	vga_rig_set(&rig, RIG_GC, index, value);
}

static void map_mask(unsigned value)
{
	vga_rig_set(&rig, RIG_SEQ, 2, value);
}

static void latch(uint32_t value)
{
	set_planes(0xff00, value);
	rig_peek(&rig, RIG_A0000 + 0xff00);
}

START_TEST(write_mode_0_map_mask)
{
	set_planes(5, 0x44332211);
	map_mask(0x5);
	rig_poke(&rig, RIG_A0000 + 5, 0xa5);
	ck_assert_uint_eq(planes(5), 0x44a522a5);
	map_mask(0x0);
	rig_poke(&rig, RIG_A0000 + 5, 0xff);
	ck_assert_uint_eq(planes(5), 0x44a522a5);
}
END_TEST

START_TEST(write_mode_0_rotate)
{
	gc(3, 3);
	rig_poke(&rig, RIG_A0000, 0x81);
	ck_assert_uint_eq(planes(0), 0x30303030);
}
END_TEST

START_TEST(write_mode_0_set_reset)
{
	gc(0, 0x9);
	gc(1, 0x3);
	rig_poke(&rig, RIG_A0000, 0x5a);
	ck_assert_uint_eq(planes(0), 0x5a5a00ff);
}
END_TEST

START_TEST(write_mode_0_bit_mask)
{
	latch(0x12345678);
	gc(8, 0x0f);
	rig_poke(&rig, RIG_A0000, 0xaa);
	ck_assert_uint_eq(planes(0), 0x1a3a5a7a);
}
END_TEST

START_TEST(write_mode_0_functions)
{
	static const uint32_t results[] = { 0x3c3c3c3c, 0x30001c20, 0x3cfffc3f, 0x0cffe01f };
	for (unsigned function = 0; function < 4; function++) {
		latch(0x30c3dc23);
		gc(3, function << 3);
		rig_poke(&rig, RIG_A0000, 0x3c);
		ck_assert_uint_eq(planes(0), results[function]);
	}
}
END_TEST

START_TEST(function_then_bit_mask)
{
	latch(0x00ff00ff);
	gc(3, 3 << 3);
	gc(8, 0xf0);
	rig_poke(&rig, RIG_A0000, 0x33);
	ck_assert_uint_eq(planes(0), 0x30cf30cf);
}
END_TEST

START_TEST(write_mode_1)
{
	latch(0xdeadbeef);
	gc(5, 1);
	gc(8, 0x00);
	map_mask(0xe);
	set_planes(7, 0x11111111);
	rig_poke(&rig, RIG_A0000 + 7, 0x55);
	ck_assert_uint_eq(planes(7), 0xdeadbe11);
}
END_TEST

START_TEST(write_mode_2)
{
	latch(0x0f0f0f0f);
	gc(5, 2);
	gc(8, 0x3c);
	gc(1, 0xf);
	rig_poke(&rig, RIG_A0000, 0xf6);
	ck_assert_uint_eq(planes(0), 0x033f3f03);
	gc(3, 1 << 3);
	rig_poke(&rig, RIG_A0000, 0x6);
	ck_assert_uint_eq(planes(0), 0x030f0f03);
}
END_TEST

START_TEST(write_mode_3)
{
	latch(0x11223344);
	gc(5, 3);
	gc(0, 0xa);
	gc(1, 0x0);
	gc(3, 4);
	gc(8, 0x7e);
	rig_poke(&rig, RIG_A0000, 0xf1);
	/* F1 rotated by 4 is 1F; with the bit mask 1E */
	ck_assert_uint_eq(planes(0), 0x1f203f40);
}
END_TEST

START_TEST(read_mode_0)
{
	set_planes(9, 0x44332211);
	for (unsigned plane = 0; plane < 4; plane++) {
		gc(4, plane);
		ck_assert_uint_eq(rig_peek(&rig, RIG_A0000 + 9), 0x11 * (plane + 1));
	}
}
END_TEST

START_TEST(read_mode_1)
{
	/* columns, from bit 7: colours 0 1 2 3 4 5 F 7 */
	set_planes(3, 0x02 << 24 | 0x0f << 16 | 0x33 << 8 | 0x57);
	gc(5, 8);
	gc(2, 0x5);
	gc(7, 0xf);
	ck_assert_uint_eq(rig_peek(&rig, RIG_A0000 + 3), 0x04);
	gc(7, 0x7);
	gc(2, 0x7);
	ck_assert_uint_eq(rig_peek(&rig, RIG_A0000 + 3), 0x03);
	gc(7, 0x0);
	ck_assert_uint_eq(rig_peek(&rig, RIG_A0000 + 3), 0xff);
}
END_TEST

START_TEST(wide_accesses_go_byte_by_byte)
{
	mem_write(rig.mem, RIG_A0000 + 2, 8, 0x8877665544332211);
	for (unsigned i = 0; i < 8; i++)
		ck_assert_uint_eq(planes(2 + i), (i + 1) * 0x11111111u);
	ck_assert_uint_eq(mem_read(rig.mem, RIG_A0000 + 2, 8), 0x8877665544332211);
	/* The latch is that of the last byte. */
	gc(5, 1);
	rig_poke(&rig, RIG_A0000, 0);
	ck_assert_uint_eq(planes(0), 0x88888888);
}
END_TEST

START_TEST(chain_4)
{
	rig_set_mode(&rig, RIG_MODE_13);
	for (unsigned i = 0; i < 8; i++)
		rig_poke(&rig, RIG_A0000 + 0x1000 + i, 0x10 + i);
	ck_assert_uint_eq(planes(0x400), 0x13121110);
	ck_assert_uint_eq(planes(0x401), 0x17161514);
	for (unsigned i = 0; i < 8; i++)
		ck_assert_uint_eq(rig_peek(&rig, RIG_A0000 + 0x1000 + i), 0x10 + i);
	mem_write(rig.mem, RIG_A0000 + 0xfffc, 4, 0xcafef00d);
	ck_assert_uint_eq(planes(0x3fff), 0xcafef00d);
}
END_TEST

START_TEST(chain_4_obeys_masks)
{
	rig_set_mode(&rig, RIG_MODE_13);
	set_planes(0, 0xffffffff);
	map_mask(0xd);
	mem_write(rig.mem, RIG_A0000, 4, 0x04030201);
	ck_assert_uint_eq(planes(0), 0x0403ff01);
	map_mask(0xf);
	rig_peek(&rig, RIG_A0000);
	gc(8, 0xf0);
	rig_poke(&rig, RIG_A0000 + 2, 0x99);
	ck_assert_uint_eq(planes(0), 0x0493ff01);
}
END_TEST

START_TEST(chain_4_reads_fill_the_latch)
{
	rig_set_mode(&rig, RIG_MODE_13);
	set_planes(0x10, 0xa1b2c3d4);
	rig_peek(&rig, RIG_A0000 + 0x42);
	gc(5, 0x41);
	mem_write(rig.mem, RIG_A0000, 4, 0);
	ck_assert_uint_eq(planes(0), 0xa1b2c3d4);
}
END_TEST

START_TEST(odd_even)
{
	rig_set_mode(&rig, RIG_MODE_3);
	set_planes(0x20, 0x77777777);
	set_planes(0x21, 0x77777777);
	mem_write(rig.mem, RIG_B8000 + 0x20, 2, 0x1f41);
	ck_assert_uint_eq(planes(0x20), 0x77771f41);
	ck_assert_uint_eq(planes(0x21), 0x77777777);
	ck_assert_uint_eq(mem_read(rig.mem, RIG_B8000 + 0x20, 2), 0x1f41);
}
END_TEST

START_TEST(odd_even_reads_planes_2_and_3)
{
	rig_set_mode(&rig, RIG_MODE_3);
	set_planes(0x20, 0x44332211);
	gc(4, 2);
	ck_assert_uint_eq(mem_read(rig.mem, RIG_B8000 + 0x20, 2), 0x4433);
}
END_TEST

START_TEST(odd_even_writes_planes_2_and_3)
{
	rig_set_mode(&rig, RIG_MODE_3);
	map_mask(0xf);
	mem_write(rig.mem, RIG_B8000, 2, 0xbbaa);
	ck_assert_uint_eq(planes(0), 0xbbaabbaa);
}
END_TEST

START_TEST(odd_even_in_128k_takes_a16)
{
	rig_set_mode(&rig, RIG_MODE_3);
	gc(6, 0x02);
	mem_write(rig.mem, RIG_A0000 + 0x10040, 2, 0x1234);
	ck_assert_uint_eq(planes(0x41), 0x1234);
	ck_assert_uint_eq(planes(0x40), 0);
}
END_TEST

START_TEST(odd_even_without_chain_keeps_a0)
{
	rig_set_mode(&rig, RIG_MODE_3);
	gc(6, 0x0c);
	mem_write(rig.mem, RIG_B8000, 2, 0x1234);
	ck_assert_uint_eq(planes(0), 0x34);
	ck_assert_uint_eq(planes(1), 0x1200);
}
END_TEST

START_TEST(memory_maps)
{
	static const struct {
		unsigned map;
		uint32_t first, last;
	} maps[] = {
		{ 0, 0xa0000, 0xbffff }, { 1, 0xa0000, 0xaffff }, { 2, 0xb0000, 0xb7fff }, { 3, 0xb8000, 0xbffff },
	};
	static const uint32_t ends[] = { 0xa0000, 0xaffff, 0xb0000, 0xb7fff, 0xb8000, 0xbffff };
	for (unsigned i = 0; i < G_N_ELEMENTS(maps); i++) {
		gc(6, maps[i].map << 2 | 1);
		for (unsigned k = 0; k < G_N_ELEMENTS(ends); k++) {
			bool inside = ends[k] >= maps[i].first && ends[k] <= maps[i].last;
			unsigned address = (ends[k] - maps[i].first) & 0xffff;
			set_planes(address, 0x3c3c3c3c);
			ck_assert_uint_eq(rig_peek(&rig, ends[k]), inside ? 0x3c : 0xff);
			rig_poke(&rig, ends[k], 0x99);
			ck_assert_uint_eq(planes(address), inside ? 0x99999999 : 0x3c3c3c3c);
		}
	}
}
END_TEST

START_TEST(access_across_the_maps_edge)
{
	rig_set_mode(&rig, RIG_MODE_3);
	ck_assert_uint_eq(mem_read(rig.mem, RIG_B8000 - 2, 4), 0x0000ffff);
	mem_write(rig.mem, RIG_B8000 - 2, 4, 0x44332211);
	ck_assert_uint_eq(planes(0), 0x4433);
	rig_set_mode(&rig, RIG_MODE_13);
	set_planes(0x4000, 0);
	mem_write(rig.mem, RIG_A0000 + 0xfffe, 4, 0x44332211);
	ck_assert_uint_eq(planes(0x3fff) >> 16, 0x2211);
	ck_assert_uint_eq(planes(0x4000), 0);
}
END_TEST

START_TEST(closed_without_ram_enable)
{
	rig_poke(&rig, RIG_A0000, 0x42);
	rig_out(&rig, 0x3c2, 0xe1);
	ck_assert_uint_eq(rig_peek(&rig, RIG_A0000), 0xff);
	rig_poke(&rig, RIG_A0000, 0x11);
	rig_out(&rig, 0x3c2, 0xe3);
	ck_assert_uint_eq(rig_peek(&rig, RIG_A0000), 0x42);
}
END_TEST

START_TEST(closed_after_reset)
{
	rig_poke(&rig, RIG_A0000, 0x42);
	vga_reset(rig.vga);
	ck_assert_uint_eq(rig_peek(&rig, RIG_A0000), 0xff);
	ck_assert_uint_eq(planes(0), 0x42424242);
}
END_TEST

Suite *suite_vga_mem(void)
{
	Suite *suite = suite_create("vga_mem");
	TCase *tcase = tcase_create("vga_mem");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, write_mode_0_map_mask);
	tcase_add_test(tcase, write_mode_0_rotate);
	tcase_add_test(tcase, write_mode_0_set_reset);
	tcase_add_test(tcase, write_mode_0_bit_mask);
	tcase_add_test(tcase, write_mode_0_functions);
	tcase_add_test(tcase, function_then_bit_mask);
	tcase_add_test(tcase, write_mode_1);
	tcase_add_test(tcase, write_mode_2);
	tcase_add_test(tcase, write_mode_3);
	tcase_add_test(tcase, read_mode_0);
	tcase_add_test(tcase, read_mode_1);
	tcase_add_test(tcase, wide_accesses_go_byte_by_byte);
	tcase_add_test(tcase, chain_4);
	tcase_add_test(tcase, chain_4_obeys_masks);
	tcase_add_test(tcase, chain_4_reads_fill_the_latch);
	tcase_add_test(tcase, odd_even);
	tcase_add_test(tcase, odd_even_reads_planes_2_and_3);
	tcase_add_test(tcase, odd_even_writes_planes_2_and_3);
	tcase_add_test(tcase, odd_even_in_128k_takes_a16);
	tcase_add_test(tcase, odd_even_without_chain_keeps_a0);
	tcase_add_test(tcase, memory_maps);
	tcase_add_test(tcase, access_across_the_maps_edge);
	tcase_add_test(tcase, closed_without_ram_enable);
	tcase_add_test(tcase, closed_after_reset);
	suite_add_tcase(suite, tcase);
	return suite;
}
