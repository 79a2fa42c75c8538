/* A bench for the emulator core: 8 MiB of RAM, descriptor tables, TSS and page
 * tables made in C, code as bytes. Every interrupt and exception ends the run in
 * a HLT of its own, so the frame on the stack tells all. */
#ifndef V2E_TESTS_UNIT_EMU_RIG_H
#define V2E_TESTS_UNIT_EMU_RIG_H

#include <check.h>

#include "tests/insn/machine.h"

/* Where things lie, physical and (without paging) linear. */
enum {
	RIG_IVT      = 0x0000,
	RIG_GDT      = 0x1000,
	RIG_IDT      = 0x2000,
	RIG_LDT      = 0x3000,
	RIG_TSS      = 0x4000,
	RIG_TSS2     = 0x5000, /* for task switches */
	RIG_TSS3     = 0x6000,
	RIG_HANDLERS = 0x8000, /* vector n: HLT at 16 * n; the IVT says 0800:(16 * n) */
	RIG_CODE     = 0x10000,
	RIG_DATA     = 0x20000,
	RIG_STACK0   = 0x30000,/* top of the ring 0 stack */
	RIG_STACK3   = 0x38000,
	RIG_PAGES    = 0x100000, /* page directory; tables behind it */
	RIG_RAM      = 0x800000,
};

/* Selectors of rig_new_protected(). */
enum {
	SEL_CODE0 = 0x08, SEL_DATA0 = 0x10, /* flat, 32-bit, ring 0 */
	SEL_CODE3 = 0x1b, SEL_DATA3 = 0x23, /* flat, 32-bit, ring 3 */
	SEL_TSS   = 0x28,
	SEL_CODE16 = 0x30, SEL_DATA16 = 0x38, /* base 0, limit FFFF, ring 0 */
	SEL_LDT   = 0x40,
	SEL_TSS2  = 0x48, SEL_TSS3 = 0x50,
	SEL_A = 0x58, SEL_B = 0x60, SEL_C = 0x68, SEL_D = 0x70, /* for the test: not there */
	SEL_LOCAL_A = 0x04, SEL_LOCAL_B = 0x0c,                 /* likewise, in the LDT */
};

/* Access words as in struct ctx_seg. */
enum {
	ACC_CODE32 = 0xc09b, ACC_DATA32 = 0xc093, ACC_CODE16 = 0x009b, ACC_DATA16 = 0x0093,
	ACC_DPL1 = 0x20, ACC_DPL2 = 0x40, ACC_DPL3 = 0x60,
	ACC_LDT = 0x82, ACC_TSS16 = 0x81, ACC_TSS32 = 0x89,
	GATE_CALL16 = 0x84, GATE_TASK = 0x85, GATE_INT16 = 0x86, GATE_TRAP16 = 0x87,
	GATE_CALL32 = 0x8c, GATE_INT32 = 0x8e, GATE_TRAP32 = 0x8f,
};

/* What rig_run() gives, other than the vector of the handler that was reached. */
enum { RIG_HALTED = 0x100, RIG_SHUTDOWN, RIG_BUDGET, RIG_OTHER };

struct rig {
	struct machine *machine;
	struct ctx *ctx;
	uint8_t *ram;
	uint32_t at;    /* where CODE() goes on */
	uint8_t vector; /* of rig_interrupt() */
};

/* Real mode: CS:IP = 1000:0000 (RIG_CODE), DS = ES = 2000 (RIG_DATA), FS = GS = 0,
 * SS:SP = 2000:F000. */
struct rig *rig_new_real(enum emu_cpu cpu);
/* Ring 0, flat 32-bit segments, EIP = RIG_CODE, ESP = RIG_STACK0, all tables loaded,
 * interrupt gates for all 256 vectors (DPL 3 from 20h on), paging off. */
struct rig *rig_new_protected(enum emu_cpu cpu);
void rig_free(struct rig *rig);

/* Puts bytes at `address` (the cache of the emulator hears of it) and sets rig->at
 * behind them, where CODE() goes on. */
void rig_put(struct rig *rig, uint32_t address, const void *bytes, size_t size);
#define CODE_AT(rig, address, ...) \
	rig_put(rig, address, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))
#define CODE(rig, ...) CODE_AT(rig, (rig)->at, __VA_ARGS__)
#define W(value) (uint8_t)((value) & 0xff), (uint8_t)((uint32_t)(value) >> 8 & 0xff)
#define D(value) W(value), W((uint32_t)(value) >> 16)

uint32_t rig_get(const struct rig *rig, uint32_t address, unsigned size);
void rig_set(struct rig *rig, uint32_t address, unsigned size, uint32_t value);

/* Runs until HLT; gives the vector whose handler halted, or RIG_HALTED and others. */
unsigned rig_run(struct rig *rig);
/* Runs `insns` instructions. */
enum stop_reason rig_step(struct rig *rig, unsigned insns);

/* The frame that the handler found: value `n` from the top of the stack. In
 * protected mode all gates of the rig are 32-bit unless the test changed them. */
uint32_t rig_frame32(const struct rig *rig, unsigned n);
uint32_t rig_frame16(const struct rig *rig, unsigned n);
/* The frame of a real-mode interrupt: IP, the rig's CS, and flags under a mask. */
void rig_ck_frame16(const struct rig *rig, uint16_t ip, uint16_t flags_mask, uint16_t flags);
/* Runs into a fault of real mode; it pushes no error code. */
void rig_ck_real_fault(struct rig *rig, unsigned vector, uint16_t ip);

/* Runs, and asserts: vector, error code, EIP in the frame (protected mode). */
#define ck_fault(rig, vector, code, eip) do {                              \
	ck_assert_uint_eq(rig_run(rig), vector);                           \
	ck_assert_uint_eq(rig_frame32(rig, 0), (uint32_t)(code));          \
	ck_assert_uint_eq(rig_frame32(rig, 1), (uint32_t)(eip)); } while (0)
/* Likewise for vectors without an error code. */
#define ck_event(rig, vector, eip) do {                                    \
	ck_assert_uint_eq(rig_run(rig), vector);                           \
	ck_assert_uint_eq(rig_frame32(rig, 0), (uint32_t)(eip)); } while (0)

/* A suite of one case with checked fixtures: RIG_SUITE("name", start, stop, test, ...). */
Suite *rig_suite(const char *name, SFun start, SFun stop, const TTest *const *tests, size_t count);
#define RIG_SUITE(name, start, stop, ...)                                         \
	rig_suite(name, start, stop, (const TTest *const[]){ __VA_ARGS__ },       \
	          sizeof((const TTest *const[]){ __VA_ARGS__ }) / sizeof(const TTest *))

/* --- tables ---------------------------------------------------------------- */

/* Writes a descriptor to GDT or LDT. The limit is in bytes, or with G set in pages. */
void rig_descriptor(struct rig *rig, uint16_t selector, uint32_t base, uint32_t limit, uint32_t access);
/* Its access byte, as it is in memory. */
uint8_t rig_access(const struct rig *rig, uint16_t selector);
void rig_gate(struct rig *rig, uint16_t selector, uint8_t access, uint16_t target, uint32_t offset, unsigned parameters);
void rig_idt(struct rig *rig, unsigned vector, uint8_t access, uint16_t target, uint32_t offset);
uint32_t rig_handler(unsigned vector);

/* Loads a segment register with what the tables say, without checks. */
void rig_load(struct rig *rig, enum ctx_sreg sreg, uint16_t selector);
/* CS, SS, DS, ES, FS, GS of ring 3, ESP = RIG_STACK3. */
void rig_ring3(struct rig *rig);
/* Into vm86 at 1000:0000, SS:SP = 2000:F000, DS = ES = 2000, FS = GS = 0. */
void rig_vm86(struct rig *rig, unsigned iopl);

/* A TSS of 32 or 16 bits at `base`: ring 0, all segments flat, ESP RIG_STACK0 - 1000h. */
void rig_tss32(struct rig *rig, uint32_t base, uint32_t eip, uint32_t eflags);
void rig_tss16(struct rig *rig, uint32_t base, uint16_t ip, uint16_t flags);

/* --- paging ---------------------------------------------------------------- */

enum { PTE_P = 1, PTE_W = 2, PTE_U = 4, PTE_A = 0x20, PTE_D = 0x40, PTE_PS = 0x80 };
/* Identity, 4 KiB pages, present, writable, user; CR3 and CR0.PG set. */
void rig_paging(struct rig *rig);
/* The page table entry of a linear address: its physical place. */
uint32_t rig_pte(uint32_t linear);
void rig_map(struct rig *rig, uint32_t linear, uint32_t entry);

/* --- pins ------------------------------------------------------------------ */

void rig_interrupt(struct rig *rig, uint8_t vector); /* INTR until acknowledged */
void rig_nmi(struct rig *rig);
void rig_smi(struct rig *rig);

#endif
