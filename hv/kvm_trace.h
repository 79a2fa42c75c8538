/* Tracepoints of kvm, as perf events of the calling thread. */
#ifndef V2E_HV_KVM_TRACE_H
#define V2E_HV_KVM_TRACE_H

#include <linux/perf_event.h>
#include <signal.h>
#include <stdbool.h>

/* Where SIGTRAP is not to be had. */
#define KVM_TRACE_SIGNAL (SIGRTMIN + 2)

struct kvm_trace_point {
	const char *module; /* of the kernel, for which it is; whose uses points looks at that */
	const char *name, *filter; /* filter: NULL: none */
};

struct kvm_trace_event {
	int fd;
	struct perf_event_mmap_page *ring; /* NULL: none */
	unsigned pages; /* of data, behind the first */
};

/* Counts each time. `attr` says what else it is to do; it is enabled by
 * kvm_trace_enable(). Returns 0 or -errno, and then nothing is open. */
int kvm_trace_open(struct kvm_trace_event *event, const struct kvm_trace_point *point, struct perf_event_attr attr);
/* A ring that may only be read overwrites itself, so it never fills up and goes
 * silent. `pages`: a power of two. Returns 0 or -errno. */
int kvm_trace_map(struct kvm_trace_event *event, unsigned pages);
int kvm_trace_enable(const struct kvm_trace_event *event, bool on);
void kvm_trace_close(struct kvm_trace_event *event);

/* syscall() for what a signal puts off: the kernel's checker of BPF programs says EAGAIN,
 * perf_event_open EINTR. A vCPU gets signals all the time. Returns the result or -errno. */
int kvm_trace_call(long number, long a, long b, long c, long d, long e);

/* Where a field lies in what a tracepoint records, or -errno. */
int kvm_trace_offset(const char *name, const char *field);
/* What would make it work (g_free). */
char *kvm_trace_remedy(int error);

#endif
