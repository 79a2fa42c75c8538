/* Holds the end of a case on the emulator against that on the host. */
#ifndef V2E_TESTS_INSN_HOST_COMPARE_H
#define V2E_TESTS_INSN_HOST_COMPARE_H

#include <glib.h>

#include "tests/insn/generate.h"

struct host_case {
	const struct generated *generated;
	struct native_end got, want;
	const uint8_t *memory;   /* the emulator's; the host's is native_data() */
	uint32_t flags_ignored;
};

/* NULL, or what differs (g_free), but for flags that the instruction leaves undefined. */
char *host_compare(const struct host_case *compared);

#endif
