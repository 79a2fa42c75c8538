#include "cli/bench_subject.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

static const struct {
	const char *name;
	const struct bench_ops *ops;
} kinds[BENCH_KINDS] = {
	[BENCH_EMU] = { "emu", &bench_machine_ops },
	[BENCH_KVM] = { "kvm", &bench_machine_ops },
	[BENCH_HYBRID] = { "hybrid", &bench_machine_ops },
	[BENCH_QEMU_TCG] = { "qemu-tcg", &bench_qemu_ops },
	[BENCH_QEMU_KVM] = { "qemu-kvm", &bench_qemu_ops },
	[BENCH_CALL] = { "call", &bench_floor_ops },
	[BENCH_FUTEX] = { "futex", &bench_floor_ops },
	[BENCH_EVENTFD] = { "eventfd", &bench_floor_ops },
	[BENCH_EXIT] = { "kvm-exit", &bench_floor_ops },
	[BENCH_STOP] = { "kvm-stop", &bench_floor_ops },
	[BENCH_TRIP] = { "kvm-trip", &bench_floor_ops },
	[BENCH_PAGE] = { "page", &bench_floor_ops },
};

static const struct {
	const char *name, *help;
} guests[BENCH_GUESTS] = {
	[BENCH_FAR_JUMP] = { "far-jump", "MOV CR0 and a far jump, 16-bit code, both ways" },
	[BENCH_LMSW] = { "lmsw", "LMSW on, MOV CR0 off" },
	[BENCH_FAR_CALL] = { "far-call", "MOV CR0 and a far call on, MOV CR0 and IRET off" },
	[BENCH_PM32] = { "pm32", "to 32-bit code, and back by a 16-bit segment" },
	[BENCH_VM86] = { "vm86", "IRET to virtual-8086 mode, a fault back" },
	[BENCH_SEABIOS] = { "seabios", "as SeaBIOS: NMI off, A20 on, then as pm32" },
	[BENCH_GFXBOOT] = { "gfxboot", "as gfxboot: an interrupt of 32-bit code, handled in real mode" },
	[BENCH_GRUB] = { "grub", "as GRUB 2: with tables and stacks of its own" },
	[BENCH_IPXE] = { "ipxe", "as iPXE's librm: with copies between the stacks" },
};

const struct bench_ops *bench_subject_ops(enum bench_kind kind)
{
	return kinds[kind].ops;
}

const char *bench_kind_name(enum bench_kind kind)
{
	return kinds[kind].name;
}

bool bench_kind_is_floor(enum bench_kind kind)
{
	return kind >= BENCH_CALL;
}

bool bench_subject_equal(const struct bench_subject *a, const struct bench_subject *b)
{
	return a->kind == b->kind && a->channel == b->channel && a->jit == b->jit && a->watch == b->watch && a->policy == b->policy && a->threshold == b->threshold;
}

const char *bench_guest_name(enum bench_guest_number guest)
{
	return guests[guest].name;
}

const char *bench_guest_help(enum bench_guest_number guest)
{
	return guests[guest].help;
}

void bench_answer_fail(struct bench_answer *answer, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(answer->error, sizeof answer->error, format, arguments);
	va_end(arguments);
}

uint64_t bench_cpu_ns(void)
{
	struct timespec time;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void put32(uint8_t *to, uint32_t value)
{
	for (unsigned n = 0; n < 4; n++)
		to[n] = (uint8_t)(value >> 8 * n);
}

void bench_order_encode(const struct bench_order *order, uint8_t bytes[BENCH_GUEST_ORDER_SIZE])
{
	bytes[0] = (uint8_t)order->guest;
	put32(bytes + 1, order->rounds);
	put32(bytes + 5, order->real_turns);
	put32(bytes + 9, order->protected_turns);
}
