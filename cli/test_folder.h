/* The folder of a test: it runs there and leaves its artefacts there. */
#ifndef V2E_CLI_TEST_FOLDER_H
#define V2E_CLI_TEST_FOLDER_H

#include <stdbool.h>

/* A name for a folder out of any text: letters, digits, dot, dash and underscore;
 * everything else becomes an underscore. To be freed with g_free. */
char *test_folder_name(const char *text);

/* Makes it anew, with all folders above it, and marks it as ours; what is in one that has
 * that mark already goes away first. Returns a file descriptor: until it is closed no
 * other process makes the folder anew. Returns -1 with *error (g_free). */
int test_folder_make(const char *path, char **error);

/* Removes it with all that is in it, if it has the mark and nobody else is at it. */
void test_folder_remove(const char *path);

#endif
