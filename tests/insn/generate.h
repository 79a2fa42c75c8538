/* Random instructions and states that user mode can run, the same for the same
 * seed and number. */
#ifndef V2E_TESTS_INSN_GENERATE_H
#define V2E_TESTS_INSN_GENERATE_H

#include <stddef.h>

#include "emu/decode.h"
#include "tests/insn/native.h"
#include "tests/insn/random.h"

#define GENERATE_MAX 24 /* bytes: 15 and a tail of HLT */

struct generated {
	struct native_state state;
	uint8_t bytes[GENERATE_MAX];
	size_t length;
	struct insn insn;     /* as emu/decode.c reads it */
	uint32_t poke_at;     /* data to change before: offset from its first byte, */
	uint8_t poke[16];     /* bytes */
	unsigned poke_size;   /* 0: none */
	uint32_t operand;     /* offset of the memory operand */
};

/* False when what came out cannot be run in user mode, or not be compared: take
 * the next number. */
bool generate(struct generated *generated, struct random *random, struct decoder *decoder);

#endif
