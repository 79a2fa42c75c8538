/* x87, MMX, SSE and SSE2 on the host's own unit, over the guest's FXSAVE image. */
#ifndef V2E_EMU_FPU_H
#define V2E_EMU_FPU_H

#include "emu/cpu.h"

struct fpu_host;

/* Where the host has no such unit, the guest has none: CPUID and CR4 know of none, and
 * its x87 instructions do what they do on a 486SX. */
#ifdef V2E_NATIVE
#define FPU_PRESENT true
#else
#define FPU_PRESENT false
#endif

/* NULL when the host gives no memory that can be executed. */
struct fpu_host *fpu_host_new(void);
void fpu_host_free(struct fpu_host *fpu);

#endif
