/* "Did you mean ...?" */
#ifndef V2E_CLI_NEAREST_H
#define V2E_CLI_NEAREST_H

#include <stddef.h>

/* The name that a typing error may have turned into `word`: the one with the
 * smallest edit distance, if at most a third of its letters (and at least one)
 * would have to change. NULL when none is near. `names` ends with NULL. */
const char *nearest_match(const char *word, const char *const *names);

#endif
