#include "emu/debugger.h"

#include <glib.h>

static const struct debug_point *find_point(const struct debug_request *debug, uint32_t kind, uint32_t linear, uint32_t size)
{
	unsigned points = MIN(debug->points, DEBUG_POINTS);
	for (const struct debug_point *point = debug->point; point < debug->point + points; point++)
		if ((point->kinds & kind) && (linear - point->address < point->size || point->address - linear < size))
			return point;
	return NULL;
}

static void note_mode(struct debug_request *debug, const struct ctx *ctx)
{
	uint32_t mode = debug_mode(ctx), old = debug->mode;
	debug->mode = mode;
	if (!((mode ^ old) & debug->modes))
		return;
	debug->hit |= DEBUG_HIT_MODE;
	debug->hit_mode = old;
}

bool debugger_before(struct emu *emu)
{
	struct debug_request *debug = &emu->ctx->debug;
	uint32_t linear = (uint32_t)emu->ctx->seg[CTX_CS].base + (uint32_t)emu->ctx->rip;
	note_mode(debug, emu->ctx);
	if (!debug->resume && find_point(debug, DEBUG_CODE_AT, linear, 1))
		debug->hit |= DEBUG_HIT_CODE;
	return debug->hit;
}

bool debugger_after(struct emu *emu)
{
	struct debug_request *debug = &emu->ctx->debug;
	debug->resume = 0;
	if (debug->step)
		debug->hit |= DEBUG_HIT_STEP;
	note_mode(debug, emu->ctx);
	return debug->hit;
}

void debugger_data_access(struct emu *emu, uint32_t linear, unsigned size, bool write)
{
	struct debug_request *debug = &emu->ctx->debug;
	const struct debug_point *point = find_point(debug, write ? DEBUG_WRITE_TO : DEBUG_READ_OF, linear, size);
	if (!point)
		return;
	debug->hit |= write ? DEBUG_HIT_WRITE : DEBUG_HIT_READ;
	debug->hit_address = point->address;
}

void debugger_vector(struct emu *emu, uint8_t vector)
{
	struct debug_request *debug = &emu->ctx->debug;
	if (!(debug->vectors[vector / 64] >> vector % 64 & 1))
		return;
	debug->hit |= DEBUG_HIT_VECTOR;
	debug->hit_vector = vector;
}

bool debugger_watches(const struct emu *emu)
{
	const struct debug_request *debug = &emu->ctx->debug;
	if (!debug->armed)
		return false;
	for (unsigned n = 0; n < MIN(debug->points, DEBUG_POINTS); n++)
		if (debug->point[n].kinds & (DEBUG_WRITE_TO | DEBUG_READ_OF))
			return true;
	return false;
}

bool debugger_holds_interrupts(const struct emu *emu)
{
	return (emu->special & SPECIAL_DEBUGGER) && emu->ctx->debug.step && !emu->ctx->halted;
}
