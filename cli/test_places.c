#include "cli/test_places.h"

#include <string.h>

#include <glib.h>

struct test_places {
	char *path;
	GHashTable *lines; /* "group" or "group\nkey" -> line */
};

struct scan {
	struct test_places *places;
	char *group; /* NULL: none yet */
	unsigned line;
	char **error;
};

static char *make_id(const char *group, const char *key)
{
	return key ? g_strconcat(group, "\n", key, NULL) : g_strdup(group);
}

unsigned test_places_line(const struct test_places *places, const char *group, const char *key)
{
	g_autofree char *id = make_id(group, key);
	return GPOINTER_TO_UINT(g_hash_table_lookup(places->lines, id));
}

char *test_places_format(const struct test_places *places, const char *group, const char *key)
{
	unsigned line = test_places_line(places, group, key);
	return g_strdup_printf("%s:%s%s%s:%u", places->path, group, key ? ":" : "", key ? key : "", line);
}

static bool add(struct scan *scan, const char *key)
{
	unsigned before = test_places_line(scan->places, scan->group, key);
	if (before) {
		*scan->error = g_strdup_printf("%s:%s%s%s:%u: is there already, on line %u; join the two", scan->places->path,
		                               scan->group, key ? ":" : "", key ? key : "", scan->line, before);
		return false;
	}
	g_hash_table_insert(scan->places->lines, make_id(scan->group, key), GUINT_TO_POINTER(scan->line));
	return true;
}

static bool scan_group(struct scan *scan, const char *line)
{
	size_t length = strlen(line);
	if (length < 3 || line[length - 1] != ']') {
		*scan->error = g_strdup_printf("%s:%u: '%s' is no group; write [NAME]", scan->places->path, scan->line, line);
		return false;
	}
	g_free(scan->group);
	scan->group = g_strndup(line + 1, length - 2);
	return add(scan, NULL);
}

static bool scan_key(struct scan *scan, const char *line)
{
	const char *equals = strchr(line, '=');
	if (!equals || equals == line) {
		*scan->error = g_strdup_printf("%s:%s%s%u: '%s' is no key; write KEY=VALUE, [GROUP] or # COMMENT", scan->places->path,
		                               scan->group ? scan->group : "", scan->group ? ":" : "", scan->line, line);
		return false;
	}
	g_autofree char *key = g_strchomp(g_strndup(line, (size_t)(equals - line)));
	if (scan->group)
		return add(scan, key);
	*scan->error = g_strdup_printf("%s:%u: '%s' stands before the first group; put [test] above it", scan->places->path,
	                               scan->line, key);
	return false;
}

static bool scan_line(struct scan *scan, char *line)
{
	g_strstrip(line);
	if (!*line || *line == '#')
		return true;
	return *line == '[' ? scan_group(scan, line) : scan_key(scan, line);
}

struct test_places *test_places_new(const char *path, const char *text, char **error)
{
	struct test_places *places = g_new0(struct test_places, 1);
	places->path = g_strdup(path);
	places->lines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	struct scan scan = { .places = places, .error = error };
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	bool fine = true;
	for (unsigned i = 0; lines[i] && fine; i++) {
		scan.line = i + 1;
		fine = scan_line(&scan, lines[i]);
	}
	g_free(scan.group);
	if (fine)
		return places;
	test_places_free(places);
	return NULL;
}

void test_places_free(struct test_places *places)
{
	if (!places)
		return;
	g_free(places->path);
	g_hash_table_unref(places->lines);
	g_free(places);
}
