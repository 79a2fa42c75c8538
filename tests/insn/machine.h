/* The least machine that runs code on the emulator: RAM, open bus, no devices. */
#ifndef V2E_TESTS_INSN_MACHINE_H
#define V2E_TESTS_INSN_MACHINE_H

#include "emu/emu.h"

struct machine {
	struct mem *mem;
	struct mem_store *ram;
	struct bus *bus;
	struct clock *clock;
	struct cpu_pins pins;
	struct engine *engine;
	struct ctx ctx;
};

/* Ends the program with a message when the host cannot. */
struct machine *machine_new(size_t ram_size, enum emu_cpu cpu, enum emu_jit jit);
void machine_free(struct machine *machine);

/* Runs up to `insns` instructions from machine->ctx. */
enum stop_reason machine_run(struct machine *machine, uint64_t insns);
/* Runs one: under a code breakpoint, for which the engine looks before each. Takes
 * DR0 and DR7. A repeated string instruction may need more than one step. */
enum stop_reason machine_step(struct machine *machine);

/* "off" (or NULL), "on", "always"; else false. */
bool machine_parse_jit(const char *name, enum emu_jit *jit);

/* Sets a segment register as a real-mode load after RESET would. */
void machine_set_real(struct machine *machine, enum ctx_sreg sreg, uint16_t selector);

#endif
