/* The media of a machine: which image goes where. */
#ifndef V2E_CLI_DRIVES_H
#define V2E_CLI_DRIVES_H

#include <stdbool.h>

#include "cli/run_options.h"
#include "devmodel/pc.h"

/* Looks at all images of `options`, opens them and fills in `config`: drive,
 * floppy and, where --boot said nothing, boot. Disks take the IDE connectors from
 * the first on, CD-ROMs from the third on, both then what is left. Returns false
 * with *error (g_free), and nothing open. */
bool drives_open(const struct run_options *options, struct pc_config *config, char **error);

/* Frees what drives_open() opened, for a config that no board has taken over. */
void drives_close(struct pc_config *config);

#endif
