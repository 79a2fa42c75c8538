/* v2e report: a page of HTML from a recording. */
#ifndef V2E_CLI_REPORT_H
#define V2E_CLI_REPORT_H

#include "cli/options.h"

extern const struct option_table report_options_table;

/* argv[0] .. argv[argc - 1]: what stands behind `report`. Returns the exit status. */
int report_main(int argc, char *const *argv);

#endif
