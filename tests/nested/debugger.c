/* What a debugger asks of KVM alone: a small guest goes from real mode to protected mode
 * and is stopped on its way. Status 0 if all stops were as they should be, 2 where the
 * engine refuses. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "hv/hv.h"
#include "trace/debug_steps.h"

#define RAM_SIZE   0x100000u
#define AT_HANDLER 0x1800u
#define AT_GDT     0x7000u
#define AT_DATA    0x2000u
#define STOPS_MAX  16u
#define TRIES      1000u

/* Between brackets: where it begins. */
static const uint8_t code[] = {
	0xb8, 0x34, 0x12,             /* [1000] mov ax, 1234h */
	0xa3, 0x00, 0x20,             /* [1003] mov [2000h], ax */
	0x9c,                         /* [1006] pushf */
	0x9d,                         /* [1007] popf */
	0xcd, 0x60,                   /* [1008] int 60h */
	0x0f, 0x20, 0xc0,             /* [100a] mov eax, cr0 */
	0x0c, 0x01,                   /* [100d] or al, 1 */
	0x0f, 0x22, 0xc0,             /* [100f] mov cr0, eax */
	0xea, 0x17, 0x10, 0x08, 0x00, /* [1012] jmp 8:1017h */
	0xb8, 0x78, 0x56, 0x34, 0x12, /* [1017] mov eax, 12345678h; 32-bit code */
	0xa3, 0x00, 0x20, 0x00, 0x00, /* [101c] mov [2000h], eax */
	0xeb, 0xfe,                   /* [1021] jmp $ */
};
#define AT_CODE 0x1000u
static const uint8_t handler[] = { 0x40, 0xcf }; /* inc ax; iret */

struct rig {
	struct mem *mem;
	struct bus *bus;
	struct clock *clock;
	struct cpu_pins pins;
	uint8_t *ram;
	struct engine *engine;
	struct ctx ctx;
};

static const struct row {
	const char *name;
	struct debug_request request;
	uint32_t hit;
	uint32_t stop[STOPS_MAX]; /* linear, one after the other; ends with 0 */
} rows[] = {
	{ "steps", { .step = 1 }, DEBUG_HIT_STEP,
	  { 0x1003, 0x1006, 0x1007, 0x1008, 0x1800, 0x1801, 0x100a, 0x100d, 0x100f, 0x1012, 0x1017, 0x101c, 0x1021 } },
	{ "a point in each mode", { .points = 2, .point = { { 0x1007, 1, DEBUG_CODE_AT, 0 }, { 0x101c, 1, DEBUG_CODE_AT, 0 } } },
	  DEBUG_HIT_CODE, { 0x1007, 0x101c } },
	{ "six points", { .points = 6, .point = { { 0x1003, 1, DEBUG_CODE_AT, 0 }, { 0x1801, 1, DEBUG_CODE_AT, 0 }, { 0x100a, 1, DEBUG_CODE_AT, 0 },
	  { 0x1012, 1, DEBUG_CODE_AT, 0 }, { 0x1017, 1, DEBUG_CODE_AT, 0 }, { 0x1021, 1, DEBUG_CODE_AT, 0 } } },
	  DEBUG_HIT_CODE, { 0x1003, 0x1801, 0x100a, 0x1012, 0x1017, 0x1021 } },
	{ "writes", { .points = 1, .point = { { AT_DATA + 1, 1, DEBUG_WRITE_TO, 0 } } }, DEBUG_HIT_WRITE, { 0x1006, 0x1021 } },
	{ "an interrupt", { .vectors = { 0, UINT64_C(1) << (0x60 - 64) } }, DEBUG_HIT_VECTOR, { AT_HANDLER } },
	{ "a change of mode", { .modes = DEBUG_MODE_PE }, DEBUG_HIT_MODE, { 0x1012 } },
};

static bool build(struct rig *rig, const struct hv_probe *probe)
{
	static const struct cpuid_leaf cpuid[] = {
		{ 0, 1, 0x756e6547, 0x6c65746e, 0x49656e69 }, { 1, 0x633, 0, 0, 0x0383f9ff & ~0x200u },
	};
	static const uint64_t gdt[] = { 0, 0x00cf9b000000ffff };
	rig->mem = mem_new();
	rig->bus = bus_new();
	rig->clock = clock_new(CLOCK_KIND_REAL);
	struct mem_store *store = mem_store_new(rig->mem, "ram", RAM_SIZE);
	mem_region_enable(mem_region_new(rig->mem, "ram", MEM_PRIORITY_RAM, MEM_REGION_READS | MEM_REGION_WRITES, store, 0, RAM_SIZE), 0);
	rig->ram = mem_store_data(store);
	memcpy(rig->ram + AT_GDT, gdt, sizeof gdt);
	memcpy(rig->ram + AT_CODE, code, sizeof code);
	memcpy(rig->ram + AT_HANDLER, handler, sizeof handler);
	memcpy(rig->ram + 4 * 0x60, &(uint32_t){ AT_HANDLER }, 4);
	char *error = NULL;
	struct hv_config config = {
		.mem = rig->mem, .bus = rig->bus, .clock = rig->clock, .pins = &rig->pins,
		.cpuid = cpuid, .cpuids = 2, .probe = probe, .interpreted = true, .alone = true, .stepper = debug_steps_new(&error),
	};
	rig->engine = hv_new(&config, &error);
	if (!rig->engine)
		printf("debugger: %s\n", error);
	return rig->engine;
}

static void start(struct rig *rig)
{
	struct ctx *ctx = &rig->ctx;
	ctx_reset(ctx, 0);
	for (unsigned n = CTX_ES; n <= CTX_GS; n++) {
		ctx->seg[n].selector = 0;
		ctx->seg[n].base = 0;
	}
	ctx->gdtr = (struct ctx_table){ .base = AT_GDT, .limit = 0xf };
	ctx->rip = AT_CODE;
	ctx->gpr[CTX_RSP].e = 0x9ff0;
}

/* As the debugger would let it go on. */
static enum stop_reason run(struct rig *rig, const struct debug_request *request)
{
	enum stop_reason reason = STOP_KICK;
	rig->ctx.debug = *request;
	rig->ctx.debug.armed = rig->ctx.debug.resume = 1;
	rig->ctx.debug.mode = debug_mode(&rig->ctx);
	for (unsigned n = 0; n < TRIES && (reason == STOP_KICK || reason == STOP_BUDGET); n++)
		reason = rig->engine->ops->run(rig->engine, &rig->ctx);
	return reason;
}

static bool test(struct rig *rig, const struct row *row)
{
	start(rig);
	for (unsigned n = 0; n < STOPS_MAX && row->stop[n]; n++) {
		enum stop_reason reason = run(rig, &row->request);
		uint64_t linear = rig->ctx.seg[CTX_CS].base + rig->ctx.rip;
		if (reason == STOP_DEBUG && linear == row->stop[n] && rig->ctx.debug.hit == row->hit)
			continue;
		printf("debugger: %s, stop %u: %s at %" PRIx64 ", hit %x; not at %x, %x\n", row->name, n, stop_reason_name(reason), linear,
		       rig->ctx.debug.hit, row->stop[n], row->hit);
		return false;
	}
	return true;
}

int main(void)
{
	struct rig *rig = g_new0(struct rig, 1);
	struct hv_probe *probe = hv_probe();
	if (probe->error || !build(rig, probe))
		return 2;
	unsigned good = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		good += test(rig, &rows[i]);
	printf("debugger: %u of %zu good\n", good, G_N_ELEMENTS(rows));
	rig->engine->ops->free(rig->engine);
	hv_probe_free(probe);
	mem_free(rig->mem);
	bus_free(rig->bus);
	clock_free(rig->clock);
	g_free(rig);
	return good == G_N_ELEMENTS(rows) ? 0 : 1;
}
