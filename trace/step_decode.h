/* What steps.c must know of an instruction before it runs. */
#ifndef V2E_TRACE_STEP_DECODE_H
#define V2E_TRACE_STEP_DECODE_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/ctx.h"
#include "shared/mem.h"

enum step_flow {
	STEP_NEXT,   /* goes on behind it */
	STEP_JUMP,   /* to `target`, also by CALL */
	STEP_BRANCH, /* to either */
	STEP_ELSE,   /* who knows; it may also change the mode */
};

struct step_insn {
	unsigned length;      /* 0: no instruction can be read there */
	enum step_flow flow;
	uint32_t target, next; /* IP */
	bool far;             /* loads CS, and is no INT */
	bool sets_mode;       /* MOV CR0, LMSW */
	bool pushes_flags;
	bool repeats;         /* a string instruction, by CX of `address_mask` */
	uint32_t address_mask;
	int vector;           /* of INT n, INT3, INTO and INT1; else -1 */
	bool is_int;          /* INT n */
	char text[96];
};

struct step_access {
	uint32_t linear;
	unsigned size;
	bool write;
};

#define STEP_ACCESSES 40u

struct step_decoder;

struct step_decoder *step_decoder_new(void); /* NULL: no memory */
void step_decoder_free(struct step_decoder *decoder); /* NULL is fine */

/* The one at `ip` in the context's code segment, which is of 16 or 32 bits. */
void step_decode(struct step_decoder *decoder, const struct ctx *ctx, struct mem *mem, uint32_t ip, struct step_insn *insn);

/* Where the one that was decoded last goes, if it is a near RET, or a JMP or CALL by
 * register or memory, and runs now: false where that is not to be had. */
bool step_indirect(const struct step_decoder *decoder, const struct ctx *ctx, struct mem *mem, uint32_t *target);

/* What the instruction that was decoded last reads and writes, in that order, by the
 * context's registers: operands and stack, of a repeated one its next round. Tables of
 * descriptors, vectors and pages are not among it. */
unsigned step_accesses(const struct step_decoder *decoder, const struct ctx *ctx, struct step_access access[STEP_ACCESSES]);

#endif
