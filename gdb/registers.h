/* The registers as GDB numbers and describes them. EIP is presented as a linear
 * address in every mode (CS.base + EIP), so that GDB's `x/i $pc` and breakpoints
 * find the code; the offset itself is the register `ip`. */
#ifndef V2E_GDB_REGISTERS_H
#define V2E_GDB_REGISTERS_H

#include <glib.h>

#include "shared/ctx.h"

#define GDB_REGISTER_MAX 16u /* bytes */

unsigned gdb_registers_count(void);
/* Bytes; 0 when there is no such register. */
unsigned gdb_registers_size(unsigned number);

/* Little-endian, gdb_registers_size() bytes. False: the page does not hold it. */
bool gdb_registers_read(const struct ctx *ctx, unsigned number, uint8_t *bytes);
/* False: it cannot be written, or not with this value. In real and virtual-8086
 * mode a selector moves its segment's base; in protected mode it cannot change. */
bool gdb_registers_write(struct ctx *ctx, unsigned number, const uint8_t *bytes);

/* The linear address of the next instruction. */
uint32_t gdb_registers_pc(const struct ctx *ctx);
bool gdb_registers_set_pc(struct ctx *ctx, uint32_t linear);

/* "i8086" where CS holds 16-bit code, else "i386". */
const char *gdb_registers_architecture(const struct ctx *ctx);
/* target.xml of the mode that the page describes. */
void gdb_registers_describe(const struct ctx *ctx, GString *xml);

#endif
