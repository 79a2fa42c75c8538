/* The slow path of memory access: every check, every mode. */
#include "emu/access.h"

#include "emu/block.h"
#include "emu/debug.h"
#include "emu/debugger.h"
#include "emu/tracer.h"

static bool segment_fault(struct emu *emu, unsigned seg)
{
	return emu_fail(emu, seg == CTX_SS ? VEC_SS : VEC_GP, 0);
}

/* SDM vol. 3, 5.5. Outside protected mode only the limit counts. */
static bool type_allows(const struct emu *emu, const struct ctx_seg *seg, bool write)
{
	if (!emu->protected_mode)
		return true;
	if (seg->access & CTX_SEG_UNUSABLE)
		return false;
	if (seg->access & CTX_SEG_CODE)
		return !write && (seg->access & CTX_SEG_READABLE);
	return !write || (seg->access & CTX_SEG_WRITABLE);
}

static bool expands_down(const struct ctx_seg *seg)
{
	return (seg->access & (CTX_SEG_CODE | CTX_SEG_DOWN)) == CTX_SEG_DOWN;
}

static bool limit_allows(const struct ctx_seg *seg, uint32_t offset, unsigned size)
{
	uint64_t last = (uint64_t)offset + size - 1;
	if (!expands_down(seg))
		return last <= seg->limit;
	return offset > seg->limit && last <= (seg->access & CTX_SEG_DB ? 0xffffffffu : 0xffffu);
}

bool emu_check_segment(struct emu *emu, unsigned seg, uint32_t offset, unsigned size, bool write, uint32_t *linear)
{
	const struct ctx_seg *segment = &emu->ctx->seg[seg];
	if (!type_allows(emu, segment, write) || !limit_allows(segment, offset, size))
		return segment_fault(emu, seg);
	*linear = (uint32_t)segment->base + offset;
	return true;
}

static bool alignment_checked(const struct emu *emu, unsigned cpl)
{
	return cpl == 3 && (emu->ctx->cr0 & CTX_CR0_AM) && (emu->ctx->rflags & CTX_EFLAGS_AC) &&
	       emu->cpu >= EMU_CPU_486;
}

/* A range of linear memory as physical pieces, one for each page. */
static bool range_translate(struct emu *emu, uint32_t linear, unsigned size, bool write, bool user)
{
	unsigned first = 0x1000 - (linear & 0xfff);
	enum access access = write ? ACCESS_WRITE : ACCESS_READ;
	emu->rmw.size[0] = size <= first ? size : first;
	emu->rmw.size[1] = size - emu->rmw.size[0];
	if (!paging_translate(emu, linear, access, user, &emu->rmw.address[0]))
		return false;
	return !emu->rmw.size[1] ||
	       paging_translate(emu, linear + emu->rmw.size[0], access, user, &emu->rmw.address[1]);
}

/* By sizes, so that what was just stored is loaded as it was: a processor hands it on
 * from store to load. */
static void get_range(struct emu *emu, void *to, unsigned size)
{
	if (!emu->rmw.size[1] && (size == 1 || size == 2 || size == 4)) {
		bytes_store(to, size, (uint32_t)mem_read(emu->mem, emu->rmw.address[0], size));
		return;
	}
	if (!emu->rmw.size[1] && size == 8) {
		uint64_t value = mem_read(emu->mem, emu->rmw.address[0], size);
		memcpy(to, &value, sizeof value);
		return;
	}
	uint8_t *bytes = to;
	for (unsigned part = 0; part < 2; part++)
		for (unsigned i = 0; i < emu->rmw.size[part]; i++)
			*bytes++ = (uint8_t)mem_read(emu->mem, emu->rmw.address[part] + i, 1);
}

static void put_range(struct emu *emu, const void *from, unsigned size)
{
	if (!emu->rmw.size[1] && (size == 1 || size == 2 || size == 4)) {
		mem_write(emu->mem, emu->rmw.address[0], size, bytes_load(from, size));
		return;
	}
	if (!emu->rmw.size[1] && size == 8) {
		uint64_t value;
		memcpy(&value, from, sizeof value);
		mem_write(emu->mem, emu->rmw.address[0], size, value);
		return;
	}
	const uint8_t *bytes = from;
	for (unsigned part = 0; part < 2; part++)
		for (unsigned i = 0; i < emu->rmw.size[part]; i++)
			mem_write(emu->mem, emu->rmw.address[part] + i, 1, *bytes++);
}

static void range_read(struct emu *emu, void *to, unsigned size)
{
	get_range(emu, to, size);
	if (unlikely(emu->special & SPECIAL_WATCH))
		tracer_access(emu, to, size, false);
}

static void range_write(struct emu *emu, const void *from, unsigned size)
{
	put_range(emu, from, size);
	if (unlikely(emu->special & SPECIAL_WATCH))
		tracer_access(emu, from, size, true);
}

static void note_access(struct emu *emu, uint32_t linear, unsigned size, bool write)
{
	if (emu->special & SPECIAL_DR7)
		debug_data_access(emu, linear, size, write);
	if (emu->special & SPECIAL_DEBUGGER)
		debugger_data_access(emu, linear, size, write);
}

/* Segment, alignment and paging checks of a guest access; sets emu.rmw. */
static bool guest_range(struct emu *emu, unsigned seg, uint32_t offset, unsigned size, bool write)
{
	uint32_t linear;
	if (!emu_check_segment(emu, seg, offset, size, write, &linear))
		return false;
	bool natural = size <= 16 && !(size & (size - 1));
	if (natural && unlikely(alignment_checked(emu, emu->cpl)) && (linear & (size - 1)))
		return emu_fail(emu, VEC_AC, 0);
	if (!range_translate(emu, linear, size, write, emu->cpl == 3))
		return false;
	if (unlikely(emu->special & (SPECIAL_DR7 | SPECIAL_DEBUGGER)))
		note_access(emu, linear, size, write);
	return true;
}

/* Data in a page that also holds code, the common case of real-mode programs:
 * as fast as can be when the bytes are no code. NULL: the long way. */
static uint8_t *beside_code(const struct emu *emu, unsigned seg, uint32_t offset, unsigned size)
{
	const struct seg_fast *fast = &emu->seg[seg];
	uint32_t linear = fast->base + offset, physical;
	if ((uint64_t)offset + size > fast->write || (linear & 0xfff) > 0x1000 - size ||
	    !access_physical(emu, linear, true, &physical))
		return NULL;
	if (!(emu->page[physical >> MEM_PAGE_SHIFT] & MEM_WRITE) || block_code_at(emu->cache, physical, size))
		return NULL;
	return emu->flat + physical;
}

uint8_t *emu_plain(const struct emu *emu, unsigned seg, uint32_t offset, unsigned size, bool write)
{
	uint8_t *bytes = access_fast(emu, seg, offset, size, write);
	return bytes || !write ? bytes : beside_code(emu, seg, offset, size);
}

bool emu_read(struct emu *emu, unsigned seg, uint32_t offset, unsigned size, uint32_t *value)
{
	if (!guest_range(emu, seg, offset, size, false))
		return false;
	*value = 0;
	range_read(emu, value, size);
	return true;
}

bool emu_write(struct emu *emu, unsigned seg, uint32_t offset, unsigned size, uint32_t value)
{
	uint8_t *bytes = beside_code(emu, seg, offset, size);
	if (bytes) {
		bytes_store(bytes, size, value);
		return true;
	}
	if (!guest_range(emu, seg, offset, size, true))
		return false;
	range_write(emu, &value, size);
	return true;
}

bool emu_rmw_load(struct emu *emu, unsigned seg, uint32_t offset, unsigned size, uint32_t *value)
{
	if (!guest_range(emu, seg, offset, size, true))
		return false;
	if (unlikely(emu->special & SPECIAL_DEBUGGER))
		debugger_data_access(emu, emu->seg[seg].base + offset, size, false);
	*value = 0;
	range_read(emu, value, size);
	return true;
}

void emu_rmw_store(struct emu *emu, uint32_t value)
{
	range_write(emu, &value, emu->rmw.size[0] + emu->rmw.size[1]);
}

bool emu_read_bytes(struct emu *emu, unsigned seg, uint32_t offset, void *to, unsigned size)
{
	if (!guest_range(emu, seg, offset, size, false))
		return false;
	range_read(emu, to, size);
	return true;
}

bool emu_write_bytes(struct emu *emu, unsigned seg, uint32_t offset, const void *from, unsigned size)
{
	if (!guest_range(emu, seg, offset, size, true))
		return false;
	range_write(emu, from, size);
	return true;
}

bool emu_probe_write(struct emu *emu, unsigned seg, uint32_t offset, unsigned size)
{
	uint32_t linear;
	return emu_check_segment(emu, seg, offset, size, true, &linear) &&
	       range_translate(emu, linear, size, true, emu->cpl == 3);
}

/* Plain memory in one page, while nobody looks; NULL: the long way. */
static uint8_t *linear_fast(const struct emu *emu, uint32_t linear, unsigned size, bool write)
{
	uint32_t physical = linear & emu->a20_mask;
	if (emu->paging || (emu->special & (SPECIAL_WATCH | SPECIAL_DEBUGGER)) || (linear & 0xfff) > 0x1000 - size ||
	    !(emu->page[physical >> MEM_PAGE_SHIFT] & (write ? MEM_WRITE : MEM_READ)))
		return NULL;
	return write && block_code_at(emu->cache, physical, size) ? NULL : emu->flat + physical;
}

static bool linear_read(struct emu *emu, uint32_t linear, unsigned size, uint32_t *value, unsigned cpl)
{
	const uint8_t *bytes = linear_fast(emu, linear, size, false);
	if (bytes) {
		*value = bytes_load(bytes, size);
		return true;
	}
	if (!range_translate(emu, linear, size, false, cpl == 3))
		return false;
	if (unlikely(emu->special & SPECIAL_DEBUGGER))
		debugger_data_access(emu, linear, size, false);
	*value = 0;
	range_read(emu, value, size);
	return true;
}

static bool linear_write(struct emu *emu, uint32_t linear, unsigned size, uint32_t value, unsigned cpl)
{
	uint8_t *bytes = linear_fast(emu, linear, size, true);
	if (bytes) {
		bytes_store(bytes, size, value);
		return true;
	}
	if (!range_translate(emu, linear, size, true, cpl == 3))
		return false;
	if (unlikely(emu->special & SPECIAL_DEBUGGER))
		debugger_data_access(emu, linear, size, true);
	range_write(emu, &value, size);
	return true;
}

static bool stack_aligned(struct emu *emu, uint32_t linear, unsigned size, unsigned cpl)
{
	return !alignment_checked(emu, cpl) || !(linear & (size - 1)) || emu_fail(emu, VEC_AC, 0);
}

static void note_stack(struct emu *emu, uint32_t linear, unsigned size, bool write)
{
	if (unlikely(emu->special & SPECIAL_DR7))
		debug_data_access(emu, linear, size, write);
}

bool emu_stack_read(struct emu *emu, uint32_t linear, unsigned size, uint32_t *value, unsigned cpl)
{
	if (!stack_aligned(emu, linear, size, cpl) || !linear_read(emu, linear, size, value, cpl))
		return false;
	note_stack(emu, linear, size, false);
	return true;
}

bool emu_stack_write(struct emu *emu, uint32_t linear, unsigned size, uint32_t value, unsigned cpl)
{
	if (!stack_aligned(emu, linear, size, cpl) || !linear_write(emu, linear, size, value, cpl))
		return false;
	note_stack(emu, linear, size, true);
	return true;
}

bool emu_check_alignment(struct emu *emu, unsigned seg, uint32_t offset, unsigned align)
{
	uint32_t linear = (uint32_t)emu->ctx->seg[seg].base + offset;
	return !alignment_checked(emu, emu->cpl) || !(linear & (align - 1)) || emu_fail(emu, VEC_AC, 0);
}

bool emu_system_read(struct emu *emu, uint32_t linear, unsigned size, uint32_t *value)
{
	return linear_read(emu, linear, size, value, 0);
}

bool emu_system_write(struct emu *emu, uint32_t linear, unsigned size, uint32_t value)
{
	return linear_write(emu, linear, size, value, 0);
}

bool emu_system_probe(struct emu *emu, uint32_t linear, unsigned size, bool write)
{
	return range_translate(emu, linear, size, write, false);
}
