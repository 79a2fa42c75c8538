#include "shared/conduct.h"

#include <inttypes.h>

#include <glib.h>

#include "shared/trace.h"

/* Real time: how long devices may wait for the next boundary. */
#define REAL_INSNS 20000u
#define MAX_INSNS  1000000u
/* A CPU that halted with interrupts off waits so long for an NMI or SMI that a
 * timer may bring, in guest ns. */
#define HALT_GRACE 1000000000u

#define NO_CHANNEL UINT_MAX
#define EMULATOR   1u /* where there are two */

struct conduct {
	struct conduct_config config;
	struct conduct_stats stats;
	unsigned last; /* channel that ran last */
	void (*debug_stop)(void *debugger, enum stop_reason reason); /* NULL: no debugger */
	void *debugger;
	bool unwanted; /* it wanted to give the context away, but nobody else takes it */
	bool stops_at_handovers;
	unsigned next; /* stopped there: the channel that gets the context */
	struct policy *policy; /* of ours, where none was given */
	bool wanted;   /* the emulator may give the context away now */
	uint64_t give_up; /* when a CPU that halted with interrupts off has halted for good; 0: it has not */
};

struct conduct *conduct_new(const struct conduct_config *config)
{
	struct conduct *conduct = g_new0(struct conduct, 1);
	conduct->config = *config;
	conduct->last = conduct->next = NO_CHANNEL;
	const struct policy_config rule = { .kind = POLICY_V2E, .threshold = config->threshold };
	if (!config->policy)
		conduct->config.policy = conduct->policy = policy_new(&rule);
	return conduct;
}

void conduct_free(struct conduct *conduct)
{
	policy_free(conduct->policy);
	g_free(conduct);
}

const struct conduct_stats *conduct_stats(const struct conduct *conduct)
{
	return &conduct->stats;
}

void conduct_set_transitions(struct conduct *conduct, struct transition_log *transitions)
{
	conduct->config.transitions = transitions;
}

void conduct_set_debugger(struct conduct *conduct, void (*stop)(void *debugger, enum stop_reason reason), void *debugger)
{
	conduct->debug_stop = stop;
	conduct->debugger = debugger;
}

void conduct_stop_at_handovers(struct conduct *conduct)
{
	conduct->stops_at_handovers = true;
}

bool conduct_is_at_handover(const struct conduct *conduct)
{
	return conduct->next != NO_CHANNEL;
}

static bool pin_is_set(const bool *pin)
{
	return __atomic_load_n(pin, __ATOMIC_ACQUIRE);
}

static bool take_pin(bool *pin)
{
	return __atomic_exchange_n(pin, false, __ATOMIC_ACQ_REL);
}

void conduct_stop(struct conduct *conduct)
{
	const struct conduct_config *config = &conduct->config;
	__atomic_store_n(&config->pins->stop, true, __ATOMIC_RELEASE);
	cpu_pins_attend(config->pins);
	for (unsigned n = 0; n < config->channels; n++) {
		struct engine *engine = config->channel[n]->engine;
		engine->ops->kick(engine);
	}
	clock_wake(config->clock);
}

/* --- one request ------------------------------------------------------------ */

static bool can_run(const struct conduct *conduct, unsigned n)
{
	struct engine *engine = conduct->config.channel[n]->engine;
	return engine->ops->can_run(engine, conduct->config.ctx);
}

static bool heeds_debugger(const struct conduct *conduct, unsigned n)
{
	return !conduct->config.ctx->debug.armed || !conduct->config.channel[n]->engine->ops->no_debug;
}

/* An engine keeps the context until it says that the guest crossed the border; the
 * emulator, until the policy does. */
static bool stays(const struct conduct *conduct)
{
	return conduct->last != NO_CHANNEL && !conduct->unwanted && !conduct->wanted && heeds_debugger(conduct, conduct->last) &&
	       can_run(conduct, conduct->last);
}

static unsigned first_that_can(const struct conduct *conduct, bool heeding)
{
	for (unsigned n = 0; n < conduct->config.channels; n++)
		if (heeds_debugger(conduct, n) == heeding && can_run(conduct, n))
			return n;
	return NO_CHANNEL;
}

static unsigned pick_channel(const struct conduct *conduct)
{
	if (stays(conduct))
		return conduct->last;
	unsigned n = first_that_can(conduct, true);
	return n != NO_CHANNEL ? n : first_that_can(conduct, false);
}

/* Being asked may change what an engine answers, so it is done once. True: the run
 * stops here, and goes on with this channel. */
static bool pick_next(struct conduct *conduct, unsigned *n)
{
	*n = conduct->next != NO_CHANNEL ? conduct->next : pick_channel(conduct);
	bool stops = conduct->stops_at_handovers && conduct->next == NO_CHANNEL && *n != conduct->last &&
	             *n != NO_CHANNEL && conduct->last != NO_CHANNEL;
	conduct->next = stops ? *n : NO_CHANNEL;
	return stops;
}

static uint64_t insns_to_deadline(struct clock *clock)
{
	if (clock_kind(clock) == CLOCK_KIND_REAL)
		return REAL_INSNS;
	uint64_t deadline = clock_next_deadline(clock), now = clock_now(clock);
	if (deadline == CLOCK_NEVER)
		return MAX_INSNS;
	uint64_t ns = deadline > now ? deadline - now : 0;
	uint64_t insns = ns / CLOCK_NS_PER_INSN + (ns % CLOCK_NS_PER_INSN != 0);
	return CLAMP(insns, 1, MAX_INSNS);
}

static const char *engine_name(const struct conduct *conduct, unsigned n)
{
	return conduct->config.channel[n]->engine->ops->name;
}

/* As JSON, transition.c has more to say when the request is over. */
static void trace_switch(const struct conduct *conduct, unsigned n)
{
	const struct ctx *ctx = conduct->config.ctx;
	struct trace_event event;
	if (trace_is_json())
		return;
	trace_begin(&event, "switch");
	trace_text(&event, "switch %s -> %s: %s ", engine_name(conduct, conduct->last), engine_name(conduct, n), ctx_mode_name(ctx));
	trace_place(&event, ctx, ctx->rip);
	trace_text(&event, " after %s", stop_reason_name(ctx->stop_reason));
	trace_emit(&event);
}

/* The first engine of a run enters nothing that another one left. An engine that
 * gets back what it gave away is left alone until its budget is used up. */
static void enter(struct conduct *conduct, unsigned n)
{
	struct ctx *ctx = conduct->config.ctx;
	struct engine *engine = conduct->config.channel[n]->engine;
	conduct->unwanted = conduct->last == n && (conduct->unwanted || conduct->wanted) && !ctx_is_real(ctx);
	if (conduct->unwanted)
		policy_forget(conduct->config.policy);
	if (conduct->last == n)
		return;
	if (conduct->last != NO_CHANNEL) {
		if (log_trace_mask & LOG_TRACE_SWITCH)
			trace_switch(conduct, n);
		conduct->stats.handovers++;
		if (conduct->config.transitions)
			transition_log_add(conduct->config.transitions, ctx, engine_name(conduct, conduct->last),
			                   engine_name(conduct, n), n == EMULATOR, clock_now(conduct->config.clock));
		conduct->stats.handover[conduct->last][ctx->stop_reason]++;
		ctx->sequence++;
		engine->ops->new_epoch(engine);
	}
	conduct->last = n;
}

static enum stop_reason call(const struct conduct *conduct, struct channel *channel)
{
	struct transition_log *log = conduct->config.transitions;
	struct ctx *ctx = conduct->config.ctx;
	bool measured = !channel->ops->is_call;
	ctx->timed = log || (measured && policy_is_timed(conduct->config.policy));
	if (!log)
		return channel_call(channel, ctx, CTX_EMULATE);
	uint64_t start = measured ? channel_host_ns() : 0;
	enum stop_reason reason = channel_call(channel, ctx, CTX_EMULATE);
	transition_log_ran(log, ctx, measured ? channel_host_ns() - start : 0);
	return reason;
}

/* What the other engine ran goes on behind it. */
static bool is_of_the_guest(const struct conduct *conduct, enum stop_reason reason)
{
	return reason == STOP_MODE || reason == STOP_HALT || (reason == STOP_KICK && pin_is_set(&conduct->config.pins->stop));
}

static enum stop_reason run_channel(struct conduct *conduct, unsigned n)
{
	const struct conduct_config *config = &conduct->config;
	struct conduct_stats *stats = &conduct->stats;
	struct ctx *ctx = config->ctx;
	enter(conduct, n);
	ctx->limit_insns = insns_to_deadline(config->clock);
	/* With one engine there is nobody to hand over to. */
	bool may_leave = config->channels > 1 && !conduct->unwanted;
	ctx->limit_blocks = UINT64_MAX;
	ctx->stays = 0;
	if (!ctx->halted)
		conduct->give_up = 0;
	if (may_leave && n == EMULATOR)
		policy_before(config->policy, ctx);
	enum stop_reason reason = call(conduct, config->channel[n]);
	conduct->wanted = reason == STOP_MODE;
	if (may_leave && n == EMULATOR)
		conduct->wanted = policy_after(config->policy, ctx, reason);
	else if (!is_of_the_guest(conduct, reason))
		policy_forget(config->policy);
	stats->runs[n]++;
	stats->insns += ctx->insns_run;
	stats->blocks += ctx->blocks_run;
	stats->stops[reason]++;
	return reason;
}

/* --- HLT ---------------------------------------------------------------------- */

static bool wakes(const struct cpu_pins *pins, const struct ctx *ctx)
{
	return (pin_is_set(&pins->intr) && (ctx->rflags & CTX_EFLAGS_IF)) ||
	       (pin_is_set(&pins->nmi) && !ctx->nmi_masked) ||
	       (pin_is_set(&pins->smi) && !ctx->smm) ||
	       (pin_is_set(&pins->init) && !ctx->smm) || pin_is_set(&pins->reset);
}

/* Stopping to look at a halted CPU puts nothing off; what wakes it does. */
static uint64_t find_give_up(struct conduct *conduct)
{
	if (conduct->config.ctx->rflags & CTX_EFLAGS_IF)
		conduct->give_up = CLOCK_NEVER;
	else if (!conduct->give_up || conduct->give_up == CLOCK_NEVER)
		conduct->give_up = clock_now(conduct->config.clock) + HALT_GRACE;
	return conduct->give_up;
}

/* Lets time pass until a pin wakes the CPU; false: none ever will. In real time
 * a CPU that takes interrupts may also be woken from outside. */
static bool wait_halted(struct conduct *conduct)
{
	const struct conduct_config *config = &conduct->config;
	struct clock *clock = config->clock;
	bool interrupts = config->ctx->rflags & CTX_EFLAGS_IF;
	bool outside = interrupts && clock_kind(clock) == CLOCK_KIND_REAL;
	uint64_t give_up = find_give_up(conduct);
	while (!wakes(config->pins, config->ctx)) {
		if (pin_is_set(&config->pins->stop))
			return true;
		uint64_t deadline = clock_next_deadline(clock);
		if (deadline == CLOCK_NEVER ? !outside : deadline > give_up)
			return false;
		clock_wait_until(clock, deadline);
		clock_run_due(clock);
	}
	conduct->give_up = 0;
	return true;
}

/* Time that nobody runs is no cost. */
static bool sleep_halted(struct conduct *conduct)
{
	policy_pause(conduct->config.policy);
	bool woken = wait_halted(conduct);
	policy_resume(conduct->config.policy);
	return woken;
}

/* --- the loop ------------------------------------------------------------------- */

static bool reset_board(struct conduct *conduct, bool from_shutdown)
{
	const struct conduct_config *config = &conduct->config;
	const struct debug_request debug = config->ctx->debug;
	conduct->next = NO_CHANNEL;
	conduct->wanted = false;
	policy_forget(config->policy);
	if (!config->reset(config->owner, from_shutdown))
		return false;
	config->ctx->debug = debug;
	conduct->stats.resets++;
	if (config->transitions)
		transition_log_reset(config->transitions);
	return true;
}

static void tell_debugger(struct conduct *conduct, enum stop_reason reason)
{
	const struct conduct_config *config = &conduct->config;
	if (!conduct->debug_stop)
		return;
	cpu_pins_fetch_all(config->pins, config->ctx);
	conduct->debug_stop(conduct->debugger, reason);
}

static enum conduct_end report(const struct conduct *conduct, const char *what)
{
	const struct ctx *ctx = conduct->config.ctx;
	log_error("%s: %s mode, CS:IP %04x:%08" PRIx64 " (base %08" PRIx64 "), detail %u", what,
	          ctx_mode_name(ctx), ctx->seg[CTX_CS].selector, ctx->rip, ctx->seg[CTX_CS].base,
	          ctx->stop_detail);
	return CONDUCT_ERROR;
}

/* Why a run has to end, or -1 when it goes on. */
static int see_to_stop(struct conduct *conduct, unsigned n, enum stop_reason reason)
{
	switch (reason) {
	case STOP_HALT:
		return sleep_halted(conduct) ? -1 : CONDUCT_HALTED;
	case STOP_DEBUG:
		tell_debugger(conduct, reason);
		break;
	case STOP_HELD:
		return CONDUCT_STOPPED;
	case STOP_SHUTDOWN:
		tell_debugger(conduct, reason);
		return reset_board(conduct, true) ? -1 : CONDUCT_SHUTDOWN;
	case STOP_NONE:
	case STOP_ERROR:
	case STOP_REASONS:
		return report(conduct, engine_name(conduct, n));
	case STOP_BUDGET:
	case STOP_MODE:
	case STOP_KICK:
		break;
	}
	return -1;
}

static const char *no_engine(const struct ctx *ctx)
{
	if (ctx->efer & CTX_EFER_LMA)
		return "the guest has switched to 64-bit mode, which nothing here can run (v2e probe tells what KVM can)";
	return "no engine can run this";
}

static int step(struct conduct *conduct)
{
	struct cpu_pins *pins = conduct->config.pins;
	if (take_pin(&pins->stop))
		return CONDUCT_STOPPED;
	if (take_pin(&pins->reset) && !reset_board(conduct, false))
		return CONDUCT_SHUTDOWN;
	unsigned n;
	if (pick_next(conduct, &n))
		return CONDUCT_STOPPED;
	if (n == NO_CHANNEL)
		return report(conduct, no_engine(conduct->config.ctx));
	enum stop_reason reason = run_channel(conduct, n);
	clock_run_due(conduct->config.clock);
	return see_to_stop(conduct, n, reason);
}

enum conduct_end conduct_run(struct conduct *conduct)
{
	int end;
	policy_resume(conduct->config.policy);
	do
		end = step(conduct);
	while (end < 0);
	policy_pause(conduct->config.policy);
	cpu_pins_fetch_all(conduct->config.pins, conduct->config.ctx);
	return (enum conduct_end)end;
}
