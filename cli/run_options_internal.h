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

/* Setters in run_options_machine.c. */
options_set run_options_set_image, run_options_add_cdrom, run_options_add_disk, run_options_add_floppy,
	run_options_set_snapshot, run_options_set_restore, run_options_set_bios, run_options_set_vgabios,
	run_options_set_boot, run_options_set_memory, run_options_set_cpu, run_options_set_display,
	run_options_add_serial, run_options_set_debugcon, run_options_set_exit_port;
/* In run_options_engine.c. */
options_set run_options_set_engine, run_options_set_threshold, run_options_set_policy, run_options_set_watch,
	run_options_set_channel, run_options_set_clock, run_options_set_jit, run_options_set_jit_cache, run_options_set_dump,
	run_options_set_no_emit, run_options_set_transitions, run_options_set_compare;
/* In run_options_trace.c. */
options_set run_options_set_trace, run_options_set_trace_file, run_options_set_trace_format,
	run_options_add_symbols;

#endif
