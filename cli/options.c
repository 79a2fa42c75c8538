#include "cli/options.h"

#include <string.h>

#include <glib.h>

#include "cli/nearest.h"

struct parse {
	const struct option_table *table;
	int left;
	char *const *next;
	void *target;
	bool seen[OPTIONS_MAX];
};

static const struct option_row *find_name(const struct option_table *table, const char *name, size_t length)
{
	for (unsigned i = 0; i < table->count; i++)
		if (strlen(table->rows[i].name) == length && !strncmp(table->rows[i].name, name, length))
			return &table->rows[i];
	return NULL;
}

static const struct option_row *find_letter(const struct option_table *table, char letter)
{
	for (unsigned i = 0; i < table->count; i++)
		if (table->rows[i].letter == letter)
			return &table->rows[i];
	return NULL;
}

static bool fail_unknown(const struct option_table *table, const char *word, char **error)
{
	const char *names[OPTIONS_MAX + 1] = { NULL };
	for (unsigned i = 0; i < table->count; i++)
		names[i] = table->rows[i].name;
	g_autofree char *name = g_strndup(word + 2, strcspn(word + 2, "="));
	const char *near = nearest_match(name, names);
	if (near)
		*error = g_strdup_printf("unknown option --%s; did you mean --%s?", name, near);
	else
		*error = g_strdup_printf("unknown option --%s; see %s --help", name, table->command);
	return false;
}

static bool set_value(struct parse *parse, const struct option_row *row, const char *value, char **error)
{
	bool *seen = &parse->seen[row - parse->table->rows];
	if (*seen && !row->repeats) {
		*error = g_strdup_printf("--%s is given twice; give it once", row->name);
		return false;
	}
	*seen = true;
	g_autofree char *reason = NULL;
	if (row->set(parse->target, value, &reason))
		return true;
	*error = row->names_place ? g_steal_pointer(&reason) : g_strdup_printf("--%s: %s", row->name, reason);
	return false;
}

/* The value is the next word. One that looks like an option is a forgotten value. */
static bool set_from_next(struct parse *parse, const struct option_row *row, char **error)
{
	if (!parse->left || !strncmp(*parse->next, "--", 2)) {
		*error = g_strdup_printf("--%s needs a value; write --%s %s", row->name, row->name, row->argument);
		return false;
	}
	parse->left--;
	return set_value(parse, row, *parse->next++, error);
}

static bool parse_long(struct parse *parse, const char *word, char **error)
{
	size_t length = strcspn(word + 2, "=");
	const char *value = word[2 + length] ? word + 2 + length + 1 : NULL;
	const struct option_row *row = find_name(parse->table, word + 2, length);
	if (!row)
		return fail_unknown(parse->table, word, error);
	if (!row->argument && value) {
		*error = g_strdup_printf("--%s takes no value; leave out =%s", row->name, value);
		return false;
	}
	if (row->argument && !value)
		return set_from_next(parse, row, error);
	return set_value(parse, row, value, error);
}

static bool parse_short(struct parse *parse, const char *word, char **error)
{
	const struct option_row *row = find_letter(parse->table, word[1]);
	if (!row || (!row->argument && word[2])) {
		*error = g_strdup_printf("unknown option %s; see %s --help", word, parse->table->command);
		return false;
	}
	if (row->argument && !word[2])
		return set_from_next(parse, row, error);
	return set_value(parse, row, row->argument ? word + 2 : NULL, error);
}

bool options_parse(const struct option_table *table, int argc, char *const *argv, void *target, char **error)
{
	struct parse parse = { .table = table, .left = argc, .next = argv, .target = target };
	bool ended = false;
	while (parse.left) {
		const char *word = *parse.next++;
		parse.left--;
		bool fine;
		if (!ended && !strcmp(word, "--"))
			fine = ended = true;
		else if (!ended && word[0] == '-' && word[1] == '-')
			fine = parse_long(&parse, word, error);
		else if (!ended && word[0] == '-' && word[1])
			fine = parse_short(&parse, word, error);
		else
			fine = table->operand(target, word, error);
		if (!fine)
			return false;
	}
	return true;
}

static char *format_left_column(const struct option_row *row)
{
	GString *text = g_string_new(NULL);
	if (row->letter)
		g_string_append_printf(text, "-%c, ", row->letter);
	g_string_append_printf(text, "--%s", row->name);
	if (row->argument)
		g_string_append_printf(text, " %s", row->argument);
	return g_string_free(text, FALSE);
}

void options_print_help(const struct option_table *table, FILE *out)
{
	fprintf(out, "Usage: %s [OPTION]...%s%s\n%s\n", table->command, *table->arguments ? " " : "", table->arguments,
	        table->summary);
	for (unsigned i = 0; i < table->count; i++) {
		const struct option_row *row = &table->rows[i];
		if (row->heading)
			fprintf(out, "\n%s:\n", row->heading);
		g_autofree char *left = format_left_column(row);
		fprintf(out, "  %-23s %s\n", left, row->help);
	}
}

static void print_man_line(const char *text, size_t length, FILE *out)
{
	if (length && (*text == '.' || *text == '\''))
		fputs("\\&", out);
	for (; length; length--, text++) {
		if (*text == '\\')
			fputs("\\e", out);
		else if (*text == '-')
			fputs("\\-", out);
		else
			putc(*text, out);
	}
	putc('\n', out);
}

void options_print_man_text(const char *text, FILE *out)
{
	for (;;) {
		size_t length = strcspn(text, "\n");
		print_man_line(text, length, out);
		if (!text[length])
			break;
		fputs(".IP\n", out);
		text += length + 1;
	}
}

/* "One line" of --help as a sentence. */
static void print_man_sentence(const char *help, FILE *out)
{
	g_autofree char *sentence = g_strdup_printf("%c%s.", g_ascii_toupper(help[0]), help + 1);
	options_print_man_text(sentence, out);
}

static void print_man_tag(const struct option_row *row, FILE *out)
{
	fputs(".TP\n", out);
	if (row->letter)
		fprintf(out, "\\fB\\-%c\\fR, ", row->letter);
	fputs("\\fB\\-\\-", out);
	for (const char *c = row->name; *c; c++)
		fprintf(out, *c == '-' ? "\\-" : "%c", *c);
	fputs("\\fR", out);
	if (row->argument)
		fprintf(out, " \\fI%s\\fR", row->argument);
	putc('\n', out);
}

void options_print_man(const struct option_table *table, FILE *out)
{
	for (unsigned i = 0; i < table->count; i++) {
		const struct option_row *row = &table->rows[i];
		if (row->heading)
			fprintf(out, ".SS %s\n", row->heading);
		print_man_tag(row, out);
		print_man_sentence(row->help, out);
		if (row->manual)
			options_print_man_text(row->manual, out);
	}
}
