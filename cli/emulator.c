#include "cli/emulator.h"

#include <errno.h>
#include <string.h>

#include "emu/emu.h"
#include "shared/channel_thread.h"
#include "shared/trace.h"
#include "trace/calls.h"

static void set_smm(void *owner, bool in_smm)
{
	pc_set_smm(owner, in_smm);
}

static struct channel_process_parts board_parts(struct pc *pc)
{
	return (struct channel_process_parts){
		.mem = pc_mem(pc), .bus = pc_bus(pc), .clock = pc_clock(pc), .pins = pc_pins(pc),
		.set_smm = set_smm, .owner = pc,
	};
}

struct order {
	const struct run_options *options;
	const struct engines *engines;
};

static struct engine *build(void *owner, const struct channel_process_parts *parts, char **error)
{
	const struct order *order = owner;
	const struct run_options *options = order->options;
	struct emu_config config = {
		.mem = parts->mem, .bus = parts->bus, .clock = parts->clock, .pins = parts->pins,
		.cpu = order->engines->cpu, .long_mode = order->engines->long_mode, .jit = options->jit,
		.jit_bytes = options->jit_cache, .dump = options->dump, .emitters_off = options->no_emit,
		.set_smm = parts->set_smm, .owner = parts->owner, .watches = options->trace_watches,
	};
	memcpy(config.watch, options->trace_watch, sizeof config.watch);
	if (options->trace & LOG_TRACE_INT)
		config.watcher = trace_calls_new();
	/* In a process of its own the clock is another. */
	trace_set_clock(parts->clock);
	return emu_new(&config, error);
}

static struct channel *open_process(struct order *order, const struct channel_process_parts *parts, char **error)
{
	const struct channel_process_config config = {
		.name = "emu", .parts = *parts, .build = build, .owner = order,
	};
	char *problem = NULL;
	struct channel *channel = channel_new_process(&config, &problem);
	if (!channel)
		*error = g_strdup_printf("--channel process: %s; another channel may do", problem);
	g_free(problem);
	return channel;
}

static struct channel *open_near(enum run_channel kind, struct engine *engine)
{
	if (kind == RUN_CHANNEL_INLINE)
		return channel_new_inline(engine);
	return channel_new_thread(engine, kind == RUN_CHANNEL_EVENTFD ? CHANNEL_EVENTFD : CHANNEL_FUTEX);
}

struct channel *emulator_open_parts(const struct run_options *options, const struct engines *engines, const struct channel_process_parts *parts, struct engine **engine, char **error)
{
	struct order order = { options, engines };
	*engine = NULL;
	if (options->channel == RUN_CHANNEL_PROCESS)
		return open_process(&order, parts, error);
	if (!(*engine = build(&order, parts, error)))
		return NULL;
	struct channel *channel = open_near(options->channel, *engine);
	if (!channel)
		*error = g_strdup_printf("the emulator's channel cannot start: %s; free some memory", g_strerror(errno));
	return channel;
}

struct channel *emulator_open(const struct run_options *options, const struct engines *engines, struct pc *pc, struct engine **engine, char **error)
{
	const struct channel_process_parts parts = board_parts(pc);
	return emulator_open_parts(options, engines, &parts, engine, error);
}
