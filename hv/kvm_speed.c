#include "hv/kvm_speed.h"

#include <glib.h>

#define FEW_TURNS   1000u
#define MANY_TURNS  10000000u
#define GROWTH      4u
#define ENOUGH_NS   1000000u
#define ENOUGH_EXITS 16u /* an emulated host may take a millisecond for one */
/* An interpreter is 500 times slower than the CPU or more; native code on a busy host,
 * or in an emulated one, may be slower by ten and more. */
#define NATIVE_PART 128u

uint64_t kvm_speed_insns_per_second(uint32_t turns, uint64_t ns)
{
	return turns * UINT64_C(2000000000) / MAX(ns, 1);
}

struct kvm_speed kvm_speed_of(uint64_t (*measure)(void *owner, uint32_t turns), void *owner, uint64_t host)
{
	struct kvm_speed speed = { .runs = HV_REFUSED };
	uint64_t ns = 0, bare = measure(owner, 1);
	uint32_t turns;
	for (turns = FEW_TURNS; turns <= MANY_TURNS && ns < MAX(ENOUGH_NS, ENOUGH_EXITS * bare); turns *= GROWTH)
		if (!bare || !(ns = measure(owner, turns)))
			return speed;
	speed.insns_per_second = kvm_speed_insns_per_second(turns / GROWTH, ns > bare ? ns - bare : 1);
	speed.runs = speed.insns_per_second > host / NATIVE_PART ? HV_NATIVE : HV_INTERPRETED;
	return speed;
}
