#include "cli/json.h"

void json_append_string(GString *to, const char *text)
{
	g_string_append_c(to, '"');
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20)
			g_string_append_printf(to, "\\u%04x", *text);
		else if (*text == '"' || *text == '\\')
			g_string_append_printf(to, "\\%c", *text);
		else
			g_string_append_c(to, *text);
	}
	g_string_append_c(to, '"');
}

void json_print_string(const char *text, FILE *out)
{
	g_autoptr(GString) quoted = g_string_new(NULL);
	json_append_string(quoted, text);
	fputs(quoted->str, out);
}
