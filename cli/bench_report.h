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
	/* Far-jump, hybrid, threshold 0; the KVM_RUNs in it as kvm-trip and as kvm-stop. Lower
	 * quartiles of processor time. */
	double round_ns, floor_ns, stop_ns;
	double ratio;              /* by kvm-trip, median of pairs; 0: not measured */
	double page_ns;            /* context to struct kvm_run and back */
	double log_percent;        /* what the log adds, median of pairs; NAN: not measured */
};
/* Median of the quotients of samples of the same turn; 0: there are none. */
double bench_report_ratio(const struct bench_case *one, const struct bench_case *other);
void bench_report_targets(const struct bench_plan *plan, struct bench_targets *targets);

#endif
