#include "cli/bench_worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 20000

struct bench_worker {
	const struct bench_subject *subject;
	pid_t pid; /* 0: none */
	int fd;    /* to its process */
	char problem[100]; /* why there is none */
};

/* --- in the process ------------------------------------------------------------------- */

static void serve(const struct bench_subject *subject, int fd)
{
	const struct bench_ops *ops = bench_subject_ops(subject->kind);
	char *error = NULL;
	void *state = ops->open(subject, &error);
	struct bench_order order;
	while (read(fd, &order, sizeof order) == sizeof order) {
		struct bench_answer answer = { .ns = 0 };
		if (state)
			ops->ask(state, &order, &answer);
		else
			bench_answer_fail(&answer, "%s", error);
		if (write(fd, &answer, sizeof answer) != sizeof answer)
			break;
	}
	if (state)
		ops->close(state);
	g_free(error);
}

/* --- outside ---------------------------------------------------------------------------- */

static void start(struct bench_worker *worker)
{
	int fds[2];
	pid_t parent = getpid();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds)) {
		g_snprintf(worker->problem, sizeof worker->problem, "no socket: %s", g_strerror(errno));
		return;
	}
	worker->pid = fork();
	if (!worker->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(fds[0]);
		if (getppid() == parent)
			serve(worker->subject, fds[1]);
		_exit(0);
	}
	if (worker->pid < 0)
		g_snprintf(worker->problem, sizeof worker->problem, "no process: %s", g_strerror(errno));
	close(fds[1]);
	worker->fd = fds[0];
}

/* By itself first, so that it can clean up; it may be beyond that. */
static void end(struct bench_worker *worker, bool hangs)
{
	/* Processes that were forked later have this end as well. */
	if (worker->fd >= 0) {
		shutdown(worker->fd, SHUT_RDWR);
		close(worker->fd);
	}
	if (worker->pid > 0) {
		if (hangs)
			kill(worker->pid, SIGKILL);
		while (waitpid(worker->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	worker->pid = 0;
	worker->fd = -1;
}

struct bench_worker *bench_worker_new(const struct bench_subject *subject)
{
	struct bench_worker *worker = g_new0(struct bench_worker, 1);
	*worker = (struct bench_worker){ .subject = subject, .fd = -1 };
	start(worker);
	return worker;
}

void bench_worker_free(struct bench_worker *worker)
{
	if (!worker)
		return;
	end(worker, false);
	g_free(worker);
}

static bool await(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	int ready;
	do
		ready = poll(&poll_fd, 1, PATIENCE_MS);
	while (ready < 0 && errno == EINTR);
	return ready > 0;
}

static void ask(struct bench_worker *worker, const struct bench_order *order, struct bench_answer *answer)
{
	if (send(worker->fd, order, sizeof *order, MSG_NOSIGNAL) != sizeof *order) {
		bench_answer_fail(answer, "its process died");
	} else if (!await(worker->fd)) {
		bench_answer_fail(answer, "no answer within %d s", PATIENCE_MS / 1000);
	} else if (recv(worker->fd, answer, sizeof *answer, 0) != sizeof *answer) {
		memset(answer, 0, sizeof *answer);
		bench_answer_fail(answer, "its process died");
	}
}

void bench_worker_ask(struct bench_worker *worker, const struct bench_order *order, struct bench_answer *answer)
{
	memset(answer, 0, sizeof *answer);
	if (worker->pid <= 0) {
		bench_answer_fail(answer, "%s", worker->problem);
		return;
	}
	ask(worker, order, answer);
	if (!*answer->error)
		return;
	end(worker, true);
	start(worker);
}
