/* The guest's x87, MMX and SSE state as FXSAVE lays it out for 32-bit code
 * (SDM vol. 1, table 10-2), and what the files of the unit offer each other. */
#ifndef V2E_EMU_FPU_IMAGE_H
#define V2E_EMU_FPU_IMAGE_H

#include "emu/cpu.h"

struct fpu_image {
	uint16_t fcw, fsw;
	uint8_t ftw;       /* a bit a physical register: 1 = not empty */
	uint8_t reserved5;
	uint16_t fop;
	uint32_t fip;
	uint16_t fcs, reserved14;
	uint32_t fdp;
	uint16_t fds, reserved22;
	uint32_t mxcsr, mxcsr_mask;
	uint8_t st[8][16]; /* ST(0) to ST(7), 10 bytes each; MM(n) by physical number */
	uint8_t xmm[8][16];
	uint8_t reserved288[CTX_FXSAVE_SIZE - 288];
} __attribute__((may_alias));

_Static_assert(sizeof(struct fpu_image) == CTX_FXSAVE_SIZE, "FXSAVE image");

/* Bytes of the image that 32-bit code has; the rest is reserved. */
#define FPU_IMAGE_USED 288u

/* SDM vol. 1, figures 8-4 and 8-6. */
#define FSW_FLAGS      0x003fu /* IE DE ZE OE UE PE */
#define FSW_IE         0x0001u
#define FSW_OE         0x0008u
#define FSW_UE         0x0010u
#define FSW_PE         0x0020u
#define FSW_SF         0x0040u
#define FSW_ES         0x0080u
#define FSW_B          0x8000u
#define FSW_TOP_SHIFT  11
#define FCW_MASKS      0x003fu
#define FCW_ALWAYS     0x0040u /* reads as 1 */
#define FCW_WRITABLE   0x1f3fu

/* SDM vol. 1, figure 10-3. */
#define MXCSR_FLAGS      0x003fu
#define MXCSR_BEFORE     0x0007u /* IE DE ZE: found before the computation */
#define MXCSR_OE         0x0008u
#define MXCSR_UE         0x0010u
#define MXCSR_PE         0x0020u
#define MXCSR_DAZ        0x0040u
#define MXCSR_MASKS      0x1f80u
#define MXCSR_MASK_SHIFT 7
#define MXCSR_UM         0x0800u
#define MXCSR_FZ         0x8000u
#define MXCSR_DEFINED    0xffffu

static inline struct fpu_image *fpu_image(struct emu *emu)
{
	return (struct fpu_image *)emu->ctx->fxsave;
}

static inline unsigned fpu_top(const struct fpu_image *image)
{
	return image->fsw >> FSW_TOP_SHIFT & 7;
}

/* --- fpu.c ------------------------------------------------------------------------ */

/* May an x87 instruction run? #NM by CR0.EM and TS. */
enum exec fpu_check_x87(struct emu *emu);
/* A waiting instruction looks for errors that are pending. EXEC_NEXT: none, or
 * ignored (as with IGNNE#); EXEC_FAULT: #MF; EXEC_BRANCH: the CPU stands still
 * for the interrupt that FERR# has caused. */
enum exec fpu_check_pending(struct emu *emu, const struct insn *insn);
/* After FCW or FSW changed: ES and B by what is unmasked, and FERR# by them. */
void fpu_settle(struct emu *emu);

/* Copies the image to the host's frame, error flags clear: what is set behind the
 * instruction is of its own making. */
void fpu_take(struct emu *emu);
/* Takes over what the instruction did to the frame; error flags stick. */
void fpu_commit(struct emu *emu);

/* The memory operand, `size` bytes in all; false with the fault set. `align` is what
 * #AC goes by, a power of two. */
bool fpu_read(struct emu *emu, const struct insn *insn, void *to, unsigned size, unsigned align);
bool fpu_write(struct emu *emu, const struct insn *insn, const void *from, unsigned size, unsigned align);
/* #GP(0) unless the memory operand lies on a boundary of 16 bytes. */
bool fpu_check_aligned(struct emu *emu, const struct insn *insn, unsigned size, bool write);

/* Opcode (behind 0F for SSE) and ModRM of an instruction. */
const uint8_t *fpu_x87_opcode(const struct insn *insn);
const uint8_t *fpu_sse_opcode(const struct insn *insn);

/* --- fpu_env.c: control words and environment ------------------------------------- */

/* TOP becomes `top`; the physical registers keep their contents. */
void fpu_image_set_top(struct fpu_image *image, unsigned top);
/* FCW as the unit holds it. */
uint16_t fpu_control_word(uint16_t value);

exec_fn fpu_fldcw;
exec_fn fpu_fnstcw;
exec_fn fpu_fnstsw;
exec_fn fpu_fnstsw_ax;
exec_fn fpu_fldenv;
exec_fn fpu_fnstenv;
exec_fn fpu_frstor;
exec_fn fpu_fnsave;
exec_fn fpu_fninit;
exec_fn fpu_fnclex;
exec_fn fpu_no_operation; /* FENI, FDISI, FSETPM */

/* --- fpu_x87.c, fpu_sse.c, fpu_fxsave.c ------------------------------------------------ */

/* The body for an encoding, exec_undefined when there is none. */
exec_fn *fpu_x87_pick(const struct insn *insn);
exec_fn *fpu_sse_pick(const struct insn *insn);
/* Group 15 (0F AE). */
exec_fn *fpu_fxsave_pick(const struct insn *insn);

enum sse_unit { SSE_UNIT_MMX = 1, SSE_UNIT_XMM = 2 };
/* May it run? #UD, #NM, and #MF with SSE_UNIT_MMX; EXEC_BRANCH as above. */
enum exec fpu_check_sse(struct emu *emu, const struct insn *insn, unsigned units);

#endif
