/* Is what the screen shows what a PNG file has? */
#ifndef V2E_CLI_TEST_PICTURE_H
#define V2E_CLI_TEST_PICTURE_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "devmodel/surface.h"

/* How to compare. All zero: every pixel must be equal. */
struct test_picture {
	char *file;          /* the reference; NULL: none */
	unsigned tolerance;  /* a colour may be off by so much in each of R, G, B: 0 to 255 */
	uint64_t pixels;     /* so many pixels may be off by more */
	char *mask;          /* PNG of the same size: where it is black nothing is compared; or NULL */
	GArray *ignore;      /* struct surface_area: nothing is compared there; or NULL */
};

void test_picture_clear(struct test_picture *picture);

/* Compares by the rules of `how` (its file is not read). Returns true when equal;
 * else *why (g_free) says how they differ. `difference`, if not NULL, becomes
 * `seen`, dimmed, with the pixels that are off in red; it stays as it is when the
 * sizes differ or the mask cannot be read. */
bool test_picture_equal(const struct test_picture *how, const struct surface *seen, const struct surface *wanted,
                        struct surface *difference, char **why);

#endif
