/* Jumps, calls, returns, loops, software interrupts. */
#include "emu/access.h"
#include "emu/bodies.h"
#include "emu/flags.h"
#include "emu/tracer.h"
#include "shared/log.h"

#define INLINE static inline __attribute__((always_inline))

INLINE enum exec branch_to(struct emu *emu, uint32_t ip)
{
	if (!ip_valid(emu, ip))
		return EXEC_FAULT;
	emu->ctx->rip = ip;
	return EXEC_BRANCH;
}

INLINE uint32_t relative_target(const struct emu *emu, const struct insn *insn)
{
	return ip_cut(insn_next_ip(emu, insn) + insn->imm, insn->size);
}

INLINE enum exec branch_if(struct emu *emu, const struct insn *insn, bool taken)
{
	if (taken)
		return branch_to(emu, relative_target(emu, insn));
	emu->ctx->rip = insn_next_ip(emu, insn);
	return EXEC_BRANCH;
}

#define JCC(condition)                                                               \
	static enum exec jcc_##condition(struct emu *emu, const struct insn *insn)   \
	{ return branch_if(emu, insn, flags_condition(emu, 0x##condition)); }

JCC(0) JCC(1) JCC(2) JCC(3) JCC(4) JCC(5) JCC(6) JCC(7)
JCC(8) JCC(9) JCC(a) JCC(b) JCC(c) JCC(d) JCC(e) JCC(f)

exec_fn *jcc_pick(const struct insn *insn)
{
	static exec_fn *const bodies[16] = {
		jcc_0, jcc_1, jcc_2, jcc_3, jcc_4, jcc_5, jcc_6, jcc_7,
		jcc_8, jcc_9, jcc_a, jcc_b, jcc_c, jcc_d, jcc_e, jcc_f,
	};
	return bodies[insn->imm2 & 15];
}

enum exec exec_jmp(struct emu *emu, const struct insn *insn)
{
	return branch_to(emu, relative_target(emu, insn));
}

enum exec exec_jmp_rm(struct emu *emu, const struct insn *insn)
{
	uint32_t target;
	return rm_load(emu, insn, insn->size, &target) ? branch_to(emu, target) : EXEC_FAULT;
}

INLINE enum exec call_to(struct emu *emu, const struct insn *insn, uint32_t target)
{
	if (!ip_valid(emu, target) || !stack_push(emu, insn->size, insn_next_ip(emu, insn)))
		return EXEC_FAULT;
	emu->ctx->rip = target;
	return EXEC_BRANCH;
}

enum exec exec_call(struct emu *emu, const struct insn *insn)
{
	return call_to(emu, insn, relative_target(emu, insn));
}

enum exec exec_call_rm(struct emu *emu, const struct insn *insn)
{
	uint32_t target;
	return rm_load(emu, insn, insn->size, &target) ? call_to(emu, insn, target) : EXEC_FAULT;
}

enum exec exec_ret(struct emu *emu, const struct insn *insn)
{
	uint32_t target;
	if (!stack_peek(emu, 0, insn->size, &target) || !ip_valid(emu, target))
		return EXEC_FAULT;
	stack_set_pointer(emu, stack_pointer(emu) + insn->size + insn->imm);
	emu->ctx->rip = target;
	return EXEC_BRANCH;
}

static inline enum exec watched(struct emu *emu, const struct insn *insn, enum exec result)
{
	return unlikely(log_trace_mask & LOG_TRACE_INT) ? tracer_far(emu, insn, result) : result;
}

enum exec exec_jmp_far(struct emu *emu, const struct insn *insn)
{
	return watched(emu, insn, far_jump(emu, insn, insn->imm2, insn->imm));
}

enum exec exec_call_far(struct emu *emu, const struct insn *insn)
{
	return watched(emu, insn, far_call(emu, insn, insn->imm2, insn->imm));
}

/* The far pointer in memory: offset, then selector. */
static bool far_pointer(struct emu *emu, const struct insn *insn, uint32_t *offset, uint32_t *selector)
{
	uint32_t at = insn_address(emu, insn);
	return mem_load(emu, insn->seg, at, insn->size, offset) &&
	       mem_load(emu, insn->seg, (at + insn->size) & insn->addr_mask, 2, selector);
}

enum exec exec_jmp_far_mem(struct emu *emu, const struct insn *insn)
{
	uint32_t offset, selector;
	if (!far_pointer(emu, insn, &offset, &selector))
		return EXEC_FAULT;
	return watched(emu, insn, far_jump(emu, insn, (uint16_t)selector, offset));
}

enum exec exec_call_far_mem(struct emu *emu, const struct insn *insn)
{
	uint32_t offset, selector;
	if (!far_pointer(emu, insn, &offset, &selector))
		return EXEC_FAULT;
	return watched(emu, insn, far_call(emu, insn, (uint16_t)selector, offset));
}

enum exec exec_retf(struct emu *emu, const struct insn *insn)
{
	return watched(emu, insn, far_return(emu, insn, (uint16_t)insn->imm));
}

enum exec exec_iret(struct emu *emu, const struct insn *insn)
{
	return watched(emu, insn, intr_return(emu, insn));
}

/* ctx->rip is the return address while an event is delivered; on a fault of the
 * delivery run.c puts it back to the instruction. */
static enum exec software_interrupt(struct emu *emu, const struct insn *insn, uint8_t vector, enum intr_kind kind)
{
	emu->ctx->rip = insn_next_ip(emu, insn);
	if (unlikely(log_trace_mask & LOG_TRACE_INT) && kind == INTR_SOFT)
		tracer_int(emu, insn, vector);
	return intr_deliver(emu, vector, kind, false, 0) ? EXEC_BRANCH : EXEC_FAULT;
}

enum exec exec_int(struct emu *emu, const struct insn *insn)
{
	return software_interrupt(emu, insn, (uint8_t)insn->imm, INTR_SOFT);
}

enum exec exec_int3(struct emu *emu, const struct insn *insn)
{
	return software_interrupt(emu, insn, VEC_BP, INTR_INT3);
}

enum exec exec_int1(struct emu *emu, const struct insn *insn)
{
	return software_interrupt(emu, insn, VEC_DB, INTR_ICEBP);
}

enum exec exec_into(struct emu *emu, const struct insn *insn)
{
	if (flag_of(emu))
		return software_interrupt(emu, insn, VEC_OF, INTR_INT3);
	emu->ctx->rip = insn_next_ip(emu, insn);
	return EXEC_BRANCH;
}

/* CX or ECX, by address size. */
static unsigned counter_size(const struct insn *insn) { return insn->flags & INSN_ADDR32 ? 4 : 2; }

static enum exec loop_if(struct emu *emu, const struct insn *insn, bool condition)
{
	unsigned size = counter_size(insn);
	uint32_t count = (reg_read(emu, CTX_RCX, size) - 1) & width_mask(size);
	enum exec result = branch_if(emu, insn, count && condition);
	if (result != EXEC_FAULT)
		reg_write(emu, CTX_RCX, size, count);
	return result;
}

enum exec exec_loop(struct emu *emu, const struct insn *insn) { return loop_if(emu, insn, true); }
enum exec exec_loope(struct emu *emu, const struct insn *insn) { return loop_if(emu, insn, flag_zf(emu)); }
enum exec exec_loopne(struct emu *emu, const struct insn *insn) { return loop_if(emu, insn, !flag_zf(emu)); }

enum exec exec_jcxz(struct emu *emu, const struct insn *insn)
{
	return branch_if(emu, insn, !reg_read(emu, CTX_RCX, counter_size(insn)));
}

enum exec exec_bound(struct emu *emu, const struct insn *insn)
{
	unsigned size = insn->size;
	uint32_t offset = insn_address(emu, insn), lower, upper;
	if (!mem_load(emu, insn->seg, offset, size, &lower) ||
	    !mem_load(emu, insn->seg, (offset + size) & insn->addr_mask, size, &upper))
		return EXEC_FAULT;
	int32_t index = (int32_t)width_sign_extend(reg_read(emu, insn->reg, size), size);
	if (index < (int32_t)width_sign_extend(lower, size) || index > (int32_t)width_sign_extend(upper, size))
		return emu_raise(emu, VEC_BR);
	return EXEC_NEXT;
}

/* Closes a block that no branch ends; run.c must not count it. */
enum exec exec_block_end(struct emu *emu, const struct insn *insn)
{
	emu->insns--;
	emu->ctx->rip = insn_ip(emu, insn);
	return EXEC_BRANCH;
}
