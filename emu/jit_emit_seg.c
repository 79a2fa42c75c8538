/* Segment registers in real mode, where a load is a shift: loads, far jumps, calls
 * and returns. What the fast paths derive from a segment hangs on its base alone as
 * long as its access bits are those of a real-mode load already; else the body. */
#include "emu/jit_internal.h"

#define REAL_DATA (CTX_SEG_P | CTX_SEG_S | 3u | CTX_SEG_REAL)
#define REAL_CODE (REAL_DATA | CTX_SEG_CODE)

static struct host_mem seg_field(unsigned sreg, size_t field)
{
	return mem_at(R9, offsetof(struct ctx, seg) + sreg * sizeof(struct ctx_seg) + field);
}

/* Selector in R10 (zero-extended); R9 = ctx behind it, R8 is used. */
static void load_segment(struct jit_compiler *c, unsigned sreg, struct jit_cold *cold)
{
	struct jit_asm *a = &c->a;
	size_t base = offsetof(struct emu, seg) + sreg * sizeof(struct seg_fast) + offsetof(struct seg_fast, base);
	asm_load(a, 8, R9, EMU_FIELD(ctx));
	asm_load(a, 4, R8, seg_field(sreg, offsetof(struct ctx_seg, access)));
	asm_alu_imm(a, 4, ALU_AND, R8, ~(CTX_SEG_DB | CTX_SEG_G));
	asm_alu_imm(a, 4, ALU_CMP, R8, sreg == CTX_CS ? REAL_CODE : REAL_DATA);
	asm_jcc_label(a, CC_NE, &cold->enter);
	asm_store(a, 2, seg_field(sreg, offsetof(struct ctx_seg, selector)), R10);
	asm_shift_imm(a, 4, SHIFT_SHL, R10, 4);
	asm_store(a, 8, seg_field(sreg, offsetof(struct ctx_seg, base)), R10);
	asm_store(a, 4, emu_field(base), R10);
}

static void after_cold_body(struct jit_compiler *c, struct jit_cold *cold)
{
	cold->resume = c->a.at;
	c->host_flags = false;
}

static void emit_mov_to_sreg(struct jit_compiler *c)
{
	unsigned from = jit_operand(c, 2);
	struct jit_cold *cold = jit_cold_body(c);
	asm_extend(&c->a, 2, 0, R10, from);
	load_segment(c, c->insn->reg, cold);
	after_cold_body(c, cold);
}

static void emit_pop_sreg(struct jit_compiler *c)
{
	struct jit_cold *cold;
	jit_peek(c, 2);
	cold = jit_cold_body(c);
	load_segment(c, c->insn->reg, cold);
	jit_release(c, c->insn->size);
	after_cold_body(c, cold);
}

static void load_selector(struct jit_compiler *c, unsigned sreg)
{
	asm_load(&c->a, 8, R9, EMU_FIELD(ctx));
	asm_extend_load(&c->a, 2, 0, R10, seg_field(sreg, offsetof(struct ctx_seg, selector)));
}

static void emit_push_sreg(struct jit_compiler *c)
{
	load_selector(c, c->insn->reg);
	jit_push_word(c, R10);
}

static void emit_mov_from_sreg(struct jit_compiler *c)
{
	const struct insn *insn = c->insn;
	load_selector(c, insn->modrm >> 3 & 7);
	if (insn->is_memory)
		jit_store(c, jit_address, insn->seg, 2, R10, 0, NULL);
	else
		asm_mov(&c->a, insn->size, host_gpr(insn->rm), R10);
}

/* --- far transfers ------------------------------------------------------------------- */

/* The selector that the instruction names. */
static void load_code(struct jit_compiler *c, struct jit_cold *cold)
{
	asm_mov_imm(&c->a, 4, R10, c->insn->imm2);
	load_segment(c, CTX_CS, cold);
	jit_count(c, c->index + 1);
	jit_edge_far(c, c->insn->imm & (c->insn->size == 2 ? 0xffff : 0xffffffffu));
	cold->resume = c->a.at; /* the body of a far transfer does not come back */
	c->over = true;
}

static void emit_jmp_far(struct jit_compiler *c)
{
	load_code(c, jit_cold_body(c));
}

static void frame_address(struct jit_compiler *c) { jit_stack_offset(c, -2 * (int)c->insn->size); }
static void return_frame(struct jit_compiler *c) { jit_stack_offset(c, 0); }

static void emit_call_far(struct jit_compiler *c)
{
	struct jit_asm *a = &c->a;
	unsigned size = c->insn->size;
	struct jit_cold *cold = jit_access_or_body(c, frame_address, CTX_SS, 2 * size, true);
	asm_load(a, 8, R9, EMU_FIELD(ctx));
	asm_extend_load(a, 2, 0, R10, seg_field(CTX_CS, offsetof(struct ctx_seg, selector)));
	asm_load(a, 4, R9, seg_field(CTX_CS, offsetof(struct ctx_seg, access)));
	asm_alu_imm(a, 4, ALU_AND, R9, ~(CTX_SEG_DB | CTX_SEG_G));
	asm_alu_imm(a, 4, ALU_CMP, R9, REAL_CODE);
	asm_jcc_label(a, CC_NE, &cold->enter);
	struct host_mem low = mem_sum(JIT_FLAT, R8), high = low;
	high.disp = (int32_t)size;
	asm_store_imm(a, size, low, jit_next_ip(c) & (size == 2 ? 0xffff : 0xffffffffu));
	asm_store(a, size, high, R10);
	jit_release(c, 0u - 2 * size);
	load_code(c, cold);
}

static void emit_retf(struct jit_compiler *c)
{
	struct jit_asm *a = &c->a;
	struct jit_cold *cold = jit_access_or_body(c, return_frame, CTX_SS, 4, false);
	asm_load(a, 4, R10, mem_sum(JIT_FLAT, R8));
	asm_store(a, 4, EMU_FIELD(lazy.target), R10);
	asm_shift_imm(a, 4, SHIFT_SHR, R10, 16);
	load_segment(c, CTX_CS, cold);
	cold->resume = a->at;
	jit_release(c, 4 + c->insn->imm);
	asm_extend_load(a, 2, 0, R8, EMU_FIELD(lazy.target));
	jit_count(c, c->index + 1);
	jit_edge_dynamic(c);
	c->over = true;
}

static bool data_register(unsigned sreg)
{
	return sreg == CTX_ES || sreg == CTX_DS || sreg == CTX_FS || sreg == CTX_GS;
}

jit_emit_fn *jit_seg_emitter(const struct jit *jit, const struct insn *insn)
{
	uint32_t world = jit->emu->world;
	bool real = !(world & (WORLD_PROTECTED | WORLD_VM86)), near64k = world & WORLD_LIMIT64K;
	uint32_t offset = insn->size == 2 ? insn->imm & 0xffff : insn->imm;
	switch (insn->op) {
	case OP_mov_to_sreg: return real && data_register(insn->reg) ? emit_mov_to_sreg : NULL;
	case OP_pop_sreg: return real && data_register(insn->reg) ? emit_pop_sreg : NULL;
	case OP_push_sreg: return emit_push_sreg;
	case OP_mov_from_sreg: return (insn->modrm >> 3 & 7) <= CTX_GS ? emit_mov_from_sreg : NULL;
	case OP_jmp_far: return real && near64k && offset <= 0xffff ? emit_jmp_far : NULL;
	case OP_call_far: return real && near64k && offset <= 0xffff && insn->size == 2 ? emit_call_far : NULL;
	case OP_retf: return real && near64k && insn->size == 2 ? emit_retf : NULL;
	default: return NULL;
	}
}
