/* The user-mode network of libslirp: the guest sees a router at 10.0.2.2 that offers
 * DHCP and, from a folder, TFTP; nothing needs rights on the host. Without `outbound`
 * no packet of the guest leaves this process. */
#ifndef V2E_DEVMODEL_NETWORK_USER_H
#define V2E_DEVMODEL_NETWORK_USER_H

#include <stdbool.h>
#include <stdint.h>

#include "devmodel/network.h"

#define NETWORK_FORWARDS 16u

/* Connections to a port of the host's loopback address go to one of the guest. */
struct network_forward {
	bool is_udp;
	uint16_t host_port, guest_port;
};

struct network_user_config {
	struct clock *clock;      /* must outlive the network */
	const char *tftp;         /* folder that TFTP shows, read-only; NULL: none */
	const char *bootfile;     /* what DHCP names to be booted; NULL: nothing */
	bool outbound;            /* the guest may reach whatever the host reaches */
	unsigned forwards;
	struct network_forward forward[NETWORK_FORWARDS];
};

/* Was v2e built with libslirp? */
bool network_user_built(void);
/* Returns NULL with *error (g_free): one line with the remedy. The strings are
 * copied. */
struct network *network_user_new(const struct network_user_config *config, char **error);

#endif
