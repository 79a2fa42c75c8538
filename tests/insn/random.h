/* Random numbers, the same for the same seed and number. */
#ifndef V2E_TESTS_INSN_RANDOM_H
#define V2E_TESTS_INSN_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
	uint64_t state;
};

void random_seed(struct random *random, uint64_t seed, uint64_t number);
uint32_t random_next(struct random *random);
uint32_t random_below(struct random *random, uint32_t limit);
bool random_chance(struct random *random, uint32_t one_in);
/* With a liking for the ends of ranges. */
uint32_t random_value(struct random *random);

#endif
