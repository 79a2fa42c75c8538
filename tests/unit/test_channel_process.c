#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>

#include "shared/channel_process.h"
#include "shared/log.h"
#include "shared/sandbox.h"

#define RAM   0x10000u
#define ENTERED (RAM - 8) /* in RAM: the child got there */

/* What the engine over there does, by RAX; RBX and RCX are operands, RDX the result. */
enum act {
	ACT_NOTHING, ACT_IN, ACT_OUT, ACT_INS, ACT_OUTS, ACT_READ, ACT_WRITE, ACT_INTA, ACT_SMM, ACT_FERR,
	ACT_LOG, ACT_CLOCK, ACT_SPEND, ACT_PINS, ACT_WAIT, ACT_CODE, ACT_EPOCHS, ACT_A20,
	ACT_KILL, ACT_EXIT, ACT_ABORT, ACT_OPEN, ACT_BAD_PAGE, ACT_BAD_ACCESS, ACT_BAD_REASON, ACT_FILES,
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
static unsigned seen_size, seen_smm, seen_ferr;

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

static void fire(void *owner)
{
	(void)owner;
}

static void new_board(enum clock_kind kind)
{
	ctx_reset(&page, 0);
	memset(&pins, 0, sizeof pins);
	seen_value = seen_at = seen_ns = seen_size = seen_smm = seen_ferr = 0;
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

/* --- requests ----------------------------------------------------------------------------- */

START_TEST(page_goes_and_comes)
{
	page.sequence = 9;
	page.limit_insns = 100;
	ck_assert_int_eq(request(ACT_NOTHING, 1, 2), STOP_BUDGET);
	ck_assert_uint_eq(page.request_state, CTX_IDLE);
	ck_assert_uint_eq(page.insns_run, 5);
	ck_assert_uint_eq(page.sequence, 9);
	ck_assert_uint_eq(page.limit_insns, 100);
	ck_assert_str_eq(channel->ops->name, "process");
	ck_assert_str_eq(channel->engine->ops->name, "fake");
}
END_TEST

START_TEST(round_trips)
{
	for (unsigned n = 0; n < 10000; n++) {
		ck_assert_uint_eq(result_of(ACT_IN, 0x10, 4), 0x11223354u);
		ck_assert_uint_eq(page.gpr[CTX_RBX].r, 0x10);
	}
}
END_TEST

START_TEST(ports)
{
	static const uint32_t mask[] = { 0, 0xff, 0xffff, 0, 0xffffffff };
	ck_assert_uint_eq(result_of(ACT_IN, 0x12, (uint64_t)_i), (0x11223344u + 0x12) & mask[_i]);
	ck_assert_uint_eq(seen_at, 0x12);
	ck_assert_uint_eq(seen_size, _i);
	page.gpr[CTX_RDX].r = 0x87654321;
	ck_assert_int_eq(request(ACT_OUT, 0x13, (uint64_t)_i), STOP_BUDGET);
	ck_assert_uint_eq(seen_at, 0x13);
	ck_assert_uint_eq(seen_size, _i);
	ck_assert_uint_eq(seen_value, 0x87654321 & mask[_i]);
	ck_assert_uint_eq(result_of(ACT_IN, 0x300, (uint64_t)_i), mask[_i]);
}
END_TEST

/* More than fits into the shared memory at once. */
START_TEST(port_streams)
{
	ck_assert_uint_eq(result_of(ACT_INS, 0x14, 40000), 40000ull * 0x3358);
	ck_assert_int_eq(request(ACT_OUTS, 0x14, 40000), STOP_BUDGET);
	uint64_t expected = 0;
	for (uint64_t n = 0; n < 40000; n++)
		expected = expected * 3 + n;
	ck_assert_uint_eq(seen_value, expected);
}
END_TEST

START_TEST(memory_is_shared)
{
	ck_assert_uint_eq(result_of(ACT_READ, 0x1234, 2), 0xaaaa);
	mem_store_data(ram)[0x1234] = 0x55;
	ck_assert_uint_eq(result_of(ACT_READ, 0x1234, 2), 0xaa55);
	page.gpr[CTX_RDX].r = 0x1234567890abcdef;
	request(ACT_WRITE, 0x2000, 8);
	ck_assert_uint_eq(mem_read(mem, 0x2000, 8), 0x1234567890abcdef);
	ck_assert_uint_eq(result_of(ACT_READ, 0x50000, 4), 0xffffffff);
}
END_TEST

START_TEST(mmio)
{
	ck_assert_uint_eq(result_of(ACT_READ, 0x80010, 4), 0x55667798);
	ck_assert_uint_eq(seen_at, 0x10);
	ck_assert_uint_eq(seen_size, 4);
	/* Split as the region wants it. */
	ck_assert_uint_eq(result_of(ACT_READ, 0x80010, 8), 0x5566779c55667798u);
	ck_assert_uint_eq(seen_at, 0x14);
	page.gpr[CTX_RDX].r = 0xabcd;
	request(ACT_WRITE, 0x81ffe, 2);
	ck_assert_uint_eq(seen_at, 0x1ffe);
	ck_assert_uint_eq(seen_size, 2);
	ck_assert_uint_eq(seen_value, 0xabcd);
}
END_TEST

START_TEST(map_changes_between_requests)
{
	ck_assert_uint_eq(result_of(ACT_READ, 0x20000, 1), 0xff);
	mem_region_enable(other_region, 0x20000);
	ck_assert_uint_eq(result_of(ACT_READ, 0x20000, 1), 0xbb);
	mem_region_enable(other_region, 0x3000);
	ck_assert_uint_eq(result_of(ACT_READ, 0x20000, 1), 0xff);
	ck_assert_uint_eq(result_of(ACT_READ, 0x3000, 1), 0xbb);
	mem_region_set_flags(other_region, MEM_REGION_WRITES);
	ck_assert_uint_eq(result_of(ACT_READ, 0x3000, 1), 0xaa);
	page.gpr[CTX_RDX].r = 0x11;
	request(ACT_WRITE, 0x3000, 1);
	ck_assert_uint_eq(mem_store_data(other)[0], 0x11);
	ck_assert_uint_eq(mem_store_data(ram)[0x3000], 0xaa);
	mem_region_set_flags(other_region, MEM_REGION_READS | MEM_REGION_ROM);
	ck_assert_uint_eq(result_of(ACT_READ, 0x3000, 1), 0x11);
	mem_region_disable(other_region);
	ck_assert_uint_eq(result_of(ACT_READ, 0x3000, 1), 0xaa);
	mem_region_enable(mmio_region, 0x90000);
	ck_assert_uint_eq(result_of(ACT_READ, 0x90000, 1), 0x88);
	ck_assert_uint_eq(result_of(ACT_READ, 0x80000, 1), 0xff);
}
END_TEST

START_TEST(map_changes_by_port_writes)
{
	request(ACT_OUT, 0x20, 1);
	ck_assert_uint_eq(result_of(ACT_A20, 0, 0), 0xffefffff);
	mem_set_a20(mem, true);
	ck_assert_uint_eq(result_of(ACT_A20, 0, 0), 0xffffffff);
	request(ACT_OUT, 0x21, 1);
	ck_assert_uint_eq(result_of(ACT_READ, 0x20000, 1), 0xbb);
	request(ACT_OUT, 0x22, 1);
	ck_assert_uint_eq(result_of(ACT_READ, 0x20000, 1), 0xff);
}
END_TEST

/* The change is there when the call comes back. */
START_TEST(smiact)
{
	ck_assert_uint_eq(result_of(ACT_SMM, 1, 0), 0xbb);
	ck_assert_uint_eq(result_of(ACT_SMM, 0, 0), 0xff);
	ck_assert_uint_eq(seen_smm, 17);
}
END_TEST

/* A region that came after the fork. */
START_TEST(late_region)
{
	struct mem_store *late = mem_store_new(mem, "late", MEM_PAGE_SIZE);
	memset(mem_store_data(late), 0xcc, MEM_PAGE_SIZE);
	struct mem_region *region = mem_region_new(mem, "late", 0, MEM_REGION_READS | MEM_REGION_WRITES, late, 0, MEM_PAGE_SIZE);
	mem_region_enable(region, 0x40000);
	ck_assert_uint_eq(result_of(ACT_READ, 0x40010, 8), 0xcccccccccccccccc);
	page.gpr[CTX_RDX].r = 0x77;
	request(ACT_WRITE, 0x40011, 1);
	ck_assert_uint_eq(mem_store_data(late)[0x11], 0x77);
}
END_TEST

/* --- code that others write ------------------------------------------------------------------ */

START_TEST(written_code_is_reported)
{
	mem_write_bytes(mem, 0x1100, "x", 1);
	ck_assert_uint_eq(result_of(ACT_EPOCHS, 0, 0) >> 8 & 0xff, 0);
	request(ACT_CODE, 0x1000, 0);
	mem_write_bytes(mem, 0x2100, "x", 1);
	ck_assert_uint_eq(result_of(ACT_EPOCHS, 0, 0) >> 8 & 0xff, 0);
	mem_write_bytes(mem, 0x1100, "abc", 3);
	ck_assert_uint_eq(result_of(ACT_EPOCHS, 0, 0) >> 8 & 0xff, 1);
	ck_assert_uint_eq(page.gpr[CTX_RBX].r, 0x1100);
	ck_assert_uint_eq(page.gpr[CTX_RCX].r, 3);
	request(ACT_OUT, 0x23, 1);
	ck_assert_uint_eq(result_of(ACT_EPOCHS, 0, 0) >> 8 & 0xff, 2);
	ck_assert_uint_eq(page.gpr[CTX_RCX].r, 5);
}
END_TEST

START_TEST(too_many_writes_for_a_list)
{
	request(ACT_CODE, 0x1000, 0);
	for (unsigned n = 0; n < 1000; n++)
		mem_write(mem, 0x2000 + 2 * n, 1, n);
	ck_assert_uint_eq(result_of(ACT_EPOCHS, 0, 0) >> 8 & 0xff, 1);
	ck_assert_uint_eq(page.gpr[CTX_RBX].r, 0x1000);
	ck_assert_uint_eq(page.gpr[CTX_RCX].r, MEM_PAGE_SIZE);
	ck_assert_uint_eq(result_of(ACT_EPOCHS, 0, 0) >> 8 & 0xff, 1);
}
END_TEST

START_TEST(epochs)
{
	channel->engine->ops->new_epoch(channel->engine);
	ck_assert_uint_eq(result_of(ACT_EPOCHS, 0, 0) & 0xff, 1);
	ck_assert_uint_eq(result_of(ACT_EPOCHS, 0, 0) & 0xff, 1);
}
END_TEST

/* --- wires, time, messages ------------------------------------------------------------------------ */

START_TEST(interrupts)
{
	pins.intr = true;
	cpu_pins_attend(&pins);
	ck_assert_uint_eq(result_of(ACT_PINS, 0, 0), 1);
	ck_assert(pins.intr);
	ck_assert(atomic_load(&pins.attention));
	/* intr falls with the acknowledge, seen at once */
	ck_assert_uint_eq(result_of(ACT_INTA, 0, 0), 0x33);
	ck_assert(!pins.intr);
}
END_TEST

START_TEST(latched_pins)
{
	pins.nmi = pins.smi = pins.init = pins.reset = true;
	ck_assert_uint_eq(result_of(ACT_PINS, 0, 0), 0x1e);
	ck_assert(!pins.nmi && !pins.smi && !pins.init);
	ck_assert(pins.reset);
	request(ACT_FERR, 1, 0);
	ck_assert_uint_eq(seen_ferr, 8);
	request(ACT_FERR, 0, 0);
	ck_assert_uint_eq(seen_ferr, 7);
}
END_TEST

START_TEST(virtual_time)
{
	clock_add_insns(board_clock, 1000);
	ck_assert_uint_eq(result_of(ACT_CLOCK, 0, 0), 10000);
	ck_assert_uint_eq(page.gpr[CTX_RCX].r, CLOCK_NEVER);
	timer = clock_timer_new(board_clock, fire, NULL);
	/* the device sees the engine's time, the engine the device's deadline */
	request(ACT_SPEND, 7, 0);
	ck_assert_uint_eq(seen_ns, 10070);
	ck_assert_uint_eq(page.gpr[CTX_RCX].r, 10070 + 12345);
	ck_assert_uint_eq(clock_now(board_clock), 10140);
	ck_assert_uint_eq(result_of(ACT_CLOCK, 0, 0), 10140);
}
END_TEST

START_TEST(real_time)
{
	channel_free(channel);
	mem_free(mem);
	bus_free(bus);
	clock_free(board_clock);
	new_board(CLOCK_KIND_REAL);
	ck_assert(open_channel(NULL, NULL));
	uint64_t before = clock_now(board_clock), there = result_of(ACT_CLOCK, 0, 0), after = clock_now(board_clock);
	ck_assert_uint_ge(there + 1000000, before);
	ck_assert_uint_le(there, after + 1000000);
	clock_set_now(board_clock, 5000000000000);
	ck_assert_uint_ge(result_of(ACT_CLOCK, 0, 0), 4999000000000);
}
END_TEST

START_TEST(messages)
{
	request(ACT_LOG, 1, 0);
	log_trace_mask = LOG_TRACE_IO;
	request(ACT_LOG, 2, 0);
	log_trace_mask = 0;
	ck_assert_str_eq(log_text(), "from afar 2\n");
}
END_TEST

START_TEST(stats)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	channel->engine->ops->new_epoch(channel->engine);
	request(ACT_IN, 0x10, 1);
	channel->engine->ops->print_stats(channel->engine, out);
	fclose(out);
	ck_assert_str_eq(text, "fake.epochs 1\nprocess.requests 1\nprocess.questions 1\n");
	free(text);
}
END_TEST

START_TEST(can_run)
{
	struct engine *engine = channel->engine;
	ck_assert(engine->ops->can_run(engine, &page));
	request(ACT_NOTHING, 0, 0);
	ck_assert(engine->ops->can_run(engine, &page));
	page.efer = CTX_EFER_LMA;
	ck_assert(!engine->ops->can_run(engine, &page));
	ck_assert(!engine->ops->can_run(engine, &page));
	page.efer = 0;
	ck_assert(engine->ops->can_run(engine, &page));
}
END_TEST

/* --- stop and death ------------------------------------------------------------------------------------ */

static bool entered(void)
{
	return __atomic_load_n(&mem_store_data(ram)[ENTERED], __ATOMIC_ACQUIRE);
}

static void *stop_when_entered(void *data)
{
	(void)data;
	while (!entered())
		sched_yield();
	__atomic_store_n(&pins.stop, true, __ATOMIC_SEQ_CST);
	channel->engine->ops->kick(channel->engine);
	return NULL;
}

static void *kill_when_entered(void *data)
{
	while (!entered())
		sched_yield();
	kill(*(pid_t *)data, SIGKILL);
	return NULL;
}

START_TEST(kick_across_processes)
{
	pthread_t thread;
	pthread_create(&thread, NULL, stop_when_entered, NULL);
	ck_assert_int_eq(request(ACT_WAIT, 0, 0), STOP_KICK);
	pthread_join(thread, NULL);
	pins.stop = false;
	ck_assert_uint_eq(result_of(ACT_PINS, 0, 0), 0);
}
END_TEST

START_TEST(killed_in_mid_run)
{
	pthread_t thread;
	pid_t pid = channel_process_pid(channel);
	page.rip = 0x1234;
	pthread_create(&thread, NULL, kill_when_entered, &pid);
	ck_assert_int_eq(request(ACT_WAIT, 0, 0), STOP_ERROR);
	pthread_join(thread, NULL);
	ck_assert_uint_eq(page.stop_detail, SIGKILL);
	ck_assert_uint_eq(page.request_state, CTX_IDLE);
	ck_assert_uint_eq(page.rip, 0x1234);
	ck_assert_msg(strstr(log_text(), "was killed by signal 9 (Killed)"), "%s", said);
	ck_assert_int_eq(channel_process_pid(channel), 0);
	ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), -1);
	/* said once; nothing hangs */
	size_t size = said_size;
	ck_assert(channel->engine->ops->can_run(channel->engine, &page));
	ck_assert_int_eq(request(ACT_NOTHING, 0, 0), STOP_ERROR);
	channel->engine->ops->kick(channel->engine);
	log_text();
	ck_assert_uint_eq(said_size, size);
}
END_TEST

START_TEST(killed_between_requests)
{
	request(ACT_NOTHING, 0, 0);
	kill(channel_process_pid(channel), SIGKILL);
	ck_assert_int_eq(request(ACT_NOTHING, 0, 0), STOP_ERROR);
	ck_assert_msg(strstr(log_text(), "was killed by signal 9 (Killed)"), "%s", said);
}
END_TEST

static const struct {
	enum act what;
	const char *message;
	bool filter; /* without it the system call succeeds */
} crimes[] = {
	{ ACT_KILL, "was killed by signal 9 (Killed)", false },
	{ ACT_EXIT, "ended with status 3", false },
	{ ACT_ABORT, "was killed by signal 6 (Aborted)", false },
	{ ACT_OPEN, "was killed by signal 31 (Bad system call)", true },
	{ ACT_FILES, "was killed by signal 31 (Bad system call)", true },
	{ ACT_BAD_PAGE, "gave back a page that is none: ", false },
};

START_TEST(death_is_reported)
{
	if (crimes[_i].filter && !sandbox_has_filter())
		return;
	/* abort() prints a stack trace under sanitizers */
	page.rip = 0x4321;
	ck_assert_int_eq(request(crimes[_i].what, 0, 0), STOP_ERROR);
	ck_assert_msg(strstr(log_text(), crimes[_i].message), "%s", said);
	ck_assert_uint_eq(page.rip, 0x4321);
	ck_assert_int_eq(channel_process_pid(channel), 0);
}
END_TEST

START_TEST(odd_answers)
{
	ck_assert_int_eq(request(ACT_BAD_REASON, 0, 0), STOP_ERROR);
	ck_assert_int_eq(request(ACT_BAD_ACCESS, 0, 0), STOP_BUDGET);
	ck_assert_int_ne(channel_process_pid(channel), 0);
}
END_TEST

START_TEST(free_ends_the_process)
{
	pid_t pid = channel_process_pid(channel);
	channel_free(channel);
	channel = NULL;
	ck_assert_int_eq(kill(pid, 0), -1);
	/* The map is listened to no more. */
	mem_region_enable(other_region, 0x20000);
	mem_write_bytes(mem, 0, "x", 1);
}
END_TEST

START_TEST(build_fails)
{
	char *error = NULL;
	struct channel *before = channel;
	ck_assert(!open_channel(&page, &error));
	ck_assert_str_eq(error, "the engine's process: it does not want to");
	g_free(error);
	channel = before;
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), 0); /* only the first is left */
}
END_TEST

/* --- the sandbox, without a channel ------------------------------------------------------------------- */

/* Bits of the descriptors 0 to 63 that are open in a process that kept 10 and 12. */
static uint64_t kept_files(void)
{
	int fds[2];
	const int keep[] = { 12, 10 };
	uint64_t bits = 0;
	ck_assert_int_eq(pipe(fds), 0);
	pid_t pid = fork();
	if (!pid) {
		for (int fd = 3; fd < 20; fd++)
			if (fd != fds[1])
				dup2(2, fd);
		dup2(fds[1], 10);
		if (sandbox_close_files(keep, 2))
			_exit(1);
		bits = 0;
		for (int fd = 0; fd < 64; fd++)
			bits |= (uint64_t)(fcntl(fd, F_GETFD) >= 0) << fd;
		_exit(write(10, &bits, sizeof bits) != sizeof bits);
	}
	close(fds[1]);
	ck_assert_int_eq(read(fds[0], &bits, sizeof bits), sizeof bits);
	close(fds[0]);
	waitpid(pid, NULL, 0);
	return bits;
}

START_TEST(files_are_closed)
{
	ck_assert_uint_eq(kept_files(), 1u << 2 | 1u << 10 | 1u << 12);
}
END_TEST

Suite *suite_channel_process(void)
{
	Suite *suite = suite_create("channel_process");
	TCase *tcase = tcase_create("channel_process");
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, page_goes_and_comes);
	tcase_add_test(tcase, round_trips);
	for (int size = 1; size <= 4; size *= 2)
		tcase_add_loop_test(tcase, ports, size, size + 1);
	tcase_add_test(tcase, port_streams);
	tcase_add_test(tcase, memory_is_shared);
	tcase_add_test(tcase, mmio);
	tcase_add_test(tcase, map_changes_between_requests);
	tcase_add_test(tcase, map_changes_by_port_writes);
	tcase_add_test(tcase, smiact);
	tcase_add_test(tcase, late_region);
	tcase_add_test(tcase, written_code_is_reported);
	tcase_add_test(tcase, too_many_writes_for_a_list);
	tcase_add_test(tcase, epochs);
	tcase_add_test(tcase, interrupts);
	tcase_add_test(tcase, latched_pins);
	tcase_add_test(tcase, virtual_time);
	tcase_add_test(tcase, real_time);
	tcase_add_test(tcase, messages);
	tcase_add_test(tcase, stats);
	tcase_add_test(tcase, can_run);
	tcase_add_test(tcase, kick_across_processes);
	tcase_add_test(tcase, killed_in_mid_run);
	tcase_add_test(tcase, killed_between_requests);
	tcase_add_loop_test(tcase, death_is_reported, 0, G_N_ELEMENTS(crimes));
	tcase_add_test(tcase, odd_answers);
	tcase_add_test(tcase, free_ends_the_process);
	tcase_add_test(tcase, build_fails);
	tcase_add_test(tcase, files_are_closed);
	suite_add_tcase(suite, tcase);
	return suite;
}
