#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/conduct.h"
#include "shared/log.h"

/* An engine that plays back how its requests end. */
struct fake {
	struct engine engine;
	const char *script;   /* a letter for each request, see play() */
	uint64_t limit[16];   /* limit_insns of each */
	uint64_t blocks[16];  /* limit_blocks */
	unsigned runs, kicks, epochs;
	bool real_only;       /* can_run() */
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

static bool fake_can_run(struct engine *engine, const struct ctx *ctx)
{
	struct fake *fake = (struct fake *)engine;
	return !fake->never && (!fake->real_only || ctx_is_real(ctx));
}

static void leave_real_mode(struct ctx *ctx)
{
	ctx->cr0 |= CTX_CR0_PE;
	for (unsigned n = CTX_ES; n <= CTX_GS; n++)
		ctx->seg[n].access &= ~CTX_SEG_REAL;
}

static enum stop_reason play(struct ctx *ctx, char letter)
{
	switch (letter) {
	case 'h': /* HLT, unless a pin keeps it awake */
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

static enum stop_reason fake_run(struct engine *engine, struct ctx *ctx)
{
	struct fake *fake = (struct fake *)engine;
	ck_assert_uint_eq(ctx->request_type, CTX_EMULATE);
	ck_assert_uint_eq(ctx->request_state, CTX_IN_PROCESS);
	ck_assert_uint_eq(ctx->insns_run, 0);
	ck_assert_uint_eq(ctx->blocks_run, 0);
	if (fake->runs < 16)
		fake->limit[fake->runs] = ctx->limit_insns, fake->blocks[fake->runs] = ctx->limit_blocks;
	fake->runs++;
	char letter = *fake->script;
	if (letter)
		fake->script++;
	ctx->insns_run = letter == 'b' ? ctx->limit_insns : 3;
	ctx->blocks_run = 1;
	clock_add_insns(clock, ctx->insns_run);
	return play(ctx, letter);
}

static void fake_kick(struct engine *engine)
{
	((struct fake *)engine)->kicks++;
}

static void fake_epoch(struct engine *engine)
{
	((struct fake *)engine)->epochs++;
}

static const struct engine_ops fake_ops = {
	.name = "fake", .can_run = fake_can_run, .run = fake_run, .kick = fake_kick, .new_epoch = fake_epoch,
};

static bool reset(void *owner, bool from_shutdown)
{
	ck_assert_ptr_eq(owner, &page);
	resets++;
	reset_from_shutdown = from_shutdown;
	if (reset_goes_on)
		ctx_reset(&page, 0);
	return reset_goes_on;
}

static void fire(void *owner)
{
	(void)owner;
	fired++;
}

static void fire_intr(void *owner)
{
	fire(owner);
	pins.intr = true;
}

static void fire_nmi(void *owner)
{
	fire(owner);
	pins.nmi = true;
}

static void fire_every_ms(void *owner)
{
	fire(owner);
	clock_timer_set(timer, clock_now(clock) + 1000000);
}

static void fire_stop(void *owner)
{
	fire(owner);
	conduct_stop(conduct);
}

static void let_a_run(void *owner)
{
	fire(owner);
	a.never = false;
}

static void new_conduct(enum clock_kind kind, const char *script_a, const char *script_b)
{
	clock = clock_new(kind);
	a.script = script_a;
	b.script = script_b;
	channels[0] = channel_new_inline(&a.engine);
	channels[1] = channel_new_inline(&b.engine);
	const struct conduct_config config = {
		.ctx = &page, .clock = clock, .pins = &pins, .channel = { channels[0], channels[1] },
		.channels = 2, .reset = reset, .owner = &page,
	};
	conduct = conduct_new(&config);
}

static void new_timer(void (*call)(void *owner), uint64_t deadline)
{
	timer = clock_timer_new(clock, call, NULL);
	clock_timer_set(timer, deadline);
}

static void setup(void)
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

static void teardown(void)
{
	clock_timer_free(timer);
	conduct_free(conduct);
	channel_free(channels[0]);
	channel_free(channels[1]);
	clock_free(clock);
}

static const struct conduct_stats *stats(void)
{
	return conduct_stats(conduct);
}

START_TEST(stop_ends_and_may_go_on)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "bk", "");
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(a.runs, 3);
	ck_assert(!pins.stop);
	ck_assert(atomic_load(&pins.attention));
	ck_assert_uint_eq(a.kicks, 1);
	ck_assert_uint_eq(b.kicks, 1);
	ck_assert_uint_eq(page.request_state, CTX_IDLE);
	a.script = "kk";
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(a.runs, 6);
	conduct_stop(conduct);
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(a.runs, 6);
}
END_TEST

/* Who looks at the page when nothing runs finds all of it there. */
static unsigned parts_fetched;

static void fetch(void *keeper, struct ctx *ctx, enum ctx_part part)
{
	(void)ctx;
	ck_assert_ptr_eq(keeper, &a);
	parts_fetched |= 1u << part;
}

static void stop_debugged(void *debugger, enum stop_reason reason)
{
	(void)reason;
	ck_assert_ptr_eq(debugger, &b);
	ck_assert_uint_eq(parts_fetched, 1u << CTX_PART_FPU | 1u << CTX_PART_DR6);
	fired++;
	conduct_stop(conduct);
}

START_TEST(kept_state_is_fetched)
{
	new_conduct(CLOCK_KIND_VIRTUAL, _i ? "d" : "f", "");
	pins.fetch = fetch;
	pins.keeper = &a;
	parts_fetched = 0;
	if (_i)
		conduct_set_debugger(conduct, stop_debugged, &b);
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(parts_fetched, 1u << CTX_PART_FPU | 1u << CTX_PART_DR6);
	ck_assert(page.fpu_present && !page.dr6_kept);
	ck_assert_uint_eq(fired, (unsigned)_i);
}
END_TEST

START_TEST(engines_by_mode)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "kpkp", "kr");
	b.script = "kr";
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	/* a: k p, b: k r, a: k p, b: end */
	ck_assert_uint_eq(a.runs, 4);
	ck_assert_uint_eq(b.runs, 3);
	ck_assert_uint_eq(stats()->handovers, 3);
	ck_assert_uint_eq(page.sequence, 3);
	ck_assert_uint_eq(a.epochs, 1);
	ck_assert_uint_eq(b.epochs, 2);
	ck_assert_uint_eq(stats()->runs[0], 4);
	ck_assert_uint_eq(stats()->runs[1], 3);
	ck_assert_uint_eq(stats()->stops[STOP_MODE], 3);
	ck_assert_uint_eq(stats()->stops[STOP_KICK], 4);
	ck_assert_uint_eq(stats()->insns, 7 * 3);
	ck_assert_uint_eq(stats()->blocks, 7);
}
END_TEST

START_TEST(stops_at_handovers)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "kpk", "r");
	conduct_stop_at_handovers(conduct);
	ck_assert(!conduct_is_at_handover(conduct));
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert(conduct_is_at_handover(conduct));
	ck_assert_uint_eq(a.runs, 2);
	ck_assert_uint_eq(b.runs, 0);
	ck_assert_uint_eq(stats()->handovers, 0);
	/* The answer of before counts, also when it would be another one now. */
	b.never = true;
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert(conduct_is_at_handover(conduct));
	ck_assert_uint_eq(b.runs, 1);
	ck_assert_uint_eq(stats()->handovers, 1);
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert(!conduct_is_at_handover(conduct));
	ck_assert_uint_eq(a.runs, 4);
	ck_assert_uint_eq(stats()->handovers, 2);
}
END_TEST

/* A reset in between: the hand-over is not due any more. */
START_TEST(reset_at_a_handover)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "pk", "k");
	conduct_stop_at_handovers(conduct);
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	pins.reset = true;
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(resets, 1);
	ck_assert_uint_eq(a.runs, 3);
	ck_assert_uint_eq(b.runs, 0);
}
END_TEST

START_TEST(held_ends)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "kHk", "");
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(a.runs, 2);
	ck_assert_uint_eq(page.stop_reason, STOP_HELD);
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(a.runs, 4);
}
END_TEST

/* `a` comes first, but what runs keeps the context until it gives it away. */
START_TEST(engines_keep_the_context)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "", "kr");
	a.real_only = false;
	a.never = true;
	new_timer(let_a_run, 1);
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(fired, 1);
	ck_assert_uint_eq(b.runs, 2);
	ck_assert_uint_eq(a.runs, 1);
	ck_assert_uint_eq(stats()->handovers, 1);
	ck_assert_uint_eq(stats()->handover[1][STOP_MODE], 1);
	ck_assert_uint_eq(stats()->handover[0][STOP_MODE], 0);
}
END_TEST

/* Gives the context away, and nobody takes it: it is not asked again before its
 * budget is used up. Then who could, does. */
START_TEST(nobody_wants_the_context)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "", "ppk");
	leave_real_mode(&page);
	a.real_only = false;
	a.never = true;
	new_timer(let_a_run, 9 * CLOCK_NS_PER_INSN);
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(b.runs, 3);
	ck_assert_uint_eq(b.blocks[0], 0);
	ck_assert_uint_eq(b.blocks[1], UINT64_MAX);
	ck_assert_uint_eq(b.blocks[2], UINT64_MAX);
	ck_assert_uint_eq(a.runs, 1);
	ck_assert_uint_eq(a.blocks[0], UINT64_MAX); /* which does not count them */
	ck_assert_uint_eq(stats()->handover[1][STOP_KICK], 1);
}
END_TEST

/* Real mode in between: the threshold counts anew. */
START_TEST(threshold_after_real_mode)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "", "prk");
	leave_real_mode(&page);
	a.never = true;
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(b.blocks[1], UINT64_MAX);
	ck_assert_uint_eq(b.blocks[2], 0);
}
END_TEST

START_TEST(nobody_can_run)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	new_conduct(CLOCK_KIND_VIRTUAL, "", "");
	a.never = b.never = true;
	log_set_output(out);
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_ERROR);
	log_set_output(NULL);
	fclose(out);
	ck_assert_msg(strstr(text, "real mode") && strstr(text, "f000:0000fff0"), "%s", text);
	free(text);
}
END_TEST

START_TEST(errors_end)
{
	FILE *sink = fopen("/dev/null", "w");
	log_set_output(sink);
	new_conduct(CLOCK_KIND_VIRTUAL, _i ? "k?" : "ke", "");
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_ERROR);
	ck_assert_uint_eq(stats()->stops[STOP_ERROR], 1);
	ck_assert_uint_eq(page.stop_reason, STOP_ERROR);
	log_set_output(NULL);
	fclose(sink);
}
END_TEST

START_TEST(limit_is_the_deadline)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "bbbbb", "");
	new_timer(fire, 12345);
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(a.limit[0], 1235);
	ck_assert_uint_eq(fired, 1);
	ck_assert_uint_eq(a.limit[1], 1000000);
	teardown();
	a.runs = 0;
	new_conduct(CLOCK_KIND_VIRTUAL, "bbb", "");
	new_timer(fire, 10000025);
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(a.limit[0], 1000000);
	ck_assert_uint_eq(a.limit[1], 3);
	teardown();
	a.runs = 0;
	new_conduct(CLOCK_KIND_VIRTUAL, "b", "");
	new_timer(fire, 0);
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(a.limit[0], 1);
}
END_TEST

START_TEST(limit_in_real_time)
{
	new_conduct(CLOCK_KIND_REAL, "b", "");
	new_timer(fire, 0);
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(a.limit[0], 20000);
	ck_assert_uint_eq(fired, 1);
}
END_TEST

/* --- HLT ------------------------------------------------------------------------- */

START_TEST(halt_waits_for_intr)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "hk", "");
	page.rflags |= CTX_EFLAGS_IF;
	new_timer(fire_intr, 5000000000);
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(fired, 1);
	ck_assert_uint_eq(a.runs, 3);
	ck_assert_uint_ge(clock_now(clock), 5000000000);
	ck_assert_uint_lt(clock_now(clock), 5000001000);
}
END_TEST

START_TEST(halt_without_timers)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "h", "");
	page.rflags |= _i ? CTX_EFLAGS_IF : 0;
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_HALTED);
	ck_assert_uint_eq(page.halted, 1);
	ck_assert_uint_eq(a.runs, 1);
}
END_TEST

START_TEST(halt_with_interrupts_off)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "h", "");
	new_timer(fire_every_ms, 1000000);
	pins.intr = true;
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_HALTED);
	ck_assert_uint_ge(fired, 999);
	ck_assert_uint_le(fired, 1001);
}
END_TEST

START_TEST(halt_and_nmi)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "h", "");
	page.nmi_masked = (uint32_t)_i;
	new_timer(fire_nmi, 1000);
	ck_assert_int_eq(conduct_run(conduct), _i ? CONDUCT_HALTED : CONDUCT_STOPPED);
	ck_assert_uint_eq(fired, 1);
}
END_TEST

START_TEST(halt_and_latched_pins)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "h", "");
	pins.init = _i == 0;
	pins.smi = _i == 1;
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(a.runs, 2);
}
END_TEST

START_TEST(halt_in_smm_with_smi)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "h", "");
	pins.smi = true;
	page.smm = 1;
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_HALTED);
}
END_TEST

/* Would hang, and Check would end it, were the sleep not ended by the timer. */
START_TEST(halt_in_real_time)
{
	new_conduct(CLOCK_KIND_REAL, "h", "");
	page.rflags |= CTX_EFLAGS_IF;
	new_timer(fire_stop, 1000);
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(a.runs, 1);
	a.script = "h";
	page.rflags = 2;
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_HALTED);
}
END_TEST

/* --- reset -------------------------------------------------------------------------- */

START_TEST(reset_pin)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "kRk", "");
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(resets, 1);
	ck_assert(!reset_from_shutdown);
	ck_assert(!pins.reset);
	ck_assert_uint_eq(a.runs, 4);
	ck_assert_uint_eq(stats()->resets, 1);
	reset_goes_on = false;
	a.script = "Rk";
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_SHUTDOWN);
	ck_assert_uint_eq(stats()->resets, 1);
}
END_TEST

START_TEST(shutdown)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "sk", "");
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(resets, 1);
	ck_assert(reset_from_shutdown);
	reset_goes_on = false;
	a.script = "ksk";
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_SHUTDOWN);
	ck_assert_str_eq(a.script, "k");
}
END_TEST

/* --- channel and log, which have no suite of their own ------------------------------- */

START_TEST(inline_refuses_device_requests)
{
	new_conduct(CLOCK_KIND_VIRTUAL, "", "");
	ck_assert_int_eq(channel_call(channels[0], &page, CTX_PIO), STOP_ERROR);
	ck_assert_uint_eq(page.request_state, CTX_IDLE);
	ck_assert_uint_eq(a.runs, 0);
}
END_TEST

START_TEST(trace_words)
{
	uint32_t mask = 0;
	const char *bad = NULL;
	new_conduct(CLOCK_KIND_VIRTUAL, "", "");
	ck_assert(log_parse_trace("io,guest-error,switch", &mask, &bad));
	ck_assert_uint_eq(mask, LOG_TRACE_IO | LOG_TRACE_GUEST_ERROR | LOG_TRACE_SWITCH);
	ck_assert(log_parse_trace("int,irq,block,insn", &mask, &bad));
	ck_assert_uint_eq(mask, LOG_TRACE_INT | LOG_TRACE_IRQ | LOG_TRACE_BLOCK | LOG_TRACE_INSN);
	ck_assert(!log_parse_trace("io,irqs,insn", &mask, &bad));
	ck_assert_str_eq(bad, "irqs,insn");
	ck_assert(!log_parse_trace("io,", &mask, &bad));
	ck_assert_str_eq(bad, "");
	ck_assert_uint_eq(mask, LOG_TRACE_INT | LOG_TRACE_IRQ | LOG_TRACE_BLOCK | LOG_TRACE_INSN);
}
END_TEST

START_TEST(log_lines)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	new_conduct(CLOCK_KIND_VIRTUAL, "", "");
	log_set_output(out);
	log_trace_mask = LOG_TRACE_IO;
	log_error("bad %d", 1);
	log_info("good");
	log_trace(LOG_TRACE_IO, "in %u", 5u);
	log_trace(LOG_TRACE_IRQ, "hidden");
	guest_error("i8259", "hidden");
	log_trace_mask = LOG_TRACE_GUEST_ERROR;
	guest_error("i8259", "OCW%d", 3);
	log_trace_mask = 0;
	log_set_output(NULL);
	fclose(out);
	ck_assert_str_eq(text, "v2e: error: bad 1\nv2e: good\nin 5\nguest-error i8259: OCW3\n");
	free(text);
}
END_TEST

Suite *suite_conduct(void)
{
	Suite *suite = suite_create("conduct");
	TCase *tcase = tcase_create("conduct");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, stop_ends_and_may_go_on);
	tcase_add_loop_test(tcase, kept_state_is_fetched, 0, 2);
	tcase_add_test(tcase, engines_by_mode);
	tcase_add_test(tcase, stops_at_handovers);
	tcase_add_test(tcase, reset_at_a_handover);
	tcase_add_test(tcase, held_ends);
	tcase_add_test(tcase, engines_keep_the_context);
	tcase_add_test(tcase, nobody_wants_the_context);
	tcase_add_test(tcase, threshold_after_real_mode);
	tcase_add_test(tcase, nobody_can_run);
	tcase_add_loop_test(tcase, errors_end, 0, 2);
	tcase_add_test(tcase, limit_is_the_deadline);
	tcase_add_test(tcase, limit_in_real_time);
	tcase_add_test(tcase, halt_waits_for_intr);
	tcase_add_loop_test(tcase, halt_without_timers, 0, 2);
	tcase_add_test(tcase, halt_with_interrupts_off);
	tcase_add_loop_test(tcase, halt_and_nmi, 0, 2);
	tcase_add_loop_test(tcase, halt_and_latched_pins, 0, 2);
	tcase_add_test(tcase, halt_in_smm_with_smi);
	tcase_add_test(tcase, halt_in_real_time);
	tcase_add_test(tcase, reset_pin);
	tcase_add_test(tcase, shutdown);
	tcase_add_test(tcase, inline_refuses_device_requests);
	tcase_add_test(tcase, trace_words);
	tcase_add_test(tcase, log_lines);
	suite_add_tcase(suite, tcase);
	return suite;
}
