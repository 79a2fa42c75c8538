/* What the files of run_options.c share. */
#ifndef V2E_CLI_RUN_OPTIONS_INTERNAL_H
#define V2E_CLI_RUN_OPTIONS_INTERNAL_H

#include "cli/run_options.h"

/* Refuses what contradicts. Returns false with *error (g_free). */
bool run_options_check(const struct run_options *options, char **error);

#endif
