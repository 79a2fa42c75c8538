/* What all of x87, MMX and SSE have in common: may it run, are errors pending,
 * memory operands, and the way to the host's unit and back. */
#include "emu/fpu.h"

#include "emu/access.h"
#include "emu/bodies.h"
#include "emu/fpu_host.h"

/* --- may it run ------------------------------------------------------------------------ */

/* Until now another engine may have kept the state. */
static inline void need_state(struct emu *emu)
{
	if (unlikely(!emu->ctx->fpu_present))
		cpu_pins_fetch_fpu(emu->pins, emu->ctx);
}

enum exec fpu_check_x87(struct emu *emu)
{
	if (emu->ctx->cr0 & (CTX_CR0_EM | CTX_CR0_TS))
		return emu_raise(emu, VEC_NM);
	need_state(emu);
	return EXEC_NEXT;
}

enum exec fpu_check_sse(struct emu *emu, const struct insn *insn, unsigned units)
{
	const struct ctx *ctx = emu->ctx;
	if (ctx->cr0 & CTX_CR0_EM)
		return emu_raise(emu, VEC_UD);
	if ((units & SSE_UNIT_XMM) && !(ctx->cr4 & CTX_CR4_OSFXSR))
		return emu_raise(emu, VEC_UD);
	if (ctx->cr0 & CTX_CR0_TS)
		return emu_raise(emu, VEC_NM);
	need_state(emu);
	return units & SSE_UNIT_MMX ? fpu_check_pending(emu, insn) : EXEC_NEXT;
}

static bool interrupt_comes(const struct emu *emu)
{
	return emu->pins->intr && emu->pins->acknowledge && (emu->ctx->rflags & CTX_EFLAGS_IF);
}

/* With NE = 0 a real CPU stands still until IRQ 13 or IGNNE# comes. IGNNE# has no
 * pin here; it comes by a write of the interrupt handler. So: stand still while
 * an interrupt is about to be taken, and go on as with IGNNE# where the real one
 * would either do so, or hang. */
enum exec fpu_check_pending(struct emu *emu, const struct insn *insn)
{
	const struct fpu_image *image = fpu_image(emu);
	if (likely(!(image->fsw & ~image->fcw & FSW_FLAGS)))
		return EXEC_NEXT;
	if (emu->ctx->cr0 & CTX_CR0_NE)
		return emu_raise(emu, VEC_MF);
	fpu_settle(emu);
	if (!interrupt_comes(emu))
		return EXEC_NEXT;
	cpu_pins_attend(emu->pins);
	emu->ctx->rip = insn_ip(emu, insn);
	return EXEC_BRANCH;
}

void fpu_settle(struct emu *emu)
{
	struct fpu_image *image = fpu_image(emu);
	bool pending = image->fsw & ~image->fcw & FSW_FLAGS;
	uint16_t summary = pending ? FSW_ES | FSW_B : 0;
	image->fsw = (uint16_t)((image->fsw & ~(FSW_ES | FSW_B)) | summary);
	bool ferr = pending && !(emu->ctx->cr0 & CTX_CR0_NE);
	if (ferr == emu->fpu->ferr)
		return;
	emu->fpu->ferr = ferr;
	irq_set(&emu->pins->ferr, ferr);
}

enum exec exec_wait(struct emu *emu, const struct insn *insn)
{
	uint64_t both = CTX_CR0_MP | CTX_CR0_TS;
	if ((emu->ctx->cr0 & both) == both)
		return emu_raise(emu, VEC_NM);
	need_state(emu);
	return fpu_check_pending(emu, insn);
}

/* --- to the host and back ----------------------------------------------------------------- */

void fpu_take(struct emu *emu)
{
	struct fpu_image *image = &emu->fpu->frame.image;
	memcpy(image, emu->ctx->fxsave, FPU_IMAGE_USED);
	image->fsw &= (uint16_t)~(FSW_FLAGS | FSW_SF | FSW_ES | FSW_B);
	memset(&image->fop, 0, offsetof(struct fpu_image, mxcsr) - offsetof(struct fpu_image, fop));
	image->mxcsr = (image->mxcsr & MXCSR_DEFINED & ~MXCSR_FLAGS) | MXCSR_MASKS;
}

void fpu_commit(struct emu *emu)
{
	const struct fpu_image *from = &emu->fpu->frame.image;
	struct fpu_image *to = fpu_image(emu);
	to->fsw = (uint16_t)(from->fsw | (to->fsw & (FSW_FLAGS | FSW_SF)));
	to->ftw = from->ftw;
	to->mxcsr |= from->mxcsr & MXCSR_FLAGS;
	memcpy(to->st, from->st, sizeof to->st + sizeof to->xmm);
	fpu_settle(emu);
}

/* --- memory operands ------------------------------------------------------------------------ */

bool fpu_read(struct emu *emu, const struct insn *insn, void *to, unsigned size, unsigned align)
{
	uint32_t offset = insn_address(emu, insn), linear;
	const uint8_t *bytes = access_fast(emu, insn->seg, offset, size, false);
	if (likely(bytes)) {
		memcpy(to, bytes, size);
		return true;
	}
	return emu_check_segment(emu, insn->seg, offset, size, false, &linear) &&
	       emu_check_alignment(emu, insn->seg, offset, align) && emu_read_bytes(emu, insn->seg, offset, to, size);
}

bool fpu_write(struct emu *emu, const struct insn *insn, const void *from, unsigned size, unsigned align)
{
	uint32_t offset = insn_address(emu, insn), linear;
	uint8_t *bytes = access_fast(emu, insn->seg, offset, size, true);
	if (likely(bytes)) {
		memcpy(bytes, from, size);
		return true;
	}
	return emu_check_segment(emu, insn->seg, offset, size, true, &linear) &&
	       emu_check_alignment(emu, insn->seg, offset, align) && emu_write_bytes(emu, insn->seg, offset, from, size);
}

bool fpu_check_aligned(struct emu *emu, const struct insn *insn, unsigned size, bool write)
{
	uint32_t linear;
	return emu_check_segment(emu, insn->seg, insn_address(emu, insn), size, write, &linear) &&
	       (!(linear & 15) || emu_fail(emu, VEC_GP, 0));
}

/* --- encodings --------------------------------------------------------------------------------- */

/* No prefix is D8 to DF, nor 0F. */
const uint8_t *fpu_x87_opcode(const struct insn *insn)
{
	const uint8_t *at = insn->raw;
	while ((*at & 0xf8) != 0xd8)
		at++;
	return at;
}

const uint8_t *fpu_sse_opcode(const struct insn *insn)
{
	const uint8_t *at = insn->raw;
	while (*at != 0x0f)
		at++;
	return at + 1;
}

/* --- where there is no unit ----------------------------------------------------------------------- */

static bool nothing_answers(struct emu *emu)
{
	return !(emu->ctx->cr0 & (CTX_CR0_EM | CTX_CR0_TS));
}

/* The instructions by which programs look for a unit: they wait for nothing and find
 * nothing, so what they would write stays as it is. */
static enum exec absent_probe(struct emu *emu, const struct insn *insn)
{
	(void)insn;
	return nothing_answers(emu) ? EXEC_NEXT : emu_raise(emu, VEC_NM);
}

/* For the system's emulation, if it has one. */
static enum exec absent_x87(struct emu *emu, const struct insn *insn)
{
	(void)insn;
	return emu_raise(emu, VEC_NM);
}

static exec_fn *pick_absent(const struct insn *insn)
{
	if (insn->op != OP_x87)
		return exec_undefined;
	exec_fn *body = fpu_x87_pick(insn);
	bool probe = body == fpu_fninit || body == fpu_fnstcw || body == fpu_fnstsw || body == fpu_fnstsw_ax;
	return probe ? absent_probe : absent_x87;
}

exec_fn *fpu_pick(const struct insn *insn)
{
	if (!FPU_PRESENT)
		return pick_absent(insn);
	return insn->op == OP_x87 ? fpu_x87_pick(insn) : fpu_sse_pick(insn);
}
