/* Guest time, the only time that devices know. Nanoseconds since power-on.
 * Real: the host's monotonic clock. Virtual: instructions run, so that a run
 * repeats to the bit. */
#ifndef V2E_SHARED_CLOCK_H
#define V2E_SHARED_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct clock;
struct clock_timer;

enum clock_kind { CLOCK_KIND_REAL, CLOCK_KIND_VIRTUAL };

#define CLOCK_NEVER UINT64_MAX

struct clock *clock_new(enum clock_kind kind);
/* All timers must have been freed. */
void clock_free(struct clock *clock);

enum clock_kind clock_kind(const struct clock *clock);

/* Guest nanoseconds. Never runs backwards. */
uint64_t clock_now(struct clock *clock);

/* `n` instructions have run. In virtual time each takes CLOCK_NS_PER_INSN. An
 * engine calls it before anything that may read the clock. */
#define CLOCK_NS_PER_INSN 10u
void clock_add_insns(struct clock *clock, uint64_t n);
/* Virtual: from now on instructions take no time; it passes by clock_wait_until()
 * alone. For engines that cannot count. */
void clock_ignore_insns(struct clock *clock);

/* Virtual: time jumps to `ns` (the CPU is halted until then), never back, and
 * not at all to CLOCK_NEVER. Real: sleeps until then, or until clock_wake() is
 * called, from any thread or a signal handler; a call while nobody sleeps ends
 * the next sleep. */
void clock_wait_until(struct clock *clock, uint64_t ns);
void clock_wake(struct clock *clock);

/* Timers fire from clock_run_due(), in order of deadline, then of creation;
 * `fire` may set its own and other timers again. The caller owns the timer. */
struct clock_timer *clock_timer_new(struct clock *clock, void (*fire)(void *owner), void *owner);
void clock_timer_free(struct clock_timer *timer); /* NULL is fine */
void clock_timer_set(struct clock_timer *timer, uint64_t deadline_ns);
void clock_timer_stop(struct clock_timer *timer);
/* Deadline, or CLOCK_NEVER when it does not run. */
uint64_t clock_timer_deadline(const struct clock_timer *timer);

uint64_t clock_next_deadline(const struct clock *clock);
void clock_run_due(struct clock *clock);

/* Ticks of a `hz` counter in `ns`, and the first ns at which `ticks` have passed;
 * 128-bit inside, so exact for centuries; saturates. */
uint64_t clock_ns_to_ticks(uint64_t ns, uint64_t hz);
uint64_t clock_ticks_to_ns(uint64_t ticks, uint64_t hz);

/* Sets the time, for restore. */
void clock_set_now(struct clock *clock, uint64_t ns);

#endif
