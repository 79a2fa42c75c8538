#include "hv/kvm_smm.h"

#include <sys/ioctl.h>

#include <glib.h>

#include "hv/kvm_private.h"

#define ADDRESS_SPACES 2
#define SMM_SPACE      (1u << 16) /* in a slot's number */

const char *kvm_smm_missing(const struct kvm_vm *vm)
{
	if (ioctl(vm->vm, KVM_CHECK_EXTENSION, KVM_CAP_X86_SMM) <= 0)
		return "KVM_CAP_X86_SMM";
	if (ioctl(vm->vm, KVM_CHECK_EXTENSION, KVM_CAP_MULTI_ADDRESS_SPACE) < ADDRESS_SPACES)
		return "KVM_CAP_MULTI_ADDRESS_SPACE";
	return NULL;
}

#define CPUID_EXTENDED 0x80000001u
#define CPUID_EDX_LM   (1u << 29)

uint32_t kvm_smm_map(const struct kvm *kvm)
{
	const struct hv_config *config = &kvm->config;
	for (unsigned n = 0; n < config->cpuids; n++)
		if (config->cpuid[n].leaf == CPUID_EXTENDED && (config->cpuid[n].edx & CPUID_EDX_LM))
			return CTX_SMM_MAP_KVM64;
	return CTX_SMM_MAP_KVM32;
}

/* --- memory --------------------------------------------------------------------------- */

static int set_slot(void *owner, const struct kvm_userspace_memory_region *region)
{
	const struct kvm *kvm = owner;
	struct kvm_userspace_memory_region other = *region;
	other.slot |= SMM_SPACE;
	return kvm_vm_ioctl(kvm->vm.vm, KVM_SET_USER_MEMORY_REGION, &other);
}

void kvm_smm_open(struct kvm *kvm, unsigned slots)
{
	if (kvm->config.alone && !kvm_smm_missing(&kvm->vm))
		kvm->smm.mem = kvm_mem_new(kvm->config.mem, slots, set_slot, kvm);
}

void kvm_smm_close(struct kvm *kvm)
{
	kvm_mem_free(kvm->smm.mem);
}

static void show(const struct kvm *kvm, bool active)
{
	if (kvm->config.set_smm)
		kvm->config.set_smm(kvm->config.owner, active);
}

static bool is_current(const struct kvm *kvm)
{
	return kvm_mem_is_current(kvm->mem) && kvm_mem_is_current(kvm->smm.mem);
}

/* What SMIACT# does to the map is in the slots already. */
static void keep(struct kvm *kvm)
{
	kvm_mem_keep(kvm->mem);
	kvm_mem_keep(kvm->smm.mem);
}

int kvm_smm_update_memory(struct kvm *kvm)
{
	if (!kvm->smm.used)
		return kvm_mem_update(kvm->mem);
	if (is_current(kvm))
		return 0;
	show(kvm, false);
	int result = kvm_mem_update(kvm->mem);
	show(kvm, true);
	if (!result)
		result = kvm_mem_update(kvm->smm.mem);
	show(kvm, kvm->smm.active);
	if (!result)
		keep(kvm);
	return result;
}

static void set_active(struct kvm *kvm, bool active)
{
	bool current = is_current(kvm);
	show(kvm, active);
	kvm->smm.active = active;
	if (current)
		keep(kvm);
}

/* --- SMBASE ----------------------------------------------------------------------------- */

#define MSR_SMBASE 0x9eu /* as KVM shows it to us; the guest has none */

static int set_smbase(struct kvm *kvm)
{
	struct kvm_smm *smm = &kvm->smm;
	if (smm->smbase_known && smm->smbase == kvm->ctx->smbase)
		return 0;
	smm->smbase = kvm->ctx->smbase;
	int result = kvm_state_move_msr(kvm, KVM_SET_MSRS, MSR_SMBASE, &smm->smbase);
	smm->smbase_known = !result;
	return result;
}

/* --- in and out -------------------------------------------------------------------------- */

int kvm_smm_load(struct kvm *kvm)
{
	struct kvm_smm *smm = &kvm->smm;
	const struct ctx *ctx = kvm->ctx;
	struct kvm_vcpu_events *events = &kvm->run->s.regs.events;
	if (!smm->mem)
		return 0;
	events->flags |= KVM_VCPUEVENT_VALID_SMM;
	events->smi.smm = ctx->smm != 0;
	events->smi.smm_inside_nmi = ctx->smm_nmi_masked != 0;
	smm->active = ctx->smm;
	smm->used |= smm->active;
	smm->init_waits = kvm_pin_is_set(&kvm->config.pins->init);
	return set_smbase(kvm);
}

/* An SMI that KVM did not come to take goes back to its pin. */
int kvm_smm_store(struct kvm *kvm)
{
	struct kvm_smm *smm = &kvm->smm;
	const struct kvm_vcpu_events *events = &kvm->run->s.regs.events;
	struct ctx *ctx = kvm->ctx;
	if (!smm->mem)
		return 0;
	ctx->smm = events->smi.smm != 0;
	ctx->smm_map = ctx->smm ? kvm_smm_map(kvm) : CTX_SMM_MAP_EMULATOR;
	ctx->smm_nmi_masked = ctx->smm && events->smi.smm_inside_nmi;
	if (events->smi.pending)
		__atomic_store_n(&kvm->config.pins->smi, true, __ATOMIC_RELEASE);
	/* Only RSM moves it. */
	if (!smm->used)
		return 0;
	int result = kvm_state_move_msr(kvm, KVM_GET_MSRS, MSR_SMBASE, &smm->smbase);
	ctx->smbase = (uint32_t)smm->smbase;
	return result;
}

/* --- SMI ------------------------------------------------------------------------------------ */

int kvm_smm_raise(struct kvm *kvm)
{
	struct cpu_pins *pins = kvm->config.pins;
	struct kvm_smm *smm = &kvm->smm;
	if (!smm->mem || !kvm_pin_is_set(&pins->smi))
		return 0;
	__atomic_store_n(&pins->smi, false, __ATOMIC_RELEASE);
	smm->used = true;
	/* Until the next exit tells what has become of it, nothing else is injected. */
	kvm->run->s.regs.events.smi.pending = 1;
	kvm->stats.smis++;
	return kvm_vm_ioctl(kvm->vm.vcpu, KVM_SMI, NULL);
}

static bool is_pending(const struct kvm *kvm)
{
	return kvm->run->s.regs.events.smi.pending;
}

bool kvm_smm_comes_first(const struct kvm *kvm)
{
	return kvm->smm.mem && (kvm->ctx->smm || kvm_pin_is_set(&kvm->config.pins->smi));
}

bool kvm_smm_holds_init(struct kvm *kvm)
{
	struct kvm_smm *smm = &kvm->smm;
	bool holds = smm->mem && (smm->active || is_pending(kvm) || kvm_pin_is_set(&kvm->config.pins->smi));
	smm->init_waits |= holds;
	return holds;
}

void kvm_smm_look(struct kvm *kvm)
{
	struct kvm_smm *smm = &kvm->smm;
	bool active = kvm->run->flags & KVM_RUN_X86_SMM;
	if (!smm->used)
		return;
	if (active != smm->active)
		set_active(kvm, active);
	if (smm->init_waits && !active && !is_pending(kvm)) {
		smm->init_waits = false;
		cpu_pins_attend(kvm->config.pins);
	}
}
