#define _GNU_SOURCE /* fopencookie */
#include "cli/test_modes.h"

#include <inttypes.h>
#include <string.h>

#include <glib.h>

#include "shared/log.h"

struct change {
	uint64_t ns;
	char *text;
};

struct test_modes {
	struct clock *clock;
	bool show;
	void (*entered)(void *owner, uint64_t ns);
	void *owner;
	uint64_t count;
	struct change ring[TEST_MODES_KEPT];
	FILE *log;
	GString *line;
	uint32_t mask_before;
};

static void note(struct test_modes *modes, const char *line)
{
	struct change *change = &modes->ring[modes->count++ % TEST_MODES_KEPT];
	g_free(change->text);
	*change = (struct change){ clock_now(modes->clock), g_strdup(line) };
	if (modes->entered && (strstr(line, " -> protected ") || strstr(line, " -> long ")))
		modes->entered(modes->owner, change->ns);
}

static void take_line(struct test_modes *modes, const char *line)
{
	bool mode = g_str_has_prefix(line, "mode ");
	bool traced = mode || g_str_has_prefix(line, "switch ");
	if (mode)
		note(modes, line);
	if (!traced || modes->show)
		fprintf(stderr, "%s\n", line);
}

/* A write of the log: any number of characters. */
static ssize_t take(void *cookie, const char *text, size_t size)
{
	struct test_modes *modes = cookie;
	for (size_t i = 0; i < size; i++) {
		if (text[i] != '\n') {
			g_string_append_c(modes->line, text[i]);
			continue;
		}
		take_line(modes, modes->line->str);
		g_string_truncate(modes->line, 0);
	}
	return (ssize_t)size;
}

struct test_modes *test_modes_new(struct clock *clock, bool show, void (*entered)(void *owner, uint64_t ns), void *owner)
{
	struct test_modes *modes = g_new0(struct test_modes, 1);
	*modes = (struct test_modes){
		.clock = clock, .show = show, .entered = entered, .owner = owner,
		.line = g_string_new(NULL), .mask_before = log_trace_mask,
	};
	modes->log = fopencookie(modes, "w", (cookie_io_functions_t){ .write = take });
	if (modes->log) {
		setvbuf(modes->log, NULL, _IONBF, 0);
		log_set_output(modes->log);
		log_trace_mask |= LOG_TRACE_SWITCH;
	}
	return modes;
}

void test_modes_free(struct test_modes *modes)
{
	if (!modes)
		return;
	if (modes->log) {
		log_set_output(NULL);
		fclose(modes->log);
	}
	log_trace_mask = modes->mask_before;
	for (unsigned i = 0; i < TEST_MODES_KEPT; i++)
		g_free(modes->ring[i].text);
	g_string_free(modes->line, TRUE);
	g_free(modes);
}

uint64_t test_modes_count(const struct test_modes *modes)
{
	return modes->count;
}

void test_modes_print(const struct test_modes *modes, FILE *out)
{
	for (uint64_t n = modes->count - MIN(modes->count, TEST_MODES_KEPT); n < modes->count; n++) {
		const struct change *change = &modes->ring[n % TEST_MODES_KEPT];
		fprintf(out, "%" PRIu64 " %12.6f ms  %s\n", n + 1, (double)change->ns / 1e6, change->text);
	}
}
