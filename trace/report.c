#include "trace/report_private.h"

#include <errno.h>
#include <string.h>

#include "trace/json_line.h"

#define LINE_LONGEST 65536u
#define SITES_MOST   10000u

static const char *const mode_names[] = { "real", "vm86", "protected", "long" };
static const char *const engine_names[] = { "emu", "kvm" };
static const char *const part_names[] = { "exit", "save", "channel", "load", "emulate" };

const char *report_part_name(enum report_part part)
{
	return part_names[part];
}

/* --- life ------------------------------------------------------------------------------ */

static void free_site(void *data)
{
	struct report_site *site = data;
	g_free(site->way);
	g_free(site->symbol);
	g_free(site->code);
	report_values_free(site->cost);
	g_free(site);
}

static void free_kind(void *data)
{
	struct report_kind *kind = data;
	g_free(kind->function);
	g_free(kind->name);
	g_free(kind);
}

static void free_call(void *data)
{
	struct report_call *call = data;
	g_free(call->arguments);
	g_free(call->result);
	g_free(call->symbol);
	g_free(call);
}

struct report *report_new(struct symbols *symbols)
{
	struct report *report = g_new0(struct report, 1);
	report->symbols = symbols;
	report->first_mode = report->first_engine = -1;
	report->changes = g_array_new(FALSE, FALSE, sizeof(struct report_change));
	report->marks = g_array_new(FALSE, FALSE, sizeof(struct report_mark));
	report->mode_sites = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_site);
	report->engine_sites = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_site);
	report->codes = g_hash_table_new(g_int64_hash, g_int64_equal);
	report->kinds = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_kind);
	report->open = g_hash_table_new(g_int64_hash, g_int64_equal);
	report->shown = g_ptr_array_new_with_free_func(free_call);
	report->costs = report_values_new(REPORT_VALUES);
	report->stays = report_values_new(REPORT_VALUES);
	report->handover_blocks = report_values_new(REPORT_VALUES);
	for (unsigned i = 0; i < REPORT_PARTS; i++)
		report->parts[i] = report_values_new(REPORT_VALUES);
	return report;
}

void report_free(struct report *report)
{
	if (!report)
		return;
	g_free(report->image);
	g_free(report->engine);
	g_free(report->clock);
	g_free(report->version);
	g_array_unref(report->changes);
	g_array_unref(report->marks);
	g_hash_table_unref(report->codes);
	g_hash_table_unref(report->mode_sites);
	g_hash_table_unref(report->engine_sites);
	g_hash_table_unref(report->kinds);
	g_hash_table_unref(report->open);
	g_ptr_array_unref(report->shown);
	report_values_free(report->costs);
	report_values_free(report->stays);
	report_values_free(report->handover_blocks);
	for (unsigned i = 0; i < REPORT_PARTS; i++)
		report_values_free(report->parts[i]);
	g_free(report);
}

/* --- places --------------------------------------------------------------------------- */

static int index_of(const char *const *names, unsigned count, const char *name)
{
	for (unsigned i = 0; name && i < count; i++)
		if (!strcmp(names[i], name))
			return (int)i;
	return -1;
}

/* Its bytes as digits, an even number of them; else NULL. */
static char *code_of(const struct json_line *line)
{
	const char *code = json_line_string(line, "code");
	if (!code || !*code || strlen(code) > 256 || strlen(code) % 2 || strspn(code, "0123456789abcdef") != strlen(code))
		return NULL;
	return g_strdup(code);
}

/* A place is recorded once, but the page may show it several times. */
static void note_code(struct report *report, struct report_site *site, const struct json_line *line)
{
	uint64_t bits = json_line_number(line, "bits", 0);
	char *code = code_of(line);
	if (site->code || !code || (bits != 16 && bits != 32 && bits != 64)) {
		g_free(code);
		return;
	}
	site->code = code;
	site->bits = (unsigned)bits;
	site->code_at = json_line_number(line, "code_at", site->linear);
	g_hash_table_insert(report->codes, &site->linear, site);
}

static char *symbol_of(const struct report *report, const struct json_line *line)
{
	const char *symbol = json_line_string(line, "symbol");
	if (!symbol && report->symbols)
		symbol = symbols_name(report->symbols, json_line_number(line, "linear", 0));
	return g_strdup(symbol);
}

/* NULL: there are too many. */
static struct report_site *find_site(struct report *report, GHashTable *sites, const struct json_line *line, const char *way)
{
	uint64_t linear = json_line_number(line, "linear", 0);
	g_autofree char *key = g_strdup_printf("%" G_GINT64_MODIFIER "x %s", linear, way);
	struct report_site *site = g_hash_table_lookup(sites, key);
	if (!site && g_hash_table_size(sites) < SITES_MOST) {
		site = g_new0(struct report_site, 1);
		site->linear = linear;
		site->cs = json_line_number(line, "cs", 0);
		site->ip = json_line_number(line, "ip", 0);
		site->way = g_strdup(way);
		site->symbol = symbol_of(report, line);
		g_hash_table_insert(sites, g_steal_pointer(&key), site);
	}
	if (site)
		note_code(report, site, line);
	return site;
}

/* --- events ----------------------------------------------------------------------------- */

static void add_change(struct report *report, const struct json_line *line, int mode, int engine)
{
	struct report_change change = {
		.ns = json_line_number(line, "guest_ns", json_line_number(line, "ns", 0)), .host_ns = json_line_number(line, "host_ns", 0),
		.mode = (int8_t)mode, .engine = (int8_t)engine,
	};
	report_changes_add(report, &change);
	report->end_ns = MAX(report->end_ns, change.ns);
}

static const char *add_mode(struct report *report, const struct json_line *line)
{
	int from = index_of(mode_names, REPORT_MODES, json_line_string(line, "from"));
	int to = index_of(mode_names, REPORT_MODES, json_line_string(line, "to"));
	if (from < 0 || to < 0)
		return "a change of mode names no modes";
	uint64_t blocks = json_line_number(line, "blocks", 0);
	g_autofree char *way = g_strdup_printf("%s to %s", mode_names[from], mode_names[to]);
	struct report_site *site = find_site(report, report->mode_sites, line, way);
	if (site)
		site->count++;
	if (!report->modes++)
		report->first_mode = from;
	report_values_add(report->stays, blocks);
	add_change(report, line, to, -1);
	return NULL;
}

static void add_costs(struct report *report, struct report_site *site, const struct json_line *line)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < REPORT_PARTS; i++) {
		g_autofree char *flat = g_strdup_printf("%s_ns", part_names[i]);
		g_autofree char *nested = g_strdup_printf("ns.%s", part_names[i]);
		uint64_t ns = json_line_number(line, flat, json_line_number(line, nested, 0));
		report_values_add(report->parts[i], ns);
		sum += i == REPORT_EMULATE ? 0 : ns;
	}
	report_values_add(report->costs, sum);
	if (!site)
		return;
	if (!site->cost)
		site->cost = report_values_new(REPORT_AT_SITE);
	report_values_add(site->cost, sum);
}

/* Of a name that ctx_mode_name() has. */
static int mode_of(const char *name)
{
	if (!name || !strcmp(name, "vm86"))
		return name ? REPORT_VM86 : -1;
	if (!strcmp(name, "pm64"))
		return REPORT_LONG;
	return strstr(name, "real") ? REPORT_REAL : REPORT_PROTECTED;
}

static const char *add_handover(struct report *report, const struct json_line *line)
{
	int from = index_of(engine_names, REPORT_ENGINES, json_line_string(line, "from"));
	int to = index_of(engine_names, REPORT_ENGINES, json_line_string(line, "to"));
	const char *cause = json_line_string(line, "cause");
	if (from < 0 || to < 0)
		return "a hand-over names no engines";
	bool recorded = json_line_string(line, "kind");
	if (!recorded && report->recorded)
		return NULL;
	report->recorded = recorded;
	g_autofree char *way = g_strdup_printf("%s to %s: %s", engine_names[from], engine_names[to], cause ? cause : "");
	struct report_site *site = find_site(report, report->engine_sites, line, way);
	if (site)
		site->count++;
	if (!report->handovers++)
		report->first_engine = from;
	uint64_t blocks = json_line_number(line, "blocks", 0);
	if (from == REPORT_EMU)
		report_values_add(report->handover_blocks, blocks);
	add_costs(report, site, line);
	add_change(report, line, recorded ? -1 : mode_of(json_line_string(line, "mode")), to);
	return NULL;
}

static struct report_kind *find_kind(struct report *report, const struct json_line *line)
{
	const char *function = json_line_string(line, "function"), *name = json_line_string(line, "name");
	uint64_t vector = json_line_number(line, "vector", 0);
	if (!function || !name || vector > 0xff)
		return NULL;
	g_autofree char *key = g_strdup_printf("%02x %s", (unsigned)vector, function);
	struct report_kind *kind = g_hash_table_lookup(report->kinds, key);
	if (kind)
		return kind;
	kind = g_new0(struct report_kind, 1);
	kind->number = g_hash_table_size(report->kinds);
	kind->vector = (unsigned)vector;
	kind->function = g_strdup(function);
	kind->name = g_strdup(name);
	g_hash_table_insert(report->kinds, g_steal_pointer(&key), kind);
	return kind;
}

static const char *add_call(struct report *report, const struct json_line *line)
{
	struct report_kind *kind = find_kind(report, line);
	if (!kind)
		return "a call has no vector and function";
	kind->count++;
	report->calls++;
	report_marks_add(report, json_line_number(line, "ns", 0), json_line_number(line, "host_ns", 0), kind->number);
	if (report->shown->len == REPORT_CALLS)
		return NULL;
	struct report_call *call = g_new0(struct report_call, 1);
	call->number = json_line_number(line, "call", 0);
	call->ns = json_line_number(line, "ns", 0);
	call->host_ns = json_line_number(line, "host_ns", 0);
	call->kind = kind;
	call->cs = json_line_number(line, "cs", 0);
	call->ip = json_line_number(line, "ip", 0);
	call->arguments = g_strdup(json_line_string(line, "arguments"));
	call->symbol = symbol_of(report, line);
	g_ptr_array_add(report->shown, call);
	g_hash_table_replace(report->open, &call->number, call);
	return NULL;
}

static const char *add_return(struct report *report, const struct json_line *line)
{
	struct report_kind *kind = find_kind(report, line);
	uint64_t number = json_line_number(line, "call", 0), taken = json_line_number(line, "taken_ns", 0);
	if (!kind)
		return "a return has no vector and function";
	bool failed = !json_line_number(line, "ok", 1);
	kind->returned++;
	kind->failed += failed;
	kind->total_ns += taken;
	kind->longest_ns = MAX(kind->longest_ns, taken);
	struct report_call *call = g_hash_table_lookup(report->open, &number);
	if (!call)
		return NULL;
	g_hash_table_remove(report->open, &number);
	call->returned = true;
	call->failed = failed;
	call->taken_ns = taken;
	call->result = g_strdup(json_line_string(line, "result"));
	return NULL;
}

static void set_text(char **to, const char *text)
{
	g_free(*to);
	*to = g_strdup(text ? text : "");
}

static const char *add_start(struct report *report, const struct json_line *line)
{
	if (json_line_number(line, "format", 0) != 1)
		return "its format is not 1; make it anew with this version of v2e";
	set_text(&report->image, json_line_string(line, "image"));
	set_text(&report->engine, json_line_string(line, "engine"));
	set_text(&report->clock, json_line_string(line, "clock"));
	set_text(&report->version, json_line_string(line, "version"));
	report->first_mode = report->first_mode < 0 ? REPORT_REAL : report->first_mode;
	if (!strcmp(report->engine, "emu"))
		report->first_engine = REPORT_EMU;
	else if (!strcmp(report->engine, "kvm"))
		report->first_engine = REPORT_KVM;
	return NULL;
}

static const char *add_end(struct report *report, const struct json_line *line)
{
	report->ended = true;
	report->insns = json_line_number(line, "insns", 0);
	report->blocks = json_line_number(line, "blocks", 0);
	return NULL;
}

static const char *add_event(struct report *report, const struct json_line *line)
{
	static const struct {
		const char *kind;
		const char *(*add)(struct report *report, const struct json_line *line);
	} kinds[] = {
		{ "start", add_start }, { "mode", add_mode }, { "handover", add_handover },
		{ "call", add_call }, { "return", add_return }, { "end", add_end },
	};
	const char *kind = json_line_string(line, "kind");
	if (!kind)
		return json_line_string(line, "cause") ? add_handover(report, line) : "it is no event: there is no kind";
	report->events++;
	report->end_ns = MAX(report->end_ns, json_line_number(line, "ns", 0));
	report->end_host_ns = MAX(report->end_host_ns, json_line_number(line, "host_ns", 0));
	report->has_host |= report->end_host_ns > 0;
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
		if (!strcmp(kinds[i].kind, kind))
			return kinds[i].add(report, line);
	return NULL;
}

/* --- files --------------------------------------------------------------------------------- */

struct reader {
	struct report *report;
	struct json_line *line;
	char **columns; /* CSV */
	uint64_t number, events;
};

/* What transition_log_json() puts around its lines. */
static bool is_frame(const char *text)
{
	static const char *const frame[] = { "{", "\"transitions\": [", "\"transitions\": []", "]", "}" };
	return g_str_has_prefix(text, "\"total\": ") || index_of(frame, G_N_ELEMENTS(frame), text) >= 0;
}

/* A line of CSV becomes one of JSON. */
static char *json_of_csv(const struct reader *reader, const char *text)
{
	g_auto(GStrv) words = g_strsplit(text, ",", -1);
	if (g_strv_length(words) != g_strv_length(reader->columns))
		return NULL;
	GString *json = g_string_new("{");
	for (unsigned i = 0; words[i]; i++) {
		bool number = *words[i] && strspn(words[i], "0123456789") == strlen(words[i]);
		const char *quote = number ? "" : "\"";
		g_string_append_printf(json, "%s\"%s\":%s%s%s", i ? "," : "", reader->columns[i], quote, words[i], quote);
	}
	return g_string_free(g_string_append_c(json, '}'), FALSE);
}

static const char *take_json(struct reader *reader, const char *text)
{
	const char *problem = NULL;
	if (!json_line_parse(reader->line, text, &problem))
		return problem;
	reader->events++;
	return add_event(reader->report, reader->line);
}

static const char *take_line(struct reader *reader, char *text)
{
	g_strchomp(text);
	if (g_str_has_prefix(text, "sequence,cause,") && !reader->columns) {
		reader->columns = g_strsplit(text, ",", -1);
		reader->events++;
		return NULL;
	}
	if (reader->columns) {
		g_autofree char *json = json_of_csv(reader, text);
		return json ? take_json(reader, json) : "it has not as many columns as the first";
	}
	if (is_frame(text)) {
		reader->events++;
		return NULL;
	}
	if (g_str_has_suffix(text, ","))
		text[strlen(text) - 1] = '\0';
	return take_json(reader, text);
}

static const char *check_text(const char *text, bool at_end)
{
	if (strchr(text, '\n'))
		return NULL;
	return strlen(text) >= LINE_LONGEST ? "it is longer than 64 KiB" : at_end ? "it is cut off" : "it is no text";
}

static const char *take_lines(struct reader *reader, FILE *file)
{
	g_autofree char *text = g_malloc(LINE_LONGEST + 1);
	const char *problem = NULL;
	while (!problem && fgets(text, LINE_LONGEST + 1, file)) {
		reader->number++;
		if (!(problem = check_text(text, feof(file))))
			problem = take_line(reader, text);
	}
	return problem;
}

bool report_read(struct report *report, FILE *file, const char *name, char **error)
{
	struct reader reader = { .report = report, .line = json_line_new() };
	const char *problem = take_lines(&reader, file);
	if (ferror(file))
		*error = g_strdup_printf("%s: %s; give a file that can be read", name, g_strerror(errno));
	else if (problem)
		*error = g_strdup_printf("%s: line %" G_GUINT64_FORMAT ": %s; give a recording of v2e trace -o FILE.jsonl, or a --transitions file",
		                         name, reader.number, problem);
	else if (!reader.events)
		*error = g_strdup_printf("%s: it is empty; give a recording of v2e trace -o FILE.jsonl, or a --transitions file", name);
	json_line_free(reader.line);
	g_strfreev(reader.columns);
	return !*error;
}
