/* A test of `v2e test`: a GLib key file that says what to boot, what to do and
 * what must come of it. The groups and keys are in test_keys.c, whose table is the
 * parser's, the help's and the manual page's. */
#ifndef V2E_CLI_TEST_FILE_H
#define V2E_CLI_TEST_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "cli/run_options.h"
#include "cli/script_parse.h"
#include "cli/test_expect.h"

#define TEST_FILE_SUFFIX ".v2etest"
#define TEST_FILE_MAX    (1u << 20) /* bytes */

/* Zero: as the command line has it. */
struct test_limits {
	uint64_t guest_ns; /* guest time */
	uint64_t host_ns;  /* wall clock of the host */
	uint64_t memory;   /* bytes of the test's process */
};

/* One option of `v2e run`, from [machine]. */
struct test_option {
	const struct option_row *row; /* NULL: the image */
	char *value;                  /* NULL: a flag */
	char *place;                  /* "FILE:machine:KEY:LINE" */
};

struct test_file {
	char *path;          /* as it was given */
	char *name;          /* in reports */
	char *description;   /* or NULL */
	GPtrArray *engines;  /* char *; empty: the machine's own */
	struct test_limits limits;
	GArray *options;     /* struct test_option */
	struct script *steps;
	GPtrArray *labels;   /* char *; of the steps, by number */
	GPtrArray *expects;  /* struct test_expect */
	struct test_picture compare; /* how exact engines must agree; no file */
};

/* Reads and checks everything that can be checked without a guest. `name`: that of
 * a file without [test] name. Images are looked for beside the file, then in
 * `folders` (char *). Pictures need not exist. Returns NULL with *error (g_free):
 * "FILE:GROUP:KEY:LINE: what is wrong; what would be right", or as much of the
 * place as there is. */
struct test_file *test_file_load(const char *path, const char *name, const GPtrArray *folders, char **error);
void test_file_free(struct test_file *file); /* NULL is fine */

/* The options of `v2e run` for it: virtual time and no writes to images unless the
 * file says otherwise, and `engine` where it is not NULL. Initializes *options;
 * to be cleared whatever is returned. False with *error (g_free). */
bool test_file_options(const struct test_file *file, const char *engine, struct run_options *options, char **error);

#endif
