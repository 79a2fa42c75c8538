/* Registers, selection, interrupts and the data port; what a drive does with a
 * command is in ide_ata.c and ide_atapi.c. */
#include "devmodel/ide_private.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "shared/log.h"

#define INTERRUPT_DELAY_NS 2000u
#define FLOATING           0x7fu /* nobody drives the bus, DD7 is pulled down */

#define COMMAND_DEVICE_RESET 0x08
#define COMMAND_DIAGNOSTIC   0x90

static struct ide_drive *selected(struct ide_channel *channel)
{
	return &channel->drive[channel->selected];
}

/* --- interrupts --- */

void ide_update_irq(struct ide_channel *channel)
{
	bool masked = channel->control & (IDE_CONTROL_NIEN | IDE_CONTROL_SRST);
	bool wanted = !masked && selected(channel)->intrq;

	if (wanted && !channel->level) {
		if (clock_timer_deadline(channel->delay) == CLOCK_NEVER)
			clock_timer_set(channel->delay, clock_now(channel->ide->clock) + INTERRUPT_DELAY_NS);
	} else if (!wanted) {
		clock_timer_stop(channel->delay);
		if (channel->level)
			irq_set(&channel->irq, channel->level = false);
	}
}

static void delay_over(void *owner)
{
	struct ide_channel *channel = owner;

	channel->level = true;
	channel->bmdma.status |= 0x04; /* interrupt: latches the rising edge */
	irq_set(&channel->irq, true);
}

void ide_raise(struct ide_drive *drive)
{
	drive->intrq = true;
	ide_update_irq(drive->channel);
}

/* --- commands and their data --- */

static void clear_data(struct ide_drive *drive)
{
	drive->phase = IDE_PHASE_NONE;
	drive->dma = false;
	drive->at = drive->block_end = drive->end = 0;
}

void ide_end_data(struct ide_drive *drive)
{
	clear_data(drive);
	drive->status = IDE_STATUS_READY;
}

void ide_finish(struct ide_drive *drive)
{
	ide_end_data(drive);
	ide_raise(drive);
}

void ide_fail(struct ide_drive *drive, uint8_t error)
{
	clear_data(drive);
	drive->error = error;
	drive->status = IDE_STATUS_READY | IDE_STATUS_ERR;
	ide_raise(drive);
}

void ide_begin_data(struct ide_drive *drive, enum ide_phase phase, uint32_t bytes)
{
	drive->phase = (uint8_t)phase;
	drive->at = 0;
	drive->block_end = drive->end = bytes;
	drive->status = IDE_STATUS_READY | IDE_STATUS_DRQ;
}

bool ide_phase_is_to_host(const struct ide_drive *drive)
{
	switch (drive->phase) {
	case IDE_PHASE_REPLY:
	case IDE_PHASE_READ:
	case IDE_PHASE_PACKET_REPLY:
	case IDE_PHASE_PACKET_READ:
		return true;
	default:
		return false;
	}
}

void ide_next_data(struct ide_drive *drive)
{
	switch (drive->phase) {
	case IDE_PHASE_REPLY:
		ide_end_data(drive);
		break;
	case IDE_PHASE_READ:
	case IDE_PHASE_WRITE:
	case IDE_PHASE_BUFFER:
		ide_ata_next(drive);
		break;
	default:
		ide_atapi_next(drive);
	}
}

void ide_put_signature(struct ide_drive *drive)
{
	bool packet = drive->kind == IDE_CDROM;

	drive->reg[IDE_COUNT] = drive->reg[IDE_LBA_LOW] = 1;
	drive->reg[IDE_LBA_MID] = packet ? 0x14 : 0;
	drive->reg[IDE_LBA_HIGH] = packet ? 0xeb : 0;
	drive->reg[IDE_DEVICE] &= (uint8_t)~(IDE_DEVICE_HEAD | IDE_DEVICE_LBA);
}

/* After a reset or a diagnosis: all is well, and a packet device is not ready
 * before its first packet command. */
static void become_idle(struct ide_drive *drive)
{
	clear_data(drive);
	drive->intrq = false;
	drive->error = 0x01;
	drive->status = drive->kind == IDE_DISK ? IDE_STATUS_READY : 0;
	drive->disk.asleep = false;
	ide_put_signature(drive);
}

static void diagnose(struct ide_channel *channel)
{
	for (unsigned i = 0; i < IDE_DRIVES; i++) {
		become_idle(&channel->drive[i]);
		channel->drive[i].reg[IDE_DEVICE] = 0;
	}
	channel->selected = 0;
	if (channel->drive[0].kind != IDE_NONE)
		ide_raise(&channel->drive[0]);
	ide_update_irq(channel);
}

static void run_command(struct ide_channel *channel, uint8_t command)
{
	struct ide_drive *drive = selected(channel);

	if (command == COMMAND_DIAGNOSTIC) {
		diagnose(channel);
		return;
	}
	if (drive->kind == IDE_NONE || (drive->disk.asleep && command != COMMAND_DEVICE_RESET)) {
		guest_error("ide", "command %02x to a drive that does not answer", command);
		return;
	}
	drive->intrq = false;
	drive->error = 0;
	clear_data(drive);
	if (command == COMMAND_DEVICE_RESET && drive->kind == IDE_CDROM)
		become_idle(drive);
	else if (drive->kind == IDE_DISK)
		ide_ata_command(drive, command);
	else
		ide_atapi_command(drive, command);
	ide_update_irq(channel);
	ide_bmdma_run(channel);
}

/* --- the data port --- */

static bool pio_ready(const struct ide_drive *drive, bool to_host)
{
	return drive->phase != IDE_PHASE_NONE && (!drive->dma || drive->phase == IDE_PHASE_PACKET) &&
	       ide_phase_is_to_host(drive) == to_host;
}

/* Moves up to `count` items within DRQ blocks. An item that would span two is
 * left to word accesses. */
static size_t move(struct ide_channel *channel, unsigned size, uint8_t *to, const uint8_t *from, size_t count)
{
	struct ide_drive *drive = selected(channel);
	size_t moved = 0;

	while (moved < count && pio_ready(drive, to != NULL)) {
		size_t items = MIN(count - moved, (drive->block_end - drive->at) / size);
		if (!items)
			break;
		if (to)
			memcpy(to + moved * size, drive->buffer + drive->at, items * size);
		else
			memcpy(drive->buffer + drive->at, from + moved * size, items * size);
		moved += items;
		drive->at += (uint32_t)(items * size);
		if (drive->at == drive->block_end)
			ide_next_data(drive);
	}
	ide_bmdma_run(channel); /* a packet may have asked for DMA */
	return moved;
}

static uint16_t data_read_word(struct ide_channel *channel)
{
	uint8_t bytes[2] = { FLOATING, 0xff };

	move(channel, 2, bytes, NULL, 1);
	return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static void data_write_word(struct ide_channel *channel, uint16_t value)
{
	uint8_t bytes[2] = { (uint8_t)value, (uint8_t)(value >> 8) };

	move(channel, 2, NULL, bytes, 1);
}

/* --- the other registers --- */

static bool nobody_there(const struct ide_channel *channel)
{
	/* Drive 0 answers for an absent drive 1, but not the other way round. */
	return channel->drive[channel->selected].kind == IDE_NONE && channel->drive[0].kind == IDE_NONE;
}

static uint8_t read_status(struct ide_channel *channel)
{
	struct ide_drive *drive = selected(channel);

	if (nobody_there(channel))
		return FLOATING;
	if (drive->kind == IDE_NONE)
		return 0;
	return channel->control & IDE_CONTROL_SRST ? IDE_STATUS_BSY : drive->status;
}

static uint8_t register_read(struct ide_channel *channel, unsigned reg)
{
	struct ide_drive *drive = selected(channel);

	if (reg == IDE_COMMAND) {
		drive->intrq = false;
		ide_update_irq(channel);
		return read_status(channel);
	}
	if (nobody_there(channel))
		return FLOATING;
	if (drive->kind == IDE_NONE)
		drive = &channel->drive[0];
	if (reg == IDE_FEATURES)
		return drive->error;
	return channel->control & IDE_CONTROL_HOB && reg != IDE_DEVICE ? drive->hob[reg] : drive->reg[reg];
}

static void register_write(struct ide_channel *channel, unsigned reg, uint8_t value)
{
	channel->control &= (uint8_t)~IDE_CONTROL_HOB;
	if (channel->control & IDE_CONTROL_SRST)
		return;
	if (reg == IDE_COMMAND) {
		run_command(channel, value);
		return;
	}
	/* Both drives listen. */
	for (unsigned i = 0; i < IDE_DRIVES; i++) {
		channel->drive[i].hob[reg] = channel->drive[i].reg[reg];
		channel->drive[i].reg[reg] = value;
	}
	if (reg == IDE_DEVICE) {
		channel->selected = value & IDE_DEVICE_DEV ? 1 : 0;
		ide_update_irq(channel);
	}
}

static void soft_reset(struct ide_channel *channel)
{
	for (unsigned i = 0; i < IDE_DRIVES; i++) {
		struct ide_drive *drive = &channel->drive[i];
		become_idle(drive);
		drive->reg[IDE_DEVICE] = 0;
		if (!drive->disk.keep_settings)
			ide_ata_reset(drive);
	}
	channel->selected = 0;
}

static void control_write(struct ide_channel *channel, uint8_t value)
{
	bool reset_moved = (channel->control ^ value) & IDE_CONTROL_SRST;

	channel->control = value & (IDE_CONTROL_NIEN | IDE_CONTROL_SRST | IDE_CONTROL_HOB);
	if (reset_moved) /* while the bit is set read_status() tells BSY */
		soft_reset(channel);
	ide_update_irq(channel);
}

/* --- ports --- */

static uint32_t command_read(void *owner, uint16_t port, unsigned size)
{
	struct ide_channel *channel = owner;
	unsigned reg = (unsigned)(port - channel->base);
	uint32_t value = 0;

	if (reg == IDE_DATA) {
		value = data_read_word(channel);
		if (size == 4)
			value |= (uint32_t)data_read_word(channel) << 16;
		return size == 1 ? value & 0xff : value;
	}
	for (unsigned i = 0; i < size; i++)
		value |= (reg + i < IDE_REGISTERS ? register_read(channel, reg + i) : 0xffu) << 8 * i;
	return value;
}

static void command_write(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	struct ide_channel *channel = owner;
	unsigned reg = (unsigned)(port - channel->base);

	if (reg == IDE_DATA) {
		data_write_word(channel, (uint16_t)value);
		if (size == 4)
			data_write_word(channel, (uint16_t)(value >> 16));
		return;
	}
	for (unsigned i = 0; i < size && reg + i < IDE_REGISTERS; i++)
		register_write(channel, reg + i, (uint8_t)(value >> 8 * i));
}

static size_t command_read_many(void *owner, uint16_t port, unsigned size, void *to, size_t count)
{
	struct ide_channel *channel = owner;

	return port == channel->base && size > 1 ? move(channel, size, to, NULL, count) : 0;
}

static size_t command_write_many(void *owner, uint16_t port, unsigned size, const void *from, size_t count)
{
	struct ide_channel *channel = owner;

	return port == channel->base && size > 1 ? move(channel, size, NULL, from, count) : 0;
}

static const struct bus_ops command_ops = {
	.name = "ide command",
	.max_size = 4,
	.read = command_read,
	.write = command_write,
	.read_many = command_read_many,
	.write_many = command_write_many,
};

static uint32_t alternate_read(void *owner, uint16_t port, unsigned size)
{
	(void)port, (void)size;
	return read_status(owner);
}

static void alternate_write(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	(void)port, (void)size;
	control_write(owner, (uint8_t)value);
}

static const struct bus_ops control_ops = {
	.name = "ide control",
	.max_size = 1,
	.read = alternate_read,
	.write = alternate_write,
};

void ide_set_channel_enabled(struct ide *ide, unsigned number, bool enabled)
{
	struct ide_channel *channel = &ide->channel[number];

	if (enabled == channel->enabled)
		return;
	channel->enabled = enabled;
	bus_release(ide->bus, &command_ops, channel);
	bus_release(ide->bus, &control_ops, channel);
	if (enabled && (bus_claim(ide->bus, channel->base, channel->base + 7, &command_ops, channel) ||
	                bus_claim(ide->bus, channel->control_port, channel->control_port, &control_ops, channel)))
		log_error("ide: the bus has no room for channel %u", number);
}

void ide_set_bmdma_base(struct ide *ide, uint16_t base)
{
	base &= 0xfff0;
	if (base == ide->bmdma_base)
		return;
	bus_release(ide->bus, &ide_bmdma_ops, ide);
	ide->bmdma_base = base;
	if (base && bus_claim(ide->bus, base, base + 15, &ide_bmdma_ops, ide))
		log_error("ide: the bus has no room for the bus master");
}

/* --- drives --- */

static struct ide_drive *attach(struct ide *ide, unsigned channel, unsigned number, enum ide_kind kind, struct blk *blk)
{
	struct ide_drive *drive = &ide->channel[channel].drive[number];

	blk_free(drive->blk);
	drive->kind = kind;
	drive->blk = blk;
	return drive;
}

static void reset_drive(struct ide_drive *drive)
{
	memset(drive->reg, 0, sizeof drive->reg);
	memset(drive->hob, 0, sizeof drive->hob);
	become_idle(drive);
	drive->disk.keep_settings = false;
	ide_ata_reset(drive);
	ide_atapi_reset(drive);
}

void ide_attach_disk(struct ide *ide, unsigned channel, unsigned number, struct blk *blk)
{
	struct ide_drive *drive = attach(ide, channel, number, IDE_DISK, blk);

	drive->disk.native = ide_guess_geometry(blk);
	reset_drive(drive);
}

void ide_attach_cdrom(struct ide *ide, unsigned channel, unsigned number, struct blk *blk)
{
	reset_drive(attach(ide, channel, number, IDE_CDROM, blk));
}

int ide_change_cdrom(struct ide *ide, unsigned channel, unsigned number, struct blk *blk, bool force)
{
	struct ide_drive *drive = &ide->channel[channel].drive[number];

	if (drive->kind != IDE_CDROM)
		return -ENODEV;
	if (drive->cd.locked && ide_cd_has_disc(drive) && !force)
		return -EBUSY;
	blk_free(drive->blk);
	drive->blk = blk;
	ide_atapi_changed(drive);
	return 0;
}

bool ide_disk_geometry(const struct ide *ide, unsigned channel, unsigned number, struct ide_geometry *geometry)
{
	const struct ide_drive *drive = &ide->channel[channel].drive[number];

	if (drive->kind == IDE_DISK)
		*geometry = drive->disk.native;
	return drive->kind == IDE_DISK;
}

/* --- life --- */

static void channel_new(struct ide *ide, unsigned number, uint16_t base, struct irq_line irq)
{
	struct ide_channel *channel = &ide->channel[number];

	channel->ide = ide;
	channel->base = base;
	channel->control_port = (uint16_t)(base + 0x206);
	channel->irq = irq;
	channel->delay = clock_timer_new(ide->clock, delay_over, channel);
	for (unsigned i = 0; i < IDE_DRIVES; i++) {
		channel->drive[i].channel = channel;
		reset_drive(&channel->drive[i]);
	}
	ide_set_channel_enabled(ide, number, true);
}

struct ide *ide_new(struct bus *bus, struct mem *mem, struct irq_line irq14, struct irq_line irq15, struct clock *clock)
{
	struct ide *ide = g_new0(struct ide, 1);

	ide->bus = bus;
	ide->mem = mem;
	ide->clock = clock;
	channel_new(ide, 0, 0x1f0, irq14);
	channel_new(ide, 1, 0x170, irq15);
	return ide;
}

void ide_free(struct ide *ide)
{
	if (!ide)
		return;
	ide_set_bmdma_base(ide, 0);
	for (unsigned c = 0; c < IDE_CHANNELS; c++) {
		ide_set_channel_enabled(ide, c, false);
		clock_timer_free(ide->channel[c].delay);
		for (unsigned i = 0; i < IDE_DRIVES; i++)
			blk_free(ide->channel[c].drive[i].blk);
	}
	g_free(ide);
}

void ide_reset(struct ide *ide)
{
	for (unsigned c = 0; c < IDE_CHANNELS; c++) {
		struct ide_channel *channel = &ide->channel[c];
		channel->control = 0;
		channel->selected = 0;
		channel->bmdma = (struct ide_bmdma){ 0 };
		for (unsigned i = 0; i < IDE_DRIVES; i++)
			reset_drive(&channel->drive[i]);
		ide_update_irq(channel);
	}
}
