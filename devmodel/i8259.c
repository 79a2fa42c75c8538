#include "devmodel/i8259.h"

#include <errno.h>
#include <glib.h>

#include "shared/trace.h"

#define ICW1_IC4  0x01u
#define ICW1_SNGL 0x02u
#define ICW1_ADI  0x04u
#define ICW1_LTIM 0x08u
#define ICW1_ID   0x10u
#define ICW4_UPM  0x01u
#define ICW4_AEOI 0x02u
#define ICW4_SFNM 0x10u
#define OCW2_LEVEL 0x07u
#define OCW2_EOI  0x20u
#define OCW2_SL   0x40u
#define OCW2_R    0x80u
#define OCW3_RIS  0x01u
#define OCW3_RR   0x02u
#define OCW3_P    0x04u
#define OCW3_ID   0x08u
#define OCW3_SMM  0x20u
#define OCW3_ESMM 0x40u

#define CASCADE 2u
#define SPURIOUS 7u

/* What the next write with A0 = 1 is. */
enum step { STEP_OFF, STEP_ICW2, STEP_ICW3, STEP_ICW4, STEP_READY };

enum { MASTER, SLAVE, CHIPS };

/* Bit n of each mask is IRn. */
struct chip {
	uint8_t line; /* input levels */
	uint8_t edge; /* rises since the last acknowledge, while the line is high */
	uint8_t elcr; /* level triggered */
	uint8_t isr, imr;
	uint8_t icw1, icw2, icw3, icw4;
	uint8_t lowest; /* level with the lowest priority */
	uint8_t step;   /* enum step */
	bool special_mask, rotate_aeoi, poll, read_isr;
};

struct i8259 {
	struct chip chip[CHIPS];
	struct cpu_pins *pins;
};

static const uint8_t elcr_writable[CHIPS] = { 0xf8, 0xde };

static uint8_t chip_irr(const struct chip *chip)
{
	uint8_t level = chip->icw1 & ICW1_LTIM ? 0xff : chip->elcr;
	return chip->line & (chip->edge | level);
}

/* 0 is the highest priority, 7 the lowest. */
static unsigned chip_rank(const struct chip *chip, unsigned irq)
{
	return (irq - chip->lowest - 1u) & 7u;
}

/* The level of highest priority in `levels`, which is not 0. */
static unsigned chip_highest(const struct chip *chip, unsigned levels)
{
	unsigned first = (chip->lowest + 1u) & 7u;
	unsigned rotated = (levels | levels << 8) >> first & 0xff;
	return ((unsigned)__builtin_ctz(rotated) + first) & 7u;
}

static bool has_slave(const struct chip *chip, unsigned irq)
{
	return !(chip->icw1 & ICW1_SNGL) && chip->icw3 >> irq & 1;
}

static bool is_special_nested(const struct i8259 *pic, const struct chip *chip, unsigned irq)
{
	return chip == &pic->chip[MASTER] && chip->icw4 & ICW4_SFNM && has_slave(chip, irq);
}

/* The level for which the chip raises INT, or -1. */
static int chip_pending(const struct i8259 *pic, const struct chip *chip)
{
	unsigned requests = chip_irr(chip) & ~chip->imr;
	if (!requests || chip->step != STEP_READY)
		return -1;
	unsigned request = chip_highest(chip, requests);
	unsigned serving = chip->special_mask ? chip->isr & ~chip->imr : chip->isr;
	if (!serving)
		return (int)request;
	unsigned served = chip_highest(chip, serving);
	if (chip_rank(chip, request) < chip_rank(chip, served))
		return (int)request;
	return request == served && is_special_nested(pic, chip, request) ? (int)request : -1;
}

static void chip_input(struct chip *chip, unsigned irq, bool level)
{
	uint8_t bit = (uint8_t)(1u << irq);
	if (!level) {
		chip->line &= (uint8_t)~bit;
		chip->edge &= (uint8_t)~bit;
	} else if (!(chip->line & bit)) {
		chip->line |= bit;
		chip->edge |= bit;
	}
}

static void chip_take(struct chip *chip, unsigned irq)
{
	uint8_t bit = (uint8_t)(1u << irq);
	chip->edge &= (uint8_t)~bit;
	if (!(chip->icw4 & ICW4_AEOI))
		chip->isr |= bit;
	else if (chip->rotate_aeoi)
		chip->lowest = (uint8_t)irq;
}

/* Carries the inputs through the slave and the master to the CPU. */
static void update(struct i8259 *pic)
{
	chip_input(&pic->chip[MASTER], CASCADE, chip_pending(pic, &pic->chip[SLAVE]) >= 0);
	bool intr = chip_pending(pic, &pic->chip[MASTER]) >= 0;
	if (intr == pic->pins->intr)
		return;
	pic->pins->intr = intr;
	cpu_pins_attend(pic->pins);
}

/* Takes the pending level of a chip, or returns -1. INT falls with each INTA,
 * so that a slave with more to say gives the master a new edge. */
static int take_pending(struct i8259 *pic, struct chip *chip)
{
	int irq = chip_pending(pic, chip);
	if (irq >= 0)
		chip_take(chip, (unsigned)irq);
	if (chip == &pic->chip[SLAVE])
		chip_input(&pic->chip[MASTER], CASCADE, false);
	return irq;
}

/* The second byte of the INTA sequence. In MCS-80 mode that is the low half of
 * a CALL's address, which an x86 takes for the vector. */
static uint8_t chip_vector(const struct chip *chip, unsigned irq)
{
	if (chip->icw4 & ICW4_UPM)
		return (uint8_t)((chip->icw2 & 0xf8u) | irq);
	if (chip->icw1 & ICW1_ADI)
		return (uint8_t)((chip->icw1 & 0xe0u) | irq << 2);
	return (uint8_t)((chip->icw1 & 0xc0u) | irq << 3);
}

static uint8_t acknowledge_slave(struct i8259 *pic, unsigned irq)
{
	struct chip *slave = &pic->chip[SLAVE];
	if (!(slave->icw1 & ICW1_SNGL) && (slave->icw3 & 7u) != irq) {
		guest_error("i8259", "no slave answers for IR%u", irq);
		return 0xff;
	}
	int request = take_pending(pic, slave);
	return chip_vector(slave, request < 0 ? SPURIOUS : (unsigned)request);
}

/* The slave's line is the low bits of its vector. */
static void trace_acknowledge(int irq, uint8_t vector)
{
	struct trace_event event;
	trace_begin(&event, "irq");
	trace_string(&event, "op", irq < 0 ? "spurious" : "acknowledge");
	unsigned line = irq == CASCADE ? 8u + (vector & 7u) : irq < 0 ? SPURIOUS : (unsigned)irq;
	trace_number(&event, "line", line);
	trace_number(&event, "vector", vector);
	trace_text(&event, "i8259: IRQ %u %s, vector %02x", line, irq < 0 ? "is spurious" : "acknowledged", vector);
	trace_emit(&event);
}

static uint8_t acknowledge(void *owner)
{
	struct i8259 *pic = owner;
	struct chip *master = &pic->chip[MASTER];
	int irq = take_pending(pic, master);
	uint8_t vector;
	if (irq < 0)
		vector = chip_vector(master, SPURIOUS);
	else if (has_slave(master, (unsigned)irq))
		vector = acknowledge_slave(pic, (unsigned)irq);
	else
		vector = chip_vector(master, (unsigned)irq);
	update(pic);
	if (log_trace_mask & LOG_TRACE_IRQ)
		trace_acknowledge(irq, vector);
	return vector;
}

static void write_icw1(struct chip *chip, uint8_t value)
{
	*chip = (struct chip) {
		.line = chip->line,
		.elcr = chip->elcr,
		.icw1 = value,
		.icw2 = chip->icw2,
		.icw3 = 7,
		.lowest = 7,
		.step = STEP_ICW2,
	};
}

static void write_ocw2(struct chip *chip, uint8_t value)
{
	unsigned level = value & OCW2_LEVEL;
	if (value & OCW2_EOI) {
		unsigned serving = chip->special_mask ? chip->isr & ~chip->imr : chip->isr;
		if (!(value & OCW2_SL)) {
			if (!serving)
				return;
			level = chip_highest(chip, serving);
		}
		chip->isr &= (uint8_t)~(1u << level);
		if (value & OCW2_R)
			chip->lowest = (uint8_t)level;
	} else if (!(value & OCW2_SL)) {
		chip->rotate_aeoi = value & OCW2_R;
	} else if (value & OCW2_R) {
		chip->lowest = (uint8_t)level;
	}
}

static void write_ocw3(struct chip *chip, uint8_t value)
{
	if (value & OCW3_ESMM)
		chip->special_mask = value & OCW3_SMM;
	if (value & OCW3_P)
		chip->poll = true;
	else if (value & OCW3_RR)
		chip->read_isr = value & OCW3_RIS;
}

static void write_data(struct chip *chip, uint8_t value)
{
	uint8_t last = chip->icw1 & ICW1_IC4 ? STEP_ICW4 : STEP_READY;
	switch (chip->step) {
	case STEP_ICW2:
		chip->icw2 = value;
		chip->step = chip->icw1 & ICW1_SNGL ? last : STEP_ICW3;
		break;
	case STEP_ICW3:
		chip->icw3 = value;
		chip->step = last;
		break;
	case STEP_ICW4:
		chip->icw4 = value;
		chip->step = STEP_READY;
		break;
	default:
		chip->imr = value;
	}
}

static struct chip *chip_at(struct i8259 *pic, uint16_t port)
{
	return &pic->chip[port & 0x80 ? SLAVE : MASTER];
}

static void chip_write(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	struct i8259 *pic = owner;
	struct chip *chip = chip_at(pic, port);
	uint8_t byte = (uint8_t)value;
	(void)size;
	if (port & 1)
		write_data(chip, byte);
	else if (byte & ICW1_ID)
		write_icw1(chip, byte);
	else if (byte & OCW3_ID)
		write_ocw3(chip, byte);
	else
		write_ocw2(chip, byte);
	update(pic);
}

static uint32_t chip_read(void *owner, uint16_t port, unsigned size)
{
	struct i8259 *pic = owner;
	struct chip *chip = chip_at(pic, port);
	(void)size;
	if (chip->poll) {
		chip->poll = false;
		int irq = take_pending(pic, chip);
		update(pic);
		return irq < 0 ? 0 : 0x80u | (unsigned)irq;
	}
	if (port & 1)
		return chip->imr;
	return chip->read_isr ? chip->isr : chip_irr(chip);
}

static uint32_t elcr_read(void *owner, uint16_t port, unsigned size)
{
	const struct i8259 *pic = owner;
	(void)size;
	return pic->chip[port & 1].elcr;
}

static void elcr_write(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	struct i8259 *pic = owner;
	unsigned n = port & 1;
	(void)size;
	if (value & ~(uint32_t)elcr_writable[n])
		guest_error("i8259", "ELCR%u: fixed edge inputs in %02x", n + 1, value);
	pic->chip[n].elcr = (uint8_t)(value & elcr_writable[n]);
	update(pic);
}

static const struct bus_ops chip_ops = {
	.name = "i8259",
	.max_size = 1,
	.read = chip_read,
	.write = chip_write,
};

static const struct bus_ops elcr_ops = {
	.name = "elcr",
	.max_size = 1,
	.read = elcr_read,
	.write = elcr_write,
};

static void line_set(void *owner, unsigned n, bool level)
{
	struct i8259 *pic = owner;
	chip_input(&pic->chip[n >> 3], n & 7, level);
	update(pic);
}

struct irq_line i8259_line(struct i8259 *pic, unsigned irq)
{
	if (irq == CASCADE || irq > 15)
		return (struct irq_line) { 0 };
	return (struct irq_line) { line_set, pic, irq };
}

struct i8259 *i8259_new(struct bus *bus, struct cpu_pins *pins)
{
	struct i8259 *pic = g_new0(struct i8259, 1);
	pic->pins = pins;
	if (bus_claim(bus, 0x20, 0x21, &chip_ops, pic) || bus_claim(bus, 0xa0, 0xa1, &chip_ops, pic) ||
	    bus_claim(bus, 0x4d0, 0x4d1, &elcr_ops, pic)) {
		bus_release(bus, &chip_ops, pic);
		g_free(pic);
		errno = ENOSPC;
		return NULL;
	}
	pins->acknowledge = acknowledge;
	pins->owner = pic;
	i8259_reset(pic);
	return pic;
}

void i8259_reset(struct i8259 *pic)
{
	for (unsigned i = 0; i < CHIPS; i++)
		pic->chip[i] = (struct chip) { .line = pic->chip[i].line, .lowest = 7, .step = STEP_OFF };
	update(pic);
}

static void chip_state(struct chip *chip, uint8_t writable_elcr, struct snap *snap)
{
	snap_u8(snap, "line", &chip->line);
	snap_u8(snap, "edge", &chip->edge);
	snap_u8(snap, "elcr", &chip->elcr);
	snap_u8(snap, "isr", &chip->isr);
	snap_u8(snap, "imr", &chip->imr);
	snap_u8(snap, "icw1", &chip->icw1);
	snap_u8(snap, "icw2", &chip->icw2);
	snap_u8(snap, "icw3", &chip->icw3);
	snap_u8(snap, "icw4", &chip->icw4);
	snap_u8(snap, "lowest", &chip->lowest);
	snap_u8(snap, "step", &chip->step);
	snap_bool(snap, "special_mask", &chip->special_mask);
	snap_bool(snap, "rotate_aeoi", &chip->rotate_aeoi);
	snap_bool(snap, "poll", &chip->poll);
	snap_bool(snap, "read_isr", &chip->read_isr);
	if (!snap_is_loading(snap))
		return;
	if (chip->lowest > 7 || chip->step > STEP_READY || chip->elcr & ~writable_elcr)
		snap_fail(snap, "i8259: priority %u, step %u, ELCR %02x", chip->lowest, chip->step, chip->elcr);
	chip->lowest &= 7;
	chip->elcr &= writable_elcr;
	chip->edge &= chip->line;
}

void i8259_state(struct i8259 *pic, struct snap *snap)
{
	snap_section(snap, "i8259.master", 1);
	chip_state(&pic->chip[MASTER], elcr_writable[MASTER], snap);
	snap_section(snap, "i8259.slave", 1);
	chip_state(&pic->chip[SLAVE], elcr_writable[SLAVE], snap);
	if (snap_is_loading(snap))
		update(pic);
}

void i8259_free(struct i8259 *pic)
{
	g_free(pic);
}
