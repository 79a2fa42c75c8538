#include "tests/insn/coverage.h"

#include <stdio.h>
#include <stdlib.h>

#include "emu/decode.h"

static unsigned long counts[OPS];
static const char *file_name;

enum decode_result __real_decode_insn(struct decoder *decoder, const uint8_t *bytes, size_t available, bool code32, struct insn *insn);
enum decode_result __wrap_decode_insn(struct decoder *decoder, const uint8_t *bytes, size_t available, bool code32, struct insn *insn);

static exec_fn count_and_execute;

/* The body that decoding chose is found again as decoding found it. */
static enum exec count_and_execute(struct emu *emu, const struct insn *insn)
{
	const struct op_row *row = &op_rows[insn->op];
	exec_fn *body = row->pick ? row->pick(insn) : row->exec;
	counts[insn->op]++;
	return body(emu, insn);
}

enum decode_result __wrap_decode_insn(struct decoder *decoder, const uint8_t *bytes, size_t available, bool code32, struct insn *insn)
{
	enum decode_result result = __real_decode_insn(decoder, bytes, available, code32, insn);
	if (file_name && result == DECODE_OK)
		insn->exec = count_and_execute;
	return result;
}

static void write_counts(void)
{
	FILE *out = fopen(file_name, "a");
	if (!out)
		return;
	for (unsigned i = 0; i < OPS; i++)
		if (counts[i])
			fprintf(out, "%s %lu\n", op_rows[i].name, counts[i]);
	fclose(out);
}

void coverage_init(void)
{
	file_name = getenv("V2E_OP_COVERAGE");
	if (file_name)
		atexit(write_counts);
}
