/* Where a 386 or later is not what the recorded chip is. Rows of the same name are
 * one class, and a class that a whole set never meets is an error of the table. */
#ifndef V2E_TESTS_INSN_VECTOR_RULES_H
#define V2E_TESTS_INSN_VECTOR_RULES_H

#include "tests/insn/vector.h"

struct vector_rule {
	const char *name;
	const char *reference; /* SDM: the Intel 64 and IA-32 manual */
	unsigned chips;        /* enum chip */
	bool (*matches)(const struct vector *vector);
	struct expectation expectation;
};

#define VECTOR_RULES_MAX 64
extern const struct vector_rule vector_rules[];
extern const unsigned vector_rule_count;

/* What to expect of a test. Adds to hits[] of the rules that say so. */
struct expectation vector_rules_apply(const struct vector *vector, unsigned hits[VECTOR_RULES_MAX]);

#endif
