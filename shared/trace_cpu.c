#include "shared/trace_cpu.h"

#include <string.h>

#include <glib.h>

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

static void add_registers(struct trace_event *event, const struct ctx *ctx, uint32_t eflags)
{
	for (size_t i = 0; i < G_N_ELEMENTS(registers); i++) {
		trace_number(event, registers[i].name, ctx->gpr[registers[i].gpr].e);
		trace_text(event, " %s=%08x", registers[i].name, ctx->gpr[registers[i].gpr].e);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(segments); i++) {
		trace_number(event, segments[i].name, ctx->seg[segments[i].sreg].selector);
		trace_text(event, " %s=%04x", segments[i].name, ctx->seg[segments[i].sreg].selector);
	}
	trace_number(event, "flags", eflags);
	trace_text(event, " fl=%05x", eflags);
}

void trace_cpu_insn(const struct ctx *ctx, uint32_t eflags, const char *text)
{
	struct trace_event event;
	trace_begin(&event, "insn");
	trace_place(&event, ctx, (uint32_t)ctx->rip);
	trace_string(&event, "text", text);
	trace_text(&event, " %-36s", text);
	add_registers(&event, ctx, eflags);
	trace_emit(&event);
}

void trace_cpu_block(const struct ctx *ctx, unsigned bytes, unsigned insns)
{
	struct trace_event event;
	trace_begin(&event, "block");
	trace_text(&event, "block ");
	trace_place(&event, ctx, (uint32_t)ctx->rip);
	trace_number(&event, "bytes", bytes);
	trace_number(&event, "insns", insns);
	trace_text(&event, " %u bytes, %u instructions", bytes, insns);
	trace_emit(&event);
}

void trace_cpu_mode(struct trace_event *event, const struct ctx *ctx, uint64_t ip, const char *from, const char *to)
{
	trace_begin(event, "mode");
	trace_string(event, "from", from);
	trace_string(event, "to", to);
	trace_text(event, "mode %s -> %s at ", from, to);
	trace_place(event, ctx, ip);
}

bool trace_cpu_watches(const struct trace_watch *watch, unsigned watches, uint64_t address, unsigned size)
{
	for (unsigned i = 0; i < watches; i++)
		if (address < watch[i].address + watch[i].size && watch[i].address < address + size)
			return true;
	return false;
}

void trace_cpu_access(const struct ctx *ctx, uint64_t address, const void *bytes, unsigned size, bool write)
{
	uint64_t value = 0;
	struct trace_event event;
	memcpy(&value, bytes, MIN(size, sizeof value));
	trace_begin(&event, "mem");
	trace_string(&event, "op", write ? "write" : "read");
	trace_number(&event, "address", address);
	trace_number(&event, "size", size);
	trace_number(&event, "value", value);
	trace_text(&event, "mem %s %08x.%u = %0*" G_GINT64_MODIFIER "x at ", write ? "write" : "read ", (uint32_t)address,
	           size, 2 * (int)MIN(size, 8u), value);
	trace_place(&event, ctx, (uint32_t)ctx->rip);
	trace_emit(&event);
}
