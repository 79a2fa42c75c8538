/* What a drive says of itself: geometry, IDENTIFY DEVICE and IDENTIFY PACKET
 * DEVICE (ATA/ATAPI-6, 8.15 and 8.16). */
#include "devmodel/ide_private.h"

#include <glib.h>
#include <string.h>

#define HEADS     16u
#define SECTORS   63u
#define CYLINDERS 16383u /* all that CHS can show of a big disk */

#define MODEL_DISK  "V2E HARDDISK"
#define MODEL_CDROM "V2E CD-ROM"
#define FIRMWARE    "1.0"

/* The partition table tells the heads and sectors that an image was made with:
 * partitions end on a cylinder. Only what IDE itself can express counts. */
static bool geometry_from_partitions(struct blk *blk, struct ide_geometry *geometry)
{
	uint8_t mbr[BLK_SECTOR_SIZE];

	if (blk_read(blk, 0, 1, mbr) || mbr[510] != 0x55 || mbr[511] != 0xaa)
		return false;
	for (const uint8_t *entry = mbr + 446; entry < mbr + 510; entry += 16) {
		unsigned heads = entry[5] + 1u, sectors = entry[6] & 63u;
		uint32_t size = entry[12] | entry[13] << 8 | entry[14] << 16 | (uint32_t)entry[15] << 24;
		if (!size || heads < 2 || heads > HEADS || !sectors)
			continue;
		uint64_t cylinders = geometry->total_sectors / (heads * sectors);
		if (cylinders < 1 || cylinders > CYLINDERS)
			continue;
		geometry->cylinders = (uint16_t)cylinders;
		geometry->heads = (uint16_t)heads;
		geometry->sectors = (uint16_t)sectors;
		return true;
	}
	return false;
}

struct ide_geometry ide_guess_geometry(struct blk *blk)
{
	struct ide_geometry geometry = { .heads = HEADS, .sectors = SECTORS, .total_sectors = blk->sectors };

	if (!geometry_from_partitions(blk, &geometry))
		geometry.cylinders = (uint16_t)CLAMP(blk->sectors / (HEADS * SECTORS), 1, CYLINDERS);
	return geometry;
}

static void put(uint8_t *identify, unsigned word, unsigned value)
{
	identify[2 * word] = (uint8_t)value;
	identify[2 * word + 1] = (uint8_t)(value >> 8);
}

static void put_long(uint8_t *identify, unsigned word, uint64_t value, unsigned words)
{
	for (unsigned i = 0; i < words; i++)
		put(identify, word + i, (unsigned)(value >> 16 * i & 0xffff));
}

/* ATA strings have the first character in the upper byte of a word. */
static void put_string(uint8_t *identify, unsigned word, unsigned words, const char *text)
{
	size_t length = strlen(text);

	for (unsigned i = 0; i < 2 * words; i++)
		identify[2 * word + (i ^ 1)] = i < length ? (uint8_t)text[i] : ' ';
}

static void put_names(const struct ide_drive *drive, uint8_t *identify, const char *model)
{
	const struct ide_channel *channel = drive->channel;
	unsigned number = (unsigned)(channel - channel->ide->channel) * IDE_DRIVES + (unsigned)(drive - channel->drive);
	char serial[16];

	g_snprintf(serial, sizeof serial, "V2E%05u", number + 1);
	put_string(identify, 10, 10, serial);
	put_string(identify, 23, 4, FIRMWARE);
	put_string(identify, 27, 20, model);
}

/* Words 62-68 and 88: what is supported, and which one is selected. */
static void put_modes(uint8_t *identify, uint8_t mode)
{
	unsigned selected = 0x100u << (mode & 7);

	put(identify, 63, 0x0007 | (mode >> 3 == 4 ? selected : 0));
	put(identify, 64, 0x0003); /* PIO 3 and 4 */
	for (unsigned word = 65; word <= 68; word++)
		put(identify, word, 120); /* ns a cycle */
	put(identify, 88, 0x003f | (mode >> 3 == 8 ? selected : 0));
}

static void put_checksum(uint8_t *identify)
{
	uint8_t sum = 0;

	identify[510] = 0xa5;
	for (unsigned i = 0; i < 511; i++)
		sum = (uint8_t)(sum + identify[i]);
	identify[511] = (uint8_t)-sum;
}

static void put_geometry(const struct ide_disk *disk, uint8_t *identify)
{
	uint64_t total = disk->native.total_sectors;
	uint32_t current = (uint32_t)disk->cylinders * disk->heads * disk->sectors;

	put(identify, 1, disk->native.cylinders);
	put(identify, 3, disk->native.heads);
	put(identify, 6, disk->native.sectors);
	put(identify, 53, 0x0007); /* words 54-58, 64-70 and 88 are valid */
	put(identify, 54, disk->cylinders);
	put(identify, 55, disk->heads);
	put(identify, 56, disk->sectors);
	put_long(identify, 57, MIN(current, total), 2);
	put_long(identify, 60, MIN(total, 0x0fffffff), 2);
	put_long(identify, 100, total, 4);
}

static void put_feature_sets(const struct ide_disk *disk, uint8_t *identify)
{
	unsigned enabled = 0x7008u | (disk->write_cache ? 0x20u : 0) | (disk->look_ahead ? 0x40u : 0);

	put(identify, 80, 0x007e); /* ATA-1 to ATA/ATAPI-6 */
	put(identify, 82, 0x7068); /* NOP, buffers, look-ahead, write cache, power */
	put(identify, 83, 0x7400); /* FLUSH CACHE (EXT), 48-bit addresses */
	put(identify, 84, 0x4040); /* FUA */
	put(identify, 85, enabled);
	put(identify, 86, 0x3400);
	put(identify, 87, 0x4040);
}

void ide_identify_disk(struct ide_drive *drive)
{
	const struct ide_disk *disk = &drive->disk;
	uint8_t *identify = drive->buffer;

	memset(identify, 0, BLK_SECTOR_SIZE);
	put(identify, 0, 0x0040); /* not removable */
	put_names(drive, identify, MODEL_DISK);
	put(identify, 47, 0x8000 | 16);
	put(identify, 48, 1);      /* 32-bit data port (ATA-1) */
	put(identify, 49, 0x0f00); /* IORDY, LBA, DMA */
	put(identify, 50, 0x4000);
	put(identify, 51, 0x0200);
	put(identify, 52, 0x0200);
	put_geometry(disk, identify);
	put(identify, 59, disk->multiple ? 0x100u | disk->multiple : 0);
	put_modes(identify, disk->transfer_mode);
	put_feature_sets(disk, identify);
	put(identify, 93, 0x6001); /* hardware reset found all well, 80 wires */
	put_checksum(identify);
}

void ide_identify_packet(struct ide_drive *drive)
{
	uint8_t *identify = drive->buffer;

	memset(identify, 0, BLK_SECTOR_SIZE);
	put(identify, 0, 0x85c0); /* CD-ROM, removable, DRQ within 50 us, 12 bytes */
	put_names(drive, identify, MODEL_CDROM);
	put(identify, 48, 1);
	put(identify, 49, 0x0f00);
	put(identify, 53, 0x0006);
	put_modes(identify, drive->cd.transfer_mode);
	put(identify, 80, 0x0070); /* ATA/ATAPI-4 to -6 */
	put(identify, 82, 0x4210); /* PACKET, DEVICE RESET, NOP */
	put(identify, 83, 0x4000);
	put(identify, 84, 0x4000);
	put(identify, 85, 0x4210);
	put(identify, 87, 0x4000);
	put_checksum(identify);
}
