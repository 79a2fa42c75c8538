#include "cli/test_options.h"

#include <string.h>

#include "cli/units.h"

#define MIB (UINT64_C(1) << 20)
#define JOBS_MAX 1024u
#define SHARDS_MAX 1000000u

static bool set_name(char **to, const char *value, char **error)
{
	if (!*value) {
		*error = g_strdup("the name is empty; give one");
		return false;
	}
	g_free(*to);
	*to = g_strdup(value);
	return true;
}

static bool add_name(GPtrArray *to, const char *value, char **error)
{
	char *name = NULL;
	if (!set_name(&name, value, error))
		return false;
	g_ptr_array_add(to, name);
	return true;
}

static bool add_path(void *target, const char *value, char **error)
{
	struct test_options *options = target;
	return add_name(options->paths, value, error);
}

static bool add_images(void *target, const char *value, char **error)
{
	struct test_options *options = target;
	if (g_file_test(value, G_FILE_TEST_IS_DIR))
		return add_name(options->images, value, error);
	*error = g_strdup_printf("'%s' is no folder; give one that has images in it", value);
	return false;
}

static bool set_engines(void *target, const char *value, char **error)
{
	static const char *const known[] = { "emu", "kvm", "hybrid", "auto", NULL };
	struct test_options *options = target;
	g_auto(GStrv) words = g_strsplit(value, ",", -1);
	for (unsigned i = 0; words[i]; i++) {
		if (!g_strv_contains(known, words[i])) {
			*error = g_strdup_printf("unknown engine '%s'; join some of emu, kvm and hybrid by commas", words[i]);
			return false;
		}
		for (guint n = 0; n < options->engines->len; n++)
			if (!strcmp(options->engines->pdata[n], words[i])) {
				*error = g_strdup_printf("'%s' is named twice; name it once", words[i]);
				return false;
			}
		if (!add_name(options->engines, words[i], error))
			return false;
	}
	if (options->engines->len)
		return true;
	*error = g_strdup("no engine is named; join some by commas, such as emu,hybrid");
	return false;
}

static bool set_jobs(void *target, const char *value, char **error)
{
	struct test_options *options = target;
	uint64_t jobs;
	if (!units_parse_number(value, 1, JOBS_MAX, &jobs, error))
		return false;
	options->jobs = (unsigned)jobs;
	return true;
}

static bool set_shard(void *target, const char *value, char **error)
{
	struct test_options *options = target;
	g_auto(GStrv) words = g_strsplit(value, "/", -1);
	uint64_t shard, shards;
	if (g_strv_length(words) != 2) {
		*error = g_strdup_printf("'%s' is not I/N; give such as 1/4, the first of four parts", value);
		return false;
	}
	if (!units_parse_number(words[1], 1, SHARDS_MAX, &shards, error) || !units_parse_number(words[0], 1, shards, &shard, error))
		return false;
	options->shard = (unsigned)shard;
	options->shards = (unsigned)shards;
	return true;
}

static bool set_host_time(void *target, const char *value, char **error)
{
	struct test_options *options = target;
	return units_parse_time(value, &options->limits.host_ns, error);
}

static bool set_memory(void *target, const char *value, char **error)
{
	struct test_options *options = target;
	return units_parse_size(value, MIB, UINT64_C(1) << 40, &options->limits.memory, error);
}

static bool set_artefacts(void *target, const char *value, char **error)
{
	struct test_options *options = target;
	return set_name(&options->artefacts, value, error);
}

static bool set_tap(void *target, const char *value, char **error)
{
	struct test_options *options = target;
	return set_name(&options->tap, value, error);
}

static bool set_junit(void *target, const char *value, char **error)
{
	struct test_options *options = target;
	return set_name(&options->junit, value, error);
}

#define FLAG(field)                                                          \
	static bool set_##field(void *target, const char *value, char **error) \
	{                                                                      \
		struct test_options *options = target;                         \
		(void)value, (void)error;                                      \
		return options->field = true;                                  \
	}
FLAG(update)
FLAG(list)
FLAG(keep)
FLAG(help)
FLAG(man)
#undef FLAG

static const struct option_row rows[] = {
	{ .heading = "What to run", .name = "engines", .argument = "LIST", .values = "emu kvm hybrid", .help = "run each test on each of these, such as emu,hybrid",
	  .manual = "The last pictures of the engines are compared, as [compare] of the test says; that counts as a test of its "
	            "own.", .set = set_engines },
	{ .name = "images", .argument = "FOLDER", .help = "look there for images that do not lie beside a test; may be repeated",
	  .set = add_images, .repeats = true },
	{ .name = "shard", .argument = "I/N", .help = "run the I-th of N parts of the tests, I from 1",
	  .manual = "The parts are about equally large, do not overlap, and are the same on every machine that has the same tests.",
	  .set = set_shard },
	{ .name = "list", .help = "print the files of the tests, one a line, and run none", .set = set_list },
	{ .name = "update", .help = "write reference pictures that do not match, instead of failing",
	  .manual = "Only the first engine runs. Look at the pictures before you keep them.", .set = set_update },
	{ .heading = "How to run", .name = "jobs", .letter = 'j', .argument = "NUMBER", .help = "tests at a time (default: one a processor)",
	  .set = set_jobs },
	{ .name = "host-time", .argument = "TIME", .help = "end a test that takes longer than this on the host (default: 5m)",
	  .set = set_host_time },
	{ .name = "memory", .argument = "SIZE", .help = "end a test that takes more memory than this (default: 2G)", .set = set_memory },
	{ .heading = "Reports", .name = "tap", .argument = "FILE", .help = "Test Anything Protocol; - is standard output (default)",
	  .set = set_tap },
	{ .name = "junit", .argument = "FILE", .help = "JUnit XML as well", .set = set_junit },
	{ .name = "artefacts", .argument = "FOLDER", .help = "what tests that did not pass leave (default: v2e-artefacts)",
	  .manual = "A folder for each such test; those of tests that passed are removed.", .set = set_artefacts },
	{ .name = "keep", .help = "keep the artefacts of tests that passed, too", .set = set_keep },
	{ .heading = "Help", .name = "help", .letter = 'h', .help = "show this help", .set = set_help },
	{ .name = "man", .help = "print options and keys as man(7) source", .set = set_man },
};

_Static_assert(G_N_ELEMENTS(rows) <= OPTIONS_MAX, "options_parse() counts to OPTIONS_MAX");

const struct option_table test_options_table = {
	.command = "v2e test",
	.arguments = "FILE|FOLDER...",
	.summary = "Run boot tests: files that end with " TEST_FILE_SUFFIX ", or all below a folder.",
	.rows = rows,
	.count = G_N_ELEMENTS(rows),
	.operand = add_path,
};

void test_options_init(struct test_options *options)
{
	*options = (struct test_options){
		.paths = g_ptr_array_new_with_free_func(g_free),
		.images = g_ptr_array_new_with_free_func(g_free),
		.engines = g_ptr_array_new_with_free_func(g_free),
		.jobs = CLAMP(g_get_num_processors(), 1, JOBS_MAX),
		.shard = 1,
		.shards = 1,
		.limits = { .host_ns = UINT64_C(300) * 1000000000, .memory = 2048 * MIB },
		.artefacts = g_strdup("v2e-artefacts"),
		.tap = g_strdup("-"),
	};
}

void test_options_clear(struct test_options *options)
{
	g_ptr_array_unref(options->paths);
	g_ptr_array_unref(options->images);
	g_ptr_array_unref(options->engines);
	g_free(options->artefacts);
	g_free(options->tap);
	g_free(options->junit);
}
