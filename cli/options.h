/* Command lines from a table: parser, --help and the manual page's OPTIONS all
 * read the same rows, so they cannot say different things. */
#ifndef V2E_CLI_OPTIONS_H
#define V2E_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Takes a value for `target`. Returns false with *error (g_free): what is wrong
 * with the value and what would be right. `value` is NULL for a flag. */
typedef bool options_set(void *target, const char *value, char **error);

struct option_row {
	const char *name;     /* long form without the dashes */
	char letter;          /* short form, or 0 */
	const char *argument; /* what --help calls the value; NULL: a flag */
	const char *values;   /* for completion: the words that the value, or each part of a LIST, may be; NULL: others */
	const char *help;     /* one line, for --help */
	const char *manual;   /* more sentences for the manual page, or NULL; `\n` parts paragraphs */
	options_set *set;
	bool repeats;         /* may be given several times */
	bool names_place;     /* its errors say where they belong; else --name is put before */
	const char *heading;  /* starts a group, or NULL */
};

struct option_table {
	const char *command;   /* "v2e run" */
	const char *arguments; /* "[IMAGE]", for the usage line */
	const char *summary;   /* one line */
	const struct option_row *rows;
	unsigned count;        /* at most OPTIONS_MAX */
	options_set *operand;  /* words that are not options */
};

#define OPTIONS_MAX 64

/* Reads argv[0] .. argv[argc - 1] (no program name among them) into `target`:
 * --name value, --name=value, -x value, -xvalue; `--` ends options. Returns false
 * at the first word that does not fit, with *error (g_free): one line that names
 * the option and the remedy. */
bool options_parse(const struct option_table *table, int argc, char *const *argv, void *target, char **error);

/* Usage, summary, options in groups. */
void options_print_help(const struct option_table *table, FILE *out);

/* The OPTIONS section as man(7) source. */
void options_print_man(const struct option_table *table, FILE *out);

/* `text` as man(7) source: backslashes, dashes and leading dots kept from troff;
 * `\n` becomes a paragraph. Ends with a newline. */
void options_print_man_text(const char *text, FILE *out);

#endif
