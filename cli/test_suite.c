#include "cli/test_suite.h"

#include <string.h>

#include "cli/test_folder.h"
#include "cli/test_guest.h"
#include "devmodel/display_png.h"

#define ENGINES_DIFFERENCE "engines-difference.png"

/* Finding */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static GPtrArray *read_folder(const char *path)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	GDir *dir = g_dir_open(path, 0, NULL);
	for (const char *name; dir && (name = g_dir_read_name(dir));)
		g_ptr_array_add(names, g_build_filename(path, name, NULL));
	if (dir)
		g_dir_close(dir);
	g_ptr_array_sort(names, compare_names);
	return names;
}

/* Links to folders could lead back up. */
static void find_below(const char *folder, GPtrArray *found)
{
	g_autoptr(GPtrArray) names = read_folder(folder);
	for (guint i = 0; i < names->len; i++) {
		const char *path = names->pdata[i];
		if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
			if (!g_file_test(path, G_FILE_TEST_IS_SYMLINK))
				find_below(path, found);
		} else if (g_str_has_suffix(path, TEST_FILE_SUFFIX)) {
			g_ptr_array_add(found, g_strdup(path));
		}
	}
}

static bool find(const char *path, GPtrArray *found, char **error)
{
	guint before = found->len;
	if (!g_file_test(path, G_FILE_TEST_IS_DIR)) {
		g_ptr_array_add(found, g_strdup(path));
		return true;
	}
	find_below(path, found);
	if (found->len > before)
		return true;
	*error = g_strdup_printf("%s: no file below it ends with %s; give another folder", path, TEST_FILE_SUFFIX);
	return false;
}

GPtrArray *test_suite_find(const GPtrArray *paths, char **error)
{
	GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < paths->len; i++)
		if (!find(paths->pdata[i], found, error)) {
			g_ptr_array_unref(found);
			return NULL;
		}
	return found;
}

/* Loading */

/* The path, without ./ and .v2etest. */
static char *make_name(const char *path)
{
	while (g_str_has_prefix(path, "./"))
		path += 2;
	bool suffix = g_str_has_suffix(path, TEST_FILE_SUFFIX);
	return g_strndup(path, strlen(path) - (suffix ? strlen(TEST_FILE_SUFFIX) : 0));
}

static void add_line(GString *lines, char *line)
{
	g_string_append_printf(lines, "%s%s", lines->len ? "\n" : "", line);
	g_free(line);
}

static bool is_in_part(const struct test_options *options, guint n)
{
	return n % options->shards == options->shard - 1;
}

static void load_files(struct test_suite *suite, const GPtrArray *paths, const struct test_options *options, GString *errors)
{
	for (guint i = 0; i < paths->len; i++) {
		char *error = NULL;
		g_autofree char *name = make_name(paths->pdata[i]);
		if (!is_in_part(options, i))
			continue;
		struct test_file *file = test_file_load(paths->pdata[i], name, options->images, &error);
		if (file)
			g_ptr_array_add(suite->files, file);
		else
			add_line(errors, error);
	}
}

/* Two tests in one folder would mix their artefacts. */
static void check_names(const struct test_suite *suite, GString *errors)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (guint i = 0; i < suite->files->len; i++) {
		const struct test_file *file = suite->files->pdata[i], *other;
		char *folder = test_folder_name(file->name);
		if ((other = g_hash_table_lookup(seen, folder))) {
			add_line(errors, g_strdup_printf("%s: is called '%s', which is too much like %s; give it another name in [test]",
			                                 file->path, file->name, other->path));
			g_free(folder);
		} else {
			g_hash_table_insert(seen, folder, (void *)file);
		}
	}
}

/* Entries */

static struct test_entry *add_run(struct test_suite *suite, const struct test_file *file, const char *engine,
                                  const struct test_options *options)
{
	struct test_entry *entry = g_new0(struct test_entry, 1);
	g_autofree char *name = test_folder_name(file->name);
	g_autofree char *full = engine ? g_strconcat(name, ".", engine, NULL) : g_strdup(name);
	g_autofree char *top = g_canonicalize_filename(options->artefacts, NULL);
	entry->file = file;
	entry->engine = g_strdup(engine);
	entry->title = engine ? g_strdup_printf("%s [%s]", file->name, engine) : g_strdup(file->name);
	entry->folder = g_build_filename(top, full, NULL);
	g_ptr_array_add(suite->entries, entry);
	return entry;
}

static void add_comparison(struct test_suite *suite, const struct test_entry *a, const struct test_entry *b)
{
	struct test_entry *entry = g_new0(struct test_entry, 1);
	entry->file = a->file;
	entry->title = g_strdup_printf("%s [%s = %s]", a->file->name, a->engine, b->engine);
	entry->folder = g_strdup(b->folder);
	entry->a = a;
	entry->b = b;
	g_ptr_array_add(suite->entries, entry);
}

static void add_entries(struct test_suite *suite, const struct test_file *file, const struct test_options *options)
{
	const GPtrArray *engines = options->engines->len ? options->engines : file->engines;
	guint count = options->update ? MIN(1, engines->len) : engines->len;
	guint first = suite->entries->len;
	if (!count)
		add_run(suite, file, NULL, options);
	for (guint i = 0; i < count; i++)
		add_run(suite, file, engines->pdata[i], options);
	for (guint i = 1; i < count; i++)
		add_comparison(suite, suite->entries->pdata[first], suite->entries->pdata[first + i]);
}

/* An engine that there is not is found out before anything runs. */
static void check_engines(const struct test_suite *suite, GString *errors)
{
	for (guint i = 0; i < suite->entries->len; i++) {
		const struct test_entry *entry = suite->entries->pdata[i];
		struct run_options options;
		char *error = NULL;
		if (entry->a)
			continue;
		if (!test_file_options(entry->file, entry->engine, &options, &error))
			add_line(errors, error);
		run_options_clear(&options);
	}
}

static void free_file(void *file)
{
	test_file_free(file);
}

static void free_entry(void *data)
{
	struct test_entry *entry = data;
	g_free(entry->title);
	g_free(entry->engine);
	g_free(entry->folder);
	test_result_free(entry->result);
	g_free(entry);
}

bool test_suite_load(struct test_suite *suite, const GPtrArray *paths, const struct test_options *options, char **error)
{
	GString *errors = g_string_new(NULL);
	suite->files = g_ptr_array_new_with_free_func(free_file);
	suite->entries = g_ptr_array_new_with_free_func(free_entry);
	load_files(suite, paths, options, errors);
	check_names(suite, errors);
	for (guint i = 0; i < suite->files->len; i++)
		add_entries(suite, suite->files->pdata[i], options);
	if (!errors->len)
		check_engines(suite, errors);
	bool fine = !errors->len;
	*error = g_string_free(errors, fine);
	return fine;
}

void test_suite_clear(struct test_suite *suite)
{
	g_ptr_array_unref(suite->entries);
	g_ptr_array_unref(suite->files);
}

/* Comparing */

/* A screen that was never switched on left no picture and is empty. */
static struct surface *read_screen(const struct test_entry *entry, char **why)
{
	g_autofree char *path = g_build_filename(entry->folder, TEST_SCREEN_PNG, NULL);
	struct surface *surface = surface_new(0, 0);
	if (g_file_test(path, G_FILE_TEST_EXISTS) && display_png_read(surface, path, why) < 0)
		g_clear_pointer(&surface, surface_free);
	return surface;
}

static void save_difference(const struct test_entry *entry, const struct surface *difference)
{
	g_autofree char *path = g_build_filename(entry->folder, ENGINES_DIFFERENCE, NULL);
	if (difference->width && difference->height)
		display_png_write(difference, path, NULL);
}

static bool compare_screens(const struct test_entry *entry, const struct surface *a, const struct surface *b, char **why)
{
	struct surface *difference = surface_new(0, 0);
	bool equal = test_picture_equal(&entry->file->compare, b, a, difference, why);
	if (!equal)
		save_difference(entry, difference);
	surface_free(difference);
	return equal;
}

static void compare(struct test_entry *entry)
{
	char *why = NULL;
	struct surface *a = read_screen(entry->a, &why), *b = a ? read_screen(entry->b, &why) : NULL;
	bool equal = b && compare_screens(entry, a, b, &why);
	if (equal)
		entry->result->outcome = TEST_PASSED;
	else
		test_result_fail(entry->result, TEST_FAILED, g_strdup_printf("the last pictures of %s and %s differ: %s",
		                                                             entry->a->engine, entry->b->engine, why));
	g_free(why);
	surface_free(a);
	surface_free(b);
}

static bool has_picture(const struct test_entry *entry)
{
	return entry->result->outcome == TEST_PASSED || entry->result->outcome == TEST_FAILED;
}

void test_suite_compare(struct test_entry *entry)
{
	if (!entry->a || entry->result || !entry->a->result || !entry->b->result)
		return;
	entry->result = test_result_new();
	if (has_picture(entry->a) && has_picture(entry->b))
		compare(entry);
	else
		g_ptr_array_add(entry->result->messages, g_strdup("one of the two engines came to no end"));
}
