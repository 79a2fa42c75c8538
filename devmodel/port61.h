/* System control port B of the AT, 61h:
 *   bit 0 GATE of timer counter 2       rw
 *   bit 1 speaker data                  rw
 *   bit 2 1: SERR#/parity check off     rw, also clears bit 7
 *   bit 3 1: IOCHK# off                 rw, also clears bit 6
 *   bit 4 toggles with each refresh     ro, every 18 timer clocks (15.085 us)
 *   bit 5 OUT of timer counter 2        ro
 *   bit 6 IOCHK# was seen               ro
 *   bit 7 SERR#/parity error was seen   ro
 * Source: Intel 82371SB (PIIX3) data sheet, NMISC register. */
#ifndef V2E_DEVMODEL_PORT61_H
#define V2E_DEVMODEL_PORT61_H

#include "devmodel/i8254.h"
#include "shared/bus.h"
#include "shared/clock.h"
#include "shared/irq.h"
#include "shared/snap.h"

struct port61;

enum port61_input { PORT61_IOCHK, PORT61_SERR };

/* Claims port 61h and drives GATE 2 of `pit` from then on; `pit` must outlive
 * it. Returns NULL with errno set when the bus has no room. */
struct port61 *port61_new(struct bus *bus, struct i8254 *pit, struct clock *clock);
/* The register is zero: gate 2 low, both NMI sources enabled, none seen. */
void port61_reset(struct port61 *port);
void port61_state(struct port61 *port, struct snap *snap);
void port61_free(struct port61 *port); /* NULL is fine */

/* Where bit 6 or 7 goes; high while one of them is set. The board puts the NMI
 * mask of port 70h behind it. Not connected until called. */
void port61_connect_nmi(struct port61 *port, struct irq_line nmi);
/* Input (high: error). Latched in its bit as long as it is not switched off. */
struct irq_line port61_line(struct port61 *port, enum port61_input input);

/* The level at the speaker: data AND OUT2. */
bool port61_speaker(struct port61 *port);

#endif
