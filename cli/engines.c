#include "cli/engines.h"

#include <string.h>

#include "cli/cpuid.h"

bool engines_auto(const struct hv_probe *probe, char **why)
{
	if (probe->error) {
		*why = g_strdup_printf("emu: %s", probe->error);
		return false;
	}
	enum hv_mode mode = hv_hybrid_obstacle(probe);
	if (mode != HV_MODES) {
		*why = g_strdup_printf("emu: KVM of this host does not run %s code on the CPU (%s)", hv_mode_name(mode), hv_runs_name(probe->mode[mode].runs));
		return false;
	}
	*why = g_strdup_printf("hybrid: the CPU runs protected mode; its end is caught by --watch %s", hv_watch_name(probe->best));
	return true;
}

/* Why KVM cannot run this machine at all, or NULL. */
static char *obstacle(const struct run_options *options)
{
	/* --compare has its own time, which needs no counting. */
	if (options->clock == CLOCK_KIND_VIRTUAL && !options->compare)
		return g_strdup("--clock virtual counts instructions, which KVM does not; give --clock real or --engine emu");
	if (options->cpu < EMU_CPU_PENTIUM)
		return g_strdup("KVM cannot be a 386 or 486; give --cpu pentium or p6, or --engine emu");
	return NULL;
}

static void choose_auto(struct engines *engines, const struct run_options *options)
{
	g_autofree char *problem = obstacle(options);
	engines->emu = true;
	if (problem) {
		engines->why = g_strdup_printf("emu: %s", problem);
		return;
	}
	engines->probe = hv_probe_hybrid();
	engines->kvm = engines_auto(engines->probe, &engines->why);
}

static bool choose_kvm(struct engines *engines, const struct run_options *options, char **error)
{
	if ((*error = obstacle(options)))
		return false;
	engines->probe = hv_probe();
	if (engines->probe->error) {
		*error = g_strdup(engines->probe->error);
		return false;
	}
	engines->kvm = true;
	engines->emu = options->engine == RUN_ENGINE_HYBRID;
	engines->interpreted = true;
	engines->why = g_strdup_printf("%s: as --engine says", engines->emu ? "hybrid" : "kvm");
	return true;
}

bool engines_choose(struct engines *engines, const struct run_options *options, char **error)
{
	*engines = (struct engines){ .emu = false };
	switch (options->engine) {
	case RUN_ENGINE_AUTO:
		choose_auto(engines, options);
		return true;
	case RUN_ENGINE_EMU:
		engines->emu = true;
		engines->why = g_strdup("emu: as --engine says");
		return true;
	case RUN_ENGINE_KVM:
	case RUN_ENGINE_HYBRID:
		return choose_kvm(engines, options, error);
	}
	return false;
}

void engines_clear(struct engines *engines)
{
	g_free(engines->why);
	hv_probe_free(engines->probe);
	*engines = (struct engines){ .emu = false };
}

struct engine *engines_open_kvm(const struct engines *engines, const struct run_options *options, struct pc *pc, char **error)
{
	struct hv_cpuid cpuid[CPUID_LEAVES];
	unsigned cpuids = cpuid_ask(options->cpu, cpuid, error);
	if (!cpuids)
		return NULL;
	const struct hv_config config = {
		.mem = pc_mem(pc), .bus = pc_bus(pc), .clock = pc_clock(pc), .pins = pc_pins(pc),
		.cpuid = cpuid, .cpuids = cpuids, .cpu_signature = emu_cpu_signature(options->cpu),
		.probe = engines->probe, .watch = options->watch,
		.interpreted = engines->interpreted, .alone = !engines->emu,
	};
	return hv_new(&config, error);
}
