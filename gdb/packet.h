/* Packets of GDB's remote protocol (GDB manual, appendix E.1): `$data#checksum`,
 * with } as the escape. Run lengths are never sent, and a debugger sends none. */
#ifndef V2E_GDB_PACKET_H
#define V2E_GDB_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

#define GDB_PACKET_MAX 0x4000u /* bytes of data, escapes counted */

enum gdb_packet_event {
	GDB_PACKET_NONE,  /* more bytes are needed */
	GDB_PACKET_READY, /* reader.data holds a packet, escapes undone */
	GDB_PACKET_BAD,   /* wrong checksum, or longer than GDB_PACKET_MAX */
	GDB_PACKET_BREAK, /* Ctrl-C, 03h between packets */
	GDB_PACKET_AGAIN, /* `-`: the last packet is to be sent anew */
};

struct gdb_packet_reader {
	GString *data;
	unsigned state; /* private */
	uint8_t sum, wanted;
	size_t raw;
	bool escaped;
};

void gdb_packet_reader_init(struct gdb_packet_reader *reader);
void gdb_packet_reader_clear(struct gdb_packet_reader *reader);

/* Takes the next byte of the connection. Noise between packets is dropped. */
enum gdb_packet_event gdb_packet_feed(struct gdb_packet_reader *reader, uint8_t byte);

/* Appends the framed packet. */
void gdb_packet_frame(GString *out, const char *data, size_t size);

/* Bytes as pairs of hexadecimal digits, and back; false when they are not. */
void gdb_packet_append_hex(GString *out, const void *bytes, size_t size);
bool gdb_packet_parse_hex(const char *text, size_t digits, uint8_t *bytes);

#endif
