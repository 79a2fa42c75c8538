/* The guests of `v2e bench`: one piece of position-bound code that does as it is told
 * over COM1's ports. An order is a byte, the guest's number, and three 32-bit numbers:
 * rounds, and how often the loops of two instructions turn in each round, in real (or
 * virtual-8086) mode and in protected mode. It answers 's' when the rounds begin and 'e'
 * when they are done, and then waits for the next one. */
#ifndef V2E_CLI_BENCH_GUEST_H
#define V2E_CLI_BENCH_GUEST_H

#define BENCH_GUEST_ORIGIN 0x1000 /* where it is copied to; segment 0 */

#define BENCH_GUEST_DATA   0x3f8
#define BENCH_GUEST_STATUS 0x3fd

#define BENCH_GUEST_START  0x73
#define BENCH_GUEST_END    0x65

#ifndef __ASSEMBLER__
#include <stdint.h>

extern const uint8_t bench_guest[];
extern const uint32_t bench_guest_size;
/* Entered in real mode: at the reset vector's copy of the code, in segment F000h with
 * bench_guest at offset 0, or at the place where the code belongs. */
extern const uint8_t bench_guest_rom_entry[], bench_guest_entry[];

#endif
#endif
