/* ppoll() */
#define _GNU_SOURCE

#include "shared/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_SECOND 1000000000u

struct clock_timer {
	struct clock *clock;
	void (*fire)(void *owner);
	void *owner;
	uint64_t deadline;  /* CLOCK_NEVER: not in the list */
	uint64_t number;    /* order of creation */
	struct clock_timer *next;
};

struct clock {
	enum clock_kind kind;
	uint64_t now;        /* virtual: guest time */
	uint64_t origin;     /* real: host time less guest time */
	struct clock_timer *first; /* running timers in the order they fire */
	uint64_t timers;     /* made so far */
	int wake_fd;
	bool ignores_insns;
};

static uint64_t host_now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * NS_PER_SECOND + (uint64_t)time.tv_nsec;
}

struct clock *clock_new(enum clock_kind kind)
{
	struct clock *clock = calloc(1, sizeof *clock);
	if (!clock)
		return NULL;
	clock->kind = kind;
	clock->origin = host_now();
	clock->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (clock->wake_fd < 0) {
		free(clock);
		return NULL;
	}
	return clock;
}

void clock_free(struct clock *clock)
{
	if (!clock)
		return;
	close(clock->wake_fd);
	free(clock);
}

enum clock_kind clock_kind(const struct clock *clock)
{
	return clock->kind;
}

uint64_t clock_now(struct clock *clock)
{
	return clock->kind == CLOCK_KIND_VIRTUAL ? clock->now : host_now() - clock->origin;
}

void clock_set_now(struct clock *clock, uint64_t ns)
{
	clock->now = ns;
	clock->origin = host_now() - ns;
}

void clock_add_insns(struct clock *clock, uint64_t n)
{
	if (!clock->ignores_insns)
		clock->now += n * CLOCK_NS_PER_INSN;
}

void clock_ignore_insns(struct clock *clock)
{
	clock->ignores_insns = true;
}

/* Returns true when it was woken. */
static bool sleep_for(struct clock *clock, uint64_t ns)
{
	struct pollfd wake = { .fd = clock->wake_fd, .events = POLLIN };
	struct timespec timeout = {
		.tv_sec = (time_t)(ns / NS_PER_SECOND),
		.tv_nsec = (long)(ns % NS_PER_SECOND),
	};
	int ready = ppoll(&wake, 1, ns == CLOCK_NEVER ? NULL : &timeout, NULL);
	if (ready <= 0)
		return false;
	uint64_t count;
	return read(clock->wake_fd, &count, sizeof count) == sizeof count;
}

void clock_wait_until(struct clock *clock, uint64_t ns)
{
	if (clock->kind == CLOCK_KIND_VIRTUAL) {
		if (ns > clock->now && ns != CLOCK_NEVER)
			clock->now = ns;
		return;
	}
	for (;;) {
		uint64_t now = clock_now(clock);
		if (now >= ns || sleep_for(clock, ns == CLOCK_NEVER ? ns : ns - now))
			return;
	}
}

void clock_wake(struct clock *clock)
{
	/* For signal handlers: write() is async-signal-safe, errno is kept. When
	 * the counter is full the sleeper is awake already. */
	int saved = errno;
	uint64_t one = 1;
	ssize_t written = write(clock->wake_fd, &one, sizeof one);
	(void)written;
	errno = saved;
}

struct clock_timer *clock_timer_new(struct clock *clock, void (*fire)(void *owner), void *owner)
{
	struct clock_timer *timer = calloc(1, sizeof *timer);
	if (!timer)
		abort();
	timer->clock = clock;
	timer->fire = fire;
	timer->owner = owner;
	timer->deadline = CLOCK_NEVER;
	timer->number = clock->timers++;
	return timer;
}

void clock_timer_free(struct clock_timer *timer)
{
	if (!timer)
		return;
	clock_timer_stop(timer);
	free(timer);
}

void clock_timer_stop(struct clock_timer *timer)
{
	if (timer->deadline == CLOCK_NEVER)
		return;
	struct clock_timer **link = &timer->clock->first;
	while (*link != timer)
		link = &(*link)->next;
	*link = timer->next;
	timer->deadline = CLOCK_NEVER;
}

static bool fires_before(const struct clock_timer *a, const struct clock_timer *b)
{
	return a->deadline < b->deadline || (a->deadline == b->deadline && a->number < b->number);
}

void clock_timer_set(struct clock_timer *timer, uint64_t deadline_ns)
{
	clock_timer_stop(timer);
	if (deadline_ns == CLOCK_NEVER)
		return;
	timer->deadline = deadline_ns;
	struct clock_timer **link = &timer->clock->first;
	while (*link && fires_before(*link, timer))
		link = &(*link)->next;
	timer->next = *link;
	*link = timer;
}

uint64_t clock_timer_deadline(const struct clock_timer *timer)
{
	return timer->deadline;
}

uint64_t clock_next_deadline(const struct clock *clock)
{
	return clock->first ? clock->first->deadline : CLOCK_NEVER;
}

void clock_run_due(struct clock *clock)
{
	if (!clock->first)
		return;
	uint64_t now = clock_now(clock);
	for (struct clock_timer *timer; (timer = clock->first) && timer->deadline <= now;) {
		clock_timer_stop(timer);
		timer->fire(timer->owner);
	}
}

uint64_t clock_ns_to_ticks(uint64_t ns, uint64_t hz)
{
	unsigned __int128 ticks = (unsigned __int128)ns * hz / NS_PER_SECOND;
	return ticks > UINT64_MAX ? UINT64_MAX : (uint64_t)ticks;
}

uint64_t clock_ticks_to_ns(uint64_t ticks, uint64_t hz)
{
	if (!hz)
		return CLOCK_NEVER;
	unsigned __int128 ns = ((unsigned __int128)ticks * NS_PER_SECOND + hz - 1) / hz;
	return ns > UINT64_MAX ? CLOCK_NEVER : (uint64_t)ns;
}
