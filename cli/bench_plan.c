#include "cli/bench_plan.h"

/* Instructions of the mixtures, and what a slow KVM is spared. */
#define MIXTURE_REAL 100u
#define THRESHOLD_PROTECTED 1000u
static const uint32_t mixtures[] = { 0, 100, 1000, 10000, 100000 };
#define MIXTURE_SLOW_MAX 10000u
static const uint64_t thresholds[] = { 0, 1, 10, 100, 1000, 10000, UINT64_MAX };
static const uint64_t few_thresholds[] = { 0, 1000, UINT64_MAX };
static const enum bench_guest_number few_guests[] = { BENCH_FAR_JUMP, BENCH_SEABIOS, BENCH_VM86 };

const char *bench_question_name(enum bench_question question)
{
	static const char *const names[] = { "floor", "switch", "channel", "watch", "threshold", "mixture", "selected", "target" };
	return names[question];
}

struct bench_case *bench_plan_case(const struct bench_plan *plan, unsigned n)
{
	return &g_array_index(plan->cases, struct bench_case, n);
}

const struct bench_subject *bench_plan_subject(const struct bench_plan *plan, const struct bench_case *one)
{
	return plan->subjects->pdata[one->subject];
}

/* --- adding ----------------------------------------------------------------------------- */

static bool has_kvm(const struct bench_plan *plan)
{
	return !plan->probe->error;
}

static struct bench_subject make_subject(const struct bench_plan *plan, enum bench_kind kind)
{
	return (struct bench_subject){
		.kind = kind, .jit = EMU_JIT_ON, .watch = has_kvm(plan) ? plan->probe->best : HV_WATCH_LAZY, .probe = plan->probe,
	};
}

/* A hybrid learns, and a trip has a machine for its guest: each case has its own. */
static unsigned add_subject(struct bench_plan *plan, const struct bench_subject *subject)
{
	bool alone = subject->kind == BENCH_HYBRID || subject->kind == BENCH_TRIP;
	for (unsigned n = 0; !alone && n < plan->subjects->len; n++)
		if (bench_subject_equal(plan->subjects->pdata[n], subject))
			return n;
	g_ptr_array_add(plan->subjects, g_memdup2(subject, sizeof *subject));
	return plan->subjects->len - 1;
}

static struct bench_case *add_case(struct bench_plan *plan, enum bench_question question, const struct bench_subject *subject,
                                   uint64_t guest, uint64_t real, uint64_t protected)
{
	struct bench_case new = {
		.question = question, .subject = add_subject(plan, subject), .wanted = plan->samples,
		.order = { .guest = (uint32_t)guest, .real_turns = (uint32_t)(real / 2), .protected_turns = (uint32_t)(protected / 2) },
	};
	g_array_append_val(plan->cases, new);
	return bench_plan_case(plan, plan->cases->len - 1);
}

static void note(struct bench_plan *plan, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void note(struct bench_plan *plan, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	for (unsigned n = 0; n < plan->notes->len; n++)
		if (!g_strcmp0(plan->notes->pdata[n], text))
			return;
	g_ptr_array_add(plan->notes, g_steal_pointer(&text));
}

/* --- what there is ---------------------------------------------------------------------- */

static bool has_qemu(struct bench_plan *plan)
{
	g_autofree char *path = g_find_program_in_path("qemu-system-i386");
	if (!path)
		note(plan, "no qemu-system-i386 (Debian: apt install qemu-system-x86): QEMU is not measured");
	return path;
}

static bool can_have(struct bench_plan *plan, enum bench_kind kind)
{
	bool wants_kvm = kind == BENCH_KVM || kind == BENCH_HYBRID || kind == BENCH_QEMU_KVM;
	if (wants_kvm && !has_kvm(plan)) {
		note(plan, "%s: KVM is not measured", plan->probe->error);
		return false;
	}
	return kind < BENCH_QEMU_TCG || has_qemu(plan);
}

static bool can_watch(struct bench_plan *plan, enum hv_watch watch)
{
	if (!has_kvm(plan) || plan->probe->watch[watch].usable)
		return has_kvm(plan);
	note(plan, "watch %s is not measured: %s", hv_watch_name(watch), plan->probe->watch[watch].remedy);
	return false;
}

/* --- floors ------------------------------------------------------------------------------- */

static void add_floors(struct bench_plan *plan)
{
	for (unsigned kind = BENCH_CALL; kind < BENCH_KINDS; kind++) {
		struct bench_subject subject = make_subject(plan, (enum bench_kind)kind);
		if (kind == BENCH_EXIT && !has_kvm(plan))
			continue;
		if (kind != BENCH_STOP && kind != BENCH_TRIP) {
			add_case(plan, BENCH_Q_FLOOR, &subject, 0, 0, 0);
			continue;
		}
		for (unsigned watch = HV_WATCH_TRACE; watch < HV_WATCHES; watch++) {
			subject.watch = (enum hv_watch)watch;
			/* Nothing ends a trip of a guest that makes no exit. */
			if (can_watch(plan, subject.watch) && !(kind == BENCH_TRIP && watch == HV_WATCH_LAZY))
				add_case(plan, BENCH_Q_FLOOR, &subject, 0, 0, 0);
		}
	}
}

/* --- without a selection -------------------------------------------------------------------- */

static struct bench_subject make_hybrid(const struct bench_plan *plan, uint64_t threshold)
{
	struct bench_subject subject = make_subject(plan, BENCH_HYBRID);
	subject.threshold = threshold;
	return subject;
}

static struct bench_subject make_adaptive(const struct bench_plan *plan)
{
	struct bench_subject subject = make_subject(plan, BENCH_HYBRID);
	subject.policy = POLICY_ADAPTIVE;
	return subject;
}

/* Guests whose way through KVM ends by MOV to CR0, and is the same when it is gone again. */
static bool has_trip(enum bench_guest_number guest)
{
	return guest != BENCH_VM86 && guest != BENCH_GFXBOOT;
}

static void add_switches_of(struct bench_plan *plan, enum bench_guest_number guest)
{
	struct bench_subject trip = make_subject(plan, BENCH_TRIP);
	if (has_kvm(plan) && has_trip(guest) && trip.watch != HV_WATCH_LAZY)
		add_case(plan, BENCH_Q_SWITCH, &trip, guest, 0, 0);
	for (unsigned kind = BENCH_EMU; kind <= BENCH_QEMU_KVM; kind++) {
		struct bench_subject subject = make_subject(plan, (enum bench_kind)kind);
		if (!can_have(plan, subject.kind))
			continue;
		add_case(plan, BENCH_Q_SWITCH, &subject, guest, 0, 0);
		if (kind != BENCH_HYBRID)
			continue;
		subject.threshold = 1000;
		add_case(plan, BENCH_Q_SWITCH, &subject, guest, 0, 0);
		subject = make_adaptive(plan);
		add_case(plan, BENCH_Q_SWITCH, &subject, guest, 0, 0);
	}
}

static void add_switches(struct bench_plan *plan, bool quick)
{
	if (quick)
		for (size_t i = 0; i < G_N_ELEMENTS(few_guests); i++)
			add_switches_of(plan, few_guests[i]);
	else
		for (unsigned guest = 0; guest < BENCH_GUESTS; guest++)
			add_switches_of(plan, (enum bench_guest_number)guest);
}

static void add_ways(struct bench_plan *plan)
{
	struct bench_subject subject = make_hybrid(plan, 0);
	for (unsigned channel = RUN_CHANNEL_INLINE; channel <= RUN_CHANNEL_PROCESS; channel++) {
		subject.channel = (enum run_channel)channel;
		add_case(plan, BENCH_Q_CHANNEL, &subject, BENCH_FAR_JUMP, 0, 0);
	}
	subject = make_hybrid(plan, 0);
	for (unsigned watch = HV_WATCH_TRACE; watch < HV_WATCHES; watch++) {
		subject.watch = (enum hv_watch)watch;
		if (can_watch(plan, subject.watch))
			add_case(plan, BENCH_Q_WATCH, &subject, BENCH_FAR_JUMP, 0, 0);
	}
}

/* So many pairs that the median of their ratios is steady to a fraction of a percent. */
#define PAIRS 200u

/* Hybrids are one machine with the log and without: two differ by more than the log. */
static void add_targets(struct bench_plan *plan, bool quick)
{
	struct bench_subject trip = make_subject(plan, BENCH_TRIP), hybrid = make_hybrid(plan, 0);
	unsigned first = plan->cases->len;
	if (!has_kvm(plan) || trip.watch == HV_WATCH_LAZY)
		return;
	add_case(plan, BENCH_Q_TARGET, &trip, BENCH_FAR_JUMP, 0, 0);
	struct bench_case with = *add_case(plan, BENCH_Q_TARGET, &hybrid, BENCH_FAR_JUMP, 0, 0);
	with.order.log = true;
	g_array_append_val(plan->cases, with);
	for (unsigned n = first; n < plan->cases->len && !quick; n++)
		bench_plan_case(plan, n)->wanted = MAX(plan->samples, PAIRS);
}

static void add_thresholds(struct bench_plan *plan, bool quick)
{
	const uint64_t *list = quick ? few_thresholds : thresholds;
	size_t count = quick ? G_N_ELEMENTS(few_thresholds) : G_N_ELEMENTS(thresholds);
	for (size_t i = 0; i < count; i++) {
		struct bench_subject subject = make_hybrid(plan, list[i]);
		add_case(plan, BENCH_Q_THRESHOLD, &subject, BENCH_PM32, 0, THRESHOLD_PROTECTED);
	}
	struct bench_subject adaptive = make_adaptive(plan);
	add_case(plan, BENCH_Q_THRESHOLD, &adaptive, BENCH_PM32, 0, THRESHOLD_PROTECTED);
}

static void add_mixtures(struct bench_plan *plan, bool quick)
{
	bool native = plan->probe->mode[HV_MODE_PM32].runs == HV_NATIVE;
	for (size_t m = quick ? 2 : 0; m < G_N_ELEMENTS(mixtures); m += quick ? 2 : 1) {
		if (mixtures[m] > MIXTURE_SLOW_MAX && !native)
			continue;
		for (size_t i = 0; i < G_N_ELEMENTS(few_thresholds); i++) {
			struct bench_subject subject = make_hybrid(plan, few_thresholds[i]);
			add_case(plan, BENCH_Q_MIXTURE, &subject, BENCH_PM32, MIXTURE_REAL, mixtures[m]);
		}
		struct bench_subject adaptive = make_adaptive(plan);
		add_case(plan, BENCH_Q_MIXTURE, &adaptive, BENCH_PM32, MIXTURE_REAL, mixtures[m]);
	}
}

static void add_default(struct bench_plan *plan, bool quick)
{
	add_switches(plan, quick);
	if (!has_kvm(plan))
		return;
	add_ways(plan);
	add_thresholds(plan, quick);
	add_mixtures(plan, quick);
	add_targets(plan, quick);
}

/* --- with a selection: all combinations ------------------------------------------------------- */

/* What a list says, or what goes for it. */
struct values {
	const uint64_t *value;
	unsigned count;
};

static struct values values_of(const GArray *list, const uint64_t *otherwise, unsigned count)
{
	if (list->len)
		return (struct values){ (const uint64_t *)(const void *)list->data, list->len };
	return (struct values){ otherwise, count };
}

static void add_orders(struct bench_plan *plan, const struct bench_options *options, const struct bench_subject *subject)
{
	static const uint64_t none[] = { 0 };
	static const uint64_t all[BENCH_GUESTS] = { 0, 1, 2, 3, 4, 5, 6, 7, 8 };
	struct values guests = values_of(options->guests, all, BENCH_GUESTS);
	struct values reals = values_of(options->reals, none, 1), protecteds = values_of(options->protecteds, none, 1);
	for (unsigned g = 0; g < guests.count; g++)
		for (unsigned r = 0; r < reals.count; r++)
			for (unsigned p = 0; p < protecteds.count; p++)
				add_case(plan, BENCH_Q_SELECTED, subject, guests.value[g], reals.value[r], protecteds.value[p]);
}

/* A threshold that was asked for is v2e's. */
static void add_policies(struct bench_plan *plan, const struct bench_options *options, struct bench_subject subject)
{
	static const uint64_t two[] = { 0, 1000 }, both[] = { POLICY_V2E, POLICY_ADAPTIVE };
	struct values limits = values_of(options->thresholds, two, G_N_ELEMENTS(two));
	struct values policies = values_of(options->policies, both, options->thresholds->len ? 1 : 2);
	for (unsigned p = 0; p < policies.count; p++) {
		subject.policy = (enum policy_kind)policies.value[p];
		subject.threshold = 0;
		for (unsigned t = 0; subject.policy == POLICY_V2E && t < limits.count; t++) {
			subject.threshold = limits.value[t];
			add_orders(plan, options, &subject);
		}
		if (subject.policy != POLICY_V2E)
			add_orders(plan, options, &subject);
	}
}

static void add_hybrids(struct bench_plan *plan, const struct bench_options *options, struct bench_subject subject)
{
	const uint64_t best[] = { subject.watch };
	struct values watches = values_of(options->watches, best, 1);
	for (unsigned w = 0; w < watches.count; w++) {
		subject.watch = (enum hv_watch)watches.value[w];
		if (can_watch(plan, subject.watch))
			add_policies(plan, options, subject);
	}
}

static void add_emulators(struct bench_plan *plan, const struct bench_options *options, struct bench_subject subject)
{
	static const uint64_t inline_only[] = { RUN_CHANNEL_INLINE }, on_only[] = { EMU_JIT_ON };
	struct values channels = values_of(options->channels, inline_only, 1);
	struct values jits = values_of(options->jits, on_only, 1);
	for (unsigned n = 0; n < channels.count * jits.count; n++) {
		subject.channel = (enum run_channel)channels.value[n / jits.count];
		subject.jit = (enum emu_jit)jits.value[n % jits.count];
		if (subject.kind == BENCH_HYBRID)
			add_hybrids(plan, options, subject);
		else
			add_orders(plan, options, &subject);
	}
}

static void add_engine(struct bench_plan *plan, const struct bench_options *options, enum bench_kind kind)
{
	struct bench_subject subject = make_subject(plan, kind);
	if (kind == BENCH_EMU || kind == BENCH_HYBRID)
		add_emulators(plan, options, subject);
	else
		add_orders(plan, options, &subject);
}

static void add_selected(struct bench_plan *plan, const struct bench_options *options)
{
	static const uint64_t all[] = { BENCH_EMU, BENCH_KVM, BENCH_HYBRID, BENCH_QEMU_TCG, BENCH_QEMU_KVM };
	struct values engines = values_of(options->engines, all, G_N_ELEMENTS(all));
	for (unsigned e = 0; e < engines.count; e++)
		if (can_have(plan, (enum bench_kind)engines.value[e]))
			add_engine(plan, options, (enum bench_kind)engines.value[e]);
}

/* --- the plan --------------------------------------------------------------------------------- */

static void clear_case(void *item)
{
	struct bench_case *one = item;
	g_free(one->ns);
	g_free(one->cycles);
	g_free(one->cpu_ns);
	g_free(one->error);
}

struct bench_plan *bench_plan_new(const struct bench_options *options)
{
	struct bench_plan *plan = g_new0(struct bench_plan, 1);
	plan->subjects = g_ptr_array_new_with_free_func(g_free);
	plan->cases = g_array_new(FALSE, TRUE, sizeof(struct bench_case));
	g_array_set_clear_func(plan->cases, clear_case);
	plan->notes = g_ptr_array_new_with_free_func(g_free);
	plan->probe = hv_probe();
	plan->samples = options->samples;
	add_floors(plan);
	if (options->targets)
		add_targets(plan, options->quick);
	else if (bench_options_selected(options))
		add_selected(plan, options);
	else
		add_default(plan, options->quick);
	return plan;
}

void bench_plan_free(struct bench_plan *plan)
{
	g_ptr_array_unref(plan->subjects);
	g_array_unref(plan->cases);
	g_ptr_array_unref(plan->notes);
	hv_probe_free(plan->probe);
	g_free(plan);
}
