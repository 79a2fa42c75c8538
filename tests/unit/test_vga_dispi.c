#include "tests/unit/vga_rig.h"

enum {
	ID, XRES, YRES, BPP, ENABLE, BANK, VIRT_WIDTH, VIRT_HEIGHT, X_OFFSET, Y_OFFSET, MEMORY_64K,
};

static struct vga_rig rig;

static void setup(void)
{
	vga_rig_open(&rig);
	rig_set_mode(&rig, RIG_MODE_3);
}

static void teardown(void)
{
	vga_rig_close(&rig);
}

static void set_mode(unsigned width, unsigned height, unsigned bpp, unsigned flags)
{
	rig_set_dispi(&rig, ENABLE, 0);
	rig_set_dispi(&rig, XRES, width);
	rig_set_dispi(&rig, YRES, height);
	rig_set_dispi(&rig, BPP, bpp);
	rig_set_dispi(&rig, ENABLE, 0x01 | flags);
}

START_TEST(ids)
{
	ck_assert_uint_eq(rig_get_dispi(&rig, ID), 0xb0c5);
	for (unsigned id = 0xb0c0; id <= 0xb0c5; id++) {
		rig_set_dispi(&rig, ID, id);
		ck_assert_uint_eq(rig_get_dispi(&rig, ID), id);
	}
	rig_set_dispi(&rig, ID, 0xb0c6);
	ck_assert_uint_eq(rig_get_dispi(&rig, ID), 0xb0c5);
	rig_set_dispi(&rig, ID, 0xb0bf);
	ck_assert_uint_eq(rig_get_dispi(&rig, ID), 0xb0c5);
}
END_TEST

START_TEST(ports)
{
	bus_write(rig.bus, 0x1ce, 2, MEMORY_64K);
	ck_assert_uint_eq(bus_read(rig.bus, 0x1ce, 2), MEMORY_64K);
	ck_assert_uint_eq(bus_read(rig.bus, 0x1cf, 2), 256);
	ck_assert_uint_eq(bus_read(rig.bus, 0x1d0, 2), 256);
	bus_write(rig.bus, 0x1ce, 1, XRES);
	bus_write(rig.bus, 0x1d0, 2, 800);
	ck_assert_uint_eq(bus_read(rig.bus, 0x1cf, 1), 800 & 0xff);
	bus_write(rig.bus, 0x1cf, 1, 0x28);
	ck_assert_uint_eq(bus_read(rig.bus, 0x1cf, 2), 0x328);
	ck_assert_uint_eq(rig_get_dispi(&rig, 0x0b), 0xffff);
	ck_assert_uint_eq(rig_get_dispi(&rig, 0xffff), 0xffff);
}
END_TEST

START_TEST(caps)
{
	set_mode(800, 600, 16, 0);
	rig_poke(&rig, RIG_LFB, 0x5a);
	rig_set_dispi(&rig, ENABLE, 0x01 | 0x02);
	ck_assert_uint_eq(rig_get_dispi(&rig, XRES), 1920);
	ck_assert_uint_eq(rig_get_dispi(&rig, YRES), 1200);
	ck_assert_uint_eq(rig_get_dispi(&rig, BPP), 32);
	rig_set_dispi(&rig, ENABLE, 0x01);
	ck_assert_uint_eq(rig_get_dispi(&rig, XRES), 800);
	ck_assert_uint_eq(rig_get_dispi(&rig, YRES), 600);
	ck_assert_uint_eq(rig_get_dispi(&rig, BPP), 16);
	/* Neither of the writes was an enabling one. */
	ck_assert_uint_eq(rig_peek(&rig, RIG_LFB), 0x5a);
}
END_TEST

START_TEST(resolutions_are_checked)
{
	static const struct {
		unsigned index, good, bad[4];
	} cases[] = {
		{ XRES, 1920, { 0, 1928, 1021, 0xffff } },
		{ YRES, 1200, { 0, 1201, 4096, 0xffff } },
		{ BPP, 24, { 1, 7, 33, 0xffff } },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		rig_set_dispi(&rig, cases[i].index, cases[i].good);
		for (unsigned k = 0; k < 4; k++)
			rig_set_dispi(&rig, cases[i].index, cases[i].bad[k]);
		ck_assert_uint_eq(rig_get_dispi(&rig, cases[i].index), cases[i].good);
	}
	rig_set_dispi(&rig, BPP, 0);
	ck_assert_uint_eq(rig_get_dispi(&rig, BPP), 8);
}
END_TEST

START_TEST(resolution_is_fixed_while_enabled)
{
	set_mode(640, 480, 8, 0);
	rig_set_dispi(&rig, XRES, 800);
	rig_set_dispi(&rig, YRES, 600);
	rig_set_dispi(&rig, BPP, 32);
	ck_assert_uint_eq(rig_get_dispi(&rig, XRES), 640);
	ck_assert_uint_eq(rig_get_dispi(&rig, YRES), 480);
	ck_assert_uint_eq(rig_get_dispi(&rig, BPP), 8);
}
END_TEST

START_TEST(enabling_clears_vram)
{
	set_mode(640, 480, 32, 0);
	mem_write(rig.mem, RIG_LFB + VGA_VRAM_SIZE - 4, 4, 0x11223344);
	set_mode(640, 480, 32, 0x80);
	ck_assert_uint_eq(mem_read(rig.mem, RIG_LFB + VGA_VRAM_SIZE - 4, 4), 0x11223344);
	ck_assert_uint_eq(rig_get_dispi(&rig, ENABLE), 0x81);
	set_mode(640, 480, 32, 0x40);
	ck_assert_uint_eq(mem_read(rig.mem, RIG_LFB + VGA_VRAM_SIZE - 4, 4), 0);
	ck_assert_uint_eq(rig_get_dispi(&rig, ENABLE), 0x41);
}
END_TEST

START_TEST(banks)
{
	set_mode(1024, 768, 8, 0);
	for (unsigned bank = 0; bank < 256; bank += 51) {
		rig_set_dispi(&rig, BANK, bank);
		ck_assert_uint_eq(rig_get_dispi(&rig, BANK), bank);
		mem_write(rig.mem, RIG_A0000 + 0x1233, 4, 0xc0ffee00 + bank);
		mem_write(rig.mem, RIG_A0000 + 0xffff, 1, bank);
		ck_assert_uint_eq(mem_read(rig.mem, RIG_LFB + bank * 0x10000 + 0x1233, 4), 0xc0ffee00 + bank);
		ck_assert_uint_eq(mem_read(rig.mem, RIG_LFB + bank * 0x10000 + 0xffff, 1), bank);
		ck_assert_uint_eq(mem_read(rig.mem, RIG_A0000 + 0x1233, 4), 0xc0ffee00 + bank);
	}
	rig_set_dispi(&rig, BANK, 0x103);
	ck_assert_uint_eq(rig_get_dispi(&rig, BANK), 3);
	ck_assert_uint_eq(mem_read(rig.mem, RIG_B8000, 4), 0xffffffff);
}
END_TEST

START_TEST(banks_end_with_the_mode)
{
	set_mode(640, 480, 8, 0);
	rig_set_dispi(&rig, BANK, 5);
	rig_set_dispi(&rig, ENABLE, 0);
	rig_set_mode(&rig, RIG_MODE_13);
	rig_poke(&rig, RIG_A0000, 0x77);
	ck_assert_uint_eq(rig_peek(&rig, RIG_LFB), 0x77);
}
END_TEST

START_TEST(packed_ignores_planar_state)
{
	set_mode(640, 480, 8, 0);
	vga_rig_set(&rig, RIG_SEQ, 2, 0x01);
	vga_rig_set(&rig, RIG_SEQ, 4, 0x06);
	vga_rig_set(&rig, RIG_GC, 8, 0x00);
	vga_rig_set(&rig, RIG_GC, 5, 0x02);
	mem_write(rig.mem, RIG_A0000, 4, 0x12345678);
	ck_assert_uint_eq(mem_read(rig.mem, RIG_LFB, 4), 0x12345678);
}
END_TEST

START_TEST(virtual_screen)
{
	set_mode(640, 480, 16, 0);
	ck_assert_uint_eq(rig_get_dispi(&rig, VIRT_WIDTH), 640);
	ck_assert_uint_eq(rig_get_dispi(&rig, VIRT_HEIGHT), (16 << 20) / 1280);
	rig_set_dispi(&rig, VIRT_WIDTH, 1000);
	ck_assert_uint_eq(rig_get_dispi(&rig, VIRT_WIDTH), 1000);
	ck_assert_uint_eq(rig_get_dispi(&rig, VIRT_HEIGHT), (16 << 20) / 2000);
	rig_set_dispi(&rig, VIRT_HEIGHT, 7);
	ck_assert_uint_eq(rig_get_dispi(&rig, VIRT_HEIGHT), (16 << 20) / 2000);
	rig_set_dispi(&rig, VIRT_WIDTH, 100);
	ck_assert_uint_eq(rig_get_dispi(&rig, VIRT_WIDTH), 640);
	rig_set_dispi(&rig, VIRT_WIDTH, 0xffff); /* 128 lines */
	ck_assert_uint_eq(rig_get_dispi(&rig, VIRT_WIDTH), 640);
}
END_TEST

START_TEST(offsets_stay_inside)
{
	set_mode(640, 480, 32, 0);
	rig_set_dispi(&rig, VIRT_WIDTH, 800);
	unsigned height = rig_get_dispi(&rig, VIRT_HEIGHT);
	rig_set_dispi(&rig, X_OFFSET, 0xffff);
	rig_set_dispi(&rig, Y_OFFSET, 0xffff);
	ck_assert_uint_eq(rig_get_dispi(&rig, X_OFFSET), 160);
	ck_assert_uint_eq(rig_get_dispi(&rig, Y_OFFSET), height - 480);
	rig_render(&rig);
	rig_set_dispi(&rig, VIRT_WIDTH, 700);
	ck_assert_uint_eq(rig_get_dispi(&rig, X_OFFSET), 60);
	rig_set_dispi(&rig, ENABLE, 0);
	rig_set_dispi(&rig, X_OFFSET, 9);
	rig_set_dispi(&rig, ENABLE, 1);
	ck_assert_uint_eq(rig_get_dispi(&rig, X_OFFSET), 0);
	ck_assert_uint_eq(rig_get_dispi(&rig, Y_OFFSET), 0);
	ck_assert_uint_eq(rig_get_dispi(&rig, VIRT_WIDTH), 640);
}
END_TEST

static uint32_t noise(unsigned x, unsigned y)
{
	uint32_t n = x * 2654435761u ^ y * 40503u * 65537u;
	return n ^ n >> 13;
}

/* What a pixel of `bpp` bits looks like, by the formats' definition. */
static uint32_t color_of(uint32_t pixel, unsigned bpp)
{
	unsigned r, g, b;
	switch (bpp) {
	case 8:
		return rig_color(pixel & 0xff);
	case 15:
		r = pixel >> 10 & 31, g = pixel >> 5 & 31, b = pixel & 31;
		return (r << 3 | r >> 2) << 16 | (g << 3 | g >> 2) << 8 | (b << 3 | b >> 2);
	case 16:
		r = pixel >> 11 & 31, g = pixel >> 5 & 63, b = pixel & 31;
		return (r << 3 | r >> 2) << 16 | (g << 2 | g >> 4) << 8 | (b << 3 | b >> 2);
	default:
		return pixel & 0xffffff;
	}
}

static void paint(unsigned pitch, unsigned x0, unsigned y0, unsigned width, unsigned height, unsigned bytes)
{
	for (unsigned y = 0; y < height; y++)
		for (unsigned x = 0; x < width; x++) {
			uint32_t pixel = noise(x, y);
			mem_write_bytes(rig.mem, RIG_LFB + (uint64_t)(y0 + y) * pitch + (x0 + x) * bytes, &pixel, bytes);
		}
}

static void expect_noise(unsigned width, unsigned height, unsigned bpp)
{
	rig_render(&rig);
	rig_expect_size(&rig, width, height);
	for (unsigned y = 0; y < height; y++)
		for (unsigned x = 0; x < width; x++)
			rig_expect_pixel(&rig, x, y, color_of(noise(x, y), bpp));
}

START_TEST(packed_depths)
{
	static const unsigned depths[] = { 8, 15, 16, 24, 32 };
	unsigned bpp = depths[_i], bytes = (bpp + 7) / 8;
	set_mode(800, 600, bpp, 0x40);
	paint(800 * bytes, 0, 0, 800, 600, bytes);
	expect_noise(800, 600, bpp);
}
END_TEST

START_TEST(packed_offsets)
{
	static const unsigned depths[] = { 8, 15, 16, 24, 32 };
	unsigned bpp = depths[_i], bytes = (bpp + 7) / 8;
	set_mode(320, 200, bpp, 0x40);
	rig_set_dispi(&rig, VIRT_WIDTH, 333);
	rig_set_dispi(&rig, X_OFFSET, 13);
	rig_set_dispi(&rig, Y_OFFSET, 77);
	paint(333 * bytes, 13, 77, 320, 200, bytes);
	expect_noise(320, 200, bpp);
}
END_TEST

START_TEST(largest_mode)
{
	set_mode(1920, 1200, 32, 0x40);
	mem_write(rig.mem, RIG_LFB + 4 * (1920 * 1200 - 1), 4, 0xff123456);
	rig_render(&rig);
	rig_expect_size(&rig, 1920, 1200);
	rig_expect_pixel(&rig, 1919, 1199, 0x123456);
	rig_expect_pixel(&rig, 1918, 1199, 0);
}
END_TEST

START_TEST(big_endian_framebuffer)
{
	mem_write(rig.mem, RIG_MMIO + 0x604, 4, 0xbebebebe);
	set_mode(640, 480, 32, 0x40);
	mem_write(rig.mem, RIG_LFB, 4, 0x30201000);
	rig_render(&rig);
	rig_expect_pixel(&rig, 0, 0, 0x102030);
	set_mode(640, 480, 16, 0x40);
	mem_write(rig.mem, RIG_LFB, 2, 0x00f8);
	rig_render(&rig);
	rig_expect_pixel(&rig, 0, 0, 0xff0000);
}
END_TEST

START_TEST(eight_bit_dac_colors)
{
	set_mode(640, 480, 8, 0x60);
	rig_out(&rig, 0x3c8, 9);
	rig_out(&rig, 0x3c9, 0x81);
	rig_out(&rig, 0x3c9, 0x42);
	rig_out(&rig, 0x3c9, 0xff);
	rig_poke(&rig, RIG_LFB, 9);
	rig_render(&rig);
	rig_expect_pixel(&rig, 0, 0, 0x8142ff);
	rig_out(&rig, 0x3c6, 0xf6); /* 9 and the mask: 0 */
	rig_render(&rig);
	ck_assert_uint_ne(surface_row(rig.screen, 0)[0], 0x8142ff);
}
END_TEST

START_TEST(planar_800x600)
{
	rig_set_mode(&rig, RIG_MODE_12);
	set_mode(800, 600, 4, 0);
	for (unsigned plane = 0; plane < 4; plane++) {
		vga_rig_set(&rig, RIG_SEQ, 2, 1 << plane);
		for (unsigned at = 0; at < 60000; at++) {
			unsigned bits = 0;
			for (unsigned i = 0; i < 8; i++)
				bits |= (noise(at % 100 * 8 + i, at / 100) >> plane & 1) << (7 - i);
			rig_poke(&rig, RIG_A0000 + at, bits);
		}
	}
	rig_render(&rig);
	rig_expect_size(&rig, 800, 600);
	for (unsigned y = 0; y < 600; y++)
		for (unsigned x = 0; x < 800; x++)
			rig_expect_pixel(&rig, x, y, rig_attr_color(RIG_MODE_12, noise(x, y) & 15));
}
END_TEST

START_TEST(planar_banks_and_offsets)
{
	rig_set_mode(&rig, RIG_MODE_12);
	set_mode(1024, 768, 4, 0);
	/* Line 600 begins at plane address 76800. */
	rig_set_dispi(&rig, BANK, 1);
	rig_poke(&rig, RIG_A0000 + 76800 - 0x10000 + 2, 0x01);
	rig_render(&rig);
	rig_expect_pixel(&rig, 23, 600, rig_attr_color(RIG_MODE_12, 15));
	rig_expect_pixel(&rig, 22, 600, rig_attr_color(RIG_MODE_12, 0));
	rig_set_dispi(&rig, VIRT_WIDTH, 2048);
	rig_set_dispi(&rig, X_OFFSET, 5);
	rig_set_dispi(&rig, Y_OFFSET, 290);
	rig_render(&rig);
	rig_expect_pixel(&rig, 23 - 5, 10, rig_attr_color(RIG_MODE_12, 15));
	rig_expect_pixel(&rig, 24 - 5, 10, rig_attr_color(RIG_MODE_12, 0));
}
END_TEST

START_TEST(dispi_hides_the_old_mode)
{
	rig_set_mode(&rig, RIG_MODE_13);
	set_mode(640, 400, 8, 0);
	rig_render(&rig);
	rig_expect_size(&rig, 640, 400);
	rig_set_dispi(&rig, ENABLE, 0);
	rig_render(&rig);
	rig_expect_size(&rig, 320, 200);
}
END_TEST

START_TEST(screen_off_in_dispi)
{
	set_mode(640, 480, 32, 0);
	mem_write(rig.mem, RIG_LFB, 4, 0xffffff);
	vga_rig_set(&rig, RIG_SEQ, 1, 0x21);
	rig_render(&rig);
	rig_expect_pixel(&rig, 0, 0, 0);
	vga_rig_set(&rig, RIG_SEQ, 1, 0x01);
	rig_render(&rig);
	rig_expect_pixel(&rig, 0, 0, 0xffffff);
}
END_TEST

START_TEST(retrace_goes_on)
{
	unsigned rises = 0;
	bool was = true;
	set_mode(1024, 768, 32, 0);
	for (uint64_t ns = 0; ns < 1000000000; ns += 20000) {
		clock_wait_until(rig.clock, ns);
		bool is = rig_in(&rig, 0x3da) & 8;
		rises += is && !was;
		was = is;
	}
	ck_assert_uint_ge(rises, 59);
	ck_assert_uint_le(rises, 61);
}
END_TEST

Suite *suite_vga_dispi(void)
{
	Suite *suite = suite_create("vga_dispi");
	TCase *tcase = tcase_create("vga_dispi");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, ids);
	tcase_add_test(tcase, ports);
	tcase_add_test(tcase, caps);
	tcase_add_test(tcase, resolutions_are_checked);
	tcase_add_test(tcase, resolution_is_fixed_while_enabled);
	tcase_add_test(tcase, enabling_clears_vram);
	tcase_add_test(tcase, banks);
	tcase_add_test(tcase, banks_end_with_the_mode);
	tcase_add_test(tcase, packed_ignores_planar_state);
	tcase_add_test(tcase, virtual_screen);
	tcase_add_test(tcase, offsets_stay_inside);
	tcase_add_loop_test(tcase, packed_depths, 0, 5);
	tcase_add_loop_test(tcase, packed_offsets, 0, 5);
	tcase_add_test(tcase, largest_mode);
	tcase_add_test(tcase, big_endian_framebuffer);
	tcase_add_test(tcase, eight_bit_dac_colors);
	tcase_add_test(tcase, planar_800x600);
	tcase_add_test(tcase, planar_banks_and_offsets);
	tcase_add_test(tcase, dispi_hides_the_old_mode);
	tcase_add_test(tcase, screen_off_in_dispi);
	tcase_add_test(tcase, retrace_goes_on);
	suite_add_tcase(suite, tcase);
	return suite;
}
