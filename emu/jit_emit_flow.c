/* Ways out of a block: jumps, calls, returns, loops. Between two blocks the count
 * of instructions is looked at, and backward the attention of the pins: what wants
 * the processor in a chain of blocks is seen as soon as it closes into a loop. */
#include "emu/jit_internal.h"

#include "emu/flags.h"

static void attention(struct jit_compiler *c, struct asm_label *leave)
{
	struct jit_asm *a = &c->a;
	asm_mov_imm64(a, R10, (uint64_t)(uintptr_t)&c->emu->pins->attention);
	asm_alu_mem_imm(a, 1, ALU_CMP, mem_at(R10, 0), 0);
	asm_jcc_label(a, CC_NE, leave);
}

static void count_block(struct jit_compiler *c)
{
	static const uint8_t paddq[] = { 0x66, 0x45, 0x0f, 0xd4, 0xfe }; /* paddq xmm15, xmm14 */
	asm_bytes(&c->a, paddq, sizeof paddq);
}

void jit_count(struct jit_compiler *c, unsigned insns)
{
	count_block(c);
	asm_lea(&c->a, 8, JIT_LEFT, (struct host_mem){ JIT_LEFT, NOREG, 0, -(int)insns });
}

static void emit_cold_leave(struct jit_compiler *c, struct jit_cold *cold)
{
	asm_bind(&c->a, &cold->enter);
	jit_flags_store(c);
	asm_mov_imm(&c->a, 4, R8, cold->imm);
	asm_jmp(&c->a, c->jit->leave_spill);
}

/* The first pass through an exit. */
static void emit_cold_link(struct jit_compiler *c, struct jit_cold *cold)
{
	struct jit_exit *exit = &c->code->exit[cold->imm];
	exit->stub = exit->target = jit_code_run(c->jit, c->a.at);
	asm_mov_imm(&c->a, 4, R8, exit->ip);
	asm_mov_imm64(&c->a, R9, (uint64_t)(uintptr_t)exit);
	asm_jmp(&c->a, c->jit->link);
}

/* Leaves when the count is used up or, where `looks`, the pins want attention. */
static void count_edge(struct jit_compiler *c, unsigned insns, uint32_t ip, bool looks)
{
	struct jit_cold *leave = jit_cold_new(c, emit_cold_leave);
	leave->imm = ip;
	count_block(c);
	asm_alu_imm(&c->a, 8, ALU_SUB, JIT_LEFT, insns);
	asm_jcc_label(&c->a, CC_LE, &leave->enter);
	if (looks)
		attention(c, &leave->enter);
}

static void through_exit(struct jit_compiler *c, uint32_t ip)
{
	struct jit_asm *a = &c->a;
	struct jit_cold *link = jit_cold_new(c, emit_cold_link);
	link->imm = c->exits;
	c->exit_ip[c->exits] = ip;
	asm_byte(a, 0xff);
	asm_byte(a, 0x25); /* jmp [rip + ...] */
	c->exit_ref[c->exits++] = a->at;
	asm_32(a, 0);
}

/* Is what the version takes for granted of the flags so? */
static bool flags_fit(const struct jit_compiler *c, const struct jit_version *version)
{
	return version->flags.late || !c->irs[version->part][0].before;
}

/* `last`: no more code of this block is to come. */
static void to_version(struct jit_compiler *c, struct jit_version *version, bool last)
{
	if (version->entry)
		asm_jmp(&c->a, version->entry);
	else if (last)
		c->falls = version;
	else
		asm_jmp_label(&c->a, &version->label);
}

static void edge(struct jit_compiler *c, unsigned insns, uint32_t ip, bool last)
{
	struct jit_version *version = jit_version(c, ip);
	bool backward = ip <= c->part->ip;
	c->host_flags = false;
	if (!version || !flags_fit(c, version))
		jit_flags_store(c);
	count_edge(c, insns, ip, backward);
	if (version)
		to_version(c, version, last);
	else
		through_exit(c, ip);
}

void jit_edge(struct jit_compiler *c, unsigned insns, uint32_t ip) { edge(c, insns, ip, true); }

void jit_edge_far(struct jit_compiler *c, unsigned insns, uint32_t ip)
{
	jit_flags_store(c);
	count_edge(c, insns, ip, true);
	through_exit(c, ip);
}

/* The target of a return is looked up by the common code. */
void jit_edge_dynamic(struct jit_compiler *c, unsigned insns)
{
	jit_flags_store(c);
	jit_count(c, insns);
	asm_jmp(&c->a, c->jit->lookup);
}

/* --- targets -------------------------------------------------------------------------- */

uint32_t jit_relative_target(const struct insn *insn, uint32_t next)
{
	uint32_t ip = next + insn->imm;
	return insn->size == 2 ? ip & 0xffff : ip;
}

static uint32_t relative_target(const struct jit_compiler *c) { return jit_relative_target(c->insn, jit_next_ip(c)); }

static bool target_valid(const struct jit_compiler *c, uint32_t ip)
{
	return !(c->world & WORLD_LIMIT64K) || ip <= 0xffff;
}

static unsigned insns_so_far(const struct jit_compiler *c) { return c->index + 1; }

/* --- jumps ------------------------------------------------------------------------------ */

/* On one side of a branch by CF that is all that is known of it. */
static void know_carry(struct jit_compiler *c, const struct jit_flags *flags, bool set)
{
	c->flags = *flags;
	c->host_flags = false;
	if (c->flags.carry_from == CARRY_HOST)
		c->flags.carry_from = set ? CARRY_SET : CARRY_CLEAR;
}

/* Is the code that `ip` leads to still to come? */
static bool is_ahead(struct jit_compiler *c, uint32_t ip)
{
	const struct jit_version *version = jit_version(c, ip);
	return version && !version->entry;
}

/* The host's condition `cc` is set; `carry`: it is the guest's CF. The way that goes on
 * in the code to come is the last. */
static void two_ways(struct jit_compiler *c, unsigned cc, bool carry)
{
	struct asm_label other = { .refs = 0 };
	struct jit_flags flags = c->flags;
	uint32_t taken = relative_target(c), next = jit_next_ip(c);
	know_carry(c, &flags, carry && cc == CC_B);
	bool swap = is_ahead(c, taken);
	asm_jcc_label(&c->a, swap ? cc : cc ^ 1, &other);
	know_carry(c, &flags, carry && cc == (swap ? CC_AE : CC_B));
	edge(c, insns_so_far(c), swap ? next : taken, false);
	asm_bind(&c->a, &other);
	know_carry(c, &flags, carry && cc == (swap ? CC_B : CC_AE));
	edge(c, insns_so_far(c), swap ? taken : next, true);
	c->over = true;
}

static void emit_jcc(struct jit_compiler *c)
{
	if (!target_valid(c, relative_target(c)))
		jit_body(c);
	else
		two_ways(c, jit_condition(c, c->insn->imm2 & 15), true);
}

static void emit_jmp(struct jit_compiler *c)
{
	if (!target_valid(c, relative_target(c))) {
		jit_body(c);
		return;
	}
	jit_edge(c, insns_so_far(c), relative_target(c));
	c->over = true;
}

/* The target in `reg`, of the operand size, into R8; beyond the limit: the body. */
static void dynamic_target(struct jit_compiler *c, unsigned reg)
{
	struct jit_asm *a = &c->a;
	if (c->insn->size == 2) {
		asm_extend(a, 2, 0, R10, reg);
		return;
	}
	asm_mov(a, 4, R10, reg);
	if (c->world & WORLD_LIMIT64K) {
		struct jit_cold *cold = jit_cold_body(c);
		asm_alu_imm(a, 4, ALU_CMP, R10, 0xffff);
		asm_jcc_label(a, CC_A, &cold->enter);
		cold->resume = a->at;
	}
}

static void emit_jmp_rm(struct jit_compiler *c)
{
	dynamic_target(c, jit_operand(c, c->insn->size));
	asm_mov(&c->a, 4, R8, R10);
	jit_edge_dynamic(c, insns_so_far(c));
	c->over = true;
}

static uint32_t return_address(const struct jit_compiler *c)
{
	return jit_next_ip(c) & (c->insn->size == 2 ? 0xffff : 0xffffffffu);
}

static void emit_call(struct jit_compiler *c)
{
	uint32_t target = relative_target(c);
	if (!target_valid(c, target)) {
		jit_body(c);
		return;
	}
	jit_push(c, NOREG, return_address(c));
	jit_edge(c, insns_so_far(c), target);
	c->over = true;
}

/* The target waits in lazy.target while the return address is pushed. */
static void emit_call_rm(struct jit_compiler *c)
{
	dynamic_target(c, jit_operand(c, c->insn->size));
	asm_store(&c->a, 4, EMU_FIELD(lazy.target), R10);
	jit_push(c, NOREG, return_address(c));
	asm_load(&c->a, 4, R8, EMU_FIELD(lazy.target));
	jit_edge_dynamic(c, insns_so_far(c));
	c->over = true;
}

static void emit_ret(struct jit_compiler *c)
{
	unsigned size = c->insn->size;
	jit_peek(c, size);
	dynamic_target(c, R10);
	jit_release(c, size + c->insn->imm);
	asm_mov(&c->a, 4, R8, R10);
	jit_edge_dynamic(c, insns_so_far(c));
	c->over = true;
}

/* --- loops ---------------------------------------------------------------------------------- */

static unsigned counter_size(const struct insn *insn) { return insn->flags & INSN_ADDR32 ? 4 : 2; }

static void count_down(struct jit_compiler *c)
{
	if (counter_size(c->insn) == 4) {
		asm_lea(&c->a, 4, RCX, mem_at(RCX, (size_t)-1));
		return;
	}
	asm_lea(&c->a, 4, R8, mem_at(RCX, (size_t)-1));
	asm_mov(&c->a, 2, RCX, R8);
}

static void emit_loop(struct jit_compiler *c)
{
	const struct insn *insn = c->insn;
	unsigned size = counter_size(insn), cc = CC_NE;
	if (!target_valid(c, relative_target(c))) {
		jit_body(c);
		return;
	}
	if (insn->op == OP_jcxz) {
		cc = CC_E;
		asm_test(&c->a, size, RCX, RCX);
	} else if (insn->op == OP_loop) {
		count_down(c);
		asm_test(&c->a, size, RCX, RCX);
	} else {
		asm_setcc(&c->a, jit_condition(c, insn->op == OP_loope ? CC_E : CC_NE), R10);
		count_down(c);
		asm_test(&c->a, size, RCX, RCX);
		asm_setcc(&c->a, CC_NE, R9);
		asm_test(&c->a, 1, R9, R10);
	}
	two_ways(c, cc, false);
}

static void emit_block_end(struct jit_compiler *c)
{
	jit_edge(c, c->index, jit_ip(c));
	c->over = true;
}

jit_emit_fn *jit_flow_emitter(const struct insn *insn)
{
	switch (insn->op) {
	case OP_jcc: return emit_jcc;
	case OP_jmp: return emit_jmp;
	case OP_jmp_rm: return emit_jmp_rm;
	case OP_call: return emit_call;
	case OP_call_rm: return emit_call_rm;
	case OP_ret: return emit_ret;
	case OP_loop: case OP_loope: case OP_loopne: case OP_jcxz: return emit_loop;
	case OP_block_end: return emit_block_end;
	default: return NULL;
	}
}
