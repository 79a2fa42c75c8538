/* Intel 82077AA floppy disk controller in AT mode (data sheet 290166) with its
 * drives A and B. DMA channel 2 of the 8237A or programmed I/O (SPECIFY, ND). */
#ifndef V2E_DEVMODEL_I82077_H
#define V2E_DEVMODEL_I82077_H

#include "devmodel/blk.h"
#include "shared/bus.h"
#include "shared/clock.h"
#include "shared/irq.h"
#include "shared/snap.h"

#define I82077_DRIVES 2u

struct i82077;
struct i8237;

/* Claims ports 3F0-3F5 and 3F7. `dma` may be NULL: then only programmed I/O
 * works. Nothing passed in is owned. */
struct i82077 *i82077_new(struct bus *bus, struct i8237 *dma, struct irq_line irq6, struct clock *clock);
/* Flushes and frees the media. NULL is fine. */
void i82077_free(struct i82077 *fdc);
/* The RESET pin. Media stay. */
void i82077_reset(struct i82077 *fdc);
void i82077_state(struct i82077 *fdc, struct snap *snap);

/* Puts a disk into drive 0 or 1 (the old one is freed). The geometry follows from
 * the size: 160K 180K 320K 360K 720K 1.2M 1.44M 1.68M 1.72M 2.88M. On success
 * NULL, and `blk` is taken over; else a static error text and `blk` stays with
 * the caller. A read-only blk is a write-protected disk. */
const char *i82077_insert(struct i82077 *fdc, unsigned drive, struct blk *blk);
/* The drive door opens; the disk change line goes active. */
void i82077_eject(struct i82077 *fdc, unsigned drive);

/* Type of drive that the medium wants, as CMOS register 10h counts them: 1 360K,
 * 2 1.2M, 3 720K, 4 1.44M, 5 2.88M; 0 when the drive is empty. */
unsigned i82077_medium_type(const struct i82077 *fdc, unsigned drive);

#endif
