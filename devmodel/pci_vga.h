/* The PCI side of the VGA: 00:02.0, 1234:1111, as QEMU's stdvga. BAR 0 is the
 * linear framebuffer, BAR 2 the register block, and the expansion ROM holds the
 * VGA BIOS. The legacy ports and A0000-BFFFF answer whatever the command register
 * says. State and reset go with the bus. */
#ifndef V2E_DEVMODEL_PCI_VGA_H
#define V2E_DEVMODEL_PCI_VGA_H

#include <stddef.h>

#include "devmodel/pci.h"
#include "devmodel/vga.h"
#include "shared/mem.h"

#define PCI_VGA_ROM_MAX (256u << 10)

struct pci_vga;

/* Copies `rom`; size 0: no expansion ROM, at most PCI_VGA_ROM_MAX. Returns NULL
 * with errno set. */
struct pci_vga *pci_vga_new(struct pci_bus *bus, struct mem *mem, struct vga *vga, const void *rom, size_t size);
void pci_vga_free(struct pci_vga *function); /* NULL is fine; before pci_bus_free() */

#endif
