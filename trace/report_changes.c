/* The timeline of a run of any length in a bounded number of changes: when there are too
 * many, time is cut into cells, and of each cell only is kept how long each state lasted
 * in it. A page shows columns of pixels, and they are wider. */
#include <string.h>

#include "trace/report_private.h"

#define TAIL  4096u   /* the last ones stay: hand-overs are recorded late */
#define CELLS 65536u  /* of a run, at first */

static gint compare_changes(gconstpointer a, gconstpointer b)
{
	const struct report_change *left = a, *right = b;
	if (left->ns != right->ns)
		return left->ns < right->ns ? -1 : 1;
	return (left->number > right->number) - (left->number < right->number);
}

static void sort(struct report *report)
{
	g_array_sort(report->changes, compare_changes);
	for (unsigned i = 0; i < report->changes->len; i++)
		g_array_index(report->changes, struct report_change, i).number = i;
	report->change_number = report->changes->len;
}

/* --- states ------------------------------------------------------------------------------ */

/* mode * 3 + engine; the last of each is not known. */
struct state {
	int mode, engine;
};

static struct state first_state(const struct report *report)
{
	return (struct state){
		report->first_mode < 0 ? REPORT_MODES : report->first_mode, report->first_engine < 0 ? REPORT_ENGINES : report->first_engine,
	};
}

static unsigned enter(struct state *state, const struct report_change *change)
{
	state->mode = change->mode < 0 ? state->mode : change->mode;
	state->engine = change->engine < 0 ? state->engine : change->engine;
	return (unsigned)(state->mode * 3 + state->engine);
}

/* --- coarser ------------------------------------------------------------------------------ */

struct cell {
	GArray *out;
	uint64_t size, number;    /* ns; of the cell that is being filled */
	uint64_t ns, host_ns;     /* where it was begun to be filled */
	struct {
		uint64_t ns, host_ns, count;
	} part[REPORT_STATES];
	unsigned first, last;
};

static void put(struct cell *cell, unsigned state, uint64_t count)
{
	struct report_change *before = cell->out->len ? &g_array_index(cell->out, struct report_change, cell->out->len - 1) : NULL;
	int8_t mode = (int8_t)(state / 3), engine = (int8_t)(state % 3);
	if (before && before->mode == mode && before->engine == engine) {
		before->count += count;
		return;
	}
	struct report_change change = { .ns = cell->ns, .host_ns = cell->host_ns, .count = count, .mode = mode, .engine = engine };
	g_array_append_val(cell->out, change);
}

static void put_part(struct cell *cell, unsigned state)
{
	if (!cell->part[state].ns && !cell->part[state].host_ns && !cell->part[state].count)
		return;
	put(cell, state, cell->part[state].count);
	cell->ns += cell->part[state].ns;
	cell->host_ns += cell->part[state].host_ns;
}

/* In the order of the states, but what came in from the cell before goes first and what
 * goes on in the next one is last. */
static void end_cell(struct cell *cell)
{
	put_part(cell, cell->first);
	for (unsigned state = 0; state < REPORT_STATES; state++)
		if (state != cell->first && state != cell->last)
			put_part(cell, state);
	if (cell->last != cell->first)
		put_part(cell, cell->last);
	put(cell, cell->last, 0);
	memset(cell->part, 0, sizeof cell->part);
}

static void begin_cell(struct cell *cell, uint64_t ns, uint64_t host_ns, unsigned state)
{
	cell->number = ns / cell->size;
	cell->ns = ns;
	cell->host_ns = host_ns;
	cell->first = cell->last = state;
}

static void spend(struct cell *cell, unsigned state, uint64_t ns, uint64_t host_ns)
{
	cell->part[state].ns += ns;
	cell->part[state].host_ns += host_ns;
}

/* In `state` from one time to another. */
static void fill(struct cell *cell, unsigned state, const struct report_change *from, uint64_t ns, uint64_t host_ns)
{
	uint64_t end = (cell->number + 1) * cell->size, length = ns - from->ns, host_length = host_ns - from->host_ns;
	cell->part[state].count += from->count;
	if (ns < end) {
		spend(cell, state, length, host_length);
		return;
	}
	/* Into the last cell that it touches: those between are all its own. */
	uint64_t start = ns / cell->size * cell->size;
	uint64_t in_last = length ? (uint64_t)((double)host_length * ((double)(ns - start) / (double)length)) : 0;
	uint64_t in_first = length ? (uint64_t)((double)(host_length - in_last) * ((double)(end - from->ns) / (double)(length - (ns - start)))) : host_length;
	spend(cell, state, end - from->ns, MIN(in_first, host_length - in_last));
	end_cell(cell);
	begin_cell(cell, start, host_ns - in_last, state);
	spend(cell, state, ns - start, in_last);
}

static GArray *coarser(const struct report *report, unsigned count, uint64_t size)
{
	const struct report_change *change = (const struct report_change *)report->changes->data;
	struct cell cell = { .out = g_array_new(FALSE, FALSE, sizeof *change), .size = size };
	struct state state = first_state(report);
	struct report_change from = change[0];
	unsigned now = enter(&state, &from);
	begin_cell(&cell, from.ns, from.host_ns, now);
	for (unsigned i = 1; i < count; i++) {
		struct report_change to = change[i];
		to.host_ns = MAX(to.host_ns, from.host_ns);
		fill(&cell, now, &from, to.ns, to.host_ns);
		now = enter(&state, &to);
		cell.last = now;
		from = to;
	}
	cell.part[now].count += from.count;
	end_cell(&cell);
	return cell.out;
}

static uint64_t ns_at(const struct report *report, unsigned i)
{
	return g_array_index(report->changes, struct report_change, i).ns;
}

static void coarsen(struct report *report)
{
	sort(report);
	unsigned count = report->changes->len - TAIL;
	uint64_t size = MAX(2 * report->cell_ns, (ns_at(report, count - 1) - ns_at(report, 0)) / CELLS + 1);
	GArray *all = coarser(report, count, size);
	while (all->len > REPORT_CHANGES / 2) {
		g_array_unref(all);
		size *= 2;
		all = coarser(report, count, size);
	}
	report->cell_ns = size;
	g_array_append_vals(all, &g_array_index(report->changes, struct report_change, count), TAIL);
	g_array_unref(report->changes);
	report->changes = all;
	for (unsigned i = 0; i < all->len; i++)
		g_array_index(all, struct report_change, i).number = i;
	report->change_number = all->len;
}

/* --- the interface ---------------------------------------------------------------------------- */

void report_changes_add(struct report *report, const struct report_change *change)
{
	struct report_change added = *change;
	added.number = report->change_number++;
	added.count = 1;
	if (report->changes->len == REPORT_CHANGES)
		coarsen(report);
	g_array_append_val(report->changes, added);
}

/* Each change: guest and host time since the one before, and the state; then how often
 * each state was entered. */
void report_changes_put(struct report *report, FILE *out)
{
	struct state state = first_state(report);
	uint64_t ns = 0, host_ns = 0, entered[REPORT_STATES] = { 0 };
	sort(report);
	fprintf(out, "\"changes\":[0,0,%d", state.mode * 3 + state.engine);
	entered[state.mode * 3 + state.engine]++;
	for (unsigned i = 0; i < report->changes->len; i++) {
		const struct report_change *change = &g_array_index(report->changes, struct report_change, i);
		uint64_t host = MAX(change->host_ns, host_ns);
		unsigned now = enter(&state, change);
		fprintf(out, ",%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT ",%u", change->ns - ns, host - host_ns, now);
		entered[now] += change->count;
		ns = change->ns;
		host_ns = host;
	}
	fputs("],\n\"entered\":[", out);
	for (unsigned n = 0; n < REPORT_STATES; n++)
		fprintf(out, "%s%" G_GUINT64_FORMAT, n ? "," : "", entered[n]);
	fputs("],\n", out);
}

/* --- calls on the timeline ------------------------------------------------------------------- */

/* Neighbours become one. */
static void halve(GArray *marks)
{
	struct report_mark *mark = (struct report_mark *)marks->data;
	for (unsigned i = 0; i + 1 < marks->len; i += 2) {
		mark[i / 2] = mark[i];
		mark[i / 2].count += mark[i + 1].count;
	}
	g_array_set_size(marks, marks->len / 2);
}

void report_marks_add(struct report *report, uint64_t ns, uint64_t host_ns, unsigned kind)
{
	struct report_mark mark = { .ns = ns, .host_ns = host_ns, .count = 1, .kind = kind };
	if (report->marks->len == REPORT_MARKS)
		halve(report->marks);
	g_array_append_val(report->marks, mark);
}

/* Each: guest and host time since the one before, how many calls it stands for, and what
 * kind the first of them is of. */
void report_marks_put(const struct report *report, FILE *out)
{
	uint64_t ns = 0, host_ns = 0;
	fputs("\"calls\":[", out);
	for (unsigned i = 0; i < report->marks->len; i++) {
		const struct report_mark *mark = &g_array_index(report->marks, struct report_mark, i);
		uint64_t at = MAX(mark->ns, ns), host = MAX(mark->host_ns, host_ns);
		fprintf(out, "%s%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT ",%u", i ? "," : "", at - ns, host - host_ns,
		        mark->count, mark->kind);
		ns = at;
		host_ns = host;
	}
	fputs("],\n", out);
}

/* --- numbers -------------------------------------------------------------------------------- */

struct report_values *report_values_new(unsigned most)
{
	struct report_values *values = g_new0(struct report_values, 1);
	values->kept = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	values->room = most;
	values->random = 0x9e3779b97f4a7c15u;
	return values;
}

void report_values_free(struct report_values *values)
{
	if (!values)
		return;
	g_array_unref(values->kept);
	g_free(values);
}

/* xorshift64 */
static uint64_t next_random(struct report_values *values)
{
	values->random ^= values->random << 13;
	values->random ^= values->random >> 7;
	values->random ^= values->random << 17;
	return values->random;
}

/* Where there are too many, each has the same chance to be among those that are kept. */
void report_values_add(struct report_values *values, uint64_t value)
{
	values->sum += value;
	values->count++;
	if (values->kept->len < values->room) {
		g_array_append_val(values->kept, value);
		return;
	}
	uint64_t place = next_random(values) % values->count;
	if (place < values->room)
		g_array_index(values->kept, uint64_t, place) = value;
}
