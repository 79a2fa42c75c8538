#include "tests/insn/user.h"

#include <string.h>

enum {
	RAM = 0x40000, GDT = 0x1000, IDT = 0x2000, LDT = 0x3000, TSS = 0x4000,
	HANDLERS = 0x8000, STACK0 = 0x30000, INSNS = 20000,
	SEL_CODE0 = 0x08, SEL_DATA0 = 0x10,
};

static void put(struct machine *machine, uint32_t at, unsigned size, uint64_t value)
{
	mem_write(machine->mem, at, size, value);
}

/* `access` as in struct ctx_seg; `limit` in bytes or pages by its G bit. */
static void put_descriptor(struct machine *machine, uint32_t at, uint32_t base, uint32_t limit, uint32_t access)
{
	put(machine, at, 4, base << 16 | (limit & 0xffff));
	put(machine, at + 4, 4, (base & 0xff000000u) | (access & 0xf0ff) << 8 | (limit & 0xf0000) | (base >> 16 & 0xff));
}

static uint32_t base_of(unsigned entry)
{
	const struct native_segment *segment = &native_segments[entry];
	return (segment->access & CTX_SEG_CODE ? USER_CODE : USER_DATA) + (uint32_t)segment->start;
}

static void put_tables(struct machine *machine)
{
	put_descriptor(machine, GDT + SEL_CODE0, 0, 0xfffff, 0xc09b);
	put_descriptor(machine, GDT + SEL_DATA0, 0, 0xfffff, 0xc093);
	for (unsigned i = 0; i < 256; i++) {
		unsigned dpl = i == 3 || i == 4 ? 3 : 0, handler = HANDLERS + i * 16;
		put(machine, IDT + i * 8, 4, SEL_CODE0 << 16 | handler);
		put(machine, IDT + i * 8 + 4, 4, 0x8e00 | dpl << 13);
		put(machine, handler, 1, 0xf4);
	}
	for (unsigned i = 0; i < NATIVE_ENTRIES; i++)
		put_descriptor(machine, LDT + i * 8, base_of(i), native_segments[i].limit, native_segments[i].access);
	put(machine, TSS + 4, 4, STACK0);
	put(machine, TSS + 8, 4, SEL_DATA0);
	put(machine, TSS + 0x66, 2, 0x68);
}

struct machine *user_machine_new(enum emu_jit jit)
{
	struct machine *machine = machine_new(RAM, EMU_CPU_P6, jit);
	put_tables(machine);
	return machine;
}

void user_load(struct machine *machine, const uint8_t *code, const uint8_t *data)
{
	mem_write_bytes(machine->mem, USER_CODE, code, NATIVE_CODE_SIZE);
	mem_write_bytes(machine->mem, USER_DATA, data, NATIVE_DATA_SIZE);
}

const uint8_t *user_data(const struct machine *machine)
{
	return (const uint8_t *)mem_store_data(machine->ram) + USER_DATA;
}

static void set_segment(struct ctx *ctx, enum ctx_sreg sreg, uint16_t selector)
{
	struct ctx_seg *seg = &ctx->seg[sreg];
	unsigned entry = selector >> 3;
	memset(seg, 0, sizeof *seg);
	seg->selector = selector;
	if (!(selector & 0xfffc)) {
		seg->access = CTX_SEG_UNUSABLE;
		return;
	}
	seg->base = base_of(entry);
	seg->limit = native_segments[entry].limit;
	seg->access = native_segments[entry].access;
}

static void set_system(struct ctx *ctx)
{
	ctx->cr0 = CTX_CR0_PE | CTX_CR0_ET | CTX_CR0_NE | CTX_CR0_MP | CTX_CR0_AM;
	ctx->cr4 = CTX_CR4_OSFXSR | CTX_CR4_OSXMMEXCPT;
	ctx->gdtr.base = GDT;
	ctx->gdtr.limit = 0x1f;
	ctx->idtr.base = IDT;
	ctx->idtr.limit = 0x7ff;
	ctx->seg[CTX_LDTR] = (struct ctx_seg){ .base = LDT, .limit = NATIVE_ENTRIES * 8 - 1, .selector = 0x18, .access = 0x82 };
	ctx->seg[CTX_TR] = (struct ctx_seg){ .base = TSS, .limit = 0x67, .selector = 0x20, .access = 0x8b };
}

static void set_state(struct ctx *ctx, const struct native_state *state)
{
	ctx_reset(ctx, emu_cpu_signature(EMU_CPU_P6));
	set_system(ctx);
	for (unsigned i = 0; i < 8; i++)
		ctx->gpr[i].r = state->gpr[i];
	ctx->rip = state->eip;
	ctx->rflags = state->eflags | CTX_EFLAGS_R1 | CTX_EFLAGS_IF;
	for (unsigned sreg = CTX_ES; sreg < CTX_LDTR; sreg++)
		set_segment(ctx, (enum ctx_sreg)sreg, state->sreg[sreg]);
	memcpy(ctx->fxsave, state->fpu, sizeof state->fpu);
}

static bool has_error(unsigned vector) { return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17; }

static uint32_t frame_word(const struct machine *machine, uint32_t *at)
{
	uint32_t value = (uint32_t)mem_read(machine->mem, *at, 4);
	*at += 4;
	return value;
}

/* The handler halted on the ring 0 stack. */
static void get_end(const struct machine *machine, struct native_end *end)
{
	const struct ctx *ctx = &machine->ctx;
	uint32_t frame = ctx->gpr[CTX_RSP].e;
	end->vector = (uint8_t)((ctx->rip - HANDLERS) / 16);
	end->error = has_error(end->vector) ? frame_word(machine, &frame) : 0;
	for (unsigned i = 0; i < 8; i++)
		end->state.gpr[i] = ctx->gpr[i].e;
	end->state.eip = frame_word(machine, &frame);
	for (unsigned sreg = CTX_ES; sreg < CTX_LDTR; sreg++)
		end->state.sreg[sreg] = ctx->seg[sreg].selector;
	end->state.sreg[CTX_CS] = (uint16_t)frame_word(machine, &frame);
	end->state.eflags = frame_word(machine, &frame);
	end->state.gpr[CTX_RSP] = frame_word(machine, &frame);
	end->state.sreg[CTX_SS] = (uint16_t)frame_word(machine, &frame);
	memcpy(end->state.fpu, ctx->fxsave, sizeof end->state.fpu);
}

void user_run(struct machine *machine, const struct native_state *state, struct native_end *end)
{
	memset(end, 0, sizeof *end);
	set_state(&machine->ctx, state);
	enum stop_reason reason = machine_run(machine, INSNS);
	end->timeout = reason != STOP_HALT;
	if (reason == STOP_HALT)
		get_end(machine, end);
}
