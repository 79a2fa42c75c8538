#include "tests/insn/vector_rules.h"

#define BOTH (CHIP_8086 | CHIP_80286)
#define ARITHMETIC (CTX_EFLAGS_OF | CTX_EFLAGS_SF | CTX_EFLAGS_ZF | CTX_EFLAGS_AF | CTX_EFLAGS_PF | CTX_EFLAGS_CF)
#define FAULT(number) { OUTCOME_FAULT, number, 0, 0 }
#define PARTLY(flags, regs) { OUTCOME_PARTLY, 0, flags, regs }
#define SKIP { OUTCOME_SKIP, 0, 0, 0 }

#define INDEXES (1u << MOO_CX | 1u << MOO_SI | 1u << MOO_DI)

enum { DE = 0, UD = 6, SS = 12, GP = 13 };

static bool is_group(const struct vector *vector, uint8_t opcode, unsigned reg)
{
	return vector->opcode == opcode && vector->reg == reg;
}

/* --- LOCK --------------------------------------------------------------------------- */

/* The destinations that LOCK may precede. */
static bool lockable(const struct vector *vector)
{
	uint8_t opcode = vector->opcode;
	if (!vector->is_memory)
		return false;
	if (opcode < 0x38)
		return (opcode & 7) < 2;
	if (opcode >= 0x80 && opcode <= 0x83)
		return vector->reg != 7;
	if (opcode == 0x86 || opcode == 0x87)
		return true;
	if ((opcode & 0xfe) == 0xf6)
		return vector->reg == 2 || vector->reg == 3;
	return (opcode & 0xfe) == 0xfe && vector->reg < 2;
}

static bool lock_undefined(const struct vector *vector)
{
	return vector->lock && !lockable(vector);
}

/* --- limits ------------------------------------------------------------------------- */

static bool crosses(uint16_t offset, unsigned size) { return offset + size > 0x10000; }

static bool operand_crosses(const struct vector *vector)
{
	return vector->is_memory && vector->size && crosses(vector->offset, vector->size);
}

/* Words that the instruction reads above SP or writes below it: by the sign. */
static int stack_words(const struct vector *vector)
{
	uint8_t opcode = vector->opcode;
	switch (opcode) {
	case 0x06: case 0x0e: case 0x16: case 0x1e: case 0x68: case 0x6a: case 0x9c: case 0xe8:
		return -1;
	case 0x07: case 0x17: case 0x1f: case 0x9d: case 0x8f: case 0xc2: case 0xc3:
		return 1;
	case 0xcb: case 0xca:
		return 2;
	case 0xcf:
		return 3;
	case 0x9a:
		return -2;
	case 0xcc: case 0xcd:
		return -3;
	case 0x60:
		return -8;
	case 0x61:
		return 8;
	case 0xff:
		return vector->reg == 2 || vector->reg == 6 ? -1 : vector->reg == 3 ? -2 : 0;
	default:
		return opcode >= 0x50 && opcode < 0x58 ? -1 : opcode >= 0x58 && opcode < 0x60 ? 1 : 0;
	}
}

static bool stack_crosses(const struct vector *vector)
{
	uint16_t sp = vector->test->initial.reg[MOO_SP];
	int words = stack_words(vector);
	if (words < 0)
		return sp && sp < -words * 2 && (sp & 1);
	uint32_t odd_word = sp & 1 ? 0xffff : 0x10000;
	return words > 0 && odd_word == 0xffff && sp + words * 2 > 0x10000;
}

/* LEAVE pops BP from where BP points. */
static bool leave_crosses(const struct vector *vector)
{
	return vector->opcode == 0xc9 && vector->chip == CHIP_80286 && vector->test->initial.reg[MOO_BP] == 0xffff;
}

/* The 8086 wraps, the 80286 says interrupt 13 in both cases. */
static bool limit_met(const struct vector *vector)
{
	return vector->chip == CHIP_8086 || (vector->test->has_exception && vector->test->vector == GP);
}

static bool stack_limit(const struct vector *vector)
{
	if (!limit_met(vector))
		return false;
	if (operand_crosses(vector))
		return vector->segment == MOO_SS;
	return stack_crosses(vector) || leave_crosses(vector);
}

static bool data_limit(const struct vector *vector)
{
	return operand_crosses(vector) && vector->segment != MOO_SS;
}

static bool pop_limit(const struct vector *vector)
{
	return vector->opcode == 0x8f && data_limit(vector) && limit_met(vector);
}

static bool string_limit(const struct vector *vector)
{
	uint8_t opcode = vector->opcode;
	bool string = opcode == 0x6d || opcode == 0x6f || opcode == 0xa5 || opcode == 0xa7 ||
	              opcode == 0xab || opcode == 0xad || opcode == 0xaf;
	return string && limit_met(vector);
}

/* Words from an odd SI on end at FFFF. */
static bool string_in_stack(const struct vector *vector)
{
	uint8_t opcode = vector->opcode;
	bool source = opcode != 0x6d && opcode != 0xab && opcode != 0xaf;
	return string_limit(vector) && source && vector->segment == MOO_SS && (vector->test->initial.reg[MOO_SI] & 1);
}

static bool string_stack_once(const struct vector *vector)
{
	return string_in_stack(vector) && vector->test->initial.reg[MOO_SI] == 0xffff;
}

static bool string_stack_repeated(const struct vector *vector) { return string_in_stack(vector) && vector->repeat; }

static bool string_limit_once(const struct vector *vector) { return string_limit(vector) && !vector->repeat; }

/* Do words from `index` on meet the one at FFFF? */
static bool meets_end(const struct vector *vector, enum moo_reg index)
{
	const uint16_t *reg = vector->test->initial.reg;
	unsigned count = vector->repeat ? reg[MOO_CX] : 1, at = reg[index];
	unsigned before = reg[MOO_FLAGS] & CTX_EFLAGS_DF ? (at + 1) % 0x10000 / 2 : (0xffff - at) / 2;
	return (at & 1) && before < count;
}

static bool string_wraps(const struct vector *vector)
{
	switch (vector->opcode) {
	case 0xa5: case 0xa7: return meets_end(vector, MOO_SI) || meets_end(vector, MOO_DI);
	case 0xab: case 0xaf: return meets_end(vector, MOO_DI);
	case 0xad: return meets_end(vector, MOO_SI);
	default: return false;
	}
}

static bool fetch_limit(const struct vector *vector)
{
	return vector->test->initial.reg[MOO_IP] + vector->length > 0x10000;
}

/* --- encodings ---------------------------------------------------------------------- */

static bool ten_bytes(const struct vector *vector) { return vector->length > 10; }

static bool segment_fs_gs(const struct vector *vector)
{
	return (vector->opcode == 0x8c || vector->opcode == 0x8e) && (vector->reg == 4 || vector->reg == 5);
}

static bool segment_none(const struct vector *vector)
{
	if (vector->opcode == 0x8e && vector->reg == 1)
		return true;
	return (vector->opcode == 0x8c || vector->opcode == 0x8e) && vector->reg > 5;
}

static bool alias_row(const struct vector *vector)
{
	return (vector->opcode & 0xf0) == 0x60 || (vector->opcode & 0xf6) == 0xc0;
}

static bool register_form(const struct vector *vector)
{
	if (!vector->has_modrm || vector->is_memory)
		return false;
	return vector->opcode == 0x8d || vector->opcode == 0xc4 || vector->opcode == 0xc5 ||
	       is_group(vector, 0xff, 3) || is_group(vector, 0xff, 5);
}

static bool undefined_group(const struct vector *vector)
{
	switch (vector->opcode) {
	case 0x8f: case 0xc6: case 0xc7: return vector->reg != 0;
	case 0xfe: return vector->reg > 1;
	case 0xff: return vector->reg == 7;
	default: return false;
	}
}

static bool setmo(const struct vector *vector)
{
	return vector->opcode >= 0xd0 && vector->opcode <= 0xd3 && vector->reg == 6;
}

static bool coprocessor(const struct vector *vector)
{
	return vector->opcode >= 0xd8 && vector->opcode <= 0xdf;
}

/* The 80286 alone looks at the first word, the x87 at all of its operand. */
static bool escape_limit(const struct vector *vector)
{
	return coprocessor(vector) && operand_crosses(vector) && vector->segment != MOO_SS;
}

static bool escape_stack_limit(const struct vector *vector)
{
	return coprocessor(vector) && operand_crosses(vector) && vector->segment == MOO_SS;
}

/* --- results ------------------------------------------------------------------------- */

static bool aam_zero(const struct vector *vector)
{
	return vector->opcode == 0xd4 && vector->test->bytes->data[vector->prefixes + 1] == 0;
}

static bool daa_quirk(const struct vector *vector)
{
	uint8_t al = (uint8_t)vector->test->initial.reg[MOO_AX];
	uint16_t flags = vector->test->initial.reg[MOO_FLAGS];
	if ((flags & (CTX_EFLAGS_AF | CTX_EFLAGS_CF)) != CTX_EFLAGS_AF)
		return false;
	return (vector->opcode == 0x27 || vector->opcode == 0x2f) && ((al >= 0x9a && al <= 0x9f) || (vector->opcode == 0x2f && al < 6));
}

static bool large_count(const struct vector *vector)
{
	return (vector->opcode == 0xd2 || vector->opcode == 0xd3) && vector->test->initial.reg[MOO_CX] % 256 > 31;
}

static bool push_sp(const struct vector *vector)
{
	return vector->opcode == 0x54 || (is_group(vector, 0xff, 6) && vector->modrm == 0xf4);
}

static bool aaa_carry(const struct vector *vector)
{
	uint8_t al = (uint8_t)vector->test->initial.reg[MOO_AX];
	bool adjusts = (al & 15) > 9 || (vector->test->initial.reg[MOO_FLAGS] & CTX_EFLAGS_AF);
	return adjusts && ((vector->opcode == 0x37 && al >= 0xfa) || (vector->opcode == 0x3f && al < 6));
}

/* A few recordings have SS where CS was pushed. */
static bool pushed_ss(const struct vector *vector)
{
	const struct moo_test *test = vector->test;
	uint16_t cs = test->initial.reg[MOO_CS], ss = test->initial.reg[MOO_SS];
	unsigned found = 0, at = test->flags_address - 2;
	for (guint i = 0; test->has_exception && i < test->final.ram->len; i++) {
		const struct moo_byte *byte = &g_array_index(test->final.ram, struct moo_byte, i);
		if (byte->address == at || byte->address == at + 1)
			found += byte->value == (uint8_t)(ss >> (byte->address == at ? 0 : 8));
	}
	return cs != ss && found == 2;
}

static bool repeated_multiply(const struct vector *vector)
{
	return vector->repeat && (vector->opcode & 0xfe) == 0xf6 && vector->reg >= 4;
}

/* --- division ------------------------------------------------------------------------- */

static uint16_t operand(const struct vector *vector, bool word)
{
	static const uint8_t words[8] = { MOO_AX, MOO_CX, MOO_DX, MOO_BX, MOO_SP, MOO_BP, MOO_SI, MOO_DI };
	const uint16_t *reg = vector->test->initial.reg;
	unsigned rm = vector->modrm & 7;
	if (!vector->is_memory && word)
		return reg[words[rm]];
	if (!vector->is_memory)
		return (uint8_t)(rm & 4 ? reg[words[rm & 3]] >> 8 : reg[words[rm & 3]]);
	uint16_t selector = reg[vector->segment];
	unsigned low = vector_byte(vector, vector_address(vector, selector, vector->offset));
	unsigned high = vector_byte(vector, vector_address(vector, selector, (uint16_t)(vector->offset + 1)));
	unsigned both = word ? low | high << 8 : low;
	return (uint16_t)both;
}

static bool is_division(const struct vector *vector)
{
	return (vector->opcode & 0xfe) == 0xf6 && vector->reg >= 6;
}

/* Does a 386 raise #DE? */
static bool overflows(const struct vector *vector)
{
	const uint16_t *reg = vector->test->initial.reg;
	bool word = vector->opcode & 1;
	uint16_t divisor = operand(vector, word);
	uint32_t dividend = word ? (uint32_t)reg[MOO_DX] << 16 | reg[MOO_AX] : reg[MOO_AX];
	if (!divisor)
		return true;
	if (vector->reg == 6)
		return dividend / divisor > (word ? 0xffffu : 0xffu);
	int64_t quotient = word ? (int64_t)(int32_t)dividend / (int16_t)divisor : (int16_t)dividend / (int8_t)divisor;
	int64_t most = word ? 0x7fff : 0x7f;
	return quotient > most || quotient < -most - 1;
}

static bool division_error(const struct vector *vector) { return is_division(vector) && overflows(vector); }

static bool division_missed(const struct vector *vector)
{
	return division_error(vector) && !vector->test->has_exception;
}

static bool least_quotient(const struct vector *vector)
{
	const struct moo_state *final = &vector->test->final;
	bool raised = (final->present >> MOO_SP & 1) && final->reg[MOO_SP] == (uint16_t)(vector->test->initial.reg[MOO_SP] - 6);
	return is_division(vector) && vector->reg == 7 && raised && !overflows(vector);
}

const struct vector_rule vector_rules[] = {
	{ "segment limits", "SDM vol. 3, 20.1.1: no wrap at FFFF, code included", CHIP_8086, fetch_limit, FAULT(GP) },
	{ "LOCK", "SDM vol. 2, LOCK: #UD for what cannot be locked", BOTH, lock_undefined, FAULT(UD) },
	{ "more than 10 bytes", "SDM vol. 3, 6.15, interrupt 13: the limit is 15 bytes", CHIP_80286, ten_bytes, SKIP },
	{ "segment registers", "SDM vol. 2, table B-8: 4 and 5 are FS and GS", BOTH, segment_fs_gs, SKIP },
	{ "segment registers", "SDM vol. 2, MOV: #UD for CS, 6 and 7", BOTH, segment_none, FAULT(UD) },
	{ "undefined encodings", "SDM vol. 2, table A-2: 60-6F, C0, C1, C8, C9 are PUSHA and others", CHIP_8086, alias_row, SKIP },
	{ "undefined encodings", "SDM vol. 2, LEA, LDS, CALL, JMP: #UD for a register", CHIP_8086, register_form, FAULT(UD) },
	{ "undefined encodings", "SDM vol. 2, table A-6: groups 1A, 4, 5, 11", CHIP_8086, undefined_group, SKIP },
	{ "undefined encodings", "SDM vol. 2, table A-6: group 2, row 6", CHIP_8086, setmo, SKIP },
	{ "coprocessor", "SDM vol. 1, 8.1: there is an x87", CHIP_8086, coprocessor, SKIP },
	{ "coprocessor", "SDM vol. 3, 6.15, interrupt 13: the limit holds for all of the operand", CHIP_80286, escape_limit, FAULT(GP) },
	{ "coprocessor", "SDM vol. 3, table 20-1: interrupt 12 for the stack segment", CHIP_80286, escape_stack_limit, FAULT(SS) },
	{ "segment limits", "SDM vol. 3, 20.1.1: nor in strings", CHIP_8086, string_wraps, SKIP },
	{ "shift counts", "SDM vol. 2, SAL/SAR/SHL/SHR: five bits of CL", CHIP_8086, large_count, SKIP },
	{ "PUSH SP", "SDM vol. 2, PUSH: the value from before", CHIP_8086, push_sp, SKIP },
	{ "decimal adjustment", "SDM vol. 2, AAA, AAS: all of AX is adjusted", CHIP_8086, aaa_carry, SKIP },
	{ "decimal adjustment", "SDM vol. 2, DAA, DAS: AL is compared with 99, borrows of 6 set CF", CHIP_8086, daa_quirk, SKIP },
	{ "REP with MUL or DIV", "SDM vol. 2, REP: for strings only", CHIP_8086, repeated_multiply, SKIP },
	{ "exact faults", "SDM vol. 3, 6.4: it is CS that is pushed", CHIP_80286, pushed_ss, SKIP },
	{ "exact faults", "SDM vol. 3, 6.5: FLAGS at AAM 0 are those from before", BOTH, aam_zero, FAULT(DE) },
	{ "exact faults", "SDM vol. 2, IDIV: #DE for every overflow", CHIP_80286, division_missed, FAULT(DE) },
	{ "exact faults", "SDM vol. 3, 6.15, interrupt 0: CS:IP point to the division", CHIP_8086, division_error, FAULT(DE) },
	{ "exact faults", "SDM vol. 2, IDIV: the least quotient is allowed", CHIP_8086, least_quotient, SKIP },
	{ "exact faults", "SDM vol. 3, 6.5: SP is that from before POP", CHIP_80286, pop_limit, FAULT(GP) },
	{ "exact faults", "SDM vol. 3, 6.5 and table 20-1: SI and DI are those from before, interrupt 12", CHIP_80286, string_stack_once, FAULT(SS) },
	{ "exact faults", "SDM vol. 3, 6.5: as before, repeated", CHIP_80286, string_stack_repeated, SKIP },
	{ "exact faults", "SDM vol. 3, 6.5: SI and DI are those from before", CHIP_80286, string_limit_once, FAULT(GP) },
	{ "exact faults", "SDM vol. 2, REP: FLAGS are from before, CX, SI and DI of the round that faults", CHIP_80286, string_limit, PARTLY(ARITHMETIC, INDEXES) },
	{ "segment limits", "SDM vol. 3, table 20-1: interrupt 12 for the stack segment", BOTH, stack_limit, FAULT(SS) },
	{ "segment limits", "SDM vol. 3, 20.1.1: no wrap at FFFF", CHIP_8086, data_limit, FAULT(GP) },
};

const unsigned vector_rule_count = sizeof vector_rules / sizeof vector_rules[0];

struct expectation vector_rules_apply(const struct vector *vector, unsigned hits[VECTOR_RULES_MAX])
{
	struct expectation result = { OUTCOME_RECORDED, 0, 0, 0 };
	for (unsigned i = 0; i < vector_rule_count; i++) {
		const struct vector_rule *rule = &vector_rules[i];
		if (!(rule->chips & vector->chip) || !rule->matches(vector))
			continue;
		hits[i]++;
		if (rule->expectation.outcome != OUTCOME_PARTLY)
			return rule->expectation;
		result.outcome = OUTCOME_PARTLY;
		result.flags |= rule->expectation.flags;
		result.regs |= rule->expectation.regs;
	}
	return result;
}
