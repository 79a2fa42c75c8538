/* The arithmetic, moves and compares of the x87 (SDM vol. 1, chapter 8), and which
 * encodings D8 to DF there are. */
#include "emu/access.h"
#include "emu/bodies.h"
#include "emu/flags.h"
#include "emu/fpu_host.h"

static exec_fn x87_store;
static exec_fn x87_eflags;
static exec_fn x87_register;

/* --- encodings ---------------------------------------------------------------------------- */

struct memory_form {
	exec_fn *body; /* NULL: undefined */
	uint8_t size;  /* of the operand; 0 where the body knows */
};

#define READ(size)  { exec_x87, size }
#define STORE(size) { x87_store, size }
#define READS(size) { READ(size), READ(size), READ(size), READ(size), READ(size), READ(size), READ(size), READ(size) }

/* By opcode and ModRM.reg (SDM vol. 2, tables ). FISTTP is SSE3. */
static const struct memory_form memory_forms[8][8] = {
	/* D8 */ READS(4),
	/* D9 */ { READ(4), { NULL, 0 }, STORE(4), STORE(4),
	           { fpu_fldenv, 0 }, { fpu_fldcw, 0 }, { fpu_fnstenv, 0 }, { fpu_fnstcw, 0 } },
	/* DA */ READS(4),
	/* DB */ { READ(4), { NULL, 0 }, STORE(4), STORE(4), { NULL, 0 }, READ(10), { NULL, 0 }, STORE(10) },
	/* DC */ READS(8),
	/* DD */ { READ(8), { NULL, 0 }, STORE(8), STORE(8),
	           { fpu_frstor, 0 }, { NULL, 0 }, { fpu_fnsave, 0 }, { fpu_fnstsw, 0 } },
	/* DE */ READS(2),
	/* DF */ { READ(2), { NULL, 0 }, STORE(2), STORE(2), READ(10), READ(8), STORE(10), STORE(8) },
};

static const struct memory_form *memory_form(const struct insn *insn)
{
	return &memory_forms[*fpu_x87_opcode(insn) & 7][insn->modrm >> 3 & 7];
}

/* D9 D0 to D9 EF: a bit for each that exists. FNOP is the first; D8 to DF is an
 * alias of FSTP. */
static bool d9_defined(unsigned low)
{
	static const uint32_t defined = 0x7f33ff01;
	return low < 0x10 || low >= 0x30 || (defined >> (low - 0x10) & 1);
}

static exec_fn *db_body(unsigned low)
{
	switch (low) {
	case 0x00 ... 0x1f: /* FCMOVcc */
	case 0x28 ... 0x37: /* FUCOMI, FCOMI */
		return x87_eflags;
	case 0x20: case 0x21: case 0x24:
		return fpu_no_operation;
	case 0x22:
		return fpu_fnclex;
	case 0x23:
		return fpu_fninit;
	default:
		return NULL;
	}
}

static exec_fn *df_body(unsigned low)
{
	if (low == 0x20)
		return fpu_fnstsw_ax;
	if (low < 0x20) /* FFREEP; aliases of FXCH and FSTP */
		return x87_register;
	return low >= 0x28 && low < 0x38 ? x87_eflags : NULL; /* FUCOMIP, FCOMIP */
}

/* `low`: ModRM without the two bits that are 1. */
static exec_fn *register_body(unsigned opcode, unsigned low)
{
	switch (opcode & 7) {
	case 1: return d9_defined(low) ? x87_register : NULL;
	case 2: return low < 0x20 ? x87_eflags : low == 0x29 ? x87_register : NULL;
	case 3: return db_body(low);
	case 5: return low < 0x30 ? x87_register : NULL;
	case 6: return low < 0x18 || low == 0x19 || low >= 0x20 ? x87_register : NULL;
	case 7: return df_body(low);
	default: return x87_register;
	}
}

exec_fn *fpu_x87_pick(const struct insn *insn)
{
	exec_fn *body = insn->is_memory ? memory_form(insn)->body
	                                : register_body(*fpu_x87_opcode(insn), insn->modrm & 0x3f);
	return body ? body : exec_undefined;
}

/* --- running ---------------------------------------------------------------------------------- */

static enum exec ready(struct emu *emu, const struct insn *insn)
{
	enum exec result = fpu_check_x87(emu);
	return result == EXEC_NEXT ? fpu_check_pending(emu, insn) : result;
}

static bool run(struct emu *emu, const struct insn *insn, uint64_t code)
{
	code = fpu_code_add(code, *fpu_x87_opcode(insn));
	code = fpu_code_add(code, fpu_code_modrm(insn));
	return fpu_host_run(emu->fpu, code);
}

/* FOP, FIP and FDP of the last instruction that is not a control instruction
 * (SDM vol. 1, 8.1.8). */
static void set_pointers(struct emu *emu, const struct insn *insn)
{
	struct fpu_image *image = fpu_image(emu);
	const struct ctx *ctx = emu->ctx;
	image->fop = (uint16_t)((*fpu_x87_opcode(insn) & 7) << 8 | insn->modrm);
	image->fip = insn_ip(emu, insn);
	image->fcs = ctx->seg[CTX_CS].selector;
	if (!insn->is_memory)
		return;
	image->fdp = insn_address(emu, insn);
	image->fds = ctx->seg[insn->seg].selector;
}

static unsigned alignment(unsigned size) { return size == 10 ? 8 : size; }

/* The host runs with the guest's own masks: an x87 error waits for the next
 * instruction that looks for it, and the host never comes to one. */
static enum exec compute(struct emu *emu, const struct insn *insn)
{
	fpu_take(emu);
	if (!run(emu, insn, 0))
		return emu_raise(emu, VEC_NM);
	fpu_commit(emu);
	set_pointers(emu, insn);
	return EXEC_NEXT;
}

static enum exec x87_register(struct emu *emu, const struct insn *insn)
{
	enum exec result = ready(emu, insn);
	return result == EXEC_NEXT ? compute(emu, insn) : result;
}

/* The operand is in memory and read. */
enum exec exec_x87(struct emu *emu, const struct insn *insn)
{
	unsigned size = memory_form(insn)->size;
	enum exec result = ready(emu, insn);
	if (result != EXEC_NEXT)
		return result;
	if (!fpu_read(emu, insn, emu->fpu->frame.operand, size, alignment(size)))
		return EXEC_FAULT;
	return compute(emu, insn);
}

/* With these unmasked there is no result to store (SDM vol. 1, 8.5). */
static bool stores(const struct emu *emu)
{
	const struct fpu_image *image = &emu->fpu->frame.image;
	return !(image->fsw & ~image->fcw & (FSW_IE | FSW_OE | FSW_UE));
}

static enum exec x87_store(struct emu *emu, const struct insn *insn)
{
	unsigned size = memory_form(insn)->size;
	struct fpu_frame *frame = &emu->fpu->frame;
	enum exec result = ready(emu, insn);
	if (result != EXEC_NEXT)
		return result;
	uint32_t offset = insn_address(emu, insn);
	if (!emu_probe_write(emu, insn->seg, offset, size) ||
	    !emu_check_alignment(emu, insn->seg, offset, alignment(size)))
		return EXEC_FAULT;
	fpu_take(emu);
	if (!run(emu, insn, 0))
		return emu_raise(emu, VEC_NM);
	if (stores(emu) && !fpu_write(emu, insn, frame->operand, size, alignment(size)))
		return EXEC_FAULT;
	fpu_commit(emu);
	set_pointers(emu, insn);
	return EXEC_NEXT;
}

/* FCMOVcc, FCOMI and the like: new with the P6. */
static enum exec x87_eflags(struct emu *emu, const struct insn *insn)
{
	if (emu->cpu < EMU_CPU_P6)
		return exec_undefined(emu, insn);
	enum exec result = ready(emu, insn);
	if (result != EXEC_NEXT)
		return result;
	fpu_take(emu);
	emu->fpu->frame.eax = flags_get(emu) | CTX_EFLAGS_R1;
	if (!run(emu, insn, FPU_CODE_EFLAGS))
		return emu_raise(emu, VEC_NM);
	flags_set(emu, emu->fpu->frame.eax);
	fpu_commit(emu);
	set_pointers(emu, insn);
	return EXEC_NEXT;
}
