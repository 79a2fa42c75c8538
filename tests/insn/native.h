/* One instruction on the host's own CPU, in user mode, in a 16- or 32-bit code
 * segment of the LDT. Signals catch how it ends. One instance a process. */
#ifndef V2E_TESTS_INSN_NATIVE_H
#define V2E_TESTS_INSN_NATIVE_H

#include <stdbool.h>
#include <stdint.h>

/* The segments, as LDT entries; a selector is entry * 8 + 7. */
enum native_entry { NATIVE_CODE16, NATIVE_CODE32, NATIVE_DATA16, NATIVE_DATA32, NATIVE_ABSENT, NATIVE_ENTRIES };

#define NATIVE_SELECTOR(entry) ((uint16_t)((entry) * 8 + 7))
#define NATIVE_CODE_SIZE 0x1000u /* read-only for the instruction */
#define NATIVE_DATA_SIZE 0x4000u

struct native_state {
	uint32_t gpr[8];     /* ModRM order */
	uint32_t eip, eflags;
	uint16_t cs, ss, ds, es;
};

/* How the instruction, or the HLT behind it, stopped. */
struct native_end {
	struct native_state state;
	uint8_t vector;
	uint32_t error;
	bool timeout;
};

/* False with a reason when the kernel gives no LDT. */
bool native_init(const char **reason);
uint8_t *native_code(void); /* NATIVE_CODE_SIZE bytes */
uint8_t *native_data(void);
/* Runs from `state` to the first exception. */
void native_run(const struct native_state *state, struct native_end *end);

#endif
