/* System management mode: the P6 state save map (SDM vol. 3, table 31-1), with the
 * hidden parts of the segments in the area that the manual leaves to the chip. */
#include "emu/access.h"
#include "emu/flags.h"
#include "shared/log.h"

/* Offsets from SMBASE + 8000h. */
enum {
	SMM_HALT = 0x7f02, SMM_REVISION = 0x7ef8 + 4, SMM_SMBASE = 0x7ef8,
	SMM_CR0 = 0x7ffc, SMM_CR4 = 0x7f14, SMM_EAX = 0x7fd0, SMM_SELECTORS = 0x7fa8, SMM_HIDDEN = 0x7e00,
	SMM_NMI_MASKED = 0x7e60, SMM_PENDING_DB = 0x7e64, SMM_SHADOW = 0x7e68, SMM_EFER = 0x7e6c,
};

/* Revision 0002h: SMBASE relocation. */
#define SMM_REVISION_VALUE 0x00020000u

/* The handler may write what it likes into the map. */
#define SMM_ACCESS_DEFINED (0xf0ffu | CTX_SEG_UNUSABLE | CTX_SEG_REAL)
#define SMM_EFLAGS_DEFINED 0x003f7fd5u
#define SMM_CR0_DEFINED    0xe005003fu
#define SMM_EFER_DEFINED   (CTX_EFER_SCE | CTX_EFER_LME) /* no SMI is taken in long mode */

static uint32_t at(const struct emu *emu, uint32_t offset)
{
	return (emu->ctx->smbase + 0x8000 + offset) & emu->a20_mask;
}

static void put(struct emu *emu, uint32_t offset, uint64_t value)
{
	mem_write(emu->mem, at(emu, offset), 4, (uint32_t)value);
}

static uint32_t get(struct emu *emu, uint32_t offset)
{
	return (uint32_t)mem_read(emu->mem, at(emu, offset), 4);
}

/* The page's fields that have a place of their own in the map. */
static const struct {
	uint16_t offset, field;
} fields[] = {
	{ SMM_CR0, offsetof(struct ctx, cr0) }, { 0x7ff8, offsetof(struct ctx, cr3) },
	{ 0x7ff4, offsetof(struct ctx, rflags) }, { 0x7ff0, offsetof(struct ctx, rip) },
	{ 0x7fcc, offsetof(struct ctx, dr6) }, { 0x7fc8, offsetof(struct ctx, dr7) },
	{ SMM_CR4, offsetof(struct ctx, cr4) }, { SMM_EFER, offsetof(struct ctx, efer) },
	{ 0x7e90, offsetof(struct ctx, gdtr.base) }, { 0x7e94, offsetof(struct ctx, idtr.base) },
};

#define FIELDS (sizeof fields / sizeof *fields)

static uint64_t *field_of(struct ctx *ctx, unsigned i) { return (uint64_t *)((char *)ctx + fields[i].field); }

static void save(struct emu *emu)
{
	struct ctx *ctx = emu->ctx;
	for (unsigned i = 0; i < FIELDS; i++)
		put(emu, fields[i].offset, *field_of(ctx, i));
	for (unsigned i = 0; i < 8; i++)
		put(emu, SMM_EAX + 4 * i, ctx->gpr[i].e);
	for (unsigned i = 0; i < CTX_SREGS; i++) {
		put(emu, SMM_SELECTORS + 4 * i, ctx->seg[i].selector);
		put(emu, SMM_HIDDEN + 12 * i, ctx->seg[i].base);
		put(emu, SMM_HIDDEN + 12 * i + 4, ctx->seg[i].limit);
		put(emu, SMM_HIDDEN + 12 * i + 8, ctx->seg[i].access);
	}
	put(emu, 0x7e98, ctx->gdtr.limit);
	put(emu, 0x7e9c, ctx->idtr.limit);
	put(emu, SMM_REVISION, SMM_REVISION_VALUE);
	put(emu, SMM_SMBASE, ctx->smbase);
	put(emu, SMM_NMI_MASKED, ctx->nmi_masked);
	put(emu, SMM_PENDING_DB, ctx->pending_db);
	put(emu, SMM_SHADOW, ctx->interrupt_shadow);
	mem_write(emu->mem, at(emu, SMM_HALT), 2, ctx->halted);
}

static void enter_segment(struct emu *emu, unsigned sreg, uint16_t selector, uint32_t base)
{
	struct ctx_seg *seg = &emu->ctx->seg[sreg];
	memset(seg, 0, sizeof *seg);
	seg->selector = selector;
	seg->base = base;
	seg->limit = 0xffffffffu;
	seg->access = CTX_SEG_P | CTX_SEG_S | 3 | CTX_SEG_G | CTX_SEG_REAL;
	if (sreg == CTX_CS)
		seg->access |= CTX_SEG_CODE;
}

void smm_enter(struct emu *emu)
{
	struct ctx *ctx = emu->ctx;
	if (emu->set_smm)
		emu->set_smm(emu->owner, true);
	ctx->rflags = eflags_get(emu);
	cpu_pins_fetch_dr6(emu->pins, ctx);
	save(emu);
	ctx->smm = 1;
	ctx->smm_map = CTX_SMM_MAP_EMULATOR;
	ctx->halted = 0;
	ctx->interrupt_shadow = 0;
	ctx->pending_db = 0;
	ctx->nmi_masked = 1;
	eflags_set(emu, CTX_EFLAGS_R1);
	ctx->cr0 &= ~(uint64_t)(CTX_CR0_PE | CTX_CR0_EM | CTX_CR0_TS | CTX_CR0_PG);
	ctx->cr4 = 0;
	ctx->efer = 0;
	ctx->dr7 = 0x400;
	for (unsigned sreg = 0; sreg < CTX_LDTR; sreg++)
		enter_segment(emu, sreg, 0, 0);
	enter_segment(emu, CTX_CS, (uint16_t)(ctx->smbase >> 4), ctx->smbase);
	ctx->rip = 0x8000;
	emu_special_changed(emu);
	paging_flush(emu);
	emu_mode_changed(emu);
}

/* SDM vol. 3, 31.3.1: what shuts the processor down. */
static bool restorable(struct emu *emu)
{
	uint32_t cr0 = get(emu, SMM_CR0), cr4 = get(emu, SMM_CR4), smbase = get(emu, SMM_SMBASE);
	bool aligned = emu->cpu >= EMU_CPU_P6 || !(smbase & 0x7fff);
	/* What would be long mode is no place to come back to: it did not come from there. */
	if ((get(emu, SMM_EFER) & CTX_EFER_LME) && (cr0 & CTX_CR0_PG) && emu->cpu >= EMU_CPU_X86_64)
		return false;
	return !((cr0 & CTX_CR0_PG) && !(cr0 & CTX_CR0_PE)) && !((cr0 & CTX_CR0_NW) && !(cr0 & CTX_CR0_CD)) &&
	       !(cr4 & ~control_cr4_defined(emu)) && aligned;
}

static void restore(struct emu *emu)
{
	struct ctx *ctx = emu->ctx;
	for (unsigned i = 0; i < 8; i++)
		ctx->gpr[i].e = get(emu, SMM_EAX + 4 * i);
	for (unsigned i = 0; i < CTX_SREGS; i++) {
		ctx->seg[i].selector = (uint16_t)get(emu, SMM_SELECTORS + 4 * i);
		ctx->seg[i].base = get(emu, SMM_HIDDEN + 12 * i);
		ctx->seg[i].limit = get(emu, SMM_HIDDEN + 12 * i + 4);
		ctx->seg[i].access = get(emu, SMM_HIDDEN + 12 * i + 8) & SMM_ACCESS_DEFINED;
	}
	for (unsigned i = 0; i < FIELDS; i++)
		*field_of(ctx, i) = get(emu, fields[i].offset);
	ctx->gdtr.limit = get(emu, 0x7e98) & 0xffff;
	ctx->idtr.limit = get(emu, 0x7e9c) & 0xffff;
	ctx->cr0 = (ctx->cr0 & SMM_CR0_DEFINED) | CTX_CR0_ET;
	ctx->efer &= emu->cpu >= EMU_CPU_X86_64 ? SMM_EFER_DEFINED : 0;
	ctx->rflags = (ctx->rflags & SMM_EFLAGS_DEFINED) | CTX_EFLAGS_R1;
	ctx->dr6 = (ctx->dr6 & 0xe00f) | 0xffff0ff0u;
	ctx->dr7 = (ctx->dr7 & 0xffff2fffu) | 0x400;
	ctx->nmi_masked = get(emu, SMM_NMI_MASKED) & 1;
	ctx->pending_db = get(emu, SMM_PENDING_DB) & 0xe00f;
	ctx->interrupt_shadow = get(emu, SMM_SHADOW) & (CTX_SHADOW_STI | CTX_SHADOW_MOV_SS);
	ctx->halted = (uint32_t)mem_read(emu->mem, at(emu, SMM_HALT), 2) & 1;
	ctx->smbase = get(emu, SMM_SMBASE);
}

enum exec smm_return(struct emu *emu)
{
	struct ctx *ctx = emu->ctx;
	if (!restorable(emu)) {
		guest_error("cpu", "RSM with a save area that cannot be loaded: shutdown");
		emu->shutdown = true;
		return EXEC_STOP;
	}
	restore(emu);
	ctx->smm = 0;
	if (emu->set_smm)
		emu->set_smm(emu->owner, false);
	flags_set(emu, (uint32_t)ctx->rflags);
	paging_flush(emu);
	emu_mode_changed(emu);
	if (emu->paging && emu->pae && !paging_load_pdptes(emu))
		emu->shutdown = true;
	emu_special_changed(emu);
	cpu_pins_attend(emu->pins);
	return EXEC_BRANCH;
}
