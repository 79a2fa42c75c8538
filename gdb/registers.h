/* The registers as GDB numbers and describes them. EIP is presented as a linear
 * address in every mode (CS.base + EIP), so that GDB's `x/i $pc` and breakpoints
 * find the code; the offset itself is the register `ip`. */
#ifndef V2E_GDB_REGISTERS_H
#define V2E_GDB_REGISTERS_H

#include <glib.h>

#include "shared/ctx.h"

#define GDB_REGISTER_MAX 16u /* bytes */

/* Which there are: those of 64-bit code, or of all else. A debugger numbers them by the
 * description that it read last, whatever the guest has come to since. */
enum gdb_set { GDB_SET_32, GDB_SET_64 };

/* That of the page's mode. */
enum gdb_set gdb_registers_set(const struct ctx *ctx);

unsigned gdb_registers_count(enum gdb_set set);
/* Bytes; 0 when there is no such register. */
unsigned gdb_registers_size(enum gdb_set set, unsigned number);

/* Little-endian, gdb_registers_size() bytes. False: the page does not hold it, or it does
 * not fit. */
bool gdb_registers_read(const struct ctx *ctx, enum gdb_set set, unsigned number, uint8_t *bytes);
/* False: it cannot be written, or not with this value. In real and virtual-8086
 * mode a selector moves its segment's base; in protected mode it cannot change. */
bool gdb_registers_write(struct ctx *ctx, enum gdb_set set, unsigned number, const uint8_t *bytes);

/* The linear address of the next instruction. */
uint64_t gdb_registers_pc(const struct ctx *ctx);
bool gdb_registers_set_pc(struct ctx *ctx, uint64_t linear);

/* "i386:x86-64" where CS holds 64-bit code, "i8086" where it holds 16-bit code, else "i386". */
const char *gdb_registers_architecture(const struct ctx *ctx);
/* target.xml of the mode that the page describes. */
void gdb_registers_describe(const struct ctx *ctx, GString *xml);

#endif
