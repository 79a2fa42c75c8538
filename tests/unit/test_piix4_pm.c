#include "tests/unit/pci_rig.h"

#include "devmodel/piix4_pm.h"
#include "shared/clock.h"
#include "shared/snap.h"

#define PM    PCI_DEVFN(1, 3)
#define BASE  0x600
#define SMBUS 0x700

static struct bus *bus;
static struct clock *clock;
static struct cpu_pins pins;
static struct pci_bus *pci;
static struct piix4_pm *pm;
static struct pci_rig_wire sci;
static unsigned power_offs;

static void note_power_off(void *owner)
{
	(void)owner;
	power_offs++;
}

static void place(void)
{
	pci_rig_write(bus, PM, 0x40, 4, BASE);
	pci_rig_write(bus, PM, 0x80, 1, 1);
	pci_rig_write(bus, PM, 0x90, 4, SMBUS);
}

static void setup(void)
{
	memset(&pins, 0, sizeof pins);
	memset(&sci, 0, sizeof sci);
	power_offs = 0;
	bus = bus_new();
	clock = clock_new(CLOCK_KIND_VIRTUAL);
	pci = pci_bus_new(bus);
	pm = piix4_pm_new(&(struct piix4_pm_config){
		.pci = pci, .ports = bus, .clock = clock, .pins = &pins, .sci = pci_rig_wire_line(&sci, 0),
		.power_off = note_power_off });
	place();
}

static void teardown(void)
{
	piix4_pm_free(pm);
	pci_bus_free(pci);
	clock_free(clock);
	bus_free(bus);
}

static uint32_t get(unsigned offset, unsigned size)
{
	return bus_read(bus, (uint16_t)(BASE + offset), size);
}

static void put(unsigned offset, unsigned size, uint32_t value)
{
	bus_write(bus, (uint16_t)(BASE + offset), size, value);
}

static void pass_ticks(uint64_t tick)
{
	clock_wait_until(clock, clock_ticks_to_ns(tick, PIIX4_PM_HZ));
	clock_run_due(clock);
}

START_TEST(configuration)
{
	ck_assert_uint_eq(pci_rig_read(bus, PM, 0, 4), 0x71138086);
	ck_assert_uint_eq(pci_rig_read(bus, PM, 0x0a, 2), 0x0680);
	ck_assert_uint_eq(pci_rig_read(bus, PM, 0x3c, 2), 0x0109);
	ck_assert_uint_eq(pci_rig_read(bus, PM, 0x5b, 1), 0x02);
	pci_rig_write(bus, PM, 0x40, 4, 0xffffffff);
	ck_assert_uint_eq(pci_rig_read(bus, PM, 0x40, 4), 0x0000ffc1);
	pci_rig_write(bus, PM, 0x90, 4, 0xffffffff);
	ck_assert_uint_eq(pci_rig_read(bus, PM, 0x90, 4), 0x0000fff1);
}
END_TEST

START_TEST(ports_move_and_vanish)
{
	ck_assert_uint_eq(get(0, 2), 0);
	pci_rig_write(bus, PM, 0x40, 4, 0xb001);
	ck_assert_uint_eq(get(0, 2), 0xffff);
	ck_assert_uint_eq(bus_read(bus, 0xb000, 2), 0);
	pci_rig_write(bus, PM, 0x80, 1, 0);
	ck_assert_uint_eq(bus_read(bus, 0xb000, 2), 0xffff);
	place();
	pci_bus_reset(pci);
	ck_assert_uint_eq(get(0, 2), 0xffff);
}
END_TEST

START_TEST(timer_counts_24_bits)
{
	ck_assert_uint_eq(get(8, 4), 0);
	pass_ticks(3579545);
	ck_assert_uint_eq(get(8, 4), 3579545);
	ck_assert_uint_eq(get(9, 2), 3579545 >> 8 & 0xffff);
	pass_ticks(0x1000005);
	ck_assert_uint_eq(get(8, 4), 5);
	put(8, 4, 0x1234);
	ck_assert_uint_eq(get(8, 4), 5);
}
END_TEST

START_TEST(overflow_status_without_interrupt)
{
	pass_ticks((1 << 23) - 1);
	ck_assert_uint_eq(get(0, 2), 0);
	pass_ticks(1 << 23);
	ck_assert_uint_eq(get(0, 2), 1);
	ck_assert_uint_eq(clock_next_deadline(clock), CLOCK_NEVER);
	put(0, 2, 1);
	ck_assert_uint_eq(get(0, 2), 0);
	/* bit 23 falls */
	pass_ticks(1 << 24);
	ck_assert_uint_eq(get(0, 2), 1);
	ck_assert(!sci.level);
}
END_TEST

START_TEST(overflow_interrupt)
{
	put(4, 2, 1);
	put(2, 2, 1);
	pass_ticks((1 << 23) - 1);
	ck_assert(!sci.level);
	pass_ticks(1 << 23);
	ck_assert(sci.level);
	put(0, 2, 1);
	ck_assert(!sci.level);
	pass_ticks(1 << 24);
	ck_assert(sci.level);
	ck_assert_uint_eq(sci.rises, 2);
	put(4, 2, 0);
	ck_assert(!sci.level);
}
END_TEST

START_TEST(power_button)
{
	piix4_pm_press_power_button(pm);
	ck_assert_uint_eq(get(0, 2), 0x100);
	ck_assert(!sci.level);
	put(3, 1, 0x01);
	ck_assert(!sci.level);
	put(4, 2, 1);
	ck_assert(sci.level);
	put(1, 1, 0x01);
	ck_assert(!sci.level);
	ck_assert_uint_eq(get(0, 2), 0);
}
END_TEST

START_TEST(global_lock_bits)
{
	put(4, 2, 1);
	put(2, 2, 0x20);
	put(0x28, 4, 2);
	ck_assert(sci.level);
	ck_assert_uint_eq(get(0, 2), 0x20);
	put(0, 2, 0x20);
	ck_assert(!sci.level);
	put(4, 2, 5);
	ck_assert_uint_eq(get(0x18, 2), 1);
	ck_assert_uint_eq(get(4, 2), 1);
	ck_assert(!pins.smi);
	put(0x20, 2, 2);
	put(0x28, 4, 1);
	put(4, 2, 5);
	ck_assert(pins.smi);
	put(0x18, 2, 1);
	ck_assert_uint_eq(get(0x18, 2), 0);
}
END_TEST

START_TEST(soft_off)
{
	put(4, 2, 0x0001);
	ck_assert_uint_eq(power_offs, 0);
	put(4, 2, 0x2001);
	ck_assert_uint_eq(power_offs, 1);
	ck_assert_uint_eq(get(4, 2), 0x0001);
}
END_TEST

START_TEST(soft_off_by_bytes)
{
	put(5, 1, 0x20);
	ck_assert_uint_eq(power_offs, 1);
}
END_TEST

START_TEST(other_suspends_wake)
{
	for (unsigned type = 1; type < 8; type++) {
		put(4, 2, 0x2000 | type << 10);
		ck_assert_uint_eq(get(0, 2), 0x8000);
		put(0, 2, 0x8000);
	}
	ck_assert_uint_eq(power_offs, 0);
}
END_TEST

START_TEST(apmc_switches_acpi)
{
	bus_write(bus, 0xb3, 1, 0x5a);
	bus_write(bus, 0xb2, 1, 0xf1);
	ck_assert_uint_eq(get(4, 2), 1);
	ck_assert_uint_eq(bus_read(bus, 0xb2, 1), 0xf1);
	ck_assert_uint_eq(bus_read(bus, 0xb3, 1), 0x5a);
	bus_write(bus, 0xb2, 1, 0xf0);
	ck_assert_uint_eq(get(4, 2), 0);
	bus_write(bus, 0xb2, 1, 0x42);
	ck_assert_uint_eq(get(4, 2), 0);
	ck_assert(!pins.smi);
}
END_TEST

START_TEST(apmc_raises_smi)
{
	put(0x28, 4, 1);
	atomic_store(&pins.attention, false);
	bus_write(bus, 0xb2, 1, 0xf1);
	ck_assert(pins.smi);
	ck_assert(atomic_load(&pins.attention));
	ck_assert_uint_eq(get(4, 2), 0);
	ck_assert_uint_eq(get(0x18, 2), 0x20);
	pins.smi = false;
	pci_rig_write(bus, PM, 0x5b, 1, 0);
	bus_write(bus, 0xb2, 1, 1);
	ck_assert(!pins.smi);
}
END_TEST

START_TEST(gpe_block)
{
	ck_assert_uint_eq(bus_read(bus, 0xafe0, 4), 0);
	bus_write(bus, 0xafe0, 4, 0xffffffff);
	ck_assert_uint_eq(bus_read(bus, 0xafe0, 4), 0xffff0000);
	ck_assert(!sci.level);
}
END_TEST

START_TEST(reserved_bits_stay_zero)
{
	for (unsigned n = 0; n < 0x40; n++)
		if (n != 5 && n < 8)
			put(n, 1, 0xff);
	put(0x28, 4, 0xffffffff);
	ck_assert_uint_eq(get(2, 2), 0x0521);
	ck_assert_uint_eq(get(0x28, 4), 0x0701ff05);
	ck_assert_uint_eq(get(6, 2), 0);
	ck_assert_uint_eq(get(0x3e, 4), 0xffff0000);
}
END_TEST

START_TEST(smbus_has_no_devices)
{
	ck_assert_uint_eq(bus_read(bus, SMBUS, 1), 0xff);
	pci_rig_write(bus, PM, 0xd2, 1, 1);
	ck_assert_uint_eq(bus_read(bus, SMBUS, 1), 0);
	bus_write(bus, SMBUS + 4, 1, 0xa1);
	bus_write(bus, SMBUS + 3, 1, 0x00);
	bus_write(bus, SMBUS + 2, 1, 0x48);
	ck_assert_uint_eq(bus_read(bus, SMBUS, 1), 0x04);
	ck_assert_uint_eq(bus_read(bus, SMBUS + 2, 1), 0x08);
	ck_assert_uint_eq(bus_read(bus, SMBUS + 4, 1), 0xa1);
	bus_write(bus, SMBUS, 1, 0x04);
	ck_assert_uint_eq(bus_read(bus, SMBUS, 1), 0);
	bus_write(bus, SMBUS + 2, 1, 0x02);
	ck_assert_uint_eq(bus_read(bus, SMBUS, 1), 0x10);
	ck_assert(!sci.level);
}
END_TEST

START_TEST(smbus_interrupt)
{
	pci_rig_write(bus, PM, 0xd2, 1, 1);
	bus_write(bus, SMBUS + 2, 1, 0x41);
	ck_assert(!sci.level);
	pci_rig_write(bus, PM, 0xd2, 1, 0x09);
	ck_assert(sci.level);
	bus_write(bus, SMBUS, 1, 0x1e);
	ck_assert(!sci.level);
}
END_TEST

START_TEST(smbus_block_buffer)
{
	pci_rig_write(bus, PM, 0xd2, 1, 1);
	bus_read(bus, SMBUS + 2, 1);
	for (unsigned n = 0; n < 40; n++)
		bus_write(bus, SMBUS + 7, 1, n);
	bus_read(bus, SMBUS + 2, 1);
	/* 32 bytes, the last eight written over the first */
	ck_assert_uint_eq(bus_read(bus, SMBUS + 7, 1), 32);
	for (unsigned n = 1; n < 8; n++)
		bus_read(bus, SMBUS + 7, 1);
	ck_assert_uint_eq(bus_read(bus, SMBUS + 7, 1), 8);
}
END_TEST

START_TEST(reset_clears)
{
	put(4, 2, 1);
	put(2, 2, 0x100);
	piix4_pm_press_power_button(pm);
	bus_write(bus, 0xb3, 1, 0x5a);
	pci_bus_reset(pci);
	piix4_pm_reset(pm);
	ck_assert(!sci.level);
	place();
	ck_assert_uint_eq(get(0, 4), 0);
	ck_assert_uint_eq(get(4, 2), 0);
	ck_assert_uint_eq(bus_read(bus, 0xb3, 1), 0);
}
END_TEST

START_TEST(state_comes_back)
{
	put(4, 2, 1);
	put(2, 2, 1);
	pass_ticks(1 << 23);
	pci_rig_write(bus, PM, 0xd2, 1, 1);
	bus_write(bus, SMBUS + 5, 1, 0x33);
	struct snap *save = snap_new_save();
	pci_bus_state(pci, save);
	piix4_pm_state(pm, save);
	pci_bus_reset(pci);
	piix4_pm_reset(pm);
	size_t size;
	const void *data = snap_data(save, &size);
	struct snap *load = snap_new_load(data, size);
	pci_bus_state(pci, load);
	piix4_pm_state(pm, load);
	ck_assert_ptr_null(snap_error(load));
	ck_assert(sci.level);
	ck_assert_uint_eq(get(2, 2), 1);
	ck_assert_uint_eq(bus_read(bus, SMBUS + 5, 1), 0x33);
	put(0, 2, 1);
	ck_assert_uint_eq(clock_next_deadline(clock), clock_ticks_to_ns(1 << 24, PIIX4_PM_HZ));
	snap_free(load);
	snap_free(save);
}
END_TEST

Suite *suite_piix4_pm(void)
{
	Suite *suite = suite_create("piix4_pm");
	TCase *tc = tcase_create("piix4_pm");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, configuration);
	tcase_add_test(tc, ports_move_and_vanish);
	tcase_add_test(tc, timer_counts_24_bits);
	tcase_add_test(tc, overflow_status_without_interrupt);
	tcase_add_test(tc, overflow_interrupt);
	tcase_add_test(tc, power_button);
	tcase_add_test(tc, global_lock_bits);
	tcase_add_test(tc, soft_off);
	tcase_add_test(tc, soft_off_by_bytes);
	tcase_add_test(tc, other_suspends_wake);
	tcase_add_test(tc, apmc_switches_acpi);
	tcase_add_test(tc, apmc_raises_smi);
	tcase_add_test(tc, gpe_block);
	tcase_add_test(tc, reserved_bits_stay_zero);
	tcase_add_test(tc, smbus_has_no_devices);
	tcase_add_test(tc, smbus_interrupt);
	tcase_add_test(tc, smbus_block_buffer);
	tcase_add_test(tc, reset_clears);
	tcase_add_test(tc, state_comes_back);
	suite_add_tcase(suite, tc);
	return suite;
}
