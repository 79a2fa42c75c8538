/* The network card of `v2e run`: its options, and the board's part of it. */
#ifndef V2E_CLI_NETWORK_H
#define V2E_CLI_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/options.h"
#include "devmodel/network_user.h"
#include "devmodel/pc.h"
#include "shared/snap.h"

struct network_options {
	bool card;             /* --net user */
	bool is_virtio;        /* --net-model virtio */
	bool more;             /* another --net option was given */
	char *tftp, *bootfile; /* NULL: none */
	char *rom;             /* NULL: the default, if it is installed; "": none */
	uint8_t mac[6];
	bool outbound;
	unsigned forwards;
	struct network_forward forward[NETWORK_FORWARDS];
};

void network_options_init(struct network_options *network);
void network_options_clear(struct network_options *network);
/* Refuses what contradicts; *error as in options_set. */
bool network_options_check(const struct network_options *network, char **error);

/* Setters for option rows; `target` is a struct run_options. */
bool network_set_kind(void *target, const char *value, char **error);
bool network_set_model(void *target, const char *value, char **error);
bool network_set_tftp(void *target, const char *value, char **error);
bool network_set_bootfile(void *target, const char *value, char **error);
bool network_set_rom(void *target, const char *value, char **error);
bool network_set_mac(void *target, const char *value, char **error);
bool network_set_outbound(void *target, const char *value, char **error);
bool network_add_forward(void *target, const char *value, char **error);

/* Builds the network and fills nic (of an e1000), mac, network and nic_rom of `config`; config->boot
 * is set already. *network is the caller's, to be freed after the board. The ROM is
 * to be given back with network_close_rom(); `rom` has the bytes of a saved machine's, NULL: it is
 * loaded. False with *error (g_free). */
bool network_open(const struct network_options *options, const struct snap_blob *rom, struct clock *clock, struct pc_config *config,
                  struct network **network, char **error);
void network_close_rom(struct pc_config *config);

#endif
