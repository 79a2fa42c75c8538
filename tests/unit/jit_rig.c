#include "tests/unit/jit_rig.h"

#include <check.h>

#include "emu/decode.h"

#define GDT 0x1000u
#define IDT 0x2000u

struct jit_rig jit_rig;
static struct decoder *decoder;

static void side_open(struct rig_side *side, enum emu_jit jit, const char *off, size_t bytes)
{
	char *error = NULL;
	memset(side, 0, sizeof *side);
	side->mem = mem_new();
	side->ram = mem_store_new(side->mem, "ram", RIG_RAM);
	unsigned flags = MEM_REGION_READS | MEM_REGION_WRITES;
	struct mem_region *region = mem_region_new(side->mem, "ram", 0, flags, side->ram, 0, RIG_RAM);
	mem_region_enable(region, 0);
	side->bus = bus_new();
	side->clock = clock_new(CLOCK_KIND_VIRTUAL);
	struct emu_config config = {
		.mem = side->mem, .bus = side->bus, .clock = side->clock, .pins = &side->pins,
		.cpu = EMU_CPU_P6, .jit = jit, .jit_bytes = bytes, .emitters_off = off,
	};
	side->engine = emu_new(&config, &error);
	ck_assert_ptr_nonnull(side->engine);
}

static void side_close(struct rig_side *side)
{
	side->engine->ops->free(side->engine);
	clock_free(side->clock);
	bus_free(side->bus);
	mem_free(side->mem);
}

static void open_both(enum emu_jit jit, const char *off, size_t bytes)
{
	char *error = NULL;
	side_open(&jit_rig.plain, EMU_JIT_OFF, NULL, 0);
	side_open(&jit_rig.jitted, jit, off, bytes);
	decoder = decoder_new(EMU_CPU_P6, &error);
	jit_rig.seed = 1;
}

void rig_open(enum emu_jit jit, const char *off) { open_both(jit, off, 0); }
void rig_open_cache(size_t bytes) { open_both(EMU_JIT_ALWAYS, NULL, bytes); }

void rig_close(void)
{
	side_close(&jit_rig.plain);
	side_close(&jit_rig.jitted);
	decoder_free(decoder);
}

/* --- chance ------------------------------------------------------------------------- */

uint32_t rig_chance(void)
{
	jit_rig.seed = jit_rig.seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(jit_rig.seed >> 33) ^ (uint32_t)(jit_rig.seed >> 20);
}

uint32_t rig_value(void)
{
	static const uint32_t ends[] = { 0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000u, 0xffffffffu };
	switch (rig_chance() % 4) {
	case 0: return ends[rig_chance() % 11];
	case 1: return rig_chance() & 0xffff;
	case 2: return rig_chance() & 0xff;
	default: return rig_chance();
	}
}

/* --- programs ------------------------------------------------------------------------- */

/* A far pointer that leads somewhere: to the program itself. */
static void aim(const struct rig_program *program, uint8_t *bytes, const struct insn *insn)
{
	static const uint8_t selectors[] = { 0x08, 0x18, 0x38, 0x40 };
	bool flat = program->code32;
	uint16_t selector = flat ? selectors[rig_chance() % 4] : RIG_CODE >> 4;
	uint32_t offset = flat && selector == 8 ? RIG_CODE : 0;
	if (insn->operands != OPERANDS_FAR || !(rig_chance() % 8))
		return;
	memcpy(bytes + insn->length - 2, &selector, 2);
	memcpy(bytes + insn->length - 2 - insn->size, &offset, insn->size);
}

bool rig_add_op(struct rig_program *program, unsigned op)
{
	for (unsigned tries = 0; tries < 40000; tries++) {
		uint8_t bytes[24];
		struct insn insn;
		unsigned at = 0;
		for (unsigned i = 0; i < sizeof bytes; i++)
			bytes[i] = (uint8_t)rig_value();
		if (rig_chance() % 3 == 0)
			bytes[at++] = 0x66;
		if (rig_chance() % 4 == 0)
			bytes[at++] = 0x67;
		bytes[at] = (uint8_t)rig_chance();
		if (rig_chance() % 2) {
			bytes[at++] = 0x0f;
			bytes[at] = (uint8_t)rig_chance();
		}
		if (decode_insn(decoder, bytes, sizeof bytes, program->code32, &insn) == DECODE_OK && insn.op == op) {
			aim(program, bytes, &insn);
			memcpy(program->bytes + program->size, bytes, insn.length);
			program->size += insn.length;
			return true;
		}
	}
	return false;
}

/* --- states --------------------------------------------------------------------------- */

static const uint32_t gdt[][2] = {
	{ 0, 0 },
	{ 0x0000ffff, 0x00cf9b00 }, /* 08 code, flat */
	{ 0x0000ffff, 0x00cf9300 }, /* 10 data, flat */
	{ 0x0000ffff, 0x00009b01 }, /* 18 16-bit code at RIG_CODE */
	{ 0x4000ffff, 0x00009301 }, /* 20 16-bit data */
	{ 0x0000ffff, 0x00cff300 }, /* 28 data of ring 3 */
	{ 0x0000ffff, 0x00cf1300 }, /* 30 not present */
	{ 0x0000ffff, 0x00409b01 }, /* 38 32-bit code at RIG_CODE, 64 KiB */
	{ 0x0000ffff, 0x00009f01 }, /* 40 conforming code */
	{ 0x00000fff, 0x00409201 }, /* 48 4 KiB of data, never accessed yet */
	{ 0x0000ffff, 0x00009101 }, /* 50 data, read only */
	{ 0x0000ffff, 0x00cf9700 }, /* 58 data, expand-down */
};

static uint16_t selector(void) { return (uint16_t)(rig_chance() % G_N_ELEMENTS(gdt) * 8 + (rig_chance() % 8 ? 0 : 3)); }

static void flat(struct ctx_seg *seg, uint16_t number, uint32_t access)
{
	*seg = (struct ctx_seg){ .selector = number, .limit = 0xffffffffu, .access = access };
}

/* Mostly in ring 0. */
static void protected_state(struct ctx *ctx)
{
	unsigned ring = rig_chance() % 8 ? 0 : 1 + rig_chance() % 3;
	for (unsigned i = 0; i < CTX_LDTR; i++)
		flat(&ctx->seg[i], (uint16_t)((i == CTX_CS ? 8 : 16) | ring), (i == CTX_CS ? 0xc09b : 0xc093) | ring << CTX_SEG_DPL_SHIFT);
	ctx->cr0 |= CTX_CR0_PE;
	ctx->gdtr.base = GDT;
	ctx->gdtr.limit = sizeof gdt - 1;
	ctx->idtr.base = IDT;
	ctx->idtr.limit = 0x7ff;
	ctx->rip = RIG_CODE;
	for (unsigned i = 0; i < 8; i++) {
		if (rig_chance() % 4)
			ctx->gpr[i].r = rig_chance() % (RIG_RAM + 0x1000);
		else if (rig_chance() % 2)
			ctx->gpr[i].r = selector();
	}
}

void rig_state(struct ctx *ctx, bool code32)
{
	/* What a visit to protected mode leaves behind: data, read-only, expand-down, code. */
	static const uint32_t left[] = { 0x93, 0x91, 0x97, 0x9b };
	ctx_reset(ctx, 0x633);
	for (unsigned i = 0; i < 8; i++)
		ctx->gpr[i].r = rig_value();
	ctx->rflags = 2 | (rig_chance() & 0xed5);
	for (unsigned i = 0; i < CTX_LDTR; i++) {
		ctx->seg[i].selector = (uint16_t)(0x1000 + (rig_chance() & 0xfff));
		ctx->seg[i].base = (uint32_t)ctx->seg[i].selector << 4;
		if (i != CTX_CS && rig_chance() % 8 == 0)
			ctx->seg[i].access = left[rig_chance() % G_N_ELEMENTS(left)];
	}
	ctx->seg[CTX_CS].selector = RIG_CODE >> 4;
	ctx->seg[CTX_CS].base = RIG_CODE;
	ctx->rip = 0;
	if (rig_chance() % 8 == 0)
		ctx->idtr.limit = rig_chance() & 0x3ff;
	if (code32)
		protected_state(ctx);
}

void rig_fill(const struct rig_program *program)
{
	static const uint8_t handler[] = { 0x40, 0xcf };
	uint8_t *before = jit_rig.before;
	for (unsigned i = 0; i < RIG_RAM; i += 4) {
		uint32_t word = rig_chance() % 4 ? rig_chance() & 0x7fff7fff : selector() | (uint32_t)selector() << 16;
		if (i < 0x400)
			word = RIG_HANDLER;
		memcpy(before + i, &word, 4);
	}
	memcpy(before + GDT, gdt, sizeof gdt);
	for (unsigned i = 0; i < 256; i++) {
		uint32_t gate[2] = { 8u << 16 | RIG_HANDLER, 0x8e00 };
		memcpy(before + IDT + 8 * i, gate, sizeof gate);
	}
	memset(before + RIG_HANDLER, 0xf4, 16);
	memcpy(before + RIG_HANDLER, handler, sizeof handler);
	memcpy(before + RIG_CODE, program->bytes, sizeof program->bytes);
	jit_rig.interrupt = false;
	jit_rig.limit_blocks = UINT64_MAX;
}

/* --- running ----------------------------------------------------------------------------- */

static uint8_t acknowledge(void *owner)
{
	((struct rig_side *)owner)->pins.intr = false;
	return 0x21;
}

static enum stop_reason run(struct rig_side *side, const struct ctx *state, uint64_t limit)
{
	memcpy(mem_store_data(side->ram), jit_rig.before, RIG_RAM);
	side->engine->ops->new_epoch(side->engine);
	clock_set_now(side->clock, 0);
	side->pins.attention = false;
	side->pins.intr = jit_rig.interrupt;
	side->pins.acknowledge = acknowledge;
	side->pins.owner = side;
	side->ctx = *state;
	side->ctx.limit_insns = limit;
	side->ctx.limit_blocks = jit_rig.limit_blocks;
	return side->engine->ops->run(side->engine, &side->ctx);
}

void rig_compare(const struct rig_program *program, const struct ctx *state, uint64_t limit, const char *name)
{
	struct rig_side *plain = &jit_rig.plain, *jitted = &jit_rig.jitted;
	enum stop_reason a = run(plain, state, limit), b = run(jitted, state, limit);
	bool same = a == b && !memcmp(mem_store_data(plain->ram), mem_store_data(jitted->ram), RIG_RAM) &&
	            plain->ctx.insns_run == jitted->ctx.insns_run && plain->ctx.blocks_run == jitted->ctx.blocks_run &&
	            plain->pins.intr == jitted->pins.intr;
	same &= !ctx_diff(&plain->ctx, &jitted->ctx, stderr);
	if (same)
		return;
	GString *text = g_string_new(NULL);
	for (size_t i = 0; i < program->size; i++)
		g_string_append_printf(text, "%02x ", program->bytes[i]);
	ck_abort_msg("%s, %u bits, stops %d %d, insns %u %u, blocks %u %u: %s", name, program->code32 ? 32 : 16,
	             a, b, (unsigned)plain->ctx.insns_run, (unsigned)jitted->ctx.insns_run,
	             (unsigned)plain->ctx.blocks_run, (unsigned)jitted->ctx.blocks_run, text->str);
}
