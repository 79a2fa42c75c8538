#include "cli/compare.h"

#include <inttypes.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/compare_same.h"
#include "cli/disassemble.h"
#include "cli/run.h"
#include "shared/log.h"

#define SIDES 2
/* Runs of the one that is behind, until both are at the same place. */
#define TRIES 10000u
/* Memory is compared at the end and each time after so many stops. */
#define MEMORY_STOPS 4096u
/* Host seconds without a stop. */
#define SILENCE_S 20u
#define TRANSITIONS 64u
/* So long may an interrupt be late. */
#define LATE_EVENTS 100000u
#define LINES 8u

struct compare {
	struct compare_side side[SIDES];
	enum conduct_end end[SIDES];
	bool io_time;
	unsigned leader;
	bool led;          /* the other one is led to where it is */
	bool sought;       /* there no port access tells where that is, only the state */
	unsigned visits;   /* of its address, on the way */
	char *nearest;     /* what differed at the last one */
	bool ignores;      /* an interrupt that the leader takes later, or not at all */
	uint64_t late, late_since; /* how many; events before the last one */
	uint64_t stops, handovers;
	unsigned images;   /* bytes of RAM that differ as undefined flags do */
};

/* --- stuck guests ------------------------------------------------------------------------- */

/* Properties of the process, as signals are: whom SIGALRM stops, and that it did. */
static struct conduct *volatile running;
static volatile sig_atomic_t silent;

static void on_alarm(int number)
{
	(void)number;
	silent = 1;
	if (running)
		conduct_stop(running);
}

static void watch_start(struct compare_side *side)
{
	running = side->machine->conduct;
	alarm(SILENCE_S);
}

static void watch_end(void)
{
	alarm(0);
	running = NULL;
}

/* --- reports ---------------------------------------------------------------------------------- */

static void print_events(const struct compare_side *side)
{
	uint64_t first = side->items > COMPARE_RECENT ? side->items - COMPARE_RECENT : 0;
	for (uint64_t n = first; n < side->items; n++) {
		g_autofree char *text = compare_event_text(&side->recent[n % COMPARE_RECENT]);
		fprintf(stderr, "  %" PRIu64 " %s\n", n + 1, text);
	}
}

static void print_side(const struct compare_side *side)
{
	struct pc *pc = side->machine->pc;
	const struct ctx *ctx = pc_ctx(pc);
	fprintf(stderr, "\n%s: %s mode, %04x:%08" PRIx64 ", %" PRIu64 " ns, %" PRIu64 " instructions, %" PRIu64 " port accesses, %" PRIu64 " interrupts; the last of these:\n",
	        side->name, ctx_mode_name(ctx), ctx->seg[CTX_CS].selector, ctx->rip, clock_now(side->machine->clock),
	        conduct_stats(side->machine->conduct)->insns, side->items - side->interrupts, side->interrupts);
	print_events(side);
	fprintf(stderr, "from where it was the same last:\n");
	disassemble_print(&side->equal, pc_mem(pc), LINES, stderr);
	fprintf(stderr, "where it is now:\n");
	disassemble_print(ctx, pc_mem(pc), LINES, stderr);
	if (!transition_log_total(side->machine->transitions))
		return;
	fprintf(stderr, "the last transitions:\n");
	transition_log_print(side->machine->transitions, TRANSITIONS, stderr);
}

static int report(const struct compare *compare, const char *what)
{
	const struct compare_side *a = &compare->side[0], *b = &compare->side[1];
	fprintf(stderr, "v2e run: --compare: %s and %s differ: %s; the same so far: %" PRIu64 " stops\n", a->name, b->name, what,
	        compare->stops);
	print_side(a);
	print_side(b);
	return RUN_FAILED;
}

/* --- comparing ----------------------------------------------------------------------------------- */

static char *compare_positions(const struct compare *compare)
{
	const struct compare_side *a = &compare->side[0], *b = &compare->side[1];
	if (compare->end[0] != compare->end[1])
		return g_strdup("only one of them has come to an end");
	uint64_t left = compare_side_position(a), right = compare_side_position(b);
	if (left != right)
		return g_strdup_printf("they do not stop at the same place: %" PRIu64 " and %" PRIu64 " %s", left, right,
		                       compare->io_time ? "events" : "ns");
	if (a->items != b->items)
		return g_strdup_printf("%" PRIu64 " and %" PRIu64 " events", a->items, b->items);
	return NULL;
}

/* The one that follows is in the leader's state, or went past it. */
static char *compare_sought(const struct compare *compare)
{
	const struct compare_side *leader = &compare->side[compare->leader], *other = &compare->side[!compare->leader];
	const char *does = compare_side_is_at_handover(leader) ? "hands over" : "takes an interrupt";
	g_autofree char *what = compare_same_context(&compare->side[0], &compare->side[1]);
	if (!what)
		return NULL;
	if (!compare->visits)
		return g_strdup_printf("%s does not come to where %s %s", other->name, leader->name, does);
	return g_strdup_printf("%s comes to where %s %s (visits: %u), but with %s", other->name, leader->name, does,
	                       compare->visits, compare->nearest);
}

static char *compare_late(const struct compare *compare)
{
	const struct compare_side *leader = &compare->side[compare->leader], *other = &compare->side[!compare->leader];
	if (!compare->ignores || other->items - compare->late_since <= LATE_EVENTS)
		return NULL;
	return g_strdup_printf("%s does not take an interrupt that %s would have taken %u events ago", leader->name, other->name,
	                       LATE_EVENTS);
}

static char *compare_all(struct compare *compare, bool memory)
{
	struct compare_side *a = &compare->side[0], *b = &compare->side[1];
	char *what = compare_same_events(a, b);
	if (!what && compare->sought)
		what = compare_sought(compare);
	if (!what)
		what = compare_positions(compare);
	if (!what && !compare->sought)
		what = compare_same_context(a, b);
	if (!what)
		what = compare_late(compare);
	if (!what && memory)
		what = compare_same_memory(a, b, &compare->images);
	return what;
}

/* --- in step ------------------------------------------------------------------------------------------ */

static void run_one(struct compare *compare, unsigned n, enum compare_interrupts interrupts)
{
	watch_start(&compare->side[n]);
	compare->end[n] = compare_side_run(&compare->side[n], interrupts);
	watch_end();
}

static bool is_behind(const struct compare *compare, unsigned n)
{
	return compare->end[n] == CONDUCT_STOPPED && !silent &&
	       compare_side_position(&compare->side[n]) < compare_side_position(&compare->side[!n]);
}

/* Both run to a stop; the one that is behind runs on. */
static void advance_alike(struct compare *compare)
{
	struct compare_side *side = compare->side;
	bool held = compare_side_is_held(&side[0]) && compare_side_is_held(&side[1]);
	for (unsigned n = 0; n < SIDES; n++)
		run_one(compare, n, held ? COMPARE_TAKE : COMPARE_HOLD);
	for (unsigned tries = 0; tries < TRIES && (is_behind(compare, 0) || is_behind(compare, 1)); tries++) {
		unsigned behind = is_behind(compare, 0) ? 0 : 1;
		run_one(compare, behind, compare_side_is_held(&side[behind]) ? COMPARE_TAKE : COMPARE_HOLD);
	}
}

/* Asked by the one that follows, where the leader's next instruction is its own. */
static bool is_there(void *asker)
{
	struct compare *compare = asker;
	g_free(compare->nearest);
	compare->nearest = compare_same_context(&compare->side[0], &compare->side[1]);
	compare->visits++;
	return !compare->nearest;
}

/* The leader is where no port access tells: the other one runs until it is in the
 * same state. False: it stopped where it could take an interrupt. */
static bool seek(struct compare *compare, enum compare_interrupts interrupts)
{
	struct compare_side *other = &compare->side[!compare->leader];
	const struct ctx *to = pc_ctx(compare->side[compare->leader].machine->pc);
	watch_start(other);
	compare->end[!compare->leader] = compare_side_follow(other, interrupts, to->seg[CTX_CS].base + to->rip, is_there, compare);
	watch_end();
	return !compare_side_is_held(other) || is_there(compare);
}

/* An interrupt that one takes a little later than it could have been taken is no
 * difference; one that it does not take at all is. */
static void note_late(struct compare *compare)
{
	if (compare->ignores)
		return;
	compare->ignores = true;
	compare->late++;
	compare->late_since = compare->side[!compare->leader].items;
}

static enum compare_interrupts patience(const struct compare *compare)
{
	return compare->ignores ? COMPARE_IGNORE : COMPARE_HOLD;
}

static void follow_state(struct compare *compare, enum compare_interrupts interrupts)
{
	compare->visits = 0;
	if (!seek(compare, interrupts)) {
		note_late(compare);
		seek(compare, COMPARE_IGNORE);
	}
}

static void follow_events(struct compare *compare, enum compare_interrupts interrupts)
{
	unsigned other = !compare->leader;
	run_one(compare, other, interrupts);
	for (unsigned tries = 0; tries < TRIES && is_behind(compare, other); tries++) {
		if (compare_side_is_held(&compare->side[other]))
			note_late(compare);
		run_one(compare, other, patience(compare));
	}
	for (unsigned tries = 0; tries < TRIES && is_behind(compare, compare->leader); tries++)
		run_one(compare, compare->leader, COMPARE_HOLD);
}

/* The leader runs to a stop, the other one after it. */
static void advance_led(struct compare *compare)
{
	const struct compare_side *leader = &compare->side[compare->leader];
	bool taken = compare_side_is_held(leader);
	if (taken || !pc_pins(compare->side[!compare->leader].machine->pc)->intr)
		compare->ignores = false;
	enum compare_interrupts interrupts = taken ? COMPARE_TAKE : patience(compare);
	run_one(compare, compare->leader, taken ? COMPARE_TAKE : COMPARE_HOLD);
	bool at_handover = compare_side_is_at_handover(leader);
	compare->handovers += at_handover;
	compare->sought = at_handover || compare_side_is_held(leader);
	if (compare->sought)
		follow_state(compare, interrupts);
	else
		follow_events(compare, interrupts);
}

static bool is_over(const struct compare *compare)
{
	int status;
	const struct compare_side *a = &compare->side[0], *b = &compare->side[1];
	return compare->end[0] != CONDUCT_STOPPED || (a->done && b->done) || pc_end(a->machine->pc, &status) != PC_RUNNING;
}

/* What the commands waited for in vain, or NULL. */
static const char *missed(const struct compare_side *side)
{
	if (!side->script)
		return NULL;
	if (side->timed_out)
		return "--timeout is over";
	script_run_abort(side->script, "the guest has come to an end");
	return script_run_message(side->script);
}

static int say_same(const struct compare *compare)
{
	const struct compare_side *a = &compare->side[0], *b = &compare->side[1];
	const char *failure = missed(a);
	printf("%s and %s are the same: %" PRIu64 " stops, %" PRIu64 " port accesses, %" PRIu64 " interrupts (%" PRIu64
	       " late), %" PRIu64 " hand-overs, %" PRIu64 " ns of guest time, memory (but for undefined flags in %u bytes)\n", a->name, b->name, compare->stops, a->items - a->interrupts,
	       a->interrupts, compare->late, compare->handovers, clock_now(a->machine->clock), compare->images);
	if (failure)
		fprintf(stderr, "v2e run: --compare: both did not do what the commands wait for: %s\n", failure);
	return failure || compare->end[0] == CONDUCT_ERROR ? RUN_FAILED : RUN_DONE;
}

static int say_silent(const struct compare *compare)
{
	fprintf(stderr, "v2e run: --compare: no stop within %u s after %" PRIu64 " that were the same: the guest waits for something "
	        "that it does without ports%s\n", SILENCE_S, compare->stops,
	        compare->io_time ? ", and time passes only with them" : "");
	return RUN_FAILED;
}

static int run_both(struct compare *compare)
{
	bool over = false;
	while (!over) {
		if (compare->led)
			advance_led(compare);
		else
			advance_alike(compare);
		if (silent)
			return say_silent(compare);
		over = is_over(compare);
		g_autofree char *what = compare_all(compare, over || compare->stops % MEMORY_STOPS == MEMORY_STOPS - 1);
		if (what)
			return report(compare, what);
		compare->stops++;
		for (unsigned n = 0; n < SIDES; n++)
			compare->side[n].equal = *pc_ctx(compare->side[n].machine->pc);
	}
	return say_same(compare);
}

/* --- building ------------------------------------------------------------------------------------------- */

static bool parse(struct compare *compare, const char *value, int argc, char *const *argv, char **error)
{
	g_auto(GStrv) specs = g_strsplit(value, ",", -1);
	for (unsigned n = 0; n < SIDES; n++)
		if (!compare_side_parse(&compare->side[n], specs[n], argc, argv, error))
			return false;
	/* KVM counts no instructions. */
	for (unsigned n = 0; n < SIDES; n++)
		compare->io_time = compare->io_time || compare->side[n].options.engine != RUN_ENGINE_EMU;
	return true;
}

/* KVM and hybrid stop where no port access tells; the emulator can be led there. */
static void choose_leader(struct compare *compare)
{
	for (unsigned n = 0; n < SIDES; n++) {
		if (compare->side[n].options.engine == RUN_ENGINE_EMU || !compare_side_can_follow(&compare->side[!n]))
			continue;
		compare->leader = n;
		compare->led = true;
		conduct_stop_at_handovers(compare->side[n].machine->conduct);
	}
}

/* Some KVMs show their own. An emulator that shows them too cannot do what they
 * promise: a guest that relies on it will differ, and one that only looks will not. */
static void level_features(struct compare *compare)
{
	uint32_t ecx, edx;
	for (unsigned n = 0; n < SIDES; n++) {
		const struct machine *machine = compare->side[n].machine;
		if (!machine->kvm || !hv_features(machine->kvm, &ecx, &edx))
			continue;
		for (unsigned i = 0; i < SIDES; i++)
			if (compare->side[i].machine->engine)
				emu_show_features(compare->side[i].machine->engine, ecx, edx);
	}
}

static bool open_sides(struct compare *compare, char **error)
{
	for (unsigned n = 0; n < SIDES; n++)
		if (!compare_side_open(&compare->side[n], compare->io_time, n, error))
			return false;
	choose_leader(compare);
	level_features(compare);
	return true;
}

int compare_run(const struct run_options *options, int argc, char *const *argv)
{
	struct compare *compare = g_new0(struct compare, 1);
	struct sigaction action = { .sa_handler = on_alarm }, before;
	char *error = NULL;
	int status = RUN_USAGE;
	silent = 0;
	sigaction(SIGALRM, &action, &before);
	if (parse(compare, options->compare, argc, argv, &error) && open_sides(compare, &error)) {
		log_trace_mask = options->trace;
		status = run_both(compare);
	}
	if (error)
		fprintf(stderr, "v2e run: --compare: %s\n", error);
	g_free(error);
	for (unsigned n = 0; n < SIDES; n++)
		if (compare->side[n].name)
			compare_side_clear(&compare->side[n]);
	sigaction(SIGALRM, &before, NULL);
	g_free(compare->nearest);
	g_free(compare);
	return status;
}
