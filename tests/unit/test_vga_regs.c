#include "tests/unit/vga_rig.h"

#include <string.h>

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

START_TEST(registers_keep_the_bits_they_have)
{
	static const struct {
		uint16_t port;
		uint8_t index, bits;
	} registers[] = {
		{ RIG_SEQ, 0, 0x03 }, { RIG_SEQ, 1, 0x3d }, { RIG_SEQ, 2, 0x0f }, { RIG_SEQ, 3, 0x3f },
		{ RIG_SEQ, 4, 0x0e }, { RIG_SEQ, 7, 0x00 }, { RIG_GC, 0, 0x0f }, { RIG_GC, 1, 0x0f },
		{ RIG_GC, 2, 0x0f }, { RIG_GC, 3, 0x1f }, { RIG_GC, 4, 0x03 }, { RIG_GC, 5, 0x7b },
		{ RIG_GC, 6, 0x0f }, { RIG_GC, 7, 0x0f }, { RIG_GC, 8, 0xff }, { RIG_GC, 9, 0x00 },
		{ RIG_CRTC, 0x0a, 0x3f }, { RIG_CRTC, 0x0b, 0x7f }, { RIG_CRTC, 0x0c, 0xff },
		{ RIG_CRTC, 0x18, 0xff }, { RIG_CRTC, 0x19, 0x00 }, { RIG_CRTC, 0x3f, 0x00 },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(registers); i++) {
		vga_rig_set(&rig, registers[i].port, registers[i].index, 0xff);
		ck_assert_uint_eq(vga_rig_get(&rig, registers[i].port, registers[i].index), registers[i].bits);
		vga_rig_set(&rig, registers[i].port, registers[i].index, 0x00);
		ck_assert_uint_eq(vga_rig_get(&rig, registers[i].port, registers[i].index), 0);
	}
}
END_TEST

START_TEST(index_registers_read_back)
{
	rig_out(&rig, 0x3c4, 0xff);
	ck_assert_uint_eq(rig_in(&rig, 0x3c4), 0x07);
	rig_out(&rig, 0x3ce, 0xff);
	ck_assert_uint_eq(rig_in(&rig, 0x3ce), 0x0f);
	rig_out(&rig, 0x3d4, 0xff);
	ck_assert_uint_eq(rig_in(&rig, 0x3d4), 0x3f);
	ck_assert_uint_eq(bus_read(rig.bus, 0x3d4, 2), 0x003f);
}
END_TEST

START_TEST(crtc_protection)
{
	vga_rig_set(&rig, RIG_CRTC, 0x11, 0x8e);
	vga_rig_set(&rig, RIG_CRTC, 0x00, 0x12);
	vga_rig_set(&rig, RIG_CRTC, 0x07, 0x00);
	vga_rig_set(&rig, RIG_CRTC, 0x0c, 0x34);
	ck_assert_uint_eq(vga_rig_get(&rig, RIG_CRTC, 0x00), 0x5f);
	ck_assert_uint_eq(vga_rig_get(&rig, RIG_CRTC, 0x07), 0x0f);
	ck_assert_uint_eq(vga_rig_get(&rig, RIG_CRTC, 0x0c), 0x34);
	vga_rig_set(&rig, RIG_CRTC, 0x07, 0xff);
	ck_assert_uint_eq(vga_rig_get(&rig, RIG_CRTC, 0x07), 0x1f);
	vga_rig_set(&rig, RIG_CRTC, 0x11, 0x0e);
	vga_rig_set(&rig, RIG_CRTC, 0x00, 0x12);
	ck_assert_uint_eq(vga_rig_get(&rig, RIG_CRTC, 0x00), 0x12);
}
END_TEST

START_TEST(mono_and_color_addresses)
{
	vga_rig_set(&rig, 0x3d4, 0x0c, 0x11);
	ck_assert_uint_eq(rig_in(&rig, 0x3b5), 0xff);
	ck_assert_uint_eq(rig_in(&rig, 0x3ba), 0xff);
	vga_rig_set(&rig, 0x3b4, 0x0c, 0x22);
	ck_assert_uint_eq(vga_rig_get(&rig, 0x3d4, 0x0c), 0x11);
	rig_out(&rig, 0x3c2, 0x66);
	ck_assert_uint_eq(vga_rig_get(&rig, 0x3b4, 0x0c), 0x11);
	ck_assert_uint_eq(rig_in(&rig, 0x3d5), 0xff);
	ck_assert_uint_eq(rig_in(&rig, 0x3da), 0xff);
	vga_rig_set(&rig, 0x3d4, 0x0c, 0x33);
	ck_assert_uint_eq(vga_rig_get(&rig, 0x3b4, 0x0c), 0x11);
	ck_assert_uint_eq(rig_in(&rig, 0x3cc), 0x66);
}
END_TEST

START_TEST(attribute_flip_flop)
{
	rig_in(&rig, 0x3da);
	rig_out(&rig, 0x3c0, 0x02);
	rig_out(&rig, 0x3c0, 0x15);
	rig_out(&rig, 0x3c0, 0x03);
	rig_out(&rig, 0x3c0, 0xff);
	rig_out(&rig, 0x3c0, 0x22);
	ck_assert_uint_eq(rig_in(&rig, 0x3c0), 0x22);
	ck_assert_uint_eq(rig_in(&rig, 0x3c1), 0x15);
	/* Status resets the flip-flop: the next byte is an index. */
	rig_in(&rig, 0x3da);
	rig_out(&rig, 0x3c0, 0x23);
	ck_assert_uint_eq(rig_in(&rig, 0x3c1), 0x3f);
	/* Reads leave it alone. */
	rig_out(&rig, 0x3c0, 0x2a);
	ck_assert_uint_eq(rig_in(&rig, 0x3c1), 0x2a);
}
END_TEST

START_TEST(attribute_index_out_of_range)
{
	rig_in(&rig, 0x3da);
	for (unsigned i = 0x15; i < 0x20; i++) {
		rig_out(&rig, 0x3c0, i);
		rig_out(&rig, 0x3c0, 0xff);
		ck_assert_uint_eq(rig_in(&rig, 0x3c1), 0);
	}
}
END_TEST

START_TEST(misc_and_feature)
{
	rig_out(&rig, 0x3c2, 0xff);
	ck_assert_uint_eq(rig_in(&rig, 0x3cc), 0xef);
	rig_out(&rig, 0x3da, 0xff);
	ck_assert_uint_eq(rig_in(&rig, 0x3ca), 0x03);
}
END_TEST

START_TEST(enable_port_hides_the_rest)
{
	rig_out(&rig, 0x3c3, 0);
	ck_assert_uint_eq(rig_in(&rig, 0x3cc), 0xff);
	ck_assert_uint_eq(rig_peek(&rig, RIG_B8000), 0xff);
	rig_out(&rig, 0x3c2, 0x00);
	ck_assert_uint_eq(rig_in(&rig, 0x3c3), 0);
	rig_out(&rig, 0x3c3, 1);
	ck_assert_uint_eq(rig_in(&rig, 0x3cc), 0x67);
	ck_assert_uint_eq(rig_peek(&rig, RIG_B8000), 0x00);
}
END_TEST

START_TEST(dac_writes_and_reads)
{
	static const uint8_t values[] = { 0x01, 0x02, 0x03, 0xfe, 0x3f, 0x40 };
	rig_out(&rig, 0x3c8, 0xff);
	for (unsigned i = 0; i < 6; i++)
		rig_out(&rig, 0x3c9, values[i]);
	ck_assert_uint_eq(rig_in(&rig, 0x3c8), 0x01);
	ck_assert_uint_eq(rig_in(&rig, 0x3c7), 0);
	rig_out(&rig, 0x3c7, 0xff);
	ck_assert_uint_eq(rig_in(&rig, 0x3c7), 3);
	for (unsigned i = 0; i < 6; i++)
		ck_assert_uint_eq(rig_in(&rig, 0x3c9), values[i] & 0x3f);
}
END_TEST

START_TEST(dac_takes_whole_colors)
{
	rig_out(&rig, 0x3c8, 7);
	rig_out(&rig, 0x3c9, 0x2a);
	rig_out(&rig, 0x3c9, 0x2a);
	rig_out(&rig, 0x3c8, 7); /* starts over */
	for (unsigned i = 0; i < 3; i++)
		rig_out(&rig, 0x3c9, 0x10 + i);
	rig_out(&rig, 0x3c7, 7);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_uint_eq(rig_in(&rig, 0x3c9), 0x10 + i);
}
END_TEST

START_TEST(dac_8_bit)
{
	rig_set_dispi(&rig, 4, 0x20);
	rig_out(&rig, 0x3c8, 1);
	rig_out(&rig, 0x3c9, 0xfe);
	rig_out(&rig, 0x3c9, 0x81);
	rig_out(&rig, 0x3c9, 0x7f);
	rig_out(&rig, 0x3c7, 1);
	ck_assert_uint_eq(rig_in(&rig, 0x3c9), 0xfe);
	ck_assert_uint_eq(rig_in(&rig, 0x3c9), 0x81);
	rig_set_dispi(&rig, 4, 0);
	rig_out(&rig, 0x3c7, 1);
	ck_assert_uint_eq(rig_in(&rig, 0x3c9), 0x3e);
}
END_TEST

START_TEST(pel_mask_reads_back)
{
	rig_out(&rig, 0x3c6, 0x5a);
	ck_assert_uint_eq(rig_in(&rig, 0x3c6), 0x5a);
}
END_TEST

static void at(uint64_t ns)
{
	clock_wait_until(rig.clock, ns);
}

/* Mode 3: 449 lines of 100 characters of 9 dots at 28.322 MHz, 400 of 80 shown,
 * retrace in lines 412 and 413. */
#define LINE_NS 31777ull

START_TEST(status_1_follows_the_beam)
{
	at(LINE_NS / 2);
	ck_assert_uint_eq(rig_in(&rig, 0x3da) & 9, 0);
	at(LINE_NS - 1000);
	ck_assert_uint_eq(rig_in(&rig, 0x3da) & 9, 1);
	at(LINE_NS + 1000);
	ck_assert_uint_eq(rig_in(&rig, 0x3da) & 9, 0);
	at(405 * LINE_NS);
	ck_assert_uint_eq(rig_in(&rig, 0x3da) & 9, 1);
	at(412 * LINE_NS + LINE_NS / 2);
	ck_assert_uint_eq(rig_in(&rig, 0x3da) & 9, 9);
	at(413 * LINE_NS + LINE_NS / 2);
	ck_assert_uint_eq(rig_in(&rig, 0x3da) & 9, 9);
	at(414 * LINE_NS + LINE_NS / 2);
	ck_assert_uint_eq(rig_in(&rig, 0x3da) & 9, 1);
	at(449 * LINE_NS + LINE_NS / 2);
	ck_assert_uint_eq(rig_in(&rig, 0x3da) & 9, 0);
}
END_TEST

START_TEST(refresh_rate_is_the_modes)
{
	static const struct {
		enum rig_mode_number mode;
		unsigned hz;
	} rates[] = { { RIG_MODE_3, 70 }, { RIG_MODE_1, 70 }, { RIG_MODE_12, 60 }, { RIG_MODE_13, 70 } };
	for (unsigned i = 0; i < G_N_ELEMENTS(rates); i++) {
		rig_set_mode(&rig, rates[i].mode);
		uint64_t start = clock_now(rig.clock);
		unsigned rises = 0;
		bool was = true;
		for (uint64_t ns = 0; ns < 1000000000; ns += 20000) {
			at(start + ns);
			bool is = rig_in(&rig, 0x3da) & 8;
			rises += is && !was;
			was = is;
		}
		ck_assert_uint_ge(rises, rates[i].hz - 1);
		ck_assert_uint_le(rises, rates[i].hz + 1);
	}
}
END_TEST

START_TEST(retrace_comes_with_any_registers)
{
	for (unsigned pattern = 0; pattern < 256; pattern += 17) {
		vga_rig_set(&rig, RIG_CRTC, 0x11, 0);
		for (unsigned i = 0; i < 25; i++)
			vga_rig_set(&rig, RIG_CRTC, i == 0x11 ? 0x10 : i, pattern);
		uint64_t start = clock_now(rig.clock);
		uint8_t seen = 0, missing = 0;
		for (uint64_t ns = 0; ns < 250000000; ns += 5000) {
			at(start + ns);
			uint8_t status = rig_in(&rig, 0x3da);
			seen |= status;
			missing |= (uint8_t)~status;
		}
		ck_assert_uint_eq(seen & 9, 9);
		ck_assert_uint_eq(missing & 9, 9);
	}
}
END_TEST

START_TEST(status_0_interrupt)
{
	at(100 * LINE_NS);
	vga_rig_set(&rig, RIG_CRTC, 0x11, 0x0e);
	at(420 * LINE_NS);
	ck_assert_uint_eq(rig_in(&rig, 0x3c2) & 0x90, 0x10);
	vga_rig_set(&rig, RIG_CRTC, 0x11, 0x0e);
	vga_rig_set(&rig, RIG_CRTC, 0x11, 0x1e);
	at(449 * LINE_NS + 300 * LINE_NS);
	ck_assert_uint_eq(rig_in(&rig, 0x3c2) & 0x90, 0x10);
	at(449 * LINE_NS + 430 * LINE_NS);
	ck_assert_uint_eq(rig_in(&rig, 0x3c2) & 0x90, 0x90);
}
END_TEST

START_TEST(diagnostic_lines_carry_the_overscan)
{
	static const uint8_t lines[] = { 0x20, 0x10, 0x30, 0x00 };
	at(405 * LINE_NS);
	rig_set_attr(&rig, 0x11, 0x1e);
	for (unsigned mux = 0; mux < 4; mux++) {
		rig_set_attr(&rig, 0x12, mux << 4 | 0xf);
		ck_assert_uint_eq(rig_in(&rig, 0x3da) & 0x30, lines[mux]);
	}
}
END_TEST

START_TEST(edid_block_is_valid)
{
	static const uint8_t header[] = { 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0 };
	uint8_t edid[128], sum = 0;
	for (unsigned i = 0; i < sizeof edid; i++)
		sum = (uint8_t)(sum + (edid[i] = rig_peek(&rig, RIG_MMIO + i)));
	ck_assert_uint_eq(sum, 0);
	ck_assert_mem_eq(edid, header, sizeof header);
	ck_assert_uint_eq(edid[18], 1);
	ck_assert_uint_eq(edid[126], 0);
	/* The first detailed timing, which byte 24 bit 1 makes the preferred one. */
	ck_assert_uint_eq(edid[24] & 2, 2);
	ck_assert_uint_eq(edid[56] | (edid[58] & 0xf0u) << 4, 1024);
	ck_assert_uint_eq(edid[59] | (edid[61] & 0xf0u) << 4, 768);
	ck_assert_uint_eq(rig_peek(&rig, RIG_MMIO + 0x80), 0);
}
END_TEST

START_TEST(mmio_ports)
{
	mem_write(rig.mem, RIG_MMIO + 0x404, 2, 0x0a02);
	ck_assert_uint_eq(vga_rig_get(&rig, RIG_SEQ, 2), 0x0a);
	rig_poke(&rig, RIG_MMIO + 0x414, 0x0f);
	rig_poke(&rig, RIG_MMIO + 0x415, 0x77);
	ck_assert_uint_eq(vga_rig_get(&rig, RIG_CRTC, 0x0f), 0x77);
	ck_assert_uint_eq(rig_peek(&rig, RIG_MMIO + 0x40c), 0x67);
	ck_assert_uint_eq(mem_read(rig.mem, RIG_MMIO + 0x414, 2), 0x770f);
}
END_TEST

START_TEST(mmio_dispi)
{
	mem_write(rig.mem, RIG_MMIO + 0x502, 2, 800);
	mem_write(rig.mem, RIG_MMIO + 0x504, 4, 32 << 16 | 600);
	ck_assert_uint_eq(rig_get_dispi(&rig, 1), 800);
	ck_assert_uint_eq(rig_get_dispi(&rig, 2), 600);
	ck_assert_uint_eq(rig_get_dispi(&rig, 3), 32);
	ck_assert_uint_eq(mem_read(rig.mem, RIG_MMIO + 0x500, 4), 800 << 16 | 0xb0c5);
	ck_assert_uint_eq(rig_peek(&rig, RIG_MMIO + 0x501), 0xb0);
	rig_poke(&rig, RIG_MMIO + 0x502, 0x80); /* no byte writes */
	ck_assert_uint_eq(rig_get_dispi(&rig, 1), 800);
	ck_assert_uint_eq(mem_read(rig.mem, RIG_MMIO + 0x514, 4), 0xffff0100);
}
END_TEST

START_TEST(mmio_extended)
{
	ck_assert_uint_eq(mem_read(rig.mem, RIG_MMIO + 0x600, 4), 8);
	ck_assert_uint_eq(mem_read(rig.mem, RIG_MMIO + 0x604, 4), 0x1e1e1e1e);
	mem_write(rig.mem, RIG_MMIO + 0x604, 4, 0xbebebebe);
	ck_assert_uint_eq(mem_read(rig.mem, RIG_MMIO + 0x604, 4), 0xbebebebe);
	mem_write(rig.mem, RIG_MMIO + 0x604, 4, 0x12345678);
	ck_assert_uint_eq(mem_read(rig.mem, RIG_MMIO + 0x604, 4), 0xbebebebe);
	ck_assert_uint_eq(mem_read(rig.mem, RIG_MMIO + 0x608, 4), 0xffffffff);
}
END_TEST

static struct snap *save(struct vga *vga)
{
	struct snap *snap = snap_new_save();
	vga_state(vga, snap);
	return snap;
}

START_TEST(state_survives)
{
	struct vga_rig other;
	rig_load_font(&rig, RIG_MODE_3, 0, 1);
	for (unsigned i = 0; i < 4000; i++)
		rig_poke(&rig, RIG_B8000 + i, i * 7);
	rig_render(&rig);
	struct snap *saved = save(rig.vga);
	size_t size;
	const void *data = snap_data(saved, &size);
	vga_rig_open(&other);
	mem_write(other.mem, RIG_LFB + VGA_VRAM_SIZE - 4, 4, 0x12345678);
	struct snap *loaded = snap_new_load(data, size);
	vga_state(other.vga, loaded);
	ck_assert_msg(!snap_error(loaded), "%s", snap_error(loaded));
	rig_render(&other);
	ck_assert(surface_equal(rig.screen, other.screen));
	ck_assert_uint_eq(mem_read(other.mem, RIG_LFB + VGA_VRAM_SIZE - 4, 4), 0);
	struct snap *again = save(other.vga);
	size_t again_size;
	const void *again_data = snap_data(again, &again_size);
	ck_assert_uint_eq(size, again_size);
	ck_assert_mem_eq(data, again_data, size);
	ck_assert_uint_eq(mem_read(other.mem, RIG_B8000, 4), mem_read(rig.mem, RIG_B8000, 4));
	snap_free(again);
	snap_free(loaded);
	snap_free(saved);
	vga_rig_close(&other);
}
END_TEST

/* The value of a saved item: it follows the name. */
static uint8_t *find_value(GByteArray *bytes, const char *name)
{
	size_t length = strlen(name);
	for (size_t i = 0; i + length < bytes->len; i++)
		if (!memcmp(bytes->data + i, name, length))
			return bytes->data + i + length;
	ck_abort_msg("no %s", name);
}

static void expect_refusal(const char *name, unsigned size, uint16_t value, const char *because)
{
	struct snap *saved = save(rig.vga);
	size_t length;
	const uint8_t *data = snap_data(saved, &length);
	GByteArray *copy = g_byte_array_new();
	g_byte_array_append(copy, data, (guint)length);
	memcpy(find_value(copy, name), &value, size);
	struct snap *loaded = snap_new_load(copy->data, copy->len);
	vga_state(rig.vga, loaded);
	ck_assert_ptr_nonnull(snap_error(loaded));
	ck_assert_msg(strstr(snap_error(loaded), because) != NULL, "%s: %s", name, snap_error(loaded));
	snap_free(loaded);
	g_byte_array_free(copy, TRUE);
	snap_free(saved);
}

START_TEST(unsound_state_is_refused)
{
	rig_set_dispi(&rig, 1, 1024);
	rig_set_dispi(&rig, 2, 768);
	rig_set_dispi(&rig, 3, 32);
	rig_set_dispi(&rig, 4, 0x41);
	rig_render(&rig);
	uint64_t hash = surface_hash(rig.screen);
	expect_refusal("dispi_xres", 2, 1920, "unsound DISPI");
	expect_refusal("dispi_xres", 2, 0, "unsound DISPI");
	expect_refusal("dispi_yres", 2, 0xffff, "unsound DISPI");
	expect_refusal("dispi_bpp", 2, 7, "unsound DISPI");
	expect_refusal("dispi_bank", 2, 0x100, "unsound DISPI");
	expect_refusal("dispi_virt_width", 2, 0xffff, "unsound DISPI");
	expect_refusal("dispi_virt_height", 2, 0xffff, "unsound DISPI");
	expect_refusal("dispi_x_offset", 2, 1, "unsound DISPI");
	expect_refusal("dispi_y_offset", 2, 0xfff0, "unsound DISPI");
	expect_refusal("dac_component", 1, 3, "DAC component");
	rig_render(&rig);
	ck_assert_uint_eq(surface_hash(rig.screen), hash);
}
END_TEST

START_TEST(reset_is_power_on)
{
	rig_set_dispi(&rig, 4, 0x41);
	vga_reset(rig.vga);
	ck_assert_uint_eq(rig_in(&rig, 0x3cc), 0);
	ck_assert_uint_eq(rig_get_dispi(&rig, 4), 0);
	ck_assert_uint_eq(rig_get_dispi(&rig, 0), 0xb0c5);
	ck_assert_uint_eq(vga_rig_get(&rig, RIG_GC, 6), 0);
	ck_assert_uint_eq(rig_in(&rig, 0x3c6), 0xff);
	rig_out(&rig, 0x3c7, 1);
	ck_assert_uint_eq(rig_in(&rig, 0x3c9), 0);
}
END_TEST

START_TEST(ports_are_given_back)
{
	vga_free(rig.vga);
	ck_assert_uint_eq(rig_in(&rig, 0x3cc), 0xff);
	ck_assert_uint_eq(bus_read(rig.bus, 0x1ce, 2), 0xffff);
	ck_assert_uint_eq(mem_read(rig.mem, RIG_B8000, 2), 0xffff);
	ck_assert_uint_eq(mem_read(rig.mem, RIG_MMIO, 4), 0xffffffff);
	rig.vga = NULL;
}
END_TEST

Suite *suite_vga_regs(void)
{
	Suite *suite = suite_create("vga_regs");
	TCase *tcase = tcase_create("vga_regs");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, registers_keep_the_bits_they_have);
	tcase_add_test(tcase, index_registers_read_back);
	tcase_add_test(tcase, crtc_protection);
	tcase_add_test(tcase, mono_and_color_addresses);
	tcase_add_test(tcase, attribute_flip_flop);
	tcase_add_test(tcase, attribute_index_out_of_range);
	tcase_add_test(tcase, misc_and_feature);
	tcase_add_test(tcase, enable_port_hides_the_rest);
	tcase_add_test(tcase, dac_writes_and_reads);
	tcase_add_test(tcase, dac_takes_whole_colors);
	tcase_add_test(tcase, dac_8_bit);
	tcase_add_test(tcase, pel_mask_reads_back);
	tcase_add_test(tcase, status_1_follows_the_beam);
	tcase_add_test(tcase, refresh_rate_is_the_modes);
	tcase_add_test(tcase, retrace_comes_with_any_registers);
	tcase_add_test(tcase, status_0_interrupt);
	tcase_add_test(tcase, diagnostic_lines_carry_the_overscan);
	tcase_add_test(tcase, edid_block_is_valid);
	tcase_add_test(tcase, mmio_ports);
	tcase_add_test(tcase, mmio_dispi);
	tcase_add_test(tcase, mmio_extended);
	tcase_add_test(tcase, state_survives);
	tcase_add_test(tcase, unsound_state_is_refused);
	tcase_add_test(tcase, reset_is_power_on);
	tcase_add_test(tcase, ports_are_given_back);
	suite_add_tcase(suite, tcase);
	return suite;
}
