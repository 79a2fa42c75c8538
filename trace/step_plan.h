/* How far a guest may run without being looked at. */
#ifndef V2E_TRACE_STEP_PLAN_H
#define V2E_TRACE_STEP_PLAN_H

#include "shared/stepper.h"
#include "trace/step_decode.h"

/* From `ip` in the context's code segment on: to the first instructions
 * that may change CS, CR0 or the mode, or whose target is only known there, or that
 * `debug` (NULL: none) has points at. Linear
 * addresses; none where the code never leaves a loop. False: too many, or too far. */
bool step_plan_far(struct step_decoder *decoder, const struct ctx *ctx, struct mem *mem, uint32_t ip, const struct debug_request *debug,
                   uint64_t stop[STEPPER_STOPS], unsigned *stops);

/* To the end of the block: the first that is more than STEP_NEXT. */
struct step_block {
	unsigned bytes, insns; /* with its last one */
	uint32_t last;         /* IP of that */
};
void step_plan_block(struct step_decoder *decoder, const struct ctx *ctx, struct mem *mem, struct step_block *block);

/* Behind one that pushes its flags: a trace flag would be among them. False: nobody
 * knows where it leads. */
bool step_plan_flags(const struct step_insn *insn, const struct ctx *ctx, struct mem *mem, uint64_t stop[STEPPER_STOPS], unsigned *stops);

#endif
