/* One recorded test, taken apart as far as the rules need it, and how it ends on
 * a 386 or later when that is not what the recorded chip did. */
#ifndef V2E_TESTS_INSN_VECTOR_H
#define V2E_TESTS_INSN_VECTOR_H

#include "tests/insn/machine.h"
#include "tests/insn/moo.h"

enum chip { CHIP_8086 = 1, CHIP_80286 = 2 };

#define VECTOR_NO_SEGMENT 0xff

struct vector {
	const struct moo_test *test;
	enum chip chip;
	uint16_t flags_mask;  /* FLAGS bits that the chip defines, here and where pushed */
	unsigned length;      /* of the whole instruction */
	unsigned prefixes;
	bool lock;
	uint8_t repeat;       /* F2, F3 or 0 */
	uint8_t opcode, modrm;
	bool has_modrm, is_memory;
	unsigned reg;         /* ModRM.reg */
	uint8_t segment;      /* enum moo_reg of the memory operand */
	uint16_t offset;      /* of the memory operand */
	unsigned size;        /* its bytes; 0: the operand is not accessed */
};

/* How a test is held against the emulator. */
enum outcome {
	OUTCOME_RECORDED, /* as the chip did it */
	OUTCOME_PARTLY,   /* likewise, but for some FLAGS bits and registers */
	OUTCOME_FAULT,    /* the 386 raises an exception and changes nothing else */
	OUTCOME_SKIP,     /* the two have nothing to compare */
};

struct expectation {
	enum outcome outcome;
	uint8_t vector;       /* OUTCOME_FAULT */
	uint16_t flags;       /* bits not to be compared */
	uint16_t regs;        /* registers not to be compared, by enum moo_reg */
};

/* A byte of memory before the test. */
uint8_t vector_byte(const struct vector *vector, uint32_t address);

/* Fills all but flags_mask. */
void vector_parse(struct vector *vector, const struct moo_test *test, enum chip chip);

/* Runs the test and compares. NULL, or what differed (g_free). Memory is clean
 * again afterwards, unless the emulator wrote where the chip did not. */
char *vector_run(struct machine *machine, const struct vector *vector, const struct expectation *expectation);

/* The address of `offset` in a segment as the chip's pins give it. */
uint32_t vector_address(const struct vector *vector, uint16_t selector, uint16_t offset);

#endif
