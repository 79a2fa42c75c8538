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
#define FPU(name, offset, width) { name, "int", 4, FPU_WORD, offset, width }
#define ST_(n) { "st" #n, "i387_ext", 10, ST, n, 10 }
#define XMM_(n) { "xmm" #n, "vec128", 16, XMM, n, 16 }
#define CTX_(name, field) R32(name, "int", CONTROL, offsetof(struct ctx, field))

static const struct gdb_register core[] = {
	R32("eax", "int32", GPR, CTX_RAX), R32("ecx", "int32", GPR, CTX_RCX),
	R32("edx", "int32", GPR, CTX_RDX), R32("ebx", "int32", GPR, CTX_RBX),
	R32("esp", "data_ptr", GPR, CTX_RSP), R32("ebp", "data_ptr", GPR, CTX_RBP),
	R32("esi", "int32", GPR, CTX_RSI), R32("edi", "int32", GPR, CTX_RDI),
	R32("eip", "code_ptr", EIP, 0), R32("eflags", "i386_eflags", EFLAGS, 0),
	R32("cs", "int32", SELECTOR, CTX_CS), R32("ss", "int32", SELECTOR, CTX_SS),
	R32("ds", "int32", SELECTOR, CTX_DS), R32("es", "int32", SELECTOR, CTX_ES),
	R32("fs", "int32", SELECTOR, CTX_FS), R32("gs", "int32", SELECTOR, CTX_GS),
	ST_(0), ST_(1), ST_(2), ST_(3), ST_(4), ST_(5), ST_(6), ST_(7),
	/* FXSAVE, SDM vol. 1, table 10-2 */
	FPU("fctrl", 0, 2), FPU("fstat", 2, 2), { "ftag", "int", 4, TAGS, 0, 2 }, FPU("fiseg", 12, 2),
	FPU("fioff", 8, 4), FPU("foseg", 20, 2), FPU("fooff", 16, 4), FPU("fop", 6, 2),
};

static const struct gdb_register sse[] = {
	XMM_(0), XMM_(1), XMM_(2), XMM_(3), XMM_(4), XMM_(5), XMM_(6), XMM_(7),
	FPU("mxcsr", 24, 4),
};

static const struct gdb_register system_registers[] = {
	R32("ip", "int32", OFFSET_IP, 0), R32("stack", "data_ptr", STACK, 0),
	R32("cs_base", "data_ptr", BASE, CTX_CS), R32("ss_base", "data_ptr", BASE, CTX_SS),
	R32("ds_base", "data_ptr", BASE, CTX_DS), R32("es_base", "data_ptr", BASE, CTX_ES),
	R32("fs_base", "data_ptr", BASE, CTX_FS), R32("gs_base", "data_ptr", BASE, CTX_GS),
	CTX_("cr0", cr0), CTX_("cr2", cr2), CTX_("cr3", cr3), CTX_("cr4", cr4), CTX_("efer", efer),
	CTX_("gdt_base", gdtr.base), R32("gdt_limit", "int", TABLE_LIMIT, offsetof(struct ctx, gdtr.limit)),
	CTX_("idt_base", idtr.base), R32("idt_limit", "int", TABLE_LIMIT, offsetof(struct ctx, idtr.limit)),
};

static const struct feature {
	const char *name;
	const struct gdb_register *registers;
	unsigned count;
} features[] = {
	{ "org.gnu.gdb.i386.core", core, G_N_ELEMENTS(core) },
	{ "org.gnu.gdb.i386.sse", sse, G_N_ELEMENTS(sse) },
	{ "org.v2e.i386.system", system_registers, G_N_ELEMENTS(system_registers) },
};

static const struct gdb_register *find(unsigned number)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(features); i++) {
		if (number < features[i].count)
			return &features[i].registers[number];
		number -= features[i].count;
	}
	return NULL;
}

unsigned gdb_registers_count(void)
{
	unsigned count = 0;
	for (unsigned i = 0; i < G_N_ELEMENTS(features); i++)
		count += features[i].count;
	return count;
}

unsigned gdb_registers_size(unsigned number)
{
	const struct gdb_register *row = find(number);
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

uint32_t gdb_registers_pc(const struct ctx *ctx)
{
	return (uint32_t)ctx->seg[CTX_CS].base + (uint32_t)ctx->rip;
}

bool gdb_registers_set_pc(struct ctx *ctx, uint32_t linear)
{
	uint32_t ip = linear - (uint32_t)ctx->seg[CTX_CS].base;
	if (ip > ctx->seg[CTX_CS].limit)
		return false;
	ctx->rip = ip;
	return true;
}

static bool set_selector(struct ctx *ctx, unsigned sreg, uint32_t value)
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

static uint32_t stack_top(const struct ctx *ctx)
{
	const struct ctx_seg *ss = &ctx->seg[CTX_SS];
	uint32_t esp = ctx->gpr[CTX_RSP].e;
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

static uint32_t read_word(const struct ctx *ctx, const struct gdb_register *row)
{
	uint32_t value = 0;
	switch ((enum kind)row->kind) {
	case GPR:
		return ctx->gpr[row->n].e;
	case EIP:
		return gdb_registers_pc(ctx);
	case EFLAGS:
		return (uint32_t)ctx->rflags;
	case SELECTOR:
		return ctx->seg[row->n].selector;
	case OFFSET_IP:
		return (uint32_t)ctx->rip;
	case BASE:
		return (uint32_t)ctx->seg[row->n].base;
	case STACK:
		return stack_top(ctx);
	case CONTROL:
	case TABLE_LIMIT:
		memcpy(&value, (const uint8_t *)ctx + row->n, sizeof value);
		return value;
	case ST: case FPU_WORD: case TAGS: case XMM:
		break;
	}
	return 0;
}

bool gdb_registers_read(const struct ctx *ctx, unsigned number, uint8_t *bytes)
{
	const struct gdb_register *row = find(number);
	if (!row)
		return false;
	if (in_fpu(row))
		return read_fpu(ctx, row, bytes);
	uint32_t value = read_word(ctx, row);
	memcpy(bytes, &value, sizeof value);
	return true;
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

static bool set_eflags(struct ctx *ctx, uint32_t value)
{
	if ((value ^ ctx->rflags) & CTX_EFLAGS_VM)
		return false;
	ctx->rflags = (value & EFLAGS_KNOWN) | CTX_EFLAGS_R1;
	return true;
}

static bool write_word(struct ctx *ctx, const struct gdb_register *row, uint32_t value)
{
	if (value == read_word(ctx, row))
		return true;
	switch ((enum kind)row->kind) {
	case GPR:
		ctx->gpr[row->n].e = value;
		return true;
	case EIP:
		return gdb_registers_set_pc(ctx, value);
	case EFLAGS:
		return set_eflags(ctx, value);
	case SELECTOR:
		return set_selector(ctx, row->n, value);
	case OFFSET_IP:
		return gdb_registers_set_pc(ctx, (uint32_t)ctx->seg[CTX_CS].base + value);
	/* What else hangs on these (mode, hidden parts, caches) would not follow. */
	case BASE: case STACK: case CONTROL: case TABLE_LIMIT:
	case ST: case FPU_WORD: case TAGS: case XMM:
		break;
	}
	return false;
}

bool gdb_registers_write(struct ctx *ctx, unsigned number, const uint8_t *bytes)
{
	const struct gdb_register *row = find(number);
	uint32_t value;
	if (!row)
		return false;
	if (in_fpu(row))
		return write_fpu(ctx, row, bytes);
	memcpy(&value, bytes, sizeof value);
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
	return code_is_16(ctx) ? "i8086" : "i386";
}

void gdb_registers_describe(const struct ctx *ctx, GString *xml)
{
	g_string_append_printf(xml, "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\">"
	                       "<target version=\"1.0\"><architecture>%s</architecture><osabi>none</osabi>", gdb_registers_architecture(ctx));
	unsigned number = 0;
	for (unsigned i = 0; i < G_N_ELEMENTS(features); i++) {
		const struct feature *feature = &features[i];
		g_string_append_printf(xml, "<feature name=\"%s\">%s", feature->name, i == 0 ? flag_types : i == 1 ? vector_types : "");
		for (unsigned n = 0; n < feature->count; n++)
			g_string_append_printf(xml, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\" regnum=\"%u\"/>",
			                       feature->registers[n].name, feature->registers[n].size * 8u, feature->registers[n].type, number++);
		g_string_append(xml, "</feature>");
	}
	g_string_append(xml, "</target>");
}
