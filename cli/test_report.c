#include "cli/test_report.h"

#include <string.h>

#include "cli/test_guest.h"

/* What a report quotes of a file, the end of it. */
#define QUOTE_MAX 16384u

struct test_counts test_report_count(const struct test_suite *suite)
{
	struct test_counts counts = { 0 };
	for (guint i = 0; i < suite->entries->len; i++) {
		const struct test_entry *entry = suite->entries->pdata[i];
		if (entry->result && entry->result->outcome == TEST_PASSED)
			counts.passed++;
		else if (entry->result && entry->result->outcome != TEST_NOT_RUN)
			counts.failed++;
		else
			counts.not_run++;
	}
	return counts;
}

/* TAP */

void test_report_tap_begin(const struct test_suite *suite, FILE *out)
{
	fprintf(out, "TAP version 13\n1..%u\n", suite->entries->len);
}

/* Behind a # a directive begins. */
static void print_title(const char *title, FILE *out)
{
	for (; *title; title++) {
		if (*title == '#' || *title == '\\')
			putc('\\', out);
		putc(g_ascii_iscntrl(*title) ? '?' : *title, out);
	}
}

static void print_comment(const char *prefix, const char *text, FILE *out)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (unsigned i = 0; lines[i]; i++)
		fprintf(out, "# %s%s\n", i ? "" : prefix, lines[i]);
}

void test_report_tap_entry(const struct test_entry *entry, unsigned n, FILE *out)
{
	const struct test_result *result = entry->result;
	bool skipped = result->outcome == TEST_NOT_RUN;
	fprintf(out, "%s %u - ", skipped || result->outcome == TEST_PASSED ? "ok" : "not ok", n);
	print_title(entry->title, out);
	fprintf(out, skipped ? " # SKIP not run\n" : "\n");
	if (entry->file->description && result->outcome != TEST_PASSED)
		print_comment("", entry->file->description, out);
	for (guint i = 0; i < result->messages->len; i++)
		print_comment("", result->messages->pdata[i], out);
	for (guint i = 0; i < result->updated->len; i++)
		print_comment("written: ", result->updated->pdata[i], out);
	if (result->outcome > TEST_PASSED)
		print_comment("artefacts: ", entry->folder, out);
	fflush(out);
}

void test_report_tap_end(const struct test_suite *suite, FILE *out)
{
	struct test_counts counts = test_report_count(suite);
	fprintf(out, "# %u passed, %u failed, %u not run\n", counts.passed, counts.failed, counts.not_run);
	fflush(out);
}

/* JUnit */

static bool is_xml(gunichar c)
{
	return c == '\t' || c == '\n' || (c >= 0x20 && c != 0x7f && c != 0xfffe && c != 0xffff && !(c >= 0x80 && c < 0xa0));
}

/* Any bytes as characters that XML 1.0 may have, escaped. */
static char *to_xml(const char *text, size_t size)
{
	g_autofree char *valid = g_utf8_make_valid(text, (gssize)size);
	g_autoptr(GString) clean = g_string_new(NULL);
	for (const char *c = valid; *c; c = g_utf8_next_char(c)) {
		gunichar letter = g_utf8_get_char(c);
		if (letter != '\r')
			g_string_append_unichar(clean, is_xml(letter) ? letter : 0xfffd);
	}
	return g_markup_escape_text(clean->str, (gssize)clean->len);
}

static void print_attribute(const char *name, const char *value, FILE *out)
{
	g_autofree char *xml = to_xml(value, strlen(value));
	/* A newline in an attribute would be read as a blank. */
	g_auto(GStrv) lines = g_strsplit(xml, "\n", -1);
	g_autofree char *joined = g_strjoinv("&#10;", lines);
	fprintf(out, " %s=\"%s\"", name, joined);
}

static void print_messages(const struct test_entry *entry, FILE *out)
{
	const char *element = entry->result->outcome == TEST_BROKEN ? "error" : "failure";
	fprintf(out, "      <%s", element);
	print_attribute("type", test_outcome_name(entry->result->outcome), out);
	print_attribute("message", entry->result->messages->len ? entry->result->messages->pdata[0] : "", out);
	putc('>', out);
	for (guint i = 0; i < entry->result->messages->len; i++) {
		g_autofree char *xml = to_xml(entry->result->messages->pdata[i], strlen(entry->result->messages->pdata[i]));
		fprintf(out, "%s\n", xml);
	}
	g_autofree char *folder = to_xml(entry->folder, strlen(entry->folder));
	fprintf(out, "artefacts: %s</%s>\n", folder, element);
}

static void print_quote(const struct test_entry *entry, const char *element, const char *name, FILE *out)
{
	g_autofree char *path = g_build_filename(entry->folder, name, NULL), *text = NULL;
	gsize size;
	if (!g_file_get_contents(path, &text, &size, NULL) || !size)
		return;
	size_t from = size > QUOTE_MAX ? size - QUOTE_MAX : 0;
	g_autofree char *xml = to_xml(text + from, size - from);
	fprintf(out, "      <%s>%s:\n%s</%s>\n", element, name, xml, element);
}

static void print_case(const struct test_entry *entry, FILE *out)
{
	const struct test_result *result = entry->result;
	fputs("    <testcase", out);
	print_attribute("classname", entry->file->name, out);
	print_attribute("name", entry->title, out);
	print_attribute("file", entry->file->path, out);
	fprintf(out, " time=\"%.3f\">\n", result ? result->host_seconds : 0);
	if (!result || result->outcome == TEST_NOT_RUN) {
		fputs("      <skipped/>\n", out);
	} else if (result->outcome != TEST_PASSED) {
		print_messages(entry, out);
		print_quote(entry, "system-out", TEST_SERIAL_LOG, out);
		print_quote(entry, "system-err", TEST_LOG, out);
	}
	fputs("    </testcase>\n", out);
}

static void print_head(const struct test_suite *suite, const char *element, const char *indent, FILE *out)
{
	struct test_counts counts = test_report_count(suite);
	unsigned broken = 0;
	double seconds = 0;
	for (guint i = 0; i < suite->entries->len; i++) {
		const struct test_entry *entry = suite->entries->pdata[i];
		broken += entry->result && entry->result->outcome == TEST_BROKEN;
		seconds += entry->result ? entry->result->host_seconds : 0;
	}
	fprintf(out, "%s<%s name=\"v2e test\" tests=\"%u\" failures=\"%u\" errors=\"%u\" skipped=\"%u\" time=\"%.3f\">\n", indent,
	        element, suite->entries->len, counts.failed - broken, broken, counts.not_run, seconds);
}

bool test_report_junit(const struct test_suite *suite, FILE *out)
{
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", out);
	print_head(suite, "testsuites", "", out);
	print_head(suite, "testsuite", "  ", out);
	for (guint i = 0; i < suite->entries->len; i++)
		print_case(suite->entries->pdata[i], out);
	fputs("  </testsuite>\n</testsuites>\n", out);
	return !fflush(out) && !ferror(out);
}

/* A terminal */

void test_report_progress(const struct test_suite *suite, unsigned running, FILE *out)
{
	struct test_counts counts = test_report_count(suite);
	fprintf(out, "\r%u of %u done, %u failed, %u running\033[K", suite->entries->len - counts.not_run, suite->entries->len,
	        counts.failed, running);
	fflush(out);
}

void test_report_progress_clear(FILE *out)
{
	fputs("\r\033[K", out);
	fflush(out);
}
