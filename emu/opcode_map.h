/* Which operation an opcode names, and the form of its operands
 * (SDM vol. 2, appendix A). */
#ifndef V2E_EMU_OPCODE_MAP_H
#define V2E_EMU_OPCODE_MAP_H

#include <stdint.h>

#include "emu/emu.h"

enum opcode_width {
	WIDTH_BYTE,
	WIDTH_V,     /* 2 or 4, by operand size */
	WIDTH_WORD,
	WIDTH_DWORD,
	WIDTH_QWORD,
};

enum opcode_imm {
	IMM_NONE,
	IMM_B,      /* a byte, zero-extended */
	IMM_BS,     /* a byte, sign-extended */
	IMM_W,
	IMM_V,      /* 2 or 4 by operand size */
	IMM_ONE,    /* no byte: the constant 1 */
	IMM_FAR,    /* offset by operand size, then a selector */
	IMM_OFFSET, /* memory operand: an address of address size */
	IMM_WB,     /* ENTER */
};

enum opcode_flag {
	OPCODE_MODRM = 1,
	OPCODE_MEMORY = 2,   /* #UD with a register operand */
	OPCODE_REGISTER = 4, /* mod is taken as 3 (MOV CRx) */
	OPCODE_GROUP = 8,    /* `op` is a group number, by ModRM.reg */
	OPCODE_LOW3 = 16,    /* register in the opcode's low three bits */
	OPCODE_CONDITION = 32, /* condition in the low four bits */
	OPCODE_SREG = 64,    /* segment register in bits 3-5 */
};

struct opcode {
	uint8_t op;       /* enum op; a row that is all zero is undefined */
	uint8_t width;    /* enum opcode_width */
	uint8_t operands; /* enum operands */
	uint8_t imm;      /* enum opcode_imm */
	uint8_t flags;    /* enum opcode_flag */
	uint8_t defined;  /* 1 */
	uint8_t cpu;      /* enum emu_cpu: the first that has it */
	uint8_t extra;    /* goes to insn.imm2 */
};

/* The row for an opcode (`two_byte`: behind 0F), groups resolved by `modrm`.
 * NULL: nothing there. */
const struct opcode *opcode_find(unsigned two_byte, uint8_t opcode, uint8_t modrm);
/* Is there a ModRM byte? */
int opcode_has_modrm(unsigned two_byte, uint8_t opcode);

#endif
