/* What the emulator says to CPUID, so that KVM's guest hears the same. */
#ifndef V2E_CLI_CPUID_H
#define V2E_CLI_CPUID_H

#include "emu/emu.h"
#include "hv/hv.h"

#define CPUID_LEAVES 32u

/* Asks an emulator of that model. Fills `leaf` and returns how many; 0: it has no
 * CPUID, or *error (g_free) says why it could not be asked. */
unsigned cpuid_ask(enum emu_cpu cpu, struct hv_cpuid leaf[CPUID_LEAVES], char **error);

#endif
