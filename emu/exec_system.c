/* Descriptor-table registers and the instructions that look at descriptors. */
#include "emu/access.h"
#include "emu/bodies.h"
#include "emu/flags.h"

static bool privileged(struct emu *emu) { return emu->cpl == 0 || emu_fail(emu, VEC_GP, 0); }

/* A 16-bit operand size loads and (286 fashion) stores 24 bits of base. */
static enum exec load_table(struct emu *emu, const struct insn *insn, struct ctx_table *table)
{
	uint32_t offset = insn_address(emu, insn), limit, base;
	if (!privileged(emu) || !mem_load(emu, insn->seg, offset, 2, &limit) ||
	    !mem_load(emu, insn->seg, (offset + 2) & insn->addr_mask, 4, &base))
		return EXEC_FAULT;
	table->limit = limit;
	table->base = insn->size == 2 ? base & 0xffffff : base;
	return EXEC_NEXT;
}

/* SGDT and SIDT store all 32 bits of the base in either operand size, as every
 * chip since the 386 does. */
static enum exec store_table(struct emu *emu, const struct insn *insn, const struct ctx_table *table)
{
	uint32_t offset = insn_address(emu, insn);
	if (!emu_probe_write(emu, insn->seg, (offset + 2) & insn->addr_mask, 4) ||
	    !mem_store(emu, insn->seg, offset, 2, table->limit) ||
	    !mem_store(emu, insn->seg, (offset + 2) & insn->addr_mask, 4, (uint32_t)table->base))
		return EXEC_FAULT;
	return EXEC_NEXT;
}

enum exec exec_lgdt(struct emu *emu, const struct insn *insn) { return load_table(emu, insn, &emu->ctx->gdtr); }
enum exec exec_lidt(struct emu *emu, const struct insn *insn) { return load_table(emu, insn, &emu->ctx->idtr); }
enum exec exec_sgdt(struct emu *emu, const struct insn *insn) { return store_table(emu, insn, &emu->ctx->gdtr); }
enum exec exec_sidt(struct emu *emu, const struct insn *insn) { return store_table(emu, insn, &emu->ctx->idtr); }

static bool in_protected_mode(struct emu *emu)
{
	if (emu->protected_mode)
		return true;
	emu_raise(emu, VEC_UD);
	return false;
}

/* System descriptor for LLDT and LTR. */
static bool system_descriptor(struct emu *emu, uint16_t selector, uint32_t types, struct descriptor *descriptor)
{
	if ((selector & 4) || !(selector & 0xfffc))
		return emu_fail(emu, VEC_GP, selector & 0xfffc);
	if (!seg_read_descriptor(emu, selector, descriptor, VEC_GP))
		return false;
	if ((descriptor->high & 0x1000) || !(types >> (descriptor->high >> 8 & 15) & 1))
		return emu_fail(emu, VEC_GP, selector & 0xfffc);
	return descriptor->high & 0x8000 || emu_fail(emu, VEC_NP, selector & 0xfffc);
}

enum exec exec_lldt(struct emu *emu, const struct insn *insn)
{
	struct descriptor descriptor;
	uint32_t selector;
	if (!in_protected_mode(emu) || !privileged(emu) || !rm_load(emu, insn, 2, &selector))
		return EXEC_FAULT;
	struct ctx_seg *ldtr = &emu->ctx->seg[CTX_LDTR];
	if (!(selector & 0xfffc)) {
		ldtr->selector = (uint16_t)selector;
		ldtr->access |= CTX_SEG_UNUSABLE;
		return EXEC_NEXT;
	}
	if (!system_descriptor(emu, (uint16_t)selector, 1u << 2, &descriptor))
		return EXEC_FAULT;
	seg_unpack(ldtr, (uint16_t)selector, &descriptor);
	return EXEC_NEXT;
}

/* The descriptor becomes busy, in memory and in TR. */
enum exec exec_ltr(struct emu *emu, const struct insn *insn)
{
	struct descriptor descriptor;
	uint32_t selector;
	if (!in_protected_mode(emu) || !privileged(emu) || !rm_load(emu, insn, 2, &selector) ||
	    !system_descriptor(emu, (uint16_t)selector, 1u << 1 | 1u << 9, &descriptor))
		return EXEC_FAULT;
	descriptor.high |= 0x200;
	if (!emu_system_write(emu, (uint32_t)emu->ctx->gdtr.base + (selector & 0xfff8) + 4, 4, descriptor.high))
		return EXEC_FAULT;
	seg_unpack(&emu->ctx->seg[CTX_TR], (uint16_t)selector, &descriptor);
	return EXEC_NEXT;
}

/* A register gets the selector zero-extended, memory a word. */
static enum exec store_selector(struct emu *emu, const struct insn *insn, uint16_t selector)
{
	if (!in_protected_mode(emu))
		return EXEC_FAULT;
	return rm_store(emu, insn, insn->is_memory ? 2 : insn->size, selector) ? EXEC_NEXT : EXEC_FAULT;
}

enum exec exec_sldt(struct emu *emu, const struct insn *insn)
{
	return store_selector(emu, insn, emu->ctx->seg[CTX_LDTR].selector);
}

enum exec exec_str(struct emu *emu, const struct insn *insn)
{
	return store_selector(emu, insn, emu->ctx->seg[CTX_TR].selector);
}

/* Memory is only written, and has to be writable, when the RPL is raised. */
enum exec exec_arpl(struct emu *emu, const struct insn *insn)
{
	uint32_t target, source = reg_read(emu, insn->reg, 2);
	if (!in_protected_mode(emu) || !rm_load(emu, insn, 2, &target))
		return EXEC_FAULT;
	bool raise = (target & 3) < (source & 3);
	if (raise && !rm_store(emu, insn, 2, (target & ~3u) | (source & 3)))
		return EXEC_FAULT;
	flags_set_zf(emu, raise);
	return EXEC_NEXT;
}

/* A descriptor for LAR, LSL, VERR, VERW, where an unfit selector only clears ZF.
 * 0: unfit, 1: found, -1: page fault. */
static int inspect(struct emu *emu, uint16_t selector, struct descriptor *descriptor)
{
	if (!(selector & 0xfffc))
		return 0;
	if (seg_read_descriptor(emu, selector, descriptor, VEC_GP))
		return 1;
	return emu->fault.vector == VEC_GP ? 0 : -1;
}

static bool is_visible(const struct emu *emu, uint16_t selector, const struct descriptor *descriptor)
{
	unsigned dpl = descriptor->high >> 13 & 3, rpl = selector & 3;
	bool conforming = (descriptor->high & 0x1c00) == 0x1c00;
	return conforming || (emu->cpl <= dpl && rpl <= dpl);
}

/* System types that LAR and LSL accept (SDM vol. 2, tables 3-53 and 3-55). */
#define LAR_TYPES 0x1a3eu /* 1-5, 9, B, C */
#define LSL_TYPES 0x0a0eu /* 1-3, 9, B */

static enum exec load_about(struct emu *emu, const struct insn *insn, bool limit)
{
	struct descriptor descriptor;
	uint32_t selector;
	if (!in_protected_mode(emu) || !rm_load(emu, insn, 2, &selector))
		return EXEC_FAULT;
	int found = inspect(emu, (uint16_t)selector, &descriptor);
	if (found < 0)
		return EXEC_FAULT;
	bool fits = found && is_visible(emu, (uint16_t)selector, &descriptor);
	if (fits && !(descriptor.high & 0x1000))
		fits = (limit ? LSL_TYPES : LAR_TYPES) >> (descriptor.high >> 8 & 15) & 1;
	flags_set_zf(emu, fits);
	if (fits)
		reg_write(emu, insn->reg, insn->size, limit ? descriptor_limit(&descriptor) : descriptor.high & 0xffff00);
	return EXEC_NEXT;
}

enum exec exec_lar(struct emu *emu, const struct insn *insn) { return load_about(emu, insn, false); }
enum exec exec_lsl(struct emu *emu, const struct insn *insn) { return load_about(emu, insn, true); }

static enum exec verify(struct emu *emu, const struct insn *insn, bool write)
{
	struct descriptor descriptor = { 0 };
	uint32_t selector;
	if (!in_protected_mode(emu) || !rm_load(emu, insn, 2, &selector))
		return EXEC_FAULT;
	int found = inspect(emu, (uint16_t)selector, &descriptor);
	if (found < 0)
		return EXEC_FAULT;
	bool fits = found && (descriptor.high & 0x1000) && is_visible(emu, (uint16_t)selector, &descriptor);
	bool code = descriptor.high & 0x800, second = descriptor.high & 0x200;
	flags_set_zf(emu, fits && (write ? !code && second : !code || second));
	return EXEC_NEXT;
}

enum exec exec_verr(struct emu *emu, const struct insn *insn) { return verify(emu, insn, false); }
enum exec exec_verw(struct emu *emu, const struct insn *insn) { return verify(emu, insn, true); }
