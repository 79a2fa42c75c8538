#include "gdb/registers.h"

#include <string.h>

enum kind {
	GPR, EIP, EFLAGS, SELECTOR, ST, FPU_WORD, TAGS, XMM,
	OFFSET_IP, BASE, STACK, CONTROL, TABLE_LIMIT,
};

/* `n`: index or, for FPU_WORD and CONTROL and TABLE_LIMIT, the offset in the image
 * or page; `width`: bytes of it that are there. */
struct gdb_register {
	const char *name, *type;
	uint8_t size, kind;
	uint16_t n;
	uint8_t width;
};

#define R32(name, type, kind, n) { name, type, 4, kind, n, 4 }
#define R64(name, type, kind, n) { name, type, 8, kind, n, 8 }
#define FPU(name, offset, width) { name, "int", 4, FPU_WORD, offset, width }
#define ST_(n) { "st" #n, "i387_ext", 10, ST, n, 10 }
#define XMM_(n) { "xmm" #n, "vec128", 16, XMM, n, 16 }
#define CTX_(name, field) R32(name, "int", CONTROL, offsetof(struct ctx, field))
#define CTX64(name, field) R64(name, "int64", CONTROL, offsetof(struct ctx, field))
#define TABLE_LIMIT_(name, field) R32(name, "int", TABLE_LIMIT, offsetof(struct ctx, field))
#define R_(n) R64("r" #n, "int64", GPR, CTX_R8 - 8 + n)

#define SELECTORS \
	R32("cs", "int32", SELECTOR, CTX_CS), R32("ss", "int32", SELECTOR, CTX_SS), \
	R32("ds", "int32", SELECTOR, CTX_DS), R32("es", "int32", SELECTOR, CTX_ES), \
	R32("fs", "int32", SELECTOR, CTX_FS), R32("gs", "int32", SELECTOR, CTX_GS)

/* FXSAVE, SDM vol. 1, table 10-2 */
#define X87 \
	ST_(0), ST_(1), ST_(2), ST_(3), ST_(4), ST_(5), ST_(6), ST_(7), \
	FPU("fctrl", 0, 2), FPU("fstat", 2, 2), { "ftag", "int", 4, TAGS, 0, 2 }, FPU("fiseg", 12, 2), \
	FPU("fioff", 8, 4), FPU("foseg", 20, 2), FPU("fooff", 16, 4), FPU("fop", 6, 2)

#define XMM_0_TO_7 XMM_(0), XMM_(1), XMM_(2), XMM_(3), XMM_(4), XMM_(5), XMM_(6), XMM_(7)

static const struct gdb_register core[] = {
	R32("eax", "int32", GPR, CTX_RAX), R32("ecx", "int32", GPR, CTX_RCX),
	R32("edx", "int32", GPR, CTX_RDX), R32("ebx", "int32", GPR, CTX_RBX),
	R32("esp", "data_ptr", GPR, CTX_RSP), R32("ebp", "data_ptr", GPR, CTX_RBP),
	R32("esi", "int32", GPR, CTX_RSI), R32("edi", "int32", GPR, CTX_RDI),
	R32("eip", "code_ptr", EIP, 0), R32("eflags", "i386_eflags", EFLAGS, 0), SELECTORS, X87,
};

static const struct gdb_register core64[] = {
	R64("rax", "int64", GPR, CTX_RAX), R64("rbx", "int64", GPR, CTX_RBX),
	R64("rcx", "int64", GPR, CTX_RCX), R64("rdx", "int64", GPR, CTX_RDX),
	R64("rsi", "int64", GPR, CTX_RSI), R64("rdi", "int64", GPR, CTX_RDI),
	R64("rbp", "data_ptr", GPR, CTX_RBP), R64("rsp", "data_ptr", GPR, CTX_RSP),
	R_(8), R_(9), R_(10), R_(11), R_(12), R_(13), R_(14), R_(15),
	R64("rip", "code_ptr", EIP, 0), R32("eflags", "i386_eflags", EFLAGS, 0), SELECTORS, X87,
};

static const struct gdb_register sse[] = { XMM_0_TO_7, FPU("mxcsr", 24, 4) };

static const struct gdb_register sse64[] = {
	XMM_0_TO_7, XMM_(8), XMM_(9), XMM_(10), XMM_(11), XMM_(12), XMM_(13), XMM_(14), XMM_(15), FPU("mxcsr", 24, 4),
};

static const struct gdb_register system_registers[] = {
	R32("ip", "int32", OFFSET_IP, 0), R32("stack", "data_ptr", STACK, 0),
	R32("cs_base", "data_ptr", BASE, CTX_CS), R32("ss_base", "data_ptr", BASE, CTX_SS),
	R32("ds_base", "data_ptr", BASE, CTX_DS), R32("es_base", "data_ptr", BASE, CTX_ES),
	R32("fs_base", "data_ptr", BASE, CTX_FS), R32("gs_base", "data_ptr", BASE, CTX_GS),
	CTX_("cr0", cr0), CTX_("cr2", cr2), CTX_("cr3", cr3), CTX_("cr4", cr4), CTX_("efer", efer),
	CTX_("gdt_base", gdtr.base), TABLE_LIMIT_("gdt_limit", gdtr.limit),
	CTX_("idt_base", idtr.base), TABLE_LIMIT_("idt_limit", idtr.limit),
};

static const struct gdb_register system_registers64[] = {
	R64("ip", "int64", OFFSET_IP, 0), R64("stack", "data_ptr", STACK, 0),
	R64("cs_base", "data_ptr", BASE, CTX_CS), R64("ss_base", "data_ptr", BASE, CTX_SS),
	R64("ds_base", "data_ptr", BASE, CTX_DS), R64("es_base", "data_ptr", BASE, CTX_ES),
	R64("fs_base", "data_ptr", BASE, CTX_FS), R64("gs_base", "data_ptr", BASE, CTX_GS),
	CTX64("cr0", cr0), CTX64("cr2", cr2), CTX64("cr3", cr3), CTX64("cr4", cr4), CTX64("cr8", cr8), CTX64("efer", efer),
	CTX64("gdt_base", gdtr.base), TABLE_LIMIT_("gdt_limit", gdtr.limit),
	CTX64("idt_base", idtr.base), TABLE_LIMIT_("idt_limit", idtr.limit),
};

#define FEATURES 3u

static const struct feature {
	const char *name;
	const struct gdb_register *registers;
	unsigned count;
} features[][FEATURES] = {
	[GDB_SET_32] = {
		{ "org.gnu.gdb.i386.core", core, G_N_ELEMENTS(core) },
		{ "org.gnu.gdb.i386.sse", sse, G_N_ELEMENTS(sse) },
		{ "org.v2e.i386.system", system_registers, G_N_ELEMENTS(system_registers) },
	},
	[GDB_SET_64] = {
		{ "org.gnu.gdb.i386.core", core64, G_N_ELEMENTS(core64) },
		{ "org.gnu.gdb.i386.sse", sse64, G_N_ELEMENTS(sse64) },
		{ "org.v2e.i386.system", system_registers64, G_N_ELEMENTS(system_registers64) },
	},
};

static const struct gdb_register *find(enum gdb_set set, unsigned number)
{
	for (const struct feature *feature = features[set]; feature < features[set] + FEATURES; feature++) {
		if (number < feature->count)
			return &feature->registers[number];
		number -= feature->count;
	}
	return NULL;
}

unsigned gdb_registers_count(enum gdb_set set)
{
	unsigned count = 0;
	for (unsigned i = 0; i < FEATURES; i++)
		count += features[set][i].count;
	return count;
}

unsigned gdb_registers_size(enum gdb_set set, unsigned number)
{
	const struct gdb_register *row = find(set, number);
	return row ? row->size : 0;
}

/* --- modes ------------------------------------------------------------------------ */

static bool bases_are_free(const struct ctx *ctx)
{
	return !(ctx->cr0 & CTX_CR0_PE) || (ctx->rflags & CTX_EFLAGS_VM);
}

static bool code_is_16(const struct ctx *ctx)
{
	return !(ctx->seg[CTX_CS].access & CTX_SEG_DB);
}

enum gdb_set gdb_registers_set(const struct ctx *ctx)
{
	return ctx_is_64(ctx) ? GDB_SET_64 : GDB_SET_32;
}

uint64_t gdb_registers_pc(const struct ctx *ctx)
{
	return ctx_linear(ctx, ctx->rip);
}

/* A jump to what is no address would fault (SDM vol. 1, 3.3.7.1). */
static bool is_canonical(const struct ctx *ctx, uint64_t linear)
{
	unsigned unused = ctx->cr4 & CTX_CR4_LA57 ? 7 : 16;
	return (uint64_t)((int64_t)(linear << unused) >> unused) == linear;
}

bool gdb_registers_set_pc(struct ctx *ctx, uint64_t linear)
{
	uint64_t ip = ctx_is_64(ctx) ? linear : (uint32_t)(linear - ctx->seg[CTX_CS].base);
	bool fits = ctx_is_64(ctx) ? is_canonical(ctx, linear) : linear <= UINT32_MAX && ip <= ctx->seg[CTX_CS].limit;
	if (fits)
		ctx->rip = ip;
	return fits;
}

static bool set_selector(struct ctx *ctx, unsigned sreg, uint64_t value)
{
	struct ctx_seg *seg = &ctx->seg[sreg];
	if (value == seg->selector)
		return true;
	if (!bases_are_free(ctx) || value > 0xffff)
		return false;
	seg->selector = (uint16_t)value;
	seg->base = value << 4;
	return true;
}

static uint64_t stack_top(const struct ctx *ctx)
{
	const struct ctx_seg *ss = &ctx->seg[CTX_SS];
	uint32_t esp = ctx->gpr[CTX_RSP].e;
	if (ctx_is_64(ctx))
		return ctx->gpr[CTX_RSP].r;
	return (uint32_t)ss->base + (ss->access & CTX_SEG_DB ? esp : esp & 0xffff);
}

/* --- x87 tags: FXSAVE has a bit a register, GDB wants two (SDM vol. 1, 8.1.7) ------- */

enum { TAG_VALID, TAG_ZERO, TAG_SPECIAL, TAG_EMPTY };

static unsigned tag_of(const uint8_t *st)
{
	uint64_t mantissa;
	uint16_t exponent;
	memcpy(&mantissa, st, sizeof mantissa);
	memcpy(&exponent, st + 8, sizeof exponent);
	exponent &= 0x7fff;
	if (!exponent && !mantissa)
		return TAG_ZERO;
	return exponent && exponent != 0x7fff && mantissa >> 63 ? TAG_VALID : TAG_SPECIAL;
}

static uint32_t tags_read(const uint8_t *fxsave)
{
	unsigned top = fxsave[3] >> 3 & 7;
	uint32_t tags = 0;
	for (unsigned n = 0; n < 8; n++) {
		const uint8_t *st = fxsave + 32 + 16 * ((n - top) & 7);
		tags |= (fxsave[4] >> n & 1 ? tag_of(st) : TAG_EMPTY) << (2 * n);
	}
	return tags;
}

static void tags_write(uint8_t *fxsave, uint32_t tags)
{
	fxsave[4] = 0;
	for (unsigned n = 0; n < 8; n++)
		if ((tags >> (2 * n) & 3) != TAG_EMPTY)
			fxsave[4] |= (uint8_t)(1u << n);
}

/* --- read and write ------------------------------------------------------------------ */

/* Where the bytes of an FPU register are, or NULL. */
static unsigned fpu_offset(const struct gdb_register *row)
{
	switch (row->kind) {
	case ST:
		return 32u + 16u * row->n;
	case XMM:
		return 160u + 16u * row->n;
	default:
		return row->n;
	}
}

static bool in_fpu(const struct gdb_register *row)
{
	return row->kind == ST || row->kind == XMM || row->kind == FPU_WORD || row->kind == TAGS;
}

static bool read_fpu(const struct ctx *ctx, const struct gdb_register *row, uint8_t *bytes)
{
	uint32_t tags = tags_read(ctx->fxsave);
	memset(bytes, 0, row->size);
	if (row->kind == TAGS)
		memcpy(bytes, &tags, sizeof tags);
	else
		memcpy(bytes, ctx->fxsave + fpu_offset(row), row->width);
	return ctx->fpu_present;
}

/* Outside of 64-bit code the upper halves of the first eight are nobody's, and the others
 * wait. */
static uint64_t read_gpr(const struct ctx *ctx, unsigned n)
{
	return ctx_is_64(ctx) || n >= CTX_R8 ? ctx->gpr[n].r : ctx->gpr[n].e;
}

static uint64_t read_word(const struct ctx *ctx, const struct gdb_register *row)
{
	uint64_t value = 0;
	switch ((enum kind)row->kind) {
	case GPR:
		return read_gpr(ctx, row->n);
	case EIP:
		return gdb_registers_pc(ctx);
	case EFLAGS:
		return (uint32_t)ctx->rflags;
	case SELECTOR:
		return ctx->seg[row->n].selector;
	case OFFSET_IP:
		return ctx->rip;
	case BASE:
		return ctx->seg[row->n].base;
	case STACK:
		return stack_top(ctx);
	case CONTROL:
	case TABLE_LIMIT:
		memcpy(&value, (const uint8_t *)ctx + row->n, row->width);
		return value;
	case ST: case FPU_WORD: case TAGS: case XMM:
		break;
	}
	return 0;
}

/* What does not fit is not there; but a debugger that has no PC cannot go on. */
bool gdb_registers_read(const struct ctx *ctx, enum gdb_set set, unsigned number, uint8_t *bytes)
{
	const struct gdb_register *row = find(set, number);
	if (!row)
		return false;
	if (in_fpu(row))
		return read_fpu(ctx, row, bytes);
	uint64_t value = read_word(ctx, row);
	memcpy(bytes, &value, row->size);
	return row->size == sizeof value || value <= UINT32_MAX || row->kind == EIP;
}

static bool write_fpu(struct ctx *ctx, const struct gdb_register *row, const uint8_t *bytes)
{
	uint32_t tags;
	memcpy(&tags, bytes, sizeof tags);
	if (row->kind == TAGS)
		tags_write(ctx->fxsave, tags);
	/* Reserved bits of MXCSR would fault on the host. */
	else if (row->n == 24 && row->kind == FPU_WORD && tags > 0xffff)
		return false;
	else
		memcpy(ctx->fxsave + fpu_offset(row), bytes, row->width);
	return ctx->fpu_present;
}

/* Bits that the page may hold; bit 1 reads as 1. */
#define EFLAGS_KNOWN 0x3f7fd5u

static bool set_eflags(struct ctx *ctx, uint64_t value)
{
	if ((value ^ ctx->rflags) & CTX_EFLAGS_VM)
		return false;
	ctx->rflags = (value & EFLAGS_KNOWN) | CTX_EFLAGS_R1;
	return true;
}

static bool write_gpr(struct ctx *ctx, unsigned n, uint64_t value)
{
	if (ctx_is_64(ctx) || n >= CTX_R8)
		ctx->gpr[n].r = value;
	else if (value <= UINT32_MAX)
		ctx->gpr[n].e = (uint32_t)value;
	else
		return false;
	return true;
}

static bool write_word(struct ctx *ctx, const struct gdb_register *row, uint64_t value)
{
	uint64_t old = read_word(ctx, row);
	/* One of 32 bits has half of it only. */
	bool half = row->size < sizeof value && old > UINT32_MAX;
	if (half || value == old)
		return !half;
	switch ((enum kind)row->kind) {
	case GPR:
		return write_gpr(ctx, row->n, value);
	case EIP:
		return gdb_registers_set_pc(ctx, value);
	case EFLAGS:
		return set_eflags(ctx, value);
	case SELECTOR:
		return set_selector(ctx, row->n, value);
	case OFFSET_IP:
		return (ctx_is_64(ctx) || value <= UINT32_MAX) && gdb_registers_set_pc(ctx, ctx_linear(ctx, value));
	/* What else hangs on these (mode, hidden parts, caches) would not follow. */
	case BASE: case STACK: case CONTROL: case TABLE_LIMIT:
	case ST: case FPU_WORD: case TAGS: case XMM:
		break;
	}
	return false;
}

bool gdb_registers_write(struct ctx *ctx, enum gdb_set set, unsigned number, const uint8_t *bytes)
{
	const struct gdb_register *row = find(set, number);
	uint64_t value = 0;
	if (!row)
		return false;
	if (in_fpu(row))
		return write_fpu(ctx, row, bytes);
	memcpy(&value, bytes, row->size);
	return write_word(ctx, row, value);
}

/* --- description ------------------------------------------------------------------------ */

static const char flag_types[] =
	"<flags id=\"i386_eflags\" size=\"4\">"
	"<field name=\"CF\" start=\"0\" end=\"0\"/><field name=\"\" start=\"1\" end=\"1\"/>"
	"<field name=\"PF\" start=\"2\" end=\"2\"/><field name=\"AF\" start=\"4\" end=\"4\"/>"
	"<field name=\"ZF\" start=\"6\" end=\"6\"/><field name=\"SF\" start=\"7\" end=\"7\"/>"
	"<field name=\"TF\" start=\"8\" end=\"8\"/><field name=\"IF\" start=\"9\" end=\"9\"/>"
	"<field name=\"DF\" start=\"10\" end=\"10\"/><field name=\"OF\" start=\"11\" end=\"11\"/>"
	"<field name=\"NT\" start=\"14\" end=\"14\"/><field name=\"RF\" start=\"16\" end=\"16\"/>"
	"<field name=\"VM\" start=\"17\" end=\"17\"/><field name=\"AC\" start=\"18\" end=\"18\"/>"
	"<field name=\"VIF\" start=\"19\" end=\"19\"/><field name=\"VIP\" start=\"20\" end=\"20\"/>"
	"<field name=\"ID\" start=\"21\" end=\"21\"/></flags>";

static const char vector_types[] =
	"<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/><vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"
	"<vector id=\"v16i8\" type=\"int8\" count=\"16\"/><vector id=\"v8i16\" type=\"int16\" count=\"8\"/>"
	"<vector id=\"v4i32\" type=\"int32\" count=\"4\"/><vector id=\"v2i64\" type=\"int64\" count=\"2\"/>"
	"<union id=\"vec128\"><field name=\"v4_float\" type=\"v4f\"/><field name=\"v2_double\" type=\"v2d\"/>"
	"<field name=\"v16_int8\" type=\"v16i8\"/><field name=\"v8_int16\" type=\"v8i16\"/>"
	"<field name=\"v4_int32\" type=\"v4i32\"/><field name=\"v2_int64\" type=\"v2i64\"/>"
	"<field name=\"uint128\" type=\"uint128\"/></union>";

const char *gdb_registers_architecture(const struct ctx *ctx)
{
	if (ctx_is_64(ctx))
		return "i386:x86-64";
	return code_is_16(ctx) ? "i8086" : "i386";
}

void gdb_registers_describe(const struct ctx *ctx, GString *xml)
{
	g_string_append_printf(xml, "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\">"
	                       "<target version=\"1.0\"><architecture>%s</architecture><osabi>none</osabi>", gdb_registers_architecture(ctx));
	unsigned number = 0;
	for (unsigned i = 0; i < FEATURES; i++) {
		const struct feature *feature = &features[gdb_registers_set(ctx)][i];
		g_string_append_printf(xml, "<feature name=\"%s\">%s", feature->name, i == 0 ? flag_types : i == 1 ? vector_types : "");
		for (unsigned n = 0; n < feature->count; n++)
			g_string_append_printf(xml, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\" regnum=\"%u\"/>",
			                       feature->registers[n].name, feature->registers[n].size * 8u, feature->registers[n].type, number++);
		g_string_append(xml, "</feature>");
	}
	g_string_append(xml, "</target>");
}
