/* The emulator and the channel to it, as --channel says. */
#ifndef V2E_CLI_EMULATOR_H
#define V2E_CLI_EMULATOR_H

#include "cli/engines.h"
#include "cli/run_options.h"
#include "devmodel/pc.h"
#include "shared/channel.h"
#include "shared/channel_process.h"

/* Builds the emulator on the board's wires. *engine is the caller's to free, after
 * the channel; NULL when the channel owns its engine. `pc` must outlive the
 * channel. Returns NULL with *error (g_free): one line. */
struct channel *emulator_open(const struct run_options *options, const struct engines *engines, struct pc *pc, struct engine **engine, char **error);

/* The same on any wires. */
struct channel *emulator_open_parts(const struct run_options *options, const struct engines *engines, const struct channel_process_parts *parts, struct engine **engine, char **error);

#endif
