/* How a request on the context page reaches an engine and comes back. */
#ifndef V2E_SHARED_CHANNEL_H
#define V2E_SHARED_CHANNEL_H

#include "shared/engine.h"

struct channel;

struct channel_ops {
	const char *name;
	bool is_call; /* of a function: it takes no time that is worth measuring */
	/* Hands the page over, READY, and waits until it is DONE. */
	enum stop_reason (*call)(struct channel *channel, struct ctx *ctx);
	void (*free)(struct channel *channel);
};

/* The first member of each transport's own struct. */
struct channel {
	const struct channel_ops *ops;
	/* Not owned, except by a channel that says so. */
	struct engine *engine;
};

/* A function call in the same thread. Returns NULL with errno set. */
struct channel *channel_new_inline(struct engine *engine);

/* One request: IDLE -> READY -> IN_PROCESS -> DONE -> IDLE. */
enum stop_reason channel_call(struct channel *channel, struct ctx *ctx, enum ctx_request type);
void channel_free(struct channel *channel); /* NULL is fine */

/* For transports: what the engine's side of a channel does with a page that is
 * READY; it is DONE afterwards. Measures ns_run where the engine does not. PIO
 * and MMIO are requests to a device model, which is no engine: STOP_ERROR. */
enum stop_reason channel_serve(struct engine *engine, struct ctx *ctx);

/* The host's time that ctx.ns_* are taken from, in ns. */
uint64_t channel_host_ns(void);

#endif
