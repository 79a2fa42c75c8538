/* A hostile driver: any writes to a virtio device's registers and to the memory that its
 * queues lie in. The input's first byte chooses the device, the next ones are what the
 * driver and the world outside do. See enum step. */
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "devmodel/virtio_blk.h"
#include "devmodel/virtio_console.h"
#include "devmodel/virtio_mmio.h"
#include "devmodel/virtio_net.h"
#include "devmodel/virtio_rng.h"
#include "tests/fuzz/fuzz.h"

#define BASE     0xfef00000u
#define RAM      0x10000u
#define ROM      0x10000u /* a page behind the RAM */
#define SECTORS  64u
#define STEPS    400u
#define TIMERS   8u

/* Of the first byte. */
enum { KIND_MASK = 3, LEGACY = 4, STARTED = 8 };
enum { RNG, BLK, CONSOLE, NET };

/* Each takes its arguments from the input. */
enum step {
	STEP_REGISTER, /* number, value: 32 bits */
	STEP_ACCESS,   /* address: 12 bits, size: 2, a read: 1; value: 32 bits */
	STEP_MEMORY,   /* address: 16 bits, length, bytes */
	STEP_KICK,     /* queue */
	STEP_TIME,
	STEP_OUTSIDE,  /* length: that many bytes are typed, or come as a frame */
	STEP_STATE,    /* saved and loaded */
	STEP_DESCRIBE, /* queue, index, address: 16 bits, size: 16, flags and region, next */
	STEP_OFFER,    /* queue, head */
	STEP_RING,     /* queues, a bit each: by its doorbell, A20 masked: 80h */
	STEPS_KINDS,
};

struct fuzz {
	const uint8_t *data;
	size_t size;
	struct clock *clock;
	struct mem *mem;
	uint8_t *ram, *rom;
	struct chardev *chardev;
	struct network network;
	struct virtio_mmio *mmio;
	bool legacy;
};

static void require(bool holds)
{
	if (!holds)
		abort();
}

static uint32_t take(struct fuzz *fuzz, unsigned bytes)
{
	uint32_t value = 0;
	for (unsigned n = 0; n < bytes && fuzz->size; n++, fuzz->data++, fuzz->size--)
		value |= (uint32_t)*fuzz->data << 8 * n;
	return value;
}

static void set(struct fuzz *fuzz, unsigned offset, uint32_t value)
{
	mem_write(fuzz->mem, BASE + offset, 4, value);
}

/* --- the machine -------------------------------------------------------------------------- */

static void send_nowhere(struct network *network, const uint8_t *frame, size_t size)
{
	volatile uint8_t sum = 0; /* all of it can be read */
	(void)network;
	for (size_t n = 0; n < size; n++)
		sum = (uint8_t)(sum + frame[n]);
}

static const struct network_ops nowhere = { .send = send_nowhere, .free = network_fini };

static uint8_t *add_memory(struct fuzz *fuzz, uint32_t address, uint32_t size, unsigned flags)
{
	struct mem_store *store = mem_store_new(fuzz->mem, "memory", size);
	mem_region_enable(mem_region_new(fuzz->mem, "memory", MEM_PRIORITY_RAM, MEM_REGION_READS | flags, store, 0, size), address);
	return mem_store_data(store);
}

static struct virtio *make_device(struct fuzz *fuzz, unsigned kind)
{
	static const uint8_t mac[6] = { 2 };
	const struct virtio_board board = { .mem = fuzz->mem, .clock = fuzz->clock, .legacy = fuzz->legacy };
	switch (kind) {
	case RNG: return virtio_rng_new(&board);
	case BLK: return virtio_blk_new(&board, blk_memory_new(SECTORS * BLK_SECTOR_SIZE, false), 0);
	case CONSOLE: return virtio_console_new(&board, fuzz->chardev);
	default: return virtio_net_new(&board, &fuzz->network, mac);
	}
}

/* Where queue n has its parts, when the driver starts as it should: 16 descriptors. */
static uint32_t queue_at(unsigned n) { return 0x1000 + 0x2000 * n; }

static void start_driver(struct fuzz *fuzz)
{
	set(fuzz, 0x70, 3);
	set(fuzz, 0x28, 4096);
	for (unsigned n = 0; n < 2; n++) {
		set(fuzz, 0x24, n);
		set(fuzz, 0x20, n ? 1 : 3u << 28);
	}
	set(fuzz, 0x70, 11);
	for (unsigned n = 0; n < 2; n++) {
		uint32_t at = queue_at(n);
		set(fuzz, 0x30, n);
		set(fuzz, 0x38, 16);
		set(fuzz, 0x3c, 4096);
		set(fuzz, 0x40, at >> 12);
		set(fuzz, 0x80, at);
		set(fuzz, 0x90, at + 256);
		set(fuzz, 0xa0, at + 4096);
		set(fuzz, 0x44, 1);
	}
	set(fuzz, 0x70, 15);
}

static void start(struct fuzz *fuzz)
{
	unsigned choice = take(fuzz, 1);
	char *error = NULL;
	fuzz->legacy = choice & LEGACY;
	fuzz->clock = clock_new(CLOCK_KIND_VIRTUAL);
	fuzz->mem = mem_new();
	fuzz->ram = add_memory(fuzz, 0, RAM, MEM_REGION_WRITES);
	fuzz->rom = add_memory(fuzz, ROM, MEM_PAGE_SIZE, MEM_REGION_ROM);
	fuzz->chardev = chardev_new("none", &error);
	network_init(&fuzz->network, &nowhere, fuzz->clock);
	fuzz->mmio = virtio_mmio_new(fuzz->mem, BASE, make_device(fuzz, choice & KIND_MASK));
	require(fuzz->mmio);
	if (choice & STARTED)
		start_driver(fuzz);
}

static void stop(struct fuzz *fuzz)
{
	virtio_mmio_free(fuzz->mmio);
	network_free(&fuzz->network);
	chardev_free(fuzz->chardev);
	mem_free(fuzz->mem);
	clock_free(fuzz->clock);
}

/* --- steps ---------------------------------------------------------------------------------- */

static void access_any(struct fuzz *fuzz)
{
	uint32_t how = take(fuzz, 2), value = take(fuzz, 4);
	unsigned offset = how & 0xfff, size = 1u << (how >> 12 & 3);
	if (how & 0x8000)
		mem_read(fuzz->mem, BASE + offset, size);
	else
		mem_write(fuzz->mem, BASE + offset, size, (uint64_t)value << 32 | value);
}

static void write_memory(struct fuzz *fuzz)
{
	uint32_t at = take(fuzz, 2), size = take(fuzz, 1);
	size = (uint32_t)MIN(MIN(size, fuzz->size), RAM - at);
	memcpy(fuzz->ram + at, fuzz->data, size);
	fuzz->data += size;
	fuzz->size -= size;
}

static void pass_time(struct fuzz *fuzz)
{
	for (unsigned n = 0; n < TIMERS && clock_next_deadline(fuzz->clock) != CLOCK_NEVER; n++) {
		clock_wait_until(fuzz->clock, clock_next_deadline(fuzz->clock));
		clock_run_due(fuzz->clock);
	}
}

static void come_from_outside(struct fuzz *fuzz)
{
	static const uint8_t bytes[4 * 255];
	size_t size = 4u * take(fuzz, 1);
	chardev_feed(fuzz->chardev, bytes, size);
	network_deliver(&fuzz->network, bytes, size);
}

static void save_and_load(struct fuzz *fuzz)
{
	struct snap *save = snap_new_save();
	size_t size;
	virtio_mmio_state(fuzz->mmio, save);
	const void *data = snap_data(save, &size);
	struct snap *load = snap_new_load(data, size);
	virtio_mmio_state(fuzz->mmio, load);
	require(!snap_error(load));
	snap_free(load);
	snap_free(save);
}

static void describe(struct fuzz *fuzz)
{
	static const uint64_t regions[] = { 0, ROM, BASE, UINT64_MAX - 0xffff };
	uint8_t *at = fuzz->ram + queue_at(take(fuzz, 1) & 1) + 16 * (take(fuzz, 1) & 15);
	uint64_t address = take(fuzz, 2);
	uint32_t size = take(fuzz, 2), flags = take(fuzz, 1), next = take(fuzz, 1);
	address += regions[flags >> 3 & 3];
	if (flags & 0x20)
		size <<= 16;
	flags &= 7;
	memcpy(at, &address, 8);
	memcpy(at + 8, &size, 4);
	memcpy(at + 12, &flags, 2);
	memcpy(at + 14, &next, 2);
}

static void offer(struct fuzz *fuzz)
{
	uint8_t *avail = fuzz->ram + queue_at(take(fuzz, 1) & 1) + 256;
	uint16_t index, head = (uint16_t)take(fuzz, 1);
	memcpy(&index, avail + 2, 2);
	memcpy(avail + 4 + 2 * (index % 16), &head, 2);
	index++;
	memcpy(avail + 2, &index, 2);
}

static void collect(void *owner, const struct mem_doorbell *doorbell)
{
	g_array_append_val((GArray *)owner, *doorbell);
}

/* As the KVM engine does: what rang is told later, and nobody looks at A20 then. */
static void ring(struct fuzz *fuzz)
{
	g_autoptr(GArray) doorbells = g_array_new(FALSE, FALSE, sizeof(struct mem_doorbell));
	uint32_t queues = take(fuzz, 1);
	mem_for_each_doorbell(fuzz->mem, collect, doorbells);
	mem_set_a20(fuzz->mem, !(queues & 0x80));
	for (guint n = 0; n < doorbells->len; n++)
		if (queues >> n & 1)
			mem_ring(&g_array_index(doorbells, struct mem_doorbell, n));
	mem_set_a20(fuzz->mem, true);
}

static void do_step(struct fuzz *fuzz, enum step step)
{
	uint32_t number;
	switch (step) {
	case STEP_REGISTER: number = take(fuzz, 1); set(fuzz, 4 * (number & 0x3f), take(fuzz, 4)); break;
	case STEP_ACCESS: access_any(fuzz); break;
	case STEP_MEMORY: write_memory(fuzz); break;
	case STEP_KICK: set(fuzz, 0x50, take(fuzz, 1)); break;
	case STEP_TIME: pass_time(fuzz); break;
	case STEP_OUTSIDE: come_from_outside(fuzz); break;
	case STEP_STATE: save_and_load(fuzz); break;
	case STEP_DESCRIBE: describe(fuzz); break;
	case STEP_OFFER: offer(fuzz); break;
	default: ring(fuzz);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz fuzz = { .data = data, .size = size };
	if (!size)
		return 0;
	start(&fuzz);
	for (unsigned n = 0; n < STEPS && fuzz.size; n++)
		do_step(&fuzz, (enum step)(take(&fuzz, 1) % STEPS_KINDS));
	pass_time(&fuzz);
	for (unsigned n = 0; n < MEM_PAGE_SIZE; n++)
		require(!fuzz.rom[n]);
	stop(&fuzz);
	return 0;
}
