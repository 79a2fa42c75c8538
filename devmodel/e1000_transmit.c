/* The transmit ring (3.3 and 3.4 of the manual): legacy, context and data descriptors,
 * checksum insertion, TCP segmentation, VLAN tags. */
#include "devmodel/e1000_private.h"

#include <glib.h>
#include <string.h>

#include "shared/log.h"

/* DCMD and CMD */
#define COMMAND_EOP  0x01u
#define COMMAND_IFCS 0x02u
#define COMMAND_IC   0x04u /* legacy: insert a checksum */
#define COMMAND_TSE  0x04u
#define COMMAND_RS   0x08u
#define COMMAND_DEXT 0x20u
#define COMMAND_VLE  0x40u
/* TUCMD */
#define TUCMD_TCP    0x01u
#define TUCMD_IP     0x02u
/* POPTS */
#define POPTS_IXSM   0x01u
#define POPTS_TXSM   0x02u

#define STATUS_DD    0x01u
#define TYPE_DATA    1u
#define FRAME_MIN    60u
#define TCP_FIN_PSH  0x09u

/* Any of the three, by bytes as in memory (little-endian). */
struct transmit_descriptor {
	uint64_t address;
	uint32_t command; /* length, CSO or DTYP, CMD */
	uint32_t status;  /* STA, CSS or POPTS, special */
};
_Static_assert(sizeof(struct transmit_descriptor) == E1000_DESCRIPTOR_SIZE, "3.3.3");

static uint16_t get16(const uint8_t *bytes) { return (uint16_t)(bytes[0] << 8 | bytes[1]); }
static uint32_t get32(const uint8_t *bytes) { return (uint32_t)get16(bytes) << 16 | get16(bytes + 2); }

static void put16(uint8_t *bytes, uint32_t value)
{
	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
}

static void put32(uint8_t *bytes, uint32_t value)
{
	put16(bytes, value >> 16);
	put16(bytes + 2, value);
}

/* --- checksums -------------------------------------------------------------------------- */

static uint32_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* From `start` to `end` (inclusive; 0: to the end of the packet) into `at`. */
static void insert_checksum(uint8_t *packet, uint32_t size, uint32_t start, uint32_t at, uint32_t end)
{
	uint32_t sum = 0;
	if (end && end + 1 < size)
		size = end + 1;
	if (at + 1 >= size || start >= size) {
		guest_error("e1000", "checksum of bytes %u.. at %u of a packet of %u", start, at, size);
		return;
	}
	for (uint32_t i = start; i < size; i++)
		sum += (i - start) & 1 ? packet[i] : (uint32_t)packet[i] << 8;
	put16(packet + at, ~fold(sum));
}

static void insert_checksums(struct e1000 *card, uint8_t *packet, uint32_t size)
{
	const struct e1000_context *context = &card->context;
	if (card->packet_options & POPTS_TXSM)
		insert_checksum(packet, size, context->tucss, context->tucso, context->tucse);
	if (card->packet_options & POPTS_IXSM)
		insert_checksum(packet, size, context->ipcss, context->ipcso, context->ipcse);
}

/* --- sending ------------------------------------------------------------------------------ */

static void count_sent(struct e1000 *card, const uint8_t *packet, uint32_t size)
{
	static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	e1000_count(card, GPTC, 1);
	e1000_count(card, TPT, 1);
	e1000_count64(card, GOTCL, size + E1000_FCS_SIZE);
	e1000_count64(card, TOTL, size + E1000_FCS_SIZE);
	if (!memcmp(packet, broadcast, sizeof broadcast))
		e1000_count(card, BPTC, 1);
	else if (packet[0] & 1)
		e1000_count(card, MPTC, 1);
}

static uint32_t insert_tag(struct e1000 *card, uint8_t *packet, uint32_t size, uint16_t tag)
{
	memmove(packet + 16, packet + 12, size - 12);
	put16(packet + 12, *e1000_reg(card, VET));
	put16(packet + 14, tag);
	return size + 4;
}

/* `packet` has room for a tag, and for padding. */
static void send_packet(struct e1000 *card, uint8_t *packet, uint32_t size, const struct transmit_descriptor *last)
{
	if (size < NETWORK_FRAME_MIN) {
		guest_error("e1000", "packet of %u bytes", size);
		return;
	}
	if ((last->command >> 24 & COMMAND_VLE) && (*e1000_reg(card, CTRL) & CTRL_VME))
		size = insert_tag(card, packet, size, (uint16_t)(last->status >> 16));
	if (size < FRAME_MIN && (*e1000_reg(card, TCTL) & TCTL_PSP)) {
		memset(packet + size, 0, FRAME_MIN - size);
		size = FRAME_MIN;
	}
	count_sent(card, packet, size);
	if (card->network)
		network_send(card->network, packet, size);
}

/* --- TCP segmentation (3.5) ------------------------------------------------------------------ */

/* The headers of a segment whose payload of `payload` bytes begins `offset` bytes into
 * that of the packet. */
static void adjust_headers(const struct e1000_context *context, uint8_t *segment, uint32_t payload, uint32_t offset,
                           unsigned index, bool last)
{
	uint8_t *ip = segment + context->ipcss, *transport = segment + context->tucss;
	uint32_t size = context->header + payload;
	if (context->command & TUCMD_IP) {
		put16(ip + 2, size - context->ipcss);
		put16(ip + 4, get16(ip + 4) + index);
	} else {
		put16(ip + 4, size - context->ipcss - 40); /* IPv6 */
	}
	if (!(context->command & TUCMD_TCP)) {
		put16(transport + 4, size - context->tucss); /* UDP */
		return;
	}
	put32(transport + 4, get32(transport + 4) + offset);
	if (!last)
		transport[13] &= (uint8_t)~TCP_FIN_PSH;
}

/* The driver left the length out of the pseudo header's sum. */
static void add_pseudo_length(const struct e1000_context *context, uint8_t *segment, uint32_t size)
{
	uint8_t *sum = segment + context->tucso;
	put16(sum, fold(get16(sum) + size - context->tucss));
}

static bool headers_fit(const struct e1000_context *context, uint32_t size)
{
	return context->mss && context->header < size && context->ipcss + 20u <= context->header &&
	       context->tucss + 8u + (context->command & TUCMD_TCP ? 12u : 0) <= context->header &&
	       context->tucso + 2u <= context->header;
}

static void send_segments(struct e1000 *card, const struct transmit_descriptor *last)
{
	const struct e1000_context *context = &card->context;
	uint8_t *segment = g_malloc(E1000_FRAME_MAX + 4);
	uint32_t total = card->packet_size - context->header, offset = 0;
	for (unsigned index = 0; offset < total; index++) {
		uint32_t payload = MIN(context->mss, total - offset), size = context->header + payload;
		memcpy(segment, card->packet, context->header);
		memcpy(segment + context->header, card->packet + context->header + offset, payload);
		adjust_headers(context, segment, payload, offset, index, offset + payload == total);
		if (card->packet_options & POPTS_TXSM)
			add_pseudo_length(context, segment, size);
		insert_checksums(card, segment, size);
		send_packet(card, segment, size, last);
		offset += payload;
	}
	g_free(segment);
}

/* --- descriptors ------------------------------------------------------------------------------ */

static void load_context(struct e1000 *card, const struct transmit_descriptor *descriptor)
{
	uint64_t low = descriptor->address;
	card->context = (struct e1000_context){
		.ipcss = (uint8_t)low, .ipcso = (uint8_t)(low >> 8), .ipcse = (uint16_t)(low >> 16),
		.tucss = (uint8_t)(low >> 32), .tucso = (uint8_t)(low >> 40), .tucse = (uint16_t)(low >> 48),
		.payload = descriptor->command & 0xfffff, .command = (uint8_t)(descriptor->command >> 24),
		.header = (uint8_t)(descriptor->status >> 8), .mss = (uint16_t)(descriptor->status >> 16),
	};
}

static void add_data(struct e1000 *card, uint64_t address, uint32_t size)
{
	if (size > E1000_FRAME_MAX - card->packet_size) {
		card->packet_too_long = true;
		return;
	}
	mem_read_bytes(card->mem, address, card->packet + card->packet_size, size);
	card->packet_size += size;
}

static void end_packet(struct e1000 *card, const struct transmit_descriptor *last, bool segmented)
{
	uint32_t command = last->command >> 24;
	if (card->packet_too_long) {
		guest_error("e1000", "packet of more than %u bytes", E1000_FRAME_MAX);
	} else if (!segmented) {
		insert_checksums(card, card->packet, card->packet_size);
		if (!(command & COMMAND_IFCS) && card->packet_size > E1000_FCS_SIZE)
			card->packet_size -= E1000_FCS_SIZE; /* the driver's own */
		send_packet(card, card->packet, card->packet_size, last);
	} else if (headers_fit(&card->context, card->packet_size)) {
		send_segments(card, last);
	} else {
		guest_error("e1000", "segmentation of %u bytes with headers of %u and MSS %u", card->packet_size,
		            card->context.header, card->context.mss);
	}
	card->packet_size = 0;
	card->packet_too_long = false;
	card->packet_options = 0;
}

static void run_legacy(struct e1000 *card, const struct transmit_descriptor *descriptor)
{
	uint32_t command = descriptor->command >> 24;
	add_data(card, descriptor->address, descriptor->command & 0xffff);
	if (!(command & COMMAND_EOP))
		return;
	if (command & COMMAND_IC && !card->packet_too_long)
		insert_checksum(card->packet, card->packet_size, descriptor->status >> 8 & 0xff, descriptor->command >> 16 & 0xff, 0);
	end_packet(card, descriptor, false);
}

static void run_data(struct e1000 *card, const struct transmit_descriptor *descriptor)
{
	uint32_t command = descriptor->command >> 24;
	if (!card->packet_size)
		card->packet_options = (uint8_t)(descriptor->status >> 8);
	add_data(card, descriptor->address, descriptor->command & 0xfffff);
	if (command & COMMAND_EOP)
		end_packet(card, descriptor, command & COMMAND_TSE);
}

static void run_descriptor(struct e1000 *card, const struct transmit_descriptor *descriptor)
{
	uint32_t command = descriptor->command >> 24;
	if (!(command & COMMAND_DEXT))
		run_legacy(card, descriptor);
	else if ((descriptor->command >> 20 & 15) == TYPE_DATA)
		run_data(card, descriptor);
	else
		load_context(card, descriptor);
}

void e1000_transmit(struct e1000 *card)
{
	uint32_t ring = e1000_ring_size(card, TDBAL), tail = *e1000_reg(card, TDT), causes = 0;
	if (!(*e1000_reg(card, TCTL) & TCTL_EN))
		return;
	if (tail >= ring || *e1000_reg(card, TDH) >= ring) {
		if (ring)
			guest_error("e1000", "TDH %u or TDT %u is outside of a ring of %u", *e1000_reg(card, TDH), tail, ring);
		return;
	}
	while (*e1000_reg(card, TDH) != tail) {
		struct transmit_descriptor descriptor;
		uint64_t at = e1000_ring_address(card, TDBAL, *e1000_reg(card, TDH));
		mem_read_bytes(card->mem, at, &descriptor, sizeof descriptor);
		run_descriptor(card, &descriptor);
		if (descriptor.command >> 24 & COMMAND_RS) {
			descriptor.status |= STATUS_DD;
			mem_write_bytes(card->mem, at, &descriptor, sizeof descriptor);
			causes |= ICR_TXDW;
		}
		*e1000_reg(card, TDH) = (*e1000_reg(card, TDH) + 1) % ring;
		causes |= ICR_TXQE;
	}
	if (causes)
		e1000_raise(card, causes);
}
