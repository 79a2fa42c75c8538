/* close_range() */
#define _GNU_SOURCE

#include "shared/sandbox.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#ifdef V2E_SECCOMP
#include <seccomp.h>
#endif

/* --- files ----------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	const int *left = a, *right = b;
	return (*left > *right) - (*left < *right);
}

/* Kernels before 5.9 have no close_range(). */
static int close_each(unsigned first, unsigned last)
{
	long open_max = sysconf(_SC_OPEN_MAX);
	if (open_max > 0 && last >= (unsigned long)open_max)
		last = (unsigned)open_max - 1;
	for (unsigned fd = first; fd <= last; fd++)
		close((int)fd);
	return 0;
}

static int close_between(unsigned first, unsigned last)
{
	if (!close_range(first, last, 0))
		return 0;
	return errno == ENOSYS || errno == EPERM ? close_each(first, last) : -errno;
}

int sandbox_close_files(const int *keep, unsigned count)
{
	int *kept = malloc((count + 1) * sizeof *kept), error = 0;
	unsigned next = 0;
	if (!kept)
		return -ENOMEM;
	memcpy(kept, keep, count * sizeof *kept);
	kept[count] = STDERR_FILENO;
	qsort(kept, count + 1, sizeof *kept, compare);
	for (unsigned n = 0; n <= count && !error; n++) {
		unsigned fd = (unsigned)kept[n];
		if (fd > next)
			error = close_between(next, fd - 1);
		next = fd + 1;
	}
	free(kept);
	return error ? error : close_between(next, UINT_MAX);
}

/* --- system calls ----------------------------------------------------------------- */

#ifdef V2E_SECCOMP
bool sandbox_has_filter(void)
{
	return true;
}

static int allow_some_arguments(scmp_filter_ctx filter)
{
	int error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(write), 1,
	                             SCMP_A0(SCMP_CMP_EQ, STDERR_FILENO, 0));
	/* abort() */
	return error ? error
	             : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
	                                SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
}

static int filter_calls(void)
{
	static const int allowed[] = {
		SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(mprotect), SCMP_SYS(madvise), SCMP_SYS(brk),
		SCMP_SYS(futex), SCMP_SYS(restart_syscall), SCMP_SYS(sched_yield),
		SCMP_SYS(clock_gettime), SCMP_SYS(getrandom), SCMP_SYS(sysinfo), SCMP_SYS(getpid), SCMP_SYS(gettid),
		SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
		SCMP_SYS(exit), SCMP_SYS(exit_group),
	};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!filter)
		return -ENOMEM;
	int error = allow_some_arguments(filter);
	for (unsigned n = 0; n < sizeof allowed / sizeof *allowed && !error; n++)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[n], 0);
	if (!error)
		error = seccomp_load(filter);
	seccomp_release(filter);
	return error;
}
#else
bool sandbox_has_filter(void)
{
	return false;
}

static int filter_calls(void)
{
	return 0;
}
#endif

int sandbox_enter(void)
{
	const struct rlimit none = { 0, 0 };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0)
		return -errno;
	return filter_calls();
}
