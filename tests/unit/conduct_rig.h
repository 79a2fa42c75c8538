/* A conductor between two engines that play back how their requests end. */
#ifndef V2E_TESTS_CONDUCT_RIG_H
#define V2E_TESTS_CONDUCT_RIG_H

#include <check.h>
#include <string.h>

#include "shared/conduct.h"

/* An engine that plays back how its requests end. */
struct fake {
	struct engine engine;
	const char *script;   /* a letter for each request, see play() */
	uint64_t limit[16];   /* limit_insns of each */
	uint64_t blocks[16];  /* limit_blocks */
	unsigned runs, kicks, epochs;
	bool timed;           /* ctx.timed of the last one */
	bool real_only;       /* can_run() */
	bool protected_only;
	bool never;
};

static struct ctx page;
static struct clock *clock;
static struct cpu_pins pins;
static struct fake a, b;
static struct channel *channels[2];
static struct conduct *conduct;
static struct clock_timer *timer;
static unsigned resets, fired;
static bool reset_from_shutdown, reset_goes_on;

static inline bool fake_can_run(struct engine *engine, const struct ctx *ctx)
{
	struct fake *fake = (struct fake *)engine;
	return !fake->never && (!fake->real_only || ctx_is_real(ctx)) && (!fake->protected_only || !ctx_is_real(ctx));
}

static inline void leave_real_mode(struct ctx *ctx)
{
	ctx->cr0 |= CTX_CR0_PE;
	for (unsigned n = CTX_ES; n <= CTX_GS; n++)
		ctx->seg[n].access &= ~CTX_SEG_REAL;
}

static inline enum stop_reason play(struct ctx *ctx, char letter)
{
	switch (letter) {
	case 'h': /* HLT, unless a pin keeps it awake */
		ctx->halted = 1;
		return STOP_HALT;
	case 'n': /* takes an NMI, and HLT again */
		pins.nmi = false;
		ctx->halted = 1;
		return STOP_HALT;
	case 'p':
		leave_real_mode(ctx);
		return STOP_MODE;
	case 'r':
		ctx->cr0 &= ~(uint64_t)CTX_CR0_PE;
		return STOP_MODE;
	case 'k':
		return STOP_KICK;
	case 'R':
		pins.reset = true;
		return STOP_KICK;
	case 's':
		return STOP_SHUTDOWN;
	case 'H':
		return STOP_HELD;
	case 'e':
		ctx->stop_detail = 42;
		return STOP_ERROR;
	case 'f': /* these two keep parts of the state */
	case 'd':
		ctx->fpu_present = 0;
		ctx->dr6_kept = 1;
		return letter == 'd' ? STOP_DEBUG : STOP_KICK;
	case '?':
		return (enum stop_reason)99;
	case '\0':
		conduct_stop(conduct);
		return STOP_KICK;
	default:
		return STOP_BUDGET;
	}
}

static inline enum stop_reason fake_run(struct engine *engine, struct ctx *ctx)
{
	struct fake *fake = (struct fake *)engine;
	ck_assert_uint_eq(ctx->request_type, CTX_EMULATE);
	ck_assert_uint_eq(ctx->request_state, CTX_IN_PROCESS);
	ck_assert_uint_eq(ctx->insns_run, 0);
	ck_assert_uint_eq(ctx->blocks_run, 0);
	if (fake->runs < 16)
		fake->limit[fake->runs] = ctx->limit_insns, fake->blocks[fake->runs] = ctx->limit_blocks;
	fake->runs++;
	fake->timed = ctx->timed;
	char letter = *fake->script;
	if (letter)
		fake->script++;
	ctx->insns_run = letter == 'b' ? ctx->limit_insns : 3;
	ctx->blocks_run = 1;
	clock_add_insns(clock, ctx->insns_run);
	return play(ctx, letter);
}

static inline void fake_kick(struct engine *engine)
{
	((struct fake *)engine)->kicks++;
}

static inline void fake_epoch(struct engine *engine)
{
	((struct fake *)engine)->epochs++;
}

static const struct engine_ops fake_ops = {
	.name = "fake", .can_run = fake_can_run, .run = fake_run, .kick = fake_kick, .new_epoch = fake_epoch,
};

static inline bool reset(void *owner, bool from_shutdown)
{
	ck_assert_ptr_eq(owner, &page);
	resets++;
	reset_from_shutdown = from_shutdown;
	if (reset_goes_on)
		ctx_reset(&page, 0);
	return reset_goes_on;
}

static inline void fire(void *owner)
{
	(void)owner;
	fired++;
}

static inline void fire_intr(void *owner)
{
	fire(owner);
	pins.intr = true;
}

static inline void fire_nmi(void *owner)
{
	fire(owner);
	pins.nmi = true;
}

static inline void fire_every_ms(void *owner)
{
	fire(owner);
	clock_timer_set(timer, clock_now(clock) + 1000000);
}

static inline void fire_stop(void *owner)
{
	fire(owner);
	conduct_stop(conduct);
}

static inline void let_a_run(void *owner)
{
	fire(owner);
	a.never = false;
}

static inline void new_conduct_with(enum clock_kind kind, const char *script_a, const char *script_b, struct channel *to_b, struct policy *policy)
{
	clock = clock_new(kind);
	a.script = script_a;
	b.script = script_b;
	channels[0] = channel_new_inline(&a.engine);
	channels[1] = to_b;
	const struct conduct_config config = {
		.ctx = &page, .clock = clock, .pins = &pins, .channel = { channels[0], channels[1] },
		.channels = 2, .policy = policy, .reset = reset, .owner = &page,
	};
	conduct = conduct_new(&config);
}

static inline void new_conduct(enum clock_kind kind, const char *script_a, const char *script_b)
{
	new_conduct_with(kind, script_a, script_b, channel_new_inline(&b.engine), NULL);
}

static inline void new_timer(void (*call)(void *owner), uint64_t deadline)
{
	timer = clock_timer_new(clock, call, NULL);
	clock_timer_set(timer, deadline);
}

static inline void setup(void)
{
	ctx_reset(&page, 0);
	memset(&pins, 0, sizeof pins);
	a = b = (struct fake){ .engine = { &fake_ops } };
	b.real_only = false;
	a.real_only = true;
	timer = NULL;
	resets = fired = 0;
	reset_goes_on = true;
}

static inline void teardown(void)
{
	clock_timer_free(timer);
	conduct_free(conduct);
	channel_free(channels[0]);
	channel_free(channels[1]);
	clock_free(clock);
}

static inline const struct conduct_stats *stats(void)
{
	return conduct_stats(conduct);
}

#endif
