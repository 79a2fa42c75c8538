/* The emulator in the surroundings of native.h: user mode, the same LDT. */
#ifndef V2E_TESTS_INSN_USER_H
#define V2E_TESTS_INSN_USER_H

#include "tests/insn/machine.h"
#include "tests/insn/native.h"

/* Guest-physical and linear. */
#define USER_CODE 0x10000u
#define USER_DATA 0x20000u

struct machine *user_machine_new(enum emu_jit jit);
/* Copies code and data in. */
void user_load(struct machine *machine, const uint8_t *code, const uint8_t *data);
/* As native_run(). */
void user_run(struct machine *machine, const struct native_state *state, struct native_end *end);
const uint8_t *user_data(const struct machine *machine);

#endif
