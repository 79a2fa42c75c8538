#include "tests/unit/pci_rig.h"

#include "shared/snap.h"

#define DEVFN PCI_DEVFN(3, 2)

static struct bus *bus;
static struct pci_bus *pci;
static struct pci_function *function;
static struct pci_rig_wire pirq[PCI_PIRQS];
static uint32_t mapped[PCI_BARS];
static unsigned maps, unmaps;
static unsigned changed_offset, changed_size, changes;

static void note_change(void *owner, unsigned offset, unsigned size)
{
	(void)owner;
	changed_offset = offset;
	changed_size = size;
	changes++;
}

static void note_map(void *owner, unsigned bar, uint32_t address)
{
	(void)owner;
	ck_assert_uint_eq(mapped[bar], 0);
	mapped[bar] = address;
	maps++;
}

static void note_unmap(void *owner, unsigned bar)
{
	(void)owner;
	ck_assert_uint_ne(mapped[bar], 0);
	mapped[bar] = 0;
	unmaps++;
}

static const struct pci_function_ops function_ops = { note_change, note_map, note_unmap };
static const struct pci_function_ops silent_ops;

static const struct pci_identity identity = {
	.name = "probe", .devfn = DEVFN, .vendor_id = 0x1234, .device_id = 0x5678, .revision_id = 9,
	.class_code = 0x0a0b0c, .subsystem_vendor_id = 0xaabb, .subsystem_id = 0xccdd,
	.interrupt_pin = 1, .multifunction = true,
};

static struct pci_function *add(uint8_t devfn, unsigned pin)
{
	struct pci_identity other = identity;
	other.name = "other";
	other.devfn = devfn;
	other.interrupt_pin = (uint8_t)pin;
	return pci_function_new(pci, &other, &silent_ops, NULL);
}

static void setup(void)
{
	memset(pirq, 0, sizeof pirq);
	memset(mapped, 0, sizeof mapped);
	maps = unmaps = changes = 0;
	bus = bus_new();
	pci = pci_bus_new(bus);
	for (unsigned n = 0; n < PCI_PIRQS; n++)
		pci_bus_connect_pirq(pci, n, pci_rig_wire_line(pirq, n));
	function = pci_function_new(pci, &identity, &function_ops, NULL);
	pci_bar(function, 0, PCI_BAR_MEMORY, 0x10000);
	pci_bar(function, 1, PCI_BAR_IO, 0x20);
	pci_bar(function, 2, PCI_BAR_PREFETCHABLE, 0x1000000);
	pci_bar(function, PCI_ROM, PCI_BAR_ROM, 0x8000);
	pci_preset8(function, 0x40, 0x5a);
	pci_writable8(function, 0x40, 0x0f);
}

static void teardown(void)
{
	pci_bus_free(pci);
	bus_free(bus);
}

static uint32_t get(unsigned offset, unsigned size)
{
	return pci_rig_read(bus, DEVFN, offset, size);
}

static void put(unsigned offset, unsigned size, uint32_t value)
{
	pci_rig_write(bus, DEVFN, offset, size, value);
}

START_TEST(config_address_wants_four_bytes)
{
	bus_write(bus, 0xcf8, 4, 0xffffffff);
	ck_assert_uint_eq(bus_read(bus, 0xcf8, 4), 0x80fffffc);
	bus_write(bus, 0xcf8, 1, 0);
	bus_write(bus, 0xcfa, 2, 0);
	ck_assert_uint_eq(bus_read(bus, 0xcf8, 4), 0x80fffffc);
	ck_assert_uint_eq(bus_read(bus, 0xcf8, 1), 0xff);
	ck_assert_uint_eq(bus_read(bus, 0xcf8, 2), 0xffff);
}
END_TEST

START_TEST(header_is_the_identity)
{
	ck_assert_uint_eq(get(0, 4), 0x56781234);
	ck_assert_uint_eq(get(8, 4), 0x0a0b0c09);
	ck_assert_uint_eq(get(PCI_HEADER_TYPE, 1), 0x80);
	ck_assert_uint_eq(get(PCI_SUBSYSTEM_VENDOR_ID, 4), 0xccddaabb);
	ck_assert_uint_eq(get(PCI_INTERRUPT_PIN, 1), 1);
	put(0, 4, 0);
	put(PCI_SUBSYSTEM_VENDOR_ID, 4, 0);
	ck_assert_uint_eq(get(0, 4), 0x56781234);
	ck_assert_uint_eq(get(PCI_SUBSYSTEM_VENDOR_ID, 4), 0xccddaabb);
}
END_TEST

START_TEST(data_port_has_byte_lanes)
{
	ck_assert_uint_eq(get(0, 1), 0x34);
	ck_assert_uint_eq(get(1, 1), 0x12);
	ck_assert_uint_eq(get(2, 2), 0x5678);
	ck_assert_uint_eq(get(1, 2), 0x7812);
	/* past the last lane */
	ck_assert_uint_eq(get(3, 2), 0xff56);
	ck_assert_uint_eq(get(2, 4), 0xffff5678);
	put(PCI_INTERRUPT_LINE, 1, 11);
	ck_assert_uint_eq(get(PCI_INTERRUPT_LINE, 2), 0x010b);
	/* no spill into the next doubleword */
	put(0x3f, 2, 0xffff);
	ck_assert_uint_eq(get(0x40, 1), 0x5a);
}
END_TEST

START_TEST(only_what_is_there_answers)
{
	ck_assert_uint_eq(pci_rig_read(bus, PCI_DEVFN(3, 1), 0, 4), 0xffffffff);
	bus_write(bus, 0xcf8, 4, 0x80010000u | DEVFN << 8);
	ck_assert_uint_eq(bus_read(bus, 0xcfc, 4), 0xffffffff);
	bus_write(bus, 0xcf8, 4, DEVFN << 8);
	ck_assert_uint_eq(bus_read(bus, 0xcfc, 4), 0xffffffff);
	bus_write(bus, 0xcfc, 4, 0);
	ck_assert_uint_eq(changes, 0);
}
END_TEST

START_TEST(masks_keep_read_only_bits)
{
	put(0x40, 1, 0xf3);
	ck_assert_uint_eq(get(0x40, 1), 0x53);
	ck_assert_uint_eq(changed_offset, 0x40);
	ck_assert_uint_eq(changed_size, 1);
	put(0x42, 2, 0xffff);
	ck_assert_uint_eq(get(0x42, 2), 0);
	ck_assert_uint_eq(changed_offset, 0x42);
	ck_assert_uint_eq(changed_size, 2);
}
END_TEST

START_TEST(bars_tell_their_size)
{
	put(0x10, 4, 0xffffffff);
	ck_assert_uint_eq(get(0x10, 4), 0xffff0000);
	put(0x14, 4, 0xffffffff);
	ck_assert_uint_eq(get(0x14, 4), 0xffffffe1);
	put(0x18, 4, 0xffffffff);
	ck_assert_uint_eq(get(0x18, 4), 0xff000008);
	put(0x1c, 4, 0xffffffff);
	ck_assert_uint_eq(get(0x1c, 4), 0);
	put(PCI_ROM_ADDRESS, 4, 0xfffffffe);
	ck_assert_uint_eq(get(PCI_ROM_ADDRESS, 4), 0xffff8000);
	/* sizing maps nothing, even with decoding on */
	put(PCI_ROM_ADDRESS, 4, 0xffffffff);
	put(PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
	ck_assert_uint_eq(maps, 0);
}
END_TEST

START_TEST(bars_map_by_command)
{
	put(0x10, 4, 0xe0000000);
	put(0x14, 4, 0xc000);
	ck_assert_uint_eq(maps, 0);
	put(PCI_COMMAND, 2, PCI_COMMAND_IO);
	ck_assert_uint_eq(mapped[1], 0xc000);
	ck_assert_uint_eq(mapped[0], 0);
	put(PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
	ck_assert_uint_eq(mapped[0], 0xe0000000);
	ck_assert_uint_eq(mapped[2], 0); /* address 0 */
	put(0x10, 4, 0xe0010000);
	ck_assert_uint_eq(mapped[0], 0xe0010000);
	ck_assert_uint_eq(maps, 3);
	ck_assert_uint_eq(unmaps, 1);
	put(PCI_COMMAND, 2, 0);
	ck_assert_uint_eq(mapped[0], 0);
	ck_assert_uint_eq(mapped[1], 0);
}
END_TEST

START_TEST(io_bar_needs_a_port_address)
{
	put(PCI_COMMAND, 2, PCI_COMMAND_IO);
	put(0x14, 4, 0x10000);
	ck_assert_uint_eq(mapped[1], 0);
	put(0x14, 4, 0xffc0);
	ck_assert_uint_eq(mapped[1], 0xffc0);
	put(0x14, 4, 0xffe0);
	ck_assert_uint_eq(mapped[1], 0);
}
END_TEST

START_TEST(rom_has_its_own_enable)
{
	put(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	put(PCI_ROM_ADDRESS, 4, 0xd0000000);
	ck_assert_uint_eq(mapped[PCI_ROM], 0);
	put(PCI_ROM_ADDRESS, 4, 0xd0000001);
	ck_assert_uint_eq(mapped[PCI_ROM], 0xd0000000);
	put(PCI_ROM_ADDRESS, 1, 0);
	ck_assert_uint_eq(mapped[PCI_ROM], 0);
}
END_TEST

START_TEST(reset_restores_presets)
{
	put(0x40, 1, 0);
	put(0x10, 4, 0xe0000000);
	put(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	changes = 0;
	pci_bus_reset(pci);
	ck_assert_uint_eq(mapped[0], 0);
	ck_assert_uint_eq(bus_read(bus, 0xcf8, 4), 0);
	ck_assert_uint_eq(changed_size, PCI_CONFIG_SIZE);
	ck_assert_uint_eq(changes, 1);
	ck_assert_uint_eq(get(0x40, 1), 0x5a);
	ck_assert_uint_eq(get(PCI_COMMAND, 2), 0);
}
END_TEST

START_TEST(intx_swizzle)
{
	ck_assert_uint_eq(pci_pirq_of(PCI_DEVFN(1, 0), 1), 0);
	ck_assert_uint_eq(pci_pirq_of(PCI_DEVFN(1, 3), 4), 3);
	ck_assert_uint_eq(pci_pirq_of(PCI_DEVFN(2, 0), 1), 1);
	ck_assert_uint_eq(pci_pirq_of(PCI_DEVFN(3, 0), 3), 0);
	ck_assert_uint_eq(pci_pirq_of(PCI_DEVFN(0, 0), 1), 3);
}
END_TEST

START_TEST(pirq_is_a_wired_or)
{
	/* device 3 INTA and device 4 INTD both feed PIRQC */
	struct irq_line a = pci_intx(function), b = pci_intx(add(PCI_DEVFN(4, 0), 4));
	irq_set(&a, true);
	irq_set(&a, true);
	irq_set(&b, true);
	ck_assert(pirq[2].level);
	irq_set(&a, false);
	ck_assert(pirq[2].level);
	irq_set(&b, false);
	ck_assert(!pirq[2].level);
	ck_assert_uint_eq(pirq[2].rises, 1);
	ck_assert_uint_eq(pirq[0].rises + pirq[1].rises + pirq[3].rises, 0);
	ck_assert_ptr_null(pci_intx(add(PCI_DEVFN(5, 0), 0)).set);
}
END_TEST

static uint32_t cf9_read(void *owner, uint16_t port, unsigned size)
{
	(void)port;
	(void)size;
	return *(uint8_t *)owner;
}

static void cf9_write(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	(void)port;
	(void)size;
	*(uint8_t *)owner = (uint8_t)value;
}

START_TEST(cf9_is_another_register)
{
	static const struct bus_ops ops = { .name = "cf9", .max_size = 1, .read = cf9_read, .write = cf9_write };
	uint8_t reg = 0x77;
	ck_assert_uint_eq(bus_read(bus, 0xcf9, 1), 0xff);
	bus_write(bus, 0xcf9, 1, 6);
	pci_bus_connect_cf9(pci, &ops, &reg);
	ck_assert_uint_eq(bus_read(bus, 0xcf9, 1), 0x77);
	bus_write(bus, 0xcf9, 1, 6);
	ck_assert_uint_eq(reg, 6);
	bus_write(bus, 0xcf8, 4, 0x80001234);
	ck_assert_uint_eq(reg, 6);
	ck_assert_uint_eq(bus_read(bus, 0xcf8, 4), 0x80001234);
}
END_TEST

START_TEST(state_comes_back)
{
	struct irq_line intx = pci_intx(function);
	put(0x40, 1, 0x01);
	put(0x10, 4, 0xe0000000);
	put(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	irq_set(&intx, true);
	struct snap *save = snap_new_save();
	pci_bus_state(pci, save);
	size_t size;
	const void *data = snap_data(save, &size);
	irq_set(&intx, false);
	pci_bus_reset(pci);
	struct snap *load = snap_new_load(data, size);
	pci_bus_state(pci, load);
	ck_assert_ptr_null(snap_error(load));
	ck_assert_uint_eq(mapped[0], 0xe0000000);
	ck_assert(pirq[2].level);
	ck_assert_uint_eq(get(0x40, 1), 0x51);
	snap_free(load);
	snap_free(save);
}
END_TEST

START_TEST(full_port_space_is_refused)
{
	struct bus *full = bus_new();
	static const struct bus_ops ops = { .name = "x", .max_size = 1 };
	while (!bus_claim(full, 1, 1, &ops, NULL))
		;
	ck_assert_ptr_null(pci_bus_new(full));
	bus_free(full);
}
END_TEST

Suite *suite_pci(void)
{
	Suite *suite = suite_create("pci");
	TCase *tc = tcase_create("pci");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, config_address_wants_four_bytes);
	tcase_add_test(tc, header_is_the_identity);
	tcase_add_test(tc, data_port_has_byte_lanes);
	tcase_add_test(tc, only_what_is_there_answers);
	tcase_add_test(tc, masks_keep_read_only_bits);
	tcase_add_test(tc, bars_tell_their_size);
	tcase_add_test(tc, bars_map_by_command);
	tcase_add_test(tc, io_bar_needs_a_port_address);
	tcase_add_test(tc, rom_has_its_own_enable);
	tcase_add_test(tc, reset_restores_presets);
	tcase_add_test(tc, intx_swizzle);
	tcase_add_test(tc, pirq_is_a_wired_or);
	tcase_add_test(tc, cf9_is_another_register);
	tcase_add_test(tc, state_comes_back);
	tcase_add_test(tc, full_port_space_is_refused);
	suite_add_tcase(suite, tc);
	return suite;
}
