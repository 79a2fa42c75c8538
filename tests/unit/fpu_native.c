#include "tests/unit/fpu_native.h"

#ifdef V2E_NATIVE

#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define ARITHMETIC 0x8d5u

/* --- the host -------------------------------------------------------------------- */

static sigjmp_buf escape;
static volatile sig_atomic_t raised;
static volatile uint32_t raised_mxcsr;

static void on_signal(int number, siginfo_t *info, void *context)
{
	const ucontext_t *ucontext = context;
	(void)info;
	raised = number;
	raised_mxcsr = ucontext->uc_mcontext.fpregs->mxcsr;
	siglongjmp(escape, 1);
}

static const int signals[] = { SIGILL, SIGFPE, SIGSEGV };
static struct sigaction old_actions[3];

static void catch_signals(void)
{
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	for (unsigned i = 0; i < 3; i++)
		sigaction(signals[i], &action, &old_actions[i]);
}

static void release_signals(void)
{
	for (unsigned i = 0; i < 3; i++)
		sigaction(signals[i], &old_actions[i], NULL);
}

static void *code_page(const uint8_t *code, size_t size)
{
	static uint8_t *page;
	if (!page)
		page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert(page != MAP_FAILED);
	ck_assert_int_eq(mprotect(page, 4096, PROT_READ | PROT_WRITE), 0);
	memcpy(page, code, size);
	page[size] = 0xc3;
	ck_assert_int_eq(mprotect(page, 4096, PROT_READ | PROT_EXEC), 0);
	return page;
}

static void call(struct fpu_case *run, const void *code)
{
	register struct fpu_case *r12 __asm__("r12") = run;
	register const void *r13 __asm__("r13") = code;
	const uint8_t *rsi = run->operand + run->offset, *rdi = run->operand;
	uint32_t mxcsr = 0x1f80;
	__asm__ volatile(
		"lea -128(%%rsp), %%rsp\n\t"
		"push %%rbx\n\t"
		"push %%rbp\n\t"
		"fxrstor64 (%%r12)\n\t"
		"movl %c[gpr](%%r12), %%eax\n\t"
		"movl 4+%c[gpr](%%r12), %%ecx\n\t"
		"movl 8+%c[gpr](%%r12), %%edx\n\t"
		"movl 12+%c[gpr](%%r12), %%ebx\n\t"
		"movl %c[eflags](%%r12), %%ebp\n\t"
		"push %%rbp\n\t"
		"popf\n\t"
		"call *%%r13\n\t"
		"pushf\n\t"
		"pop %%rbp\n\t"
		"movl %%ebp, %c[eflags](%%r12)\n\t"
		"movl %%eax, %c[gpr](%%r12)\n\t"
		"movl %%ecx, 4+%c[gpr](%%r12)\n\t"
		"movl %%edx, 8+%c[gpr](%%r12)\n\t"
		"movl %%ebx, 12+%c[gpr](%%r12)\n\t"
		"fxsave64 (%%r12)\n\t"
		"fninit\n\t"
		"pop %%rbp\n\t"
		"pop %%rbx\n\t"
		"lea 128(%%rsp), %%rsp"
		: "+r"(r12), "+r"(r13), "+S"(rsi), "+D"(rdi)
		: [gpr] "i"(offsetof(struct fpu_case, gpr)), [eflags] "i"(offsetof(struct fpu_case, eflags))
		: "rax", "rcx", "rdx", "cc", "memory",
		  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
		  "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
	__asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
}

void fpu_run_native(struct fpu_case *run, const uint8_t *code, size_t size)
{
	void *page = code_page(code, size);
	/* The pointers are 64 bits wide here. */
	memset(run->image + IMAGE_FOP, 0, IMAGE_MXCSR - IMAGE_FOP);
	catch_signals();
	raised = 0;
	run->eflags |= 2;
	if (!sigsetjmp(escape, 1))
		call(run, page);
	release_signals();
	run->eflags &= ARITHMETIC;
	run->vector = raised == SIGILL ? 6 : raised == SIGSEGV ? 13 : raised == SIGFPE ? 19 : RIG_HALTED;
	if (raised == SIGFPE)
		image_set(run->image, IMAGE_MXCSR, 4, raised_mxcsr);
}

/* --- the emulator ------------------------------------------------------------------ */

struct rig *fpu_rig_new(enum emu_cpu cpu)
{
	struct rig *rig = rig_new_protected(cpu);
	rig->ctx->cr0 |= CTX_CR0_NE;
	rig->ctx->cr0 &= ~(uint64_t)(CTX_CR0_EM | CTX_CR0_TS);
	rig->ctx->cr4 |= CTX_CR4_OSFXSR | CTX_CR4_OSXMMEXCPT;
	return rig;
}

void fpu_run_emulator(struct rig *rig, struct fpu_case *run, const uint8_t *code, size_t size)
{
	static const uint8_t order[4] = { CTX_RAX, CTX_RCX, CTX_RDX, CTX_RBX };
	struct ctx *ctx = rig->ctx, before = *ctx;
	memcpy(ctx->fxsave, run->image, sizeof run->image);
	for (unsigned i = 0; i < 4; i++)
		ctx->gpr[order[i]].r = run->gpr[i];
	ctx->gpr[CTX_RSI].e = RIG_DATA + run->offset;
	ctx->gpr[CTX_RDI].e = RIG_DATA;
	ctx->rflags = (ctx->rflags & ~(uint64_t)ARITHMETIC) | run->eflags;
	ctx->rip = RIG_CODE;
	memcpy(rig->ram + RIG_DATA, run->operand, OPERAND_SIZE);
	rig_put(rig, RIG_CODE, code, size);
	rig_put(rig, rig->at, "\xf4", 1);
	run->vector = rig_run(rig);
	memcpy(run->image, ctx->fxsave, sizeof run->image);
	memcpy(run->operand, rig->ram + RIG_DATA, OPERAND_SIZE);
	for (unsigned i = 0; i < 4; i++)
		run->gpr[i] = ctx->gpr[order[i]].e;
	run->eflags = (uint32_t)ctx->rflags & ARITHMETIC;
	*ctx = before;
}

/* --- both ------------------------------------------------------------------------------ */

static void dump(const char *name, const struct fpu_case *run)
{
	fprintf(stderr, "%s: vector %x eflags %03x gpr %08x %08x %08x %08x\n", name, run->vector, run->eflags,
	        run->gpr[0], run->gpr[1], run->gpr[2], run->gpr[3]);
	for (unsigned row = 0; row < IMAGE_END + OPERAND_SIZE; row += 16) {
		const uint8_t *bytes = row < IMAGE_END ? run->image + row : run->operand + row - IMAGE_END;
		fprintf(stderr, "%4u ", row);
		for (unsigned i = 0; i < 16; i++)
			fprintf(stderr, " %02x", bytes[i]);
		fputc('\n', stderr);
	}
}

static bool same(const struct fpu_case *a, const struct fpu_case *b)
{
	if (a->vector != b->vector || image32(a->image, IMAGE_MXCSR) != image32(b->image, IMAGE_MXCSR))
		return false;
	if (a->vector != RIG_HALTED)
		return true;
	return image32(a->image, IMAGE_FCW) == image32(b->image, IMAGE_FCW) &&
	       a->image[IMAGE_FTW] == b->image[IMAGE_FTW] && a->eflags == b->eflags &&
	       !memcmp(a->image + IMAGE_ST, b->image + IMAGE_ST, IMAGE_END - IMAGE_ST) &&
	       !memcmp(a->operand, b->operand, OPERAND_SIZE) && !memcmp(a->gpr, b->gpr, sizeof a->gpr);
}

void fpu_compare(struct rig *rig, const struct fpu_case *start, const uint8_t *code, size_t size)
{
	struct fpu_case native = *start, emulated = *start;
	fpu_run_native(&native, code, size);
	fpu_run_emulator(rig, &emulated, code, size);
	if (same(&native, &emulated)) {
		/* A fault leaves all but the flags of MXCSR as it was. */
		if (native.vector != RIG_HALTED) {
			ck_assert_mem_eq(emulated.image, start->image, IMAGE_MXCSR);
			ck_assert_mem_eq(emulated.image + IMAGE_ST, start->image + IMAGE_ST, IMAGE_END - IMAGE_ST);
			ck_assert_mem_eq(emulated.operand, start->operand, OPERAND_SIZE);
		}
		return;
	}
	for (size_t i = 0; i < size; i++)
		fprintf(stderr, "%02x ", code[i]);
	fputc('\n', stderr);
	dump("start", start);
	dump("host", &native);
	dump("emulator", &emulated);
	ck_abort_msg("host and emulator differ");
}

/* --- states -------------------------------------------------------------------------------- */

static uint64_t random_state = 0x123456789abcdef;

uint32_t fpu_random(void)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 33);
}

static uint64_t random64(void)
{
	uint64_t high = fpu_random();
	return high << 33 ^ (uint64_t)fpu_random() << 11 ^ fpu_random();
}

/* Exponents near both ends, and near 1.0; significands with and without their first bit. */
static void random_extended(uint8_t *bytes)
{
	static const uint16_t exponents[] = { 0, 0, 1, 2, 0x7ffe, 0x7fff, 0x7fff, 0x3fff, 0x4000, 0x3ffe, 0x401e,
	                                      0x403e, 0x3c01, 0x3f81, 0x3f6a, 0x3bcd, 0x407f, 0x43ff };
	static const uint64_t significands[] = { 0, 1ull << 63, 3ull << 62, (1ull << 63) + 1, ~0ull, 1, 1ull << 62 };
	unsigned pick = fpu_random();
	uint16_t exponent = exponents[pick % (sizeof exponents / sizeof *exponents)];
	uint64_t significand = significands[pick / 32 % 7];
	if (pick >> 8 & 1)
		significand = random64() | 1ull << 63;
	if (!(pick >> 9 & 7))
		exponent = (uint16_t)(fpu_random() & 0x7fff);
	exponent |= (uint16_t)((pick >> 12 & 1) << 15);
	memset(bytes, 0, 16);
	memcpy(bytes, &significand, 8);
	memcpy(bytes + 8, &exponent, 2);
}

static uint32_t random_single(void)
{
	static const uint32_t values[] = { 0, 0x80000000, 1, 0x007fffff, 0x00800000, 0x7f7fffff, 0x7f800000,
	                                   0xff800000, 0x7f800001, 0x7fc00000, 0x3f800000, 0xbf800000, 0x4f000000, 0x00800001 };
	unsigned pick = fpu_random();
	return pick & 0x100 ? fpu_random() << 1 ^ fpu_random() : values[pick % 14];
}

static uint64_t random_double(void)
{
	static const uint64_t values[] = { 0, 1ull << 63, 1, 0x000fffffffffffff, 0x0010000000000000, 0x7fefffffffffffff,
	                                   0x7ff0000000000000, 0xfff0000000000000, 0x7ff0000000000001, 0x7ff8000000000000,
	                                   0x3ff0000000000000, 0xc1e0000000000000, 0x380fffff00000000, 0x47f0000000000000 };
	unsigned pick = fpu_random();
	return pick & 0x100 ? random64() : values[pick % 14];
}

static void random_vector(uint8_t *bytes)
{
	bool wide = fpu_random() & 1;
	for (unsigned i = 0; i < 16; i += wide ? 8 : 4) {
		uint64_t value = wide ? random_double() : random_single();
		memcpy(bytes + i, &value, wide ? 8 : 4);
	}
}

void fpu_random_case(struct fpu_case *run, bool unmasked)
{
	uint32_t fcw = (fpu_random() & 0xf00) | 0x7f, mxcsr = (fpu_random() & 0xe07f) | 0x1f80;
	memset(run, 0, sizeof *run);
	if (unmasked) {
		fcw &= ~(fpu_random() & 0x3f);
		mxcsr &= ~(fpu_random() << 7 & 0x1f80);
	}
	/* What is set may not be pending. */
	uint32_t fsw = (fpu_random() & 0x7f7f) & (0x7f40 | fcw);
	image_set(run->image, IMAGE_FCW, 2, fcw);
	image_set(run->image, IMAGE_FSW, 2, fsw);
	run->image[IMAGE_FTW] = (uint8_t)(fpu_random() & 1 ? 0xff : fpu_random());
	image_set(run->image, IMAGE_MXCSR, 4, mxcsr);
	for (unsigned i = 0; i < 8; i++) {
		random_extended(run->image + IMAGE_ST + 16 * i);
		random_vector(run->image + IMAGE_XMM + 16 * i);
	}
	for (unsigned i = 0; i < OPERAND_SIZE; i += 16)
		random_vector(run->operand + i);
	if (!(fpu_random() & 3))
		random_extended(run->operand);
	for (unsigned i = 0; i < 4; i++)
		run->gpr[i] = fpu_random() << 1;
	run->eflags = fpu_random() & ARITHMETIC;
}

#endif
