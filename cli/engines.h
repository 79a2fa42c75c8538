/* Which engines run the guest: what --engine asks for and the host can do. */
#ifndef V2E_CLI_ENGINES_H
#define V2E_CLI_ENGINES_H

#include "cli/run_options.h"
#include "devmodel/pc.h"
#include "hv/hv.h"
#include "shared/policy.h"

struct engines {
	bool emu, kvm;
	enum emu_cpu cpu;
	bool long_mode;   /* KVM runs 64-bit code, and the CPU is one that has it */
	bool interpreted; /* KVM is to take modes that it interprets */
	char *why;        /* one line */
	struct hv_probe *probe; /* NULL: KVM was not asked for */
};

/* Probes KVM where it may be wanted. Returns false with *error (g_free): one line,
 * when what was asked for cannot be had; never for auto. */
bool engines_choose(struct engines *engines, const struct run_options *options, char **error);
void engines_clear(struct engines *engines);

/* What the user should know of this choice before it disappoints: one line (g_free), or
 * NULL. */
char *engines_caution(const struct engines *engines);

/* What policy.h wants to know of costs, from the probe; speed is that of the slowest
 * mode that KVM takes over. Kind and threshold are left open. All 0 without KVM. */
struct policy_config engines_costs(const struct engines *engines, struct engine *kvm);

/* What auto does on a host: true for hybrid. *why (g_free) says why. */
bool engines_auto(const struct hv_probe *probe, char **why);

/* The KVM engine on the board's wires, inline. Freed by ops->free, before the
 * board. Returns NULL with *error (g_free). */
struct engine *engines_open_kvm(const struct engines *engines, const struct run_options *options, struct pc *pc, char **error);

#endif
