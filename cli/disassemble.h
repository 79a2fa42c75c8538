/* What the processor is about to run, as text. */
#ifndef V2E_CLI_DISASSEMBLE_H
#define V2E_CLI_DISASSEMBLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "shared/ctx.h"
#include "shared/mem.h"

/* The guest-physical address of a linear one, by the context's page tables (SDM
 * vol. 3, 4.3 and 4.4), A20 applied. Sets no accessed bits, knows no rights. False:
 * nothing is mapped there. */
bool disassemble_translate(const struct ctx *ctx, struct mem *mem, uint32_t linear, uint32_t *physical);

/* Prints `count` instructions from CS:IP on, one a line: address, bytes, text. A
 * byte that is no instruction is printed as such; where memory ends the listing
 * does. MMIO is not read. */
void disassemble_print(const struct ctx *ctx, struct mem *mem, unsigned count, FILE *out);

#endif
