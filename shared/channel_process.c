/* The conductor's side: forks, hands requests over, serves what is asked. */
/* memfd_create() */
#define _GNU_SOURCE

#include "shared/channel_process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>

#include "shared/channel_wire.h"
#include "shared/futex.h"
#include "shared/sandbox.h"
#include "shared/trace.h"

/* How often we look whether the process still lives, and how long it may keep
 * the turn; a request's limits are up within milliseconds. */
#define LOOK_MS  100
#define HANGS_MS 30000

/* A turn of so many instructions is a lie. */
#define INSNS_MAX (UINT64_C(1) << 40)

/* Real time: what the origin of guest time must move for the child to hear. */
#define ORIGIN_JITTER 1000000u

struct process_channel {
	struct channel channel;
	struct engine stand_in;
	struct engine_ops ops; /* of the stand-in */
	struct channel_process_parts parts;
	struct wire *wire;
	pid_t pid;   /* 0: it is dead and buried */
	int signal;  /* that killed it */
	/* What the wire says, where the child might write. */
	uint32_t writes, map_version, forgets, native_epochs;
	uint64_t origin;
	bool map_changed;
	struct ctx *ctx; /* of the request that runs; NULL: none */
	/* The context that came back last, and whether the engine may go on with it. */
	struct ctx last;
	bool last_can_run;
	uint64_t asked, runs;
};

static struct process_channel *of_engine(struct engine *engine)
{
	return (struct process_channel *)((char *)engine - offsetof(struct process_channel, stand_in));
}

/* --- death ----------------------------------------------------------------------------- */

static void bury(struct process_channel *channel)
{
	if (!channel->pid)
		return;
	kill(channel->pid, SIGKILL);
	while (waitpid(channel->pid, NULL, 0) < 0 && errno == EINTR)
		;
	channel->pid = 0;
}

/* Always false. */
static bool condemn(struct process_channel *channel, const char *what)
{
	log_error("the engine's process %d %s; it was ended", (int)channel->pid, what);
	bury(channel);
	return false;
}

static bool is_alive(struct process_channel *channel)
{
	int status;
	if (!channel->pid || waitpid(channel->pid, &status, WNOHANG) != channel->pid)
		return channel->pid;
	if (WIFSIGNALED(status)) {
		channel->signal = WTERMSIG(status);
		log_error("the engine's process %d was killed by signal %d (%s)", (int)channel->pid, channel->signal,
		          strsignal(channel->signal));
	} else {
		log_error("the engine's process %d ended with status %d", (int)channel->pid, WEXITSTATUS(status));
	}
	channel->pid = 0;
	return false;
}

static bool await_turn(struct process_channel *channel)
{
	for (int ms = 0; ms < HANGS_MS; ms += LOOK_MS) {
		if (futex_wait_while(&channel->wire->turn, WIRE_CHILD, LOOK_MS))
			return true;
		if (!is_alive(channel))
			return false;
	}
	return condemn(channel, "does not answer");
}

/* --- what the child has to know before its turn -------------------------------------------- */

static void on_map_changed(void *owner, uint64_t address, uint64_t size)
{
	struct process_channel *channel = owner;
	struct mem *mem = channel->parts.mem;
	channel->map_changed = true;
	if (size >= MEM_SPACE)
		channel->forgets++;
	/* The child may take code from anywhere, so that each write is news. */
	for (uint64_t page = address >> MEM_PAGE_SHIFT; page < (address + size) >> MEM_PAGE_SHIFT; page++)
		mem->page[page] |= MEM_CODE;
}

static void on_written(void *owner, uint32_t address, uint32_t size)
{
	struct process_channel *channel = owner;
	struct wire_written *written = channel->wire->written;
	uint32_t n = channel->writes;
	if (n && n <= WIRE_WRITTEN && written[n - 1].address + written[n - 1].size == address) {
		written[n - 1].size += size;
		return;
	}
	if (n < WIRE_WRITTEN)
		written[n] = (struct wire_written){ address, size };
	if (n <= WIRE_WRITTEN)
		channel->writes++;
}

static void tell_clock(struct process_channel *channel)
{
	struct clock *clock = channel->parts.clock;
	uint64_t now = clock_now(clock);
	if (clock_kind(clock) == CLOCK_KIND_VIRTUAL) {
		channel->wire->now = now;
		channel->wire->deadline = clock_next_deadline(clock);
		return;
	}
	uint64_t origin = channel_host_ns() - now, before = channel->origin;
	if ((origin > before ? origin - before : before - origin) > ORIGIN_JITTER)
		channel->origin = origin;
	channel->wire->origin = channel->origin;
}

static void tell_map(struct process_channel *channel)
{
	struct wire *wire = channel->wire;
	if (channel->map_changed) {
		channel->map_changed = false;
		channel->map_version++;
		wire->regions = mem_mirror_describe(channel->parts.mem, wire->region);
	}
	wire->map_version = channel->map_version;
	wire->forgets = channel->forgets;
	wire->a20_mask = channel->parts.mem->a20_mask;
	wire->writes = channel->writes;
	channel->writes = 0;
}

/* The order is that of kick(): a stop that comes in between is seen. */
static void tell_pins(struct process_channel *channel)
{
	struct cpu_pins *to = &channel->wire->pins, *pins = channel->parts.pins;
	to->intr = pins->intr;
	to->nmi = pins->nmi;
	to->smi = pins->smi;
	to->init = pins->init;
	to->reset = pins->reset;
	to->hold_intr = pins->hold_intr;
	__atomic_store_n(&to->stop, false, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&pins->stop, __ATOMIC_SEQ_CST))
		__atomic_store_n(&to->stop, true, __ATOMIC_SEQ_CST);
	if (atomic_exchange(&pins->attention, false))
		cpu_pins_attend(to);
}

static void give_turn(struct process_channel *channel)
{
	channel->wire->trace_mask = log_trace_mask;
	channel->wire->native_epochs = channel->native_epochs;
	tell_clock(channel);
	tell_map(channel);
	tell_pins(channel);
	futex_set(&channel->wire->turn, WIRE_CHILD);
}

/* --- what we have to know before ours -------------------------------------------------------- */

/* The engine takes edges; the board alone makes them. */
static void hear_pins(struct process_channel *channel)
{
	const struct cpu_pins *from = &channel->wire->pins;
	struct cpu_pins *pins = channel->parts.pins;
	pins->nmi = pins->nmi && from->nmi;
	pins->smi = pins->smi && from->smi;
	pins->init = pins->init && from->init;
}

static bool take_turn(struct process_channel *channel)
{
	if (!await_turn(channel))
		return false;
	uint64_t insns = channel->wire->insns;
	if (insns > INSNS_MAX)
		return condemn(channel, "claims too many instructions");
	clock_add_insns(channel->parts.clock, insns);
	hear_pins(channel);
	return true;
}

/* --- answers ------------------------------------------------------------------------------------ */

/* A copy of the page's io_ fields, checked. */
struct access {
	uint64_t address, data;
	uint32_t size;
	bool is_write, is_port;
};

static bool get_access(struct process_channel *channel, struct access *access)
{
	const struct ctx *page = &channel->wire->page;
	*access = (struct access){ .address = page->io_address, .data = page->io_data, .size = page->io_size,
	                           .is_write = page->io_is_write, .is_port = channel->wire->space == CTX_PIO };
	uint32_t size = access->size, largest = access->is_port ? 4 : 8;
	if (!size || size > largest || (size & (size - 1)) || (access->is_port && access->address > UINT16_MAX))
		return condemn(channel, "asked for an access that does not exist");
	return true;
}

static bool answer_access(struct process_channel *channel)
{
	struct access access;
	uint64_t value = 0;
	if (!get_access(channel, &access))
		return false;
	if (access.is_port && access.is_write)
		bus_write(channel->parts.bus, (uint16_t)access.address, access.size, (uint32_t)access.data);
	else if (access.is_port)
		value = bus_read(channel->parts.bus, (uint16_t)access.address, access.size);
	else if (access.is_write)
		mem_write(channel->parts.mem, access.address, access.size, access.data);
	else
		value = mem_read(channel->parts.mem, access.address, access.size);
	channel->wire->page.io_data = value;
	return true;
}

static bool answer_stream(struct process_channel *channel)
{
	struct wire *wire = channel->wire;
	struct access access;
	uint32_t count = wire->count;
	if (!get_access(channel, &access))
		return false;
	if (!access.is_port || count > WIRE_DATA / access.size)
		return condemn(channel, "asked for more data than there is room for");
	if (access.is_write)
		bus_write_many(channel->parts.bus, (uint16_t)access.address, access.size, wire->data, count);
	else
		bus_read_many(channel->parts.bus, (uint16_t)access.address, access.size, wire->data, count);
	return true;
}

static bool answer_inta(struct process_channel *channel)
{
	const struct cpu_pins *pins = channel->parts.pins;
	channel->wire->result = pins->acknowledge ? pins->acknowledge(pins->owner) : 0xff;
	return true;
}

static bool answer_smiact(struct process_channel *channel)
{
	const struct channel_process_parts *parts = &channel->parts;
	if (parts->set_smm)
		parts->set_smm(parts->owner, channel->wire->value);
	return true;
}

static bool answer_log(struct process_channel *channel)
{
	uint32_t count = MIN(channel->wire->count, WIRE_DATA);
	g_autofree char *line = g_strndup((const char *)channel->wire->data, count);
	log_line("%s", g_strchomp(line));
	return true;
}

/* From a copy, as the other side could write while we look. */
static bool answer_trace(struct process_channel *channel)
{
	uint32_t count = MIN(channel->wire->count, WIRE_DATA);
	g_autofree void *event = g_memdup2(channel->wire->data, count);
	return trace_receive(event, count) || condemn(channel, "sent a trace event that is none");
}

/* DR6 is what the page has by now, and what was kept. */
static bool answer_fetch(struct process_channel *channel)
{
	struct ctx *ctx = channel->ctx, *page = &channel->wire->page;
	uint32_t part = channel->wire->value;
	if (!ctx || part >= CTX_PARTS)
		return condemn(channel, "asked for a state that nobody keeps");
	if (part == CTX_PART_FPU) {
		cpu_pins_fetch_fpu(channel->parts.pins, ctx);
		memcpy(page->fxsave, ctx->fxsave, sizeof ctx->fxsave);
	} else {
		cpu_pins_fetch_dr6(channel->parts.pins, ctx);
		page->dr6 |= ctx->dr6;
	}
	return true;
}

/* False: it is dead now. */
static bool answer(struct process_channel *channel, uint32_t question)
{
	channel->asked++;
	switch (question) {
	case WIRE_ACCESS:
		return answer_access(channel);
	case WIRE_STREAM:
		return answer_stream(channel);
	case WIRE_INTA:
		return answer_inta(channel);
	case WIRE_SMIACT:
		return answer_smiact(channel);
	case WIRE_FERR:
		irq_set(&channel->parts.pins->ferr, channel->wire->value);
		return true;
	case WIRE_FETCH:
		return answer_fetch(channel);
	case WIRE_LOG:
		return answer_log(channel);
	case WIRE_TRACE:
		return answer_trace(channel);
	default:
		return condemn(channel, "asked what cannot be asked");
	}
}

/* Until WIRE_DONE. False: it is dead. */
static bool serve(struct process_channel *channel)
{
	for (;;) {
		if (!take_turn(channel))
			return false;
		uint32_t question = channel->wire->question;
		if (question == WIRE_DONE)
			return true;
		if (!answer(channel, question))
			return false;
		give_turn(channel);
	}
}

static bool command(struct process_channel *channel, enum wire_command what)
{
	if (!is_alive(channel))
		return false;
	channel->wire->command = what;
	give_turn(channel);
	return serve(channel);
}

/* --- the channel ------------------------------------------------------------------------------------ */

/* The page as it came back, if it is one. What the conductor wrote stays. */
static bool accept_page(struct process_channel *channel, struct ctx *ctx)
{
	struct ctx *page = &channel->last;
	*page = channel->wire->page;
	const char *wrong = ctx_check(page);
	if (wrong) {
		g_autofree char *what = g_strdup_printf("gave back a page that is none: %s", wrong);
		return condemn(channel, what);
	}
	page->sequence = ctx->sequence;
	page->request_type = ctx->request_type;
	page->limit_insns = ctx->limit_insns;
	page->limit_blocks = ctx->limit_blocks;
	page->stays = ctx->stays;
	page->request_state = CTX_DONE;
	*ctx = *page;
	return true;
}

static enum stop_reason process_call(struct channel *base, struct ctx *ctx)
{
	struct process_channel *channel = (struct process_channel *)base;
	channel->wire->page = *ctx;
	channel->runs++;
	channel->ctx = ctx;
	bool answered = command(channel, WIRE_RUN);
	channel->ctx = NULL;
	if (!answered || !accept_page(channel, ctx)) {
		ctx->stop_detail = (uint32_t)channel->signal;
		ctx->request_state = CTX_DONE;
		return STOP_ERROR;
	}
	uint32_t reason = channel->wire->result;
	channel->last_can_run = channel->wire->can_run;
	if (atomic_exchange(&channel->wire->pins.attention, false))
		cpu_pins_attend(channel->parts.pins);
	return reason < STOP_REASONS ? (enum stop_reason)reason : STOP_ERROR;
}

static void process_free(struct channel *base)
{
	struct process_channel *channel = (struct process_channel *)base;
	bury(channel);
	mem_unlisten(channel->parts.mem, channel);
	if (channel->wire)
		munmap(channel->wire, sizeof *channel->wire);
	g_free(channel);
}

static const struct channel_ops process_ops = { .name = "process", .call = process_call, .free = process_free };

pid_t channel_process_pid(const struct channel *channel)
{
	return ((const struct process_channel *)channel)->pid;
}

/* --- the engine's stand-in ----------------------------------------------------------------------------- */

static bool same_cpu(const struct ctx *a, const struct ctx *b)
{
	return !memcmp(a->gpr, b->gpr, CTX_SIZE - offsetof(struct ctx, gpr));
}

/* A dead engine takes what is there, so that its death ends the run. */
static bool stand_in_can_run(struct engine *engine, const struct ctx *ctx)
{
	struct process_channel *channel = of_engine(engine);
	if (same_cpu(ctx, &channel->last))
		return channel->last_can_run;
	channel->wire->page = *ctx;
	bool can_run = !command(channel, WIRE_CAN_RUN) || channel->wire->result;
	channel->last = *ctx;
	channel->last_can_run = can_run;
	return can_run;
}

static enum stop_reason stand_in_run(struct engine *engine, struct ctx *ctx)
{
	return process_call(&of_engine(engine)->channel, ctx);
}

static void stand_in_kick(struct engine *engine)
{
	struct process_channel *channel = of_engine(engine);
	if (__atomic_load_n(&channel->parts.pins->stop, __ATOMIC_SEQ_CST))
		__atomic_store_n(&channel->wire->pins.stop, true, __ATOMIC_SEQ_CST);
	cpu_pins_attend(&channel->wire->pins);
}

static void stand_in_new_epoch(struct engine *engine)
{
	of_engine(engine)->native_epochs++;
}

static void stand_in_flush(struct engine *engine)
{
	command(of_engine(engine), WIRE_FLUSH);
}

static void stand_in_print_stats(struct engine *engine, FILE *out)
{
	struct process_channel *channel = of_engine(engine);
	uint64_t asked = channel->asked;
	if (command(channel, WIRE_STATS)) {
		uint32_t count = MIN(channel->wire->count, WIRE_DATA);
		fwrite(channel->wire->data, 1, count, out);
	}
	fprintf(out, "process.requests %" PRIu64 "\nprocess.questions %" PRIu64 "\n", channel->runs, asked);
}

/* The channel goes, and the engine with it. */
static void stand_in_free(struct engine *engine)
{
	(void)engine;
}

static const struct engine_ops stand_in_ops = {
	.can_run = stand_in_can_run,
	.run = stand_in_run,
	.kick = stand_in_kick,
	.new_epoch = stand_in_new_epoch,
	.flush = stand_in_flush,
	.print_stats = stand_in_print_stats,
	.free = stand_in_free,
};

/* --- birth ------------------------------------------------------------------------------------------------ */

static struct wire *map_wire(void)
{
	int fd = memfd_create("v2e channel", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return NULL;
	void *wire = MAP_FAILED;
	if (!ftruncate(fd, sizeof *(struct wire *)wire) && !fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW))
		wire = mmap(NULL, sizeof *(struct wire *)wire, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	int error = errno;
	close(fd);
	errno = error;
	return wire == MAP_FAILED ? NULL : wire;
}

static bool listen_to_map(struct process_channel *channel)
{
	const struct mem_listener listener = { on_map_changed, on_written, channel };
	int error = mem_listen(channel->parts.mem, &listener);
	errno = -error;
	if (!error)
		on_map_changed(channel, 0, MEM_SPACE);
	return !error;
}

/* Output that waits in stdio's buffers is the parent's to write. */
static bool fork_child(struct process_channel *channel, const struct channel_process_config *config)
{
	pid_t parent = getpid();
	fflush(NULL);
	give_turn(channel);
	channel->pid = fork();
	if (!channel->pid)
		channel_child_main(channel->wire, config, parent);
	if (channel->pid < 0)
		channel->pid = 0;
	return channel->pid;
}

static char *start(struct process_channel *channel, const struct channel_process_config *config)
{
	if (!(channel->wire = map_wire()) || !listen_to_map(channel) || !fork_child(channel, config))
		return g_strdup_printf("the engine's process cannot start: %s", g_strerror(errno));
	if (!serve(channel))
		return g_strdup("the engine's process died at its start");
	if (channel->wire->result == WIRE_STARTED)
		return NULL;
	uint32_t count = MIN(channel->wire->count, WIRE_DATA);
	return g_strdup_printf("the engine's process: %.*s", (int)count, (const char *)channel->wire->data);
}

struct channel *channel_new_process(const struct channel_process_config *config, char **error)
{
	struct process_channel *channel = g_new0(struct process_channel, 1);
	channel->channel = (struct channel){ &process_ops, &channel->stand_in };
	channel->ops = stand_in_ops;
	channel->ops.name = config->name;
	channel->stand_in.ops = &channel->ops;
	channel->parts = config->parts;
	char *problem = start(channel, config);
	if (!problem) {
		if (!sandbox_has_filter())
			log_info("built without libseccomp: the engine's process may call what system calls it likes");
		return &channel->channel;
	}
	process_free(&channel->channel);
	if (error)
		*error = problem;
	else
		g_free(problem);
	return NULL;
}
