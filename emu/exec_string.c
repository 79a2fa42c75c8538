/* String instructions. Each round is complete before the next, registers
 * included, so a fault or an interrupt between two rounds needs no undoing.
 * Runs of plain memory within a page go as a block. */
#include "emu/access.h"
#include "emu/bodies.h"
#include "emu/debug.h"
#include "emu/flags.h"

/* Rounds of one execution; then the instruction starts anew, which lets
 * interrupts in and the clock move. */
#define ROUNDS_AT_ONCE 4096u

enum round { ROUND_DONE, ROUND_FAULT, ROUND_LAST };

typedef enum round round_fn(struct emu *emu, const struct insn *insn);
/* Does up to `count` rounds at once; 0 when this is not possible here. */
typedef uint32_t block_fn(struct emu *emu, const struct insn *insn, uint32_t count);

static unsigned address_size(const struct insn *insn) { return insn->addr_mask == 0xffff ? 2 : 4; }

static uint32_t string_index(const struct emu *emu, const struct insn *insn, unsigned reg)
{
	return emu->ctx->gpr[reg].e & insn->addr_mask;
}

static void string_advance(struct emu *emu, const struct insn *insn, unsigned reg, uint32_t rounds)
{
	uint32_t step = insn->size * rounds;
	if (emu->ctx->rflags & CTX_EFLAGS_DF)
		step = 0 - step;
	reg_write(emu, reg, address_size(insn), emu->ctx->gpr[reg].e + step);
}

static enum exec string_done(struct emu *emu, const struct insn *insn)
{
	emu->ctx->rip = insn_next_ip(emu, insn);
	return EXEC_BRANCH;
}

static enum exec string_again(struct emu *emu, const struct insn *insn)
{
	emu->ctx->rip = insn_ip(emu, insn);
	/* So that a code breakpoint here does not hit again (SDM vol. 3, 17.3.1.1). */
	emu->ctx->rflags |= CTX_EFLAGS_RF;
	emu->special |= SPECIAL_RF;
	return EXEC_BRANCH;
}

static bool attention(const struct emu *emu)
{
	return atomic_load_explicit(&emu->pins->attention, memory_order_relaxed) || emu->special;
}

/* One stretch of rounds: by block where it goes, else one. Gives how many. */
static enum round string_stretch(struct emu *emu, const struct insn *insn, uint32_t count,
                                 round_fn *round, block_fn *block, uint32_t *rounds)
{
	bool stepped = emu->ctx->rflags & CTX_EFLAGS_TF;
	*rounds = block && !stepped ? block(emu, insn, count) : 0;
	if (*rounds)
		return ROUND_DONE;
	*rounds = 1;
	return round(emu, insn);
}

static enum exec string_repeat(struct emu *emu, const struct insn *insn, round_fn *round, block_fn *block)
{
	unsigned size = address_size(insn);
	uint32_t done = 0, count = reg_read(emu, CTX_RCX, size);
	uint32_t flags = flags_get(emu); /* a fault gives them back: SDM vol. 2, REP */
	enum round result = ROUND_DONE;
	while (count && result == ROUND_DONE && done < ROUNDS_AT_ONCE) {
		uint32_t rounds;
		result = string_stretch(emu, insn, count < ROUNDS_AT_ONCE ? count : ROUNDS_AT_ONCE, round, block, &rounds);
		if (result == ROUND_FAULT)
			break;
		count -= rounds;
		done += rounds;
		reg_write(emu, CTX_RCX, size, count);
		if (attention(emu))
			break;
	}
	emu->insns += done ? done - 1 : 0;
	if (result == ROUND_FAULT) {
		flags_set(emu, flags);
		return EXEC_FAULT;
	}
	return count && result != ROUND_LAST ? string_again(emu, insn) : string_done(emu, insn);
}

static enum exec string_run(struct emu *emu, const struct insn *insn, round_fn *round, block_fn *block)
{
	if (insn->flags & (INSN_REP | INSN_REPNE))
		return string_repeat(emu, insn, round, block);
	return round(emu, insn) == ROUND_FAULT ? EXEC_FAULT : EXEC_NEXT;
}

/* --- blocks ------------------------------------------------------------------- */

/* Rounds of `size` bytes that fit from `offset` up to the end of the page, of
 * the address space of the instruction and of the segment. */
static uint32_t room(const struct emu *emu, const struct insn *insn, unsigned seg, uint32_t offset, bool write, uint32_t count)
{
	const struct seg_fast *fast = &emu->seg[seg];
	uint64_t limit = write ? fast->write : fast->read;
	uint64_t end = (uint64_t)insn->addr_mask + 1;
	if (limit < end)
		end = limit;
	if (offset >= end)
		return 0;
	uint64_t bytes = end - offset;
	uint32_t page = 0x1000 - ((fast->base + offset) & 0xfff);
	if (page < bytes)
		bytes = page;
	uint32_t rounds = (uint32_t)(bytes / insn->size);
	return rounds < count ? rounds : count;
}

static bool forward(const struct emu *emu) { return !(emu->ctx->rflags & CTX_EFLAGS_DF); }

static void copy_rounds(uint8_t *to, const uint8_t *from, unsigned size, uint32_t rounds)
{
	size_t bytes = (size_t)rounds * size;
	if (to <= from || to >= from + bytes) {
		memmove(to, from, bytes);
		return;
	}
	for (uint32_t i = 0; i < rounds; i++)
		memmove(to + (size_t)i * size, from + (size_t)i * size, size);
}

static uint32_t movs_block(struct emu *emu, const struct insn *insn, uint32_t count)
{
	uint32_t from = string_index(emu, insn, CTX_RSI), to = string_index(emu, insn, CTX_RDI);
	uint32_t rounds = room(emu, insn, insn->seg, from, false, count);
	rounds = room(emu, insn, CTX_ES, to, true, rounds);
	if (!rounds || !forward(emu))
		return 0;
	uint8_t *source = access_fast(emu, insn->seg, from, insn->size, false);
	uint8_t *target = access_fast(emu, CTX_ES, to, insn->size, true);
	if (!source || !target)
		return 0;
	copy_rounds(target, source, insn->size, rounds);
	string_advance(emu, insn, CTX_RSI, rounds);
	string_advance(emu, insn, CTX_RDI, rounds);
	return rounds;
}

static uint32_t stos_block(struct emu *emu, const struct insn *insn, uint32_t count)
{
	uint32_t to = string_index(emu, insn, CTX_RDI), value = emu->ctx->gpr[CTX_RAX].e;
	uint32_t rounds = room(emu, insn, CTX_ES, to, true, count);
	uint8_t *target = rounds && forward(emu) ? access_fast(emu, CTX_ES, to, insn->size, true) : NULL;
	if (!target)
		return 0;
	if (insn->size == 1)
		memset(target, (uint8_t)value, rounds);
	else
		for (uint32_t i = 0; i < rounds; i++)
			memcpy(target + (size_t)i * insn->size, &value, insn->size);
	string_advance(emu, insn, CTX_RDI, rounds);
	return rounds;
}

/* --- memory ---------------------------------------------------------------------- */

static enum round movs_round(struct emu *emu, const struct insn *insn)
{
	uint32_t value;
	if (!mem_load(emu, insn->seg, string_index(emu, insn, CTX_RSI), insn->size, &value) ||
	    !mem_store(emu, CTX_ES, string_index(emu, insn, CTX_RDI), insn->size, value))
		return ROUND_FAULT;
	string_advance(emu, insn, CTX_RSI, 1);
	string_advance(emu, insn, CTX_RDI, 1);
	return ROUND_DONE;
}

static enum round stos_round(struct emu *emu, const struct insn *insn)
{
	if (!mem_store(emu, CTX_ES, string_index(emu, insn, CTX_RDI), insn->size, reg_read(emu, CTX_RAX, insn->size)))
		return ROUND_FAULT;
	string_advance(emu, insn, CTX_RDI, 1);
	return ROUND_DONE;
}

static enum round lods_round(struct emu *emu, const struct insn *insn)
{
	uint32_t value;
	if (!mem_load(emu, insn->seg, string_index(emu, insn, CTX_RSI), insn->size, &value))
		return ROUND_FAULT;
	reg_write(emu, CTX_RAX, insn->size, value);
	string_advance(emu, insn, CTX_RSI, 1);
	return ROUND_DONE;
}

/* REPE ends at the first difference, REPNE at the first match. */
static enum round compare_result(const struct emu *emu, const struct insn *insn)
{
	if (insn->flags & INSN_REPNE)
		return flag_zf(emu) ? ROUND_LAST : ROUND_DONE;
	return flag_zf(emu) ? ROUND_DONE : ROUND_LAST;
}

static enum round cmps_round(struct emu *emu, const struct insn *insn)
{
	uint32_t a, b;
	if (!mem_load(emu, insn->seg, string_index(emu, insn, CTX_RSI), insn->size, &a) ||
	    !mem_load(emu, CTX_ES, string_index(emu, insn, CTX_RDI), insn->size, &b))
		return ROUND_FAULT;
	flags_sub(emu, a, b, a - b, insn->size);
	string_advance(emu, insn, CTX_RSI, 1);
	string_advance(emu, insn, CTX_RDI, 1);
	return compare_result(emu, insn);
}

static enum round scas_round(struct emu *emu, const struct insn *insn)
{
	uint32_t a = reg_read(emu, CTX_RAX, insn->size), b;
	if (!mem_load(emu, CTX_ES, string_index(emu, insn, CTX_RDI), insn->size, &b))
		return ROUND_FAULT;
	flags_sub(emu, a, b, a - b, insn->size);
	string_advance(emu, insn, CTX_RDI, 1);
	return compare_result(emu, insn);
}

enum exec exec_movs(struct emu *emu, const struct insn *insn) { return string_run(emu, insn, movs_round, movs_block); }
enum exec exec_stos(struct emu *emu, const struct insn *insn) { return string_run(emu, insn, stos_round, stos_block); }
enum exec exec_lods(struct emu *emu, const struct insn *insn) { return string_run(emu, insn, lods_round, NULL); }
enum exec exec_cmps(struct emu *emu, const struct insn *insn) { return string_run(emu, insn, cmps_round, NULL); }
enum exec exec_scas(struct emu *emu, const struct insn *insn) { return string_run(emu, insn, scas_round, NULL); }

/* --- ports ----------------------------------------------------------------------- */

/* The destination is checked before the port is read, which cannot be undone. */
static enum round ins_round(struct emu *emu, const struct insn *insn)
{
	uint32_t to = string_index(emu, insn, CTX_RDI);
	if (!emu_probe_write(emu, CTX_ES, to, insn->size))
		return ROUND_FAULT;
	uint32_t value = bus_read(emu->bus, emu->ctx->gpr[CTX_RDX].x, insn->size);
	if (emu->special & SPECIAL_DR7)
		debug_port_access(emu, emu->ctx->gpr[CTX_RDX].x, insn->size);
	if (!mem_store(emu, CTX_ES, to, insn->size, value))
		return ROUND_FAULT;
	string_advance(emu, insn, CTX_RDI, 1);
	return ROUND_DONE;
}

static uint32_t ins_block(struct emu *emu, const struct insn *insn, uint32_t count)
{
	uint32_t to = string_index(emu, insn, CTX_RDI), rounds = room(emu, insn, CTX_ES, to, true, count);
	uint8_t *target = rounds && forward(emu) ? access_fast(emu, CTX_ES, to, insn->size, true) : NULL;
	if (!target)
		return 0;
	rounds = (uint32_t)bus_read_many(emu->bus, emu->ctx->gpr[CTX_RDX].x, insn->size, target, rounds);
	string_advance(emu, insn, CTX_RDI, rounds);
	return rounds;
}

static enum round outs_round(struct emu *emu, const struct insn *insn)
{
	uint32_t value;
	if (!mem_load(emu, insn->seg, string_index(emu, insn, CTX_RSI), insn->size, &value))
		return ROUND_FAULT;
	bus_write(emu->bus, emu->ctx->gpr[CTX_RDX].x, insn->size, value);
	if (emu->special & SPECIAL_DR7)
		debug_port_access(emu, emu->ctx->gpr[CTX_RDX].x, insn->size);
	string_advance(emu, insn, CTX_RSI, 1);
	return ROUND_DONE;
}

static uint32_t outs_block(struct emu *emu, const struct insn *insn, uint32_t count)
{
	uint32_t from = string_index(emu, insn, CTX_RSI), rounds = room(emu, insn, insn->seg, from, false, count);
	uint8_t *source = rounds && forward(emu) ? access_fast(emu, insn->seg, from, insn->size, false) : NULL;
	if (!source)
		return 0;
	rounds = (uint32_t)bus_write_many(emu->bus, emu->ctx->gpr[CTX_RDX].x, insn->size, source, rounds);
	string_advance(emu, insn, CTX_RSI, rounds);
	return rounds;
}

static enum exec string_ports(struct emu *emu, const struct insn *insn, round_fn *round, block_fn *block)
{
	if (!task_io_allowed(emu, emu->ctx->gpr[CTX_RDX].x, insn->size))
		return EXEC_FAULT;
	emu_clock_before(emu, insn);
	enum exec result = string_run(emu, insn, round, block);
	emu_clock_after(emu);
	return result == EXEC_NEXT ? string_done(emu, insn) : result;
}

enum exec exec_ins(struct emu *emu, const struct insn *insn) { return string_ports(emu, insn, ins_round, ins_block); }
enum exec exec_outs(struct emu *emu, const struct insn *insn) { return string_ports(emu, insn, outs_round, outs_block); }
