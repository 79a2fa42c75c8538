#include "shared/channel.h"

#include <stdlib.h>

/* PIO and MMIO are requests to a device model, which is no engine. */
static enum stop_reason inline_call(struct channel *channel, struct ctx *ctx)
{
	struct engine *engine = channel->engine;
	enum stop_reason reason = STOP_ERROR;
	ctx->request_state = CTX_IN_PROCESS;
	if (ctx->request_type == CTX_EMULATE || ctx->request_type == CTX_RUN)
		reason = engine->ops->run(engine, ctx);
	ctx->request_state = CTX_DONE;
	return reason;
}

static void inline_free(struct channel *channel)
{
	free(channel);
}

static const struct channel_ops inline_ops = {
	.name = "inline",
	.call = inline_call,
	.free = inline_free,
};

struct channel *channel_new_inline(struct engine *engine)
{
	struct channel *channel = calloc(1, sizeof *channel);
	if (!channel)
		return NULL;
	channel->ops = &inline_ops;
	channel->engine = engine;
	return channel;
}
