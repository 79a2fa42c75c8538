#include "shared/ctx.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "shared/engine.h"

#define CTX_FIELD(type, name, offset, group)                                        \
	_Static_assert(offsetof(struct ctx, name) == (offset), #name " moved");         \
	_Static_assert(sizeof((struct ctx *)0)->name == sizeof(type), #name " resized");
#include "shared/ctx_fields.def"
#undef CTX_FIELD

#define AT(name, where) _Static_assert(offsetof(struct ctx, name) == (where), #name " moved")
AT(gpr, 0x080);
AT(seg, 0x110);
AT(gdtr, 0x1d0);
AT(idtr, 0x1e0);
AT(mtrr_fixed, 0x2f0);
AT(mtrr_variable, 0x348);
AT(fxsave, 0x400);
AT(debug, 0x600);
AT(reserved_a48, 0xa48);
#undef AT
_Static_assert(sizeof(union ctx_reg) == 8, "union ctx_reg");
_Static_assert(sizeof(struct ctx_seg) == 24, "struct ctx_seg");
_Static_assert(offsetof(struct ctx_seg, limit) == 8 && offsetof(struct ctx_seg, selector) == 12 &&
               offsetof(struct ctx_seg, access) == 16, "struct ctx_seg");
_Static_assert(sizeof(struct ctx_table) == 16 && offsetof(struct ctx_table, limit) == 8, "struct ctx_table");
_Static_assert(sizeof(struct ctx) == CTX_SIZE, "struct ctx");

/* --- reset ----------------------------------------------------------------- */

#define ACCESS_DATA (CTX_SEG_REAL | CTX_SEG_P | CTX_SEG_S | CTX_SEG_WRITABLE | CTX_SEG_ACCESSED)
#define ACCESS_CODE (ACCESS_DATA | CTX_SEG_CODE)
#define ACCESS_LDT  (CTX_SEG_P | 2u)
#define ACCESS_TSS  (CTX_SEG_P | 11u) /* 32-bit, busy */

static void reset_segments(struct ctx *ctx)
{
	for (unsigned n = 0; n < CTX_SREGS; n++) {
		ctx->seg[n].limit = 0xffff;
		ctx->seg[n].access = ACCESS_DATA;
	}
	ctx->seg[CTX_CS].selector = 0xf000;
	ctx->seg[CTX_CS].base = 0xffff0000;
	ctx->seg[CTX_CS].access = ACCESS_CODE;
	ctx->seg[CTX_LDTR].access = ACCESS_LDT;
	ctx->seg[CTX_TR].access = ACCESS_TSS;
	ctx->gdtr.limit = 0xffff;
	ctx->idtr.limit = 0xffff;
}

/* FXSAVE layout: SDM vol. 1, table 10-2. */
static void reset_fpu(struct ctx *ctx)
{
	ctx->fpu_present = 1;
	ctx->fxsave[0] = 0x40;  /* FCW 0040h, not FNINIT's 037Fh */
	ctx->fxsave[4] = 0xff;  /* FTW 5555h: no register empty */
	ctx->fxsave[24] = 0x80; /* MXCSR 1F80h */
	ctx->fxsave[25] = 0x1f;
}

void ctx_reset(struct ctx *ctx, uint32_t cpu_signature)
{
	memset(ctx, 0, sizeof *ctx);
	ctx->magic = CTX_MAGIC;
	ctx->version = CTX_VERSION;
	ctx->gpr[CTX_RDX].e = cpu_signature;
	ctx->rip = 0xfff0;
	ctx->rflags = CTX_EFLAGS_R1;
	ctx->cr0 = CTX_CR0_CD | CTX_CR0_NW | CTX_CR0_ET;
	ctx->dr6 = 0xffff0ff0;
	ctx->dr7 = 0x400;
	ctx->smbase = 0x30000;
	/* BSP, but not enabled: no model here has a local APIC, and KVM shows one in
	 * CPUID as soon as this says so. */
	ctx->apic_base = 0xfee00100;
	ctx->pat = 0x0007040600070406;
	ctx->mtrr_cap = 0x508; /* 8 variable ranges, the fixed ones, WC */
	reset_segments(ctx);
	reset_fpu(ctx);
}

/* --- check ----------------------------------------------------------------- */

static const char *check_request(const struct ctx *ctx)
{
	if (ctx->request_type > CTX_MMIO)
		return "request_type";
	if (ctx->request_state > CTX_DONE)
		return "request_state";
	if (ctx->stop_reason >= STOP_REASONS)
		return "stop_reason";
	if (ctx->io_size > 8 || (ctx->io_size & (ctx->io_size - 1)))
		return "io_size is not 0, 1, 2, 4 or 8";
	if (ctx->io_is_write > 1)
		return "io_is_write";
	if (ctx->timed > 1)
		return "timed";
	if (ctx->stays > 1)
		return "stays";
	if (ctx->debug.points > DEBUG_POINTS)
		return "debug.points";
	return NULL;
}

static const char *check_event(const struct ctx *ctx)
{
	if (ctx->event_type > CTX_EVENT_SOFT)
		return "event_type";
	if (ctx->event_vector > 255)
		return "event_vector";
	if (ctx->event_has_error > 1)
		return "event_has_error";
	if (ctx->interrupt_shadow > (CTX_SHADOW_STI | CTX_SHADOW_MOV_SS))
		return "interrupt_shadow";
	if (ctx->nmi_masked > 1 || ctx->halted > 1 || ctx->smm > 1)
		return "nmi_masked, halted or smm is neither 0 nor 1";
	if (ctx->fpu_present > 1 || ctx->dr6_kept > 1 || ctx->tlb_kept > 1)
		return "fpu_present, dr6_kept or tlb_kept is neither 0 nor 1";
	if (ctx->smm_map > CTX_SMM_MAP_KVM64)
		return "smm_map";
	if (ctx->smm_nmi_masked > 1)
		return "smm_nmi_masked";
	if (ctx->pending_db & ~0xe00fu)
		return "pending_db";
	return NULL;
}

#define SEG_ACCESS_BITS (0xf0ffu | CTX_SEG_UNUSABLE | CTX_SEG_REAL)

static const char *check_segments(const struct ctx *ctx)
{
	for (unsigned n = 0; n < CTX_SREGS; n++)
		if (ctx->seg[n].access & ~SEG_ACCESS_BITS)
			return "reserved bits in the access word of a segment";
	if (ctx->gdtr.limit > 0xffff || ctx->idtr.limit > 0xffff)
		return "gdtr or idtr limit past FFFF";
	return NULL;
}

#define RFLAGS_BITS 0x3f7fd7u

static const char *check_control(const struct ctx *ctx)
{
	if ((ctx->rflags & ~(uint64_t)RFLAGS_BITS) || !(ctx->rflags & CTX_EFLAGS_R1))
		return "reserved bits in rflags";
	if (ctx->cr0 >> 32 || ctx->cr4 >> 32 || ctx->cr8 > 15)
		return "reserved bits in cr0, cr4 or cr8";
	if ((ctx->cr0 & CTX_CR0_PG) && !(ctx->cr0 & CTX_CR0_PE))
		return "cr0 has PG without PE";
	return NULL;
}

const char *ctx_check(const struct ctx *ctx)
{
	static const char *(*const checks[])(const struct ctx *ctx) = {
		check_request, check_event, check_segments, check_control,
	};
	if (ctx->magic != CTX_MAGIC)
		return "not a context page";
	if (ctx->version != CTX_VERSION)
		return "context page of another version";
	const char *wrong = NULL;
	for (unsigned n = 0; n < sizeof checks / sizeof *checks && !wrong; n++)
		wrong = checks[n](ctx);
	return wrong;
}

/* --- print and diff -------------------------------------------------------- */

enum field_group { GROUP_REQUEST, GROUP_CPU, GROUP_KEPT };

struct field {
	const char *name;
	uint16_t offset;
	uint8_t size;
	uint8_t group;
};

#define FIELD(label, member, group) \
	{ label, offsetof(struct ctx, member), sizeof((struct ctx *)0)->member, group }
#define GPR(name, n) FIELD(name, gpr[n].r, GROUP_CPU)
#define SEG(name, n)                                        \
	FIELD(name ".selector", seg[n].selector, GROUP_CPU), \
	FIELD(name ".base", seg[n].base, GROUP_CPU),         \
	FIELD(name ".limit", seg[n].limit, GROUP_CPU),       \
	FIELD(name ".access", seg[n].access, GROUP_CPU)
#define TABLE(name)                                   \
	FIELD(#name ".base", name.base, GROUP_CPU),    \
	FIELD(#name ".limit", name.limit, GROUP_CPU)
#define MTRR_FIXED(name, n) FIELD("mtrr_fix" name, mtrr_fixed[n], GROUP_CPU)
#define MTRR_VARIABLE(n)                                            \
	FIELD("mtrr_physbase" #n, mtrr_variable[2 * n], GROUP_CPU),  \
	FIELD("mtrr_physmask" #n, mtrr_variable[2 * n + 1], GROUP_CPU)

static const struct field fields[] = {
	GPR("rax", CTX_RAX), GPR("rcx", CTX_RCX), GPR("rdx", CTX_RDX), GPR("rbx", CTX_RBX),
	GPR("rsp", CTX_RSP), GPR("rbp", CTX_RBP), GPR("rsi", CTX_RSI), GPR("rdi", CTX_RDI),
	GPR("r8", CTX_R8), GPR("r9", 9), GPR("r10", 10), GPR("r11", 11),
	GPR("r12", 12), GPR("r13", 13), GPR("r14", 14), GPR("r15", 15),
	SEG("es", CTX_ES), SEG("cs", CTX_CS), SEG("ss", CTX_SS), SEG("ds", CTX_DS),
	SEG("fs", CTX_FS), SEG("gs", CTX_GS), SEG("ldtr", CTX_LDTR), SEG("tr", CTX_TR),
	TABLE(gdtr), TABLE(idtr),
#define CTX_FIELD(type, name, offset, group) FIELD(#name, name, GROUP_##group),
#include "shared/ctx_fields.def"
#undef CTX_FIELD
	MTRR_FIXED("64k_00000", 0), MTRR_FIXED("16k_80000", 1), MTRR_FIXED("16k_a0000", 2),
	MTRR_FIXED("4k_c0000", 3), MTRR_FIXED("4k_c8000", 4), MTRR_FIXED("4k_d0000", 5),
	MTRR_FIXED("4k_d8000", 6), MTRR_FIXED("4k_e0000", 7), MTRR_FIXED("4k_e8000", 8),
	MTRR_FIXED("4k_f0000", 9), MTRR_FIXED("4k_f8000", 10),
	MTRR_VARIABLE(0), MTRR_VARIABLE(1), MTRR_VARIABLE(2), MTRR_VARIABLE(3),
	MTRR_VARIABLE(4), MTRR_VARIABLE(5), MTRR_VARIABLE(6), MTRR_VARIABLE(7),
};

#define FIELDS (sizeof fields / sizeof *fields)
/* What FXSAVE defines; the rest is free for software. */
#define FXSAVE_ROWS 26u

static uint64_t field_value(const struct ctx *ctx, const struct field *field)
{
	uint64_t value = 0;
	memcpy(&value, (const uint8_t *)ctx + field->offset, field->size);
	return value;
}

static void print_row(const struct ctx *ctx, unsigned row, FILE *out)
{
	fputc(' ', out);
	for (unsigned i = 0; i < 16; i++)
		fprintf(out, "%02x", ctx->fxsave[row * 16 + i]);
}

void ctx_print(const struct ctx *ctx, FILE *out)
{
	for (const struct field *field = fields; field < fields + FIELDS; field++)
		if (field->group == GROUP_CPU)
			fprintf(out, "%s %0*" PRIx64 "\n", field->name, field->size * 2, field_value(ctx, field));
	for (unsigned row = 0; ctx->fpu_present && row < FXSAVE_ROWS; row++) {
		fprintf(out, "fxsave.%03x", row * 16);
		print_row(ctx, row, out);
		fputc('\n', out);
	}
}

static unsigned diff_fpu(const struct ctx *a, const struct ctx *b, FILE *out)
{
	unsigned found = 0;
	for (unsigned row = 0; row < FXSAVE_ROWS; row++) {
		if (!memcmp(a->fxsave + row * 16, b->fxsave + row * 16, 16))
			continue;
		fprintf(out, "fxsave.%03x", row * 16);
		print_row(a, row, out);
		print_row(b, row, out);
		fputc('\n', out);
		found++;
	}
	return found;
}

unsigned ctx_diff(const struct ctx *a, const struct ctx *b, FILE *out)
{
	unsigned found = 0;
	for (const struct field *field = fields; field < fields + FIELDS; field++) {
		uint64_t left = field_value(a, field), right = field_value(b, field);
		if (field->group != GROUP_CPU || left == right)
			continue;
		int digits = field->size * 2;
		fprintf(out, "%s %0*" PRIx64 " %0*" PRIx64 "\n", field->name, digits, left, digits, right);
		found++;
	}
	if (a->fpu_present && b->fpu_present)
		found += diff_fpu(a, b, out);
	return found;
}

/* --- mode ------------------------------------------------------------------ */

static bool has_real_segment(const struct ctx *ctx)
{
	for (unsigned n = CTX_ES; n <= CTX_GS; n++)
		if (ctx->seg[n].access & CTX_SEG_REAL)
			return true;
	return false;
}

bool ctx_is_real(const struct ctx *ctx)
{
	return !(ctx->cr0 & CTX_CR0_PE) || (ctx->rflags & CTX_EFLAGS_VM) || has_real_segment(ctx);
}

bool ctx_is_64(const struct ctx *ctx)
{
	return (ctx->efer & CTX_EFER_LMA) && (ctx->seg[CTX_CS].access & CTX_SEG_L);
}

uint64_t ctx_linear(const struct ctx *ctx, uint64_t ip)
{
	return ctx_is_64(ctx) ? ip : (uint32_t)(ctx->seg[CTX_CS].base + ip);
}

static const char *real_mode_name(const struct ctx *ctx)
{
	for (unsigned n = CTX_ES; n <= CTX_GS; n++)
		if (ctx->seg[n].limit > 0xffff)
			return "big-real";
	return "real";
}

const char *ctx_mode_name(const struct ctx *ctx)
{
	uint32_t code = ctx->seg[CTX_CS].access;
	if (!(ctx->cr0 & CTX_CR0_PE))
		return real_mode_name(ctx);
	if (ctx->rflags & CTX_EFLAGS_VM)
		return "vm86";
	if (ctx_is_64(ctx))
		return "pm64";
	return code & CTX_SEG_DB ? "pm32" : "pm16";
}
