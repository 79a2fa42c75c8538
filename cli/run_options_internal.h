/* What the files of run_options.c share. */
#ifndef V2E_CLI_RUN_OPTIONS_INTERNAL_H
#define V2E_CLI_RUN_OPTIONS_INTERNAL_H

#include "cli/run_options.h"

/* Setters of the kernel options (options_set). */
bool run_options_set_type(void *target, const char *value, char **error);
bool run_options_set_kernel(void *target, const char *value, char **error);
bool run_options_set_initrd(void *target, const char *value, char **error);
bool run_options_set_append(void *target, const char *value, char **error);
bool run_options_add_module(void *target, const char *value, char **error);
bool run_options_set_load_at(void *target, const char *value, char **error);
bool run_options_add_option_rom(void *target, const char *value, char **error);

/* Does that say what a kernel is, and not a drive or firmware? */
bool run_type_is_kernel(enum run_type type);

/* A file name that is not empty. */
bool run_options_set_file(char **to, const char *value, char **error);
bool run_options_add_file(GPtrArray *to, const char *value, char **error);
/* Is that the host's end of a port: none, stdio, file:FILE or unix:SOCKET? */
bool run_options_names_port(const char *value);

/* Setters in run_options_trace.c. */
options_set run_options_set_trace, run_options_set_trace_file, run_options_set_trace_format, run_options_add_symbols;

#endif
