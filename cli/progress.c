#include "cli/progress.h"

#include <glib.h>

#define INTERVAL_US 250000

struct progress {
	FILE *out;
	struct clock *clock;
	const struct ctx *ctx;
	const struct conduct *conduct;
	int64_t drawn_us;  /* host's monotonic time */
	uint64_t insns;    /* at that time */
};

struct progress *progress_new(FILE *out, struct clock *clock, const struct ctx *ctx, const struct conduct *conduct)
{
	struct progress *progress = g_new0(struct progress, 1);
	*progress = (struct progress){
		.out = out, .clock = clock, .ctx = ctx, .conduct = conduct, .drawn_us = g_get_monotonic_time(),
	};
	return progress;
}

void progress_free(struct progress *progress)
{
	if (!progress)
		return;
	fputs("\r\033[K", progress->out);
	fflush(progress->out);
	g_free(progress);
}

void progress_update(struct progress *progress)
{
	if (!progress)
		return;
	int64_t now_us = g_get_monotonic_time(), passed_us = now_us - progress->drawn_us;
	if (passed_us < INTERVAL_US)
		return;
	uint64_t insns = conduct_stats(progress->conduct)->insns;
	double rate = (double)(insns - progress->insns) / (double)passed_us;
	fprintf(progress->out, "\r%9.2f s  %-10s %8.1f M insn/s\033[K", (double)clock_now(progress->clock) / 1e9,
	        progress->ctx->halted ? "halted" : ctx_mode_name(progress->ctx), rate);
	fflush(progress->out);
	progress->drawn_us = now_us;
	progress->insns = insns;
}
