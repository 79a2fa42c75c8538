/* Events of --trace about what a processor does, the same whichever engine saw them. */
#ifndef V2E_SHARED_TRACE_CPU_H
#define V2E_SHARED_TRACE_CPU_H

#include "shared/trace.h"

/* --trace mem: ranges of physical memory whose accesses are shown. */
#define TRACE_WATCHES 16u

struct trace_watch {
	uint64_t address, size;
};

bool trace_cpu_watches(const struct trace_watch *watch, unsigned watches, uint64_t address, unsigned size);

/* In all of these the context is that before the instruction; `ip` is its place. */
void trace_cpu_insn(const struct ctx *ctx, uint32_t eflags, const char *text);
void trace_cpu_block(const struct ctx *ctx, unsigned bytes, unsigned insns);
/* The first 8 bytes of `bytes` are shown. */
void trace_cpu_access(const struct ctx *ctx, uint64_t address, const void *bytes, unsigned size, bool write);
/* "real", "vm86", "protected", "long": begins the event `mode`, which the caller completes. */
void trace_cpu_mode(struct trace_event *event, const struct ctx *ctx, uint64_t ip, const char *from, const char *to);

#endif
