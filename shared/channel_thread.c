#include "shared/channel_thread.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "shared/futex.h"

enum turn { TURN_CONDUCTOR, TURN_ENGINE };

struct thread_channel {
	struct channel channel;
	pthread_t thread;
	bool quit;
	struct ctx *ctx;         /* the request; NULL with `quit` */
	enum stop_reason reason; /* the answer */
	uint32_t turn;           /* enum turn, with CHANNEL_FUTEX */
	int fd[2];               /* by enum turn: counts up when it comes; eventfd */
};

/* --- passing the turn ---------------------------------------------------------- */

static void futex_pass(struct thread_channel *channel, enum turn to)
{
	futex_set(&channel->turn, to);
}

static void futex_await(struct thread_channel *channel, enum turn mine)
{
	futex_wait_while(&channel->turn, mine == TURN_ENGINE ? TURN_CONDUCTOR : TURN_ENGINE, -1);
}

static void eventfd_pass(struct thread_channel *channel, enum turn to)
{
	while (eventfd_write(channel->fd[to], 1) < 0 && errno == EINTR)
		;
}

static void eventfd_await(struct thread_channel *channel, enum turn mine)
{
	eventfd_t count;
	while (eventfd_read(channel->fd[mine], &count) < 0 && errno == EINTR)
		;
}

static bool by_eventfd(const struct thread_channel *channel)
{
	return channel->fd[0] >= 0;
}

static void pass(struct thread_channel *channel, enum turn to)
{
	if (by_eventfd(channel))
		eventfd_pass(channel, to);
	else
		futex_pass(channel, to);
}

static void await(struct thread_channel *channel, enum turn mine)
{
	if (by_eventfd(channel))
		eventfd_await(channel, mine);
	else
		futex_await(channel, mine);
}

/* --- the engine's thread --------------------------------------------------------- */

static void *serve(void *data)
{
	struct thread_channel *channel = data;
	for (;;) {
		await(channel, TURN_ENGINE);
		if (channel->quit)
			return NULL;
		channel->reason = channel_serve(channel->channel.engine, channel->ctx);
		pass(channel, TURN_CONDUCTOR);
	}
}

/* Signals go to the thread that set their handlers up. */
static int start(struct thread_channel *channel)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&channel->thread, NULL, serve, channel);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

/* --- the conductor's side ----------------------------------------------------------- */

static enum stop_reason thread_call(struct channel *base, struct ctx *ctx)
{
	struct thread_channel *channel = (struct thread_channel *)base;
	channel->ctx = ctx;
	pass(channel, TURN_ENGINE);
	await(channel, TURN_CONDUCTOR);
	return channel->reason;
}

static void release(struct thread_channel *channel)
{
	for (unsigned n = 0; n < 2; n++)
		if (channel->fd[n] >= 0)
			close(channel->fd[n]);
	free(channel);
}

static void thread_free(struct channel *base)
{
	struct thread_channel *channel = (struct thread_channel *)base;
	channel->quit = true;
	pass(channel, TURN_ENGINE);
	pthread_join(channel->thread, NULL);
	release(channel);
}

static const struct channel_ops futex_ops = { .name = "futex", .call = thread_call, .free = thread_free };
static const struct channel_ops eventfd_ops = { .name = "eventfd", .call = thread_call, .free = thread_free };

static int open_counters(struct thread_channel *channel)
{
	for (unsigned n = 0; n < 2; n++)
		if ((channel->fd[n] = eventfd(0, EFD_CLOEXEC)) < 0)
			return errno;
	return 0;
}

struct channel *channel_new_thread(struct engine *engine, enum channel_wake wake)
{
	struct thread_channel *channel = calloc(1, sizeof *channel);
	if (!channel)
		return NULL;
	channel->channel.ops = wake == CHANNEL_EVENTFD ? &eventfd_ops : &futex_ops;
	channel->channel.engine = engine;
	channel->fd[0] = channel->fd[1] = -1;
	int error = wake == CHANNEL_EVENTFD ? open_counters(channel) : 0;
	if (!error)
		error = start(channel);
	if (!error)
		return &channel->channel;
	release(channel);
	errno = error;
	return NULL;
}
