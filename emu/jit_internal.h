/* What the files of the JIT share.
 *
 * A block goes through three stages: jit_ir.c finds which flags are live behind
 * each instruction, jit_emit*.c turn instructions into code, jit_code.c gives the
 * code its place and links blocks to each other.
 *
 * Registers while generated code runs: the guest's EAX, ECX, EDX, EBX, EBP, ESI and
 * EDI in the host's registers of these names, ESP in R12; their upper halves are 0.
 * R15 emu, R14 emu.page, R13 emu.flat, R11 instructions left; XMM15 blocks run,
 * XMM14 the constant 1; R8 to R10 scratch.
 *
 * Flags are pending (emu.lazy) or in the three words; lazy.kind says which. */
#ifndef V2E_EMU_JIT_INTERNAL_H
#define V2E_EMU_JIT_INTERNAL_H

#include <glib.h>

#include "emu/block.h"
#include "emu/cpu.h"
#include "emu/jit.h"
#include "emu/jit_asm.h"

#define JIT_EMU   R15
#define JIT_PAGES R14
#define JIT_FLAT  R13
#define JIT_ESP   R12
#define JIT_LEFT  R11

/* A way out that has one static target. The code jumps through `target`. */
struct jit_exit {
	const void *target;  /* the code to go to: another block's, or `stub` */
	const void *stub;    /* looks for the next block */
	struct jit_exit *next, **link; /* in the list of those that lead to one block */
	struct jit_code *code;
	uint32_t ip;
};

/* A block that has become part of the code of one, at `ip`. */
struct jit_part {
	struct block *block;
	struct jit_code *code;
	struct jit_part *next, **link; /* in the list of the parts made of one block */
	uint32_t ip;
};

#define JIT_PARTS 8u
#define JIT_VERSIONS 12u
#define JIT_EXITS (2 * JIT_VERSIONS)

/* The code of `head`, and of blocks behind it: they follow each other without a look
 * into tables. All lie in one page. It lies in front of the code itself. */
struct jit_code {
	struct block *head;    /* NULL: dropped; it may still run, but not go on */
	struct jit_exit *exit;
	unsigned exits, parts;
	uint32_t size;         /* up to the next one */
	struct jit_part part[JIT_PARTS]; /* `parts` of them; the first is the head */
};

/* Codes lie one behind the other from start to used. */
struct jit_region {
	uint8_t *start, *used, *end;
};

#define JIT_REGIONS 8u
#define JIT_ALIGN 16u    /* of code */

/* How lazy.kind counts: each followed by its 16- and 32-bit forms. With those up to
 * KIND_SAR + 2, CF is bit 31 of flag_carry. */
enum jit_kind {
	KIND_WORDS = 0,
	KIND_INC = 1, KIND_DEC = 4,           /* r */
	KIND_SHL = 7, KIND_SHR = 10, KIND_SAR = 13, /* r */
	KIND_ADD = 16, KIND_SUB = 19,         /* r, and b, the second operand */
	KIND_CMP = 22,                        /* r holds the first operand, b the second */
	KIND_LOGIC = 25, KIND_TEST = 28,      /* r; r and b to be ANDed */
	KIND_ADC = 31, KIND_SBB = 34,         /* a, b, r: the carry that came in has to be found */
	KIND_EFLAGS = 37,                     /* r: the flags as in EFLAGS, of no size */
	KIND_UNKNOWN = 0xff,                  /* to the compiler */
};

#define KIND_CF_IN_WORD (KIND_SAR + 2)

static inline unsigned kind_sized(enum jit_kind kind, unsigned size) { return kind + (size >> 1); }
static inline bool jit_is_kind(unsigned kind, enum jit_kind first) { return kind >= first && kind < first + 3u; }
/* Of those that have a size. */
static inline unsigned jit_kind_size(unsigned kind) { return 1u << (kind - 1) % 3; }
static inline bool jit_is_shift(unsigned kind) { return kind >= KIND_SHL && kind < KIND_SAR + 3u; }

/* --- flags that wait (jit_emit_late.c) --------------------------------------------- */

/* An operation whose flags are pending. Registers are the host's, NOREG: stored in
 * emu.lazy, as far as the kind has any. */
struct jit_operation {
	uint8_t kind; /* enum jit_kind, sized */
	uint8_t r, b;
	bool has_imm; /* in place of b */
	uint32_t imm;
};

/* Where kinds up to KIND_CF_IN_WORD have their CF. */
enum jit_carry { CARRY_WORD, CARRY_CLEAR, CARRY_SET, CARRY_HOST, CARRY_OPERATION };

/* What the compiler knows of the guest's flags at one place. */
struct jit_flags {
	struct jit_operation op;
	struct jit_operation carry; /* CARRY_OPERATION */
	uint8_t carry_from;         /* enum jit_carry */
	bool late;                  /* the kind, and what is in registers, has yet to be stored */
};

static inline struct jit_flags jit_flags_stored(unsigned kind)
{
	return (struct jit_flags){ .op = { .kind = (uint8_t)kind, .r = NOREG, .b = NOREG }, .carry = { .r = NOREG, .b = NOREG } };
}

enum jit_dump { JIT_DUMP_IR = 1, JIT_DUMP_LIVE = 2, JIT_DUMP_ASM = 4 };

struct jit_stats {
	uint64_t compiled, joined, bytes, entered, linked, slow, refused, evicted, evictions, flushes;
};

typedef uint64_t jit_call_fn(struct emu *emu, const struct insn *insn, struct jit_part *part, uint32_t argument);

struct jit {
	struct emu *emu;
	uint8_t *write, *run; /* the two mappings */
	size_t size;          /* of each */
	struct jit_region region[JIT_REGIONS]; /* behind the thunks */
	unsigned filling;     /* which of them */
	bool always;
	unsigned dump;
	bool off[OPS];        /* emitters that are switched off */
	/* Thunks, as writing addresses. */
	uint8_t *enter, *leave, *leave_spill, *link, *lookup;
	uint8_t *call_body, *call_read, *call_write, *call_rmw_load, *call_rmw_store, *call_settle;
	uint8_t *beside[6];   /* 1 << i bytes */
	uint8_t *flags;       /* the guest's flags -> the host's */
	uint8_t *load_real[CTX_LDTR], *load_seen[CTX_LDTR], *switch_pe;
	struct jit_cold *cold; /* room for JIT_COLDS */
	struct jit_stats stats;
	uint64_t bodies[OPS]; /* calls, by operation */
};

/* --- liveness (jit_ir.c) -------------------------------------------------- */

struct jit_ir {
	const struct insn *insn;
	bool native;     /* has an emitter; else its body is called */
	uint16_t live;   /* flags that somebody may read behind it */
	uint16_t before; /* likewise before it, or by it */
	uint16_t through;/* those of `live` that it may leave as they were */
};

/* Does the body neither read nor write arithmetic flags, unless it faults? Pending
 * ones may stay pending. */
bool jit_ir_keeps_flags(unsigned op);
/* Fills ir[0 .. block->count]; the last one is the closing block_end. */
void jit_ir_analyse(const struct jit *jit, const struct block *block, struct jit_ir *ir);
void jit_ir_dump(const struct block *block, const struct jit_ir *ir, unsigned what, FILE *out);

/* --- compiling (jit_compile.c) ---------------------------------------------- */

#define JIT_COLDS 256u

struct jit_compiler;
typedef void jit_part_fn(struct jit_compiler *c);

/* An access, or another way out of the straight line, whose rare part is emitted
 * behind the block. */
struct jit_cold {
	void (*emit)(struct jit_compiler *c, struct jit_cold *cold);
	const struct jit_ir *ir;
	const struct jit_part *part;
	struct asm_label enter;      /* no fast access at all */
	struct asm_label crosses;    /* not aligned: does it leave the page? */
	struct asm_label beside;     /* a page with code: its bitmap decides */
	uint8_t *inside;             /* it does not */
	uint8_t *resume, *store;     /* behind the access; at its store */
	jit_part_fn *address;        /* puts the offset into R8 again */
	jit_part_fn *finish;         /* what is left to do behind the access */
	struct jit_flags flags;      /* as they are at the access */
	unsigned seg, size;
	unsigned reg;                /* of the value; NOREG: `imm` */
	uint32_t imm;
	bool write;
};

/* A part's code for what is known of the flags at its beginning. */
struct jit_version {
	unsigned part;
	struct jit_flags flags;
	struct asm_label label;
	const uint8_t *entry; /* NULL: not emitted yet */
};

struct jit_compiler {
	struct jit *jit;
	struct emu *emu;
	struct jit_code *code;
	const struct jit_part *part; /* the current one */
	struct block *block;         /* its block */
	uint32_t world;
	struct jit_ir (*irs)[BLOCK_MAX_INSNS + 1]; /* of the parts */
	struct jit_version version[JIT_VERSIONS];
	unsigned versions;
	struct jit_version *falls;   /* comes next, without a jump */
	struct jit_asm a;
	const struct jit_ir *ir;     /* the current instruction */
	const struct insn *insn;
	unsigned index;
	struct jit_flags flags;
	struct jit_operation next;   /* the second operand that jit_flags_operand() noted */
	bool host_flags;             /* the host's flags are those of `flags`, as far as they go */
	bool doomed;                 /* the current instruction destroys them; nobody will ask */
	bool bodies_only;            /* what the code relies on may have changed */
	bool over;                   /* the block has left */
	bool stack32;
	uint8_t *entry;
	uint8_t *exit_ref[JIT_EXITS]; /* to be filled with the distance of exits */
	uint32_t exit_ip[JIT_EXITS];
	unsigned exits;
	struct jit_cold *cold;
	unsigned colds;
};

typedef void jit_emit_fn(struct jit_compiler *c);

/* The emitter of an instruction, NULL: none. */
jit_emit_fn *jit_emitter(const struct jit *jit, const struct insn *insn);
/* Returns false when the block cannot be had as code here and now. */
bool jit_compile(struct jit *jit, struct block *block);

/* --- what goes into one piece of code (jit_plan.c) -------------------------------- */

#define JIT_COMPILES_MAX 8u /* then a block is interpreted */
#define JIT_WARM (JIT_HOT / 3) /* has run often enough to be taken along */

/* Fills `code` with up to `parts` parts. */
void jit_plan(struct jit *jit, struct jit_code *code, struct block *head, unsigned parts);
/* The part at `ip`, or -1. */
int jit_plan_find(const struct jit_code *code, uint32_t ip);
/* The version that goes on at `ip` with the flags as they are; with none of them waiting
 * when its own flags are not late. NULL: `ip` is outside. */
struct jit_version *jit_version(struct jit_compiler *c, uint32_t ip);
/* Where a relative jump leads, `next` being the EIP behind it. */
uint32_t jit_relative_target(const struct insn *insn, uint32_t next);

/* --- parts of emitters (jit_emit.c) ------------------------------------------ */

static inline struct host_mem emu_field(size_t offset) { return mem_at(JIT_EMU, offset); }
#define EMU_FIELD(field) emu_field(offsetof(struct emu, field))

static inline unsigned host_gpr(unsigned number) { return number == CTX_RSP ? JIT_ESP : number; }
/* insn.reg or insn.rm with its width. */
static inline unsigned host_reg(unsigned number, unsigned size)
{
	return size == 1 ? (number >> 3) | (number & 1 ? HIGH : 0) : host_gpr(number);
}

static inline struct host_mem jit_ctx_field(size_t offset) { return mem_at(R9, offset); }
/* A field of the page, whose address is in R9. */
#define CTX_FIELD(field) jit_ctx_field(offsetof(struct ctx, field))

uint32_t jit_ip(const struct jit_compiler *c);      /* of the current instruction */
uint32_t jit_next_ip(const struct jit_compiler *c);

struct jit_cold *jit_cold_new(struct jit_compiler *c, void (*emit)(struct jit_compiler *, struct jit_cold *));
/* The offset of the memory operand into R8. */
void jit_address(struct jit_compiler *c);
/* Offset in R8 (by `address`) -> the value, zero-extended, in `to` (a 32-bit register). */
void jit_load(struct jit_compiler *c, jit_part_fn *address, unsigned seg, unsigned size, unsigned to);
/* Stores `reg` (NOREG: `imm`); then `finish`, which may be NULL and uses R8, R9. */
void jit_store(struct jit_compiler *c, jit_part_fn *address, unsigned seg, unsigned size, unsigned reg, uint32_t imm,
               jit_part_fn *finish);
/* R10 = value; `compute` makes the new one in R10 (R9 is free) and settles flags. */
void jit_rmw(struct jit_compiler *c, unsigned size, jit_part_fn *compute);
/* The rm operand: a register as it is, memory in R10. */
unsigned jit_operand(struct jit_compiler *c, unsigned size);
/* R10 -> guest register `reg` of `size` bytes. */
void jit_put(struct jit_compiler *c, unsigned size, unsigned reg);

/* Pushes `reg` (NOREG: `imm`) by the operand size. */
void jit_push(struct jit_compiler *c, unsigned reg, uint32_t imm);
/* The top of the stack into R10; its pointer moves by `release` (uses R9). */
void jit_pop(struct jit_compiler *c, unsigned size, unsigned release);
/* ESP + `by` into R8, cut to the stack segment's width. */
void jit_stack_offset(struct jit_compiler *c, int by);
/* Pushes a word in the place of one of the operand size. */
void jit_push_word(struct jit_compiler *c, unsigned reg);
/* Checks an access for an emitter that makes it itself, at FLAT + R8; where it is
 * not plain memory the body is called, from before any change. Set cold->resume. */
struct jit_cold *jit_access_or_body(struct jit_compiler *c, jit_part_fn *address, unsigned seg, unsigned size, bool write);
/* The two halves of it. */
void jit_peek(struct jit_compiler *c, unsigned size);
void jit_release(struct jit_compiler *c, unsigned bytes);

void jit_body(struct jit_compiler *c);
/* A cold call of the body where `label` is taken; comes back to here. */
struct jit_cold *jit_cold_body(struct jit_compiler *c);

/* --- segments and interrupts (jit_emit_seg.c, jit_emit_int.c) -------------------- */

/* Real mode: loads `sreg` with the selector in R10 (zero-extended); uses R8 to R10. */
void jit_load_real(struct jit_compiler *c, unsigned sreg);
/* Likewise in protected mode without paging; CS for lazy.target. `cold` is the body. */
void jit_load_seen(struct jit_compiler *c, unsigned sreg, struct jit_cold *cold);
/* The body, from before any change, where this is not ring 0. Real mode is. */
void jit_check_ring(struct jit_compiler *c, struct jit_cold *cold);
/* Does an interrupt wait, or the end of the run, so that the shadow of the current
 * instruction means something? Then to `waits`. Uses R9. */
void jit_no_shadow(struct jit_compiler *c, struct asm_label *waits);

/* --- flags (jit_emit_flags.c) --------------------------------------------------- */

/* Notes the second operand, before the operation that overwrites `to` (NOREG: none). */
void jit_flags_operand(struct jit_compiler *c, unsigned to, unsigned reg, uint32_t imm);
/* Notes the pending result in `reg`, behind the operation; the host's flags hold. */
void jit_flags_result(struct jit_compiler *c, enum jit_kind kind, unsigned size, unsigned reg);
/* Likewise of INC and DEC, with the CF from before if anyone wants it (`carry`); then
 * this comes before the operation: */
void jit_flags_step(struct jit_compiler *c, enum jit_kind kind, unsigned size, unsigned reg, bool carry);
void jit_carry_before_step(struct jit_compiler *c, unsigned to);
/* Nobody will ask for the flags. */
void jit_flags_forget(struct jit_compiler *c);
/* Stores what waits. Uses R10; keeps the host's flags unless a CF has to be found. */
void jit_flags_store(struct jit_compiler *c);
/* Likewise the CF alone. */
void jit_flags_store_carry(struct jit_compiler *c);
/* Around each instruction: stores what it would destroy. */
void jit_flags_before(struct jit_compiler *c);
void jit_flags_after(struct jit_compiler *c);
/* The host's CF -> flag_carry. Uses R10. */
void jit_save_carry(struct jit_compiler *c);
/* Is the host's CF the guest's? */
bool jit_carry_at_hand(const struct jit_compiler *c);
/* Makes the flags be in the words (uses R8-R10 as a call does). */
void jit_flags_words(struct jit_compiler *c);
/* Makes the host's flags be the guest's, all six of them (uses R9, R10). */
void jit_flags_host(struct jit_compiler *c);
/* The guest's six flags into R10 as in EFLAGS (uses R9). */
void jit_flags_image(struct jit_compiler *c);
/* Takes R10 for the flags. */
void jit_flags_set_image(struct jit_compiler *c);
/* Host condition that stands for guest condition `cc`. Uses R9, R10. */
unsigned jit_condition(struct jit_compiler *c, unsigned cc);
/* Guest CF -> bit 31 of flag_carry; what is pending stays so. Uses R9, R10. */
void jit_carry_to_word(struct jit_compiler *c);
void jit_flags_set_words(struct jit_compiler *c);
/* Repeats the pending operation of `kind` (neither words nor EFLAGS) for its flags.
 * `exact`: AF, and for INC and DEC the CF, as well. Uses R9, R10. */
void jit_repeat(struct jit_asm *a, unsigned kind, bool exact);

/* --- ways out (jit_emit_flow.c) ----------------------------------------------- */

/* To a static target, `insns` having been run in this block. */
void jit_edge(struct jit_compiler *c, unsigned insns, uint32_t ip);
/* Likewise in a code segment that has just been loaded. */
void jit_edge_far(struct jit_compiler *c, unsigned insns, uint32_t ip);
/* To the address in R8. */
void jit_edge_dynamic(struct jit_compiler *c, unsigned insns);
void jit_count(struct jit_compiler *c, unsigned insns);

jit_emit_fn *jit_alu_emitter(const struct insn *insn);
jit_emit_fn *jit_mov_emitter(const struct insn *insn);
jit_emit_fn *jit_shift_emitter(const struct insn *insn);
jit_emit_fn *jit_flow_emitter(const struct insn *insn);
jit_emit_fn *jit_muldiv_emitter(const struct insn *insn);
jit_emit_fn *jit_seg_emitter(const struct jit *jit, const struct insn *insn);

jit_emit_fn *jit_eflags_emitter(const struct jit *jit, const struct insn *insn);
jit_emit_fn *jit_string_emitter(const struct insn *insn);
jit_emit_fn *jit_system_emitter(const struct jit *jit, const struct insn *insn);

/* --- code memory and thunks (jit_code.c) ---------------------------------------- */

/* `size`: for the code of blocks. */
bool jit_code_new(struct jit *jit, size_t size);
void jit_code_free(struct jit *jit);
const void *jit_code_run(const struct jit *jit, const uint8_t *write);
/* Emits jit->flags (jit_thunk_flags.c) and the loads of segment registers (jit_thunk_seg.c). */
void jit_thunk_flags(struct jit *jit, struct jit_asm *a);
void jit_thunk_seg(struct jit *jit, struct jit_asm *a);

/* --- the cache of code (jit_cache.c) ------------------------------------------------ */

void jit_cache_new(struct jit *jit, uint8_t *start, uint8_t *end);
/* Where the next code begins, and where it must end. */
uint8_t *jit_cache_room(struct jit *jit);
uint8_t *jit_cache_end(const struct jit *jit);
/* It did not fit: on to the next region, whose code is dropped. False: there was all the
 * room that there can be. */
bool jit_cache_turn(struct jit *jit);
/* `code` is where jit_cache_room() said, and complete up to `end`. */
void jit_cache_take(struct jit *jit, struct jit_code *code, const uint8_t *end);
size_t jit_cache_used(const struct jit *jit);
/* Nothing leads to the code of `block` any more, nor from there (jit_run.c). */
void jit_drop_code(struct block *block);

/* --- what generated code calls (jit_run.c) --------------------------------------- */

jit_call_fn jit_run_body, jit_run_read, jit_run_write, jit_run_rmw_load, jit_run_rmw_store, jit_run_settle, jit_run_link;

/* --- text (jit_dump.c) ------------------------------------------------------------ */

void jit_dump_code(const struct jit *jit, const struct block *block, const uint8_t *from, const uint8_t *to);

#endif
