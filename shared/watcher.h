/* Who looks over an engine's shoulder: called for what --trace int shows, in real
 * mode, vm86 and protected mode, by an engine that sees each such transfer. */
#ifndef V2E_SHARED_WATCHER_H
#define V2E_SHARED_WATCHER_H

#include "shared/ctx.h"
#include "shared/mem.h"

struct watcher {
	/* INT n comes next: registers are as the instruction finds them, but ctx->rip is
	 * already the address to return to. `eflags`: all of them, ctx->rflags need not be. */
	void (*soft_int)(void *owner, const struct ctx *ctx, uint32_t eflags, struct mem *mem, uint8_t vector);
	/* CS:IP were just loaded by a far jump, call or return, or by IRET. */
	void (*arrived)(void *owner, const struct ctx *ctx, uint32_t eflags, struct mem *mem);
	void (*free)(void *owner);
	void *owner;
};

#endif
