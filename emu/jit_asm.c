#include "emu/jit_asm.h"

static int is_high(unsigned reg) { return reg & HIGH; }
static unsigned number(unsigned reg) { return is_high(reg) ? (reg & 3) + 4 : reg; }

/* SPL..DIL need a REX prefix to be named at all. */
static int needs_rex(unsigned size, unsigned reg) { return size == 1 && !is_high(reg) && reg >= RSP && reg < R8; }

static void opcode_bytes(struct jit_asm *a, unsigned size, unsigned opcode)
{
	if (size == 1)
		opcode--;
	if (opcode > 0xff)
		asm_byte(a, opcode >> 8);
	asm_byte(a, opcode & 0xff);
}

/* `byte_reg`: the reg field names a byte register too. */
static void prefixes(struct jit_asm *a, unsigned size, unsigned reg, unsigned index, unsigned base, int force)
{
	unsigned rex = 0;
	if (size == 2)
		asm_byte(a, 0x66);
	if (size == 8)
		rex |= 8;
	if (!is_high(reg) && reg >= R8 && reg < NOREG)
		rex |= 4;
	if (index >= R8 && index < NOREG)
		rex |= 2;
	if (!is_high(base) && base >= R8 && base < NOREG)
		rex |= 1;
	if (rex || force)
		asm_byte(a, 0x40 | rex);
}

void asm_reg(struct jit_asm *a, unsigned size, unsigned opcode, unsigned reg, unsigned rm)
{
	/* Where the reg field extends the opcode, 4 to 7 are no SPL..DIL; there a REX does no harm. */
	prefixes(a, size, reg, NOREG, rm, !is_high(rm) && !is_high(reg) && (needs_rex(size, rm) || needs_rex(size, reg)));
	opcode_bytes(a, size, opcode);
	asm_byte(a, 0xc0 | (number(reg) & 7) << 3 | (number(rm) & 7));
}

static void modrm_sib(struct jit_asm *a, unsigned reg, struct host_mem mem)
{
	unsigned mod, field = (number(reg) & 7) << 3;
	if (mem.base == NOREG) { /* [index << scale + disp32] or absolute */
		asm_byte(a, field | 4);
		asm_byte(a, mem.scale << 6 | (mem.index == NOREG ? 4 : mem.index & 7) << 3 | 5);
		asm_32(a, (uint32_t)mem.disp);
		return;
	}
	if (mem.disp == 0 && (mem.base & 7) != 5)
		mod = 0;
	else
		mod = mem.disp >= -128 && mem.disp < 128 ? 1 : 2;
	if (mem.index != NOREG || (mem.base & 7) == 4) {
		asm_byte(a, mod << 6 | field | 4);
		asm_byte(a, mem.scale << 6 | (mem.index == NOREG ? 4 : mem.index & 7) << 3 | (mem.base & 7));
	} else {
		asm_byte(a, mod << 6 | field | (mem.base & 7));
	}
	if (mod == 1)
		asm_byte(a, (uint8_t)mem.disp);
	else if (mod == 2)
		asm_32(a, (uint32_t)mem.disp);
}

void asm_mem(struct jit_asm *a, unsigned size, unsigned opcode, unsigned reg, struct host_mem mem)
{
	prefixes(a, size, reg, mem.index, mem.base, needs_rex(size, reg));
	opcode_bytes(a, size, opcode);
	modrm_sib(a, reg, mem);
}

static int fits_byte(unsigned size, uint32_t imm)
{
	if (size == 2)
		imm = (uint32_t)(int16_t)imm;
	return (int32_t)imm >= -128 && (int32_t)imm < 128;
}

static void immediate(struct jit_asm *a, unsigned size, uint32_t imm)
{
	asm_bytes(a, &imm, size == 8 ? 4 : size);
}

void asm_alu_imm(struct jit_asm *a, unsigned size, enum host_alu op, unsigned to, uint32_t imm)
{
	if (size > 1 && fits_byte(size, imm)) {
		asm_reg(a, size, 0x83, op, to);
		asm_byte(a, imm & 0xff);
		return;
	}
	asm_reg(a, size, 0x81, op, to);
	immediate(a, size, imm);
}

void asm_alu_mem_imm(struct jit_asm *a, unsigned size, enum host_alu op, struct host_mem mem, uint32_t imm)
{
	if (size > 1 && fits_byte(size, imm)) {
		asm_mem(a, size, 0x83, op, mem);
		asm_byte(a, imm & 0xff);
		return;
	}
	asm_mem(a, size, 0x81, op, mem);
	immediate(a, size, imm);
}

void asm_test_imm(struct jit_asm *a, unsigned size, unsigned x, uint32_t imm)
{
	asm_reg(a, size, 0xf7, 0, x);
	immediate(a, size, imm);
}

void asm_test_mem_imm8(struct jit_asm *a, struct host_mem mem, unsigned imm)
{
	asm_mem(a, 1, 0xf7, 0, mem);
	asm_byte(a, imm);
}

void asm_mov_imm(struct jit_asm *a, unsigned size, unsigned to, uint32_t imm)
{
	asm_reg(a, size, 0xc7, 0, to);
	immediate(a, size, imm);
}

void asm_mov_imm64(struct jit_asm *a, unsigned to, uint64_t imm)
{
	asm_byte(a, 0x48 | (to >= R8));
	asm_byte(a, 0xb8 + (to & 7));
	asm_64(a, imm);
}

void asm_store_imm(struct jit_asm *a, unsigned size, struct host_mem mem, uint32_t imm)
{
	asm_mem(a, size, 0xc7, 0, mem);
	immediate(a, size, imm);
}

void asm_shift_imm(struct jit_asm *a, unsigned size, enum host_shift op, unsigned to, unsigned count)
{
	asm_reg(a, size, 0xc1, op, to);
	asm_byte(a, count);
}

void asm_extend(struct jit_asm *a, unsigned size, int sign, unsigned to, unsigned from)
{
	unsigned opcode = (sign ? 0x0fbe : 0x0fb6) + (size == 2);
	prefixes(a, 4, to, NOREG, from, needs_rex(size, from));
	asm_byte(a, 0x0f);
	asm_byte(a, opcode & 0xff);
	asm_byte(a, 0xc0 | (to & 7) << 3 | (number(from) & 7));
}

void asm_extend_load(struct jit_asm *a, unsigned size, int sign, unsigned to, struct host_mem mem)
{
	asm_mem(a, 4, (sign ? 0x0fbe : 0x0fb6) + (size == 2), to, mem);
}

/* --- control flow ----------------------------------------------------------------- */

static void relative(struct jit_asm *a, const uint8_t *target)
{
	asm_32(a, (uint32_t)(target - (a->at + 4)));
}

void asm_jmp(struct jit_asm *a, const uint8_t *target)
{
	asm_byte(a, 0xe9);
	relative(a, target);
}

void asm_jcc(struct jit_asm *a, unsigned cc, const uint8_t *target)
{
	asm_byte(a, 0x0f);
	asm_byte(a, 0x80 + cc);
	relative(a, target);
}

void asm_call(struct jit_asm *a, const uint8_t *target)
{
	asm_byte(a, 0xe8);
	relative(a, target);
}

static void reference(struct jit_asm *a, struct asm_label *label)
{
	if (label->refs < ASM_REFS)
		label->ref[label->refs++] = a->at;
	else
		a->full = 1;
	asm_32(a, 0);
}

void asm_jmp_label(struct jit_asm *a, struct asm_label *label)
{
	asm_byte(a, 0xe9);
	reference(a, label);
}

void asm_jcc_label(struct jit_asm *a, unsigned cc, struct asm_label *label)
{
	asm_byte(a, 0x0f);
	asm_byte(a, 0x80 + cc);
	reference(a, label);
}

void asm_bind(struct jit_asm *a, struct asm_label *label)
{
	for (unsigned i = 0; i < label->refs && !a->full; i++) {
		int32_t distance = (int32_t)(a->at - (label->ref[i] + 4));
		memcpy(label->ref[i], &distance, 4);
	}
	label->refs = 0;
}
