/* Intel 82371SB (PIIX3): the ISA bridge 00:01.0 with PIRQ routing and the reset
 * control register CF9h, and the IDE function 00:01.1, which decodes the two ATA
 * channels (IDETIM) and the bus master registers (BAR 4). Source: Intel 82371SB
 * data sheet (order 290550). */
#ifndef V2E_DEVMODEL_PIIX3_H
#define V2E_DEVMODEL_PIIX3_H

#include "devmodel/i8259.h"
#include "devmodel/ide.h"
#include "devmodel/pci.h"
#include "shared/irq.h"
#include "shared/snap.h"

struct piix3;
struct piix3_ide;

/* The ISA bridge: takes PIRQ#A-D of the bus and drives the inputs of `pic` that
 * PIRQRCA-D (60h-63h) name. CF9h: bit 2 rising resets, the board (pins->reset)
 * with bit 1 set, else the CPU (pins->init). Returns NULL with errno set. */
struct piix3 *piix3_new(struct pci_bus *bus, struct i8259 *pic, struct cpu_pins *pins);
/* After pci_bus_reset(). Input levels stay. */
void piix3_reset(struct piix3 *isa);
/* Before the devices that drive its lines. */
void piix3_state(struct piix3 *isa, struct snap *snap);
void piix3_free(struct piix3 *isa); /* NULL is fine; before pci_bus_free() */

/* ISA interrupt `irq`, 0-15, as a device on the board drives it; shares the
 * input of the interrupt controller with PIRQs that are routed there. */
struct irq_line piix3_isa_line(struct piix3 *isa, unsigned irq);

/* The IDE function of the same chip: enables the channels of `ide` (IDETIM bit 15
 * and the command register's bit 0) and places its bus master. State and reset go
 * with the bus. */
struct piix3_ide *piix3_ide_new(struct pci_bus *bus, struct ide *ide);
void piix3_ide_free(struct piix3_ide *function); /* NULL is fine; before pci_bus_free() */

#endif
