/* The conductor: picks the engine for the context, runs it, sees to why it
 * stopped, lets time pass, counts the hand-overs. */
#ifndef V2E_SHARED_CONDUCT_H
#define V2E_SHARED_CONDUCT_H

#include "shared/channel.h"
#include "shared/clock.h"
#include "shared/irq.h"
#include "shared/policy.h"
#include "shared/transition.h"

struct conduct;

/* How a run ended. */
enum conduct_end {
	CONDUCT_STOPPED,  /* conduct_stop(), STOP_HELD, conduct_stop_at_handovers() */
	CONDUCT_SHUTDOWN, /* triple fault or reset, and the board does not reset on it */
	CONDUCT_HALTED,   /* HLT with nothing that could ever wake it: no timer runs
	                   * and nobody outside can interrupt (IF = 0, or virtual
	                   * time); or IF = 0 for a second of guest time */
	CONDUCT_ERROR,    /* no engine can run the context; message was logged */
};

struct conduct_config {
	struct ctx *ctx;
	struct clock *clock;
	struct cpu_pins *pins;
	/* In order of preference; the first that can_run() gets the context. It
	 * keeps it until it says STOP_MODE or cannot go on. */
	struct channel *channel[2];
	unsigned channels;
	/* Blocks that the emulator keeps running after real mode was left, before
	 * the other engine gets the context (V2E: 1,000). */
	uint64_t threshold;
	/* Decides instead of `threshold`, where the second channel is the emulator's;
	 * not owned. NULL: the threshold counts. */
	struct policy *policy;
	/* Hand-overs are noted here, and requests timed; not owned. NULL: neither. */
	struct transition_log *transitions;
	/* Board reset: called for pins.reset and for shutdown; brings devices and
	 * *ctx to power-on. Returns false to end the run instead. */
	bool (*reset)(void *owner, bool from_shutdown);
	void *owner;
};

struct conduct_stats {
	uint64_t insns, blocks;       /* all engines */
	uint64_t runs[2];             /* requests, by channel */
	uint64_t handovers;           /* the engine changed */
	/* Of these, by the channel that gave the context away, and why it stopped. */
	uint64_t handover[2][STOP_REASONS];
	uint64_t stops[STOP_REASONS];
	uint64_t resets;
};

struct conduct *conduct_new(const struct conduct_config *config);
void conduct_free(struct conduct *conduct);

/* Between runs: another one, or NULL. */
void conduct_set_transitions(struct conduct *conduct, struct transition_log *transitions);

/* `stop` is called in the thread of conduct_run() with a complete page, which it
 * may change: when an engine stopped for ctx.debug (STOP_DEBUG), and before
 * STOP_SHUTDOWN is answered with a reset. While ctx.debug is armed the context
 * goes to engines that heed it, if any of them can run it. */
void conduct_set_debugger(struct conduct *conduct, void (*stop)(void *debugger, enum stop_reason reason), void *debugger);

/* From now on conduct_run() ends before each hand-over: the page is as one engine
 * left it, and the other gets it when it is called again. */
void conduct_stop_at_handovers(struct conduct *conduct);
/* Is that how the last conduct_run() ended? */
bool conduct_is_at_handover(const struct conduct *conduct);

/* Runs the guest until one of enum conduct_end; then the page is complete. May be
 * called again: a stop that was seen is over. */
enum conduct_end conduct_run(struct conduct *conduct);
/* Ends conduct_run() at the next boundary; any thread, also a signal handler. */
void conduct_stop(struct conduct *conduct);

const struct conduct_stats *conduct_stats(const struct conduct *conduct);

#endif
