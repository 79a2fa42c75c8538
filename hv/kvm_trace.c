#define _GNU_SOURCE

#include "hv/kvm_trace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <glib.h>

/* One of the tracepoint's files; returns its length or -errno. */
static int read_file(const char *name, const char *file, char *text, size_t size)
{
	static const char *const roots[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	int error = -ENOENT;
	for (size_t i = 0; i < G_N_ELEMENTS(roots); i++) {
		g_autofree char *path = g_strdup_printf("%s/events/kvm/%s/%s", roots[i], name, file);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0) {
			ssize_t got = read(fd, text, size - 1);
			close(fd);
			if (got > 0) {
				text[got] = 0;
				return (int)got;
			}
		}
		if (errno == EACCES || errno == EPERM)
			error = -errno;
	}
	return error;
}

int kvm_trace_id(const char *name)
{
	char text[16];
	int result = read_file(name, "id", text, sizeof text);
	return result < 0 ? result : atoi(text);
}

int kvm_trace_offset(const char *name, const char *field)
{
	char text[4096];
	int result = read_file(name, "format", text, sizeof text);
	if (result < 0)
		return result;
	g_autofree char *wanted = g_strdup_printf(" %s;", field);
	const char *at = strstr(text, wanted);
	const char *offset = at ? strstr(at, "offset:") : NULL;
	return offset ? atoi(offset + strlen("offset:")) : -ENOENT;
}

int kvm_trace_open(int id, bool trap)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT, .size = sizeof attr, .config = (uint64_t)id,
		.sample_period = 1, .wakeup_events = 1, .disabled = 1, .exclude_hv = 1,
	};
	attr.sigtrap = trap;
	attr.remove_on_exec = trap; /* sigtrap demands it */
	int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

char *kvm_trace_remedy(int error)
{
	if (error == -ENOENT)
		return g_strdup("the tracepoints of kvm are not to be seen; mount -t tracefs tracefs /sys/kernel/tracing, as root");
	if (error == -EACCES || error == -EPERM)
		return g_strdup("tracepoints are not permitted; run as root, or with CAP_PERFMON and a readable /sys/kernel/tracing");
	return g_strdup_printf("tracepoints cannot be used: %s; take a newer kernel", g_strerror(-error));
}
