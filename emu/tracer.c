#include "emu/tracer.h"

#include <glib.h>

#include "emu/block.h"
#include "emu/bodies.h"
#include "emu/decode.h"
#include "emu/flags.h"
#include "shared/trace_cpu.h"

void tracer_insn(struct emu *emu, const struct insn *insn)
{
	char text[96];
	decode_print(emu->decoder, insn->raw, insn->length, emu->code32, emu->ctx->rip, text, sizeof text);
	trace_cpu_insn(emu->ctx, eflags_get(emu), text);
}

void tracer_block(struct emu *emu, const struct block *block)
{
	trace_cpu_block(emu->ctx, block->size, block->count);
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
	const char *from = mode_name(was_protected, was_vm86), *to = emu->traced_long ? "long" : mode_name(emu->protected_mode, emu->vm86);
	uint32_t ip = change_ip(emu);
	uint64_t blocks = emu->traced_blocks + emu->ctx->blocks_run;
	struct trace_event event;
	trace_cpu_mode(&event, emu->ctx, ip, from, to);
	trace_number(&event, "blocks", blocks - emu->mode_blocks);
	trace_text(&event, " after %" G_GUINT64_FORMAT " blocks", blocks - emu->mode_blocks);
	emu->mode_blocks = blocks;
	trace_site_code(emu->sites, &event, emu->ctx, emu->mem, ip);
	trace_emit(&event);
}

void tracer_access(struct emu *emu, const void *bytes, unsigned size, bool write)
{
	const struct trace_watch *watch = emu->watch;
	if (trace_cpu_watches(watch, emu->watches, emu->rmw.address[0], emu->rmw.size[0]) ||
	    (emu->rmw.size[1] && trace_cpu_watches(watch, emu->watches, emu->rmw.address[1], emu->rmw.size[1])))
		trace_cpu_access(emu->ctx, emu->rmw.address[0], bytes, size, write);
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
