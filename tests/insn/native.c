#define _GNU_SOURCE /* the names of registers in ucontext.h */
#include "tests/insn/native.h"

#include <asm/ldt.h>
#include <asm/prctl.h>
#include <cpuid.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include "shared/ctx.h"

/* The way in is a UD2 in 64-bit code: its handler swaps the interrupted state for
 * that of the case, and the handler of the exception that ends the case swaps
 * back. */
#define UC_STRICT_RESTORE_SS 4
#define CS_64 0x33
#define ALT_STACK_SIZE 65536

#define DATA_ACCESS(more) (CTX_SEG_P | CTX_SEG_S | CTX_SEG_DPL | CTX_SEG_ACCESSED | (more))

/* The 16-bit expand-down segment ends at FFFF, where the data ends as well. */
const struct native_segment native_segments[NATIVE_ENTRIES] = {
	[NATIVE_CODE16] = { 0, NATIVE_CODE_SIZE - 1, DATA_ACCESS(CTX_SEG_CODE | CTX_SEG_READABLE) },
	[NATIVE_CODE32] = { 0, NATIVE_CODE_SIZE - 1, DATA_ACCESS(CTX_SEG_CODE | CTX_SEG_READABLE | CTX_SEG_DB) },
	[NATIVE_DATA16] = { 0, NATIVE_DATA_SIZE - 1, DATA_ACCESS(CTX_SEG_WRITABLE) },
	[NATIVE_DATA32] = { 0, NATIVE_DATA_SIZE - 1, DATA_ACCESS(CTX_SEG_WRITABLE | CTX_SEG_DB) },
	[NATIVE_ABSENT] = { 0, NATIVE_DATA_SIZE - 1, DATA_ACCESS(CTX_SEG_WRITABLE | CTX_SEG_DB) & ~CTX_SEG_P },
	[NATIVE_UPPER] = { 0x800, NATIVE_DATA_SIZE - 0x801, DATA_ACCESS(CTX_SEG_WRITABLE | CTX_SEG_DB) },
	[NATIVE_DOWN] = { (int)NATIVE_DATA_SIZE - 0x10000, 0xffff - NATIVE_DATA_SIZE, DATA_ACCESS(CTX_SEG_WRITABLE | CTX_SEG_DOWN) },
	[NATIVE_CONST] = { 0, NATIVE_DATA_SIZE - 1, DATA_ACCESS(CTX_SEG_DB) },
};

static struct {
	uint8_t *code, *data, *code_alias;
	const struct native_state *start;
	struct native_end *end;
	gregset_t own;      /* the program's registers while a case runs */
	uint8_t own_fpu[FPU_STATE_SIZE];
	uint16_t sreg[6];   /* what ES, DS, FS and GS hold when a handler returns */
	uint16_t own_ds, own_es;
	unsigned long own_fs_base;
	unsigned ticks;     /* of the timer while this case runs */
} native;

static const int gpr_index[8] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI };

/* --- FS points to the thread's own data: no handler may be without it ------------------- */

#if __has_attribute(no_stack_protector)
#define BARE __attribute__((no_sanitize("address"), no_sanitize("undefined"), no_stack_protector))
#else
#define BARE __attribute__((no_sanitize("address"), no_sanitize("undefined")))
#endif

/* A handler runs with the segments of what it interrupted, and with its AC, and may not
 * be compiled to aligned accesses alone. AMD's CPUs check MOVUPS, too. */
BARE static void enter_handler(void)
{
	long result;
	__asm__ volatile("lea -128(%%rsp), %%rsp\n\tpushfq\n\tandq %0, (%%rsp)\n\tpopfq\n\tlea 128(%%rsp), %%rsp"
	                 :: "i"(~(long)CTX_EFLAGS_AC) : "memory", "cc");
	__asm__ volatile("mov %%es, %0\n\tmov %%ds, %1\n\tmov %%fs, %2\n\tmov %%gs, %3"
	                 : "=m"(native.sreg[CTX_ES]), "=m"(native.sreg[CTX_DS]), "=m"(native.sreg[CTX_FS]), "=m"(native.sreg[CTX_GS]));
	__asm__ volatile("mov %0, %%ds\n\tmov %1, %%es\n\tmov %2, %%gs" :: "r"(native.own_ds), "r"(native.own_es), "r"(0));
	__asm__ volatile("syscall" : "=a"(result) : "a"((long)SYS_arch_prctl), "D"((long)ARCH_SET_FS), "S"(native.own_fs_base)
	                 : "rcx", "r11", "memory");
}

BARE static void leave_handler(void)
{
	__asm__ volatile("mov %0, %%es\n\tmov %1, %%ds\n\tmov %2, %%gs"
	                 :: "m"(native.sreg[CTX_ES]), "m"(native.sreg[CTX_DS]), "m"(native.sreg[CTX_GS]));
	/* The null selector would take the base away that the next handler is to give back. */
	if (native.sreg[CTX_FS] & 0xfffc)
		__asm__ volatile("mov %0, %%fs" :: "m"(native.sreg[CTX_FS]));
}

/* --- in and out --------------------------------------------------------------------------- */

/* The signal's FXSAVE image; where there is more, a bit says whether it counts. */
static uint8_t *fpu_image_of(const ucontext_t *context)
{
	enum { SW_RESERVED = 464, XSTATE_BV = 512 };
	static const uint8_t magic[4] = { 'S', 'X', 'P', 'F' };
	uint8_t *image = (uint8_t *)context->uc_mcontext.fpregs;
	if (!memcmp(image + SW_RESERVED, magic, sizeof magic))
		image[XSTATE_BV] |= 3;
	return image;
}

/* MXCSR's mask stays. */
static void fpu_copy(uint8_t *to, const uint8_t *from)
{
	memcpy(to, from, IMAGE_MXCSR + 4);
	memcpy(to + IMAGE_ST, from + IMAGE_ST, IMAGE_END - IMAGE_ST);
}

static void swap_in(ucontext_t *context)
{
	greg_t *reg = context->uc_mcontext.gregs;
	const struct native_state *start = native.start;
	uint8_t *image = fpu_image_of(context);
	memcpy(native.own, reg, sizeof native.own);
	fpu_copy(native.own_fpu, image);
	fpu_copy(image, start->fpu);
	for (unsigned i = 0; i < 8; i++)
		reg[gpr_index[i]] = start->gpr[i];
	reg[REG_RIP] = start->eip;
	reg[REG_EFL] = start->eflags;
	reg[REG_CSGSFS] = (greg_t)((uint64_t)start->sreg[CTX_SS] << 48 | ((uint64_t)reg[REG_CSGSFS] & 0xffffffff0000u) | start->sreg[CTX_CS]);
	context->uc_flags |= UC_STRICT_RESTORE_SS;
	native.ticks = 0;
	memcpy(native.sreg, start->sreg, sizeof native.sreg);
}

static void swap_out(ucontext_t *context, bool timeout)
{
	greg_t *reg = context->uc_mcontext.gregs;
	struct native_end *end = native.end;
	uint8_t *image = fpu_image_of(context);
	memcpy(end->state.sreg, native.sreg, sizeof native.sreg);
	end->state.sreg[CTX_CS] = (uint16_t)reg[REG_CSGSFS];
	end->state.sreg[CTX_SS] = (uint16_t)((uint64_t)reg[REG_CSGSFS] >> 48);
	for (unsigned i = 0; i < 8; i++)
		end->state.gpr[i] = (uint32_t)reg[gpr_index[i]];
	end->state.eip = (uint32_t)reg[REG_RIP];
	end->state.eflags = (uint32_t)reg[REG_EFL];
	fpu_copy(end->state.fpu, image);
	end->vector = (uint8_t)reg[REG_TRAPNO];
	end->error = (uint32_t)reg[REG_ERR];
	end->timeout = timeout;
	memcpy(reg, native.own, sizeof native.own);
	fpu_copy(image, native.own_fpu);
	reg[REG_RIP] += 2; /* UD2 */
	context->uc_flags |= UC_STRICT_RESTORE_SS;
	native.sreg[CTX_ES] = native.own_es;
	native.sreg[CTX_DS] = native.own_ds;
	native.sreg[CTX_FS] = native.sreg[CTX_GS] = 0;
}

static bool in_case(const ucontext_t *context)
{
	return (uint16_t)context->uc_mcontext.gregs[REG_CSGSFS] != CS_64;
}

static void take_exception(int number, ucontext_t *context)
{
	if (in_case(context)) {
		swap_out(context, false);
	} else if (number == SIGILL && native.start) {
		swap_in(context);
		native.start = NULL;
	} else {
		signal(number, SIG_DFL);
	}
}

BARE static void on_exception(int number, siginfo_t *info, void *data)
{
	(void)info;
	enter_handler();
	take_exception(number, data);
	leave_handler();
}

/* A case that goes on and on is ended by its second tick. */
static void take_tick(ucontext_t *context)
{
	if (in_case(context) && ++native.ticks > 1)
		swap_out(context, true);
}

BARE static void on_tick(int number, siginfo_t *info, void *data)
{
	(void)number;
	(void)info;
	enter_handler();
	take_tick(data);
	leave_handler();
}

/* --- set-up ---------------------------------------------------------------------------------- */

static bool set_entry(unsigned entry)
{
	const struct native_segment *segment = &native_segments[entry];
	bool is_code = segment->access & CTX_SEG_CODE;
	const uint8_t *base = (is_code ? native.code : native.data) + segment->start;
	struct user_desc desc = {
		.entry_number = entry,
		.base_addr = (unsigned)(uintptr_t)base,
		.limit = segment->limit,
		.seg_32bit = !!(segment->access & CTX_SEG_DB),
		.contents = segment->access >> 2 & 3,
		.read_exec_only = !(segment->access & CTX_SEG_WRITABLE),
		.seg_not_present = !(segment->access & CTX_SEG_P),
	};
	return !syscall(SYS_modify_ldt, 0x11, &desc, sizeof desc);
}

static bool set_entries(void)
{
	for (unsigned entry = 0; entry < NATIVE_ENTRIES; entry++)
		if (!set_entry(entry))
			return false;
	return true;
}

static void *map_low(size_t size, int protection, int flags, int fd)
{
	void *at = mmap(NULL, size, protection, flags | MAP_32BIT, fd, 0);
	return at == MAP_FAILED ? NULL : at;
}

/* The code is seen twice: where it is written and where it runs. */
static bool map_memory(void)
{
	int fd = (int)syscall(SYS_memfd_create, "code", 0u);
	if (fd < 0 || ftruncate(fd, NATIVE_CODE_SIZE))
		return false;
	native.code = map_low(NATIVE_CODE_SIZE, PROT_READ | PROT_EXEC, MAP_SHARED, fd);
	native.code_alias = map_low(NATIVE_CODE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	native.data = map_low(NATIVE_DATA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	close(fd);
	return native.code && native.code_alias && native.data;
}

static void catch_signals(void)
{
	static uint8_t stack[ALT_STACK_SIZE];
	static const int numbers[] = { SIGILL, SIGSEGV, SIGBUS, SIGFPE, SIGTRAP };
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };
	struct sigaction action = { .sa_sigaction = on_exception, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	struct itimerval tick = { { 0, 500000 }, { 0, 500000 } };
	sigfillset(&action.sa_mask);
	sigaltstack(&alternate, NULL);
	for (unsigned i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		sigaction(numbers[i], &action, NULL);
	action.sa_sigaction = on_tick;
	action.sa_flags |= SA_RESTART;
	sigaction(SIGVTALRM, &action, NULL);
	setitimer(ITIMER_VIRTUAL, &tick, NULL);
}

enum native_vendor native_vendor(void)
{
	unsigned eax, name[3];
	if (!__get_cpuid(0, &eax, &name[0], &name[2], &name[1]))
		return NATIVE_OTHER;
	if (!memcmp(name, "GenuineIntel", 12))
		return NATIVE_INTEL;
	return memcmp(name, "AuthenticAMD", 12) ? NATIVE_OTHER : NATIVE_AMD;
}

bool native_init(const char **reason)
{
	*reason = "no memory below 4 GiB that code may run in";
	if (!map_memory())
		return false;
	*reason = "the kernel has no modify_ldt()";
	if (!set_entries())
		return false;
	__asm__ volatile("mov %%ds, %0\n\tmov %%es, %1" : "=r"(native.own_ds), "=r"(native.own_es));
	syscall(SYS_arch_prctl, ARCH_GET_FS, &native.own_fs_base);
	catch_signals();
	return true;
}

uint8_t *native_code(void) { return native.code_alias; }

uint8_t *native_data(void) { return native.data; }

void native_run(const struct native_state *state, struct native_end *end)
{
	native.end = end;
	native.start = state;
	/* sigreturn() keeps NT and ID as they are: cases may set them. */
	__asm__ volatile("lea -128(%%rsp), %%rsp\n\tpushq $0x202\n\tpopfq\n\tlea 128(%%rsp), %%rsp\n\tud2" ::: "memory", "cc");
}
