#include "gdb/tables.h"

#include <inttypes.h>
#include <string.h>

#include "shared/linear.h"

#define RANGES_MAX 500u /* lines of a page table */

struct entry {
	uint32_t low, high;
};

static bool read_entry(const struct ctx *ctx, struct mem *mem, uint64_t base, uint32_t index, struct entry *entry)
{
	return linear_read(ctx, mem, (uint32_t)base + index, entry, sizeof *entry) == sizeof *entry;
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

/* SDM vol. 3, table 3-2. */
static const char *const system_types[16] = {
	"reserved", "TSS16", "LDT", "busy TSS16", "call gate 16", "task gate", "interrupt gate 16", "trap gate 16",
	"reserved", "TSS32", "reserved", "busy TSS32", "call gate 32", "reserved", "interrupt gate 32", "trap gate 32",
};

static bool is_gate(unsigned type)
{
	return type >= 4 && type != 9 && type != 11;
}

static void print_gate(const struct entry *entry, GString *out)
{
	uint32_t offset = (entry->low & 0xffff) | (entry->high & 0xffff0000);
	g_string_append_printf(out, "%-18s %04x:%08x dpl %u%s\n", system_types[entry->high >> 8 & 15], entry->low >> 16, offset,
	                       entry->high >> 13 & 3, entry->high & 0x8000 ? "" : " not present");
}

static void print_memory(const struct entry *entry, GString *out)
{
	unsigned type = entry->high >> 8 & 15;
	const char *what = system_types[type];
	if (entry->high & 0x1000)
		what = type & 8 ? (entry->high & 0x400000 ? "code32" : "code16") : (entry->high & 0x400000 ? "data32" : "data16");
	g_string_append_printf(out, "%-18s base %08x limit %08x dpl %u%s", what, base_of(entry), limit_of(entry), entry->high >> 13 & 3,
	                       entry->high & 0x8000 ? "" : " not present");
	if (entry->high & 0x1000)
		g_string_append_printf(out, " %s%s%s", type & 8 ? (type & 2 ? "readable" : "execute-only") : (type & 2 ? "writable" : "read-only"),
		                       type & 4 ? (type & 8 ? " conforming" : " expand-down") : "", type & 1 ? " accessed" : "");
	g_string_append_c(out, '\n');
}

static void print_descriptor(const struct entry *entry, GString *out)
{
	if (!(entry->high & 0x1000) && is_gate(entry->high >> 8 & 15))
		print_gate(entry, out);
	else
		print_memory(entry, out);
}

/* `bits`: of the selectors, 4 for the LDT. */
static void print_table(const struct ctx *ctx, struct mem *mem, uint64_t base, uint32_t limit, unsigned bits, GString *out)
{
	limit = MIN(limit, 0xffff);
	g_string_append_printf(out, "base %08x limit %04x\n", (uint32_t)base, limit);
	for (uint32_t index = 0; index + 7 <= limit; index += 8) {
		struct entry entry;
		if (!read_entry(ctx, mem, base, index, &entry)) {
			g_string_append_printf(out, "%04x cannot be read\n", index);
			return;
		}
		if (!entry.low && !entry.high)
			continue;
		g_string_append_printf(out, "%04x ", index | bits);
		print_descriptor(&entry, out);
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
	for (uint32_t n = 0; n < 256 && 8 * n + 7 <= ctx->idtr.limit; n++) {
		struct entry entry;
		if (!read_entry(ctx, mem, ctx->idtr.base, 8 * n, &entry)) {
			g_string_append_printf(out, "%02x cannot be read\n", n);
			return;
		}
		if (!entry.low && !entry.high)
			continue;
		g_string_append_printf(out, "%02x ", n);
		print_gate(&entry, out);
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

void gdb_tables_walk(const struct ctx *ctx, struct mem *mem, uint32_t linear, GString *out)
{
	struct linear_walk walk;
	if (paging_is_off(ctx, out))
		return;
	linear_walk(ctx, mem, linear, &walk);
	for (unsigned n = 0; n < walk.levels; n++)
		g_string_append_printf(out, "level %u: entry at %08" PRIx64 " is %08" PRIx64 "\n", walk.levels - n, walk.level[n].address, walk.level[n].entry);
	if (walk.present)
		g_string_append_printf(out, "%08x is physical %08" PRIx64 " in a page of %u KiB\n", linear, walk.physical, walk.page_size / 1024);
	else
		g_string_append_printf(out, "%08x is not mapped\n", linear);
}

struct range {
	uint64_t start, end; /* linear; empty when equal */
	uint64_t physical;
	unsigned rights;     /* bits 1 and 2 of the entries */
};

static unsigned rights_of(const struct linear_walk *walk, bool pae)
{
	uint64_t rights = 6;
	/* PDPTEs have no rights. */
	for (unsigned n = pae; n < walk->levels; n++)
		rights &= walk->level[n].entry;
	return (unsigned)rights;
}

/* How much of the linear space the entry that is not present stands for. */
static uint32_t hole_size(const struct linear_walk *walk, bool pae)
{
	static const uint32_t sizes[2][LINEAR_LEVELS] = { { 1u << 22, 1u << 12 }, { 1u << 30, 1u << 21, 1u << 12 } };
	return sizes[pae][walk->levels - 1];
}

static void print_range(const struct range *range, GString *out)
{
	if (range->start != range->end)
		g_string_append_printf(out, "%08" PRIx64 "-%08" PRIx64 " -> %09" PRIx64 " %s %s\n", range->start, range->end - 1, range->physical,
		                       range->rights & 2 ? "rw" : "r-", range->rights & 4 ? "user" : "supervisor");
}

/* Adds a page to the range, or begins a new one; returns how many lines it cost. */
static unsigned add_page(struct range *range, uint64_t linear, uint32_t size, uint64_t physical, unsigned rights, GString *out)
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

void gdb_tables_pages(const struct ctx *ctx, struct mem *mem, GString *out)
{
	struct range range = { 0, 0, 0, 0 };
	bool pae = ctx->cr4 & CTX_CR4_PAE;
	unsigned lines = 0;
	if (paging_is_off(ctx, out))
		return;
	for (uint64_t linear = 0; linear < MEM_SPACE && lines < RANGES_MAX;) {
		struct linear_walk walk;
		linear_walk(ctx, mem, (uint32_t)linear, &walk);
		uint32_t size = walk.present ? walk.page_size : hole_size(&walk, pae);
		if (walk.present)
			lines += add_page(&range, linear, size, walk.physical, rights_of(&walk, pae), out);
		linear += size;
	}
	print_range(&range, out);
	if (lines == RANGES_MAX)
		g_string_append(out, "there is more\n");
}
