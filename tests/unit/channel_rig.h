/* A board and an engine that does as RAX says, with a process between them. */
#ifndef V2E_TESTS_UNIT_CHANNEL_RIG_H
#define V2E_TESTS_UNIT_CHANNEL_RIG_H

#include <check.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "shared/channel_process.h"
#include "shared/log.h"

#define RAM   0x10000u
#define ENTERED (RAM - 8) /* in RAM: the child got there */

/* What the engine over there does, by RAX; RBX and RCX are operands, RDX the result. */
enum act {
	ACT_NOTHING, ACT_IN, ACT_OUT, ACT_INS, ACT_OUTS, ACT_READ, ACT_WRITE, ACT_INTA, ACT_SMM, ACT_FERR,
	ACT_LOG, ACT_CLOCK, ACT_SPEND, ACT_PINS, ACT_WAIT, ACT_CODE, ACT_EPOCHS, ACT_A20,
	ACT_KILL, ACT_EXIT, ACT_ABORT, ACT_OPEN, ACT_BAD_PAGE, ACT_BAD_ACCESS, ACT_BAD_REASON, ACT_FILES,
	ACT_FETCH, ACT_FETCH_AGAIN, ACT_BAD_FETCH,
};

struct fake {
	struct engine engine;
	struct channel_process_parts parts;
	unsigned epochs, written, forgotten;
	uint32_t written_at, written_size;
};

static struct ctx page;
static struct mem *mem;
static struct mem_store *ram, *other;
static struct mem_region *ram_region, *other_region, *mmio_region;
static struct bus *bus;
static struct clock *board_clock;
static struct clock_timer *timer;
static struct cpu_pins pins;
static struct channel *channel;
static char *said;
static size_t said_size;
static FILE *said_file;

/* What the devices on this side saw. */
static uint64_t seen_value, seen_at, seen_ns;
static unsigned seen_size, seen_smm, seen_ferr, seen_fetches;

/* --- the engine over there --------------------------------------------------------- */

static void on_map_changed(void *owner, uint64_t address, uint64_t size)
{
	(void)address;
	((struct fake *)owner)->forgotten += size == MEM_SPACE;
}

static void on_written(void *owner, uint32_t address, uint32_t size)
{
	struct fake *fake = owner;
	fake->written++;
	fake->written_at = address;
	fake->written_size = size;
}

static uint64_t pin_bits(const struct cpu_pins *from)
{
	return from->intr | from->nmi << 1 | from->smi << 2 | from->init << 3 | from->reset << 4 | from->stop << 5;
}

static enum stop_reason wait_for_stop(struct fake *fake)
{
	struct cpu_pins *from = fake->parts.pins;
	mem_write(fake->parts.mem, ENTERED, 1, 1);
	while (!__atomic_load_n(&from->stop, __ATOMIC_SEQ_CST))
		sched_yield();
	return atomic_load(&from->attention) ? STOP_KICK : STOP_ERROR;
}

static uint64_t open_files(void)
{
	uint64_t count = 0;
	for (int fd = 0; fd < 64; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static uint64_t ins(struct fake *fake, uint16_t port, size_t count)
{
	uint16_t *words = calloc(count, 2);
	uint64_t sum = 0;
	bus_read_many(fake->parts.bus, port, 2, words, count);
	for (size_t n = 0; n < count; n++)
		sum += words[n];
	free(words);
	return sum;
}

static void outs(struct fake *fake, uint16_t port, size_t count)
{
	uint16_t *words = calloc(count, 2);
	for (size_t n = 0; n < count; n++)
		words[n] = (uint16_t)n;
	bus_write_many(fake->parts.bus, port, 2, words, count);
	free(words);
}

static enum stop_reason misbehave(struct ctx *ctx, const struct fake *fake)
{
	switch ((enum act)ctx->gpr[CTX_RAX].r) {
	case ACT_KILL:
		raise(SIGKILL);
		return STOP_NONE;
	case ACT_EXIT:
		_exit(3);
	case ACT_ABORT:
		abort();
	case ACT_OPEN:
		return open("/etc/passwd", O_RDONLY) < 0 ? STOP_BUDGET : STOP_MODE;
	case ACT_BAD_PAGE:
		ctx->magic ^= 1;
		return STOP_BUDGET;
	case ACT_BAD_ACCESS:
		bus_read(fake->parts.bus, 0x10, 3); /* as 2 and 1 */
		mem_read(fake->parts.mem, 0x80000, 5);
		return STOP_BUDGET;
	default:
		return (enum stop_reason)77;
	}
}

static enum stop_reason act(struct fake *fake, struct ctx *ctx)
{
	const struct channel_process_parts *parts = &fake->parts;
	uint64_t b = ctx->gpr[CTX_RBX].r, c = ctx->gpr[CTX_RCX].r, *d = &ctx->gpr[CTX_RDX].r;
	switch ((enum act)ctx->gpr[CTX_RAX].r) {
	case ACT_NOTHING:
		break;
	case ACT_IN:
		*d = bus_read(parts->bus, (uint16_t)b, (unsigned)c);
		break;
	case ACT_OUT:
		bus_write(parts->bus, (uint16_t)b, (unsigned)c, (uint32_t)*d);
		break;
	case ACT_INS:
		*d = ins(fake, (uint16_t)b, c);
		break;
	case ACT_OUTS:
		outs(fake, (uint16_t)b, c);
		break;
	case ACT_READ:
		*d = mem_read(parts->mem, b, (unsigned)c);
		break;
	case ACT_WRITE:
		mem_write(parts->mem, b, (unsigned)c, *d);
		break;
	case ACT_INTA:
		*d = parts->pins->acknowledge(parts->pins->owner);
		*d |= (uint64_t)parts->pins->intr << 8;
		break;
	case ACT_SMM:
		parts->set_smm(parts->owner, b);
		*d = mem_read(parts->mem, 0x20000, 1);
		break;
	case ACT_FERR:
		irq_set(&parts->pins->ferr, b);
		break;
	case ACT_LOG:
		log_trace(LOG_TRACE_IO, "from afar %d", (int)b);
		break;
	case ACT_CLOCK:
		*d = clock_now(parts->clock);
		ctx->gpr[CTX_RCX].r = clock_next_deadline(parts->clock);
		break;
	case ACT_SPEND:
		clock_add_insns(parts->clock, b);
		*d = bus_read(parts->bus, 0x10, 1);
		ctx->gpr[CTX_RCX].r = clock_next_deadline(parts->clock);
		clock_add_insns(parts->clock, b);
		break;
	case ACT_PINS:
		*d = pin_bits(parts->pins);
		parts->pins->nmi = parts->pins->smi = parts->pins->init = false;
		break;
	case ACT_WAIT:
		return wait_for_stop(fake);
	case ACT_CODE:
		parts->mem->page[b >> MEM_PAGE_SHIFT] |= MEM_CODE;
		break;
	case ACT_EPOCHS:
		*d = fake->epochs | fake->written << 8 | fake->forgotten << 16;
		ctx->gpr[CTX_RBX].r = fake->written_at;
		ctx->gpr[CTX_RCX].r = fake->written_size;
		break;
	case ACT_A20:
		*d = parts->mem->a20_mask;
		break;
	case ACT_FILES:
		*d = open_files();
		break;
	case ACT_FETCH:
		cpu_pins_fetch_all(parts->pins, ctx);
		*d = ctx->fxsave[b];
		break;
	case ACT_FETCH_AGAIN:
	case ACT_BAD_FETCH:
		parts->pins->fetch(parts->pins->keeper, ctx, ctx->gpr[CTX_RAX].r == ACT_BAD_FETCH ? CTX_PARTS : CTX_PART_FPU);
		break;
	default:
		return misbehave(ctx, fake);
	}
	return STOP_BUDGET;
}

static enum stop_reason fake_run(struct engine *engine, struct ctx *ctx)
{
	ctx->insns_run = 5;
	if (ctx->request_state != CTX_IN_PROCESS || ctx->request_type != CTX_EMULATE)
		return STOP_ERROR;
	return act((struct fake *)engine, ctx);
}

static bool fake_can_run(struct engine *engine, const struct ctx *ctx)
{
	(void)engine;
	return !(ctx->efer & CTX_EFER_LMA);
}

static void fake_epoch(struct engine *engine)
{
	((struct fake *)engine)->epochs++;
}

static void fake_stats(struct engine *engine, FILE *out)
{
	fprintf(out, "fake.epochs %u\n", ((struct fake *)engine)->epochs);
}

static const struct engine_ops fake_ops = {
	.name = "fake", .run = fake_run, .can_run = fake_can_run, .new_epoch = fake_epoch, .print_stats = fake_stats,
};

static struct engine *build(void *owner, const struct channel_process_parts *parts, char **error)
{
	if (owner) {
		*error = g_strdup("it does not want to");
		return NULL;
	}
	struct fake *fake = g_new0(struct fake, 1);
	fake->engine.ops = &fake_ops;
	fake->parts = *parts;
	const struct mem_listener listener = { on_map_changed, on_written, fake };
	mem_listen(parts->mem, &listener);
	return &fake->engine;
}

/* --- the board over here ---------------------------------------------------------------- */

static uint32_t dev_read(void *owner, uint16_t port, unsigned size)
{
	(void)owner;
	seen_at = port;
	seen_size = size;
	seen_ns = clock_now(board_clock);
	if (timer)
		clock_timer_set(timer, seen_ns + 12345);
	return 0x11223344u + port;
}

static void dev_write(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	(void)owner;
	seen_at = port;
	seen_size = size;
	seen_value = seen_value * 3 + value;
	if (port == 0x20)
		mem_set_a20(mem, false);
	if (port == 0x21)
		mem_region_enable(other_region, 0x20000);
	if (port == 0x22)
		mem_region_set_flags(other_region, MEM_REGION_WRITES);
	if (port == 0x23)
		mem_write_bytes(mem, 0x1100, "12345", 5);
}

static const struct bus_ops dev_ops = { .name = "dev", .max_size = 4, .read = dev_read, .write = dev_write };

static uint64_t dev_mmio_read(void *owner, uint64_t offset, unsigned size)
{
	(void)owner;
	seen_at = offset;
	seen_size = size;
	return 0x1122334455667788u + offset;
}

static void dev_mmio_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	(void)owner;
	seen_at = offset;
	seen_size = size;
	seen_value = value;
}

static const struct mem_mmio_ops dev_mmio = { "dev", 4, dev_mmio_read, dev_mmio_write };

/* The engine that has kept a part of the state. */
static void keeper_fetch(void *owner, struct ctx *ctx, enum ctx_part part)
{
	ck_assert_ptr_eq(owner, &pins);
	ck_assert_ptr_eq(ctx, &page);
	seen_fetches += part == CTX_PART_FPU ? 1 : 16;
	if (part == CTX_PART_FPU)
		memset(ctx->fxsave, 0x5a, sizeof ctx->fxsave);
	else
		ctx->dr6 |= 4;
}

static uint8_t dev_acknowledge(void *owner)
{
	(void)owner;
	pins.intr = false;
	return 0x33;
}

static void dev_smm(void *owner, bool in_smm)
{
	ck_assert_ptr_eq(owner, &page);
	seen_smm += in_smm ? 1 : 16;
	if (in_smm)
		mem_region_enable(other_region, 0x20000);
	else
		mem_region_disable(other_region);
}

static void dev_ferr(void *owner, unsigned n, bool level)
{
	(void)owner;
	seen_ferr = n + level;
}

static void new_board(enum clock_kind kind)
{
	ctx_reset(&page, 0);
	memset(&pins, 0, sizeof pins);
	seen_value = seen_at = seen_ns = seen_size = seen_smm = seen_ferr = seen_fetches = 0;
	mem = mem_new();
	ram = mem_store_new(mem, "ram", RAM);
	other = mem_store_new(mem, "other", MEM_PAGE_SIZE);
	unsigned flags = MEM_REGION_READS | MEM_REGION_WRITES;
	ram_region = mem_region_new(mem, "ram", MEM_PRIORITY_RAM, flags, ram, 0, RAM);
	mmio_region = mem_region_new_mmio(mem, MEM_PRIORITY_BAR, 0x2000, &dev_mmio, &page);
	other_region = mem_region_new(mem, "other", MEM_PRIORITY_PAM, flags, other, 0, MEM_PAGE_SIZE);
	mem_region_enable(ram_region, 0);
	mem_region_enable(mmio_region, 0x80000);
	memset(mem_store_data(ram), 0xaa, RAM - 16);
	memset(mem_store_data(other), 0xbb, MEM_PAGE_SIZE);
	bus = bus_new();
	bus_claim(bus, 0x10, 0x2f, &dev_ops, &page);
	board_clock = clock_new(kind);
	timer = NULL;
	pins.acknowledge = dev_acknowledge;
	pins.fetch = keeper_fetch;
	pins.keeper = &pins;
	pins.ferr = (struct irq_line){ dev_ferr, &page, 7 };
}

static bool open_channel(void *owner, char **error)
{
	const struct channel_process_config config = {
		.name = "fake",
		.parts = { .mem = mem, .bus = bus, .clock = board_clock, .pins = &pins, .set_smm = dev_smm, .owner = &page },
		.build = build, .owner = owner,
	};
	channel = channel_new_process(&config, error);
	return channel;
}

static void setup(void)
{
	new_board(CLOCK_KIND_VIRTUAL);
	said_file = open_memstream(&said, &said_size);
	log_set_output(said_file);
	ck_assert(open_channel(NULL, NULL));
}

static void teardown(void)
{
	channel_free(channel);
	channel = NULL;
	log_set_output(NULL);
	fclose(said_file);
	free(said);
	clock_timer_free(timer);
	clock_free(board_clock);
	mem_free(mem);
	bus_free(bus);
}

static enum stop_reason request(enum act what, uint64_t b, uint64_t c)
{
	page.gpr[CTX_RAX].r = what;
	page.gpr[CTX_RBX].r = b;
	page.gpr[CTX_RCX].r = c;
	return channel_call(channel, &page, CTX_EMULATE);
}

static uint64_t result_of(enum act what, uint64_t b, uint64_t c)
{
	ck_assert_int_eq(request(what, b, c), STOP_BUDGET);
	return page.gpr[CTX_RDX].r;
}

static const char *log_text(void)
{
	fflush(said_file);
	return said;
}

#endif
