/* A block -> code: liveness, then instruction by instruction, then the rare parts. */
#include "emu/decode.h"
#include "emu/jit_internal.h"
#include "shared/log.h"

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

static void emit_version(struct jit_compiler *c, struct jit_version *version)
{
	const struct jit_ir *ir = c->irs[version->part];
	c->part = &c->code->part[version->part];
	c->block = c->part->block;
	c->flags = version->flags;
	c->host_flags = c->bodies_only = c->over = false;
	version->entry = c->a.at;
	asm_bind(&c->a, &version->label);
	for (unsigned i = 0; i <= c->block->count && !c->over; i++) {
		c->ir = &ir[i];
		c->insn = ir[i].insn;
		c->index = i;
		emit_insn(c);
	}
}

static struct jit_version *next_version(struct jit_compiler *c)
{
	struct jit_version *next = c->falls;
	c->falls = NULL;
	for (unsigned i = 0; i < c->versions && !next; i++)
		if (!c->version[i].entry)
			next = &c->version[i];
	return next;
}

static void emit_versions(struct jit_compiler *c)
{
	struct jit_version *version;
	jit_version(c, c->code->part[0].ip);
	while ((version = next_version(c)) && !c->a.full)
		emit_version(c, version);
}

static void emit_colds(struct jit_compiler *c)
{
	for (unsigned i = 0; i < c->colds && !c->a.full; i++) {
		struct jit_cold *cold = &c->cold[i];
		c->part = cold->part;
		c->block = c->part->block;
		c->ir = cold->ir;
		c->insn = cold->ir->insn;
		c->host_flags = false;
		c->flags = cold->flags;
		c->next = jit_flags_stored(0).op;
		cold->emit(c, cold);
	}
}

static uint8_t *aligned(uint8_t *at) { return (uint8_t *)(((uintptr_t)at + 15) & ~(uintptr_t)15); }

/* In front of the code. */
static bool place_code(struct jit_compiler *c, struct block *head, unsigned parts)
{
	c->code = (struct jit_code *)aligned(c->a.at);
	jit_plan(c->jit, c->code, head, parts);
	c->entry = c->a.at = aligned((uint8_t *)&c->code->part[c->code->parts]);
	for (unsigned i = 0; i < c->code->parts; i++)
		jit_ir_analyse(c->jit, c->code->part[i].block, c->irs[i]);
	return c->code->parts > 1;
}

/* Between the straight lines and the rare parts. */
static void place_exits(struct jit_compiler *c)
{
	struct jit_code *code = c->code;
	code->exit = (struct jit_exit *)aligned(c->a.at);
	code->exits = c->exits;
	c->a.at = (uint8_t *)&code->exit[c->exits];
	if (c->a.at > c->a.end) {
		c->a.full = 1;
		return;
	}
	for (unsigned i = 0; i < c->exits; i++) {
		code->exit[i] = (struct jit_exit){ .code = code, .ip = c->exit_ip[i] };
		int32_t distance = (int32_t)((uint8_t *)&code->exit[i].target - (c->exit_ref[i] + 4));
		memcpy(c->exit_ref[i], &distance, sizeof distance);
	}
}

static void publish(struct jit_compiler *c)
{
	struct jit_code *code = c->code;
	for (unsigned i = 0; i < code->parts; i++) {
		struct jit_part *part = &code->part[i];
		part->link = &part->block->jit_parts;
		part->next = part->block->jit_parts;
		if (part->next)
			part->next->link = &part->next;
		part->block->jit_parts = part;
	}
	code->head->jit_code = code;
	code->head->jit_entry = jit_code_run(c->jit, c->entry);
	c->jit->stats.compiled++;
	c->jit->stats.joined += code->parts - 1;
	c->jit->stats.bytes += (uint64_t)(c->a.at - c->entry);
	jit_cache_take(c->jit, code, c->a.at);
}

static void dump(struct jit_compiler *c, const uint8_t *exits)
{
	const struct jit *jit = c->jit;
	const struct jit_code *code = c->code;
	for (unsigned i = 0; i < code->parts && (jit->dump & (JIT_DUMP_IR | JIT_DUMP_LIVE)); i++)
		jit_ir_dump(code->part[i].block, c->irs[i], jit->dump, stderr);
	if (!(jit->dump & JIT_DUMP_ASM))
		return;
	jit_dump_code(jit, code->head, c->entry, exits);
	jit_dump_code(jit, code->head, (const uint8_t *)&code->exit[code->exits], c->a.at);
}

/* `parts`: how many blocks to take, the head included. *more: there were others. */
static bool compile(struct jit *jit, struct block *head, unsigned parts, bool *more)
{
	struct jit_ir irs[JIT_PARTS][BLOCK_MAX_INSNS + 1];
	struct jit_compiler c = {
		.jit = jit, .emu = jit->emu, .flags = jit_flags_stored(KIND_UNKNOWN),
		.a = { .at = jit_cache_room(jit), .end = jit_cache_end(jit), .delta = jit->run - jit->write },
		.stack32 = jit->emu->world & WORLD_STACK32, .world = jit->emu->world, .irs = irs, .cold = jit->cold,
	};
	*more = place_code(&c, head, parts);
	emit_versions(&c);
	const uint8_t *exits = c.a.at;
	place_exits(&c);
	emit_colds(&c);
	if (c.a.full)
		return false;
	publish(&c);
	dump(&c, exits);
	return true;
}

bool jit_compile(struct jit *jit, struct block *block)
{
	bool more;
	block->jit_ip = (uint32_t)jit->emu->ctx->rip;
	block->jit_world = jit->emu->world;
	if (compile(jit, block, JIT_PARTS, &more) || (jit_cache_turn(jit) && compile(jit, block, JIT_PARTS, &more)) ||
	    (more && compile(jit, block, 1, &more)))
		return true;
	block->jit_world = WORLD_NONE;
	return false;
}
