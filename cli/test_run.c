#include "cli/test_run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/test_folder.h"
#include "cli/test_guest.h"
#include "cli/units.h"
#include "shared/log.h"

#define POLL_NS 50000000

struct worker {
	pid_t pid;            /* 0: free */
	struct test_job *job;
	int64_t began_ns;     /* host's monotonic time */
	int64_t told_ns;      /* asked to end then; 0: not */
	char *why;            /* ...because; NULL: not */
	int folder;           /* keeps others from it */
};

struct pool {
	const struct test_run_config *config;
	struct worker *workers; /* config->jobs */
	unsigned running;
	bool interrupted;
	sigset_t ours, before;
};

static int64_t now_ns(void)
{
	return g_get_monotonic_time() * 1000;
}

/* The child */

static void redirect(const char *path, int flags, int to)
{
	int fd = open(path, flags | O_CLOEXEC, 0666);
	if (fd < 0 || dup2(fd, to) < 0)
		_exit(EXIT_FAILURE);
	close(fd);
}

static void settle(const struct pool *pool, const struct test_job *job, pid_t parent)
{
	setpgid(0, 0);
	/* A runner that is killed takes its tests with it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	if (chdir(job->folder) < 0)
		_exit(EXIT_FAILURE);
	redirect("/dev/null", O_RDONLY, STDIN_FILENO);
	redirect(TEST_LOG, O_WRONLY | O_CREAT | O_APPEND, STDERR_FILENO);
	redirect(TEST_LOG, O_WRONLY | O_CREAT | O_APPEND, STDOUT_FILENO);
	g_setenv("TMPDIR", job->folder, TRUE);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &pool->before, NULL);
}

static void run_child(const struct pool *pool, const struct test_job *job, pid_t parent)
{
	settle(pool, job, parent);
	struct test_guest_config config = { job->file, job->engine, pool->config->update };
	struct test_result *result = test_guest_run(&config);
	bool saved = test_result_save(result, TEST_RESULT_FILE);
	test_result_free(result);
	fflush(NULL);
	_exit(saved ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* Starting and ending */

static void finish_job(struct pool *pool, struct test_job *job, struct test_result *result)
{
	job->result = result;
	pool->config->done(pool->config->owner, job);
}

static void break_job(struct pool *pool, struct test_job *job, char *message)
{
	struct test_result *result = test_result_new();
	test_result_fail(result, TEST_BROKEN, message);
	finish_job(pool, job, result);
}

static void start_job(struct pool *pool, struct worker *worker, struct test_job *job)
{
	char *error = NULL;
	int folder = test_folder_make(job->folder, &error);
	if (folder < 0) {
		break_job(pool, job, error);
		return;
	}
	pid_t parent = getpid();
	fflush(NULL);
	pid_t pid = fork();
	if (!pid)
		run_child(pool, job, parent);
	if (pid < 0) {
		close(folder);
		break_job(pool, job, g_strdup_printf("no process could be made: %s; give a smaller -j", g_strerror(errno)));
		return;
	}
	/* Both sides do it, so that it is done whoever comes first. */
	setpgid(pid, pid);
	*worker = (struct worker){ .pid = pid, .job = job, .began_ns = now_ns(), .folder = folder };
	pool->running++;
}

/* Why a process left no result. */
static char *describe_death(int status)
{
	if (WIFSIGNALED(status))
		return g_strdup_printf("v2e crashed: %s; " TEST_LOG " has its last words", strsignal(WTERMSIG(status)));
	return g_strdup_printf("v2e ended with status %d and no result; " TEST_LOG " has its last words", WEXITSTATUS(status));
}

static struct test_result *collect(const struct worker *worker, int status)
{
	g_autofree char *path = g_build_filename(worker->job->folder, TEST_RESULT_FILE, NULL);
	bool clean = WIFEXITED(status) && !WEXITSTATUS(status);
	struct test_result *result = clean ? test_result_load(path) : NULL;
	if (!result) {
		result = test_result_new();
		if (!worker->why)
			test_result_fail(result, TEST_BROKEN, describe_death(status));
	}
	if (worker->why) {
		result->outcome = TEST_BROKEN;
		g_ptr_array_insert(result->messages, 0, g_strdup(worker->why));
	}
	result->host_seconds = (double)(now_ns() - worker->began_ns) / 1e9;
	test_result_save(result, path);
	return result;
}

static void reap(struct pool *pool, struct worker *worker)
{
	int status;
	if (!worker->pid || waitpid(worker->pid, &status, WNOHANG) != worker->pid)
		return;
	/* What it may have started goes with it. */
	kill(-worker->pid, SIGKILL);
	struct test_result *result = collect(worker, status);
	struct test_job *job = worker->job;
	g_free(worker->why);
	close(worker->folder);
	*worker = (struct worker){ 0 };
	pool->running--;
	finish_job(pool, job, result);
}

/* Limits */

/* Takes over `why`. */
static void end_worker(struct worker *worker, char *why)
{
	worker->why = why;
	worker->told_ns = now_ns();
	kill(worker->pid, SIGTERM);
}

static uint64_t resident_bytes(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/statm", (int)pid), *text = NULL;
	unsigned long long size, resident;
	if (!g_file_get_contents(path, &text, NULL, NULL) || sscanf(text, "%llu %llu", &size, &resident) != 2)
		return 0;
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t either(uint64_t own, uint64_t general)
{
	return own ? own : general;
}

static void check_limits(const struct pool *pool, struct worker *worker)
{
	const struct test_limits *own = &worker->job->file->limits, *general = &pool->config->limits;
	uint64_t time = either(own->host_ns, general->host_ns), memory = either(own->memory, general->memory);
	if ((uint64_t)(now_ns() - worker->began_ns) > time) {
		g_autofree char *limit = units_format_time(time);
		end_worker(worker, g_strdup_printf("it took longer than %s of the host's time", limit));
	} else if (resident_bytes(worker->pid) > memory) {
		end_worker(worker, g_strdup_printf("it took more than %" PRIu64 " MiB of memory", memory >> 20));
	}
}

static void watch(struct pool *pool, struct worker *worker)
{
	if (!worker->pid)
		return;
	if (!worker->why)
		check_limits(pool, worker);
	else if (now_ns() - worker->told_ns > TEST_RUN_GRACE_NS)
		kill(-worker->pid, SIGKILL);
}

static void interrupt(struct pool *pool)
{
	for (unsigned i = 0; i < pool->config->jobs; i++) {
		struct worker *worker = &pool->workers[i];
		if (worker->pid && !worker->why)
			end_worker(worker, g_strdup("interrupted"));
		else if (worker->pid && pool->interrupted)
			kill(-worker->pid, SIGKILL); /* asked a second time */
	}
	pool->interrupted = true;
}

/* The pool */

static struct worker *find_free(const struct pool *pool)
{
	for (unsigned i = 0; i < pool->config->jobs; i++)
		if (!pool->workers[i].pid)
			return &pool->workers[i];
	return NULL;
}

/* Returns at a signal, or after POLL_NS. */
static void sleep_a_little(struct pool *pool)
{
	const struct timespec time = { .tv_nsec = POLL_NS };
	int number = sigtimedwait(&pool->ours, NULL, &time);
	if (number == SIGINT || number == SIGTERM)
		interrupt(pool);
}

static void step(struct pool *pool)
{
	pool->config->progress(pool->config->owner, pool->running);
	sleep_a_little(pool);
	for (unsigned i = 0; i < pool->config->jobs; i++) {
		reap(pool, &pool->workers[i]);
		watch(pool, &pool->workers[i]);
	}
}

static void run_all(struct pool *pool, struct test_job *jobs, unsigned count)
{
	unsigned next = 0;
	while ((next < count && !pool->interrupted) || pool->running) {
		struct worker *worker = find_free(pool);
		if (worker && next < count && !pool->interrupted)
			start_job(pool, worker, &jobs[next++]);
		else
			step(pool);
	}
	for (; next < count; next++)
		finish_job(pool, &jobs[next], test_result_new());
}

static void block_signals(struct pool *pool)
{
	sigemptyset(&pool->ours);
	sigaddset(&pool->ours, SIGCHLD);
	sigaddset(&pool->ours, SIGINT);
	sigaddset(&pool->ours, SIGTERM);
	/* An ignored SIGCHLD, inherited, would take the exit statuses away. */
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_BLOCK, &pool->ours, &pool->before);
}

bool test_run(struct test_job *jobs, unsigned count, const struct test_run_config *config)
{
	struct pool pool = { .config = config, .workers = g_new0(struct worker, config->jobs) };
	block_signals(&pool);
	run_all(&pool, jobs, count);
	sigprocmask(SIG_SETMASK, &pool.before, NULL);
	g_free(pool.workers);
	return !pool.interrupted;
}
