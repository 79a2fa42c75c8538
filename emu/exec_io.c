/* IN and OUT. They end their block, so that the clock is exact before the device
 * sees the access and an interrupt that it raises is taken behind it. */
#include "emu/access.h"
#include "emu/bodies.h"
#include "emu/debug.h"

static uint16_t port_of(const struct emu *emu, const struct insn *insn)
{
	return insn->operands == OPERANDS_IMM ? (uint16_t)insn->imm : emu->ctx->gpr[CTX_RDX].x;
}

enum exec exec_in(struct emu *emu, const struct insn *insn)
{
	uint16_t port = port_of(emu, insn);
	if (!task_io_allowed(emu, port, insn->size))
		return EXEC_FAULT;
	emu_clock_before(emu, insn);
	uint32_t value = bus_read(emu->bus, port, insn->size);
	emu_clock_after(emu);
	reg_write(emu, CTX_RAX, insn->size, value);
	if (emu->special & SPECIAL_DR7)
		debug_port_access(emu, port, insn->size);
	emu->ctx->rip = insn_next_ip(emu, insn);
	return EXEC_BRANCH;
}

enum exec exec_out(struct emu *emu, const struct insn *insn)
{
	uint16_t port = port_of(emu, insn);
	uint32_t value = reg_read(emu, CTX_RAX, insn->size);
	if (!task_io_allowed(emu, port, insn->size))
		return EXEC_FAULT;
	emu_clock_before(emu, insn);
	bus_write(emu->bus, port, insn->size, value);
	emu_clock_after(emu);
	if (emu->special & SPECIAL_DR7)
		debug_port_access(emu, port, insn->size);
	emu->ctx->rip = insn_next_ip(emu, insn);
	return EXEC_BRANCH;
}
