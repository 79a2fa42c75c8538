/* Bus master of the PIIX3: 8 registers a channel (SFF-8038i, PIIX3 data sheet
 * 2.7). Physical region descriptors are read as the transfer reaches them. */
#include "devmodel/ide_private.h"

#include <glib.h>

#include "shared/log.h"

#define COMMAND_START     0x01u
#define COMMAND_TO_MEMORY 0x08u

#define STATUS_ACTIVE    0x01u
#define STATUS_ERROR     0x02u
#define STATUS_INTERRUPT 0x04u
#define STATUS_CAPABLE   0x60u /* of DMA, drives 0 and 1: software's notes */

#define DESCRIPTOR_SIZE 8u
#define DESCRIPTOR_EOT  0x80000000u

static void stop_with_error(struct ide_bmdma *bmdma, const char *why)
{
	guest_error("ide bus master", "%s", why);
	bmdma->status &= (uint8_t)~STATUS_ACTIVE;
	bmdma->status |= STATUS_ERROR;
}

/* Makes left > 0, or stops. The table's end with the drive still wanting more
 * ends the bus master silently: neither error nor interrupt (SFF-8038i 3.1). */
static bool fetch_region(struct ide *ide, struct ide_bmdma *bmdma)
{
	uint8_t bytes[DESCRIPTOR_SIZE];
	uint32_t word[2];

	if (bmdma->left)
		return true;
	if (bmdma->last) {
		bmdma->status &= (uint8_t)~STATUS_ACTIVE;
		return false;
	}
	if (mem_read_bytes(ide->mem, bmdma->next, bytes, sizeof bytes) != sizeof bytes) {
		stop_with_error(bmdma, "descriptor table is not in memory");
		return false;
	}
	for (unsigned i = 0; i < 2; i++)
		word[i] = bytes[4 * i] | bytes[4 * i + 1] << 8 | bytes[4 * i + 2] << 16 | (uint32_t)bytes[4 * i + 3] << 24;
	bmdma->next += DESCRIPTOR_SIZE;
	bmdma->address = word[0] & ~1u;
	bmdma->left = word[1] & 0xfffe;
	if (!bmdma->left)
		bmdma->left = 0x10000;
	bmdma->last = word[1] & DESCRIPTOR_EOT;
	return true;
}

/* Video memory and the like are not plain memory, but PCI reaches them. */
static void write_memory(struct mem *mem, uint32_t address, const uint8_t *from, uint32_t size)
{
	if (mem_is_ram(mem, address, size, true)) {
		mem_write_bytes(mem, address, from, size);
		return;
	}
	for (uint32_t i = 0; i < size; i += 2)
		mem_write(mem, (uint64_t)address + i, 2, (uint64_t)(from[i] | from[i + 1] << 8));
}

static void read_memory(struct mem *mem, uint32_t address, uint8_t *to, uint32_t size)
{
	if (mem_is_ram(mem, address, size, false)) {
		mem_read_bytes(mem, address, to, size);
		return;
	}
	for (uint32_t i = 0; i < size; i += 2) {
		uint64_t word = mem_read(mem, (uint64_t)address + i, 2);
		to[i] = (uint8_t)word;
		to[i + 1] = (uint8_t)(word >> 8);
	}
}

static void move_region(struct ide_channel *channel, struct ide_drive *drive)
{
	struct ide_bmdma *bmdma = &channel->bmdma;
	uint32_t size = MIN(bmdma->left, drive->block_end - drive->at);
	uint8_t *bytes = drive->buffer + drive->at;

	if (ide_phase_is_to_host(drive))
		write_memory(channel->ide->mem, bmdma->address, bytes, size);
	else
		read_memory(channel->ide->mem, bmdma->address, bytes, size);
	bmdma->address += size;
	bmdma->left -= size;
	drive->at += size;
	if (!bmdma->left && bmdma->last)
		bmdma->status &= (uint8_t)~STATUS_ACTIVE;
	if (drive->at == drive->block_end)
		ide_next_data(drive);
}

static bool drive_is_ready(const struct ide_drive *drive)
{
	return drive->dma && drive->phase != IDE_PHASE_NONE && drive->phase != IDE_PHASE_PACKET;
}

void ide_bmdma_run(struct ide_channel *channel)
{
	struct ide_bmdma *bmdma = &channel->bmdma;
	struct ide_drive *drive = &channel->drive[channel->selected];

	while (bmdma->status & STATUS_ACTIVE && drive_is_ready(drive)) {
		if (ide_phase_is_to_host(drive) != !!(bmdma->command & COMMAND_TO_MEMORY))
			stop_with_error(bmdma, "direction differs from the drive's");
		else if (fetch_region(channel->ide, bmdma))
			move_region(channel, drive);
	}
}

static void write_command(struct ide_channel *channel, uint8_t value)
{
	struct ide_bmdma *bmdma = &channel->bmdma;
	bool starts = value & ~bmdma->command & COMMAND_START;

	bmdma->command = value & (COMMAND_START | COMMAND_TO_MEMORY);
	if (!(value & COMMAND_START)) {
		bmdma->status &= (uint8_t)~STATUS_ACTIVE;
	} else if (starts) {
		bmdma->next = bmdma->table;
		bmdma->left = 0;
		bmdma->last = false;
		bmdma->status |= STATUS_ACTIVE;
		ide_bmdma_run(channel);
	}
}

static void write_status(struct ide_bmdma *bmdma, uint8_t value)
{
	uint8_t cleared = value & (STATUS_ERROR | STATUS_INTERRUPT);

	bmdma->status = (uint8_t)((bmdma->status & ~STATUS_CAPABLE & ~cleared) | (value & STATUS_CAPABLE));
}

static uint8_t read_byte(const struct ide_bmdma *bmdma, unsigned reg)
{
	switch (reg) {
	case 0:
		return bmdma->command;
	case 2:
		return bmdma->status;
	case 1:
	case 3:
		return 0;
	default:
		return (uint8_t)(bmdma->table >> 8 * (reg - 4));
	}
}

static void write_byte(struct ide_channel *channel, unsigned reg, uint8_t value)
{
	struct ide_bmdma *bmdma = &channel->bmdma;

	if (reg == 0)
		write_command(channel, value);
	else if (reg == 2)
		write_status(bmdma, value);
	else if (reg >= 4)
		bmdma->table = ((bmdma->table & ~(0xffu << 8 * (reg - 4))) | (uint32_t)value << 8 * (reg - 4)) & ~3u;
}

static uint32_t bmdma_read(void *owner, uint16_t port, unsigned size)
{
	struct ide *ide = owner;
	uint32_t value = 0;

	for (unsigned i = 0; i < size; i++) {
		unsigned offset = (port + i) & 15;
		value |= (uint32_t)read_byte(&ide->channel[offset / 8].bmdma, offset % 8) << 8 * i;
	}
	return value;
}

static void bmdma_write(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	struct ide *ide = owner;

	for (unsigned i = 0; i < size; i++) {
		unsigned offset = (port + i) & 15;
		write_byte(&ide->channel[offset / 8], offset % 8, (uint8_t)(value >> 8 * i));
	}
}

const struct bus_ops ide_bmdma_ops = {
	.name = "ide bus master",
	.max_size = 4,
	.read = bmdma_read,
	.write = bmdma_write,
};
