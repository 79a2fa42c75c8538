#include "devmodel/piix3.h"

#include <glib.h>

enum {
	IORT = 0x4c, XBCS = 0x4e, PIRQRC = 0x60, TOM = 0x69, MSTAT = 0x6a, MBIRQ = 0x70, MBDMA = 0x76,
	PCSC = 0x78, APICBASE = 0x80, DLC = 0x82, SMICNTL = 0xa0, SMIEN = 0xa2, SEE = 0xa4, FTMR = 0xa8,
	SMIREQ = 0xaa, CTLTMR = 0xac, CTHTMR = 0xae,
};

#define PIRQRC_OFF 0x80u
#define PIRQRC_IRQ 0x0fu
/* IRQ 0-2, 8 and 13 are reserved. */
#define ROUTABLE_IRQS 0xdef8u

#define RCR_SRST 0x02u /* hard reset */
#define RCR_RCPU 0x04u /* rising: do it */

#define ISA_IRQS 16u

struct piix3 {
	struct pci_bus *bus;
	struct pci_function *function;
	struct cpu_pins *pins;
	struct irq_line pic[ISA_IRQS];
	uint16_t isa_level;        /* what the ISA devices drive, bit n: IRQ n */
	uint16_t pic_level;        /* what `pic` sees */
	uint8_t pirq_level;        /* bit n: PIRQ#n is asserted */
	uint8_t rcr;
};

/* The ISA interrupts that PCI raises now. */
static uint16_t routed_level(const struct piix3 *isa)
{
	uint16_t level = 0;
	for (unsigned n = 0; n < PCI_PIRQS; n++) {
		uint8_t route = pci_get8(isa->function, PIRQRC + n);
		if (!(route & PIRQRC_OFF) && isa->pirq_level >> n & 1)
			level |= (uint16_t)(1u << (route & PIRQRC_IRQ));
	}
	return level & ROUTABLE_IRQS;
}

static void drive_pic(struct piix3 *isa)
{
	uint16_t level = isa->isa_level | routed_level(isa);
	uint16_t changed = level ^ isa->pic_level;
	isa->pic_level = level;
	for (unsigned n = 0; n < ISA_IRQS; n++)
		if (changed >> n & 1)
			irq_set(&isa->pic[n], level >> n & 1);
}

static void set_isa(void *owner, unsigned n, bool level)
{
	struct piix3 *isa = owner;
	isa->isa_level = (uint16_t)((isa->isa_level & ~(1u << n)) | (unsigned)level << n);
	drive_pic(isa);
}

struct irq_line piix3_isa_line(struct piix3 *isa, unsigned irq)
{
	return (struct irq_line){ set_isa, isa, irq };
}

static void set_pirq(void *owner, unsigned n, bool level)
{
	struct piix3 *isa = owner;
	isa->pirq_level = (uint8_t)((isa->pirq_level & ~(1u << n)) | (unsigned)level << n);
	drive_pic(isa);
}

static void config_changed(void *owner, unsigned offset, unsigned size)
{
	(void)offset;
	(void)size;
	drive_pic(owner);
}

static uint32_t read_rcr(void *owner, uint16_t port, unsigned size)
{
	(void)port;
	(void)size;
	return ((struct piix3 *)owner)->rcr;
}

static void write_rcr(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	(void)port;
	(void)size;
	struct piix3 *isa = owner;
	bool rises = value & RCR_RCPU && !(isa->rcr & RCR_RCPU);
	isa->rcr = value & (RCR_SRST | RCR_RCPU);
	if (!rises)
		return;
	if (value & RCR_SRST)
		isa->pins->reset = true;
	else
		isa->pins->init = true;
	cpu_pins_attend(isa->pins);
}

static const struct bus_ops rcr_ops = { .name = "piix3", .max_size = 1, .read = read_rcr, .write = write_rcr };

/* Data sheet, table 3: what each register holds after reset. Most are stored for
 * software that reads back what it wrote. */
static void declare_registers(struct pci_function *function)
{
	pci_preset16(function, PCI_COMMAND, 0x0007);
	pci_preset16(function, PCI_STATUS, 0x0200);
	pci_writable16(function, PCI_COMMAND, 0x0008); /* special cycles; the rest is hardwired */
	pci_preset8(function, IORT, 0x4d);
	pci_writable8(function, IORT, 0x7f);
	pci_preset16(function, XBCS, 0x0003);
	pci_writable16(function, XBCS, 0x0fff);
	for (unsigned n = 0; n < PCI_PIRQS; n++) {
		pci_preset8(function, PIRQRC + n, PIRQRC_OFF);
		pci_writable8(function, PIRQRC + n, PIRQRC_OFF | PIRQRC_IRQ);
	}
	pci_preset8(function, TOM, 0x02);
	pci_writable8(function, TOM, 0xfe);
	pci_writable16(function, MSTAT, 0x80ff);
	pci_preset8(function, MBIRQ, 0x80);
	pci_writable8(function, MBIRQ, 0xef);
	pci_preset16(function, MBDMA, 0x0c0c);
	pci_writable16(function, MBDMA, 0x8f8f);
	pci_preset16(function, PCSC, 0x0002);
	pci_writable16(function, PCSC, 0xfffe);
	pci_writable8(function, APICBASE, 0x7f);
	pci_writable8(function, DLC, 0x0f);
	pci_preset8(function, SMICNTL, 0x08);
	pci_writable8(function, SMICNTL, 0x1f);
	pci_writable16(function, SMIEN, 0x01ff);
	pci_writable32(function, SEE, 0xffffffff);
	pci_preset8(function, FTMR, 0x0f);
	pci_writable8(function, FTMR, 0xff);
	pci_writable16(function, SMIREQ, 0x01ff);
	pci_writable8(function, CTLTMR, 0xff);
	pci_writable8(function, CTHTMR, 0xff);
}

struct piix3 *piix3_new(struct pci_bus *bus, struct i8259 *pic, struct cpu_pins *pins)
{
	static const struct pci_identity identity = {
		.name = "piix3", .devfn = PCI_DEVFN(1, 0), .vendor_id = 0x8086, .device_id = 0x7000,
		.class_code = 0x060100, .subsystem_vendor_id = 0x1af4, .subsystem_id = 0x1100,
		.multifunction = true,
	};
	static const struct pci_function_ops ops = { .config_changed = config_changed };
	struct piix3 *isa = g_new0(struct piix3, 1);
	isa->bus = bus;
	isa->pins = pins;
	for (unsigned n = 0; n < ISA_IRQS; n++)
		isa->pic[n] = i8259_line(pic, n);
	isa->function = pci_function_new(bus, &identity, &ops, isa);
	declare_registers(isa->function);
	for (unsigned n = 0; n < PCI_PIRQS; n++)
		pci_bus_connect_pirq(bus, n, (struct irq_line){ set_pirq, isa, n });
	pci_bus_connect_cf9(bus, &rcr_ops, isa);
	return isa;
}

void piix3_reset(struct piix3 *isa)
{
	isa->rcr = 0;
}

void piix3_state(struct piix3 *isa, struct snap *snap)
{
	snap_section(snap, "piix3-isa", 1);
	snap_u8(snap, "rcr", &isa->rcr);
	isa->rcr &= RCR_SRST | RCR_RCPU;
	snap_u16(snap, "isa_level", &isa->isa_level);
	if (snap_is_loading(snap))
		drive_pic(isa);
}

void piix3_free(struct piix3 *isa)
{
	if (!isa)
		return;
	for (unsigned n = 0; n < PCI_PIRQS; n++)
		pci_bus_connect_pirq(isa->bus, n, (struct irq_line){ 0 });
	g_free(isa);
}
