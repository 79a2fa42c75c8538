/* A block -> code: liveness, then instruction by instruction, then the rare parts. */
#include "emu/decode.h"
#include "emu/jit_internal.h"
#include "shared/log.h"

/* Room for the longest block; jit_ready() flushes before it runs out. */
#define CODE_MAX (96u << 10)

/* Someone wants to hear of each: the bodies tell. */
static bool is_watched(const struct insn *insn)
{
	if (!(log_trace_mask & LOG_TRACE_INT))
		return false;
	switch (insn->op) {
	case OP_jmp_far: case OP_jmp_far_mem: case OP_call_far: case OP_call_far_mem: case OP_retf: case OP_int: case OP_iret:
		return true;
	default:
		return false;
	}
}

jit_emit_fn *jit_emitter(const struct jit *jit, const struct insn *insn)
{
	static jit_emit_fn *(*const families[])(const struct insn *) = {
		jit_alu_emitter, jit_mov_emitter, jit_shift_emitter, jit_flow_emitter, jit_muldiv_emitter, jit_string_emitter,
	};
	if ((insn->flags & INSN_PATCHED) || (jit->off[insn->op] && insn->op != OP_block_end) || is_watched(insn))
		return NULL;
	for (unsigned i = 0; i < G_N_ELEMENTS(families); i++) {
		jit_emit_fn *emit = families[i](insn);
		if (emit)
			return emit;
	}
	static jit_emit_fn *(*const by_world[])(const struct jit *, const struct insn *) = {
		jit_seg_emitter, jit_eflags_emitter, jit_system_emitter,
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(by_world); i++) {
		jit_emit_fn *emit = by_world[i](jit, insn);
		if (emit)
			return emit;
	}
	return NULL;
}

/* LSS may change the width of the stack in the middle of a block. */
static bool changes_world(const struct insn *insn)
{
	return insn->op == OP_load_far && insn->imm2 == CTX_SS;
}

static void emit_insn(struct jit_compiler *c)
{
	jit_emit_fn *emit = c->ir->native ? jit_emitter(c->jit, c->insn) : NULL;
	bool end = c->insn->op == OP_block_end;
	jit_flags_before(c);
	if (emit && (!c->bodies_only || end))
		emit(c);
	else
		jit_body(c);
	jit_flags_after(c);
	if (changes_world(c->insn))
		c->bodies_only = true;
}

static void emit_straight(struct jit_compiler *c, const struct jit_ir *ir)
{
	for (unsigned i = 0; i <= c->block->count && !c->over; i++) {
		c->ir = &ir[i];
		c->insn = ir[i].insn;
		c->index = i;
		emit_insn(c);
	}
}

static void emit_colds(struct jit_compiler *c)
{
	for (unsigned i = 0; i < c->colds && !c->a.full; i++) {
		struct jit_cold *cold = &c->cold[i];
		c->ir = cold->ir;
		c->insn = cold->ir->insn;
		c->host_flags = false;
		c->flags = cold->flags;
		c->next = jit_flags_stored(0).op;
		cold->emit(c, cold);
	}
}

static void place_exits(struct jit_compiler *c)
{
	uint8_t *at = (uint8_t *)(((uintptr_t)c->a.at + 15) & ~(uintptr_t)15);
	for (unsigned i = 0; i < 2; i++) {
		c->exit[i] = (struct jit_exit *)at;
		memset(at, 0, sizeof *c->exit[i]);
		at += sizeof *c->exit[i];
	}
	c->entry = c->a.at = (uint8_t *)(((uintptr_t)at + 15) & ~(uintptr_t)15);
}

static void publish(struct jit_compiler *c)
{
	struct block *block = c->block;
	for (unsigned i = 0; i < 2; i++)
		block->jit_exit[i] = i < c->exits ? c->exit[i] : NULL;
	block->jit_entry = jit_code_run(c->jit, c->entry);
	c->jit->stats.compiled++;
	c->jit->stats.bytes += (uint64_t)(c->a.at - c->entry);
	c->jit->at = c->a.at;
}

bool jit_compile(struct jit *jit, struct block *block)
{
	struct jit_ir ir[BLOCK_MAX_INSNS + 1];
	struct jit_compiler c = {
		.jit = jit, .emu = jit->emu, .block = block, .flags = jit_flags_stored(KIND_UNKNOWN),
		.a = { .at = jit->at, .end = jit->at + CODE_MAX, .delta = jit->run - jit->write },
		.stack32 = jit->emu->world & WORLD_STACK32,
	};
	block->jit_ip = (uint32_t)jit->emu->ctx->rip;
	block->jit_world = jit->emu->world;
	jit_ir_analyse(jit, block, ir);
	place_exits(&c);
	emit_straight(&c, ir);
	emit_colds(&c);
	if (c.a.full) {
		block->jit_world = WORLD_NONE;
		return false;
	}
	publish(&c);
	if (jit->dump & (JIT_DUMP_IR | JIT_DUMP_LIVE))
		jit_ir_dump(block, ir, jit->dump, stderr);
	if (jit->dump & JIT_DUMP_ASM)
		jit_dump_code(jit, block, c.entry, c.a.at);
	return true;
}
