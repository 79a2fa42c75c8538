/* Loads a test into the machine, runs it and compares. */
#include "tests/insn/vector.h"

#include <string.h>

#define HLT 0xf4
#define NOP 0x90
#define HANDLER_CS 0x0d00
#define HANDLER_IP 0x0ead
#define FLAGS_COMPARED 0x0fffu /* what real mode has of FLAGS on both chips */

static const char *const reg_names[MOO_REGS] = {
	"ax", "bx", "cx", "dx", "cs", "ss", "ds", "es", "sp", "bp", "si", "di", "ip", "flags",
};

static union ctx_reg *gpr(struct machine *machine, unsigned reg)
{
	static const int8_t number[MOO_REGS] = {
		CTX_RAX, CTX_RBX, CTX_RCX, CTX_RDX, -1, -1, -1, -1, CTX_RSP, CTX_RBP, CTX_RSI, CTX_RDI, -1, -1,
	};
	return number[reg] < 0 ? NULL : &machine->ctx.gpr[number[reg]];
}

static const uint8_t sregs[4] = { CTX_CS, CTX_SS, CTX_DS, CTX_ES };

static uint16_t reg_get(struct machine *machine, unsigned reg)
{
	if (reg >= MOO_CS && reg <= MOO_ES)
		return machine->ctx.seg[sregs[reg - MOO_CS]].selector;
	if (reg == MOO_IP)
		return (uint16_t)machine->ctx.rip;
	if (reg == MOO_FLAGS)
		return (uint16_t)machine->ctx.rflags;
	return gpr(machine, reg)->x;
}

static void load_regs(struct machine *machine, const struct vector *vector)
{
	const uint16_t *reg = vector->test->initial.reg;
	ctx_reset(&machine->ctx, emu_cpu_signature(EMU_CPU_P6));
	for (unsigned i = 0; i < MOO_REGS; i++)
		if (gpr(machine, i))
			gpr(machine, i)->r = reg[i];
	for (unsigned i = 0; i < 4; i++)
		machine_set_real(machine, sregs[i], reg[MOO_CS + i]);
	machine_set_real(machine, CTX_FS, 0);
	machine_set_real(machine, CTX_GS, 0);
	machine->ctx.rip = reg[MOO_IP];
	machine->ctx.rflags = (reg[MOO_FLAGS] & FLAGS_COMPARED) | CTX_EFLAGS_R1;
	machine->ctx.idtr.limit = 0x3ff;
}

static void load_ram(struct machine *machine, const GArray *ram, bool clear)
{
	for (guint i = 0; i < ram->len; i++) {
		const struct moo_byte *byte = &g_array_index(ram, struct moo_byte, i);
		mem_write(machine->mem, byte->address, 1, clear ? 0 : byte->value);
	}
}

static bool is_repeating(const struct machine *machine, const struct vector *vector)
{
	return vector->repeat && machine->ctx.gpr[CTX_RCX].x &&
	       (uint16_t)machine->ctx.rip == vector->test->initial.reg[MOO_IP];
}

static enum stop_reason step(struct machine *machine, const struct vector *vector)
{
	enum stop_reason reason;
	do
		reason = machine_step(machine);
	while (reason == STOP_BUDGET && is_repeating(machine, vector));
	return reason;
}

static bool is_listed(const GArray *ram, uint32_t address, uint8_t *value)
{
	for (guint i = 0; i < ram->len; i++) {
		const struct moo_byte *byte = &g_array_index(ram, struct moo_byte, i);
		*value = byte->value;
		if (byte->address == address)
			return true;
	}
	return false;
}

/* Can a HLT stand where the 8086 ended? Steps run alone, and are not compiled. */
static bool halt_fits(const struct vector *vector, uint32_t at)
{
	const struct moo_state *final = &vector->test->final, *initial = &vector->test->initial;
	uint16_t flags = initial->reg[MOO_FLAGS] | (final->present >> MOO_FLAGS & 1 ? final->reg[MOO_FLAGS] : 0);
	uint32_t start = vector_address(vector, initial->reg[MOO_CS], initial->reg[MOO_IP]);
	uint8_t value;
	if ((flags & CTX_EFLAGS_TF) || at - start < vector->length || is_listed(final->ram, at, &value))
		return false;
	return !is_listed(initial->ram, at, &value) || value == NOP;
}

/* Runs up to cs:ip, where nothing but a NOP lies. */
static enum stop_reason run_to(struct machine *machine, uint32_t at)
{
	uint8_t before = (uint8_t)mem_read(machine->mem, at, 1);
	mem_write(machine->mem, at, 1, HLT);
	enum stop_reason reason = machine_run(machine, 100000);
	mem_write(machine->mem, at, 1, before);
	if (reason == STOP_HALT)
		machine->ctx.rip--;
	return reason;
}

/* The 80286 ends with HLT, the 8086 behind one instruction. */
static enum stop_reason run(struct machine *machine, const struct vector *vector)
{
	const struct moo_state *final = &vector->test->final, *initial = &vector->test->initial;
	if (vector->chip == CHIP_80286)
		return machine_run(machine, 100000);
	uint16_t cs = (final->present >> MOO_CS & 1 ? final : initial)->reg[MOO_CS];
	uint16_t ip = (final->present >> MOO_IP & 1 ? final : initial)->reg[MOO_IP];
	uint32_t at = vector_address(vector, cs, ip);
	/* Behind FFFF the 8086 goes on at 0, and a 386 faults. */
	return ip && halt_fits(vector, at) ? run_to(machine, at) : step(machine, vector);
}

/* --- as recorded ------------------------------------------------------------------ */

static void compare_reg(GString *text, unsigned reg, uint16_t got, uint16_t want)
{
	if (got != want)
		g_string_append_printf(text, " %s %x, not %x;", reg_names[reg], got, want);
}

/* Where the instruction, or the exception it raised, pushed FLAGS. */
static uint32_t flags_address(const struct vector *vector)
{
	const struct moo_state *final = &vector->test->final, *initial = &vector->test->initial;
	uint16_t sp = final->present >> MOO_SP & 1 ? final->reg[MOO_SP] : initial->reg[MOO_SP];
	bool plain = vector->opcode == 0x9c && !vector->test->has_exception;
	return vector_address(vector, initial->reg[MOO_SS], (uint16_t)(sp + (plain ? 0 : 4)));
}

static bool pushes_flags(const struct vector *vector)
{
	return vector->test->has_exception || vector->opcode == 0x9c || (vector->opcode >= 0xcc && vector->opcode <= 0xce);
}

static void compare_ram(GString *text, struct machine *machine, const struct vector *vector, uint16_t mask)
{
	const GArray *ram = vector->test->final.ram;
	uint32_t flags = pushes_flags(vector) ? flags_address(vector) : UINT32_MAX - 1;
	for (guint i = 0; i < ram->len; i++) {
		const struct moo_byte *byte = &g_array_index(ram, struct moo_byte, i);
		unsigned got = (unsigned)mem_read(machine->mem, byte->address, 1), care = 0xff;
		if (byte->address == flags)
			care = mask & 0xff;
		if (byte->address == flags + 1)
			care = mask >> 8;
		if ((got ^ byte->value) & care)
			g_string_append_printf(text, " [%x] %x, not %x;", byte->address, got, byte->value);
	}
}

static void compare_recorded(GString *text, struct machine *machine, const struct vector *vector, uint16_t mask, uint16_t ignored)
{
	const struct moo_state *final = &vector->test->final, *initial = &vector->test->initial;
	for (unsigned i = 0; i < MOO_REGS; i++) {
		uint16_t care = i == MOO_FLAGS ? mask : ignored >> i & 1 ? 0 : 0xffff;
		uint16_t want = final->present >> i & 1 ? final->reg[i] : initial->reg[i];
		compare_reg(text, i, reg_get(machine, i) & care, want & care);
	}
	compare_ram(text, machine, vector, mask);
}

/* --- an exception that the 386 raises instead ---------------------------------------- */

static uint32_t frame_address(const struct vector *vector)
{
	const uint16_t *reg = vector->test->initial.reg;
	return vector_address(vector, reg[MOO_SS], (uint16_t)(reg[MOO_SP] - 6));
}

static void load_handler(struct machine *machine, uint8_t number)
{
	mem_write(machine->mem, number * 4u, 2, HANDLER_IP);
	mem_write(machine->mem, number * 4u + 2, 2, HANDLER_CS);
}

/* A frame that would wrap ends in another exception, and is not looked at. */
static bool frame_fits(const struct vector *vector)
{
	uint16_t sp = vector->test->initial.reg[MOO_SP];
	return sp == 0 || sp >= 6;
}

static void compare_untouched(GString *text, struct machine *machine, const struct vector *vector, uint8_t number)
{
	const GArray *ram = vector->test->initial.ram;
	uint32_t frame = frame_address(vector);
	for (guint i = 0; i < ram->len; i++) {
		const struct moo_byte *byte = &g_array_index(ram, struct moo_byte, i);
		unsigned got = (unsigned)mem_read(machine->mem, byte->address, 1);
		if (got != byte->value && byte->address - frame >= 6 && byte->address - number * 4u >= 4)
			g_string_append_printf(text, " [%x] %x, not %x;", byte->address, got, byte->value);
	}
}

static void compare_fault(GString *text, struct machine *machine, const struct vector *vector, uint8_t number, uint16_t mask)
{
	const uint16_t *reg = vector->test->initial.reg;
	uint32_t frame = frame_address(vector);
	for (unsigned i = 0; i < MOO_REGS; i++) {
		uint16_t want = reg[i], care = 0xffff;
		if (i == MOO_CS || i == MOO_IP)
			want = i == MOO_CS ? HANDLER_CS : HANDLER_IP;
		if (i == MOO_SP)
			want = (uint16_t)(want - 6);
		if (i == MOO_FLAGS) {
			care = mask;
			want &= (uint16_t)~(CTX_EFLAGS_IF | CTX_EFLAGS_TF);
		}
		compare_reg(text, i, reg_get(machine, i) & care, want & care);
	}
	compare_reg(text, MOO_IP, (uint16_t)mem_read(machine->mem, frame, 2), reg[MOO_IP]);
	compare_reg(text, MOO_CS, (uint16_t)mem_read(machine->mem, frame + 2, 2), reg[MOO_CS]);
	compare_reg(text, MOO_FLAGS, (uint16_t)mem_read(machine->mem, frame + 4, 2) & mask, reg[MOO_FLAGS] & mask);
	compare_untouched(text, machine, vector, number);
}

static void run_fault(GString *text, struct machine *machine, const struct vector *vector, uint8_t number, uint16_t mask)
{
	load_handler(machine, number);
	run_to(machine, HANDLER_CS * 16u + HANDLER_IP);
	if (frame_fits(vector))
		compare_fault(text, machine, vector, number, mask);
	mem_write(machine->mem, number * 4u, 4, 0);
	/* The frame, and what later chips push before PUSHA meets the limit. */
	unsigned pushed = vector->opcode == 0x60 ? 16 : 6;
	for (unsigned i = 0; i < pushed; i++)
		mem_write(machine->mem, vector_address(vector, vector->test->initial.reg[MOO_SS], (uint16_t)(vector->test->initial.reg[MOO_SP] - 1 - i)), 1, 0);
}

char *vector_run(struct machine *machine, const struct vector *vector, const struct expectation *expectation)
{
	GString *text = g_string_new(NULL);
	uint16_t mask = (uint16_t)(vector->flags_mask & FLAGS_COMPARED & ~expectation->flags);
	load_regs(machine, vector);
	load_ram(machine, vector->test->initial.ram, false);
	if (expectation->outcome == OUTCOME_FAULT) {
		run_fault(text, machine, vector, expectation->vector, mask);
	} else {
		enum stop_reason reason = run(machine, vector);
		compare_recorded(text, machine, vector, mask, expectation->regs);
		if (text->len)
			g_string_append_printf(text, " stopped: %s", stop_reason_name(reason));
	}
	load_ram(machine, vector->test->final.ram, true);
	load_ram(machine, vector->test->initial.ram, true);
	bool same = !text->len;
	char *result = g_string_free(text, same);
	return same ? NULL : result;
}
