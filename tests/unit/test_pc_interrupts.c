/* The board's interrupt lines: which device drives which. */
#include "tests/unit/pc_rig.h"
#include "tests/unit/pci_rig.h"

#include "devmodel/keys.h"
#include "devmodel/ps2_keyboard.h"

static struct pc_rig rig;

static void setup(void) { pc_rig_setup(&rig); }
static void teardown(void) { pc_rig_teardown(&rig); }

static void out(uint16_t port, uint8_t value) { pc_rig_out(&rig, port, value); }
static uint8_t in(uint16_t port) { return pc_rig_in(&rig, port); }

START_TEST(irq0_is_the_timer)
{
	pc_rig_build_with_interrupts(&rig);
	out(0x43, 0x34);
	out(0x40, 0x00);
	out(0x40, 0x10);
	pc_rig_pass(&rig, 10000000);
	ck_assert_uint_eq(pc_rig_vector(&rig), 0x20);
}
END_TEST

START_TEST(irq1_and_irq12_are_the_8042)
{
	pc_rig_build_with_interrupts(&rig);
	out(0x64, 0x60);
	out(0x60, 0x03);
	ps2_keyboard_key(pc_keyboard(rig.pc), KEY_A, true);
	pc_rig_pass(&rig, 10000000);
	ck_assert_uint_eq(pc_rig_vector(&rig), 0x21);
	in(0x60);
	out(0x20, 0x20);
	out(0x64, 0xd4);
	out(0x60, 0xf4);
	pc_rig_pass(&rig, 10000000);
	ck_assert_uint_eq(pc_rig_vector(&rig), 0x2c);
	ck_assert_uint_eq(in(0x60), 0xfa);
}
END_TEST

START_TEST(irq3_and_irq4_are_serial)
{
	pc_rig_build_with_interrupts(&rig);
	uint16_t port = _i ? 0x2f8 : 0x3f8;
	out(port + 4, 0x08);
	out(port + 1, 0x02); /* transmitter is empty */
	pc_rig_pass(&rig, 10000000);
	ck_assert_uint_eq(pc_rig_vector(&rig), _i ? 0x23 : 0x24);
	out(port, 'x');
	ck_assert_str_eq(chardev_captured(rig.chars[_i])->str, "x");
}
END_TEST

START_TEST(irq6_is_the_floppy)
{
	pc_rig_build_with_interrupts(&rig);
	out(0x3f2, 0x00);
	out(0x3f2, 0x0c);
	pc_rig_pass(&rig, 100000000);
	ck_assert_uint_eq(pc_rig_vector(&rig), 0x26);
}
END_TEST

/* An edge each: what a guest writes to port 61h meanwhile makes no second one. */
START_TEST(nmi_button)
{
	rig.pc = pc_rig_build(&rig);
	struct cpu_pins *pins = pc_pins(rig.pc);
	out(0x70, 0x0f);
	pc_press_nmi_button(rig.pc);
	ck_assert(pins->nmi);
	ck_assert_uint_eq(in(0x61) & 0xc0, 0x40);
	pins->nmi = false;
	out(0x61, 0x01);
	ck_assert(!pins->nmi);
	pc_press_nmi_button(rig.pc); /* still seen: no edge */
	ck_assert(!pins->nmi);
	out(0x61, 0x08);
	out(0x61, 0x00);
	ck_assert_uint_eq(in(0x61) & 0xc0, 0);
	pc_press_nmi_button(rig.pc);
	ck_assert(pins->nmi);
	pins->nmi = false;
	out(0x61, 0x08);
	out(0x61, 0x00);
	out(0x70, 0x8f);
	pc_press_nmi_button(rig.pc);
	ck_assert(!pins->nmi);
	out(0x70, 0x0f); /* it waits */
	ck_assert(pins->nmi);
	pins->nmi = false;
	out(0x70, 0x0d);
	ck_assert(!pins->nmi);
	out(0x70, 0x8f);
	out(0x61, 0x08);
	out(0x61, 0x00);
	out(0x70, 0x0f);
	ck_assert(!pins->nmi);
}
END_TEST

START_TEST(a_taken_nmi_stays_taken)
{
	rig.pc = pc_rig_build(&rig);
	out(0x70, 0x0f);
	pc_press_nmi_button(rig.pc);
	pc_pins(rig.pc)->nmi = false;
	struct snap *save = snap_new_save();
	size_t size;
	pc_state(rig.pc, save);
	const void *data = snap_data(save, &size);
	pc_reset(rig.pc);
	struct snap *load = snap_new_load(data, size);
	pc_state(rig.pc, load);
	ck_assert_ptr_null(snap_error(load));
	ck_assert_uint_eq(in(0x61) & 0xc0, 0x40);
	ck_assert(!pc_pins(rig.pc)->nmi);
	snap_free(load);
	snap_free(save);
}
END_TEST

START_TEST(irq7_is_the_printer)
{
	pc_rig_build_with_interrupts(&rig);
	out(0x378, 'p');
	out(0x37a, 0x1c);
	out(0x37a, 0x1d);
	out(0x37a, 0x1c);
	pc_rig_pass(&rig, 10000000);
	ck_assert_uint_eq(pc_rig_vector(&rig), 0x27);
	ck_assert_str_eq(chardev_captured(rig.chars[2])->str, "p");
}
END_TEST

START_TEST(irq8_is_the_clock)
{
	pc_rig_build_with_interrupts(&rig);
	out(0x70, 0x0b);
	out(0x71, 0x12); /* update ended */
	pc_rig_pass(&rig, 2000000000);
	ck_assert_uint_eq(pc_rig_vector(&rig), 0x28);
}
END_TEST

START_TEST(irq9_is_acpi)
{
	pc_rig_build_with_interrupts(&rig);
	pci_rig_write(pc_bus(rig.pc), PCI_DEVFN(1, 3), 0x40, 4, 0x600);
	pci_rig_write(pc_bus(rig.pc), PCI_DEVFN(1, 3), 0x80, 1, 1);
	out(0xb2, 0xf1);
	bus_write(pc_bus(rig.pc), 0x602, 2, 0x100);
	pc_press_power_button(rig.pc);
	ck_assert_uint_eq(pc_rig_vector(&rig), 0x29);
}
END_TEST

START_TEST(irq13_is_the_coprocessor)
{
	pc_rig_build_with_interrupts(&rig);
	irq_set(&pc_pins(rig.pc)->ferr, true);
	irq_set(&pc_pins(rig.pc)->ferr, false);
	ck_assert_uint_eq(pc_rig_vector(&rig), 0x2d);
	out(0xa0, 0x20);
	out(0x20, 0x20);
	out(0xf0, 0);
	irq_set(&pc_pins(rig.pc)->ferr, true);
	out(0xf0, 0);
	ck_assert_uint_eq(pc_rig_vector(&rig), 0);
}
END_TEST

START_TEST(irq14_and_irq15_are_ide)
{
	unsigned channel = (unsigned)_i;
	rig.config.drive[2 * channel] = (struct pc_drive){ PC_DRIVE_DISK, blk_memory_new(MIB, false) };
	pc_rig_build_with_interrupts(&rig);
	uint16_t port = channel ? 0x170 : 0x1f0;
	pci_rig_write(pc_bus(rig.pc), PCI_DEVFN(1, 1), 0x40, 4, 0x80008000);
	pci_rig_write(pc_bus(rig.pc), PCI_DEVFN(1, 1), 0x04, 2, 1);
	out(port + 6, 0xa0);
	out(port + 7, 0xec);
	pc_rig_pass(&rig, 100000000);
	ck_assert_uint_eq(pc_rig_vector(&rig), 0x2e + channel);
}
END_TEST

START_TEST(reset_silences_interrupts)
{
	pc_rig_build_with_interrupts(&rig);
	irq_set(&pc_pins(rig.pc)->ferr, true);
	ck_assert(pc_pins(rig.pc)->intr);
	pc_reset(rig.pc);
	ck_assert(!pc_pins(rig.pc)->intr);
	pc_rig_start_pic(&rig, 0x20, 0x20, 0x04);
	pc_rig_start_pic(&rig, 0xa0, 0x28, 0x02);
	ck_assert_uint_eq(pc_rig_vector(&rig), 0);
}
END_TEST

Suite *suite_pc_interrupts(void);
Suite *suite_pc_interrupts(void)
{
	Suite *suite = suite_create("pc_interrupts");
	TCase *tc = tcase_create("lines");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, irq0_is_the_timer);
	tcase_add_test(tc, irq1_and_irq12_are_the_8042);
	tcase_add_loop_test(tc, irq3_and_irq4_are_serial, 0, 2);
	tcase_add_test(tc, irq6_is_the_floppy);
	tcase_add_test(tc, nmi_button);
	tcase_add_test(tc, a_taken_nmi_stays_taken);
	tcase_add_test(tc, irq7_is_the_printer);
	tcase_add_test(tc, irq8_is_the_clock);
	tcase_add_test(tc, irq9_is_acpi);
	tcase_add_test(tc, irq13_is_the_coprocessor);
	tcase_add_loop_test(tc, irq14_and_irq15_are_ide, 0, 2);
	tcase_add_test(tc, reset_silences_interrupts);
	suite_add_tcase(suite, tc);
	return suite;
}
