/* Who looks at each instruction that an engine runs, for --trace and --gdb with an engine
 * that cannot look itself: the engine stops where it is told to and asks again. */
#ifndef V2E_SHARED_STEPPER_H
#define V2E_SHARED_STEPPER_H

#include "shared/ctx.h"
#include "shared/mem.h"

#define STEPPER_STOPS 4u

enum stepper_plan {
	STEPPER_ONE,  /* stop behind the instruction at CS:IP, wherever it leads; `stop`
	               * are handlers of faults that it may raise */
	STEPPER_TO,   /* stop at one of `stop`; there may be none */
	STEPPER_HIT,  /* do not run it: STOP_DEBUG */
};

struct stepper {
	/* The engine was given the page. False: it may run as if there were no stepper.
	 * NULL: it may not. */
	bool (*begin)(void *owner, struct ctx *page);
	/* The instruction at CS:IP comes next. Sets `stop` (linear addresses) and their
	 * number. `again`: it came before, but an interrupt was
	 * faster. */
	enum stepper_plan (*plan)(void *owner, const struct ctx *ctx, struct mem *mem, bool again, uint64_t stop[STEPPER_STOPS], unsigned *stops);
	/* It is done, or what was planned to run has come to a stop. True: STOP_DEBUG. */
	bool (*done)(void *owner, const struct ctx *ctx, struct mem *mem);
	/* An interrupt or exception is delivered before the next plan(). NULL: who cares. */
	void (*event)(void *owner, uint8_t vector);
	/* While it runs: it read or wrote what is no memory, at a physical address. NULL
	 * likewise. */
	void (*mmio)(void *owner, uint64_t address, unsigned size, uint64_t value, bool write);
	void (*free)(void *owner);
	void *owner; /* plan NULL: nobody looks */
};

#endif
