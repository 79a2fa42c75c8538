#include "trace/step_decode.h"

#include <capstone.h>
#include <glib.h>

#include "shared/linear.h"

#define INSN_MAX 15u

struct step_decoder {
	csh handle[2]; /* of 16 and 32 bits */
	cs_insn *insn;
	bool code32;
};

struct step_decoder *step_decoder_new(void)
{
	struct step_decoder *decoder = g_new0(struct step_decoder, 1);
	bool fine = cs_open(CS_ARCH_X86, CS_MODE_16, &decoder->handle[0]) == CS_ERR_OK &&
	            cs_open(CS_ARCH_X86, CS_MODE_32, &decoder->handle[1]) == CS_ERR_OK;
	for (unsigned n = 0; fine && n < 2; n++)
		fine = cs_option(decoder->handle[n], CS_OPT_DETAIL, CS_OPT_ON) == CS_ERR_OK;
	if (fine && (decoder->insn = cs_malloc(decoder->handle[0])))
		return decoder;
	step_decoder_free(decoder);
	return NULL;
}

void step_decoder_free(struct step_decoder *decoder)
{
	if (!decoder)
		return;
	if (decoder->insn)
		cs_free(decoder->insn, 1);
	for (unsigned n = 0; n < 2; n++)
		if (decoder->handle[n])
			cs_close(&decoder->handle[n]);
	g_free(decoder);
}

/* --- where it leads ------------------------------------------------------------------ */

static bool is_mode(const cs_insn *raw)
{
	const cs_x86 *x86 = &raw->detail->x86;
	return raw->id == X86_INS_LMSW || (raw->id == X86_INS_MOV && x86->op_count && x86->operands[0].type == X86_OP_REG &&
	       x86->operands[0].reg == X86_REG_CR0);
}

static bool is_direct(const cs_insn *raw)
{
	return raw->detail->x86.op_count == 1 && raw->detail->x86.operands[0].type == X86_OP_IMM;
}

static bool is_branch(const cs_insn *raw)
{
	switch (raw->id) {
	case X86_INS_JAE: case X86_INS_JA: case X86_INS_JBE: case X86_INS_JB: case X86_INS_JE: case X86_INS_JGE:
	case X86_INS_JG: case X86_INS_JLE: case X86_INS_JL: case X86_INS_JNE: case X86_INS_JNO: case X86_INS_JNP:
	case X86_INS_JNS: case X86_INS_JO: case X86_INS_JP: case X86_INS_JS: case X86_INS_JCXZ: case X86_INS_JECXZ:
	case X86_INS_LOOP: case X86_INS_LOOPE: case X86_INS_LOOPNE:
		return true;
	default:
		return false;
	}
}

static void set_else(struct step_insn *insn, const cs_insn *raw)
{
	insn->flow = STEP_ELSE;
	switch (raw->id) {
	case X86_INS_INT:
		insn->is_int = true;
		insn->vector = (uint8_t)raw->detail->x86.operands[0].imm;
		break;
	case X86_INS_INT3:
		insn->vector = 3;
		break;
	case X86_INS_INTO:
		insn->vector = 4;
		break;
	case X86_INS_INT1:
		insn->vector = 1;
		break;
	case X86_INS_LJMP: case X86_INS_LCALL: case X86_INS_RETF: case X86_INS_RETFQ:
	case X86_INS_IRET: case X86_INS_IRETD:
		insn->far = true;
		break;
	case X86_INS_RET: case X86_INS_JMP: case X86_INS_CALL: case X86_INS_HLT: case X86_INS_SYSENTER:
	case X86_INS_SYSEXIT: case X86_INS_SYSCALL: case X86_INS_SYSRET: case X86_INS_RSM:
		break;
	default:
		insn->flow = STEP_NEXT;
	}
}

/* JMP and CALL with a selector, as Capstone sometimes names them. */
static bool is_far_pointer(const cs_insn *raw)
{
	return raw->detail->x86.opcode[0] == 0xea || raw->detail->x86.opcode[0] == 0x9a;
}

/* By the last byte of the opcode: INS, OUTS; MOVS, CMPS; STOS, LODS, SCAS. */
static bool is_string(const cs_insn *raw)
{
	uint8_t opcode = raw->detail->x86.opcode[0];
	return (opcode >= 0x6c && opcode <= 0x6f) || (opcode >= 0xa4 && opcode <= 0xa7) || (opcode >= 0xaa && opcode <= 0xaf);
}

static void set_flow(struct step_decoder *decoder, struct step_insn *insn)
{
	const cs_insn *raw = decoder->insn;
	bool wide = decoder->code32 != (raw->detail->x86.prefix[2] == 0x66);
	insn->sets_mode = is_mode(raw);
	insn->pushes_flags = raw->id == X86_INS_PUSHF || raw->id == X86_INS_PUSHFD;
	insn->repeats = is_string(raw) && (raw->detail->x86.prefix[0] == 0xf3 || raw->detail->x86.prefix[0] == 0xf2);
	insn->address_mask = raw->detail->x86.addr_size == 2 ? 0xffff : UINT32_MAX;
	if (is_branch(raw))
		insn->flow = STEP_BRANCH;
	else if ((raw->id == X86_INS_JMP || raw->id == X86_INS_CALL) && is_direct(raw) && !is_far_pointer(raw))
		insn->flow = STEP_JUMP;
	else
		set_else(insn, raw);
	if (is_far_pointer(raw))
		insn->far = true;
	if (insn->sets_mode)
		insn->flow = STEP_ELSE;
	if (insn->flow == STEP_JUMP || insn->flow == STEP_BRANCH)
		insn->target = (uint32_t)raw->detail->x86.operands[0].imm & (wide ? UINT32_MAX : 0xffff);
}

void step_decode(struct step_decoder *decoder, const struct ctx *ctx, struct mem *mem, uint32_t ip, struct step_insn *insn)
{
	uint8_t bytes[INSN_MAX];
	const uint8_t *code = bytes;
	uint64_t address = ip;
	decoder->code32 = debug_mode(ctx) & DEBUG_MODE_CODE32;
	size_t size = linear_read(ctx, mem, (uint32_t)ctx->seg[CTX_CS].base + ip, bytes, sizeof bytes);
	*insn = (struct step_insn){ .flow = STEP_ELSE, .vector = -1, .next = ip, .text = "(undefined)" };
	if (!cs_disasm_iter(decoder->handle[decoder->code32], &code, &size, &address, decoder->insn)) {
		decoder->insn->id = X86_INS_INVALID;
		decoder->insn->detail->x86.op_count = 0;
		return;
	}
	insn->length = decoder->insn->size;
	insn->next = (ip + insn->length) & (decoder->code32 ? UINT32_MAX : 0xffff);
	g_snprintf(insn->text, sizeof insn->text, "%s %s", decoder->insn->mnemonic, decoder->insn->op_str);
	set_flow(decoder, insn);
}

/* --- what it reads and writes ----------------------------------------------------------- */

struct list {
	struct step_access *access;
	unsigned count;
};

static void add(struct list *list, uint64_t linear, unsigned size, bool write)
{
	if (size && list->count < STEP_ACCESSES)
		list->access[list->count++] = (struct step_access){ (uint32_t)linear, size, write };
}

static const x86_reg registers[CTX_RDI + 1][3] = {
	{ X86_REG_EAX, X86_REG_AX, X86_REG_AL }, { X86_REG_ECX, X86_REG_CX, X86_REG_CL },
	{ X86_REG_EDX, X86_REG_DX, X86_REG_DL }, { X86_REG_EBX, X86_REG_BX, X86_REG_BL },
	{ X86_REG_ESP, X86_REG_SP, X86_REG_INVALID }, { X86_REG_EBP, X86_REG_BP, X86_REG_INVALID },
	{ X86_REG_ESI, X86_REG_SI, X86_REG_INVALID }, { X86_REG_EDI, X86_REG_DI, X86_REG_INVALID },
};

static uint32_t value_of(const struct ctx *ctx, x86_reg reg)
{
	for (unsigned n = 0; n <= CTX_RDI && reg != X86_REG_INVALID; n++) {
		if (registers[n][0] == reg)
			return ctx->gpr[n].e;
		if (registers[n][1] == reg)
			return ctx->gpr[n].x;
		if (registers[n][2] == reg)
			return ctx->gpr[n].l;
	}
	return 0;
}

static const struct ctx_seg *segment_of(const struct ctx *ctx, const x86_op_mem *mem)
{
	switch (mem->segment) {
	case X86_REG_ES: return &ctx->seg[CTX_ES];
	case X86_REG_CS: return &ctx->seg[CTX_CS];
	case X86_REG_SS: return &ctx->seg[CTX_SS];
	case X86_REG_DS: return &ctx->seg[CTX_DS];
	case X86_REG_FS: return &ctx->seg[CTX_FS];
	case X86_REG_GS: return &ctx->seg[CTX_GS];
	default: break;
	}
	bool stack = mem->base == X86_REG_EBP || mem->base == X86_REG_BP || mem->base == X86_REG_ESP;
	return &ctx->seg[stack ? CTX_SS : CTX_DS];
}

static uint64_t address_of(const struct ctx *ctx, const cs_x86 *x86, const x86_op_mem *mem)
{
	uint32_t offset = value_of(ctx, mem->base) + value_of(ctx, mem->index) * (uint32_t)mem->scale + (uint32_t)mem->disp;
	return segment_of(ctx, mem)->base + (x86->addr_size == 2 ? offset & 0xffff : offset);
}

/* Operands that name memory and do not touch it. */
static bool only_names(unsigned id)
{
	return id == X86_INS_LEA || id == X86_INS_NOP || id == X86_INS_INVLPG || id == X86_INS_PREFETCH || id == X86_INS_PREFETCHW;
}

/* A table's register is a limit and a base; a far pointer an offset and a selector. */
static void add_parts(const cs_insn *raw, uint64_t linear, unsigned size, bool write, struct list *list)
{
	unsigned first = size;
	switch (raw->id) {
	case X86_INS_LGDT: case X86_INS_LIDT: case X86_INS_SGDT: case X86_INS_SIDT:
		first = 2;
		break;
	case X86_INS_LJMP: case X86_INS_LCALL: case X86_INS_LDS: case X86_INS_LES: case X86_INS_LFS: case X86_INS_LGS:
	case X86_INS_LSS:
		first = size > 2 ? size - 2 : size;
		break;
	default:
		break;
	}
	add(list, linear, first, write);
	add(list, linear + first, size - first, write);
}

static void add_operands(const cs_insn *raw, const struct ctx *ctx, bool write, struct list *list)
{
	const cs_x86 *x86 = &raw->detail->x86;
	for (unsigned n = 0; n < x86->op_count && !only_names(raw->id); n++) {
		const cs_x86_op *op = &x86->operands[n];
		if (op->type == X86_OP_MEM && (op->access & (write ? CS_AC_WRITE : CS_AC_READ)))
			add_parts(raw, address_of(ctx, x86, &op->mem), op->size, write, list);
	}
	if (raw->id == X86_INS_XLATB && !write) {
		const x86_op_mem table = { .base = x86->addr_size == 2 ? X86_REG_BX : X86_REG_EBX, .index = X86_REG_AL, .scale = 1 };
		add(list, address_of(ctx, x86, &table), 1, false);
	}
}

/* `count` items at SS:SP: read from there on, or written below. */
static void add_stack(const struct ctx *ctx, unsigned gpr, unsigned size, unsigned count, bool write, struct list *list)
{
	uint32_t mask = ctx->seg[CTX_SS].access & CTX_SEG_DB ? UINT32_MAX : 0xffff;
	for (unsigned n = 0; n < count; n++) {
		uint32_t at = write ? ctx->gpr[gpr].e - (n + 1) * size : ctx->gpr[gpr].e + n * size;
		add(list, ctx->seg[CTX_SS].base + (at & mask), size, write);
	}
}

static void add_pushes(const struct step_decoder *decoder, const struct ctx *ctx, unsigned size, struct list *list)
{
	switch (decoder->insn->id) {
	case X86_INS_PUSH: case X86_INS_PUSHF: case X86_INS_PUSHFD: case X86_INS_ENTER:
		add_stack(ctx, CTX_RSP, size, 1, true, list);
		break;
	case X86_INS_CALL:
		add_stack(ctx, CTX_RSP, size, is_far_pointer(decoder->insn) ? 2 : 1, true, list);
		break;
	case X86_INS_LCALL:
		add_stack(ctx, CTX_RSP, size, 2, true, list);
		break;
	case X86_INS_PUSHAW: case X86_INS_PUSHAL:
		add_stack(ctx, CTX_RSP, size, 8, true, list);
		break;
	case X86_INS_INT: case X86_INS_INT3: case X86_INS_INT1:
		if (!(debug_mode(ctx) & DEBUG_MODE_PE))
			add_stack(ctx, CTX_RSP, 2, 3, true, list);
		break;
	default:
		break;
	}
}

static void add_pops(const struct step_decoder *decoder, const struct ctx *ctx, unsigned size, struct list *list)
{
	switch (decoder->insn->id) {
	case X86_INS_POP: case X86_INS_POPF: case X86_INS_POPFD: case X86_INS_RET:
		add_stack(ctx, CTX_RSP, size, 1, false, list);
		break;
	case X86_INS_LEAVE:
		add_stack(ctx, CTX_RBP, size, 1, false, list);
		break;
	case X86_INS_RETF:
		add_stack(ctx, CTX_RSP, size, 2, false, list);
		break;
	case X86_INS_IRET: case X86_INS_IRETD:
		add_stack(ctx, CTX_RSP, size, 3, false, list);
		break;
	case X86_INS_POPAW: case X86_INS_POPAL:
		add_stack(ctx, CTX_RSP, size, 8, false, list);
		break;
	default:
		break;
	}
}

static unsigned operand_size(const struct step_decoder *decoder)
{
	return decoder->code32 != (decoder->insn->detail->x86.prefix[2] == 0x66) ? 4 : 2;
}

bool step_indirect(const struct step_decoder *decoder, const struct ctx *ctx, struct mem *mem, uint32_t *target)
{
	const cs_insn *raw = decoder->insn;
	const cs_x86_op *op = &raw->detail->x86.operands[0];
	struct step_access access[STEP_ACCESSES];
	uint32_t size = operand_size(decoder);
	bool is_ret = raw->id == X86_INS_RET, is_jump = raw->id == X86_INS_JMP || raw->id == X86_INS_CALL;
	*target = 0;
	if (is_jump && raw->detail->x86.op_count == 1 && op->type == X86_OP_REG) {
		*target = value_of(ctx, op->reg);
		return op->size == size;
	}
	if (!is_ret && !(is_jump && raw->detail->x86.op_count == 1 && op->type == X86_OP_MEM && op->size == size))
		return false;
	return step_accesses(decoder, ctx, access) && !access[0].write && linear_read(ctx, mem, access[0].linear, target, size) == size;
}

unsigned step_accesses(const struct step_decoder *decoder, const struct ctx *ctx, struct step_access access[STEP_ACCESSES])
{
	const cs_insn *raw = decoder->insn;
	struct list list = { access, 0 };
	if (raw->id == X86_INS_INVALID)
		return 0;
	unsigned size = operand_size(decoder);
	add_operands(raw, ctx, false, &list);
	add_pops(decoder, ctx, size, &list);
	add_pushes(decoder, ctx, size, &list);
	add_operands(raw, ctx, true, &list);
	return list.count;
}
