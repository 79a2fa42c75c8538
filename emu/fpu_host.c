#define _GNU_SOURCE
#include "emu/fpu_host.h"

#include <glib.h>

#include "emu/fpu.h"

#ifdef V2E_NATIVE

#include <cpuid.h>
#include <sys/mman.h>
#include <unistd.h>

#define SLOTS     4096u
#define SLOT_SIZE 16u
#define CODE_SIZE (SLOTS * SLOT_SIZE)

/* Two views of one file, so that no page is writable and executable. */
static bool map_twice(struct fpu_host *fpu)
{
	int fd = memfd_create("v2e-fpu", MFD_CLOEXEC);
	if (fd < 0)
		return false;
	uint8_t *write = MAP_FAILED, *code = MAP_FAILED;
	if (!ftruncate(fd, CODE_SIZE)) {
		write = mmap(NULL, CODE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		code = mmap(NULL, CODE_SIZE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	}
	close(fd);
	if (write != MAP_FAILED && code != MAP_FAILED) {
		fpu->write = write;
		fpu->code = code;
		return true;
	}
	if (write != MAP_FAILED)
		munmap(write, CODE_SIZE);
	if (code != MAP_FAILED)
		munmap(code, CODE_SIZE);
	return false;
}

/* One view that is one or the other. */
static bool map_once(struct fpu_host *fpu)
{
	uint8_t *code = mmap(NULL, CODE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (code == MAP_FAILED)
		return false;
	if (mprotect(code, CODE_SIZE, PROT_READ | PROT_EXEC)) {
		munmap(code, CODE_SIZE);
		return false;
	}
	fpu->write = fpu->code = code;
	return true;
}

struct fpu_host *fpu_host_new(void)
{
	struct fpu_host *fpu = g_new0(struct fpu_host, 1);
	if (!map_twice(fpu) && !map_once(fpu)) {
		g_free(fpu);
		return NULL;
	}
	fpu->keys = g_new0(uint64_t, SLOTS);
	return fpu;
}

void fpu_host_free(struct fpu_host *fpu)
{
	if (!fpu)
		return;
	munmap(fpu->code, CODE_SIZE);
	if (fpu->write != fpu->code)
		munmap(fpu->write, CODE_SIZE);
	g_free(fpu->keys);
	g_free(fpu);
}

/* Code that was written through another address is fetched only behind a
 * serializing instruction (SDM vol. 3, 8.1.3). */
static void serialize(void)
{
	unsigned eax, ebx, ecx, edx;
	__cpuid(0, eax, ebx, ecx, edx);
	__asm__ volatile("" : : "r"(eax), "r"(ebx), "r"(ecx), "r"(edx) : "memory");
}

static unsigned assemble(uint64_t code, uint8_t bytes[SLOT_SIZE])
{
	unsigned length = code >> FPU_CODE_LENGTH_SHIFT & 7, at = 0;
	bool eflags = code & FPU_CODE_EFLAGS;
	if (eflags) {
		bytes[at++] = 0x50; /* push rax */
		bytes[at++] = 0x9d; /* popf */
	}
	for (unsigned i = 0; i < length; i++)
		bytes[at++] = (uint8_t)(code >> 8 * i);
	if (eflags) {
		bytes[at++] = 0x9c; /* pushf */
		bytes[at++] = 0x58; /* pop rax */
	}
	bytes[at++] = 0xc3; /* ret */
	return at;
}

static bool make_stub(struct fpu_host *fpu, unsigned slot, uint64_t code)
{
	uint8_t bytes[SLOT_SIZE];
	unsigned length = assemble(code, bytes);
	bool toggle = fpu->write == fpu->code;
	fpu->keys[slot] = 0;
	if (toggle && mprotect(fpu->code, CODE_SIZE, PROT_READ | PROT_WRITE))
		return false;
	memcpy(fpu->write + slot * SLOT_SIZE, bytes, length);
	if (toggle && mprotect(fpu->code, CODE_SIZE, PROT_READ | PROT_EXEC))
		return false;
	serialize();
	fpu->keys[slot] = code;
	return true;
}

static unsigned slot_of(uint64_t code)
{
	return (unsigned)(code * 0x9e3779b97f4a7c15ull >> 52) & (SLOTS - 1);
}

/* The host's control words come back; its x87 stack is empty here anyway, as the
 * ABI has it at a call. The call must not write to the red zone. */
static void run(struct fpu_frame *frame, const uint8_t *stub)
{
	__asm__ volatile(
		"lea -128(%%rsp), %%rsp\n\t"
		"fnstcw %c[fcw](%%rbx)\n\t"
		"stmxcsr %c[mxcsr](%%rbx)\n\t"
		"fxrstor64 (%%rbx)\n\t"
		"movl %c[eax](%%rbx), %%eax\n\t"
		"call *%%rdx\n\t"
		"movl %%eax, %c[eax](%%rbx)\n\t"
		"fxsave64 (%%rbx)\n\t"
		"fninit\n\t"
		"fldcw %c[fcw](%%rbx)\n\t"
		"ldmxcsr %c[mxcsr](%%rbx)\n\t"
		"lea 128(%%rsp), %%rsp"
		:
		: "b"(frame), "S"(frame->operand), "d"(stub),
		  [fcw] "i"(offsetof(struct fpu_frame, host_fcw)),
		  [mxcsr] "i"(offsetof(struct fpu_frame, host_mxcsr)),
		  [eax] "i"(offsetof(struct fpu_frame, eax))
		: "rax", "cc", "memory", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)",
		  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
		  "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

bool fpu_host_run(struct fpu_host *fpu, uint64_t code)
{
	unsigned slot = slot_of(code);
	if (unlikely(fpu->keys[slot] != code) && !make_stub(fpu, slot, code))
		return false;
	run(&fpu->frame, fpu->code + slot * SLOT_SIZE);
	return true;
}

#else

/* No unit here, see FPU_PRESENT. */
struct fpu_host *fpu_host_new(void)
{
	return g_new0(struct fpu_host, 1);
}

void fpu_host_free(struct fpu_host *fpu)
{
	g_free(fpu);
}

bool fpu_host_run(struct fpu_host *fpu, uint64_t code)
{
	(void)fpu;
	(void)code;
	return false;
}

#endif
