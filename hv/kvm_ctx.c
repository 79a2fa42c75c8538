/* The page <-> what KVM keeps in struct kvm_run. */
#include <string.h>

#include "hv/kvm_private.h"

/* --- general registers -------------------------------------------------------------- */

void kvm_ctx_to_regs(const struct ctx *ctx, struct kvm_regs *regs)
{
	const union ctx_reg *gpr = ctx->gpr;
	*regs = (struct kvm_regs){
		.rax = gpr[CTX_RAX].r, .rcx = gpr[CTX_RCX].r, .rdx = gpr[CTX_RDX].r, .rbx = gpr[CTX_RBX].r,
		.rsp = gpr[CTX_RSP].r, .rbp = gpr[CTX_RBP].r, .rsi = gpr[CTX_RSI].r, .rdi = gpr[CTX_RDI].r,
		.r8 = gpr[8].r, .r9 = gpr[9].r, .r10 = gpr[10].r, .r11 = gpr[11].r,
		.r12 = gpr[12].r, .r13 = gpr[13].r, .r14 = gpr[14].r, .r15 = gpr[15].r,
		.rip = ctx->rip, .rflags = ctx->rflags,
	};
}

void kvm_ctx_from_regs(struct ctx *ctx, const struct kvm_regs *regs)
{
	const uint64_t value[CTX_GPRS] = {
		regs->rax, regs->rcx, regs->rdx, regs->rbx, regs->rsp, regs->rbp, regs->rsi, regs->rdi,
		regs->r8, regs->r9, regs->r10, regs->r11, regs->r12, regs->r13, regs->r14, regs->r15,
	};
	for (unsigned n = 0; n < CTX_GPRS; n++)
		ctx->gpr[n].r = value[n];
	ctx->rip = regs->rip;
	ctx->rflags = regs->rflags;
}

/* --- segments ------------------------------------------------------------------------ */

static struct kvm_segment to_segment(const struct ctx_seg *seg)
{
	uint32_t access = seg->access;
	return (struct kvm_segment){
		.base = seg->base,
		.limit = seg->limit,
		.selector = seg->selector,
		.type = access & CTX_SEG_TYPE,
		.s = !!(access & CTX_SEG_S),
		.dpl = (uint8_t)((access & CTX_SEG_DPL) >> CTX_SEG_DPL_SHIFT),
		.present = !!(access & CTX_SEG_P),
		.avl = !!(access & CTX_SEG_AVL),
		.l = !!(access & CTX_SEG_L),
		.db = !!(access & CTX_SEG_DB),
		.g = !!(access & CTX_SEG_G),
		.unusable = !!(access & CTX_SEG_UNUSABLE),
	};
}

static uint32_t access_of(const struct kvm_segment *segment)
{
	return (segment->type & CTX_SEG_TYPE) | (segment->s ? CTX_SEG_S : 0) |
	       ((uint32_t)(segment->dpl & 3) << CTX_SEG_DPL_SHIFT) | (segment->present ? CTX_SEG_P : 0) |
	       (segment->avl ? CTX_SEG_AVL : 0) | (segment->l ? CTX_SEG_L : 0) | (segment->db ? CTX_SEG_DB : 0) |
	       (segment->g ? CTX_SEG_G : 0) | (segment->unusable ? CTX_SEG_UNUSABLE : 0);
}

static void from_segment(struct ctx_seg *seg, const struct kvm_segment *segment)
{
	*seg = (struct ctx_seg){
		.base = segment->base,
		.limit = segment->limit,
		.selector = segment->selector,
		.access = access_of(segment),
	};
}

static struct kvm_segment *segment_of(struct kvm_sregs *sregs, unsigned n)
{
	struct kvm_segment *segments[CTX_SREGS] = {
		&sregs->es, &sregs->cs, &sregs->ss, &sregs->ds, &sregs->fs, &sregs->gs, &sregs->ldt, &sregs->tr,
	};
	return segments[n];
}

static struct kvm_dtable to_dtable(const struct ctx_table *table)
{
	return (struct kvm_dtable){ .base = table->base, .limit = (uint16_t)table->limit };
}

static struct ctx_table from_dtable(const struct kvm_dtable *dtable)
{
	return (struct ctx_table){ .base = dtable->base, .limit = dtable->limit };
}

#define TSS_BUSY 2u

/* CR0.ET is wired to 1. The bits of IA32_APIC_BASE that are reserved would make KVM
 * refuse everything. */
#define APIC_BASE_BITS 0x0000000ffffff900u

void kvm_ctx_to_sregs(const struct ctx *ctx, struct kvm_sregs *sregs, const struct kvm_ctx_quirks *quirks)
{
	for (unsigned n = 0; n < CTX_SREGS; n++)
		*segment_of(sregs, n) = to_segment(&ctx->seg[n]);
	if (quirks->tr_not_busy)
		sregs->tr.type &= (uint8_t)~TSS_BUSY;
	sregs->gdt = to_dtable(&ctx->gdtr);
	sregs->idt = to_dtable(&ctx->idtr);
	sregs->cr0 = ctx->cr0 | CTX_CR0_ET;
	sregs->cr2 = ctx->cr2;
	sregs->cr3 = ctx->cr3;
	sregs->cr4 = ctx->cr4;
	sregs->cr8 = ctx->cr8;
	sregs->efer = ctx->efer;
	sregs->apic_base = ctx->apic_base & APIC_BASE_BITS;
	memset(sregs->interrupt_bitmap, 0, sizeof sregs->interrupt_bitmap);
}

static bool looks_real(const struct ctx_seg *seg)
{
	return seg->selector && !(seg->access & CTX_SEG_UNUSABLE) && seg->base == (uint64_t)seg->selector << 4;
}

static void guess_real_segments(struct ctx *ctx, bool vm86)
{
	if (!vm86 && (ctx->cr0 & CTX_CR0_PE))
		return;
	for (unsigned n = CTX_ES; n <= CTX_GS; n++)
		if (vm86 || looks_real(&ctx->seg[n]))
			ctx->seg[n].access |= CTX_SEG_REAL;
}

void kvm_ctx_from_sregs(struct ctx *ctx, const struct kvm_sregs *sregs)
{
	for (unsigned n = 0; n < CTX_SREGS; n++)
		from_segment(&ctx->seg[n], segment_of((struct kvm_sregs *)sregs, n));
	/* TR's descriptor is a busy one, whatever was made of it for a CPU's sake. */
	ctx->seg[CTX_TR].access |= TSS_BUSY;
	ctx->gdtr = from_dtable(&sregs->gdt);
	ctx->idtr = from_dtable(&sregs->idt);
	ctx->cr0 = sregs->cr0;
	ctx->cr2 = sregs->cr2;
	ctx->cr3 = sregs->cr3;
	ctx->cr4 = sregs->cr4;
	ctx->cr8 = sregs->cr8;
	ctx->efer = sregs->efer;
	ctx->apic_base = sregs->apic_base;
	guess_real_segments(ctx, ctx->rflags & CTX_EFLAGS_VM);
}

/* --- events ----------------------------------------------------------------------------- */

/* VMX refuses both kinds of shadow at once (SDM vol. 3, 26.3.1.5). */
static uint8_t to_shadow(uint32_t shadow)
{
	if (shadow & CTX_SHADOW_MOV_SS)
		return KVM_X86_SHADOW_INT_MOV_SS;
	return shadow & CTX_SHADOW_STI ? KVM_X86_SHADOW_INT_STI : 0;
}

/* SVM has one bit for both kinds and KVM then says both; STI's is the lesser. */
static uint32_t from_shadow(uint8_t shadow)
{
	if (shadow & KVM_X86_SHADOW_INT_STI)
		return CTX_SHADOW_STI;
	return shadow & KVM_X86_SHADOW_INT_MOV_SS ? CTX_SHADOW_MOV_SS : 0;
}

void kvm_ctx_to_events(const struct ctx *ctx, struct kvm_vcpu_events *events)
{
	memset(events, 0, sizeof *events);
	events->flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW;
	events->interrupt.shadow = to_shadow(ctx->interrupt_shadow);
	events->interrupt.injected = ctx->event_type == CTX_EVENT_INTR;
	events->interrupt.nr = (uint8_t)ctx->event_vector;
	events->exception.injected = ctx->event_type == CTX_EVENT_FAULT;
	events->exception.nr = (uint8_t)ctx->event_vector;
	events->exception.has_error_code = ctx->event_has_error != 0;
	events->exception.error_code = ctx->event_error;
	events->nmi.injected = ctx->event_type == CTX_EVENT_NMI;
	events->nmi.masked = ctx->nmi_masked != 0;
}

#define VECTOR_DB 1u
#define DR6_BS    0x4000u

/* KVM reports no INT n, INT3 or INTO: RIP is still at them, as it is at what raised a
 * fault, so that the interrupt is worth more. The trap of a single step has a place
 * of its own. */
void kvm_ctx_from_events(struct ctx *ctx, const struct kvm_vcpu_events *events)
{
	bool exception = events->exception.pending || events->exception.injected;
	bool step = exception && events->exception.nr == VECTOR_DB && (ctx->rflags & CTX_EFLAGS_TF);
	ctx->event_type = CTX_EVENT_NONE;
	ctx->event_vector = ctx->event_has_error = ctx->event_error = 0;
	if (events->nmi.injected) {
		ctx->event_type = CTX_EVENT_NMI;
		ctx->event_vector = 2;
	} else if (events->interrupt.injected && !events->interrupt.soft) {
		ctx->event_type = CTX_EVENT_INTR;
		ctx->event_vector = events->interrupt.nr;
	} else if (exception && !step) {
		ctx->event_type = CTX_EVENT_FAULT;
		ctx->event_vector = events->exception.nr;
		ctx->event_has_error = events->exception.has_error_code != 0;
		ctx->event_error = ctx->event_has_error ? events->exception.error_code : 0;
	}
	ctx->pending_db = step ? DR6_BS : 0;
	ctx->interrupt_shadow = from_shadow(events->interrupt.shadow);
	ctx->nmi_masked = events->nmi.masked != 0;
}

/* --- mode ---------------------------------------------------------------------------------- */

enum hv_mode kvm_ctx_mode(const struct ctx *ctx)
{
	uint32_t code = ctx->seg[CTX_CS].access;
	unsigned cpl = (ctx->seg[CTX_SS].access & CTX_SEG_DPL) >> CTX_SEG_DPL_SHIFT;
	if (!(ctx->cr0 & CTX_CR0_PE))
		return HV_MODE_REAL;
	if (ctx->rflags & CTX_EFLAGS_VM)
		return HV_MODE_VM86;
	/* Code of 16 and 32 bits runs in long mode where that itself does. */
	if (ctx->efer & CTX_EFER_LMA)
		return cpl == 3 ? HV_MODE_PM64_USER : HV_MODE_PM64;
	if (ctx->cr0 & CTX_CR0_PG)
		return HV_MODE_PM32_PAGED;
	return code & CTX_SEG_DB ? HV_MODE_PM32 : HV_MODE_PM16;
}
