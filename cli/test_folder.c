#define _GNU_SOURCE /* FTW_PHYS */
#include "cli/test_folder.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "cli/test_result.h"

#define OPEN_FOLDERS 16

char *test_folder_name(const char *text)
{
	char *name = g_strdup(text);
	for (char *c = name; *c; c++)
		if (!g_ascii_isalnum(*c) && (c == name || !strchr(".-_", *c)))
			*c = '_';
	return name;
}

static bool is_ours(const char *path)
{
	g_autofree char *mark = g_build_filename(path, TEST_RESULT_FILE, NULL);
	return g_file_test(mark, G_FILE_TEST_IS_REGULAR) && !g_file_test(path, G_FILE_TEST_IS_SYMLINK);
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status, (void)kind, (void)place;
	remove(path);
	return 0;
}

void test_folder_remove(const char *path)
{
	if (is_ours(path))
		nftw(path, remove_entry, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

bool test_folder_make(const char *path, char **error)
{
	g_autofree char *mark = g_build_filename(path, TEST_RESULT_FILE, NULL);
	test_folder_remove(path);
	if (g_file_test(path, G_FILE_TEST_EXISTS)) {
		*error = g_strdup_printf("%s: is there, but is no test's folder; remove it or give another folder with --artefacts", path);
		return false;
	}
	if (!g_mkdir_with_parents(path, 0777) && g_file_set_contents(mark, "", 0, NULL))
		return true;
	*error = g_strdup_printf("%s: %s; give a folder that can be made with --artefacts", path, g_strerror(errno));
	return false;
}
