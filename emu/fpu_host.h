/* The host's own unit: single instructions on a guest's state, through stubs that
 * are made when an encoding is first met. Memory that can be executed is never
 * writable at the same address, or not at the same time. */
#ifndef V2E_EMU_FPU_HOST_H
#define V2E_EMU_FPU_HOST_H

#include "emu/fpu_image.h"

/* What an instruction works on. MXCSR in `image` must mask all exceptions; FSW
 * must have none pending. */
struct fpu_frame {
	_Alignas(16) struct fpu_image image; /* FIP, FDP and so on are 0 */
	_Alignas(16) uint8_t operand[16];    /* the memory operand */
	uint32_t eax;  /* the general register operand, or EFLAGS */
	uint32_t host_mxcsr;
	uint16_t host_fcw;
};

struct fpu_host {
	struct fpu_frame frame;
	uint64_t *keys;   /* by slot: the code it holds, 0: none */
	uint8_t *code;    /* executable */
	uint8_t *write;   /* the same bytes to write to; may be `code` */
	bool ferr;        /* the pin as it was last driven */
};

/* An instruction to run: its bytes from the lowest up, then FPU_CODE_*. Memory is
 * [rsi], a general register is eax. */
#define FPU_CODE_LENGTH_SHIFT 48
#define FPU_CODE_EFLAGS (1ull << 56) /* EFLAGS are loaded from, and stored to, frame.eax */

static inline uint64_t fpu_code_add(uint64_t code, uint8_t byte)
{
	unsigned length = code >> FPU_CODE_LENGTH_SHIFT & 7;
	return (code | (uint64_t)byte << 8 * length) + (1ull << FPU_CODE_LENGTH_SHIFT);
}

/* ModRM for the stub: memory as [rsi]. */
static inline uint8_t fpu_code_modrm(const struct insn *insn)
{
	return insn->is_memory ? (uint8_t)((insn->modrm & 0x38) | 6) : insn->modrm;
}

/* Runs `code`, at most six bytes, on the frame. False: this host cannot. */
bool fpu_host_run(struct fpu_host *fpu, uint64_t code);

/* --- fpu_simd.c ------------------------------------------------------------------------ */

/* Runs an SSE instruction on the frame. MXCSR gets the flags of a guest that has masked
 * all, or all but underflow. False: this host cannot. */
bool fpu_simd_run(struct emu *emu, uint64_t code);

/* An operation that can overflow or underflow: 58 to 5E, on `count` elements of 4 or
 * (wide) 8 bytes. For a conversion `second` is not looked at. */
struct fpu_simd {
	uint8_t opcode;
	bool wide;
	unsigned count;
	const uint8_t *first, *second;
};

/* The flags it raises by the guest's masks. The frame is lost, `first` and `second` must
 * not be there. */
uint32_t fpu_simd_flags(struct emu *emu, const struct fpu_simd *simd);

#endif
