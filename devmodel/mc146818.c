#include "devmodel/mc146818.h"

#include <errno.h>
#include <glib.h>

#include "shared/log.h"

#define A_UIP 0x80u
#define A_DV  0x70u
#define A_DV_32768 0x20u
#define A_RS  0x0fu
#define B_SET 0x80u
#define B_PIE 0x40u
#define B_AIE 0x20u
#define B_UIE 0x10u
#define B_SQWE 0x08u
#define B_DM  0x04u
#define B_24H 0x02u
#define C_IRQF 0x80u
#define C_PF  0x40u
#define C_AF  0x20u
#define C_UF  0x10u
#define D_VRT 0x80u
#define HOURS_PM 0x80u
#define ALARM_ANY 0xc0u

#define OSCILLATOR_HZ 32768u
#define SECOND_NS 1000000000ull
/* UIP rises 244 us before an update cycle, which takes 1,984 us. */
#define UIP_NS 2228000ull
#define DAY 86400u

#define INDEX 0x7fu
#define NMI_MASK 0x80u

struct mc146818 {
	uint8_t cmos[MC146818_SIZE]; /* as the guest sees them, but for UIP, C and D */
	uint8_t index;               /* port 70h, with the NMI mask */
	uint8_t flags;               /* register C without IRQF */
	/* The divider chain: when it was at zero (modulo 2^64 ns), and how far the
	 * registers have followed it. */
	uint64_t divider_start;
	uint64_t seconds_done;
	uint64_t oscillations_done;
	struct clock *clock;
	struct clock_timer *timer;
	struct irq_line irq8, nmi_mask;
};

static bool is_counting(const struct mc146818 *rtc)
{
	return (rtc->cmos[MC146818_A] & A_DV) == A_DV_32768;
}

static uint64_t divider_ns(const struct mc146818 *rtc)
{
	int64_t ns = (int64_t)(clock_now(rtc->clock) - rtc->divider_start);
	return ns < 0 ? 0 : (uint64_t)ns;
}

/* Oscillations in a period of PF, 0 for none. */
static uint64_t periodic_oscillations(const struct mc146818 *rtc)
{
	unsigned rate = rtc->cmos[MC146818_A] & A_RS;
	if (!rate)
		return 0;
	return 1ull << (rate <= 2 ? rate + 6 : rate - 1);
}

static unsigned decode(const struct mc146818 *rtc, uint8_t raw)
{
	return rtc->cmos[MC146818_B] & B_DM ? raw : (raw >> 4) * 10u + (raw & 15u);
}

static uint8_t encode(const struct mc146818 *rtc, unsigned value)
{
	return (uint8_t)(rtc->cmos[MC146818_B] & B_DM ? value : value / 10 << 4 | value % 10);
}

static unsigned decode_hours(const struct mc146818 *rtc, uint8_t raw)
{
	if (rtc->cmos[MC146818_B] & B_24H)
		return decode(rtc, raw);
	return decode(rtc, raw & (uint8_t)~HOURS_PM) % 12 + (raw & HOURS_PM ? 12 : 0);
}

static uint8_t encode_hours(const struct mc146818 *rtc, unsigned hours)
{
	if (rtc->cmos[MC146818_B] & B_24H)
		return encode(rtc, hours);
	return (uint8_t)(encode(rtc, hours % 12 ? hours % 12 : 12) | (hours >= 12 ? HOURS_PM : 0));
}

/* May exceed a day when the guest has set nonsense. */
static unsigned second_of_day(const struct mc146818 *rtc)
{
	return decode_hours(rtc, rtc->cmos[MC146818_HOURS]) * 3600 + decode(rtc, rtc->cmos[MC146818_MINUTES]) * 60 +
	       decode(rtc, rtc->cmos[MC146818_SECONDS]);
}

static bool alarm_matches(uint8_t alarm, uint8_t value)
{
	return (alarm & ALARM_ANY) == ALARM_ANY || alarm == value;
}

static bool can_match_second(const struct mc146818 *rtc, uint8_t alarm)
{
	unsigned second = decode(rtc, alarm);
	return (alarm & ALARM_ANY) == ALARM_ANY || (second < 60 && encode(rtc, second) == alarm);
}

/* Seconds from now until the time of day matches the alarm, 1 to 86,400, or 0
 * when it never does. */
static unsigned alarm_in(const struct mc146818 *rtc)
{
	unsigned now = second_of_day(rtc) % DAY;
	if (!can_match_second(rtc, rtc->cmos[MC146818_SECONDS_ALARM]))
		return 0;
	for (unsigned t = now + 1; t <= now + DAY;) {
		unsigned second = t % 60, minute = t / 60 % 60, hour = t / 3600 % 24;
		if (!alarm_matches(rtc->cmos[MC146818_HOURS_ALARM], encode_hours(rtc, hour)))
			t += 3600 - t % 3600;
		else if (!alarm_matches(rtc->cmos[MC146818_MINUTES_ALARM], encode(rtc, minute)))
			t += 60 - second;
		else if (!alarm_matches(rtc->cmos[MC146818_SECONDS_ALARM], encode(rtc, second)))
			t++;
		else
			return t - now;
	}
	return 0;
}

/* The chip knows two digits of the year only. */
static unsigned days_in_month(unsigned month, unsigned year)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	if (month == 2 && year % 4 == 0)
		return 29;
	return month >= 1 && month <= 12 ? days[month - 1] : 31;
}

static void add_days(struct mc146818 *rtc, uint64_t days)
{
	unsigned date = decode(rtc, rtc->cmos[MC146818_DATE]);
	unsigned month = decode(rtc, rtc->cmos[MC146818_MONTH]);
	unsigned year = decode(rtc, rtc->cmos[MC146818_YEAR]);
	unsigned weekday = decode(rtc, rtc->cmos[MC146818_DAY_OF_WEEK]);
	for (; days; days--) {
		weekday = weekday >= 7 ? 1 : weekday + 1;
		if (++date <= days_in_month(month, year))
			continue;
		date = 1;
		if (++month <= 12)
			continue;
		month = 1;
		year = (year + 1) % 100;
	}
	rtc->cmos[MC146818_DATE] = encode(rtc, date);
	rtc->cmos[MC146818_MONTH] = encode(rtc, month);
	rtc->cmos[MC146818_YEAR] = encode(rtc, year);
	rtc->cmos[MC146818_DAY_OF_WEEK] = encode(rtc, weekday);
}

static void add_seconds(struct mc146818 *rtc, uint64_t seconds)
{
	unsigned alarm = alarm_in(rtc);
	if (alarm && alarm <= seconds)
		rtc->flags |= C_AF;
	rtc->flags |= C_UF;
	uint64_t total = second_of_day(rtc) + seconds;
	unsigned second = (unsigned)(total % DAY);
	rtc->cmos[MC146818_SECONDS] = encode(rtc, second % 60);
	rtc->cmos[MC146818_MINUTES] = encode(rtc, second / 60 % 60);
	rtc->cmos[MC146818_HOURS] = encode_hours(rtc, second / 3600);
	if (total >= DAY)
		add_days(rtc, total / DAY);
}

static void catch_up_periods(struct mc146818 *rtc, uint64_t ns)
{
	uint64_t oscillations = clock_ns_to_ticks(ns, OSCILLATOR_HZ);
	uint64_t period = periodic_oscillations(rtc);
	if (period && oscillations / period != rtc->oscillations_done / period)
		rtc->flags |= C_PF;
	rtc->oscillations_done = oscillations;
}

/* Lets time and flags follow the divider. */
static void catch_up(struct mc146818 *rtc)
{
	if (!is_counting(rtc))
		return;
	uint64_t ns = divider_ns(rtc);
	uint64_t seconds = ns / SECOND_NS;
	if (seconds > rtc->seconds_done && !(rtc->cmos[MC146818_B] & B_SET))
		add_seconds(rtc, seconds - rtc->seconds_done);
	rtc->seconds_done = seconds;
	catch_up_periods(rtc, ns);
}

/* The flags that pull IRQ. They have the places of their enables in B. */
static uint8_t active_flags(const struct mc146818 *rtc)
{
	return rtc->flags & rtc->cmos[MC146818_B] & (C_PF | C_AF | C_UF);
}

static uint64_t next_update(const struct mc146818 *rtc, uint64_t seconds)
{
	return rtc->divider_start + (rtc->seconds_done + seconds) * SECOND_NS;
}

static uint64_t next_period(const struct mc146818 *rtc)
{
	uint64_t period = periodic_oscillations(rtc);
	uint64_t next = (rtc->oscillations_done / period + 1) * period;
	return rtc->divider_start + clock_ticks_to_ns(next, OSCILLATOR_HZ);
}

/* Sets the timer for the first event that can pull IRQ; none while it is pulled. */
static void schedule(struct mc146818 *rtc)
{
	uint8_t b = rtc->cmos[MC146818_B];
	uint64_t deadline = CLOCK_NEVER;
	if (is_counting(rtc) && !active_flags(rtc)) {
		if (b & B_PIE && periodic_oscillations(rtc))
			deadline = next_period(rtc);
		if (b & B_UIE && !(b & B_SET))
			deadline = MIN(deadline, next_update(rtc, 1));
		unsigned alarm = b & B_AIE && !(b & B_SET) ? alarm_in(rtc) : 0;
		if (alarm)
			deadline = MIN(deadline, next_update(rtc, alarm));
	}
	if (deadline == CLOCK_NEVER)
		clock_timer_stop(rtc->timer);
	else
		clock_timer_set(rtc->timer, deadline);
}

static void settle(struct mc146818 *rtc)
{
	irq_set(&rtc->irq8, active_flags(rtc) != 0);
	schedule(rtc);
}

static void event_is_due(void *owner)
{
	catch_up(owner);
	settle(owner);
}

static void write_a(struct mc146818 *rtc, uint8_t value)
{
	bool counted = is_counting(rtc);
	rtc->cmos[MC146818_A] = value & (uint8_t)~A_UIP;
	if (!is_counting(rtc)) {
		if ((value & A_DV) < 0x60u)
			guest_error("mc146818", "divider %u: not for this crystal", (value & A_DV) >> 4);
		return;
	}
	if (counted)
		return;
	/* The first update comes half a second after the divider was let go. */
	rtc->divider_start = clock_now(rtc->clock) - SECOND_NS / 2;
	rtc->seconds_done = 0;
	rtc->oscillations_done = OSCILLATOR_HZ / 2;
}

static void write_b(struct mc146818 *rtc, uint8_t value)
{
	if (value & B_SET)
		value &= (uint8_t)~B_UIE;
	rtc->cmos[MC146818_B] = value;
}

static uint8_t read_a(const struct mc146818 *rtc)
{
	bool updates = is_counting(rtc) && !(rtc->cmos[MC146818_B] & B_SET);
	bool uip = updates && divider_ns(rtc) % SECOND_NS >= SECOND_NS - UIP_NS;
	return rtc->cmos[MC146818_A] | (uip ? A_UIP : 0);
}

static uint8_t read_c(const struct mc146818 *rtc)
{
	return rtc->flags | (active_flags(rtc) ? C_IRQF : 0);
}

void mc146818_set(struct mc146818 *rtc, uint8_t index, uint8_t value)
{
	index &= INDEX;
	catch_up(rtc);
	switch (index) {
	case MC146818_A:
		write_a(rtc, value);
		break;
	case MC146818_B:
		write_b(rtc, value);
		break;
	case MC146818_C:
	case MC146818_D:
		guest_error("mc146818", "register %X is read-only", index);
		return;
	default:
		rtc->cmos[index] = value;
		if (index > MC146818_D)
			return;
	}
	settle(rtc);
}

uint8_t mc146818_get(struct mc146818 *rtc, uint8_t index)
{
	index &= INDEX;
	catch_up(rtc);
	switch (index) {
	case MC146818_A:
		return read_a(rtc);
	case MC146818_C:
		return read_c(rtc);
	case MC146818_D:
		return D_VRT;
	default:
		return rtc->cmos[index];
	}
}

void mc146818_connect_nmi_mask(struct mc146818 *rtc, struct irq_line nmi_mask)
{
	rtc->nmi_mask = nmi_mask;
	irq_set(&rtc->nmi_mask, rtc->index & NMI_MASK);
}

static void set_index(struct mc146818 *rtc, uint8_t index)
{
	rtc->index = index;
	irq_set(&rtc->nmi_mask, index & NMI_MASK);
}

static uint32_t port_read(void *owner, uint16_t port, unsigned size)
{
	struct mc146818 *rtc = owner;
	(void)size;
	if (!(port & 1))
		return rtc->index;
	uint8_t value = mc146818_get(rtc, rtc->index);
	if ((rtc->index & INDEX) == MC146818_C) {
		rtc->flags = 0;
		settle(rtc);
	}
	return value;
}

static void port_write(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	struct mc146818 *rtc = owner;
	(void)size;
	if (port & 1)
		mc146818_set(rtc, rtc->index, (uint8_t)value);
	else
		set_index(rtc, (uint8_t)value);
}

static const struct bus_ops port_ops = {
	.name = "mc146818",
	.max_size = 1,
	.read = port_read,
	.write = port_write,
};

/* Registers A and B must hold the format already. */
static void preset_time(struct mc146818 *rtc, int64_t unix_time)
{
	GDateTime *time = g_date_time_new_from_unix_utc(unix_time);
	if (!time)
		time = g_date_time_new_from_unix_utc(0);
	rtc->cmos[MC146818_SECONDS] = encode(rtc, (unsigned)g_date_time_get_second(time));
	rtc->cmos[MC146818_MINUTES] = encode(rtc, (unsigned)g_date_time_get_minute(time));
	rtc->cmos[MC146818_HOURS] = encode_hours(rtc, (unsigned)g_date_time_get_hour(time));
	/* Sunday is 7 in ISO 8601, 1 here. */
	rtc->cmos[MC146818_DAY_OF_WEEK] = encode(rtc, (unsigned)g_date_time_get_day_of_week(time) % 7 + 1);
	rtc->cmos[MC146818_DATE] = encode(rtc, (unsigned)g_date_time_get_day_of_month(time));
	rtc->cmos[MC146818_MONTH] = encode(rtc, (unsigned)g_date_time_get_month(time));
	rtc->cmos[MC146818_YEAR] = encode(rtc, (unsigned)g_date_time_get_year(time) % 100);
	rtc->cmos[MC146818_CENTURY] = encode(rtc, (unsigned)g_date_time_get_year(time) / 100);
	g_date_time_unref(time);
}

struct mc146818 *mc146818_new(struct bus *bus, struct irq_line irq8, struct clock *clock, int64_t start_unix_time)
{
	struct mc146818 *rtc = g_new0(struct mc146818, 1);
	rtc->clock = clock;
	rtc->irq8 = irq8;
	if (bus_claim(bus, 0x70, 0x71, &port_ops, rtc)) {
		g_free(rtc);
		errno = ENOSPC;
		return NULL;
	}
	rtc->timer = clock_timer_new(clock, event_is_due, rtc);
	rtc->divider_start = clock_now(clock);
	rtc->cmos[MC146818_A] = A_DV_32768 | 6; /* 1,024 Hz */
	rtc->cmos[MC146818_B] = B_24H;
	preset_time(rtc, start_unix_time);
	return rtc;
}

void mc146818_reset(struct mc146818 *rtc)
{
	catch_up(rtc);
	set_index(rtc, 0);
	rtc->flags = 0;
	rtc->cmos[MC146818_B] &= (uint8_t)~(B_PIE | B_AIE | B_UIE | B_SQWE);
	settle(rtc);
}

/* What was done is past: events that never become due would come without end. The
 * divider may have started up to a second before power-on. */
static void check_loaded(struct mc146818 *rtc, struct snap *snap)
{
	uint64_t now = clock_now(rtc->clock), ns = now - rtc->divider_start;
	if (ns <= now + SECOND_NS && rtc->seconds_done <= ns / SECOND_NS &&
	    rtc->oscillations_done <= clock_ns_to_ticks(ns, OSCILLATOR_HZ))
		return;
	snap_fail(snap, "mc146818: %llu seconds since %llu", (unsigned long long)rtc->seconds_done,
	          (unsigned long long)rtc->divider_start);
	rtc->divider_start = now;
	rtc->seconds_done = rtc->oscillations_done = 0;
}

void mc146818_state(struct mc146818 *rtc, struct snap *snap)
{
	snap_section(snap, "mc146818", 1);
	snap_bytes(snap, "cmos", rtc->cmos, sizeof rtc->cmos);
	snap_u8(snap, "index", &rtc->index);
	snap_u8(snap, "flags", &rtc->flags);
	snap_u64(snap, "divider_start", &rtc->divider_start);
	snap_u64(snap, "seconds_done", &rtc->seconds_done);
	snap_u64(snap, "oscillations_done", &rtc->oscillations_done);
	snap_timer(snap, "timer", rtc->timer);
	if (!snap_is_loading(snap))
		return;
	if (rtc->cmos[MC146818_A] & A_UIP || rtc->flags & ~(C_PF | C_AF | C_UF))
		snap_fail(snap, "mc146818: A %02x, flags %02x", rtc->cmos[MC146818_A], rtc->flags);
	rtc->cmos[MC146818_A] &= (uint8_t)~A_UIP;
	rtc->flags &= C_PF | C_AF | C_UF;
	check_loaded(rtc, snap);
	irq_set(&rtc->irq8, active_flags(rtc) != 0);
	irq_set(&rtc->nmi_mask, rtc->index & NMI_MASK);
}

void mc146818_free(struct mc146818 *rtc)
{
	if (!rtc)
		return;
	clock_timer_free(rtc->timer);
	g_free(rtc);
}
