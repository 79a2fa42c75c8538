/* One line of JSON: an object of strings, whole numbers, truth values and objects of
 * those, as v2e writes them. */
#ifndef V2E_TRACE_JSON_LINE_H
#define V2E_TRACE_JSON_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#define JSON_LINE_FIELDS 64u
/* What a number of JavaScript holds exactly. */
#define JSON_LINE_MAX ((UINT64_C(1) << 53) - 1)

struct json_field {
	const char *name;   /* "ns.exit" for a member of an object */
	const char *string; /* NULL: a number */
	uint64_t number;    /* true is 1, false and null are 0 */
};

struct json_line {
	struct json_field field[JSON_LINE_FIELDS];
	unsigned fields;
	GStringChunk *strings;
};

struct json_line *json_line_new(void);
void json_line_free(struct json_line *line); /* NULL is fine */

/* Takes `text` in place of what it held. False with *error (static): what is wrong. */
bool json_line_parse(struct json_line *line, const char *text, const char **error);

/* NULL, `missing`: there is no such field, or of the other kind. */
const char *json_line_string(const struct json_line *line, const char *name);
uint64_t json_line_number(const struct json_line *line, const char *name, uint64_t missing);

#endif
