/* Intel 82441FX (440FX PMC), the host bridge 00:00.0, and the DRAM behind it. It
 * shows RAM at 0-9FFFFh and from 1 MiB up, RAM or what lies below (ROM, nothing)
 * at C0000h-FFFFFh by PAM0-PAM6 (59h-5Fh), and RAM at A0000h-BFFFFh by SMRAM (72h).
 * DRAM timing and row registers are stored and do nothing. Source: Intel 82441FX
 * data sheet (order 290549). */
#ifndef V2E_DEVMODEL_I440FX_H
#define V2E_DEVMODEL_I440FX_H

#include <stdbool.h>

#include "devmodel/pci.h"
#include "shared/mem.h"

struct i440fx;

/* `ram` is one store, at least 1 MiB; its byte n is DRAM at address n. Takes
 * 16 regions of `mem`. State and reset go with the bus (pci_bus_reset,
 * pci_bus_state), except that SMM is the CPU's: i440fx_set_smm().
 * Returns NULL with errno set. */
struct i440fx *i440fx_new(struct pci_bus *bus, struct mem *mem, struct mem_store *ram);
void i440fx_free(struct i440fx *host); /* NULL is fine; before pci_bus_free() */

/* SMIACT#: the CPU is in SMM. With SMRAM.D_CLS set SMM still sees SMRAM for data,
 * as the map does not tell data from code. */
void i440fx_set_smm(struct i440fx *host, bool smm);

#endif
