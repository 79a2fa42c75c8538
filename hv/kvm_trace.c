#define _GNU_SOURCE

#include "hv/kvm_trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
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

#define TRIES 100 /* then something else is the matter */

int kvm_trace_call(long number, long a, long b, long c, long d, long e)
{
	long result = -1;
	for (int n = 0; n < TRIES && result < 0; n++) {
		result = syscall(number, a, b, c, d, e);
		if (result < 0 && errno != EINTR && errno != EAGAIN)
			break;
	}
	return result < 0 ? -errno : (int)result;
}

int kvm_trace_open(struct kvm_trace_event *event, const struct kvm_trace_point *point, struct perf_event_attr attr)
{
	char text[16];
	int result = read_file(point->name, "id", text, sizeof text);
	if (result < 0)
		return result;
	attr.type = PERF_TYPE_TRACEPOINT;
	attr.size = sizeof attr;
	attr.config = (uint64_t)atoi(text);
	attr.sample_period = 1;
	attr.disabled = attr.exclude_hv = 1;
	int fd = kvm_trace_call(SYS_perf_event_open, (long)&attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return fd;
	*event = (struct kvm_trace_event){ .fd = fd };
	if (!point->filter || !ioctl(fd, PERF_EVENT_IOC_SET_FILTER, point->filter))
		return 0;
	result = -errno;
	kvm_trace_close(event);
	return result;
}

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

int kvm_trace_map(struct kvm_trace_event *event, unsigned pages)
{
	void *ring = mmap(NULL, (1 + pages) * page_size(), PROT_READ, MAP_SHARED, event->fd, 0);
	if (ring == MAP_FAILED)
		return -errno;
	event->ring = ring;
	event->pages = pages;
	return 0;
}

int kvm_trace_enable(const struct kvm_trace_event *event, bool on)
{
	return ioctl(event->fd, on ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE, 0) ? -errno : 0;
}

void kvm_trace_close(struct kvm_trace_event *event)
{
	if (event->ring)
		munmap(event->ring, (1 + event->pages) * page_size());
	close(event->fd);
	*event = (struct kvm_trace_event){ .fd = -1 };
}

char *kvm_trace_remedy(int error)
{
	if (error == -ENOENT)
		return g_strdup("the tracepoints of kvm are not to be seen; mount -t tracefs tracefs /sys/kernel/tracing, as root");
	if (error == -EACCES || error == -EPERM)
		return g_strdup("tracepoints are not permitted; run as root, or with CAP_PERFMON and a readable /sys/kernel/tracing");
	return g_strdup_printf("tracepoints cannot be used: %s; take a newer kernel", g_strerror(-error));
}
