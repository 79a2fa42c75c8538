#include "emu/tracer.h"

#include <glib.h>

#include "emu/block.h"
#include "emu/bodies.h"
#include "emu/decode.h"
#include "emu/flags.h"
#include "shared/trace.h"

static const struct {
	const char *name;
	unsigned gpr;
} registers[] = {
	{ "ax", CTX_RAX }, { "bx", CTX_RBX }, { "cx", CTX_RCX }, { "dx", CTX_RDX },
	{ "sp", CTX_RSP }, { "bp", CTX_RBP }, { "si", CTX_RSI }, { "di", CTX_RDI },
};

static const struct {
	const char *name;
	enum ctx_sreg sreg;
} segments[] = { { "ds", CTX_DS }, { "es", CTX_ES }, { "ss", CTX_SS } };

static void add_registers(struct emu *emu, struct trace_event *event)
{
	const struct ctx *ctx = emu->ctx;
	for (size_t i = 0; i < G_N_ELEMENTS(registers); i++) {
		trace_number(event, registers[i].name, ctx->gpr[registers[i].gpr].e);
		trace_text(event, " %s=%08x", registers[i].name, ctx->gpr[registers[i].gpr].e);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(segments); i++) {
		trace_number(event, segments[i].name, ctx->seg[segments[i].sreg].selector);
		trace_text(event, " %s=%04x", segments[i].name, ctx->seg[segments[i].sreg].selector);
	}
	trace_number(event, "flags", eflags_get(emu));
	trace_text(event, " fl=%05x", eflags_get(emu));
}

void tracer_insn(struct emu *emu, const struct insn *insn)
{
	char text[96];
	struct trace_event event;
	decode_print(emu->decoder, insn->raw, insn->length, emu->code32, emu->ctx->rip, text, sizeof text);
	trace_begin(&event, "insn");
	trace_place(&event, emu->ctx, (uint32_t)emu->ctx->rip);
	trace_string(&event, "text", text);
	trace_text(&event, " %-36s", text);
	add_registers(emu, &event);
	trace_emit(&event);
}

void tracer_block(struct emu *emu, const struct block *block)
{
	struct trace_event event;
	trace_begin(&event, "block");
	trace_text(&event, "block ");
	trace_place(&event, emu->ctx, (uint32_t)emu->ctx->rip);
	trace_number(&event, "bytes", block->size);
	trace_number(&event, "insns", block->count);
	trace_text(&event, " %u bytes, %u instructions", block->size, block->count);
	trace_emit(&event);
}

static const char *mode_name(bool protected_mode, bool vm86)
{
	return vm86 ? "vm86" : protected_mode ? "protected" : "real";
}

/* CR0 is written by the last instruction of a block; all else has no block, or its
 * EIP in place. */
static uint32_t change_ip(const struct emu *emu)
{
	const struct block *block = emu->block;
	if (!block || block->dead || !block->count)
		return (uint32_t)emu->ctx->rip;
	const struct insn *last = &block->insns[block->count - 1];
	return last->op == OP_mov_to_cr || last->op == OP_lmsw ? insn_ip(emu, last) : (uint32_t)emu->ctx->rip;
}

void tracer_mode(struct emu *emu, bool was_protected, bool was_vm86)
{
	const char *from = mode_name(was_protected, was_vm86), *to = mode_name(emu->protected_mode, emu->vm86);
	uint32_t ip = change_ip(emu);
	uint64_t blocks = emu->traced_blocks + emu->ctx->blocks_run;
	struct trace_event event;
	trace_begin(&event, "mode");
	trace_string(&event, "from", from);
	trace_string(&event, "to", to);
	trace_text(&event, "mode %s -> %s at ", from, to);
	trace_place(&event, emu->ctx, ip);
	trace_number(&event, "blocks", blocks - emu->mode_blocks);
	trace_text(&event, " after %" G_GUINT64_FORMAT " blocks", blocks - emu->mode_blocks);
	emu->mode_blocks = blocks;
	trace_site_code(emu->sites, &event, emu->ctx, emu->mem, ip);
	trace_emit(&event);
}

static bool watches(const struct emu *emu, uint64_t address, unsigned size)
{
	for (unsigned i = 0; i < emu->watches; i++)
		if (address < emu->watch[i].address + emu->watch[i].size && emu->watch[i].address < address + size)
			return true;
	return false;
}

void tracer_access(struct emu *emu, const void *bytes, unsigned size, bool write)
{
	uint64_t value = 0;
	struct trace_event event;
	if (!watches(emu, emu->rmw.address[0], emu->rmw.size[0]) &&
	    !(emu->rmw.size[1] && watches(emu, emu->rmw.address[1], emu->rmw.size[1])))
		return;
	memcpy(&value, bytes, MIN(size, sizeof value));
	trace_begin(&event, "mem");
	trace_string(&event, "op", write ? "write" : "read");
	trace_number(&event, "address", emu->rmw.address[0]);
	trace_number(&event, "size", size);
	trace_number(&event, "value", value);
	trace_text(&event, "mem %s %08x.%u = %0*" G_GINT64_MODIFIER "x at ", write ? "write" : "read ", (uint32_t)emu->rmw.address[0],
	           size, 2 * (int)MIN(size, 8u), value);
	trace_place(&event, emu->ctx, (uint32_t)emu->ctx->rip);
	trace_emit(&event);
}

void tracer_vector(struct emu *emu, const char *what, uint8_t vector, uint32_t error)
{
	bool fault = !strcmp(what, "exception");
	struct trace_event event;
	trace_begin(&event, "irq");
	trace_string(&event, "op", what);
	trace_number(&event, "vector", vector);
	trace_text(&event, "%s vector %02x", what, vector);
	if (fault) {
		trace_number(&event, "error", error);
		trace_text(&event, " error %x", error);
	}
	trace_text(&event, " at ");
	trace_place(&event, emu->ctx, (uint32_t)emu->ctx->rip);
	trace_emit(&event);
}

void tracer_int(struct emu *emu, const struct insn *insn, uint8_t vector)
{
	const struct watcher *watcher = &emu->watcher;
	if (!watcher->soft_int)
		return;
	emu_clock_before(emu, insn);
	watcher->soft_int(watcher->owner, emu->ctx, eflags_get(emu), emu->mem, vector);
}

enum exec tracer_far(struct emu *emu, const struct insn *insn, enum exec result)
{
	const struct watcher *watcher = &emu->watcher;
	if (!watcher->arrived || result != EXEC_BRANCH)
		return result;
	emu_clock_before(emu, insn);
	watcher->arrived(watcher->owner, emu->ctx, eflags_get(emu), emu->mem);
	return result;
}
