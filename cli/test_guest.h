/* One test on one engine, in this process: the one that test_run.c made for it. */
#ifndef V2E_CLI_TEST_GUEST_H
#define V2E_CLI_TEST_GUEST_H

#include "cli/test_file.h"
#include "cli/test_result.h"

/* What a test leaves in its folder, besides TEST_RESULT_FILE. */
#define TEST_SCREEN_PNG      "screen.png"
#define TEST_SCREEN_TEXT     "screen.txt"
#define TEST_SERIAL_LOG      "serial.log"
#define TEST_TRANSITIONS     "transitions.txt"
#define TEST_REGISTERS       "registers.txt"
#define TEST_DISASSEMBLY     "disassembly.txt"
#define TEST_LOG             "log.txt"
#define TEST_REFERENCE_PNG   "reference.png"
#define TEST_DIFFERENCE_PNG  "difference.png"

#define TEST_DEFAULT_GUEST_TIME (UINT64_C(60) * 1000000000)

/* So many bytes of serial output are looked at, the newest. */
#define TEST_SERIAL_MAX (16u << 20)

struct test_guest_config {
	const struct test_file *file;
	const char *engine; /* NULL: as the file has it */
	bool update;        /* write reference pictures instead of failing for them */
};

/* Runs it in the current folder and leaves all artefacts there. Ends early with
 * SIGTERM or SIGINT. Never NULL. */
struct test_result *test_guest_run(const struct test_guest_config *config);

#endif
