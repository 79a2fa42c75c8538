/* MMX, SSE and SSE2 (SDM vol. 1, chapters 9 to 11). */
#include "emu/access.h"
#include "emu/bodies.h"
#include "emu/flags.h"
#include "emu/fpu_host.h"

/* --- encodings ------------------------------------------------------------------------- */

enum {
	MMX = SSE_UNIT_MMX, /* works on these */
	XMM = SSE_UNIT_XMM,
	STORE = 4,      /* rm is the destination */
	ALIGNED = 8,    /* #GP(0) off a boundary of 16 */
	MEMORY = 0x10,  /* there is no form with a register */
	REGISTER = 0x20,/* there is none with memory */
	GPR_REG = 0x40, /* ModRM.reg is a general register and the destination */
	GPR_RM = 0x80,  /* ModRM.rm likewise, source or (STORE) destination */
	EFLAGS = 0x100, /* sets EFLAGS */
	IMM = 0x200,
	MMX_RM = 0x400, /* MMX only when rm is a register */
	NO_MODRM = 0x800,
};

struct form {
	uint16_t flags; /* 0: undefined */
	uint8_t size;   /* of the memory operand */
};

#define NONE        { 0, 0 }
#define M8          { MMX, 8 }
#define X16         { XMM | ALIGNED, 16 }
#define X(size)     { XMM, size }
#define F(flags, size) { flags, size }

/* Columns: no prefix, 66, F3, F2. F2 and F3 win over 66. */
#define BOTH        { M8, X16, NONE, NONE }     /* the MMX instructions and their XMM kin */
#define ONLY_XMM    { NONE, X16, NONE, NONE }
#define PACKED      { X16, X16, NONE, NONE }
#define ARITHMETIC  { X16, X16, X(4), X(8) }
#define RECIPROCAL  { X16, NONE, X(4), NONE }
#define LOW(both)   { F(XMM | (both), 8), F(XMM | MEMORY | (both), 8), NONE, NONE }
#define UNPACK_LOW  { F(MMX, 4), X16, NONE, NONE }
#define SHIFT       { F(MMX | REGISTER | IMM, 0), F(XMM | REGISTER | IMM, 0), NONE, NONE }
#define TO_GPR(one, two) { F(one, 0), F(two, 0), NONE, NONE }
#define TO_INTEGER  { F(MMX | XMM, 8), F(MMX | XMM | ALIGNED, 16), F(XMM | GPR_REG, 4), F(XMM | GPR_REG, 8) }

/* By the byte behind 0F (SDM vol. 2, table A-3). */
static const struct form forms[256][4] = {
	[0x10] = { X(16), X(16), X(4), X(8) },
	[0x11] = { F(XMM | STORE, 16), F(XMM | STORE, 16), F(XMM | STORE, 4), F(XMM | STORE, 8) },
	[0x12] = LOW(0), { F(XMM | MEMORY | STORE, 8), F(XMM | MEMORY | STORE, 8), NONE, NONE },
	[0x14] = PACKED, PACKED,
	[0x16] = LOW(0), { F(XMM | MEMORY | STORE, 8), F(XMM | MEMORY | STORE, 8), NONE, NONE },
	[0x28] = PACKED, { F(XMM | STORE | ALIGNED, 16), F(XMM | STORE | ALIGNED, 16), NONE, NONE },
	[0x2a] = { F(XMM | MMX, 8), F(XMM | MMX_RM, 8), F(XMM | GPR_RM, 4), F(XMM | GPR_RM, 4) },
	[0x2b] = { F(XMM | STORE | ALIGNED | MEMORY, 16), F(XMM | STORE | ALIGNED | MEMORY, 16), NONE, NONE },
	[0x2c] = TO_INTEGER, TO_INTEGER,
	[0x2e ... 0x2f] = { F(XMM | EFLAGS, 4), F(XMM | EFLAGS, 8), NONE, NONE },
	[0x50] = TO_GPR(XMM | REGISTER | GPR_REG, XMM | REGISTER | GPR_REG),
	[0x51] = ARITHMETIC,
	[0x52 ... 0x53] = RECIPROCAL,
	[0x54 ... 0x57] = PACKED,
	[0x58 ... 0x59] = ARITHMETIC,
	[0x5a] = { X(8), X16, X(4), X(8) },
	[0x5b] = { X16, X16, X16, NONE },
	[0x5c ... 0x5f] = ARITHMETIC,
	[0x60 ... 0x62] = UNPACK_LOW,
	[0x63 ... 0x6b] = BOTH,
	[0x6c ... 0x6d] = ONLY_XMM,
	[0x6e] = { F(MMX | GPR_RM, 4), F(XMM | GPR_RM, 4), NONE, NONE },
	[0x6f] = { M8, X16, X(16), NONE },
	[0x70] = { F(MMX | IMM, 8), F(XMM | IMM | ALIGNED, 16), F(XMM | IMM | ALIGNED, 16), F(XMM | IMM | ALIGNED, 16) },
	[0x71 ... 0x73] = SHIFT,
	[0x74 ... 0x76] = BOTH,
	[0x77] = { F(MMX | NO_MODRM, 0), NONE, NONE, NONE },
	[0x7e] = { F(MMX | STORE | GPR_RM, 4), F(XMM | STORE | GPR_RM, 4), X(8), NONE },
	[0x7f] = { F(MMX | STORE, 8), F(XMM | STORE | ALIGNED, 16), F(XMM | STORE, 16), NONE },
	[0xc2] = { F(XMM | IMM | ALIGNED, 16), F(XMM | IMM | ALIGNED, 16), F(XMM | IMM, 4), F(XMM | IMM, 8) },
	[0xc3] = { F(MEMORY | STORE, 4), NONE, NONE, NONE },
	[0xc4] = { F(MMX | GPR_RM | IMM, 2), F(XMM | GPR_RM | IMM, 2), NONE, NONE },
	[0xc5] = TO_GPR(MMX | REGISTER | GPR_REG | IMM, XMM | REGISTER | GPR_REG | IMM),
	[0xc6] = { F(XMM | IMM | ALIGNED, 16), F(XMM | IMM | ALIGNED, 16), NONE, NONE },
	[0xd1 ... 0xd5] = BOTH,
	[0xd6] = { NONE, F(XMM | STORE, 8), F(MMX | XMM | REGISTER, 0), F(MMX | XMM | REGISTER, 0) },
	[0xd7] = TO_GPR(MMX | REGISTER | GPR_REG, XMM | REGISTER | GPR_REG),
	[0xd8 ... 0xe5] = BOTH,
	[0xe6] = { NONE, X16, X(8), X16 },
	[0xe7] = { F(MMX | STORE | MEMORY, 8), F(XMM | STORE | MEMORY | ALIGNED, 16), NONE, NONE },
	[0xe8 ... 0xef] = BOTH,
	[0xf1 ... 0xf6] = BOTH,
	[0xf7] = TO_GPR(MMX | REGISTER, XMM | REGISTER),
	[0xf8 ... 0xfe] = BOTH,
};

enum { COLUMN_NONE, COLUMN_66, COLUMN_F3, COLUMN_F2 };

static unsigned column(const struct insn *insn)
{
	if (insn->flags & INSN_REP)
		return COLUMN_F3;
	if (insn->flags & INSN_REPNE)
		return COLUMN_F2;
	return memchr(insn->raw, 0x66, (size_t)(fpu_sse_opcode(insn) - insn->raw)) ? COLUMN_66 : COLUMN_NONE;
}

static const struct form *find_form(const struct insn *insn)
{
	return &forms[*fpu_sse_opcode(insn)][column(insn)];
}

/* Groups 12 to 14, the shifts by an immediate: ModRM.reg as a bit. */
static bool shift_defined(unsigned opcode, unsigned unit, unsigned reg)
{
	unsigned defined = opcode != 0x73 ? 0x54 : unit == XMM ? 0xcc : 0x44;
	return defined >> reg & 1;
}

static exec_fn movnti;
static exec_fn maskmov;

exec_fn *fpu_sse_pick(const struct insn *insn)
{
	unsigned opcode = *fpu_sse_opcode(insn);
	if (opcode == 0xae)
		return column(insn) == COLUMN_NONE ? fpu_fxsave_pick(insn) : exec_undefined;
	const struct form *form = find_form(insn);
	if (!form->flags || (form->flags & (insn->is_memory ? REGISTER : MEMORY)))
		return exec_undefined;
	if (opcode >= 0x71 && opcode <= 0x73 && !shift_defined(opcode, form->flags & XMM, insn->modrm >> 3 & 7))
		return exec_undefined;
	return opcode == 0xc3 ? movnti : opcode == 0xf7 ? maskmov : exec_sse;
}

/* The instruction as the stub has it: see fpu_host.h. */
static uint64_t stub_code(const struct insn *insn, const struct form *form)
{
	static const uint8_t prefixes[] = { 0, 0x66, 0xf3, 0xf2 };
	uint8_t prefix = prefixes[column(insn)], modrm = fpu_code_modrm(insn);
	uint64_t code = form->flags & EFLAGS ? FPU_CODE_EFLAGS : 0;
	if (prefix)
		code = fpu_code_add(code, prefix);
	code = fpu_code_add(code, 0x0f);
	code = fpu_code_add(code, *fpu_sse_opcode(insn));
	if (form->flags & NO_MODRM)
		return code;
	if (form->flags & GPR_REG)
		modrm &= 0xc7;
	if ((form->flags & GPR_RM) && !insn->is_memory)
		modrm &= 0xf8;
	code = fpu_code_add(code, modrm);
	return form->flags & IMM ? fpu_code_add(code, (uint8_t)insn->imm) : code;
}

/* --- operands ------------------------------------------------------------------------------ */

static unsigned units(const struct insn *insn, const struct form *form)
{
	unsigned unit = form->flags & (MMX | XMM);
	return (form->flags & MMX_RM) && !insn->is_memory ? unit | MMX : unit;
}

/* Reads the source, or finds out whether the destination can be written. */
static bool begin(struct emu *emu, const struct insn *insn, const struct form *form)
{
	struct fpu_frame *frame = &emu->fpu->frame;
	bool store = form->flags & STORE;
	frame->eax = form->flags & EFLAGS ? flags_get(emu) | CTX_EFLAGS_R1 : reg_read(emu, insn->rm, 4);
	if (!insn->is_memory)
		return true;
	if ((form->flags & ALIGNED) && !fpu_check_aligned(emu, insn, form->size, store))
		return false;
	return store ? emu_probe_write(emu, insn->seg, insn_address(emu, insn), form->size)
	             : fpu_read(emu, insn, frame->operand, form->size, form->size);
}

static bool finish(struct emu *emu, const struct insn *insn, const struct form *form)
{
	const struct fpu_frame *frame = &emu->fpu->frame;
	bool store = form->flags & STORE;
	if (store && insn->is_memory)
		return fpu_write(emu, insn, frame->operand, form->size, form->size);
	if (form->flags & EFLAGS)
		flags_set(emu, frame->eax);
	if (form->flags & GPR_REG)
		reg_write(emu, insn->reg, 4, frame->eax);
	if (store && (form->flags & GPR_RM))
		reg_write(emu, insn->rm, 4, frame->eax);
	return true;
}

/* --- running ---------------------------------------------------------------------------------- */

/* The flags of an instruction that overflows or underflows, unmasked. */
static uint32_t range_flags(struct emu *emu, const struct insn *insn)
{
	static const uint8_t counts[] = { 4, 2, 1, 1 };
	const struct fpu_image *image = fpu_image(emu);
	unsigned kind = column(insn);
	uint8_t operand[16];
	memcpy(operand, emu->fpu->frame.operand, sizeof operand);
	struct fpu_simd simd = {
		.opcode = *fpu_sse_opcode(insn),
		.wide = kind == COLUMN_66 || kind == COLUMN_F2,
		.count = counts[kind],
		.first = image->xmm[insn->modrm >> 3 & 7],
		.second = insn->is_memory ? operand : image->xmm[insn->modrm & 7],
	};
	if (simd.opcode == 0x5a)
		simd.first = simd.second;
	return fpu_simd_flags(emu, &simd);
}

/* An unmasked error leaves everything but the flags alone; one that is found before
 * the computation keeps the others from being found (SDM vol. 1, 11.5.3). */
static bool simd_error(struct emu *emu, const struct insn *insn)
{
	struct fpu_image *image = fpu_image(emu);
	uint32_t raised = emu->fpu->frame.image.mxcsr & MXCSR_FLAGS;
	uint32_t unmasked = raised & ~(image->mxcsr >> MXCSR_MASK_SHIFT);
	if (likely(!unmasked))
		return false;
	if (unmasked & MXCSR_BEFORE)
		raised &= MXCSR_BEFORE;
	else if (unmasked & (MXCSR_OE | MXCSR_UE))
		raised = range_flags(emu, insn);
	image->mxcsr |= raised;
	return true;
}

enum exec exec_sse(struct emu *emu, const struct insn *insn)
{
	const struct form *form = find_form(insn);
	enum exec result = fpu_check_sse(emu, insn, units(insn, form));
	if (result != EXEC_NEXT)
		return result;
	fpu_take(emu);
	if (!begin(emu, insn, form))
		return EXEC_FAULT;
	if (!fpu_simd_run(emu, stub_code(insn, form)))
		return emu_raise(emu, VEC_UD);
	if (simd_error(emu, insn))
		return emu_raise(emu, emu->ctx->cr4 & CTX_CR4_OSXMMEXCPT ? VEC_XM : VEC_UD);
	if (!finish(emu, insn, form))
		return EXEC_FAULT;
	fpu_commit(emu);
	return EXEC_NEXT;
}

/* --- what is only memory -------------------------------------------------------------------------- */

static enum exec movnti(struct emu *emu, const struct insn *insn)
{
	uint32_t value = reg_read(emu, insn->reg, 4);
	return mem_store(emu, insn->seg, insn_address(emu, insn), 4, value) ? EXEC_NEXT : EXEC_FAULT;
}

static const uint8_t *vector_register(const struct fpu_image *image, unsigned number, bool xmm)
{
	return xmm ? image->xmm[number] : image->st[(number - fpu_top(image)) & 7];
}

/* As every MMX instruction: TOP is 0, no register is empty. */
static void enter_mmx(struct fpu_image *image)
{
	fpu_image_set_top(image, 0);
	image->ftw = 0xff;
}

/* Bytes whose mask has bit 7, to DS:(E)DI. Without any there is no access. */
static enum exec maskmov(struct emu *emu, const struct insn *insn)
{
	struct fpu_image *image = fpu_image(emu);
	bool xmm = column(insn) == COLUMN_66;
	unsigned size = xmm ? 16 : 8;
	uint32_t offset = emu->ctx->gpr[CTX_RDI].e & insn->addr_mask;
	enum exec result = fpu_check_sse(emu, insn, xmm ? XMM : MMX);
	if (result != EXEC_NEXT)
		return result;
	const uint8_t *from = vector_register(image, insn->modrm >> 3 & 7, xmm);
	const uint8_t *mask = vector_register(image, insn->modrm & 7, xmm);
	unsigned selected = 0;
	for (unsigned i = 0; i < size; i++)
		selected |= (unsigned)(mask[i] >> 7) << i;
	/* Chips ask for a boundary of 8 only, of MASKMOVDQU as well. */
	if (selected && (!emu_probe_write(emu, insn->seg, offset, size) ||
	                 !emu_check_alignment(emu, insn->seg, offset, 8)))
		return EXEC_FAULT;
	for (unsigned i = 0; i < size; i++)
		if ((selected >> i & 1) && !mem_store(emu, insn->seg, offset + i, 1, from[i]))
			return EXEC_FAULT;
	if (!xmm)
		enter_mmx(image);
	return EXEC_NEXT;
}
