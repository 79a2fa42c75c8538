#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include "shared/channel_thread.h"

#define ROUNDS 10000u

/* An engine that notes what it sees. */
struct fake {
	struct engine engine;
	unsigned runs;
	uint32_t state, type;
	bool waits;            /* for a kick */
	bool kicked, entered;
	bool slow_parts;       /* fills ns_load and ns_run itself */
	pthread_t thread;
	sigset_t blocked;
};

static struct ctx page;
static struct fake fake;
static struct channel *channel;

static enum stop_reason fake_run(struct engine *engine, struct ctx *ctx)
{
	struct fake *f = (struct fake *)engine;
	f->runs++;
	f->state = ctx->request_state;
	f->type = ctx->request_type;
	f->thread = pthread_self();
	pthread_sigmask(SIG_BLOCK, NULL, &f->blocked);
	ctx->gpr[CTX_RAX].r += ctx->gpr[CTX_RBX].r;
	ctx->insns_run = 7;
	if (f->slow_parts) {
		ctx->ns_load = 1;
		ctx->ns_run = 2;
	}
	__atomic_store_n(&f->entered, true, __ATOMIC_RELEASE);
	while (f->waits && !__atomic_load_n(&f->kicked, __ATOMIC_ACQUIRE))
		sched_yield();
	return f->waits ? STOP_KICK : STOP_BUDGET;
}

static void fake_kick(struct engine *engine)
{
	__atomic_store_n(&((struct fake *)engine)->kicked, true, __ATOMIC_RELEASE);
}

static const struct engine_ops fake_ops = { .name = "fake", .run = fake_run, .kick = fake_kick };
static const struct engine_ops timing_ops = { .name = "fake", .times_itself = true, .run = fake_run, .kick = fake_kick };

static void setup(void)
{
	ctx_reset(&page, 0);
	fake = (struct fake){ .engine = { &fake_ops } };
}

static void open_kind(int kind)
{
	channel = kind == 2 ? channel_new_inline(&fake.engine)
	                    : channel_new_thread(&fake.engine, kind ? CHANNEL_EVENTFD : CHANNEL_FUTEX);
	ck_assert_ptr_nonnull(channel);
}

static void teardown(void)
{
	channel_free(channel);
	channel = NULL;
}

START_TEST(states)
{
	static const char *const names[] = { "futex", "eventfd", "inline" };
	open_kind(_i);
	ck_assert_str_eq(channel->ops->name, names[_i]);
	ck_assert_int_eq(channel_call(channel, &page, CTX_EMULATE), STOP_BUDGET);
	ck_assert_uint_eq(fake.state, CTX_IN_PROCESS);
	ck_assert_uint_eq(fake.type, CTX_EMULATE);
	ck_assert_uint_eq(page.request_state, CTX_IDLE);
	ck_assert_uint_eq(page.request_type, CTX_NONE);
	ck_assert_uint_eq(page.stop_reason, STOP_BUDGET);
	ck_assert_uint_eq(page.insns_run, 7);
	ck_assert_int_eq(channel_call(channel, &page, CTX_RUN), STOP_BUDGET);
	ck_assert_uint_eq(fake.type, CTX_RUN);
	ck_assert_int_eq(channel_call(channel, &page, CTX_MMIO), STOP_ERROR);
	ck_assert_uint_eq(page.request_state, CTX_IDLE);
	ck_assert_uint_eq(fake.runs, 2);
}
END_TEST

START_TEST(own_thread)
{
	open_kind(_i);
	channel_call(channel, &page, CTX_EMULATE);
	ck_assert_int_eq(!pthread_equal(fake.thread, pthread_self()), _i != 2);
	ck_assert_int_eq(sigismember(&fake.blocked, SIGTERM), _i != 2);
}
END_TEST

START_TEST(round_trips)
{
	open_kind(_i);
	for (unsigned n = 1; n <= ROUNDS; n++) {
		page.gpr[CTX_RBX].r = n;
		ck_assert_int_eq(channel_call(channel, &page, CTX_EMULATE), STOP_BUDGET);
	}
	ck_assert_uint_eq(fake.runs, ROUNDS);
	ck_assert_uint_eq(page.gpr[CTX_RAX].r, ROUNDS * (ROUNDS + 1u) / 2);
}
END_TEST

static void *kick_when_entered(void *data)
{
	(void)data;
	while (!__atomic_load_n(&fake.entered, __ATOMIC_ACQUIRE))
		sched_yield();
	fake.engine.ops->kick(&fake.engine);
	return NULL;
}

START_TEST(kick_from_another_thread)
{
	pthread_t thread;
	open_kind(_i);
	fake.waits = true;
	pthread_create(&thread, NULL, kick_when_entered, NULL);
	ck_assert_int_eq(channel_call(channel, &page, CTX_EMULATE), STOP_KICK);
	pthread_join(thread, NULL);
}
END_TEST

START_TEST(times)
{
	open_kind(_i);
	channel_call(channel, &page, CTX_EMULATE);
	ck_assert_uint_eq(page.ns_run, 0);
	page.timed = 1;
	channel_call(channel, &page, CTX_EMULATE);
	ck_assert_uint_gt(page.ns_run, 0);
	ck_assert_uint_eq(page.ns_load, 0);
	fake.slow_parts = true;
	fake.engine.ops = &timing_ops;
	channel_call(channel, &page, CTX_EMULATE);
	ck_assert_uint_eq(page.ns_load, 1);
	ck_assert_uint_eq(page.ns_run, 2);
}
END_TEST

START_TEST(free_without_a_request)
{
	open_kind(_i);
}
END_TEST

Suite *suite_channel_thread(void)
{
	Suite *suite = suite_create("channel_thread");
	TCase *tcase = tcase_create("channel_thread");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, states, 0, 3);
	tcase_add_loop_test(tcase, own_thread, 0, 3);
	tcase_add_loop_test(tcase, round_trips, 0, 3);
	tcase_add_loop_test(tcase, kick_from_another_thread, 0, 2);
	tcase_add_loop_test(tcase, times, 0, 3);
	tcase_add_loop_test(tcase, free_without_a_request, 0, 3);
	suite_add_tcase(suite, tcase);
	return suite;
}
