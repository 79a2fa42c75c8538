/* Bash's completion for v2e, out of the tables of options. */
#ifndef V2E_CLI_COMPLETION_H
#define V2E_CLI_COMPLETION_H

#include "cli/options.h"

struct completion_command {
	const char *name; /* NULL: v2e itself */
	const struct option_table *table;
};

/* The script, for a folder such as /usr/share/bash-completion/completions. */
void completion_print(const struct completion_command *commands, unsigned count, FILE *out);

#endif
