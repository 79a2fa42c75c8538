/* PID 1 of the nested tests: loads KVM, runs the commands in /commands one after
 * another and switches the machine off. A line is a command with its arguments,
 * parted by tabs. Prints "nested-us: MICROSECONDS" of processor time and
 * "nested: N STATUS" behind each, "nested: end" at last. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define MAX_WORDS 64

static void mount_all(void)
{
	static const struct { const char *type, *where; } mounts[] = {
		{ "proc", "/proc" }, { "sysfs", "/sys" }, { "tracefs", "/sys/kernel/tracing" },
	};
	for (size_t i = 0; i < sizeof mounts / sizeof *mounts; i++) {
		mkdir(mounts[i].where, 0755);
		if (mount(mounts[i].type, mounts[i].where, mounts[i].type, 0, NULL))
			printf("nested: %s: %s\n", mounts[i].where, strerror(errno));
	}
}

static void open_console(void)
{
	int fd = open("/dev/console", O_RDWR);
	for (int n = 0; n < 3; n++)
		dup2(fd, n);
	setvbuf(stdout, NULL, _IOLBF, 0);
}

/* Lines of /modules: the module's file, a tab, its parameters. */
static void load_modules(void)
{
	char line[256];
	FILE *list = fopen("/modules", "r");
	while (list && fgets(line, sizeof line, list)) {
		line[strcspn(line, "\n")] = '\0';
		char *parameters = line + strcspn(line, "\t");
		if (*parameters)
			*parameters++ = '\0';
		int fd = open(line, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || syscall(SYS_finit_module, fd, parameters, 0))
			printf("nested: %s: %s\n", line, strerror(errno));
		close(fd);
	}
	if (list)
		fclose(list);
}

static long long microseconds(struct timeval time)
{
	return time.tv_sec * 1000000LL + time.tv_usec;
}

static int run(char *line)
{
	char *words[MAX_WORDS + 1] = { NULL }, *rest = line;
	for (int n = 0; n < MAX_WORDS && (words[n] = strsep(&rest, "\t")); n++)
		;
	pid_t child = fork();
	if (!child) {
		execv(words[0], words);
		perror(words[0]);
		_exit(126);
	}
	int status = 0;
	struct rusage usage = { .ru_utime = { 0 } };
	while (wait4(child, &status, 0, &usage) < 0 && errno == EINTR)
		;
	printf("\nnested-us: %lld\n", microseconds(usage.ru_utime) + microseconds(usage.ru_stime));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void run_all(void)
{
	char line[4096];
	FILE *commands = fopen("/commands", "r");
	for (int n = 1; commands && fgets(line, sizeof line, commands); n++) {
		line[strcspn(line, "\n")] = '\0';
		int status = run(line);
		printf("\nnested: %d %d\n", n, status); /* it may have left a line open */
	}
	puts("nested: end");
}

/* QEMU's isa-debug-exit, Bochs's shutdown port, then as any machine. */
static void switch_off(void)
{
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
	iopl(3);
	outl(0, 0xf4);
	for (const char *word = "Shutdown"; *word; word++)
		outb((unsigned char)*word, 0x8900);
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

int main(void)
{
	mkdir("/dev", 0755);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	open_console();
	mount_all();
	load_modules();
	setenv("HOME", "/", 1);
	run_all();
	switch_off();
}
