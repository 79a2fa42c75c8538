#include "tests/insn/machine.h"

#include <glib.h>

#include "shared/log.h"

struct machine *machine_new(size_t ram_size, enum emu_cpu cpu, enum emu_jit jit)
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
		.pins = &machine->pins, .cpu = cpu, .jit = jit,
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

/* The host's unit runs the guest's instructions and must be left as it was found. */
static uint64_t host_unit(void)
{
	uint16_t fcw = 0, fsw = 0;
	uint32_t mxcsr = 0;
#ifdef __x86_64__
	__asm__ volatile("fnstcw %0\n\tfnstsw %1\n\tstmxcsr %2" : "=m"(fcw), "=m"(fsw), "=m"(mxcsr));
#endif
	return (uint64_t)(mxcsr & 0xffc0) << 32 | (uint64_t)(fsw & 0x3880) << 16 | fcw;
}

enum stop_reason machine_run(struct machine *machine, uint64_t insns)
{
	uint64_t unit = host_unit();
	machine->ctx.limit_insns = insns;
	machine->ctx.limit_blocks = UINT64_MAX;
	enum stop_reason reason = machine->engine->ops->run(machine->engine, &machine->ctx);
	if (host_unit() != unit)
		g_error("the host's unit changed from %" G_GINT64_MODIFIER "x to %" G_GINT64_MODIFIER "x", unit, host_unit());
	return reason;
}

enum stop_reason machine_step(struct machine *machine)
{
	machine->ctx.dr0 = 0xffffffff;
	machine->ctx.dr7 = 0x401; /* L0, execution */
	enum stop_reason reason = machine_run(machine, 1);
	machine->ctx.dr7 = 0x400;
	return reason;
}

bool machine_parse_jit(const char *name, enum emu_jit *jit)
{
	static const char *const names[] = { "off", "on", "always" };
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
		if (!g_strcmp0(name ? name : "off", names[i])) {
			*jit = (enum emu_jit)i;
			return true;
		}
	return false;
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
