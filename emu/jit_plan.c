/* Which blocks go into one piece of code, and in how many versions: one for each thing
 * that is known of the flags where it begins. */
#include "emu/decode.h"
#include "emu/jit_internal.h"

/* More instructions than that, beside the head's, bring nothing. */
#define INSNS_MAX 64u
/* Versions of one block. */
#define VERSIONS_EACH 3u

/* --- members ------------------------------------------------------------------------ */

static bool has_code(const struct jit *jit, const struct block *block, uint32_t ip)
{
	return block->jit_world == jit->emu->world && block->jit_ip == ip;
}

static bool within_limit(const struct jit *jit, const struct block *block, uint32_t ip)
{
	return (uint64_t)ip + block->size <= jit->emu->code_limit;
}

int jit_plan_find(const struct jit_code *code, uint32_t ip)
{
	for (unsigned i = 0; i < code->parts; i++)
		if (code->part[i].ip == ip)
			return (int)i;
	return -1;
}

/* The block at `ip` becomes a part if it lies in the page of the head, so that one
 * translation serves all, is run often, and has no code of its own. */
static void join(struct jit *jit, struct jit_code *code, uint32_t ip, unsigned *insns)
{
	const struct jit_part *head = &code->part[0];
	if (code->parts == JIT_PARTS || jit_plan_find(code, ip) >= 0)
		return;
	struct block *block = block_in_page(jit->emu, head->block, ip - head->ip);
	if (!block || block->compiles >= JIT_COMPILES_MAX || has_code(jit, block, ip) || !within_limit(jit, block, ip))
		return;
	if (block->runs < JIT_WARM || *insns + block->count > INSNS_MAX)
		return;
	*insns += block->count;
	code->part[code->parts++] = (struct jit_part){ .block = block, .code = code, .ip = ip };
}

static void join_successors(struct jit *jit, struct jit_code *code, const struct jit_part *part, unsigned *insns)
{
	const struct block *block = part->block;
	const struct insn *last = &block->insns[block->count - 1];
	uint32_t next = part->ip + block->size, target = jit_relative_target(last, next);
	switch (last->op) {
	case OP_jcc: case OP_loop: case OP_loope: case OP_loopne: case OP_jcxz:
		join(jit, code, target, insns);
		join(jit, code, next, insns);
		break;
	case OP_jmp:
		join(jit, code, target, insns);
		break;
	default:
		if (!decode_ends_block(last))
			join(jit, code, next, insns);
		break;
	}
}

void jit_plan(struct jit *jit, struct jit_code *code, struct block *head, unsigned parts)
{
	unsigned insns = 0;
	*code = (struct jit_code){ .head = head, .parts = 1 };
	code->part[0] = (struct jit_part){ .block = head, .code = code, .ip = head->jit_ip };
	for (unsigned i = 0; i < code->parts && parts > 1; i++)
		join_successors(jit, code, &code->part[i], &insns);
}

/* --- versions ----------------------------------------------------------------------- */

static bool same_operation(const struct jit_operation *a, const struct jit_operation *b)
{
	return a->kind == b->kind && a->r == b->r && a->b == b->b && a->has_imm == b->has_imm && a->imm == b->imm;
}

static bool same_flags(const struct jit_flags *a, const struct jit_flags *b)
{
	return same_operation(&a->op, &b->op) && same_operation(&a->carry, &b->carry) &&
	       a->carry_from == b->carry_from && a->late == b->late;
}

static struct jit_version *find(struct jit_compiler *c, unsigned part, const struct jit_flags *flags, unsigned *count)
{
	*count = 0;
	for (unsigned i = 0; i < c->versions; i++) {
		struct jit_version *version = &c->version[i];
		if (version->part != part)
			continue;
		if (same_flags(&version->flags, flags))
			return version;
		++*count;
	}
	return NULL;
}

struct jit_version *jit_version(struct jit_compiler *c, uint32_t ip)
{
	int part = jit_plan_find(c->code, ip);
	if (part < 0)
		return NULL;
	struct jit_flags flags = c->flags, any = jit_flags_stored(KIND_UNKNOWN);
	unsigned count;
	if (!c->irs[part][0].before)
		flags = any; /* none of them is asked for */
	struct jit_version *version = find(c, (unsigned)part, &flags, &count);
	if (version)
		return version;
	if (c->versions == JIT_VERSIONS || count == VERSIONS_EACH)
		return find(c, (unsigned)part, &any, &count);
	version = &c->version[c->versions++];
	version->part = (unsigned)part;
	version->flags = flags;
	version->entry = NULL;
	version->label.refs = 0;
	return version;
}
