/* Group 15 (0F AE): FXSAVE, FXRSTOR, MXCSR, fences, CLFLUSH. None needs the host's unit. */
#include "emu/access.h"
#include "emu/fpu_host.h"

/* Control and pointers, x87 registers, XMM registers with MXCSR between. */
enum { IMAGE_MXCSR = 24, IMAGE_ST = 32, IMAGE_XMM = 160 };

static bool sse_enabled(const struct emu *emu) { return emu->ctx->cr4 & CTX_CR4_OSFXSR; }

/* Without CR4.OSFXSR the SSE part stays as it is (SDM vol. 2, FXSAVE). */
static bool save(struct emu *emu, const struct insn *insn)
{
	uint32_t offset = insn_address(emu, insn);
	struct fpu_image image;
	memcpy(&image, emu->ctx->fxsave, sizeof image);
	image.reserved5 = 0;
	image.reserved14 = image.reserved22 = 0;
	image.mxcsr_mask = MXCSR_DEFINED;
	if (sse_enabled(emu))
		return emu_write_bytes(emu, insn->seg, offset, &image, FPU_IMAGE_USED);
	return emu_write_bytes(emu, insn->seg, offset, &image, IMAGE_MXCSR) &&
	       emu_write_bytes(emu, insn->seg, offset + IMAGE_ST, image.st, sizeof image.st);
}

static enum exec fxsave(struct emu *emu, const struct insn *insn)
{
	if (fpu_check_sse(emu, insn, 0) != EXEC_NEXT)
		return EXEC_FAULT;
	if (!fpu_check_aligned(emu, insn, CTX_FXSAVE_SIZE, true) ||
	    !emu_probe_write(emu, insn->seg, insn_address(emu, insn), CTX_FXSAVE_SIZE))
		return EXEC_FAULT;
	return save(emu, insn) ? EXEC_NEXT : EXEC_FAULT;
}

static void restore_x87(struct fpu_image *image, const struct fpu_image *from)
{
	image->fcw = fpu_control_word(from->fcw);
	image->fsw = from->fsw;
	image->ftw = from->ftw;
	image->fop = from->fop & 0x7ff;
	image->fip = from->fip;
	image->fcs = from->fcs;
	image->fdp = from->fdp;
	image->fds = from->fds;
	memset(image->st, 0, sizeof image->st);
	for (unsigned i = 0; i < 8; i++)
		memcpy(image->st[i], from->st[i], 10);
}

static enum exec fxrstor(struct emu *emu, const struct insn *insn)
{
	struct fpu_image *image = fpu_image(emu), from;
	if (fpu_check_sse(emu, insn, 0) != EXEC_NEXT)
		return EXEC_FAULT;
	if (!fpu_check_aligned(emu, insn, CTX_FXSAVE_SIZE, false) ||
	    !fpu_read(emu, insn, &from, CTX_FXSAVE_SIZE, 16))
		return EXEC_FAULT;
	if (sse_enabled(emu)) {
		if (from.mxcsr & ~MXCSR_DEFINED)
			return emu_raise_error(emu, VEC_GP, 0);
		image->mxcsr = from.mxcsr;
		memcpy(image->xmm, from.xmm, sizeof image->xmm);
	}
	restore_x87(image, &from);
	fpu_settle(emu);
	return EXEC_NEXT;
}

static enum exec ldmxcsr(struct emu *emu, const struct insn *insn)
{
	uint32_t value;
	if (fpu_check_sse(emu, insn, SSE_UNIT_XMM) != EXEC_NEXT || !fpu_read(emu, insn, &value, 4, 4))
		return EXEC_FAULT;
	if (value & ~MXCSR_DEFINED)
		return emu_raise_error(emu, VEC_GP, 0);
	fpu_image(emu)->mxcsr = value;
	return EXEC_NEXT;
}

static enum exec stmxcsr(struct emu *emu, const struct insn *insn)
{
	if (fpu_check_sse(emu, insn, SSE_UNIT_XMM) != EXEC_NEXT ||
	    !fpu_write(emu, insn, &fpu_image(emu)->mxcsr, 4, 4))
		return EXEC_FAULT;
	return EXEC_NEXT;
}

static enum exec fence(struct emu *emu, const struct insn *insn)
{
	(void)emu;
	(void)insn;
	return EXEC_NEXT;
}

/* There is no cache; the checks are those of a byte that is loaded, without the
 * load, which a device would notice. */
static enum exec clflush(struct emu *emu, const struct insn *insn)
{
	uint32_t linear;
	uint64_t physical;
	if (!emu_check_segment(emu, insn->seg, insn_address(emu, insn), 1, false, &linear) ||
	    !paging_translate(emu, linear, ACCESS_READ, emu->cpl == 3, &physical))
		return EXEC_FAULT;
	return EXEC_NEXT;
}

exec_fn *fpu_fxsave_pick(const struct insn *insn)
{
	static exec_fn *const memory[8] = { fxsave, fxrstor, ldmxcsr, stmxcsr, [7] = clflush };
	unsigned reg = insn->modrm >> 3 & 7;
	if (!insn->is_memory)
		return reg >= 5 ? fence : exec_undefined;
	return memory[reg] ? memory[reg] : exec_undefined;
}
