#include "cli/compare_side.h"

#include <string.h>

#include "cli/flip.h"
#include "cli/run.h"
#include "cli/units.h"

/* --- options ------------------------------------------------------------------------ */

static bool parse_flip(struct compare_side *side, const char *word, char **error)
{
	return units_parse_number(word + strlen("flip="), 1, UINT64_MAX, &side->flip, error);
}

/* The words behind the engine are options of `v2e run`, without their dashes. */
static bool parse_words(struct compare_side *side, char **words, char **error)
{
	for (unsigned n = 0; words[n]; n++) {
		g_autofree char *option = g_strdup_printf("--%s%s", n ? "" : "engine=", words[n]);
		char *const argv[] = { option };
		bool fine = n && g_str_has_prefix(words[n], "flip=") ? parse_flip(side, words[n], error)
		                                                     : run_options_parse(&side->options, 1, argv, error);
		if (!fine)
			return false;
	}
	return true;
}

static bool check_ports(const struct run_options *options, char **error)
{
	for (guint n = 0; n < options->serials->len; n++) {
		const char *spec = options->serials->pdata[n];
		if (!strcmp(spec, "none") || g_str_has_prefix(spec, "file:"))
			continue;
		*error = g_strdup_printf("--serial %s: what comes in from there cannot reach two machines at the same time; "
		                         "give file:FILE or none", spec);
		return false;
	}
	return true;
}

bool compare_side_parse(struct compare_side *side, const char *spec, int argc, char *const *argv, char **error)
{
	g_auto(GStrv) words = g_strsplit(spec, ":", -1);
	*side = (struct compare_side){ .name = g_strdup(spec) };
	run_options_init(&side->options);
	side->accesses = g_array_new(FALSE, FALSE, sizeof(struct compare_access));
	if (!run_options_parse(&side->options, argc, argv, error) || !parse_words(side, words, error) ||
	    !check_ports(&side->options, error))
		return false;
	if (side->flip && (side->options.engine != RUN_ENGINE_EMU || side->options.channel == RUN_CHANNEL_PROCESS)) {
		*error = g_strdup("flip needs the engine emu in this process");
		return false;
	}
	side->options.clock = CLOCK_KIND_VIRTUAL;
	side->options.snapshot = true;
	side->options.stats = true; /* for the transitions */
	return true;
}

/* --- where it stops -------------------------------------------------------------------- */

static void stop(struct compare_side *side)
{
	struct cpu_pins *pins = pc_pins(side->machine->pc);
	__atomic_store_n(&pins->stop, true, __ATOMIC_SEQ_CST);
	cpu_pins_attend(pins);
}

/* INS and OUTS move these in blocks, cut by each engine as it likes. */
static bool is_data_port(uint16_t port)
{
	return port == 0x1f0 || port == 0x170 || port == 0x511;
}

static void note(struct compare_side *side, const struct compare_access *access)
{
	g_array_append_val(side->accesses, *access);
	side->recent[side->items++ % COMPARE_RECENT] = *access;
}

static void hear(void *owner, uint16_t port, unsigned size, bool is_write, const void *data, size_t count)
{
	struct compare_side *side = owner;
	struct compare_access access = { port, (uint8_t)size, is_write, 0 };
	for (size_t n = 0; n < count; n++) {
		memcpy(&access.value, (const uint8_t *)data + n * size, size);
		note(side, &access);
	}
	if (is_data_port(port))
		return;
	struct clock *clock = side->machine->clock;
	if (side->io_time)
		clock_wait_until(clock, clock_now(clock) + count * COMPARE_IO_NS);
	stop(side);
}

static void step(void *owner)
{
	struct compare_side *side = owner;
	clock_timer_set(side->step, clock_now(side->machine->clock) + COMPARE_INSNS * CLOCK_NS_PER_INSN);
	stop(side);
}

static void tick(void *owner)
{
	struct compare_side *side = owner;
	uint64_t now = clock_now(side->machine->clock), timeout = side->options.timeout;
	machine_poll_ports(side->machine);
	bool ended = side->script && script_poll(side->script, now) != SCRIPT_RUNNING;
	side->timed_out = !ended && timeout && now >= timeout;
	side->done = ended || side->timed_out;
	if (!side->done)
		clock_timer_set(side->tick, now + RUN_TICK_NS);
	stop(side);
}

static void serial_byte(void *owner, uint8_t byte)
{
	script_serial_byte(owner, byte);
}

/* --- building ------------------------------------------------------------------------------ */

static void keep_off_host(struct run_options *options)
{
	for (guint n = 0; n < options->serials->len; n++) {
		g_free(options->serials->pdata[n]);
		options->serials->pdata[n] = g_strdup("none");
	}
	if (options->debug_file) {
		g_free(options->debug_file);
		options->debug_file = g_strdup("/dev/null");
	}
}

static void start(struct compare_side *side)
{
	struct machine *machine = side->machine;
	if (side->flip) {
		side->flipped = flip_new(machine->channel->engine, side->flip);
		machine->channel->engine = side->flipped;
	}
	if (script_count(side->options.script)) {
		struct script_guest guest = machine_guest(machine);
		side->script = script_run_new(side->options.script, &guest);
		chardev_set_tap(machine->serial[0], serial_byte, side->script);
	}
	bus_set_tap(pc_bus(machine->pc), (struct bus_tap){ hear, side });
	side->tick = clock_timer_new(machine->clock, tick, side);
	side->step = clock_timer_new(machine->clock, step, side);
	clock_timer_set(side->tick, RUN_TICK_NS);
	if (side->io_time)
		clock_ignore_insns(machine->clock);
	else
		clock_timer_set(side->step, COMPARE_INSNS * CLOCK_NS_PER_INSN);
	side->equal = *pc_ctx(machine->pc);
}

bool compare_side_open(struct compare_side *side, bool io_time, bool second, char **error)
{
	char *problem = NULL;
	side->io_time = io_time;
	if (second)
		keep_off_host(&side->options);
	if ((side->machine = machine_new(&side->options, &problem))) {
		start(side);
		return true;
	}
	*error = g_strdup_printf("%s: %s", side->name, problem);
	g_free(problem);
	return false;
}

void compare_side_clear(struct compare_side *side)
{
	clock_timer_free(side->tick);
	clock_timer_free(side->step);
	if (side->script)
		chardev_set_tap(side->machine->serial[0], NULL, NULL);
	machine_free(side->machine);
	script_run_free(side->script);
	g_free(side->flipped);
	g_array_unref(side->accesses);
	run_options_clear(&side->options);
	g_free(side->name);
}

/* --- running ---------------------------------------------------------------------------------- */

enum conduct_end compare_side_run(struct compare_side *side)
{
	return conduct_run(side->machine->conduct);
}

uint64_t compare_side_position(const struct compare_side *side)
{
	return side->io_time ? side->items : clock_now(side->machine->clock);
}
