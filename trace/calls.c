#include "trace/calls.h"

#include <string.h>

#include "shared/linear.h"
#include "shared/trace.h"
#include "trace/bios_call.h"

/* Vectors that may be entered without INT: those that are looked up together. */
#define FIRST_VECTOR 0x10u
#define LAST_VECTOR  0x2fu
#define IRET_FRAME   6u

struct open_call {
	uint64_t number, ns;
	const struct bios_call *row; /* NULL: unknown */
	uint8_t vector;
	uint16_t ax;                 /* as it was called */
	uint32_t linear;             /* of the return address */
	uint32_t stack_base, sp;     /* as they will be then */
	uint16_t cs, ip;             /* of INT, or of the return address where there was none */
};

struct calls {
	struct open_call open[TRACE_CALLS_OPEN];
	unsigned count;
	uint64_t number;
};

static bool is_real(const struct ctx *ctx)
{
	return !(ctx->cr0 & CTX_CR0_PE) || (ctx->rflags & CTX_EFLAGS_VM);
}

static uint32_t stack_pointer(const struct ctx *ctx)
{
	return ctx->gpr[CTX_RSP].x;
}

/* --- events ----------------------------------------------------------------------- */

static const char *vector_name(uint8_t vector, uint16_t ax, const struct bios_call *row, GString *text)
{
	g_string_append_printf(text, "int %02xh", vector);
	gsize before = text->len;
	g_string_append_c(text, ' ');
	bios_call_function(row, vector, ax, text);
	if (text->len == before + 1)
		g_string_truncate(text, before);
	if (row)
		g_string_append_printf(text, " %s", row->name);
	return text->str;
}

static void add_function(struct trace_event *event, uint8_t vector, uint16_t ax, const struct bios_call *row)
{
	g_autoptr(GString) function = g_string_new(NULL);
	bios_call_function(row, vector, ax, function);
	trace_number(event, "vector", vector);
	trace_string(event, "function", function->str);
	trace_string(event, "name", row ? row->name : "");
}

static void add_registers(struct trace_event *event, const struct ctx *ctx, uint32_t eflags)
{
	static const char *const names[] = { "ax", "cx", "dx", "bx", NULL, "bp", "si", "di" };
	for (unsigned n = 0; n < G_N_ELEMENTS(names); n++)
		if (names[n])
			trace_number(event, names[n], ctx->gpr[n].e);
	trace_number(event, "ds", ctx->seg[CTX_DS].selector);
	trace_number(event, "es", ctx->seg[CTX_ES].selector);
	trace_number(event, "flags", eflags);
}

static void add_origin(struct trace_event *event, const struct open_call *call)
{
	uint32_t linear = ((uint32_t)call->cs << 4) + call->ip;
	const char *symbol = trace_symbol(linear);
	trace_number(event, "cs", call->cs);
	trace_number(event, "ip", call->ip);
	trace_number(event, "linear", linear);
	if (!symbol)
		return;
	trace_string(event, "symbol", symbol);
	trace_text(event, " from <%s>", symbol);
}

static void emit_call(const struct open_call *call, unsigned depth, bool by_int, const struct ctx *ctx, uint32_t eflags, struct mem *mem)
{
	struct trace_event event;
	g_autoptr(GString) name = g_string_new(NULL);
	g_autoptr(GString) arguments = g_string_new(NULL);
	bios_call_arguments(call->row, ctx, mem, arguments);
	trace_begin(&event, "call");
	event.phase = call->row && call->row->outcome == BIOS_NEVER ? TRACE_POINT : TRACE_CALL;
	event.call = call->number;
	trace_number(&event, "call", call->number);
	trace_number(&event, "depth", depth);
	trace_flag(&event, "by_int", by_int);
	add_function(&event, call->vector, call->ax, call->row);
	trace_string(&event, "arguments", arguments->str);
	trace_text(&event, "%*s%s%s%s", 2 * (int)depth, "", vector_name(call->vector, call->ax, call->row, name),
	           arguments->len ? " " : "", arguments->str);
	add_registers(&event, ctx, eflags);
	add_origin(&event, call);
	trace_emit(&event);
}

static void emit_return(const struct open_call *call, unsigned depth, const struct ctx *ctx, uint32_t eflags, struct mem *mem)
{
	struct trace_event event;
	g_autoptr(GString) name = g_string_new(NULL);
	g_autoptr(GString) result = g_string_new(NULL);
	bool good = bios_call_result(call->row, ctx, eflags, mem, result);
	trace_begin(&event, "return");
	event.phase = TRACE_RETURN;
	event.call = call->number;
	trace_number(&event, "call", call->number);
	trace_number(&event, "taken_ns", event.ns - MIN(event.ns, call->ns));
	add_function(&event, call->vector, call->ax, call->row);
	trace_flag(&event, "ok", good);
	trace_flag(&event, "carry", eflags & CTX_EFLAGS_CF);
	trace_string(&event, "result", result->str);
	trace_text(&event, "%*s%s\t= %s", 2 * (int)depth, "", vector_name(call->vector, call->ax, call->row, name), result->str);
	add_registers(&event, ctx, eflags);
	trace_emit(&event);
}

static void emit_protected(const struct ctx *ctx, uint32_t eflags, uint8_t vector)
{
	struct trace_event event;
	trace_begin(&event, "int");
	trace_number(&event, "vector", vector);
	add_registers(&event, ctx, eflags);
	trace_text(&event, "int %02xh in protected mode eax=%08x ebx=%08x ecx=%08x edx=%08x", vector, ctx->gpr[CTX_RAX].e,
	           ctx->gpr[CTX_RBX].e, ctx->gpr[CTX_RCX].e, ctx->gpr[CTX_RDX].e);
	trace_text(&event, " before ");
	trace_place(&event, ctx, ctx->rip);
	trace_emit(&event);
}

/* --- who waits --------------------------------------------------------------------- */

/* A stack that has been unwound past a call's frame has left the call. */
static void drop_abandoned(struct calls *calls, uint32_t stack_base, uint32_t sp)
{
	while (calls->count) {
		const struct open_call *last = &calls->open[calls->count - 1];
		if (last->stack_base != stack_base || sp < last->sp)
			return;
		calls->count--;
	}
}

static void begin_call(struct calls *calls, struct open_call call, bool by_int, const struct ctx *ctx, uint32_t eflags, struct mem *mem)
{
	drop_abandoned(calls, call.stack_base, call.sp);
	call.number = ++calls->number;
	call.ns = trace_now();
	call.ax = ctx->gpr[CTX_RAX].x;
	call.row = bios_call_find(call.vector, call.ax);
	emit_call(&call, calls->count, by_int, ctx, eflags, mem);
	if (call.row && call.row->outcome == BIOS_NEVER)
		return;
	if (calls->count == TRACE_CALLS_OPEN) {
		memmove(calls->open, calls->open + 1, sizeof calls->open - sizeof *calls->open);
		calls->count--;
	}
	calls->open[calls->count++] = call;
}

static void soft_int(void *owner, const struct ctx *ctx, uint32_t eflags, struct mem *mem, uint8_t vector)
{
	if (!is_real(ctx)) {
		emit_protected(ctx, eflags, vector);
		return;
	}
	const struct open_call call = {
		.vector = vector, .linear = (uint32_t)(ctx->seg[CTX_CS].base + ctx->rip),
		.stack_base = (uint32_t)ctx->seg[CTX_SS].base, .sp = stack_pointer(ctx),
		.cs = ctx->seg[CTX_CS].selector, .ip = (uint16_t)(ctx->rip - 2),
	};
	begin_call(owner, call, true, ctx, eflags, mem);
}

/* RETF without a count leaves the flags to the caller. */
static bool matches(const struct open_call *call, uint32_t linear, uint32_t stack_base, uint32_t sp)
{
	return call->linear == linear && call->stack_base == stack_base && (sp == call->sp || sp == ((call->sp - 2) & 0xffff));
}

static bool end_call(struct calls *calls, const struct ctx *ctx, uint32_t eflags, struct mem *mem)
{
	uint32_t linear = (uint32_t)(ctx->seg[CTX_CS].base + ctx->rip), base = (uint32_t)ctx->seg[CTX_SS].base, sp = stack_pointer(ctx);
	for (unsigned n = calls->count; n-- > 0;) {
		if (!matches(&calls->open[n], linear, base, sp))
			continue;
		calls->count = n;
		emit_return(&calls->open[n], n, ctx, eflags, mem);
		return true;
	}
	return false;
}

/* --- handlers entered by hand -------------------------------------------------------- */

/* The one known vector that leads to CS:IP, or -1: none, or several, or it is not set. */
static int entered_vector(const struct ctx *ctx, struct mem *mem)
{
	uint8_t table[4 * (LAST_VECTOR - FIRST_VECTOR + 1)];
	int found = -1;
	if (linear_read(ctx, mem, 4 * FIRST_VECTOR, table, sizeof table) != sizeof table)
		return -1;
	for (unsigned n = 0; n < sizeof table / 4; n++) {
		const uint8_t *entry = table + 4 * n;
		if ((entry[0] | entry[1] << 8) != (int)ctx->rip || (entry[2] | entry[3] << 8) != ctx->seg[CTX_CS].selector)
			continue;
		if (found >= 0)
			return -1;
		found = (int)(FIRST_VECTOR + n);
	}
	return found >= 0 && bios_call_known((uint8_t)found) ? found : -1;
}

static void arrived(void *owner, const struct ctx *ctx, uint32_t eflags, struct mem *mem)
{
	struct calls *calls = owner;
	uint8_t frame[IRET_FRAME];
	if (!is_real(ctx) || end_call(calls, ctx, eflags, mem))
		return;
	int vector = entered_vector(ctx, mem);
	uint32_t base = (uint32_t)ctx->seg[CTX_SS].base, sp = stack_pointer(ctx);
	if (vector < 0 || linear_read(ctx, mem, base + sp, frame, sizeof frame) != sizeof frame)
		return;
	const struct open_call call = {
		.vector = (uint8_t)vector, .stack_base = base, .sp = (sp + IRET_FRAME) & 0xffff,
		.linear = (uint32_t)((frame[2] | frame[3] << 8) << 4) + (uint32_t)(frame[0] | frame[1] << 8),
		.cs = (uint16_t)(frame[2] | frame[3] << 8), .ip = (uint16_t)(frame[0] | frame[1] << 8),
	};
	begin_call(calls, call, false, ctx, eflags, mem);
}

static void free_calls(void *owner)
{
	g_free(owner);
}

struct watcher trace_calls_new(void)
{
	return (struct watcher){ soft_int, arrived, free_calls, g_new0(struct calls, 1) };
}
