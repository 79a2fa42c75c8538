/* When a guest that has left real mode goes to the other engine. docs/hybrid.md says
 * how each rule decides. */
#ifndef V2E_SHARED_POLICY_H
#define V2E_SHARED_POLICY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "shared/engine.h"

enum policy_kind {
	POLICY_V2E,      /* so many blocks after real mode was left */
	POLICY_ADAPTIVE, /* by what it cost at this address before */
};

/* "v2e", "adaptive". */
const char *policy_name(enum policy_kind kind);
bool policy_parse(const char *name, enum policy_kind *kind);

struct policy_config {
	enum policy_kind kind;
	uint64_t threshold;  /* v2e: blocks */
	/* adaptive: first guesses, which measuring replaces or refines. */
	uint64_t handover_ns;             /* to the other engine and back */
	uint64_t native_insns_per_second; /* of the other engine, in its slowest mode */
	uint64_t exit_ns;                 /* of the other engine, for an access to a device */
	/* How many of these there were; NULL: not known. */
	uint64_t (*exits)(void *owner);
	/* The host's time; NULL: its monotonic clock. */
	uint64_t (*now_ns)(void *owner);
	void *owner;
};

struct policy;

/* Never NULL. */
struct policy *policy_new(const struct policy_config *config);
void policy_free(struct policy *policy); /* NULL is fine */

/* Does it want requests timed (ctx->timed) where the way to the emulator takes time? */
bool policy_is_timed(const struct policy *policy);
/* Before each request of the emulator: sets ctx->limit_blocks and ctx->stays, and may
 * lower ctx->limit_insns. */
void policy_before(struct policy *policy, struct ctx *ctx);
/* After it. True: the other engine is to have the context, if it can run it. */
bool policy_after(struct policy *policy, const struct ctx *ctx, enum stop_reason reason);
/* The guest was reset, debugged, or could not be handed over: what runs now says
 * nothing of what it costs. */
void policy_forget(struct policy *policy);
/* It sleeps, or the run stops: no time passes for it. Once more, or a resume without a
 * pause, does nothing. */
void policy_pause(struct policy *policy);
void policy_resume(struct policy *policy);

/* `name value` lines. */
void policy_print_stats(const struct policy *policy, FILE *out);

#endif
