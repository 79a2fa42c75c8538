/* Moves of many registers and of strings: PUSHA and POPA as one access each, single
 * rounds of LODS, STOS and MOVS. Repeated ones are the bodies', which copy blocks. */
#include "emu/jit_internal.h"

/* --- PUSHA, POPA ------------------------------------------------------------------ */

static void push_frame(struct jit_compiler *c) { jit_stack_offset(c, -8 * (int)c->insn->size); }
static void pop_frame(struct jit_compiler *c) { jit_stack_offset(c, 0); }

/* Where register `number` lies in the frame at FLAT + R8. */
static struct host_mem frame_slot(const struct jit_compiler *c, unsigned number)
{
	struct host_mem at = mem_sum(JIT_FLAT, R8);
	at.disp = (int32_t)((7 - number) * c->insn->size);
	return at;
}

static void emit_pusha(struct jit_compiler *c)
{
	unsigned size = c->insn->size;
	struct jit_cold *cold = jit_access_or_body(c, push_frame, CTX_SS, 8 * size, true);
	for (unsigned i = 0; i < 8; i++)
		asm_store(&c->a, size, frame_slot(c, i), host_gpr(i));
	jit_release(c, 0u - 8 * size);
	cold->resume = c->a.at;
}

static void emit_popa(struct jit_compiler *c)
{
	unsigned size = c->insn->size;
	struct jit_cold *cold = jit_access_or_body(c, pop_frame, CTX_SS, 8 * size, false);
	for (unsigned i = 0; i < 8; i++)
		if (i != CTX_RSP)
			asm_load(&c->a, size, host_gpr(i), frame_slot(c, i));
	jit_release(c, 8 * size);
	cold->resume = c->a.at;
}

/* --- strings -------------------------------------------------------------------------- */

static bool narrow(const struct jit_compiler *c) { return c->insn->addr_mask == 0xffff; }

static void string_address(struct jit_compiler *c, unsigned reg)
{
	if (narrow(c))
		asm_extend(&c->a, 2, 0, R8, reg);
	else
		asm_mov(&c->a, 4, R8, reg);
}

static void source_address(struct jit_compiler *c) { string_address(c, RSI); }
static void target_address(struct jit_compiler *c) { string_address(c, RDI); }

/* What EFLAGS.DF takes off the step of an index, 0 or twice the size, negated in R8. */
static void step_back(struct jit_compiler *c)
{
	unsigned size = c->insn->size, bit = size == 1 ? 1 : size == 2 ? 2 : 3;
	asm_load(&c->a, 8, R9, EMU_FIELD(ctx));
	asm_load(&c->a, 4, R8, CTX_FIELD(rflags));
	asm_shift_imm(&c->a, 4, SHIFT_SHR, R8, 10 - bit);
	asm_alu_imm(&c->a, 4, ALU_AND, R8, 2 * size);
	asm_unary(&c->a, 4, UNARY_NEG, R8);
}

static void step(struct jit_compiler *c, unsigned reg)
{
	asm_lea(&c->a, 4, R9, (struct host_mem){ reg, R8, 0, c->insn->size });
	asm_mov(&c->a, narrow(c) ? 2 : 4, reg, R9);
}

static void step_source(struct jit_compiler *c)
{
	step_back(c);
	step(c, RSI);
}

static void step_target(struct jit_compiler *c)
{
	step_back(c);
	step(c, RDI);
}

static void step_both(struct jit_compiler *c)
{
	step_back(c);
	step(c, RSI);
	step(c, RDI);
}

static void emit_lods(struct jit_compiler *c)
{
	jit_load(c, source_address, c->insn->seg, c->insn->size, R10);
	jit_put(c, c->insn->size, RAX);
	step_source(c);
}

static void emit_stos(struct jit_compiler *c)
{
	jit_store(c, target_address, CTX_ES, c->insn->size, RAX, 0, step_target);
}

static void emit_movs(struct jit_compiler *c)
{
	jit_load(c, source_address, c->insn->seg, c->insn->size, R10);
	jit_store(c, target_address, CTX_ES, c->insn->size, R10, 0, step_both);
}

jit_emit_fn *jit_string_emitter(const struct insn *insn)
{
	if (insn->flags & (INSN_REP | INSN_REPNE))
		return NULL;
	switch (insn->op) {
	case OP_pusha: return emit_pusha;
	case OP_popa: return emit_popa;
	case OP_lods: return emit_lods;
	case OP_stos: return emit_stos;
	case OP_movs: return emit_movs;
	default: return NULL;
	}
}
