/* Floors as subjects: what a hand-over cannot cost less than. */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cli/bench_subject.h"
#include "shared/channel.h"
#include "shared/futex.h"

/* Who plays: us, the other thread, or the other thread is to end. */
enum turn { TURN_OURS, TURN_THEIRS, TURN_END };

struct floor {
	const struct bench_subject *subject;
	enum bench_kind kind; /* its */
	struct hv_floor *kvm;
	struct bench_order order; /* for which that is, with BENCH_TRIP */
	pthread_t thread;
	bool threaded;
	uint32_t turn; /* enum turn */
	int fd[2];     /* ours, theirs */
};

/* --- another thread ------------------------------------------------------------------- */

static void *serve_futex(void *argument)
{
	struct floor *floor = argument;
	for (;;) {
		futex_wait_while(&floor->turn, TURN_OURS, -1);
		if (__atomic_load_n(&floor->turn, __ATOMIC_ACQUIRE) == TURN_END)
			return NULL;
		futex_set(&floor->turn, TURN_OURS);
	}
}

static void *serve_eventfd(void *argument)
{
	const struct floor *floor = argument;
	eventfd_t count;
	while (!eventfd_read(floor->fd[1], &count) && floor->turn != TURN_END)
		eventfd_write(floor->fd[0], 1);
	return NULL;
}

static bool open_thread(struct floor *floor, char **error)
{
	bool by_futex = floor->kind == BENCH_FUTEX;
	for (unsigned n = 0; !by_futex && n < 2; n++)
		floor->fd[n] = eventfd(0, EFD_CLOEXEC);
	if (by_futex || (floor->fd[0] >= 0 && floor->fd[1] >= 0))
		floor->threaded = !pthread_create(&floor->thread, NULL, by_futex ? serve_futex : serve_eventfd, floor);
	if (!floor->threaded)
		*error = g_strdup_printf("no second thread: %s; raise the limits of processes and files", g_strerror(errno));
	return floor->threaded;
}

static void close_thread(struct floor *floor)
{
	if (floor->threaded) {
		futex_set(&floor->turn, TURN_END);
		if (floor->kind == BENCH_EVENTFD)
			eventfd_write(floor->fd[1], 1);
		pthread_join(floor->thread, NULL);
	}
	for (unsigned n = 0; n < 2; n++)
		if (floor->fd[n] >= 0)
			close(floor->fd[n]);
}

/* --- rounds ----------------------------------------------------------------------------- */

static __attribute__((noinline)) void do_nothing(void)
{
	__asm__ volatile("");
}

static void call(unsigned times)
{
	void (*volatile function)(void) = do_nothing;
	while (times--)
		function();
}

static void pass_futex(struct floor *floor, unsigned times)
{
	while (times--) {
		futex_set(&floor->turn, TURN_THEIRS);
		futex_wait_while(&floor->turn, TURN_THEIRS, -1);
	}
}

static void pass_eventfd(const struct floor *floor, unsigned times)
{
	eventfd_t count;
	while (times--) {
		eventfd_write(floor->fd[1], 1);
		eventfd_read(floor->fd[0], &count);
	}
}

static bool play(struct floor *floor, unsigned times)
{
	switch (floor->kind) {
	case BENCH_CALL:
		call(times);
		return true;
	case BENCH_FUTEX:
		pass_futex(floor, times);
		return true;
	case BENCH_EVENTFD:
		pass_eventfd(floor, times);
		return true;
	default:
		return hv_floor_run(floor->kvm, times);
	}
}

/* --- the subject --------------------------------------------------------------------------- */

static void floor_close(void *state)
{
	struct floor *floor = state;
	close_thread(floor);
	hv_floor_free(floor->kvm);
	g_free(floor);
}

static bool open_kvm(struct floor *floor, const struct hv_floor_guest *guest, char **error)
{
	static const enum hv_floor_kind kinds[BENCH_KINDS] = {
		[BENCH_EXIT] = HV_FLOOR_EXIT, [BENCH_STOP] = HV_FLOOR_STOP, [BENCH_TRIP] = HV_FLOOR_TRIP, [BENCH_PAGE] = HV_FLOOR_PAGE,
	};
	return (floor->kvm = hv_floor_new(kinds[floor->kind], floor->subject->watch, guest, error));
}

static void *floor_open(const struct bench_subject *subject, char **error)
{
	struct floor *floor = g_new0(struct floor, 1);
	bool fine = true;
	*floor = (struct floor){ .subject = subject, .kind = subject->kind, .fd = { -1, -1 } };
	if (floor->kind == BENCH_FUTEX || floor->kind == BENCH_EVENTFD)
		fine = open_thread(floor, error);
	else if (floor->kind != BENCH_CALL && floor->kind != BENCH_TRIP)
		fine = open_kvm(floor, NULL, error);
	if (fine)
		return floor;
	floor_close(floor);
	return NULL;
}

static bool same_guest(const struct bench_order *a, const struct bench_order *b)
{
	return a->guest == b->guest && a->real_turns == b->real_turns && a->protected_turns == b->protected_turns;
}

/* A guest of its own, at the place where a hybrid hands it over. */
static bool open_trip(struct floor *floor, const struct bench_order *order, char **error)
{
	struct hv_floor_guest guest;
	if (floor->kvm && same_guest(&floor->order, order))
		return true;
	hv_floor_free(floor->kvm);
	floor->kvm = NULL;
	floor->order = *order;
	void *machine = bench_machine_to_handover(floor->subject, order, &guest, error);
	bool fine = machine && open_kvm(floor, &guest, error);
	if (machine)
		bench_machine_ops.close(machine);
	return fine;
}

static void floor_ask(void *state, const struct bench_order *order, struct bench_answer *answer)
{
	g_autofree char *error = NULL;
	if (((struct floor *)state)->kind == BENCH_TRIP && !open_trip(state, order, &error)) {
		bench_answer_fail(answer, "%s", error);
		return;
	}
	uint64_t cpu_ns = bench_cpu_ns(), ns = channel_host_ns(), cycles = bench_cycles();
	if (!play(state, order->rounds)) {
		bench_answer_fail(answer, "KVM did not come back as it should");
		return;
	}
	answer->cycles = bench_cycles() - cycles;
	answer->ns = channel_host_ns() - ns;
	answer->cpu_ns = bench_cpu_ns() - cpu_ns;
}

const struct bench_ops bench_floor_ops = { .open = floor_open, .ask = floor_ask, .close = floor_close };
