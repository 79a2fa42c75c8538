/* A library to preload: ioctl() of a number fails after COUNT good ones, or with ERRNO
 * 0 answers 0, as a kernel that has nothing of it; or /dev/kvm cannot be opened.
 *
 *	FAIL_IOCTL=NUMBER,COUNT,ERRNO LD_PRELOAD=./fail_ioctl.so v2e ...
 *	FAIL_OPEN=ERRNO LD_PRELOAD=./fail_ioctl.so v2e ...
 *
 * Or each other syscall() of a number fails, as a signal makes them do:
 *
 *	PUT_OFF=NUMBER,ERRNO LD_PRELOAD=./fail_ioctl.so v2e ... */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
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

int ioctl(int fd, unsigned long request, ...)
{
	static int (*real)(int fd, unsigned long request, ...);
	static unsigned long number;
	static int count, error;
	va_list list;
	va_start(list, request);
	void *argument = va_arg(list, void *);
	va_end(list);
	if (!real) {
		const char *what = getenv("FAIL_IOCTL");
		real = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
		if (what && sscanf(what, "%lx,%d,%d", &number, &count, &error) != 3)
			abort();
	}
	if (number && request == number && --count < 0) {
		errno = error;
		return error ? -1 : 0;
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
