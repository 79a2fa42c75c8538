/* --trace and what goes with it. */
#include <string.h>

#include "cli/run_options_internal.h"
#include "shared/log.h"

static bool check_name(const char *name, char **error)
{
	if (!*name)
		*error = g_strdup("the file name is empty; give one");
	return *name;
}

/* mem:ADDRESS+SIZE, both hexadecimal. */
static bool add_watch(struct run_options *options, const char *range, char **error)
{
	char *end = NULL;
	uint64_t address = g_ascii_strtoull(range, &end, 16), size = 0;
	if (end != range && *end == '+' && g_ascii_isxdigit(end[1])) {
		size = g_ascii_strtoull(end + 1, &end, 16);
		if (*end)
			size = 0;
	}
	if (!g_ascii_isxdigit(*range) || !size || address > UINT32_MAX || size > UINT64_C(1) + UINT32_MAX - address) {
		*error = g_strdup_printf("'mem:%s' is no range; give physical address and size in hexadecimal, such as mem:b8000+fa0", range);
		return false;
	}
	if (options->trace_watches == TRACE_WATCHES) {
		*error = g_strdup_printf("too many ranges to watch; give at most %u", TRACE_WATCHES);
		return false;
	}
	options->trace_watch[options->trace_watches++] = (struct trace_watch){ address, size };
	return true;
}

static bool add_trace(struct run_options *options, const char *word, char **error)
{
	const char *bad = word;
	uint32_t bit = 0;
	if (g_str_has_prefix(word, "mem:")) {
		options->trace |= LOG_TRACE_MEM;
		return add_watch(options, word + 4, error);
	}
	if (!strcmp(word, "mem")) {
		*error = g_strdup("mem wants a range; give physical address and size in hexadecimal, such as mem:b8000+fa0");
		return false;
	}
	if (*word && log_parse_trace(word, &bit, &bad)) {
		options->trace |= bit;
		return true;
	}
	*error = g_strdup_printf("'%s' is nothing to trace; join some of switch, int, io, irq, block, insn, mem:ADDRESS+SIZE and guest-error by commas",
	                         word);
	return false;
}

bool run_options_set_trace(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	g_auto(GStrv) words = g_strsplit(value, ",", -1);
	options->trace = options->trace_watches = 0;
	if (!words[0])
		return add_trace(options, "", error);
	for (unsigned i = 0; words[i]; i++)
		if (!add_trace(options, words[i], error))
			return false;
	return true;
}

bool run_options_set_trace_file(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	if (!check_name(value, error))
		return false;
	g_free(options->trace_file);
	options->trace_file = g_strdup(value);
	return true;
}

bool run_options_set_trace_format(void *target, const char *value, char **error)
{
	static const char *const names[] = { "text", "json", "html" };
	struct run_options *options = target;
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (!strcmp(value, names[i])) {
			options->trace_format = (enum run_trace_format)(i + RUN_TRACE_TEXT);
			return true;
		}
	*error = g_strdup_printf("unknown format '%s'; give text, json or html", value);
	return false;
}

bool run_options_add_symbols(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	if (!check_name(value, error))
		return false;
	g_ptr_array_add(options->symbols, g_strdup(value));
	return true;
}
