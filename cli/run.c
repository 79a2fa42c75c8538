#include "cli/run.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/compare.h"
#include "cli/displays.h"
#include "cli/machine.h"
#include "cli/monitor.h"
#include "cli/progress.h"
#include "cli/run_options.h"
#include "cli/script.h"
#include "cli/state.h"
#include "cli/trace_output.h"
#include "cli/units.h"
#include "gdb/server.h"
#include "shared/log.h"

/* Why we, and not the guest, ended the run. */
enum stop { STOP_NOT, STOP_SCRIPT, STOP_TIMEOUT, STOP_SIGNAL, STOP_KILLED, STOP_MONITOR, STOP_DISPLAY };

struct run {
	const struct run_options *options;
	struct machine *machine;
	struct clock_timer *tick;
	uint64_t began;            /* guest time; 0 but for a restored machine */
	struct script_run *script; /* NULL: no commands */
	struct progress *progress;
	struct gdb_server *gdb;    /* NULL: no debugger */
	struct monitor *monitor;   /* NULL: none */
	struct display *display;   /* NULL: none */
	enum stop stop;
};

/* A property of the process, as signals are. */
static volatile sig_atomic_t signal_came;

static void note_signal(int number)
{
	signal_came = number;
}

static void catch_signals(bool on)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = on ? note_signal : SIG_DFL };
	for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
		sigaction(numbers[i], &action, NULL);
	/* A client that leaves its socket is seen by the write that fails. */
	struct sigaction ignore = { .sa_handler = on ? SIG_IGN : SIG_DFL };
	sigaction(SIGPIPE, &ignore, NULL);
}

static enum stop look(struct run *run, uint64_t now)
{
	if (signal_came)
		return STOP_SIGNAL;
	if (run->script && script_poll(run->script, now) != SCRIPT_RUNNING)
		return STOP_SCRIPT;
	if (run->monitor && !monitor_poll(run->monitor, now))
		return STOP_MONITOR;
	if (run->display && !display_poll(run->display))
		return STOP_DISPLAY;
	if (run->options->timeout && now - run->began >= run->options->timeout)
		return STOP_TIMEOUT;
	return STOP_NOT;
}

/* With a complete page. */
static void attend(void *owner)
{
	struct run *run = owner;
	if (run->gdb)
		gdb_server_poll(run->gdb);
	if (run->stop == STOP_NOT)
		run->stop = look(run, clock_now(run->machine->clock));
	if (run->stop != STOP_NOT)
		conduct_stop(run->machine->conduct);
}

/* It runs at the same guest times whatever the options and the terminal are, so
 * that they cannot change what a guest in virtual time sees. */
static void tick(void *owner)
{
	struct run *run = owner;
	clock_timer_set(run->tick, clock_now(run->machine->clock) + RUN_TICK_NS);
	machine_poll_ports(run->machine);
	progress_update(run->progress);
	machine_attend(run->machine);
}

static void serial_byte(void *owner, uint8_t byte)
{
	struct run *run = owner;
	if (run->script)
		script_serial_byte(run->script, byte);
	if (run->monitor)
		monitor_serial_byte(run->monitor, byte);
}

/* The machine was saved in the middle of a tick: commands come first, then what was
 * due behind it. */
static void resume(struct run *run)
{
	struct clock *clock = run->machine->clock;
	run->began = clock_now(clock);
	tick(run);
	clock_run_due(clock);
}

static void start(struct run *run)
{
	struct machine *machine = run->machine;
	if (script_count(run->options->script)) {
		struct script_guest guest = machine_guest(machine);
		guest.failure_picture = RUN_FAILURE_PICTURE;
		run->script = script_run_new(run->options->script, &guest);
	}
	chardev_set_tap(machine->serial[0], serial_byte, run);
	bool screen_is_ours = !run->options->serials->len || strcmp(run->options->serials->pdata[0], "stdio");
	if (run->options->display && !strcmp(run->options->display, "term"))
		screen_is_ours = false;
	if (isatty(STDERR_FILENO) && screen_is_ours)
		run->progress = progress_new(stderr, machine->clock, pc_ctx(machine->pc), machine->conduct);
	machine_set_attendant(machine, attend, run);
	run->tick = clock_timer_new(machine->clock, tick, run);
	clock_timer_set(run->tick, RUN_TICK_NS);
	signal_came = 0;
	catch_signals(true);
	if (run->options->restore)
		resume(run);
}

static void finish(struct run *run)
{
	catch_signals(false);
	chardev_set_tap(run->machine->serial[0], NULL, NULL);
	clock_timer_free(run->tick);
	progress_free(run->progress);
	run->progress = NULL;
}

/* The processor sleeps for good, but commands may still look at the screen. */
static void pass_time(struct run *run)
{
	struct clock *clock = run->machine->clock;
	while (run->stop == STOP_NOT) {
		clock_wait_until(clock, clock_next_deadline(clock));
		clock_run_due(clock);
		machine_attend_due(run->machine);
	}
}

static const char *describe_end(const struct run *run, enum conduct_end end)
{
	if (run->stop == STOP_SIGNAL)
		return "interrupted by a signal";
	if (run->stop == STOP_DISPLAY)
		return "the display was closed";
	if (run->stop == STOP_KILLED)
		return "killed by the debugger";
	if (end == CONDUCT_HALTED)
		return "the guest has halted for good";
	return "the guest switched itself off";
}

static int fail_timeout(const struct run *run)
{
	struct script_guest guest = machine_guest(run->machine);
	guest.failure_picture = RUN_FAILURE_PICTURE;
	g_autofree char *time = units_format_time(run->options->timeout);
	g_autofree char *screen = script_describe_screen(&guest);
	fprintf(stderr, "%s: --timeout: the run took longer than %s of guest time; %s\n", run->options->command, time, screen);
	return RUN_FAILED;
}

static int end_script(const struct run *run, enum conduct_end end)
{
	/* The guest may have done what was waited for with its last breath. */
	script_poll(run->script, clock_now(run->machine->clock));
	script_run_abort(run->script, describe_end(run, end));
	if (script_run_message(run->script))
		fprintf(stderr, "%s: %s\n", run->options->command, script_run_message(run->script));
	return script_run_status(run->script);
}

static int judge(const struct run *run, enum conduct_end end)
{
	int status;
	if (pc_end(run->machine->pc, &status) == PC_EXITED)
		return status;
	if (end == CONDUCT_ERROR)
		return RUN_USAGE;
	if (run->stop == STOP_TIMEOUT)
		return fail_timeout(run);
	if (run->stop == STOP_MONITOR)
		return monitor_status(run->monitor);
	if (run->script)
		return end_script(run, end);
	if (end == CONDUCT_HALTED)
		log_info("%s", describe_end(run, end));
	return RUN_DONE;
}

static void print_engine(const struct channel *channel)
{
	struct engine *engine = channel ? channel->engine : NULL;
	if (engine && engine->ops->print_stats)
		engine->ops->print_stats(engine, stderr);
}

/* Who gave the guest away, and why; with two engines KVM is the first. */
static void print_handovers(const struct machine *machine, const struct conduct_stats *stats)
{
	static const char *const from[] = { "kvm", "emu" };
	for (unsigned n = 0; machine->kvm_channel && machine->channel && n < 2; n++)
		for (unsigned i = 0; i < STOP_REASONS; i++)
			if (stats->handover[n][i])
				fprintf(stderr, "handover-from-%s-%s %" PRIu64 "\n", from[n], stop_reason_name((enum stop_reason)i), stats->handover[n][i]);
}

static void print_stats(const struct run *run)
{
	const struct conduct_stats *stats = conduct_stats(run->machine->conduct);
	fprintf(stderr, "guest-ns %" PRIu64 "\ninsns %" PRIu64 "\nblocks %" PRIu64 "\nhandovers %" PRIu64 "\nresets %" PRIu64 "\n",
	        clock_now(run->machine->clock), stats->insns, stats->blocks, stats->handovers, stats->resets);
	for (unsigned i = 0; i < STOP_REASONS; i++)
		fprintf(stderr, "stop-%s %" PRIu64 "\n", stop_reason_name((enum stop_reason)i), stats->stops[i]);
	print_handovers(run->machine, stats);
	if (run->machine->kvm_channel && run->machine->channel)
		policy_print_stats(run->machine->policy, stderr);
	transition_log_summary(run->machine->transitions, stderr);
	print_engine(run->machine->kvm_channel);
	print_engine(run->machine->channel);
	fprintf(stderr, "engine %s\n", run->machine->engines.why);
}

static int fail_command(const char *command, char *error)
{
	fprintf(stderr, "%s: %s\n", command, error);
	g_free(error);
	return RUN_USAGE;
}

static int fail_usage(const struct run_options *options, char *error)
{
	return fail_command(options->command, error);
}

static bool gives_up(void *owner)
{
	const struct run *run = owner;
	return signal_came || run->stop != STOP_NOT;
}

static void kill_guest(void *owner)
{
	struct run *run = owner;
	run->stop = STOP_KILLED;
	conduct_stop(run->machine->conduct);
}

static bool open_debugger(struct run *run)
{
	struct machine *machine = run->machine;
	const struct gdb_server_config config = {
		.ctx = pc_ctx(machine->pc), .mem = pc_mem(machine->pc), .clock = machine->clock,
		.give_up = gives_up, .kill = kill_guest, .owner = run,
	};
	char *error = NULL;
	if (!run->options->gdb)
		return true;
	if (!(run->gdb = gdb_server_new(run->options->gdb, &config, &error))) {
		fail_usage(run->options, g_strdup_printf("--gdb: %s", error));
		g_free(error);
		return false;
	}
	conduct_set_debugger(machine->conduct, gdb_server_stopped, run->gdb);
	return true;
}

/* Before the first instruction, and each time that the guest has halted for good,
 * a debugger has a say. */
static enum conduct_end run_debugged(struct run *run)
{
	if (run->gdb && !run->options->gdb_nowait) {
		log_info("waiting for a debugger at %s", run->options->gdb);
		gdb_server_wait(run->gdb);
	}
	enum conduct_end end = machine_run(run->machine);
	while (end == CONDUCT_HALTED && run->gdb && gdb_server_has_client(run->gdb) && !gives_up(run)) {
		gdb_server_stopped(run->gdb, STOP_HALT);
		end = machine_run(run->machine);
	}
	return end;
}

static void close_debugger(struct run *run, int status)
{
	if (!run->gdb)
		return;
	conduct_set_debugger(run->machine->conduct, NULL, NULL);
	gdb_server_ended(run->gdb, status);
	gdb_server_free(run->gdb);
}

static bool open_monitor(struct run *run)
{
	struct machine *machine = run->machine;
	const struct script_guest guest = machine_guest(machine);
	char *error = NULL;
	if (!run->options->monitor)
		return true;
	run->monitor = monitor_new(run->options->monitor, &guest, pc_ctx(machine->pc), pc_mem(machine->pc), &error);
	if (run->monitor)
		return true;
	fail_usage(run->options, g_strdup_printf("--monitor: %s", error));
	g_free(error);
	return false;
}

static bool open_display(struct run *run)
{
	char *error = NULL;
	if (!run->options->display || displays_open(run->options->display, run->machine, &run->display, &error))
		return true;
	fail_usage(run->options, g_strdup_printf("--display: %s", error));
	g_free(error);
	return false;
}

static int run_machine(const struct run_options *options, struct machine *machine)
{
	struct run run = { .options = options, .machine = machine };
	if (!open_debugger(&run))
		return RUN_USAGE;
	if (!open_monitor(&run) || !open_display(&run)) {
		monitor_free(run.monitor);
		close_debugger(&run, RUN_USAGE);
		return RUN_USAGE;
	}
	start(&run);
	enum conduct_end end = run_debugged(&run);
	if (end == CONDUCT_HALTED && (run.script || run.monitor || run.display))
		pass_time(&run);
	finish(&run);
	display_free(run.display);
	int status = judge(&run, end);
	if (options->stats)
		print_stats(&run);
	script_run_free(run.script);
	monitor_free(run.monitor);
	close_debugger(&run, status);
	return status;
}

static bool write_transitions(const struct run_options *options, const struct machine *machine, char **error)
{
	char *problem = NULL;
	if (!options->transitions || transition_log_write(machine->transitions, options->transitions, &problem))
		return true;
	*error = g_strdup_printf("--transitions: %s", problem);
	g_free(problem);
	return false;
}

static int run_traced(const struct run_options *options, struct trace_output *output)
{
	char *error = NULL;
	struct machine *machine = options->restore ? state_restore(options, &error) : machine_new(options, &error);
	if (!machine)
		return fail_usage(options, error);
	/* A file that cannot be written is found before the run, not after it. */
	if (!write_transitions(options, machine, &error)) {
		machine_free(machine);
		return fail_usage(options, error);
	}
	trace_output_start(output, options, machine);
	log_trace_mask = options->trace;
	log_trace(LOG_TRACE_SWITCH, "engine %s", machine->engines.why);
	g_autofree char *caution = engines_caution(&machine->engines);
	if (caution)
		log_info("%s", caution);
	int status = run_machine(options, machine);
	trace_output_stop(output, machine, status);
	if (!write_transitions(options, machine, &error))
		status = fail_usage(options, error);
	machine_free(machine);
	return status;
}

static int run_with_options(const struct run_options *options, int argc, char *const *argv)
{
	char *error = NULL;
	if (options->compare)
		return compare_run(options, argc, argv);
	struct trace_output *output = trace_output_open(options, &error);
	if (!output)
		return fail_usage(options, error);
	int status = run_traced(options, output);
	log_trace_mask = 0;
	return trace_output_close(output, &error) ? status : fail_usage(options, error);
}

static int run_with_log(const struct run_options *options, int argc, char *const *argv)
{
	if (!options->log)
		return run_with_options(options, argc, argv);
	FILE *log = fopen(options->log, "we");
	if (!log)
		return fail_usage(options, g_strdup_printf("--log: %s: %s; give a file that can be written", options->log, g_strerror(errno)));
	log_set_output(log);
	int status = run_with_options(options, argc, argv);
	log_set_output(stderr);
	fclose(log);
	return status;
}

static int print_help(const struct option_table *table)
{
	options_print_help(table, stdout);
	script_print_help(stdout);
	fputs("\nTimes are guest time, such as 500ms, 10s or 2m; T is 30s where left out. See v2e-run(1).\n", stdout);
	return RUN_DONE;
}

static int print_man(const struct option_table *table)
{
	fputs(".SH OPTIONS\n", stdout);
	options_print_man(table, stdout);
	fputs(".SH COMMANDS\n", stdout);
	script_print_man(stdout);
	return RUN_DONE;
}

int run_by_table(const struct option_table *table, struct run_options *options, int argc, char *const *argv)
{
	char *error = NULL;
	options->command = table->command;
	if (!options_parse(table, argc, argv, options, &error))
		return fail_command(table->command, error);
	if (options->help)
		return print_help(table);
	if (options->man)
		return print_man(table);
	return run_options_check(options, &error) ? run_with_log(options, argc, argv) : fail_command(table->command, error);
}

int run_main(int argc, char *const *argv)
{
	struct run_options options;
	run_options_init(&options);
	int status = run_by_table(&run_options_table, &options, argc, argv);
	run_options_clear(&options);
	return status;
}
