/* What CPUID says for one leaf. */
#ifndef V2E_SHARED_CPUID_H
#define V2E_SHARED_CPUID_H

#include <stdint.h>

#define CPUID_LEAVES 32u /* the most that a processor model here has */

struct cpuid_leaf {
	uint32_t leaf, eax, ebx, ecx, edx;
};

#endif
