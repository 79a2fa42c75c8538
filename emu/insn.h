/* A decoded instruction: what the interpreter's bodies and the JIT's emitters read. */
#ifndef V2E_EMU_INSN_H
#define V2E_EMU_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/ctx.h"

struct emu;
struct insn;

/* How an instruction ended. */
enum exec {
	EXEC_NEXT,   /* on to the instruction behind it */
	EXEC_BRANCH, /* ctx->rip is set; the block is over */
	EXEC_FAULT,  /* emu.fault is set; the guest state is the one before it */
	EXEC_STOP,   /* ctx->rip is set; run() has to look (HLT, shutdown, mode) */
};

typedef enum exec exec_fn(struct emu *emu, const struct insn *insn);

enum op {
#define OP(name, exec, pick, read, written, undefined, lock) OP_##name,
#include "emu/ops.def"
#undef OP
	OPS
};

/* Where the operands are. RM is a register or memory by `insn.is_memory`. */
enum operands {
	OPERANDS_NONE,
	OPERANDS_RM,      /* one: rm */
	OPERANDS_RM_REG,  /* destination rm, source reg */
	OPERANDS_REG_RM,
	OPERANDS_RM_IMM,
	OPERANDS_REG_RM_IMM, /* IMUL; SHLD/SHRD as RM, REG, IMM */
	OPERANDS_REG,     /* register in the opcode or the accumulator, in `rm` */
	OPERANDS_REG_IMM, /* likewise with an immediate, in `rm` */
	OPERANDS_IMM,
	OPERANDS_FAR,     /* imm = offset, imm2 = selector */
};

enum insn_flag {
	INSN_LOCK  = 1,
	INSN_REP   = 2, /* F3 */
	INSN_REPNE = 4, /* F2 */
	INSN_ADDR32 = 8,
	INSN_SEG_PREFIX = 16, /* a segment was named by a prefix */
	INSN_PATCHED = 32, /* the guest keeps writing to it: imm and disp may change under the block */
};

struct insn {
	exec_fn *exec;
	uint32_t disp;
	uint32_t imm;      /* sign- or zero-extended as the operation wants it */
	uint32_t addr_mask;/* FFFF or FFFFFFFF */
	uint16_t op;       /* enum op */
	uint16_t imm2;     /* second immediate: far selector, ENTER level */
	uint16_t offset;   /* of its first byte from the block's start */
	uint16_t base;     /* byte offsets into struct ctx of the address registers; */
	uint16_t index;    /* INSN_NO_REG, a field that is always 0, for none */
	uint8_t  scale;    /* shift */
	uint8_t  seg;      /* enum ctx_sreg of the memory operand */
	uint8_t  length;
	uint8_t  flags;    /* enum insn_flag */
	uint8_t  size;     /* operand size: 1, 2, 4 (8: CMPXCHG8B) */
	uint8_t  operands; /* enum operands */
	uint8_t  reg;      /* ModRM.reg as register: see insn_reg8() for bytes */
	uint8_t  rm;       /* ModRM.rm as register, or the opcode's */
	uint8_t  modrm;
	bool     is_memory;
	uint8_t  raw[15];  /* the instruction's bytes, for x87/SSE and stale checks */
};

#define INSN_NO_REG ((uint16_t)offsetof(struct ctx, reserved_278))

/* Byte registers are held as byte offsets from gpr[0]: AL 0, AH 1, CL 8 ... */
static inline uint8_t insn_reg8(unsigned modrm_number)
{
	return (uint8_t)((modrm_number & 3) * 8 + (modrm_number >> 2 & 1));
}

/* A row of ops.def. */
struct op_row {
	const char *name;
	exec_fn *exec;
	/* Chooses a body by operand form and width, NULL: `exec` serves all. */
	exec_fn *(*pick)(const struct insn *insn);
	uint16_t flags_read, flags_written, flags_undefined; /* CTX_EFLAGS_* */
	bool lockable; /* LOCK is allowed when the destination is memory */
};

extern const struct op_row op_rows[OPS];

#endif
