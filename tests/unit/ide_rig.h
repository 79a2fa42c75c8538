/* An IDE controller with its drives' media in memory, driven through the ports
 * as a guest would. Channel 0 unless told otherwise; drive 0 is selected. */
#ifndef V2E_TESTS_UNIT_IDE_RIG_H
#define V2E_TESTS_UNIT_IDE_RIG_H

#include <check.h>

#include "devmodel/ide.h"

#define RIG_RAM     (1u << 20)
#define RIG_BMDMA   0xc000u
#define RIG_SECTORS 5000u /* of the disk */
#define RIG_BLOCKS  400u  /* of the disc */

enum { RIG_DATA = 0x1f0, RIG_ERROR, RIG_COUNT, RIG_LOW, RIG_MID, RIG_HIGH, RIG_DEVICE, RIG_COMMAND, RIG_CONTROL = 0x3f6 };

struct ide_rig {
	struct bus *bus;
	struct mem *mem;
	struct clock *clock;
	struct ide *ide;
	struct blk *disk;   /* channel 0, drive 0 */
	struct blk *disc;   /* channel 0, drive 1: CD-ROM */
	unsigned level[2], edges[2]; /* IRQ 14, 15 */
};

/* Byte `i` of sector n: n * 7 + i / 2 (low byte). Blocks of the disc likewise, by
 * sectors of 512. The interrupts of power-on are over. */
void ide_rig_open(struct ide_rig *rig);
void ide_rig_close(struct ide_rig *rig);
uint8_t ide_rig_byte(uint64_t sector, unsigned i);

void ide_rig_out(struct ide_rig *rig, uint16_t port, unsigned value);
uint8_t ide_rig_in(struct ide_rig *rig, uint16_t port);
/* Lets the interrupt delay pass. */
void ide_rig_wait(struct ide_rig *rig);
/* Waits; there must have been exactly one edge since, and status is read. */
uint8_t ide_rig_irq(struct ide_rig *rig);
/* Waits; there must have been none. */
void ide_rig_no_irq(struct ide_rig *rig);
/* LBA28 registers, device, then the command. */
void ide_rig_command(struct ide_rig *rig, unsigned command, uint32_t lba, unsigned count);
/* LBA48 likewise. */
void ide_rig_command_ext(struct ide_rig *rig, unsigned command, uint64_t lba, unsigned count);
/* `count` words by REP INSW / OUTSW. */
void ide_rig_read_words(struct ide_rig *rig, void *to, unsigned count);
void ide_rig_write_words(struct ide_rig *rig, const void *from, unsigned count);
/* Reads 512 bytes and compares them with sector n. */
void ide_rig_expect_sector(struct ide_rig *rig, uint64_t sector);

/* Saves, and loads into a second controller of the same build, which replaces
 * the first one. */
void ide_rig_move(struct ide_rig *rig);

#endif
