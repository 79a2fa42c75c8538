/* MADV_HUGEPAGE */
#define _GNU_SOURCE

#include "shared/transition.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <glib.h>

#include "shared/trace_site.h"

struct transition_log {
	struct transition *ring;
	unsigned capacity;
	uint64_t total;
	uint64_t causes[TRANSITION_CAUSES];
	bool reset;      /* since the last one */
	bool open;       /* the newest one's first request has yet to come back */
	/* What the engine that has the context did with it so far. */
	uint64_t blocks, insns, run_ns;
	uint64_t exit_ns, save_ns; /* of its last request */
	/* For the trace: code, and the newest one's event, until it is complete. */
	struct mem *mem;
	struct trace_sites *sites;
	struct trace_event event;
};

#define HUGE_PAGE 0x200000u

/* Where a page is touched for the first time costs more than what is written there: so a
 * large ring is of large pages, where the host has them. */
static struct transition *new_ring(unsigned capacity)
{
	size_t size = capacity * sizeof(struct transition), whole = (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
	void *ring = size < HUGE_PAGE ? NULL : aligned_alloc(HUGE_PAGE, whole);
	if (!ring)
		return g_malloc(size);
	madvise(ring, whole, MADV_HUGEPAGE);
	return ring;
}

struct transition_log *transition_log_new(unsigned capacity)
{
	struct transition_log *log = g_new0(struct transition_log, 1);
	log->capacity = MAX(capacity, 1);
	log->ring = new_ring(log->capacity);
	return log;
}

void transition_log_free(struct transition_log *log)
{
	if (!log)
		return;
	trace_sites_free(log->sites);
	g_free(log->ring);
	g_free(log);
}

uint64_t transition_log_total(const struct transition_log *log)
{
	return log->total;
}

unsigned transition_log_held(const struct transition_log *log)
{
	return (unsigned)MIN(log->total, log->capacity);
}

const struct transition *transition_log_get(const struct transition_log *log, unsigned n)
{
	uint64_t first = log->total - transition_log_held(log);
	return &log->ring[(first + n) % log->capacity];
}

/* --- noting ----------------------------------------------------------------------- */

void transition_log_record(struct transition_log *log, struct mem *mem)
{
	log->mem = mem;
	log->sites = trace_sites_new();
}

static void begin_event(struct transition_log *log, const struct transition *t, const struct ctx *ctx)
{
	struct trace_event *event = &log->event;
	trace_begin(event, "handover");
	trace_number(event, "sequence", t->sequence);
	trace_string(event, "cause", transition_cause_name(t->cause));
	trace_string(event, "stop", stop_reason_name(t->stop));
	trace_number(event, "detail", t->stop_detail);
	trace_string(event, "from", t->from);
	trace_string(event, "to", t->to);
	trace_string(event, "mode", t->mode);
	trace_place(event, ctx, ctx->rip);
	trace_number(event, "cr0", t->cr0);
	trace_number(event, "rflags", t->rflags);
	trace_number(event, "blocks", t->blocks);
	trace_number(event, "insns", t->insns);
	trace_site_code(log->sites, event, ctx, log->mem, ctx->rip);
}

static void end_event(struct transition_log *log, const struct transition *t)
{
	for (unsigned i = 0; i < TRANSITION_PARTS; i++) {
		g_autofree char *name = g_strdup_printf("%s_ns", transition_part_name((enum transition_part)i));
		trace_number(&log->event, name, t->ns[i]);
	}
	trace_emit(&log->event);
}

void transition_log_ran(struct transition_log *log, const struct ctx *ctx, uint64_t call_ns)
{
	uint64_t known = ctx->ns_load + ctx->ns_run + ctx->ns_exit + ctx->ns_save;
	log->blocks += ctx->blocks_run;
	log->insns += ctx->insns_run;
	log->run_ns += ctx->ns_run;
	log->exit_ns = ctx->ns_exit;
	log->save_ns = ctx->ns_save;
	if (!log->open)
		return;
	struct transition *newest = &log->ring[(log->total - 1) % log->capacity];
	newest->ns[TRANSITION_LOAD] = ctx->ns_load;
	newest->ns[TRANSITION_CHANNEL] = call_ns > known ? call_ns - known : 0;
	log->open = false;
	if (log->sites)
		end_event(log, newest);
}

static enum transition_cause cause_of(const struct transition_log *log, const struct ctx *ctx, bool to_emulator)
{
	if (log->reset)
		return TRANSITION_RESET;
	if (ctx->efer & CTX_EFER_LMA)
		return TRANSITION_LONG_MODE;
	if (!(ctx->cr0 & CTX_CR0_PE))
		return TRANSITION_PE_CLEARED;
	if (ctx->rflags & CTX_EFLAGS_VM)
		return TRANSITION_VM86;
	if (ctx_is_real(ctx))
		return TRANSITION_REAL_SEGMENT;
	if (ctx->stop_detail && ctx->stop_detail < STOP_DETAIL_NEEDED)
		return TRANSITION_REFUSED;
	return to_emulator ? TRANSITION_NEEDED : TRANSITION_REAL_LEFT;
}

void transition_log_add(struct transition_log *log, const struct ctx *ctx, const char *from, const char *to, bool to_emulator,
                        uint64_t guest_ns)
{
	enum transition_cause cause = cause_of(log, ctx, to_emulator);
	log->ring[log->total % log->capacity] = (struct transition){
		.sequence = log->total + 1, .cause = cause,
		.stop = (enum stop_reason)ctx->stop_reason, .stop_detail = ctx->stop_detail,
		.from = from, .to = to, .mode = ctx_mode_name(ctx),
		.cs = ctx->seg[CTX_CS].selector, .ip = ctx->rip, .linear = ctx->seg[CTX_CS].base + ctx->rip,
		.cr0 = ctx->cr0, .rflags = ctx->rflags, .blocks = log->blocks, .insns = log->insns, .guest_ns = guest_ns,
		.ns = { [TRANSITION_EXIT] = log->exit_ns, [TRANSITION_SAVE] = log->save_ns, [TRANSITION_EMULATE] = log->run_ns },
	};
	log->total++;
	log->causes[cause]++;
	log->open = true;
	log->reset = false;
	log->blocks = log->insns = log->run_ns = log->exit_ns = log->save_ns = 0;
	if (log->sites)
		begin_event(log, &log->ring[(log->total - 1) % log->capacity], ctx);
}

void transition_log_reset(struct transition_log *log)
{
	log->reset = true;
}

/* --- showing ------------------------------------------------------------------------ */

const char *transition_cause_name(enum transition_cause cause)
{
	static const char *const names[] = {
		"pe-cleared", "vm86", "real-segment", "real-left", "long-mode", "needed", "refused", "reset",
	};
	_Static_assert(G_N_ELEMENTS(names) == TRANSITION_CAUSES, "one name a cause");
	return names[cause];
}

const char *transition_part_name(enum transition_part part)
{
	static const char *const names[] = { "exit", "save", "channel", "emulate", "load" };
	_Static_assert(G_N_ELEMENTS(names) == TRANSITION_PARTS, "one name a part");
	return names[part];
}

void transition_log_print(const struct transition_log *log, unsigned count, FILE *out)
{
	unsigned held = transition_log_held(log);
	for (unsigned n = held - MIN(held, count); n < held; n++) {
		const struct transition *t = transition_log_get(log, n);
		fprintf(out, "%" PRIu64 " %s -> %s %s %s %04x:%08" PRIx64 " (%08" PRIx64 ") cr0 %08" PRIx64 " flags %08" PRIx64
		        " blocks %" PRIu64 " insns %" PRIu64 "\n", t->sequence, t->from, t->to, transition_cause_name(t->cause),
		        t->mode, t->cs, t->ip, t->linear, t->cr0, t->rflags, t->blocks, t->insns);
	}
}

static int compare(const void *a, const void *b)
{
	const uint64_t *left = a, *right = b;
	return (*left > *right) - (*left < *right);
}

static void summarize_part(const struct transition_log *log, enum transition_part part, uint64_t *values, FILE *out)
{
	unsigned held = transition_log_held(log);
	const char *name = transition_part_name(part);
	uint64_t sum = 0;
	for (unsigned n = 0; n < held; n++)
		sum += values[n] = transition_log_get(log, n)->ns[part];
	qsort(values, held, sizeof *values, compare);
	fprintf(out, "transition-%s-ns-mean %" PRIu64 "\ntransition-%s-ns-median %" PRIu64 "\ntransition-%s-ns-p99 %" PRIu64 "\n",
	        name, sum / held, name, values[(held - 1) / 2], name, values[((uint64_t)held * 99 + 99) / 100 - 1]);
}

void transition_log_summary(const struct transition_log *log, FILE *out)
{
	fprintf(out, "transitions %" PRIu64 "\n", log->total);
	if (log->total > log->capacity)
		fprintf(out, "transitions-kept %u\n", log->capacity);
	for (unsigned i = 0; i < TRANSITION_CAUSES; i++)
		if (log->causes[i])
			fprintf(out, "transition-%s %" PRIu64 "\n", transition_cause_name((enum transition_cause)i), log->causes[i]);
	if (!log->total)
		return;
	uint64_t *values = g_new(uint64_t, transition_log_held(log));
	for (unsigned i = 0; i < TRANSITION_PARTS; i++)
		summarize_part(log, (enum transition_part)i, values, out);
	g_free(values);
}

/* --- files ------------------------------------------------------------------------------ */

static void print_json_ns(const struct transition *t, FILE *out)
{
	for (unsigned i = 0; i < TRANSITION_PARTS; i++)
		fprintf(out, "%s\"%s\": %" PRIu64, i ? ", " : "", transition_part_name((enum transition_part)i), t->ns[i]);
}

/* No name has a character that JSON would want escaped. */
void transition_log_json(const struct transition_log *log, FILE *out)
{
	unsigned held = transition_log_held(log);
	fprintf(out, "{\n\"total\": %" PRIu64 ",\n\"transitions\": [", log->total);
	for (unsigned n = 0; n < held; n++) {
		const struct transition *t = transition_log_get(log, n);
		fprintf(out, "%s\n{\"sequence\": %" PRIu64 ", \"cause\": \"%s\", \"stop\": \"%s\", \"detail\": %u, "
		        "\"from\": \"%s\", \"to\": \"%s\", \"mode\": \"%s\", \"cs\": %u, \"ip\": %" PRIu64 ", \"linear\": %" PRIu64
		        ", \"cr0\": %" PRIu64 ", \"rflags\": %" PRIu64 ", \"blocks\": %" PRIu64 ", \"insns\": %" PRIu64
		        ", \"guest_ns\": %" PRIu64 ", \"ns\": {", n ? "," : "", t->sequence, transition_cause_name(t->cause),
		        stop_reason_name(t->stop), t->stop_detail, t->from, t->to, t->mode, t->cs, t->ip, t->linear, t->cr0,
		        t->rflags, t->blocks, t->insns, t->guest_ns);
		print_json_ns(t, out);
		fputs("}}", out);
	}
	fputs("\n]\n}\n", out);
}

void transition_log_csv(const struct transition_log *log, FILE *out)
{
	unsigned held = transition_log_held(log);
	fputs("sequence,cause,stop,detail,from,to,mode,cs,ip,linear,cr0,rflags,blocks,insns,guest_ns", out);
	for (unsigned i = 0; i < TRANSITION_PARTS; i++)
		fprintf(out, ",%s_ns", transition_part_name((enum transition_part)i));
	fputc('\n', out);
	for (unsigned n = 0; n < held; n++) {
		const struct transition *t = transition_log_get(log, n);
		fprintf(out, "%" PRIu64 ",%s,%s,%u,%s,%s,%s,%u,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
		        ",%" PRIu64, t->sequence, transition_cause_name(t->cause), stop_reason_name(t->stop), t->stop_detail,
		        t->from, t->to, t->mode, t->cs, t->ip, t->linear, t->cr0, t->rflags, t->blocks, t->insns, t->guest_ns);
		for (unsigned i = 0; i < TRANSITION_PARTS; i++)
			fprintf(out, ",%" PRIu64, t->ns[i]);
		fputc('\n', out);
	}
}

bool transition_log_names_format(const char *path)
{
	return g_str_has_suffix(path, ".json") || g_str_has_suffix(path, ".csv");
}

bool transition_log_write(const struct transition_log *log, const char *path, char **error)
{
	FILE *out = fopen(path, "we");
	if (out && g_str_has_suffix(path, ".csv"))
		transition_log_csv(log, out);
	else if (out)
		transition_log_json(log, out);
	bool failed = !out || ferror(out);
	if (out && fclose(out))
		failed = true;
	if (failed)
		*error = g_strdup_printf("%s: %s; give a file that can be written", path, g_strerror(errno));
	return !failed;
}
