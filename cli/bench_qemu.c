/* QEMU as a subject: the guest is its firmware and is spoken to over its serial port.
 * Times are those at which the guest's answers arrive here. Between two samples QEMU
 * is stopped, as the guest waits for orders in a loop. */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>

#include "cli/bench_guest.h"
#include "cli/bench_subject.h"
#include "shared/channel.h"

#define QEMU       "qemu-system-i386"
#define ROM_SIZE   0x10000u
#define AT_RESET   0xfff0u
#define ANSWER_MS  5000

struct qemu {
	int rom;    /* a file without a name, so that none stays behind; -1: none */
	GPid pid;   /* 0: none */
	int in, out;
};

/* The reset vector is in the segment F000h, where the guest is. */
static bool write_rom(struct qemu *qemu, char **error)
{
	uint16_t entry = (uint16_t)(bench_guest_rom_entry - bench_guest);
	const uint8_t jump[] = { 0xea, (uint8_t)entry, (uint8_t)(entry >> 8), 0x00, 0xf0 };
	g_autofree uint8_t *rom = g_malloc0(ROM_SIZE);
	memcpy(rom, bench_guest, bench_guest_size);
	memcpy(rom + AT_RESET, jump, sizeof jump);
	qemu->rom = memfd_create("v2e-bench", MFD_CLOEXEC);
	if (qemu->rom >= 0 && write(qemu->rom, rom, ROM_SIZE) == ROM_SIZE)
		return true;
	*error = g_strdup_printf("the guest cannot be written to memory: %s", g_strerror(errno));
	return false;
}

/* In the child. */
static void set_up(gpointer data)
{
	const struct qemu *qemu = data;
	fcntl(qemu->rom, F_SETFD, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static bool spawn(struct qemu *qemu, enum bench_kind kind, char **error)
{
	g_autofree char *rom = g_strdup_printf("/proc/self/fd/%d", qemu->rom);
	char *argv[] = {
		QEMU, "-accel", kind == BENCH_QEMU_KVM ? "kvm" : "tcg", "-m", "16", "-bios", rom, "-nodefaults", "-no-user-config",
		"-no-reboot", "-display", "none", "-chardev", "stdio,id=com,signal=off", "-serial", "chardev:com", NULL,
	};
	GError *problem = NULL;
	GSpawnFlags flags = G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDERR_TO_DEV_NULL;
	if (g_spawn_async_with_pipes(NULL, argv, NULL, flags, set_up, qemu, &qemu->pid, &qemu->in, &qemu->out, NULL, &problem))
		return true;
	qemu->pid = 0;
	*error = g_strdup_printf("no " QEMU ": %s (Debian: apt install qemu-system-x86)", problem->message);
	g_error_free(problem);
	return false;
}

static void qemu_close(void *state)
{
	struct qemu *qemu = state;
	if (qemu->pid) {
		kill(qemu->pid, SIGKILL);
		waitpid(qemu->pid, NULL, 0);
		close(qemu->in);
		close(qemu->out);
	}
	if (qemu->rom >= 0)
		close(qemu->rom);
	g_free(qemu);
}

static void *qemu_open(const struct bench_subject *subject, char **error)
{
	struct qemu *qemu = g_new0(struct qemu, 1);
	qemu->rom = -1;
	if (write_rom(qemu, error) && spawn(qemu, subject->kind, error))
		return qemu;
	qemu_close(qemu);
	return NULL;
}

/* Waits for one answer and tells when it came. */
static bool await(struct qemu *qemu, uint8_t wanted, uint64_t *ns, uint64_t *cycles, struct bench_answer *answer)
{
	struct pollfd poll_out = { .fd = qemu->out, .events = POLLIN };
	uint8_t byte = 0;
	int ready;
	do
		ready = poll(&poll_out, 1, ANSWER_MS);
	while (ready < 0 && errno == EINTR);
	if (ready > 0 && read(qemu->out, &byte, 1) == 1 && byte == wanted) {
		*ns = channel_host_ns();
		*cycles = bench_cycles();
		return true;
	}
	if (ready > 0)
		bench_answer_fail(answer, "%s", QEMU " ended, or the guest went astray");
	else
		bench_answer_fail(answer, "the guest did not answer within %d s", ANSWER_MS / 1000);
	return false;
}

static void qemu_ask(void *state, const struct bench_order *order, struct bench_answer *answer)
{
	struct qemu *qemu = state;
	uint8_t bytes[BENCH_GUEST_ORDER_SIZE];
	uint64_t ns = 0, cycles = 0;
	bench_order_encode(order, bytes);
	kill(qemu->pid, SIGCONT);
	if (write(qemu->in, bytes, sizeof bytes) != sizeof bytes) {
		bench_answer_fail(answer, "%s", QEMU " ended");
		return;
	}
	if (!await(qemu, BENCH_GUEST_START, &ns, &cycles, answer) ||
	    !await(qemu, BENCH_GUEST_END, &answer->ns, &answer->cycles, answer))
		return;
	answer->ns -= ns;
	answer->cycles -= cycles;
	kill(qemu->pid, SIGSTOP);
}

const struct bench_ops bench_qemu_ops = { .open = qemu_open, .ask = qemu_ask, .close = qemu_close };
