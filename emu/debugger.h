/* The debugger outside of the guest: what ctx->debug asks for. Unlike debug.h the
 * guest sees nothing of it. */
#ifndef V2E_EMU_DEBUGGER_H
#define V2E_EMU_DEBUGGER_H

#include "emu/cpu.h"

/* Between two instructions, before and behind each one that runs; while
 * SPECIAL_DEBUGGER is set. True: stop, ctx->debug.hit says why. */
bool debugger_before(struct emu *emu);
bool debugger_after(struct emu *emu);

/* A data access of an instruction or of a delivery is about to happen. */
void debugger_data_access(struct emu *emu, uint32_t linear, unsigned size, bool write);
/* A vector was delivered. */
void debugger_vector(struct emu *emu, uint8_t vector);

/* Is there a point on data? Then no access may take a fast path. */
bool debugger_watches(const struct emu *emu);
/* A single step is not to end in the handler of some interrupt. */
bool debugger_holds_interrupts(const struct emu *emu);

#endif
