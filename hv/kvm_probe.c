/* What the host's KVM can do, found out with tiny guests. */
/* gettid() */
#define _GNU_SOURCE

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <glib.h>

#include "hv/kvm_guest.h"
#include "hv/kvm_smm.h"
#include "hv/kvm_speed.h"
#include "hv/kvm_watch.h"
#include "hv/kvm_window.h"
#include "hv/kvm_witness.h"
#include "shared/channel.h"

/* --- does a mode run, and how fast ----------------------------------------------------------------- */

/* loop: dec ecx; jnz loop; out KVM_GUEST_PORT, al. In 16-bit code DEC has its prefix. */
static const uint8_t count16[] = { 0x66, 0x49, 0x75, 0xfc, 0xe6, KVM_GUEST_PORT };
static const uint8_t count32[] = { 0x49, 0x75, 0xfd, 0xe6, KVM_GUEST_PORT };
static const uint8_t count64[] = { 0xff, 0xc9, 0x75, 0xfc, 0xe6, KVM_GUEST_PORT };

static void set_count_code(struct kvm_guest *guest, enum hv_mode mode)
{
	if (mode == HV_MODE_PM64 || mode == HV_MODE_PM64_USER)
		kvm_guest_set_code(guest, count64, sizeof count64);
	else if (mode == HV_MODE_PM32 || mode == HV_MODE_PM32_PAGED)
		kvm_guest_set_code(guest, count32, sizeof count32);
	else
		kvm_guest_set_code(guest, count16, sizeof count16);
}

/* How many ns `turns` of the loop take; 0: they do not end. */
static uint64_t measure(struct kvm_guest *guest, enum hv_mode mode, uint32_t turns)
{
	set_count_code(guest, mode);
	if (kvm_guest_set_mode(guest, mode, turns))
		return 0;
	uint64_t start = channel_host_ns();
	return kvm_guest_run_to_port(guest) ? MAX(channel_host_ns() - start, 1) : 0;
}

/* The first time pays for page faults, and any may be interrupted by the host. */
#define TRIES 3u

static uint64_t measure_best(struct kvm_guest *guest, enum hv_mode mode, uint32_t turns)
{
	uint64_t best = UINT64_MAX;
	for (unsigned n = 0; n < TRIES; n++) {
		uint64_t ns = measure(guest, mode, turns);
		if (!ns)
			return 0;
		best = MIN(best, ns);
	}
	return best;
}

/* The same loop on the host. */
static uint64_t measure_host(uint32_t turns)
{
	uint32_t left = turns;
	uint64_t start = channel_host_ns();
	__asm__ volatile("1: decl %0; jnz 1b" : "+r"(left) : : "cc");
	return kvm_speed_insns_per_second(turns, channel_host_ns() - start);
}

#define WARM_TURNS 1000u
#define HOST_TURNS 1000000u

struct measured {
	struct kvm_guest *guest;
	enum hv_mode mode;
};

static uint64_t measure_mode(void *owner, uint32_t turns)
{
	const struct measured *measured = owner;
	return measure_best(measured->guest, measured->mode, turns);
}

static void probe_mode(struct hv_probe *probe, struct kvm_guest *guest, enum hv_mode mode, uint64_t host)
{
	struct measured measured = { guest, mode };
	struct kvm_speed speed = kvm_speed_of(measure_mode, &measured, host);
	probe->mode[mode].runs = speed.runs;
	probe->mode[mode].insns_per_second = speed.insns_per_second;
}

/* --- what an exit costs ------------------------------------------------------------------------------ */

#define EXITS 500u

static void probe_exit(struct hv_probe *probe, struct kvm_guest *guest)
{
	static const uint8_t code[] = { 0xe6, KVM_GUEST_PORT, 0xeb, 0xfc }; /* out; jmp back */
	kvm_guest_set_code(guest, code, sizeof code);
	if (kvm_guest_set_mode(guest, HV_MODE_PM32, 0) || !kvm_guest_run_to_port(guest))
		return;
	uint64_t start = channel_host_ns();
	for (unsigned n = 0; n < EXITS; n++)
		if (!kvm_guest_run_to_port(guest))
			return;
	probe->exit_ns = (channel_host_ns() - start) / EXITS;
}

/* --- how a mode boundary is seen ------------------------------------------------------------------------ */

/* mov eax, cr0; and al, FEh; mov cr0, eax; mov bl, 1; mov bl, 2; out KVM_GUEST_PORT, al */
static const uint8_t leave_code[] = {
	0x0f, 0x20, 0xc0, 0x24, 0xfe, 0x0f, 0x22, 0xc0, 0xb3, 1, 0xb3, 2, 0xe6, KVM_GUEST_PORT,
};
#define AT_MOVE   (KVM_GUEST_CODE + 5)
#define AT_BEHIND (KVM_GUEST_CODE + 8)
#define AT_LATE   (KVM_GUEST_CODE + 10) /* an interpreting KVM: one instruction later */

static void judge_stop(struct hv_probe *probe, enum hv_watch kind, enum kvm_watch_verdict verdict, uint64_t rip)
{
	bool before = verdict == KVM_WATCH_LEAVES && rip == AT_MOVE;
	bool behind = verdict == KVM_WATCH_LEFT && rip == AT_BEHIND;
	bool late = verdict == KVM_WATCH_LEFT && rip == AT_LATE;
	probe->watch[kind].exact = before || behind;
	probe->watch[kind].usable = before || behind || late || (verdict == KVM_WATCH_LEFT && kind == HV_WATCH_LAZY);
}

static void try_watch(struct hv_probe *probe, struct kvm_guest *guest, struct kvm_watch *watch)
{
	enum hv_watch kind = kvm_watch_kind(watch);
	enum kvm_watch_verdict verdict = KVM_WATCH_GO_ON;
	kvm_watch_add_site(watch, AT_MOVE);
	if (kvm_watch_arm(watch) || kvm_guest_set_mode(guest, HV_MODE_PM16, 0))
		return;
	guest->vm.run->immediate_exit = 0;
	kvm_watch_set_thread_run(guest->vm.run);
	uint64_t start = channel_host_ns();
	for (unsigned tries = 0; tries < 4 && verdict == KVM_WATCH_GO_ON; tries++) {
		int result = kvm_guest_run(guest);
		guest->vm.run->immediate_exit = 0;
		verdict = kvm_watch_look(watch, result == -EINTR);
	}
	probe->watch[kind].stop_ns = channel_host_ns() - start;
	kvm_watch_set_thread_run(NULL);
	judge_stop(probe, kind, verdict, guest->vm.run->s.regs.regs.rip);
}

static void probe_watch(struct hv_probe *probe, enum hv_watch kind)
{
	struct kvm_guest guest;
	char **remedy = &probe->watch[kind].remedy;
	if (kvm_guest_open(&guest, remedy))
		return;
	kvm_guest_set_code(&guest, leave_code, sizeof leave_code);
	struct kvm_watch *watch = kvm_watch_new(&guest.vm, kind, NULL, remedy);
	for (unsigned n = 0; watch && n < 2; n++) /* the first one warms up */
		try_watch(probe, &guest, watch);
	if (watch && !probe->watch[kind].usable)
		*remedy = g_strdup("it did not stop a test guest; take a kernel with kvm_intel or kvm_amd");
	kvm_watch_free(watch);
	kvm_guest_close(&guest);
}

static void probe_watches(struct hv_probe *probe)
{
	probe->best = HV_WATCH_LAZY;
	for (unsigned kind = HV_WATCH_LAZY; kind > HV_WATCH_AUTO; kind--) {
		probe_watch(probe, (enum hv_watch)kind);
		if (probe->watch[kind].usable)
			probe->best = (enum hv_watch)kind;
	}
}

/* --- is it seen that interrupts may come ----------------------------------------------------------------- */

/* sti; mov bl, 1; cli; out KVM_GUEST_PORT, al */
static const uint8_t window_code[] = { 0xfb, 0xb3, 1, 0xfa, 0xe6, KVM_GUEST_PORT };
#define AT_OPEN (KVM_GUEST_CODE + 3)

static bool stops_at_window(struct kvm_guest *guest, enum hv_mode mode, struct kvm_window *window)
{
	struct kvm_run *run = guest->vm.run;
	int result = kvm_guest_set_mode(guest, mode, 0);
	kvm_watch_set_thread_run(run);
	for (enum kvm_window_stop stop = KVM_WINDOW_OPENER; !result && stop <= KVM_WINDOW_NEXT; stop++) {
		run->immediate_exit = 0;
		kvm_window_stop(window, stop);
		result = kvm_guest_run(guest) == -EINTR ? 0 : -EIO;
	}
	kvm_watch_set_thread_run(NULL);
	run->immediate_exit = 0;
	return !result && run->s.regs.regs.rip == AT_OPEN;
}

static void probe_window(struct hv_probe *probe)
{
	static const enum hv_mode modes[] = { HV_MODE_REAL, HV_MODE_PM16, HV_MODE_PM32 };
	struct kvm_guest guest;
	char **remedy = &probe->window.remedy;
	size_t n = 0;
	while (n < G_N_ELEMENTS(modes) && probe->mode[modes[n]].runs != HV_INTERPRETED)
		n++;
	probe->window.interpreted = n < G_N_ELEMENTS(modes);
	if (!probe->window.interpreted || kvm_guest_open(&guest, remedy))
		return;
	kvm_guest_set_code(&guest, window_code, sizeof window_code);
	struct kvm_window *window = kvm_window_new(remedy);
	probe->window.seen = window && stops_at_window(&guest, modes[n], window);
	if (window && !probe->window.seen)
		*remedy = g_strdup("a test guest was not stopped there; take a kernel with kvm_intel or kvm_amd");
	kvm_window_free(window);
	kvm_guest_close(&guest);
}

/* --- are the debug registers ours to guard ------------------------------------------------------------ */

/* mov eax, dr6; out KVM_GUEST_PORT, al */
static const uint8_t debug_code[] = { 0x0f, 0x21, 0xf0, 0xe6, KVM_GUEST_PORT };

/* Where KVM itself emulates (Intel's CPUs without unrestricted guest, AMD's without
 * decode assists, an interpreting KVM) MOV DR goes by what the guest has. */
static void probe_guard(struct hv_probe *probe)
{
	struct kvm_guest guest;
	g_autofree char *error = NULL;
	if (probe->unrestricted_guest == 0 || kvm_guest_open(&guest, &error))
		return;
	struct kvm_watch *watch = kvm_watch_new(&guest.vm, HV_WATCH_LAZY, NULL, &error);
	kvm_guest_set_code(&guest, debug_code, sizeof debug_code);
	kvm_watch_guard(watch, true);
	if (!kvm_watch_arm(watch) && !kvm_guest_set_mode(&guest, HV_MODE_PM16, 0) && !kvm_guest_run(&guest))
		probe->guards = kvm_watch_look(watch, false) == KVM_WATCH_TRAPPED && guest.vm.run->s.regs.regs.rip == KVM_GUEST_CODE;
	kvm_watch_free(watch);
	kvm_guest_close(&guest);
}

/* mov dr0, eax, or three NOPs; out KVM_GUEST_PORT, al */
static const uint8_t uses_code[] = { 0x0f, 0x23, 0xc0, 0xe6, KVM_GUEST_PORT };
static const uint8_t other_code[] = { 0x90, 0x90, 0x90, 0xe6, KVM_GUEST_PORT };

/* Whether it says what is so, with MOV DR or without. */
static bool says(struct kvm_witness *witness, struct kvm_guest *guest, bool mov_dr)
{
	kvm_guest_set_code(guest, mov_dr ? uses_code : other_code, sizeof uses_code);
	kvm_witness_begin(witness, gettid());
	return !kvm_guest_set_mode(guest, HV_MODE_PM16, 0) && kvm_guest_run_to_port(guest) && kvm_witness_saw(witness) == mov_dr;
}

static void probe_witness(struct hv_probe *probe)
{
	struct kvm_guest guest;
	g_autofree char *error = NULL;
	if (probe->guards || kvm_guest_open(&guest, &error))
		return;
	struct kvm_witness *witness = kvm_witness_new();
	probe->witnesses = witness && says(witness, &guest, true) && says(witness, &guest, false) && says(witness, &guest, true);
	kvm_witness_free(witness);
	kvm_guest_close(&guest);
}

/* --- the module -------------------------------------------------------------------------------------- */

static void probe_module(struct hv_probe *probe)
{
	probe->unrestricted_guest = probe->ept = -1;
	probe->shadows = kvm_vm_shadows();
	if (kvm_vm_has_module("kvm_amd")) {
		probe->vendor = HV_VENDOR_AMD;
	} else if (kvm_vm_has_module("kvm_intel")) {
		probe->vendor = HV_VENDOR_INTEL;
		probe->unrestricted_guest = kvm_vm_parameter("kvm_intel", "unrestricted_guest");
		probe->ept = kvm_vm_parameter("kvm_intel", "ept");
	}
}

/* --- notifications and interrupts by eventfd ------------------------------------------------------------ */

#define SIGNAL_ADDRESS 0xfef00050u /* no memory there */
#define SIGNAL_IRQ     5u

/* Both are tried: KVM_CHECK_EXTENSION says that it has irqfd, and says nothing of the
 * interrupt controllers of its own which that wants. */
static void probe_signals(struct hv_probe *probe, const struct kvm_guest *guest)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct kvm_ioeventfd event = { .addr = SIGNAL_ADDRESS, .len = 4, .fd = fd, .flags = KVM_IOEVENTFD_FLAG_DATAMATCH };
	struct kvm_irqfd irq = { .fd = (uint32_t)fd, .gsi = SIGNAL_IRQ };
	probe->ioeventfd = probe->irqfd = fd < 0 ? -errno : 0;
	if (fd < 0)
		return;
	probe->ioeventfd = kvm_vm_ioctl(guest->vm.vm, KVM_IOEVENTFD, &event);
	probe->irqfd = kvm_vm_ioctl(guest->vm.vm, KVM_IRQFD, &irq);
	close(fd);
}

/* The modes that a hybrid needs on the CPU itself. */
static const enum hv_mode hybrid_modes[] = { HV_MODE_PM16, HV_MODE_PM32, HV_MODE_PM32_PAGED };

enum hv_mode hv_hybrid_obstacle(const struct hv_probe *probe)
{
	for (size_t i = 0; i < G_N_ELEMENTS(hybrid_modes); i++)
		if (probe->mode[hybrid_modes[i]].runs != HV_NATIVE)
			return hybrid_modes[i];
	return HV_MODES;
}

/* Whether all modes that a hybrid needs run natively; the first that does not is
 * the last that is looked at. */
static bool probe_hybrid(struct hv_probe *probe, struct kvm_guest *guest, uint64_t host)
{
	for (size_t i = 0; i < G_N_ELEMENTS(hybrid_modes); i++) {
		probe_mode(probe, guest, hybrid_modes[i], host);
		if (probe->mode[hybrid_modes[i]].runs != HV_NATIVE)
			return false;
	}
	return true;
}

static struct hv_probe *probe_host(bool for_hybrid)
{
	struct hv_probe *probe = g_new0(struct hv_probe, 1);
	struct kvm_guest guest;
	if (kvm_guest_open(&guest, &probe->error))
		return probe;
	probe_module(probe);
	measure_host(WARM_TURNS);
	uint64_t host = measure_host(HOST_TURNS);
	if (for_hybrid && !probe_hybrid(probe, &guest, host)) {
		kvm_guest_close(&guest);
		return probe;
	}
	for (unsigned mode = 0; mode < HV_MODES; mode++)
		probe_mode(probe, &guest, (enum hv_mode)mode, host);
	probe_exit(probe, &guest);
	probe_signals(probe, &guest);
	probe->smm_missing = kvm_smm_missing(&guest.vm);
	kvm_guest_close(&guest);
	probe_watches(probe);
	probe_window(probe);
	probe_guard(probe);
	probe_witness(probe);
	return probe;
}

struct hv_probe *hv_probe(void)
{
	return probe_host(false);
}

struct hv_probe *hv_probe_hybrid(void)
{
	return probe_host(true);
}

void hv_probe_free(struct hv_probe *probe)
{
	if (!probe)
		return;
	g_free(probe->error);
	g_free(probe->window.remedy);
	for (unsigned kind = 0; kind < HV_WATCHES; kind++)
		g_free(probe->watch[kind].remedy);
	g_free(probe);
}
