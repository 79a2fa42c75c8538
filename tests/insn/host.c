/* host [--cases N] [--seed S] [--case N] [--jit MODE]: random instructions and states on the
 * host's own CPU and on the emulator; registers, memory, defined flags and how it
 * ended must be the same. A failure prints the command that repeats it. */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "tests/insn/coverage.h"
#include "tests/insn/generate.h"
#include "tests/insn/host_compare.h"
#include "tests/insn/host_rules.h"
#include "tests/insn/user.h"

/* Memory starts anew so often, so that a case can be repeated alone. */
#define BATCH 256

static gint64 cases = 200000, seed = 1, only = -1;
static gint show = 20;
static char *jit_name;
static enum emu_jit jit;
static const GOptionEntry options[] = {
	{ "cases", 0, 0, G_OPTION_ARG_INT64, &cases, "how many (200000)", "N" },
	{ "seed", 0, 0, G_OPTION_ARG_INT64, &seed, "of the numbers (1)", "S" },
	{ "case", 0, 0, G_OPTION_ARG_INT64, &only, "run only this one", "N" },
	{ "show", 0, 0, G_OPTION_ARG_INT, &show, "failures to show (20)", "N" },
	{ "jit", 0, 0, G_OPTION_ARG_STRING, &jit_name, "off, on, or always (off)", "MODE" },
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

static void print_failure(const struct oracle *oracle, const struct generated *generated, gint64 number, const char *text)
{
	const struct native_state *state = &generated->state;
	char name[96];
	bool code32 = state->sreg[CTX_CS] == NATIVE_SELECTOR(NATIVE_CODE32);
	decode_print(oracle->decoder, generated->bytes, generated->length, code32, state->eip, name, sizeof name);
	printf("FAILED: host --seed %" G_GINT64_FORMAT " --case %" G_GINT64_FORMAT "%s%s: %s (%u-bit", seed, number,
	       jit_name ? " --jit " : "", jit_name ? jit_name : "", name, code32 ? 32 : 16);
	for (size_t i = 0; i < generated->length; i++)
		printf(" %02x", generated->bytes[i]);
	printf(") eax=%x ecx=%x edx=%x ebx=%x esp=%x ebp=%x esi=%x edi=%x eip=%x eflags=%x es=%x ss=%x ds=%x fs=%x gs=%x:%s\n",
	       state->gpr[0], state->gpr[1], state->gpr[2], state->gpr[3], state->gpr[4], state->gpr[5], state->gpr[6],
	       state->gpr[7], state->eip, state->eflags, state->sreg[CTX_ES], state->sreg[CTX_SS], state->sreg[CTX_DS],
	       state->sreg[CTX_FS], state->sreg[CTX_GS], text);
}

/* --- one case ------------------------------------------------------------------------------- */

static void load_case(const struct generated *generated)
{
	memcpy(native_data() + generated->poke_at, generated->poke, generated->poke_size);
	memcpy(native_code() + generated->state.eip, generated->bytes, GENERATE_MAX);
}

static void run_case(struct oracle *oracle, const struct generated *generated, gint64 number)
{
	struct host_case compared = { .generated = generated, .memory = user_data(oracle->machine) };
	load_case(generated);
	user_load(oracle->machine, native_code(), native_data());
	native_run(&generated->state, &compared.want);
	user_run(oracle->machine, &generated->state, &compared.got);
	memset(native_code() + generated->state.eip, 0xf4, GENERATE_MAX);
	oracle->timeouts += compared.want.timeout || compared.got.timeout;
	char *text = host_compare(&compared);
	if (text && host_rules_apply(&compared, native_vendor())) {
		g_free(text);
		text = host_compare(&compared);
	}
	if (!text)
		oracle->passed++;
	else if (oracle->failed++ < (unsigned long)show)
		print_failure(oracle, generated, number, text);
	g_free(text);
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
	host_rules_print();
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
	if (!machine_parse_jit(jit_name, &jit)) {
		fprintf(stderr, "host: unknown --jit mode '%s'; give off, on or always\n", jit_name);
		return 2;
	}
	coverage_init();
	if (!native_init(&reason)) {
		printf("skipped: the host's CPU as oracle: %s\n0 passed, 0 failed, 1 skipped\n", reason);
		return 77;
	}
	struct oracle oracle = { user_machine_new(jit), decoder_new(EMU_CPU_P6, &message), 0, 0, 0 };
	if (only >= 0)
		run_cases(&oracle, only, only + 1);
	else
		run_cases(&oracle, 0, cases);
	decoder_free(oracle.decoder);
	machine_free(oracle.machine);
	return finish(&oracle);
}
