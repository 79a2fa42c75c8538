/* Between target.c and its parts; nobody else includes this. */
#ifndef V2E_GDB_TARGET_PRIVATE_H
#define V2E_GDB_TARGET_PRIVATE_H

#include "gdb/registers.h"
#include "gdb/target.h"

#define GDB_POINTS (DEBUG_POINTS - 1u) /* one is the target's own */
#define GDB_MONITOR_POINT 5u           /* gdb_point.type of a monitor breakpoint */
#define GDB_ANY_AH 0x100u

/* type: of Z packets, 0 software, 1 hardware, 2 write, 3 read, 4 access. */
struct gdb_point {
	unsigned type;
	uint32_t address, size;
	unsigned number;           /* of a monitor breakpoint */
	uint16_t segment, offset;  /* as it was given */
};

struct gdb_target {
	struct ctx *ctx;
	struct mem *mem;
	void (*send)(void *owner, const char *data, size_t size);
	void *owner;
	bool no_ack;
	struct gdb_point point[GDB_POINTS];
	unsigned points, last_number;
	uint32_t modes;          /* enum debug_mode_bit */
	uint64_t vectors[4];
	uint16_t vector_ah[256]; /* GDB_ANY_AH, or the AH to stop for */
	bool step_over_int;
	bool stepping;
	struct {                 /* a step over INT is under way */
		bool active;
		uint32_t pc, esp;
		uint16_t ss;
	} over;
	enum gdb_set told;       /* registers of the description that the debugger read last */
	uint64_t stop_pc;
	bool pc_moved;           /* by the debugger, since the stop */
	char stop[48];           /* the reply to `?` */
};

/* points.c */
bool gdb_points_insert(struct gdb_target *target, const struct gdb_point *point);
/* By type, address and size; true also when there is none. */
void gdb_points_remove(struct gdb_target *target, const struct gdb_point *point);
/* Fills ctx.debug for the guest to run. */
void gdb_points_arm(struct gdb_target *target, bool step);

/* monitor_commands.c: a line of text in, text out. */
void gdb_monitor_command(struct gdb_target *target, const char *line, GString *out);

#endif
