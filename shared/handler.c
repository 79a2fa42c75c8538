#include "shared/handler.h"

#include "shared/linear.h"

#define SELECTOR_TI 4u
#define GATE_TYPE   0x1fu /* with S */
#define GATE_32     0x08u

/* SDM vol. 3, figures 3-8 and 6-2. */
static uint32_t word_at(const uint8_t *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8;
}

static bool read_real(const struct ctx *ctx, struct mem *mem, uint8_t vector, uint64_t *linear)
{
	uint8_t entry[4];
	if (linear_read(ctx, mem, (uint32_t)ctx->idtr.base + 4u * vector, entry, sizeof entry) != sizeof entry)
		return false;
	*linear = (word_at(entry + 2) << 4) + word_at(entry);
	return true;
}

static bool segment_base(const struct ctx *ctx, struct mem *mem, uint32_t selector, uint32_t *base)
{
	uint8_t entry[8];
	const struct ctx_seg *ldt = &ctx->seg[CTX_LDTR];
	uint64_t table = selector & SELECTOR_TI ? ldt->base : ctx->gdtr.base;
	uint32_t limit = selector & SELECTOR_TI ? ldt->limit : ctx->gdtr.limit, offset = selector & ~7u;
	if (offset + 7 > limit || linear_read(ctx, mem, (uint32_t)table + offset, entry, sizeof entry) != sizeof entry)
		return false;
	*base = word_at(entry + 2) | (uint32_t)entry[4] << 16 | (uint32_t)entry[7] << 24;
	return true;
}

static bool read_gate(const struct ctx *ctx, struct mem *mem, uint8_t vector, uint64_t *linear)
{
	uint8_t gate[8];
	uint32_t base;
	if (8u * vector + 7 > ctx->idtr.limit ||
	    linear_read(ctx, mem, (uint32_t)ctx->idtr.base + 8u * vector, gate, sizeof gate) != sizeof gate)
		return false;
	uint32_t type = gate[5] & GATE_TYPE & ~GATE_32;
	if ((type != 6 && type != 7) || !segment_base(ctx, mem, word_at(gate + 2), &base))
		return false;
	*linear = (uint32_t)(base + word_at(gate) + (gate[5] & GATE_32 ? word_at(gate + 6) << 16 : 0));
	return true;
}

bool handler_address(const struct ctx *ctx, struct mem *mem, uint8_t vector, uint64_t *linear)
{
	if (ctx->efer & CTX_EFER_LMA)
		return false;
	return ctx->cr0 & CTX_CR0_PE ? read_gate(ctx, mem, vector, linear) : read_real(ctx, mem, vector, linear);
}
