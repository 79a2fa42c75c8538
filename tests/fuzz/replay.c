/* TARGET [FILE|DIR...]: runs inputs that fuzzing kept, without a fuzzer. Without
 * arguments: the corpus of the sources. */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"

/* Read by ASan at its start. The machine lives until the end, and the leak checker
 * does not see the pointers in the block cache's own pages. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

static unsigned passed, failed;

static void run_file(const char *path)
{
	char *data;
	gsize size;
	if (!g_file_get_contents(path, &data, &size, NULL)) {
		printf("FAILED: %s cannot be read\n", path);
		failed++;
		return;
	}
	/* A crash says itself which input it was. */
	fprintf(stderr, "%s\n", path);
	LLVMFuzzerTestOneInput((const uint8_t *)data, size);
	g_free(data);
	passed++;
}

static void run_path(const char *path)
{
	GDir *dir = g_file_test(path, G_FILE_TEST_IS_DIR) ? g_dir_open(path, 0, NULL) : NULL;
	const char *name;
	if (!dir) {
		run_file(path);
		return;
	}
	while ((name = g_dir_read_name(dir))) {
		char *below = g_build_filename(path, name, NULL);
		run_path(below);
		g_free(below);
	}
	g_dir_close(dir);
}

int main(int argc, char **argv)
{
	const char *source = getenv("V2E_SRC");
	char *corpus = g_build_filename(source ? source : ".", "tests/fuzz/corpus", V2E_FUZZ_CORPUS, NULL);
	for (int i = 1; i < argc; i++)
		run_path(argv[i]);
	if (argc == 1)
		run_path(corpus);
	g_free(corpus);
	printf("%u passed, %u failed, 0 skipped\n", passed, failed);
	return failed ? 1 : 0;
}
