#include "shared/trace.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <glib.h>

/* A property of the process, as the log's output is. */
static struct {
	FILE *out; /* NULL: the log */
	enum trace_format format;
	struct clock *clock;
	uint64_t sequence, host_start;
	const char *(*name)(void *owner, uint64_t linear);
	void *name_owner;
	void (*take)(void *owner, const void *data, size_t size);
	void *taker;
	/* As text: a call whose return has not been seen. */
	bool waits;
	uint64_t call, call_ns;
	char line[TRACE_TEXT];
} sink;

static uint64_t host_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void trace_set_output(FILE *out, enum trace_format format)
{
	trace_flush();
	sink.out = out;
	sink.format = out ? format : TRACE_FORMAT_TEXT;
	sink.sequence = 0;
	sink.host_start = host_ns();
}

bool trace_is_json(void)
{
	return sink.format == TRACE_FORMAT_JSON;
}

void trace_set_clock(struct clock *clock)
{
	sink.clock = clock;
}

uint64_t trace_now(void)
{
	return sink.clock ? clock_now(sink.clock) : 0;
}

void trace_set_symbols(const char *(*name)(void *owner, uint64_t linear), void *owner)
{
	sink.name = name;
	sink.name_owner = owner;
}

const char *trace_symbol(uint64_t linear)
{
	return sink.name ? sink.name(sink.name_owner, linear) : NULL;
}

void trace_set_sender(void (*take)(void *owner, const void *data, size_t size), void *owner)
{
	sink.take = take;
	sink.taker = owner;
}

/* --- an event ---------------------------------------------------------------------- */

/* All of it or nothing, so that what is there stays well-formed. */
static void append(char *to, unsigned *length, unsigned size, const char *text)
{
	size_t count = strlen(text);
	if (*length + count >= size)
		return;
	memcpy(to + *length, text, count + 1);
	*length += (unsigned)count;
}

static void add_field(struct trace_event *event, const char *name, const char *value)
{
	char field[TRACE_FIELDS];
	if (!trace_is_json())
		return;
	int length = snprintf(field, sizeof field, "%s\"%s\": %s", event->fields_length ? ", " : "", name, value);
	if (length > 0 && (size_t)length < sizeof field)
		append(event->fields, &event->fields_length, sizeof event->fields, field);
}

void trace_begin(struct trace_event *event, const char *kind)
{
	event->phase = TRACE_POINT;
	event->call = 0;
	event->ns = trace_now();
	event->host_ns = trace_is_json() ? host_ns() - sink.host_start : 0;
	event->text_length = event->fields_length = 0;
	*event->text = *event->fields = '\0';
	trace_string(event, "kind", kind);
}

void trace_text(struct trace_event *event, const char *format, ...)
{
	char text[TRACE_TEXT];
	va_list arguments;
	if (trace_is_json())
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	append(event->text, &event->text_length, sizeof event->text, text);
}

void trace_number(struct trace_event *event, const char *name, uint64_t value)
{
	char text[24];
	snprintf(text, sizeof text, "%" PRIu64, value);
	add_field(event, name, text);
}

void trace_flag(struct trace_event *event, const char *name, bool value)
{
	add_field(event, name, value ? "true" : "false");
}

/* Bytes past ASCII come out as Latin-1 would have them: a guest's strings need not
 * be UTF-8. */
void trace_string(struct trace_event *event, const char *name, const char *value)
{
	char text[TRACE_FIELDS];
	unsigned n = 0;
	if (!trace_is_json())
		return;
	text[n++] = '"';
	for (const uint8_t *c = (const uint8_t *)value; *c && n < sizeof text - 8; c++) {
		if (*c < 0x20 || *c > 0x7e) {
			n += (unsigned)snprintf(text + n, 7, "\\u%04x", *c);
			continue;
		}
		if (*c == '"' || *c == '\\')
			text[n++] = '\\';
		text[n++] = (char)*c;
	}
	text[n++] = '"';
	text[n] = '\0';
	add_field(event, name, text);
}

void trace_bytes(struct trace_event *event, const char *name, const uint8_t *bytes, unsigned count)
{
	char text[257] = "";
	for (unsigned i = 0; i < count && 2 * i + 2 < sizeof text; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	trace_string(event, name, text);
}

void trace_place(struct trace_event *event, const struct ctx *ctx, uint64_t ip)
{
	const struct ctx_seg *cs = &ctx->seg[CTX_CS];
	uint64_t linear = ctx_linear(ctx, ip);
	const char *symbol = trace_symbol(linear);
	trace_number(event, "cs", cs->selector);
	trace_number(event, "ip", ip);
	trace_number(event, "linear", linear);
	trace_text(event, "%04x:%08" PRIx64, cs->selector, ip);
	if (!symbol)
		return;
	trace_string(event, "symbol", symbol);
	trace_text(event, " <%s>", symbol);
}

/* --- text ----------------------------------------------------------------------------- */

static void put_line(uint64_t ns, const char *first, const char *second, const char *third)
{
	if (sink.out)
		fprintf(sink.out, "%6" PRIu64 ".%06u %s%s%s\n", ns / 1000000000u, (unsigned)(ns / 1000 % 1000000), first, second, third);
	else
		log_line("%s%s%s", first, second, third);
}

void trace_flush(void)
{
	if (sink.waits)
		put_line(sink.call_ns, sink.line, " ...", "");
	sink.waits = false;
	if (sink.out)
		fflush(sink.out);
}

static void put_call(const struct trace_event *event)
{
	sink.waits = true;
	sink.call = event->call;
	sink.call_ns = event->ns;
	memcpy(sink.line, event->text, sizeof sink.line);
}

static void put_return(const struct trace_event *event, bool joins)
{
	const char *tab = strchr(event->text, '\t');
	const char *result = tab ? tab + 1 : "";
	g_autofree char *what = g_strndup(event->text, tab ? (size_t)(tab - event->text) : strlen(event->text));
	if (joins)
		put_line(sink.call_ns, sink.line, " ", result);
	else
		put_line(event->ns, what, " ... ", result);
}

static void put_text(const struct trace_event *event)
{
	bool joins = sink.waits && event->phase == TRACE_RETURN && event->call == sink.call;
	if (joins)
		sink.waits = false;
	else if (sink.waits)
		trace_flush();
	if (event->phase == TRACE_CALL)
		put_call(event);
	else if (event->phase == TRACE_RETURN)
		put_return(event, joins);
	else
		put_line(event->ns, event->text, "", "");
}

/* --- JSON ------------------------------------------------------------------------------- */

static void put_json(const struct trace_event *event)
{
	fprintf(sink.out, "{\"seq\": %" PRIu64 ", \"ns\": %" PRIu64 ", \"host_ns\": %" PRIu64 ", %s}\n", sink.sequence++, event->ns,
	        event->host_ns, event->fields);
}

/* --- from process to process --------------------------------------------------------------- */

struct packet {
	uint32_t phase, text_length, fields_length, reserved;
	uint64_t call, ns, host_ns;
	char data[TRACE_TEXT + TRACE_FIELDS]; /* text and fields, each with its NUL */
};

static void send_packet(const struct trace_event *event)
{
	struct packet packet = {
		.phase = event->phase, .text_length = event->text_length, .fields_length = event->fields_length,
		.call = event->call, .ns = event->ns, .host_ns = event->host_ns,
	};
	memcpy(packet.data, event->text, event->text_length + 1);
	memcpy(packet.data + event->text_length + 1, event->fields, event->fields_length + 1);
	sink.take(sink.taker, &packet, offsetof(struct packet, data) + event->text_length + event->fields_length + 2);
}

/* Whatever the other process sends stays on its line. */
static bool unpack(char *to, unsigned *length, const char *from, uint32_t count, bool tabs)
{
	for (uint32_t i = 0; i < count; i++) {
		bool fine = (from[i] >= ' ' && from[i] <= '~') || (tabs && from[i] == '\t');
		to[i] = fine ? from[i] : '?';
	}
	to[count] = '\0';
	*length = count;
	return !from[count];
}

bool trace_receive(const void *data, size_t size)
{
	struct packet packet;
	struct trace_event event;
	if (size < offsetof(struct packet, data) || size > sizeof packet)
		return false;
	memcpy(&packet, data, size);
	size_t room = size - offsetof(struct packet, data);
	if (packet.phase > TRACE_RETURN || packet.text_length >= TRACE_TEXT || packet.fields_length >= TRACE_FIELDS ||
	    (size_t)packet.text_length + packet.fields_length + 2 != room)
		return false;
	event.phase = (enum trace_phase)packet.phase;
	event.call = packet.call;
	event.ns = packet.ns;
	event.host_ns = packet.host_ns;
	if (!unpack(event.text, &event.text_length, packet.data, packet.text_length, true) ||
	    !unpack(event.fields, &event.fields_length, packet.data + packet.text_length + 1, packet.fields_length, false))
		return false;
	trace_emit(&event);
	return true;
}

void trace_emit(struct trace_event *event)
{
	if (sink.take)
		send_packet(event);
	else if (trace_is_json())
		put_json(event);
	else
		put_text(event);
}
