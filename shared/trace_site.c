#include "shared/trace_site.h"

#include <glib.h>

#include "shared/linear.h"

struct trace_sites {
	GHashTable *seen; /* linear address and size of code */
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

void trace_site_code(struct trace_sites *sites, struct trace_event *event, const struct ctx *ctx, struct mem *mem, uint64_t ip)
{
	bool code32 = debug_mode(ctx) & DEBUG_MODE_CODE32;
	uint32_t linear = (uint32_t)(ctx->seg[CTX_CS].base + ip);
	uint8_t bytes[TRACE_SITE_BYTES];
	if (!trace_is_json() || !is_new(sites, (uint64_t)linear << 1 | code32))
		return;
	if (linear_read(ctx, mem, linear - 3, bytes, 3) == 3 && sets_cr0(bytes))
		linear -= 3;
	uint32_t count = linear_read(ctx, mem, linear, bytes, sizeof bytes);
	trace_number(event, "bits", code32 ? 32 : 16);
	trace_number(event, "code_at", linear);
	trace_bytes(event, "code", bytes, count);
}
