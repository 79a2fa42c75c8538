/* host [--cases N] [--seed S] [--case N]: random instructions and states on the
 * host's own CPU and on the emulator; registers, memory, defined flags and how it
 * ended must be the same. A failure prints the command that repeats it. */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "tests/insn/coverage.h"
#include "tests/insn/generate.h"
#include "tests/insn/user.h"

#define FLAGS_ARITH (CTX_EFLAGS_OF | CTX_EFLAGS_SF | CTX_EFLAGS_ZF | CTX_EFLAGS_AF | CTX_EFLAGS_PF | CTX_EFLAGS_CF)
#define FLAGS_COMPARED (FLAGS_ARITH | CTX_EFLAGS_DF | CTX_EFLAGS_TF | CTX_EFLAGS_NT | CTX_EFLAGS_IOPL)

/* Memory starts anew so often, so that a case can be repeated alone. */
#define BATCH 256

static gint64 cases = 200000, seed = 1, only = -1;
static gint show = 20;
static const GOptionEntry options[] = {
	{ "cases", 0, 0, G_OPTION_ARG_INT64, &cases, "how many (200000)", "N" },
	{ "seed", 0, 0, G_OPTION_ARG_INT64, &seed, "of the numbers (1)", "S" },
	{ "case", 0, 0, G_OPTION_ARG_INT64, &only, "run only this one", "N" },
	{ "show", 0, 0, G_OPTION_ARG_INT, &show, "failures to show (20)", "N" },
	{ NULL, 0, 0, 0, NULL, NULL, NULL },
};

struct oracle {
	struct machine *machine;
	struct decoder *decoder;
	unsigned long passed, failed, timeouts;
};

static void fill_memory(struct random *random)
{
	uint8_t *data = native_data();
	for (unsigned i = 0; i < NATIVE_DATA_SIZE; i += 4) {
		uint32_t value = random_value(random);
		memcpy(data + i, &value, 4);
	}
	memset(native_code(), 0xf4, NATIVE_CODE_SIZE);
}

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

/* Rounds in a row after which the emulator lets interrupts in. */
#define ROUNDS 4096u

/* A fault gives back the FLAGS from where the repetition last went on, which after
 * an interrupt is not its start (SDM vol. 2, REP). */
static bool resumed(const struct generated *generated, const struct native_end *end)
{
	uint32_t rounds = generated->state.gpr[CTX_RCX] - end->state.gpr[CTX_RCX];
	bool compares = generated->insn.op == OP_cmps || generated->insn.op == OP_scas;
	return compares && (rounds & generated->insn.addr_mask) >= ROUNDS;
}

static uint32_t compared_flags(const struct generated *generated, const struct native_end *end)
{
	uint32_t undefined = op_rows[generated->insn.op].flags_undefined;
	bool completed = end->state.eip != generated->state.eip;
	if (!completed && resumed(generated, end))
		undefined = FLAGS_ARITH;
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
	static const char *const names[8] = { "eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi" };
	for (unsigned i = 0; i < 8; i++)
		compare(text, names[i], got->gpr[i], want->gpr[i]);
	compare(text, "eip", got->eip, want->eip);
	compare(text, "eflags", got->eflags & flags, want->eflags & flags);
	compare(text, "cs", got->cs, want->cs);
	compare(text, "ss", got->ss, want->ss);
	compare(text, "ds", plain_null(got->ds), plain_null(want->ds));
	compare(text, "es", plain_null(got->es), plain_null(want->es));
}

/* Hosts keep what POPA read before it met the limit. */
static bool popa_faulted(const struct generated *generated, const struct native_end *end)
{
	return generated->insn.op == OP_popa && end->state.eip == generated->state.eip;
}

/* Hosts push the return address before they find that the target is outside the
 * segment; the SDM checks first (vol. 2, CALL). */
static bool call_faulted(const struct generated *generated, const struct native_end *end)
{
	switch (generated->insn.op) {
	case OP_call: case OP_call_rm: case OP_call_far: case OP_call_far_mem:
		return end->state.eip == generated->state.eip;
	default:
		return false;
	}
}

/* Two operands outside their segments: the order of the two is the host's own. */
static bool two_faults(const struct generated *generated, const struct native_end *got, const struct native_end *want)
{
	bool limits = got->vector + want->vector == 12 + 13;
	return limits && (call_faulted(generated, want) || generated->insn.op == OP_cmps);
}

/* What may have been pushed there is taken over from the emulator. */
static void forget_pushed(const struct machine *machine, const struct native_state *state)
{
	uint32_t mask = state->ss == NATIVE_SELECTOR(NATIVE_DATA16) ? 0xffff : 0xffffffff;
	for (uint32_t i = 1; i <= 8; i++) {
		uint32_t at = (state->gpr[CTX_RSP] - i) & mask;
		if (at < NATIVE_DATA_SIZE)
			native_data()[at] = user_data(machine)[at];
	}
}

static void compare_memory(GString *text, const struct machine *machine)
{
	const uint8_t *got = user_data(machine), *want = native_data();
	if (!memcmp(got, want, NATIVE_DATA_SIZE))
		return;
	unsigned shown = 0;
	for (unsigned i = 0; i < NATIVE_DATA_SIZE && shown < 8; i++)
		if (got[i] != want[i]) {
			g_string_append_printf(text, " [%x] %x, not %x;", i, got[i], want[i]);
			shown++;
		}
}

static void print_failure(const struct oracle *oracle, const struct generated *generated, gint64 number, const char *text)
{
	const struct native_state *state = &generated->state;
	char name[96];
	bool code32 = state->cs == NATIVE_SELECTOR(NATIVE_CODE32);
	decode_print(oracle->decoder, generated->bytes, generated->length, code32, state->eip, name, sizeof name);
	printf("FAILED: host --seed %" G_GINT64_FORMAT " --case %" G_GINT64_FORMAT ": %s (%u-bit", seed, number, name, code32 ? 32 : 16);
	for (size_t i = 0; i < generated->length; i++)
		printf(" %02x", generated->bytes[i]);
	printf(") eax=%x ecx=%x edx=%x ebx=%x esp=%x ebp=%x esi=%x edi=%x eip=%x eflags=%x ss=%x es=%x:%s\n",
	       state->gpr[0], state->gpr[1], state->gpr[2], state->gpr[3], state->gpr[4], state->gpr[5], state->gpr[6],
	       state->gpr[7], state->eip, state->eflags, state->ss, state->es, text);
}

/* --- one case ------------------------------------------------------------------------------- */

static void load_case(const struct generated *generated)
{
	memcpy(native_data() + generated->poke_at, generated->poke, generated->poke_size);
	memcpy(native_code() + generated->state.eip, generated->bytes, GENERATE_MAX);
}

static void run_case(struct oracle *oracle, const struct generated *generated, gint64 number)
{
	struct native_end want, got;
	GString *text = g_string_new(NULL);
	load_case(generated);
	user_load(oracle->machine, native_code(), native_data());
	native_run(&generated->state, &want);
	user_run(oracle->machine, &generated->state, &got);
	memset(native_code() + generated->state.eip, 0xf4, GENERATE_MAX);
	if (want.timeout || got.timeout) {
		oracle->timeouts++;
		if (want.timeout != got.timeout)
			g_string_append(text, want.timeout ? " the host goes on;" : " the emulator goes on;");
	} else {
		if (!two_faults(generated, &got, &want))
			compare(text, "vector", got.vector, want.vector);
		compare(text, "error", got.error, want.error);
		if (popa_faulted(generated, &want))
			memcpy(got.state.gpr, want.state.gpr, sizeof got.state.gpr);
		compare_state(text, &got.state, &want.state, compared_flags(generated, &want));
		if (call_faulted(generated, &want))
			forget_pushed(oracle->machine, &generated->state);
		compare_memory(text, oracle->machine);
	}
	if (!text->len)
		oracle->passed++;
	else if (oracle->failed++ < (unsigned long)show)
		print_failure(oracle, generated, number, text->str);
	g_string_free(text, true);
}

static void run_cases(struct oracle *oracle, gint64 first, gint64 end)
{
	for (gint64 number = first - first % BATCH; number < end; number++) {
		struct random random;
		struct generated generated;
		if (number % BATCH == 0) {
			random_seed(&random, (uint64_t)seed, (uint64_t)number | 1ull << 63);
			fill_memory(&random);
		}
		random_seed(&random, (uint64_t)seed, (uint64_t)number);
		while (!generate(&generated, &random, oracle->decoder))
			;
		run_case(oracle, &generated, number);
	}
}

static int finish(const struct oracle *oracle)
{
	if (oracle->timeouts)
		printf("%lu cases did not end on either side\n", oracle->timeouts);
	printf("%lu passed, %lu failed, 0 skipped\n", oracle->passed, oracle->failed);
	return oracle->failed ? 1 : 0;
}

int main(int argc, char **argv)
{
	GError *error = NULL;
	char *message = NULL;
	const char *reason;
	GOptionContext *context = g_option_context_new(NULL);
	g_option_context_add_main_entries(context, options, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		fprintf(stderr, "host: %s\n", error->message);
		return 2;
	}
	g_option_context_free(context);
	coverage_init();
	if (!native_init(&reason)) {
		printf("skipped: the host's CPU as oracle: %s\n0 passed, 0 failed, 1 skipped\n", reason);
		return 77;
	}
	struct oracle oracle = { user_machine_new(), decoder_new(EMU_CPU_P6, &message), 0, 0, 0 };
	if (only >= 0)
		run_cases(&oracle, only, only + 1);
	else
		run_cases(&oracle, 0, cases);
	decoder_free(oracle.decoder);
	machine_free(oracle.machine);
	return finish(&oracle);
}
