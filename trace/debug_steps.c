#include "trace/debug_steps.h"

#include <glib.h>

#include "shared/handler.h"
#include "trace/step_plan.h"

#define NOWHERE     UINT64_MAX
#define NO_VECTOR   (-1)
#define VECTOR_BP   3u
#define VECTOR_OF   4u
/* Exceptions; in real mode those above are calls of the BIOS (SDM vol. 3, table 6-1;
 * x87 errors are an interrupt there). */
#define LAST_REAL   13u
#define LAST        20u

struct debug_steps {
	struct step_decoder *decoder;
	struct debug_request *debug; /* of the page that runs */
	uint64_t resumed;            /* linear, where no point counts; or NOWHERE */
	int event;                   /* is being delivered; NO_VECTOR */
	struct step_insn insn;       /* that comes next, or is under way, */
	uint64_t linear, handler;    /* where it is, and where its INT leads */
	uint32_t count;              /* ECX before it, */
	bool down;                   /* and DF */
	struct step_access access[STEP_ACCESSES];
	unsigned accesses;
};

static uint64_t linear_of(const struct ctx *ctx, uint32_t ip)
{
	return (uint32_t)(ctx->seg[CTX_CS].base + ip);
}

/* --- has something happened ------------------------------------------------------------------- */

static bool look(struct debug_steps *steps, const struct ctx *ctx)
{
	struct debug_request *debug = steps->debug;
	uint32_t linear = (uint32_t)linear_of(ctx, (uint32_t)ctx->rip);
	debug_note_mode(debug, ctx);
	if (steps->event != NO_VECTOR)
		debug_note_vector(debug, (uint8_t)steps->event);
	steps->event = NO_VECTOR;
	if (!debug->resume && debug_point_at(debug, DEBUG_CODE_AT, linear, 1))
		debug->hit |= DEBUG_HIT_CODE;
	return debug->hit;
}

/* `resume` is for the first instruction, and an interrupt may come before it. */
static void note_resume(struct debug_steps *steps, uint64_t linear)
{
	if (steps->debug->resume && steps->resumed == NOWHERE)
		steps->resumed = linear;
	if (steps->resumed != linear) {
		steps->debug->resume = 0;
		steps->resumed = NOWHERE;
	}
}

/* A CPU may do several rounds of a repeated instruction at once; CX tells how many. */
static void note_accesses(struct debug_steps *steps, const struct ctx *after)
{
	uint32_t rounds = 1;
	if (steps->insn.repeats)
		rounds = (steps->count - after->gpr[CTX_RCX].e) & steps->insn.address_mask;
	for (unsigned n = 0; n < steps->accesses && rounds; n++) {
		const struct step_access *access = &steps->access[n];
		uint32_t more = (rounds - 1) * access->size;
		debug_note_access(steps->debug, access->linear - (steps->down ? more : 0), access->size + more, access->write);
	}
}

static bool is_exception(const struct ctx *ctx, unsigned vector)
{
	return vector <= (ctx->cr0 & CTX_CR0_PE ? LAST : LAST_REAL) && vector != VECTOR_BP && vector != VECTOR_OF;
}

/* It was INT n, or raised an exception: the handler comes next, and nothing else led there. */
static int vector_of(const struct debug_steps *steps, const struct ctx *ctx, struct mem *mem)
{
	uint64_t linear = linear_of(ctx, (uint32_t)ctx->rip), handler;
	if (steps->insn.vector >= 0 && linear == steps->handler)
		return steps->insn.vector;
	if (steps->insn.flow != STEP_NEXT || linear == linear_of(ctx, steps->insn.next))
		return NO_VECTOR;
	for (uint8_t vector = 0; vector <= LAST; vector++)
		if (is_exception(ctx, vector) && debug_wants_vector(steps->debug, vector) &&
		    handler_address(ctx, mem, vector, &handler) && handler == linear)
			return vector;
	return NO_VECTOR;
}

static bool done(void *owner, const struct ctx *ctx, struct mem *mem)
{
	struct debug_steps *steps = owner;
	struct debug_request *debug = steps->debug;
	bool within = steps->insn.repeats && linear_of(ctx, (uint32_t)ctx->rip) == steps->linear;
	/* The rounds of one instruction are one to a breakpoint. */
	if (!within) {
		debug->resume = 0;
		steps->resumed = NOWHERE;
	} else if (!debug->resume) {
		debug->resume = 1;
		steps->resumed = steps->linear;
	}
	if (debug->step)
		debug->hit |= DEBUG_HIT_STEP;
	note_accesses(steps, ctx);
	steps->event = vector_of(steps, ctx, mem);
	return look(steps, ctx);
}

static void event(void *owner, uint8_t vector)
{
	struct debug_steps *steps = owner;
	steps->event = vector;
}

/* --- how far may it run ---------------------------------------------------------------------------- */

struct stops {
	uint64_t *stop;
	unsigned *count;
};

/* False: there are more. */
static bool plan_points(const struct debug_request *debug, const struct stops *stops)
{
	for (unsigned n = 0; n < MIN(debug->points, DEBUG_POINTS); n++) {
		if (!(debug->point[n].kinds & DEBUG_CODE_AT))
			continue;
		if (*stops->count == STEPPER_STOPS)
			return false;
		stops->stop[(*stops->count)++] = debug->point[n].address;
	}
	return true;
}

/* Where exceptions are common a stretch of code may not end where it seems to. */
static bool plan_far(const struct debug_steps *steps, const struct ctx *ctx, struct mem *mem, const struct stops *stops)
{
	uint32_t from = (uint32_t)ctx->rip;
	*stops->count = 0;
	if ((ctx->cr0 & CTX_CR0_PG) || (ctx->rflags & CTX_EFLAGS_VM))
		return false;
	if (steps->insn.flow == STEP_ELSE && !step_indirect(steps->decoder, ctx, mem, &from))
		return false;
	return step_plan_far(steps->decoder, ctx, mem, from, steps->debug, stops->stop, stops->count);
}

static bool plan_handlers(const struct debug_steps *steps, const struct ctx *ctx, struct mem *mem, const struct stops *stops)
{
	*stops->count = 0;
	for (uint8_t vector = 0; vector <= LAST && *stops->count < STEPPER_STOPS; vector++)
		if (is_exception(ctx, vector) && debug_wants_vector(steps->debug, vector) &&
		    handler_address(ctx, mem, vector, &stops->stop[*stops->count]) && stops->stop[*stops->count] != steps->linear)
			++*stops->count;
	return *stops->count;
}

static bool wants_exceptions(const struct debug_steps *steps, const struct ctx *ctx)
{
	for (uint8_t vector = 0; vector <= LAST; vector++)
		if (is_exception(ctx, vector) && debug_wants_vector(steps->debug, vector))
			return true;
	return false;
}

/* True: `stops` are where it may run to. */
static bool plan_run(const struct debug_steps *steps, const struct ctx *ctx, struct mem *mem, const struct stops *stops)
{
	const struct debug_request *debug = steps->debug;
	const uint64_t *vectors = debug->vectors;
	bool looks_on = debug->modes || vectors[0] || vectors[1] || vectors[2] || vectors[3];
	if (debug->step || debug_has(debug, DEBUG_READ_OF | DEBUG_WRITE_TO) || wants_exceptions(steps, ctx))
		return false;
	return (!looks_on && plan_points(debug, stops)) || plan_far(steps, ctx, mem, stops);
}

/* A breakpoint at the instruction itself would stop before it. */
static bool is_stop(const struct stops *stops, uint64_t linear)
{
	for (unsigned n = 0; n < *stops->count; n++)
		if (stops->stop[n] == linear)
			return true;
	return false;
}

static enum stepper_plan how_far(const struct debug_steps *steps, const struct ctx *ctx, struct mem *mem, const struct stops *stops)
{
	if (plan_run(steps, ctx, mem, stops) && !is_stop(stops, steps->linear))
		return STEPPER_TO;
	if ((steps->insn.pushes_flags || steps->insn.vector >= 0) && step_plan_flags(&steps->insn, ctx, mem, stops->stop, stops->count) &&
	    !is_stop(stops, steps->linear))
		return STEPPER_TO;
	plan_handlers(steps, ctx, mem, stops);
	return STEPPER_ONE;
}

static enum stepper_plan plan(void *owner, const struct ctx *ctx, struct mem *mem, bool again, uint64_t stop[STEPPER_STOPS], unsigned *stops)
{
	struct debug_steps *steps = owner;
	(void)again;
	*stops = 0;
	steps->linear = linear_of(ctx, (uint32_t)ctx->rip);
	note_resume(steps, steps->linear);
	if (look(steps, ctx))
		return STEPPER_HIT;
	step_decode(steps->decoder, ctx, mem, (uint32_t)ctx->rip, &steps->insn);
	steps->handler = NOWHERE;
	if (steps->insn.vector >= 0 && !handler_address(ctx, mem, (uint8_t)steps->insn.vector, &steps->handler))
		steps->handler = NOWHERE;
	steps->accesses = step_accesses(steps->decoder, ctx, steps->access);
	steps->count = ctx->gpr[CTX_RCX].e;
	steps->down = ctx->rflags & CTX_EFLAGS_DF;
	return how_far(steps, ctx, mem, &(struct stops){ stop, stops });
}

/* --- the stepper --------------------------------------------------------------------------------------- */

static bool begin(void *owner, struct ctx *page)
{
	struct debug_steps *steps = owner;
	steps->debug = &page->debug;
	if (!page->debug.resume)
		steps->resumed = NOWHERE;
	if (!page->debug.armed)
		steps->event = NO_VECTOR;
	return page->debug.armed;
}

static void free_steps(void *owner)
{
	struct debug_steps *steps = owner;
	step_decoder_free(steps->decoder);
	g_free(steps);
}

struct stepper debug_steps_new(char **error)
{
	struct step_decoder *decoder = step_decoder_new();
	if (!decoder) {
		*error = g_strdup("the disassembler cannot start; free some memory");
		return (struct stepper){ .plan = NULL };
	}
	struct debug_steps *steps = g_new0(struct debug_steps, 1);
	steps->decoder = decoder;
	steps->resumed = NOWHERE;
	steps->event = NO_VECTOR;
	return (struct stepper){ .begin = begin, .plan = plan, .done = done, .event = event, .free = free_steps, .owner = steps };
}
