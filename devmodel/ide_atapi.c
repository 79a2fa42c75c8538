/* CD-ROM drives: how packets, data, status and sense move (ATA/ATAPI-6, 8.23 and
 * 9.8). What the packets mean is in ide_mmc.c. */
#include "devmodel/ide_private.h"

#include <glib.h>
#include <string.h>

#include "devmodel/cd_sector.h"
#include "shared/log.h"

#define FEATURE_DMA     0x01u
#define FEATURE_OVERLAP 0x02u

#define COMMAND_PACKET 0xa0

#define NOT_READY       0x02
#define MEDIUM_ERROR    0x03
#define EVENT_NEW_MEDIA 2
#define EVENT_REMOVED   3

/* --- the disc --- */

bool ide_cd_has_disc(const struct ide_drive *drive)
{
	return drive->blk && !drive->cd.tray_open;
}

uint32_t ide_cd_blocks(const struct ide_drive *drive)
{
	if (!ide_cd_has_disc(drive))
		return 0;
	return (uint32_t)MIN((drive->blk->sectors + IDE_CD_SECTORS - 1) / IDE_CD_SECTORS, UINT32_MAX);
}

/* Reads whole blocks; past the end of an image that stops within its last block
 * come zeros. */
static int read_blocks(struct ide_drive *drive, uint32_t lba, uint32_t count, uint8_t *to)
{
	uint64_t first = (uint64_t)lba * IDE_CD_SECTORS;
	uint32_t wanted = count * IDE_CD_SECTORS;
	uint32_t present = (uint32_t)MIN(wanted, drive->blk->sectors - first);

	memset(to + present * BLK_SECTOR_SIZE, 0, (wanted - present) * BLK_SECTOR_SIZE);
	return blk_read(drive->blk, first, present, to);
}

/* READ CD, byte 9: bit 7 sync, 5 header, 4 user data, 3 EDC and ECC. */
static const struct part {
	uint8_t mask;
	uint16_t offset, size;
} parts[] = {
	{ 0x80, 0, CD_SECTOR_HEADER },
	{ 0x20, CD_SECTOR_HEADER, 4 },
	{ 0x10, CD_SECTOR_DATA, IDE_CD_BLOCK },
	{ 0x08, CD_SECTOR_EDC, CD_SECTOR_SIZE - CD_SECTOR_EDC },
};

uint32_t ide_cd_size_of_parts(uint8_t wanted)
{
	uint32_t size = 0;

	for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++)
		size += wanted & parts[i].mask ? parts[i].size : 0u;
	return size;
}

static int read_parts(struct ide_drive *drive, uint32_t lba, uint32_t count, uint8_t *to)
{
	uint8_t sector[CD_SECTOR_SIZE];

	for (; count; count--, lba++) {
		int error = read_blocks(drive, lba, 1, sector + CD_SECTOR_DATA);
		if (error)
			return error;
		cd_sector_complete(sector, lba);
		for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++) {
			if (!(drive->cd.parts & parts[i].mask))
				continue;
			memcpy(to, sector + parts[i].offset, parts[i].size);
			to += parts[i].size;
		}
	}
	return 0;
}

/* --- how a packet command ends --- */

static void status_phase(struct ide_drive *drive)
{
	drive->reg[IDE_COUNT] = IDE_REASON_COD | IDE_REASON_IO;
}

void ide_cd_finish(struct ide_drive *drive)
{
	status_phase(drive);
	ide_finish(drive);
}

void ide_cd_fail(struct ide_drive *drive, uint8_t sense_key, uint8_t asc, uint8_t ascq)
{
	drive->cd.sense_key = sense_key;
	drive->cd.asc = asc;
	drive->cd.ascq = ascq;
	status_phase(drive);
	ide_fail(drive, (uint8_t)(sense_key << 4));
}

/* --- data to the host --- */

/* The next DRQ block of what is in the buffer. The byte count is exact, the
 * words that carry it are whole. */
static void begin_block(struct ide_drive *drive)
{
	uint32_t size = MIN(drive->end - drive->at, drive->cd.limit);

	drive->reg[IDE_COUNT] = IDE_REASON_IO;
	drive->status = IDE_STATUS_READY | IDE_STATUS_DRQ;
	if (drive->dma)
		size = drive->end - drive->at;
	drive->block_end = drive->at + size + (size & 1);
	if (drive->dma)
		return;
	drive->reg[IDE_LBA_MID] = (uint8_t)size;
	drive->reg[IDE_LBA_HIGH] = (uint8_t)(size >> 8);
	ide_raise(drive);
}

/* Bytes that may go in one DRQ block (ATA/ATAPI-6, 8.23.3); 0 is invalid. `unit`:
 * blocks of the medium stay whole when they fit. */
static uint32_t byte_count_limit(const struct ide_drive *drive, uint32_t unit)
{
	uint32_t limit = drive->reg[IDE_LBA_MID] | (uint32_t)drive->reg[IDE_LBA_HIGH] << 8;

	limit &= ~1u;
	return unit && limit >= unit ? limit - limit % unit : limit;
}

/* False: the host has given no room; the command is aborted. */
static bool take_limit(struct ide_drive *drive, uint32_t unit)
{
	drive->cd.limit = byte_count_limit(drive, unit);
	if (drive->cd.limit || drive->dma)
		return true;
	guest_error("ide", "packet command with a byte count limit of 0");
	status_phase(drive);
	ide_fail(drive, IDE_ERROR_ABRT);
	return false;
}

void ide_cd_reply(struct ide_drive *drive, uint32_t size, uint32_t room)
{
	size = MIN(size, room);
	if (!size) {
		ide_cd_finish(drive);
		return;
	}
	if (!take_limit(drive, 0))
		return;
	drive->buffer[size] = 0; /* goes along when the last word is not full */
	ide_begin_data(drive, IDE_PHASE_PACKET_REPLY, size);
	begin_block(drive);
}

static void load_blocks(struct ide_drive *drive)
{
	struct ide_cd *cd = &drive->cd;
	uint32_t count = MIN(cd->left, IDE_BUFFER_SIZE / cd->block_size);
	bool cooked = cd->block_size == IDE_CD_BLOCK;
	uint32_t total = ide_cd_blocks(drive);

	if (cd->lba >= total || count > total - cd->lba) { /* the disc has been changed */
		ide_cd_fail(drive, NOT_READY, 0x3a, cd->tray_open ? 2 : 1);
		return;
	}
	if (cooked ? read_blocks(drive, cd->lba, count, drive->buffer) : read_parts(drive, cd->lba, count, drive->buffer)) {
		ide_cd_fail(drive, MEDIUM_ERROR, 0x11, 0);
		return;
	}
	cd->lba += count;
	cd->left -= count;
	ide_begin_data(drive, IDE_PHASE_PACKET_READ, count * cd->block_size);
	begin_block(drive);
}

void ide_cd_read(struct ide_drive *drive, uint32_t lba, uint32_t count, uint8_t wanted)
{
	struct ide_cd *cd = &drive->cd;

	cd->block_size = ide_cd_size_of_parts(wanted);
	if (!count || !cd->block_size) {
		ide_cd_finish(drive);
		return;
	}
	if (!take_limit(drive, cd->block_size))
		return;
	cd->lba = lba;
	cd->left = count;
	cd->parts = wanted;
	load_blocks(drive);
}

void ide_atapi_next(struct ide_drive *drive)
{
	if (drive->phase == IDE_PHASE_PACKET)
		ide_mmc_command(drive);
	else if (drive->at < drive->end)
		begin_block(drive);
	else if (drive->phase == IDE_PHASE_PACKET_READ && drive->cd.left)
		load_blocks(drive);
	else
		ide_cd_finish(drive);
}

/* --- ATA commands of a packet device --- */

static void packet(struct ide_drive *drive)
{
	if (drive->reg[IDE_FEATURES] & FEATURE_OVERLAP) {
		ide_fail(drive, IDE_ERROR_ABRT);
		return;
	}
	ide_begin_data(drive, IDE_PHASE_PACKET, IDE_PACKET_SIZE);
	drive->dma = drive->reg[IDE_FEATURES] & FEATURE_DMA;
	drive->reg[IDE_COUNT] = IDE_REASON_COD;
}

static void identify_packet(struct ide_drive *drive)
{
	ide_identify_packet(drive);
	ide_begin_data(drive, IDE_PHASE_REPLY, BLK_SECTOR_SIZE);
	ide_raise(drive);
}

/* A host that takes it for a disk learns what it is (ATA/ATAPI-6, 9.12). */
static void refuse_as_packet_device(struct ide_drive *drive)
{
	ide_put_signature(drive);
	ide_fail(drive, IDE_ERROR_ABRT);
}

static void set_features(struct ide_drive *drive)
{
	switch (drive->reg[IDE_FEATURES]) {
	case 0x03:
		if (!ide_ata_set_mode(&drive->cd.transfer_mode, drive->reg[IDE_COUNT]))
			break;
		/* fall through */
	case 0x66:
	case 0xcc:
		ide_finish(drive);
		return;
	}
	ide_fail(drive, IDE_ERROR_ABRT);
}

static void check_power(struct ide_drive *drive)
{
	drive->reg[IDE_COUNT] = 0xff; /* active */
	ide_finish(drive);
}

void ide_atapi_command(struct ide_drive *drive, uint8_t command)
{
	switch (command) {
	case COMMAND_PACKET:
		packet(drive);
		break;
	case 0xa1:
		identify_packet(drive);
		break;
	case 0x20: /* READ SECTORS */
	case 0xec: /* IDENTIFY DEVICE */
		refuse_as_packet_device(drive);
		break;
	case 0xef:
		set_features(drive);
		break;
	case 0xe5:
		check_power(drive);
		break;
	case 0xe0: /* STANDBY IMMEDIATE, IDLE IMMEDIATE, SLEEP: nothing spins */
	case 0xe1:
	case 0xe6:
	case 0xe7: /* FLUSH CACHE */
		ide_finish(drive);
		break;
	default:
		if (command)
			guest_error("ide", "unknown command %02x to a CD-ROM", command);
		ide_fail(drive, IDE_ERROR_ABRT);
	}
}

void ide_atapi_reset(struct ide_drive *drive)
{
	memset(&drive->cd, 0, sizeof drive->cd);
	drive->cd.transfer_mode = 0x22;
	drive->cd.attention = 0x29; /* power-on or reset occurred */
}

void ide_atapi_changed(struct ide_drive *drive)
{
	drive->cd.tray_open = false;
	drive->cd.locked = false;
	drive->cd.lba = UINT32_MAX; /* a read that runs must not go on with another disc */
	drive->cd.event = drive->blk ? EVENT_NEW_MEDIA : EVENT_REMOVED;
	if (drive->blk)
		drive->cd.attention = 0x28; /* not ready to ready, medium may have changed */
}
