/* A PCI bus behind configuration mechanism 1: CONFIG_ADDRESS at CF8h (32-bit
 * accesses only), CONFIG_DATA at CFCh-CFFh. Only bus 0 has functions; the rest
 * reads as all ones. Source: PCI Local Bus Specification 2.1, 3.7.4 and 6. */
#ifndef V2E_DEVMODEL_PCI_H
#define V2E_DEVMODEL_PCI_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/bus.h"
#include "shared/irq.h"
#include "shared/snap.h"

#define PCI_CONFIG_SIZE 256u
#define PCI_BARS        7u /* 0-5, and the expansion ROM as PCI_ROM */
#define PCI_ROM         6u
#define PCI_PIRQS       4u

/* Registers of the type 0 header. */
enum pci_register {
	PCI_VENDOR_ID = 0x00, PCI_DEVICE_ID = 0x02, PCI_COMMAND = 0x04, PCI_STATUS = 0x06,
	PCI_REVISION_ID = 0x08, PCI_CLASS_CODE = 0x09, PCI_CACHE_LINE_SIZE = 0x0c,
	PCI_LATENCY_TIMER = 0x0d, PCI_HEADER_TYPE = 0x0e, PCI_BASE_ADDRESS = 0x10,
	PCI_SUBSYSTEM_VENDOR_ID = 0x2c, PCI_SUBSYSTEM_ID = 0x2e, PCI_ROM_ADDRESS = 0x30,
	PCI_INTERRUPT_LINE = 0x3c, PCI_INTERRUPT_PIN = 0x3d,
};

#define PCI_COMMAND_IO     0x0001u
#define PCI_COMMAND_MEMORY 0x0002u
#define PCI_COMMAND_MASTER 0x0004u

/* Device and function number as in CONFIG_ADDRESS bits 15-8. */
#define PCI_DEVFN(device, function) ((uint8_t)((device) << 3 | (function)))

struct pci_bus;
struct pci_function;

/* What does not change in a function's life. Subsystem ids are read-only. */
struct pci_identity {
	const char *name;     /* for messages and snapshots; static */
	uint8_t devfn;        /* PCI_DEVFN() */
	uint16_t vendor_id, device_id;
	uint8_t revision_id;
	uint32_t class_code;  /* base class, sub-class, programming interface: CCSSPPh */
	uint16_t subsystem_vendor_id, subsystem_id;
	uint8_t interrupt_pin; /* 0: none, 1-4: INTA#-INTD# */
	bool multifunction;
};

/* What a chip wants to hear; each may be NULL. */
struct pci_function_ops {
	/* Bytes offset..offset+size-1 of the configuration space were written by the
	 * guest (size 1-4, they may hold what they held), or all 256 by reset or load. */
	void (*config_changed)(void *owner, unsigned offset, unsigned size);
	/* A BAR now decodes at `address`; each map is followed by one unmap. */
	void (*map)(void *owner, unsigned bar, uint32_t address);
	void (*unmap)(void *owner, unsigned bar);
};

enum pci_bar_kind { PCI_BAR_NONE, PCI_BAR_IO, PCI_BAR_MEMORY, PCI_BAR_PREFETCHABLE, PCI_BAR_ROM };

/* Claims CF8h-CFFh. Returns NULL with errno set when the bus has no room. */
struct pci_bus *pci_bus_new(struct bus *ports);
/* Frees the functions as well, without calling them. NULL is fine. */
void pci_bus_free(struct pci_bus *bus);
/* PCIRST#: CONFIG_ADDRESS zero, each function as pci_preset*() left it, BARs
 * unmapped. INTx# levels stay, they belong to the devices. */
void pci_bus_reset(struct pci_bus *bus);
/* CONFIG_ADDRESS and the configuration space and INTx# of all functions, in order
 * of devfn. Loading keeps read-only bits, maps BARs, calls config_changed and drives
 * the PIRQs. */
void pci_bus_state(struct pci_bus *bus, struct snap *snap);

/* CF9h is no part of CONFIG_ADDRESS: byte accesses there go to `ops`, which must
 * live as long as the bus. */
void pci_bus_connect_cf9(struct pci_bus *bus, const struct bus_ops *ops, void *owner);
/* Where PIRQ#n (0-3: A-D) goes; high while any INTx# that feeds it is asserted. */
void pci_bus_connect_pirq(struct pci_bus *bus, unsigned n, struct irq_line line);
/* The board's wiring: INTx# of device d feeds PIRQ# (d - 1 + pin - 1) mod 4. */
unsigned pci_pirq_of(uint8_t devfn, unsigned pin);

/* Puts a function on the bus, which owns it. A devfn may be used once, `ops` must
 * live as long as the bus. Writable at first: the command register's bits 0-2,
 * cache line size, latency timer and, with a pin, interrupt line. */
struct pci_function *pci_function_new(struct pci_bus *bus, const struct pci_identity *identity,
                                      const struct pci_function_ops *ops, void *owner);
/* Declares BAR 0-5 or PCI_ROM (kind PCI_BAR_ROM). `size` is a power of two: 4
 * bytes to 256 for I/O, at least 4 KiB for memory (2 KiB by the specification;
 * pages are the map's unit). A BAR is not mapped at address 0, nor where it would
 * end at the very top of its space: that is what sizing leaves there. */
void pci_bar(struct pci_function *function, unsigned bar, enum pci_bar_kind kind, uint32_t size);

/* For the chip: what the register holds after reset, and now. offset + size <= 256. */
void pci_preset8(struct pci_function *function, unsigned offset, uint8_t value);
void pci_preset16(struct pci_function *function, unsigned offset, uint16_t value);
void pci_preset32(struct pci_function *function, unsigned offset, uint32_t value);
/* Which bits the guest may write; the others keep their preset. */
void pci_writable8(struct pci_function *function, unsigned offset, uint8_t mask);
void pci_writable16(struct pci_function *function, unsigned offset, uint16_t mask);
void pci_writable32(struct pci_function *function, unsigned offset, uint32_t mask);
/* Present contents. Set is for the chip itself: no masks, no callbacks. */
uint8_t pci_get8(const struct pci_function *function, unsigned offset);
uint16_t pci_get16(const struct pci_function *function, unsigned offset);
uint32_t pci_get32(const struct pci_function *function, unsigned offset);
void pci_set8(struct pci_function *function, unsigned offset, uint8_t value);

/* The function's INTx# (high: asserted). Not connected when it has no pin. */
struct irq_line pci_intx(struct pci_function *function);

#endif
