/* What switches the mode: control registers, descriptor-table registers. */
#include "emu/jit_internal.h"

static unsigned control_number(const struct insn *insn) { return insn->modrm >> 3 & 7; }

static void emit_mov_from_cr(struct jit_compiler *c)
{
	static const size_t fields[] = {
		offsetof(struct ctx, cr0), 0, offsetof(struct ctx, cr2), offsetof(struct ctx, cr3),
	};
	struct jit_cold *cold = jit_cold_body(c);
	jit_check_ring(c, cold);
	asm_load(&c->a, 8, R9, EMU_FIELD(ctx));
	asm_load(&c->a, 4, host_gpr(c->insn->rm), mem_at(R9, fields[control_number(c->insn)]));
	cold->resume = c->a.at;
}

/* CR0.PE alone; the next block is one of another world. */
static void emit_mov_to_cr0(struct jit_compiler *c)
{
	struct jit_asm *a = &c->a;
	struct jit_cold *cold = jit_cold_body(c);
	asm_mov(a, 4, R10, host_gpr(c->insn->rm));
	asm_call(a, c->jit->switch_pe);
	asm_jcc_label(a, CC_B, &cold->enter);
	asm_mov_imm(a, 4, R8, jit_next_ip(c));
	jit_edge_dynamic(c, c->index + 1);
	cold->resume = a->at; /* the body ends the block, too */
	c->over = true;
}

static void emit_load_table(struct jit_compiler *c)
{
	struct jit_asm *a = &c->a;
	size_t table = c->insn->op == OP_lgdt ? offsetof(struct ctx, gdtr) : offsetof(struct ctx, idtr);
	struct jit_cold *cold = jit_access_or_body(c, jit_address, c->insn->seg, 6, false);
	struct host_mem base = mem_sum(JIT_FLAT, R8);
	base.disp = 2;
	jit_check_ring(c, cold);
	asm_load(a, 4, R10, base);
	if (c->insn->size == 2)
		asm_alu_imm(a, 4, ALU_AND, R10, 0xffffff);
	asm_extend_load(a, 2, 0, R8, mem_sum(JIT_FLAT, R8));
	asm_load(a, 8, R9, EMU_FIELD(ctx));
	asm_store(a, 4, mem_at(R9, table + offsetof(struct ctx_table, limit)), R8);
	asm_store(a, 8, mem_at(R9, table + offsetof(struct ctx_table, base)), R10);
	cold->resume = a->at;
}

jit_emit_fn *jit_system_emitter(const struct jit *jit, const struct insn *insn)
{
	uint32_t world = jit->emu->world;
	unsigned number = control_number(insn);
	if (world & (WORLD_VM86 | WORLD_USER))
		return NULL;
	switch (insn->op) {
	case OP_mov_from_cr: return number == 0 || number == 2 || number == 3 ? emit_mov_from_cr : NULL;
	case OP_mov_to_cr: return number == 0 && !(world & WORLD_PAGING) ? emit_mov_to_cr0 : NULL;
	case OP_lgdt: case OP_lidt: return emit_load_table;
	default: return NULL;
	}
}
