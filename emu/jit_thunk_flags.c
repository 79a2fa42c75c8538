/* The guest's flags as the host's: by doing the pending operation once more. */
#include "emu/jit_internal.h"

/* --- one kind, known ---------------------------------------------------------- */

/* The carry of INC and DEC is the word's, from before. */
static void repeat_step(struct jit_asm *a, unsigned kind, unsigned size, bool exact)
{
	bool up = jit_is_kind(kind, KIND_INC);
	asm_alu_imm(a, 4, up ? ALU_SUB : ALU_ADD, R10, 1);
	if (exact) {
		asm_mem(a, 4, 0x0fba, 4, EMU_FIELD(flag_carry)); /* bt */
		asm_byte(a, 31);
	}
	if (up)
		asm_inc(a, size, R10);
	else
		asm_dec(a, size, R10);
}

static void repeat_logic(struct jit_asm *a, unsigned kind, unsigned size, bool exact)
{
	if (jit_is_kind(kind, KIND_TEST) && !exact) {
		asm_mem(a, size, 0x85, R10, EMU_FIELD(lazy.b));
		return;
	}
	if (jit_is_kind(kind, KIND_TEST))
		asm_alu_load(a, 4, ALU_AND, R10, EMU_FIELD(lazy.b));
	asm_alu_imm(a, size, ALU_CMP, R10, 0); /* unlike TEST it clears AF */
}

/* The carry that came in is what is left of result and operands. */
static void repeat_with_carry(struct jit_asm *a, bool sub, unsigned size)
{
	asm_load(a, 4, R10, sub ? EMU_FIELD(lazy.a) : EMU_FIELD(lazy.r));
	asm_alu_load(a, 4, ALU_SUB, R10, sub ? EMU_FIELD(lazy.r) : EMU_FIELD(lazy.a));
	asm_alu_load(a, 4, ALU_SUB, R10, EMU_FIELD(lazy.b));
	asm_load(a, 4, R9, EMU_FIELD(lazy.a));
	asm_reg(a, 4, 0x0fba, 4, R10); /* bt */
	asm_byte(a, 0);
	asm_alu_load(a, size, sub ? ALU_SBB : ALU_ADC, R9, EMU_FIELD(lazy.b));
}

void jit_repeat(struct jit_asm *a, unsigned kind, bool exact)
{
	unsigned size = jit_kind_size(kind);
	if (jit_is_kind(kind, KIND_ADC) || jit_is_kind(kind, KIND_SBB)) {
		repeat_with_carry(a, jit_is_kind(kind, KIND_SBB), size);
		return;
	}
	asm_load(a, 4, R10, EMU_FIELD(lazy.r));
	if (jit_is_kind(kind, KIND_ADD)) {
		asm_alu_load(a, 4, ALU_SUB, R10, EMU_FIELD(lazy.b));
		asm_alu_load(a, size, ALU_ADD, R10, EMU_FIELD(lazy.b));
	} else if (jit_is_kind(kind, KIND_SUB)) {
		asm_load(a, 4, R9, EMU_FIELD(lazy.b));
		asm_alu(a, 4, ALU_ADD, R10, R9);
		asm_alu(a, size, ALU_CMP, R10, R9);
	} else if (jit_is_kind(kind, KIND_CMP)) {
		asm_alu_load(a, size, ALU_CMP, R10, EMU_FIELD(lazy.b));
	} else if (jit_is_kind(kind, KIND_INC) || jit_is_kind(kind, KIND_DEC)) {
		repeat_step(a, kind, size, exact);
	} else {
		repeat_logic(a, kind, size, exact);
	}
}

/* --- any kind ------------------------------------------------------------------- */

/* OF is bit 0 of R10, the others are AH as SAHF wants them; RAX was pushed. */
static void load_flags(struct jit_asm *a)
{
	asm_alu_imm(a, 1, ALU_ADD, R10, 0x7f); /* overflows from 1 */
	asm_byte(a, 0x9e); /* sahf: all but OF */
	asm_pop(a, RAX);
	asm_ret(a);
}

static void flags_of_eflags(struct jit_asm *a)
{
	asm_push(a, RAX);
	asm_load(a, 4, RAX, EMU_FIELD(lazy.r));
	asm_mov(a, 4, R10, RAX);
	asm_shift_imm(a, 4, SHIFT_SHR, R10, 11);
	asm_alu_imm(a, 4, ALU_AND, R10, 1);
	asm_shift_imm(a, 4, SHIFT_SHL, RAX, 8);
	load_flags(a);
}

/* The sign of the result, which is in R9. */
static void sign_bit(struct jit_asm *a, unsigned size)
{
	asm_mov(a, 4, R10, R9);
	asm_shift_imm(a, 4, SHIFT_SHR, R10, 8 * size - 1);
}

/* What the last single step gives: CF ^ the sign; the bit below the top; 0. */
static void overflow_of_shift(struct jit_asm *a, unsigned kind, unsigned size)
{
	if (jit_is_kind(kind, KIND_SHL)) {
		sign_bit(a, size);
		asm_load(a, 4, R9, EMU_FIELD(flag_carry));
		asm_shift_imm(a, 4, SHIFT_SHR, R9, 31);
		asm_alu(a, 4, ALU_XOR, R10, R9);
	} else if (jit_is_kind(kind, KIND_SHR)) {
		asm_shift_imm(a, 4, SHIFT_SHL, R9, 1);
		sign_bit(a, size);
	} else {
		asm_mov_imm(a, 4, R10, 0);
	}
	asm_alu_imm(a, 4, ALU_AND, R10, 1);
}

/* CF is in the word, the others are the result's. */
static void flags_of_shift(struct jit_asm *a, unsigned kind)
{
	unsigned size = jit_kind_size(kind);
	asm_push(a, RAX);
	asm_load(a, 4, R9, EMU_FIELD(lazy.r));
	asm_alu_imm(a, size, ALU_CMP, R9, 0); /* clears AF and CF */
	asm_byte(a, 0x9f); /* lahf */
	overflow_of_shift(a, kind, size);
	asm_load(a, 4, R9, EMU_FIELD(flag_carry));
	asm_shift_imm(a, 4, SHIFT_SHR, R9, 31);
	asm_shift_imm(a, 4, SHIFT_SHL, R9, 8);
	asm_alu(a, 4, ALU_OR, RAX, R9);
	load_flags(a);
}

/* ORs R9's low bit, moved up by `shift`, into EAX. */
static void join_bit(struct jit_asm *a, unsigned shift)
{
	asm_extend(a, 1, 0, R9, R9);
	asm_shift_imm(a, 4, SHIFT_SHL, R9, shift);
	asm_alu(a, 4, ALU_OR, RAX, R9);
}

/* As flags_get(). */
static void flags_of_words(struct jit_asm *a)
{
	asm_push(a, RAX);
	asm_load(a, 4, RAX, EMU_FIELD(flag_carry));
	asm_mov(a, 4, R9, RAX);
	asm_lea(a, 4, R10, mem_sum(RAX, RAX));
	asm_alu(a, 4, ALU_XOR, R10, RAX);
	asm_shift_imm(a, 4, SHIFT_SHR, R10, 31);
	asm_alu_imm(a, 4, ALU_AND, RAX, 8);
	asm_alu(a, 4, ALU_ADD, RAX, RAX);
	asm_shift_imm(a, 4, SHIFT_SHR, R9, 31);
	asm_alu(a, 4, ALU_OR, RAX, R9);
	asm_alu_mem_imm(a, 4, ALU_CMP, EMU_FIELD(flag_zero), 0);
	asm_setcc(a, CC_E, R9);
	join_bit(a, 6);
	asm_alu_mem_imm(a, 4, ALU_CMP, EMU_FIELD(flag_sign), 0);
	asm_setcc(a, CC_S, R9);
	join_bit(a, 7);
	asm_test_mem_imm8(a, EMU_FIELD(flag_sign), 0xff);
	asm_setcc(a, CC_P, R9);
	join_bit(a, 2);
	asm_shift_imm(a, 4, SHIFT_SHL, RAX, 8);
	load_flags(a);
}

/* By a table of addresses that lies in front of it. */
void jit_thunk_flags(struct jit *jit, struct jit_asm *a)
{
	const void *table[KIND_EFLAGS + 1];
	uint8_t *at;
	for (unsigned kind = 0; kind <= KIND_EFLAGS; kind++) {
		table[kind] = jit_code_run(jit, a->at);
		if (kind == KIND_WORDS) {
			flags_of_words(a);
		} else if (kind == KIND_EFLAGS) {
			flags_of_eflags(a);
		} else if (jit_is_shift(kind)) {
			flags_of_shift(a, kind);
		} else {
			jit_repeat(a, kind, true);
			asm_ret(a);
		}
	}
	at = a->at;
	asm_bytes(a, table, sizeof table);
	jit->flags = a->at;
	asm_extend_load(a, 1, 0, R9, EMU_FIELD(lazy.kind));
	asm_mov_imm64(a, R10, (uint64_t)(uintptr_t)jit_code_run(jit, at));
	asm_jmp_mem(a, (struct host_mem){ R10, R9, 3, 0 });
}
