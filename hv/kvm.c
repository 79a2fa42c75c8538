/* The engine's making and end. */
#include <errno.h>
#include <sys/ioctl.h>

#include <glib.h>

#include "hv/kvm_private.h"
#include "shared/log.h"

static int set_slot(void *owner, const struct kvm_userspace_memory_region *region)
{
	const struct kvm *kvm = owner;
	return kvm_vm_ioctl(kvm->vm.vm, KVM_SET_USER_MEMORY_REGION, (void *)region);
}

/* Every even kernel has 32 or more. The last one is kvm_shadow.c's. */
#define SLOTS_MIN 32

static unsigned slots_of(const struct kvm *kvm)
{
	return (unsigned)MAX(ioctl(kvm->vm.vm, KVM_CHECK_EXTENSION, KVM_CAP_NR_MEMSLOTS), SLOTS_MIN) - 1;
}

static int open_memory(struct kvm *kvm)
{
	kvm->mem = kvm_mem_new(kvm->config.mem, slots_of(kvm), set_slot, kvm);
	kvm_smm_open(kvm, slots_of(kvm));
	return 0;
}

#define CPUID_EXTENDED 0x80000001u
#define CPUID_EDX_LM   0x20000000u

/* Whether a guest can have paging on in KVM: one that interprets refuses it but in long
 * mode. */
static bool may_page(const struct kvm *kvm)
{
	if (kvm->runs[HV_MODE_PM32_PAGED] != HV_REFUSED)
		return true;
	for (unsigned n = 0; n < kvm->config.cpuids; n++)
		if (kvm->config.cpuid[n].leaf == CPUID_EXTENDED && (kvm->config.cpuid[n].edx & CPUID_EDX_LM))
			return true;
	return false;
}

/* Alone, nobody else writes page tables. */
static int open_shadow(struct kvm *kvm, char **error)
{
	if (!kvm->watch || !kvm_vm_shadows() || !may_page(kvm))
		return 0;
	kvm->shadow = kvm_shadow_new(&kvm->vm, slots_of(kvm), kvm_watch_sees_paging(kvm->watch));
	if (kvm->shadow)
		return 0;
	*error = g_strdup("no memory");
	return -ENOMEM;
}

/* A stepper wants to see each access. */
static int open_bell(struct kvm *kvm, char **error)
{
	if (!kvm->config.doorbells || kvm->step || clock_kind(kvm->config.clock) == CLOCK_KIND_VIRTUAL)
		return 0;
	int result = kvm_bell_check(&kvm->vm);
	if (result)
		*error = g_strdup("this kernel's KVM lacks KVM_CAP_IOEVENTFD; take notifications by the bus");
	else if (!(kvm->bell = kvm_bell_new(&kvm->vm, kvm->config.mem, kvm_run_served, kvm)))
		*error = g_strdup_printf("an eventfd cannot be had: %s", g_strerror(-(result = -errno)));
	return result;
}

/* VMRUN there loads DR7 and sets no breakpoint. */
static int check_step(struct kvm *kvm, char **error)
{
	if (!kvm->step || !kvm->tr_not_busy)
		return 0;
	*error = g_strdup("KVM on the SVM that QEMU emulates has no breakpoints, which --gdb wants, and --trace for switch, int, block, "
	                  "insn and mem; give --engine emu, or trace io and irq only");
	return -ENOTSUP;
}

static int open_watch(struct kvm *kvm, char **error)
{
	enum hv_watch kind = kvm->config.watch;
	if (kvm->config.alone)
		return 0;
	if (kind == HV_WATCH_AUTO)
		kind = kvm->config.probe->best;
	g_autofree char *why = NULL;
	kvm->watch = kvm_watch_new(&kvm->vm, kind, kvm->config.mem, &why);
	if (kvm->watch)
		return 0;
	*error = g_strdup_printf("--watch %s: %s", hv_watch_name(kind), why);
	return -ENOTSUP;
}

/* What makes it unnecessary to read the debug registers at each hand-over: the guard, or
 * tracepoints, whatever the watch is. */
static void open_witness(struct kvm *kvm)
{
	const struct hv_probe *probe = kvm->config.probe;
	bool watched = kvm->watch && !kvm->step;
	kvm->guardable = watched && kvm->msr_exits && probe->guards;
	if (watched && !kvm->guardable && probe->witnesses)
		kvm->witness = kvm_witness_new();
}

static int open_state(struct kvm *kvm, char **error)
{
	int result = kvm_state_init(kvm, error);
	if (result)
		return result;
	result = kvm_vm_ioctl(kvm->vm.vcpu, KVM_GET_SREGS, &kvm->held_sregs);
	if (result)
		*error = g_strdup_printf("KVM_GET_SREGS: %s; see the kernel's log", g_strerror(-result));
	return result;
}

static void kvm_print_stats(struct engine *engine, FILE *out)
{
	const struct kvm *kvm = (const struct kvm *)engine;
	const struct kvm_stats *stats = &kvm->stats;
	const struct kvm_bell_stats bells = kvm_bell_stats(kvm->bell);
	const struct { const char *name; uint64_t value; } rows[] = {
		{ "runs", stats->runs }, { "exits", stats->exits }, { "exits_io", stats->io }, { "exits_mmio", stats->mmio },
		{ "exits_signal", stats->signals }, { "interrupts", stats->interrupts },
		{ "interrupts_left", stats->left_interrupts }, { "smis", stats->smis },
		{ "boundaries", stats->boundaries }, { "boundaries_late", stats->late_boundaries },
		{ "failed_emulation", stats->failures[HV_DETAIL_EMULATION] },
		{ "failed_shutdown", stats->failures[HV_DETAIL_SHUTDOWN] },
		{ "failed_entry", stats->failures[HV_DETAIL_ENTRY] }, { "failed_exit", stats->failures[HV_DETAIL_EXIT] },
		{ "failed_ioctl", stats->failures[HV_DETAIL_IOCTL] },
		{ "msr_ioctls", stats->msr_ioctls }, { "fpu_ioctls", stats->fpu_ioctls },
		{ "debug_ioctls", stats->debug_ioctls }, { "tlb_flushes", stats->tlb_flushes }, { "shadow_flushes", kvm_shadow_times(kvm->shadow) },
		{ "traps", stats->traps }, { "doorbells", bells.rung }, { "doorbells_stopped", bells.stopped },
		{ "slots", kvm_mem_slots(kvm->mem) },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		fprintf(out, "kvm.%s %" G_GUINT64_FORMAT "\n", rows[i].name, rows[i].value);
	fprintf(out, "kvm.watch %s\n", kvm->watch ? hv_watch_name(kvm_watch_kind(kvm->watch)) : "none");
}

/* All memory is KVM's to look at anew; it has no copies but those of page tables. */
static void kvm_new_epoch(struct engine *engine)
{
	struct kvm *kvm = (struct kvm *)engine;
	kvm_step_forget(kvm->step);
	kvm_shadow_distrust(kvm->shadow);
}

static void kvm_free(struct engine *engine)
{
	struct kvm *kvm = (struct kvm *)engine;
	if (kvm->config.pins->keeper == kvm)
		kvm->config.pins->fetch = NULL;
	kvm_bell_free(kvm->bell);
	kvm_run_forget_thread(kvm);
	kvm_watch_free(kvm->watch);
	kvm_window_free(kvm->window);
	kvm_step_free(kvm->step);
	kvm_witness_free(kvm->witness);
	kvm_vm_close(&kvm->vm);
	kvm_mem_free(kvm->mem);
	kvm_smm_close(kvm);
	kvm_shadow_free(kvm->shadow);
	g_free(kvm->xsave);
	g_free((void *)kvm->config.cpuid);
	g_free(kvm);
}

static const struct engine_ops kvm_ops = {
	.name = "kvm",
	.no_debug = true,
	.times_itself = true,
	.can_run = kvm_run_can_run,
	.run = kvm_run_run,
	.kick = kvm_run_kick,
	.new_epoch = kvm_new_epoch,
	.print_stats = kvm_print_stats,
	.free = kvm_free,
};

static void copy_probe(struct kvm *kvm)
{
	const struct hv_probe *probe = kvm->config.probe;
	for (unsigned n = 0; n < HV_MODES; n++)
		kvm->runs[n] = probe->mode[n].runs;
}

struct engine *hv_new(const struct hv_config *config, char **error)
{
	if (config->probe->error) {
		*error = g_strdup(config->probe->error);
		if (config->stepper.plan)
			config->stepper.free(config->stepper.owner);
		return NULL;
	}
	struct kvm *kvm = g_new0(struct kvm, 1);
	kvm->engine.ops = &kvm_ops;
	kvm->config = *config;
	kvm->config.cpuid = g_memdup2(config->cpuid, config->cpuids * sizeof *config->cpuid);
	copy_probe(kvm);
	kvm->tr_not_busy = kvm_vm_is_tcg_svm();
	if (config->stepper.plan)
		kvm->step = kvm_step_new(&kvm->vm, config->mem, &config->stepper);
	int result = kvm_vm_open(&kvm->vm, error);
	kvm->run = kvm->vm.run;
	if (!result)
		result = check_step(kvm, error);
	if (!result)
		result = open_memory(kvm);
	if (!result)
		result = open_state(kvm, error);
	if (!result)
		result = open_watch(kvm, error);
	if (!result)
		result = open_shadow(kvm, error);
	if (!result)
		result = open_bell(kvm, error);
	kvm->wants_window = kvm->config.probe->window.seen;
	open_witness(kvm);
	kvm->config.probe = NULL;
	if (!result) {
		config->pins->fetch = kvm_state_fetch;
		config->pins->keeper = kvm;
		return &kvm->engine;
	}
	kvm_free(&kvm->engine);
	return NULL;
}

enum hv_watch hv_watch_of(const struct engine *engine)
{
	const struct kvm *kvm = (const struct kvm *)engine;
	return kvm->watch ? kvm_watch_kind(kvm->watch) : HV_WATCH_LAZY;
}

uint32_t hv_smm_map(const struct engine *engine)
{
	const struct kvm *kvm = (const struct kvm *)engine;
	return kvm_smm_takes(&kvm->smm) ? kvm_smm_map(kvm) : CTX_SMM_MAP_EMULATOR;
}

uint64_t hv_exits(const struct engine *engine)
{
	const struct kvm *kvm = (const struct kvm *)engine;
	return kvm->stats.exits;
}
