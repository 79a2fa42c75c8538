/* Pending flags: noting them, and getting at single ones. */
#include "emu/jit_internal.h"

#include "emu/flags.h"

/* --- noting ---------------------------------------------------------------------- */

static void store_word(struct jit_compiler *c, size_t offset, unsigned reg)
{
	if (reg & HIGH) /* the byte lands where the word begins */
		asm_store(&c->a, 4, emu_field(offset - 1), reg & ~(unsigned)HIGH);
	else
		asm_store(&c->a, 4, emu_field(offset), reg);
}

void jit_flags_operand(struct jit_compiler *c, unsigned reg, uint32_t imm)
{
	if (reg == NOREG)
		asm_store_imm(&c->a, 4, EMU_FIELD(lazy.b), imm);
	else
		store_word(c, offsetof(struct emu, lazy.b), reg);
}

void jit_flags_result(struct jit_compiler *c, enum jit_kind kind, unsigned size, unsigned reg)
{
	unsigned sized = kind_sized(kind, size);
	store_word(c, offsetof(struct emu, lazy.r), reg);
	asm_store_imm(&c->a, 1, EMU_FIELD(lazy.kind), sized);
	c->kind = sized;
	c->host_flags = true;
}

/* The words were written by the code itself. */
void jit_flags_set_words(struct jit_compiler *c)
{
	asm_store_imm(&c->a, 1, EMU_FIELD(lazy.kind), KIND_WORDS);
	c->kind = KIND_WORDS;
	c->host_flags = false;
}

/* --- settling ----------------------------------------------------------------------- */

static void emit_cold_settle(struct jit_compiler *c, struct jit_cold *cold)
{
	asm_bind(&c->a, &cold->enter);
	asm_call(&c->a, c->jit->call_settle);
	asm_jmp(&c->a, cold->resume);
}

void jit_flags_words(struct jit_compiler *c)
{
	if (c->kind == KIND_UNKNOWN) {
		struct jit_cold *cold = jit_cold_new(c, emit_cold_settle);
		asm_alu_mem_imm(&c->a, 1, ALU_CMP, EMU_FIELD(lazy.kind), KIND_WORDS);
		asm_jcc_label(&c->a, CC_NE, &cold->enter);
		cold->resume = c->a.at;
	} else if (c->kind != KIND_WORDS) {
		asm_call(&c->a, c->jit->call_settle);
	}
	c->kind = KIND_WORDS;
	c->host_flags = false;
}

/* --- the host's flags ------------------------------------------------------------------ */

static bool is_kind(const struct jit_compiler *c, enum jit_kind kind) { return c->kind >= kind && c->kind < kind + 3u; }

/* Does the operation of this kind give the host the guest's CF as well? */
static bool carries(const struct jit_compiler *c)
{
	return c->kind != KIND_WORDS && c->kind != KIND_UNKNOWN && c->kind > KIND_CF_IN_WORD;
}

static bool repeats(const struct jit_compiler *c) { return c->host_flags || c->kind < KIND_ADC; }

/* Does the pending operation once more for its flags. */
static void repeat_operation(struct jit_compiler *c)
{
	jit_repeat(&c->a, c->kind, false);
	c->host_flags = true;
}

static bool is_pending(const struct jit_compiler *c) { return c->kind != KIND_WORDS && c->kind != KIND_UNKNOWN; }

void jit_flags_host(struct jit_compiler *c)
{
	if (is_pending(c) && c->kind != KIND_EFLAGS)
		jit_repeat(&c->a, c->kind, true);
	else
		asm_call(&c->a, c->jit->flags);
}

void jit_flags_image(struct jit_compiler *c)
{
	struct jit_asm *a = &c->a;
	if (c->kind == KIND_EFLAGS) {
		asm_load(a, 4, R10, EMU_FIELD(lazy.r));
	} else {
		jit_flags_host(c);
		asm_byte(a, 0x9c); /* pushfq */
		asm_pop(a, R10);
	}
	asm_alu_imm(a, 4, ALU_AND, R10, FLAGS_ARITH);
	c->host_flags = false;
}

void jit_flags_set_image(struct jit_compiler *c)
{
	asm_store(&c->a, 4, EMU_FIELD(lazy.r), R10);
	asm_store_imm(&c->a, 1, EMU_FIELD(lazy.kind), KIND_EFLAGS);
	c->kind = KIND_EFLAGS;
	c->host_flags = false;
}

/* --- conditions -------------------------------------------------------------------------- */

/* OF in the sign of R10. */
static void overflow_word(struct jit_compiler *c)
{
	asm_load(&c->a, 4, R10, EMU_FIELD(flag_carry));
	asm_lea(&c->a, 4, R9, mem_sum(R10, R10));
	asm_alu(&c->a, 4, ALU_XOR, R10, R9);
}

/* ZF once the sign of R10 has been folded in: 0 when either holds. */
static void or_zero(struct jit_compiler *c)
{
	struct jit_asm *a = &c->a;
	asm_shift_imm(a, 4, SHIFT_SAR, R10, 31);
	asm_unary(a, 4, UNARY_NOT, R10);
	asm_alu_load(a, 4, ALU_AND, R10, EMU_FIELD(flag_zero));
}

static unsigned condition_of_words(struct jit_compiler *c, unsigned cc)
{
	struct jit_asm *a = &c->a;
	unsigned negate = cc & 1;
	switch (cc >> 1) {
	case 0:
		overflow_word(c);
		return CC_S + negate;
	case 1:
		asm_alu_mem_imm(a, 4, ALU_CMP, EMU_FIELD(flag_carry), 0);
		return CC_S + negate;
	case 2:
		asm_alu_mem_imm(a, 4, ALU_CMP, EMU_FIELD(flag_zero), 0);
		return CC_E + negate;
	case 3:
		asm_load(a, 4, R10, EMU_FIELD(flag_carry));
		or_zero(c);
		return CC_E + negate;
	case 4:
		asm_alu_mem_imm(a, 4, ALU_CMP, EMU_FIELD(flag_sign), 0);
		return CC_S + negate;
	case 5:
		asm_test_mem_imm8(a, EMU_FIELD(flag_sign), 0xff);
		return CC_P + negate;
	case 6:
		overflow_word(c);
		asm_alu_load(a, 4, ALU_XOR, R10, EMU_FIELD(flag_sign));
		return CC_S + negate;
	default:
		overflow_word(c);
		asm_alu_load(a, 4, ALU_XOR, R10, EMU_FIELD(flag_sign));
		or_zero(c);
		return CC_E + negate;
	}
}

static bool needs_carry(unsigned cc) { return cc >> 1 == 1 || cc >> 1 == 3; }

/* Of flags that are the host's already, or can be had with all of them. */
static unsigned condition_of_host(struct jit_compiler *c, unsigned cc)
{
	if (c->kind != KIND_UNKNOWN || !c->host_flags)
		jit_flags_host(c);
	c->host_flags = true;
	return cc;
}

/* Right behind a shift, without the way through memory. */
static bool condition_of_shift(struct jit_compiler *c, unsigned *cc)
{
	unsigned which = *cc >> 1;
	if (c->kind != KIND_WORDS || c->words_at != c->a.at || (which != 1 && which != 2 && which != 4))
		return false;
	if (which == 1) {
		asm_test(&c->a, 4, R10, R10);
		*cc = CC_S + (*cc & 1);
	} else {
		asm_test(&c->a, c->words_size, c->words_reg, c->words_reg);
	}
	return true;
}

unsigned jit_condition(struct jit_compiler *c, unsigned cc)
{
	if (condition_of_shift(c, &cc))
		return cc;
	if (c->kind == KIND_WORDS)
		return condition_of_words(c, cc);
	if (!is_pending(c) || !repeats(c) || (!carries(c) && needs_carry(cc)))
		return condition_of_host(c, cc);
	if (!c->host_flags)
		repeat_operation(c);
	return cc;
}

/* --- carry ------------------------------------------------------------------------------- */

static void store_carry(struct jit_compiler *c)
{
	asm_alu(&c->a, 4, ALU_SBB, R10, R10);
	asm_store(&c->a, 4, EMU_FIELD(flag_carry), R10);
}

static void emit_cold_carry(struct jit_compiler *c, struct jit_cold *cold)
{
	asm_bind(&c->a, &cold->enter);
	asm_call(&c->a, c->jit->flags);
	store_carry(c);
	asm_jmp(&c->a, cold->resume);
}

/* Pending flags do not use the word, except those that have their carry there. */
static void carry_of_unknown(struct jit_compiler *c)
{
	struct jit_cold *cold = jit_cold_new(c, emit_cold_carry);
	asm_alu_mem_imm(&c->a, 1, ALU_CMP, EMU_FIELD(lazy.kind), KIND_CF_IN_WORD);
	asm_jcc_label(&c->a, CC_A, &cold->enter);
	cold->resume = c->a.at;
	c->host_flags = false;
}

void jit_carry_to_word(struct jit_compiler *c)
{
	if (c->kind == KIND_UNKNOWN) {
		carry_of_unknown(c);
	} else if (is_kind(c, KIND_LOGIC) || is_kind(c, KIND_TEST)) {
		asm_store_imm(&c->a, 4, EMU_FIELD(flag_carry), 0);
	} else if (carries(c)) {
		if (!c->host_flags)
			jit_flags_host(c);
		store_carry(c);
	}
}
