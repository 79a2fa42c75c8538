/* The pair of 8259A interrupt controllers of the AT: master at 20h/21h, slave
 * at A0h/A1h on the master's IR2, with the edge/level control registers at
 * 4D0h/4D1h. Sources: Intel 8259A data sheet (order 231468), Intel 82371SB
 * (PIIX3) data sheet for ELCR. */
#ifndef V2E_DEVMODEL_I8259_H
#define V2E_DEVMODEL_I8259_H

#include "shared/bus.h"
#include "shared/irq.h"
#include "shared/snap.h"

struct i8259;

/* Claims its ports, and takes pins->intr, pins->acknowledge and pins->owner.
 * Both chips are silent until the guest has finished ICW1-ICW4. `pins` must
 * outlive the pair. Returns NULL with errno set when the bus has no room. */
struct i8259 *i8259_new(struct bus *bus, struct cpu_pins *pins);
/* Power-on: nothing initialized or latched, ELCR zero. Input levels stay, they
 * belong to the devices. */
void i8259_reset(struct i8259 *pic);
/* Save, load, dump. Loading drives pins->intr. */
void i8259_state(struct i8259 *pic, struct snap *snap);
void i8259_free(struct i8259 *pic); /* NULL is fine; the bus must not be used after */

/* Input `irq`, 0-15. Edge triggered: the rise requests, and the request lasts
 * only while the line stays high, so a device holds it until it is served.
 * Input 2 is taken by the slave; it and anything past 15 give an unconnected line. */
struct irq_line i8259_line(struct i8259 *pic, unsigned irq);

#endif
