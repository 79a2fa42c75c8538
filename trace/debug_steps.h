/* Heeds the page's debug request (shared/debug_request.h) for an engine that cannot: KVM
 * alone, under --gdb. Points on code, up to four, are the processor's own breakpoints;
 * for all else it stops where the code may do what is asked for, or at each instruction. */
#ifndef V2E_TRACE_DEBUG_STEPS_H
#define V2E_TRACE_DEBUG_STEPS_H

#include "shared/stepper.h"

/* .plan is NULL where that fails, with *error (g_free). */
struct stepper debug_steps_new(char **error);

#endif
