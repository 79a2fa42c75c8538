/* UART of the 16550A kind: FIFOs of 16 bytes, eight ports. Source: National
 * Semiconductor PC16550D data sheet.
 *
 * A character takes its time at the programmed rate (1.8432 MHz crystal). What the
 * guest sends reaches the chardev when it is written, even if the guest did not
 * wait for the transmitter, and in 8 bits whatever the word length; that counts
 * for the loop and the time. The far end has DSR, CTS and DCD asserted. OUT2 gates
 * the interrupt, as PC serial boards wire it. */
#ifndef V2E_DEVMODEL_NS16550_H
#define V2E_DEVMODEL_NS16550_H

#include "devmodel/chardev.h"
#include "shared/bus.h"
#include "shared/clock.h"
#include "shared/irq.h"
#include "shared/snap.h"

struct ns16550;

/* Claims port..port+7; becomes the receiver of `chardev`, which is not owned.
 * Returns NULL with errno set when the bus has no room. */
struct ns16550 *ns16550_new(struct bus *bus, uint16_t port, struct irq_line irq, struct clock *clock,
                            struct chardev *chardev);
void ns16550_free(struct ns16550 *uart); /* NULL is fine */
void ns16550_reset(struct ns16550 *uart);
void ns16550_state(struct ns16550 *uart, struct snap *snap);

#endif
