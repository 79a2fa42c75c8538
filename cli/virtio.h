/* The virtio devices of `v2e run`: their options. The network card's are in network.h. */
#ifndef V2E_CLI_VIRTIO_H
#define V2E_CLI_VIRTIO_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "cli/options.h"

struct run_options;
struct setup;

/* How the guest's notifications get here. */
enum virtio_notify { VIRTIO_NOTIFY_AUTO, VIRTIO_NOTIFY_BUS, VIRTIO_NOTIFY_IOEVENTFD };

struct virtio_options {
	GPtrArray *disks; /* file names */
	char *console;    /* a chardev's spec; NULL: none is fitted */
	bool rng, legacy;
	enum virtio_notify notify;
};

void virtio_options_init(struct virtio_options *virtio);
void virtio_options_clear(struct virtio_options *virtio);
/* Refuses what contradicts; *error as in options_set. */
bool virtio_options_check(const struct run_options *options, char **error);

/* Setters for option rows; `target` is a struct run_options. */
options_set virtio_add_disk, virtio_set_console, virtio_set_rng, virtio_set_legacy, virtio_set_notify;

/* Which devices are asked for: bits of pc_config.virtio. */
uint8_t virtio_slots(const struct run_options *options);
/* Does the saved machine have what `options` says of virtio? `named`: its media are
 * those of the options. False with *error (g_free). */
bool virtio_fits(const struct setup *setup, const struct run_options *options, bool named, char **error);

#endif
