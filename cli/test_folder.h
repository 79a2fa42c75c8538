/* The folder of a test: it runs there and leaves its artefacts there. */
#ifndef V2E_CLI_TEST_FOLDER_H
#define V2E_CLI_TEST_FOLDER_H

#include <stdbool.h>

/* A name for a folder out of any text: letters, digits, dot, dash and underscore;
 * everything else becomes an underscore. To be freed with g_free. */
char *test_folder_name(const char *text);

/* Makes it anew, with all folders above it, and marks it as ours. One that is
 * there already goes away first if it has that mark. Returns false with *error
 * (g_free). */
bool test_folder_make(const char *path, char **error);

/* Removes it with all that is in it, if it has the mark. */
void test_folder_remove(const char *path);

#endif
