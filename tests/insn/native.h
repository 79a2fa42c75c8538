/* One instruction on the host's own CPU, in user mode, in a 16- or 32-bit code
 * segment of the LDT. Signals catch how it ends. One instance a process. */
#ifndef V2E_TESTS_INSN_NATIVE_H
#define V2E_TESTS_INSN_NATIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/insn/fpu_state.h"

/* The segments, as LDT entries; a selector is entry * 8 + 7. */
enum native_entry {
	NATIVE_CODE16, NATIVE_CODE32, NATIVE_DATA16, NATIVE_DATA32, NATIVE_ABSENT,
	NATIVE_UPPER, /* begins in the middle of the data, 32-bit */
	NATIVE_DOWN,  /* the data at its end, expand-down, 16-bit */
	NATIVE_CONST, /* read-only */
	NATIVE_ENTRIES,
};

#define NATIVE_SELECTOR(entry) ((uint16_t)((entry) * 8 + 7))
#define NATIVE_CODE_SIZE 0x1000u /* read-only for the instruction */
#define NATIVE_DATA_SIZE 0x4000u

struct native_segment {
	int32_t start;   /* from the code's or the data's first byte */
	uint32_t limit;
	uint32_t access; /* as in struct ctx_seg */
};

extern const struct native_segment native_segments[NATIVE_ENTRIES];

struct native_state {
	uint32_t gpr[8];     /* ModRM order */
	uint32_t eip, eflags;
	uint16_t sreg[6];    /* by enum ctx_sreg */
	uint8_t fpu[FPU_STATE_SIZE];
};

/* How the instruction, or the HLT behind it, stopped. */
struct native_end {
	struct native_state state;
	uint8_t vector;
	uint32_t error;
	bool timeout;
};

/* Whose CPU it is: some answers are the maker's own. */
enum native_vendor { NATIVE_OTHER = 1, NATIVE_INTEL = 2, NATIVE_AMD = 4 };
enum native_vendor native_vendor(void);

/* False with a reason when the kernel gives no LDT. */
bool native_init(const char **reason);
uint8_t *native_code(void); /* NATIVE_CODE_SIZE bytes */
uint8_t *native_data(void);
/* Runs from `state` to the first exception. */
void native_run(const struct native_state *state, struct native_end *end);

#endif
