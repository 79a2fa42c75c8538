#include "emu/debugger.h"

bool debugger_before(struct emu *emu)
{
	struct debug_request *debug = &emu->ctx->debug;
	uint32_t linear = (uint32_t)emu->ctx->seg[CTX_CS].base + (uint32_t)emu->ctx->rip;
	debug_note_mode(debug, emu->ctx);
	if (!debug->resume && debug_point_at(debug, DEBUG_CODE_AT, linear, 1))
		debug->hit |= DEBUG_HIT_CODE;
	return debug->hit;
}

bool debugger_after(struct emu *emu)
{
	struct debug_request *debug = &emu->ctx->debug;
	debug->resume = 0;
	if (debug->step)
		debug->hit |= DEBUG_HIT_STEP;
	debug_note_mode(debug, emu->ctx);
	return debug->hit;
}

void debugger_data_access(struct emu *emu, uint32_t linear, unsigned size, bool write)
{
	debug_note_access(&emu->ctx->debug, linear, size, write);
}

void debugger_vector(struct emu *emu, uint8_t vector)
{
	debug_note_vector(&emu->ctx->debug, vector);
}

bool debugger_watches(const struct emu *emu)
{
	const struct debug_request *debug = &emu->ctx->debug;
	return debug->armed && debug_has(debug, DEBUG_WRITE_TO | DEBUG_READ_OF);
}

bool debugger_holds_interrupts(const struct emu *emu)
{
	return (emu->special & SPECIAL_DEBUGGER) && emu->ctx->debug.step && !emu->ctx->halted;
}
