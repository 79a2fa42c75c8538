/* Numbers as people write them: 64M, 500ms, 0x402. Each call returns false and
 * sets *error (g_free) to what is wrong and what would be right; the message
 * starts with the text itself, so a caller only puts a place before it. */
#ifndef V2E_CLI_UNITS_H
#define V2E_CLI_UNITS_H

#include <stdbool.h>
#include <stdint.h>

#include "devmodel/surface.h"

/* Decimal, or hexadecimal with 0x, from `min` to `max`. */
bool units_parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *value, char **error);

/* Bytes, with K, M or G; without a letter it is M, as for a PC's memory. */
bool units_parse_size(const char *text, uint64_t min, uint64_t max, uint64_t *bytes, char **error);

/* Guest time: a decimal number, perhaps with a fraction, and ns, us, ms, s, m or
 * h. More than zero, at most UNITS_TIME_MAX. */
#define UNITS_TIME_MAX (UINT64_C(1000000000) * 3600 * 10000)
bool units_parse_time(const char *text, uint64_t *ns, char **error);

/* The shortest of such texts, to be freed with g_free. */
char *units_format_time(uint64_t ns);

/* Part of a picture: X,Y,WIDTH,HEIGHT. It may lie outside of the picture. */
bool units_parse_area(const char *text, struct surface_area *area, char **error);

#endif
