/* Segment registers: descriptors, loads, and what the fast paths derive from them
 * (SDM vol. 3, 3.4 and 5.4-5.7). */
#include "emu/access.h"
#include "emu/debug.h"
#include "emu/debugger.h"
#include "emu/flags.h"
#include "emu/tracer.h"
#include "shared/log.h"

uint32_t descriptor_base(const struct descriptor *descriptor)
{
	return descriptor->low >> 16 | (descriptor->high & 0xff) << 16 | (descriptor->high & 0xff000000u);
}

uint32_t descriptor_limit(const struct descriptor *descriptor)
{
	uint32_t limit = (descriptor->low & 0xffff) | (descriptor->high & 0xf0000);
	return descriptor->high & 0x800000 ? limit << 12 | 0xfff : limit;
}

void seg_unpack(struct ctx_seg *seg, uint16_t selector, const struct descriptor *descriptor)
{
	memset(seg, 0, sizeof *seg);
	seg->selector = selector;
	seg->base = descriptor_base(descriptor);
	seg->limit = descriptor_limit(descriptor);
	seg->access = descriptor->high >> 8 & 0xf0ff;
}

/* --- derived state ----------------------------------------------------------- */

/* Accesses have to be looked at one by one. */
static bool watched(const struct emu *emu)
{
	const struct ctx *ctx = emu->ctx;
	return ((ctx->dr7 & 0xff) && debug_enabled(emu)) || debugger_watches(emu) || (emu->special & SPECIAL_WATCH) ||
	       (emu->cpl == 3 && (ctx->cr0 & CTX_CR0_AM) && (ctx->rflags & CTX_EFLAGS_AC) && emu->cpu >= EMU_CPU_486);
}

/* `looked_at`: see watched(). */
static void derive_fast(struct emu *emu, unsigned sreg, bool looked_at)
{
	const struct ctx_seg *seg = &emu->ctx->seg[sreg];
	struct seg_fast *fast = &emu->seg[sreg];
	bool code = seg->access & CTX_SEG_CODE;
	bool down = !code && (seg->access & CTX_SEG_DOWN);
	bool readable = true, writable = true;
	if (emu->protected_mode) {
		readable = !code || (seg->access & CTX_SEG_READABLE);
		writable = !code && (seg->access & CTX_SEG_WRITABLE);
	}
	bool closed = down || (emu->protected_mode && (seg->access & CTX_SEG_UNUSABLE)) || looked_at;
	fast->base = (uint32_t)seg->base;
	fast->read = readable && !closed ? (uint64_t)seg->limit + 1 : 0;
	fast->write = writable && !closed ? (uint64_t)seg->limit + 1 : 0;
	if (seg->access & CTX_SEG_REAL)
		emu->real_segments |= (uint8_t)(1u << sreg);
	else
		emu->real_segments &= (uint8_t)~(1u << sreg);
	emu->is_real = emu->real_segments || !emu->protected_mode;
}

static void derive_code(struct emu *emu)
{
	const struct ctx_seg *cs = &emu->ctx->seg[CTX_CS];
	emu->code32 = cs->access & CTX_SEG_DB;
	emu->ip_mask = emu->code32 ? 0xffffffffu : 0xffffu;
	emu->code_limit = (uint64_t)cs->limit + 1;
}

static uint32_t world_of_code(const struct emu *emu)
{
	uint32_t world = emu->code32 ? WORLD_CODE32 : 0;
	if (emu->code_limit == 1ull << 16)
		return world | WORLD_LIMIT64K;
	return emu->code_limit == 1ull << 32 ? world | WORLD_LIMIT4G : world;
}

static void derive_world(struct emu *emu)
{
	uint32_t world = emu->protected_mode ? WORLD_PROTECTED : 0;
	if (emu->vm86)
		world |= WORLD_VM86;
	if (emu->paging)
		world |= WORLD_PAGING;
	if (emu->cpl == 3)
		world |= WORLD_USER;
	if (emu->stack_mask > 0xffff)
		world |= WORLD_STACK32;
	emu->world = world | world_of_code(emu);
}

static void derive_stack(struct emu *emu)
{
	emu->stack_mask = emu->ctx->seg[CTX_SS].access & CTX_SEG_DB ? 0xffffffffu : 0xffffu;
}

void seg_changed(struct emu *emu, unsigned sreg)
{
	derive_fast(emu, sreg, watched(emu));
	if (sreg == CTX_CS)
		derive_code(emu);
	if (sreg == CTX_SS)
		derive_stack(emu);
	if (sreg == CTX_CS || sreg == CTX_SS)
		derive_world(emu);
}

/* Ring 0 alone, where only RPL and the descriptor decide. A code segment by its own RPL:
 * a gate's does not count, a jump's does. */
void seg_note(struct emu *emu, unsigned sreg, uint16_t selector, const struct descriptor *descriptor)
{
	const struct ctx_seg *seg = &emu->ctx->seg[sreg];
	struct seg_seen *seen = &emu->seen[sreg][selector >> 3 & (SEG_SEEN_ENTRIES - 1)];
	if (emu->cpl || (selector & 4) || watched(emu) || (sreg == CTX_CS && (selector & 3)))
		return;
	*seen = (struct seg_seen){
		.descriptor = (uint64_t)descriptor->high << 32 | descriptor->low,
		.base = emu->seg[sreg].base, .read = emu->seg[sreg].read, .write = emu->seg[sreg].write,
		.selector = selector | SEG_SEEN, .limit = seg->limit, .access = seg->access,
	};
	seen->mask = sreg == CTX_SS ? emu->stack_mask : emu->ip_mask;
	seen->world = sreg == CTX_SS ? emu->world & WORLD_STACK32 : world_of_code(emu);
}

/* In protected mode CPL is the DPL of SS, which SMM and KVM keep as well. */
static uint8_t privilege(const struct emu *emu)
{
	if (!(emu->ctx->cr0 & CTX_CR0_PE))
		return 0;
	return emu->vm86 ? 3 : emu->ctx->seg[CTX_SS].access >> CTX_SEG_DPL_SHIFT & 3;
}

/* An interrupt gate takes the processor out of vm86 before this is called, so what it
 * was is what was traced last. Long mode ends elsewhere, and who ends it says so. */
static void trace_mode(struct emu *emu)
{
	bool was_protected = emu->traced_protected, was_vm86 = emu->traced_vm86, was_long = emu->traced_long;
	emu->traced_protected = emu->protected_mode;
	emu->traced_vm86 = emu->vm86;
	emu->traced_long = emu->ctx->efer & CTX_EFER_LMA;
	if (was_protected != emu->protected_mode || was_vm86 != emu->vm86 || (emu->traced_long && !was_long))
		tracer_mode(emu, was_protected, was_vm86);
}

void emu_mode_changed(struct emu *emu)
{
	const struct ctx *ctx = emu->ctx;
	bool pe = ctx->cr0 & CTX_CR0_PE;
	emu->vm86 = pe && (ctx->rflags & CTX_EFLAGS_VM);
	emu->protected_mode = pe && !emu->vm86;
	emu->paging = pe && (ctx->cr0 & CTX_CR0_PG);
	emu->pae = ctx->cr4 & CTX_CR4_PAE;
	emu->stays &= pe;
	emu->cpl = privilege(emu);
	bool looked_at = watched(emu);
	for (unsigned sreg = 0; sreg < CTX_LDTR; sreg++)
		derive_fast(emu, sreg, looked_at);
	derive_code(emu);
	derive_stack(emu);
	derive_world(emu);
	if (unlikely(log_trace_mask & LOG_TRACE_SWITCH))
		trace_mode(emu);
}

/* --- descriptors -------------------------------------------------------------- */

bool seg_read_descriptor(struct emu *emu, uint16_t selector, struct descriptor *descriptor, enum vector vector)
{
	const struct ctx *ctx = emu->ctx;
	uint32_t index = selector & 0xfff8u, base = (uint32_t)ctx->gdtr.base, limit = ctx->gdtr.limit;
	if (selector & 4) {
		const struct ctx_seg *ldt = &ctx->seg[CTX_LDTR];
		if (ldt->access & CTX_SEG_UNUSABLE)
			return emu_fail(emu, vector, selector & 0xfffc);
		base = (uint32_t)ldt->base;
		limit = ldt->limit;
	}
	if (index + 7 > limit)
		return emu_fail(emu, vector, selector & 0xfffc);
	return emu_system_read(emu, base + index, 4, &descriptor->low) &&
	       emu_system_read(emu, base + index + 4, 4, &descriptor->high);
}

bool seg_set_accessed(struct emu *emu, uint16_t selector, struct descriptor *descriptor)
{
	const struct ctx *ctx = emu->ctx;
	if (descriptor->high & 0x100)
		return true;
	uint32_t base = (uint32_t)(selector & 4 ? ctx->seg[CTX_LDTR].base : ctx->gdtr.base);
	if (!emu_system_write(emu, base + (selector & 0xfff8u) + 5, 1, (descriptor->high >> 8 & 0xff) | 1))
		return false;
	descriptor->high |= 0x100;
	return true;
}

/* --- loads --------------------------------------------------------------------- */

void seg_set_vm86(struct ctx_seg *seg, uint16_t selector)
{
	seg->selector = selector;
	seg->base = (uint32_t)selector << 4;
	seg->limit = 0xffff;
	seg->access = CTX_SEG_P | CTX_SEG_DPL | CTX_SEG_S | 3 | CTX_SEG_REAL;
}

void seg_load_real(struct emu *emu, unsigned sreg, uint16_t selector)
{
	struct ctx_seg *seg = &emu->ctx->seg[sreg];
	uint32_t access = seg->access & ~(CTX_SEG_DB | CTX_SEG_G);
	seg->selector = selector;
	seg->base = (uint32_t)selector << 4;
	/* Nothing else moves, and what is derived hangs on the base alone. */
	if (likely(!emu->vm86 && access == (CTX_SEG_P | CTX_SEG_S | 3 | CTX_SEG_REAL | (sreg == CTX_CS ? CTX_SEG_CODE : 0)))) {
		emu->seg[sreg].base = (uint32_t)selector << 4;
		return;
	}
	if (emu->vm86) {
		seg_set_vm86(seg, selector);
	} else {
		/* Limit and D/B stay: this is what makes "unreal" mode. */
		seg->access = (seg->access & (CTX_SEG_DB | CTX_SEG_G)) | CTX_SEG_P | CTX_SEG_S | 3 | CTX_SEG_REAL;
		if (sreg == CTX_CS)
			seg->access |= CTX_SEG_CODE;
	}
	seg_changed(emu, sreg);
}

static void load_null(struct emu *emu, unsigned sreg, uint16_t selector)
{
	struct ctx_seg *seg = &emu->ctx->seg[sreg];
	seg->selector = selector;
	seg->base = 0;
	seg->access = (seg->access & ~(uint32_t)CTX_SEG_REAL) | CTX_SEG_UNUSABLE;
	seg_changed(emu, sreg);
}

static unsigned descriptor_dpl(const struct descriptor *descriptor) { return descriptor->high >> 13 & 3; }

static bool load_stack(struct emu *emu, uint16_t selector)
{
	struct descriptor descriptor;
	if (!(selector & 0xfffc))
		return emu_fail(emu, VEC_GP, 0);
	if (!seg_read_descriptor(emu, selector, &descriptor, VEC_GP))
		return false;
	uint32_t type = descriptor.high >> 8 & 0x1f;
	bool writable_data = (type & 0x1a) == 0x12;
	if (!writable_data || (selector & 3) != emu->cpl || descriptor_dpl(&descriptor) != emu->cpl)
		return emu_fail(emu, VEC_GP, selector & 0xfffc);
	if (!(descriptor.high & 0x8000))
		return emu_fail(emu, VEC_SS, selector & 0xfffc);
	if (!seg_set_accessed(emu, selector, &descriptor))
		return false;
	seg_unpack(&emu->ctx->seg[CTX_SS], selector, &descriptor);
	seg_changed(emu, CTX_SS);
	seg_note(emu, CTX_SS, selector, &descriptor);
	return true;
}

static bool load_data(struct emu *emu, unsigned sreg, uint16_t selector)
{
	struct descriptor descriptor;
	if (!(selector & 0xfffc)) {
		load_null(emu, sreg, selector);
		return true;
	}
	if (!seg_read_descriptor(emu, selector, &descriptor, VEC_GP))
		return false;
	uint32_t type = descriptor.high >> 8 & 0x1f;
	bool code = (type & 0x18) == 0x18, conforming = code && (type & 4);
	if (!(type & 0x10) || (code && !(type & 2)))
		return emu_fail(emu, VEC_GP, selector & 0xfffc);
	unsigned dpl = descriptor_dpl(&descriptor), rpl = selector & 3;
	if (!conforming && (rpl > dpl || emu->cpl > dpl))
		return emu_fail(emu, VEC_GP, selector & 0xfffc);
	if (!(descriptor.high & 0x8000))
		return emu_fail(emu, VEC_NP, selector & 0xfffc);
	if (!seg_set_accessed(emu, selector, &descriptor))
		return false;
	seg_unpack(&emu->ctx->seg[sreg], selector, &descriptor);
	seg_changed(emu, sreg);
	seg_note(emu, sreg, selector, &descriptor);
	return true;
}

bool seg_load(struct emu *emu, unsigned sreg, uint16_t selector)
{
	if (!emu->protected_mode) {
		seg_load_real(emu, sreg, selector);
		return true;
	}
	return sreg == CTX_SS ? load_stack(emu, selector) : load_data(emu, sreg, selector);
}
