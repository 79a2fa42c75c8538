/* Generated code as text. */
#include "emu/jit_internal.h"

#include <capstone/capstone.h>

void jit_dump_code(const struct jit *jit, const struct block *block, const uint8_t *from, const uint8_t *to)
{
	csh handle;
	cs_insn *insn;
	if (cs_open(CS_ARCH_X86, CS_MODE_64, &handle) != CS_ERR_OK)
		return;
	uint64_t address = (uint64_t)(uintptr_t)jit_code_run(jit, from);
	size_t count = cs_disasm(handle, from, (size_t)(to - from), address, 0, &insn);
	fprintf(stderr, "code of %08x\n", block->linear);
	for (size_t i = 0; i < count; i++)
		fprintf(stderr, "  %" PRIx64 "  %s %s\n", insn[i].address, insn[i].mnemonic, insn[i].op_str);
	if (count)
		cs_free(insn, count);
	cs_close(&handle);
}
