/* One of the three counters of an 8254, with its latches and its control word.
 * It knows no clock: each call says which tick of CLK it is, and ticks never
 * fall. `tick` may not lie past load_at in any call but i8254_counter_sync().
 * Source: Intel 8254 data sheet (order 231164), mode definitions. */
#ifndef V2E_DEVMODEL_I8254_COUNTER_H
#define V2E_DEVMODEL_I8254_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/snap.h"

#define I8254_TICK_NEVER UINT64_MAX

struct i8254_counter {
	uint8_t control;    /* RW, M2-M0 and BCD as written */
	uint16_t cr;        /* count register */
	uint8_t low_byte;   /* first half of a two-byte write */
	bool write_msb, read_msb;
	bool written;       /* CR is complete since the control word */
	bool null_count;    /* CR has not reached CE yet */
	bool latched, status_latched;
	uint16_t latch;
	uint8_t status;
	bool gate;
	/* The counting element. */
	bool loaded;        /* else it shows `idle` */
	bool paused;        /* GATE is low in a mode that heeds it */
	bool load_low;      /* mode 3: the next load begins with the low half */
	uint16_t idle;
	uint32_t n;         /* the count that it was loaded with, 1-10000h */
	uint64_t start;     /* when it held n; modulo 2^64 */
	uint64_t paused_at;
	uint64_t load_at;   /* of the next load, or I8254_TICK_NEVER */
};

/* Mode 0 without a count. GATE stays. */
void i8254_counter_reset(struct i8254_counter *counter);
void i8254_counter_state(struct i8254_counter *counter, struct snap *snap);

/* Loads the count when that is due at or before `tick`. */
void i8254_counter_sync(struct i8254_counter *counter, uint64_t tick);

/* Control word with RW != 0; the select bits are ignored. */
void i8254_counter_program(struct i8254_counter *counter, uint8_t control, uint64_t tick);
void i8254_counter_write(struct i8254_counter *counter, uint8_t value, uint64_t tick);
uint8_t i8254_counter_read(struct i8254_counter *counter, uint64_t tick);
void i8254_counter_latch_count(struct i8254_counter *counter, uint64_t tick);
void i8254_counter_latch_status(struct i8254_counter *counter, uint64_t tick);
void i8254_counter_set_gate(struct i8254_counter *counter, bool level, uint64_t tick);

bool i8254_counter_out(const struct i8254_counter *counter, uint64_t tick);
/* Ticks in a cycle of OUT in modes 2 and 3, else 0. */
uint64_t i8254_counter_period(const struct i8254_counter *counter);
/* The first tick after `tick` at which OUT may change, or I8254_TICK_NEVER. */
uint64_t i8254_counter_next_edge(const struct i8254_counter *counter, uint64_t tick);
/* The latest rise of OUT up to `tick` that came of the loaded count, 0 for none. */
uint64_t i8254_counter_last_rise(const struct i8254_counter *counter, uint64_t tick);

#endif
