/* A whole machine out of options: board, engine, conductor, and the host's ends
 * of its ports. */
#ifndef V2E_CLI_MACHINE_H
#define V2E_CLI_MACHINE_H

#include "cli/engines.h"
#include "cli/payload.h"
#include "cli/run_options.h"
#include "cli/script.h"
#include "cli/setup.h"
#include "devmodel/chardev.h"
#include "devmodel/pc.h"
#include "shared/conduct.h"

/* The RTC's first second in virtual time: 2020-01-01 00:00:00 UTC. */
#define MACHINE_VIRTUAL_DATE INT64_C(1577836800)

struct machine {
	struct clock *clock;
	struct chardev *serial[PC_SERIAL];
	struct chardev *debug; /* NULL: no --debugcon */
	struct chardev *console; /* virtio; NULL: none */
	struct payload payload;
	struct network *network; /* NULL: none */
	struct pc *pc;
	struct engine *engine; /* NULL: the channel owns it */
	struct channel *channel;
	struct engine *kvm;    /* NULL: the emulator alone */
	struct channel *kvm_channel;
	struct engines engines;
	struct policy *policy;       /* NULL: none is asked for */
	struct conduct *conduct;
	struct transition_log *transitions; /* NULL: nobody wants them */
	struct surface *surface; /* scratch for pictures */
	void (*attend)(void *attendant); /* NULL: none */
	void *attendant;
	bool attend_due;
	struct setup setup;      /* what it was built from */
	struct boot_plan start;  /* of a restored machine whose kernel needs no firmware; else zeros */
};

/* Opens firmware and images, builds and resets. `options` need not outlive it.
 * Returns NULL with *error (g_free): one line with the remedy. */
struct machine *machine_new(const struct run_options *options, char **error);
/* The like of a saved machine, whose setup comes before what `options` says; media
 * that `options` names come before those of the setup. */
struct machine *machine_new_like(const struct setup *setup, const struct run_options *options, char **error);
/* Flushes the disks. NULL is fine. */
void machine_free(struct machine *machine);

/* Moves bytes between the ports and the host; every few ms of guest time. */
void machine_poll_ports(struct machine *machine);

/* Who looks at the guest while it runs, with a complete page. KVM fires timers while
 * it holds the guest's state, so from a timer machine_attend() calls `attend` at once
 * or, with KVM, has machine_run() call it as soon as KVM has let go. `attend` may
 * end the run by conduct_stop(). */
void machine_set_attendant(struct machine *machine, void (*attend)(void *attendant), void *attendant);
void machine_attend(struct machine *machine);
/* What machine_run() does, for who runs timers while no engine runs. */
void machine_attend_due(struct machine *machine);
/* conduct_run() with an attendant. */
enum conduct_end machine_run(struct machine *machine);

/* What to start without firmware, if anything: saves it or loads it. */
void machine_start_state(struct machine *machine, struct snap *snap);

/* Screen and keyboard, for a script. */
struct script_guest machine_guest(struct machine *machine);

#endif
