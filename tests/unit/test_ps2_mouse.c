#include "tests/unit/i8042_rig.h"

#include <glib.h>

#include "devmodel/ps2_mouse.h"
#include "shared/snap.h"

#define SAMPLE_NS 10000000u /* at 100 samples a second */

static struct rig rig;
static struct ps2_mouse *mouse;

static void setup(void)
{
	rig_start(&rig);
	mouse = ps2_mouse_new(rig.kbc, rig.clock);
	rig_command_with(&rig, 0x60, 0x02);
}

static void teardown(void)
{
	ps2_mouse_free(mouse);
	rig_stop(&rig);
}

/* As rig_expect, all bytes from the auxiliary port. */
static void expect_bytes(const int *bytes, size_t count, int line)
{
	int aux[16];
	for (size_t i = 0; i < count; i++)
		aux[i] = bytes[i] | 0x100;
	rig_expect_bytes(&rig, aux, count, line);
}

#define expect(...) \
	expect_bytes((const int[]){ __VA_ARGS__ }, sizeof (const int[]){ __VA_ARGS__ } / sizeof(int), __LINE__)

static void command(uint8_t byte)
{
	rig_send_aux(&rig, byte);
	expect(0xfa);
}

static void command_with(uint8_t byte, uint8_t parameter)
{
	command(byte);
	command(parameter);
}

static void knock(uint8_t a, uint8_t b, uint8_t c)
{
	command_with(0xf3, a);
	command_with(0xf3, b);
	command_with(0xf3, c);
}

static void expect_id(int id)
{
	rig_send_aux(&rig, 0xf2);
	expect(0xfa, id);
}

static void expect_nothing(void)
{
	rig_wait(&rig, 10 * SAMPLE_NS);
	ck_assert_int_eq(rig_next(&rig), -1);
}

START_TEST(reset)
{
	rig_send_aux(&rig, 0xff);
	expect(0xfa, 0xaa, 0x00);
	expect_id(0);
	rig_send_aux(&rig, 0xe9);
	expect(0xfa, 0x00, 0x02, 100);
}
END_TEST

START_TEST(status_tells_the_modes)
{
	command_with(0xe8, 3);
	command_with(0xf3, 40);
	command(0xe7);
	command(0xf4);
	rig_send_aux(&rig, 0xe9);
	expect(0xfa, 0x30, 3, 40);
	command(0xf0);
	ps2_mouse_move(mouse, 0, 0, 0, PS2_MOUSE_LEFT);
	rig_send_aux(&rig, 0xe9);
	expect(0xfa, 0x74, 3, 40);
	ps2_mouse_move(mouse, 0, 0, 0, PS2_MOUSE_RIGHT | PS2_MOUSE_MIDDLE);
	command(0xe6);
	rig_send_aux(&rig, 0xe9);
	expect(0xfa, 0x63, 3, 40);
	command(0xf6);
	rig_send_aux(&rig, 0xe9);
	expect(0xfa, 0x03, 2, 100);
}
END_TEST

START_TEST(silent_until_enabled)
{
	ps2_mouse_move(mouse, 5, 5, 0, 0);
	expect_nothing();
	command(0xf4);
	expect_nothing(); /* the motion from before is gone */
	ps2_mouse_move(mouse, 5, -6, 0, PS2_MOUSE_LEFT);
	rig_wait(&rig, SAMPLE_NS);
	expect(0x09, 5, 6);
	command(0xf5);
	ps2_mouse_move(mouse, 5, 5, 0, 0);
	expect_nothing();
}
END_TEST

START_TEST(directions)
{
	command(0xf4);
	ps2_mouse_move(mouse, -1, 2, 0, PS2_MOUSE_RIGHT | PS2_MOUSE_MIDDLE);
	rig_wait(&rig, SAMPLE_NS);
	expect(0x3e, 0xff, 0xfe);
	ps2_mouse_move(mouse, 0, 0, 0, 0); /* release of the buttons alone */
	rig_wait(&rig, SAMPLE_NS);
	expect(0x08, 0, 0);
	ps2_mouse_move(mouse, 0, 0, 0, 0);
	expect_nothing();
}
END_TEST

START_TEST(irq12_comes_with_each_byte)
{
	command(0xf4);
	unsigned before = rig.rises[RIG_IRQ12];
	ps2_mouse_move(mouse, 1, 0, 0, 0);
	rig_wait(&rig, SAMPLE_NS);
	expect(0x08, 1, 0);
	ck_assert_uint_eq(rig.rises[RIG_IRQ12] - before, 3);
}
END_TEST

START_TEST(sample_rate_sets_the_pace)
{
	command_with(0xf3, 10);
	command(0xf4);
	ps2_mouse_move(mouse, 1, 0, 0, 0);
	ps2_mouse_move(mouse, 1, 0, 0, 0);
	rig_wait(&rig, 99000000);
	ck_assert_int_eq(rig_next(&rig), -1);
	rig_wait(&rig, 1000000);
	expect(0x08, 2, 0); /* one packet for both */
}
END_TEST

START_TEST(long_moves_are_split)
{
	command(0xf4);
	ps2_mouse_move(mouse, 600, -300, 0, 0);
	int x = 0, y = 0;
	for (unsigned i = 0; i < 4; i++) {
		rig_wait(&rig, SAMPLE_NS);
		int flags = rig_next(&rig);
		if (flags < 0)
			break;
		ck_assert_int_eq(flags & 0xc0, 0); /* no overflow */
		int dx = rig_next(&rig), dy = rig_next(&rig);
		x += (dx & 0xff) - (flags & 0x10 ? 256 : 0);
		y += (dy & 0xff) - (flags & 0x20 ? 256 : 0);
	}
	ck_assert_int_eq(x, 600);
	ck_assert_int_eq(y, 300);
	for (unsigned i = 0; i < 100; i++)
		ps2_mouse_move(mouse, G_MAXINT, G_MININT, G_MAXINT, 0);
	rig_wait(&rig, SAMPLE_NS);
	expect(0x08, 255, 255);
}
END_TEST

START_TEST(scaling)
{
	static const int moves[][2] = {
		{ 1, 1 }, { 2, 1 }, { 3, 3 }, { 4, 6 }, { 5, 9 }, { 6, 12 }, { 100, 200 },
	};
	command(0xe7);
	command(0xf4);
	for (unsigned i = 0; i < G_N_ELEMENTS(moves); i++) {
		ps2_mouse_move(mouse, moves[i][0], 0, 0, 0);
		rig_wait(&rig, SAMPLE_NS);
		expect(0x08, moves[i][1], 0);
		ps2_mouse_move(mouse, -moves[i][0], 0, 0, 0);
		rig_wait(&rig, SAMPLE_NS);
		expect(0x18, (-moves[i][1]) & 0xff, 0);
	}
	ps2_mouse_move(mouse, 4, 0, 0, 0);
	rig_send_aux(&rig, 0xeb); /* not for what the host reads itself */
	expect(0xfa, 0x08, 4, 0);
}
END_TEST

START_TEST(remote_mode)
{
	command(0xf0);
	ps2_mouse_move(mouse, 7, 0, 0, PS2_MOUSE_LEFT);
	expect_nothing();
	rig_send_aux(&rig, 0xeb);
	expect(0xfa, 0x09, 7, 0);
	rig_send_aux(&rig, 0xeb);
	expect(0xfa, 0x09, 0, 0);
	command(0xf4);
	command(0xea); /* stream again */
	ps2_mouse_move(mouse, 1, 0, 0, PS2_MOUSE_LEFT);
	rig_wait(&rig, SAMPLE_NS);
	expect(0x09, 1, 0);
}
END_TEST

START_TEST(wrap_mode)
{
	command(0xf4);
	command(0xee);
	static const uint8_t bytes[] = { 0x00, 0xf4, 0xe9, 0xee, 0xfe };
	for (unsigned i = 0; i < sizeof bytes; i++) {
		rig_send_aux(&rig, bytes[i]);
		expect(bytes[i]);
	}
	ps2_mouse_move(mouse, 1, 0, 0, 0);
	expect_nothing();
	command(0xec);
	rig_wait(&rig, SAMPLE_NS);
	expect(0x08, 1, 0);
	command(0xee);
	rig_send_aux(&rig, 0xff);
	expect(0xfa, 0xaa, 0x00);
}
END_TEST

START_TEST(wheel_knock)
{
	knock(200, 100, 80);
	expect_id(3);
	command_with(0xf3, 100);
	command(0xf4);
	ps2_mouse_move(mouse, 1, 0, -1, PS2_MOUSE_4TH); /* a button that it has not */
	rig_wait(&rig, SAMPLE_NS);
	expect(0x08, 1, 0, 0xff);
	expect_nothing();
	ps2_mouse_move(mouse, 0, 0, 2, 0);
	rig_wait(&rig, SAMPLE_NS);
	expect(0x08, 0, 0, 2);
	rig_send_aux(&rig, 0xff);
	expect(0xfa, 0xaa, 0x00);
	expect_id(0);
	command(0xf4);
	ps2_mouse_move(mouse, 0, 0, 1, 0); /* no wheel any more */
	expect_nothing();
}
END_TEST

START_TEST(five_button_knock)
{
	knock(200, 200, 80); /* only after the other one */
	expect_id(0);
	knock(200, 100, 80);
	knock(200, 200, 80);
	expect_id(4);
	command_with(0xf3, 100);
	command(0xf4);
	ps2_mouse_move(mouse, 0, 0, -1, PS2_MOUSE_4TH | PS2_MOUSE_LEFT);
	rig_wait(&rig, SAMPLE_NS);
	expect(0x09, 0, 0, 0x1f);
	ps2_mouse_move(mouse, 0, 0, 10, PS2_MOUSE_5TH);
	rig_wait(&rig, SAMPLE_NS);
	expect(0x08, 0, 0, 0x27);
	rig_wait(&rig, SAMPLE_NS);
	expect(0x08, 0, 0, 0x23);
}
END_TEST

START_TEST(wrong_knock)
{
	knock(200, 100, 60);
	knock(100, 200, 80);
	expect_id(0);
}
END_TEST

START_TEST(errors)
{
	rig_send_aux(&rig, 0x11);
	expect(0xfe);
	rig_send_aux(&rig, 0x11);
	expect(0xfc);
	command(0xe8);
	rig_send_aux(&rig, 4);
	expect(0xfe);
	command(2); /* the parameter may be sent again */
	command(0xf3);
	rig_send_aux(&rig, 99);
	expect(0xfe);
	rig_send_aux(&rig, 99);
	expect(0xfc);
	rig_send_aux(&rig, 0xe9);
	expect(0xfa, 0x00, 0x02, 100);
}
END_TEST

START_TEST(resend)
{
	rig_send_aux(&rig, 0xe9);
	expect(0xfa, 0x00, 0x02, 100);
	rig_send_aux(&rig, 0xfe);
	expect(100);
}
END_TEST

START_TEST(command_stops_a_packet)
{
	command(0xf4);
	ps2_mouse_move(mouse, 1, 2, 0, 0);
	rig_wait(&rig, SAMPLE_NS);
	ck_assert_int_eq(rig_next(&rig), 0x128);
	command(0xf5);
	expect_nothing();
}
END_TEST

START_TEST(slow_host_gets_few_packets)
{
	command(0xf4);
	for (unsigned i = 0; i < 20; i++) {
		ps2_mouse_move(mouse, 1, 0, 0, 0);
		rig_wait(&rig, SAMPLE_NS);
	}
	ck_assert_int_eq(rig_next(&rig), 0x108);
	ck_assert_int_eq(rig_next(&rig), 0x101);
	ck_assert_int_eq(rig_next(&rig), 0x100);
	rig_wait(&rig, SAMPLE_NS);
	expect(0x08, 19, 0);
}
END_TEST

START_TEST(state_survives)
{
	knock(200, 100, 80);
	command_with(0xe8, 1);
	command(0xf4);
	ps2_mouse_move(mouse, -3, 4, 1, PS2_MOUSE_LEFT);
	struct snap *save = snap_new_save();
	ps2_mouse_state(mouse, save);
	ps2_mouse_reset(mouse);
	size_t size;
	const void *data = snap_data(save, &size);
	struct snap *load = snap_new_load(data, size);
	ps2_mouse_state(mouse, load);
	ck_assert_ptr_null(snap_error(load));
	rig_wait(&rig, SAMPLE_NS * 2);
	expect(0x39, 0xfd, 0xfc, 1);
	rig_send_aux(&rig, 0xe9);
	expect(0xfa, 0x24, 1, 80);
	for (size_t i = 0; i < size; i++) { /* a damaged one does no harm */
		uint8_t *bad = g_memdup2(data, size);
		bad[i] ^= 0xff;
		struct snap *damaged = snap_new_load(bad, size);
		ps2_mouse_state(mouse, damaged);
		ps2_mouse_move(mouse, 1, 1, 1, 0);
		rig_send_aux(&rig, 0xeb);
		snap_free(damaged);
		g_free(bad);
		ps2_mouse_reset(mouse);
	}
	snap_free(load);
	snap_free(save);
}
END_TEST

Suite *suite_ps2_mouse(void)
{
	Suite *suite = suite_create("ps2_mouse");
	TCase *tcase = tcase_create("ps2_mouse");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, reset);
	tcase_add_test(tcase, status_tells_the_modes);
	tcase_add_test(tcase, silent_until_enabled);
	tcase_add_test(tcase, directions);
	tcase_add_test(tcase, irq12_comes_with_each_byte);
	tcase_add_test(tcase, sample_rate_sets_the_pace);
	tcase_add_test(tcase, long_moves_are_split);
	tcase_add_test(tcase, scaling);
	tcase_add_test(tcase, remote_mode);
	tcase_add_test(tcase, wrap_mode);
	tcase_add_test(tcase, wheel_knock);
	tcase_add_test(tcase, five_button_knock);
	tcase_add_test(tcase, wrong_knock);
	tcase_add_test(tcase, errors);
	tcase_add_test(tcase, resend);
	tcase_add_test(tcase, command_stops_a_packet);
	tcase_add_test(tcase, slow_host_gets_few_packets);
	tcase_add_test(tcase, state_survives);
	suite_add_tcase(suite, tcase);
	return suite;
}
