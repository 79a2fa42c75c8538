#include "tests/insn/fpu_state.h"

#include <string.h>

static uint64_t random64(struct random *random)
{
	uint64_t high = random_next(random);
	return high << 32 | random_next(random);
}

/* Exponents near both ends, and near 1.0; significands with and without their first bit. */
static void make_extended(struct random *random, uint8_t bytes[16])
{
	static const uint16_t exponents[] = { 0, 0, 1, 2, 0x7ffe, 0x7fff, 0x7fff, 0x3fff, 0x4000, 0x3ffe, 0x401e,
	                                      0x403e, 0x3c01, 0x3f81, 0x3f6a, 0x3bcd, 0x407f, 0x43ff };
	static const uint64_t significands[] = { 0, 1ull << 63, 3ull << 62, (1ull << 63) + 1, ~0ull, 1, 1ull << 62 };
	uint16_t exponent = exponents[random_below(random, sizeof exponents / sizeof *exponents)];
	uint64_t significand = significands[random_below(random, sizeof significands / sizeof *significands)];
	if (random_chance(random, 2))
		significand = random64(random) | 1ull << 63;
	if (random_chance(random, 8))
		exponent = (uint16_t)random_below(random, 0x8000);
	exponent |= (uint16_t)(random_below(random, 2) << 15);
	memset(bytes, 0, 16);
	memcpy(bytes, &significand, 8);
	memcpy(bytes + 8, &exponent, 2);
}

static uint32_t make_single(struct random *random)
{
	static const uint32_t values[] = { 0, 0x80000000, 1, 0x007fffff, 0x00800000, 0x7f7fffff, 0x7f800000,
	                                   0xff800000, 0x7f800001, 0x7fc00000, 0x3f800000, 0xbf800000, 0x4f000000, 0x00800001 };
	return random_chance(random, 2) ? random_next(random) : values[random_below(random, sizeof values / sizeof *values)];
}

static uint64_t make_double(struct random *random)
{
	static const uint64_t values[] = { 0, 1ull << 63, 1, 0x000fffffffffffff, 0x0010000000000000, 0x7fefffffffffffff,
	                                   0x7ff0000000000000, 0xfff0000000000000, 0x7ff0000000000001, 0x7ff8000000000000,
	                                   0x3ff0000000000000, 0xc1e0000000000000, 0x380fffff00000000, 0x47f0000000000000 };
	return random_chance(random, 2) ? random64(random) : values[random_below(random, sizeof values / sizeof *values)];
}

void fpu_state_operand(struct random *random, uint8_t bytes[16], bool extended)
{
	unsigned size = random_chance(random, 2) ? 8 : 4;
	if (extended && random_chance(random, 4)) {
		make_extended(random, bytes);
		return;
	}
	for (unsigned i = 0; i < 16; i += size) {
		uint64_t value = size == 8 ? make_double(random) : make_single(random);
		memcpy(bytes + i, &value, size);
	}
}

static void set(uint8_t *image, unsigned at, unsigned size, uint32_t value) { memcpy(image + at, &value, size); }

void fpu_state_random(struct random *random, uint8_t image[FPU_STATE_SIZE], bool unmasked)
{
	uint32_t fcw = (random_next(random) & 0xf00) | 0x7f, mxcsr = (random_next(random) & 0xe07f) | 0x1f80;
	memset(image, 0, FPU_STATE_SIZE);
	if (unmasked) {
		fcw &= ~(random_next(random) & 0x3f);
		mxcsr &= ~(random_next(random) & 0x1f80);
	}
	/* What is set may not be pending. */
	uint32_t fsw = random_next(random) & 0x7f7f & (0x7f40 | fcw);
	set(image, IMAGE_FCW, 2, fcw);
	set(image, IMAGE_FSW, 2, fsw);
	image[IMAGE_FTW] = (uint8_t)(random_chance(random, 2) ? 0xff : random_next(random));
	set(image, IMAGE_MXCSR, 4, mxcsr);
	for (unsigned i = 0; i < 8; i++) {
		make_extended(random, image + IMAGE_ST + 16 * i);
		fpu_state_operand(random, image + IMAGE_XMM + 16 * i, false);
	}
}

void fpu_state_pend(struct random *random, uint8_t image[FPU_STATE_SIZE])
{
	unsigned error = 1u << random_below(random, 6);
	image[IMAGE_FCW] &= (uint8_t)~error;
	image[IMAGE_FSW] |= (uint8_t)(error | 0x80);
	image[IMAGE_FSW + 1] |= 0x80;
}
