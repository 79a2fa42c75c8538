/* The KVM engine: runs protected mode on the CPU itself. The only public header
 * of hv/. All devices stay in user space. */
#ifndef V2E_HV_HV_H
#define V2E_HV_HV_H

#include "shared/bus.h"
#include "shared/clock.h"
#include "shared/cpuid.h"
#include "shared/engine.h"
#include "shared/irq.h"
#include "shared/mem.h"
#include "shared/stepper.h"

/* How KVM_RUN is made to come back where the guest leaves protected mode. */
enum hv_watch {
	HV_WATCH_AUTO,       /* the first of the following that works */
	HV_WATCH_TRACE,      /* perf tracepoints of kvm: exact; wants privileges */
	HV_WATCH_BREAKPOINT, /* hardware breakpoints on learned `mov cr0` */
	HV_WATCH_LAZY,       /* each ordinary exit looks: late */
	HV_WATCHES,
};

/* "auto", "trace", "breakpoint", "lazy". */
const char *hv_watch_name(enum hv_watch watch);
bool hv_watch_parse(const char *name, enum hv_watch *watch);

/* --- what this host can do ------------------------------------------------------ */

enum hv_mode {
	HV_MODE_REAL, HV_MODE_VM86, HV_MODE_PM16, HV_MODE_PM32, HV_MODE_PM32_PAGED,
	HV_MODE_PM64, HV_MODE_PM64_USER,
	HV_MODES,
};

enum hv_runs {
	HV_REFUSED,     /* KVM stops at the first instructions */
	HV_INTERPRETED, /* by the kernel, no faster than an emulator */
	HV_NATIVE,
};

enum hv_vendor { HV_VENDOR_OTHER, HV_VENDOR_INTEL, HV_VENDOR_AMD };

struct hv_probe {
	char *error;           /* why there is no KVM; the rest is unset then */
	enum hv_vendor vendor; /* whose module of KVM runs here */
	int unrestricted_guest, ept; /* Intel: 0 or 1, -1: not known */
	bool shadows;          /* KVM keeps copies of the guest's page tables, or may */
	struct {
		enum hv_runs runs;
		uint64_t insns_per_second;
	} mode[HV_MODES];
	uint64_t exit_ns;      /* KVM_RUN and back, for one OUT */
	const char *smm_missing; /* the capability without which KVM alone takes no SMI; NULL: it does */
	int ioeventfd, irqfd;  /* for hv_config.doorbells; an interrupt by eventfd: 0 or -errno */
	bool guards;           /* MOV DR can be made to exit, wherever it runs */
	bool witnesses;        /* tracepoints tell of MOV DR; not tried where it can be made to exit */
	struct {
		bool usable;
		bool exact;        /* stopped right behind `mov cr0` */
		uint64_t stop_ns;  /* that stop, where usable */
		char *remedy;      /* what would make it usable; NULL where it is */
	} watch[HV_WATCHES];   /* [HV_WATCH_AUTO] stays unset */
	enum hv_watch best;    /* what HV_WATCH_AUTO takes */
	/* Where KVM interprets, it does not look whether an interrupt may come. */
	struct {
		bool interpreted;  /* so this matters */
		bool seen;         /* KVM_RUN can be made to come back there */
		char *remedy;      /* what would do that; NULL where it is seen */
	} window;
};

/* Runs tiny guests for some 100 ms. Free with hv_probe_free(). */
struct hv_probe *hv_probe(void);
/* The same, but ends at the first mode that rules a hybrid out, so that a start
 * with --engine auto costs next to nothing where it is of no use. */
struct hv_probe *hv_probe_hybrid(void);
/* The first mode that a hybrid needs and that does not run natively; HV_MODES: none. */
enum hv_mode hv_hybrid_obstacle(const struct hv_probe *probe);
void hv_probe_free(struct hv_probe *probe); /* NULL is fine */

/* "real", "vm86", "pm16", "pm32", "pm32-paged", "pm64", "pm64-user". */
const char *hv_mode_name(enum hv_mode mode);
const char *hv_runs_name(enum hv_runs runs);
const char *hv_vendor_name(enum hv_vendor vendor);

/* --- what cannot be had for less, to measure the engine by ------------------------- */

enum hv_floor_kind {
	HV_FLOOR_EXIT, /* KVM_RUN and back by an OUT; no state is moved */
	HV_FLOOR_STOP, /* KVM_RUN with a new state, stopped where PE is cleared */
	HV_FLOOR_TRIP, /* the same, with what a guest itself runs from a hand-over to that stop */
	HV_FLOOR_PAGE, /* the page to struct kvm_run and back; no system call */
};

struct hv_floor;

/* Where it was handed to KVM, and its memory from address 0 on. What it does up to
 * the stop must do the same again. */
struct hv_floor_guest {
	const struct ctx *ctx;
	const uint8_t *memory;
	size_t size; /* what does not fit a floor is left out */
};

/* `watch` is that of HV_FLOOR_STOP and HV_FLOOR_TRIP, not HV_WATCH_AUTO; belongs to the
 * thread. `guest` is copied; only HV_FLOOR_TRIP has one. Returns NULL with *error (g_free). */
struct hv_floor *hv_floor_new(enum hv_floor_kind kind, enum hv_watch watch, const struct hv_floor_guest *guest, char **error);
/* So many times. False: KVM did something else. */
bool hv_floor_run(struct hv_floor *floor, unsigned times);
void hv_floor_free(struct hv_floor *floor); /* NULL is fine */

/* --- the engine ------------------------------------------------------------------ */

struct hv_config {
	struct mem *mem;
	struct bus *bus;
	struct clock *clock; /* real; runs its timers while the guest runs */
	struct cpu_pins *pins;
	/* What the guest's CPUID says, the same as in the emulator. */
	const struct cpuid_leaf *cpuid; /* copied */
	unsigned cpuids;
	uint32_t cpu_signature; /* for EDX after INIT */
	const struct hv_probe *probe; /* only read by hv_new() */
	enum hv_watch watch;
	/* Takes modes that KVM itself interprets as well. */
	bool interpreted;
	/* There is no other engine: real mode, SMM and what fails is KVM's as well. */
	bool alone;
	/* The SMIACT# pin: SMRAM appears or goes. May be NULL. */
	void (*set_smm)(void *owner, bool in_smm);
	void *owner;
	/* Doorbells (mem.h) are answered while the guest runs on, by a thread that the engine
	 * has for it; not in virtual time, nor with a stepper. */
	bool doorbells;
	/* Who looks at what the guest does, as long as that is not in long mode: slow. Alone,
	 * ctx.debug is heeded by one that does. The engine frees it, also where hv_new() fails. */
	struct stepper stepper;
};

/* None of the things in `config` is owned; they must outlive the engine. Freed by
 * ops->free. Returns NULL and a message (g_free) that names what is missing.
 *
 * Its signals are SIGRTMIN + 1 (the deadline, kicks) and, with HV_WATCH_TRACE,
 * SIGTRAP or SIGRTMIN + 2. run() may be called from one thread at a time. */
struct engine *hv_new(const struct hv_config *config, char **error);

/* The one that HV_WATCH_AUTO came to. */
enum hv_watch hv_watch_of(const struct engine *engine);
/* The map (CTX_SMM_MAP_*) by which it leaves SMM; that of the emulator: it takes no SMI. */
uint32_t hv_smm_map(const struct engine *engine);
/* How often KVM_RUN was called. */
uint64_t hv_exits(const struct engine *engine);

/* ECX and EDX of CPUID's leaf 1 as the guest sees them: there are KVMs that do not
 * do as they are told. False: KVM does not say. */
bool hv_features(const struct engine *engine, uint32_t *ecx, uint32_t *edx);

/* ctx.stop_detail with STOP_MODE and STOP_ERROR. */
enum hv_detail {
	HV_DETAIL_NONE,
	HV_DETAIL_EMULATION, /* KVM could not interpret an instruction */
	HV_DETAIL_SHUTDOWN,  /* KVM gave up, perhaps without need */
	HV_DETAIL_ENTRY,     /* the CPU or KVM refused the state */
	HV_DETAIL_EXIT,      /* an exit that nobody asked for */
	HV_DETAIL_IOCTL,     /* a call failed: KVM is not used any more */
	HV_DETAIL_SMI,       /* a system management interrupt, and no other engine */
	/* Nothing failed, but what comes next is the other engine's. */
	HV_DETAIL_LEAVES = STOP_DETAIL_NEEDED, /* a `mov cr0` at which a breakpoint stands */
	HV_DETAIL_INTERRUPT, /* KVM of this host cannot deliver it */
	HV_DETAIL_TRAP,      /* #DB, or MOV DR */
	HV_DETAIL_EVENT,     /* an SMI or INIT */
	HV_DETAILS,
};

#endif
