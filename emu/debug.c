#include "emu/debug.h"

enum { DEBUG_CODE, DEBUG_WRITE, DEBUG_PORT, DEBUG_ACCESS };

struct breakpoint {
	bool enabled;
	unsigned kind, size;
	uint32_t address;
};

static struct breakpoint breakpoint(const struct emu *emu, unsigned n)
{
	static const uint8_t sizes[4] = { 1, 2, 8, 4 };
	const struct ctx *ctx = emu->ctx;
	const uint64_t address[4] = { ctx->dr0, ctx->dr1, ctx->dr2, ctx->dr3 };
	uint32_t dr7 = (uint32_t)ctx->dr7, field = dr7 >> (16 + 4 * n);
	return (struct breakpoint){
		.enabled = dr7 >> (2 * n) & 3,
		.kind = field & 3,
		.size = sizes[field >> 2 & 3],
		.address = (uint32_t)address[n],
	};
}

bool debug_enabled(const struct emu *emu) { return emu->ctx->dr7 & 0xff; }

static uint32_t matches(const struct emu *emu, uint32_t address, unsigned size, unsigned kinds)
{
	uint32_t hit = 0;
	for (unsigned n = 0; n < 4; n++) {
		struct breakpoint point = breakpoint(emu, n);
		uint32_t start = point.address & ~(point.size - 1);
		bool overlaps = address - start < point.size || start - address < size;
		if (point.enabled && (kinds >> point.kind & 1) && overlaps)
			hit |= 1u << n;
	}
	return hit;
}

void debug_data_access(struct emu *emu, uint32_t linear, unsigned size, bool write)
{
	unsigned kinds = 1u << DEBUG_ACCESS | (write ? 1u << DEBUG_WRITE : 0);
	emu->ctx->pending_db |= matches(emu, linear, size, kinds);
	if (emu->ctx->pending_db)
		emu->special |= SPECIAL_DB;
}

void debug_port_access(struct emu *emu, uint16_t port, unsigned size)
{
	if (!(emu->ctx->cr4 & CTX_CR4_DE))
		return;
	emu->ctx->pending_db |= matches(emu, port, size, 1u << DEBUG_PORT);
	if (emu->ctx->pending_db)
		emu->special |= SPECIAL_DB;
}

uint32_t debug_code_match(const struct emu *emu, uint32_t linear)
{
	uint32_t hit = 0;
	for (unsigned n = 0; n < 4; n++) {
		struct breakpoint point = breakpoint(emu, n);
		if (point.enabled && point.kind == DEBUG_CODE && point.address == linear)
			hit |= 1u << n;
	}
	return hit;
}
