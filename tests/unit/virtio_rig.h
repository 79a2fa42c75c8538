/* A virtio device behind its registers, and a driver's side of it. */
#ifndef V2E_TESTS_UNIT_VIRTIO_RIG_H
#define V2E_TESTS_UNIT_VIRTIO_RIG_H

#include <check.h>
#include <glib.h>
#include <string.h>

#include "devmodel/virtio_mmio.h"

#define RIG_BASE   0xfef00000u
#define RIG_RAM    0x100000u
#define RIG_ROM    0x200000u /* one page */
#define RIG_QUEUE  0x10000u  /* queue n is at (n + 1) times that */
#define RIG_BUFFER 0x80000u
#define RIG_TABLE  0x40000u  /* for indirect descriptors */

enum {
	R_MAGIC = 0, R_VERSION = 4, R_DEVICE = 8, R_VENDOR = 0xc, R_FEATURES = 0x10, R_FEATURES_SEL = 0x14, R_DRIVER = 0x20,
	R_DRIVER_SEL = 0x24, R_PAGE_SIZE = 0x28, R_SEL = 0x30, R_NUM_MAX = 0x34, R_NUM = 0x38, R_ALIGN = 0x3c, R_PFN = 0x40,
	R_READY = 0x44, R_NOTIFY = 0x50, R_INTERRUPT = 0x60, R_ACK = 0x64, R_STATUS = 0x70, R_DESC = 0x80, R_AVAIL = 0x90,
	R_USED = 0xa0, R_CONFIG = 0x100,
};

enum { D_NEXT = 1, D_WRITE = 2, D_INDIRECT = 4 };

struct virtio_rig {
	struct clock *clock;
	struct mem *mem;
	uint8_t *ram;
	struct virtio_mmio *mmio;
	bool legacy, level;
	unsigned causes; /* how often the line was set */
	struct {
		uint32_t desc, avail, used, size;
	} queue[2];
};

static inline void virtio_rig_line(void *owner, unsigned n, bool level)
{
	struct virtio_rig *rig = owner;
	(void)n;
	rig->level = level;
	rig->causes += level;
}

static inline void virtio_rig_start(struct virtio_rig *rig, bool legacy)
{
	*rig = (struct virtio_rig){ .clock = clock_new(CLOCK_KIND_VIRTUAL), .mem = mem_new(), .legacy = legacy };
	struct mem_store *ram = mem_store_new(rig->mem, "ram", RIG_RAM), *rom = mem_store_new(rig->mem, "rom", MEM_PAGE_SIZE);
	mem_region_enable(mem_region_new(rig->mem, "ram", MEM_PRIORITY_RAM, MEM_REGION_READS | MEM_REGION_WRITES, ram, 0, RIG_RAM), 0);
	mem_region_enable(mem_region_new(rig->mem, "rom", MEM_PRIORITY_ROM, MEM_REGION_READS | MEM_REGION_ROM, rom, 0, MEM_PAGE_SIZE), RIG_ROM);
	rig->ram = mem_store_data(ram);
}

static inline struct virtio_board virtio_rig_board(struct virtio_rig *rig)
{
	return (struct virtio_board){ rig->mem, rig->clock, { virtio_rig_line, rig, 0 }, rig->legacy };
}

static inline void virtio_rig_fit(struct virtio_rig *rig, struct virtio *device)
{
	rig->mmio = virtio_mmio_new(rig->mem, RIG_BASE, device);
	ck_assert_ptr_nonnull(rig->mmio);
}

static inline void virtio_rig_stop(struct virtio_rig *rig)
{
	virtio_mmio_free(rig->mmio);
	mem_free(rig->mem);
	clock_free(rig->clock);
}

static inline uint32_t virtio_rig_get(struct virtio_rig *rig, unsigned offset)
{
	return (uint32_t)mem_read(rig->mem, RIG_BASE + offset, 4);
}

static inline void virtio_rig_set(struct virtio_rig *rig, unsigned offset, uint32_t value)
{
	mem_write(rig->mem, RIG_BASE + offset, 4, value);
}

static inline void virtio_rig_put16(struct virtio_rig *rig, uint32_t at, uint16_t value) { mem_write(rig->mem, at, 2, value); }
static inline uint16_t virtio_rig_get16(struct virtio_rig *rig, uint32_t at) { return (uint16_t)mem_read(rig->mem, at, 2); }

/* What a driver does to start: `features` besides VERSION_1. Returns whether the device
 * agreed. Queues are to follow, then virtio_rig_go(). */
static inline bool virtio_rig_agree(struct virtio_rig *rig, uint64_t features)
{
	virtio_rig_set(rig, R_STATUS, 0);
	virtio_rig_set(rig, R_STATUS, VIRTIO_ACKNOWLEDGE);
	virtio_rig_set(rig, R_STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
	if (!rig->legacy)
		features |= VIRTIO_F_VERSION_1;
	for (unsigned n = 0; n < 2; n++) {
		virtio_rig_set(rig, R_DRIVER_SEL, n);
		virtio_rig_set(rig, R_DRIVER, (uint32_t)(features >> 32 * n));
	}
	virtio_rig_set(rig, R_STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
	return virtio_rig_get(rig, R_STATUS) & VIRTIO_FEATURES_OK;
}

/* Places queue n and clears it. Returns whether the device took it. */
static inline bool virtio_rig_place(struct virtio_rig *rig, unsigned n, uint32_t size)
{
	uint32_t desc = RIG_QUEUE * (n + 1);
	memset(rig->ram + desc, 0, RIG_QUEUE);
	rig->queue[n].size = size;
	rig->queue[n].desc = desc;
	rig->queue[n].avail = desc + 16 * size;
	rig->queue[n].used = (rig->queue[n].avail + 6 + 2 * size + 4095) & ~4095u;
	virtio_rig_set(rig, R_SEL, n);
	virtio_rig_set(rig, R_NUM, size);
	if (rig->legacy) {
		virtio_rig_set(rig, R_PAGE_SIZE, 4096);
		virtio_rig_set(rig, R_ALIGN, 4096);
		virtio_rig_set(rig, R_PFN, desc >> 12);
		return virtio_rig_get(rig, R_PFN) == desc >> 12;
	}
	virtio_rig_set(rig, R_DESC, desc);
	virtio_rig_set(rig, R_AVAIL, rig->queue[n].avail);
	virtio_rig_set(rig, R_USED, rig->queue[n].used);
	virtio_rig_set(rig, R_READY, 1);
	return virtio_rig_get(rig, R_READY) == 1;
}

static inline void virtio_rig_go(struct virtio_rig *rig)
{
	virtio_rig_set(rig, R_STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK);
}

/* All of it, for a device of `queues` queues. */
static inline void virtio_rig_drive(struct virtio_rig *rig, uint64_t features, unsigned queues, uint32_t size)
{
	ck_assert(virtio_rig_agree(rig, features) || rig->legacy);
	for (unsigned n = 0; n < queues; n++)
		ck_assert(virtio_rig_place(rig, n, size));
	virtio_rig_go(rig);
}

static inline void virtio_rig_describe_at(struct virtio_rig *rig, uint64_t at, uint64_t address, uint32_t size, uint16_t flags, uint16_t next)
{
	mem_write(rig->mem, at, 8, address);
	mem_write(rig->mem, at + 8, 4, size);
	mem_write(rig->mem, at + 12, 2, flags);
	mem_write(rig->mem, at + 14, 2, next);
}

static inline void virtio_rig_describe(struct virtio_rig *rig, unsigned n, unsigned i, uint64_t address, uint32_t size, uint16_t flags, uint16_t next)
{
	virtio_rig_describe_at(rig, rig->queue[n].desc + 16ull * i, address, size, flags, next);
}

/* Makes a chain available. */
static inline void virtio_rig_offer(struct virtio_rig *rig, unsigned n, uint16_t head)
{
	uint32_t avail = rig->queue[n].avail;
	uint16_t index = virtio_rig_get16(rig, avail + 2);
	virtio_rig_put16(rig, avail + 4 + 2 * (index % rig->queue[n].size), head);
	virtio_rig_put16(rig, avail + 2, (uint16_t)(index + 1));
}

static inline void virtio_rig_kick(struct virtio_rig *rig, unsigned n) { virtio_rig_set(rig, R_NOTIFY, n); }

static inline uint16_t virtio_rig_used(struct virtio_rig *rig, unsigned n) { return virtio_rig_get16(rig, rig->queue[n].used + 2); }

/* Entry `i` of the used ring: the head, and its length in *written. */
static inline uint32_t virtio_rig_entry(struct virtio_rig *rig, unsigned n, unsigned i, uint32_t *written)
{
	uint32_t at = rig->queue[n].used + 4 + 8 * (i % rig->queue[n].size);
	*written = (uint32_t)mem_read(rig->mem, at + 4, 4);
	return (uint32_t)mem_read(rig->mem, at, 4);
}

/* Time passes until nothing is due. */
static inline void virtio_rig_pass(struct virtio_rig *rig)
{
	while (clock_next_deadline(rig->clock) != CLOCK_NEVER) {
		clock_wait_until(rig->clock, clock_next_deadline(rig->clock));
		clock_run_due(rig->clock);
	}
}

static inline bool virtio_rig_is_broken(struct virtio_rig *rig)
{
	return virtio_rig_get(rig, R_STATUS) & VIRTIO_NEEDS_RESET;
}

#endif
