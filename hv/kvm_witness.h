/* Whether the guest ran MOV DR by itself, told by KVM's tracepoints: so that the debug
 * registers need not be asked for behind each stretch in which it did not.
 *
 * MOV DR goes on as ever, and the guest is not stopped. With VT-x and SVM the first one
 * behind each entry of the guest exits, reads as well. What KVM emulates is seen instruction
 * by instruction; that is not cheap, so it is left off for a while where a stretch was too
 * long for it. */
#ifndef V2E_HV_KVM_WITNESS_H
#define V2E_HV_KVM_WITNESS_H

#include <stdbool.h>
#include <sys/types.h>

struct kvm_witness;

/* NULL: this host's tracepoints do not tell, or are not permitted. */
struct kvm_witness *kvm_witness_new(void);
void kvm_witness_free(struct kvm_witness *witness); /* NULL is fine */

/* Around a stretch of KVM_RUN calls of this thread, whose number is `thread`. saw()
 * is true as well where nobody looked; no system call in between where all is well. */
void kvm_witness_begin(struct kvm_witness *witness, pid_t thread);
bool kvm_witness_saw(struct kvm_witness *witness);

#endif
