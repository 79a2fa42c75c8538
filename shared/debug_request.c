#include "shared/debug_request.h"

#include <stddef.h>

#include "shared/ctx.h"

uint32_t debug_mode(const struct ctx *ctx)
{
	uint32_t mode = 0;
	if (!(ctx->cr0 & CTX_CR0_PE))
		return mode;
	mode |= DEBUG_MODE_PE;
	if (ctx->cr0 & CTX_CR0_PG)
		mode |= DEBUG_MODE_PG;
	if (ctx->efer & CTX_EFER_LMA)
		mode |= DEBUG_MODE_LONG;
	if (ctx->rflags & CTX_EFLAGS_VM)
		return mode | DEBUG_MODE_VM;
	return ctx->seg[CTX_CS].access & CTX_SEG_DB ? mode | DEBUG_MODE_CODE32 : mode;
}

static uint32_t points_of(const struct debug_request *debug)
{
	return debug->points < DEBUG_POINTS ? debug->points : DEBUG_POINTS;
}

const struct debug_point *debug_point_at(const struct debug_request *debug, uint32_t kinds, uint32_t linear, uint32_t size)
{
	for (const struct debug_point *point = debug->point; point < debug->point + points_of(debug); point++)
		if ((point->kinds & kinds) && (linear - point->address < point->size || point->address - linear < size))
			return point;
	return NULL;
}

void debug_note_mode(struct debug_request *debug, const struct ctx *ctx)
{
	uint32_t mode = debug_mode(ctx), old = debug->mode;
	debug->mode = mode;
	if (!((mode ^ old) & debug->modes))
		return;
	debug->hit |= DEBUG_HIT_MODE;
	debug->hit_mode = old;
}

bool debug_wants_vector(const struct debug_request *debug, uint8_t vector)
{
	return debug->vectors[vector / 64] >> vector % 64 & 1;
}

void debug_note_vector(struct debug_request *debug, uint8_t vector)
{
	if (!debug_wants_vector(debug, vector))
		return;
	debug->hit |= DEBUG_HIT_VECTOR;
	debug->hit_vector = vector;
}

void debug_note_access(struct debug_request *debug, uint32_t linear, uint32_t size, bool write)
{
	const struct debug_point *point = debug_point_at(debug, write ? DEBUG_WRITE_TO : DEBUG_READ_OF, linear, size);
	if (!point)
		return;
	debug->hit |= write ? DEBUG_HIT_WRITE : DEBUG_HIT_READ;
	debug->hit_address = point->address;
}

bool debug_has(const struct debug_request *debug, uint32_t kinds)
{
	for (uint32_t n = 0; n < points_of(debug); n++)
		if (debug->point[n].kinds & kinds)
			return true;
	return false;
}
