#include "emu/opcode_map.h"

#include <stddef.h>

#include "emu/insn.h"

#define ROW(op, width, operands, imm, flags) \
	{ OP_##op, WIDTH_##width, OPERANDS_##operands, IMM_##imm, flags, 1, EMU_CPU_386, 0 }
#define ROW_CPU(op, width, operands, imm, flags, cpu) \
	{ OP_##op, WIDTH_##width, OPERANDS_##operands, IMM_##imm, flags, 1, EMU_CPU_##cpu, 0 }
#define ROW_EXTRA(op, width, operands, imm, flags, extra) \
	{ OP_##op, WIDTH_##width, OPERANDS_##operands, IMM_##imm, flags, 1, EMU_CPU_386, extra }
#define GROUP(number) { number, 0, 0, 0, OPCODE_GROUP | OPCODE_MODRM, 1, 0, 0 }

#define M  OPCODE_MODRM
#define MM (OPCODE_MODRM | OPCODE_MEMORY)
#define L3 OPCODE_LOW3
#define CC OPCODE_CONDITION
#define SR OPCODE_SREG

enum group {
	GROUP_1_80, GROUP_1_81, GROUP_1_83, GROUP_1A, GROUP_2_C0, GROUP_2_C1,
	GROUP_2_D0, GROUP_2_D1, GROUP_2_D2, GROUP_2_D3, GROUP_3_F6, GROUP_3_F7,
	GROUP_4, GROUP_5, GROUP_6, GROUP_7, GROUP_8, GROUP_9, GROUP_11_C6, GROUP_11_C7,
	GROUP_7_REGISTER, GROUPS
};

#define ALU_GROUP(width, imm) {                                             \
	ROW(add, width, RM_IMM, imm, M), ROW(or, width, RM_IMM, imm, M),    \
	ROW(adc, width, RM_IMM, imm, M), ROW(sbb, width, RM_IMM, imm, M),   \
	ROW(and, width, RM_IMM, imm, M), ROW(sub, width, RM_IMM, imm, M),   \
	ROW(xor, width, RM_IMM, imm, M), ROW(cmp, width, RM_IMM, imm, M) }

#define SHIFT_GROUP(width, operands, imm) {                                          \
	ROW(rol, width, operands, imm, M), ROW(ror, width, operands, imm, M),        \
	ROW(rcl, width, operands, imm, M), ROW(rcr, width, operands, imm, M),        \
	ROW(shl, width, operands, imm, M), ROW(shr, width, operands, imm, M),        \
	ROW(shl, width, operands, imm, M), ROW(sar, width, operands, imm, M) }

#define UNARY_GROUP(width, imm) {                                              \
	ROW(test, width, RM_IMM, imm, M), ROW(test, width, RM_IMM, imm, M),    \
	ROW(not, width, RM, NONE, M), ROW(neg, width, RM, NONE, M),            \
	ROW(mul, width, RM, NONE, M), ROW(imul1, width, RM, NONE, M),          \
	ROW(div, width, RM, NONE, M), ROW(idiv, width, RM, NONE, M) }

static const struct opcode groups[GROUPS][8] = {
	[GROUP_1_80] = ALU_GROUP(BYTE, B),
	[GROUP_1_81] = ALU_GROUP(V, V),
	[GROUP_1_83] = ALU_GROUP(V, BS),
	[GROUP_1A] = { ROW(pop, V, RM, NONE, M) },
	[GROUP_2_C0] = SHIFT_GROUP(BYTE, RM_IMM, B),
	[GROUP_2_C1] = SHIFT_GROUP(V, RM_IMM, B),
	[GROUP_2_D0] = SHIFT_GROUP(BYTE, RM_IMM, ONE),
	[GROUP_2_D1] = SHIFT_GROUP(V, RM_IMM, ONE),
	[GROUP_2_D2] = SHIFT_GROUP(BYTE, RM, NONE),
	[GROUP_2_D3] = SHIFT_GROUP(V, RM, NONE),
	[GROUP_3_F6] = UNARY_GROUP(BYTE, B),
	[GROUP_3_F7] = UNARY_GROUP(V, V),
	[GROUP_4] = { ROW(inc, BYTE, RM, NONE, M), ROW(dec, BYTE, RM, NONE, M) },
	[GROUP_5] = {
		ROW(inc, V, RM, NONE, M), ROW(dec, V, RM, NONE, M),
		ROW(call_rm, V, RM, NONE, M), ROW(call_far_mem, V, RM, NONE, MM),
		ROW(jmp_rm, V, RM, NONE, M), ROW(jmp_far_mem, V, RM, NONE, MM),
		ROW(push, V, RM, NONE, M),
	},
	[GROUP_6] = {
		ROW(sldt, V, RM, NONE, M), ROW(str, V, RM, NONE, M),
		ROW(lldt, WORD, RM, NONE, M), ROW(ltr, WORD, RM, NONE, M),
		ROW(verr, WORD, RM, NONE, M), ROW(verw, WORD, RM, NONE, M),
	},
	[GROUP_7] = {
		ROW(sgdt, V, RM, NONE, MM), ROW(sidt, V, RM, NONE, MM),
		ROW(lgdt, V, RM, NONE, MM), ROW(lidt, V, RM, NONE, MM),
		ROW(smsw, V, RM, NONE, M), { 0 },
		ROW(lmsw, WORD, RM, NONE, M), ROW_CPU(invlpg, BYTE, RM, NONE, MM, 486),
	},
	[GROUP_8] = {
		[4] = ROW(bt, V, RM_IMM, B, M), ROW(bts, V, RM_IMM, B, M),
		ROW(btr, V, RM_IMM, B, M), ROW(btc, V, RM_IMM, B, M),
	},
	[GROUP_9] = { [1] = ROW_CPU(cmpxchg8b, QWORD, RM, NONE, MM, PENTIUM) },
	[GROUP_11_C6] = { ROW(mov, BYTE, RM_IMM, B, M) },
	[GROUP_11_C7] = { ROW(mov, V, RM_IMM, V, M) },
};

#define ALU_ROWS(first, op)                              \
	[first] = ROW(op, BYTE, RM_REG, NONE, M),        \
	ROW(op, V, RM_REG, NONE, M),                     \
	ROW(op, BYTE, REG_RM, NONE, M),                  \
	ROW(op, V, REG_RM, NONE, M),                     \
	ROW(op, BYTE, REG_IMM, B, 0),                    \
	ROW(op, V, REG_IMM, V, 0)

static const struct opcode one_byte[256] = {
	ALU_ROWS(0x00, add),
	[0x06] = ROW(push_sreg, V, NONE, NONE, SR), ROW(pop_sreg, V, NONE, NONE, SR),
	ALU_ROWS(0x08, or),
	[0x0e] = ROW(push_sreg, V, NONE, NONE, SR),
	ALU_ROWS(0x10, adc),
	[0x16] = ROW(push_sreg, V, NONE, NONE, SR), ROW(pop_sreg, V, NONE, NONE, SR),
	ALU_ROWS(0x18, sbb),
	[0x1e] = ROW(push_sreg, V, NONE, NONE, SR), ROW(pop_sreg, V, NONE, NONE, SR),
	ALU_ROWS(0x20, and),
	[0x27] = ROW(daa, BYTE, NONE, NONE, 0),
	ALU_ROWS(0x28, sub),
	[0x2f] = ROW(das, BYTE, NONE, NONE, 0),
	ALU_ROWS(0x30, xor),
	[0x37] = ROW(aaa, BYTE, NONE, NONE, 0),
	ALU_ROWS(0x38, cmp),
	[0x3f] = ROW(aas, BYTE, NONE, NONE, 0),
	[0x40 ... 0x47] = ROW(inc, V, REG, NONE, L3),
	[0x48 ... 0x4f] = ROW(dec, V, REG, NONE, L3),
	[0x50 ... 0x57] = ROW(push, V, REG, NONE, L3),
	[0x58 ... 0x5f] = ROW(pop, V, REG, NONE, L3),
	[0x60] = ROW(pusha, V, NONE, NONE, 0),
	[0x61] = ROW(popa, V, NONE, NONE, 0),
	[0x62] = ROW(bound, V, REG_RM, NONE, MM),
	[0x63] = ROW(arpl, WORD, RM_REG, NONE, M),
	[0x68] = ROW(push, V, IMM, V, 0),
	[0x69] = ROW(imul, V, REG_RM_IMM, V, M),
	[0x6a] = ROW(push, V, IMM, BS, 0),
	[0x6b] = ROW(imul, V, REG_RM_IMM, BS, M),
	[0x6c] = ROW(ins, BYTE, NONE, NONE, 0),
	[0x6d] = ROW(ins, V, NONE, NONE, 0),
	[0x6e] = ROW(outs, BYTE, NONE, NONE, 0),
	[0x6f] = ROW(outs, V, NONE, NONE, 0),
	[0x70 ... 0x7f] = ROW(jcc, V, IMM, BS, CC),
	[0x80] = GROUP(GROUP_1_80),
	[0x81] = GROUP(GROUP_1_81),
	[0x82] = GROUP(GROUP_1_80),
	[0x83] = GROUP(GROUP_1_83),
	[0x84] = ROW(test, BYTE, RM_REG, NONE, M),
	[0x85] = ROW(test, V, RM_REG, NONE, M),
	[0x86] = ROW(xchg, BYTE, RM_REG, NONE, M),
	[0x87] = ROW(xchg, V, RM_REG, NONE, M),
	[0x88] = ROW(mov, BYTE, RM_REG, NONE, M),
	[0x89] = ROW(mov, V, RM_REG, NONE, M),
	[0x8a] = ROW(mov, BYTE, REG_RM, NONE, M),
	[0x8b] = ROW(mov, V, REG_RM, NONE, M),
	[0x8c] = ROW(mov_from_sreg, V, RM, NONE, M),
	[0x8d] = ROW(lea, V, REG_RM, NONE, MM),
	[0x8e] = ROW(mov_to_sreg, WORD, RM, NONE, M),
	[0x8f] = GROUP(GROUP_1A),
	[0x90] = ROW(nop, V, NONE, NONE, 0),
	[0x91 ... 0x97] = ROW(xchg, V, RM_REG, NONE, L3),
	[0x98] = ROW(cbw, V, NONE, NONE, 0),
	[0x99] = ROW(cwd, V, NONE, NONE, 0),
	[0x9a] = ROW(call_far, V, FAR, FAR, 0),
	[0x9b] = ROW(wait, V, NONE, NONE, 0),
	[0x9c] = ROW(pushf, V, NONE, NONE, 0),
	[0x9d] = ROW(popf, V, NONE, NONE, 0),
	[0x9e] = ROW(sahf, BYTE, NONE, NONE, 0),
	[0x9f] = ROW(lahf, BYTE, NONE, NONE, 0),
	[0xa0] = ROW(mov, BYTE, REG_RM, OFFSET, 0),
	[0xa1] = ROW(mov, V, REG_RM, OFFSET, 0),
	[0xa2] = ROW(mov, BYTE, RM_REG, OFFSET, 0),
	[0xa3] = ROW(mov, V, RM_REG, OFFSET, 0),
	[0xa4] = ROW(movs, BYTE, NONE, NONE, 0),
	[0xa5] = ROW(movs, V, NONE, NONE, 0),
	[0xa6] = ROW(cmps, BYTE, NONE, NONE, 0),
	[0xa7] = ROW(cmps, V, NONE, NONE, 0),
	[0xa8] = ROW(test, BYTE, REG_IMM, B, 0),
	[0xa9] = ROW(test, V, REG_IMM, V, 0),
	[0xaa] = ROW(stos, BYTE, NONE, NONE, 0),
	[0xab] = ROW(stos, V, NONE, NONE, 0),
	[0xac] = ROW(lods, BYTE, NONE, NONE, 0),
	[0xad] = ROW(lods, V, NONE, NONE, 0),
	[0xae] = ROW(scas, BYTE, NONE, NONE, 0),
	[0xaf] = ROW(scas, V, NONE, NONE, 0),
	[0xb0 ... 0xb7] = ROW(mov, BYTE, REG_IMM, B, L3),
	[0xb8 ... 0xbf] = ROW(mov, V, REG_IMM, V, L3),
	[0xc0] = GROUP(GROUP_2_C0),
	[0xc1] = GROUP(GROUP_2_C1),
	[0xc2] = ROW(ret, V, IMM, W, 0),
	[0xc3] = ROW(ret, V, NONE, NONE, 0),
	[0xc4] = ROW_EXTRA(load_far, V, REG_RM, NONE, MM, CTX_ES),
	[0xc5] = ROW_EXTRA(load_far, V, REG_RM, NONE, MM, CTX_DS),
	[0xc6] = GROUP(GROUP_11_C6),
	[0xc7] = GROUP(GROUP_11_C7),
	[0xc8] = ROW(enter, V, IMM, WB, 0),
	[0xc9] = ROW(leave, V, NONE, NONE, 0),
	[0xca] = ROW(retf, V, IMM, W, 0),
	[0xcb] = ROW(retf, V, NONE, NONE, 0),
	[0xcc] = ROW(int3, V, NONE, NONE, 0),
	[0xcd] = ROW(int, V, IMM, B, 0),
	[0xce] = ROW(into, V, NONE, NONE, 0),
	[0xcf] = ROW(iret, V, NONE, NONE, 0),
	[0xd0] = GROUP(GROUP_2_D0),
	[0xd1] = GROUP(GROUP_2_D1),
	[0xd2] = GROUP(GROUP_2_D2),
	[0xd3] = GROUP(GROUP_2_D3),
	[0xd4] = ROW(aam, BYTE, IMM, B, 0),
	[0xd5] = ROW(aad, BYTE, IMM, B, 0),
	[0xd6] = ROW(salc, BYTE, NONE, NONE, 0),
	[0xd7] = ROW(xlat, BYTE, NONE, NONE, 0),
	[0xd8 ... 0xdf] = ROW(x87, V, RM, NONE, M),
	[0xe0] = ROW(loopne, V, IMM, BS, 0),
	[0xe1] = ROW(loope, V, IMM, BS, 0),
	[0xe2] = ROW(loop, V, IMM, BS, 0),
	[0xe3] = ROW(jcxz, V, IMM, BS, 0),
	[0xe4] = ROW(in, BYTE, IMM, B, 0),
	[0xe5] = ROW(in, V, IMM, B, 0),
	[0xe6] = ROW(out, BYTE, IMM, B, 0),
	[0xe7] = ROW(out, V, IMM, B, 0),
	[0xe8] = ROW(call, V, IMM, V, 0),
	[0xe9] = ROW(jmp, V, IMM, V, 0),
	[0xea] = ROW(jmp_far, V, FAR, FAR, 0),
	[0xeb] = ROW(jmp, V, IMM, BS, 0),
	[0xec] = ROW(in, BYTE, NONE, NONE, 0),
	[0xed] = ROW(in, V, NONE, NONE, 0),
	[0xee] = ROW(out, BYTE, NONE, NONE, 0),
	[0xef] = ROW(out, V, NONE, NONE, 0),
	[0xf1] = ROW(int1, V, NONE, NONE, 0),
	[0xf4] = ROW(hlt, V, NONE, NONE, 0),
	[0xf5] = ROW(cmc, V, NONE, NONE, 0),
	[0xf6] = GROUP(GROUP_3_F6),
	[0xf7] = GROUP(GROUP_3_F7),
	[0xf8] = ROW(clc, V, NONE, NONE, 0),
	[0xf9] = ROW(stc, V, NONE, NONE, 0),
	[0xfa] = ROW(cli, V, NONE, NONE, 0),
	[0xfb] = ROW(sti, V, NONE, NONE, 0),
	[0xfc] = ROW(cld, V, NONE, NONE, 0),
	[0xfd] = ROW(std, V, NONE, NONE, 0),
	[0xfe] = GROUP(GROUP_4),
	[0xff] = GROUP(GROUP_5),
};

#define SSE_ROW ROW_CPU(sse, V, RM, NONE, M, P6)
#define SSE_IMM ROW_CPU(sse, V, RM, B, M, P6)

static const struct opcode two_bytes[256] = {
	[0x00] = GROUP(GROUP_6),
	[0x01] = GROUP(GROUP_7),
	[0x02] = ROW(lar, V, REG_RM, NONE, M),
	[0x03] = ROW(lsl, V, REG_RM, NONE, M),
	[0x06] = ROW(clts, V, NONE, NONE, 0),
	[0x08] = ROW_CPU(invd, V, NONE, NONE, 0, 486),
	[0x09] = ROW_CPU(invd, V, NONE, NONE, 0, 486),
	[0x0b] = ROW(ud, V, NONE, NONE, 0),
	[0x10 ... 0x17] = SSE_ROW,
	[0x18 ... 0x1f] = ROW_CPU(nop, V, RM, NONE, M, P6),
	[0x20] = ROW(mov_from_cr, DWORD, RM_REG, NONE, M | OPCODE_REGISTER),
	[0x21] = ROW(mov_from_dr, DWORD, RM_REG, NONE, M | OPCODE_REGISTER),
	[0x22] = ROW(mov_to_cr, DWORD, RM_REG, NONE, M | OPCODE_REGISTER),
	[0x23] = ROW(mov_to_dr, DWORD, RM_REG, NONE, M | OPCODE_REGISTER),
	[0x24] = ROW(mov_from_tr, DWORD, RM_REG, NONE, M | OPCODE_REGISTER),
	[0x26] = ROW(mov_to_tr, DWORD, RM_REG, NONE, M | OPCODE_REGISTER),
	[0x28 ... 0x2f] = SSE_ROW,
	[0x30] = ROW_CPU(wrmsr, V, NONE, NONE, 0, PENTIUM),
	[0x31] = ROW_CPU(rdtsc, V, NONE, NONE, 0, PENTIUM),
	[0x32] = ROW_CPU(rdmsr, V, NONE, NONE, 0, PENTIUM),
	[0x33] = ROW_CPU(rdpmc, V, NONE, NONE, 0, P6),
	[0x34] = ROW_CPU(sysenter, V, NONE, NONE, 0, P6),
	[0x35] = ROW_CPU(sysexit, V, NONE, NONE, 0, P6),
	[0x40 ... 0x4f] = ROW_CPU(cmov, V, REG_RM, NONE, M | CC, P6),
	[0x50 ... 0x6f] = SSE_ROW,
	[0x70 ... 0x73] = SSE_IMM,
	[0x74 ... 0x76] = SSE_ROW,
	[0x77] = ROW_CPU(sse, V, NONE, NONE, 0, P6),
	[0x7e ... 0x7f] = SSE_ROW,
	[0x80 ... 0x8f] = ROW(jcc, V, IMM, V, CC),
	[0x90 ... 0x9f] = ROW(setcc, BYTE, RM, NONE, M | CC),
	[0xa0] = ROW(push_sreg, V, NONE, NONE, SR),
	[0xa1] = ROW(pop_sreg, V, NONE, NONE, SR),
	[0xa2] = ROW_CPU(cpuid, V, NONE, NONE, 0, 486),
	[0xa3] = ROW(bt, V, RM_REG, NONE, M),
	[0xa4] = ROW(shld, V, REG_RM_IMM, B, M),
	[0xa5] = ROW(shld, V, RM_REG, NONE, M),
	[0xa8] = ROW(push_sreg, V, NONE, NONE, SR),
	[0xa9] = ROW(pop_sreg, V, NONE, NONE, SR),
	[0xaa] = ROW_CPU(rsm, V, NONE, NONE, 0, PENTIUM),
	[0xab] = ROW(bts, V, RM_REG, NONE, M),
	[0xac] = ROW(shrd, V, REG_RM_IMM, B, M),
	[0xad] = ROW(shrd, V, RM_REG, NONE, M),
	[0xae] = SSE_ROW,
	[0xaf] = ROW(imul, V, REG_RM, NONE, M),
	[0xb0] = ROW_CPU(cmpxchg, BYTE, RM_REG, NONE, M, 486),
	[0xb1] = ROW_CPU(cmpxchg, V, RM_REG, NONE, M, 486),
	[0xb2] = ROW_EXTRA(load_far, V, REG_RM, NONE, MM, CTX_SS),
	[0xb3] = ROW(btr, V, RM_REG, NONE, M),
	[0xb4] = ROW_EXTRA(load_far, V, REG_RM, NONE, MM, CTX_FS),
	[0xb5] = ROW_EXTRA(load_far, V, REG_RM, NONE, MM, CTX_GS),
	[0xb6] = ROW(movzx_b, V, REG_RM, NONE, M),
	[0xb7] = ROW(movzx_w, V, REG_RM, NONE, M),
	[0xb9] = ROW(ud, V, RM, NONE, M),
	[0xba] = GROUP(GROUP_8),
	[0xbb] = ROW(btc, V, RM_REG, NONE, M),
	[0xbc] = ROW(bsf, V, REG_RM, NONE, M),
	[0xbd] = ROW(bsr, V, REG_RM, NONE, M),
	[0xbe] = ROW(movsx_b, V, REG_RM, NONE, M),
	[0xbf] = ROW(movsx_w, V, REG_RM, NONE, M),
	[0xc0] = ROW_CPU(xadd, BYTE, RM_REG, NONE, M, 486),
	[0xc1] = ROW_CPU(xadd, V, RM_REG, NONE, M, 486),
	[0xc2] = SSE_IMM,
	[0xc3] = SSE_ROW,
	[0xc4 ... 0xc6] = SSE_IMM,
	[0xc7] = GROUP(GROUP_9),
	[0xc8 ... 0xcf] = ROW_CPU(bswap, V, REG, NONE, L3, 486),
	[0xd0 ... 0xfe] = SSE_ROW,
	[0xff] = ROW(ud, V, RM, NONE, M),
};

const struct opcode *opcode_find(unsigned two_byte, uint8_t opcode, uint8_t modrm)
{
	const struct opcode *row = two_byte ? &two_bytes[opcode] : &one_byte[opcode];
	if (row->flags & OPCODE_GROUP)
		row = &groups[row->op][modrm >> 3 & 7];
	return row->defined ? row : NULL;
}

int opcode_has_modrm(unsigned two_byte, uint8_t opcode)
{
	const struct opcode *row = two_byte ? &two_bytes[opcode] : &one_byte[opcode];
	return row->flags & OPCODE_MODRM;
}
