/* The gate of address line 20. It is open while any of its inputs is high: port
 * 92h and the output port of the keyboard controller, as the chip set ORs them. */
#ifndef V2E_DEVMODEL_A20_H
#define V2E_DEVMODEL_A20_H

#include "shared/irq.h"
#include "shared/mem.h"
#include "shared/snap.h"

#define A20_INPUTS 2u

enum a20_input { A20_KEYBOARD, A20_PORT92 };

struct a20;

/* All inputs are low at first, but `mem` is left as it is until one is driven. */
struct a20 *a20_new(struct mem *mem);
void a20_free(struct a20 *gate); /* NULL is fine */
void a20_state(struct a20 *gate, struct snap *snap);

/* The wire into an input. */
struct irq_line a20_line(struct a20 *gate, enum a20_input input);

#endif
