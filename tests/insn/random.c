/* splitmix64 */
#include "tests/insn/random.h"

void random_seed(struct random *random, uint64_t seed, uint64_t number)
{
	random->state = seed * 0x9e3779b97f4a7c15ull + number * 0xd1342543de82ef95ull;
	random_next(random);
}

uint32_t random_next(struct random *random)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15ull;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return (uint32_t)((z ^ z >> 31) >> 16);
}

uint32_t random_below(struct random *random, uint32_t limit) { return random_next(random) % limit; }

bool random_chance(struct random *random, uint32_t one_in) { return !random_below(random, one_in); }

uint32_t random_value(struct random *random)
{
	static const uint32_t edges[] = {
		0, 1, 2, 0x7f, 0x80, 0x81, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000,
		0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe, 0xffffff80, 0xffff8000,
	};
	uint32_t value = random_next(random);
	switch (random_below(random, 6)) {
	case 0: return edges[value % (sizeof edges / sizeof edges[0])];
	case 1: return value & 0x3fff;
	case 2: return value & 0xff;
	case 3: return 1u << (value & 31);
	default: return value;
	}
}
