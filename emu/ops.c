#include "emu/bodies.h"
#include "emu/flags.h"

#define NONE 0
#define C CTX_EFLAGS_CF
#define P CTX_EFLAGS_PF
#define A CTX_EFLAGS_AF
#define Z CTX_EFLAGS_ZF
#define S CTX_EFLAGS_SF
#define O CTX_EFLAGS_OF
#define ALL FLAGS_ARITH

const struct op_row op_rows[OPS] = {
#define OP(name, exec, pick, read, written, undefined, lock) \
	[OP_##name] = { #name, exec, pick, read, written, undefined, lock },
#include "emu/ops.def"
#undef OP
};
