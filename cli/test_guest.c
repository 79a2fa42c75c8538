#include "cli/test_guest.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "cli/machine.h"
#include "cli/run.h"
#include "cli/script.h"
#include "cli/test_artefacts.h"
#include "cli/test_modes.h"
#include "cli/units.h"
#include "devmodel/display_png.h"
#include "devmodel/vga.h"
#include "shared/log.h"

#define PERIOD_MIN_NS 10000u

enum stop { STOP_NOT_YET, STOP_DONE, STOP_LATE, STOP_BY_SIGNAL };

/* Where an expectation stands. */
struct moment {
	bool passed;
	uint64_t ns;          /* when it was */
	uint64_t transitions; /* until then */
	uint64_t protected_ns; /* first in protected mode since; CLOCK_NEVER: not yet */
};

struct guest {
	const struct test_guest_config *config;
	const struct test_file *file;
	struct test_result *result;
	struct machine *machine;
	struct script_run *script;
	struct clock_timer *tick;
	struct test_modes *modes;
	struct moment *moments; /* one for each expectation */
	GString *serial, *text;
	uint64_t guest_limit;
	uint64_t period;      /* between two looks, in guest ns */
	enum stop stop;
};

/* A property of the process, as signals are. */
static volatile sig_atomic_t signal_came;

static void note_signal(int number)
{
	signal_came = number;
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = note_signal }, ignore = { .sa_handler = SIG_IGN };
	signal_came = 0;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

static const struct test_expect *expectation(const struct guest *guest, unsigned n)
{
	return guest->file->expects->pdata[n];
}

/* Watching */

static void serial_byte(void *owner, uint8_t byte)
{
	struct guest *guest = owner;
	script_serial_byte(guest->script, byte);
	if (guest->serial->len >= TEST_SERIAL_MAX)
		g_string_erase(guest->serial, 0, TEST_SERIAL_MAX / 2);
	g_string_append_c(guest->serial, (char)byte);
}

static void entered_protected(void *owner, uint64_t ns)
{
	struct guest *guest = owner;
	for (guint i = 0; i < guest->file->expects->len; i++)
		if (guest->moments[i].passed && ns >= guest->moments[i].ns)
			guest->moments[i].protected_ns = MIN(guest->moments[i].protected_ns, ns);
}

static bool save_reference(void *owner, const struct test_expect *expect, const struct surface *wanted, const char *why)
{
	struct guest *guest = owner;
	const struct surface *seen = guest->machine->surface;
	g_autofree char *error = NULL;
	if (!guest->config->update) {
		test_artefacts_picture(&expect->picture, seen, wanted);
		return false;
	}
	log_info("%s: %s: written anew", expect->picture.file, why);
	if (display_png_write(seen, expect->picture.file, &error) < 0) {
		test_result_fail(guest->result, TEST_BROKEN, g_strdup_printf("%s: screen: %s", expect->place, error));
		return true;
	}
	g_ptr_array_add(guest->result->updated, g_strdup(expect->picture.file));
	return true;
}

/* All that `expect` may ask for. */
static struct test_view look(struct guest *guest, const struct test_expect *expect)
{
	struct pc *pc = guest->machine->pc;
	bool is_text = vga_text_read(pc_vga(pc), guest->text, NULL, NULL);
	if (expect->picture.file)
		vga_render(pc_vga(pc), guest->machine->surface, VGA_BLINK_STEADY);
	return (struct test_view){
		.ctx = pc_ctx(pc), .mem = pc_mem(pc), .text = is_text ? guest->text : NULL, .serial = guest->serial,
		.screen = guest->machine->surface, .picture_differs = save_reference, .owner = guest,
	};
}

/* Moments */

static bool is_due(const struct guest *guest, const struct test_expect *expect, uint64_t now)
{
	switch (expect->when) {
	case TEST_AFTER_STEP:
		return script_run_done(guest->script) > expect->step;
	case TEST_AT_TIME:
		return now >= expect->time;
	case TEST_AT_ADDRESS:
	case TEST_AT_END:
		break;
	}
	return false;
}

/* From here on transitions are counted and protected mode is waited for. */
static void begin_span(struct guest *guest, unsigned n, uint64_t now)
{
	const struct ctx *ctx = pc_ctx(guest->machine->pc);
	guest->moments[n] = (struct moment){
		.passed = true, .ns = now, .transitions = test_modes_count(guest->modes),
		.protected_ns = ctx->cr0 & CTX_CR0_PE ? now : CLOCK_NEVER,
	};
}

static void pass_moment(struct guest *guest, unsigned n, uint64_t now)
{
	const struct test_expect *expect = expectation(guest, n);
	begin_span(guest, n, now);
	struct test_view view = look(guest, expect);
	test_expect_judge(expect, &view, guest->result->messages);
}

static void pass_moments(struct guest *guest, uint64_t now)
{
	for (guint i = 0; i < guest->file->expects->len; i++)
		if (!guest->moments[i].passed && is_due(guest, expectation(guest, i), now))
			pass_moment(guest, i, now);
}

/* Moments of an address: code breakpoints */

static bool awaits_address(const struct guest *guest, unsigned n)
{
	return expectation(guest, n)->when == TEST_AT_ADDRESS && !guest->moments[n].passed;
}

/* One for each address that has not been reached. */
static void arm_addresses(struct guest *guest)
{
	struct debug_request *debug = &pc_ctx(guest->machine->pc)->debug;
	debug->points = debug->hit = 0;
	for (guint i = 0; i < guest->file->expects->len && debug->points < DEBUG_POINTS; i++)
		if (awaits_address(guest, i))
			debug->point[debug->points++] =
				(struct debug_point){ .address = expectation(guest, i)->address, .size = 1, .kinds = DEBUG_CODE_AT };
	debug->armed = debug->points != 0;
	debug->resume = 1;
}

static void address_reached(void *owner, enum stop_reason reason)
{
	struct guest *guest = owner;
	const struct ctx *ctx = pc_ctx(guest->machine->pc);
	uint32_t address = (uint32_t)(ctx->seg[CTX_CS].base + ctx->rip);
	if (reason != STOP_DEBUG)
		return;
	for (guint i = 0; i < guest->file->expects->len; i++)
		if (awaits_address(guest, i) && expectation(guest, i)->address == address)
			pass_moment(guest, i, clock_now(guest->machine->clock));
	arm_addresses(guest);
}

/* Is there something left that only time can tell? */
static bool is_open(const struct guest *guest, unsigned n, uint64_t now)
{
	const struct test_expect *expect = expectation(guest, n);
	const struct moment *moment = &guest->moments[n];
	if (!moment->passed)
		return expect->when == TEST_AT_TIME || expect->when == TEST_AT_ADDRESS;
	return expect->protected_within != UINT64_MAX && moment->protected_ns == CLOCK_NEVER &&
	       now - moment->ns <= expect->protected_within;
}

/* Something that can come true while the guest runs. */
static bool can_be_awaited(const struct test_expect *expect)
{
	return expect->texts->len || expect->serials->len || expect->registers->len || expect->memories->len ||
	       expect->mode || expect->min_transitions || expect->protected_within != UINT64_MAX;
}

/* Without steps the run lasts until all that is expected of its end is there. */
static bool end_has_come(struct guest *guest)
{
	for (guint i = 0; i < guest->file->expects->len; i++) {
		const struct test_expect *expect = expectation(guest, i);
		if (expect->when != TEST_AT_END)
			continue;
		struct test_view view = look(guest, expect);
		return expect->status < 0 && can_be_awaited(expect) && test_expect_judge(expect, &view, NULL) &&
		       test_modes_count(guest->modes) >= expect->min_transitions;
	}
	return true;
}

static bool is_done(struct guest *guest, enum script_state state, uint64_t now)
{
	if (state == SCRIPT_QUIT || state == SCRIPT_FAILED)
		return true;
	for (guint i = 0; i < guest->file->expects->len; i++)
		if (is_open(guest, i, now))
			return false;
	if (!script_count(guest->file->steps))
		return end_has_come(guest);
	return state == SCRIPT_DONE;
}

/* With a complete page. */
static void attend(void *owner)
{
	struct guest *guest = owner;
	uint64_t now = clock_now(guest->machine->clock);
	enum script_state state = script_poll(guest->script, now);
	pass_moments(guest, now);
	if (signal_came)
		guest->stop = STOP_BY_SIGNAL;
	else if (is_done(guest, state, now))
		guest->stop = STOP_DONE;
	else if (now >= guest->guest_limit)
		guest->stop = STOP_LATE;
	if (guest->stop != STOP_NOT_YET)
		conduct_stop(guest->machine->conduct);
}

static void tick(void *owner)
{
	struct guest *guest = owner;
	clock_timer_set(guest->tick, clock_now(guest->machine->clock) + guest->period);
	machine_poll_ports(guest->machine);
	machine_attend(guest->machine);
}

/* The verdict */

static void fail(struct guest *guest, enum test_outcome outcome, char *message)
{
	test_result_fail(guest->result, outcome, message);
}

static const char *describe_end(const struct guest *guest, enum conduct_end end)
{
	int status;
	if (guest->stop == STOP_BY_SIGNAL)
		return "interrupted by a signal";
	if (guest->stop == STOP_LATE)
		return "the guest's time is over (guest-time in [limits])";
	if (pc_end(guest->machine->pc, &status) == PC_EXITED)
		return "the guest ended the run through the exit port";
	if (end == CONDUCT_HALTED)
		return "the guest has halted for good";
	return "the guest switched itself off";
}

static void judge_script(struct guest *guest, enum conduct_end end)
{
	uint64_t now = clock_now(guest->machine->clock);
	int status = 0;
	/* The guest may have done what was waited for with its last breath. */
	script_poll(guest->script, now);
	pass_moments(guest, now);
	script_run_abort(guest->script, describe_end(guest, end));
	if (script_run_message(guest->script))
		fail(guest, TEST_FAILED, g_strdup(script_run_message(guest->script)));
	if (pc_end(guest->machine->pc, &status) != PC_EXITED)
		status = script_run_status(guest->script);
	guest->result->status = status;
}

static void judge_span(struct guest *guest, unsigned n)
{
	const struct test_expect *expect = expectation(guest, n);
	const struct moment *moment = &guest->moments[n];
	uint64_t count = test_modes_count(guest->modes) - moment->transitions;
	if (count > expect->max_transitions)
		fail(guest, TEST_FAILED, g_strdup_printf("%s: max-transitions: the processor changed its mode %" PRIu64 " times, not at most %" PRIu64,
		                                         expect->place, count, expect->max_transitions));
	if (count < expect->min_transitions)
		fail(guest, TEST_FAILED, g_strdup_printf("%s: min-transitions: the processor changed its mode %" PRIu64 " times, not at least %" PRIu64,
		                                         expect->place, count, expect->min_transitions));
	if (expect->protected_within == UINT64_MAX ||
	    (moment->protected_ns != CLOCK_NEVER && moment->protected_ns - moment->ns <= expect->protected_within))
		return;
	g_autofree char *limit = units_format_time(expect->protected_within);
	fail(guest, TEST_FAILED, moment->protected_ns == CLOCK_NEVER
	     ? g_strdup_printf("%s: protected-within: protected mode was not reached", expect->place)
	     : g_strdup_printf("%s: protected-within: protected mode was reached after %.3f ms, not within %s", expect->place,
	                       (double)(moment->protected_ns - moment->ns) / 1e6, limit));
}

static void judge_status(struct guest *guest)
{
	int wanted = 0;
	for (guint i = 0; i < guest->file->expects->len; i++)
		if (expectation(guest, i)->status >= 0)
			wanted = expectation(guest, i)->status;
	if (guest->result->status == wanted || script_run_message(guest->script))
		return;
	fail(guest, TEST_FAILED, g_strdup_printf("%s:expect: status: the run ended with exit status %d, not %d", guest->file->path,
	                                         guest->result->status, wanted));
}

static void judge_expectation(struct guest *guest, unsigned n)
{
	const struct test_expect *expect = expectation(guest, n);
	if (expect->when == TEST_AT_END) {
		struct test_view view = look(guest, expect);
		test_expect_judge(expect, &view, guest->result->messages);
	} else if (!guest->moments[n].passed) {
		fail(guest, TEST_FAILED, g_strdup_printf("%s: the run ended before this moment came", expect->place));
		return;
	}
	judge_span(guest, n);
}

/* A run without steps that waited in vain says for what below. */
static void judge_end(struct guest *guest, enum conduct_end end)
{
	bool told = script_run_message(guest->script) != NULL;
	g_autofree char *limit = units_format_time(guest->guest_limit);
	if (end == CONDUCT_ERROR)
		fail(guest, TEST_BROKEN, g_strdup("the engine cannot go on; " TEST_LOG " says why"));
	else if (guest->stop == STOP_LATE && !told)
		fail(guest, TEST_FAILED, g_strdup_printf("%s: not done within %s of guest time", guest->file->path, limit));
	else if (guest->stop == STOP_BY_SIGNAL && !told)
		fail(guest, TEST_BROKEN, g_strdup_printf("%s: %s", guest->file->path, describe_end(guest, end)));
}

static void judge(struct guest *guest, enum conduct_end end)
{
	struct test_result *result = guest->result;
	const struct conduct_stats *stats = conduct_stats(guest->machine->conduct);
	judge_script(guest, end);
	judge_end(guest, end);
	for (guint i = 0; i < guest->file->expects->len; i++)
		judge_expectation(guest, i);
	if (guest->stop != STOP_LATE && guest->stop != STOP_BY_SIGNAL)
		judge_status(guest);
	result->outcome = MAX(result->outcome, result->messages->len ? TEST_FAILED : TEST_PASSED);
	result->guest_ns = clock_now(guest->machine->clock);
	result->insns = stats->insns;
	result->handovers = stats->handovers;
	result->transitions = test_modes_count(guest->modes);
}

/* The run */

static bool something_is_left(const struct guest *guest)
{
	uint64_t now = clock_now(guest->machine->clock);
	for (guint i = 0; i < guest->file->expects->len; i++)
		if (expectation(guest, i)->when == TEST_AT_TIME && is_open(guest, i, now))
			return true;
	return script_count(guest->file->steps) > script_run_done(guest->script);
}

/* The processor sleeps for good, but steps may still look at the screen. */
static void pass_time(struct guest *guest)
{
	struct clock *clock = guest->machine->clock;
	while (guest->stop == STOP_NOT_YET && something_is_left(guest)) {
		clock_wait_until(clock, clock_next_deadline(clock));
		clock_run_due(clock);
		machine_attend_due(guest->machine);
	}
}

/* A change of mode is known to one period, which shall be little of the time that
 * is asked for. */
static uint64_t choose_period(const struct guest *guest)
{
	uint64_t shortest = RUN_TICK_NS;
	for (guint i = 0; i < guest->file->expects->len; i++)
		shortest = MIN(shortest, expectation(guest, i)->protected_within / 100);
	return MAX(shortest, PERIOD_MIN_NS);
}

static void start(struct guest *guest)
{
	struct machine *machine = guest->machine;
	struct script_guest hands = machine_guest(machine);
	guest->script = script_run_new(guest->file->steps, &hands);
	guest->modes = test_modes_new(machine->clock, log_trace_mask & LOG_TRACE_SWITCH, entered_protected, guest);
	guest->moments = g_new0(struct moment, guest->file->expects->len + 1);
	guest->serial = g_string_new(NULL);
	guest->text = g_string_new(NULL);
	for (guint i = 0; i < guest->file->expects->len; i++)
		if (expectation(guest, i)->when == TEST_AT_END)
			begin_span(guest, i, 0);
	arm_addresses(guest);
	pc_ctx(machine->pc)->debug.resume = 0;
	conduct_set_debugger(machine->conduct, address_reached, guest);
	chardev_set_tap(machine->serial[0], serial_byte, guest);
	machine_set_attendant(machine, attend, guest);
	guest->tick = clock_timer_new(machine->clock, tick, guest);
	guest->period = choose_period(guest);
	clock_timer_set(guest->tick, guest->period);
	catch_signals();
}

static void finish(struct guest *guest)
{
	chardev_set_tap(guest->machine->serial[0], NULL, NULL);
	clock_timer_free(guest->tick);
	test_modes_free(guest->modes);
	script_run_free(guest->script);
	g_free(guest->moments);
	g_string_free(guest->serial, TRUE);
	g_string_free(guest->text, TRUE);
}

static void run_machine(struct guest *guest)
{
	start(guest);
	enum conduct_end end = machine_run(guest->machine);
	if (end == CONDUCT_HALTED)
		pass_time(guest);
	judge(guest, end);
	test_artefacts_save(guest->machine, guest->modes);
	finish(guest);
}

static struct machine *open_machine(const struct test_guest_config *config, char **error)
{
	struct run_options options;
	struct machine *machine = NULL;
	if (test_file_options(config->file, config->engine, &options, error)) {
		log_trace_mask = options.trace;
		machine = machine_new(&options, error);
	}
	run_options_clear(&options);
	return machine;
}

struct test_result *test_guest_run(const struct test_guest_config *config)
{
	struct guest guest = { .config = config, .file = config->file, .result = test_result_new() };
	char *error = NULL;
	guest.guest_limit = config->file->limits.guest_ns ? config->file->limits.guest_ns : TEST_DEFAULT_GUEST_TIME;
	guest.machine = open_machine(config, &error);
	if (guest.machine) {
		run_machine(&guest);
		machine_free(guest.machine);
	} else {
		fail(&guest, TEST_BROKEN, g_strdup_printf("%s: the machine cannot start: %s", config->file->path, error));
		g_free(error);
	}
	return guest.result;
}
