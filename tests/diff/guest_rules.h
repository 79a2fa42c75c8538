/* What is the same, and where QEMU is known to be wrong. */
#ifndef V2E_TESTS_DIFF_GUEST_RULES_H
#define V2E_TESTS_DIFF_GUEST_RULES_H

#include "tests/diff/guest_cases.h"

/* Equal but for what the architecture leaves undefined. */
bool guest_same(const struct guest_case *guest, const struct guest_record *emulator, const struct guest_record *qemu);
/* Is the difference one that a rule knows? */
bool guest_rule(const struct guest_case *guest, const struct guest_record *emulator, const struct guest_record *qemu);
void guest_rules_print(void);

#endif
