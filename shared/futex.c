/* syscall() */
#define _GNU_SOURCE

#include "shared/futex.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The other side often answers sooner than a sleep takes to begin and end. */
#define SPINS 100

static uint32_t load(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static int64_t ms_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static void sleep_on(const uint32_t *word, uint32_t value, int64_t ms)
{
	struct timespec timeout = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	syscall(SYS_futex, word, FUTEX_WAIT, value, ms < 0 ? NULL : &timeout, NULL, 0);
}

/* Tells the processor that this is a loop that waits. */
static void relax(void)
{
#if defined __x86_64__
	__builtin_ia32_pause();
#elif defined __aarch64__
	__asm__ volatile("yield");
#endif
}

bool futex_wait_while(const uint32_t *word, uint32_t value, int ms)
{
	for (unsigned i = 0; i < SPINS; i++) {
		if (load(word) != value)
			return true;
		relax();
	}
	int64_t end = ms < 0 ? 0 : ms_now() + ms;
	for (int64_t left = ms; load(word) == value;) {
		if (ms >= 0 && (left = end - ms_now()) <= 0)
			return false;
		sleep_on(word, value, left);
	}
	return true;
}

void futex_set(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
	syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}
