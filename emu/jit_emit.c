/* What emitters are built from: operands, guest memory, calls of bodies. */
#include "emu/decode.h"
#include "emu/jit_internal.h"

uint32_t jit_ip(const struct jit_compiler *c) { return c->part->ip + c->insn->offset; }
uint32_t jit_next_ip(const struct jit_compiler *c) { return jit_ip(c) + c->insn->length; }

struct jit_cold *jit_cold_new(struct jit_compiler *c, void (*emit)(struct jit_compiler *, struct jit_cold *))
{
	if (c->colds == JIT_COLDS - 1)
		c->a.full = 1; /* the last one takes what there is no room for */
	struct jit_cold *cold = &c->cold[c->a.full ? JIT_COLDS - 1 : c->colds++];
	memset(cold, 0, sizeof *cold);
	cold->emit = emit;
	cold->ir = c->ir;
	cold->part = c->part;
	cold->flags = c->flags;
	return cold;
}

/* --- calls ----------------------------------------------------------------------- */

static void call_out(struct jit_compiler *c, const uint8_t *thunk)
{
	asm_mov_imm64(&c->a, R9, (uint64_t)(uintptr_t)c->insn);
	asm_mov_imm64(&c->a, R10, (uint64_t)(uintptr_t)c->part);
	asm_call(&c->a, thunk);
}

void jit_body(struct jit_compiler *c)
{
	jit_flags_store(c);
	call_out(c, c->jit->call_body);
	if (!jit_ir_keeps_flags(c->insn->op))
		c->flags = jit_flags_stored(KIND_WORDS);
	c->host_flags = false;
}

static void emit_cold_body(struct jit_compiler *c, struct jit_cold *cold)
{
	asm_bind(&c->a, &cold->enter);
	jit_flags_store(c);
	call_out(c, c->jit->call_body);
	asm_jmp(&c->a, cold->resume);
}

struct jit_cold *jit_cold_body(struct jit_compiler *c) { return jit_cold_new(c, emit_cold_body); }

/* --- addresses -------------------------------------------------------------------- */

static unsigned address_reg(uint16_t offset)
{
	if (offset == INSN_NO_REG)
		return NOREG;
	return host_gpr((unsigned)(offset - offsetof(struct ctx, gpr)) / sizeof(union ctx_reg));
}

void jit_address(struct jit_compiler *c)
{
	const struct insn *insn = c->insn;
	struct host_mem mem = { address_reg(insn->base), address_reg(insn->index), insn->scale, (int32_t)insn->disp };
	bool narrow = insn->addr_mask == 0xffff;
	if (mem.base == NOREG && mem.index == NOREG) {
		asm_mov_imm(&c->a, 4, R8, insn->disp & insn->addr_mask);
		return;
	}
	bool alone = mem.index == NOREG && !insn->disp;
	if (alone && narrow) {
		asm_extend(&c->a, 2, 0, R8, mem.base);
		return;
	}
	asm_lea(&c->a, 4, R8, mem);
	if (narrow)
		asm_extend(&c->a, 2, 0, R8, R8);
}

/* Offset in R8 -> linear address in R8. */
static void check_segment(struct jit_compiler *c, struct jit_cold *cold)
{
	struct jit_asm *a = &c->a;
	size_t seg = offsetof(struct emu, seg) + cold->seg * sizeof(struct seg_fast);
	size_t limit = cold->write ? offsetof(struct seg_fast, write) : offsetof(struct seg_fast, read);
	if (cold->size == 1) {
		asm_alu_load(a, 8, ALU_CMP, R8, emu_field(seg + limit));
		asm_jcc_label(a, CC_AE, &cold->enter);
	} else {
		asm_lea(a, 8, R9, mem_at(R8, cold->size));
		asm_alu_load(a, 8, ALU_CMP, R9, emu_field(seg + limit));
		asm_jcc_label(a, CC_A, &cold->enter);
	}
	asm_alu_load(a, 4, ALU_ADD, R8, emu_field(seg + offsetof(struct seg_fast, base)));
}

/* Linear -> physical by the software TLB. */
static void translate(struct jit_compiler *c, struct jit_cold *cold)
{
	struct jit_asm *a = &c->a;
	bool user = c->world & WORLD_USER;
	size_t tlb = offsetof(struct emu, tlb) + user * sizeof c->emu->tlb[0];
	size_t tag = tlb + (cold->write ? offsetof(struct tlb_entry, write_tag) : offsetof(struct tlb_entry, read_tag));
	size_t page = tlb + offsetof(struct tlb_entry, page);
	asm_mov(a, 4, R9, R8);
	asm_shift_imm(a, 4, SHIFT_SHR, R9, 8);
	asm_alu_imm(a, 4, ALU_AND, R9, (TLB_ENTRIES - 1) << 4);
	asm_alu(a, 8, ALU_ADD, R9, JIT_EMU);
	asm_test_mem_imm8(a, mem_at(R9, tag), 1);
	asm_jcc_label(a, CC_E, &cold->enter);
	asm_alu_load(a, 4, ALU_XOR, R8, mem_at(R9, tag)); /* leaves the offset, bit 0 flipped */
	asm_alu_imm(a, 4, ALU_XOR, R8, 1);
	asm_alu_imm(a, 4, ALU_CMP, R8, 0xfff);
	asm_jcc_label(a, CC_A, &cold->enter);
	asm_alu_mem_imm(a, 4, ALU_CMP, mem_at(R9, page + 4), 0);
	asm_jcc_label(a, CC_NE, &cold->enter);
	asm_alu_load(a, 4, ALU_OR, R8, mem_at(R9, page));
}

_Static_assert(sizeof(struct tlb_entry) == 16, "translate() scales by 16");

/* Linear address in R8: to `enter` where the bytes are not in one page. */
static void leave_page(struct jit_compiler *c, struct jit_cold *cold)
{
	struct jit_asm *a = &c->a;
	asm_mov(a, 4, R9, R8);
	asm_alu_imm(a, 4, ALU_AND, R9, 0xfff);
	asm_alu_imm(a, 4, ALU_CMP, R9, 0x1000 - cold->size);
	asm_jcc_label(a, CC_A, &cold->enter);
}

/* What is aligned stays in its page: the exact test is a rare part. */
static void check_page(struct jit_compiler *c, struct jit_cold *cold)
{
	if (cold->size != 2 && cold->size != 4) {
		leave_page(c, cold);
		return;
	}
	asm_test_imm(&c->a, 1, R8, cold->size - 1);
	asm_jcc_label(&c->a, CC_NE, &cold->crosses);
	cold->inside = c->a.at;
}

/* Comes before `enter` is bound. */
static void emit_crosses(struct jit_compiler *c, struct jit_cold *cold)
{
	if (!cold->crosses.refs)
		return;
	asm_bind(&c->a, &cold->crosses);
	leave_page(c, cold);
	asm_jmp(&c->a, cold->inside);
}

/* As access_fast(): offset in R8 -> R8 such that FLAT + R8 is the bytes. */
static void check_access(struct jit_compiler *c, struct jit_cold *cold)
{
	struct jit_asm *a = &c->a;
	check_segment(c, cold);
	if (cold->size > 1)
		check_page(c, cold);
	if (c->world & WORLD_PAGING)
		translate(c, cold);
	else
		asm_alu_load(a, 4, ALU_AND, R8, EMU_FIELD(a20_mask));
	asm_mov(a, 4, R9, R8);
	asm_shift_imm(a, 4, SHIFT_SHR, R9, MEM_PAGE_SHIFT);
	if (cold->write) {
		asm_alu_mem_imm(a, 1, ALU_CMP, mem_sum(JIT_PAGES, R9), MEM_READ | MEM_WRITE);
		asm_jcc_label(a, CC_NE, &cold->beside);
	} else {
		asm_test_mem_imm8(a, mem_sum(JIT_PAGES, R9), MEM_READ);
		asm_jcc_label(a, CC_E, &cold->enter);
	}
}

static struct jit_cold *access_begin(struct jit_compiler *c, void (*emit)(struct jit_compiler *, struct jit_cold *),
                                     jit_part_fn *address, unsigned seg, unsigned size, bool write)
{
	struct jit_cold *cold = jit_cold_new(c, emit);
	cold->address = address;
	cold->seg = seg;
	cold->size = size;
	cold->write = write;
	address(c);
	check_access(c, cold);
	c->host_flags = false;
	return cold;
}

static void call_slow(struct jit_compiler *c, const struct jit_cold *cold, const uint8_t *thunk)
{
	jit_flags_store(c);
	cold->address(c);
	asm_store_imm(&c->a, 4, EMU_FIELD(lazy.access), cold->seg | cold->size << 8);
	call_out(c, thunk);
}

static void load_value(struct jit_compiler *c, unsigned size, unsigned to)
{
	if (size == 4)
		asm_load(&c->a, 4, to, mem_sum(JIT_FLAT, R8));
	else
		asm_extend_load(&c->a, size, 0, to, mem_sum(JIT_FLAT, R8));
}

/* --- loads ------------------------------------------------------------------------- */

static void emit_cold_load(struct jit_compiler *c, struct jit_cold *cold)
{
	emit_crosses(c, cold);
	asm_bind(&c->a, &cold->enter);
	call_slow(c, cold, c->jit->call_read);
	asm_load(&c->a, 4, cold->reg, EMU_FIELD(lazy.value));
	asm_jmp(&c->a, cold->resume);
}

void jit_load(struct jit_compiler *c, jit_part_fn *address, unsigned seg, unsigned size, unsigned to)
{
	struct jit_cold *cold = access_begin(c, emit_cold_load, address, seg, size, false);
	cold->reg = to;
	load_value(c, size, to);
	cold->resume = c->a.at;
}

/* --- stores ------------------------------------------------------------------------ */

static unsigned width_index(unsigned size)
{
	unsigned index = 0;
	while (1u << index < size)
		index++;
	return index;
}

/* The page holds code too: do these bytes? */
static void emit_beside(struct jit_compiler *c, struct jit_cold *cold)
{
	asm_bind(&c->a, &cold->beside);
	asm_call(&c->a, c->jit->beside[width_index(cold->size)]);
	asm_jcc(&c->a, CC_AE, cold->store);
}

/* The block may have written to itself: then it is over. One that ends here, by a call,
 * goes where that leads. */
static void leave_if_stale(struct jit_compiler *c, const struct jit_cold *cold)
{
	struct jit_asm *a = &c->a;
	if (decode_ends_block(c->insn)) {
		asm_jmp(a, cold->resume);
		return;
	}
	asm_test(a, 4, R10, R10);
	asm_jcc(a, CC_E, cold->resume);
	jit_flags_store(c);
	asm_mov_imm(a, 4, R8, jit_next_ip(c));
	jit_count(c, (unsigned)(c->insn - c->block->insns) + 1);
	asm_jmp(a, c->jit->leave_spill);
}

static void save_value(struct jit_compiler *c, const struct jit_cold *cold)
{
	struct jit_asm *a = &c->a;
	if (cold->reg == NOREG)
		asm_store_imm(a, 4, EMU_FIELD(lazy.value), cold->imm);
	else if (cold->reg & HIGH) /* the byte lands where the value begins */
		asm_store(a, 4, emu_field(offsetof(struct emu, lazy.value) - 1), cold->reg & ~(unsigned)HIGH);
	else
		asm_store(a, 4, EMU_FIELD(lazy.value), cold->reg);
}

static void emit_cold_store(struct jit_compiler *c, struct jit_cold *cold)
{
	emit_crosses(c, cold);
	emit_beside(c, cold);
	asm_bind(&c->a, &cold->enter);
	save_value(c, cold);
	call_slow(c, cold, c->jit->call_write);
	if (cold->finish)
		cold->finish(c);
	leave_if_stale(c, cold);
}

void jit_store(struct jit_compiler *c, jit_part_fn *address, unsigned seg, unsigned size, unsigned reg, uint32_t imm,
               jit_part_fn *finish)
{
	struct jit_cold *cold = access_begin(c, emit_cold_store, address, seg, size, true);
	struct jit_asm *a = &c->a;
	cold->reg = reg;
	cold->imm = imm;
	cold->finish = finish;
	cold->store = a->at;
	if (reg != NOREG && reg & HIGH) { /* no REX prefix goes with it */
		asm_mov(a, 4, R9, reg & ~(unsigned)HIGH);
		asm_shift_imm(a, 4, SHIFT_SHR, R9, 8);
		reg = R9;
	}
	if (reg == NOREG)
		asm_store_imm(a, size, mem_sum(JIT_FLAT, R8), imm);
	else
		asm_store(a, size, mem_sum(JIT_FLAT, R8), reg);
	if (finish)
		finish(c);
	cold->resume = a->at;
}

/* --- read-modify-write ----------------------------------------------------------------- */

static void emit_cold_rmw(struct jit_compiler *c, struct jit_cold *cold)
{
	struct jit_asm *a = &c->a;
	emit_crosses(c, cold);
	emit_beside(c, cold);
	asm_bind(a, &cold->enter);
	call_slow(c, cold, c->jit->call_rmw_load);
	asm_load(a, 4, R10, EMU_FIELD(lazy.value));
	c->flags = cold->flags; /* in memory too, but where they are found has to be as on the straight way */
	cold->finish(c);
	asm_store(a, 4, EMU_FIELD(lazy.value), R10);
	call_out(c, c->jit->call_rmw_store);
	leave_if_stale(c, cold);
}

void jit_rmw(struct jit_compiler *c, unsigned size, jit_part_fn *compute)
{
	struct jit_cold *cold = access_begin(c, emit_cold_rmw, jit_address, c->insn->seg, size, true);
	cold->finish = compute;
	cold->store = c->a.at;
	load_value(c, size, R10);
	compute(c);
	asm_store(&c->a, size, mem_sum(JIT_FLAT, R8), R10);
	cold->resume = c->a.at;
	c->host_flags = false;
}

static void emit_cold_access_body(struct jit_compiler *c, struct jit_cold *cold)
{
	emit_crosses(c, cold);
	if (cold->beside.refs)
		emit_beside(c, cold);
	emit_cold_body(c, cold);
}

struct jit_cold *jit_access_or_body(struct jit_compiler *c, jit_part_fn *address, unsigned seg, unsigned size, bool write)
{
	struct jit_cold *cold = access_begin(c, emit_cold_access_body, address, seg, size, write);
	cold->store = c->a.at;
	return cold;
}

/* --- operands ------------------------------------------------------------------------ */

unsigned jit_operand(struct jit_compiler *c, unsigned size)
{
	if (!c->insn->is_memory)
		return host_reg(c->insn->rm, size);
	jit_load(c, jit_address, c->insn->seg, size, R10);
	return R10;
}

void jit_put(struct jit_compiler *c, unsigned size, unsigned reg)
{
	struct jit_asm *a = &c->a;
	if (!(reg & HIGH)) {
		asm_mov(a, size, reg, R10);
		return;
	}
	reg &= ~(unsigned)HIGH;
	asm_shift_imm(a, 4, SHIFT_ROR, reg, 8);
	asm_mov(a, 1, reg, R10);
	asm_shift_imm(a, 4, SHIFT_ROL, reg, 8);
	c->host_flags = false;
}
