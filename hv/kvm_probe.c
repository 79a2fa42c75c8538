/* What the host's KVM can do, found out with tiny guests. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <glib.h>

#include "hv/kvm_vm.h"
#include "hv/kvm_watch.h"
#include "shared/ctx.h"

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

/* --- a tiny guest ----------------------------------------------------------------------- */

#define MEMORY_SIZE 0x40000u
#define AT_CODE     0x1000u
#define AT_TSS      0x4000u /* 104 bytes, then an I/O bitmap that allows all */
#define AT_GDT      0x7000u
#define AT_STACK    0x9ff0u
#define AT_PML4     0x10000u
#define AT_PDPT     0x11000u
#define AT_PD64     0x12000u
#define AT_PD32     0x13000u
#define TSS_SIZE    104u
#define TSS_IO_BASE 0x66u
#define PORT        0x80

struct guest {
	struct kvm_vm vm;
	uint8_t *memory;
	bool tr_not_busy;
};

static void put(struct guest *guest, uint32_t address, uint64_t value, size_t size)
{
	memcpy(guest->memory + address, &value, size);
}

static void fill_memory(struct guest *guest)
{
	put(guest, AT_TSS + TSS_IO_BASE, TSS_SIZE, 2);
	put(guest, AT_GDT + 0x08, 0x00cf9b000000ffffull, 8);
	put(guest, AT_GDT + 0x10, 0x00cf93000000ffffull, 8);
	/* Large pages that anyone may write: 2 MiB each, 4 MiB in the 32-bit table. */
	put(guest, AT_PML4, AT_PDPT | 7, 8);
	put(guest, AT_PDPT, AT_PD64 | 7, 8);
	put(guest, AT_PD64, 0xe7, 8);
	put(guest, AT_PD32, 0xe7, 4);
}

static int give_memory(struct guest *guest)
{
	void *memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return -errno;
	guest->memory = memory;
	fill_memory(guest);
	struct kvm_userspace_memory_region region = { .memory_size = MEMORY_SIZE, .userspace_addr = (uintptr_t)memory };
	return kvm_vm_ioctl(guest->vm.vm, KVM_SET_USER_MEMORY_REGION, &region);
}

#define CPUID_LEAVES 256u

/* All that KVM offers: long mode is to be tried as well. */
static int give_cpuid(struct guest *guest)
{
	struct kvm_cpuid2 *list = g_malloc0(sizeof *list + CPUID_LEAVES * sizeof *list->entries);
	list->nent = CPUID_LEAVES;
	int result = kvm_vm_ioctl(guest->vm.device, KVM_GET_SUPPORTED_CPUID, list);
	if (!result)
		result = kvm_vm_ioctl(guest->vm.vcpu, KVM_SET_CPUID2, list);
	g_free(list);
	return result;
}

static void guest_close(struct guest *guest)
{
	kvm_vm_close(&guest->vm);
	if (guest->memory)
		munmap(guest->memory, MEMORY_SIZE);
	guest->memory = NULL;
}

static int guest_open(struct guest *guest, char **error)
{
	*guest = (struct guest){ .tr_not_busy = kvm_vm_is_tcg_svm() };
	int result = kvm_vm_open(&guest->vm, error);
	if (result)
		return result;
	result = give_memory(guest);
	if (!result)
		result = give_cpuid(guest);
	if (!result)
		return 0;
	*error = g_strdup_printf("/dev/kvm takes no guest: %s; see the kernel's log", g_strerror(-result));
	guest_close(guest);
	return result;
}

/* --- its modes ------------------------------------------------------------------------------ */

struct flavour {
	uint64_t cr0, cr3, cr4, efer, rflags;
	uint16_t code, data;    /* selectors */
	uint8_t code_type, dpl;
	bool db, l, g;
};

#define CR0_REAL   0x30u
#define CR0_PM     0x31u
#define CR0_PAGED  0x80000031u
#define CR4_PSE    0x10u
#define CR4_LONG   0x620u /* PAE, OSFXSR, OSXMMEXCPT */
#define EFER_LONG  0xd01u /* SCE, LME, LMA, NXE */
#define FLAGS      0x002u
#define FLAGS_VM86 0x23002u
#define FLAGS_USER 0x3002u

static const struct flavour flavours[HV_MODES] = {
	[HV_MODE_REAL] = { CR0_REAL, 0, 0, 0, FLAGS, 0, 0, 11, 0, false, false, false },
	[HV_MODE_VM86] = { CR0_PM, 0, 0, 0, FLAGS_VM86, 0, 0, 3, 3, false, false, false },
	[HV_MODE_PM16] = { CR0_PM, 0, 0, 0, FLAGS, 0x18, 0x20, 11, 0, false, false, false },
	[HV_MODE_PM32] = { CR0_PM, 0, 0, 0, FLAGS, 0x08, 0x10, 11, 0, true, false, true },
	[HV_MODE_PM32_PAGED] = { CR0_PAGED, AT_PD32, CR4_PSE, 0, FLAGS, 0x08, 0x10, 11, 0, true, false, true },
	[HV_MODE_PM64] = { CR0_PAGED, AT_PML4, CR4_LONG, EFER_LONG, FLAGS, 0x08, 0x10, 11, 0, false, true, true },
	[HV_MODE_PM64_USER] = { CR0_PAGED, AT_PML4, CR4_LONG, EFER_LONG, FLAGS_USER, 0x33, 0x2b, 11, 3, false, true, true },
};

static struct kvm_segment make_segment(const struct flavour *flavour, bool code)
{
	return (struct kvm_segment){
		.selector = code ? flavour->code : flavour->data,
		.limit = flavour->g ? UINT32_MAX : 0xffff,
		.type = code ? flavour->code_type : 3,
		.s = 1, .present = 1, .dpl = flavour->dpl, .g = flavour->g,
		.db = code ? flavour->db : flavour->db || flavour->l,
		.l = code && flavour->l,
	};
}

static int guest_set_mode(struct guest *guest, enum hv_mode mode, uint64_t rcx)
{
	const struct flavour *flavour = &flavours[mode];
	struct kvm_regs regs = { .rip = AT_CODE, .rsp = AT_STACK, .rflags = flavour->rflags, .rcx = rcx };
	struct kvm_sregs sregs;
	int result = kvm_vm_ioctl(guest->vm.vcpu, KVM_GET_SREGS, &sregs);
	if (result)
		return result;
	sregs.cr0 = flavour->cr0;
	sregs.cr3 = flavour->cr3;
	sregs.cr4 = flavour->cr4;
	sregs.efer = flavour->efer;
	sregs.gdt = (struct kvm_dtable){ .base = AT_GDT, .limit = 0x3f };
	sregs.idt = (struct kvm_dtable){ .base = 0, .limit = mode == HV_MODE_REAL || mode == HV_MODE_VM86 ? 0x3ff : 0 };
	sregs.cs = make_segment(flavour, true);
	sregs.ds = sregs.es = sregs.ss = sregs.fs = sregs.gs = make_segment(flavour, false);
	sregs.ldt = (struct kvm_segment){ .type = 2, .present = 1 };
	sregs.tr = (struct kvm_segment){
		.selector = 0x28, .base = AT_TSS, .limit = TSS_SIZE + 0x2000, .present = 1, .type = guest->tr_not_busy ? 9 : 11,
	};
	result = kvm_vm_ioctl(guest->vm.vcpu, KVM_SET_SREGS, &sregs);
	return result ? result : kvm_vm_ioctl(guest->vm.vcpu, KVM_SET_REGS, &regs);
}

static void guest_set_code(struct guest *guest, const uint8_t *code, size_t size)
{
	memcpy(guest->memory + AT_CODE, code, size);
}

static uint64_t now_ns(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int run_vcpu(struct guest *guest)
{
	return ioctl(guest->vm.vcpu, KVM_RUN, 0) ? -errno : 0;
}

static bool run_to_port(struct guest *guest)
{
	const struct kvm_run *run = guest->vm.run;
	int result;
	do
		result = run_vcpu(guest);
	while (result == -EINTR);
	return !result && run->exit_reason == KVM_EXIT_IO && run->io.port == PORT;
}

/* --- does a mode run, and how fast ----------------------------------------------------------------- */

/* loop: dec ecx; jnz loop; out PORT, al. In 16-bit code DEC has its prefix. */
static const uint8_t count16[] = { 0x66, 0x49, 0x75, 0xfc, 0xe6, PORT };
static const uint8_t count32[] = { 0x49, 0x75, 0xfd, 0xe6, PORT };
static const uint8_t count64[] = { 0xff, 0xc9, 0x75, 0xfc, 0xe6, PORT };

static void set_count_code(struct guest *guest, enum hv_mode mode)
{
	const struct flavour *flavour = &flavours[mode];
	if (flavour->l)
		guest_set_code(guest, count64, sizeof count64);
	else if (flavour->db)
		guest_set_code(guest, count32, sizeof count32);
	else
		guest_set_code(guest, count16, sizeof count16);
}

/* How many ns `turns` of the loop take; 0: they do not end. */
static uint64_t measure(struct guest *guest, enum hv_mode mode, uint32_t turns)
{
	set_count_code(guest, mode);
	if (guest_set_mode(guest, mode, turns))
		return 0;
	uint64_t start = now_ns();
	return run_to_port(guest) ? MAX(now_ns() - start, 1) : 0;
}

/* The first time pays for page faults, and any may be interrupted by the host. */
#define TRIES 3u

static uint64_t measure_best(struct guest *guest, enum hv_mode mode, uint32_t turns)
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

static uint64_t insns_per_second(uint32_t turns, uint64_t ns)
{
	return turns * UINT64_C(2000000000) / ns;
}

/* The same loop on the host. */
static uint64_t measure_host(uint32_t turns)
{
	uint32_t left = turns;
	uint64_t start = now_ns();
	__asm__ volatile("1: decl %0; jnz 1b" : "+r"(left) : : "cc");
	return insns_per_second(turns, MAX(now_ns() - start, 1));
}

#define FEW_TURNS   1000u
#define MANY_TURNS  10000000u
#define GROWTH      4u
#define ENOUGH_NS   1000000u
/* An interpreter is some hundred times slower than the CPU. */
#define NATIVE_PART 16u

static void probe_mode(struct hv_probe *probe, struct guest *guest, enum hv_mode mode, uint64_t host)
{
	probe->mode[mode].runs = HV_REFUSED;
	uint64_t ns = 0, speed;
	uint32_t turns;
	for (turns = FEW_TURNS; turns <= MANY_TURNS && ns < ENOUGH_NS; turns *= GROWTH)
		if (!(ns = measure_best(guest, mode, turns)))
			return;
	speed = insns_per_second(turns / GROWTH, ns);
	probe->mode[mode].runs = speed > host / NATIVE_PART ? HV_NATIVE : HV_INTERPRETED;
	probe->mode[mode].insns_per_second = speed;
}

/* --- what an exit costs ------------------------------------------------------------------------------ */

#define EXITS 500u

static void probe_exit(struct hv_probe *probe, struct guest *guest)
{
	static const uint8_t code[] = { 0xe6, PORT, 0xeb, 0xfc }; /* out; jmp back */
	guest_set_code(guest, code, sizeof code);
	if (guest_set_mode(guest, HV_MODE_PM32, 0) || !run_to_port(guest))
		return;
	uint64_t start = now_ns();
	for (unsigned n = 0; n < EXITS; n++)
		if (!run_to_port(guest))
			return;
	probe->exit_ns = (now_ns() - start) / EXITS;
}

/* --- how a mode boundary is seen ------------------------------------------------------------------------ */

/* mov eax, cr0; and al, FEh; mov cr0, eax; mov bl, 1; mov bl, 2; out PORT, al */
static const uint8_t leave_code[] = {
	0x0f, 0x20, 0xc0, 0x24, 0xfe, 0x0f, 0x22, 0xc0, 0xb3, 1, 0xb3, 2, 0xe6, PORT,
};
#define AT_MOVE   (AT_CODE + 5)
#define AT_BEHIND (AT_CODE + 8)
#define AT_LATE   (AT_CODE + 10) /* an interpreting KVM: one instruction later */

static void judge_stop(struct hv_probe *probe, enum hv_watch kind, enum kvm_watch_verdict verdict, uint64_t rip)
{
	bool before = verdict == KVM_WATCH_LEAVES && rip == AT_MOVE;
	bool behind = verdict == KVM_WATCH_LEFT && rip == AT_BEHIND;
	bool late = verdict == KVM_WATCH_LEFT && rip == AT_LATE;
	probe->watch[kind].exact = before || behind;
	probe->watch[kind].usable = before || behind || late || (verdict == KVM_WATCH_LEFT && kind == HV_WATCH_LAZY);
}

static void try_watch(struct hv_probe *probe, struct guest *guest, struct kvm_watch *watch)
{
	enum hv_watch kind = kvm_watch_kind(watch);
	enum kvm_watch_verdict verdict = KVM_WATCH_GO_ON;
	kvm_watch_add_site(watch, AT_MOVE);
	if (kvm_watch_arm(watch) || guest_set_mode(guest, HV_MODE_PM16, 0))
		return;
	guest->vm.run->immediate_exit = 0;
	kvm_watch_set_thread_run(guest->vm.run);
	uint64_t start = now_ns();
	for (unsigned tries = 0; tries < 4 && verdict == KVM_WATCH_GO_ON; tries++) {
		int result = run_vcpu(guest);
		guest->vm.run->immediate_exit = 0;
		verdict = kvm_watch_look(watch, result == -EINTR);
	}
	probe->watch[kind].stop_ns = now_ns() - start;
	kvm_watch_set_thread_run(NULL);
	judge_stop(probe, kind, verdict, guest->vm.run->s.regs.regs.rip);
}

static void probe_watch(struct hv_probe *probe, enum hv_watch kind)
{
	struct guest guest;
	char **remedy = &probe->watch[kind].remedy;
	if (guest_open(&guest, remedy))
		return;
	guest_set_code(&guest, leave_code, sizeof leave_code);
	struct kvm_watch *watch = kvm_watch_new(&guest.vm, kind, NULL, remedy);
	for (unsigned n = 0; watch && n < 2; n++) /* the first one warms up */
		try_watch(probe, &guest, watch);
	if (watch && !probe->watch[kind].usable)
		*remedy = g_strdup("it did not stop a test guest; take a kernel with kvm_intel or kvm_amd");
	kvm_watch_free(watch);
	guest_close(&guest);
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

/* --- the module -------------------------------------------------------------------------------------- */

static int read_parameter(const char *module, const char *name)
{
	g_autofree char *path = g_strdup_printf("/sys/module/%s/parameters/%s", module, name);
	g_autofree char *text = NULL;
	if (!g_file_get_contents(path, &text, NULL, NULL))
		return -1;
	return *text == 'Y' || *text == '1';
}

static void probe_module(struct hv_probe *probe)
{
	probe->unrestricted_guest = probe->ept = -1;
	if (kvm_vm_has_module("kvm_amd")) {
		probe->vendor = HV_VENDOR_AMD;
	} else if (kvm_vm_has_module("kvm_intel")) {
		probe->vendor = HV_VENDOR_INTEL;
		probe->unrestricted_guest = read_parameter("kvm_intel", "unrestricted_guest");
		probe->ept = read_parameter("kvm_intel", "ept");
	}
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
static bool probe_hybrid(struct hv_probe *probe, struct guest *guest, uint64_t host)
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
	struct guest guest;
	if (guest_open(&guest, &probe->error))
		return probe;
	probe_module(probe);
	measure_host(FEW_TURNS);
	uint64_t host = measure_host(MANY_TURNS / 10);
	if (for_hybrid && !probe_hybrid(probe, &guest, host)) {
		guest_close(&guest);
		return probe;
	}
	for (unsigned mode = 0; mode < HV_MODES; mode++)
		probe_mode(probe, &guest, (enum hv_mode)mode, host);
	probe_exit(probe, &guest);
	guest_close(&guest);
	probe_watches(probe);
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
	for (unsigned kind = 0; kind < HV_WATCHES; kind++)
		g_free(probe->watch[kind].remedy);
	g_free(probe);
}
