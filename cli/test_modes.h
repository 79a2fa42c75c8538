/* Changes of the processor's mode, as a test sees them: real, virtual-8086 and
 * protected mode are three; the width of code and data does not count. They are
 * read off the trace of the emulator, which sees them all: an engine that runs one
 * mode gives the others to it. */
#ifndef V2E_CLI_TEST_MODES_H
#define V2E_CLI_TEST_MODES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "shared/clock.h"

/* How many the artefacts show, the newest. */
#define TEST_MODES_KEPT 64u

struct test_modes;

/* Takes the log of the process (log_set_output, --trace switch) until it is freed,
 * and passes on to standard error what is no change of mode; with `show` those as
 * well. `entered`, which may be NULL, hears of each entry into protected mode, with
 * the guest time in ns: at most by one request of the engine too early. */
struct test_modes *test_modes_new(struct clock *clock, bool show, void (*entered)(void *owner, uint64_t ns), void *owner);
void test_modes_free(struct test_modes *modes); /* NULL is fine */

/* Since it was made. */
uint64_t test_modes_count(const struct test_modes *modes);

/* The newest TEST_MODES_KEPT, one a line, guest time first. */
void test_modes_print(const struct test_modes *modes, FILE *out);

#endif
