/* An engine that makes a mistake, to show that --compare finds it. */
#ifndef V2E_CLI_FLIP_H
#define V2E_CLI_FLIP_H

#include "shared/engine.h"

/* Runs `inner`, which must count instructions, and at the first boundary behind
 * `insns` of them flips bit 0 of EBX, once. `inner` must outlive it; freed by
 * ops->free. */
struct engine *flip_new(struct engine *inner, uint64_t insns);

#endif
