/* What the files of i82077.c share among themselves. Names as in the data sheet,
 * tables 2-x (registers), 5-x (commands) and 6-x (status registers). */
#ifndef V2E_DEVMODEL_I82077_PRIVATE_H
#define V2E_DEVMODEL_I82077_PRIVATE_H

#include "devmodel/i82077.h"
#include "devmodel/i8237.h"

#define I82077_UNITS       4u   /* that the chip can address */
#define I82077_DMA_CHANNEL 2u
#define I82077_MAX_SECTORS 5760u

#define DOR_NOT_RESET 0x04u
#define DOR_DMA_GATE  0x08u

#define ST0_ABNORMAL  0x40u
#define ST0_SEEK_END  0x20u
#define ST0_EQUIPMENT 0x10u
#define ST1_END_OF_CYLINDER 0x80u
#define ST1_DATA_ERROR      0x20u
#define ST1_NO_DATA         0x04u
#define ST1_NOT_WRITABLE    0x02u
#define ST1_MISSING_ADDRESS 0x01u
#define ST2_CONTROL_MARK    0x40u
#define ST2_DATA_ERROR      0x20u
#define ST2_WRONG_CYLINDER  0x10u
#define ST2_SCAN_HIT        0x08u
#define ST2_SCAN_NOT        0x04u

#define CONFIGURE_EIS   0x40u
#define CONFIGURE_EFIFO 0x20u
#define CONFIGURE_POLL  0x10u /* set: polling is off */

/* Byte 0 of a command, without MT, MFM and SK. */
enum i82077_command {
	CMD_READ_TRACK = 0x02, CMD_SPECIFY = 0x03, CMD_SENSE_DRIVE = 0x04, CMD_WRITE = 0x05,
	CMD_READ = 0x06, CMD_RECALIBRATE = 0x07, CMD_SENSE_INTERRUPT = 0x08, CMD_WRITE_DELETED = 0x09,
	CMD_READ_ID = 0x0a, CMD_READ_DELETED = 0x0c, CMD_FORMAT = 0x0d, CMD_DUMPREG = 0x0e, CMD_SEEK = 0x0f,
	CMD_VERSION = 0x10, CMD_SCAN_EQUAL = 0x11, CMD_PERPENDICULAR = 0x12, CMD_CONFIGURE = 0x13,
	CMD_LOCK = 0x14, CMD_VERIFY = 0x16, CMD_SCAN_LOW = 0x19, CMD_SCAN_HIGH = 0x1d,
};
#define CMD_MASK 0x1fu
#define CMD_MT   0x80u
#define CMD_MFM  0x40u
#define CMD_SK   0x20u

enum i82077_phase { FDC_COMMAND, FDC_EXECUTION, FDC_RESULT, FDC_PHASES };

/* What the delay timer brings. */
#define FDC_DUE_IRQ   0x01u /* result, or data without DMA */
#define FDC_DUE_RESET 0x02u
#define FDC_DUE_SEEK  0x04u

struct i82077_format {
	uint16_t total;
	uint8_t cylinders, heads, sectors;
	uint8_t rates;     /* bit n: data rate select n reads it */
	uint8_t cmos_type;
};

struct i82077_drive {
	struct blk *blk;
	const struct i82077_format *format; /* while there is a disk */
	bool present;      /* the drive itself */
	bool changed;      /* DSKCHG */
	uint8_t track;     /* PCN */
	uint8_t next_id;   /* sector before the one that READ ID finds */
	uint8_t deleted[I82077_MAX_SECTORS / 8]; /* sectors with a deleted mark: images know none */
};

struct i82077 {
	struct bus *bus;
	struct i8237 *dma;
	struct irq_line irq6;
	struct clock *clock;
	struct clock_timer *delay;
	uint8_t due;       /* FDC_DUE_* */
	bool irq;          /* INT, before the DMA gate */

	uint8_t dor, tdr, dsr, rate;
	uint8_t srt_hut, hlt_nd, configure, pretrk, perpendicular;
	bool lock;

	uint8_t phase;     /* enum i82077_phase */
	uint8_t command[9], command_length, command_at;
	uint8_t result[10], result_length, result_at;
	bool result_has_irq;

	uint8_t seeking;   /* bit a unit, until the interrupt is sensed */
	uint8_t sense;     /* bit a unit: sense_st0 waits */
	bool sense_reset;  /* they are those of a reset */
	uint8_t sense_st0[I82077_UNITS];

	/* data commands */
	uint8_t unit, head, st0, st1, st2;
	uint8_t c, h, r, n, eot;
	uint8_t left;      /* sectors: FORMAT TRACK, VERIFY with EC, READ TRACK */
	bool last;         /* the command ends with this sector */
	uint16_t at, size; /* in buffer */
	uint8_t buffer[BLK_SECTOR_SIZE];

	struct i82077_drive drive[I82077_DRIVES];
};

/* i82077.c */
/* Something that needs an interrupt will have happened in a moment: FDC_DUE_*. */
void i82077_raise(struct i82077 *fdc, unsigned due);
void i82077_set_irq(struct i82077 *fdc, bool level);
/* `length` bytes of result are there; 0: back to the command phase. An interrupt
 * of the result ends when its first byte is read. */
void i82077_give_result(struct i82077 *fdc, unsigned length, bool has_irq);
/* NULL when no such drive is connected. */
struct i82077_drive *i82077_drive_of(struct i82077 *fdc, unsigned unit);

/* i82077_commands.c */
/* Bytes of the command that begins with `first`. */
unsigned i82077_command_length(uint8_t first);
void i82077_run_command(struct i82077 *fdc);
/* The head moves, and the disk change line learns of it. */
void i82077_move_head(struct i82077_drive *drive, unsigned track);

/* i82077_transfer.c */
void i82077_read_id(struct i82077 *fdc);
void i82077_format_track(struct i82077 *fdc);
void i82077_transfer(struct i82077 *fdc); /* the data commands */
bool i82077_is_to_host(const struct i82077 *fdc);
/* The execution phase moves data without DMA (SPECIFY, ND). */
bool i82077_is_pio(const struct i82077 *fdc);
/* Goes on with DMA if that is possible now. */
void i82077_run_dma(struct i82077 *fdc);
/* One byte of the execution phase without DMA. */
uint8_t i82077_pio_read(struct i82077 *fdc);
void i82077_pio_write(struct i82077 *fdc, uint8_t value);

/* i82077_media.c */
bool i82077_is_deleted(const struct i82077_drive *drive, uint32_t sector);
void i82077_set_deleted(struct i82077_drive *drive, uint32_t sector, bool deleted);

#endif
