/* The options of `v2e test`: one table for parser, help and manual page. */
#ifndef V2E_CLI_TEST_OPTIONS_H
#define V2E_CLI_TEST_OPTIONS_H

#include <stdbool.h>

#include <glib.h>

#include "cli/options.h"
#include "cli/test_file.h"

struct test_options {
	GPtrArray *paths;     /* char *: files and folders */
	GPtrArray *images;    /* char *: folders for images */
	GPtrArray *engines;   /* char *; empty: as the tests have it */
	unsigned jobs;        /* at a time, from 1 */
	unsigned shard, shards; /* this part, from 1, of so many */
	struct test_limits limits;
	bool update, list, keep;
	char *artefacts;      /* folder */
	char *tap;            /* "-": standard output */
	char *junit;          /* NULL: none */
	bool help, man;
};

extern const struct option_table test_options_table;

/* Sets the defaults. */
void test_options_init(struct test_options *options);
void test_options_clear(struct test_options *options);

#endif
