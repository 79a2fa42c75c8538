/* The MC146818 real-time clock with 128 bytes of CMOS RAM, index 70h, data 71h.
 * Time comes from the guest clock alone. The daylight-saving bit and the square
 * wave bits are stored and do nothing, as no pin of theirs is connected. Only
 * divider 010 (32,768 Hz) counts. Source: Motorola MC146818 data sheet. */
#ifndef V2E_DEVMODEL_MC146818_H
#define V2E_DEVMODEL_MC146818_H

#include "shared/bus.h"
#include "shared/clock.h"
#include "shared/irq.h"
#include "shared/snap.h"

#define MC146818_SIZE 128u

struct mc146818;

/* Registers (the rest up to 7Fh is RAM). */
enum mc146818_register {
	MC146818_SECONDS, MC146818_SECONDS_ALARM, MC146818_MINUTES, MC146818_MINUTES_ALARM,
	MC146818_HOURS, MC146818_HOURS_ALARM, MC146818_DAY_OF_WEEK, MC146818_DATE,
	MC146818_MONTH, MC146818_YEAR, MC146818_A, MC146818_B, MC146818_C, MC146818_D,
	MC146818_CENTURY = 0x32, /* AT convention: set here once, then plain RAM */
};

/* Claims 70h-71h. The time is `start_unix_time` (UTC seconds) at the clock's
 * present, in BCD and 24 h; the RAM is zero but for the century. Returns NULL
 * with errno set when the bus has no room. */
struct mc146818 *mc146818_new(struct bus *bus, struct irq_line irq8, struct clock *clock, int64_t start_unix_time);
/* RESET pin: interrupts off, flags cleared, index zero, NMI enabled. Time and RAM
 * are on the battery and stay. */
void mc146818_reset(struct mc146818 *rtc);
void mc146818_state(struct mc146818 *rtc, struct snap *snap);
void mc146818_free(struct mc146818 *rtc); /* NULL is fine; before clock_free() */

/* For the board. `index` is taken modulo 128. Set does what a guest's write of
 * that register does; get is a read without its side effect on register C. */
void mc146818_set(struct mc146818 *rtc, uint8_t index, uint8_t value);
uint8_t mc146818_get(struct mc146818 *rtc, uint8_t index);

/* Bit 7 of port 70h, high from now on while no NMI may reach the CPU. */
void mc146818_connect_nmi_mask(struct mc146818 *rtc, struct irq_line nmi_mask);

#endif
