/* v2e trace: run with a trace on standard output. */
#ifndef V2E_CLI_TRACE_H
#define V2E_CLI_TRACE_H

/* argv[0] .. argv[argc - 1]: what stands behind `trace`. Returns the exit status. */
int trace_main(int argc, char *const *argv);

#endif
