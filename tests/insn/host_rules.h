/* Where hosts answer in a way of their own that the manuals allow, or that only one
 * maker's processors have. A rule takes over what it explains and no more: the rest of
 * the case is compared again. */
#ifndef V2E_TESTS_INSN_HOST_RULES_H
#define V2E_TESTS_INSN_HOST_RULES_H

#include "tests/insn/host_compare.h"

/* Does a rule match the case, which differs? Then `compared`, and native_data(), are
 * without what it explains. */
bool host_rules_apply(struct host_case *compared, enum native_vendor vendor);
void host_rules_print(void);

#endif
