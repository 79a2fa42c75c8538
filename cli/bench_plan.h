/* Which cases `v2e bench` measures. */
#ifndef V2E_CLI_BENCH_PLAN_H
#define V2E_CLI_BENCH_PLAN_H

#include "cli/bench_options.h"

/* Why a case is there; plots are drawn by it. */
enum bench_question {
	BENCH_Q_FLOOR,     /* what it cannot cost less than */
	BENCH_Q_SWITCH,    /* each guest on each engine */
	BENCH_Q_CHANNEL,   /* one guest over each channel */
	BENCH_Q_WATCH,     /* and by each way to see the boundary */
	BENCH_Q_THRESHOLD, /* 1,000 instructions of protected mode by threshold */
	BENCH_Q_MIXTURE,   /* how much protected mode makes a hand-over pay */
	BENCH_Q_SELECTED,  /* the user said so */
	BENCH_Q_TARGET,    /* a round trip, its floor and the log, in many pairs */
	BENCH_QUESTIONS,
};
const char *bench_question_name(enum bench_question question);

struct bench_case {
	enum bench_question question;
	unsigned subject;         /* its index in the plan */
	struct bench_order order; /* rounds: bench_sample.c finds out */
	unsigned wanted;          /* samples */
	/* Results. Of each sample: ns and cycles of a round, and ns of processor time. */
	double *ns, *cycles, *cpu_ns;
	unsigned samples;
	double handovers, exits;  /* a round's, on average */
	double part_ns[TRANSITION_PARTS];
	char *error;              /* why there are none, or no more */
};

struct bench_plan {
	GPtrArray *subjects; /* struct bench_subject */
	GArray *cases;       /* struct bench_case */
	GPtrArray *notes;    /* lines: what is left out, and why */
	unsigned samples;    /* of most cases */
	struct hv_probe *probe;
};

/* Probes KVM and looks for QEMU. */
struct bench_plan *bench_plan_new(const struct bench_options *options);
void bench_plan_free(struct bench_plan *plan);

struct bench_case *bench_plan_case(const struct bench_plan *plan, unsigned n);
const struct bench_subject *bench_plan_subject(const struct bench_plan *plan, const struct bench_case *one);

#endif
