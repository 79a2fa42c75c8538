/* Linear addresses by the context's page tables (SDM vol. 3, 4.3 to 4.5), for
 * debuggers: 32-bit, PAE, 4-level and 5-level paging. Sets no accessed bits, knows no rights. */
#ifndef V2E_SHARED_LINEAR_H
#define V2E_SHARED_LINEAR_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/ctx.h"
#include "shared/mem.h"

#define LINEAR_LEVELS 5u

/* What a walk saw, from the outermost table on. */
struct linear_walk {
	unsigned levels;
	struct {
		uint64_t address; /* physical, of the entry */
		uint64_t entry;
	} level[LINEAR_LEVELS];
	bool present;
	uint64_t physical;    /* A20 applied */
	uint64_t span;        /* bytes that the last entry stands for; 0 without paging */
};

void linear_walk(const struct ctx *ctx, struct mem *mem, uint64_t linear, struct linear_walk *walk);

/* False: nothing is mapped there, or past 4 GiB. */
bool linear_translate(const struct ctx *ctx, struct mem *mem, uint64_t linear, uint32_t *physical);

/* Where addresses end in the context's mode: at 4 GiB, but for long mode. */
uint64_t linear_wrap(const struct ctx *ctx, uint64_t linear);

/* Plain memory only: no MMIO, whose reads a device would notice. Return how many
 * bytes from the first on could be had; writes leave ROM alone. */
uint32_t linear_read(const struct ctx *ctx, struct mem *mem, uint64_t linear, void *to, uint32_t size);
uint32_t linear_write(const struct ctx *ctx, struct mem *mem, uint64_t linear, const void *from, uint32_t size);

#endif
