/* The page: tables and code are written here, the data of the pictures goes to
 * report.js. Whatever a guest had a hand in passes escape() or number formats. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <capstone.h>

#include "trace/report_assets.h"
#include "trace/report_private.h"

#define SITES_SHOWN 12u
#define SITES_MORE  200u
#define CALLS_SHOWN 30u
#define INSNS_SHOWN 4u

static void escape(FILE *out, const char *text)
{
	for (const char *c = text ? text : ""; *c; c++) {
		switch (*c) {
		case '<': fputs("&lt;", out); break;
		case '>': fputs("&gt;", out); break;
		case '&': fputs("&amp;", out); break;
		case '"': fputs("&quot;", out); break;
		case '\'': fputs("&#39;", out); break;
		default: fputc(*c, out);
		}
	}
}

/* --- numbers -------------------------------------------------------------------------- */

static int compare_numbers(const void *a, const void *b)
{
	const uint64_t *left = a, *right = b;
	return (*left > *right) - (*left < *right);
}

struct spread {
	uint64_t count, mean, median, p99, sum;
};

static struct spread spread_of(const struct report_values *values)
{
	struct spread spread = { .count = values->count, .sum = values->sum };
	unsigned kept = values->kept->len;
	if (!kept)
		return spread;
	g_autofree uint64_t *sorted = g_memdup2(values->kept->data, kept * sizeof *sorted);
	qsort(sorted, kept, sizeof *sorted, compare_numbers);
	spread.mean = spread.sum / spread.count;
	spread.median = sorted[(kept - 1) / 2];
	spread.p99 = sorted[((uint64_t)kept * 99 + 99) / 100 - 1];
	return spread;
}

/* "1.25 ms"; data-v is what the column sorts by. */
static void put_time(FILE *out, uint64_t ns)
{
	static const struct {
		double factor;
		const char *unit;
	} units[] = { { 1e9, "s" }, { 1e6, "ms" }, { 1e3, "µs" }, { 1, "ns" } };
	unsigned i = 0;
	while (i < 3 && (double)ns < units[i].factor)
		i++;
	double value = (double)ns / units[i].factor;
	fprintf(out, "%.*f %s", i == 3 || value >= 100 ? 0 : value >= 10 ? 1 : 2, value, units[i].unit);
}

static void put_time_cell(FILE *out, uint64_t ns)
{
	fprintf(out, "<td class=\"n\" data-v=\"%" PRIu64 "\">", ns);
	put_time(out, ns);
	fputs("</td>", out);
}

static void put_count(FILE *out, uint64_t count)
{
	char digits[24];
	int length = g_snprintf(digits, sizeof digits, "%" PRIu64, count);
	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			fputs("\u202f", out);
		fputc(digits[i], out);
	}
}

static void put_count_cell(FILE *out, uint64_t count)
{
	fprintf(out, "<td class=\"n\" data-v=\"%" PRIu64 "\">", count);
	put_count(out, count);
	fputs("</td>", out);
}

/* A bar behind the number: its part of the largest. */
static void put_bar_cell(FILE *out, uint64_t value, uint64_t largest, bool is_time)
{
	fprintf(out, "<td class=\"n bar\" data-v=\"%" PRIu64 "\" style=\"--part:%.2f%%\">", value, largest ? 100.0 * (double)value / (double)largest : 0.0);
	if (is_time)
		put_time(out, value);
	else
		put_count(out, value);
	fputs("</td>", out);
}

/* --- the head --------------------------------------------------------------------------- */

static void begin_tile(FILE *out, const char *name)
{
	fprintf(out, "<div class=\"tile\"><span>%s</span><b>", name);
}

static void put_count_tile(FILE *out, const char *name, uint64_t count)
{
	begin_tile(out, name);
	put_count(out, count);
	fputs("</b></div>\n", out);
}

static void put_time_tile(FILE *out, const char *name, uint64_t ns)
{
	begin_tile(out, name);
	put_time(out, ns);
	fputs("</b></div>\n", out);
}

static uint64_t failed_calls(const struct report *report)
{
	GHashTableIter iter;
	gpointer kind;
	uint64_t failed = 0;
	g_hash_table_iter_init(&iter, report->kinds);
	while (g_hash_table_iter_next(&iter, NULL, &kind))
		failed += ((struct report_kind *)kind)->failed;
	return failed;
}

static void put_tiles(const struct report *report, FILE *out)
{
	fputs("<div class=\"tiles\">\n", out);
	put_time_tile(out, "guest time", report->end_ns);
	if (report->has_host)
		put_time_tile(out, "host time", report->end_host_ns);
	put_count_tile(out, "mode changes", report->modes);
	put_count_tile(out, "hand-overs", report->handovers);
	if (report->handovers)
		put_time_tile(out, "median cost of one", spread_of(report->costs).median);
	put_count_tile(out, "BIOS and DOS calls", report->calls);
	put_count_tile(out, "of these failed", failed_calls(report));
	if (report->insns)
		put_count_tile(out, "emulated instructions", report->insns);
	fputs("</div>\n", out);
}

static void put_note(FILE *out, bool shown, const char *text)
{
	if (shown)
		fprintf(out, "<p class=\"note\">%s</p>\n", text);
}

static void put_coarse_note(const struct report *report, FILE *out)
{
	if (!report->cell_ns)
		return;
	fputs("<p class=\"note\">There are more changes than this page holds: within ", out);
	put_time(out, report->cell_ns);
	fputs(" of guest time it shows how long each state lasted, not in which order.</p>\n", out);
}

static void put_head(const struct report *report, FILE *out)
{
	g_autofree char *name = report->image && *report->image ? g_path_get_basename(report->image) : g_strdup("v2e");
	fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
	      "<title>", out);
	escape(out, name);
	fprintf(out, " - v2e report</title>\n<style>\n%s</style>\n</head>\n<body>\n<header>\n<h1>", report_css);
	escape(out, name);
	fputs("</h1>\n<p class=\"sub\">", out);
	if (report->engine) {
		fputs("engine <b>", out);
		escape(out, report->engine);
		fputs("</b> · clock <b>", out);
		escape(out, report->clock);
		fputs("</b> · ", out);
		escape(out, report->version);
	} else {
		fputs("from a log of transitions alone", out);
	}
	fputs("</p>\n", out);
	put_tiles(report, out);
	put_note(out, report->engine && !report->ended, "The recording has no end: the run was cut off.");
	put_coarse_note(report, out);
	put_note(out, report->engine && !report->modes, "No change of mode was recorded: trace switch, on an engine that emulates real mode.");
	fputs("</header>\n<main>\n", out);
}

/* --- places ------------------------------------------------------------------------------- */

static unsigned bytes_of(const char *code, uint8_t *bytes)
{
	unsigned count = 0;
	for (; code[2 * count]; count++)
		bytes[count] = (uint8_t)(g_ascii_xdigit_value(code[2 * count]) << 4 | g_ascii_xdigit_value(code[2 * count + 1]));
	return count;
}

static void put_insn(const struct report *report, const struct report_site *site, const cs_insn *insn, FILE *out)
{
	const char *symbol = report->symbols ? symbols_name(report->symbols, insn->address) : NULL;
	fprintf(out, "<span%s>%08" PRIx64 "  ", insn->address == site->linear ? " class=\"here\"" : "", insn->address);
	escape(out, insn->mnemonic);
	fputc(' ', out);
	escape(out, insn->op_str);
	if (symbol) {
		fputs("  <i>", out);
		escape(out, symbol);
		fputs("</i>", out);
	}
	fputs("</span>\n", out);
}

/* What stands behind it may be data, or code of the other size. */
static bool ends_code(const cs_insn *insn)
{
	switch (insn->id) {
	case X86_INS_JMP: case X86_INS_LJMP: case X86_INS_RET: case X86_INS_RETF: case X86_INS_IRET: case X86_INS_IRETD:
		return true;
	default:
		return false;
	}
}

static cs_mode code_mode(unsigned bits)
{
	return bits == 64 ? CS_MODE_64 : bits == 32 ? CS_MODE_32 : CS_MODE_16;
}

static void put_code(const struct report *report, const struct report_site *site, FILE *out)
{
	uint8_t bytes[128];
	csh handle;
	if (!site->code && !(site = g_hash_table_lookup(report->codes, &site->linear)))
		return;
	if (cs_open(CS_ARCH_X86, code_mode(site->bits), &handle) != CS_ERR_OK)
		return;
	size_t left = bytes_of(site->code, bytes);
	const uint8_t *at = bytes;
	uint64_t address = site->code_at;
	cs_insn *insn = cs_malloc(handle);
	fputs("<pre>", out);
	for (unsigned n = 0; n < INSNS_SHOWN && cs_disasm_iter(handle, &at, &left, &address, insn); n++) {
		put_insn(report, site, insn, out);
		if (ends_code(insn))
			break;
	}
	fputs("</pre>", out);
	cs_free(insn, 1);
	cs_close(&handle);
}

static gint compare_sites(gconstpointer a, gconstpointer b)
{
	const struct report_site *left = *(struct report_site *const *)a, *right = *(struct report_site *const *)b;
	if (left->count != right->count)
		return left->count < right->count ? 1 : -1;
	if (left->linear != right->linear)
		return left->linear < right->linear ? -1 : 1;
	return strcmp(left->way, right->way);
}

static GPtrArray *sorted_values(GHashTable *table, GCompareFunc compare)
{
	GPtrArray *values = g_ptr_array_new();
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, table);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		g_ptr_array_add(values, value);
	g_ptr_array_sort(values, compare);
	return values;
}

static void put_site(const struct report *report, const struct report_site *site, uint64_t largest, FILE *out)
{
	fputs("<tr><td>", out);
	escape(out, site->way);
	fputs("</td>", out);
	put_bar_cell(out, site->count, largest, false);
	if (site->cost) {
		struct spread cost = spread_of(site->cost);
		put_time_cell(out, cost.median);
		put_time_cell(out, cost.p99);
		put_time_cell(out, cost.sum);
	}
	fprintf(out, "<td class=\"place\"><code>%04" PRIx64 ":%08" PRIx64 "</code>", site->cs, site->ip);
	if (site->symbol) {
		fputs(" <b>", out);
		escape(out, site->symbol);
		fputs("</b>", out);
	}
	fputs("</td><td>", out);
	put_code(report, site, out);
	fputs("</td></tr>\n", out);
}

static void put_site_rows(const struct report *report, const GPtrArray *sites, unsigned from, unsigned to, bool cost, FILE *out)
{
	const struct report_site *first = sites->pdata[0];
	fputs("<div class=\"wide\"><table class=\"sort\"><thead><tr><th>change</th><th class=\"n\">times</th>", out);
	if (cost)
		fputs("<th class=\"n\">median</th><th class=\"n\">99 %</th><th class=\"n\">in all</th>", out);
	fputs("<th>at</th><th>code</th></tr></thead><tbody>\n", out);
	for (unsigned i = from; i < to; i++)
		put_site(report, sites->pdata[i], first->count, out);
	fputs("</tbody></table></div>\n", out);
}

static void put_sites(const struct report *report, GHashTable *table, const char *id, const char *title, bool cost, FILE *out)
{
	g_autoptr(GPtrArray) sites = sorted_values(table, compare_sites);
	unsigned shown = MIN(sites->len, SITES_SHOWN), more = MIN(sites->len, SITES_MORE);
	if (!sites->len)
		return;
	fprintf(out, "<section id=\"%s\">\n<h2>%s</h2>\n", id, title);
	put_site_rows(report, sites, 0, shown, cost, out);
	if (more > shown) {
		fprintf(out, "<details><summary>%u more places of %u</summary>\n", more - shown, sites->len);
		put_site_rows(report, sites, shown, more, cost, out);
		fputs("</details>\n", out);
	}
	fputs("</section>\n", out);
}

/* --- calls --------------------------------------------------------------------------------- */

static gint compare_kinds(gconstpointer a, gconstpointer b)
{
	const struct report_kind *left = *(struct report_kind *const *)a, *right = *(struct report_kind *const *)b;
	if (left->total_ns != right->total_ns)
		return left->total_ns < right->total_ns ? 1 : -1;
	if (left->count != right->count)
		return left->count < right->count ? 1 : -1;
	return left->number < right->number ? -1 : 1;
}

static void put_function(const struct report_kind *kind, FILE *out)
{
	fprintf(out, "<td><code>int %02xh ", kind->vector);
	escape(out, kind->function);
	fputs("</code></td><td>", out);
	escape(out, kind->name);
	fputs("</td>", out);
}

static void put_kind(const struct report_kind *kind, uint64_t largest, FILE *out)
{
	fputs("<tr>", out);
	put_function(kind, out);
	put_count_cell(out, kind->count);
	put_count_cell(out, kind->failed);
	put_count_cell(out, kind->count - MIN(kind->count, kind->returned));
	put_bar_cell(out, kind->total_ns, largest, true);
	put_time_cell(out, kind->returned ? kind->total_ns / kind->returned : 0);
	put_time_cell(out, kind->longest_ns);
	fputs("</tr>\n", out);
}

static void put_kinds(const struct report *report, FILE *out)
{
	g_autoptr(GPtrArray) kinds = sorted_values(report->kinds, compare_kinds);
	const struct report_kind *first = kinds->pdata[0];
	fputs("<div class=\"wide\"><table class=\"sort\" id=\"kinds\"><thead><tr><th>call</th><th></th><th class=\"n\">times</th>"
	      "<th class=\"n\">failed</th><th class=\"n\">no return</th><th class=\"n\">guest time</th><th class=\"n\">mean</th>"
	      "<th class=\"n\">longest</th></tr></thead><tbody>\n", out);
	for (unsigned i = 0; i < kinds->len; i++)
		put_kind(kinds->pdata[i], first->total_ns, out);
	fputs("</tbody></table></div>\n", out);
}

static gint compare_calls(gconstpointer a, gconstpointer b)
{
	const struct report_call *left = *(struct report_call *const *)a, *right = *(struct report_call *const *)b;
	if (left->taken_ns != right->taken_ns)
		return left->taken_ns < right->taken_ns ? 1 : -1;
	return left->number < right->number ? -1 : 1;
}

static void put_call(const struct report_call *call, FILE *out)
{
	fprintf(out, "<tr><td class=\"n\" data-v=\"%" PRIu64 "\">%.6f s</td>", call->ns, (double)call->ns / 1e9);
	put_function(call->kind, out);
	fputs("<td>", out);
	escape(out, call->arguments);
	fprintf(out, "</td><td%s>", call->failed ? " class=\"bad\"" : "");
	escape(out, call->returned ? call->result : "no return");
	fputs("</td>", out);
	put_time_cell(out, call->taken_ns);
	fprintf(out, "<td class=\"place\"><code>%04" PRIx64 ":%04" PRIx64 "</code> ", call->cs, call->ip);
	escape(out, call->symbol);
	fputs("</td></tr>\n", out);
}

static void put_calls(const char *title, const GPtrArray *calls, FILE *out)
{
	if (!calls->len)
		return;
	fprintf(out, "<h3>%s</h3>\n", title);
	fputs("<div class=\"wide\"><table class=\"sort\"><thead><tr><th class=\"n\">at</th><th>call</th><th></th><th>with</th><th>result</th>"
	      "<th class=\"n\">took</th><th>from</th></tr></thead><tbody>\n", out);
	for (unsigned i = 0; i < MIN(calls->len, CALLS_SHOWN); i++)
		put_call(calls->pdata[i], out);
	fputs("</tbody></table></div>\n", out);
}

static void put_bios(const struct report *report, FILE *out)
{
	g_autoptr(GPtrArray) slow = g_ptr_array_new();
	g_autoptr(GPtrArray) failed = g_ptr_array_new();
	g_autoptr(GPtrArray) lost = g_ptr_array_new();
	if (!g_hash_table_size(report->kinds))
		return;
	for (unsigned i = 0; i < report->shown->len; i++) {
		struct report_call *call = report->shown->pdata[i];
		g_ptr_array_add(call->returned ? slow : lost, call);
		if (call->failed)
			g_ptr_array_add(failed, call);
	}
	g_ptr_array_sort(slow, compare_calls);
	fputs("<section id=\"bios\">\n<h2>BIOS and DOS calls</h2>\n", out);
	put_kinds(report, out);
	put_calls("The longest", slow, out);
	put_calls("The first that failed", failed, out);
	put_calls("The first that did not return", lost, out);
	fputs("</section>\n", out);
}

/* --- data of the pictures -------------------------------------------------------------------- */

/* A string for JSON in HTML: nothing in it can end the element. */
static void put_json_string(FILE *out, const char *text)
{
	fputc('"', out);
	for (const char *c = text; *c; c++) {
		if ((uint8_t)*c < ' ' || strchr("\"\\<>&'", *c))
			fprintf(out, "\\u%04x", (unsigned)(uint8_t)*c);
		else
			fputc(*c, out);
	}
	fputc('"', out);
}

static gint compare_numbers_of_kinds(gconstpointer a, gconstpointer b)
{
	const struct report_kind *left = *(struct report_kind *const *)a, *right = *(struct report_kind *const *)b;
	return left->number < right->number ? -1 : 1;
}

static void put_kind_data(const struct report *report, FILE *out)
{
	g_autoptr(GPtrArray) kinds = sorted_values(report->kinds, compare_numbers_of_kinds);
	fputs("\"kinds\":[", out);
	for (unsigned i = 0; i < kinds->len; i++) {
		const struct report_kind *kind = kinds->pdata[i];
		g_autofree char *name = g_strdup_printf("int %02xh %s %s", kind->vector, kind->function, kind->name);
		fprintf(out, "%s[%u,", i ? "," : "", kind->vector);
		put_json_string(out, name);
		fputc(']', out);
	}
	fputs("],\n", out);
}

/* Four bins to each doubling: bin n starts at 2 ** (n / 4). */
static void put_bins(const char *name, const struct report_values *values, const char *end, FILE *out)
{
	struct spread spread = spread_of(values);
	uint64_t bins[4 * 53 + 1] = { 0 };
	unsigned highest = 0;
	for (unsigned i = 0; i < values->kept->len; i++) {
		uint64_t value = MIN(MAX(g_array_index(values->kept, uint64_t, i), 1), (UINT64_C(1) << 53) - 1);
		unsigned power = 63u - (unsigned)__builtin_clzll(value), quarter = 0;
		while (quarter < 3 && (double)value >= (double)(UINT64_C(1) << power) * (double[]){ 1.189207, 1.414213, 1.681792 }[quarter])
			quarter++;
		bins[4 * power + quarter]++;
		highest = MAX(highest, 4 * power + quarter);
	}
	fprintf(out, "{\"name\":\"%s\",\"mean\":%" PRIu64 ",\"median\":%" PRIu64 ",\"p99\":%" PRIu64 ",\"count\":%" PRIu64 ",\"bins\":[",
	        name, spread.mean, spread.median, spread.p99, spread.count);
	for (unsigned i = 0; i <= highest; i++)
		fprintf(out, "%s%" PRIu64, i ? "," : "", bins[i]);
	fprintf(out, "]}%s", end);
}

static void put_data(struct report *report, FILE *out)
{
	fprintf(out, "<script type=\"application/json\" id=\"data\">{\"end\":[%" PRIu64 ",%" PRIu64 "],\n", report->end_ns,
	        report->has_host ? report->end_host_ns : 0);
	report_changes_put(report, out);
	report_marks_put(report, out);
	put_kind_data(report, out);
	fputs("\"costs\":[", out);
	if (report->handovers) {
		put_bins("all parts but emulate", report->costs, ",", out);
		for (unsigned i = 0; i < REPORT_PARTS; i++)
			put_bins(report_part_name((enum report_part)i), report->parts[i], i + 1 < REPORT_PARTS ? "," : "", out);
	}
	fputs("],\n\"stays\":[", out);
	if (report->modes)
		put_bins("between two changes of mode", report->stays, report->handover_blocks->count ? "," : "", out);
	if (report->handover_blocks->count)
		put_bins("in the emulator, up to a hand-over", report->handover_blocks, "", out);
	fputs("]}</script>\n", out);
}

/* --- all of it ---------------------------------------------------------------------------------- */

static void put_timeline(FILE *out)
{
	fputs("<section id=\"timeline\">\n<h2>Timeline</h2>\n<div class=\"tools\"><span class=\"choice\"><button id=\"guest\" class=\"on\">guest time</button>"
	      "<button id=\"host\">host time</button></span><button id=\"in\" title=\"zoom in\">+</button>"
	      "<button id=\"out\" title=\"zoom out\">−</button><button id=\"all\">all</button><span id=\"range\"></span></div>\n"
	      "<svg id=\"lanes\" role=\"img\" aria-label=\"modes, engines and BIOS calls over time\" tabindex=\"0\"></svg>\n"
	      "<svg id=\"map\" aria-hidden=\"true\"></svg>\n<div id=\"legend\"></div>\n"
	      "<p class=\"hint\">Turn the wheel to zoom, drag to move, double-click for all. A column shows how its time is divided.</p>\n"
	      "<table id=\"shares\"></table>\n</section>\n", out);
}

static void put_pictures(const struct report *report, FILE *out)
{
	if (report->handovers)
		fputs("<section id=\"cost\">\n<h2>What a switch of engines costs the host</h2>\n<div class=\"hists\" id=\"costs\"></div>\n</section>\n", out);
	if (report->modes || report->handovers)
		fputs("<section id=\"blocks\">\n<h2>Blocks per stay</h2>\n<div class=\"hists\" id=\"stays\"></div>\n</section>\n", out);
}

void report_write(struct report *report, FILE *out)
{
	put_head(report, out);
	put_timeline(out);
	put_sites(report, report->mode_sites, "modes", "Where the mode changes most", false, out);
	put_sites(report, report->engine_sites, "engines", "Where the engine changes most", true, out);
	put_pictures(report, out);
	put_bios(report, out);
	fputs("</main>\n<div id=\"tip\" hidden></div>\n", out);
	put_data(report, out);
	fprintf(out, "<script>\n%s</script>\n</body>\n</html>\n", report_js);
}
