/* The memory that channel_process.c and channel_child.c share, and the rules
 * by which it is used; nobody else includes this.
 *
 * One side at a time has the turn; only it may touch the rest, but for
 * pins.attention and pins.stop. The parent gives a command with the turn, and
 * gets it back with a question, to be answered with the turn, or with
 * WIRE_DONE. It believes nothing that it has not checked in a copy. */
#ifndef V2E_SHARED_CHANNEL_WIRE_H
#define V2E_SHARED_CHANNEL_WIRE_H

#include "shared/channel_process.h"
#include "shared/mem_mirror.h"

enum wire_turn { WIRE_PARENT, WIRE_CHILD };

enum wire_command {
	WIRE_RUN,     /* the request on the page; `result`: enum stop_reason */
	WIRE_CAN_RUN, /* the context on the page; `result`: bool */
	WIRE_FLUSH,   /* ops->flush */
	WIRE_STATS,   /* ops->print_stats; `data`: text of `count` bytes */
};

enum wire_question {
	WIRE_DONE,
	WIRE_ACCESS,  /* the page's io_ fields; `space`: CTX_PIO or CTX_MMIO */
	WIRE_STREAM,  /* as WIRE_ACCESS for `count` items of a port, in `data` */
	WIRE_INTA,    /* `result`: the vector */
	WIRE_SMIACT,  /* `value`: level */
	WIRE_FERR,    /* `value`: level */
	WIRE_FETCH,   /* of the page, what another engine kept; `value`: enum ctx_part */
	WIRE_LOG,     /* a line of `count` bytes in `data` */
	WIRE_TRACE,   /* an event for trace_receive(), `count` bytes in `data` */
};

#define WIRE_DATA    65536u
#define WIRE_WRITTEN 256u

struct wire_written {
	uint32_t address, size;
};

struct wire {
	struct ctx page;
	uint32_t turn; /* enum wire_turn, a futex */
	uint32_t reserved[15];
	/* parent -> child */
	uint32_t command;       /* enum wire_command */
	uint32_t trace_mask;
	uint64_t now;           /* virtual time: guest ns */
	uint64_t deadline;      /* virtual time: clock_next_deadline() */
	uint64_t origin;        /* real time: host ns at which guest time was 0 */
	uint32_t a20_mask;
	uint32_t map_version;   /* counts changes of `region` */
	uint32_t forgets;       /* counts changes of everything */
	uint32_t native_epochs; /* counts runs of other engines */
	uint32_t writes;        /* in `written`; above WIRE_WRITTEN: anywhere */
	uint32_t regions;
	struct wire_written written[WIRE_WRITTEN]; /* since the last turn */
	struct mem_mirror_region region[MEM_MIRROR_REGIONS];
	/* child -> parent */
	uint32_t question;      /* enum wire_question */
	uint32_t space;
	uint64_t insns;         /* virtual time: run since the last turn */
	/* both ways */
	uint32_t count, value, result;
	uint32_t can_run;       /* WIRE_RUN: the context as it is now */
	struct cpu_pins pins;   /* its pointers are the child's */
	uint8_t data[WIRE_DATA];
};

/* The child's whole life: builds the engine, shuts itself in, answers. `wire` is
 * its turn already; the first WIRE_DONE tells how that went: `result` is
 * enum wire_start, `data` an error of `count` bytes. */
enum wire_start { WIRE_STARTED, WIRE_FAILED };
void channel_child_main(struct wire *wire, const struct channel_process_config *config, pid_t parent)
	__attribute__((noreturn));

#endif
