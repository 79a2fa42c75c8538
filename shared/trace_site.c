#include "shared/trace_site.h"

#include <glib.h>

#include "shared/linear.h"

struct trace_sites {
	GHashTable *seen; /* linear address and bits of code */
};

struct trace_sites *trace_sites_new(void)
{
	struct trace_sites *sites = g_new0(struct trace_sites, 1);
	sites->seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	return sites;
}

void trace_sites_free(struct trace_sites *sites)
{
	if (!sites)
		return;
	g_hash_table_unref(sites->seen);
	g_free(sites);
}

static bool is_new(struct trace_sites *sites, uint64_t key)
{
	if (g_hash_table_size(sites->seen) >= TRACE_SITES || g_hash_table_contains(sites->seen, &key))
		return false;
	g_hash_table_add(sites->seen, g_memdup2(&key, sizeof key));
	return true;
}

/* MOV CR0, r32 or LMSW r16: three bytes each. */
static bool sets_cr0(const uint8_t *code)
{
	bool mov = code[1] == 0x22 && (code[2] & 0x38) == 0, lmsw = code[1] == 0x01 && (code[2] & 0xf8) == 0xf0;
	return code[0] == 0x0f && (mov || lmsw);
}

static unsigned code_bits(const struct ctx *ctx)
{
	if (ctx_is_64(ctx))
		return 64;
	return debug_mode(ctx) & DEBUG_MODE_CODE32 ? 32 : 16;
}

void trace_site_code(struct trace_sites *sites, struct trace_event *event, const struct ctx *ctx, struct mem *mem, uint64_t ip)
{
	unsigned bits = code_bits(ctx);
	uint64_t linear = ctx_linear(ctx, ip);
	uint8_t bytes[TRACE_SITE_BYTES];
	if (!trace_is_json() || !is_new(sites, linear << 2 | bits / 32))
		return;
	if (linear_read(ctx, mem, linear_wrap(ctx, linear - 3), bytes, 3) == 3 && sets_cr0(bytes))
		linear = linear_wrap(ctx, linear - 3);
	uint32_t count = linear_read(ctx, mem, linear, bytes, sizeof bytes);
	trace_number(event, "bits", bits);
	trace_number(event, "code_at", linear);
	trace_bytes(event, "code", bytes, count);
}
