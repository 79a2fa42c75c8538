/* A library to preload: ioctl() of a number, and perhaps of this ARGUMENT only, fails
 * behind COUNT good ones, for good or that many TIMES; with ERRNO 0 it answers 0, as a
 * kernel that has nothing of it. Or /dev/kvm cannot be opened. FAIL_ENGINE=1: no probe's
 * fails, but only what comes behind the engine's question for KVM_CAP_NR_MEMSLOTS.
 *
 *	FAIL_IOCTL=NUMBER,COUNT,ERRNO[,TIMES[,ARGUMENT]] LD_PRELOAD=./fail_ioctl.so v2e ...
 *	FAIL_OPEN=ERRNO LD_PRELOAD=./fail_ioctl.so v2e ...
 *
 * Or each other syscall() of a number fails, as a signal makes them do:
 *
 *	PUT_OFF=NUMBER,ERRNO LD_PRELOAD=./fail_ioctl.so v2e ... */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int open(const char *path, int flags, ...)
{
	static int (*real)(const char *path, int flags, ...);
	const char *error = getenv("FAIL_OPEN");
	va_list list;
	va_start(list, flags);
	int mode = va_arg(list, int);
	va_end(list);
	if (!real)
		real = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
	if (error && !strcmp(path, "/dev/kvm")) {
		errno = atoi(error);
		return -1;
	}
	return real(path, flags, mode);
}

#define CHECK_EXTENSION 0xae03
#define CAP_NR_MEMSLOTS 10

static struct {
	unsigned long number;
	int count, error, times, waits;
	long argument; /* -1: any */
} order;

static void read_order(void)
{
	const char *what = getenv("FAIL_IOCTL"), *engine = getenv("FAIL_ENGINE");
	order.times = INT_MAX;
	order.argument = -1;
	order.waits = engine && atoi(engine);
	if (what && sscanf(what, "%lx,%d,%d,%d,%ld", &order.number, &order.count, &order.error, &order.times, &order.argument) < 3)
		abort();
}

static int fails(unsigned long request, const void *argument)
{
	if (request == CHECK_EXTENSION && (long)argument == CAP_NR_MEMSLOTS)
		order.waits = 0;
	if (!order.number || request != order.number || order.waits)
		return 0;
	if (order.argument >= 0 && (long)argument != order.argument)
		return 0;
	return --order.count < 0 && order.times-- > 0;
}

int ioctl(int fd, unsigned long request, ...)
{
	static int (*real)(int fd, unsigned long request, ...);
	va_list list;
	va_start(list, request);
	void *argument = va_arg(list, void *);
	va_end(list);
	if (!real) {
		real = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
		read_order();
	}
	if (fails(request, argument)) {
		errno = order.error;
		return order.error ? -1 : 0;
	}
	return real(fd, request, argument);
}

long syscall(long number, ...)
{
	static long (*real)(long number, ...);
	static long wanted;
	static int error, calls;
	long given[6];
	va_list list;
	va_start(list, number);
	for (int i = 0; i < 6; i++)
		given[i] = va_arg(list, long);
	va_end(list);
	if (!real) {
		const char *what = getenv("PUT_OFF");
		real = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
		if (what && sscanf(what, "%ld,%d", &wanted, &error) != 2)
			abort();
	}
	if (error && number == wanted && calls++ % 2 == 0) {
		errno = error;
		return -1;
	}
	return real(number, given[0], given[1], given[2], given[3], given[4], given[5]);
}
