/* State that is not in struct kvm_run and crosses only where it changed: CPUID,
 * MSRs, time stamp counter, FPU, debug registers.
 *
 * Writes of MSRs exit, where KVM can do that, so what KVM holds is known without
 * asking; but SWAPGS writes one as well.
 *
 * The guest's TSC: under KVM it runs on at the host's rate all the time, in the
 * emulator at 1 GHz. Leaving KVM moves the emulator's offset forward to where the
 * vCPU's counter stands. Entering then needs nothing where the host's rate is above
 * 1 GHz, as its counter has gained on the emulator's; else it is set. So the guest
 * never sees it go back, and a hand-over costs no ioctl for it. */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <x86intrin.h>

#include <glib.h>

#include "hv/kvm_private.h"
#include "shared/log.h"

enum {
	MSR_TSC = 0x10, MSR_SYSENTER_CS = 0x174, MSR_SYSENTER_ESP = 0x175, MSR_SYSENTER_EIP = 0x176,
	MSR_MISC_ENABLE = 0x1a0, MSR_MTRR_VARIABLE = 0x200, MSR_MTRR_FIX64K = 0x250,
	MSR_MTRR_FIX16K = 0x258, MSR_MTRR_FIX4K = 0x268, MSR_PAT = 0x277, MSR_MTRR_DEF_TYPE = 0x2ff,
	MSR_STAR = 0xc0000081, MSR_LSTAR, MSR_CSTAR, MSR_SFMASK, MSR_KERNEL_GS_BASE = 0xc0000102,
};

/* --- MSRs ------------------------------------------------------------------------------- */

#define MSR(number, field) { number, 1, offsetof(struct ctx, field) }
static const struct msr_group {
	uint32_t first;
	unsigned count;
	size_t offset; /* in the page, 8 bytes each */
} groups[] = {
	MSR(MSR_SYSENTER_CS, sysenter_cs), MSR(MSR_SYSENTER_ESP, sysenter_esp), MSR(MSR_SYSENTER_EIP, sysenter_eip),
	MSR(MSR_MISC_ENABLE, misc_enable), MSR(MSR_PAT, pat), MSR(MSR_MTRR_DEF_TYPE, mtrr_def_type),
	MSR(MSR_MTRR_FIX64K, mtrr_fixed[0]),
	{ MSR_MTRR_FIX16K, 2, offsetof(struct ctx, mtrr_fixed[1]) },
	{ MSR_MTRR_FIX4K, 8, offsetof(struct ctx, mtrr_fixed[3]) },
	{ MSR_MTRR_VARIABLE, 16, offsetof(struct ctx, mtrr_variable) },
	MSR(MSR_STAR, star), MSR(MSR_LSTAR, lstar), MSR(MSR_CSTAR, cstar), MSR(MSR_SFMASK, sfmask),
	MSR(MSR_KERNEL_GS_BASE, kernel_gs_base),
};

static uint64_t *field_of(struct ctx *ctx, uint32_t msr)
{
	for (size_t i = 0; i < G_N_ELEMENTS(groups); i++)
		if (msr - groups[i].first < groups[i].count)
			return (uint64_t *)(void *)((uint8_t *)ctx + groups[i].offset) + (msr - groups[i].first);
	return NULL;
}

/* Numbers of all that are kept; returns how many. */
static unsigned list_msrs(struct kvm_msr_entry *entries)
{
	unsigned count = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(groups); i++)
		for (unsigned n = 0; n < groups[i].count; n++)
			entries[count++] = (struct kvm_msr_entry){ .index = groups[i].first + n };
	return count;
}

/* struct kvm_msrs with its entries. */
struct msr_list {
	uint32_t count, pad;
	struct kvm_msr_entry entry[KVM_MSRS];
};
_Static_assert(offsetof(struct msr_list, entry) == offsetof(struct kvm_msrs, entries), "struct msr_list");

/* The number that KVM took, or -errno. */
static int move_msrs(struct kvm *kvm, unsigned long request, struct msr_list *list)
{
	kvm->stats.msr_ioctls++;
	return kvm_vm_count_ioctl(kvm->vm.vcpu, request, list);
}

/* What KVM refuses stays as KVM has it: a value that only the guest could give. */
static int set_msrs(struct kvm *kvm, struct msr_list *list)
{
	struct msr_list left = *list;
	while (left.count) {
		int done = move_msrs(kvm, KVM_SET_MSRS, &left);
		if (done < 0)
			return done;
		if ((unsigned)done >= left.count)
			return 0;
		guest_error("kvm", "MSR %x does not take %llx", left.entry[done].index, (unsigned long long)left.entry[done].data);
		left.count -= (unsigned)done + 1;
		memmove(left.entry, left.entry + done + 1, left.count * sizeof *left.entry);
	}
	return 0;
}

static int load_msrs(struct kvm *kvm)
{
	struct msr_list list;
	unsigned at = 0, changed = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(groups); i++) {
		const uint64_t *field = (const uint64_t *)(const void *)((const uint8_t *)kvm->ctx + groups[i].offset);
		for (unsigned n = 0; n < groups[i].count; n++, at++) {
			if (kvm->msr_valid && kvm->msr[at].data == field[n])
				continue;
			kvm->msr[at] = (struct kvm_msr_entry){ .index = groups[i].first + n, .data = field[n] };
			list.entry[changed++] = kvm->msr[at];
		}
	}
	kvm->msr_valid = true;
	list.count = changed;
	return changed ? set_msrs(kvm, &list) : 0;
}

/* KVM has this value now. */
static void hold(struct kvm *kvm, uint32_t index, uint64_t data)
{
	for (unsigned n = 0; n < KVM_MSRS; n++)
		if (kvm->msr[n].index == index)
			kvm->msr[n].data = data;
}

static int store_msrs(struct kvm *kvm)
{
	struct msr_list list = { .count = 1, .entry[0] = { .index = MSR_KERNEL_GS_BASE } };
	if (kvm->msr_exits && !(kvm->ctx->efer & CTX_EFER_LMA))
		return 0;
	if (!kvm->msr_exits)
		list.count = list_msrs(list.entry);
	int done = move_msrs(kvm, KVM_GET_MSRS, &list);
	if (done < 0)
		return done;
	for (int n = 0; n < done; n++) {
		hold(kvm, list.entry[n].index, list.entry[n].data);
		*field_of(kvm->ctx, list.entry[n].index) = list.entry[n].data;
	}
	return 0;
}

int kvm_state_move_msr(struct kvm *kvm, unsigned long request, uint32_t index, uint64_t *value)
{
	struct msr_list list = { .count = 1, .entry[0] = { .index = index, .data = *value } };
	int done = move_msrs(kvm, request, &list);
	*value = list.entry[0].data;
	return done == 1 ? 0 : done < 0 ? done : -EIO;
}

/* --- time stamp counter -------------------------------------------------------------------- */

static int tsc_attribute(struct kvm *kvm, unsigned long request)
{
	struct kvm_device_attr attribute = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)&kvm->tsc_offset,
	};
	return kvm_vm_ioctl(kvm->vm.vcpu, request, &attribute);
}

static int read_tsc(struct kvm *kvm, uint64_t *tsc)
{
	*tsc = __rdtsc() + kvm->tsc_offset;
	return kvm->tsc_offset_known ? 0 : kvm_state_move_msr(kvm, KVM_GET_MSRS, MSR_TSC, tsc);
}

static int set_tsc(struct kvm *kvm, uint64_t tsc)
{
	if (!kvm->tsc_offset_known)
		return kvm_state_move_msr(kvm, KVM_SET_MSRS, MSR_TSC, &tsc);
	kvm->stats.msr_ioctls++;
	kvm->tsc_offset = tsc - __rdtsc();
	return tsc_attribute(kvm, KVM_SET_DEVICE_ATTR);
}

static int load_tsc(struct kvm *kvm)
{
	uint64_t now, emulated = clock_now(kvm->config.clock) + kvm->ctx->tsc_offset;
	int result = read_tsc(kvm, &now);
	if (result || (int64_t)(now - emulated) >= 0)
		return result;
	return set_tsc(kvm, emulated);
}

static int store_tsc(struct kvm *kvm)
{
	uint64_t tsc;
	int result = read_tsc(kvm, &tsc);
	uint64_t offset = tsc - clock_now(kvm->config.clock);
	if (!result && (int64_t)(offset - kvm->ctx->tsc_offset) > 0)
		kvm->ctx->tsc_offset = offset;
	return result;
}

void kvm_state_wrmsr(struct kvm *kvm)
{
	struct kvm_run *run = kvm->run;
	uint32_t index = run->msr.index;
	uint64_t *field = field_of(kvm->ctx, index);
	struct msr_list list = { .count = 1, .entry[0] = { .index = index, .data = run->msr.data } };
	run->msr.error = 0;
	if (index == MSR_TSC) {
		/* The guest itself may set it back. */
		run->msr.error = set_tsc(kvm, run->msr.data) != 0;
		kvm->ctx->tsc_offset = run->msr.data - clock_now(kvm->config.clock);
		return;
	}
	run->msr.error = !field || move_msrs(kvm, KVM_SET_MSRS, &list) != 1;
	if (run->msr.error)
		return;
	*field = run->msr.data;
	hold(kvm, index, run->msr.data);
}

/* --- FPU --------------------------------------------------------------------------------------- */

#define XSAVE_HEADER  (CTX_FXSAVE_SIZE / sizeof(uint32_t))
#define XSAVE_FP_SSE  3u
#define FXSAVE_MXCSR  6u /* in 32-bit words */
/* Bytes from 416 on belong to software and never come back. */
#define FXSAVE_USED   416u

static int load_fpu(struct kvm *kvm)
{
	uint32_t *region = kvm->xsave->region;
	if (!kvm->ctx->fpu_present)
		return 0;
	if (kvm->xsave_valid && !memcmp(region, kvm->ctx->fxsave, FXSAVE_USED))
		return 0;
	memset(kvm->xsave, 0, sizeof *kvm->xsave);
	memcpy(region, kvm->ctx->fxsave, FXSAVE_USED);
	region[FXSAVE_MXCSR] &= 0xffff;
	region[XSAVE_HEADER] = XSAVE_FP_SSE;
	kvm->stats.fpu_ioctls++;
	int result = kvm_vm_ioctl(kvm->vm.vcpu, KVM_SET_XSAVE, kvm->xsave);
	kvm->xsave_valid = !result;
	return result;
}

/* The guest may have used it. It stays where it is until somebody asks. */
static void keep_fpu(struct kvm *kvm)
{
	kvm->xsave_valid = false;
	kvm->ctx->fpu_present = 0;
}

static void fetch_fpu(struct kvm *kvm, struct ctx *ctx)
{
	kvm->stats.fpu_ioctls++;
	int result = kvm_vm_ioctl(kvm->vm.vcpu, KVM_GET_XSAVE, kvm->xsave);
	kvm->xsave_valid = !result;
	if (result)
		kvm_run_fail_call(kvm, "KVM_GET_XSAVE", result);
	else
		memcpy(ctx->fxsave, kvm->xsave->region, FXSAVE_USED);
}

/* --- debug registers ------------------------------------------------------------------------------ */

static struct kvm_debugregs debugregs_of(const struct ctx *ctx)
{
	return (struct kvm_debugregs){
		.db = { ctx->dr0, ctx->dr1, ctx->dr2, ctx->dr3 }, .dr6 = (uint32_t)ctx->dr6, .dr7 = (uint32_t)ctx->dr7,
	};
}

/* KVM has the page's, but for what it may have added to DR6. */
static bool holds_debugregs(const struct kvm *kvm)
{
	struct kvm_debugregs wanted = debugregs_of(kvm->ctx);
	return kvm->debugregs_valid && !memcmp(&wanted, &kvm->debugregs, sizeof wanted);
}

static int set_debugregs(struct kvm *kvm)
{
	if (holds_debugregs(kvm))
		return 0;
	kvm->stats.debug_ioctls++;
	kvm->debugregs = debugregs_of(kvm->ctx);
	int result = kvm_vm_ioctl(kvm->vm.vcpu, KVM_SET_DEBUGREGS, &kvm->debugregs);
	kvm->debugregs_valid = !result;
	return result;
}

static int get_debugregs(struct kvm *kvm)
{
	kvm->stats.debug_ioctls++;
	int result = kvm_vm_ioctl(kvm->vm.vcpu, KVM_GET_DEBUGREGS, &kvm->debugregs);
	kvm->debugregs_valid = !result;
	return result;
}

static void fetch_dr6(struct kvm *kvm, struct ctx *ctx)
{
	int result = get_debugregs(kvm);
	if (result)
		kvm_run_fail_call(kvm, "KVM_GET_DEBUGREGS", result);
	else
		ctx->dr6 |= kvm->debugregs.dr6;
}

#define DR7_ENABLES 0x01ffu /* four breakpoints, LE: a task switch clears some of them */
#define DR7_GD      0x2000u

/* While nothing is enabled the registers have no effect, so the guest need not have
 * them: with DR7.GD set by KVM_SET_GUEST_DEBUG each MOV DR exits, and what the page has
 * stays true without a look at what KVM holds. Only DR6 may change, where KVM completes
 * an instruction that is being stepped. */
static bool can_guard(const struct kvm *kvm)
{
	const struct ctx *ctx = kvm->ctx;
	return kvm->guardable && !(ctx->efer & CTX_EFER_LMA) && !(ctx->dr7 & (DR7_ENABLES | DR7_GD));
}

/* With DR6 still kept the last request was a guarded one, and KVM has nothing enabled; or
 * a witnessed one. kvm_watch_arm() makes the guard so. */
static int load_debugregs(struct kvm *kvm)
{
	kvm->guarded = can_guard(kvm);
	kvm->witnessed = kvm->witness && !(kvm->ctx->dr7 & (DR7_ENABLES | DR7_GD));
	if (kvm->watch)
		kvm_watch_guard(kvm->watch, kvm->guarded);
	if (kvm->witnessed)
		kvm_witness_begin(kvm->witness, atomic_load(&kvm->thread));
	if (kvm->ctx->dr6_kept && (kvm->guarded || (kvm->witnessed && holds_debugregs(kvm))))
		return 0;
	cpu_pins_fetch_dr6(kvm->config.pins, kvm->ctx);
	return kvm->broken ? -EIO : set_debugregs(kvm);
}

static int unguard(struct kvm *kvm)
{
	kvm->guarded = false;
	kvm_watch_guard(kvm->watch, false);
	fetch_dr6(kvm, kvm->ctx);
	int result = kvm->broken ? -EIO : kvm_watch_arm(kvm->watch);
	return result ? result : set_debugregs(kvm);
}

#define DR6_BS 0x4000u
#define DR6_BT 0x8000u
#define VECTOR_DB 1u

/* Only in long mode, where nobody else could see to it: the guest gets what was held
 * back from it. */
static enum stop_reason give_trap_back(struct kvm *kvm, uint32_t trap)
{
	kvm->ctx->dr6 |= trap;
	int result = unguard(kvm);
	if (result)
		return kvm_run_fail_call(kvm, "KVM_SET_DEBUGREGS", result);
	if (trap) {
		struct kvm_vcpu_events *events = &kvm->run->s.regs.events;
		events->exception.injected = 1;
		events->exception.nr = VECTOR_DB;
		events->exception.has_error_code = 0;
		events->flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW;
		kvm->run->kvm_dirty_regs |= KVM_SYNC_X86_EVENTS;
	}
	return STOP_NONE;
}

enum stop_reason kvm_state_trapped(struct kvm *kvm)
{
	uint32_t trap = (uint32_t)kvm->run->debug.arch.dr6 & (DR6_BS | DR6_BT);
	if (kvm->run->s.regs.sregs.efer & CTX_EFER_LMA)
		return give_trap_back(kvm, trap);
	kvm->trap = trap;
	kvm->stats.traps++;
	return kvm_run_leave(kvm, HV_DETAIL_TRAP);
}

static int store_debugregs(struct kvm *kvm)
{
	struct ctx *ctx = kvm->ctx;
	const struct kvm_debugregs *held = &kvm->debugregs;
	ctx->dr6_kept = kvm->guarded || (kvm->witnessed && !kvm_witness_saw(kvm->witness));
	kvm->debugregs_valid &= !kvm->guarded;
	int result = ctx->dr6_kept ? 0 : get_debugregs(kvm);
	if (ctx->dr6_kept || result)
		return result;
	ctx->dr0 = held->db[0], ctx->dr1 = held->db[1], ctx->dr2 = held->db[2], ctx->dr3 = held->db[3];
	ctx->dr6 = held->dr6;
	ctx->dr7 = held->dr7;
	return 0;
}

/* --- what stays until it is asked for ------------------------------------------------------------------ */

void kvm_state_fetch(void *owner, struct ctx *ctx, enum ctx_part part)
{
	if (part == CTX_PART_FPU)
		fetch_fpu(owner, ctx);
	else
		fetch_dr6(owner, ctx);
}

/* --- the whole of it -------------------------------------------------------------------------------- */

int kvm_state_load(struct kvm *kvm)
{
	int result = load_msrs(kvm);
	if (!result)
		result = load_fpu(kvm);
	if (!result)
		result = load_debugregs(kvm);
	return result ? result : load_tsc(kvm);
}

int kvm_state_store(struct kvm *kvm)
{
	int result = store_msrs(kvm);
	keep_fpu(kvm);
	if (!result)
		result = store_debugregs(kvm);
	return result ? result : store_tsc(kvm);
}

static int set_cpuid(struct kvm *kvm)
{
	unsigned count = kvm->config.cpuids;
	g_autofree struct kvm_cpuid2 *list = g_malloc0(sizeof *list + count * sizeof *list->entries);
	list->nent = count;
	for (unsigned n = 0; n < count; n++) {
		const struct cpuid_leaf *cpuid = &kvm->config.cpuid[n];
		list->entries[n] = (struct kvm_cpuid_entry2){
			.function = cpuid->leaf, .eax = cpuid->eax, .ebx = cpuid->ebx, .ecx = cpuid->ecx, .edx = cpuid->edx,
		};
	}
	return kvm_vm_ioctl(kvm->vm.vcpu, KVM_SET_CPUID2, list);
}

#define CPUID_ENTRIES 256u
#define FEATURE_APIC  0x200u

bool hv_features(const struct engine *engine, uint32_t *ecx, uint32_t *edx)
{
	const struct kvm *kvm = (const struct kvm *)engine;
	g_autofree struct kvm_cpuid2 *list = g_malloc0(sizeof *list + CPUID_ENTRIES * sizeof *list->entries);
	list->nent = CPUID_ENTRIES;
	if (kvm_vm_ioctl(kvm->vm.vcpu, KVM_GET_CPUID2, list))
		return false;
	for (unsigned n = 0; n < MIN(list->nent, CPUID_ENTRIES); n++) {
		if (list->entries[n].function != 1)
			continue;
		*ecx = list->entries[n].ecx;
		*edx = list->entries[n].edx & ~FEATURE_APIC; /* the guest's apic_base decides; see ctx_reset() */
		return true;
	}
	return false;
}

/* Bits that are 0 in these bitmaps exit. Without the capability store_msrs() asks. */
static void let_writes_exit(struct kvm *kvm)
{
	static uint8_t none[(MSR_MTRR_DEF_TYPE - MSR_MTRR_VARIABLE) / 8 + 1];
	static const struct { uint32_t first, count; } ranges[] = {
		{ MSR_TSC, 1 }, { MSR_SYSENTER_CS, 3 }, { MSR_MISC_ENABLE, 1 },
		{ MSR_MTRR_VARIABLE, MSR_MTRR_DEF_TYPE - MSR_MTRR_VARIABLE + 1 }, { MSR_STAR, 4 },
	};
	struct kvm_enable_cap cap = { .cap = KVM_CAP_X86_USER_SPACE_MSR, .args = { KVM_MSR_EXIT_REASON_FILTER } };
	struct kvm_msr_filter filter = { .flags = KVM_MSR_FILTER_DEFAULT_ALLOW };
	for (size_t i = 0; i < G_N_ELEMENTS(ranges); i++)
		filter.ranges[i] = (struct kvm_msr_filter_range){
			.flags = KVM_MSR_FILTER_WRITE, .base = ranges[i].first, .nmsrs = ranges[i].count, .bitmap = none,
		};
	kvm->msr_exits = !kvm_vm_ioctl(kvm->vm.vm, KVM_ENABLE_CAP, &cap) &&
	                 !kvm_vm_ioctl(kvm->vm.vm, KVM_X86_SET_MSR_FILTER, &filter);
}

int kvm_state_init(struct kvm *kvm, char **error)
{
	int result = set_cpuid(kvm);
	if (result) {
		*error = g_strdup_printf("KVM_SET_CPUID2: %s; KVM cannot be this processor, try another --cpu", g_strerror(-result));
		return result;
	}
	kvm->xsave = g_new0(struct kvm_xsave, 1);
	/* A region of KVM_GET_XSAVE2 would be larger; KVM_GET_XSAVE takes 4 KiB. */
	let_writes_exit(kvm);
	kvm->tsc_offset_known = !tsc_attribute(kvm, KVM_GET_DEVICE_ATTR);
	return 0;
}
