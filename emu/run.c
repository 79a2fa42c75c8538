/* The engine: the loop over blocks, and what happens between two of them. */
#include <glib.h>

#include "emu/access.h"
#include "emu/block.h"
#include "emu/bodies.h"
#include "emu/debug.h"
#include "emu/debugger.h"
#include "emu/decode.h"
#include "emu/flags.h"
#include "emu/fpu.h"
#include "emu/jit.h"
#include "emu/tracer.h"
#include "shared/log.h"

/* --- the clock ----------------------------------------------------------------- */

static void clock_catch_up(struct emu *emu, uint64_t insns)
{
	if (insns > emu->insns_told) {
		clock_add_insns(emu->clock, insns - emu->insns_told);
		emu->insns_told = insns;
	}
}

void emu_clock_before(struct emu *emu, const struct insn *insn)
{
	clock_catch_up(emu, emu->insns + (uint64_t)(insn - emu->block->insns) + 1);
}

/* In virtual time a device may have set a deadline that comes before the end of
 * this request. */
void emu_clock_after(struct emu *emu)
{
	if (clock_kind(emu->clock) != CLOCK_KIND_VIRTUAL)
		return;
	uint64_t deadline = clock_next_deadline(emu->clock), now = clock_now(emu->clock);
	if (deadline == CLOCK_NEVER)
		return;
	uint64_t left = deadline > now ? (deadline - now) / CLOCK_NS_PER_INSN : 0;
	if (emu->insns_told + left < emu->limit_insns)
		emu->limit_insns = emu->insns_told + left;
}

/* --- between two instructions ---------------------------------------------------- */

void emu_shadow(struct emu *emu, uint32_t shadow)
{
	emu->ctx->interrupt_shadow = shadow;
	emu->special |= SPECIAL_SHADOW;
}

static void special_set(struct emu *emu, uint32_t bit, bool on)
{
	emu->special = on ? emu->special | bit : emu->special & ~bit;
}

void emu_flags_changed(struct emu *emu)
{
	uint64_t rflags = emu->ctx->rflags;
	special_set(emu, SPECIAL_TF, rflags & CTX_EFLAGS_TF);
	special_set(emu, SPECIAL_RF, rflags & CTX_EFLAGS_RF);
	/* An interrupt that waits has become possible. */
	if ((rflags & CTX_EFLAGS_IF) && emu->pins->intr)
		cpu_pins_attend(emu->pins);
	if (emu->cpl == 3 && (emu->ctx->cr0 & CTX_CR0_AM))
		emu_mode_changed(emu);
}

void emu_special_changed(struct emu *emu)
{
	const struct ctx *ctx = emu->ctx;
	emu->special = 0;
	special_set(emu, SPECIAL_SHADOW, ctx->interrupt_shadow);
	special_set(emu, SPECIAL_TF, ctx->rflags & CTX_EFLAGS_TF);
	special_set(emu, SPECIAL_RF, ctx->rflags & CTX_EFLAGS_RF);
	special_set(emu, SPECIAL_DR7, debug_enabled(emu));
	special_set(emu, SPECIAL_DB, ctx->pending_db);
	special_set(emu, SPECIAL_HALT, ctx->halted);
	special_set(emu, SPECIAL_TRACE, log_trace_mask & LOG_TRACE_INSN);
	special_set(emu, SPECIAL_DEBUGGER, ctx->debug.armed);
	special_set(emu, SPECIAL_LONG, ctx->efer & CTX_EFER_LMA);
	special_set(emu, SPECIAL_WATCH, emu->watches && (log_trace_mask & LOG_TRACE_MEM));
}

/* INIT: as RESET, but caches, FPU and MSRs stay (SDM vol. 3, table 9-1). */
static void cpu_init(struct emu *emu)
{
	struct ctx *ctx = emu->ctx, old = *ctx;
	ctx_reset(ctx, emu_cpu_signature(emu->cpu));
	memcpy(ctx->fxsave, old.fxsave, sizeof ctx->fxsave);
	ctx->fpu_present = old.fpu_present;
	memcpy(&ctx->magic, &old.magic, offsetof(struct ctx, gpr));
	memcpy(&ctx->tsc_offset, &old.tsc_offset, offsetof(struct ctx, tr3) - offsetof(struct ctx, tsc_offset));
	ctx->smbase = old.smbase;
	ctx->debug = old.debug;
	ctx->cr0 = (ctx->cr0 & ~(uint64_t)(CTX_CR0_CD | CTX_CR0_NW)) | (old.cr0 & (CTX_CR0_CD | CTX_CR0_NW));
	flags_set(emu, (uint32_t)ctx->rflags);
	emu_special_changed(emu);
	emu_mode_changed(emu);
	paging_flush(emu);
}

static void wake(struct emu *emu)
{
	emu->ctx->halted = 0;
	emu->special &= ~(uint32_t)SPECIAL_HALT;
}

static bool interrupts_open(const struct emu *emu)
{
	return (emu->ctx->rflags & CTX_EFLAGS_IF) && !emu->ctx->interrupt_shadow;
}

static void take_event(struct emu *emu, uint8_t vector)
{
	wake(emu);
	if (unlikely(log_trace_mask & LOG_TRACE_IRQ))
		tracer_vector(emu, "irq", vector, 0);
	if (!intr_deliver(emu, vector, INTR_EXTERNAL, false, 0))
		intr_deliver_fault(emu);
}

/* What was being delivered when another engine let go. A software interrupt happens
 * again by itself: RIP is still at it. */
static void take_injected(struct emu *emu)
{
	struct ctx *ctx = emu->ctx;
	uint32_t type = ctx->event_type;
	uint8_t vector = (uint8_t)ctx->event_vector;
	ctx->event_type = CTX_EVENT_NONE;
	if (type == CTX_EVENT_INTR || type == CTX_EVENT_NMI) {
		take_event(emu, type == CTX_EVENT_NMI ? VEC_NMI : vector);
		ctx->nmi_masked |= type == CTX_EVENT_NMI;
	} else if (type == CTX_EVENT_FAULT) {
		wake(emu);
		emu_raise(emu, vector);
		emu->fault.has_error = ctx->event_has_error;
		emu->fault.error = ctx->event_error;
		emu->fault.address = (uint32_t)ctx->cr2;
		emu->fault.is_trap = vector == VEC_DB;
		intr_deliver_fault(emu);
	}
}

/* Traps of the instruction before: single step, data breakpoints. MOV SS holds
 * them back for one instruction. */
static void take_pending_db(struct emu *emu)
{
	struct ctx *ctx = emu->ctx;
	if (ctx->interrupt_shadow & CTX_SHADOW_MOV_SS)
		return;
	emu_raise(emu, VEC_DB);
	emu->fault.is_trap = true;
	emu->fault.dr6 = ctx->pending_db;
	ctx->pending_db = 0;
	emu->special &= ~(uint32_t)SPECIAL_DB;
	wake(emu);
	intr_deliver_fault(emu);
}

/* The pins, in the order of SDM vol. 3, table 6-2. Returns STOP_NONE to go on. */
static enum stop_reason take_pins(struct emu *emu)
{
	struct cpu_pins *pins = emu->pins;
	struct ctx *ctx = emu->ctx;
	/* An exchange: a pin that another thread drives from now on is not read before. */
	atomic_exchange(&pins->attention, false);
	if (pins->stop || pins->reset)
		return STOP_KICK;
	if (pins->smi && !ctx->smm) {
		pins->smi = false;
		if (emu->cpu >= EMU_CPU_PENTIUM)
			smm_enter(emu);
	}
	if (pins->init && !ctx->smm) {
		pins->init = false;
		cpu_init(emu);
	}
	if (ctx->pending_db)
		take_pending_db(emu);
	if (pins->nmi && !ctx->nmi_masked && !ctx->interrupt_shadow) {
		pins->nmi = false;
		take_event(emu, VEC_NMI);
		ctx->nmi_masked = 1;
	}
	if (pins->intr && interrupts_open(emu) && pins->acknowledge && !debugger_holds_interrupts(emu)) {
		if (pins->hold_intr)
			return STOP_HELD;
		take_event(emu, pins->acknowledge(pins->owner));
	}
	return STOP_NONE;
}

/* --- running --------------------------------------------------------------------- */

/* The instruction did not happen, nor did what it would have hit. */
static void forget_accesses(struct emu *emu)
{
	emu->ctx->pending_db &= ~0xfu;
	special_set(emu, SPECIAL_DB, emu->ctx->pending_db);
}

void emu_insn_fault(struct emu *emu, const struct insn *insn)
{
	if (!emu->fault.keep_ip)
		emu->ctx->rip = insn_ip(emu, insn);
	forget_accesses(emu);
	intr_deliver_fault(emu);
}

static inline enum exec run_block(struct emu *emu, struct block *block)
{
	if (unlikely(log_trace_mask & LOG_TRACE_BLOCK))
		tracer_block(emu, block);
	const struct insn *insn = block->insns;
	enum exec result;
	emu->block = block;
	emu->block_ip = (uint32_t)emu->ctx->rip;
	while ((result = insn->exec(emu, insn)) == EXEC_NEXT)
		insn++;
	emu->insns += (uint64_t)(insn - block->insns) + 1;
	emu->ctx->blocks_run++;
	if (unlikely(result == EXEC_FAULT))
		emu_insn_fault(emu, insn);
	return result;
}

/* Does this operation end with the trap of a single step? INT clears TF itself. */
static bool steps(const struct emu *emu, const struct insn *insn)
{
	if (insn->op == OP_into)
		return (uint32_t)emu->ctx->rip == insn_next_ip(emu, insn);
	return insn->op != OP_int && insn->op != OP_int3 && insn->op != OP_int1;
}

/* A code breakpoint at the next instruction, unless MOV SS came before it. */
static bool take_code_breakpoint(struct emu *emu)
{
	uint32_t linear = (uint32_t)emu->ctx->seg[CTX_CS].base + (uint32_t)emu->ctx->rip;
	bool held = (emu->ctx->rflags & CTX_EFLAGS_RF) || (emu->ctx->interrupt_shadow & CTX_SHADOW_MOV_SS);
	uint32_t hit = held ? 0 : debug_code_match(emu, linear);
	if (!hit)
		return false;
	emu_raise(emu, VEC_DB);
	emu->fault.is_trap = true;
	emu->fault.dr6 = hit;
	emu->insns++; /* a handler may meet it again, and again */
	intr_deliver_fault(emu);
	return true;
}

/* One instruction under a shadow, TF, breakpoints or a trace. */
static enum exec run_single(struct emu *emu)
{
	struct ctx *ctx = emu->ctx;
	if ((emu->special & SPECIAL_DR7) && take_code_breakpoint(emu))
		return EXEC_BRANCH;
	bool step = ctx->rflags & CTX_EFLAGS_TF;
	struct block *block = block_find(emu, (uint32_t)ctx->rip, true);
	if (!block) {
		emu->insns++;
		ctx->interrupt_shadow = 0;
		emu->special &= ~(uint32_t)SPECIAL_SHADOW;
		intr_deliver_fault(emu);
		return EXEC_BRANCH;
	}
	if (emu->special & SPECIAL_TRACE)
		tracer_insn(emu, block->insns);
	if (ctx->interrupt_shadow)
		cpu_pins_attend(emu->pins);
	ctx->interrupt_shadow = 0;
	ctx->rflags &= ~(uint64_t)CTX_EFLAGS_RF;
	emu->special &= ~(uint32_t)(SPECIAL_SHADOW | SPECIAL_RF);
	enum exec result = run_block(emu, block);
	/* Behind MOV SS and POP SS there is none (SDM vol. 3, 6.8.3). */
	bool held = ctx->interrupt_shadow & CTX_SHADOW_MOV_SS;
	if (step && !held && result != EXEC_FAULT && steps(emu, block->insns)) {
		ctx->pending_db |= 0x4000; /* DR6.BS */
		emu->special |= SPECIAL_DB;
	}
	return result;
}

/* What the fast loop leaves aside. Returns STOP_NONE to go on. */
static enum stop_reason run_special(struct emu *emu)
{
	if (emu->special & SPECIAL_LONG)
		return STOP_MODE;
	if (atomic_load_explicit(&emu->pins->attention, memory_order_acquire)) {
		enum stop_reason reason = take_pins(emu);
		if (reason != STOP_NONE)
			return reason;
	}
	if (emu->ctx->pending_db)
		take_pending_db(emu);
	if (emu->shutdown)
		return STOP_SHUTDOWN;
	if ((emu->special & SPECIAL_DEBUGGER) && debugger_before(emu))
		return STOP_DEBUG;
	if (emu->ctx->halted)
		return STOP_HALT;
	if (emu->special)
		run_single(emu);
	if (emu->shutdown)
		return STOP_SHUTDOWN;
	return (emu->special & SPECIAL_DEBUGGER) && debugger_after(emu) ? STOP_DEBUG : STOP_NONE;
}

/* The rule of V2E: so many blocks after real mode was left. The JIT runs several, but
 * none behind the one that leaves real mode. */
static inline bool mode_left(struct emu *emu, uint64_t blocks)
{
	if (emu->is_real) {
		emu->left_blocks = 0;
		return false;
	}
	if (emu->stays)
		return false;
	emu->left_blocks = emu->was_real ? 1 : emu->left_blocks + blocks;
	return emu->left_blocks > emu->ctx->limit_blocks;
}

static inline struct block *next_block(struct emu *emu)
{
	struct block *last = (struct block *)emu->block, *next;
	uint32_t ip = (uint32_t)emu->ctx->rip;
	if (last && !last->dead) {
		next = block_successor(emu, last, (uint32_t)emu->ctx->seg[CTX_CS].base + ip);
		if (next && (uint64_t)ip + next->size <= emu->code_limit)
			return next;
	}
	next = block_find(emu, ip, false);
	if (next && emu->block == last && last && !last->dead) {
		last->successor[1] = last->successor[0];
		last->successor[0] = next;
	}
	return next;
}

static enum stop_reason run_loop(struct emu *emu)
{
	for (;;) {
		if (emu->special)
			emu_pass_shadow(emu);
		if (unlikely(emu->special || atomic_load_explicit(&emu->pins->attention, memory_order_relaxed))) {
			enum stop_reason reason = run_special(emu);
			if (reason != STOP_NONE)
				return reason;
			if (emu->insns >= emu->limit_insns)
				return STOP_BUDGET;
			continue;
		}
		if (emu->insns >= emu->limit_insns)
			return STOP_BUDGET;
		uint64_t blocks = emu->ctx->blocks_run;
		emu->was_real = emu->is_real;
		struct block *block = next_block(emu);
		if (unlikely(!block)) {
			emu->insns++;
			blocks--; /* as good as one */
			intr_deliver_fault(emu);
		} else if (jit_ready(emu, block)) {
			jit_run(emu, block);
		} else {
			run_block(emu, block);
		}
		if (unlikely(emu->shutdown))
			return STOP_SHUTDOWN;
		if (unlikely(mode_left(emu, emu->ctx->blocks_run - blocks)))
			return STOP_MODE;
	}
}

static void enter(struct emu *emu, struct ctx *ctx)
{
	emu->ctx = ctx;
	emu->a20_mask = emu->mem->a20_mask;
	emu->insns = emu->insns_told = 0;
	emu->limit_insns = ctx->limit_insns;
	emu->shutdown = false;
	emu->block = NULL;
	flags_set(emu, (uint32_t)ctx->rflags);
	emu_special_changed(emu);
	emu->stays = ctx->stays;
	emu_mode_changed(emu);
	/* A fault here is the other engine's: the entries read as not present. */
	if (emu->paging && emu->pae && !emu->pdptes_known && !paging_load_pdptes(emu))
		memset(emu->pdpte, 0, sizeof emu->pdpte);
	/* Another engine may have had the attention, and left the pin to this one. */
	const struct cpu_pins *pins = emu->pins;
	if ((ctx->rflags & CTX_EFLAGS_IF) || pins->nmi || pins->smi || pins->init || pins->stop || pins->reset)
		cpu_pins_attend(emu->pins);
}

static enum stop_reason emu_run(struct engine *engine, struct ctx *ctx)
{
	struct emu *emu = (struct emu *)engine;
	enter(emu, ctx);
	if (unlikely(ctx->event_type))
		take_injected(emu);
	enum stop_reason reason = unlikely(emu->shutdown) ? STOP_SHUTDOWN : run_loop(emu);
	clock_catch_up(emu, emu->insns);
	ctx->rflags = eflags_get(emu);
	ctx->insns_run += emu->insns;
	emu->traced_blocks += ctx->blocks_run;
	return reason;
}

/* --- the engine ------------------------------------------------------------------- */

static bool emu_can_run(struct engine *engine, const struct ctx *ctx)
{
	(void)engine;
	return !(ctx->efer & CTX_EFER_LMA);
}

static void emu_kick(struct engine *engine)
{
	cpu_pins_attend(((struct emu *)engine)->pins);
}

static void emu_new_epoch(struct engine *engine)
{
	struct emu *emu = (struct emu *)engine;
	block_cache_distrust(emu->cache);
	emu->pdptes_known = false;
	memset(emu->tlb, 0, sizeof emu->tlb);
}

static void emu_flush(struct engine *engine)
{
	block_cache_flush((struct emu *)engine);
}

static void emu_print_stats(struct engine *engine, FILE *out)
{
	const struct block_stats *stats = &((struct emu *)engine)->cache->stats;
	fprintf(out, "emu.blocks_built %" G_GUINT64_FORMAT "\nemu.blocks_dropped %" G_GUINT64_FORMAT
	        "\nemu.cache_flushes %" G_GUINT64_FORMAT "\nemu.slow_lookups %" G_GUINT64_FORMAT
	        "\nemu.patches %" G_GUINT64_FORMAT "\n",
	        stats->built, stats->killed, stats->flushes, stats->looked_up, stats->patched);
	jit_print_stats(((struct emu *)engine)->jit, out);
}

static void emu_free(struct engine *engine)
{
	struct emu *emu = (struct emu *)engine;
	mem_unlisten(emu->mem, emu);
	block_cache_free(emu->cache);
	jit_free(emu->jit);
	decoder_free(emu->decoder);
	fpu_host_free(emu->fpu);
	trace_sites_free(emu->sites);
	if (emu->watcher.free)
		emu->watcher.free(emu->watcher.owner);
	g_free(emu);
}

static const struct engine_ops emu_ops = {
	.name = "emu",
	.can_run = emu_can_run,
	.run = emu_run,
	.kick = emu_kick,
	.new_epoch = emu_new_epoch,
	.flush = emu_flush,
	.print_stats = emu_print_stats,
	.free = emu_free,
};

static void on_map_changed(void *owner, uint64_t address, uint64_t size)
{
	struct emu *emu = owner;
	emu->a20_mask = emu->mem->a20_mask;
	memset(emu->tlb, 0, sizeof emu->tlb);
	block_cache_forget_addresses(emu->cache);
	if (size < MEM_SPACE)
		block_cache_written(emu, address, size);
}

static void on_code_written(void *owner, uint32_t address, uint32_t size)
{
	block_cache_written(owner, address, size);
}

struct engine *emu_new(const struct emu_config *config, char **error)
{
	struct emu *emu = g_new0(struct emu, 1);
	emu->engine.ops = &emu_ops;
	emu->mem = config->mem;
	emu->bus = config->bus;
	emu->clock = config->clock;
	emu->pins = config->pins;
	emu->cpu = config->cpu;
	emu->feature_edx = cpuid_features(config->cpu);
	emu->long_mode = config->long_mode;
	emu->set_smm = config->set_smm;
	emu->owner = config->owner;
	emu->flat = config->mem->flat;
	emu->page = config->mem->page;
	emu->a20_mask = config->mem->a20_mask;
	emu->decoder = decoder_new(config->cpu, error);
	emu->cache = block_cache_new();
	emu->fpu = fpu_host_new();
	emu->sites = trace_sites_new();
	emu->watches = MIN(config->watches, TRACE_WATCHES);
	memcpy(emu->watch, config->watch, sizeof emu->watch);
	emu->watcher = config->watcher;
	if (emu->cache)
		emu->jit = jit_new(emu, config);
	struct mem_listener listener = { on_map_changed, on_code_written, emu };
	if (emu->decoder && emu->cache && emu->fpu && !mem_listen(config->mem, &listener))
		return &emu->engine;
	if (emu->decoder)
		*error = g_strdup("emulator: no memory for the code cache");
	emu_free(&emu->engine);
	return NULL;
}

void emu_show_features(struct engine *engine, uint32_t ecx, uint32_t edx)
{
	struct emu *emu = (struct emu *)engine;
	emu->feature_ecx = ecx;
	emu->feature_edx = edx;
}

bool emu_cpu_parse(const char *name, enum emu_cpu *cpu)
{
	static const char *const names[] = { "386", "486", "pentium", "p6", "x86-64" };
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
		if (!strcmp(name, names[i])) {
			*cpu = (enum emu_cpu)i;
			return true;
		}
	return false;
}

/* 386DX, 486DX2 with CPUID, Pentium (P54C), Pentium II, Core 2. */
uint32_t emu_cpu_signature(enum emu_cpu cpu)
{
	static const uint32_t signatures[] = { 0x308, 0x435, 0x525, 0x633, 0x6f6 };
	return signatures[cpu];
}
