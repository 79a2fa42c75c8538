#include "cli/cpuid.h"

#include <errno.h>

#include <glib.h>

#define CODE 0x1000u
#define SIZE 0x2000u

/* A machine of one page of RAM. */
struct scratch {
	struct mem *mem;
	struct bus *bus;
	struct clock *clock;
	struct cpu_pins pins;
	struct engine *engine;
};

static bool scratch_fill(struct scratch *scratch, enum emu_cpu cpu, char **error)
{
	static const uint8_t code[] = { 0x0f, 0xa2, 0xf4 }; /* cpuid; hlt */
	struct mem_store *ram = scratch->mem ? mem_store_new(scratch->mem, "cpuid", SIZE) : NULL;
	struct mem_region *region =
		ram ? mem_region_new(scratch->mem, "cpuid", MEM_PRIORITY_RAM, MEM_REGION_READS | MEM_REGION_WRITES, ram, 0, SIZE) : NULL;
	if (!region || !scratch->bus || !scratch->clock) {
		*error = g_strdup_printf("no memory for a test machine: %s", g_strerror(errno));
		return false;
	}
	mem_region_enable(region, 0);
	memcpy(mem_store_data(ram) + CODE, code, sizeof code);
	struct emu_config config = {
		.mem = scratch->mem, .bus = scratch->bus, .clock = scratch->clock, .pins = &scratch->pins, .cpu = cpu,
	};
	scratch->engine = emu_new(&config, error);
	return scratch->engine;
}

static void scratch_free(struct scratch *scratch)
{
	if (scratch->engine)
		scratch->engine->ops->free(scratch->engine);
	if (scratch->bus)
		bus_free(scratch->bus);
	mem_free(scratch->mem);
	clock_free(scratch->clock);
}

static bool run_leaf(struct scratch *scratch, uint32_t leaf, struct hv_cpuid *out)
{
	struct ctx *ctx = g_new0(struct ctx, 1);
	ctx_reset(ctx, 0);
	ctx->seg[CTX_CS].base = 0;
	ctx->seg[CTX_CS].selector = 0;
	ctx->rip = CODE;
	ctx->gpr[CTX_RAX].e = leaf;
	ctx->limit_insns = 100;
	ctx->limit_blocks = UINT64_MAX;
	bool answered = scratch->engine->ops->run(scratch->engine, ctx) == STOP_HALT;
	*out = (struct hv_cpuid){
		leaf, ctx->gpr[CTX_RAX].e, ctx->gpr[CTX_RBX].e, ctx->gpr[CTX_RCX].e, ctx->gpr[CTX_RDX].e,
	};
	g_free(ctx);
	return answered;
}

static unsigned ask_leaves(struct scratch *scratch, struct hv_cpuid leaf[CPUID_LEAVES])
{
	unsigned count = 0;
	uint32_t highest = 0;
	do
		if (!run_leaf(scratch, count, &leaf[count]))
			return 0;
	while (highest = leaf[0].eax, count++ < MIN(highest, CPUID_LEAVES - 1));
	return count;
}

unsigned cpuid_ask(enum emu_cpu cpu, struct hv_cpuid leaf[CPUID_LEAVES], char **error)
{
	struct scratch scratch = { .mem = mem_new(), .bus = bus_new(), .clock = clock_new(CLOCK_KIND_VIRTUAL) };
	unsigned count = scratch_fill(&scratch, cpu, error) ? ask_leaves(&scratch, leaf) : 0;
	scratch_free(&scratch);
	return count;
}
