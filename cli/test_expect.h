/* What a test expects of its guest, at one moment of the run or at its end. */
#ifndef V2E_CLI_TEST_EXPECT_H
#define V2E_CLI_TEST_EXPECT_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "cli/test_picture.h"
#include "cli/test_register.h"
#include "shared/ctx.h"
#include "shared/mem.h"

enum test_when { TEST_AT_END, TEST_AFTER_STEP, TEST_AT_TIME, TEST_AT_ADDRESS };

/* Not asked for: NULL, UINT64_MAX, or as noted. */
struct test_expect {
	enum test_when when;
	unsigned step;      /* TEST_AFTER_STEP */
	uint64_t time;      /* TEST_AT_TIME: guest ns */
	uint32_t address;   /* TEST_AT_ADDRESS: linear, of the instruction that is next */
	char *place;        /* "FILE:expect after menu" */
	GPtrArray *texts, *no_texts, *serials, *no_serials; /* char *; never NULL */
	struct test_picture picture;
	GPtrArray *registers; /* struct test_register *; never NULL */
	GPtrArray *memories;  /* struct test_memory *; never NULL */
	char *mode;
	/* From the moment on, to the end of the run: */
	uint64_t protected_within;               /* guest ns */
	uint64_t min_transitions, max_transitions; /* min: 0 */
	int status;         /* -1 */
};

struct test_expect *test_expect_new(void);
void test_expect_free(void *expect);

/* What can be looked at when an expectation is judged. */
struct test_view {
	const struct ctx *ctx;
	struct mem *mem;
	const GString *text;         /* NULL: a graphics mode */
	const GString *serial;
	const struct surface *screen; /* steady cursor */
	/* Told of a picture that was compared: `wanted` is NULL when the reference
	 * cannot be read. Returns whether to count it as equal all the same. May be
	 * NULL. */
	bool (*picture_differs)(void *owner, const struct test_expect *expect, const struct surface *wanted, const char *why);
	void *owner;
};

/* Judges all that one look can tell (not `protected_within`, the transitions and
 * the status). Appends one message (g_free) for each failure to `failures`, or,
 * with NULL, only returns whether there is none, and tells nobody of pictures. */
bool test_expect_judge(const struct test_expect *expect, const struct test_view *view, GPtrArray *failures);

#endif
