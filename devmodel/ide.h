/* IDE controller of the PIIX3 (Intel 290550) with its drives: two channels at
 * 1F0/3F6 and 170/376, two drives each, hard disks (ATA/ATAPI-6, T13 1410D) and
 * CD-ROMs (ATAPI, MMC-3), bus master DMA (SFF-8038i). PCI configuration space is
 * another's: it calls ide_set_bmdma_base() and ide_set_channel_enabled().
 *
 * A command is carried out at once; only the interrupt comes a little later (by
 * the clock), because guests forget to expect it while they still write the
 * command register. */
#ifndef V2E_DEVMODEL_IDE_H
#define V2E_DEVMODEL_IDE_H

#include "devmodel/blk.h"
#include "shared/bus.h"
#include "shared/clock.h"
#include "shared/irq.h"
#include "shared/mem.h"
#include "shared/snap.h"

#define IDE_CHANNELS 2u
#define IDE_DRIVES   2u /* on a channel */

struct ide;

/* Both channels are enabled, no drive is attached. Claims the ports. `bus`, `mem`
 * and `clock` must outlive it; they are not owned. */
struct ide *ide_new(struct bus *bus, struct mem *mem, struct irq_line irq14, struct irq_line irq15, struct clock *clock);
/* Gives the ports back, flushes and frees the drives' blk. NULL is fine. */
void ide_free(struct ide *ide);
/* The RESET# pin: drives as after power-on; media, enabled channels and the bus
 * master's base stay, the PCI function sees to them. */
void ide_reset(struct ide *ide);
void ide_state(struct ide *ide, struct snap *snap);

/* Before the machine runs. `channel` and `drive` are 0 or 1; what was attached
 * there is freed. Takes `blk` over. A read-only disk answers writes with an error. */
void ide_attach_disk(struct ide *ide, unsigned channel, unsigned drive, struct blk *blk);
/* `blk` holds the image of the data area, 2,048 bytes a sector; NULL: no disc. */
void ide_attach_cdrom(struct ide *ide, unsigned channel, unsigned drive, struct blk *blk);

/* A disc comes (taken over, the old one is freed) or, with NULL, goes; at any
 * time. Returns 0, -ENODEV when there is no CD-ROM, or -EBUSY when the guest has
 * locked the tray (the caller keeps `blk` in both cases); `force` opens it still. */
int ide_change_cdrom(struct ide *ide, unsigned channel, unsigned drive, struct blk *blk, bool force);

/* Geometry in IDENTIFY words 1, 3, 6, for the CMOS. Returns false when there is
 * no hard disk. */
struct ide_geometry {
	uint16_t cylinders, heads, sectors;
	uint64_t total_sectors;
};
bool ide_disk_geometry(const struct ide *ide, unsigned channel, unsigned drive, struct ide_geometry *geometry);

/* PCI function, BAR4: 16 ports, 8 a channel. base 0: disabled. The low four bits
 * are ignored. */
void ide_set_bmdma_base(struct ide *ide, uint16_t base);
/* PCI function, IDETIM bit 15 (and command register bit 0): do the channel's
 * ports answer? Registers keep their values while they do not. */
void ide_set_channel_enabled(struct ide *ide, unsigned channel, bool enabled);

#endif
