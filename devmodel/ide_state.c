/* Save, load and dump. What a file says is checked before anything indexes by it. */
#include "devmodel/ide_private.h"

#include <string.h>

static void state_registers(struct ide_drive *drive, struct snap *snap)
{
	snap_bytes(snap, "reg", drive->reg, sizeof drive->reg);
	snap_bytes(snap, "hob", drive->hob, sizeof drive->hob);
	snap_u8(snap, "status", &drive->status);
	snap_u8(snap, "error", &drive->error);
	snap_bool(snap, "intrq", &drive->intrq);
}

static void state_disk(struct ide_disk *disk, struct snap *snap)
{
	/* Not guessed again: the guest may have written another partition table. */
	snap_u16(snap, "native_cylinders", &disk->native.cylinders);
	snap_u16(snap, "native_heads", &disk->native.heads);
	snap_u16(snap, "native_sectors", &disk->native.sectors);
	snap_u16(snap, "cylinders", &disk->cylinders);
	snap_u16(snap, "heads", &disk->heads);
	snap_u16(snap, "sectors", &disk->sectors);
	snap_u8(snap, "multiple", &disk->multiple);
	snap_u8(snap, "transfer_mode", &disk->transfer_mode);
	snap_bool(snap, "write_cache", &disk->write_cache);
	snap_bool(snap, "look_ahead", &disk->look_ahead);
	snap_bool(snap, "keep_settings", &disk->keep_settings);
	snap_u8(snap, "power", &disk->power);
	snap_bool(snap, "asleep", &disk->asleep);
	snap_u64(snap, "lba", &disk->lba);
	snap_u32(snap, "left", &disk->left);
	snap_u32(snap, "block", &disk->block);
	snap_u8(snap, "command", &disk->command);
}

static void state_cd(struct ide_cd *cd, struct snap *snap)
{
	snap_u8(snap, "sense_key", &cd->sense_key);
	snap_u8(snap, "asc", &cd->asc);
	snap_u8(snap, "ascq", &cd->ascq);
	snap_u8(snap, "attention", &cd->attention);
	snap_u8(snap, "event", &cd->event);
	snap_u8(snap, "transfer_mode", &cd->transfer_mode);
	snap_bool(snap, "locked", &cd->locked);
	snap_bool(snap, "tray_open", &cd->tray_open);
	snap_u32(snap, "limit", &cd->limit);
	snap_u32(snap, "lba", &cd->lba);
	snap_u32(snap, "left", &cd->left);
	snap_u8(snap, "parts", &cd->parts);
	snap_u32(snap, "block_size", &cd->block_size);
}

static bool phase_fits(const struct ide_drive *drive)
{
	switch (drive->phase) {
	case IDE_PHASE_NONE:
		return true;
	case IDE_PHASE_REPLY:
		return drive->kind != IDE_NONE;
	case IDE_PHASE_READ:
	case IDE_PHASE_WRITE:
	case IDE_PHASE_BUFFER:
		return drive->kind == IDE_DISK;
	case IDE_PHASE_PACKET:
	case IDE_PHASE_PACKET_REPLY:
	case IDE_PHASE_PACKET_READ:
		return drive->kind == IDE_CDROM;
	default:
		return false;
	}
}

static bool window_fits(const struct ide_drive *drive)
{
	if (drive->phase == IDE_PHASE_NONE)
		return !drive->at && !drive->block_end && !drive->end;
	return drive->end <= IDE_BUFFER_SIZE && drive->block_end <= drive->end + (drive->end & 1) &&
	       drive->at < drive->block_end && !(drive->at & 1) && !(drive->block_end & 1);
}

/* A write must end on whole sectors, whose number tells what goes to the medium. */
static bool disk_fits(const struct ide_drive *drive)
{
	const struct ide_disk *disk = &drive->disk;
	uint64_t total = disk->native.total_sectors;
	uint64_t buffered = drive->phase == IDE_PHASE_WRITE ? drive->end / BLK_SECTOR_SIZE : 0;

	if (drive->kind != IDE_DISK)
		return true;
	return disk->heads && disk->sectors && disk->native.heads && disk->native.sectors && disk->multiple <= 16 &&
	       disk->lba <= total &&
	       disk->left <= total - disk->lba && buffered <= disk->left && disk->block <= IDE_BUFFER_SECTORS &&
	       (disk->block || drive->phase == IDE_PHASE_NONE || !disk->left) &&
	       (drive->phase != IDE_PHASE_WRITE || drive->end % BLK_SECTOR_SIZE == 0);
}

static bool cd_fits(const struct ide_drive *drive)
{
	const struct ide_cd *cd = &drive->cd;
	bool reads = drive->phase == IDE_PHASE_PACKET_REPLY || drive->phase == IDE_PHASE_PACKET_READ;

	if (drive->kind != IDE_CDROM)
		return true;
	if (reads && !drive->dma && (cd->limit < 2 || cd->limit & 1 || cd->limit > 0xfffe))
		return false;
	return drive->phase != IDE_PHASE_PACKET_READ ||
	       (cd->block_size && cd->block_size == ide_cd_size_of_parts(cd->parts));
}

static void state_data(struct ide_drive *drive, struct snap *snap)
{
	snap_u8(snap, "phase", &drive->phase);
	snap_bool(snap, "dma", &drive->dma);
	snap_u32(snap, "at", &drive->at);
	snap_u32(snap, "block_end", &drive->block_end);
	snap_u32(snap, "end", &drive->end);
	if (phase_fits(drive) && window_fits(drive) && disk_fits(drive) && cd_fits(drive)) {
		snap_bytes(snap, "buffer", drive->buffer, drive->block_end > drive->end ? drive->block_end : drive->end);
		return;
	}
	snap_fail(snap, "the state of an IDE drive contradicts itself");
	drive->phase = IDE_PHASE_NONE;
	drive->at = drive->block_end = drive->end = 0;
}

static void state_drive(struct ide_drive *drive, struct snap *snap)
{
	uint8_t kind = (uint8_t)drive->kind;
	bool has_medium = drive->blk;

	snap_u8(snap, "kind", &kind);
	snap_bool(snap, "has_medium", &has_medium);
	if (kind != drive->kind || has_medium != (drive->blk != NULL)) {
		snap_fail(snap, "the machine has other IDE drives than the saved one");
		return;
	}
	state_registers(drive, snap);
	state_disk(&drive->disk, snap);
	state_cd(&drive->cd, snap);
	state_data(drive, snap);
	if (drive->blk)
		blk_state(drive->blk, snap);
}

static void state_bmdma(struct ide_bmdma *bmdma, struct snap *snap)
{
	snap_u8(snap, "bm_command", &bmdma->command);
	snap_u8(snap, "bm_status", &bmdma->status);
	snap_u32(snap, "bm_table", &bmdma->table);
	snap_u32(snap, "bm_next", &bmdma->next);
	snap_u32(snap, "bm_address", &bmdma->address);
	snap_u32(snap, "bm_left", &bmdma->left);
	snap_bool(snap, "bm_last", &bmdma->last);
	bmdma->left &= 0x1fffe;
}

static void state_channel(struct ide_channel *channel, struct snap *snap)
{
	snap_u8(snap, "control", &channel->control);
	snap_u8(snap, "selected", &channel->selected);
	snap_bool(snap, "level", &channel->level);
	snap_timer(snap, "delay", channel->delay);
	state_bmdma(&channel->bmdma, snap);
	if (channel->selected >= IDE_DRIVES) {
		snap_fail(snap, "drive %u is selected", channel->selected);
		channel->selected = 0;
	}
	for (unsigned i = 0; i < IDE_DRIVES; i++)
		state_drive(&channel->drive[i], snap);
	if (snap_is_loading(snap))
		irq_set(&channel->irq, channel->level);
}

void ide_state(struct ide *ide, struct snap *snap)
{
	uint16_t base = ide->bmdma_base;

	snap_section(snap, "ide", 1);
	snap_u16(snap, "bmdma_base", &base);
	ide_set_bmdma_base(ide, base);
	for (unsigned c = 0; c < IDE_CHANNELS; c++) {
		bool enabled = ide->channel[c].enabled;
		snap_bool(snap, "enabled", &enabled);
		ide_set_channel_enabled(ide, c, enabled);
		state_channel(&ide->channel[c], snap);
	}
}
