/* Loads of segment registers and switches of CR0.PE, as far as they can be had
 * without a look at every rule: real-mode loads, descriptors seen before, and the
 * flat or plain segments of boot loaders. What is not so is left to the bodies: the
 * thunks that may say no give CF, and have changed nothing then.
 *
 * Where accesses are watched (breakpoints, debuggers) no generated code runs. */
#include "emu/jit_internal.h"

#include "shared/log.h"

#define ANY_TABLE (CTX_SEG_DB | CTX_SEG_G)
#define REAL_DATA (CTX_SEG_P | CTX_SEG_S | 3u | CTX_SEG_REAL)
#define REAL_CODE (REAL_DATA | CTX_SEG_CODE)

static struct host_mem page_seg(unsigned page, unsigned sreg, size_t field)
{
	return mem_at(page, offsetof(struct ctx, seg) + sreg * sizeof(struct ctx_seg) + field);
}

static struct host_mem fast_seg(unsigned sreg, size_t field)
{
	return emu_field(offsetof(struct emu, seg) + sreg * sizeof(struct seg_fast) + field);
}

/* R9 is EMU plus the entry's place in the row of the register. */
static struct host_mem seen_seg(unsigned sreg, size_t field)
{
	return mem_at(R9, offsetof(struct emu, seen) + sreg * sizeof(struct seg_seen[SEG_SEEN_ENTRIES]) + field);
}

#define PAGE_SEG(page, sreg, field) page_seg(page, sreg, offsetof(struct ctx_seg, field))
#define FAST_SEG(sreg, field) fast_seg(sreg, offsetof(struct seg_fast, field))
#define SEEN_SEG(sreg, field) seen_seg(sreg, offsetof(struct seg_seen, field))
#define PAGE_FIELD(page, field) mem_at(page, offsetof(struct ctx, field))

static void give(struct jit_asm *a, bool done)
{
	asm_byte(a, done ? 0xf8 : 0xf9); /* clc, stc */
	asm_ret(a);
}

/* --- real mode ------------------------------------------------------------------ */

/* As seg_load_real() outside of vm86. R10 = selector; uses R8, R9. */
static uint8_t *thunk_load_real(struct jit_asm *a, unsigned sreg)
{
	uint8_t *thunk = a->at;
	asm_load(a, 8, R9, EMU_FIELD(ctx));
	asm_store(a, 2, PAGE_SEG(R9, sreg, selector), R10);
	asm_shift_imm(a, 4, SHIFT_SHL, R10, 4);
	asm_store(a, 8, PAGE_SEG(R9, sreg, base), R10);
	asm_store(a, 4, FAST_SEG(sreg, base), R10);
	asm_load(a, 4, R8, PAGE_SEG(R9, sreg, access));
	asm_alu_imm(a, 4, ALU_AND, R8, ANY_TABLE);
	asm_alu_imm(a, 4, ALU_OR, R8, sreg == CTX_CS ? REAL_CODE : REAL_DATA);
	asm_store(a, 4, PAGE_SEG(R9, sreg, access), R8);
	asm_alu_mem_imm(a, 1, ALU_OR, EMU_FIELD(real_segments), 1u << sreg);
	asm_load(a, 4, R8, PAGE_SEG(R9, sreg, limit));
	asm_lea(a, 8, R8, mem_at(R8, 1));
	asm_store(a, 8, FAST_SEG(sreg, read), R8);
	asm_store(a, 8, FAST_SEG(sreg, write), R8);
	asm_ret(a);
	return thunk;
}

/* --- protected mode, ring 0, no paging --------------------------------------------- */

_Static_assert(sizeof(struct seg_seen) == 64 && SEG_SEEN_ENTRIES == 4, "find_seen() scales by 64");

/* Selector in R10 -> R9, as seen_seg() wants it, when it is that of the entry. */
static void find_seen(struct jit_asm *a, unsigned sreg, struct asm_label *no)
{
	asm_mov(a, 4, R9, R10);
	asm_alu_imm(a, 4, ALU_AND, R9, (SEG_SEEN_ENTRIES - 1) << 3);
	asm_shift_imm(a, 4, SHIFT_SHL, R9, 3);
	asm_alu(a, 8, ALU_ADD, R9, JIT_EMU);
	asm_lea(a, 4, R8, mem_at(R10, SEG_SEEN));
	asm_alu_load(a, 4, ALU_CMP, R8, SEEN_SEG(sreg, selector));
	asm_jcc_label(a, CC_NE, no);
}

/* The descriptor in the GDT that R10 selects -> R8; then R10 = the page. */
static void read_descriptor(struct jit_asm *a, struct asm_label *no)
{
	asm_mov(a, 4, R8, R10);
	asm_alu_imm(a, 4, ALU_OR, R8, 7);
	asm_load(a, 8, R10, EMU_FIELD(ctx));
	asm_alu_load(a, 4, ALU_CMP, R8, PAGE_FIELD(R10, gdtr.limit));
	asm_jcc_label(a, CC_A, no);
	asm_lea(a, 4, R8, mem_at(R8, (size_t)-7));
	asm_alu_load(a, 4, ALU_ADD, R8, PAGE_FIELD(R10, gdtr.base));
	asm_alu_load(a, 4, ALU_AND, R8, EMU_FIELD(a20_mask));
	asm_mov(a, 4, R10, R8);
	asm_alu_imm(a, 4, ALU_AND, R10, 0xfff);
	asm_alu_imm(a, 4, ALU_CMP, R10, 0xff8);
	asm_jcc_label(a, CC_A, no);
	asm_mov(a, 4, R10, R8);
	asm_shift_imm(a, 4, SHIFT_SHR, R10, MEM_PAGE_SHIFT);
	asm_test_mem_imm8(a, mem_sum(JIT_PAGES, R10), MEM_READ);
	asm_jcc_label(a, CC_E, no);
	asm_load(a, 8, R8, mem_sum(JIT_FLAT, R8));
	asm_load(a, 8, R10, EMU_FIELD(ctx));
}

/* The register holds no real-mode descriptor any more. Where real mode is left with
 * that and blocks are counted, the loop in run.c has to see it. */
static void leave_real(struct jit_asm *a, unsigned sreg, struct asm_label *no)
{
	struct asm_label some = { .refs = 0 };
	asm_extend_load(a, 1, 0, R8, EMU_FIELD(real_segments));
	asm_alu_imm(a, 4, ALU_AND, R8, ~(1u << sreg));
	asm_jcc_label(a, CC_NE, &some);
	asm_alu_mem_imm(a, 8, ALU_CMP, PAGE_FIELD(R10, limit_blocks), 0xffffffffu);
	asm_jcc_label(a, CC_NE, no);
	asm_store_imm(a, 1, EMU_FIELD(is_real), 0);
	asm_bind(a, &some);
	asm_store(a, 1, EMU_FIELD(real_segments), R8);
}

static void copy_seen(struct jit_asm *a, unsigned sreg)
{
	asm_load(a, 8, R8, SEEN_SEG(sreg, base));
	asm_store(a, 8, PAGE_SEG(R10, sreg, base), R8);
	asm_store(a, 4, FAST_SEG(sreg, base), R8);
	asm_load(a, 4, R8, SEEN_SEG(sreg, limit));
	asm_store(a, 4, PAGE_SEG(R10, sreg, limit), R8);
	asm_load(a, 4, R8, SEEN_SEG(sreg, selector));
	asm_store(a, 2, PAGE_SEG(R10, sreg, selector), R8);
	asm_load(a, 4, R8, SEEN_SEG(sreg, access));
	asm_store(a, 4, PAGE_SEG(R10, sreg, access), R8);
	asm_load(a, 8, R8, SEEN_SEG(sreg, read));
	asm_store(a, 8, FAST_SEG(sreg, read), R8);
	asm_load(a, 8, R8, SEEN_SEG(sreg, write));
	asm_store(a, 8, FAST_SEG(sreg, write), R8);
}

static void copy_world(struct jit_asm *a, unsigned sreg, uint32_t bits)
{
	asm_load(a, 4, R8, EMU_FIELD(world));
	asm_alu_imm(a, 4, ALU_AND, R8, ~bits);
	asm_alu_load(a, 4, ALU_OR, R8, SEEN_SEG(sreg, world));
	asm_store(a, 4, EMU_FIELD(world), R8);
}

/* Of CS and SS there is more to derive: as derive_code(), derive_world(). */
static void copy_code(struct jit_asm *a)
{
	asm_load(a, 4, R8, SEEN_SEG(CTX_CS, limit));
	asm_lea(a, 8, R8, mem_at(R8, 1));
	asm_store(a, 8, EMU_FIELD(code_limit), R8);
	asm_load(a, 4, R8, SEEN_SEG(CTX_CS, mask));
	asm_store(a, 4, EMU_FIELD(ip_mask), R8);
	asm_shift_imm(a, 4, SHIFT_SHR, R8, 31);
	asm_store(a, 1, EMU_FIELD(code32), R8);
	copy_world(a, CTX_CS, WORLD_OF_CODE);
}

static void copy_stack(struct jit_asm *a)
{
	asm_load(a, 4, R8, SEEN_SEG(CTX_SS, mask));
	asm_store(a, 4, EMU_FIELD(stack_mask), R8);
	copy_world(a, CTX_SS, WORLD_STACK32);
}

/* R10 = selector, zero-extended; for CS, lazy.target = the offset to go to. Does what
 * the body would do when such a load was seen before. Uses R8 to R10. */
static uint8_t *thunk_load_seen(struct jit_asm *a, unsigned sreg)
{
	uint8_t *thunk = a->at;
	struct asm_label no = { .refs = 0 };
	find_seen(a, sreg, &no);
	asm_alu_mem_imm(a, 1, ALU_CMP, EMU_FIELD(cpl), 0);
	asm_jcc_label(a, CC_NE, &no);
	asm_alu_imm(a, 4, ALU_AND, R10, 0xfff8);
	read_descriptor(a, &no);
	asm_alu_load(a, 8, ALU_CMP, R8, SEEN_SEG(sreg, descriptor));
	asm_jcc_label(a, CC_NE, &no);
	if (sreg == CTX_CS) {
		asm_load(a, 4, R8, EMU_FIELD(lazy.target));
		asm_alu_load(a, 4, ALU_CMP, R8, SEEN_SEG(CTX_CS, limit));
		asm_jcc_label(a, CC_A, &no);
	}
	leave_real(a, sreg, &no);
	copy_seen(a, sreg);
	if (sreg == CTX_CS)
		copy_code(a);
	if (sreg == CTX_SS)
		copy_stack(a);
	give(a, true);
	asm_bind(a, &no);
	give(a, false);
	return thunk;
}

/* --- CR0.PE ----------------------------------------------------------------------------- */

/* All data registers hold segments that can be read and written in either mode, CS
 * code that can be read, and SS is of ring 0. R9 = the page; uses R8. */
static void check_plain(struct jit_asm *a, struct asm_label *no)
{
	static const uint8_t data[] = { CTX_ES, CTX_SS, CTX_DS, CTX_FS, CTX_GS };
	asm_load(a, 4, R8, PAGE_SEG(R9, CTX_ES, access));
	for (unsigned i = 1; i < sizeof data; i++)
		asm_alu_load(a, 4, ALU_OR, R8, PAGE_SEG(R9, data[i], access));
	asm_test_imm(a, 4, R8, CTX_SEG_CODE | CTX_SEG_DOWN | CTX_SEG_UNUSABLE);
	asm_jcc_label(a, CC_NE, no);
	asm_load(a, 4, R8, PAGE_SEG(R9, CTX_ES, access));
	for (unsigned i = 1; i < sizeof data; i++)
		asm_alu_load(a, 4, ALU_AND, R8, PAGE_SEG(R9, data[i], access));
	asm_test_imm(a, 4, R8, CTX_SEG_WRITABLE);
	asm_jcc_label(a, CC_E, no);
	asm_load(a, 4, R8, PAGE_SEG(R9, CTX_CS, access));
	asm_alu_imm(a, 4, ALU_AND, R8, CTX_SEG_CODE | CTX_SEG_READABLE | CTX_SEG_UNUSABLE);
	asm_alu_imm(a, 4, ALU_CMP, R8, CTX_SEG_CODE | CTX_SEG_READABLE);
	asm_jcc_label(a, CC_NE, no);
	asm_load(a, 4, R8, PAGE_SEG(R9, CTX_SS, access));
	asm_test_imm(a, 4, R8, CTX_SEG_DPL);
	asm_jcc_label(a, CC_NE, no);
}

/* CS can be written in real mode only. */
static void switch_pe(struct jit_asm *a, struct asm_label *no)
{
	struct asm_label to_real = { .refs = 0 }, done = { .refs = 0 };
	asm_test_imm(a, 4, R10, CTX_CR0_PE);
	asm_jcc_label(a, CC_E, &to_real);
	asm_alu_mem_imm(a, 1, ALU_CMP, EMU_FIELD(real_segments), 0);
	asm_jcc_label(a, CC_E, no);
	asm_store_imm(a, 8, FAST_SEG(CTX_CS, write), 0);
	asm_store_imm(a, 1, EMU_FIELD(protected_mode), 1);
	asm_jmp_label(a, &done);
	asm_bind(a, &to_real);
	asm_load(a, 4, R8, PAGE_SEG(R9, CTX_CS, limit));
	asm_lea(a, 8, R8, mem_at(R8, 1));
	asm_store(a, 8, FAST_SEG(CTX_CS, write), R8);
	asm_store_imm(a, 1, EMU_FIELD(protected_mode), 0);
	asm_bind(a, &done);
	asm_store_imm(a, 1, EMU_FIELD(is_real), 1);
	asm_store_imm(a, 1, EMU_FIELD(was_real), 1);
	asm_store_imm(a, 1, EMU_FIELD(stays), 0);
	asm_alu_mem_imm(a, 4, ALU_XOR, EMU_FIELD(world), WORLD_PROTECTED);
}

/* R10 = the new CR0, of which only PE may differ; no paging, no vm86. Uses R8, R9. */
static uint8_t *thunk_switch_pe(struct jit_asm *a)
{
	uint8_t *thunk = a->at;
	struct asm_label no = { .refs = 0 };
	asm_load(a, 8, R9, EMU_FIELD(ctx));
	asm_load(a, 4, R8, CTX_FIELD(cr0));
	asm_alu(a, 4, ALU_XOR, R8, R10);
	asm_alu_imm(a, 4, ALU_CMP, R8, CTX_CR0_PE);
	asm_jcc_label(a, CC_NE, &no);
	asm_alu_mem_imm(a, 1, ALU_CMP, EMU_FIELD(cpl), 0);
	asm_jcc_label(a, CC_NE, &no);
	asm_load(a, 4, R8, CTX_FIELD(rflags));
	asm_test_imm(a, 4, R8, CTX_EFLAGS_VM);
	asm_jcc_label(a, CC_NE, &no);
	asm_mov_imm64(a, R8, (uint64_t)(uintptr_t)&log_trace_mask);
	asm_load(a, 4, R8, mem_at(R8, 0));
	asm_test_imm(a, 4, R8, LOG_TRACE_SWITCH);
	asm_jcc_label(a, CC_NE, &no);
	check_plain(a, &no);
	switch_pe(a, &no);
	asm_store(a, 8, CTX_FIELD(cr0), R10);
	give(a, true);
	asm_bind(a, &no);
	give(a, false);
	return thunk;
}

void jit_thunk_seg(struct jit *jit, struct jit_asm *a)
{
	static const uint8_t sregs[] = { CTX_ES, CTX_CS, CTX_SS, CTX_DS, CTX_FS, CTX_GS };
	for (unsigned i = 0; i < sizeof sregs; i++) {
		jit->load_real[sregs[i]] = thunk_load_real(a, sregs[i]);
		jit->load_seen[sregs[i]] = thunk_load_seen(a, sregs[i]);
	}
	jit->switch_pe = thunk_switch_pe(a);
}
