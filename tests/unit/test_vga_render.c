#include "tests/unit/vga_rig.h"

#define SECOND 1000000000ull

static struct vga_rig rig;

static void setup(void)
{
	vga_rig_open(&rig);
}

static void teardown(void)
{
	vga_rig_close(&rig);
}

static unsigned pattern(unsigned x, unsigned y)
{
	return (x * 5 + y * 3 + (x >> 4) * 7 + (y >> 3) * (x >> 3)) & 0xff;
}

/* --- graphics: each mode painted as its programs do ----------------------- */

/* One plane of `bits` from pattern(), eight pixels a byte. */
static void paint_plane(unsigned plane_mask, unsigned bit, unsigned width, unsigned height)
{
	vga_rig_set(&rig, RIG_SEQ, 2, plane_mask);
	for (unsigned y = 0; y < height; y++)
		for (unsigned x = 0; x < width; x += 8) {
			unsigned bits = 0;
			for (unsigned i = 0; i < 8; i++)
				bits |= (pattern(x + i, y) >> bit & 1) << (7 - i);
			rig_poke(&rig, RIG_A0000 + y * width / 8 + x / 8, bits);
		}
}

/* Every pixel is the attribute colour of pattern() & mask. */
static void expect_pattern(enum rig_mode_number mode, unsigned width, unsigned height, unsigned mask)
{
	rig_render(&rig);
	rig_expect_size(&rig, width, height);
	for (unsigned y = 0; y < height; y++)
		for (unsigned x = 0; x < width; x++)
			rig_expect_pixel(&rig, x, y, rig_attr_color(mode, pattern(x, y) & mask));
}

START_TEST(planar_16_colors)
{
	static const struct {
		enum rig_mode_number mode;
		unsigned width, height;
	} modes[] = {
		{ RIG_MODE_D, 320, 200 }, { RIG_MODE_E, 640, 200 }, { RIG_MODE_10, 640, 350 }, { RIG_MODE_12, 640, 480 },
	};
	unsigned width = modes[_i].width, height = modes[_i].height;
	rig_set_mode(&rig, modes[_i].mode);
	for (unsigned plane = 0; plane < 4; plane++)
		paint_plane(1 << plane, plane, width, height);
	expect_pattern(modes[_i].mode, width, height, 15);
}
END_TEST

START_TEST(mode_f_monochrome)
{
	static const uint8_t steady[] = { 0x00, 0x08, 0x18, 0x18 };
	rig_set_mode(&rig, RIG_MODE_F);
	paint_plane(0x3, 0, 640, 350); /* plane 1 is not looked at */
	paint_plane(0xc, 1, 640, 350);
	rig_render(&rig);
	rig_expect_size(&rig, 640, 350);
	for (unsigned y = 0; y < 350; y++)
		for (unsigned x = 0; x < 640; x++)
			rig_expect_pixel(&rig, x, y, rig_color(steady[pattern(x, y) & 3]));
}
END_TEST

START_TEST(mode_f_blinks)
{
	uint64_t on, off;
	rig_set_mode(&rig, RIG_MODE_F);
	vga_rig_set(&rig, RIG_SEQ, 2, 0xc);
	rig_poke(&rig, RIG_A0000, 0xff);
	vga_render(rig.vga, rig.screen, VGA_BLINK_CLOCK);
	on = surface_hash(rig.screen);
	rig_expect_pixel(&rig, 0, 0, rig_color(0x18));
	rig_expect_pixel(&rig, 8, 0, rig_color(0x00));
	clock_wait_until(rig.clock, SECOND * 20 / 70);
	vga_render(rig.vga, rig.screen, VGA_BLINK_CLOCK);
	off = surface_hash(rig.screen);
	rig_expect_pixel(&rig, 0, 0, rig_color(0x00));
	rig_expect_pixel(&rig, 8, 0, rig_color(0x00));
	rig_render(&rig);
	ck_assert_uint_eq(surface_hash(rig.screen), on);
	ck_assert_uint_ne(on, off);
}
END_TEST

START_TEST(mode_11)
{
	rig_set_mode(&rig, RIG_MODE_11);
	paint_plane(0xf, 0, 640, 480);
	expect_pattern(RIG_MODE_11, 640, 480, 1);
}
END_TEST

START_TEST(mode_4)
{
	rig_set_mode(&rig, RIG_MODE_4);
	for (unsigned y = 0; y < 200; y++)
		for (unsigned x = 0; x < 320; x += 4) {
			unsigned bits = 0;
			for (unsigned i = 0; i < 4; i++)
				bits = bits << 2 | (pattern(x + i, y) & 3);
			rig_poke(&rig, RIG_B8000 + (y & 1) * 0x2000 + y / 2 * 80 + x / 4, bits);
		}
	expect_pattern(RIG_MODE_4, 320, 200, 3);
}
END_TEST

START_TEST(mode_6)
{
	rig_set_mode(&rig, RIG_MODE_6);
	for (unsigned y = 0; y < 200; y++)
		for (unsigned x = 0; x < 640; x += 8) {
			unsigned bits = 0;
			for (unsigned i = 0; i < 8; i++)
				bits = bits << 1 | (pattern(x + i, y) & 1);
			rig_poke(&rig, RIG_B8000 + (y & 1) * 0x2000 + y / 2 * 80 + x / 8, bits);
		}
	expect_pattern(RIG_MODE_6, 640, 200, 1);
}
END_TEST

static void expect_256(unsigned width, unsigned height)
{
	rig_render(&rig);
	rig_expect_size(&rig, width, height);
	for (unsigned y = 0; y < height; y++)
		for (unsigned x = 0; x < width; x++)
			rig_expect_pixel(&rig, x, y, rig_color(pattern(x, y)));
}

START_TEST(mode_13)
{
	rig_set_mode(&rig, RIG_MODE_13);
	for (unsigned y = 0; y < 200; y++)
		for (unsigned x = 0; x < 320; x++)
			rig_poke(&rig, RIG_A0000 + y * 320 + x, pattern(x, y));
	expect_256(320, 200);
}
END_TEST

static void paint_unchained(unsigned width, unsigned height, unsigned start)
{
	for (unsigned plane = 0; plane < 4; plane++) {
		vga_rig_set(&rig, RIG_SEQ, 2, 1 << plane);
		for (unsigned y = 0; y < height; y++)
			for (unsigned x = plane; x < width; x += 4)
				rig_poke(&rig, RIG_A0000 + ((start + y * width / 4 + x / 4) & 0xffff), pattern(x, y));
	}
}

START_TEST(mode_x)
{
	rig_set_mode(&rig, RIG_MODE_X);
	paint_unchained(320, 240, 0);
	expect_256(320, 240);
}
END_TEST

START_TEST(mode_x_pages)
{
	rig_set_mode(&rig, RIG_MODE_X);
	paint_unchained(320, 240, 0x4b00);
	vga_rig_set(&rig, RIG_CRTC, 0x0c, 0x4b);
	vga_rig_set(&rig, RIG_CRTC, 0x0d, 0x00);
	expect_256(320, 240);
}
END_TEST

START_TEST(start_address_wraps_at_64k)
{
	rig_set_mode(&rig, RIG_MODE_X);
	paint_unchained(320, 240, 0xf000);
	vga_rig_set(&rig, RIG_CRTC, 0x0c, 0xf0);
	expect_256(320, 240);
}
END_TEST

START_TEST(unchained_with_400_lines)
{
	rig_set_mode(&rig, RIG_MODE_13);
	vga_rig_set(&rig, RIG_SEQ, 4, 0x06);
	vga_rig_set(&rig, RIG_CRTC, 0x14, 0x00);
	vga_rig_set(&rig, RIG_CRTC, 0x17, 0xe3);
	vga_rig_set(&rig, RIG_CRTC, 0x09, 0x40);
	paint_unchained(320, 400, 0);
	expect_256(320, 400);
}
END_TEST

/* Doubleword addressing without chain-4 shows every fourth plane address. */
START_TEST(doubleword_addressing_of_planes)
{
	rig_set_mode(&rig, RIG_MODE_13);
	vga_rig_set(&rig, RIG_SEQ, 4, 0x06);
	vga_rig_set(&rig, RIG_SEQ, 2, 0x01);
	rig_poke(&rig, RIG_A0000 + 4, 0x33);
	rig_render(&rig);
	rig_expect_pixel(&rig, 4, 0, rig_color(0x33));
}
END_TEST

/* 256 colours in the shift registers, but 16 in the attribute controller. */
START_TEST(packed_nibbles)
{
	rig_set_mode(&rig, RIG_MODE_13);
	rig_set_attr(&rig, 0x10, 0x01);
	rig_poke(&rig, RIG_A0000, 0x5a);
	rig_poke(&rig, RIG_A0000 + 3, 0x0c);
	rig_render(&rig);
	rig_expect_size(&rig, 640, 200);
	rig_expect_pixel(&rig, 0, 0, rig_color(0x5));
	rig_expect_pixel(&rig, 1, 0, rig_color(0xa));
	rig_expect_pixel(&rig, 7, 0, rig_color(0xc));
}
END_TEST

/* --- CRTC ------------------------------------------------------------------ */

START_TEST(panning_planar)
{
	rig_set_mode(&rig, RIG_MODE_D);
	for (unsigned plane = 0; plane < 4; plane++)
		paint_plane(1 << plane, plane, 320, 200);
	for (unsigned pan = 0; pan < 8; pan++) {
		rig_set_attr(&rig, 0x13, pan);
		rig_render(&rig);
		for (unsigned x = 0; x + pan < 320; x++)
			rig_expect_pixel(&rig, x, 9, rig_attr_color(RIG_MODE_D, pattern(x + pan, 9) & 15));
		/* What comes in on the right is the next line. */
		for (unsigned x = 320 - pan; x < 320; x++)
			rig_expect_pixel(&rig, x, 9, rig_attr_color(RIG_MODE_D, pattern(x + pan - 320, 10) & 15));
	}
}
END_TEST

START_TEST(panning_256)
{
	rig_set_mode(&rig, RIG_MODE_X);
	paint_unchained(320, 240, 0);
	for (unsigned pan = 0; pan < 4; pan++) {
		rig_set_attr(&rig, 0x13, pan * 2);
		rig_render(&rig);
		for (unsigned x = 0; x + pan < 320; x++)
			rig_expect_pixel(&rig, x, 9, rig_color(pattern(x + pan, 9)));
	}
}
END_TEST

START_TEST(byte_panning)
{
	rig_set_mode(&rig, RIG_MODE_D);
	for (unsigned plane = 0; plane < 4; plane++)
		paint_plane(1 << plane, plane, 320, 200);
	vga_rig_set(&rig, RIG_CRTC, 0x08, 3 << 5);
	rig_render(&rig);
	for (unsigned x = 0; x < 320 - 24; x++)
		rig_expect_pixel(&rig, x, 5, rig_attr_color(RIG_MODE_D, pattern(x + 24, 5) & 15));
}
END_TEST

START_TEST(offset_register_makes_wide_lines)
{
	rig_set_mode(&rig, RIG_MODE_X);
	vga_rig_set(&rig, RIG_CRTC, 0x13, 0x50);
	for (unsigned plane = 0; plane < 4; plane++) {
		vga_rig_set(&rig, RIG_SEQ, 2, 1 << plane);
		for (unsigned y = 0; y < 240; y++)
			for (unsigned x = plane; x < 320; x += 4)
				rig_poke(&rig, RIG_A0000 + y * 160 + x / 4, pattern(x, y));
	}
	expect_256(320, 240);
}
END_TEST

/* The split: below the line compare the screen shows address 0. */
START_TEST(line_compare)
{
	rig_set_mode(&rig, RIG_MODE_X);
	paint_unchained(320, 100, 0);
	vga_rig_set(&rig, RIG_SEQ, 2, 0x0f);
	for (unsigned i = 0; i < 80 * 240; i++)
		rig_poke(&rig, RIG_A0000 + 0x8000 + i, 0xee);
	vga_rig_set(&rig, RIG_CRTC, 0x0c, 0x80);
	/* scan line 321 = line 160 of 240, second half; bits 8 and 9 elsewhere */
	vga_rig_set(&rig, RIG_CRTC, 0x18, 321 & 0xff);
	vga_rig_set(&rig, RIG_CRTC, 0x07, 0x3e);
	vga_rig_set(&rig, RIG_CRTC, 0x09, 0x01);
	rig_set_attr(&rig, 0x13, 2);
	rig_render(&rig);
	for (unsigned y = 0; y < 161; y++)
		rig_expect_pixel(&rig, 100, y, rig_color(0xee));
	for (unsigned y = 161; y < 240; y++)
		rig_expect_pixel(&rig, 100, y, rig_color(pattern(101, y - 161)));
	/* With pixel panning compatibility the lower part stays put. */
	rig_set_attr(&rig, 0x10, 0x61);
	rig_render(&rig);
	for (unsigned y = 161; y < 240; y++)
		rig_expect_pixel(&rig, 100, y, rig_color(pattern(100, y - 161)));
}
END_TEST

START_TEST(line_compare_high_bits)
{
	static const struct {
		unsigned line, low, overflow, max_scan;
	} splits[] = {
		{ 100, 100, 0x6c, 0x00 }, { 300, 300 - 256, 0x7c, 0x00 }, { 550, 550 - 512, 0x6c, 0x40 },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(splits); i++) {
		rig_set_mode(&rig, RIG_MODE_12);
		rig_poke(&rig, RIG_A0000, 0xff);
		vga_rig_set(&rig, RIG_CRTC, 0x0c, 0x80);
		vga_rig_set(&rig, RIG_CRTC, 0x11, 0x00);
		vga_rig_set(&rig, RIG_CRTC, 0x12, 599 - 512);
		vga_rig_set(&rig, RIG_CRTC, 0x18, splits[i].low);
		vga_rig_set(&rig, RIG_CRTC, 0x07, splits[i].overflow);
		vga_rig_set(&rig, RIG_CRTC, 0x09, splits[i].max_scan);
		rig_render(&rig);
		rig_expect_size(&rig, 640, 600);
		for (unsigned y = 0; y < 600; y++)
			rig_expect_pixel(&rig, 0, y, rig_attr_color(RIG_MODE_12, y == splits[i].line + 1 ? 15 : 0));
	}
}
END_TEST

START_TEST(count_by_two)
{
	rig_set_mode(&rig, RIG_MODE_12);
	vga_rig_set(&rig, RIG_CRTC, 0x17, 0xeb);
	rig_poke(&rig, RIG_A0000 + 1, 0x80);
	rig_render(&rig);
	rig_expect_pixel(&rig, 8, 0, rig_attr_color(RIG_MODE_12, 0));
	rig_expect_pixel(&rig, 16, 0, rig_attr_color(RIG_MODE_12, 15));
	rig_expect_pixel(&rig, 24, 0, rig_attr_color(RIG_MODE_12, 15));
}
END_TEST

/* --- colours ---------------------------------------------------------------- */

START_TEST(color_select)
{
	rig_set_mode(&rig, RIG_MODE_12);
	rig_poke(&rig, RIG_A0000, 0x80);
	rig_set_attr(&rig, 0x14, 0x0e);
	rig_render(&rig);
	rig_expect_pixel(&rig, 0, 0, rig_color(0xc0 | 0x3f));
	rig_set_attr(&rig, 0x10, 0x81);
	rig_render(&rig);
	rig_expect_pixel(&rig, 0, 0, rig_color(0xe0 | 0x0f));
}
END_TEST

START_TEST(plane_enable_and_pel_mask)
{
	rig_set_mode(&rig, RIG_MODE_12);
	rig_poke(&rig, RIG_A0000, 0x80);
	rig_set_attr(&rig, 0x12, 0x06);
	rig_render(&rig);
	rig_expect_pixel(&rig, 0, 0, rig_color(0x14));
	rig_out(&rig, 0x3c6, 0x04);
	rig_render(&rig);
	rig_expect_pixel(&rig, 0, 0, rig_color(0x04));
}
END_TEST

START_TEST(dark_screens)
{
	rig_set_mode(&rig, RIG_MODE_12);
	rig_poke(&rig, RIG_A0000, 0x80);
	rig_set_attr(&rig, 0x11, 0x2a);
	rig_out(&rig, 0x3c0, 0x00); /* PAS off: the overscan colour everywhere */
	rig_render(&rig);
	rig_expect_pixel(&rig, 0, 0, rig_color(0x2a));
	rig_in(&rig, 0x3da);
	rig_out(&rig, 0x3c0, 0x20);
	rig_render(&rig);
	rig_expect_pixel(&rig, 0, 0, rig_attr_color(RIG_MODE_12, 15));
	vga_rig_set(&rig, RIG_SEQ, 1, 0x21);
	rig_render(&rig);
	rig_expect_pixel(&rig, 0, 0, 0);
	vga_rig_set(&rig, RIG_SEQ, 1, 0x01);
	vga_rig_set(&rig, RIG_SEQ, 0, 0x01);
	rig_render(&rig);
	rig_expect_pixel(&rig, 0, 0, 0);
	vga_rig_set(&rig, RIG_SEQ, 0, 0x03);
	vga_rig_set(&rig, RIG_CRTC, 0x17, 0x63);
	rig_render(&rig);
	rig_expect_pixel(&rig, 0, 0, 0);
	vga_reset(rig.vga);
	rig_render(&rig);
	ck_assert_uint_ge(rig.screen->width * rig.screen->height, 1);
	rig_expect_pixel(&rig, 0, 0, 0);
}
END_TEST

/* Any registers at all give some picture. */
START_TEST(nonsense_registers)
{
	uint32_t random = 1;
	for (unsigned round = 0; round < 200; round++) {
		rig_set_mode(&rig, (enum rig_mode_number)(round % RIG_MODES));
		rig_out(&rig, 0x3c2, 0x63);
		vga_rig_set(&rig, RIG_CRTC, 0x11, 0);
		for (unsigned i = 0; i < 12; i++) {
			random = random * 1664525 + 1013904223;
			static const uint16_t ports[] = { RIG_SEQ, RIG_GC, RIG_CRTC, RIG_CRTC };
			vga_rig_set(&rig, ports[random >> 30], random >> 16 & 31, random >> 8 & 0xff);
			rig_set_attr(&rig, 0x10 + (random >> 24) % 5, random & 0xff);
		}
		mem_write(rig.mem, RIG_A0000 + (random & 0x1ffff), 8, random);
		mem_read(rig.mem, RIG_A0000 + (random >> 8 & 0x1ffff), 8);
		rig_render(&rig);
		ck_assert_uint_ge(rig.screen->width, 4);
		ck_assert_uint_ge(rig.screen->height, 1);
	}
}
END_TEST

Suite *suite_vga_render(void)
{
	Suite *suite = suite_create("vga_render");
	TCase *tcase = tcase_create("vga_render");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, planar_16_colors, 0, 4);
	tcase_add_test(tcase, mode_f_monochrome);
	tcase_add_test(tcase, mode_f_blinks);
	tcase_add_test(tcase, mode_11);
	tcase_add_test(tcase, mode_4);
	tcase_add_test(tcase, mode_6);
	tcase_add_test(tcase, mode_13);
	tcase_add_test(tcase, mode_x);
	tcase_add_test(tcase, mode_x_pages);
	tcase_add_test(tcase, start_address_wraps_at_64k);
	tcase_add_test(tcase, unchained_with_400_lines);
	tcase_add_test(tcase, doubleword_addressing_of_planes);
	tcase_add_test(tcase, packed_nibbles);
	tcase_add_test(tcase, panning_planar);
	tcase_add_test(tcase, panning_256);
	tcase_add_test(tcase, byte_panning);
	tcase_add_test(tcase, offset_register_makes_wide_lines);
	tcase_add_test(tcase, line_compare);
	tcase_add_test(tcase, line_compare_high_bits);
	tcase_add_test(tcase, count_by_two);
	tcase_add_test(tcase, color_select);
	tcase_add_test(tcase, plane_enable_and_pel_mask);
	tcase_add_test(tcase, dark_screens);
	tcase_add_test(tcase, nonsense_registers);
	suite_add_tcase(suite, tcase);
	return suite;
}
