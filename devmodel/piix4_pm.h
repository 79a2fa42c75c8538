/* The power management function of the Intel 82371AB (PIIX4), 00:01.3: ACPI
 * registers at PMBASE (40h, on with PMREGMISC 80h bit 0), SMBus host at 90h (on
 * with D2h bit 0), APMC and APMS at B2h/B3h, and a general-purpose event block at
 * AFE0h, where this board's ACPI tables look for it. Registers of idle and trap
 * monitors are stored and do nothing; a suspend other than soft off wakes at
 * once. Source: Intel 82371AB data sheet (order 290562), ACPI specification
 * 1.0b, 4.7.
 *
 * DEVACTB (58h) holds APMC_EN after reset, by which the firmware knows that SMM
 * is not for it to set up. As long as no guest software enables SMI# (GLBCTL
 * bit 0), writing F1h or F0h to APMC sets or clears SCI_EN, as an SMI handler
 * would do; after that APMC raises pins->smi. */
#ifndef V2E_DEVMODEL_PIIX4_PM_H
#define V2E_DEVMODEL_PIIX4_PM_H

#include <stdbool.h>

#include "devmodel/pci.h"
#include "shared/bus.h"
#include "shared/clock.h"
#include "shared/irq.h"
#include "shared/snap.h"

#define PIIX4_PM_HZ 3579545u

struct piix4_pm;

struct piix4_pm_config {
	struct pci_bus *pci;
	struct bus *ports;
	struct clock *clock;
	struct cpu_pins *pins;
	/* Level: ACPI events with SCI_EN, and the SMBus host where SMBHSTCFG
	 * selects IRQ 9. */
	struct irq_line sci;
	/* The guest asked for soft off (SUS_EN with SUS_TYP 0); comes out of its
	 * port write. */
	void (*power_off)(void *owner);
	void *owner;
};

/* Copies *config. Returns NULL with errno set when the port space has no room. */
struct piix4_pm *piix4_pm_new(const struct piix4_pm_config *config);
/* After pci_bus_reset(). The PM timer counts on. */
void piix4_pm_reset(struct piix4_pm *pm);
/* After pci_bus_state(). */
void piix4_pm_state(struct piix4_pm *pm, struct snap *snap);
void piix4_pm_free(struct piix4_pm *pm); /* NULL is fine; before pci_bus_free() */

/* PWRBTN# was pressed: PWRBTN_STS, and an SCI where the guest enabled it. */
void piix4_pm_press_power_button(struct piix4_pm *pm);

#endif
