/* Segment registers: loads, far jumps, calls and returns. In real mode a load is a
 * shift, and what the fast paths derive from a segment hangs on its base alone as long
 * as its access bits are those of a real-mode load already. In protected mode ring 0
 * loads what it loaded before (jit_thunk_seg.c); the rest is the bodies'. */
#include "emu/jit_internal.h"

#define REAL_DATA (CTX_SEG_P | CTX_SEG_S | 3u | CTX_SEG_REAL)
#define REAL_CODE (REAL_DATA | CTX_SEG_CODE)

static struct host_mem seg_field(unsigned sreg, size_t field)
{
	return mem_at(R9, offsetof(struct ctx, seg) + sreg * sizeof(struct ctx_seg) + field);
}

static bool in_protected_mode(const struct jit_compiler *c) { return c->world & WORLD_PROTECTED; }

/* --- loads ------------------------------------------------------------------------- */

/* Whatever the register held. */
static void emit_cold_real(struct jit_compiler *c, struct jit_cold *cold)
{
	asm_bind(&c->a, &cold->enter);
	asm_call(&c->a, c->jit->load_real[cold->imm]);
	asm_jmp(&c->a, cold->resume);
}

/* Selector in R10 (zero-extended); uses R8 to R10. */
void jit_load_real(struct jit_compiler *c, unsigned sreg)
{
	struct jit_asm *a = &c->a;
	struct jit_cold *cold = jit_cold_new(c, emit_cold_real);
	size_t base = offsetof(struct emu, seg) + sreg * sizeof(struct seg_fast) + offsetof(struct seg_fast, base);
	cold->imm = sreg;
	asm_load(a, 8, R9, EMU_FIELD(ctx));
	asm_load(a, 4, R8, seg_field(sreg, offsetof(struct ctx_seg, access)));
	asm_alu_imm(a, 4, ALU_AND, R8, ~(CTX_SEG_DB | CTX_SEG_G));
	asm_alu_imm(a, 4, ALU_CMP, R8, sreg == CTX_CS ? REAL_CODE : REAL_DATA);
	asm_jcc_label(a, CC_NE, &cold->enter);
	asm_store(a, 2, seg_field(sreg, offsetof(struct ctx_seg, selector)), R10);
	asm_shift_imm(a, 4, SHIFT_SHL, R10, 4);
	asm_store(a, 8, seg_field(sreg, offsetof(struct ctx_seg, base)), R10);
	asm_store(a, 4, emu_field(base), R10);
	cold->resume = a->at;
	c->host_flags = false;
}

void jit_load_seen(struct jit_compiler *c, unsigned sreg, struct jit_cold *cold)
{
	asm_call(&c->a, c->jit->load_seen[sreg]);
	asm_jcc_label(&c->a, CC_B, &cold->enter);
	c->host_flags = false;
}

static void emit_mov_to_sreg(struct jit_compiler *c)
{
	unsigned from = jit_operand(c, 2);
	struct jit_cold *cold = in_protected_mode(c) ? jit_cold_body(c) : NULL;
	asm_extend(&c->a, 2, 0, R10, from);
	if (!cold) {
		jit_load_real(c, c->insn->reg);
		return;
	}
	jit_load_seen(c, c->insn->reg, cold);
	cold->resume = c->a.at;
}

/* Behind it no interrupt comes in: where none waits the shadow means nothing. */
static void emit_mov_to_ss(struct jit_compiler *c)
{
	unsigned from = jit_operand(c, 2);
	struct jit_cold *cold = jit_cold_body(c);
	asm_extend(&c->a, 2, 0, R10, from);
	jit_no_shadow(c, &cold->enter);
	if (in_protected_mode(c))
		jit_load_seen(c, CTX_SS, cold);
	else
		jit_load_real(c, CTX_SS);
	if (in_protected_mode(c)) { /* the stack's width may be another */
		asm_mov_imm(&c->a, 4, R8, jit_next_ip(c));
		jit_edge_dynamic(c, c->index + 1);
	} else {
		jit_edge(c, c->index + 1, jit_next_ip(c));
	}
	cold->resume = c->a.at; /* its body ends the block */
	c->over = true;
}

static void emit_pop_sreg(struct jit_compiler *c)
{
	struct jit_cold *cold = NULL;
	jit_peek(c, 2);
	if (in_protected_mode(c)) {
		cold = jit_cold_body(c);
		jit_load_seen(c, c->insn->reg, cold);
	} else {
		jit_load_real(c, c->insn->reg);
	}
	jit_release(c, c->insn->size);
	if (cold)
		cold->resume = c->a.at;
}

/* LDS, LES, LFS and LGS with 16-bit offsets. */
static void emit_load_far(struct jit_compiler *c)
{
	struct jit_asm *a = &c->a;
	struct jit_cold *cold = jit_access_or_body(c, jit_address, c->insn->seg, 4, false);
	asm_load(a, 4, R10, mem_sum(JIT_FLAT, R8));
	asm_store(a, 4, EMU_FIELD(lazy.target), R10);
	asm_shift_imm(a, 4, SHIFT_SHR, R10, 16);
	jit_load_real(c, c->insn->imm2);
	asm_load(a, 2, host_gpr(c->insn->reg), EMU_FIELD(lazy.target));
	cold->resume = a->at;
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

static uint32_t far_offset(const struct insn *insn) { return insn->size == 2 ? insn->imm & 0xffff : insn->imm; }

/* The selector that the instruction names, in real mode. */
static void far_real(struct jit_compiler *c)
{
	asm_mov_imm(&c->a, 4, R10, c->insn->imm2);
	jit_load_real(c, CTX_CS);
	jit_edge_far(c, c->index + 1, far_offset(c->insn));
	c->over = true;
}

/* To lazy.target in a segment that was loaded; the world may be another. */
static void far_end(struct jit_compiler *c, struct jit_cold *cold)
{
	asm_load(&c->a, 4, R8, EMU_FIELD(lazy.target));
	jit_edge_dynamic(c, c->index + 1);
	cold->resume = c->a.at; /* the body of a far transfer does not come back */
	c->over = true;
}

static void emit_jmp_far(struct jit_compiler *c)
{
	if (!in_protected_mode(c)) {
		far_real(c);
		return;
	}
	struct jit_cold *cold = jit_cold_body(c);
	asm_store_imm(&c->a, 4, EMU_FIELD(lazy.target), far_offset(c->insn));
	asm_mov_imm(&c->a, 4, R10, c->insn->imm2);
	jit_load_seen(c, CTX_CS, cold);
	far_end(c, cold);
}

static void frame_address(struct jit_compiler *c) { jit_stack_offset(c, -2 * (int)c->insn->size); }
static void return_frame(struct jit_compiler *c) { jit_stack_offset(c, 0); }

/* CS as it was in R10, the frame at FLAT + R8. */
static void store_frame(struct jit_compiler *c)
{
	unsigned size = c->insn->size;
	struct host_mem low = mem_sum(JIT_FLAT, R8), high = low;
	high.disp = (int32_t)size;
	asm_store_imm(&c->a, size, low, jit_next_ip(c) & (size == 2 ? 0xffff : 0xffffffffu));
	asm_store(&c->a, size, high, R10);
	jit_release(c, 0u - 2 * size);
}

static void emit_call_far(struct jit_compiler *c)
{
	struct jit_asm *a = &c->a;
	struct jit_cold *cold = jit_access_or_body(c, frame_address, CTX_SS, 2 * c->insn->size, true);
	load_selector(c, CTX_CS);
	if (!in_protected_mode(c)) {
		store_frame(c);
		far_real(c);
		cold->resume = a->at;
		return;
	}
	asm_store(a, 4, EMU_FIELD(lazy.value), R10);
	asm_store_imm(a, 4, EMU_FIELD(lazy.target), far_offset(c->insn));
	asm_push(a, R8);
	asm_mov_imm(a, 4, R10, c->insn->imm2);
	asm_call(a, c->jit->load_seen[CTX_CS]);
	asm_pop(a, R8);
	asm_jcc_label(a, CC_B, &cold->enter);
	asm_load(a, 4, R10, EMU_FIELD(lazy.value));
	store_frame(c);
	far_end(c, cold);
}

static void emit_retf(struct jit_compiler *c)
{
	struct jit_asm *a = &c->a;
	unsigned size = c->insn->size;
	struct jit_cold *cold = jit_access_or_body(c, return_frame, CTX_SS, 2 * size, false);
	struct host_mem selector = mem_sum(JIT_FLAT, R8);
	selector.disp = (int32_t)size;
	if (size == 4)
		asm_load(a, 4, R10, mem_sum(JIT_FLAT, R8));
	else
		asm_extend_load(a, 2, 0, R10, mem_sum(JIT_FLAT, R8));
	asm_store(a, 4, EMU_FIELD(lazy.target), R10);
	asm_extend_load(a, 2, 0, R10, selector);
	if (in_protected_mode(c))
		jit_load_seen(c, CTX_CS, cold);
	else
		jit_load_real(c, CTX_CS);
	jit_release(c, 2 * size + c->insn->imm);
	far_end(c, cold);
}

/* --- which ------------------------------------------------------------------------------ */

static bool data_register(unsigned sreg)
{
	return sreg == CTX_ES || sreg == CTX_DS || sreg == CTX_FS || sreg == CTX_GS;
}

static jit_emit_fn *far_emitter(const struct insn *insn, bool real, bool protected_mode, bool near64k)
{
	bool reaches = real && near64k && far_offset(insn) <= 0xffff;
	switch (insn->op) {
	case OP_jmp_far: return reaches || protected_mode ? emit_jmp_far : NULL;
	case OP_call_far: return (reaches && insn->size == 2) || protected_mode ? emit_call_far : NULL;
	default: return (real && near64k && insn->size == 2) || protected_mode ? emit_retf : NULL;
	}
}

jit_emit_fn *jit_seg_emitter(const struct jit *jit, const struct insn *insn)
{
	uint32_t world = jit->emu->world;
	bool real = !(world & (WORLD_PROTECTED | WORLD_VM86));
	bool loads = real || (world & (WORLD_PROTECTED | WORLD_PAGING | WORLD_USER)) == WORLD_PROTECTED;
	switch (insn->op) {
	case OP_mov_to_sreg:
		if (insn->reg == CTX_SS)
			return loads ? emit_mov_to_ss : NULL;
		return loads && data_register(insn->reg) ? emit_mov_to_sreg : NULL;
	case OP_pop_sreg: return loads && data_register(insn->reg) ? emit_pop_sreg : NULL;
	case OP_push_sreg: return emit_push_sreg;
	case OP_mov_from_sreg: return (insn->modrm >> 3 & 7) <= CTX_GS ? emit_mov_from_sreg : NULL;
	case OP_load_far: return real && insn->size == 2 && data_register(insn->imm2) ? emit_load_far : NULL;
	case OP_jmp_far: case OP_call_far: case OP_retf:
		return far_emitter(insn, real, loads && !real, world & WORLD_LIMIT64K);
	default: return NULL;
	}
}
