/* `v2e probe`: what KVM can do on this host. */
#ifndef V2E_CLI_PROBE_H
#define V2E_CLI_PROBE_H

#include "cli/options.h"

extern const struct option_table probe_options_table;

/* argv[0] is the first word behind `probe`. Returns the exit status: 0 where KVM is
 * usable, 1 where it is not, 2 for wrong options. */
int probe_main(int argc, char *const *argv);

#endif
