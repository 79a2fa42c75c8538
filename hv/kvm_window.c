/* gettid() */
#define _GNU_SOURCE

#include "hv/kvm_window.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <glib.h>

#include "hv/kvm_trace.h"
#include "hv/kvm_watch.h"

#define TRACEPOINT "kvm_emulate_insn"

/* What the program and this side share: the only value of an array map. */
struct wish {
	uint32_t stop; /* enum kvm_window_stop */
	uint32_t thread; /* whose vCPU it is */
};

struct kvm_window {
	int map, program;
	struct kvm_trace_event event;
	struct wish *wish;
};

/* --- the program --------------------------------------------------------------------- */

#define INSNS    160u
#define JUMPS    64u
#define PREFIXES 4u /* so many are looked past */

struct program {
	struct bpf_insn insn[INSNS];
	unsigned count;
	/* Jumps whose target is to come. */
	unsigned to_send[JUMPS], sends, to_end[JUMPS], ends;
};

static void add(struct program *program, uint8_t code, uint8_t to, uint8_t from, int16_t offset, int32_t value)
{
	g_assert(program->count < INSNS);
	struct bpf_insn *insn = &program->insn[program->count++];
	*insn = (struct bpf_insn){ .code = code, .off = offset, .imm = value };
	insn->dst_reg = to & 0xfu;
	insn->src_reg = from & 0xfu;
}

static void load(struct program *program, uint8_t size, uint8_t to, uint8_t from, int offset)
{
	add(program, BPF_LDX | BPF_MEM | size, to, from, (int16_t)offset, 0);
}

static void set(struct program *program, uint8_t to, uint8_t kind, uint64_t value)
{
	add(program, BPF_LD | BPF_IMM | BPF_DW, to, kind, 0, (int32_t)(uint32_t)value);
	add(program, 0, 0, 0, 0, (int32_t)(uint32_t)(value >> 32));
}

static void call(struct program *program, int function)
{
	add(program, BPF_JMP | BPF_CALL, 0, 0, 0, function);
}

/* Where R`reg` is `value`, for BPF_JEQ. */
static void send_if(struct program *program, uint8_t how, uint8_t reg, int value)
{
	program->to_send[program->sends++] = program->count;
	add(program, BPF_JMP | how | BPF_K, reg, 0, 0, value);
}

static void end_if(struct program *program, uint8_t how, uint8_t reg, int value)
{
	program->to_end[program->ends++] = program->count;
	add(program, BPF_JMP | how | BPF_K, reg, 0, 0, value);
}

static void land(struct program *program, const unsigned *jumps, unsigned count)
{
	for (unsigned n = 0; n < count; n++)
		program->insn[jumps[n]].off = (int16_t)(program->count - jumps[n] - 1);
}

/* R6: the record, R7: the wish. Leaves what is wished in R8. */
static void add_is_wanted(struct program *program, int map, const struct stat *pid_namespace)
{
	add(program, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_6, BPF_REG_1, 0, 0);
	set(program, BPF_REG_7, BPF_PSEUDO_MAP_VALUE, (uint32_t)map);
	load(program, BPF_W, BPF_REG_8, BPF_REG_7, offsetof(struct wish, stop));
	end_if(program, BPF_JEQ, BPF_REG_8, KVM_WINDOW_NONE);
	/* Every vCPU of the host passes here. */
	set(program, BPF_REG_1, 0, pid_namespace->st_dev);
	set(program, BPF_REG_2, 0, pid_namespace->st_ino);
	add(program, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_3, BPF_REG_10, 0, 0);
	add(program, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_3, 0, 0, -(int)sizeof(struct bpf_pidns_info));
	add(program, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_4, 0, 0, sizeof(struct bpf_pidns_info));
	call(program, BPF_FUNC_get_ns_current_pid_tgid);
	end_if(program, BPF_JNE, BPF_REG_0, 0);
	load(program, BPF_W, BPF_REG_1, BPF_REG_10, -(int)sizeof(struct bpf_pidns_info) + (int)offsetof(struct bpf_pidns_info, pid));
	load(program, BPF_W, BPF_REG_2, BPF_REG_7, offsetof(struct wish, thread));
	program->to_end[program->ends++] = program->count;
	add(program, BPF_JMP | BPF_JNE | BPF_X, BPF_REG_1, BPF_REG_2, 0, 0);
	send_if(program, BPF_JEQ, BPF_REG_8, KVM_WINDOW_NEXT);
}

/* One byte of the instruction; falls through behind a prefix. */
static void add_opcode(struct program *program, int at)
{
	static const uint8_t openers[] = { 0x9d, 0xcf, 0xfb }; /* POPF, IRET, STI */
	static const uint8_t prefixes[] = { 0x26, 0x2e, 0x36, 0x3e, 0x48, 0x64, 0x65, 0x66, 0x67, 0xf2, 0xf3 };
	unsigned next[G_N_ELEMENTS(prefixes)];
	load(program, BPF_B, BPF_REG_1, BPF_REG_6, at);
	for (size_t i = 0; i < G_N_ELEMENTS(openers); i++)
		send_if(program, BPF_JEQ, BPF_REG_1, openers[i]);
	for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++) {
		next[i] = program->count;
		add(program, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_1, 0, 0, prefixes[i]);
	}
	end_if(program, BPF_JNE, BPF_REG_1, 0x0f);
	load(program, BPF_B, BPF_REG_1, BPF_REG_6, at + 1);
	send_if(program, BPF_JEQ, BPF_REG_1, 0xaa); /* RSM */
	end_if(program, BPF_JA, 0, 0);
	land(program, next, G_N_ELEMENTS(next));
}

/* It returns 1, as 0 would hide the tracepoint from everybody else who listens. */
static void add_end(struct program *program)
{
	end_if(program, BPF_JA, 0, 0);
	land(program, program->to_send, program->sends);
	add(program, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_1, 0, 0, KVM_TRACE_SIGNAL);
	call(program, BPF_FUNC_send_signal_thread);
	land(program, program->to_end, program->ends);
	add(program, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 1);
	add(program, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* --- its loading ----------------------------------------------------------------------- */

static int bpf(enum bpf_cmd command, union bpf_attr *attr)
{
	return kvm_trace_call(SYS_bpf, command, (long)attr, sizeof *attr, 0, 0);
}

static int open_map(struct kvm_window *window)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = sizeof(uint32_t), .value_size = sizeof(struct wish),
		.max_entries = 1, .map_flags = BPF_F_MMAPABLE,
	};
	window->map = bpf(BPF_MAP_CREATE, &attr);
	if (window->map < 0)
		return window->map;
	void *page = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED, window->map, 0);
	if (page == MAP_FAILED)
		return -errno;
	window->wish = page;
	return 0;
}

static int load_program(struct kvm_window *window)
{
	struct program program = { .count = 0 };
	struct stat pid_namespace;
	int at = kvm_trace_offset(TRACEPOINT, "insn[15]");
	if (at < 0)
		return at;
	if (stat("/proc/self/ns/pid", &pid_namespace))
		return -errno;
	add_is_wanted(&program, window->map, &pid_namespace);
	for (unsigned n = 0; n <= PREFIXES; n++)
		add_opcode(&program, at + (int)n);
	add_end(&program);
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_TRACEPOINT, .insns = (uintptr_t)program.insn, .insn_cnt = program.count, .license = (uintptr_t)"MIT",
	};
	window->program = bpf(BPF_PROG_LOAD, &attr);
	return MIN(window->program, 0);
}

/* The event is only what the program hangs on; it is never enabled. */
static int hang_program(struct kvm_window *window)
{
	const struct kvm_trace_point point = { .name = TRACEPOINT };
	int result = kvm_trace_open(&window->event, &point, (struct perf_event_attr){ .wakeup_events = 1 });
	if (result)
		return result;
	return ioctl(window->event.fd, PERF_EVENT_IOC_SET_BPF, window->program) ? -errno : 0;
}

static char *remedy(int error)
{
	if (error == -EPERM || error == -EACCES)
		return g_strdup("BPF is not permitted; run as root, or with CAP_BPF, CAP_PERFMON and a readable /sys/kernel/tracing");
	return kvm_trace_remedy(error);
}

struct kvm_window *kvm_window_new(char **error)
{
	struct kvm_window *window = g_new0(struct kvm_window, 1);
	window->map = window->program = window->event.fd = -1;
	int result = open_map(window);
	if (!result)
		result = load_program(window);
	if (!result)
		result = hang_program(window);
	if (!result)
		result = kvm_window_attach(window);
	if (!result)
		return window;
	*error = remedy(result);
	kvm_window_free(window);
	return NULL;
}

void kvm_window_free(struct kvm_window *window)
{
	if (!window)
		return;
	int fds[] = { window->event.fd, window->program, window->map };
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (window->wish)
		munmap(window->wish, (size_t)sysconf(_SC_PAGESIZE));
	g_free(window);
}

int kvm_window_attach(struct kvm_window *window)
{
	window->wish->thread = (uint32_t)gettid();
	return kvm_watch_catch_signal(KVM_TRACE_SIGNAL);
}

void kvm_window_stop(struct kvm_window *window, enum kvm_window_stop stop)
{
	__atomic_store_n(&window->wish->stop, stop, __ATOMIC_RELAXED);
}
