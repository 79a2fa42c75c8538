/* What JSON wants of text. */
#ifndef V2E_CLI_JSON_H
#define V2E_CLI_JSON_H

#include <stdio.h>

#include <glib.h>

/* `text`, UTF-8, in quotes. */
void json_append_string(GString *to, const char *text);
void json_print_string(const char *text, FILE *out);

#endif
