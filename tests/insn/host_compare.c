#include "tests/insn/host_compare.h"

#include <string.h>

#define FLAGS_ARITH (CTX_EFLAGS_OF | CTX_EFLAGS_SF | CTX_EFLAGS_ZF | CTX_EFLAGS_AF | CTX_EFLAGS_PF | CTX_EFLAGS_CF)
#define FLAGS_COMPARED (FLAGS_ARITH | CTX_EFLAGS_DF | CTX_EFLAGS_TF | CTX_EFLAGS_NT | CTX_EFLAGS_IOPL | CTX_EFLAGS_AC)

/* --- which flags count ------------------------------------------------------------------- */

static unsigned shift_count(const struct generated *generated)
{
	const struct insn *insn = &generated->insn;
	bool imm = insn->operands == OPERANDS_RM_IMM || insn->operands == OPERANDS_REG_RM_IMM;
	return (imm ? insn->imm : generated->state.gpr[CTX_RCX]) & 31;
}

/* Refines the row's mask by the count (SDM vol. 2, the shifts and rotates). */
static uint32_t undefined_by_count(const struct generated *generated, uint32_t undefined)
{
	const struct insn *insn = &generated->insn;
	unsigned count = shift_count(generated);
	switch (insn->op) {
	case OP_rol: case OP_ror: case OP_rcl: case OP_rcr:
		return count > 1 ? undefined : 0;
	case OP_shl: case OP_shr: case OP_sar: case OP_shld: case OP_shrd:
		if (!count)
			return 0;
		undefined = CTX_EFLAGS_AF | (count > 1 && insn->op != OP_sar ? CTX_EFLAGS_OF : 0u);
		return insn->op != OP_sar && count >= 8 * insn->size ? undefined | CTX_EFLAGS_CF : undefined;
	default:
		return undefined;
	}
}

static uint32_t compared_flags(const struct generated *generated, const struct native_end *end)
{
	uint32_t undefined = op_rows[generated->insn.op].flags_undefined;
	bool completed = end->state.eip != generated->state.eip;
	return FLAGS_COMPARED & ~(completed || end->vector == 0 || undefined == FLAGS_ARITH ? undefined_by_count(generated, undefined) : 0);
}

/* --- comparing ------------------------------------------------------------------------------ */

static void compare(GString *text, const char *name, uint32_t got, uint32_t want)
{
	if (got != want)
		g_string_append_printf(text, " %s %x, not %x;", name, got, want);
}

/* The kernel's IRET on the way to the signal handler makes each null selector 0. */
static uint16_t plain_null(uint16_t selector) { return selector & 0xfffc ? selector : 0; }

static void compare_state(GString *text, const struct native_state *got, const struct native_state *want, uint32_t flags)
{
	static const char *const gprs[8] = { "eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi" };
	static const char *const sregs[6] = { "es", "cs", "ss", "ds", "fs", "gs" };
	for (unsigned i = 0; i < 8; i++)
		compare(text, gprs[i], got->gpr[i], want->gpr[i]);
	compare(text, "eip", got->eip, want->eip);
	compare(text, "eflags", got->eflags & flags, want->eflags & flags);
	for (unsigned i = 0; i < 6; i++)
		compare(text, sregs[i], plain_null(got->sreg[i]), plain_null(want->sreg[i]));
}

/* --- x87, MMX, SSE ---------------------------------------------------------------------------- */

static uint32_t field(const uint8_t *image, unsigned at, unsigned size)
{
	uint32_t value = 0;
	memcpy(&value, image + at, size);
	return value;
}

static void compare_bytes(GString *text, const char *name, unsigned number, const uint8_t *got, const uint8_t *want, unsigned size)
{
	if (!memcmp(got, want, size))
		return;
	g_string_append_printf(text, " %s%u ", name, number);
	for (unsigned i = size; i-- > 0;)
		g_string_append_printf(text, "%02x", got[i]);
	g_string_append(text, ", not ");
	for (unsigned i = size; i-- > 0;)
		g_string_append_printf(text, "%02x", want[i]);
	g_string_append(text, ";");
}

/* FOP, FIP and FDP: hosts keep them only for an error that is not masked (SDM vol. 1,
 * 8.1.9; APM vol. 2, 11.5.3), and the selectors not at all. */
static void compare_pointers(GString *text, const uint8_t *got, const uint8_t *want)
{
	if (!(field(want, IMAGE_FSW, 2) & 0x80))
		return;
	compare(text, "fop", field(got, IMAGE_FOP, 2), field(want, IMAGE_FOP, 2));
	compare(text, "fip", field(got, IMAGE_FIP, 4), field(want, IMAGE_FIP, 4));
	compare(text, "fdp", field(got, IMAGE_FDP, 4), field(want, IMAGE_FDP, 4));
}

static void compare_fpu(GString *text, const uint8_t *got, const uint8_t *want)
{
	compare(text, "fcw", field(got, IMAGE_FCW, 2), field(want, IMAGE_FCW, 2));
	compare(text, "fsw", field(got, IMAGE_FSW, 2), field(want, IMAGE_FSW, 2));
	compare(text, "ftw", got[IMAGE_FTW], want[IMAGE_FTW]);
	compare(text, "mxcsr", field(got, IMAGE_MXCSR, 4), field(want, IMAGE_MXCSR, 4));
	compare_pointers(text, got, want);
	for (unsigned i = 0; i < 8; i++) {
		compare_bytes(text, "st", i, got + IMAGE_ST + 16 * i, want + IMAGE_ST + 16 * i, 10);
		compare_bytes(text, "xmm", i, got + IMAGE_XMM + 16 * i, want + IMAGE_XMM + 16 * i, 16);
	}
}

/* --- all ---------------------------------------------------------------------------------------- */

static void compare_memory(GString *text, const uint8_t *got)
{
	const uint8_t *want = native_data();
	if (!memcmp(got, want, NATIVE_DATA_SIZE))
		return;
	unsigned shown = 0;
	for (unsigned i = 0; i < NATIVE_DATA_SIZE && shown < 8; i++)
		if (got[i] != want[i]) {
			g_string_append_printf(text, " [%x] %x, not %x;", i, got[i], want[i]);
			shown++;
		}
}

char *host_compare(const struct host_case *compared)
{
	const struct native_end *got = &compared->got, *want = &compared->want;
	GString *text = g_string_new(NULL);
	if (want->timeout || got->timeout) {
		if (want->timeout != got->timeout)
			g_string_append(text, want->timeout ? " the host goes on;" : " the emulator goes on;");
	} else {
		compare(text, "vector", got->vector, want->vector);
		compare(text, "error", got->error, want->error);
		compare_state(text, &got->state, &want->state, compared_flags(compared->generated, want) & ~compared->flags_ignored);
		compare_fpu(text, got->state.fpu, want->state.fpu);
		compare_memory(text, compared->memory);
	}
	bool same = !text->len;
	char *result = g_string_free(text, same);
	return same ? NULL : result;
}
