#define _GNU_SOURCE /* the names of registers in ucontext.h */
#include "tests/insn/native.h"

#include <asm/ldt.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>
#include <x86intrin.h>

#include "shared/ctx.h"

/* The way in is a UD2 in 64-bit code: its handler swaps the interrupted state for
 * that of the case, and the handler of the exception that ends the case swaps
 * back. */
#define UC_STRICT_RESTORE_SS 4
#define CS_64 0x33
#define ALT_STACK_SIZE 65536

static struct {
	uint8_t *code, *data, *code_alias;
	const struct native_state *start;
	struct native_end *end;
	gregset_t own;      /* the program's registers while a case runs */
	uint16_t own_ds, own_es;
	unsigned ticks;     /* of the timer while this case runs */
} native;

static const int gpr_index[8] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI };

static void set_segments(uint16_t ds, uint16_t es)
{
	__asm__ volatile("mov %0, %%ds\n\tmov %1, %%es" :: "r"(ds), "r"(es));
}

static void get_segments(uint16_t *ds, uint16_t *es)
{
	__asm__ volatile("mov %%ds, %0\n\tmov %%es, %1" : "=r"(*ds), "=r"(*es));
}

static void swap_in(ucontext_t *context)
{
	greg_t *reg = context->uc_mcontext.gregs;
	const struct native_state *start = native.start;
	memcpy(native.own, reg, sizeof native.own);
	for (unsigned i = 0; i < 8; i++)
		reg[gpr_index[i]] = start->gpr[i];
	reg[REG_RIP] = start->eip;
	reg[REG_EFL] = start->eflags;
	reg[REG_CSGSFS] = (greg_t)((uint64_t)start->ss << 48 | ((uint64_t)reg[REG_CSGSFS] & 0xffffffff0000u) | start->cs);
	context->uc_flags |= UC_STRICT_RESTORE_SS;
	native.ticks = 0;
	set_segments(start->ds, start->es);
}

static void swap_out(ucontext_t *context, bool timeout)
{
	greg_t *reg = context->uc_mcontext.gregs;
	struct native_end *end = native.end;
	get_segments(&end->state.ds, &end->state.es);
	set_segments(native.own_ds, native.own_es);
	for (unsigned i = 0; i < 8; i++)
		end->state.gpr[i] = (uint32_t)reg[gpr_index[i]];
	end->state.eip = (uint32_t)reg[REG_RIP];
	end->state.eflags = (uint32_t)reg[REG_EFL];
	end->state.cs = (uint16_t)reg[REG_CSGSFS];
	end->state.ss = (uint16_t)((uint64_t)reg[REG_CSGSFS] >> 48);
	end->vector = (uint8_t)reg[REG_TRAPNO];
	end->error = (uint32_t)reg[REG_ERR];
	end->timeout = timeout;
	memcpy(reg, native.own, sizeof native.own);
	reg[REG_RIP] += 2; /* UD2 */
	context->uc_flags |= UC_STRICT_RESTORE_SS;
}

static bool in_case(const ucontext_t *context)
{
	return (uint16_t)context->uc_mcontext.gregs[REG_CSGSFS] != CS_64;
}

/* A handler runs with the AC of what it interrupted, and may not be compiled to aligned
 * accesses alone. AMD's CPUs check MOVUPS, too. */
static void allow_unaligned(void)
{
	__writeeflags(__readeflags() & ~(unsigned long long)CTX_EFLAGS_AC);
}

static void on_exception(int number, siginfo_t *info, void *data)
{
	ucontext_t *context = data;
	(void)info;
	allow_unaligned();
	if (in_case(context)) {
		swap_out(context, false);
	} else if (number == SIGILL && native.start) {
		swap_in(context);
		native.start = NULL;
	} else {
		signal(number, SIG_DFL);
	}
}

/* A case that goes on and on is ended by its second tick. */
static void on_tick(int number, siginfo_t *info, void *data)
{
	(void)number;
	(void)info;
	allow_unaligned();
	if (in_case(data) && ++native.ticks > 1)
		swap_out(data, true);
}

static bool set_entry(enum native_entry entry, const void *base, uint32_t size, bool is_code, bool wide, bool absent)
{
	struct user_desc desc = {
		.entry_number = entry,
		.base_addr = (unsigned)(uintptr_t)base,
		.limit = size - 1,
		.seg_32bit = wide,
		.contents = is_code ? 2 : 0,
		.seg_not_present = absent,
	};
	return !syscall(SYS_modify_ldt, 0x11, &desc, sizeof desc);
}

static bool set_entries(void)
{
	return set_entry(NATIVE_CODE16, native.code, NATIVE_CODE_SIZE, true, false, false) &&
	       set_entry(NATIVE_CODE32, native.code, NATIVE_CODE_SIZE, true, true, false) &&
	       set_entry(NATIVE_DATA16, native.data, NATIVE_DATA_SIZE, false, false, false) &&
	       set_entry(NATIVE_DATA32, native.data, NATIVE_DATA_SIZE, false, true, false) &&
	       set_entry(NATIVE_ABSENT, native.data, NATIVE_DATA_SIZE, false, true, true);
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

bool native_init(const char **reason)
{
	*reason = "no memory below 4 GiB that code may run in";
	if (!map_memory())
		return false;
	*reason = "the kernel has no modify_ldt()";
	if (!set_entries())
		return false;
	get_segments(&native.own_ds, &native.own_es);
	catch_signals();
	return true;
}

uint8_t *native_code(void) { return native.code_alias; }

uint8_t *native_data(void) { return native.data; }

void native_run(const struct native_state *state, struct native_end *end)
{
	native.end = end;
	native.start = state;
	/* sigreturn() keeps NT, AC and ID as they are: cases may set them. */
	__asm__ volatile("lea -128(%%rsp), %%rsp\n\tpushq $0x202\n\tpopfq\n\tlea 128(%%rsp), %%rsp\n\tud2" ::: "memory", "cc");
}
