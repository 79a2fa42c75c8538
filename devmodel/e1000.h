/* Intel 82540EM Gigabit Ethernet controller as a PCI card. Source: Intel "PCI/PCI-X
 * Family of Gigabit Ethernet Controllers Software Developer's Manual" (order 317453);
 * the PHY is a Marvell 88E1011. Frames move at once: interrupt delays (RDTR, TIDV, ITR)
 * are taken as zero. Wake-up, flash memory and manageability are not there. */
#ifndef V2E_DEVMODEL_E1000_H
#define V2E_DEVMODEL_E1000_H

#include <stddef.h>
#include <stdint.h>

#include "devmodel/network.h"
#include "devmodel/pci.h"
#include "shared/mem.h"

#define E1000_ROM_MAX (256u << 10)

struct e1000;

struct e1000_config {
	struct pci_bus *pci;
	struct bus *ports;
	struct mem *mem;
	uint8_t devfn;
	uint8_t mac[6];          /* bit 0 of mac[0] is clear */
	const void *rom;         /* option ROM, copied */
	size_t rom_size;         /* 0: none; at most E1000_ROM_MAX */
	struct network *network; /* not owned, must outlive the card; NULL: no cable */
};

/* Returns NULL with errno set. */
struct e1000 *e1000_new(const struct e1000_config *config);
/* After pci_bus_reset(). */
void e1000_reset(struct e1000 *card);
/* Frames on their way to the card are lost on loading. */
void e1000_state(struct e1000 *card, struct snap *snap);
void e1000_free(struct e1000 *card); /* NULL is fine; before pci_bus_free() */

#endif
