/* Saving a whole machine to a file, and going on from there. */
#ifndef V2E_CLI_STATE_H
#define V2E_CLI_STATE_H

#include "cli/machine.h"

/* The guest must be between two instructions, the context page complete. Returns
 * false with *error (g_free), one line: then an older file is as it was. */
bool state_save(struct machine *machine, const char *path, char **error);

/* A machine as options->restore has it, on the engine, clock and host's ends of
 * `options`. Returns NULL with *error, one line that names the file. */
struct machine *state_restore(const struct run_options *options, char **error);

#endif
