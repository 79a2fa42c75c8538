/* KVM throws all copies away where a memory slot goes or is moved. So there is one for
 * this, of one page, where no guest can see it. */
#include "hv/kvm_shadow.h"

#include <errno.h>
#include <sys/mman.h>

#include <glib.h>

#define PAGE_SIZE 4096u
/* CPUID tells guests of less than that. */
#define SLOT_AT   (UINT64_C(1) << 50)

struct kvm_shadow {
	struct kvm_vm vm;
	bool sees;
	bool used;     /* there may be copies */
	bool distrust; /* another engine ran since */
	uint64_t times;
	struct kvm_userspace_memory_region slot; /* size 0: KVM does not have it yet */
};

struct kvm_shadow *kvm_shadow_new(const struct kvm_vm *vm, unsigned slot, bool sees)
{
	void *page = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return NULL;
	struct kvm_shadow *shadow = g_new0(struct kvm_shadow, 1);
	shadow->vm = *vm;
	shadow->sees = sees;
	shadow->slot = (struct kvm_userspace_memory_region){
		.slot = slot, .guest_phys_addr = SLOT_AT, .userspace_addr = (uintptr_t)page,
	};
	return shadow;
}

/* Behind kvm_vm_close(), as with the memory of the other slots. */
void kvm_shadow_free(struct kvm_shadow *shadow)
{
	if (!shadow)
		return;
	munmap((void *)(uintptr_t)shadow->slot.userspace_addr, PAGE_SIZE);
	g_free(shadow);
}

void kvm_shadow_distrust(struct kvm_shadow *shadow)
{
	if (shadow)
		shadow->distrust = true;
}

static int set_slot(struct kvm_shadow *shadow)
{
	return kvm_vm_ioctl(shadow->vm.vm, KVM_SET_USER_MEMORY_REGION, &shadow->slot);
}

static int throw_away(struct kvm_shadow *shadow)
{
	int result = 0;
	shadow->times++;
	if (!shadow->slot.memory_size) {
		shadow->slot.memory_size = PAGE_SIZE;
		result = set_slot(shadow);
	}
	shadow->slot.guest_phys_addr ^= PAGE_SIZE;
	return result ? result : set_slot(shadow);
}

int kvm_shadow_load(struct kvm_shadow *shadow, bool paging)
{
	if (!shadow)
		return 0;
	int result = shadow->used && shadow->distrust ? throw_away(shadow) : 0;
	if (result)
		return result;
	shadow->used = (shadow->used && !shadow->distrust) || paging || !shadow->sees;
	shadow->distrust = false;
	return 0;
}

void kvm_shadow_look(struct kvm_shadow *shadow, bool paging)
{
	if (shadow)
		shadow->used |= paging;
}

uint64_t kvm_shadow_times(const struct kvm_shadow *shadow)
{
	return shadow ? shadow->times : 0;
}
