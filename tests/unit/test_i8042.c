#include "tests/unit/i8042_rig.h"

#include <glib.h>

#include "shared/snap.h"

static struct rig rig;

/* A device that sends what it is given and notes what it gets. */
struct fake {
	uint8_t out[8], in[8];
	unsigned first, last, received;
};

static struct fake fakes[I8042_PORTS];

static void fake_receive(void *owner, uint8_t byte)
{
	struct fake *fake = owner;
	fake->in[fake->received++ % 8] = byte;
}

static bool fake_pending(void *owner)
{
	struct fake *fake = owner;
	return fake->first != fake->last;
}

static uint8_t fake_take(void *owner)
{
	struct fake *fake = owner;
	return fake->out[fake->first++];
}

static void fake_send(enum i8042_port port, uint8_t byte)
{
	fakes[port].out[fakes[port].last++] = byte;
	i8042_poke(rig.kbc);
}

static void attach(enum i8042_port port)
{
	i8042_attach(rig.kbc, port, &(struct i8042_device){ .receive = fake_receive, .pending = fake_pending,
	                                                    .take = fake_take, .owner = &fakes[port] });
}

static void setup(void)
{
	rig_start(&rig);
	memset(fakes, 0, sizeof fakes);
	attach(I8042_KEYBOARD);
	attach(I8042_AUX);
}

static void teardown(void)
{
	rig_stop(&rig);
}

START_TEST(power_on)
{
	ck_assert_uint_eq(rig_status(&rig), 0x10);
	ck_assert(rig.level[RIG_A20]);
	rig_command(&rig, 0x20);
	rig_expect(&rig, 0x30);
}
END_TEST

START_TEST(tests_answer)
{
	rig_command(&rig, 0xaa);
	ck_assert_uint_eq(rig_status(&rig) & 0x0f, 0x0d); /* CMD, SYS, OBF */
	rig_expect(&rig, 0x55);
	rig_command(&rig, 0xab);
	rig_expect(&rig, 0x00);
	rig_command(&rig, 0xa9);
	rig_expect(&rig, 0x00);
	rig_command(&rig, 0xa4);
	rig_expect(&rig, 0xf1);
	rig_command(&rig, 0xc0);
	ck_assert_int_ge(rig_next(&rig), 0x80); /* not locked */
}
END_TEST

START_TEST(unknown_command_is_silent)
{
	rig_command(&rig, 0xb5);
	ck_assert_int_eq(rig_next(&rig), -1);
}
END_TEST

START_TEST(ram_is_kept)
{
	for (unsigned i = 1; i < 32; i++)
		rig_command_with(&rig, (uint8_t)(0x60 + i), (uint8_t)(0xe0 - i));
	for (unsigned i = 1; i < 32; i++) {
		rig_command(&rig, (uint8_t)(0x20 + i));
		rig_expect(&rig, (int)(0xe0 - i));
	}
	rig_command(&rig, 0x20);
	rig_expect(&rig, 0x30);
}
END_TEST

START_TEST(status_tells_command_from_data)
{
	rig_command(&rig, 0x60);
	ck_assert_uint_eq(rig_status(&rig) & 0x08, 0x08);
	rig_send(&rig, 0x74);
	ck_assert_uint_eq(rig_status(&rig) & 0x0c, 0x04); /* SYS follows the command byte */
	rig_command_with(&rig, 0x60, 0x70);
	ck_assert_uint_eq(rig_status(&rig) & 0x0c, 0x00);
}
END_TEST

START_TEST(command_cancels_waiting_command)
{
	rig_command(&rig, 0xd1);
	rig_command(&rig, 0xad);
	rig_send(&rig, 0x00); /* for the keyboard, not the output port */
	ck_assert(!rig.pins.init);
	ck_assert_uint_eq(fakes[I8042_KEYBOARD].received, 1);
}
END_TEST

START_TEST(enable_and_disable_commands)
{
	static const struct {
		uint8_t command, ccb;
	} steps[] = { { 0xae, 0x20 }, { 0xa8, 0x00 }, { 0xad, 0x10 }, { 0xa7, 0x30 } };
	for (unsigned i = 0; i < 4; i++) {
		rig_command(&rig, steps[i].command);
		rig_command(&rig, 0x20);
		rig_expect(&rig, steps[i].ccb);
	}
}
END_TEST

START_TEST(keyboard_byte_arrives_with_irq1)
{
	rig_command_with(&rig, 0x60, 0x03);
	fake_send(I8042_KEYBOARD, 0x1c);
	ck_assert_uint_eq(rig_status(&rig) & RIG_OBF, 0);
	rig_wait(&rig, I8042_BYTE_NS - 1);
	ck_assert(!rig.level[RIG_IRQ1]);
	rig_wait(&rig, 1);
	ck_assert(rig.level[RIG_IRQ1] && !rig.level[RIG_IRQ12]);
	ck_assert_uint_eq(rig_status(&rig) & (RIG_OBF | RIG_AUX), RIG_OBF);
	ck_assert_uint_eq(rig_data(&rig), 0x1c);
	ck_assert(!rig.level[RIG_IRQ1]);
	ck_assert_uint_eq(rig_data(&rig), 0x1c); /* the last byte stays */
}
END_TEST

START_TEST(aux_byte_arrives_with_irq12)
{
	rig_command_with(&rig, 0x60, 0x03);
	fake_send(I8042_AUX, 0x08);
	rig_wait(&rig, I8042_BYTE_NS);
	ck_assert(!rig.level[RIG_IRQ1] && rig.level[RIG_IRQ12]);
	rig_expect(&rig, 0x108);
	ck_assert(!rig.level[RIG_IRQ12]);
}
END_TEST

START_TEST(each_byte_is_an_edge)
{
	rig_command_with(&rig, 0x60, 0x03);
	for (uint8_t i = 1; i <= 4; i++)
		fake_send(I8042_KEYBOARD, i);
	rig_wait(&rig, 100 * I8042_BYTE_NS); /* the unread byte holds the others off */
	ck_assert_uint_eq(rig.rises[RIG_IRQ1], 1);
	rig_expect(&rig, 1, 2, 3, 4);
	ck_assert_uint_eq(rig.rises[RIG_IRQ1], 4);
}
END_TEST

START_TEST(ports_take_turns)
{
	rig_command_with(&rig, 0x60, 0x00);
	for (uint8_t i = 1; i <= 2; i++) {
		fake_send(I8042_KEYBOARD, i);
		fake_send(I8042_AUX, i);
	}
	rig_expect(&rig, 0x001, 0x101, 0x002, 0x102);
}
END_TEST

START_TEST(interrupt_enable_bits)
{
	rig_command_with(&rig, 0x60, 0x00);
	fake_send(I8042_KEYBOARD, 0x33);
	rig_wait(&rig, I8042_BYTE_NS);
	ck_assert(!rig.level[RIG_IRQ1]);
	rig_command_with(&rig, 0x60, 0x01); /* the byte is still there */
	ck_assert(rig.level[RIG_IRQ1]);
	rig_command_with(&rig, 0x60, 0x02);
	ck_assert(!rig.level[RIG_IRQ1] && !rig.level[RIG_IRQ12]);
}
END_TEST

START_TEST(disabled_port_queues)
{
	fake_send(I8042_KEYBOARD, 0x11);
	fake_send(I8042_AUX, 0x22);
	ck_assert_int_eq(rig_next(&rig), -1);
	rig_command(&rig, 0xae);
	rig_expect(&rig, 0x11);
	rig_command(&rig, 0xa8);
	rig_expect(&rig, 0x122);
}
END_TEST

START_TEST(disable_catches_byte_on_its_way)
{
	rig_command_with(&rig, 0x60, 0x00);
	fake_send(I8042_KEYBOARD, 0x11);
	rig_wait(&rig, I8042_BYTE_NS / 2);
	rig_command(&rig, 0xad);
	ck_assert_int_eq(rig_next(&rig), -1);
	rig_command(&rig, 0xae);
	rig_expect(&rig, 0x11);
}
END_TEST

START_TEST(sending_enables_the_port)
{
	rig_send(&rig, 0xf4);
	ck_assert_uint_eq(fakes[I8042_KEYBOARD].in[0], 0xf4);
	rig_command(&rig, 0x20);
	rig_expect(&rig, 0x20);
	rig_send_aux(&rig, 0xf5);
	ck_assert_uint_eq(fakes[I8042_AUX].in[0], 0xf5);
	ck_assert_uint_eq(fakes[I8042_KEYBOARD].received, 1);
	rig_command(&rig, 0x20);
	rig_expect(&rig, 0x00);
}
END_TEST

START_TEST(translation)
{
	rig_command_with(&rig, 0x60, 0x41);
	static const uint8_t set2[] = { 0x1c, 0xf0, 0x1c, 0xe0, 0xf0, 0x75, 0xfa };
	for (unsigned i = 0; i < sizeof set2; i++)
		fake_send(I8042_KEYBOARD, set2[i]);
	rig_expect(&rig, 0x1e, 0x9e, 0xe0, 0xc8, 0xfa);
	ck_assert_uint_eq(rig.rises[RIG_IRQ1], 5);
}
END_TEST

START_TEST(translation_spares_aux_and_answers)
{
	rig_command_with(&rig, 0x60, 0x40);
	fake_send(I8042_AUX, 0x1c);
	rig_expect(&rig, 0x11c);
	rig_command_with(&rig, 0xd2, 0x1c);
	rig_expect(&rig, 0x1c);
}
END_TEST

START_TEST(written_output_buffers)
{
	rig_command_with(&rig, 0x60, 0x33);
	rig_command_with(&rig, 0xd2, 0x5a);
	ck_assert(rig.level[RIG_IRQ1] && !rig.level[RIG_IRQ12]);
	rig_expect(&rig, 0x5a);
	rig_command_with(&rig, 0xd3, 0xa5);
	ck_assert(!rig.level[RIG_IRQ1] && rig.level[RIG_IRQ12]);
	rig_expect(&rig, 0x1a5);
}
END_TEST

START_TEST(answers_wait_for_the_buffer)
{
	rig_command_with(&rig, 0xd2, 1);
	rig_command_with(&rig, 0xd3, 2);
	rig_command(&rig, 0xab);
	rig_expect(&rig, 1, 0x102, 0);
	for (unsigned i = 0; i < 100; i++) /* nobody reads: no harm */
		rig_command_with(&rig, 0xd2, (uint8_t)i);
	for (int i = 0; i < 33; i++)
		ck_assert_int_eq(rig_next(&rig), i);
	ck_assert_int_eq(rig_next(&rig), -1);
}
END_TEST

START_TEST(no_device_times_out)
{
	i8042_attach(rig.kbc, I8042_AUX, NULL);
	rig_send_aux(&rig, 0xff);
	ck_assert_uint_eq(rig_status(&rig) & 0x61, 0x61);
	rig_expect(&rig, 0x1fe);
	ck_assert_uint_eq(rig_status(&rig) & 0x40, 0);
	i8042_attach(rig.kbc, I8042_KEYBOARD, NULL);
	rig_send(&rig, 0xff);
	ck_assert_uint_eq(rig_status(&rig) & 0x61, 0x41);
}
END_TEST

START_TEST(output_port)
{
	rig_command_with(&rig, 0xd1, 0xdd);
	ck_assert(!rig.level[RIG_A20] && !rig.pins.init);
	rig_command(&rig, 0xd0);
	rig_expect(&rig, 0xcd);
	rig_command_with(&rig, 0xd1, 0xdf);
	ck_assert(rig.level[RIG_A20]);
	rig_command_with(&rig, 0xd3, 0); /* fills the buffer: IRQ 12 shows */
	rig_command(&rig, 0xd0);
	rig_expect(&rig, 0x100, 0xef);
	rig_command_with(&rig, 0xd1, 0xde);
	ck_assert(rig.pins.init && atomic_load(&rig.pins.attention) && !rig.pins.reset);
}
END_TEST

START_TEST(a20_commands)
{
	rig_command(&rig, 0xdd);
	ck_assert(!rig.level[RIG_A20]);
	rig_command(&rig, 0xdf);
	ck_assert(rig.level[RIG_A20]);
}
END_TEST

START_TEST(pulses)
{
	for (unsigned command = 0xf0; command <= 0xff; command++) {
		rig.pins.init = false;
		rig_command(&rig, (uint8_t)command);
		ck_assert(rig.pins.init == !(command & 1));
		ck_assert(rig.level[RIG_A20]);
	}
}
END_TEST

START_TEST(test_inputs_are_the_clock_lines)
{
	rig_command(&rig, 0xe0);
	rig_expect(&rig, 0);
	rig_command(&rig, 0xae);
	rig_command(&rig, 0xe0);
	rig_expect(&rig, 1);
	rig_command(&rig, 0xa8);
	rig_command(&rig, 0xe0);
	rig_expect(&rig, 3);
}
END_TEST

START_TEST(reset_opens_a20_and_empties)
{
	rig_command_with(&rig, 0xd1, 0xdd);
	rig_command_with(&rig, 0x60, 0x01);
	rig_command_with(&rig, 0xd2, 1);
	rig_command(&rig, 0xd1);
	i8042_reset(rig.kbc);
	ck_assert(rig.level[RIG_A20] && !rig.level[RIG_IRQ1]);
	ck_assert_uint_eq(rig_status(&rig), 0x10);
	rig_send(&rig, 0);
	ck_assert(!rig.pins.init);
}
END_TEST

START_TEST(state_survives)
{
	rig_command_with(&rig, 0x60, 0x45);
	rig_command_with(&rig, 0x65, 0x99);
	rig_command_with(&rig, 0xd2, 0x12);
	rig_command(&rig, 0xab);
	struct snap *save = snap_new_save();
	i8042_state(rig.kbc, save);
	i8042_reset(rig.kbc);
	size_t size;
	const void *data = snap_data(save, &size);
	struct snap *load = snap_new_load(data, size);
	i8042_state(rig.kbc, load);
	ck_assert_ptr_null(snap_error(load));
	rig_expect(&rig, 0x12, 0x00);
	rig_command(&rig, 0x25);
	rig_expect(&rig, 0x99);
	rig_command(&rig, 0x20);
	rig_expect(&rig, 0x45);
	snap_free(load);
	snap_free(save);
}
END_TEST

START_TEST(bad_state_is_refused)
{
	struct snap *save = snap_new_save();
	i8042_state(rig.kbc, save);
	size_t size;
	const void *data = snap_data(save, &size);
	for (size_t i = 0; i < size; i++) {
		uint8_t *bad = g_memdup2(data, size);
		bad[i] ^= 0xff;
		struct snap *load = snap_new_load(bad, size);
		i8042_state(rig.kbc, load); /* whatever it says, the controller stays usable */
		for (unsigned j = 0; j < 40; j++)
			rig_next(&rig);
		rig_command(&rig, 0xaa);
		ck_assert_int_eq(rig_next(&rig) & 0xff, 0x55);
		snap_free(load);
		g_free(bad);
		i8042_reset(rig.kbc);
	}
	snap_free(save);
}
END_TEST

Suite *suite_i8042(void)
{
	Suite *suite = suite_create("i8042");
	TCase *tcase = tcase_create("i8042");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, power_on);
	tcase_add_test(tcase, tests_answer);
	tcase_add_test(tcase, unknown_command_is_silent);
	tcase_add_test(tcase, ram_is_kept);
	tcase_add_test(tcase, status_tells_command_from_data);
	tcase_add_test(tcase, command_cancels_waiting_command);
	tcase_add_test(tcase, enable_and_disable_commands);
	tcase_add_test(tcase, keyboard_byte_arrives_with_irq1);
	tcase_add_test(tcase, aux_byte_arrives_with_irq12);
	tcase_add_test(tcase, each_byte_is_an_edge);
	tcase_add_test(tcase, ports_take_turns);
	tcase_add_test(tcase, interrupt_enable_bits);
	tcase_add_test(tcase, disabled_port_queues);
	tcase_add_test(tcase, disable_catches_byte_on_its_way);
	tcase_add_test(tcase, sending_enables_the_port);
	tcase_add_test(tcase, translation);
	tcase_add_test(tcase, translation_spares_aux_and_answers);
	tcase_add_test(tcase, written_output_buffers);
	tcase_add_test(tcase, answers_wait_for_the_buffer);
	tcase_add_test(tcase, no_device_times_out);
	tcase_add_test(tcase, output_port);
	tcase_add_test(tcase, a20_commands);
	tcase_add_test(tcase, pulses);
	tcase_add_test(tcase, test_inputs_are_the_clock_lines);
	tcase_add_test(tcase, reset_opens_a20_and_empties);
	tcase_add_test(tcase, state_survives);
	tcase_add_test(tcase, bad_state_is_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}
