#include "cli/compare.h"

#include <inttypes.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/compare_side.h"
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
#define LINES 8u
#define ROW 16u /* bytes of memory in a report */

struct compare {
	struct compare_side side[SIDES];
	enum conduct_end end[SIDES];
	bool io_time;
	uint64_t stops;
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

static enum conduct_end run_side(struct compare_side *side)
{
	running = side->machine->conduct;
	alarm(SILENCE_S);
	enum conduct_end end = compare_side_run(side);
	alarm(0);
	running = NULL;
	return end;
}

/* --- reports ---------------------------------------------------------------------------------- */

static void print_accesses(const struct compare_side *side)
{
	uint64_t first = side->items > COMPARE_RECENT ? side->items - COMPARE_RECENT : 0;
	for (uint64_t n = first; n < side->items; n++) {
		const struct compare_access *access = &side->recent[n % COMPARE_RECENT];
		fprintf(stderr, "  %" PRIu64 " %s %04x.%u = %0*x\n", n + 1, access->is_write ? "out" : "in ", access->port, access->size,
		        2 * access->size, access->value);
	}
}

static void print_side(const struct compare_side *side)
{
	struct pc *pc = side->machine->pc;
	const struct ctx *ctx = pc_ctx(pc);
	fprintf(stderr, "\n%s: %s mode, %04x:%08" PRIx64 ", %" PRIu64 " ns, %" PRIu64 " instructions, %" PRIu64 " port accesses; the last of these:\n",
	        side->name, ctx_mode_name(ctx), ctx->seg[CTX_CS].selector, ctx->rip, clock_now(side->machine->clock),
	        conduct_stats(side->machine->conduct)->insns, side->items);
	print_accesses(side);
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

static bool same_access(const struct compare_access *a, const struct compare_access *b)
{
	return a->port == b->port && a->size == b->size && a->is_write == b->is_write && a->value == b->value;
}

/* Drops what is the same in both. NULL: all of it, as far as both have got. */
static char *compare_accesses(struct compare *compare)
{
	GArray *a = compare->side[0].accesses, *b = compare->side[1].accesses;
	guint count = MIN(a->len, b->len);
	uint64_t first = compare->side[0].items - a->len + 1;
	for (guint n = 0; n < count; n++) {
		const struct compare_access *left = &g_array_index(a, struct compare_access, n);
		const struct compare_access *right = &g_array_index(b, struct compare_access, n);
		if (!same_access(left, right))
			return g_strdup_printf("port access %" PRIu64 " is %s %04x.%u = %x and %s %04x.%u = %x", first + n,
			                       left->is_write ? "out" : "in", left->port, left->size, left->value,
			                       right->is_write ? "out" : "in", right->port, right->size, right->value);
	}
	g_array_remove_range(a, 0, count);
	g_array_remove_range(b, 0, count);
	return NULL;
}

/* What KVM does not keep, or keeps in another way; see docs/compare.md. */
static void make_comparable(struct ctx *ctx)
{
	ctx->tsc_offset = 0;
	ctx->interrupt_shadow = 0;
	ctx->rflags &= ~(uint64_t)CTX_EFLAGS_RF;
	ctx->cr0 |= CTX_CR0_ET;
	ctx->fpu_present = 0;
	memset(ctx->fxsave, 0, sizeof ctx->fxsave);
	for (unsigned n = 0; n < CTX_SREGS; n++) {
		ctx->seg[n].access &= ~(CTX_SEG_ACCESSED | CTX_SEG_REAL);
		if (n == CTX_LDTR || n == CTX_TR || (ctx->seg[n].access & CTX_SEG_UNUSABLE))
			ctx->seg[n].access = ctx->seg[n].limit = 0;
		if (!(ctx->cr0 & CTX_CR0_PE))
			ctx->seg[n].access = 0;
	}
}

static unsigned diff_contexts(const struct compare *compare, FILE *out)
{
	struct ctx a = *pc_ctx(compare->side[0].machine->pc), b = *pc_ctx(compare->side[1].machine->pc);
	if (compare->io_time) {
		make_comparable(&a);
		make_comparable(&b);
	}
	return ctx_diff(&a, &b, out);
}

static char *compare_contexts(const struct compare *compare)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	unsigned fields = diff_contexts(compare, out);
	fclose(out);
	char *what = fields ? g_strdup_printf("%u field%s of the context\n%s", fields, fields > 1 ? "s" : "", text) : NULL;
	free(text);
	return what ? g_strchomp(what) : NULL;
}

static void append_bytes(GString *text, const uint8_t *bytes)
{
	for (unsigned n = 0; n < ROW; n++)
		g_string_append_printf(text, " %02x", bytes[n]);
}

static char *describe_bytes(uint64_t page, unsigned n, const uint8_t *left, const uint8_t *right)
{
	GString *text = g_string_new(NULL);
	unsigned row = n & ~(ROW - 1);
	g_string_append_printf(text, "memory at %08" PRIx64 " is %02x and %02x\n%08" PRIx64 " ", page + n, left[n], right[n], page + row);
	append_bytes(text, left + row);
	g_string_append(text, "  ");
	append_bytes(text, right + row);
	return g_string_free(text, FALSE);
}

static char *compare_memory(const struct compare *compare)
{
	struct mem *a = pc_mem(compare->side[0].machine->pc), *b = pc_mem(compare->side[1].machine->pc);
	uint8_t left[MEM_PAGE_SIZE], right[MEM_PAGE_SIZE];
	for (uint64_t page = 0; page < compare->side[0].options.memory; page += MEM_PAGE_SIZE) {
		if (mem_read_bytes(a, page, left, sizeof left) != mem_read_bytes(b, page, right, sizeof right))
			return g_strdup_printf("the memory map at %08" PRIx64, page);
		unsigned n = 0;
		if (!memcmp(left, right, sizeof left))
			continue;
		while (left[n] == right[n])
			n++;
		return describe_bytes(page, n, left, right);
	}
	return NULL;
}

static char *compare_positions(const struct compare *compare)
{
	const struct compare_side *a = &compare->side[0], *b = &compare->side[1];
	if (compare->end[0] != compare->end[1])
		return g_strdup("only one of them has come to an end");
	uint64_t left = compare_side_position(a), right = compare_side_position(b);
	if (left != right)
		return g_strdup_printf("they do not stop at the same place: %" PRIu64 " and %" PRIu64 " %s", left, right,
		                       compare->io_time ? "port accesses" : "ns");
	if (a->items != b->items)
		return g_strdup_printf("%" PRIu64 " and %" PRIu64 " port accesses", a->items, b->items);
	return NULL;
}

static char *compare_all(struct compare *compare, bool memory)
{
	char *what = compare_accesses(compare);
	if (!what)
		what = compare_positions(compare);
	if (!what)
		what = compare_contexts(compare);
	if (!what && memory)
		what = compare_memory(compare);
	return what;
}

/* --- in step ------------------------------------------------------------------------------------------ */

static void run_one(struct compare *compare, unsigned n)
{
	compare->end[n] = run_side(&compare->side[n]);
}

/* Both run to a stop; the one that is behind runs on. */
static void advance(struct compare *compare)
{
	run_one(compare, 0);
	run_one(compare, 1);
	for (unsigned tries = 0; tries < TRIES && !silent; tries++) {
		uint64_t a = compare_side_position(&compare->side[0]), b = compare_side_position(&compare->side[1]);
		unsigned behind = a < b ? 0 : 1;
		if (a == b || compare->end[behind] != CONDUCT_STOPPED)
			return;
		run_one(compare, behind);
	}
}

static bool is_over(const struct compare *compare)
{
	int status;
	const struct compare_side *a = &compare->side[0], *b = &compare->side[1];
	return compare->end[0] != CONDUCT_STOPPED || (a->done && b->done) || pc_end(a->machine->pc, &status) != PC_RUNNING;
}

static int say_same(const struct compare *compare)
{
	const struct compare_side *a = &compare->side[0], *b = &compare->side[1];
	bool failed = a->script && (a->timed_out || script_run_status(a->script));
	printf("%s and %s are the same: %" PRIu64 " stops, %" PRIu64 " port accesses, %" PRIu64 " ns of guest time, memory\n", a->name,
	       b->name, compare->stops, a->items, clock_now(a->machine->clock));
	if (failed)
		fprintf(stderr, "v2e run: --compare: both did not do what the commands wait for: %s\n",
		        script_run_message(a->script) ? script_run_message(a->script) : "--timeout is over");
	return failed || compare->end[0] == CONDUCT_ERROR ? RUN_FAILED : RUN_DONE;
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
		advance(compare);
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

static bool open_sides(struct compare *compare, char **error)
{
	for (unsigned n = 0; n < SIDES; n++)
		if (!compare_side_open(&compare->side[n], compare->io_time, n, error))
			return false;
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
	g_free(compare);
	return status;
}
