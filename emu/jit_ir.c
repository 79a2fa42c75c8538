/* Liveness of the arithmetic flags: one backward pass over a block. */
#include "emu/jit_internal.h"

#include "emu/decode.h"
#include "emu/flags.h"

#define CF CTX_EFLAGS_CF
#define OF CTX_EFLAGS_OF

static bool shifts_for_sure(const struct insn *insn)
{
	return insn->operands != OPERANDS_RM && insn->operands != OPERANDS_RM_REG && (insn->imm & 31);
}

/* Flags that the instruction gives a new value whatever the operands are. What
 * ops.def calls undefined may in fact be left alone, so it is no help here. */
static uint16_t flags_killed(const struct insn *insn)
{
	switch (insn->op) {
	case OP_add: case OP_or: case OP_adc: case OP_sbb: case OP_and: case OP_sub: case OP_xor:
	case OP_cmp: case OP_test: case OP_neg: case OP_mul: case OP_imul1: case OP_imul:
		return FLAGS_ARITH;
	case OP_inc: case OP_dec:
		return FLAGS_ARITH & ~CF;
	case OP_shl: case OP_shr: case OP_sar: case OP_shld: case OP_shrd:
		return shifts_for_sure(insn) ? FLAGS_ARITH : 0;
	case OP_clc: case OP_stc: case OP_cmc:
		return CF;
	case OP_sahf:
		return FLAGS_ARITH & ~OF;
	case OP_rol: case OP_ror:
		return shifts_for_sure(insn) ? CF | OF : 0;
	case OP_rcl: case OP_rcr:
		return shifts_for_sure(insn) && (insn->imm & 31) == 1 ? CF | OF : 0;
	default:
		return 0;
	}
}

/* A fault shows all flags, and so does a way out. */
static bool shows_flags(const struct jit_ir *ir)
{
	const struct insn *insn = ir->insn;
	if (!ir->native || (insn->is_memory && insn->op != OP_lea))
		return true;
	switch (insn->op) {
	case OP_push: case OP_pop: case OP_push_sreg: case OP_pop_sreg: case OP_mov_to_sreg:
	case OP_div: case OP_idiv: case OP_block_end: case OP_lods: case OP_stos: case OP_movs: case OP_leave:
	case OP_pusha: case OP_popa: case OP_pushf: case OP_cli: case OP_mov_from_cr: case OP_load_far:
		return true;
	default:
		return decode_ends_block(insn);
	}
}

bool jit_ir_keeps_flags(unsigned op)
{
	switch (op) {
	case OP_mov_to_sreg: case OP_mov_from_sreg: case OP_load_far: case OP_push: case OP_pop:
	case OP_push_sreg: case OP_pop_sreg: case OP_pusha: case OP_popa: case OP_enter: case OP_leave:
	case OP_xchg: case OP_xlat: case OP_movs: case OP_lods: case OP_stos: case OP_ins: case OP_outs:
	case OP_in: case OP_out: case OP_cli: case OP_sti: case OP_lgdt: case OP_lidt: case OP_sgdt: case OP_sidt:
	case OP_lldt: case OP_ltr: case OP_mov_to_cr: case OP_mov_from_cr: case OP_smsw: case OP_hlt:
	case OP_jmp_rm: case OP_call: case OP_call_rm: case OP_ret: case OP_div: case OP_idiv:
		return true;
	default:
		return false;
	}
}

/* A block that overwrites itself ends behind the instruction that did it. */
static bool may_end_block(const struct insn *insn)
{
	return insn->is_memory && insn->operands != OPERANDS_REG_RM && insn->op != OP_cmp && insn->op != OP_test;
}

void jit_ir_analyse(const struct jit *jit, const struct block *block, struct jit_ir *ir)
{
	uint16_t live = FLAGS_ARITH;
	for (unsigned i = block->count + 1u; i-- > 0;) {
		const struct insn *insn = &block->insns[i];
		ir[i].insn = insn;
		ir[i].native = jit_emitter(jit, insn);
		ir[i].live = live = may_end_block(insn) ? FLAGS_ARITH : live;
		live &= (uint16_t)~flags_killed(insn);
		ir[i].through = live;
		live |= op_rows[insn->op].flags_read;
		if (shows_flags(&ir[i]))
			live = FLAGS_ARITH;
		ir[i].before = live;
	}
}

static void print_flags(uint16_t flags, FILE *out)
{
	static const struct { uint16_t bit; char name; } names[] = {
		{ CTX_EFLAGS_OF, 'O' }, { CTX_EFLAGS_SF, 'S' }, { CTX_EFLAGS_ZF, 'Z' },
		{ CTX_EFLAGS_AF, 'A' }, { CTX_EFLAGS_PF, 'P' }, { CTX_EFLAGS_CF, 'C' },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
		fputc(flags & names[i].bit ? names[i].name : '-', out);
}

void jit_ir_dump(const struct block *block, const struct jit_ir *ir, unsigned what, FILE *out)
{
	fprintf(out, "block %08x, %u instructions, %u bytes\n", block->linear, block->count, block->size);
	for (unsigned i = 0; i <= block->count; i++) {
		const struct insn *insn = ir[i].insn;
		fprintf(out, "  %08x", block->linear + insn->offset);
		if (what & JIT_DUMP_LIVE) {
			fputs("  live ", out);
			print_flags(ir[i].live, out);
		}
		if (what & JIT_DUMP_IR) {
			fprintf(out, "  %-6s %s%u", ir[i].native ? "native" : "body", op_rows[insn->op].name, insn->size * 8u);
			if (insn->is_memory)
				fprintf(out, " [seg %u, disp %x]", insn->seg, insn->disp);
			fprintf(out, " reg %u rm %u imm %x", insn->reg, insn->rm, insn->imm);
		}
		fputc('\n', out);
	}
}
