/* A port by which a test guest ends the run: the byte v gives exit status
 * (v << 1) | 1. Reads answer 0. The first write counts. */
#ifndef V2E_DEVMODEL_EXIT_PORT_H
#define V2E_DEVMODEL_EXIT_PORT_H

#include <stdbool.h>

#include "shared/bus.h"
#include "shared/irq.h"

struct exit_port;

/* A write sets pins->stop.
 * Returns NULL with errno set when the bus has no room. */
struct exit_port *exit_port_new(struct bus *bus, uint16_t port, struct cpu_pins *pins);
void exit_port_free(struct exit_port *exit_port); /* NULL is fine */

/* Returns false when the guest has not asked for an exit. */
bool exit_port_status(const struct exit_port *exit_port, int *status);

#endif
