#include "shared/log.h"

#include <stdarg.h>
#include <string.h>

#include <glib.h>

#include "shared/trace.h"

uint32_t log_trace_mask;

static FILE *log_output;

static const struct {
	const char *name;
	enum log_trace bit;
} trace_names[] = {
	{ "switch", LOG_TRACE_SWITCH },
	{ "int", LOG_TRACE_INT },
	{ "io", LOG_TRACE_IO },
	{ "irq", LOG_TRACE_IRQ },
	{ "block", LOG_TRACE_BLOCK },
	{ "insn", LOG_TRACE_INSN },
	{ "guest-error", LOG_TRACE_GUEST_ERROR },
	{ "mem", LOG_TRACE_MEM },
};

static uint32_t trace_bit(const char *word, size_t length)
{
	for (size_t i = 0; i < G_N_ELEMENTS(trace_names); i++)
		if (strlen(trace_names[i].name) == length && !memcmp(trace_names[i].name, word, length))
			return trace_names[i].bit;
	return 0;
}

bool log_parse_trace(const char *list, uint32_t *mask, const char **bad)
{
	uint32_t found = 0;
	for (const char *word = list;; word++) {
		size_t length = strcspn(word, ",");
		uint32_t bit = trace_bit(word, length);
		if (!bit) {
			*bad = word;
			return false;
		}
		found |= bit;
		word += length;
		if (!*word)
			break;
	}
	*mask = found;
	return true;
}

void log_set_output(FILE *out)
{
	log_output = out;
}

/* One call to stdio a line, so that threads do not mix theirs. */
static void write_line(const char *prefix, const char *format, va_list arguments)
{
	GString *line = g_string_new(prefix);
	g_string_append_vprintf(line, format, arguments);
	g_string_append_c(line, '\n');
	fputs(line->str, log_output ? log_output : stderr);
	g_string_free(line, TRUE);
}

void log_error(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	write_line(LOG_ERROR_PREFIX, format, arguments);
	va_end(arguments);
}

void log_info(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	write_line("v2e: ", format, arguments);
	va_end(arguments);
}

void log_line(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	write_line("", format, arguments);
	va_end(arguments);
}

/* --- traces --------------------------------------------------------------------- */

void guest_error(const char *unit, const char *format, ...)
{
	struct trace_event event;
	if (!(log_trace_mask & LOG_TRACE_GUEST_ERROR))
		return;
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	trace_begin(&event, "guest-error");
	trace_string(&event, "unit", unit);
	trace_string(&event, "text", text);
	trace_text(&event, "guest-error %s: %s", unit, text);
	trace_emit(&event);
}

static const char *category_name(enum log_trace category)
{
	for (size_t i = 0; i < G_N_ELEMENTS(trace_names); i++)
		if (trace_names[i].bit == category)
			return trace_names[i].name;
	return "other";
}

void log_trace_write(enum log_trace category, const char *format, ...)
{
	struct trace_event event;
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	trace_begin(&event, category_name(category));
	trace_string(&event, "text", text);
	trace_text(&event, "%s", text);
	trace_emit(&event);
}
