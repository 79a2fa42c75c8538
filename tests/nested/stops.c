/* How exactly the KVM engine stops where the guest clears CR0.PE.
 *
 *	stops WATCH COUNT EXACT [SEED]
 *
 * In 16-bit, 32-bit and paged 32-bit code a loop of random length runs, then `mov
 * cr0` clears PE (and PG), COUNT times. Status 0 if all stops were good: with EXACT
 * = 1 right behind (or, with breakpoints, right before) the instruction, with 0
 * anywhere behind it in the same code. Modes that the host does not run are left
 * out. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "hv/hv.h"

#define RAM_SIZE 0x400000u
#define AT_CODE  0x1000u
#define AT_GDT   0x7000u
#define AT_PD    0x13000u
#define MOVE     12u /* offsets in the code */
#define BEHIND   15u

struct rig {
	struct mem *mem;
	struct bus *bus;
	struct clock *clock;
	struct cpu_pins pins;
	uint8_t *ram;
	struct engine *engine;
	struct ctx ctx;
};

/* loop $; mov eax, cr0; and eax, 7FFFFFFEh; mov cr0, eax; 16-bit code needs a prefix
 * for the AND, 32-bit code gets a NOP. */
static const uint8_t code16[] = {
	0xe2, 0xfe, 0x0f, 0x20, 0xc0, 0x66, 0x25, 0xfe, 0xff, 0xff, 0x7f, 0x90, 0x0f, 0x22, 0xc0,
	0xb3, 1, 0xb3, 2, 0xb3, 3, 0xe6, 0x80, 0xf4,
};
static const uint8_t code32[] = {
	0xe2, 0xfe, 0x0f, 0x20, 0xc0, 0x90, 0x25, 0xfe, 0xff, 0xff, 0x7f, 0x90, 0x0f, 0x22, 0xc0,
	0xb3, 1, 0xb3, 2, 0xb3, 3, 0xe6, 0x80, 0xf4,
};

static void set_segment(struct ctx_seg *seg, uint16_t selector, uint32_t access)
{
	*seg = (struct ctx_seg){ .selector = selector, .limit = access & CTX_SEG_G ? 0xffffffff : 0xffff, .access = access };
}

static void set_mode(struct rig *rig, enum hv_mode mode)
{
	struct ctx *ctx = &rig->ctx;
	bool wide = mode != HV_MODE_PM16;
	uint32_t size = wide ? CTX_SEG_DB | CTX_SEG_G : 0;
	ctx_reset(ctx, 0);
	ctx->cr0 = CTX_CR0_PE | CTX_CR0_ET | CTX_CR0_NE;
	if (mode == HV_MODE_PM32_PAGED) {
		ctx->cr0 |= CTX_CR0_PG;
		ctx->cr3 = AT_PD;
		ctx->cr4 = CTX_CR4_PSE;
	}
	for (unsigned n = CTX_ES; n <= CTX_GS; n++)
		set_segment(&ctx->seg[n], wide ? 0x10 : 0x20, CTX_SEG_P | CTX_SEG_S | 3 | size);
	set_segment(&ctx->seg[CTX_CS], wide ? 0x08 : 0x18, CTX_SEG_P | CTX_SEG_S | 11 | size);
	ctx->gdtr = (struct ctx_table){ .base = AT_GDT, .limit = 0x27 };
	ctx->rip = AT_CODE;
	ctx->gpr[CTX_RSP].e = 0x9ff0;
	memcpy(rig->ram + AT_CODE, wide ? code32 : code16, sizeof code32);
}

static void build(struct rig *rig)
{
	rig->mem = mem_new();
	rig->bus = bus_new();
	rig->clock = clock_new(CLOCK_KIND_REAL);
	struct mem_store *store = mem_store_new(rig->mem, "ram", RAM_SIZE);
	struct mem_region *region =
		mem_region_new(rig->mem, "ram", MEM_PRIORITY_RAM, MEM_REGION_READS | MEM_REGION_WRITES, store, 0, RAM_SIZE);
	mem_region_enable(region, 0);
	rig->ram = mem_store_data(store);
	static const uint64_t gdt[] = { 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00009b000000ffff, 0x000093000000ffff };
	memcpy(rig->ram + AT_GDT, gdt, sizeof gdt);
	static const uint32_t large_page = 0xe7;
	memcpy(rig->ram + AT_PD, &large_page, sizeof large_page);
}

static bool open_engine(struct rig *rig, const struct hv_probe *probe, enum hv_watch watch)
{
	static const struct cpuid_leaf cpuid[] = {
		{ 0, 1, 0x756e6547, 0x6c65746e, 0x49656e69 }, { 1, 0x633, 0, 0, 0x0383f9ff & ~0x200u },
	};
	const struct hv_config config = {
		.mem = rig->mem, .bus = rig->bus, .clock = rig->clock, .pins = &rig->pins,
		.cpuid = cpuid, .cpuids = 2, .probe = probe, .watch = watch, .interpreted = true,
	};
	char *error = NULL;
	rig->engine = hv_new(&config, &error);
	if (!rig->engine)
		printf("stops: %s\n", error);
	return rig->engine;
}

static bool is_good(const struct ctx *ctx, enum stop_reason reason, bool exact)
{
	uint64_t offset = ctx->rip - AT_CODE;
	bool before = offset == MOVE && (ctx->cr0 & CTX_CR0_PE);
	bool behind = offset == BEHIND && !(ctx->cr0 & CTX_CR0_PE);
	bool late = offset > BEHIND && offset <= sizeof code32 && !(ctx->cr0 & CTX_CR0_PE);
	return reason == STOP_MODE && (exact ? (before || behind) && !ctx->gpr[CTX_RBX].e : before || behind || late);
}

static bool test_mode(struct rig *rig, enum hv_mode mode, unsigned count, bool exact, GRand *random)
{
	unsigned good = 0;
	for (unsigned n = 0; n < count; n++) {
		set_mode(rig, mode);
		rig->ctx.gpr[CTX_RCX].e = 1 + (unsigned)g_rand_int_range(random, 0, 0x3fff);
		/* The breakpoint's answer to a stop before the move is to refuse once. */
		while (!rig->engine->ops->can_run(rig->engine, &rig->ctx))
			;
		enum stop_reason reason = rig->engine->ops->run(rig->engine, &rig->ctx);
		if (is_good(&rig->ctx, reason, exact))
			good++;
		else if (n - good < 3)
			printf("stops: %s: %s at %" PRIx64 ", cr0 %" PRIx64 ", detail %u\n", hv_mode_name(mode), stop_reason_name(reason),
			       rig->ctx.rip, rig->ctx.cr0, rig->ctx.stop_detail);
	}
	printf("stops: %s: %u of %u good\n", hv_mode_name(mode), good, count);
	/* Breakpoints are learned from the first one. */
	return good == count || (good + 1 == count && hv_watch_of(rig->engine) == HV_WATCH_BREAKPOINT);
}

int main(int argc, char **argv)
{
	static const enum hv_mode modes[] = { HV_MODE_PM16, HV_MODE_PM32, HV_MODE_PM32_PAGED };
	enum hv_watch watch;
	struct rig *rig = g_new0(struct rig, 1);
	if (argc < 4 || !hv_watch_parse(argv[1], &watch))
		return 2;
	struct hv_probe *probe = hv_probe();
	build(rig);
	if (probe->error || !open_engine(rig, probe, watch))
		return 2;
	GRand *random = g_rand_new_with_seed(argc > 4 ? (guint32)strtoul(argv[4], NULL, 0) : 1);
	bool good = true;
	for (size_t i = 0; i < G_N_ELEMENTS(modes); i++)
		if (probe->mode[modes[i]].runs != HV_REFUSED)
			good &= test_mode(rig, modes[i], (unsigned)atoi(argv[2]), atoi(argv[3]), random);
	rig->engine->ops->print_stats(rig->engine, stdout);
	g_rand_free(random);
	rig->engine->ops->free(rig->engine);
	hv_probe_free(probe);
	mem_free(rig->mem);
	bus_free(rig->bus);
	clock_free(rig->clock);
	g_free(rig);
	return good ? 0 : 1;
}
