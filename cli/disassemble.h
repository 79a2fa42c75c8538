/* What the processor is about to run, as text. */
#ifndef V2E_CLI_DISASSEMBLE_H
#define V2E_CLI_DISASSEMBLE_H

#include <stdio.h>

#include "shared/ctx.h"
#include "shared/mem.h"

/* Prints `count` instructions from CS:IP on, one a line: address, bytes, text. A
 * byte that is no instruction is printed as such; where memory ends the listing
 * does. MMIO is not read. */
void disassemble_print(const struct ctx *ctx, struct mem *mem, unsigned count, FILE *out);

#endif
