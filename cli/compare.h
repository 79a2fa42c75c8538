/* `v2e run --compare A,B`: one image on two engines, in step. docs/compare.md. */
#ifndef V2E_CLI_COMPARE_H
#define V2E_CLI_COMPARE_H

#include "cli/run_options.h"

/* argc and argv as given to run_main(), `options` made of them. Returns the exit
 * status: RUN_DONE when the two were the same all the way; has said how it went. */
int compare_run(const struct run_options *options, int argc, char *const *argv);

#endif
