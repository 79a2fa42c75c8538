/* "Did you mean ...?" */
#ifndef V2E_CLI_NEAREST_H
#define V2E_CLI_NEAREST_H

#include <stddef.h>

/* The name that a typing error may have turned into `word`: the one with the
 * fewest letters inserted, deleted, changed or swapped with a neighbour, if those
 * are at most a third of the word's letters (or a single one). NULL when none is near. `names` ends with NULL. */
const char *nearest_match(const char *word, const char *const *names);

#endif
