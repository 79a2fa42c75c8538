/* Hardware task switches, and what else the TSS is asked for (SDM vol. 3, chapter 7). */
#include "emu/access.h"
#include "emu/flags.h"

/* One layout for both formats: offsets of the fields, their width. */
struct tss_layout {
	uint8_t size;       /* of a general field: 2 or 4 */
	uint8_t limit;      /* the least that TR.limit may be */
	uint8_t stack;      /* of ESP0; SS0 lies `size` behind it */
	uint8_t cr3, ip, flags, registers, segments, ldt, trap;
	uint8_t segment_count;
	uint8_t segment_step;
};

static const struct tss_layout tss16 = {
	.size = 2, .limit = 0x2b, .stack = 2, .ip = 0x0e, .flags = 0x10, .registers = 0x12,
	.segments = 0x22, .ldt = 0x2a, .segment_count = 4, .segment_step = 2,
};
static const struct tss_layout tss32 = {
	.size = 4, .limit = 0x67, .stack = 4, .cr3 = 0x1c, .ip = 0x20, .flags = 0x24, .registers = 0x28,
	.segments = 0x48, .ldt = 0x60, .trap = 0x64, .segment_count = 6, .segment_step = 4,
};

static const struct tss_layout *layout_of(uint32_t type) { return type & 8 ? &tss32 : &tss16; }

/* --- the current TSS ------------------------------------------------------------------------ */

bool task_stack(struct emu *emu, unsigned cpl, uint16_t *ss, uint32_t *esp)
{
	const struct ctx_seg *tr = &emu->ctx->seg[CTX_TR];
	const struct tss_layout *layout = layout_of(tr->access & CTX_SEG_TYPE);
	uint32_t at = layout->stack + 2u * layout->size * cpl, selector;
	if (at + layout->size + 1 > tr->limit)
		return emu_fail(emu, VEC_TS, tr->selector & 0xfffc);
	if (!emu_system_read(emu, (uint32_t)tr->base + at, layout->size, esp) ||
	    !emu_system_read(emu, (uint32_t)tr->base + at + layout->size, 2, &selector))
		return false;
	*ss = (uint16_t)selector;
	return true;
}

static bool has_bitmap(const struct ctx_seg *tr)
{
	return (tr->access & CTX_SEG_TYPE & 8) && tr->limit >= 0x67;
}

bool task_io_allowed(struct emu *emu, uint16_t port, unsigned size)
{
	const struct ctx_seg *tr = &emu->ctx->seg[CTX_TR];
	uint32_t map, bits;
	if (!(emu->ctx->cr0 & CTX_CR0_PE) || (!emu->vm86 && emu->cpl <= (emu->ctx->rflags >> 12 & 3)))
		return true;
	if (!has_bitmap(tr))
		return emu_fail(emu, VEC_GP, 0);
	if (!emu_system_read(emu, (uint32_t)tr->base + 0x66, 2, &map))
		return false;
	uint32_t at = map + port / 8u;
	if (at + 1 > tr->limit)
		return emu_fail(emu, VEC_GP, 0);
	if (!emu_system_read(emu, (uint32_t)tr->base + at, 2, &bits))
		return false;
	uint32_t wanted = ((1u << size) - 1) << (port & 7);
	return !(bits & wanted) || emu_fail(emu, VEC_GP, 0);
}

/* The 32 bytes before the I/O bitmap. Outside the TSS counts as set. */
bool task_redirect_bit(struct emu *emu, uint8_t vector, bool *bit)
{
	const struct ctx_seg *tr = &emu->ctx->seg[CTX_TR];
	uint32_t map, bits;
	*bit = true;
	if (!has_bitmap(tr))
		return true;
	if (!emu_system_read(emu, (uint32_t)tr->base + 0x66, 2, &map))
		return false;
	uint32_t at = map - 32 + vector / 8u;
	if (at > tr->limit)
		return true;
	if (!emu_system_read(emu, (uint32_t)tr->base + at, 1, &bits))
		return false;
	*bit = bits >> (vector & 7) & 1;
	return true;
}

/* --- the switch -------------------------------------------------------------------------------- */

struct task_state {
	uint32_t cr3, ip, flags, registers[8], segments[6], ldt, trap;
};

static bool read_state(struct emu *emu, uint32_t base, const struct tss_layout *layout, struct task_state *state)
{
	memset(state, 0, sizeof *state);
	if (!emu_system_read(emu, base + layout->ip, layout->size, &state->ip) ||
	    !emu_system_read(emu, base + layout->flags, layout->size, &state->flags) ||
	    !emu_system_read(emu, base + layout->ldt, 2, &state->ldt))
		return false;
	for (unsigned i = 0; i < 8; i++)
		if (!emu_system_read(emu, base + layout->registers + i * layout->size, layout->size, &state->registers[i]))
			return false;
	for (unsigned i = 0; i < layout->segment_count; i++)
		if (!emu_system_read(emu, base + layout->segments + i * layout->segment_step, 2, &state->segments[i]))
			return false;
	if (layout == &tss16)
		return true;
	return emu_system_read(emu, base + layout->cr3, 4, &state->cr3) &&
	       emu_system_read(emu, base + layout->trap, 2, &state->trap);
}

static void save_state(struct emu *emu, uint32_t base, const struct tss_layout *layout, uint32_t ip, uint32_t flags)
{
	const struct ctx *ctx = emu->ctx;
	emu_system_write(emu, base + layout->ip, layout->size, ip);
	emu_system_write(emu, base + layout->flags, layout->size, flags);
	for (unsigned i = 0; i < 8; i++)
		emu_system_write(emu, base + layout->registers + i * layout->size, layout->size, ctx->gpr[i].e);
	for (unsigned i = 0; i < layout->segment_count; i++)
		emu_system_write(emu, base + layout->segments + i * layout->segment_step, 2, ctx->seg[i].selector);
}

/* The descriptor of the new TSS, with the checks of the cause. */
static bool read_tss(struct emu *emu, enum task_cause cause, uint16_t selector, struct descriptor *descriptor)
{
	enum vector vector = cause == TASK_IRET ? VEC_TS : VEC_GP;
	uint32_t error = (selector & 0xfffc) | (cause == TASK_INTERRUPT);
	if ((selector & 4) || !(selector & 0xfffc))
		return emu_fail(emu, vector, error);
	if (!seg_read_descriptor(emu, selector, descriptor, vector)) {
		if (emu->fault.vector == vector)
			emu->fault.error = error;
		return false;
	}
	unsigned type = descriptor->high >> 8 & 0x1f, wanted = cause == TASK_IRET ? 3 : 1;
	if ((type & 0x17) != wanted)
		return emu_fail(emu, vector, error);
	if (!(descriptor->high & 0x8000))
		return emu_fail(emu, VEC_NP, error);
	return descriptor_limit(descriptor) >= layout_of(type)->limit || emu_fail(emu, VEC_TS, error);
}

static uint32_t descriptor_at(const struct emu *emu, uint16_t selector)
{
	return (uint32_t)emu->ctx->gdtr.base + (selector & 0xfff8);
}

static bool set_busy(struct emu *emu, uint16_t selector, bool busy)
{
	uint32_t at = descriptor_at(emu, selector) + 4, high;
	return emu_system_read(emu, at, 4, &high) &&
	       emu_system_write(emu, at, 4, busy ? high | 0x200 : high & ~0x200u);
}

static bool in_new_task(struct emu *emu, bool ok)
{
	if (!ok)
		emu->fault.keep_ip = true;
	return ok;
}

static bool load_ldt(struct emu *emu, uint16_t selector)
{
	struct ctx_seg *ldtr = &emu->ctx->seg[CTX_LDTR];
	struct descriptor descriptor;
	ldtr->selector = selector;
	ldtr->access |= CTX_SEG_UNUSABLE;
	if (!(selector & 0xfffc))
		return true;
	if (selector & 4)
		return emu_fail(emu, VEC_TS, selector & 0xfffc);
	if (!seg_read_descriptor(emu, selector, &descriptor, VEC_TS))
		return false;
	if ((descriptor.high >> 8 & 0x9f) != 0x82)
		return emu_fail(emu, VEC_TS, selector & 0xfffc);
	seg_unpack(ldtr, selector, &descriptor);
	return true;
}

static bool load_task_code(struct emu *emu, uint16_t selector)
{
	struct descriptor code;
	uint32_t error = selector & 0xfffc;
	unsigned rpl = selector & 3;
	if (!error)
		return emu_fail(emu, VEC_TS, error);
	if (!seg_read_descriptor(emu, selector, &code, VEC_TS))
		return false;
	unsigned dpl = code.high >> 13 & 3;
	bool conforming = code.high & 0x400, is_code = (code.high & 0x1800) == 0x1800;
	if (!is_code || (conforming ? dpl > rpl : dpl != rpl))
		return emu_fail(emu, VEC_TS, error);
	if (!(code.high & 0x8000))
		return emu_fail(emu, VEC_NP, error);
	return code_load(emu, selector, &code, rpl);
}

/* A segment load of the new task: what was #GP is #TS here. */
static bool load_task_segment(struct emu *emu, unsigned sreg, uint16_t selector)
{
	if (seg_load(emu, sreg, selector))
		return true;
	if (emu->fault.vector == VEC_GP)
		emu->fault.vector = VEC_TS;
	return false;
}

static bool load_task_segments(struct emu *emu, const struct task_state *state)
{
	static const uint8_t order[] = { CTX_SS, CTX_ES, CTX_DS, CTX_FS, CTX_GS };
	if (emu->vm86) {
		for (unsigned sreg = 0; sreg < CTX_LDTR; sreg++)
			seg_load_real(emu, sreg, (uint16_t)state->segments[sreg]);
		emu_mode_changed(emu);
		return true;
	}
	if (!load_task_code(emu, (uint16_t)state->segments[CTX_CS]))
		return false;
	for (unsigned i = 0; i < sizeof order; i++)
		if (!load_task_segment(emu, order[i], (uint16_t)state->segments[order[i]]))
			return false;
	return true;
}

/* All segments are unusable until each has been loaded in the new task. What faults
 * before SS has been loaded is delivered as from ring 3, with the stack of the handler's
 * ring from the new TSS: SS cannot be pushed on (SDM vol. 3, 7.3 and 6.15, interrupt 10,
 * ask for a handler that relies on no segment register; Bochs does it like this). */
static void forget_segments(struct emu *emu, const struct task_state *state)
{
	for (unsigned sreg = 0; sreg < CTX_LDTR; sreg++) {
		struct ctx_seg *seg = &emu->ctx->seg[sreg];
		seg->selector = (uint16_t)state->segments[sreg];
		seg->access |= CTX_SEG_UNUSABLE;
	}
	emu->ctx->seg[CTX_SS].access |= CTX_SEG_DPL;
}

/* Everything that cannot fault. */
static bool load_registers(struct emu *emu, const struct task_state *state, const struct tss_layout *layout)
{
	struct ctx *ctx = emu->ctx;
	if (layout == &tss32 && emu->paging && ctx->cr3 != state->cr3) {
		ctx->cr3 = state->cr3;
		if (emu->pae && !paging_load_pdptes(emu))
			return false;
		paging_flush(emu);
	}
	ctx->rip = state->ip;
	for (unsigned i = 0; i < 8; i++)
		ctx->gpr[i].e = layout == &tss32 ? state->registers[i] : 0xffff0000u | state->registers[i];
	uint32_t flags = layout == &tss32 ? state->flags : state->flags & 0xffff;
	eflags_set(emu, flags & 0x003f7fd5u);
	ctx->dr7 &= ~0x155ull;
	ctx->cr0 |= CTX_CR0_TS;
	forget_segments(emu, state);
	emu_mode_changed(emu);
	emu_flags_changed(emu);
	emu_special_changed(emu);
	return true;
}

static void trap_if_asked(struct emu *emu, const struct task_state *state)
{
	if (!(state->trap & 1))
		return;
	emu->ctx->pending_db |= 0x8000; /* DR6.BT */
	emu->special |= SPECIAL_DB;
}

static bool push_task_error(struct emu *emu, const struct tss_layout *layout, uint32_t error)
{
	return stack_push(emu, layout->size, error);
}

static bool is_nested(enum task_cause cause)
{
	return cause == TASK_CALL || cause == TASK_INTERRUPT || cause == TASK_SOFT_INTERRUPT;
}

/* Old task out: busy bit, state, link. Writes are probed before the first one. */
static bool leave_task(struct emu *emu, enum task_cause cause, uint16_t selector, const struct descriptor *tss, uint32_t next_ip)
{
	struct ctx *ctx = emu->ctx;
	struct ctx_seg *tr = &ctx->seg[CTX_TR];
	const struct tss_layout *old = layout_of(tr->access & CTX_SEG_TYPE);
	uint32_t flags = eflags_get(emu);
	bool nested = is_nested(cause);
	if (!emu_system_probe(emu, (uint32_t)tr->base, old->limit + 1u, true) ||
	    !emu_system_probe(emu, descriptor_at(emu, tr->selector), 8, true) ||
	    !emu_system_probe(emu, descriptor_at(emu, selector), 8, true) ||
	    (nested && !emu_system_probe(emu, descriptor_base(tss), 2, true)))
		return false;
	if (!nested && !set_busy(emu, tr->selector, false))
		return false;
	if (cause == TASK_IRET)
		flags &= ~CTX_EFLAGS_NT;
	save_state(emu, (uint32_t)tr->base, old, next_ip, flags);
	if (nested)
		emu_system_write(emu, descriptor_base(tss), 2, tr->selector);
	return cause == TASK_IRET || set_busy(emu, selector, true);
}

bool task_switch(struct emu *emu, enum task_cause cause, uint16_t selector, uint32_t next_ip, bool has_error, uint32_t error)
{
	struct descriptor tss;
	struct task_state state;
	if (!read_tss(emu, cause, selector, &tss))
		return false;
	const struct tss_layout *layout = layout_of(tss.high >> 8);
	if (!read_state(emu, descriptor_base(&tss), layout, &state) ||
	    !leave_task(emu, cause, selector, &tss, next_ip))
		return false;
	if (is_nested(cause))
		state.flags |= CTX_EFLAGS_NT;
	seg_unpack(&emu->ctx->seg[CTX_TR], selector, &tss);
	emu->ctx->seg[CTX_TR].access |= 2;
	if (!in_new_task(emu, load_registers(emu, &state, layout)) ||
	    !in_new_task(emu, load_ldt(emu, (uint16_t)state.ldt)) ||
	    !in_new_task(emu, load_task_segments(emu, &state))) {
		emu_mode_changed(emu); /* CPL by SS */
		return false;
	}
	if (has_error && !in_new_task(emu, push_task_error(emu, layout, error)))
		return false;
	trap_if_asked(emu, &state);
	return in_new_task(emu, ip_valid(emu, (uint32_t)emu->ctx->rip));
}
