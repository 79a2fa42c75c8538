/* Registers, phases and interrupt of the floppy controller. */
#include "devmodel/i82077_private.h"

#include <glib.h>
#include <string.h>

#include "shared/log.h"

#define DELAY_NS 20000u /* a guest expects no interrupt while it still writes the command */

#define MSR_RQM     0x80u
#define MSR_DIO     0x40u
#define MSR_NON_DMA 0x20u
#define MSR_BUSY    0x10u

#define DSR_RESET   0x80u
#define RATE_MASK   0x03u
#define RATE_250K   0x02u

/* --- interrupt --- */

void i82077_set_irq(struct i82077 *fdc, bool level)
{
	fdc->irq = level;
	irq_set(&fdc->irq6, level && fdc->dor & DOR_DMA_GATE);
}

void i82077_raise(struct i82077 *fdc, unsigned due)
{
	fdc->due |= (uint8_t)due;
	if (clock_timer_deadline(fdc->delay) == CLOCK_NEVER)
		clock_timer_set(fdc->delay, clock_now(fdc->clock) + DELAY_NS);
}

static void withdraw_irq(struct i82077 *fdc)
{
	fdc->due &= (uint8_t)~FDC_DUE_IRQ;
	i82077_set_irq(fdc, false);
	if (fdc->sense && !fdc->sense_reset) /* the end of a seek has not been sensed */
		i82077_raise(fdc, FDC_DUE_SEEK);
}

/* After a reset the chip polls the drives and finds all four changed. */
static void end_reset(struct i82077 *fdc)
{
	for (unsigned unit = 0; unit < I82077_UNITS; unit++)
		fdc->sense_st0[unit] = (uint8_t)(0xc0 | unit);
	fdc->sense = (1u << I82077_UNITS) - 1;
	fdc->sense_reset = true;
}

static void delay_over(void *owner)
{
	struct i82077 *fdc = owner;

	if (fdc->due & FDC_DUE_RESET)
		end_reset(fdc);
	if (fdc->due & FDC_DUE_SEEK)
		fdc->sense |= fdc->seeking;
	fdc->due = 0;
	i82077_set_irq(fdc, true);
}

/* --- reset --- */

static void drop_work(struct i82077 *fdc)
{
	clock_timer_stop(fdc->delay);
	if (fdc->dma)
		i8237_withdraw(fdc->dma, I82077_DMA_CHANNEL);
	fdc->due = 0;
	fdc->phase = FDC_COMMAND;
	fdc->command_at = 0;
	fdc->seeking = fdc->sense = 0;
	i82077_set_irq(fdc, false);
}

/* By DOR or DSR. LOCK protects what CONFIGURE has set (data sheet 5.2.9). */
static void software_reset(struct i82077 *fdc)
{
	drop_work(fdc);
	fdc->perpendicular &= (uint8_t)~0x03u;
	if (!fdc->lock) {
		fdc->configure = CONFIGURE_EFIFO;
		fdc->pretrk = 0;
	}
}

static void leave_reset(struct i82077 *fdc)
{
	if (!(fdc->configure & CONFIGURE_POLL))
		i82077_raise(fdc, FDC_DUE_RESET);
}

void i82077_reset(struct i82077 *fdc)
{
	fdc->dor = fdc->tdr = fdc->dsr = 0;
	fdc->rate = RATE_250K;
	fdc->lock = false;
	fdc->srt_hut = fdc->hlt_nd = fdc->perpendicular = 0;
	software_reset(fdc);
}

/* --- registers --- */

static uint8_t read_msr(const struct i82077 *fdc)
{
	uint8_t busy = fdc->seeking;

	if (!(fdc->dor & DOR_NOT_RESET))
		return 0;
	switch (fdc->phase) {
	case FDC_EXECUTION:
		if (!i82077_is_pio(fdc))
			return busy | MSR_BUSY;
		return (uint8_t)(busy | MSR_BUSY | MSR_NON_DMA | MSR_RQM | (i82077_is_to_host(fdc) ? MSR_DIO : 0));
	case FDC_RESULT:
		return busy | MSR_BUSY | MSR_RQM | MSR_DIO;
	default:
		return (uint8_t)(busy | MSR_RQM | (fdc->command_at ? MSR_BUSY : 0));
	}
}

static uint8_t read_fifo(struct i82077 *fdc)
{
	if (fdc->phase == FDC_EXECUTION && i82077_is_pio(fdc) && i82077_is_to_host(fdc)) {
		withdraw_irq(fdc);
		return i82077_pio_read(fdc);
	}
	if (fdc->phase != FDC_RESULT) {
		guest_error("i82077", "FIFO read while it has nothing to say");
		return 0;
	}
	if (!fdc->result_at && fdc->result_has_irq)
		withdraw_irq(fdc);
	uint8_t value = fdc->result[fdc->result_at++];
	if (fdc->result_at == fdc->result_length)
		fdc->phase = FDC_COMMAND;
	return value;
}

static void write_fifo(struct i82077 *fdc, uint8_t value)
{
	if (!(fdc->dor & DOR_NOT_RESET))
		return;
	if (fdc->phase == FDC_EXECUTION && i82077_is_pio(fdc) && !i82077_is_to_host(fdc)) {
		withdraw_irq(fdc);
		i82077_pio_write(fdc, value);
		return;
	}
	if (fdc->phase != FDC_COMMAND) {
		guest_error("i82077", "FIFO write of %02x while a command runs", value);
		return;
	}
	if (!fdc->command_at)
		fdc->command_length = (uint8_t)i82077_command_length(value);
	fdc->command[fdc->command_at++] = value;
	if (fdc->command_at < fdc->command_length)
		return;
	fdc->command_at = 0;
	i82077_run_command(fdc);
}

void i82077_give_result(struct i82077 *fdc, unsigned length, bool has_irq)
{
	fdc->phase = length ? FDC_RESULT : FDC_COMMAND;
	fdc->result_length = (uint8_t)length;
	fdc->result_at = 0;
	fdc->result_has_irq = has_irq;
	if (has_irq)
		i82077_raise(fdc, FDC_DUE_IRQ);
}

static void write_dor(struct i82077 *fdc, uint8_t value)
{
	uint8_t moved = fdc->dor ^ value;

	fdc->dor = value;
	if (moved & ~value & DOR_NOT_RESET)
		software_reset(fdc);
	else if (moved & value & DOR_NOT_RESET)
		leave_reset(fdc);
	if (moved & DOR_DMA_GATE) {
		i82077_set_irq(fdc, fdc->irq);
		i82077_run_dma(fdc);
	}
}

static void write_dsr(struct i82077 *fdc, uint8_t value)
{
	fdc->dsr = value & (uint8_t)~DSR_RESET;
	fdc->rate = value & RATE_MASK;
	if (value & DSR_RESET) {
		software_reset(fdc);
		if (fdc->dor & DOR_NOT_RESET)
			leave_reset(fdc);
	}
}

static uint8_t read_dir(struct i82077 *fdc)
{
	struct i82077_drive *drive = i82077_drive_of(fdc, fdc->dor & 3);

	/* Bits 6-0 belong to the hard disk; they float. */
	return drive && drive->changed ? 0xff : 0x7f;
}

static uint32_t port_read(void *owner, uint16_t port, unsigned size)
{
	struct i82077 *fdc = owner;

	(void)size;
	switch (port & 7) {
	case 2:
		return fdc->dor;
	case 3:
		return fdc->tdr | 0xfcu;
	case 4:
		return read_msr(fdc);
	case 5:
		return read_fifo(fdc);
	case 7:
		return read_dir(fdc);
	default: /* SRA and SRB are there in PS/2 mode only */
		return 0xff;
	}
}

static void port_write(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	struct i82077 *fdc = owner;

	(void)size;
	switch (port & 7) {
	case 2:
		write_dor(fdc, (uint8_t)value);
		break;
	case 3:
		fdc->tdr = value & 0x03;
		break;
	case 4:
		write_dsr(fdc, (uint8_t)value);
		break;
	case 5:
		write_fifo(fdc, (uint8_t)value);
		break;
	case 7:
		fdc->rate = value & RATE_MASK;
		break;
	}
}

static const struct bus_ops port_ops = {
	.name = "i82077",
	.max_size = 1,
	.read = port_read,
	.write = port_write,
};

/* --- life --- */

struct i82077_drive *i82077_drive_of(struct i82077 *fdc, unsigned unit)
{
	return unit < I82077_DRIVES && fdc->drive[unit].present ? &fdc->drive[unit] : NULL;
}

static void serve_dma(void *owner)
{
	i82077_run_dma(owner);
}

struct i82077 *i82077_new(struct bus *bus, struct i8237 *dma, struct irq_line irq6, struct clock *clock)
{
	struct i82077 *fdc = g_new0(struct i82077, 1);

	fdc->bus = bus;
	fdc->dma = dma;
	fdc->irq6 = irq6;
	fdc->clock = clock;
	fdc->delay = clock_timer_new(clock, delay_over, fdc);
	fdc->drive[0].present = fdc->drive[0].changed = true;
	if (dma)
		i8237_attach(dma, I82077_DMA_CHANNEL, serve_dma, fdc);
	i82077_reset(fdc);
	if (bus_claim(bus, 0x3f0, 0x3f5, &port_ops, fdc) || bus_claim(bus, 0x3f7, 0x3f7, &port_ops, fdc))
		log_error("i82077: the bus has no room for it");
	return fdc;
}

void i82077_free(struct i82077 *fdc)
{
	if (!fdc)
		return;
	bus_release(fdc->bus, &port_ops, fdc);
	clock_timer_free(fdc->delay);
	for (unsigned i = 0; i < I82077_DRIVES; i++)
		blk_free(fdc->drive[i].blk);
	g_free(fdc);
}
