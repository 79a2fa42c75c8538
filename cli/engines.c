#include "cli/engines.h"

#include <string.h>

#include "shared/log.h"
#include "trace/debug_steps.h"
#include "trace/steps.h"

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
		return g_strdup("KVM cannot be a 386 or 486; give --cpu pentium or a later one, or --engine emu");
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

/* 64-bit code needs both rings of it. */
static bool runs_long_mode(const struct engines *engines, enum hv_runs least)
{
	return engines->kvm && engines->probe->mode[HV_MODE_PM64].runs >= least &&
	       engines->probe->mode[HV_MODE_PM64_USER].runs >= least;
}

/* By default the CPU is a 64-bit one where the host's runs 64-bit code. What KVM
 * interprets is fine only for who asks for it: nothing takes over what it does not know.
 * --compare wants the same CPU on both sides. */
static void choose_cpu(struct engines *engines, const struct run_options *options)
{
	engines->cpu = options->cpu;
	if (options->compare)
		return;
	if (!options->cpu_given && runs_long_mode(engines, HV_NATIVE))
		engines->cpu = EMU_CPU_X86_64;
	engines->long_mode = engines->cpu == EMU_CPU_X86_64 && runs_long_mode(engines, engines->interpreted ? HV_INTERPRETED : HV_NATIVE);
}

static bool choose_engines(struct engines *engines, const struct run_options *options, char **error)
{
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

/* Not that one could do without: it is what was asked for. */
static bool check_notify(const struct engines *engines, const struct run_options *options, char **error)
{
	if (options->virtio.notify != VIRTIO_NOTIFY_IOEVENTFD)
		return true;
	if (!engines->kvm)
		*error = g_strdup_printf("--virtio-notify ioeventfd: KVM has no part in this run (%s); give bus", engines->why);
	else if (engines->probe->ioeventfd)
		*error = g_strdup_printf("--virtio-notify ioeventfd: KVM does not do it (%s); give bus", g_strerror(-engines->probe->ioeventfd));
	else if (options->trace & (LOG_TRACE_BLOCK | LOG_TRACE_INSN | LOG_TRACE_MEM))
		*error = g_strdup("--virtio-notify ioeventfd: --trace block, insn and mem show each access; give bus");
	else if (options->gdb && !engines->emu)
		*error = g_strdup("--virtio-notify ioeventfd: for --gdb KVM alone goes step by step; give bus");
	return !*error;
}

bool engines_choose(struct engines *engines, const struct run_options *options, char **error)
{
	*engines = (struct engines){ .emu = false };
	if (!choose_engines(engines, options, error))
		return false;
	choose_cpu(engines, options);
	return check_notify(engines, options, error);
}

char *engines_caution(const struct engines *engines)
{
	if (!engines->kvm)
		return NULL;
	const struct hv_probe *probe = engines->probe;
	enum hv_mode mode = hv_hybrid_obstacle(probe);
	bool misses = probe->window.interpreted && !probe->window.seen;
	if (engines->emu)
		return misses && mode != HV_MODES ? g_strdup_printf("--engine hybrid: KVM of this host interprets, and may miss interrupts: %s", probe->window.remedy) : NULL;
	if (mode == HV_MODES)
		return NULL;
	return g_strdup_printf("--engine kvm: KVM of this host does not run %s code on the CPU (%s): it stops at instructions that it "
	                       "does not know%s%s; give --engine emu or hybrid",
	                       hv_mode_name(mode), hv_runs_name(probe->mode[mode].runs),
	                       misses ? ", and may miss interrupts: " : "", misses ? probe->window.remedy : "");
}

void engines_clear(struct engines *engines)
{
	g_free(engines->why);
	hv_probe_free(engines->probe);
	*engines = (struct engines){ .emu = false };
}

static void set_smm(void *owner, bool in_smm)
{
	pc_set_smm(owner, in_smm);
}

struct engine *engines_open_kvm(const struct engines *engines, const struct run_options *options, struct pc *pc, char **error)
{
	struct cpuid_leaf cpuid[CPUID_LEAVES];
	unsigned cpuids = emu_cpuid(engines->cpu, engines->long_mode, cpuid);
	struct hv_config config = {
		.mem = pc_mem(pc), .bus = pc_bus(pc), .clock = pc_clock(pc), .pins = pc_pins(pc),
		.cpuid = cpuid, .cpuids = cpuids, .cpu_signature = emu_cpu_signature(engines->cpu),
		.probe = engines->probe, .watch = options->watch,
		.interpreted = engines->interpreted, .alone = !engines->emu, .set_smm = set_smm, .owner = pc,
		.doorbells = options->virtio.notify == VIRTIO_NOTIFY_IOEVENTFD,
	};
	/* A change of mode is a hand-over where there are two. */
	uint32_t shows = options->trace & (engines->emu ? LOG_TRACE_BLOCK | LOG_TRACE_INSN | LOG_TRACE_MEM : UINT32_MAX);
	config.stepper = options->gdb && config.alone ? debug_steps_new(error) :
	                 trace_steps_new(shows, options->trace_watch, options->trace_watches, error);
	return *error ? NULL : hv_new(&config, error);
}

static uint64_t native_speed(const struct engines *engines)
{
	static const enum hv_mode modes[] = { HV_MODE_PM16, HV_MODE_PM32, HV_MODE_PM32_PAGED };
	uint64_t slowest = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(modes) && engines->kvm; i++) {
		uint64_t speed = engines->probe->mode[modes[i]].insns_per_second;
		if (speed && (!slowest || speed < slowest))
			slowest = speed;
	}
	return slowest;
}

static uint64_t read_exits(void *kvm)
{
	return hv_exits(kvm);
}

struct policy_config engines_costs(const struct engines *engines, struct engine *kvm)
{
	const struct hv_probe *probe = engines->probe;
	if (!kvm)
		return (struct policy_config){ .handover_ns = 0 };
	return (struct policy_config){
		/* There and back, with all that is moved: by what was measured, about two stops. */
		.handover_ns = 2 * probe->watch[probe->best].stop_ns, .exit_ns = probe->exit_ns,
		.native_insns_per_second = native_speed(engines), .exits = read_exits, .owner = kvm,
	};
}
