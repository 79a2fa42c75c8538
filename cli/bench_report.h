/* What `v2e bench` found, as a table, CSV and JSON. */
#ifndef V2E_CLI_BENCH_REPORT_H
#define V2E_CLI_BENCH_REPORT_H

#include <stdio.h>

#include "cli/bench_plan.h"

void bench_report_table(const struct bench_plan *plan, FILE *out);
void bench_report_csv(const struct bench_plan *plan, FILE *out);
void bench_report_json(const struct bench_plan *plan, FILE *out);

/* The targets, and how far from them this host is. */
struct bench_targets {
	double round_ns, floor_ns; /* far-jump, hybrid, threshold 0; the stops in it */
	double ratio;              /* of the two; 0: not measured */
	double page_ns;            /* context to struct kvm_run and back */
	double log_percent;        /* what the log adds; NAN: not measured */
};
void bench_report_targets(const struct bench_plan *plan, struct bench_targets *targets);

#endif
