/* What `v2e bench` measures: v2e by one of its engines, QEMU, or a floor. Each is
 * opened in a process of its own (bench_worker.h) and does as an order says. */
#ifndef V2E_CLI_BENCH_SUBJECT_H
#define V2E_CLI_BENCH_SUBJECT_H

#include "cli/run_options.h"
#include "shared/policy.h"
#include "shared/transition.h"

enum bench_kind {
	BENCH_EMU, BENCH_KVM, BENCH_HYBRID,    /* v2e */
	BENCH_QEMU_TCG, BENCH_QEMU_KVM,
	BENCH_CALL,                            /* floors: a function call and back */
	BENCH_FUTEX, BENCH_EVENTFD,            /* another thread, and back */
	BENCH_EXIT, BENCH_STOP, BENCH_TRIP, BENCH_PAGE, /* enum hv_floor_kind */
	BENCH_KINDS,
};

struct bench_subject {
	enum bench_kind kind;
	/* Of BENCH_HYBRID; channel and jit also of BENCH_EMU, watch also of BENCH_STOP and BENCH_TRIP. */
	enum run_channel channel;
	enum emu_jit jit;
	enum hv_watch watch; /* not HV_WATCH_AUTO */
	enum policy_kind policy;
	uint64_t threshold;  /* POLICY_V2E; UINT64_MAX: infinite */
	const struct hv_probe *probe; /* of v2e with KVM; not owned */
};

/* One sample. Numbers but `rounds` mean nothing to a floor but BENCH_TRIP. */
struct bench_order {
	uint32_t guest; /* enum bench_guest_number */
	uint32_t rounds;
	uint32_t real_turns, protected_turns; /* loops of two instructions, each round */
	bool log; /* BENCH_HYBRID: hand-overs are logged */
};

/* As the guest reads it. */
#define BENCH_GUEST_ORDER_SIZE 13u
void bench_order_encode(const struct bench_order *order, uint8_t bytes[BENCH_GUEST_ORDER_SIZE]);

/* All of it is for all rounds together. */
struct bench_answer {
	uint64_t ns, cycles; /* of the host; the time stamp counter's */
	uint64_t cpu_ns; /* that its process had a processor; 0: not known */
	uint64_t handovers, exits; /* KVM_RUN */
	uint64_t part_ns[TRANSITION_PARTS]; /* with `log` */
	char error[200]; /* empty: none; the rest means nothing else */
};

/* How a kind is opened and asked. */
struct bench_ops {
	/* NULL with *error (g_free). */
	void *(*open)(const struct bench_subject *subject, char **error);
	void (*ask)(void *state, const struct bench_order *order, struct bench_answer *answer);
	void (*close)(void *state);
};

const struct bench_ops *bench_subject_ops(enum bench_kind kind);
const char *bench_kind_name(enum bench_kind kind);
bool bench_kind_is_floor(enum bench_kind kind);
bool bench_subject_equal(const struct bench_subject *a, const struct bench_subject *b);

/* In the order of the guest's table. */
enum bench_guest_number {
	BENCH_FAR_JUMP, BENCH_LMSW, BENCH_FAR_CALL, BENCH_PM32, BENCH_VM86,
	BENCH_SEABIOS, BENCH_GFXBOOT, BENCH_GRUB, BENCH_IPXE, BENCH_GUESTS,
};
const char *bench_guest_name(enum bench_guest_number guest);
const char *bench_guest_help(enum bench_guest_number guest);

extern const struct bench_ops bench_machine_ops, bench_qemu_ops, bench_floor_ops;

/* bench_machine.c: up to where the order's guest is handed to KVM first. NULL with *error
 * (g_free); `guest` is the machine's, which is closed as others are. */
void *bench_machine_to_handover(const struct bench_subject *subject, const struct bench_order *order,
                                struct hv_floor_guest *guest, char **error);

/* Of the process, in ns. */
uint64_t bench_cpu_ns(void);
/* For the implementations: cuts what does not fit. */
void bench_answer_fail(struct bench_answer *answer, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The processor's time stamp counter; 0 where there is none. */
static inline uint64_t bench_cycles(void)
{
#ifdef __x86_64__
	return __builtin_ia32_rdtsc();
#else
	return 0;
#endif
}

#endif
