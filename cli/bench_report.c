#include "cli/bench_report.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "cli/bench_host.h"
#include "cli/bench_sample.h"
#include "cli/json.h"

static const double parts_of_all[] = { 0.25, 0.5, 0.75, 0.99 };
#define PARTS G_N_ELEMENTS(parts_of_all)
enum { P25, P50, P75, P99 };

struct quantiles {
	double ns[PARTS], cycles[PARTS];
};

static struct quantiles quantiles_of(const struct bench_case *one)
{
	struct quantiles quantiles;
	for (unsigned n = 0; n < PARTS; n++) {
		quantiles.ns[n] = bench_quantile(one->ns, one->samples, parts_of_all[n]);
		quantiles.cycles[n] = bench_quantile(one->cycles, one->samples, parts_of_all[n]);
	}
	return quantiles;
}

/* --- the names of a case ------------------------------------------------------------------ */

static const char *channel_name(const struct bench_subject *subject)
{
	static const char *const names[] = { "inline", "futex", "eventfd", "process" };
	return subject->kind == BENCH_EMU || subject->kind == BENCH_HYBRID ? names[subject->channel] : "";
}

static const char *jit_name(const struct bench_subject *subject)
{
	static const char *const names[] = { "off", "on", "always" };
	return subject->kind == BENCH_EMU || subject->kind == BENCH_HYBRID ? names[subject->jit] : "";
}

static const char *watch_name(const struct bench_subject *subject)
{
	return subject->kind == BENCH_HYBRID || subject->kind == BENCH_STOP || subject->kind == BENCH_TRIP ? hv_watch_name(subject->watch) : "";
}

static char *threshold_name(const struct bench_subject *subject)
{
	if (subject->kind != BENCH_HYBRID || subject->policy != POLICY_V2E)
		return g_strdup("");
	return subject->threshold == UINT64_MAX ? g_strdup("inf") : g_strdup_printf("%" PRIu64, subject->threshold);
}

static const char *guest_name(const struct bench_case *one, const struct bench_subject *subject)
{
	return bench_kind_is_floor(subject->kind) && subject->kind != BENCH_TRIP ? "" : bench_guest_name((enum bench_guest_number)one->order.guest);
}

/* --- the table ------------------------------------------------------------------------------ */

static char *describe(const struct bench_case *one, const struct bench_subject *subject)
{
	GString *text = g_string_new(bench_kind_name(subject->kind));
	g_autofree char *threshold = threshold_name(subject);
	const char *policy = subject->kind == BENCH_HYBRID && subject->policy != POLICY_V2E ? policy_name(subject->policy) : "";
	g_autofree char *jit = *jit_name(subject) && subject->jit != EMU_JIT_ON ? g_strdup_printf("jit=%s", jit_name(subject)) : g_strdup("");
	const char *const words[] = { channel_name(subject), jit, watch_name(subject), policy, threshold, one->order.log ? "log" : "" };
	for (size_t n = 0; n < G_N_ELEMENTS(words); n++)
		if (*words[n] && strcmp(words[n], "inline"))
			g_string_append_printf(text, " %s", words[n]);
	return g_string_free(text, FALSE);
}

static void print_row(const struct bench_plan *plan, const struct bench_case *one, FILE *out)
{
	const struct bench_subject *subject = bench_plan_subject(plan, one);
	g_autofree char *name = describe(one, subject);
	struct quantiles q = quantiles_of(one);
	fprintf(out, "%-9s %-24s", guest_name(one, subject), name);
	if (!bench_kind_is_floor(subject->kind))
		fprintf(out, " %6u %6u", one->order.real_turns * 2, one->order.protected_turns * 2);
	else
		fprintf(out, " %6s %6s", "", "");
	if (one->samples)
		fprintf(out, " %11.1f %11.1f %11.1f %11.1f %12.0f %6.2f %6.2f\n", q.ns[P50], q.ns[P25], q.ns[P75], q.ns[P99],
		        q.cycles[P50], one->handovers, one->exits);
	else
		fprintf(out, " %s\n", one->error ? one->error : "not measured");
}

static void print_targets(const struct bench_plan *plan, FILE *out)
{
	struct bench_targets targets;
	bench_report_targets(plan, &targets);
	fputs("\nTargets\n", out);
	if (targets.ratio > 0)
		fprintf(out, "a hybrid round trip by the KVM_RUNs in it     %8.2f  (at most 1.30: %.0f ns by %.0f ns)\n", targets.ratio,
		        targets.round_ns, targets.floor_ns);
	if (targets.ratio > 0 && targets.stop_ns > 0)
		fprintf(out, "  and by kvm-stop, with its four instructions %8.2f  (%.0f ns)\n", targets.round_ns / targets.stop_ns,
		        targets.stop_ns);
	if (targets.page_ns > 0)
		fprintf(out, "save and load of the context, no system call  %8.1f ns  (less than 300)\n", targets.page_ns);
	if (!isnan(targets.log_percent))
		fprintf(out, "what the log of transitions adds              %8.2f %%  (less than 2)\n", targets.log_percent);
}

void bench_report_table(const struct bench_plan *plan, FILE *out)
{
	int question = -1;
	for (unsigned n = 0; n < plan->cases->len; n++) {
		const struct bench_case *one = bench_plan_case(plan, n);
		if ((int)one->question != question)
			fprintf(out, "%s%-9s %-24s %6s %6s %11s %11s %11s %11s %12s %6s %6s\n", question < 0 ? "" : "\n",
			        bench_question_name(one->question), "", "real", "prot", "median ns", "25 %", "75 %", "99 %", "cycles",
			        "hands", "runs");
		question = (int)one->question;
		print_row(plan, one, out);
	}
	print_targets(plan, out);
	for (unsigned n = 0; n < plan->notes->len; n++)
		fprintf(out, "note: %s\n", (const char *)plan->notes->pdata[n]);
}

/* --- targets ---------------------------------------------------------------------------------- */

/* The first case with results that is so. */
static const struct bench_case *find(const struct bench_plan *plan, enum bench_question question, enum bench_kind kind, bool log)
{
	for (unsigned n = 0; n < plan->cases->len; n++) {
		const struct bench_case *one = bench_plan_case(plan, n);
		const struct bench_subject *subject = bench_plan_subject(plan, one);
		bool watches = kind == BENCH_STOP;
		if (one->question == question && one->samples && subject->kind == kind && one->order.log == log &&
		    (!watches || subject->watch == plan->probe->best))
			return one;
	}
	return NULL;
}

/* Of the processor time of `one` by that of `other`, sample by sample; 0: not known. */
double bench_report_ratio(const struct bench_case *one, const struct bench_case *other)
{
	unsigned count = one && other ? MIN(one->samples, other->samples) : 0;
	double *ratios = g_new0(double, count + 1);
	for (unsigned n = 0; n < count; n++)
		ratios[n] = one->cpu_ns[n] / MAX(other->cpu_ns[n], 1);
	double median = bench_quantile(ratios, count, 0.5);
	g_free(ratios);
	return median;
}

/* Load of the host only adds to a sample: the lower quartile is what it reaches last. */
static double lower_quartile(const double *samples, const struct bench_case *one)
{
	return one ? bench_quantile(samples, one->samples, 0.25) : 0;
}

void bench_report_targets(const struct bench_plan *plan, struct bench_targets *targets)
{
	const struct bench_case *trip = find(plan, BENCH_Q_TARGET, BENCH_TRIP, false);
	const struct bench_case *without = find(plan, BENCH_Q_TARGET, BENCH_HYBRID, false);
	const struct bench_case *with = find(plan, BENCH_Q_TARGET, BENCH_HYBRID, true);
	const struct bench_case *stop = find(plan, BENCH_Q_FLOOR, BENCH_STOP, false);
	const struct bench_case *page = find(plan, BENCH_Q_FLOOR, BENCH_PAGE, false);
	double runs = without ? without->exits : 0, log = bench_report_ratio(with, without);
	*targets = (struct bench_targets){
		.round_ns = without ? lower_quartile(without->cpu_ns, without) : 0,
		.floor_ns = trip ? runs * lower_quartile(trip->cpu_ns, trip) : 0,
		.stop_ns = stop ? runs * lower_quartile(stop->cpu_ns, stop) : 0,
		.page_ns = page ? lower_quartile(page->cpu_ns, page) : 0,
		.log_percent = log > 0 ? 100 * (log - 1) : NAN,
	};
	if (runs > 0)
		targets->ratio = bench_report_ratio(without, trip) / runs;
}

/* --- CSV --------------------------------------------------------------------------------------- */

static void csv_parts(const struct bench_case *one, FILE *out)
{
	for (unsigned part = 0; part < TRANSITION_PARTS; part++) {
		fputc(',', out);
		if (one->order.log)
			fprintf(out, "%.1f", one->part_ns[part]);
	}
}

static void csv_row(const struct bench_plan *plan, const struct bench_case *one, const struct bench_host *host, FILE *out)
{
	const struct bench_subject *subject = bench_plan_subject(plan, one);
	g_autofree char *threshold = threshold_name(subject);
	g_autofree char *error = g_strdelimit(g_strdup(one->error ? one->error : ""), ",\"\n", ' ');
	struct quantiles q = quantiles_of(one);
	bool guest = !bench_kind_is_floor(subject->kind);
	fprintf(out, "%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,", host->machine, host->revision, bench_question_name(one->question),
	        guest_name(one, subject), bench_kind_name(subject->kind), channel_name(subject), watch_name(subject),
	        subject->kind == BENCH_HYBRID ? policy_name(subject->policy) : "", threshold, one->order.log ? "on" : "off",
	        jit_name(subject));
	if (guest)
		fprintf(out, "%u,%u", one->order.real_turns * 2, one->order.protected_turns * 2);
	else
		fputc(',', out);
	fprintf(out, ",%u,%u", one->samples, one->order.rounds);
	for (unsigned n = 0; n < PARTS; n++)
		one->samples ? fprintf(out, ",%.1f", q.ns[n]) : fputc(',', out);
	for (unsigned n = 0; n < PARTS; n++)
		one->samples ? fprintf(out, ",%.0f", q.cycles[n]) : fputc(',', out);
	fprintf(out, ",%.3f,%.3f", one->handovers, one->exits);
	csv_parts(one, out);
	fprintf(out, ",%s\n", error);
}

void bench_report_csv(const struct bench_plan *plan, FILE *out)
{
	struct bench_host host;
	bench_host_get(&host);
	fputs("machine,revision,question,guest,engine,channel,watch,policy,threshold,log,jit,real,protected,samples,rounds,p25_ns,median_ns,p75_ns,"
	      "p99_ns,p25_cycles,median_cycles,p75_cycles,p99_cycles,handovers,kvm_runs", out);
	for (unsigned part = 0; part < TRANSITION_PARTS; part++)
		fprintf(out, ",%s_ns", transition_part_name((enum transition_part)part));
	fputs(",error\n", out);
	for (unsigned n = 0; n < plan->cases->len; n++)
		csv_row(plan, bench_plan_case(plan, n), &host, out);
	bench_host_clear(&host);
}

/* --- JSON ---------------------------------------------------------------------------------------- */

static void json_field(const char *name, const char *text, FILE *out)
{
	fprintf(out, "\"%s\": ", name);
	json_print_string(text, out);
	fputs(", ", out);
}

static void json_quantiles(const char *unit, const double *quantiles, FILE *out)
{
	static const char *const names[PARTS] = { "p25", "median", "p75", "p99" };
	for (unsigned n = 0; n < PARTS; n++)
		fprintf(out, ", \"%s_%s\": %.1f", names[n], unit, quantiles[n]);
}

static void json_samples(const char *name, const double *values, unsigned count, FILE *out)
{
	fprintf(out, ",\n      \"%s\": [", name);
	for (unsigned n = 0; n < count; n++)
		fprintf(out, "%s%.1f", n ? ", " : "", values[n]);
	fputc(']', out);
}

static void json_results(const struct bench_case *one, FILE *out)
{
	struct quantiles q = quantiles_of(one);
	json_quantiles("ns", q.ns, out);
	json_quantiles("cycles", q.cycles, out);
	fprintf(out, ", \"handovers\": %.3f, \"kvm_runs\": %.3f", one->handovers, one->exits);
	for (unsigned part = 0; one->order.log && part < TRANSITION_PARTS; part++)
		fprintf(out, ", \"%s_ns\": %.1f", transition_part_name((enum transition_part)part), one->part_ns[part]);
	json_samples("samples_ns", one->ns, one->samples, out);
	if (one->cpu_ns[0] > 0)
		json_samples("samples_cpu_ns", one->cpu_ns, one->samples, out);
}

static void json_case(const struct bench_plan *plan, const struct bench_case *one, FILE *out)
{
	const struct bench_subject *subject = bench_plan_subject(plan, one);
	g_autofree char *threshold = threshold_name(subject);
	fputs("    { ", out);
	json_field("question", bench_question_name(one->question), out);
	json_field("guest", guest_name(one, subject), out);
	json_field("engine", bench_kind_name(subject->kind), out);
	json_field("channel", channel_name(subject), out);
	json_field("jit", jit_name(subject), out);
	json_field("watch", watch_name(subject), out);
	json_field("policy", subject->kind == BENCH_HYBRID ? policy_name(subject->policy) : "", out);
	json_field("threshold", threshold, out);
	if (one->error)
		json_field("error", one->error, out);
	fprintf(out, "\"log\": %s, \"real\": %u, \"protected\": %u, \"samples\": %u, \"rounds\": %u", one->order.log ? "true" : "false",
	        one->order.real_turns * 2, one->order.protected_turns * 2, one->samples, one->order.rounds);
	if (one->samples)
		json_results(one, out);
	fputs(" }", out);
}

static void json_number(const char *name, double value, bool known, FILE *out)
{
	if (known)
		fprintf(out, "\"%s\": %.3f", name, value);
	else
		fprintf(out, "\"%s\": null", name);
}

static void json_targets(const struct bench_plan *plan, FILE *out)
{
	struct bench_targets targets;
	bench_report_targets(plan, &targets);
	fputs("  \"targets\": { ", out);
	json_number("round_trip_by_floor", targets.ratio, targets.ratio > 0, out);
	fputs(", ", out);
	json_number("page_ns", targets.page_ns, targets.page_ns > 0, out);
	fputs(", ", out);
	json_number("log_percent", targets.log_percent, !isnan(targets.log_percent), out);
	fputs(" },\n", out);
}

void bench_report_json(const struct bench_plan *plan, FILE *out)
{
	struct bench_host host;
	bench_host_get(&host);
	fputs("{\n  ", out);
	json_field("machine", host.machine, out);
	json_field("kernel", host.kernel, out);
	json_field("kvm", plan->probe->error ? plan->probe->error : hv_vendor_name(plan->probe->vendor), out);
	json_field("revision", host.revision, out);
	json_field("date", host.date, out);
	fputs("\n", out);
	json_targets(plan, out);
	fputs("  \"notes\": [", out);
	for (unsigned n = 0; n < plan->notes->len; n++) {
		fputs(n ? ", " : "", out);
		json_print_string(plan->notes->pdata[n], out);
	}
	fputs("],\n  \"cases\": [\n", out);
	for (unsigned n = 0; n < plan->cases->len; n++) {
		fputs(n ? ",\n" : "", out);
		json_case(plan, bench_plan_case(plan, n), out);
	}
	fputs("\n  ]\n}\n", out);
	bench_host_clear(&host);
}
