#include "hv/kvm_vm.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <glib.h>

#define API_VERSION 12
#define SYNC_FIELDS (KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS | KVM_SYNC_X86_EVENTS)

/* For CPUs that cannot run real mode (SDM vol. 3, 26.3.1.1); below the BIOS, where
 * the board has nothing. */
#define IDENTITY_MAP 0xfffbc000u
#define TSS_ADDRESS  0xfffbd000u

int kvm_vm_count_ioctl(int fd, unsigned long request, void *argument)
{
	int result;
	do
		result = ioctl(fd, request, argument);
	while (result < 0 && errno == EINTR);
	return result < 0 ? -errno : result;
}

int kvm_vm_ioctl(int fd, unsigned long request, void *argument)
{
	return MIN(kvm_vm_count_ioctl(fd, request, argument), 0);
}

bool kvm_vm_has_module(const char *name)
{
	g_autofree char *path = g_build_filename("/sys/module", name, NULL);
	return !access(path, F_OK);
}

int kvm_vm_parameter(const char *module, const char *name)
{
	g_autofree char *path = g_strdup_printf("/sys/module/%s/parameters/%s", module, name);
	g_autofree char *text = NULL;
	if (!g_file_get_contents(path, &text, NULL, NULL))
		return -1;
	return *text == 'Y' || *text == '1';
}

bool kvm_vm_shadows(void)
{
	return kvm_vm_parameter("kvm_intel", "ept") != 1 && kvm_vm_parameter("kvm_amd", "npt") != 1;
}

#define CPUID_HYPERVISOR      0x40000000u
#define CPUID1_ECX_HYPERVISOR 0x80000000u

bool kvm_vm_is_tcg_svm(void)
{
	uint32_t eax, name[3], ecx, ignored[2];
	__cpuid(1, eax, ignored[0], ecx, ignored[1]);
	if (!(ecx & CPUID1_ECX_HYPERVISOR) || !kvm_vm_has_module("kvm_amd"))
		return false;
	__cpuid(CPUID_HYPERVISOR, eax, name[0], name[1], name[2]);
	return !memcmp(name, "TCGTCGTCGTCG", sizeof name);
}

/* --- /dev/kvm ------------------------------------------------------------------- */

static int fail_open(int error, char **message)
{
	const char *remedy = "see v2e probe";
	if (error == ENOENT || error == ENXIO || error == ENODEV)
		remedy = "load the module kvm_intel or kvm_amd, and switch virtualization on in the firmware";
	else if (error == EACCES || error == EPERM)
		remedy = "join the group kvm, or give this user access to it";
	*message = g_strdup_printf("/dev/kvm: %s; %s", g_strerror(error), remedy);
	return -error;
}

static int open_device(struct kvm_vm *vm, char **error)
{
	vm->device = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->device < 0)
		return fail_open(errno, error);
	int version = ioctl(vm->device, KVM_GET_API_VERSION, 0);
	if (version == API_VERSION)
		return 0;
	*error = g_strdup_printf("/dev/kvm speaks version %d of its interface, not %d; take another kernel", version, API_VERSION);
	return -ENOTSUP;
}

/* --- capabilities ----------------------------------------------------------------- */

static const struct capability {
	const char *name;
	int number;
	int bits; /* that must be in the answer */
} capabilities[] = {
	{ "KVM_CAP_USER_MEMORY", KVM_CAP_USER_MEMORY, 1 },
	{ "KVM_CAP_SET_TSS_ADDR", KVM_CAP_SET_TSS_ADDR, 1 },
	{ "KVM_CAP_EXT_CPUID", KVM_CAP_EXT_CPUID, 1 },
	{ "KVM_CAP_VCPU_EVENTS", KVM_CAP_VCPU_EVENTS, 1 },
	{ "KVM_CAP_DEBUGREGS", KVM_CAP_DEBUGREGS, 1 },
	{ "KVM_CAP_XSAVE", KVM_CAP_XSAVE, 1 },
	{ "KVM_CAP_READONLY_MEM", KVM_CAP_READONLY_MEM, 1 },
	{ "KVM_CAP_IMMEDIATE_EXIT", KVM_CAP_IMMEDIATE_EXIT, 1 },
	{ "KVM_CAP_SYNC_REGS with registers, segments and events", KVM_CAP_SYNC_REGS, SYNC_FIELDS },
};

static int check_capabilities(const struct kvm_vm *vm, char **error)
{
	for (size_t i = 0; i < G_N_ELEMENTS(capabilities); i++) {
		const struct capability *capability = &capabilities[i];
		int has = ioctl(vm->vm, KVM_CHECK_EXTENSION, capability->number);
		/* Some answer with a number of things, not with a mask. */
		if (capability->bits == 1 ? has > 0 : has > 0 && (has & capability->bits) == capability->bits)
			continue;
		*error = g_strdup_printf("this kernel's KVM lacks %s; take a newer kernel (4.18 or later)", capability->name);
		return -ENOTSUP;
	}
	return 0;
}

/* --- VM and vCPU -------------------------------------------------------------------- */

static int fail_call(const char *name, int error, char **message)
{
	*message = g_strdup_printf("/dev/kvm: %s: %s; %s", name, g_strerror(-error),
	                           error == -EBUSY ? "stop the other hypervisor on this host" : "see the kernel's log");
	return error;
}

static int create_vm(struct kvm_vm *vm, char **error)
{
	do
		vm->vm = ioctl(vm->device, KVM_CREATE_VM, 0);
	while (vm->vm < 0 && errno == EINTR);
	return vm->vm < 0 ? fail_call("KVM_CREATE_VM", -errno, error) : 0;
}

static int place_tables(struct kvm_vm *vm, char **error)
{
	uint64_t identity = IDENTITY_MAP;
	int result = kvm_vm_ioctl(vm->vm, KVM_SET_IDENTITY_MAP_ADDR, &identity);
	if (result)
		return fail_call("KVM_SET_IDENTITY_MAP_ADDR", result, error);
	if (ioctl(vm->vm, KVM_SET_TSS_ADDR, (unsigned long)TSS_ADDRESS) < 0)
		return fail_call("KVM_SET_TSS_ADDR", -errno, error);
	return 0;
}

static int create_vcpu(struct kvm_vm *vm, char **error)
{
	vm->vcpu = ioctl(vm->vm, KVM_CREATE_VCPU, 0);
	if (vm->vcpu < 0)
		return fail_call("KVM_CREATE_VCPU", -errno, error);
	int size = ioctl(vm->device, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (size < (int)sizeof *vm->run)
		return fail_call("KVM_GET_VCPU_MMAP_SIZE", size < 0 ? -errno : -EINVAL, error);
	vm->run_size = (size_t)size;
	void *page = mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vm->vcpu, 0);
	if (page == MAP_FAILED)
		return fail_call("mmap", -errno, error);
	vm->run = page;
	vm->run->kvm_valid_regs = SYNC_FIELDS;
	return 0;
}

int kvm_vm_open(struct kvm_vm *vm, char **error)
{
	*vm = (struct kvm_vm){ .device = -1, .vm = -1, .vcpu = -1 };
	int result = open_device(vm, error);
	if (!result)
		result = create_vm(vm, error);
	if (!result)
		result = check_capabilities(vm, error);
	if (!result)
		result = place_tables(vm, error);
	if (!result)
		result = create_vcpu(vm, error);
	if (result)
		kvm_vm_close(vm);
	return result;
}

void kvm_vm_close(struct kvm_vm *vm)
{
	if (vm->run)
		munmap(vm->run, vm->run_size);
	vm->run = NULL;
	int *fds[] = { &vm->vcpu, &vm->vm, &vm->device };
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}
