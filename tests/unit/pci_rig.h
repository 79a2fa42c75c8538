/* Configuration accesses as a guest makes them, for the tests of PCI chips. */
#ifndef V2E_TESTS_UNIT_PCI_RIG_H
#define V2E_TESTS_UNIT_PCI_RIG_H

#include <check.h>
#include <string.h>

#include "devmodel/pci.h"
#include "shared/bus.h"
#include "shared/irq.h"

static inline void pci_rig_address(struct bus *bus, uint8_t devfn, unsigned offset)
{
	bus_write(bus, 0xcf8, 4, 0x80000000u | (uint32_t)devfn << 8 | (offset & 0xfc));
}

static inline uint32_t pci_rig_read(struct bus *bus, uint8_t devfn, unsigned offset, unsigned size)
{
	pci_rig_address(bus, devfn, offset);
	return bus_read(bus, (uint16_t)(0xcfc + (offset & 3)), size);
}

static inline void pci_rig_write(struct bus *bus, uint8_t devfn, unsigned offset, unsigned size, uint32_t value)
{
	pci_rig_address(bus, devfn, offset);
	bus_write(bus, (uint16_t)(0xcfc + (offset & 3)), size, value);
}

/* A wire that remembers. */
struct pci_rig_wire {
	bool level;
	unsigned rises;
};

static inline void pci_rig_wire_set(void *owner, unsigned n, bool level)
{
	struct pci_rig_wire *wire = (struct pci_rig_wire *)owner + n;
	wire->rises += level && !wire->level;
	wire->level = level;
}

static inline struct irq_line pci_rig_wire_line(struct pci_rig_wire *wire, unsigned n)
{
	return (struct irq_line){ pci_rig_wire_set, wire, n };
}

#endif
