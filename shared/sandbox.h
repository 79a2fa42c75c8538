/* What a process that runs guest code gives up, for good. */
#ifndef V2E_SHARED_SANDBOX_H
#define V2E_SHARED_SANDBOX_H

#include <stdbool.h>

/* Was the filter for system calls built in (libseccomp)? */
bool sandbox_has_filter(void);

/* Closes all file descriptors but standard error and the `count` in `keep`.
 * Returns 0 or -errno. */
int sandbox_close_files(const int *keep, unsigned count);

/* No privileges by exec, no core of guest memory on disk, and from now on only
 * the system calls of memory, futexes, clocks, messages to standard error, abort
 * and exit: any other one ends the process with SIGSYS. Returns 0 or -errno. */
int sandbox_enter(void);

#endif
