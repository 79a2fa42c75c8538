#include "tests/unit/vga_rig.h"

#include <string.h>

#define FRAME_NS (1000000000ull / 70)

static struct vga_rig rig;

static void setup(void)
{
	vga_rig_open(&rig);
}

static void teardown(void)
{
	vga_rig_close(&rig);
}

static void put(uint32_t base, unsigned cell, unsigned code, unsigned attribute)
{
	mem_write(rig.mem, base + cell * 2, 2, attribute << 8 | code);
}

static void print(uint32_t base, unsigned cell, const char *text)
{
	for (; *text; text++)
		put(base, cell++, (uint8_t)*text, 0x07);
}

static void clear(uint32_t base)
{
	for (unsigned i = 0; i < 0x4000; i++)
		put(base, i, ' ', 0x07);
}

static unsigned code_at(unsigned cell)
{
	return (cell * 11 + cell / 80) & 0xff;
}

/* No blinking and no font B in it: bits 3 and 7 are tested apart. */
static unsigned attribute_at(unsigned cell)
{
	return (cell * 13 + 5) & 0x77;
}

static void fill(uint32_t base, unsigned cells)
{
	for (unsigned i = 0; i < cells; i++)
		put(base, i, code_at(i), attribute_at(i));
}

/* Is dot `x` of the glyph's row set? The ninth repeats the eighth in C0-DF. */
static bool dot_is_set(unsigned seed, unsigned code, unsigned row, unsigned x)
{
	if (x == 8)
		return code >= 0xc0 && code <= 0xdf && rig_glyph(seed, code, row) & 1;
	return rig_glyph(seed, code, row) >> (7 - x) & 1;
}

static void expect_fill(enum rig_mode_number mode, unsigned columns, unsigned rows, unsigned width, unsigned height)
{
	rig_render(&rig);
	rig_expect_size(&rig, columns * width, rows * height);
	for (unsigned y = 0; y < rows * height; y++)
		for (unsigned x = 0; x < columns * width; x++) {
			unsigned cell = y / height * columns + x / width;
			unsigned attribute = attribute_at(cell);
			bool set = dot_is_set(1, code_at(cell), y % height, x % width);
			if (mode == RIG_MODE_7 && attribute == 0x01 && y % height == 15)
				set = true; /* underline */
			rig_expect_pixel(&rig, x, y, rig_attr_color(mode, set ? attribute & 15 : attribute >> 4));
		}
}

static void open_text(enum rig_mode_number mode)
{
	rig_set_mode(&rig, mode);
	rig_load_font(&rig, mode, 0, 1);
	/* The cursor is tested apart. */
	vga_rig_set(&rig, mode == RIG_MODE_7 ? RIG_MONO_CRTC : RIG_CRTC, 0x0a, 0x20);
}

START_TEST(mode_3_nine_dots)
{
	open_text(RIG_MODE_3);
	fill(RIG_B8000, 80 * 25);
	expect_fill(RIG_MODE_3, 80, 25, 9, 16);
}
END_TEST

START_TEST(mode_3_eight_dots)
{
	open_text(RIG_MODE_3);
	vga_rig_set(&rig, RIG_SEQ, 1, 0x01);
	rig_set_attr(&rig, 0x13, 0);
	fill(RIG_B8000, 80 * 25);
	expect_fill(RIG_MODE_3, 80, 25, 8, 16);
}
END_TEST

START_TEST(mode_1_forty_columns)
{
	open_text(RIG_MODE_1);
	fill(RIG_B8000, 40 * 25);
	expect_fill(RIG_MODE_1, 40, 25, 9, 16);
}
END_TEST

START_TEST(mode_7_underlines)
{
	open_text(RIG_MODE_7);
	fill(RIG_B0000, 80 * 25);
	expect_fill(RIG_MODE_7, 80, 25, 9, 16);
}
END_TEST

START_TEST(fifty_rows)
{
	open_text(RIG_MODE_3);
	vga_rig_set(&rig, RIG_CRTC, 0x09, 0x47);
	fill(RIG_B8000, 80 * 50);
	expect_fill(RIG_MODE_3, 80, 50, 9, 8);
}
END_TEST

START_TEST(forty_three_rows)
{
	open_text(RIG_MODE_3);
	vga_rig_set(&rig, RIG_CRTC, 0x09, 0x47);
	vga_rig_set(&rig, RIG_CRTC, 0x12, 0x57);
	fill(RIG_B8000, 80 * 43);
	expect_fill(RIG_MODE_3, 80, 43, 9, 8);
}
END_TEST

START_TEST(double_scanned_rows)
{
	open_text(RIG_MODE_3);
	vga_rig_set(&rig, RIG_CRTC, 0x09, 0xc7);
	fill(RIG_B8000, 80 * 25);
	expect_fill(RIG_MODE_3, 80, 25, 9, 8);
}
END_TEST

START_TEST(line_graphics_can_be_off)
{
	open_text(RIG_MODE_3);
	rig_set_attr(&rig, 0x10, 0x08);
	put(RIG_B8000, 0, 0xc4, 0x07);
	rig_render(&rig);
	for (unsigned y = 0; y < 16; y++)
		rig_expect_pixel(&rig, 8, y, rig_attr_color(RIG_MODE_3, 0));
}
END_TEST

/* Font slots by the value of the map select field. */
static const unsigned slots[] = { 0x0000, 0x4000, 0x8000, 0xc000, 0x2000, 0x6000, 0xa000, 0xe000 };

START_TEST(two_fonts)
{
	unsigned a = (unsigned)_i, b = (a + 3) & 7;
	rig_set_mode(&rig, RIG_MODE_3);
	vga_rig_set(&rig, RIG_CRTC, 0x0a, 0x20);
	rig_load_font(&rig, RIG_MODE_3, slots[a], 7);
	rig_load_font(&rig, RIG_MODE_3, slots[b], 9);
	vga_rig_set(&rig, RIG_SEQ, 3, (a & 3) << 2 | (a >> 2) << 5 | (b & 3) | (b >> 2) << 4);
	put(RIG_B8000, 0, 'A', 0x0f);
	put(RIG_B8000, 1, 'A', 0x07);
	rig_render(&rig);
	for (unsigned y = 0; y < 16; y++)
		for (unsigned x = 0; x < 8; x++) {
			rig_expect_pixel(&rig, x, y, rig_attr_color(RIG_MODE_3, dot_is_set(7, 'A', y, x) ? 15 : 0));
			rig_expect_pixel(&rig, 9 + x, y, rig_attr_color(RIG_MODE_3, dot_is_set(9, 'A', y, x) ? 7 : 0));
		}
}
END_TEST

static bool is_cursor(unsigned cell, unsigned row)
{
	uint32_t color = surface_row(rig.screen, cell / 80 * 16 + row)[cell % 80 * 9];
	return color == rig_attr_color(RIG_MODE_3, 6);
}

static void expect_cursor(unsigned cell, unsigned first, unsigned last)
{
	rig_render(&rig);
	for (unsigned row = 0; row < 16; row++)
		ck_assert_msg(is_cursor(cell, row) == (row >= first && row <= last), "row %u", row);
	ck_assert(!is_cursor(cell + 1, last) && !is_cursor(cell - 1, last));
}

static void open_blank(void)
{
	/* No font: every glyph is empty. */
	rig_set_mode(&rig, RIG_MODE_3);
	for (unsigned i = 0; i < 4000; i++)
		put(RIG_B8000, i, ' ', 0x06);
}

START_TEST(cursor_shape_and_place)
{
	open_blank();
	vga_rig_set(&rig, RIG_CRTC, 0x0e, 1000 >> 8);
	vga_rig_set(&rig, RIG_CRTC, 0x0f, 1000 & 0xff);
	expect_cursor(1000, 13, 14);
	vga_rig_set(&rig, RIG_CRTC, 0x0a, 0x00);
	vga_rig_set(&rig, RIG_CRTC, 0x0b, 0x0f);
	expect_cursor(1000, 0, 15);
	vga_rig_set(&rig, RIG_CRTC, 0x0b, 0x20 | 0x03); /* skewed by one */
	expect_cursor(1001, 0, 3);
	vga_rig_set(&rig, RIG_CRTC, 0x0a, 0x05);
	vga_rig_set(&rig, RIG_CRTC, 0x0b, 0x03); /* start behind end: none */
	expect_cursor(1000, 16, 0);
	vga_rig_set(&rig, RIG_CRTC, 0x0a, 0x20);
	vga_rig_set(&rig, RIG_CRTC, 0x0b, 0x0f); /* off */
	expect_cursor(1000, 16, 0);
}
END_TEST

START_TEST(cursor_moves_with_the_start_address)
{
	open_blank();
	vga_rig_set(&rig, RIG_CRTC, 0x0c, 0);
	vga_rig_set(&rig, RIG_CRTC, 0x0d, 160);
	vga_rig_set(&rig, RIG_CRTC, 0x0f, 165);
	expect_cursor(5, 13, 14);
	/* The cursor also lies in the character beyond the right edge. */
	vga_rig_set(&rig, RIG_CRTC, 0x0f, 160 + 80);
	expect_cursor(80, 13, 14);
}
END_TEST

START_TEST(cursor_blinks_twice_as_fast_as_text)
{
	open_blank();
	rig_load_font(&rig, RIG_MODE_3, 0, 1);
	put(RIG_B8000, 100, 'A', 0x86);
	vga_rig_set(&rig, RIG_CRTC, 0x0f, 10);
	unsigned cursor = 0, text = 0;
	for (unsigned frame = 0; frame < 64; frame++) {
		clock_wait_until(rig.clock, frame * 14268400ull + FRAME_NS / 2);
		vga_render(rig.vga, rig.screen, VGA_BLINK_CLOCK);
		uint32_t at_cursor = surface_row(rig.screen, 13)[10 * 9 + 8];
		cursor = cursor << 1 | (at_cursor == rig_attr_color(RIG_MODE_3, 6));
		bool shown = false;
		for (unsigned i = 0; i < 16 * 8; i++)
			shown |= surface_row(rig.screen, 16 + i / 8)[20 * 9 + i % 8] == rig_attr_color(RIG_MODE_3, 6);
		text = text << 1 | shown;
		if (frame % 32 == 31) {
			ck_assert_uint_eq(cursor, 0xff00ff00);
			ck_assert_uint_eq(text, 0xffff0000);
		}
	}
}
END_TEST

START_TEST(blink_or_bright_background)
{
	open_text(RIG_MODE_3);
	put(RIG_B8000, 0, ' ', 0xc6);
	clock_wait_until(rig.clock, FRAME_NS * 20);
	vga_render(rig.vga, rig.screen, VGA_BLINK_CLOCK);
	rig_expect_pixel(&rig, 8, 0, rig_attr_color(RIG_MODE_3, 4));
	rig_set_attr(&rig, 0x10, 0x04);
	vga_render(rig.vga, rig.screen, VGA_BLINK_CLOCK);
	rig_expect_pixel(&rig, 8, 0, rig_attr_color(RIG_MODE_3, 12));
}
END_TEST

START_TEST(panning_nine_dots)
{
	open_text(RIG_MODE_3);
	fill(RIG_B8000, 80 * 26);
	for (unsigned pan = 0; pan <= 8; pan++) {
		unsigned shift = pan == 8 ? 0 : pan + 1;
		rig_set_attr(&rig, 0x13, pan);
		rig_render(&rig);
		for (unsigned x = 0; x < 720; x++) {
			unsigned cell = (x + shift) / 9, attribute = attribute_at(cell);
			bool set = dot_is_set(1, code_at(cell), 3, (x + shift) % 9);
			rig_expect_pixel(&rig, x, 3, rig_attr_color(RIG_MODE_3, set ? attribute & 15 : attribute >> 4));
		}
	}
}
END_TEST

START_TEST(preset_row_scan)
{
	open_text(RIG_MODE_3);
	fill(RIG_B8000, 80 * 26);
	vga_rig_set(&rig, RIG_CRTC, 0x08, 5);
	rig_render(&rig);
	for (unsigned y = 0; y < 400; y++) {
		unsigned cell = (y + 5) / 16 * 80, attribute = attribute_at(cell);
		bool set = dot_is_set(1, code_at(cell), (y + 5) % 16, 0);
		rig_expect_pixel(&rig, 0, y, rig_attr_color(RIG_MODE_3, set ? attribute & 15 : attribute >> 4));
	}
}
END_TEST

/* --- what it says ------------------------------------------------------------ */

static void expect_text(const char *expected, unsigned columns, unsigned rows)
{
	GString *text = g_string_new("left over");
	unsigned has_columns, has_rows;
	ck_assert(vga_text_read(rig.vga, text, &has_columns, &has_rows));
	ck_assert_str_eq(text->str, expected);
	ck_assert_uint_eq(has_columns, columns);
	ck_assert_uint_eq(has_rows, rows);
	g_string_free(text, TRUE);
}

static char *blank_lines(unsigned count)
{
	return g_strnfill(count, '\n');
}

START_TEST(reads_a_screen)
{
	rig_set_mode(&rig, RIG_MODE_3);
	clear(RIG_B8000);
	print(RIG_B8000, 0, "boot: ");
	print(RIG_B8000, 82, "two words");
	print(RIG_B8000, 80 * 24 + 79, "!");
	char *lines = blank_lines(22);
	char *expected = g_strdup_printf("boot:\n  two words\n%s%79s!\n", lines, "");
	expect_text(expected, 80, 25);
	g_free(expected);
	g_free(lines);
}
END_TEST

START_TEST(reads_code_page_437)
{
	rig_set_mode(&rig, RIG_MODE_3);
	clear(RIG_B8000);
	print(RIG_B8000, 0, "\xc9\xcd\xbb \x81\x8e\xe1 \x01\x7f\xfe|\x1b\xb0\xff");
	put(RIG_B8000, 80, 0x00, 0x07);
	char *lines = blank_lines(24);
	char *expected = g_strdup_printf("╔═╗ üÄß ☺⌂■|←░\n%s", lines);
	expect_text(expected, 80, 25);
	g_free(expected);
	g_free(lines);
}
END_TEST

START_TEST(every_code_is_valid_utf_8)
{
	GString *text = g_string_new(NULL);
	GHashTable *seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	rig_set_mode(&rig, RIG_MODE_3);
	clear(RIG_B8000);
	for (unsigned i = 0; i < 256; i++)
		put(RIG_B8000, i, i, 0x07);
	ck_assert(vga_text_read(rig.vga, text, NULL, NULL));
	ck_assert(g_utf8_validate(text->str, (gssize)text->len, NULL));
	for (const char *at = text->str; *at; at = g_utf8_next_char(at))
		g_hash_table_add(seen, g_strndup(at, (gsize)(g_utf8_next_char(at) - at)));
	/* 256 codes, three of them blank, and the line feed. */
	ck_assert_uint_eq(g_hash_table_size(seen), 255);
	g_hash_table_destroy(seen);
	g_string_free(text, TRUE);
}
END_TEST

START_TEST(reads_other_sizes)
{
	char *lines = blank_lines(49);
	rig_set_mode(&rig, RIG_MODE_3);
	clear(RIG_B8000);
	print(RIG_B8000, 80 * 49, "last");
	vga_rig_set(&rig, RIG_CRTC, 0x09, 0x47);
	char *expected = g_strdup_printf("%slast\n", lines);
	expect_text(expected, 80, 50);
	g_free(expected);
	rig_set_mode(&rig, RIG_MODE_1);
	clear(RIG_B8000);
	print(RIG_B8000, 40, "x");
	expected = g_strdup_printf("\nx\n%s", lines + 49 - 23);
	expect_text(expected, 40, 25);
	g_free(expected);
	rig_set_mode(&rig, RIG_MODE_7);
	clear(RIG_B0000);
	print(RIG_B0000, 80, "mono");
	expected = g_strdup_printf("\nmono\n%s", lines + 49 - 23);
	expect_text(expected, 80, 25);
	g_free(expected);
	g_free(lines);
}
END_TEST

START_TEST(reads_from_the_start_address)
{
	char *lines = blank_lines(24);
	rig_set_mode(&rig, RIG_MODE_3);
	clear(RIG_B8000);
	print(RIG_B8000, 0, "page 0");
	print(RIG_B8000, 0x800, "page 1");
	vga_rig_set(&rig, RIG_CRTC, 0x0c, 0x08);
	char *expected = g_strdup_printf("page 1\n%s", lines);
	expect_text(expected, 80, 25);
	g_free(expected);
	vga_rig_set(&rig, RIG_CRTC, 0x18, 0x0f); /* one row, then address 0 */
	vga_rig_set(&rig, RIG_CRTC, 0x07, 0x0f);
	vga_rig_set(&rig, RIG_CRTC, 0x09, 0x0f);
	expected = g_strdup_printf("page 1\npage 0\n%s", lines + 1);
	expect_text(expected, 80, 25);
	g_free(expected);
	g_free(lines);
}
END_TEST

START_TEST(graphics_says_nothing)
{
	static const enum rig_mode_number modes[] = { RIG_MODE_4, RIG_MODE_12, RIG_MODE_13 };
	GString *text = g_string_new("left over");
	for (unsigned i = 0; i < G_N_ELEMENTS(modes); i++) {
		unsigned columns = 1, rows = 1;
		rig_set_mode(&rig, modes[i]);
		ck_assert(!vga_text_read(rig.vga, text, &columns, &rows));
		ck_assert_uint_eq(text->len, 0);
		ck_assert_uint_eq(columns, 0);
		ck_assert_uint_eq(rows, 0);
	}
	rig_set_mode(&rig, RIG_MODE_3);
	rig_set_dispi(&rig, 4, 1);
	ck_assert(!vga_text_read(rig.vga, text, NULL, NULL));
	rig_set_dispi(&rig, 4, 0);
	ck_assert(vga_text_read(rig.vga, text, NULL, NULL));
	g_string_free(text, TRUE);
}
END_TEST

Suite *suite_vga_text(void)
{
	Suite *suite = suite_create("vga_text");
	TCase *tcase = tcase_create("vga_text");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, mode_3_nine_dots);
	tcase_add_test(tcase, mode_3_eight_dots);
	tcase_add_test(tcase, mode_1_forty_columns);
	tcase_add_test(tcase, mode_7_underlines);
	tcase_add_test(tcase, fifty_rows);
	tcase_add_test(tcase, forty_three_rows);
	tcase_add_test(tcase, double_scanned_rows);
	tcase_add_test(tcase, line_graphics_can_be_off);
	tcase_add_loop_test(tcase, two_fonts, 0, 8);
	tcase_add_test(tcase, cursor_shape_and_place);
	tcase_add_test(tcase, cursor_moves_with_the_start_address);
	tcase_add_test(tcase, cursor_blinks_twice_as_fast_as_text);
	tcase_add_test(tcase, blink_or_bright_background);
	tcase_add_test(tcase, panning_nine_dots);
	tcase_add_test(tcase, preset_row_scan);
	tcase_add_test(tcase, reads_a_screen);
	tcase_add_test(tcase, reads_code_page_437);
	tcase_add_test(tcase, every_code_is_valid_utf_8);
	tcase_add_test(tcase, reads_other_sizes);
	tcase_add_test(tcase, reads_from_the_start_address);
	tcase_add_test(tcase, graphics_says_nothing);
	suite_add_tcase(suite, tcase);
	return suite;
}
