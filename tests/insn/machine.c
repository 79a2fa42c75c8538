#include "tests/insn/machine.h"

#include <glib.h>

#include "shared/log.h"

struct machine *machine_new(size_t ram_size, enum emu_cpu cpu)
{
	struct machine *machine = g_new0(struct machine, 1);
	char *error = NULL;
	machine->mem = mem_new();
	if (!machine->mem)
		g_error("no room for the guest's address space");
	machine->ram = mem_store_new(machine->mem, "ram", ram_size);
	struct mem_region *region = mem_region_new(machine->mem, "ram", MEM_PRIORITY_RAM,
	                                           MEM_REGION_READS | MEM_REGION_WRITES, machine->ram, 0, ram_size);
	mem_region_enable(region, 0);
	machine->bus = bus_new();
	machine->clock = clock_new(CLOCK_KIND_VIRTUAL);
	struct emu_config config = {
		.mem = machine->mem, .bus = machine->bus, .clock = machine->clock,
		.pins = &machine->pins, .cpu = cpu,
	};
	machine->engine = emu_new(&config, &error);
	if (!machine->engine)
		g_error("%s", error);
	ctx_reset(&machine->ctx, emu_cpu_signature(cpu));
	return machine;
}

void machine_free(struct machine *machine)
{
	machine->engine->ops->free(machine->engine);
	clock_free(machine->clock);
	bus_free(machine->bus);
	mem_free(machine->mem);
	g_free(machine);
}

enum stop_reason machine_run(struct machine *machine, uint64_t insns)
{
	machine->ctx.limit_insns = insns;
	machine->ctx.limit_blocks = UINT64_MAX;
	return machine->engine->ops->run(machine->engine, &machine->ctx);
}

enum stop_reason machine_step(struct machine *machine)
{
	machine->ctx.dr0 = 0xffffffff;
	machine->ctx.dr7 = 0x401; /* L0, execution */
	enum stop_reason reason = machine_run(machine, 1);
	machine->ctx.dr7 = 0x400;
	return reason;
}

void machine_set_real(struct machine *machine, enum ctx_sreg sreg, uint16_t selector)
{
	struct ctx_seg *seg = &machine->ctx.seg[sreg];
	seg->selector = selector;
	seg->base = (uint32_t)selector << 4;
	seg->limit = 0xffff;
	seg->access = 0x93 | CTX_SEG_REAL;
	if (sreg == CTX_CS)
		seg->access |= CTX_SEG_CODE;
}
