/* Where an interrupt or exception would lead, by the tables in memory. */
#ifndef V2E_SHARED_HANDLER_H
#define V2E_SHARED_HANDLER_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/ctx.h"
#include "shared/mem.h"

/* The linear address of the handler of `vector`: by the vector table in real mode, by
 * an interrupt or trap gate else. False: there is none, it is a task's, or in long mode. */
bool handler_address(const struct ctx *ctx, struct mem *mem, uint8_t vector, uint64_t *linear);

#endif
