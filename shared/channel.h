/* How a request on the context page reaches an engine and comes back. */
#ifndef V2E_SHARED_CHANNEL_H
#define V2E_SHARED_CHANNEL_H

#include "shared/engine.h"

struct channel;

struct channel_ops {
	const char *name;
	/* Hands the page over, READY, and waits until it is DONE. */
	enum stop_reason (*call)(struct channel *channel, struct ctx *ctx);
	void (*free)(struct channel *channel);
};

/* The first member of each transport's own struct. */
struct channel {
	const struct channel_ops *ops;
	struct engine *engine; /* not owned */
};

/* A function call in the same thread. Returns NULL with errno set. */
struct channel *channel_new_inline(struct engine *engine);

/* One request: IDLE -> READY -> IN_PROCESS -> DONE -> IDLE. */
enum stop_reason channel_call(struct channel *channel, struct ctx *ctx, enum ctx_request type);
void channel_free(struct channel *channel);

#endif
