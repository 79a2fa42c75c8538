/* The fast paths to registers and memory, for instruction bodies. */
#ifndef V2E_EMU_ACCESS_H
#define V2E_EMU_ACCESS_H

#include "emu/cpu.h"

/* `number` as insn.reg and insn.rm hold it. */
static inline uint32_t reg_read(const struct emu *emu, unsigned number, unsigned size)
{
	const union ctx_reg *gpr = emu->ctx->gpr;
	if (size == 1)
		return ((const uint8_t *)gpr)[number];
	return size == 2 ? gpr[number].x : gpr[number].e;
}

static inline void reg_write(struct emu *emu, unsigned number, unsigned size, uint32_t value)
{
	union ctx_reg *gpr = emu->ctx->gpr;
	if (size == 1)
		((uint8_t *)gpr)[number] = (uint8_t)value;
	else if (size == 2)
		gpr[number].x = (uint16_t)value;
	else
		gpr[number].e = value;
}

/* Offset of the memory operand. */
static inline uint32_t insn_address(const struct emu *emu, const struct insn *insn)
{
	const char *ctx = (const char *)emu->ctx;
	uint32_t base, index;
	memcpy(&base, ctx + insn->base, sizeof base);
	memcpy(&index, ctx + insn->index, sizeof index);
	return (base + (index << insn->scale) + insn->disp) & insn->addr_mask;
}

static inline bool access_physical(const struct emu *emu, uint32_t linear, bool write, uint32_t *physical)
{
	if (likely(!emu->paging)) {
		*physical = linear & emu->a20_mask;
		return true;
	}
	const struct tlb_entry *entry = &emu->tlb[emu->cpl == 3][linear >> 12 & (TLB_ENTRIES - 1)];
	uint32_t tag = write ? entry->write_tag : entry->read_tag;
	*physical = (uint32_t)entry->page | (linear & 0xfff);
	return tag == ((linear & ~0xfffu) | 1) && !(entry->page >> 32);
}

/* Host address of the bytes when they are plain memory in one page and the
 * segment allows the access without a closer look; else NULL. */
static inline uint8_t *access_fast(const struct emu *emu, unsigned seg, uint32_t offset, unsigned size, bool write)
{
	const struct seg_fast *fast = &emu->seg[seg];
	uint32_t linear = fast->base + offset, physical;
	if (unlikely((uint64_t)offset + size > (write ? fast->write : fast->read)))
		return NULL;
	if (unlikely((linear & 0xfff) > 0x1000 - size))
		return NULL;
	if (unlikely(!access_physical(emu, linear, write, &physical)))
		return NULL;
	uint8_t flags = emu->page[physical >> MEM_PAGE_SHIFT];
	if (write ? (flags & (MEM_WRITE | MEM_CODE)) != MEM_WRITE : !(flags & MEM_READ))
		return NULL;
	return emu->flat + physical;
}

/* `size` 1, 2 or 4: where it is no constant, a branch is cheaper than a call. */
static inline uint32_t bytes_load(const uint8_t *bytes, unsigned size)
{
	uint16_t word;
	uint32_t value;
	if (size == 1)
		return *bytes;
	if (size == 2) {
		memcpy(&word, bytes, sizeof word);
		return word;
	}
	memcpy(&value, bytes, sizeof value);
	return value;
}

static inline void bytes_store(uint8_t *bytes, unsigned size, uint32_t value)
{
	if (size == 1)
		*bytes = (uint8_t)value;
	else if (size == 2)
		memcpy(bytes, &value, 2);
	else
		memcpy(bytes, &value, 4);
}

static inline bool mem_load(struct emu *emu, unsigned seg, uint32_t offset, unsigned size, uint32_t *value)
{
	const uint8_t *bytes = access_fast(emu, seg, offset, size, false);
	if (unlikely(!bytes))
		return emu_read(emu, seg, offset, size, value);
	*value = bytes_load(bytes, size);
	return true;
}

static inline bool mem_store(struct emu *emu, unsigned seg, uint32_t offset, unsigned size, uint32_t value)
{
	uint8_t *bytes = access_fast(emu, seg, offset, size, true);
	if (unlikely(!bytes))
		return emu_write(emu, seg, offset, size, value);
	bytes_store(bytes, size, value);
	return true;
}

/* The rm operand, register or memory. */
static inline bool rm_load(struct emu *emu, const struct insn *insn, unsigned size, uint32_t *value)
{
	if (insn->is_memory)
		return mem_load(emu, insn->seg, insn_address(emu, insn), size, value);
	*value = reg_read(emu, insn->rm, size);
	return true;
}

static inline bool rm_store(struct emu *emu, const struct insn *insn, unsigned size, uint32_t value)
{
	if (insn->is_memory)
		return mem_store(emu, insn->seg, insn_address(emu, insn), size, value);
	reg_write(emu, insn->rm, size, value);
	return true;
}

/* Read-modify-write of the rm operand: load checks for the write, store cannot
 * fail. Nothing may fault or change emu.rmw in between. */
static inline bool rm_rmw_load(struct emu *emu, const struct insn *insn, unsigned size, uint32_t *value)
{
	if (insn->is_memory)
		return emu_rmw_load(emu, insn->seg, insn_address(emu, insn), size, value);
	*value = reg_read(emu, insn->rm, size);
	return true;
}

static inline void rm_rmw_store(struct emu *emu, const struct insn *insn, unsigned size, uint32_t value)
{
	if (insn->is_memory)
		emu_rmw_store(emu, value);
	else
		reg_write(emu, insn->rm, size, value);
}

/* --- the stack ----------------------------------------------------------------- */

static inline uint32_t stack_pointer(const struct emu *emu)
{
	return emu->ctx->gpr[CTX_RSP].e & emu->stack_mask;
}

static inline void stack_set_pointer(struct emu *emu, uint32_t value)
{
	uint32_t old = emu->ctx->gpr[CTX_RSP].e;
	emu->ctx->gpr[CTX_RSP].e = (old & ~emu->stack_mask) | (value & emu->stack_mask);
}

static inline bool stack_push(struct emu *emu, unsigned size, uint32_t value)
{
	uint32_t sp = (stack_pointer(emu) - size) & emu->stack_mask;
	if (!mem_store(emu, CTX_SS, sp, size, value))
		return false;
	stack_set_pointer(emu, sp);
	return true;
}

/* Reads the stack `at` bytes above its top without moving it. */
static inline bool stack_peek(struct emu *emu, uint32_t at, unsigned size, uint32_t *value)
{
	return mem_load(emu, CTX_SS, (stack_pointer(emu) + at) & emu->stack_mask, size, value);
}

static inline bool stack_pop(struct emu *emu, unsigned size, uint32_t *value)
{
	if (!stack_peek(emu, 0, size, value))
		return false;
	stack_set_pointer(emu, stack_pointer(emu) + size);
	return true;
}

/* IP for a near transfer, cut to the operand size. */
static inline uint32_t ip_cut(uint32_t ip, unsigned size) { return size == 2 ? ip & 0xffff : ip; }

/* Near transfer: #GP(0) when the target is outside the code segment. */
static inline bool ip_valid(struct emu *emu, uint32_t ip)
{
	return likely(ip < emu->code_limit) || emu_fail(emu, VEC_GP, 0);
}

#endif
