/* An engine runs the vCPU that a context page describes: the emulator (emu/)
 * and KVM (hv/) are two of them. The conductor knows nothing else. */
#ifndef V2E_SHARED_ENGINE_H
#define V2E_SHARED_ENGINE_H

#include "shared/ctx.h"

/* Why an engine gave control back; ctx.stop_reason. */
enum stop_reason {
	STOP_NONE,
	STOP_BUDGET,   /* ctx.limit_insns was reached */
	STOP_MODE,     /* the guest crossed the border that this engine watches */
	STOP_HALT,     /* HLT, and no event pending; ctx.halted is set */
	STOP_KICK,     /* engine_kick(), or a pin that the conductor must see to */
	STOP_SHUTDOWN, /* triple fault; ctx holds the state before it */
	STOP_ERROR,    /* this engine cannot go on; stop_detail: engine's own code */
	STOP_DEBUG,    /* ctx.debug asked for it; ctx.debug.hit */
	STOP_HELD,     /* pins.hold_intr, and INTR would have been taken here */
	STOP_REASONS,
};

/* With STOP_MODE and STOP_KICK stop_detail may be the engine's own code as well: below
 * this it failed, from here on it needs another engine for what comes next. */
#define STOP_DETAIL_NEEDED 16u

struct engine;

struct engine_ops {
	const char *name;
	bool no_debug; /* with ctx.debug armed, another engine is asked first: this one may not heed it */
	bool times_itself; /* run() sets ctx.ns_load to ns_save, where ctx.timed */
	/* May this engine run the context as it is? */
	bool (*can_run)(struct engine *engine, const struct ctx *ctx);
	/* Runs until something in enum stop_reason happens. Adds to blocks_run
	 * and insns_run. The page is complete and exact on return. */
	enum stop_reason (*run)(struct engine *engine, struct ctx *ctx);
	/* Makes run() return soon with STOP_KICK; any thread, also a signal handler. */
	void (*kick)(struct engine *engine);
	/* Another engine ran in between: nothing cached of memory is to be
	 * trusted without a look. */
	void (*new_epoch)(struct engine *engine);
	/* Everything made of the guest's code is made anew; not while it runs. NULL:
	 * it makes nothing. */
	void (*flush)(struct engine *engine);
	void (*print_stats)(struct engine *engine, FILE *out);
	void (*free)(struct engine *engine);
};

/* The first member of each engine's own struct. */
struct engine {
	const struct engine_ops *ops;
};

const char *stop_reason_name(enum stop_reason reason);

#endif
