#include "cli/bench_options.h"

#include <string.h>

#include "cli/units.h"

#define SAMPLES_MAX 10000u
/* A loop has two instructions, and so many turns fit an order. */
#define INSNS_MAX   UINT32_MAX

static const char *const channels[] = { "inline", "futex", "eventfd", "process", NULL };

static const char *guest_at(unsigned n)
{
	return n < BENCH_GUESTS ? bench_guest_name((enum bench_guest_number)n) : NULL;
}

static const char *engine_at(unsigned n)
{
	return n < BENCH_CALL ? bench_kind_name((enum bench_kind)n) : NULL;
}

static const char *channel_at(unsigned n)
{
	return channels[n];
}

static const char *jit_at(unsigned n)
{
	static const char *const names[] = { "off", "on", "always", NULL };
	return names[n];
}

/* The first one is auto, which is no mechanism. */
static const char *watch_at(unsigned n)
{
	return n + 1 < HV_WATCHES ? hv_watch_name((enum hv_watch)(n + 1)) : NULL;
}

/* Which of the names `word` is, or -1 with *error. */
static int find(const char *word, const char *(*at)(unsigned n), const char *what, char **error)
{
	g_autoptr(GString) all = g_string_new(NULL);
	for (unsigned n = 0; at(n); n++) {
		if (!strcmp(at(n), word))
			return (int)n;
		g_string_append_printf(all, "%s%s", n ? ", " : "", at(n));
	}
	*error = g_strdup_printf("unknown %s '%s'; join some of %s by commas", what, word, all->str);
	return -1;
}

static bool add_names(GArray *to, const char *value, const char *(*at)(unsigned n), unsigned first, const char *what, char **error)
{
	g_auto(GStrv) words = g_strsplit(*value ? value : " ", ",", -1);
	for (unsigned i = 0; words[i]; i++) {
		int n = find(words[i], at, what, error);
		if (n < 0)
			return false;
		uint64_t number = first + (unsigned)n;
		g_array_append_val(to, number);
	}
	return true;
}

static bool add_numbers(GArray *to, const char *value, uint64_t max, bool infinite, char **error)
{
	g_auto(GStrv) words = g_strsplit(*value ? value : " ", ",", -1);
	for (unsigned i = 0; words[i]; i++) {
		uint64_t number = UINT64_MAX;
		if (!(infinite && !strcmp(words[i], "inf")) && !units_parse_number(words[i], 0, max, &number, error))
			return false;
		g_array_append_val(to, number);
	}
	return true;
}

static bool set_guests(void *target, const char *value, char **error)
{
	struct bench_options *options = target;
	return add_names(options->guests, value, guest_at, 0, "guest", error);
}

static bool set_engines(void *target, const char *value, char **error)
{
	struct bench_options *options = target;
	return add_names(options->engines, value, engine_at, 0, "engine", error);
}

static bool set_channels(void *target, const char *value, char **error)
{
	struct bench_options *options = target;
	return add_names(options->channels, value, channel_at, 0, "channel", error);
}

static bool set_jits(void *target, const char *value, char **error)
{
	struct bench_options *options = target;
	return add_names(options->jits, value, jit_at, 0, "mode of the JIT", error);
}

static bool set_watches(void *target, const char *value, char **error)
{
	struct bench_options *options = target;
	return add_names(options->watches, value, watch_at, HV_WATCH_TRACE, "way to watch", error);
}

static bool set_thresholds(void *target, const char *value, char **error)
{
	struct bench_options *options = target;
	return add_numbers(options->thresholds, value, UINT64_MAX - 1, true, error);
}

static const char *policy_at(unsigned n)
{
	return n <= POLICY_ADAPTIVE ? policy_name((enum policy_kind)n) : NULL;
}

static bool set_policies(void *target, const char *value, char **error)
{
	struct bench_options *options = target;
	return add_names(options->policies, value, policy_at, 0, "policy", error);
}

static bool set_reals(void *target, const char *value, char **error)
{
	struct bench_options *options = target;
	return add_numbers(options->reals, value, INSNS_MAX, false, error);
}

static bool set_protecteds(void *target, const char *value, char **error)
{
	struct bench_options *options = target;
	return add_numbers(options->protecteds, value, INSNS_MAX, false, error);
}

static bool set_samples(void *target, const char *value, char **error)
{
	struct bench_options *options = target;
	uint64_t samples;
	if (!units_parse_number(value, 1, SAMPLES_MAX, &samples, error))
		return false;
	options->samples = (unsigned)samples;
	return true;
}

static bool set_name(char **to, const char *value, char **error)
{
	if (!*value) {
		*error = g_strdup("the name is empty; give one");
		return false;
	}
	g_free(*to);
	*to = g_strdup(value);
	return true;
}

static bool set_csv(void *target, const char *value, char **error)
{
	struct bench_options *options = target;
	return set_name(&options->csv, value, error);
}

static bool set_json(void *target, const char *value, char **error)
{
	struct bench_options *options = target;
	return set_name(&options->json, value, error);
}

static bool set_plot(void *target, const char *value, char **error)
{
	struct bench_options *options = target;
	return set_name(&options->plot, value, error);
}

#define FLAG(field)                                                          \
	static bool set_##field(void *target, const char *value, char **error) \
	{                                                                      \
		struct bench_options *options = target;                        \
		(void)value, (void)error;                                      \
		return options->field = true;                                  \
	}
FLAG(quick)
FLAG(targets)
FLAG(help)
FLAG(man)
#undef FLAG

static const struct option_row rows[] = {
	{ .heading = "What to measure", .name = "guest", .argument = "LIST", .values = "far-jump lmsw far-call pm32 vm86 seabios gfxboot grub ipxe", .help = "guests, joined by commas; see below (default: all)",
	  .set = set_guests },
	{ .name = "engine", .argument = "LIST", .values = "emu kvm hybrid qemu-tcg qemu-kvm", .help = "emu, kvm, hybrid, qemu-tcg, qemu-kvm (default: all that are there)",
	  .manual = "The last two are qemu-system-i386 on the same guest.", .set = set_engines },
	{ .name = "channel", .argument = "LIST", .values = "inline futex eventfd process", .help = "inline (default), futex, eventfd, process", .set = set_channels },
	{ .name = "jit", .argument = "LIST", .values = "off on always", .help = "the emulator's host code: off, on (default), always", .set = set_jits },
	{ .name = "watch", .argument = "LIST", .values = "trace breakpoint lazy", .help = "hybrid: trace, breakpoint, lazy (default: the best)", .set = set_watches },
	{ .name = "threshold", .argument = "LIST", .values = "0 1 10 100 1000 10000 inf", .help = "hybrid: blocks, or inf (default: 0,1000)",
	  .manual = "Blocks that the emulator keeps running after real mode was left.", .set = set_thresholds },
	{ .name = "policy", .argument = "LIST", .values = "v2e adaptive", .help = "hybrid: v2e, adaptive (default: both)",
	  .manual = "When the guest is handed to KVM; the threshold is v2e's.", .set = set_policies },
	{ .name = "real", .argument = "LIST", .help = "instructions of real mode in each round besides the switch (default: 0)",
	  .manual = "Of virtual-8086 mode for vm86. They are a loop of two, and a block each turn.", .set = set_reals },
	{ .name = "protected", .argument = "LIST", .help = "the same for protected mode (default: 0)", .set = set_protecteds },
	{ .name = "targets", .help = "only what v2e's targets are judged by, some 10 s", .set = set_targets },
	{ .heading = "How to measure", .name = "samples", .argument = "NUMBER", .help = "samples of each (default: 31, quick: 5)", .set = set_samples },
	{ .name = "quick", .help = "few and short samples of fewer cases, to see whether it works", .set = set_quick },
	{ .heading = "Reports", .name = "csv", .argument = "FILE", .help = "write CSV; - is standard output, without the table", .set = set_csv },
	{ .name = "json", .argument = "FILE", .help = "write JSON, with each sample; - is standard output, without the table", .set = set_json },
	{ .name = "plot", .argument = "FOLDER", .help = "have gnuplot draw SVG and PNG there",
	  .manual = "Of what is measured when neither lists nor --targets select.", .set = set_plot },
	{ .heading = "Help", .name = "help", .letter = 'h', .help = "show this help", .set = set_help },
	{ .name = "man", .help = "print options and guests as man(7) source", .set = set_man },
};

_Static_assert(G_N_ELEMENTS(rows) <= OPTIONS_MAX, "options_parse() counts to OPTIONS_MAX");

static bool refuse_operand(void *target, const char *value, char **error)
{
	(void)target;
	*error = g_strdup_printf("'%s' is too much; v2e bench takes options only", value);
	return false;
}

const struct option_table bench_options_table = {
	.command = "v2e bench",
	.arguments = "",
	.summary = "Measure what a switch between real and protected mode costs.",
	.rows = rows,
	.count = G_N_ELEMENTS(rows),
	.operand = refuse_operand,
};

static GArray **list_at(struct bench_options *options, unsigned n)
{
	GArray **lists[] = {
		&options->guests, &options->engines, &options->channels, &options->jits, &options->watches, &options->thresholds, &options->policies,
		&options->reals, &options->protecteds,
	};
	return n < G_N_ELEMENTS(lists) ? lists[n] : NULL;
}

void bench_options_init(struct bench_options *options)
{
	*options = (struct bench_options){ .quick = false };
	for (unsigned n = 0; list_at(options, n); n++)
		*list_at(options, n) = g_array_new(FALSE, FALSE, sizeof(uint64_t));
}

void bench_options_clear(struct bench_options *options)
{
	for (unsigned n = 0; list_at(options, n); n++)
		g_array_unref(*list_at(options, n));
	g_free(options->csv);
	g_free(options->json);
	g_free(options->plot);
}

bool bench_options_selected(const struct bench_options *options)
{
	struct bench_options *lists = (struct bench_options *)options;
	for (unsigned n = 0; list_at(lists, n); n++)
		if ((*list_at(lists, n))->len)
			return true;
	return false;
}

bool bench_options_parse(struct bench_options *options, int argc, char *const *argv, char **error)
{
	if (!options_parse(&bench_options_table, argc, argv, options, error))
		return false;
	if (options->csv && options->json && !strcmp(options->csv, "-") && !strcmp(options->json, "-"))
		*error = g_strdup("--csv and --json both want standard output; give one a file");
	if (!*error && options->targets && bench_options_selected(options))
		*error = g_strdup("--targets has cases of its own; leave the lists out");
	if (!*error && options->plot && (options->targets || bench_options_selected(options)))
		*error = g_strdup("--plot draws what is measured when nothing is selected; leave --targets and the lists out");
	if (!options->samples)
		options->samples = options->quick ? 5 : 31;
	return !*error;
}
