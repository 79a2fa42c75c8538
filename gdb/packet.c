#include "gdb/packet.h"

enum { BETWEEN, IN_DATA, FIRST_DIGIT, SECOND_DIGIT };

void gdb_packet_reader_init(struct gdb_packet_reader *reader)
{
	*reader = (struct gdb_packet_reader){ .data = g_string_new(NULL) };
}

void gdb_packet_reader_clear(struct gdb_packet_reader *reader)
{
	g_string_free(reader->data, TRUE);
}

static void begin(struct gdb_packet_reader *reader)
{
	g_string_truncate(reader->data, 0);
	reader->state = IN_DATA;
	reader->sum = 0;
	reader->raw = 0;
	reader->escaped = false;
}

static enum gdb_packet_event between(struct gdb_packet_reader *reader, uint8_t byte)
{
	if (byte == '$')
		begin(reader);
	if (byte == '-')
		return GDB_PACKET_AGAIN;
	return byte == 3 ? GDB_PACKET_BREAK : GDB_PACKET_NONE;
}

static void take_data(struct gdb_packet_reader *reader, uint8_t byte)
{
	if (byte == '#') {
		reader->state = FIRST_DIGIT;
		return;
	}
	reader->sum = (uint8_t)(reader->sum + byte);
	if (++reader->raw > GDB_PACKET_MAX)
		return;
	if (byte == '}' && !reader->escaped) {
		reader->escaped = true;
		return;
	}
	g_string_append_c(reader->data, (char)(reader->escaped ? byte ^ 0x20 : byte));
	reader->escaped = false;
}

static enum gdb_packet_event finish(struct gdb_packet_reader *reader)
{
	reader->state = BETWEEN;
	return reader->sum == reader->wanted && reader->raw <= GDB_PACKET_MAX ? GDB_PACKET_READY : GDB_PACKET_BAD;
}

enum gdb_packet_event gdb_packet_feed(struct gdb_packet_reader *reader, uint8_t byte)
{
	int digit = g_ascii_xdigit_value((char)byte);
	switch (reader->state) {
	case BETWEEN:
		return between(reader, byte);
	case IN_DATA:
		/* The other side began anew. */
		if (byte == '$')
			begin(reader);
		else
			take_data(reader, byte);
		return GDB_PACKET_NONE;
	}
	if (digit < 0) {
		reader->state = BETWEEN;
		return GDB_PACKET_BAD;
	}
	reader->wanted = (uint8_t)(reader->wanted << 4 | digit);
	if (reader->state == SECOND_DIGIT)
		return finish(reader);
	reader->state = SECOND_DIGIT;
	return GDB_PACKET_NONE;
}

void gdb_packet_frame(GString *out, const char *data, size_t size)
{
	uint8_t sum = 0;
	g_string_append_c(out, '$');
	size_t start = out->len;
	for (size_t i = 0; i < size; i++) {
		bool special = data[i] == '$' || data[i] == '#' || data[i] == '}' || data[i] == '*';
		if (special)
			g_string_append_c(out, '}');
		g_string_append_c(out, (char)(special ? data[i] ^ 0x20 : data[i]));
	}
	for (size_t i = start; i < out->len; i++)
		sum = (uint8_t)(sum + (uint8_t)out->str[i]);
	g_string_append_printf(out, "#%02x", sum);
}

void gdb_packet_append_hex(GString *out, const void *bytes, size_t size)
{
	const uint8_t *from = bytes;
	for (size_t i = 0; i < size; i++)
		g_string_append_printf(out, "%02x", from[i]);
}

bool gdb_packet_parse_hex(const char *text, size_t digits, uint8_t *bytes)
{
	if (digits % 2)
		return false;
	for (size_t i = 0; i < digits; i += 2) {
		int high = g_ascii_xdigit_value(text[i]), low = g_ascii_xdigit_value(text[i + 1]);
		if (high < 0 || low < 0)
			return false;
		bytes[i / 2] = (uint8_t)(high << 4 | low);
	}
	return true;
}
