/* Port 80h, where firmware shows how far it has come. Reads give the last byte
 * back. Writes show in the trace of I/O. */
#ifndef V2E_DEVMODEL_POST_PORT_H
#define V2E_DEVMODEL_POST_PORT_H

#include "shared/bus.h"
#include "shared/snap.h"

struct post_port;

/* Claims 80h, which hides the page register that an 8237's board has there: to be
 * called after i8237_new(). Returns NULL with errno set when the bus has no room. */
struct post_port *post_port_new(struct bus *bus);
void post_port_reset(struct post_port *post);
void post_port_state(struct post_port *post, struct snap *snap);
void post_port_free(struct post_port *post); /* NULL is fine */

uint8_t post_port_value(const struct post_port *post);

#endif
