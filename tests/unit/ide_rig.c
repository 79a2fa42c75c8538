#include "tests/unit/ide_rig.h"

#include <string.h>

static void set_level(void *owner, unsigned n, bool level)
{
	struct ide_rig *rig = owner;

	rig->edges[n] += level && !rig->level[n];
	rig->level[n] = level;
}

uint8_t ide_rig_byte(uint64_t sector, unsigned i)
{
	return (uint8_t)(sector * 7 + i / 2);
}

static struct blk *make_medium(uint32_t sectors, bool read_only)
{
	struct blk *blk = blk_memory_new((size_t)sectors * BLK_SECTOR_SIZE, read_only);

	for (uint32_t sector = 0; sector < sectors; sector++)
		for (unsigned i = 0; i < BLK_SECTOR_SIZE; i++)
			blk_memory_data(blk)[sector * BLK_SECTOR_SIZE + i] = ide_rig_byte(sector, i);
	return blk;
}

static void make_controller(struct ide_rig *rig)
{
	rig->ide = ide_new(rig->bus, rig->mem, (struct irq_line){ set_level, rig, 0 },
	                   (struct irq_line){ set_level, rig, 1 }, rig->clock);
	rig->disk = make_medium(RIG_SECTORS, false);
	rig->disc = make_medium(RIG_BLOCKS * 4, true);
	ide_attach_disk(rig->ide, 0, 0, rig->disk);
	ide_attach_cdrom(rig->ide, 0, 1, rig->disc);
}

void ide_rig_open(struct ide_rig *rig)
{
	memset(rig, 0, sizeof *rig);
	rig->bus = bus_new();
	rig->clock = clock_new(CLOCK_KIND_VIRTUAL);
	rig->mem = mem_new();
	ck_assert_ptr_nonnull(rig->mem);
	struct mem_store *ram = mem_store_new(rig->mem, "ram", RIG_RAM);
	mem_region_enable(mem_region_new(rig->mem, "ram", MEM_PRIORITY_RAM, MEM_REGION_READS | MEM_REGION_WRITES, ram, 0, RIG_RAM), 0);
	make_controller(rig);
	ide_set_bmdma_base(rig->ide, RIG_BMDMA);
	ide_rig_wait(rig);
}

void ide_rig_close(struct ide_rig *rig)
{
	ide_free(rig->ide);
	clock_free(rig->clock);
	mem_free(rig->mem);
	bus_free(rig->bus);
}

void ide_rig_out(struct ide_rig *rig, uint16_t port, unsigned value)
{
	bus_write(rig->bus, port, 1, value);
}

uint8_t ide_rig_in(struct ide_rig *rig, uint16_t port)
{
	return (uint8_t)bus_read(rig->bus, port, 1);
}

void ide_rig_wait(struct ide_rig *rig)
{
	clock_wait_until(rig->clock, clock_now(rig->clock) + 100000);
	clock_run_due(rig->clock);
}

uint8_t ide_rig_irq(struct ide_rig *rig)
{
	ide_rig_wait(rig);
	ck_assert_uint_eq(rig->edges[0], 1);
	ck_assert_uint_eq(rig->level[0], 1);
	rig->edges[0] = 0;
	uint8_t status = ide_rig_in(rig, RIG_COMMAND);
	ck_assert_uint_eq(rig->level[0], 0);
	return status;
}

void ide_rig_no_irq(struct ide_rig *rig)
{
	ide_rig_wait(rig);
	ck_assert_uint_eq(rig->edges[0], 0);
}

void ide_rig_command(struct ide_rig *rig, unsigned command, uint32_t lba, unsigned count)
{
	ide_rig_out(rig, RIG_DEVICE, 0xe0 | lba >> 24);
	ide_rig_out(rig, RIG_COUNT, count & 0xff);
	ide_rig_out(rig, RIG_LOW, lba & 0xff);
	ide_rig_out(rig, RIG_MID, lba >> 8 & 0xff);
	ide_rig_out(rig, RIG_HIGH, lba >> 16 & 0xff);
	ide_rig_out(rig, RIG_COMMAND, command);
}

void ide_rig_command_ext(struct ide_rig *rig, unsigned command, uint64_t lba, unsigned count)
{
	ide_rig_out(rig, RIG_DEVICE, 0xe0);
	ide_rig_out(rig, RIG_COUNT, count >> 8);
	ide_rig_out(rig, RIG_LOW, lba >> 24 & 0xff);
	ide_rig_out(rig, RIG_MID, lba >> 32 & 0xff);
	ide_rig_out(rig, RIG_HIGH, lba >> 40 & 0xff);
	ide_rig_command(rig, command, lba & 0xffffff, count & 0xff);
}

void ide_rig_read_words(struct ide_rig *rig, void *to, unsigned count)
{
	bus_read_many(rig->bus, RIG_DATA, 2, to, count);
}

void ide_rig_write_words(struct ide_rig *rig, const void *from, unsigned count)
{
	bus_write_many(rig->bus, RIG_DATA, 2, from, count);
}

void ide_rig_expect_sector(struct ide_rig *rig, uint64_t sector)
{
	uint8_t bytes[BLK_SECTOR_SIZE];

	ide_rig_read_words(rig, bytes, 256);
	for (unsigned i = 0; i < sizeof bytes; i++)
		ck_assert_uint_eq(bytes[i], ide_rig_byte(sector, i));
}

void ide_rig_move(struct ide_rig *rig)
{
	size_t size;
	struct snap *save = snap_new_save();

	ide_state(rig->ide, save);
	const void *data = snap_data(save, &size);
	ide_free(rig->ide);
	make_controller(rig);
	struct snap *load = snap_new_load(data, size);
	ide_state(rig->ide, load);
	ck_assert_msg(!snap_error(load), "%s", snap_error(load));
	snap_free(load);
	snap_free(save);
}
