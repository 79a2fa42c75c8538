/* v2e as a subject: engines and a conductor, and of a board only what the guest asks
 * for. No timer runs, so that nothing but switches is measured. */
#include <stdio.h>
#include <string.h>

#include "cli/bench_guest.h"
#include "cli/bench_subject.h"
#include "cli/emulator.h"
#include "cli/engines.h"
#include "shared/conduct.h"
#include "shared/log.h"

#define RAM_SIZE 0x100000u
#define STATUS_READY 0x61 /* a byte came, and one may be sent */
#define PORT_A20 0x92
#define A20_ON 0x02

struct mark {
	uint64_t ns, cpu_ns, cycles, handovers, exits, transitions;
};

struct machine {
	struct mem *mem;
	uint8_t *ram;
	struct bus *bus;
	struct clock *clock;
	struct cpu_pins pins;
	struct ctx *ctx;
	struct engine *emu, *kvm; /* NULL: none, or the channel's */
	struct channel *emu_channel, *kvm_channel;
	struct conduct *conduct;
	struct policy *policy; /* NULL: one engine */
	struct transition_log *transitions;
	char *messages; /* what was logged */
	size_t messages_size;
	FILE *log;
	uint8_t order[BENCH_GUEST_ORDER_SIZE];
	unsigned order_read;
	struct mark start, end;
	bool ended;
};

/* --- ports ------------------------------------------------------------------------- */

static struct mark take_mark(const struct machine *machine)
{
	return (struct mark){
		.ns = channel_host_ns(), .cpu_ns = bench_cpu_ns(), .cycles = bench_cycles(),
		.handovers = conduct_stats(machine->conduct)->handovers,
		.exits = machine->kvm ? hv_exits(machine->kvm) : 0,
		.transitions = machine->transitions ? transition_log_total(machine->transitions) : 0,
	};
}

static uint32_t read_com(void *owner, uint16_t port, unsigned size)
{
	struct machine *machine = owner;
	(void)size;
	if (port == BENCH_GUEST_STATUS)
		return STATUS_READY;
	return machine->order_read < BENCH_GUEST_ORDER_SIZE ? machine->order[machine->order_read++] : 0;
}

static void write_com(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	struct machine *machine = owner;
	(void)size;
	if (port != BENCH_GUEST_DATA)
		return;
	if (value == BENCH_GUEST_START)
		machine->start = take_mark(machine);
	if (value != BENCH_GUEST_END)
		return;
	machine->end = take_mark(machine);
	machine->ended = true;
	__atomic_store_n(&machine->pins.stop, true, __ATOMIC_RELEASE);
	cpu_pins_attend(&machine->pins);
}

static uint32_t read_a20(void *owner, uint16_t port, unsigned size)
{
	(void)owner, (void)port, (void)size;
	return A20_ON;
}

static const struct bus_ops com_ops = { .name = "bench", .max_size = 1, .read = read_com, .write = write_com };
static const struct bus_ops a20_ops = { .name = "bench", .max_size = 1, .read = read_a20 };

/* --- building ------------------------------------------------------------------------ */

static bool open_board(struct machine *machine, char **error)
{
	machine->bus = bus_new();
	machine->clock = clock_new(CLOCK_KIND_REAL);
	machine->mem = mem_new();
	struct mem_store *ram = machine->mem ? mem_store_new(machine->mem, "ram", RAM_SIZE) : NULL;
	struct mem_region *region =
		ram ? mem_region_new(machine->mem, "ram", MEM_PRIORITY_RAM, MEM_REGION_READS | MEM_REGION_WRITES, ram, 0, RAM_SIZE) : NULL;
	if (!region || mem_region_enable(region, 0)) {
		*error = g_strdup("no memory for the guest: free some");
		return false;
	}
	machine->ram = mem_store_data(ram);
	memcpy(machine->ram + BENCH_GUEST_ORIGIN, bench_guest, bench_guest_size);
	bus_claim(machine->bus, BENCH_GUEST_DATA, BENCH_GUEST_STATUS, &com_ops, machine);
	bus_claim(machine->bus, PORT_A20, PORT_A20, &a20_ops, machine);
	return true;
}

static bool open_emulator(struct machine *machine, const struct bench_subject *subject, char **error)
{
	struct run_options options;
	const struct engines engines = { .emu = true, .cpu = EMU_CPU_P6 };
	const struct channel_process_parts parts = {
		.mem = machine->mem, .bus = machine->bus, .clock = machine->clock, .pins = &machine->pins,
	};
	run_options_init(&options);
	options.channel = subject->channel;
	options.jit = subject->jit;
	machine->emu_channel = emulator_open_parts(&options, &engines, &parts, &machine->emu, error);
	run_options_clear(&options);
	return machine->emu_channel;
}

static bool open_kvm(struct machine *machine, const struct bench_subject *subject, char **error)
{
	struct cpuid_leaf cpuid[CPUID_LEAVES];
	unsigned cpuids = emu_cpuid(EMU_CPU_P6, false, cpuid);
	const struct hv_config config = {
		.mem = machine->mem, .bus = machine->bus, .clock = machine->clock, .pins = &machine->pins,
		.cpuid = cpuid, .cpuids = cpuids, .cpu_signature = emu_cpu_signature(EMU_CPU_P6),
		.probe = subject->probe, .watch = subject->watch,
		.interpreted = true, .alone = subject->kind == BENCH_KVM,
	};
	if (!(machine->kvm = hv_new(&config, error)))
		return false;
	machine->kvm_channel = channel_new_inline(machine->kvm);
	return machine->kvm_channel;
}

static bool end_run(void *owner, bool from_shutdown)
{
	(void)owner, (void)from_shutdown;
	return false;
}

static struct policy *open_policy(const struct machine *machine, const struct bench_subject *subject)
{
	const struct engines engines = { .emu = true, .kvm = true, .probe = (struct hv_probe *)subject->probe };
	struct policy_config config = engines_costs(&engines, machine->kvm);
	config.kind = subject->policy;
	config.threshold = subject->threshold;
	return policy_new(&config);
}

static void open_conduct(struct machine *machine, const struct bench_subject *subject)
{
	struct conduct_config config = {
		.ctx = machine->ctx, .clock = machine->clock, .pins = &machine->pins,
		.threshold = subject->threshold, .reset = end_run,
	};
	if (subject->kind == BENCH_HYBRID) {
		config.policy = machine->policy = open_policy(machine, subject);
		machine->transitions = transition_log_new(TRANSITION_RING);
	}
	if (machine->kvm_channel)
		config.channel[config.channels++] = machine->kvm_channel;
	if (machine->emu_channel)
		config.channel[config.channels++] = machine->emu_channel;
	machine->conduct = conduct_new(&config);
}

/* At the guest's entry. */
static void reset(struct machine *machine)
{
	struct ctx *ctx = machine->ctx;
	ctx_reset(ctx, emu_cpu_signature(EMU_CPU_P6));
	ctx->seg[CTX_CS].selector = 0;
	ctx->seg[CTX_CS].base = 0;
	ctx->rip = BENCH_GUEST_ORIGIN + (uint64_t)(bench_guest_entry - bench_guest);
}

static void machine_close(void *state)
{
	struct machine *machine = state;
	if (machine->conduct)
		conduct_free(machine->conduct);
	policy_free(machine->policy);
	transition_log_free(machine->transitions);
	channel_free(machine->emu_channel);
	if (machine->emu)
		machine->emu->ops->free(machine->emu);
	channel_free(machine->kvm_channel);
	if (machine->kvm)
		machine->kvm->ops->free(machine->kvm);
	mem_free(machine->mem);
	bus_free(machine->bus);
	clock_free(machine->clock);
	if (machine->log) {
		log_set_output(stderr);
		fclose(machine->log);
	}
	free(machine->messages);
	g_free(machine->ctx);
	g_free(machine);
}

/* The emulator's process, if there is one, is forked before anything has a thread. */
static void *machine_open(const struct bench_subject *subject, char **error)
{
	struct machine *machine = g_new0(struct machine, 1);
	machine->ctx = g_new0(struct ctx, 1);
	bool fine = open_board(machine, error);
	if (fine && subject->kind != BENCH_KVM)
		fine = open_emulator(machine, subject, error);
	if (fine && subject->kind != BENCH_EMU)
		fine = open_kvm(machine, subject, error);
	if (!fine) {
		machine_close(machine);
		return NULL;
	}
	open_conduct(machine, subject);
	reset(machine);
	if ((machine->log = open_memstream(&machine->messages, &machine->messages_size)))
		log_set_output(machine->log);
	return machine;
}

/* --- a sample -------------------------------------------------------------------------- */

static void add_parts(const struct machine *machine, struct bench_answer *answer)
{
	unsigned held = transition_log_held(machine->transitions);
	uint64_t count = MIN(machine->end.transitions - machine->start.transitions, held);
	for (uint64_t n = held - count; n < held; n++)
		for (unsigned part = 0; part < TRANSITION_PARTS; part++)
			answer->part_ns[part] += transition_log_get(machine->transitions, (unsigned)n)->ns[part];
}

static void describe_failure(struct machine *machine, enum conduct_end end, struct bench_answer *answer)
{
	static const char *const ends[] = {
		[CONDUCT_STOPPED] = "stopped", [CONDUCT_SHUTDOWN] = "the guest shut down (triple fault)",
		[CONDUCT_HALTED] = "the guest halted for good", [CONDUCT_ERROR] = "no engine could go on",
	};
	fflush(machine->log);
	g_autofree char *message = g_strndup(machine->messages, strcspn(machine->messages, "\n"));
	const char *text = g_str_has_prefix(message, LOG_ERROR_PREFIX) ? message + strlen(LOG_ERROR_PREFIX) : message;
	bench_answer_fail(answer, "%s", *text ? text : ends[end]);
}

static void machine_ask(void *state, const struct bench_order *order, struct bench_answer *answer)
{
	struct machine *machine = state;
	bench_order_encode(order, machine->order);
	machine->order_read = 0;
	machine->ended = false;
	conduct_set_transitions(machine->conduct, order->log ? machine->transitions : NULL);
	enum conduct_end end = conduct_run(machine->conduct);
	if (end != CONDUCT_STOPPED || !machine->ended) {
		describe_failure(machine, end, answer);
		return;
	}
	answer->ns = machine->end.ns - machine->start.ns;
	answer->cpu_ns = machine->end.cpu_ns - machine->start.cpu_ns;
	answer->cycles = machine->end.cycles - machine->start.cycles;
	answer->handovers = machine->end.handovers - machine->start.handovers;
	answer->exits = machine->end.exits - machine->start.exits;
	if (order->log)
		add_parts(machine, answer);
}

void *bench_machine_to_handover(const struct bench_subject *subject, const struct bench_order *order,
                                struct hv_floor_guest *guest, char **error)
{
	const struct bench_subject hybrid = {
		.kind = BENCH_HYBRID, .channel = RUN_CHANNEL_INLINE, .jit = EMU_JIT_ON, .watch = subject->watch, .policy = POLICY_V2E, .probe = subject->probe,
	};
	struct bench_answer answer = { .ns = 0 };
	struct machine *machine = machine_open(&hybrid, error);
	if (!machine)
		return NULL;
	conduct_stop_at_handovers(machine->conduct);
	machine_ask(machine, order, &answer);
	if (conduct_is_at_handover(machine->conduct)) {
		*guest = (struct hv_floor_guest){ machine->ctx, machine->ram, RAM_SIZE };
		return machine;
	}
	*error = g_strdup("the guest was not handed to KVM");
	machine_close(machine);
	return NULL;
}

const struct bench_ops bench_machine_ops = { .open = machine_open, .ask = machine_ask, .close = machine_close };
