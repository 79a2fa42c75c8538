/* v2e, as it were on a KVM that runs every mode on the CPU: linked with
 * -Wl,--wrap=hv_probe_hybrid. So --engine auto has something to fall back from on any
 * host that has a KVM at all. */
#include "hv/hv.h"

struct hv_probe *__wrap_hv_probe_hybrid(void);

struct hv_probe *__wrap_hv_probe_hybrid(void)
{
	struct hv_probe *probe = hv_probe();
	for (unsigned mode = 0; mode < HV_MODES && !probe->error; mode++)
		probe->mode[mode].runs = HV_NATIVE;
	return probe;
}
