/* EFLAGS as a whole and the interrupt flag; INT through the table of real mode; IRET
 * there and within ring 0. Between two blocks nobody looks at what these change as long as no interrupt
 * waits and no single step begins: where one does, the body sees to it. */
#include "emu/jit_internal.h"

#include "emu/flags.h"
#include "shared/log.h"

/* --- conditions ------------------------------------------------------------------------ */

static struct host_mem pin(struct jit_compiler *c, size_t offset)
{
	asm_mov_imm64(&c->a, R9, (uint64_t)(uintptr_t)c->emu->pins);
	return mem_at(R9, offset);
}

void jit_check_ring(struct jit_compiler *c, struct jit_cold *cold)
{
	if (!(c->world & WORLD_PROTECTED))
		return;
	asm_alu_mem_imm(&c->a, 1, ALU_CMP, EMU_FIELD(cpl), 0);
	asm_jcc_label(&c->a, CC_NE, &cold->enter);
	c->host_flags = false;
}

_Static_assert(offsetof(struct cpu_pins, attention) == 0 && offsetof(struct cpu_pins, intr) == 1 &&
               offsetof(struct cpu_pins, nmi) == 2, "jit_no_shadow() looks at three pins at once");

void jit_no_shadow(struct jit_compiler *c, struct asm_label *waits)
{
	struct jit_asm *a = &c->a;
	asm_mem(a, 4, 0xf7, 0, pin(c, 0)); /* test */
	asm_32(a, 0xffffff);
	asm_jcc_label(a, CC_NE, waits);
	asm_alu_imm(a, 8, ALU_CMP, JIT_LEFT, c->index + 1);
	asm_jcc_label(a, CC_LE, waits);
	c->host_flags = false;
}

/* --- EFLAGS ------------------------------------------------------------------------------ */

/* The new flags in R10: do they begin a single step, or let a waiting interrupt in? */
static void check_flags(struct jit_compiler *c, struct jit_cold *cold)
{
	struct jit_asm *a = &c->a;
	struct asm_label closed = { .refs = 0 };
	asm_test_imm(a, 4, R10, CTX_EFLAGS_TF);
	asm_jcc_label(a, CC_NE, &cold->enter);
	asm_test_imm(a, 4, R10, CTX_EFLAGS_IF);
	asm_jcc_label(a, CC_E, &closed);
	asm_alu_mem_imm(a, 1, ALU_CMP, pin(c, offsetof(struct cpu_pins, intr)), 0);
	asm_jcc_label(a, CC_NE, &cold->enter);
	asm_bind(a, &closed);
}

/* EFLAGS within `mask`, which has all six flags, become R10. Uses R8, R9. */
static void take_flags(struct jit_compiler *c, uint32_t mask)
{
	struct jit_asm *a = &c->a;
	jit_flags_set_image(c);
	asm_load(a, 8, R9, EMU_FIELD(ctx));
	asm_load(a, 4, R8, CTX_FIELD(rflags));
	asm_alu_imm(a, 4, ALU_AND, R8, ~mask);
	asm_alu_imm(a, 4, ALU_AND, R10, mask & ~FLAGS_ARITH);
	asm_alu(a, 4, ALU_OR, R8, R10);
	asm_alu_imm(a, 4, ALU_OR, R8, CTX_EFLAGS_R1);
	asm_store(a, 4, CTX_FIELD(rflags), R8);
}

/* EFLAGS without `hidden` into R10. */
static void eflags(struct jit_compiler *c, uint32_t hidden)
{
	struct jit_asm *a = &c->a;
	jit_flags_image(c);
	asm_load(a, 8, R9, EMU_FIELD(ctx));
	asm_load(a, 4, R9, CTX_FIELD(rflags));
	asm_alu_imm(a, 4, ALU_AND, R9, ~(FLAGS_ARITH | hidden));
	asm_alu(a, 4, ALU_OR, R10, R9);
	asm_alu_imm(a, 4, ALU_OR, R10, CTX_EFLAGS_R1);
}

static void emit_pushf(struct jit_compiler *c)
{
	eflags(c, CTX_EFLAGS_VM | CTX_EFLAGS_RF);
	jit_push(c, R10, 0);
}

#define POPF_MASK (FLAGS_ARITH | CTX_EFLAGS_TF | CTX_EFLAGS_DF | CTX_EFLAGS_NT | CTX_EFLAGS_IOPL | CTX_EFLAGS_IF)

static void end_block(struct jit_compiler *c, struct jit_cold *cold)
{
	jit_edge(c, c->index + 1, jit_next_ip(c));
	cold->resume = c->a.at; /* the body ends the block, too */
	c->over = true;
}

static void emit_popf(struct jit_compiler *c)
{
	unsigned size = c->insn->size;
	bool wide = size == 4 && c->emu->cpu >= EMU_CPU_486;
	jit_peek(c, size);
	struct jit_cold *cold = jit_cold_body(c);
	jit_check_ring(c, cold);
	check_flags(c, cold);
	jit_release(c, size);
	take_flags(c, wide ? POPF_MASK | CTX_EFLAGS_AC | CTX_EFLAGS_ID : POPF_MASK);
	end_block(c, cold);
}

static void emit_cli(struct jit_compiler *c)
{
	struct jit_cold *cold = jit_cold_body(c);
	jit_check_ring(c, cold);
	asm_load(&c->a, 8, R9, EMU_FIELD(ctx));
	asm_alu_mem_imm(&c->a, 4, ALU_AND, CTX_FIELD(rflags), ~(uint32_t)CTX_EFLAGS_IF);
	c->host_flags = false;
	cold->resume = c->a.at;
}

static void emit_sti(struct jit_compiler *c)
{
	struct jit_cold *cold = jit_cold_body(c);
	jit_check_ring(c, cold);
	jit_no_shadow(c, &cold->enter);
	asm_load(&c->a, 8, R9, EMU_FIELD(ctx));
	asm_alu_mem_imm(&c->a, 4, ALU_OR, CTX_FIELD(rflags), CTX_EFLAGS_IF);
	end_block(c, cold);
}

/* --- single flags ------------------------------------------------------------------------- */

/* When no other flag matters the image need not be right in them. */
static void emit_carry(struct jit_compiler *c)
{
	struct jit_asm *a = &c->a;
	bool alone = !(c->ir->live & ~CTX_EFLAGS_CF);
	if (!c->ir->live)
		return;
	if (!alone || c->insn->op == OP_cmc)
		jit_flags_image(c);
	switch (c->insn->op) {
	case OP_clc:
		if (alone)
			asm_mov_imm(a, 4, R10, 0);
		else
			asm_alu_imm(a, 4, ALU_AND, R10, ~(uint32_t)CTX_EFLAGS_CF);
		break;
	case OP_stc:
		if (alone)
			asm_mov_imm(a, 4, R10, CTX_EFLAGS_CF);
		else
			asm_alu_imm(a, 4, ALU_OR, R10, CTX_EFLAGS_CF);
		break;
	default:
		asm_alu_imm(a, 4, ALU_XOR, R10, CTX_EFLAGS_CF);
		break;
	}
	jit_flags_set_image(c);
}

static void emit_lahf(struct jit_compiler *c)
{
	jit_flags_image(c);
	asm_alu_imm(&c->a, 4, ALU_OR, R10, CTX_EFLAGS_R1);
	jit_put(c, 1, RAX | HIGH);
}

static void emit_sahf(struct jit_compiler *c)
{
	struct jit_asm *a = &c->a;
	jit_flags_image(c);
	asm_alu_imm(a, 4, ALU_AND, R10, CTX_EFLAGS_OF);
	asm_mov(a, 4, R9, RAX);
	asm_shift_imm(a, 4, SHIFT_SHR, R9, 8);
	asm_alu_imm(a, 4, ALU_AND, R9, FLAGS_ARITH & 0xff);
	asm_alu(a, 4, ALU_OR, R10, R9);
	jit_flags_set_image(c);
}

/* --- INT and IRET ------------------------------------------------------------- */

static void interrupt_frame(struct jit_compiler *c) { jit_stack_offset(c, -6); }
static void return_frame(struct jit_compiler *c) { jit_stack_offset(c, 0); }

static void check_trace(struct jit_compiler *c, struct jit_cold *cold)
{
	asm_mov_imm64(&c->a, R9, (uint64_t)(uintptr_t)&log_trace_mask);
	asm_test_mem_imm8(&c->a, mem_at(R9, 0), LOG_TRACE_INT);
	asm_jcc_label(&c->a, CC_NE, &cold->enter);
}

/* CS:IP of the handler -> lazy.target. */
static void read_vector(struct jit_compiler *c, struct jit_cold *cold)
{
	struct jit_asm *a = &c->a;
	uint32_t at = (c->insn->imm & 0xff) * 4;
	asm_load(a, 8, R9, EMU_FIELD(ctx));
	asm_alu_mem_imm(a, 4, ALU_CMP, CTX_FIELD(idtr.limit), at + 3);
	asm_jcc_label(a, CC_B, &cold->enter);
	asm_load(a, 4, R8, CTX_FIELD(idtr.base));
	asm_alu_imm(a, 4, ALU_ADD, R8, at);
	asm_alu_load(a, 4, ALU_AND, R8, EMU_FIELD(a20_mask));
	asm_mov(a, 4, R9, R8);
	asm_alu_imm(a, 4, ALU_AND, R9, 0xfff);
	asm_alu_imm(a, 4, ALU_CMP, R9, 0xffc);
	asm_jcc_label(a, CC_A, &cold->enter);
	asm_mov(a, 4, R9, R8);
	asm_shift_imm(a, 4, SHIFT_SHR, R9, MEM_PAGE_SHIFT);
	asm_test_mem_imm8(a, mem_sum(JIT_PAGES, R9), MEM_READ);
	asm_jcc_label(a, CC_E, &cold->enter);
	asm_load(a, 4, R10, mem_sum(JIT_FLAT, R8));
	asm_store(a, 4, EMU_FIELD(lazy.target), R10);
}

/* EFLAGS in lazy.value, the frame at FLAT + R8. */
static void store_frame(struct jit_compiler *c)
{
	struct jit_asm *a = &c->a;
	struct host_mem at = mem_sum(JIT_FLAT, R8);
	asm_store_imm(a, 2, at, jit_next_ip(c) & 0xffff);
	at.disp = 4;
	asm_load(a, 4, R10, EMU_FIELD(lazy.value));
	asm_store(a, 2, at, R10);
	at.disp = 2;
	asm_load(a, 8, R9, EMU_FIELD(ctx));
	asm_extend_load(a, 2, 0, R10, CTX_FIELD(seg[CTX_CS].selector));
	asm_store(a, 2, at, R10);
	asm_alu_mem_imm(a, 4, ALU_AND, CTX_FIELD(rflags),
	                ~(uint32_t)(CTX_EFLAGS_IF | CTX_EFLAGS_TF | CTX_EFLAGS_AC | CTX_EFLAGS_RF));
}

/* To lazy.target. */
static void far_end(struct jit_compiler *c)
{
	asm_load(&c->a, 4, R8, EMU_FIELD(lazy.target));
	jit_edge_dynamic(c, c->index + 1);
	c->over = true;
}

static void emit_int(struct jit_compiler *c)
{
	struct jit_asm *a = &c->a;
	eflags(c, 0);
	asm_store(a, 4, EMU_FIELD(lazy.value), R10);
	struct jit_cold *vector = jit_cold_body(c), *frame;
	check_trace(c, vector);
	read_vector(c, vector);
	frame = jit_access_or_body(c, interrupt_frame, CTX_SS, 6, true);
	store_frame(c);
	jit_release(c, 0u - 6);
	asm_extend_load(a, 2, 0, R10, EMU_FIELD(lazy.target));
	asm_extend_load(a, 2, 0, R9, emu_field(offsetof(struct emu, lazy.target) + 2));
	asm_store(a, 4, EMU_FIELD(lazy.target), R10);
	asm_mov(a, 4, R10, R9);
	jit_load_real(c, CTX_CS);
	far_end(c);
	vector->resume = frame->resume = a->at;
}

/* Item `number` of the frame at FLAT + R8, zero-extended. */
static void load_item(struct jit_compiler *c, unsigned number, unsigned size, unsigned to)
{
	struct host_mem at = mem_sum(JIT_FLAT, R8);
	at.disp = (int32_t)(number * c->insn->size);
	if (size == 4)
		asm_load(&c->a, 4, to, at);
	else
		asm_extend_load(&c->a, 2, 0, to, at);
}

/* Returns to another task, to vm86, with RF, or out of an NMI: the body's. */
static void check_return(struct jit_compiler *c, struct jit_cold *cold)
{
	struct jit_asm *a = &c->a;
	asm_test_imm(a, 4, R10, CTX_EFLAGS_VM | CTX_EFLAGS_RF);
	asm_jcc_label(a, CC_NE, &cold->enter);
	asm_load(a, 8, R9, EMU_FIELD(ctx));
	asm_alu_mem_imm(a, 4, ALU_CMP, CTX_FIELD(nmi_masked), 0);
	asm_jcc_label(a, CC_NE, &cold->enter);
	if (!(c->world & WORLD_PROTECTED))
		return;
	asm_load(a, 4, R9, CTX_FIELD(rflags));
	asm_test_imm(a, 4, R9, CTX_EFLAGS_NT);
	asm_jcc_label(a, CC_NE, &cold->enter);
}

static uint32_t iret_mask(const struct jit_compiler *c)
{
	uint32_t mask = POPF_MASK;
	if (c->insn->size == 4 && c->emu->cpu >= EMU_CPU_486)
		mask |= CTX_EFLAGS_AC | CTX_EFLAGS_ID;
	if (c->insn->size == 4)
		mask |= CTX_EFLAGS_VIF | CTX_EFLAGS_VIP;
	return mask;
}

static void emit_iret(struct jit_compiler *c)
{
	struct jit_asm *a = &c->a;
	unsigned size = c->insn->size;
	struct jit_cold *cold = jit_access_or_body(c, return_frame, CTX_SS, 3 * size, false);
	load_item(c, 2, size, R10);
	jit_check_ring(c, cold);
	check_flags(c, cold);
	check_return(c, cold);
	asm_store(a, 4, EMU_FIELD(lazy.value), R10);
	load_item(c, 0, size, R10);
	asm_store(a, 4, EMU_FIELD(lazy.target), R10);
	load_item(c, 1, 2, R10);
	if (c->world & WORLD_PROTECTED)
		jit_load_seen(c, CTX_CS, cold);
	else
		jit_load_real(c, CTX_CS);
	jit_release(c, 3 * size);
	asm_load(a, 4, R10, EMU_FIELD(lazy.value));
	take_flags(c, iret_mask(c));
	far_end(c);
	cold->resume = a->at;
}

/* --- which ------------------------------------------------------------------------------------ */

jit_emit_fn *jit_eflags_emitter(const struct jit *jit, const struct insn *insn)
{
	uint32_t world = jit->emu->world;
	bool real = !(world & (WORLD_PROTECTED | WORLD_VM86)), near64k = world & WORLD_LIMIT64K;
	bool ring0 = !(world & (WORLD_VM86 | WORLD_USER)), loads = ring0 && !real && !(world & WORLD_PAGING);
	switch (insn->op) {
	case OP_clc: case OP_stc: case OP_cmc: return emit_carry;
	case OP_lahf: return emit_lahf;
	case OP_sahf: return emit_sahf;
	case OP_pushf: return world & WORLD_VM86 ? NULL : emit_pushf;
	case OP_popf: return ring0 ? emit_popf : NULL;
	case OP_cli: return ring0 ? emit_cli : NULL;
	case OP_sti: return ring0 ? emit_sti : NULL;
	case OP_int: return real && near64k ? emit_int : NULL;
	case OP_iret: return (real && near64k && insn->size == 2) || loads ? emit_iret : NULL;
	default: return NULL;
	}
}
