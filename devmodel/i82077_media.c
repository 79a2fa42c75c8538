/* Drives and disks of the floppy controller. */
#include "devmodel/i82077_private.h"

#include <glib.h>
#include <string.h>

#define RATE_500K 0x01u
#define RATE_300K 0x02u /* a 360K disk in a 1.2M drive */
#define RATE_250K 0x04u
#define RATE_1M   0x08u

static const struct i82077_format formats[] = {
	{ 320, 40, 1, 8, RATE_250K | RATE_300K, 1 },
	{ 360, 40, 1, 9, RATE_250K | RATE_300K, 1 },
	{ 640, 40, 2, 8, RATE_250K | RATE_300K, 1 },
	{ 720, 40, 2, 9, RATE_250K | RATE_300K, 1 },
	{ 1440, 80, 2, 9, RATE_250K, 3 },
	{ 2400, 80, 2, 15, RATE_500K, 2 },
	{ 2880, 80, 2, 18, RATE_500K, 4 },
	{ 3360, 80, 2, 21, RATE_500K, 4 },
	{ 3444, 82, 2, 21, RATE_500K, 4 },
	{ I82077_MAX_SECTORS, 80, 2, 36, RATE_1M, 5 },
};

static const struct i82077_format *find_format(uint64_t sectors)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(formats); i++)
		if (formats[i].total == sectors)
			return &formats[i];
	return NULL;
}

const char *i82077_insert(struct i82077 *fdc, unsigned number, struct blk *blk)
{
	struct i82077_drive *drive = &fdc->drive[number];
	const struct i82077_format *format = find_format(blk->sectors);

	if (!format)
		return "the size is none of a floppy disk's (160K, 180K, 320K, 360K, 720K, 1.2M, 1.44M, 1.68M, 1.72M, 2.88M)";
	i82077_eject(fdc, number);
	drive->blk = blk;
	drive->format = format;
	drive->present = true;
	return NULL;
}

void i82077_eject(struct i82077 *fdc, unsigned number)
{
	struct i82077_drive *drive = &fdc->drive[number];

	blk_free(drive->blk);
	drive->blk = NULL;
	drive->format = NULL;
	drive->changed = true;
	drive->next_id = 0;
	memset(drive->deleted, 0, sizeof drive->deleted);
}

unsigned i82077_medium_type(const struct i82077 *fdc, unsigned number)
{
	const struct i82077_format *format = fdc->drive[number].format;

	return format ? format->cmos_type : 0;
}

bool i82077_is_deleted(const struct i82077_drive *drive, uint32_t sector)
{
	return drive->deleted[sector / 8] >> sector % 8 & 1;
}

void i82077_set_deleted(struct i82077_drive *drive, uint32_t sector, bool deleted)
{
	uint8_t bit = (uint8_t)(1u << sector % 8);

	drive->deleted[sector / 8] = (uint8_t)(deleted ? drive->deleted[sector / 8] | bit : drive->deleted[sector / 8] & ~bit);
}
