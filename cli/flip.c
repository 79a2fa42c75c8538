#include "cli/flip.h"

#include <glib.h>

struct flip {
	struct engine engine;
	struct engine *inner;
	uint64_t left; /* instructions until then; 0: it is done */
};

static struct engine *inner_of(struct engine *engine)
{
	return ((struct flip *)engine)->inner;
}

static bool flip_can_run(struct engine *engine, const struct ctx *ctx)
{
	return inner_of(engine)->ops->can_run(inner_of(engine), ctx);
}

static enum stop_reason flip_run(struct engine *engine, struct ctx *ctx)
{
	struct flip *flip = (struct flip *)engine;
	if (flip->left)
		ctx->limit_insns = MIN(ctx->limit_insns, flip->left);
	enum stop_reason reason = flip->inner->ops->run(flip->inner, ctx);
	if (flip->left && ctx->insns_run >= flip->left)
		ctx->gpr[CTX_RBX].e ^= 1;
	flip->left -= MIN(flip->left, ctx->insns_run);
	return reason;
}

static void flip_kick(struct engine *engine)
{
	inner_of(engine)->ops->kick(inner_of(engine));
}

static void flip_new_epoch(struct engine *engine)
{
	inner_of(engine)->ops->new_epoch(inner_of(engine));
}

static void flip_free(struct engine *engine)
{
	g_free(engine);
}

static const struct engine_ops flip_ops = {
	.name = "flip", .can_run = flip_can_run, .run = flip_run, .kick = flip_kick,
	.new_epoch = flip_new_epoch, .free = flip_free,
};

struct engine *flip_new(struct engine *inner, uint64_t insns)
{
	struct flip *flip = g_new0(struct flip, 1);
	flip->engine.ops = &flip_ops;
	flip->inner = inner;
	flip->left = MAX(insns, 1);
	return &flip->engine;
}
