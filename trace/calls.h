/* --trace int: calls of BIOS and DOS as events, each with its return. */
#ifndef V2E_TRACE_CALLS_H
#define V2E_TRACE_CALLS_H

#include "shared/watcher.h"

/* Calls that wait for their return, at most; the oldest is forgotten first. */
#define TRACE_CALLS_OPEN 32u

/* A watcher that writes events `call` and `return` (docs/trace.md) for INT n and for
 * handlers that are entered without it (PUSHF and CALL FAR, as boot loaders do). A
 * call has returned when control reaches its return address with its stack. */
struct watcher trace_calls_new(void);

#endif
