#include "trace/steps.h"

#include <string.h>

#include <glib.h>

#include "shared/linear.h"
#include "shared/trace_site.h"
#include "trace/calls.h"
#include "trace/step_plan.h"

#define NOWHERE UINT64_MAX

struct steps {
	uint32_t shows;
	struct trace_watch watch[TRACE_WATCHES];
	unsigned watches;
	struct watcher calls;
	struct step_decoder *decoder;
	struct trace_sites *sites;
	uint64_t first, last;      /* linear: of the block that was shown, until its end runs */
	uint64_t repeating;        /* of the string instruction that is in its rounds */
	const char *mode;          /* before the instruction; NULL: none ran yet */
	struct step_insn insn;     /* the one that is under way, */
	struct ctx ctx;            /* and the state before it */
	struct step_access access[STEP_ACCESSES];
	unsigned accesses;
	bool mmio;                 /* it went to what is no memory */
};

static uint64_t linear_of(const struct ctx *ctx, uint32_t ip)
{
	return (uint32_t)(ctx->seg[CTX_CS].base + ip);
}

/* --- modes --------------------------------------------------------------------------------- */

static const char *mode_of(const struct ctx *ctx)
{
	if (!(ctx->cr0 & CTX_CR0_PE))
		return "real";
	return ctx->rflags & CTX_EFLAGS_VM ? "vm86" : "protected";
}

/* The place is that of MOV CR0, else where the new mode begins. */
static void show_mode(struct steps *steps, const struct ctx *ctx, struct mem *mem)
{
	const char *mode = mode_of(ctx), *before = steps->mode;
	struct trace_event event;
	steps->mode = mode;
	if (!before || !strcmp(before, mode) || !(steps->shows & LOG_TRACE_SWITCH))
		return;
	uint32_t ip = (uint32_t)(steps->insn.sets_mode ? steps->ctx.rip : ctx->rip);
	trace_cpu_mode(&event, ctx, ip, before, mode);
	trace_site_code(steps->sites, &event, ctx, mem, ip);
	trace_emit(&event);
}

/* --- memory -------------------------------------------------------------------------------- */

static void show_access(const struct steps *steps, struct mem *mem, const struct step_access *access)
{
	uint8_t bytes[8] = { 0 };
	uint32_t address, size = MIN(access->size, sizeof bytes);
	if (linear_translate(&steps->ctx, mem, access->linear, &address) &&
	    trace_cpu_watches(steps->watch, steps->watches, address, access->size) &&
	    linear_read(&steps->ctx, mem, access->linear, bytes, size) == size)
		trace_cpu_access(&steps->ctx, address, bytes, access->size, access->write);
}

static void show_accesses(const struct steps *steps, struct mem *mem, bool write)
{
	for (unsigned n = 0; n < steps->accesses; n++)
		if (steps->access[n].write == write)
			show_access(steps, mem, &steps->access[n]);
}

/* An engine may do several rounds at once, or none; CX tells how many. */
static void show_rounds(struct steps *steps, const struct ctx *after, struct mem *mem)
{
	uint32_t mask = steps->insn.address_mask;
	uint32_t rounds = (steps->ctx.gpr[CTX_RCX].e - after->gpr[CTX_RCX].e) & mask;
	bool down = steps->ctx.rflags & CTX_EFLAGS_DF;
	for (uint32_t round = 0; round < rounds; round++) {
		show_accesses(steps, mem, false);
		show_accesses(steps, mem, true);
		for (unsigned n = 0; n < steps->accesses; n++)
			steps->access[n].linear += down ? -steps->access[n].size : steps->access[n].size;
	}
}

static void mmio(void *owner, uint64_t address, unsigned size, uint64_t value, bool write)
{
	struct steps *steps = owner;
	if (!(steps->shows & LOG_TRACE_MEM) || !trace_cpu_watches(steps->watch, steps->watches, address, size))
		return;
	steps->mmio = true;
	trace_cpu_access(&steps->ctx, address, &value, size, write);
}

/* --- before and behind an instruction ------------------------------------------------------- */

/* The context has the address to return to already, as a watcher wants it. */
static void show_int(struct steps *steps, struct mem *mem)
{
	struct ctx ctx = steps->ctx;
	ctx.rip = steps->insn.next;
	steps->calls.soft_int(steps->calls.owner, &ctx, (uint32_t)ctx.rflags, mem, (uint8_t)steps->insn.vector);
}

/* Returns where the block ends. It is one also where an interrupt came in between. */
static uint64_t show_block(struct steps *steps, struct mem *mem, uint64_t linear, bool again)
{
	struct step_block block;
	step_plan_block(steps->decoder, &steps->ctx, mem, &block);
	bool within = linear >= steps->first && linear <= steps->last;
	uint64_t last = linear_of(&steps->ctx, block.last);
	if (!within) {
		steps->first = linear;
		steps->last = last;
	}
	if (!within && steps->repeating != linear && !again)
		trace_cpu_block(&steps->ctx, block.bytes, block.insns);
	if (linear == last)
		steps->first = NOWHERE;
	return last;
}

/* --- the stepper ------------------------------------------------------------------------------- */

static bool stop_at(uint64_t linear, uint64_t stop[STEPPER_STOPS], unsigned *stops)
{
	stop[0] = linear;
	*stops = 1;
	return true;
}

/* The stretch of code that this one begins or leads to. */
static bool plan_far(const struct steps *steps, struct mem *mem, uint64_t stop[STEPPER_STOPS], unsigned *stops)
{
	const struct step_insn *insn = &steps->insn;
	uint32_t from = (uint32_t)steps->ctx.rip;
	if (insn->flow == STEP_ELSE && !step_indirect(steps->decoder, &steps->ctx, mem, &from))
		return false;
	return step_plan_far(steps->decoder, &steps->ctx, mem, from, NULL, stop, stops);
}

static bool plan_run(const struct steps *steps, struct mem *mem, uint64_t end, uint64_t stop[STEPPER_STOPS], unsigned *stops)
{
	const struct step_insn *insn = &steps->insn;
	uint64_t linear = linear_of(&steps->ctx, (uint32_t)steps->ctx.rip);
	if (insn->pushes_flags || insn->vector >= 0)
		return step_plan_flags(insn, &steps->ctx, mem, stop, stops);
	if (steps->shows & (LOG_TRACE_INSN | LOG_TRACE_MEM))
		return false;
	if (steps->shows & LOG_TRACE_BLOCK)
		return linear != end && stop_at(end, stop, stops);
	return plan_far(steps, mem, stop, stops);
}

/* A breakpoint at the instruction itself would stop before it. */
static enum stepper_plan how_far(const struct steps *steps, struct mem *mem, uint64_t end, uint64_t stop[STEPPER_STOPS], unsigned *stops)
{
	uint64_t linear = linear_of(&steps->ctx, (uint32_t)steps->ctx.rip);
	if (!plan_run(steps, mem, end, stop, stops))
		return STEPPER_ONE;
	for (unsigned n = 0; n < *stops; n++)
		if (stop[n] == linear)
			return STEPPER_ONE;
	return STEPPER_TO;
}

static void show(struct steps *steps, struct mem *mem, uint64_t linear)
{
	if ((steps->shows & LOG_TRACE_INSN) && steps->repeating != linear)
		trace_cpu_insn(&steps->ctx, (uint32_t)steps->ctx.rflags, steps->insn.text);
	if ((steps->shows & LOG_TRACE_MEM) && !steps->insn.repeats)
		show_accesses(steps, mem, false);
	if ((steps->shows & LOG_TRACE_INT) && steps->insn.is_int)
		show_int(steps, mem);
}

static enum stepper_plan plan(void *owner, const struct ctx *ctx, struct mem *mem, bool again, uint64_t stop[STEPPER_STOPS], unsigned *stops)
{
	struct steps *steps = owner;
	uint64_t linear = linear_of(ctx, (uint32_t)ctx->rip), end = NOWHERE;
	*stops = 0;
	show_mode(steps, ctx, mem);
	steps->ctx = *ctx;
	steps->mmio = false;
	if (steps->shows & LOG_TRACE_BLOCK)
		end = show_block(steps, mem, linear, again);
	step_decode(steps->decoder, ctx, mem, (uint32_t)ctx->rip, &steps->insn);
	if (steps->shows & LOG_TRACE_MEM)
		steps->accesses = step_accesses(steps->decoder, ctx, steps->access);
	if (!again)
		show(steps, mem, linear);
	steps->repeating = steps->insn.repeats ? linear : NOWHERE;
	return how_far(steps, mem, end, stop, stops);
}

static bool done(void *owner, const struct ctx *ctx, struct mem *mem)
{
	struct steps *steps = owner;
	bool plain = (steps->shows & LOG_TRACE_MEM) && !steps->mmio;
	if (plain && steps->insn.repeats)
		show_rounds(steps, ctx, mem);
	else if (plain)
		show_accesses(steps, mem, true);
	if ((steps->shows & LOG_TRACE_INT) && steps->insn.far)
		steps->calls.arrived(steps->calls.owner, ctx, (uint32_t)ctx->rflags, mem);
	return false;
}

static void free_steps(void *owner)
{
	struct steps *steps = owner;
	if (steps->calls.free)
		steps->calls.free(steps->calls.owner);
	trace_sites_free(steps->sites);
	step_decoder_free(steps->decoder);
	g_free(steps);
}

struct stepper trace_steps_new(uint32_t shows, const struct trace_watch *watch, unsigned watches, char **error)
{
	if (!(shows & TRACE_STEPS))
		return (struct stepper){ .plan = NULL };
	struct step_decoder *decoder = step_decoder_new();
	if (!decoder) {
		*error = g_strdup("the disassembler cannot start; free some memory");
		return (struct stepper){ .plan = NULL };
	}
	struct steps *steps = g_new0(struct steps, 1);
	steps->shows = shows;
	steps->watches = MIN(watches, TRACE_WATCHES);
	memcpy(steps->watch, watch, steps->watches * sizeof *watch);
	steps->decoder = decoder;
	steps->sites = trace_sites_new();
	steps->first = steps->repeating = NOWHERE;
	if (shows & LOG_TRACE_INT)
		steps->calls = trace_calls_new();
	return (struct stepper){ .plan = plan, .done = done, .mmio = mmio, .free = free_steps, .owner = steps };
}
