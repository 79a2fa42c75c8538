/* The 8254 programmable interval timer: three counters of 16 bits at
 * 1,193,182 Hz. Counts and OUT follow from the guest clock, so they are exact at
 * each read; only counter 0 has a timer, for its line. Source: Intel 8254 data
 * sheet (order 231164). */
#ifndef V2E_DEVMODEL_I8254_H
#define V2E_DEVMODEL_I8254_H

#include "shared/bus.h"
#include "shared/clock.h"
#include "shared/irq.h"
#include "shared/snap.h"

#define I8254_HZ 1193182u
#define I8254_CHANNELS 3u

struct i8254;

/* Claims port..port+3. `out0` follows OUT of counter 0. GATE of 0 and 1 is tied
 * high, GATE of 2 is low until i8254_set_gate(). Returns NULL with errno set
 * when the bus has no room. */
struct i8254 *i8254_new(struct bus *bus, uint16_t port, struct irq_line out0, struct clock *clock);
/* All counters in mode 0 without a count, OUT low. GATE inputs stay. */
void i8254_reset(struct i8254 *pit);
/* Save, load, dump. Loading drives out0. */
void i8254_state(struct i8254 *pit, struct snap *snap);
void i8254_free(struct i8254 *pit); /* NULL is fine; before clock_free() */

/* channel: 0-2. */
void i8254_set_gate(struct i8254 *pit, unsigned channel, bool level);
bool i8254_gate(const struct i8254 *pit, unsigned channel);
/* OUT now. */
bool i8254_out(struct i8254 *pit, unsigned channel);

#endif
