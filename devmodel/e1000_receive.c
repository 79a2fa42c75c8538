/* Frames from the network into the receive ring (3.2 of the manual). */
#include "devmodel/e1000_private.h"

#include <glib.h>
#include <string.h>

#define STATUS_DD   0x01u
#define STATUS_EOP  0x02u
#define STATUS_IXSM 0x04u /* checksums were not looked at */
#define STATUS_VP   0x08u
#define STATUS_PIF  0x80u /* passed an inexact filter */

#define STANDARD_MAX 1522u /* with FCS and VLAN tag */
#define FRAME_MIN    60u   /* without FCS */
#define FRAME_MAX    16384u /* with FCS, RCTL.LPE set */
#define ADDRESSES    16u

struct receive_descriptor {
	uint64_t address;
	uint16_t length, checksum;
	uint8_t status, errors;
	uint16_t special;
};
_Static_assert(sizeof(struct receive_descriptor) == E1000_DESCRIPTOR_SIZE, "3.2.3");

/* --- filters (3.2.1) ----------------------------------------------------------------- */

enum match { MATCH_NONE, MATCH_EXACT, MATCH_HASH };

static bool is_own(struct e1000 *card, const uint8_t *address)
{
	uint32_t low = address[0] | (uint32_t)address[1] << 8 | (uint32_t)address[2] << 16 | (uint32_t)address[3] << 24;
	uint32_t high = address[4] | (uint32_t)address[5] << 8 | RAH_AV;
	for (unsigned i = 0; i < ADDRESSES; i++)
		if (*e1000_reg(card, RAL + 8 * i) == low && (*e1000_reg(card, RAH + 8 * i) & (RAH_AV | 0xffff)) == high)
			return true;
	return false;
}

static bool in_hash_table(struct e1000 *card, const uint8_t *address)
{
	static const uint8_t shift[] = { 4, 3, 2, 0 };
	unsigned offset = *e1000_reg(card, RCTL) >> 12 & 3;
	unsigned hash = (address[4] | (unsigned)address[5] << 8) >> shift[offset] & 0xfff;
	return *e1000_reg(card, MTA + 4 * (hash >> 5)) >> (hash & 31) & 1;
}

static enum match match_address(struct e1000 *card, const uint8_t *address)
{
	static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	uint32_t rctl = *e1000_reg(card, RCTL);
	bool group = address[0] & 1;
	if (is_own(card, address) || (rctl & (group ? RCTL_MPE : RCTL_UPE)))
		return MATCH_EXACT;
	if (!memcmp(address, broadcast, sizeof broadcast) && (rctl & RCTL_BAM))
		return MATCH_EXACT;
	return group && in_hash_table(card, address) ? MATCH_HASH : MATCH_NONE;
}

static bool is_tagged(struct e1000 *card, const uint8_t *frame, size_t size)
{
	return size >= 18 && (uint32_t)(frame[12] << 8 | frame[13]) == (*e1000_reg(card, VET) & 0xffff);
}

static bool passes_vlan(struct e1000 *card, const uint8_t *frame)
{
	unsigned id = (unsigned)(frame[14] << 8 | frame[15]) & 0xfff;
	return !(*e1000_reg(card, RCTL) & RCTL_VFE) || (*e1000_reg(card, VFTA + 4 * (id >> 5)) >> (id & 31) & 1);
}

/* --- the ring ------------------------------------------------------------------------- */

static uint32_t buffer_size(struct e1000 *card)
{
	uint32_t rctl = *e1000_reg(card, RCTL), code = rctl >> 16 & 3;
	uint32_t size = 2048u >> code;
	return rctl & RCTL_BSEX && code ? size * 16 : size;
}

/* Descriptors that software has given and not got back. */
static uint32_t free_descriptors(struct e1000 *card)
{
	uint32_t size = e1000_ring_size(card, RDBAL), head = *e1000_reg(card, RDH), tail = *e1000_reg(card, RDT);
	if (head >= size || tail >= size)
		return 0;
	return tail >= head ? tail - head : size - head + tail;
}

static uint32_t size_in_memory(struct e1000 *card, size_t size)
{
	uint32_t stored = (uint32_t)MAX(size, FRAME_MIN);
	return *e1000_reg(card, RCTL) & RCTL_SECRC ? stored : stored + E1000_FCS_SIZE;
}

/* A receiver that is off takes all frames, to drop them. */
bool e1000_has_room(void *owner, size_t size)
{
	struct e1000 *card = owner;
	if (!(*e1000_reg(card, RCTL) & RCTL_EN))
		return true;
	uint32_t buffer = buffer_size(card), wanted = size_in_memory(card, size);
	return (uint64_t)free_descriptors(card) * buffer >= wanted;
}

static void store(struct e1000 *card, const uint8_t *bytes, uint32_t size, uint8_t status, uint16_t special)
{
	uint32_t buffer = buffer_size(card), ring = e1000_ring_size(card, RDBAL);
	for (uint32_t done = 0; done < size;) {
		struct receive_descriptor descriptor;
		uint32_t part = MIN(buffer, size - done), head = *e1000_reg(card, RDH);
		uint64_t at = e1000_ring_address(card, RDBAL, head);
		mem_read_bytes(card->mem, at, &descriptor, sizeof descriptor);
		mem_write_bytes(card->mem, descriptor.address, bytes + done, part);
		done += part;
		descriptor.length = (uint16_t)part;
		descriptor.checksum = 0;
		descriptor.status = (uint8_t)(STATUS_DD | (done == size ? status | STATUS_EOP : 0));
		descriptor.errors = 0;
		descriptor.special = special;
		mem_write_bytes(card->mem, at, &descriptor, sizeof descriptor);
		*e1000_reg(card, RDH) = (head + 1) % ring;
	}
}

static void raise_received(struct e1000 *card)
{
	uint32_t threshold = e1000_ring_size(card, RDBAL) >> (1 + (*e1000_reg(card, RCTL) >> 8 & 3));
	e1000_raise(card, ICR_RXT0 | (free_descriptors(card) <= threshold ? ICR_RXDMT0 : 0));
}

static void count_received(struct e1000 *card, const uint8_t *frame, uint32_t size)
{
	static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	e1000_count(card, GPRC, 1);
	e1000_count64(card, GORCL, size);
	if (!memcmp(frame, broadcast, sizeof broadcast))
		e1000_count(card, BPRC, 1);
	else if (frame[0] & 1)
		e1000_count(card, MPRC, 1);
}

/* IEEE 802.3, 3.2.9. */
static uint32_t frame_check_sequence(const uint8_t *bytes, size_t size)
{
	uint32_t crc = 0xffffffff;
	for (size_t i = 0; i < size; i++) {
		crc ^= bytes[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static bool accepts(struct e1000 *card, const uint8_t *frame, size_t size, uint32_t on_wire, enum match *match)
{
	*match = match_address(card, frame);
	if (*match == MATCH_NONE || (is_tagged(card, frame, size) && !passes_vlan(card, frame)))
		return false;
	if (on_wire <= STANDARD_MAX || *e1000_reg(card, RCTL) & RCTL_LPE)
		return true;
	e1000_count(card, ROC, 1);
	return false;
}

static uint32_t add_check_sequence(uint8_t *bytes, uint32_t size)
{
	uint32_t fcs = GUINT32_TO_LE(frame_check_sequence(bytes, size));
	memcpy(bytes + size, &fcs, sizeof fcs);
	return size + E1000_FCS_SIZE;
}

void e1000_receive(void *owner, const uint8_t *frame, size_t size)
{
	struct e1000 *card = owner;
	uint32_t stored = (uint32_t)MAX(size, FRAME_MIN), on_wire = stored + E1000_FCS_SIZE;
	uint8_t bytes[FRAME_MAX] = { 0 };
	enum match match;
	if (!(*e1000_reg(card, RCTL) & RCTL_EN) || on_wire > FRAME_MAX)
		return;
	e1000_count(card, TPR, 1);
	e1000_count64(card, TORL, on_wire);
	if (!accepts(card, frame, size, on_wire, &match))
		return;
	count_received(card, frame, on_wire);
	memcpy(bytes, frame, size);
	if (!(*e1000_reg(card, RCTL) & RCTL_SECRC))
		stored = add_check_sequence(bytes, stored);
	uint8_t status = match == MATCH_HASH ? STATUS_IXSM | STATUS_PIF : STATUS_IXSM;
	uint16_t special = 0;
	if (is_tagged(card, frame, size) && *e1000_reg(card, CTRL) & CTRL_VME) {
		special = (uint16_t)(frame[14] << 8 | frame[15]);
		status |= STATUS_VP;
		stored -= 4;
		memmove(bytes + 12, bytes + 16, stored - 12);
	}
	store(card, bytes, stored, status, special);
	raise_received(card);
}
