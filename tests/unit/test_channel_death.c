/* How the process of a channel stops and dies. */
#include "tests/unit/channel_rig.h"

#include <pthread.h>
#include <sys/wait.h>

#include "shared/sandbox.h"

/* --- stop and death ------------------------------------------------------------------------------------ */

static bool entered(void)
{
	return __atomic_load_n(&mem_store_data(ram)[ENTERED], __ATOMIC_ACQUIRE);
}

static void *stop_when_entered(void *data)
{
	(void)data;
	while (!entered())
		sched_yield();
	__atomic_store_n(&pins.stop, true, __ATOMIC_SEQ_CST);
	channel->engine->ops->kick(channel->engine);
	return NULL;
}

static void *kill_when_entered(void *data)
{
	while (!entered())
		sched_yield();
	kill(*(pid_t *)data, SIGKILL);
	return NULL;
}

START_TEST(kick_across_processes)
{
	pthread_t thread;
	pthread_create(&thread, NULL, stop_when_entered, NULL);
	ck_assert_int_eq(request(ACT_WAIT, 0, 0), STOP_KICK);
	pthread_join(thread, NULL);
	pins.stop = false;
	ck_assert_uint_eq(result_of(ACT_PINS, 0, 0), 0);
}
END_TEST

START_TEST(killed_in_mid_run)
{
	pthread_t thread;
	pid_t pid = channel_process_pid(channel);
	page.rip = 0x1234;
	pthread_create(&thread, NULL, kill_when_entered, &pid);
	ck_assert_int_eq(request(ACT_WAIT, 0, 0), STOP_ERROR);
	pthread_join(thread, NULL);
	ck_assert_uint_eq(page.stop_detail, SIGKILL);
	ck_assert_uint_eq(page.request_state, CTX_IDLE);
	ck_assert_uint_eq(page.rip, 0x1234);
	ck_assert_msg(strstr(log_text(), "was killed by signal 9 (Killed)"), "%s", said);
	ck_assert_int_eq(channel_process_pid(channel), 0);
	ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), -1);
	/* said once; nothing hangs */
	size_t size = said_size;
	ck_assert(channel->engine->ops->can_run(channel->engine, &page));
	ck_assert_int_eq(request(ACT_NOTHING, 0, 0), STOP_ERROR);
	channel->engine->ops->kick(channel->engine);
	log_text();
	ck_assert_uint_eq(said_size, size);
}
END_TEST

START_TEST(killed_between_requests)
{
	request(ACT_NOTHING, 0, 0);
	kill(channel_process_pid(channel), SIGKILL);
	ck_assert_int_eq(request(ACT_NOTHING, 0, 0), STOP_ERROR);
	ck_assert_msg(strstr(log_text(), "was killed by signal 9 (Killed)"), "%s", said);
}
END_TEST

static const struct {
	enum act what;
	const char *message;
	bool filter; /* without it the system call succeeds */
} crimes[] = {
	{ ACT_KILL, "was killed by signal 9 (Killed)", false },
	{ ACT_EXIT, "ended with status 3", false },
	{ ACT_ABORT, "was killed by signal 6 (Aborted)", false },
	{ ACT_OPEN, "was killed by signal 31 (Bad system call)", true },
	{ ACT_FILES, "was killed by signal 31 (Bad system call)", true },
	{ ACT_BAD_PAGE, "gave back a page that is none: ", false },
	{ ACT_BAD_FETCH, "asked for a state that nobody keeps", false },
};

START_TEST(death_is_reported)
{
	if (crimes[_i].filter && !sandbox_has_filter())
		return;
	/* abort() prints a stack trace under sanitizers */
	page.rip = 0x4321;
	ck_assert_int_eq(request(crimes[_i].what, 0, 0), STOP_ERROR);
	ck_assert_msg(strstr(log_text(), crimes[_i].message), "%s", said);
	ck_assert_uint_eq(page.rip, 0x4321);
	ck_assert_int_eq(channel_process_pid(channel), 0);
}
END_TEST

START_TEST(odd_answers)
{
	ck_assert_int_eq(request(ACT_BAD_REASON, 0, 0), STOP_ERROR);
	ck_assert_int_eq(request(ACT_BAD_ACCESS, 0, 0), STOP_BUDGET);
	ck_assert_int_ne(channel_process_pid(channel), 0);
}
END_TEST

START_TEST(free_ends_the_process)
{
	pid_t pid = channel_process_pid(channel);
	channel_free(channel);
	channel = NULL;
	ck_assert_int_eq(kill(pid, 0), -1);
	/* The map is listened to no more. */
	mem_region_enable(other_region, 0x20000);
	mem_write_bytes(mem, 0, "x", 1);
}
END_TEST

START_TEST(build_fails)
{
	char *error = NULL;
	struct channel *before = channel;
	ck_assert(!open_channel(&page, &error));
	ck_assert_str_eq(error, "the engine's process: it does not want to");
	g_free(error);
	channel = before;
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), 0); /* only the first is left */
}
END_TEST

/* --- the sandbox, without a channel ------------------------------------------------------------------- */

/* Bits of the descriptors 0 to 63 that are open in a process that kept 10 and 12. */
static uint64_t kept_files(void)
{
	int fds[2];
	const int keep[] = { 12, 10 };
	uint64_t bits = 0;
	ck_assert_int_eq(pipe(fds), 0);
	pid_t pid = fork();
	if (!pid) {
		for (int fd = 3; fd < 20; fd++)
			if (fd != fds[1])
				dup2(2, fd);
		dup2(fds[1], 10);
		if (sandbox_close_files(keep, 2))
			_exit(1);
		bits = 0;
		for (int fd = 0; fd < 64; fd++)
			bits |= (uint64_t)(fcntl(fd, F_GETFD) >= 0) << fd;
		_exit(write(10, &bits, sizeof bits) != sizeof bits);
	}
	close(fds[1]);
	ck_assert_int_eq(read(fds[0], &bits, sizeof bits), sizeof bits);
	close(fds[0]);
	waitpid(pid, NULL, 0);
	return bits;
}

START_TEST(files_are_closed)
{
	ck_assert_uint_eq(kept_files(), 1u << 2 | 1u << 10 | 1u << 12);
}
END_TEST

Suite *suite_channel_death(void)
{
	Suite *suite = suite_create("channel_death");
	TCase *tcase = tcase_create("channel_death");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, kick_across_processes);
	tcase_add_test(tcase, killed_in_mid_run);
	tcase_add_test(tcase, killed_between_requests);
	tcase_add_loop_test(tcase, death_is_reported, 0, G_N_ELEMENTS(crimes));
	tcase_add_test(tcase, odd_answers);
	tcase_add_test(tcase, free_ends_the_process);
	tcase_add_test(tcase, build_fails);
	tcase_add_test(tcase, files_are_closed);
	suite_add_tcase(suite, tcase);
	return suite;
}
