#include "shared/linear.h"

#include <string.h>

#define PTE_P  1u
#define PTE_PS 0x80u

/* Of a processor with PAE, and of one with long mode. */
#define PAE_FRAME  UINT64_C(0xffffff000)
#define LONG_FRAME UINT64_C(0xffffffffff000)

static bool is_long(const struct ctx *ctx)
{
	return ctx->efer & CTX_EFER_LMA;
}

/* Reads one more entry, which stands for `span` bytes; false: it is not there or not
 * present. */
static bool step(struct mem *mem, struct linear_walk *walk, uint64_t address, unsigned size, uint64_t span)
{
	uint64_t entry = 0;
	address &= mem->a20_mask | ~UINT64_C(0xffffffff);
	if (address + size <= MEM_SPACE)
		mem_read_bytes(mem, address, &entry, size);
	walk->level[walk->levels].address = address;
	walk->level[walk->levels++].entry = entry;
	walk->span = span;
	return entry & PTE_P;
}

static uint64_t last_entry(const struct linear_walk *walk)
{
	return walk->level[walk->levels - 1].entry;
}

static void found(struct linear_walk *walk, uint64_t frame, uint64_t linear)
{
	walk->present = true;
	walk->physical = (frame & ~(walk->span - 1)) | (linear & (walk->span - 1));
}

static void walk_32(const struct ctx *ctx, struct mem *mem, uint32_t linear, struct linear_walk *walk)
{
	if (!step(mem, walk, (ctx->cr3 & 0xfffff000) + (linear >> 22) * 4, 4, 0x400000))
		return;
	uint64_t pde = last_entry(walk);
	if ((pde & PTE_PS) && (ctx->cr4 & CTX_CR4_PSE))
		found(walk, (pde & 0xffc00000) | (pde & 0x1e000) << 19, linear);
	else if (step(mem, walk, (pde & 0xfffff000) + (linear >> 12 & 1023) * 4, 4, 0x1000))
		found(walk, last_entry(walk) & 0xfffff000, linear);
}

static unsigned levels_of(const struct ctx *ctx)
{
	if (!is_long(ctx))
		return 3;
	return ctx->cr4 & CTX_CR4_LA57 ? 5 : 4;
}

/* PAE and long mode. A page is what the last level names, or the one or two before it by
 * PS; the outermost table of PAE knows no PS. */
static void walk_wide(const struct ctx *ctx, struct mem *mem, uint64_t linear, struct linear_walk *walk)
{
	uint64_t frame = is_long(ctx) ? LONG_FRAME : PAE_FRAME;
	uint64_t table = is_long(ctx) ? ctx->cr3 & frame : ctx->cr3 & 0xffffffe0;
	for (unsigned level = levels_of(ctx); level; level--) {
		unsigned shift = 12 + 9 * (level - 1);
		if (!step(mem, walk, table + (linear >> shift & 511) * 8, 8, UINT64_C(1) << shift))
			return;
		table = last_entry(walk) & frame;
		bool large = (last_entry(walk) & PTE_PS) && (level == 2 || (level == 3 && is_long(ctx)));
		if (level == 1 || large) {
			found(walk, table, linear);
			return;
		}
	}
}

/* SDM vol. 1, 3.3.7.1: the bits that are not translated repeat the last that is. */
static bool is_address(const struct ctx *ctx, uint64_t linear)
{
	unsigned unused = is_long(ctx) ? 64 - (12 + 9 * levels_of(ctx)) : 32;
	return is_long(ctx) ? (uint64_t)((int64_t)(linear << unused) >> unused) == linear : linear <= UINT32_MAX;
}

void linear_walk(const struct ctx *ctx, struct mem *mem, uint64_t linear, struct linear_walk *walk)
{
	memset(walk, 0, sizeof *walk);
	if (!is_address(ctx, linear))
		return;
	if (!(ctx->cr0 & CTX_CR0_PG)) {
		walk->present = true;
		walk->physical = linear;
	} else if (ctx->cr4 & CTX_CR4_PAE) {
		walk_wide(ctx, mem, linear, walk);
	} else {
		walk_32(ctx, mem, (uint32_t)linear, walk);
	}
	walk->physical &= mem->a20_mask | ~UINT64_C(0xffffffff);
}

bool linear_translate(const struct ctx *ctx, struct mem *mem, uint64_t linear, uint32_t *physical)
{
	struct linear_walk walk;
	linear_walk(ctx, mem, linear, &walk);
	*physical = (uint32_t)walk.physical;
	return walk.present && walk.physical <= UINT32_MAX;
}

uint64_t linear_wrap(const struct ctx *ctx, uint64_t linear)
{
	return is_long(ctx) ? linear : (uint32_t)linear;
}

/* The piece of [linear, linear + size) in its first page; 0: not to be had. */
static uint32_t piece(const struct ctx *ctx, struct mem *mem, uint64_t linear, uint32_t size, bool write, uint32_t *physical)
{
	uint32_t left = MEM_PAGE_SIZE - (uint32_t)(linear & (MEM_PAGE_SIZE - 1));
	if (size > left)
		size = left;
	if (!linear_translate(ctx, mem, linear, physical) || !mem_is_ram(mem, *physical, size, write))
		return 0;
	return size;
}

uint32_t linear_read(const struct ctx *ctx, struct mem *mem, uint64_t linear, void *to, uint32_t size)
{
	uint32_t done = 0, count, physical;
	while (done < size && (count = piece(ctx, mem, linear_wrap(ctx, linear + done), size - done, false, &physical))) {
		mem_read_bytes(mem, physical, (uint8_t *)to + done, count);
		done += count;
	}
	return done;
}

uint32_t linear_write(const struct ctx *ctx, struct mem *mem, uint64_t linear, const void *from, uint32_t size)
{
	uint32_t done = 0, count, physical;
	while (done < size && (count = piece(ctx, mem, linear_wrap(ctx, linear + done), size - done, true, &physical))) {
		mem_write_bytes(mem, physical, (const uint8_t *)from + done, count);
		done += count;
	}
	return done;
}
