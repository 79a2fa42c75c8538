#include "gdb/tables.h"

#include <inttypes.h>
#include <string.h>

#include "shared/linear.h"

#define RANGES_MAX 500u     /* lines of a page table */
#define WALKS_MAX  2000000u /* of 4 GiB in pages of 4 KiB, and then some */

struct entry {
	uint32_t low, high;
};

static bool is_long(const struct ctx *ctx)
{
	return ctx->efer & CTX_EFER_LMA;
}

static bool read_entry(const struct ctx *ctx, struct mem *mem, uint64_t base, uint32_t index, struct entry *entry)
{
	return linear_read(ctx, mem, linear_wrap(ctx, base + index), entry, sizeof *entry) == sizeof *entry;
}

void gdb_tables_ivt(const struct ctx *ctx, struct mem *mem, unsigned first, unsigned last, GString *out)
{
	/* In protected mode IDTR points elsewhere; the vectors are at 0 as ever. */
	uint32_t base = ctx->cr0 & CTX_CR0_PE ? 0 : (uint32_t)ctx->idtr.base;
	for (unsigned n = first; n <= last; n++) {
		uint32_t vector;
		if (linear_read(ctx, mem, base + 4 * n, &vector, sizeof vector) != sizeof vector) {
			g_string_append_printf(out, "%02x cannot be read\n", n);
			return;
		}
		g_string_append_printf(out, "%02x %04x:%04x%s", n, vector >> 16, vector & 0xffff, n == last || n % 6 == 5 ? "\n" : "  ");
	}
}

static uint32_t base_of(const struct entry *entry)
{
	return entry->low >> 16 | (entry->high & 0xff) << 16 | (entry->high & 0xff000000);
}

static uint32_t limit_of(const struct entry *entry)
{
	uint32_t limit = (entry->low & 0xffff) | (entry->high & 0xf0000);
	return entry->high & 0x800000 ? limit << 12 | 0xfff : limit;
}

/* SDM vol. 3, table 3-2: without long mode, and with it. */
static const char *const system_types[2][16] = {
	{ "reserved", "TSS16", "LDT", "busy TSS16", "call gate 16", "task gate", "interrupt gate 16", "trap gate 16",
	  "reserved", "TSS32", "reserved", "busy TSS32", "call gate 32", "reserved", "interrupt gate 32", "trap gate 32" },
	{ "reserved", "reserved", "LDT", "reserved", "reserved", "reserved", "reserved", "reserved",
	  "reserved", "TSS64", "reserved", "busy TSS64", "call gate 64", "reserved", "interrupt gate 64", "trap gate 64" },
};

/* Of long mode; `upper`: bits 63-32 of the base or offset. */
struct descriptor {
	struct entry entry;
	uint32_t upper;
	bool wide;
};

static bool is_memory(const struct entry *entry)
{
	return entry->high & 0x1000;
}

static bool is_gate(unsigned type)
{
	return type >= 4 && type != 9 && type != 11;
}

static void print_gate(const struct descriptor *descriptor, GString *out)
{
	const struct entry *entry = &descriptor->entry;
	uint64_t offset = (uint64_t)descriptor->upper << 32 | (entry->low & 0xffff) | (entry->high & 0xffff0000);
	g_string_append_printf(out, "%-18s %04x:%0*" PRIx64 " dpl %u%s\n", system_types[descriptor->wide][entry->high >> 8 & 15], entry->low >> 16,
	                       descriptor->wide ? 16 : 8, offset, entry->high >> 13 & 3, entry->high & 0x8000 ? "" : " not present");
}

static const char *memory_type(const struct descriptor *descriptor)
{
	uint32_t high = descriptor->entry.high;
	bool code = high & 0x800, big = high & 0x400000;
	if (code && descriptor->wide && (high & 0x200000))
		return "code64";
	return code ? (big ? "code32" : "code16") : big ? "data32" : "data16";
}

static void print_memory(const struct descriptor *descriptor, GString *out)
{
	const struct entry *entry = &descriptor->entry;
	unsigned type = entry->high >> 8 & 15;
	const char *what = is_memory(entry) ? memory_type(descriptor) : system_types[descriptor->wide][type];
	g_string_append_printf(out, "%-18s base %08" PRIx64 " limit %08x dpl %u%s", what, (uint64_t)descriptor->upper << 32 | base_of(entry),
	                       limit_of(entry), entry->high >> 13 & 3, entry->high & 0x8000 ? "" : " not present");
	if (is_memory(entry))
		g_string_append_printf(out, " %s%s%s", type & 8 ? (type & 2 ? "readable" : "execute-only") : (type & 2 ? "writable" : "read-only"),
		                       type & 4 ? (type & 8 ? " conforming" : " expand-down") : "", type & 1 ? " accessed" : "");
	g_string_append_c(out, '\n');
}

/* The `limit` of the table is within 64 KiB. In long mode what is no segment takes two
 * entries. Returns the size of it; 0: it cannot be read. */
static uint32_t read_descriptor(const struct ctx *ctx, struct mem *mem, uint64_t base, uint32_t index, struct descriptor *descriptor)
{
	struct entry upper;
	*descriptor = (struct descriptor){ .wide = is_long(ctx) };
	if (!read_entry(ctx, mem, base, index, &descriptor->entry))
		return 0;
	if (!descriptor->wide || is_memory(&descriptor->entry) || !(descriptor->entry.high >> 8 & 15))
		return 8;
	if (!read_entry(ctx, mem, base, index + 8, &upper))
		return 0;
	descriptor->upper = upper.low;
	return 16;
}

/* `bits`: of the selectors, 4 for the LDT. */
static void print_table(const struct ctx *ctx, struct mem *mem, uint64_t base, uint32_t limit, unsigned bits, GString *out)
{
	struct descriptor descriptor;
	limit = MIN(limit, 0xffff);
	g_string_append_printf(out, "base %08" PRIx64 " limit %04x\n", base, limit);
	for (uint32_t index = 0, size; index + 7 <= limit; index += size) {
		size = read_descriptor(ctx, mem, base, index, &descriptor);
		if (!size) {
			g_string_append_printf(out, "%04x cannot be read\n", index);
			return;
		}
		if (!descriptor.entry.low && !descriptor.entry.high)
			continue;
		g_string_append_printf(out, "%04x ", index | bits);
		if (!is_memory(&descriptor.entry) && is_gate(descriptor.entry.high >> 8 & 15))
			print_gate(&descriptor, out);
		else
			print_memory(&descriptor, out);
	}
}

void gdb_tables_gdt(const struct ctx *ctx, struct mem *mem, GString *out)
{
	print_table(ctx, mem, ctx->gdtr.base, (uint32_t)ctx->gdtr.limit, 0, out);
}

void gdb_tables_ldt(const struct ctx *ctx, struct mem *mem, GString *out)
{
	const struct ctx_seg *ldt = &ctx->seg[CTX_LDTR];
	if ((ldt->access & CTX_SEG_UNUSABLE) || !(ldt->selector & 0xfffc))
		g_string_append(out, "there is no LDT\n");
	else
		print_table(ctx, mem, ldt->base, ldt->limit, 4, out);
}

void gdb_tables_idt(const struct ctx *ctx, struct mem *mem, GString *out)
{
	if (!(ctx->cr0 & CTX_CR0_PE)) {
		g_string_append(out, "real mode has no IDT; see monitor ivt\n");
		return;
	}
	uint32_t size = is_long(ctx) ? 16 : 8;
	for (uint32_t n = 0; n < 256 && size * n + size - 1 <= ctx->idtr.limit; n++) {
		struct descriptor gate;
		if (!read_descriptor(ctx, mem, ctx->idtr.base, size * n, &gate)) {
			g_string_append_printf(out, "%02x cannot be read\n", n);
			return;
		}
		if (!gate.entry.low && !gate.entry.high)
			continue;
		g_string_append_printf(out, "%02x ", n);
		print_gate(&gate, out);
	}
}

/* --- paging --------------------------------------------------------------------------------- */

static bool paging_is_off(const struct ctx *ctx, GString *out)
{
	if (ctx->cr0 & CTX_CR0_PG)
		return false;
	g_string_append(out, "paging is off: linear addresses are physical\n");
	return true;
}

void gdb_tables_walk(const struct ctx *ctx, struct mem *mem, uint64_t linear, GString *out)
{
	struct linear_walk walk;
	if (paging_is_off(ctx, out))
		return;
	linear_walk(ctx, mem, linear, &walk);
	for (unsigned n = 0; n < walk.levels; n++)
		g_string_append_printf(out, "level %u: entry at %08" PRIx64 " is %08" PRIx64 "\n", walk.levels - n, walk.level[n].address, walk.level[n].entry);
	if (walk.present)
		g_string_append_printf(out, "%08" PRIx64 " is physical %08" PRIx64 " in a page of %" PRIu64 " KiB\n", linear, walk.physical, walk.span / 1024);
	else
		g_string_append_printf(out, "%08" PRIx64 " is not mapped\n", linear);
}

struct range {
	uint64_t start, end; /* linear; empty when equal */
	uint64_t physical;
	unsigned rights;     /* bits 1 and 2 of the entries */
};

static unsigned rights_of(const struct ctx *ctx, const struct linear_walk *walk)
{
	uint64_t rights = 6;
	/* PDPTEs of PAE have no rights. */
	for (unsigned n = (ctx->cr4 & CTX_CR4_PAE) && !is_long(ctx); n < walk->levels; n++)
		rights &= walk->level[n].entry;
	return (unsigned)rights;
}

static void print_range(const struct range *range, GString *out)
{
	if (range->start != range->end)
		g_string_append_printf(out, "%08" PRIx64 "-%08" PRIx64 " -> %09" PRIx64 " %s %s\n", range->start, range->end - 1, range->physical,
		                       range->rights & 2 ? "rw" : "r-", range->rights & 4 ? "user" : "supervisor");
}

/* Adds a page to the range, or begins a new one; returns how many lines it cost. */
static unsigned add_page(struct range *range, uint64_t linear, uint64_t size, uint64_t physical, unsigned rights, GString *out)
{
	bool joins = range->end == linear && range->rights == rights && range->physical + (range->end - range->start) == physical;
	if (joins && range->start != range->end) {
		range->end += size;
		return 0;
	}
	print_range(range, out);
	*range = (struct range){ linear, linear + size, physical, rights };
	return 1;
}

/* The first address behind the lower half of what long mode can translate is that of the
 * upper half. */
static uint64_t behind(const struct ctx *ctx, uint64_t linear)
{
	uint64_t half = UINT64_C(1) << (ctx->cr4 & CTX_CR4_LA57 ? 56 : 47);
	return is_long(ctx) && linear == half ? -half : linear;
}

/* Tables that name each other may map more than anybody could walk. */
void gdb_tables_pages(const struct ctx *ctx, struct mem *mem, GString *out)
{
	struct range range = { 0, 0, 0, 0 };
	struct linear_walk walk;
	unsigned lines = 0, walks = 0;
	uint64_t linear = 0, end = is_long(ctx) ? 0 : MEM_SPACE;
	if (paging_is_off(ctx, out))
		return;
	do {
		linear_walk(ctx, mem, linear, &walk);
		if (walk.present)
			lines += add_page(&range, linear, walk.span, walk.physical, rights_of(ctx, &walk), out);
		linear = behind(ctx, linear + walk.span);
	} while (linear != end && lines < RANGES_MAX && ++walks < WALKS_MAX);
	print_range(&range, out);
	if (linear != end)
		g_string_append(out, "there is more\n");
}
