#include "shared/linear.h"

#include <string.h>

#define PTE_P  1u
#define PTE_PS 0x80u

#define PAE_FRAME UINT64_C(0xffffff000)

/* Reads one more entry; false: it is not there or not present. */
static bool step(struct mem *mem, struct linear_walk *walk, uint64_t address, unsigned size)
{
	uint64_t entry = 0;
	address &= mem->a20_mask;
	mem_read_bytes(mem, address, &entry, size);
	walk->level[walk->levels].address = address;
	walk->level[walk->levels++].entry = entry;
	return entry & PTE_P;
}

static uint64_t last_entry(const struct linear_walk *walk)
{
	return walk->level[walk->levels - 1].entry;
}

static void found(struct linear_walk *walk, uint64_t frame, uint32_t page_size, uint32_t linear)
{
	walk->present = true;
	walk->page_size = page_size;
	walk->physical = (frame & ~(uint64_t)(page_size - 1)) | (linear & (page_size - 1));
}

static void walk_32(const struct ctx *ctx, struct mem *mem, uint32_t linear, struct linear_walk *walk)
{
	if (!step(mem, walk, (ctx->cr3 & 0xfffff000) + (linear >> 22) * 4, 4))
		return;
	uint64_t pde = last_entry(walk);
	if ((pde & PTE_PS) && (ctx->cr4 & CTX_CR4_PSE))
		found(walk, (pde & 0xffc00000) | (pde & 0x1e000) << 19, 0x400000, linear);
	else if (step(mem, walk, (pde & 0xfffff000) + (linear >> 12 & 1023) * 4, 4))
		found(walk, last_entry(walk) & 0xfffff000, 0x1000, linear);
}

static void walk_pae(const struct ctx *ctx, struct mem *mem, uint32_t linear, struct linear_walk *walk)
{
	if (!step(mem, walk, (ctx->cr3 & 0xffffffe0) + (linear >> 30) * 8, 8) ||
	    !step(mem, walk, (last_entry(walk) & PAE_FRAME) + (linear >> 21 & 511) * 8, 8))
		return;
	uint64_t pde = last_entry(walk);
	if (pde & PTE_PS)
		found(walk, pde & PAE_FRAME, 0x200000, linear);
	else if (step(mem, walk, (pde & PAE_FRAME) + (linear >> 12 & 511) * 8, 8))
		found(walk, last_entry(walk) & PAE_FRAME, 0x1000, linear);
}

void linear_walk(const struct ctx *ctx, struct mem *mem, uint32_t linear, struct linear_walk *walk)
{
	memset(walk, 0, sizeof *walk);
	if (!(ctx->cr0 & CTX_CR0_PG)) {
		walk->present = true;
		walk->physical = linear;
	} else if (ctx->cr4 & CTX_CR4_PAE) {
		walk_pae(ctx, mem, linear, walk);
	} else {
		walk_32(ctx, mem, linear, walk);
	}
	walk->physical &= mem->a20_mask | ~UINT64_C(0xffffffff);
}

bool linear_translate(const struct ctx *ctx, struct mem *mem, uint32_t linear, uint32_t *physical)
{
	struct linear_walk walk;
	linear_walk(ctx, mem, linear, &walk);
	*physical = (uint32_t)walk.physical;
	return walk.present && walk.physical <= UINT32_MAX;
}

/* The piece of [linear, linear + size) in its first page; 0: not to be had. */
static uint32_t piece(const struct ctx *ctx, struct mem *mem, uint32_t linear, uint32_t size, bool write, uint32_t *physical)
{
	uint32_t left = MEM_PAGE_SIZE - (linear & (MEM_PAGE_SIZE - 1));
	if (size > left)
		size = left;
	if (!linear_translate(ctx, mem, linear, physical) || !mem_is_ram(mem, *physical, size, write))
		return 0;
	return size;
}

uint32_t linear_read(const struct ctx *ctx, struct mem *mem, uint32_t linear, void *to, uint32_t size)
{
	uint32_t done = 0, count, physical;
	while (done < size && (count = piece(ctx, mem, linear + done, size - done, false, &physical))) {
		mem_read_bytes(mem, physical, (uint8_t *)to + done, count);
		done += count;
	}
	return done;
}

uint32_t linear_write(const struct ctx *ctx, struct mem *mem, uint32_t linear, const void *from, uint32_t size)
{
	uint32_t done = 0, count, physical;
	while (done < size && (count = piece(ctx, mem, linear + done, size - done, true, &physical))) {
		mem_write_bytes(mem, physical, (const uint8_t *)from + done, count);
		done += count;
	}
	return done;
}
