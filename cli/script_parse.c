#include "cli/script_parse.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <glib.h>

#include "cli/nearest.h"
#include "cli/options.h"
#include "cli/units.h"
#include "devmodel/keys.h"

struct verb {
	const char *name, *syntax, *help;
};

static const struct verb verbs[SCRIPT_VERBS] = {
#define SCRIPT_COMMAND(verb, name, syntax, help) [SCRIPT_##verb] = { name, syntax, help },
#include "cli/script_commands.def"
#undef SCRIPT_COMMAND
};

struct script {
	GPtrArray *steps; /* struct script_step */
};

static void step_free(void *data)
{
	struct script_step *step = data;
	g_free(step->text);
	g_clear_pointer(&step->strokes, g_array_unref);
	g_free(step->source);
	g_free(step->file);
	g_free(step);
}

struct script *script_new(void)
{
	struct script *script = g_new0(struct script, 1);
	script->steps = g_ptr_array_new_with_free_func(step_free);
	return script;
}

void script_free(struct script *script)
{
	if (!script)
		return;
	g_ptr_array_free(script->steps, TRUE);
	g_free(script);
}

unsigned script_count(const struct script *script)
{
	return script->steps->len;
}

const struct script_step *script_step(const struct script *script, unsigned n)
{
	return script->steps->pdata[n];
}

const char *script_verb_name(enum script_verb verb)
{
	return verbs[verb].name;
}

/* Words */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Behind a backslash inside quotes; returns the first character after it. */
static const char *read_escape(const char *text, GString *word, char **error)
{
	static const char names[] = "nrte", values[] = "\n\r\t\033";
	const char *name = *text ? strchr(names, *text) : NULL;
	if (name) {
		g_string_append_c(word, values[name - names]);
		return text + 1;
	}
	if (*text != 'x') {
		g_string_append_c(word, *text);
		return text + 1;
	}
	if (!g_ascii_isxdigit(text[1]) || !g_ascii_isxdigit(text[2]) || (text[1] == '0' && text[2] == '0')) {
		*error = g_strdup("\\x needs two hexadecimal digits, 01 to ff; write \\\\x for a backslash and an x");
		return NULL;
	}
	g_string_append_c(word, (char)(g_ascii_xdigit_value(text[1]) << 4 | g_ascii_xdigit_value(text[2])));
	return text + 3;
}

/* Behind the opening quote; returns the first character after the closing one. */
static const char *read_quoted(const char *text, GString *word, char **error)
{
	while (*text != '"') {
		if (!*text || (*text == '\\' && !text[1])) {
			*error = g_strdup("a quote is not closed; end it with \" or write \\\" for a plain one");
			return NULL;
		}
		if (*text != '\\')
			g_string_append_c(word, *text++);
		else if (!(text = read_escape(text + 1, word, error)))
			return NULL;
	}
	return text + 1;
}

static const char *read_word(const char *text, GString *word, char **error)
{
	while (*text && !is_blank(*text)) {
		if (*text == '"') {
			if (!(text = read_quoted(text + 1, word, error)))
				return NULL;
			continue;
		}
		if (*text == '\\' && !*++text) {
			*error = g_strdup("nothing follows the last \\; write \\\\ for a plain backslash");
			return NULL;
		}
		g_string_append_c(word, *text++);
	}
	return text;
}

static GPtrArray *split(const char *text, char **error)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
	for (;;) {
		while (is_blank(*text))
			text++;
		if (!*text || *text == '#')
			break;
		GString *word = g_string_new(NULL);
		text = read_word(text, word, error);
		g_ptr_array_add(words, g_string_free(word, FALSE));
		if (!text)
			return NULL;
	}
	return g_steal_pointer(&words);
}

/* Arguments */

static bool parse_text(const char *kind, const char *word, struct script_step *step, char **error)
{
	if (!*word) {
		*error = g_strdup_printf("%s is empty; put something between the quotes", kind);
		return false;
	}
	const char *suffix = strchr(kind, '.');
	if (suffix && !g_str_has_suffix(word, suffix)) {
		*error = g_strdup_printf("'%s' does not end with %s; only that format can be written", word, suffix);
		return false;
	}
	step->text = g_strdup(word);
	return true;
}

static bool parse_count(const char *word, struct script_step *step, char **error)
{
	uint64_t count;
	if (!units_parse_number(word, 1, SCRIPT_COLOURS_MAX, &count, error))
		return false;
	step->count = (unsigned)count;
	return true;
}

static bool parse_status(const char *word, struct script_step *step, char **error)
{
	uint64_t status;
	if (!units_parse_number(word, 0, 255, &status, error))
		return false;
	step->status = (uint8_t)status;
	return true;
}

static bool parse_argument(const char *kind, const char *word, struct script_step *step, unsigned *times, char **error)
{
	switch (kind[0]) {
	case 'T':
		return units_parse_time(word, &step->time[(*times)++], error);
	case 'N':
		return parse_count(word, step, error);
	case 'X':
		return units_parse_area(word, &step->area, error);
	}
	return strcmp(kind, "STATUS") ? parse_text(kind, word, step, error) : parse_status(word, step, error);
}

static bool fail_syntax(const struct verb *verb, const char *what, const char *word, char **error)
{
	*error = g_strdup_printf("%s '%s'; write: %s %s (quote what has blanks in it)", what, word, verb->name, verb->syntax);
	return false;
}

/* Of two that may be left out, the first is the one with commas. */
static bool is_left_out(const char *kind, const char *word)
{
	return kind[0] == '[' && (!word || (kind[1] == 'X' && !strchr(word, ',')));
}

/* Walks the syntax and the words side by side. */
static bool parse_arguments(const struct verb *verb, const GPtrArray *words, struct script_step *step, char **error)
{
	g_auto(GStrv) kinds = g_strsplit(verb->syntax, " ", -1);
	unsigned next = 1, times = 0;
	for (unsigned n = 0; kinds[n]; n++) {
		const char *word = next < words->len ? words->pdata[next] : NULL;
		if (is_left_out(kinds[n], word))
			continue;
		bool optional = kinds[n][0] == '[';
		g_autofree char *kind = g_strndup(kinds[n] + optional, strcspn(kinds[n] + optional, "]"));
		if (!word)
			return fail_syntax(verb, "missing", kind, error);
		if (!parse_argument(kind, word, step, &times, error))
			return false;
		next++;
	}
	if (next < words->len)
		return fail_syntax(verb, "too much:", words->pdata[next], error);
	return true;
}

/* What the grammar cannot say. */
static bool finish_step(struct script_step *step, char **error)
{
	if (step->verb == SCRIPT_keys || step->verb == SCRIPT_type) {
		step->strokes = g_array_new(FALSE, FALSE, sizeof(struct key_stroke));
		if (step->verb == SCRIPT_keys)
			return keys_parse(step->text, step->strokes, error);
		return keys_parse_literal(step->text, step->strokes, error);
	}
	if (step->verb == SCRIPT_wait_stable && step->time[0] > step->time[1]) {
		g_autofree char *t1 = units_format_time(step->time[0]), *t2 = units_format_time(step->time[1]);
		*error = g_strdup_printf("T1 (%s) is longer than T2 (%s), so it can only fail; give a longer T2", t1, t2);
		return false;
	}
	return true;
}

static bool find_verb(const char *name, enum script_verb *verb, char **error)
{
	const char *names[SCRIPT_VERBS + 1] = { NULL };
	for (unsigned i = 0; i < SCRIPT_VERBS; i++) {
		names[i] = verbs[i].name;
		if (!strcmp(name, names[i])) {
			*verb = (enum script_verb)i;
			return true;
		}
	}
	const char *near = nearest_match(name, names);
	if (near) {
		*error = g_strdup_printf("unknown command '%s'; did you mean %s?", name, near);
	} else {
		g_autofree char *all = g_strjoinv(", ", (char **)names);
		*error = g_strdup_printf("unknown command '%s'; there are %s", name, all);
	}
	return false;
}

static struct script_step *parse_step(const GPtrArray *words, char **error)
{
	enum script_verb verb;
	if (!find_verb(words->pdata[0], &verb, error))
		return NULL;
	struct script_step *step = g_new0(struct script_step, 1);
	step->verb = verb;
	step->time[0] = step->time[1] = SCRIPT_DEFAULT_TIME;
	g_autofree char *reason = NULL;
	if (parse_arguments(&verbs[verb], words, step, &reason) && finish_step(step, &reason))
		return step;
	*error = g_strdup_printf("%s: %s", verbs[verb].name, reason);
	step_free(step);
	return NULL;
}

bool script_parse_line(struct script *script, const char *file, unsigned line, const char *text, char **error)
{
	g_autofree char *reason = NULL;
	struct script_step *step = NULL;
	g_autoptr(GPtrArray) words = split(text, &reason);
	if (words && !words->len)
		return true;
	if (words)
		step = parse_step(words, &reason);
	if (!step) {
		*error = g_strdup_printf("%s:%u: %s", file, line, reason);
		return false;
	}
	step->source = g_strstrip(g_strdup(text));
	step->file = g_strdup(file);
	step->line = line;
	g_ptr_array_add(script->steps, step);
	return true;
}

/* Files */

static bool refuse_file(const char *path, const char *what, char **error)
{
	*error = g_strdup_printf("%s: %s; give a text file of commands", path, what);
	return false;
}

static bool read_file(const char *path, char **text, size_t *size, char **error)
{
	struct stat status;
	if (stat(path, &status) < 0)
		return refuse_file(path, g_strerror(errno), error);
	if (S_ISDIR(status.st_mode))
		return refuse_file(path, "is a directory", error);
	if (status.st_size > SCRIPT_FILE_MAX)
		return refuse_file(path, "is larger than 1 MiB", error);
	g_autoptr(GError) problem = NULL;
	if (!g_file_get_contents(path, text, size, &problem))
		return refuse_file(path, "cannot be read", error);
	if (!g_utf8_validate(*text, (gssize)*size, NULL)) {
		g_clear_pointer(text, g_free);
		return refuse_file(path, "is not UTF-8 text", error);
	}
	return true;
}

bool script_parse_file(struct script *script, const char *path, char **error)
{
	g_autofree char *text = NULL;
	size_t size;
	if (!read_file(path, &text, &size, error))
		return false;
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (unsigned i = 0; lines[i]; i++)
		if (!script_parse_line(script, path, i + 1, lines[i], error))
			return false;
	return true;
}

/* Help */

void script_print_help(FILE *out)
{
	fputs("\nCommands for --do and --script:\n", out);
	for (unsigned i = 0; i < SCRIPT_VERBS; i++)
		fprintf(out, "  %s %s\n", verbs[i].name, verbs[i].syntax);
}

void script_print_man(FILE *out)
{
	for (unsigned i = 0; i < SCRIPT_VERBS; i++) {
		fputs(".TP\n\\fB", out);
		for (const char *c = verbs[i].name; *c; c++)
			fprintf(out, *c == '-' ? "\\-" : "%c", *c);
		fprintf(out, "\\fR \\fI%s\\fR\n", verbs[i].syntax);
		options_print_man_text(verbs[i].help, out);
	}
}
