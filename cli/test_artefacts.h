/* What a test leaves behind for a person who wants to know why it failed. All goes
 * into the current folder; what cannot be written is logged. */
#ifndef V2E_CLI_TEST_ARTEFACTS_H
#define V2E_CLI_TEST_ARTEFACTS_H

#include "cli/machine.h"
#include "cli/test_modes.h"
#include "cli/test_picture.h"

/* The last screen as picture and text, registers, disassembly, the last changes
 * of mode. */
void test_artefacts_save(struct machine *machine, const struct test_modes *modes);

/* A picture that is not as expected: the reference, if it could be read, and the
 * differences, if the sizes are equal. */
void test_artefacts_picture(const struct test_picture *how, const struct surface *seen, const struct surface *wanted);

#endif
