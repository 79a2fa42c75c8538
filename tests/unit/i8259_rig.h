/* Two 8259As as an AT has them, for their tests. */
#ifndef V2E_TESTS_UNIT_I8259_RIG_H
#define V2E_TESTS_UNIT_I8259_RIG_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "devmodel/i8259.h"

#define SLAVE 0x80u /* added to a port of the master */

static struct bus *bus;
static struct cpu_pins pins;
static struct i8259 *pic;

static inline void out(uint16_t port, unsigned value)
{
	bus_write(bus, port, 1, value);
}

static inline unsigned in(uint16_t port)
{
	return bus_read(bus, port, 1);
}

static inline void set(unsigned irq, bool level)
{
	struct irq_line line = i8259_line(pic, irq);
	irq_set(&line, level);
}

static inline void pulse(unsigned irq)
{
	set(irq, false);
	set(irq, true);
}

static inline unsigned inta(void)
{
	return pins.acknowledge(pins.owner);
}

static inline void init_chip(unsigned add, unsigned icw1, unsigned icw2, unsigned icw3, unsigned icw4)
{
	uint16_t command = (uint16_t)(0x20 + add), data = (uint16_t)(0x21 + add);
	out(command, icw1);
	out(data, icw2);
	if (!(icw1 & 2))
		out(data, icw3);
	if (icw1 & 1)
		out(data, icw4);
}

/* As every BIOS does it, but for what `icw4` adds. */
static inline void init(unsigned icw4)
{
	init_chip(0, 0x11, 0x08, 0x04, 0x01 | icw4);
	init_chip(SLAVE, 0x11, 0x70, 0x02, 0x01 | (icw4 & 0x02));
}

static inline unsigned vector_of(unsigned irq)
{
	return irq < 8 ? 0x08 + irq : 0x70 + irq - 8;
}

static inline unsigned isr(unsigned add)
{
	out((uint16_t)(0x20 + add), 0x0b);
	return in((uint16_t)(0x20 + add));
}

static inline unsigned irr(unsigned add)
{
	out((uint16_t)(0x20 + add), 0x0a);
	return in((uint16_t)(0x20 + add));
}

static inline void setup(void)
{
	bus = bus_new();
	pins = (struct cpu_pins) { 0 };
	pic = i8259_new(bus, &pins);
	ck_assert_ptr_nonnull(pic);
	init(0);
	atomic_store(&pins.attention, false);
}

static inline void teardown(void)
{
	i8259_free(pic);
	bus_free(bus);
}

#endif
