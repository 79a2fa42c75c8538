/* Preloaded: DEAF=bell keeps the thread that listens to doorbells from hearing any, so
 * that the vCPU's thread has to answer all of them; DEAF=timer keeps the timer from
 * sending the guest's processor out, so that it leaves only if somebody kicks it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int is_deaf(const char *what)
{
	const char *deaf = getenv("DEAF");
	return deaf && !strcmp(deaf, what);
}

/* The thread's last descriptor is the one that ends it. */
int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	static int (*real)(struct pollfd *, nfds_t, int);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "poll");
	if (timeout != -1 || count < 2 || !is_deaf("bell"))
		return real(fds, count, timeout);
	for (nfds_t n = 0; n + 1 < count; n++)
		fds[n].revents = 0;
	return real(fds + count - 1, 1, timeout);
}

int timer_settime(timer_t timer, int flags, const struct itimerspec *time, struct itimerspec *old)
{
	static int (*real)(timer_t, int, const struct itimerspec *, struct itimerspec *);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "timer_settime");
	return is_deaf("timer") ? 0 : real(timer, flags, time, old);
}
