#include "cli/compare_same.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROW 16u /* bytes of memory in a report */

/* --- flags ------------------------------------------------------------------------------- */

/* Many instructions leave some of these undefined, and each chip does as it likes. */
#define FLAGS_ARITHMETIC \
	(CTX_EFLAGS_CF | CTX_EFLAGS_PF | CTX_EFLAGS_AF | CTX_EFLAGS_ZF | CTX_EFLAGS_SF | CTX_EFLAGS_OF)
/* Bits 1, 3, 5 and 15 of FLAGS are 1, 0, 0 and 0. */
#define FLAGS_FIXED 0x802au
#define FLAGS_ONES  0x0002u

/* Two images of FLAGS, as PUSHF and interrupts make them. */
static bool same_flags_image(uint64_t a, uint64_t b)
{
	return !((a ^ b) & ~(uint64_t)FLAGS_ARITHMETIC) && (a & FLAGS_FIXED) == FLAGS_ONES;
}

/* --- context ------------------------------------------------------------------------------ */

/* What KVM does not keep, or keeps in another way; see docs/compare.md. */
static void make_comparable(struct ctx *ctx)
{
	ctx->tsc_offset = 0;
	ctx->interrupt_shadow = 0;
	ctx->rflags &= ~(uint64_t)(CTX_EFLAGS_RF | FLAGS_ARITHMETIC);
	ctx->cr0 |= CTX_CR0_ET;
	ctx->fpu_present = 0;
	memset(ctx->fxsave, 0, sizeof ctx->fxsave);
	for (unsigned n = 0; n < CTX_SREGS; n++) {
		ctx->seg[n].access &= ~(CTX_SEG_ACCESSED | CTX_SEG_REAL);
		if (n == CTX_LDTR || n == CTX_TR || (ctx->seg[n].access & CTX_SEG_UNUSABLE))
			ctx->seg[n].access = ctx->seg[n].limit = 0;
		if (!(ctx->cr0 & CTX_CR0_PE))
			ctx->seg[n].access = 0;
	}
}

static void level_flags_images(const struct ctx *a, struct ctx *b)
{
	for (unsigned n = 0; n < CTX_GPRS; n++)
		if (same_flags_image(a->gpr[n].r, b->gpr[n].r))
			b->gpr[n] = a->gpr[n];
}

static unsigned diff_contexts(const struct compare_side *left, const struct compare_side *right, FILE *out)
{
	struct ctx a = *pc_ctx(left->machine->pc), b = *pc_ctx(right->machine->pc);
	if (left->io_time) {
		make_comparable(&a);
		make_comparable(&b);
		level_flags_images(&a, &b);
	}
	return ctx_diff(&a, &b, out);
}

char *compare_same_context(const struct compare_side *a, const struct compare_side *b)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	unsigned fields = diff_contexts(a, b, out);
	fclose(out);
	char *what = fields ? g_strdup_printf("%u field%s of the context\n%s", fields, fields > 1 ? "s" : "", text) : NULL;
	free(text);
	return what ? g_strchomp(what) : NULL;
}

/* --- memory ----------------------------------------------------------------------------------- */

static void append_bytes(GString *text, const uint8_t *bytes)
{
	for (unsigned n = 0; n < ROW; n++)
		g_string_append_printf(text, " %02x", bytes[n]);
}

static char *describe_bytes(uint64_t page, unsigned n, const uint8_t *left, const uint8_t *right)
{
	GString *text = g_string_new(NULL);
	unsigned row = n & ~(ROW - 1);
	g_string_append_printf(text, "memory at %08" PRIx64 " is %02x and %02x\n%08" PRIx64 " ", page + n, left[n], right[n], page + row);
	append_bytes(text, left + row);
	g_string_append(text, "  ");
	append_bytes(text, right + row);
	return g_string_free(text, FALSE);
}

/* The lower byte of the image is at an even address: stacks are. */
static bool in_flags_image(const uint8_t *left, const uint8_t *right, unsigned n)
{
	n &= ~1u;
	return same_flags_image(left[n] | (unsigned)left[n + 1] << 8, right[n] | (unsigned)right[n + 1] << 8);
}

static char *compare_page(const struct compare_side *a, uint64_t page, const uint8_t *left, const uint8_t *right, unsigned *images)
{
	if (!memcmp(left, right, MEM_PAGE_SIZE))
		return NULL;
	for (unsigned n = 0; n < MEM_PAGE_SIZE; n++) {
		if (left[n] == right[n])
			continue;
		if (!a->io_time || !in_flags_image(left, right, n))
			return describe_bytes(page, n, left, right);
		++*images;
	}
	return NULL;
}

char *compare_same_memory(const struct compare_side *a, const struct compare_side *b, unsigned *images)
{
	*images = 0;
	uint8_t left[MEM_PAGE_SIZE], right[MEM_PAGE_SIZE];
	for (uint64_t page = 0; page < a->options.memory; page += MEM_PAGE_SIZE) {
		if (mem_read_bytes(pc_mem(a->machine->pc), page, left, sizeof left) !=
		    mem_read_bytes(pc_mem(b->machine->pc), page, right, sizeof right))
			return g_strdup_printf("the memory map at %08" PRIx64, page);
		char *what = compare_page(a, page, left, right, images);
		if (what)
			return what;
	}
	return NULL;
}

/* --- events ------------------------------------------------------------------------------------- */

char *compare_event_text(const struct compare_event *event)
{
	if (event->kind == COMPARE_INTERRUPT)
		return g_strdup_printf("interrupt %02x", event->value);
	return g_strdup_printf("%s %04x.%u = %0*x", event->kind == COMPARE_OUT ? "out" : "in ", event->port, event->size,
	                       2 * event->size, event->value);
}

static bool same_event(const struct compare_event *a, const struct compare_event *b)
{
	return a->kind == b->kind && a->port == b->port && a->size == b->size && a->value == b->value;
}

static char *describe_events(uint64_t number, const struct compare_event *left, const struct compare_event *right)
{
	g_autofree char *a = compare_event_text(left), *b = compare_event_text(right);
	bool ports = left->kind != COMPARE_INTERRUPT && right->kind != COMPARE_INTERRUPT;
	return g_strdup_printf("%s %" PRIu64 " is %s and %s", ports ? "port access" : "event", number, a, b);
}

char *compare_same_events(struct compare_side *a, struct compare_side *b)
{
	guint count = MIN(a->events->len, b->events->len);
	uint64_t first = a->items - a->events->len + 1;
	for (guint n = 0; n < count; n++) {
		const struct compare_event *left = &g_array_index(a->events, struct compare_event, n);
		const struct compare_event *right = &g_array_index(b->events, struct compare_event, n);
		if (!same_event(left, right))
			return describe_events(first + n, left, right);
	}
	g_array_remove_range(a->events, 0, count);
	g_array_remove_range(b->events, 0, count);
	return NULL;
}
