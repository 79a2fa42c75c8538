/* The engine's side of channel_process.c. */
/* fopencookie() */
#define _GNU_SOURCE

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <glib.h>

#include "shared/channel_wire.h"
#include "shared/futex.h"
#include "shared/sandbox.h"
#include "shared/trace.h"

struct child {
	struct wire *wire;
	struct engine *engine;
	struct bus *bus;
	struct clock *clock;
	struct clock_timer *deadline; /* stands for the parent's next timer */
	struct mem_mirror *mirror;
	bool is_virtual;
	/* What has been seen of the wire's counters. */
	uint32_t map_version, forgets, native_epochs;
	uint64_t origin, now;
};

/* --- taking the turn ----------------------------------------------------------------- */

static void nothing(void *owner)
{
	(void)owner;
}

static void sync_clock(struct child *child)
{
	const struct wire *wire = child->wire;
	if (child->is_virtual) {
		child->now = wire->now;
		clock_set_now(child->clock, wire->now);
		clock_timer_set(child->deadline, wire->deadline);
	} else if (child->origin != wire->origin) {
		child->origin = wire->origin;
		clock_set_now(child->clock, channel_host_ns() - wire->origin);
	}
}

static void sync_map(struct child *child)
{
	const struct wire *wire = child->wire;
	if (child->map_version != wire->map_version) {
		child->map_version = wire->map_version;
		if (mem_mirror_update(child->mirror, wire->region, wire->regions))
			abort();
	}
	mem_set_a20(mem_mirror_mem(child->mirror), wire->a20_mask == UINT32_MAX);
	if (child->forgets != wire->forgets) {
		child->forgets = wire->forgets;
		mem_mirror_forget(child->mirror);
	}
}

static void sync_written(struct child *child)
{
	const struct wire *wire = child->wire;
	if (wire->writes > WIRE_WRITTEN) {
		mem_mirror_written(child->mirror, 0, MEM_SPACE);
		return;
	}
	for (uint32_t n = 0; n < wire->writes; n++)
		mem_mirror_written(child->mirror, wire->written[n].address, wire->written[n].size);
}

static void take_turn(struct child *child)
{
	futex_wait_while(&child->wire->turn, WIRE_PARENT, -1);
	log_trace_mask = child->wire->trace_mask;
	sync_clock(child);
	sync_map(child);
	sync_written(child);
}

/* Gives the turn away until the parent gives it back. */
static void ask(struct child *child, enum wire_question question)
{
	struct wire *wire = child->wire;
	wire->question = question;
	wire->insns = child->is_virtual ? (clock_now(child->clock) - child->now) / CLOCK_NS_PER_INSN : 0;
	futex_set(&wire->turn, WIRE_PARENT);
	take_turn(child);
}

/* --- ports and MMIO ------------------------------------------------------------------- */

static uint64_t ask_access(struct child *child, enum ctx_request space, uint64_t address, unsigned size,
                           bool is_write, uint64_t value)
{
	struct ctx *page = &child->wire->page;
	page->io_address = address;
	page->io_data = value;
	page->io_size = size;
	page->io_is_write = is_write;
	child->wire->space = space;
	ask(child, WIRE_ACCESS);
	page->io_size = 0;
	return page->io_data;
}

static uint32_t read_port(void *owner, uint16_t port, unsigned size)
{
	return (uint32_t)ask_access(owner, CTX_PIO, port, size, false, 0);
}

static void write_port(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	ask_access(owner, CTX_PIO, port, size, true, value);
}

static void ask_stream(struct child *child, uint16_t port, unsigned size, bool is_write, size_t count)
{
	struct wire *wire = child->wire;
	wire->page.io_address = port;
	wire->page.io_size = size;
	wire->page.io_is_write = is_write;
	wire->space = CTX_PIO;
	wire->count = (uint32_t)count;
	ask(child, WIRE_STREAM);
	wire->page.io_size = 0;
}

static size_t read_ports(void *owner, uint16_t port, unsigned size, void *to, size_t count)
{
	struct child *child = owner;
	size_t items = MIN(count, WIRE_DATA / size);
	ask_stream(child, port, size, false, items);
	memcpy(to, child->wire->data, items * size);
	return items;
}

static size_t write_ports(void *owner, uint16_t port, unsigned size, const void *from, size_t count)
{
	struct child *child = owner;
	size_t items = MIN(count, WIRE_DATA / size);
	memcpy(child->wire->data, from, items * size);
	ask_stream(child, port, size, true, items);
	return items;
}

static const struct bus_ops ports = {
	.name = "other process", .max_size = 4, .is_proxy = true,
	.read = read_port, .write = write_port, .read_many = read_ports, .write_many = write_ports,
};

static uint64_t read_mmio(void *owner, uint64_t address, unsigned size)
{
	return ask_access(owner, CTX_MMIO, address, size, false, 0);
}

static void write_mmio(void *owner, uint64_t address, unsigned size, uint64_t value)
{
	ask_access(owner, CTX_MMIO, address, size, true, value);
}

/* --- wires and messages ------------------------------------------------------------------ */

static uint8_t acknowledge(void *owner)
{
	struct child *child = owner;
	ask(child, WIRE_INTA);
	return (uint8_t)child->wire->result;
}

static void set_smm(void *owner, bool in_smm)
{
	struct child *child = owner;
	child->wire->value = in_smm;
	ask(child, WIRE_SMIACT);
}

static void set_ferr(void *owner, unsigned n, bool level)
{
	struct child *child = owner;
	(void)n;
	child->wire->value = level;
	ask(child, WIRE_FERR);
}

static void fetch(void *owner, struct ctx *ctx, enum ctx_part part)
{
	struct child *child = owner;
	(void)ctx; /* is the page */
	child->wire->value = part;
	ask(child, WIRE_FETCH);
}

static ssize_t write_log(void *cookie, const char *text, size_t size)
{
	struct child *child = cookie;
	size_t count = MIN(size, WIRE_DATA);
	memcpy(child->wire->data, text, count);
	child->wire->count = (uint32_t)count;
	ask(child, WIRE_LOG);
	return (ssize_t)count;
}

static void send_event(void *owner, const void *data, size_t size)
{
	struct child *child = owner;
	size_t count = MIN(size, WIRE_DATA);
	memcpy(child->wire->data, data, count);
	child->wire->count = (uint32_t)count;
	ask(child, WIRE_TRACE);
}

/* Lines reach the parent one by one, in the order of what the devices log. */
static bool redirect_log(struct child *child)
{
	FILE *out = fopencookie(child, "w", (cookie_io_functions_t){ .write = write_log });
	if (!out || setvbuf(out, NULL, _IOLBF, 4096))
		return false;
	log_set_output(out);
	trace_set_sender(send_event, child);
	return true;
}

/* --- commands -------------------------------------------------------------------------------- */

static void run(struct child *child)
{
	struct wire *wire = child->wire;
	if (child->native_epochs != wire->native_epochs) {
		child->native_epochs = wire->native_epochs;
		child->engine->ops->new_epoch(child->engine);
	}
	wire->result = channel_serve(child->engine, &wire->page);
	wire->can_run = child->engine->ops->can_run(child->engine, &wire->page);
}

static void print_stats(struct child *child)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	child->wire->count = 0;
	if (!out)
		return;
	if (child->engine->ops->print_stats)
		child->engine->ops->print_stats(child->engine, out);
	fclose(out);
	child->wire->count = (uint32_t)MIN(size, WIRE_DATA);
	memcpy(child->wire->data, text, child->wire->count);
	free(text);
}

static void obey(struct child *child)
{
	struct wire *wire = child->wire;
	switch ((enum wire_command)wire->command) {
	case WIRE_RUN:
		run(child);
		break;
	case WIRE_CAN_RUN:
		wire->result = child->engine->ops->can_run(child->engine, &wire->page);
		break;
	case WIRE_FLUSH:
		if (child->engine->ops->flush)
			child->engine->ops->flush(child->engine);
		break;
	case WIRE_STATS:
		print_stats(child);
		break;
	}
}

/* --- birth -------------------------------------------------------------------------------------- */

/* Signals of the terminal and of timeout(1) are for the parent, which ends us. */
static void leave_signals(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
	for (unsigned n = 0; n < G_N_ELEMENTS(numbers); n++)
		signal(numbers[n], SIG_IGN);
}

static bool build_parts(struct child *child, const struct channel_process_config *config)
{
	const struct mem_mirror_proxy proxy = { read_mmio, write_mmio, child };
	child->is_virtual = clock_kind(config->parts.clock) == CLOCK_KIND_VIRTUAL;
	child->clock = clock_new(clock_kind(config->parts.clock));
	child->bus = bus_new();
	child->mirror = mem_mirror_new(config->parts.mem, &proxy);
	if (!child->clock || !child->mirror)
		return false;
	child->deadline = clock_timer_new(child->clock, nothing, NULL);
	bus_claim_rest(child->bus, &ports, child);
	child->wire->pins.acknowledge = acknowledge;
	child->wire->pins.owner = child;
	child->wire->pins.ferr = (struct irq_line){ set_ferr, child, 0 };
	child->wire->pins.fetch = fetch;
	child->wire->pins.keeper = child;
	return redirect_log(child);
}

static int shut_in(const struct channel_process_config *config)
{
	int keep[MEM_MIRROR_STORES], stores = mem_mirror_store_fds(config->parts.mem, keep);
	int error = stores < 0 ? stores : sandbox_close_files(keep, (unsigned)stores);
	return error ? error : sandbox_enter();
}

static char *start(struct child *child, const struct channel_process_config *config)
{
	char *error = NULL;
	if (!build_parts(child, config))
		return g_strdup_printf("no memory for its map: %s", g_strerror(errno));
	take_turn(child);
	const struct channel_process_parts parts = {
		.mem = mem_mirror_mem(child->mirror), .bus = child->bus, .clock = child->clock,
		.pins = &child->wire->pins, .set_smm = set_smm, .owner = child,
	};
	child->engine = config->build(config->owner, &parts, &error);
	if (!child->engine)
		return error ? error : g_strdup("no engine");
	int status = shut_in(config);
	return status ? g_strdup_printf("it cannot be shut in: %s", g_strerror(-status)) : NULL;
}

void channel_child_main(struct wire *wire, const struct channel_process_config *config, pid_t parent)
{
	struct child child = { .wire = wire };
	leave_signals();
	/* The parent may have gone before the kernel was asked. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	char *error = start(&child, config);
	wire->result = error ? WIRE_FAILED : WIRE_STARTED;
	wire->count = error ? (uint32_t)MIN(strlen(error), WIRE_DATA) : 0;
	if (error)
		memcpy(wire->data, error, wire->count);
	for (;;) {
		ask(&child, WIRE_DONE);
		obey(&child);
	}
}
