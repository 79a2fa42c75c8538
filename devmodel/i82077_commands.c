/* The command table, and the commands that move no data (data sheet, chapter 5). */
#include "devmodel/i82077_private.h"

#include <glib.h>

#include "shared/log.h"

#define VERSION_82077 0x90
#define INVALID       0x80
#define STEPS_MAX     79u /* RECALIBRATE gives up after so many */
#define TRACK_MAX     85u /* where the head's stop is */

static void give_byte(struct i82077 *fdc, uint8_t value)
{
	fdc->result[0] = value;
	i82077_give_result(fdc, 1, false);
}

static void invalid(struct i82077 *fdc)
{
	guest_error("i82077", "invalid command %02x", fdc->command[0]);
	give_byte(fdc, INVALID);
}

/* --- heads --- */

void i82077_move_head(struct i82077_drive *drive, unsigned track)
{
	if (track == drive->track)
		return;
	drive->track = (uint8_t)MIN(track, TRACK_MAX);
	if (drive->blk)
		drive->changed = false;
}

static void begin_seek(struct i82077 *fdc, uint8_t st0)
{
	unsigned unit = fdc->command[1] & 3;

	fdc->sense_st0[unit] = (uint8_t)(ST0_SEEK_END | st0 | unit);
	fdc->seeking |= (uint8_t)(1u << unit);
	i82077_give_result(fdc, 0, false);
	i82077_raise(fdc, FDC_DUE_SEEK);
}

static void recalibrate(struct i82077 *fdc)
{
	struct i82077_drive *drive = i82077_drive_of(fdc, fdc->command[1] & 3);

	if (drive)
		i82077_move_head(drive, drive->track > STEPS_MAX ? drive->track - STEPS_MAX : 0);
	/* Without a drive there is no track 0 signal. */
	begin_seek(fdc, drive && !drive->track ? 0 : ST0_EQUIPMENT | ST0_ABNORMAL);
}

static void seek(struct i82077 *fdc)
{
	struct i82077_drive *drive = i82077_drive_of(fdc, fdc->command[1] & 3);
	bool relative = fdc->command[0] & 0x80, inwards = fdc->command[0] & 0x40;
	unsigned steps = fdc->command[2];

	if (drive && !relative)
		i82077_move_head(drive, steps);
	else if (drive && inwards)
		i82077_move_head(drive, drive->track + steps);
	else if (drive)
		i82077_move_head(drive, steps > drive->track ? 0 : drive->track - steps);
	begin_seek(fdc, fdc->command[1] & 0x04);
}

static void sense_interrupt(struct i82077 *fdc)
{
	if (!fdc->sense) {
		give_byte(fdc, INVALID);
		return;
	}
	unsigned unit = (unsigned)__builtin_ctz(fdc->sense);
	const struct i82077_drive *drive = i82077_drive_of(fdc, unit);

	fdc->sense &= (uint8_t)(fdc->sense - 1);
	fdc->seeking &= (uint8_t)~(1u << unit);
	fdc->result[0] = fdc->sense_st0[unit];
	fdc->result[1] = drive ? drive->track : 0;
	i82077_set_irq(fdc, false);
	if (fdc->sense && !fdc->sense_reset)
		i82077_raise(fdc, FDC_DUE_SEEK);
	i82077_give_result(fdc, 2, false);
}

static void sense_drive(struct i82077 *fdc)
{
	const struct i82077_drive *drive = i82077_drive_of(fdc, fdc->command[1] & 3);
	uint8_t st3 = (fdc->command[1] & 0x07) | 0x28; /* ready, two sides: not wired, always 1 */

	if (drive && !drive->track)
		st3 |= 0x10;
	if (drive && drive->blk && drive->blk->read_only)
		st3 |= 0x40;
	give_byte(fdc, st3);
}

/* --- settings --- */

static void specify(struct i82077 *fdc)
{
	fdc->srt_hut = fdc->command[1];
	fdc->hlt_nd = fdc->command[2];
	i82077_give_result(fdc, 0, false);
}

static void configure(struct i82077 *fdc)
{
	fdc->configure = fdc->command[2] & 0x7f;
	fdc->pretrk = fdc->command[3];
	i82077_give_result(fdc, 0, false);
}

static void perpendicular(struct i82077 *fdc)
{
	uint8_t value = fdc->command[1];

	/* OW = 0: the drives' bits stay. */
	if (value & 0x80)
		fdc->perpendicular = value & 0x3f;
	else
		fdc->perpendicular = (uint8_t)((fdc->perpendicular & 0x3c) | (value & 0x03));
	i82077_give_result(fdc, 0, false);
}

static void lock(struct i82077 *fdc)
{
	fdc->lock = fdc->command[0] & 0x80;
	give_byte(fdc, fdc->lock ? 0x10 : 0);
}

static void version(struct i82077 *fdc)
{
	give_byte(fdc, VERSION_82077);
}

static void dumpreg(struct i82077 *fdc)
{
	for (unsigned unit = 0; unit < I82077_UNITS; unit++)
		fdc->result[unit] = unit < I82077_DRIVES ? fdc->drive[unit].track : 0;
	fdc->result[4] = fdc->srt_hut;
	fdc->result[5] = fdc->hlt_nd;
	fdc->result[6] = fdc->eot;
	fdc->result[7] = (uint8_t)((fdc->lock ? 0x80 : 0) | fdc->perpendicular);
	fdc->result[8] = fdc->configure;
	fdc->result[9] = fdc->pretrk;
	i82077_give_result(fdc, 10, false);
}

/* --- the table --- */

static const struct command {
	uint8_t code, mask; /* first byte & mask == code */
	uint8_t length;
	void (*run)(struct i82077 *fdc);
} commands[] = {
	{ CMD_READ_TRACK, 0xbf, 9, i82077_transfer },
	{ CMD_SPECIFY, 0xff, 3, specify },
	{ CMD_SENSE_DRIVE, 0xff, 2, sense_drive },
	{ CMD_WRITE, 0x3f, 9, i82077_transfer },
	{ CMD_READ, 0x1f, 9, i82077_transfer },
	{ CMD_RECALIBRATE, 0xff, 2, recalibrate },
	{ CMD_SENSE_INTERRUPT, 0xff, 1, sense_interrupt },
	{ CMD_WRITE_DELETED, 0x3f, 9, i82077_transfer },
	{ CMD_READ_ID, 0xbf, 2, i82077_read_id },
	{ CMD_READ_DELETED, 0x1f, 9, i82077_transfer },
	{ CMD_FORMAT, 0xbf, 6, i82077_format_track },
	{ CMD_DUMPREG, 0xff, 1, dumpreg },
	{ CMD_SEEK, 0xff, 3, seek },
	{ CMD_SEEK | 0x80, 0xbf, 3, seek }, /* relative */
	{ CMD_VERSION, 0xff, 1, version },
	{ CMD_SCAN_EQUAL, 0x1f, 9, i82077_transfer },
	{ CMD_PERPENDICULAR, 0xff, 2, perpendicular },
	{ CMD_CONFIGURE, 0xff, 4, configure },
	{ CMD_LOCK, 0x7f, 1, lock },
	{ CMD_VERIFY, 0x1f, 9, i82077_transfer },
	{ CMD_SCAN_LOW, 0x1f, 9, i82077_transfer },
	{ CMD_SCAN_HIGH, 0x1f, 9, i82077_transfer },
};

static const struct command invalid_command = { .length = 1, .run = invalid };

static const struct command *find(uint8_t first)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++)
		if ((first & commands[i].mask) == commands[i].code)
			return &commands[i];
	return &invalid_command;
}

unsigned i82077_command_length(uint8_t first)
{
	return find(first)->length;
}

void i82077_run_command(struct i82077 *fdc)
{
	if (fdc->sense_reset && fdc->command[0] != CMD_SENSE_INTERRUPT) {
		/* The guest has seen enough of the four statuses of a reset. */
		fdc->sense_reset = false;
		fdc->sense = 0;
		i82077_set_irq(fdc, false);
	}
	find(fdc->command[0])->run(fdc);
}
