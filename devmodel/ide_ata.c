/* Hard disks: the commands of ATA/ATAPI-6, clause 8, and the CHS ones before it. */
#include "devmodel/ide_private.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "shared/log.h"

#define MULTIPLE_MAX 16u

enum flag {
	EXT = 1,      /* 48-bit address, 16-bit count */
	DMA = 2,
	MULTIPLE = 4, /* a DRQ block is what SET MULTIPLE said */
	WRITE = 8,
	FUA = 16,     /* on the medium before the command ends */
};

struct ata_command {
	void (*run)(struct ide_drive *drive, unsigned flags);
	unsigned flags;
};

static const struct ata_command *find_command(uint8_t code);

/* --- addresses --- */

static uint32_t low_address(const uint8_t *reg)
{
	return reg[IDE_LBA_LOW] | reg[IDE_LBA_MID] << 8 | (uint32_t)reg[IDE_LBA_HIGH] << 16;
}

static void put_low_address(uint8_t *reg, uint32_t address)
{
	reg[IDE_LBA_LOW] = (uint8_t)address;
	reg[IDE_LBA_MID] = (uint8_t)(address >> 8);
	reg[IDE_LBA_HIGH] = (uint8_t)(address >> 16);
}

/* UINT64_MAX when the cylinder, head or sector does not exist. */
static uint64_t chs_address(const struct ide_drive *drive)
{
	const struct ide_disk *disk = &drive->disk;
	unsigned sector = drive->reg[IDE_LBA_LOW], head = drive->reg[IDE_DEVICE] & IDE_DEVICE_HEAD;
	unsigned cylinder = drive->reg[IDE_LBA_MID] | drive->reg[IDE_LBA_HIGH] << 8;

	if (!sector || sector > disk->sectors || head >= disk->heads || cylinder >= disk->cylinders)
		return UINT64_MAX;
	return ((uint64_t)cylinder * disk->heads + head) * disk->sectors + sector - 1;
}

static uint64_t get_address(const struct ide_drive *drive, bool ext)
{
	if (ext)
		return low_address(drive->reg) | (uint64_t)low_address(drive->hob) << 24;
	if (drive->reg[IDE_DEVICE] & IDE_DEVICE_LBA)
		return low_address(drive->reg) | (uint32_t)(drive->reg[IDE_DEVICE] & IDE_DEVICE_HEAD) << 24;
	return chs_address(drive);
}

static void put_device_nibble(struct ide_drive *drive, uint32_t nibble)
{
	drive->reg[IDE_DEVICE] = (uint8_t)((drive->reg[IDE_DEVICE] & ~IDE_DEVICE_HEAD) | (nibble & IDE_DEVICE_HEAD));
}

static void put_address(struct ide_drive *drive, uint64_t lba, bool ext)
{
	const struct ide_disk *disk = &drive->disk;

	if (ext) {
		put_low_address(drive->reg, (uint32_t)lba & 0xffffff);
		put_low_address(drive->hob, (uint32_t)(lba >> 24));
	} else if (drive->reg[IDE_DEVICE] & IDE_DEVICE_LBA) {
		put_low_address(drive->reg, (uint32_t)lba & 0xffffff);
		put_device_nibble(drive, (uint32_t)(lba >> 24));
	} else {
		uint32_t track = (uint32_t)(lba / disk->sectors);
		put_low_address(drive->reg, (uint32_t)(lba % disk->sectors + 1) | track / disk->heads << 8);
		put_device_nibble(drive, track % disk->heads);
	}
}

static uint32_t get_count(const struct ide_drive *drive, bool ext)
{
	uint32_t count = drive->reg[IDE_COUNT];

	if (ext)
		count |= (uint32_t)drive->hob[IDE_COUNT] << 8;
	return count ? count : ext ? 0x10000 : 0x100;
}

static void put_count(struct ide_drive *drive, uint32_t count, bool ext)
{
	drive->reg[IDE_COUNT] = (uint8_t)count;
	if (ext)
		drive->hob[IDE_COUNT] = (uint8_t)(count >> 8);
}

/* Sets lba and left from the registers. False: the command has failed. */
static bool take_range(struct ide_drive *drive, bool ext)
{
	struct ide_disk *disk = &drive->disk;
	uint64_t lba = get_address(drive, ext), total = disk->native.total_sectors;
	uint32_t count = get_count(drive, ext);

	if (lba >= total || count > total - lba) {
		ide_fail(drive, IDE_ERROR_IDNF);
		return false;
	}
	disk->lba = lba;
	disk->left = count;
	return true;
}

/* --- sectors --- */

static unsigned running_flags(const struct ide_drive *drive)
{
	return find_command(drive->disk.command)->flags;
}

/* The registers name the last sector that was done. */
static void name_last_sector(struct ide_drive *drive)
{
	bool ext = running_flags(drive) & EXT;

	put_address(drive, drive->disk.lba - 1, ext);
	put_count(drive, 0, ext);
}

static void finish_transfer(struct ide_drive *drive)
{
	name_last_sector(drive);
	ide_finish(drive);
}

static void fail_transfer(struct ide_drive *drive, uint8_t error)
{
	bool ext = running_flags(drive) & EXT;

	put_address(drive, drive->disk.lba, ext);
	put_count(drive, drive->disk.left, ext);
	ide_fail(drive, error);
}

static void fault_transfer(struct ide_drive *drive)
{
	fail_transfer(drive, IDE_ERROR_ABRT);
	drive->status |= IDE_STATUS_DF;
}

static void advance(struct ide_disk *disk, uint32_t count)
{
	disk->lba += count;
	disk->left -= count;
}

/* Reads up to `count` sectors into the buffer; short only before a bad sector. */
static uint32_t read_sectors(struct ide_drive *drive, uint32_t count)
{
	uint32_t good = 0;

	if (!blk_read(drive->blk, drive->disk.lba, count, drive->buffer))
		return count;
	while (good < count && !blk_read(drive->blk, drive->disk.lba + good, 1, drive->buffer + good * BLK_SECTOR_SIZE))
		good++;
	return good;
}

static uint32_t write_sectors(struct ide_drive *drive, uint32_t count)
{
	uint32_t good = 0;

	if (!blk_write(drive->blk, drive->disk.lba, count, drive->buffer))
		return count;
	while (good < count && !blk_write(drive->blk, drive->disk.lba + good, 1, drive->buffer + good * BLK_SECTOR_SIZE))
		good++;
	return good;
}

static void read_block(struct ide_drive *drive)
{
	struct ide_disk *disk = &drive->disk;
	uint32_t count = MIN(disk->left, disk->block);
	uint32_t good = read_sectors(drive, count);

	/* By DMA the good sectors still go over; a PIO host counts on whole blocks. */
	if (good < count && (!good || !drive->dma)) {
		advance(disk, good);
		fail_transfer(drive, IDE_ERROR_UNC);
		return;
	}
	advance(disk, good);
	ide_begin_data(drive, IDE_PHASE_READ, good * BLK_SECTOR_SIZE);
	if (!drive->dma)
		ide_raise(drive);
}

static void begin_write_block(struct ide_drive *drive)
{
	ide_begin_data(drive, IDE_PHASE_WRITE, MIN(drive->disk.left, drive->disk.block) * BLK_SECTOR_SIZE);
}

static void end_write(struct ide_drive *drive)
{
	bool through = !drive->disk.write_cache || running_flags(drive) & FUA;

	if (through && blk_flush(drive->blk))
		fault_transfer(drive);
	else
		finish_transfer(drive);
}

static void write_block(struct ide_drive *drive)
{
	uint32_t count = drive->end / BLK_SECTOR_SIZE;
	uint32_t good = write_sectors(drive, count);

	advance(&drive->disk, good);
	if (good < count) {
		fault_transfer(drive);
	} else if (!drive->disk.left) {
		end_write(drive);
	} else {
		begin_write_block(drive);
		if (!drive->dma)
			ide_raise(drive);
	}
}

static void transfer(struct ide_drive *drive, unsigned flags)
{
	struct ide_disk *disk = &drive->disk;

	if ((flags & MULTIPLE && !disk->multiple) || (flags & WRITE && drive->blk->read_only)) {
		ide_fail(drive, IDE_ERROR_ABRT);
		return;
	}
	if (!take_range(drive, flags & EXT))
		return;
	drive->dma = flags & DMA;
	disk->block = drive->dma ? IDE_BUFFER_SECTORS : flags & MULTIPLE ? disk->multiple : 1;
	if (flags & WRITE)
		begin_write_block(drive);
	else
		read_block(drive);
}

static void verify(struct ide_drive *drive, unsigned flags)
{
	struct ide_disk *disk = &drive->disk;

	if (!take_range(drive, flags & EXT))
		return;
	while (disk->left) {
		uint32_t count = MIN(disk->left, IDE_BUFFER_SECTORS), good = read_sectors(drive, count);
		advance(disk, good);
		if (good < count) {
			fail_transfer(drive, IDE_ERROR_UNC);
			return;
		}
	}
	finish_transfer(drive);
}

/* --- the other commands --- */

static void nop(struct ide_drive *drive, unsigned flags)
{
	(void)flags;
	ide_fail(drive, IDE_ERROR_ABRT);
}

static void recalibrate(struct ide_drive *drive, unsigned flags)
{
	(void)flags;
	ide_finish(drive);
}

static void seek(struct ide_drive *drive, unsigned flags)
{
	(void)flags;
	if (get_address(drive, false) >= drive->disk.native.total_sectors)
		ide_fail(drive, IDE_ERROR_IDNF);
	else
		ide_finish(drive);
}

static void read_native_max(struct ide_drive *drive, unsigned flags)
{
	uint64_t last = drive->disk.native.total_sectors - 1;

	drive->reg[IDE_DEVICE] |= IDE_DEVICE_LBA;
	put_address(drive, flags & EXT ? last : MIN(last, 0x0fffffff), flags & EXT);
	ide_finish(drive);
}

static void initialize_parameters(struct ide_drive *drive, unsigned flags)
{
	struct ide_disk *disk = &drive->disk;
	uint16_t sectors = drive->reg[IDE_COUNT];
	uint16_t heads = (uint16_t)((drive->reg[IDE_DEVICE] & IDE_DEVICE_HEAD) + 1);

	(void)flags;
	if (!sectors) {
		ide_fail(drive, IDE_ERROR_ABRT);
		return;
	}
	disk->sectors = sectors;
	disk->heads = heads;
	disk->cylinders = (uint16_t)CLAMP(disk->native.total_sectors / ((uint32_t)heads * sectors), 1, 65535);
	ide_finish(drive);
}

static void set_multiple(struct ide_drive *drive, unsigned flags)
{
	uint8_t count = drive->reg[IDE_COUNT];

	(void)flags;
	if (count > MULTIPLE_MAX || count & (count - 1)) {
		ide_fail(drive, IDE_ERROR_ABRT);
		return;
	}
	drive->disk.multiple = count;
	ide_finish(drive);
}

bool ide_ata_set_mode(uint8_t *transfer_mode, uint8_t wanted)
{
	static const struct {
		uint8_t first, last;
	} known[] = { { 0x00, 0x01 }, { 0x08, 0x0c }, { 0x20, 0x22 }, { 0x40, 0x45 } };

	for (unsigned i = 0; i < G_N_ELEMENTS(known); i++) {
		if (wanted < known[i].first || wanted > known[i].last)
			continue;
		if (wanted >= 0x20) /* a PIO mode leaves the DMA mode alone */
			*transfer_mode = wanted;
		return true;
	}
	return false;
}

static bool set_write_cache(struct ide_drive *drive, bool on)
{
	drive->disk.write_cache = on;
	return on || !blk_flush(drive->blk);
}

static bool set_feature(struct ide_drive *drive)
{
	struct ide_disk *disk = &drive->disk;

	switch (drive->reg[IDE_FEATURES]) {
	case 0x02:
	case 0x82:
		return set_write_cache(drive, drive->reg[IDE_FEATURES] == 0x02);
	case 0x03:
		return ide_ata_set_mode(&disk->transfer_mode, drive->reg[IDE_COUNT]);
	case 0x55:
	case 0xaa:
		disk->look_ahead = drive->reg[IDE_FEATURES] == 0xaa;
		return true;
	case 0x66:
	case 0xcc:
		disk->keep_settings = drive->reg[IDE_FEATURES] == 0x66;
		return true;
	default:
		guest_error("ide", "SET FEATURES %02x", drive->reg[IDE_FEATURES]);
		return false;
	}
}

static void set_features(struct ide_drive *drive, unsigned flags)
{
	(void)flags;
	if (set_feature(drive))
		ide_finish(drive);
	else
		ide_fail(drive, IDE_ERROR_ABRT);
}

static void flush_cache(struct ide_drive *drive, unsigned flags)
{
	(void)flags;
	if (blk_flush(drive->blk)) {
		ide_fail(drive, IDE_ERROR_ABRT);
		drive->status |= IDE_STATUS_DF;
	} else {
		ide_finish(drive);
	}
}

static void identify(struct ide_drive *drive, unsigned flags)
{
	(void)flags;
	ide_identify_disk(drive);
	ide_begin_data(drive, IDE_PHASE_REPLY, BLK_SECTOR_SIZE);
	ide_raise(drive);
}

static void read_buffer(struct ide_drive *drive, unsigned flags)
{
	(void)flags;
	ide_begin_data(drive, IDE_PHASE_REPLY, BLK_SECTOR_SIZE);
	ide_raise(drive);
}

static void write_buffer(struct ide_drive *drive, unsigned flags)
{
	(void)flags;
	ide_begin_data(drive, IDE_PHASE_BUFFER, BLK_SECTOR_SIZE);
}

/* --- power: 94h-99h (ATA-1) mean what E0h-E6h mean --- */

#define POWER_STANDBY 0x00u
#define POWER_IDLE    0x80u
#define POWER_ACTIVE  0xffu

static void go_standby(struct ide_drive *drive, unsigned flags)
{
	int error = blk_flush(drive->blk);

	(void)flags;
	drive->disk.power = POWER_STANDBY;
	if (error)
		ide_fail(drive, IDE_ERROR_ABRT);
	else
		ide_finish(drive);
}

static void go_idle(struct ide_drive *drive, unsigned flags)
{
	(void)flags;
	drive->disk.power = POWER_IDLE;
	ide_finish(drive);
}

static void check_power(struct ide_drive *drive, unsigned flags)
{
	(void)flags;
	drive->reg[IDE_COUNT] = drive->disk.power;
	ide_finish(drive);
}

static void go_asleep(struct ide_drive *drive, unsigned flags)
{
	go_standby(drive, flags);
	drive->disk.asleep = true;
}

/* --- dispatch --- */

static const struct ata_command commands[256] = {
	[0x00] = { nop, 0 },
	[0x20] = { transfer, 0 },
	[0x21] = { transfer, 0 },
	[0x24] = { transfer, EXT },
	[0x25] = { transfer, EXT | DMA },
	[0x27] = { read_native_max, EXT },
	[0x29] = { transfer, EXT | MULTIPLE },
	[0x30] = { transfer, WRITE },
	[0x31] = { transfer, WRITE },
	[0x34] = { transfer, WRITE | EXT },
	[0x35] = { transfer, WRITE | EXT | DMA },
	[0x39] = { transfer, WRITE | EXT | MULTIPLE },
	[0x3d] = { transfer, WRITE | EXT | DMA | FUA },
	[0x40] = { verify, 0 },
	[0x41] = { verify, 0 },
	[0x42] = { verify, EXT },
	[0x91] = { initialize_parameters, 0 },
	[0x94] = { go_standby, 0 },
	[0x95] = { go_idle, 0 },
	[0x96] = { go_standby, 0 },
	[0x97] = { go_idle, 0 },
	[0x98] = { check_power, 0 },
	[0x99] = { go_asleep, 0 },
	[0xc4] = { transfer, MULTIPLE },
	[0xc5] = { transfer, WRITE | MULTIPLE },
	[0xc6] = { set_multiple, 0 },
	[0xc8] = { transfer, DMA },
	[0xc9] = { transfer, DMA },
	[0xca] = { transfer, WRITE | DMA },
	[0xcb] = { transfer, WRITE | DMA },
	[0xce] = { transfer, WRITE | EXT | MULTIPLE | FUA },
	[0xe0] = { go_standby, 0 },
	[0xe1] = { go_idle, 0 },
	[0xe2] = { go_standby, 0 },
	[0xe3] = { go_idle, 0 },
	[0xe4] = { read_buffer, 0 },
	[0xe5] = { check_power, 0 },
	[0xe6] = { go_asleep, 0 },
	[0xe7] = { flush_cache, 0 },
	[0xe8] = { write_buffer, 0 },
	[0xea] = { flush_cache, EXT },
	[0xec] = { identify, 0 },
	[0xef] = { set_features, 0 },
	[0xf8] = { read_native_max, 0 },
};

static const struct ata_command *find_command(uint8_t code)
{
	static const struct ata_command recalibrate_command = { recalibrate, 0 }, seek_command = { seek, 0 };

	if (code >> 4 == 1)
		return &recalibrate_command;
	return code >> 4 == 7 ? &seek_command : &commands[code];
}

static bool needs_medium(const struct ata_command *command)
{
	return command->run == transfer || command->run == verify || command->run == seek;
}

void ide_ata_command(struct ide_drive *drive, uint8_t code)
{
	const struct ata_command *command = find_command(code);

	if (!command->run) {
		guest_error("ide", "unknown command %02x to a disk", code);
		ide_fail(drive, IDE_ERROR_ABRT);
		return;
	}
	drive->disk.command = code;
	if (needs_medium(command))
		drive->disk.power = POWER_ACTIVE;
	command->run(drive, command->flags);
}

void ide_ata_next(struct ide_drive *drive)
{
	if (drive->phase == IDE_PHASE_BUFFER) {
		ide_finish(drive);
	} else if (drive->phase == IDE_PHASE_WRITE) {
		write_block(drive);
	} else if (drive->disk.left) {
		read_block(drive);
	} else if (drive->dma) {
		finish_transfer(drive);
	} else { /* the last block's interrupt was the command's */
		name_last_sector(drive);
		ide_end_data(drive);
	}
}

void ide_ata_reset(struct ide_drive *drive)
{
	struct ide_disk *disk = &drive->disk;

	disk->cylinders = disk->native.cylinders;
	disk->heads = disk->native.heads;
	disk->sectors = disk->native.sectors;
	disk->multiple = 0;
	disk->transfer_mode = 0x22;
	disk->write_cache = disk->look_ahead = true;
	disk->power = POWER_ACTIVE;
}
