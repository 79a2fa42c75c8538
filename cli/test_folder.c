#define _GNU_SOURCE /* FTW_PHYS */
#include "cli/test_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "cli/test_result.h"

#define OPEN_FOLDERS 16
#define TRIES        100u

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

static int remove_content(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	return place->level ? remove_entry(path, status, kind, place) : 0;
}

/* --- one at a time ------------------------------------------------------------------------ */

static bool is_still(int folder, const char *path)
{
	struct stat held, there;
	return !fstat(folder, &held) && !lstat(path, &there) && held.st_dev == there.st_dev && held.st_ino == there.st_ino;
}

/* The folder, locked; or -1 with errno, EWOULDBLOCK: another process has it. Who had it
 * may just be removing it. */
static int hold(const char *path)
{
	for (unsigned n = 0; n < TRIES; n++) {
		int folder = g_mkdir_with_parents(path, 0777) ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (folder < 0 && errno != ENOENT)
			return -1;
		if (folder >= 0 && !flock(folder, LOCK_EX | LOCK_NB) && is_still(folder, path))
			return folder;
		int error = errno;
		if (folder >= 0)
			close(folder);
		errno = error;
		if (error == EWOULDBLOCK)
			return -1;
	}
	errno = EWOULDBLOCK;
	return -1;
}

void test_folder_remove(const char *path)
{
	int folder = is_ours(path) ? hold(path) : -1;
	if (folder < 0)
		return;
	nftw(path, remove_entry, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	close(folder);
}

static bool is_empty(const char *path)
{
	g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
	return folder && !g_dir_read_name(folder);
}

static char *explain(const char *path, int error)
{
	if (error == EWOULDBLOCK)
		return g_strdup_printf("%s: another v2e test is at this test; wait for it, or give another folder with --artefacts", path);
	if (error == EEXIST || error == ENOTDIR || error == ELOOP)
		return g_strdup_printf("%s: is there, but is no test's folder; remove it or give another folder with --artefacts", path);
	return g_strdup_printf("%s: %s; give a folder that can be made with --artefacts", path, g_strerror(error));
}

int test_folder_make(const char *path, char **error)
{
	g_autofree char *mark = g_build_filename(path, TEST_RESULT_FILE, NULL);
	int folder = hold(path), problem = errno;
	if (folder >= 0 && !is_ours(path) && !is_empty(path)) {
		close(folder);
		folder = -1;
		problem = EEXIST;
	}
	if (folder < 0) {
		*error = explain(path, problem);
		return -1;
	}
	nftw(path, remove_content, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	if (g_file_set_contents(mark, "", 0, NULL))
		return folder;
	*error = explain(path, errno);
	close(folder);
	return -1;
}
