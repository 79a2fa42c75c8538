/* The command language of --do and --script: one line is one command. Words are
 * parted by blanks; "..." keeps blanks together; \ takes the next character as it
 * is, and inside quotes \n \r \t \e and \xHH are control characters; # at the
 * start of a word opens a comment. All is checked here, before the guest starts. */
#ifndef V2E_CLI_SCRIPT_PARSE_H
#define V2E_CLI_SCRIPT_PARSE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <glib.h>

#include "devmodel/surface.h"

enum script_verb {
#define SCRIPT_COMMAND(verb, name, syntax, help) SCRIPT_##verb,
#include "cli/script_commands.def"
#undef SCRIPT_COMMAND
	SCRIPT_VERBS,
};

#define SCRIPT_DEFAULT_TIME (UINT64_C(30) * 1000000000)
#define SCRIPT_FILE_MAX     (1u << 20) /* bytes of a script file */
#define SCRIPT_COLOURS_MAX  (1u << 24) /* that a picture can have */

struct script_step {
	enum script_verb verb;
	char *text;       /* STRING, KEYS or FILE; NULL for verbs without one */
	GArray *strokes;  /* struct key_stroke: what `keys` and `type` press; or NULL */
	uint64_t time[2]; /* guest ns, in the order of the arguments; a T that was
	                   * left out is SCRIPT_DEFAULT_TIME */
	unsigned count;   /* N */
	struct surface_area area; /* without width: the whole picture */
	uint8_t status;
	char *source;     /* the command as it was written */
	char *file;       /* where it was written: a file name, or "--do" */
	unsigned line;    /* from 1 */
};

struct script;

struct script *script_new(void);
void script_free(struct script *script);

unsigned script_count(const struct script *script);
const struct script_step *script_step(const struct script *script, unsigned n);

/* Adds the command of one line; an empty line or a comment adds nothing. Returns
 * false with *error (g_free): "FILE:LINE: what is wrong; what to do". */
bool script_parse_line(struct script *script, const char *file, unsigned line, const char *text, char **error);

/* Adds all lines of a file, which is UTF-8 and at most SCRIPT_FILE_MAX bytes. */
bool script_parse_file(struct script *script, const char *path, char **error);

const char *script_verb_name(enum script_verb verb);

/* The commands for --help, and as man(7) source. */
void script_print_help(FILE *out);
void script_print_man(FILE *out);

#endif
