/* Pending flags: noting them, and getting at single ones. */
#include "emu/jit_internal.h"

#include "emu/flags.h"

/* --- settling ----------------------------------------------------------------------- */

static void emit_cold_settle(struct jit_compiler *c, struct jit_cold *cold)
{
	asm_bind(&c->a, &cold->enter);
	asm_call(&c->a, c->jit->call_settle);
	asm_jmp(&c->a, cold->resume);
}

void jit_flags_words(struct jit_compiler *c)
{
	jit_flags_store(c);
	if (c->flags.op.kind == KIND_UNKNOWN) {
		struct jit_cold *cold = jit_cold_new(c, emit_cold_settle);
		asm_alu_mem_imm(&c->a, 1, ALU_CMP, EMU_FIELD(lazy.kind), KIND_WORDS);
		asm_jcc_label(&c->a, CC_NE, &cold->enter);
		cold->resume = c->a.at;
	} else if (c->flags.op.kind != KIND_WORDS) {
		asm_call(&c->a, c->jit->call_settle);
	}
	jit_flags_forget(c);
	c->flags.op.kind = KIND_WORDS;
}

/* --- the host's flags ------------------------------------------------------------------ */

static unsigned kind_of(const struct jit_compiler *c) { return c->flags.op.kind; }
static bool is_pending(const struct jit_compiler *c) { return kind_of(c) != KIND_WORDS && kind_of(c) != KIND_UNKNOWN; }

/* Does the operation of this kind give the host the guest's CF as well? */
static bool carries(const struct jit_compiler *c) { return is_pending(c) && kind_of(c) > KIND_CF_IN_WORD; }

bool jit_carry_at_hand(const struct jit_compiler *c)
{
	return c->host_flags && (carries(c) || c->flags.carry_from == CARRY_HOST);
}

static bool repeats(const struct jit_compiler *c) { return c->host_flags || kind_of(c) < KIND_ADC; }

/* Both operands in registers, or one in the instruction? */
static bool repeat_from_registers(struct jit_compiler *c)
{
	const struct jit_operation *op = &c->flags.op;
	bool compares = jit_is_kind(op->kind, KIND_CMP), tests = jit_is_kind(op->kind, KIND_TEST);
	unsigned size;
	if (!c->flags.late || op->r == NOREG || !(compares || tests) || (!op->has_imm && op->b == NOREG))
		return false;
	size = jit_kind_size(op->kind);
	if (op->has_imm && compares)
		asm_alu_imm(&c->a, size, ALU_CMP, op->r, op->imm);
	else if (op->has_imm)
		asm_test_imm(&c->a, size, op->r, op->imm);
	else if (compares)
		asm_alu(&c->a, size, ALU_CMP, op->r, op->b);
	else
		asm_test(&c->a, size, op->r, op->b);
	return true;
}

/* Does the pending operation once more for its flags. */
static void repeat_operation(struct jit_compiler *c)
{
	if (!repeat_from_registers(c)) {
		jit_flags_store(c);
		jit_repeat(&c->a, kind_of(c), false);
	}
	c->host_flags = true;
}

void jit_flags_host(struct jit_compiler *c)
{
	jit_flags_store(c);
	if (is_pending(c) && kind_of(c) != KIND_EFLAGS && !jit_is_shift(kind_of(c)))
		jit_repeat(&c->a, kind_of(c), true);
	else
		asm_call(&c->a, c->jit->flags);
}

void jit_flags_image(struct jit_compiler *c)
{
	struct jit_asm *a = &c->a;
	if (kind_of(c) == KIND_EFLAGS) {
		asm_load(a, 4, R10, EMU_FIELD(lazy.r));
	} else {
		jit_flags_host(c);
		asm_byte(a, 0x9c); /* pushfq */
		asm_pop(a, R10);
	}
	asm_alu_imm(a, 4, ALU_AND, R10, FLAGS_ARITH);
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
	if (kind_of(c) != KIND_UNKNOWN || !c->host_flags)
		jit_flags_host(c);
	c->host_flags = true;
	return cc;
}

/* ZF, SF and PF are the result's; CF is the host's right behind the shift, then the
 * word's. The host's OF is another. */
static unsigned condition_of_shift(struct jit_compiler *c, unsigned cc)
{
	const struct jit_operation *op = &c->flags.op;
	unsigned which = cc >> 1, size = jit_kind_size(op->kind);
	if (c->host_flags && (which == 1 || which == 2 || which == 4))
		return cc;
	if (which == 1 && c->flags.carry_from == CARRY_WORD) {
		asm_alu_mem_imm(&c->a, 4, ALU_CMP, EMU_FIELD(flag_carry), 0);
		return CC_S + (cc & 1);
	}
	if (which != 2 && which != 4)
		return condition_of_host(c, cc);
	if (op->r != NOREG)
		asm_test(&c->a, size, op->r, op->r);
	else
		asm_alu_mem_imm(&c->a, size, ALU_CMP, EMU_FIELD(lazy.r), 0);
	return cc;
}

unsigned jit_condition(struct jit_compiler *c, unsigned cc)
{
	if (kind_of(c) == KIND_WORDS)
		return condition_of_words(c, cc);
	if (jit_is_shift(kind_of(c)))
		return condition_of_shift(c, cc);
	if (!is_pending(c) || !repeats(c) || (!carries(c) && needs_carry(cc)))
		return condition_of_host(c, cc);
	if (!c->host_flags)
		repeat_operation(c);
	return cc;
}

/* --- carry ------------------------------------------------------------------------------- */

void jit_save_carry(struct jit_compiler *c)
{
	asm_alu(&c->a, 4, ALU_SBB, R10, R10);
	asm_store(&c->a, 4, EMU_FIELD(flag_carry), R10);
	c->host_flags = false;
}

static void emit_cold_carry(struct jit_compiler *c, struct jit_cold *cold)
{
	asm_bind(&c->a, &cold->enter);
	asm_call(&c->a, c->jit->flags);
	jit_save_carry(c);
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
	unsigned kind = kind_of(c);
	if (kind == KIND_UNKNOWN) {
		carry_of_unknown(c);
	} else if (kind <= KIND_CF_IN_WORD) {
		jit_flags_store_carry(c);
	} else if (jit_is_kind(kind, KIND_LOGIC) || jit_is_kind(kind, KIND_TEST)) {
		asm_store_imm(&c->a, 4, EMU_FIELD(flag_carry), 0);
	} else {
		if (!c->host_flags)
			jit_flags_host(c);
		jit_save_carry(c);
	}
}
