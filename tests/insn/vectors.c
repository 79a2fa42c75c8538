/* vectors [--limit N] [--show N] [--jit MODE] [FILE|DIR...]: runs tests that were recorded from a
 * real 8086 and a real 80286 (SingleStepTests, MOO files) on the emulator.
 *
 * Where the emulated 386-to-P6 differs from them by architecture, a rule of
 * vector_rules.c says what to expect. A rule that a whole set leaves unused is a
 * failure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/insn/coverage.h"
#include "tests/insn/vector_data.h"
#include "tests/insn/vector_rules.h"

#define RAM_SIZE 0x110000u
#define SOURCE "https://github.com/SingleStepTests/80286 and .../8086"

/* Tests that a whole set has at least. */
#define WHOLE_80286 100000u
#define WHOLE_8086  60000u

static int limit = -1, show = 1;
static char *jit_name;
static enum emu_jit jit;
static const GOptionEntry options[] = {
	{ "limit", 0, 0, G_OPTION_ARG_INT, &limit, "run only the first N tests of each file", "N" },
	{ "show", 0, 0, G_OPTION_ARG_INT, &show, "failures to show of each file (1)", "N" },
	{ "jit", 0, 0, G_OPTION_ARG_STRING, &jit_name, "off, on, or always (off)", "MODE" },
	{ NULL, 0, 0, 0, NULL, NULL, NULL },
};

struct count {
	unsigned passed, failed, skipped;
};

struct runner {
	struct machine *machine;
	struct count total;
	unsigned tests[CHIP_80286 + 1]; /* by enum chip */
	unsigned hits[VECTOR_RULES_MAX];
};

static void print_failure(const char *name, const struct moo_test *test, const char *text)
{
	printf("FAILED: %s #%u '%s' bytes", name, test->index, test->name);
	for (guint i = 0; i < test->bytes->len; i++)
		printf(" %02x", test->bytes->data[i]);
	printf(":%s\n", text);
}

/* After a failure memory may hold anything. */
static bool memory_is_clean(const struct runner *runner)
{
	const uint8_t *ram = mem_store_data(runner->machine->ram);
	return !ram[0] && !memcmp(ram, ram + 1, RAM_SIZE - 1);
}

static void clean_memory(struct runner *runner)
{
	uint8_t *zero = g_malloc0(RAM_SIZE);
	mem_write_bytes(runner->machine->mem, 0, zero, RAM_SIZE);
	g_free(zero);
}

static void run_test(struct runner *runner, const char *name, struct vector *vector, struct count *count)
{
	struct expectation expectation = vector_rules_apply(vector, runner->hits);
	if (expectation.outcome == OUTCOME_SKIP) {
		count->skipped++;
		return;
	}
	char *text = vector_run(runner->machine, vector, &expectation);
	if (!text && !memory_is_clean(runner))
		text = g_strdup(" memory written that the chip did not write;");
	if (!text) {
		count->passed++;
		return;
	}
	if (count->failed++ < (unsigned)show)
		print_failure(name, vector->test, text);
	clean_memory(runner);
	g_free(text);
}

static enum chip chip_of(const struct moo_file *file)
{
	if (g_str_has_prefix(file->cpu, "C286") || g_str_has_prefix(file->cpu, "286"))
		return CHIP_80286;
	return g_str_has_prefix(file->cpu, "8086") ? CHIP_8086 : 0;
}

static void run_tests(struct runner *runner, const char *name, const struct moo_file *file, enum chip chip, uint16_t mask, struct count *count)
{
	mem_set_a20(runner->machine->mem, chip != CHIP_8086);
	for (guint i = 0; i < file->tests->len && (limit < 0 || i < (guint)limit); i++) {
		struct vector vector;
		vector_parse(&vector, file->tests->pdata[i], chip);
		vector.flags_mask = mask;
		runner->tests[chip]++;
		run_test(runner, name, &vector, count);
	}
}

static void run_file(struct runner *runner, const char *path)
{
	struct count count = { 0, 0, 0 };
	char *error = NULL, *name = g_path_get_basename(path);
	uint16_t mask;
	struct moo_file *file = moo_load(path, &error);
	enum chip chip = file ? chip_of(file) : 0;
	if (file && !chip)
		error = g_strdup_printf("%s: recorded from '%s', not from an 8086 or 80286", path, file->cpu);
	if (chip && vector_flags_mask(path, chip, &mask, &error))
		run_tests(runner, name, file, chip, mask, &count);
	if (error) {
		printf("FAILED: %s\n", error);
		count.failed++;
	} else if (count.failed) {
		printf("FAILED: %s: %u of %u tests\n", path, count.failed, count.passed + count.failed);
	}
	runner->total.passed += count.passed;
	runner->total.failed += count.failed;
	runner->total.skipped += count.skipped;
	if (file)
		moo_free(file);
	g_free(error);
	g_free(name);
}

static bool is_whole(const struct runner *runner, unsigned chips)
{
	return (!(chips & CHIP_80286) || runner->tests[CHIP_80286] >= WHOLE_80286) &&
	       (!(chips & CHIP_8086) || runner->tests[CHIP_8086] >= WHOLE_8086);
}

static unsigned class_hits(const struct runner *runner, const struct vector_rule *class)
{
	unsigned hits = 0;
	for (unsigned i = 0; i < vector_rule_count; i++)
		if (!strcmp(vector_rules[i].name, class->name))
			hits += runner->hits[i];
	return hits;
}

static void print_rules(struct runner *runner)
{
	for (unsigned i = 0; i < vector_rule_count; i++) {
		const struct vector_rule *rule = &vector_rules[i];
		bool skips = rule->expectation.outcome == OUTCOME_SKIP;
		if (runner->hits[i])
			printf("%u tests by rule: %s (%s)%s\n", runner->hits[i], rule->name, rule->reference, skips ? ", skipped" : "");
		if (is_whole(runner, rule->chips) && !class_hits(runner, rule)) {
			printf("FAILED: no test meets the rule: %s\n", rule->name);
			runner->total.failed++;
		}
	}
}

static int run_all(const GPtrArray *files)
{
	struct runner runner = { .machine = machine_new(RAM_SIZE, EMU_CPU_P6, jit) };
	for (guint i = 0; i < files->len; i++)
		run_file(&runner, files->pdata[i]);
	print_rules(&runner);
	machine_free(runner.machine);
	vector_data_free();
	printf("%u passed, %u failed, %u skipped\n", runner.total.passed, runner.total.failed, runner.total.skipped);
	return runner.total.failed ? 1 : 0;
}

int main(int argc, char **argv)
{
	GError *error = NULL;
	GOptionContext *context = g_option_context_new("[FILE|DIR...]");
	g_option_context_add_main_entries(context, options, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		fprintf(stderr, "vectors: %s\n", error->message);
		return 2;
	}
	g_option_context_free(context);
	if (!machine_parse_jit(jit_name, &jit)) {
		fprintf(stderr, "vectors: unknown --jit mode '%s'; give off, on or always\n", jit_name);
		return 2;
	}
	coverage_init();
	GPtrArray *files = vector_files((const char *const *)argv + 1);
	if (!files) {
		printf("skipped: no recorded tests; clone %s beside this checkout as vectors/, "
		       "or name the place in V2E_VECTORS\n0 passed, 0 failed, 1 skipped\n", SOURCE);
		return argc > 1 ? 1 : 77;
	}
	int status = run_all(files);
	g_ptr_array_unref(files);
	return status;
}
