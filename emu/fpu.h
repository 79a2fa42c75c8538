/* x87, MMX, SSE and SSE2 on the host's own unit, over the guest's FXSAVE image. */
#ifndef V2E_EMU_FPU_H
#define V2E_EMU_FPU_H

#include "emu/cpu.h"

struct fpu_host;

/* NULL when the host gives no memory that can be executed. */
struct fpu_host *fpu_host_new(void);
void fpu_host_free(struct fpu_host *fpu);

#endif
