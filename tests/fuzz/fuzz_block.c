/* Decode and a few blocks of hostile code, in each mode. The input: mode, CPU model
 * (bit 7: compiled), EFLAGS, eight registers, then code. For libFuzzer, AFL++ and replay.c. */
#include <glib.h>
#include <string.h>

#include "emu/decode.h"
#include "tests/fuzz/fuzz.h"
#include "tests/insn/machine.h"

enum {
	RAM = 0x100000, GDT = 0x1000, IDT = 0x2000, TSS = 0x4000, HANDLERS = 0x8000, CODE = 0x10000,
	DATA = 0x20000, STACK = 0x30000, PAGES = 0x40000, INSNS = 300,
	HEADER = 2 + 9 * 4,
	MODES = 6, MODELS = EMU_CPU_P6 + 1,
};

static struct machine *machines[2][MODELS]; /* interpreted, compiled */
static struct decoder *decoders[MODELS];

static void make_model(unsigned model, bool compiled)
{
	char *error = NULL;
	if (!machines[compiled][model])
		machines[compiled][model] = machine_new(RAM, (enum emu_cpu)model, compiled ? EMU_JIT_ALWAYS : EMU_JIT_OFF);
	if (!decoders[model])
		decoders[model] = decoder_new((enum emu_cpu)model, &error);
}

static void put(uint8_t *ram, uint32_t at, uint64_t value) { memcpy(ram + at, &value, sizeof value); }

static uint64_t descriptor(uint32_t access)
{
	return 0x0000ffffull | (uint64_t)(access & 0xf0ff) << 40 | 0xfull << 48;
}

/* Flat segments of each size and ring, handlers that return, a TSS, pages that map
 * all RAM to itself but for a hole. */
static void put_tables(uint8_t *ram)
{
	static const uint32_t accesses[] = { 0, 0xc09b, 0xc093, 0xc0fb, 0xc0f3, 0x009b, 0x0093, 0x00fb, 0x00f3 };
	for (unsigned i = 0; i < G_N_ELEMENTS(accesses); i++)
		put(ram, GDT + i * 8, i ? descriptor(accesses[i]) : 0);
	put(ram, GDT + 9 * 8, (uint64_t)0x8b << 40 | (uint64_t)TSS << 16 | 0x67);
	for (unsigned i = 0; i < 256; i++) {
		put(ram, IDT + i * 8, 0x8 << 16 | HANDLERS | (uint64_t)0x8e00 << 32);
		put(ram, i * 4, 0x08000000);
	}
	ram[HANDLERS] = 0xcf;
	put(ram, TSS + 4, STACK | (uint64_t)0x10 << 32);
	put(ram, PAGES, PAGES | 0x1007);
	for (unsigned i = 0; i < RAM >> 12; i++)
		put(ram, PAGES + 0x1000 + i * 4, i << 12 | (i == 0x21 ? 5 : i == 0x22 ? 0 : 7));
}

static void set_segments(struct ctx *ctx, unsigned mode)
{
	static const uint16_t code[MODES] = { 0, 0x28, 0x08, 0x1b, 0x3b, 0 };
	static const uint32_t access[MODES] = { 0, 0x009b, 0xc09b, 0xc0fb, 0x00fb, 0 };
	for (unsigned i = CTX_ES; i < CTX_LDTR; i++) {
		struct ctx_seg *seg = &ctx->seg[i];
		seg->selector = (uint16_t)(code[mode] + (i == CTX_CS ? 0 : 8));
		seg->base = 0;
		seg->limit = access[mode] & CTX_SEG_G ? 0xffffffff : 0xfffff;
		seg->access = i == CTX_CS ? access[mode] : access[mode] & ~8u;
	}
}

static void set_real(struct machine *machine, bool vm86)
{
	for (unsigned i = CTX_ES; i < CTX_LDTR; i++) {
		machine_set_real(machine, (enum ctx_sreg)i, i == CTX_CS ? CODE >> 4 : i == CTX_SS ? 0x2000 : DATA >> 4);
		if (vm86)
			machine->ctx.seg[i].access = 0xf3 | CTX_SEG_REAL;
	}
}

static void set_mode(struct machine *machine, unsigned mode, bool paging)
{
	struct ctx *ctx = &machine->ctx;
	ctx->gdtr.base = GDT;
	ctx->gdtr.limit = 10 * 8 - 1;
	ctx->idtr.limit = 0x3ff;
	ctx->rip = 0;
	if (mode == 0) {
		set_real(machine, false);
		return;
	}
	ctx->cr0 |= CTX_CR0_PE | (paging ? CTX_CR0_PG | CTX_CR0_WP : 0);
	ctx->cr3 = PAGES;
	ctx->cr4 = CTX_CR4_OSFXSR | CTX_CR4_OSXMMEXCPT;
	ctx->idtr.base = IDT;
	ctx->idtr.limit = 0x7ff;
	ctx->seg[CTX_TR] = (struct ctx_seg){ .base = TSS, .limit = 0x67, .selector = 0x48, .access = 0x8b };
	if (mode == MODES - 1) {
		ctx->rflags |= CTX_EFLAGS_VM;
		set_real(machine, true);
		return;
	}
	set_segments(ctx, mode);
	ctx->rip = CODE;
}

static void set_registers(struct ctx *ctx, const uint8_t *header)
{
	uint32_t value[9];
	memcpy(value, header + 2, sizeof value);
	for (unsigned i = 0; i < 8; i++)
		ctx->gpr[i].r = value[i];
	ctx->rflags = (value[8] & 0x247fd5) | CTX_EFLAGS_R1;
}

static void print_all(struct decoder *decoder, const uint8_t *code, size_t size, bool code32)
{
	struct insn insn;
	char text[96];
	while (size && decode_insn(decoder, code, size, code32, &insn) == DECODE_OK) {
		decode_print(decoder, code, size, code32, 0, text, sizeof text);
		code += insn.length;
		size -= insn.length;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < HEADER)
		return 0;
	unsigned mode = data[0] % MODES, model = data[1] % MODELS;
	bool compiled = data[1] & 0x80;
	make_model(model, compiled);
	struct machine *machine = machines[compiled][model];
	uint8_t *ram = mem_store_data(machine->ram);
	memset(ram, 0, RAM);
	put_tables(ram);
	size = MIN(size - HEADER, 0x8000);
	memcpy(ram + CODE, data + HEADER, size);
	print_all(decoders[model], data + HEADER, size, mode == 2 || mode == 3);
	ctx_reset(&machine->ctx, emu_cpu_signature((enum emu_cpu)model));
	set_registers(&machine->ctx, data);
	set_mode(machine, mode, data[0] & 0x80);
	machine->engine->ops->new_epoch(machine->engine);
	machine_run(machine, INSNS);
	return 0;
}
