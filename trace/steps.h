/* --trace for an engine that only runs and stops: what each instruction is about to
 * do is read from memory before it runs. */
#ifndef V2E_TRACE_STEPS_H
#define V2E_TRACE_STEPS_H

#include "shared/log.h"
#include "shared/stepper.h"
#include "shared/trace_cpu.h"

#define TRACE_STEPS (LOG_TRACE_SWITCH | LOG_TRACE_INT | LOG_TRACE_BLOCK | LOG_TRACE_INSN | LOG_TRACE_MEM)

/* `shows`: which of TRACE_STEPS. With switch and int
 * alone it asks for few stops: where CS, CR0 or the mode may change. The stepper's owner
 * is freed by its free(). Returns one without plan() where nothing is to be shown, and
 * also, with *error (g_free), where the disassembler fails. */
struct stepper trace_steps_new(uint32_t shows, const struct trace_watch *watch, unsigned watches, char **error);

#endif
