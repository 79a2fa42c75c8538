/* What v2e says of itself. Host-side diagnostics, one sink for the process. */
#ifndef V2E_SHARED_LOG_H
#define V2E_SHARED_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* What --trace can name. */
enum log_trace {
	LOG_TRACE_SWITCH = 1 << 0,
	LOG_TRACE_INT    = 1 << 1,
	LOG_TRACE_IO     = 1 << 2,
	LOG_TRACE_IRQ    = 1 << 3,
	LOG_TRACE_BLOCK  = 1 << 4,
	LOG_TRACE_INSN   = 1 << 5,
	LOG_TRACE_GUEST_ERROR = 1 << 6, /* what guest_error() says */
	LOG_TRACE_MEM    = 1 << 7, /* accesses to watched ranges */
};

extern uint32_t log_trace_mask;

/* All messages are one line; none of the formats ends in a newline. */

/* "io,irq,insn" -> mask; returns false and names the bad word in *bad (points
 * into `list`, ends at ',' or NUL). */
bool log_parse_trace(const char *list, uint32_t *mask, const char **bad);

/* Where everything goes; stderr until set. The caller keeps ownership. */
void log_set_output(FILE *out);

#define LOG_ERROR_PREFIX "v2e: error: "
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The guest did what no sane guest does (reserved command, bad descriptor...).
 * Shown only with --trace guest-error; the guest goes on. `unit` is the chip. */
void guest_error(const char *unit, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A line without a prefix. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* An event of the trace (trace.h) that is nothing but text. */
void log_trace_write(enum log_trace category, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define log_trace(category, ...)                                  \
	do {                                                      \
		if (log_trace_mask & (category))                  \
			log_trace_write(category, __VA_ARGS__);   \
	} while (0)

#endif
