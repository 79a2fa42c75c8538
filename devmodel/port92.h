/* System control port A at 92h: bit 1 gates A20, a 0 -> 1 step of bit 0 resets
 * the CPU alone. Other bits read as 0. Source: IBM PS/2 Hardware Interface
 * Technical Reference, "System Control Port A"; Intel ICH data sheet, PORT92. */
#ifndef V2E_DEVMODEL_PORT92_H
#define V2E_DEVMODEL_PORT92_H

#include "shared/bus.h"
#include "shared/irq.h"
#include "shared/snap.h"

struct port92;

/* `pins` gets `init`; `a20` follows bit 1, low after reset.
 * Returns NULL with errno set when the bus has no room. */
struct port92 *port92_new(struct bus *bus, struct cpu_pins *pins, struct irq_line a20);
void port92_free(struct port92 *port92); /* NULL is fine */
void port92_reset(struct port92 *port92);
void port92_state(struct port92 *port92, struct snap *snap);

#endif
