/* The log of hand-overs between engines: a ring of the last ones, counts of all,
 * and what they cost the host. */
#ifndef V2E_SHARED_TRANSITION_H
#define V2E_SHARED_TRANSITION_H

#include <stdio.h>

#include "shared/engine.h"
#include "shared/mem.h"

#define TRANSITION_RING 65536u

/* Why the context changed hands, as the page shows it. */
enum transition_cause {
	TRANSITION_PE_CLEARED,   /* CR0.PE is clear */
	TRANSITION_VM86,         /* EFLAGS.VM is set */
	TRANSITION_REAL_SEGMENT, /* PE is set, but a segment register is still from real mode */
	TRANSITION_REAL_LEFT,    /* protected mode, and all segments are */
	TRANSITION_LONG_MODE,    /* EFER.LMA is set */
	TRANSITION_NEEDED,       /* protected mode, but what comes next is the emulator's: stop_detail */
	TRANSITION_REFUSED,      /* protected mode, but the engine gave up: stop_detail */
	TRANSITION_RESET,        /* the board was reset since the last one */
	TRANSITION_CAUSES,
};

/* Where the host's time goes in a hand-over, and before it. */
enum transition_part {
	TRANSITION_EXIT,    /* `from`, last request: from the guest to its own code */
	TRANSITION_SAVE,    /* `from`, last request: its state to the page */
	TRANSITION_CHANNEL, /* `to`, first request: there and back, beyond all else */
	TRANSITION_EMULATE, /* `from`: running the guest, emulated or native, since it had it */
	TRANSITION_LOAD,    /* `to`, first request: the page to its state */
	TRANSITION_PARTS,
};

struct transition {
	uint64_t sequence;        /* 1 is the first of the run */
	enum transition_cause cause;
	enum stop_reason stop;    /* what `from` said */
	uint32_t stop_detail;
	const char *from, *to;    /* engines' names; not owned */
	const char *mode;         /* ctx_mode_name() */
	uint16_t cs;
	uint64_t ip, linear;      /* linear: CS base + ip, before paging */
	uint64_t cr0, rflags;
	uint64_t blocks, insns;   /* that `from` ran since it had the context */
	uint64_t guest_ns;        /* time of the guest's clock */
	uint64_t ns[TRANSITION_PARTS]; /* of the host */
};

struct transition_log;

/* Keeps the last `capacity` (at least 1). Never NULL. */
struct transition_log *transition_log_new(unsigned capacity);
void transition_log_free(struct transition_log *log); /* NULL is fine */

/* From now on each is also an event `handover` of the trace, with code from `mem`. */
void transition_log_record(struct transition_log *log, struct mem *mem);

/* The conductor's three calls. After each request, timed (ctx.timed), that took
 * `call_ns` in all (0: not measured); before the first request to another engine, the
 * emulator or not; after a reset. */
void transition_log_ran(struct transition_log *log, const struct ctx *ctx, uint64_t call_ns);
void transition_log_add(struct transition_log *log, const struct ctx *ctx, const char *from, const char *to, bool to_emulator,
                        uint64_t guest_ns);
void transition_log_reset(struct transition_log *log);

/* How many there were, how many are still held; the n-th of these, oldest first. */
uint64_t transition_log_total(const struct transition_log *log);
unsigned transition_log_held(const struct transition_log *log);
const struct transition *transition_log_get(const struct transition_log *log, unsigned n);

/* "pe-cleared", "vm86", ...; "exit", "save", ... */
const char *transition_cause_name(enum transition_cause cause);
const char *transition_part_name(enum transition_part part);

/* One line for each of the last `count`. */
void transition_log_print(const struct transition_log *log, unsigned count, FILE *out);
/* `name value` lines: how many by cause; of those held, mean, median and 99th
 * percentile of each part, in ns. */
void transition_log_summary(const struct transition_log *log, FILE *out);
/* All that are held, as a JSON object or as comma-separated values under a line of
 * names; docs/transitions.md. */
void transition_log_json(const struct transition_log *log, FILE *out);
void transition_log_csv(const struct transition_log *log, FILE *out);
/* Into a new file, as its name ends: .json or .csv. Returns false with *error
 * (g_free): one line with the remedy. */
bool transition_log_write(const struct transition_log *log, const char *path, char **error);
/* Does the name end like that? */
bool transition_log_names_format(const char *path);

#endif
