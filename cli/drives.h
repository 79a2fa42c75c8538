/* The media of a machine: which image goes where. */
#ifndef V2E_CLI_DRIVES_H
#define V2E_CLI_DRIVES_H

#include <stdbool.h>

#include "cli/payload.h"
#include "cli/run_options.h"
#include "cli/setup.h"
#include "devmodel/pc.h"

/* Looks at the images of `options`, opens them and the payload's drive, and fills in `config`: drive,
 * floppy, virtio_disk and, where --boot said nothing, boot. Disks take the IDE connectors from
 * the first on, CD-ROMs from the third on, both then what is left. Returns false
 * with *error (g_free), and nothing open. */
bool drives_open(const struct run_options *options, const struct payload *payload, struct pc_config *config, char **error);

/* The media of a saved machine, found by the names that it had for them. A file
 * that the guest would write to is not opened unless --snapshot protects it: a
 * state may come from anywhere, so who restores it has to name such a file. */
bool drives_reopen(const struct run_options *options, const struct setup *setup, struct pc_config *config, char **error);

/* Frees what drives_open() opened, for a config that no board has taken over. */
void drives_close(struct pc_config *config);

#endif
