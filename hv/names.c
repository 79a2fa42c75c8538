/* What modes, ways to watch and vendors are called. */
#include <glib.h>

#include "hv/hv.h"

static const char *const watch_names[HV_WATCHES] = { "auto", "trace", "breakpoint", "lazy" };

const char *hv_watch_name(enum hv_watch watch)
{
	return watch_names[watch];
}

bool hv_watch_parse(const char *name, enum hv_watch *watch)
{
	for (unsigned n = 0; n < HV_WATCHES; n++)
		if (!g_strcmp0(name, watch_names[n])) {
			*watch = (enum hv_watch)n;
			return true;
		}
	return false;
}

static const char *const mode_names[HV_MODES] = { "real", "vm86", "pm16", "pm32", "pm32-paged", "pm64", "pm64-user" };

const char *hv_mode_name(enum hv_mode mode)
{
	return mode_names[mode];
}

const char *hv_runs_name(enum hv_runs runs)
{
	static const char *const names[] = { "refused", "interpreted", "native" };
	return names[runs];
}

const char *hv_vendor_name(enum hv_vendor vendor)
{
	static const char *const names[] = { "other", "intel", "amd" };
	return names[vendor];
}
