#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "shared/conduct.h"

static struct ctx page;
static struct transition_log *log_;
static char *text;

static void setup(void)
{
	ctx_reset(&page, 0);
	log_ = transition_log_new(4);
	text = NULL;
}

static void teardown(void)
{
	transition_log_free(log_);
	free(text);
}

static const char *text_of(void (*print)(const struct transition_log *log, FILE *out))
{
	size_t size;
	free(text);
	FILE *out = open_memstream(&text, &size);
	print(log_, out);
	fclose(out);
	return text;
}

static void ran(uint64_t insns, uint64_t run_ns, uint64_t load_ns, uint64_t exit_ns, uint64_t save_ns, uint64_t call_ns)
{
	page.insns_run = insns;
	page.blocks_run = insns / 10;
	page.ns_run = run_ns;
	page.ns_load = load_ns;
	page.ns_exit = exit_ns;
	page.ns_save = save_ns;
	transition_log_ran(log_, &page, call_ns);
}

static const struct transition *newest(void)
{
	return transition_log_get(log_, transition_log_held(log_) - 1);
}

static void protect(void)
{
	page.cr0 |= CTX_CR0_PE;
	for (unsigned n = CTX_ES; n <= CTX_GS; n++)
		page.seg[n].access &= ~CTX_SEG_REAL;
}

START_TEST(fields)
{
	page.rip = 0x1234;
	page.stop_reason = STOP_MODE;
	ran(100, 1000, 1, 2, 3, 1010);
	ran(50, 500, 4, 5, 6, 520);
	transition_log_add(log_, &page, "a", "b", false, 77);
	const struct transition *t = newest();
	ck_assert_uint_eq(t->sequence, 1);
	ck_assert_int_eq(t->cause, TRANSITION_PE_CLEARED);
	ck_assert_int_eq(t->stop, STOP_MODE);
	ck_assert_str_eq(t->from, "a");
	ck_assert_str_eq(t->to, "b");
	ck_assert_str_eq(t->mode, "real");
	ck_assert_uint_eq(t->cs, 0xf000);
	ck_assert_uint_eq(t->ip, 0x1234);
	ck_assert_uint_eq(t->linear, 0xffff1234);
	ck_assert_uint_eq(t->cr0, page.cr0);
	ck_assert_uint_eq(t->rflags, 2);
	ck_assert_uint_eq(t->insns, 150);
	ck_assert_uint_eq(t->blocks, 15);
	ck_assert_uint_eq(t->guest_ns, 77);
	ck_assert_uint_eq(t->ns[TRANSITION_EMULATE], 1500);
	ck_assert_uint_eq(t->ns[TRANSITION_EXIT], 5);
	ck_assert_uint_eq(t->ns[TRANSITION_SAVE], 6);
	/* The other engine's first request gives the rest, the second one nothing. */
	ran(1, 10, 7, 8, 9, 134);
	ran(1, 10, 70, 80, 90, 1000);
	ck_assert_uint_eq(t->ns[TRANSITION_LOAD], 7);
	ck_assert_uint_eq(t->ns[TRANSITION_CHANNEL], 100);
	ck_assert_uint_eq(t->ns[TRANSITION_EXIT], 5);
	transition_log_add(log_, &page, "b", "a", true, 78);
	ck_assert_uint_eq(newest()->sequence, 2);
	ck_assert_uint_eq(newest()->insns, 2);
}
END_TEST

static enum transition_cause cause_of(bool to_emulator)
{
	transition_log_add(log_, &page, "a", "b", to_emulator, 0);
	return newest()->cause;
}

static enum transition_cause cause(void)
{
	return cause_of(false);
}

START_TEST(causes)
{
	ck_assert_int_eq(cause(), TRANSITION_PE_CLEARED);
	page.cr0 |= CTX_CR0_PE;
	ck_assert_int_eq(cause(), TRANSITION_REAL_SEGMENT);
	protect();
	ck_assert_int_eq(cause(), TRANSITION_REAL_LEFT);
	page.rflags |= CTX_EFLAGS_VM;
	ck_assert_int_eq(cause(), TRANSITION_VM86);
	page.rflags = 2;
	/* In protected mode the emulator gets what KVM cannot do, or what is not KVM's. */
	ck_assert_int_eq(cause_of(true), TRANSITION_NEEDED);
	page.stop_detail = STOP_DETAIL_NEEDED;
	ck_assert_int_eq(cause_of(true), TRANSITION_NEEDED);
	page.stop_detail = 3;
	ck_assert_int_eq(cause_of(true), TRANSITION_REFUSED);
	page.efer = CTX_EFER_LMA;
	ck_assert_int_eq(cause(), TRANSITION_LONG_MODE);
	page.efer = 0;
	page.cr0 &= ~(uint64_t)CTX_CR0_PE;
	transition_log_reset(log_);
	ck_assert_int_eq(cause(), TRANSITION_RESET);
	ck_assert_int_eq(cause(), TRANSITION_PE_CLEARED);
	const char *summary = text_of(transition_log_summary);
	ck_assert_ptr_nonnull(strstr(summary, "transitions 10\n"));
	ck_assert_ptr_nonnull(strstr(summary, "transition-pe-cleared 2\n"));
	ck_assert_ptr_nonnull(strstr(summary, "transition-reset 1\n"));
	ck_assert_ptr_nonnull(strstr(summary, "transition-needed 2\n"));
	ck_assert_ptr_nonnull(strstr(summary, "transition-refused 1\n"));
	ck_assert_ptr_nonnull(strstr(summary, "transitions-kept 4\n"));
}
END_TEST

START_TEST(ring)
{
	for (unsigned n = 1; n <= 10; n++) {
		page.rip = n;
		transition_log_add(log_, &page, "a", "b", false, n);
	}
	ck_assert_uint_eq(transition_log_total(log_), 10);
	ck_assert_uint_eq(transition_log_held(log_), 4);
	for (unsigned n = 0; n < 4; n++) {
		ck_assert_uint_eq(transition_log_get(log_, n)->sequence, 7 + n);
		ck_assert_uint_eq(transition_log_get(log_, n)->ip, 7 + n);
	}
	size_t size;
	FILE *out = open_memstream(&text, &size);
	transition_log_print(log_, 2, out);
	fclose(out);
	ck_assert_msg(g_str_has_prefix(text, "9 a -> b pe-cleared real f000:00000009"), "%s", text);
	ck_assert_ptr_nonnull(strstr(text, "\n10 a -> b "));
}
END_TEST

START_TEST(summary)
{
	ck_assert_str_eq(text_of(transition_log_summary), "transitions 0\n");
	transition_log_free(log_);
	log_ = transition_log_new(1000);
	for (unsigned n = 1; n <= 200; n++) {
		ran(1, n * 10, 0, 0, 0, n * 10);
		transition_log_add(log_, &page, "a", "b", false, 0);
	}
	const char *said = text_of(transition_log_summary);
	ck_assert_ptr_nonnull(strstr(said, "transition-emulate-ns-mean 1005\n"));
	ck_assert_ptr_nonnull(strstr(said, "transition-emulate-ns-median 1000\n"));
	ck_assert_ptr_nonnull(strstr(said, "transition-emulate-ns-p99 1980\n"));
	ck_assert_ptr_nonnull(strstr(said, "transition-load-ns-p99 0\n"));
	ck_assert_ptr_null(strstr(said, "transitions-kept"));
}
END_TEST

START_TEST(files)
{
	ran(20, 5, 0, 0, 0, 5);
	transition_log_add(log_, &page, "kvm", "emu", true, 9);
	transition_log_add(log_, &page, "emu", "kvm", false, 10);
	ck_assert_str_eq(text_of(transition_log_csv),
		"sequence,cause,stop,detail,from,to,mode,cs,ip,linear,cr0,rflags,blocks,insns,guest_ns,"
		"exit_ns,save_ns,channel_ns,emulate_ns,load_ns\n"
		"1,pe-cleared,none,0,kvm,emu,real,61440,65520,4294967280,1610612752,2,2,20,9,0,0,0,5,0\n"
		"2,pe-cleared,none,0,emu,kvm,real,61440,65520,4294967280,1610612752,2,0,0,10,0,0,0,0,0\n");
	ck_assert_str_eq(text_of(transition_log_json),
		"{\n\"total\": 2,\n\"transitions\": [\n"
		"{\"sequence\": 1, \"cause\": \"pe-cleared\", \"stop\": \"none\", \"detail\": 0, \"from\": \"kvm\", \"to\": \"emu\", "
		"\"mode\": \"real\", \"cs\": 61440, \"ip\": 65520, \"linear\": 4294967280, \"cr0\": 1610612752, \"rflags\": 2, "
		"\"blocks\": 2, \"insns\": 20, \"guest_ns\": 9, \"ns\": {\"exit\": 0, \"save\": 0, \"channel\": 0, \"emulate\": 5, \"load\": 0}},\n"
		"{\"sequence\": 2, \"cause\": \"pe-cleared\", \"stop\": \"none\", \"detail\": 0, \"from\": \"emu\", \"to\": \"kvm\", "
		"\"mode\": \"real\", \"cs\": 61440, \"ip\": 65520, \"linear\": 4294967280, \"cr0\": 1610612752, \"rflags\": 2, "
		"\"blocks\": 0, \"insns\": 0, \"guest_ns\": 10, \"ns\": {\"exit\": 0, \"save\": 0, \"channel\": 0, \"emulate\": 0, \"load\": 0}}\n"
		"]\n}\n");
}
END_TEST

START_TEST(file_names)
{
	char *error = NULL, *path = g_strdup_printf("%s/v2e-%d.csv", g_get_tmp_dir(), (int)getpid());
	ck_assert(transition_log_names_format("a.json"));
	ck_assert(transition_log_names_format("a.csv"));
	ck_assert(!transition_log_names_format("a.txt"));
	ck_assert(transition_log_write(log_, path, &error));
	gchar *content = NULL;
	ck_assert(g_file_get_contents(path, &content, NULL, NULL));
	ck_assert(g_str_has_prefix(content, "sequence,cause,"));
	g_free(content);
	unlink(path);
	g_free(path);
	ck_assert(!transition_log_write(log_, "/nonexistent/x.json", &error));
	ck_assert_ptr_nonnull(strstr(error, "/nonexistent/x.json: No such file"));
	g_free(error);
}
END_TEST

/* --- the conductor fills it ------------------------------------------------------------ */

static struct cpu_pins pins;

static bool protected_only(struct engine *engine, const struct ctx *ctx)
{
	(void)engine;
	return !ctx_is_real(ctx) && !pins.smi;
}

static bool anything(struct engine *engine, const struct ctx *ctx)
{
	(void)engine;
	(void)ctx;
	return true;
}

/* Two requests and it leaves real mode. */
static enum stop_reason run_emulator(struct engine *engine, struct ctx *ctx)
{
	(void)engine;
	ck_assert_uint_eq(ctx->timed, 1);
	ctx->insns_run = 7;
	pins.smi = false;
	if (++ctx->gpr[CTX_RAX].r % 2)
		return STOP_BUDGET;
	protect();
	return STOP_MODE;
}

/* An SMI comes, then PE is cleared, then it ends. */
static enum stop_reason run_kvm(struct engine *engine, struct ctx *ctx)
{
	(void)engine;
	ctx->insns_run = 1;
	ctx->ns_load = 40;
	unsigned turn = ++ctx->gpr[CTX_RBX].e;
	pins.smi = turn == 1;
	pins.stop = turn == 3;
	if (turn == 2)
		ctx->cr0 &= ~(uint64_t)CTX_CR0_PE;
	return turn == 1 ? STOP_KICK : STOP_MODE;
}

static void do_nothing(struct engine *engine)
{
	(void)engine;
}

static void check_transition(unsigned n, const char *from, const char *to, enum transition_cause why, uint64_t insns)
{
	const struct transition *t = transition_log_get(log_, n);
	ck_assert_str_eq(t->from, from);
	ck_assert_str_eq(t->to, to);
	ck_assert_int_eq(t->cause, why);
	ck_assert_uint_eq(t->insns, insns);
}

START_TEST(from_the_conductor)
{
	static const struct engine_ops kvm_ops = {
		.name = "kvm", .can_run = protected_only, .run = run_kvm, .kick = do_nothing, .new_epoch = do_nothing,
	};
	static const struct engine_ops emu_ops = {
		.name = "emu", .can_run = anything, .run = run_emulator, .kick = do_nothing, .new_epoch = do_nothing,
	};
	struct engine a = { &kvm_ops }, b = { &emu_ops };
	struct clock *board_clock = clock_new(CLOCK_KIND_VIRTUAL);
	transition_log_free(log_);
	log_ = transition_log_new(10);
	memset(&pins, 0, sizeof pins);
	const struct conduct_config config = {
		.ctx = &page, .clock = board_clock, .pins = &pins, .transitions = log_, .channels = 2,
		.channel = { channel_new_inline(&a), channel_new_inline(&b) },
	};
	struct conduct *conduct = conduct_new(&config);
	ck_assert_int_eq(conduct_run(conduct), CONDUCT_STOPPED);
	ck_assert_uint_eq(transition_log_total(log_), 5);
	check_transition(0, "emu", "kvm", TRANSITION_REAL_LEFT, 14);
	check_transition(1, "kvm", "emu", TRANSITION_NEEDED, 1);
	check_transition(2, "emu", "kvm", TRANSITION_REAL_LEFT, 14);
	check_transition(3, "kvm", "emu", TRANSITION_PE_CLEARED, 1);
	check_transition(4, "emu", "kvm", TRANSITION_REAL_LEFT, 14);
	ck_assert_uint_gt(transition_log_get(log_, 0)->ns[TRANSITION_EMULATE], 0);
	ck_assert_uint_eq(transition_log_get(log_, 0)->ns[TRANSITION_LOAD], 40);
	conduct_free(conduct);
	channel_free(config.channel[0]);
	channel_free(config.channel[1]);
	clock_free(board_clock);
}
END_TEST

Suite *suite_transition(void)
{
	Suite *suite = suite_create("transition");
	TCase *tcase = tcase_create("transition");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, fields);
	tcase_add_test(tcase, causes);
	tcase_add_test(tcase, ring);
	tcase_add_test(tcase, summary);
	tcase_add_test(tcase, files);
	tcase_add_test(tcase, file_names);
	tcase_add_test(tcase, from_the_conductor);
	suite_add_tcase(suite, tcase);
	return suite;
}
