/* Changes of the processor's mode, as a test sees them: real, virtual-8086 and
 * protected mode are three; the width of code and data does not count. */
#ifndef V2E_CLI_TEST_MODES_H
#define V2E_CLI_TEST_MODES_H

#include <stdint.h>
#include <stdio.h>

#include "cli/machine.h"

/* How many the artefacts show, the newest. */
#define TEST_MODES_KEPT 64u

struct test_modes;

/* `entered` hears of each entry into protected mode, and the guest time in ns,
 * from test_modes_poll(). `machine` must outlive it. */
struct test_modes *test_modes_new(struct machine *machine, void (*entered)(void *owner, uint64_t ns), void *owner);
void test_modes_free(struct test_modes *modes); /* NULL is fine */

/* Takes note of what happened since the last time. */
void test_modes_poll(struct test_modes *modes);
/* Since power-on, up to the last poll. */
uint64_t test_modes_count(const struct test_modes *modes);

/* The newest TEST_MODES_KEPT, one a line. */
void test_modes_print(const struct test_modes *modes, FILE *out);

#endif
