#include "trace/step_plan.h"

#include "shared/handler.h"

#define VISITS    128u
#define BLOCK_MAX 64u
#define VECTOR_GP 13u

/* The code that can be reached is walked as a graph: `edge` are places that were not
 * walked yet, or that are to be stopped at. */
struct walk {
	const struct debug_request *debug;
	uint32_t visited[VISITS];
	unsigned visits;
	struct {
		uint32_t ip;
		bool final;
	} edge[STEPPER_STOPS];
	unsigned edges;
	bool full;
};

static bool is_visited(const struct walk *walk, uint32_t ip)
{
	for (unsigned n = 0; n < walk->visits; n++)
		if (walk->visited[n] == ip)
			return true;
	return false;
}

static void add_edge(struct walk *walk, uint32_t ip, bool final)
{
	for (unsigned n = 0; n < walk->edges; n++)
		if (walk->edge[n].ip == ip) {
			walk->edge[n].final |= final;
			return;
		}
	if (walk->edges == STEPPER_STOPS) {
		walk->full = true;
		return;
	}
	walk->edge[walk->edges].ip = ip;
	walk->edge[walk->edges++].final = final;
}

static bool is_point(const struct walk *walk, const struct ctx *ctx, uint32_t ip)
{
	return walk->debug && debug_point_at(walk->debug, DEBUG_CODE_AT, (uint32_t)(ctx->seg[CTX_CS].base + ip), 1);
}

/* Follows the code from `ip` on; what it branches to becomes an edge. */
static void follow(struct walk *walk, struct step_decoder *decoder, const struct ctx *ctx, struct mem *mem, uint32_t ip)
{
	struct step_insn insn;
	while (!is_visited(walk, ip) && !walk->full) {
		step_decode(decoder, ctx, mem, ip, &insn);
		if (insn.flow == STEP_ELSE || is_point(walk, ctx, ip)) {
			add_edge(walk, ip, true);
			return;
		}
		if (walk->visits == VISITS) {
			walk->full = true;
			return;
		}
		walk->visited[walk->visits++] = ip;
		if (insn.flow == STEP_BRANCH && !is_visited(walk, insn.target))
			add_edge(walk, insn.target, false);
		ip = insn.flow == STEP_JUMP ? insn.target : insn.next;
	}
}

/* One edge is walked, or made final where that leads too far. */
static bool walk_one(struct walk *walk, struct step_decoder *decoder, const struct ctx *ctx, struct mem *mem)
{
	unsigned n = 0;
	while (n < walk->edges && walk->edge[n].final)
		n++;
	if (n == walk->edges)
		return false;
	struct walk before = *walk;
	uint32_t ip = walk->edge[n].ip;
	walk->edge[n] = walk->edge[--walk->edges];
	follow(walk, decoder, ctx, mem, ip);
	if (walk->full) {
		*walk = before;
		walk->edge[n].final = true;
	}
	return true;
}

bool step_plan_far(struct step_decoder *decoder, const struct ctx *ctx, struct mem *mem, uint32_t ip, const struct debug_request *debug,
                   uint64_t stop[STEPPER_STOPS], unsigned *stops)
{
	struct walk walk = { .debug = debug };
	follow(&walk, decoder, ctx, mem, ip);
	if (walk.full)
		return false;
	while (walk_one(&walk, decoder, ctx, mem))
		;
	for (*stops = 0; *stops < walk.edges; ++*stops)
		stop[*stops] = (uint32_t)(ctx->seg[CTX_CS].base + walk.edge[*stops].ip);
	return true;
}

void step_plan_block(struct step_decoder *decoder, const struct ctx *ctx, struct mem *mem, struct step_block *block)
{
	struct step_insn insn = { .next = (uint32_t)ctx->rip };
	*block = (struct step_block){ .bytes = 0 };
	do {
		block->last = insn.next;
		step_decode(decoder, ctx, mem, block->last, &insn);
		block->bytes += insn.length;
		block->insns++;
	} while (insn.flow == STEP_NEXT && block->insns < BLOCK_MAX);
}

static void add_handler(const struct ctx *ctx, struct mem *mem, uint8_t vector, uint64_t stop[STEPPER_STOPS], unsigned *stops)
{
	if (handler_address(ctx, mem, vector, &stop[*stops]))
		++*stops;
}

/* Virtual-8086 mode and privilege may make a fault of it. */
bool step_plan_flags(const struct step_insn *insn, const struct ctx *ctx, struct mem *mem, uint64_t stop[STEPPER_STOPS], unsigned *stops)
{
	*stops = 0;
	if (insn->vector >= 0)
		add_handler(ctx, mem, (uint8_t)insn->vector, stop, stops);
	bool known = *stops || insn->vector < 0;
	if (insn->vector < 0 || insn->vector == 4)
		stop[(*stops)++] = (uint32_t)(ctx->seg[CTX_CS].base + insn->next);
	if (ctx->cr0 & CTX_CR0_PE)
		add_handler(ctx, mem, VECTOR_GP, stop, stops);
	return known;
}
