/* Capstone decides what an encoding is and how long; the opcode map names the
 * operation. Prefixes are taken off first and Capstone gets the instruction with
 * at most one 66, one 67 and one F2/F3 before it: it is a disassembler and
 * stumbles over repeated and unusual prefixes, LOCK among them.
 *
 * Where Capstone refuses or miscounts an encoding that the SDM defines (the list
 * is in tests/unit/test_decode.c), the length by ModRM and the opcode map holds;
 * which x87 and SSE encodings there are is said in fpu_x87.c and fpu_sse.c. */
#include "emu/decode.h"

#include <capstone/capstone.h>
#include <glib.h>
#include <string.h>

#include "emu/opcode_map.h"

struct decoder {
	csh handle[2]; /* 16-bit, 32-bit code */
	cs_insn *scratch;
	enum emu_cpu cpu;
	unsigned disagreements;
};

/* An instruction while it is taken apart. */
struct parse {
	const uint8_t *bytes;
	size_t available;
	size_t prefixes;      /* prefix bytes */
	bool operand32, address32, two_byte;
	bool operand_prefix, address_prefix;
	uint8_t repeat;       /* F2, F3 or 0: the last one counts */
	uint8_t opcode;
	size_t modrm_at;      /* 0: none */
	size_t end;           /* length so far */
	const struct opcode *row;
};

struct decoder *decoder_new(enum emu_cpu cpu, char **error)
{
	struct decoder *decoder = g_new0(struct decoder, 1);
	decoder->cpu = cpu;
	for (int i = 0; i < 2; i++) {
		cs_err status = cs_open(CS_ARCH_X86, i ? CS_MODE_32 : CS_MODE_16, &decoder->handle[i]);
		if (status != CS_ERR_OK) {
			*error = g_strdup_printf("capstone: %s", cs_strerror(status));
			decoder_free(decoder);
			return NULL;
		}
	}
	decoder->scratch = cs_malloc(decoder->handle[0]);
	return decoder;
}

void decoder_free(struct decoder *decoder)
{
	if (!decoder)
		return;
	if (decoder->scratch)
		cs_free(decoder->scratch, 1);
	for (int i = 0; i < 2; i++)
		if (decoder->handle[i])
			cs_close(&decoder->handle[i]);
	g_free(decoder);
}

unsigned decoder_disagreements(const struct decoder *decoder)
{
	return decoder->disagreements;
}

/* Takes one prefix byte; false when `byte` is none. */
static bool take_prefix(struct parse *parse, struct insn *insn, uint8_t byte, bool code32)
{
	switch (byte) {
	case 0x26: case 0x2e: case 0x36: case 0x3e:
		insn->seg = byte >> 3 & 3;
		insn->flags |= INSN_SEG_PREFIX;
		return true;
	case 0x64: case 0x65:
		insn->seg = byte & 7;
		insn->flags |= INSN_SEG_PREFIX;
		return true;
	case 0x66:
		parse->operand_prefix = true;
		parse->operand32 = !code32;
		return true;
	case 0x67:
		parse->address_prefix = true;
		parse->address32 = !code32;
		return true;
	case 0xf0:
		insn->flags |= INSN_LOCK;
		return true;
	case 0xf2: case 0xf3:
		parse->repeat = byte;
		return true;
	default:
		return false;
	}
}

/* Bytes that ModRM, SIB and displacement take from `at`; 0 when cut off. */
static size_t modrm_length(const struct parse *parse, size_t at)
{
	uint8_t modrm = parse->bytes[at];
	unsigned mod = modrm >> 6, rm = modrm & 7;
	if (mod == 3 || (parse->row && parse->row->flags & OPCODE_REGISTER))
		return 1;
	if (!parse->address32)
		return mod == 0 ? (rm == 6 ? 3 : 1) : 1 + mod;
	size_t length = 1;
	if (rm == 4) {
		if (at + 1 >= parse->available)
			return 0;
		rm = parse->bytes[at + 1] & 7;
		length = 2;
	}
	if (mod == 0)
		return length + (rm == 5 ? 4 : 0);
	return length + (mod == 1 ? 1 : 4);
}

static size_t imm_length(const struct parse *parse)
{
	size_t operand = parse->operand32 ? 4 : 2;
	switch (parse->row->imm) {
	case IMM_B: case IMM_BS: return 1;
	case IMM_W: return 2;
	case IMM_V: return operand;
	case IMM_FAR: return operand + 2;
	case IMM_OFFSET: return parse->address32 ? 4 : 2;
	case IMM_WB: return 3;
	default: return 0;
	}
}

/* Groups 3 have an immediate only with TEST; the map says so by row. */
static enum decode_result parse_opcode(struct parse *parse)
{
	size_t at = parse->prefixes;
	if (at >= parse->available)
		return DECODE_TRUNCATED;
	parse->opcode = parse->bytes[at++];
	if (parse->opcode == 0x0f) {
		if (at >= parse->available)
			return DECODE_TRUNCATED;
		parse->two_byte = true;
		parse->opcode = parse->bytes[at++];
	}
	uint8_t modrm = 0;
	bool has_modrm = opcode_has_modrm(parse->two_byte, parse->opcode);
	if (has_modrm) {
		if (at >= parse->available)
			return DECODE_TRUNCATED;
		parse->modrm_at = at;
		modrm = parse->bytes[at];
	}
	parse->row = opcode_find(parse->two_byte, parse->opcode, modrm);
	if (has_modrm) {
		size_t length = modrm_length(parse, at);
		if (!length)
			return DECODE_TRUNCATED;
		at += length;
	}
	parse->end = at + (parse->row ? imm_length(parse) : 0);
	return parse->end > parse->available ? DECODE_TRUNCATED : DECODE_OK;
}

/* What Capstone makes of the instruction with its prefixes in canonical form;
 * the length without prefixes, 0 when it refuses. */
static size_t ask_capstone(struct decoder *decoder, const struct parse *parse, bool code32)
{
	uint8_t bytes[DECODE_MAX_LENGTH + 3];
	size_t prefixes = 0;
	if (parse->operand_prefix)
		bytes[prefixes++] = 0x66;
	if (parse->address_prefix)
		bytes[prefixes++] = 0x67;
	/* F2 and F3 choose an encoding in the SSE opcodes only; elsewhere they mean
	 * something to strings or nothing, and Capstone stumbles over 67 F2 A0. */
	if (parse->repeat && parse->row->op == OP_sse)
		bytes[prefixes++] = parse->repeat;
	size_t rest = parse->available - parse->prefixes;
	memcpy(bytes + prefixes, parse->bytes + parse->prefixes, rest);
	const uint8_t *code = bytes;
	size_t size = prefixes + rest;
	uint64_t address = 0;
	if (!cs_disasm_iter(decoder->handle[code32], &code, &size, &address, decoder->scratch))
		return 0;
	return decoder->scratch->size > prefixes ? decoder->scratch->size - prefixes : 0;
}

static uint16_t gpr_offset(unsigned number)
{
	return (uint16_t)(offsetof(struct ctx, gpr) + number * sizeof(union ctx_reg));
}

/* SDM vol. 2, table 2-1. */
static void address16(struct insn *insn, unsigned mod, unsigned rm, const uint8_t *disp)
{
	static const uint8_t base[8] = { CTX_RBX, CTX_RBX, CTX_RBP, CTX_RBP, CTX_RSI, CTX_RDI, CTX_RBP, CTX_RBX };
	static const uint8_t index[4] = { CTX_RSI, CTX_RDI, CTX_RSI, CTX_RDI };
	bool direct = mod == 0 && rm == 6;
	if (!direct)
		insn->base = gpr_offset(base[rm]);
	if (rm < 4)
		insn->index = gpr_offset(index[rm]);
	if (mod == 1)
		insn->disp = (uint32_t)(int8_t)disp[0];
	else if (mod == 2 || direct)
		insn->disp = (uint32_t)disp[0] | (uint32_t)disp[1] << 8;
	bool stack = !direct && (rm == 2 || rm == 3 || rm == 6);
	if (stack && !(insn->flags & INSN_SEG_PREFIX))
		insn->seg = CTX_SS;
}

static uint32_t load32(const uint8_t *bytes)
{
	uint32_t value;
	memcpy(&value, bytes, sizeof value);
	return value;
}

/* SDM vol. 2, tables 2-2 and 2-3. `next` is the byte behind ModRM. */
static void address32(struct insn *insn, unsigned mod, unsigned rm, const uint8_t *next)
{
	unsigned base = rm;
	if (rm == 4) {
		uint8_t sib = *next++;
		base = sib & 7;
		if ((sib >> 3 & 7) != 4) {
			insn->index = gpr_offset(sib >> 3 & 7);
			insn->scale = sib >> 6;
		}
	}
	bool direct = mod == 0 && base == 5;
	if (!direct)
		insn->base = gpr_offset(base);
	if (mod == 1)
		insn->disp = (uint32_t)(int8_t)next[0];
	else if (mod == 2 || direct)
		insn->disp = load32(next);
	if (!direct && (base == CTX_RSP || base == CTX_RBP) && !(insn->flags & INSN_SEG_PREFIX))
		insn->seg = CTX_SS;
}

static void set_registers(struct insn *insn, unsigned reg, unsigned rm)
{
	bool bytes = insn->size == 1;
	insn->reg = bytes ? insn_reg8(reg) : (uint8_t)reg;
	insn->rm = bytes ? insn_reg8(rm) : (uint8_t)rm;
}

static void set_modrm(const struct parse *parse, struct insn *insn)
{
	uint8_t modrm = parse->bytes[parse->modrm_at];
	unsigned mod = modrm >> 6, rm = modrm & 7;
	insn->modrm = modrm;
	set_registers(insn, modrm >> 3 & 7, rm);
	if (mod == 3 || parse->row->flags & OPCODE_REGISTER)
		return;
	insn->is_memory = true;
	const uint8_t *next = parse->bytes + parse->modrm_at + 1;
	if (parse->address32)
		address32(insn, mod, rm, next);
	else
		address16(insn, mod, rm, next);
}

static uint32_t load_imm(const uint8_t *at, size_t size)
{
	return size == 4 ? load32(at) : size == 2 ? (uint32_t)at[0] | (uint32_t)at[1] << 8 : at[0];
}

static void set_imm(const struct parse *parse, struct insn *insn)
{
	const uint8_t *at = parse->bytes + parse->end - imm_length(parse);
	size_t operand = parse->operand32 ? 4 : 2;
	switch (parse->row->imm) {
	case IMM_B: insn->imm = *at; break;
	case IMM_BS: insn->imm = (uint32_t)(int8_t)*at; break;
	case IMM_W: insn->imm = load_imm(at, 2); break;
	case IMM_V:
		insn->imm = load_imm(at, operand);
		if (operand == 2)
			insn->imm = (uint32_t)(int16_t)insn->imm;
		break;
	case IMM_ONE: insn->imm = 1; break;
	case IMM_FAR:
		insn->imm = load_imm(at, operand);
		insn->imm2 = (uint16_t)load_imm(at + operand, 2);
		break;
	case IMM_OFFSET:
		insn->is_memory = true;
		insn->disp = load_imm(at, parse->address32 ? 4 : 2);
		break;
	case IMM_WB:
		insn->imm = load_imm(at, 2);
		insn->imm2 = at[2];
		break;
	default: break;
	}
}

static uint8_t operand_size(const struct parse *parse)
{
	switch (parse->row->width) {
	case WIDTH_BYTE: return 1;
	case WIDTH_WORD: return 2;
	case WIDTH_DWORD: return 4;
	case WIDTH_QWORD: return 8;
	default: return parse->operand32 ? 4 : 2;
	}
}

static void set_operands(const struct parse *parse, struct insn *insn)
{
	const struct opcode *row = parse->row;
	insn->op = row->op;
	insn->size = operand_size(parse);
	insn->operands = row->operands;
	insn->imm2 = row->extra;
	if (parse->modrm_at)
		set_modrm(parse, insn);
	if (row->flags & OPCODE_LOW3)
		set_registers(insn, 0, parse->opcode & 7);
	if (row->flags & OPCODE_CONDITION)
		insn->imm2 = parse->opcode & 15;
	if (row->flags & OPCODE_SREG)
		insn->reg = parse->opcode >> 3 & 7;
	set_imm(parse, insn);
}

/* LOCK: SDM vol. 2, LOCK; the destination must be memory and the operation one of the list. */
static bool lock_allowed(const struct insn *insn)
{
	return op_rows[insn->op].lockable && insn->is_memory &&
	       insn->operands != OPERANDS_REG_RM;
}

static bool is_defined(const struct decoder *decoder, const struct parse *parse, const struct insn *insn)
{
	const struct opcode *row = parse->row;
	if (row->cpu > decoder->cpu)
		return false;
	if ((row->flags & OPCODE_MEMORY) && !insn->is_memory)
		return false;
	return !(insn->flags & INSN_LOCK) || lock_allowed(insn);
}

static void make_undefined(struct insn *insn)
{
	insn->op = OP_ud;
	insn->operands = OPERANDS_NONE;
	insn->is_memory = false;
	insn->exec = op_rows[OP_ud].exec;
}

static void parse_prefixes(struct parse *parse, struct insn *insn, bool code32)
{
	while (parse->prefixes < parse->available && parse->prefixes < DECODE_MAX_LENGTH &&
	       take_prefix(parse, insn, parse->bytes[parse->prefixes], code32))
		parse->prefixes++;
	if (parse->repeat)
		insn->flags |= parse->repeat == 0xf3 ? INSN_REP : INSN_REPNE;
	if (parse->address32)
		insn->flags |= INSN_ADDR32;
	insn->addr_mask = parse->address32 ? 0xffffffffu : 0xffffu;
}

/* Where Capstone has the last word: everywhere but in the x87 and SSE opcodes,
 * where fpu_x87.c and fpu_sse.c list what each CPU model has, aliases included,
 * the hint NOPs 0F 18-1F, which it knows with memory operands only (SDM vol. 2,
 * table A-3), and the test registers, which it does not know. */
static bool capstone_decides(const struct opcode *row)
{
	switch (row->op) {
	case OP_x87: case OP_sse: case OP_nop: case OP_mov_from_tr: case OP_mov_to_tr:
		return false;
	default:
		return true;
	}
}

static void finish(struct decoder *decoder, const struct parse *parse, bool code32, struct insn *insn)
{
	if (!parse->row) {
		make_undefined(insn);
		return;
	}
	set_operands(parse, insn);
	size_t own = parse->end - parse->prefixes;
	size_t capstone = ask_capstone(decoder, parse, code32);
	if (capstone != own)
		decoder->disagreements++;
	if ((!capstone && capstone_decides(parse->row)) || !is_defined(decoder, parse, insn)) {
		make_undefined(insn);
		return;
	}
	const struct op_row *op = &op_rows[insn->op];
	insn->exec = op->pick ? op->pick(insn) : op->exec;
}

enum decode_result decode_insn(struct decoder *decoder, const uint8_t *bytes, size_t available,
                               bool code32, struct insn *insn)
{
	struct parse parse = {
		.bytes = bytes,
		.available = MIN(available, DECODE_MAX_LENGTH),
		.operand32 = code32,
		.address32 = code32,
	};
	memset(insn, 0, sizeof *insn);
	insn->base = insn->index = INSN_NO_REG;
	insn->seg = CTX_DS;
	parse_prefixes(&parse, insn, code32);
	enum decode_result result = parse_opcode(&parse);
	if (result == DECODE_TRUNCATED)
		return available >= DECODE_MAX_LENGTH ? DECODE_TOO_LONG : DECODE_TRUNCATED;
	insn->length = (uint8_t)parse.end;
	memcpy(insn->raw, bytes, parse.end);
	finish(decoder, &parse, code32, insn);
	return DECODE_OK;
}

/* Without Capstone: prefixes, opcode and ModRM were judged before. */
bool decode_again(const uint8_t *bytes, bool code32, struct insn *insn)
{
	struct parse parse = { .bytes = bytes, .available = insn->length, .operand32 = code32, .address32 = code32 };
	struct insn now = { .base = INSN_NO_REG, .index = INSN_NO_REG, .seg = CTX_DS };
	parse_prefixes(&parse, &now, code32);
	if (parse_opcode(&parse) != DECODE_OK || parse.end != insn->length || !parse.row || insn->op == OP_ud)
		return false;
	/* Another opcode has another body, or none, even of the same operation: x87, SSE. */
	if (memcmp(bytes, insn->raw, parse.prefixes + parse.two_byte + 1u))
		return false;
	set_operands(&parse, &now);
	now.exec = insn->exec;
	now.length = insn->length;
	now.offset = insn->offset;
	now.flags = (uint8_t)(now.flags | INSN_PATCHED);
	memcpy(now.raw, bytes, now.length);
	if (now.op != insn->op || now.flags != insn->flags || now.imm2 != insn->imm2 || now.base != insn->base ||
	    now.index != insn->index || now.scale != insn->scale || now.seg != insn->seg || now.size != insn->size ||
	    now.operands != insn->operands || now.reg != insn->reg || now.rm != insn->rm || now.modrm != insn->modrm ||
	    now.is_memory != insn->is_memory || now.addr_mask != insn->addr_mask)
		return false;
	*insn = now;
	return true;
}

bool decode_ends_block(const struct insn *insn)
{
	switch (insn->op) {
	case OP_jcc: case OP_jmp: case OP_jmp_rm: case OP_jmp_far: case OP_jmp_far_mem:
	case OP_call: case OP_call_rm: case OP_call_far: case OP_call_far_mem:
	case OP_ret: case OP_retf: case OP_iret: case OP_int: case OP_int3: case OP_int1:
	case OP_into: case OP_loop: case OP_loope: case OP_loopne: case OP_jcxz:
	case OP_sti: case OP_popf: case OP_in: case OP_out: case OP_ins: case OP_outs:
	case OP_lmsw: case OP_mov_to_cr: case OP_mov_to_dr: case OP_hlt: case OP_invlpg:
	case OP_wrmsr: case OP_sysenter: case OP_sysexit: case OP_rsm: case OP_ud:
		return true;
	case OP_mov_to_sreg: case OP_pop_sreg:
		return insn->reg == CTX_SS; /* its shadow belongs to the next boundary */
	case OP_movs: case OP_cmps: case OP_scas: case OP_lods: case OP_stos:
		return insn->flags & (INSN_REP | INSN_REPNE); /* may stop between two rounds */
	default:
		return false;
	}
}

size_t decode_print(struct decoder *decoder, const uint8_t *bytes, size_t available,
                    bool code32, uint64_t address, char *text, size_t text_size)
{
	const uint8_t *code = bytes;
	size_t size = available;
	if (!cs_disasm_iter(decoder->handle[code32], &code, &size, &address, decoder->scratch)) {
		g_snprintf(text, (gulong)text_size, "(undefined)");
		return 0;
	}
	g_snprintf(text, (gulong)text_size, "%s %s", decoder->scratch->mnemonic, decoder->scratch->op_str);
	return decoder->scratch->size;
}
