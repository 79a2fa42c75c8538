#include <check.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "shared/ctx.h"
#include "shared/engine.h"

#define SIGNATURE 0x0633u

static struct ctx page;

static void setup(void)
{
	memset(&page, 0xa5, sizeof page);
	ctx_reset(&page, SIGNATURE);
}

static char *print(const struct ctx *ctx)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	ctx_print(ctx, out);
	fclose(out);
	return text;
}

static unsigned diff(const struct ctx *a, const struct ctx *b, char **text)
{
	size_t size;
	FILE *out = open_memstream(text, &size);
	unsigned found = ctx_diff(a, b, out);
	fclose(out);
	return found;
}

START_TEST(reset_is_power_on)
{
	ck_assert_uint_eq(page.magic, CTX_MAGIC);
	ck_assert_uint_eq(page.version, CTX_VERSION);
	ck_assert_ptr_null(ctx_check(&page));
	ck_assert_uint_eq(page.rip, 0xfff0);
	ck_assert_uint_eq(page.rflags, 2);
	ck_assert_uint_eq(page.cr0, 0x60000010);
	ck_assert_uint_eq(page.gpr[CTX_RDX].r, SIGNATURE);
	ck_assert_uint_eq(page.gpr[CTX_RAX].r, 0);
	ck_assert_uint_eq(page.dr6, 0xffff0ff0);
	ck_assert_uint_eq(page.dr7, 0x400);
	ck_assert_uint_eq(page.smbase, 0x30000);
	ck_assert_uint_eq(page.gdtr.limit, 0xffff);
	ck_assert_uint_eq(page.idtr.limit, 0xffff);
	ck_assert_uint_eq(page.sequence, 0);
	ck_assert_uint_eq(page.request_state, CTX_IDLE);
	ck_assert_str_eq(ctx_mode_name(&page), "real");
	ck_assert(ctx_is_real(&page));
}
END_TEST

START_TEST(reset_segments)
{
	ck_assert_uint_eq(page.seg[CTX_CS].selector, 0xf000);
	ck_assert_uint_eq(page.seg[CTX_CS].base, 0xffff0000);
	ck_assert_uint_eq(page.seg[CTX_CS].access, 0x9b | CTX_SEG_REAL);
	for (unsigned n = 0; n < CTX_SREGS; n++)
		ck_assert_uint_eq(page.seg[n].limit, 0xffff);
	for (unsigned n = CTX_SS; n <= CTX_GS; n++) {
		ck_assert_uint_eq(page.seg[n].access, 0x93 | CTX_SEG_REAL);
		ck_assert_uint_eq(page.seg[n].base, 0);
	}
	ck_assert_uint_eq(page.seg[CTX_LDTR].access, 0x82);
	ck_assert_uint_eq(page.seg[CTX_TR].access, 0x8b);
}
END_TEST

START_TEST(reset_fpu)
{
	uint16_t control;
	uint32_t mxcsr;
	memcpy(&control, page.fxsave, 2);
	memcpy(&mxcsr, page.fxsave + 24, 4);
	ck_assert_uint_eq(page.fpu_present, 1);
	ck_assert_uint_eq(control, 0x40);
	ck_assert_uint_eq(page.fxsave[4], 0xff);
	ck_assert_uint_eq(mxcsr, 0x1f80);
}
END_TEST

/* A value that no page may carry, by its place. */
static const struct {
	const char *name;
	size_t offset;
	uint32_t value;
} nonsense[] = {
	{ "magic", offsetof(struct ctx, magic), 0 },
	{ "version", offsetof(struct ctx, version), CTX_VERSION + 1 },
	{ "request_type", offsetof(struct ctx, request_type), CTX_MMIO + 1 },
	{ "request_state", offsetof(struct ctx, request_state), CTX_DONE + 1 },
	{ "stop_reason", offsetof(struct ctx, stop_reason), STOP_REASONS },
	{ "io_size 3", offsetof(struct ctx, io_size), 3 },
	{ "io_size 16", offsetof(struct ctx, io_size), 16 },
	{ "io_is_write", offsetof(struct ctx, io_is_write), 2 },
	{ "timed", offsetof(struct ctx, timed), 2 },
	{ "event_type", offsetof(struct ctx, event_type), CTX_EVENT_SOFT + 1 },
	{ "event_vector", offsetof(struct ctx, event_vector), 256 },
	{ "event_has_error", offsetof(struct ctx, event_has_error), 2 },
	{ "interrupt_shadow", offsetof(struct ctx, interrupt_shadow), 4 },
	{ "nmi_masked", offsetof(struct ctx, nmi_masked), 2 },
	{ "halted", offsetof(struct ctx, halted), 2 },
	{ "smm", offsetof(struct ctx, smm), 2 },
	{ "pending_db", offsetof(struct ctx, pending_db), 0x10 },
	{ "smm_map", offsetof(struct ctx, smm_map), 3 },
	{ "smm_nmi_masked", offsetof(struct ctx, smm_nmi_masked), 2 },
	{ "fpu_present", offsetof(struct ctx, fpu_present), 2 },
	{ "dr6_kept", offsetof(struct ctx, dr6_kept), 2 },
	{ "tlb_kept", offsetof(struct ctx, tlb_kept), 2 },
	{ "access", offsetof(struct ctx, seg[CTX_GS].access), 0x100 },
	{ "gdtr", offsetof(struct ctx, gdtr.limit), 0x10000 },
	{ "idtr", offsetof(struct ctx, idtr.limit), 0x10000 },
	{ "rflags bit 1", offsetof(struct ctx, rflags), 0 },
	{ "rflags bit 3", offsetof(struct ctx, rflags), 0xa },
	{ "cr0 high", offsetof(struct ctx, cr0) + 4, 1 },
	{ "cr0 PG without PE", offsetof(struct ctx, cr0), CTX_CR0_PG },
	{ "cr4 high", offsetof(struct ctx, cr4) + 4, 1 },
	{ "cr8", offsetof(struct ctx, cr8), 16 },
};
#define NONSENSE ((int)(sizeof nonsense / sizeof *nonsense))

START_TEST(check_refuses)
{
	memcpy((uint8_t *)&page + nonsense[_i].offset, &nonsense[_i].value, 4);
	ck_assert_msg(ctx_check(&page), "%s", nonsense[_i].name);
}
END_TEST

START_TEST(check_takes_the_limits)
{
	page.request_type = CTX_MMIO;
	page.request_state = CTX_DONE;
	page.stop_reason = STOP_REASONS - 1;
	page.io_size = 8;
	page.event_type = CTX_EVENT_SOFT;
	page.event_vector = 255;
	page.interrupt_shadow = CTX_SHADOW_STI | CTX_SHADOW_MOV_SS;
	page.seg[CTX_ES].access = 0xf0ff | CTX_SEG_UNUSABLE | CTX_SEG_REAL;
	page.rflags = 0x3f7fd7;
	page.cr0 = CTX_CR0_PG | CTX_CR0_PE;
	page.pending_db = 0xe00f;
	ck_assert_ptr_null(ctx_check(&page));
}
END_TEST

START_TEST(mode_names)
{
	page.seg[CTX_DS].limit = 0xffffffff;
	ck_assert_str_eq(ctx_mode_name(&page), "big-real");
	page.cr0 |= CTX_CR0_PE;
	ck_assert_str_eq(ctx_mode_name(&page), "pm16");
	page.seg[CTX_CS].access |= CTX_SEG_DB;
	ck_assert_str_eq(ctx_mode_name(&page), "pm32");
	page.rflags |= CTX_EFLAGS_VM;
	ck_assert_str_eq(ctx_mode_name(&page), "vm86");
	page.rflags = 2;
	page.efer = CTX_EFER_LMA;
	page.seg[CTX_CS].access = 0xa09b;
	ck_assert_str_eq(ctx_mode_name(&page), "pm64");
}
END_TEST

START_TEST(real_until_last_segment)
{
	page.cr0 |= CTX_CR0_PE;
	for (unsigned n = CTX_ES; n <= CTX_GS; n++) {
		ck_assert_msg(ctx_is_real(&page), "with %u segments loaded", n);
		page.seg[n].access &= ~CTX_SEG_REAL;
	}
	ck_assert(!ctx_is_real(&page));
	page.seg[CTX_TR].access |= CTX_SEG_REAL;
	ck_assert(!ctx_is_real(&page));
	page.rflags |= CTX_EFLAGS_VM;
	ck_assert(ctx_is_real(&page));
}
END_TEST

START_TEST(print_has_all)
{
	static const char *const lines[] = {
		"rdx 0000000000000633\n", "rip 000000000000fff0\n", "cs.base 00000000ffff0000\n",
		"cs.selector f000\n", "gs.access 00020093\n", "tr.limit 0000ffff\n", "idtr.limit 0000ffff\n",
		"cr0 0000000060000010\n", "smbase 00030000\n", "mtrr_physmask7 ", "mtrr_fix4k_f8000 ",
		"r15 ", "fxsave.000 4000", "fxsave.190 ",
	};
	char *text = print(&page);
	for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++)
		ck_assert_msg(strstr(text, lines[i]), "no %s in\n%s", lines[i], text);
	ck_assert_ptr_null(strstr(text, "request"));
	free(text);
	page.fpu_present = 0;
	text = print(&page);
	ck_assert_ptr_null(strstr(text, "fxsave"));
	free(text);
}
END_TEST

START_TEST(diff_of_equals)
{
	struct ctx other = page;
	char *text;
	other.insns_run = 7;
	other.stop_reason = STOP_HALT;
	other.sequence = 3;
	ck_assert_uint_eq(diff(&page, &other, &text), 0);
	ck_assert_str_eq(text, "");
	free(text);
}
END_TEST

START_TEST(diff_names_fields)
{
	struct ctx other = page;
	char *text;
	other.gpr[CTX_RBP].r = 0x1234;
	other.seg[CTX_SS].selector = 0x10;
	other.mtrr_variable[3] = 1;
	other.fxsave[160] = 9;
	ck_assert_uint_eq(diff(&page, &other, &text), 4);
	ck_assert(strstr(text, "rbp 0000000000000000 0000000000001234\n"));
	ck_assert(strstr(text, "ss.selector 0000 0010\n"));
	ck_assert(strstr(text, "mtrr_physmask1 "));
	ck_assert(strstr(text, "fxsave.0a0 "));
	free(text);
	other.fpu_present = 0;
	ck_assert_uint_eq(diff(&page, &other, &text), 3);
	free(text);
}
END_TEST

/* Each byte that is CPU state shows in the diff: nothing is forgotten. */
START_TEST(diff_sees_each_byte)
{
	static const struct { unsigned first, last; } state[] = {
		{ 0x080, 0x110 }, { 0x1f0, 0x278 }, { 0x280, 0x3e4 }, { 0x400, 0x400 + 416 },
	};
	FILE *sink = fopen("/dev/null", "w");
	for (unsigned n = 0; n < sizeof state / sizeof *state; n++)
		for (unsigned at = state[n].first; at < state[n].last; at++) {
			struct ctx other = page;
			((uint8_t *)&other)[at] ^= 1;
			ck_assert_msg(ctx_diff(&page, &other, sink) == 1, "byte %03x", at);
		}
	fclose(sink);
}
END_TEST

START_TEST(stop_names)
{
	for (unsigned n = 0; n < STOP_REASONS; n++) {
		ck_assert_str_ne(stop_reason_name(n), "unknown");
		for (unsigned other = 0; other < n; other++)
			ck_assert_str_ne(stop_reason_name(n), stop_reason_name(other));
	}
	ck_assert_str_eq(stop_reason_name(STOP_REASONS), "unknown");
}
END_TEST

Suite *suite_ctx(void)
{
	Suite *suite = suite_create("ctx");
	TCase *tcase = tcase_create("ctx");
	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, reset_is_power_on);
	tcase_add_test(tcase, reset_segments);
	tcase_add_test(tcase, reset_fpu);
	tcase_add_loop_test(tcase, check_refuses, 0, NONSENSE);
	tcase_add_test(tcase, check_takes_the_limits);
	tcase_add_test(tcase, mode_names);
	tcase_add_test(tcase, real_until_last_segment);
	tcase_add_test(tcase, print_has_all);
	tcase_add_test(tcase, diff_of_equals);
	tcase_add_test(tcase, diff_names_fields);
	tcase_add_test(tcase, diff_sees_each_byte);
	tcase_add_test(tcase, stop_names);
	suite_add_tcase(suite, tcase);
	return suite;
}
