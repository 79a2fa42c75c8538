#include "cli/units.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include <glib.h>

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit time_units[] = {
	{ "h", UINT64_C(3600000000000) }, { "m", UINT64_C(60000000000) }, { "s", UINT64_C(1000000000) },
	{ "ms", 1000000 }, { "us", 1000 }, { "ns", 1 },
};

static const struct unit size_units[] = {
	{ "G", UINT64_C(1) << 30 }, { "M", UINT64_C(1) << 20 }, { "K", UINT64_C(1) << 10 }, { "", UINT64_C(1) << 20 },
};

static const struct unit *find_unit(const struct unit *units, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!g_ascii_strcasecmp(units[i].name, name))
			return &units[i];
	return NULL;
}

/* Digits of `base`; false where there are none or they pass 64 bits. */
static bool read_digits(const char **text, unsigned base, uint64_t *value)
{
	const char *start = *text;
	*value = 0;
	for (int digit; (digit = g_ascii_xdigit_value(**text)) >= 0 && (unsigned)digit < base; (*text)++)
		if (__builtin_mul_overflow(*value, base, value) ||
		    __builtin_add_overflow(*value, (unsigned)digit, value))
			return false;
	return *text != start;
}

static bool read_number(const char **text, uint64_t *value)
{
	if ((*text)[0] == '0' && ((*text)[1] | 0x20) == 'x') {
		*text += 2;
		return read_digits(text, 16, value);
	}
	return read_digits(text, 10, value);
}

/* Who does not know what a number is learns nothing from one with 20 digits. */
#define EXAMPLE_MAX UINT64_C(100000)

bool units_parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *value, char **error)
{
	const char *end = text;
	if (!read_number(&end, value) || *end) {
		uint64_t one = MIN(max, EXAMPLE_MAX);
		*error = g_strdup_printf("'%s' is not a number; give one such as %" PRIu64 " or 0x%" PRIx64, text, one, one);
		return false;
	}
	if (*value < min || *value > max) {
		*error = g_strdup_printf("'%s' is out of range; give %" PRIu64 " to %" PRIu64 " (0x%" PRIx64 " to 0x%" PRIx64 ")",
		                         text, min, max, min, max);
		return false;
	}
	return true;
}

bool units_parse_size(const char *text, uint64_t min, uint64_t max, uint64_t *bytes, char **error)
{
	const char *end = text;
	uint64_t number;
	const struct unit *unit = NULL;
	if (read_digits(&end, 10, &number))
		unit = find_unit(size_units, G_N_ELEMENTS(size_units), end);
	if (!unit) {
		*error = g_strdup_printf("'%s' is not a size; give a number with K, M or G, such as 64M", text);
		return false;
	}
	if (__builtin_mul_overflow(number, unit->factor, bytes) || *bytes < min || *bytes > max) {
		*error = g_strdup_printf("'%s' is out of range; give %" PRIu64 "M to %" PRIu64 "M", text, min >> 20, max >> 20);
		return false;
	}
	return true;
}

/* Whole and fraction times factor; digits of the fraction below 1 ns are lost. */
static bool scale_time(uint64_t whole, const char *fraction, uint64_t factor, uint64_t *ns)
{
	if (__builtin_mul_overflow(whole, factor, ns))
		return false;
	uint64_t weight = factor;
	for (; g_ascii_isdigit(*fraction); fraction++) {
		weight /= 10;
		if (__builtin_add_overflow(*ns, weight * (uint64_t)g_ascii_digit_value(*fraction), ns))
			return false;
	}
	return true;
}

bool units_parse_time(const char *text, uint64_t *ns, char **error)
{
	const char *end = text, *fraction = "";
	uint64_t whole;
	const struct unit *unit = NULL;
	if (read_digits(&end, 10, &whole)) {
		if (*end == '.' && g_ascii_isdigit(end[1]))
			for (fraction = ++end; g_ascii_isdigit(*end);)
				end++;
		unit = find_unit(time_units, G_N_ELEMENTS(time_units), end);
	}
	if (!unit) {
		*error = g_strdup_printf("'%s' is not a time; give a number with ms, s or m, such as 500ms, 10s or 2m", text);
		return false;
	}
	if (!scale_time(whole, fraction, unit->factor, ns) || !*ns || *ns > UNITS_TIME_MAX) {
		*error = g_strdup_printf("'%s' is out of range; give a time from 1ns to 10000h", text);
		return false;
	}
	return true;
}

char *units_format_time(uint64_t ns)
{
	for (size_t i = 0; i < G_N_ELEMENTS(time_units); i++)
		if (ns >= time_units[i].factor && ns % time_units[i].factor == 0)
			return g_strdup_printf("%" PRIu64 "%s", ns / time_units[i].factor, time_units[i].name);
	return g_strdup("0s");
}

bool units_parse_area(const char *text, struct surface_area *area, char **error)
{
	unsigned *fields[] = { &area->x, &area->y, &area->width, &area->height };
	g_auto(GStrv) words = g_strsplit(text, ",", -1);
	if (g_strv_length(words) != G_N_ELEMENTS(fields)) {
		*error = g_strdup_printf("'%s' is no rectangle; give X,Y,WIDTH,HEIGHT in pixels, such as 0,0,640,16", text);
		return false;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
		uint64_t value;
		if (!units_parse_number(g_strstrip(words[i]), i >= 2, SURFACE_MAX_SIDE, &value, error))
			return false;
		*fields[i] = (unsigned)value;
	}
	return true;
}
