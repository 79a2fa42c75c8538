#include "devmodel/i8254_counter.h"

#include "shared/log.h"

#define CONTROL_BCD 0x01u
#define CONTROL_RW_LSB 1u
#define CONTROL_RW_MSB 2u
#define STATUS_OUT 0x80u
#define STATUS_NULL_COUNT 0x40u

/* No snapshot holds a later tick: it would not fit the clock's nanoseconds. */
#define TICK_LAST (1ull << 54)

static unsigned mode_of(const struct i8254_counter *counter)
{
	unsigned mode = counter->control >> 1 & 7u;
	return mode > 5 ? mode & 3u : mode;
}

static unsigned rw_of(const struct i8254_counter *counter)
{
	return counter->control >> 4 & 3u;
}

static bool is_periodic(const struct i8254_counter *counter)
{
	return mode_of(counter) == 2 || mode_of(counter) == 3;
}

static bool gate_pauses(const struct i8254_counter *counter)
{
	return mode_of(counter) != 1 && mode_of(counter) != 5;
}

static uint32_t modulus_of(const struct i8254_counter *counter)
{
	return counter->control & CONTROL_BCD ? 10000 : 0x10000;
}

static uint32_t from_bcd(uint16_t bcd)
{
	return (bcd >> 12) * 1000u + (bcd >> 8 & 15u) * 100u + (bcd >> 4 & 15u) * 10u + (bcd & 15u);
}

static uint16_t to_bcd(uint32_t value)
{
	return (uint16_t)(value / 1000 % 10 << 12 | value / 100 % 10 << 8 | value / 10 % 10 << 4 | value % 10);
}

/* Ticks that the loaded count has seen. */
static uint64_t elapsed_at(const struct i8254_counter *counter, uint64_t tick)
{
	return (counter->paused ? counter->paused_at : tick) - counter->start;
}

/* Mode 3: length of the high half. */
static uint32_t high_half(const struct i8254_counter *counter)
{
	return (counter->n + 1) / 2;
}

bool i8254_counter_out(const struct i8254_counter *counter, uint64_t tick)
{
	unsigned mode = mode_of(counter);
	if (!counter->loaded)
		return mode != 0;
	uint64_t elapsed = elapsed_at(counter, tick);
	switch (mode) {
	case 0:
	case 1:
		return elapsed >= counter->n;
	case 2:
		return counter->paused || elapsed % counter->n != counter->n - 1;
	case 3:
		return counter->paused || elapsed % counter->n < high_half(counter);
	default:
		return elapsed != counter->n;
	}
}

static uint32_t loaded_count(const struct i8254_counter *counter, uint64_t tick)
{
	uint64_t elapsed = elapsed_at(counter, tick);
	uint32_t modulus = modulus_of(counter);
	uint32_t phase = (uint32_t)(elapsed % counter->n);
	switch (mode_of(counter)) {
	case 2:
		return (counter->n - phase) % modulus;
	case 3:
		if (phase >= high_half(counter))
			phase -= high_half(counter);
		return ((counter->n & ~1u) - 2 * phase) % modulus;
	default:
		return (counter->n + modulus - (uint32_t)(elapsed % modulus)) % modulus;
	}
}

static uint16_t count_at(const struct i8254_counter *counter, uint64_t tick)
{
	if (!counter->loaded)
		return counter->idle;
	uint32_t count = loaded_count(counter, tick);
	return counter->control & CONTROL_BCD ? to_bcd(count) : (uint16_t)count;
}

/* The counter stops and shows the present count until it is loaded again. */
static void stop(struct i8254_counter *counter, uint64_t tick)
{
	counter->idle = count_at(counter, tick);
	counter->loaded = false;
	counter->paused = false;
	counter->load_at = I8254_TICK_NEVER;
	counter->load_low = false;
}

/* CR -> CE. */
static void load(struct i8254_counter *counter)
{
	uint32_t n = counter->control & CONTROL_BCD ? from_bcd(counter->cr) : counter->cr;
	counter->n = n ? n : modulus_of(counter);
	counter->start = counter->load_at;
	if (counter->load_low)
		counter->start -= high_half(counter);
	counter->loaded = true;
	counter->paused = !counter->gate && gate_pauses(counter);
	counter->paused_at = counter->load_at;
	counter->null_count = false;
	counter->load_at = I8254_TICK_NEVER;
	counter->load_low = false;
}

void i8254_counter_sync(struct i8254_counter *counter, uint64_t tick)
{
	if (counter->load_at <= tick)
		load(counter);
}

/* A running counter in mode 2 or 3 takes a new count at the end of its cycle or
 * half cycle. */
static void load_at_cycle_end(struct i8254_counter *counter, uint64_t tick)
{
	uint32_t phase = (uint32_t)(elapsed_at(counter, tick) % counter->n);
	uint32_t end = counter->n;
	if (mode_of(counter) == 3 && counter->n > 1 && phase < high_half(counter)) {
		end = high_half(counter);
		counter->load_low = true;
	}
	counter->load_at = tick - phase + end;
}

static void check_count(const struct i8254_counter *counter)
{
	if (is_periodic(counter) && counter->cr == 1)
		guest_error("i8254", "count 1 in mode %u", mode_of(counter));
	if (counter->control & CONTROL_BCD && to_bcd(from_bcd(counter->cr)) != counter->cr)
		guest_error("i8254", "%04x is no BCD count", counter->cr);
}

/* CR has got a whole new count. */
static void write_count(struct i8254_counter *counter, uint16_t count, uint64_t tick)
{
	counter->cr = count;
	counter->written = true;
	counter->null_count = true;
	check_count(counter);
	switch (mode_of(counter)) {
	case 0:
		stop(counter, tick);
		counter->load_at = tick + 1;
		break;
	case 4:
		counter->load_at = tick + 1;
		break;
	case 2:
	case 3:
		if (!counter->loaded)
			counter->load_at = tick + 1;
		else if (!counter->paused && counter->load_at == I8254_TICK_NEVER)
			load_at_cycle_end(counter, tick);
		break;
	default: /* modes 1 and 5 wait for the trigger */
		break;
	}
}

void i8254_counter_write(struct i8254_counter *counter, uint8_t value, uint64_t tick)
{
	switch (rw_of(counter)) {
	case CONTROL_RW_LSB:
		write_count(counter, value, tick);
		return;
	case CONTROL_RW_MSB:
		write_count(counter, (uint16_t)(value << 8), tick);
		return;
	default:
		break;
	}
	if (counter->write_msb) {
		write_count(counter, (uint16_t)(value << 8 | counter->low_byte), tick);
	} else {
		counter->low_byte = value;
		if (mode_of(counter) == 0)
			stop(counter, tick);
	}
	counter->write_msb = !counter->write_msb;
}

uint8_t i8254_counter_read(struct i8254_counter *counter, uint64_t tick)
{
	if (counter->status_latched) {
		counter->status_latched = false;
		return counter->status;
	}
	uint16_t count = counter->latched ? counter->latch : count_at(counter, tick);
	unsigned rw = rw_of(counter);
	bool both = rw != CONTROL_RW_LSB && rw != CONTROL_RW_MSB;
	bool msb = both ? counter->read_msb : rw == CONTROL_RW_MSB;
	if (both)
		counter->read_msb = !counter->read_msb;
	if (msb || !both)
		counter->latched = false;
	return (uint8_t)(msb ? count >> 8 : count);
}

void i8254_counter_program(struct i8254_counter *counter, uint8_t control, uint64_t tick)
{
	stop(counter, tick);
	counter->control = control & 0x3fu;
	counter->cr = 0;
	counter->write_msb = counter->read_msb = false;
	counter->latched = counter->status_latched = false;
	counter->written = false;
	counter->null_count = true;
}

void i8254_counter_latch_count(struct i8254_counter *counter, uint64_t tick)
{
	if (counter->latched)
		return;
	counter->latched = true;
	counter->latch = count_at(counter, tick);
}

void i8254_counter_latch_status(struct i8254_counter *counter, uint64_t tick)
{
	if (counter->status_latched)
		return;
	counter->status_latched = true;
	counter->status = counter->control;
	if (counter->null_count)
		counter->status |= STATUS_NULL_COUNT;
	if (i8254_counter_out(counter, tick))
		counter->status |= STATUS_OUT;
}

static void gate_fall(struct i8254_counter *counter, uint64_t tick)
{
	if (!counter->loaded || !gate_pauses(counter))
		return;
	if (!counter->paused)
		counter->paused_at = tick;
	counter->paused = true;
	if (is_periodic(counter)) {
		counter->load_at = I8254_TICK_NEVER;
		counter->load_low = false;
	}
}

static void gate_rise(struct i8254_counter *counter, uint64_t tick)
{
	unsigned mode = mode_of(counter);
	if (mode == 0 || mode == 4) {
		if (counter->paused)
			counter->start += tick - counter->paused_at;
		counter->paused = false;
	} else if (counter->written) {
		counter->load_at = tick + 1;
	}
}

void i8254_counter_set_gate(struct i8254_counter *counter, bool level, uint64_t tick)
{
	if (counter->gate == level)
		return;
	counter->gate = level;
	if (level)
		gate_rise(counter, tick);
	else
		gate_fall(counter, tick);
}

uint64_t i8254_counter_period(const struct i8254_counter *counter)
{
	return counter->loaded && is_periodic(counter) ? counter->n : 0;
}

uint64_t i8254_counter_next_edge(const struct i8254_counter *counter, uint64_t tick)
{
	if (!counter->loaded || counter->paused)
		return counter->load_at;
	uint64_t elapsed = elapsed_at(counter, tick);
	uint32_t phase = (uint32_t)(elapsed % counter->n);
	uint64_t edge = I8254_TICK_NEVER;
	switch (mode_of(counter)) {
	case 2:
		if (counter->n > 1)
			edge = tick - phase + (phase < counter->n - 1 ? counter->n - 1 : counter->n);
		break;
	case 3:
		if (counter->n > 1)
			edge = tick - phase + (phase < high_half(counter) ? high_half(counter) : counter->n);
		break;
	default:
		if (elapsed < counter->n)
			edge = counter->start + counter->n;
		else if (elapsed == counter->n && mode_of(counter) >= 4)
			edge = tick + 1;
	}
	return edge < counter->load_at ? edge : counter->load_at;
}

uint64_t i8254_counter_last_rise(const struct i8254_counter *counter, uint64_t tick)
{
	if (!counter->loaded || counter->paused)
		return 0;
	uint64_t elapsed = elapsed_at(counter, tick);
	if (is_periodic(counter))
		return elapsed >= counter->n && counter->n > 1 ? tick - elapsed % counter->n : 0;
	return elapsed > counter->n && mode_of(counter) >= 4 ? counter->start + counter->n + 1 : 0;
}

void i8254_counter_reset(struct i8254_counter *counter)
{
	*counter = (struct i8254_counter) {
		.control = (CONTROL_RW_LSB | CONTROL_RW_MSB) << 4,
		.null_count = true,
		.gate = counter->gate,
		.load_at = I8254_TICK_NEVER,
	};
}

static void check_loaded(struct i8254_counter *counter, struct snap *snap)
{
	bool good_n = counter->n >= 1 && counter->n <= 0x10000;
	bool good_load = counter->load_at == I8254_TICK_NEVER || (counter->load_at && counter->load_at < TICK_LAST);
	if (good_load && (good_n || !counter->loaded))
		return;
	snap_fail(snap, "i8254: count %u, load at %llu", counter->n, (unsigned long long)counter->load_at);
	counter->loaded = false;
	counter->load_at = I8254_TICK_NEVER;
}

void i8254_counter_state(struct i8254_counter *counter, struct snap *snap)
{
	snap_u8(snap, "control", &counter->control);
	snap_u16(snap, "cr", &counter->cr);
	snap_u8(snap, "low_byte", &counter->low_byte);
	snap_bool(snap, "write_msb", &counter->write_msb);
	snap_bool(snap, "read_msb", &counter->read_msb);
	snap_bool(snap, "written", &counter->written);
	snap_bool(snap, "null_count", &counter->null_count);
	snap_bool(snap, "latched", &counter->latched);
	snap_bool(snap, "status_latched", &counter->status_latched);
	snap_u16(snap, "latch", &counter->latch);
	snap_u8(snap, "status", &counter->status);
	snap_bool(snap, "gate", &counter->gate);
	snap_bool(snap, "loaded", &counter->loaded);
	snap_bool(snap, "paused", &counter->paused);
	snap_bool(snap, "load_low", &counter->load_low);
	snap_u16(snap, "idle", &counter->idle);
	snap_u32(snap, "n", &counter->n);
	snap_u64(snap, "start", &counter->start);
	snap_u64(snap, "paused_at", &counter->paused_at);
	snap_u64(snap, "load_at", &counter->load_at);
	if (snap_is_loading(snap))
		check_loaded(counter, snap);
}
