#include "trace/json_line.h"

#include <string.h>

#define DEPTH 4u

struct parser {
	const char *at, *error;
	struct json_line *line;
	unsigned depth;
};

struct json_line *json_line_new(void)
{
	struct json_line *line = g_new0(struct json_line, 1);
	line->strings = g_string_chunk_new(4096);
	return line;
}

void json_line_free(struct json_line *line)
{
	if (!line)
		return;
	g_string_chunk_free(line->strings);
	g_free(line);
}

static bool fail(struct parser *parser, const char *error)
{
	parser->error = error;
	return false;
}

static void skip_space(struct parser *parser)
{
	parser->at += strspn(parser->at, " \t\r");
}

static bool take(struct parser *parser, char c)
{
	skip_space(parser);
	if (*parser->at != c)
		return false;
	parser->at++;
	return true;
}

static bool read_escape(struct parser *parser, GString *text)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	char c = *parser->at++;
	const char *plain = c ? strchr(from, c) : NULL;
	unsigned code = 0;
	if (plain) {
		g_string_append_c(text, to[plain - from]);
		return true;
	}
	if (c != 'u')
		return fail(parser, "it has a bad escape in a string");
	for (unsigned i = 0; i < 4; i++, parser->at++) {
		if (!g_ascii_isxdigit(*parser->at))
			return fail(parser, "it has a bad escape in a string");
		code = code << 4 | (unsigned)g_ascii_xdigit_value(*parser->at);
	}
	/* A NUL or half of a pair has no place in a C string of UTF-8. */
	g_string_append_unichar(text, !code || (code >= 0xd800 && code < 0xe000) ? 0xfffd : code);
	return true;
}

static const char *read_string(struct parser *parser)
{
	g_autoptr(GString) text = g_string_new(NULL);
	if (!take(parser, '"'))
		return fail(parser, "a string is missing"), NULL;
	while (*parser->at != '"') {
		if (!*parser->at)
			return fail(parser, "it ends within a string"), NULL;
		if (*parser->at != '\\')
			g_string_append_c(text, *parser->at++);
		else if (parser->at++, !read_escape(parser, text))
			return NULL;
	}
	parser->at++;
	return g_string_chunk_insert_len(parser->line->strings, text->str, (gssize)text->len);
}

static bool read_number(struct parser *parser, uint64_t *number)
{
	*number = 0;
	if (!g_ascii_isdigit(*parser->at))
		return fail(parser, "a value is neither a string nor a whole number");
	for (; g_ascii_isdigit(*parser->at); parser->at++) {
		*number = *number * 10 + (unsigned)g_ascii_digit_value(*parser->at);
		if (*number > JSON_LINE_MAX)
			return fail(parser, "a number is too large");
	}
	return !strchr(".eE", *parser->at) || !*parser->at || fail(parser, "a number is not whole");
}

static bool read_word(struct parser *parser, uint64_t *number)
{
	static const char *const words[] = { "false", "true", "null" };
	for (unsigned i = 0; i < G_N_ELEMENTS(words); i++)
		if (g_str_has_prefix(parser->at, words[i])) {
			parser->at += strlen(words[i]);
			*number = i == 1;
			return true;
		}
	return read_number(parser, number);
}

static bool read_object(struct parser *parser, const char *prefix);

static bool read_member(struct parser *parser, const char *prefix)
{
	struct json_line *line = parser->line;
	const char *name = read_string(parser);
	if (!name)
		return false;
	if (!take(parser, ':'))
		return fail(parser, "a colon is missing");
	g_autofree char *path = *prefix ? g_strdup_printf("%s.%s", prefix, name) : g_strdup(name);
	skip_space(parser);
	if (*parser->at == '{')
		return read_object(parser, path);
	if (line->fields == JSON_LINE_FIELDS)
		return fail(parser, "it has too many fields");
	struct json_field field = { .name = g_string_chunk_insert(line->strings, path) };
	if (*parser->at == '"' ? !(field.string = read_string(parser)) : !read_word(parser, &field.number))
		return false;
	line->field[line->fields++] = field;
	return true;
}

static bool read_object(struct parser *parser, const char *prefix)
{
	if (!take(parser, '{'))
		return fail(parser, "it is no JSON object");
	if (++parser->depth > DEPTH)
		return fail(parser, "it is nested too deeply");
	if (take(parser, '}'))
		return parser->depth--, true;
	do
		if (!read_member(parser, prefix))
			return false;
	while (take(parser, ','));
	parser->depth--;
	return take(parser, '}') || fail(parser, "its end is missing");
}

bool json_line_parse(struct json_line *line, const char *text, const char **error)
{
	struct parser parser = { .at = text, .line = line };
	g_string_chunk_clear(line->strings);
	line->fields = 0;
	if (!g_utf8_validate(text, -1, NULL))
		return *error = "it is not UTF-8", false;
	bool fine = read_object(&parser, "");
	skip_space(&parser);
	if (fine && *parser.at)
		fine = fail(&parser, "something stands behind its end");
	*error = parser.error;
	return fine;
}

static const struct json_field *find(const struct json_line *line, const char *name)
{
	for (unsigned i = 0; i < line->fields; i++)
		if (!strcmp(line->field[i].name, name))
			return &line->field[i];
	return NULL;
}

const char *json_line_string(const struct json_line *line, const char *name)
{
	const struct json_field *field = find(line, name);
	return field ? field->string : NULL;
}

uint64_t json_line_number(const struct json_line *line, const char *name, uint64_t missing)
{
	const struct json_field *field = find(line, name);
	return field && !field->string ? field->number : missing;
}
