/* Calls of BIOS and DOS in words, from bios_calls.def. Guest memory is only read. */
#ifndef V2E_TRACE_BIOS_CALL_H
#define V2E_TRACE_BIOS_CALL_H

#include <glib.h>

#include "shared/ctx.h"
#include "shared/mem.h"

/* How to tell whether a call went well. */
enum bios_outcome {
	BIOS_DONE,  /* it does not say */
	BIOS_VALUE, /* it answers whatever happens */
	BIOS_CARRY, /* CF: error in AH */
	BIOS_DISK,  /* CF: error of INT 13h in AH */
	BIOS_VBE,   /* AX is 004F, or not */
	BIOS_APM,   /* CF: error of APM in AH */
	BIOS_PCI,   /* CF: error of the PCI BIOS in AH */
	BIOS_KEY,   /* ZF: there is none */
	BIOS_DOS,   /* CF: error of DOS in AX */
	BIOS_NEVER, /* it does not come back */
};

enum bios_select { BIOS_ANY, BIOS_AH, BIOS_AX };

struct bios_call {
	uint8_t vector;
	enum bios_select select;
	uint16_t value;
	const char *name, *arguments;
	enum bios_outcome outcome;
	const char *result;
};

/* The row for INT `vector` with `ax`, or NULL. */
const struct bios_call *bios_call_find(uint8_t vector, uint16_t ax);
/* Is there any row? */
bool bios_call_known(uint8_t vector);

/* "AH=42", "AX=e820", or "" where no register selects. */
void bios_call_function(const struct bios_call *call, uint8_t vector, uint16_t ax, GString *text);
/* What it was called with; without a row the registers. */
void bios_call_arguments(const struct bios_call *call, const struct ctx *ctx, struct mem *mem, GString *text);
/* "ok", "ok: 16 drives", "error 01 (invalid command)", ...; returns false for errors.
 * ctx holds the registers of the return. */
bool bios_call_result(const struct bios_call *call, const struct ctx *ctx, uint32_t eflags, struct mem *mem, GString *text);

/* `pattern` with all in braces replaced; see bios_format.c. */
void bios_format(const char *pattern, const struct ctx *ctx, struct mem *mem, GString *text);

#endif
