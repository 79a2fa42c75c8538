/* What surrounds generated code: entering it, what it calls, linking its blocks. */
#include "emu/jit_internal.h"

#include "emu/access.h"
#include "emu/flags.h"
#include "shared/log.h"


/* --- flags ------------------------------------------------------------------------- */

static void settle_kept_carry(struct emu *emu, uint32_t a, uint32_t r, unsigned size, bool down)
{
	uint32_t carry = emu->flag_carry & 0x80000000u;
	if (down)
		flags_sub(emu, a, 1, r, size);
	else
		flags_add(emu, a, 1, r, size);
	/* OF is bit 31 ^ bit 30: flip both where CF differs. */
	if ((emu->flag_carry & 0x80000000u) != carry)
		emu->flag_carry ^= 0xc0000000u;
}

/* OF as the last single step gives it. */
static void settle_shift(struct emu *emu, uint32_t r, unsigned size, unsigned base)
{
	bool cf = flag_cf(emu), of = base == KIND_SHL ? cf : false;
	flags_result(emu, r, size);
	if (base == KIND_SHL)
		of ^= flag_sf(emu);
	else if (base == KIND_SHR)
		of = width_sign_extend(r << 1, size) >> 31;
	emu->flag_carry = (uint32_t)cf << 31 | (uint32_t)(cf ^ of) << 30;
}

static void settle(struct emu *emu)
{
	const struct jit_words *lazy = &emu->lazy;
	unsigned kind = lazy->kind;
	if (kind == KIND_WORDS)
		return;
	unsigned size = 1u << (kind - 1) % 3, base = kind - (kind - 1) % 3;
	uint32_t r = lazy->r, b = lazy->b;
	emu->lazy.kind = KIND_WORDS;
	switch (base) {
	case KIND_INC: settle_kept_carry(emu, r - 1, r, size, false); break;
	case KIND_DEC: settle_kept_carry(emu, r + 1, r, size, true); break;
	case KIND_SHL: case KIND_SHR: case KIND_SAR: settle_shift(emu, r, size, base); break;
	case KIND_ADD: flags_add(emu, r - b, b, r, size); break;
	case KIND_SUB: flags_sub(emu, r + b, b, r, size); break;
	case KIND_CMP: flags_sub(emu, r, b, r - b, size); break;
	case KIND_LOGIC: flags_logic(emu, r, size); break;
	case KIND_TEST: flags_logic(emu, r & b, size); break;
	case KIND_ADC: flags_add(emu, lazy->a, b, r, size); break;
	case KIND_EFLAGS: flags_set(emu, r); break;
	default: flags_sub(emu, lazy->a, b, r, size); break;
	}
}

uint64_t jit_run_settle(struct emu *emu, const struct insn *insn, struct jit_part *part, uint32_t argument)
{
	(void)insn, (void)part, (void)argument;
	settle(emu);
	return 0;
}

/* --- generated code <-> emu ------------------------------------------------------------ */

/* So many blocks may run after real mode was left. */
static bool blocks_count(const struct emu *emu)
{
	return !emu->is_real && !emu->stays && emu->ctx->limit_blocks != UINT64_MAX;
}

/* What emu.insns may grow to before the loop in run.c looks. Where blocks count, no more
 * instructions than blocks are left, since each has one at least. */
static uint64_t find_limit(const struct emu *emu)
{
	uint64_t limit = emu->ctx->limit_blocks, left = emu->left_blocks;
	if (!blocks_count(emu))
		return emu->limit_insns;
	uint64_t blocks = left < limit ? limit - left : 0;
	return blocks < emu->limit_insns - emu->insns ? emu->insns + blocks + 1 : emu->limit_insns;
}

static bool wanted_outside(const struct emu *emu)
{
	return emu->special || emu->shutdown || blocks_count(emu) ||
	       atomic_load_explicit(&emu->pins->attention, memory_order_relaxed);
}

static void sync_out(struct emu *emu)
{
	emu->insns = emu->lazy.limit - (uint64_t)emu->lazy.left;
	emu->ctx->blocks_run = emu->lazy.blocks;
}

static void sync_in(struct emu *emu, uint64_t limit)
{
	emu->lazy.limit = limit;
	emu->lazy.left = (int64_t)(limit - emu->insns);
	emu->lazy.blocks = emu->ctx->blocks_run;
}

/* Going on in the middle of a block: it ends as soon as there is something to see to. */
static void go_on(struct emu *emu, const struct jit_part *part)
{
	const struct block *head = part->code->head;
	bool stop = wanted_outside(emu) || !head || head->epoch != emu->cache->epoch || head->jit_world != emu->world;
	sync_in(emu, stop ? emu->insns : emu->limit_insns);
}

static uint64_t leave(struct emu *emu)
{
	sync_in(emu, emu->limit_insns);
	return (uint64_t)(uintptr_t)jit_code_run(emu->jit, emu->jit->leave);
}

/* The code for ctx->rip when block_find() would have it at hand, else NULL. */
static struct block *look_up(const struct emu *emu)
{
	const struct block_cache *cache = emu->cache;
	uint32_t ip = (uint32_t)emu->ctx->rip, linear = (uint32_t)emu->ctx->seg[CTX_CS].base + ip;
	struct block *block = cache->jump[0][(linear ^ linear >> 12) & (BLOCK_JUMP_SIZE - 1)];
	if (block && block->linear == linear && block->jit_ip == ip && block->jit_world == emu->world &&
	    block->epoch == cache->epoch)
		return block;
	return NULL;
}

/* Between two blocks: to the next one, or out. */
static uint64_t next(struct emu *emu)
{
	emu_pass_shadow(emu);
	emu->was_real |= emu->is_real;
	if (!wanted_outside(emu) && emu->insns < emu->limit_insns) {
		struct block *block = look_up(emu);
		if (block) {
			sync_in(emu, emu->limit_insns);
			return (uint64_t)(uintptr_t)block->jit_entry;
		}
	}
	return leave(emu);
}

static void begin(struct emu *emu, const struct jit_part *part)
{
	sync_out(emu);
	emu->block = part->block;
	emu->block_ip = part->ip;
}

static uint64_t end_block(struct emu *emu, const struct insn *insn, const struct jit_part *part)
{
	emu->insns += (uint64_t)(insn - part->block->insns) + 1;
	emu->ctx->blocks_run++;
	return next(emu);
}

static uint64_t fault(struct emu *emu, const struct insn *insn, const struct jit_part *part)
{
	settle(emu);
	emu->insns += (uint64_t)(insn - part->block->insns) + 1;
	emu->ctx->blocks_run++;
	emu_insn_fault(emu, insn);
	return next(emu);
}

/* --- calls --------------------------------------------------------------------------------- */

uint64_t jit_run_body(struct emu *emu, const struct insn *insn, struct jit_part *part, uint32_t argument)
{
	(void)argument;
	begin(emu, part);
	if (!jit_ir_keeps_flags(insn->op))
		settle(emu);
	emu->jit->bodies[insn->op]++;
	enum exec result = insn->exec(emu, insn);
	if (result == EXEC_FAULT)
		return fault(emu, insn, part);
	if (result == EXEC_NEXT && !part->block->dead) {
		go_on(emu, part);
		return 0;
	}
	if (result == EXEC_NEXT) /* it wrote to itself */
		emu->ctx->rip = insn_next_ip(emu, insn);
	return end_block(emu, insn, part);
}

uint64_t jit_run_read(struct emu *emu, const struct insn *insn, struct jit_part *part, uint32_t offset)
{
	begin(emu, part);
	emu->jit->stats.slow++;
	if (!emu_read(emu, emu->lazy.access & 0xff, offset, emu->lazy.access >> 8, &emu->lazy.value))
		return fault(emu, insn, part);
	go_on(emu, part);
	return 0;
}

uint64_t jit_run_write(struct emu *emu, const struct insn *insn, struct jit_part *part, uint32_t offset)
{
	begin(emu, part);
	emu->jit->stats.slow++;
	if (!emu_write(emu, emu->lazy.access & 0xff, offset, emu->lazy.access >> 8, emu->lazy.value))
		return fault(emu, insn, part);
	go_on(emu, part);
	return part->block->dead;
}

uint64_t jit_run_rmw_load(struct emu *emu, const struct insn *insn, struct jit_part *part, uint32_t offset)
{
	begin(emu, part);
	emu->jit->stats.slow++;
	if (!emu_rmw_load(emu, emu->lazy.access & 0xff, offset, emu->lazy.access >> 8, &emu->lazy.value))
		return fault(emu, insn, part);
	go_on(emu, part);
	return 0;
}

uint64_t jit_run_rmw_store(struct emu *emu, const struct insn *insn, struct jit_part *part, uint32_t argument)
{
	(void)insn, (void)argument;
	begin(emu, part);
	emu_rmw_store(emu, emu->lazy.value);
	go_on(emu, part);
	return part->block->dead;
}

/* --- links --------------------------------------------------------------------------------- */

static void cut(struct jit_exit *exit)
{
	exit->target = exit->stub;
	if (exit->link) {
		*exit->link = exit->next;
		if (exit->next)
			exit->next->link = exit->link;
		exit->link = NULL;
		exit->next = NULL;
	}
}

static void link_to(struct jit_exit *exit, struct block *to)
{
	cut(exit);
	exit->next = to->jit_incoming;
	if (exit->next)
		exit->next->link = &exit->next;
	exit->link = &to->jit_incoming;
	to->jit_incoming = exit;
	exit->target = to->jit_entry;
}

/* The exit comes in the place of the instruction. */
uint64_t jit_run_link(struct emu *emu, const struct insn *insn, struct jit_part *part, uint32_t argument)
{
	struct jit_exit *exit = (struct jit_exit *)(uintptr_t)insn;
	const struct block *head = exit->code->head;
	(void)part, (void)argument;
	sync_out(emu);
	if (wanted_outside(emu) || emu->insns >= emu->limit_insns)
		return leave(emu);
	struct block *to = look_up(emu);
	if (!to)
		return leave(emu);
	if (head && head->epoch == emu->cache->epoch) {
		link_to(exit, to);
		emu->jit->stats.linked++;
	}
	sync_in(emu, emu->limit_insns);
	return (uint64_t)(uintptr_t)to->jit_entry;
}

static void cut_incoming(struct block *block)
{
	while (block->jit_incoming)
		cut(block->jit_incoming);
}

void jit_unlink(struct block *block)
{
	cut_incoming(block);
	for (unsigned i = 0; block->jit_code && i < block->jit_code->exits; i++)
		cut(&block->jit_code->exit[i]);
}

static void leave_list(struct jit_part *part)
{
	*part->link = part->next;
	if (part->next)
		part->next->link = part->link;
}

void jit_drop_code(struct block *block)
{
	struct jit_code *code = block->jit_code;
	jit_unlink(block);
	for (unsigned i = 0; code && i < code->parts; i++)
		leave_list(&code->part[i]);
	if (code)
		code->head = NULL;
	block->jit_code = NULL;
	block->jit_entry = NULL;
	block->jit_world = WORLD_NONE;
}

void jit_kill(struct emu *emu, struct block *block)
{
	(void)emu;
	while (block->jit_parts)
		jit_drop_code(block->jit_parts->code->head);
	jit_drop_code(block);
}

void jit_check(struct emu *emu, struct block *block)
{
	/* A part that has to go takes the code with it. */
	for (unsigned i = 1; block->jit_code && i < block->jit_code->parts; i++)
		block_check(emu, block->jit_code->part[i].block);
}

/* --- entering ------------------------------------------------------------------------------- */

static bool may_compile(const struct jit *jit, const struct block *block)
{
	return !block->single && !block->dead && (jit->emu->world & (WORLD_LIMIT64K | WORLD_LIMIT4G)) &&
	       block->compiles < JIT_COMPILES_MAX;
}

bool jit_ready(struct emu *emu, struct block *block)
{
	struct jit *jit = emu->jit;
	if (!jit || (log_trace_mask & LOG_TRACE_BLOCK))
		return false;
	if (block->jit_world == emu->world && block->jit_ip == (uint32_t)emu->ctx->rip)
		return true;
	if (!jit->always && block->runs < JIT_HOT) {
		block->runs++;
		return false;
	}
	if (!may_compile(jit, block))
		return false;
	jit_drop_code(block);
	block->compiles++;
	if (jit_compile(jit, block))
		return true;
	block->compiles = JIT_COMPILES_MAX;
	jit->stats.refused++;
	return false;
}

void jit_run(struct emu *emu, struct block *block)
{
	typedef void enter_fn(struct emu *, const void *);
	enter_fn *enter = (enter_fn *)(uintptr_t)jit_code_run(emu->jit, emu->jit->enter);
	emu->jit->stats.entered++;
	emu->lazy.kind = KIND_WORDS;
	sync_in(emu, find_limit(emu));
	enter(emu, block->jit_entry);
	sync_out(emu);
	settle(emu);
	emu->block = NULL;
}

/* --- set-up ------------------------------------------------------------------------------------ */

static void switch_off(struct jit *jit, const char *names)
{
	g_auto(GStrv) words = g_strsplit(names ? names : "", ",", -1);
	for (unsigned op = 0; op < OPS; op++)
		jit->off[op] = g_strv_contains((const char *const *)words, op_rows[op].name);
}

struct jit *jit_new(struct emu *emu, const struct emu_config *config)
{
	if (config->jit == EMU_JIT_OFF)
		return NULL;
	struct jit *jit = g_new0(struct jit, 1);
	jit->emu = emu;
	jit->always = config->jit == EMU_JIT_ALWAYS;
	jit->dump = config->dump;
	jit->cold = g_new(struct jit_cold, JIT_COLDS);
	switch_off(jit, config->emitters_off);
	if (jit_code_new(jit, config->jit_bytes ? config->jit_bytes : EMU_JIT_BYTES))
		return jit;
	log_error("JIT: the host gives no memory to run code in; interpreting");
	jit_free(jit);
	return NULL;
}

void jit_free(struct jit *jit)
{
	if (!jit)
		return;
	jit_code_free(jit);
	g_free(jit->cold);
	g_free(jit);
}

/* Which bodies are called most: those that an emitter would help. */
static void print_bodies(const struct jit *jit, uint64_t all, FILE *out)
{
	for (unsigned op = 0; op < OPS; op++)
		if (jit->bodies[op] > all / 50)
			fprintf(out, "jit.body.%s %" G_GUINT64_FORMAT "\n", op_rows[op].name, jit->bodies[op]);
}

void jit_print_stats(const struct jit *jit, FILE *out)
{
	uint64_t bodies = 0;
	if (!jit)
		return;
	const struct jit_stats *stats = &jit->stats;
	for (unsigned op = 0; op < OPS; op++)
		bodies += jit->bodies[op];
	fprintf(out, "jit.bytes_held %zu\n", jit_cache_used(jit));
	fprintf(out, "jit.blocks %" G_GUINT64_FORMAT "\njit.joined %" G_GUINT64_FORMAT "\njit.bytes %" G_GUINT64_FORMAT "\njit.entered %" G_GUINT64_FORMAT
	        "\njit.linked %" G_GUINT64_FORMAT "\njit.bodies_called %" G_GUINT64_FORMAT "\njit.slow_accesses %" G_GUINT64_FORMAT
	        "\njit.refused %" G_GUINT64_FORMAT "\njit.evicted %" G_GUINT64_FORMAT "\njit.evictions %" G_GUINT64_FORMAT
	        "\njit.flushes %" G_GUINT64_FORMAT "\n",
	        stats->compiled, stats->joined, stats->bytes, stats->entered, stats->linked, bodies, stats->slow, stats->refused, stats->evicted,
	        stats->evictions, stats->flushes);
	print_bodies(jit, bodies, out);
}
