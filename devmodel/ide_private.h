/* What the files of ide.c share among themselves. Register and bit names follow
 * ATA/ATAPI-6 (T13 1410D), clause 7, and SFF-8038i. */
#ifndef V2E_DEVMODEL_IDE_PRIVATE_H
#define V2E_DEVMODEL_IDE_PRIVATE_H

#include "devmodel/ide.h"

/* Command block, offset from 1F0. FEATURES reads as error, COMMAND as status. */
enum ide_register {
	IDE_DATA, IDE_FEATURES, IDE_COUNT, IDE_LBA_LOW, IDE_LBA_MID, IDE_LBA_HIGH, IDE_DEVICE, IDE_COMMAND,
	IDE_REGISTERS,
};

#define IDE_STATUS_ERR  0x01u
#define IDE_STATUS_DRQ  0x08u
#define IDE_STATUS_DSC  0x10u
#define IDE_STATUS_DF   0x20u
#define IDE_STATUS_DRDY 0x40u
#define IDE_STATUS_BSY  0x80u
#define IDE_STATUS_READY (IDE_STATUS_DRDY | IDE_STATUS_DSC)

#define IDE_ERROR_ABRT 0x04u
#define IDE_ERROR_IDNF 0x10u
#define IDE_ERROR_UNC  0x40u

#define IDE_DEVICE_HEAD 0x0fu
#define IDE_DEVICE_DEV  0x10u
#define IDE_DEVICE_LBA  0x40u

#define IDE_CONTROL_NIEN 0x02u
#define IDE_CONTROL_SRST 0x04u
#define IDE_CONTROL_HOB  0x80u

/* Count register of a packet device: interrupt reason. */
#define IDE_REASON_COD 0x01u
#define IDE_REASON_IO  0x02u

#define IDE_BUFFER_SIZE    65536u
#define IDE_BUFFER_SECTORS (IDE_BUFFER_SIZE / BLK_SECTOR_SIZE)
#define IDE_PACKET_SIZE    12u
#define IDE_CD_BLOCK       2048u
#define IDE_CD_SECTORS     (IDE_CD_BLOCK / BLK_SECTOR_SIZE)

enum ide_kind { IDE_NONE, IDE_DISK, IDE_CDROM, IDE_KINDS };

/* What the bytes in a drive's buffer are; IDE_PHASE_NONE: no data is due. */
enum ide_phase {
	IDE_PHASE_NONE,
	IDE_PHASE_REPLY,        /* to the host, and then the command is done */
	IDE_PHASE_READ,         /* to the host, more sectors may follow */
	IDE_PHASE_WRITE,        /* from the host to the medium */
	IDE_PHASE_BUFFER,       /* WRITE BUFFER */
	IDE_PHASE_PACKET,       /* from the host: the command packet */
	IDE_PHASE_PACKET_REPLY, /* to the host */
	IDE_PHASE_PACKET_READ,  /* to the host, more blocks may follow */
	IDE_PHASES,
};

struct ide_disk {
	struct ide_geometry native;
	uint16_t cylinders, heads, sectors; /* INITIALIZE DEVICE PARAMETERS */
	uint8_t multiple;      /* sectors in a block; 0: READ MULTIPLE is off */
	uint8_t transfer_mode; /* as SET FEATURES 03h takes it */
	bool write_cache, look_ahead, keep_settings;
	uint8_t power;         /* as CHECK POWER MODE tells it */
	bool asleep;           /* only a reset wakes it */
	/* the transfer that runs: what is neither in the buffer nor done */
	uint64_t lba;
	uint32_t left, block;
	uint8_t command;
};

struct ide_cd {
	uint8_t sense_key, asc, ascq;
	uint8_t attention;     /* additional sense code of a unit attention, or 0 */
	uint8_t event;         /* media event not yet told, MMC-3 table 100 */
	uint8_t transfer_mode;
	bool locked, tray_open;
	uint32_t limit;        /* bytes in one DRQ block, even */
	/* READ and READ CD: blocks that are not yet in the buffer */
	uint32_t lba, left;
	uint8_t parts;         /* READ CD, byte 9 */
	uint32_t block_size;   /* that they make */
};

struct ide_drive {
	struct ide_channel *channel;
	enum ide_kind kind;
	struct blk *blk;       /* NULL: no drive, or no disc */
	uint8_t reg[IDE_REGISTERS]; /* FEATURES...DEVICE */
	uint8_t hob[IDE_REGISTERS]; /* what was in reg before the last write */
	uint8_t status, error;
	bool intrq;            /* interrupt pending, shows while selected */
	/* data phase: bytes at..block_end make the current DRQ block; both even,
	 * so block_end may be one past an odd end */
	uint8_t phase;         /* enum ide_phase */
	bool dma;
	uint32_t at, block_end, end;
	struct ide_disk disk;
	struct ide_cd cd;
	uint8_t buffer[IDE_BUFFER_SIZE];
};

struct ide_bmdma {
	uint8_t command, status;
	uint32_t table;        /* BMIDTP */
	uint32_t next;         /* the descriptor to fetch next */
	uint32_t address, left; /* the current region's rest */
	bool last;             /* its EOT bit */
};

struct ide_channel {
	struct ide *ide;
	uint16_t base, control_port;
	bool enabled;
	struct irq_line irq;
	bool level;            /* of the irq line */
	struct clock_timer *delay;
	uint8_t control;
	uint8_t selected;
	struct ide_bmdma bmdma;
	struct ide_drive drive[IDE_DRIVES];
};

struct ide {
	struct bus *bus;
	struct mem *mem;
	struct clock *clock;
	uint16_t bmdma_base;
	struct ide_channel channel[IDE_CHANNELS];
};

/* ide.c */
/* Sets the pending interrupt of a drive. */
void ide_raise(struct ide_drive *drive);
/* The line rises when an interrupt is pending, nIEN clear, and the delay over. */
void ide_update_irq(struct ide_channel *channel);
/* Command done; its interrupt came with the last data. */
void ide_end_data(struct ide_drive *drive);
/* Command done; the interrupt is raised. */
void ide_finish(struct ide_drive *drive);
/* Command done with ERR and these bits of the error register. */
void ide_fail(struct ide_drive *drive, uint8_t error);
/* `bytes` (even) of the buffer are due in this phase, all in one DRQ block. */
void ide_begin_data(struct ide_drive *drive, enum ide_phase phase, uint32_t bytes);
/* The DRQ block has been moved: loads the next or ends the command. */
void ide_next_data(struct ide_drive *drive);
bool ide_phase_is_to_host(const struct ide_drive *drive);
/* Registers as after reset, with what tells disk from packet device. */
void ide_put_signature(struct ide_drive *drive);

/* ide_ata.c */
void ide_ata_attach(struct ide_drive *drive);
void ide_ata_reset(struct ide_drive *drive); /* settings as after power-on */
void ide_ata_command(struct ide_drive *drive, uint8_t command);
void ide_ata_next(struct ide_drive *drive);
/* SET FEATURES 03h; false when the mode is unknown. */
bool ide_ata_set_mode(uint8_t *transfer_mode, uint8_t wanted);

/* ide_identify.c */
struct ide_geometry ide_guess_geometry(struct blk *blk);
void ide_identify_disk(struct ide_drive *drive);   /* fills the buffer's 512 bytes */
void ide_identify_packet(struct ide_drive *drive);

/* ide_atapi.c */
void ide_atapi_reset(struct ide_drive *drive);     /* as after power-on */
void ide_atapi_command(struct ide_drive *drive, uint8_t command);
void ide_atapi_next(struct ide_drive *drive);
/* A disc has come (blk) or gone (NULL) from outside. */
void ide_atapi_changed(struct ide_drive *drive);
bool ide_cd_has_disc(const struct ide_drive *drive);
uint32_t ide_cd_blocks(const struct ide_drive *drive); /* 0: no disc */
/* What byte 9 of READ CD makes of a sector; even. */
uint32_t ide_cd_size_of_parts(uint8_t wanted);
/* How a packet command ends: status only, a reply (cut to what the host has room
 * for), blocks from the disc, or a sense key. */
void ide_cd_finish(struct ide_drive *drive);
void ide_cd_reply(struct ide_drive *drive, uint32_t size, uint32_t room);
void ide_cd_read(struct ide_drive *drive, uint32_t lba, uint32_t count, uint8_t parts);
void ide_cd_fail(struct ide_drive *drive, uint8_t sense_key, uint8_t asc, uint8_t ascq);

/* ide_mmc.c: runs the packet that lies at the start of the buffer. */
void ide_mmc_command(struct ide_drive *drive);

/* ide_bmdma.c */
extern const struct bus_ops ide_bmdma_ops; /* owner: struct ide */
/* Moves what drive and bus master both have ready. */
void ide_bmdma_run(struct ide_channel *channel);

#endif
