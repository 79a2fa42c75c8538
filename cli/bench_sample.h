/* Takes the samples of a plan, and what can be said of them. */
#ifndef V2E_CLI_BENCH_SAMPLE_H
#define V2E_CLI_BENCH_SAMPLE_H

#include "cli/bench_plan.h"

/* Starts a process a subject, finds out how many rounds a sample of each case takes,
 * then goes round the cases as often as they want, one sample of each: the n-th samples of
 * all cases saw the same weather. Ends early when `stop` becomes true; calls `progress`
 * now and then. */
struct bench_progress {
	void (*show)(void *owner, unsigned done, unsigned all);
	bool (*stop)(void *owner);
	void *owner;
};
void bench_sample_all(struct bench_plan *plan, uint64_t sample_ns, const struct bench_progress *progress);

/* The value below which `part` (0 to 1) of the `count` lie, between two of them by
 * straight line; 0 of none. */
double bench_quantile(const double *values, unsigned count, double part);

#endif
