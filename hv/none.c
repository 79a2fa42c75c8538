/* In the place of the KVM engine where the program is built without: not for an
 * x86-64 host, or with --disable-native. */
#include <glib.h>

#include "hv/hv.h"

#define WHY "this v2e was built without KVM, which it can use on x86-64 hosts only"

struct hv_probe *hv_probe(void)
{
	struct hv_probe *probe = g_new0(struct hv_probe, 1);
	probe->error = g_strdup(WHY);
	return probe;
}

struct hv_probe *hv_probe_hybrid(void) { return hv_probe(); }

enum hv_mode hv_hybrid_obstacle(const struct hv_probe *probe)
{
	(void)probe;
	return HV_MODE_REAL;
}

void hv_probe_free(struct hv_probe *probe)
{
	if (probe)
		g_free(probe->error);
	g_free(probe);
}

struct engine *hv_new(const struct hv_config *config, char **error)
{
	(void)config;
	*error = g_strdup(WHY);
	return NULL;
}

struct hv_floor *hv_floor_new(enum hv_floor_kind kind, enum hv_watch watch, const struct hv_floor_guest *guest, char **error)
{
	(void)kind, (void)watch, (void)guest;
	*error = g_strdup(WHY);
	return NULL;
}

/* --- of engines and floors, of which there are none -------------------------------- */

bool hv_floor_run(struct hv_floor *floor, unsigned times)
{
	(void)floor, (void)times;
	return false;
}

void hv_floor_free(struct hv_floor *floor) { (void)floor; }

enum hv_watch hv_watch_of(const struct engine *engine)
{
	(void)engine;
	return HV_WATCH_AUTO;
}

uint32_t hv_smm_map(const struct engine *engine)
{
	(void)engine;
	return CTX_SMM_MAP_EMULATOR;
}

uint64_t hv_exits(const struct engine *engine)
{
	(void)engine;
	return 0;
}

bool hv_features(const struct engine *engine, uint32_t *ecx, uint32_t *edx)
{
	(void)engine, (void)ecx, (void)edx;
	return false;
}
