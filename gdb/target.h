/* What a debugger asks of the guest, and what the guest's stops mean to it: the
 * commands of GDB's remote protocol (GDB manual, appendix E) on a context page. */
#ifndef V2E_GDB_TARGET_H
#define V2E_GDB_TARGET_H

#include <glib.h>

#include "shared/engine.h"
#include "shared/mem.h"

/* What is to be done behind a packet. */
enum gdb_action {
	GDB_ANSWERED, /* an answer was sent */
	GDB_RESUME,   /* let the guest run; the answer comes when it stops */
	GDB_DETACH,   /* an answer was sent; the debugger leaves */
	GDB_KILL,     /* end the run */
};

struct gdb_target;

/* `send` takes the data of one packet. ctx and mem must outlive the target. */
struct gdb_target *gdb_target_new(struct ctx *ctx, struct mem *mem, void (*send)(void *owner, const char *data, size_t size), void *owner);
void gdb_target_free(struct gdb_target *target);

/* A packet came while the guest stands still. */
enum gdb_action gdb_target_packet(struct gdb_target *target, const char *packet, size_t size);

/* QStartNoAckMode was answered: from now on no packet is acknowledged. */
bool gdb_target_no_ack(const struct gdb_target *target);

/* An engine stopped (STOP_DEBUG, STOP_SHUTDOWN), or STOP_KICK: the debugger's own
 * Ctrl-C; STOP_HALT: halted for good; STOP_NONE: before the first instruction, or
 * a debugger came. Takes ctx.debug.hit. False: nothing to report, let it run on. */
bool gdb_target_stopped(struct gdb_target *target, enum stop_reason reason);
/* Sends the reason of the last stop: what a resuming packet waits for. */
void gdb_target_report(struct gdb_target *target);

/* A debugger came or left: breakpoints and settings are gone, ctx.debug unarmed. */
void gdb_target_reset(struct gdb_target *target);

#endif
