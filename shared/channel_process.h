/* A channel to an engine that runs in a process of its own. That process maps the
 * context page and guest memory, has no other files and few system calls, and
 * asks for all else: ports, MMIO, INTA, SMIACT#, messages. It may die at any time. */
#ifndef V2E_SHARED_CHANNEL_PROCESS_H
#define V2E_SHARED_CHANNEL_PROCESS_H

#include <sys/types.h>

#include "shared/bus.h"
#include "shared/channel.h"
#include "shared/clock.h"
#include "shared/irq.h"
#include "shared/mem.h"

/* What an engine in the other process is built of. A clock of real time shows the
 * same time there; one of virtual time is kept in step. */
struct channel_process_parts {
	struct mem *mem;
	struct bus *bus;
	struct clock *clock;
	struct cpu_pins *pins;
	void (*set_smm)(void *owner, bool in_smm);
	void *owner; /* of set_smm */
};

struct channel_process_config {
	const char *name; /* of the engine; must outlive the channel */
	/* This process's own ends; not owned, must outlive the channel. */
	struct channel_process_parts parts;
	/* Called in the new process. NULL with *error (g_free). */
	struct engine *(*build)(void *owner, const struct channel_process_parts *parts, char **error);
	void *owner;
};

/* Forks, so call it before threads are made, and before much is in memory: what
 * is there then stays visible to the other process. The channel owns its
 * `engine`, a stand-in for the one over there. Returns NULL with *error (g_free).
 * When the process dies, or breaks the rules, that is logged once and requests
 * end with STOP_ERROR; stop_detail is the number of the signal, or 0. */
struct channel *channel_new_process(const struct channel_process_config *config, char **error);

/* The other process, for tests and messages. */
pid_t channel_process_pid(const struct channel *channel);

#endif
