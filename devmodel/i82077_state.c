/* Save, load and dump of the floppy controller. */
#include "devmodel/i82077_private.h"

static void state_registers(struct i82077 *fdc, struct snap *snap)
{
	snap_u8(snap, "dor", &fdc->dor);
	snap_u8(snap, "tdr", &fdc->tdr);
	snap_u8(snap, "dsr", &fdc->dsr);
	snap_u8(snap, "rate", &fdc->rate);
	snap_u8(snap, "srt_hut", &fdc->srt_hut);
	snap_u8(snap, "hlt_nd", &fdc->hlt_nd);
	snap_u8(snap, "configure", &fdc->configure);
	snap_u8(snap, "pretrk", &fdc->pretrk);
	snap_u8(snap, "perpendicular", &fdc->perpendicular);
	snap_bool(snap, "lock", &fdc->lock);
	fdc->rate &= 3;
}

static void state_interrupt(struct i82077 *fdc, struct snap *snap)
{
	snap_timer(snap, "delay", fdc->delay);
	snap_u8(snap, "due", &fdc->due);
	snap_bool(snap, "irq", &fdc->irq);
	snap_u8(snap, "seeking", &fdc->seeking);
	snap_u8(snap, "sense", &fdc->sense);
	snap_bool(snap, "sense_reset", &fdc->sense_reset);
	snap_bytes(snap, "sense_st0", fdc->sense_st0, sizeof fdc->sense_st0);
	fdc->seeking &= 0x0f;
	fdc->sense &= 0x0f;
}

static void state_command(struct i82077 *fdc, struct snap *snap)
{
	snap_u8(snap, "phase", &fdc->phase);
	snap_bytes(snap, "command", fdc->command, sizeof fdc->command);
	snap_u8(snap, "command_length", &fdc->command_length);
	snap_u8(snap, "command_at", &fdc->command_at);
	snap_bytes(snap, "result", fdc->result, sizeof fdc->result);
	snap_u8(snap, "result_length", &fdc->result_length);
	snap_u8(snap, "result_at", &fdc->result_at);
	snap_bool(snap, "result_has_irq", &fdc->result_has_irq);
}

static void state_transfer(struct i82077 *fdc, struct snap *snap)
{
	snap_u8(snap, "unit", &fdc->unit);
	snap_u8(snap, "head", &fdc->head);
	snap_u8(snap, "st0", &fdc->st0);
	snap_u8(snap, "st1", &fdc->st1);
	snap_u8(snap, "st2", &fdc->st2);
	snap_u8(snap, "c", &fdc->c);
	snap_u8(snap, "h", &fdc->h);
	snap_u8(snap, "r", &fdc->r);
	snap_u8(snap, "n", &fdc->n);
	snap_u8(snap, "eot", &fdc->eot);
	snap_u8(snap, "left", &fdc->left);
	snap_bool(snap, "last", &fdc->last);
	snap_u16(snap, "at", &fdc->at);
	snap_u16(snap, "size", &fdc->size);
	snap_bytes(snap, "buffer", fdc->buffer, sizeof fdc->buffer);
	fdc->unit &= 3;
	fdc->head &= 1;
}

static bool phase_fits(const struct i82077 *fdc)
{
	switch (fdc->phase) {
	case FDC_COMMAND:
		return !fdc->command_at || (fdc->command_length <= sizeof fdc->command && fdc->command_at < fdc->command_length);
	case FDC_EXECUTION:
		return fdc->size <= sizeof fdc->buffer && fdc->at < fdc->size;
	case FDC_RESULT:
		return fdc->result_length <= sizeof fdc->result && fdc->result_at < fdc->result_length;
	default:
		return false;
	}
}

static void state_drive(struct i82077_drive *drive, struct snap *snap)
{
	bool has_medium = drive->blk;

	snap_bool(snap, "has_medium", &has_medium);
	if (has_medium != (drive->blk != NULL)) {
		snap_fail(snap, "the machine has other floppy disks than the saved one");
		return;
	}
	snap_bool(snap, "present", &drive->present);
	snap_bool(snap, "changed", &drive->changed);
	snap_u8(snap, "track", &drive->track);
	snap_u8(snap, "next_id", &drive->next_id);
	snap_bytes(snap, "deleted", drive->deleted, sizeof drive->deleted);
	if (drive->blk)
		blk_state(drive->blk, snap);
}

void i82077_state(struct i82077 *fdc, struct snap *snap)
{
	snap_section(snap, "i82077", 1);
	state_registers(fdc, snap);
	state_interrupt(fdc, snap);
	state_command(fdc, snap);
	state_transfer(fdc, snap);
	if (!phase_fits(fdc)) {
		snap_fail(snap, "the state of the floppy controller contradicts itself");
		fdc->phase = FDC_COMMAND;
		fdc->command_at = 0;
	}
	for (unsigned i = 0; i < I82077_DRIVES; i++)
		state_drive(&fdc->drive[i], snap);
	if (snap_is_loading(snap))
		i82077_set_irq(fdc, fdc->irq);
}
