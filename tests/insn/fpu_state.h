/* Random states of x87, MMX and SSE, as FXSAVE lays them out, and operands for them:
 * zeros, denormals, infinities, NaNs, encodings that are no numbers. */
#ifndef V2E_TESTS_INSN_FPU_STATE_H
#define V2E_TESTS_INSN_FPU_STATE_H

#include "tests/insn/random.h"

#define FPU_STATE_SIZE 288u /* what 32-bit code has of the image */

/* Where the fields are (SDM vol. 1, table 10-2). */
enum { IMAGE_FCW = 0, IMAGE_FSW = 2, IMAGE_FTW = 4, IMAGE_FOP = 6, IMAGE_FIP = 8, IMAGE_FCS = 12,
       IMAGE_FDP = 16, IMAGE_FDS = 20, IMAGE_MXCSR = 24, IMAGE_ST = 32, IMAGE_XMM = 160, IMAGE_END = FPU_STATE_SIZE };

/* The pointers are 0. Some errors may be unmasked, but none of them is pending. */
void fpu_state_random(struct random *random, uint8_t image[FPU_STATE_SIZE], bool unmasked);
/* One that is: ES and B are set. */
void fpu_state_pend(struct random *random, uint8_t image[FPU_STATE_SIZE]);
/* A vector of singles or doubles, or with `extended` at times one extended number. */
void fpu_state_operand(struct random *random, uint8_t bytes[16], bool extended);

#endif
