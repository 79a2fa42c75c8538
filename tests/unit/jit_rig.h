/* The JIT against the interpreter: one program from one state on two machines, which
 * must end equal in registers, flags, memory, and the count of instructions and blocks. */
#ifndef V2E_TESTS_UNIT_JIT_RIG_H
#define V2E_TESTS_UNIT_JIT_RIG_H

#include <glib.h>
#include <string.h>

#include "emu/emu.h"
#include "emu/insn.h"
#include "shared/mem.h"

#define RIG_RAM (256u << 10)
#define RIG_CODE 0x10000u    /* where programs lie, CS:0 in real mode */
#define RIG_HANDLER 0x600u   /* where all interrupts lead: inc ax; iret */

struct rig_side {
	struct mem *mem;
	struct mem_store *ram;
	struct bus *bus;
	struct clock *clock;
	struct cpu_pins pins;
	struct engine *engine;
	struct ctx ctx;
};

struct rig_program {
	uint8_t bytes[512];
	size_t size;
	bool code32;
};

struct jit_rig {
	struct rig_side plain, jitted;
	uint64_t seed;
	uint8_t before[RIG_RAM];   /* memory at the start of a run */
	/* What a run is like; set anew by rig_fill(). */
	bool interrupt;            /* one waits from the start */
	uint64_t limit_blocks;     /* as in struct ctx */
};

extern struct jit_rig jit_rig;

/* Opens both sides: the interpreter, and `jit`; `off`: emitters to be switched off, or NULL. */
void rig_open(enum emu_jit jit, const char *off);
/* Likewise, compiling always, with so many bytes for code. */
void rig_open_cache(size_t bytes);
void rig_close(void);

uint32_t rig_chance(void);
/* A number, often one at an edge. */
uint32_t rig_value(void);

/* An instruction of one operation, out of random bytes; false: no luck. */
bool rig_add_op(struct rig_program *program, unsigned op);
/* Memory: tables and gates, chance, the program. */
void rig_fill(const struct rig_program *program);
/* Registers: real mode, or for 32-bit programs flat segments in ring 0. */
void rig_state(struct ctx *ctx, bool code32);
/* Runs `limit` instructions on both; fails the test where they differ. */
void rig_compare(const struct rig_program *program, const struct ctx *state, uint64_t limit, const char *name);

#endif
