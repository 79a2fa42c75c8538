/* Parallel port in standard mode with a printer that is always on line. Source:
 * IBM PS/2 Hardware Interface Technical Reference, "Parallel Port".
 *
 * A byte goes to the chardev when STROBE is asserted; the printer is busy for
 * PARALLEL_BUSY_NS, pulses -ACK for PARALLEL_ACK_NS, and the end of -ACK raises
 * the interrupt if bit 4 of the control port allows it. Reading the status port
 * lowers it. */
#ifndef V2E_DEVMODEL_PARALLEL_H
#define V2E_DEVMODEL_PARALLEL_H

#include "devmodel/chardev.h"
#include "shared/bus.h"
#include "shared/clock.h"
#include "shared/irq.h"
#include "shared/snap.h"

#define PARALLEL_BUSY_NS 10000u
#define PARALLEL_ACK_NS  5000u

struct parallel;

/* Claims port..port+2: data, status, control. `chardev` is not owned.
 * Returns NULL with errno set when the bus has no room. */
struct parallel *parallel_new(struct bus *bus, uint16_t port, struct irq_line irq, struct clock *clock,
                              struct chardev *chardev);
void parallel_free(struct parallel *parallel); /* NULL is fine */
void parallel_reset(struct parallel *parallel);
void parallel_state(struct parallel *parallel, struct snap *snap);

#endif
