#include "cli/test_result.h"

#include <string.h>

#define GROUP "result"

static const char *const names[TEST_OUTCOMES] = {
	[TEST_NOT_RUN] = "not run", [TEST_PASSED] = "passed", [TEST_FAILED] = "failed", [TEST_BROKEN] = "broken",
};

const char *test_outcome_name(enum test_outcome outcome)
{
	return names[outcome];
}

struct test_result *test_result_new(void)
{
	struct test_result *result = g_new0(struct test_result, 1);
	result->messages = g_ptr_array_new_with_free_func(g_free);
	result->updated = g_ptr_array_new_with_free_func(g_free);
	return result;
}

void test_result_free(void *data)
{
	struct test_result *result = data;
	if (!result)
		return;
	g_ptr_array_unref(result->messages);
	g_ptr_array_unref(result->updated);
	g_free(result);
}

void test_result_fail(struct test_result *result, enum test_outcome outcome, char *message)
{
	result->outcome = MAX(result->outcome, outcome);
	g_ptr_array_add(result->messages, message);
}

/* Screens may hold any bytes that code page 437 has a character for; serial output
 * any at all. */
static void save_strings(GKeyFile *keys, const char *name, const GPtrArray *strings)
{
	g_autoptr(GPtrArray) valid = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < strings->len; i++)
		g_ptr_array_add(valid, g_utf8_make_valid(strings->pdata[i], -1));
	g_key_file_set_string_list(keys, GROUP, name, (const char *const *)valid->pdata, valid->len);
}

static void load_strings(GKeyFile *keys, const char *name, GPtrArray *strings)
{
	g_auto(GStrv) values = g_key_file_get_string_list(keys, GROUP, name, NULL, NULL);
	for (unsigned i = 0; values && values[i]; i++)
		g_ptr_array_add(strings, g_strdup(values[i]));
}

bool test_result_save(const struct test_result *result, const char *path)
{
	g_autoptr(GKeyFile) keys = g_key_file_new();
	g_key_file_set_string(keys, GROUP, "outcome", names[result->outcome]);
	g_key_file_set_integer(keys, GROUP, "status", result->status);
	g_key_file_set_uint64(keys, GROUP, "guest-ns", result->guest_ns);
	g_key_file_set_uint64(keys, GROUP, "insns", result->insns);
	g_key_file_set_uint64(keys, GROUP, "handovers", result->handovers);
	g_key_file_set_uint64(keys, GROUP, "transitions", result->transitions);
	save_strings(keys, "messages", result->messages);
	save_strings(keys, "updated", result->updated);
	return g_key_file_save_to_file(keys, path, NULL);
}

struct test_result *test_result_load(const char *path)
{
	g_autoptr(GKeyFile) keys = g_key_file_new();
	if (!g_key_file_load_from_file(keys, path, G_KEY_FILE_NONE, NULL))
		return NULL;
	g_autofree char *outcome = g_key_file_get_string(keys, GROUP, "outcome", NULL);
	struct test_result *result = test_result_new();
	for (unsigned i = 0; outcome && i < TEST_OUTCOMES; i++)
		if (!strcmp(names[i], outcome))
			result->outcome = (enum test_outcome)i;
	if (result->outcome == TEST_NOT_RUN) {
		test_result_free(result);
		return NULL;
	}
	result->status = g_key_file_get_integer(keys, GROUP, "status", NULL);
	result->guest_ns = g_key_file_get_uint64(keys, GROUP, "guest-ns", NULL);
	result->insns = g_key_file_get_uint64(keys, GROUP, "insns", NULL);
	result->handovers = g_key_file_get_uint64(keys, GROUP, "handovers", NULL);
	result->transitions = g_key_file_get_uint64(keys, GROUP, "transitions", NULL);
	load_strings(keys, "messages", result->messages);
	load_strings(keys, "updated", result->updated);
	return result;
}
