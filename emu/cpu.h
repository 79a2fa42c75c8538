/* The emulator's inside: its state and what its files offer each other. */
#ifndef V2E_EMU_CPU_H
#define V2E_EMU_CPU_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "emu/emu.h"
#include "emu/insn.h"
#include "shared/ctx.h"
#include "shared/trace_site.h"

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* Exceptions (SDM vol. 3, table 6-1). */
enum vector {
	VEC_DE = 0, VEC_DB = 1, VEC_NMI = 2, VEC_BP = 3, VEC_OF = 4, VEC_BR = 5,
	VEC_UD = 6, VEC_NM = 7, VEC_DF = 8, VEC_TS = 10, VEC_NP = 11, VEC_SS = 12,
	VEC_GP = 13, VEC_PF = 14, VEC_MF = 16, VEC_AC = 17, VEC_MC = 18, VEC_XM = 19,
};

struct fault {
	uint8_t vector;
	bool has_error;
	bool is_trap;  /* #DB as a trap, or at a code breakpoint: no RF in the pushed EFLAGS */
	bool keep_ip;  /* ctx->rip is the address to report (a fault in a new task) */
	uint32_t error;
	uint32_t address; /* CR2 for #PF */
	uint32_t dr6;     /* bits to set for #DB */
};

/* What a segment register allows without a closer look: an access of `size`
 * bytes at `offset` is fine if offset + size <= limit. 0 where each access has
 * to be looked at (expand-down, not writable, alignment checks, data breakpoints). */
struct seg_fast {
	uint32_t base;
	uint64_t read;
	uint64_t write;
};

/* A descriptor that a segment register was loaded with in ring 0, and what came of it,
 * for generated code: where selector and descriptor are the same, so is the rest. */
#define SEG_SEEN 0x10000u
#define SEG_SEEN_ENTRIES 4u /* by the low bits of the selector's index */
struct seg_seen {
	uint64_t descriptor;
	uint64_t base, read, write; /* as in struct seg_fast */
	uint32_t selector;          /* | SEG_SEEN; 0: none */
	uint32_t limit, access;
	uint32_t mask, world;       /* CS: ip_mask, WORLD_OF_CODE; SS: stack_mask, WORLD_STACK32 */
	uint32_t reserved[3];
};

struct tlb_entry {
	uint32_t read_tag;  /* linear page | 1 when it may be read, 0 when not */
	uint32_t write_tag; /* likewise; the PTE's D bit is set already */
	uint64_t page;      /* physical */
};

#define TLB_ENTRIES 512u

struct block;
struct block_cache;
struct fpu_host;
struct jit;

/* State that only generated code has, and leaves behind when it calls out. Flags
 * that wait to be computed: jit_internal.h names the kinds. */
struct jit_words {
	uint32_t before_r, r; /* stores of AH..BH begin a byte early */
	uint32_t before_b, b;
	uint32_t before_a, a;
	uint8_t kind;        /* 0: the three words hold */
	uint32_t value;      /* of an access that goes the slow way */
	uint32_t access;     /* its segment register, and size << 8 */
	uint32_t target;
	uint64_t limit;      /* emu.insns + left */
	int64_t left;        /* instructions until it has to stop */
	uint64_t blocks;     /* ctx->blocks_run */
};

struct emu {
	struct engine engine;
	struct ctx *ctx;     /* the page, while run() is active */
	uint8_t *flat;       /* mem->flat */
	uint8_t *page;       /* mem->page */
	uint32_t a20_mask;
	/* Lazy flags, see flags.h. ctx->rflags holds the other bits. */
	uint32_t flag_zero, flag_sign, flag_carry;
	struct jit_words lazy;
	uint32_t world;      /* what compiled code relies on, see world_update() */
	/* The block that runs and the EIP of its first instruction. */
	const struct block *block;
	uint32_t block_ip;
	/* Derived from the page by emu_mode_changed(). */
	bool paging;
	bool protected_mode; /* PE and not VM */
	bool vm86;
	bool traced_protected, traced_vm86, traced_long; /* what --trace switch said last */
	bool pae;
	uint8_t cpl;
	bool code32;         /* CS.D */
	uint32_t ip_mask;    /* FFFF in 16-bit code */
	uint32_t stack_mask; /* by SS.B */
	uint64_t code_limit; /* CS.limit + 1, 0: not executable */
	struct seg_fast seg[CTX_LDTR];
	struct seg_seen seen[CTX_LDTR][SEG_SEEN_ENTRIES];
	/* Work for the slow path before the next block: enum special. */
	uint32_t special;
	struct fault fault;
	uint64_t insns;      /* run in this request, not counting the current block */
	uint64_t insns_told; /* of these, told to the clock */
	uint64_t limit_insns;
	uint64_t left_blocks;/* blocks since real mode was left */
	bool is_real;        /* as ctx_is_real(), kept by seg.c */
	bool was_real;       /* at some time since the loop last counted blocks */
	bool stays;          /* ctx->stays, and CR0.PE has been set since */
	uint8_t real_segments; /* bit by sreg: holds a real-mode descriptor */
	struct {             /* a read-modify-write in progress: emu_rmw_load/store */
		uint64_t address[2]; /* physical, one for each page */
		unsigned size[2];
	} rmw;
	struct tlb_entry tlb[2][TLB_ENTRIES]; /* supervisor, user */
	uint64_t pdpte[4];   /* loaded with CR3 in PAE mode */
	bool pdptes_known;   /* loaded since another engine may have moved CR3 */
	struct mem *mem;
	struct bus *bus;
	struct clock *clock;
	struct cpu_pins *pins;
	struct block_cache *cache;
	struct fpu_host *fpu;
	enum emu_cpu cpu;
	uint32_t feature_ecx, feature_edx; /* CPUID's leaf 1 */
	bool long_mode;      /* that CPUID shows */
	struct decoder *decoder;
	struct jit *jit;     /* NULL: none */
	bool shutdown;       /* a fault could not be delivered */
	/* For --trace, see tracer.h */
	struct trace_sites *sites;
	struct trace_watch watch[TRACE_WATCHES];
	unsigned watches;
	struct watcher watcher;
	uint64_t traced_blocks; /* in all requests before this one */
	uint64_t mode_blocks;   /* when the mode last changed */
	void (*set_smm)(void *owner, bool in_smm);
	void *owner;
};

enum special {
	SPECIAL_SHADOW = 1, /* ctx->interrupt_shadow holds for the next instruction */
	SPECIAL_TF = 2,     /* single step */
	SPECIAL_DR7 = 4,    /* a breakpoint is enabled */
	SPECIAL_DB = 8,     /* ctx->pending_db is due */
	SPECIAL_HALT = 16,
	SPECIAL_RF = 32,    /* EFLAGS.RF: no code breakpoint for one instruction */
	SPECIAL_TRACE = 64, /* instructions are being traced */
	SPECIAL_DEBUGGER = 128, /* ctx->debug is armed */
	SPECIAL_LONG = 256, /* EFER.LMA is set: another engine's */
	SPECIAL_WATCH = 512, /* memory is watched for a trace */
};

/* --- faults (intr.c) ----------------------------------------------------- */
/* Set emu.fault; the bool ones for access paths, the exec ones for bodies.
 * emu_raise: no error code. */
enum exec emu_raise(struct emu *emu, enum vector vector);
enum exec emu_raise_error(struct emu *emu, enum vector vector, uint32_t error);
static inline bool emu_fail(struct emu *emu, enum vector vector, uint32_t error)
{
	emu_raise_error(emu, vector, error);
	return false;
}

enum intr_kind {
	INTR_EXTERNAL, /* INTR, NMI */
	INTR_SOFT,     /* INT n: DPL and vm86 checks apply */
	INTR_INT3,     /* INT3, INTO: DPL checks, no VME redirection */
	INTR_ICEBP,    /* INT1: no checks */
	INTR_FAULT,    /* exceptions, incl. traps */
};

/* Delivers a vector through IVT or IDT; ctx->rip is the address to return to.
 * Returns false with emu.fault set when delivery itself faults (state as before). */
bool intr_deliver(struct emu *emu, uint8_t vector, enum intr_kind kind, bool has_error, uint32_t error);
/* Delivers emu.fault, with #DF and shutdown (emu.shutdown) by SDM table 6-5. */
void intr_deliver_fault(struct emu *emu);
/* IRET in all modes and sizes (2, 4). */
enum exec intr_return(struct emu *emu, const struct insn *insn);

struct descriptor { uint32_t low, high; };

/* --- segments (seg.c) ----------------------------------------------------- */
/* Recomputes everything derived from CR0, CR4, EFLAGS, segments, DR7. */
void emu_mode_changed(struct emu *emu);
/* Bits of emu.world, all that the code of a block takes for granted. */
enum world {
	WORLD_CODE32 = 1, WORLD_STACK32 = 2, WORLD_PAGING = 4, WORLD_USER = 8, WORLD_PROTECTED = 16, WORLD_VM86 = 32,
	WORLD_LIMIT64K = 64, WORLD_LIMIT4G = 128, /* emu.code_limit; neither: no code is made */
};
#define WORLD_NONE 0xffffffffu
#define WORLD_OF_CODE (WORLD_CODE32 | WORLD_LIMIT64K | WORLD_LIMIT4G)
/* Recomputes what hangs on one segment register. */
void seg_changed(struct emu *emu, unsigned sreg);
/* `sreg` was loaded with `descriptor` from the GDT or LDT in protected mode. */
void seg_note(struct emu *emu, unsigned sreg, uint16_t selector, const struct descriptor *descriptor);
/* MOV/POP/LxS: real and vm86 set the base only; protected mode with all checks.
 * sreg: ES, SS, DS, FS, GS. */
bool seg_load(struct emu *emu, unsigned sreg, uint16_t selector);
/* Real-mode or vm86 load without checks (base = selector << 4); in vm86 with
 * limit FFFF and DPL 3. For CS too. */
void seg_load_real(struct emu *emu, unsigned sreg, uint16_t selector);
/* As it is in vm86; emu_mode_changed() or seg_changed() has to follow. */
void seg_set_vm86(struct ctx_seg *seg, uint16_t selector);

/* Reads the descriptor of a selector from GDT or LDT. #GP(selector) (or `vector`)
 * outside the table limit; #PF. */
bool seg_read_descriptor(struct emu *emu, uint16_t selector, struct descriptor *descriptor, enum vector vector);
/* Sets the accessed bit in memory when it is clear. */
bool seg_set_accessed(struct emu *emu, uint16_t selector, struct descriptor *descriptor);
/* Descriptor -> hidden part. */
void seg_unpack(struct ctx_seg *seg, uint16_t selector, const struct descriptor *descriptor);
uint32_t descriptor_base(const struct descriptor *descriptor);
uint32_t descriptor_limit(const struct descriptor *descriptor);

/* A stack that is being filled or emptied before it becomes the current one. */
struct stack {
	struct ctx_seg ss;
	uint32_t esp, mask;
	unsigned cpl;
	uint32_t error; /* of #SS when an access leaves the segment */
};
struct stack stack_current(const struct emu *emu);
/* The stack of an inner ring from the TSS, checked: #TS or #SS(selector | ext). */
bool stack_inner(struct emu *emu, unsigned cpl, uint32_t ext, struct stack *stack);
bool stack_put(struct emu *emu, struct stack *stack, unsigned size, uint32_t value);
bool stack_get(struct emu *emu, struct stack *stack, unsigned size, uint32_t *value);
void stack_commit(struct emu *emu, const struct stack *stack);

/* Loads CS: selector (RPL becomes `cpl`), hidden part, CPL. */
bool code_load(struct emu *emu, uint16_t selector, struct descriptor *descriptor, unsigned cpl);
/* The far half of RETF and IRET in protected mode once CS:EIP are off `stack`: checks,
 * an outer stack, data segments. `release` bytes are dropped on both stacks. */
bool far_return_to(struct emu *emu, struct stack *stack, unsigned size, uint16_t selector, uint32_t ip, uint16_t release);

/* Far transfers, all modes: JMP, CALL, RETF (task.c does the task part). They set
 * ctx->rip. `size` 2 or 4. */
enum exec far_jump(struct emu *emu, const struct insn *insn, uint16_t selector, uint32_t offset);
enum exec far_call(struct emu *emu, const struct insn *insn, uint16_t selector, uint32_t offset);
enum exec far_return(struct emu *emu, const struct insn *insn, uint16_t release);

/* --- task switches (task.c) ------------------------------------------------- */
enum task_cause { TASK_JUMP, TASK_CALL, TASK_INTERRUPT, TASK_SOFT_INTERRUPT, TASK_IRET };
/* Switches to the TSS that `selector` names. `next_ip` is saved as EIP of the
 * old task. For TASK_INTERRUPT an error code is pushed in the new task. */
bool task_switch(struct emu *emu, enum task_cause cause, uint16_t selector, uint32_t next_ip, bool has_error, uint32_t error);
/* SS:ESP for `cpl` (0-2) from the current TSS; #TS(TR) when the TSS is too short. */
bool task_stack(struct emu *emu, unsigned cpl, uint16_t *ss, uint32_t *esp);
/* I/O permission bitmap: may this access pass? False with #GP set. */
bool task_io_allowed(struct emu *emu, uint16_t port, unsigned size);
/* Interrupt redirection bitmap (VME): the bit of `vector`. */
bool task_redirect_bit(struct emu *emu, uint8_t vector, bool *bit);

/* --- memory (access.c, paging.c) --------------------------------------------- */
/* Checked access through a segment; size 1, 2, 4. False: fault is set. */
bool emu_read(struct emu *emu, unsigned seg, uint32_t offset, unsigned size, uint32_t *value);
bool emu_write(struct emu *emu, unsigned seg, uint32_t offset, unsigned size, uint32_t value);
/* Reads with the rights of a write, then writes to the same place, which cannot fault. */
bool emu_rmw_load(struct emu *emu, unsigned seg, uint32_t offset, unsigned size, uint32_t *value);
void emu_rmw_store(struct emu *emu, uint32_t value);
/* 8 and 16 bytes and odd lengths (x87, SSE, FXSAVE): all or nothing. */
bool emu_read_bytes(struct emu *emu, unsigned seg, uint32_t offset, void *to, unsigned size);
bool emu_write_bytes(struct emu *emu, unsigned seg, uint32_t offset, const void *from, unsigned size);
/* Host address of the bytes of an access that is plain memory and code nowhere;
 * NULL: it has to be looked at. */
uint8_t *emu_plain(const struct emu *emu, unsigned seg, uint32_t offset, unsigned size, bool write);
/* Segment checks alone: type, limit; #GP(0) or #SS(0). Gives the linear address. */
bool emu_check_segment(struct emu *emu, unsigned seg, uint32_t offset, unsigned size, bool write, uint32_t *linear);
/* May this range be written? For instructions that must know before they change state. */
bool emu_probe_write(struct emu *emu, unsigned seg, uint32_t offset, unsigned size);

/* Linear access with supervisor rights, for descriptor tables and TSS. */
bool emu_system_read(struct emu *emu, uint32_t linear, unsigned size, uint32_t *value);
bool emu_system_write(struct emu *emu, uint32_t linear, unsigned size, uint32_t value);
/* Would a supervisor write to the range succeed? (task.c, before it commits) */
bool emu_system_probe(struct emu *emu, uint32_t linear, unsigned size, bool write);
/* A push or pop of far transfers and interrupts, with the rights of privilege level
 * `cpl`: #AC and data breakpoints as for other accesses. */
bool emu_stack_write(struct emu *emu, uint32_t linear, unsigned size, uint32_t value, unsigned cpl);
bool emu_stack_read(struct emu *emu, uint32_t linear, unsigned size, uint32_t *value, unsigned cpl);
/* #AC for an operand whose alignment (a power of two) is not its size. */
bool emu_check_alignment(struct emu *emu, unsigned seg, uint32_t offset, unsigned align);

enum access { ACCESS_READ, ACCESS_WRITE, ACCESS_EXECUTE };
/* Linear -> physical with A20; false with #PF set. */
bool paging_translate(struct emu *emu, uint32_t linear, enum access access, bool user, uint64_t *physical);
/* Walks without side effects (no A/D bits, no fault), for debuggers; false: not present. */
bool paging_peek(struct emu *emu, uint32_t linear, uint64_t *physical);
/* CR3, CR0.PG, CR4 or A20 changed. Global pages go as well: a TLB may always forget.
 * Whatever another engine has cached is invalid then, too (ctx.tlb_kept). */
void paging_flush(struct emu *emu);
void paging_flush_page(struct emu *emu, uint32_t linear);
/* CR3 load in PAE mode: checks and caches the PDPTEs. False with #GP(0). */
bool paging_load_pdptes(struct emu *emu);

/* A physical write of the CPU: through mem, with the block cache told. */
void emu_physical_write(struct emu *emu, uint64_t address, unsigned size, uint32_t value);

/* --- SMM (smm.c) -------------------------------------------------------------- */
void smm_enter(struct emu *emu);
enum exec smm_return(struct emu *emu); /* RSM; shutdown on a bad image */

/* --- engine (run.c) -------------------------------------------------------------- */
/* EIP of an instruction of the running block, and of the one behind it. */
static inline uint32_t insn_ip(const struct emu *emu, const struct insn *insn)
{
	return emu->block_ip + insn->offset;
}
static inline uint32_t insn_next_ip(const struct emu *emu, const struct insn *insn)
{
	return emu->block_ip + insn->offset + insn->length;
}
/* `insn` of the running block has faulted: delivers emu.fault. */
void emu_insn_fault(struct emu *emu, const struct insn *insn);
/* Tells the clock what has run so far, `insn` included, before anything that
 * reads it; and takes a new deadline into account behind it. */
void emu_clock_before(struct emu *emu, const struct insn *insn);
void emu_clock_after(struct emu *emu);
/* The next instruction runs in the shadow of STI or MOV SS (CTX_SHADOW_*). */
void emu_shadow(struct emu *emu, uint32_t shadow);
/* Nobody looks at the pins within a block: where nothing waits, and nothing else is
 * special, the next instruction need not run by itself for its shadow. Only with a
 * block about to run: else the shadow is the page's. */
static inline void emu_pass_shadow(struct emu *emu)
{
	const struct cpu_pins *pins = emu->pins;
	if (emu->special != SPECIAL_SHADOW || emu->insns >= emu->limit_insns || pins->intr || pins->nmi ||
	    atomic_load_explicit(&pins->attention, memory_order_relaxed))
		return;
	emu->ctx->interrupt_shadow = 0;
	emu->special = 0;
}
/* emu.special anew from the whole page. */
void emu_special_changed(struct emu *emu);
/* EFLAGS were written as a whole: TF, IF, AC, VM may have changed. */
void emu_flags_changed(struct emu *emu);
/* The bits of CR4 that this CPU model has. */
uint32_t control_cr4_defined(const struct emu *emu);
/* Rows that are nothing on this CPU model. */
enum exec exec_undefined(struct emu *emu, const struct insn *insn);

/* EDX of CPUID's leaf 1. */
uint32_t cpuid_features(enum emu_cpu cpu);

#endif
