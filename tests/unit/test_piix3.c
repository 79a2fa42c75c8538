#include "tests/unit/pci_rig.h"

#include "devmodel/blk.h"
#include "devmodel/i8259.h"
#include "devmodel/ide.h"
#include "devmodel/piix3.h"
#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/snap.h"

#define ISA PCI_DEVFN(1, 0)
#define IDE PCI_DEVFN(1, 1)

static struct bus *bus;
static struct clock *clock;
static struct mem *mem;
static struct cpu_pins pins;
static struct i8259 *pic;
static struct pci_bus *pci;
static struct piix3 *isa;
static struct ide *ide;
static struct piix3_ide *pci_ide;
static struct pci_function *card;

static void start_pic(uint16_t port, uint8_t base, uint8_t cascade)
{
	bus_write(bus, port, 1, 0x11);
	bus_write(bus, port + 1, 1, base);
	bus_write(bus, port + 1, 1, cascade);
	bus_write(bus, port + 1, 1, 0x01);
	bus_write(bus, port + 1, 1, 0xff);
}

static void setup(void)
{
	static const struct pci_identity identity = {
		.name = "card", .devfn = PCI_DEVFN(3, 0), .vendor_id = 0x1234, .interrupt_pin = 1,
	};
	static const struct pci_function_ops ops;
	memset(&pins, 0, sizeof pins);
	bus = bus_new();
	clock = clock_new(CLOCK_KIND_VIRTUAL);
	mem = mem_new();
	pic = i8259_new(bus, &pins);
	pci = pci_bus_new(bus);
	isa = piix3_new(pci, pic, &pins);
	ide = ide_new(bus, mem, piix3_isa_line(isa, 14), piix3_isa_line(isa, 15), clock);
	ide_attach_disk(ide, 0, 0, blk_memory_new(1 << 20, false));
	ide_attach_disk(ide, 1, 0, blk_memory_new(1 << 20, false));
	pci_ide = piix3_ide_new(pci, ide);
	card = pci_function_new(pci, &identity, &ops, NULL);
	start_pic(0x20, 0x08, 0x04);
	start_pic(0xa0, 0x70, 0x02);
	/* PCI interrupts are levels */
	bus_write(bus, 0x4d0, 1, 0xf8);
	bus_write(bus, 0x4d1, 1, 0xde);
	pins.reset = false;
}

static void teardown(void)
{
	piix3_ide_free(pci_ide);
	ide_free(ide);
	piix3_free(isa);
	pci_bus_free(pci);
	i8259_free(pic);
	mem_free(mem);
	clock_free(clock);
	bus_free(bus);
}

/* Requests at both controllers, without the cascade. */
static unsigned irr(void)
{
	bus_write(bus, 0x20, 1, 0x0a);
	bus_write(bus, 0xa0, 1, 0x0a);
	return (bus_read(bus, 0x20, 1) & ~4u) | bus_read(bus, 0xa0, 1) << 8;
}

START_TEST(identities)
{
	ck_assert_uint_eq(pci_rig_read(bus, ISA, 0, 4), 0x70008086);
	ck_assert_uint_eq(pci_rig_read(bus, ISA, 0x0a, 2), 0x0601);
	ck_assert_uint_eq(pci_rig_read(bus, ISA, 0x0e, 1), 0x80);
	ck_assert_uint_eq(pci_rig_read(bus, ISA, 0x60, 4), 0x80808080);
	ck_assert_uint_eq(pci_rig_read(bus, IDE, 0, 4), 0x70108086);
	ck_assert_uint_eq(pci_rig_read(bus, IDE, 0x08, 4), 0x01018000);
}
END_TEST

START_TEST(pirq_goes_where_it_is_routed)
{
	unsigned irq = (unsigned)_i;
	bool allowed = irq != 0 && irq != 1 && irq != 2 && irq != 8 && irq != 13;
	struct irq_line intx = pci_intx(card); /* INTA of device 3: PIRQC */
	pci_rig_write(bus, ISA, 0x62, 1, irq);
	irq_set(&intx, true);
	ck_assert_uint_eq(irr(), allowed ? 1u << irq : 0);
	irq_set(&intx, false);
	ck_assert_uint_eq(irr(), 0);
}
END_TEST

START_TEST(rerouting_moves_the_level)
{
	struct irq_line intx = pci_intx(card);
	irq_set(&intx, true);
	ck_assert_uint_eq(irr(), 0);
	pci_rig_write(bus, ISA, 0x62, 1, 10);
	ck_assert_uint_eq(irr(), 1u << 10);
	pci_rig_write(bus, ISA, 0x62, 1, 11);
	ck_assert_uint_eq(irr(), 1u << 11);
	pci_rig_write(bus, ISA, 0x62, 1, 0x8b);
	ck_assert_uint_eq(irr(), 0);
	pci_rig_write(bus, ISA, 0x61, 1, 11);
	ck_assert_uint_eq(irr(), 0);
}
END_TEST

START_TEST(isa_shares_a_routed_input)
{
	struct irq_line intx = pci_intx(card), line = piix3_isa_line(isa, 11);
	pci_rig_write(bus, ISA, 0x62, 1, 11);
	irq_set(&intx, true);
	irq_set(&line, true);
	irq_set(&intx, false);
	ck_assert_uint_eq(irr(), 1u << 11);
	irq_set(&line, false);
	ck_assert_uint_eq(irr(), 0);
}
END_TEST

START_TEST(isa_lines)
{
	for (unsigned irq = 3; irq < 8; irq++) {
		struct irq_line line = piix3_isa_line(isa, irq);
		irq_set(&line, true);
		ck_assert_uint_eq(irr(), 1u << irq);
		irq_set(&line, false);
	}
}
END_TEST

START_TEST(reset_control)
{
	ck_assert_uint_eq(bus_read(bus, 0xcf9, 1), 0);
	bus_write(bus, 0xcf9, 1, 0x02);
	ck_assert(!pins.reset && !pins.init);
	atomic_store(&pins.attention, false);
	bus_write(bus, 0xcf9, 1, 0x06);
	ck_assert(pins.reset && !pins.init);
	ck_assert(atomic_load(&pins.attention));
	ck_assert_uint_eq(bus_read(bus, 0xcf9, 1), 0x06);
	/* no new edge */
	pins.reset = false;
	bus_write(bus, 0xcf9, 1, 0x06);
	ck_assert(!pins.reset);
	piix3_reset(isa);
	ck_assert_uint_eq(bus_read(bus, 0xcf9, 1), 0);
	bus_write(bus, 0xcf9, 1, 0x04);
	ck_assert(!pins.reset && pins.init);
}
END_TEST

static bool channel_answers(uint16_t port)
{
	bus_write(bus, port + 2, 1, 0x55);
	bus_write(bus, port + 3, 1, 0xaa);
	return bus_read(bus, port + 2, 1) == 0x55 && bus_read(bus, port + 3, 1) == 0xaa;
}

START_TEST(idetim_enables_the_channels)
{
	ck_assert(!channel_answers(0x1f0));
	ck_assert(!channel_answers(0x170));
	pci_rig_write(bus, IDE, 0x40, 2, 0x8000);
	ck_assert(!channel_answers(0x1f0));
	pci_rig_write(bus, IDE, 0x04, 2, PCI_COMMAND_IO);
	ck_assert(channel_answers(0x1f0));
	ck_assert(!channel_answers(0x170));
	pci_rig_write(bus, IDE, 0x42, 2, 0x8000);
	ck_assert(channel_answers(0x170));
	pci_rig_write(bus, IDE, 0x40, 2, 0);
	ck_assert(!channel_answers(0x1f0));
	pci_bus_reset(pci);
	ck_assert(!channel_answers(0x170));
}
END_TEST

START_TEST(bus_master_follows_bar4)
{
	pci_rig_write(bus, IDE, 0x20, 4, 0xffffffff);
	ck_assert_uint_eq(pci_rig_read(bus, IDE, 0x20, 4), 0xfffffff1);
	pci_rig_write(bus, IDE, 0x20, 4, 0xc000);
	ck_assert_uint_eq(bus_read(bus, 0xc004, 4), 0xffffffff);
	pci_rig_write(bus, IDE, 0x04, 2, PCI_COMMAND_IO);
	bus_write(bus, 0xc004, 4, 0x12345678);
	ck_assert_uint_eq(bus_read(bus, 0xc004, 4), 0x12345678);
	pci_rig_write(bus, IDE, 0x20, 4, 0xd000);
	ck_assert_uint_eq(bus_read(bus, 0xc004, 4), 0xffffffff);
	ck_assert_uint_eq(bus_read(bus, 0xd004, 4), 0x12345678);
	pci_rig_write(bus, IDE, 0x04, 2, 0);
	ck_assert_uint_eq(bus_read(bus, 0xd004, 4), 0xffffffff);
}
END_TEST

START_TEST(state_comes_back)
{
	struct irq_line intx = pci_intx(card), line = piix3_isa_line(isa, 5);
	pci_rig_write(bus, ISA, 0x62, 1, 10);
	bus_write(bus, 0xcf9, 1, 0x02);
	irq_set(&intx, true);
	irq_set(&line, true);
	struct snap *save = snap_new_save();
	pci_bus_state(pci, save);
	piix3_state(isa, save);
	irq_set(&intx, false);
	irq_set(&line, false);
	pci_bus_reset(pci);
	piix3_reset(isa);
	ck_assert_uint_eq(irr(), 0);
	size_t size;
	const void *data = snap_data(save, &size);
	struct snap *load = snap_new_load(data, size);
	pci_bus_state(pci, load);
	piix3_state(isa, load);
	ck_assert_ptr_null(snap_error(load));
	ck_assert_uint_eq(irr(), 1u << 10 | 1u << 5);
	ck_assert_uint_eq(bus_read(bus, 0xcf9, 1), 0x02);
	snap_free(load);
	snap_free(save);
}
END_TEST

Suite *suite_piix3(void)
{
	Suite *suite = suite_create("piix3");
	TCase *tc = tcase_create("piix3");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, identities);
	tcase_add_loop_test(tc, pirq_goes_where_it_is_routed, 0, 16);
	tcase_add_test(tc, rerouting_moves_the_level);
	tcase_add_test(tc, isa_shares_a_routed_input);
	tcase_add_test(tc, isa_lines);
	tcase_add_test(tc, reset_control);
	tcase_add_test(tc, idetim_enables_the_channels);
	tcase_add_test(tc, bus_master_follows_bar4);
	tcase_add_test(tc, state_comes_back);
	suite_add_tcase(suite, tc);
	return suite;
}
