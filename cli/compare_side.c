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
	side->events = g_array_new(FALSE, FALSE, sizeof(struct compare_event));
	if (!run_options_parse(&side->options, argc, argv, error) || !parse_words(side, words, error) ||
	    !check_ports(&side->options, error) || !run_options_check(&side->options, error))
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

static void note(struct compare_side *side, const struct compare_event *event)
{
	g_array_append_val(side->events, *event);
	side->recent[side->items++ % COMPARE_RECENT] = *event;
}

static void hear(void *owner, uint16_t port, unsigned size, bool is_write, const void *data, size_t count)
{
	struct compare_side *side = owner;
	struct compare_event event = { is_write ? COMPARE_OUT : COMPARE_IN, port, (uint8_t)size, 0 };
	for (size_t n = 0; n < count; n++) {
		memcpy(&event.value, (const uint8_t *)data + n * size, size);
		note(side, &event);
	}
	if (is_data_port(port))
		return;
	struct clock *clock = side->machine->clock;
	if (side->io_time)
		clock_wait_until(clock, clock_now(clock) + count * COMPARE_IO_NS);
	stop(side);
}

/* The next one waits again until the two were compared. */
static uint8_t note_interrupt(void *owner)
{
	struct compare_side *side = owner;
	struct compare_event event = { .kind = COMPARE_INTERRUPT, .value = side->acknowledge(side->board) };
	note(side, &event);
	side->interrupts++;
	pc_pins(side->machine->pc)->hold_intr = true;
	return (uint8_t)event.value;
}

static void hear_interrupts(struct compare_side *side)
{
	struct cpu_pins *pins = pc_pins(side->machine->pc);
	side->acknowledge = pins->acknowledge;
	side->board = pins->owner;
	pins->owner = side;
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
	hear_interrupts(side);
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
	g_array_unref(side->events);
	run_options_clear(&side->options);
	g_free(side->name);
}

/* --- running ---------------------------------------------------------------------------------- */

/* In another process it cannot be told to ignore interrupts. */
bool compare_side_can_follow(const struct compare_side *side)
{
	return side->options.engine == RUN_ENGINE_EMU && side->options.channel != RUN_CHANNEL_PROCESS;
}

enum conduct_end compare_side_run(struct compare_side *side, enum compare_interrupts interrupts)
{
	struct cpu_pins *pins = pc_pins(side->machine->pc);
	pins->acknowledge = interrupts == COMPARE_IGNORE ? NULL : note_interrupt;
	pins->hold_intr = interrupts == COMPARE_HOLD;
	return conduct_run(side->machine->conduct);
}

/* The conductor's debugger. */
static void look(void *debugger, enum stop_reason reason)
{
	struct compare_side *side = debugger;
	struct debug_request *debug = &pc_ctx(side->machine->pc)->debug;
	if (reason != STOP_DEBUG)
		return;
	debug->hit = 0;
	debug->resume = 1;
	if (side->is_there(side->asker))
		stop(side);
}

enum conduct_end compare_side_follow(struct compare_side *side, enum compare_interrupts interrupts, uint64_t linear,
                                     bool (*is_there)(void *asker), void *asker)
{
	struct debug_request *debug = &pc_ctx(side->machine->pc)->debug;
	*debug = (struct debug_request){ .armed = 1, .points = 1 };
	debug->point[0] = (struct debug_point){ .address = (uint32_t)linear, .size = 1, .kinds = DEBUG_CODE_AT };
	side->is_there = is_there;
	side->asker = asker;
	conduct_set_debugger(side->machine->conduct, look, side);
	enum conduct_end end = compare_side_run(side, interrupts);
	conduct_set_debugger(side->machine->conduct, NULL, NULL);
	debug->armed = 0;
	return end;
}

bool compare_side_is_held(const struct compare_side *side)
{
	return pc_ctx(side->machine->pc)->stop_reason == STOP_HELD;
}

bool compare_side_is_at_handover(const struct compare_side *side)
{
	return conduct_is_at_handover(side->machine->conduct);
}

uint64_t compare_side_position(const struct compare_side *side)
{
	return side->io_time ? side->items : clock_now(side->machine->clock);
}
