/* Tracepoints of kvm, for those who stop the guest by one. */
#ifndef V2E_HV_KVM_TRACE_H
#define V2E_HV_KVM_TRACE_H

#include <stdbool.h>
#include <signal.h>

/* Where SIGTRAP is not to be had. */
#define KVM_TRACE_SIGNAL (SIGRTMIN + 2)

/* The number of a tracepoint, or -errno. */
int kvm_trace_id(const char *name);
/* Where a field lies in what it records, or -errno. */
int kvm_trace_offset(const char *name, const char *field);
/* A disabled event of this thread, each time that it is passed. `trap`: by SIGTRAP.
 * Returns a file, or -errno. */
int kvm_trace_open(int id, bool trap);
/* What would make it work (g_free). */
char *kvm_trace_remedy(int error);

#endif
