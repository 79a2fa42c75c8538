/* A library to preload: the COUNT-th ioctl() of a number, and all behind it, fail.
 *
 *	FAIL_IOCTL=NUMBER,COUNT,ERRNO LD_PRELOAD=./fail_ioctl.so v2e ... */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

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
		if (!what || sscanf(what, "%lx,%d,%d", &number, &count, &error) != 3)
			abort();
	}
	if (request == number && --count < 0) {
		errno = error;
		return -1;
	}
	return real(fd, request, argument);
}
