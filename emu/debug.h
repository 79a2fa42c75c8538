/* Debug registers: breakpoints on code, data and ports (SDM vol. 3, 17.2). */
#ifndef V2E_EMU_DEBUG_H
#define V2E_EMU_DEBUG_H

#include "emu/cpu.h"

/* A data access happened: matching breakpoints become due behind the instruction. */
void debug_data_access(struct emu *emu, uint32_t linear, unsigned size, bool write);
void debug_port_access(struct emu *emu, uint16_t port, unsigned size);
/* DR6 bits of code breakpoints at this linear address; 0: none. */
uint32_t debug_code_match(const struct emu *emu, uint32_t linear);
/* Is any breakpoint of DR7 enabled? */
bool debug_enabled(const struct emu *emu);

#endif
