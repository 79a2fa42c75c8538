/* The processor's tables as text (SDM vol. 3, chapters 3, 4 and 6). What cannot be
 * read is said to be so; MMIO is not touched. */
#ifndef V2E_GDB_TABLES_H
#define V2E_GDB_TABLES_H

#include <glib.h>

#include "shared/ctx.h"
#include "shared/mem.h"

void gdb_tables_ivt(const struct ctx *ctx, struct mem *mem, unsigned first, unsigned last, GString *out);
void gdb_tables_gdt(const struct ctx *ctx, struct mem *mem, GString *out);
void gdb_tables_ldt(const struct ctx *ctx, struct mem *mem, GString *out);
void gdb_tables_idt(const struct ctx *ctx, struct mem *mem, GString *out);
/* One walk, level by level; and all that is mapped, as ranges. */
void gdb_tables_walk(const struct ctx *ctx, struct mem *mem, uint64_t linear, GString *out);
void gdb_tables_pages(const struct ctx *ctx, struct mem *mem, GString *out);

#endif
