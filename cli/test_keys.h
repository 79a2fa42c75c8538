/* The groups and keys of a test file: one table for parser, help and manual page.
 * [machine] has the options of `v2e run` and [steps] the commands instead. */
#ifndef V2E_CLI_TEST_KEYS_H
#define V2E_CLI_TEST_KEYS_H

#include <stdio.h>

#include "cli/options.h"
#include "cli/test_file.h"

/* What a setter may need besides the value. */
struct test_keys_target {
	struct test_file *file;
	struct test_expect *expect; /* in [expect ...] */
	const char *folder;         /* where the file lies */
};

enum test_group { TEST_GROUP_TEST, TEST_GROUP_LIMITS, TEST_GROUP_EXPECT, TEST_GROUP_COMPARE, TEST_GROUPS };

struct test_key {
	enum test_group group;
	const char *name;
	const char *argument;
	const char *help;
	bool list;    /* values parted by ; */
	bool at_end;  /* in [expect] alone, not in [expect after ...] or [expect at ...] */
	options_set *set; /* target: struct test_keys_target */
};

/* "test", ... */
const char *test_group_name(enum test_group group);

/* NULL: no such key. */
const struct test_key *test_keys_find(enum test_group group, const char *name);
/* All names of a group; ends with NULL; to be freed with g_free. */
const char **test_keys_names(enum test_group group);

/* Keys of all groups: for a terminal, and as man(7) source. */
void test_keys_print_help(FILE *out);
void test_keys_print_man(FILE *out);

#endif
