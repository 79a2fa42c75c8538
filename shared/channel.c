#include "shared/channel.h"

#include <assert.h>

/* The page may be shared with another thread or process: what was written
 * before a step must be there when the other side sees the step. */
static void set_state(struct ctx *ctx, enum ctx_state state)
{
	__atomic_store_n(&ctx->request_state, state, __ATOMIC_RELEASE);
}

enum stop_reason channel_call(struct channel *channel, struct ctx *ctx, enum ctx_request type)
{
	assert(ctx->request_state == CTX_IDLE);
	ctx->request_type = type;
	ctx->stop_reason = STOP_NONE;
	ctx->stop_detail = 0;
	ctx->blocks_run = 0;
	ctx->insns_run = 0;
	set_state(ctx, CTX_READY);
	enum stop_reason reason = channel->ops->call(channel, ctx);
	bool done = __atomic_load_n(&ctx->request_state, __ATOMIC_ACQUIRE) == CTX_DONE;
	if (!done || (unsigned)reason >= STOP_REASONS)
		reason = STOP_ERROR;
	ctx->stop_reason = reason;
	ctx->request_type = CTX_NONE;
	set_state(ctx, CTX_IDLE);
	return reason;
}

void channel_free(struct channel *channel)
{
	if (channel)
		channel->ops->free(channel);
}
