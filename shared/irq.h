/* Wires. A line is a value: whoever drives it keeps a copy. */
#ifndef V2E_SHARED_IRQ_H
#define V2E_SHARED_IRQ_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "shared/ctx.h"

struct irq_line {
	void (*set)(void *owner, unsigned n, bool level);
	void *owner;
	unsigned n;
};

/* A line with no `set` is not connected. */
static inline void irq_set(const struct irq_line *line, bool level)
{
	if (line->set)
		line->set(line->owner, line->n, level);
}

/* The pins of the CPU package. The board drives them, engines sample them at
 * instruction boundaries. `attention` is set with every change, so that an
 * engine has one word to look at; the engine clears it before it samples. */
struct cpu_pins {
	atomic_bool attention;
	bool intr;  /* level, from the master 8259A */
	bool nmi;   /* edge, latched here; the engine clears it when taken */
	bool smi;   /* edge, latched */
	bool init;  /* edge, latched: CPU reset without the board (ports 64h, 92h) */
	bool reset; /* latched: reset of the whole board (port CF9h); conductor */
	bool stop;  /* latched: the conductor wants control (end of the run, ...) */
	bool hold_intr; /* engines stop where they would take INTR (STOP_HELD) */
	/* INTA cycle: returns the vector. */
	uint8_t (*acknowledge)(void *owner);
	void *owner;
	struct irq_line ferr; /* driven by the CPU: x87 error with CR0.NE = 0 */
	/* Asks the engine that kept a part of the state (ctx.fpu_present, ctx.dr6_kept)
	 * for it; NULL: none keeps any. Any thread, but while the keeper runs. */
	void (*fetch)(void *keeper, struct ctx *ctx, enum ctx_part part);
	void *keeper;
};

/* ctx.fxsave is current afterwards. */
static inline void cpu_pins_fetch_fpu(const struct cpu_pins *pins, struct ctx *ctx)
{
	if (!ctx->fpu_present && pins->fetch)
		pins->fetch(pins->keeper, ctx, CTX_PART_FPU);
	ctx->fpu_present = 1;
}

/* Likewise ctx.dr6. */
static inline void cpu_pins_fetch_dr6(const struct cpu_pins *pins, struct ctx *ctx)
{
	if (ctx->dr6_kept && pins->fetch)
		pins->fetch(pins->keeper, ctx, CTX_PART_DR6);
	ctx->dr6_kept = 0;
}

static inline void cpu_pins_fetch_all(const struct cpu_pins *pins, struct ctx *ctx)
{
	cpu_pins_fetch_fpu(pins, ctx);
	cpu_pins_fetch_dr6(pins, ctx);
}

static inline void cpu_pins_attend(struct cpu_pins *pins)
{
	atomic_store_explicit(&pins->attention, true, memory_order_release);
}

#endif
