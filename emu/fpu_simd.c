/* Unmasked SIMD errors. The host runs with all of them masked, which flags underflow
 * and loss of precision by other rules (SDM vol. 1, 4.9.1.5, 4.9.1.6, 11.5.2):
 * - A tiny result underflows even if it is exact. With FZ the host flags that.
 * - An overflow or underflow has lost precision if the result would have with an
 *   exponent of any size. The x87 has one that is large enough. */
#include "emu/fpu_host.h"

bool fpu_simd_run(struct emu *emu, uint64_t code)
{
	struct fpu_host *fpu = emu->fpu;
	if (fpu_image(emu)->mxcsr & MXCSR_UM)
		return fpu_host_run(fpu, code);
	/* FZ has no effect for the guest while underflow is not masked. */
	struct fpu_frame before = fpu->frame;
	fpu->frame.image.mxcsr |= MXCSR_FZ;
	if (!fpu_host_run(fpu, code))
		return false;
	uint32_t underflow = fpu->frame.image.mxcsr & MXCSR_UE;
	fpu->frame = before;
	fpu->frame.image.mxcsr &= ~MXCSR_FZ;
	if (!fpu_host_run(fpu, code))
		return false;
	fpu->frame.image.mxcsr |= underflow;
	return true;
}

/* An element of a source; zero where DAZ makes it so. */
static uint64_t element(const struct fpu_image *image, const struct fpu_simd *simd, const uint8_t *from, unsigned n)
{
	uint64_t value = 0, sign = simd->wide ? 1ull << 63 : 1ull << 31;
	uint64_t exponent = simd->wide ? 0x7ffull << 52 : 0xffull << 23;
	unsigned size = simd->wide ? 8 : 4;
	memcpy(&value, from + n * size, size);
	return (image->mxcsr & MXCSR_DAZ) && !(value & exponent) ? value & sign : value;
}

#define ONE 0x3ff0000000000000ull

/* Is the result inexact with the precision of the format and a large exponent? */
static bool loses_precision(struct emu *emu, const struct fpu_simd *simd, uint64_t first, uint64_t second)
{
	/* FADD, FMUL, FSUB, FDIV; a conversion is a multiplication by 1 */
	static const uint8_t reg[8] = { 0, 1, 1, 0, 4, 0, 6, 0 };
	struct fpu_frame *frame = &emu->fpu->frame;
	bool converts = simd->opcode == 0x5a;
	unsigned control = fpu_image(emu)->mxcsr >> 13 & 3;
	uint64_t code = 0;
	fpu_take(emu);
	frame->image.fcw = (uint16_t)(FCW_ALWAYS | FCW_MASKS | control << 10 | (simd->wide && !converts ? 0x200 : 0));
	frame->image.ftw = 0;
	second = converts ? ONE : second;
	memcpy(frame->operand, &first, 8);
	memcpy(frame->operand + 8, &second, 8);
	code = fpu_code_add(code, simd->wide ? 0xdd : 0xd9); /* fld [rsi] */
	code = fpu_code_add(code, 0x06);
	code = fpu_code_add(code, simd->wide ? 0xdc : 0xd8); /* op [rsi + 8] */
	code = fpu_code_add(code, (uint8_t)(0x46 | reg[simd->opcode & 7] << 3));
	code = fpu_code_add(code, 8);
	return fpu_host_run(emu->fpu, code) && (frame->image.fsw & FSW_PE);
}

/* The same operation on one element. */
static uint32_t element_flags(struct emu *emu, const struct fpu_simd *simd, uint64_t first, uint64_t second)
{
	struct fpu_image *image = &emu->fpu->frame.image;
	uint64_t code = fpu_code_add(0, simd->wide ? 0xf2 : 0xf3);
	code = fpu_code_add(code, 0x0f);
	code = fpu_code_add(code, simd->opcode);
	code = fpu_code_add(code, 0xc1); /* xmm0, xmm1 */
	fpu_take(emu);
	memcpy(image->xmm[0], simd->opcode == 0x5a ? &second : &first, 8);
	memcpy(image->xmm[1], simd->opcode == 0x5a ? &first : &second, 8);
	return fpu_simd_run(emu, code) ? image->mxcsr & MXCSR_FLAGS : 0;
}

uint32_t fpu_simd_flags(struct emu *emu, const struct fpu_simd *simd)
{
	const struct fpu_image *image = fpu_image(emu);
	uint32_t all = 0, unmasked = ~(image->mxcsr >> MXCSR_MASK_SHIFT) & (MXCSR_OE | MXCSR_UE);
	for (unsigned i = 0; i < simd->count; i++) {
		uint64_t first = element(image, simd, simd->first, i);
		uint64_t second = element(image, simd, simd->second, i);
		uint32_t flags = element_flags(emu, simd, first, second);
		if ((flags & unmasked) && !loses_precision(emu, simd, first, second))
			flags &= ~MXCSR_PE;
		all |= flags;
	}
	return all;
}
