/* One instruction of the x87, MMX or SSE on this host and on the emulator, from the
 * same state, to compare. x86-64 hosts only. */
#ifndef V2E_TESTS_UNIT_FPU_NATIVE_H
#define V2E_TESTS_UNIT_FPU_NATIVE_H

#include "tests/unit/emu_rig.h"

#define OPERAND_SIZE 64u

struct fpu_case {
	_Alignas(16) uint8_t image[512];         /* FXSAVE; pointers are not looked at */
	_Alignas(16) uint8_t operand[OPERAND_SIZE];
	uint32_t gpr[4];   /* EAX, ECX, EDX, EBX; ESI and EDI point into the operand */
	uint32_t eflags;   /* the six arithmetic flags */
	uint32_t offset;   /* of ESI from the operand's start, a boundary of 16 */
	unsigned vector;   /* out: RIG_HALTED, or what was raised */
};

/* The operand is at RIG_DATA. */
void fpu_run_native(struct fpu_case *run, const uint8_t *code, size_t size);
void fpu_run_emulator(struct rig *rig, struct fpu_case *run, const uint8_t *code, size_t size);

/* Runs the code on both from *start and asserts that all is the same. */
void fpu_compare(struct rig *rig, const struct fpu_case *start, const uint8_t *code, size_t size);

/* A ring 0 machine with CR4.OSFXSR and OSXMMEXCPT and CR0.NE set. */
struct rig *fpu_rig_new(enum emu_cpu cpu);

/* Numbers of all kinds: zeros, denormals, infinities, NaNs, encodings that are no
 * numbers. Repeats from the same seed. */
uint32_t fpu_random(void);
void fpu_random_case(struct fpu_case *run, bool unmasked);

static inline uint16_t image16(const uint8_t *image, unsigned at)
{
	uint16_t value;
	memcpy(&value, image + at, sizeof value);
	return value;
}

static inline uint32_t image32(const uint8_t *image, unsigned at)
{
	uint32_t value;
	memcpy(&value, image + at, sizeof value);
	return value;
}

static inline void image_set(uint8_t *image, unsigned at, unsigned size, uint32_t value)
{
	memcpy(image + at, &value, size);
}

enum { IMAGE_FCW = 0, IMAGE_FSW = 2, IMAGE_FTW = 4, IMAGE_FOP = 6, IMAGE_FIP = 8, IMAGE_FCS = 12,
       IMAGE_FDP = 16, IMAGE_FDS = 20, IMAGE_MXCSR = 24, IMAGE_ST = 32, IMAGE_XMM = 160, IMAGE_END = 288 };

#endif
