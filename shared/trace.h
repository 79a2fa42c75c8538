/* What --trace shows, one event after the other: as text in the log or a file of
 * its own, or as JSON lines; docs/trace.md has the fields. One sink for the
 * process, as the log is. */
#ifndef V2E_SHARED_TRACE_H
#define V2E_SHARED_TRACE_H

#include "shared/clock.h"
#include "shared/ctx.h"
#include "shared/log.h"

/* A call and its return are two events: as text they become one line where nothing
 * comes in between. */
enum trace_phase { TRACE_POINT, TRACE_CALL, TRACE_RETURN };

#define TRACE_TEXT   512u
#define TRACE_FIELDS 2048u

/* An event under construction. What does not fit is left out, a field whole. */
struct trace_event {
	enum trace_phase phase;
	uint64_t call;               /* TRACE_CALL, TRACE_RETURN: which one */
	uint64_t ns, host_ns;        /* guest time; host time since the output was set */
	unsigned text_length, fields_length;
	char text[TRACE_TEXT];       /* TRACE_RETURN: what was called, TAB, what came of it */
	char fields[TRACE_FIELDS];   /* members of a JSON object */
};

/* `kind` is the event's name among the fields. */
void trace_begin(struct trace_event *event, const char *kind);
/* The line as text; may be called repeatedly. Does nothing when the sink wants JSON. */
void trace_text(struct trace_event *event, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Fields. They do nothing when the sink wants text. Strings may hold anything. */
void trace_number(struct trace_event *event, const char *name, uint64_t value);
void trace_flag(struct trace_event *event, const char *name, bool value);
void trace_string(struct trace_event *event, const char *name, const char *value);
void trace_bytes(struct trace_event *event, const char *name, const uint8_t *bytes, unsigned count);
/* cs, ip, linear and, where there is one, symbol, of an instruction in the context's
 * code segment; as text "f000:0000e05b" and " <symbol>". */
void trace_place(struct trace_event *event, const struct ctx *ctx, uint64_t ip);
/* Out it goes. The event may be used again. */
void trace_emit(struct trace_event *event);

enum trace_format { TRACE_FORMAT_TEXT, TRACE_FORMAT_JSON };

/* Where events go; the caller keeps ownership. NULL: the log, as text without times,
 * which is how it starts. Before threads and processes are made. */
void trace_set_output(FILE *out, enum trace_format format);
/* Shows the last call, which waits for its return. */
void trace_flush(void);
bool trace_is_json(void);
/* Times of events; NULL: 0. Not owned. */
void trace_set_clock(struct clock *clock);
uint64_t trace_now(void);
/* Names addresses: NULL where there is none, else valid until the next call. */
void trace_set_symbols(const char *(*name)(void *owner, uint64_t linear), void *owner);
const char *trace_symbol(uint64_t linear);
/* A process that has no files: `take` sends what trace_receive() takes there. */
void trace_set_sender(void (*take)(void *owner, const void *data, size_t size), void *owner);
/* `data` is not trusted. False: that is no event. */
bool trace_receive(const void *data, size_t size);

#endif
