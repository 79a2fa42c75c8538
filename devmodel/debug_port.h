/* Firmware's log port (402h for SeaBIOS, E9h for Bochs' BIOS): bytes written go to
 * a chardev, reads answer E9h, by which the firmware knows that the port is there.
 * It holds no state. */
#ifndef V2E_DEVMODEL_DEBUG_PORT_H
#define V2E_DEVMODEL_DEBUG_PORT_H

#include "devmodel/chardev.h"
#include "shared/bus.h"

struct debug_port;

/* `chardev` is not owned.
 * Returns NULL with errno set when the bus has no room. */
struct debug_port *debug_port_new(struct bus *bus, uint16_t port, struct chardev *chardev);
void debug_port_free(struct debug_port *debug_port); /* NULL is fine */

#endif
