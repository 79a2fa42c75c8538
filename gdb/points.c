/* Breakpoints and watchpoints, and what the engines are asked to stop for. */
#include <string.h>

#include "gdb/registers.h"
#include "gdb/target_private.h"
#include "shared/linear.h"

static bool same(const struct gdb_point *a, const struct gdb_point *b)
{
	return a->type == b->type && a->address == b->address && a->size == b->size;
}

bool gdb_points_insert(struct gdb_target *target, const struct gdb_point *point)
{
	for (unsigned n = 0; n < target->points; n++)
		if (same(&target->point[n], point))
			return true;
	if (target->points == GDB_POINTS)
		return false;
	target->point[target->points++] = *point;
	return true;
}

void gdb_points_remove(struct gdb_target *target, const struct gdb_point *point)
{
	for (unsigned n = 0; n < target->points; n++)
		if (same(&target->point[n], point)) {
			target->points--;
			memmove(&target->point[n], &target->point[n + 1], (target->points - n) * sizeof *target->point);
			return;
		}
}

static uint32_t kinds_of(unsigned type)
{
	static const uint32_t kinds[] = {
		DEBUG_CODE_AT, DEBUG_CODE_AT, DEBUG_WRITE_TO, DEBUG_READ_OF, DEBUG_WRITE_TO | DEBUG_READ_OF,
		[GDB_MONITOR_POINT] = DEBUG_CODE_AT,
	};
	return kinds[type];
}

static void add_point(struct debug_request *debug, uint32_t address, uint32_t size, uint32_t kinds)
{
	debug->point[debug->points++] = (struct debug_point){ .address = address, .size = size, .kinds = kinds };
}

/* INT n is next, prefixes aside: its length, or 0. */
static unsigned soft_interrupt_length(struct gdb_target *target, uint64_t pc)
{
	static const uint8_t prefixes[] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf2, 0xf3 };
	uint8_t bytes[15] = { 0 };
	uint32_t have = linear_read(target->ctx, target->mem, pc, bytes, sizeof bytes);
	for (unsigned n = 0; n + 1 < have; n++) {
		if (bytes[n] == 0xcd)
			return n + 2;
		if (!memchr(prefixes, bytes[n], sizeof prefixes))
			break;
	}
	return 0;
}

static void start_over(struct gdb_target *target)
{
	uint64_t pc = gdb_registers_pc(target->ctx);
	unsigned length = soft_interrupt_length(target, pc);
	target->over.active = length;
	target->over.pc = (uint32_t)pc + length;
	target->over.ss = target->ctx->seg[CTX_SS].selector;
	target->over.esp = target->ctx->gpr[CTX_RSP].e;
}

static bool wants_vector(const uint64_t *vectors)
{
	return vectors[0] | vectors[1] | vectors[2] | vectors[3];
}

void gdb_points_arm(struct gdb_target *target, bool step)
{
	struct debug_request *debug = &target->ctx->debug;
	if (step && target->step_over_int && !target->over.active)
		start_over(target);
	if (!step)
		target->over.active = false;
	memset(debug, 0, sizeof *debug);
	for (unsigned n = 0; n < target->points; n++)
		add_point(debug, target->point[n].address, target->point[n].size, kinds_of(target->point[n].type));
	if (target->over.active)
		add_point(debug, target->over.pc, 1, DEBUG_CODE_AT);
	target->stepping = step;
	debug->step = step && !target->over.active;
	debug->modes = target->modes;
	debug->mode = debug_mode(target->ctx);
	memcpy(debug->vectors, target->vectors, sizeof debug->vectors);
	debug->resume = !target->pc_moved;
	debug->armed = debug->step || debug->points || debug->modes || wants_vector(debug->vectors);
}
