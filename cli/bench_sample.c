#include "cli/bench_sample.h"

#include <stdlib.h>
#include <string.h>

#include "cli/bench_worker.h"

/* The frame of a sample, an order and two answers, is to vanish among its rounds. */
#define ROUNDS_FIRST 16u
#define ROUNDS_MIN   4u
#define ROUNDS_MAX   (1u << 26)
#define GROWTH_MAX   16u
#define TRIES_MIN    2u
#define TRIES_MAX    10u

/* --- numbers ------------------------------------------------------------------------------ */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

double bench_quantile(const double *values, unsigned count, double part)
{
	if (!count)
		return 0;
	double *sorted = g_memdup2(values, count * sizeof *values);
	qsort(sorted, count, sizeof *sorted, compare);
	double at = part * (count - 1);
	unsigned below = (unsigned)at, above = MIN(below + 1, count - 1);
	double value = sorted[below] + (at - below) * (sorted[above] - sorted[below]);
	g_free(sorted);
	return value;
}

/* --- samples -------------------------------------------------------------------------------- */

struct sampler {
	struct bench_plan *plan;
	struct bench_worker **workers; /* by subject */
	const struct bench_progress *progress;
	uint64_t sample_ns;
	unsigned done, all; /* samples, with calibration */
};

static bool step(struct sampler *sampler)
{
	const struct bench_progress *progress = sampler->progress;
	progress->show(progress->owner, sampler->done, sampler->all);
	sampler->done++;
	return !progress->stop(progress->owner);
}

static bool ask(struct sampler *sampler, struct bench_case *one, struct bench_answer *answer)
{
	bench_worker_ask(sampler->workers[one->subject], &one->order, answer);
	if (!*answer->error)
		return true;
	g_free(one->error);
	one->error = g_strdup(answer->error);
	return false;
}

/* Until the rounds fill the time. What comes first is slow: it warms up. */
static void calibrate(struct sampler *sampler, struct bench_case *one)
{
	struct bench_answer answer;
	uint64_t rounds = ROUNDS_FIRST;
	for (unsigned tries = 0; tries < TRIES_MAX; tries++) {
		one->order.rounds = (uint32_t)rounds;
		if (!ask(sampler, one, &answer))
			return;
		uint64_t wanted = rounds * sampler->sample_ns / MAX(answer.ns, 1);
		uint64_t next = CLAMP(wanted, MAX(ROUNDS_MIN, rounds / GROWTH_MAX), MIN(ROUNDS_MAX, rounds * GROWTH_MAX));
		if (tries >= TRIES_MIN && next < rounds + rounds / 4 && next + rounds / 4 > rounds)
			return;
		rounds = next;
	}
}

static void sample(struct sampler *sampler, struct bench_case *one)
{
	struct bench_answer answer;
	if (one->error || !ask(sampler, one, &answer))
		return;
	double rounds = one->order.rounds, samples = one->wanted;
	one->ns[one->samples] = (double)answer.ns / rounds;
	one->cycles[one->samples] = (double)answer.cycles / rounds;
	one->cpu_ns[one->samples] = (double)answer.cpu_ns / rounds;
	one->handovers += (double)answer.handovers / rounds / samples;
	one->exits += (double)answer.exits / rounds / samples;
	for (unsigned part = 0; part < TRANSITION_PARTS; part++)
		one->part_ns[part] += (double)answer.part_ns[part] / rounds / samples;
	one->samples++;
}

static bool calibrate_all(struct sampler *sampler)
{
	for (unsigned n = 0; n < sampler->plan->cases->len; n++) {
		struct bench_case *one = bench_plan_case(sampler->plan, n);
		one->ns = g_new0(double, one->wanted);
		one->cycles = g_new0(double, one->wanted);
		one->cpu_ns = g_new0(double, one->wanted);
		if (!step(sampler))
			return false;
		calibrate(sampler, one);
	}
	return true;
}

/* Cases that want more go on among themselves, and to and fro: what the one before leaves
 * in the caches favours none. */
static void go_round(struct sampler *sampler, unsigned rounds)
{
	unsigned cases = sampler->plan->cases->len;
	for (unsigned s = 0; s < rounds; s++)
		for (unsigned n = 0; n < cases; n++) {
			struct bench_case *one = bench_plan_case(sampler->plan, s % 2 ? cases - 1 - n : n);
			if (s >= one->wanted)
				continue;
			if (!step(sampler))
				return;
			sample(sampler, one);
		}
}

void bench_sample_all(struct bench_plan *plan, uint64_t sample_ns, const struct bench_progress *progress)
{
	unsigned subjects = plan->subjects->len, rounds = 0;
	struct sampler sampler = {
		.plan = plan, .workers = g_new0(struct bench_worker *, subjects), .progress = progress,
		.sample_ns = sample_ns,
	};
	for (unsigned n = 0; n < plan->cases->len; n++) {
		rounds = MAX(rounds, bench_plan_case(plan, n)->wanted);
		sampler.all += bench_plan_case(plan, n)->wanted + 1;
	}
	for (unsigned n = 0; n < subjects; n++)
		sampler.workers[n] = bench_worker_new(plan->subjects->pdata[n]);
	if (calibrate_all(&sampler))
		go_round(&sampler, rounds);
	for (unsigned n = 0; n < subjects; n++)
		bench_worker_free(sampler.workers[n]);
	g_free(sampler.workers);
}
