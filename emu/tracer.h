/* What the emulator has for --trace. Each is called only when its bit of
 * log_trace_mask is set. */
#ifndef V2E_EMU_TRACER_H
#define V2E_EMU_TRACER_H

#include "emu/cpu.h"

/* An instruction, before it runs. */
void tracer_insn(struct emu *emu, const struct insn *insn);
void tracer_block(struct emu *emu, const struct block *block);
/* Real, protected or virtual-8086 mode was left for another; emu has the new one. */
void tracer_mode(struct emu *emu, bool was_protected, bool was_vm86);
/* `size` bytes at emu.rmw were read or written. */
void tracer_access(struct emu *emu, const void *bytes, unsigned size, bool write);
/* An interrupt or exception is about to be delivered. */
void tracer_vector(struct emu *emu, const char *what, uint8_t vector, uint32_t error);
/* For emu.watcher: INT n; and a far transfer, whose result comes back. */
void tracer_int(struct emu *emu, const struct insn *insn, uint8_t vector);
enum exec tracer_far(struct emu *emu, const struct insn *insn, enum exec result);

#endif
