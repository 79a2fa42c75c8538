/* An assembler for the x86-64 instructions that the JIT emits (SDM vol. 2). Code
 * is written through one mapping and runs in another, `delta` bytes away. */
#ifndef V2E_EMU_JIT_ASM_H
#define V2E_EMU_JIT_ASM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct jit_asm {
	uint8_t *at;
	uint8_t *end;    /* writes behind it are dropped; `full` tells */
	ptrdiff_t delta; /* running address - writing address */
	int full;
};

enum host {
	RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15,
	NOREG,
	HIGH = 32, /* | RAX..RBX: AH..BH; only without a REX prefix */
};

/* [base + index << scale + disp]; base NOREG: RIP-relative to `disp` as an address. */
struct host_mem {
	unsigned base, index, scale;
	int32_t disp;
};

/* ALU operations, as in opcode bits 3-5. */
enum host_alu { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };
/* Shifts, as in ModRM.reg. */
enum host_shift { SHIFT_ROL, SHIFT_ROR, SHIFT_RCL, SHIFT_RCR, SHIFT_SHL, SHIFT_SHR, SHIFT_SAR = 7 };
/* Group 3. */
enum host_unary { UNARY_TEST, UNARY_NOT = 2, UNARY_NEG, UNARY_MUL, UNARY_IMUL, UNARY_DIV, UNARY_IDIV };
/* Conditions. */
enum host_cc { CC_O, CC_NO, CC_B, CC_AE, CC_E, CC_NE, CC_BE, CC_A, CC_S, CC_NS, CC_P, CC_NP, CC_L, CC_GE, CC_LE, CC_G };

/* Forward references to one label. */
#define ASM_REFS 24u
struct asm_label {
	uint8_t *ref[ASM_REFS]; /* 32-bit fields to fill */
	unsigned refs;
};

static inline void asm_byte(struct jit_asm *a, unsigned byte)
{
	if (a->at < a->end)
		*a->at++ = (uint8_t)byte;
	else
		a->full = 1;
}

static inline void asm_bytes(struct jit_asm *a, const void *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		asm_byte(a, ((const uint8_t *)bytes)[i]);
}

static inline void asm_32(struct jit_asm *a, uint32_t value) { asm_bytes(a, &value, 4); }
static inline void asm_64(struct jit_asm *a, uint64_t value) { asm_bytes(a, &value, 8); }

/* An operand of `size` bytes with a register: `opcode` is that of the wide form,
 * bytes have one less (`bytes_below`); values above FF stand for 0F xx. */
void asm_reg(struct jit_asm *a, unsigned size, unsigned opcode, unsigned reg, unsigned rm);
void asm_mem(struct jit_asm *a, unsigned size, unsigned opcode, unsigned reg, struct host_mem mem);

static inline struct host_mem mem_at(unsigned base, size_t disp)
{
	return (struct host_mem){ base, NOREG, 0, (int32_t)disp };
}

static inline struct host_mem mem_sum(unsigned base, unsigned index)
{
	return (struct host_mem){ base, index, 0, 0 };
}

/* size 1, 2, 4, 8 */
static inline void asm_mov(struct jit_asm *a, unsigned size, unsigned to, unsigned from) { asm_reg(a, size, 0x89, from, to); }
static inline void asm_load(struct jit_asm *a, unsigned size, unsigned to, struct host_mem mem) { asm_mem(a, size, 0x8b, to, mem); }
static inline void asm_store(struct jit_asm *a, unsigned size, struct host_mem mem, unsigned from) { asm_mem(a, size, 0x89, from, mem); }
static inline void asm_alu(struct jit_asm *a, unsigned size, enum host_alu op, unsigned to, unsigned from)
{
	asm_reg(a, size, (unsigned)op << 3 | 1, from, to);
}
static inline void asm_alu_load(struct jit_asm *a, unsigned size, enum host_alu op, unsigned to, struct host_mem mem)
{
	asm_mem(a, size, (unsigned)op << 3 | 3, to, mem);
}
static inline void asm_alu_store(struct jit_asm *a, unsigned size, enum host_alu op, struct host_mem mem, unsigned from)
{
	asm_mem(a, size, (unsigned)op << 3 | 1, from, mem);
}
void asm_alu_imm(struct jit_asm *a, unsigned size, enum host_alu op, unsigned to, uint32_t imm);
void asm_alu_mem_imm(struct jit_asm *a, unsigned size, enum host_alu op, struct host_mem mem, uint32_t imm);
static inline void asm_test(struct jit_asm *a, unsigned size, unsigned x, unsigned y) { asm_reg(a, size, 0x85, y, x); }
void asm_test_imm(struct jit_asm *a, unsigned size, unsigned x, uint32_t imm);
void asm_test_mem_imm8(struct jit_asm *a, struct host_mem mem, unsigned imm);
void asm_mov_imm(struct jit_asm *a, unsigned size, unsigned to, uint32_t imm); /* 1, 2, 4 */
void asm_mov_imm64(struct jit_asm *a, unsigned to, uint64_t imm);
void asm_store_imm(struct jit_asm *a, unsigned size, struct host_mem mem, uint32_t imm);
static inline void asm_lea(struct jit_asm *a, unsigned size, unsigned to, struct host_mem mem) { asm_mem(a, size, 0x8d, to, mem); }
void asm_shift_imm(struct jit_asm *a, unsigned size, enum host_shift op, unsigned to, unsigned count);
static inline void asm_shift_cl(struct jit_asm *a, unsigned size, enum host_shift op, unsigned to) { asm_reg(a, size, 0xd3, op, to); }
static inline void asm_unary(struct jit_asm *a, unsigned size, enum host_unary op, unsigned to) { asm_reg(a, size, 0xf7, op, to); }
static inline void asm_inc(struct jit_asm *a, unsigned size, unsigned to) { asm_reg(a, size, 0xff, 0, to); }
static inline void asm_dec(struct jit_asm *a, unsigned size, unsigned to) { asm_reg(a, size, 0xff, 1, to); }
/* The zero- or sign-extended byte or word `from`, to 32 bits. */
void asm_extend(struct jit_asm *a, unsigned size, int sign, unsigned to, unsigned from);
void asm_extend_load(struct jit_asm *a, unsigned size, int sign, unsigned to, struct host_mem mem);
static inline void asm_setcc(struct jit_asm *a, unsigned cc, unsigned to) { asm_reg(a, 1, 0x0f91 + cc, 0, to); }
static inline void asm_push(struct jit_asm *a, unsigned reg)
{
	if (reg >= 8)
		asm_byte(a, 0x41);
	asm_byte(a, 0x50 + (reg & 7));
}
static inline void asm_pop(struct jit_asm *a, unsigned reg)
{
	if (reg >= 8)
		asm_byte(a, 0x41);
	asm_byte(a, 0x58 + (reg & 7));
}
static inline void asm_ret(struct jit_asm *a) { asm_byte(a, 0xc3); }

/* Jumps and calls; `target` is a writing address. */
void asm_jmp(struct jit_asm *a, const uint8_t *target);
void asm_jcc(struct jit_asm *a, unsigned cc, const uint8_t *target);
void asm_call(struct jit_asm *a, const uint8_t *target);
void asm_jmp_label(struct jit_asm *a, struct asm_label *label);
void asm_jcc_label(struct jit_asm *a, unsigned cc, struct asm_label *label);
void asm_bind(struct jit_asm *a, struct asm_label *label);
static inline void asm_jmp_mem(struct jit_asm *a, struct host_mem mem) { asm_mem(a, 4, 0xff, 4, mem); }
static inline void asm_call_mem(struct jit_asm *a, struct host_mem mem) { asm_mem(a, 4, 0xff, 2, mem); }
static inline void asm_jmp_reg(struct jit_asm *a, unsigned reg) { asm_reg(a, 4, 0xff, 4, reg); }

#endif
