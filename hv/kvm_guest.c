/* Tiny guests. */
#include "hv/kvm_guest.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <glib.h>

#define AT_TSS      0x4000u /* 104 bytes, then an I/O bitmap that allows all */
#define AT_GDT      0x7000u
#define AT_STACK    0x9ff0u
#define AT_PML4     0x10000u
#define AT_PDPT     0x11000u
#define AT_PD64     0x12000u
#define AT_PD32     0x13000u
#define TSS_SIZE    104u
#define TSS_IO_BASE 0x66u

/* --- memory and processor --------------------------------------------------------------- */

static void put(struct kvm_guest *guest, uint32_t address, uint64_t value, size_t size)
{
	memcpy(guest->memory + address, &value, size);
}

static void fill_memory(struct kvm_guest *guest)
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

static int give_memory(struct kvm_guest *guest)
{
	void *memory = mmap(NULL, KVM_GUEST_MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return -errno;
	guest->memory = memory;
	fill_memory(guest);
	struct kvm_userspace_memory_region region = { .memory_size = KVM_GUEST_MEMORY, .userspace_addr = (uintptr_t)memory };
	return kvm_vm_ioctl(guest->vm.vm, KVM_SET_USER_MEMORY_REGION, &region);
}

#define SUPPORTED_LEAVES 256u

/* All that KVM offers: long mode is to be tried as well. */
static int give_cpuid(struct kvm_guest *guest)
{
	struct kvm_cpuid2 *list = g_malloc0(sizeof *list + SUPPORTED_LEAVES * sizeof *list->entries);
	list->nent = SUPPORTED_LEAVES;
	int result = kvm_vm_ioctl(guest->vm.device, KVM_GET_SUPPORTED_CPUID, list);
	if (!result)
		result = kvm_vm_ioctl(guest->vm.vcpu, KVM_SET_CPUID2, list);
	g_free(list);
	return result;
}

void kvm_guest_close(struct kvm_guest *guest)
{
	kvm_vm_close(&guest->vm);
	if (guest->memory)
		munmap(guest->memory, KVM_GUEST_MEMORY);
	guest->memory = NULL;
}

int kvm_guest_open(struct kvm_guest *guest, char **error)
{
	*guest = (struct kvm_guest){ .tr_not_busy = kvm_vm_is_tcg_svm() };
	int result = kvm_vm_open(&guest->vm, error);
	if (result)
		return result;
	result = give_memory(guest);
	if (!result)
		result = give_cpuid(guest);
	if (!result)
		return 0;
	*error = g_strdup_printf("/dev/kvm takes no guest: %s; see the kernel's log", g_strerror(-result));
	kvm_guest_close(guest);
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

int kvm_guest_set_mode(struct kvm_guest *guest, enum hv_mode mode, uint64_t rcx)
{
	const struct flavour *flavour = &flavours[mode];
	struct kvm_regs regs = { .rip = KVM_GUEST_CODE, .rsp = AT_STACK, .rflags = flavour->rflags, .rcx = rcx };
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

void kvm_guest_set_code(struct kvm_guest *guest, const uint8_t *code, size_t size)
{
	memcpy(guest->memory + KVM_GUEST_CODE, code, size);
}

int kvm_guest_run(struct kvm_guest *guest)
{
	return ioctl(guest->vm.vcpu, KVM_RUN, 0) ? -errno : 0;
}

bool kvm_guest_run_to_port(struct kvm_guest *guest)
{
	const struct kvm_run *run = guest->vm.run;
	int result;
	do
		result = kvm_guest_run(guest);
	while (result == -EINTR);
	return !result && run->exit_reason == KVM_EXIT_IO && run->io.port == KVM_GUEST_PORT;
}
