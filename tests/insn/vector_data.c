#include "tests/insn/vector_data.h"

#include <json-glib/json-glib.h>
#include <stdlib.h>
#include <string.h>

static void add_path(GPtrArray *files, const char *path)
{
	if (g_str_has_suffix(path, ".MOO") || g_str_has_suffix(path, ".MOO.gz")) {
		g_ptr_array_add(files, g_strdup(path));
		return;
	}
	GDir *dir = g_file_test(path, G_FILE_TEST_IS_DIR) ? g_dir_open(path, 0, NULL) : NULL;
	const char *name;
	while (dir && (name = g_dir_read_name(dir))) {
		char *below = g_build_filename(path, name, NULL);
		if (name[0] != '.')
			add_path(files, below);
		g_free(below);
	}
	if (dir)
		g_dir_close(dir);
}

static gint by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* `vectors` in the folder that holds the checkout, or in one of its folders. */
static void add_beside(GPtrArray *files)
{
	const char *source = getenv("V2E_SRC");
	char *beside = g_build_filename(source ? source : ".", "..", NULL);
	char *direct = g_build_filename(beside, "vectors", NULL);
	add_path(files, direct);
	GDir *dir = files->len ? NULL : g_dir_open(beside, 0, NULL);
	const char *name;
	while (dir && !files->len && (name = g_dir_read_name(dir))) {
		char *inner = g_build_filename(beside, name, "vectors", NULL);
		add_path(files, inner);
		g_free(inner);
	}
	if (dir)
		g_dir_close(dir);
	g_free(direct);
	g_free(beside);
}

GPtrArray *vector_files(const char *const *names)
{
	GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
	const char *place = getenv("V2E_VECTORS");
	if (*names)
		while (*names)
			add_path(files, *names++);
	else if (place && *place)
		add_path(files, place);
	else
		add_beside(files);
	g_ptr_array_sort(files, by_name);
	if (files->len)
		return files;
	g_ptr_array_unref(files);
	return NULL;
}

/* --- metadata ------------------------------------------------------------------- */

static JsonParser *parser;
static char *parsed;

/* Each of these may hold the metadata of a file in `folder`. */
static char *metadata_path(const char *folder, enum chip chip)
{
	static const char *const names[2][3] = {
		{ "metadata.json", "8086-metadata.json", "../8086-metadata.json" },
		{ "metadata.json", "80286-metadata.json", "../80286-metadata.json" },
	};
	for (unsigned i = 0; i < 6; i++) {
		const char *name = i < 3 ? names[chip == CHIP_80286][i] : names[0][i - 3];
		char *path = g_build_filename(folder, name, NULL);
		if (g_file_test(path, G_FILE_TEST_EXISTS))
			return path;
		g_free(path);
	}
	return NULL;
}

static bool load_metadata(const char *path, char **error)
{
	GError *reason = NULL;
	if (parsed && !strcmp(parsed, path))
		return true;
	vector_data_free();
	parser = json_parser_new();
	if (!json_parser_load_from_file(parser, path, &reason)) {
		*error = g_strdup_printf("%s: %s", path, reason->message);
		g_error_free(reason);
		return false;
	}
	parsed = g_strdup(path);
	return true;
}

void vector_data_free(void)
{
	g_clear_object(&parser);
	g_clear_pointer(&parsed, g_free);
}

static JsonObject *member(JsonObject *object, const char *name)
{
	JsonNode *node = object ? json_object_get_member(object, name) : NULL;
	return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static bool metadata_mask(const char *opcode, const char *group, uint16_t *mask)
{
	JsonNode *root = json_parser_get_root(parser);
	JsonObject *top = root && JSON_NODE_HOLDS_OBJECT(root) ? json_node_get_object(root) : NULL;
	JsonObject *row = member(member(top, "opcodes"), opcode), *groups = member(row, "reg");
	if (groups)
		row = group ? member(groups, group) : NULL;
	if (!row || !json_object_has_member(row, "flags-mask"))
		return false;
	*mask = (uint16_t)json_object_get_int_member(row, "flags-mask");
	return true;
}

/* What the 80286 has beyond the 8086's table, or defines less. */
static void mask_80286(const char *opcode, const char *group, uint16_t *mask)
{
	bool shift = group && group[0] >= '4';
	if (!strcmp(opcode, "69") || !strcmp(opcode, "6B"))
		*mask = 0xff2b;
	else if (!strcmp(opcode, "C0") || !strcmp(opcode, "C1") || !strcmp(opcode, "D2") || !strcmp(opcode, "D3"))
		*mask = shift ? 0xf7ef : 0xf7ff;
	else if ((!strcmp(opcode, "D0") || !strcmp(opcode, "D1")) && shift)
		*mask = 0xffef;
}

bool vector_flags_mask(const char *path, enum chip chip, uint16_t *mask, char **error)
{
	char *folder = g_path_get_dirname(path), *name = g_path_get_basename(path);
	char *metadata = metadata_path(folder, chip);
	char **part = g_strsplit(name, ".", 3);
	const char *group = part[1] && g_ascii_isdigit(part[1][0]) ? part[1] : NULL;
	bool found = metadata && load_metadata(metadata, error);
	*mask = 0xffff;
	if (found && !metadata_mask(part[0], group, mask) && chip == CHIP_80286)
		mask_80286(part[0], group, mask);
	if (!metadata)
		*error = g_strdup_printf("%s: no metadata.json with the undefined flags beside it", path);
	g_strfreev(part);
	g_free(metadata);
	g_free(name);
	g_free(folder);
	return found;
}
