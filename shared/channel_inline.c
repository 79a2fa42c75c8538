#include "shared/channel.h"

#include <stdlib.h>

static enum stop_reason inline_call(struct channel *channel, struct ctx *ctx)
{
	return channel_serve(channel->engine, ctx);
}

static void inline_free(struct channel *channel)
{
	free(channel);
}

static const struct channel_ops inline_ops = {
	.name = "inline",
	.is_call = true,
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
