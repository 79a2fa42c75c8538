/* On which line of a key file what stands, which GLib does not tell, and what it
 * takes in silence: keys and groups that are there twice. */
#ifndef V2E_CLI_TEST_PLACES_H
#define V2E_CLI_TEST_PLACES_H

#include <stdbool.h>

struct test_places;

/* Returns NULL with *error (g_free), "PATH:GROUP:KEY:LINE: ...", for a line that
 * is no group, key or comment, a key before the first group, and what is there
 * twice. Copies what it needs. */
struct test_places *test_places_new(const char *path, const char *text, char **error);
void test_places_free(struct test_places *places); /* NULL is fine */

/* Line, from 1, of a key, or of a group's head with `key` NULL; 0: not there. */
unsigned test_places_line(const struct test_places *places, const char *group, const char *key);

/* "PATH:GROUP:KEY:LINE", or "PATH:GROUP:LINE" with `key` NULL; to be freed with g_free. */
char *test_places_format(const struct test_places *places, const char *group, const char *key);

#endif
