/* Code memory, mapped twice: to write and to run. At its start lie the thunks, the
 * ways between C and generated code. memfd_create() */
#define _GNU_SOURCE
#include "emu/jit_internal.h"

#include <sys/mman.h>
#include <unistd.h>

/* Room for the thunks. */
#define THUNKS_MAX (64u << 10)

const void *jit_code_run(const struct jit *jit, const uint8_t *write)
{
	return jit->run + (write - jit->write);
}

/* --- thunks ------------------------------------------------------------------------ */

static const uint8_t host_saved[] = { RBX, RBP, R12, R13, R14, R15 };

static struct host_mem guest_gpr(unsigned number)
{
	return mem_at(JIT_PAGES, offsetof(struct ctx, gpr) + number * sizeof(union ctx_reg));
}

static void movq_load(struct jit_asm *a, size_t field) /* movq xmm15, [emu + field] */
{
	static const uint8_t opcode[] = { 0xf3, 0x45, 0x0f, 0x7e, 0xbf };
	asm_bytes(a, opcode, sizeof opcode);
	asm_32(a, (uint32_t)field);
}

static void movq_store(struct jit_asm *a, size_t field) /* movq [emu + field], xmm15 */
{
	static const uint8_t opcode[] = { 0x66, 0x45, 0x0f, 0xd6, 0xbf };
	asm_bytes(a, opcode, sizeof opcode);
	asm_32(a, (uint32_t)field);
}

/* xmm14 = 1: all ones, shifted right by 63. */
static void constant_one(struct jit_asm *a)
{
	static const uint8_t code[] = { 0x66, 0x45, 0x0f, 0x76, 0xf6, 0x66, 0x41, 0x0f, 0x73, 0xd6, 63 };
	asm_bytes(a, code, sizeof code);
}

static void spill(struct jit_asm *a)
{
	asm_load(a, 8, JIT_PAGES, EMU_FIELD(ctx));
	for (unsigned i = 0; i < 8; i++)
		asm_store(a, 4, guest_gpr(i), host_gpr(i));
	asm_store(a, 8, EMU_FIELD(lazy.left), JIT_LEFT);
	movq_store(a, offsetof(struct emu, lazy.blocks));
}

static void reload(struct jit_asm *a)
{
	asm_load(a, 8, JIT_PAGES, EMU_FIELD(ctx));
	for (unsigned i = 0; i < 8; i++)
		asm_load(a, 4, host_gpr(i), guest_gpr(i));
	asm_load(a, 8, JIT_PAGES, EMU_FIELD(page));
	asm_load(a, 8, JIT_LEFT, EMU_FIELD(lazy.left));
	movq_load(a, offsetof(struct emu, lazy.blocks));
	constant_one(a);
}

/* (emu, code): the C function that starts generated code. */
static void thunk_enter(struct jit *jit, struct jit_asm *a)
{
	jit->enter = a->at;
	for (unsigned i = 0; i < sizeof host_saved; i++)
		asm_push(a, host_saved[i]);
	asm_alu_imm(a, 8, ALU_SUB, RSP, 8);
	asm_mov(a, 8, JIT_EMU, RDI);
	asm_mov(a, 8, R10, RSI);
	asm_load(a, 8, JIT_FLAT, EMU_FIELD(flat));
	reload(a);
	asm_jmp_reg(a, R10);
}

/* R8 = EIP; or, from leave on, the page is complete. */
static void thunk_leave(struct jit *jit, struct jit_asm *a)
{
	jit->leave_spill = a->at;
	spill(a);
	asm_store(a, 8, mem_at(JIT_PAGES, offsetof(struct ctx, rip)), R8);
	jit->leave = a->at;
	asm_alu_imm(a, 8, ALU_ADD, RSP, 8);
	for (unsigned i = sizeof host_saved; i-- > 0;)
		asm_pop(a, host_saved[i]);
	asm_ret(a);
}

static void call_c(struct jit_asm *a, jit_call_fn *function)
{
	asm_mov(a, 8, RDI, JIT_EMU);
	asm_mov(a, 8, RSI, R9);
	asm_mov(a, 8, RDX, R10);
	asm_mov(a, 4, RCX, R8);
	asm_mov_imm64(a, RAX, (uint64_t)(uintptr_t)function);
	asm_reg(a, 4, 0xff, 2, RAX);
	asm_mov(a, 8, R10, RAX);
}

/* Called with R8 the argument, R9 the instruction, R10 the block. The function gives
 * 0 or 1 for R10, or an address where to go on instead. */
static uint8_t *thunk_call(struct jit_asm *a, jit_call_fn *function)
{
	uint8_t *thunk = a->at;
	struct asm_label away = { .refs = 0 };
	asm_alu_imm(a, 8, ALU_SUB, RSP, 8);
	spill(a);
	call_c(a, function);
	reload(a);
	asm_alu_imm(a, 8, ALU_ADD, RSP, 8);
	asm_alu_imm(a, 8, ALU_CMP, R10, 1);
	asm_jcc_label(a, CC_A, &away);
	asm_ret(a);
	asm_bind(a, &away);
	asm_alu_imm(a, 8, ALU_ADD, RSP, 8);
	asm_jmp_reg(a, R10);
	return thunk;
}

/* R8 = EIP, R9 = the exit, R10 = its block. */
static void thunk_link(struct jit *jit, struct jit_asm *a)
{
	jit->link = a->at;
	spill(a);
	asm_store(a, 8, mem_at(JIT_PAGES, offsetof(struct ctx, rip)), R8);
	call_c(a, jit_run_link);
	reload(a);
	asm_jmp_reg(a, R10);
}

/* R8 = EIP: by the table that block_find() fills, with all its checks. */
static void thunk_lookup(struct jit *jit, struct jit_asm *a)
{
	size_t base = offsetof(struct emu, seg) + CTX_CS * sizeof(struct seg_fast) + offsetof(struct seg_fast, base);
	jit->lookup = a->at;
	asm_test(a, 8, JIT_LEFT, JIT_LEFT);
	asm_jcc(a, CC_LE, jit->leave_spill);
	asm_mov_imm64(a, R10, (uint64_t)(uintptr_t)&jit->emu->pins->attention);
	asm_alu_mem_imm(a, 1, ALU_CMP, mem_at(R10, 0), 0);
	asm_jcc(a, CC_NE, jit->leave_spill);
	asm_load(a, 4, R9, emu_field(base));
	asm_alu(a, 4, ALU_ADD, R9, R8);
	asm_mov(a, 4, R10, R9);
	asm_shift_imm(a, 4, SHIFT_SHR, R10, 12);
	asm_alu(a, 4, ALU_XOR, R10, R9);
	asm_alu_imm(a, 4, ALU_AND, R10, BLOCK_JUMP_SIZE - 1);
	asm_shift_imm(a, 4, SHIFT_SHL, R10, 3);
	asm_alu_load(a, 8, ALU_ADD, R10, EMU_FIELD(cache));
	asm_load(a, 8, R10, mem_at(R10, offsetof(struct block_cache, jump)));
	asm_test(a, 8, R10, R10);
	asm_jcc(a, CC_E, jit->leave_spill);
	asm_alu_load(a, 4, ALU_CMP, R9, mem_at(R10, offsetof(struct block, linear)));
	asm_jcc(a, CC_NE, jit->leave_spill);
	asm_alu_load(a, 4, ALU_CMP, R8, mem_at(R10, offsetof(struct block, jit_ip)));
	asm_jcc(a, CC_NE, jit->leave_spill);
	asm_load(a, 4, R9, EMU_FIELD(world));
	asm_alu_load(a, 4, ALU_CMP, R9, mem_at(R10, offsetof(struct block, jit_world)));
	asm_jcc(a, CC_NE, jit->leave_spill);
	asm_load(a, 8, R9, EMU_FIELD(cache));
	asm_load(a, 4, R9, mem_at(R9, offsetof(struct block_cache, epoch)));
	asm_alu_load(a, 4, ALU_CMP, R9, mem_at(R10, offsetof(struct block, epoch)));
	asm_jcc(a, CC_NE, jit->leave_spill);
	asm_jmp_mem(a, mem_at(R10, offsetof(struct block, jit_entry)));
}

/* R8 = physical address of `size` bytes in one page, R9 = its page. Returns with CF
 * when they are no plain data: not writable memory, or the bitmap says code. */
static uint8_t *thunk_beside(struct jit *jit, struct jit_asm *a, unsigned size)
{
	uint8_t *thunk = a->at;
	struct asm_label no = { .refs = 0 };
	asm_push(a, R10);
	asm_push(a, RCX);
	asm_alu_mem_imm(a, 1, ALU_CMP, mem_sum(JIT_PAGES, R9), MEM_READ | MEM_WRITE | MEM_CODE);
	asm_jcc_label(a, CC_NE, &no);
	asm_mov_imm64(a, R10, (uint64_t)(uintptr_t)jit->emu->cache->pages);
	asm_load(a, 8, R10, (struct host_mem){ R10, R9, 3, 0 });
	asm_test(a, 8, R10, R10);
	asm_jcc_label(a, CC_E, &no);
	asm_mov(a, 4, R9, R8);
	asm_alu_imm(a, 4, ALU_AND, R9, 0xfff);
	asm_mov(a, 4, RCX, R9);
	asm_shift_imm(a, 4, SHIFT_SHR, R9, 3);
	asm_load(a, 8, R10, (struct host_mem){ R10, R9, 0, offsetof(struct code_page, bits) });
	asm_alu_imm(a, 4, ALU_AND, RCX, 7);
	asm_shift_cl(a, 8, SHIFT_SHR, R10);
	asm_test_imm(a, 4, R10, 0xffffffffu >> (32 - size));
	asm_jcc_label(a, CC_NE, &no);
	asm_pop(a, RCX);
	asm_pop(a, R10);
	asm_byte(a, 0xf8); /* clc */
	asm_ret(a);
	asm_bind(a, &no);
	asm_pop(a, RCX);
	asm_pop(a, R10);
	asm_byte(a, 0xf9); /* stc */
	asm_ret(a);
	return thunk;
}

/* The eight bytes from the last byte of `bits` on reach into the next field. */
_Static_assert(sizeof(struct code_page) >= 512 + 8, "thunk_beside() reads a word at bits[511]");

static void make_thunks(struct jit *jit)
{
	struct jit_asm a = { .at = jit->write, .end = jit->write + THUNKS_MAX, .delta = jit->run - jit->write };
	thunk_enter(jit, &a);
	thunk_leave(jit, &a);
	thunk_link(jit, &a);
	thunk_lookup(jit, &a);
	jit->call_body = thunk_call(&a, jit_run_body);
	jit->call_read = thunk_call(&a, jit_run_read);
	jit->call_write = thunk_call(&a, jit_run_write);
	jit->call_rmw_load = thunk_call(&a, jit_run_rmw_load);
	jit->call_rmw_store = thunk_call(&a, jit_run_rmw_store);
	jit->call_settle = thunk_call(&a, jit_run_settle);
	jit_thunk_flags(jit, &a);
	jit_thunk_seg(jit, &a);
	for (unsigned i = 0; i < G_N_ELEMENTS(jit->beside); i++)
		jit->beside[i] = thunk_beside(jit, &a, 1u << i);
	g_assert(!a.full);
}

bool jit_code_new(struct jit *jit, size_t size)
{
	jit->size = THUNKS_MAX + size;
	int fd = memfd_create("v2e-jit", MFD_CLOEXEC);
	if (fd < 0)
		return false;
	void *write = MAP_FAILED, *run = MAP_FAILED;
	if (!ftruncate(fd, (off_t)jit->size)) {
		write = mmap(NULL, jit->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		run = mmap(NULL, jit->size, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	}
	close(fd);
	jit->write = write == MAP_FAILED ? NULL : write;
	jit->run = run == MAP_FAILED ? NULL : run;
	if (!jit->write || !jit->run)
		return false;
	make_thunks(jit);
	jit_cache_new(jit, jit->write + THUNKS_MAX, jit->write + jit->size);
	return true;
}

void jit_code_free(struct jit *jit)
{
	if (jit->write)
		munmap(jit->write, jit->size);
	if (jit->run)
		munmap(jit->run, jit->size);
}
