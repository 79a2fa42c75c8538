/* A hostile context page: what ctx_check() lets through must run without harm. The
 * input: the page, then memory from address 0 on. */
#include <glib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/insn/machine.h"

enum { RAM = 0x100000, INSNS = 200 };

static struct machine *machine;
static struct machine *machines[2]; /* interpreted, compiled */

/* The page is in the hands of this side; only what it says is not. */
static void take_page(const uint8_t *data, size_t size)
{
	ctx_reset(&machine->ctx, emu_cpu_signature(EMU_CPU_P6));
	memcpy(&machine->ctx, data, MIN(size, CTX_SIZE));
	machine->ctx.magic = CTX_MAGIC;
	machine->ctx.version = CTX_VERSION;
}

/* Code where the page says, so that it runs more than zeros. */
static void take_memory(const uint8_t *data, size_t size)
{
	uint8_t *ram = mem_store_data(machine->ram);
	uint32_t code = (uint32_t)machine->ctx.seg[CTX_CS].base + (uint32_t)machine->ctx.rip;
	memset(ram, 0, RAM);
	size = MIN(size, 0x10000);
	memcpy(ram, data, size);
	if (code < RAM)
		memcpy(ram + code, data, MIN(size, RAM - code));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	/* The magic's place says how to run. */
	bool compiled = data[0] & 0x80;
	if (!machines[compiled])
		machines[compiled] = machine_new(RAM, EMU_CPU_P6, compiled ? EMU_JIT_ALWAYS : EMU_JIT_OFF);
	machine = machines[compiled];
	take_page(data, size);
	if (ctx_check(&machine->ctx) || !machine->engine->ops->can_run(machine->engine, &machine->ctx))
		return 0;
	size_t page = MIN(size, CTX_SIZE);
	take_memory(data + page, size - page);
	memset(&machine->pins, 0, sizeof machine->pins);
	machine->engine->ops->new_epoch(machine->engine);
	machine_run(machine, INSNS);
	return 0;
}
