/* Where the recorded tests lie, and which flags their chips leave undefined. */
#ifndef V2E_TESTS_INSN_VECTOR_DATA_H
#define V2E_TESTS_INSN_VECTOR_DATA_H

#include "tests/insn/vector.h"

/* All .MOO and .MOO.gz files below the folders and files named, sorted. When none
 * is named: below V2E_VECTORS, else below `vectors` beside the checkout. NULL when
 * there is no such place. Free with g_ptr_array_unref. */
GPtrArray *vector_files(const char *const *names);

/* The FLAGS bits that the chip defines for the instructions of `path`: from the
 * metadata beside the file or above it. False when none is found, or it is
 * damaged (`error`, g_free). */
bool vector_flags_mask(const char *path, enum chip chip, uint16_t *mask, char **error);
void vector_data_free(void);

#endif
