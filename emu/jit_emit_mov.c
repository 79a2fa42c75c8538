/* Moves, exchanges, the stack. */
#include "emu/jit_internal.h"

#include "emu/flags.h"

/* --- moves ----------------------------------------------------------------------------- */

static void load_into(struct jit_compiler *c, unsigned size, unsigned reg)
{
	if (size == 4) {
		jit_load(c, jit_address, c->insn->seg, 4, reg);
		return;
	}
	jit_load(c, jit_address, c->insn->seg, size, R10);
	jit_put(c, size, reg);
}

static void emit_mov(struct jit_compiler *c)
{
	const struct insn *insn = c->insn;
	unsigned size = insn->size, reg = host_reg(insn->reg, size), rm = host_reg(insn->rm, size);
	uint32_t imm = insn->imm & width_mask(size);
	bool immediate = insn->operands != OPERANDS_RM_REG && insn->operands != OPERANDS_REG_RM;
	if (insn->operands == OPERANDS_REG_RM && insn->is_memory)
		load_into(c, size, reg);
	else if (insn->operands == OPERANDS_REG_RM)
		asm_mov(&c->a, size, reg, rm);
	else if (insn->is_memory)
		jit_store(c, jit_address, insn->seg, size, immediate ? NOREG : reg, imm, NULL);
	else if (immediate)
		asm_mov_imm(&c->a, size, rm, imm);
	else
		asm_mov(&c->a, size, rm, reg);
}

/* MOVZX, MOVSX: insn.size is the destination's. */
static void extend(struct jit_compiler *c, unsigned size, bool sign)
{
	const struct insn *insn = c->insn;
	unsigned to = host_gpr(insn->reg), number = insn->modrm & 7, from;
	if (insn->is_memory) {
		jit_load(c, jit_address, insn->seg, size, R10);
		from = R10;
	} else {
		from = host_reg(size == 1 ? insn_reg8(number) : number, size);
	}
	if (from & HIGH) { /* no REX prefix goes with it */
		asm_mov(&c->a, 4, R10, from & ~(unsigned)HIGH);
		asm_shift_imm(&c->a, 4, SHIFT_SHR, R10, 8);
		c->host_flags = false;
		from = R10;
	}
	if (insn->size == 4) {
		asm_extend(&c->a, size, sign, to, from);
		return;
	}
	asm_extend(&c->a, size, sign, R10, from);
	asm_mov(&c->a, 2, to, R10);
}

static void emit_movzx_b(struct jit_compiler *c) { extend(c, 1, false); }
static void emit_movzx_w(struct jit_compiler *c) { extend(c, 2, false); }
static void emit_movsx_b(struct jit_compiler *c) { extend(c, 1, true); }
static void emit_movsx_w(struct jit_compiler *c) { extend(c, 2, true); }

static void emit_lea(struct jit_compiler *c)
{
	jit_address(c);
	asm_mov(&c->a, c->insn->size, host_gpr(c->insn->reg), R8);
}

static void emit_xchg(struct jit_compiler *c)
{
	unsigned size = c->insn->size;
	asm_reg(&c->a, size, 0x87, host_reg(c->insn->reg, size), host_reg(c->insn->rm, size));
}

/* The value of memory waits in R9 for its register, as R10 goes to memory. */
static void compute_exchange(struct jit_compiler *c)
{
	struct jit_asm *a = &c->a;
	unsigned reg = host_reg(c->insn->reg, c->insn->size);
	asm_mov(a, 4, R9, R10);
	asm_mov(a, 4, R10, reg);
	asm_mov(a, c->insn->size, reg, R9);
}

static void emit_xchg_memory(struct jit_compiler *c) { jit_rmw(c, c->insn->size, compute_exchange); }

static bool names_high(const struct insn *insn) { return insn->size == 1 && (insn->reg & 1); }

static void emit_bswap(struct jit_compiler *c)
{
	unsigned reg = host_gpr(c->insn->rm);
	if (reg >= R8)
		asm_byte(&c->a, 0x41);
	asm_byte(&c->a, 0x0f);
	asm_byte(&c->a, 0xc8 + (reg & 7));
}

/* The accumulator is the host's as well. */
static void emit_cbw(struct jit_compiler *c)
{
	if (c->insn->size == 2)
		asm_byte(&c->a, 0x66);
	asm_byte(&c->a, 0x98);
}

static void emit_cwd(struct jit_compiler *c)
{
	if (c->insn->size == 2)
		asm_byte(&c->a, 0x66);
	asm_byte(&c->a, 0x99);
}

static void emit_nop(struct jit_compiler *c) { (void)c; }

static void direction(struct jit_compiler *c, bool down)
{
	struct host_mem flags = mem_at(R10, offsetof(struct ctx, rflags));
	asm_load(&c->a, 8, R10, EMU_FIELD(ctx));
	asm_alu_mem_imm(&c->a, 4, down ? ALU_OR : ALU_AND, flags, down ? CTX_EFLAGS_DF : ~CTX_EFLAGS_DF);
	c->host_flags = false;
}

static void emit_cld(struct jit_compiler *c) { direction(c, false); }
static void emit_std(struct jit_compiler *c) { direction(c, true); }

static void emit_setcc(struct jit_compiler *c)
{
	const struct insn *insn = c->insn;
	unsigned cc = jit_condition(c, insn->imm2 & 15);
	if (!insn->is_memory) {
		asm_setcc(&c->a, cc, host_reg(insn->rm, 1));
		return;
	}
	asm_setcc(&c->a, cc, R10);
	jit_store(c, jit_address, insn->seg, 1, R10, 0, NULL);
}

/* A memory operand waits in lazy.target while the condition is found. */
static void emit_cmov(struct jit_compiler *c)
{
	const struct insn *insn = c->insn;
	unsigned to = host_gpr(insn->reg);
	if (insn->is_memory) {
		jit_load(c, jit_address, insn->seg, insn->size, R10);
		asm_store(&c->a, 4, EMU_FIELD(lazy.target), R10);
	}
	unsigned cc = jit_condition(c, insn->imm2 & 15);
	if (insn->is_memory)
		asm_mem(&c->a, insn->size, 0x0f40 + cc, to, EMU_FIELD(lazy.target));
	else
		asm_reg(&c->a, insn->size, 0x0f40 + cc, to, host_gpr(insn->rm));
}

/* --- the stack --------------------------------------------------------------------------- */

/* ESP + `by` within the stack segment's width, behind an access. */
static void move_stack(struct jit_compiler *c, int by)
{
	asm_alu_imm(&c->a, c->stack32 ? 4 : 2, ALU_ADD, JIT_ESP, (uint32_t)by);
	c->host_flags = false;
}

void jit_stack_offset(struct jit_compiler *c, int by)
{
	asm_lea(&c->a, 4, R8, (struct host_mem){ JIT_ESP, NOREG, 0, by });
	if (!c->stack32)
		asm_extend(&c->a, 2, 0, R8, R8);
}

static void push_address(struct jit_compiler *c) { jit_stack_offset(c, -(int)c->insn->size); }
static void pop_address(struct jit_compiler *c) { jit_stack_offset(c, 0); }
static void push_finish(struct jit_compiler *c) { move_stack(c, -(int)c->insn->size); }

void jit_push(struct jit_compiler *c, unsigned reg, uint32_t imm)
{
	jit_store(c, push_address, CTX_SS, c->insn->size, reg, imm, push_finish);
}

void jit_push_word(struct jit_compiler *c, unsigned reg)
{
	jit_store(c, push_address, CTX_SS, 2, reg, 0, push_finish);
}

void jit_pop(struct jit_compiler *c, unsigned size, unsigned release)
{
	jit_load(c, pop_address, CTX_SS, size, R10);
	move_stack(c, (int)release);
}

void jit_peek(struct jit_compiler *c, unsigned size) { jit_load(c, pop_address, CTX_SS, size, R10); }
void jit_release(struct jit_compiler *c, unsigned bytes) { move_stack(c, (int)bytes); }

static void emit_push(struct jit_compiler *c)
{
	const struct insn *insn = c->insn;
	if (insn->operands == OPERANDS_IMM)
		jit_push(c, NOREG, insn->imm & width_mask(insn->size));
	else
		jit_push(c, jit_operand(c, insn->size), 0);
}

static void emit_pop(struct jit_compiler *c)
{
	unsigned size = c->insn->size;
	jit_pop(c, size, size);
	jit_put(c, size, host_gpr(c->insn->rm));
}

/* The address counts from the ESP behind the pop: those with ESP are the body's. */
static void release_operand(struct jit_compiler *c) { jit_release(c, c->insn->size); }

static void emit_pop_memory(struct jit_compiler *c)
{
	jit_peek(c, c->insn->size);
	jit_store(c, jit_address, c->insn->seg, c->insn->size, R10, 0, release_operand);
}

static void leave_address(struct jit_compiler *c)
{
	if (c->stack32)
		asm_mov(&c->a, 4, R8, RBP);
	else
		asm_extend(&c->a, 2, 0, R8, RBP);
}

static void emit_leave(struct jit_compiler *c)
{
	unsigned size = c->insn->size;
	jit_load(c, leave_address, CTX_SS, size, R10);
	asm_mov(&c->a, c->stack32 ? 4 : 2, JIT_ESP, RBP);
	move_stack(c, (int)size);
	jit_put(c, size, RBP);
}

jit_emit_fn *jit_mov_emitter(const struct insn *insn)
{
	switch (insn->op) {
	case OP_mov: return emit_mov;
	case OP_movzx_b: return emit_movzx_b;
	case OP_movzx_w: return emit_movzx_w;
	case OP_movsx_b: return emit_movsx_b;
	case OP_movsx_w: return emit_movsx_w;
	case OP_lea: return emit_lea;
	case OP_xchg:
		if (!insn->is_memory)
			return emit_xchg;
		return names_high(insn) ? NULL : emit_xchg_memory;
	case OP_bswap: return insn->size == 4 ? emit_bswap : NULL;
	case OP_cbw: return emit_cbw;
	case OP_cwd: return emit_cwd;
	case OP_nop: return emit_nop;
	case OP_cld: return emit_cld;
	case OP_std: return emit_std;
	case OP_setcc: return emit_setcc;
	case OP_cmov: return emit_cmov;
	case OP_push: return emit_push;
	case OP_pop:
		if (!insn->is_memory)
			return emit_pop;
		return insn->base == offsetof(struct ctx, gpr[CTX_RSP]) ? NULL : emit_pop_memory;
	case OP_leave: return emit_leave;
	default: return NULL;
	}
}
