/* Random instructions and states that user mode can run, the same for the same
 * seed and number. */
#ifndef V2E_TESTS_INSN_GENERATE_H
#define V2E_TESTS_INSN_GENERATE_H

#include <stddef.h>

#include "emu/decode.h"
#include "tests/insn/native.h"

struct random {
	uint64_t state;
};

void random_seed(struct random *random, uint64_t seed, uint64_t number);
uint32_t random_next(struct random *random);
uint32_t random_below(struct random *random, uint32_t limit);
bool random_chance(struct random *random, uint32_t one_in);
/* With a liking for the ends of ranges. */
uint32_t random_value(struct random *random);

#define GENERATE_MAX 24 /* bytes: 15 and a tail of HLT */

struct generated {
	struct native_state state;
	uint8_t bytes[GENERATE_MAX];
	size_t length;
	struct insn insn;     /* as emu/decode.c reads it */
	uint32_t poke_at;     /* data to change before: offset in the data segment, */
	uint8_t poke[8];      /* bytes */
	unsigned poke_size;   /* 0: none */
};

/* False when what came out cannot be run in user mode, or not be compared: take
 * the next number. */
bool generate(struct generated *generated, struct random *random, struct decoder *decoder);

#endif
