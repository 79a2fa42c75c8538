/* What `monitor` understands: breakpoints by segment and offset, stops at modes
 * and interrupts, and the tables of the processor. */
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "gdb/tables.h"
#include "gdb/target_private.h"
#include "shared/linear.h"

struct monitor_call {
	struct gdb_target *target;
	char **word; /* arguments, ends with NULL */
	GString *out;
};

struct monitor_row {
	const char *name, *arguments;
	unsigned most; /* arguments */
	const char *help;
	void (*run)(struct monitor_call *call);
};

/* At most `max`, hexadecimal, with or without 0x. */
static bool parse_address(const char *text, uint64_t max, uint64_t *number)
{
	char *end;
	if (g_str_has_prefix(text, "0x"))
		text += 2;
	if (!g_ascii_isxdigit(*text) || strlen(text) > 16)
		return false;
	*number = g_ascii_strtoull(text, &end, 16);
	return !*end && *number <= max;
}

static bool parse_number(const char *text, uint32_t max, uint32_t *number)
{
	uint64_t value;
	if (!parse_address(text, max, &value))
		return false;
	*number = (uint32_t)value;
	return true;
}

/* SEG:OFF. */
static bool parse_place(const char *text, struct gdb_point *point)
{
	g_auto(GStrv) parts = g_strsplit(text, ":", 2);
	uint32_t segment, offset;
	if (!parts[0] || !parts[1] || !parse_number(parts[0], 0xffff, &segment) || !parse_number(parts[1], 0xffff, &offset))
		return false;
	point->segment = (uint16_t)segment;
	point->offset = (uint16_t)offset;
	point->address = (segment << 4) + offset;
	return true;
}

static void complain(struct monitor_call *call, const char *what)
{
	g_string_append_printf(call->out, "%s; see monitor help\n", what);
}

/* --- stops ------------------------------------------------------------------------------ */

static void list_breakpoints(struct monitor_call *call)
{
	const struct gdb_target *target = call->target;
	for (unsigned n = 0; n < target->points; n++)
		if (target->point[n].type == GDB_MONITOR_POINT)
			g_string_append_printf(call->out, "%u: %04x:%04x (linear %05x)\n", target->point[n].number,
			                       target->point[n].segment, target->point[n].offset, target->point[n].address);
}

static void add_breakpoint(struct monitor_call *call)
{
	struct gdb_target *target = call->target;
	struct gdb_point point = { .type = GDB_MONITOR_POINT, .size = 1, .number = target->last_number + 1 };
	if (!call->word[0]) {
		list_breakpoints(call);
		return;
	}
	if (!parse_place(call->word[0], &point)) {
		complain(call, "break wants SEG:OFF in hexadecimal, such as 07c0:0000");
		return;
	}
	if (!gdb_points_insert(target, &point)) {
		complain(call, "there are too many breakpoints; delete one");
		return;
	}
	target->last_number++;
	g_string_append_printf(call->out, "breakpoint %u at %04x:%04x, linear %05x\n", point.number, point.segment, point.offset, point.address);
}

static void delete_breakpoint(struct monitor_call *call)
{
	struct gdb_target *target = call->target;
	bool all = !call->word[0], found = all;
	guint64 number = 0;
	if (!all && !g_ascii_string_to_unsigned(call->word[0], 10, 1, UINT_MAX, &number, NULL)) {
		complain(call, "delete wants the number of a breakpoint, or nothing");
		return;
	}
	for (unsigned n = target->points; n-- > 0;) {
		const struct gdb_point point = target->point[n];
		if (point.type != GDB_MONITOR_POINT || (!all && point.number != number))
			continue;
		gdb_points_remove(target, &point);
		found = true;
	}
	if (!found)
		complain(call, "there is no such breakpoint");
	list_breakpoints(call);
}

static void break_mode(struct monitor_call *call)
{
	static const struct { const char *name; uint32_t bits; } names[] = {
		{ "off", 0 }, { "on", DEBUG_MODE_PE | DEBUG_MODE_VM }, { "pe", DEBUG_MODE_PE }, { "vm", DEBUG_MODE_VM },
		{ "pg", DEBUG_MODE_PG }, { "code", DEBUG_MODE_CODE32 }, { "long", DEBUG_MODE_LONG },
		{ "all", DEBUG_MODE_PE | DEBUG_MODE_VM | DEBUG_MODE_PG | DEBUG_MODE_CODE32 | DEBUG_MODE_LONG },
	};
	const char *word = call->word[0] ? call->word[0] : "on";
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
		if (!strcmp(word, names[i].name)) {
			call->target->modes = names[i].bits;
			g_string_append_printf(call->out, "break on mode switch: %s\n", word);
			return;
		}
	complain(call, "break-mode wants on, off, pe, vm, pg, code, long or all");
}

static void break_int(struct monitor_call *call)
{
	struct gdb_target *target = call->target;
	uint32_t vector, ah = GDB_ANY_AH;
	if (call->word[0] && !strcmp(call->word[0], "off")) {
		memset(target->vectors, 0, sizeof target->vectors);
		g_string_append(call->out, "break on no interrupt\n");
		return;
	}
	if (!call->word[0] || !parse_number(call->word[0], 0xff, &vector) ||
	    (call->word[1] && !parse_number(call->word[1], 0xff, &ah))) {
		complain(call, "break-int wants N [AH] in hexadecimal, or off");
		return;
	}
	target->vectors[vector / 64] |= UINT64_C(1) << vector % 64;
	target->vector_ah[vector] = (uint16_t)ah;
	g_string_append_printf(call->out, "break on interrupt %02x", vector);
	if (ah != GDB_ANY_AH)
		g_string_append_printf(call->out, " with AH = %02x", ah);
	g_string_append_c(call->out, '\n');
}

static void step_int(struct monitor_call *call)
{
	const char *word = call->word[0] ? call->word[0] : "";
	bool over = !strcmp(word, "over");
	if (!over && strcmp(word, "into")) {
		complain(call, "step-int wants over or into");
		return;
	}
	call->target->step_over_int = over;
	g_string_append_printf(call->out, "a single step goes %s INT\n", word);
}

/* --- state ------------------------------------------------------------------------------- */

static void show_registers(struct monitor_call *call)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	if (!out)
		return;
	ctx_print(call->target->ctx, out);
	fclose(out);
	g_string_append(call->out, text);
	free(text);
}

static void show_mode(struct monitor_call *call)
{
	const struct ctx *ctx = call->target->ctx;
	g_string_append_printf(call->out, "%s %04x:%08" PRIx64 " cr0=%08" PRIx64 "%s\n", ctx_mode_name(ctx), ctx->seg[CTX_CS].selector,
	                       ctx->rip, ctx->cr0, ctx->halted ? " halted" : "");
}

static void show_ivt(struct monitor_call *call)
{
	uint32_t first = 0, last = 255;
	if (call->word[0]) {
		if (!parse_number(call->word[0], 0xff, &first)) {
			complain(call, "ivt wants a vector in hexadecimal");
			return;
		}
		last = first;
	}
	gdb_tables_ivt(call->target->ctx, call->target->mem, first, last, call->out);
}

static void show_gdt(struct monitor_call *call)
{
	gdb_tables_gdt(call->target->ctx, call->target->mem, call->out);
}

static void show_ldt(struct monitor_call *call)
{
	gdb_tables_ldt(call->target->ctx, call->target->mem, call->out);
}

static void show_idt(struct monitor_call *call)
{
	gdb_tables_idt(call->target->ctx, call->target->mem, call->out);
}

static void show_pages(struct monitor_call *call)
{
	uint64_t linear;
	if (!call->word[0])
		gdb_tables_pages(call->target->ctx, call->target->mem, call->out);
	else if (parse_address(call->word[0], linear_wrap(call->target->ctx, UINT64_MAX), &linear))
		gdb_tables_walk(call->target->ctx, call->target->mem, linear, call->out);
	else
		complain(call, "pagetable wants a linear address in hexadecimal");
}

static void show_help(struct monitor_call *call);

static const struct monitor_row rows[] = {
	{ "break", "[SEG:OFF]", 1, "stop at a real-mode address; without one: list", add_breakpoint },
	{ "delete", "[NUMBER]", 1, "delete one of these breakpoints, or all", delete_breakpoint },
	{ "break-mode", "[on|off|pe|vm|pg|code|long|all]", 1, "stop when the mode changes (on: PE and VM)", break_mode },
	{ "break-int", "N [AH] | off", 2, "stop in the handler of interrupt N, if AH is as given", break_int },
	{ "step-int", "over|into", 1, "what a single step does at INT (default: into)", step_int },
	{ "regs", "", 0, "all registers with the hidden parts", show_registers },
	{ "mode", "", 0, "mode and CS:IP", show_mode },
	{ "ivt", "[N]", 1, "real-mode interrupt vectors", show_ivt },
	{ "gdt", "", 0, "global descriptor table", show_gdt },
	{ "ldt", "", 0, "local descriptor table", show_ldt },
	{ "idt", "", 0, "interrupt descriptor table", show_idt },
	{ "pagetable", "[LINEAR]", 1, "what is mapped; with an address: the walk to it", show_pages },
	{ "help", "", 0, "this list; numbers are hexadecimal", show_help },
};

static void show_help(struct monitor_call *call)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
		g_string_append_printf(call->out, "%-10s %-32s %s\n", rows[i].name, rows[i].arguments, rows[i].help);
}

static char **split(const char *line)
{
	g_auto(GStrv) parts = g_strsplit_set(line, " \t", -1);
	GStrvBuilder *words = g_strv_builder_new();
	for (char **part = parts; *part; part++)
		if (**part)
			g_strv_builder_add(words, *part);
	char **all = g_strv_builder_end(words);
	g_strv_builder_unref(words);
	return all;
}

void gdb_monitor_command(struct gdb_target *target, const char *line, GString *out)
{
	g_auto(GStrv) words = split(line);
	struct monitor_call call = { .target = target, .word = words[0] ? words + 1 : words, .out = out };
	const char *name = words[0] ? words[0] : "help";
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (strcmp(rows[i].name, name))
			continue;
		if (g_strv_length(call.word) <= rows[i].most)
			rows[i].run(&call);
		else
			g_string_append_printf(out, "'%s' is too much; see monitor help\n", call.word[rows[i].most]);
		return;
	}
	g_string_append_printf(out, "unknown command '%s'\n", name);
	show_help(&call);
}
