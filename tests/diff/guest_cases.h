/* Cases for guest.asm: what user mode cannot run. The offsets are those of the
 * assembly file. */
#ifndef V2E_TESTS_DIFF_GUEST_CASES_H
#define V2E_TESTS_DIFF_GUEST_CASES_H

#include <stddef.h>

#include "shared/ctx.h"
#include "tests/insn/random.h"

enum {
	GUEST_BASE = 0x100000, GUEST_STUBS = 0x101000, GUEST_TEMPLATE = 0x102000,
	GUEST_COUNT = 0x107000, GUEST_CASES = 0x108000,
	GUEST_TABLES = 0x1000, GUEST_TABLES_SIZE = 0x5000,
	GUEST_POKES = 44, GUEST_CODE_SIZE = 48,
};

/* How the case is entered. */
enum { GUEST_INNER, GUEST_OUTER, GUEST_VIRTUAL };

struct guest_case {
	uint32_t gpr[8], eip, eflags;
	uint32_t cs, ss, ds, es, fs, gs;
	uint32_t cr0, cr4, outer;
	uint8_t code[GUEST_CODE_SIZE];
	uint32_t reserved;
	uint32_t poke_count;
	struct {
		uint32_t address, value;
	} poke[GUEST_POKES];
	uint32_t kind;     /* not for the guest */
	uint8_t unused[512 - 0x88 - GUEST_POKES * 8];
};

_Static_assert(sizeof(struct guest_case) == 512, "guest.asm knows the size");
_Static_assert(offsetof(struct guest_case, poke_count) == 0x80, "guest.asm knows the offset");

struct guest_record {
	uint32_t vector;
	uint32_t stack[12];
	uint32_t gpr[8];   /* edi esi ebp esp ebx edx ecx eax */
	uint32_t ds, es, fs, gs, ss, tr, ldtr, msw;
	uint32_t cr0, cr2, cr3, cr4;
	uint32_t changes;
	struct {
		uint32_t address, value;
	} change[15];
};

_Static_assert(sizeof(struct guest_record) == 256, "guest.asm knows the size");

/* Fills the tables that each case starts from. */
void guest_template(uint8_t *tables);
void guest_case_make(struct guest_case *guest, struct random *random);
const char *guest_kind_name(uint32_t kind);

#endif
