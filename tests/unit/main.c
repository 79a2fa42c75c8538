/* All unit tests in one program. Each module has test_MODULE.c with
 * `Suite *suite_MODULE(void)` and a row in suites.def. Arguments name the
 * suites to run; none means all. */
#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUITE(name) Suite *suite_##name(void);
#include "suites.def"
#undef SUITE

static const struct {
	const char *name;
	Suite *(*make)(void);
} suites[] = {
#define SUITE(name) { #name, suite_##name },
#include "suites.def"
#undef SUITE
};

/* A test that hangs is ended; none is judged by how long it takes. */
#define HANG_SECONDS "300"

void __real__mark_point(const char *file, int line);
void __wrap__mark_point(const char *file, int line);

/* Check writes each assertion that held to a file, so as to know where a test was
 * when it crashed: in loops that costs more than the tests. Here each assertion does
 * it the first time only (the linker's --wrap); on a collision once more. */
void __wrap__mark_point(const char *file, int line)
{
	static struct {
		const char *file;
		int line;
	} seen[4096];
	size_t slot = ((uintptr_t)file / 16 + (unsigned)line) % (sizeof seen / sizeof *seen);
	if (seen[slot].file == file && seen[slot].line == line)
		return;
	seen[slot].file = file;
	seen[slot].line = line;
	__real__mark_point(file, line);
}

static bool wanted(const char *name, int count, char **names)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(name, names[i]))
			return true;
	return count == 0;
}

int main(int argc, char **argv)
{
	setenv("CK_DEFAULT_TIMEOUT", HANG_SECONDS, 0);
	SRunner *runner = srunner_create(NULL);
	for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
		if (wanted(suites[i].name, argc - 1, argv + 1))
			srunner_add_suite(runner, suites[i].make());
	srunner_run_all(runner, CK_ENV);
	int run = srunner_ntests_run(runner);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	printf("%d passed, %d failed, 0 skipped\n", run - failed, failed);
	return failed || !run ? EXIT_FAILURE : EXIT_SUCCESS;
}
