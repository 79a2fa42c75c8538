/* Preloaded: ends the process at the call that FAIL_SAVE names, kill:write,
 * kill:fsync or kill:rename, or has it fail, fail:write and so on. Only calls that a
 * `save` makes are met: on a file whose name has ".state." in it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_ours(int fd)
{
	char link[64], name[4096];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t length = readlink(link, name, sizeof name - 1);
	name[length < 0 ? 0 : length] = '\0';
	return strstr(name, ".state.") != NULL;
}

/* Returns whether the call is to fail. */
static int meet(const char *call)
{
	const char *wanted = getenv("FAIL_SAVE"), *colon = wanted ? strchr(wanted, ':') : NULL;
	if (!colon || strcmp(colon + 1, call))
		return 0;
	if (!strncmp(wanted, "kill", 4))
		kill(getpid(), SIGKILL);
	errno = ENOSPC;
	return 1;
}

ssize_t write(int fd, const void *data, size_t size)
{
	static ssize_t (*real)(int, const void *, size_t);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "write");
	return is_ours(fd) && meet("write") ? -1 : real(fd, data, size);
}

int fsync(int fd)
{
	static int (*real)(int);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "fsync");
	return is_ours(fd) && meet("fsync") ? -1 : real(fd);
}

int rename(const char *from, const char *to)
{
	static int (*real)(const char *, const char *);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "rename");
	return strstr(from, ".state.") && meet("rename") ? -1 : real(from, to);
}
