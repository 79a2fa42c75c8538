/* Where --trace goes: the log, a file of text or JSON lines, or a report. And the
 * names of addresses, which traces and disassembly show. */
#ifndef V2E_CLI_TRACE_OUTPUT_H
#define V2E_CLI_TRACE_OUTPUT_H

#include "cli/machine.h"
#include "cli/run_options.h"

struct trace_output;

/* Opens --trace-file and reads --symbols; before the machine is built. NULL with
 * *error (g_free): one line with the remedy. */
struct trace_output *trace_output_open(const struct run_options *options, char **error);
/* The first event, and times from the machine's clock. */
void trace_output_start(struct trace_output *output, const struct run_options *options, struct machine *machine);
/* The last event, with the run's exit status. */
void trace_output_stop(struct trace_output *output, struct machine *machine, int status);
/* Closes the file, or writes the report. False with *error (g_free). NULL is fine. */
bool trace_output_close(struct trace_output *output, char **error);

#endif
