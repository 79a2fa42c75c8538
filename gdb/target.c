#include "gdb/target_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gdb/packet.h"
#include "gdb/registers.h"
#include "shared/linear.h"

#define CHUNK_MAX 0x1800u /* bytes of memory in one packet, as hexadecimal digits */

enum { SIGNAL_INT = 2, SIGNAL_TRAP = 5, SIGNAL_SEGV = 11 }; /* GDB's numbers */

void gdb_target_reset(struct gdb_target *target)
{
	struct gdb_target fresh = { .ctx = target->ctx, .mem = target->mem, .send = target->send, .owner = target->owner };
	*target = fresh;
	memset(&target->ctx->debug, 0, sizeof target->ctx->debug);
	for (unsigned n = 0; n < G_N_ELEMENTS(target->vector_ah); n++)
		target->vector_ah[n] = GDB_ANY_AH;
	gdb_target_stopped(target, STOP_NONE);
}

struct gdb_target *gdb_target_new(struct ctx *ctx, struct mem *mem, void (*send)(void *owner, const char *data, size_t size), void *owner)
{
	struct gdb_target *target = g_new0(struct gdb_target, 1);
	target->ctx = ctx;
	target->mem = mem;
	target->send = send;
	target->owner = owner;
	gdb_target_reset(target);
	return target;
}

void gdb_target_free(struct gdb_target *target)
{
	g_free(target);
}

bool gdb_target_no_ack(const struct gdb_target *target)
{
	return target->no_ack;
}

static enum gdb_action answer(struct gdb_target *target, const char *text)
{
	target->send(target->owner, text, strlen(text));
	return GDB_ANSWERED;
}

static enum gdb_action answer_ok(struct gdb_target *target, bool ok)
{
	return answer(target, ok ? "OK" : "E14");
}

/* --- why it stopped --------------------------------------------------------------- */

/* Text for the user, shown by the debugger as it is. */
static void tell(struct gdb_target *target, const char *text)
{
	g_autoptr(GString) packet = g_string_new("O");
	gdb_packet_append_hex(packet, text, strlen(text));
	target->send(target->owner, packet->str, packet->len);
}

static void set_stop(struct gdb_target *target, unsigned signal, const char *why)
{
	snprintf(target->stop, sizeof target->stop, "T%02xthread:1;%s", signal, why);
	target->stop_pc = gdb_registers_pc(target->ctx);
	target->pc_moved = false;
}

/* One that is GDB's comes first: it counts its own. */
static const struct gdb_point *code_point(const struct gdb_target *target, uint64_t pc)
{
	const struct gdb_point *found = NULL;
	for (const struct gdb_point *point = target->point; point < target->point + target->points; point++)
		if (point->address == pc && (point->type < 2 || (point->type == GDB_MONITOR_POINT && !found)))
			found = point;
	return found;
}

static bool report_code(struct gdb_target *target)
{
	uint64_t pc = gdb_registers_pc(target->ctx);
	const struct gdb_point *point = code_point(target, pc);
	if (!point)
		return false;
	set_stop(target, SIGNAL_TRAP, point->type == 0 ? "swbreak:;" : point->type == 1 ? "hwbreak:;" : "");
	if (point->type == GDB_MONITOR_POINT) {
		g_autofree char *text = g_strdup_printf("v2e: breakpoint %u, %04x:%04x\n", point->number, point->segment, point->offset);
		tell(target, text);
	}
	return true;
}

static bool report_watch(struct gdb_target *target)
{
	static const char *const names[] = { [2] = "watch", [3] = "rwatch", [4] = "awatch" };
	const struct debug_request *debug = &target->ctx->debug;
	for (const struct gdb_point *point = target->point; point < target->point + target->points; point++) {
		if (point->type < 2 || point->type > 4 || point->address != debug->hit_address)
			continue;
		char why[24];
		snprintf(why, sizeof why, "%s:%" PRIx32 ";", names[point->type], point->address);
		set_stop(target, SIGNAL_TRAP, why);
		return true;
	}
	return false;
}

static bool report_vector(struct gdb_target *target)
{
	const struct ctx *ctx = target->ctx;
	unsigned vector = ctx->debug.hit_vector & 0xff, ah = ctx->gpr[CTX_RAX].h;
	if (target->vector_ah[vector] != GDB_ANY_AH && target->vector_ah[vector] != ah)
		return false;
	g_autofree char *text = g_strdup_printf("v2e: interrupt %02x, ax=%04x, handler at %04x:%08" PRIx64 "\n", vector,
	                                        ctx->gpr[CTX_RAX].x, ctx->seg[CTX_CS].selector, ctx->rip);
	set_stop(target, SIGNAL_TRAP, "");
	tell(target, text);
	return true;
}

static const char *mode_name(uint32_t mode)
{
	if (!(mode & DEBUG_MODE_PE))
		return "real";
	if (mode & DEBUG_MODE_VM)
		return "vm86";
	if (mode & DEBUG_MODE_LONG)
		return "long";
	return mode & DEBUG_MODE_CODE32 ? "pm32" : "pm16";
}

static void describe_mode(GString *text, uint32_t mode)
{
	g_string_append_printf(text, "%s%s", mode_name(mode), (mode & (DEBUG_MODE_PG | DEBUG_MODE_LONG)) == DEBUG_MODE_PG ? " with paging" : "");
}

static bool report_mode(struct gdb_target *target)
{
	const struct ctx *ctx = target->ctx;
	g_autoptr(GString) text = g_string_new("v2e: mode ");
	describe_mode(text, ctx->debug.hit_mode);
	g_string_append(text, " -> ");
	describe_mode(text, ctx->debug.mode);
	g_string_append_printf(text, ", next is %04x:%08" PRIx64 "\n", ctx->seg[CTX_CS].selector, ctx->rip);
	set_stop(target, SIGNAL_TRAP, "");
	tell(target, text->str);
	return true;
}

/* The INT came back to where it was called, and not some call further in. */
static bool came_over(const struct gdb_target *target)
{
	const struct ctx *ctx = target->ctx;
	return target->over.active && gdb_registers_pc(ctx) == target->over.pc &&
	       ctx->seg[CTX_SS].selector == target->over.ss && ctx->gpr[CTX_RSP].e == target->over.esp;
}

static bool report_step(struct gdb_target *target)
{
	set_stop(target, SIGNAL_TRAP, "");
	return true;
}

/* The most telling reason first. */
static bool report_hit(struct gdb_target *target)
{
	uint32_t hit = target->ctx->debug.hit;
	return ((hit & (DEBUG_HIT_WRITE | DEBUG_HIT_READ)) && report_watch(target)) ||
	       ((hit & DEBUG_HIT_VECTOR) && report_vector(target)) ||
	       ((hit & DEBUG_HIT_MODE) && report_mode(target)) ||
	       ((hit & DEBUG_HIT_CODE) && report_code(target)) ||
	       (((hit & DEBUG_HIT_STEP) || came_over(target)) && report_step(target));
}

static bool run_on(struct gdb_target *target)
{
	target->pc_moved = false;
	gdb_points_arm(target, target->stepping);
	return false;
}

/* Before it has asked for the others, a debugger has the low halves at best. */
static void tell_of_registers(struct gdb_target *target)
{
	if (gdb_registers_set(target->ctx) == GDB_SET_64 && target->told == GDB_SET_32)
		tell(target, "v2e: 64-bit code, and the debugger has registers of 32 bits; unset tdesc filename (gdb/v2e.gdb does) makes it ask again\n");
}

bool gdb_target_stopped(struct gdb_target *target, enum stop_reason reason)
{
	if (reason == STOP_DEBUG && !report_hit(target))
		return run_on(target);
	if (reason == STOP_SHUTDOWN) {
		set_stop(target, SIGNAL_SEGV, "");
		tell(target, "v2e: triple fault; the board is reset when the guest goes on\n");
	} else if (reason == STOP_KICK) {
		set_stop(target, SIGNAL_INT, "");
	} else if (reason == STOP_HALT) {
		set_stop(target, SIGNAL_TRAP, "");
		tell(target, "v2e: halted, and nothing will wake the processor\n");
	} else if (reason != STOP_DEBUG) {
		set_stop(target, SIGNAL_TRAP, "");
	}
	target->over.active = false;
	target->ctx->debug.hit = 0;
	if (reason != STOP_NONE)
		tell_of_registers(target);
	return true;
}

void gdb_target_report(struct gdb_target *target)
{
	answer(target, target->stop);
}

/* --- registers ----------------------------------------------------------------------- */

static void append_register(const struct gdb_target *target, unsigned number, GString *text)
{
	uint8_t bytes[GDB_REGISTER_MAX];
	unsigned size = gdb_registers_size(target->told, number);
	if (gdb_registers_read(target->ctx, target->told, number, bytes))
		gdb_packet_append_hex(text, bytes, size);
	else
		for (unsigned i = 0; i < size; i++)
			g_string_append(text, "xx");
}

static enum gdb_action read_all(struct gdb_target *target, const char *packet, size_t size)
{
	g_autoptr(GString) text = g_string_new(NULL);
	(void)packet, (void)size;
	for (unsigned n = 0; n < gdb_registers_count(target->told); n++)
		append_register(target, n, text);
	return answer(target, text->str);
}

/* What cannot be written keeps its value, as most come back unchanged. */
static enum gdb_action write_all(struct gdb_target *target, const char *packet, size_t size)
{
	size_t at = 1;
	for (unsigned n = 0; n < gdb_registers_count(target->told); n++) {
		uint8_t bytes[GDB_REGISTER_MAX];
		unsigned digits = 2 * gdb_registers_size(target->told, n);
		if (at + digits > size)
			break;
		if (gdb_packet_parse_hex(packet + at, digits, bytes))
			gdb_registers_write(target->ctx, target->told, n, bytes);
		at += digits;
	}
	target->pc_moved = gdb_registers_pc(target->ctx) != target->stop_pc;
	return answer(target, "OK");
}

/* Reads a hexadecimal number of at most 64 bits that ends at `end`; moves *text
 * behind the end. */
static bool take_address(const char **text, char end, uint64_t *value)
{
	size_t digits = strspn(*text, "0123456789abcdefABCDEF");
	if (!digits || digits > 16 || (*text)[digits] != end)
		return false;
	*value = g_ascii_strtoull(*text, NULL, 16);
	*text += digits + (end != 0);
	return true;
}

/* Likewise, of at most 32 bits. */
static bool take_number(const char **text, char end, uint32_t *value)
{
	uint64_t number;
	if (!take_address(text, end, &number) || number > UINT32_MAX)
		return false;
	*value = (uint32_t)number;
	return true;
}

static enum gdb_action read_one(struct gdb_target *target, const char *packet, size_t size)
{
	g_autoptr(GString) text = g_string_new(NULL);
	uint32_t number;
	(void)size;
	packet++;
	if (!take_number(&packet, 0, &number) || !gdb_registers_size(target->told, number))
		return answer_ok(target, false);
	append_register(target, number, text);
	return answer(target, text->str);
}

static enum gdb_action write_one(struct gdb_target *target, const char *packet, size_t size)
{
	uint8_t bytes[GDB_REGISTER_MAX];
	uint32_t number;
	const char *end = packet++ + size;
	if (!take_number(&packet, '=', &number) || !gdb_registers_size(target->told, number) ||
	    (size_t)(end - packet) != 2 * gdb_registers_size(target->told, number) ||
	    !gdb_packet_parse_hex(packet, (size_t)(end - packet), bytes))
		return answer_ok(target, false);
	bool done = gdb_registers_write(target->ctx, target->told, number, bytes);
	target->pc_moved = gdb_registers_pc(target->ctx) != target->stop_pc;
	return answer_ok(target, done);
}

/* --- memory, by linear address ----------------------------------------------------------- */

/* An address that there is in this mode. */
static bool take_linear(const struct gdb_target *target, const char **text, char end, uint64_t *address)
{
	return take_address(text, end, address) && linear_wrap(target->ctx, *address) == *address;
}

static enum gdb_action read_memory(struct gdb_target *target, const char *packet, size_t size)
{
	uint8_t bytes[CHUNK_MAX];
	uint64_t address;
	uint32_t count;
	(void)size;
	packet++;
	if (!take_linear(target, &packet, ',', &address) || !take_number(&packet, 0, &count))
		return answer_ok(target, false);
	count = linear_read(target->ctx, target->mem, address, bytes, MIN(count, CHUNK_MAX));
	if (!count)
		return answer_ok(target, false);
	g_autoptr(GString) text = g_string_new(NULL);
	gdb_packet_append_hex(text, bytes, count);
	return answer(target, text->str);
}

static enum gdb_action write_memory(struct gdb_target *target, const char *packet, size_t size)
{
	uint8_t bytes[GDB_PACKET_MAX];
	uint64_t address;
	uint32_t count;
	bool binary = *packet == 'X';
	const char *end = packet++ + size;
	if (!take_linear(target, &packet, ',', &address) || !take_number(&packet, ':', &count) || count > sizeof bytes ||
	    (size_t)(end - packet) != (binary ? 1u : 2u) * (size_t)count)
		return answer_ok(target, false);
	if (binary)
		memcpy(bytes, packet, count);
	else if (!gdb_packet_parse_hex(packet, 2 * (size_t)count, bytes))
		return answer_ok(target, false);
	return answer_ok(target, linear_write(target->ctx, target->mem, address, bytes, count) == count);
}

/* --- breakpoints ------------------------------------------------------------------------------ */

static enum gdb_action change_point(struct gdb_target *target, const char *packet, size_t size)
{
	struct gdb_point point = { .size = 1 };
	const char *text = packet + 1;
	uint32_t length;
	(void)size;
	if (*text < '0' || *text > '4')
		return answer(target, "");
	point.type = (unsigned)(*text++ - '0');
	if (*text++ != ',' || !take_number(&text, ',', &point.address) || !take_number(&text, 0, &length))
		return answer_ok(target, false);
	if (point.type >= 2)
		point.size = MAX(length, 1);
	if (*packet == 'Z')
		return answer_ok(target, gdb_points_insert(target, &point));
	gdb_points_remove(target, &point);
	return answer(target, "OK");
}

/* --- running -------------------------------------------------------------------------------- */

/* KVM alone runs long mode, and does not stop there. */
static enum gdb_action resume(struct gdb_target *target, bool step)
{
	bool is_long = debug_mode(target->ctx) & DEBUG_MODE_LONG;
	if (is_long && step) {
		tell(target, "v2e: there are no steps in long mode; use continue, and Ctrl-C\n");
		set_stop(target, SIGNAL_TRAP, "");
		gdb_target_report(target);
		return GDB_ANSWERED;
	}
	gdb_points_arm(target, step);
	if (is_long && target->ctx->debug.armed)
		tell(target, "v2e: breakpoints, watchpoints and breaks are not seen in long mode\n");
	return GDB_RESUME;
}

/* c [ADDR], s [ADDR], C SIGNAL [;ADDR], S SIGNAL [;ADDR]: signals mean nothing here. */
static enum gdb_action run(struct gdb_target *target, const char *packet, size_t size)
{
	bool with_signal = *packet == 'C' || *packet == 'S', step = *packet == 's' || *packet == 'S';
	const char *where = with_signal ? strchr(packet, ';') : packet;
	uint64_t address;
	(void)size;
	if (where && where[1]) {
		where++;
		if (!take_address(&where, 0, &address) || !gdb_registers_set_pc(target->ctx, address))
			return answer_ok(target, false);
		target->pc_moved = address != target->stop_pc;
	}
	return resume(target, step);
}

/* There is one thread, so the first action is the one. */
static enum gdb_action run_verbose(struct gdb_target *target, const char *action)
{
	switch (*action) {
	case 'c': case 'C':
		return resume(target, false);
	case 's': case 'S':
		return resume(target, true);
	default:
		return answer_ok(target, false);
	}
}

static enum gdb_action verbose(struct gdb_target *target, const char *packet, size_t size)
{
	(void)size;
	if (!strcmp(packet, "vCont?"))
		return answer(target, "vCont;c;C;s;S");
	if (g_str_has_prefix(packet, "vCont;"))
		return run_verbose(target, packet + 6);
	if (g_str_has_prefix(packet, "vKill")) {
		answer(target, "OK");
		return GDB_KILL;
	}
	return answer(target, "");
}

/* --- queries ------------------------------------------------------------------------------------ */

struct memory_map {
	GString *xml;
	uint64_t next;
};

/* GDB takes what is not in the map for not there, but with paging anything may be
 * anywhere: the gaps are memory too. */
static void map_gap(struct memory_map *map, uint64_t end)
{
	if (map->next < end)
		g_string_append_printf(map->xml, "<memory type=\"ram\" start=\"0x%" PRIx64 "\" length=\"0x%" PRIx64 "\"/>",
		                       map->next, end - map->next);
	map->next = end;
}

static void map_range(void *owner, const struct mem_range *range)
{
	struct memory_map *map = owner;
	if (!range->host || range->writable || range->address < map->next)
		return;
	map_gap(map, range->address);
	map->next += range->size;
	g_string_append_printf(map->xml, "<memory type=\"rom\" start=\"0x%" PRIx64 "\" length=\"0x%" PRIx64 "\"/>",
	                       range->address, range->size);
}

static void describe_memory(struct gdb_target *target, GString *xml)
{
	struct memory_map map = { .xml = xml };
	g_string_append(xml, "<?xml version=\"1.0\"?><!DOCTYPE memory-map PUBLIC \"+//IDN gnu.org//DTD GDB Memory Map V1.0//EN\" "
	                "\"http://sourceware.org/gdb/gdb-memory-map.dtd\"><memory-map>");
	if (!(target->ctx->cr0 & CTX_CR0_PG))
		mem_for_each_range(target->mem, map_range, &map);
	map_gap(&map, MEM_SPACE);
	/* GDB keeps the map when the guest comes to long mode. */
	g_string_append_printf(xml, "<memory type=\"ram\" start=\"0x%llx\" length=\"0x%llx\"/></memory-map>", MEM_SPACE, -MEM_SPACE);
}

/* `m` or `l` (the last) and the part of the document that was asked for. */
static enum gdb_action answer_part(struct gdb_target *target, const GString *document, const char *range)
{
	uint32_t offset, count;
	if (!take_number(&range, ',', &offset) || !take_number(&range, 0, &count))
		return answer(target, "E01");
	offset = (uint32_t)MIN(offset, document->len);
	count = (uint32_t)MIN(MIN(count, CHUNK_MAX), document->len - offset);
	g_autoptr(GString) text = g_string_new(offset + count < document->len ? "m" : "l");
	g_string_append_len(text, document->str + offset, count);
	target->send(target->owner, text->str, text->len);
	return GDB_ANSWERED;
}

static enum gdb_action transfer(struct gdb_target *target, const char *what)
{
	static const char features[] = "features:read:target.xml:", map[] = "memory-map:read::";
	g_autoptr(GString) document = g_string_new(NULL);
	if (g_str_has_prefix(what, features)) {
		gdb_registers_describe(target->ctx, document);
		target->told = gdb_registers_set(target->ctx);
		return answer_part(target, document, what + strlen(features));
	}
	if (g_str_has_prefix(what, map)) {
		describe_memory(target, document);
		return answer_part(target, document, what + strlen(map));
	}
	return answer(target, g_str_has_prefix(what, "features:read:") ? "E00" : "");
}

static enum gdb_action monitor(struct gdb_target *target, const char *hex)
{
	size_t digits = strlen(hex);
	g_autofree char *line = g_malloc0(digits / 2 + 1);
	if (!gdb_packet_parse_hex(hex, digits, (uint8_t *)line))
		return answer_ok(target, false);
	g_autoptr(GString) text = g_string_new(NULL);
	gdb_monitor_command(target, line, text);
	while (text->len > CHUNK_MAX) {
		g_autofree char *part = g_strndup(text->str, CHUNK_MAX);
		tell(target, part);
		g_string_erase(text, 0, CHUNK_MAX);
	}
	if (text->len)
		tell(target, text->str);
	return answer(target, "OK");
}

static const struct {
	const char *query, *answer;
} fixed_answers[] = {
	{ "qC", "QC1" }, { "qfThreadInfo", "m1" }, { "qsThreadInfo", "l" }, { "qAttached", "1" },
	{ "qSymbol::", "OK" }, { "QStartNoAckMode", "OK" }, { "qOffsets", "Text=0;Data=0;Bss=0" },
};

static enum gdb_action query(struct gdb_target *target, const char *packet, size_t size)
{
	(void)size;
	if (g_str_has_prefix(packet, "qSupported"))
		return answer(target, "PacketSize=4000;QStartNoAckMode+;qXfer:features:read+;qXfer:memory-map:read+;"
		              "swbreak+;hwbreak+;vContSupported+");
	if (g_str_has_prefix(packet, "qXfer:"))
		return transfer(target, packet + 6);
	if (g_str_has_prefix(packet, "qRcmd,"))
		return monitor(target, packet + 6);
	for (unsigned i = 0; i < G_N_ELEMENTS(fixed_answers); i++)
		if (!strcmp(packet, fixed_answers[i].query)) {
			answer(target, fixed_answers[i].answer);
			target->no_ack |= *packet == 'Q';
			return GDB_ANSWERED;
		}
	return answer(target, "");
}

static enum gdb_action say_why(struct gdb_target *target, const char *packet, size_t size)
{
	(void)packet, (void)size;
	gdb_target_report(target);
	return GDB_ANSWERED;
}

static enum gdb_action choose_thread(struct gdb_target *target, const char *packet, size_t size)
{
	(void)packet, (void)size;
	return answer(target, "OK");
}

static enum gdb_action detach(struct gdb_target *target, const char *packet, size_t size)
{
	(void)packet, (void)size;
	answer(target, "OK");
	return GDB_DETACH;
}

static enum gdb_action kill_guest(struct gdb_target *target, const char *packet, size_t size)
{
	(void)target, (void)packet, (void)size;
	return GDB_KILL;
}

static const struct {
	const char *letters;
	enum gdb_action (*handle)(struct gdb_target *target, const char *packet, size_t size);
} commands[] = {
	{ "?", say_why }, { "g", read_all }, { "G", write_all }, { "p", read_one }, { "P", write_one },
	{ "m", read_memory }, { "MX", write_memory }, { "csCS", run }, { "v", verbose }, { "zZ", change_point },
	{ "qQ", query }, { "HT", choose_thread }, { "D", detach }, { "k", kill_guest },
};

enum gdb_action gdb_target_packet(struct gdb_target *target, const char *packet, size_t size)
{
	for (unsigned i = 0; *packet && i < G_N_ELEMENTS(commands); i++)
		if (strchr(commands[i].letters, *packet))
			return commands[i].handle(target, packet, size);
	return answer(target, "");
}
