/* Who runs the guest, and what is kept of it. */
#include <string.h>

#include "cli/run_options_internal.h"
#include "cli/units.h"
#include "shared/transition.h"

static bool pick(const char *const *names, unsigned count, const char *value, unsigned *n)
{
	for (*n = 0; *n < count; ++*n)
		if (!strcmp(names[*n], value))
			return true;
	return false;
}

bool run_options_set_engine(void *target, const char *value, char **error)
{
	static const char *const names[] = { "auto", "emu", "kvm", "hybrid" };
	struct run_options *options = target;
	unsigned n;
	if (!pick(names, G_N_ELEMENTS(names), value, &n)) {
		*error = g_strdup_printf("unknown engine '%s'; give auto, emu, kvm or hybrid", value);
		return false;
	}
	options->engine = (enum run_engine)n;
	return true;
}

bool run_options_set_threshold(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	options->threshold = UINT64_MAX;
	return !strcmp(value, "inf") || units_parse_number(value, 0, UINT64_MAX, &options->threshold, error);
}

bool run_options_set_policy(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	if (policy_parse(value, &options->policy))
		return true;
	*error = g_strdup_printf("unknown policy '%s'; give v2e or adaptive", value);
	return false;
}

bool run_options_set_watch(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	if (hv_watch_parse(value, &options->watch))
		return true;
	*error = g_strdup_printf("unknown way to watch '%s'; give auto, trace, breakpoint or lazy", value);
	return false;
}

bool run_options_set_channel(void *target, const char *value, char **error)
{
	static const char *const names[] = { "inline", "futex", "eventfd", "process" };
	struct run_options *options = target;
	unsigned n;
	if (!pick(names, G_N_ELEMENTS(names), value, &n)) {
		*error = g_strdup_printf("unknown channel '%s'; give inline, futex, eventfd or process", value);
		return false;
	}
	options->channel = (enum run_channel)n;
	return true;
}

bool run_options_set_clock(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	bool is_virtual = !strcmp(value, "virtual");
	if (!is_virtual && strcmp(value, "real")) {
		*error = g_strdup_printf("unknown clock '%s'; give real or virtual", value);
		return false;
	}
	options->clock = is_virtual ? CLOCK_KIND_VIRTUAL : CLOCK_KIND_REAL;
	return true;
}

bool run_options_set_jit(void *target, const char *value, char **error)
{
	static const char *const names[] = { "off", "on", "always" };
	struct run_options *options = target;
	unsigned n;
	if (!pick(names, G_N_ELEMENTS(names), value, &n)) {
		*error = g_strdup_printf("unknown mode '%s'; give off, on or always", value);
		return false;
	}
	options->jit = (enum emu_jit)n;
	return true;
}

bool run_options_set_jit_cache(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	return units_parse_size(value, EMU_JIT_BYTES_MIN, EMU_JIT_BYTES_MAX, &options->jit_cache, error);
}

bool run_options_set_dump(void *target, const char *value, char **error)
{
	static const char *const names[] = { "ir", "live", "asm" };
	struct run_options *options = target;
	g_auto(GStrv) words = g_strsplit(value, ",", -1);
	for (unsigned w = 0; words[w]; w++) {
		unsigned n;
		if (!pick(names, G_N_ELEMENTS(names), words[w], &n)) {
			*error = g_strdup_printf("'%s' is nothing to dump; join some of ir, live and asm by commas", words[w]);
			return false;
		}
		options->dump |= 1u << n;
	}
	return true;
}

bool run_options_set_no_emit(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	return run_options_set_file(&options->no_emit, value, error);
}

bool run_options_set_transitions(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	if (transition_log_names_format(value))
		return run_options_set_file(&options->transitions, value, error);
	*error = g_strdup_printf("'%s' is neither JSON nor CSV; let the file's name end in .json or .csv", value);
	return false;
}

bool run_options_set_compare(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	g_auto(GStrv) specs = g_strsplit(value, ",", -1);
	if (g_strv_length(specs) == 2 && *specs[0] && *specs[1])
		return run_options_set_file(&options->compare, value, error);
	*error = g_strdup_printf("'%s' does not name two engines; give such as emu,kvm or emu,emu:jit=on", value);
	return false;
}
