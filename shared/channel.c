#include "shared/channel.h"

#include <assert.h>
#include <time.h>

/* The page may be shared with another thread or process: what was written
 * before a step must be there when the other side sees the step. */
static void set_state(struct ctx *ctx, enum ctx_state state)
{
	__atomic_store_n(&ctx->request_state, state, __ATOMIC_RELEASE);
}

static void prepare(struct ctx *ctx, enum ctx_request type)
{
	ctx->request_type = type;
	ctx->stop_reason = STOP_NONE;
	ctx->stop_detail = 0;
	ctx->blocks_run = 0;
	ctx->insns_run = 0;
	ctx->ns_load = ctx->ns_run = ctx->ns_exit = ctx->ns_save = 0;
}

enum stop_reason channel_call(struct channel *channel, struct ctx *ctx, enum ctx_request type)
{
	assert(ctx->request_state == CTX_IDLE);
	prepare(ctx, type);
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

uint64_t channel_host_ns(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Each reading of the host's clock is part of what a hand-over costs with the log. */
static enum stop_reason run(struct engine *engine, struct ctx *ctx)
{
	bool timed = ctx->timed && !engine->ops->times_itself;
	uint64_t start = timed ? channel_host_ns() : 0;
	enum stop_reason reason = engine->ops->run(engine, ctx);
	if (timed)
		ctx->ns_run = channel_host_ns() - start;
	return reason;
}

enum stop_reason channel_serve(struct engine *engine, struct ctx *ctx)
{
	enum stop_reason reason = STOP_ERROR;
	set_state(ctx, CTX_IN_PROCESS);
	if (ctx->request_type == CTX_EMULATE || ctx->request_type == CTX_RUN)
		reason = run(engine, ctx);
	set_state(ctx, CTX_DONE);
	return reason;
}
