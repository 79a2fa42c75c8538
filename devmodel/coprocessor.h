/* The AT's coupling of the x87: FERR# sets IRQ 13, a write to F0h or F1h clears it.
 * Source: Intel 82371SB data sheet, "Coprocessor Error"; IBM PC AT Technical
 * Reference, "Coprocessor". */
#ifndef V2E_DEVMODEL_COPROCESSOR_H
#define V2E_DEVMODEL_COPROCESSOR_H

#include "shared/bus.h"
#include "shared/irq.h"
#include "shared/snap.h"

struct coprocessor;

/* Claims F0h and F1h and takes pins->ferr. Returns NULL with errno set when the
 * bus has no room. */
struct coprocessor *coprocessor_new(struct bus *bus, struct cpu_pins *pins, struct irq_line irq13);
void coprocessor_reset(struct coprocessor *coprocessor);
void coprocessor_state(struct coprocessor *coprocessor, struct snap *snap);
void coprocessor_free(struct coprocessor *coprocessor); /* NULL is fine */

#endif
