/* The commands that move data. A sector is the unit: it is found, moved and
 * counted on before the next one is looked for (data sheet 5.1). */
#include "devmodel/i82077_private.h"

#include <glib.h>
#include <string.h>

#include "shared/log.h"

#define SECTOR_SIZE_CODE 2u /* N of 512 bytes, all that images hold */
#define NO_SECTOR        UINT32_MAX
#define ID_SIZE          4u /* FORMAT TRACK: C H R N */
#define VERIFY_EC        0x80u

static unsigned code_of(const struct i82077 *fdc)
{
	return fdc->command[0] & CMD_MASK;
}

bool i82077_is_to_host(const struct i82077 *fdc)
{
	unsigned code = code_of(fdc);

	return code == CMD_READ || code == CMD_READ_DELETED || code == CMD_READ_TRACK;
}

static bool is_write(unsigned code)
{
	return code == CMD_WRITE || code == CMD_WRITE_DELETED || code == CMD_FORMAT;
}

static bool is_scan(unsigned code)
{
	return code == CMD_SCAN_EQUAL || code == CMD_SCAN_LOW || code == CMD_SCAN_HIGH;
}

bool i82077_is_pio(const struct i82077 *fdc)
{
	return fdc->hlt_nd & 1;
}

/* --- how a command ends --- */

static void finish(struct i82077 *fdc, uint8_t st0)
{
	const uint8_t result[] = {
		(uint8_t)(fdc->st0 | st0 | fdc->head << 2 | fdc->unit), fdc->st1, fdc->st2, fdc->c, fdc->h, fdc->r, fdc->n,
	};

	if (fdc->dma)
		i8237_withdraw(fdc->dma, I82077_DMA_CHANNEL);
	memcpy(fdc->result, result, sizeof result);
	i82077_give_result(fdc, sizeof result, true);
}

static void fail(struct i82077 *fdc, uint8_t st1, uint8_t st2)
{
	fdc->st1 |= st1;
	fdc->st2 |= st2;
	finish(fdc, ST0_ABNORMAL);
}

/* --- where --- */

static bool reads_media(const struct i82077 *fdc, const struct i82077_drive *drive)
{
	return drive && drive->blk && fdc->command[0] & CMD_MFM && drive->format->rates >> fdc->rate & 1 &&
	       drive->track < drive->format->cylinders && fdc->head < drive->format->heads;
}

static uint32_t sector_number(const struct i82077 *fdc, const struct i82077_drive *drive, unsigned r)
{
	return (drive->track * drive->format->heads + fdc->head) * drive->format->sectors + r - 1u;
}

/* The sector that C, H, R and N name. NO_SECTOR: the command has failed. */
static uint32_t find_sector(struct i82077 *fdc, const struct i82077_drive *drive)
{
	if (!reads_media(fdc, drive))
		fail(fdc, ST1_MISSING_ADDRESS, 0);
	else if (fdc->c != drive->track)
		fail(fdc, ST1_NO_DATA, ST2_WRONG_CYLINDER);
	else if (fdc->h != fdc->head || fdc->n != SECTOR_SIZE_CODE || !fdc->r || fdc->r > drive->format->sectors)
		fail(fdc, ST1_NO_DATA, 0);
	else
		return sector_number(fdc, drive, fdc->r);
	return NO_SECTOR;
}

/* C, H and R of the next sector (data sheet, table 5-7). False: the one before was
 * the cylinder's last. */
static bool advance(struct i82077 *fdc)
{
	if (fdc->r != fdc->eot) {
		fdc->r++;
		return true;
	}
	fdc->r = 1;
	if (fdc->command[0] & CMD_MT) {
		fdc->head ^= 1;
		fdc->h ^= 1;
		if (fdc->head)
			return true;
	}
	fdc->c++;
	return false;
}

/* --- a sector is looked for --- */

/* False: a sector with the other mark is to be skipped (data sheet, table 5-5). */
static bool accept_mark(struct i82077 *fdc, const struct i82077_drive *drive, uint32_t sector)
{
	if (i82077_is_deleted(drive, sector) == (code_of(fdc) == CMD_READ_DELETED))
		return true;
	fdc->st2 |= ST2_CONTROL_MARK;
	fdc->last = true;
	return !(fdc->command[0] & CMD_SK);
}

static void await_data(struct i82077 *fdc, uint16_t size)
{
	fdc->phase = FDC_EXECUTION;
	fdc->at = 0;
	fdc->size = size;
	if (i82077_is_pio(fdc))
		i82077_raise(fdc, FDC_DUE_IRQ);
}

static void end_of_cylinder(struct i82077 *fdc)
{
	if (code_of(fdc) == CMD_VERIFY && !(fdc->command[1] & VERIFY_EC))
		finish(fdc, 0);
	else if (is_scan(code_of(fdc)))
		finish(fdc, 0);
	else
		fail(fdc, ST1_END_OF_CYLINDER, 0);
}

/* Looks for the sector and, unless the host must give bytes for it first, fills
 * the buffer. Returns false when there is nothing to move: skipped, or verified. */
static bool open_sector(struct i82077 *fdc, struct i82077_drive *drive, uint32_t sector)
{
	unsigned code = code_of(fdc);

	if (!is_write(code) && !accept_mark(fdc, drive, sector)) {
		fdc->last = false;
		return false;
	}
	if (!is_write(code) && blk_read(drive->blk, sector, 1, fdc->buffer)) {
		fail(fdc, ST1_DATA_ERROR, ST2_DATA_ERROR);
		return true;
	}
	if (code == CMD_VERIFY)
		return false;
	await_data(fdc, BLK_SECTOR_SIZE);
	return true;
}

static bool verify_counts_on(struct i82077 *fdc)
{
	if (code_of(fdc) != CMD_VERIFY || !(fdc->command[1] & VERIFY_EC))
		return true;
	return --fdc->left;
}

static void next_sector(struct i82077 *fdc)
{
	struct i82077_drive *drive = i82077_drive_of(fdc, fdc->unit);

	for (;;) {
		uint32_t sector = find_sector(fdc, drive);
		if (sector == NO_SECTOR || open_sector(fdc, drive, sector))
			return;
		bool goes_on = verify_counts_on(fdc) && !fdc->last;
		bool more = advance(fdc);
		if (!goes_on) {
			finish(fdc, 0);
			return;
		}
		if (!more) {
			end_of_cylinder(fdc);
			return;
		}
	}
}

/* READ TRACK takes the sectors as they pass; IDs only set flags. */
static void next_of_track(struct i82077 *fdc)
{
	struct i82077_drive *drive = i82077_drive_of(fdc, fdc->unit);

	if (!reads_media(fdc, drive) || fdc->r > drive->format->sectors || fdc->n != SECTOR_SIZE_CODE) {
		fail(fdc, ST1_MISSING_ADDRESS, 0);
		return;
	}
	if (fdc->c != drive->track || fdc->h != fdc->head || fdc->command[4] != 1)
		fdc->st1 |= ST1_NO_DATA;
	if (blk_read(drive->blk, sector_number(fdc, drive, fdc->r), 1, fdc->buffer)) {
		/* It goes on past data errors, and tells of them. */
		fdc->st1 |= ST1_DATA_ERROR;
		fdc->st2 |= ST2_DATA_ERROR;
		memset(fdc->buffer, 0, sizeof fdc->buffer);
	}
	await_data(fdc, BLK_SECTOR_SIZE);
}

static void next_item(struct i82077 *fdc)
{
	if (code_of(fdc) == CMD_READ_TRACK)
		next_of_track(fdc);
	else if (code_of(fdc) == CMD_FORMAT)
		await_data(fdc, ID_SIZE);
	else
		next_sector(fdc);
}

/* --- a sector has been moved --- */

static bool write_sector(struct i82077 *fdc, struct i82077_drive *drive)
{
	uint32_t sector = sector_number(fdc, drive, fdc->r);

	if (blk_write(drive->blk, sector, 1, fdc->buffer)) {
		fail(fdc, ST1_DATA_ERROR, ST2_DATA_ERROR);
		return false;
	}
	i82077_set_deleted(drive, sector, code_of(fdc) == CMD_WRITE_DELETED);
	return true;
}

/* Host bytes are in the buffer. FFh matches everything. */
static bool scan_matches(struct i82077 *fdc, const uint8_t *disk)
{
	bool equal = true, fits = true;

	for (unsigned i = 0; i < BLK_SECTOR_SIZE; i++) {
		uint8_t host = fdc->buffer[i];
		if (host == 0xff || host == disk[i])
			continue;
		equal = false;
		if (code_of(fdc) == CMD_SCAN_EQUAL || (code_of(fdc) == CMD_SCAN_LOW) == (disk[i] > host))
			fits = false;
	}
	fdc->st2 &= (uint8_t)~(ST2_SCAN_HIT | ST2_SCAN_NOT);
	fdc->st2 |= (uint8_t)(equal ? ST2_SCAN_HIT : fits ? 0 : ST2_SCAN_NOT);
	return equal || fits;
}

/* False: the command has ended. */
static bool scan_sector(struct i82077 *fdc, struct i82077_drive *drive)
{
	uint8_t disk[BLK_SECTOR_SIZE];

	if (blk_read(drive->blk, sector_number(fdc, drive, fdc->r), 1, disk)) {
		fail(fdc, ST1_DATA_ERROR, ST2_DATA_ERROR);
		return false;
	}
	if (scan_matches(fdc, disk)) {
		finish(fdc, 0);
		return false;
	}
	if (fdc->command[8] == 2 && fdc->r + 1u < fdc->eot) /* STP */
		fdc->r++;
	return true;
}

/* A sector that the image has no room for is passed over: it reads as missing. */
static bool format_sector(struct i82077 *fdc, struct i82077_drive *drive)
{
	const uint8_t *id = fdc->buffer;
	uint8_t filler[BLK_SECTOR_SIZE];

	if (id[0] != drive->track || id[1] != fdc->head || !id[2] || id[2] > drive->format->sectors || id[3] != SECTOR_SIZE_CODE) {
		guest_error("i82077", "sector %u/%u/%u size %u fits no image", id[0], id[1], id[2], id[3]);
		return true;
	}
	memset(filler, fdc->command[5], sizeof filler);
	uint32_t sector = sector_number(fdc, drive, id[2]);
	if (blk_write(drive->blk, sector, 1, filler)) {
		fail(fdc, ST1_DATA_ERROR, 0);
		return false;
	}
	i82077_set_deleted(drive, sector, false);
	return true;
}

/* False: the command has ended with an error. */
static bool close_sector(struct i82077 *fdc)
{
	struct i82077_drive *drive = i82077_drive_of(fdc, fdc->unit);
	unsigned code = code_of(fdc);

	if (!is_write(code) && !is_scan(code))
		return true;
	if (!drive || !drive->blk) { /* taken out while the host was giving bytes */
		fail(fdc, ST1_MISSING_ADDRESS, 0);
		return false;
	}
	/* What the terminal count has cut off is written as zeros. */
	memset(fdc->buffer + fdc->at, is_scan(code) ? 0xff : 0, sizeof fdc->buffer - fdc->at);
	if (code == CMD_FORMAT)
		return fdc->at < ID_SIZE || format_sector(fdc, drive);
	return is_scan(code) ? scan_sector(fdc, drive) : write_sector(fdc, drive);
}

static void count_track(struct i82077 *fdc, bool terminal_count)
{
	bool more = --fdc->left;

	fdc->r++;
	if (terminal_count || (!more && code_of(fdc) == CMD_FORMAT))
		finish(fdc, fdc->st1 ? ST0_ABNORMAL : 0);
	else if (!more)
		fail(fdc, ST1_END_OF_CYLINDER, 0);
	else
		next_item(fdc);
}

static void item_moved(struct i82077 *fdc, bool terminal_count)
{
	if (!close_sector(fdc))
		return;
	if (code_of(fdc) == CMD_FORMAT || code_of(fdc) == CMD_READ_TRACK) {
		count_track(fdc, terminal_count);
		return;
	}
	if (fdc->last) { /* the other mark, without SK: the address stays */
		finish(fdc, 0);
		return;
	}
	bool more = advance(fdc);
	if (terminal_count)
		finish(fdc, 0);
	else if (!more)
		end_of_cylinder(fdc);
	else
		next_item(fdc);
}

/* --- bytes --- */

void i82077_run_dma(struct i82077 *fdc)
{
	while (fdc->phase == FDC_EXECUTION && !i82077_is_pio(fdc) && fdc->dma && fdc->dor & DOR_DMA_GATE) {
		bool terminal_count = false;
		fdc->at = (uint16_t)(fdc->at + i8237_transfer(fdc->dma, I82077_DMA_CHANNEL, fdc->buffer + fdc->at,
		                                              (size_t)(fdc->size - fdc->at), i82077_is_to_host(fdc),
		                                              &terminal_count));
		if (fdc->at < fdc->size && !terminal_count)
			return;
		item_moved(fdc, terminal_count);
	}
}

static void pio_moved(struct i82077 *fdc)
{
	if (fdc->at == fdc->size)
		item_moved(fdc, false);
	else
		i82077_raise(fdc, FDC_DUE_IRQ);
}

uint8_t i82077_pio_read(struct i82077 *fdc)
{
	uint8_t value = fdc->buffer[fdc->at++];

	pio_moved(fdc);
	return value;
}

void i82077_pio_write(struct i82077 *fdc, uint8_t value)
{
	fdc->buffer[fdc->at++] = value;
	pio_moved(fdc);
}

/* --- the commands --- */

static struct i82077_drive *begin(struct i82077 *fdc)
{
	fdc->unit = fdc->command[1] & 3;
	fdc->head = fdc->command[1] >> 2 & 1;
	fdc->st0 = fdc->st1 = fdc->st2 = 0;
	fdc->last = false;
	return i82077_drive_of(fdc, fdc->unit);
}

static bool write_protected(struct i82077 *fdc, const struct i82077_drive *drive)
{
	if (!drive || !drive->blk || !drive->blk->read_only)
		return false;
	fail(fdc, ST1_NOT_WRITABLE, 0);
	return true;
}

void i82077_transfer(struct i82077 *fdc)
{
	struct i82077_drive *drive = begin(fdc);

	fdc->c = fdc->command[2];
	fdc->h = fdc->command[3];
	fdc->r = code_of(fdc) == CMD_READ_TRACK ? 1 : fdc->command[4];
	fdc->n = fdc->command[5];
	fdc->eot = fdc->command[6];
	fdc->left = code_of(fdc) == CMD_READ_TRACK ? fdc->eot : fdc->command[8];
	if (drive && fdc->configure & CONFIGURE_EIS && fdc->c != drive->track) {
		i82077_move_head(drive, fdc->c);
		fdc->st0 |= ST0_SEEK_END;
	}
	if (is_write(code_of(fdc)) && write_protected(fdc, drive))
		return;
	next_item(fdc);
	i82077_run_dma(fdc);
}

void i82077_format_track(struct i82077 *fdc)
{
	struct i82077_drive *drive = begin(fdc);

	fdc->c = drive ? drive->track : 0;
	fdc->h = fdc->head;
	fdc->r = 1;
	fdc->n = fdc->command[2];
	fdc->left = fdc->eot = fdc->command[3];
	if (write_protected(fdc, drive))
		return;
	if (!reads_media(fdc, drive) || !fdc->left) {
		fail(fdc, ST1_MISSING_ADDRESS, 0);
		return;
	}
	next_item(fdc);
	i82077_run_dma(fdc);
}

void i82077_read_id(struct i82077 *fdc)
{
	struct i82077_drive *drive = begin(fdc);

	if (!reads_media(fdc, drive)) {
		fail(fdc, ST1_MISSING_ADDRESS, 0);
		return;
	}
	drive->next_id = (uint8_t)(drive->next_id % drive->format->sectors + 1);
	fdc->c = drive->track;
	fdc->h = fdc->head;
	fdc->r = drive->next_id;
	fdc->n = SECTOR_SIZE_CODE;
	finish(fdc, 0);
}
